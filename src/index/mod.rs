//! What a package index has: projects, their releases, the releases' files and metadata.
//!
//! [`Catalog`] is the seam: the resolver asks it, [`remote::RemoteCatalog`] answers from the network
//! and the cache, [`fixed::FixedCatalog`] from memory.

mod address;
mod answer;
mod body;
mod bytes;
mod cache;
mod client;
pub mod credential;
mod direct;
pub mod document;
mod elf;
mod engine;
pub mod fixed;
mod folder;
mod gate;
mod git;
mod html;
mod lookup;
mod metadata;
mod once;
pub mod options;
mod packed;
mod page;
mod pool;
mod range;
mod ranged;
mod record;
pub mod release;
pub mod remote;
mod scan;
mod sdist;
mod shared;
pub mod timestamp;
mod trust;
mod wheel;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::{Metadata, PackageName, Sha256, Wanted};

pub use cache::VERSION as CACHE_VERSION;
pub use document::Document;
pub use options::{Index, Location, MetadataBuilder, Options};
pub use release::{Commit, Distribution, FileUrl, Glimpse, Page, Place, Release, Tree};
pub use remote::{Counts, RemoteCatalog};
pub use timestamp::Timestamp;
pub use wheel::{Extent, Object, WheelFacts};

/// Why the index did not answer a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// No index knows the project.
    #[error("no index has a project named `{0}`")]
    UnknownProject(PackageName),
    /// The requirements of a release cannot be known without running its code.
    #[error("the requirements of {release} cannot be read without running its code: {reason}")]
    UnknownMetadata {
        /// Project and version.
        release: String,
        /// File, line and expression.
        reason: String,
    },
    /// The network was needed and may not be used.
    #[error("{what} is not in the cache, and `--offline` forbids to fetch it")]
    Offline {
        /// What was needed.
        what: String,
    },
    /// Something went wrong while fetching.
    #[error("{what}: {reason}")]
    Fetch {
        /// What was asked for, without credentials.
        what: String,
        /// What went wrong, and what can be done.
        reason: String,
    },
    /// A repository did not give a commit.
    #[error("{what}: {reason}")]
    Repository {
        /// Revision and address, without credentials.
        what: String,
        /// What went wrong.
        reason: String,
    },
    /// A file is not what the index says it is.
    #[error(
        "{file} does not match its hash: the index says sha256 {expected}, the file has {actual}"
    )]
    HashMismatch {
        /// The file's name.
        file: String,
        /// Hexadecimal.
        expected: String,
        /// Hexadecimal.
        actual: String,
    },
    /// Files are to be left out by upload time, and the index tells none.
    #[error(
        "`{project}`: the index tells no upload times, so what is newer cannot be excluded; \
         exempt the project, or name an index that tells them"
    )]
    NoUploadTimes {
        /// The project.
        project: PackageName,
    },
    /// An answer makes no sense.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where releases, metadata and sources come from. Questions block until they are answered;
/// hints return at once. All of it may be called from several threads.
pub trait Catalog: Send + Sync {
    /// The releases of a project.
    ///
    /// # Errors
    /// [`IndexError::UnknownProject`] where no index knows it; anything that fetching can run into.
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError>;

    /// The metadata of a release, by the cheapest way that is certain (PEP 658, ranged reads of a
    /// wheel, sdist PKG-INFO of Metadata-Version 2.2, static reading of the sdist).
    ///
    /// # Errors
    /// [`IndexError::UnknownMetadata`] where no way is certain: never an empty guess.
    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError>;

    /// The one release behind an address or path, with its metadata.
    ///
    /// # Errors
    /// As [`Catalog::metadata`], and where the address does not hold the project.
    fn direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError>;

    /// Facts about the source in an sdist; downloads it and verifies its hash.
    ///
    /// # Errors
    /// Anything that fetching can run into; an archive that cannot be read.
    fn facts(
        &self,
        name: &PackageName,
        sdist: &Distribution,
    ) -> Result<Arc<SourceFacts>, IndexError>;

