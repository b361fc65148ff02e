//! `steadyset fix` without a cluster: what is written where, what is said, and how it ends.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::post_render::nowhere;
use super::program::{Run, command, folder, with_stdin};

/// A set as people write it, with a comment and a service of its own.
pub(super) const PLAIN: &str = "# the shop
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: shop # as the DNS name says
spec:
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
        - name: web
          image: registry.example/shop:1
          ports:
            - name: http
              containerPort: 80
";

/// Anything else.
pub(super) const OTHER: &str =
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a:   'b'}\n";

/// What is to be refused.
pub(super) fn refused() -> String {
    PLAIN.replace(
        "spec:\n  sel",
        "spec:\n  podManagementPolicy: parallel\n  sel",
    )
}

/// Runs it in a folder, as its user would.
pub(super) fn fix_in(folder: &Path, line: &str) -> Run {
    let mut command = command(&["fix"]);
    command.args(line.split_whitespace()).current_dir(folder);
    Run::of(command.output().unwrap())
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

pub(super) fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn which_sets_these_are_must_be_said() {
    for (which, why) in [
        (
            &[][..],
            "say --new if these sets do not exist yet, or --live to ask the cluster for them: \
             a serviceName or a claim added to a set that runs makes every later apply fail",
        ),
        (
            &["--new", "--live"],
            "--new and --live exclude each other: --new if these sets do not exist yet, --live to ask the cluster for them",
        ),
    ] {
        let run = with_stdin(&[&["fix", "-"], which].concat(), PLAIN);
        assert_eq!((run.code, &*run.stdout), (2, ""));
        assert_eq!(run.stderr, format!("steadyset: {why}\n"));
    }
}

#[test]
fn a_file_that_is_named_twice_or_linked_is_one_file() {
    let folder = folder(&[("a.yaml", PLAIN)]);
    symlink("a.yaml", folder.path().join("b.yaml")).unwrap();
    let diff = fix_in(folder.path(), "--new --diff a.yaml a.yaml b.yaml").stdout;
    assert_eq!(diff.matches("+++ ").count(), 1, "{diff}");
    let run = fix_in(folder.path(), "--new --in-place .");
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (0, "a.yaml\n", ""));
}

#[test]
fn a_pipe_is_no_place_to_write_to() {
    let folder = folder(&[]);
    let made = Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(made.unwrap().success());
    let run = fix_in(folder.path(), "--new --in-place pipe");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("a pipe or a device has no place"),
        "{}",
        run.stderr
    );
}

#[test]
fn one_input_goes_to_stdout_as_its_author_would_have_written_it() {
    let text = format!("{PLAIN}{OTHER}");
    let run = with_stdin(&["fix", "--new", "-"], &text);
    assert_eq!((run.code, &*run.stderr), (0, ""));
    let expected = PLAIN.to_owned()
        + "          readinessProbe:
            tcpSocket:
              port: http
            periodSeconds: 10
            timeoutSeconds: 3
            successThreshold: 1
            failureThreshold: 3
---
apiVersion: v1
kind: Service
metadata:
  name: shop-pods
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app: shop
  ports:
    - name: http
      port: 80
" + OTHER;
    let expected = expected.replace(
        "      app: shop\n  template",
        "      app: shop\n  serviceName: shop-pods\n  template",
    );
    assert_eq!(run.stdout, expected);
    let again = with_stdin(&["fix", "--new", "-"], &run.stdout);
    assert_eq!(again.ok(), run.stdout, "a second run changes nothing");
}

#[test]
fn several_inputs_need_a_place_to_go() {
    let folder = folder(&[("a.yaml", PLAIN), ("b.yaml", PLAIN)]);
    for line in ["--new a.yaml b.yaml", "--new .", "--live ."] {
        let run = fix_in(folder.path(), line);
        assert_eq!((run.code, &*run.stdout), (2, ""), "{line}");
        assert_eq!(
            run.stderr,
            "steadyset: several inputs cannot go to stdout: say --diff to see what would change, --in-place to write it, \
             or --check to have it counted\n"
        );
    }
    let run = with_stdin(&["fix", "--new", "--in-place", "-"], PLAIN);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "steadyset: --in-place needs files: standard input has no place to be written to\n"
    );
    assert_eq!(fix_in(folder.path(), "--new --diff --check .").code, 2);
    assert_eq!(fix_in(folder.path(), "--new --in-place --check .").code, 2);
}

fn git(folder: &Path, line: &str) -> bool {
    let mut git = Command::new("git");
    git.args(line.split_whitespace()).current_dir(folder);
    git.status().unwrap().success()
}

