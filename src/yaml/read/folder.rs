//! Which files of a folder hold manifests.

use std::path::Path;

/// Whether a file or a folder is hidden: version control, editors and the kubelet keep their own things there.
#[must_use]
pub fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a file is one of manifests by its name: `.yaml`, `.yml` or `.json`.
#[must_use]
pub fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["yaml", "yml", "json"]
        .iter()
        .any(|known| extension == *known)
}
