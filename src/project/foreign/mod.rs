//! The locks of other tools, read as a source of pins: uv.lock, poetry.lock, pdm.lock, Pipfile.lock and
//! pylock.toml (PEP 751).
//!
//! Each format has a file of its own here, which turns it into one model: [`Foreign`], with a [`Pinned`]
//! for every release. Which pins hold for a selection of extras and groups on some targets tells
//! [`Foreign::limits`]. A lock of an unknown version is refused rather than guessed at.
//!
//! What is deliberately not done: nobody's edges are believed. The requirements of releases come from
//! the index, as for any other lock; a foreign lock says which version, which source, which hashes.

mod json;
mod limit;
mod pdm;
mod pipenv;
mod pipfile;
mod poetry;
mod pylock;
mod root;
mod uv;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::reading::Reading;
use super::table::{Document, Node};
use super::{Directory, Files, Hint, Project, ProjectError, merge};
use crate::problem::{Code, Origin, Problem, SourceFile};
use crate::python::{
    MarkerTree, PackageName, Requirement, Sha256, Version, VersionSpecifiers, Wanted,
};

pub use limit::{Limits, PinnedRelease, Selection};

/// Whose lock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// `uv.lock`
    Uv,
    /// `poetry.lock`
    Poetry,
    /// `pdm.lock`
    Pdm,
    /// `Pipfile.lock`
    Pipenv,
    /// `pylock.toml`
    Pylock,
}

impl Tool {
    /// The versions of its format that are understood, for messages.
    pub fn understood(self) -> &'static str {
        match self {
            Tool::Uv => "version 1 (any revision)",
            Tool::Poetry => "lock-version 1.1, 2.0 and 2.1",
            Tool::Pdm => "lock_version 4.3, 4.4 and 4.5",
            Tool::Pipenv => "pipfile-spec 6",
            Tool::Pylock => "lock-version 1.0",
        }
    }

    /// The file whose requirements it locks.
    fn project(self) -> &'static str {
        match self {
            Tool::Pipenv => "Pipfile",
            _ => "pyproject.toml",
        }
    }

    /// Projects that the tool leaves out of its locks although something may require them.
    pub fn leaves_out(self) -> &'static [&'static str] {
        match self {
            Tool::Pipenv => &["distribute", "pip", "setuptools", "wheel"],
            _ => &[],
        }
    }

    /// The command that makes the lock again.
    pub fn command(self) -> &'static str {
        match self {
            Tool::Uv => "uv lock",
            Tool::Poetry => "poetry lock",
            Tool::Pdm => "pdm lock",
            Tool::Pipenv => "pipenv lock",
            Tool::Pylock => "the tool that wrote it",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tool::Uv => "uv",
            Tool::Poetry => "Poetry",
            Tool::Pdm => "PDM",
            Tool::Pipenv => "pipenv",
            Tool::Pylock => "PEP 751",
        })
    }
}

/// Another tool's lock.
#[derive(Debug)]
pub struct Foreign {
    /// Whose.
    pub tool: Tool,
    /// The file.
    pub file: Arc<SourceFile>,
    /// What its user requires: the project beside it where there is one, else what the lock tells.
    pub project: Project,
    /// Which Pythons it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// It is only for environments in which one of these holds; for any where there is none.
    pub environments: Vec<MarkerTree>,
    /// Groups that count where none is chosen.
    pub default_groups: Vec<String>,
    /// Its pins, in the order of the file.
    pub pins: Vec<Pinned>,
    /// Requirements that replace all others on the same project.
    pub overrides: Vec<Requirement>,
}

/// A release that a lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The project.
    pub name: PackageName,
    /// The version; locks may leave it out for folders and repositories.
    pub version: Option<Version>,
    /// When it is the one; extras and groups of the project are extras in it, in the tool's own
    /// spelling.
    pub marker: MarkerTree,
    /// More conditions, for single groups.
    pub by_group: BTreeMap<String, MarkerTree>,
    /// The groups that it is in; empty where the lock does not tell.
    pub groups: BTreeSet<String>,
    /// Whether only an extra brings it.
    pub optional: bool,
    /// Where it is from.
    pub place: Place,
    /// Its files.
    pub files: Vec<PinnedFile>,
    /// The projects that it needs, as far as the lock tells.
    pub needs: Vec<PackageName>,
    /// Where its version, or else its name, stands.
    pub origin: Origin,
}

/// Where a release is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An index; its address, where the lock tells it.
    Index(Option<String>),
    /// An address, a commit of a repository, or a path.
    Direct(Wanted),
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedFile {
    /// Its name, where the lock tells it.
    pub name: Option<String>,
    /// Its digest; none where the lock has none of this kind.
    pub sha256: Option<Sha256>,
}

