//! Requirements on a commit of a repository (`git+https://host/repository@revision`).
//!
//! The `git` command fetches the one commit into a bare repository in the cache, and its tree is read
//! from the archive that `git archive` makes of it, in memory: nothing is checked out, so no hook, no
//! filter and no submodule can run anything. The archive is made as a checkout would be, `export-…`
//! attributes left out, so that the digest of the tree is the one that Nix' `fetchgit` gives.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use url::Url;

use super::IndexError;
use super::credential::shown;
use super::release::Commit;
use crate::nix::nar::Node;
use crate::project::archive::Archive;
use crate::python::Sha256;

/// The largest tree that is read.
const MAX_TREE: u64 = 1 << 30;
const MAX_MEMBERS: usize = 300_000;
/// The folder in the archive that holds the tree.
const PREFIX: &str = "source/";
/// Where the fetched commit is kept.
const ASKED: &str = "refs/pyresolve/asked";

/// A repository and the revision of it that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    url: Url,
    requested: Option<String>,
}

/// A commit's tree.
pub(super) struct Fetched {
    pub(super) commit: Commit,
    pub(super) archive: Archive,
}

impl Repository {
    /// Takes an address apart that starts with `git+`; its fragment is of no matter.
    ///
    /// # Errors
    /// A sentence, where it is none that is fetched from.
    pub(super) fn parse(url: &Url) -> Result<Self, String> {
        let text = url.as_str().strip_prefix("git+").unwrap_or(url.as_str());
        let mut url = Url::parse(text).map_err(|e| e.to_string())?;
        if !matches!(url.scheme(), "https" | "http" | "ssh" | "file") {
            return Err(
                "repositories are fetched from git+https, git+http, git+ssh and git+file only"
                    .to_owned(),
            );
        }
        url.set_fragment(None);
        let path = url.path().to_owned();
        let requested = match path.rsplit_once('@') {
            None => None,
            Some((path, revision)) => {
                if !is_revision(revision) {
                    return Err(format!("`{revision}` is no branch, tag or commit"));
                }
                url.set_path(path);
                Some(revision.to_owned())
            }
        };
        Ok(Self { url, requested })
    }

    fn what(&self) -> String {
        let revision = self.requested.as_deref().unwrap_or("HEAD");
        format!("`{revision}` of {}", shown(&self.url))
    }

    /// The commit's tree, fetched into `kept` where it is not there yet.
    ///
    /// # Errors
    /// Where there is no `git`, no such repository or revision, or its tree cannot be read.
    pub(super) fn fetch(
        &self,
        kept: Option<PathBuf>,
        offline: bool,
    ) -> Result<Fetched, IndexError> {
        let fail = |reason: String| IndexError::Repository {
            what: self.what(),
            reason,
        };
        let passing;
        let place = match kept {
            Some(folder) => folder.join(&Sha256::of(self.url.as_str().as_bytes()).hex()[..32]),
            None => {
                passing = tempfile::tempdir().map_err(|e| fail(e.to_string()))?;
                passing.path().join("repository")
            }
        };
        let git = Git::open(self, place).map_err(&fail)?;
        match self.read(&git, offline) {
            Err(_) if !offline && git.is_damaged() => {
                git.renew().map_err(&fail)?;
                self.read(&git, offline)
            }
            read => read,
        }
    }

    /// The commit's tree, fetched into a repository of ours where it is not there yet.
    fn read(&self, git: &Git, offline: bool) -> Result<Fetched, IndexError> {
        let fail = |reason: String| IndexError::Repository {
            what: self.what(),
            reason,
        };
        let known = self.requested.as_deref().filter(|r| is_full(r));
        let known = known.and_then(|commit| git.commit(commit));
        let id = match known {
            Some(id) => id,
            None if offline => return Err(IndexError::Offline { what: self.what() }),
            None => git.fetch(self.requested.as_deref()).map_err(&fail)?,
        };
        let tar = git.tar(&id).map_err(&fail)?;
        let (tree, attributes) = tree(&tar).map_err(&fail)?;
        let archive = Archive::parse("source.tar", &tar);
        let archive = archive.map_err(|e| fail(super::sdist::causes(&e)))?;
        let mut url = self.url.clone();
        // Both can only fail for addresses without a host, which hold no credentials.
        let _ = url.set_password(None);
        if url.scheme() != "ssh" {
            let _ = url.set_username("");
        }
        let commit = Commit {
            url,
            requested: self.requested.clone(),
            id,
            sha256: Sha256(tree.sha256()),
            attributes,
        };
        Ok(Fetched { commit, archive })
    }
}

