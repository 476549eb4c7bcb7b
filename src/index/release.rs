//! A project's page, its releases and their files (PEP 503, 691, 700, 592, 658).

use std::sync::{Arc, OnceLock};

use super::cache::Stored;
use super::packed::{Head, Slot};
use super::timestamp::Timestamp;
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
    /// That file's digest, where the index tells it.
    pub metadata_sha256: Option<Sha256>,
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
///
/// Releases become values only when they are asked for: a page may list thousands of files.
#[derive(Debug)]
pub struct Page {
    /// The project.
    pub name: PackageName,
    /// The index it came from, without credentials.
    pub index: Option<Url>,
    entries: Vec<Entry>,
    packed: Option<Packed>,
}

#[derive(Debug)]
struct Entry {
    version: Version,
    release: OnceLock<Option<Arc<Release>>>,
}

/// Where the files of a page lie until they are asked for.
#[derive(Debug)]
struct Packed {
    head: Head,
    body: Body,
    cutoff: Option<Timestamp>,
    timeless: bool,
}

/// The records of a packed page.
#[derive(Debug)]
pub(super) enum Body {
    /// In memory.
    Memory(Vec<u8>),
    /// In the cache.
    Disk(Stored),
}

impl Page {
    /// A page of these releases.
    pub fn new(name: PackageName, index: Option<Url>, mut releases: Vec<Release>) -> Self {
        releases.sort_by(|a, b| a.version.cmp(&b.version));
        releases.dedup_by(|b, a| a.version == b.version);
        let entries = releases
            .into_iter()
            .map(|release| Entry {
                version: release.version.clone(),
                release: OnceLock::from(Some(Arc::new(release))),
            })
            .collect();
        Self {
            name,
            index,
            entries,
            packed: None,
        }
    }

    /// A page whose releases are read from `body` when they are asked for; of its files only those
    /// uploaded before `cutoff` count.
    pub(super) fn packed(
        name: PackageName,
        index: Option<Url>,
        mut head: Head,
        body: Body,
        cutoff: Option<Timestamp>,
    ) -> Self {
        let timeless = head.slots.iter().all(|slot| slot.oldest.is_none());
        let timeless = cutoff.is_some() && timeless && !head.slots.is_empty();
        if let Some(cutoff) = cutoff {
            head.slots
                .retain(|slot| slot.oldest.is_some_and(|oldest| oldest < cutoff));
        }
        let entries = head
            .slots
            .iter()
            .map(|slot| Entry {
                version: slot.version.clone(),
                release: OnceLock::new(),
            })
            .collect();
        Self {
            name,
            index,
            entries,
            packed: Some(Packed {
                head,
                body,
                cutoff,
                timeless,
            }),
        }
    }

    /// Whether files should be left out by upload time, and none has one.
    pub(super) fn lacks_times(&self) -> bool {
        self.packed.as_ref().is_some_and(|packed| packed.timeless)
    }

    /// The records of a page that is packed in memory.
    pub(super) fn body(&self) -> Option<&[u8]> {
        match &self.packed.as_ref()?.body {
            Body::Memory(bytes) => Some(bytes),
            Body::Disk(_) => None,
        }
    }

    /// Every version, ascending.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> + ExactSizeIterator {
        self.entries.iter().map(|entry| &entry.version)
    }

    /// The release at a version.
    pub fn release(&self, version: &Version) -> Option<Arc<Release>> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.version.cmp(version))
            .ok()?;
        let entry = self.entries.get(at)?;
        entry
            .release
            .get_or_init(|| {
                let packed = self.packed.as_ref()?;
                let slot = packed.head.slots.get(at)?;
                packed.release(&self.name, slot).map(Arc::new)
            })
            .clone()
    }
}

impl Packed {
    fn release(&self, name: &PackageName, slot: &Slot) -> Option<Release> {
        let keep = |file: &Distribution| match self.cutoff {
            None => true,
            Some(cutoff) => file
                .uploaded
                .as_deref()
                .and_then(Timestamp::parse)
                .is_some_and(|uploaded| uploaded < cutoff),
        };
        let (start, len) = (slot.start as usize, slot.len as usize);
        match &self.body {
            Body::Memory(bytes) => {
                let block = bytes.get(start..start.checked_add(len)?)?;
                self.head.release(name, slot, block, keep)
            }
            Body::Disk(stored) => {
                let block = stored.read(start as u64, len).ok()?;
                self.head.release(name, slot, &block, keep)
            }
        }
    }
}
