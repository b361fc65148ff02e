//! What holds for every text and every patch.

use json_patch::{AddOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use jsonptr::{Pointer, PointerBuf};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Map;

use super::super::{read, sheet::Sheet};
use super::generated::{value, written};
use super::*;

/// A change that is yet to find its place.
#[derive(Clone, Debug)]
enum Wish {
    Add(Index, String, Value),
    Replace(Index, Value),
    Remove(Index),
    Move(Index, Index, String),
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => (any::<Index>(), "[a-z]{1,4}", value()).prop_map(|(at, key, value)| Wish::Add(at, key, value)),
        1 => (any::<Index>(), value()).prop_map(|(at, value)| Wish::Replace(at, value)),
        1 => any::<Index>().prop_map(Wish::Remove),
        2 => (any::<Index>(), any::<Index>(), "[a-z]{1,4}").prop_map(|(from, to, key)| Wish::Move(from, to, key)),
    ]
}

/// The pointers below `/spec` of what a value holds.
fn pointers(value: &Value) -> Vec<PointerBuf> {
    fn below(at: &Pointer, value: &Value, found: &mut Vec<PointerBuf>) {
        found.push(at.to_buf());
        match value {
            Value::Object(members) => members.iter().for_each(|(key, member)| {
                below(&at.with_trailing_token(key.as_str()), member, found);
            }),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| below(&at.with_trailing_token(index), item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    below(Pointer::from_static("/spec"), &value["spec"], &mut found);
    found
}

/// A place in a container for something new; nothing for a scalar.
fn place(value: &Value, at: &PointerBuf, (key, index): (&str, &Index)) -> Option<PointerBuf> {
    match value.pointer(at.as_str())? {
        Value::Object(_) => Some(at.with_trailing_token(key)),
        Value::Array(items) => Some(at.with_trailing_token(index.index(items.len() + 1))),
        _ => None,
    }
}

/// The operation that a wish is for a value, if there is one.
fn operation(wish: Wish, value: &Value) -> Option<PatchOperation> {
    let all = pointers(value);
    Some(match wish {
        Wish::Add(at, key, new) => {
            let path = place(value, at.get(&all), (&key, &at))?;
            PatchOperation::Add(AddOperation { path, value: new })
        }
        Wish::Replace(at, new) => PatchOperation::Replace(ReplaceOperation {
            path: at.get(&all).clone(),
            value: new,
        }),
        Wish::Remove(at) => PatchOperation::Remove(RemoveOperation {
            path: at.get(&all).clone(),
        }),
        Wish::Move(from, to, key) => {
            let from = from.get(&all).clone();
            let mut rest = value.clone();
            let gone = PatchOperation::Remove(RemoveOperation { path: from.clone() });
            json_patch::patch(&mut rest, &[gone]).ok()?;
            let path = place(&rest, to.get(&all), (&key, &to))?;
            if path.starts_with(&from) {
                return None;
            }
            PatchOperation::Move(MoveOperation { from, path })
        }
    })
}

fn object(spec: Value) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), "v1".into());
    object.insert("kind".to_owned(), "Any".into());
    object.insert("spec".to_owned(), spec);
    Value::Object(object)
}

/// The operations that follow one another.
fn operations(wishes: Vec<Wish>, value: &Value) -> Vec<PatchOperation> {
    let mut now = value.clone();
    let mut found = Vec::new();
    for wish in wishes {
        if now.get("spec").is_some()
            && let Some(operation) = operation(wish, &now)
        {
            json_patch::patch(&mut now, std::slice::from_ref(&operation)).unwrap();
            found.push(operation);
        }
    }
    found
}

pub fn json_of(text: &str) -> Value {
    let body = documents(text).next().unwrap().unwrap().read().unwrap();
    serde_json::from_str(body.json().unwrap().get()).unwrap()
}

