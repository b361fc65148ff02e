//! What the API server refuses in a new set, told from its JSON alone.
//!
//! Each check names the field that the server names, after `pkg/apis/apps/validation` and `pkg/apis/core/validation` of
//! kubernetes/kubernetes. The checks read the document by path, so a new field costs a row. What a rule of its own reports is left to
//! that rule: one cause, one finding.

mod at;
mod claims;
mod container;
mod env;
mod formats;
mod metadata;
mod pod;
mod probe;
mod resources;
mod scheduling;
mod security;
mod set;
mod volumes;

use serde_json::Value;

use at::At;

/// Why the API server refuses a value (`field.ErrorType` of kubernetes/apimachinery).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is there, and is not what it must be.
    Invalid,
    /// It is missing.
    Required,
    /// It is there twice.
    Duplicate,
    /// It must not be there.
    Forbidden,
    /// It is none of the values that exist.
    NotSupported,
    /// It is longer than it may be.
    TooLong,
}

/// A value that the API server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// JSON pointer to the field that the server names.
    pub pointer: String,
    /// Why.
    pub cause: Cause,
    /// What is wrong, with the value.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The first minor version of Kubernetes 1 that refuses it; `None` where every one does.
    pub since: Option<u32>,
    /// The last minor version that refuses it; `None` where every later one does too.
    pub until: Option<u32>,
}

impl Refused {
    /// Whether a server of that minor version refuses it. What is wrong in a pod template is stored by servers before 1.34, and no
    /// pod is ever made of it, so that counts too.
    #[must_use]
    pub fn holds(&self, minor: u32) -> bool {
        let since = self
            .since
            .is_none_or(|since| minor >= since || self.is_of_a_pod());
        since && self.until.is_none_or(|until| minor <= until)
    }

    /// Whether it stands in the pod template, which servers before 1.34 do not look into.
    #[must_use]
    pub fn is_of_a_pod(&self) -> bool {
        self.pointer.starts_with("/spec/template/")
    }
}

/// What the API server refuses in a new set of `apps/v1`, in the order of its fields.
#[must_use]
pub fn refused(set: &Value) -> Vec<Refused> {
    let mut found = Found::default();
    set::check(At::root(set), &mut found);
    found.0
}

/// What was found so far.
#[derive(Default)]
struct Found(Vec<Refused>);

impl Found {
    /// Says of what the checks find that only servers of these minor versions refuse it.
    fn between(&mut self, since: Option<u32>, until: Option<u32>, checks: impl FnOnce(&mut Self)) {
        let before = self.0.len();
        checks(self);
        for refused in self.0.iter_mut().skip(before) {
            refused.since = refused.since.or(since);
            refused.until = refused.until.or(until);
        }
    }

    fn add(
        &mut self,
        at: &At<'_>,
        cause: Cause,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Refused {
            pointer: at.pointer(),
            cause,
            message: message.into(),
            help: help.into(),
            since: None,
            until: None,
        });
    }
}

#[cfg(test)]
mod tests;
