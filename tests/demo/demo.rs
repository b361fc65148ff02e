//! `make demo`: the five reports through the webhook, step by step, what was asked and what happened.

#[path = "../reports/mod.rs"]
mod reports;
#[path = "../support/mod.rs"]
mod support;

use anyhow::{Context, Result};

use reports::{REPORTS, Stage};
use support::{Cluster, Helm, Settings};

fn main() -> Result<()> {
    let cluster = Cluster::boot(&Settings::beside_example()?)?;
    play(&cluster).with_context(|| cluster.plane().logs(30))
}

fn play(cluster: &Cluster) -> Result<()> {
    for (number, (title, steps)) in REPORTS.iter().enumerate() {
        println!("\nReport {} of {}: {title}", number + 1, REPORTS.len());
        let stage = Stage::new(cluster, Helm::V4, true)?;
        steps(&stage)?;
    }
    println!("\nAll five reports went as promised.");
    Ok(())
}
