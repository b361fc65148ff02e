//! A patch that replaces more than it shows.

use super::each;
use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::strict::Slip;

/// A part of `volumeClaimTemplates`, which has no merge key (`StatefulSetSpec` in `k8s.io/api/apps/v1`: atomic).
pub static REPLACES_LIST: Rule = Rule {
    id: "patch-replaces-list",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::File,
    docs: Docs {
        file: file!(),
        what: "A kustomize patch holds a part of a claim, and replaces the whole list of claims with it.",
        why: "A strategic merge patch merges lists such as `containers` by name. `volumeClaimTemplates` has no key to merge by: the list of the \
              patch takes the place of the base's. A patch that is meant to change a size alone loses `accessModes`, `storageClassName` and every \
              other claim: the built set is refused, or its pods get disks of another class.",
        server: "never sees the patch, and refuses what is built from it where `accessModes` or the size is missing, from Kubernetes 1.34",
        at: &["spec.volumeClaimTemplates"],
        example: "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        resources: {requests: {storage: 20Gi}}
",
        fix: "Repeat the claims as a whole in the patch, or use a JSON patch (RFC 6902), which changes one value: `op: replace`, \
              `path: /spec/volumeClaimTemplates/0/spec/resources/requests/storage`, `value: 20Gi`.",
        fixed: "\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: web
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: fast
        resources: {requests: {storage: 20Gi}}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    each(context, violations, |slip| match slip {
        Slip::PartOfClaims => Some(Violation::new(
            slip.pointer(),
            "a merge patch replaces this list as a whole: accessModes, storageClassName and claims that are not repeated here are lost",
            "repeat the whole claims here, or use a JSON patch on /spec/volumeClaimTemplates/0/spec/resources/requests/storage",
        )),
        _ => None,
    });
}
