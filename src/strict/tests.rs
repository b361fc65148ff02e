use serde_json::{Value, json};

use super::*;
use crate::yaml::read::documents;

mod harmless;
mod places;

/// What comes of a set that `spec` and `pod` are merged into (RFC 7396).
pub(super) fn read(text: &str) -> Authored {
    let document = documents(text).next().unwrap().unwrap();
    Authored::read(&document.read().unwrap()).unwrap()
}

fn set(spec: &Value, pod: &Value) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}}});
    json_patch::merge(&mut set["spec"]["template"]["spec"], pod);
    json_patch::merge(&mut set["spec"], spec);
    set
}

fn container(container: &Value) -> Value {
    let mut whole = json!({"name": "web", "image": "web"});
    json_patch::merge(&mut whole, container);
    set(&json!({}), &json!({"containers": [whole]}))
}

/// `field: given for wanted, as written`, and what is read instead.
fn types(set: &Value) -> (Vec<String>, Value) {
    let authored = read(&set.to_string());
    let lines = authored.slips.all.iter().map(|slip| match slip {
        Slip::Type {
            pointer,
            written,
            given,
            wanted,
        } => {
            format!("{pointer}: {given:?} {written:?} for {wanted:?}")
        }
        other => format!("{other:?}"),
    });
    (
        lines.collect(),
        serde_json::from_str(authored.json.get()).unwrap(),
    )
}

fn expect_type(set: &Value, pointer: &str, line: &str, meant: &Value) {
    const CONTAINER: &str = "/spec/template/spec/containers/0";
    let pointer = format!("{CONTAINER}{pointer}");
    let (lines, read) = types(set);
    assert_eq!(lines, [format!("{pointer}: {line}")], "{set}");
    assert_eq!(read.pointer(&pointer), Some(meant), "{set}");
}

#[test]
fn a_wrong_type_is_told_and_what_was_meant_is_read() {
    let env = |value: Value| container(&json!({"env": [{"name": "A", "value": value}]}));
    for (set, pointer, line, meant) in [
        (
            env(json!(5432)),
            "/env/0/value",
            "Number \"5432\" for String",
            json!("5432"),
        ),
        (
            env(json!(true)),
            "/env/0/value",
            "Boolean \"true\" for String",
            json!("true"),
        ),
        (
            env(json!({"a": 1})),
            "/env/0/value",
            "Mapping \"\" for String",
            Value::Null,
        ),
        (
            container(&json!({"tty": "true"})),
            "/tty",
            "String \"true\" for Boolean",
            json!(true),
        ),
        (
            container(&json!({"tty": "yes"})),
            "/tty",
            "String \"yes\" for Boolean",
            Value::Null,
        ),
        (
            container(&json!({"tty": 1})),
            "/tty",
            "Number \"1\" for Boolean",
            Value::Null,
        ),
        (
            container(&json!({"command": "sleep"})),
            "/command",
            "String \"sleep\" for List",
            json!(["sleep"]),
        ),
        (
            container(&json!({"env": {"A": "b"}})),
            "/env",
            "Mapping \"\" for List",
            Value::Null,
        ),
        (
            container(&json!({"ports": {"containerPort": 80}})),
            "/ports",
            "Mapping \"\" for List",
            json!([{"containerPort": 80}]),
        ),
        (
            container(&json!({"resources": [{"limits": {}}]})),
            "/resources",
            "List \"\" for Mapping",
            json!({"limits": {}}),
        ),
        (
            container(&json!({"resources": "small"})),
            "/resources",
            "String \"small\" for Mapping",
            Value::Null,
        ),
    ] {
        expect_type(&set, pointer, line, &meant);
    }
}

#[test]
fn a_number_and_an_amount_have_their_bounds() {
    for (set, pointer, line, meant) in [
        (
            container(&json!({"resources": {"limits": {"memory": "10GB"}}})),
            "/resources/limits/memory",
            "String \"10GB\" for Quantity",
            json!("0"),
        ),
        (
            container(&json!({"livenessProbe": {"tcpSocket": {"port": true}}})),
            "/livenessProbe/tcpSocket/port",
            "Boolean \"true\" for IntOrString",
            Value::Null,
        ),
        (
            container(&json!({"livenessProbe": {"periodSeconds": "5"}})),
            "/livenessProbe/periodSeconds",
            "String \"5\" for Int { bits: 32 }",
            json!(5),
        ),
        (
            container(&json!({"livenessProbe": {"periodSeconds": 1.5}})),
            "/livenessProbe/periodSeconds",
            "Number \"1.5\" for Int { bits: 32 }",
            Value::Null,
        ),
        (
            container(&json!({"livenessProbe": {"periodSeconds": 4_000_000_000_u32}})),
            "/livenessProbe/periodSeconds",
            "Number \"4000000000\" for Int { bits: 32 }",
            Value::Null,
        ),
    ] {
        expect_type(&set, pointer, line, &meant);
    }
}

