//! [`Resolution`]: the chosen releases, and who needs whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;

use crate::index::Release;
use crate::python::{
    ExtraName, MarkerTree, Metadata, PackageName, Requirement, TargetSet, Targets, Version, Wanted,
};

/// A full answer: every pin that the requirements need on the targets.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// What it serves.
    pub targets: Targets,
    /// The pins, ordered by name, then version. Usually one per project; two of one project serve
    /// disjoint target sets.
    pub pins: Vec<Pin>,
    /// The edges from the user's requirements, in the order they were given.
    pub roots: Vec<Edge>,
}

/// A chosen release.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Its files.
    pub release: Arc<Release>,
    /// What it says of itself.
    pub metadata: Arc<Metadata>,
    /// The index it came from, without credentials; none for direct sources.
    pub index: Option<Url>,
    /// The address or path, where it is not from an index.
    pub direct: Option<Wanted>,
    /// The targets it is for.
    pub targets: TargetSet,
    /// The extras that somebody asked of it.
    pub extras: BTreeSet<ExtraName>,
    /// What it needs; edges of extras that nobody asked for are not among them.
    pub needs: Vec<Edge>,
}

/// Somebody needs a project.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The project that is needed.
    pub to: PackageName,
    /// The extras that are asked of it.
    pub extras: BTreeSet<ExtraName>,
    /// The extra of the needing release that brings this edge; none for the base.
    pub via_extra: Option<ExtraName>,
    /// The condition without its extra part, as written.
    pub marker: MarkerTree,
    /// The targets on which it is needed.
    pub targets: TargetSet,
    /// The requirement as written.
    pub requirement: Arc<Requirement>,
}

impl Resolution {
    /// The extras that somebody asks of a pin and that it does not have. They add nothing, as PEP
    /// 508 leaves it open what is to become of them.
    pub fn missing_extras(&self) -> impl Iterator<Item = (&Pin, &ExtraName)> {
        self.pins.iter().flat_map(|pin| {
            let has = |extra: &ExtraName| {
                pin.metadata.provides_extra.contains(extra)
                    || pin
                        .needs
                        .iter()
                        .any(|e| e.via_extra.as_ref() == Some(extra))
            };
            let missing = pin.extras.iter().filter(move |&extra| !has(extra));
            missing.map(move |extra| (pin, extra))
        })
    }

    /// The pins of a project.
    pub fn pins_of<'a>(&'a self, name: &'a PackageName) -> impl Iterator<Item = &'a Pin> + 'a {
        let start = self.pins.partition_point(|pin| pin.name < *name);
        self.pins[start..]
            .iter()
            .take_while(move |pin| pin.name == *name)
    }
}
