//! YAML and JSON texts as their authors wrote them.
//!
//! * [`read`]: streams with positions, read as kubectl reads them.
//! * [`edit`]: a JSON Patch carried out in the text.
//! * [`values`]: documents without positions.

pub mod edit;
pub mod read;
pub mod values;
