//! The program; everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    steadyset::cli::Cli::parse().run()
}
