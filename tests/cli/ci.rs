//! What CI services run: the commands of `action.yml`, of the hooks and of `docs/ci.md`, run here.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};
use steadyset::yaml::values;

use super::program::{BAD, Run, steadyset};

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = fs::read_to_string(path).unwrap();
    values::documents(&text).unwrap().remove(0)
}

/// The search path with the program in front.
fn search_path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_steadyset"));
    let folder = program.parent().unwrap().display();
    format!("{folder}:{}", env::var("PATH").unwrap())
}

/// Runs the action's steps as the runner would: each in bash with its environment, inputs filled in.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Run {
    let action = document("action.yml");
    let mut given: Map<String, Value> = Map::new();
    for (name, input) in action["inputs"].as_object().unwrap() {
        given.insert(name.clone(), input["default"].clone());
    }
    for (name, value) in inputs {
        assert!(given.insert((*name).to_owned(), (*value).into()).is_some());
    }
    let steps = action["runs"]["steps"].as_array().unwrap();
    let mut last = None;
    for step in steps {
        assert_eq!(step["shell"], "bash");
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .arg(step["run"].as_str().unwrap())
            .current_dir(folder)
            .env("PATH", search_path())
            .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"));
        for (key, value) in step["env"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            let input = value
                .strip_prefix("${{ inputs.")
                .and_then(|rest| rest.strip_suffix(" }}"));
            command.env(key, given[input.unwrap()].as_str().unwrap());
        }
        last = Some(Run::of(command.output().unwrap()));
    }
    last.unwrap()
}

#[test]
fn the_action_annotates_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two words"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("bad.yaml"), BAD).unwrap();
    }
    let whole = act(folder.path(), &[]);
    assert_eq!((whole.code, &*whole.stderr), (1, ""));
    assert!(
        whole.stdout.starts_with(
            "::error file=one/bad.yaml,line=5,col=24,title=pod-management-policy-unknown::default/bad: "
        ),
        "{}",
        whole.stdout
    );
    assert_eq!(whole.stdout.matches("::error").count(), 2);
    let some = [
        ("paths", "\ntwo words\n  \none/bad.yaml\n"),
        ("fail-on", "never"),
    ];
    let some = act(folder.path(), &some);
    assert_eq!((some.code, &*some.stderr), (0, ""));
    assert!(some.stdout.starts_with("::error file=two words/bad.yaml,"));
    assert_eq!(some.stdout.matches("::error").count(), 2);
    let old = act(folder.path(), &[("kube-version", "one")]);
    assert_eq!(old.code, 2, "{}", old.stderr);
    let policy = folder.path().join("policy.txt");
    fs::write(
        &policy,
        "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: p}\nspec: {enforcement: Warn}\n",
    )
    .unwrap();
    let warned = act(folder.path(), &[("policy", "policy.txt")]);
    assert_eq!(warned.code, 0, "{}", warned.stderr);
    assert!(warned.stdout.starts_with("::warning"));
    let baseline = folder.path().join("known.txt").display().to_string();
    Command::new(env!("CARGO_BIN_EXE_steadyset"))
        .args(["audit", ".", "--write-baseline", &baseline])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(act(folder.path(), &[("baseline", "known.txt")]).code, 0);
}

#[test]
fn the_hooks_judge_the_whole_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.yaml"), BAD).unwrap();
    let hooks = document(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().unwrap() {
        assert_eq!(
            hook["pass_filenames"], false,
            "a set is judged with what is beside it"
        );
        let mut words = hook["entry"].as_str().unwrap().split(' ');
        let arguments = hook["args"].as_array().unwrap().iter();
        let answer = Command::new(words.next().unwrap())
            .args(words)
            .args(arguments.map(|argument| argument.as_str().unwrap()))
            .current_dir(folder.path())
            .env("PATH", search_path())
            .output()
            .unwrap();
        assert_eq!(Run::of(answer).code, 1, "{}", hook["id"]);
    }
}

/// The commands that `docs/ci.md` has a pipeline run end as it says.
#[test]
fn the_pages_commands_run() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.yaml"), BAD).unwrap();
    let lines = page.lines().map(|line| line.trim_start_matches([' ', '-']));
    let commands = lines.filter_map(|line| {
        line.trim_start_matches("run: ")
            .strip_prefix("steadyset audit ")?
            .split_once(" deploy/")
    });
    let codes: Vec<i32> = commands
        .map(|(options, _)| {
            let path = folder.path().display().to_string();
            let mut arguments = vec!["audit", &path];
            arguments.extend(options.split(' '));
            steadyset(&arguments).code
        })
        .collect();
    assert_eq!(codes, [0, 1]);
}
