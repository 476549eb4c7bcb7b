//! `flake.lock`: which nixpkgs a flake has pinned, and where its tree is, if it is here.
//!
//! The lock's format is version 7 of Nix' flake locks: nodes by key, the root's inputs leading to them
//! directly or by a path of inputs to follow. Nothing is fetched: a tree is here if its store path is,
//! which follows from the lock's `narHash` alone, or if the input is a folder.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BitOrder, Encoding, HEXLOWER, Specification};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::date;

/// More than any flake has; a lock of more nodes was not made by hand.
const MAX_LOCK: usize = 16 << 20;

/// How many inputs may follow each other.
const MAX_FOLLOWS: u8 = 32;

/// The nixpkgs that a flake has pinned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pinned {
    /// The name of the root's input: `nixpkgs`.
    pub input: String,
    /// The git revision.
    pub revision: Option<String>,
    /// The day of its last change.
    pub date: Option<String>,
    /// The branch that was asked for: `nixos-25.11`.
    pub branch: Option<String>,
    /// Where its tree is if it is here.
    pub tree: Option<PathBuf>,
}

/// Why a lock tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlakeError {
    /// It is no flake lock.
    #[error("it is not a flake's lock: {why}")]
    Format {
        /// Why not.
        why: String,
        /// Where that shows, as line and column, both from 1; zeros where it is all of it.
        at: (usize, usize),
    },
    /// It is a version that is not known.
    #[error("version {0} of flake locks is not known, only 5, 6 and 7 are")]
    Version(u64),
    /// None of the flake's inputs is nixpkgs.
    #[error("none of the inputs is nixpkgs: {0}")]
    NoNixpkgs(String),
    /// An input leads nowhere.
    #[error("the input `{0}` leads nowhere")]
    Broken(String),
}

impl FlakeError {
    /// Where in the lock's text it shows.
    pub fn span(&self, text: &str) -> Range<usize> {
        let quoted = |name: &str| {
            let quoted = format!("\"{name}\"");
            let start = text.rfind(&quoted)?;
            Some(start..start + quoted.len())
        };
        let found = match self {
            Self::Format { at, .. } => position(text, *at),
            Self::Version(_) => quoted("version"),
            Self::NoNixpkgs(inputs) => inputs.split(", ").next().and_then(quoted),
            Self::Broken(name) => quoted(name),
        };
        found.or_else(|| quoted("root")).unwrap_or(0..0)
    }
}

/// A character by its line and column.
fn position(text: &str, (line, column): (usize, usize)) -> Option<Range<usize>> {
    let before = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let start = before.map(str::len).sum::<usize>() + column.saturating_sub(1);
    let start = (0..=start.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))?;
    let len = text.get(start..)?.chars().next().map_or(0, char::len_utf8);
    Some(start..start + len)
}

