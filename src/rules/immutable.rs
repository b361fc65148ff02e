//! Changes of what a set keeps for life.

use crate::change::immutable::{Change, Field};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// The API server refuses the write by itself, and operators act on its 422: this only adds what to do.
pub static FIELD_CHANGE: Rule = Rule {
    id: "immutable-field-change",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: true,
    may_deny: false,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "An update changes `serviceName`, `selector`, `podManagementPolicy` or `volumeClaimTemplates`.",
        why: "A set keeps these four for life. The API server refuses the update by itself; up to 1.36 its error names the fields that may \
              change, not the one that did. Operators and GitOps tools act on that very error, so this rule never refuses anything: it adds a warning \
              that names the field and says how to make the change.",
        server: "refuses the update by itself",
        at: &[
            "spec.podManagementPolicy",
            "spec.serviceName",
            "spec.selector",
            "spec.volumeClaimTemplates",
        ],
        stored: "\
spec:
  podManagementPolicy: OrderedReady
",
        example: "\
spec:
  podManagementPolicy: Parallel
",
        fix: "Make the set anew around its pods, which keep running:\n\n\
              ```sh\n\
              kubectl delete statefulset web --cascade=orphan\n\
              kubectl apply -f web.yaml\n\
              ```\n\n\
              What is left to do depends on the field:\n\n\
              * `podManagementPolicy`: nothing\n\
              * `serviceName`: `kubectl rollout restart statefulset web`. Keep the old Service until that is done, as each pod keeps its old \
              DNS name until it restarts\n\
              * `volumeClaimTemplates`, a claim was added: delete the pods one by one, each time waiting until the new one is Ready\n\
              * `volumeClaimTemplates`, only a size changed: `kubectl patch pvc` for each claim, as existing claims keep their size\n\
              * `selector`: delete the old pods. The new set does not adopt them, and they block the names without any event",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let name = &*context.set.metadata.name;
    violations.extend(context.changes.iter().map(|change| {
        let (pointer, then) = recipe(change, name);
        Violation::new(
            pointer,
            format!(
                "{} cannot become {} in a set that exists",
                quoted(&change.old),
                quoted(&change.new)
            ),
            format!("kubectl delete statefulset {name} --cascade=orphan, apply again{then}"),
        )
    }));
}

/// The field, and what is left to do once the set is made anew around its pods.
fn recipe(change: &Change, set: &str) -> (&'static str, String) {
    const CLAIMS: &str = "/spec/volumeClaimTemplates";
    match change.field {
        Field::PodManagementPolicy => ("/spec/podManagementPolicy", String::new()),
        Field::ServiceName => (
            "/spec/serviceName",
            format!(
                ", kubectl rollout restart statefulset {set}; keep Service {} until that is done",
                quoted(&change.old)
            ),
        ),
        Field::Selector => (
            "/spec/selector",
            ", then delete the old pods: they are not adopted and block the names".to_owned(),
        ),
        Field::ClaimNames => (
            CLAIMS,
            ", then delete the pods one by one, each time waiting for Ready".to_owned(),
        ),
        Field::ClaimSize => (
            CLAIMS,
            ", then kubectl patch pvc for each claim: existing ones keep their size".to_owned(),
        ),
        Field::Claim => (CLAIMS, "; claims that exist stay as they are".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Phase;
    use super::super::testing::{Case, web_spec};
    use super::*;

    #[test]
    fn each_field_has_its_recipe() {
        let claims = |claims| json!({"volumeClaimTemplates": claims});
        let sized = |size| json!({"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}});
        let delete = "kubectl delete statefulset web --cascade=orphan, apply again";
        for (old, new, expected) in [
            (
                json!({"podManagementPolicy": "OrderedReady"}),
                json!({"podManagementPolicy": "Parallel"}),
                format!(
                    "spec.podManagementPolicy: \"OrderedReady\" cannot become \"Parallel\" in a set that exists; {delete}"
                ),
            ),
            (
                json!({"serviceName": "a"}),
                json!({"serviceName": "b"}),
                format!(
                    "spec.serviceName: \"a\" cannot become \"b\" in a set that exists; {delete}, \
                         kubectl rollout restart statefulset web; keep Service \"a\" until that is done"
                ),
            ),
            (
                json!({"selector": {"matchLabels": {"app": "web"}}}),
                json!({"selector": {"matchLabels": {"app": "shop"}}}),
                format!(
                    "spec.selector: \"app=web\" cannot become \"app=shop\" in a set that exists; {delete}, \
                         then delete the old pods: they are not adopted and block the names"
                ),
            ),
            (
                json!({}),
                claims(json!([sized("1Gi")])),
                format!(
                    "spec.volumeClaimTemplates: \"\" cannot become \"data\" in a set that exists; {delete}, \
                         then delete the pods one by one, each time waiting for Ready"
                ),
            ),
            (
                claims(json!([sized("1Gi")])),
                claims(json!([sized("2Gi")])),
                format!(
                    "spec.volumeClaimTemplates: \"data 1Gi\" cannot become \"2Gi\" in a set that exists; {delete}, \
                         then kubectl patch pvc for each claim: existing ones keep their size"
                ),
            ),
            (
                claims(
                    json!([{"metadata": {"name": "data"}, "spec": {"storageClassName": "slow"}}]),
                ),
                claims(
                    json!([{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}]),
                ),
                format!(
                    "spec.volumeClaimTemplates: \"data.spec.storageClassName slow\" cannot become \"fast\" in a set that exists; {delete}; \
                         claims that exist stay as they are"
                ),
            ),
        ] {
            let case = Case::update(web_spec(&old), web_spec(&new)).at(Phase::Mutate);
            assert_eq!(case.says(&FIELD_CHANGE), [expected]);
        }
    }

    #[test]
    fn what_may_change_may_change() {
        for change in [
            json!({"replicas": 5}),
            json!({"ordinals": {"start": 2}}),
            json!({"minReadySeconds": 3}),
            json!({"template": {"metadata": {"labels": {"v": "2"}}}}),
        ] {
            let case = Case::update(web_spec(&json!({})), web_spec(&change));
            assert!(case.says(&FIELD_CHANGE).is_empty(), "{change}");
        }
    }
}
