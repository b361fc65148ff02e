//! What a reader takes, and that it takes it as `serde_json` does.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;
use crate::statefulset::set::Set;

fn skipped(text: &str) -> Option<&str> {
    let mut reader = Reader::new(text);
    let slice = reader.slice().ok()?;
    reader.end().ok().map(|()| slice)
}

#[test]
fn a_value_is_passed_over_whole() {
    for text in [
        "null",
        "-1.5e+3",
        r#""a\"b\\""#,
        r#"{"a":[1,{"b":"]}"}],"c":"\\"}"#,
        " [ ] ",
        "\"é\\u00e9\u{1F600}\"",
        "\"long enough for more than one word of eight bytes \\\\\"",
    ] {
        assert_eq!(skipped(text), Some(text.trim()), "{text}");
    }
    for text in [
        "", " ", "{", "[1", "\"a", "\"a\\", "}", ",", ":1", "{}}", "1 2",
    ] {
        assert_eq!(skipped(text), None, "{text}");
    }
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert_eq!(skipped(&deep), Some(&*deep));
}

#[test]
fn strings_are_read_as_strictly_as_serde_json_reads_them() {
    for text in [
        r#""plain""#,
        r#""\n\t\u0041\"""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        r#""\x""#,
        "\"a\nb\"",
        "\"a\u{1f}b and some more\"",
        "\"a\u{7f}b\u{80}\"",
        "7",
    ] {
        let own = from_text::<String>(text).ok();
        assert_eq!(own, serde_json::from_str(text).ok(), "{text}");
    }
}

#[test]
fn whole_numbers_are_read_as_strictly_as_serde_json_reads_them() {
    for text in [
        "0",
        "7",
        "-7",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "-0",
        "01",
        "-01",
        "+1",
        "1.0",
        "1e3",
        "-",
        "1a",
        "\"1\"",
        "true",
    ] {
        let own = from_text::<i64>(text).ok();
        assert_eq!(own, serde_json::from_str(text).ok(), "{text}");
    }
}

#[test]
fn the_items_of_a_list_are_as_they_are_written() {
    assert_eq!(
        items(r#"[{"a": 1} , "]",[ ]]"#),
        [r#"{"a": 1}"#, "\"]\"", "[ ]"]
    );
    assert!(items("null").is_empty() && items("[]").is_empty());
    assert!(items("{}").is_empty() && items("[1,]").is_empty() && items("[1").is_empty());
}

fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[a-z\"\\\\\n]{0,20}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Fields that are read, so that what stands in them is, and others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop_oneof![
            Just("metadata"),
            Just("spec"),
            Just("name"),
            Just("labels"),
            Just("annotations"),
            Just("replicas"),
            Just("template"),
            Just("containers"),
            Just("image"),
            Just("command"),
            Just("ports"),
            Just("containerPort"),
            Just("selector"),
            Just("matchLabels"),
            Just("updateStrategy"),
            Just("rollingUpdate"),
            Just("maxUnavailable"),
            Just("volumes"),
        ]
        .prop_map(str::to_owned),
        "[a-z\"\\\\é]{0,8}",
    ]
}

proptest! {
    #[test]
    fn any_value_is_passed_over_and_read_as_serde_json_does(value in json(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        prop_assert_eq!(skipped(&text), Some(&*text));
        prop_assert_eq!(from_text::<Set<'_>>(&text).ok(), serde_json::from_str::<Set<'_>>(&text).ok());
    }

    /// Where a text is broken, a reader may pass over more than `serde_json` does, and never takes less.
    #[test]
    fn a_broken_text_is_never_read_as_something_else(
        value in json(),
        place in 0_usize..200,
        cut in 0_usize..4,
        inserted in "[]\\[{}\",:\\\\0-9ntf. ]{0,3}",
    ) {
        let mut characters: Vec<char> = value.to_string().chars().collect();
        let place = place.min(characters.len());
        characters.splice(place..(place + cut).min(characters.len()), inserted.chars());
        let text: String = characters.into_iter().collect();
        if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
            prop_assert_eq!(from_text::<Set<'_>>(&text).ok(), serde_json::from_str::<Set<'_>>(&text).ok());
        }
    }
}
