//! The formats for other programs, held against what those programs read.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use tempfile::TempDir;

use super::program::{Run, steadyset};

/// Names, values and places that a careless writer would not escape.
const ODD: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: \"<we>&]]>b\", namespace: \"a,b:c%0A\\u0007\"}
spec:
  replicas: 2
  podManagementPolicy: \"par,al::lel%\\n<é\u{1f600}>&\\\"\\t\\u0007\"
  updateStrategy: {rollingUpdate: {partition: 5}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web}]}
";

/// A folder whose names, too, are odd: one set with findings, one without, and a file that cannot be read.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clean = ODD
        .replace("podManagementPolicy", "# podManagementPolicy")
        .replace("updateStrategy", "# updateStrategy");
    for (name, text) in [
        ("a,b: c%d é&.yaml", ODD),
        ("clean.yaml", &clean),
        ("broken.yaml", "a: [1, <\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn audit(folder: &TempDir, format: &str) -> Run {
    steadyset(&[
        "audit",
        &folder.path().display().to_string(),
        "-o",
        format,
        "--kube-version",
        "1.36",
    ])
}

#[test]
fn sarif_is_valid() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/formats/sarif-schema-2.1.0.json"
    );
    let mut schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    // no regular expression by today's rules: it has a bracket too many; no log of ours has languages
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        assert!(
            language
                .as_object_mut()
                .unwrap()
                .remove("pattern")
                .is_some()
        );
    }
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let faults = |log: &Value| -> Vec<String> {
        let errors = validator.iter_errors(log);
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    };
    let answer = audit(&folder(), "sarif");
    assert_eq!(answer.code, 3);
    let mut log: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(faults(&log), Vec::<String>::new());
    let results = &log["runs"][0]["results"];
    assert_eq!(results.as_array().unwrap().len(), 8, "{results}");
    log["runs"][0]["results"][0]["level"] = "deny".into();
    assert_eq!(faults(&log).len(), 1, "the schema is not empty");
    let nothing = tempfile::tempdir().unwrap();
    let log: Value = serde_json::from_str(&audit(&nothing, "sarif").stdout).unwrap();
    assert_eq!(faults(&log), Vec::<String>::new());
}

/// An element as Jenkins has it: the attributes it must have, those it may have, and what may stand in it (junit-10.xsd of its xunit
/// plugin; `#` is text).
struct Element {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
}

const JUNIT: &[Element] = &[
    Element {
        name: "testsuites",
        required: &[],
        optional: &["name", "time", "tests", "failures", "errors"],
        children: &["testsuite"],
    },
    Element {
        name: "testsuite",
        required: &["name", "tests", "failures", "errors"],
        optional: &[
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
        children: &[
            "testsuite",
            "properties",
            "testcase",
            "system-out",
            "system-err",
        ],
    },
    Element {
        name: "testcase",
        required: &["name"],
        optional: &["time", "classname", "group"],
        children: &["skipped", "error", "failure", "system-out", "system-err"],
    },
    Element {
        name: "failure",
        required: &[],
        optional: &["type", "message"],
        children: &["#"],
    },
    Element {
        name: "error",
        required: &[],
        optional: &["type", "message"],
        children: &["#"],
    },
    Element {
        name: "system-out",
        required: &[],
        optional: &[],
        children: &["#"],
    },
];

/// What is against the schema, element by element.
fn against_junit(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut faults = Vec::new();
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                check(&start, open.last(), &mut faults);
                open.push(name(&start));
            }
            Event::Empty(start) => check(&start, open.last(), &mut faults),
            Event::End(_) => drop(open.pop()),
            Event::Text(text) if !text.decode().unwrap().trim().is_empty() => {
                let of = open.last().cloned().unwrap_or_default();
                let may = known(&of).is_some_and(|element| element.children.contains(&"#"));
                faults.extend((!may).then(|| format!("text in {of}")));
            }
            Event::Eof => return faults,
            _ => {}
        }
    }
}

