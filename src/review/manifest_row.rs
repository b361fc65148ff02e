//! A set of a manifest, and the row that it makes: `audit`, `fix` and `post-render` say the same of it.

use serde_json::value::RawValue;

use crate::cluster_view::manifests::Manifests;
use crate::review::merge::Write;
use crate::review::report::{Options, Place, Row};
use crate::statefulset::Undecodable;
use crate::strict::{self, Authored};
use crate::yaml::read::{Body, Broken, Document};

/// How the sets of a manifest are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// How sets are judged.
    pub options: &'a Options,
    /// What is beside the set.
    pub around: &'a Manifests,
}

/// Whether a document is a `StatefulSet` of Kubernetes, of a version that is gone, or was meant to be one.
#[must_use]
pub fn is_set(document: &Document<'_>) -> bool {
    strict::is_set(&document.api_version, &document.kind)
}

impl Judge<'_> {
    /// The row of a set; `None` for a patch of one, as kustomize has them: it has no selector, or a container without an image.
    /// `stored` is the set that it replaces; what the file does not say of that counts as unchanged.
    ///
    /// # Errors
    ///
    /// [`Broken`] for what cannot be judged at all.
    pub fn row(
        &self,
        path: &str,
        document: &Document<'_>,
        body: &Body<'_>,
        stored: Option<&RawValue>,
    ) -> Result<Option<Row>, Broken> {
        self.judged(path, (document, body), Authored::read(body)?, stored)
    }

    /// The row of a set that is written as `after` over a stored one; findings stand where the file has them.
    ///
    /// # Errors
    ///
    /// [`Broken`] for what cannot be judged at all.
    pub fn row_after(
        &self,
        path: &str,
        (document, body): (&Document<'_>, &Body<'_>),
        after: Box<RawValue>,
        stored: &RawValue,
    ) -> Result<Option<Row>, Broken> {
        let authored = Authored {
            json: after,
            ..Authored::read(body)?
        };
        self.judged(path, (document, body), authored, Some(stored))
    }

    fn judged(
        &self,
        path: &str,
        (document, body): (&Document<'_>, &Body<'_>),
        mut authored: Authored,
        stored: Option<&RawValue>,
    ) -> Result<Option<Row>, Broken> {
        let namespace = if document.namespace.is_empty() {
            &self.options.namespace
        } else {
            &*document.namespace
        };
        if let Some(slips) = strict::identity(&document.api_version, &document.kind) {
            authored.slips = slips;
        }
        let unreadable = |error: Undecodable| unreadable(document, &error);
        let write = stored.map(|stored| Write::of(&authored.json, stored));
        let write = write
            .transpose()
            .map_err(|error| unreadable(error.into()))?;
        let mut old_object = None;
        if let Some(write) = &write {
            authored.json.clone_from(&write.object);
            old_object = Some(&*write.old_object);
        }
        let subject = authored
            .subject(namespace, old_object)
            .map_err(unreadable)?;
        if subject
            .as_ref()
            .is_some_and(|subject| !subject.slips.is_final() && !subject.is_whole())
        {
            return Ok(None);
        }
        let verdict = subject.map(|subject| self.options.verdict(subject, self.around));
        let place = Place::File {
            path: path.to_owned(),
            line: document.line,
            column: document.column,
        };
        let identity = (place, namespace.to_owned(), document.name.clone());
        let locate = |pointer: &str| {
            let position = authored.slips.position(body, pointer);
            Some((position.line, position.column))
        };
        Ok(Some(Row::of(
            identity,
            verdict.unwrap_or_default(),
            self.options,
            locate,
        )))
    }
}

fn unreadable(document: &Document<'_>, error: &Undecodable) -> Broken {
    Broken {
        line: document.line,
        column: document.column,
        message: without_place(&error.to_string()),
    }
}

/// What serde says without where: it means the JSON that the document was turned into.
fn without_place(message: &str) -> String {
    let (what, _) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    what.to_owned()
}