/// What can be told to git as a revision and means no option, range or path there.
fn is_revision(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/+".contains(&b);
    text.len() <= 250
        && text.bytes().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && !text.ends_with(['/', '.'])
        && !text.contains("..")
}

fn is_full(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The nearest tag that the history of a folder's commit has; none where it is no repository, or where
/// it has none. Nothing of the repository is run or changed.
pub(super) fn nearest_tag(folder: &Path) -> Option<String> {
    let mut command = Command::new("git");
    for name in LOCAL {
        command.env_remove(name);
    }
    let output = command
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "core.fsmonitor=false",
            "describe",
            "--tags",
            "--abbrev=0",
        ])
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let tag = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && is_revision(&tag)).then_some(tag)
}

/// A bare repository in the cache, ours alone while this lives.
struct Git {
    place: PathBuf,
    url: Url,
    _lock: File,
}

impl Git {
    fn open(repository: &Repository, place: PathBuf) -> Result<Self, String> {
        let text = |e: io::Error| e.to_string();
        let parent = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(text)?;
        let lock = File::create(place.with_extension("lock")).map_err(text)?;
        lock.lock().map_err(text)?;
        let git = Self {
            place,
            url: repository.url.clone(),
            _lock: lock,
        };
        if git.prepare().is_err() {
            git.renew()?;
        }
        Ok(git)
    }

    fn prepare(&self) -> Result<(), String> {
        let text = |e: io::Error| e.to_string();
        if !self.place.join("HEAD").is_file() {
            self.run(&["init", "--quiet", "--bare", "--template="])?;
        }
        // Above what a tree's own .gitattributes say: the archive shall be what a checkout gives.
        let info = self.place.join("info");
        std::fs::create_dir_all(&info).map_err(text)?;
        let attributes = info.join("attributes");
        std::fs::write(attributes, "* !export-ignore !export-subst\n").map_err(text)
    }

    /// Whether git itself finds something wrong with what is kept.
    fn is_damaged(&self) -> bool {
        self.run(&["fsck", "--no-dangling", "--no-progress"])
            .is_err()
    }

    /// Begins with nothing again.
    fn renew(&self) -> Result<(), String> {
        match std::fs::remove_dir_all(&self.place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
            _ => self.prepare(),
        }
    }

    fn commit(&self, revision: &str) -> Option<String> {
        let revision = format!("{revision}^{{commit}}");
        let out = self.run(&[
            "rev-parse",
            "--quiet",
            "--verify",
            "--end-of-options",
            &revision,
        ]);
        let id = String::from_utf8(out.ok()?).ok()?.trim().to_owned();
        is_full(&id).then_some(id)
    }

