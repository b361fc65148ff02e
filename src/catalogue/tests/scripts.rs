//! The scripts in a real shell, with programs that answer as the real ones do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::*;

fn script(entry: &str) -> String {
    let recipe = named(entry).unwrap().recipes.first().unwrap();
    let Ask::Shell(script) = recipe.ask else {
        panic!("{entry} is asked by {:?}", recipe.ask)
    };
    script.replace("{port}", "7777")
}

/// Whether the script passes where these programs, each a name and a script, are all that there are.
fn passes(script: &str, programs: &[(&str, &str)], environment: &[(&str, &str)]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in programs {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let status = Command::new("/bin/sh")
        .args(["-c", script])
        .env_clear()
        .env("PATH", folder.path())
        .envs(environment.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

#[test]
fn a_shell_reads_every_script() {
    let mut read = 0;
    for recipe in all().flat_map(|entry| entry.recipes) {
        if let Ask::Shell(script) = recipe.ask {
            let status = Command::new("/bin/sh").args(["-n", "-c", script]).status();
            assert!(status.unwrap().success(), "{script}");
            read += 1;
        }
    }
    assert!(read > 5);
}

#[test]
fn redis_and_its_kin_are_ready_when_they_serve_somebody() {
    let asked = r#"[ "$*" = "-h 127.0.0.1 -p 7777 ping" ] || { echo "ERR $*"; exit 9; }"#;
    let cases = [
        ("echo PONG", true),
        ("echo 'NOAUTH Authentication required.'", true),
        (
            "echo '(error) NOAUTH Authentication required.' >&2; exit 1",
            true,
        ),
        (
            "echo 'WRONGPASS invalid username-password pair or user is disabled.'",
            true,
        ),
        (
            "echo \"NOPERM this user has no permissions to run the 'ping' command\"",
            true,
        ),
        (
            "echo 'LOADING Redis is loading the dataset in memory'",
            false,
        ),
        (
            "echo \"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\"",
            false,
        ),
        (
            "echo 'Could not connect to Redis at 127.0.0.1:7777: Connection refused' >&2; exit 1",
            false,
        ),
        ("echo 'Error: Server closed the connection'; exit 1", false),
        ("exit 0", false),
    ];
    for (entry, program) in [
        ("redis", "redis-cli"),
        ("redis-cluster", "redis-cli"),
        ("valkey", "valkey-cli"),
        ("valkey-cluster", "valkey-cli"),
        ("keydb", "keydb-cli"),
    ] {
        for (answer, ready) in cases {
            let body = format!("{asked}\n{answer}");
            assert_eq!(
                passes(&script(entry), &[(program, &body)], &[]),
                ready,
                "{entry}: {answer}"
            );
        }
        assert!(
            !passes(&script(entry), &[], &[]),
            "{entry} without its client"
        );
    }
}

#[test]
fn a_password_goes_by_the_environment_as_it_is() {
    let password = "a b\"c'$(exit 1)`d*";
    let body = "[ \"$REDISCLI_AUTH\" = \"$EXPECTED\" ] && echo PONG";
    for (entry, program, variable) in [
        ("redis", "redis-cli", "REDIS_PASSWORD"),
        ("valkey", "valkey-cli", "VALKEY_PASSWORD"),
        ("keydb", "keydb-cli", "REDIS_PASSWORD"),
    ] {
        let run = |given: &str| {
            let environment = [(variable, given), ("EXPECTED", password)];
            passes(&script(entry), &[(program, body)], &environment)
        };
        assert!(run(password), "{entry}");
        assert!(!run("other"), "{entry}");
    }
}

#[test]
fn the_exit_status_of_the_client_is_the_answer() {
    let cases: [(&str, &[&str], &str); 4] = [
        ("postgresql", &["pg_isready"], "-q -h 127.0.0.1 -p 7777"),
        ("patroni", &["pg_isready"], "-q -h 127.0.0.1 -p 7777"),
        ("mysql", &["mysqladmin"], "ping -h 127.0.0.1 -P 7777"),
        (
            "mariadb",
            &["mariadb-admin", "mysqladmin"],
            "ping -h 127.0.0.1 -P 7777",
        ),
    ];
    for (entry, programs, arguments) in cases {
        for program in programs {
            // pg_isready: 1 while the server starts or recovers, 2 without an answer
            for status in [0, 1, 2, 3] {
                let body = format!("[ \"$*\" = \"{arguments}\" ] || exit 9\nexit {status}");
                let ready = passes(&script(entry), &[(program, &body)], &[]);
                assert_eq!(ready, status == 0, "{entry} by {program}: {status}");
            }
        }
        assert!(
            !passes(&script(entry), &[], &[]),
            "{entry} without its client"
        );
    }
    let newer = [("mariadb-admin", "exit 0"), ("mysqladmin", "exit 1")];
    assert!(
        passes(&script("mariadb"), &newer, &[]),
        "the newer name counts"
    );
}
