//! Each row: a change to a set that every server takes (RFC 7396), and what is refused of it.

use serde_json::{Value, json};

use super::*;

fn set(spec: &Value) -> Value {
    let mut set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": {
        "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}}});
    json_patch::merge(&mut set["spec"], spec);
    set
}

fn pods(pods: &Value) -> Value {
    set(&json!({"template": {"spec": pods}}))
}

fn container(change: &Value) -> Value {
    let mut whole = json!({"name": "web", "image": "web"});
    json_patch::merge(&mut whole, change);
    pods(&json!({"containers": [whole]}))
}

fn said(set: &Value) -> Vec<String> {
    let faults = refused(set).into_iter();
    faults
        .map(|fault| format!("{:?} {}: {}", fault.cause, fault.pointer, fault.help))
        .collect()
}

fn expect(rows: Vec<(Value, &str, &str)>) {
    for (set, pointer, words) in rows {
        let found = said(&set);
        let [only] = &found[..] else {
            panic!("{pointer}: {found:#?}\n{set}");
        };
        assert!(
            only.contains(&format!(" {pointer}: ")) && only.contains(words),
            "{only} lacks {pointer} or {words:?}"
        );
    }
}

const POD: &str = "/spec/template/spec";

#[test]
fn what_every_server_takes_is_not_refused() {
    for valid in [
        set(
            &json!({"replicas": 0, "minReadySeconds": 0, "ordinals": {"start": 0}, "podManagementPolicy": ""}),
        ),
        pods(&json!({"restartPolicy": "", "dnsPolicy": "", "terminationGracePeriodSeconds": 0})),
        pods(
            &json!({"volumes": [{"name": "a"}, {"name": "b", "emptyDir": {}}, {"name": "c", "configMap": {"name": "x", "defaultMode": 0o644}}]}),
        ),
        pods(
            &json!({"tolerations": [{"operator": "Exists"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}]}),
        ),
        pods(
            &json!({"initContainers": [{"name": "side", "image": "i", "restartPolicy": "Always", "readinessProbe": {"tcpSocket": {"port": 1}}}]}),
        ),
        pods(
            &json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}),
        ),
        container(
            &json!({"ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]}),
        ),
        container(
            &json!({"env": [{"name": "a.b-c", "value": ""}, {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]}),
        ),
        container(
            &json!({"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"cpu": 1, "example.com/gpu": 1}}}),
        ),
        container(
            &json!({"livenessProbe": {"exec": {"command": ["true"]}, "terminationGracePeriodSeconds": 5}}),
        ),
        container(&json!({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}})),
        container(
            &json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "x/..y"}, {"name": "a", "mountPath": "/b"}]}),
        ),
        set(
            &json!({"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}),
        ),
    ] {
        assert_eq!(said(&valid), [""; 0], "{valid}");
    }
}

#[test]
fn a_set_is_held_against_the_servers_rules() {
    let named = |name: &str| json!({"metadata": {"name": name}, "spec": set(&json!({}))["spec"]});
    let claim = |spec: Value| {
        set(&json!({"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": spec}]}))
    };
    expect(vec![
        (named("Web.Two"), "/metadata/name", "web-two"),
        (named(""), "/metadata/name", "write metadata.name"),
        (set(&json!({"replicas": -1})), "/spec/replicas", "0 or more"),
        (
            set(&json!({"minReadySeconds": -1})),
            "/spec/minReadySeconds",
            "0 or more",
        ),
        (
            set(&json!({"ordinals": {"start": -2}})),
            "/spec/ordinals/start",
            "0 or more",
        ),
        (
            set(
                &json!({"selector": {"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]}}),
            ),
            "/spec/selector/matchExpressions/0/operator",
            "write In",
        ),
        (
            set(&json!({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}})),
            "/spec/selector/matchExpressions/0/values",
            "at least one value",
        ),
        (
            set(&json!({"template": {"metadata": {"labels": {"b": "not a label"}}}})),
            "/spec/template/metadata/labels",
            "annotation",
        ),
        (
            claim(json!({"accessModes": ["RWO"]})),
            "/spec/volumeClaimTemplates/0/spec/accessModes/0",
            "write ReadWriteOnce",
        ),
        (
            claim(json!({"accessModes": ["readwriteonce"]})),
            "/spec/volumeClaimTemplates/0/spec/accessModes/0",
            "write ReadWriteOnce",
        ),
        (
            claim(json!({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]})),
            "/spec/volumeClaimTemplates/0/spec/accessModes",
            "alone",
        ),
        (
            claim(json!({"volumeMode": "block"})),
            "/spec/volumeClaimTemplates/0/spec/volumeMode",
            "write Block",
        ),
        (
            claim(json!({"resources": {"requests": {"storage": "0"}}})),
            "/spec/volumeClaimTemplates/0/spec/resources/requests/storage",
            "10Gi",
        ),
    ]);
}

