//! [`RemoteCatalog`]: client, cache and pages behind [`Catalog`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use tokio::runtime::Handle;
use url::Url;

use super::body::inflate;
use super::cache::{Cache, Records, Unstored, Validity};
use super::client::{Client, Engine, Request, Response};
use super::once::OnceMap;
use super::options::{Index, Location, Options};
use super::packed::Head;
use super::pool::Pool;
use super::release::Body;
use super::{Catalog, Distribution, IndexError, Page, Release, Scout, html, page};
use crate::event::Event;
use crate::project::SourceFacts;
use crate::python::{Metadata, PackageName, Sha256, Wanted};

/// The indexes that the user named, over the network, through the cache.
#[derive(Debug)]
pub struct RemoteCatalog {
    shared: Arc<Shared>,
    /// Whether dropping this handle ends everything; scouts get one that does not.
    owner: bool,
}

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Bytes of bodies received, as they came.
    pub bytes: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Answers from the cache without a request.
    pub hits: u64,
    /// Answers from the cache after asking whether they still hold.
    pub revalidated: u64,
}

/// What the tasks share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) now: u64,
    pub(super) client: Client,
    pub(super) cache: Cache,
    pool: Pool,
    handle: OnceLock<Result<Handle, IndexError>>,
    engine: Mutex<Option<Engine>>,
    pages: OnceMap<PackageName, Arc<Known>>,
    /// Pages that are being revalidated: good enough for guesses.
    provisional: Mutex<HashMap<PackageName, Arc<Known>>>,
    pub(super) metadata: OnceMap<(PackageName, String), Arc<Metadata>>,
    pub(super) facts: OnceMap<String, (Sha256, Arc<SourceFacts>)>,
    pub(super) digests: OnceMap<String, Sha256>,
    pub(super) probes: Mutex<HashMap<String, super::metadata::Probe>>,
    scout: RwLock<Option<Arc<dyn Scout>>>,
    hits: AtomicU64,
    revalidated: AtomicU64,
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
    shelf: Mutex<Shelf>,
}

/// Whether a page's file is on disk, and what waits for that.
#[derive(Debug, Default)]
struct Shelf {
    stored: bool,
    waiting: Vec<(String, Vec<u8>)>,
}

/// The largest page, inflated: several times any that is known.
const MAX_PAGE: u64 = 256 << 20;
/// How long a page needs no check where the server says nothing, in seconds.
const DEFAULT_MAX_AGE: u32 = 600;
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
                      application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

impl RemoteCatalog {
    /// A catalog of these indexes. Nothing is read or asked yet.
    pub fn new(options: Options) -> Self {
        let now = options
            .now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let shared = Shared {
            now,
            client: Client::new(options.credentials.clone(), Arc::clone(&options.observer)),
            cache: Cache::new(options.cache.clone()),
            pool: Pool::default(),
            handle: OnceLock::new(),
            engine: Mutex::default(),
            pages: OnceMap::default(),
            provisional: Mutex::default(),
            metadata: OnceMap::default(),
            facts: OnceMap::default(),
            digests: OnceMap::default(),
            probes: Mutex::default(),
            scout: RwLock::default(),
            hits: AtomicU64::new(0),
            revalidated: AtomicU64::new(0),
            options,
        };
        Self {
            shared: Arc::new(shared),
            owner: true,
        }
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        let traffic = &self.shared.client.traffic;
        Counts {
            requests: traffic.requests.load(Ordering::Relaxed),
            bytes: traffic.bytes.load(Ordering::Relaxed),
            retries: traffic.retries.load(Ordering::Relaxed),
            hits: self.shared.hits.load(Ordering::Relaxed),
            revalidated: self.shared.revalidated.load(Ordering::Relaxed),
        }
    }

