//! A universe in memory, for scenarios and tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Catalog, Distribution, IndexError, Page, Release};
use crate::project::SourceFacts;
use crate::python::{Metadata, PackageName, Version, Wanted};

/// An index whose whole content is given.
#[derive(Debug, Default)]
pub struct FixedCatalog {
    /// The pages.
    pub pages: BTreeMap<PackageName, Arc<Page>>,
    /// Metadata of releases.
    pub metadata: BTreeMap<(PackageName, Version), Arc<Metadata>>,
    /// Facts by the sdist's file name.
    pub facts: BTreeMap<String, Arc<SourceFacts>>,
}

impl Catalog for FixedCatalog {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError> {
        self.pages
            .get(name)
            .cloned()
            .ok_or_else(|| IndexError::UnknownProject(name.clone()))
    }

    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        let key = (page.name.clone(), release.version.clone());
        self.metadata
            .get(&key)
            .cloned()
            .ok_or_else(|| IndexError::UnknownMetadata {
                release: format!("{} {}", page.name, release.version),
                reason: "it is not part of this universe".to_owned(),
            })
    }

    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>> {
        self.pages.get(name).cloned()
    }

    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>> {
        self.metadata(page, release).ok()
    }

    fn direct(
        &self,
        name: &PackageName,
        _: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        Err(IndexError::UnknownProject(name.clone()))
    }

    fn facts(&self, _: &PackageName, sdist: &Distribution) -> Result<Arc<SourceFacts>, IndexError> {
        self.facts
            .get(&sdist.file)
            .cloned()
            .ok_or_else(|| IndexError::Malformed {
                what: sdist.file.clone(),
                reason: "it is not part of this universe".to_owned(),
            })
    }
}
