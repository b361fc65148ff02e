//! The webhook server over real sockets: the program as it is run, without a cluster.
//!
//! Nothing here waits for a length of time: tests wait for an answer, a log line, a metric, or the end of a connection.

mod certificates;
mod client;
mod clients;
mod connections;
mod hostile;
mod http;
mod large;
mod log;
mod objects;
mod process;
mod shutdown;
mod steady;
mod streams;
