use crate::change::Change;
use serde_json::{Value, json};

use super::*;
use crate::model::finding::Finding;
use crate::review::report::{Located, Unreadable};

/// A set with a finding of two kinds, one that is clean, and a file that could not be read.
fn report() -> Report {
    let file = |path: &str, line| Place::File {
        path: path.to_owned(),
        line,
        column: 1,
    };
    let finding = |rule, action, pointer: &str, message: &str, help: &str| Finding {
        rule,
        action,
        pointer: pointer.to_owned(),
        message: message.to_owned(),
        help: help.to_owned(),
    };
    let located = |finding, line, column| Located {
        finding,
        position: Some((line, column)),
    };
    Report {
        rows: vec![
            Row {
                place: file("a,b.yaml", 3),
                namespace: "shop".to_owned(),
                name: "web".to_owned(),
                findings: vec![
                    located(
                        finding(
                            "update-strategy-unknown",
                            Action::Deny,
                            "/spec/updateStrategy/type",
                            "\"Recreate\" is not a type",
                            "write <OnDelete> | 100%",
                        ),
                        9,
                        11,
                    ),
                    located(
                        finding(
                            "service-missing",
                            Action::Warn,
                            "/spec/serviceName",
                            "there is no Service",
                            "make one",
                        ),
                        7,
                        3,
                    ),
                ],
                moves: Vec::new(),
                changes: Vec::new(),
                injections: 0,
                exempted: Vec::new(),
                unfilled: Vec::new(),
                spared: None,
            },
            Row {
                place: Place::Cluster,
                namespace: "bank".to_owned(),
                name: String::new(),
                findings: Vec::new(),
                moves: Vec::new(),
                changes: vec![Change::SetServiceName("web-pods".to_owned())],
                injections: 1,
                exempted: vec!["service-not-headless"],
                unfilled: Vec::new(),
                spared: None,
            },
        ],
        errors: vec![Unreadable {
            path: "broken.yaml".to_owned(),
            line: 2,
            column: 5,
            message: "a tab cannot indent".to_owned(),
        }],
        ..Report::default()
    }
}

fn written(format: Format, style: Style) -> String {
    let mut text = Vec::new();
    write(&report(), format, style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn parsed(format: Format) -> Value {
    serde_json::from_str(&written(format, Style::default())).unwrap()
}

#[test]
fn a_table_is_for_people() {
    let style = Style {
        mutations: true,
        ..Style::default()
    };
    assert_eq!(
        written(Format::Table, style),
        "a,b.yaml:3:1  shop/web
  deny   line 9: spec.updateStrategy.type: \"Recreate\" is not a type [update-strategy-unknown]
         write <OnDelete> | 100%
  warn   line 7: spec.serviceName: there is no Service [service-missing]
         make one

cluster  bank/(no name yet)
  exempt  service-not-headless
  inject  spec.serviceName: \"web-pods\"

broken.yaml:2:5  not read
  a tab cannot indent

2 StatefulSets: 1 deny, 1 warn, 0 audit; 1 injection; 1 input not read
"
    );
    let coloured = Style {
        colour: true,
        ..Style::default()
    };
    let table = written(Format::Table, coloured);
    assert!(
        table.contains("\u{1b}[31mdeny \u{1b}[0m") && !table.contains("  inject"),
        "{table}"
    );
}

#[test]
fn json_and_yaml_are_one_stable_object() {
    let expected = json!({
        "version": 1,
        "summary": {"statefulsets": 2, "deny": 1, "warn": 1, "audit": 0, "injections": 1, "errors": 1},
        "results": [
            {
                "source": {"path": "a,b.yaml", "line": 3, "column": 1}, "namespace": "shop", "name": "web", "patch": [],
                "findings": [
                    {"rule": "update-strategy-unknown", "action": "deny", "pointer": "/spec/updateStrategy/type",
                        "message": "\"Recreate\" is not a type", "help": "write <OnDelete> | 100%", "line": 9, "column": 11},
                    {"rule": "service-missing", "action": "warn", "pointer": "/spec/serviceName",
                        "message": "there is no Service", "help": "make one", "line": 7, "column": 3},
                ],
            },
            {
                "source": {"cluster": true}, "namespace": "bank", "name": "", "findings": [], "exempted": ["service-not-headless"],
                "patch": [{"op": "add", "path": "/spec/serviceName", "value": "web-pods"}],
            },
        ],
        "errors": [{"path": "broken.yaml", "line": 2, "column": 5, "message": "a tab cannot indent"}],
    });
    assert_eq!(parsed(Format::Json), expected);
    let yaml = crate::yaml::values::documents(&written(Format::Yaml, Style::default())).unwrap();
    assert_eq!(yaml, [expected]);
}

#[test]
fn sarif_names_rules_places_and_what_was_not_read() {
    let sarif = parsed(Format::Sarif);
    let run = &sarif["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["update-strategy-unknown", "service-missing"]);
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("update-strategy-unknown"), &json!("error"))
    );
    assert_eq!(
        result["locations"][0]["physicalLocation"],
        json!({"artifactLocation": {"uri": "a%2Cb.yaml"}, "region": {"startLine": 9, "startColumn": 11}})
    );
    assert_eq!(run["results"][1]["level"], "warning");
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"][0]["message"]["text"],
        "a tab cannot indent"
    );
}

