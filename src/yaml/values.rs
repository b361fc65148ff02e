//! YAML as kubectl reads it (YAML 1.1 where the two versions differ), without positions.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The documents of a text; empty ones are left out.
///
/// # Errors
///
/// See [`read`].
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut documents = read::<Value>(text)?;
    documents.retain(|document| !document.is_null());
    Ok(documents)
}

/// The documents of a text, each of one type.
///
/// # Errors
///
/// What is wrong, on one line, with line and column. A key that is repeated is wrong too: where the last one wins silently, an
/// operator reads the first.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
    };
    serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| one_line(&error.to_string()))
}

/// The first line of a message; the source text that may follow is not for a log.
fn one_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_kubectl_reads() {
        let text = "a: 0644\nb: \"0644\"\nc: no\n---\n# nothing\n---\n{d: null}\n";
        assert_eq!(
            documents(text).unwrap(),
            [
                json!({"a": 420, "b": "0644", "c": false}),
                json!({"d": null})
            ]
        );
    }

    #[test]
    fn says_where_it_is_wrong() {
        for text in ["a: 1\na: 2\n", "a: [1\nb: 2\n"] {
            let error = documents(text).unwrap_err();
            assert!(error.contains("line ") && !error.contains('\n'), "{error}");
        }
    }
}
