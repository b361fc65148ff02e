//! A field that the API does not have, or not there.

use std::collections::HashMap;

use crate::model::field_path::dotted;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::{MINOR, Obstacle, Right, Slip};

/// A misplaced or misspelt field, or one that nobody knows.
pub static UNKNOWN_FIELD: Rule = Rule {
    id: "unknown-field",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "A field stands where the API has none of that name: in the wrong place, or in the wrong letters.",
        why: "Field names tell upper from lower case, and indentation decides what a field belongs to. The API server drops a field that it \
              does not know unless the client asks for strict validation: kubectl does (`--validate=true` is its default) and is refused, \
              Helm does not, and the set comes up without its volume claims, its policy or its probe. Where the right place is known the \
              finding denies, `audit` judges the set as if the field stood there, and `fix` moves it; `post-render` refuses the release, and \
              moves the field where a policy only warns. Where the place is not known, it is a warning: the field may be newer than this \
              program.",
        server: "drops it with a warning; refuses it where the client asks for strict validation, as kubectl does and Helm does not",
        at: &["spec.template.podManagementPolicy"],
        example: "\
spec:
  template:
    podManagementPolicy: Parallel
",
        fix: "Write the field as the finding says, where the finding says.",
        fixed: "\
spec:
  podManagementPolicy: Parallel
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let mut groups: Vec<Vec<(&str, &Right)>> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for slip in &context.slips.all {
        let Slip::Unknown {
            pointer,
            right: Some(right),
            ..
        } = slip
        else {
            continue;
        };
        let ((from, name), (to, field)) = (split(pointer), split(&right.pointer));
        let group = known
            .get(&(from, to))
            .filter(|_| name == field && right.obstacle.is_none());
        if let Some(group) = group.and_then(|at| groups.get_mut(*at)) {
            group.push((pointer, right));
            continue;
        }
        if name == field && right.obstacle.is_none() {
            known.insert((from, to), groups.len());
        }
        groups.push(vec![(pointer, right)]);
    }
    let mut groups = groups.into_iter().peekable();
    for slip in &context.slips.all {
        let Slip::Unknown {
            pointer,
            right,
            kind,
        } = slip
        else {
            continue;
        };
        if right.is_none() {
            violations.push(strange(pointer, *kind).of(pointer));
        } else if let Some(group) =
            groups.next_if(|group| group.first().is_some_and(|first| first.0 == pointer))
        {
            violations.extend(misplaced(context, &group));
        }
    }
}

/// Fields of one mapping that belong in another one are one finding.
fn misplaced(context: &Context<'_>, fields: &[(&str, &Right)]) -> Option<Violation> {
    let ((pointer, right), others) = fields.split_first()?;
    if right.obstacle.is_some() {
        return Some(kept(context, pointer, right).of(*pointer));
    }
    let (mapping, name) = split(pointer);
    let (home, field) = split(&right.pointer);
    // the mapping may have been misspelt itself
    let is_there = mapping == context.slips.written(home);
    let message = match (is_there, others) {
        (true, _) | (false, []) => dropped(is_there, home),
        (false, others) => {
            let names = others.iter().map(|(pointer, _)| split(pointer).1);
            let names: Vec<_> = std::iter::once(name).chain(names).take(SHOWN).collect();
            let more = if fields.len() > SHOWN { ", ..." } else { "" };
            format!(
                "{} fields of {} ({}{more}) are not known there, and the API server drops them; they belong in {}",
                fields.len(),
                place(mapping),
                names.join(", "),
                place(home)
            )
        }
    };
    if context.old.is_some() {
        let violation = Violation::new(*pointer, message, where_a_set_runs(&right.pointer));
        return Some(violation.with(Action::Warn).of(*pointer));
    }
    let help = match (is_there, others) {
        (true, _) => format!("write {field}"),
        (false, []) if field == name => format!("move it to {}", dotted(&right.pointer)),
        (false, []) => format!("write it as {}", dotted(&right.pointer)),
        (false, _) => format!("move them to {}", place(home)),
    };
    Some(Violation::new(*pointer, message, help).of(*pointer))
}

/// How many names of fields one message shows.
const SHOWN: usize = 4;

/// What becomes of a field; `is_there` says that it stands in the mapping that it belongs in.
fn dropped(is_there: bool, home: &str) -> String {
    if is_there {
        return "there is no such field, and the API server drops it".to_owned();
    }
    format!(
        "there is no such field here, and the API server drops it; it belongs in {}",
        place(home)
    )
}

/// A field that is not moved where it belongs.
fn kept(context: &Context<'_>, pointer: &str, right: &Right) -> Violation {
    let (home, field) = split(&right.pointer);
    let is_there = split(pointer).0 == context.slips.written(home);
    let dropped = dropped(is_there, home);
    match &right.obstacle {
        Some(Obstacle::Union(member)) => {
            let (of_union, wanted) = split(home);
            Violation::new(
                pointer,
                dropped,
                format!(
                    "{} has {member} already and may have only one of the two: write {wanted} in its place, or remove {field}",
                    place(of_union)
                ),
            )
            .with(Action::Warn)
        }
        Some(Obstacle::OfDeployment(value)) => Violation::new(
            pointer,
            format!("{dropped}; a StatefulSet calls it {field} and has no {value} there"),
            format!(
                "remove {}: a StatefulSet replaces each pod in place, one at a time",
                split(pointer).1
            ),
        ),
        Some(Obstacle::Taken) | None => {
            let help = format!("remove it: {} is there, too", dotted(&right.pointer));
            Violation::new(pointer, dropped, help)
        }
    }
}

/// The stored set came up without the field, and runs: to refuse its next write would help nobody.
fn where_a_set_runs(right: &str) -> String {
    const CHANGEABLE: [&str; 7] = [
        "replicas",
        "template",
        "updateStrategy",
        "ordinals",
        "minReadySeconds",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ];
    let field = dotted(right);
    let of_spec = right.strip_prefix("/spec/").unwrap_or_default();
    let changeable = of_spec.split('/').next();
    if of_spec.is_empty() || changeable.is_some_and(|name| CHANGEABLE.contains(&name)) {
        format!("write it as {field}: for the set that is stored that is a change")
    } else {
        format!(
            "the set that is stored has come up without it, and {field} cannot change: leave it out until the set is made anew"
        )
    }
}

fn strange(pointer: &str, kind: Option<&str>) -> Violation {
    let message = "the API server has no such field here and drops it, as far as is known";
    let help = match kind {
        Some(kind) => format!("remove it: it is a field of a {kind}"),
        None => format!(
            "correct or remove it, unless another version of Kubernetes than 1.{MINOR} has it"
        ),
    };
    Violation::new(pointer, message, help).with(Action::Warn)
}

/// The mapping and the name of a field.
fn split(pointer: &str) -> (&str, &str) {
    pointer.rsplit_once('/').unwrap_or_default()
}

fn place(mapping: &str) -> String {
    if mapping.is_empty() {
        "the top of the manifest".to_owned()
    } else {
        dotted(mapping)
    }
}
