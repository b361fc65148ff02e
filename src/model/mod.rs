//! What every other room may name: pointers, JSON texts, names, quantities, versions, spelling, findings.

pub mod duration;
pub mod field_path;
pub mod finding;
pub mod finding_limits;
pub mod json;
pub mod name;
pub mod pointer;
pub mod quantity;
pub mod rules;
pub mod spelling;
pub mod steps;
pub mod text;
pub mod version;
