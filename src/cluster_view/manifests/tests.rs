use serde_json::json;

use super::*;

fn cluster(documents: &[Value]) -> Manifests {
    let mut cluster = Manifests::new(None, ServiceKeeping::Nobody);
    for document in documents {
        let kind = Kind::of(document).unwrap();
        cluster.add(kind, document, "shop").unwrap();
    }
    cluster
}

fn named(kind: &str, namespace: Option<&str>, name: &str) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": {"selector": {}}})
}

#[test]
fn a_kind_is_known_once_one_of_it_is_there() {
    let mut cluster = cluster(&[]);
    assert_eq!(cluster.service("shop", "web"), Lookup::Unknown);
    assert_eq!(cluster.services("shop"), Lookup::Unknown);
    assert_eq!(
        cluster.disruption_budgets("shop", &Labels::new()),
        Lookup::Unknown
    );
    assert_eq!(cluster.storage_class("fast"), Lookup::Unknown);
    assert_eq!(cluster.default_storage_class(), Lookup::Unknown);
    // files say what they say: a policy then goes by the name of the namespace alone
    assert_eq!(cluster.namespace_labels("shop"), Lookup::Absent);
    assert_eq!(cluster.claim_modes("shop", "data"), Lookup::Unknown);
    assert_eq!(cluster.min_replicas("shop", "web"), Lookup::Unknown);
    assert_eq!(cluster.endpoints("shop", "web"), Lookup::Unknown);
    for kind in REFERENCES {
        assert_eq!(cluster.names(kind, "shop"), Lookup::Unknown);
    }
    for kind in Kind::ALL {
        cluster.know(kind);
    }
    assert_eq!(cluster.service("shop", "web"), Lookup::Absent);
    assert_eq!(cluster.services("shop"), Lookup::Found(vec![]));
    assert_eq!(
        cluster.disruption_budgets("shop", &Labels::new()),
        Lookup::Found(vec![])
    );
    assert_eq!(cluster.storage_class("fast"), Lookup::Absent);
    assert_eq!(cluster.default_storage_class(), Lookup::Absent);
    assert_eq!(cluster.namespace_labels("shop"), Lookup::Absent);
    assert_eq!(cluster.claim_modes("shop", "data"), Lookup::Absent);
    assert_eq!(cluster.min_replicas("shop", "web"), Lookup::Absent);
    assert_eq!(cluster.endpoints("shop", "web"), Lookup::Absent);
    for kind in REFERENCES {
        assert_eq!(cluster.names(kind, "shop"), Lookup::Found(vec![]));
    }
    cluster.note_makers_of_secrets();
    assert_eq!(
        cluster.names(Kind::Secret, "shop"),
        Lookup::Unknown,
        "it may be made"
    );
}

/// What a pod refers to by name.
const REFERENCES: [Kind; 5] = [
    Kind::ServiceAccount,
    Kind::PriorityClass,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::PersistentVolumeClaim,
];

#[test]
fn what_a_pod_refers_to_is_found_by_name() {
    let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}});
    let scaled = |kind: &str, name: &str, least: &Value| {
        json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"minReplicas": least, "maxReplicas": 9, "scaleTargetRef": {"kind": kind, "name": name}}})
    };
    let slice = json!({"kind": "EndpointSlice", "metadata": {"name": "db-x7k2", "labels": {"kubernetes.io/service-name": "db"}}});
    let cluster = cluster(&[
        claim,
        scaled("StatefulSet", "web", &json!(2)),
        scaled("StatefulSet", "db", &json!(null)),
        scaled("Deployment", "api", &json!(3)),
        slice,
        named("Endpoints", None, "cache"),
        named("Secret", Some("other"), "key"),
        named("PriorityClass", None, "high"),
    ]);
    let modes = cluster.claim_modes("shop", "data").found().unwrap();
    assert_eq!(*modes, ["ReadWriteOnce"]);
    assert_eq!(cluster.min_replicas("shop", "web"), Lookup::Found(2));
    assert_eq!(cluster.min_replicas("shop", "db"), Lookup::Found(1));
    assert_eq!(cluster.min_replicas("shop", "api"), Lookup::Absent);
    assert_eq!(cluster.endpoints("shop", "db"), Lookup::Found(()));
    assert_eq!(cluster.endpoints("shop", "cache"), Lookup::Found(()));
    assert_eq!(cluster.endpoints("other", "db"), Lookup::Absent);
    let names = |kind, namespace| cluster.names(kind, namespace).found().unwrap();
    assert_eq!(names(Kind::Secret, "other"), ["key"]);
    assert!(names(Kind::Secret, "shop").is_empty());
    assert_eq!(names(Kind::PriorityClass, "shop"), ["high"]);
    assert_eq!(names(Kind::PersistentVolumeClaim, "shop"), ["data"]);
}

#[test]
fn other_kinds_are_nobodys() {
    for document in [
        json!({"kind": "Deployment"}),
        json!({"kind": 1}),
        json!([1]),
        json!(null),
    ] {
        assert_eq!(Kind::of(&document), None, "{document}");
    }
}

