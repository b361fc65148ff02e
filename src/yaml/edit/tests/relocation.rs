//! What moves keeps its text and its comments.

use super::*;

#[test]
fn a_key_is_spelt_anew() {
    let patch = relocate("/spec/volumeclaimtemplates", "/spec/volumeClaimTemplates");
    yaml(&[
        (
            "plain",
            "spec:\n  # disks\n  volumeclaimtemplates: # two\n  - a: 1 # x\n  b: 1\n",
            patch.clone(),
            "spec:\n  # disks\n  volumeClaimTemplates: # two\n  - a: 1 # x\n  b: 1\n",
        ),
        (
            "quoted",
            "spec: {\"volumeclaimtemplates\": [] , 'b': 1}\n",
            patch.clone(),
            "spec: {\"volumeClaimTemplates\": [] , 'b': 1}\n",
        ),
        (
            "in an item",
            "spec:\n  'volumeclaimtemplates': 1",
            patch,
            "spec:\n  'volumeClaimTemplates': 1",
        ),
    ]);
}

#[test]
fn lines_go_where_they_belong() {
    let patch = relocate(
        "/spec/template/volumeClaimTemplates",
        "/spec/volumeClaimTemplates",
    );
    yaml(&[
        (
            "one step up, from the end",
            "spec:\n  template:\n    spec: {}\n    # disks\n    volumeClaimTemplates:\n      # the first\n      - metadata: {name: a} # a\n        note: |\n          one\n\n            two\n    # after\n---\n",
            patch.clone(),
            "spec:\n  template:\n    spec: {}\n    # after\n  # disks\n  volumeClaimTemplates:\n    # the first\n    - metadata: {name: a} # a\n      note: |\n        one\n\n          two\n---\n",
        ),
        (
            "from the beginning",
            "spec:\n    template:\n        volumeClaimTemplates:\n        - a: 1\n        spec: {}\n    x: 1 # x\n",
            patch.clone(),
            "spec:\n    template:\n        spec: {}\n    x: 1 # x\n    volumeClaimTemplates:\n    - a: 1\n",
        ),
        (
            "the only member, at the end of the text",
            "spec:\n  template:\n    volumeClaimTemplates:\n    - a: \"x\n          y\"",
            patch,
            "spec:\n  template: {}\n  volumeClaimTemplates:\n  - a: \"x\n        y\"",
        ),
        (
            "deeper, under another name",
            "spec:\n  # labels\n  matchlabels: # all\n    app: web\n  selector:\n    matchExpressions: []\n  x: 1\n",
            relocate("/spec/matchlabels", "/spec/selector/matchLabels"),
            "spec:\n  selector:\n    matchExpressions: []\n    # labels\n    matchLabels: # all\n      app: web\n  x: 1\n",
        ),
        (
            "out of an item",
            "spec:\n- a: 1\n  b: 2\nx:\n  y: 1\n",
            relocate("/spec/0/a", "/x/a"),
            "spec:\n- b: 2\nx:\n  y: 1\n  a: 1\n",
        ),
        (
            "from the end of the text to its end",
            "spec:\n  a:\n    b: 1\n  c: 2",
            relocate("/spec/c", "/spec/a/c"),
            "spec:\n  a:\n    b: 1\n    c: 2",
        ),
        (
            "and is changed there",
            "spec:\n  template:\n    claims:\n    - name: a # a\n",
            json!([
                {"op": "move", "from": "/spec/template/claims", "path": "/spec/claims"},
                {"op": "add", "path": "/spec/claims/0/size", "value": "1Gi"},
                {"op": "add", "path": "/spec/claims/-", "value": {"name": "b"}},
            ]),
            "spec:\n  template: {}\n  claims:\n  - name: a # a\n    size: 1Gi\n  - name: b\n",
        ),
        (
            "into what is empty",
            "spec:\n  claims:\n  - 1\n  to: {} # here\n",
            relocate("/spec/claims", "/spec/to/claims"),
            "spec:\n  to: # here\n    claims:\n    - 1\n",
        ),
        (
            "in braces",
            "spec: {a: {b: 1, c: 2}}\n",
            relocate("/spec/a/b", "/spec/b"),
            "spec: {a: {c: 2}, b: 1}\n",
        ),
    ]);
}

