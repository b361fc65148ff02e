//! Claims and volumes by themselves.

use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation, is_dns_label, quoted};

/// Two claims of one name.
pub static DUPLICATE_NAME: Rule = Rule {
    id: "claim-duplicate-name",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "Two entries of `volumeClaimTemplates` have one name.",
        why: "Every API server accepts it. One of the two is lost: pods get a single disk of that name.",
        example: "spec:\n  volumeClaimTemplates:\n    - metadata: {name: data}\n    - metadata: {name: data}\n",
        fix: "Give each claim a name of its own, and mount both.",
    },
    check: duplicate_name,
};

fn duplicate_name(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let claims = &context.set.spec.volume_claim_templates;
    for (index, claim) in claims.iter().enumerate() {
        let name = &claim.metadata.name;
        let mut before = claims.iter().take(index);
        if before.any(|other| other.metadata.name == *name) {
            violations.push(
                Violation::new(
                    format!("/spec/volumeClaimTemplates/{index}/metadata/name"),
                    format!(
                        "an earlier claim is called {} too, and one of them is lost",
                        quoted(name)
                    ),
                    "give each claim a name of its own",
                )
                .of(&**name),
            );
        }
    }
}

/// A claim's name, which becomes a volume's name.
pub static NAME_INVALID: Rule = Rule {
    id: "claim-name-invalid",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    docs: Docs {
        what: "A claim's name is not a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        why: "The name becomes a volume's name in every pod. From 1.34 the API server refuses the set; before, no pod can be created.",
        example: "spec:\n  volumeClaimTemplates:\n    - metadata: {name: my_data}\n",
        fix: "Use lower-case letters, digits and `-`, at most 63 of them.",
    },
    check: claim_name_invalid,
};

fn claim_name_invalid(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let claims = context.set.spec.volume_claim_templates.iter().enumerate();
    violations.extend(claims.filter_map(|(index, claim)| {
        let pointer = format!("/spec/volumeClaimTemplates/{index}/metadata/name");
        bad_name(&claim.metadata.name, pointer)
    }));
}

/// The name of a volume of the template.
pub static VOLUME_NAME_INVALID: Rule = Rule {
    id: "volume-name-invalid",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    docs: Docs {
        what: "A volume's name is not a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        why: "From 1.34 the API server refuses the set; before, no pod can be created.",
        example: "spec:\n  template:\n    spec:\n      volumes:\n        - name: my_config\n          configMap: {name: web}\n",
        fix: "Use lower-case letters, digits and `-`, at most 63 of them, and the same name in `volumeMounts`.",
    },
    check: volume_name_invalid,
};

fn volume_name_invalid(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let volumes = context.set.spec.template.spec.volumes.iter().enumerate();
    violations.extend(volumes.filter_map(|(index, volume)| {
        let pointer = format!("/spec/template/spec/volumes/{index}/name");
        bad_name(&volume.name, pointer)
    }));
}

fn bad_name(name: &str, pointer: String) -> Option<Violation> {
    if is_dns_label(name) {
        return None;
    }
    let message = if name.is_empty() {
        "there is no name".to_owned()
    } else {
        format!("{} is no DNS label", quoted(name))
    };
    let help = "use lower-case letters, digits and \"-\", at most 63";
    Some(Violation::new(pointer, message, help).of(name))
}

/// A claim without access modes or size (kubernetes/kubernetes#132212 for the server's own check).
pub static INCOMPLETE: Rule = Rule {
    id: "claim-incomplete",
    action: Action::Deny,
    builtin: Builtin::OnCreateSince(34),
    early: false,
    docs: Docs {
        what: "A claim has no `accessModes` or no `resources.requests.storage`.",
        why: "From 1.34 the API server refuses a new set with it; before, no claim can be created, and so no pod.",
        example: "spec:\n  volumeClaimTemplates:\n    - metadata: {name: data}\n      spec: {}\n",
        fix: "Write both: `accessModes: [ReadWriteOnce]` and `resources: {requests: {storage: 10Gi}}`.",
    },
    check: incomplete,
};

