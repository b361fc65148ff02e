//! What is to keep the set's own pods apart, and does not know them.

use std::collections::BTreeSet;

use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::scheduling::PodAffinityTerm;
use crate::statefulset::set::{Labels, Selector};

/// A required rule of the scheduler that selects by a label which the pods do not have.
pub static SELECTOR_MISMATCH: Rule = Rule {
    id: "affinity-selector-mismatch",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "What is to keep the set's pods apart selects by a label, or a value of it, that they do not have.",
        why: "A required pod anti-affinity, or a topology spread constraint, tells the scheduler not to put two pods of a kind on one node or in \
              one zone, and says by labels which kind. Here it asks for a label, or a value, that none of the set's own pods has. So \
              it selects none of them, all of them may run on one node, and go down with it. Usually the labels were renamed and this \
              place was forgotten.\n\n\
              An anti-affinity against other pods is fine: it is not reported where a further term selects the set's own pods, where it names \
              namespaces, or where it uses `NotIn` or `DoesNotExist`.",
        at: &[
            "spec.template.spec.affinity.podAntiAffinity",
            "spec.template.spec.topologySpreadConstraints[N]",
        ],
        example: "\
spec:
  template:
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels: {k8s-app: web}
",
        fix: "Select by labels of the pod template, best by those of `spec.selector`: those cannot be renamed.",
        fixed: "\
spec:
  template:
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector:
                matchLabels: {app: web}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    const ANTI_AFFINITY: &str = "/spec/template/spec/affinity/podAntiAffinity";
    let pods = &context.set.spec.template.spec;
    let labels = &context.set.spec.template.metadata.labels;
    let mut told = BTreeSet::new();
    let mut push = |pointer: String, kind: &str, unmet: &Unmet<'_>, effect: &str| {
        let subject = format!("{kind}/{}", unmet.key);
        if told.insert(subject.clone()) {
            let message = format!("{}: {effect}", unmet.says());
            violations.push(Violation::new(pointer, message, own_label(context)).of(subject));
        }
    };
    for unmet in unmet_by_all(&pods.affinity.pod_anti_affinity.required, labels) {
        let pointer = ANTI_AFFINITY.to_owned();
        push(pointer, "anti-affinity", &unmet, "nothing keeps them apart");
    }
    for (index, constraint) in pods.topology_spread_constraints.iter().enumerate() {
        if let Some(unmet) = unmet(&constraint.label_selector, labels) {
            let pointer = format!("/spec/template/spec/topologySpreadConstraints/{index}");
            push(pointer, "topology", &unmet, "nothing spreads them");
        }
    }
}

/// What a selector asks for and the set's own pods do not have.
struct Unmet<'s> {
    key: &'s str,
    /// What is asked for.
    asked: String,
    /// The value that they have, if they have the label.
    own: Option<&'s str>,
}

impl Unmet<'_> {
    fn says(&self) -> String {
        match self.own {
            None => format!("the set's own pods have no label {}", quoted(self.key)),
            Some(own) => format!(
                "it selects {}, and the set's own pods have {}={own}",
                self.asked, self.key
            ),
        }
    }
}

/// What the terms ask for, where no term selects the set's own pods: a further one may be meant for others.
fn unmet_by_all<'s>(terms: &'s [PodAffinityTerm<'_>], labels: &'s Labels<'_>) -> Vec<Unmet<'s>> {
    let here = |term: &&PodAffinityTerm<'_>| {
        term.namespaces.is_empty() && term.namespace_selector.is_none()
    };
    let all = terms
        .iter()
        .filter(here)
        .map(|term| unmet(&term.label_selector, labels));
    all.collect::<Option<_>>().unwrap_or_default()
}

/// The first thing that the selector asks for and that none of the set's pods has. One that asks for pods without a label, or with
/// another value, is meant for others.
fn unmet<'s>(selector: &'s Selector<'_>, labels: &'s Labels<'_>) -> Option<Unmet<'s>> {
    let mut expressions = selector.match_expressions.iter();
    if expressions.any(|expression| matches!(&*expression.operator, "NotIn" | "DoesNotExist")) {
        return None;
    }
    let own = |key: &str| labels.get(key).map(|value| &**value);
    let pairs = selector.match_labels.iter();
    let mut pairs = pairs
        .filter(|(key, value)| own(key) != Some(&***value))
        .map(|(key, value)| Unmet {
            key,
            asked: format!("{key}={value}"),
            own: own(key),
        });
    let expressions = selector.match_expressions.iter();
    let mut expressions = expressions
        .filter(|expression| !expression.holds(own(&expression.key)))
        .map(|expression| Unmet {
            key: &expression.key,
            asked: expression.to_string(),
            own: own(&expression.key),
        });
    let is_own = |unmet: &Unmet<'_>| !is_given_by_the_controller(unmet.key);
    pairs.find(is_own).or_else(|| expressions.find(is_own))
}

/// The labels that every pod of a set has without its template (`newStatefulSetPod`, `initIdentity` in the controller).
fn is_given_by_the_controller(key: &str) -> bool {
    const GIVEN: [&str; 3] = [
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-revision-hash",
    ];
    GIVEN.contains(&key)
}

