//! `spec.selector`, against the labels of the template.

use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::{Labels, Selector};

/// A selector that does not select the set's own pods (`ValidateStatefulSetSpec`).
pub static MISMATCH: Rule = Rule {
    id: "selector-mismatch",
    action: Action::Deny,
    builtin: Builtin::Always,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.selector` is empty, or does not match the labels of `spec.template`.",
        why: "The selector says by which labels the set finds its own pods, and the template says which labels they get. Every API server \
              refuses a set that would not find the pods it makes.",
        at: &["spec.selector", "spec.template.metadata.labels"],
        example: "\
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: website
",
        fix: "Give the template every label that the selector asks for. The selector cannot be changed later, so keep versions and other \
              things that change out of it.",
        fixed: "\
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
",
        ..Docs::BLANK
    },
    check: mismatch,
};

fn mismatch(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let labels = &spec.template.metadata.labels;
    let selector = spec
        .selector
        .as_ref()
        .filter(|selector| !is_empty(selector));
    let Some(selector) = selector else {
        let help = match labels.first_key_value() {
            Some((key, value)) => format!("write matchLabels: {{{key}: {value}}}"),
            None => "write matchLabels, and the same labels in the template".to_owned(),
        };
        violations.push(Violation::new(
            "/spec/selector",
            "the set must say which pods are its own",
            help,
        ));
        return;
    };
    if let Some((wanted, key)) = first_unmet(selector, labels) {
        let has = labels.get(key).map_or_else(
            || format!("have no label {key}"),
            |value| format!("have {key}={value}"),
        );
        violations.push(Violation::new(
            "/spec/template/metadata/labels",
            format!(
                "the selector asks for {}, and the pods {has}",
                quoted(&wanted)
            ),
            "make spec.selector and these labels agree",
        ));
    }
}

fn is_empty(selector: &Selector<'_>) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

/// The first requirement that the labels do not meet, as kubectl writes it, and its key.
fn first_unmet<'s>(selector: &'s Selector<'_>, labels: &Labels<'_>) -> Option<(String, &'s str)> {
    let mut pairs = selector.match_labels.iter();
    let pair = pairs.find(|(key, value)| labels.get(*key) != Some(value));
    if let Some((key, value)) = pair {
        return Some((format!("{key}={value}"), key));
    }
    let mut expressions = selector.match_expressions.iter();
    let expression = expressions
        .find(|expression| !expression.holds(labels.get(&expression.key).map(|value| &**value)))?;
    Some((expression.to_string(), &expression.key))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, fires, web_spec};

    fn says(selector: &Value) -> Vec<String> {
        Case::create(web_spec(&json!({"selector": selector}))).says(&MISMATCH)
    }

    #[test]
    fn a_set_finds_its_own_pods() {
        for selector in [
            json!(null),
            json!({"matchLabels": null}),
            json!({"matchLabels": {"app": null}}),
        ] {
            assert_eq!(
                says(&selector),
                [
                    "spec.selector: the set must say which pods are its own; write matchLabels: {app: web}"
                ],
                "{selector}"
            );
        }
        let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
        for (selector, message) in [
            (
                json!({"matchLabels": {"app": "shop"}}),
                "the selector asks for \"app=shop\", and the pods have app=web",
            ),
            (
                json!({"matchLabels": {"tier": "a"}}),
                "the selector asks for \"tier=a\", and the pods have no label tier",
            ),
            (
                expression("In", json!(["a", "b"])),
                "the selector asks for \"app In (a, b)\", and the pods have app=web",
            ),
            (
                expression("NotIn", json!(["web"])),
                "the selector asks for \"app NotIn (web)\", and the pods have app=web",
            ),
            (
                expression("DoesNotExist", json!(null)),
                "the selector asks for \"app DoesNotExist\", and the pods have app=web",
            ),
        ] {
            assert_eq!(
                says(&selector),
                [format!(
                    "spec.template.metadata.labels: {message}; make spec.selector and these labels agree"
                )]
            );
        }
        let met = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "app", "operator": "In", "values": ["web", "shop"]},
            {"key": "app", "operator": "Exists"},
            {"key": "tier", "operator": "NotIn", "values": ["db"]},
            {"key": "tier", "operator": "DoesNotExist"},
            {"key": "tier", "operator": "Near"},
        ]});
        assert!(!fires(&MISMATCH, web_spec(&json!({"selector": met}))));
    }
}
