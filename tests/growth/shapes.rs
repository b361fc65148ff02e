//! Sets in which one list is long.

use serde_json::{Map, Value, json};

/// A list of a set, made as long as it is asked for.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    /// A set in which the list has so many items.
    pub set: fn(usize) -> Value,
}

/// Every list that a user can make long.
pub const SHAPES: &[Shape] = &[
    shape("containers", |n| {
        pods(&json!({"containers": items(n, container)}))
    }),
    shape("empty containers", |n| {
        pods(&json!({"containers": items(n, |_| json!({}))}))
    }),
    shape("containers of one name", |n| {
        pods(&json!({"containers": items(n, |_| container(0))}))
    }),
    shape("containers of the catalogue", |n| {
        let database = |index| json!({"name": format!("c{index}"), "image": "postgres:18", "ports": [{"containerPort": 5432}]});
        pods(&json!({"containers": items(n, database)}))
    }),
    shape("init containers", |n| {
        pods(&json!({"initContainers": items(n, container)}))
    }),
    shape("probes of unknown ports", |n| {
        let probed = |index| json!({"name": format!("c{index}"), "image": "a", "readinessProbe": {"tcpSocket": {"port": format!("p{index}")}}});
        pods(&json!({"containers": items(n, probed)}))
    }),
    shape("ports", |n| of_container(&json!({"ports": items(n, port)}))),
    shape("ports of one name", |n| {
        of_container(
            &json!({"ports": items(n, |index| json!({"name": "http", "containerPort": index}))}),
        )
    }),
    shape("ports beside a probe", |n| {
        let probe = json!({"httpGet": {"port": "htpt"}});
        of_container(
            &json!({"ports": items(n, port), "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe}),
        )
    }),
    shape("ports and args", |n| {
        let listen = |index: usize| json!(format!("--listen=127.0.0.1:{}", index % 65_536));
        of_container(&json!({"ports": items(n, port), "args": items(n, listen)}))
    }),
    shape("env", |n| {
        of_container(
            &json!({"env": items(n, |index| json!({"name": format!("E{index}"), "value": "v"}))}),
        )
    }),
    shape("env of peers", |n| {
        let peer = |index| json!({"name": format!("E{index}"), "value": "http://web-x.web-x"});
        of_container(&json!({"ports": [port(80)], "env": items(n, peer)}))
    }),
    shape("args", |n| {
        of_container(&json!({"args": items(n, |index| json!(format!("--a{index}")))}))
    }),
    shape("commands of a script", |n| {
        let script = "exec a; ".repeat(n);
        of_container(&json!({"image": "postgres:18", "command": ["sh", "-c", script]}))
    }),
    shape("words of a probe", |n| {
        let probe = json!({"exec": {"command": items(n, |index| json!(format!("w{index}")))}});
        of_container(&json!({"image": "postgres:18", "livenessProbe": probe}))
    }),
    shape("headers of a probe", |n| {
        let headers = items(
            n,
            |index| json!({"name": format!("h{index}"), "value": "v"}),
        );
        of_container(&json!({"livenessProbe": {"httpGet": {"port": 80, "httpHeaders": headers}}}))
    }),
    shape("mounts", |n| {
        of_container(&json!({"volumeMounts": items(n, mount)}))
    }),
    shape("mounts of one name", |n| {
        of_container(
            &json!({"volumeMounts": items(n, |index| json!({"name": "data", "mountPath": format!("/d/{index}")}))}),
        )
    }),
    shape("mounts of long paths", |n| {
        let long =
            |index| json!({"name": "data", "mountPath": format!("/{index}{}", "/..".repeat(40))});
        of_container(&json!({"volumeMounts": items(n, long)}))
    }),
    shape("read-only mounts", |n| {
        let mount =
            |index| json!({"name": format!("m{index}"), "mountPath": "/etc/x", "readOnly": true});
        of_container(&json!({"volumeMounts": items(n, mount)}))
    }),
    shape("devices", |n| {
        let device = |index| json!({"name": format!("d{index}"), "devicePath": "/dev/x"});
        of_container(&json!({"volumeDevices": items(n, device)}))
    }),
    shape("mounts of init containers", |n| {
        let init = json!([{"name": "init", "volumeMounts": items(n, mount)}]);
        pods(&json!({"initContainers": init}))
    }),
    shape("volumes", |n| pods(&json!({"volumes": items(n, volume)}))),
    shape("mounts and volumes", |n| {
        let container = json!({"name": "web", "image": "a", "volumeMounts": items(n, mount)});
        pods(&json!({"containers": [container], "volumes": items(n, volume)}))
    }),
    shape("mounts and claims", |n| {
        with_claims(&of_container(&json!({"volumeMounts": items(n, mount)})), n)
    }),
    shape("mounted claims", |n| {
        let mount = |index| json!({"name": format!("claim-{index}"), "mountPath": "/d"});
        with_claims(&of_container(&json!({"volumeMounts": items(n, mount)})), n)
    }),
    shape("claims and volumes", |n| {
        with_claims(&pods(&json!({"volumes": items(n, volume)})), n)
    }),
    shape("claims", |n| with_claims(&pods(&json!({})), n)),
    shape("claims of one name", |n| {
        set(&json!({"spec": {"volumeClaimTemplates": items(n, |_| claim(0))}}))
    }),
    shape("empty claims", |n| {
        set(&json!({"spec": {"volumeClaimTemplates": items(n, |_| json!({}))}}))
    }),
    shape("claims from annotations", |n| {
        let request = |index| {
            (
                format!("steadyset.io/claim-c{index}"),
                json!({"mountPath": format!("/d/{index}")}).to_string(),
            )
        };
        annotated((0..n).map(request))
    }),
    shape("unreadable claims from annotations", |n| {
        annotated((0..n).map(|index| (format!("steadyset.io/claim-c{index}"), "{".to_owned())))
    }),
    shape("annotations", |n| {
        annotated((0..n).map(|index| (format!("example.com/a{index}"), "v".to_owned())))
    }),
    shape("unknown annotations", |n| {
        annotated((0..n).map(|index| (format!("steadyset.io/inject{index}"), "v".to_owned())))
    }),
    shape("exempted ids", |n| {
        let ids = vec!["service-missing"; n].join(",");
        annotated([("steadyset.io/exempt".to_owned(), format!("{ids}: reason"))])
    }),
    shape("kinds to inject", |n| {
        annotated([(
            "steadyset.io/inject".to_owned(),
            vec!["service-name"; n].join(","),
        )])
    }),
    shape("a record of mounts", |n| {
        let item = |index| {
            (
                format!("mount/web/d{index}"),
                recorded(&json!({"name": format!("m{index}"), "mountPath": format!("/d{index}")})),
            )
        };
        let record: Map<String, Value> = (0..n).map(item).collect();
        let mut set = of_container(&json!({"volumeMounts": items(n, mount)}));
        set["metadata"]["annotations"] =
            json!({"steadyset.io/injected": json!(record).to_string()});
        set
    }),
    shape("a record of probes", |n| {
        let item = |index| {
            (
                format!("readiness-probe/c{index}"),
                recorded(&json!({"tcpSocket": {"port": 80}})),
            )
        };
        let record: Map<String, Value> = (0..n).map(item).collect();
        let mut set = pods(&json!({"containers": items(n, container)}));
        set["metadata"]["annotations"] =
            json!({"steadyset.io/injected": json!(record).to_string()});
        set
    }),
    shape("labels", |n| {
        let labels: Map<String, Value> = (0..n)
            .map(|index| (format!("l{index}"), json!("v")))
            .collect();
        set(
            &json!({"metadata": {"labels": labels}, "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}),
        )
    }),
    shape("match expressions", |n| {
        let expression =
            |index| json!({"key": format!("k{index}"), "operator": "In", "values": ["a", "b"]});
        set(&json!({"spec": {"selector": {"matchExpressions": items(n, expression)}}}))
    }),
    shape("values of an expression", |n| {
        let expression = json!({"key": "app", "operator": "In", "values": items(n, |index| json!(format!("v{index}")))});
        set(&json!({"spec": {"selector": {"matchExpressions": [expression]}}}))
    }),
    shape("affinity terms", |n| {
        let term = |index| json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {format!("k{index}"): "v"}}});
        let list = json!({"requiredDuringSchedulingIgnoredDuringExecution": items(n, term)});
        pods(&json!({"affinity": {"podAffinity": list, "podAntiAffinity": list}}))
    }),
    shape("spread constraints", |n| {
        let constraint = |index| json!({"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {format!("k{index}"): "v"}}});
        pods(&json!({"topologySpreadConstraints": items(n, constraint)}))
    }),
    shape("a long name of a mount", |n| {
        let volumes = json!([{"name": "v".repeat(n), "emptyDir": {}}]);
        let container = json!({"name": "web", "image": "a", "volumeMounts": [{"name": "m".repeat(n), "mountPath": "/d"}]});
        pods(&json!({"containers": [container], "volumes": volumes}))
    }),
    shape("long words", |n| {
        let long = "x".repeat(n);
        let mut set = set(
            &json!({"metadata": {"annotations": {"steadyset.io/inject": long, "steadyset.io/exempt": long}}}),
        );
        for field in ["podManagementPolicy", "serviceName"] {
            set["spec"][field] = json!(long);
        }
        set["spec"]["updateStrategy"] = json!({"type": long});
        set
    }),
    shape("owners", |n| {
        set(
            &json!({"metadata": {"ownerReferences": items(n, |index| json!({"kind": "A", "name": format!("o{index}")}))}}),
        )
    }),
];

const fn shape(name: &'static str, set: fn(usize) -> Value) -> Shape {
    Shape { name, set }
}

fn items(count: usize, item: fn(usize) -> Value) -> Value {
    (0..count).map(item).collect()
}

fn set(changes: &Value) -> Value {
    let mut set = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
            },
        },
    });
    json_patch::merge(&mut set, changes);
    set
}

