//! Edits of charts as their authors wrote them.

use std::fs;
use std::path::Path;

use super::properties::{comments, json_of};
use super::*;
use crate::yaml::read::parts;

/// Rendered charts: not part of this repository.
const CHARTS: &str = "../shared/corpus";

/// What may be added anywhere to a set.
fn additions(set: &Value) -> Value {
    let probe = json!({"exec": {"command": ["sh", "-c", "test -f /ready\nexit $?\n"]}, "periodSeconds": 10});
    let mount = json!({"name": "data", "mountPath": "/data"});
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let mut patch = Vec::new();
    for (field, value) in [
        ("minReadySeconds", json!(10)),
        ("serviceName", json!("yes")),
    ] {
        if set["spec"][field].is_null() {
            patch.push(json!({"op": "add", "path": format!("/spec/{field}"), "value": value}));
        }
    }
    let mut put = |list: String, value: Value| {
        let empty = set.pointer(&list).is_none_or(Value::is_null);
        if empty {
            patch.push(json!({"op": "add", "path": list, "value": []}));
        }
        patch.push(json!({"op": "add", "path": format!("{list}/-"), "value": value}));
    };
    let containers = set["spec"]["template"]["spec"]["containers"].as_array();
    for index in 0..containers.map_or(0, Vec::len) {
        put(
            format!("/spec/template/spec/containers/{index}/volumeMounts"),
            mount.clone(),
        );
    }
    put("/spec/volumeClaimTemplates".to_owned(), claim);
    for index in 0..containers.map_or(0, Vec::len) {
        let startup = format!("/spec/template/spec/containers/{index}/startupProbe");
        if set.pointer(&startup).is_none_or(Value::is_null) {
            patch.push(json!({"op": "add", "path": startup, "value": probe}));
        }
    }
    Value::Array(patch)
}

/// A patch, and one that takes it back.
fn there_and_back(set: &Value) -> Vec<(Value, Value)> {
    let both = |from: &str, to: &str| (relocate(from, to), relocate(to, from));
    let mut found = vec![both(
        "/spec/selector/matchLabels",
        "/spec/selector/matchlabels",
    )];
    if set["spec"]["volumeClaimTemplates"].is_array() {
        found.push(both(
            "/spec/volumeClaimTemplates",
            "/spec/template/volumeClaimTemplates",
        ));
        found.push(both(
            "/spec/volumeClaimTemplates",
            "/spec/template/spec/volumeClaimTemplates",
        ));
    }
    if set["spec"]["serviceName"].is_string() {
        found.push(both("/spec/serviceName", "/spec/template/serviceName"));
    }
    found
}

/// The text that a patch leads to, and what it takes away; everything that a comment says is still there.
fn change(text: &str, patch: &Value) -> Result<(String, Vec<String>), String> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
    let document = documents(text).next().unwrap().unwrap();
    let made = edits(&document.read().unwrap(), &patch).map_err(|error| error.to_string())?;
    let gone = made
        .iter()
        .map(|edit| text[edit.range.clone()].trim().to_owned());
    let gone = gone.filter(|gone| !gone.is_empty()).collect();
    let now = apply(text, made);
    let mut expected = json_of(text);
    json_patch::patch(&mut expected, &patch).unwrap();
    assert_eq!(json_of(&now), expected);
    if comments(text) == comments(&now) {
        return Ok((now, gone));
    }
    Err("a comment is lost".to_owned())
}

pub fn charts() -> Vec<(String, String)> {
    let folder = Path::new(CHARTS);
    let Ok(files) = fs::read_dir(folder) else {
        println!("{} is not there, nothing is tested", folder.display());
        return Vec::new();
    };
    let paths = files.map(|file| file.unwrap().path());
    let charts = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    charts
        .map(|path| {
            (
                path.display().to_string(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

/// What goes wrong with a set.
fn faults(text: &str, number: usize) -> Vec<String> {
    let set = json_of(text);
    let mut found = Vec::new();
    match change(text, &additions(&set)) {
        Ok((_, gone)) => {
            let empty = |gone: &String| ["{}", "[]", "null", "\"\""].contains(&gone.as_str());
            found.extend(
                gone.into_iter()
                    .filter(|gone| !empty(gone))
                    .map(|gone| format!("`{gone}` is not there any more")),
            );
        }
        Err(error) => found.push(error),
    }
    let moves = there_and_back(&set);
    if let Some((there, back)) = moves.get(number % moves.len()) {
        let done = change(text, there).and_then(|(now, _)| change(&now, back));
        found.extend(done.err().map(|error| format!("{there}: {error}")));
    }
    found
}

#[test]
fn every_chart_can_be_edited() {
    let mut failed = Vec::new();
    let mut sets = 0;
    for (path, text) in charts() {
        for part in parts(&text) {
            let is_set = part
                .documents()
                .iter()
                .flatten()
                .any(|document| document.kind == "StatefulSet");
            if is_set {
                sets += 1;
                failed.extend(
                    faults(part.text, sets)
                        .into_iter()
                        .map(|fault| format!("{path}:{}: {fault}", part.line)),
                );
            }
        }
    }
    println!("{sets} sets");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
