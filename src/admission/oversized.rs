//! The answer to a body that is too large to be read: what its first bytes say of it must do.
//!
//! An error would let the write pass unchecked wherever the operator's failurePolicy is `Ignore`. The API server cannot
//! store such an object either: etcd takes 1.5 MiB, of which no encoding makes this much.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Reviewer, response};
use crate::cluster_view::ClusterView;
use crate::metrics::{Endpoint, Metrics, Operation, RequestLabels, Verdict};
use crate::model::finding::{Action, Finding};
use crate::policy::{Policies, Policy, Profile};
use crate::review::{self, policy_for};
use crate::strict::{Source, Subject};

/// The rule of sets that are too large to be reviewed.
const RULE: &str = "set-too-large";

/// What the beginning of a review says of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) uid: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) operation: String,
    sub_resource: String,
    kind: [String; 3],
}

/// The answer to an oversized review.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) verdict: review::Verdict,
    /// Whether it is about a set at all.
    pub(super) judged: bool,
}

impl Head {
    /// Reads what is there; `None` without a uid.
    pub(super) fn read(beginning: &[u8]) -> Option<Self> {
        let mut head = Self::default();
        let mut json = serde_json::Deserializer::from_slice(beginning);
        // The text breaks off, which is an error; what was read before is what was sent.
        let _ = Review(&mut head).deserialize(&mut json);
        (!head.uid.is_empty()).then_some(head)
    }

    pub(super) fn operation(&self) -> Operation {
        let text = self.operation.to_ascii_lowercase();
        let mut known = Operation::ALL.into_iter();
        known
            .find(|operation| operation.as_str() == text)
            .unwrap_or(Operation::Unknown)
    }

    /// Whether it is a set that is written.
    fn is_judged(&self) -> bool {
        self.sub_resource.is_empty()
            && self.kind == ["apps", "v1", "StatefulSet"]
            && matches!(self.operation(), Operation::Create | Operation::Update)
    }
}

impl Answer {
    /// Counts the review and writes its line into the log. Whether it is a dry run stands behind the object, and is not known.
    pub(super) fn note(&self, head: &Head, endpoint: Endpoint, metrics: &Metrics) {
        let verdict = match (self.judged, self.verdict.denies()) {
            (true, true) => Verdict::Denied,
            (true, false) => Verdict::Allowed,
            (false, _) => Verdict::Ignored,
        };
        metrics.count_request(RequestLabels {
            endpoint,
            operation: head.operation(),
            verdict,
            dry_run: false,
        });
        for finding in &self.verdict.findings {
            metrics.count_finding(finding.rule, finding.action);
        }
        tracing::info!(
            endpoint = endpoint.as_str(),
            operation = head.operation().as_str(),
            namespace = head.namespace,
            name = head.name,
            uid = head.uid,
            verdict = verdict.as_str(),
            "reviewed a body that is too large to be read"
        );
    }
}

/// Answers as the rule `set-too-large` does, under the policy for the namespace. Its selectors of objects see a set without labels.
///
/// # Errors
///
/// Never, as far as a text can be written as JSON.
pub(super) fn answer(
    head: &Head,
    reviewer: &Reviewer,
    largest: usize,
) -> serde_json::Result<Answer> {
    let policies = reviewer.policies.load_full();
    let judged = head.is_judged();
    let action = judged
        .then(|| policy(head, &policies, reviewer).and_then(action))
        .flatten();
    let finding = |action| Finding {
        rule: RULE,
        action,
        pointer: "/spec".to_owned(),
        message: format!(
            "the API server sends this set as more than {} MiB, which is too large to be checked",
            largest >> 20
        ),
        help: "make its lists shorter, and move long texts into ConfigMaps".to_owned(),
    };
    let verdict = review::Verdict {
        findings: action.map(finding).into_iter().collect(),
        ..review::Verdict::default()
    };
    Ok(Answer {
        bytes: response::verdict(&head.uid, &head.name, &verdict)?,
        verdict,
        judged,
    })
}

/// The policy for the namespace.
fn policy<'a>(head: &Head, policies: &'a Policies, reviewer: &Reviewer) -> Option<&'a Policy> {
    let view: &dyn ClusterView = match &reviewer.cluster {
        Some(cluster) => &**cluster,
        None => &reviewer.nothing,
    };
    let object = serde_json::json!({"metadata": {"name": &head.name}}).to_string();
    let object: &RawValue = serde_json::from_str(&object).ok()?;
    let subject = Subject::decode(Source {
        namespace: &head.namespace,
        object,
        old_object: None,
    });
    policy_for(policies, &subject.ok()??, view)
}

