//! Writes to a stored set that make pods restart, or not, when nobody would expect it.

use std::ops::Range;

use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation};
use crate::subject::set::Set;

/// A new template under `OnDelete`.
pub static ON_DELETE_TEMPLATE_CHANGE: Rule = Rule {
    id: "on-delete-template-change",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "The pod template of a set with `type: OnDelete` changes.",
        why: "Nothing restarts by itself. A pod that fails, is evicted or is added by scaling comes up with the new template, so the versions mix \
              at a time that nobody chose.",
        example: "spec:\n  updateStrategy:\n    type: OnDelete\n  template:\n    # changed\n",
        fix: "Delete the pods one by one, the highest number first, each time waiting until the new one is Ready.",
    },
    check: on_delete_template_change,
};

fn on_delete_template_change(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let set = context.set;
    let pods = ordinals(set);
    if set.spec.update_strategy.kind() != "OnDelete" || !context.template_changed || pods.is_empty()
    {
        return;
    }
    let last = format!("{}-{}", set.metadata.name, pods.end - 1);
    let rest = if pods.end - pods.start > 1 {
        ", then the others downwards, each when the one before is Ready"
    } else {
        ""
    };
    violations.push(Violation::new(
        "/spec/template",
        "under OnDelete nothing restarts by itself; a pod that fails, is evicted or is added gets the new template",
        format!("kubectl delete pod -n {} {last}{rest}", context.namespace),
    ));
}

/// A held-back update that now starts.
pub static ROLLOUT_STARTS: Rule = Rule {
    id: "rollout-starts",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "The strategy changes from `OnDelete` to `RollingUpdate`, or the `partition` is lowered, while pods still run an older template.",
        why: "The controller restarts those pods at once, without any change of the template.",
        example: "spec:\n  updateStrategy:\n    type: RollingUpdate   # was OnDelete\n",
        fix: "Nothing, if this is what you want. Else keep a `partition` that holds the pods back, and lower it step by step.",
    },
    check: rollout_starts,
};

fn rollout_starts(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(old) = context.old else {
        return;
    };
    let (before, after) = (&old.spec.update_strategy, &context.set.spec.update_strategy);
    let status = &old.status;
    // Under OnDelete the current revision stays behind for ever, also once every pod has been replaced by hand
    // (`completeRollingUpdate` in the controller).
    let is_pending = !status.update_revision.is_empty()
        && status.update_revision != status.current_revision
        && status.updated_replicas < old.spec.replicas();
    if !is_pending || after.kind() != "RollingUpdate" {
        return;
    }
    let (pointer, held) = if before.kind() == "OnDelete" {
        ("/spec/updateStrategy/type", i64::MAX)
    } else {
        (
            "/spec/updateStrategy/rollingUpdate/partition",
            before.partition(),
        )
    };
    let all = ordinals(context.set);
    let first = all.start.saturating_add(after.partition().max(0));
    let freed = first..all.end.min(all.start.saturating_add(held));
    if freed.is_empty() {
        return;
    }
    violations.push(Violation::new(
        pointer,
        format!(
            "{} still on an older template restart now, highest first",
            named(context.set, &freed)
        ),
        format!(
            "to hold pods back, write a partition above {}",
            after.partition().max(0)
        ),
    ));
}

/// Ordinals that leave the range.
pub static ORDINALS_START_CHANGE: Rule = Rule {
    id: "ordinals-start-change",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "`spec.ordinals.start` changes, and pods fall out of the range.",
        why: "A pod is its number. Those outside the new range are deleted, those missing are created with new, empty claims; with `whenScaled: \
              Delete` the claims of the deleted ones are deleted too. Moving a set between clusters does this on purpose, one number at a time \
              (KEP-3335).",
        example: "spec:\n  replicas: 3\n  ordinals:\n    start: 1   # was 0\n",
        fix: "Leave `ordinals.start` as it is, or move pod by pod: raise `start` by one and lower `replicas` by one.",
    },
    check: ordinals_start_change,
};

