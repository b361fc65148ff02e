//! `make footprint`: how large the program is, and how much memory it keeps.
//!
//! `footprint PROGRAM [OBJECTS]` measures that build of the program: at rest without a cluster, at rest with an empty one, and with so many
//! Services and as many sets in a real API server, read at its start as a replica reads them.

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use support::{Cluster, Rest, Settings, Webhook, WebhookSettings};

/// Namespaces over which the objects are spread.
const NAMESPACES: usize = 20;

/// Connections that create objects at one time.
const CONNECTIONS: usize = 4;

/// Of a process, in kB, as `/proc/PID/status` has it.
const FIELDS: [&str; 4] = ["VmRSS", "RssAnon", "RssFile", "VmHWM"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next();
    let program = std::path::absolute(program.context("usage: footprint PROGRAM [OBJECTS]")?)?;
    let count = arguments.next().map_or(Ok(10_000), |count| count.parse())?;
    let size = fs::metadata(&program)?.len();
    println!("{} bytes: {}\n", program.display(), size);
    println!(
        "| MiB | resident | of its own | of its files | at its peak |\n| --- | --- | --- | --- | --- |"
    );
    let cluster = Cluster::boot(&Settings::new(program).without_workloads())?;
    measure(&cluster, count).with_context(|| cluster.plane().logs(30))
}

fn measure(cluster: &Cluster, count: usize) -> Result<()> {
    let offline = WebhookSettings::named("offline").offline();
    row(
        "no cluster",
        &Webhook::start_unregistered(cluster, &offline)?,
    )?;
    let live = WebhookSettings::named("live");
    row(
        "an empty cluster",
        &Webhook::start_unregistered(cluster, &live)?,
    )?;
    fill(cluster, count)?;
    let name = format!("{count} Services, {count} sets");
    row(&name, &Webhook::start_unregistered(cluster, &live)?)
}

fn row(name: &str, webhook: &Webhook) -> Result<()> {
    let status = fs::read_to_string(format!("/proc/{}/status", webhook.program().pid()))?;
    let mebibytes = FIELDS.map(|field| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: f64 = number
            .and_then(|number| number.parse().ok())
            .unwrap_or(f64::NAN);
        format!("{:.1}", kilobytes / 1024.0)
    });
    println!("| {name} | {} |", mebibytes.join(" | "));
    Ok(())
}

/// Creates the objects.
fn fill(cluster: &Cluster, count: usize) -> Result<()> {
    let rest = Rest::new(cluster)?;
    let namespaces: Vec<Value> = (0..NAMESPACES)
        .map(|number| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(number)}}))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": namespaces});
    let create = cluster.kubectl("create -f -")?;
    create.stdin(list.to_string()).ok()?;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|first| {
                let rest = &rest;
                scope.spawn(move || create_all(rest, (first..count).step_by(CONNECTIONS)))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.join();
            ended.map_err(|_| anyhow!("a thread panicked"))?
        })
    })
}

fn create_all(rest: &Rest, numbers: impl Iterator<Item = usize>) -> Result<()> {
    let mut connection = rest.client.open()?;
    let headers = [
        ("authorization", rest.authorization.as_str()),
        ("content-type", "application/json"),
    ];
    for number in numbers {
        let home = namespace(number % NAMESPACES);
        let objects = [
            (
                format!("/api/v1/namespaces/{home}/services"),
                service(number),
            ),
            (
                format!("/apis/apps/v1/namespaces/{home}/statefulsets"),
                set(number),
            ),
        ];
        for (path, object) in objects {
            let body = object.to_string();
            let answer = connection.request("POST", &path, &headers, body.as_bytes())?;
            ensure!(answer.status == 201, "{path}: {}", answer.text());
        }
    }
    Ok(())
}

fn namespace(number: usize) -> String {
    format!("team-{number}")
}

fn labels(number: usize) -> Value {
    json!({"app.kubernetes.io/name": "database", "app.kubernetes.io/instance": format!("db-{number}")})
}

fn service(number: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("db-{number}"), "labels": labels(number)}, "spec": {
    "clusterIP": "None", "selector": labels(number), "ports": [
        {"name": "client", "port": 5432, "targetPort": "client"},
        {"name": "metrics", "port": 9187, "targetPort": "metrics"},
    ]}})
}

fn set(number: usize) -> Value {
    let settings: Vec<Value> = (0..20)
        .map(|setting| json!({"name": format!("SETTING_{setting}"), "value": format!("value {setting} of db-{number}")}))
        .collect();
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": format!("db-{number}"), "labels": labels(number)},
    "spec": {
        "serviceName": format!("db-{number}"),
        "selector": {"matchLabels": labels(number)},
        "template": {"metadata": {"labels": labels(number)}, "spec": {"containers": [{
            "name": "server", "image": "registry.example/database:16", "env": settings,
            "ports": [{"name": "client", "containerPort": 5432}, {"name": "metrics", "containerPort": 9187}],
        }]}},
    }})
}
