//! Where the facts about nixpkgs come from: what the user chose, what is there, and which it is.
//!
//! Choosing ([`locate`]) is cheap and tells the revision and the day, which the lock records; reading
//! ([`Located::read`]) may take seconds the first time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::checkout::{self, Checkout, CheckoutError, Identity};
use super::evaluate::{EvaluateError, Evaluator};
use super::flake::{self, FlakeError};
use super::{Nixpkgs, channel, keep, snapshot};
use crate::problem::{Origin, SourceFile};
use crate::python::Version;

/// Which nixpkgs the user wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// Whatever the project uses: its `flake.lock`, then `<nixpkgs>`, else the snapshot.
    #[default]
    Usual,
    /// The bundled table.
    Snapshot,
    /// None: everything is new.
    Nothing,
    /// A tree.
    Tree(PathBuf),
    /// An entry of Nix' search path: `nixpkgs` for `<nixpkgs>`.
    SearchPath(String),
    /// What a flake has pinned.
    FlakeLock(PathBuf),
    /// The published list of a channel.
    Channel(String),
}

impl Choice {
    /// The choice as it is typed: `snapshot`, `none`, `<nixpkgs>`, `channel:NAME`, a `flake.lock` or the
    /// path of a tree. Relative paths are relative to `folder`.
    pub fn parse(text: &str, folder: &Path) -> Self {
        let in_brackets = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
        match text {
            "snapshot" => Choice::Snapshot,
            "none" => Choice::Nothing,
            "flake.lock" => Choice::FlakeLock(folder.join(text)),
            _ if in_brackets.is_some() => {
                Choice::SearchPath(in_brackets.unwrap_or_default().to_owned())
            }
            _ => match text.strip_prefix("channel:") {
                Some(name) => Choice::Channel(name.to_owned()),
                None if Path::new(text)
                    .file_name()
                    .is_some_and(|n| n == "flake.lock") =>
                {
                    Choice::FlakeLock(folder.join(text))
                }
                None => Choice::Tree(folder.join(text)),
            },
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Usual => f.write_str("the project's own"),
            Choice::Snapshot => f.write_str("snapshot"),
            Choice::Nothing => f.write_str("none"),
            Choice::Tree(path) | Choice::FlakeLock(path) => write!(f, "{}", path.display()),
            Choice::SearchPath(name) => write!(f, "<{name}>"),
            Choice::Channel(name) => write!(f, "channel:{name}"),
        }
    }
}

/// What is around: everything that is not in the choice itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The project's folder.
    pub project: PathBuf,
    /// The user's home, where Nix keeps channels.
    pub home: Option<PathBuf>,
    /// The environment variable `NIX_PATH`.
    pub nix_path: Option<String>,
    /// The program `nix-instantiate`, where there is one.
    pub nix: Option<PathBuf>,
    /// How long Nix may evaluate; zero for not at all.
    pub patience: Duration,
    /// Where what was read is kept.
    pub cache: Option<PathBuf>,
    /// The store's folder: `/nix/store`.
    pub store: PathBuf,
}

