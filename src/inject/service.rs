//! The headless Service that a new set is linked to: the one that selects its pods, else one that we create and keep.

use sha2::{Digest, Sha256};

use super::record::{Item, Record, SERVICE_NAME, SOURCE_POLICY};
use super::work::Work;
use super::{Kind, Origin, Tag};
use crate::cluster_view::{ClusterView, Lookup, ServiceKeeping};
use crate::policy::{Policy, ServiceNameMode};
use crate::statefulset::set::Set;

const POINTER: &str = "/spec/serviceName";

/// The longest name of a Service (RFC 1123, DNS label).
const MAX_LABEL: usize = 63;

/// The longest hostname that Linux takes (`sethostname(2)`), which `setHostnameAsFQDN` makes of the whole DNS name.
const MAX_HOSTNAME: usize = 64;

/// The source of a name that a Service of the user's gave.
pub(super) const SOURCE_SERVICE: &str = "service";

/// What a set without `serviceName` can be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// The one headless Service that selects its pods.
    Link(String),
    /// A Service of this name that the controller will create and keep.
    Create(String),
    /// Nothing: all of these headless Services select its pods.
    Several(Vec<String>),
    /// Nothing: there is no such Service, and none can be created.
    None(Obstacle),
    /// Nothing: nobody can tell which Services there are.
    Unknown,
}

/// Why no Service is created for a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is nobody who would keep it.
    Nobody,
    /// The API server does not let us create Services.
    Forbidden,
    /// The set has no name yet.
    GenerateName,
    /// A Service cannot express the set's selector.
    Selector,
    /// The name is none that a Service can have.
    Name(String),
    /// With `setHostnameAsFQDN` the hostname would be too long.
    Hostname(String),
    /// A Service of that name is there, and not ours for this set.
    Taken(String),
}

impl Obstacle {
    /// The obstacle in words that end a sentence; `None` where nobody was to create one anyway.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Forbidden => Some("steadyset may not create Services here".to_owned()),
            Self::GenerateName => Some("the set's name is not known yet".to_owned()),
            Self::Selector => Some("a Service needs a selector of plain labels".to_owned()),
            Self::Name(name) => Some(format!("{name:?} is no name for a Service")),
            Self::Hostname(name) => Some(format!(
                "with {name:?} the hostname would pass {MAX_HOSTNAME} characters"
            )),
            Self::Taken(name) => Some(format!("Service {name:?} is there and not ours")),
        }
    }
}

/// What the set can be linked to, whatever the policy says of it.
#[must_use]
pub fn propose(namespace: &str, set: &Set<'_>, cluster: &dyn ClusterView) -> Linkage {
    let services = match cluster.services_selecting(namespace, &set.spec.template.metadata.labels) {
        Lookup::Found(services) => services,
        Lookup::Absent => Vec::new(),
        Lookup::Unknown => return Linkage::Unknown,
    };
    let mut candidates = services
        .iter()
        .filter(|service| service.headless && service.kept_for.is_none());
    if let Some(first) = candidates.next() {
        let mut names = vec![first.name.clone()];
        names.extend(candidates.map(|service| service.name.clone()));
        return match names.pop() {
            Some(only) if names.is_empty() => Linkage::Link(only),
            last => Linkage::Several(names.into_iter().chain(last).collect()),
        };
    }
    match creatable(namespace, set, cluster.keeps_services()) {
        Ok(name) if is_taken(namespace, &name, set, cluster) => {
            Linkage::None(Obstacle::Taken(name))
        }
        Ok(name) => Linkage::Create(name),
        Err(obstacle) => Linkage::None(obstacle),
    }
}

/// Whether a Service of that name is there that is not ours for this set.
fn is_taken(namespace: &str, name: &str, set: &Set<'_>, cluster: &dyn ClusterView) -> bool {
    let there = cluster.service(namespace, name).found();
    there.is_some_and(|there| there.kept_for.as_deref() != Some(&*set.metadata.name))
}

