//! The webhook server over real sockets: the program as it is run, without a cluster.
//!
//! Nothing here waits for a length of time: tests wait for an answer, a log line, or the end of a connection.

mod certificates;
mod client;
mod clients;
mod connections;
mod http;
mod log;
mod objects;
mod process;
mod shutdown;
