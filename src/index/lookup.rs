//! A project's page: from the cache, from the network, from a folder; from the first index that
//! knows the project.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use url::Url;

use super::body::inflated;
use super::cache::{Records, Unstored, Validity};
use super::client::{Request, Response};
use super::options::{Index, Location};
use super::packed::Head;
use super::release::Body;
use super::shared::{Claim, Known, Shared, interrupted};
use super::{IndexError, Page, RemoteCatalog, html, page};
use crate::python::{PackageName, Sha256};

/// The largest page, inflated: several times any that is known.
pub(super) const MAX_PAGE: u64 = 256 << 20;
/// How long a page needs no check where the server says nothing, in seconds.
const DEFAULT_MAX_AGE: u32 = 600;
pub(super) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
                      application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// What the cache holds of a project.
pub(super) enum Cached {
    Fresh(Arc<Known>),
    /// Every index is known not to have the project.
    Unknown,
    /// The number of the index to ask first, and what it said last.
    Stale(usize, Arc<Known>, Validity),
    Missing(usize),
}

/// How often a body that cannot be read is fetched.
const BODIES: u32 = 3;

/// A page that is being asked for.
pub(super) struct Asking {
    name: PackageName,
    /// Answers in the end, whoever goes on with it.
    claim: Arc<Claim>,
    /// The number of the index to ask first.
    from: usize,
    /// What that index said last.
    old: Option<(Arc<Known>, Validity)>,
    /// How many bodies of it could not be read.
    broken: u32,
}

impl Asking {
    /// Of the indexes from this number on; the first of them may have answered before.
    pub(super) fn new(
        shared: &Arc<Shared>,
        name: &PackageName,
        from: usize,
        old: Option<(Arc<Known>, Validity)>,
    ) -> Self {
        Self {
            name: name.clone(),
            claim: Claim::page(shared, name),
            from,
            old,
            broken: 0,
        }
    }

    fn next(&self, from: usize) -> Self {
        Self {
            name: self.name.clone(),
            claim: Arc::clone(&self.claim),
            from,
            old: None,
            broken: 0,
        }
    }

    fn again(&self, from: usize) -> Self {
        Self {
            old: self.old.clone().filter(|_| from == self.from),
            broken: self.broken + 1,
            ..self.next(from)
        }
    }
}

impl Shared {
    /// The indexes that may know a project, with their numbers.
    pub(super) fn indexes_for<'a>(
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

