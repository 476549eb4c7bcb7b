//! A catalog in which some releases require what their sdist says, not what their wheel says.
//!
//! Nix builds entries from sdists and then compares what the built package requires with what is
//! there, so it is the sdist's requirements that have to be resolved, pinned and written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::amended::{Amend, Amended};
use crate::index::Catalog;
use crate::project::SourceFacts;
use crate::python::{Metadata, PackageName, Requirement, Version};

/// Another catalog's answers, but for the metadata of some releases.
pub(super) type Restated<'a> = Amended<'a, Restatements>;

/// What the sdists of releases say.
#[derive(Default)]
pub struct Restatements {
    metadata: BTreeMap<(PackageName, Version), Arc<Metadata>>,
}

impl<'a> Restated<'a> {
    /// Nothing is restated yet.
    pub fn new(catalog: &'a dyn Catalog) -> Self {
        Self::by(catalog, Restatements::default())
    }

    /// From now on the release requires what its source says; false where that is not known, or
    /// was restated before.
    pub fn restate(
        &mut self,
        key: &(PackageName, Version),
        said: &Metadata,
        facts: &SourceFacts,
    ) -> bool {
        let Some(requires) = &facts.requires_dist else {
            return false;
        };
        if self.by.metadata.contains_key(key) {
            return false;
        }
        let requires_dist: Result<Vec<Requirement>, _> = requires
            .iter()
            .map(|text| Requirement::parse(text))
            .collect();
        let Ok(requires_dist) = requires_dist else {
            return false;
        };
        let extras = facts.provides_extra.iter();
        let metadata = Metadata {
            requires_dist: requires_dist.into(),
            provides_extra: extras.filter_map(|extra| extra.parse().ok()).collect(),
            ..said.clone()
        };
        self.by.metadata.insert(key.clone(), Arc::new(metadata));
        true
    }
}

impl Amend for Restatements {
    fn instead(&self, name: &PackageName, version: &Version) -> Option<Arc<Metadata>> {
        if self.metadata.is_empty() {
            return None;
        }
        self.metadata.get(&(name.clone(), version.clone())).cloned()
    }
}
