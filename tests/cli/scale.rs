//! Many sets at once: what is said of them does not depend on how many cores say it.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::program::{steadyset, with_stdin};

/// A set that is linked to the Service of its name, and every third with a finding.
fn set(name: &str, number: usize) -> String {
    let policy = if number.is_multiple_of(3) {
        "parallel"
    } else {
        "Parallel"
    };
    format!(
        "---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}}}
spec:
  podManagementPolicy: {policy}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: web, image: web}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}-peers}}
spec: {{clusterIP: None, selector: {{app: {name}}}}}
"
    )
}

#[test]
fn the_report_is_in_the_order_of_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for world in ["b", "a"] {
        let mut stream = String::new();
        for number in 0..200 {
            let name = format!("{world}-{number:03}");
            write!(stream, "{}", set(&name, number)).unwrap();
            expected.push(name);
        }
        fs::create_dir(folder.path().join(world)).unwrap();
        fs::write(folder.path().join(world).join("all.yaml"), stream).unwrap();
    }
    let path = |world: &str| folder.path().join(world).display().to_string();
    let arguments = ["audit", &path("b"), &path("a"), "-o", "json"];
    let first = steadyset(&arguments);
    let report: Value = serde_json::from_str(&first.stdout).unwrap();
    let rows = report["results"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, expected);
    assert_eq!(report["summary"]["deny"], 2 * 67);
    for (row, name) in rows.iter().zip(&expected) {
        assert_eq!(
            row["patch"][0]["value"],
            format!("{name}-peers"),
            "its own Service, which follows it"
        );
    }
    assert_eq!(steadyset(&arguments).stdout, first.stdout);
}

#[test]
fn a_stream_is_judged_as_its_documents_in_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = String::new();
    for number in 0..200 {
        let text = set(&format!("web-{number:03}"), number);
        fs::write(folder.path().join(format!("{number:03}.yaml")), &text).unwrap();
        stream.push_str(&text);
    }
    let rows = |text: &str| {
        let report: Value = serde_json::from_str(text).unwrap();
        let rows = report["results"].as_array().unwrap().iter();
        rows.map(|row| (row["name"].clone(), row["patch"].clone()))
            .collect::<Vec<_>>()
    };
    let files = steadyset(&["audit", &folder.path().display().to_string(), "-o", "json"]);
    let one = with_stdin(&["audit", "-", "-o", "json"], &stream);
    assert_eq!((files.code, one.code), (1, 1));
    assert_eq!(rows(&files.stdout), rows(&one.stdout));
    assert_eq!(rows(&one.stdout).len(), 200);
}
