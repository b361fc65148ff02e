//! A kind that no server has.

use super::each;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::Slip;

/// A `StatefulSet` by another name, or of an API group that has none.
pub static UNKNOWN: Rule = Rule {
    id: "kind-unknown",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "The manifest is meant to be a StatefulSet, and no server has a kind of that name and version.",
        why: "A StatefulSet is `kind: StatefulSet` of `apiVersion: apps/v1`, exactly so. `StatefulSets`, `Statefulset`, or the version `v1` \
              are refused by every client before anything of the manifest reaches a server. Nothing in such a manifest is checked.",
        server: "has no such kind: kubectl says `no matches for kind \"StatefulSets\" in version \"apps/v1\"`",
        at: &["kind", "apiVersion"],
        example: "\
kind: StatefulSets
",
        fix: "Write `apiVersion: apps/v1` and `kind: StatefulSet`, and run the audit again: it has not looked at the rest.",
        fixed: "\
kind: StatefulSet
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    each(context, violations, |slip| match slip {
        Slip::Kind { api_version, kind } => {
            let message = format!(
                "no server has the kind {kind} in {api_version}: nothing in this manifest was checked"
            );
            let help = "write apiVersion: apps/v1 and kind: StatefulSet";
            Some(Violation::new(slip.pointer(), message, help))
        }
        _ => None,
    });
}