fn own_label(context: &Context<'_>) -> String {
    let selector = context.set.spec.selector.as_ref();
    let own = selector.and_then(|selector| selector.match_labels.first_key_value());
    own.map_or_else(
        || "select by a label of the template".to_owned(),
        |(key, value)| format!("select by a label of the template, such as {key}: {value}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    fn says(pods: &Value) -> Vec<String> {
        Case::create(web_spec(&json!({"template": {"spec": pods}}))).says(&SELECTOR_MISMATCH)
    }

    fn apart(terms: &Value) -> Value {
        json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}})
    }

    fn term(selector: &Value) -> Value {
        json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": selector})
    }

    fn expression(key: &str, operator: &str) -> Value {
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": ["zk"]}]})
    }

    fn line(key: &str, own: &str) -> String {
        format!(
            "spec.template.spec.affinity.podAntiAffinity: the set's own pods have no label \"{key}\": nothing keeps them apart; \
             select by a label of the template, such as {own}"
        )
    }

    /// `kubernetes/website:content/en/examples/application/zookeeper/zookeeper.yaml`: official, popular, and all three on one node.
    #[test]
    fn the_zookeeper_of_the_kubernetes_documentation_is_not_kept_apart() {
        let own = json!({"app.kubernetes.io/name": "zk", "app": null});
        let set = web_spec(&json!({
            "selector": {"matchLabels": own},
            "template": {"metadata": {"labels": own}, "spec": apart(&json!([term(&expression("app", "In"))]))},
        }));
        assert_eq!(
            Case::create(set).says(&SELECTOR_MISMATCH),
            [line("app", "app.kubernetes.io/name: zk")]
        );
    }

    #[test]
    fn every_label_of_a_term_is_one_of_theirs() {
        let unknown = term(&expression("name", "In"));
        assert_eq!(says(&apart(&json!([unknown]))), [line("name", "app: web")]);
        let several = term(&json!({"matchLabels": {"app": "web", "tier": "a"}}));
        assert_eq!(says(&apart(&json!([several]))), [line("tier", "app: web")]);
        assert_eq!(
            says(&apart(&json!([unknown, several]))),
            [line("name", "app: web"), line("tier", "app: web")]
        );
    }

    #[test]
    fn what_is_meant_for_other_pods_is_fine() {
        let unknown = expression("name", "In");
        let own = term(&json!({"matchLabels": {"app": "web"}}));
        let mut elsewhere = term(&unknown);
        elsewhere["namespaces"] = json!(["other"]);
        let mut anywhere = term(&unknown);
        anywhere["namespaceSelector"] = json!({});
        for terms in [
            json!([own]),
            json!([own, term(&unknown)]),
            json!([elsewhere]),
            json!([anywhere]),
            json!([term(&expression("name", "NotIn"))]),
            json!([term(&expression("name", "DoesNotExist"))]),
            json!([term(&expression("app", "Exists"))]),
            json!([term(&expression("apps.kubernetes.io/pod-index", "In"))]),
            json!([term(&json!(null))]),
            json!(null),
        ] {
            assert!(says(&apart(&terms)).is_empty(), "{terms}");
        }
        let preferred = json!([{"weight": 1, "podAffinityTerm": term(&unknown)}]);
        let preferred = json!({"affinity": {"podAntiAffinity":
            {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}});
        assert!(says(&preferred).is_empty());
    }

    #[test]
    fn pods_are_spread_by_a_label_of_theirs() {
        let spread = |when: &str, selector: &Value| {
            says(
                &json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
                "whenUnsatisfiable": when, "labelSelector": selector}]}),
            )
        };
        let unknown = json!({"matchLabels": {"name": "web"}});
        assert_eq!(
            spread("DoNotSchedule", &unknown),
            [
                "spec.template.spec.topologySpreadConstraints[0]: the set's own pods have no label \"name\": nothing spreads them; \
                 select by a label of the template, such as app: web"
            ]
        );
        assert_eq!(spread("ScheduleAnyway", &unknown).len(), 1);
        let other = json!({"matchLabels": {"app": "placeholder-web"}});
        assert_eq!(
            spread("ScheduleAnyway", &other),
            [
                "spec.template.spec.topologySpreadConstraints[0]: it selects app=placeholder-web, and the set's own pods have app=web: \
                 nothing spreads them; select by a label of the template, such as app: web"
            ]
        );
        assert!(spread("DoNotSchedule", &json!({"matchLabels": {"app": "web"}})).is_empty());
        assert!(spread("DoNotSchedule", &json!({})).is_empty());
    }

    #[test]
    fn a_key_is_the_same_one_at_another_place() {
        let unknown = |key: &str| term(&expression(key, "In"));
        let set = |terms: &Value| web_spec(&json!({"template": {"spec": apart(terms)}}));
        let subjects = |set: Value| {
            let found = Case::create(set).violations(&SELECTOR_MISMATCH);
            found.into_iter().map(|violation| violation.subject)
        };
        let first: Vec<String> = subjects(set(&json!([unknown("a")]))).collect();
        let second: Vec<String> = subjects(set(&json!([unknown("b"), unknown("a")]))).collect();
        assert_eq!(first, ["anti-affinity/a"]);
        assert_eq!(second, ["anti-affinity/b", "anti-affinity/a"]);
    }
}
