//! What containers make of the claims.

use std::collections::HashMap;

use super::{claims, dangling, unmounted, uses};
use crate::inject::record::{Record, claim_key};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::Volume;

/// A block device mounted as files, or files used as a device.
pub static MODE_MISMATCH: Rule = Rule {
    id: "claim-mode-mismatch",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A block device is mounted as a folder, or a file system is used as a device.",
        why: "A claim with `volumeMode: Block` is a raw disk without a file system. A container gets it under `volumeDevices`, as a device \
              file; every other claim has a file system, and a container gets it under `volumeMounts`, as a folder. Every API server accepts \
              the two crossed, and no pod ever starts: the kubelet refuses to set the volume up.",
        at: &[
            "spec.template.spec.containers[N].volumeMounts[N].name",
            "spec.template.spec.containers[N].volumeDevices[N].name",
        ],
        example: "\
spec:
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
        volumeMode: Block
",
        fix: "For a folder take `volumeMode: Block` out of the claim. A program that wants the raw disk gets it under `volumeDevices`.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeDevices:
            - {name: data, devicePath: /dev/data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
        volumeMode: Block
",
        ..Docs::BLANK
    },
    check: mode_mismatch,
};

fn mode_mismatch(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if spec.volume_claim_templates.is_empty() {
        return;
    }
    let claims = claims(spec);
    for used in uses(spec) {
        let Some(claim) = claims.get(used.volume) else {
            continue;
        };
        let mode = claim.spec.as_ref().map(|spec| &*spec.volume_mode);
        let is_block = mode == Some("Block");
        if is_block == used.is_device() {
            continue;
        }
        let (message, help) = if is_block {
            (
                "is a block device, and a mount needs a file system: no pod ever starts",
                "list it under volumeDevices, or drop volumeMode: Block",
            )
        } else {
            (
                "has a file system, and a device needs volumeMode: Block: no pod ever starts",
                "list it under volumeMounts, or write volumeMode: Block",
            )
        };
        violations.push(
            Violation::new(
                used.pointer(),
                format!("the claim {} {message}", quoted(used.volume)),
                help,
            )
            .of(format!("{}/{}", used.container, used.volume)),
        );
    }
}

/// A claim that nobody uses.
pub static UNMOUNTED: Rule = Rule {
    id: "claim-unmounted",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "No container mounts a claim of `volumeClaimTemplates`.",
        why: "Each pod gets a disk that stays empty and is paid for. What the program writes goes into the container's own file system and is \
              lost with the pod, although a claim was meant to keep it.",
        at: &["spec.volumeClaimTemplates[N]"],
        example: "\
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Mount it in the container that keeps data, at the folder where its program writes. Or remove the claim, as long as the set does \
              not exist yet: later the list cannot be changed.",
        fixed: "\
spec:
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
    check: claim_unmounted,
};

fn claim_unmounted(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if dangling(spec).next().is_some() {
        return; // mount-without-volume says both
    }
    for (index, claim) in unmounted(spec) {
        let name = &*claim.metadata.name;
        // a claim without a name is what `claim-name-invalid` tells
        if name.is_empty() {
            continue;
        }
        violations.push(
            Violation::new(
                format!("/spec/volumeClaimTemplates/{index}"),
                format!(
                    "no container mounts {}: each pod's disk stays empty",
                    quoted(name)
                ),
                "add it to volumeMounts of the container that keeps data",
            )
            .of(name),
        );
    }
}

/// A claim that takes a volume's place.
pub static SHADOWS_VOLUME: Rule = Rule {
    id: "claim-shadows-volume",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A volume with content and a claim of `volumeClaimTemplates` have one name.",
        why: "The claim silently takes the volume's place: the pods see an empty disk where the ConfigMap, the Secret or the share should be. \
              An `emptyDir` of that name loses nothing and is not reported, unless the claim is one that steadyset added.",
        at: &["spec.volumeClaimTemplates[N]"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: config, mountPath: /config}
      volumes:
        - name: config
          configMap: {name: web}
  volumeClaimTemplates:
    - metadata: {name: config}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Give one of the two another name, and mount both.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: config, mountPath: /config}
            - {name: data, mountPath: /data}
      volumes:
        - name: config
          configMap: {name: web}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        ..Docs::BLANK
    },
    check: shadows_volume,
};