#[test]
fn a_pod_is_held_against_the_servers_rules() {
    let at = |rest: &str| format!("{POD}/{rest}");
    let rows = [
        (
            json!({"restartPolicy": "Never"}),
            at("restartPolicy"),
            "Job",
        ),
        (
            json!({"activeDeadlineSeconds": 60}),
            at("activeDeadlineSeconds"),
            "Job",
        ),
        (
            json!({"dnsPolicy": "clusterFirst"}),
            at("dnsPolicy"),
            "write ClusterFirst",
        ),
        (
            json!({"dnsPolicy": "None"}),
            at("dnsConfig/nameservers"),
            "nameservers",
        ),
        (json!({"containers": []}), at("containers"), "container"),
        (
            json!({"volumes": [{"name": "a"}, {"name": "a"}]}),
            at("volumes/1/name"),
            "of its own",
        ),
        (
            json!({"volumes": [{"name": "a", "emptyDir": {}, "secret": {"secretName": "s"}}]}),
            at("volumes/0/secret"),
            "keep emptyDir or secret",
        ),
        (
            json!({"volumes": [{"name": "a", "secret": {}}]}),
            at("volumes/0/secret/secretName"),
            "Secret",
        ),
        (
            json!({"volumes": [{"name": "a", "configMap": {"name": "m", "defaultMode": 644}}]}),
            at("volumes/0/configMap/defaultMode"),
            "511",
        ),
        (
            json!({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}),
            at("tolerations/0/operator"),
            "Equal",
        ),
        (
            json!({"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]}),
            at("tolerations/0/effect"),
            "NoExecute",
        ),
        (
            json!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}),
            at("topologySpreadConstraints/0/maxSkew"),
            "1 or more",
        ),
        (
            json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {}}]}}}),
            at(
                "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/topologyKey",
            ),
            "kubernetes.io/hostname",
        ),
        (
            json!({"securityContext": {"runAsUser": -1}}),
            at("securityContext/runAsUser"),
            "from 0",
        ),
    ];
    expect(
        rows.iter()
            .map(|(change, pointer, words)| (pods(change), pointer.as_str(), *words))
            .collect(),
    );
}

