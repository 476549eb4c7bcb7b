//! Rust in a source tree: where its Cargo.lock is, and what stands in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Files;

/// The Rust part of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cargo {
    /// The folder that holds `Cargo.lock`, relative to the root; empty for the root itself.
    pub root: String,
    /// The text of `Cargo.lock`; none where the source has none.
    pub lock: Option<String>,
    /// The crates in it that are from repositories, as `name-version`: a lock has no digests of them.
    pub git: Vec<String>,
    /// Where each of them is from: repository and commit.
    #[serde(default)]
    pub commits: BTreeMap<String, CrateCommit>,
}

/// The commit of a repository that a crate is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrateCommit {
    /// The repository's address, without `git+`.
    pub url: String,
    /// The commit, in full.
    pub commit: String,
}

/// The folders that are looked at, at most.
const MAX_FOLDERS: usize = 400;
/// The largest lock that is kept.
const MAX_LOCK: usize = 4 << 20;

/// The Rust part of a source whose build requires one of these projects; none where it needs no Rust.
pub(super) fn read<'a>(
    files: &dyn Files,
    build_requires: impl Iterator<Item = &'a str>,
) -> Option<Cargo> {
    let mut backends = build_requires;
    backends.find(|name| matches!(*name, "maturin" | "setuptools-rust"))?;
    let Some(folder) = above_manifest(files).or_else(|| nearest(files)) else {
        return Some(Cargo::default());
    };
    let bytes = files.read(&below(&folder, "Cargo.lock")).ok()?;
    let lock = String::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= MAX_LOCK);
    let commits = lock.as_deref().map(from_repositories).unwrap_or_default();
    Some(Cargo {
        git: commits.keys().cloned().collect(),
        commits: commits
            .into_iter()
            .filter_map(|(name, source)| Some((name, commit(&source)?)))
            .collect(),
        root: folder,
        lock,
    })
}

/// The lock that Cargo uses for the manifest that maturin is told of: in its folder or above it.
fn above_manifest(files: &dyn Files) -> Option<String> {
    let text = String::from_utf8(files.read("pyproject.toml").ok()?).ok()?;
    let document: toml::Table = text.parse().ok()?;
    let manifest = document
        .get("tool")?
        .get("maturin")?
        .get("manifest-path")?
        .as_str()?;
    let mut folder = manifest.trim_start_matches("./");
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above;
        if has_lock(files, folder) {
            return Some(folder.to_owned());
        }
    }
    has_lock(files, "").then(String::new)
}

/// The first folder with a lock, those nearer to the root first.
fn nearest(files: &dyn Files) -> Option<String> {
    let mut folders = std::collections::VecDeque::from([String::new()]);
    let mut seen = 0;
    while let Some(folder) = folders.pop_front() {
        if has_lock(files, &folder) {
            return Some(folder);
        }
        for name in files.list(&folder) {
            let path = below(&folder, &name);
            let deep = path.matches('/').count() >= 3;
            if !deep && seen < MAX_FOLDERS && !name.starts_with('.') && files.is_dir(&path) {
                seen += 1;
                folders.push_back(path);
            }
        }
    }
    None
}

fn has_lock(files: &dyn Files, folder: &str) -> bool {
    files.is_file(&below(folder, "Cargo.lock"))
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// `git+https://host/repository?branch=main#0123…`, taken apart.
fn commit(source: &str) -> Option<CrateCommit> {
    let (address, commit) = source.strip_prefix("git+")?.split_once('#')?;
    let url = address.split('?').next()?;
    let full = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    full.then(|| CrateCommit {
        url: url.to_owned(),
        commit: commit.to_owned(),
    })
}

/// The crates from repositories, as `name-version`, and their sources.
fn from_repositories(lock: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
        source: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).unwrap_or(Lock {
        package: Vec::new(),
    });
    let packages = lock.package.into_iter();
    packages
        .filter_map(|p| Some((format!("{}-{}", p.name, p.version), p.source?)))
        .filter(|(_, source)| source.starts_with("git+"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::project::Directory;

    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0\"\nsource = \"git+https://example.test/b#0\"\n";

    fn tree(entries: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in entries {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn cargo(entries: &[(&str, &str)]) -> Option<Cargo> {
        let folder = tree(entries);
        let files = Directory::open(folder.path()).unwrap();
        read(&files, ["maturin"].into_iter())
    }

    #[test]
    fn locks_are_found_where_cargo_uses_them() {
        let manifest = "[tool.maturin]\nmanifest-path = \"crates/py/Cargo.toml\"\n";
        let found = cargo(&[
            ("pyproject.toml", manifest),
            ("crates/Cargo.lock", LOCK),
            ("crates/py/Cargo.toml", ""),
            ("a/Cargo.lock", ""),
        ]);
        assert_eq!(found.unwrap().root, "crates");
        let found = cargo(&[("pyproject.toml", ""), ("src/rust/Cargo.lock", LOCK)]).unwrap();
        assert_eq!(found.root, "src/rust");
        assert_eq!(found.git, ["b-2.0"]);
        let full = "0123456789abcdef0123456789abcdef01234567";
        let source = format!("git+https://host.test/b.git?branch=main#{full}");
        let one = commit(&source).unwrap();
        assert_eq!(
            (one.url.as_str(), one.commit.as_str()),
            ("https://host.test/b.git", full)
        );
        assert_eq!(commit("git+https://host.test/b#0"), None);
        assert!(found.commits.is_empty());
        assert_eq!(cargo(&[("setup.py", "")]), Some(Cargo::default()));
    }

    #[test]
    fn nothing_is_said_without_rust() {
        let folder = tree(&[("Cargo.lock", LOCK)]);
        let files = Directory::open(folder.path()).unwrap();
        assert_eq!(read(&files, ["setuptools"].into_iter()), None);
    }
}