#[derive(Deserialize)]
struct Lock {
    version: u64,
    root: String,
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    inputs: BTreeMap<String, Input>,
    locked: Option<Locked>,
    original: Option<Original>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Node(String),
    Follows(Vec<String>),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Locked {
    #[serde(rename = "type")]
    kind: String,
    owner: Option<String>,
    repo: Option<String>,
    url: Option<String>,
    path: Option<String>,
    rev: Option<String>,
    nar_hash: Option<String>,
    last_modified: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Original {
    #[serde(rename = "ref")]
    branch: Option<String>,
    id: Option<String>,
}

/// Reads a lock. `beside` is the folder it lies in, `store` the store's (`/nix/store`).
///
/// # Errors
/// See [`FlakeError`].
pub fn pinned(text: &str, beside: &Path, store: &Path) -> Result<Pinned, FlakeError> {
    if text.len() > MAX_LOCK {
        return Err(FlakeError::Format {
            why: format!("it has more than {MAX_LOCK} bytes"),
            at: (0, 0),
        });
    }
    let lock: Lock = serde_json::from_str(text).map_err(|e| FlakeError::Format {
        why: e.to_string(),
        at: (e.line(), e.column()),
    })?;
    if !(5..=7).contains(&lock.version) {
        return Err(FlakeError::Version(lock.version));
    }
    let root = lock.nodes.get(&lock.root);
    let root = root.ok_or_else(|| FlakeError::Broken(lock.root.clone()))?;
    let (input, node) = nixpkgs(&lock, root)?;
    let empty = Locked::default();
    let locked = node.locked.as_ref().unwrap_or(&empty);
    let original = node.original.as_ref();
    let revision = locked.rev.clone().filter(|rev| is_hex(rev));
    Ok(Pinned {
        input,
        revision,
        date: locked.last_modified.and_then(date::day),
        branch: original.and_then(|o| o.branch.clone()),
        tree: tree(locked, beside, store),
    })
}

/// The root's input that is nixpkgs: the one called so, or else the only one that is from there.
fn nixpkgs<'a>(lock: &'a Lock, root: &'a Node) -> Result<(String, &'a Node), FlakeError> {
    if root.inputs.contains_key("nixpkgs") {
        let node = follow(lock, &["nixpkgs".to_owned()], 0)
            .ok_or_else(|| FlakeError::Broken("nixpkgs".to_owned()))?;
        return Ok(("nixpkgs".to_owned(), node));
    }
    let mut found = root.inputs.keys().filter_map(|name| {
        let node = follow(lock, std::slice::from_ref(name), 0)?;
        is_nixpkgs(node).then(|| (name.clone(), node))
    });
    found.next().ok_or_else(|| {
        let names: Vec<&str> = root.inputs.keys().map(String::as_str).collect();
        FlakeError::NoNixpkgs(names.join(", "))
    })
}

/// The node that a path of inputs leads to, from the root.
fn follow<'a>(lock: &'a Lock, path: &[String], depth: u8) -> Option<&'a Node> {
    if depth > MAX_FOLLOWS {
        return None;
    }
    let mut node = lock.nodes.get(&lock.root)?;
    for name in path {
        node = match node.inputs.get(name)? {
            Input::Node(key) => lock.nodes.get(key)?,
            Input::Follows(path) => follow(lock, path, depth + 1)?,
        };
    }
    Some(node)
}

fn is_nixpkgs(node: &Node) -> bool {
    let is = |text: &Option<String>| {
        text.as_deref()
            .is_some_and(|t| t.eq_ignore_ascii_case("nixpkgs"))
    };
    let locked = node.locked.as_ref().is_some_and(|locked| {
        let url = locked.url.as_deref().unwrap_or("");
        is(&locked.repo) || url.contains("nixexprs") || url.contains("/nixpkgs")
    });
    locked || node.original.as_ref().is_some_and(|o| is(&o.id))
}

fn tree(locked: &Locked, beside: &Path, store: &Path) -> Option<PathBuf> {
    let of_path = locked.path.as_deref().filter(|_| locked.kind == "path");
    let folder = of_path.map(|path| beside.join(path));
    let stored = locked
        .nar_hash
        .as_deref()
        .and_then(|hash| store_path(hash, store));
    folder.into_iter().chain(stored).find(|path| path.is_dir())
}

/// Where the store has a fetched source (`name = "source"`) of this NAR hash, `sha256-…` (SRI): the
/// path of a recursive fixed output of SHA-256.
fn store_path(nar_hash: &str, store: &Path) -> Option<PathBuf> {
    let digest = BASE64
        .decode(nar_hash.strip_prefix("sha256-")?.as_bytes())
        .ok()
        .filter(|digest| digest.len() == 32)?;
    let fingerprint = format!(
        "source:sha256:{}:{}:source",
        HEXLOWER.encode(&digest),
        store.to_str()?
    );
    let long = Sha256::digest(fingerprint.as_bytes());
    let mut short = [0u8; 20];
    for (index, byte) in long.iter().enumerate() {
        if let Some(folded) = short.get_mut(index % 20) {
            *folded ^= byte;
        }
    }
    // Nix writes the bits of the digest from the last to the first
    let name: String = base32()?.encode(&short).chars().rev().collect();
    Some(store.join(format!("{name}-source")))
}

fn base32() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("0123456789abcdfghijklmnpqrsvwxyz");
    specification.bit_order = BitOrder::LeastSignificantFirst;
    specification.encoding().ok()
}

