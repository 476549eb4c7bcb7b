//! What the tasks of a [`RemoteCatalog`] share: answers, the client, the cache, the workers, and
//! the scout that is told of what arrives.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::cache::{Cache, Records, Unstored};
use super::client::Client;
use super::engine::{Engine, Tasks};
use super::once::OnceMap;
use super::options::Options;
use super::pool::{Pool, Rank};
use super::{IndexError, Page, Release, RemoteCatalog, Scout};
use crate::event::Event;
use crate::project::SourceFacts;
use crate::python::requires::Reader;
use crate::python::{Metadata, PackageName, Sha256};

/// What the tasks share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) now: u64,
    pub(super) client: Client,
    pub(super) cache: Cache,
    pub(super) pool: Pool,
    /// The way to the network thread, once something was asked of it.
    pub(super) tasks: OnceLock<Result<Tasks, IndexError>>,
    pub(super) engine: Mutex<Option<Engine>>,
    pub(super) pages: OnceMap<PackageName, Arc<Known>>,
    /// Pages that are being revalidated: good enough for guesses.
    pub(super) provisional: Mutex<HashMap<PackageName, Arc<Known>>>,
    /// Pages that were checked in this run before anybody asked for them: folder and project.
    pub(super) checked: Mutex<HashSet<(String, PackageName)>>,
    /// Reads the requirements of all releases.
    pub(super) reader: Arc<Reader>,
    pub(super) metadata: OnceMap<(PackageName, String), Arc<Metadata>>,
    pub(super) facts: OnceMap<String, (Sha256, Arc<SourceFacts>)>,
    pub(super) digests: OnceMap<String, Sha256>,
    pub(super) direct: OnceMap<String, (Arc<Release>, Arc<Metadata>)>,
    /// The projects whose pages somebody waited for: answers rest on no others.
    pub(super) consulted: Mutex<HashSet<PackageName>>,
    /// The projects whose pages were asked for on a mere guess.
    pub(super) guessed: Mutex<HashSet<PackageName>>,
    pub(super) probes: Mutex<HashMap<String, super::metadata::Probe>>,
    /// By host.
    pub(super) parts: Mutex<HashMap<String, super::ranged::Parts>>,
    pub(super) scout: RwLock<Option<Arc<dyn Scout>>>,
    /// The damages of the cache that were seen to.
    pub(super) mended: Mutex<u64>,
    pub(super) hits: AtomicU64,
    pub(super) revalidated: AtomicU64,
    /// How long askers waited, in microseconds.
    pub(super) waited: AtomicU64,
    pub(super) hashing: Hashing,
    /// Whether nobody will ask any more.
    pub(super) ending: AtomicBool,
}

