//! The headline: no write fails because of the webhook, whatever becomes of its certificates, its replicas and the API
//! server. The shipped chart is installed as it is, with `failurePolicy: Fail`; only its Service leads to a forwarder on
//! loopback, and its Deployment's pods are processes with the arguments that the Deployment names.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::Test;
use crate::support::replica::{NAME, NAMESPACE, SECRET, bundles, clear, empty, secret};
use crate::support::{Cluster, Forwarder, Replica, Rest, eventually};

mod load;
mod release;

use load::{Load, Tally, WRITERS};
use release::{asked, deployed_args, helm, post_renderer};

/// One test, for it has one load.
pub const TESTS: &[&[Test]] = &[&[("none_fails_for_a_year_in_two_minutes", none_fails)]];

const MINUTE: Duration = Duration::from_mins(1);

/// Enough writes to say that all is well.
const MANY: u64 = 500;

/// Where the load writes.
const WRITTEN: &str = "writes";

/// Lives so short that certificates are renewed under our eyes.
const SHORT: &str = "--certificate-life=30s --authority-life=60s";

/// Writes a second that there must be while nothing stands still; a machine that has nothing else to do makes 200 and more,
/// which `STEADYSET_WRITES_A_SECOND=200` asks for.
const RATE: f64 = 50.0;

/// What becomes of a call whose answer will never come, in the words of Go's client; never that nobody listens.
const IN_FLIGHT: &[&str] = &[
    "EOF",
    "connection reset",
    "broken pipe",
    "use of closed network connection",
    "server closed idle connection",
];

/// A namespace for the release, as an operator makes it, and one for the load.
pub fn prepare(cluster: &Cluster) -> Result<()> {
    for namespace in [NAMESPACE, WRITTEN] {
        let line = format!("create namespace {namespace}");
        cluster.kubectl(&line)?.ok()?;
    }
    Ok(())
}

/// Everything that a phase needs.
struct Scene<'c> {
    cluster: &'c Cluster,
    forwarder: Forwarder,
    /// What stands for the pods of the Deployment.
    replicas: Vec<Replica>,
    args: String,
    kubeconfig: PathBuf,
    load: Load,
    rest: Rest,
    started: u32,
    /// Calls that failed and were let pass, as the API server counts them since it began.
    passed: f64,
    script: PathBuf,
    /// Writes, and for how long, in the phases in which nothing stands still.
    quiet: (u64, Duration),
}

fn none_fails(cluster: &Cluster) -> Result<()> {
    let mut scene = Scene::set(cluster)?;
    scene.quiet("two replicas", |scene| scene.writes(MANY))?;
    scene.quiet("leaf and authority renewed", Scene::renewed)?;
    scene.anew()?;
    scene.quiet("every replica replaced by SIGTERM", Scene::rolled)?;
    scene.quiet("the Secret deleted", Scene::secret_deleted)?;
    scene.quiet("the chart upgraded", Scene::upgraded)?;
    scene.phase("etcd stopped for 5 s", Scene::etcd_paused)?;
    scene.phase("the API server restarted", Scene::api_server_restarted)?;
    scene.quiet("two replicas again", |scene| scene.writes(MANY))?;
    let (killed, _) = scene.counted("a replica killed by SIGKILL", Scene::killed)?;
    only(&killed, IN_FLIGHT)?;
    let (emptied, _) = scene.counted("a caBundle emptied by hand", Scene::emptied)?;
    only(&emptied, &["x509: certificate signed by unknown authority"])?;
    scene.quiet("two replicas at the end", |scene| scene.writes(MANY))?;
    scene.enough()
}

impl<'c> Scene<'c> {
    fn set(cluster: &'c Cluster) -> Result<Self> {
        let forwarder = Forwarder::start()?;
        let script = post_renderer(cluster)?;
        helm(cluster, &script, "install", forwarder.port())?.ok()?;
        let kubeconfig = cluster.token_kubeconfig(NAMESPACE, NAME)?;
        let rest = Rest::new(cluster)?;
        let args = deployed_args(cluster)?;
        let start = |name| {
            let args = format!("{args} {SHORT}");
            Replica::with_kubeconfig(cluster, name, &kubeconfig, &args)
        };
        let mut replicas = vec![start("replica-1")?, start("replica-2")?];
        for replica in &mut replicas {
            replica.ready()?;
        }
        forwarder.set(&ports(&replicas)?);
        asked(cluster)?;
        let mut scene = Self {
            cluster,
            forwarder,
            replicas,
            args,
            kubeconfig,
            load: Load::start(&rest, WRITTEN),
            rest,
            started: 2,
            passed: 0.0,
            script,
            quiet: (0, Duration::ZERO),
        };
        scene.passed = scene.let_pass()?;
        Ok(scene)
    }

