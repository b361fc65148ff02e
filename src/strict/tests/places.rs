//! Where fields belong.

use json_patch::PatchOperation;
use serde_json::{Value, json};

use super::*;

/// `from to`, in the dotted form, for every unknown field; nothing after the arrow where nobody knows where it belongs, and in brackets
/// where something stands there.
pub(super) fn places(set: &Value) -> Vec<String> {
    let slips = read(&set.to_string()).slips;
    let is_move = |operation: &&PatchOperation| matches!(operation, PatchOperation::Move(_));
    let moved = slips.moves.iter().filter(is_move).count();
    let lines: Vec<String> = slips
        .all
        .iter()
        .filter_map(|slip| match slip {
            Slip::Unknown { pointer, right, .. } => {
                let from = crate::model::field_path::dotted(pointer);
                let to = right.as_ref().map(|right| {
                    let to = crate::model::field_path::dotted(&right.pointer);
                    if right.obstacle.is_some() {
                        format!("({to})")
                    } else {
                        to
                    }
                });
                Some(format!("{from} -> {}", to.unwrap_or_default()))
            }
            _ => None,
        })
        .collect();
    assert!(moved <= lines.len());
    lines
}

#[test]
fn a_field_is_found_where_it_belongs() {
    let claims =
        json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]);
    let strategy = json!({"type": "OnDelete"});
    let pod = "spec.template.spec";
    for (set, line) in [
        (
            set(&json!({"podmanagementpolicy": "Parallel"}), &json!({})),
            "spec.podmanagementpolicy -> spec.podManagementPolicy".to_owned(),
        ),
        (
            set(&json!({"volume_claim_templates": claims}), &json!({})),
            "spec.volume_claim_templates -> spec.volumeClaimTemplates".to_owned(),
        ),
        (
            set(&json!({"volumeClaimTemplate": claims}), &json!({})),
            "spec.volumeClaimTemplate -> spec.volumeClaimTemplates".to_owned(),
        ),
        (
            set(&json!({"strategy": strategy}), &json!({})),
            "spec.strategy -> spec.updateStrategy".to_owned(),
        ),
        (
            set(
                &json!({"template": {"volumeClaimTemplates": claims}}),
                &json!({}),
            ),
            "spec.template.volumeClaimTemplates -> spec.volumeClaimTemplates".to_owned(),
        ),
        (
            set(&json!({}), &json!({"volumeclaimtemplates": claims})),
            format!("{pod}.volumeclaimtemplates -> spec.volumeClaimTemplates"),
        ),
        (
            set(&json!({}), &json!({"updateStrategy": strategy})),
            format!("{pod}.updateStrategy -> spec.updateStrategy"),
        ),
        (
            set(&json!({}), &json!({"serviceName": "web"})),
            format!("{pod}.serviceName -> spec.serviceName"),
        ),
        (
            set(
                &json!({"template": {"nodeSelector": {"a": "b"}}}),
                &json!({}),
            ),
            format!("spec.template.nodeSelector -> {pod}.nodeSelector"),
        ),
        (
            set(&json!({"volumes": [{"name": "a"}]}), &json!({})),
            format!("spec.volumes -> {pod}.volumes"),
        ),
        (
            set(&json!({"terminationGracePeriodSeconds": 5}), &json!({})),
            format!("spec.terminationGracePeriodSeconds -> {pod}.terminationGracePeriodSeconds"),
        ),
        (
            set(&json!({}), &json!({"ports": [{"containerPort": 80}]})),
            format!("{pod}.ports -> {pod}.containers[0].ports"),
        ),
        (
            set(
                &json!({}),
                &json!({"readinessProbe": {"tcpSocket": {"port": 80}}}),
            ),
            format!("{pod}.readinessProbe -> {pod}.containers[0].readinessProbe"),
        ),
    ] {
        assert_eq!(places(&set), [line], "{set}");
    }
}

#[test]
fn a_field_of_a_container_is_found_where_it_belongs() {
    let pod = "spec.template.spec";
    for (set, line) in [
        (
            container(&json!({"volumeMount": [{"name": "data", "mountPath": "/data"}]})),
            format!("{pod}.containers[0].volumeMount -> {pod}.containers[0].volumeMounts"),
        ),
        (
            container(&json!({"volumes": [{"name": "data"}]})),
            format!("{pod}.containers[0].volumes -> {pod}.volumes"),
        ),
        (
            container(
                &json!({"resources": {"limits": {"cpu": 1}, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}}),
            ),
            format!(
                "{pod}.containers[0].resources.volumeMounts -> {pod}.containers[0].volumeMounts"
            ),
        ),
        (
            container(&json!({"runAsUser": 5})),
            format!(
                "{pod}.containers[0].runAsUser -> {pod}.containers[0].securityContext.runAsUser"
            ),
        ),
        (
            container(&json!({"imagePullPolcy": "Always"})),
            format!("{pod}.containers[0].imagePullPolcy -> {pod}.containers[0].imagePullPolicy"),
        ),
    ] {
        assert_eq!(places(&set), [line], "{set}");
    }
}