#[test]
fn junit_has_a_case_for_every_set() {
    assert_eq!(
        written(Format::Junit, Style::default()),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="steadyset" tests="3" failures="1" errors="1">
  <testsuite name="steadyset" tests="3" failures="1" errors="1">
    <testcase classname="a,b.yaml:3:1" name="shop/web">
      <failure type="update-strategy-unknown" message="&quot;Recreate&quot; is not a type">deny line 9: spec.updateStrategy.type: &quot;Recreate&quot; is not a type; write &lt;OnDelete&gt; | 100% [update-strategy-unknown]</failure>
      <system-out>warn line 7: spec.serviceName: there is no Service; make one [service-missing]</system-out>
    </testcase>
    <testcase classname="cluster" name="bank/(no name yet)"/>
    <testcase classname="broken.yaml:2:5" name="broken.yaml">
      <error type="unreadable" message="a tab cannot indent"/>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
}

#[test]
fn github_gets_commands_that_become_annotations() {
    assert_eq!(
        written(Format::Github, Style::default()),
        "::error file=a%2Cb.yaml,line=9,col=11,title=update-strategy-unknown::shop/web: spec.updateStrategy.type: \
         \"Recreate\" is not a type; write <OnDelete> | 100%25
::warning file=a%2Cb.yaml,line=7,col=3,title=service-missing::shop/web: spec.serviceName: there is no Service; make one
::error file=broken.yaml,line=2,col=5,title=not read::a tab cannot indent
2 StatefulSets: 1 deny, 1 warn, 0 audit; 1 injection; 1 input not read
"
    );
}

#[test]
fn markdown_stays_in_its_table() {
    assert_eq!(
        written(Format::Markdown, Style::default()),
        "**steadyset**: 2 StatefulSets: 1 deny, 1 warn, 0 audit; 1 injection; 1 input not read

| | set | field | what | rule |
| --- | --- | --- | --- | --- |
| deny | shop/web<br>a,b.yaml:9 | `spec.updateStrategy.type` | \"Recreate\" is not a type; write &lt;OnDelete> \\| 100% | `update-strategy-unknown` |
| warn | shop/web<br>a,b.yaml:7 | `spec.serviceName` | there is no Service; make one | `service-missing` |

not read: broken.yaml:2:5: a tab cannot indent
"
    );
}

#[test]
fn a_terminal_shows_the_line_that_is_meant() {
    let mut report = report();
    let text = "\u{feff}# one\n---\nspec:\n\n\n\n  serviceName: gone # é\r\n  updateStrategy:\n    type: \"Recreate\", }\n";
    for path in ["a,b.yaml", "broken.yaml"] {
        report.sources.insert(path.to_owned(), text.to_owned());
    }
    report.errors[0].column = 9;
    let style = Style {
        excerpts: true,
        ..Style::default()
    };
    let mut shown = Vec::new();
    write(&report, Format::Table, style, &mut shown).unwrap();
    assert_eq!(
        String::from_utf8(shown).unwrap(),
        "a,b.yaml:3:1  shop/web
deny[update-strategy-unknown]: spec.updateStrategy.type: \"Recreate\" is not a type
 --> a,b.yaml:9:11
  |
9 |     type: \"Recreate\", }
  |           ^^^^^^^^^^
  |
  = help: write <OnDelete> | 100%
warn[service-missing]: spec.serviceName: there is no Service
 --> a,b.yaml:7:3
  |
7 |   serviceName: gone # é
  |   ^^^^^^^^^^^^
  |
  = help: make one

cluster  bank/(no name yet)
  exempt  service-not-headless

not read: a tab cannot indent
 --> broken.yaml:2:4
  |
2 | ---
  |    ^

2 StatefulSets: 1 deny, 1 warn, 0 audit; 1 injection; 1 input not read
"
    );
}
