//! Probes and hooks (`validateProbe`, `validateLifecycle`). A successThreshold other than 1 has a rule of its own.

use serde_json::Value;

use super::at::At;
use super::container::{self, Role};
use super::formats::{between, not_negative, one_of, port};
use super::{Cause, Found};
use crate::model::text::quoted;

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// In the order in which the server looks at them: the second that is there is one too many.
const HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];

const HOOKS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "sleep"];

pub(super) fn check_all(container: &At<'_>, role: Role, found: &mut Found) {
    let lifecycle = container.field("lifecycle");
    if role == Role::Ends {
        let all = PROBES.iter().map(|name| container.field(name));
        for field in all.chain([container.field("lifecycle")]).filter(At::is_set) {
            let message = "an init container that ends is neither probed nor stopped";
            let help = "remove it; an init container with restartPolicy: Always is a sidecar and may have it";
            found.add(&field, Cause::Forbidden, message, help);
        }
        return;
    }
    for name in PROBES {
        let probe = container.field(name);
        if probe.is_set() {
            check(&probe, name, found);
        }
    }
    for name in ["postStart", "preStop"] {
        let hook = lifecycle.field(name);
        if hook.is_set() {
            handlers(&hook, &HOOKS, "hook", found);
            let sleep = hook.field("sleep");
            container::sleep(&sleep, found);
        }
    }
}

fn check(probe: &At<'_>, name: &str, found: &mut Found) {
    handlers(probe, &HANDLERS, "probe", found);
    for field in [
        "initialDelaySeconds",
        "periodSeconds",
        "timeoutSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        not_negative(
            &probe.field(field),
            "write 0 or more, or remove the field for its default",
            found,
        );
    }
    let grace = probe.field("terminationGracePeriodSeconds");
    if name == "readinessProbe" && grace.is_set() {
        let message = "a readiness probe never ends the container, so it has no grace period";
        found.add(
            &grace,
            Cause::Invalid,
            message,
            "remove it, or write it into the liveness probe",
        );
    } else if grace.int().is_some_and(|seconds| seconds <= 0) {
        found.add(
            &grace,
            Cause::Invalid,
            "must be above 0",
            "write 1 second or more, or remove the field",
        );
    }
}

/// A probe and a hook have exactly one handler.
fn handlers(at: &At<'_>, names: &[&str], what: &str, found: &mut Found) {
    let mut there = names.iter().map(|name| at.field(name)).filter(At::is_set);
    let Some(_) = there.next() else {
        let message = format!("the {what} says when, but not what: it has no handler");
        let help = format!("add one of {}, or remove the {what}", names.join(", "));
        found.add(at, Cause::Required, message, help);
        return;
    };
    for second in there {
        let message = format!("the {what} has a handler already, and may have only one");
        found.add(
            &second,
            Cause::Forbidden,
            message,
            format!("keep one of {}", names.join(", ")),
        );
    }
    let exec = at.field("exec");
    let command = exec.field("command");
    if exec.is_set() && command.items().next().is_none() {
        found.add(
            &command,
            Cause::Required,
            "there is no command to run",
            "write the command as a list",
        );
    }
    http(&at.field("httpGet"), found);
    let socket = at.field("tcpSocket");
    if socket.is_set() {
        port(&socket.field("port"), found);
    }
    let grpc = at.field("grpc");
    if grpc.is_set() {
        grpc_port(&grpc.field("port"), found);
    }
}

fn http(get: &At<'_>, found: &mut Found) {
    if !get.is_set() {
        return;
    }
    port(&get.field("port"), found);
    one_of(&get.field("scheme"), &["HTTP", "HTTPS"], found);
    for header in get.field("httpHeaders").items() {
        let name = header.field("name");
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.text().is_empty() || !name.text().bytes().all(is_token) {
            let message = format!("{} is not the name of an HTTP header", quoted(name.text()));
            found.add(
                &name,
                Cause::Invalid,
                message,
                "write letters, digits and \"-\"",
            );
        }
    }
}

/// A name here is a wrong type, which has a rule of its own.
fn grpc_port(at: &At<'_>, found: &mut Found) {
    match at.value() {
        Some(Value::Number(_)) => between(at, 1, 65535, found),
        Some(_) => {}
        None => found.add(
            at,
            Cause::Invalid,
            "a gRPC probe needs the number of a port",
            "write the port",
        ),
    }
}
