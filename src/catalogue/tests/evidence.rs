//! Every probe rests on what somebody who knows the system says.

use std::fs;
use std::path::Path;

use super::*;

/// The survey of charts, operators and issues, and the rendered charts: not part of this repository.
const SURVEY: &str = "../shared/design/probes.md";
const CHARTS: &str = "../shared/corpus";

/// The systems of the survey's table, as it calls them, and their entries.
const SURVEYED: &[(&str, &[&str])] = &[
    ("PostgreSQL", &["postgresql", "patroni"]),
    (
        "Redis / Valkey",
        &["redis", "redis-cluster", "valkey", "valkey-cluster"],
    ),
    ("MySQL", &["mysql"]),
    ("MariaDB / Galera", &["mariadb", "galera"]),
    ("MongoDB", &["mongodb"]),
    ("Kafka", &["kafka", "redpanda"]),
    ("ZooKeeper", &["zookeeper"]),
    ("Elasticsearch", &["elasticsearch"]),
    ("OpenSearch", &["opensearch"]),
    ("RabbitMQ", &["rabbitmq"]),
    ("etcd", &["etcd"]),
    ("Cassandra", &["cassandra"]),
    ("Consul", &["consul"]),
    ("Vault / OpenBao", &["vault"]),
    ("MinIO", &["minio"]),
    ("NATS", &["nats"]),
    ("ClickHouse", &["clickhouse"]),
    ("CockroachDB", &["cockroachdb"]),
    ("Memcached", &["memcached"]),
    ("Prometheus", &["prometheus"]),
    ("Solr, Neo4j", &["solr", "neo4j"]),
];

/// What the survey wants added.
const NEXT: &str = "influxdb, loki, tempo, keycloak, thanos, couchdb, solr, neo4j, pulsar, alertmanager, seaweedfs, \
                    victoria-*, qdrant, weaviate, meilisearch";

/// One line, without the marks of Markdown and quotes.
fn plain(text: &str) -> String {
    let text = text.replace(['`', '"', '\''], "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text holds a word, an option, a path or a number, whole.
fn holds(text: &str, fact: &str) -> bool {
    let is_part = |edge: Option<char>| {
        edge.is_some_and(|edge| edge.is_ascii_alphanumeric() || matches!(edge, '_' | '-'))
    };
    text.match_indices(fact).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + fact.len()..].chars().next();
        let after_path = fact.starts_with('/') && after == Some('/');
        let is_dash =
            before == Some('-') && fact.starts_with(|first: char| first.is_ascii_uppercase());
        let starts = fact.starts_with('/') || is_dash || !is_part(before);
        starts && !is_part(after) && !after_path
    })
}

/// What a probe asks: its port, its paths, and of a script every word that is not the shell's.
fn facts(recipe: &Recipe) -> Vec<String> {
    let mut facts = vec![recipe.port.to_string()];
    facts.extend(recipe.alive.map(ToOwned::to_owned));
    match recipe.ask {
        Ask::Tcp => {}
        Ask::HttpGet(path) => facts.push(path.to_owned()),
        Ask::Shell(script) => facts.extend(words_of(script)),
    }
    facts
}

fn words_of(script: &str) -> Vec<String> {
    const SHELLS_OWN: [&str; 18] = [
        "exec",
        "if",
        "then",
        "else",
        "fi",
        "case",
        "in",
        "esac",
        "exit",
        "export",
        "command",
        "-v",
        "-z",
        "0",
        "1",
        "2",
        "{port}",
        "/dev/null",
    ];
    let boundary = |c: char| c.is_whitespace() || ";|&()\"'<>=*$[]".contains(c);
    let words = script.split(boundary).filter(|word| !word.is_empty());
    let words = words.filter(|word| !SHELLS_OWN.contains(word));
    words.map(ToOwned::to_owned).collect()
}

