//! Databases that write beside the claim that was made for them.

use crate::catalogue::{self, DataFolder};
use crate::model::finding::Action;
use crate::model::text::quoted;
use crate::rules::{About, Builtin, Context, Docs, Rule, Violation};
use crate::statefulset::set::{Container, PodSpec, Spec, VolumeMount};

/// A database whose data is on no claim, although the container mounts one.
pub static OUTSIDE_CLAIM: Rule = Rule {
    id: "data-outside-claim",
    action: Action::Warn,
    builtin: Builtin::Never,
    early: false,
    may_deny: true,
    about: About::Set,
    docs: Docs {
        file: file!(),
        what: "A database keeps its data in a folder that is on no claim, although the container mounts one.",
        why: "Each image writes its data into one folder. A claim that is mounted at another folder stays empty, and the data is lost with \
              the container: after every restart the database begins anew.\n\n\
              A claim that is mounted above the folder does not help where the image declares the folder as a `VOLUME`: the container runtime \
              then puts an empty folder of the node there. PostgreSQL images up to 17 declare `/var/lib/postgresql/data`, those from 18 on \
              `/var/lib/postgresql`. `PGDATA` names another folder, which must be on the claim.\n\n\
              The rule knows the folders of the images that `steadyset explain catalogue` lists. It is silent where the command or a \
              configuration file may name another folder.",
        at: &["spec.template.spec.containers[N].volumeMounts[N].mountPath"],
        example: "\
spec:
  template:
    spec:
      containers:
        - name: postgres
          image: postgres:17
          volumeMounts:
            - {name: data, mountPath: /var/lib/postgresql}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 10Gi}}
",
        fix: "Mount the claim at the folder that the message names. In a set that runs, copy the data out first (`pg_dump`), because it is \
              still only in the running containers.",
        fixed: "\
spec:
  template:
    spec:
      containers:
        - name: postgres
          image: postgres:17
          volumeMounts:
            - {name: data, mountPath: /var/lib/postgresql/data}
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
    for (index, container) in spec.template.spec.containers.iter().enumerate() {
        let Some(lost) = lost(spec, container) else {
            continue;
        };
        violations.push(
            Violation::new(
                format!(
                    "/spec/template/spec/containers/{index}/volumeMounts/{}/mountPath",
                    lost.mount
                ),
                format!(
                    "{} keeps its data in {}, which is on no claim: it is lost with the container",
                    lost.system, lost.folder
                ),
                format!("mount {} at {}", quoted(lost.claim), lost.mount_at),
            )
            .of(&*container.name),
        );
    }
}

/// Data that is lost, and the claim that was probably meant for it.
struct Lost<'s> {
    system: &'static str,
    folder: String,
    mount_at: String,
    mount: usize,
    claim: &'s str,
}

fn lost<'s>(spec: &'s Spec<'_>, container: &'s Container<'_>) -> Option<Lost<'s>> {
    let system = catalogue::running(container).filter(|system| !system.data.is_empty())?;
    let claims: Vec<_> = claims(spec, container).collect();
    if claims.is_empty() {
        return None;
    }
    let mut folders = Vec::new();
    for data in system.data_folders(&container.image) {
        folders.push((data, folder(data, container)?));
    }
    let (data, path) = folders.last()?;
    let on_claim = |(data, path): &(&DataFolder, String)| is_mounted(data, path, container);
    if folders.iter().any(on_claim) {
        return None;
    }
    let related = claims.iter().find(|(_, mount)| {
        is_within(&mount.mount_path, path) || is_within(path, &mount.mount_path)
    });
    if related.is_none() && may_be_told(&spec.template.spec, container) {
        return None;
    }
    let (mount, claim) = related.or(claims.first())?;
    let mount_at = if *path == own_folder(data, &container.image) && !data.volume.is_empty() {
        data.volume.to_owned()
    } else {
        path.clone()
    };
    Some(Lost {
        system: system.name,
        folder: path.clone(),
        mount_at,
        mount: *mount,
        claim: &claim.name,
    })
}

/// The mounts of claims, with their place; none where the command names one of them.
fn claims<'s, 'a>(
    spec: &'s Spec<'a>,
    container: &'s Container<'a>,
) -> impl Iterator<Item = (usize, &'s VolumeMount<'a>)> {
    let mounts = container.volume_mounts.iter().enumerate();
    mounts.filter(|(_, mount)| {
        let mut volumes = spec.template.spec.volumes.iter();
        let is_claim = spec.claim(&mount.name).is_some()
            || volumes.any(|volume| volume.name == *mount.name && volume.claim.is_some());
        is_claim && !is_named(container, &mount.mount_path)
    })
}

