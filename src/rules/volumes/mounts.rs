//! Mounts by themselves: what they name, and where they appear.

use std::collections::HashSet;

use super::{dangling, unmounted};
use crate::model::finding::{Action, Phase};
use crate::model::spelling::nearest;
use crate::model::steps::Steps;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::{Set, Spec};

/// A mount of nothing (kubernetes/kubernetes#131790 for the server's own check; VictoriaMetrics/operator#1303 for what
/// happens before).
pub static WITHOUT_VOLUME: Rule = Rule {
    id: "mount-without-volume",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A container mounts a volume that neither `volumes` nor `volumeClaimTemplates` declares.",
        why: "A mount names a volume: one of the template's `volumes`, or a claim of `volumeClaimTemplates`. Without it no pod can be created. \
              From 1.34 the API server refuses the set; before, it accepts the set, and creating each pod fails for ever.\n\n\
              Where nothing says that something else was meant, steadyset adds a claim of that name when the set is created. It does not where \
              a volume or claim of a similar name exists, as here. At admission it is a \
              warning first, because another webhook may still add the volume; refused is the set as it would be stored.",
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
            - {name: Data, mountPath: /data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Write the name exactly as it is declared, or declare it: in `volumeClaimTemplates` for data to keep, in the template's `volumes` \
              for all else.",
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
    check: without_volume,
};

fn without_volume(context: &Context<'_>, violations: &mut Vec<Violation>) {
    let spec = &context.set.spec;
    let mut advice = Advice::of(context.set);
    let mut said: HashSet<&str> = HashSet::new();
    for used in dangling(spec) {
        if !said.insert(used.volume) {
            continue;
        }
        let violation = Violation::new(
            used.pointer(),
            format!("there is no volume and no claim {}", quoted(used.volume)),
            advice.on(used.volume),
        )
        .of(used.volume);
        violations.push(match context.phase {
            // A later webhook may still add the volume.
            Phase::Mutate => violation.warns_at_most(),
            Phase::Validate | Phase::File => violation,
        });
    }
}

/// What a mount of nothing may have been meant to name.
struct Advice<'s> {
    spec: &'s Spec<'s>,
    /// How many names are compared yet: each mount with all that is declared would cost the product of both lists.
    comparisons: Steps,
    /// A claim that nothing mounts.
    idle: Option<&'s str>,
}

/// Enough for 100 mounts of nothing in a set of 100 volumes and claims.
const COMPARISONS: usize = 10_000;

impl<'s> Advice<'s> {
    fn of(set: &'s Set<'s>) -> Self {
        let comparisons = if set.excesses().is_empty() {
            COMPARISONS
        } else {
            0
        };
        Self {
            spec: &set.spec,
            comparisons: Steps::new(comparisons),
            idle: None,
        }
    }

    fn on(&mut self, volume: &str) -> String {
        let claims = self.spec.volume_claim_templates.iter();
        let volumes = self.spec.template.spec.volumes.iter();
        let names = claims
            .map(|claim| &*claim.metadata.name)
            .chain(volumes.map(|volume| &*volume.name));
        if self.comparisons.take(names.clone().count())
            && let Some(near) = nearest(volume, names)
        {
            return format!("did you mean {}?", quoted(near));
        }
        if self.idle.is_none() {
            let mut unmounted = unmounted(self.spec);
            self.idle = Some(
                unmounted
                    .next()
                    .map_or("", |(_, claim)| &claim.metadata.name),
            );
        }
        match self.idle {
            Some(idle) if !idle.is_empty() => format!(
                "mount the claim {}, which nothing mounts, or declare this one",
                quoted(idle)
            ),
            _ => "declare it in volumeClaimTemplates (data to keep) or in the template's volumes"
                .to_owned(),
        }
    }
}

