//! How a text is written in bytes and marks, and read as kubectl reads it.

use super::{Encoding, documents, text};

#[test]
fn a_mark_may_stand_before_each_document() {
    let text = "kind: A\napiVersion: v1\n---\n\u{feff}kind: B\napiVersion: v1\nspec: {a: 1}\n---\n\u{feff}# c\nkind: C\napiVersion: v1\n";
    let found: Vec<_> = documents(text).map(Result::unwrap).collect();
    let kinds: Vec<_> = found
        .iter()
        .map(|found| (&*found.kind, found.line))
        .collect();
    assert_eq!(kinds, [("A", 1), ("B", 4), ("C", 9)]);
    let place = found[1].read().unwrap().position("/spec/a");
    assert_eq!((place.line, &text[place.range]), (6, "1"));
}

#[test]
fn an_escaped_quote_is_read_as_go_yaml_reads_it() {
    let text = r#"kind: A
apiVersion: v1
spec: {a: "it\'s \"one\" \'x\'", b: 'it\', c: "\'", d: it\'s}
"#;
    let body = documents(text).next().unwrap().unwrap().read().unwrap();
    let json: serde_json::Value = serde_json::from_str(body.json().unwrap().get()).unwrap();
    let spec = serde_json::json!({"a": "it's \"one\" 'x'", "b": "it\\", "c": "'", "d": "it\\'s"});
    assert_eq!(json["spec"], spec);
    let place = body.position("/spec/d");
    assert_eq!(&text[place.range], "it\\'s");
    let broken = documents("kind: A\napiVersion: v1\na: \"\\'\nb: \"\\q\"\n")
        .next()
        .unwrap();
    assert!(broken.and_then(|found| found.read().map(drop)).is_err());
}

#[test]
fn utf_16_is_read_and_written_with_its_mark() {
    let plain = "kind: A\n# é😀\n";
    for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
        let bytes = encoding.bytes(plain);
        assert_eq!(Encoding::of(&bytes), encoding);
        assert_eq!(text(&bytes).unwrap(), plain);
        assert!(text(&bytes[..bytes.len() - 1]).is_err());
    }
    assert_eq!(
        Encoding::of(plain.as_bytes()).bytes(plain),
        plain.as_bytes()
    );
}
