//! The webhooks of a configuration as far as certificates are concerned.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::Pair;
use super::certificate::{Certificate, verifies};

/// A namespace and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A text that names no object.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not NAMESPACE/NAME")]
pub struct InvalidName(String);

impl FromStr for ObjectName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let label = |text: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            (1..=253).contains(&text.len()) && text.chars().all(inner)
        };
        match text.split_once('/') {
            Some((namespace, name)) if label(namespace) && label(name) => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(InvalidName(text.to_owned())),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl ObjectName {
    /// The name by which the API server verifies a Service's certificate: it takes no other.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.{}.svc", self.name, self.namespace)
    }
}

/// One webhook of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: String,
    /// The name that the API server wants in the certificate.
    pub host: String,
    /// The certificates of its caBundle, as far as they can be read.
    pub bundle: Vec<Certificate>,
    /// Whether all of the caBundle could be read.
    pub readable: bool,
}

impl Entry {
    /// Whether the API server accepts this pair when it calls the webhook.
    #[must_use]
    pub fn verifies(&self, pair: &Pair, now: Timestamp) -> bool {
        verifies(&self.bundle, pair.chain(), &self.host, now)
    }
}

/// The webhooks of a configuration (its JSON) that call `service`, or all of them where none is given.
#[must_use]
pub fn entries(configuration: &Value, service: Option<&ObjectName>) -> Vec<Entry> {
    let webhooks = configuration["webhooks"].as_array();
    let webhooks = webhooks.into_iter().flatten();
    webhooks
        .filter_map(|webhook| entry(webhook, service))
        .collect()
}

fn entry(webhook: &Value, service: Option<&ObjectName>) -> Option<Entry> {
    let client = &webhook["clientConfig"];
    let host = match (called(client), service) {
        (Some(called), Some(wanted)) if called != *wanted => return None,
        (Some(called), _) => called.host(),
        (None, Some(_)) => return None,
        (None, None) => url_host(client["url"].as_str()?)?,
    };
    let text = STANDARD.decode(client["caBundle"].as_str().unwrap_or_default());
    let bundle = text.ok().map(|text| Certificate::read_all(&text));
    let readable = matches!(bundle, Some(Ok(_)));
    Some(Entry {
        name: webhook["name"].as_str()?.to_owned(),
        host,
        bundle: bundle.and_then(Result::ok).unwrap_or_default(),
        readable,
    })
}

fn called(client: &Value) -> Option<ObjectName> {
    let part = |name: &str| Some(client.get("service")?.get(name)?.as_str()?.to_owned());
    Some(ObjectName {
        namespace: part("namespace")?,
        name: part("name")?,
    })
}

fn url_host(url: &str) -> Option<String> {
    let host = url.parse::<http::Uri>().ok()?.host()?.to_owned();
    Some(host.trim_matches(['[', ']']).to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::certs::Authority;

    #[test]
    fn a_name_has_two_parts() {
        let name: ObjectName = "system/steadyset".parse().unwrap();
        assert_eq!(name.to_string(), "system/steadyset");
        assert_eq!(name.host(), "steadyset.system.svc");
        for bad in ["", "a", "/a", "a/", "a/b/c", "A/b", "a b/c"] {
            let error = bad.parse::<ObjectName>().unwrap_err().to_string();
            assert_eq!(error, format!("`{bad}` is not NAMESPACE/NAME"));
        }
    }

    #[test]
    fn entries_are_those_that_call_the_service() {
        let life = std::time::Duration::from_mins(1);
        let authority = Authority::generate(Timestamp::UNIX_EPOCH, life).unwrap();
        let authority = authority.certificate().clone();
        let bundle = STANDARD.encode(authority.pem());
        let service = |name: &str| json!({"namespace": "a", "name": name});
        let configuration = json!({"webhooks": [
            {"name": "ours", "clientConfig": {"service": service("b"), "caBundle": bundle}},
            {"name": "bare", "clientConfig": {"service": service("b")}},
            {"name": "broken", "clientConfig": {"service": service("b"), "caBundle": "%"}},
            {"name": "another", "clientConfig": {"service": service("c"), "caBundle": bundle}},
            {"name": "url", "clientConfig": {"url": "https://[::1]:8443/mutate", "caBundle": bundle}},
        ]});
        let ours = ObjectName {
            namespace: "a".into(),
            name: "b".into(),
        };
        let found = entries(&configuration, Some(&ours));
        let names: Vec<_> = found
            .iter()
            .map(|entry| (&*entry.name, entry.readable))
            .collect();
        assert_eq!(names, [("ours", true), ("bare", true), ("broken", false)]);
        assert_eq!(found[0].bundle, [authority]);
        assert!(found.iter().all(|entry| entry.host == "b.a.svc"));
        let hosts: Vec<_> = entries(&configuration, None)
            .into_iter()
            .map(|entry| entry.host)
            .collect();
        assert_eq!(hosts, ["b.a.svc", "b.a.svc", "b.a.svc", "c.a.svc", "::1"]);
        assert!(entries(&Value::Null, None).is_empty());
    }
}
