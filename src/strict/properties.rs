//! What holds whatever is written.

use json_patch::PatchOperation;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::read;
use super::*;
use crate::yaml::read::documents;

/// Names that mean something somewhere, some misspelt.
fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "spec",
        "Spec",
        "template",
        "metadata",
        "labels",
        "name",
        "containers",
        "Containers",
        "image",
        "ports",
        "containerPort",
        "env",
        "value",
        "volumeClaimTemplates",
        "volumeclaimtemplates",
        "replicas",
        "strategy",
        "updateStrategy",
        "rollingUpdate",
        "selector",
        "matchLabels",
        "matchlabels",
        "resources",
        "limits",
        "securityContext",
        "runAsUser",
        "a/b~c",
        "",
        "x",
        "0",
    ];
    prop::sample::select(NAMES).prop_map(ToOwned::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..9_i64).prop_map(Value::from),
        prop::sample::select(vec![
            json!(1.0),
            json!(0.5),
            json!(1e300),
            json!("web"),
            json!("10Gi"),
            json!("3"),
            json!("")
        ]),
    ];
    leaf.prop_recursive(7, 60, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            4 => prop::collection::btree_map(name(), inner, 0..5).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Never a panic, and always a set that can be judged. Where every value has its type, the moves apply to what was written, and what
    /// was read is right the second time.
    #[test]
    fn whatever_is_written_can_be_read(spec in value(), extra in value()) {
        let whole = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": spec, "extra": extra});
        let text = whole.to_string();
        let document = documents(&text).next().unwrap().unwrap();
        let body = document.read().unwrap();
        let Ok(authored) = Authored::read(&body) else {
            prop_assert!(!spec.is_object() && !spec.is_null());
            return Ok(());
        };
        prop_assert!(authored.subject("shop", None).is_ok(), "{:?}", authored.subject("shop", None));
        if authored.slips.all.iter().any(|slip| matches!(slip, Slip::Type { .. })) {
            return Ok(());
        }
        for slip in &authored.slips.all {
            prop_assert!(whole.pointer(slip.pointer()).is_some(), "{slip:?}");
        }
        let meant: Value = serde_json::from_str(authored.json.get()).unwrap();
        let again = read(&meant.to_string());
        prop_assert!(again.slips.moves.is_empty(), "{:?}", again.slips.moves);
        let is_type = |slip: &Slip| matches!(slip, Slip::Type { .. });
        prop_assert!(!again.slips.all.iter().any(is_type), "{:?}", again.slips.all);
        let mut moved = whole.clone();
        json_patch::patch(&mut moved, &authored.slips.moves).unwrap();
        let moves = |operation: &PatchOperation| match operation {
            PatchOperation::Move(_) => true,
            PatchOperation::Add(home) => home.value == json!({}),
            _ => false,
        };
        prop_assert!(authored.slips.moves.iter().all(moves));
        prop_assert_eq!(names_of(&moved), names_of(&meant));
    }
}

/// Every member of an object with its pointer: moving changes nothing but these.
fn names_of(value: &Value) -> Vec<String> {
    fn collect(value: &Value, at: &str, names: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let at = format!("{at}/{}", crate::model::pointer::escape(name));
                    collect(value, &at, names);
                    names.push(at);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    collect(value, &format!("{at}/{index}"), names);
                }
            }
            _ => {}
        }
    }
    let mut names = Vec::new();
    collect(value, "", &mut names);
    names.sort();
    names
}
