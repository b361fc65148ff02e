//! `steadyset audit` of files: what is found where, and how it ends.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::program::{Run, folder, steadyset, with_stdin};

/// A set that no server takes, with a line of its own for what is wrong.
const BAD: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: bad
spec:
  serviceName: peers
  podManagementPolicy: parallel
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec: {containers: [{name: web, image: web}]}
";

/// One that lacks a Service and a probe, and has nothing wrong.
const PLAIN: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: plain, namespace: shop}
spec:
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec: {containers: [{name: web, image: web, ports: [{name: http, containerPort: 80}]}]}
";

fn audit(folder: &Path, line: &str) -> Run {
    let mut arguments = vec!["audit", folder.to_str().unwrap()];
    arguments.extend(line.split_whitespace());
    steadyset(&arguments)
}

fn report(answer: &Run) -> Value {
    serde_json::from_str(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", answer.stdout))
}

/// `name: action rule at line:column`, for every finding.
fn findings(report: &Value) -> Vec<String> {
    let rows = report["results"].as_array().unwrap().iter();
    rows.flat_map(|row| {
        let name = row["name"].as_str().unwrap();
        row["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |found| {
                let text = |field: &str| found[field].as_str().unwrap();
                format!(
                    "{name}: {} {} at {}:{}",
                    text("action"),
                    text("rule"),
                    found["line"],
                    found["column"]
                )
            })
    })
    .collect()
}

#[test]
fn every_set_is_a_row_and_every_finding_has_its_place() {
    let two = format!("# a comment\n---\n{PLAIN}---\n{BAD}");
    let folder = folder(&[
        ("two.yaml", &two),
        ("notes.txt", BAD),
        (".hidden/bad.yaml", BAD),
    ]);
    let answer = audit(folder.path(), "-o json --kube-version 1.36.3");
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    let report = report(&answer);
    assert_eq!(
        findings(&report),
        ["bad: deny pod-management-policy-unknown at 18:24"]
    );
    let path = folder.path().join("two.yaml").display().to_string();
    assert_eq!(
        report["results"][0]["source"],
        json!({"path": path, "line": 3, "column": 1})
    );
    assert_eq!(
        (
            &report["results"][0]["namespace"],
            &report["results"][1]["namespace"]
        ),
        (&json!("shop"), &json!("default"))
    );
    let operations = report["results"][0]["patch"].as_array().unwrap();
    let paths: Vec<&str> = operations
        .iter()
        .map(|operation| operation["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "/spec/serviceName",
            "/spec/template/spec/containers/0/readinessProbe"
        ]
    );
    assert_eq!(
        report["summary"],
        json!({"statefulsets": 2, "deny": 1, "warn": 0, "audit": 0, "injections": 2, "errors": 0})
    );
}

