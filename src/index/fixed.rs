//! A universe in memory, for scenarios and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Catalog, Distribution, Extent, IndexError, Page, Release, WheelFacts};
use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::{Metadata, PackageName, Sha256, Version, Wanted};

/// An index whose whole content is given.
#[derive(Debug, Default)]
pub struct FixedCatalog {
    /// The pages.
    pub pages: BTreeMap<PackageName, Arc<Page>>,
    /// Metadata of releases.
    pub metadata: BTreeMap<(PackageName, Version), Arc<Metadata>>,
    /// Why the metadata of releases cannot be read.
    pub unreadable: BTreeMap<(PackageName, Version), String>,
    /// What addresses and paths hold, by their text.
    pub direct: BTreeMap<String, (Arc<Release>, Arc<Metadata>)>,
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
                reason: self
                    .unreadable
                    .get(&key)
                    .map_or("it is not part of this universe", String::as_str)
                    .to_owned(),
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
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        let address = match wanted {
            Wanted::Url(url) => url.to_string(),
            Wanted::Path(path) => path.display().to_string(),
            Wanted::Versions(specifiers) => specifiers.to_string(),
        };
        self.direct
            .get(&address)
            .cloned()
            .ok_or_else(|| IndexError::UnknownProject(name.clone()))
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

    /// Its wheels are names only.
    fn wheel_facts(
        &self,
        _: &PackageName,
        wheel: &Distribution,
        _: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError> {
        Err(IndexError::Malformed {
            what: wheel.file.clone(),
            reason: "it is not part of this universe".to_owned(),
        })
    }

    fn commit_sha256(&self, url: &str, commit: &str) -> Result<Sha256, IndexError> {
        Err(IndexError::Malformed {
            what: format!("{url} at {commit}"),
            reason: "it is not part of this universe".to_owned(),
        })
    }

    fn look(
        &self,
        _: &PackageName,
        sdist: &Distribution,
        _: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Found>, IndexError> {
        Err(IndexError::Malformed {
            what: sdist.file.clone(),
            reason: "it is not part of this universe".to_owned(),
        })
    }
}
