//! What a value says.

use super::{POINTER, is_validated, value};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::view::IntOrString;

/// A value that says no number of pods (`validateRollingUpdateStatefulSet`).
pub static INVALID: Rule = Rule {
    id: "max-unavailable-invalid",
    action: Action::Deny,
    builtin: Builtin::Where(is_validated),
    early: true,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "`maxUnavailable` is 0, negative, above 100 %, or neither a number nor a percentage.",
        why: "`spec.updateStrategy.rollingUpdate.maxUnavailable` says how many pods an update may take down at the same time. A server that \
              acts on the field (1.35.0 to 1.35.3, and from 1.37, or with the feature gate `MaxUnavailableStatefulSet`) refuses the set, and \
              so does one whose stored set already has the field. Any other drops the field without a word, and the mistake shows at the next \
              upgrade of the cluster.\n\n\
              A number in quotes is a text, and only a percentage may be one.",
        server: "refuses the same where it acts on the field, or has stored it before",
        at: &["spec.updateStrategy.rollingUpdate.maxUnavailable"],
        example: "\
spec:
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: \"2\"
",
        fix: "Write a whole number from 1 up without quotes, or a percentage from `1%` to `100%`.",
        fixed: "\
spec:
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 2
",
        ..Docs::BLANK
    },
    check: invalid,
};
fn invalid(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(value) = value(context) else {
        return;
    };
    let Err(reason) = amount(value) else {
        return;
    };
    let number = value.to_string();
    let is_number = matches!(value, IntOrString::String(text) if text.parse::<u32>().is_ok_and(|number| number > 0));
    let help = if is_number {
        format!("write {number} without quotes, or a percentage from 1% to 100%")
    } else {
        "write a whole number from 1 up, or a percentage from 1% to 100%".to_owned()
    };
    let shown = match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => quoted(text),
    };
    violations.push(Violation::new(
        POINTER,
        format!("{shown} says no number of pods: {reason}"),
        help,
    ));
}

/// What a value says.
pub(super) enum Amount {
    Pods(i64),
    Percent(i64),
}

pub(super) fn amount(value: &IntOrString<'_>) -> Result<Amount, &'static str> {
    match value {
        IntOrString::Int(1..) => Ok(Amount::Pods(value_of(value))),
        IntOrString::Int(0) => Err("0 would let no pod be updated"),
        IntOrString::Int(_) => Err("it is below 0"),
        IntOrString::String(text) => percent(text),
    }
}

fn value_of(value: &IntOrString<'_>) -> i64 {
    match value {
        IntOrString::Int(number) => *number,
        IntOrString::String(_) => 0,
    }
}

fn percent(text: &str) -> Result<Amount, &'static str> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("in quotes it is a text, not a number");
    }
    let digits = text.strip_suffix('%').unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("it is neither a number nor a percentage");
    }
    match digits.parse() {
        Ok(0) => Err("0% would let no pod be updated"),
        Ok(percent @ 1..=100) => Ok(Amount::Percent(percent)),
        _ => Err("it is more than 100%"),
    }
}

/// The number of pods, as the controller counts: a percentage is rounded down, and at least 1
/// (`stateful_set_utils.go`, `getStatefulSetMaxUnavailable`).
pub(super) fn pods(amount: &Amount, replicas: i64) -> i64 {
    match amount {
        Amount::Pods(pods) => *pods,
        Amount::Percent(percent) => (replicas.saturating_mul(*percent) / 100).max(1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::max_unavailable as case;

    #[test]
    fn a_value_says_a_number_of_pods() {
        for (value, message) in [
            (
                json!(0),
                "0 says no number of pods: 0 would let no pod be updated; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!(-1),
                "-1 says no number of pods: it is below 0; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!("0%"),
                "\"0%\" says no number of pods: 0% would let no pod be updated; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!("101%"),
                "\"101%\" says no number of pods: it is more than 100%; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!("99999999999999999999%"),
                "\"99999999999999999999%\" says no number of pods: it is more than 100%; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!("2"),
                "\"2\" says no number of pods: in quotes it is a text, not a number; write 2 without quotes, or a percentage from 1% to 100%",
            ),
            (
                json!("abc"),
                "\"abc\" says no number of pods: it is neither a number nor a percentage; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!("1.5%"),
                "\"1.5%\" says no number of pods: it is neither a number nor a percentage; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
            (
                json!(""),
                "\"\" says no number of pods: it is neither a number nor a percentage; write a whole number from 1 up, or a percentage from 1% to 100%",
            ),
        ] {
            assert_eq!(
                case(&value, &json!({})).on("1.36.3").says(&INVALID),
                [format!(
                    "spec.updateStrategy.rollingUpdate.maxUnavailable: {message}"
                )]
            );
        }
        for value in [
            json!(1),
            json!(500),
            json!("1%"),
            json!("100%"),
            json!(null),
        ] {
            assert!(
                case(&value, &json!({})).says(&INVALID).is_empty(),
                "{value}"
            );
        }
    }
}