/// What the rule does under a policy.
fn action(policy: &Policy) -> Option<Action> {
    let profiled = (policy.profile != Profile::Permissive).then_some(Action::Deny);
    let own = policy.rules.get(RULE);
    let action = own.map_or(profiled, |own| own.action())?;
    Some(action.min(policy.enforcement.ceiling()))
}

/// The keys of a map that are read, each into its place.
macro_rules! reads {
    ($name:ident, |$head:ident, $map:ident, $key:ident| $body:expr) => {
        struct $name<'a>(&'a mut Head);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();

            fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
                json.deserialize_map(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<(), A::Error> {
                let $head = self.0;
                while let Some($key) = $map.next_key::<String>()? {
                    $body
                }
                Ok(())
            }
        }
    };
}

reads!(Review, |head, map, key| if key == "request" {
    map.next_value_seed(Request(head))?;
} else {
    map.next_value::<IgnoredAny>()?;
});

reads!(Request, |head, map, key| {
    let field = match &*key {
        "uid" => &mut head.uid,
        "namespace" => &mut head.namespace,
        "name" => &mut head.name,
        "operation" => &mut head.operation,
        "subResource" => &mut head.sub_resource,
        "kind" => {
            map.next_value_seed(Kind(head))?;
            continue;
        }
        _ => {
            map.next_value::<IgnoredAny>()?;
            continue;
        }
    };
    *field = map.next_value()?;
});

reads!(Kind, |head, map, key| {
    let [group, version, kind] = &mut head.kind;
    let field = match &*key {
        "group" => group,
        "version" => version,
        "kind" => kind,
        _ => {
            map.next_value::<IgnoredAny>()?;
            continue;
        }
    };
    *field = map.next_value()?;
});

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster_view::NoCluster;
    use crate::policy::{Enforcement, RuleAction};

    const BEGINNING: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
        "kind":{"group":"apps","version":"v1","kind":"StatefulSet"},"name":"web","namespace":"shop","operation":"CREATE",
        "userInfo":{"username":"a " b"},"object":{"spec":{"containers":[{},{},{"#;

    #[test]
    fn the_beginning_says_what_the_review_is_about() {
        let head = Head::read(BEGINNING.as_bytes()).unwrap();
        assert_eq!(
            (&*head.uid, &*head.namespace, &*head.name),
            ("u-1", "shop", "web")
        );
        assert!(head.is_judged() && head.operation() == Operation::Create);
        for cut in 0..BEGINNING.len() {
            let known = Head::read(&BEGINNING.as_bytes()[..cut]).is_some();
            assert_eq!(known, cut >= BEGINNING.find("u-1").unwrap() + 4, "{cut}");
        }
        for (from, to) in [
            ("CREATE", "DELETE"),
            ("StatefulSet", "Deployment"),
            (r#""name":"#, r#""subResource":"#),
        ] {
            let other = BEGINNING.replace(from, to);
            assert!(!Head::read(other.as_bytes()).unwrap().is_judged(), "{to}");
        }
    }

    #[test]
    fn the_policy_decides_whether_it_denies_or_warns() {
        let rule = |action| Policy {
            rules: [(RULE, action)].into(),
            ..Policy::default()
        };
        let enforced = |enforcement| Policy {
            enforcement,
            ..Policy::default()
        };
        let permissive = Policy {
            profile: Profile::Permissive,
            ..Policy::default()
        };
        for (policy, allowed, warned) in [
            (Policy::default(), false, false),
            (enforced(Enforcement::Warn), true, true),
            (enforced(Enforcement::Audit), true, false),
            (rule(RuleAction::Warn), true, true),
            (rule(RuleAction::Ignore), true, false),
            (permissive, true, false),
        ] {
            let reviewer = Reviewer {
                policies: Arc::new(arc_swap::ArcSwap::from_pointee(policy.into())),
                cluster: None,
                nothing: NoCluster::default(),
            };
            let head = Head::read(BEGINNING.as_bytes()).unwrap();
            let answer = answer(&head, &reviewer, 32 << 20).unwrap();
            let review: serde_json::Value = serde_json::from_slice(&answer.bytes).unwrap();
            assert_eq!(review["response"]["uid"], "u-1");
            assert_eq!(review["response"]["allowed"], allowed, "{review}");
            assert_eq!(
                review["response"]["warnings"].is_array(),
                warned,
                "{review}"
            );
        }
    }
}
