//! Who may write to a fresh disk.

use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::{Container, Spec};

/// A container that is not root, and a fresh disk that belongs to root.
pub static MISSING: Rule = Rule {
    id: "fs-group-missing",
    action: Action::Audit,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A container that does not run as root mounts a claim, and the pod has no `fsGroup`.",
        why: "The file system of a fresh disk belongs to root, and with most storage drivers nobody else may write to it: the program fails \
              with \"permission denied\". `fsGroup` has the kubelet give the volume to a group that the container's user is in. Drivers \
              differ, so only the operator's audit log has the finding.\n\n\
              An init container that mounts the claim may hand it over; then the rule is silent.",
        at: &["spec.template.spec.securityContext"],
        example: "\
spec:
  template:
    spec:
      securityContext: {runAsUser: 1000}
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Set `fsGroup` in the pod's security context to a group of the container's user, usually the number of the user itself.",
        fixed: "\
spec:
  template:
    spec:
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        ..Docs::BLANK
    },
    check,
};

fn check(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let pod = &spec.template.spec;
    if pod.security_context.fs_group.is_some() {
        return;
    }
    let mut cases = pod.containers.iter().filter_map(|container| {
        let user = user(spec, container)?;
        let mount = fresh(spec, container)?;
        Some((container, user, mount))
    });
    let Some((container, user, path)) = cases.next() else {
        return;
    };
    let (who, help) = match user {
        User::Number(user) => (format!("user {user}"), format!("set fsGroup: {user}")),
        User::OfTheImage => (
            "no root user".to_owned(),
            "set fsGroup to the group of the image's user".to_owned(),
        ),
    };
    let message = format!(
        "{} runs as {who} and mounts a fresh claim at {path}: without fsGroup root alone may write there with most drivers",
        quoted(&container.name)
    );
    violations.push(
        Violation::new("/spec/template/spec/securityContext", message, help).of(&*container.name),
    );
}

/// A user that is not root.
enum User {
    Number(i64),
    OfTheImage,
}

/// As whom a container runs; `None` for root, and where nothing says so.
fn user(spec: &Spec<'_>, container: &Container<'_>) -> Option<User> {
    let (own, pod) = (
        &container.security_context,
        &spec.template.spec.security_context,
    );
    match own.run_as_user.or(pod.run_as_user) {
        Some(0) => None,
        Some(user) => Some(User::Number(user)),
        None => {
            let non_root = own.run_as_non_root.or(pod.run_as_non_root);
            (non_root == Some(true)).then_some(User::OfTheImage)
        }
    }
}

/// Where the container mounts a claim to write to it, that no init container has seen before.
fn fresh<'s>(spec: &'s Spec<'_>, container: &'s Container<'_>) -> Option<&'s str> {
    let init = &spec.template.spec.init_containers;
    let is_prepared = |claim: &str| {
        init.iter().any(|container| {
            container
                .volume_mounts
                .iter()
                .any(|mount| mount.name == *claim)
        })
    };
    let mut mounts = container.volume_mounts.iter();
    let mount = mounts.find(|mount| {
        !mount.read_only && spec.claim(&mount.name).is_some() && !is_prepared(&mount.name)
    });
    mount.map(|mount| &*mount.mount_path)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, web_spec};

    fn says(pod: &Value, container: &Value) -> Vec<String> {
        let mut web = json!({"name": "web", "image": "registry.example/web:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
        json_patch::merge(&mut web, container);
        let mut pods = json!({"containers": [web]});
        json_patch::merge(&mut pods, pod);
        let claims = json!([{"metadata": {"name": "data"}}]);
        let spec = json!({"volumeClaimTemplates": claims, "template": {"spec": pods}});
        Case::create(web_spec(&spec)).says(&MISSING)
    }

    #[test]
    fn a_user_may_write_to_its_disk() {
        let line = |who: &str, help: &str| {
            [format!(
                "spec.template.spec.securityContext: \"web\" runs as {who} and mounts a fresh claim at /data: \
                 without fsGroup root alone may write there with most drivers; {help}"
            )]
        };
        let pod = |context: Value| json!({"securityContext": context});
        assert_eq!(
            says(&pod(json!({"runAsUser": 50000})), &json!({})),
            line("user 50000", "set fsGroup: 50000")
        );
        assert_eq!(
            says(&json!({}), &pod(json!({"runAsUser": 7}))),
            line("user 7", "set fsGroup: 7")
        );
        assert_eq!(
            says(&pod(json!({"runAsNonRoot": true})), &json!({})),
            line(
                "no root user",
                "set fsGroup to the group of the image's user"
            )
        );
    }

    #[test]
    fn root_a_group_or_an_init_container_is_enough() {
        let user = json!({"securityContext": {"runAsUser": 7}});
        let handed_over =
            json!({"name": "init", "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
        for (pod, container) in [
            (
                json!({"securityContext": {"runAsUser": 7, "fsGroup": 0}}),
                json!({}),
            ),
            (json!({"securityContext": {"runAsUser": 0}}), json!({})),
            (user.clone(), json!({"securityContext": {"runAsUser": 0}})),
            (json!({}), json!({})),
            (
                json!({"securityContext": {"runAsUser": 7}, "initContainers": [handed_over]}),
                json!({}),
            ),
            (user.clone(), json!({"volumeMounts": null})),
            (
                user,
                json!({"volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": true}]}),
            ),
        ] {
            assert!(says(&pod, &container).is_empty(), "{pod} {container}");
        }
    }
}