    /// A process with the arguments of the Deployment.
    fn start(&mut self) -> Result<Replica> {
        self.started += 1;
        let name = format!("replica-{}", self.started);
        Replica::with_kubeconfig(self.cluster, &name, &self.kubeconfig, &self.args)
    }

    /// The Service sends new connections to those that are ready.
    fn endpoints(&self) -> Result<()> {
        self.forwarder.set(&ports(&self.replicas)?);
        Ok(())
    }

    /// Waits until so many more writes have gone through.
    fn writes(&self, many: u64) -> Result<()> {
        let before = self.load.look().done;
        eventually("writes that go through", MINUTE, || {
            let tally = self.load.look();
            let done = tally.done - before;
            ensure!(done >= many, "{done} so far, {:?}", tally.other.last());
            Ok(())
        })
    }

    /// A phase in which nothing at all may fail.
    fn quiet(&mut self, name: &str, happen: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let (tally, time) = self.counted(name, happen)?;
        no_failure(&tally)?;
        ensure!(tally.unreachable.is_empty(), "{:?}", tally.unreachable);
        self.quiet = (self.quiet.0 + tally.done, self.quiet.1 + time);
        Ok(())
    }

    /// The load was what it should be while nothing stood still.
    #[allow(clippy::cast_precision_loss, reason = "some ten thousand")]
    fn enough(&self) -> Result<()> {
        let (writes, time) = self.quiet;
        let rate = writes as f64 / time.as_secs_f64();
        println!(
            "{writes} writes in {:.0} s: {rate:.0}/s",
            time.as_secs_f64()
        );
        let asked = std::env::var("STEADYSET_WRITES_A_SECOND");
        let asked = asked.map_or(Ok(RATE), |text| text.parse())?;
        ensure!(rate >= asked, "{rate:.0} writes/s only");
        Ok(())
    }

    /// A phase in which the API server itself may not serve.
    fn phase(&mut self, name: &str, happen: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let (tally, _) = self.counted(name, happen)?;
        no_failure(&tally)
    }

