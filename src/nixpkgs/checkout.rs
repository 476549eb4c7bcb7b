//! A nixpkgs tree on disk, read without Nix: which Python attributes it has, and what their recipes say.
//!
//! The list of packages (`pkgs/top-level/python-packages.nix`) is read first, then every recipe it
//! names, on several threads. What cannot be read is unknown for that attribute alone.

mod identity;
mod interpreter;
mod recipe;
mod set;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};

use super::facts::AttributeFacts;
use crate::nix::read::{Reader, Scope, World};
use crate::python::Version;
use recipe::{Recipe, Recipes};
use set::{Definition, Definitions};

pub use identity::Identity;
pub use table::{mark_primaries, nixpkgs};

/// The largest recipe that is read; the largest that nixpkgs has is a tenth of it.
const MAX_RECIPE: u64 = 2 << 20;

/// Evaluation recurses; what is not touched of a stack costs nothing.
const STACK: usize = 64 << 20;

/// How many attributes one thread takes at a time.
const PORTION: usize = 64;

/// Where a tree has its Python packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// The list of packages; none where the folders are the list.
    list: Option<&'static str>,
    /// The names of former attributes.
    aliases: Option<&'static str>,
    /// A folder of folders that are attributes without being listed.
    folders: Option<&'static str>,
    /// A folder of such folders, by the first two letters of their names.
    shards: Option<&'static str>,
    /// The list of interpreters.
    interpreters: &'static str,
}

const LAYOUTS: [Layout; 2] = [
    Layout {
        list: Some("pkgs/top-level/python-packages.nix"),
        aliases: Some("pkgs/top-level/python-aliases.nix"),
        folders: None,
        shards: Some("pkgs/development/python-modules/by-name"),
        interpreters: "pkgs/development/interpreters/python/default.nix",
    },
    // corepkgs
    Layout {
        list: Some("python/packages.nix"),
        aliases: None,
        folders: Some("python/pkgs"),
        shards: None,
        interpreters: "python/default.nix",
    },
];

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckoutError {
    /// It has no list of Python packages where nixpkgs has it.
    #[error("`{0}` is no nixpkgs: it has no pkgs/top-level/python-packages.nix")]
    NotNixpkgs(PathBuf),
    /// Its list of Python packages cannot be read.
    #[error("`{path}` cannot be read: {why}")]
    List {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The operating system says no.
    #[error("`{path}`")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        #[source]
        source: std::io::Error,
    },
}

/// A nixpkgs tree.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
    layout: Layout,
}

/// What a tree's Python set is, for one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// The packages, by attribute; those for other interpreters are marked so.
    pub packages: BTreeMap<String, AttributeFacts>,
    /// Names that stand for other attributes of the tree, or once did.
    pub aliases: BTreeMap<String, Option<String>>,
    /// Attributes that are no packages, or that are not there for this interpreter.
    pub others: BTreeSet<String>,
    /// Attributes that could not be read, and why.
    pub unknown: BTreeMap<String, String>,
    /// How many attributes Nix told of; none where it was not asked.
    pub evaluated: usize,
}

impl Checkout {
    /// The tree at a path.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(root: &Path) -> Result<Self, CheckoutError> {
        let root = root.canonicalize().map_err(|source| CheckoutError::Io {
            path: root.to_owned(),
            source,
        })?;
        let layout = LAYOUTS
            .into_iter()
            .find(|layout| layout.list.is_some_and(|list| root.join(list).is_file()))
            .ok_or_else(|| CheckoutError::NotNixpkgs(root.clone()))?;
        Ok(Self { root, layout })
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What tells it from every other tree, and from itself after a change.
    ///
    /// # Errors
    /// When its files cannot be listed.
    pub fn identity(&self) -> Result<Identity, CheckoutError> {
        identity::identity(&self.root)
    }