/// The comments of a text, sorted.
pub fn comments(text: &str) -> Vec<&str> {
    let text = text.trim_start_matches('\u{feff}');
    let tree = read(text).unwrap();
    let sheet = Sheet {
        text,
        tree: &tree,
        root: 0,
    };
    let mut found: Vec<_> = sheet
        .comments(&(0..text.len()))
        .into_iter()
        .map(|range| &text[range])
        .collect();
    found.sort_unstable();
    found
}

/// Whether a patch takes nothing away.
fn keeps(operations: &[PatchOperation]) -> bool {
    operations
        .iter()
        .all(|operation| matches!(operation, PatchOperation::Add(_) | PatchOperation::Move(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_text_says_what_the_patch_says(
        spec in value(), choices in prop::collection::vec(any::<u8>(), 40), wishes in prop::collection::vec(wish(), 1..5)
    ) {
        let object = object(spec);
        let text = written(&object, choices);
        prop_assert_eq!(&json_of(&text), &object, "{}", text);
        let operations = operations(wishes, &object);
        let mut expected = object.clone();
        json_patch::patch(&mut expected, &operations).unwrap();
        let document = documents(&text).next().unwrap().unwrap();
        match edits(&document.read().unwrap(), &operations) {
            Ok(edits) => {
                let now = apply(&text, edits);
                prop_assert_eq!(json_of(&now), expected, "{}\n=>\n{}", text, now);
                if keeps(&operations) {
                    prop_assert_eq!(comments(&now), comments(&text), "{}\n=>\n{}", text, now);
                }
                prop_assert_eq!(text.contains('\r'), now.contains('\r'));
                prop_assert_eq!(now.replace("\r\n", "").contains(['\r', '\n']), text.replace("\r\n", "").contains(['\r', '\n']));
            }
            // The safety net is for what nobody thought of.
            Err(error) => prop_assert!(error.reason.contains("comment"), "{}\n{}\n{:?}", error, text, operations),
        }
    }

    /// As an item of a list, and in JSON, which stays JSON.
    #[test]
    fn an_item_says_what_the_patch_says(
        spec in value(), choices in prop::collection::vec(any::<u8>(), 40), wishes in prop::collection::vec(wish(), 1..5)
    ) {
        let object = object(spec);
        let operations = operations(wishes, &object);
        let mut expected = object.clone();
        json_patch::patch(&mut expected, &operations).unwrap();
        let list = |item: &Value| json!({"apiVersion": "v1", "items": [{"apiVersion": "v1", "kind": "First"}, item], "kind": "List"});
        let own = written(&object, choices);
        let own = own.trim_start_matches('\u{feff}').trim_start_matches("# first\r\n---\r\n").trim_start_matches("# first\n---\n");
        let own = own.split("\n---").next().unwrap().split("\n...").next().unwrap().trim_end().replace('\n', "\n  ");
        let block = format!("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: First\n- {own}\n# end\n");
        for text in [block, list(&object).to_string(), format!("{:#}", list(&object))] {
            let document = documents(&text).nth(1).unwrap().unwrap();
            match edits(&document.read().unwrap(), &operations) {
                Ok(edits) => {
                    let now = apply(&text, edits);
                    prop_assert_eq!(json_of(&now), json!({"apiVersion": "v1", "kind": "First"}));
                    let body = documents(&now).nth(1).unwrap().unwrap().read().unwrap();
                    let found: Value = serde_json::from_str(body.json().unwrap().get()).unwrap();
                    prop_assert_eq!(&found, &expected, "{}\n=>\n{}", text, now);
                    if text.starts_with('{') {
                        let all: Value = serde_json::from_str(&now).unwrap();
                        prop_assert_eq!(all, list(&expected), "{}\n=>\n{}", text, now);
                    }
                    if text.starts_with("{\n") {
                        prop_assert_eq!(now.lines().count(), format!("{:#}", list(&expected)).lines().count(), "{}\n=>\n{}", text, now);
                    }
                }
                Err(error) => prop_assert!(error.reason.contains("comment"), "{}\n{}\n{:?}", error, text, operations),
            }
        }
    }
}
