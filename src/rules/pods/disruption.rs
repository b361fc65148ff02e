//! `PodDisruptionBudget`s that let nobody drain a node.

use std::sync::Arc;

use crate::catalogue;
use crate::cluster_view::DisruptionBudget;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::view::IntOrString;

/// A budget that allows no eviction even while every pod is healthy, or two for the same pods (`trySync` in the disruption
/// controller; `EvictionREST` for two).
pub static BUDGET_BLOCKS: Rule = Rule {
    id: "disruption-budget-blocks",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "PodDisruptionBudgets let no pod of the set be evicted, so no node can be drained.",
        why: "`kubectl drain`, the cluster autoscaler and upgrades of nodes evict pods, and a PodDisruptionBudget says how many may be evicted \
              at a time. Here that is none even while all pods are well: `maxUnavailable: 0`, `minAvailable: 100%`, or a `minAvailable` that \
              reaches `replicas` (a percentage is rounded up: 90 % of 3 pods are 3). The drain waits for ever. Where two budgets select the \
              same pods, every eviction fails with an error. Of a set that an autoscaler scales its `minReplicas` count.\n\n\
              The opposite is reported too: a budget that lets a system which goes by majority lose it, such as `maxUnavailable: 2` for an etcd \
              of four.\n\n\
              With one replica or none only the operator's audit log has the finding.",
        at: &["spec.replicas", "spec.template.metadata.labels"],
        cluster: "\
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 3
  selector:
    matchLabels: {app: web}
",
        example: "\
spec:
  replicas: 3
",
        fix: "Keep one budget for the set, and write `maxUnavailable: 1`: it stays right whatever `replicas` becomes.",
        fixed: "\
spec:
  replicas: 3
",
        fixed_cluster: "\
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app: web}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let action = if fewest(context) > 1 || context.set.spec.replicas() > 1 {
        Action::Warn
    } else {
        Action::Audit
    };
    let budgets = selecting(context);
    if let [first, second, ..] = &*budgets {
        let (first, second) = (quoted(&first.name), quoted(&second.name));
        let message = format!(
            "PodDisruptionBudgets {first} and {second} select these pods, and with two every eviction fails"
        );
        violations.push(
            Violation::new(
                "/spec/template/metadata/labels",
                message,
                "keep one of them",
            )
            .with(action),
        );
        return; // an eviction does not get so far that either counts
    }
    for budget in &budgets {
        let name = quoted(&budget.name);
        let message = if let Some(why) = blocks(budget, context) {
            format!(
                "PodDisruptionBudget {name} ({why}) allows no eviction: a drain of the pods' nodes never ends"
            )
        } else if let Some((system, why)) = breaks_majority(budget, context) {
            format!(
                "PodDisruptionBudget {name} ({why}) lets drains take more pods than {system} can lose: it stops without a majority"
            )
        } else {
            continue;
        };
        violations.push(
            Violation::new("/spec/replicas", message, "write maxUnavailable: 1 there")
                .of(&*budget.name)
                .with(action),
        );
    }
}

/// The system that goes by majority, and the field of the budget that lets too many of its members be evicted.
fn breaks_majority(
    budget: &DisruptionBudget,
    context: &Context<'_>,
) -> Option<(&'static str, String)> {
    let replicas = context.set.spec.replicas();
    if replicas < 3 || !is_for_this_set_alone(budget, context) {
        return None;
    }
    let mut containers = context.set.spec.template.spec.containers.iter();
    let system = containers
        .find_map(|container| catalogue::running(container).filter(|system| system.quorum))?;
    let (field, value) = budget
        .max_unavailable
        .as_ref()
        .map(|value| ("maxUnavailable", value))
        .or_else(|| Some(("minAvailable", budget.min_available.as_ref()?)))?;
    let pods = match value {
        IntOrString::Int(pods) => *pods,
        IntOrString::String(text) => share_of(replicas, percent(text)?),
    };
    let gone = if field == "maxUnavailable" {
        pods
    } else {
        replicas.saturating_sub(pods)
    };
    let tolerated = (replicas - 1) / 2;
    (gone > tolerated).then(|| (system.name, format!("{field} {value} of {replicas}")))
}

/// The budgets that select the set's pods, by name.
fn selecting(context: &Context<'_>) -> Vec<Arc<DisruptionBudget>> {
    let labels = &context.set.spec.template.metadata.labels;
    let known = context
        .cluster
        .disruption_budgets(context.namespace, labels);
    known.found().unwrap_or_default()
}

/// The field of the budget that leaves no room while every pod is healthy.
fn blocks(budget: &DisruptionBudget, context: &Context<'_>) -> Option<String> {
    if let Some(value) = &budget.max_unavailable {
        return is_none(value).then(|| format!("maxUnavailable {value}"));
    }
    let replicas = fewest(context).max(1);
    let value = budget.min_available.as_ref()?;
    let wanted = match value {
        IntOrString::String(text) if percent(text)? >= 100 => replicas,
        // a share of all pods that it selects, which are known only where those are this set's and no others
        _ if !is_for_this_set_alone(budget, context) => return None,
        IntOrString::String(text) => share_of(replicas, percent(text)?),
        IntOrString::Int(pods) => *pods,
    };
    (wanted >= replicas).then(|| format!("minAvailable {value} of {replicas}"))
}

/// The fewest pods that the set may have: those that an autoscaler leaves it, if there is one.
fn fewest(context: &Context<'_>) -> i64 {
    let set = &*context.set.metadata.name;
    let scaled = context.cluster.min_replicas(context.namespace, set);
    scaled.found().unwrap_or(context.set.spec.replicas())
}

fn is_none(value: &IntOrString<'_>) -> bool {
    match value {
        IntOrString::Int(pods) => *pods == 0,
        IntOrString::String(text) => percent(text) == Some(0),
    }
}

fn percent(text: &str) -> Option<i64> {
    text.strip_suffix('%')?.parse().ok()
}

/// Rounded up, as the disruption controller does (`GetScaledValueFromIntOrPercent`).
fn share_of(replicas: i64, percent: i64) -> i64 {
    replicas.saturating_mul(percent).saturating_add(99) / 100
}

/// Whether the budget asks for all that the set's own selector asks for: no other set has pods like that.
fn is_for_this_set_alone(budget: &DisruptionBudget, context: &Context<'_>) -> bool {
    let own = context.set.spec.selector.as_ref();
    let asked = budget.selector.as_ref();
    own.zip(asked).is_some_and(|(own, asked)| {
        let mut pairs = own.match_labels.iter();
        own.match_expressions.is_empty()
            && pairs.all(|(key, value)| asked.match_labels.get(key) == Some(value))
    })
}

#[cfg(test)]
mod tests;