fn incomplete(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const MODES: &str = "accessModes: [ReadWriteOnce]";
    const SIZE: &str = "resources: {requests: {storage: 10Gi}}";
    for (index, claim) in context.set.spec.volume_claim_templates.iter().enumerate() {
        let (lacks, help) = match (claim.has_access_modes(), claim.has_storage_request()) {
            (true, true) => continue,
            (false, true) => ("no access mode", format!("write {MODES}")),
            (true, false) => ("no size", format!("write {SIZE}")),
            (false, false) => (
                "no access mode and no size",
                format!("write {MODES} and {SIZE}"),
            ),
        };
        let name = &*claim.metadata.name;
        violations.push(
            Violation::new(
                format!("/spec/volumeClaimTemplates/{index}/spec"),
                format!("the claim {} has {lacks}", quoted(name)),
                help,
            )
            .of(name),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn claims(claims: &Value) -> Value {
        web_spec(&json!({"volumeClaimTemplates": claims}))
    }

    #[test]
    fn names_are_different() {
        let named = |name| json!({"metadata": {"name": name}});
        assert_eq!(
            Case::create(claims(&json!([named("a"), named("b"), named("a")])))
                .says(&DUPLICATE_NAME),
            [
                "spec.volumeClaimTemplates[2].metadata.name: an earlier claim is called \"a\" too, and one of them is lost; \
                 give each claim a name of its own"
            ]
        );
        assert!(!fires(
            &DUPLICATE_NAME,
            claims(&json!([named("a"), named("b")]))
        ));
    }

    #[test]
    fn names_are_dns_labels() {
        for (name, message) in [
            ("D_x", "\"D_x\" is no DNS label"),
            ("a.b", "\"a.b\" is no DNS label"),
            ("", "there is no name"),
        ] {
            let line = format!("{message}; use lower-case letters, digits and \"-\", at most 63");
            assert_eq!(
                Case::create(claims(&json!([{"metadata": {"name": name}}]))).says(&NAME_INVALID),
                [format!(
                    "spec.volumeClaimTemplates[0].metadata.name: {line}"
                )]
            );
            let volume =
                json!({"template": {"spec": {"volumes": [{"name": name, "emptyDir": {}}]}}});
            assert_eq!(
                Case::create(web_spec(&volume)).says(&VOLUME_NAME_INVALID),
                [format!("spec.template.spec.volumes[0].name: {line}")]
            );
        }
        for name in ["data", "1", &"a".repeat(63)] {
            let set = claims(&json!([{"metadata": {"name": name}}]));
            assert!(!fires(&NAME_INVALID, set), "{name}");
        }
    }

    #[test]
    fn a_claim_says_modes_and_size() {
        let modes = json!({"accessModes": ["ReadWriteOnce"]});
        let size = json!({"resources": {"requests": {"storage": "1Gi"}}});
        for (spec, line) in [
            (
                &modes,
                "no size; write resources: {requests: {storage: 10Gi}}",
            ),
            (&size, "no access mode; write accessModes: [ReadWriteOnce]"),
            (
                &json!(null),
                "no access mode and no size; write accessModes: [ReadWriteOnce] and resources: {requests: {storage: 10Gi}}",
            ),
        ] {
            let set = claims(&json!([{"metadata": {"name": "data"}, "spec": spec}]));
            assert_eq!(
                Case::create(set).says(&INCOMPLETE),
                [format!(
                    "spec.volumeClaimTemplates[0].spec: the claim \"data\" has {line}"
                )]
            );
        }
        let mut whole = modes.clone();
        json_patch::merge(&mut whole, &size);
        assert!(!fires(&INCOMPLETE, claims(&json!([{"spec": whole}]))));
    }
}