    /// The one commit, or, where a server does not give it by its name, all that it has.
    fn fetch(&self, requested: Option<&str>) -> Result<String, String> {
        let asked = format!("+{}:{ASKED}", requested.unwrap_or("HEAD"));
        let options = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--force",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
        ];
        let one = [&options[..], &["--depth=1", "asked", &asked]].concat();
        let first = match self.ask(&one) {
            Ok(_) => {
                return self
                    .commit(ASKED)
                    .ok_or_else(|| "it is no commit".to_owned());
            }
            Err(reason) => reason,
        };
        let Some(revision) =
            requested.filter(|r| r.len() >= 4 && r.bytes().all(|b| b.is_ascii_hexdigit()))
        else {
            return Err(first);
        };
        let unshallow: &[&str] = if self.place.join("shallow").is_file() {
            &["--unshallow"]
        } else {
            &[]
        };
        let branches = [
            "asked",
            "+refs/heads/*:refs/pyresolve/heads/*",
            "+refs/tags/*:refs/pyresolve/tags/*",
        ];
        self.ask(&[&options[..], unshallow, &branches].concat())?;
        self.commit(revision).ok_or(first)
    }

    fn tar(&self, commit: &str) -> Result<Vec<u8>, String> {
        let prefix = format!("--prefix={PREFIX}");
        self.run(&[
            "-c",
            "tar.umask=0022",
            "archive",
            "--format=tar",
            &prefix,
            commit,
        ])
    }

    /// Runs git without the user's own settings, which may name filters.
    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let mut command = self.command();
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        self.finish(command.args(arguments))
    }

    /// Runs git with the user's own settings: how to reach his hosts, and as whom.
    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        self.finish(self.command().args(arguments))
    }

    /// What git writes, or its last words.
    fn finish(&self, command: &mut Command) -> Result<Vec<u8>, String> {
        let mut child = command.spawn().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                "the command `git` is needed to fetch it: install git".to_owned()
            }
            _ => format!("git: {e}"),
        })?;
        let complaints = child.stderr.take();
        let listener = std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(pipe) = complaints {
                // What cannot be read is not shown.
                let _ = pipe.take(64 << 10).read_to_end(&mut text);
            }
            text
        });
        let mut out = Vec::new();
        let read = match child.stdout.take() {
            Some(pipe) => pipe.take(MAX_TREE + 1).read_to_end(&mut out),
            None => Ok(0),
        };
        if out.len() as u64 > MAX_TREE {
            let _ = child.kill();
            let _ = child.wait();
            return Err("its tree is larger than 1 GiB".to_owned());
        }
        let status = child.wait().map_err(|e| e.to_string())?;
        read.map_err(|e| e.to_string())?;
        if status.success() {
            return Ok(out);
        }
        let said = listener.join().unwrap_or_default();
        let said = String::from_utf8_lossy(&said).replace(self.url.as_str(), &shown(&self.url));
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let reason = lines
            .iter()
            .find(|line| line.starts_with("fatal:"))
            .or(lines.last());
        Err(reason.map_or_else(
            || format!("git ended with {status}"),
            |r| format!("git says `{r}`"),
        ))
    }

    /// git, without anything that a caller's own repository, a hook or a prompt could bring in. The
    /// address goes in through the environment, where other users of the machine do not see it.
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for name in LOCAL {
            command.env_remove(name);
        }
        let protocols = match self.url.scheme() {
            "file" => "file",
            _ => "https:http:ssh",
        };
        let settings = [
            ("remote.asked.url", self.url.as_str()),
            ("core.hooksPath", "/dev/null"),
            ("core.attributesFile", "/dev/null"),
            ("core.fsmonitor", "false"),
            ("core.autocrlf", "false"),
            ("gc.auto", "0"),
            ("maintenance.auto", "false"),
        ];
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
        let mut place = OsString::from("--git-dir=");
        place.push(&self.place);
        command
            .arg(place)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", protocols)
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_HTTP_LOW_SPEED_LIMIT", "1000")
            .env("GIT_HTTP_LOW_SPEED_TIME", "30")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What points git to another repository (`git rev-parse --local-env-vars`), as inside of its hooks.
const LOCAL: [&str; 14] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
];

/// The tree in an archive that git made, and whether a `.gitattributes` with `export-…` is in it.
fn tree(tar: &[u8]) -> Result<(Node<'_>, bool), String> {
    let text = |e: io::Error| e.to_string();
    let mut root = Node::folder();
    let mut attributes = false;
    let mut archive = tar::Archive::new(tar);
    for (count, entry) in archive.entries().map_err(text)?.enumerate() {
        let entry = entry.map_err(text)?;
        if count > MAX_MEMBERS {
            return Err(format!("it has more than {MAX_MEMBERS} files"));
        }
        let path = entry.path_bytes().into_owned();
        let Some(path) = path
            .strip_prefix(PREFIX.as_bytes())
            .filter(|p| !p.is_empty())
        else {
            continue;
        };
        let kind = entry.header().entry_type();
        let node = if kind.is_dir() {
            Node::folder()
        } else if kind.is_symlink() {
            let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
            Node::Link(target.unwrap_or_default())
        } else if kind.is_file() {
            let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
            let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
            let content = tar.get(start..start.saturating_add(size));
            Node::File {
                executable: entry.header().mode().map_err(text)? & 0o100 != 0,
                content: content.ok_or("its archive ends early")?,
            }
        } else {
            continue;
        };
        // Only these make an archive something else than a checkout.
        if (path == b".gitattributes" || path.ends_with(b"/.gitattributes"))
            && let Node::File { content, .. } = &node
        {
            attributes |= memchr::memmem::find(content, b"export-").is_some();
        }
        if !root.put(path, node) {
            return Err(format!(
                "it has a file at `{}`",
                String::from_utf8_lossy(path)
            ));
        }
    }
    Ok((root, attributes))
}

#[cfg(test)]
mod tests;
