//! A value that the API server refuses.

use std::collections::HashSet;

use crate::model::finding::{Action, Phase};
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::Slip;
use crate::validation::{Refused, refused};

/// The minor versions of Kubernetes 1 that are supported: where the server's is not known, all of them count.
const SUPPORTED: std::ops::RangeInclusive<u32> = 35..=37;

/// The first minor version that looks into the pod template of a set (kubernetes/kubernetes#131790).
const LOOKS_INTO_PODS: u32 = 34;

/// A value that no server takes, in a file.
pub static INVALID: Rule = Rule {
    id: "field-invalid",
    action: Action::Deny,
    builtin: Builtin::Where(|context| context.phase == Phase::File),
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "The API server refuses a value: out of range, of the wrong form, missing, or there twice.",
        why: "The schema says only that a field is a number or a text; what numbers and texts are allowed is checked by the API server when the \
              set is written. A file, a rendered chart or a pull request has no API server, so steadyset makes the same checks, at the field \
              that the server names. Servers before 1.34 do not look into the pod template of a StatefulSet: they store the set, and no pod \
              is ever made of it.",
        server: "refuses it; in the pod template since 1.34, before that it stores the set and no pod is ever made",
        at: &["spec.template.spec.containers[N].ports[N].name"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: Http_Port, containerPort: 8080}
",
        fix: "Write what the finding says: it names the value that is allowed, where there is one.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http-port, containerPort: 8080}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(document) = &context.slips.document else {
        return;
    };
    let stored = context
        .slips
        .stored
        .as_deref()
        .map(refused)
        .unwrap_or_default();
    let known: HashSet<&str> = stored.iter().map(|fault| fault.pointer.as_str()).collect();
    let new = refused(document);
    // of a stored set that fails anywhere the server looks into no new template
    let ratchets = |fault: &Refused| {
        known.contains(fault.pointer.as_str()) || !stored.is_empty() && fault.is_of_a_pod()
    };
    let faults = new
        .into_iter()
        .filter(|fault| !ratchets(fault) && !is_told(context, &fault.pointer));
    violations.extend(faults.filter_map(|fault| violation(context, fault)));
}

/// Whether a value there cannot be read, or has another type than it must have: that is the cause, and is told.
fn is_told(context: &Context<'_>, pointer: &str) -> bool {
    let is_at = |slip: &Slip| {
        matches!(slip, Slip::Type { .. })
            && pointer
                .strip_prefix(slip.pointer())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    context.slips.hide(pointer) || context.slips.all.iter().any(is_at)
}

fn violation(context: &Context<'_>, fault: Refused) -> Option<Violation> {
    let of = fault.pointer.clone();
    let version = context.cluster.version().map(|version| version.minor);
    let Some(minor) = version else {
        let refusing: Vec<u32> = SUPPORTED.filter(|minor| fault.holds(*minor)).collect();
        let all = refusing.len() == SUPPORTED.count();
        let (first, last) = (refusing.first()?, refusing.last()?);
        let versions = if first == last {
            format!("1.{first}")
        } else {
            format!("1.{first} to 1.{last}")
        };
        let message = if all {
            fault.message
        } else {
            format!("{} (refused by {versions})", fault.message)
        };
        let violation = Violation::new(fault.pointer, message, fault.help).of(of);
        return Some(if all {
            violation
        } else {
            violation.with(Action::Warn)
        });
    };
    if !fault.holds(minor) {
        return None;
    }
    let message = if fault.is_of_a_pod() && minor < LOOKS_INTO_PODS {
        format!(
            "{}; Kubernetes 1.{minor} stores the set and never makes a pod of it",
            fault.message
        )
    } else {
        fault.message
    };
    Some(Violation::new(fault.pointer, message, fault.help).of(of))
}
