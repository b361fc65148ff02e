//! What the webhook knows of the cluster when it judges.

use anyhow::{Result, ensure};

use crate::Test;
use crate::support::Cluster;

/// What it knows, and with which rights.
pub const TESTS: &[Test] = &[(
    "every_cache_is_filled_with_the_rights_of_the_manifest",
    every_cache_is_filled_with_the_rights_of_the_manifest,
)];

fn every_cache_is_filled_with_the_rights_of_the_manifest(cluster: &Cluster) -> Result<()> {
    let webhook = cluster.webhook()?;
    let kinds = [
        "services",
        "storageclasses",
        "poddisruptionbudgets",
        "namespaces",
    ];
    for kind in kinds {
        let label = format!("kind=\"{kind}\"");
        let ready = webhook.metric_sum("steadyset_cache_ready", &label)?;
        ensure!(ready > 0.0, "{kind}: {}", webhook.log());
    }
    Ok(())
}
