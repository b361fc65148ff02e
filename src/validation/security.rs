//! Security contexts (`ValidatePodSecurityContext`, `ValidateSecurityContext`).

use super::at::At;
use super::formats::{between, one_of};
use super::{Cause, Found};

pub(super) fn pod(context: &At<'_>, found: &mut Found) {
    users(context, found);
    for group in context.field("supplementalGroups").items() {
        between(&group, 0, i64::from(i32::MAX), found);
    }
    between(&context.field("fsGroup"), 0, i64::from(i32::MAX), found);
    one_of(
        &context.field("fsGroupChangePolicy"),
        &["OnRootMismatch", "Always"],
        found,
    );
    one_of(
        &context.field("supplementalGroupsPolicy"),
        &["Merge", "Strict"],
        found,
    );
    profiles(context, found);
    for sysctl in context.field("sysctls").items() {
        let name = sysctl.field("name");
        if name.text().is_empty() {
            found.add(
                &name,
                Cause::Required,
                "a sysctl needs a name",
                "write the name, such as net.core.somaxconn",
            );
        }
    }
}

pub(super) fn container(context: &At<'_>, found: &mut Found) {
    users(context, found);
    profiles(context, found);
    one_of(&context.field("procMount"), &["Default", "Unmasked"], found);
    let escalation = context.field("allowPrivilegeEscalation");
    let is_off = escalation.value() == Some(&serde_json::Value::Bool(false));
    if is_off && context.field("privileged").is_true() {
        let message = "a privileged container can always gain privileges";
        found.add(
            &escalation,
            Cause::Invalid,
            message,
            "remove privileged, or allowPrivilegeEscalation: false",
        );
    }
    let capabilities = context.field("capabilities");
    let added = capabilities.field("add");
    let has_admin = added
        .items()
        .any(|name| matches!(name.text(), "CAP_SYS_ADMIN"));
    if is_off && has_admin {
        let message = "a container with CAP_SYS_ADMIN can always gain privileges";
        found.add(
            &escalation,
            Cause::Invalid,
            message,
            "remove the capability, or allowPrivilegeEscalation: false",
        );
    }
}

fn users(context: &At<'_>, found: &mut Found) {
    for field in ["runAsUser", "runAsGroup"] {
        between(&context.field(field), 0, i64::from(i32::MAX), found);
    }
}

fn profiles(context: &At<'_>, found: &mut Found) {
    for field in ["seccompProfile", "appArmorProfile"] {
        let profile = context.field(field);
        if !profile.is_set() {
            continue;
        }
        let kind = profile.field("type");
        let file = profile.field("localhostProfile");
        if kind.text().is_empty() {
            found.add(
                &kind,
                Cause::Required,
                "a profile needs a type",
                "write RuntimeDefault",
            );
        } else {
            one_of(&kind, &["Localhost", "RuntimeDefault", "Unconfined"], found);
        }
        if kind.text() == "Localhost" && file.text().is_empty() {
            found.add(
                &file,
                Cause::Required,
                "a Localhost profile names its file",
                "write localhostProfile, or the type RuntimeDefault",
            );
        } else if kind.text() != "Localhost" && file.is_set() {
            let message = "only a Localhost profile has a file";
            found.add(
                &file,
                Cause::Invalid,
                message,
                "remove localhostProfile, or write the type Localhost",
            );
        }
    }
}
