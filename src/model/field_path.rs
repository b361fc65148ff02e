//! Field paths as kube-apiserver writes them.

/// Maps whose keys kube-apiserver always writes in brackets (`field.Path.Key` in kubernetes/apimachinery).
const MAPS: [&str; 7] = [
    "annotations",
    "labels",
    "matchLabels",
    "nodeSelector",
    "limits",
    "requests",
    "data",
];

/// A JSON pointer in the form of the server's own messages: `/spec/template/spec/containers/0/ports` is
/// `spec.template.spec.containers[0].ports`, and `/metadata/annotations/a~1b` is `metadata.annotations[a/b]`.
#[must_use]
pub fn dotted(pointer: &str) -> String {
    let mut path = String::with_capacity(pointer.len());
    let mut parent = "";
    for token in pointer.split('/').skip(1) {
        append(&mut path, token, MAPS.contains(&parent));
        parent = token;
    }
    path
}

fn append(path: &mut String, token: &str, is_key: bool) {
    let plain = !is_key
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    if plain && !index {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(token);
    } else {
        path.push('[');
        path.push_str(&token.replace("~1", "/").replace("~0", "~"));
        path.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_read_as_the_server_writes_them() {
        for (pointer, field) in [
            ("", ""),
            ("/spec/updateStrategy", "spec.updateStrategy"),
            (
                "/spec/template/spec/containers/0/ports",
                "spec.template.spec.containers[0].ports",
            ),
            (
                "/spec/template/spec/containers/0/ports/12/name",
                "spec.template.spec.containers[0].ports[12].name",
            ),
            (
                "/metadata/annotations/steadyset.io~1inject",
                "metadata.annotations[steadyset.io/inject]",
            ),
            (
                "/spec/selector/matchLabels/app",
                "spec.selector.matchLabels[app]",
            ),
            (
                "/spec/resources/requests/storage",
                "spec.resources.requests[storage]",
            ),
            ("/a/b~01", "a[b~1]"),
        ] {
            assert_eq!(dotted(pointer), field, "{pointer}");
        }
    }
}
