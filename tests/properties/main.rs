//! What holds for every set: a patch applies to the real object and gives what the view says, a second pass has nothing to
//! do, nothing that we do not know is lost, and an update touches neither what cannot change nor what the user left alone.

mod generate;
mod user;
mod world;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use steadyset::change::{Draft, operations};
use steadyset::inject::{Around, Injection, Origin, inject};
use steadyset::statefulset::annotations::INJECTED;
use steadyset::statefulset::set::Set;
use steadyset::strict::{Source, Subject};

use generate::{any_set, stateful_set, stored};
use user::{Edit, PROBES, edits};
use world::World;

/// What comes of one write.
struct Written {
    object: Value,
    injections: Vec<Injection>,
    operations: Vec<json_patch::PatchOperation>,
}

/// Judges a write and applies the patch to the object itself; the view must say the same as what comes out.
fn write(old: Option<&Value>, new: &Value, world: &World) -> Written {
    let raw = |value: &Value| to_raw_value(value).expect("a value is JSON");
    let (object, old_object) = (raw(new), old.map(raw));
    let source = Source {
        namespace: "shop",
        object: &object,
        old_object: old_object.as_deref(),
    };
    let mut patched = new.clone();
    let Some(subject) = Subject::decode(source).expect("the set can be read") else {
        return Written {
            object: patched,
            injections: Vec::new(),
            operations: Vec::new(),
        };
    };
    let mut draft = Draft::new(subject.set);
    let around = Around {
        namespace: "shop",
        cluster: world,
        slips: &subject.slips,
    };
    let outcome = inject(&world.policy, around, &mut draft, subject.old.as_ref());
    let (view, changes) = draft.finish();
    let operations = operations(&changes);
    json_patch::patch(&mut patched, &operations).expect("the patch applies");
    let text = patched.to_string();
    let read: Set<'_> = serde_json::from_str(&text).expect("the patched set can be read");
    assert_eq!(view, read, "the view and the patched object differ");
    Written {
        object: patched,
        injections: outcome.injections,
        operations,
    }
}

/// What stays of an object when everything that an injection may write is taken out.
fn rest(set: &Value) -> Value {
    let mut set = set.clone();
    let without = |value: &mut Value, key: &str| {
        if let Some(fields) = value.as_object_mut() {
            fields.remove(key);
        }
    };
    if let Some(annotations) = set.pointer_mut("/metadata/annotations") {
        without(annotations, INJECTED);
        if annotations
            .as_object()
            .is_some_and(serde_json::Map::is_empty)
        {
            *annotations = Value::Null;
        }
    }
    if let Some(spec) = set.pointer_mut("/spec") {
        without(spec, "serviceName");
        without(spec, "volumeClaimTemplates");
    }
    let containers = set.pointer_mut("/spec/template/spec/containers");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for field in PROBES {
            without(container, field);
        }
        without(container, "volumeMounts");
    }
    without_nulls(&set)
}

