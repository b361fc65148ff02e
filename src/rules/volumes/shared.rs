//! One claim, or one disk, for several pods.

use crate::cluster_view::Lookup;
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::volumes::is_used;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};

/// Several pods that need a disk which only one of them, or one node, can have.
pub static CLAIM_SHARED: Rule = Rule {
    id: "claim-shared",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "Several pods use one claim, or their claims ask for one volume.",
        why: "`volumeClaimTemplates` gives each pod a claim of its own. With `volumeName` in it every claim asks for the same \
              PersistentVolume: the first gets it, the others stay Pending, and so do their pods.\n\n\
              A claim under `volumes` is one for all pods. If it is `ReadWriteOnce` it can be used on one node only, so pods on other nodes never \
              start; `ReadWriteOncePod` lets one pod start at all. Where the claim is not known, only the operator's audit log has the finding.",
        at: &[
            "spec.volumeClaimTemplates[N].spec.volumeName",
            "spec.template.spec.volumes[N].persistentVolumeClaim.claimName",
        ],
        example: "\
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        volumeName: pv1
        resources: {requests: {storage: 10Gi}}
",
        fix: "Take `volumeName` out, so that each pod gets a volume of its own; for data that all pods share use a claim with `ReadWriteMany` \
              under `volumes`. A set that exists must be made anew for it: `kubectl delete statefulset NAME --cascade=orphan`, then apply.",
        fixed: "\
spec:
  replicas: 3
  template:
    spec:
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
    let replicas = spec.replicas();
    if replicas <= 1 {
        return;
    }
    for (index, claim) in spec.volume_claim_templates.iter().enumerate() {
        let volume = claim.spec.as_ref().map(|spec| &*spec.volume_name);
        let Some(volume) = volume.filter(|volume| !volume.is_empty()) else {
            continue;
        };
        violations.push(
            Violation::new(
                format!("/spec/volumeClaimTemplates/{index}/spec/volumeName"),
                format!(
                    "the claims of all {replicas} pods ask for the one volume {}: the first gets it, the other pods stay Pending",
                    quoted(volume)
                ),
                "remove volumeName, or set replicas: 1",
            )
            .of(&*claim.metadata.name),
        );
    }
    for (index, volume) in spec.template.spec.volumes.iter().enumerate() {
        let Some(source) = &volume.claim else {
            continue;
        };
        if spec.claim(&volume.name).is_some() || !is_used(spec, &volume.name) {
            continue;
        }
        let (sharing, action) = sharing(context, &source.name);
        if let Some(sharing) = sharing {
            let message = format!(
                "all {replicas} pods share the claim {}{sharing}",
                quoted(&source.name)
            );
            let pointer =
                format!("/spec/template/spec/volumes/{index}/persistentVolumeClaim/claimName");
            let help = "use volumeClaimTemplates, or a claim with ReadWriteMany";
            violations.push(
                Violation::new(pointer, message, help)
                    .of(&*volume.name)
                    .with(action),
            );
        }
    }
}

/// What keeps pods from sharing the claim, and how sure that is; nothing where they can.
fn sharing(context: &Context<'_>, claim: &str) -> (Option<&'static str>, Action) {
    let modes = match context.cluster.claim_modes(context.namespace, claim) {
        Lookup::Found(modes) => modes,
        Lookup::Absent | Lookup::Unknown => {
            let unknown = ": unless it is ReadWriteMany, they start on one node only";
            return (Some(unknown), Action::Audit);
        }
    };
    let has = |mode: &str| modes.iter().any(|one| one == mode);
    let effect = if has("ReadWriteMany") || has("ReadOnlyMany") {
        None
    } else if has("ReadWriteOncePod") {
        Some(", which is ReadWriteOncePod: only one of them starts")
    } else {
        has("ReadWriteOnce").then_some(", which is ReadWriteOnce: they start on one node only")
    };
    (effect, Action::Warn)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, World, manifests, mount, mounting};

    fn says(spec: &Value, world: World) -> Vec<String> {
        Case::create(mounting(&mount("data"), spec))
            .among(world)
            .says(&CLAIM_SHARED)
    }

    #[test]
    fn a_volume_is_for_one_claim() {
        let pinned = |replicas: i64, volume: &str| json!({"replicas": replicas, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"volumeName": volume}}]});
        assert_eq!(
            says(&pinned(2, "pv1"), World::default()),
            [
                "spec.volumeClaimTemplates[0].spec.volumeName: the claims of all 2 pods ask for the one volume \"pv1\": \
                 the first gets it, the other pods stay Pending; remove volumeName, or set replicas: 1"
            ]
        );
        assert!(says(&pinned(1, "pv1"), World::default()).is_empty());
        assert!(says(&pinned(2, ""), World::default()).is_empty());
    }

    #[test]
    fn a_claim_that_one_node_can_have_is_not_for_all() {
        let spec = |replicas: i64| {
            let container = json!({"name": "web", "image": "registry.example/web:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]});
            let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "shop"}},
                {"name": "unused", "persistentVolumeClaim": {"claimName": "other"}}]);
            json!({"replicas": replicas, "template": {"spec": {"containers": [container], "volumes": volumes}}})
        };
        let of = |modes: &Value| {
            manifests(&[
                json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "shop"}, "spec": {"accessModes": modes}}),
            ])
        };
        let line = |action: &str, effect: &str| {
            [format!(
                "{action} spec.template.spec.volumes[0].persistentVolumeClaim.claimName: all 3 pods share the claim \"shop\"{effect}; \
                 use volumeClaimTemplates, or a claim with ReadWriteMany"
            )]
        };
        let once = says(&spec(3), of(&json!(["ReadWriteOnce"])));
        let effect = ", which is ReadWriteOnce: they start on one node only";
        assert_eq!(once, line("Warn", effect));
        let one_pod = says(&spec(3), of(&json!(["ReadWriteOncePod"])));
        assert_eq!(
            one_pod,
            line(
                "Warn",
                ", which is ReadWriteOncePod: only one of them starts"
            )
        );
        let unknown = ": unless it is ReadWriteMany, they start on one node only";
        assert_eq!(says(&spec(3), World::default()), line("Audit", unknown));
        assert!(says(&spec(3), of(&json!(["ReadWriteOnce", "ReadWriteMany"]))).is_empty());
        assert!(says(&spec(1), of(&json!(["ReadWriteOnce"]))).is_empty());
    }
}