fn creatable(namespace: &str, set: &Set<'_>, keeping: ServiceKeeping) -> Result<String, Obstacle> {
    match keeping {
        ServiceKeeping::Kept => {}
        ServiceKeeping::Forbidden => return Err(Obstacle::Forbidden),
        ServiceKeeping::Nobody => return Err(Obstacle::Nobody),
    }
    if set.metadata.name.is_empty() {
        return Err(Obstacle::GenerateName);
    }
    let selector = set.spec.selector.as_ref();
    if !selector.is_some_and(|selector| {
        selector.match_expressions.is_empty() && !selector.match_labels.is_empty()
    }) {
        return Err(Obstacle::Selector);
    }
    let name = service_name(&set.metadata.name);
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.contains('.') {
        return Err(Obstacle::Name(name));
    }
    if set.spec.template.spec.set_hostname_as_fqdn
        && hostname_length(namespace, set, &name) > MAX_HOSTNAME
    {
        return Err(Obstacle::Hostname(name));
    }
    Ok(name)
}

/// The name of the Service that we keep for a set: `<set>-pods`, shortened with a hash of the set's name.
#[must_use]
pub fn service_name(set: &str) -> String {
    const SUFFIX: &str = "-pods";
    const HASH_LENGTH: usize = 8;
    if set.len() + SUFFIX.len() <= MAX_LABEL {
        return format!("{set}{SUFFIX}");
    }
    let hash = format!("{:x}", Sha256::digest(set.as_bytes()));
    let hash = hash.get(..HASH_LENGTH).unwrap_or(&hash);
    let start: String = set
        .chars()
        .take(MAX_LABEL - SUFFIX.len() - hash.len() - 1)
        .collect();
    format!("{}-{hash}{SUFFIX}", start.trim_end_matches('-'))
}

/// The length of the DNS name of the pod with the highest ordinal, in the domain that nearly every cluster has.
fn hostname_length(namespace: &str, set: &Set<'_>, service: &str) -> usize {
    let start = set.spec.ordinals.start;
    let last = start.saturating_add(set.spec.replicas()).saturating_sub(1);
    let pod = format!("{}-{last}", set.metadata.name);
    format!("{pod}.{service}.{namespace}.svc.cluster.local").len()
}

/// The Service that the controller makes and keeps for a set: its record claims it, and the policy in force would have it made for
/// this very set. The record is text that every author of a set may write, so alone it gives nothing.
#[must_use]
pub fn kept<'r>(
    policy: &Policy,
    namespace: &str,
    set: &Set<'_>,
    record: &'r Record,
    keeping: ServiceKeeping,
) -> Option<&'r str> {
    let claimed = record.kept_service()?;
    let is_made = policy.inject.service_name.mode == ServiceNameMode::LinkOrCreate
        && super::is_open(policy, set)
        && keeping != ServiceKeeping::Forbidden
        && set.spec.service_name == *claimed
        && creatable(namespace, set, ServiceKeeping::Kept).as_deref() == Ok(claimed);
    is_made.then_some(claimed)
}

/// Links a new set that names no Service; why one is not linked, the rule `service-name-empty` says.
pub(super) fn inject(work: &mut Work<'_, '_>) {
    let mode = work.policy.inject.service_name.mode;
    let set = work.draft.set();
    if mode == ServiceNameMode::Never || !set.spec.service_name.is_empty() {
        return;
    }
    match propose(work.namespace, set, work.cluster) {
        Linkage::Link(name) => {
            let message = format!(
                "set to {name:?}, the headless Service that selects these pods; write it in the manifest"
            );
            link(work, &name, SOURCE_SERVICE, Origin::Service, message);
        }
        Linkage::Create(name) if mode == ServiceNameMode::LinkOrCreate => {
            let message = format!(
                "set to {name:?}, a headless Service that steadyset keeps; write it in the manifest, it cannot change later"
            );
            link(work, &name, SOURCE_POLICY, Origin::Policy, message);
        }
        _ => {}
    }
}