/// What computing digests took.
#[derive(Debug, Default)]
pub(super) struct Hashing {
    pub(super) micros: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl Hashing {
    /// The digest of some bytes.
    pub(super) fn sha256(&self, bytes: &[u8]) -> Sha256 {
        let start = Instant::now();
        let digest = Sha256::of(bytes);
        self.add(start.elapsed(), bytes.len());
        digest
    }

    pub(super) fn add(&self, took: Duration, bytes: usize) {
        self.micros.fetch_add(micros(took), Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A page and what belongs to it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) page: Arc<Page>,
    /// The index's folder in the cache.
    pub(super) folder: String,
    records: Arc<Records>,
    /// What its file in the cache is known by.
    pub(super) stamp: u64,
    shelf: Mutex<Shelf>,
}

/// Whether a page's file is on disk, and what waits for that.
#[derive(Debug, Default)]
struct Shelf {
    stored: bool,
    waiting: Vec<(String, Vec<u8>)>,
}

impl Shared {
    pub(super) fn provisional(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<PackageName, Arc<Known>>> {
        self.provisional
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, and counts how long.
    pub(super) fn timed<T>(&self, wait: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let answer = wait();
        self.waited
            .fetch_add(micros(start.elapsed()), Ordering::Relaxed);
        answer
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, HashSet<(String, PackageName)>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn consulted(&self) -> MutexGuard<'_, HashSet<PackageName>> {
        self.consulted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn guessed(&self) -> MutexGuard<'_, HashSet<PackageName>> {
        self.guessed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on a page in the cache needs no check in this run.
    pub(super) fn is_checked_now(&self, folder: &str, name: &PackageName) {
        self.checked().insert((folder.to_owned(), name.clone()));
    }

    pub(super) fn was_checked(&self, folder: &str, name: &PackageName) -> bool {
        let checked = self.checked();
        !checked.is_empty() && checked.contains(&(folder.to_owned(), name.clone()))
    }

    /// What belongs to a page that we gave out.
    pub(super) fn known(&self, page: &Page) -> Result<Arc<Known>, IndexError> {
        if let Some(Ok(known)) = self.pages.known(&page.name) {
            return Ok(known);
        }
        self.provisional()
            .get(&page.name)
            .cloned()
            .ok_or_else(|| IndexError::UnknownProject(page.name.clone()))
    }

    pub(super) fn put_page(
        &self,
        name: &PackageName,
        answer: Result<Arc<Known>, IndexError>,
        cached: bool,
    ) {
        self.provisional().remove(name);
        let answer = answer.and_then(|known| {
            if known.page.lacks_times() {
                let project = name.clone();
                return Err(IndexError::NoUploadTimes { project });
            }
            Ok(known)
        });
        self.pages.put(name.clone(), answer);
        let project = name.to_string();
        self.options
            .observer
            .see(&Event::PageKnown { project, cached });
    }

    pub(super) fn put_metadata(
        &self,
        key: &(PackageName, String),
        shown: &str,
        answer: Result<Arc<Metadata>, IndexError>,
        cached: bool,
    ) {
        self.metadata.put(key.clone(), answer);
        let release = shown.to_owned();
        self.options
            .observer
            .see(&Event::MetadataKnown { release, cached });
    }

    /// Does a job on a worker and waits for it; none if it could not be finished.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.pool.run(Rank::Short, job).await
    }

    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.submit(Rank::Short, job);
    }

    /// The same for a job that takes time by the size of what it reads, in bytes.
    pub(super) fn submit_sized(&self, bytes: usize, job: impl FnOnce() + Send + 'static) {
        self.pool.submit(Rank::Sized(bytes as u64), job);
    }

    /// Does a job that nobody waits for.
    pub(super) fn submit_last(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.submit(Rank::Last, job);
    }

    pub(super) fn scout(&self) -> Option<Arc<dyn Scout>> {
        self.scout
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Known {
    /// A page, the cache folder of its index, the metadata that the cache holds behind it, what its
    /// file in the cache is known by, and whether it is in the cache already.
    pub(super) fn new(
        page: Page,
        folder: String,
        records: Arc<Records>,
        stamp: u64,
        stored: bool,
    ) -> Self {
        let waiting = Vec::new();
        Self {
            page: Arc::new(page),
            folder,
            records,
            stamp,
            shelf: Mutex::new(Shelf { stored, waiting }),
        }
    }

    /// The metadata that the cache holds, for a newer page of the project.
    pub(super) fn records(&self) -> Arc<Records> {
        Arc::clone(&self.records)
    }

    /// Metadata that the cache holds.
    pub(super) fn record(&self, key: &str) -> Option<&[u8]> {
        self.records.find(key)
    }

    /// Keeps metadata in the cache, as soon as the page's own file is there.
    pub(super) fn keep(&self, cache: &Cache, key: &str, content: Vec<u8>) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.stored {
            drop(shelf);
            cache.append(&self.folder, &self.page.name, key, &content);
        } else {
            shelf.waiting.push((key.to_owned(), content));
        }
    }

    /// Keeps the page in the cache, with what waits for that.
    pub(super) fn store(&self, cache: &Cache, page: &Unstored) {
        let Some(body) = self.page.body() else {
            return;
        };
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut shelf.waiting);
        cache.store(&self.folder, &self.page.name, page, body, &waiting);
        shelf.stored = true;
    }
}

/// Sees to it that whoever waits gets an answer even where the last that would give it ends without.
pub(super) struct Claim {
    shared: Arc<Shared>,
    question: Question,
}

enum Question {
    Page(PackageName),
    Metadata((PackageName, String)),
}

impl Claim {
    pub(super) fn page(shared: &Arc<Shared>, name: &PackageName) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            question: Question::Page(name.clone()),
        })
    }

    pub(super) fn metadata(shared: &Arc<Shared>, key: &(PackageName, String)) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            question: Question::Metadata(key.clone()),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let shared = &self.shared;
        match &self.question {
            Question::Page(name) if shared.pages.known(name).is_none() => {
                shared.put_page(name, Err(interrupted(name.as_ref())), false);
            }
            Question::Metadata(key) if shared.metadata.known(key).is_none() => {
                shared.put_metadata(key, &key.1, Err(interrupted(&key.1)), false);
            }
            _ => {}
        }
    }
}

/// The error of a task that ended without an answer.
pub(super) fn interrupted(what: &str) -> IndexError {
    IndexError::Fetch {
        what: what.to_owned(),
        reason: "it was interrupted".to_owned(),
    }
}

/// Telling the scout.
impl Shared {
    /// On this thread, which is a worker.
    pub(super) fn tell_page(self: &Arc<Self>, page: &Arc<Page>) {
        if let Some(scout) = self.scout() {
            scout.page_known(&RemoteCatalog::guest(self), page);
        }
    }

    /// On this thread, which is a worker.
    pub(super) fn tell_metadata(
        self: &Arc<Self>,
        page: &Arc<Page>,
        release: &Arc<Release>,
        metadata: &Arc<Metadata>,
    ) {
        if let Some(scout) = self.scout() {
            scout.metadata_known(&RemoteCatalog::guest(self), page, release, metadata);
        }
    }

    /// On the network thread: as soon as the index turns out to be far away.
    pub(super) async fn tell_distance(self: Arc<Self>) {
        if self.client.distance.known().await {
            let shared = Arc::clone(&self);
            self.submit(move || {
                if let Some(scout) = shared.scout() {
                    scout.guesses_gain(&RemoteCatalog::guest(&shared));
                }
            });
        }
    }

    pub(super) fn tell_page_soon(self: &Arc<Self>, page: Arc<Page>) {
        if self.scout().is_some() {
            let shared = Arc::clone(self);
            self.submit(move || shared.tell_page(&page));
        }
    }

    pub(super) fn tell_metadata_soon(
        self: &Arc<Self>,
        page: Arc<Page>,
        release: Arc<Release>,
        metadata: Arc<Metadata>,
    ) {
        if self.scout().is_some() {
            let shared = Arc::clone(self);
            self.submit(move || shared.tell_metadata(&page, &release, &metadata));
        }
    }
}
