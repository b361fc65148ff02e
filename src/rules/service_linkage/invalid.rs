//! A Service that cannot be what a set needs.

use super::{POINTER, governing};
use crate::cluster_view::Service;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A governing Service that the API server refuses, or that leads to no pod whatever it selects (`ValidateService`).
pub static INVALID: Rule = Rule {
    id: "service-invalid",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The Service that `spec.serviceName` names cannot give the pods their names: its type does not allow it.",
        why: "A headless Service (`clusterIP: None`) has no address that a NodePort or a load balancer could lead to: the API server refuses \
              the two together, so the Service is never made. A Service of type ExternalName is another name for a host elsewhere: its \
              selector is ignored, and the set's pods get no DNS names.",
        server: "takes the set, and refuses the Service of type NodePort or LoadBalancer with `clusterIP: None`",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  clusterIP: None
  selector: {app: web}
",
        example: "\
spec:
  serviceName: web
",
        fix: "Remove `type` from the Service that the set names, and make a second one for clients from outside.",
        fixed: "\
spec:
  serviceName: web
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
    if let Some(why) = why(&service) {
        violations.push(Violation::new(
            POINTER,
            format!(
                "Service {} is of type {}{why}",
                quoted(&service.name),
                service.kind
            ),
            "remove type from this Service, and make a second Service for clients outside",
        ));
    }
}

fn why(service: &Service) -> Option<&'static str> {
    match &*service.kind {
        "NodePort" | "LoadBalancer" if service.headless => Some(
            " with clusterIP: None, which the API server refuses: there will be no such Service",
        ),
        "ExternalName" if !service.selector.is_empty() || service.headless => {
            Some(", which selects no pods: they get no DNS names of their own")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, World, headless, web_spec};

    fn says(kind: &str, is_headless: bool, selector: &[(&str, &str)]) -> Vec<String> {
        let service = Service {
            kind: kind.to_owned(),
            headless: is_headless,
            ..headless("web", selector)
        };
        Case::create(web_spec(&json!({})))
            .among(World::with_services(vec![service]))
            .says(&INVALID)
    }

    #[test]
    fn the_type_allows_names_for_pods() {
        let help = "remove type from this Service, and make a second Service for clients outside";
        for kind in ["NodePort", "LoadBalancer"] {
            assert_eq!(
                says(kind, true, &[("app", "web")]),
                [format!(
                    "spec.serviceName: Service \"web\" is of type {kind} with clusterIP: None, which the API server refuses: \
                     there will be no such Service; {help}"
                )]
            );
            assert!(says(kind, false, &[("app", "web")]).is_empty(), "{kind}");
        }
        assert_eq!(
            says("ExternalName", false, &[("app", "web")]),
            [format!(
                "spec.serviceName: Service \"web\" is of type ExternalName, which selects no pods: \
                 they get no DNS names of their own; {help}"
            )]
        );
        assert!(
            says("ExternalName", false, &[]).is_empty(),
            "a name for another host"
        );
        assert!(says("ClusterIP", true, &[("app", "web")]).is_empty());
    }
}
