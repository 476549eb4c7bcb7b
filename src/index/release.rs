//! A project's page, its releases and their files (PEP 503, 691, 700, 592, 658).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::{ControlFlow, Deref};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use super::cache::Stored;
use super::packed::{Head, Slot};
use super::timestamp::Timestamp;
use crate::project::SourceFacts;
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
    pub url: FileUrl,
    /// Its digest, where the index tells it.
    pub sha256: Option<Sha256>,
    /// Its size in bytes, where the index tells it.
    pub size: Option<u64>,
    /// `Requires-Python` as the index tells it.
    pub requires_python: Option<VersionSpecifiers>,
    /// When it was uploaded, where the index tells it.
    pub uploaded: Option<Timestamp>,
    /// The reason, empty where none is given, if it was yanked (PEP 592).
    pub yanked: Option<String>,
    /// Whether the index promises a `.metadata` file (PEP 658).
    pub has_metadata: bool,
    /// That file's digest, where the index tells it.
    pub metadata_sha256: Option<Sha256>,
}

/// The address of a file, absolute, without credentials: a [`Url`] that is parsed when it is first
/// looked at, as most files of a page are not.
#[derive(Clone)]
pub struct FileUrl {
    text: Box<str>,
    url: OnceLock<Url>,
}

impl FileUrl {
    /// An address that is put together from a parsed one that ends in a slash and from path
    /// segments that need no escapes, so that parsing it cannot fail and changes nothing.
    pub(super) fn joined(text: String) -> Self {
        Self {
            text: text.into(),
            url: OnceLock::new(),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Url> for FileUrl {
    fn from(url: Url) -> Self {
        Self {
            text: url.as_str().into(),
            url: OnceLock::from(url),
        }
    }
}

impl FromStr for FileUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).map(Self::from)
    }
}

impl Deref for FileUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        self.url.get_or_init(|| {
            Url::parse(&self.text).expect("a parsed address followed by plain path segments")
        })
    }
}

impl fmt::Display for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for FileUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FileUrl {}

/// The little of a file that tells whom it may serve.
#[derive(Debug, Clone, Copy)]
pub struct Glimpse<'a> {
    /// Its name.
    pub file: &'a str,
    /// `Requires-Python` as the index tells it.
    pub requires_python: Option<&'a VersionSpecifiers>,
    /// Whether it was yanked.
    pub yanked: bool,
}

impl<'a> Glimpse<'a> {
    /// Of a file.
    pub fn new(
        file: &'a str,
        requires_python: Option<&'a VersionSpecifiers>,
        yanked: bool,
    ) -> Self {
        Self {
            file,
            requires_python,
            yanked,
        }
    }

    fn of(file: &'a Distribution) -> Self {
        let yanked = file.yanked.is_some();
        Self::new(&file.file, file.requires_python.as_ref(), yanked)
    }
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
    /// The sources themselves, where a direct requirement names a folder or a repository: then there
    /// are no files.
    pub tree: Option<Arc<Tree>>,
}

/// The sources of a release that is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Where they are.
    pub place: Place,
    /// The project's folder below that; empty for the place itself.
    pub folder: String,
    /// What packaging needs to know of them.
    pub facts: Arc<SourceFacts>,
}

/// Where the sources of a release are that is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder, as an absolute path.
    Folder(PathBuf),
    /// A commit of a repository.
    Commit(Commit),
}

