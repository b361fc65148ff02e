use serde_json::{Value, json};

use crate::inject::testing::{World, Written, create, create_with, update_with, web};
use crate::policy::compile::unknown_policy;
use crate::policy::{Policy, ProbeMode, StartupMode};

const LIVE: &str = "liveness-probe/web";
const START: &str = "startup-probe/web";

fn world() -> World {
    World::with(vec![])
}

fn policy(mode: ProbeMode) -> Policy {
    let mut policy = Policy::default();
    policy.inject.liveness_probe.mode = mode;
    policy
}

fn safe() -> Policy {
    policy(ProbeMode::Safe)
}

fn with(set: &Value, changes: &Value) -> Value {
    let mut set = set.clone();
    json_patch::merge(
        &mut set["spec"]["template"]["spec"]["containers"][0],
        changes,
    );
    set
}

fn probe(written: &Written, field: &str) -> Value {
    written.set["spec"]["template"]["spec"]["containers"][0][field].clone()
}

fn asked(policy: &Policy, container: &Value) -> (Value, Value) {
    let written = create_with(policy, &with(&web(&json!({})), container), &world());
    (
        probe(&written, "livenessProbe"),
        probe(&written, "startupProbe"),
    )
}

fn tcp(port: &Value, period: i64, failures: i64) -> Value {
    json!({"tcpSocket": {"port": port}, "periodSeconds": period, "timeoutSeconds": 5, "successThreshold": 1,
        "failureThreshold": failures})
}

#[test]
fn by_default_nothing_is_restarted() {
    let written = create(&web(&json!({})), &world());
    assert_eq!(probe(&written, "livenessProbe"), Value::Null);
    assert_eq!(probe(&written, "startupProbe"), Value::Null);
}

#[test]
fn a_liveness_probe_comes_with_a_startup_probe_and_both_are_told() {
    let written = create_with(&safe(), &web(&json!({})), &world());
    assert_eq!(probe(&written, "livenessProbe"), tcp(&json!("http"), 20, 6));
    assert_eq!(probe(&written, "startupProbe"), tcp(&json!("http"), 10, 60));
    for (key, field) in [(LIVE, "livenessProbe"), (START, "startupProbe")] {
        assert_eq!(written.record(key)["value"], probe(&written, field));
        assert_eq!(written.record(key)["source"], "port");
    }
    let field = "/spec/template/spec/containers/0";
    assert_eq!(
        written.says()[2..],
        [
            format!(
                "injected {field}/livenessProbe: added: tcpSocket, port http; write it in the manifest, or your own"
            ),
            format!(
                "injected {field}/startupProbe: added: tcpSocket, port http; write it in the manifest, or your own"
            ),
        ]
    );
}

#[test]
fn safe_restarts_nothing_that_waits() {
    let ports = |port: i64| json!([{"containerPort": port}]);
    let waiting = [
        json!({"image": "postgres", "ports": ports(5432)}),
        json!({"image": "postgres", "ports": ports(5432), "command": ["my-wrapper"]}),
        json!({"image": "etcd", "ports": ports(2379)}),
        json!({"image": "redis", "ports": ports(6379)}),
        json!({"image": "minio/minio", "args": ["server", "/d"], "ports": ports(9000)}),
        json!({"image": "corp/raft", "args": ["--peers=web-0.web-pods"]}),
        json!({"env": [{"name": "SEEDS", "value": "a"}]}),
    ];
    for container in &waiting {
        assert_eq!(
            asked(&safe(), container),
            (Value::Null, Value::Null),
            "{container}"
        );
        let (live, start) = asked(&policy(ProbeMode::Always), container);
        assert!(live.is_object() && start.is_object(), "{container}");
    }
    let never = [
        json!({"image": "hashicorp/vault", "ports": ports(8200)}),
        json!({"image": "oliver006/redis_exporter", "ports": ports(9121)}),
        json!({"command": ["sleep", "1d"]}),
        json!({"ports": null}),
    ];
    for container in &never {
        let asked = asked(&policy(ProbeMode::Always), container);
        assert_eq!(asked, (Value::Null, Value::Null), "{container}");
    }
}

#[test]
fn liveness_asks_less_than_readiness() {
    let always = policy(ProbeMode::Always);
    let cases = [
        (
            json!({"image": "postgres", "ports": [{"containerPort": 5432}]}),
            json!({"tcpSocket": {"port": 5432}}),
        ),
        (
            json!({"image": "prom/prometheus", "ports": [{"name": "web", "containerPort": 9090}]}),
            json!({"httpGet": {"path": "/-/healthy", "port": "web", "scheme": "HTTP"}}),
        ),
        (
            json!({"image": "grafana/loki", "ports": [{"name": "http", "containerPort": 3100}]}),
            json!({"tcpSocket": {"port": "http"}}),
        ),
    ];
    for (container, handler) in cases {
        let (live, start) = asked(&always, &container);
        for (probe, period) in [(&live, 20), (&start, 10)] {
            let mut expected = handler.clone();
            json_patch::merge(&mut expected, &json!({"periodSeconds": period}));
            let mut probe = probe.clone();
            let fields = probe.as_object_mut().unwrap();
            fields.retain(|name, _| expected.get(name).is_some());
            assert_eq!(probe, expected, "{container}");
        }
    }
}