/// Whether the command or a variable speaks of that folder, or of one in it. A variable that the image reads is judged by itself.
fn is_named(container: &Container<'_>, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let words = container.command.iter().chain(&container.args);
    !folder.is_empty() && words.into_iter().any(|word| word.contains(folder))
}

/// The folder of the data; `None` where it is not known.
fn folder(data: &DataFolder, container: &Container<'_>) -> Option<String> {
    let mut variables = container.env.iter();
    let told =
        variables.find(|variable| !data.variable.is_empty() && variable.name == *data.variable);
    match told.map(|variable| &*variable.value) {
        None => Some(own_folder(data, &container.image)),
        Some(path) if path.starts_with('/') && !path.contains("$(") => {
            Some(path.trim_end_matches('/').to_owned())
        }
        Some(_) => None,
    }
}

/// The image's own folder. `PostgreSQL` names it by its version from 18 on.
fn own_folder(data: &DataFolder, image: &str) -> String {
    let major = catalogue::version(image).map_or(data.versions.from.0, |(major, _)| major);
    data.path.replace("{major}", &major.to_string())
}

/// Whether something is mounted there that is meant to be: the image's own volume is nearer than a mount above it.
fn is_mounted(data: &DataFolder, path: &str, container: &Container<'_>) -> bool {
    let mounts = container.volume_mounts.iter();
    let nearest = mounts
        .map(|mount| mount.mount_path.trim_end_matches('/'))
        .filter(|mounted| is_within(path, mounted))
        .map(str::len)
        .max();
    let is_in_volume = !data.volume.is_empty() && is_within(path, data.volume);
    let own = is_in_volume.then_some(data.volume.len());
    nearest.is_some() && nearest >= own
}