#[test]
fn lines_are_taken_out() {
    yaml(&[
        (
            "a member",
            "a:\n  # b\n  b: 1 # one\n  # c\n  c: 2\n",
            remove("/a/b"),
            "a:\n  # b\n  # c\n  c: 2\n",
        ),
        (
            "the last",
            "a:\n  b: 1\n  c: |\n    x\n",
            remove("/a/c"),
            "a:\n  b: 1\n",
        ),
        (
            "the last without a line end",
            "a:\n  b: 1\n  c: 2",
            remove("/a/c"),
            "a:\n  b: 1",
        ),
        (
            "the only one",
            "a: # a\n  b: 1\nc: 2\n",
            remove("/a/b"),
            "a: {} # a\nc: 2\n",
        ),
        ("the only item", "a:\n- 1\n", remove("/a/0"), "a: []\n"),
        (
            "the first of an item",
            "a:\n- b: 1\n  c: 2\n",
            remove("/a/0/b"),
            "a:\n- c: 2\n",
        ),
        (
            "the first of an item above a comment",
            "a:\n- b: 1 # b\n  # c\n  c: 2\n",
            remove("/a/0/b"),
            "a:\n-\n  # c\n  c: 2\n",
        ),
        (
            "the only one of an item",
            "a:\n- b: 1 # b\n",
            remove("/a/0/b"),
            "a:\n- {} # b\n",
        ),
        (
            "an item",
            "a:\n  - 1\n  - b: 2\n    c: 3\n  - 4\n",
            remove("/a/1"),
            "a:\n  - 1\n  - 4\n",
        ),
    ]);
}

#[test]
fn values_are_replaced() {
    yaml(&[
        (
            "a scalar",
            "a:   1 # one\n",
            replace("/a", json!("x")),
            "a:   x # one\n",
        ),
        (
            "a scalar by a mapping",
            "a: 1 # one\nb: 2\n",
            replace("/a", json!({"x": 1})),
            "a: # one\n  x: 1\nb: 2\n",
        ),
        (
            "a mapping by a scalar",
            "a:\n  b: 1\n  c: 2\nd: 1\n",
            replace("/a", json!(1)),
            "a: 1\nd: 1\n",
        ),
        (
            "lines by lines",
            "a: |\n  x\n  y\nd: 1\n",
            replace("/a", json!("z\nw\n")),
            "a: |\n  z\n  w\nd: 1\n",
        ),
        (
            "an item",
            "a:\n- 1\n- x: 1\n  y: 2\n",
            replace("/a/1", json!({"z": [1]})),
            "a:\n- 1\n- z:\n  - 1\n",
        ),
        (
            "an alias",
            "x: &x 1\na: *x # a\n",
            replace("/a", json!(2)),
            "x: &x 1\na: 2 # a\n",
        ),
    ]);
}

#[test]
fn lines_go_into_a_mapping_that_is_added_for_them() {
    let homes = |homes: &[&str], from: &str, to: &str| {
        let mut patch: Vec<Value> = homes
            .iter()
            .map(|home| json!({"op": "add", "path": home, "value": {}}))
            .collect();
        patch.push(json!({"op": "move", "from": from, "path": to}));
        Value::Array(patch)
    };
    let strategy = homes(
        &["/spec/strategy/rolling"],
        "/spec/strategy/most",
        "/spec/strategy/rolling/most",
    );
    let partition = homes(
        &["/spec/strategy", "/spec/strategy/rolling"],
        "/spec/partition",
        "/spec/strategy/rolling/partition",
    );
    yaml(&[
        (
            "beside it, with its comments",
            "spec:\n  strategy:\n    type: Rolling # so\n    # one at a time\n    most: 1 # really\n  x: 1\n",
            strategy.clone(),
            "spec:\n  strategy:\n    type: Rolling # so\n    rolling:\n      # one at a time\n      most: 1 # really\n  x: 1\n",
        ),
        (
            "into null, in lines that are four deep",
            "spec:\n    strategy:\n        most: 1\n        rolling: ~\n",
            strategy.clone(),
            "spec:\n    strategy:\n        rolling:\n            most: 1\n",
        ),
        (
            "without a last line end",
            "spec:\n  strategy:\n    rolling: {}\n    most: 1",
            strategy.clone(),
            "spec:\n  strategy:\n    rolling:\n      most: 1",
        ),
        (
            "in braces",
            "spec:\n  strategy: {type: Rolling, most: 1} # so\n",
            strategy,
            "spec:\n  strategy: {type: Rolling, rolling: {most: 1}} # so\n",
        ),
        (
            "two of them",
            "spec:\n  # the first five\n  partition: 5 # of seven\n  x: 1\n",
            partition.clone(),
            "spec:\n  x: 1\n  strategy:\n    rolling:\n      # the first five\n      partition: 5 # of seven\n",
        ),
    ]);
    check(&[(
        "with line ends of Windows",
        "apiVersion: v1\r\nkind: Any\r\nspec:\r\n  x: 1\r\n  partition: 5\r\n",
        partition,
        "apiVersion: v1\r\nkind: Any\r\nspec:\r\n  x: 1\r\n  strategy:\r\n    rolling:\r\n      partition: 5\r\n",
    )]);
}