#[test]
fn without_a_startup_probe_it_is_as_patient_as_one_or_not_there() {
    let mut policy = safe();
    policy.inject.startup_probe.mode = StartupMode::Never;
    let plain = json!({});
    assert_eq!(asked(&policy, &plain), (Value::Null, Value::Null));
    let own = json!({"startupProbe": {"tcpSocket": {"port": 8080}}});
    let (live, start) = asked(&policy, &own);
    assert_eq!(
        (live, start),
        (tcp(&json!("http"), 20, 6), own["startupProbe"].clone())
    );
    policy.inject.liveness_probe.failure_threshold = 29;
    assert_eq!(asked(&policy, &plain), (Value::Null, Value::Null));
    policy.inject.liveness_probe.failure_threshold = 30;
    let (live, start) = asked(&policy, &plain);
    assert_eq!((live, start), (tcp(&json!("http"), 20, 30), Value::Null));
}

#[test]
fn what_the_user_wrote_stays_as_it_is() {
    let own = json!({"livenessProbe": {"tcpSocket": {"port": 1}}});
    assert_eq!(
        asked(&safe(), &own),
        (own["livenessProbe"].clone(), Value::Null)
    );
}

#[test]
fn the_annotation_narrows_them() {
    for (words, live, start) in [
        ("readiness-probe", false, false),
        ("startup-probe", false, false),
        ("liveness-probe", false, false),
        ("liveness-probe, startup-probe", true, true),
    ] {
        let set = web(&json!({"metadata": {"annotations": {"steadyset.io/inject": words}}}));
        let written = create_with(&safe(), &set, &world());
        assert_eq!(
            probe(&written, "livenessProbe").is_object(),
            live,
            "{words}"
        );
        assert_eq!(
            probe(&written, "startupProbe").is_object(),
            start,
            "{words}"
        );
    }
}

fn stored() -> Value {
    create_with(&safe(), &web(&json!({})), &world()).set
}

fn updated(old: &Value, new: &Value) -> Written {
    update_with(&safe(), old, new, &world())
}

fn own() -> Value {
    json!({"httpGet": {"path": "/alive", "port": "http", "scheme": "HTTP"}, "periodSeconds": 5})
}

#[test]
fn the_users_own_liveness_probe_makes_both_of_ours_go_and_a_revert_brings_them_back() {
    let stored = stored();
    let written = updated(&stored, &with(&stored, &json!({"livenessProbe": own()})));
    assert_eq!(probe(&written, "livenessProbe"), own());
    assert_eq!(probe(&written, "startupProbe"), Value::Null);
    assert_eq!(
        (written.state(LIVE), written.state(START)),
        ("yielded".into(), "yielded".into())
    );
    let field = "/spec/template/spec/containers/0";
    assert_eq!(
        written.says(),
        [
            format!("yielded {field}/livenessProbe: the injected probe made way for your own"),
            format!(
                "yielded {field}/startupProbe: the injected probe was removed with the injected livenessProbe"
            ),
        ]
    );
    let again = updated(
        &written.set,
        &with(&written.set, &json!({"image": "web:2"})),
    );
    assert_eq!(probe(&again, "startupProbe"), Value::Null);

    let mut undone = written.set.clone();
    undone["spec"]["template"] = stored["spec"]["template"].clone();
    let undone = updated(&written.set, &undone);
    assert_eq!(
        undone.set["spec"]["template"], stored["spec"]["template"],
        "an undo"
    );
    let reverted = updated(
        &written.set,
        &with(&written.set, &json!({"livenessProbe": null})),
    );
    assert_eq!(
        reverted.set["spec"]["template"], stored["spec"]["template"],
        "a revert"
    );
}

#[test]
fn the_users_own_startup_probe_leaves_our_liveness_probe() {
    let stored = stored();
    let own = json!({"exec": {"command": ["true"]}, "failureThreshold": 9});
    let written = updated(&stored, &with(&stored, &json!({"startupProbe": own})));
    assert_eq!(probe(&written, "startupProbe"), own);
    assert_eq!(probe(&written, "livenessProbe"), tcp(&json!("http"), 20, 6));
}

#[test]
fn a_liveness_probe_that_was_taken_out_takes_the_startup_probe_along() {
    let stored = stored();
    let written = updated(&stored, &with(&stored, &json!({"livenessProbe": null})));
    assert_eq!(probe(&written, "livenessProbe"), Value::Null);
    assert_eq!(probe(&written, "startupProbe"), Value::Null);
    assert_eq!(
        (written.state(LIVE), written.state(START)),
        ("removed".into(), "yielded".into())
    );
}

