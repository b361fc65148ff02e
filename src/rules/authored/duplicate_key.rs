//! A key that stands in its mapping twice.

use super::each;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::Slip;

/// A repeated key, of which the last wins.
pub static DUPLICATE_KEY: Rule = Rule {
    id: "duplicate-key",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "A key stands more than once in one mapping: the last one wins, and nobody says so.",
        why: "kubectl and Helm read manifests as go-yaml does, which takes the last of a repeated key. What stands under the others never \
              reaches a server: an `env` or a `volumeMounts` that was written twice loses its first half.\n\n\
              Of a key that is repeated with the same value only the operator's audit log has the finding.",
        server: "never sees it: the client has left one of them already",
        at: &["spec.replicas"],
        example: "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  replicas: 3
  serviceName: web
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:1
  replicas: 5
",
        fix: "Put what stands under both into one of them, and remove the other.",
        fixed: "\
spec:
  replicas: 5
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    each(context, violations, |slip| {
        let Slip::Repeated {
            pointer,
            lines,
            others,
            is_equal,
        } = slip
        else {
            return None;
        };
        let (last, before) = lines.split_last()?;
        let before: Vec<String> = before.iter().map(ToString::to_string).collect();
        let plural = if before.len() == 1 { "" } else { "s" };
        let before = before.join(", ");
        let message = format!(
            "line {last} wins over the same key on line{plural} {before}{}",
            likewise(others)
        );
        let action = if *is_equal {
            Action::Audit
        } else {
            Action::Warn
        };
        let help = "keep one of them, with all that is meant";
        Some(Violation::new(pointer, message, help).with(action))
    });
}

/// The other repeated keys of the mapping: one cause, one message.
fn likewise(others: &[String]) -> String {
    const NAMED: usize = 3;
    let mut names = others.to_vec();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match (names.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("; so it is with {}", names.join(", ")),
        (false, more) => format!("; so it is with {} and {more} more", names.join(", ")),
    }
}
