use serde_json::{Value, json};

use crate::inject::Origin;
use crate::inject::testing::{World, Written, create_with, update_with, web};
use crate::policy::Policy;
use crate::policy::compile::compile;

const KEY: &str = "readiness-probe/web";

fn world() -> World {
    World::with(vec![])
}

fn policy(image_probes: &Value) -> Policy {
    let spec = json!({"inject": {"imageProbes": image_probes}});
    compile("platform", &spec).unwrap()
}

/// A set of three members that find each other, one after the other, behind a Service that hides them until they are ready.
fn ordered(container: &Value) -> Value {
    let mut set = web(&json!({"spec": {"serviceName": "web"}}));
    let changes =
        json!({"image": "corp.example:5000/team/ledger:1", "args": ["--peers=web-0.web"]});
    for changes in [&changes, container] {
        json_patch::merge(
            &mut set["spec"]["template"]["spec"]["containers"][0],
            changes,
        );
    }
    set
}

fn created(policy: &Policy, container: &Value) -> Written {
    create_with(policy, &ordered(container), &world())
}

#[test]
fn the_operators_own_word_wins_and_says_where_it_comes_from() {
    let policy = policy(&json!([{"image": "*/ledger", "port": "http",
        "readiness": {"httpGet": {"path": "/ready"}, "initialDelaySeconds": 4, "timeoutSeconds": 9}}]));
    let written = created(&policy, &json!({}));
    assert_eq!(
        written.probe(),
        json!({"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "initialDelaySeconds": 4,
            "periodSeconds": 10, "timeoutSeconds": 9, "successThreshold": 1, "failureThreshold": 3})
    );
    assert_eq!(written.record(KEY)["source"], "policy/platform");
    let injections = written.outcome.injections.iter();
    assert_eq!(
        injections
            .map(|one| (one.key.as_str(), one.origin))
            .collect::<Vec<_>>(),
        [(KEY, Origin::Policy)]
    );
    assert_eq!(
        written.says(),
        [
            "injected /spec/template/spec/containers/0/readinessProbe: added: what policy platform states for the image, \
             port http; write it in the manifest, or your own"
        ]
    );
    let without = created(&Policy::default(), &json!({}));
    assert_eq!(
        without.probe(),
        Value::Null,
        "by itself it could block the set"
    );
}

#[test]
fn the_first_that_fits_counts_before_the_catalogue() {
    let tcp = |image: &str, port: i64| json!({"image": image, "port": port});
    let by = |port: i64| json!({"port": port});
    let cases = [
        (
            json!([tcp("postgres", 1), tcp("*", 2)]),
            "postgres:17",
            by(1),
        ),
        (json!([tcp("redis", 1), tcp("*", 2)]), "postgres:17", by(2)),
        (
            json!([tcp("docker.io/library/postgres", 3)]),
            "docker.io/library/postgres@sha256:0",
            by(3),
        ),
        (
            json!([tcp("docker.io/*", 4)]),
            "docker.io/library/postgres:17",
            by(4),
        ),
        (
            json!([tcp("corp.example:5000/*", 5)]),
            "corp.example:5000/postgres",
            by(5),
        ),
        (json!([tcp("postgre", 7)]), "postgres:17", Value::Null),
        (
            json!([{"image": "postgres", "port": "absent"}]),
            "postgres:17",
            Value::Null,
        ),
    ];
    for (probes, image, socket) in cases {
        let written = created(&policy(&probes), &json!({"image": image}));
        assert_eq!(written.probe()["tcpSocket"], socket, "{probes} {image}");
        assert!(
            written.probe().is_object(),
            "the catalogue stands in: {probes} {image}"
        );
    }
}

#[test]
fn it_may_be_asked_in_every_way() {
    for readiness in [
        json!({"exec": {"command": ["ledger", "ready"]}}),
        json!({"grpc": {"port": 9000, "service": "ledger"}}),
        json!({"tcpSocket": {"port": 7000}, "successThreshold": 2}),
    ] {
        let policy = policy(&json!([{"image": "*ledger", "readiness": readiness}]));
        let probe = created(&policy, &json!({})).probe();
        let mut merged = probe.clone();
        json_patch::merge(&mut merged, &readiness);
        assert_eq!(merged, probe);
    }
}

#[test]
fn it_yields_and_comes_back_and_stays_while_its_image_does() {
    let policy = policy(
        &json!([{"image": "*ledger", "readiness": {"grpc": {"port": 9000}, "initialDelaySeconds": 4}}]),
    );
    let stored = created(&policy, &json!({})).set;
    let with = |set: &Value, changes: &Value| {
        let mut set = set.clone();
        json_patch::merge(
            &mut set["spec"]["template"]["spec"]["containers"][0],
            changes,
        );
        set
    };
    let own = json!({"httpGet": {"path": "/", "port": "http"}});
    let yielded = update_with(
        &policy,
        &stored,
        &with(&stored, &json!({"readinessProbe": own})),
        &world(),
    );
    assert_eq!(yielded.probe(), own);
    let none = with(&yielded.set, &json!({"readinessProbe": null}));
    let reverted = update_with(&policy, &yielded.set, &none, &world());
    assert_eq!(reverted.set["spec"]["template"], stored["spec"]["template"]);

    let newer = with(
        &stored,
        &json!({"image": "corp.example:5000/team/ledger:2"}),
    );
    for policy in [&policy, &Policy::default()] {
        let written = update_with(policy, &stored, &newer, &world());
        assert_eq!(
            written.set["spec"], newer["spec"],
            "whatever the policy says today"
        );
    }
    let other = with(&stored, &json!({"image": "redis:7", "args": null}));
    let written = update_with(&policy, &stored, &other, &world());
    assert_eq!(written.record(KEY)["source"], "catalogue/redis");
    let back = with(
        &written.set,
        &json!({"image": "corp.example:5000/team/ledger:1", "args": ["--peers=web-0.web"]}),
    );
    let reverted = update_with(&policy, &written.set, &back, &world());
    assert_eq!(reverted.set["spec"]["template"], stored["spec"]["template"]);
}
