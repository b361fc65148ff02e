//! Certificates: made, refused, renewed.

use std::path::Path;
use std::process::{Command, Output};

use crate::client::{self, connector};
use crate::process::Process;

fn steadyset(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steadyset"))
        .args(arguments)
        .output()
        .unwrap()
}

fn generate(folder: &Path) {
    let out = folder.to_str().unwrap();
    let output = steadyset(&["certs", "generate", "--dns", "localhost", "--out", out]);
    assert!(output.status.success(), "{output:?}");
}

fn paths(folder: &Path) -> [String; 2] {
    ["tls.crt", "tls.key"].map(|name| folder.join(name).to_str().unwrap().to_owned())
}

async fn handshake(process: &Process, folder: &Path) -> std::io::Result<()> {
    let authority = std::fs::read(folder.join("ca.crt"))?;
    let tcp = tokio::net::TcpStream::connect(process.webhook).await?;
    let name = "localhost".try_into().unwrap();
    connector(&authority, &["http/1.1"])
        .connect(name, tcp)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_renewed_pair_is_used_and_a_bad_one_is_not() {
    let (folder, next) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    generate(folder.path());
    generate(next.path());
    let [certificate, key] = paths(folder.path());
    let mut process = Process::with_certificate(&["--tls-cert", &certificate, "--tls-key", &key]);
    handshake(&process, folder.path()).await.unwrap();
    let old = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("ca.crt"), old.path().join("ca.crt")).unwrap();

    std::fs::copy(next.path().join("tls.crt"), &certificate).unwrap();
    let event = process.event("certificate refused");
    assert!(
        event["error"].as_str().unwrap().contains("do not fit"),
        "{event}"
    );
    handshake(&process, old.path()).await.unwrap();

    std::fs::copy(next.path().join("tls.key"), &key).unwrap();
    process.event("certificate renewed");
    handshake(&process, next.path()).await.unwrap();
    assert!(handshake(&process, old.path()).await.is_err());

    std::fs::remove_file(&certificate).unwrap();
    process.event("certificate refused");
    handshake(&process, next.path()).await.unwrap();
}

#[tokio::test]
async fn a_pair_behind_swapped_links_is_renewed() {
    let volume = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        generate(&volume.path().join(name));
    }
    let link = |target: &str| {
        let fresh = volume.path().join("fresh");
        std::os::unix::fs::symlink(target, &fresh).unwrap();
        std::fs::rename(fresh, volume.path().join("data")).unwrap();
    };
    link("one");
    let [certificate, key] = paths(&volume.path().join("data"));
    let mut process = Process::with_certificate(&["--tls-cert", &certificate, "--tls-key", &key]);
    handshake(&process, &volume.path().join("one"))
        .await
        .unwrap();
    for name in ["two", "one"] {
        link(name);
        process.event("certificate renewed");
        handshake(&process, &volume.path().join(name))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn every_name_of_an_ephemeral_certificate_is_certified() {
    let process = Process::start(&["--dns", "webhook.example.svc"]);
    for name in ["localhost", "127.0.0.1", "::1", "webhook.example.svc"] {
        let tcp = tokio::net::TcpStream::connect(process.webhook)
            .await
            .unwrap();
        let connector = connector(&process.authority, &["http/1.1"]);
        let stream = connector.connect(name.try_into().unwrap(), tcp).await;
        assert!(stream.is_ok(), "{name}");
    }
    assert_eq!(client::probe(process.probes, "/livez").await.1, "ok\n");
}

#[test]
fn wrong_usage_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    generate(&one);
    generate(&other);
    let ([certificate, key], [_, stranger]) = (paths(&one), paths(&other));
    for (arguments, code, text) in [
        (
            vec![],
            2,
            "<--tls-cert <FILE>|--self-signed|--ephemeral-cert>",
        ),
        (vec!["--tls-cert", &certificate], 2, "--tls-key <FILE>"),
        (vec!["--tls-key", &key], 2, "--tls-cert <FILE>"),
        (
            vec![
                "--tls-cert",
                &certificate,
                "--tls-key",
                &key,
                "--ephemeral-cert",
            ],
            2,
            "cannot be used with",
        ),
        (
            vec!["--tls-cert", &certificate, "--tls-key", &stranger],
            1,
            "certificate and private key do not fit",
        ),
        (
            vec!["--tls-cert", "/nowhere/tls.crt", "--tls-key", &key],
            1,
            "/nowhere/tls.crt: No such file",
        ),
        (
            vec!["--ephemeral-cert", "--lame-duck", "5"],
            2,
            "`5` is not a duration",
        ),
        (
            vec!["--ephemeral-cert", "--max-in-flight", "0"],
            2,
            "0 is not in",
        ),
        (
            vec!["--self-signed"],
            2,
            "'--no-cluster' cannot be used with '--self-signed'",
        ),
        (
            vec!["--ephemeral-cert", "--client-name", "apiserver"],
            2,
            "--client-ca <FILE>",
        ),
        (
            vec!["--ephemeral-cert", "--client-ca", &key],
            1,
            "there is no certificate in it",
        ),
        (
            vec!["--ephemeral-cert", "--dns", "a b"],
            1,
            "`a b` is neither a DNS name nor an IP address",
        ),
        (
            vec!["--ephemeral-cert", "--listen", "192.0.2.1:1"],
            1,
            "cannot listen on 192.0.2.1:1",
        ),
    ] {
        let output = steadyset(&[&["serve", "--no-cluster"], &arguments[..]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
    }
}

#[test]
fn what_self_signed_needs_is_said() {
    let own = [
        "--self-signed",
        "--service=a/b",
        "--secret=a/c",
        "--webhook-configuration=d",
    ];
    for (arguments, text) in [
        (&own[..1], "--service <NAMESPACE/NAME>"),
        (&own[..3], "--webhook-configuration <NAME>"),
        (
            &["--self-signed", "--service=a"],
            "`a` is not NAMESPACE/NAME",
        ),
        (
            &[&own[..], &["--certificate-life=29s"]].concat(),
            "--certificate-life must be 30s at least",
        ),
        (
            &[&own[..], &["--authority-life=2159h"]].concat(),
            "--authority-life must not be shorter than --certificate-life",
        ),
    ] {
        let output = steadyset(&[&["serve"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
    }
}
