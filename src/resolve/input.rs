//! What the resolver is asked: requirements for targets, and what the user prefers and allows.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::Arc;

use crate::nixpkgs::{Nixpkgs, twin_of};
use crate::python::{PackageName, Requirement, Targets, Version};

/// A question for the resolver.
#[derive(Debug, Clone)]
pub struct Input {
    /// What the answer must serve.
    pub targets: Targets,
    /// What the user requires.
    pub requirements: Vec<Requirement>,
    /// Limits on projects, for as far as something needs them.
    pub constraints: Vec<Requirement>,
    /// Requirements that replace all requirements on the same projects.
    pub overrides: Vec<Requirement>,
    /// Versions to try first.
    pub preferences: Preferences,
    /// What the user prefers and allows.
    pub policy: Policy,
}

/// Versions to try first.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    /// The nixpkgs whose versions are tried first, the primary attribute's before others; used with
    /// [`Prefer::Nixpkgs`].
    pub nixpkgs: Arc<Nixpkgs>,
    /// The pins of an existing lock: they stay where they still satisfy.
    pub locked: BTreeMap<PackageName, Vec<Version>>,
}

impl Preferences {
    /// The versions of a project that nixpkgs has, or has under the name of its twin: what is built
    /// there needs no file of the index.
    pub fn packaged(&self, name: &PackageName) -> impl Iterator<Item = &Version> {
        let twin = twin_of(name).and_then(|twin| PackageName::from_str(twin).ok());
        let of_twin = twin.map_or(&[][..], |twin| self.nixpkgs.attributes(&twin));
        let own = self.nixpkgs.attributes(name);
        own.iter().chain(of_twin).map(|a| &a.version)
    }
}

/// What the user prefers and allows.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Which of the admitted versions to take.
    pub prefer: Prefer,
    /// When pre-releases are candidates.
    pub prerelease: Prerelease,
    /// Projects whose wheels must not be used.
    pub no_binary: Formats,
    /// Projects whose sdists must not be used.
    pub only_binary: Formats,
}

/// Which of the admitted versions to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// The version that nixpkgs has, else the newest.
    #[default]
    Nixpkgs,
    /// The newest.
    Latest,
    /// The oldest.
    Lowest,
}

/// When pre-releases are candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prerelease {
    /// Where no other release of a project fits what is required of it, specifiers that name a
    /// pre-release included.
    #[default]
    IfNecessaryOrExplicit,
    /// The same: what is necessary includes what is explicit.
    IfNecessary,
    /// The same, but only for projects of which one of the user's own requirements, constraints
    /// or overrides names a pre-release.
    Explicit,
    /// Always.
    Allow,
    /// Never.
    Disallow,
}

/// For which projects a format must or must not be used (`--no-binary`, `--only-binary`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Formats {
    /// For all (`:all:`).
    pub all: bool,
    /// For these.
    pub projects: BTreeSet<PackageName>,
}

impl Formats {
    /// Whether a project is among them.
    pub fn has(&self, project: &PackageName) -> bool {
        self.all || self.projects.contains(project)
    }
}

impl Input {
    /// A question without requirements.
    pub fn new(targets: Targets) -> Self {
        Self {
            targets,
            requirements: Vec::new(),
            constraints: Vec::new(),
            overrides: Vec::new(),
            preferences: Preferences::default(),
            policy: Policy::default(),
        }
    }
}
