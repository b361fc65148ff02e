//! Input that no audit can make anything of: each is named with its place and why, the rest is judged, and the exit code is 3.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Run, steadyset, with_stdin};

/// A set with one finding.
fn set(name: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  podManagementPolicy: parallel
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: web, image: web}}]}}
"
    )
}

/// A folder with a set that can be judged and a file that cannot.
struct Given {
    folder: TempDir,
}

impl Given {
    fn beside(file: &str, content: &[u8]) -> Self {
        let given = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(given.folder.path().join("good.yaml"), set("good")).unwrap();
        fs::write(given.folder.path().join(file), content).unwrap();
        given
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn audit(&self) -> Run {
        steadyset(&["audit", &self.path().display().to_string(), "-o", "json"])
    }

    /// `file:line:column: message` of everything that was not read.
    fn errors(&self) -> Vec<String> {
        let run = self.audit();
        assert_eq!(run.code, 3, "{}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(names(&report).contains(&"good".to_owned()), "{report}");
        let within = format!("{}/", self.path().display());
        let errors = report["errors"].as_array().unwrap().iter();
        errors
            .map(|error| {
                let path = error["path"].as_str().unwrap();
                let name = path.strip_prefix(&within).unwrap_or(path);
                let (line, column) = (&error["line"], &error["column"]);
                format!(
                    "{name}:{line}:{column}: {}",
                    error["message"].as_str().unwrap()
                )
            })
            .collect()
    }
}

fn names(report: &Value) -> Vec<String> {
    let rows = report["results"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_is_named_with_its_place_and_the_rest_is_judged() {
    let deep = format!("{}x{}", "[".repeat(200), "]".repeat(200));
    let mut bomb = format!("{}data:\n  a0: &a0 lol\n", set("bomb"));
    for level in 0..9 {
        let below = vec![format!("*a{level}"); 9].join(", ");
        writeln!(bomb, "  a{0}: &a{0} [{below}]", level + 1).unwrap();
    }
    for (file, content, expected) in [
        (
            "program.yaml",
            b"\x7fELF\x02\x01\x01\x00".to_vec(),
            "program.yaml:1:8: this is no UTF-8 text (byte 0x00); manifests are YAML or JSON",
        ),
        (
            "tabs.yaml",
            set("tabs").replace("  podM", "\tpodM").into_bytes(),
            "tabs.yaml:5:1: a tab cannot indent YAML; write spaces",
        ),
        (
            "bomb.yaml",
            bomb.into_bytes(),
            "bomb.yaml:12:32: the aliases stand for too much",
        ),
        (
            "deep.yaml",
            format!("{}x: {deep}\n", set("deep")).into_bytes(),
            "deep.yaml:10:131: more than 128 mappings and lists stand in one another",
        ),
        (
            "huge.yaml",
            format!("{}# {}\n", set("huge"), "x".repeat(17 << 20)).into_bytes(),
            "huge.yaml:1:1: the document has 17826031 bytes and at most 16777216 (16 MiB) are read; split it with `---`",
        ),
        (
            "template.yaml",
            b"apiVersion: apps/v1\nkind: StatefulSet\n{{- if .Values.on }}\n".to_vec(),
            "template.yaml:3:21: could not find expected ':' while scanning a simple key; a Helm template has to be rendered first \
             (`helm template`)",
        ),
    ] {
        let given = Given::beside(file, &content);
        assert_eq!(given.errors(), [expected], "{file}");
    }
}

/// One document of 100 MB: it is not built, so it takes no more memory than its text.
#[test]
fn a_document_of_100_megabytes_is_refused() {
    let text = format!("{}# {}\n", set("huge"), "x".repeat(100_000_000));
    let answer = with_stdin(&["audit", "-", "-o", "json"], &text);
    assert_eq!(answer.code, 3);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("the document has 100000"), "{message}");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let given = Given::beside("other.txt", b"");
    let missing = given.path().join("missing.yaml").display().to_string();
    let good = given.path().join("good.yaml").display().to_string();
    let answer = steadyset(&["audit", &missing, &good]);
    assert_eq!(answer.code, 3);
    assert!(
        answer.stdout.contains(&format!(
            "{missing}:1:1  not read\n  No such file or directory (os error 2)\n"
        )),
        "{}",
        answer.stdout
    );
    assert!(answer.stdout.contains("default/good"), "{}", answer.stdout);
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let given = Given::beside("other.txt", b"");
    let closed = given.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("set.yaml"), set("hidden")).unwrap();
    for (path, mode) in [(given.path(), 0o755), (&closed, 0o000)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let path = given.path().display().to_string();
    let answer = unprivileged(&["audit", &path], given.path());
    assert_eq!(answer.code, 3);
    let expected = format!("{path}/closed:1:1  not read\n  Permission denied (os error 13)\n");
    assert!(answer.stdout.contains(&expected), "{}", answer.stdout);
    assert!(answer.stdout.contains("default/good"), "{}", answer.stdout);
}

/// Root may read everything, so the program is run as nobody then, from where nobody may run it.
fn unprivileged(arguments: &[&str], open_folder: &Path) -> Run {
    if !rustix::process::geteuid().is_root() {
        return steadyset(arguments);
    }
    let program = open_folder.join("steadyset");
    fs::copy(env!("CARGO_BIN_EXE_steadyset"), &program).unwrap();
    let mut command = Command::new(&program);
    let command = command
        .args(arguments)
        .current_dir("/")
        .uid(65534)
        .gid(65534);
    Run::of(command.output().unwrap())
}

#[test]
fn a_name_that_is_no_text_is_no_obstacle() {
    let given = Given::beside("other.txt", b"");
    let name = OsStr::from_bytes(b"caf\xe9.yaml");
    fs::write(given.path().join(name), set("latin")).unwrap();
    let report: Value = serde_json::from_str(&given.audit().stdout).unwrap();
    assert_eq!(names(&report), ["latin", "good"]);
}

/// Other programs drop the whole input at the first object that does not decode.
#[test]
fn an_object_that_does_not_decode_takes_nothing_with_it() {
    let odd = set("odd").replace("{matchLabels: {app: odd}}", "[]");
    let stream = format!("{}---\n{odd}---\n{}", set("first"), set("last"));
    let answer = with_stdin(&["audit", "-", "-o", "json"], &stream);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    let judged = names(&report);
    assert!(judged.contains(&"first".to_owned()) && judged.contains(&"last".to_owned()));
    let of_others = "apiVersion: v1\nkind: Service\nmetadata: {name: odd}\nspec: [1]\n---\napiVersion: batch/v1\nkind: Job\nspec: [*nowhere\n";
    let answer = with_stdin(
        &["audit", "-", "-o", "json"],
        &format!("{of_others}---\n{}", set("after")),
    );
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((answer.code, names(&report)), (1, vec!["after".to_owned()]));
    assert_eq!(report["summary"]["deny"], 1);
}

/// Other programs panic on two sets of one name.
#[test]
fn two_sets_of_one_name_are_two_rows() {
    let stream = format!("{}---\n{}", set("twin"), set("twin"));
    let answer = with_stdin(&["audit", "-", "-o", "json"], &stream);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (answer.code, names(&report)),
        (1, vec!["twin".to_owned(); 2])
    );
    assert_eq!(report["results"][1]["findings"][0]["line"], 15);
}

/// Other programs stop reading a file at a repeated key.
#[test]
fn a_repeated_key_does_not_end_the_file() {
    let twice = set("twice").replace("spec:\n", "spec:\n  podManagementPolicy: Parallel\n");
    let stream = format!("{twice}---\n{}", set("next"));
    let answer = with_stdin(&["audit", "-", "-o", "json"], &stream);
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(names(&report), ["twice", "next"]);
    assert_eq!(
        (answer.code, &report["summary"]["deny"]),
        (1, &2.into()),
        "the last one counts"
    );
}

#[test]
fn the_templates_of_a_chart_are_passed_over_with_a_note() {
    let given = Given::beside("notes.txt", b"");
    let chart = given.path().join("charts/web");
    fs::create_dir_all(chart.join("templates/tests")).unwrap();
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    )
    .unwrap();
    fs::write(chart.join("values.yaml"), "replicas: 3\n").unwrap();
    fs::write(chart.join("templates/set.yaml"), "{{ if }}\n\t").unwrap();
    let answer = given.audit();
    let report: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((answer.code, names(&report)), (1, vec!["good".to_owned()]));
    assert_eq!(
        answer.stderr,
        format!(
            "note: {0}/templates: the templates of a chart are no manifests; run helm template {0} | steadyset audit -\n",
            chart.display()
        )
    );
}
