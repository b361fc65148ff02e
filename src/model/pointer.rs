//! JSON pointers (RFC 6901) into a `StatefulSet`.

use serde_json::Value;

/// The JSON pointer to a field of a container.
#[must_use]
pub fn container_field(container: usize, field: &str) -> String {
    format!("/spec/template/spec/containers/{container}/{field}")
}

/// A reference token of a JSON pointer (RFC 6901).
#[must_use]
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// The text that a pointer leads to; empty where there is none.
#[must_use]
pub fn text_at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

/// The items of the list that a pointer leads to; none where there is none.
pub fn list_at<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}
