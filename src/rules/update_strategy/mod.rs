//! `spec.updateStrategy`: which types there are, what belongs to each, and what a change of it sets off.

pub mod kind;
pub mod max_unavailable;
pub mod parallel;
pub mod recreate;
pub mod rolling_update;
pub mod transition;