    /// The full version of an interpreter (`3.13`), where the tree tells it.
    pub fn python(&self, minor: &str) -> Option<Version> {
        let path = self.root.join(self.layout.interpreters);
        let meta = std::fs::metadata(&path).ok()?;
        if meta.len() > MAX_RECIPE {
            return None;
        }
        interpreter::version(&std::fs::read_to_string(path).ok()?, minor)
    }

    /// Reads the set of an interpreter: `3.13`, or its full version where that is known.
    ///
    /// # Errors
    /// When the list of packages cannot be read. A recipe that cannot be read is no error.
    pub fn read(&self, python: &str) -> Result<Contents, CheckoutError> {
        let world = World {
            python: python.to_owned(),
        };
        let (definitions, aliases) = thread::scope(|scope| {
            let reading = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, || self.definitions(&world))
                .map_err(|source| self.io(source))?;
            reading.join().unwrap_or_else(|_| {
                Err(self.list_error("it is too much for the reader".to_owned()))
            })
        })?;
        let names: BTreeSet<String> = definitions.iter().map(|(name, _)| name.clone()).collect();
        let mut contents = Contents {
            aliases,
            ..Contents::default()
        };
        for (name, outcome) in self.recipes(&world, &names, &definitions)? {
            contents.add(name, outcome);
        }
        contents.follow(&definitions);
        Ok(contents)
    }

    /// What a recipe's file would say if it had this text; `names` are the attributes of the set. The
    /// recipe must need no arguments besides those found by name.
    ///
    /// # Errors
    /// A sentence, where it cannot be read.
    pub fn reread(
        &self,
        python: &str,
        path: &str,
        text: &str,
        names: &BTreeSet<String>,
    ) -> Result<AttributeFacts, String> {
        let world = World {
            python: python.to_owned(),
        };
        let read = || {
            let folder = Folder {
                root: &self.root,
                names,
            };
            let reader = Reader::new(&world, &folder);
            let none = set::values(&BTreeMap::new());
            let value = reader.call_package(path, text, &none);
            let value = value.map_err(|error| error.to_string())?;
            let recipes = Recipes {
                reader: &reader,
                scope: &folder,
            };
            match recipes.recipe(&value) {
                Recipe::Package(facts) => Ok(*facts),
                Recipe::Absent | Recipe::Other => Err("it is no package".to_owned()),
                Recipe::Unknown(why) => Err(why),
            }
        };
        thread::scope(|scope| {
            let reading = thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, read)
                .map_err(|error| error.to_string())?;
            let outcome = reading.join();
            outcome.unwrap_or_else(|_| Err("it is too much for the reader".to_owned()))
        })
    }

    fn io(&self, source: std::io::Error) -> CheckoutError {
        CheckoutError::Io {
            path: self.root.clone(),
            source,
        }
    }

    fn list_error(&self, why: String) -> CheckoutError {
        CheckoutError::List {
            path: self.root.join(self.layout.list.unwrap_or_default()),
            why,
        }
    }

    /// What every attribute is defined as, and the former names.
    #[expect(clippy::type_complexity, reason = "two lists that are made together")]
    fn definitions(
        &self,
        world: &World,
    ) -> Result<(Vec<(String, Definition)>, BTreeMap<String, Option<String>>), CheckoutError> {
        let list = self.layout.list.unwrap_or_default();
        let path = self.root.join(list);
        let text = std::fs::read_to_string(&path).map_err(|source| CheckoutError::Io {
            path: path.clone(),
            source,
        })?;
        let reader = Reader::new(world, &ListAlone);
        let members = set::members(&reader, list, &text).map_err(|why| self.list_error(why))?;
        let listed: BTreeSet<String> = members.names().map(str::to_owned).collect();
        let mut unlisted = self.unlisted();
        unlisted.retain(|name, _| !listed.contains(name));
        let names: BTreeSet<String> = listed.iter().chain(unlisted.keys()).cloned().collect();
        let folder = Folder {
            root: &self.root,
            names: &names,
        };
        let inner = Reader::new(world, &folder);
        let recipes = Recipes {
            reader: &inner,
            scope: &folder,
        };
        let definitions = Definitions {
            list: &reader,
            recipes: &recipes,
            set: &members,
            names: &names,
            modules: list,
        };
        let mut all: Vec<(String, Definition)> = listed
            .iter()
            .map(|name| (name.clone(), definitions.define(name)))
            .collect();
        all.extend(unlisted.into_iter().map(|(name, path)| {
            let definition = Definition::File {
                path,
                explicit: BTreeMap::new(),
                changed: None,
            };
            (name, definition)
        }));
        let aliases = self.layout.aliases.and_then(|path| {
            let text = folder.text(path)?;
            Some(set::aliases(world, &folder, path, &text))
        });
        Ok((all, aliases.unwrap_or_default()))
    }

    /// Attributes that are folders, without being listed: name and folder.
    fn unlisted(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut folders: Vec<String> = self
            .layout
            .folders
            .iter()
            .map(|f| (*f).to_owned())
            .collect();
        if let Some(shards) = self.layout.shards {
            let shards = subfolders(&self.root.join(shards)).into_iter();
            folders.extend(shards.map(|s| format!("{}/{s}", self.layout.shards.unwrap_or(""))));
        }
        for folder in folders {
            for name in subfolders(&self.root.join(&folder)) {
                let path = format!("{folder}/{name}");
                let file = ["package.nix", "default.nix"]
                    .iter()
                    .map(|file| format!("{path}/{file}"))
                    .find(|file| self.root.join(file).is_file());
                if let Some(file) = file {
                    found.insert(name, file);
                }
            }
        }
        found
    }

    /// Reads every recipe, on as many threads as there are processors.
    fn recipes(
        &self,
        world: &World,
        names: &BTreeSet<String>,
        definitions: &[(String, Definition)],
    ) -> Result<BTreeMap<String, Outcome>, CheckoutError> {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(BTreeMap::new());
        let work = || {
            let folder = Folder {
                root: &self.root,
                names,
            };
            loop {
                let start = next.fetch_add(PORTION, Ordering::Relaxed);
                let Some(rest) = definitions.get(start..).filter(|rest| !rest.is_empty()) else {
                    return;
                };
                let portion: Vec<(String, Outcome)> = rest
                    .iter()
                    .take(PORTION)
                    .map(|(name, definition)| (name.clone(), outcome(world, &folder, definition)))
                    .collect();
                outcomes
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .extend(portion);
            }
        };
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(16);
        thread::scope(|scope| {
            let started: Result<Vec<_>, _> = (0..threads)
                .map(|_| {
                    thread::Builder::new()
                        .stack_size(STACK)
                        .spawn_scoped(scope, work)
                })
                .collect();
            started.map(drop).map_err(|source| self.io(source))
        })?;
        Ok(outcomes
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// What became of an attribute.
enum Outcome {
    Package(Box<AttributeFacts>),
    Other,
    Alias,
    Unknown(String),
}

fn outcome(world: &World, folder: &Folder<'_>, definition: &Definition) -> Outcome {
    match definition {
        Definition::Alias(_) => Outcome::Alias,
        Definition::Inline(facts) => Outcome::Package(facts.clone()),
        Definition::Absent | Definition::Other => Outcome::Other,
        Definition::Unknown(why) => Outcome::Unknown(why.clone()),
        Definition::TopLevel(name) => top_level(world, folder, name),
        Definition::File {
            path,
            explicit,
            changed,
        } => {
            let explicit = set::values(explicit);
            match file(world, folder, path, &explicit) {
                Outcome::Package(mut facts) => {
                    facts.unknown.extend(changed.map(str::to_owned));
                    Outcome::Package(facts)
                }
                other => other,
            }
        }
    }
}

/// A top-level package that is a member: its recipe, where it is where most of them are.
fn top_level(world: &World, folder: &Folder<'_>, name: &str) -> Outcome {
    let unknown = || Outcome::Unknown(format!("it is `pkgs.{name}`"));
    let Some(shard) = name.get(..2) else {
        return unknown();
    };
    let path = format!("pkgs/by-name/{}/{name}/package.nix", shard.to_lowercase());
    if !folder.root.join(&path).is_file() {
        return unknown();
    }
    match file(world, folder, &path, &set::values(&BTreeMap::new())) {
        Outcome::Package(mut facts) => {
            facts.kind = super::facts::Kind::Foreign;
            Outcome::Package(facts)
        }
        _ => unknown(),
    }
}

fn file(
    world: &World,
    folder: &Folder<'_>,
    path: &str,
    explicit: &std::rc::Rc<crate::nix::read::Set>,
) -> Outcome {
    let Some((file, text)) = recipe_text(folder, path) else {
        return Outcome::Unknown(format!("there is no `{path}`, or it is too large"));
    };
    let reader = Reader::new(world, folder);
    let value = match reader.call_package(&file, &text, explicit) {
        Ok(value) => value,
        Err(error) => return Outcome::Unknown(format!("{file}: {error}")),
    };
    let recipes = Recipes {
        reader: &reader,
        scope: folder,
    };
    match recipes.recipe(&value) {
        Recipe::Package(mut facts) => {
            facts.file = file;
            Outcome::Package(facts)
        }
        Recipe::Absent | Recipe::Other => Outcome::Other,
        Recipe::Unknown(why) => Outcome::Unknown(format!("{file}: {why}")),
    }
}

/// The recipe at a path of the tree: the file itself, or the `default.nix` in the folder.
fn recipe_text(scope: &dyn Scope, path: &str) -> Option<(String, String)> {
    if let Some(text) = scope.text(path) {
        return Some((path.to_owned(), text));
    }
    let file = format!("{path}/default.nix");
    scope.text(&file).map(|text| (file, text))
}

/// What surrounds the list of packages: the recipes it names are not opened for it.
struct ListAlone;

impl Scope for ListAlone {
    fn has(&self, _: &str) -> bool {
        false
    }

    fn text(&self, _: &str) -> Option<String> {
        None
    }
}

/// The tree's files and the names of its Python set.
struct Folder<'a> {
    root: &'a Path,
    names: &'a BTreeSet<String>,
}

impl Scope for Folder<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    fn text(&self, path: &str) -> Option<String> {
        let path = self.root.join(path);
        let meta = std::fs::metadata(&path).ok()?;
        if !meta.is_file() || meta.len() > MAX_RECIPE {
            return None;
        }
        std::fs::read_to_string(path).ok()
    }
}

