//! A project's page, its releases and their files (PEP 503, 691, 700, 592, 658).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::python::{Filename, PackageName, Sha256, Version, VersionSpecifiers};
use url::Url;

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, taken apart.
    pub filename: Filename,
    /// The name exactly as the index spells it.
    pub file: String,
    /// Where it is, absolute, without credentials.
    pub url: Url,
    /// Its digest, where the index tells it.
    pub sha256: Option<Sha256>,
    /// Its size in bytes, where the index tells it.
    pub size: Option<u64>,
    /// `Requires-Python` as the index tells it.
    pub requires_python: Option<VersionSpecifiers>,
    /// Upload time: RFC 3339 in UTC, so that texts compare as times.
    pub uploaded: Option<String>,
    /// The reason, empty where none is given, if it was yanked (PEP 592).
    pub yanked: Option<String>,
    /// Whether the index promises a `.metadata` file (PEP 658).
    pub has_metadata: bool,
}

/// A project at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The version.
    pub version: Version,
    /// Its wheels, in the order of their names.
    pub wheels: Vec<Distribution>,
    /// Its sdist; where there are several, `.tar.gz` before `.zip` before the rest.
    pub sdist: Option<Distribution>,
}

impl Release {
    /// All files: wheels, then the sdist.
    pub fn files(&self) -> impl Iterator<Item = &Distribution> {
        self.wheels.iter().chain(&self.sdist)
    }

    /// Whether every file of it is yanked.
    pub fn is_yanked(&self) -> bool {
        self.files().all(|file| file.yanked.is_some())
    }
}

/// What an index says about a project: its releases, ascending by version.
#[derive(Debug)]
pub struct Page {
    /// The project.
    pub name: PackageName,
    /// The index it came from, without credentials.
    pub index: Option<Url>,
    releases: BTreeMap<Version, Arc<Release>>,
}

impl Page {
    /// A page of these releases.
    pub fn new(name: PackageName, index: Option<Url>, releases: Vec<Release>) -> Self {
        let releases = releases
            .into_iter()
            .map(|r| (r.version.clone(), Arc::new(r)))
            .collect();
        Self {
            name,
            index,
            releases,
        }
    }

    /// Every version, ascending.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.releases.keys()
    }

    /// The release at a version.
    pub fn release(&self, version: &Version) -> Option<Arc<Release>> {
        self.releases.get(version).cloned()
    }
}
