//! What was expected beside what was found.

use serde_json::Value;
use similar::TextDiff;

use super::{Action, Expected, ExpectedFinding, Judged};
use crate::change::Change;
use crate::model::finding::{self, Finding};
use crate::review::Verdict;

/// The verdict, told as far as it is asked for: so that what is as expected reads the same.
pub(super) fn found(
    verdict: Option<Verdict>,
    expected: &Expected,
) -> Result<Expected, serde_json::Error> {
    let judged = Judged(verdict.is_some());
    let verdict = verdict.unwrap_or_default();
    let exempted = || {
        verdict
            .exempted
            .iter()
            .map(|rule| (*rule).to_owned())
            .collect()
    };
    let patch = expected.patch.as_ref();
    Ok(Expected {
        judged,
        exempted: expected.exempted.as_ref().map(|_| exempted()),
        patch: patch.map(|_| patch_of(&verdict)).transpose()?,
        findings: findings(verdict.findings, &expected.findings),
    })
}

/// The operations as JSON, without the record, which names the product's version.
fn patch_of(verdict: &Verdict) -> Result<Vec<Value>, serde_json::Error> {
    let own = verdict.changes.iter().filter(|change| !change.is_record());
    let operations = own.flat_map(Change::operations);
    let all = verdict.moves.iter().cloned().chain(operations);
    all.map(serde_json::to_value).collect()
}

/// The findings in the order of those that were expected, the unexpected last.
fn findings(mut found: Vec<Finding>, expected: &[ExpectedFinding]) -> Vec<ExpectedFinding> {
    let mut told = Vec::new();
    for wanted in expected {
        let same = found
            .iter()
            .position(|finding| wanted.like(finding) == *wanted);
        let near = || found.iter().position(|finding| finding.rule == wanted.rule);
        if let Some(place) = same.or_else(near) {
            told.push(wanted.like(&found.remove(place)));
        }
    }
    told.extend(found.into_iter().map(whole));
    told
}

impl ExpectedFinding {
    /// The finding with no more than what is expected of it.
    fn like(&self, finding: &Finding) -> Self {
        let told = |field: &Option<String>, text: &String| field.as_ref().map(|_| text.clone());
        Self {
            rule: finding.rule.to_owned(),
            action: finding.action.into(),
            pointer: told(&self.pointer, &finding.pointer),
            message: told(&self.message, &finding.message),
            help: told(&self.help, &finding.help),
        }
    }
}

fn whole(finding: Finding) -> ExpectedFinding {
    ExpectedFinding {
        rule: finding.rule.to_owned(),
        action: finding.action.into(),
        pointer: Some(finding.pointer),
        message: Some(finding.message),
        help: Some(finding.help),
    }
}

impl From<finding::Action> for Action {
    fn from(action: finding::Action) -> Self {
        match action {
            finding::Action::Audit => Self::Audit,
            finding::Action::Warn => Self::Warn,
            finding::Action::Deny => Self::Deny,
        }
    }
}

/// The difference as YAML, so that what was found can be taken over into the case; `None` where there is none.
pub(super) fn difference(expected: &Expected, found: &Expected) -> Option<String> {
    if expected == found {
        return None;
    }
    let text = |side: &Expected| serde_saphyr::to_string(side).unwrap_or_default();
    let (expected, found) = (text(expected), text(found));
    let diff = TextDiff::from_lines(&expected, &found);
    let mut unified = diff.unified_diff();
    Some(unified.header("expected", "found").to_string())
}
