//! The pages under `docs/rules/` are what the rules say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::program::steadyset;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    });
    files.collect()
}

#[test]
fn the_pages_are_what_the_rules_say() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("made/if/missing");
    assert_eq!(
        steadyset(&["explain", "--markdown", path.to_str().unwrap()]).ok(),
        ""
    );
    let (written, kept) = (
        files(&path),
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")),
    );
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&written),
        names(&kept),
        "docs/rules has pages too few or too many: run `make docs`"
    );
    for (name, content) in &written {
        let is_kept = kept.get(name) == Some(content);
        assert!(
            is_kept,
            "docs/rules/{name} is not what the rule says: run `make docs`"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules"));
    for (name, content) in &pages {
        for target in content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let heading = target
                .strip_prefix('#')
                .map(|anchor| anchor.replace('-', " "));
            let is_there = match heading {
                Some(heading) => content.to_lowercase().contains(&format!("# {heading}\n")),
                None => pages.contains_key(target),
            };
            assert!(is_there, "{name}: {target}");
        }
    }
}
