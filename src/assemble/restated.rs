//! A catalog in which some releases require what their sdist says, not what their wheel says.
//!
//! Nix builds entries from sdists and then compares what the built package requires with what is
//! there, so it is the sdist's requirements that have to be resolved, pinned and written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::index::{Catalog, Distribution, IndexError, Page, Release, Scout};
use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::{Metadata, PackageName, Requirement, Sha256, Version, Wanted};

/// Another catalog's answers, but for the metadata of some releases.
pub(super) struct Restated<'a> {
    catalog: &'a dyn Catalog,
    metadata: BTreeMap<(PackageName, Version), Arc<Metadata>>,
}

impl<'a> Restated<'a> {
    /// Nothing is restated yet.
    pub fn new(catalog: &'a dyn Catalog) -> Self {
        Self {
            catalog,
            metadata: BTreeMap::new(),
        }
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
        if self.metadata.contains_key(key) {
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
            requires_dist,
            provides_extra: extras.filter_map(|extra| extra.parse().ok()).collect(),
            ..said.clone()
        };
        self.metadata.insert(key.clone(), Arc::new(metadata));
        true
    }

    fn restated(&self, name: &PackageName, version: &Version) -> Option<Arc<Metadata>> {
        if self.metadata.is_empty() {
            return None;
        }
        self.metadata.get(&(name.clone(), version.clone())).cloned()
    }
}

impl Catalog for Restated<'_> {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError> {
        self.catalog.page(name)
    }

    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        match self.restated(&page.name, &release.version) {
            Some(metadata) => Ok(metadata),
            None => self.catalog.metadata(page, release),
        }
    }

    fn direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        // What stands behind an address is one file: nothing disagrees with it.
        self.catalog.direct(name, wanted)
    }

    fn facts(
        &self,
        name: &PackageName,
        sdist: &Distribution,
    ) -> Result<Arc<SourceFacts>, IndexError> {
        self.catalog.facts(name, sdist)
    }

    fn look(
        &self,
        name: &PackageName,
        sdist: &Distribution,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Found>, IndexError> {
        self.catalog.look(name, sdist, paths)
    }

    fn sha256(&self, name: &PackageName, file: &Distribution) -> Result<Sha256, IndexError> {
        self.catalog.sha256(name, file)
    }

    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>> {
        self.catalog.known_page(name)
    }

    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>> {
        self.restated(&page.name, &release.version)
            .or_else(|| self.catalog.known_metadata(page, release))
    }

    fn expect_page(&self, name: &PackageName) {
        self.catalog.expect_page(name);
    }

    fn expect_metadata(&self, page: &Page, release: &Arc<Release>) {
        self.catalog.expect_metadata(page, release);
    }

    fn expect_facts(&self, name: &PackageName, sdist: &Distribution) {
        self.catalog.expect_facts(name, sdist);
    }

    fn send(&self, scout: Option<Arc<dyn Scout>>) {
        self.catalog.send(scout);
    }
}
