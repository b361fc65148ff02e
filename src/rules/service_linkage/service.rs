//! The Service behind the name.

use super::name::headless_candidates;
use super::{POINTER, action, governing, is_kept_by_us};
use crate::cluster_view::{Lookup, Service};
use crate::model::finding::Action;
use crate::model::name::is_dns_label;
use crate::model::spelling::nearest;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Labels;
use std::sync::Arc;

/// A Service that is not there.
pub static MISSING: Rule = Rule {
    id: "service-missing",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The Service that `spec.serviceName` names does not exist.",
        why: "The set runs, but its pods get no DNS names of their own (`web-0.web-headless`) until there is a Service of that name that \
              selects them. Sets whose members do not look for each other work without, so with one replica or none only the operator's audit \
              log has the finding.\n\n\
              The field cannot be changed later; a Service of the right name can be made at any time.",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  selector: {app: web}
",
        example: "\
spec:
  serviceName: web-headless
",
        fix: "Name the headless Service that exists, or make one of that name with `clusterIP: None`.",
        fixed: "\
spec:
  serviceName: web
",
        ..Docs::BLANK
    },
    check: missing,
};

fn missing(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let name = &*context.set.spec.service_name;
    if !is_dns_label(name)
        || is_kept_by_us(context)
        || context.cluster.service(context.namespace, name) != Lookup::Absent
    {
        return;
    }
    let help = meant(context).map_or_else(
        || "make one of that name with clusterIP: None".to_owned(),
        |near| {
            format!(
                "did you mean {}? Else make one with clusterIP: None",
                quoted(&near)
            )
        },
    );
    violations.push(
        Violation::new(
            POINTER,
            format!(
                "there is no Service {}: pods get no DNS names of their own",
                quoted(name)
            ),
            help,
        )
        .with(action(context)),
    );
}

/// Of the Services that may select the pods: a headless one of a near name, else the first that does select them, else one
/// of a near name with an address.
fn meant(context: &Context<'_>) -> Option<String> {
    let name = &*context.set.spec.service_name;
    let services = context.cluster.services(context.namespace).found()?;
    let labels = &context.set.spec.template.metadata.labels;
    let (headless, others): (Vec<_>, Vec<_>) = services
        .iter()
        .filter(|service| may_select(service, labels))
        .partition(|service| service.headless);
    let near = |services: &[&Arc<Service>]| {
        nearest(name, services.iter().map(|service| &*service.name)).map(str::to_owned)
    };
    near(&headless)
        .or_else(|| headless_candidates(context).into_iter().next())
        .or_else(|| near(&others))
}

/// Whether the Service selects some label of the pods and none that they have otherwise, or has no selector of its own.
fn may_select(service: &Service, labels: &Labels<'_>) -> bool {
    let mut keys = service.selector.keys();
    let shares_a_key = keys.any(|key| labels.contains_key(key.as_str()));
    contradiction(service, labels).is_none() && (shares_a_key || service.selector.is_empty())
}

/// A key and value of the Service's selector that the pods carry with another value.
pub(super) fn contradiction<'s, 'l>(
    service: &'s Service,
    labels: &'l Labels<'_>,
) -> Option<(&'s str, &'s str, &'l str)> {
    service.selector.iter().find_map(|(key, value)| {
        let label = labels.get(key.as_str())?;
        (**label != **value).then_some((&**key, &**value, &**label))
    })
}

/// A Service with an address of its own.
pub static NOT_HEADLESS: Rule = Rule {
    id: "service-not-headless",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The Service that `spec.serviceName` names is not headless: its `clusterIP` is not `None`.",
        why: "A Service with an address of its own answers for all pods together: a client reaches any one of them. A headless Service \
              (`clusterIP: None`) has no address; its name leads to the pods themselves. Kubernetes promises each pod a DNS name (`web-0.web`) \
              under a headless Service only. A Service that says nothing of `clusterIP` is not headless, the server gives it an address.\n\n\
              With one replica or none, and of pods that keep no data and have no headless Service, only the operator's audit log has the \
              finding.",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - port: 80
",
        example: "\
spec:
  serviceName: web
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
        fix: "Keep that Service for clients, add a second one with `clusterIP: None`, and name the second one. In a set that exists the field \
              cannot be changed without making the set anew.",
        fixed: "\
spec:
  serviceName: web-pods
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
        fixed_cluster: "\
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - port: 80
---
kind: Service
metadata: {name: web-pods}
spec:
  clusterIP: None
  selector: {app: web}
",
        ..Docs::BLANK
    },
    check: not_headless,
};

