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
          {name: c0, image: a}, {name: c1, image: a}, {name: c2, image: a}, {name: c3, image: a}, {name: c4, image: a},
          {name: c5, image: a}, {name: c6, image: a}, {name: c7, image: a}, {name: c8, image: a}, {name: c9, image: a},
          {name: c10, image: a}, {name: c11, image: a}, {name: c12, image: a}, {name: c13, image: a}, {name: c14, image: a},
          {name: c15, image: a}, {name: c16, image: a}, {name: c17, image: a}, {name: c18, image: a}, {name: c19, image: a},
          {name: c20, image: a}, {name: c21, image: a}, {name: c22, image: a}, {name: c23, image: a}, {name: c24, image: a},
          {name: c25, image: a}, {name: c26, image: a}, {name: c27, image: a}, {name: c28, image: a}, {name: c29, image: a},
          {name: c30, image: a}, {name: c31, image: a}, {name: c32, image: a}, {name: c33, image: a}, {name: c34, image: a},
          {name: c35, image: a}, {name: c36, image: a}, {name: c37, image: a}, {name: c38, image: a}, {name: c39, image: a},
          {name: c40, image: a}, {name: c41, image: a}, {name: c42, image: a}, {name: c43, image: a}, {name: c44, image: a},
          {name: c45, image: a}, {name: c46, image: a}, {name: c47, image: a}, {name: c48, image: a}, {name: c49, image: a},
          {name: c50, image: a}, {name: c51, image: a}, {name: c52, image: a}, {name: c53, image: a}, {name: c54, image: a},
          {name: c55, image: a}, {name: c56, image: a}, {name: c57, image: a}, {name: c58, image: a}, {name: c59, image: a},
          {name: c60, image: a}, {name: c61, image: a}, {name: c62, image: a}, {name: c63, image: a}, {name: c64, image: a},
          {name: c65, image: a}, {name: c66, image: a}, {name: c67, image: a}, {name: c68, image: a}, {name: c69, image: a},
          {name: c70, image: a}, {name: c71, image: a}, {name: c72, image: a}, {name: c73, image: a}, {name: c74, image: a},
          {name: c75, image: a}, {name: c76, image: a}, {name: c77, image: a}, {name: c78, image: a}, {name: c79, image: a},
          {name: c80, image: a}, {name: c81, image: a}, {name: c82, image: a}, {name: c83, image: a}, {name: c84, image: a},
          {name: c85, image: a}, {name: c86, image: a}, {name: c87, image: a}, {name: c88, image: a}, {name: c89, image: a},
          {name: c90, image: a}, {name: c91, image: a}, {name: c92, image: a}, {name: c93, image: a}, {name: c94, image: a},
          {name: c95, image: a}, {name: c96, image: a}, {name: c97, image: a}, {name: c98, image: a}, {name: c99, image: a},
          {name: c100, image: a}, {name: c101, image: a}, {name: c102, image: a}, {name: c103, image: a}, {name: c104, image: a},
          {name: c105, image: a}, {name: c106, image: a}, {name: c107, image: a}, {name: c108, image: a}, {name: c109, image: a},
          {name: c110, image: a}, {name: c111, image: a}, {name: c112, image: a}, {name: c113, image: a}, {name: c114, image: a},
          {name: c115, image: a}, {name: c116, image: a}, {name: c117, image: a}, {name: c118, image: a}, {name: c119, image: a},
          {name: c120, image: a}, {name: c121, image: a}, {name: c122, image: a}, {name: c123, image: a}, {name: c124, image: a},
          {name: c125, image: a}, {name: c126, image: a}, {name: c127, image: a}, {name: c128, image: a}, {name: c129, image: a},
          {name: c130, image: a}, {name: c131, image: a}, {name: c132, image: a}, {name: c133, image: a}, {name: c134, image: a},
          {name: c135, image: a}, {name: c136, image: a}, {name: c137, image: a}, {name: c138, image: a}, {name: c139, image: a},
          {name: c140, image: a}, {name: c141, image: a}, {name: c142, image: a}, {name: c143, image: a}, {name: c144, image: a},
          {name: c145, image: a}, {name: c146, image: a}, {name: c147, image: a}, {name: c148, image: a}, {name: c149, image: a},
          {name: c150, image: a}, {name: c151, image: a}, {name: c152, image: a}, {name: c153, image: a}, {name: c154, image: a},
          {name: c155, image: a}, {name: c156, image: a}, {name: c157, image: a}, {name: c158, image: a}, {name: c159, image: a},
          {name: c160, image: a}, {name: c161, image: a}, {name: c162, image: a}, {name: c163, image: a}, {name: c164, image: a},
          {name: c165, image: a}, {name: c166, image: a}, {name: c167, image: a}, {name: c168, image: a}, {name: c169, image: a},
          {name: c170, image: a}, {name: c171, image: a}, {name: c172, image: a}, {name: c173, image: a}, {name: c174, image: a},
          {name: c175, image: a}, {name: c176, image: a}, {name: c177, image: a}, {name: c178, image: a}, {name: c179, image: a},
          {name: c180, image: a}, {name: c181, image: a}, {name: c182, image: a}, {name: c183, image: a}, {name: c184, image: a},
          {name: c185, image: a}, {name: c186, image: a}, {name: c187, image: a}, {name: c188, image: a}, {name: c189, image: a},
          {name: c190, image: a}, {name: c191, image: a}, {name: c192, image: a}, {name: c193, image: a}, {name: c194, image: a},
          {name: c195, image: a}, {name: c196, image: a}, {name: c197, image: a}, {name: c198, image: a}, {name: c199, image: a},
          {name: c200, image: a}, {name: c201, image: a}, {name: c202, image: a}, {name: c203, image: a}, {name: c204, image: a},
          {name: c205, image: a}, {name: c206, image: a}, {name: c207, image: a}, {name: c208, image: a}, {name: c209, image: a},
          {name: c210, image: a}, {name: c211, image: a}, {name: c212, image: a}, {name: c213, image: a}, {name: c214, image: a},
          {name: c215, image: a}, {name: c216, image: a}, {name: c217, image: a}, {name: c218, image: a}, {name: c219, image: a},
          {name: c220, image: a}, {name: c221, image: a}, {name: c222, image: a}, {name: c223, image: a}, {name: c224, image: a},
          {name: c225, image: a}, {name: c226, image: a}, {name: c227, image: a}, {name: c228, image: a}, {name: c229, image: a},
          {name: c230, image: a}, {name: c231, image: a}, {name: c232, image: a}, {name: c233, image: a}, {name: c234, image: a},
          {name: c235, image: a}, {name: c236, image: a}, {name: c237, image: a}, {name: c238, image: a}, {name: c239, image: a},
          {name: c240, image: a}, {name: c241, image: a}, {name: c242, image: a}, {name: c243, image: a}, {name: c244, image: a},
          {name: c245, image: a}, {name: c246, image: a}, {name: c247, image: a}, {name: c248, image: a}, {name: c249, image: a},
          {name: c250, image: a}, {name: c251, image: a}, {name: c252, image: a}, {name: c253, image: a}, {name: c254, image: a},
          {name: c255, image: a}, {name: c256, image: a},
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
