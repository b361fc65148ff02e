//! Tests on a real control plane, which all of them share; each has namespaces of its own.
//!
//! The control plane boots when the first selected test asks for it, and is gone when the program ends.

#[path = "../reports/mod.rs"]
mod reports;
#[path = "../support/mod.rs"]
mod support;

mod answer_rows;
mod answers;
mod api;
mod apply;
mod audit;
mod authored;
mod certificates;
mod chart;
mod claims;
mod corpus;
mod dangling;
mod differential;
mod five_reports;
mod follow;
mod gitops;
mod given;
mod governing_service;
mod helm;
mod linkage;
mod liveness;
mod names;
mod older_sets;
mod on_delete;
mod orphans;
mod pages;
mod parity;
mod pods;
mod policy;
mod post_render;
mod record;
mod rollout;
mod smoke;
mod trust;
mod undo;
mod web;
mod writes;
mod yielding;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use support::{Cluster, Settings};

/// A test: its name, and what must hold.
pub type Test = (&'static str, fn(&Cluster) -> Result<()>);

/// Tests mostly wait for the cluster, so more of them run at once than there are cores.
const THREADS: usize = 6;

/// The one control plane, or why there is none.
type Shared = Arc<OnceLock<Result<Cluster, String>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let [shared, policies, charts, rights, certified, written]: [Shared; 6] = Default::default();
    let mut trials = trials(&shared);
    trials.extend(own_trials(
        "policy",
        policy::TESTS,
        &policies,
        policy::prepare,
    ));
    trials.extend(own_trials("chart", chart::TESTS, &charts, chart::prepare));
    trials.extend(own_trials(
        "certificates",
        certificates::TESTS,
        &certified,
        certificates::prepare,
    ));
    trials.extend(own_trials(
        "rights",
        &[chart::rights::TESTS],
        &rights,
        chart::rights::prepare,
    ));
    trials.extend(own_trials(
        "writes",
        writes::TESTS,
        &written,
        writes::prepare,
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    for shared in [shared, policies, charts, rights, certified, written] {
        show_logs(&conclusion, &shared);
    }
    conclusion.exit_code()
}

fn trials(shared: &Shared) -> Vec<Trial> {
    let topics = [
        ("smoke", smoke::TESTS),
        ("differential", differential::TESTS),
        ("linkage", linkage::TESTS),
        ("governing_service", governing_service::TESTS),
        ("older_sets", older_sets::TESTS),
        ("orphans", orphans::TESTS),
        ("reports", five_reports::TESTS),
        ("answers", answers::TESTS),
        ("gitops", gitops::TESTS),
        ("helm", helm::TESTS),
        ("on_delete", on_delete::TESTS),
        ("rollout", rollout::TESTS),
        ("corpus", corpus::TESTS),
        ("apply", apply::TESTS),
        ("yielding", yielding::TESTS),
        ("undo", undo::TESTS),
        ("follow", follow::TESTS),
        ("claims", claims::TESTS),
        ("dangling", dangling::TESTS),
        ("record", record::TESTS),
        ("audit", audit::TESTS),
        ("authored", authored::TESTS),
        ("names", names::TESTS),
        ("parity", parity::TESTS),
        ("pods", pods::TESTS),
        ("pages", pages::TESTS),
        ("trust", trust::TESTS),
        ("liveness", liveness::TESTS),
        ("post_render", post_render::TESTS),
    ];
    let named = topics
        .iter()
        .flat_map(|(topic, tests)| tests.iter().map(move |test| (topic, test)));
    named
        .map(|(topic, (name, test))| {
            let shared = Arc::clone(shared);
            Trial::test(format!("{topic}::{name}"), move || run(&shared, *test))
        })
        .collect()
}

/// What is for a whole cluster has one of its own, without what runs StatefulSets.
fn own_trials(
    topic: &str,
    tests: &'static [&'static [Test]],
    shared: &Shared,
    prepare: fn(&Cluster) -> Result<()>,
) -> Vec<Trial> {
    let named = tests.iter().copied().flatten();
    named
        .map(|(name, test)| {
            let shared = Arc::clone(shared);
            Trial::test(format!("{topic}::{name}"), move || {
                finish(shared.get_or_init(|| own_cluster(prepare)), *test)
            })
        })
        .collect()
}

fn run(shared: &Shared, test: fn(&Cluster) -> Result<()>) -> Result<(), Failed> {
    let boot = || {
        let settings = Settings::new(env!("CARGO_BIN_EXE_steadyset"));
        Cluster::boot(&settings).map_err(|error| format!("{error:#}"))
    };
    finish(shared.get_or_init(boot), test)
}

fn own_cluster(prepare: fn(&Cluster) -> Result<()>) -> Result<Cluster, String> {
    let settings = Settings::new(env!("CARGO_BIN_EXE_steadyset")).without_workloads();
    let boot = || {
        let cluster = Cluster::boot(&settings)?;
        prepare(&cluster)?;
        Ok(cluster)
    };
    boot().map_err(|error: anyhow::Error| format!("{error:#}"))
}

fn finish(
    cluster: &Result<Cluster, String>,
    test: fn(&Cluster) -> Result<()>,
) -> Result<(), Failed> {
    test(cluster.as_ref()?).map_err(|error| format!("{error:#}").into())
}

/// Where something failed, the logs often know why.
fn show_logs(conclusion: &Conclusion, shared: &Shared) {
    if let (true, Some(Ok(cluster))) = (conclusion.has_failed(), shared.get()) {
        eprintln!("{}", cluster.plane().logs(30));
    }
}
