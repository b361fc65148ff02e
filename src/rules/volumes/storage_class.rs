//! The storage class of claims.

use crate::cluster_view::Lookup;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A class that the cluster does not have.
pub static MISSING: Rule = Rule {
    id: "storage-class-missing",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A claim names a StorageClass that does not exist, or none, and the cluster has no default class.",
        why: "A StorageClass says who makes the disk for a claim. Without one nobody does, so the claim and its pod stay Pending until \
              somebody makes a volume of that class by hand. `storageClassName: \"\"` says that this is what you want, and is not reported.\n\n\
              Where the classes of the cluster are not known, the rule is silent.",
        at: &[
            "spec.volumeClaimTemplates[N].spec",
            "spec.volumeClaimTemplates[N].spec.storageClassName",
        ],
        cluster: "\
kind: StorageClass
metadata: {name: standard}
provisioner: disk.example
",
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
        storageClassName: fast
",
        fix: "Name a class that `kubectl get storageclass` lists, or mark one there as the default and name none.",
        fixed: "\
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
        storageClassName: standard
",
        ..Docs::BLANK
    },
    check: missing,
};

fn missing(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const HELP: &str = "name one that kubectl get storageclass lists";
    for (index, claim) in context.set.spec.volume_claim_templates.iter().enumerate() {
        let spec = claim.spec.as_ref();
        let class = spec.and_then(|spec| spec.storage_class_name.as_deref());
        let pointer = format!("/spec/volumeClaimTemplates/{index}/spec");
        let violation = match class {
            Some("") => continue,
            Some(class) if context.cluster.storage_class(class) == Lookup::Absent => {
                Violation::new(
                    format!("{pointer}/storageClassName"),
                    format!(
                        "the cluster has no StorageClass {}: claims wait for volumes made by hand",
                        quoted(class)
                    ),
                    HELP,
                )
            }
            None if context.cluster.default_storage_class() == Lookup::Absent => Violation::new(
                pointer,
                "no StorageClass is named, and the cluster has no default: claims wait for volumes made by hand",
                HELP,
            ),
            _ => continue,
        };
        violations.push(violation.of(&*claim.metadata.name));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, web_spec};

    fn says(class: &Value, world: World) -> Vec<String> {
        let claim = json!({"metadata": {"name": "data"}, "spec": {"storageClassName": class}});
        let set = web_spec(&json!({"volumeClaimTemplates": [claim]}));
        Case::create(set).among(world).says(&MISSING)
    }

    fn world(default_class: bool) -> World {
        World {
            classes: Some(vec!["slow"]),
            default_class: Some(default_class),
            ..World::default()
        }
    }

    #[test]
    fn the_class_exists() {
        let rest =
            "claims wait for volumes made by hand; name one that kubectl get storageclass lists";
        assert_eq!(
            says(&json!("fast"), world(true)),
            [format!(
                "spec.volumeClaimTemplates[0].spec.storageClassName: the cluster has no StorageClass \"fast\": {rest}"
            )]
        );
        assert_eq!(
            says(&json!(null), world(false)),
            [format!(
                "spec.volumeClaimTemplates[0].spec: no StorageClass is named, and the cluster has no default: {rest}"
            )]
        );
        for (class, world) in [
            (json!("slow"), world(false)),
            (json!(null), world(true)),
            (json!(""), world(false)),
            (json!("fast"), World::default()),
            (json!(null), World::default()),
        ] {
            assert!(says(&class, world).is_empty(), "{class}");
        }
    }
}
