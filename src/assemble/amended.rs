//! A catalog whose answers are another's, but for the metadata of some releases.
//!
//! Who changes metadata says only how ([`Amend`]); passing everything else on is written once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::index::{Catalog, Distribution, Extent, IndexError, Page, Release, Scout, WheelFacts};
use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::{Metadata, PackageName, Sha256, Version, Wanted};

/// What is said of releases instead of what the index says.
pub trait Amend: Send + Sync {
    /// The metadata of a release where it does not depend on the index' answer, which is not asked
    /// for then.
    fn instead(&self, _name: &PackageName, _version: &Version) -> Option<Arc<Metadata>> {
        None
    }

    /// The metadata of a release, made from what the index says.
    fn amend(&self, _name: &PackageName, _version: &Version, said: Arc<Metadata>) -> Arc<Metadata> {
        said
    }
}

/// Another catalog's answers, but for metadata. What stands behind an address is left as it is: it
/// is neither nixpkgs' own, nor are there two files of it that could disagree.
pub struct Amended<'a, A> {
    catalog: &'a dyn Catalog,
    pub(super) by: A,
}

impl<'a, A: Amend> Amended<'a, A> {
    /// The catalog, amended by these rules.
    pub(super) fn by(catalog: &'a dyn Catalog, by: A) -> Self {
        Self { catalog, by }
    }
}

impl<A: Amend> Catalog for Amended<'_, A> {
    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        match self.by.instead(&page.name, &release.version) {
            Some(metadata) => Ok(metadata),
            None => {
                let said = self.catalog.metadata(page, release)?;
                Ok(self.by.amend(&page.name, &release.version, said))
            }
        }
    }

    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>> {
        self.by.instead(&page.name, &release.version).or_else(|| {
            let said = self.catalog.known_metadata(page, release)?;
            Some(self.by.amend(&page.name, &release.version, said))
        })
    }

    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError> {
        self.catalog.page(name)
    }

    fn direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        self.catalog.direct(name, wanted)
    }

    fn facts(
        &self,
        name: &PackageName,
        sdist: &Distribution,
    ) -> Result<Arc<SourceFacts>, IndexError> {
        self.catalog.facts(name, sdist)
    }

    fn wheel_facts(
        &self,
        name: &PackageName,
        wheel: &Distribution,
        extent: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError> {
        self.catalog.wheel_facts(name, wheel, extent)
    }

    fn commit_sha256(&self, url: &str, commit: &str) -> Result<Sha256, IndexError> {
        self.catalog.commit_sha256(url, commit)
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

    fn mended(&self) -> u64 {
        self.catalog.mended()
    }

    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>> {
        self.catalog.known_page(name)
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

    fn guess_page(&self, name: &PackageName) {
        self.catalog.guess_page(name);
    }

    fn gains_from_guesses(&self) -> bool {
        self.catalog.gains_from_guesses()
    }

    fn was_consulted(&self, name: &PackageName) -> bool {
        self.catalog.was_consulted(name)
    }

    fn gains_from_hints(&self) -> bool {
        self.catalog.gains_from_hints()
    }

    fn send(&self, scout: Option<Arc<dyn Scout>>) {
        self.catalog.send(scout);
    }
}
