//! A set as its author wrote it: what is wrong with how it is written, which nobody sees once a server has read it.
//!
//! A field in the wrong place or in the wrong letters is dropped by the API server unless the client asks for strict validation
//! (kubectl does, Helm does not); a value of the wrong type is refused before any webhook is called; of a repeated key the last wins
//! unheard. [`Authored::read`] finds them, and gives the set as it was meant, for the other rules to judge: one cause, one message.
//!
//! ```
//! use steadyset::strict::Authored;
//! use steadyset::yaml::read::documents;
//!
//! let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: web}\nspec: {serviceName: web, podmanagementpolicy: Parallel}\n";
//! let document = documents(text).next().unwrap().unwrap();
//! let body = document.read().unwrap();
//! let authored = Authored::read(&body).unwrap();
//! assert_eq!(
//!     serde_json::to_string(&authored.slips.moves).unwrap(),
//!     r#"[{"op":"move","from":"/spec/podmanagementpolicy","path":"/spec/podManagementPolicy"}]"#
//! );
//! assert!(authored.json.get().contains(r#""podManagementPolicy":"Parallel""#));
//! ```

mod identity;
mod mend;
mod place;
mod schema;
mod slip;
mod subject;
mod unfilled;
mod walk;

pub use identity::{FORMER, identity, is_set};
pub use schema::MINOR;
pub use slip::{Given, Obstacle, Right, Slip, Slips, Wanted};
pub use subject::{Source, Subject};

use std::sync::Arc;

use jsonptr::{Pointer, PointerBuf};
use serde_json::value::RawValue;

use crate::statefulset::Undecodable;
use crate::yaml::read::{Body, Broken};
use mend::Mending;

/// A set of an author's file.
#[derive(Clone, Debug)]
pub struct Authored {
    /// The set as it was meant: what stood in the wrong place or letters moved, what has the wrong type mended or left out.
    pub json: Box<RawValue>,
    /// What is wrong with how it is written.
    pub slips: Slips,
}

impl Authored {
    /// Reads a set of `apps/v1`, or of one of its former versions.
    ///
    /// # Errors
    ///
    /// [`Broken`] for what JSON cannot say, and where `metadata` or `spec` is no mapping: there is nothing to be judged.
    pub fn read(body: &Body<'_>) -> Result<Self, Broken> {
        let json = body.json()?;
        let faults = walk::faults(schema::schema(), json.get()).unwrap_or_default();
        let mut authored = if faults.is_empty() {
            Self {
                json,
                slips: Slips::default(),
            }
        } else {
            Mending::new(body).mend(json, faults)?
        };
        authored.slips.repeated(body);
        Ok(authored)
    }

    /// The subject that is judged. `namespace` is that of a set that names none; `old_object` the stored set that it replaces.
    ///
    /// # Errors
    ///
    /// [`Undecodable`] if it cannot be read all the same.
    pub fn subject<'a>(
        &'a self,
        namespace: &'a str,
        old_object: Option<&'a RawValue>,
    ) -> Result<Option<Subject<'a>>, Undecodable> {
        let source = Source {
            namespace,
            object: &self.json,
            old_object,
        };
        let subject = Subject::decode(source)?;
        Ok(subject.map(|subject| {
            let read = |raw: &RawValue| serde_json::from_str(raw.get()).ok().map(Arc::new);
            let mut slips = self.slips.clone();
            slips.document = read(&self.json);
            slips.stored = old_object.and_then(read);
            let subject = Subject { slips, ..subject };
            if subject.is_whole() || subject.slips.is_final() {
                return subject;
            }
            match identity::patch(&subject.set) {
                Some(slips) => Subject { slips, ..subject },
                None => subject,
            }
        }))
    }
}

/// The parts of a JSON Pointer.
fn tokens(pointer: &str) -> Vec<String> {
    let pointer = Pointer::parse(pointer).unwrap_or(Pointer::root());
    pointer
        .tokens()
        .map(|token| token.decoded().into_owned())
        .collect()
}

/// The JSON Pointer of its parts.
fn pointer(tokens: &[String]) -> String {
    PointerBuf::from_tokens(tokens).to_string()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
