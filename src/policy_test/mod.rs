//! Cases: a write, what is in the cluster around it, and what a policy is to make of it (`steadyset policy test`).

mod compare;
mod judge;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use judge::Broken;

use crate::yaml::values;

/// A case, as it is written in YAML.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The `spec` of a policy that alone is in force; without it those that all cases share.
    pub policy: Option<Value>,
    /// The API server's version, such as 1.36 or 1.35.2; not known unless told.
    pub kube_version: Option<String>,
    /// When the write happens, for exemptions that end; now unless told.
    pub now: Option<Timestamp>,
    /// Whether the user who writes holds the verb `exempt`; not known unless told.
    pub may_exempt: Option<bool>,
    /// All Services of the cluster; not known unless told. The same holds for the next three.
    pub services: Option<Vec<Value>>,
    /// All `PodDisruptionBudget`s.
    pub pod_disruption_budgets: Option<Vec<Value>>,
    /// All `StorageClass`es.
    pub storage_classes: Option<Vec<Value>>,
    /// The namespaces, for policies that select by their labels.
    pub namespaces: Option<Vec<Value>>,
    /// The set as it is stored; makes the write an UPDATE.
    pub old_object: Option<Value>,
    /// The set as it is written.
    pub object: Value,
    /// What is to come of it.
    pub expect: Expected,
}

/// What is to come of a write.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expected {
    /// Whether a policy is for the set, and there is something to judge; true unless told.
    pub judged: Judged,
    /// Everything that is found, in any order; nothing unless told.
    pub findings: Vec<ExpectedFinding>,
    /// The rules that the set breaks and is exempted from; not compared unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempted: Option<Vec<String>>,
    /// The JSON Patch without the record of what was injected; not compared unless told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Vec<Value>>,
}

/// Whether a set is judged; it is unless told.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Judged(pub bool);

impl Default for Judged {
    fn default() -> Self {
        Self(true)
    }
}

/// A finding that is to be made; what is not told is not compared.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedFinding {
    /// The rule's id.
    pub rule: String,
    /// What it does.
    pub action: Action,
    /// The field, as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What a finding does, as reports write it; the words of a policy are taken too.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Shown to the operator alone.
    #[serde(alias = "Audit")]
    Audit,
    /// Shown to the user.
    #[serde(alias = "Warn")]
    Warn,
    /// The write is refused.
    #[serde(alias = "Deny")]
    Deny,
}

/// The cases of a file, a document each.
///
/// # Errors
///
/// What is wrong with the text, with line and column.
pub fn read(text: &str) -> Result<Vec<Case>, String> {
    values::read(text)
}

#[cfg(test)]
mod tests;