/// The facts that will be used.
#[derive(Debug, Clone)]
pub struct Located {
    place: Place,
    /// What they are called: `nixos-unstable`, `nixpkgs 26.05`; empty for none.
    pub channel: String,
    /// Their day, empty where it is not known.
    pub date: String,
    /// The git revision, where it is known.
    pub revision: Option<String>,
    /// How they were found, for people: `flake.lock`, `<nixpkgs>`, a path, `the bundled snapshot`.
    pub found: String,
    /// What the user should know of the choice, as sentences.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
enum Place {
    Nothing,
    Snapshot,
    Tree(Box<(Checkout, Identity)>),
    Channel(String),
}

/// Why there are no facts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The tree cannot be read.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// A flake's lock cannot be read.
    #[error("`{path}`: {why}")]
    Flake {
        /// The lock.
        path: PathBuf,
        /// Why not.
        why: String,
        /// Where that shows.
        origin: Option<Origin>,
    },
    /// Nix' search path leads to no tree.
    #[error("`<{name}>` leads to no tree: {why}")]
    SearchPath {
        /// The entry.
        name: String,
        /// Why not.
        why: String,
    },
    /// The name cannot be a channel's.
    #[error(transparent)]
    Channel(#[from] channel::ChannelError),
    /// The snapshot has nothing for the interpreter.
    #[error("the bundled nixpkgs snapshot has no packages for Python {minor}")]
    NoInterpreter {
        /// The interpreter.
        minor: String,
        /// Those it has.
        known: Vec<&'static str>,
    },
    /// The list of a channel is not at hand.
    #[error("the list of packages of the channel `{0}` was not fetched")]
    NotFetched(String),
}

/// Finds what the choice means here.
///
/// # Errors
/// When what was chosen is not there. What is only usual may be missing.
pub fn locate(choice: &Choice, around: &Surroundings) -> Result<Located, SourceError> {
    match choice {
        Choice::Usual => Ok(usual(around)),
        Choice::Nothing => Ok(Located::new(Place::Nothing, "none")),
        Choice::Snapshot => Ok(of_snapshot()),
        Choice::Tree(path) => {
            // `./nixpkgs` of settings in `.` is `nixpkgs`.
            let plain: PathBuf = path.components().collect();
            let shown = plain.strip_prefix(".").unwrap_or(&plain);
            tree(path, &shown.display().to_string()).map_err(SourceError::from)
        }
        Choice::SearchPath(name) => {
            let path = search_path(name, around)
                .map_or_else(|| asked(name, around), Ok)
                .map_err(|why| SourceError::SearchPath {
                    name: name.clone(),
                    why,
                })?;
            tree(&path, &format!("<{name}>")).map_err(SourceError::from)
        }
        Choice::FlakeLock(path) => flake_lock(path, around),
        Choice::Channel(name) => {
            let name = channel::name(name)?.to_owned();
            let mut located = Located::new(Place::Channel(name.clone()), "the channel's list");
            located.channel = name;
            Ok(located)
        }
    }
}

/// The full version of an interpreter (`3.13`) in the tree that a choice means; none where it means
/// none, or its files do not tell it. Cheap: one file is read.
pub fn python(choice: &Choice, around: &Surroundings, minor: &str) -> Option<Version> {
    let pinned = |lock: &Path| {
        let text = std::fs::read_to_string(lock).ok()?;
        let folder = lock.parent().unwrap_or(Path::new(""));
        flake::pinned(&text, folder, &around.store).ok()?.tree
    };
    let lock = around.project.join("flake.lock");
    let root = match choice {
        Choice::Tree(path) => path.clone(),
        Choice::SearchPath(name) => search_path(name, around)?,
        Choice::FlakeLock(path) => pinned(path)?,
        Choice::Usual if lock.is_file() => pinned(&lock)?,
        Choice::Usual if around.nix.is_some() => search_path("nixpkgs", around)?,
        _ => return None,
    };
    Checkout::open(&root).ok()?.python(minor)
}

/// The nixpkgs that the project uses already, as far as that is told by its surroundings.
fn usual(around: &Surroundings) -> Located {
    let lock = around.project.join("flake.lock");
    let mut notes = Vec::new();
    if lock.is_file() {
        match flake_lock(&lock, around) {
            Ok(located) => return located,
            Err(error) => notes.push(error.to_string()),
        }
    } else if around.nix.is_some()
        && let Some(path) = search_path("nixpkgs", around)
    {
        match tree(&path, "<nixpkgs>") {
            Ok(located) => return located,
            Err(error) => notes.push(error.to_string()),
        }
    }
    let mut located = of_snapshot();
    located.notes = notes;
    located
}

fn of_snapshot() -> Located {
    let (channel, date) = snapshot::origin();
    let mut located = Located::new(Place::Snapshot, "the bundled snapshot");
    channel.clone_into(&mut located.channel);
    date.clone_into(&mut located.date);
    located
}

fn tree(path: &Path, found: &str) -> Result<Located, CheckoutError> {
    let checkout = Checkout::open(path)?;
    let identity = checkout.identity()?;
    let mut located = Located::new(Place::Nothing, found);
    located.channel = match &identity.release {
        Some(release) => format!("nixpkgs {release}"),
        None => "nixpkgs".to_owned(),
    };
    located.date = identity.date.clone().unwrap_or_default();
    located.revision.clone_from(&identity.revision);
    located.place = Place::Tree(Box::new((checkout, identity)));
    Ok(located)
}

/// What a flake has pinned: its tree where it is here, else the snapshot, and that is told.
fn flake_lock(path: &Path, around: &Surroundings) -> Result<Located, SourceError> {
    let bad = |why: String, origin| SourceError::Flake {
        path: path.to_owned(),
        why,
        origin,
    };
    let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string(), None))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let pinned = flake::pinned(&text, folder, &around.store).map_err(|e: FlakeError| {
        let origin = Origin {
            span: e.span(&text),
            file: Arc::new(SourceFile {
                path: path.to_owned(),
                text: text.clone(),
            }),
        };
        bad(e.to_string(), Some(origin))
    })?;
    let called = pinned
        .branch
        .clone()
        .unwrap_or_else(|| "nixpkgs".to_owned());
    let Some(root) = &pinned.tree else {
        let mut located = of_snapshot();
        let revision = pinned.revision.as_deref().and_then(|r| r.get(..12));
        let of = pinned
            .date
            .as_deref()
            .map_or(String::new(), |d| format!(" of {d}"));
        located.notes.push(format!(
            "flake.lock pins {called} {}{of}, whose tree is not in the store: the bundled snapshot of {} is used; `nix flake archive` brings the tree",
            revision.unwrap_or("at an unknown revision"),
            located.date,
        ));
        return Ok(located);
    };
    let mut located = tree(root, "flake.lock")?;
    located.channel = called;
    located.revision = pinned.revision.clone().or(located.revision);
    located.date = pinned.date.clone().unwrap_or(located.date);
    if let Place::Tree(tree) = &mut located.place {
        tree.1.revision.clone_from(&located.revision);
        tree.1.date = pinned.date;
    }
    Ok(located)
}

