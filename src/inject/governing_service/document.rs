//! The governing Service as a document of the user's own: it says what a person would write, and nothing of us.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::ServicePort;

use super::ports::ports;

/// Words that YAML 1.1 reads as something else than a text.
const RESERVED: [&str; 10] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan",
];

/// The YAML of the Service that governs this set, under the name that its `serviceName` gives. It is what the controller would
/// create, less its label and its owner: nobody keeps it but the user. Without `metadata.namespace` in the set it has none either.
pub(crate) fn document(set: &StatefulSet) -> String {
    let spec = &set.spec;
    let name = spec.service_name.as_deref().unwrap_or_default();
    let mut text = format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {}\n",
        scalar(name)
    );
    if let Some(namespace) = &set.metadata.namespace {
        let _ = writeln!(text, "  namespace: {}", scalar(namespace));
    }
    text.push_str("spec:\n  clusterIP: None\n  publishNotReadyAddresses: true\n");
    push_selector(
        &mut text,
        &spec.selector.match_labels.clone().unwrap_or_default(),
    );
    let pod = spec.template.spec.as_ref();
    push_ports(&mut text, &pod.map(ports).unwrap_or_default());
    text
}

fn push_selector(text: &mut String, labels: &BTreeMap<String, String>) {
    text.push_str("  selector:\n");
    for (key, value) in labels {
        let _ = writeln!(text, "    {}: {}", scalar(key), scalar(value));
    }
}

/// What a port does not say is the server's default: the same port of the pod, and TCP.
fn push_ports(text: &mut String, ports: &[ServicePort]) {
    if ports.is_empty() {
        return;
    }
    text.push_str("  ports:\n");
    for port in ports {
        let name = port.name.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "    - name: {}\n      port: {}",
            scalar(name),
            port.port
        );
        if let Some(protocol) = port.protocol.as_deref().filter(|name| *name != "TCP") {
            let _ = writeln!(text, "      protocol: {}", scalar(protocol));
        }
    }
}

/// A text as YAML, plain where no reader takes it for anything else.
fn scalar(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
