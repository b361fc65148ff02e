//! Probes: read from a set, and written into one.

use serde::Serialize;

use super::view::{IntOrString, Text, view};

view! {
    /// A probe (`k8s.io/api/core/v1`, `Probe`). Numbers are `None` where absent; the server fills in `timeoutSeconds` 1,
    /// `periodSeconds` 10, `successThreshold` 1 and `failureThreshold` 3.
    #[derive(PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct Probe<'a> {
        /// Runs a program in the container.
        #[serde(skip_serializing_if = "Option::is_none")]
        "exec" => exec: Option<Exec<'a>>,
        /// Asks over HTTP.
        #[serde(skip_serializing_if = "Option::is_none")]
        "httpGet" => http_get: Option<HttpGet<'a>>,
        /// Opens a connection.
        #[serde(skip_serializing_if = "Option::is_none")]
        "tcpSocket" => tcp_socket: Option<TcpSocket<'a>>,
        /// Asks the gRPC health service.
        #[serde(skip_serializing_if = "Option::is_none")]
        "grpc" => grpc: Option<Grpc<'a>>,
        /// Seconds before the first probe.
        #[serde(skip_serializing_if = "Option::is_none")]
        "initialDelaySeconds" => initial_delay_seconds: Option<i64>,
        /// Seconds between probes.
        #[serde(skip_serializing_if = "Option::is_none")]
        "periodSeconds" => period_seconds: Option<i64>,
        /// Seconds until a probe counts as failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        "timeoutSeconds" => timeout_seconds: Option<i64>,
        /// Successes until it counts as passed.
        #[serde(skip_serializing_if = "Option::is_none")]
        "successThreshold" => success_threshold: Option<i64>,
        /// Failures until it counts as failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        "failureThreshold" => failure_threshold: Option<i64>,
        /// Overrides the pod's grace period when a liveness probe fails.
        #[serde(skip_serializing_if = "Option::is_none")]
        "terminationGracePeriodSeconds" => termination_grace_period_seconds: Option<i64>,
    }
}

impl Probe<'_> {
    /// How many handlers the probe has; the server accepts exactly one.
    #[must_use]
    pub fn handlers(&self) -> usize {
        usize::from(self.exec.is_some())
            + usize::from(self.http_get.is_some())
            + usize::from(self.tcp_socket.is_some())
            + usize::from(self.grpc.is_some())
    }

    /// The port that the probe connects to, where its handler has one.
    #[must_use]
    pub fn port(&self) -> Option<&IntOrString<'_>> {
        self.http_get
            .as_ref()
            .map(|get| &get.port)
            .or_else(|| self.tcp_socket.as_ref().map(|socket| &socket.port))
    }
}

view! {
    /// A command run in the container.
    #[derive(PartialEq, Serialize)]
    pub struct Exec<'a> {
        /// The program and its arguments; no shell.
        "command" => command: Vec<Text<'a>>,
    }
}

view! {
    /// An HTTP GET to the pod.
    #[derive(PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct HttpGet<'a> {
        /// The path.
        #[serde(skip_serializing_if = "str_is_empty")]
        "path" => path: Text<'a>,
        /// A number or the name of a declared port.
        "port" => port: IntOrString<'a>,
        /// Never written by us: it would make the probe leave the node.
        #[serde(skip_serializing_if = "str_is_empty")]
        "host" => host: Text<'a>,
        /// `HTTP` or `HTTPS`.
        #[serde(skip_serializing_if = "str_is_empty")]
        "scheme" => scheme: Text<'a>,
    }
}

view! {
    /// A TCP connection to the pod.
    #[derive(PartialEq, Serialize)]
    pub struct TcpSocket<'a> {
        /// A number or the name of a declared port.
        "port" => port: IntOrString<'a>,
        /// Never written by us.
        #[serde(skip_serializing_if = "str_is_empty")]
        "host" => host: Text<'a>,
    }
}

view! {
    /// The gRPC health protocol.
    #[derive(PartialEq, Serialize)]
    pub struct Grpc<'a> {
        /// A number; names are not allowed here.
        "port" => port: i64,
        /// The service asked about.
        #[serde(skip_serializing_if = "str_is_empty")]
        "service" => service: Text<'a>,
    }
}

fn str_is_empty(text: &Text<'_>) -> bool {
    text.is_empty()
}
