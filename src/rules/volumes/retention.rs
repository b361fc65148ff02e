//! `spec.persistentVolumeClaimRetentionPolicy` (KEP-1847).

use super::unmounted;
use crate::model::finding::Action;
use crate::model::spelling::is_near;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Set;

/// A word that no API server knows.
pub static UNKNOWN: Rule = Rule {
    id: "retention-policy-unknown",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`whenScaled` or `whenDeleted` is neither `Retain` nor `Delete`.",
        why: "The two fields of `persistentVolumeClaimRetentionPolicy` say what becomes of the claims, and the data on them, when the set is \
              scaled down or deleted. Every API server refuses any other word. Upper and lower case matter.",
        at: &[
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        ],
        example: "\
spec:
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: retain
",
        fix: "Write `Retain`, the default: the claims stay. `Delete` deletes them with their data (see claim-retention-delete).",
        fixed: "\
spec:
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: Retain
",
        ..Docs::BLANK
    },
    check: unknown,
};

fn unknown(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const WORDS: [&str; 2] = ["Retain", "Delete"];
    for (field, word) in fields(context.set) {
        if word.is_empty() || WORDS.contains(&word) {
            continue;
        }
        let meant = WORDS.into_iter().find(|known| is_near(word, known));
        let help = meant.map_or_else(
            || "write Retain (the claims stay) or Delete".to_owned(),
            |meant| format!("write {meant}"),
        );
        violations.push(
            Violation::new(
                pointer(field),
                format!(
                    "{} is unknown, only Retain and Delete are known",
                    quoted(word)
                ),
                help,
            )
            .of(field),
        );
    }
}

/// Claims, and the data on them, that go by themselves.
pub static DELETE: Rule = Rule {
    id: "claim-retention-delete",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`whenScaled` or `whenDeleted` is `Delete`, so data goes without anybody deleting it.",
        why: "By default claims, and the data on them, outlive the pods and the set. With `whenScaled: Delete`, scaling down deletes the \
              claims of the pods that go: also when an autoscaler does it, and all of them when somebody scales to 0 for maintenance. With \
              `whenDeleted: Delete`, deleting the set deletes all claims; operators, `helm --force` and GitOps tools delete sets and make them \
              anew on their own.",
        at: &[
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled",
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted",
        ],
        example: "\
spec:
  persistentVolumeClaimRetentionPolicy:
    whenScaled: Delete
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
        fix: "Leave it at `Retain`, the default, unless the data can be had again: a cache, a build runner. The field can be changed at any \
              time.",
        fixed: "\
spec:
  persistentVolumeClaimRetentionPolicy:
    whenScaled: Retain
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
    check: delete,
};

fn delete(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if unmounted(spec).count() == spec.volume_claim_templates.len() {
        return;
    }
    for (field, word) in fields(context.set) {
        if word != "Delete" {
            continue;
        }
        let message = if field == "whenScaled" {
            "scaling down deletes the claims of the pods that go, with their data"
        } else {
            "deleting the set, to recreate it too, deletes its claims with their data"
        };
        let help = "write Retain, unless the data can be had again";
        violations.push(Violation::new(pointer(field), message, help).of(field));
    }
}

fn fields<'s>(set: &'s Set<'_>) -> [(&'static str, &'s str); 2] {
    let policy = &set.spec.retention_policy;
    [
        ("whenScaled", &policy.when_scaled),
        ("whenDeleted", &policy.when_deleted),
    ]
}

fn pointer(field: &str) -> String {
    format!("/spec/persistentVolumeClaimRetentionPolicy/{field}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, mount, mounting, web_spec};

    const POLICY: &str = "spec.persistentVolumeClaimRetentionPolicy";

    fn set(policy: &Value) -> Value {
        let claim = json!({"metadata": {"name": "data"}});
        let spec = json!({"persistentVolumeClaimRetentionPolicy": policy, "volumeClaimTemplates": [claim]});
        mounting(&mount("data"), &spec)
    }

    #[test]
    fn the_words_are_known() {
        assert_eq!(
            Case::create(set(&json!({"whenScaled": "delete", "whenDeleted": "Keep"})))
                .says(&UNKNOWN),
            [
                format!(
                    "{POLICY}.whenScaled: \"delete\" is unknown, only Retain and Delete are known; write Delete"
                ),
                format!(
                    "{POLICY}.whenDeleted: \"Keep\" is unknown, only Retain and Delete are known; write Retain (the claims stay) or Delete"
                ),
            ]
        );
        for policy in [
            json!(null),
            json!({}),
            json!({"whenScaled": "", "whenDeleted": "Retain"}),
        ] {
            assert!(!fires(&UNKNOWN, set(&policy)), "{policy}");
        }
    }

    #[test]
    fn data_does_not_go_by_itself() {
        let help = "write Retain, unless the data can be had again";
        assert_eq!(
            Case::create(set(
                &json!({"whenScaled": "Delete", "whenDeleted": "Delete"})
            ))
            .says(&DELETE),
            [
                format!(
                    "{POLICY}.whenScaled: scaling down deletes the claims of the pods that go, with their data; {help}"
                ),
                format!(
                    "{POLICY}.whenDeleted: deleting the set, to recreate it too, deletes its claims with their data; {help}"
                ),
            ]
        );
        assert!(!fires(&DELETE, set(&json!({"whenScaled": "Retain"}))));
        let without_claims =
            json!({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}});
        assert!(!fires(&DELETE, web_spec(&without_claims)));
    }
}
