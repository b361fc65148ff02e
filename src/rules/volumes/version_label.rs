//! Labels that change with every release, where nothing may ever change.

use crate::model::finding::Action;
use crate::model::pointer::escape;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Labels;

/// A version in a field that a set keeps for life.
pub static VERSION_IN_IMMUTABLE_FIELD: Rule = Rule {
    id: "version-in-immutable-field",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A label that changes with every release is in `spec.selector` or in a claim template.",
        why: "The API server refuses every change of `spec.selector` and of `spec.volumeClaimTemplates`, labels of claims included. A label such \
              as `helm.sh/chart: web-1.2.3` or `app.kubernetes.io/version` is another with the next release: the upgrade is refused with \
              \"updates to statefulset spec for fields other than ... are forbidden\", and the release is stuck.",
        at: &[
            "spec.selector.matchLabels[KEY]",
            "spec.volumeClaimTemplates[N].metadata.labels[KEY]",
        ],
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
    - metadata:
        name: data
        labels: {helm.sh/chart: web-1.2.3}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Remove the label there; on the set itself and on its pods it may stay. In a set that exists the field can only be changed by \
              making the set anew: `kubectl delete statefulset NAME --cascade=orphan`, then apply. Pods that a new selector does not \
              select are not adopted: delete them one by one.",
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
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if let Some(selector) = &spec.selector {
        let at = Place {
            pointer: "/spec/selector/matchLabels".to_owned(),
            subject: "selector",
        };
        at.judge(&selector.match_labels, violations);
    }
    for (index, claim) in spec.volume_claim_templates.iter().enumerate() {
        let at = Place {
            pointer: format!("/spec/volumeClaimTemplates/{index}/metadata/labels"),
            subject: &claim.metadata.name,
        };
        at.judge(&claim.metadata.labels, violations);
    }
}

/// Labels that cannot change.
struct Place<'s> {
    pointer: String,
    subject: &'s str,
}

impl Place<'_> {
    fn judge(&self, labels: &Labels<'_>, violations: &mut Vec<Violation>) {
        for (key, value) in labels.iter().filter(|(key, value)| is_version(key, value)) {
            violations.push(
                Violation::new(
                    format!("{}/{}", self.pointer, escape(key)),
                    format!(
                        "{} changes with every release, and this field never can: the next upgrade is refused",
                        quoted(value)
                    ),
                    format!("remove {key} here"),
                )
                .of(format!("{}/{key}", self.subject)),
            );
        }
    }
}

/// Whether a label is another with the next release: it is called a version, or its value is a name with a version of three numbers.
fn is_version(key: &str, value: &str) -> bool {
    const CHARTS: [&str; 2] = ["helm.sh/chart", "chart"];
    let has_number = value.bytes().any(|byte| byte.is_ascii_digit());
    let mut dashes = value.match_indices('-').filter(|(at, _)| *at > 0);
    match key {
        "app.kubernetes.io/version" => has_number,
        key if CHARTS.contains(&key) => value.split('-').any(|part| {
            part.starts_with(|first: char| first.is_ascii_digit()) && part.contains('.')
        }),
        _ => dashes.any(|(at, _)| value.get(at + 1..).is_some_and(starts_with_version)),
    }
}

fn starts_with_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts = text.splitn(3, '.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let last = |part: &str| {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        rest.len() < part.len() && (rest.is_empty() || rest.starts_with(['-', '+', '_']))
    };
    parts.next().is_some_and(is_number)
        && parts.next().is_some_and(is_number)
        && parts.next().is_some_and(last)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    fn says(spec: &Value) -> Vec<String> {
        Case::create(web_spec(spec)).says(&VERSION_IN_IMMUTABLE_FIELD)
    }

    fn selecting(key: &str, value: &str) -> Vec<String> {
        says(&json!({"selector": {"matchLabels": {key: value}}}))
    }

    #[test]
    fn a_version_is_in_no_field_that_cannot_change() {
        assert_eq!(
            selecting("helm.sh/chart", "ring-1.4.2"),
            [
                "spec.selector.matchLabels[helm.sh/chart]: \"ring-1.4.2\" changes with every release, \
                 and this field never can: the next upgrade is refused; remove helm.sh/chart here"
            ]
        );
        let claims =
            json!([{"metadata": {"name": "data", "labels": {"app.kubernetes.io/version": "7"}}}]);
        assert_eq!(
            says(&json!({"volumeClaimTemplates": claims})),
            [
                "spec.volumeClaimTemplates[0].metadata.labels[app.kubernetes.io/version]: \"7\" \
                 changes with every release, and this field never can: the next upgrade is refused; \
                 remove app.kubernetes.io/version here"
            ]
        );
        for (key, value) in [
            ("chart", "web-1.2"),
            ("release", "web-v1.2.3"),
            ("app", "web-10.20.30-rc.1"),
        ] {
            assert_eq!(selecting(key, value).len(), 1, "{key}={value}");
        }
    }

    #[test]
    fn a_name_is_no_version() {
        for (key, value) in [
            ("app", "web"),
            ("app", "web-1"),
            ("app", "web-1.2"),
            ("app", "ip-10.0.0.x"),
            ("app", "v1.2.3"),
            ("version", "v1"),
            ("app.kubernetes.io/name", "postgres-17"),
            ("app", "web-1.2.3beta"),
            // goharbor/harbor-helm, hazelcast/charts: the name alone
            ("chart", "harbor"),
            ("helm.sh/chart", "hazelcast"),
        ] {
            assert!(selecting(key, value).is_empty(), "{key}={value}");
        }
        let labels = json!({"helm.sh/chart": "web-1.2.3"});
        assert!(says(&json!({"template": {"metadata": {"labels": labels}}})).is_empty());
    }
}
