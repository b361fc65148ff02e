use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::*;
use crate::cluster_view::NoCluster;
use crate::policy::compile::compile;
use crate::rules;
use crate::rules::testing::{mount, mounting, web, web_spec};
use crate::strict::Source;

/// What is said on a server of 1.36.3, in 2026.
fn verdict(policy: &Policy, old: Option<&Value>, object: &Value, phase: Phase) -> Verdict {
    let (old, object) = (
        old.map(|old| to_raw_value(old).unwrap()),
        to_raw_value(object).unwrap(),
    );
    let source = Source {
        namespace: "shop",
        object: &object,
        old_object: old.as_deref(),
    };
    let cluster = NoCluster {
        version: Some("1.36.3".parse().unwrap()),
    };
    let now = "2026-11-21T00:00:00Z".parse().unwrap();
    let subject = Subject::decode(source).unwrap();
    let judged = subject.map(|subject| evaluate(policy, subject, &cluster, phase, now));
    judged.unwrap_or_default()
}

/// Its findings, as `Action rule`.
fn findings(verdict: Verdict) -> Vec<String> {
    let findings = verdict.findings.into_iter();
    findings
        .map(|finding| format!("{:?} {}", finding.action, finding.rule))
        .collect()
}

fn says(old: Option<&Value>, object: &Value, phase: Phase) -> Vec<String> {
    findings(verdict(&Policy::default(), old, object, phase))
}

/// What a new set meets under a policy.
fn under(policy: &Value, object: &Value, phase: Phase) -> Vec<String> {
    let policy = compile("shop", policy).unwrap();
    findings(verdict(&policy, None, object, phase))
}

fn created(object: &Value) -> Vec<String> {
    says(None, object, Phase::Mutate)
}

fn updated(old: &Value, object: &Value) -> Vec<String> {
    says(Some(old), object, Phase::Mutate)
}

