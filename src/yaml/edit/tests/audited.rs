//! The patches of an audit, carried out in what was audited.

use std::fs;
use std::sync::Arc;

use similar::TextDiff;

use super::corpus::charts;
use super::*;
use crate::audit::files;
use crate::policy::Policies;
use crate::review::report::{Options, Place, Report};

/// A set as people write them, with its claims in the wrong place and a key in the wrong case.
const COMMENTED: &str = include_str!("commented.yaml");

/// What comes of it, as `git diff` shows it.
const DIFF: &str = include_str!("commented.diff");

fn audit(text: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.yaml");
    fs::write(&path, text).unwrap();
    let options = Options {
        policies: Policies::new(Vec::new()),
        kube_version: None,
        namespace: "default".to_owned(),
        rules: std::collections::BTreeSet::new(),
        skip_rules: std::collections::BTreeSet::new(),
        keep_sources: false,
        now: jiff::Timestamp::now(),
        progress: Arc::default(),
    };
    files::audit(&[path], &options)
}

/// A text with the patches of its sets carried out, and how many sets that changed.
fn corrected(text: &str) -> (String, usize) {
    let report = audit(text);
    let documents: Vec<_> = documents(text).filter_map(Result::ok).collect();
    let mut made = Vec::new();
    let mut changed = 0;
    for row in report.rows.iter().filter(|row| !row.patch().is_empty()) {
        let Place::File { line, column, .. } = row.place else {
            continue;
        };
        let mut there = documents.iter();
        let found = there.find(|found| (found.line, found.column) == (line, column));
        let body = found.unwrap().read().unwrap();
        made.extend(edits(&body, &row.patch()).unwrap_or_else(|error| panic!("{error}")));
        changed += 1;
    }
    (apply(text, made), changed)
}

#[test]
fn a_commented_file_reads_as_if_a_person_had_corrected_it() {
    let (now, _) = corrected(COMMENTED);
    let diff = TextDiff::from_lines(COMMENTED, &now);
    let shown = diff.unified_diff().context_radius(2).to_string();
    assert_eq!(shown, DIFF, "{shown}");
    assert_eq!(corrected(&now), (now.clone(), 0));
}

#[test]
fn every_chart_is_corrected_once() {
    let mut sets = 0;
    for (path, text) in charts() {
        let (now, changed) = corrected(&text);
        sets += changed;
        assert_eq!(now == text, changed == 0, "{path}");
        let kept = |line: &&str| now.lines().any(|other| other == *line);
        if !path.contains("horovod") {
            assert!(text.lines().all(|line| kept(&line)), "{path}");
        }
        let (again, changed) = corrected(&now);
        assert_eq!((changed, again == now), (0, true), "{path}");
    }
    println!("{sets} sets are changed");
}
