//! What stands in braces and brackets stays there, and JSON stays JSON.

use super::*;

#[test]
fn flow_style_stays_flow_style() {
    yaml(&[
        (
            "a member",
            "a: {limits: {cpu: 1}}\n",
            add("/a/requests", json!({"cpu": "x"})),
            "a: {limits: {cpu: 1}, requests: {cpu: x}}\n",
        ),
        (
            "an empty one within",
            "a: {b: {}}\n",
            add("/a/b/c", json!(1)),
            "a: {b: {c: 1}}\n",
        ),
        (
            "blanks within",
            "a: { b: 1 } # b\n",
            add("/a/c", json!({"d": 2})),
            "a: { b: 1, c: { d: 2 } } # b\n",
        ),
        (
            "quotes as there",
            "a: [\"x\", \"y\"]\n",
            add("/a/-", json!("z")),
            "a: [\"x\", \"y\", \"z\"]\n",
        ),
        (
            "no blanks",
            "a: [x,z]\n",
            add("/a/1", json!("y")),
            "a: [x,\"y\",z]\n",
        ),
        (
            "the first",
            "a: [x, z]\n",
            add("/a/0", json!("w")),
            "a: [w, x, z]\n",
        ),
        (
            "lines and comments",
            "a: {\n  b: 1, # one\n  c: 2 # two\n}\n",
            add("/a/d", json!(3)),
            "a: {\n  b: 1, # one\n  c: 2, # two\n  d: 3\n}\n",
        ),
        (
            "a last comma",
            "a: [\n  x, # one\n  y, # two\n]\n",
            add("/a/-", json!("z")),
            "a: [\n  x, # one\n  y, # two\n  z,\n]\n",
        ),
        (
            "taken out",
            "a: {b: 1, c: 2}\n",
            remove("/a/b"),
            "a: {c: 2}\n",
        ),
        (
            "the last taken out",
            "a: {b: 1, c: 2}\n",
            remove("/a/c"),
            "a: {b: 1}\n",
        ),
        (
            "the only one taken out",
            "a: [1]\n",
            remove("/a/0"),
            "a: []\n",
        ),
        (
            "replaced",
            "a: {b: 1, c: 2}\n",
            replace("/a/b", json!([1])),
            "a: {b: [1], c: 2}\n",
        ),
    ]);
}

#[test]
fn json_stays_json() {
    let compact = r#"{"apiVersion":"v1","kind":"A","spec":{"a":1,"b":[]}}"#;
    let spaced = r#"{"apiVersion": "v1", "kind": "A", "spec": {"a": 1, "b": {}}}"#;
    let pretty = "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"A\",\n  \"spec\": {\n    \"a\": 1,\n    \"b\": []\n  }\n}\n";
    let tabs =
        "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"A\",\n\t\"spec\": {\n\t\t\"a\": 1\n\t}\n}";
    let patch = json!([{"op": "add", "path": "/spec/c", "value": {"d": "no", "e": [1]}}]);
    let item = add("/spec/b/-", json!({"x": 1}));
    check(&[
        (
            "compact",
            compact,
            patch.clone(),
            r#"{"apiVersion":"v1","kind":"A","spec":{"a":1,"b":[],"c":{"d":"no","e":[1]}}}"#,
        ),
        (
            "compact, a list",
            compact,
            item.clone(),
            r#"{"apiVersion":"v1","kind":"A","spec":{"a":1,"b":[{"x":1}]}}"#,
        ),
        (
            "spaced",
            spaced,
            patch.clone(),
            r#"{"apiVersion": "v1", "kind": "A", "spec": {"a": 1, "b": {}, "c": {"d": "no", "e": [1]}}}"#,
        ),
        (
            "pretty",
            pretty,
            patch.clone(),
            "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"A\",\n  \"spec\": {\n    \"a\": 1,\n    \"b\": [],\n    \"c\": {\n      \"d\": \"no\",\n      \"e\": [\n        1\n      ]\n    }\n  }\n}\n",
        ),
        (
            "pretty, a list",
            pretty,
            item,
            "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"A\",\n  \"spec\": {\n    \"a\": 1,\n    \"b\": [\n      {\n        \"x\": 1\n      }\n    ]\n  }\n}\n",
        ),
        (
            "tabs",
            tabs,
            patch,
            "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"A\",\n\t\"spec\": {\n\t\t\"a\": 1,\n\t\t\"c\": {\n\t\t\t\"d\": \"no\",\n\t\t\t\"e\": [\n\t\t\t\t1\n\t\t\t]\n\t\t}\n\t}\n}",
        ),
        (
            "taken out",
            compact,
            remove("/spec/a"),
            r#"{"apiVersion":"v1","kind":"A","spec":{"b":[]}}"#,
        ),
    ]);
}
