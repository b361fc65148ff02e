//! What containers make of the claims.

use super::{claim, dangling, unmounted, uses};
use crate::inject::record::{Record, claim_key};
use crate::rules::{Action, Builtin, Context, Docs, Rule, Violation, quoted};
use crate::subject::set::Volume;

/// A block device mounted as files, or files used as a device.
pub static MODE_MISMATCH: Rule = Rule {
    id: "claim-mode-mismatch",
    action: Action::Deny,
    builtin: Builtin::Never,
    early: false,
    docs: Docs {
        what: "A claim with `volumeMode: Block` is listed under `volumeMounts`, or one with a file system under `volumeDevices`.",
        why: "Every API server accepts it, and no pod ever starts: the kubelet refuses to set the volume up.",
        example: "volumeMounts: [{name: disk, mountPath: /disk}]\n---\nvolumeClaimTemplates:\n  - metadata: {name: disk}\n    spec: {volumeMode: Block}\n",
        fix: "List a block claim under `volumeDevices` with a `devicePath`, or take `volumeMode: Block` out of the claim.",
    },
    check: mode_mismatch,
};

fn mode_mismatch(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    for used in uses(spec) {
        let Some(claim) = claim(spec, used.volume) else {
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
    docs: Docs {
        what: "No container mounts a claim of `volumeClaimTemplates`.",
        why: "Each pod gets a disk that stays empty, and what the program writes is lost with the pod.",
        example: "spec:\n  volumeClaimTemplates:\n    - metadata: {name: data}\n  # and no volumeMounts entry called data\n",
        fix: "Add the mount to the container that keeps data: `volumeMounts: [{name: data, mountPath: /data}]`. Or remove the claim, as long as the \
              set does not exist yet.",
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
    docs: Docs {
        what: "A volume of the template and a claim of `volumeClaimTemplates` have one name, and the volume holds something.",
        why: "The claim silently takes the volume's place (`updateStorage` in the controller): the pods see an empty disk where the ConfigMap, the \
              Secret or the share should be.",
        example: "spec:\n  template:\n    spec:\n      volumes:\n        - name: config\n          configMap: {name: web}\n  volumeClaimTemplates:\n    \
                  - metadata: {name: config}\n",
        fix: "Give one of the two another name, and mount both.",
    },
    check: shadows_volume,
};

fn shadows_volume(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let record = Record::of(context.set).unwrap_or_default();
    for (index, claim) in spec.volume_claim_templates.iter().enumerate() {
        let name = &claim.metadata.name;
        let mut volumes = spec.template.spec.volumes.iter();
        let Some(volume) = volumes.find(|volume| volume.name == *name) else {
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