    /// Runs a task on the network thread; where there is none, says so through `fail`.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
        fail: impl FnOnce(IndexError),
    ) {
        let handle = self.shared.handle.get_or_init(|| {
            let engine = Engine::start().map_err(|error| IndexError::Fetch {
                what: "the network thread".to_owned(),
                reason: error.to_string(),
            })?;
            let handle = engine.handle().clone();
            *self
                .shared
                .engine
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(engine);
            Ok(handle)
        });
        match handle {
            Ok(handle) => drop(handle.spawn(task)),
            Err(error) => fail(error.clone()),
        }
    }

    /// Whether anything was asked of the network. While nothing is, walking ahead gains nothing.
    fn is_online(&self) -> bool {
        self.shared.handle.get().is_some()
    }

    /// Answers from the cache, or starts asking.
    fn begin_page(&self, name: &PackageName) {
        let shared = &self.shared;
        let project = name.to_string();
        shared.options.observer.see(&Event::PageWanted { project });
        match shared.at_hand(name) {
            Cached::Fresh(known) => {
                shared.hits.fetch_add(1, Ordering::Relaxed);
                let page = Arc::clone(&known.page);
                shared.put_page(name, Ok(known), true);
                if self.is_online() {
                    shared.tell_page_soon(page);
                }
            }
            Cached::Unknown => {
                shared.put_page(name, Err(IndexError::UnknownProject(name.clone())), true);
            }
            Cached::Stale(from, known, validity) => {
                let page = Arc::clone(&known.page);
                shared
                    .provisional()
                    .insert(name.clone(), Arc::clone(&known));
                self.ask_page(name, from, Some((known, validity)));
                shared.tell_page_soon(page);
            }
            Cached::Missing(from) => self.ask_page(name, from, None),
        }
    }

    fn ask_page(&self, name: &PackageName, from: usize, old: Option<(Arc<Known>, Validity)>) {
        let shared = Arc::clone(&self.shared);
        let task = {
            let name = name.clone();
            async move {
                let claim = Claim::page(&shared, &name);
                if let Err(error) = shared.fetch_page(&name, from, old).await {
                    shared.put_page(&name, Err(error), false);
                }
                drop(claim);
            }
        };
        self.spawn(task, |error| self.shared.put_page(name, Err(error), false));
    }

    fn begin_metadata(
        &self,
        known: &Arc<Known>,
        release: &Arc<Release>,
    ) -> Option<(PackageName, String)> {
        let shared = &self.shared;
        let name = &known.page.name;
        let key = (name.clone(), super::metadata::key(release));
        if !shared.metadata.claim(&key) {
            return Some(key);
        }
        let shown = format!("{name} {}", release.version);
        shared.options.observer.see(&Event::MetadataWanted {
            release: shown.clone(),
        });
        if let Some(found) = shared.metadata_at_hand(known, release, &key.1) {
            if found.is_ok() {
                shared.hits.fetch_add(1, Ordering::Relaxed);
            }
            let told = found.as_ref().ok().cloned();
            shared.put_metadata(&key, &shown, found, true);
            if let Some(metadata) = told.filter(|_| self.is_online()) {
                shared.tell_metadata_soon(Arc::clone(&known.page), Arc::clone(release), metadata);
            }
            return Some(key);
        }
        if shared.options.offline {
            let what = format!("the metadata of {shown}");
            shared.put_metadata(&key, &shown, Err(IndexError::Offline { what }), false);
            return Some(key);
        }
        let task = {
            let (shared, known, release) =
                (Arc::clone(shared), Arc::clone(known), Arc::clone(release));
            let (key, shown) = (key.clone(), shown.clone());
            async move {
                let claim = Claim::metadata(&shared, &key);
                if let Err(error) = shared.fetch_metadata(&known, &release, &key).await {
                    shared.put_metadata(&key, &shown, Err(error), false);
                }
                drop(claim);
            }
        };
        self.spawn(task, |error| {
            shared.put_metadata(&key, &shown, Err(error), false)
        });
        Some(key)
    }

    /// Runs a request to its end from a thread that may wait.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        what: &str,
        task: impl Future<Output = Result<T, IndexError>> + Send + 'static,
    ) -> Result<T, IndexError> {
        let (give, take) = std::sync::mpsc::channel();
        let fail = give.clone();
        self.spawn(
            async move {
                // Nobody waits any more: nothing to tell.
                let _ = give.send(task.await);
            },
            move |error| {
                let _ = fail.send(Err(error));
            },
        );
        take.recv().unwrap_or_else(|_| Err(interrupted(what)))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for RemoteCatalog {
    /// Ends the network thread and finishes what is to be written to the cache.
    fn drop(&mut self) {
        if self.owner {
            self.send(None);
            let engine = self
                .shared
                .engine
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            drop(engine);
            self.shared.pool.finish();
        }
    }
}

impl Catalog for RemoteCatalog {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError> {
        self.expect_page(name);
        self.shared
            .pages
            .wait(name)
            .map(|known| Arc::clone(&known.page))
    }

    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        let known = self.shared.known(page)?;
        match self.begin_metadata(&known, release) {
            Some(key) => self.shared.metadata.wait(&key),
            None => Err(interrupted(&format!("{} {}", page.name, release.version))),
        }
    }

    fn direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        self.fetch_direct(name, wanted)
    }

    fn facts(
        &self,
        name: &PackageName,
        sdist: &Distribution,
    ) -> Result<Arc<SourceFacts>, IndexError> {
        self.expect_facts(name, sdist);
        self.shared
            .facts
            .wait(&sdist.url.to_string())
            .map(|(_, facts)| facts)
    }

    fn sha256(&self, name: &PackageName, file: &Distribution) -> Result<Sha256, IndexError> {
        if let Some(sha256) = file.sha256 {
            return Ok(sha256);
        }
        self.digest_of(name, file)
    }

    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>> {
        let known = self.shared.pages.known(name)?.ok()?;
        Some(Arc::clone(&known.page))
    }

    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>> {
        let key = (page.name.clone(), super::metadata::key(release));
        self.shared.metadata.known(&key)?.ok()
    }

    fn expect_page(&self, name: &PackageName) {
        if self.shared.pages.claim(name) {
            self.begin_page(name);
        }
    }

    fn expect_metadata(&self, page: &Page, release: &Arc<Release>) {
        if let Ok(known) = self.shared.known(page) {
            self.begin_metadata(&known, release);
        }
    }

    fn expect_facts(&self, _: &PackageName, sdist: &Distribution) {
        self.begin_facts(sdist);
    }

    fn send(&self, scout: Option<Arc<dyn Scout>>) {
        *self
            .shared
            .scout
            .write()
            .unwrap_or_else(PoisonError::into_inner) = scout;
    }
}

