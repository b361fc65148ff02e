//! What every entry of the catalogue gets, however it is run and wherever its set stands.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::super::{NoProbe, Proposal, Proposed, Risk, Site, propose};
use crate::catalogue::testing::cases;
use crate::cluster_view::Service;
use crate::inject::record::Record;
use crate::inject::testing::{World, create, headless, update, web};
use crate::policy::Policy;
use crate::statefulset::set::Set;

/// Written by the test itself with `STEADYSET_WRITE_TABLE=1`.
const TABLE: &str = "src/inject/probes/tests/table.txt";

const HEAD: &str = "\
# What each system of the catalogue gets on CREATE, by what its container runs.
#
# Columns: O is OrderedReady, P is Parallel; 3 or 1 replicas; the governing Service
#   h hides pods until they are ready, p publishes them, c has a cluster IP, - is not there.
# Cells: + the probe; m none, it may pass only with members that OrderedReady has not created; h none, names may be hidden;
#   l none, it listens on a loopback address; t none, it serves TLS and the declared port may be off; . none, no port is known.
#
# system                  way                O3h O3p O3c O3- O1h O1p P3h P3p P3c P3- P1h  probe
";

const PLACES: [(&str, i64, &str); 11] = [
    ("OrderedReady", 3, "h"),
    ("OrderedReady", 3, "p"),
    ("OrderedReady", 3, "c"),
    ("OrderedReady", 3, "-"),
    ("OrderedReady", 1, "h"),
    ("OrderedReady", 1, "p"),
    ("Parallel", 3, "h"),
    ("Parallel", 3, "p"),
    ("Parallel", 3, "c"),
    ("Parallel", 3, "-"),
    ("Parallel", 1, "h"),
];

fn world(kind: &str) -> World {
    let hides = headless("web", &[("app", "web")]);
    let service = match kind {
        "h" => hides,
        "p" => Service {
            publish_not_ready_addresses: true,
            ..hides
        },
        "c" => Service {
            headless: false,
            ..hides
        },
        _ => return World::with(Vec::new()),
    };
    World::with(vec![service])
}

fn set(container: &Value, management: &str, replicas: i64) -> Value {
    let mut set = web(
        &json!({"spec": {"serviceName": "web", "replicas": replicas, "podManagementPolicy": management}}),
    );
    set["spec"]["template"]["spec"]["containers"] = json!([container]);
    set
}

fn proposal(set: &Value, world: &World) -> Proposal {
    let text = set.to_string();
    let set: Set<'_> = serde_json::from_str(&text).unwrap();
    let site = Site {
        policy: &Policy::default(),
        namespace: "shop",
        set: &set,
        record: &Record::default(),
        cluster: world,
    };
    propose(site, &set.spec.template.spec.containers[0])
}

fn cell(proposal: &Proposal) -> char {
    match proposal {
        Proposal::Probe(_) => '+',
        Proposal::HeldBack { risk, .. } => match risk {
            Risk::NeedsPeers => 'm',
            Risk::HiddenNames(_) => 'h',
        },
        Proposal::NoProbe(NoProbe::Loopback) => 'l',
        Proposal::NoProbe(NoProbe::PlainPortOff) => 't',
        Proposal::NoProbe(_) => '.',
        Proposal::Silent => '_',
    }
}

fn shown(proposed: &Proposed) -> String {
    let probe = &proposed.probe;
    let asks = match (&probe.http_get, &probe.exec) {
        (Some(get), _) => format!("GET {}", get.path),
        (None, Some(_)) => "exec".to_owned(),
        (None, None) => "tcp".to_owned(),
    };
    let port = probe.port().map(ToString::to_string);
    let port = port.or_else(|| proposed.port.map(|port| port.to_string()));
    format!("{asks} {} ({})", port.unwrap_or_default(), proposed.source)
}

fn table() -> String {
    let mut table = HEAD.to_owned();
    for case in cases() {
        let mut cells = String::new();
        let mut probe = "none".to_owned();
        for (management, replicas, service) in PLACES {
            let proposal = proposal(&set(&case.container, management, replicas), &world(service));
            write!(cells, "  {} ", cell(&proposal)).unwrap();
            if let Proposal::Probe(proposed)
            | Proposal::HeldBack {
                probe: proposed, ..
            } = proposal
            {
                probe = shown(&proposed);
            }
        }
        writeln!(table, "{:<25} {:<18}{cells}  {probe}", case.entry, case.way).unwrap();
    }
    table
}

#[test]
fn the_table_is_what_every_system_gets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    let table = table();
    if std::env::var_os("STEADYSET_WRITE_TABLE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    for (known, now) in known.lines().zip(table.lines()) {
        assert_eq!(now, known);
    }
    assert_eq!(table, known);
}

#[test]
fn only_a_new_set_gets_what_the_table_says() {
    for case in cases() {
        for service in ["h", "p"] {
            let (set, world) = (set(&case.container, "Parallel", 3), world(service));
            let proposed = matches!(proposal(&set, &world), Proposal::Probe(_));
            let created = create(&set, &world);
            let what = format!("{} {}", case.entry, case.way);
            assert_eq!(!created.probe().is_null(), proposed, "{what}");
            let mut changed = set.clone();
            changed["spec"]["template"]["metadata"]["labels"]["version"] = json!("2");
            assert_eq!(update(&set, &changed, &world).operations, 0, "{what}");
        }
    }
}

#[test]
fn no_probe_asks_what_cannot_answer() {
    for case in cases() {
        for (management, replicas, service) in PLACES {
            let proposal = proposal(&set(&case.container, management, replicas), &world(service));
            let Proposal::Probe(proposed) = &proposal else {
                continue;
            };
            let what = format!("{} {} {management} {service}", case.entry, case.way);
            let asks_inside = proposed.probe.exec.is_some();
            assert!(case.way != "loopback" || asks_inside, "{what}");
            let waits = ["waits for members", "names members"].contains(&case.way);
            assert!(
                !waits || management == "Parallel" && service == "p",
                "{what}"
            );
            let system = crate::catalogue::named(case.entry).unwrap();
            let hides = management == "Parallel" && service != "p";
            assert!(!hides || system.node_local || !system.needs_peers, "{what}");
        }
    }
}