#[test]
fn every_probe_is_in_its_evidence() {
    for entry in all() {
        let told = |fact: &str| {
            let mut evidence = entry.evidence.iter();
            evidence.any(|evidence| holds(&plain(evidence.says), fact))
        };
        for fact in entry.recipes.iter().flat_map(facts) {
            assert!(told(&fact), "{}: nobody says {fact}", entry.name);
        }
        let timings = &entry.at_least;
        for number in [
            timings.period_seconds,
            timings.timeout_seconds,
            timings.failure_threshold,
        ] {
            assert!(
                number == 0 || told(&number.to_string()),
                "{}: {number}",
                entry.name
            );
        }
        for evidence in entry.evidence {
            assert!(
                !evidence.from.is_empty() && evidence.says.len() > 7,
                "{evidence:?}"
            );
        }
        assert!(!entry.evidence.is_empty(), "{}", entry.name);
    }
}

#[test]
fn a_script_is_taken_at_its_words() {
    let script = all().find(|entry| entry.name == "redis").unwrap().recipes[0].ask;
    let Ask::Shell(script) = script else {
        panic!("{script:?}")
    };
    assert_eq!(
        words_of(script).join(" "),
        "REDIS_PASSWORD REDISCLI_AUTH REDIS_PASSWORD redis-cli -h 127.0.0.1 -p ping PONG NOAUTH WRONGPASS NOPERM"
    );
    for (text, fact, expected) in [
        ("tcp 6379", "6379", true),
        ("tcp 63790", "6379", false),
        ("GET /health/ready", "/health", false),
        ("redis-cli ping", "cli", false),
        ("-NOAUTH x", "NOAUTH", true),
        ("x-p 1", "-p", false),
    ] {
        assert_eq!(holds(text, fact), expected, "{text} {fact}");
    }
}

/// A text beside the repository; `None` where there is none.
fn beside(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.exists().then(|| fs::read_to_string(&path).unwrap())
}

#[test]
fn the_survey_says_what_is_quoted_from_it() {
    let Some(survey) = beside(SURVEY) else {
        return;
    };
    let survey = plain(&survey);
    let quoted = all().flat_map(|entry| entry.evidence);
    let quoted: Vec<_> = quoted.filter(|it| it.read_in == ReadIn::Survey).collect();
    assert!(quoted.len() > 20);
    for evidence in quoted {
        assert!(survey.contains(&plain(evidence.says)), "{evidence:?}");
    }
}

#[test]
fn the_charts_say_what_is_quoted_from_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CHARTS);
    if !folder.is_dir() {
        return;
    }
    let files = fs::read_dir(&folder).unwrap().map(Result::unwrap);
    let charts: Vec<(String, String)> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, plain(&fs::read_to_string(file.path()).unwrap()))
        })
        .collect();
    let quoted = all().flat_map(|entry| entry.evidence);
    for evidence in quoted.filter(|it| it.read_in == ReadIn::Chart) {
        let repository = evidence.from.split(':').next().unwrap().replace('/', "__");
        let mut charts = charts
            .iter()
            .filter(|(name, _)| name.starts_with(&repository));
        let says = plain(evidence.says);
        assert!(charts.any(|(_, text)| text.contains(&says)), "{evidence:?}");
    }
}

#[test]
fn every_system_of_the_survey_is_known() {
    for entry in SURVEYED.iter().flat_map(|(_, entries)| *entries) {
        assert!(named(entry).is_some(), "{entry}");
    }
    for system in NEXT.split(", ") {
        let known = |entry: &Entry| matches(system, entry.name);
        assert!(all().any(known), "{system}");
    }
    let Some(survey) = beside(SURVEY) else {
        return;
    };
    let (_, table) = survey.split_once("| Software |").unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let systems: Vec<_> = rows
        .filter_map(|row| row.split('|').nth(1))
        .map(str::trim)
        .filter(|system| !system.is_empty())
        .collect();
    let known: Vec<_> = SURVEYED.iter().map(|(system, _)| *system).collect();
    assert_eq!(systems, known);
    assert!(plain(&survey).contains(&format!("by charts that use them: {NEXT}.")));
}
