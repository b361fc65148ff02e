//! Objects that a pod names and cannot start without.

use std::collections::BTreeSet;

use crate::cluster_view::kind::Kind;
use crate::model::finding::Action;
use crate::model::spelling::{is_slip, nearest};
use crate::model::text::quoted;
use crate::rules::volumes::is_used;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Volume;

/// A name that leads to nothing.
pub static MISSING: Rule = Rule {
    id: "reference-missing",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "The pods name a ServiceAccount, a PriorityClass, a ConfigMap, a Secret or a claim that is not there.",
        why: "Without its ServiceAccount or PriorityClass a pod cannot be created at all; the set shows no pods, and only its events say why. \
              Without a ConfigMap, a Secret or a claim that it mounts a pod stays in ContainerCreating or Pending.\n\n\
              In manifests an object is missed only where there are others of its kind. Of a ConfigMap or Secret whose name is no other one misspelt, \
              only the operator's audit log has the finding, as scripts and other releases make such. What is marked `optional` is not missed.",
        at: &[
            "spec.template.spec.serviceAccountName",
            "spec.template.spec.priorityClassName",
            "spec.template.spec.volumes[N]",
        ],
        cluster: "\
kind: ConfigMap
metadata: {name: web-config}
",
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: config, mountPath: /etc/web}
      volumes:
        - name: config
          configMap: {name: web-confg}
",
        fix: "Write the name of the object that is there, or add the object. A mount that the program can do without may be `optional: true`.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: config, mountPath: /etc/web}
      volumes:
        - name: config
          configMap: {name: web-config}
",
        ..Docs::BLANK
    },
    check,
};

/// What every namespace has, or every cluster.
const GIVEN: [(Kind, &str); 4] = [
    (Kind::ServiceAccount, "default"),
    (Kind::PriorityClass, "system-cluster-critical"),
    (Kind::PriorityClass, "system-node-critical"),
    (Kind::ConfigMap, "kube-root-ca.crt"),
];

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let pod = &context.set.spec.template.spec;
    let mut missed = BTreeSet::new();
    let mut miss = |kind: Kind, name: &str, pointer: String| {
        if name.is_empty() || GIVEN.contains(&(kind, name)) {
            return;
        }
        let known = context.cluster.names(kind, context.namespace);
        let Some(known) = known
            .found()
            .filter(|known| !known.iter().any(|one| one == name))
        else {
            return;
        };
        if missed.insert((kind, name.to_owned())) {
            let violation = violation(kind, name, &known, pointer);
            violations.push(violation.of(format!("{}/{name}", kind.name())));
        }
    };
    let at = |field: &str| format!("/spec/template/spec/{field}");
    miss(
        Kind::ServiceAccount,
        &pod.service_account_name,
        at("serviceAccountName"),
    );
    miss(
        Kind::PriorityClass,
        &pod.priority_class_name,
        at("priorityClassName"),
    );
    for (index, volume) in pod.volumes.iter().enumerate() {
        // a claim of that name takes the volume's place
        if context.set.spec.claim(&volume.name).is_some()
            || !is_used(&context.set.spec, &volume.name)
        {
            continue;
        }
        for (kind, name) in required(volume) {
            miss(kind, name, at(&format!("volumes/{index}")));
        }
    }
}

/// What is wrong with a name that none of the `known` objects has.
fn violation(kind: Kind, name: &str, known: &[String], pointer: String) -> Violation {
    let word = kind.name();
    let effect = match kind {
        Kind::ServiceAccount | Kind::PriorityClass => "no pod can be created",
        _ => "no pod can start",
    };
    let near = nearest(name, known.iter().map(String::as_str));
    let help = near.map_or_else(
        || format!("add the {word}, or name one that exists"),
        |near| format!("did you mean {}? Else add the {word}", quoted(near)),
    );
    let message = format!("there is no {word} {}: {effect}", quoted(name));
    // scripts and other releases make ConfigMaps and Secrets: only what looks like a slip of the pen is for the user
    let is_made_elsewhere = matches!(kind, Kind::ConfigMap | Kind::Secret)
        && !known.iter().any(|known| is_slip(name, known));
    let action = if is_made_elsewhere {
        Action::Audit
    } else {
        Action::Warn
    };
    Violation::new(pointer, message, help).with(action)
}

