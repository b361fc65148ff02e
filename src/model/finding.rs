//! What a review finds: what is wrong with a set, where, and what is done about it.

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