fn pods(changes: &Value) -> Value {
    set(&json!({"spec": {"template": {"spec": changes}}}))
}

fn of_container(changes: &Value) -> Value {
    let mut container = json!({"name": "web", "image": "registry.example/web:1"});
    json_patch::merge(&mut container, changes);
    pods(&json!({"containers": [container]}))
}

fn with_claims(set: &Value, count: usize) -> Value {
    let mut set = set.clone();
    set["spec"]["volumeClaimTemplates"] = items(count, claim);
    set
}

fn annotated(annotations: impl IntoIterator<Item = (String, String)>) -> Value {
    let annotations: Map<String, Value> = annotations
        .into_iter()
        .map(|(key, value)| (key, json!(value)))
        .collect();
    set(&json!({"metadata": {"annotations": annotations}}))
}

fn container(index: usize) -> Value {
    json!({"name": format!("c{index}"), "image": "registry.example/c:1", "ports": [{"name": "http", "containerPort": 80}]})
}

fn port(index: usize) -> Value {
    json!({"name": format!("p{index}"), "containerPort": index % 65_535 + 1})
}

fn mount(index: usize) -> Value {
    json!({"name": format!("mount-{index}"), "mountPath": format!("/data/{index}")})
}

fn volume(index: usize) -> Value {
    json!({"name": format!("volume-{index}"), "emptyDir": {}})
}

fn claim(index: usize) -> Value {
    json!({"metadata": {"name": format!("claim-{index}")}, "spec": {"accessModes": ["ReadWriteOnce"]}})
}

fn recorded(value: &Value) -> Value {
    json!({"state": "injected", "value": value, "source": "annotation", "version": "0.1.0"})
}
