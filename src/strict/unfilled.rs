//! Values that a later tool fills in: `${NAME}` of envsubst and Flux, `{{ ... }}` of Helm inside quotes, and what Helm writes where it
//! had nothing.

/// Lists and maps whose texts may hold the like in their own right: shells and Kubernetes itself (`$(NAME)`) expand them later.
const FREE: [&str; 6] = [
    "/command/",
    "/args/",
    "/env/",
    "/annotations/",
    "/matchExpressions/",
    "/subPathExpr",
];

/// Whether a text is what a label, or a node's label, is called or holds.
fn is_of_labels(pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    ["/labels", "/matchLabels", "/nodeSelector"]
        .iter()
        .any(|map| parent.ends_with(map))
}

/// Whether a text is not yet what it will be.
pub(super) fn is_unfilled(text: &str) -> bool {
    let holds = |open: &str, close: &str| {
        text.split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    };
    holds("${", "}") || holds("$(", ")") || holds("{{", "}}") || text.contains("<no value>")
}

/// Whether a text at a pointer is for Kubernetes or a shell to expand.
pub(super) fn is_free(pointer: &str) -> bool {
    !is_of_labels(pointer) && FREE.iter().any(|place| pointer.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_fills_in_is_known() {
        for text in ["${A}", "x-${A:=2}", "$(A)", "{{ .Values.a }}", "<no value>"] {
            assert!(is_unfilled(text), "{text}");
        }
        for text in ["", "$A", "${A", "{a}", "a}}{{"] {
            assert!(!is_unfilled(text), "{text}");
        }
        assert!(is_free("/spec/template/spec/containers/0/env/0/value"));
        assert!(!is_free("/spec/template/spec/containers/0/image"));
        assert!(!is_free("/spec/template/metadata/labels/env"));
    }
}
