//! `steadyset post-render` without a cluster: what passes, what is said, and how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::fix::{OTHER, PLAIN, refused};
use super::program::{Run, command, folder, with_stdin};

/// A kubeconfig of a server that does not listen.
pub(super) fn nowhere() -> String {
    "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:9'}}]\n\
     contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n"
        .to_owned()
}

#[test]
fn a_render_of_new_sets_needs_no_cluster() {
    let text = format!("{OTHER}---\n{PLAIN}");
    let run = with_stdin(&["post-render", "--new"], &text);
    assert_eq!((run.code, &*run.stderr), (0, ""));
    assert_eq!(run.stdout, with_stdin(&["fix", "--new", "-"], &text).stdout);
    let run = with_stdin(
        &["post-render", "--new"],
        &format!("{OTHER}---\n{}", refused()),
    );
    assert_eq!((run.code, &*run.stdout), (1, ""));
    assert!(
        run.stderr.contains("[pod-management-policy-unknown]"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_render_whose_set_cannot_be_read_goes_nowhere() {
    let broken = PLAIN.replace("    matchLabels:", "    matchLabels: [");
    let run = with_stdin(&["post-render", "--new"], &format!("{OTHER}---\n{broken}"));
    assert_eq!((run.code, &*run.stdout), (3, ""));
    let says = "-:16:11  not read\n  did not find expected ',' or ']'";
    assert!(run.stderr.starts_with(says), "{}", run.stderr);
}

#[test]
fn other_documents_pass_as_they_are_even_broken_ones() {
    for broken in [
        "a: [1\n",
        "kind: ConfigMap\napiVersion: v1\ndata: {a: [\n",
        "\tx: 1\n",
    ] {
        let text = format!("{PLAIN}---\n{broken}---\n# nothing\n{OTHER}");
        let run = with_stdin(&["post-render", "--new"], &text);
        assert_eq!(run.code, 0, "{broken:?}: {}", run.stderr);
        let rest = format!("---\n{broken}---\n# nothing\n{OTHER}");
        assert!(run.stdout.ends_with(&rest), "{}", run.stdout);
        assert!(run.stdout.contains("serviceName: shop-pods"));
    }
    let run = with_stdin(&["post-render", "--new"], OTHER);
    assert_eq!(run.ok(), OTHER);
}

#[test]
fn the_namespace_of_a_release_must_be_known() {
    let run = with_stdin(&["post-render"], PLAIN);
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert!(run.stderr.contains("Set HELM_NAMESPACE"), "{}", run.stderr);
    let folder = folder(&[("config", &nowhere())]);
    let config = folder.path().join("config");
    let config = config.to_str().unwrap();
    let out_of_reach = |arguments: &[&str], text: &str| {
        let run = with_stdin(
            &[&["post-render", "--kubeconfig", config], arguments].concat(),
            text,
        );
        assert_eq!((run.code, &*run.stdout), (0, text), "{}", run.stderr);
        let note = "nothing is added to the manifests, and all sets are judged as new ones\n";
        assert!(
            run.stderr.starts_with("note: ") && run.stderr.ends_with(note),
            "{}",
            run.stderr
        );
    };
    out_of_reach(&["-n", "shop"], PLAIN);
    let named = PLAIN.replace(
        "metadata:\n  name: shop #",
        "metadata:\n  namespace: shop\n  name: shop #",
    );
    out_of_reach(&[], &named);
    out_of_reach(&[], OTHER);
    let run = with_stdin(
        &["post-render", "--kubeconfig", config, "-n", "shop"],
        &refused(),
    );
    assert_eq!((run.code, &*run.stdout), (1, ""), "judged all the same");
}

#[test]
fn another_server_than_that_of_the_kubeconfig_is_not_overlooked() {
    let mut command = command(&["post-render"]);
    let run = Run::of(
        command
            .env("HELM_KUBEAPISERVER", "https://far.example")
            .output()
            .unwrap(),
    );
    assert_eq!((run.code, &*run.stdout), (2, ""));
    assert!(
        run.stderr
            .starts_with("steadyset: HELM_KUBEAPISERVER is set"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_plugin_is_of_this_version() {
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/helm-plugin");
    let text = fs::read_to_string(plugin.join("plugin.yaml")).unwrap();
    let version = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    let mode = fs::metadata(plugin.join("post-render.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
}
