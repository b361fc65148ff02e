//! Objects as they are met in a text: read there and then, as far as it is known what will be asked of them.

use serde::Deserialize;
use serde::de::Error;

use super::members::Members;
use super::set::{Metadata, Set, Status, Template};
use super::{Operation, Undecodable};
use crate::model::json::{Reader, Unread, from_text};

/// An object as far as it was read where it was met.
#[derive(Clone, Debug)]
pub enum Met<'a> {
    /// Only where it stands: nobody was known to read it, or it could not be read.
    Text(&'a str),
    /// Decoded: the set of a CREATE.
    Set(Box<Set<'a>>),
    /// Taken apart: one of the two sets of an UPDATE, which differ in little and often in nothing that is read.
    Outline(Box<Outline<'a>>),
}

/// A set whose spec is taken apart no further than a comparison needs.
#[derive(Clone, Debug, Default)]
pub struct Outline<'a> {
    pub(super) text: &'a str,
    pub(super) metadata: Metadata<'a>,
    pub(super) spec: Members<'a>,
    pub(super) status: Status<'a>,
}

impl<'a> Met<'a> {
    /// Reads the object here for an operation, or passes over it if there is none or the object cannot be read; `null` is no object.
    ///
    /// # Errors
    ///
    /// If not even its end can be found.
    pub fn read(
        reader: &mut Reader<'a>,
        operation: Option<Operation>,
    ) -> Result<Option<Self>, Unread> {
        let start = *reader;
        let met = match operation {
            Some(Operation::Create) => {
                Option::deserialize(&mut *reader).map(|set: Option<_>| set.map(Self::Set))
            }
            Some(Operation::Update) => {
                Outline::read(reader).map(|outline| outline.map(Box::new).map(Self::Outline))
            }
            None => Err(Unread),
        };
        met.or_else(|Unread| {
            *reader = start;
            let text = reader.slice()?;
            Ok((text != "null").then_some(Self::Text(text)))
        })
    }

    /// The set, decoded.
    pub(super) fn set(self) -> Result<Set<'a>, Undecodable> {
        match self {
            Self::Set(set) => Ok(*set),
            Self::Text(text) => decoded(text),
            Self::Outline(outline) => outline.set(None),
        }
    }

    /// The set, taken apart.
    pub(super) fn outline(self) -> Result<Outline<'a>, Undecodable> {
        match self {
            Self::Outline(outline) => Ok(*outline),
            Self::Text(text) => outlined(text),
            // a set that was decoded for a CREATE replaces none
            Self::Set(_) => Err(unread()),
        }
    }
}

fn decoded(text: &str) -> Result<Set<'_>, Undecodable> {
    from_text(text).or_else(|Unread| Ok(serde_json::from_str(text)?))
}

fn outlined(text: &str) -> Result<Outline<'_>, Undecodable> {
    match Outline::read(&mut Reader::new(text)) {
        Ok(outline) => Ok(outline.unwrap_or_default()),
        Err(Unread) => Err(fault(text)),
    }
}

/// What `serde_json` says of a set that cannot be read.
fn fault(text: &str) -> Undecodable {
    match serde_json::from_str::<Set<'_>>(text) {
        Err(error) => error.into(),
        Ok(_) => unread(),
    }
}

fn unread() -> Undecodable {
    serde_json::Error::custom(Unread).into()
}

impl<'a> Outline<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<Self>, Unread> {
        let start = *reader;
        if reader.null()? {
            return Ok(None);
        }
        let mut outline = Self::default();
        reader.each_member(|key, reader| {
            match &*key {
                "metadata" => outline.metadata = reader.value()?,
                "spec" => outline.spec = Members::read(reader)?,
                "status" => outline.status = reader.value()?,
                _ => reader.pass_over()?,
            }
            Ok(())
        })?;
        outline.text = reader.since(start);
        Ok(Some(outline))
    }

    /// Decodes the spec; a template that is known already, being equal byte for byte, is not decoded again.
    pub(super) fn set(&self, template: Option<&Template<'a>>) -> Result<Set<'a>, Undecodable> {
        let spec = self.spec.decode(template.is_some());
        let mut spec = spec.map_err(|Unread| fault(self.text))?;
        if let Some(template) = template {
            spec.template = template.clone();
        }
        Ok(Set {
            metadata: self.metadata.clone(),
            spec,
            status: self.status.clone(),
        })
    }
}
