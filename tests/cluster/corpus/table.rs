//! The one table of what the surfaces may differ in: `docs/audit.md` has it, and the tests read it there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

const PAGE: &str = "docs/audit.md";
const HEADING: &str = "## Where the surfaces differ";

/// Where a set is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surface {
    File,
    Webhook,
    Cluster,
}

/// A rule that is heard on one surface and not on another.
pub type Difference = (String, Surface, Surface);

/// What was seen to differ, each with a set that shows it.
#[derive(Debug, Default)]
pub struct Differences(BTreeMap<Difference, String>);

impl Differences {
    /// Compares the rules that are heard on two surfaces.
    pub fn compare(
        &mut self,
        (one, rules): (Surface, &BTreeSet<String>),
        (other, others): (Surface, &BTreeSet<String>),
        set: &str,
    ) {
        let mut note = |rule: &String, heard, silent| {
            let difference = (rule.clone(), heard, silent);
            self.0.entry(difference).or_insert_with(|| set.to_owned());
        };
        rules
            .difference(others)
            .for_each(|rule| note(rule, one, other));
        others
            .difference(rules)
            .for_each(|rule| note(rule, other, one));
    }

    /// That the table has them all.
    pub fn are_known(&self) -> Result<()> {
        let known = known()?;
        let unknown = self
            .0
            .iter()
            .filter(|(difference, _)| !known.contains(difference));
        let unknown: Vec<_> = unknown.collect();
        ensure!(
            unknown.is_empty(),
            "not in the table of {PAGE}: {unknown:#?}"
        );
        Ok(())
    }

    /// That the table has them all, and that nothing else is in it but what cannot be written to a server.
    pub fn are_all_that_is_known(&self, unwritten: &[(&str, Surface)]) -> Result<()> {
        self.are_known()?;
        let seen: BTreeSet<&Difference> = self.0.keys().collect();
        let known = known()?;
        let unseen = known.iter().filter(|difference| {
            !seen.contains(difference) && !unwritten.contains(&(&*difference.0, difference.2))
        });
        let unseen: Vec<_> = unseen.collect();
        ensure!(
            unseen.is_empty(),
            "in the table of {PAGE}, and not seen: {unseen:#?}"
        );
        Ok(())
    }
}

/// What the rows say: every surface is held against the file.
fn known() -> Result<BTreeSet<Difference>> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE))?;
    let (_, section) = page
        .split_once(HEADING)
        .with_context(|| format!("{PAGE} has no {HEADING:?}"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut known = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| [")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, rule, file, webhook, cluster, why, _] = cells[..] else {
            anyhow::bail!("{row}");
        };
        let rule = rule
            .trim_start_matches('[')
            .split(']')
            .next()
            .unwrap_or_default();
        ensure!(
            steadyset::rules::named(rule).is_some() && !why.is_empty(),
            "{row}"
        );
        let words = [(Surface::Webhook, webhook), (Surface::Cluster, cluster)];
        for (surface, word) in words {
            match (file, word) {
                ("yes", "no") => known.insert((rule.to_owned(), Surface::File, surface)),
                ("no", "yes") => known.insert((rule.to_owned(), surface, Surface::File)),
                ("yes", "yes") | ("no", "no") => continue,
                _ => anyhow::bail!("{row}"),
            };
        }
    }
    ensure!(!known.is_empty(), "the table of {PAGE} is empty");
    Ok(known)
}
