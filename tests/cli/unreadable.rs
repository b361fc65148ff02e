//! `steadyset fix` and what is no manifest: it is named, and stays as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::fix::{PLAIN, fix_in, names};
use super::program::folder;

/// Everything that is no manifest, and what is said of it.
fn wrong_inputs(folder: &Path) -> Vec<(PathBuf, String)> {
    let bomb = (1..9).fold(
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
        |text, n| {
            let items = vec![format!("*a{}", n - 1); 10].join(", ");
            format!("{text}a{n}: &a{n} [{items}]\n")
        },
    );
    let big = format!("{PLAIN}# {}\n", "x".repeat(17 * 1024 * 1024));
    let tabs = PLAIN.replace("  name: shop", "\tname: shop");
    let texts = [
        (
            "big.yaml",
            big.into_bytes(),
            ":1:1  not read\n  the document has ",
        ),
        (
            "binary.yaml",
            b"\x7fELF\x00\xff".to_vec(),
            ":1:5  not read\n  this is no UTF-8 text",
        ),
        ("bomb.yaml", format!("{PLAIN}{bomb}").into_bytes(), ""),
        ("tabs.yaml", tabs.into_bytes(), ":5:"),
    ];
    let mut inputs: Vec<_> = texts
        .into_iter()
        .map(|(name, bytes, says)| {
            fs::write(folder.join(name), bytes).unwrap();
            (PathBuf::from(name), format!("{name}{says}"))
        })
        .collect();
    inputs.push((
        "missing.yaml".into(),
        "missing.yaml:1:1  not read\n  No such file".to_owned(),
    ));
    inputs
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_of_it_is_written() {
    let folder = folder(&[("good.yaml", PLAIN)]);
    for (path, says) in wrong_inputs(folder.path()) {
        let before = fs::read(folder.path().join(&path)).ok();
        let name = path.display();
        for mode in ["", "--diff", "--check", "--in-place"] {
            let run = fix_in(folder.path(), &format!("--new {mode} {name}"));
            assert_eq!(
                (run.code, &*run.stdout),
                (3, ""),
                "{name} {mode}: {}",
                run.stderr
            );
            assert!(run.stderr.contains(&says), "{name} {mode}: {}", run.stderr);
            assert_eq!(fs::read(folder.path().join(&path)).ok(), before);
        }
        fs::write(folder.path().join("good.yaml"), PLAIN).unwrap();
        let run = fix_in(folder.path(), &format!("--new --in-place good.yaml {name}"));
        assert_eq!(
            (run.code, &*run.stdout),
            (3, "good.yaml\n"),
            "the others are done"
        );
    }
    let names = names(&folder);
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let folder = folder(&[("closed/a.yaml", PLAIN), ("good.yaml", PLAIN)]);
    let closed = folder.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let is_root = fs::read_dir(&closed).is_ok();
    let run = fix_in(folder.path(), "--new --check .");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    // the superuser reads every folder
    if !is_root {
        assert_eq!(
            (run.code, &*run.stdout),
            (3, "good.yaml\n"),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.contains("closed:1:1  not read"),
            "{}",
            run.stderr
        );
    }
}
