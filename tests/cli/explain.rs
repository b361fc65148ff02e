//! `steadyset explain`.

use super::program::steadyset;

const PAGE: &str = r#"partition-negative

`spec.updateStrategy.rollingUpdate.partition` is below 0.

By default  deny: the write is refused
API server  refuses the same, whatever its version
Points at   `spec.updateStrategy.rollingUpdate.partition`
Source      `src/rules/update_strategy/rolling_update.rs`

Why

  A partition holds pods back from an update: the first so many pods of the set
  keep the old template, the others get the new one. With 2, `web-0` and `web-1`
  keep theirs. Every API server refuses a negative number.

Example

  A set has

      spec:
        updateStrategy:
          type: RollingUpdate
          rollingUpdate:
            partition: -1

  and steadyset says

      steadyset: spec.updateStrategy.rollingUpdate.partition: -1 is below 0;
        write 0 to update every pod, or the number of the first pod to update
        [partition-negative]

Fix

  Write 0 to update every pod, or the number of pods to hold back.

  The example put right:

      spec:
        updateStrategy:
          type: RollingUpdate
          rollingUpdate:
            partition: 0

Exempt

  One set, where its policy allows that. A reason is required; the date is not,
  and after it the exemption no longer counts:

      metadata:
        annotations:
          steadyset.io/exempt: "partition-negative: why this set may"
          steadyset.io/exempt-until: "2027-01-31T00:00:00Z"

  All sets of a `StatefulSetPolicy` (`Warn` shows the finding and lets the write
  through, `Ignore` drops it):

      spec:
        rules:
          partition-negative: Ignore

  Either way the API server still refuses the set, in its own words.
"#;

#[test]
fn a_rule_has_its_page() {
    assert_eq!(steadyset(&["explain", "partition-negative"]).ok(), PAGE);
}

#[test]
fn an_entry_of_the_catalogue_has_its_page() {
    let page = steadyset(&["explain", "catalogue/questdb"]).ok();
    for part in [
        "catalogue/questdb\n\nWhat steadyset asks a container of these images whether it is ready.",
        "\nImages        `questdb`\n",
        "\nProgram       `questdb.sh`, `java`, in the command or in its script\n",
        "\nEvidence      questdb/questdb-kubernetes: containerPort: 9000\n",
        "\n  * `tcpSocket` on port 9000, else one named `http`\n",
    ] {
        assert!(page.contains(part), "{page}");
    }
    let entries = steadyset(&["explain", "catalogue"]).ok();
    assert!(
        entries.contains("\n  * catalogue/questdb: questdb\n"),
        "{entries}"
    );
}

#[test]
fn without_a_name_all_rules_are_listed() {
    let list = steadyset(&["explain"]).ok();
    let start = "Update strategy and pod management\n  \
        pod-management-policy-unknown  deny   `spec.podManagementPolicy` is neither `OrderedReady` nor `Parallel`.\n";
    assert!(list.starts_with(start), "{list}");
}

#[test]
fn an_unknown_name_is_wrong_usage() {
    let run = steadyset(&["explain", "service-mising"]);
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert_eq!(
        run.stderr,
        "error: invalid value 'service-mising' for '[RULE]': there is no rule and no catalogue entry of that name; \
         did you mean service-missing?\n\nFor more information, try '--help'.\n"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let run = super::program::into_closed_pipe(&["explain"]);
    assert_eq!((run.code, &*run.stderr), (0, ""));
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let readme = include_str!("../../README.md");
    let commands: Vec<&str> = readme.split("$ steadyset ").skip(1).collect();
    let mut compared = 0;
    for shown in commands {
        let (command, rest) = shown.split_once('\n').unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        let is_run = matches!(words[..], ["explain", _] | ["policy", "test", _]);
        if is_run {
            let shown = rest
                .split("\n...\n")
                .next()
                .unwrap()
                .split("\n```")
                .next()
                .unwrap();
            assert!(
                steadyset(&words).stdout.starts_with(shown),
                "README.md: {command}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 2);
}
