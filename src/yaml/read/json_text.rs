//! JSON as it is, not as the YAML that it nearly is: YAML folds U+2028 and knows no `\ud83d\ude00`.

use serde_json::value::RawValue;

use super::Fault;
use super::tree::{Builder, Content, Text};

/// Builds a document of JSON; `false`, with nothing built, for what is not JSON. kubectl tries the same before it tries YAML.
pub(super) fn build(text: &str, builder: &mut Builder<'_>) -> Result<bool, Fault> {
    if !text.trim_start().starts_with('{') || serde_json::from_str::<&RawValue>(text).is_err() {
        return Ok(false);
    }
    let mut at = 0;
    while let Some(first) = text.as_bytes().get(at) {
        let length = match first {
            b'"' => string(text, at, builder),
            b'{' | b'[' => {
                let mapping = *first == b'{';
                let content = if mapping {
                    Content::Mapping
                } else {
                    Content::Sequence
                };
                let node = builder.push(&(at..at + 1), content, None);
                builder.open(node, true)?;
                1
            }
            b'}' | b']' => {
                builder.close(at + 1);
                1
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            _ => literal(text, at, builder),
        };
        at += length;
    }
    Ok(true)
}

/// A string, and its length with the quotes.
fn string(text: &str, at: usize, builder: &mut Builder<'_>) -> usize {
    let inner = text.get(at + 1..).unwrap_or_default();
    let mut escaped = false;
    let length = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let length = length.unwrap_or(inner.len());
    let range = at..at + length + 2;
    let written = inner.get(..length).unwrap_or_default();
    let place = if written.contains('\\') {
        let read = text.get(range.clone()).unwrap_or_default();
        builder.keep(serde_json::from_str(read).unwrap_or_default())
    } else {
        Text::source(&(at + 1..at + 1 + length))
    };
    let content = Content::Scalar {
        text: place,
        plain: false,
    };
    builder.push(&range, content, None);
    length + 2
}

/// A number, `true`, `false` or `null`, and its length.
fn literal(text: &str, at: usize, builder: &mut Builder<'_>) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let ends = |byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    let length = rest.bytes().position(ends).unwrap_or(rest.len()).max(1);
    let range = at..at + length;
    let content = Content::Scalar {
        text: Text::source(&range),
        plain: true,
    };
    builder.push(&range, content, None);
    length
}
