//! What may be promised of a file: what `fix` can write into it.

use std::collections::BTreeSet;

use json_patch::PatchOperation;
use serde_json::Value;

use super::ground::ground;
use super::place::{Placed, without};
use super::service;
use crate::cluster_view::{ClusterView, Lookup};
use crate::inject::service::service_name;
use crate::review::report::Row;
use crate::yaml::read::{Body, Broken};

/// Takes out of a row what cannot be written into its file: what stands in an anchored value that is used elsewhere too, and the link
/// to a Service that cannot follow in a file of JSON.
///
/// # Errors
///
/// [`Broken`] for what JSON cannot say.
pub(crate) fn keep_writable(
    row: &mut Row,
    body: &Body<'_>,
    around: &dyn ClusterView,
) -> Result<(), Broken> {
    if row.patch.is_empty() || !body.is_json() && !body.has_aliases() {
        return Ok(());
    }
    let json: Value = serde_json::from_str(body.json()?.get()).unwrap_or_default();
    let no_place = (body.is_json() && links_to_new_service(row, around))
        .then_some((service::POINTER, service::CANNOT_FOLLOW));
    let (operations, _) = ground(json, &row.patch);
    let placed = Placed::of(body, operations, no_place);
    let before = injected(&row.patch);
    for lost in &placed.lost {
        row.patch = without(std::mem::take(&mut row.patch), &lost.pointer);
    }
    let gone = before.difference(&injected(&row.patch)).count();
    row.injections = row.injections.saturating_sub(gone);
    Ok(())
}

/// Whether the set would be linked to a Service that nobody has.
fn links_to_new_service(row: &Row, around: &dyn ClusterView) -> bool {
    let name = service_name(&row.name);
    let links = row.patch.iter().any(|operation| {
        matches!(operation, PatchOperation::Add(add)
            if add.path.as_str() == service::POINTER && add.value == *name)
    });
    links && !matches!(around.service(&row.namespace, &name), Lookup::Found(_))
}

/// What is counted as an injection, each by its field: a claim counts once, whatever it lacks, and a mount belongs to its claim.
fn injected(patch: &[PatchOperation]) -> BTreeSet<String> {
    const CLAIMS: &str = "/spec/volumeClaimTemplates/";
    let added = patch.iter().filter_map(|operation| match operation {
        PatchOperation::Add(add) => Some(add.path.as_str()),
        _ => None,
    });
    let fields = added.filter(|path| !path.contains("/volumeMounts"));
    fields
        .map(|path| match path.strip_prefix(CLAIMS) {
            Some(rest) => format!("{CLAIMS}{}", rest.split('/').next().unwrap_or_default()),
            None => path.to_owned(),
        })
        .collect()
}
