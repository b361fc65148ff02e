//! `make bench-write-path`: what a webhook, native policies and steadyset add to the creation of a `StatefulSet`.
//!
//! `write-path PROGRAM [ROUNDS]` measures that build of the program on a real API server. The same set is created in namespaces that differ
//! only in what admits them, in turn, so that a busy machine is busy for all. The figures are the time of a create, and the CPU time that
//! the API server and the webhook use for one.

#[path = "../support/mod.rs"]
mod support;

mod admitted;
mod null_webhook;
mod sets;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use admitted::{Admission, cases};
use support::{Cluster, Connection, Rest, Settings};

/// Creates of a case in one round.
const CREATES: usize = 40;

/// What was measured of a case.
#[derive(Debug, Default)]
struct Measured {
    times: Vec<Duration>,
    api_server: Duration,
    webhook: Duration,
}

fn main() -> Result<()> {
    if std::env::var_os(null_webhook::SWITCH).is_some() {
        return null_webhook::run();
    }
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next();
    let program = program.context("usage: write-path PROGRAM [ROUNDS]")?;
    let rounds = arguments.next().map_or(Ok(25), |rounds| rounds.parse())?;
    let program = std::path::absolute(program)?;
    let cluster = Cluster::boot(&Settings::new(program).without_workloads())?;
    let cases = cases(&cluster).with_context(|| cluster.plane().logs(30))?;
    measure(&cluster, &cases, rounds).with_context(|| cluster.plane().logs(30))
}

fn measure(cluster: &Cluster, cases: &[Admission<'_>], rounds: usize) -> Result<()> {
    let rest = Rest::new(cluster)?;
    let mut connection = rest.client.open()?;
    let mut measured: Vec<Measured> = cases.iter().map(|_| Measured::default()).collect();
    for round in 0..=rounds {
        for (case, measured) in cases.iter().zip(&mut measured) {
            let found = slice(cluster, case, &rest, &mut connection)?;
            // the first round fills caches and opens the API server's connections to the webhooks
            if round > 0 {
                measured.add(found);
            }
        }
    }
    let size = sets::set("db-0").to_string().len();
    println!("{rounds} rounds of {CREATES} creates of a set of {size} bytes\n");
    println!(
        "| admitted by | p50 ms | p99 ms | p50 of native | API server CPU ms | webhook CPU ms | CPU of native |\n\
         | --- | --- | --- | --- | --- | --- | --- |"
    );
    let native = cases.iter().position(|case| case.is_native);
    let native = native.and_then(|native| measured.get(native));
    let native = native.context("no native policies")?.figures();
    for (case, measured) in cases.iter().zip(&measured) {
        let own = measured.figures();
        println!(
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
            case.name,
            own.p50,
            own.p99,
            own.p50 / native.p50,
            own.api_server,
            own.webhook,
            (own.api_server + own.webhook) / (native.api_server + native.webhook),
        );
    }
    Ok(())
}

/// Creates in one namespace, one after the other on one connection; what was created is deleted afterwards.
fn slice(
    cluster: &Cluster,
    case: &Admission<'_>,
    rest: &Rest,
    connection: &mut Connection,
) -> Result<Measured> {
    let path = format!(
        "/apis/apps/v1/namespaces/{}/statefulsets",
        case.namespace.name()
    );
    let headers = [
        ("authorization", rest.authorization.as_str()),
        ("content-type", "application/json"),
    ];
    let api_server = cluster.plane().pid("kube-apiserver")?;
    let before = (
        cpu(api_server)?,
        case.webhook.map_or(Ok(Duration::ZERO), cpu)?,
    );
    let mut times = Vec::with_capacity(CREATES);
    for number in 0..CREATES {
        let body = sets::set(&format!("db-{number}")).to_string();
        let began = Instant::now();
        let answer = connection.request("POST", &path, &headers, body.as_bytes())?;
        times.push(began.elapsed());
        ensure!(answer.status == 201, "{}: {}", case.name, answer.text());
    }
    let after = (
        cpu(api_server)?,
        case.webhook.map_or(Ok(Duration::ZERO), cpu)?,
    );
    let deleted = connection.request("DELETE", &path, &headers, b"")?;
    ensure!(deleted.status == 200, "{}: {}", case.name, deleted.text());
    Ok(Measured {
        times,
        api_server: after.0.saturating_sub(before.0),
        webhook: after.1.saturating_sub(before.1),
    })
}

/// CPU time used so far by all threads of a process, which the kernel counts in nanoseconds.
fn cpu(pid: u32) -> Result<Duration> {
    let mut used = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = task?.path().join("schedstat");
        // a thread may have ended since it was listed
        let Ok(counts) = std::fs::read_to_string(path) else {
            continue;
        };
        let time = counts.split(' ').next().unwrap_or_default();
        used += time.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(used))
}

/// Milliseconds of one create.
#[derive(Clone, Copy, Debug)]
struct Figures {
    p50: f64,
    p99: f64,
    api_server: f64,
    webhook: f64,
}

impl Measured {
    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.api_server += other.api_server;
        self.webhook += other.webhook;
    }

    fn figures(&self) -> Figures {
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |percent: usize| {
            let time = times.get(times.len() * percent / 100);
            time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
        };
        let creates = u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
        let each = |used: Duration| (used / creates).as_secs_f64() * 1e3;
        Figures {
            p50: at(50),
            p99: at(99),
            api_server: each(self.api_server),
            webhook: each(self.webhook),
        }
    }
}
