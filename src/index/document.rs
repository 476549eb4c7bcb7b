//! Documents besides an index' own: fetched as everything is, kept in the cache as what they were
//! reduced to, and asked for again only where they have changed.
//!
//! One file for each document: a line of JSON about its validity, then what it was reduced to. It is
//! replaced by renaming, and what cannot be read is a miss.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use super::client::{Request, Response};
use super::credential::shown;
use super::shared::Shared;
use super::{IndexError, RemoteCatalog};

/// For how long a document needs no check, in seconds.
const FRESH: u64 = 3600;

/// Which document is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name in the cache: letters, digits, `-`, `_` and `.` only.
    pub key: String,
    /// How it is called in messages: `the list of the channel nixos-unstable`.
    pub what: String,
    /// Where it is.
    pub url: Url,
    /// A small text beside it that tells its git revision, as seen from where it is in the end.
    pub beside: Option<&'static str>,
    /// The largest body that makes sense, in bytes.
    pub limit: u64,
}

/// A document, reduced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it was reduced to.
    pub text: String,
    /// When it last changed, as the server says it (RFC 9110's date); empty where it does not.
    pub modified: String,
    /// The text beside it, where there is one.
    pub beside: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Head {
    url: String,
    checked: u64,
    etag: String,
    modified: String,
    beside: Option<String>,
}

impl RemoteCatalog {
    /// A document, from the cache where that is fresh. `reduce` makes of a body what is kept.
    ///
    /// # Errors
    /// When it is not there, cannot be fetched, or cannot be reduced.
    pub fn document(
        &self,
        wanted: &Wanted,
        reduce: &dyn Fn(&[u8]) -> Result<String, String>,
    ) -> Result<Document, IndexError> {
        let shared = self.shared();
        let kept = kept(shared, wanted);
        let options = &shared.options;
        let is_fresh = |head: &Head| {
            head.checked <= shared.now && shared.now - head.checked < FRESH && !options.refresh
        };
        match &kept {
            Some((head, text)) if options.offline || is_fresh(head) => {
                return Ok(document(head.clone(), text.clone()));
            }
            None if options.offline => {
                return Err(IndexError::Offline {
                    what: wanted.what.clone(),
                });
            }
            _ => {}
        }
        let head = kept.as_ref().map(|(head, _)| head.clone());
        let response = self.wait_for(&wanted.what, {
            let (shared, wanted) = (Arc::clone(shared), wanted.clone());
            async move { fetch(&shared, &wanted, head).await }
        })?;
        let (mut head, body) = match (response, kept) {
            (Fetched::Same, Some((head, text))) => (head, text),
            (Fetched::Same, None) => return Err(failed(wanted, "it answers 304 to no question")),
            (Fetched::New(head, body), _) => {
                let text = reduce(&body).map_err(|reason| IndexError::Malformed {
                    what: wanted.what.clone(),
                    reason,
                })?;
                (*head, text)
            }
        };
        head.checked = shared.now;
        store(shared, wanted, &head, &body);
        Ok(document(head, body))
    }
}

enum Fetched {
    Same,
    New(Box<Head>, Vec<u8>),
}

async fn fetch(shared: &Shared, wanted: &Wanted, old: Option<Head>) -> Result<Fetched, IndexError> {
    let mut request = Request::new(wanted.url.clone(), wanted.limit);
    request.gzip = false;
    request.progress = wanted
        .url
        .path_segments()
        .and_then(|mut s| s.next_back().map(str::to_owned));
    if let Some(old) = old {
        request.etag = old.etag;
        request.modified = old.modified;
    }
    let response = shared.client.fetch(&request).await?;
    match response.status {
        304 => return Ok(Fetched::Same),
        200 => {}
        status => {
            let reason = if response.is_missing() {
                "there is nothing at that address".to_owned()
            } else {
                format!("the server answers {status}")
            };
            return Err(failed(wanted, &reason));
        }
    }
    let head = Head {
        url: wanted.url.to_string(),
        etag: response.header("etag").to_owned(),
        modified: response.header("last-modified").to_owned(),
        beside: beside(shared, wanted, &response).await?,
        ..Head::default()
    };
    Ok(Fetched::New(Box::new(head), response.body))
}

/// The text beside a document, of the very place that the document is from: between two requests to
/// the same address it may have moved.
async fn beside(
    shared: &Shared,
    wanted: &Wanted,
    response: &Response,
) -> Result<Option<String>, IndexError> {
    let Some(url) = wanted.beside.and_then(|name| response.url.join(name).ok()) else {
        return Ok(None);
    };
    let answer = shared.client.fetch(&Request::new(url, 4096)).await?;
    let text = String::from_utf8(answer.body).ok();
    let text = text.filter(|_| answer.status == 200);
    Ok(text.map(|text| text.trim().to_owned()))
}

fn failed(wanted: &Wanted, reason: &str) -> IndexError {
    IndexError::Fetch {
        what: shown(&wanted.url),
        reason: reason.to_owned(),
    }
}

fn document(head: Head, text: String) -> Document {
    Document {
        text,
        modified: head.modified,
        beside: head.beside,
    }
}

/// What is kept of a document from this address.
fn kept(shared: &Shared, wanted: &Wanted) -> Option<(Head, String)> {
    let text = shared.cache.note(FOLDER, &wanted.key)?;
    let (head, text) = text.split_once('\n')?;
    let head: Head = serde_json::from_str(head).ok()?;
    (head.url == wanted.url.as_str()).then(|| (head, text.to_owned()))
}

fn store(shared: &Shared, wanted: &Wanted, head: &Head, text: &str) {
    if let Ok(head) = serde_json::to_string(head) {
        let both = format!("{head}\n{text}");
        shared.cache.store_note(FOLDER, &wanted.key, &both);
    }
}

/// Where documents are kept.
const FOLDER: &str = "documents";
