//! What is added looks as what stands beside it.

use super::*;

#[test]
fn members_are_added_to_mappings() {
    let probe = json!({"failureThreshold": 6, "httpGet": {"path": "/", "port": "http"}, "periodSeconds": 10});
    yaml(&[
        (
            "a scalar",
            "spec:\n  a: 1\n",
            add("/spec/b", json!("x")),
            "spec:\n  a: 1\n  b: x\n",
        ),
        (
            "no line end",
            "spec:\n  a: 1",
            add("/spec/b", json!(true)),
            "spec:\n  a: 1\n  b: true",
        ),
        (
            "before the end of the document",
            "spec:\n  a: 1\n...\n",
            add("/spec/b", json!(null)),
            "spec:\n  a: 1\n  b: null\n...\n",
        ),
        (
            "steps of four, as nearby",
            "spec:\n    template:\n        a: 1\n",
            add("/spec/template/b", json!({"c": {"d": 1}})),
            "spec:\n    template:\n        a: 1\n        b:\n            c:\n                d: 1\n",
        ),
        (
            "a trailing comment stays, and blank lines",
            "spec:\n  a: 1 # one\n\n# the end\n",
            add("/spec/b", json!("y")),
            "spec:\n  a: 1 # one\n  b: \"y\"\n\n# the end\n",
        ),
        (
            "comments of the mapping stay with it, those of what follows with that",
            "spec:\n  x:\n    a: 1\n    # b: off\n  # about y\n  y: 2\n",
            add("/spec/x/c", json!(3)),
            "spec:\n  x:\n    a: 1\n    # b: off\n    c: 3\n  # about y\n  y: 2\n",
        ),
        (
            "a member of an item",
            "spec:\n  containers:\n  - name: a\n    image: b\n  - name: c\n",
            add("/spec/containers/0/livenessProbe", probe.clone()),
            "spec:\n  containers:\n  - name: a\n    image: b\n    livenessProbe:\n      httpGet:\n        path: /\n        port: http\n      periodSeconds: 10\n      failureThreshold: 6\n  - name: c\n",
        ),
        (
            "after a text of lines",
            "spec:\n  a: |\n    one\n    two\n\n  b: |+\n    x\n\n",
            json!([{"op": "add", "path": "/spec/c", "value": "1"}]),
            "spec:\n  a: |\n    one\n    two\n\n  b: |+\n    x\n\n  c: \"1\"\n",
        ),
        (
            "a text of lines",
            "spec:\n  a: 1\n",
            add("/spec/b", json!("one\n\n  two\n")),
            "spec:\n  a: 1\n  b: |\n    one\n\n      two\n",
        ),
        (
            "where the others stand by the alphabet",
            "spec:\n  a: 1\n  c: 2\n  # about d\n  d: 3\n",
            add("/spec/b", json!(1)),
            "spec:\n  a: 1\n  b: 1\n  c: 2\n  # about d\n  d: 3\n",
        ),
        (
            "the first by the alphabet",
            "spec:\n  # about b\n  b: 1\n  c: 2\n  d: 3\n",
            add("/spec/a", json!(1)),
            "spec:\n  a: 1\n  # about b\n  b: 1\n  c: 2\n  d: 3\n",
        ),
        (
            "the first of an item by the alphabet",
            "spec:\n- b: 1\n  c: 2\n  d: 3\n",
            add("/spec/0/a", json!(1)),
            "spec:\n- a: 1\n  b: 1\n  c: 2\n  d: 3\n",
        ),
        (
            "a service name before the template",
            "spec:\n  replicas: 3 # three\n  # pods\n  template:\n    spec: {}\n",
            add("/spec/serviceName", json!("web")),
            "spec:\n  replicas: 3 # three\n  serviceName: web\n  # pods\n  template:\n    spec: {}\n",
        ),
        (
            "a probe beside the other",
            "spec:\n  name: a\n  livenessProbe: {} # on\n  # disks\n  volumeMounts: []\n",
            add("/spec/readinessProbe", json!({"grpc": {"port": 1}})),
            "spec:\n  name: a\n  livenessProbe: {} # on\n  readinessProbe:\n    grpc:\n      port: 1\n  # disks\n  volumeMounts: []\n",
        ),
        (
            "quotes as nearby",
            "spec:\n  a: '1'\n",
            add("/spec/b", json!("2")),
            "spec:\n  a: '1'\n  b: '2'\n",
        ),
    ]);
}

#[test]
fn comments_at_the_margin_are_passed_over() {
    yaml(&[(
        "between items",
        "a:\n# x\n- x\n# y\n- y z\n# z\nb: 1\n",
        add("/a/-", "w"),
        "a:\n# x\n- x\n# y\n- y z\n- w\n# z\nb: 1\n",
    )]);
}

