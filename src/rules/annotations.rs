//! Annotations of ours on the set.

use crate::inject::claims::Request;
use crate::inject::wanted;
use crate::model::finding::Action;
use crate::model::name::is_dns_label;
use crate::model::pointer::escape;
use crate::model::spelling::nearest;
use crate::model::text::quoted;
use crate::policy::exemption;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::annotations::{
    CLAIM_PREFIX, EXEMPT, EXEMPT_UNTIL, INJECT, INJECTED, PREFIX,
};

/// An annotation that says nothing to us.
pub static INVALID: Rule = Rule {
    id: "annotation-invalid",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "An annotation under `steadyset.io/` does not exist, or its value cannot be read.",
        why: "What it was to say is not heard. Where a word of `steadyset.io/inject` is unknown, nothing at all is injected: nobody can tell \
              what was meant to be kept out.",
        at: &["metadata.annotations[KEY]"],
        example: "\
metadata:
  annotations:
    steadyset.io/inject: readinessProbe
",
        fix: "There are these:\n\n\
              * `steadyset.io/inject`: `none`, or a comma list of `readiness-probe`, `liveness-probe`, `startup-probe`, `service-name`, \
              `volume-claims`\n\
              * `steadyset.io/claim-<volume>`: a claim to add, as JSON such as `{\"mountPath\": \"/data\", \"storage\": \"10Gi\"}`; only \
              `mountPath` is required\n\
              * `steadyset.io/exempt`: `rule-id[,rule-id]: reason`\n\
              * `steadyset.io/exempt-until`: the date after which the exemption no longer counts, as `2027-01-31T00:00:00Z`",
        fixed: "\
metadata:
  annotations:
    steadyset.io/inject: readiness-probe
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let annotations = context.set.metadata.annotations.ours.iter();
    violations.extend(annotations.filter_map(|(key, value)| {
        let (message, help) = fault(key, value)?;
        let pointer = format!("/metadata/annotations/{}", escape(key));
        Some(Violation::new(pointer, message, help).of(&**key))
    }));
}

/// What is wrong with an annotation, and what to write.
fn fault(key: &str, value: &str) -> Option<(String, String)> {
    match key {
        INJECT => unknown_word(value),
        INJECTED => None,
        EXEMPT => exemption::parse(value).err(),
        EXEMPT_UNTIL => exemption::parse_until(value).err(),
        _ => key
            .strip_prefix(CLAIM_PREFIX)
            .map_or_else(|| Some(unknown_key(key)), |volume| bad_claim(volume, value)),
    }
}

fn unknown_word(value: &str) -> Option<(String, String)> {
    let word = wanted::parse(value).err()?;
    let message = format!(
        "{} is none of its words, so nothing is injected",
        quoted(word)
    );
    let near = nearest(word, wanted::words());
    let help = near.map_or_else(
        || {
            let words: Vec<&str> = wanted::words().collect();
            format!("write none, or a comma list of {}", words.join(", "))
        },
        |near| format!("did you mean {near}?"),
    );
    Some((message, help))
}

fn unknown_key(key: &str) -> (String, String) {
    let known = [INJECT, EXEMPT, EXEMPT_UNTIL];
    let ours = |key: &'static str| key.strip_prefix(PREFIX);
    let own = key.strip_prefix(PREFIX).unwrap_or(key);
    let near = nearest(own, known.into_iter().filter_map(ours));
    let help = near.map_or_else(
        || format!("write {INJECT}, {CLAIM_PREFIX}<volume>, {EXEMPT} or {EXEMPT_UNTIL}"),
        |near| format!("did you mean {PREFIX}{near}?"),
    );
    ("there is no such annotation".to_owned(), help)
}

fn bad_claim(volume: &str, value: &str) -> Option<(String, String)> {
    if !is_dns_label(volume) {
        let message = format!("{} is no name of a volume", quoted(volume));
        return Some((
            message,
            "use lower-case letters, digits and \"-\"".to_owned(),
        ));
    }
    let reason = match Request::parse(value) {
        Ok(request) if request.mount_path.starts_with('/') => return None,
        Ok(_) => "mountPath does not begin with /".to_owned(),
        // its own words for a field are in backticks
        Err(error) => error.to_string().replace('`', "\""),
    };
    Some((
        format!("no claim is added: {reason}"),
        "write JSON such as {\"mountPath\": \"/data\", \"storage\": \"10Gi\"}".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Case, web};
    use super::*;

    fn says(key: &str, value: &str) -> Vec<String> {
        let key = format!("steadyset.io/{key}");
        let annotations = json!({key: value, "other.example/a": "b"});
        Case::create(web(&json!({"metadata": {"annotations": annotations}}))).says(&INVALID)
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (key, value, line) in [
            (
                "inject",
                "readinessProbe",
                "\"readinessProbe\" is none of its words, so nothing is injected; did you mean readiness-probe?",
            ),
            (
                "inject",
                "all",
                "\"all\" is none of its words, so nothing is injected; write none, or a comma list of readiness-probe, liveness-probe, \
                 startup-probe, service-name, volume-claims",
            ),
            (
                "injects",
                "none",
                "there is no such annotation; did you mean steadyset.io/inject?",
            ),
            (
                "colour",
                "red",
                "there is no such annotation; write steadyset.io/inject, steadyset.io/claim-<volume>, steadyset.io/exempt or \
                 steadyset.io/exempt-until",
            ),
            (
                "claim-My_Data",
                "{}",
                "\"My_Data\" is no name of a volume; use lower-case letters, digits and \"-\"",
            ),
            (
                "claim-data",
                "{}",
                "no claim is added: missing field \"mountPath\" at line 1 column 2; \
                 write JSON such as {\"mountPath\": \"/data\", \"storage\": \"10Gi\"}",
            ),
            (
                "claim-data",
                "{\"mountPath\":\"data\"}",
                "no claim is added: mountPath does not begin with /; \
                 write JSON such as {\"mountPath\": \"/data\", \"storage\": \"10Gi\"}",
            ),
        ] {
            assert_eq!(
                says(key, value),
                [format!("metadata.annotations[steadyset.io/{key}]: {line}")]
            );
        }
    }

    #[test]
    fn what_can_be_read_is_fine() {
        for (key, value) in [
            ("inject", "none"),
            ("inject", "readiness-probe, service-name"),
            ("exempt", "service-missing: made later"),
            ("exempt-until", "2027-01-01"),
            ("injected", "{}"),
            (
                "claim-data",
                "{\"mountPath\":\"/data\",\"storage\":\"1Gi\"}",
            ),
        ] {
            assert_eq!(says(key, value), [""; 0], "{key}");
        }
    }
}
