//! What a person sees at a terminal, and a pipe does not.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::program::{BAD, steadyset};

/// A terminal, and the program that runs at it.
struct Terminal {
    screen: File,
    program: Child,
}

impl Terminal {
    fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap();
        let line = OpenOptions::new()
            .read(true)
            .write(true)
            .open(OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_steadyset"))
            .args(arguments)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(line.try_clone().unwrap())
            .stderr(line)
            .spawn()
            .unwrap();
        Self {
            screen: screen.into(),
            program,
        }
    }

    /// Everything that is written until a text comes.
    fn until(&mut self, awaited: &str) -> String {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(awaited) {
            let mut piece = [0];
            self.screen.read_exact(&mut piece).unwrap();
            seen.extend(piece);
        }
        String::from_utf8(seen).unwrap()
    }

    /// Everything that is written until the program ends, with the line ends of a file.
    fn rest(mut self) -> String {
        drop(self.program.stdin.take());
        let mut seen = Vec::new();
        let mut piece = [0; 4096];
        // a terminal that nobody writes to any more is an error (EIO) on Linux
        while let Ok(length @ 1..) = self.screen.read(&mut piece) {
            seen.extend(&piece[..length]);
        }
        self.program.wait().unwrap();
        String::from_utf8(seen).unwrap().replace("\r\n", "\n")
    }
}

#[test]
fn findings_are_shown_with_their_lines_and_in_colour() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.yaml").display().to_string();
    fs::write(&path, BAD).unwrap();
    let shown = Terminal::run(&["audit", &path], &[("NO_COLOR", "1")]).rest();
    let expected = format!(
        "{path}:1:1  default/bad
deny[pod-management-policy-unknown]: spec.podManagementPolicy: \"parallel\" is not a policy, only OrderedReady and Parallel are
 --> {path}:5:24
  |
5 |   podManagementPolicy: parallel
  |                        ^^^^^^^^
  |
  = help: write Parallel

"
    );
    assert!(shown.starts_with(&expected), "{shown}");
    let coloured = Terminal::run(&["audit", &path], &[]).rest();
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let json = Terminal::run(&["audit", &path, "-o", "json"], &[]).rest();
    assert!(json.starts_with("{\n"), "{json}");
    let piped = steadyset(&["audit", &path]);
    assert!(!piped.stdout.contains("-->") && !piped.stdout.contains('\u{1b}'));
}

#[test]
fn a_long_run_says_how_far_it_is_and_leaves_nothing_behind() {
    let mut terminal = Terminal::run(&["audit", "-"], &[("NO_COLOR", "1")]);
    let before = terminal.until("reading ...");
    assert_eq!(before, "\r\u{1b}[Kreading ...");
    let stdin = terminal.program.stdin.as_mut().unwrap();
    stdin.write_all(BAD.as_bytes()).unwrap();
    let after = terminal.rest();
    let erased = after.rfind("\r\u{1b}[K").unwrap();
    let report = after.find("-:1:1  default/bad").unwrap();
    assert!(erased < report, "{after}");
}
