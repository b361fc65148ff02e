//! What a review finds: what is wrong with a set, where, and what is done about it.

use super::field_path::dotted;

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Shown to the operator alone: metric, log, audit annotation.
    Audit,
    /// Shown to the user.
    Warn,
    /// The write is refused.
    Deny,
}

/// Where a set is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `/mutate`: before the API server's own validation.
    Mutate,
    /// `/validate`: the object as it will be stored.
    Validate,
    /// A manifest, or a stored set judged as if it were created now.
    File,
}

/// A violation of a rule, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// What it does.
    pub action: Action,
    /// JSON pointer to the field.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Finding {
    /// The field as the API server's own messages write it, such as `spec.template.spec.containers[0].ports`.
    #[must_use]
    pub fn field(&self) -> String {
        dotted(&self.pointer)
    }

    /// `steadyset: <field>: <what is wrong>; <what to write instead>`, on one line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let text = format!(
            "steadyset: {}: {}; {}",
            self.field(),
            self.message,
            self.help
        );
        text.replace(char::is_control, " ")
    }

    /// The sentence with the rule's id behind it, as a denial and a rule's page show it.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} [{}]", self.sentence(), self.rule)
    }
}
