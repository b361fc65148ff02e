//! Policies in files: read at the start, and again when their content changes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Origin, Said, Store};
use crate::policy::document::{self, Document};
use crate::policy::schema::Fault;
use crate::yaml::read::{is_hidden, is_manifest};

/// Between two looks at the files. Their content is compared: the kubelet renews a mounted `ConfigMap` by swapping a symbolic link
/// two levels up, which a watch on the file never sees.
const POLL: Duration = Duration::from_secs(2);

/// The text of every file, by path.
type Content = BTreeMap<PathBuf, String>;

/// Something that is wrong with the files of policies, and in which.
#[derive(Debug)]
pub struct Wrong {
    /// The file, or the folder.
    pub path: PathBuf,
    /// The policy, where it is one that is wrong.
    pub policy: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            policy,
            fault,
        } = self;
        write!(formatter, "{}: ", path.display())?;
        if let Some(policy) = policy {
            write!(formatter, "{policy}: ")?;
        }
        write!(formatter, "{fault}")
    }
}

/// What files say.
#[derive(Debug, Default)]
pub struct Read {
    /// Every policy that could be told apart.
    pub said: Vec<Said>,
    /// Everything that is wrong.
    pub wrong: Vec<Wrong>,
    /// Whether that is more than policies with faults: which policies there are cannot be told.
    unreadable: bool,
}

/// Reads policies from files, and from the `.yaml`, `.yml` and `.json` files of folders (not of the folders in them, and not the
/// hidden ones).
#[must_use]
pub fn read(paths: &[PathBuf]) -> Read {
    match contents(paths) {
        Ok(content) => interpret(&content),
        Err(wrong) => Read {
            wrong: vec![wrong],
            unreadable: true,
            ..Read::default()
        },
    }
}

/// Files that are followed.
#[derive(Debug)]
pub struct Followed {
    paths: Vec<PathBuf>,
    seen: Option<Content>,
}

impl Followed {
    /// Reads the files a first time and puts what they say in force.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them: at the start there is no last good form.
    pub fn start(paths: Vec<PathBuf>, store: &Store) -> Result<Self, Vec<Wrong>> {
        let content = contents(&paths).map_err(|wrong| vec![wrong])?;
        let read = interpret(&content);
        if !read.wrong.is_empty() {
            return Err(read.wrong);
        }
        if read.said.is_empty() {
            tracing::warn!(
                ?paths,
                "no policy in any of these; as long as none is elsewhere, the built-in default is in force"
            );
        } else {
            tracing::info!(policies = read.said.len(), "policies read from files");
        }
        store.replace(Origin::Files, read.said);
        Ok(Self {
            paths,
            seen: Some(content),
        })
    }

    /// Looks at the files again and again; never ends. What is wrong is reported once and leaves the last good form in force.
    pub async fn follow(mut self, store: Arc<Store>) {
        loop {
            tokio::time::sleep(POLL).await;
            let paths = self.paths.clone();
            let Ok(content) = tokio::task::spawn_blocking(move || contents(&paths)).await else {
                continue;
            };
            self.look(content, &store);
        }
    }

    fn look(&mut self, content: Result<Content, Wrong>, store: &Store) {
        match content {
            Ok(content) if self.seen.as_ref() == Some(&content) => {}
            Ok(content) => {
                apply(interpret(&content), store);
                self.seen = Some(content);
            }
            Err(wrong) if self.seen.is_some() => {
                tracing::error!(%wrong, "policies cannot be read; the last good ones stay in force");
                store.unreadable(Origin::Files);
                self.seen = None;
            }
            Err(_) => {}
        }
    }
}

fn apply(read: Read, store: &Store) {
    for wrong in &read.wrong {
        tracing::error!(%wrong, "a policy is refused; its last good form stays in force");
    }
    if read.unreadable {
        store.unreadable(Origin::Files);
    } else {
        tracing::info!(policies = read.said.len(), "policies read from files");
        store.replace(Origin::Files, read.said);
    }
}

fn interpret(content: &Content) -> Read {
    let mut read = Read::default();
    let mut homes: BTreeMap<String, &Path> = BTreeMap::new();
    for (path, text) in content {
        let documents = document::read(text).unwrap_or_else(|faults| {
            read.unreadable = true;
            read.wrong.extend(faults.into_iter().map(|fault| Wrong {
                path: path.clone(),
                policy: None,
                fault,
            }));
            Vec::new()
        });
        for document in documents {
            if let Some(other) = homes.insert(document.name.clone(), path) {
                read.unreadable = true;
                let message = format!("a policy of this name is in {} too", other.display());
                read.wrong.push(Wrong::of(
                    path,
                    &document,
                    Fault::new("metadata.name", message),
                ));
            }
            let faults = document.policy.as_ref().err();
            let faults = faults
                .into_iter()
                .flat_map(|rejected| rejected.faults.iter());
            let wrong: Vec<Wrong> = faults
                .map(|fault| Wrong::of(path, &document, fault.clone()))
                .collect();
            read.wrong.extend(wrong);
            read.said.push((document.name, document.policy));
        }
    }
    read
}

