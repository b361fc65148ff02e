//! A pair kept in two files: read, read again when it changes, written without a moment of half a file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{ClientsError, Issued, Pair, PairError, Serving};

/// Between two looks at the files.
///
/// Content is compared, not file events: the kubelet renews a mounted Secret by swapping a symbolic link two levels
/// up, which a watch on the file never sees.
pub(super) const POLL: Duration = Duration::from_secs(2);

/// Where a pair is kept.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The files do not hold a pair.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is in them does not make a pair.
    #[error("{} and {}: {source}", files.certificate.display(), files.key.display())]
    Pair {
        /// The files.
        files: Files,
        /// Why.
        source: PairError,
    },
    /// What is in it does not say who may call.
    #[error("{path}: {source}")]
    Clients {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ClientsError,
    },
    /// rustls refuses what it was given.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// A pair as read, and what it was read from.
#[derive(Debug)]
pub struct Followed {
    files: Files,
    seen: Option<[u8; 32]>,
}

struct Content {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Content {
    fn hash(&self) -> [u8; 32] {
        hash(&[&self.certificate, &self.key])
    }
}

/// A hash that tells where one part ends and the next begins.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Files {
    /// Reads the pair, and remembers what was read so that the files can be followed from there.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or the two do not fit.
    pub async fn read(self) -> Result<(Pair, Followed), FilesError> {
        let content = self.content().await?;
        Ok((
            self.pair(&content)?,
            Followed {
                seen: Some(content.hash()),
                files: self,
            },
        ))
    }

    fn pair(&self, content: &Content) -> Result<Pair, FilesError> {
        Pair::read(&content.certificate, &content.key).map_err(|source| FilesError::Pair {
            files: self.clone(),
            source,
        })
    }

    async fn content(&self) -> Result<Content, FilesError> {
        Ok(Content {
            certificate: read(&self.certificate).await?,
            key: read(&self.key).await?,
        })
    }
}

impl Followed {
    /// Shows what is in the files, for ever; what does not make a pair leaves the last good one in force and is reported
    /// once.
    pub async fn follow(mut self, serving: Arc<Serving>) {
        loop {
            tokio::time::sleep(POLL).await;
            let content = self.files.content().await;
            let now = content.as_ref().ok().map(Content::hash);
            if now == self.seen {
                continue;
            }
            self.seen = now;
            match content.and_then(|content| self.show(&content, &serving)) {
                Ok(expires) => tracing::info!(expires, "certificate renewed"),
                Err(error) => {
                    tracing::error!(%error, "certificate refused; the last good one stays in use");
                }
            }
        }
    }

    fn show(&self, content: &Content, serving: &Serving) -> Result<i64, FilesError> {
        let pair = self.files.pair(content)?;
        let expires = pair.expires();
        serving.show(pair)?;
        Ok(expires)
    }
}

pub(super) async fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    tokio::fs::read(path)
        .await
        .map_err(|source| FilesError::Io {
            path: path.to_owned(),
            source,
        })
}

/// Writes `ca.crt`, `tls.crt` and `tls.key` (mode 0600) into a folder, which is made if need be, and gives their paths.
///
/// Each file appears whole or not at all; the names are those of a `kubernetes.io/tls` Secret.
///
/// # Errors
///
/// When the folder or a file cannot be written.
pub fn write(issued: &Issued, folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FilesError::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    let files = [
        ("ca.crt", &issued.authority, 0o644),
        ("tls.key", &issued.key, 0o600),
        ("tls.crt", &issued.certificate, 0o644),
    ];
    let mut written = Vec::new();
    for (name, text, mode) in files {
        let path = folder.join(name);
        replace(&path, text, mode).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

/// The temporary file is new and has its mode from the start, so that a key is never readable to others.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::certs::issue;

    #[tokio::test]
    async fn what_is_written_is_a_pair_and_the_key_is_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let issued = issue(&["localhost".to_owned()], jiff::Timestamp::UNIX_EPOCH).unwrap();
        for _ in 0..2 {
            write(&issued, folder.path()).unwrap();
        }
        let files = Files {
            certificate: folder.path().join("tls.crt"),
            key: folder.path().join("tls.key"),
        };
        files.clone().read().await.unwrap();
        let mode = std::fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        let files = Files {
            certificate: "/nowhere/tls.crt".into(),
            key: "/nowhere/tls.key".into(),
        };
        let error = files.read().await.unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/tls.crt: "), "{error}");
    }
}
