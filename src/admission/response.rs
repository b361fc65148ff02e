//! The answer half of an `AdmissionReview`, and what a verdict reads like to a user.

use serde::Serialize;

use super::warning::Warnings;

/// Writes the answer to what is not judged: allowed, untouched, with a warning if there is something to say.
///
/// # Errors
///
/// Never.
pub fn allowed(uid: &str, warning: Option<(&str, &'static str)>) -> serde_json::Result<Vec<u8>> {
    let mut warnings = Warnings::default();
    if let Some((text, tag)) = warning {
        warnings.push(text, tag);
    }
    review(Answer::new(uid, true, warnings.into_lines()))
}

fn review(response: Answer<'_>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Review {
        api_version: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        response,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Answer<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl<'a> Answer<'a> {
    fn new(uid: &'a str, allowed: bool, warnings: Vec<String>) -> Self {
        Self {
            uid,
            allowed,
            warnings,
        }
    }
}
