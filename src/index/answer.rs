//! Answers to whole questions, kept with what they rest on.
//!
//! What a question is answered with depends on the question and on the pages that were looked at,
//! and on nothing else: metadata belongs to files that do not change under their digests. So an
//! answer is kept together with the stamps of these pages. The same question is answered from there
//! as long as each of them is still the same, fresh or checked with its index: all at once, instead
//! of one after the other as a search comes across them. Where one has changed, there is no answer,
//! and everything is done as if none had been kept, with the pages that were just checked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::bytes::{Reader, put_text, put_varint};
use super::cache::{Glance, Unstored};
use super::client::{Request, Response};
use super::lookup::{ACCEPT, MAX_PAGE, folder_of, max_age, parse_page};
use super::options::{Index, Location};
use super::remote::RemoteCatalog;
use super::shared::Shared;
use crate::event::Event;
use crate::python::PackageName;

/// A page that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Support {
    /// The index's folder in the cache.
    folder: String,
    project: String,
    /// What the page's file is known by.
    stamp: u64,
    /// Whether the index was found to lack the project.
    absent: bool,
}

impl RemoteCatalog {
    /// What was kept as the answer to the question with this digest, if nothing that it rests on
    /// has changed. May ask the indexes whether that is so.
    pub fn recall(&self, question: &str) -> Option<Vec<u8>> {
        let shared = self.shared();
        let kept = shared.cache.answer(question)?;
        let (support, content) = read(&kept)?;
        let mut unsure = Vec::new();
        for page in &support {
            let glance = shared.cache.glance(&page.folder, &page.project)?;
            if glance.stamp != page.stamp {
                return None;
            }
            let fresh = glance.validity.is_fresh(shared.now) && !shared.options.refresh;
            if !fresh && !shared.options.offline {
                unsure.push((page.clone(), glance));
            }
        }
        let sure = support.len() - unsure.len();
        if !unsure.is_empty() && !self.check(unsure)? {
            return None;
        }
        shared.hits.fetch_add(sure as u64, Ordering::Relaxed);
        Some(content.to_vec())
    }

    /// Keeps the answer to a question, unless what it rests on cannot be checked later.
    pub fn remember(&self, question: &str, content: &[u8]) {
        if let Some(support) = self.support() {
            let bytes = write(&support, content);
            self.shared().cache.store_answer(question, &bytes);
        }
    }

    /// Whether pages are what they were, all asked for at once; none where one cannot be asked for.
    fn check(&self, unsure: Vec<(Support, Glance)>) -> Option<bool> {
        let shared = self.shared();
        let mut tasks = Vec::with_capacity(unsure.len());
        for (page, glance) in unsure {
            let name: PackageName = page.project.parse().ok()?;
            let index = shared.index_of(&page.folder)?.clone();
            let shared = Arc::clone(shared);
            tasks.push(async move { shared.is_same(&index, &name, page, glance).await });
        }
        let all = async { Ok(join_all(tasks).await.into_iter().all(|same| same)) };
        self.wait_for("what is in the cache", all).ok()
    }

    /// The pages that answers were taken from so far; none where there is more to it.
    fn support(&self) -> Option<Vec<Support>> {
        let shared = self.shared();
        let consulted = shared.consulted().clone();
        let unread = |key: &(PackageName, String)| consulted.contains(&key.0);
        let more = !shared.facts.is_empty()
            || !shared.digests.is_empty()
            || !shared.direct.is_empty()
            || shared.options.builder.is_some()
            || shared.metadata.has_errors(unread);
        if more {
            return None;
        }
        let mut support = Vec::new();
        let pages = shared.pages.answered().into_iter();
        for (name, answer) in pages.filter(|(name, _)| consulted.contains(name)) {
            let known = answer.ok()?;
            for (_, index) in shared.indexes_for(&name) {
                let folder = folder_of(index)?;
                let found = folder == known.folder;
                let stamp = if found {
                    known.stamp
                } else {
                    shared.cache.glance(&folder, name.as_ref())?.stamp
                };
                support.push(Support {
                    folder,
                    project: name.to_string(),
                    stamp,
                    absent: !found,
                });
                if found {
                    break;
                }
            }
        }
        support.sort_by(|a, b| (&a.folder, &a.project).cmp(&(&b.folder, &b.project)));
        Some(support)
    }
}

impl Shared {
    fn index_of(&self, folder: &str) -> Option<&Index> {
        let mut indexes = self.options.indexes.iter();
        indexes.find(|index| folder_of(index).as_deref() == Some(folder))
    }

