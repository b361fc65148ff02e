//! What a shell and `man` know of the commands.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, print};

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "steadyset", &mut script);
        Ok(print(&String::from_utf8(script)?)?)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// The folder, made if it is not there: a page for each command
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let place = || self.folder.display().to_string();
        fs::create_dir_all(&self.folder).with_context(place)?;
        clap_mangen::generate_to(Cli::command(), &self.folder).with_context(place)
    }
}
