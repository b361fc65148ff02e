//! `StatefulSet`s as the webhook may meet them: with nulls, missing parents, unknown fields, odd quantities.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any set: as it stands in a file, or reaches `/mutate`; names may be there twice, which no server accepts.
pub fn any_set() -> impl Strategy<Value = Value> {
    (metadata(), spec(), extra()).prop_map(|(metadata, spec, extra)| {
        object([
            ("metadata", metadata),
            ("spec", spec),
            ("status", json!({"x": extra})),
        ])
    })
}

/// A set in which every container and every claim has a name of its own.
pub fn stateful_set() -> impl Strategy<Value = Value> {
    any_set().prop_map(|mut set| {
        let list = |set: &mut Value, pointer: &str, change: fn(usize, &mut Value)| {
            let items = set.pointer_mut(pointer).and_then(Value::as_array_mut);
            let items = items.into_iter().flatten().enumerate();
            items.for_each(|(index, item)| change(index, item));
        };
        list(
            &mut set,
            "/spec/template/spec/containers",
            |index, container| {
                container["name"] = json!(format!("c{index}"));
            },
        );
        list(&mut set, "/spec/volumeClaimTemplates", |index, claim| {
            claim["metadata"]["name"] = json!(["own", "logs"].get(index));
        });
        set
    })
}

/// A set as the API server stores it: without nulls.
pub fn stored() -> impl Strategy<Value = Value> {
    stateful_set().prop_map(|mut set| {
        set["metadata"]["name"] = json!("web");
        super::without_nulls(&set)
    })
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(
        fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// A field that is there, null, or absent (which stands for itself as null until [`object_of`] drops it).
fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![
        6 => value.prop_map(Some),
        1 => Just(Some(Value::Null)),
        2 => Just(None),
    ]
    .boxed()
}

fn object_of(fields: Vec<(&'static str, BoxedStrategy<Option<Value>>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values
        .prop_map(move |values| {
            let fields = names.iter().zip(values);
            let there = fields.filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
            Value::Object(there.collect::<Map<_, _>>())
        })
        .boxed()
}

fn always(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    value.prop_map(Some).boxed()
}

fn one_of(values: Vec<Value>) -> impl Strategy<Value = Value> {
    prop::sample::select(values)
}

fn list(item: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Value> {
    proptest::collection::vec(item, 0..=most).prop_map(Value::Array)
}

/// What no view knows.
fn extra() -> impl Strategy<Value = Value> {
    one_of(vec![
        json!(null),
        json!([1, {"a": null}]),
        json!({"z": 1e3, "a": "\u{1F600}"}),
        json!("x/~y"),
    ])
}

fn metadata() -> BoxedStrategy<Value> {
    object_of(vec![
        (
            "name",
            always(one_of(vec![
                json!("web"),
                json!("a-very-long-name-for-a-set-of-pods-that-nobody-would-ever-write"),
            ])),
        ),
        ("annotations", maybe(annotations())),
        ("labels", maybe(Just(json!({"a": "b"})))),
        ("managedFields", maybe(extra())),
    ])
}

fn annotations() -> BoxedStrategy<Value> {
    let claims = vec![
        json!("{\"mountPath\": \"/data\"}"),
        json!("{\"mountPath\": \"/data\", \"container\": \"c0\", \"storage\": \"1024Mi\"}"),
        json!("{}"),
        json!(""),
    ];
    object_of(vec![
        ("other/annotation", maybe(one_of(vec![json!("a\n~/b")]))),
        ("steadyset.io/claim-asked", prop_oneof![Just(None), one_of(claims).prop_map(Some)].boxed()),
        (
            "steadyset.io/inject",
            prop_oneof![8 => Just(None), 1 => one_of(vec![json!("none"), json!("service-name"), json!("x")]).prop_map(Some)].boxed(),
        ),
    ])
}

fn spec() -> BoxedStrategy<Value> {
    object_of(vec![
        (
            "replicas",
            maybe((0..6_i64).prop_map(|replicas| json!(replicas))),
        ),
        (
            "serviceName",
            maybe(one_of(vec![
                json!(""),
                json!(""),
                json!("web"),
                json!("peers"),
            ])),
        ),
        (
            "podManagementPolicy",
            maybe(one_of(vec![
                json!(""),
                json!("OrderedReady"),
                json!("Parallel"),
            ])),
        ),
        (
            "selector",
            always(one_of(vec![
                json!({"matchLabels": {"app": "web"}}),
                json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "x", "operator": "Exists"}]}),
            ])),
        ),
        (
            "updateStrategy",
            maybe(one_of(vec![
                json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
                json!({"type": "OnDelete"}),
                json!({"type": "RollingUpdate", "rollingUpdate": null}),
            ])),
        ),
        ("template", always(template())),
        ("volumeClaimTemplates", maybe(list(claim(), 2))),
        ("futureField", maybe(extra())),
    ])
}

