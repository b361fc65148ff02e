//! The pages say what is true, and say it to somebody who reads of it for the first time.

use super::*;
use crate::model::finding::Action;

#[test]
fn every_example_is_found_by_its_rule_alone() {
    for rule in rules::all() {
        let found =
            example::found(&rule.docs).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [rule.id], "{found:#?}");
        assert_eq!(found[0].action, rule.action, "{}", rule.id);
    }
}

#[test]
fn nothing_is_found_in_an_example_put_right() {
    for rule in rules::all() {
        let left = example::left(&rule.docs).unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        assert!(left.is_empty(), "{}: {left:#?}", rule.id);
    }
}

#[test]
fn a_finding_points_where_the_page_says() {
    for rule in rules::all() {
        for finding in example::found(&rule.docs).unwrap() {
            let field = general(&finding.field());
            assert!(rule.docs.at.contains(&&*field), "{}: {field}", rule.id);
        }
    }
}

/// A field with `[N]` for an index and `[KEY]` for a key.
fn general(field: &str) -> String {
    let mut parts = field.split('[');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (key, rest) = part.split_once(']').unwrap();
        let is_index = key.bytes().all(|byte| byte.is_ascii_digit());
        text.extend([if is_index { "[N]" } else { "[KEY]" }, rest]);
    }
    text
}

#[test]
fn every_page_is_whole() {
    for rule in rules::all() {
        let docs = &rule.docs;
        let id = rule.id;
        assert!(
            docs.what.ends_with('.') && docs.what.len() <= 110,
            "{id}: {}",
            docs.what
        );
        for prose in [docs.why, docs.fix] {
            assert!(prose.len() > 40 && prose.trim() == prose, "{id}: {prose}");
        }
        assert!(docs.example.ends_with('\n') && !docs.at.is_empty(), "{id}");
        assert_ne!(rule::family(rule), "Other rules", "{id} in {}", docs.file);
    }
}

#[test]
fn a_topic_is_a_rule_or_an_entry() {
    for rule in rules::all() {
        assert!(matches!(Topic::parse(rule.id), Ok(Topic::Rule(found)) if found.id == rule.id));
    }
    for entry in entries::all() {
        assert!(
            matches!(Topic::parse(&entry_name(entry)), Ok(Topic::Entry(found)) if found == entry)
        );
    }
    assert!(matches!(Topic::parse("catalogue"), Ok(Topic::Catalogue)));
}

#[test]
fn an_unknown_topic_gets_the_nearest_name() {
    let says = |name: &str| Topic::parse(name).err().unwrap().to_string();
    let start = "there is no rule and no catalogue entry of that name; ";
    for (name, help) in [
        ("service-mising", "did you mean service-missing?"),
        ("catalogue/rediss", "did you mean catalogue/redis?"),
        ("redis", "did you mean catalogue/redis?"),
        ("catalog", "did you mean catalogue?"),
        (
            "xyz",
            "`steadyset explain` lists the rules, `steadyset explain catalogue` the entries",
        ),
    ] {
        assert_eq!(says(name), format!("{start}{help}"));
    }
}

#[test]
fn prose_links_the_rules_that_it_names() {
    assert_eq!(
        rule::linked("See service-missing, not `service-missingly` (service-missing)."),
        "See [service-missing](service-missing.md), not `service-missingly` ([service-missing](service-missing.md))."
    );
}

#[test]
fn the_list_has_every_rule_once_below_its_family() {
    let list = list();
    for rule in rules::all() {
        let row = list
            .lines()
            .filter(|line| line.trim_start().starts_with(&format!("{} ", rule.id)));
        let rows: Vec<&str> = row.collect();
        assert!(
            matches!(rows[..], [row] if row.ends_with(rule.docs.what)),
            "{rows:?}"
        );
        let action = match rule.action {
            Action::Deny => " deny ",
            Action::Warn => " warn ",
            Action::Audit => " audit ",
        };
        assert!(rows[0].contains(action), "{rows:?}");
    }
    let families: Vec<&str> = list
        .lines()
        .filter(|line| line.starts_with(char::is_uppercase))
        .collect();
    let mut once = families.clone();
    once.dedup();
    once.sort_unstable();
    once.dedup();
    assert_eq!(families.len(), once.len(), "{families:?}");
}
