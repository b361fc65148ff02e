//! What is denied in a file, beside what the API server itself refuses: its own decoder, defaults and validation, of each
//! supported version, without a server (`tests/support/tools/oracle`).

#[path = "../support/tools.rs"]
#[allow(dead_code)]
mod tools;

mod generate;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use steadyset::cluster_view::ServiceKeeping;
use steadyset::cluster_view::manifests::Manifests;
use steadyset::model::finding::{Action, Finding, Phase};
use steadyset::policy::Policies;
use steadyset::review::review;
use steadyset::strict::Authored;
use steadyset::yaml::{read, values};

/// The minor versions of Kubernetes 1 that have an oracle.
const VERSIONS: [u32; 1] = [36];

/// What the oracle says of one object.
#[derive(Debug, Deserialize)]
struct Answer {
    accepted: bool,
    causes: Vec<Cause>,
}

/// Why it refuses it.
#[derive(Debug, Deserialize)]
struct Cause {
    field: String,
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

/// Asks the oracle of a version about new sets.
fn ask(minor: u32, sets: &[Value]) -> Result<Vec<Answer>> {
    let mut oracle = Command::new(tools::Tools::oracle(minor)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = BufWriter::new(oracle.stdin.take().context("a pipe")?);
    let output = BufReader::new(oracle.stdout.take().context("a pipe")?);
    let answers = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            sets.iter()
                .try_for_each(|set| writeln!(input, "{}", json!({"new": set, "old": null})))
        });
        let answers: Result<Vec<Answer>> = output
            .lines()
            .map(|line| Ok(serde_json::from_str(&line?)?))
            .collect();
        writer.join().expect("the writer ends")?;
        answers
    })?;
    ensure!(oracle.wait()?.success(), "the oracle failed");
    ensure!(answers.len() == sets.len(), "an answer for each set");
    Ok(answers)
}

/// What an audit of a file with that set denies.
fn denials(minor: u32, set: &Value) -> Result<Vec<Finding>> {
    let text = set.to_string();
    let document = read::documents(&text).next().context("a document")??;
    let authored = Authored::read(&document.read()?)?;
    let cluster = Manifests::new(Some(format!("1.{minor}").parse()?), ServiceKeeping::Kept);
    let Some(subject) = authored.subject("default", None)? else {
        return Ok(Vec::new());
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let verdict = review(&Policies::default(), subject, &cluster, Phase::File, now);
    let mut findings = verdict.unwrap_or_default().findings;
    findings.retain(|finding| finding.action == Action::Deny);
    Ok(findings)
}

/// A field as the server names it, without the numbers and names of items.
fn general(field: &str) -> String {
    let mut name = String::new();
    let mut inside = false;
    for letter in field.chars() {
        inside = letter == '[' || inside && letter != ']';
        if !inside || letter == '[' {
            name.push(letter);
        }
    }
    name
}

/// Groups of disagreements, with how many there are and the first of them.
type Groups = BTreeMap<String, (usize, String)>;

fn print(title: &str, minor: u32, groups: &Groups) {
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (group, (count, first)) in groups {
        eprintln!("1.{minor} {title}: {count} {group}\n    {first}");
    }
}

/// Puts sets before both, prints where they differ, and returns how many valid sets hear `field-invalid`.
fn compare(minor: u32, sets: &[Value]) -> Result<usize> {
    let answers = ask(minor, sets)?;
    let ours: Vec<_> = sets.par_iter().map(|set| denials(minor, set)).collect();
    let (mut wrong, mut silent) = (Groups::new(), Groups::new());
    let mut refused = 0;
    for ((set, answer), denied) in sets.iter().zip(&answers).zip(ours) {
        refused += usize::from(!answer.accepted);
        let denied = denied.unwrap_or_default();
        if answer.accepted {
            let wrongly = denied.iter().find(|one| one.rule == "field-invalid");
            if let Some(one) = wrongly {
                let entry = wrong.entry(one.pointer.clone()).or_default();
                entry.0 += 1;
                entry.1 = format!("{} {set}", one.message);
            }
        } else if let (Some(cause), true) = (answer.causes.first(), denied.is_empty()) {
            let entry = silent
                .entry(format!("{} {}", general(&cause.field), cause.kind))
                .or_default();
            entry.0 += 1;
            entry.1 = format!("{} {set}", cause.message);
        }
    }
    print("accepted by the server and denied", minor, &wrong);
    print("refused by the server and not denied", minor, &silent);
    let count = |groups: &Groups| -> usize { groups.values().map(|(count, _)| count).sum() };
    eprintln!(
        "1.{minor}: {} sets, {refused} refused by the server; {} valid ones denied, {} invalid ones not",
        sets.len(),
        count(&wrong),
        count(&silent)
    );
    Ok(count(&wrong))
}

/// The sets of the corpus.
fn corpus() -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !folder.is_dir() {
        println!(
            "corpus: {} is not there, nothing is tested",
            folder.display()
        );
        return Ok(Vec::new());
    }
    let mut sets = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path()).unwrap_or_default();
        let documents = values::documents(&text).unwrap_or_default();
        sets.extend(
            documents
                .into_iter()
                .filter(|each| each["kind"] == "StatefulSet" && each["apiVersion"] == "apps/v1"),
        );
    }
    Ok(sets)
}

fn each_version(sets: &[Value]) -> Result<()> {
    for minor in VERSIONS {
        ensure!(compare(minor, sets)? == 0, "1.{minor} takes what is denied");
    }
    Ok(())
}

#[test]
fn no_set_of_the_corpus_that_the_server_takes_is_denied() -> Result<()> {
    each_version(&corpus()?)
}

#[test]
fn no_generated_set_that_the_server_takes_is_denied() -> Result<()> {
    let count = std::env::var("STEADYSET_ORACLE_OBJECTS");
    let count = count.map_or(Ok(10_000), |text| text.parse())?;
    each_version(&generate::sets(count))
}