enum Cached {
    Fresh(Arc<Known>),
    /// Every index is known not to have the project.
    Unknown,
    /// The number of the index to ask first, and what it said last.
    Stale(usize, Arc<Known>, Validity),
    Missing(usize),
}

impl Shared {
    fn provisional(&self) -> std::sync::MutexGuard<'_, HashMap<PackageName, Arc<Known>>> {
        self.provisional
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What belongs to a page that we gave out.
    fn known(&self, page: &Page) -> Result<Arc<Known>, IndexError> {
        if let Some(Ok(known)) = self.pages.known(&page.name) {
            return Ok(known);
        }
        self.provisional()
            .get(&page.name)
            .cloned()
            .ok_or_else(|| IndexError::UnknownProject(page.name.clone()))
    }

    /// The indexes that may know a project, with their numbers.
    fn indexes_for<'a>(
        &'a self,
        name: &'a PackageName,
    ) -> impl Iterator<Item = (usize, &'a Index)> {
        let pin = self.options.pinned.get(name);
        let fits = move |index: &Index| pin.is_none() || index.name.as_ref() == pin;
        self.options
            .indexes
            .iter()
            .enumerate()
            .filter(move |(_, index)| fits(index))
    }

    fn at_hand(&self, name: &PackageName) -> Cached {
        for (number, index) in self.indexes_for(name) {
            let Some(folder) = folder_of(index) else {
                return Cached::Missing(number);
            };
            let Some(entry) = self.cache.load(&folder, name) else {
                return Cached::Missing(number);
            };
            let fresh = entry.validity.is_fresh(self.now) && !self.options.refresh;
            let usable = fresh || self.options.offline;
            if is_absent(&entry.head) {
                if usable {
                    continue;
                }
                return Cached::Missing(number);
            }
            let page = self.page_of(name, index, entry.head, entry.body);
            let known = Arc::new(Known {
                page: Arc::new(page),
                folder,
                records: Arc::new(entry.records),
                shelf: Mutex::new(Shelf {
                    stored: true,
                    waiting: Vec::new(),
                }),
            });
            return if usable {
                Cached::Fresh(known)
            } else {
                Cached::Stale(number, known, entry.validity)
            };
        }
        Cached::Unknown
    }

    fn page_of(&self, name: &PackageName, index: &Index, head: Head, body: Body) -> Page {
        let address = match &index.location {
            Location::Simple(url) => Some(url.clone()),
            Location::Folder(_) | Location::Links(_) => None,
        };
        Page::packed(name.clone(), address, head, body, self.options.cutoff(name))
    }

    /// Asks the indexes in turn, from the number `from` on; the first that knows the project wins.
    async fn fetch_page(
        self: &Arc<Self>,
        name: &PackageName,
        from: usize,
        mut old: Option<(Arc<Known>, Validity)>,
    ) -> Result<(), IndexError> {
        let candidates: Vec<Index> = self
            .indexes_for(name)
            .filter(|(number, _)| *number >= from)
            .map(|(_, index)| index.clone())
            .collect();
        for index in candidates {
            let old = old.take();
            match &index.location {
                Location::Folder(path) => {
                    if self.read_folder(name, &index, path.clone()).await? {
                        return Ok(());
                    }
                }
                Location::Simple(url) => {
                    let address =
                        url.join(&format!("{name}/"))
                            .map_err(|e| IndexError::Malformed {
                                what: url.to_string(),
                                reason: e.to_string(),
                            })?;
                    if self.ask_index(name, &index, address, old).await? {
                        return Ok(());
                    }
                }
                Location::Links(url) => {
                    if self.ask_index(name, &index, url.clone(), None).await? {
                        return Ok(());
                    }
                }
            }
        }
        Err(IndexError::UnknownProject(name.clone()))
    }

    /// Asks one index; false where it does not know the project.
    async fn ask_index(
        self: &Arc<Self>,
        name: &PackageName,
        index: &Index,
        address: Url,
        old: Option<(Arc<Known>, Validity)>,
    ) -> Result<bool, IndexError> {
        if self.options.offline {
            let what = format!("the page of `{name}`");
            return Err(IndexError::Offline { what });
        }
        let mut request = Request::new(address, MAX_PAGE);
        request.accept = Some(ACCEPT);
        if let Some((_, validity)) = &old {
            request.etag.clone_from(&validity.etag);
            request.modified.clone_from(&validity.modified);
        }
        let mut tries = 0;
        loop {
            let response = self.client.fetch(&request).await?;
            if response.is_missing() {
                self.note_absence(name, index, &response);
                return Ok(false);
            }
            if response.status == 304
                && let Some((known, _)) = old
            {
                self.revalidated.fetch_add(1, Ordering::Relaxed);
                let (folder, now, max_age) = (known.folder.clone(), self.now, max_age(&response));
                self.put_page(name, Ok(known), false);
                let (shared, name) = (Arc::clone(self), name.clone());
                self.submit(move || shared.cache.touch(&folder, &name, now, max_age));
                return Ok(true);
            }
            let records = old.as_ref().map(|(known, _)| Arc::clone(&known.records));
            match self.read_page(name, index, response, records).await {
                Ok(found) => return Ok(found),
                Err(error) if tries == 2 => return Err(error),
                Err(_) => tries += 1,
            }
            // What we have does not help with a body that cannot be read.
            request.etag.clear();
            request.modified.clear();
        }
    }

    /// Reads a page on a worker, and tells everybody.
    async fn read_page(
        self: &Arc<Self>,
        name: &PackageName,
        index: &Index,
        response: Response,
        records: Option<Arc<Records>>,
    ) -> Result<bool, IndexError> {
        let (shared, name, index) = (Arc::clone(self), name.clone(), index.clone());
        let shown = format!(
            "the page of `{name}` ({})",
            super::credential::shown(&response.url)
        );
        let what = shown.clone();
        let job = move || {
            let validity = shared.validity(&response);
            let (head, body) = parse_page(&name, &response)
                .map_err(|reason| IndexError::Malformed { what, reason })?;
            if matches!(index.location, Location::Links(_)) && head.slots.is_empty() {
                return Ok(false);
            }
            shared.finish_page(&name, &index, (head, body), validity, records);
            Ok(true)
        };
        self.run(job)
            .await
            .unwrap_or_else(|| Err(interrupted(&shown)))
    }

    fn finish_page(
        self: &Arc<Self>,
        name: &PackageName,
        index: &Index,
        (head, body): (Head, Vec<u8>),
        validity: Validity,
        records: Option<Arc<Records>>,
    ) {
        let folder = folder_of(index);
        let unstored = Unstored::new(&validity, &head);
        let known = Arc::new(Known {
            page: Arc::new(self.page_of(name, index, head, Body::Memory(body))),
            folder: folder.clone().unwrap_or_default(),
            records: records.unwrap_or_default(),
            shelf: Mutex::default(),
        });
        self.put_page(name, Ok(Arc::clone(&known)), false);
        self.tell_page(&known.page);
        if let (Some(folder), Some(body)) = (folder, known.page.body()) {
            self.cache.store(&folder, name, &unstored, body);
            known.flush(&self.cache);
        }
    }

    fn note_absence(self: &Arc<Self>, name: &PackageName, index: &Index, response: &Response) {
        if self.options.indexes.len() < 2 {
            return;
        }
        if let Some(folder) = folder_of(index) {
            let (shared, name) = (Arc::clone(self), name.clone());
            let validity = self.validity(response);
            self.submit(move || {
                let nothing = Unstored::new(&validity, &Head::default());
                shared.cache.store(&folder, &name, &nothing, &[]);
            });
        }
    }

    async fn read_folder(
        self: &Arc<Self>,
        name: &PackageName,
        index: &Index,
        path: PathBuf,
    ) -> Result<bool, IndexError> {
        let (shared, name, index) = (Arc::clone(self), name.clone(), index.clone());
        let shown = path.display().to_string();
        let job = move || {
            let (head, body) = super::folder::read(&name, &path)?;
            if head.slots.is_empty() {
                return Ok(false);
            }
            shared.finish_page(&name, &index, (head, body), Validity::default(), None);
            Ok(true)
        };
        self.run(job)
            .await
            .unwrap_or_else(|| Err(interrupted(&shown)))
    }

    fn validity(&self, response: &Response) -> Validity {
        Validity {
            checked: self.now,
            max_age: max_age(response),
            etag: response.header("etag").to_owned(),
            modified: response.header("last-modified").to_owned(),
        }
    }

    fn put_page(&self, name: &PackageName, answer: Result<Arc<Known>, IndexError>, cached: bool) {
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
        self.pool.run(job).await
    }

    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.submit(job);
    }

    fn scout(&self) -> Option<Arc<dyn Scout>> {
        self.scout
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Known {
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

    fn flush(&self, cache: &Cache) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.stored = true;
        for (key, content) in std::mem::take(&mut shelf.waiting) {
            cache.append(&self.folder, &self.page.name, &key, &content);
        }
    }
}

