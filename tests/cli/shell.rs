//! `steadyset completions` and `steadyset man`.

use std::collections::BTreeSet;
use std::fs;

use super::program::steadyset;

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = steadyset(&["completions", shell]).ok();
        for command in ["serve", "audit", "explain", "policy", "certs", "crd"] {
            assert!(script.contains(command), "{shell}: no {command}");
        }
    }
    assert_eq!(steadyset(&["completions", "cmd"]).code, 2);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    steadyset(&["man", man.to_str().unwrap()]).ok();
    let pages: BTreeSet<String> = fs::read_dir(&man)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in [
        "steadyset.1",
        "steadyset-audit.1",
        "steadyset-policy-test.1",
        "steadyset-serve.1",
    ] {
        assert!(pages.contains(page), "{pages:?}");
    }
    let audit = fs::read_to_string(man.join("steadyset-audit.1")).unwrap();
    assert!(audit.contains("write\\-baseline"), "{audit}");
    let taken = folder.path().join("taken");
    fs::write(&taken, "").unwrap();
    let refused = steadyset(&["man", taken.to_str().unwrap()]);
    assert!(
        refused.code == 1 && refused.stderr.contains("taken"),
        "{}",
        refused.stderr
    );
}
