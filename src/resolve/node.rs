//! [`Node`]: what the solver decides on.
//!
//! A project that is needed on some targets only is a node of its own, so that it needs files and
//! requirements for these targets only. All nodes of one project depend on its [`Facet::Version`],
//! which holds them at one version. An extra depends on its project on the same targets.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use crate::python::{ExtraName, PackageName, TargetSet};

/// A project of the universe, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ProjectId(u32);

/// An extra's name, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ExtraId(u32);

/// What the solver decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Node {
    /// The user's requirements.
    Root,
    /// A part of a project.
    Part(ProjectId, Facet),
}

/// A part of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Facet {
    /// Its version, common to all targets that are solved together.
    Version,
    /// The project itself on these targets.
    Base(TargetSet),
    /// An extra of it on these targets.
    Extra(ExtraId, TargetSet),
}

impl Node {
    /// The project, for all but the root.
    pub fn project(self) -> Option<ProjectId> {
        match self {
            Node::Root => None,
            Node::Part(project, _) => Some(project),
        }
    }
}

impl Node {
    /// The part that holds a part to the version of its project.
    pub fn version(self) -> Option<Node> {
        match self {
            Node::Root | Node::Part(_, Facet::Version) => None,
            Node::Part(project, _) => Some(Node::Part(project, Facet::Version)),
        }
    }
}

/// For the solver's own messages, which nobody sees.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Names to numbers and back.
#[derive(Debug)]
pub(super) struct Names<T> {
    numbers: HashMap<T, u32>,
    names: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            names: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    /// The number of a name, a new one if need be, and whether it is new.
    fn number(&mut self, name: &T) -> (u32, bool) {
        if let Some(&number) = self.numbers.get(name) {
            return (number, false);
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.clone(), number);
        self.names.push(name.clone());
        (number, true)
    }

    fn name(&self, number: u32) -> &T {
        &self.names[number as usize]
    }
}

impl Names<PackageName> {
    /// The project of a name, and whether it was unknown before.
    pub fn project(&mut self, name: &PackageName) -> (ProjectId, bool) {
        let (number, new) = self.number(name);
        (ProjectId(number), new)
    }
}

impl Names<ExtraName> {
    /// The extra of a name.
    pub fn extra(&mut self, name: &ExtraName) -> ExtraId {
        ExtraId(self.number(name).0)
    }

    /// The name of an extra.
    pub fn of(&self, extra: ExtraId) -> &ExtraName {
        self.name(extra.0)
    }
}

impl ProjectId {
    /// The position of the project in tables.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
