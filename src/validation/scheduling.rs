//! Where a pod may run: affinity, spread, tolerations (`ValidateAffinity`, `validateTopologySpreadConstraints`,
//! `ValidateTolerations`).

use super::at::At;
use super::formats::{between, is_qualified_name, one_of, unsupported};
use super::metadata::{requirement, selector};
use super::{Cause, Found};
use crate::model::text::quoted;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const OF_NODES: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

pub(super) fn check(pods: &At<'_>, found: &mut Found) {
    let affinity = pods.field("affinity");
    nodes(&affinity.field("nodeAffinity"), found);
    for field in ["podAffinity", "podAntiAffinity"] {
        let others = affinity.field(field);
        for term in others.field(REQUIRED).items() {
            pod_term(&term, found);
        }
        for preference in others.field(PREFERRED).items() {
            between(&preference.field("weight"), 1, 100, found);
            pod_term(&preference.field("podAffinityTerm"), found);
        }
    }
    spread(&pods.field("topologySpreadConstraints"), found);
    for toleration in pods.field("tolerations").items() {
        tolerates(&toleration, found);
    }
}

fn nodes(affinity: &At<'_>, found: &mut Found) {
    let required = affinity.field(REQUIRED);
    let terms = required.field("nodeSelectorTerms");
    if required.is_set() && terms.items().next().is_none() {
        found.add(
            &terms,
            Cause::Required,
            "it needs at least one term",
            "write a term, or remove the requirement",
        );
    }
    for term in terms.items() {
        node_term(&term, found);
    }
    for preference in affinity.field(PREFERRED).items() {
        between(&preference.field("weight"), 1, 100, found);
        node_term(&preference.field("preference"), found);
    }
}

fn node_term(term: &At<'_>, found: &mut Found) {
    for expression in term.field("matchExpressions").items() {
        requirement(&expression, &OF_NODES, found);
    }
}

fn pod_term(term: &At<'_>, found: &mut Found) {
    topology_key(&term.field("topologyKey"), found);
    selector(&term.field("labelSelector"), found);
    selector(&term.field("namespaceSelector"), found);
}

fn topology_key(at: &At<'_>, found: &mut Found) {
    if at.text().is_empty() {
        let help = "write the label of nodes that tells them apart, such as kubernetes.io/hostname";
        found.add(at, Cause::Required, "must not be empty", help);
    } else if !is_qualified_name(at.text()) {
        let message = format!("{} is not the key of a label", quoted(at.text()));
        found.add(
            at,
            Cause::Invalid,
            message,
            "write the key of a label of nodes",
        );
    }
}

fn spread(constraints: &At<'_>, found: &mut Found) {
    let mut seen = std::collections::HashSet::new();
    for constraint in constraints.items() {
        let (skew, key, action) = (
            constraint.field("maxSkew"),
            constraint.field("topologyKey"),
            constraint.field("whenUnsatisfiable"),
        );
        if skew.int().is_none_or(|skew| skew <= 0) {
            found.add(&skew, Cause::Invalid, "must be above 0", "write 1 or more");
        }
        topology_key(&key, found);
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action.text()) {
            unsupported(&action, &actions, found);
        }
        let domains = constraint.field("minDomains");
        if domains.int().is_some_and(|count| count <= 0) {
            found.add(
                &domains,
                Cause::Invalid,
                "must be above 0",
                "write 1 or more",
            );
        } else if domains.is_set() && action.text() != "DoNotSchedule" {
            let message = "minDomains counts only where pods are not scheduled otherwise";
            found.add(
                &domains,
                Cause::Invalid,
                message,
                "remove it, or write whenUnsatisfiable: DoNotSchedule",
            );
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of(&constraint.field(policy), &["Honor", "Ignore"], found);
        }
        selector(&constraint.field("labelSelector"), found);
        if !key.text().is_empty() && !seen.insert(format!("{} {}", key.text(), action.text())) {
            let message = format!(
                "there is a constraint for {} with {} already",
                quoted(key.text()),
                action.text()
            );
            found.add(
                &constraint,
                Cause::Duplicate,
                message,
                "keep one of the two",
            );
        }
    }
}

fn tolerates(toleration: &At<'_>, found: &mut Found) {
    let (key, operator, value) = (
        toleration.field("key"),
        toleration.field("operator"),
        toleration.field("value"),
    );
    let (effect, seconds) = (
        toleration.field("effect"),
        toleration.field("tolerationSeconds"),
    );
    if !key.text().is_empty() && !is_qualified_name(key.text()) {
        let message = format!("{} is not the key of a taint", quoted(key.text()));
        found.add(&key, Cause::Invalid, message, "write the key of a taint");
    }
    if key.text().is_empty() && operator.text() != "Exists" {
        let message =
            "a toleration without a key tolerates all taints, and then the operator is Exists";
        found.add(
            &operator,
            Cause::Invalid,
            message,
            "write operator: Exists, or a key",
        );
    }
    match operator.text() {
        "" | "Equal" | "Exists" | "Lt" | "Gt" => {}
        _ => unsupported(&operator, &["Equal", "Exists"], found),
    }
    if operator.text() == "Exists" && !value.text().is_empty() {
        let message = "Exists takes any value, so there must be none";
        found.add(
            &operator,
            Cause::Invalid,
            message,
            "remove value, or write operator: Equal",
        );
    }
    one_of(
        &effect,
        &["NoSchedule", "PreferNoSchedule", "NoExecute"],
        found,
    );
    if seconds.is_set() && effect.text() != "NoExecute" {
        let message = "only NoExecute takes pods away, so only it has seconds";
        found.add(
            &effect,
            Cause::Invalid,
            message,
            "write effect: NoExecute, or remove tolerationSeconds",
        );
    }
}