fn link(work: &mut Work<'_, '_>, name: &str, source: &str, origin: Origin, message: String) {
    work.draft.set_service_name(name);
    work.record
        .insert(SERVICE_NAME.to_owned(), Item::new(name.into(), source));
    work.injected(Kind::ServiceName, origin, SERVICE_NAME.to_owned());
    work.note(Tag::Injected, POINTER, message);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster_view::Service;
    use crate::inject::testing::{World, headless, web};

    fn linkage(changes: &Value, world: &World) -> Linkage {
        let text = web(changes).to_string();
        propose("shop", &serde_json::from_str(&text).unwrap(), world)
    }

    #[test]
    fn one_headless_service_that_selects_the_pods_is_linked() {
        let with_address = Service {
            headless: false,
            ..headless("front", &[("app", "web")])
        };
        let of_another_set = Service {
            kept_for: Some("other".to_owned()),
            ..headless("other-pods", &[("app", "web")])
        };
        let mut services = vec![
            with_address,
            of_another_set,
            headless("foreign", &[("app", "other")]),
            headless("selects-nothing", &[]),
        ];
        let create = Linkage::Create("web-pods".to_owned());
        assert_eq!(linkage(&json!({}), &World::with(services.clone())), create);
        services.push(headless("web-peers", &[("app", "web")]));
        let link = Linkage::Link("web-peers".to_owned());
        assert_eq!(linkage(&json!({}), &World::with(services.clone())), link);
        services.push(headless("web-more", &[("app", "web")]));
        let several = Linkage::Several(vec!["web-peers".to_owned(), "web-more".to_owned()]);
        assert_eq!(linkage(&json!({}), &World::with(services)), several);
    }

    #[test]
    fn nothing_is_guessed() {
        assert_eq!(linkage(&json!({}), &World::default()), Linkage::Unknown);
    }

    #[test]
    fn ours_that_an_earlier_set_left_is_taken_up_again() {
        let ours = Service {
            kept_for: Some("web".to_owned()),
            ..headless("web-pods", &[("app", "web")])
        };
        let create = Linkage::Create("web-pods".to_owned());
        assert_eq!(linkage(&json!({}), &World::with(vec![ours])), create);
    }

    #[test]
    fn what_stands_in_the_way_of_a_service() {
        let fqdn = json!({"spec": {"template": {"spec": {"setHostnameAsFQDN": true}}}});
        let mut long = fqdn.clone();
        long["metadata"] = json!({"name": "w".repeat(20)});
        let expressions = json!([{"key": "app", "operator": "Exists"}]);
        let cases = [
            (
                json!({"metadata": {"name": null, "generateName": "web-"}}),
                Err(Obstacle::GenerateName),
            ),
            (
                json!({"spec": {"selector": {"matchExpressions": expressions}}}),
                Err(Obstacle::Selector),
            ),
            (
                json!({"spec": {"selector": {"matchLabels": null}}}),
                Err(Obstacle::Selector),
            ),
            (
                json!({"metadata": {"name": "1web"}}),
                Err(Obstacle::Name("1web-pods".to_owned())),
            ),
            (
                json!({"metadata": {"name": "web.v1"}}),
                Err(Obstacle::Name("web.v1-pods".to_owned())),
            ),
            (
                long,
                Err(Obstacle::Hostname(format!("{}-pods", "w".repeat(20)))),
            ),
            (fqdn, Ok("web-pods".to_owned())),
        ];
        for (changes, expected) in cases {
            let expected = expected.map_or_else(Linkage::None, Linkage::Create);
            assert_eq!(
                linkage(&changes, &World::with(vec![])),
                expected,
                "{changes}"
            );
        }
        let taken = World::with(vec![headless("web-pods", &[("app", "other")])]);
        assert_eq!(
            linkage(&json!({}), &taken),
            Linkage::None(Obstacle::Taken("web-pods".to_owned()))
        );
        for (keeping, obstacle) in [
            (ServiceKeeping::Forbidden, Obstacle::Forbidden),
            (ServiceKeeping::Nobody, Obstacle::Nobody),
        ] {
            let world = World {
                keeping,
                ..World::with(vec![])
            };
            assert_eq!(linkage(&json!({}), &world), Linkage::None(obstacle));
        }
    }

    #[test]
    fn a_long_name_is_shortened_with_a_hash() {
        assert_eq!(service_name("web"), "web-pods");
        let longest = "w".repeat(58);
        assert_eq!(service_name(&longest), format!("{longest}-pods"));
        let (one, other) = (service_name(&"w".repeat(59)), service_name(&"w".repeat(60)));
        assert_ne!(one, other);
        for name in [one, other] {
            assert!(name.len() <= 63 && name.ends_with("-pods"), "{name}");
        }
    }
}
