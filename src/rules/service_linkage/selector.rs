//! Which pods the governing Service leads to.

use super::service::contradiction;
use super::{POINTER, governing};
use crate::cluster_view::{Lookup, Service};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Labels;

/// A Service that does not lead to the set's pods.
pub static MISMATCH: Rule = Rule {
    id: "service-selector-mismatch",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The Service that `spec.serviceName` names does not select the set's pods.",
        why: "A Service finds its pods by their labels, and gives DNS names to those that it finds. This one asks for another value than the \
              pods carry, or only for labels that they lack, or it has no selector: no pod is behind it, and none gets a name of its own.\n\n\
              A label that the pods lack is no mismatch beside one that matches: programs set some while they run (`role: primary`). A Service \
              without selector is fine where somebody else writes its Endpoints or EndpointSlices.",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  selector: {app: website}
",
        example: "\
spec:
  template:
    metadata:
      labels:
        app: web
",
        fix: "Make the Service's selector and the labels of the pod template agree. The Service can be changed at any time, the labels that \
              `spec.selector` asks for cannot.",
        fixed: "\
spec:
  template:
    metadata:
      labels:
        app: web
",
        fixed_cluster: "\
kind: Service
metadata: {name: web}
spec:
  clusterIP: None
  selector: {app: web}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(service) = governing(context) else {
        return;
    };
    let labels = &context.set.spec.template.metadata.labels;
    let name = quoted(&service.name);
    let (message, help) = if let Some((key, value, label)) = contradiction(&service, labels) {
        (
            format!("Service {name} selects {key}={value}, and the pods have {key}={label}"),
            "make the Service's selector and the pods' labels agree".to_owned(),
        )
    } else if selects_nothing(&service, labels) {
        let asked = service.selector.iter().next();
        let asked = asked.map_or_else(String::new, |(key, value)| format!("{key}={value}"));
        (
            format!(
                "Service {name} selects {asked}, a label that the pods do not have{}: no pod is behind it",
                first_of(context)
            ),
            format!("write{} into the selector of the Service", own(context)),
        )
    } else if has_no_endpoints(context, &service) {
        (
            format!(
                "Service {name} has no selector, and there are no endpoints of its name: it leads nowhere"
            ),
            format!("give the Service the selector{}", own(context)),
        )
    } else {
        return;
    };
    violations.push(Violation::new(POINTER, message, help));
}

/// Whether the pods lack every label that the Service asks for. One that a program sets while it runs stands beside others.
fn selects_nothing(service: &Service, labels: &Labels<'_>) -> bool {
    let mut keys = service.selector.keys();
    // of pods without any label selector-mismatch tells
    !service.selector.is_empty()
        && !labels.is_empty()
        && !keys.any(|key| labels.contains_key(key.as_str()))
}

fn has_no_endpoints(context: &Context<'_>, service: &Service) -> bool {
    service.selector.is_empty()
        && service.kind != "ExternalName"
        && context.cluster.endpoints(context.namespace, &service.name) == Lookup::Absent
}

/// A label by which the pods can be selected.
fn own(context: &Context<'_>) -> String {
    let spec = &context.set.spec;
    let selector = spec.selector.as_ref();
    let own = selector.and_then(|selector| selector.match_labels.first_key_value());
    let own = own.or_else(|| spec.template.metadata.labels.first_key_value());
    own.map_or_else(String::new, |(key, value)| format!(" {key}: {value}"))
}

/// What the pods have instead.
fn first_of(context: &Context<'_>) -> String {
    let own = own(context);
    if own.is_empty() {
        own
    } else {
        format!(" (they have{own})")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, headless, manifests, web_spec};

    fn says(selector: &[(&str, &str)]) -> Vec<String> {
        let world = World::with_services(vec![headless("web", selector)]);
        Case::create(web_spec(&json!({})))
            .among(world)
            .says(&MISMATCH)
    }

    #[test]
    fn the_service_selects_the_pods() {
        assert_eq!(
            says(&[("app", "shop")]),
            [
                "spec.serviceName: Service \"web\" selects app=shop, and the pods have app=web; \
                 make the Service's selector and the pods' labels agree"
            ]
        );
        assert!(
            says(&[("app", "web"), ("role", "leader")]).is_empty(),
            "set at run time"
        );
        assert!(
            says(&[]).is_empty(),
            "whether it has endpoints is not known"
        );
    }

    #[test]
    fn a_label_that_comes_later_is_beside_one_that_matches() {
        assert_eq!(
            says(&[("app.kubernetes.io/name", "web"), ("role", "leader")]),
            [
                "spec.serviceName: Service \"web\" selects app.kubernetes.io/name=web, a label that the pods do not have \
                 (they have app: web): no pod is behind it; write app: web into the selector of the Service"
            ]
        );
    }

    #[test]
    fn a_service_without_selector_needs_endpoints() {
        let service =
            json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"clusterIP": "None"}});
        let endpoints = |kind: &str, name: &str| {
            let labels = json!({"kubernetes.io/service-name": name});
            json!({"kind": kind, "metadata": {"name": name, "labels": labels}})
        };
        let among = |others: &[Value]| {
            Case::create(web_spec(&json!({})))
                .among(manifests(others))
                .says(&MISMATCH)
        };
        assert_eq!(
            among(&[service.clone(), endpoints("Endpoints", "other")]),
            [
                "spec.serviceName: Service \"web\" has no selector, and there are no endpoints of its name: it leads nowhere; \
                 give the Service the selector app: web"
            ]
        );
        for kind in ["Endpoints", "EndpointSlice"] {
            assert!(
                among(&[service.clone(), endpoints(kind, "web")]).is_empty(),
                "{kind}"
            );
        }
        let elsewhere = json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "ExternalName", "externalName": "a.b"}});
        assert!(among(&[elsewhere, endpoints("Endpoints", "other")]).is_empty());
    }
}
