//! Sets with one to three faults, at any field of the schema of `apps/v1`.

use k8s_openapi::api::apps::v1::StatefulSet;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Map, Value, json};

/// So many sets, the same in every run.
pub fn sets(count: usize) -> Vec<Value> {
    let schema = schemars::schema_for!(StatefulSet).to_value();
    let mut random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    (0..count).map(|_| faulty(&schema, &mut random)).collect()
}

fn pick(random: &mut TestRng, count: usize) -> usize {
    usize::try_from(random.next_u32()).expect("32 bits") % count.max(1)
}

fn skeleton() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
        "spec": {
            "serviceName": "web", "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "web", "image": "registry.example/web:1",
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                        "ports": [{"name": "http", "containerPort": 8080}]}],
                    "volumes": [{"name": "config", "emptyDir": {}}],
                },
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}],
        },
    })
}

fn faulty(schema: &Value, random: &mut TestRng) -> Value {
    let mut set = skeleton();
    for _ in 0..=pick(random, 3) {
        let spec = set.get_mut("spec").expect("a spec");
        let of = property(schema, schema, "spec");
        change(schema, of, spec, random);
    }
    set
}

/// The schema that a schema points to.
fn resolved<'s>(root: &'s Value, of: &'s Value) -> &'s Value {
    let inner = ["anyOf", "allOf"].iter().find_map(|key| of[key].get(0));
    let of = inner.unwrap_or(of);
    match of["$ref"].as_str() {
        Some(reference) => root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(of),
        None => of,
    }
}

fn property<'s>(root: &'s Value, of: &'s Value, name: &str) -> &'s Value {
    resolved(root, &of["properties"][name])
}

/// Walks down to a field and writes a value of its type there, or takes it away.
fn change(root: &Value, of: &Value, at: &mut Value, random: &mut TestRng) {
    if let Some(properties) = of["properties"].as_object().filter(|all| !all.is_empty()) {
        let names: Vec<_> = properties.keys().collect();
        let name = names[pick(random, names.len())];
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        if pick(random, 12) == 0 {
            at.as_object_mut().expect("an object").remove(name);
        } else {
            change(
                root,
                property(root, of, name),
                &mut at[name.as_str()],
                random,
            );
        }
    } else if of.get("items").is_some() {
        if !at.is_array() {
            *at = json!([]);
        }
        let items = at.as_array_mut().expect("a list");
        if items.is_empty() || pick(random, 4) == 0 {
            items.push(Value::Null);
        }
        let index = pick(random, items.len());
        change(
            root,
            resolved(root, &of["items"]),
            &mut items[index],
            random,
        );
        items.retain(|item| !item.is_null());
    } else {
        *at = leaf(of, random);
    }
}

fn leaf(of: &Value, random: &mut TestRng) -> Value {
    let kind = of["type"].as_str().or_else(|| of["type"][0].as_str());
    match kind.unwrap_or_default() {
        "integer" | "number" => json!([-1, 0, 1, 2, 80, 3600, 65536, 100_000][pick(random, 8)]),
        "boolean" => json!(pick(random, 2) == 0),
        "object" => object(random),
        _ => {
            let long = "x".repeat(300);
            let texts = [
                "",
                "web",
                "data",
                "Not Valid",
                "/data",
                "../up",
                "1Gi",
                "Always",
                "Never",
                "http",
                long.as_str(),
                "a.example/b",
            ];
            json!(texts[pick(random, texts.len())])
        }
    }
}

fn object(random: &mut TestRng) -> Value {
    match pick(random, 4) {
        0 => json!({}),
        1 => json!({"app": "web"}),
        2 => json!({"a b": "c"}),
        _ => json!({"memory": "1Gi"}),
    }
}