fn template() -> BoxedStrategy<Value> {
    let pod = object_of(vec![
        ("containers", always(list(container(), 3))),
        ("initContainers", maybe(list(container(), 1))),
        (
            "volumes",
            maybe(list(
                one_of(vec![
                    json!({"name": "config", "configMap": {"name": "c"}}),
                    json!({"name": "cache", "emptyDir": {}}),
                ]),
                2,
            )),
        ),
        ("futureField", maybe(extra())),
    ]);
    let labels = Just(json!({"labels": {"app": "web"}, "annotations": {"x": "y"}}));
    object_of(vec![("metadata", always(labels)), ("spec", always(pod))])
}

fn container() -> BoxedStrategy<Value> {
    let images = [
        "postgres:17",
        "docker.io/library/redis:7",
        "minio/minio",
        "corp/app:1",
        "nginx",
        "etcd",
        "bitnami/redis-exporter",
        "vault",
    ];
    let commands = vec![
        json!(["sleep", "1"]),
        json!(["sh", "-c", "exec redis-server /c"]),
        json!([]),
    ];
    object_of(vec![
        ("name", always(one_of(vec![json!("c0"), json!("c1"), json!("c2")]))),
        ("image", always(one_of(images.into_iter().map(Value::from).collect()))),
        ("command", prop_oneof![5 => Just(None), 1 => one_of(commands).prop_map(Some)].boxed()),
        ("ports", maybe(list(port(), 3))),
        ("readinessProbe", prop_oneof![4 => Just(None), 1 => Just(Some(Value::Null)), 1 => super::user::probe().prop_map(Some)].boxed()),
        ("livenessProbe", prop_oneof![6 => Just(None), 1 => super::user::probe().prop_map(Some)].boxed()),
        ("startupProbe", prop_oneof![6 => Just(None), 1 => super::user::probe().prop_map(Some)].boxed()),
        ("volumeMounts", maybe(list(mount(), 3))),
        ("resources", maybe(Just(json!({"limits": {"cpu": 0.5, "memory": "1024Mi"}})))),
        ("futureField", maybe(extra())),
    ])
}

fn port() -> BoxedStrategy<Value> {
    let names = ["http", "web", "redis", "metrics", "peer", ""];
    object_of(vec![
        (
            "name",
            maybe(one_of(names.into_iter().map(Value::from).collect())),
        ),
        (
            "containerPort",
            always(one_of(vec![
                json!(80),
                json!(8080),
                json!(6379),
                json!(5432),
                json!(9000),
            ])),
        ),
        (
            "protocol",
            maybe(one_of(vec![json!("TCP"), json!("TCP"), json!("UDP")])),
        ),
    ])
}

fn mount() -> BoxedStrategy<Value> {
    let names = ["data", "logs", "config", "Data", "own", "asked"];
    let paths = [
        "/data",
        "/data/",
        "/var/lib/x",
        "/etc/app",
        "/",
        "/a/b.conf",
        "/own",
    ];
    object_of(vec![
        (
            "name",
            always(one_of(names.into_iter().map(Value::from).collect())),
        ),
        (
            "mountPath",
            always(one_of(paths.into_iter().map(Value::from).collect())),
        ),
        ("readOnly", maybe(any::<bool>().prop_map(Value::from))),
        (
            "subPath",
            prop_oneof![4 => Just(None), 1 => Just(Some(json!("x")))].boxed(),
        ),
    ])
}

fn claim() -> BoxedStrategy<Value> {
    let sizes = vec![
        json!({"storage": "1024Mi"}),
        json!({"storage": 1_000_000}),
        json!({"x": "1"}),
        json!({}),
    ];
    let resources = object_of(vec![("requests", maybe(one_of(sizes)))]);
    let spec = object_of(vec![
        (
            "accessModes",
            maybe(one_of(vec![json!(["ReadWriteOnce"]), json!([])])),
        ),
        ("resources", maybe(resources)),
        (
            "storageClassName",
            maybe(one_of(vec![json!("fast"), json!("")])),
        ),
        ("futureField", maybe(extra())),
    ]);
    object_of(vec![
        ("apiVersion", maybe(Just(json!("v1")))),
        (
            "metadata",
            always(one_of(vec![
                json!({"name": "own"}),
                json!({"name": "logs", "labels": null}),
            ])),
        ),
        ("spec", maybe(spec)),
    ])
}