#[test]
fn the_services_of_the_folder_are_looked_up_wherever_they_stand() {
    let service = |name: &str, ip: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{{ip}selector: {{app: plain}}}}\n"
        )
    };
    let folder = folder(&[
        ("a/set.yaml", PLAIN),
        ("a/zz.yaml", &service("peers", "clusterIP: None, ")),
        (
            "b/set.yaml",
            &PLAIN.replace(
                "spec:\n  sel",
                "spec:\n  replicas: 2\n  serviceName: peer\n  sel",
            ),
        ),
        ("b/zz.yaml", &service("peers", "")),
        (
            "c/set.yaml",
            &PLAIN.replace(
                "spec:\n  sel",
                "spec:\n  replicas: 2\n  serviceName: elsewhere\n  sel",
            ),
        ),
    ]);
    let report = report(&audit(folder.path(), "-o json --kube-version 1.36.3"));
    assert_eq!(
        report["results"][0]["patch"][0]["value"], "peers",
        "linked to the one that is there"
    );
    assert_eq!(
        findings(&report),
        ["plain: warn service-missing at 6:16"],
        "only beside Services is one known to be missing"
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_judged() {
    let folder = folder(&[
        ("bad.yaml", BAD),
        ("broken.yaml", "a: [1\n---\n"),
        ("chart/Chart.yaml", "name: x\n"),
        ("chart/templates/a.yaml", "{{ x"),
    ]);
    fs::write(folder.path().join("image.yaml"), [b'a', 0xff, 0xfe]).unwrap();
    let answer = audit(folder.path(), "-o json");
    assert_eq!(answer.code, 3);
    let report = report(&answer);
    assert_eq!(report["summary"]["deny"], 1);
    let errors = report["errors"].as_array().unwrap();
    let names: Vec<String> = errors
        .iter()
        .map(|error| {
            let path = Path::new(error["path"].as_str().unwrap());
            format!(
                "{}:{}",
                path.file_name().unwrap().to_str().unwrap(),
                error["line"]
            )
        })
        .collect();
    assert_eq!(names, ["image.yaml:1", "broken.yaml:1"]);
    assert!(
        answer
            .stderr
            .contains("the templates of a chart are no manifests; run helm template"),
        "{}",
        answer.stderr
    );
    let missing = steadyset(&["audit", "no/such/file.yaml"]);
    assert_eq!(missing.code, 3);
    assert!(
        missing.stdout.contains("no/such/file.yaml:1:1  not read"),
        "{}",
        missing.stdout
    );
}

#[test]
fn the_threshold_decides_how_it_ends() {
    let warned = PLAIN.replace(
        "spec:\n  sel",
        "spec:\n  updateStrategy: {rollingUpdate: {partition: 5}}\n  sel",
    );
    let folder = folder(&[("set.yaml", &warned)]);
    for (line, code) in [
        ("", 0),
        ("--fail-on warn", 1),
        ("--fail-on never", 0),
        ("--fail-on warn --skip-rule partition-exceeds-replicas", 0),
        ("--fail-on warn --rule partition-exceeds-replicas", 1),
        ("--fail-on warn --rule service-missing", 0),
        ("--rule nonsense", 2),
        ("--fail-on nonsense", 2),
        ("-o nonsense", 2),
        ("--kube-version one", 2),
        ("--policy no/such/policy.yaml", 2),
    ] {
        let answer = audit(folder.path(), line);
        assert_eq!(
            answer.code, code,
            "{line}: {}{}",
            answer.stdout, answer.stderr
        );
    }
}

#[test]
fn a_policy_decides_as_it_does_in_the_cluster() {
    let folder = folder(&[("set.yaml", BAD)]);
    let policy = |spec: &str| {
        let file = folder.path().join("policy.txt");
        let text = format!(
            "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: p}}\nspec: {spec}\n"
        );
        fs::write(&file, text).unwrap();
        audit(
            folder.path(),
            &format!("-o json --policy {}", file.display()),
        )
    };
    assert_eq!(policy("{}").code, 1);
    assert_eq!(policy("{enforcement: Warn}").code, 0);
    let elsewhere = policy("{match: {namespaces: {exclude: [default]}}}");
    assert_eq!(
        (
            elsewhere.code,
            report(&elsewhere)["results"][0]["findings"].clone()
        ),
        (0, json!([]))
    );
    let wrong = policy("{profile: strict}");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("did you mean Strict?"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_baseline_lets_only_new_findings_count() {
    let folder = folder(&[("set.yaml", BAD)]);
    let baseline = folder.path().join("baseline.txt");
    let with = |option: &str| audit(folder.path(), &format!("{option} {}", baseline.display()));
    assert_eq!(with("--write-baseline").code, 0);
    assert_eq!(with("--baseline").code, 0, "known");
    let moved = format!("# moved down\n{BAD}").replace(
        "  selector",
        "  updateStrategy: {type: onDelete}\n  selector",
    );
    fs::write(folder.path().join("set.yaml"), moved).unwrap();
    let answer = with("-o json --baseline");
    assert_eq!(answer.code, 1);
    assert_eq!(
        findings(&report(&answer)),
        ["bad: deny update-strategy-unknown at 9:26"]
    );
    fs::write(&baseline, "{}").unwrap();
    assert_eq!(with("--baseline").code, 2);
}

#[test]
fn a_baseline_knows_a_file_by_either_of_its_paths() {
    let folder = folder(&[("deploy/set.yaml", BAD)]);
    let folder = folder.path().canonicalize().unwrap();
    let absolute = folder.join("deploy").display().to_string();
    let (here, whole) = ("deploy", absolute.as_str());
    for (written, read) in [(here, whole), (whole, here), (whole, "./deploy")] {
        let code = |path: &str, option: &str| {
            let arguments = ["audit", path, option, "baseline.txt"];
            let program = env!("CARGO_BIN_EXE_steadyset");
            let mut command = std::process::Command::new(program);
            let output = command.args(arguments).current_dir(&folder).output();
            Run::of(output.unwrap()).code
        };
        assert_eq!(code(written, "--write-baseline"), 0);
        assert_eq!(code(read, "--baseline"), 0, "{written}, {read}");
    }
}

#[test]
fn standard_input_is_a_file_like_others() {
    let answer = with_stdin(&["audit", "-", "-o", "github"], BAD);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.stdout,
        "::error file=-,line=7,col=24,title=pod-management-policy-unknown::default/bad: spec.podManagementPolicy: \"parallel\" is not a policy, \
         only OrderedReady and Parallel are; write Parallel\n1 StatefulSet: 1 deny, 0 warn, 0 audit; 0 injections\n"
    );
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}",
        BAD.replace('\n', "\n  ")
    );
    let answer = with_stdin(&["audit", "-", "-o", "json"], &list);
    assert_eq!(
        findings(&report(&answer)),
        ["bad: deny pod-management-policy-unknown at 10:26"]
    );
    let patch = BAD
        .replace("  selector: {matchLabels: {app: bad}}\n", "")
        .replace(", image: web", "");
    let answer = with_stdin(&["audit", "-"], &patch);
    assert_eq!(answer.code, 0);
    assert!(
        answer
            .stderr
            .contains("-:1: bad is no whole set but a patch of one, and is not judged"),
        "{}",
        answer.stderr
    );
}

#[test]
fn an_exemption_is_not_silent() {
    let exempted = BAD.replace(
        "  name: bad\n",
        "  name: bad\n  annotations: {steadyset.io/exempt: \"partition-exceeds-replicas: a canary\"}\n",
    );
    let exempted = exempted.replace(
        "podManagementPolicy: parallel",
        "updateStrategy: {rollingUpdate: {partition: 5}}",
    );
    let folder = folder(&[("set.yaml", &exempted)]);
    let row = report(&audit(folder.path(), "-o json"))["results"][0].clone();
    assert_eq!(
        (&row["findings"], &row["exempted"]),
        (&json!([]), &json!(["partition-exceeds-replicas"]))
    );
    let table = audit(folder.path(), "").stdout;
    assert!(
        table.contains("\n  exempt  partition-exceeds-replicas\n"),
        "{table}"
    );
}
