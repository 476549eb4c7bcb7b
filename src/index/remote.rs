//! [`RemoteCatalog`]: client, cache and pages behind [`Catalog`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use super::cache::{Cache, Validity};
use super::client::Client;
use super::engine::Engine;
use super::lookup::{Asking, Cached};
use super::metadata::Sought;
use super::once::OnceMap;
use super::options::Options;
use super::pool::Pool;
use super::shared::{Hashing, Known, Shared, interrupted};
use super::{Catalog, Distribution, Extent, IndexError, Page, Release, Scout, WheelFacts};
use crate::event::Event;
use crate::project::SourceFacts;
use crate::project::files::Found;
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
    /// Pages asked for on a mere guess, and how many of these were needed.
    pub guessed: (u64, u64),
    /// Answers from the cache without a request.
    pub hits: u64,
    /// Answers from the cache after asking whether they still hold.
    pub revalidated: u64,
    /// How long askers waited for answers, in microseconds.
    pub waited: u64,
    /// How long computing digests took, on all threads together, in microseconds.
    pub hashing: u64,
    /// Of how many bytes digests were computed.
    pub hashed: u64,
}

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
            tasks: OnceLock::new(),
            engine: Mutex::default(),
            pages: OnceMap::default(),
            provisional: Mutex::default(),
            checked: Mutex::default(),
            reader: Arc::default(),
            metadata: OnceMap::default(),
            facts: OnceMap::default(),
            digests: OnceMap::default(),
            direct: OnceMap::default(),
            consulted: Mutex::default(),
            guessed: Mutex::default(),
            probes: Mutex::default(),
            parts: Mutex::default(),
            scout: RwLock::default(),
            mended: Mutex::default(),
            hits: AtomicU64::new(0),
            revalidated: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            hashing: Hashing::default(),
            ending: AtomicBool::new(false),
            options,
        };
        Self {
            shared: Arc::new(shared),
            owner: true,
        }
    }

    /// A handle for scouts.
    pub(super) fn guest(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            owner: false,
        }
    }

    /// Ends as dropping it does, and leaves its memory to the end of the process, which is near:
    /// giving back what hundreds of pages took is work for nothing.
    pub fn end(self) {
        let shared = Arc::clone(&self.shared);
        drop(self);
        std::mem::forget(shared);
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        let traffic = &self.shared.client.traffic;
        let guessed = self.shared.guessed();
        let needed = guessed.intersection(&self.shared.consulted()).count();
        Counts {
            guessed: (guessed.len() as u64, needed as u64),
            requests: traffic.requests.load(Ordering::Relaxed),
            bytes: traffic.bytes.load(Ordering::Relaxed),
            retries: traffic.retries.load(Ordering::Relaxed),
            hits: self.shared.hits.load(Ordering::Relaxed),
            revalidated: self.shared.revalidated.load(Ordering::Relaxed),
            waited: self.shared.waited.load(Ordering::Relaxed),
            hashing: self.shared.hashing.micros.load(Ordering::Relaxed),
            hashed: self.shared.hashing.bytes.load(Ordering::Relaxed),
        }
    }

    /// Runs a task on the network thread; where there is none, says so through `fail`.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
        fail: impl FnOnce(IndexError),
    ) {
        let tasks = self.shared.tasks.get_or_init(|| {
            let engine = Engine::start().map_err(|error| IndexError::Fetch {
                what: "the network thread".to_owned(),
                reason: error.to_string(),
            })?;
            let tasks = engine.tasks().clone();
            tasks.spawn(Arc::clone(&self.shared).tell_distance());
            *self
                .shared
                .engine
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(engine);
            Ok(tasks)
        });
        match tasks {
            Ok(tasks) => tasks.spawn(task),
            Err(error) => fail(error.clone()),
        }
    }

    /// Whether anything was asked of the network. While nothing is, walking ahead gains nothing.
    fn is_online(&self) -> bool {
        self.shared.tasks.get().is_some()
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
        let asking = Arc::new(Asking::new(&shared, name, from, old));
        let task = async move { shared.fetch_page(asking).await };
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
        let sought = Sought::new(shared, known, release, &key);
        let task = {
            let shared = Arc::clone(shared);
            async move { shared.fetch_metadata(Arc::new(sought)).await }
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
            self.shared.ending.store(true, Ordering::Relaxed);
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
        let shared = &self.shared;
        shared.consulted().insert(name.clone());
        loop {
            self.expect_page(name);
            let known = shared.pages.known(name);
            let known = known.or_else(|| shared.timed(|| shared.pages.settled(name)));
            // A page that was forgotten meanwhile is asked for again.
            if let Some(known) = known {
                return known.map(|known| Arc::clone(&known.page));
            }
        }
    }

    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        let known = self.shared.known(page)?;
        match self.begin_metadata(&known, release) {
            Some(key) => match self.shared.metadata.known(&key) {
                Some(answer) => answer,
                None => self.shared.timed(|| self.shared.metadata.wait(&key)),
            },
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

    fn wheel_facts(
        &self,
        _: &PackageName,
        wheel: &Distribution,
        extent: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError> {
        self.find_wheel_facts(wheel, extent)
    }

    fn commit_sha256(&self, url: &str, commit: &str) -> Result<Sha256, IndexError> {
        self.shared.crate_commit(url, commit)
    }

    fn look(
        &self,
        _: &PackageName,
        sdist: &Distribution,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Found>, IndexError> {
        self.look_into(sdist, paths)
    }

    fn sha256(&self, name: &PackageName, file: &Distribution) -> Result<Sha256, IndexError> {
        if let Some(sha256) = file.sha256 {
            return Ok(sha256);
        }
        self.digest_of(name, file)
    }

    fn mended(&self) -> u64 {
        let shared = &self.shared;
        let mut mended = shared.mended.lock().unwrap_or_else(PoisonError::into_inner);
        let damages = shared.cache.damages();
        if std::mem::replace(&mut *mended, damages) != damages {
            shared.pages.forget(|known| known.page.is_on_disk());
            shared
                .provisional()
                .retain(|_, known| !known.page.is_on_disk());
        }
        damages
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

    fn guess_page(&self, name: &PackageName) {
        if !self.shared.options.offline && self.shared.pages.claim(name) {
            self.shared.guessed().insert(name.clone());
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

    /// While everything has come from a fresh cache, nothing has to be waited for.
    fn gains_from_hints(&self) -> bool {
        self.is_online()
    }

    fn gains_from_guesses(&self) -> bool {
        let measured = || self.shared.client.distance.is_far();
        self.shared.options.guesses.unwrap_or_else(measured)
    }

    fn was_consulted(&self, name: &PackageName) -> bool {
        self.shared.consulted().contains(name)
    }

    fn send(&self, scout: Option<Arc<dyn Scout>>) {
        *self
            .shared
            .scout
            .write()
            .unwrap_or_else(PoisonError::into_inner) = scout;
    }
}
