//! `steadyset explain`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::print;
use crate::explain::{self, Topic, UnknownTopic};

/// Shows pages.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rule's id, `catalogue`, or an entry of it such as `catalogue/redis`; without one, all rules are listed
    #[arg(value_name = "RULE", value_parser = known)]
    name: Option<String>,
    /// Write every rule's page as Markdown into this folder, made if it is not there
    #[arg(
        long,
        env = "STEADYSET_MARKDOWN",
        value_name = "DIR",
        conflicts_with = "name"
    )]
    markdown: Option<PathBuf>,
}

fn known(name: &str) -> Result<String, UnknownTopic> {
    Topic::parse(name).map(|_| name.to_owned())
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if let Some(folder) = self.markdown {
            return write(&folder);
        }
        let text = match self.name {
            Some(name) => Topic::parse(&name)?.page()?.text(),
            None => explain::list(),
        };
        Ok(print(&text)?)
    }
}

fn write(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for file in explain::files()? {
        let path = folder.join(&file.name);
        fs::write(&path, file.content)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
