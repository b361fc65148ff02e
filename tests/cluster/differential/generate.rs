//! StatefulSets that are valid but for a mistake or two, and shrink towards one that has none.
//!
//! Strategies are values that hold all their parts: the larger ones are boxed, or they overflow the stack of a thread.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// The names of volumes and claims, by their place in a list.
const NAMES: [&str; 2] = ["data", "logs"];

/// A set, as a user would send it.
pub fn set() -> impl Strategy<Value = Value> {
    let spec = (
        head().boxed(),
        update_strategy().boxed(),
        selection(),
        pods().boxed(),
        claims(),
    );
    spec.prop_map(|(mut spec, update_strategy, selection, pods, claims)| {
        let (selector, labels) = selection;
        insert(&mut spec, "updateStrategy", update_strategy);
        insert(&mut spec, "selector", selector);
        insert(&mut spec, "volumeClaimTemplates", claims);
        spec["template"] = json!({"metadata": {"labels": labels}, "spec": pods});
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"}, "spec": spec})
    })
}

/// A field that may be left out.
type Field = Option<Value>;

fn insert(object: &mut Value, key: &str, field: Field) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), field) {
        object.insert(key.to_owned(), value);
    }
}

fn object(fields: impl IntoIterator<Item = (&'static str, Field)>) -> Value {
    let fields = fields.into_iter();
    let present = fields.filter_map(|(key, field)| Some((key.to_owned(), field?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// Mostly the first, which is what everything shrinks to; now and then one of the others, of which most are mistakes.
fn mostly(usual: Field, others: Vec<Field>) -> impl Strategy<Value = Field> {
    prop_oneof![30 => Just(usual), 2 => select(others)]
}

/// A list of at most two, or none.
fn at_most_two<S: Strategy<Value = Value> + 'static>(
    item: impl Fn(usize) -> S,
) -> BoxedStrategy<Field> {
    let item = |index| item(index).boxed();
    prop_oneof![
        2 => Just(None),
        3 => item(0).prop_map(|one| Some(json!([one]))),
        2 => (item(0), item(1)).prop_map(|(one, other)| Some(json!([one, other]))),
    ]
    .boxed()
}

fn some(values: &[Value]) -> Vec<Field> {
    values.iter().cloned().map(Some).collect()
}

fn words(words: &[&str]) -> Vec<Field> {
    words.iter().map(|word| Some(json!(word))).collect()
}

fn head() -> impl Strategy<Value = Value> {
    let mut services = words(&["", "web.other", "Web", "-a", "0web"]);
    services.extend([None, Some(json!("a".repeat(64))), Some(json!(null))]);
    let mut policies = words(&["Parallel", "", "parallel", "ordered", "OrderedReady"]);
    policies.push(Some(json!(null)));
    let replicas = some(&[json!(3), json!(0), json!(null), json!(-1)]);
    let ordinals = some(&[json!({"start": 2}), json!({}), json!({"start": -1})]);
    (
        mostly(Some(json!("web")), services),
        mostly(None, policies),
        mostly(None, replicas),
        retention(),
        mostly(None, ordinals),
    )
        .prop_map(|(service, policy, replicas, retention, ordinals)| {
            object([
                ("serviceName", service),
                ("podManagementPolicy", policy),
                ("replicas", replicas),
                ("persistentVolumeClaimRetentionPolicy", retention),
                ("ordinals", ordinals),
            ])
        })
}

fn retention() -> impl Strategy<Value = Field> {
    let word = || {
        let known = prop_oneof![Just(None), Just(Some(json!("Retain")))];
        prop_oneof![6 => known, 1 => select(words(&["Delete", "delete", "", "Keep"]))]
    };
    let policy = (word(), word()).prop_map(|(scaled, deleted)| {
        Some(object([("whenScaled", scaled), ("whenDeleted", deleted)]))
    });
    prop_oneof![3 => Just(None), 1 => policy]
}

fn update_strategy() -> impl Strategy<Value = Field> {
    let kind = prop_oneof![
        6 => Just(None),
        2 => Just(Some(json!("RollingUpdate"))),
        1 => select(words(&["OnDelete", "", "onDelete", "Recreate", "Canary"])),
    ];
    let rolling = prop_oneof![
        4 => Just(None),
        1 => Just(Some(json!(null))),
        5 => rolling_update().prop_map(Some),
    ];
    let strategy = (kind, rolling)
        .prop_map(|(kind, rolling)| Some(object([("type", kind), ("rollingUpdate", rolling)])));
    prop_oneof![2 => Just(None), 3 => strategy]
}

fn rolling_update() -> impl Strategy<Value = Value> {
    let partitions = some(&[json!(0), json!(2), json!(-1), json!(null)]);
    let amounts = some(&[
        json!(1),
        json!(0),
        json!("50%"),
        json!("150%"),
        json!("2"),
        json!("x"),
        json!(-1),
    ]);
    (mostly(None, partitions), mostly(None, amounts)).prop_map(|(partition, amount)| {
        object([("partition", partition), ("maxUnavailable", amount)])
    })
}

/// A selector and the template's labels.
fn selection() -> impl Strategy<Value = (Field, Value)> {
    let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]});
    let mut selectors = some(&[
        json!({"matchLabels": {"app": "shop"}}),
        json!({"matchLabels": {"app": "web", "tier": "front"}}),
        json!({"matchLabels": {}}),
        json!({}),
        json!(null),
        expression("In", json!(["web", "shop"])),
        expression("In", json!([])),
        expression("NotIn", json!(["web"])),
        expression("Exists", json!(null)),
        expression("DoesNotExist", json!(null)),
        expression("Near", json!(["web"])),
    ]);
    selectors.push(None);
    let labels = vec![
        json!({"app": "web", "tier": "front"}),
        json!({"app": "shop"}),
        json!({"tier": "front"}),
        json!({}),
        json!(null),
    ];
    let usual = Some(json!({"matchLabels": {"app": "web"}}));
    let labels = prop_oneof![30 => Just(json!({"app": "web"})), 1 => select(labels)];
    (mostly(usual, selectors), labels)
}

fn name_of_a_volume(index: usize) -> impl Strategy<Value = Field> {
    let usual = NAMES.get(index).map(|name| json!(name));
    mostly(usual, words(&["Data", "data", "my_data", "", "scratch"]))
}

fn claims() -> impl Strategy<Value = Field> {
    at_most_two(claim)
}

fn claim(index: usize) -> impl Strategy<Value = Value> {
    let modes = some(&[
        json!([]),
        json!(null),
        json!(["ReadWriteMany"]),
        json!(["Often"]),
    ]);
    let resources = some(&[
        json!({}),
        json!({"requests": {}}),
        json!({"requests": {"storage": "1024Mi"}}),
        json!({"requests": {"storage": 1}}),
        json!({"limits": {"storage": "2Gi"}}),
        json!(null),
    ]);
    let fields = (
        name_of_a_volume(index),
        mostly(Some(json!(["ReadWriteOnce"])), modes),
        mostly(Some(json!({"requests": {"storage": "1Gi"}})), resources),
        mostly(None, words(&["fast", ""])),
        mostly(None, words(&["Block", "Filesystem"])),
    );
    fields.prop_map(|(name, modes, resources, class, mode)| {
        let spec = object([
            ("accessModes", modes),
            ("resources", resources),
            ("storageClassName", class),
            ("volumeMode", mode),
        ]);
        json!({"metadata": object([("name", name)]), "spec": spec})
    })
}

fn pods() -> impl Strategy<Value = Value> {
    let init = container("init", mostly(Some(json!("Always")), vec![None]));
    let init = prop_oneof![4 => Just(None), 1 => init.prop_map(|init| Some(json!([init])))];
    let side = prop_oneof![4 => Just(None), 1 => container("side", Just(None)).prop_map(Some)];
    let fields = (
        container("web", Just(None)),
        side,
        init,
        at_most_two(volume),
    );
    fields.prop_map(|(web, side, init, volumes)| {
        let containers: Vec<Value> = std::iter::once(web).chain(side).collect();
        object([
            ("containers", Some(json!(containers))),
            ("initContainers", init),
            ("volumes", volumes),
        ])
    })
}

fn volume(index: usize) -> impl Strategy<Value = Value> {
    let sources = select(vec![
        Some(("emptyDir", Some(json!({})))),
        Some(("configMap", Some(json!({"name": "web"})))),
        None,
    ]);
    (name_of_a_volume(index), sources)
        .prop_map(|(name, source)| object([("name", name)].into_iter().chain(source)))
}

fn container(
    name: &'static str,
    restart_policy: impl Strategy<Value = Field> + 'static,
) -> BoxedStrategy<Value> {
    let ports = vec![
        None,
        Some(json!([{"containerPort": 0}])),
        Some(json!([{"containerPort": 70_000}])),
        Some(json!([{"name": "Web_Port", "containerPort": 80}])),
        Some(json!([{"containerPort": 80}, {"containerPort": 81}])),
    ];
    let usual = json!([{"name": "http", "containerPort": 8080}]);
    let fields = (
        mostly(Some(usual), ports),
        at_most_two(mount),
        prop_oneof![12 => Just(None), 1 => at_most_two(device)],
        probe().boxed(),
        probe().boxed(),
        probe().boxed(),
        restart_policy,
    );
    fields
        .prop_map(
            move |(ports, mounts, devices, readiness, liveness, startup, restart_policy)| {
                object([
                    ("name", Some(json!(name))),
                    ("image", Some(json!("registry.example/web:1"))),
                    ("ports", ports),
                    ("volumeMounts", mounts),
                    ("volumeDevices", devices),
                    ("readinessProbe", readiness),
                    ("livenessProbe", liveness),
                    ("startupProbe", startup),
                    ("restartPolicy", restart_policy),
                ])
            },
        )
        .boxed()
}

fn mount(index: usize) -> impl Strategy<Value = Value> {
    let path = NAMES.get(index).map(|name| json!(format!("/{name}")));
    let mut paths = words(&["", "/etc/web", "a"]);
    paths.push(None);
    let fields = (
        name_of_a_volume(index),
        mostly(path, paths),
        mostly(None, some(&[json!(true)])),
    );
    fields.prop_map(|(name, path, read_only)| {
        object([("name", name), ("mountPath", path), ("readOnly", read_only)])
    })
}

fn device(index: usize) -> impl Strategy<Value = Value> {
    name_of_a_volume(index).prop_map(move |name| {
        let path = json!(format!("/dev/x{index}"));
        object([("name", name), ("devicePath", Some(path))])
    })
}

fn probe() -> impl Strategy<Value = Field> {
    let handlers = prop_oneof![
        6 => Just(("tcpSocket", json!({"port": 8080}))),
        1 => Just(("tcpSocket", json!({"port": "http"}))),
        1 => Just(("httpGet", json!({"port": 8080, "path": "/"}))),
        1 => Just(("exec", json!({"command": ["true"]}))),
    ];
    let thresholds = some(&[json!(1), json!(2), json!(0), json!(-1)]);
    let probe = (handlers, mostly(None, thresholds)).prop_map(|((handler, value), threshold)| {
        Some(object([
            (handler, Some(value)),
            ("successThreshold", threshold),
        ]))
    });
    prop_oneof![5 => Just(None), 1 => probe]
}
