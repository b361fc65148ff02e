//! What is not moved, because the server would refuse where it belongs what it has only dropped.

use serde_json::{Value, json};

use super::places::places;
use super::*;

#[test]
fn a_move_does_no_harm() {
    let pod = "spec.template.spec";
    let probe = |probe: Value| container(&json!({"readinessProbe": probe}));
    let volume = |source: Value| {
        set(
            &json!({}),
            &json!({"volumes": [merged(json!({"name": "v"}), &source)]}),
        )
    };
    let claim = |spec: Value| {
        set(
            &json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec}]}),
            &json!({}),
        )
    };
    let of_probe = format!("{pod}.containers[0].readinessProbe");
    let of_claim = "spec.volumeClaimTemplates[0].spec";
    for (set, lines) in [
        (
            probe(json!({"command": ["true"]})),
            vec![format!("{of_probe}.command -> {of_probe}.exec.command")],
        ),
        (
            probe(json!({"command": ["true"], "httpGet": {"port": 80}})),
            vec![format!("{of_probe}.command -> ({of_probe}.exec.command)")],
        ),
        (
            probe(json!({"tcpSocket": {"port": 80, "command": ["true"]}})),
            vec![format!(
                "{of_probe}.tcpSocket.command -> ({of_probe}.exec.command)"
            )],
        ),
        (
            set(&json!({}), &json!({"command": ["true"]})),
            vec![format!("{pod}.command -> ")],
        ),
        (
            container(&json!({"securityContext": {"image": "other"}})),
            vec![format!("{pod}.containers[0].securityContext.image -> ")],
        ),
        (
            volume(json!({"emptyDir": {"claimName": "data"}})),
            vec![format!(
                "{pod}.volumes[0].emptyDir.claimName -> ({pod}.volumes[0].persistentVolumeClaim.claimName)"
            )],
        ),
        (
            volume(json!({"claimName": "data"})),
            vec![format!(
                "{pod}.volumes[0].claimName -> {pod}.volumes[0].persistentVolumeClaim.claimName"
            )],
        ),
        (
            volume(json!({"accessModes": ["ReadWriteOnce"]})),
            vec![format!("{pod}.volumes[0].accessModes -> ")],
        ),
        (
            claim(json!({"storageClass": "fast", "resources": {"storage": "5Gi"}})),
            vec![
                format!("{of_claim}.storageClass -> {of_claim}.storageClassName"),
                format!("{of_claim}.resources.storage -> {of_claim}.resources.requests[storage]"),
            ],
        ),
        (
            claim(json!({"storage": "5Gi", "storageClassName": "slow", "storageClass": "fast"})),
            vec![
                format!("{of_claim}.storage -> {of_claim}.resources.requests[storage]"),
                format!("{of_claim}.storageClass -> ({of_claim}.storageClassName)"),
            ],
        ),
    ] {
        let mut found = places(&set);
        found.sort();
        let mut lines = lines;
        lines.sort();
        assert_eq!(found, lines, "{set}");
    }
}

fn merged(mut one: Value, other: &Value) -> Value {
    json_patch::merge(&mut one, other);
    one
}

#[test]
fn a_field_that_a_server_would_refuse_where_it_belongs_stays() {
    for (set, lines) in [
        (
            set(&json!({"strategy": {"type": "Recreate"}}), &json!({})),
            vec!["spec.strategy -> (spec.updateStrategy)".to_owned()],
        ),
        (
            set(
                &json!({"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}),
                &json!({}),
            ),
            vec!["spec.strategy -> (spec.updateStrategy)".to_owned()],
        ),
        (
            set(
                &json!({"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}}),
                &json!({}),
            ),
            vec![
                "spec.strategy -> spec.updateStrategy".to_owned(),
                "spec.strategy.rollingUpdate.maxSurge -> ".to_owned(),
            ],
        ),
        (
            // what is of the wrong type in it would be refused where it belongs, and is dropped where it stands
            set(
                &json!({"template": {"volumeClaimTemplates": [{"spec": {"accessModes": "RWO"}}]}}),
                &json!({}),
            ),
            vec!["spec.template.volumeClaimTemplates -> ".to_owned()],
        ),
    ] {
        assert_eq!(places(&set), lines, "{set}");
    }
}

#[test]
fn a_strategy_moves_without_what_only_a_deployment_has() {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let authored = read(&set(&json!({"strategy": strategy}), &json!({})).to_string());
    let meant: Value = serde_json::from_str(authored.json.get()).unwrap();
    assert_eq!(
        meant.pointer("/spec/updateStrategy"),
        Some(&json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%"}}))
    );
    assert_eq!(meant.pointer("/spec/strategy"), None);
    assert_eq!(
        serde_json::to_value(&authored.slips.moves).unwrap(),
        json!([
            {"op": "remove", "path": "/spec/strategy/rollingUpdate/maxSurge"},
            {"op": "move", "from": "/spec/strategy", "path": "/spec/updateStrategy"},
        ])
    );
}
