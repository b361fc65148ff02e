//! Writes to a stored set that make pods restart, or not, when nobody would expect it.

use std::ops::Range;

use crate::model::finding::Action;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Set;

/// A new template under `OnDelete`.
pub static ON_DELETE_TEMPLATE_CHANGE: Rule = Rule {
    id: "on-delete-template-change",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Change,
    docs: Docs {
        file: file!(),
        what: "The pod template of a set with `type: OnDelete` changes.",
        why: "With `OnDelete` no pod restarts by itself: each keeps the old template until it is deleted. But a pod that fails, is evicted \
              from its node or is added by scaling comes up with the new one. So until you have deleted them all, old and new versions run \
              side by side, at a time that nobody chose.",
        at: &["spec.template"],
        stored: "\
spec:
  updateStrategy:
    type: OnDelete
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
",
        example: "\
spec:
  updateStrategy:
    type: OnDelete
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:2
",
        fix: "Nothing is wrong with the manifest. When the time is right, delete the pods one by one, the highest number first, each time \
              waiting until the new one is Ready:\n\n\
              ```sh\n\
              kubectl delete pod web-2\n\
              kubectl wait --for=condition=Ready pod/web-2\n\
              ```\n\n\
              With `type: RollingUpdate` the controller does the same by itself.",
        ..Docs::BLANK
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
        ", then downwards, each once the last is Ready"
    } else {
        ""
    };
    violations.push(Violation::new(
        "/spec/template",
        "OnDelete restarts nothing: a pod that fails, is evicted or added gets the new template",
        format!("kubectl delete pod -n {} {last}{rest}", context.namespace),
    ));
}

/// A held-back update that now starts.
pub static ROLLOUT_STARTS: Rule = Rule {
    id: "rollout-starts",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Change,
    docs: Docs {
        file: file!(),
        what: "An update that was held back, by `OnDelete` or by a partition, starts with this write.",
        why: "The type changes from `OnDelete` to `RollingUpdate`, or the `partition` is lowered, while pods still run an older template. The \
              controller restarts those pods at once, one after the other, although the template itself does not change now. \
              `status.updateRevision` and `status.currentRevision` of the stored set differ as long as an update waits.",
        at: &[
            "spec.updateStrategy.type",
            "spec.updateStrategy.rollingUpdate.partition",
        ],
        stored: "\
spec:
  updateStrategy:
    type: OnDelete
status:
  currentRevision: web-7c9d
  updateRevision: web-58bf
  updatedReplicas: 1
",
        example: "\
spec:
  updateStrategy:
    type: RollingUpdate
",
        fix: "Nothing, if the restart is what you want. Else keep a `partition` that holds the pods back, and lower it step by step: with 3 \
              replicas, 2 restarts `web-2` alone.",
        ..Docs::BLANK
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
    may_deny: true,
    about: About::Change,
    docs: Docs {
        file: file!(),
        what: "`spec.ordinals.start` changes, and pods fall out of the range of numbers.",
        why: "A pod is its number: `web-0` has its own name, its own claims and its own data. With `start: 5` and 3 replicas the set consists \
              of `web-5`, `web-6` and `web-7`. Those outside the new range are deleted, those missing are created, with new and empty claims. \
              The claims of the deleted ones stay, unless `whenScaled: Delete` deletes them too.\n\n\
              Moving a set between clusters does this on purpose, one number at a time.",
        at: &["spec.ordinals.start"],
        stored: "\
spec:
  replicas: 3
",
        example: "\
spec:
  replicas: 3
  ordinals:
    start: 5
",
        fix: "Leave `ordinals.start` as it is. To move a set, go pod by pod: raise `start` by one and lower `replicas` by one.",
        fixed: "\
spec:
  replicas: 3
  ordinals:
    start: 0
",
        ..Docs::BLANK
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
mod tests;