/// The tool whose lock a file is, by its name, and where that tells nothing by what is in it.
pub fn recognise(path: &Path) -> Option<Tool> {
    let name = path.file_name()?.to_str()?;
    if !path.is_file() {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    match &*lower {
        "uv.lock" => return Some(Tool::Uv),
        "poetry.lock" => return Some(Tool::Poetry),
        "pdm.lock" => return Some(Tool::Pdm),
        "pipfile.lock" => return Some(Tool::Pipenv),
        "flake.lock" | "cargo.lock" => return None,
        _ => {}
    }
    if lower == "pylock.toml" || lower.starts_with("pylock.") && lower.ends_with(".toml") {
        return Some(Tool::Pylock);
    }
    let may_be = [".lock", ".toml", ".json"];
    if name == "pyproject.toml" || !may_be.iter().any(|end| lower.ends_with(end)) {
        return None;
    }
    let folder = Directory::open(path.parent().unwrap_or(Path::new(""))).ok()?;
    by_content(&String::from_utf8(folder.read(name).ok()?).ok()?)
}

/// The tool that writes such a text.
fn by_content(text: &str) -> Option<Tool> {
    if text.trim_start().starts_with('{') {
        return text.contains("\"pipfile-spec\"").then_some(Tool::Pipenv);
    }
    let table = toml::de::DeTable::parse(text).ok()?;
    let table = table.get_ref();
    let metadata = table.get("metadata").and_then(|v| v.get_ref().as_table());
    let in_metadata = |key| metadata.is_some_and(|m| m.contains_key(key));
    if table.contains_key("lock-version") && table.contains_key("packages") {
        Some(Tool::Pylock)
    } else if in_metadata("lock-version") {
        Some(Tool::Poetry)
    } else if in_metadata("lock_version") {
        Some(Tool::Pdm)
    } else if table.contains_key("version") && table.contains_key("requires-python") {
        Some(Tool::Uv)
    } else {
        None
    }
}

/// Reads a lock, and the project beside it.
///
/// # Errors
/// When it cannot be had. What is wrong inside becomes [`Project::problems`].
pub fn open(path: &Path, tool: Tool) -> Result<Foreign, ProjectError> {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = Directory::open(folder)?;
    let mut reading = Reading::new(&files, false, &super::reading::no_env);
    let file = reading.source(name)?.unwrap_or_else(|| {
        Arc::new(SourceFile {
            path: files.display(name),
            text: String::new(),
        })
    });
    let mut foreign = Foreign {
        tool,
        file: Arc::clone(&file),
        project: Project::default(),
        requires_python: None,
        environments: Vec::new(),
        default_groups: Vec::new(),
        pins: Vec::new(),
        overrides: Vec::new(),
    };
    if reading.problems.is_empty() {
        let mut lock = Lock {
            folder,
            reading: &mut reading,
            foreign: &mut foreign,
        };
        match tool {
            Tool::Uv => uv::read(&mut lock),
            Tool::Poetry => poetry::read(&mut lock),
            Tool::Pdm => pdm::read(&mut lock),
            Tool::Pipenv => pipenv::read(&mut lock),
            Tool::Pylock => pylock::read(&mut lock),
        }
    }
    let problems = std::mem::take(&mut reading.problems);
    if let Some(beside) = beside(&files, tool)? {
        foreign.project = beside;
    }
    foreign.project.problems.splice(0..0, problems);
    root::follow(&mut foreign);
    Ok(foreign)
}

/// The project beside a lock, where there is one that says what it requires.
fn beside(files: &dyn Files, tool: Tool) -> Result<Option<Project>, ProjectError> {
    let name = tool.project();
    if !files.is_file(name) {
        return Ok(None);
    }
    if tool == Tool::Pipenv {
        return Ok(Some(pipfile::read(files, name)));
    }
    let hint = Hint::File(name.to_owned());
    match merge::read(files, &hint, &super::reading::no_env) {
        Ok(read) => Ok(Some(read.project).filter(Project::says_something)),
        Err(ProjectError::NoProject(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Project {
    /// Whether it is more than settings of tools.
    fn says_something(&self) -> bool {
        self.name.is_some()
            || !self.dependencies.is_empty()
            || !self.unknown.is_empty()
            || !self.problems.is_empty()
    }
}

/// A lock that is being read.
struct Lock<'a, 'r> {
    folder: &'a Path,
    reading: &'a mut Reading<'r>,
    foreign: &'a mut Foreign,
}

impl Lock<'_, '_> {
    fn error(&mut self, what: impl Into<String>, origin: Origin) {
        self.reading.error(Code::InvalidSyntax, what, Some(origin));
    }

    /// Says that the lock's version is not understood.
    fn unknown_version(&mut self, version: &str, origin: Option<Origin>) {
        let tool = self.foreign.tool;
        let what = match (version.is_empty(), tool) {
            (true, _) => format!("no version of {tool}'s format is told"),
            (false, _) => format!("version {version} of {tool}'s format is not known"),
        };
        self.reading.problems.push(Problem {
            code: Code::UnknownLockVersion,
            severity: crate::problem::Severity::Error,
            what,
            origin,
            help: Some(format!(
                "{} can be read; write the lock in that, or export it as pylock.toml",
                tool.understood()
            )),
        });
    }

    fn name(&mut self, node: Option<Node<'_>>, of: Node<'_>) -> Option<PackageName> {
        let Some(node) = node else {
            self.error("`name` is missing", of.origin());
            return None;
        };
        let name = node
            .text()
            .and_then(|text| PackageName::from_str(text).ok());
        if name.is_none() {
            self.error("this is not a project's name", node.origin());
        }
        name
    }

    fn version(&mut self, node: Node<'_>) -> Option<Version> {
        let version = node.text().and_then(|text| Version::from_str(text).ok());
        if version.is_none() {
            self.error("this is not a version", node.origin());
        }
        version
    }

    /// A marker; one that does not parse is a problem, and always holds.
    fn marker(&mut self, node: Option<Node<'_>>) -> MarkerTree {
        let Some(node) = node else {
            return MarkerTree::TRUE;
        };
        let Some(text) = node.text() else {
            self.error("a marker is expected here", node.origin());
            return MarkerTree::TRUE;
        };
        let marker = self.reading.marker(text, Some(&node.origin()));
        marker.unwrap_or(MarkerTree::TRUE)
    }

    /// A path in the lock, as the user would name it.
    fn path(&self, path: &str) -> Wanted {
        Wanted::Path(self.folder.join(path))
    }

    /// A commit of a repository, or none, with a problem, where the parts make no address.
    fn commit(&mut self, git: &Git<'_>, origin: Origin) -> Option<Wanted> {
        match git.address(self.folder) {
            Ok(url) => Some(Wanted::Url(url)),
            Err(why) => {
                self.error(why, origin);
                None
            }
        }
    }

    /// The archive behind an address; its digest goes with it, so that it is checked.
    fn archive(
        &mut self,
        address: &str,
        sha256: Option<&Sha256>,
        subdirectory: Option<&str>,
        origin: Origin,
    ) -> Option<Wanted> {
        let Ok(mut url) = url::Url::parse(address) else {
            self.error(format!("`{address}` is not an address"), origin);
            return None;
        };
        let digest = sha256.map(|sha256| format!("sha256={sha256}"));
        let folder = subdirectory.map(|folder| format!("subdirectory={folder}"));
        let parts: Vec<String> = digest.into_iter().chain(folder).collect();
        url.set_fragment((!parts.is_empty()).then(|| parts.join("&")).as_deref());
        Some(Wanted::Url(url))
    }
}

/// A commit of a repository, in the words that all locks have for it.
struct Git<'a> {
    repository: &'a str,
    commit: &'a str,
    subdirectory: Option<&'a str>,
}

impl Git<'_> {
    /// As a requirement names it.
    fn address(&self, folder: &Path) -> Result<url::Url, String> {
        let is_commit =
            self.commit.len() >= 40 && self.commit.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_commit {
            return Err("the commit that is locked is missing".to_owned());
        }
        let plain = self.repository.trim_start_matches("git+");
        // Repositories on the same machine may be named by path, and `git@host:path` is ssh's own form.
        let text = if plain.contains("://") {
            plain.to_owned()
        } else if let Some((host, path)) = plain.split_once(':').filter(|(h, _)| !h.contains('/')) {
            format!("ssh://{host}/{path}")
        } else {
            let path = std::path::absolute(folder.join(plain)).map_err(|e| e.to_string())?;
            format!("file://{}", path.display())
        };
        let mut url = url::Url::parse(&format!("git+{text}"))
            .map_err(|e| format!("`{}` is not an address: {e}", self.repository))?;
        url.set_query(None);
        let path = format!("{}@{}", url.path(), self.commit);
        url.set_path(&path);
        let fragment = self
            .subdirectory
            .filter(|folder| !folder.is_empty())
            .map(|folder| format!("subdirectory={folder}"));
        url.set_fragment(fragment.as_deref());
        Ok(url)
    }
}

/// `sha256:…`
fn sha256(text: &str) -> Option<Sha256> {
    Sha256::from_hex(text.strip_prefix("sha256:")?)
}

/// A package's `sdist` and `wheels`, as uv.lock and pylock.toml both list them; `file` reads one.
fn released_files(package: Node<'_>, file: fn(Node<'_>) -> PinnedFile) -> Vec<PinnedFile> {
    let wheels = package.get("wheels").and_then(Node::elements);
    let sdist = package.get("sdist").into_iter();
    sdist
        .chain(wheels.into_iter().flatten())
        .map(file)
        .collect()
}

/// The name of the file behind an address or a path.
fn file_name(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let last = path.rsplit(['/', '\\']).next()?;
    let mut bytes = Vec::with_capacity(last.len());
    let mut rest = last.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|name| !name.is_empty())
}

/// The version in front of the first and, where there is one, the second dot.
fn leading(version: &str) -> &str {
    let mut dots = version.match_indices('.').map(|(at, _)| at);
    let end = dots.nth(1).unwrap_or(version.len());
    version.get(..end).unwrap_or(version)
}

/// The TOML of a lock.
fn document<'a>(file: &'a Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<Document<'a>> {
    let before = problems.len();
    let document = Document::parse(file, problems);
    (problems.len() == before).then_some(document)
}

#[cfg(test)]
mod tests;