/// A mount that appears nowhere.
pub static PATH_MISSING: Rule = Rule {
    id: "mount-path-missing",
    action: Action::Deny,
    builtin: Builtin::Since(34),
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A volume mount has no `mountPath`.",
        why: "`mountPath` is the folder in the container where the volume appears. From 1.34 the API server refuses the set without it; \
              before, it accepts the set and no pod can be created.",
        at: &["spec.template.spec.containers[N].volumeMounts[N].mountPath"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          volumeMounts:
            - {name: data}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Write the folder in which the program keeps its files.",
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
    check: path_missing,
};

fn path_missing(context: &Context<'_>, violations: &mut Vec<Violation>) {
    for (place, container) in context.set.spec.template.spec.all_containers() {
        for (index, mount) in container.volume_mounts.iter().enumerate() {
            if mount.mount_path.is_empty() {
                violations.push(
                    Violation::new(
                        format!("{place}/volumeMounts/{index}/mountPath"),
                        format!("the mount of {} says no path", quoted(&mount.name)),
                        "write where it is to appear, such as mountPath: /data",
                    )
                    .of(format!("{}/{}", container.name, mount.name)),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::testing::{Case, fires, mount, mounting};

    const NAME: &str = "spec.template.spec.containers[0].volumeMounts[0].name";

    #[test]
    fn a_mount_names_what_was_meant() {
        let claim = |name| json!({"volumeClaimTemplates": [{"metadata": {"name": name}}]});
        for (name, spec, help) in [
            ("Data", claim("data"), "did you mean \"data\"?"),
            (
                "workdir",
                claim("working-dir"),
                "did you mean \"working-dir\"?",
            ),
            (
                "data",
                claim("x"),
                "mount the claim \"x\", which nothing mounts, or declare this one",
            ),
            (
                "data",
                json!({}),
                "declare it in volumeClaimTemplates (data to keep) or in the template's volumes",
            ),
        ] {
            let case = Case::create(mounting(&mount(name), &spec));
            assert_eq!(
                case.says(&WITHOUT_VOLUME),
                [format!(
                    "{NAME}: there is no volume and no claim \"{name}\"; {help}"
                )]
            );
        }
    }

    #[test]
    fn every_kind_of_container_and_use_counts_and_each_name_once() {
        let spec = json!({"template": {"spec": {"initContainers": [{"name": "init",
            "volumeMounts": [{"name": "gone", "mountPath": "/a"}, {"name": "seed", "mountPath": "/b"}]}]}}});
        let container = json!({"volumeMounts": [{"name": "gone", "mountPath": "/a"}],
            "volumeDevices": [{"name": "disk", "devicePath": "/dev/x"}]});
        let violations = Case::create(mounting(&container, &spec)).violations(&WITHOUT_VOLUME);
        let pointers: Vec<_> = violations
            .into_iter()
            .map(|violation| violation.pointer)
            .collect();
        assert_eq!(
            pointers,
            [
                "/spec/template/spec/containers/0/volumeMounts/0/name",
                "/spec/template/spec/containers/0/volumeDevices/0/name",
                "/spec/template/spec/initContainers/0/volumeMounts/1/name",
            ]
        );
    }

    #[test]
    fn volumes_and_claims_may_be_mounted() {
        let volume = json!({"template": {"spec": {"volumes": [{"name": "data", "emptyDir": {}}]}}});
        let claim = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
        for spec in [volume, claim] {
            assert!(
                !fires(&WITHOUT_VOLUME, mounting(&mount("data"), &spec)),
                "{spec}"
            );
        }
    }

    #[test]
    fn on_mutate_it_warns_where_the_server_denies() {
        let at = |phase, version| {
            let case = Case::create(mounting(&mount("data"), &json!({})));
            let violations = case.at(phase).on(version).violations(&WITHOUT_VOLUME);
            violations.first().map(|violation| violation.action)
        };
        assert_eq!(at(Phase::Mutate, "1.36.3"), Some(Some(Action::Warn)));
        assert_eq!(at(Phase::Mutate, "1.33.0"), None);
        assert_eq!(at(Phase::Validate, "1.33.0"), Some(None));
    }

    #[test]
    fn a_mount_has_a_path() {
        let set = mounting(&json!({"volumeMounts": [{"name": "data"}]}), &json!({}));
        assert_eq!(
            Case::create(set).says(&PATH_MISSING),
            [
                "spec.template.spec.containers[0].volumeMounts[0].mountPath: the mount of \"data\" says no path; \
                 write where it is to appear, such as mountPath: /data"
            ]
        );
        assert!(!fires(&PATH_MISSING, mounting(&mount("data"), &json!({}))));
    }
}
