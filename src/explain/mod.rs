//! What is said of a rule, or of an entry of the image catalogue, to somebody who asks: `steadyset explain`, and the
//! pages under `docs/rules/`.

mod catalogue;
pub mod example;
mod index;
mod page;
mod rule;

use thiserror::Error;

pub use page::Page;

use crate::catalogue as entries;
use crate::catalogue::Entry;
use crate::model::spelling::nearest;
use crate::rules::{self, Rule};

/// Under which the record and `steadyset explain` name an entry of the catalogue.
const CATALOGUE: &str = "catalogue";

/// What can be asked for.
#[derive(Clone, Copy)]
pub enum Topic {
    /// A rule, by its id.
    Rule(&'static Rule),
    /// The image catalogue: `catalogue`.
    Catalogue,
    /// An entry of it: `catalogue/<name>`.
    Entry(&'static Entry),
}

/// A name of nothing.
#[derive(Debug, Error)]
#[error("there is no rule and no catalogue entry of that name; {0}")]
pub struct UnknownTopic(String);

impl Topic {
    /// The rule, the entry or the catalogue of that name.
    ///
    /// # Errors
    ///
    /// [`UnknownTopic`], with the name that was probably meant.
    pub fn parse(name: &str) -> Result<Self, UnknownTopic> {
        if name == CATALOGUE {
            return Ok(Self::Catalogue);
        }
        if let Some(rule) = rules::named(name) {
            return Ok(Self::Rule(rule));
        }
        let entry = name
            .split_once('/')
            .filter(|(of, _)| *of == CATALOGUE)
            .and_then(|(_, entry)| entries::named(entry));
        entry.map(Self::Entry).ok_or_else(|| unknown(name))
    }

    /// Its page.
    ///
    /// # Errors
    ///
    /// [`example::Broken`] if a rule's example cannot be run; a test sees to it that all can.
    pub fn page(self) -> Result<Page, example::Broken> {
        match self {
            Self::Rule(rule) => rule::page(rule),
            Self::Catalogue => Ok(catalogue::index()),
            Self::Entry(entry) => Ok(catalogue::page(entry)),
        }
    }
}

fn unknown(name: &str) -> UnknownTopic {
    let own = name.rsplit('/').next().unwrap_or(name);
    let near_entry = entries::named(own).or_else(|| {
        let near = nearest(own, entries::all().map(|entry| entry.name))?;
        entries::named(near)
    });
    let ids = rules::all().iter().map(|rule| rule.id);
    let near = nearest(name, ids.chain([CATALOGUE])).filter(|near| !name.starts_with(near));
    let near = near
        .map(str::to_owned)
        .or_else(|| near_entry.map(entry_name));
    UnknownTopic(near.map_or_else(
        || {
            "`steadyset explain` lists the rules, `steadyset explain catalogue` the entries"
                .to_owned()
        },
        |near| format!("did you mean {near}?"),
    ))
}

fn entry_name(entry: &Entry) -> String {
    format!("{CATALOGUE}/{}", entry.name)
}

/// The list of all rules, by family.
#[must_use]
pub fn list() -> String {
    index::text()
}

/// A file of the documentation.
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds.
    pub content: String,
}

/// Every rule's page in Markdown, `<id>.md`, and `README.md`, which lists them.
///
/// # Errors
///
/// [`example::Broken`] if a rule's example cannot be run; a test sees to it that all can.
pub fn files() -> Result<Vec<File>, example::Broken> {
    let pages = rules::all().iter().map(|rule| {
        Ok(File {
            name: format!("{}.md", rule.id),
            content: rule::page(rule)?.markdown(rule::linked),
        })
    });
    let mut files = pages.collect::<Result<Vec<File>, example::Broken>>()?;
    files.push(File {
        name: "README.md".to_owned(),
        content: index::markdown(),
    });
    Ok(files)
}

#[cfg(test)]
mod tests;