#[test]
fn objects_are_found_in_their_namespace() {
    let cluster = cluster(&[
        named("Service", None, "web"),
        named("Service", Some("other"), "db"),
        named("PodDisruptionBudget", Some("other"), "db"),
        named("PodDisruptionBudget", None, "web"),
    ]);
    let services = |namespace| {
        let services = cluster.services(namespace).found().unwrap().into_iter();
        services
            .map(|service| format!("{}/{}", service.namespace, service.name))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (services("shop"), services("other")),
        (vec!["shop/web".to_owned()], vec!["other/db".to_owned()])
    );
    assert_eq!(cluster.service("shop", "web").found().unwrap().name, "web");
    assert_eq!(cluster.service("shop", "db"), Lookup::Absent);
    let budgets = cluster
        .disruption_budgets("shop", &Labels::new())
        .found()
        .unwrap();
    assert_eq!(
        budgets
            .iter()
            .map(|budget| &*budget.name)
            .collect::<Vec<_>>(),
        ["web"]
    );
}

#[test]
fn a_class_is_found_and_the_default_is_the_marked_one() {
    let class = |name: &str, default: &str| {
        json!({"kind": "StorageClass", "provisioner": "x",
            "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default}}})
    };
    let one = cluster(&[class("slow", "false")]);
    assert_eq!(one.storage_class("slow"), Lookup::Found(()));
    assert_eq!(one.storage_class("fast"), Lookup::Absent);
    assert_eq!(one.default_storage_class(), Lookup::Absent);
    let two = cluster(&[class("slow", "false"), class("fast", "true")]);
    assert_eq!(two.default_storage_class(), Lookup::Found(()));
}

#[test]
fn a_namespace_has_its_labels_and_the_one_that_the_server_gives_it() {
    let shop = json!({"kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}});
    let labels = cluster(&[shop]).namespace_labels("shop").found().unwrap();
    let expected = [("kubernetes.io/metadata.name", "shop"), ("team", "a")];
    assert_eq!(
        *labels,
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[test]
fn whether_a_user_may_exempt_is_known_where_it_is_said() {
    let verb = |held: Option<bool>| {
        let cluster = cluster(&[]);
        held.map_or(cluster.exempt_verb(), |held| {
            cluster.with_exempt_verb(held).exempt_verb()
        })
    };
    assert_eq!(
        (verb(None), verb(Some(true)), verb(Some(false))),
        (Lookup::Unknown, Lookup::Found(()), Lookup::Absent)
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let broken = json!({"metadata": {"name": "web"}, "spec": {"ports": 80}});
    let error = cluster(&[])
        .add(Kind::Service, &broken, "shop")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Service `web`: invalid type: integer `80`, expected a sequence"
    );
}

/// The names of the Services and of the budgets for pods with these labels.
fn selecting(cluster: &Manifests, labels: &[(&'static str, &'static str)]) -> [Vec<String>; 2] {
    let pairs = labels
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()));
    let labels: Labels<'_> = pairs.collect();
    let services = cluster.services_selecting("shop", &labels).found().unwrap();
    let budgets = cluster.disruption_budgets("shop", &labels).found().unwrap();
    [
        services
            .iter()
            .map(|service| service.name.clone())
            .collect(),
        budgets.iter().map(|budget| budget.name.clone()).collect(),
    ]
}

#[test]
fn what_selects_a_pod_is_found_by_its_labels() {
    let service = |name: &str, selector: Value| json!({"kind": "Service", "metadata": {"name": name}, "spec": {"selector": selector}});
    let budget = |name: &str, selector: Value| json!({"kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": {"selector": selector}});
    let expression = json!({"key": "app", "operator": "Exists"});
    let mut cluster = cluster(&[
        service("web", json!({"app": "web"})),
        service("front", json!({"app": "web", "tier": "front"})),
        service("any", json!({})),
        budget("web", json!({"matchLabels": {"app": "web"}})),
        budget("labelled", json!({"matchExpressions": [expression]})),
        budget("all", json!({})),
        json!({"kind": "PodDisruptionBudget", "metadata": {"name": "none"}, "spec": {}}),
    ]);
    let found = |cluster: &Manifests, labels: &[(&'static str, &'static str)]| {
        selecting(cluster, labels).map(|names| names.join(" "))
    };
    assert_eq!(
        found(&cluster, &[("app", "web")]),
        ["web", "all labelled web"]
    );
    assert_eq!(
        found(&cluster, &[("app", "web"), ("tier", "front")]),
        ["front web", "all labelled web"]
    );
    assert_eq!(found(&cluster, &[("tier", "front")]), ["", "all"]);

    // of two of one name the later counts, also after the first look-up
    cluster
        .add(
            Kind::Service,
            &service("web", json!({"app": "other"})),
            "shop",
        )
        .unwrap();
    assert_eq!(found(&cluster, &[("app", "web")]), ["", "all labelled web"]);
    assert_eq!(
        found(&cluster, &[("app", "other")]),
        ["web", "all labelled"]
    );
}