fn name(start: &BytesStart<'_>) -> String {
    String::from_utf8(start.name().as_ref().to_vec()).unwrap()
}

fn known(name: &str) -> Option<&'static Element> {
    JUNIT.iter().find(|element| element.name == name)
}

fn check(start: &BytesStart<'_>, parent: Option<&String>, faults: &mut Vec<String>) {
    let own = name(start);
    let may_stand_here = match parent {
        None => own == "testsuites",
        Some(parent) => {
            known(parent).is_some_and(|element| element.children.contains(&own.as_str()))
        }
    };
    if !may_stand_here {
        faults.push(format!("{own} in {parent:?}"));
    }
    let Some(element) = known(&own) else {
        return;
    };
    let has: Vec<String> = start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.unwrap();
            attribute.unescape_value().unwrap();
            String::from_utf8(attribute.key.as_ref().to_vec()).unwrap()
        })
        .collect();
    for required in element.required {
        if !has.iter().any(|has| has == required) {
            faults.push(format!("{own} without {required}"));
        }
    }
    for attribute in &has {
        let attribute = attribute.as_str();
        if !element.required.contains(&attribute) && !element.optional.contains(&attribute) {
            faults.push(format!("{attribute} of {own}"));
        }
    }
}

#[test]
fn junit_is_as_jenkins_reads_it() {
    let answer = audit(&folder(), "junit");
    assert_eq!(against_junit(&answer.stdout), Vec::<String>::new());
    assert_eq!(answer.stdout.matches("<testcase").count(), 3);
    assert!(
        answer
            .stdout
            .chars()
            .all(|character| !character.is_control() || character == '\n'),
        "no character that XML 1.0 does not know: {}",
        answer.stdout
    );
    assert_eq!(
        against_junit(
            "<testsuites><testsuite name='a' tests='1' failures='0' errors='0'><testcase line='3'>x</testcase></testsuite></testsuites>"
        ),
        [
            "testcase without name",
            "line of testcase",
            "text in testcase"
        ]
    );
}

/// Its name, its properties and its text.
type Command = (String, Vec<(String, String)>, String);

/// A workflow command as the runner of GitHub Actions takes it apart: properties end at the first `::`, are parted by `,`, and unescaped.
fn command(line: &str) -> Option<Command> {
    let (head, data) = line.strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let data_of = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%25", "%")
    };
    let value_of = |text: &str| data_of(&text.replace("%3A", ":").replace("%2C", ","));
    let properties = properties.split(',').filter_map(|property| {
        let (key, value) = property.split_once('=')?;
        Some((key.to_owned(), value_of(value)))
    });
    Some((name.to_owned(), properties.collect(), data_of(data)))
}

#[test]
fn github_reads_back_what_was_written() {
    let folder = folder();
    let answer = audit(&folder, "github");
    let report: Value = serde_json::from_str(&audit(&folder, "json").stdout).unwrap();
    let commands: Vec<_> = answer.stdout.lines().filter_map(command).collect();
    assert_eq!(commands.len(), 9, "{}", answer.stdout);
    let row = &report["results"][0];
    let findings = row["findings"].as_array().unwrap();
    for (finding, (name, properties, data)) in findings.iter().zip(&commands) {
        let expected = if finding["action"] == "deny" {
            "error"
        } else {
            "warning"
        };
        assert_eq!(name, expected);
        let property = |key: &str| {
            let found = properties.iter().find(|(known, _)| known == key);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(property("file"), row["source"]["path"].as_str());
        assert_eq!(property("line"), Some(&*finding["line"].to_string()));
        assert_eq!(property("col"), Some(&*finding["column"].to_string()));
        assert_eq!(property("title"), finding["rule"].as_str());
        assert!(
            data.contains(finding["message"].as_str().unwrap()),
            "{data}"
        );
    }
    let mut titles = commands
        .iter()
        .map(|(_, properties, _)| properties.last().unwrap());
    assert!(titles.any(|(_, title)| title == "not read"));
}
