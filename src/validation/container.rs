//! `ValidateContainers` and `ValidateInitContainers`.

use std::collections::HashSet;

use super::at::At;
use super::formats::{
    as_dns_label, as_port_name, between, climbs, is_port_name, one_of, port_number, suggestion,
};
use super::{Cause, Found, env, probe, resources, security};
use crate::model::name::is_dns_label;
use crate::model::text::quoted;

/// Which list of a pod a container is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `containers`, or an init container that restarts always: both run beside the others.
    Runs,
    /// An init container that ends.
    Ends,
}

pub(super) fn check_all(pods: &At<'_>, found: &mut Found) {
    let mut names = HashSet::new();
    let host_network = pods.field("hostNetwork").is_true();
    let mut host_ports = HashSet::new();
    for list in ["initContainers", "containers"] {
        let list_at = pods.field(list);
        for container in list_at.items() {
            name(&container, &mut names, found);
            restart_policy(&container, list == "initContainers", found);
            let restarts = container.field("restartPolicy").text() == "Always";
            let role = if list == "containers" || restarts {
                Role::Runs
            } else {
                Role::Ends
            };
            check(&container, role, found);
            ports(&container, host_network, found);
            if role == Role::Runs {
                taken_host_ports(&container, &mut host_ports, found);
            }
        }
    }
}

fn name(container: &At<'_>, names: &mut HashSet<String>, found: &mut Found) {
    let field = container.field("name");
    let text = field.text();
    if text.is_empty() {
        found.add(
            &field,
            Cause::Required,
            "a container needs a name",
            "write a name for the container",
        );
    } else if !is_dns_label(text) {
        let message = format!(
            "{} is not a DNS label: lower-case letters, digits and \"-\", at most 63, beginning and ending with a letter or digit",
            quoted(text)
        );
        found.add(
            &field,
            Cause::Invalid,
            message,
            suggestion(&as_dns_label(text), "write a DNS label"),
        );
    } else if !names.insert(text.to_owned()) {
        let message = format!("two containers are called {}", quoted(text));
        found.add(
            &field,
            Cause::Duplicate,
            message,
            "give each container a name of its own, init containers included",
        );
    }
}

/// A sidecar is an init container that restarts always. On a plain container servers up to 1.33 refuse the field, 1.34 drops it,
/// and later ones take it.
fn restart_policy(container: &At<'_>, is_init: bool, found: &mut Found) {
    let field = container.field("restartPolicy");
    if !field.is_set() {
        return;
    }
    let until = if is_init { 34 } else { 33 };
    if is_init && field.text() == "Always" {
        return;
    }
    found.between(None, Some(until), |found| {
        let (message, help) = if is_init {
            ("an init container has no restart policy but Always, which makes it a sidecar", "write Always, or remove the field")
        } else {
            (
                "a plain container has no restart policy of its own, the pod's holds",
                "remove the field; a sidecar is an entry of initContainers with restartPolicy: Always",
            )
        };
        found.add(&field, Cause::Forbidden, message, help);
    });
    found.between(Some(if is_init { 35 } else { 34 }), None, |found| {
        one_of(&field, &["Always", "OnFailure", "Never"], found);
    });
}