/// A commit of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The repository, without credentials and without `git+`.
    pub url: Url,
    /// The branch, tag or commit that was asked for.
    pub requested: Option<String>,
    /// The commit, in full.
    pub id: String,
    /// The digest that Nix gives the tree.
    pub sha256: Sha256,
    /// Whether `.gitattributes` may make an archive of it differ from a checkout.
    pub attributes: bool,
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
    /// Parsed when it is first looked at, where the page is packed.
    version: OnceLock<Version>,
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
                version: OnceLock::from(release.version.clone()),
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

    /// A page of the Simple API in JSON (PEP 691); `address` is its own.
    ///
    /// # Errors
    /// A sentence, where the text is none.
    pub fn from_json(name: PackageName, address: &Url, text: &str) -> Result<Self, String> {
        let (head, body) = super::page::parse_json(&name, address, text)?;
        Ok(Self::packed(name, None, head, Body::Memory(body), None))
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
            .map(|_| Entry {
                version: OnceLock::new(),
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

    /// Whether releases are read from a file when they are asked for.
    pub(super) fn is_on_disk(&self) -> bool {
        let body = self.packed.as_ref().map(|packed| &packed.body);
        matches!(body, Some(Body::Disk(stored)) if !stored.is_whole())
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
        let entries = self.entries.iter().enumerate();
        entries.map(|(at, entry)| self.version(at, entry))
    }

    fn version<'p>(&'p self, at: usize, entry: &'p Entry) -> &'p Version {
        entry.version.get_or_init(|| {
            let packed = self.packed.as_ref();
            let version = packed.and_then(|p| Some(p.head.version(p.head.slots.get(at)?)));
            version.expect("a packed page has an entry per slot, others know their versions")
        })
    }

    /// How many releases there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The version at a position, in ascending order.
    pub fn version_at(&self, position: usize) -> Option<&Version> {
        let entry = self.entries.get(position)?;
        Some(self.version(position, entry))
    }

    /// The position of a version.
    pub fn position(&self, version: &Version) -> Option<usize> {
        let (mut low, mut high) = (0, self.entries.len());
        loop {
            let middle = low + (high - low) / 2;
            let entry = self.entries.get(middle).filter(|_| low < high)?;
            match self.version(middle, entry).cmp(version) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
    }

    /// The release at a version.
    pub fn release(&self, version: &Version) -> Option<Arc<Release>> {
        self.release_at(self.position(version)?)
    }

    /// The release at a position.
    pub fn release_at(&self, at: usize) -> Option<Arc<Release>> {
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

    /// Looks at the files of the release at a position until somebody has seen enough, without
    /// making values of them.
    pub fn glimpse(&self, position: usize, mut see: impl FnMut(Glimpse<'_>) -> ControlFlow<()>) {
        let Some(entry) = self.entries.get(position) else {
            return;
        };
        let known = entry.release.get();
        match (&self.packed, known) {
            (Some(packed), None) => packed.glimpse(position, &mut see),
            _ => {
                let release = known.and_then(Option::as_ref);
                let files = release.into_iter().flat_map(|release| release.files());
                // Whoever has seen enough needs no more.
                let _ = files.map(Glimpse::of).try_for_each(see);
            }
        }
    }
}

impl Packed {
    fn release(&self, name: &PackageName, slot: &Slot) -> Option<Release> {
        let keep = |file: &Distribution| match self.cutoff {
            None => true,
            Some(cutoff) => file.uploaded.is_some_and(|uploaded| uploaded < cutoff),
        };
        let block = self.block(slot)?;
        self.head.release(name, slot, &block, keep)
    }

    fn glimpse(&self, position: usize, see: &mut dyn FnMut(Glimpse<'_>) -> ControlFlow<()>) {
        if let Some(slot) = self.head.slots.get(position)
            && let Some(block) = self.block(slot)
        {
            self.head.glimpse(slot, &block, self.cutoff, see);
        }
    }

    fn block(&self, slot: &Slot) -> Option<Cow<'_, [u8]>> {
        let (start, len) = (slot.start as usize, slot.len as usize);
        match &self.body {
            Body::Memory(bytes) => bytes.get(start..start.checked_add(len)?).map(Cow::Borrowed),
            Body::Disk(stored) => {
                let block = stored.read(start, len).ok();
                let block = block.filter(|block| slot.is_sound(block));
                if block.is_none() {
                    stored.is_damaged();
                }
                block
            }
        }
    }
}
