//! Volumes (`ValidateVolumes`). A name that is no DNS label has a rule of its own.

use super::at::At;
use super::formats::{amount, between, climbs, one_of, required};
use super::{Cause, Found, claims};
use crate::model::text::quoted;

pub(super) fn check(volumes: &At<'_>, found: &mut Found) {
    let mut seen = std::collections::HashSet::new();
    for volume in volumes.items() {
        let name = volume.field("name");
        if name.text().is_empty() {
            found.add(
                &name,
                Cause::Required,
                "a volume needs a name",
                "write a name for the volume",
            );
        } else if !seen.insert(name.text().to_owned()) {
            let message = format!("two volumes are called {}", quoted(name.text()));
            found.add(
                &name,
                Cause::Duplicate,
                message,
                "give each volume a name of its own",
            );
        }
        sources(&volume, found);
    }
}

/// A volume has one source; without one it is an empty folder.
fn sources(volume: &At<'_>, found: &mut Found) {
    let mut there = volume
        .members()
        .filter(|(key, at)| *key != "name" && at.value().is_some_and(|value| !value.is_null()));
    let first = there.next();
    for (kind, _) in there {
        let other = first.as_ref().map_or("", |(kind, _)| *kind);
        let message = format!("the volume is a {other} already, and may be one thing only");
        found.add(
            &volume.field(kind),
            Cause::Forbidden,
            message,
            format!("keep {other} or {kind}"),
        );
    }
    source(volume, found);
}

fn source(volume: &At<'_>, found: &mut Found) {
    let field = |name| Some(volume.field(name)).filter(At::is_set);
    if let Some(host) = field("hostPath") {
        path_there(&host.field("path"), found);
        let kinds = [
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        ];
        one_of(&host.field("type"), &kinds, found);
    }
    if let Some(empty) = field("emptyDir") {
        let limit = empty.field("sizeLimit");
        if amount(&limit).is_some_and(|amount| amount < 0) {
            found.add(
                &limit,
                Cause::Forbidden,
                "a size must not be below 0",
                "write 0 or more",
            );
        }
    }
    if let Some(secret) = field("secret") {
        required(
            &secret.field("secretName"),
            "write the name of the Secret",
            found,
        );
        files(&secret, found);
    }
    if let Some(map) = field("configMap") {
        required(&map.field("name"), "write the name of the ConfigMap", found);
        files(&map, found);
    }
    if let Some(claim) = field("persistentVolumeClaim") {
        required(
            &claim.field("claimName"),
            "write the name of the claim",
            found,
        );
    }
    if let Some(nfs) = field("nfs") {
        required(
            &nfs.field("server"),
            "write the name of the NFS server",
            found,
        );
        let path = nfs.field("path");
        if required(&path, "write the path on the server", found) && !path.text().starts_with('/') {
            found.add(
                &path,
                Cause::Invalid,
                "must be an absolute path",
                format!("write /{}", path.text()),
            );
        }
    }
    if let Some(csi) = field("csi") {
        required(&csi.field("driver"), "write the name of the driver", found);
    }
    if let Some(downward) = field("downwardAPI") {
        for item in downward.field("items").items() {
            relative(&item.field("path"), found);
        }
    }
    if let Some(projected) = field("projected") {
        projections(&projected, found);
    }
    if let Some(ephemeral) = field("ephemeral") {
        let template = ephemeral.field("volumeClaimTemplate");
        claims::spec(&template.field("spec"), found);
    }
}

fn projections(projected: &At<'_>, found: &mut Found) {
    mode(&projected.field("defaultMode"), found);
    let sources = projected.field("sources");
    for source in sources.items() {
        let mut there = source.members();
        let first = there.next();
        for (kind, _) in there {
            let other = first.as_ref().map_or("", |(kind, _)| *kind);
            let message = format!("the source is a {other} already, and may be one thing only");
            found.add(
                &source.field(kind),
                Cause::Forbidden,
                message,
                "make each source an item of its own",
            );
        }
        for kind in ["secret", "configMap"] {
            let object = source.field(kind);
            if object.is_set() {
                required(&object.field("name"), "write the name of the object", found);
                items(&object, found);
            }
        }
        let token = source.field("serviceAccountToken");
        if token.is_set() {
            relative(&token.field("path"), found);
            let seconds = token.field("expirationSeconds");
            if seconds.int().is_some_and(|seconds| seconds < 600) {
                found.add(
                    &seconds,
                    Cause::Invalid,
                    "a token lives for at least 10 minutes",
                    "write 600 or more",
                );
            }
        }
    }
}

fn files(object: &At<'_>, found: &mut Found) {
    mode(&object.field("defaultMode"), found);
    items(object, found);
}

fn items(object: &At<'_>, found: &mut Found) {
    for item in object.field("items").items() {
        required(&item.field("key"), "write the key of the object", found);
        relative(&item.field("path"), found);
        mode(&item.field("mode"), found);
    }
}

fn mode(at: &At<'_>, found: &mut Found) {
    if at.int().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        between(at, 0, 0o777, found);
    }
}

fn path_there(path: &At<'_>, found: &mut Found) {
    if required(path, "write the path", found) && climbs(path.text()) {
        found.add(
            path,
            Cause::Invalid,
            "the path must not hold \"..\"",
            "write a path without ..",
        );
    }
}

fn relative(path: &At<'_>, found: &mut Found) {
    let text = path.text();
    if !required(path, "write the path of the file in the volume", found) {
        return;
    }
    if text.starts_with('/') {
        found.add(
            path,
            Cause::Invalid,
            "must be a relative path",
            format!("write {}", text.trim_start_matches('/')),
        );
    } else if climbs(text) {
        found.add(
            path,
            Cause::Invalid,
            "the path must not hold \"..\"",
            "write a path without ..",
        );
    }
}
