//! Attributes of nixpkgs' Python package set.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::bundled::Bundled;
use super::facts::Facts;
use crate::python::{PackageName, Version};

/// The largest patch that is read; the largest that nixpkgs has for a Python package is a tenth of it.
const MAX_TEXT: u64 = 4 << 20;

/// An attribute of `python3Packages` that installs a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name in the set, `xlib` for example.
    pub attr: String,
    /// The project it installs, `python-xlib` for example.
    pub project: PackageName,
    /// The version in the set of the interpreter in question.
    pub version: Version,
    /// Whether it is the attribute to use by default for its project.
    pub primary: bool,
    /// What its recipe says, where a tree was read.
    pub facts: Facts,
}

/// The Python package set of one nixpkgs for one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nixpkgs {
    /// Where the facts are from, for people: `nixos-unstable`.
    pub channel: String,
    /// The day of the facts, `2026-05-03`; empty where there are none.
    pub date: String,
    /// The interpreter whose set it is, `3.13`; empty where that is not known.
    pub interpreter: String,
    /// The git revision of the tree, in full; none where it is not known.
    pub revision: Option<String>,
    /// The tree that the facts are from, where there is one here.
    pub tree: Option<PathBuf>,
    set: Set,
}

/// Where attributes are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Set {
    Read(Read),
    Bundled(Arc<Bundled>),
}

impl Default for Set {
    fn default() -> Self {
        Set::Read(Read::default())
    }
}

/// A set that was read whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Read {
    by_project: BTreeMap<PackageName, Vec<Attribute>>,
    by_attr: BTreeMap<String, PackageName>,
    elsewhere: BTreeMap<String, PackageName>,
}

/// The primary attribute first, then by age.
pub(super) fn order(attributes: &mut [Attribute]) {
    attributes.sort_by(|a, b| b.primary.cmp(&a.primary).then(b.version.cmp(&a.version)));
}

impl Nixpkgs {
    /// A nixpkgs with these attributes. Primary attributes come first for their project.
    pub fn new(channel: String, date: String, attributes: Vec<Attribute>) -> Self {
        let mut by_project: BTreeMap<PackageName, Vec<Attribute>> = BTreeMap::new();
        let mut by_attr = BTreeMap::new();
        for attribute in attributes {
            by_attr.insert(attribute.attr.clone(), attribute.project.clone());
            by_project
                .entry(attribute.project.clone())
                .or_default()
                .push(attribute);
        }
        for list in by_project.values_mut() {
            order(list);
        }
        Self {
            channel,
            date,
            interpreter: String::new(),
            revision: None,
            tree: None,
            set: Set::Read(Read {
                by_project,
                by_attr,
                elsewhere: BTreeMap::new(),
            }),
        }
    }

    /// The bundled table's.
    pub(super) fn bundled(channel: String, date: String, table: Bundled) -> Self {
        Self {
            channel,
            date,
            interpreter: String::new(),
            revision: None,
            tree: None,
            set: Set::Bundled(Arc::new(table)),
        }
    }

    /// The same, knowing attributes that only other interpreters' sets are known to have: their
    /// names are not free for other projects.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: BTreeMap<String, PackageName>) -> Self {
        if let Set::Read(read) = &mut self.set {
            read.elsewhere = elsewhere;
        }
        self
    }

    /// Attributes that only other interpreters' sets are known to have.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = (&String, &PackageName)> {
        let read = match &self.set {
            Set::Read(read) => Some(&read.elsewhere),
            Set::Bundled(_) => None,
        };
        read.into_iter().flatten()
    }

    /// The same, known to be this git revision.
    #[must_use]
    pub fn with_revision(mut self, revision: Option<String>) -> Self {
        self.revision = revision;
        self
    }

    /// The text of a file of the tree, by its path below it; none where it cannot be had.
    pub fn text(&self, path: &str) -> Option<String> {
        let inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let path = self.tree.as_ref().filter(|_| inside)?.join(path);
        let length = std::fs::metadata(&path).ok()?.len();
        (length <= MAX_TEXT).then_some(())?;
        std::fs::read_to_string(path).ok()
    }

    /// Every attribute, by project.
    pub fn all(&self) -> impl Iterator<Item = &Attribute> {
        self.projects().flat_map(|(_, attributes)| attributes)
    }

    /// The attributes that install a project, the primary one first.
    pub fn attributes(&self, project: &PackageName) -> &[Attribute] {
        match &self.set {
            Set::Read(read) => read.by_project.get(project).map_or(&[], Vec::as_slice),
            Set::Bundled(table) => table.attributes(project.as_ref()),
        }
    }

    /// The attribute of this name, where the set has it.
    pub fn attribute(&self, attr: &str) -> Option<&Attribute> {
        let project = match &self.set {
            Set::Read(read) => read.by_attr.get(attr)?,
            Set::Bundled(table) => table.project_of(attr)?,
        };
        self.attributes(project).iter().find(|a| a.attr == attr)
    }

    /// Every project with its attributes, in the order of their names.
    pub fn projects(&self) -> impl Iterator<Item = (&PackageName, &[Attribute])> {
        let (read, bundled) = match &self.set {
            Set::Read(read) => (Some(read), None),
            Set::Bundled(table) => (None, Some(table)),
        };
        let read = read.into_iter().flat_map(|read| &read.by_project);
        read.map(|(project, attributes)| (project, attributes.as_slice()))
            .chain(bundled.into_iter().flat_map(|table| table.projects()))
    }

    /// Whether the set has an attribute of this name.
    pub fn has_attr(&self, attr: &str) -> bool {
        self.attribute(attr).is_some()
    }

    /// The project an attribute of this name installs, here or in another interpreter's set.
    pub fn project_of(&self, attr: &str) -> Option<&PackageName> {
        match &self.set {
            Set::Read(read) => read.by_attr.get(attr).or_else(|| read.elsewhere.get(attr)),
            Set::Bundled(table) => table.project_of(attr),
        }
    }

    /// Whether nothing is known (`--nixpkgs none`).
    pub fn is_empty(&self) -> bool {
        match &self.set {
            Set::Read(read) => read.by_project.is_empty(),
            Set::Bundled(_) => false,
        }
    }
}