fn not_headless(context: &Context<'_>, violations: &mut Vec<Violation>) {
    // of one that is no Service of pods at all, service-invalid tells
    let with_address = |service: &Arc<Service>| !service.headless && service.kind != "ExternalName";
    let Some(service) = governing(context).filter(with_address) else {
        return;
    };
    let candidates = headless_candidates(context);
    let spec = &context.set.spec;
    let labels = &spec.template.metadata.labels;
    let selects = service.selects(|key| labels.get(key).map(|label| &**label));
    let action = if selects && candidates.is_empty() && spec.volume_claim_templates.is_empty() {
        Action::Audit // pods that keep nothing, such as proxies: nobody needs to reach a certain one
    } else {
        action(context)
    };
    let help = candidates.first().map_or_else(
        || "name a second Service, with clusterIP: None".to_owned(),
        |candidate| format!("name the headless Service {}", quoted(candidate)),
    );
    violations.push(
        Violation::new(
            POINTER,
            format!(
                "Service {} is not headless, so names such as {}-0.{} are not promised",
                quoted(&service.name),
                context.set.metadata.name,
                service.name
            ),
            help,
        )
        .with(action),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, headless, web, web_spec};

    fn among(services: Vec<Service>, spec: &Value) -> Case {
        Case::create(web_spec(spec)).among(World::with_services(services))
    }

    fn with_address(name: &str) -> Service {
        Service {
            headless: false,
            ..headless(name, &[("app", "web")])
        }
    }

    #[test]
    fn a_missing_service_is_named_with_the_nearest() {
        let says = |services, spec| among(services, &spec).says(&MISSING);
        assert_eq!(
            says(vec![], json!({})),
            [
                "Warn spec.serviceName: there is no Service \"web\": pods get no DNS names of their own; make one of that name with clusterIP: None"
            ]
        );
        assert_eq!(
            says(
                vec![
                    headless("tempo-ingester-discovery", &[]),
                    with_address("ingesters")
                ],
                json!({"serviceName": "ingester"})
            ),
            [
                "Warn spec.serviceName: there is no Service \"ingester\": pods get no DNS names of their own; \
                 did you mean \"tempo-ingester-discovery\"? Else make one with clusterIP: None"
            ]
        );
        let foreign = says(vec![headless("web-peers", &[("app", "other")])], json!({}));
        assert!(
            foreign[0].ends_with("; make one of that name with clusterIP: None"),
            "it selects other pods"
        );
        let selecting = says(vec![headless("peers", &[("app", "web")])], json!({}));
        assert!(
            selecting[0].contains("did you mean \"peers\"?"),
            "{selecting:?}"
        );
        assert!(says(vec![], json!({"replicas": 1}))[0].starts_with("Audit "));
        assert!(says(vec![headless("web", &[])], json!({})).is_empty());
        assert!(says(vec![], json!({"serviceName": ""})).is_empty());
        assert!(
            says(vec![], json!({"serviceName": "a.b"})).is_empty(),
            "service-name-invalid says it"
        );
        assert!(
            Case::create(web(&json!({}))).says(&MISSING).is_empty(),
            "unknown"
        );
    }

    #[test]
    fn a_service_that_we_make_later_is_not_missing() {
        let says = |service: &str| {
            let record = json!({"service-name": {"state": "injected", "value": service, "source": "policy", "version": "0.1.0"}});
            let set = web(&json!({
                "metadata": {"annotations": {"steadyset.io/injected": record.to_string()}},
                "spec": {"serviceName": service},
            }));
            let case = Case::create(set).among(World::with_services(vec![]));
            case.says(&MISSING)
        };
        assert!(says("web-pods").is_empty());
        assert_eq!(says("web").len(), 1, "a record that we never write");
    }

    #[test]
    fn only_a_headless_service_promises_names() {
        let says = |services, spec| among(services, &spec).says(&NOT_HEADLESS);
        let keeping = || json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
        assert_eq!(
            says(vec![with_address("web")], keeping()),
            [
                "Warn spec.serviceName: Service \"web\" is not headless, so names such as web-0.web are not promised; \
                 name a second Service, with clusterIP: None"
            ]
        );
        assert_eq!(
            says(
                vec![with_address("web"), headless("web-pods", &[("app", "web")])],
                json!({})
            ),
            [
                "Warn spec.serviceName: Service \"web\" is not headless, so names such as web-0.web are not promised; \
                 name the headless Service \"web-pods\""
            ]
        );
        assert!(says(vec![with_address("web")], json!({"replicas": 1}))[0].starts_with("Audit "));
        let proxies = says(vec![with_address("web")], json!({}));
        assert!(proxies[0].starts_with("Audit "), "{proxies:?}");
        assert!(says(vec![headless("web", &[])], json!({})).is_empty());
        assert!(says(vec![], json!({})).is_empty());
    }
}