    fn counted(
        &mut self,
        name: &str,
        happen: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<(Tally, Duration)> {
        self.load.take();
        happen(self).with_context(|| format!("{name}: {:#?}", self.load.look()))?;
        self.writes(50).with_context(|| name.to_owned())?;
        let (mut tally, time) = self.load.take();
        let passed = self.let_pass()?;
        // an API server that has begun anew counts anew
        let newly = if passed < self.passed {
            passed
        } else {
            passed - self.passed
        };
        self.passed = passed;
        println!("{}, {newly} let pass unasked", tally.line(name, time));
        ensure!(tally.other.is_empty(), "{name}: {:#?}", tally.other);
        tally.let_pass = newly;
        Ok((tally, time))
    }

    /// An UPDATE that cannot be asked about goes through: the API server counts it.
    fn let_pass(&self) -> Result<f64> {
        let metrics = self.rest.get("/metrics")?.text();
        let lines = metrics.lines();
        let counted =
            lines.filter(|line| line.starts_with("apiserver_admission_webhook_fail_open_count{"));
        let values = counted.filter_map(|line| line.rsplit_once(' '));
        values.map(|(_, value)| Ok(value.parse::<f64>()?)).sum()
    }

    /// Two leaves and an authority are renewed, and the authority of before leaves the caBundle.
    fn renewed(&mut self) -> Result<()> {
        let first = secret(self.cluster, "ca.crt")?;
        eventually(
            "another authority, alone in every caBundle",
            MINUTE * 2,
            || {
                let now = secret(self.cluster, "ca.crt")?;
                ensure!(now != first, "still the first one");
                for kind in ["mutating", "validating"] {
                    for bundle in bundles(self.cluster, kind)? {
                        ensure!(
                            bundle == now,
                            "{kind} still has the old one, or not yet the new one"
                        );
                    }
                }
                Ok(())
            },
        )?;
        for replica in &self.replicas {
            let log = replica.program.log();
            let shown = log.matches("certificate shown").count();
            ensure!(shown >= 3, "{shown} certificates were shown:\n{log}");
        }
        Ok(())
    }

    /// As a Deployment rolls: a new one is ready before an old one leaves.
    fn rolled(&mut self) -> Result<()> {
        for _ in 0..self.replicas.len() {
            let mut fresh = self.start()?;
            fresh.ready()?;
            self.replicas.push(fresh);
            self.endpoints()?;
            let mut old = self.replicas.remove(0);
            old.program.terminate()?;
            // new connections still come for a while, as they do until every kube-proxy has heard
            eventually("not ready", MINUTE, || {
                ensure!(old.readiness()?.0 == 503, "still ready");
                Ok(())
            })?;
            self.endpoints()?;
            let status = old.program.ended(MINUTE)?;
            ensure!(status.success(), "{status}: {}", old.program.log());
        }
        Ok(())
    }

    /// New certificates of the usual life, so that none is renewed while something else is looked at.
    fn anew(&mut self) -> Result<()> {
        self.load.stop();
        self.replicas.clear();
        let line = format!("delete secret {SECRET} -n {NAMESPACE}");
        self.cluster.kubectl(&line)?.ok()?;
        // nobody is left who shows a leaf of the authorities of before
        for kind in ["mutating", "validating"] {
            clear(&self.rest, kind, &[0, 1])?;
        }
        self.replicas = vec![self.start()?, self.start()?];
        for replica in &mut self.replicas {
            replica.ready()?;
        }
        self.endpoints()?;
        asked(self.cluster)?;
        self.load = Load::start(&self.rest, WRITTEN);
        self.passed = self.let_pass()?;
        Ok(())
    }

    fn killed(&mut self) -> Result<()> {
        let mut old = self.replicas.remove(0);
        old.program.signal(Signal::KILL)?;
        old.program.ended(MINUTE)?;
        self.endpoints()?;
        let mut fresh = self.start()?;
        fresh.ready()?;
        self.replicas.push(fresh);
        self.endpoints()
    }

    fn secret_deleted(&mut self) -> Result<()> {
        let before = secret(self.cluster, "ca.key")?;
        let line = format!("delete secret {SECRET} -n {NAMESPACE}");
        self.cluster.kubectl(&line)?.ok()?;
        eventually("the Secret", MINUTE, || {
            ensure!(
                secret(self.cluster, "ca.key")? == before,
                "another authority"
            );
            Ok(())
        })
    }

    /// Another value for the configurations: they are written, and keep their caBundle.
    fn upgraded(&mut self) -> Result<()> {
        let before = bundles(self.cluster, "mutating")?;
        let run = helm(self.cluster, &self.script, "upgrade", self.forwarder.port())?;
        run.arg("--set=webhook.timeoutSeconds=7").ok()?;
        let line = format!(
            "get mutatingwebhookconfiguration {NAME} -o jsonpath={{.webhooks[*].timeoutSeconds}}"
        );
        let written = self.cluster.kubectl(&line)?.ok()?.stdout;
        ensure!(written == "7 7", "{written}");
        ensure!(
            bundles(self.cluster, "mutating")? == before,
            "the caBundle has changed"
        );
        Ok(())
    }

    fn etcd_paused(&mut self) -> Result<()> {
        let plane = self.cluster.plane();
        plane.signal("etcd", Signal::STOP)?;
        thread::sleep(Duration::from_secs(5));
        plane.signal("etcd", Signal::CONT)
    }

    fn api_server_restarted(&mut self) -> Result<()> {
        self.cluster.plane().restart("kube-apiserver")?;
        eventually("the API server", MINUTE, || {
            self.cluster.kubectl("get --raw /readyz")?.ok().map(drop)
        })
    }

    fn emptied(&mut self) -> Result<()> {
        let took = empty(&self.rest, "mutating", &[0, 1])?;
        println!("a caBundle emptied by hand was there again after {took:?}");
        ensure!(took < Duration::from_secs(1), "{took:?}");
        Ok(())
    }
}

fn ports(replicas: &[Replica]) -> Result<Vec<u16>> {
    replicas.iter().map(Replica::port).collect()
}

fn no_failure(tally: &Tally) -> Result<()> {
    let failed = &tally.webhook_failed;
    ensure!(failed.is_empty(), "{failed:#?}");
    ensure!(tally.let_pass < 0.5, "{} let pass unasked", tally.let_pass);
    Ok(())
}

/// Calls failed for these reasons alone, and no more than one of each kind for every writer.
fn only(tally: &Tally, reasons: &[&str]) -> Result<()> {
    let failed = &tally.webhook_failed;
    let known = |text: &String| reasons.iter().any(|reason| text.contains(reason));
    ensure!(failed.iter().all(known), "{failed:#?}");
    ensure!(failed.len() <= WRITERS, "{failed:#?}");
    let most = 2.0 * f64::from(u32::try_from(WRITERS)?);
    ensure!(
        tally.let_pass <= most,
        "{} let pass unasked",
        tally.let_pass
    );
    Ok(())
}
