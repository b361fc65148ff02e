//! The same on UPDATE: a set that the server has stored, and another written over it.

use anyhow::{Context, Result, anyhow, bail, ensure};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{Counts, fired, generate, judged, kinds};
use crate::support::Cluster;

/// Sets that are stored.
const STORED: usize = 24;

/// Writes over them.
const WRITES: usize = 1_500;

/// What a set keeps for life.
const KEPT: [&str; 4] = [
    "serviceName",
    "selector",
    "podManagementPolicy",
    "volumeClaimTemplates",
];

pub fn builtin_rules_agree_with_the_server(cluster: &Cluster) -> Result<()> {
    let ns = cluster.namespace()?;
    let mut server = Server::open(cluster, ns.name(), ns.name())?;
    let mut sets = Sets::new();
    let stored = stored(&mut server, &mut sets)?;
    let mut counts = Counts::new();
    for (number, old) in (0..WRITES).zip(stored.iter().cycle()) {
        // most writes leave alone what cannot change, or nothing else would be seen
        let kept: &[&str] = if number % 5 == 0 { &[] } else { &KEPT };
        let new = over(old, &sets.next()?, kept);
        let answer = server.replace(&new)?;
        compare(old, &new, &answer, &mut counts)
            .map_err(|reason| anyhow!("{reason}\nstored: {old:#}\nwritten: {new:#}"))?;
    }
    println!("differential test on UPDATE, how often: {counts:#?}");
    let seen = |what: &str| counts.keys().any(|key| key.starts_with(what));
    ensure!(seen("accepted") && seen("refused"), "{counts:?}");
    for kind in kinds::RULES {
        let known = seen(&format!("agreed: {}", kind.id));
        ensure!(
            known || ON_CREATE.contains(&kind.id),
            "no write breaks {}",
            kind.id
        );
    }
    Ok(())
}

/// The server looks at these when a set is created, and never again: they cannot change.
const ON_CREATE: [&str; 2] = ["service-name-invalid", "claim-incomplete"];

/// The generated sets, one after the other.
struct Sets {
    runner: TestRunner,
}

impl Sets {
    fn new() -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[99; 32]);
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    fn next(&mut self) -> Result<Value> {
        let tree = generate::set().new_tree(&mut self.runner);
        Ok(tree.map_err(|reason| anyhow!("{reason}"))?.current())
    }
}

/// Sets that the server has accepted, without pods.
fn stored(server: &mut Server<'_>, sets: &mut Sets) -> Result<Vec<Value>> {
    let mut stored = Vec::new();
    for number in 0..STORED * 20 {
        let mut set = sets.next()?;
        set["metadata"]["name"] = json!(format!("web-{number}"));
        set["spec"]["replicas"] = json!(0);
        stored.extend(server.store(&set)?);
        if stored.len() == STORED {
            return Ok(stored);
        }
    }
    bail!("the server accepts only {} of the sets", stored.len())
}

/// A write of another set over a stored one, which keeps these fields of its spec.
fn over(old: &Value, other: &Value, kept: &[&str]) -> Value {
    let mut new = other.clone();
    new["metadata"]["name"] = old["metadata"]["name"].clone();
    for field in kept {
        new["spec"][*field] = old["spec"][*field].clone();
    }
    new
}

/// Where a builtin rule fires the server refuses, and what it refuses some rule says, unless it was put right first.
fn compare(old: &Value, new: &Value, answer: &Answer, counts: &mut Counts) -> Result<()> {
    let verdict = judged(new, Some(old)).map_err(|error| anyhow!(error))?;
    let fired = fired(&verdict);
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    count(
        if answer.is_accepted() {
            "accepted"
        } else {
            "refused"
        }
        .to_owned(),
    );
    for rule in &fired {
        ensure!(
            !answer.is_accepted(),
            "{rule} fires, and the server accepts the write"
        );
        count(format!("agreed: {rule}"));
    }
    let operations = verdict.operations();
    let put_right = operations.iter().map(|operation| operation.path().as_str());
    let put_right: Vec<&str> = put_right.collect();
    for cause in answer.causes() {
        let rules = kinds::rules_of(cause);
        let field = kinds::without_indices(&cause.field);
        if put_right.contains(&&*format!("/{}", field.replace('.', "/"))) {
            count(format!("put right: {field}"));
        } else if rules.is_empty() {
            count(format!("set aside: {field} {}", cause.reason));
        } else {
            let said = rules.iter().any(|rule| fired.contains(rule));
            said.then_some(()).with_context(|| {
                format!("the server says {cause:?}, and none of {rules:?} fires")
            })?;
        }
    }
    Ok(())
}