#[test]
fn a_replace_from_a_file_puts_both_back() {
    let stored = stored();
    let mut file = web(&json!({}));
    file["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    let written = updated(&stored, &file);
    assert_eq!(written.set, with(&stored, &json!({"image": "web:2"})));
}

#[test]
fn both_follow_a_renamed_port_and_back() {
    let stored = stored();
    let ports = |name: &str| json!({"ports": [{"name": name, "containerPort": 8080}]});
    let renamed = updated(&stored, &with(&stored, &ports("web")));
    assert_eq!(probe(&renamed, "livenessProbe"), tcp(&json!("web"), 20, 6));
    assert_eq!(probe(&renamed, "startupProbe"), tcp(&json!("web"), 10, 60));
    let reverted = updated(&renamed.set, &with(&renamed.set, &ports("http")));
    assert_eq!(reverted.set["spec"]["template"], stored["spec"]["template"]);
}

#[test]
fn a_container_that_becomes_a_database_is_restarted_no_longer() {
    let stored = stored();
    let database = json!({"image": "mysql:8"});
    let written = updated(&stored, &with(&stored, &database));
    assert_eq!(probe(&written, "livenessProbe"), Value::Null);
    assert_eq!(probe(&written, "startupProbe"), Value::Null);
    assert!(
        written.probe().is_object(),
        "it is still asked whether it is ready"
    );
}

#[test]
fn none_takes_all_out_and_a_scale_nothing() {
    let mut stored = stored();
    stored["metadata"]["annotations"]["steadyset.io/inject"] = json!("none");
    let mut scaled = stored.clone();
    scaled["spec"]["replicas"] = json!(7);
    assert_eq!(updated(&stored, &scaled).operations, 0);
    let written = updated(&stored, &with(&stored, &json!({"image": "web:2"})));
    for field in ["readinessProbe", "livenessProbe", "startupProbe"] {
        assert_eq!(probe(&written, field), Value::Null, "{field}");
    }
}

#[test]
fn without_leave_for_the_startup_probe_the_liveness_probe_goes_too() {
    let mut stored = stored();
    stored["metadata"]["annotations"]["steadyset.io/inject"] = json!("liveness-probe");
    let written = updated(&stored, &with(&stored, &json!({"image": "web:2"})));
    assert_eq!(probe(&written, "livenessProbe"), Value::Null);
    assert_eq!(probe(&written, "startupProbe"), Value::Null);
}

#[test]
fn an_update_adds_none() {
    let old = create(&web(&json!({})), &world()).set;
    let written = updated(&old, &with(&old, &json!({"image": "web:2"})));
    assert_eq!(probe(&written, "livenessProbe"), Value::Null);
}

/// Every policy that may be in force by the time a set is written again.
fn later_policies() -> [Policy; 4] {
    [
        policy(ProbeMode::Always),
        policy(ProbeMode::Safe),
        policy(ProbeMode::Never),
        unknown_policy(),
    ]
}

#[test]
fn whatever_the_policy_says_by_then_the_same_file_restarts_nothing() {
    let file = with(&web(&json!({})), &json!({"image": "mysql:8"}));
    let stored = create_with(&policy(ProbeMode::Always), &file, &world()).set;
    assert_ne!(stored["spec"]["template"], file["spec"]["template"]);
    let mut scaled = file.clone();
    scaled["spec"]["replicas"] = json!(7);
    for policy in later_policies() {
        let written = update_with(&policy, &stored, &scaled, &world());
        assert_eq!(
            written.set["spec"]["template"], stored["spec"]["template"],
            "{policy:?}"
        );
        let bumped = with(&stored, &json!({"image": "mysql:8.1"}));
        let written = update_with(&policy, &stored, &bumped, &world());
        assert_eq!(written.operations, 0, "{policy:?}");
    }
}

#[test]
fn whatever_the_policy_says_by_then_a_revert_leads_to_the_template_of_before() {
    let stored = create_with(&safe(), &web(&json!({})), &world()).set;
    let without = update_with(
        &safe(),
        &stored,
        &with(&stored, &json!({"ports": []})),
        &world(),
    );
    assert_eq!(probe(&without, "readinessProbe"), Value::Null);
    let ports = stored["spec"]["template"]["spec"]["containers"][0]["ports"].clone();
    let mut later = later_policies();
    later[2].inject.readiness_probe.mode = ProbeMode::Never;
    for policy in later {
        let reverted = with(&without.set, &json!({"ports": ports}));
        let written = update_with(&policy, &without.set, &reverted, &world());
        assert_eq!(
            written.set["spec"]["template"], stored["spec"]["template"],
            "{policy:?}"
        );
    }
}
