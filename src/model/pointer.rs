//! JSON pointers (RFC 6901) into a `StatefulSet`.

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