/// The folder that an entry of Nix' search path is: of `NIX_PATH`, or where that says nothing of the
/// places that Nix looks at then.
fn search_path(name: &str, around: &Surroundings) -> Option<PathBuf> {
    let entries = match &around.nix_path {
        Some(text) => text.clone(),
        None => {
            let home = around
                .home
                .as_ref()
                .map(|h| h.join(".nix-defexpr/channels"));
            let home = home.and_then(|h| h.to_str().map(str::to_owned));
            let of_root = "/nix/var/nix/profiles/per-user/root/channels";
            format!("{}:{of_root}", home.unwrap_or_default())
        }
    };
    entries.split(':').find_map(|entry| {
        let found = match entry.split_once('=') {
            Some((prefix, path)) if prefix == name => PathBuf::from(path),
            Some(_) => return None,
            None if !entry.is_empty() => Path::new(entry).join(name),
            None => return None,
        };
        found.is_dir().then_some(found)
    })
}

/// The same, asked of Nix, which knows configuration files too. Addresses are not for it: it would
/// fetch them.
fn asked(name: &str, around: &Surroundings) -> Result<PathBuf, String> {
    let Some(nix) = &around.nix else {
        return Err("NIX_PATH names no such folder".to_owned());
    };
    let text = around.nix_path.as_deref().unwrap_or("");
    if text.contains("://") || text.contains("channel:") || text.contains("flake:") {
        return Err("NIX_PATH names an address, not a folder".to_owned());
    }
    let output = Command::new(nix)
        .args(["--find-file", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && path.is_dir() {
        return Ok(path);
    }
    Err("neither NIX_PATH nor Nix' own channels have it".to_owned())
}

impl Located {
    fn new(place: Place, found: &str) -> Self {
        Self {
            place,
            channel: String::new(),
            date: String::new(),
            revision: None,
            found: found.to_owned(),
            notes: Vec::new(),
        }
    }

    /// Whether they are those of the bundled table.
    pub fn is_bundled(&self) -> bool {
        matches!(self.place, Place::Snapshot)
    }

    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        matches!(self.place, Place::Nothing)
    }

    /// The channel whose list has to be fetched before it can be read.
    pub fn wanted_channel(&self) -> Option<&str> {
        match &self.place {
            Place::Channel(name) => Some(name),
            _ => None,
        }
    }

    /// Notes from when a channel's list is, and of which revision, now that it was fetched.
    pub fn fetched(&mut self, date: Option<String>, revision: Option<String>) {
        let is_revision = |r: &String| r.len() == 40 && r.bytes().all(|b| b.is_ascii_hexdigit());
        self.date = date.unwrap_or_default();
        self.revision = revision.filter(is_revision);
    }

    /// What tells these facts from others, the same on every machine where that can be.
    pub fn mark(&self) -> String {
        match (&self.place, &self.revision) {
            (Place::Nothing, _) => "none".to_owned(),
            (_, Some(revision)) => revision.clone(),
            (Place::Tree(tree), None) => tree.1.digest.clone(),
            _ => format!("{} {}", self.channel, self.date),
        }
    }

    /// Reads the facts for an interpreter, `python` its full version. What the user should know is
    /// added to `notes`.
    ///
    /// # Errors
    /// When there are none for it.
    pub fn read(
        &mut self,
        python: &str,
        around: &Surroundings,
        list: Option<&str>,
    ) -> Result<Nixpkgs, SourceError> {
        if matches!(self.place, Place::Nothing) {
            return Ok(Nixpkgs::default());
        }
        let minor: Vec<&str> = python.split('.').take(2).collect();
        let minor = minor.join(".");
        let known = snapshot::read(&minor);
        let nixpkgs = match &self.place {
            Place::Nothing => return Ok(Nixpkgs::default()),
            Place::Snapshot => known.ok_or_else(|| SourceError::NoInterpreter {
                minor,
                known: snapshot::interpreters().collect(),
            })?,
            Place::Channel(name) => {
                let list = list.ok_or_else(|| SourceError::NotFetched(name.clone()))?;
                channel::read(list, name, &self.date, &minor, known.as_ref())?
            }
            Place::Tree(tree) => {
                let mut set = set(tree, python, around, known.as_ref(), &mut self.notes)?;
                set.channel.clone_from(&self.channel);
                set.date.clone_from(&self.date);
                set.tree = Some(tree.0.root().to_owned());
                set
            }
        };
        Ok(nixpkgs.with_revision(self.revision.clone()))
    }
}

/// What a tree has: as it is kept, or read now and kept.
fn set(
    (checkout, identity): &(Checkout, Identity),
    python: &str,
    around: &Surroundings,
    known: Option<&Nixpkgs>,
    notes: &mut Vec<String>,
) -> Result<Nixpkgs, SourceError> {
    let minor: Vec<&str> = python.split('.').take(2).collect();
    let minor = minor.join(".");
    let nix = around.nix.as_ref().filter(|_| !around.patience.is_zero());
    let kept = around
        .cache
        .as_ref()
        .map(|cache| keep::path(cache, &identity.digest, python, nix.is_some()));
    if let Some(set) = kept.as_deref().and_then(keep::load) {
        return Ok(set);
    }
    let mut contents = checkout.read(python)?;
    if let Some(program) = nix {
        let evaluator = Evaluator {
            program: program.clone(),
            patience: around.patience,
        };
        match evaluator.evaluate(checkout.root(), &minor) {
            Ok(evaluated) => {
                contents.refine(&evaluated);
                if evaluated.untold > 0 {
                    notes.push(format!(
                        "Nix told nothing of {} of nixpkgs' Python attributes, as they fail or it took longer than {} s: their files were read instead",
                        evaluated.untold,
                        around.patience.as_secs()
                    ));
                }
            }
            Err(error) => notes.push(not_evaluated(&error)),
        }
    }
    let set = checkout::nixpkgs(contents, identity, known);
    if let Some(path) = kept {
        keep::store(&path, &set);
    }
    Ok(set)
}

fn not_evaluated(error: &EvaluateError) -> String {
    format!("{error}; nixpkgs' files were read instead")
}

#[cfg(test)]
mod tests;