/// An absent field and a null mean the same to the API server, and an added parent may replace a null.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn claims(set: &Value) -> Vec<Value> {
    let claims = set.pointer("/spec/volumeClaimTemplates");
    claims
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn containers(set: &Value) -> Vec<Value> {
    let containers = set.pointer("/spec/template/spec/containers");
    containers
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn handlers(probe: &Value) -> usize {
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    handlers
        .iter()
        .filter(|handler| !probe[**handler].is_null())
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_second_pass_over_a_new_set_has_nothing_to_do(set in stateful_set(), world in world::world()) {
        let first = write(None, &set, &world);
        let second = write(None, &first.object, &world);
        prop_assert_eq!(second.operations, vec![]);
        prop_assert_eq!(second.injections, vec![]);
    }

    #[test]
    fn everything_else_survives(set in any_set(), world in world::world()) {
        let written = write(None, &set, &world);
        prop_assert_eq!(rest(&written.object), rest(&set));
        for (before, after) in containers(&set).iter().zip(containers(&written.object)) {
            for field in PROBES {
                prop_assert!(before[field].is_null() || before[field] == after[field]);
            }
            let mounts = before["volumeMounts"].as_array().cloned().unwrap_or_default();
            let added = after["volumeMounts"].as_array().cloned().unwrap_or_default();
            prop_assert!(added.starts_with(&mounts));
        }
        for (before, after) in claims(&set).iter().zip(claims(&written.object)) {
            let mut before = without_nulls(before);
            if before.pointer("/spec/accessModes") == Some(&json!([])) {
                before["spec"]["accessModes"] = after["spec"]["accessModes"].clone();
            }
            let mut filled = after.clone();
            json_patch::merge(&mut filled, &before);
            prop_assert_eq!(without_nulls(&filled), without_nulls(&after), "a claim is only ever completed");
        }
        let name = &set["spec"]["serviceName"];
        prop_assert!(name.as_str().is_none_or(str::is_empty) || *name == written.object["spec"]["serviceName"]);
    }

    #[test]
    fn what_is_injected_is_one_handler_that_stays_on_its_node(set in stateful_set(), world in world::world()) {
        let written = write(None, &set, &world);
        for (before, after) in containers(&set).iter().zip(containers(&written.object)) {
            let is_new = |field: &str| before[field].is_null() && !after[field].is_null();
            for field in PROBES.into_iter().filter(|field| is_new(field)) {
                let probe = &after[field];
                prop_assert_eq!(handlers(probe), 1);
                prop_assert!(probe["timeoutSeconds"].is_number());
                prop_assert!(probe["httpGet"]["host"].is_null() && probe["tcpSocket"]["host"].is_null());
            }
            let patience = |probe: &Value| {
                let number = |name: &str| probe[name].as_i64().unwrap_or_default();
                number("periodSeconds") * number("failureThreshold")
            };
            if is_new("livenessProbe") {
                let alone = after["startupProbe"].is_null();
                prop_assert!(!alone || patience(&after["livenessProbe"]) >= 600, "{}", after);
            }
            prop_assert!(!is_new("startupProbe") || is_new("livenessProbe"), "{}", after);
        }
    }

    #[test]
    fn an_update_adds_nothing_new(old in stored(), edit in edits(), world in world::world()) {
        let new = user::applied(&old, &edit);
        let written = write(Some(&old), &new, &world);
        prop_assert!(written.injections.iter().all(|one| one.origin == Origin::Record), "{:?}", written.injections);
        let second = write(Some(&old), &written.object, &world);
        prop_assert_eq!(second.operations, vec![], "{}", written.object);
    }

    #[test]
    fn an_update_leaves_the_template_to_the_user(old in stored(), world in world::world(), replicas in 0..9_i64, drops: bool) {
        let set = write(None, &old, &world).object;
        let mut new = set.clone();
        new["spec"]["replicas"] = json!(replicas);
        if drops && let Some(annotations) = new.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(INJECTED);
        }
        let written = write(Some(&set), &new, &world);
        prop_assert_eq!(&written.object["spec"], &new["spec"]);
    }

    #[test]
    fn a_replace_of_the_file_is_the_write_that_it_looks_like(file in stored(), world in world::world(), replicas in 0..9_i64) {
        let set = write(None, &file, &world).object;
        let mut new = file.clone();
        new["spec"]["replicas"] = json!(replicas);
        let mut expected = set.clone();
        expected["spec"]["replicas"] = json!(replicas);
        if set["spec"] == expected["spec"] {
            return Ok(());
        }
        let written = write(Some(&set), &new, &world);
        prop_assert_eq!(without_nulls(&written.object["spec"]), without_nulls(&expected["spec"]));
        prop_assert_eq!(record(&written.object), record(&set));
    }

    #[test]
    fn what_cannot_change_is_put_back_or_the_users(file in stored(), edit in edits(), world in world::world()) {
        let set = write(None, &file, &world).object;
        let new = user::applied(&set, &edit);
        let written = write(Some(&set), &new, &world);
        for field in ["/spec/serviceName", "/spec/volumeClaimTemplates", "/spec/selector", "/spec/podManagementPolicy"] {
            let now = written.object.pointer(field);
            prop_assert!(now == new.pointer(field) || now == set.pointer(field), "{}: {:?}", field, now);
        }
    }

    #[test]
    fn the_users_own_probe_makes_ours_go(
        file in stored(), field in prop::sample::select(PROBES.to_vec()), own in user::probe(), world in world::world()
    ) {
        let set = write(None, &file, &world).object;
        let new = user::applied(&set, &Edit::Probe(field, own.clone()));
        let written = write(Some(&set), &new, &world);
        for ((before, merged), after) in containers(&set).iter().zip(containers(&new)).zip(containers(&written.object)) {
            let had_none = file_container(&file, before)[field].is_null();
            if had_none && handlers(&merged[field]) == 2 {
                prop_assert_eq!(handlers(&after[field]), 1);
                let mut whole = after[field].clone();
                json_patch::merge(&mut whole, &own);
                for handler in ["exec", "httpGet", "tcpSocket", "grpc"] {
                    prop_assert_eq!(&whole[handler], &after[field][handler], "the handler is the user's");
                }
                if field == "livenessProbe" && file_container(&file, before)["startupProbe"].is_null() {
                    prop_assert!(after["startupProbe"].is_null(), "none of ours beside the user's own");
                }
            }
        }
    }

    #[test]
    fn an_undo_leads_to_the_very_template(file in stored(), edits in proptest::collection::vec(edits(), 1..4), world in world::world()) {
        let first = write(None, &file, &world).object;
        let mut revisions = vec![first.clone()];
        for edit in &edits {
            let last = revisions.last().expect("there is a first").clone();
            revisions.push(write(Some(&last), &user::applied(&last, edit), &world).object);
        }
        let last = revisions.last().expect("there is a first").clone();
        for revision in &revisions {
            let mut undone = last.clone();
            undone["spec"]["template"] = revision["spec"]["template"].clone();
            let written = write(Some(&last), &undone, &world);
            prop_assert_eq!(&written.object["spec"]["template"], &revision["spec"]["template"]);
        }
    }

    #[test]
    fn a_revert_leads_to_the_very_template(file in stored(), edits in proptest::collection::vec(edits(), 1..4), world in world::world()) {
        let mut probes = Vec::new();
        let edits = edits.into_iter().filter(|edit| {
            let Edit::Probe(field, _) = edit else {
                return true;
            };
            let is_first = !probes.contains(field);
            probes.push(field);
            is_first
        });
        let mut steps = Vec::new();
        let (mut file, mut set) = (file.clone(), write(None, &file, &world).object);
        for edit in edits {
            let next = write(Some(&set), &user::applied(&set, &edit), &world).object;
            let changed = user::applied(&file, &edit);
            steps.push((file, set, edit));
            (file, set) = (changed, next);
        }
        for (file, before, edit) in steps.into_iter().rev() {
            set = write(Some(&set), &user::reverted(&set, &file, &edit), &world).object;
            prop_assert_eq!(&set["spec"]["template"], &before["spec"]["template"], "after {:?}", edit);
        }
    }
}

fn record(set: &Value) -> Option<&Value> {
    set.pointer("/metadata/annotations/steadyset.io~1injected")
}

fn file_container(file: &Value, container: &Value) -> Value {
    let mut containers = containers(file).into_iter();
    containers
        .find(|other| other["name"] == container["name"])
        .unwrap_or_default()
}
