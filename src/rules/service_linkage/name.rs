//! The name by itself.

use super::POINTER;
use crate::inject::service::{Linkage, propose};
use crate::model::finding::Action;
use crate::model::name::is_dns_label;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// A name that no Service can have (kubernetes/kubernetes#130233 for the server's own check).
pub static INVALID: Rule = Rule {
    id: "service-name-invalid",
    action: Action::Deny,
    builtin: Builtin::OnCreateSince(33),
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.serviceName` is not a DNS label: lower-case letters, digits and `-`, at most 63 characters.",
        why: "The name becomes a part of every pod's DNS name: `web-0.<serviceName>.<namespace>.svc`. It is one label, so it has no dot, and a \
              Service of another namespace cannot be named: a set's Service is always in the set's own namespace. From 1.33 the API server \
              refuses a new set with such a name; before, it accepts the set and no pod can be created.",
        at: &["spec.serviceName"],
        example: "\
spec:
  serviceName: web.other-namespace
",
        fix: "Write the plain name of a headless Service (`clusterIP: None`) in the same namespace.",
        fixed: "\
spec:
  serviceName: web
",
        ..Docs::BLANK
    },
    check: invalid,
};

fn invalid(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let name = &*context.set.spec.service_name;
    if name.is_empty() || is_dns_label(name) {
        return;
    }
    let first = name.split('.').next().unwrap_or_default();
    let (reason, help) = if name.contains('.') && is_dns_label(first) {
        (
            "has a dot, but the Service is always in the set's own namespace",
            format!("write {first}"),
        )
    } else if name.chars().count() > 63 {
        (
            "is longer than the 63 characters of a DNS label",
            "shorten the Service's name".to_owned(),
        )
    } else {
        (
            "is no name that a Service can have",
            "use lower-case letters, digits and \"-\" only".to_owned(),
        )
    };
    violations.push(Violation::new(
        POINTER,
        format!("{} {reason}", quoted(name)),
        help,
    ));
}

/// No name at all, after injection.
pub static EMPTY: Rule = Rule {
    id: "service-name-empty",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`spec.serviceName` is empty, and it was not filled in.",
        why: "The field names the headless Service under which each pod gets a DNS name of its own, such as `web-0.web`. Without it the pods \
              have none, and members that look for each other by name do not find each other. The field cannot be set later without making the \
              set anew.\n\n\
              On creation steadyset fills it in with the one headless Service that selects the pods, and makes one where there is none. It \
              does not choose where several select them, where it may not create Services, or where it is told not to.",
        at: &["spec.serviceName"],
        cluster: "\
kind: Service
metadata: {name: web-peers}
spec:
  clusterIP: None
  selector: {app: web}
---
kind: Service
metadata: {name: web-headless}
spec:
  clusterIP: None
  selector: {app: web}
",
        example: "\
spec:
  serviceName: \"\"
",
        fix: "Name a Service with `clusterIP: None` that selects the pods. If there is none yet, make one.",
        fixed: "\
spec:
  serviceName: web-peers
",
        ..Docs::BLANK
    },
    check: empty,
};

const NAME_ONE: &str = "name a Service with clusterIP: None that selects the pods";

fn empty(context: &Context<'_>, violations: &mut Vec<Violation>) {
    if !context.set.spec.service_name.is_empty() {
        return;
    }
    let mut message =
        "the pods get no DNS names of their own, and it cannot be set later".to_owned();
    let help = match propose(context.namespace, context.set, context.cluster) {
        Linkage::Link(one) => format!("name the headless Service {}", quoted(&one)),
        Linkage::Several(names) => format!(
            "name one of the headless Services that select the pods: {}",
            names.join(", ")
        ),
        Linkage::None(obstacle) => {
            message.extend(obstacle.describe().map(|reason| format!(" ({reason})")));
            NAME_ONE.to_owned()
        }
        Linkage::Create(_) | Linkage::Unknown => NAME_ONE.to_owned(),
    };
    violations.push(Violation::new(POINTER, message, help));
}

/// The headless Services that select the pods and are nobody's yet, by name.
pub(super) fn headless_candidates(context: &Context<'_>) -> Vec<String> {
    let labels = &context.set.spec.template.metadata.labels;
    let selecting = context
        .cluster
        .services_selecting(context.namespace, labels);
    let selecting = selecting.found().unwrap_or_default();
    selecting
        .iter()
        .filter(|service| service.headless && service.kept_for.is_none())
        .map(|service| service.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::finding::Phase;
    use crate::rules::testing::{Case, World, headless, web_spec};

    fn named(name: &str) -> Case {
        Case::create(web_spec(&json!({"serviceName": name})))
    }

    #[test]
    fn a_name_is_a_dns_label() {
        let long = "a".repeat(64);
        for (name, message) in [
            (
                "web.other",
                "\"web.other\" has a dot, but the Service is always in the set's own namespace; write web",
            ),
            (
                "Web_1",
                "\"Web_1\" is no name that a Service can have; use lower-case letters, digits and \"-\" only",
            ),
            (
                "-web",
                "\"-web\" is no name that a Service can have; use lower-case letters, digits and \"-\" only",
            ),
            (
                &*long,
                &*format!(
                    "{} is longer than the 63 characters of a DNS label; shorten the Service's name",
                    quoted(&long)
                ),
            ),
        ] {
            assert_eq!(
                named(name).says(&INVALID),
                [format!("spec.serviceName: {message}")]
            );
        }
        for name in ["web", "1web", "", &"a".repeat(63)] {
            assert!(named(name).says(&INVALID).is_empty(), "{name}");
        }
    }

    #[test]
    fn it_runs_on_mutate_where_the_server_would_refuse() {
        let at_mutate = |version: &str| {
            named("a.b")
                .at(Phase::Mutate)
                .on(version)
                .says(&INVALID)
                .len()
        };
        assert_eq!((at_mutate("1.32.0"), at_mutate("1.33.0")), (0, 1));
    }

    #[test]
    fn an_empty_name_names_what_could_stand_there() {
        let says = |services| named("").among(World::with_services(services)).says(&EMPTY);
        let start = "spec.serviceName: the pods get no DNS names of their own, and it cannot be set later; ";
        assert_eq!(
            says(vec![]),
            [format!(
                "{start}name a Service with clusterIP: None that selects the pods"
            )]
        );
        assert_eq!(
            says(vec![
                headless("web", &[("app", "web")]),
                headless("db", &[("app", "db")])
            ]),
            [format!("{start}name the headless Service \"web\"")]
        );
        assert_eq!(
            says(vec![
                headless("web", &[("app", "web")]),
                headless("web-2", &[("app", "web")])
            ]),
            [format!(
                "{start}name one of the headless Services that select the pods: web, web-2"
            )]
        );
        assert_eq!(
            says(vec![headless("web-pods", &[("app", "other")])]),
            [
                "spec.serviceName: the pods get no DNS names of their own, and it cannot be set later \
                 (Service \"web-pods\" is there and not ours); name a Service with clusterIP: None that selects the pods"
            ]
        );
        assert!(named("web").says(&EMPTY).is_empty());
    }
}
