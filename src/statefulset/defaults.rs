//! What follows from a set's fields once the API server's defaults are applied
//! (`kubernetes/kubernetes:pkg/apis/apps/v1/defaults.go`).

use std::fmt;

use super::set::{
    Claim, Container, ContainerPort, MatchExpression, OwnerReference, PodSpec, Selector, Set, Spec,
    UpdateStrategy,
};

impl fmt::Display for Selector<'_> {
    /// As kubectl takes it: `app=web,tier In (a, b)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.match_labels.iter();
        let labels = labels.map(|(key, value)| format!("{key}={value}"));
        let expressions = self.match_expressions.iter().map(ToString::to_string);
        let requirements: Vec<String> = labels.chain(expressions).collect();
        formatter.write_str(&requirements.join(","))
    }
}

impl fmt::Display for MatchExpression<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.key, self.operator)?;
        let values: Vec<&str> = self.values.iter().map(|value| &**value).collect();
        match values.as_slice() {
            [] => Ok(()),
            values => write!(formatter, " ({})", values.join(", ")),
        }
    }
}

impl Selector<'_> {
    /// Whether it selects an object, of which `label` gives the value of a label; an empty selector selects all.
    pub fn selects<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        let mut pairs = self.match_labels.iter();
        let mut expressions = self.match_expressions.iter();
        pairs.all(|(key, value)| label(key) == Some(value))
            && expressions.all(|expression| expression.holds(label(&expression.key)))
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl MatchExpression<'_> {
    /// Whether an object meets it whose label of that key has this value. An unknown operator, which the server refuses,
    /// counts as met.
    #[must_use]
    pub fn holds(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|one| one == value));
        match &*self.operator {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => true,
        }
    }
}

impl<'a> Set<'a> {
    /// The container at a place in the list; init containers are none.
    #[must_use]
    pub fn container(&self, index: usize) -> Option<&Container<'a>> {
        self.spec.template.spec.containers.get(index)
    }

    /// Whether an owner manages the set (`ownerReferences[].controller: true`), as operators do.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        self.controller().is_some()
    }

    /// The owner that manages the set; the API server takes no second one.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference<'a>> {
        let mut owners = self.metadata.owner_references.iter();
        owners.find(|owner| owner.controller)
    }
}

impl<'a> Spec<'a> {
    /// The claim of that name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Claim<'a>> {
        let mut claims = self.volume_claim_templates.iter();
        claims.find(|claim| claim.metadata.name == *name)
    }

    /// The number of pods wanted; 1 unless said otherwise.
    #[must_use]
    pub fn replicas(&self) -> i64 {
        self.replicas.unwrap_or(1)
    }

    /// The pod management policy, `OrderedReady` unless said otherwise.
    #[must_use]
    pub fn pod_management_policy(&self) -> &str {
        if self.pod_management_policy.is_empty() {
            "OrderedReady"
        } else {
            &self.pod_management_policy
        }
    }

    /// Whether pods are created one after the other, each waiting for the one before.
    #[must_use]
    pub fn is_ordered_ready(&self) -> bool {
        self.pod_management_policy() == "OrderedReady"
    }
}

impl UpdateStrategy<'_> {
    /// The type, `RollingUpdate` unless said otherwise.
    #[must_use]
    pub fn kind(&self) -> &str {
        if self.kind.is_empty() {
            "RollingUpdate"
        } else {
            &self.kind
        }
    }

    /// Pods with an ordinal index below it keep the old template; 0 unless said otherwise.
    #[must_use]
    pub fn partition(&self) -> i64 {
        self.rolling_update
            .as_ref()
            .and_then(|rolling| rolling.partition)
            .unwrap_or(0)
    }
}

impl<'a> PodSpec<'a> {
    /// The container of that name; init containers are none.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Container<'a>> {
        let mut containers = self.containers.iter();
        containers.find(|container| container.name == *name)
    }

    /// Every container with its place: the containers first, then the init containers.
    pub fn all_containers(&self) -> impl Iterator<Item = (Place, &Container<'a>)> {
        let list = |list: &'static str, containers: &'_ [Container<'a>]| {
            (0..containers.len()).map(move |index| Place { list, index })
        };
        let places = list("containers", &self.containers)
            .chain(list("initContainers", &self.init_containers));
        places.zip(self.containers.iter().chain(&self.init_containers))
    }
}

/// The place of a container in the object; as text, the JSON pointer to it. Most are never asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    list: &'static str,
    index: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "/spec/template/spec/{}/{}",
            self.list, self.index
        )
    }
}

impl<'a> Container<'a> {
    /// The declared TCP ports; a number that no port can have, which the API server refuses, is none.
    pub fn tcp_ports(&self) -> impl Iterator<Item = &ContainerPort<'a>> {
        self.ports
            .iter()
            .filter(|port| port.is_tcp() && (1..=65_535).contains(&port.container_port))
    }
}

impl ContainerPort<'_> {
    /// Whether the port speaks TCP, the default protocol.
    #[must_use]
    pub fn is_tcp(&self) -> bool {
        self.protocol.is_empty() || self.protocol == "TCP"
    }
}

impl Claim<'_> {
    /// Whether it names at least one access mode.
    #[must_use]
    pub fn has_access_modes(&self) -> bool {
        self.spec
            .as_ref()
            .is_some_and(|spec| !spec.access_modes.is_empty())
    }

    /// Whether it asks for a size.
    #[must_use]
    pub fn has_storage_request(&self) -> bool {
        let requests = self
            .spec
            .as_ref()
            .and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
        requests.is_some_and(|requests| requests.contains_key("storage"))
    }
}