    /// What stands at some paths of an sdist, from the folder that all of it lies in; downloads it
    /// and verifies its hash.
    ///
    /// # Errors
    /// As [`Catalog::facts`].
    fn look(
        &self,
        name: &PackageName,
        sdist: &Distribution,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Found>, IndexError>;

    /// Facts about a wheel: the modules in it, and what its shared objects link.
    ///
    /// # Errors
    /// Anything that fetching can run into; a wheel that cannot be read.
    fn wheel_facts(
        &self,
        name: &PackageName,
        wheel: &Distribution,
        extent: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError>;

    /// The digest of the tree of a repository's commit, as `fetchgit` checks it.
    ///
    /// # Errors
    /// Where it cannot be fetched, or `fetchgit` would fetch submodules besides.
    fn commit_sha256(&self, url: &str, commit: &str) -> Result<Sha256, IndexError>;

    /// The digest of a file: what the index says, or else, where it says nothing, what a download
    /// of the whole file gives.
    ///
    /// # Errors
    /// Anything that fetching can run into.
    fn sha256(&self, name: &PackageName, file: &Distribution) -> Result<Sha256, IndexError> {
        file.sha256.ok_or_else(|| IndexError::Malformed {
            what: format!("{} of {name}", file.file),
            reason: "nobody tells its digest".to_owned(),
        })
    }

    /// The page, if it is at hand: no waiting, no request.
    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>>;

    /// The metadata, if it is at hand: no waiting, no request.
    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>>;

    /// Forgets what was kept on disk where some of it turned out to be damaged, so that it is fetched
    /// anew, and tells how often that was so by now. Answers in between lack releases: see [`sound`].
    fn mended(&self) -> u64 {
        0
    }

    /// The page of this project will be asked for soon.
    fn expect_page(&self, _name: &PackageName) {}

    /// The page of this project may be asked for; nothing but experience says so.
    fn guess_page(&self, _name: &PackageName) {}

    /// The metadata of this release will be asked for soon.
    fn expect_metadata(&self, _page: &Page, _release: &Arc<Release>) {}

    /// The facts of this sdist will be asked for soon.
    fn expect_facts(&self, _name: &PackageName, _sdist: &Distribution) {}

    /// Whether answers may have to be waited for, so that looking ahead of the questions gains
    /// anything.
    fn gains_from_hints(&self) -> bool {
        true
    }

    /// Whether waiting for an answer costs more than one that nobody needs, so that even guesses
    /// gain.
    fn gains_from_guesses(&self) -> bool {
        false
    }

    /// Whether the page of a project was asked for, and not only expected or guessed.
    fn was_consulted(&self, _name: &PackageName) -> bool {
        true
    }

    /// From now on tells this scout of everything that arrives. Replaces an earlier scout; none
    /// ends it. A catalog that answers at once need not tell anything.
    fn send(&self, _scout: Option<Arc<dyn Scout>>) {}
}

/// What somebody draws from a catalog's answers, drawn again where some turned out meanwhile to be
/// from damaged files of the cache.
pub fn sound<T>(catalog: &dyn Catalog, draw: impl Fn() -> T) -> T {
    loop {
        let before = catalog.mended();
        let drawn = draw();
        // What was damaged is fetched and held in memory then, so this ends.
        if catalog.mended() == before {
            return drawn;
        }
    }
}

/// Somebody who walks ahead of the solver: told as soon as a page or metadata arrives from the
/// network, it asks at once for what that makes likely to be needed, so that the requirement graph
/// is discovered breadth first, in as few round trips as it is deep.
///
/// Called from the catalog's own threads, one thing at a time or several at once; must not ask
/// blocking questions, only hints and `known_…`. Where a cached page must be revalidated, the scout
/// is told of the old page meanwhile, and again if it has changed. What is answered from a fresh
/// cache may not be told at all when the solver asks for it first.
pub trait Scout: Send + Sync {
    /// A page has arrived.
    fn page_known(&self, catalog: &dyn Catalog, page: &Arc<Page>);

    /// It has turned out that even guesses gain ([`Catalog::gains_from_guesses`]).
    fn guesses_gain(&self, _catalog: &dyn Catalog) {}

    /// The metadata of a release has arrived.
    fn metadata_known(
        &self,
        catalog: &dyn Catalog,
        page: &Arc<Page>,
        release: &Arc<Release>,
        metadata: &Arc<Metadata>,
    );
}