impl Wrong {
    fn of(path: &Path, document: &Document, fault: Fault) -> Self {
        Self {
            path: path.to_owned(),
            policy: Some(document.name.clone()),
            fault,
        }
    }

    fn io(path: &Path, error: &io::Error) -> Self {
        Self {
            path: path.to_owned(),
            policy: None,
            fault: Fault::new("file", error.to_string()),
        }
    }
}

fn contents(paths: &[PathBuf]) -> Result<Content, Wrong> {
    let mut content = Content::new();
    for path in paths {
        for file in files(path)? {
            let text = std::fs::read_to_string(&file).map_err(|error| Wrong::io(&file, &error))?;
            content.insert(file, text);
        }
    }
    Ok(content)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Wrong> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |error: io::Error| Wrong::io(path, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(wrong)? {
        let file = entry.map_err(wrong)?.path();
        if is_manifest(&file) && !is_hidden(&file) && !file.is_dir() {
            files.push(file);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::metrics::Metrics;

    fn policy(name: &str, spec: &str) -> String {
        format!(
            "apiVersion: steadyset.io/v1alpha1\nkind: StatefulSetPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        )
    }

    fn in_force(store: &Store) -> Vec<String> {
        let policies = store.shared().load_full();
        policies
            .iter()
            .map(|policy| format!("{} {}", policy.name, policy.priority))
            .collect()
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.yaml",
            &(policy("a", "{profile: strict}") + "---\n" + &policy("b", "{}")),
        );
        write("b.yml", &policy("b", "{prority: 1}"));
        write("c.json", "{\"kind\": \"Policy\", \"specs\": {}}");
        write("d.yaml", "a: [1\n");
        write(".hidden.yaml", "nonsense: [");
        write("notes.txt", "nonsense: [");
        let read = read(&[folder.path().to_owned()]);
        let start = format!("{}/", folder.path().display());
        let wrong: Vec<String> = read
            .wrong
            .iter()
            .map(|wrong| wrong.to_string().replace(&start, ""))
            .collect();
        let (last, others) = wrong.split_last().unwrap();
        assert_eq!(
            others,
            [
                "a.yaml: a: spec.profile: \"strict\" is none of Default, Strict, Permissive; did you mean Strict?",
                &format!("b.yml: b: metadata.name: a policy of this name is in {start}a.yaml too")
                    .replace(&start, ""),
                "b.yml: b: spec.prority: there is no such field; did you mean priority?",
                "c.json: document 1: apiVersion: is null; write steadyset.io/v1alpha1",
                "c.json: document 1: kind: is \"Policy\"; write StatefulSetPolicy",
                "c.json: document 1: specs: there is no such field; did you mean spec?",
                "c.json: document 1: metadata.name: is missing",
            ]
        );
        assert!(
            last.starts_with("d.yaml: YAML: ") && last.contains("line "),
            "{last}"
        );
        let missing = super::read(&[folder.path().join("gone.yaml")]);
        assert!(
            missing.wrong[0]
                .to_string()
                .contains("gone.yaml: file: No such file")
        );
    }

    #[test]
    fn a_mounted_folder_is_followed_as_the_kubelet_swaps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let publish = |version: &str, text: &str| {
            fs::create_dir(path(version)).unwrap();
            fs::write(path(version).join("p.yaml"), text).unwrap();
            symlink(version, path("..next")).unwrap();
            fs::rename(path("..next"), path("..data")).unwrap();
        };
        publish("..1", &policy("a", "{priority: 1}"));
        symlink("..data/p.yaml", path("p.yaml")).unwrap();
        let store = Store::new(Arc::new(Metrics::new()));
        let paths = vec![folder.path().to_owned()];
        let mut followed = Followed::start(paths.clone(), &store).unwrap();
        assert_eq!(in_force(&store), ["a 1"]);
        publish("..2", &policy("a", "{priority: 2}"));
        followed.look(contents(&paths), &store);
        assert_eq!(in_force(&store), ["a 2"]);
        publish(
            "..3",
            &(policy("a", "{priority: x}") + "---\n" + &policy("b", "{}")),
        );
        followed.look(contents(&paths), &store);
        assert_eq!(
            in_force(&store),
            ["a 2", "b 0"],
            "the last good form, and what is new beside it"
        );
        publish("..4", "a: [");
        followed.look(contents(&paths), &store);
        assert_eq!(in_force(&store), ["a 2", "b 0"]);
        fs::remove_file(path("..data")).unwrap();
        followed.look(contents(&paths), &store);
        assert_eq!(in_force(&store), ["a 2", "b 0"]);
        publish("..5", &policy("b", "{priority: 5}"));
        followed.look(contents(&paths), &store);
        assert_eq!(in_force(&store), ["b 5"]);
    }

    #[test]
    fn a_start_with_faults_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.yaml");
        fs::write(&file, policy("a", "{priority: x}")).unwrap();
        let store = Store::new(Arc::new(Metrics::new()));
        assert!(Followed::start(vec![file], &store).is_err());
        assert_eq!(in_force(&store), [" 0"]);
    }
}
