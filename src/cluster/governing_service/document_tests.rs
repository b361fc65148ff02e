//! What `fix` writes for the user is what the controller would create, less its label and its owner.

use k8s_openapi::api::core::v1::Service;
use serde_json::{from_value, json, to_value};

use super::plan::service;
use super::set::LinkedSet;
use k8s_openapi::api::apps::v1::StatefulSet;

use crate::inject::governing_service::document::document;
use crate::inject::governing_service::ports::ports;

fn set() -> StatefulSet {
    let ports =
        json!([{"name": "http", "containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]);
    from_value(json!({
            "metadata": {"name": "web"},
            "spec": {
                "serviceName": "web-pods",
                "selector": {"matchLabels": {"app": "yes", "tier.example/of": "1", "app.kubernetes.io/name": "web"}},
                "template": {"spec": {"containers": [{"name": "web", "ports": ports}]}},
            },
        }))
        .unwrap()
}

#[test]
fn it_reads_as_a_person_would_have_written_it() {
    assert_eq!(
        document(&set()),
        "apiVersion: v1
kind: Service
metadata:
  name: web-pods
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app: \"yes\"
    app.kubernetes.io/name: web
    tier.example/of: \"1\"
  ports:
    - name: http
      port: 80
    - name: udp-53
      port: 53
      protocol: UDP
"
    );
}

#[test]
fn it_means_what_the_controller_would_create() {
    let mut set = set();
    set.metadata.namespace = Some("shop".to_owned());
    let spec = set.spec.clone();
    let linked = LinkedSet {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        service: "web-pods".to_owned(),
        selector: spec.selector.match_labels.unwrap(),
        ports: ports(&spec.template.spec.unwrap()),
        ..LinkedSet::default()
    };
    let mut kept = to_value(service(&linked)).unwrap();
    let metadata = kept["metadata"].as_object_mut().unwrap();
    metadata.remove("labels");
    metadata.remove("ownerReferences");
    for port in kept["spec"]["ports"].as_array_mut().unwrap() {
        let port = port.as_object_mut().unwrap();
        port.remove("targetPort");
        port.retain(|key, value| key != "protocol" || value != "TCP");
    }
    let written: Service = crate::yaml::values::read(&document(&set))
        .unwrap()
        .remove(0);
    assert_eq!(to_value(written).unwrap(), kept);
}
