//! A version of the API that no server has any more.

use super::each;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::Slip;

/// `apps/v1beta1` or `apps/v1beta2`.
pub static REMOVED: Rule = Rule {
    id: "api-version-removed",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "The manifest is of `apps/v1beta1` or `apps/v1beta2`, which no server has any more.",
        why: "Both were served up to Kubernetes 1.15; since 1.16 a StatefulSet is of `apps/v1`. Nothing else is said of such a manifest: \
              it has other defaults, and it reaches no server.",
        server: "knows no such kind, from Kubernetes 1.16: kubectl says `no matches for kind \"StatefulSet\" in version \"apps/v1beta1\"`",
        at: &["apiVersion"],
        example: "\
apiVersion: apps/v1beta1
",
        fix: "Write `apps/v1`. It asks for what the older ones filled in: `spec.selector`, with the labels of the pod template.",
        fixed: "\
apiVersion: apps/v1
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    each(context, violations, |slip| match slip {
        Slip::Removed { version } => {
            let message = format!("no server has {version} any more, since Kubernetes 1.16");
            Some(Violation::new(slip.pointer(), message, "write apps/v1"))
        }
        _ => None,
    });
}
