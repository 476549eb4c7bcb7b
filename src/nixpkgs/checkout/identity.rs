//! Which tree it is: its git revision and day where they are known, and a digest that any change of
//! its Python packages changes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use super::CheckoutError;

/// Which tree it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The git revision, in full.
    pub revision: Option<String>,
    /// The day of the revision, `2026-05-03`.
    pub date: Option<String>,
    /// The release, `26.05`.
    pub release: Option<String>,
    /// A digest in hex, which any change of the files that are read changes.
    pub digest: String,
}

/// Folders and files whose change may change what is read.
const WATCHED: [&str; 8] = [
    "pkgs/top-level/python-packages.nix",
    "pkgs/top-level/python-aliases.nix",
    "pkgs/development/python-modules",
    "pkgs/development/interpreters/python",
    "python",
    "flake.lock",
    "lib/.version",
    ".version",
];

/// How many entries of a large folder are looked at by one thread at a time.
const PORTION: usize = 512;

pub(super) fn identity(root: &Path) -> Result<Identity, CheckoutError> {
    let (revision, date) = revision(root);
    Ok(Identity {
        revision,
        date,
        release: ["lib/.version", ".version"]
            .iter()
            .find_map(|file| short_text(&root.join(file))),
        digest: digest(root)?,
    })
}

/// A path of the store never changes; of another the names, sizes and times of its files tell.
fn digest(root: &Path) -> Result<String, CheckoutError> {
    let mut hasher = Sha256::new();
    hasher.update(root.as_os_str().as_encoded_bytes());
    if !root.starts_with("/nix/store") {
        for watched in WATCHED {
            let path = root.join(watched);
            if path.is_dir() {
                walk(&path, &mut hasher, 0)?;
            } else {
                stat(&path, &mut hasher);
            }
        }
    }
    Ok(data_encoding::HEXLOWER.encode(&hasher.finalize()))
}

fn walk(folder: &Path, hasher: &mut Sha256, depth: u8) -> Result<(), CheckoutError> {
    if depth > 8 {
        return Ok(());
    }
    let io = |source| CheckoutError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut entries: Vec<_> = fs::read_dir(folder)
        .map_err(io)?
        .collect::<Result<_, _>>()
        .map_err(io)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    if entries.len() <= PORTION {
        return list(&entries, folder, hasher, depth);
    }
    // The portions do not depend on the machine, only who takes which of them does.
    let portions: Vec<&[fs::DirEntry]> = entries.chunks(PORTION).collect();
    let digest = |portion: &&[fs::DirEntry]| {
        let mut hasher = Sha256::new();
        list(portion, folder, &mut hasher, depth).map(|()| hasher.finalize())
    };
    let (left, right) = portions.split_at(portions.len() / 2);
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(|| left.iter().map(digest).collect::<Result<Vec<_>, _>>());
        let right = right.iter().map(digest).collect::<Result<Vec<_>, _>>();
        (other.join(), right)
    });
    let left = left.unwrap_or_else(|_| Err(io(std::io::Error::other("a thread failed"))))?;
    for digest in left.iter().chain(&right?) {
        hasher.update(digest);
    }
    Ok(())
}

fn list(
    entries: &[fs::DirEntry],
    folder: &Path,
    hasher: &mut Sha256,
    depth: u8,
) -> Result<(), CheckoutError> {
    let io = |source| CheckoutError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in entries {
        hasher.update(entry.file_name().as_encoded_bytes());
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            hasher.update(b"/");
            walk(&entry.path(), hasher, depth + 1)?;
            hasher.update(b"\n");
        } else if entry.path().extension().is_some_and(|e| e == "nix") {
            stat(&entry.path(), hasher);
        }
    }
    Ok(())
}

fn stat(path: &Path, hasher: &mut Sha256) {
    let Ok(meta) = fs::metadata(path) else {
        hasher.update(b"-");
        return;
    };
    let modified = meta.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    hasher.update(since.map_or(0, |d| d.as_nanos()).to_le_bytes());
    hasher.update(meta.len().to_le_bytes());
}

/// The revision and its day: of a git work tree, or as a channel's tarball tells it.
fn revision(root: &Path) -> (Option<String>, Option<String>) {
    if root.join(".git").exists() {
        let (revision, date) = of_git(root);
        if revision.is_some() {
            return (revision, date);
        }
        return (of_head(root), None);
    }
    let revision = short_text(&root.join(".git-revision")).filter(|text| is_revision(text));
    (revision, None)
}

/// Asks git, with everything switched off that a repository's own configuration could run.
fn of_git(root: &Path) -> (Option<String>, Option<String>) {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args([
            "--no-pager",
            "show",
            "-s",
            "--no-show-signature",
            "--format=%H %cs",
            "HEAD",
        ])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(output) = output else {
        return (None, None);
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    let revision = words.next().filter(|r| is_revision(r)).map(str::to_owned);
    let date = words.next().filter(|d| is_date(d)).map(str::to_owned);
    (revision, date)
}

/// The revision as the repository's files tell it, for where there is no git.
fn of_head(root: &Path) -> Option<String> {
    let git = root.join(".git");
    let head = short_text(&git.join("HEAD"))?;
    let Some(name) = head.strip_prefix("ref: ") else {
        return Some(head).filter(|text| is_revision(text));
    };
    if name.split('/').any(|part| part == "..") || name.starts_with('/') {
        return None;
    }
    if let Some(text) = short_text(&git.join(name)).filter(|text| is_revision(text)) {
        return Some(text);
    }
    let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
    let line = packed
        .lines()
        .find(|line| line.ends_with(&format!(" {name}")))?;
    let revision = line.split(' ').next()?;
    is_revision(revision).then(|| revision.to_owned())
}

fn short_text(path: &Path) -> Option<String> {
    let meta = fs::metadata(path).ok().filter(|m| m.is_file())?;
    if meta.len() > 200 {
        return None;
    }
    let text = fs::read_to_string(path).ok()?.trim().to_owned();
    let plain = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    (plain && !text.is_empty()).then_some(text)
}

fn is_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}
