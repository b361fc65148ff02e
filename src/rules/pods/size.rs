//! How large a set may be. The API server takes what etcd takes, 1.5 MiB; each pod of such a set is that large too.

use crate::model::finding::Action;
use crate::model::text::grouped;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Set;

/// A set with more containers, mounts or claims than any real one has.
pub static TOO_LARGE: Rule = Rule {
    id: "set-too-large",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A set has more than 256 containers, 2,000 mounts or 1,000 claims.",
        why: "The API server accepts a set of up to about 1.5 MiB, and then writes an object of that size for every pod. No node can run a \
              pod of so many containers (a node runs 110 pods by default), and no real set comes near these numbers: most often a template \
              repeats a block by mistake.\n\n\
              Such a set is also one that someone may write to keep an admission webhook busy. steadyset does not add anything to it and \
              does not look up similar names. All other rules still run. A set that is stored already is only warned of.",
        at: &[
            "spec.template.spec.containers",
            "spec.template.spec",
            "spec.volumeClaimTemplates",
        ],
        example: EXAMPLE,
        fix: "Remove what is there by mistake, or divide the set into several.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
",
        ..Docs::BLANK
    },
    check: too_large,
};

/// A list of 257 containers.
const EXAMPLE: &str = "\
spec:
  template:
    spec:
      containers:
        [
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
          {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a}, {image: a},
        ]
";

fn too_large(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let before = context.old.map(Set::excesses).unwrap_or_default();
    for excess in context.set.excesses() {
        let noun = excess.noun();
        let violation = Violation::new(
            excess.pointer(),
            format!(
                "the set has {excess}, more than {}: nothing is added to it",
                grouped(excess.limit())
            ),
            format!("remove {noun} that are there by mistake, or divide the set"),
        );
        let is_stored = before.iter().any(|before| before.noun() == noun);
        violations.push(if is_stored {
            // Refused, a set that is stored could not be changed any more. Another subject than that of the stored set, which
            // would hide it.
            violation.of(format!("stored {noun}")).warns_at_most()
        } else {
            violation.of(noun)
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::finding::Phase;
    use crate::rules::testing::{Case, fires, web_spec};
    use crate::statefulset::size::{MAX_CLAIMS, MAX_CONTAINERS, MAX_MOUNTS};

    fn containers(count: usize) -> Value {
        let container =
            |index| json!({"name": format!("c{index}"), "image": "registry.example/c:1"});
        let all: Vec<Value> = (0..count).map(container).collect();
        web_spec(&json!({"template": {"spec": {"containers": all}}}))
    }

    fn mounts(count: usize) -> Value {
        let mount = |index| json!({"name": "data", "mountPath": format!("/{index}")});
        let device = json!({"name": "disk", "devicePath": "/dev/xvda"});
        let all: Vec<Value> = (1..count).map(mount).collect();
        let init = json!([{"name": "init", "volumeMounts": all, "volumeDevices": [device]}]);
        web_spec(&json!({"template": {"spec": {"initContainers": init}}}))
    }

    fn claims(count: usize) -> Value {
        let claim = |index| json!({"metadata": {"name": format!("c{index}")}});
        let all: Vec<Value> = (0..count).map(claim).collect();
        web_spec(&json!({"volumeClaimTemplates": all}))
    }

    #[test]
    fn what_is_at_the_limit_is_not_too_large() {
        for set in [
            containers(MAX_CONTAINERS),
            mounts(MAX_MOUNTS),
            claims(MAX_CLAIMS),
        ] {
            assert!(!fires(&TOO_LARGE, set));
        }
    }

    #[test]
    fn what_is_above_is_named_with_its_number() {
        let help = |noun| format!("remove {noun} that are there by mistake, or divide the set");
        for (set, field, size, limit, noun) in [
            (
                containers(257),
                "spec.template.spec.containers",
                "257",
                "256",
                "containers",
            ),
            (
                mounts(2_001),
                "spec.template.spec",
                "2,001",
                "2,000",
                "mounts",
            ),
            (
                claims(1_001),
                "spec.volumeClaimTemplates",
                "1,001",
                "1,000",
                "claims",
            ),
        ] {
            for phase in [Phase::Mutate, Phase::Validate, Phase::File] {
                assert_eq!(
                    Case::create(set.clone()).at(phase).says(&TOO_LARGE),
                    [format!(
                        "{field}: the set has {size} {noun}, more than {limit}: nothing is added to it; {}",
                        help(noun)
                    )]
                );
            }
        }
    }

    #[test]
    fn a_stored_one_is_only_warned_of_and_one_that_becomes_so_is_denied() {
        let action = |old, new| {
            let violations = Case::update(old, new).violations(&TOO_LARGE);
            violations.first().map(|violation| violation.action)
        };
        assert_eq!(
            action(containers(300), containers(299)),
            Some(Some(Action::Warn))
        );
        assert_eq!(action(containers(256), containers(257)), Some(None));
        assert_eq!(
            action(claims(1_001), containers(257)),
            Some(None),
            "another list"
        );
        assert_eq!(action(containers(300), containers(256)), None);
    }
}