fn ordinals_start_change(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let Some(old) = context.old else {
        return;
    };
    let set = context.set;
    let (before, after) = (ordinals(old), ordinals(set));
    let gone = outside(&before, &after);
    if old.spec.ordinals.start == set.spec.ordinals.start || gone.is_empty() {
        return;
    }
    let mut message = format!("{} {} deleted", named(set, &gone), verb(&gone));
    let fresh = outside(&after, &before);
    if !fresh.is_empty() {
        message.extend([" and ", &named(set, &fresh), " created"]);
    }
    let loses_claims = set.spec.retention_policy.when_scaled == "Delete"
        && !set.spec.volume_claim_templates.is_empty();
    if loses_claims {
        message += "; whenScaled: Delete deletes the claims of the deleted ones";
    }
    violations.push(Violation::new(
        "/spec/ordinals/start",
        message,
        format!("write {} to keep them", old.spec.ordinals.start),
    ));
}

/// The numbers of a set's pods.
fn ordinals(set: &Set<'_>) -> Range<i64> {
    let start = set.spec.ordinals.start;
    start..start.saturating_add(set.spec.replicas().max(0))
}

/// The part of a range that lies outside another; where that is two parts, the first to the last of them.
fn outside(range: &Range<i64>, other: &Range<i64>) -> Range<i64> {
    if other.is_empty() {
        return range.clone();
    }
    let below = range.start..range.end.min(other.start);
    let above = range.start.max(other.end)..range.end;
    match (below.is_empty(), above.is_empty()) {
        (true, _) => above,
        (_, true) => below,
        _ => below.start..above.end,
    }
}

fn named(set: &Set<'_>, pods: &Range<i64>) -> String {
    let (name, last) = (&set.metadata.name, pods.end - 1);
    if pods.start == last {
        format!("pod {name}-{last}")
    } else {
        format!("pods {name}-{} to {name}-{last}", pods.start)
    }
}