#[test]
fn a_value_is_quoted_as_it_is_written() {
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web, labels: {a: 0755, b: yes, c: 1_000, d: 1.10}}\nspec: {}\n";
    let slips = read(text).slips.all;
    let written: Vec<&str> = slips
        .iter()
        .filter_map(|slip| match slip {
            Slip::Type { written, .. } => Some(written.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(written, ["0755", "yes", "1_000", "1.10"]);
}

#[test]
fn what_the_server_takes_is_no_slip() {
    for set in [
        set(
            &json!({"replicas": 3.0, "serviceName": null, "template": null}),
            &json!({}),
        ),
        set(
            &json!({"ordinals": {"start": 1e0}}),
            &json!({"activeDeadlineSeconds": 8_589_934_592_i64}),
        ),
        container(
            &json!({"resources": {"limits": {"cpu": 0.5, "memory": 1e9, "a.example/b": null}, "requests": {"cpu": "1e3", "memory": ".5Gi"}}}),
        ),
        container(
            &json!({"livenessProbe": {"httpGet": {"port": "http"}, "tcpSocket": {"port": 80}, "periodSeconds": null}}),
        ),
        container(&json!({"command": [null, "a"], "env": null, "tty": null})),
        set(
            &json!({"template": {"metadata": {"creationTimestamp": null, "annotations": {"a": null}}}}),
            &json!({}),
        ),
    ] {
        let authored = read(&set.to_string());
        assert_eq!(authored.slips, Slips::default(), "{set}");
        assert!(authored.subject("shop", None).is_ok(), "{set}");
    }
}

#[test]
fn what_has_no_spec_to_judge_is_an_error_with_its_place() {
    for (text, says) in [
        (
            "metadata: {name: web}\nspec: none\n",
            "line 4, column 7: spec must be a mapping",
        ),
        (
            "metadata: [web]\nspec: {}\n",
            "line 3, column 11: metadata must be a mapping",
        ),
    ] {
        let text = format!("apiVersion: apps/v1\nkind: StatefulSet\n{text}");
        let document = documents(&text).next().unwrap().unwrap();
        let error = Authored::read(&document.read().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn a_key_that_stands_again_and_again_is_one_slip() {
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec:\n  replicas: 1\n  replicas: 2\n  serviceName: a\n  replicas: 3\n  serviceName: b\n";
    assert_eq!(
        read(text).slips.all,
        [Slip::Repeated {
            pointer: "/spec/replicas".to_owned(),
            lines: vec![5, 6, 8],
            others: vec!["serviceName".to_owned()],
            is_equal: false,
        }]
    );
}

/// What stands nowhere may be there in what nobody reads.
#[test]
fn what_is_dropped_may_hide_a_volume_or_a_size() {
    let set = |pods: &str, claim: &str, more: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n      containers: []\n{pods}  \
             volumeClaimTemplates:\n    - spec:\n        accessModes: [ReadWriteOnce]\n{claim}{more}"
        )
    };
    let slips = |text: &str| {
        let document = crate::yaml::read::documents(text).next().unwrap().unwrap();
        Authored::read(&document.read().unwrap()).unwrap().slips
    };
    for (pods, more, hides) in [
        ("", "", false),
        ("      volumes: []\n      volumes: [{name: a}]\n", "", true),
        ("      hostPID: true\n      hostPID: false\n", "", true),
        ("      volumez: [{name: a}]\n", "", true),
        ("", "  strategy: {}\n", false),
        ("", "  replicas: 1\n  replicas: 2\n", false),
        ("", "  persistentVolumes: [{name: a}]\n", true),
        ("", "  volumeClaimTemplates: []\n", true),
    ] {
        let text = set(pods, "", more);
        assert_eq!(slips(&text).may_hide_volumes(), hides, "{text}");
    }
    for (claim, hides) in [
        ("", false),
        ("        storageClass: fast\n", false),
        ("        size: 5Gi\n        sized: 6Gi\n", true),
        ("        resources: {a: 1}\n        resources: {}\n", true),
    ] {
        let text = set("", claim, "");
        assert_eq!(slips(&text).may_hide_parts_of_claim(0), hides, "{text}");
        assert!(!slips(&text).may_hide_parts_of_claim(1), "{text}");
    }
}
