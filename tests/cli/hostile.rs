//! A folder from a stranger: what is in it is neither followed out of it nor waited for.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::program::{BAD, folder, steadyset};

/// A set that `fix --new` adds to.
const OPEN: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: open}
spec:
  serviceName: open
  selector: {matchLabels: {app: open}}
  template:
    metadata: {labels: {app: open}}
    spec:
      containers:
        - name: db
          image: postgres:16
          ports: [{containerPort: 5432}]
";

#[test]
fn devices_pipes_and_sockets_are_passed_over() {
    let folder = folder(&[("bad.yaml", BAD)]);
    let at = |name: &str| folder.path().join(name);
    symlink("/dev/zero", at("zero.yaml")).unwrap();
    symlink(".", at("loop.yaml")).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe.yaml")).status();
    assert!(made.unwrap().success());
    let _socket = UnixListener::bind(at("socket.json")).unwrap();
    let path = folder.path().display().to_string();
    for arguments in [&["audit", &path][..], &["fix", "--new", "--check", &path]] {
        let run = steadyset(arguments);
        assert_ne!(run.code, 3, "{}", run.stderr);
        for name in ["zero.yaml", "pipe.yaml", "socket.json"] {
            let note = format!("{name}: is a device, a pipe or a socket, and is not read");
            assert!(run.stderr.contains(&note), "{}", run.stderr);
        }
    }
}

#[test]
fn a_link_out_of_the_folder_changes_nothing_there() {
    let elsewhere = folder(&[("open.yaml", OPEN)]);
    let folder = folder(&[("real.yaml", OPEN)]);
    let outside = elsewhere.path().join("open.yaml");
    symlink(&outside, folder.path().join("link.yaml")).unwrap();
    symlink("real.yaml", folder.path().join("within.yaml")).unwrap();
    let path = folder.path().display().to_string();
    let run = steadyset(&["fix", "--new", "--in-place", &path]);
    assert!(
        run.stderr
            .contains("link.yaml: is a link out of the folder, and its file stays as it is"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_to_string(&outside).unwrap(), OPEN);
    let real = folder.path().join("real.yaml");
    assert_ne!(fs::read_to_string(&real).unwrap(), OPEN, "{}", run.stderr);
    let named = folder.path().join("link.yaml").display().to_string();
    steadyset(&["fix", "--new", "--in-place", &named]);
    assert_ne!(
        fs::read_to_string(&outside).unwrap(),
        OPEN,
        "named by the user"
    );
}