/// Whether a path is a folder or in it.
fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let rest = path.trim_end_matches('/').strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a command or a file of the configuration may name another folder than the image's own.
fn may_be_told(pod: &PodSpec<'_>, container: &Container<'_>) -> bool {
    let is_configuration = |mount: &VolumeMount<'_>| {
        let volume = pod.volumes.iter().find(|volume| volume.name == mount.name);
        volume.is_some_and(|volume| volume.claim.is_none())
            && !mount.mount_path.starts_with("/docker-entrypoint-initdb.d")
    };
    !container.command.is_empty()
        || !container.args.is_empty()
        || container.volume_mounts.iter().any(is_configuration)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::testing::{Case, mounting};

    fn says(image: &str, path: &str, changes: &Value) -> Vec<String> {
        let mut container =
            json!({"image": image, "volumeMounts": [{"name": "data", "mountPath": path}]});
        json_patch::merge(&mut container, changes);
        let claims = json!([{"metadata": {"name": "data"}, "spec": {}}]);
        let volumes = json!([{"name": "config", "configMap": {"name": "config"}}]);
        let spec =
            json!({"volumeClaimTemplates": claims, "template": {"spec": {"volumes": volumes}}});
        let mut set = mounting(&container, &json!({}));
        json_patch::merge(&mut set["spec"], &spec);
        Case::create(set).says(&OUTSIDE_CLAIM)
    }

    #[test]
    fn data_is_on_the_claim() {
        let line = |system: &str, folder: &str, at: &str| {
            format!(
                "spec.template.spec.containers[0].volumeMounts[0].mountPath: {system} keeps its data in {folder}, \
                 which is on no claim: it is lost with the container; mount \"data\" at {at}"
            )
        };
        let postgres = |folder| [line("postgresql", folder, "/var/lib/postgresql/data")];
        let old = "/var/lib/postgresql/data";
        for (image, path, expected) in [
            ("postgres:15.5-alpine", "/var/lib/postgresql", old),
            ("pgvector/pgvector:pg16", "/var/lib/postgresql/", old),
            ("postgres:17", "/var/lib/postgresql/data/pgdata", old),
        ] {
            assert_eq!(
                says(image, path, &json!({})),
                postgres(expected),
                "{image} {path}"
            );
        }
        assert_eq!(
            says("postgres:18", old, &json!({})),
            [line(
                "postgresql",
                "/var/lib/postgresql/18/docker",
                "/var/lib/postgresql"
            )]
        );
        assert_eq!(
            says("mysql:8.4", "/var/lib/mysql-data", &json!({})),
            [line("mysql", "/var/lib/mysql", "/var/lib/mysql")]
        );
        assert_eq!(
            says("mongo:7", "/data", &json!({})),
            [line("mongodb", "/data/db", "/data/db")]
        );
        let told = json!({"env": [{"name": "PGDATA", "value": "/pgdata"}]});
        assert_eq!(
            says("postgres:17", old, &told),
            [line("postgresql", "/pgdata", "/pgdata")]
        );
        let in_volume =
            json!({"env": [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"}]});
        assert_eq!(
            says("postgres:17", "/var/lib/postgresql", &in_volume),
            [line(
                "postgresql",
                "/var/lib/postgresql/data/pgdata",
                "/var/lib/postgresql/data/pgdata"
            )]
        );
    }

    #[test]
    fn a_claim_at_the_folder_or_above_it_is_fine() {
        let pgdata = |path: &str| json!({"env": [{"name": "PGDATA", "value": path}]});
        for (image, path, changes) in [
            ("postgres:17", "/var/lib/postgresql/data", json!({})),
            ("postgres:18.1", "/var/lib/postgresql", json!({})),
            ("postgres:18", "/var/lib/postgresql/18/docker", json!({})),
            ("postgres", "/var/lib/postgresql/data", json!({})),
            ("postgres", "/var/lib/postgresql", json!({})),
            (
                "postgres:17",
                "/var/lib/postgresql/data",
                pgdata("/var/lib/postgresql/data/pgdata"),
            ),
            ("postgres:17", "/pgdata", pgdata("/pgdata/main")),
            (
                "postgres:17",
                "/var/lib/postgresql",
                pgdata("/var/lib/postgresql/main"),
            ),
            (
                "elasticsearch:8.17.0",
                "/usr/share/elasticsearch",
                json!({}),
            ),
            // subfolders of the data
            ("influxdb:1.8", "/var/lib/influxdb", json!({})),
            ("cassandra:5", "/var/lib/cassandra/data", json!({})),
        ] {
            assert!(says(image, path, &changes).is_empty(), "{image} {path}");
        }
    }

    #[test]
    fn a_folder_that_somebody_may_have_told_is_not_guessed() {
        let mounts = |path: &str| json!({"volumeMounts": [{"name": "data", "mountPath": "/mnt/data"}, {"name": "config", "mountPath": path}]});
        let from = json!({"env": [{"name": "PGDATA", "valueFrom": {"configMapKeyRef": {"name": "pg", "key": "dir"}}}]});
        for (image, changes) in [
            ("mysql:8", mounts("/etc/mysql/conf.d")),
            ("mysql:8", json!({"args": ["--datadir=/mnt/data/mysql"]})),
            (
                "mongo:7",
                json!({"command": ["mongod", "--dbpath", "/mnt/data"]}),
            ),
            ("postgres:17", from),
            ("bitnami/postgresql:17", json!({})),
            ("nginx", json!({})),
            ("postgres:17", json!({"command": ["sleep", "infinity"]})),
        ] {
            assert!(
                says(image, "/mnt/data", &changes).is_empty(),
                "{image} {changes}"
            );
        }
        let scripts = says(
            "postgres:17",
            "/mnt/data",
            &mounts("/docker-entrypoint-initdb.d"),
        );
        assert_eq!(
            scripts.len(),
            1,
            "scripts of the first start name no folder"
        );
    }

    #[test]
    fn a_set_without_a_claim_means_to_keep_nothing() {
        let container = json!({"image": "postgres:17", "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql"}]});
        let volumes =
            json!({"template": {"spec": {"volumes": [{"name": "data", "emptyDir": {}}]}}});
        let mut set = mounting(&container, &json!({}));
        json_patch::merge(&mut set["spec"], &volumes);
        assert!(Case::create(set.clone()).says(&OUTSIDE_CLAIM).is_empty());
        set["spec"]["template"]["spec"]["volumes"][0] =
            json!({"name": "data", "persistentVolumeClaim": {"claimName": "data"}});
        assert_eq!(Case::create(set).says(&OUTSIDE_CLAIM).len(), 1);
    }
}
