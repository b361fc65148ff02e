//! `steadyset audit` promises what `steadyset fix` writes, no more.

use serde_json::Value;

use super::fix::PLAIN;
use super::program::with_stdin;

const PROBE: &str = "/spec/template/spec/containers/0/readinessProbe";
const LINK: &str = "/spec/serviceName";

/// The paths that an audit of a text lists, and how many injections it counts.
fn promised(text: &str) -> (Vec<String>, u64) {
    let run = with_stdin(&["audit", "-o", "json", "-"], text);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let patches = report["results"].as_array().unwrap().iter();
    let operations = patches.flat_map(|result| result["patch"].as_array().unwrap());
    let paths = operations.map(|operation| operation["path"].as_str().unwrap().to_owned());
    let count = report["summary"]["injections"].as_u64().unwrap();
    (paths.collect(), count)
}

#[test]
fn what_stands_in_an_anchor_is_promised_only_where_nothing_else_uses_it() {
    let container = "      containers:\n        - name: web\n";
    let anchored = PLAIN.replace(
        container,
        "      containers:\n        - &base\n          name: web\n",
    );
    let shared = format!(
        "{anchored}        - <<: *base\n          name: sleeper\n          ports: []\n          command: [sleep, infinity]\n"
    );
    let labels = PLAIN
        .replace(
            "    matchLabels:\n      app: shop",
            "    matchLabels: &labels\n      app: shop",
        )
        .replace("      labels:\n        app: shop", "      labels: *labels");
    for (text, probe) in [
        (PLAIN, true),
        (&anchored, true),
        (&labels, true),
        (&shared, false),
    ] {
        let (paths, count) = promised(text);
        assert_eq!(paths.iter().any(|path| path == PROBE), probe, "{text}");
        assert!(paths.iter().any(|path| path == LINK), "{text}");
        assert_eq!(count, 1 + u64::from(probe), "{text}");
        let fixed = with_stdin(&["fix", "--new", "-"], text).stdout;
        assert_eq!(promised(&fixed), (Vec::new(), 0), "{fixed}");
    }
}

#[test]
fn a_link_is_promised_only_where_its_service_can_follow() {
    let body = |text: &str| {
        let written = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": text},
            "spec": {"selector": {"matchLabels": {"app": text}}, "template": {"metadata": {"labels": {"app": text}},
            "spec": {"containers": [{"name": "web", "image": "registry.example/web:1", "ports": [{"name": "http", "containerPort": 80}]}]}}},
        });
        written.to_string()
    };
    let (paths, count) = promised(&body("shop"));
    assert_eq!((paths, count), (vec![PROBE.to_owned()], 1));
    let fixed = with_stdin(&["fix", "--new", "-"], &body("shop")).stdout;
    assert_eq!(promised(&fixed), (Vec::new(), 0), "{fixed}");
}
