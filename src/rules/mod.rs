//! The rules: what is wrong with a set, each in one place with its id, its documentation and its check.

pub mod annotations;
pub mod authored;
mod docs;
pub mod immutable;
pub mod pod_management;
pub mod pods;
pub mod service_linkage;
#[cfg(test)]
pub(crate) mod testing;
pub mod update_strategy;
pub mod volumes;

pub use docs::{BASE, Docs};

use std::sync::LazyLock;

use crate::change::immutable::Change;
use crate::cluster_view::ClusterView;
use crate::model::finding::{Action, Finding, Phase};
use crate::policy::Policy;
use crate::statefulset::Operation;
use crate::statefulset::set::Set;
use crate::strict::Slips;

/// Whether the API server rejects the same by itself. At admission such a rule must run on `/mutate`, because the server
/// validates before it calls `/validate`.
#[derive(Clone, Copy, Debug)]
pub enum Builtin {
    /// No server rejects it.
    Never,
    /// Every server does.
    Always,
    /// Servers of this minor version of Kubernetes 1 and later do.
    Since(u32),
    /// The same, on CREATE alone.
    OnCreateSince(u32),
    /// It depends on more than the version.
    Where(fn(&Context<'_>) -> bool),
}

impl Builtin {
    /// Whether the server around the set rejects it; one of unknown version only where all of them do.
    #[must_use]
    pub fn holds(self, context: &Context<'_>) -> bool {
        let version = context.cluster.version();
        let at_least = |minor| version.is_some_and(|version| version.at_least(minor));
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Since(minor) => at_least(minor),
            Self::OnCreateSince(minor) => context.operation == Operation::Create && at_least(minor),
            Self::Where(holds) => holds(context),
        }
    }
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What is wrong with a set.
    Set,
    /// What a legitimate write does. The profile Strict leaves it a warning: a set whose every update is refused could not be
    /// changed any more. An operator who names the rule may have it deny.
    Change,
    /// How a manifest is written.
    File,
}

/// A rule: its whole life is in the file of its family.
pub struct Rule {
    /// Kebab-case, stable; what an exemption or a policy names.
    pub id: &'static str,
    /// What a finding does unless the policy or the rule itself says otherwise.
    pub action: Action,
    /// Whether the API server rejects the same.
    pub builtin: Builtin,
    /// Whether the rule runs on `/mutate` even where the server does not reject the same: what it judges is gone, or
    /// refused, before `/validate`.
    pub early: bool,
    /// Whether it may ever deny. A field that cannot change is for the server's own 422, which operators and `GitOps` tools act
    /// on; a `maxUnavailable` that the server ignores does no harm.
    pub may_deny: bool,
    /// What it looks at.
    pub about: About,
    /// The rule's page.
    pub docs: Docs,
    /// Finds violations; must not judge anything but what the context holds.
    pub check: fn(&Context<'_>, &mut Vec<Violation>),
}

impl Rule {
    /// Whether the rule is run in that phase.
    #[must_use]
    pub fn runs(&self, context: &Context<'_>) -> bool {
        if context.slips.is_final() {
            return self.about == About::File;
        }
        context.phase != Phase::Mutate || self.early || self.builtin.holds(context)
    }

    /// Whether the rule is about how a manifest is written: a set that comes from a server cannot break it.
    #[must_use]
    pub fn is_of_the_file(&self) -> bool {
        self.about == About::File
    }
}

/// All that a rule may look at.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The set's namespace.
    pub namespace: &'c str,
    /// The set as it will be, injections included.
    pub set: &'c Set<'c>,
    /// The stored set that it replaces.
    pub old: Option<&'c Set<'c>>,
    /// Whether the write, injections included, changes the pod template of the stored set.
    pub template_changed: bool,
    /// What the write, injections included, changes of the fields that a set keeps for life.
    pub changes: &'c [Change],
    /// CREATE or UPDATE. Differs from `old` when the stored set is judged by itself, to see which sins are old.
    pub operation: Operation,
    /// What the operator decided.
    pub policy: &'c Policy,
    /// The cluster around it.
    pub cluster: &'c dyn ClusterView,
    /// Where it is judged.
    pub phase: Phase,
    /// What is wrong with how its author wrote it.
    pub slips: &'c Slips,
}

/// What a check found; [`Finding`] once the action is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer to the field.
    pub pointer: String,
    /// What makes it the same violation in another version of the object: the container, claim or field name, never a list
    /// index; empty where the rule can be broken in one place only.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// An action other than the rule's own, where the case is milder.
    pub action: Option<Action>,
    /// The most that it may do whatever the operator says, because here somebody else decides.
    pub ceiling: Option<Action>,
}

