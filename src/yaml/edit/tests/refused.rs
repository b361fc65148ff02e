//! What cannot be written without harm is told, and where it is.

use super::*;

#[test]
fn what_would_do_harm_is_refused() {
    let rows = [
        (
            "an anchor that is used elsewhere",
            "x: &x {a: 1}\nw: *x\n",
            add("/x/b", json!(1)),
            "line 3, column 4: `/x/b` cannot be changed here: this has an anchor and is used elsewhere too",
        ),
        (
            "within an alias",
            "x: &x {a: 1}\nw: *x\n",
            add("/w/b", json!(1)),
            "line 4, column 4: `/w/b` cannot be changed here: an alias stands here: what it stands for is used elsewhere too",
        ),
        (
            "what holds an anchor that is used elsewhere",
            "x: {z: &x 1}\nw: *x\n",
            remove("/x"),
            "line 3, column 8: `/x` cannot be changed here: this has an anchor and is used elsewhere too",
        ),
        (
            "what a merge brings in",
            "x: &x {a: {}}\nw:\n  <<: *x\n",
            add("/w/a/b", json!(1)),
            "line 5, column 3: `/w/a/b` cannot be changed here: `a` is not written here; it may come from a merge (`<<`)",
        ),
        (
            "a key that stands twice",
            "x: 1\nx: 2\ny: 3\n",
            remove("/x"),
            "line 1, column 1: `/x` cannot be changed here: the key `x` stands more than once",
        ),
        (
            "a comment in braces",
            "x: {a: 1, # a\n  b: 2}\n",
            remove("/x/a"),
            "line 3, column 8: `/x/a` cannot be changed here: a comment stands beside it that would be lost",
        ),
        (
            "a comment in what is replaced",
            "x:\n  # a\n  a: 1\n",
            replace("/x", json!(1)),
            "line 5, column 3: `/x` cannot be changed here: a comment stands in it that would be lost",
        ),
        (
            "what is not there",
            "x: 1\n",
            remove("/y"),
            "line 1, column 1: `/y` cannot be changed here: `y` is not written here",
        ),
        (
            "a key written with a question mark",
            "x:\n  ? a\n  : 1\n",
            add("/x/b", json!(1)),
            "line 4, column 5: `/x/b` cannot be changed here: this key is written in an unusual way",
        ),
        (
            "a patch that does not apply",
            "x: 1\n",
            json!([{"op": "test", "path": "/x", "value": 2}, {"op": "add", "path": "/y", "value": 2}]),
            "",
        ),
    ];
    for (what, text, patch, expected) in rows {
        let text = format!("apiVersion: v1\nkind: A\n{text}");
        let error = patched(&text, &patch).unwrap_err();
        assert!(
            if expected.is_empty() {
                error.contains("/y")
            } else {
                error == expected
            },
            "{what}: {error}"
        );
    }
}

#[test]
fn a_merge_is_added_to() {
    let text = "apiVersion: v1\nkind: A\nx: &x {a: 1}\nw:\n  <<: *x\n  b: 2\n";
    let after = "apiVersion: v1\nkind: A\nx: &x {a: 1}\nw:\n  <<: *x\n  b: 2\n  a: 3\n";
    check(&[("what it brings in too", text, add("/w/a", json!(3)), after)]);
}
