//! Every entry, run in the ways that decide whether its probe holds.

use serde_json::{Value, json};

use super::all;

/// A container of an entry.
pub(crate) struct Case {
    /// The entry's name.
    pub(crate) entry: &'static str,
    /// How it is run.
    pub(crate) way: &'static str,
    /// The container.
    pub(crate) container: Value,
}

/// Every entry that may be probed, in each way.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in all() {
        let (Some(image), Some(recipe)) = (entry.images.first(), entry.recipes.first()) else {
            continue;
        };
        let program = entry.programs.first().copied().unwrap_or_default();
        let verb = entry.verbs.first().copied().unwrap_or_default();
        let line = format!("{program} {verb}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let with = |more: &[&str]| json!([&words[..], more].concat());
        let script = |before: &str| json!(["sh", "-c", format!("{before} exec {line}")]);
        let current = format!("{image}:99.0");
        let mut add = |way, command: Value, image: &str| {
            let port = json!({"name": recipe.port_names.first(), "containerPort": recipe.port});
            let container =
                json!({"name": "web", "image": image, "command": command, "ports": [port]});
            cases.push(Case {
                entry: entry.name,
                way,
                container,
            });
        };
        add("plain", with(&[]), &current);
        add(
            "prepares",
            script("mkdir -p /work; cp /conf/* /work;"),
            &current,
        );
        add(
            "waits",
            script("until ping -c1 db; do sleep 1; done;"),
            &current,
        );
        add(
            "waits for members",
            script("until ping -c1 web-1.web; do sleep 1; done;"),
            &current,
        );
        add("names members", script("PEER=web-0.web"), &current);
        add("other program", json!(["other-program"]), &current);
        add("loopback", with(&["--bind", "127.0.0.1"]), &current);
        add("tls", with(&["--tls-cert-file=/c"]), &current);
        add("old tag", with(&[]), &format!("{image}:0.1"));
    }
    cases
}