impl Violation {
    /// A violation at a field that a set has only once.
    #[must_use]
    pub fn new(
        pointer: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            subject: String::new(),
            message: message.into(),
            help: help.into(),
            action: None,
            ceiling: None,
        }
    }

    /// Says which container, claim or field it is about.
    #[must_use]
    pub fn of(self, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ..self
        }
    }

    /// Replaces the rule's own action.
    #[must_use]
    pub fn with(self, action: Action) -> Self {
        Self {
            action: Some(action),
            ..self
        }
    }

    /// The finding, once its action is settled.
    pub(crate) fn finding(self, rule: &'static str, action: Action) -> Finding {
        Finding {
            rule,
            action,
            pointer: self.pointer,
            message: self.message,
            help: self.help,
        }
    }

    /// Says that it must do no more than warn, because a later webhook or the server decides.
    #[must_use]
    pub fn warns_at_most(self) -> Self {
        Self {
            action: Some(Action::Warn),
            ceiling: Some(Action::Warn),
            ..self
        }
    }
}

/// Every rule, in the order in which findings are reported.
#[must_use]
pub fn all() -> &'static [&'static Rule] {
    ALL
}

const ALL: &[&Rule] = &[
    &pod_management::UNKNOWN,
    &update_strategy::kind::UNKNOWN,
    &update_strategy::rolling_update::WITH_ON_DELETE,
    &update_strategy::rolling_update::PARTITION_NEGATIVE,
    &update_strategy::max_unavailable::value::INVALID,
    &update_strategy::rolling_update::PARTITION_EXCEEDS_REPLICAS,
    &update_strategy::max_unavailable::effect::ORDERED_READY,
    &update_strategy::max_unavailable::effect::ALL_REPLICAS,
    &update_strategy::max_unavailable::effect::QUORUM,
    &update_strategy::max_unavailable::effect::IGNORED,
    &update_strategy::recreate::TAKES_ALL_DOWN,
    &update_strategy::parallel::ROLLOUT_BROKEN,
    &update_strategy::transition::ON_DELETE_TEMPLATE_CHANGE,
    &update_strategy::transition::ORDINALS_START_CHANGE,
    &immutable::FIELD_CHANGE,
    &update_strategy::transition::ROLLOUT_STARTS,
    &service_linkage::name::INVALID,
    &service_linkage::name::EMPTY,
    &service_linkage::service::MISSING,
    &service_linkage::service::NOT_HEADLESS,
    &service_linkage::selector::MISMATCH,
    &service_linkage::invalid::INVALID,
    &service_linkage::ports::PORT_UNKNOWN,
    &service_linkage::links::COLLIDE,
    &service_linkage::deadlock::ORDERED_READY,
    &volumes::mounts::WITHOUT_VOLUME,
    &volumes::claims::DUPLICATE_NAME,
    &volumes::claims::NAME_INVALID,
    &volumes::claims::VOLUME_NAME_INVALID,
    &volumes::claims::INCOMPLETE,
    &volumes::usage::UNMOUNTED,
    &volumes::usage::SHADOWS_VOLUME,
    &volumes::retention::DELETE,
    &volumes::storage_class::MISSING,
    &volumes::mounts::PATH_MISSING,
    &volumes::usage::MODE_MISMATCH,
    &volumes::data::OUTSIDE_CLAIM,
    &volumes::shared::CLAIM_SHARED,
    &volumes::version_label::VERSION_IN_IMMUTABLE_FIELD,
    &volumes::fs_group::MISSING,
    &volumes::retention::UNKNOWN,
    &pods::name::TOO_LONG,
    &pods::name::NEAR_LIMIT,
    &pods::readiness::MISSING,
    &pods::probes::PORT_UNKNOWN,
    &pods::probes::SUCCESS_THRESHOLD,
    &pods::size::TOO_LARGE,
    &pods::selector::MISMATCH,
    &pods::liveness::WITHOUT_STARTUP,
    &pods::program::MISSING,
    &pods::program::TIMEOUT_DEFAULT,
    &pods::pre_stop::GRACE_SHORTER,
    &pods::host_port::ORDERED,
    &pods::references::MISSING,
    &pods::grace::ZERO,
    &pods::affinity::SELECTOR_MISMATCH,
    &pods::disruption::BUDGET_BLOCKS,
    &authored::unknown_field::UNKNOWN_FIELD,
    &authored::field_type::WRONG,
    &authored::field_invalid::INVALID,
    &authored::duplicate_key::DUPLICATE_KEY,
    &authored::kind::UNKNOWN,
    &authored::patch::REPLACES_LIST,
    &authored::api_version::REMOVED,
    &annotations::INVALID,
];

/// The rules that may run in a phase: most never do on `/mutate`.
#[must_use]
pub fn of_phase(phase: Phase) -> &'static [&'static Rule] {
    static EARLY: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
        let may_run = |rule: &Rule| {
            let is_builtin = !matches!(rule.builtin, Builtin::Never);
            rule.early || is_builtin || rule.id == authored::api_version::REMOVED.id
        };
        let rules = all().iter().copied();
        rules.filter(|rule| may_run(rule)).collect()
    });
    match phase {
        Phase::Mutate => &EARLY,
        Phase::Validate | Phase::File => all(),
    }
}

/// The rule of that id.
#[must_use]
pub fn named(id: &str) -> Option<&'static Rule> {
    all().iter().find(|rule| rule.id == id).copied()
}

#[cfg(test)]
mod tests;
