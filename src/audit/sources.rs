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
    /// The folder that the user named, where it was found below one.
    below: Option<PathBuf>,
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

    /// Whether it was found below a folder, and is a link to a file that is not.
    fn leads_out(&self) -> bool {
        let (Some(place), Some(below)) = (&self.place, &self.below) else {
            return false;
        };
        match (place.canonicalize(), below.canonicalize()) {
            (Ok(file), Ok(folder)) => !file.starts_with(folder),
            // what is not there is said when it is read
            _ => false,
        }
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
                inputs.add(Path::new(STDIN), None, None);
            } else if path.is_dir() {
                inputs.folder(path, path);
            } else {
                inputs.add(path, Some(path.clone()), None);
            }
        }
        inputs
    }

    /// The files that may be written: every file once, under the name that comes first (a link beside its file, or a file named twice, is
    /// one file), and of a folder only what is in it, so that a link in it changes nothing elsewhere.
    #[must_use]
    pub(crate) fn distinct(mut self) -> Self {
        let mut seen = HashSet::new();
        let mut is_new = |input: &Input| {
            let real = input.place().and_then(|place| place.canonicalize().ok());
            real.is_none_or(|real| seen.insert(real))
        };
        for world in &mut self.worlds {
            let (out, within): (Vec<_>, Vec<_>) = world.drain(..).partition(Input::leads_out);
            self.notes.extend(out.iter().map(|input| {
                let path = &input.path;
                format!("{path}: is a link out of the folder, and its file stays as it is")
            }));
            world.extend(within.into_iter().filter(&mut is_new));
        }
        self
    }

    fn add(&mut self, path: &Path, place: Option<PathBuf>, below: Option<PathBuf>) {
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
            files.push(Input { path, place, below });
        }
    }

    /// A device, a pipe or a socket may have no end, or nobody who writes.
    fn found(&mut self, entry: PathBuf, named: &Path) {
        if fs::metadata(&entry).is_ok_and(|found| !found.is_file()) {
            self.notes.push(format!(
                "{}: is a device, a pipe or a socket, and is not read",
                entry.display()
            ));
        } else {
            self.add(&entry.clone(), Some(entry), Some(named.to_owned()));
        }
    }

    fn folder(&mut self, folder: &Path, named: &Path) {
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
                    self.found(entry, named);
                }
            } else if is_chart && entry.ends_with("templates") {
                self.notes.push(format!(
                    "{}: the templates of a chart are no manifests; run helm template {} | steadyset audit -",
                    entry.display(),
                    folder.display()
                ));
            } else {
                self.folder(&entry, named);
            }
        }
    }
}
