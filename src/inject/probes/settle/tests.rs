use serde_json::{Value, json};

use crate::inject::testing::{World, Written, create, update, web};
use crate::statefulset::annotations::INJECTED;

mod follow;

const KEY: &str = "readiness-probe/web";

fn world() -> World {
    World::with(vec![])
}

/// A set as it is stored after its CREATE, with our probe.
fn stored() -> Value {
    create(&web(&json!({})), &world()).set
}

fn container(set: &mut Value) -> &mut Value {
    &mut set["spec"]["template"]["spec"]["containers"][0]
}

fn with(set: &Value, field: &str, value: Value) -> Value {
    let mut set = set.clone();
    container(&mut set)[field] = value;
    set
}

fn without_record(set: &Value) -> Value {
    let mut set = set.clone();
    set["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(INJECTED);
    set
}

/// What kubectl apply makes of a manifest with the user's own probe: his handler and numbers beside ours.
fn applied(set: &Value, own: &Value) -> Value {
    let mut set = set.clone();
    json_patch::merge(&mut container(&mut set)["readinessProbe"], own);
    set
}

fn no_probe(set: &Value) -> Value {
    let mut set = set.clone();
    container(&mut set)
        .as_object_mut()
        .unwrap()
        .remove("readinessProbe");
    set
}

fn template(written: &Written) -> &Value {
    &written.set["spec"]["template"]
}

fn own() -> Value {
    json!({"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "periodSeconds": 5})
}

#[test]
fn ours_makes_way_for_the_users_own() {
    let stored = stored();
    let written = update(&stored, &applied(&stored, &own()), &world());
    assert_eq!(written.probe(), own(), "our numbers go too, his stay");
    assert_eq!(written.state(KEY), "yielded");
    assert_eq!(
        written.says(),
        [
            "yielded /spec/template/spec/containers/0/readinessProbe: the injected probe made way for your own"
        ]
    );
}

#[test]
fn a_number_of_ours_that_the_user_wrote_too_stays() {
    let stored = stored();
    let own = json!({"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 3});
    let container = json!({"name": "web", "readinessProbe": own});
    let file = json!({"spec": {"template": {"spec": {"containers": [container]}}}}).to_string();
    let mut applied = applied(&stored, &own);
    applied["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!(file);
    assert_eq!(update(&stored, &applied, &world()).probe(), own);
}

#[test]
fn a_handler_that_the_user_changed_is_his() {
    let stored = stored();
    let edited = with(
        &stored,
        "readinessProbe",
        json!({"tcpSocket": {"port": 8080}, "periodSeconds": 10}),
    );
    let written = update(&stored, &edited, &world());
    assert_eq!(written.set["spec"], edited["spec"]);
    let merged = applied(&written.set, &own());
    assert_eq!(
        update(&written.set, &merged, &world()).set["spec"],
        merged["spec"]
    );
}

#[test]
fn a_header_that_the_user_adds_makes_the_probe_his() {
    let minio = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "minio/minio",
        "args": ["server", "/data"], "ports": [{"name": "api", "containerPort": 9000}]}]}}}});
    let stored = create(&web(&minio), &world()).set;
    let headers =
        json!({"httpGet": {"httpHeaders": [{"name": "X-Forwarded-Proto", "value": "https"}]}});
    let written = update(&stored, &applied(&stored, &headers), &world());
    assert_eq!(written.state(KEY), "yielded");
    assert_eq!(written.set["spec"], applied(&stored, &headers)["spec"]);
    let renamed = with(
        &written.set,
        "ports",
        json!([{"name": "s3", "containerPort": 9000}]),
    );
    let written = update(&written.set, &renamed, &world());
    assert_eq!(
        written.set["spec"], renamed["spec"],
        "it is not ours to follow"
    );
}

#[test]
fn an_edited_number_leaves_the_handler_ours() {
    let stored = stored();
    let edited = applied(&stored, &json!({"periodSeconds": 20}));
    let written = update(&stored, &edited, &world());
    assert_eq!(written.operations, 0);
    let written = update(
        &written.set,
        &applied(&written.set, &json!({"httpGet": {"port": 1}})),
        &world(),
    );
    assert_eq!(
        written.probe(),
        json!({"httpGet": {"port": 1}, "periodSeconds": 20})
    );
}

