//! The API server: what is watched of it, the look-ups that wait for it, the controller of the governing Services, and the
//! policies that are its objects.
//!
//! The knowledge rooms see none of this but [`crate::cluster_view::ClusterView`].

mod cache;
mod governing_service;
mod live;
mod lookup;
mod orphans;
pub mod policies;
mod rights;
mod start;
#[cfg(test)]
mod testing;
mod watch;

pub use live::Cluster;
pub(crate) use orphans::orphaned_pods;
