//! Attributes of nixpkgs' Python package set.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AttributeFacts;
use crate::python::{PackageName, Version};

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
    pub facts: Option<Arc<AttributeFacts>>,
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
    by_project: BTreeMap<PackageName, Vec<Attribute>>,
    by_attr: BTreeMap<String, PackageName>,
    elsewhere: BTreeMap<String, PackageName>,
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
            list.sort_by(|a, b| b.primary.cmp(&a.primary).then(b.version.cmp(&a.version)));
        }
        Self {
            channel,
            date,
            interpreter: String::new(),
            revision: None,
            by_project,
            by_attr,
            elsewhere: BTreeMap::new(),
        }
    }

    /// The same, knowing attributes that only other interpreters' sets are known to have: their
    /// names are not free for other projects.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: BTreeMap<String, PackageName>) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// The same, known to be this git revision.
    #[must_use]
    pub fn with_revision(mut self, revision: Option<String>) -> Self {
        self.revision = revision;
        self
    }

    /// Every attribute, by project.
    pub fn all(&self) -> impl Iterator<Item = &Attribute> {
        self.by_project.values().flatten()
    }

    /// The attributes that install a project, the primary one first.
    pub fn attributes(&self, project: &PackageName) -> &[Attribute] {
        self.by_project.get(project).map_or(&[], Vec::as_slice)
    }

    /// The attribute of this name, where the set has it.
    pub fn attribute(&self, attr: &str) -> Option<&Attribute> {
        let project = self.by_attr.get(attr)?;
        self.attributes(project).iter().find(|a| a.attr == attr)
    }

    /// Every project with its attributes, in the order of their names.
    pub fn projects(&self) -> impl Iterator<Item = (&PackageName, &[Attribute])> {
        self.by_project
            .iter()
            .map(|(project, attributes)| (project, attributes.as_slice()))
    }

    /// Whether the set has an attribute of this name.
    pub fn has_attr(&self, attr: &str) -> bool {
        self.by_attr.contains_key(attr)
    }

    /// The project an attribute of this name installs, here or in another interpreter's set.
    pub fn project_of(&self, attr: &str) -> Option<&PackageName> {
        self.by_attr.get(attr).or_else(|| self.elsewhere.get(attr))
    }

    /// How many attributes this set has, and how many only others have.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.by_attr.len(), self.elsewhere.len())
    }

    /// Whether nothing is known (`--nixpkgs none`).
    pub fn is_empty(&self) -> bool {
        self.by_project.is_empty()
    }
}
