//! The input: files, folders and standard input.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::review::report::Unreadable;
use crate::yaml::read::{is_hidden, is_manifest, text};

/// Standard input, among paths.
const STDIN: &str = "-";

/// A file to be read.
#[derive(Debug)]
pub(crate) struct Input {
    /// As the user named it, or as it was found below a folder that he named.
    pub(crate) path: String,
    place: Option<PathBuf>,
}

/// What is to be read, by the folder that makes a world: the sets of a folder are judged with its Services. The folders are in the
/// order in which they are first met.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) worlds: Vec<Vec<Input>>,
    folders: BTreeMap<PathBuf, usize>,
    pub(crate) errors: Vec<Unreadable>,
    pub(crate) notes: Vec<String>,
}

impl Input {
    /// The file; `None` for standard input.
    pub(crate) fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// Whether it is a file, and no standard input.
    pub(crate) fn can_be_read_again(&self) -> bool {
        self.place.is_some()
    }

    /// The text.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no text.
    pub(crate) fn read(&self) -> Result<String, Unreadable> {
        let mut bytes = Vec::new();
        let read = match &self.place {
            Some(place) => fs::read(place).map(|content| bytes = content),
            None => io::stdin().read_to_end(&mut bytes).map(drop),
        };
        read.map_err(|error| unreadable(&self.path, error.to_string()))?;
        match text(&bytes) {
            Ok(Cow::Owned(text)) => Ok(text),
            Ok(Cow::Borrowed(_)) => {
                String::from_utf8(bytes).map_err(|error| unreadable(&self.path, error.to_string()))
            }
            Err(broken) => Err(Unreadable::new(&self.path, broken)),
        }
    }
}

fn unreadable(path: &str, message: String) -> Unreadable {
    Unreadable {
        path: path.to_owned(),
        line: 1,
        column: 1,
        message,
    }
}

impl Inputs {
    /// Everything below the paths: a named file whatever its name, of folders the `.yaml`, `.yml` and `.json` files at any depth, but
    /// not in hidden folders, not through links to folders, and not the templates of a chart.
    pub(crate) fn of(paths: &[PathBuf]) -> Self {
        let mut inputs = Self::default();
        for path in paths {
            if path.as_os_str() == STDIN {
                inputs.add(Path::new(STDIN), None);
            } else if path.is_dir() {
                inputs.folder(path);
            } else {
                inputs.add(path, Some(path.clone()));
            }
        }
        inputs
    }

    /// Every file once, under the name that comes first: a link beside its file, or a file named twice, is one file.
    #[must_use]
    pub(crate) fn distinct(mut self) -> Self {
        let mut seen = HashSet::new();
        let mut is_new = |input: &Input| {
            let real = input.place().and_then(|place| place.canonicalize().ok());
            real.is_none_or(|real| seen.insert(real))
        };
        for world in &mut self.worlds {
            world.retain(&mut is_new);
        }
        self
    }

    fn add(&mut self, path: &Path, place: Option<PathBuf>) {
        // `./a.yaml` is the file that a baseline and an annotation know as `a.yaml`.
        let path = path.strip_prefix(".").unwrap_or(path);
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let worlds = &mut self.worlds;
        let world = *self.folders.entry(folder).or_insert_with(|| {
            worlds.push(Vec::new());
            worlds.len() - 1
        });
        let path = path.display().to_string();
        if let Some(files) = self.worlds.get_mut(world) {
            files.push(Input { path, place });
        }
    }

    fn folder(&mut self, folder: &Path) {
        let mut entries: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect(),
            Err(error) => {
                self.errors
                    .push(unreadable(&folder.display().to_string(), error.to_string()));
                return;
            }
        };
        entries.sort();
        let is_chart = folder.join("Chart.yaml").is_file();
        for entry in entries.into_iter().filter(|entry| !is_hidden(entry)) {
            // A link to a folder may lead back to where it stands.
            if entry.is_symlink() && entry.is_dir() {
                continue;
            }
            if !entry.is_dir() {
                if is_manifest(&entry) {
                    self.add(&entry.clone(), Some(entry));
                }
            } else if is_chart && entry.ends_with("templates") {
                self.notes.push(format!(
                    "{}: the templates of a chart are no manifests; run helm template {} | steadyset audit -",
                    entry.display(),
                    folder.display()
                ));
            } else {
                self.folder(&entry);
            }
        }
    }
}
