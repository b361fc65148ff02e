//! How many findings a user reads, and how long: one file or one write must not make an answer that nobody can.

use super::finding::Finding;
use super::text::{clipped, grouped};

/// The most findings of a rule that are listed.
pub const OF_A_RULE: usize = 20;

/// The most findings that are listed in all.
pub const IN_ALL: usize = 100;

/// The most characters of what is wrong, and of what to write instead.
const TEXT: usize = 1_000;

/// The longest pointer in bytes; a longer one, into a map of users' keys, points at what is around it.
const POINTER: usize = 1_000;

/// A finding that is listed, and how many it stands for.
type Counted = (Finding, usize);

/// Leaves out the findings that are too many, the severest last, and says how many those are.
pub fn apply(findings: &mut Vec<Finding>) {
    let mut rest = std::mem::take(findings).into_iter().peekable();
    let mut listed: Vec<Counted> = Vec::new();
    while let Some(first) = rest.next() {
        let rule = first.rule;
        let mut of_rule = vec![(first, 1)];
        while let Some(next) = rest.next_if(|next| next.rule == rule) {
            of_rule.push((next, 1));
        }
        listed.extend(at_most(OF_A_RULE, of_rule, "of a rule"));
    }
    if listed.len() > IN_ALL {
        listed = at_most(IN_ALL - 1, listed, "in all");
    }
    findings.extend(listed.into_iter().map(|(finding, _)| short(finding)));
}

/// The severest, in the order in which they were, and one that counts the others.
fn at_most(limit: usize, mut findings: Vec<Counted>, scope: &str) -> Vec<Counted> {
    if findings.len() <= limit {
        return findings;
    }
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|index| {
        std::cmp::Reverse(findings.get(*index).map(|(finding, _)| finding.action))
    });
    let mut is_listed = vec![false; findings.len()];
    for index in order.into_iter().take(limit) {
        if let Some(listed) = is_listed.get_mut(index) {
            *listed = true;
        }
    }
    let mut is_listed = is_listed.into_iter();
    let others: Vec<Counted> = findings
        .extract_if(.., |_| !is_listed.next().unwrap_or_default())
        .collect();
    findings.extend(summary(others, limit, scope));
    findings
}

/// It stands where the first of the others would, and does what the severest of them does.
fn summary(others: Vec<Counted>, limit: usize, scope: &str) -> Option<Counted> {
    let count = others.iter().map(|(_, count)| count).sum();
    let action = others.iter().map(|(finding, _)| finding.action).max()?;
    let (first, _) = others.into_iter().next()?;
    let finding = Finding {
        action,
        message: format!("and {} more", grouped(count)),
        help: format!("at most {limit} {scope} are listed"),
        ..first
    };
    Some((finding, count))
}

fn short(finding: Finding) -> Finding {
    let mut pointer = finding.pointer;
    while pointer.len() > POINTER {
        pointer.truncate(pointer.rfind('/').unwrap_or(0));
    }
    Finding {
        pointer,
        message: clipped(&finding.message, TEXT),
        help: clipped(&finding.help, TEXT),
        ..finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Action;

    fn finding(rule: &'static str, index: usize, action: Action) -> Finding {
        Finding {
            rule,
            action,
            pointer: format!("/spec/{index}"),
            message: format!("m{index}"),
            help: "help".to_owned(),
        }
    }

    fn limited(mut findings: Vec<Finding>) -> Vec<Finding> {
        apply(&mut findings);
        findings
    }

    #[test]
    fn few_findings_stay_as_they_are() {
        let few: Vec<Finding> = (0..20)
            .map(|index| finding("a", index, Action::Warn))
            .collect();
        assert_eq!(limited(few.clone()), few);
        assert!(limited(Vec::new()).is_empty());
    }

    #[test]
    fn of_many_of_a_rule_twenty_are_listed_and_the_others_counted() {
        let many = (0..4_000).map(|index| finding("a", index, Action::Warn));
        let listed = limited(many.chain([finding("b", 0, Action::Warn)]).collect());
        assert_eq!(listed.len(), 22);
        assert_eq!(
            listed[20].line(),
            "steadyset: spec[20]: and 3,980 more; at most 20 of a rule are listed [a]"
        );
        assert_eq!(listed[21].rule, "b");
    }

    #[test]
    fn a_denial_is_never_left_out_for_a_warning() {
        let warnings = (0..30).map(|index| finding("a", index, Action::Warn));
        let listed = limited(warnings.chain([finding("a", 30, Action::Deny)]).collect());
        assert_eq!(listed[19].pointer, "/spec/30");
        assert_eq!(listed[20].message, "and 11 more");
        assert_eq!(listed[20].action, Action::Warn);
        let denials = (0..30).map(|index| finding("a", index, Action::Deny));
        assert_eq!(limited(denials.collect())[20].action, Action::Deny);
    }

    #[test]
    fn in_all_a_hundred_are_listed() {
        const RULES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let many = RULES
            .into_iter()
            .flat_map(|rule| (0..50).map(move |index| finding(rule, index, Action::Warn)));
        let listed = limited(many.collect());
        assert_eq!(listed.len(), IN_ALL);
        assert_eq!(listed[99].rule, "e");
        assert_eq!(listed[99].message, "and 185 more");
    }

    #[test]
    fn no_field_of_a_finding_is_long() {
        let long = "x".repeat(1 << 20);
        let finding = Finding {
            pointer: format!("/metadata/annotations/{long}"),
            message: long.clone(),
            help: long,
            ..finding("a", 0, Action::Deny)
        };
        let listed = limited(vec![finding]).remove(0);
        assert_eq!(listed.pointer, "/metadata/annotations");
        assert_eq!(listed.message.chars().count(), 1_000);
        assert_eq!(listed.help.chars().count(), 1_000);
    }
}
