//! The rooms of the source stand in an order, and each uses only those before it: the list in `src/lib.rs` is the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a knowledge room must not name: the network, files, the Kubernetes API, threads that wait, and a clock of its own.
const OF_SHELLS: &[&str] = &[
    "tokio::",
    "kube::",
    "axum::",
    "hyper::",
    "std::fs",
    "std::net",
    "Timestamp::now",
    "Instant::now",
    "SystemTime::now",
];

/// What a file of a knowledge room may name all the same.
const EXCEPTIONS: &[(&str, &str)] = &[
    // the definition of the policies' kind is derived from their one written form, by a macro that does no I/O
    ("src/policy/spec.rs", "kube::"),
    // addresses are read there as text, and nothing is reached by them
    ("src/validation/pod.rs", "std::net"),
];

/// Whether a file is an exception to a fault.
fn is_exception(path: &Path, fault: &str) -> bool {
    let ends = |name: &str| fault.ends_with(&format!("must not use {name}"));
    EXCEPTIONS
        .iter()
        .any(|(file, name)| path.ends_with(file) && ends(name))
}

/// The rooms as `src/lib.rs` lists them, and how many of them, from the first, are knowledge.
struct Plan {
    rooms: Vec<String>,
    knowledge: usize,
}

impl Plan {
    /// Reads the list: a line `//! * [`room`]: ...` for each room, those of the shells after the line that begins with `//! The shells`.
    fn read(library: &str) -> Self {
        let mut rooms = Vec::new();
        let mut knowledge = None;
        for line in library.lines() {
            if line.starts_with("//! The shells") {
                knowledge = Some(rooms.len());
            }
            if let Some(rest) = line.strip_prefix("//! * [`") {
                let (room, _) = rest.split_once('`').unwrap();
                rooms.push(room.to_owned());
            }
        }
        Self {
            rooms,
            knowledge: knowledge.unwrap(),
        }
    }

    fn floor(&self, room: &str) -> Option<usize> {
        self.rooms.iter().position(|name| name == room)
    }

    /// What is wrong with a file of a room.
    fn faults(&self, room: &str, source: &str) -> Vec<String> {
        let Some(floor) = self.floor(room) else {
            return vec![format!("{room} is not in the list of src/lib.rs")];
        };
        let mut faults = Vec::new();
        let code = product(source);
        for named in rooms_named(&code) {
            match self.floor(&named) {
                Some(other) if other > floor => {
                    faults.push(format!(
                        "{room} must not use {named}, which stands after it"
                    ));
                }
                Some(_) => {}
                None => faults.push(format!(
                    "{room} uses {named}, which is not in the list of src/lib.rs"
                )),
            }
        }
        if floor < self.knowledge {
            let shells = OF_SHELLS.iter().filter(|name| names(&code, name));
            faults
                .extend(shells.map(|name| format!("{room} is knowledge and must not use {name}")));
        }
        faults
    }
}

/// Whether the code names that path, and not another that ends like it.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

/// The rooms behind `crate::`, of one path or of a list in braces.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        let word = |text: &str| -> String {
            text.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        };
        match rest.strip_prefix('{') {
            None => rooms.extend([word(rest)]),
            Some(list) => {
                let mut depth = 0_usize;
                let mut start = true;
                for (index, character) in list.char_indices() {
                    match character {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_ascii_lowercase() => {
                            rooms.extend([word(&list[index..])]);
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    rooms.remove("");
    rooms
}

/// The code without comments and without the module of its tests, which may use what it likes.
fn product(source: &str) -> String {
    let (code, _) = source
        .split_once("#[cfg(test)]\nmod tests {")
        .unwrap_or((source, ""));
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.fold(String::new(), |code, line| code + line + "\n")
}

/// The modules of a file that exist for tests alone.
fn test_modules(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?;
        let (_, name) = line.split_once("mod ")?;
        name.strip_suffix(';')
    })
}

/// Every file of a folder that is part of the product, with the room that it belongs to.
fn sources(folder: &Path, room: Option<&str>, found: &mut BTreeMap<PathBuf, String>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let room = room.unwrap_or(&stem).to_owned();
        if path.is_dir() {
            sources(&path, Some(&room), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path, room);
        }
    }
}

fn product_sources() -> BTreeMap<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    sources(&source, None, &mut found);
    found.retain(|path, room| {
        path.parent() != Some(&source) || !["lib", "main"].contains(&room.as_str())
    });
    let mut of_tests = Vec::new();
    for path in found.keys() {
        let folder = match path.file_stem().unwrap().to_str().unwrap() {
            "mod" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        let text = fs::read_to_string(path).unwrap();
        of_tests.extend(test_modules(&text).map(|name| folder.join(name)));
    }
    found.retain(|path, _| {
        let file = path.with_extension("");
        !of_tests
            .iter()
            .any(|module| file == *module || path.starts_with(module))
    });
    found
}

fn plan() -> Plan {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    Plan::read(&fs::read_to_string(library).unwrap())
}

#[test]
fn every_room_uses_only_those_before_it() {
    let plan = plan();
    let faults: Vec<String> = product_sources()
        .iter()
        .flat_map(|(path, room)| {
            let text = fs::read_to_string(path).unwrap();
            let faults = plan.faults(room, &text).into_iter();
            faults
                .filter(|fault| !is_exception(path, fault))
                .map(|fault| format!("{}: {fault}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_room_of_the_list_is_there() {
    let rooms: BTreeSet<String> = product_sources().into_values().collect();
    let listed: BTreeSet<String> = plan().rooms.into_iter().collect();
    assert_eq!(rooms, listed);
}

#[test]
fn an_arrow_the_wrong_way_is_a_fault() {
    let plan = plan();
    for (room, code, fault) in [
        (
            "statefulset",
            "use crate::rules::Rule;\n",
            "statefulset must not use rules",
        ),
        (
            "policy",
            "use crate::{\n    model::name,\n    inject::{Injection, Notice},\n};\n",
            "policy must not use inject",
        ),
        (
            "inject",
            "fn f() { crate::cluster::start() }\n",
            "inject must not use cluster",
        ),
        (
            "rules",
            "use kube::Client;\n",
            "rules is knowledge and must not use kube::",
        ),
        (
            "rules",
            "use jiff::Timestamp;\nfn f() { Timestamp::now(); }\n",
            "rules is knowledge and must not use Timestamp::now",
        ),
        (
            "model",
            "use crate::elsewhere::Thing;\n",
            "model uses elsewhere, which is not in the list",
        ),
        ("elsewhere", "", "elsewhere is not in the list"),
    ] {
        let faults = plan.faults(room, code);
        assert!(
            faults.iter().any(|found| found.starts_with(fault)),
            "{room}: {faults:?}"
        );
    }
    for (room, code) in [
        (
            "rules",
            "use crate::{model::name, statefulset::set::Set};\n//! use crate::cli::Cli;\n",
        ),
        (
            "cli",
            "use crate::review::report::Report;\nuse tokio::time::Instant;\n",
        ),
        (
            "model",
            "#[cfg(test)]\nmod tests {\n    use crate::cli::Cli;\n}\n",
        ),
    ] {
        assert_eq!(plan.faults(room, code), [""; 0], "{room}");
    }
}
