//! Files that an earlier lock wrote and that the next one does not: they go, where they are ours.
//!
//! A file is ours where it begins as every generated file does. Whatever else lies in the folders is
//! left alone, and is never written over.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use super::exit::Failure;
use super::settings::Output;
use crate::project::pylock::Pylock;
use crate::render::{self, Document, Layout};

/// The files beside the lock that nobody wants any more.
///
/// # Errors
/// Where a document would be written over a file that is somebody else's.
pub fn files(output: &Output, documents: &[Document]) -> Result<Vec<String>, Failure> {
    let lock = std::fs::read_to_string(output.folder.join(&output.lock)).unwrap_or_default();
    let before = render::lock::layout(&lock);
    if before == Layout::Let && output.layout == Layout::Let {
        return Ok(Vec::new());
    }
    if output.layout != Layout::Let {
        documents
            .iter()
            .try_for_each(|document| not_in_the_way(output, document))?;
    }
    let own = Pylock::parse(&lock).ok().and_then(|lock| lock.own);
    let mut names: BTreeSet<String> = own.unwrap_or_default().written.into_keys().collect();
    if let Some(folder) = output
        .nix
        .as_ref()
        .and_then(|nix| output.layout.folder(nix))
    {
        let entries = std::fs::read_dir(output.folder.join(&folder));
        for entry in entries.into_iter().flatten().flatten() {
            if let Some(name) = entry.file_name().to_str().filter(|n| n.ends_with(".nix")) {
                names.insert(format!("{folder}/{name}"));
            }
        }
    }
    names.retain(|name| {
        is_below(name)
            && !documents.iter().any(|document| document.name == *name)
            && is_ours(&output.folder.join(name))
    });
    Ok(names.into_iter().collect())
}

/// Whether a name from a lock leads to a file in the lock's folder, or in one in that.
pub fn is_below(name: &str) -> bool {
    let path = Path::new(name);
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::Normal(_))) && path.components().count() <= 2
}

fn is_ours(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(render::MARK.as_bytes()))
}

fn not_in_the_way(output: &Output, document: &Document) -> Result<(), Failure> {
    let path = output.folder.join(&document.name);
    let is_nix = document.name.ends_with(".nix");
    if !is_nix || !path.exists() || is_ours(&path) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{}` is there already, and pyresolve has not written it",
        path.display()
    ))
    .help("move it away, or choose another place with `--output`"))
}
