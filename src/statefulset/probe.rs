//! Probes: read from a set, and written into one.

use serde::Serialize;

use super::set::Container;
use super::view::{IntOrString, Text, view};

/// Which of a container's three probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// `readinessProbe`
    Readiness,
    /// `livenessProbe`
    Liveness,
    /// `startupProbe`
    Startup,
}

impl Slot {
    /// All of them, those first that others depend on.
    pub const ALL: [Self; 3] = [Self::Readiness, Self::Liveness, Self::Startup];

    /// The field of the container.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
            Self::Startup => "startupProbe",
        }
    }

    /// The container's probe.
    #[must_use]
    pub fn of<'c, 'a>(self, container: &'c Container<'a>) -> Option<&'c Probe<'a>> {
        match self {
            Self::Readiness => container.readiness_probe.as_ref(),
            Self::Liveness => container.liveness_probe.as_ref(),
            Self::Startup => container.startup_probe.as_ref(),
        }
    }

    /// The container's probe, to be changed.
    pub fn of_mut<'c, 'a>(self, container: &'c mut Container<'a>) -> &'c mut Option<Probe<'a>> {
        match self {
            Self::Readiness => &mut container.readiness_probe,
            Self::Liveness => &mut container.liveness_probe,
            Self::Startup => &mut container.startup_probe,
        }
    }
}

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

    /// Whether it has no handler but those of another.
    #[must_use]
    pub fn asks_like(&self, other: &Probe<'_>) -> bool {
        self.exec == other.exec
            && self.http_get == other.http_get
            && self.tcp_socket == other.tcp_socket
            && self.grpc == other.grpc
    }

    /// Whether it has a handler of another, exactly, be it beside one of its own.
    #[must_use]
    pub fn has_handler_of(&self, other: &Probe<'_>) -> bool {
        let exec = other.exec.is_some() && self.exec == other.exec;
        let http = other.http_get.is_some() && self.http_get == other.http_get;
        let tcp = other.tcp_socket.is_some() && self.tcp_socket == other.tcp_socket;
        let grpc = other.grpc.is_some() && self.grpc == other.grpc;
        exec || http || tcp || grpc
    }

    /// The port that the probe connects to by number or name, where its handler has one.
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
        /// Never written by us; one that a user adds makes the probe his.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        "httpHeaders" => http_headers: Vec<HttpHeader<'a>>,
    }
}

view! {
    /// A header of an HTTP GET.
    #[derive(PartialEq, Serialize)]
    pub struct HttpHeader<'a> {
        /// Its name.
        "name" => name: Text<'a>,
        /// Its value.
        "value" => value: Text<'a>,
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