/// Sees to it that whoever waits gets an answer even where a task ends without one.
struct Claim<'s> {
    shared: &'s Shared,
    page: Option<&'s PackageName>,
    metadata: Option<&'s (PackageName, String)>,
}

impl<'s> Claim<'s> {
    fn page(shared: &'s Shared, name: &'s PackageName) -> Self {
        Self {
            shared,
            page: Some(name),
            metadata: None,
        }
    }

    fn metadata(shared: &'s Shared, key: &'s (PackageName, String)) -> Self {
        Self {
            shared,
            page: None,
            metadata: Some(key),
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.page
            && self.shared.pages.known(name).is_none()
        {
            self.shared
                .put_page(name, Err(interrupted(name.as_ref())), false);
        }
        if let Some(key) = self.metadata
            && self.shared.metadata.known(key).is_none()
        {
            self.shared
                .put_metadata(key, &key.1, Err(interrupted(&key.1)), false);
        }
    }
}

/// The folder of an index in the cache; none for places that are looked at every time.
fn folder_of(index: &Index) -> Option<String> {
    match &index.location {
        Location::Simple(url) => {
            let digest = Sha256::of(url.as_str().as_bytes()).hex();
            let host = url
                .host_str()
                .unwrap_or("")
                .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            Some(format!("{host}-{}", digest.get(..16).unwrap_or(&digest)))
        }
        Location::Folder(_) | Location::Links(_) => None,
    }
}

/// A page without an address says that the index lacks the project.
fn is_absent(head: &Head) -> bool {
    head.base.is_empty()
}

fn parse_page(name: &PackageName, response: &Response) -> Result<(Head, Vec<u8>), String> {
    let body = inflate(
        &response.body,
        response.header("content-encoding"),
        MAX_PAGE,
    )?;
    let text = std::str::from_utf8(&body).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut base = response.url.clone();
    base.set_fragment(None);
    let json = response.header("content-type").contains("json");
    if json || text.trim_start().starts_with('{') {
        page::parse_json(name, &base, text)
    } else {
        html::parse(name, &base, text)
    }
}

/// `Cache-Control`'s `max-age` in seconds.
fn max_age(response: &Response) -> u32 {
    let control = response.header("cache-control").to_ascii_lowercase();
    let mut age = DEFAULT_MAX_AGE;
    for part in control.split(',').map(str::trim) {
        if matches!(part, "no-cache" | "no-store") {
            return 0;
        }
        if let Some(seconds) = part.strip_prefix("max-age=") {
            age = seconds.trim_matches('"').parse().unwrap_or(0);
        }
    }
    age
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
    fn guest(self: &Arc<Self>) -> RemoteCatalog {
        RemoteCatalog {
            shared: Arc::clone(self),
            owner: false,
        }
    }

    /// On this thread, which is a worker.
    fn tell_page(self: &Arc<Self>, page: &Arc<Page>) {
        if let Some(scout) = self.scout() {
            scout.page_known(&self.guest(), page);
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
            scout.metadata_known(&self.guest(), page, release, metadata);
        }
    }

    fn tell_page_soon(self: &Arc<Self>, page: Arc<Page>) {
        if self.scout().is_some() {
            let shared = Arc::clone(self);
            self.submit(move || shared.tell_page(&page));
        }
    }

    fn tell_metadata_soon(
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
