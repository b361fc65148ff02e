//! The answer half of an `AdmissionReview`, and what a verdict reads like to a user.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::warning::Warnings;
use crate::inject::Tag;
use crate::model::field_path::dotted;
use crate::model::finding::{Action, Finding};
use crate::model::text::grouped;
use crate::review::Verdict;

/// Writes the answer to a judged set.
///
/// The patch and its type go together or not at all, and never beside a denial: kube-apiserver fails the call otherwise
/// (kubernetes/apiserver `webhook/request/admissionreview.go`).
///
/// # Errors
///
/// Never, as far as the operations can be written as JSON.
pub fn verdict(uid: &str, name: &str, verdict: &Verdict) -> serde_json::Result<Vec<u8>> {
    let denials: Vec<&Finding> = of(verdict, Action::Deny).collect();
    let mut warnings = Warnings::default();
    for finding in of(verdict, Action::Warn) {
        warnings.push(&finding.sentence(), finding.rule);
    }
    for notice in &verdict.notices {
        let text = format!("steadyset: {}: {}", dotted(&notice.pointer), notice.message);
        warnings.push(&text, tag(notice.tag));
    }
    let mut answer = Answer::new(uid, denials.is_empty(), warnings.into_lines());
    answer.audit_annotations = audited(verdict);
    if !denials.is_empty() {
        answer.status = Some(Status::forbidden(name, &denials));
    } else if verdict.patches() {
        answer.patch = Some(STANDARD.encode(serde_json::to_vec(&verdict.operations())?));
        answer.patch_type = Some("JSONPatch");
    }
    review(answer)
}

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

fn of(verdict: &Verdict, action: Action) -> impl Iterator<Item = &Finding> {
    verdict
        .findings
        .iter()
        .filter(move |finding| finding.action == action)
}

fn tag(tag: Tag) -> &'static str {
    match tag {
        Tag::Injected => "injected",
        Tag::Yielded => "yielded",
        Tag::Exempted => "exempted",
        Tag::Rule(rule) => rule,
    }
}

/// What is for the audit log: findings that are for it alone, and what only warns because of an owner. A key gets the name of the
/// webhook in front, so it must have no slash.
fn audited(verdict: &Verdict) -> Option<AuditAnnotations> {
    let texts: Vec<_> = of(verdict, Action::Audit)
        .map(|finding| format!("{} [{}]", finding.field(), finding.rule))
        .collect();
    let spared = verdict.spared.as_ref().map(ToString::to_string);
    (!texts.is_empty() || spared.is_some()).then(|| AuditAnnotations {
        findings: joined(&texts, ", "),
        spared,
    })
}

/// At most this many bytes in the message of a denial, and in the audit annotation.
const MESSAGE: usize = 16 * 1024;

/// At most this many bytes in all causes together.
const CAUSES: usize = 64 * 1024;

/// The longest name of an object, in bytes; a longer one was not validated yet.
pub(super) const NAME: usize = 253;

/// Kept free for what counts the texts that were left out.
const SUMMARY: usize = 64;

/// The texts one after the other, as many as there is room for; the others are counted.
fn joined(texts: &[String], separator: &str) -> String {
    let mut all = String::new();
    for (index, text) in texts.iter().enumerate() {
        if all.len() + separator.len() + text.len() + SUMMARY > MESSAGE {
            let more = grouped(texts.len() - index);
            return format!("{all}{separator}steadyset: and {more} more findings");
        }
        if index > 0 {
            all.push_str(separator);
        }
        all.push_str(text);
    }
    all
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
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl<'a> Answer<'a> {
    fn new(uid: &'a str, allowed: bool, warnings: Vec<String>) -> Self {
        Self {
            uid,
            allowed,
            status: None,
            patch: None,
            patch_type: None,
            audit_annotations: None,
            warnings,
        }
    }
}

#[derive(Serialize)]
struct AuditAnnotations {
    #[serde(skip_serializing_if = "String::is_empty")]
    findings: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    spared: Option<String>,
}

/// Never 422 and never `Invalid`: operators delete and recreate a set that is refused so.
#[derive(Serialize)]
struct Status<'a> {
    code: u16,
    reason: &'static str,
    message: String,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    group: &'static str,
    kind: &'static str,
    causes: Vec<Cause>,
}

#[derive(Serialize)]
struct Cause {
    reason: &'static str,
    message: String,
    field: String,
}

impl<'a> Status<'a> {
    fn forbidden(name: &'a str, denials: &[&Finding]) -> Self {
        let lines: Vec<_> = denials.iter().map(|finding| finding.line()).collect();
        let mut room = CAUSES;
        let causes = denials
            .iter()
            .map(|finding| Cause::of(finding))
            .take_while(|cause| {
                let left = room.checked_sub(cause.message.len() + cause.field.len());
                room = left.unwrap_or(0);
                left.is_some()
            });
        let details = Details {
            name: if name.len() > NAME { "" } else { name },
            group: "apps",
            kind: "statefulsets",
            causes: causes.collect(),
        };
        Self {
            code: 403,
            reason: "Forbidden",
            message: joined(&lines, "\n"),
            details,
        }
    }
}