#[test]
fn yielded_undone_and_applied_again() {
    let stored = stored();
    let yielded = update(&stored, &applied(&stored, &own()), &world());
    let undone = with(
        &yielded.set,
        "readinessProbe",
        container(&mut stored.clone())["readinessProbe"].clone(),
    );
    let undone = update(&yielded.set, &undone, &world());
    assert_eq!(
        template(&undone),
        &stored["spec"]["template"],
        "an undo is byte for byte"
    );
    let again = update(&undone.set, &applied(&undone.set, &own()), &world());
    assert_eq!(template(&again), template(&yielded));
    assert_eq!(again.state(KEY), "yielded");
}

#[test]
fn yielded_and_reverted_leads_to_the_first_template() {
    let stored = stored();
    let yielded = update(&stored, &applied(&stored, &own()), &world());
    let reverted = update(&yielded.set, &no_probe(&yielded.set), &world());
    assert_eq!(template(&reverted), &stored["spec"]["template"]);
    assert_eq!(reverted.state(KEY), "injected");
}

#[test]
fn numbers_that_were_left_without_a_handler_make_way_for_ours() {
    let stored = stored();
    let yielded = update(&stored, &applied(&stored, &own()), &world());
    let left = with(
        &yielded.set,
        "readinessProbe",
        json!({"periodSeconds": 10, "failureThreshold": 3}),
    );
    let written = update(&yielded.set, &left, &world());
    assert_eq!(template(&written), &stored["spec"]["template"]);
    let left = with(&stored, "readinessProbe", json!({"periodSeconds": 10}));
    let written = update(&stored, &left, &world());
    assert_eq!(
        written.set["spec"], left["spec"],
        "the server refuses it, as it should"
    );
}

#[test]
fn a_probe_that_was_taken_out_stays_out() {
    let stored = stored();
    let removed = update(&stored, &no_probe(&stored), &world());
    assert_eq!(removed.probe(), Value::Null);
    assert_eq!(removed.state(KEY), "removed");
    let later = with(&removed.set, "image", json!("web:2"));
    assert_eq!(update(&removed.set, &later, &world()).operations, 0);

    let undone = with(
        &removed.set,
        "readinessProbe",
        container(&mut stored.clone())["readinessProbe"].clone(),
    );
    let undone = update(&removed.set, &undone, &world());
    let yielded = update(&undone.set, &applied(&undone.set, &own()), &world());
    assert_eq!(yielded.probe(), own());
    let without = update(&yielded.set, &no_probe(&yielded.set), &world());
    assert_eq!(without.probe(), Value::Null, "the user once took it out");
}

#[test]
fn a_replace_from_a_file_puts_it_back_only_without_its_record() {
    let stored = stored();
    let new = with(&without_record(&no_probe(&stored)), "image", json!("web:2"));
    let written = update(&stored, &new, &world());
    assert_eq!(written.set, with(&stored, "image", json!("web:2")));

    let mut refused = new.clone();
    refused["metadata"]["annotations"] = json!({"steadyset.io/inject": "none"});
    assert_eq!(update(&stored, &refused, &world()).probe(), Value::Null);
}

#[test]
fn written_out_without_the_record_it_is_adopted() {
    let stored = stored();
    let mut new = without_record(&stored);
    new["spec"]["replicas"] = json!(7);
    let adopted = update(&stored, &new, &world());
    assert_eq!(adopted.state(KEY), "adopted");
    let merged = applied(&adopted.set, &own());
    assert_eq!(
        update(&adopted.set, &merged, &world()).set["spec"],
        merged["spec"],
        "it is his"
    );
}

