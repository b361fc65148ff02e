//! `steadyset certs`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::certs;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an authority and a server certificate, valid for a year
    ///
    /// Writes ca.crt (for the caBundle), tls.crt and tls.key into a folder. The key of the authority is not kept.
    Generate(Generate),
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// A DNS name or IP address that the certificate is for; repeatable
    #[arg(long = "dns", value_name = "NAME", required = true, value_delimiter = ',', num_args = 1..)]
    names: Vec<String>,
    /// The folder, made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Command {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Generate(args) = self;
        let issued = certs::issue(&args.names, jiff::Timestamp::now())?;
        let written = certs::write(&issued, &args.out).context("cannot write the certificates")?;
        for path in written {
            println!("{}", path.display());
        }
        Ok(())
    }
}