impl Cause {
    fn of(finding: &Finding) -> Self {
        let message =
            format!("{}; {}", finding.message, finding.help).replace(char::is_control, " ");
        Self {
            reason: finding.rule,
            message,
            field: dotted(&finding.pointer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::change::Change;
    use crate::inject::Notice;
    use crate::review::Spared;

    fn finding(action: Action, pointer: &str) -> Finding {
        let (message, help) = ("it is\nwrong".to_owned(), "write it right".to_owned());
        let pointer = pointer.to_owned();
        Finding {
            rule: "some-rule",
            action,
            pointer,
            message,
            help,
        }
    }

    fn answer(verdict: &Verdict) -> Value {
        let review: Value =
            serde_json::from_slice(&super::verdict("u", "web", verdict).unwrap()).unwrap();
        review["response"].clone()
    }

    #[test]
    fn what_an_owner_spares_is_for_the_audit_log() {
        let verdict = Verdict {
            spared: Some(Spared {
                owner: "Db.example.com/main".to_owned(),
                rules: vec!["claim-mode-mismatch", "service-missing"],
            }),
            ..Verdict::default()
        };
        let spared = "claim-mode-mismatch,service-missing owned by Db.example.com/main";
        assert_eq!(
            answer(&verdict)["auditAnnotations"],
            json!({ "spared": spared })
        );
    }

    #[test]
    fn a_denial_names_every_field_and_never_carries_a_patch() {
        let findings = vec![
            finding(Action::Deny, "/spec/template/spec/containers/0/ports"),
            finding(Action::Warn, "/spec/replicas"),
            finding(Action::Deny, "/metadata/annotations/steadyset.io~1inject"),
        ];
        let verdict = Verdict {
            findings,
            changes: vec![Change::RemoveRollingUpdate],
            ..Verdict::default()
        };
        let cause = |field: &str| json!({"reason": "some-rule", "message": "it is wrong; write it right", "field": field});
        let [ports, annotation] = [
            "spec.template.spec.containers[0].ports",
            "metadata.annotations[steadyset.io/inject]",
        ];
        let expected = json!({
            "uid": "u",
            "allowed": false,
            "status": {
                "code": 403,
                "reason": "Forbidden",
                "message": format!(
                    "steadyset: {ports}: it is wrong; write it right [some-rule]\n\
                     steadyset: {annotation}: it is wrong; write it right [some-rule]"
                ),
                "details": {
                    "name": "web",
                    "group": "apps",
                    "kind": "statefulsets",
                    "causes": [cause(ports), cause(annotation)],
                }
            },
            "warnings": ["steadyset: spec.replicas: it is wrong; write it right [some-rule]"],
        });
        assert_eq!(answer(&verdict), expected);
    }

    #[test]
    fn an_answer_is_as_long_as_a_user_reads() {
        let long = |index| Finding {
            message: "\u{1F980}".repeat(1_000),
            help: "\"".repeat(1_000),
            ..finding(Action::Deny, &format!("/spec/{}/{index}", "f".repeat(900)))
        };
        let findings: Vec<_> = (0..100).map(long).collect();
        let audited = findings.iter().cloned().map(|finding| Finding {
            action: Action::Audit,
            ..finding
        });
        let verdict = Verdict {
            findings: audited.chain(findings.clone()).collect(),
            ..Verdict::default()
        };
        let name = "n".repeat(1 << 20);
        let bytes = super::verdict("u", &name, &verdict).unwrap();
        assert!(bytes.len() <= 256 * 1024, "{}", bytes.len());
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        let status = &answer["response"]["status"];
        let message = status["message"].as_str().unwrap();
        assert!(message.len() <= MESSAGE, "{}", message.len());
        assert!(
            message.ends_with("\nsteadyset: and 98 more findings"),
            "{message}"
        );
        assert!(status["details"].get("name").is_none());
        let causes = status["details"]["causes"].as_array().unwrap();
        assert!((10..100).contains(&causes.len()), "{}", causes.len());
        let audited = &answer["response"]["auditAnnotations"]["findings"];
        assert!(audited.as_str().unwrap().len() <= MESSAGE);
    }

    #[test]
    fn a_patch_goes_with_its_type_and_a_notice_with_its_tag() {
        let operations = json!([{"op": "add", "path": "/spec/serviceName", "value": "web"}]);
        let (pointer, message) = ("/spec/serviceName".to_owned(), "linked to web".to_owned());
        let verdict = Verdict {
            changes: vec![Change::SetServiceName("web".to_owned())],
            notices: vec![Notice {
                tag: Tag::Injected,
                pointer,
                message,
            }],
            ..Verdict::default()
        };
        let expected = json!({
            "uid": "u",
            "allowed": true,
            "patch": STANDARD.encode(operations.to_string()),
            "patchType": "JSONPatch",
            "warnings": ["steadyset: spec.serviceName: linked to web [injected]"],
        });
        assert_eq!(answer(&verdict), expected);
    }

    #[test]
    fn what_is_for_the_audit_log_is_not_shown() {
        let verdict = Verdict {
            findings: vec![finding(Action::Audit, "/spec/replicas")],
            ..Verdict::default()
        };
        let expected = json!({
            "uid": "u",
            "allowed": true,
            "auditAnnotations": {"findings": "spec.replicas [some-rule]"},
        });
        assert_eq!(answer(&verdict), expected);
    }

    #[test]
    fn nothing_to_say_is_said_with_neither_patch_nor_warnings() {
        assert_eq!(
            answer(&Verdict::default()),
            json!({"uid": "u", "allowed": true})
        );
    }
}
