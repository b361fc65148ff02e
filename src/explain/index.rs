//! The list of all rules.

use std::fmt::Write as _;

use super::rule::{family, word};
use crate::rules::{self, Rule};

/// The rules with their families, in their own order; a family is named by the first of its rules.
fn families() -> impl Iterator<Item = (Option<&'static str>, &'static Rule)> {
    let mut before = "";
    rules::all().iter().map(move |rule| {
        let family = family(rule);
        let is_first = family != before;
        before = family;
        (is_first.then_some(family), *rule)
    })
}

pub(super) fn text() -> String {
    let mut text = String::new();
    let widest = rules::all().iter().map(|rule| rule.id.len()).max();
    let column = widest.unwrap_or_default();
    for (family, rule) in families() {
        if let Some(family) = family {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{family}");
        }
        let action = word(rule.action);
        let _ = writeln!(
            text,
            "  {:column$}  {action:5}  {}",
            rule.id, rule.docs.what
        );
    }
    text.push_str("\n`steadyset explain RULE` shows a rule's page, `steadyset explain catalogue` the images whose probes are known.\n");
    text
}

pub(super) fn markdown() -> String {
    let mut text = String::from(
        "# The rules\n\n\
         What `steadyset` finds wrong with a StatefulSet, and what it does about it by default: *deny* refuses the write, *warn* lets\n\
         it through and tells its author, *audit* tells the operator alone. A policy may say otherwise.\n\n\
         These pages are written by `make docs` from the rules themselves, and every example on them is run by the tests:\n\
         each shows only what differs from [a set that nothing is wrong with](#the-set-of-the-examples). Where a finding points,\n\
         `[N]` is a place in a list, and `containers` stands for `initContainers` too. `steadyset explain RULE` shows the same in a\n\
         terminal.\n",
    );
    for (family, rule) in families() {
        if let Some(family) = family {
            let _ = write!(
                text,
                "\n## {family}\n\n| rule | by default | finds |\n| --- | --- | --- |\n"
            );
        }
        let (id, action) = (rule.id, word(rule.action));
        let _ = writeln!(text, "| [{id}]({id}.md) | {action} | {} |", rule.docs.what);
    }
    let _ = write!(
        text,
        "\n## The set of the examples\n\n```yaml\n{}```\n",
        rules::BASE
    );
    text
}
