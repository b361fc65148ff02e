//! The audit: sets in files or in a cluster, judged as if they were created now, and the formats of a report.
//!
//! [`files`] and [`live`] make a [`Report`](crate::review::report::Report); [`report`] writes it in one of its formats; [`baseline`]
//! takes away what was known before.

pub mod baseline;
pub mod files;
pub mod live;
pub mod report;
pub(crate) mod sources;
