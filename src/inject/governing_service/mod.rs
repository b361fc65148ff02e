//! The governing Service that a set without one gets: the ports that its pods declare, and its document.

pub(crate) mod document;
pub(crate) mod ports;
