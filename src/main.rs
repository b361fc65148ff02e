//! The program; everything it does is in the library.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    steadyset::cli::Cli::parse().run()
}