#[test]
fn a_container_is_held_against_the_servers_rules() {
    let at = |rest: &str| format!("{POD}/containers/0/{rest}");
    let rows = [
        (json!({"name": "Web"}), at("name"), "write web"),
        (json!({"image": ""}), at("image"), "image"),
        (
            json!({"imagePullPolicy": "always"}),
            at("imagePullPolicy"),
            "write Always",
        ),
        (
            json!({"ports": [{"containerPort": 80, "name": "a-name-of-sixteen"}]}),
            at("ports/0/name"),
            "a-name-of-sixte",
        ),
        (
            json!({"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]}),
            at("ports/1/name"),
            "of its own",
        ),
        (
            json!({"ports": [{"containerPort": 70000}]}),
            at("ports/0/containerPort"),
            "65535",
        ),
        (
            json!({"ports": [{"containerPort": 80, "protocol": "tcp"}]}),
            at("ports/0/protocol"),
            "write TCP",
        ),
        (
            json!({"volumeMounts": [{"name": "a", "mountPath": "/w"}, {"name": "b", "mountPath": "/w"}]}),
            at("volumeMounts/1/mountPath"),
            "keep one",
        ),
        (
            json!({"volumeMounts": [{"name": "a", "mountPath": "/w", "subPath": "/x"}]}),
            at("volumeMounts/0/subPath"),
            "write x",
        ),
    ];
    expect(
        rows.iter()
            .map(|(change, pointer, words)| (container(change), pointer.as_str(), *words))
            .collect(),
    );
}

#[test]
fn what_a_container_runs_with_is_held_against_the_servers_rules() {
    let at = |rest: &str| format!("{POD}/containers/0/{rest}");
    let rows = [
        (
            json!({"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
            at("env/0/valueFrom"),
            "keep value or valueFrom",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}, "secretKeyRef": {"name": "m", "key": "k"}}}]}),
            at("env/0/valueFrom"),
            "keep one",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nam"}}}]}),
            at("env/0/valueFrom/fieldRef/fieldPath"),
            "metadata.name",
        ),
        (
            json!({"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}}),
            at("resources/requests/cpu"),
            "1500m",
        ),
        (
            json!({"resources": {"limits": {"gpu": 1}}}),
            at("resources/limits/gpu"),
            "example.com/gpu",
        ),
        (
            json!({"livenessProbe": {"periodSeconds": 5}}),
            at("livenessProbe"),
            "exec, httpGet, tcpSocket",
        ),
        (
            json!({"livenessProbe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}}),
            at("livenessProbe/tcpSocket"),
            "keep one",
        ),
        (
            json!({"livenessProbe": {"exec": {}}}),
            at("livenessProbe/exec/command"),
            "command",
        ),
        (
            json!({"livenessProbe": {"httpGet": {"port": "80"}}}),
            at("livenessProbe/httpGet/port"),
            "write 80 without quotes",
        ),
        (
            json!({"readinessProbe": {"tcpSocket": {"port": 0}}}),
            at("readinessProbe/tcpSocket/port"),
            "65535",
        ),
        (
            json!({"readinessProbe": {"tcpSocket": {"port": 1}, "terminationGracePeriodSeconds": 5}}),
            at("readinessProbe/terminationGracePeriodSeconds"),
            "liveness",
        ),
        (
            json!({"lifecycle": {"preStop": {}}}),
            at("lifecycle/preStop"),
            "remove the hook",
        ),
        (
            json!({"securityContext": {"privileged": true, "allowPrivilegeEscalation": false}}),
            at("securityContext/allowPrivilegeEscalation"),
            "privileged",
        ),
        (
            json!({"securityContext": {"seccompProfile": {"type": "runtimeDefault"}}}),
            at("securityContext/seccompProfile/type"),
            "write RuntimeDefault",
        ),
    ];
    expect(
        rows.iter()
            .map(|(change, pointer, words)| (container(change), pointer.as_str(), *words))
            .collect(),
    );
}

#[test]
fn an_init_container_that_ends_is_not_probed() {
    let probe = json!({"tcpSocket": {"port": 1}});
    let set = pods(
        &json!({"initContainers": [{"name": "first", "image": "i", "readinessProbe": probe}]}),
    );
    expect(vec![(
        set,
        "/spec/template/spec/initContainers/0/readinessProbe",
        "restartPolicy: Always",
    )]);
}

#[test]
fn a_restart_policy_of_a_plain_container_depends_on_the_server() {
    let set = container(&json!({"restartPolicy": "Always"}));
    let [fault] = &refused(&set)[..] else {
        panic!("{set}");
    };
    let minors: Vec<u32> = (31..=37).filter(|minor| fault.holds(*minor)).collect();
    assert_eq!(minors, [31, 32, 33]);
    assert!(fault.help.contains("initContainers"), "{}", fault.help);
}

#[test]
fn whatever_a_document_holds_it_is_read() {
    for odd in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"spec": []}),
        json!({"metadata": 5, "spec": {"template": {"spec": {"containers": {"a": 1}, "volumes": "x"}}}}),
    ] {
        let _ = refused(&odd);
    }
}
