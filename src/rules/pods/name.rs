//! How long a set's name may be.
//!
//! Each pod carries the label `controller-revision-hash`: the set's name, `-`, and the FNV-1 hash of its template as a
//! decimal number of 32 bits (`HashControllerRevision` and `ControllerRevisionName` in the controller), and a label's value has
//! at most 63 characters. So what fits depends on the template: of all numbers 23 % have nine digits or fewer, 2.3 % eight
//! or fewer, 0.23 % seven or fewer. Issue kubernetes/kubernetes#64023.

use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::Operation;

const POINTER: &str = "/metadata/name";

/// The longest value of a label (`LabelValueMaxLength` in kubernetes/apimachinery).
const LABEL: usize = 63;

/// The longest name that is safe: `-` and ten digits still fit.
const SAFE: usize = LABEL - 11;

/// A name with which hardly any pod, or none, can be created.
pub static TOO_LONG: Rule = Rule {
    id: "name-too-long",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The name of a new set is so long that hardly any pod of it can be created.",
        why: "The API server accepts the set. But each pod gets the label `controller-revision-hash`: the set's name, `-` and a number of \
              usually 10 digits that depends on the pod template, and a label has 63 characters at most. With a name of 54 characters one \
              template in 43 gets pods, with 55 one in 429, with 62 none; each change of the template draws again.\n\n\
              The name of a pod (`NAME-ORDINAL`) is a label too, which a large `ordinals.start` makes too long.",
        at: &["metadata.name"],
        example: "\
metadata:
  name: release-name-that-is-long-with-a-chart-name-in-it-primary
",
        fix: "Use at most 52 characters. With Helm: a shorter release name, or `fullnameOverride`. A set that exists cannot be renamed.",
        fixed: "\
metadata:
  name: release-chart-primary
",
        ..Docs::BLANK
    },
    check: too_long,
};

fn too_long(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(length) = length_of_new(context) else {
        return;
    };
    let get = match length {
        54 => "one template in 43 gets",
        55 => "one template in 429 gets",
        56..=61 => "hardly any template gets",
        62.. => "no template gets",
        _ => return long_pod_name(context, length, violations),
    };
    violations.push(Violation::new(
        POINTER,
        format!("with {length} characters {get} pods: their label controller-revision-hash adds up to 11 and has 63 at most"),
        format!("use at most {SAFE}"),
    ));
}

/// The label `statefulset.kubernetes.io/pod-name`, where a large `ordinals.start` makes it too long.
fn long_pod_name(context: &Context<'_>, length: usize, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let others = spec.replicas().max(1) - 1;
    let last = spec.ordinals.start.saturating_add(others).to_string();
    let longest = length + 1 + last.len();
    if longest > LABEL {
        violations.push(Violation::new(
            POINTER,
            format!("the name of pod {last} has {longest} characters, and it is a label, which has {LABEL} at most"),
            format!("use at most {SAFE}"),
        ));
    }
}

/// A name with which most templates get no pods.
pub static NEAR_LIMIT: Rule = Rule {
    id: "name-near-limit",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The name of a new set has 53 characters, one too many for most pod templates.",
        why: "Each pod gets the label `controller-revision-hash`: the set's name, `-` and a number that depends on the pod template, and a \
              label has 63 characters at most. Three numbers in four have 10 digits, and that is one character too many. So the set may work \
              today, and the next change of the template stops the rollout: the old pod is deleted, and the new one cannot be created.",
        at: &["metadata.name"],
        example: "\
metadata:
  name: release-name-that-is-long-with-a-chart-name-inside-it
",
        fix: "Use at most 52 characters. A set that exists cannot be renamed.",
        fixed: "\
metadata:
  name: release-chart-primary
",
        ..Docs::BLANK
    },
    check: near_limit,
};

fn near_limit(context: &Context<'_>, violations: &mut Vec<Violation>) {
    if length_of_new(context) == Some(SAFE + 1) {
        violations.push(Violation::new(
            POINTER,
            "with 53 characters one template in four gets pods, and each change of it draws again",
            format!("use at most {SAFE}"),
        ));
    }
}

/// The length of the name that a set is created with; one that exists keeps its name, and is not told of it.
fn length_of_new(context: &Context<'_>) -> Option<usize> {
    let name = &context.set.metadata.name;
    (context.operation == Operation::Create).then(|| name.chars().count())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web};

    fn named(length: usize, spec: &Value) -> Value {
        web(&json!({"metadata": {"name": "n".repeat(length)}, "spec": spec}))
    }

    #[test]
    fn a_name_leaves_room_for_the_hash() {
        let says = |length| Case::create(named(length, &json!({}))).says(&TOO_LONG);
        for (length, get) in [
            (54, "one template in 43 gets"),
            (55, "one template in 429 gets"),
            (56, "hardly any template gets"),
            (61, "hardly any template gets"),
            (62, "no template gets"),
            (63, "no template gets"),
            (253, "no template gets"),
        ] {
            assert_eq!(
                says(length),
                [format!(
                    "metadata.name: with {length} characters {get} pods: their label controller-revision-hash adds up to 11 and has 63 at most; \
                     use at most 52"
                )]
            );
        }
        for length in [0, 1, 52, 53] {
            assert!(says(length).is_empty(), "{length}");
        }
    }

    #[test]
    fn just_above_the_limit_it_depends_on_the_template() {
        let near = |length| Case::create(named(length, &json!({}))).says(&NEAR_LIMIT);
        assert_eq!(
            near(53),
            [
                "metadata.name: with 53 characters one template in four gets pods, and each change of it draws again; use at most 52"
            ]
        );
        assert!(near(52).is_empty());
        assert!(near(54).is_empty(), "name-too-long says it");
    }

    #[test]
    fn a_pods_name_is_a_label_too() {
        let numbered = |start: i64, replicas: i64| {
            named(
                53,
                &json!({"replicas": replicas, "ordinals": {"start": start}}),
            )
        };
        assert_eq!(
            Case::create(numbered(999_999_999, 2)).says(&TOO_LONG),
            [
                "metadata.name: the name of pod 1000000000 has 64 characters, and it is a label, which has 63 at most; use at most 52"
            ]
        );
        for (start, replicas) in [(999_999_999, 1), (999_999_999, 0), (0, 1_000_000_000)] {
            assert!(
                !fires(&TOO_LONG, numbered(start, replicas)),
                "{start} {replicas}"
            );
        }
    }

    #[test]
    fn a_set_that_exists_keeps_its_name() {
        for (rule, length) in [(&TOO_LONG, 63), (&NEAR_LIMIT, 53)] {
            let set = |replicas: i64| named(length, &json!({"replicas": replicas}));
            assert!(
                Case::update(set(1), set(2)).says(rule).is_empty(),
                "{length}"
            );
        }
    }
}
