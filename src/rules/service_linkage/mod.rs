//! `spec.serviceName`: the headless Service that gives each pod its DNS name.

use std::sync::Arc;

use crate::cluster_view::Service;
use crate::inject::record::Record;
use crate::inject::service::kept;
use crate::model::finding::Action;
use crate::rules::Context;

pub mod deadlock;
pub mod invalid;
pub mod links;
pub mod name;
pub mod ports;
pub mod selector;
pub mod service;

/// All findings of this family point here.
const POINTER: &str = "/spec/serviceName";

/// With one pod or none, nobody looks for the others by name: 26 % of maintained charts would be warned for nothing.
fn action(context: &Context<'_>) -> Action {
    if context.set.spec.replicas() > 1 {
        Action::Warn
    } else {
        Action::Audit
    }
}

/// The named Service, where it is there.
fn governing(context: &Context<'_>) -> Option<Arc<Service>> {
    let name = &*context.set.spec.service_name;
    if name.is_empty() {
        return None;
    }
    context.cluster.service(context.namespace, name).found()
}

/// Whether the named Service is the one that our own controller makes once the set is stored.
fn is_kept_by_us(context: &Context<'_>) -> bool {
    let keeping = context.cluster.keeps_services();
    Record::of(context.set).is_some_and(|record| {
        kept(
            context.policy,
            context.namespace,
            context.set,
            &record,
            keeping,
        )
        .is_some()
    })
}
