//! Runs the program.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A set that no server takes.
pub const BAD: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bad}
spec:
  podManagementPolicy: parallel
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {containers: [{name: web, image: web}]}
";

/// What a run gave.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// The result.
    pub stdout: String,
    /// What was said beside it.
    pub stderr: String,
}

/// Runs `steadyset` with these arguments in the source tree, so that paths are as in the documentation.
pub fn steadyset(arguments: &[&str]) -> Run {
    Run::of(command(arguments).output().unwrap())
}

/// The program with these arguments, to be run.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadyset"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

impl Run {
    /// What a program that has ended gave.
    pub fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The result of a run that went well and said nothing beside it.
    pub fn ok(self) -> String {
        assert_eq!((self.code, &*self.stderr), (0, ""));
        self.stdout
    }
}

/// Runs it with this text on its standard input.
pub fn with_stdin(arguments: &[&str], text: &str) -> Run {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    Run::of(child.wait_with_output().unwrap())
}

/// Runs it with nobody who reads its result.
pub fn into_closed_pipe(arguments: &[&str]) -> Run {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command(arguments).stdout(writer).output().unwrap();
    Run::of(output)
}

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