fn check(container: &At<'_>, role: Role, found: &mut Found) {
    let image = container.field("image");
    if image.text().is_empty() {
        found.add(
            &image,
            Cause::Required,
            "a container needs an image",
            "write the image of the container",
        );
    } else if image.text().trim() != image.text() {
        found.add(
            &image,
            Cause::Invalid,
            "the image has blanks around it",
            format!("write {}", image.text().trim()),
        );
    }
    one_of(
        &container.field("imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
        found,
    );
    one_of(
        &container.field("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
        found,
    );
    env::check(container, found);
    mounts(container, found);
    resources::check(&container.field("resources"), found);
    security::container(&container.field("securityContext"), found);
    probe::check_all(container, role, found);
}

fn ports(container: &At<'_>, host_network: bool, found: &mut Found) {
    let list = container.field("ports");
    let mut names = HashSet::new();
    for port in list.items() {
        let (name, number, host) = (
            port.field("name"),
            port.field("containerPort"),
            port.field("hostPort"),
        );
        let text = name.text().to_owned();
        if !text.is_empty() && !is_port_name(&text) {
            let message = format!(
                "{} is not the name of a port: at most 15 lower-case letters, digits and \"-\", with a letter among them",
                quoted(&text)
            );
            found.add(
                &name,
                Cause::Invalid,
                message,
                suggestion(&as_port_name(&text), "write a shorter name"),
            );
        } else if !text.is_empty() && !names.insert(text.clone()) {
            let message = format!("two ports of the container are called {}", quoted(&text));
            found.add(
                &name,
                Cause::Duplicate,
                message,
                "give each port a name of its own",
            );
        }
        match number.int() {
            None | Some(0) => found.add(
                &number,
                Cause::Required,
                "a port needs a number",
                "write containerPort",
            ),
            Some(_) => port_number(&number, found),
        }
        if host.int().is_some_and(|host| host != 0) {
            port_number(&host, found);
            if host_network && host.int() != number.int() {
                let message = "with hostNetwork the port of the node is the port of the container";
                found.add(
                    &number,
                    Cause::Invalid,
                    message,
                    "write the same number, or remove hostPort",
                );
            }
        }
        one_of(&port.field("protocol"), &["TCP", "UDP", "SCTP"], found);
    }
}

fn taken_host_ports(container: &At<'_>, taken: &mut HashSet<String>, found: &mut Found) {
    let list = container.field("ports");
    for port in list.items() {
        let host = port.field("hostPort");
        let Some(number) = host.int().filter(|number| *number != 0) else {
            continue;
        };
        let protocol = match port.field("protocol").text() {
            "" => "TCP",
            text => text,
        }
        .to_owned();
        let key = format!("{protocol}/{}/{number}", port.field("hostIP").text());
        if !taken.insert(key) {
            let message = format!("port {number} of the node is taken twice in this pod");
            found.add(
                &host,
                Cause::Duplicate,
                message,
                "give each container a port of its own",
            );
        }
    }
}

/// A missing volume, and a mount without a path, have rules of their own.
fn mounts(container: &At<'_>, found: &mut Found) {
    let (list, devices) = (
        container.field("volumeMounts"),
        container.field("volumeDevices"),
    );
    let mut paths: Vec<(String, String)> = Vec::new();
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for mount in list.items() {
        let (path, name) = (mount.field("mountPath"), mount.field("name"));
        let text = path.text().to_owned();
        if name.text().is_empty() {
            found.add(
                &name,
                Cause::Required,
                "a mount names its volume",
                "write the name of the volume",
            );
        }
        if !text.is_empty() {
            if let Some((_, other)) = seen.get(&text).and_then(|at| paths.get(*at)) {
                let message = format!(
                    "{text} is mounted twice in this container, from {other} and from {}",
                    name.text()
                );
                found.add(&path, Cause::Invalid, message, "keep one of the two mounts");
            } else {
                seen.insert(text.clone(), paths.len());
                paths.push((text.clone(), name.text().to_owned()));
            }
        }
        sub_path(&mount, found);
        one_of(
            &mount.field("mountPropagation"),
            &["None", "HostToContainer", "Bidirectional"],
            found,
        );
    }
    let mut device_paths = HashSet::new();
    for device in devices.items() {
        let path = device.field("devicePath");
        let text = path.text().to_owned();
        if text.is_empty() {
            found.add(
                &path,
                Cause::Required,
                "a device needs a path",
                "write devicePath",
            );
        } else if climbs(&text) {
            found.add(
                &path,
                Cause::Invalid,
                "the path must not hold \"..\"",
                "write a path without ..",
            );
        } else if seen.contains_key(&text) || !device_paths.insert(text.clone()) {
            let message = format!("{text} is there twice in this container");
            found.add(
                &path,
                Cause::Invalid,
                message,
                "give the device a path of its own",
            );
        }
    }
}

fn sub_path(mount: &At<'_>, found: &mut Found) {
    let (path, expression) = (mount.field("subPath"), mount.field("subPathExpr"));
    for field in [&path, &expression] {
        let text = field.text();
        if text.starts_with('/') {
            found.add(
                field,
                Cause::Invalid,
                format!("{} must be a relative path", quoted(text)),
                format!("write {}", text.trim_start_matches('/')),
            );
        } else if climbs(text) {
            found.add(
                field,
                Cause::Invalid,
                "the path must not hold \"..\"",
                "write a path without ..",
            );
        }
    }
    if !path.text().is_empty() && !expression.text().is_empty() {
        let message = "subPath and subPathExpr exclude each other";
        found.add(&expression, Cause::Invalid, message, "keep one of the two");
    }
}

/// The seconds that a hook sleeps.
pub(super) fn sleep(at: &At<'_>, found: &mut Found) {
    between(&at.field("seconds"), 0, i64::from(i32::MAX), found);
}