    pub(super) fn at_hand(&self, name: &PackageName) -> Cached {
        for (number, index) in self.indexes_for(name) {
            let Some(folder) = folder_of(index) else {
                return Cached::Missing(number);
            };
            let Some(entry) = self.cache.load(&folder, name) else {
                return Cached::Missing(number);
            };
            let fresh = entry.validity.is_fresh(self.now) && !self.options.refresh;
            let usable = fresh || self.options.offline || self.was_checked(&folder, name);
            if is_absent(&entry.head) {
                if usable {
                    continue;
                }
                return Cached::Missing(number);
            }
            let page = self.page_of(name, index, entry.head, entry.body);
            let records = Arc::new(entry.records);
            let known = Known::new(page, folder, records, entry.stamp, true);
            let known = Arc::new(known);
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

    /// Asks the indexes in turn; the first that knows the project wins.
    pub(super) async fn fetch_page(self: &Arc<Self>, asking: Arc<Asking>) {
        if let Err(error) = self.ask_indexes(&asking).await {
            self.put_page(&asking.name, Err(error), false);
        }
    }

    async fn ask_indexes(self: &Arc<Self>, asking: &Arc<Asking>) -> Result<(), IndexError> {
        let name = &asking.name;
        let mut old = asking.old.as_ref();
        for (number, index) in self.indexes_for(name) {
            if number < asking.from {
                continue;
            }
            let old = old.take();
            match &index.location {
                Location::Folder(path) => {
                    if self.read_folder(name, index, path.clone()).await? {
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
                    if self.ask_index(asking, number, index, address, old).await? {
                        return Ok(());
                    }
                }
                Location::Links(url) => {
                    let address = url.clone();
                    if self.ask_index(asking, number, index, address, None).await? {
                        return Ok(());
                    }
                }
            }
        }
        Err(IndexError::UnknownProject(name.clone()))
    }

    /// Asks one index; false where it does not know the project. A page that comes is left to a
    /// worker, who goes on from there: nobody waits here until it is read.
    async fn ask_index(
        self: &Arc<Self>,
        asking: &Arc<Asking>,
        number: usize,
        index: &Index,
        address: Url,
        old: Option<&(Arc<Known>, Validity)>,
    ) -> Result<bool, IndexError> {
        let name = &asking.name;
        if self.options.offline {
            let folder = folder_of(index);
            let damaged = folder.is_some_and(|folder| self.cache.has(&folder, name));
            let copy = if damaged { "an undamaged copy of " } else { "" };
            let what = format!("{copy}the page of `{name}`");
            return Err(IndexError::Offline { what });
        }
        let mut request = Request::new(address, MAX_PAGE);
        request.accept = Some(ACCEPT);
        // What we have does not help with a body that cannot be read.
        if let Some((_, validity)) = old.filter(|_| asking.broken == 0) {
            request.etag.clone_from(&validity.etag);
            request.modified.clone_from(&validity.modified);
        }
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
            self.put_page(name, Ok(Arc::clone(known)), false);
            let (shared, name) = (Arc::clone(self), name.clone());
            self.submit_last(move || shared.cache.touch(&folder, &name, now, max_age));
            return Ok(true);
        }
        let records = old.map(|(known, _)| known.records());
        let (shared, asking) = (Arc::clone(self), Arc::clone(asking));
        self.submit_sized(response.body.len(), move || {
            // What arrives when the answer is found was asked for on a guess.
            if shared.ending.load(Ordering::Relaxed) {
                return;
            }
            let read = shared.read_page(&asking.name, number, &response, records);
            shared.client.recycle(response.body);
            match read {
                Ok(true) => {}
                Ok(false) => shared.ask_on(asking.next(number + 1)),
                Err(error) if asking.broken + 1 == BODIES => {
                    shared.put_page(&asking.name, Err(error), false);
                }
                Err(_) => shared.ask_on(asking.again(number)),
            }
        });
        Ok(true)
    }

    /// Goes on asking for a page, from a worker.
    fn ask_on(self: &Arc<Self>, asking: Asking) {
        let shared = Arc::clone(self);
        let task = async move { shared.fetch_page(Arc::new(asking)).await };
        // Where there is no network thread any more, the page's claim says so.
        RemoteCatalog::guest(self).spawn(task, |_| ());
    }

    /// On a worker: reads a page and tells everybody; false where it says that the index does not
    /// know the project.
    fn read_page(
        self: &Arc<Self>,
        name: &PackageName,
        number: usize,
        response: &Response,
        records: Option<Arc<Records>>,
    ) -> Result<bool, IndexError> {
        let index = self.options.indexes.get(number);
        let index = index.ok_or_else(|| IndexError::UnknownProject(name.clone()))?;
        let (head, body) = parse_page(name, response).map_err(|reason| IndexError::Malformed {
            what: format!(
                "the page of `{name}` ({})",
                super::credential::shown(&response.url)
            ),
            reason,
        })?;
        if matches!(index.location, Location::Links(_)) && head.slots.is_empty() {
            return Ok(false);
        }
        self.finish_page(name, index, (head, body), self.validity(response), records);
        Ok(true)
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
        let unstored = Unstored::new(&validity, &head, &body);
        let page = self.page_of(name, index, head, Body::Memory(body));
        let place = folder.clone().unwrap_or_default();
        let records = records.unwrap_or_default();
        let known = Known::new(page, place, records, unstored.stamp, false);
        let known = Arc::new(known);
        self.put_page(name, Ok(Arc::clone(&known)), false);
        self.tell_page(&known.page);
        if folder.is_some() {
            let shared = Arc::clone(self);
            self.submit_last(move || known.store(&shared.cache, &unstored));
        }
    }

    pub(super) fn note_absence(
        self: &Arc<Self>,
        name: &PackageName,
        index: &Index,
        response: &Response,
    ) {
        if self.options.indexes.len() < 2 {
            return;
        }
        if let Some(folder) = folder_of(index) {
            let (shared, name) = (Arc::clone(self), name.clone());
            let validity = self.validity(response);
            self.submit(move || {
                let nothing = Unstored::new(&validity, &Head::default(), &[]);
                shared.cache.store(&folder, &name, &nothing, &[], &[]);
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

    pub(super) fn validity(&self, response: &Response) -> Validity {
        Validity {
            checked: self.now,
            max_age: max_age(response),
            etag: response.header("etag").to_owned(),
            modified: response.header("last-modified").to_owned(),
        }
    }
}

/// The folder of an index in the cache; none for places that are looked at every time.
pub(super) fn folder_of(index: &Index) -> Option<String> {
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

pub(super) fn parse_page(
    name: &PackageName,
    response: &Response,
) -> Result<(Head, Vec<u8>), String> {
    let encoding = response.header("content-encoding");
    inflated(&response.body, encoding, MAX_PAGE, |body| {
        let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut base = response.url.clone();
        base.set_fragment(None);
        let json = response.header("content-type").contains("json");
        if json || text.trim_start().starts_with('{') {
            page::parse_json(name, &base, text)
        } else {
            html::parse(name, &base, text)
        }
    })
}

/// `Cache-Control`'s `max-age` in seconds.
pub(super) fn max_age(response: &Response) -> u32 {
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
