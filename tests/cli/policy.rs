//! `steadyset policy`.

use std::fs;

use tempfile::TempDir;

use super::program::{Run, steadyset};

const CASES: &str = "docs/policy/cases";
const FAILING: &str = "tests/fixtures/cases/failing.yaml";

/// Runs the program on files in a folder of their own, called `DIR` in what it says.
fn on(files: &[(&str, &str)], arguments: &[&str]) -> Run {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| word.replace("DIR", path))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = steadyset(&arguments);
    Run {
        code: run.code,
        stdout: run.stdout.replace(path, "DIR"),
        stderr: run.stderr.replace(path, "DIR"),
    }
}

fn policy(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

/// A case that comes out as expected under the built-in default; `more` may change that.
fn case(name: &str, more: &str) -> String {
    format!(
        "name: {name}\nobject: {{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: web}}, spec: {{serviceName: web, replicas: 3, \
         updateStrategy: {{rollingUpdate: {{partition: 3}}}}, selector: {{matchLabels: {{app: web}}}}, \
         template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: web, image: web}}]}}}}}}}}\n\
         expect: {{findings: [{{rule: partition-exceeds-replicas, action: warn}}]}}\n{more}\n"
    )
}

#[test]
fn check_names_the_policies_that_are_fine() {
    let checked = steadyset(&[
        "policy",
        "check",
        "tests/fixtures/policy/platform-default.yaml",
    ]);
    assert_eq!(checked.ok(), "nothing wrong: platform-default\n");
}

#[test]
fn check_names_everything_that_is_wrong_with_where_and_what_to_write() {
    let good = policy("good", "{}");
    let bad = policy(
        "bad",
        "{profil: Strict, rules: {service-mising: Warn, immutable-field-change: Deny}, inject: {readinessProbe: {mode: safe}}}",
    );
    let worse = "apiVersion: steadyset.io/v1\nkind: StatefulSetPolicy\nmetadata: {}\n";
    let files = [
        ("a.yaml", &*format!("{good}---\n{bad}")),
        ("b.yml", worse),
        ("notes.txt", "a: ["),
    ];
    let run = on(&files, &["policy", "check", "DIR"]);
    let expected = "\
DIR/a.yaml: bad: spec.inject.readinessProbe.mode: \"safe\" is none of Safe, Always, Never; did you mean Safe?
DIR/a.yaml: bad: spec.profil: there is no such field; did you mean profile?
DIR/a.yaml: bad: spec.rules.immutable-field-change: never denies: the API server's own answer is what tools act on; write Warn, Audit or Ignore
DIR/a.yaml: bad: spec.rules.service-mising: there is no rule \"service-mising\"; did you mean service-missing?
DIR/b.yml: document 1: apiVersion: is \"steadyset.io/v1\"; write steadyset.io/v1alpha1
DIR/b.yml: document 1: metadata.name: is missing
";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (2, expected, ""));
}

#[test]
fn the_cases_of_the_documentation_come_out_as_expected() {
    let said = steadyset(&["policy", "test", CASES]).ok();
    let lines: Vec<&str> = said.lines().collect();
    let cases = lines
        .iter()
        .filter(|line| line.starts_with("ok      docs/policy/cases/"))
        .count();
    assert!(cases >= 15, "{said}");
    assert_eq!(
        lines[cases..],
        ["", &format!("{cases} of {cases} as expected")]
    );
}

#[test]
fn a_case_that_comes_out_otherwise_is_shown_with_the_difference() {
    let run = steadyset(&["policy", "test", FAILING]);
    let expected = "\
FAILED  tests/fixtures/cases/failing.yaml: a frozen set is refused
        --- expected
        +++ found
        @@ -1,4 +1,4 @@
         judged: true
         findings:
         - rule: partition-exceeds-replicas
        -  action: deny
        +  action: warn

0 of 1 as expected
";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (1, expected, ""));
    let manual = include_str!("../../docs/policy/README.md");
    assert!(
        manual.contains(&format!("$ steadyset policy test {FAILING}\n{expected}")),
        "docs/policy/README.md shows something else"
    );
}

#[test]
fn the_policies_of_the_command_line_are_for_cases_without_their_own() {
    let said = steadyset(&[
        "policy",
        "test",
        "--policy",
        "tests/fixtures/policy",
        FAILING,
    ])
    .ok();
    assert!(said.ends_with("\n1 of 1 as expected\n"), "{said}");
    let own = case("own", "policy: {}");
    let strict = policy("strict", "{profile: Strict}");
    let files = [("policy.yaml", &*strict), ("cases/own.yaml", &*own)];
    let run = on(
        &files,
        &["policy", "test", "--policy", "DIR/policy.yaml", "DIR/cases"],
    );
    assert_eq!(
        (run.code, &*run.stdout),
        (0, "ok      DIR/cases/own.yaml: own\n\n1 of 1 as expected\n")
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_run() {
    let (good, mut bad) = (case("good", ""), case("bad", ""));
    bad = bad.replace("action: warn", "action: deny");
    let misspelt = case("misspelt", "").replace("expect:", "expects:");
    let files = [
        ("deep/er/good.yaml", &*good),
        ("bad.yaml", &*bad),
        ("misspelt.yaml", &*misspelt),
        ("open.json", "{\"name\": ["),
        (".hidden.yaml", "a: ["),
        ("notes.txt", "a: ["),
    ];
    let run = on(&files, &["policy", "test", "DIR", "DIR/gone.yaml"]);
    let lines: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    let starts = [
        "FAILED  DIR/bad.yaml: bad",
        "ok      DIR/deep/er/good.yaml: good",
        "BROKEN  DIR/misspelt.yaml: error: line 3 column 1: unknown field `expects`",
        "BROKEN  DIR/open.json: error: line 1 column ",
        "BROKEN  DIR/gone.yaml: No such file or directory",
        "",
        "1 of 2 as expected",
    ];
    assert_eq!(
        (run.code, lines.len(), &*run.stderr),
        (3, starts.len(), ""),
        "{}",
        run.stdout
    );
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line} | {start}");
    }
}

#[test]
fn a_policy_that_cannot_be_used_is_wrong_usage() {
    let broken = policy("broken", "{profil: Strict}");
    let good = case("good", "");
    let files = [("broken.yaml", &*broken), ("cases/good.yaml", &*good)];
    let run = on(
        &files,
        &["policy", "test", "--policy", "DIR/broken.yaml", "DIR/cases"],
    );
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert_eq!(
        run.stderr,
        "steadyset: --policy cannot be used:\nDIR/broken.yaml: broken: spec.profil: there is no such field; did you mean profile?\n"
    );
    let own = case("own", "policy: {profil: Strict}");
    let run = on(
        &[("own.yaml", &*own), ("good.yaml", &*good)],
        &["policy", "test", "DIR"],
    );
    let expected = "ok      DIR/good.yaml: good\nBROKEN  DIR/own.yaml: own\n        \
        policy: spec.profil: there is no such field; did you mean profile?\n\n1 of 2 as expected\n";
    assert_eq!((run.code, &*run.stdout), (2, expected));
}

#[test]
fn a_folder_without_cases_is_wrong_usage() {
    let run = on(&[("notes.txt", "")], &["policy", "test", "DIR"]);
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (2, "", "steadyset: there is no case in any of these\n")
    );
}
