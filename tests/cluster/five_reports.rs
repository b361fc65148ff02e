//! The five reports, with Helm 3 and with Helm 4.

use anyhow::Result;

use crate::Test;
use crate::reports::{REPORTS, Stage};
use crate::support::{Cluster, Helm};

/// Each report with each Helm.
pub const TESTS: &[Test] = &[
    ("first_with_helm_3", |cluster| play(cluster, 0, Helm::V3)),
    ("first_with_helm_4", |cluster| play(cluster, 0, Helm::V4)),
    ("second_with_helm_3", |cluster| play(cluster, 1, Helm::V3)),
    ("second_with_helm_4", |cluster| play(cluster, 1, Helm::V4)),
    ("third_with_helm_3", |cluster| play(cluster, 2, Helm::V3)),
    ("third_with_helm_4", |cluster| play(cluster, 2, Helm::V4)),
    ("fourth_with_helm_3", |cluster| play(cluster, 3, Helm::V3)),
    ("fourth_with_helm_4", |cluster| play(cluster, 3, Helm::V4)),
    ("fifth_with_helm_3", |cluster| play(cluster, 4, Helm::V3)),
    ("fifth_with_helm_4", |cluster| play(cluster, 4, Helm::V4)),
];

fn play(cluster: &Cluster, report: usize, helm: Helm) -> Result<()> {
    let (_, steps) = REPORTS[report];
    steps(&Stage::new(cluster, helm, false)?)
}