fn shadows_volume(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    if spec.volume_claim_templates.is_empty() || spec.template.spec.volumes.is_empty() {
        return;
    }
    let record = Record::of(context.set).unwrap_or_default();
    let volumes = spec.template.spec.volumes.iter().rev();
    let volumes: HashMap<&str, &Volume<'_>> =
        volumes.map(|volume| (&*volume.name, volume)).collect();
    for (index, claim) in spec.volume_claim_templates.iter().enumerate() {
        let name = &claim.metadata.name;
        let Some(volume) = volumes.get(&**name) else {
            continue;
        };
        let ours = record.is_injected(&claim_key(name));
        let lost = lost_content(volume);
        let (message, help) = match (lost, ours) {
            (None, false) => continue,
            (Some(source), _) => (
                format!(
                    "it takes the place of the {source} volume {}, whose content is lost",
                    quoted(name)
                ),
                "give one of the two another name",
            ),
            (None, true) => (
                format!(
                    "the injected claim takes the place of your volume {}",
                    quoted(name)
                ),
                "give your volume another name",
            ),
        };
        violations.push(
            Violation::new(format!("/spec/volumeClaimTemplates/{index}"), message, help)
                .of(&**name),
        );
    }
}

/// What the volume shows that a claim would hide; an empty folder or another claim is what the claim is meant to replace.
fn lost_content<'v>(volume: &'v Volume<'_>) -> Option<&'v str> {
    const CONTENT: [&str; 7] = [
        "configMap",
        "secret",
        "projected",
        "downwardAPI",
        "hostPath",
        "csi",
        "nfs",
    ];
    let mut sources = volume.sources.iter();
    sources
        .find(|source| CONTENT.contains(&&***source))
        .map(|source| &**source)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, fires, mount, mounting};

    #[test]
    fn a_block_device_is_no_folder() {
        let claim = |mode: &str| json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"volumeMode": mode}}]});
        let device = json!({"volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]});
        assert_eq!(
            Case::create(mounting(&mount("data"), &claim("Block"))).says(&MODE_MISMATCH),
            [
                "spec.template.spec.containers[0].volumeMounts[0].name: the claim \"data\" is a block device, and a mount needs a file \
                 system: no pod ever starts; list it under volumeDevices, or drop volumeMode: Block"
            ]
        );
        assert_eq!(
            Case::create(mounting(&device, &claim(""))).says(&MODE_MISMATCH),
            [
                "spec.template.spec.containers[0].volumeDevices[0].name: the claim \"data\" has a file system, and a device needs \
                 volumeMode: Block: no pod ever starts; list it under volumeMounts, or write volumeMode: Block"
            ]
        );
        assert!(!fires(
            &MODE_MISMATCH,
            mounting(&mount("data"), &claim("Filesystem"))
        ));
        assert!(!fires(&MODE_MISMATCH, mounting(&device, &claim("Block"))));
    }

    #[test]
    fn a_claim_is_mounted() {
        let claim = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
        assert_eq!(
            Case::create(mounting(&json!({}), &claim)).says(&UNMOUNTED),
            [
                "spec.volumeClaimTemplates[0]: no container mounts \"data\": each pod's disk stays empty; \
                 add it to volumeMounts of the container that keeps data"
            ]
        );
        assert!(!fires(&UNMOUNTED, mounting(&mount("data"), &claim)));
        let dangling = mounting(&mount("dta"), &claim);
        assert!(!fires(&UNMOUNTED, dangling), "one finding with the mount");
    }

    #[test]
    fn a_claim_hides_no_content() {
        let with = |volume: serde_json::Value| {
            mounting(
                &mount("data"),
                &json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}],
                    "template": {"spec": {"volumes": [volume]}}}),
            )
        };
        assert_eq!(
            Case::create(with(json!({"name": "data", "configMap": {"name": "web"}})))
                .says(&SHADOWS_VOLUME),
            [
                "spec.volumeClaimTemplates[0]: it takes the place of the configMap volume \"data\", whose content is lost; \
                 give one of the two another name"
            ]
        );
        for volume in [
            json!({"name": "data", "emptyDir": {}}),
            json!({"name": "data", "persistentVolumeClaim": {"claimName": "x"}}),
            json!({"name": "data"}),
            json!({"name": "other", "configMap": {}}),
        ] {
            assert!(!fires(&SHADOWS_VOLUME, with(volume.clone())), "{volume}");
        }
        let mut set = with(json!({"name": "data", "emptyDir": {}}));
        let record = json!({"claim/data": {"state": "injected", "value": {}, "source": "policy", "version": "0.1.0"}});
        set["metadata"]["annotations"] = json!({"steadyset.io/injected": record.to_string()});
        assert_eq!(
            Case::create(set).says(&SHADOWS_VOLUME),
            [
                "spec.volumeClaimTemplates[0]: the injected claim takes the place of your volume \"data\"; give your volume another name"
            ]
        );
    }
}
