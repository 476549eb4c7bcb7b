//! What was read of trees, kept on disk: by the tree's digest and the interpreter, so that the second
//! run reads one file. Another version of the program, or of the tree, has another name; a file that
//! cannot be read is as good as none.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::checkout::Contents;

/// More than the facts of any tree.
const MAX_KEPT: u64 = 256 << 20;

/// How many trees are remembered.
const MAX_TREES: usize = 12;

/// Where the contents of a tree are kept.
pub(super) fn path(cache: &Path, digest: &str, python: &str, evaluated: bool) -> PathBuf {
    let how = if evaluated { "evaluated" } else { "read" };
    let version = env!("CARGO_PKG_VERSION");
    cache
        .join("nixpkgs")
        .join(format!("{digest}-{python}-{how}-{version}.json"))
}

/// What is kept there.
pub(super) fn load(path: &Path) -> Option<Contents> {
    let meta = std::fs::metadata(path).ok()?;
    if meta.len() > MAX_KEPT {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Keeps it; that it cannot be kept only costs time.
pub(super) fn store(path: &Path, contents: &Contents) {
    let Some(folder) = path.parent() else { return };
    let Ok(bytes) = serde_json::to_vec(contents) else {
        return;
    };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|mut file| file.write_all(&bytes).map(|()| file));
    if let Ok(file) = written
        && file.persist(path).is_ok()
    {
        forget_old(folder);
    }
}

/// Forgets trees that were not read lately, beyond a number of them.
fn forget_old(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "json"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(MAX_TREES);
    for (_, path) in files.into_iter().take(surplus) {
        let _ = std::fs::remove_file(path);
    }
}
