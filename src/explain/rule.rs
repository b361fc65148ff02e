//! The page of a rule.

use super::example::{self, Broken};
use super::page::{Block, Page};
use crate::model::finding::Action;
use crate::rules;
use crate::rules::{Builtin, Rule};

/// The families of rules, by the first part of their source under `src/rules`.
const FAMILIES: [(&str, &str); 8] = [
    ("pod_management", STRATEGY),
    ("update_strategy", STRATEGY),
    ("immutable", STRATEGY),
    ("service_linkage", "Service linkage"),
    ("volumes", "Volumes"),
    ("pods", "Pods"),
    ("authored", "Only where the author's file is seen"),
    ("annotations", "Annotations of steadyset"),
];

const STRATEGY: &str = "Update strategy and pod management";

/// The family that the rule belongs to.
pub(super) fn family(rule: &Rule) -> &'static str {
    let mut parts = rule.docs.file.split(['/', '\\', '.']).skip(2);
    let part = parts.next().unwrap_or_default();
    let family = FAMILIES.iter().find(|(start, _)| *start == part);
    family.map_or("Other rules", |(_, family)| family)
}

/// The action as a word of a policy and a report.
pub(super) fn word(action: Action) -> &'static str {
    match action {
        Action::Audit => "audit",
        Action::Warn => "warn",
        Action::Deny => "deny",
    }
}

/// The page, with what the program says to the example.
///
/// # Errors
///
/// [`Broken`] if the example cannot be run.
pub(super) fn page(rule: &Rule) -> Result<Page, Broken> {
    let docs = &rule.docs;
    let mut page = Page::new(rule.id, docs.what);
    page.fact("By default", vec![effect(rule).to_owned()]);
    page.fact("API server", vec![server(rule)]);
    let fields = docs.at.iter().map(|field| format!("`{field}`"));
    page.fact("Points at", fields.collect());
    page.fact(
        "Source",
        vec![format!("`{}`", docs.file.replace('\\', "/"))],
    );
    page.section("Why", vec![Block::prose(docs.why)]);
    page.section("Example", example(rule)?);
    page.section("Fix", fix(rule));
    page.section("Exempt", exempt(rule));
    Ok(page)
}

fn effect(rule: &Rule) -> &'static str {
    match rule.action {
        Action::Deny if rule.is_of_the_file() => {
            "deny: `audit`, `fix` and `post-render` fail; the webhook never sees it"
        }
        _ if rule.is_of_the_file() => {
            "warn: `audit`, `fix` and `post-render` say so; the webhook never sees it"
        }
        Action::Audit => "audit: only the operator's log and metrics have it",
        Action::Warn => "warn: the write goes through, and its author reads the finding",
        Action::Deny => "deny: the write is refused",
    }
}

/// Whether the API server rejects the same, and since when.
fn server(rule: &Rule) -> String {
    if !rule.docs.server.is_empty() {
        return rule.docs.server.to_owned();
    }
    match rule.builtin {
        Builtin::Never => "accepts it".to_owned(),
        Builtin::Always => "refuses the same, whatever its version".to_owned(),
        Builtin::Since(minor) => format!("refuses the same from Kubernetes 1.{minor}"),
        Builtin::OnCreateSince(minor) => {
            format!("refuses the same from Kubernetes 1.{minor}, in a new set")
        }
        Builtin::Where(_) => "refuses the same in some cases".to_owned(),
    }
}

fn example(rule: &Rule) -> Result<Vec<Block>, Broken> {
    let docs = &rule.docs;
    let mut blocks = Vec::new();
    if !docs.version.is_empty() {
        let server = format!("On a server of Kubernetes {}:", docs.version);
        blocks.push(Block::prose(server));
    }
    if !docs.cluster.is_empty() {
        blocks.push(Block::prose("In the cluster there is"));
        blocks.push(Block::yaml(docs.cluster));
    }
    if docs.stored.is_empty() {
        blocks.push(Block::prose("A set has"));
    } else {
        blocks.push(Block::prose("A set that is stored with"));
        blocks.push(Block::yaml(docs.stored));
        blocks.push(Block::prose("is changed to"));
    }
    blocks.push(Block::yaml(docs.example));
    blocks.push(Block::prose("and steadyset says"));
    for finding in example::found(docs)? {
        blocks.push(Block::Says(finding.line()));
    }
    Ok(blocks)
}

fn fix(rule: &Rule) -> Vec<Block> {
    let docs = &rule.docs;
    let mut blocks = vec![Block::prose(docs.fix)];
    if docs.fixed.is_empty() {
        return blocks;
    }
    blocks.push(Block::prose("The example put right:"));
    if !docs.fixed_cluster.is_empty() {
        blocks.push(Block::yaml(docs.fixed_cluster));
        blocks.push(Block::prose("beside"));
    }
    blocks.push(Block::yaml(docs.fixed));
    blocks
}

fn exempt(rule: &Rule) -> Vec<Block> {
    let id = rule.id;
    let mut blocks = vec![
        Block::prose(
            "One set, where its policy allows that. A reason is required; the date is not, and after it the exemption no longer counts:",
        ),
        Block::yaml(format!(
            "metadata:\n  annotations:\n    steadyset.io/exempt: \"{id}: why this set may\"\n    \
             steadyset.io/exempt-until: \"2027-01-31T00:00:00Z\"\n"
        )),
        Block::prose(format!(
            "All sets of a `StatefulSetPolicy` ({}):",
            actions(rule)
        )),
        Block::yaml(format!("spec:\n  rules:\n    {id}: Ignore\n")),
    ];
    blocks.extend(all_the_same(rule).map(Block::prose));
    blocks
}

/// The actions that a policy may give a rule instead of its own.
fn actions(rule: &Rule) -> &'static str {
    match rule.action {
        Action::Deny if rule.is_of_the_file() => {
            "`Warn` shows the finding and lets the manifest through, `Ignore` drops it"
        }
        _ if rule.is_of_the_file() => {
            "`Deny` refuses the manifest, `Audit` shows the finding as a note, `Ignore` drops it"
        }
        Action::Deny => "`Warn` shows the finding and lets the write through, `Ignore` drops it",
        _ if rule.may_deny => {
            "`Deny` refuses the write, `Audit` shows the finding to the operator alone, `Ignore` drops it"
        }
        _ => {
            "`Audit` shows the finding to the operator alone, `Ignore` drops it; this rule never denies"
        }
    }
}

/// What an exemption cannot do.
fn all_the_same(rule: &Rule) -> Option<String> {
    let when = match rule.builtin {
        Builtin::Never => return None,
        Builtin::Always => String::new(),
        Builtin::Since(minor) => format!(" from Kubernetes 1.{minor}"),
        Builtin::OnCreateSince(minor) => format!(" from Kubernetes 1.{minor}, if it is new"),
        Builtin::Where(_) => " where it does by itself".to_owned(),
    };
    Some(format!(
        "Either way the API server still refuses the set{when}, in its own words."
    ))
}

/// The prose with a link to every rule that it names.
pub(super) fn linked(prose: &str) -> String {
    let is_part = |character: char| character.is_ascii_lowercase() || character == '-';
    let mut text = String::with_capacity(prose.len());
    for chunk in prose.split_inclusive(|character| !is_part(character)) {
        let word = chunk.trim_end_matches(|character| !is_part(character));
        if rules::all().iter().any(|rule| rule.id == word) {
            text.push_str(&chunk.replace(word, &format!("[{word}]({word}.md)")));
        } else {
            text.push_str(chunk);
        }
    }
    text
}