/// What a volume cannot do without.
fn required<'v>(volume: &'v Volume<'_>) -> Vec<(Kind, &'v str)> {
    let mut all = Vec::new();
    let own = volume.config_map.iter().filter(|map| !map.optional);
    all.extend(own.map(|map| (Kind::ConfigMap, &*map.name)));
    let own = volume.secret.iter().filter(|secret| !secret.optional);
    all.extend(own.map(|secret| (Kind::Secret, &*secret.name)));
    let claim = volume.claim.iter();
    all.extend(claim.map(|claim| (Kind::PersistentVolumeClaim, &*claim.name)));
    for source in &volume.projected.sources {
        let own = source.config_map.iter().filter(|map| !map.optional);
        all.extend(own.map(|map| (Kind::ConfigMap, &*map.name)));
        let own = source.secret.iter().filter(|secret| !secret.optional);
        all.extend(own.map(|secret| (Kind::Secret, &*secret.name)));
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, manifests, web_spec};

    const KINDS: [&str; 5] = [
        "ServiceAccount",
        "PriorityClass",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
    ];

    fn world() -> World {
        let objects: Vec<Value> = KINDS
            .iter()
            .map(|kind| json!({"kind": kind, "metadata": {"name": "there"}, "spec": {}}))
            .collect();
        manifests(&objects)
    }

    fn says(pod: &Value, world: World) -> Vec<String> {
        Case::create(web_spec(&json!({"template": {"spec": pod}})))
            .among(world)
            .says(&MISSING)
    }

    fn volume(source: &Value) -> Value {
        let mut volume = json!({"name": "v"});
        json_patch::merge(&mut volume, source);
        let mounts = json!([{"name": "v", "mountPath": "/v"}]);
        json!({"volumes": [volume], "containers": [{"name": "web", "image": "web:1", "volumeMounts": mounts}]})
    }

    fn all(name: &str) -> [Value; 7] {
        let projected = |source: Value| volume(&json!({"projected": {"sources": [source]}}));
        [
            json!({"serviceAccountName": name}),
            json!({"priorityClassName": name}),
            volume(&json!({"configMap": {"name": name}})),
            volume(&json!({"secret": {"secretName": name}})),
            volume(&json!({"persistentVolumeClaim": {"claimName": name}})),
            projected(json!({"configMap": {"name": name}})),
            projected(json!({"secret": {"name": name}})),
        ]
    }

    #[test]
    fn what_pods_need_is_there() {
        for pod in all("gone") {
            assert_eq!(says(&pod, world()).len(), 1, "{pod}");
            assert!(says(&pod, World::default()).is_empty(), "nobody knows");
        }
        assert_eq!(
            says(&json!({"serviceAccountName": "gone"}), world()),
            [
                "Warn spec.template.spec.serviceAccountName: there is no ServiceAccount \"gone\": no pod can be created; \
                 add the ServiceAccount, or name one that exists"
            ]
        );
        for pod in all("there") {
            assert!(says(&pod, world()).is_empty(), "{pod}");
        }
    }

    #[test]
    fn what_somebody_else_may_make_is_for_the_operator() {
        for (kind, name, expected) in [
            ("configMap", "theer", "Warn "),
            ("configMap", "settings", "Audit "),
        ] {
            let found = says(&volume(&json!({kind: {"name": name}})), world());
            assert!(found[0].starts_with(expected), "{found:?}");
        }
        let near = says(
            &volume(&json!({"secret": {"secretName": "theres"}})),
            world(),
        );
        assert_eq!(
            near,
            [
                "Warn spec.template.spec.volumes[0]: there is no Secret \"theres\": no pod can start; \
                 did you mean \"there\"? Else add the Secret"
            ]
        );
    }

    #[test]
    fn what_pods_can_do_without_is_not_missed() {
        let unused = json!({"volumes": [{"name": "v", "configMap": {"name": "gone"}}]});
        for pod in [
            volume(&json!({"configMap": {"name": "gone", "optional": true}})),
            volume(&json!({"secret": {"secretName": "gone", "optional": true}})),
            volume(&json!({"configMap": {"name": "kube-root-ca.crt"}})),
            volume(&json!({"emptyDir": {}})),
            json!({"serviceAccountName": "default", "priorityClassName": "system-node-critical"}),
            unused,
        ] {
            assert!(says(&pod, world()).is_empty(), "{pod}");
        }
    }
}
