//! A whole input, fixed: what is read, what becomes of it, and what is said of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use kube::Client;

use super::live::{self, Unanswered};
use crate::audit::files::{World, namespaces, read};
use crate::audit::sources::{Input, Inputs};
use crate::cluster_view::ServiceKeeping;
use crate::cluster_view::manifests::{Kind, Manifests, Object};
use crate::fix::{Fixer, Key, Known, key};
use crate::review::manifest_row::{Judge, is_set};
use crate::review::report::{Options, Report, Unreadable};
use crate::yaml::read::documents;

/// A text of the input, before and after.
#[derive(Debug)]
pub struct Text {
    /// What it is called: the path as it was given, or `-`.
    pub path: String,
    /// The file; `None` for standard input.
    pub place: Option<PathBuf>,
    /// As it was read.
    pub before: String,
    /// As it should be, as far as it could be read.
    pub after: String,
}

/// What became of the input.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every text that could be read, in the order of the input.
    pub texts: Vec<Text>,
    /// What was found of the sets, and what could not be read.
    pub report: Report,
}

/// An input that has been read. Standard input can be read only once, and may have to be fixed twice.
#[derive(Debug)]
pub struct Texts {
    /// What is beside each other.
    worlds: Vec<Vec<(Input, String)>>,
    /// What every world knows.
    namespaces: Vec<Object>,
    errors: Vec<Unreadable>,
    notes: Vec<String>,
}

impl Texts {
    /// Reads files, folders and standard input (`-`).
    #[must_use]
    pub fn read(paths: &[PathBuf], options: &Options) -> Self {
        let inputs = Inputs::of(paths).distinct();
        let namespaces = namespaces(&inputs.worlds, options);
        let mut report = Report::default();
        let worlds = inputs.worlds.into_iter();
        let worlds = worlds.map(|files| read(files, &mut report)).collect();
        Self {
            worlds,
            namespaces,
            errors: [inputs.errors, report.errors].concat(),
            notes: [inputs.notes, report.notes].concat(),
        }
    }

    /// Whether a set of them does not say which namespace it is for.
    #[must_use]
    pub fn lack_namespace(&self) -> bool {
        let texts = self.worlds.iter().flatten();
        let mut found = texts.flat_map(|(_, text)| documents(text).flatten());
        found.any(|document| is_set(&document) && document.namespace.is_empty())
    }
}

/// Fixes an input. Without `client` every set is new.
///
/// # Errors
///
/// [`Unanswered`] if the cluster cannot be asked for the sets.
pub async fn run(
    texts: &Texts,
    options: &Options,
    client: Option<&Client>,
) -> Result<Outcome, Unanswered> {
    let mut outcome = Outcome::default();
    outcome.report.errors.clone_from(&texts.errors);
    outcome.report.notes.clone_from(&texts.notes);
    for world in &texts.worlds {
        let mut around = Manifests::new(options.kube_version, ServiceKeeping::Kept).whole();
        if client.is_none() {
            around.know(Kind::Endpoints);
        }
        let mut world = Beside {
            texts: world,
            known: Known::default(),
            world: World { options, around },
        };
        if let Some(client) = client {
            world.ask(client, &mut outcome.report).await?;
        }
        world.known.own_services = services(world.texts, options);
        for namespace in &texts.namespaces {
            world.world.around.put(namespace.clone());
        }
        world.world.look_around(world.texts, &mut outcome.report);
        let mut fixed = world.fix();
        if let Some(client) = client
            && world.ask_for_pods(client, &fixed.report).await
        {
            fixed = world.fix();
        }
        outcome.report.append(fixed.report);
        outcome.texts.extend(fixed.texts);
    }
    Ok(outcome)
}

/// The texts of one folder, and what is known of their sets.
struct Beside<'t> {
    texts: &'t [(Input, String)],
    known: Known,
    world: World<'t>,
}

impl Beside<'_> {
    async fn ask(&mut self, client: &Client, report: &mut Report) -> Result<(), Unanswered> {
        let options = self.world.options;
        let sets = sets(self.texts, options);
        let beside = (&mut self.world.around, report);
        self.known = live::ask(client, &sets, options, beside).await?;
        Ok(())
    }

    fn fix(&self) -> Outcome {
        let judge = Judge {
            options: self.world.options,
            around: &self.world.around,
        };
        let mut fixer = Fixer::new(judge, &self.known);
        let mut outcome = Outcome::default();
        for (input, text) in self.texts {
            let written = fixer.fix(&input.path, text);
            outcome.report.append(written.report);
            outcome.texts.push(Text {
                path: input.path.clone(),
                place: input.place().map(Into::into),
                before: text.clone(),
                after: written.text,
            });
        }
        outcome
    }

    /// Asks for the pods that earlier sets left where new ones would be changed, and says whether there are any.
    async fn ask_for_pods(&mut self, client: &Client, report: &Report) -> bool {
        for (_, text) in self.texts {
            for document in documents(text).flatten().filter(is_set) {
                let key = key(&document, &self.world.options.namespace);
                let mut rows = report.rows.iter();
                let row = rows.find(|row| (&row.namespace, &row.name) == (&key.0, &key.1));
                let Some(row) = row.filter(|_| !self.known.stored.contains_key(&key)) else {
                    continue;
                };
                let Ok(set) = document.read().and_then(|body| body.json()) else {
                    continue;
                };
                if let Some(pods) = live::orphans(client, row, &set).await {
                    self.known.orphans.insert(key, pods);
                }
            }
        }
        !self.known.orphans.is_empty()
    }
}

/// The Services of the texts.
fn services(texts: &[(Input, String)], options: &Options) -> BTreeSet<Key> {
    let found = texts.iter().flat_map(|(_, text)| documents(text).flatten());
    found
        .filter(|document| document.kind == "Service" && document.api_version == "v1")
        .map(|document| key(&document, &options.namespace))
        .collect()
}

/// The sets of the texts that have a name.
fn sets(texts: &[(Input, String)], options: &Options) -> BTreeSet<Key> {
    let found = texts.iter().flat_map(|(_, text)| documents(text).flatten());
    found
        .filter(is_set)
        .filter(|document| !document.name.is_empty())
        .map(|document| key(&document, &options.namespace))
        .collect()
}