#[test]
fn a_field_that_has_no_place_of_its_own_is_not_moved() {
    let pod = "spec.template.spec";
    for (set, line) in [
        // something stands there
        (
            set(
                &json!({}),
                &json!({"selector": {"matchLabels": {"app": "web"}}}),
            ),
            format!("{pod}.selector -> (spec.selector)"),
        ),
        (
            set(
                &json!({"Selector": {"matchLabels": {"app": "web"}}}),
                &json!({}),
            ),
            "spec.Selector -> (spec.selector)".to_owned(),
        ),
        // two places are as near, or none
        (
            container(&json!({"httpGet": {"path": "/"}})),
            format!("{pod}.containers[0].httpGet -> "),
        ),
        (
            set(&json!({"labels": {"a": "b"}}), &json!({})),
            "spec.labels -> ".to_owned(),
        ),
        (
            set(&json!({"paused": true}), &json!({})),
            "spec.paused -> ".to_owned(),
        ),
        (
            set(&json!({"reconcileInterval": 5}), &json!({})),
            "spec.reconcileInterval -> ".to_owned(),
        ),
        // of the wrong type for its name
        (
            set(&json!({"replica": {"a": 1}}), &json!({})),
            "spec.replica -> ".to_owned(),
        ),
        (
            set(&json!({}), &json!({"selector": {"tier": "web"}})),
            format!("{pod}.selector -> "),
        ),
        // what is new is often an old name with more to it
        (
            container(&json!({"imagePullPolicyOverride": "Always"})),
            format!("{pod}.containers[0].imagePullPolicyOverride -> "),
        ),
    ] {
        assert_eq!(places(&set), [line], "{set}");
    }
}

#[test]
fn of_two_containers_none_is_guessed() {
    let two = json!([{"name": "a", "image": "a"}, {"name": "b", "image": "b"}]);
    let set = set(
        &json!({}),
        &json!({"containers": two, "ports": [{"containerPort": 80}]}),
    );
    assert_eq!(places(&set), ["spec.template.spec.ports -> "]);
}

#[test]
fn what_is_moved_is_looked_at_again() {
    let mut set = set(&json!({}), &json!({}));
    let template = set["spec"]
        .as_object_mut()
        .unwrap()
        .remove("template")
        .unwrap();
    let pod = json!({"Containers": template["spec"]["containers"], "volumeClaimTemplates": []});
    set["spec"]["Template"] = json!({"metadata": template["metadata"], "Spec": pod});
    let authored = read(&set.to_string());
    assert_eq!(
        places(&set),
        [
            "spec.Template -> spec.template",
            "spec.Template.Spec -> spec.template.spec",
            "spec.Template.Spec.Containers -> spec.template.spec.containers",
            "spec.Template.Spec.volumeClaimTemplates -> spec.volumeClaimTemplates",
        ]
    );
    assert_eq!(
        authored
            .slips
            .written("/spec/template/spec/containers/0/image"),
        "/spec/Template/Spec/Containers/0/image"
    );
    assert_eq!(authored.slips.written("/spec/selector"), "/spec/selector");
    let subject = authored.subject("shop", None).unwrap().unwrap();
    assert!(subject.is_whole(), "the template is read where it belongs");
}

#[test]
fn a_mapping_is_added_for_what_has_none() {
    let home = |path: &str| json!({"op": "add", "path": path, "value": {}});
    let moved = |from: &str, path: &str| json!({"op": "move", "from": from, "path": path});
    let rolling = "/spec/updateStrategy/rollingUpdate";
    let pod = "/spec/template/spec";
    let context = format!("{pod}/securityContext");
    for (set, moves) in [
        (
            set(
                &json!({"updateStrategy": {"type": "RollingUpdate", "maxUnavailable": 1}}),
                &json!({}),
            ),
            json!([
                home(rolling),
                moved(
                    "/spec/updateStrategy/maxUnavailable",
                    &format!("{rolling}/maxUnavailable")
                )
            ]),
        ),
        (
            set(&json!({"partition": 5}), &json!({})),
            json!([
                home("/spec/updateStrategy"),
                home(rolling),
                moved("/spec/partition", &format!("{rolling}/partition"))
            ]),
        ),
        (
            container(&json!({"fsGroup": 5})),
            json!([
                home(&context),
                moved(
                    &format!("{pod}/containers/0/fsGroup"),
                    &format!("{context}/fsGroup")
                )
            ]),
        ),
        // a value is in the way
        (
            set(
                &json!({"updateStrategy": {"rollingUpdate": 5, "type": "OnDelete"}, "partition": 5}),
                &json!({}),
            ),
            json!([]),
        ),
    ] {
        let authored = read(&set.to_string());
        assert_eq!(
            serde_json::to_value(&authored.slips.moves).unwrap(),
            moves,
            "{set}"
        );
        let read: Value = serde_json::from_str(authored.json.get()).unwrap();
        for step in moves.as_array().unwrap() {
            assert!(read.pointer(step["path"].as_str().unwrap()).is_some());
        }
    }
}
