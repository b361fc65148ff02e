//! Claims and volumes by themselves.

use std::collections::HashSet;

use crate::model::finding::Action;
use crate::model::name::is_dns_label;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// Two claims of one name.
pub static DUPLICATE_NAME: Rule = Rule {
    id: "claim-duplicate-name",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "Two entries of `volumeClaimTemplates` have one name.",
        why: "Each pod gets one claim, that is one disk, for every entry, and mounts find it by its name. Every API server accepts two of one \
              name, but one of them is lost: pods get a single disk of that name.",
        at: &["spec.volumeClaimTemplates[N].metadata.name"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Give each claim a name of its own, and mount both; or remove one.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: logs, mountPath: /logs}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
    - metadata: {name: logs}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        ..Docs::BLANK
    },
    check: duplicate_name,
};

fn duplicate_name(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let claims = &context.set.spec.volume_claim_templates;
    let mut before: HashSet<&str> = HashSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let name = &claim.metadata.name;
        if !before.insert(name) {
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
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A claim's name is not a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        why: "The name of a claim in `volumeClaimTemplates` becomes the name of a volume in every pod, and those are DNS labels. From 1.34 the \
              API server refuses the set; before, it accepts the set and no pod can be created.",
        at: &["spec.volumeClaimTemplates[N].metadata.name"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: my_data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: my_data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Use lower-case letters, digits and `-`, at most 63 of them, in the claim and in `volumeMounts`.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: my-data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: my-data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        ..Docs::BLANK
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
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A volume's name is not a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        why: "From 1.34 the API server refuses the set; before, it accepts the set and no pod can be created.",
        at: &["spec.template.spec.volumes[N].name"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: my_config, mountPath: /config}
      volumes:
        - name: my_config
          configMap: {name: web}
",
        fix: "Use lower-case letters, digits and `-`, at most 63 of them, in `volumes` and in `volumeMounts`.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: my-config, mountPath: /config}
      volumes:
        - name: my-config
          configMap: {name: web}
",
        ..Docs::BLANK
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
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A claim has no `accessModes` or no `resources.requests.storage`.",
        why: "A claim asks for a disk, and must say how it is mounted and how large it is. From 1.34 the API server refuses a new set without; \
              before, it accepts the set, no claim can be created, and so no pod.\n\n\
              When a set is created, steadyset fills in what is missing from the policy (`ReadWriteOnce`, 1Gi), so the finding is seen only \
              where it may not, as here.",
        at: &["spec.volumeClaimTemplates[N].spec"],
        example: "\
metadata:
  annotations:
    steadyset.io/inject: none
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
",
        fix: "Write both. `ReadWriteOnce` is right for nearly every set, however many replicas it has: each pod has a claim of its own.",
        fixed: "\
metadata:
  annotations:
    steadyset.io/inject: none
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        ..Docs::BLANK
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
