//! Hooks that take longer than a pod has to stop.

use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::runtime::Hook;

/// A preStop hook that sleeps through the grace period (`killContainer` in the kubelet: the hook's time counts against it).
pub static GRACE_SHORTER: Rule = Rule {
    id: "grace-shorter-than-prestop",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A preStop hook sleeps as long as the pod's grace period or longer: the container is killed before it can stop.",
        why: "`terminationGracePeriodSeconds` (30 where it is absent) counts from the moment the pod is deleted, and the preStop hook's time \
              counts against it. A hook that takes all of it leaves nothing for the program: it gets SIGTERM with two seconds left, and is \
              killed in the middle of its work. A database then has to recover when it starts.",
        at: &["spec.template.spec.terminationGracePeriodSeconds"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          lifecycle:
            preStop:
              exec: {command: [sh, -c, drain; sleep 60]}
",
        fix: "Give the pod the time of the hook and the time that the program itself needs to stop.",
        fixed: "\
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 120
      containers:
        - name: web
          image: registry.example/web:1
          lifecycle:
            preStop:
              exec: {command: [sh, -c, drain; sleep 60]}
",
        ..Docs::BLANK
    },
    check,
};

/// Seconds that a pod has to stop where it does not say (`SetDefaults_PodSpec`).
const DEFAULT_GRACE: i64 = 30;

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let pod = &context.set.spec.template.spec;
    let grace = pod
        .termination_grace_period_seconds
        .unwrap_or(DEFAULT_GRACE);
    // of 0 termination-grace-zero tells
    if grace <= 0 {
        return;
    }
    let longest = pod
        .all_containers()
        .filter_map(|(_, container)| Some((container, sleeps(&container.lifecycle.pre_stop)?)))
        .max_by_key(|(_, seconds)| *seconds);
    let Some((container, seconds)) = longest.filter(|(_, seconds)| *seconds >= grace) else {
        return;
    };
    violations.push(
        Violation::new(
            "/spec/template/spec/terminationGracePeriodSeconds",
            format!(
                "the preStop hook of {} sleeps {seconds} s and the pod has {grace} s to stop",
                quoted(&container.name)
            ),
            format!(
                "write more than {seconds} s, such as terminationGracePeriodSeconds: {}",
                seconds.saturating_add(DEFAULT_GRACE)
            ),
        )
        .of(&*container.name),
    );
}

/// Seconds that a hook sleeps; `None` where it does not, or nobody can tell.
fn sleeps(hook: &Hook<'_>) -> Option<i64> {
    if let Some(pause) = &hook.sleep {
        return Some(pause.seconds);
    }
    let commands = crate::catalogue::commands(&hook.exec.as_ref()?.command);
    let mut all = None;
    for command in &commands {
        let [program, seconds, ..] = &**command else {
            continue;
        };
        if program.rsplit('/').next() == Some("sleep") {
            let total = seconds_of(seconds)?;
            all = Some(all.map_or(total, |before: i64| before.saturating_add(total)));
        }
    }
    all
}

/// What `sleep` takes: a number, and a letter for minutes, hours or days.
fn seconds_of(text: &str) -> Option<i64> {
    let (number, factor) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, factor(text)),
        None => (text, 1),
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn factor(text: &str) -> i64 {
    match text.chars().next_back() {
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    fn says(hook: &Value, grace: &Value) -> Vec<String> {
        let container = json!({"name": "web", "image": "registry.example/web:1", "lifecycle": {"preStop": hook}});
        let pod = json!({"containers": [container], "terminationGracePeriodSeconds": grace});
        Case::create(web_spec(&json!({"template": {"spec": pod}}))).says(&GRACE_SHORTER)
    }

    fn shell(script: &str) -> Value {
        json!({"exec": {"command": ["sh", "-c", script]}})
    }

    #[test]
    fn a_hook_leaves_time_to_stop() {
        let line = |seconds: i64, grace: i64| {
            [format!(
                "spec.template.spec.terminationGracePeriodSeconds: the preStop hook of \"web\" sleeps {seconds} s \
                 and the pod has {grace} s to stop; \
                 write more than {seconds} s, such as terminationGracePeriodSeconds: {}",
                seconds + 30
            )]
        };
        let action = json!({"sleep": {"seconds": 30}});
        assert_eq!(says(&action, &json!(null)), line(30, 30));
        assert_eq!(
            says(&shell("drain --now; sleep 300"), &json!(null)),
            line(300, 30)
        );
        assert_eq!(says(&shell("sleep 2m && stop"), &json!(60)), line(120, 60));
        assert_eq!(
            says(&shell("sleep 20; stop; sleep 20"), &json!(40)),
            line(40, 40)
        );
        let plain = json!({"exec": {"command": ["/bin/sleep", "45"]}});
        assert_eq!(says(&plain, &json!(45)), line(45, 45));
    }

    #[test]
    fn a_shorter_hook_and_one_of_unknown_length_are_fine() {
        for (hook, grace) in [
            (json!({"sleep": {"seconds": 29}}), json!(null)),
            (shell("sleep 300"), json!(301)),
            (shell("sleep $DELAY"), json!(null)),
            (shell("until drained; do sleep 1; done"), json!(null)),
            (shell("echo sleep 300"), json!(null)),
            (
                json!({"httpGet": {"path": "/stop", "port": 80}}),
                json!(null),
            ),
            (json!(null), json!(null)),
            (json!({"sleep": {"seconds": 30}}), json!(0)),
        ] {
            assert!(says(&hook, &grace).is_empty(), "{hook} {grace}");
        }
    }
}