#[test]
fn none_takes_it_out_with_the_next_change_of_the_template() {
    let mut stored = stored();
    stored["metadata"]["annotations"]["steadyset.io/inject"] = json!("none");
    let mut scaled = stored.clone();
    scaled["spec"]["replicas"] = json!(7);
    assert_eq!(update(&stored, &scaled, &world()).operations, 0);
    let written = update(&stored, &with(&stored, "image", json!("web:2")), &world());
    assert_eq!(written.probe(), Value::Null);
    assert_eq!(written.set["spec"]["serviceName"], "web-pods");
    let undone = update(&written.set, &stored, &world());
    assert_eq!(template(&undone), &stored["spec"]["template"]);
}

#[test]
fn none_taken_back_with_its_change_leads_to_the_first_template() {
    let first = stored();
    let mut refusing = with(&first, "image", json!("web:2"));
    refusing["metadata"]["annotations"]["steadyset.io/inject"] = json!("none");
    let withdrawn = update(&first, &refusing, &world());
    assert_eq!(withdrawn.state(KEY), "yielded");
    let replaced = update(&first, &no_probe(&without_record(&refusing)), &world());
    assert_eq!(replaced.probe(), Value::Null);
    assert_eq!(replaced.state(KEY), "yielded");
    let mut reverted = no_probe(&first);
    reverted["metadata"] = withdrawn.set["metadata"].clone();
    reverted["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("steadyset.io/inject");
    let written = update(&withdrawn.set, &reverted, &world());
    assert_eq!(template(&written), &first["spec"]["template"]);
}

#[test]
fn a_renamed_container_gets_none() {
    let stored = stored();
    let renamed = with(&no_probe(&stored), "name", json!("app"));
    let written = update(&stored, &renamed, &world());
    assert_eq!(written.operations, 0);
}

#[test]
fn another_webhook_may_change_it_between_two_calls() {
    let first = stored();
    let merged = applied(&first, &own());
    assert_eq!(create(&merged, &world()).probe(), own());
    let removed = create(&no_probe(&first), &world());
    assert_eq!(
        (removed.probe(), removed.state(KEY)),
        (Value::Null, "removed".to_owned())
    );
    let replaced = create(&with(&first, "readinessProbe", own()), &world());
    assert_eq!(replaced.probe(), own());
}

#[test]
fn a_forged_value_is_never_restored_or_followed_to() {
    let stored = stored();
    let forge = |value: Value| {
        let mut set = with(&stored, "readinessProbe", own());
        let record = json!({KEY: {"state": "yielded", "value": value, "source": "port", "version": "0.1.0"}});
        set["metadata"]["annotations"][INJECTED] = json!(record.to_string());
        set
    };
    for more in [
        json!({"exec": {"command": ["true"]}}),
        json!({"periodSeconds": -1}),
        json!({"failureThreshold": 0}),
        json!({"successThreshold": 100_000}),
        json!({"initialDelaySeconds": 86_400}),
        json!({"terminationGracePeriodSeconds": 1}),
    ] {
        let mut value = json!({"tcpSocket": {"port": "http"}, "periodSeconds": 10, "timeoutSeconds": 3,
            "successThreshold": 1, "failureThreshold": 3});
        json_patch::merge(&mut value, &more);
        let forged = forge(value);
        let written = update(&forged, &no_probe(&forged), &world());
        assert_eq!(written.probe(), Value::Null, "{more}");
    }
}

#[test]
fn numbers_without_a_handler_on_create_are_the_authors() {
    let numbers = json!({"periodSeconds": 7});
    let set = |record: Option<&str>| {
        let mut set = web(&json!({}));
        set["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = numbers.clone();
        if let Some(state) = record {
            let first = create(&web(&json!({})), &World::default());
            let mut copied = first.record(KEY);
            copied["state"] = json!(state);
            let record = json!({KEY: copied}).to_string();
            set["metadata"]["annotations"] = json!({INJECTED: record});
        }
        set
    };
    for record in [
        None,
        Some("injected"),
        Some("yielded"),
        Some("removed"),
        Some("adopted"),
    ] {
        let written = create(&set(record), &World::default());
        assert_eq!(written.probe(), numbers, "{record:?}");
    }
}
