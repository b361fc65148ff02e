//! A pod that an earlier set has left.

use serde_json::Value;

use crate::model::pointer::{list_at, text_at};
use crate::statefulset::set::{Container, ContainerPort, Set};
use crate::statefulset::view::Text;

/// A pod as the API server stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod(Value);

impl Pod {
    /// The pod that an object is.
    #[must_use]
    pub fn new(object: Value) -> Self {
        Self(object)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        text_at(&self.0, "/metadata/name")
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> &Value {
        &self.0
    }

    /// Its container of that name.
    #[must_use]
    pub fn container(&self, name: &str) -> Option<&Value> {
        list_at(&self.0, "/spec/containers").find(|container| text_at(container, "/name") == name)
    }

    /// Whether a set that adopts it restarts it whatever is injected: the set's own template has what the pod has not. What the pod
    /// has more, and another registry of the same image, may come from whoever changes pods as they are created.
    #[must_use]
    pub fn is_replaced_by(&self, set: &Set<'_>) -> bool {
        let template = &set.spec.template;
        let labels = self.0.pointer("/metadata/labels");
        let lacks_label = |(key, value): (&Text<'_>, &Text<'_>)| {
            let own = labels.and_then(|labels| labels.get(&**key));
            own.and_then(Value::as_str) != Some(value)
        };
        template.metadata.labels.iter().any(lacks_label)
            || template.spec.containers.iter().any(|wanted| {
                let own = self.container(&wanted.name);
                own.is_none_or(|own| is_another(own, wanted))
            })
    }
}

fn is_another(own: &Value, wanted: &Container<'_>) -> bool {
    let lacks_port = |wanted: &ContainerPort<'_>| {
        let same = |own: &Value| {
            own.get("containerPort").and_then(Value::as_i64) == Some(wanted.container_port)
                && text_at(own, "/name") == &*wanted.name
        };
        !list_at(own, "/ports").any(same)
    };
    is_another_image(text_at(own, "/image"), &wanted.image) || wanted.ports.iter().any(lacks_port)
}

/// Whether two images differ in more than what a rewriting of their names makes of them: the registry and its path, and a digest in
/// place of a tag.
fn is_another_image(own: &str, wanted: &str) -> bool {
    let (own, wanted) = (Reference::of(own), Reference::of(wanted));
    let differ = |own: Option<&str>, wanted: Option<&str>| {
        own.zip(wanted).is_some_and(|(own, wanted)| own != wanted)
    };
    own.name != wanted.name || differ(own.tag, wanted.tag) || differ(own.digest, wanted.digest)
}

/// The parts of an image reference (`docker.io/library/web:1@sha256:...`).
struct Reference<'i> {
    name: &'i str,
    tag: Option<&'i str>,
    digest: Option<&'i str>,
}

impl<'i> Reference<'i> {
    fn of(image: &'i str) -> Self {
        let (image, digest) = match image.split_once('@') {
            Some((image, digest)) => (image, Some(digest)),
            None => (image, None),
        };
        let last = image.rsplit('/').next().unwrap_or(image);
        let (name, tag) = match last.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (last, digest.is_none().then_some("latest")),
        };
        Self { name, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registry_or_a_digest_makes_no_other_image() {
        for (own, wanted, another) in [
            ("web:1", "web:1", false),
            ("web", "web:latest", false),
            ("web:1", "web:2", true),
            ("web:1", "web", true),
            ("mirror.example:5000/hub/web:1", "web:1", false),
            ("web:1", "mirror.example:5000/web:2", true),
            ("web@sha256:a", "web:1", false),
            ("web:1@sha256:a", "web:1@sha256:b", true),
            ("web@sha256:a", "web@sha256:b", true),
            ("api:1", "web:1", true),
        ] {
            assert_eq!(is_another_image(own, wanted), another, "{own} {wanted}");
        }
    }

    #[test]
    fn what_the_template_has_and_the_pod_has_not_replaces_it() {
        let pod = Pod::new(
            json!({"metadata": {"name": "web-0", "labels": {"app": "web", "controller-revision-hash": "web-1"}},
            "spec": {"containers": [{"name": "proxy", "image": "p"},
                {"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}]}}),
        );
        for (labels, container, replaced) in [
            (json!({"app": "web"}), json!({}), false),
            (json!({}), json!({"ports": null}), false),
            (json!({"app": "web", "tier": "a"}), json!({}), true),
            (json!({"app": "other"}), json!({}), true),
            (json!({}), json!({"image": "web:2"}), true),
            (json!({}), json!({"name": "app"}), true),
            (
                json!({}),
                json!({"ports": [{"name": "http", "containerPort": 8080}]}),
                true,
            ),
            (json!({}), json!({"ports": [{"containerPort": 80}]}), true),
        ] {
            let mut own = json!({"name": "web", "image": "web:1", "ports": [{"name": "http", "containerPort": 80}]});
            json_patch::merge(&mut own, &container);
            let set = json!({"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [own]}}}});
            let set = set.to_string();
            let set: Set<'_> = serde_json::from_str(&set).unwrap();
            assert_eq!(pod.is_replaced_by(&set), replaced, "{labels} {container}");
        }
    }
}