#[test]
fn items_are_added_to_lists() {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    yaml(&[
        (
            "at the end",
            "a:\n- x\n",
            add("/a/-", json!("y z")),
            "a:\n- x\n- y z\n",
        ),
        (
            "in the middle",
            "a:\n  - x # one\n  # about z\n  - z\n",
            add("/a/1", json!("w")),
            "a:\n  - x # one\n  - w\n  # about z\n  - z\n",
        ),
        (
            "first",
            "a:\n  # about x\n  - x\n",
            add("/a/0", json!("w")),
            "a:\n  - w\n  # about x\n  - x\n",
        ),
        (
            "a mapping",
            "a:\n- name: x\n",
            add("/a/1", json!({"mountPath": "/x", "name": "w"})),
            "a:\n- name: x\n- name: w\n  mountPath: /x\n",
        ),
        (
            "keys in the order of the others",
            "a:\n- mountPath: /x\n  name: x\n",
            add(
                "/a/1",
                json!({"mountPath": "/x", "name": "w", "readOnly": true}),
            ),
            "a:\n- mountPath: /x\n  name: x\n- mountPath: /x\n  name: w\n  readOnly: true\n",
        ),
        (
            "a wide gap",
            "a:\n  -   name: x\n",
            add("/a/-", json!({"name": "w", "b": [1]})),
            "a:\n  -   name: x\n  -   name: w\n      b:\n        -   1\n",
        ),
        (
            "first in an item",
            "a:\n- - 1\n  - 2\n",
            add("/a/0/0", json!(0)),
            "a:\n- - 0\n  - 1\n  - 2\n",
        ),
        (
            "whole new parents, dashes as nearby",
            "spec:\n  containers:\n    - name: a\n",
            add("/spec/volumeClaimTemplates", json!([claim])),
            "spec:\n  containers:\n    - name: a\n  volumeClaimTemplates:\n    - metadata:\n        name: data\n      spec:\n        accessModes:\n          - ReadWriteOnce\n        resources:\n          requests:\n            storage: 1Gi\n",
        ),
        (
            "one upon the other",
            "spec:\n  a: 1\n",
            json!([
                {"op": "add", "path": "/spec/claims", "value": []},
                {"op": "add", "path": "/spec/claims/-", "value": {}},
                {"op": "add", "path": "/spec/b", "value": 1},
                {"op": "add", "path": "/spec/claims/0/name", "value": "x"},
                {"op": "add", "path": "/spec/claims/-", "value": "y "},
            ]),
            "spec:\n  a: 1\n  claims:\n  - name: x\n  - \"y \"\n  b: 1\n",
        ),
    ]);
}

#[test]
fn what_is_empty_is_filled() {
    yaml(&[
        (
            "braces",
            "a: {}\nb: 1\n",
            add("/a/x", json!(1)),
            "a:\n  x: 1\nb: 1\n",
        ),
        (
            "a comment beside them",
            "a: {} # none\nb: 1\n",
            add("/a/x", json!(1)),
            "a: # none\n  x: 1\nb: 1\n",
        ),
        (
            "brackets",
            "a: []\nb:\n  - 1\n",
            add("/a/-", json!({"x": 1})),
            "a:\n  - x: 1\nb:\n  - 1\n",
        ),
        (
            "brackets at the end",
            "a: []",
            add("/a/-", json!(1)),
            "a:\n- 1",
        ),
        (
            "in an item",
            "a:\n- {}\n",
            add("/a/0/x", json!({"z": 1})),
            "a:\n- x:\n    z: 1\n",
        ),
        (
            "on a line of their own",
            "a:\n    {}\nb:\n    # none\n    [] # x\n",
            json!([{"op": "add", "path": "/a/x", "value": {"z": 1}}, {"op": "add", "path": "/b/0", "value": "one\ntwo"}]),
            "a:\n    x:\n      z: 1\nb:\n    # none\n    - |- # x\n      one\n      two\n",
        ),
        (
            "behind an anchor",
            "a: &a {} # a\n",
            add("/a/x", 1),
            "a: &a # a\n  x: 1\n",
        ),
        (
            "null",
            "metadata:\n  annotations:\n  # about b\n  b: 1\n",
            json!([{"op": "add", "path": "/metadata/annotations", "value": {}}, {"op": "add", "path": "/metadata/annotations/x", "value": "y"}]),
            "metadata:\n  annotations:\n    x: \"y\"\n  # about b\n  b: 1\n",
        ),
        (
            "null with a comment",
            "a: # none\nb: 1\n",
            add("/a", json!({})),
            "a: {} # none\nb: 1\n",
        ),
        (
            "null as a word",
            "a: null\nb: 1\n",
            add("/a", json!([1])),
            "a:\n- 1\nb: 1\n",
        ),
        (
            "a tilde",
            "a: ~ # x\nb: 1\n",
            add("/a", json!("z")),
            "a: z # x\nb: 1\n",
        ),
    ]);
}

#[test]
fn the_rest_of_the_stream_stays() {
    let set = "apiVersion: apps/v1\nkind: StatefulSet\nspec:\n  a: 1\n";
    let broken = "# first\n---\nkind: [\n";
    let patch = add("/spec/b", json!({"c": ["d"]}));
    let after = "apiVersion: apps/v1\nkind: StatefulSet\nspec:\n  a: 1\n  b:\n    c:\n    - d\n";
    let crlf = |text: &str| text.replace('\n', "\r\n");
    let list = |set: &str| {
        let item = set.trim_end().replace('\n', "\n  ");
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A # a\n- {item}\n# end\nx: 1\n"
        )
    };
    let json_list = |spec: &str| {
        format!(
            "{{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [\n  {{\n    \"apiVersion\": \"apps/v1\",\n    \"kind\": \"StatefulSet\",\n    \"spec\": {{{spec}}}\n  }}\n]}}\n"
        )
    };
    let rows = [
        (
            "a byte order mark",
            format!("\u{feff}{set}"),
            format!("\u{feff}{after}"),
        ),
        ("carriage returns", crlf(set), crlf(after)),
        (
            "documents around it",
            format!("{broken}---\n{set}---\n# nothing\n"),
            format!("{broken}---\n{after}---\n# nothing\n"),
        ),
        ("an item of a list", list(set), list(after)),
        (
            "an item of a list in JSON",
            json_list("\"a\": 1"),
            json_list("\"a\": 1, \"b\": {\"c\": [\"d\"]}"),
        ),
    ];
    for (what, text, expected) in rows {
        check(&[(what, &text, patch.clone(), &expected)]);
    }
}