impl Contents {
    fn add(&mut self, name: String, outcome: Outcome) {
        match outcome {
            Outcome::Package(facts) => {
                self.packages.insert(name, *facts);
            }
            Outcome::Other => {
                self.others.insert(name);
            }
            Outcome::Unknown(why) => {
                self.unknown.insert(name, why);
            }
            Outcome::Alias => {}
        }
    }

    /// Gives aliases what they stand for.
    fn follow(&mut self, definitions: &[(String, Definition)]) {
        let aliases: BTreeMap<&str, &str> = definitions
            .iter()
            .filter_map(|(name, definition)| match definition {
                Definition::Alias(of) => Some((name.as_str(), of.as_str())),
                _ => None,
            })
            .collect();
        for (name, first) in &aliases {
            let mut of = *first;
            for _ in 0..8 {
                match aliases.get(of) {
                    Some(next) => of = next,
                    None => break,
                }
            }
            if let Some(facts) = self.packages.get(of) {
                let facts = AttributeFacts {
                    alias_of: Some(of.to_owned()),
                    ..facts.clone()
                };
                self.packages.insert((*name).to_owned(), facts);
            } else if let Some(why) = self.unknown.get(of).cloned() {
                self.unknown.insert((*name).to_owned(), why);
            } else {
                self.others.insert((*name).to_owned());
            }
        }
    }
}

fn subfolders(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests;
