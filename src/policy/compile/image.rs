//! The probes of the operator's own images.

use serde_json::Value;

use super::Compiler;
use crate::catalogue::repository;
use crate::policy::ImageProbe;
use crate::policy::spec::{GrpcSpec, ImageProbeSpec, ProbeSpec, Scheme, TcpSocketSpec};
use crate::statefulset::probe::{Exec, Grpc, HttpGet, Probe, TcpSocket};
use crate::statefulset::view::{IntOrString, Text};

/// The longest command of a probe, in bytes: each container of the image carries it, and the record repeats it.
const LONGEST_COMMAND: usize = 4_096;

/// A port by number or name.
type Port = IntOrString<'static>;

impl Compiler<'_> {
    pub(super) fn image_probe(&mut self, path: &str, spec: &ImageProbeSpec) -> Option<ImageProbe> {
        let image = self.glob(&format!("{path}.image"), &spec.image);
        if repository(&spec.image) != spec.image {
            let message = format!(
                "{:?} would match nothing; write it without tag and digest",
                spec.image
            );
            self.fault(format!("{path}.image"), message);
        }
        let port = self.port(&format!("{path}.port"), spec.port.as_ref());
        let connect = ProbeSpec {
            tcp_socket: Some(TcpSocketSpec::default()),
            ..ProbeSpec::default()
        };
        let (path, written) = match &spec.readiness {
            Some(written) => (format!("{path}.readiness"), written),
            None => (path.to_owned(), &connect),
        };
        let readiness = self.probe(&path, written, port.as_ref());
        Some(ImageProbe {
            image: image?,
            readiness,
        })
    }

    fn probe(&mut self, path: &str, spec: &ProbeSpec, port: Option<&Port>) -> Probe<'static> {
        let seconds = |value: Option<i32>| value.map(i64::from);
        let mut probe = Probe {
            initial_delay_seconds: seconds(spec.initial_delay_seconds),
            period_seconds: seconds(spec.period_seconds),
            timeout_seconds: seconds(spec.timeout_seconds),
            success_threshold: seconds(spec.success_threshold),
            failure_threshold: seconds(spec.failure_threshold),
            ..Probe::default()
        };
        if let Some(get) = &spec.http_get {
            probe.http_get = Some(HttpGet {
                path: Text::from(if get.path.is_empty() {
                    "/".to_owned()
                } else {
                    get.path.clone()
                }),
                port: self.asked(&format!("{path}.httpGet.port"), get.port.as_ref(), port),
                host: Text::default(),
                scheme: get.scheme.map_or("HTTP", Scheme::as_str).into(),
                http_headers: Vec::new(),
            });
        }
        if let Some(tcp) = &spec.tcp_socket {
            probe.tcp_socket = Some(TcpSocket {
                port: self.asked(&format!("{path}.tcpSocket.port"), tcp.port.as_ref(), port),
                host: Text::default(),
            });
        }
        if let Some(exec) = &spec.exec {
            let length: usize = exec.command.iter().map(String::len).sum();
            if length > LONGEST_COMMAND {
                self.fault(
                    format!("{path}.exec.command"),
                    format!("has {length} bytes, {LONGEST_COMMAND} at most"),
                );
            }
            let command = exec.command.iter().cloned().map(Text::from);
            probe.exec = Some(Exec {
                command: command.collect(),
            });
        }
        if let Some(grpc) = &spec.grpc {
            probe.grpc = Some(self.grpc(&format!("{path}.grpc"), grpc, port));
        }
        self.whole(path, &probe);
        probe
    }

    fn grpc(&mut self, path: &str, spec: &GrpcSpec, port: Option<&Port>) -> Grpc<'static> {
        let number = match (spec.port, port) {
            (Some(number), _) => i64::from(number),
            (None, Some(Port::Int(number))) => *number,
            (None, _) => {
                self.fault(
                    format!("{path}.port"),
                    "must be a number: gRPC probes take no name",
                );
                0
            }
        };
        Grpc {
            port: number,
            service: spec.service.clone().unwrap_or_default().into(),
        }
    }

    /// The port that a handler asks: its own, else that of the image.
    fn asked(&mut self, path: &str, own: Option<&Value>, port: Option<&Port>) -> Port {
        if let Some(own) = self.port(path, own) {
            return own;
        }
        port.cloned().unwrap_or_else(|| {
            self.fault(
                path,
                "is missing: a number, or the name of a port of the container",
            );
            Port::default()
        })
    }

    fn port(&mut self, path: &str, written: Option<&Value>) -> Option<Port> {
        let port = match written? {
            Value::String(name) => Port::String(name.clone().into()),
            number => Port::Int(number.as_i64().unwrap_or_default()),
        };
        let fits = match &port {
            Port::Int(number) => (1..=65_535).contains(number),
            Port::String(name) => !name.is_empty() && name.len() <= 15,
        };
        if !fits {
            self.fault(
                path,
                format!("{port} is no port: write 1 to 65535, or a name of at most 15 characters"),
            );
        }
        Some(port)
    }

    /// What the API server would refuse in the sets that the probe is injected into.
    fn whole(&mut self, path: &str, probe: &Probe<'_>) {
        if probe.handlers() != 1 {
            self.fault(
                path,
                "must have exactly one of httpGet, tcpSocket, exec and grpc",
            );
        }
        if probe
            .exec
            .as_ref()
            .is_some_and(|exec| exec.command.is_empty())
        {
            self.fault(format!("{path}.exec.command"), "is empty");
        }
    }
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }
}