    /// Asks an index whether a page is what it was. Whoever needs the page meets an error again.
    async fn is_same(
        self: Arc<Self>,
        index: &Index,
        name: &PackageName,
        page: Support,
        glance: Glance,
    ) -> bool {
        let project = || page.project.clone();
        let observer = &self.options.observer;
        observer.see(&Event::PageWanted { project: project() });
        let Location::Simple(root) = &index.location else {
            return false;
        };
        let Ok(address) = root.join(&format!("{name}/")) else {
            return false;
        };
        let mut request = Request::new(address, MAX_PAGE);
        request.accept = Some(ACCEPT);
        request.etag = glance.validity.etag;
        request.modified = glance.validity.modified;
        let response = self.client.fetch(&request).await;
        observer.see(&Event::PageKnown {
            project: project(),
            cached: false,
        });
        match response {
            Ok(response) if response.status == 304 => {
                self.revalidated.fetch_add(1, Ordering::Relaxed);
                self.is_checked_now(&page.folder, name);
                let (shared, name) = (Arc::clone(&self), name.clone());
                let age = max_age(&response);
                self.submit(move || shared.cache.touch(&page.folder, &name, shared.now, age));
                true
            }
            Ok(response) if response.is_missing() && page.absent => {
                self.is_checked_now(&page.folder, name);
                self.note_absence(name, index, &response);
                true
            }
            Ok(response) if response.status == 200 => self.is_kept(name, page, response).await,
            _ => false,
        }
    }

    /// Keeps a page that came whole; whether it is what it was all the same.
    async fn is_kept(
        self: &Arc<Self>,
        name: &PackageName,
        page: Support,
        response: Response,
    ) -> bool {
        let (shared, name) = (Arc::clone(self), name.clone());
        let job = move || {
            let (head, body) = parse_page(&name, &response).ok()?;
            let unstored = Unstored::new(&shared.validity(&response), &head, &body);
            let stamp = unstored.stamp;
            shared
                .cache
                .store(&page.folder, &name, &unstored, &body, &[]);
            shared.is_checked_now(&page.folder, &name);
            Some(stamp == page.stamp)
        };
        self.run(job).await.flatten().unwrap_or(false)
    }
}

/// ```text
/// folders: count, text*   pages: count, { folder, project: text, stamp: u64, absent: u8 }*   content
/// ```
fn write(support: &[Support], content: &[u8]) -> Vec<u8> {
    let mut folders: Vec<&str> = support.iter().map(|page| page.folder.as_str()).collect();
    folders.dedup();
    let mut out = Vec::with_capacity(content.len() + support.len() * 40);
    put_varint(&mut out, folders.len() as u64);
    for folder in &folders {
        put_text(&mut out, folder);
    }
    put_varint(&mut out, support.len() as u64);
    let mut number = 0;
    for page in support {
        while folders.get(number).is_some_and(|f| *f != page.folder) {
            number += 1;
        }
        put_varint(&mut out, number as u64);
        put_text(&mut out, &page.project);
        out.extend_from_slice(&page.stamp.to_le_bytes());
        out.push(u8::from(page.absent));
    }
    out.extend_from_slice(content);
    out
}

fn read(bytes: &[u8]) -> Option<(Vec<Support>, &[u8])> {
    let mut input = Reader(bytes);
    let mut folders = Vec::new();
    for _ in 0..input.varint()? {
        folders.push(input.text()?);
    }
    let count = input.varint()?;
    let mut support = Vec::with_capacity(count.min(1 << 12) as usize);
    for _ in 0..count {
        let folder = folders.get(usize::try_from(input.varint()?).ok()?)?;
        let project = input.text()?.to_owned();
        let stamp = u64::from_le_bytes(input.array()?);
        let [absent] = input.array()?;
        support.push(Support {
            folder: (*folder).to_owned(),
            project,
            stamp,
            absent: absent != 0,
        });
    }
    Some((support, input.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_rests_on_comes_back() {
        let page = |folder: &str, project: &str, absent| Support {
            folder: folder.to_owned(),
            project: project.to_owned(),
            stamp: u64::MAX - 7,
            absent,
        };
        let support = [
            page("a", "one", true),
            page("a", "two", false),
            page("b", "one", false),
        ];
        let bytes = write(&support, b"content");
        assert_eq!(read(&bytes), Some((support.to_vec(), &b"content"[..])));
        for end in 0..bytes.len() - "content".len() {
            assert_eq!(read(bytes.get(..end).unwrap()), None);
        }
    }
}
