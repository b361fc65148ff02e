//! What holds for every text.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Keys, words and texts that YAML reads as something else unless they are quoted.
fn word() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        "[a-z]{1,6}",
        "\\PC{0,12}",
        prop::sample::select(vec![
            "",
            "yes",
            "0644",
            "1.5",
            "~",
            "null",
            "<<",
            "- a",
            "a: b",
            "# a",
            "*a",
            "a\nb\n",
            " a",
            "1_0",
            "2001-01-01",
            "\t",
        ])
        .prop_map(str::to_owned),
    ];
    // go-yaml, as every libyaml, takes these for the end of a line, which a key must not have
    words.prop_map(|text: String| text.replace(['\u{85}', '\u{2028}', '\u{2029}'], " "))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

/// An object that holds any value.
fn object(value: &Value) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Any", "metadata": {"name": "a"}, "spec": value})
}

/// Every pointer of a value, with what it points at.
fn pointers<'v>(prefix: &str, value: &'v Value, found: &mut Vec<(String, &'v Value)>) {
    found.push((prefix.to_owned(), value));
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.replace('~', "~0").replace('/', "~1"), member))
            .collect(),
        _ => Vec::new(),
    };
    for (token, child) in children {
        pointers(&format!("{prefix}/{token}"), child, found);
    }
}

/// Reads whatever comes: all that must hold is that it ends.
fn read_all(text: &str) {
    for document in documents(text).flatten() {
        assert!(text.get(document.range.clone()).is_some());
        if let Ok(body) = document.read() {
            drop(body.json());
            for again in body.duplicates() {
                assert!(text.get(again.position.range).is_some());
            }
            assert!(text.get(body.position("/spec/a/0").range).is_some());
        }
    }
}

const SOURCE: &str = "apiVersion: v1\nkind: List\nitems:\n- &a\n  apiVersion: v1\n  kind: \"Service\"\n  metadata: {name: 'é'}\n\
    - <<: *a\n  spec:\n    a: |\n      text\n    b: >-\n      x\n  # a\n---\napiVersion: v1\nkind: A\nspec:\n  - a: {b: [c]}\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_that_is_written_is_read_back(value in value()) {
        let object = object(&value);
        for text in [serde_saphyr::to_string(&object).unwrap(), object.to_string(), format!("{object:#}")] {
            let document = documents(&text).next().unwrap().unwrap();
            let json = document.read().unwrap().json().unwrap();
            let read: Value = serde_json::from_str(json.get()).unwrap();
            prop_assert_eq!(&read, &object, "{}", text);
        }
    }

    #[test]
    fn a_position_holds_its_value(value in value()) {
        let object = object(&value);
        let text = format!("# first\n{object:#}\n");
        let body = documents(&text).next().unwrap().unwrap().read().unwrap();
        let mut all = Vec::new();
        pointers("", &object, &mut all);
        for (pointer, value) in all {
            let place = body.position(&pointer);
            let stands: Value = serde_json::from_str(&text[place.range.clone()]).unwrap();
            prop_assert_eq!(&stands, value, "{}", pointer);
            let line = text.lines().nth(place.line - 1).unwrap();
            let rest: String = line.chars().skip(place.column - 1).collect();
            prop_assert!(text[place.range.start..].starts_with(&rest));
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "(?s).{0,200}") {
        read_all(&text);
    }

    #[test]
    fn no_change_to_a_manifest_is_too_strange(
        changes in prop::collection::vec((0..SOURCE.len(), 0..6_usize, "[-:\\[\\]{}&*!|>'\"%@`#,? \t\n\ra-b\u{85}\u{feff}]{0,4}"), 1..6)
    ) {
        let mut text: Vec<char> = SOURCE.chars().collect();
        for (at, gone, put) in changes {
            let at = at.min(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, put.chars());
        }
        read_all(&text.into_iter().collect::<String>());
    }
}
