//! Manifests as their authors wrote them: YAML streams with positions, read as kubectl reads them.
//!
//! kubectl turns YAML into JSON with `sigs.k8s.io/yaml`, and that is go-yaml v2: YAML 1.1 booleans, `0644` is 420, `<<` merges,
//! the last of a repeated key wins. The parser here has the same ancestor as go-yaml (libyaml), so that what one accepts the
//! other does too.
//!
//! * [`text`] tells a text from a binary file, [`documents`] gives the objects of a stream one by one, no further read than
//!   their kind and name.
//! * [`Document::read`] reads one of them: its JSON, its repeated keys, and where each value stands.
//! * [`edits`] carries out a JSON Patch in the text, and [`apply`] makes the new text.
//!
//! ```
//! use steadyset::yaml::read::documents;
//!
//! let mut found = documents("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  clusterIP: None\n");
//! let service = found.next().unwrap().unwrap();
//! assert_eq!((service.kind.as_str(), service.name.as_str()), ("Service", "web"));
//! let body = service.read().unwrap();
//! assert_eq!(body.json().unwrap().get(), r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"clusterIP":"None"}}"#);
//! let place = body.position("/spec/clusterIP");
//! assert_eq!((place.line, place.column), (5, 14));
//! ```

use std::ops::Range;

use thiserror::Error;

mod body;
mod document;
mod events;
mod folder;
mod header;
pub(super) mod json;
mod json_text;
pub(super) mod members;
pub(super) mod scalar;
pub(super) mod stream;
pub(super) mod tree;

pub use body::{Body, Duplicate};
pub use document::{Document, documents};
pub use folder::{is_hidden, is_manifest};
pub use stream::{Encoding, Part, parts, text};

/// The longest document that is read, in bytes. The API server takes 3 MiB.
pub const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// How many mappings and lists may stand in one another, as many as `serde_json` reads.
pub const MAX_DEPTH: usize = 128;

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of what stands there.
    pub range: Range<usize>,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Broken {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, on one line.
    pub message: String,
}

/// Leaves out of stderr the panics of the YAML parser, which are told as what is wrong with the text. To be called once, by a program.
pub fn quiet_parser() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !events::is_expected(panic) {
            loud(panic);
        }
    }));
}

/// What is wrong at a byte of a part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod encoding_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
