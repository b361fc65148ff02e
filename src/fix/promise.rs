//! What may be promised of a file: what `fix` can write into it.

use serde_json::Value;

use super::ground::ground;
use super::place::{Placed, concerns, without};
use super::service;
use crate::change::Change;
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
    let is_nothing = row.moves.is_empty() && row.changes.is_empty();
    if is_nothing || !body.is_json() && !body.has_aliases() {
        return Ok(());
    }
    let json: Value = serde_json::from_str(body.json()?.get()).unwrap_or_default();
    let no_place = (body.is_json() && links_to_new_service(row, around))
        .then_some((service::POINTER, service::CANNOT_FOLLOW));
    let (operations, _) = ground(json, &row.patch());
    let placed = Placed::of(body, operations, no_place);
    let before = injected(&row.changes);
    for lost in &placed.lost {
        row.moves = without(std::mem::take(&mut row.moves), &lost.pointer);
        row.changes.retain(|change| {
            let operations = change.operations();
            !operations
                .iter()
                .any(|operation| concerns(operation, &lost.pointer))
        });
    }
    let gone = before.saturating_sub(injected(&row.changes));
    row.injections = row.injections.saturating_sub(gone);
    Ok(())
}

/// Whether the set would be linked to a Service that nobody has.
fn links_to_new_service(row: &Row, around: &dyn ClusterView) -> bool {
    let name = service_name(&row.name);
    let links = row
        .changes
        .iter()
        .any(|change| matches!(change, Change::SetServiceName(own) if *own == name));
    links && !matches!(around.service(&row.namespace, &name), Lookup::Found(_))
}

/// How many of the changes count as injections: a mount belongs to its claim.
fn injected(changes: &[Change]) -> usize {
    let counts = |change: &&Change| {
        matches!(
            change,
            Change::SetServiceName(_)
                | Change::AddClaim { .. }
                | Change::CompleteClaim { .. }
                | Change::SetProbe { .. }
        )
    };
    changes.iter().filter(counts).count()
}
