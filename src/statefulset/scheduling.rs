//! Which pods may run beside which: what is required of the scheduler (`k8s.io/api/core/v1`).

use serde::de::IgnoredAny;

use super::set::Selector;
use super::view::{Text, view};

view! {
    /// `spec.template.spec.affinity`.
    #[derive(PartialEq)]
    pub struct Affinity<'a> {
        /// Pods to keep away from.
        "podAntiAffinity" => pod_anti_affinity: PodAntiAffinity<'a>,
    }
}

view! {
    /// `PodAntiAffinity`, as far as it is required.
    #[derive(PartialEq)]
    pub struct PodAntiAffinity<'a> {
        /// What must hold for a pod to be scheduled.
        "requiredDuringSchedulingIgnoredDuringExecution" => required: Vec<PodAffinityTerm<'a>>,
    }
}

view! {
    /// `PodAffinityTerm`.
    #[derive(PartialEq)]
    pub struct PodAffinityTerm<'a> {
        /// Which pods are meant.
        "labelSelector" => label_selector: Selector<'a>,
        /// Where they are; empty means the set's own namespace, unless a selector says otherwise.
        "namespaces" => namespaces: Vec<Text<'a>>,
        /// The same by labels; of which ones, nobody asks.
        "namespaceSelector" => namespace_selector: Option<IgnoredAny>,
    }
}

view! {
    /// An entry of `spec.template.spec.topologySpreadConstraints`.
    #[derive(PartialEq)]
    pub struct TopologySpreadConstraint<'a> {
        /// `DoNotSchedule` or `ScheduleAnyway`.
        "whenUnsatisfiable" => when_unsatisfiable: Text<'a>,
        /// Which pods are counted.
        "labelSelector" => label_selector: Selector<'a>,
    }
}
