//! What the user allows and prefers when entries are made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::project::settings::Fix;
use crate::python::{PackageName, Requirement};

/// What the user allows and prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// How the user's requirements are called where one has no place in a file: `setup.py`.
    pub project: String,
    /// The command that makes the file again, without machine paths: `pyresolve lock setup.py`.
    pub command: String,
    /// The folder of the result: files below it are named as seen from there.
    pub root: PathBuf,
    /// Whether nixpkgs' own version may be taken in place of a pin: nixpkgs' versions are preferred.
    pub keep: bool,
    /// The same folder as an absolute path: the user's own sources are named as seen from there.
    pub place: PathBuf,
    /// What else decides about versions: constraints, and pins of other tools' locks.
    pub limits: Vec<Requirement>,
    /// The user's changes of entries.
    pub fixes: BTreeMap<PackageName, Fix>,
    /// A Nix file of the user's with an overlay that counts after the entries, seen from `root`.
    pub nix: Option<String>,
    /// Projects to take as wheels although they have an sdist.
    pub prefer_wheels: BTreeSet<PackageName>,
    /// Whether the entries become modules of nixpkgs, whose own fetcher gets the crates of a source.
    pub for_nixpkgs: bool,
    /// Build tools of which nixpkgs' version is taken although it is too old, as no other can be had.
    pub old_tools: BTreeSet<PackageName>,
}

impl Policy {
    /// How a file is named in the result: without machine paths, whatever the current folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        let plain = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
        let (path, root) = (plain(path), plain(&self.root));
        let shown = match path.strip_prefix(&root) {
            Ok(rest) => rest,
            Err(_) if path.is_absolute() => Path::new(path.file_name().unwrap_or_default()),
            Err(_) => &path,
        };
        shown.display().to_string()
    }
}