fn verb(pods: &Range<i64>) -> &'static str {
    if pods.end - pods.start == 1 {
        "is"
    } else {
        "are"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, web, web_spec};

    const CHANGED: &str = "registry.example/web:2";

    fn on_delete(image: &str, replicas: i64) -> Value {
        web_spec(
            &json!({"replicas": replicas, "updateStrategy": {"type": "OnDelete", "rollingUpdate": null},
            "template": {"spec": {"containers": [{"name": "web", "image": image}]}}}),
        )
    }

    #[test]
    fn under_on_delete_nothing_restarts() {
        let says = |replicas| {
            Case::update(on_delete("a", replicas), on_delete(CHANGED, replicas))
                .says(&ON_DELETE_TEMPLATE_CHANGE)
        };
        assert_eq!(
            says(3),
            [
                "spec.template: under OnDelete nothing restarts by itself; a pod that fails, is evicted or is added gets the new template; \
                 kubectl delete pod -n shop web-2, then the others downwards, each when the one before is Ready"
            ]
        );
        assert!(says(1)[0].ends_with("; kubectl delete pod -n shop web-0"));
        assert!(says(0).is_empty());
        let scaled = Case::update(on_delete("a", 1), on_delete("a", 2));
        assert!(scaled.says(&ON_DELETE_TEMPLATE_CHANGE).is_empty());
        assert!(
            Case::create(on_delete("a", 1))
                .says(&ON_DELETE_TEMPLATE_CHANGE)
                .is_empty()
        );
        let rolling = web_spec(
            &json!({"template": {"spec": {"containers": [{"name": "web", "image": CHANGED}]}}}),
        );
        assert!(
            Case::update(web(&json!({})), rolling)
                .says(&ON_DELETE_TEMPLATE_CHANGE)
                .is_empty()
        );
    }

    fn strategy(kind: &str, partition: Option<i64>, revisions: (&str, &str)) -> Value {
        let rolling = partition.map(|partition| json!({"partition": partition}));
        web(
            &json!({"spec": {"updateStrategy": {"type": kind, "rollingUpdate": rolling}},
            "status": {"currentRevision": revisions.0, "updateRevision": revisions.1}}),
        )
    }

    #[test]
    fn a_rollout_that_waited_starts() {
        let pending = ("web-1", "web-2");
        let says = |old: Value, new: Value| Case::update(old, new).says(&ROLLOUT_STARTS);
        assert_eq!(
            says(
                strategy("OnDelete", None, pending),
                strategy("RollingUpdate", Some(1), pending)
            ),
            [
                "spec.updateStrategy.type: pods web-1 to web-2 still on an older template restart now, highest first; \
                 to hold pods back, write a partition above 1"
            ]
        );
        assert_eq!(
            says(
                strategy("RollingUpdate", Some(2), pending),
                strategy("RollingUpdate", Some(1), pending)
            ),
            [
                "spec.updateStrategy.rollingUpdate.partition: pod web-1 still on an older template restart now, highest first; \
                 to hold pods back, write a partition above 1"
            ]
        );
        let done = ("web-2", "web-2");
        for (old, new) in [
            (
                strategy("OnDelete", None, done),
                strategy("RollingUpdate", Some(0), done),
            ),
            (
                strategy("OnDelete", None, pending),
                strategy("RollingUpdate", Some(3), pending),
            ),
            (
                strategy("RollingUpdate", Some(1), pending),
                strategy("RollingUpdate", Some(2), pending),
            ),
            (
                strategy("RollingUpdate", Some(9), pending),
                strategy("RollingUpdate", Some(5), pending),
            ),
            (
                strategy("RollingUpdate", Some(1), pending),
                strategy("OnDelete", None, pending),
            ),
        ] {
            assert!(says(old.clone(), new.clone()).is_empty(), "{old} {new}");
        }
    }

    #[test]
    fn nothing_starts_where_the_user_has_replaced_every_pod() {
        let set = |kind: &str, updated: i64| {
            let mut set = strategy(kind, None, ("web-1", "web-2"));
            set["status"]["updatedReplicas"] = json!(updated);
            set
        };
        let says = |updated: i64| {
            let (old, new) = (set("OnDelete", updated), set("RollingUpdate", updated));
            Case::update(old, new).says(&ROLLOUT_STARTS).len()
        };
        assert_eq!((says(2), says(3)), (1, 0));
    }

    #[test]
    fn pods_leave_the_range() {
        let set = |start: Option<i64>, replicas: i64| {
            web_spec(&json!({"replicas": replicas, "ordinals": {"start": start}}))
        };
        let says = |old: Value, new: Value| Case::update(old, new).says(&ORDINALS_START_CHANGE);
        assert_eq!(
            says(set(None, 3), set(Some(5), 3)),
            [
                "spec.ordinals.start: pods web-0 to web-2 are deleted and pods web-5 to web-7 created; write 0 to keep them"
            ]
        );
        assert_eq!(
            says(set(Some(0), 3), set(Some(1), 2)),
            ["spec.ordinals.start: pod web-0 is deleted; write 0 to keep them"]
        );
        for (old, new) in [
            (set(Some(3), 3), set(Some(1), 5)),
            (set(None, 3), set(Some(0), 2)),
            (set(None, 0), set(Some(4), 3)),
        ] {
            assert!(says(old.clone(), new.clone()).is_empty(), "{old} {new}");
        }
    }

    #[test]
    fn their_claims_may_go_too() {
        let set = |start: i64| {
            web_spec(
                &json!({"ordinals": {"start": start}, "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
                "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}}),
            )
        };
        assert_eq!(
            Case::update(set(0), set(2)).says(&ORDINALS_START_CHANGE),
            [
                "spec.ordinals.start: pods web-0 to web-1 are deleted and pods web-3 to web-4 created; \
                 whenScaled: Delete deletes the claims of the deleted ones; write 0 to keep them"
            ]
        );
    }
}