fn owned(mut set: Value) -> Value {
    set["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "example.com/v1", "kind": "Db", "name": "db", "controller": true}]);
    set
}

#[test]
fn a_sin_of_the_stored_set_is_not_punished() {
    let duplicate = |replicas: i64| {
        let claim = json!({"metadata": {"name": "data"}, "spec": {}});
        mounting(
            &mount("data"),
            &json!({"replicas": replicas, "volumeClaimTemplates": [claim, claim]}),
        )
    };
    let validated = |old: Option<&Value>, set: &Value| says(old, set, Phase::Validate);
    assert_eq!(
        validated(None, &duplicate(3)),
        [
            "Deny claim-duplicate-name",
            "Deny claim-incomplete",
            "Deny claim-incomplete"
        ]
    );
    assert_eq!(validated(Some(&duplicate(3)), &duplicate(5)), [""; 0]);
}

#[test]
fn a_sin_is_the_same_one_wherever_it_stands_in_a_list() {
    let mounts = |volumes: &[&str]| {
        let mounts: Vec<Value> = volumes
            .iter()
            .map(|volume| json!({"name": volume, "mountPath": format!("/{volume}")}))
            .collect();
        web_spec(
            &json!({"template": {"spec": {"containers": [{"name": "web", "volumeMounts": mounts}]}}}),
        )
    };
    let old = mounts(&["gone"]);
    assert_eq!(
        says(Some(&old), &mounts(&["lost", "gone"]), Phase::Validate),
        ["Deny mount-without-volume"]
    );
    let mut reordered = mounts(&["gone"]);
    reordered["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    assert_eq!(says(Some(&old), &reordered, Phase::Validate), [""; 0]);
}

#[test]
fn nothing_is_said_of_a_set_that_goes_or_keeps_its_spec() {
    let broken = |changes: &Value| {
        let mut set = web(changes);
        set["spec"]["podManagementPolicy"] = json!("Foo");
        set
    };
    let going = broken(
        &json!({"metadata": {"deletionTimestamp": "2026-11-21T00:00:00Z"}, "spec": {"replicas": 9}}),
    );
    assert_eq!(updated(&web(&json!({})), &going), [""; 0]);
    let labelled = broken(&json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!(updated(&broken(&json!({})), &labelled), [""; 0]);
}

#[test]
fn a_change_that_the_server_refuses_is_never_denied_by_us() {
    let old = web(&json!({}));
    let changed = web_spec(
        &json!({"podManagementPolicy": "Foo", "serviceName": "other",
        "updateStrategy": {"rollingUpdate": {"partition": -1}}}),
    );
    assert_eq!(
        updated(&old, &changed),
        [
            "Warn pod-management-policy-unknown",
            "Warn partition-negative",
            "Warn immutable-field-change",
            "Warn immutable-field-change",
        ]
    );
}

#[test]
fn a_set_that_a_controller_owns_is_denied_only_what_the_server_denies() {
    let set = |policy: &str, max_unavailable: &Value| {
        web_spec(&json!({"podManagementPolicy": policy,
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": max_unavailable}}}))
    };
    let bad_amount = set("Parallel", &json!(0));
    assert_eq!(created(&bad_amount), ["Deny max-unavailable-invalid"]);
    assert_eq!(
        created(&owned(bad_amount)),
        ["Warn max-unavailable-invalid"]
    );
    let bad_policy = set("parallel", &json!(1));
    assert_eq!(
        created(&owned(bad_policy)),
        ["Deny pod-management-policy-unknown"]
    );
}

#[test]
fn mutate_says_only_what_validate_would_be_too_late_for() {
    let partition = web_spec(&json!({"updateStrategy": {"rollingUpdate": {"partition": 5}}}));
    assert_eq!(created(&partition), [""; 0]);
    assert_eq!(
        says(None, &partition, Phase::Validate),
        ["Warn partition-exceeds-replicas"]
    );
    let several =
        web_spec(&json!({"podManagementPolicy": "Foo", "updateStrategy": {"type": "onDelete"}}));
    assert_eq!(
        created(&several),
        [
            "Deny pod-management-policy-unknown",
            "Deny update-strategy-unknown"
        ]
    );
}

#[test]
fn no_message_has_the_words_that_tools_act_on() {
    for rule in rules::all() {
        let docs = [
            rule.docs.what,
            rule.docs.why,
            rule.docs.example,
            rule.docs.fix,
        ];
        for text in docs {
            assert!(
                !text.contains("is immutable") && !text.contains("immutable field"),
                "{}",
                rule.id
            );
            assert!(!text.is_empty(), "{}", rule.id);
        }
    }
}

#[test]
fn ids_are_different() {
    let mut ids: Vec<&str> = rules::all().iter().map(|rule| rule.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

/// Denied by the server, denied by us, warned of, and for the operator alone.
fn of_every_kind() -> Value {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "volumeMode": "Block", "resources": {"requests": {"storage": "1Gi"}}}});
    mounting(
        &mount("data"),
        &json!({"podManagementPolicy": "Foo", "volumeClaimTemplates": [claim],
            "updateStrategy": {"rollingUpdate": {"partition": 9}}}),
    )
}

#[test]
fn the_policy_decides_what_a_finding_does() {
    let (builtin, ours, warned) = (
        "pod-management-policy-unknown",
        "claim-mode-mismatch",
        "partition-exceeds-replicas",
    );
    let all = |actions: [&str; 3]| {
        let rules = [builtin, warned, ours];
        let pairs = actions
            .iter()
            .zip(rules)
            .filter(|(action, _)| !action.is_empty());
        pairs
            .map(|(action, rule)| format!("{action} {rule}"))
            .collect::<Vec<_>>()
    };
    for (policy, actions) in [
        (json!({}), ["Deny", "Warn", "Deny"]),
        (json!({"profile": "Strict"}), ["Deny", "Deny", "Deny"]),
        (json!({"profile": "Permissive"}), ["Deny", "", ""]),
        (
            json!({"profile": "Permissive", "rules": {warned: "Audit"}}),
            ["Deny", "Audit", ""],
        ),
        (
            json!({"profile": "Strict", "rules": {warned: "Warn", ours: "Ignore"}}),
            ["Deny", "Warn", ""],
        ),
        (
            json!({"enforcement": "Warn", "rules": {warned: "Deny"}}),
            ["Warn", "Warn", "Warn"],
        ),
        (json!({"enforcement": "Audit"}), ["Audit", "Audit", "Audit"]),
        (
            json!({"rules": {builtin: "Ignore", ours: "Audit"}}),
            ["", "Warn", "Audit"],
        ),
    ] {
        assert_eq!(
            under(&policy, &of_every_kind(), Phase::Validate),
            all(actions),
            "{policy}"
        );
    }
}

#[test]
fn where_somebody_else_decides_no_policy_makes_us_deny() {
    let strict = json!({"profile": "Strict", "rules": {"mount-without-volume": "Deny"}});
    let dangling = mounting(
        &json!({"volumeMounts": [{"name": "conf", "mountPath": "/etc/conf"}]}),
        &json!({}),
    );
    assert_eq!(
        under(&strict, &dangling, Phase::Mutate),
        ["Warn mount-without-volume"]
    );
    assert_eq!(
        under(&strict, &dangling, Phase::Validate),
        ["Deny mount-without-volume"]
    );
    let ignored = web_spec(&json!({"podManagementPolicy": "Parallel",
        "updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}));
    assert_eq!(
        under(&strict, &ignored, Phase::Mutate),
        ["Warn max-unavailable-ignored"]
    );
    let set = owned(of_every_kind());
    assert_eq!(
        under(&strict, &set, Phase::Validate),
        [
            "Deny pod-management-policy-unknown",
            "Warn partition-exceeds-replicas",
            "Warn claim-mode-mismatch"
        ]
    );
}

#[test]
fn an_exemption_takes_one_rule_away_and_says_so() {
    let exempt = |annotations: &Value| {
        let mut set = of_every_kind();
        set["metadata"]["annotations"] = annotations.clone();
        set
    };
    let told = |old: Option<&Value>, set: &Value| {
        let verdict = verdict(&Policy::default(), old, set, Phase::Validate);
        let notices: Vec<String> = verdict
            .notices
            .iter()
            .map(|notice| notice.message.clone())
            .collect();
        (verdict.exempted.clone(), notices, findings(verdict))
    };
    let text = "claim-mode-mismatch, claim-unmounted: the disk is read raw";
    let counts = exempt(&json!({"steadyset.io/exempt": text}));
    assert_eq!(
        told(None, &counts),
        (
            vec!["claim-mode-mismatch"],
            vec!["exempted from claim-mode-mismatch: the disk is read raw".to_owned()],
            vec![
                "Deny pod-management-policy-unknown".to_owned(),
                "Warn partition-exceeds-replicas".to_owned()
            ]
        )
    );
    let ended =
        exempt(&json!({"steadyset.io/exempt": text, "steadyset.io/exempt-until": "2026-11-20"}));
    let (exempted, notices, denied) = told(None, &ended);
    assert_eq!(exempted, [""; 0]);
    assert_eq!(
        notices,
        ["the exemption from claim-mode-mismatch ended at 2026-11-20"]
    );
    assert!(denied.contains(&"Deny claim-mode-mismatch".to_owned()));
    let mut scaled = ended.clone();
    scaled["spec"]["replicas"] = json!(2);
    let (_, notices, found) = told(Some(&ended), &scaled);
    assert_eq!(
        (notices.len(), found),
        (1, Vec::new()),
        "an old sin is not punished, but the end is told"
    );
}

#[test]
fn strict_leaves_a_set_changeable() {
    let strict = compile("shop", &json!({"profile": "Strict"})).unwrap();
    let old = web_spec(&json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}));
    let mut new = old.clone();
    new["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    let found = findings(verdict(&strict, Some(&old), &new, Phase::Validate));
    assert_eq!(found, ["Warn on-delete-template-change"]);
    let told = compile(
        "shop",
        &json!({"rules": {"on-delete-template-change": "Deny"}}),
    )
    .unwrap();
    let found = findings(verdict(&told, Some(&old), &new, Phase::Validate));
    assert_eq!(
        found,
        ["Deny on-delete-template-change"],
        "who names it means it"
    );
}
