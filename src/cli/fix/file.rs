//! A file that is replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use thiserror::Error;

use crate::yaml::read::{Encoding, text};

/// Why a file was left as it is.
#[derive(Debug, Error)]
pub enum NotReplaced {
    /// Somebody else wrote it meanwhile.
    #[error("it has changed since it was read; run it again")]
    Changed,
    /// The new file could not be made, or not be put in its place.
    #[error("it cannot be replaced: {0}")]
    Io(#[from] io::Error),
}

/// Puts `after` in the place of `before`: a new file beside it, on the disk before it takes the name, with the mode, the owner and the encoding
/// of the old one. Whoever reads meanwhile, or looks after a crash, finds the one or the other. Of a link, the file that it leads to is
/// replaced.
///
/// # Errors
///
/// [`NotReplaced`]; the file is as it was then, and nothing is left beside it.
pub fn replace(path: &Path, before: &str, after: &str) -> Result<(), NotReplaced> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let old = fs::metadata(&path)?;
    let mut new = tempfile::Builder::new()
        .prefix(".steadyset-")
        .tempfile_in(folder)?;
    let read = fs::read(&path)?;
    if !text(&read).is_ok_and(|now| now == before) {
        return Err(NotReplaced::Changed);
    }
    new.write_all(&Encoding::of(&read).bytes(after))?;
    let made = new.as_file().metadata()?;
    if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
        fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
    }
    new.as_file().set_permissions(old.permissions())?;
    new.as_file().sync_all()?;
    if fs::read(&path)? != read {
        return Err(NotReplaced::Changed);
    }
    new.persist(&path).map_err(|error| error.error)?;
    // the name is on the disk when the folder is
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_mode_stays_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.yaml");
        for mode in [0o600, 0o640, 0o755] {
            fs::write(&path, "before").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            replace(&path, "before", "after").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "after");
            let now = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(now & 0o7777, mode);
        }
        assert_eq!(names(folder.path()), ["set.yaml"]);
    }

    #[test]
    fn what_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.yaml");
        fs::write(&path, "somebody else's").unwrap();
        let refused = replace(&path, "before", "after").unwrap_err();
        assert!(matches!(refused, NotReplaced::Changed));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
        assert_eq!(names(folder.path()), ["set.yaml"]);
    }

    #[test]
    fn a_link_leads_to_the_file_that_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (
            folder.path().join("real.yaml"),
            folder.path().join("link.yaml"),
        );
        fs::write(&real, "before").unwrap();
        symlink("real.yaml", &link).unwrap();
        replace(&link, "before", "after").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "after");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder.yaml");
        fs::create_dir(&path).unwrap();
        assert!(matches!(
            replace(&path, "", "after").unwrap_err(),
            NotReplaced::Io(_)
        ));
        assert_eq!(names(folder.path()), ["folder.yaml"]);
        assert!(replace(&folder.path().join("gone.yaml"), "", "after").is_err());
    }
}
