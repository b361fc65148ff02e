//! What a document is, read no further than it takes to know.

use std::borrow::Cow;

use libyaml_safer::{EventData, MappingStyle};
use memchr::memchr_iter;

use super::Fault;
use super::events::{Events, offset};
use super::members::{Budget, members, plain_text};
use super::scalar::{Scalar, scalar};
use super::tree::{Content, Index, Tree};

/// The fields that say what an object is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

/// What is known of a document after its first lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Glance {
    /// An object, and where it begins.
    Object(Header, usize),
    /// No object of Kubernetes.
    Nothing,
    /// It takes the whole document to say: JSON, aliases, merges.
    Unclear,
}

const FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Header {
    /// Whether these are the fields of an object at all.
    pub(super) fn is_object(&self) -> bool {
        !self.api_version.is_empty() && !self.kind.is_empty()
    }

    /// The fields of a node.
    pub(super) fn of(tree: &Tree<'_>, at: Index) -> Self {
        let metadata = child(tree, at, "metadata");
        let text = |of: Option<Index>, key| {
            let value = of.and_then(|of| child(tree, of, key));
            value
                .and_then(|value| plain_text(tree, value))
                .map(Cow::into_owned)
                .unwrap_or_default()
        };
        Self {
            api_version: text(Some(at), "apiVersion"),
            kind: text(Some(at), "kind"),
            name: text(metadata, "name"),
            namespace: text(metadata, "namespace"),
        }
    }
}

/// A member of a mapping, if it is one.
pub(super) fn child(tree: &Tree<'_>, of: Index, key: &str) -> Option<Index> {
    let target = tree.target(of);
    if tree.content(target) != Content::Mapping {
        return None;
    }
    let members = members(tree, target, false, &mut Budget::default()).ok()?;
    let member = members.into_iter().find(|member| member.key == key)?;
    Some(member.value)
}

/// Reads the first lines of a document, up to the last of the fields that say what it is.
///
/// # Errors
///
/// What is wrong, if that keeps the kind from being known.
pub(super) fn glance(text: &str) -> Result<Glance, Fault> {
    if text.trim_start().starts_with('{') {
        return Ok(Glance::Unclear);
    }
    let mut reader = Reader {
        events: Events::new(text),
        header: Header::default(),
        seen: [false; 3],
        end: 0,
    };
    let begin = match reader.begin()? {
        Ok(begin) => begin,
        Err(glance) => return Ok(glance),
    };
    match reader.fields() {
        Ok(true) => {}
        Ok(false) => return Ok(Glance::Unclear),
        Err(_) if reader.header.is_object() => {}
        Err(fault) => return Err(fault),
    }
    if reader.comes_again(text, begin) {
        return Ok(Glance::Unclear);
    }
    Ok(if reader.header.is_object() {
        Glance::Object(reader.header, begin)
    } else {
        Glance::Nothing
    })
}

struct Reader<'t> {
    events: Events<'t>,
    header: Header,
    seen: [bool; 3],
    /// The end of what was read.
    end: usize,
}

impl Reader<'_> {
    fn event(&mut self) -> Result<EventData, Fault> {
        let event = self.events.next()?;
        self.end = offset(event.end_mark);
        Ok(event.data)
    }

    /// Where the fields of the document begin, if it is a block mapping.
    fn begin(&mut self) -> Result<Result<usize, Glance>, Fault> {
        loop {
            let event = self.events.next()?;
            return Ok(match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
                EventData::MappingStart {
                    style: MappingStyle::Flow,
                    ..
                } => Err(Glance::Unclear),
                EventData::MappingStart { .. } => Ok(offset(event.start_mark)),
                _ => Err(Glance::Nothing),
            });
        }
    }

    /// Reads fields until all are known; `false` if that takes more than this.
    fn fields(&mut self) -> Result<bool, Fault> {
        while self.seen != [true; 3] {
            let Some(key) = self.key()? else {
                return Ok(false);
            };
            if key.is_empty() {
                break;
            }
            let clear = match key.as_str() {
                "apiVersion" | "kind" => self.field(&key)?,
                "metadata" => self.metadata()?,
                _ => {
                    self.skip()?;
                    true
                }
            };
            for (seen, field) in self.seen.iter_mut().zip(FIELDS) {
                *seen |= key == field;
            }
            if !clear {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The next key, empty at the end of the mapping; `None` for one that has to be resolved.
    fn key(&mut self) -> Result<Option<String>, Fault> {
        Ok(match self.event()? {
            EventData::MappingEnd => Some(String::new()),
            EventData::Scalar { value, .. } if value != "<<" && !value.is_empty() => Some(value),
            _ => None,
        })
    }

    fn field(&mut self, key: &str) -> Result<bool, Fault> {
        let Some(value) = self.text()? else {
            return Ok(false);
        };
        match key {
            "apiVersion" => self.header.api_version = value,
            "kind" => self.header.kind = value,
            "name" => self.header.name = value,
            _ => self.header.namespace = value,
        }
        Ok(true)
    }

    /// A scalar that is text; `None` for anything else.
    fn text(&mut self) -> Result<Option<String>, Fault> {
        let EventData::Scalar {
            value,
            tag,
            plain_implicit,
            ..
        } = self.event()?
        else {
            return Ok(None);
        };
        Ok(match scalar(&value, tag.as_deref(), plain_implicit) {
            Ok(Scalar::Text(text)) => Some(text.into_owned()),
            _ => None,
        })
    }

    fn metadata(&mut self) -> Result<bool, Fault> {
        if !matches!(self.event()?, EventData::MappingStart { .. }) {
            return Ok(false);
        }
        loop {
            match self.key()?.as_deref() {
                None => return Ok(false),
                Some("") => return Ok(true),
                Some(key @ ("name" | "namespace")) => {
                    if !self.field(key)? {
                        return Ok(false);
                    }
                }
                Some(_) => self.skip()?,
            }
        }
    }

    /// Reads over a value.
    fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        loop {
            match self.event()? {
                EventData::MappingStart { .. } | EventData::SequenceStart { .. } => depth += 1,
                EventData::MappingEnd | EventData::SequenceEnd => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Whether one of the fields seems to stand in what was not read: the last one wins.
    fn comes_again(&self, text: &str, begin: usize) -> bool {
        let before = text.get(..begin).unwrap_or_default();
        let indent = before.rsplit('\n').next().unwrap_or_default().len();
        let rest = text.get(self.end..).unwrap_or_default();
        let mut lines = memchr_iter(b'\n', rest.as_bytes()).filter_map(|newline| {
            rest.get(newline + 1 + indent..)
                .filter(|own| own.starts_with(['a', 'k', 'm']))
        });
        lines.any(|own| {
            FIELDS.iter().any(|field| {
                let after = own.strip_prefix(field);
                after.is_some_and(|after| after.starts_with([':', ' ']))
            })
        })
    }
}