#[test]
fn a_diff_is_one_that_git_applies() {
    let dos = PLAIN.replace('\n', "\r\n");
    let folder = folder(&[
        ("deploy/a.yaml", PLAIN),
        ("deploy/with blank.yaml", PLAIN.trim_end()),
        ("deploy/dos.yaml", &dos),
        ("deploy/other.yaml", OTHER),
    ]);
    let run = fix_in(folder.path(), "--new --diff deploy");
    assert_eq!((run.code, &*run.stderr), (0, ""));
    assert!(
        run.stdout
            .starts_with("--- a/deploy/a.yaml\n+++ b/deploy/a.yaml\n@@ "),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("other.yaml"), "{}", run.stdout);
    fs::write(folder.path().join("change.diff"), &run.stdout).unwrap();
    assert!(
        git(folder.path(), "apply --whitespace=nowarn change.diff"),
        "{}",
        run.stdout
    );
    let run = fix_in(folder.path(), "--new --check deploy");
    assert_eq!(
        (run.code, &*run.stdout),
        (0, ""),
        "git made of the files what fix makes of them"
    );
    let whole = folder.path().join("deploy/other.yaml");
    let whole = whole.to_str().unwrap();
    assert_eq!(
        fix_in(folder.path(), &format!("--new --diff {whole}")).stdout,
        ""
    );
    fs::write(whole, PLAIN).unwrap();
    let run = fix_in(folder.path(), &format!("--new --diff {whole}"));
    assert!(
        run.stdout.starts_with("--- a/deploy/other.yaml\n"),
        "{}",
        run.stdout
    );
    assert_eq!(
        fix_in(folder.path(), &format!("--new --check {whole}")).code,
        1
    );
    let run = fix_in(
        &folder.path().join("deploy"),
        "--new --diff ../deploy/other.yaml",
    );
    assert!(
        run.stdout.starts_with("--- a/other.yaml\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_check_writes_nothing_and_names_what_would_change() {
    let folder = folder(&[("a.yaml", PLAIN), ("b.yaml", OTHER)]);
    let run = fix_in(folder.path(), "--new --check .");
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (1, "a.yaml\n", ""));
    assert_eq!(read(&folder, "a.yaml"), PLAIN);
    assert_eq!(fix_in(folder.path(), "--new --check b.yaml").code, 0);
}

#[test]
fn a_file_is_replaced_with_its_mode_and_links_stay_links() {
    let folder = folder(&[("a.yaml", PLAIN), ("b.yaml", OTHER)]);
    let path = folder.path().join("a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("a.yaml", folder.path().join("link.yaml")).unwrap();
    let run = fix_in(folder.path(), "--new --in-place link.yaml b.yaml");
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (0, "link.yaml\n", "")
    );
    assert!(folder.path().join("link.yaml").is_symlink());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o640
    );
    assert_eq!(
        read(&folder, "a.yaml"),
        with_stdin(&["fix", "--new", "-"], PLAIN).stdout
    );
    assert_eq!(read(&folder, "b.yaml"), OTHER);
    assert_eq!(names(&folder), ["a.yaml", "b.yaml", "link.yaml"]);
    let again = fix_in(folder.path(), "--new --in-place .");
    assert_eq!((again.code, &*again.stdout), (0, ""));
}

#[test]
fn a_service_in_another_file_of_the_folder_is_the_one() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: peers}\nspec: {clusterIP: None, selector: {app: shop}}\n";
    let folder = folder(&[("a.yaml", PLAIN), ("b.yaml", service)]);
    let run = fix_in(folder.path(), "--new --in-place .");
    assert_eq!((run.code, &*run.stdout), (0, "a.yaml\n"));
    let text = read(&folder, "a.yaml");
    assert!(text.contains("\n  serviceName: peers\n"), "{text}");
    assert!(!text.contains("kind: Service\n"), "{text}");
}

#[test]
fn a_denial_is_said_and_the_rest_is_written() {
    let folder = folder(&[("a.yaml", &refused())]);
    let says = "a.yaml:2:1  default/shop
  deny   line 7: spec.podManagementPolicy: \"parallel\" is not a policy, only OrderedReady and Parallel are [pod-management-policy-unknown]
         write Parallel

1 StatefulSet: 1 deny, 0 warn, 0 audit; 2 injections
";
    for (line, code) in [
        ("--new a.yaml", 1),
        ("--new --diff a.yaml", 0),
        ("--new --check a.yaml", 1),
        ("--new --in-place a.yaml", 1),
    ] {
        let run = fix_in(folder.path(), line);
        assert_eq!((run.code, &*run.stderr), (code, says), "{line}");
        assert!(!run.stdout.is_empty(), "{line}");
    }
    assert!(read(&folder, "a.yaml").contains("serviceName: shop-pods"));
    let checked = fix_in(folder.path(), "--new --check a.yaml");
    assert_eq!(
        (checked.code, &*checked.stdout),
        (1, ""),
        "nothing to write, and denied"
    );
}

#[test]
fn a_patch_of_a_set_is_read_over() {
    let selector = "  selector:\n    matchLabels:\n      app: shop\n";
    let patch = PLAIN
        .replace("          image: registry.example/shop:1\n", "")
        .replace(selector, "");
    assert!(!patch.contains("selector"));
    let run = with_stdin(&["fix", "--new", "-"], &patch);
    assert_eq!((run.code, &*run.stdout), (0, &*patch));
    assert_eq!(
        run.stderr,
        "note: -:2: shop is no whole set but a patch of one, and stays as it is\n"
    );
}

#[test]
fn a_policy_decides_what_is_written() {
    let folder = folder(&[("a.yaml", PLAIN)]);
    let policy = "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {name: p}\n\
        spec: {inject: {serviceName: {mode: Never}, readinessProbe: {mode: Never}}}\n";
    fs::write(folder.path().join("policy.txt"), policy).unwrap();
    let run = fix_in(folder.path(), "--new --policy policy.txt --check a.yaml");
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.stderr);
    assert_eq!(
        fix_in(folder.path(), "--new --policy none.txt a.yaml").code,
        2
    );
    assert_eq!(
        fix_in(folder.path(), "--new --kube-version x a.yaml").code,
        2
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_is_exit_code_4() {
    let folder = folder(&[("a.yaml", PLAIN), ("config", &nowhere())]);
    for line in [
        "--kubeconfig config",
        "--kubeconfig config --context other",
        "--kubeconfig none",
    ] {
        let run = fix_in(folder.path(), &format!("--live --in-place {line} a.yaml"));
        assert_eq!((run.code, &*run.stdout), (4, ""), "{line}: {}", run.stderr);
        assert!(
            run.stderr.starts_with("steadyset: the "),
            "{line}: {}",
            run.stderr
        );
        assert_eq!(read(&folder, "a.yaml"), PLAIN);
    }
}
