//! The rules that claim to say what the API server says, against the API server.

pub(crate) mod generate;
mod kinds;
mod server;
mod update;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread;

use anyhow::{Result, bail};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::Value;
use serde_json::value::to_raw_value;

use jiff::Timestamp;
use steadyset::cluster_view::NoCluster;
use steadyset::model::finding::Phase;
use steadyset::model::version::ServerVersion;
use steadyset::policy::{ClaimMode, Inject, Policy, ProbeMode, ServiceNameMode};
use steadyset::review::{Verdict, review};
use steadyset::strict::{Source, Subject};

use crate::Test;
use crate::support::Cluster;
use server::{Answer, Server};

/// What must hold of every builtin rule.
pub const TESTS: &[Test] = &[
    (
        "builtin_rules_agree_with_the_server",
        builtin_rules_agree_with_the_server,
    ),
    (
        "builtin_rules_agree_with_the_server_on_update",
        update::builtin_rules_agree_with_the_server,
    ),
];

/// Each has a seed and connections of its own.
const SHARDS: u8 = 4;

/// Sets a shard generates.
const SETS: u32 = 600;

/// How often something was seen.
type Counts = BTreeMap<String, usize>;

fn builtin_rules_agree_with_the_server(cluster: &Cluster) -> Result<()> {
    let plain = cluster.namespace()?;
    let guarded = cluster.guarded_namespace()?;
    let results: Vec<_> = thread::scope(|scope| {
        let shards: Vec<_> = (0..SHARDS)
            .map(|seed| {
                scope.spawn(move || {
                    let server = Server::open(cluster, plain.name(), guarded.name());
                    server
                        .map_err(|error| format!("{error:#}"))
                        .and_then(|server| shard(server, seed))
                })
            })
            .collect();
        shards
            .into_iter()
            .map(|shard| {
                shard
                    .join()
                    .unwrap_or_else(|_| Err("a shard panicked".to_owned()))
            })
            .collect()
    });
    let mut counts = Counts::new();
    let mut disagreements = String::new();
    for result in results {
        match result {
            Ok(own) => own
                .into_iter()
                .for_each(|(what, count)| *counts.entry(what).or_default() += count),
            Err(disagreement) => disagreements += &disagreement,
        }
    }
    let mut table = String::from("differential test, how often:\n");
    for (what, count) in &counts {
        writeln!(table, "{count:>6}  {what}")?;
    }
    print!("{table}");
    if !disagreements.is_empty() {
        bail!("{disagreements}");
    }
    for rule in kinds::RULES {
        let seen = format!("agreed: {}", rule.id);
        if !counts.contains_key(&seen) {
            bail!("no generated set breaks {}", rule.id);
        }
    }
    Ok(())
}

/// Runs the sets of one seed; the error is a disagreement with the smallest set that shows it.
fn shard(server: Server<'_>, seed: u8) -> Result<Counts, String> {
    let config = Config {
        cases: SETS,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (server, counts) = (RefCell::new(server), RefCell::new(Counts::new()));
    let outcome = runner.run(&generate::set(), |set| {
        let mut server = server.borrow_mut();
        let answers = server
            .create(&set)
            .and_then(|plain| Ok((plain, server.create_guarded(&set)?)));
        let (plain, guarded) =
            answers.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        compare(&set, &plain, &guarded, &mut counts.borrow_mut()).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => Ok(counts.into_inner()),
        Err(TestError::Fail(reason, set)) => Err(format!(
            "seed {seed}: {reason}\n{}\n",
            serde_json::to_string_pretty(&set).unwrap_or_default()
        )),
        Err(TestError::Abort(reason)) => Err(format!("seed {seed}: {reason}\n")),
    }
}

/// Compares what the rules, the server alone and the server behind the webhook say of a set.
fn compare(
    set: &Value,
    plain: &Answer,
    guarded: &Answer,
    counts: &mut Counts,
) -> Result<(), String> {
    let fired = fired(&judged(set, None)?);
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    count(
        if plain.is_accepted() {
            "accepted by the server"
        } else {
            "refused by the server"
        }
        .to_owned(),
    );
    for rule in &fired {
        if plain.is_accepted() {
            return Err(format!("{rule} fires, and the server accepts the set"));
        }
        count(format!("agreed: {rule}"));
    }
    for cause in plain.causes() {
        let rules = kinds::rules_of(cause);
        if rules.is_empty() {
            count(format!(
                "set aside: {} {}",
                kinds::without_indices(&cause.field),
                cause.reason
            ));
        } else if !rules.iter().any(|rule| fired.contains(rule)) {
            return Err(format!(
                "the server says {cause:?}, and none of {rules:?} fires"
            ));
        }
    }
    behind_the_webhook(plain, guarded, &mut count)
}

/// Nothing that the server accepts is refused by a builtin rule, and no injection makes a set one that it refuses.
fn behind_the_webhook(
    plain: &Answer,
    guarded: &Answer,
    count: &mut impl FnMut(String),
) -> Result<(), String> {
    if let Some(message) = guarded.webhooks_message() {
        for rule in kinds::named_in(message) {
            if plain.is_accepted() && kinds::RULES.iter().any(|builtin| builtin.id == rule) {
                return Err(format!(
                    "the server accepts the set, and the webhook refuses it: {message}"
                ));
            }
            count(format!("refused by the webhook: {rule}"));
        }
        return Ok(());
    }
    for cause in guarded.causes() {
        let field = kinds::without_indices(&cause.field);
        let known = |other: &server::Cause| {
            kinds::without_indices(&other.field) == field && other.reason == cause.reason
        };
        if !plain.causes().iter().any(known) {
            return Err(format!(
                "behind the webhook, and only there, the server says {cause:?}"
            ));
        }
    }
    if !guarded.is_accepted() && plain.is_accepted() {
        return Err(format!(
            "behind the webhook, and only there, the server answers {guarded:?}"
        ));
    }
    if guarded.is_accepted() && !plain.is_accepted() {
        count("accepted behind the webhook alone".to_owned());
    }
    Ok(())
}

/// What is said at `/mutate` of the server under test, nothing injected.
fn judged(set: &Value, old: Option<&Value>) -> Result<Verdict, String> {
    let raw = |value: &Value| to_raw_value(value).map_err(|error| error.to_string());
    let (object, old_object) = (raw(set)?, old.map(raw).transpose()?);
    let source = Source {
        namespace: "default",
        object: &object,
        old_object: old_object.as_deref(),
    };
    let subject = Subject::decode(source).map_err(|error| error.to_string())?;
    let Some(subject) = subject else {
        return Ok(Verdict::default());
    };
    let version = ServerVersion {
        major: 1,
        minor: 36,
        patch: Some(3),
    };
    let cluster = NoCluster {
        version: Some(version),
    };
    let (policies, now) = (nothing_injected().into(), Timestamp::UNIX_EPOCH);
    let verdict = review(&policies, subject, &cluster, Phase::Mutate, now);
    Ok(verdict.unwrap_or_default())
}

/// The builtin rules among the findings.
fn fired(verdict: &Verdict) -> Vec<&'static str> {
    let findings = verdict.findings.iter().map(|finding| finding.rule);
    findings
        .filter(|rule| kinds::RULES.iter().any(|builtin| builtin.id == *rule))
        .collect()
}

fn nothing_injected() -> Policy {
    let mut inject = Inject::default();
    inject.readiness_probe.mode = ProbeMode::Never;
    inject.service_name.mode = ServiceNameMode::Never;
    inject.volume_claims.mode = ClaimMode::Never;
    Policy {
        inject,
        ..Policy::default()
    }
}