fn is_hex(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = "/nix/store";

    fn read(text: &str) -> Result<Pinned, FlakeError> {
        pinned(text, Path::new("/project"), Path::new(STORE))
    }

    const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

    fn lock(root_inputs: &str, nodes: &str) -> String {
        format!(
            r#"{{"nodes": {{"root": {{"inputs": {root_inputs}}}, {nodes}}}, "root": "root", "version": 7}}"#
        )
    }

    fn node(name: &str, repo: &str) -> String {
        format!(
            r#""{name}": {{"locked": {{"lastModified": 1777777777, "narHash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "owner": "NixOS", "repo": "{repo}", "rev": "{REVISION}", "type": "github"}}, "original": {{"owner": "NixOS", "ref": "nixos-26.05", "repo": "{repo}", "type": "github"}}}}"#
        )
    }

    #[test]
    fn the_input_is_found_directly_and_by_following() {
        let direct = lock(r#"{"nixpkgs": "nixpkgs_2"}"#, &node("nixpkgs_2", "nixpkgs"));
        let pinned = read(&direct).unwrap();
        assert_eq!(pinned.revision.as_deref(), Some(REVISION));
        assert_eq!(pinned.date.as_deref(), Some("2026-05-03"));
        assert_eq!(pinned.branch.as_deref(), Some("nixos-26.05"));
        assert_eq!(pinned.tree, None);
        let followed = lock(
            r#"{"nixpkgs": ["tools", "nixpkgs"], "tools": "tools"}"#,
            &format!(
                r#""tools": {{"inputs": {{"nixpkgs": "nixpkgs"}}}}, {}"#,
                node("nixpkgs", "nixpkgs")
            ),
        );
        assert_eq!(read(&followed).unwrap(), pinned);
        let other = lock(
            r#"{"stable": "a", "systems": "b"}"#,
            &format!("{}, {}", node("a", "nixpkgs"), node("b", "systems")),
        );
        assert_eq!(read(&other).unwrap().input, "stable");
    }

    #[test]
    fn locks_that_tell_nothing_are_told() {
        let missing = lock(r#"{"systems": "b"}"#, &node("b", "systems"));
        assert_eq!(
            read(&missing),
            Err(FlakeError::NoNixpkgs("systems".to_owned()))
        );
        let endless = lock(r#"{"nixpkgs": ["nixpkgs"]}"#, &node("b", "systems"));
        assert_eq!(
            read(&endless),
            Err(FlakeError::Broken("nixpkgs".to_owned()))
        );
        assert!(matches!(read("{}"), Err(FlakeError::Format { .. })));
        assert!(matches!(read("[1"), Err(FlakeError::Format { .. })));
        let shown = |text: &str| {
            let span = read(text).unwrap_err().span(text);
            text[span].to_owned()
        };
        assert_eq!(shown("{\n  \"version\": 7,\n  é"), "é");
        let old = lock("{}", &node("a", "nixpkgs")).replace(": 7", ": 4");
        assert_eq!(shown(&old), "\"version\"");
        let lost = lock(r#"{"nixpkgs": "gone"}"#, &node("a", "b"));
        assert_eq!(shown(&lost), "\"nixpkgs\"");
        let other = lock(r#"{"systems": "b"}"#, &node("b", "systems"));
        assert_eq!(shown(&other), "\"systems\"");
        let old = missing.replace("\"version\": 7", "\"version\": 3");
        assert_eq!(read(&old), Err(FlakeError::Version(3)));
    }

    #[test]
    fn folders_are_relative_to_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tree")).unwrap();
        let text = lock(
            r#"{"nixpkgs": "n"}"#,
            r#""n": {"locked": {"type": "path", "path": "./tree", "lastModified": 1}}"#,
        );
        let pinned = pinned(&text, folder.path(), Path::new(STORE)).unwrap();
        assert_eq!(pinned.tree, Some(folder.path().join("./tree")));
    }

    /// The path that Nix gives a folder with one file `x`, holding `hello` and a newline, when it is
    /// added under the name `source`.
    #[test]
    fn store_paths_are_those_of_nix() {
        let path = store_path(
            "sha256-YY6WawxHk3po6HmulzMJJFL+gfiiznMf6v4iQ1UvAH0=",
            Path::new(STORE),
        );
        assert_eq!(
            path,
            Some(PathBuf::from(
                "/nix/store/cr0g7imhnfrs5pbrv32mg8r6ilhs3ihv-source"
            ))
        );
        assert_eq!(store_path("sha512-AAAA", Path::new(STORE)), None);
        assert_eq!(store_path("sha256-AAAA", Path::new(STORE)), None);
    }
}
