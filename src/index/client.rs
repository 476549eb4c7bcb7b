//! Requests: one HTTP client on a thread of its own, bounds, retries, logins, certificates.
//!
//! The client is made when the first request is needed: a run that the cache can answer pays for
//! no TLS setup. Bodies are handed on as they came, possibly gzipped: inflating is not the network
//! thread's work.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Version};
use tower_layer::layer_fn;
use url::Url;

use super::IndexError;
use super::credential::{Credentials, origin, shown};
use super::gate::{Distance, Gate, Opening};
use crate::event::{Event, Observer};

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where; without a login.
    pub url: Url,
    /// `Accept`, where it matters.
    pub accept: Option<&'static str>,
    /// `ETag` of what we have.
    pub etag: String,
    /// `Last-Modified` of what we have.
    pub modified: String,
    /// `Range`, as the header has it. Of an answer that is all of the file instead, no more is read
    /// than [`UNASKED`].
    pub range: Option<String>,
    /// Whether the body may come gzipped. Otherwise a broken body is continued where it broke.
    pub gzip: bool,
    /// The largest body that makes sense, in bytes.
    pub limit: u64,
    /// The file's name, where arriving bytes are worth telling.
    pub progress: Option<String>,
}

impl Request {
    /// A plain request for at most `limit` bytes.
    pub fn new(url: Url, limit: u64) -> Self {
        Self {
            url,
            accept: None,
            etag: String::new(),
            modified: String::new(),
            range: None,
            gzip: true,
            limit,
            progress: None,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// 200, 206, 304, 404, 410 or 416; anything else is an error.
    pub status: u16,
    /// Where it came from in the end.
    pub url: Url,
    /// `Content-Type` and its like.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
    /// Whether reading it was given up: a part was asked for, and all of a large file came.
    pub cut: bool,
}

/// How much of a body is read that was not asked for, in bytes: a connection costs more to open.
pub const UNASKED: u64 = 256 << 10;

impl Response {
    /// A header as text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    }

    /// Whether there is nothing at the address.
    pub fn is_missing(&self) -> bool {
        matches!(self.status, 404 | 410)
    }
}

/// What was done on the network.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Requests sent, retries included.
    pub requests: AtomicU64,
    /// Bytes of bodies received, as they came.
    pub bytes: AtomicU64,
    /// Requests sent again.
    pub retries: AtomicU64,
}

/// The client. Cheap to make: nothing starts before the first request.
pub struct Client {
    credentials: Credentials,
    observer: Arc<dyn Observer>,
    plain: OnceLock<Result<reqwest::Client, String>>,
    secure: OnceLock<Result<reqwest::Client, String>>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
    /// How far away the hosts are.
    pub(super) distance: Arc<Distance>,
    /// Memory of bodies that were read: fresh memory for each costs more than receiving it.
    spare: Mutex<Vec<Vec<u8>>>,
    /// What was done.
    pub traffic: Traffic,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

const ATTEMPTS: u32 = 4;
const MAX_WAIT: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 8;
/// Which bodies' memory is kept for others, in bytes, and of how many.
const SPARE_LEAST: usize = 16 << 10;
const SPARE_MOST: usize = 2 << 20;
const SPARES: usize = 16;

impl Client {
    /// A client that sends these logins and tells this observer.
    pub fn new(credentials: Credentials, observer: Arc<dyn Observer>) -> Self {
        Self {
            credentials,
            observer,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
            gates: Mutex::default(),
            distance: Arc::default(),
            spare: Mutex::default(),
            traffic: Traffic::default(),
        }
    }

    /// Takes back the memory of a body that nobody needs any more.
    pub fn recycle(&self, mut body: Vec<u8>) {
        if (SPARE_LEAST..=SPARE_MOST).contains(&body.capacity()) {
            body.clear();
            let mut spare = self.spare();
            if spare.len() < SPARES {
                spare.push(body);
            }
        }
    }

    /// Empty memory for a body of so many bytes.
    fn room(&self, bytes: usize) -> Vec<u8> {
        if (SPARE_LEAST..=SPARE_MOST).contains(&bytes) {
            let mut spare = self.spare();
            let fits = spare.iter().position(|body| body.capacity() >= bytes);
            if let Some(body) = fits.map(|at| spare.swap_remove(at)) {
                return body;
            }
        }
        Vec::with_capacity(bytes)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, again where that may help, and reads the whole answer.
    ///
    /// # Errors
    /// [`IndexError::Fetch`] with what went wrong and what can be done.
    pub async fn fetch(&self, request: &Request) -> Result<Response, IndexError> {
        let mut partial = Partial::default();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let failure = match self.attempt(request, &mut partial).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let wait = match failure.retry {
                Retry::Never => None,
                Retry::After(wait) => (wait <= MAX_WAIT).then_some(wait),
                Retry::Soon => Some(Duration::from_millis(200 << (2 * (attempt - 1)).min(6))),
            };
            let Some(wait) = wait.filter(|_| attempt < ATTEMPTS) else {
                let tries = if attempt > 1 {
                    format!(" ({attempt} tries)")
                } else {
                    String::new()
                };
                return Err(IndexError::Fetch {
                    what: shown(&request.url),
                    reason: format!("{}{tries}{}", failure.what, failure.help),
                });
            };
            self.traffic.retries.fetch_add(1, Ordering::Relaxed);
            self.observer.see(&Event::Retrying {
                what: shown(&request.url),
                why: failure.what,
                wait,
            });
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, request: &Request, partial: &mut Partial) -> Result<Response, Failure> {
        let gate = self.gate(&request.url);
        let permit = gate.pass().await;
        let client = self.client_for(&request.url)?;
        let mut builder = client
            .get(request.url.clone())
            .headers(headers(request, partial));
        if let Some(login) = self.credentials.find(&request.url) {
            builder = builder.basic_auth(&login.user, Some(&login.password));
        }
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        let response = gate.open_with(builder.send()).await;
        let response = response.map_err(|e| Failure::of(&e))?;
        gate.open(response.version() == Version::HTTP_2);
        let status = response.status();
        if !matches!(status.as_u16(), 200 | 206 | 304 | 404 | 410 | 416) {
            return Err(Failure::status(status, response.headers()));
        }
        let answer = self.read(request, response, partial).await;
        drop(permit);
        answer
    }

    /// Reads the body behind what an earlier attempt got of it.
    async fn read(
        &self,
        request: &Request,
        mut response: reqwest::Response,
        partial: &mut Partial,
    ) -> Result<Response, Failure> {
        let mut status = response.status().as_u16();
        if partial.bytes.is_empty() || status != 206 || !partial.continues(response.headers()) {
            partial.bytes.clear();
        } else {
            status = 200;
        }
        if status == 200 && request.range.is_none() && !request.gzip {
            partial.etag = text(response.headers(), header::ETAG);
        }
        let unasked = status == 200 && request.range.is_some();
        let expected = response.content_length().unwrap_or(0);
        if unasked && expected > UNASKED {
            return Ok(cut(&mut response));
        }
        if partial.bytes.len() as u64 + expected > request.limit {
            return Err(Failure::too_large(request.limit));
        }
        let expected = expected.min(64 << 20) as usize;
        if partial.bytes.capacity() == 0 {
            partial.bytes = self.room(expected);
        }
        partial.bytes.reserve_exact(expected);
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    if request.gzip || request.range.is_some() || status != 200 {
                        partial.bytes.clear();
                    }
                    return Err(Failure::of(&error));
                }
            };
            let bytes = chunk.len() as u64;
            self.traffic.bytes.fetch_add(bytes, Ordering::Relaxed);
            if unasked && partial.bytes.len() as u64 + bytes > UNASKED {
                partial.bytes.clear();
                return Ok(cut(&mut response));
            }
            if partial.bytes.len() as u64 + bytes > request.limit {
                return Err(Failure::too_large(request.limit));
            }
            partial.bytes.extend_from_slice(&chunk);
            if let Some(file) = &request.progress {
                let file = file.clone();
                self.observer.see(&Event::DownloadProgress { file, bytes });
            }
        }
        Ok(Response {
            status,
            url: response.url().clone(),
            headers: std::mem::take(response.headers_mut()),
            body: std::mem::take(&mut partial.bytes),
            cut: false,
        })
    }

    fn gate(&self, url: &Url) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates
            .entry(origin(url))
            .or_insert_with(|| Arc::new(Gate::new(url.scheme() == "https", &self.distance)));
        Arc::clone(gate)
    }

    fn client_for(&self, url: &Url) -> Result<reqwest::Client, Failure> {
        let secure = url.scheme() == "https";
        let cell = if secure { &self.secure } else { &self.plain };
        cell.get_or_init(|| build(secure))
            .clone()
            .map_err(|reason| Failure {
                what: format!("the TLS client cannot be set up: {reason}"),
                help: "; are there certificates on this machine (SSL_CERT_FILE)?".to_owned(),
                retry: Retry::Never,
            })
    }
}

/// An answer of which no more is read: with it the connection, or its stream, ends.
fn cut(response: &mut reqwest::Response) -> Response {
    Response {
        status: response.status().as_u16(),
        url: response.url().clone(),
        headers: std::mem::take(response.headers_mut()),
        body: Vec::new(),
        cut: true,
    }
}

/// What an earlier attempt got of a body.
#[derive(Debug, Default)]
struct Partial {
    bytes: Vec<u8>,
    etag: String,
}

impl Partial {
    /// Whether an answer continues what is there.
    fn continues(&self, headers: &HeaderMap) -> bool {
        text(headers, header::CONTENT_RANGE)
            .strip_prefix("bytes ")
            .and_then(|range| range.split('-').next())
            .and_then(|start| start.parse().ok())
            == Some(self.bytes.len())
    }
}

fn build(secure: bool) -> Result<reqwest::Client, String> {
    // Another part of the process may have installed one before: as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirect = reqwest::redirect::Policy::custom(|attempt| {
        let previous = attempt.previous();
        let secure = |url: &Url| url.scheme() == "https";
        if previous.len() > REDIRECTS {
            attempt.error("more than 8 redirects")
        } else if previous.last().is_some_and(secure) && !secure(attempt.url()) {
            attempt.error("a redirect from https to http")
        } else {
            attempt.follow()
        }
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pyresolve/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect)
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .retry(reqwest::retry::never())
        .connector_layer(layer_fn(Opening))
        .tcp_nodelay(true);
    builder = if secure {
        builder.tls_backend_preconfigured(super::trust::settings()?)
    } else {
        // Reading the system's certificates takes milliseconds.
        builder.tls_certs_only([])
    };
    builder.build().map_err(|error| chain(&error))
}

fn headers(request: &Request, partial: &Partial) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(accept) = request.accept {
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    }
    let encoding = if request.gzip { "gzip" } else { "identity" };
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    let mut put = |name, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text)
            && !text.is_empty()
        {
            headers.insert(name, value);
        }
    };
    put(header::IF_NONE_MATCH, &request.etag);
    if request.etag.is_empty() {
        put(header::IF_MODIFIED_SINCE, &request.modified);
    }
    if let Some(range) = &request.range {
        put(header::RANGE, range);
    } else if !partial.bytes.is_empty() {
        put(header::RANGE, &format!("bytes={}-", partial.bytes.len()));
        put(header::IF_RANGE, &partial.etag);
    }
    headers
}

/// Why an attempt failed, and whether another may help.
struct Failure {
    what: String,
    help: String,
    retry: Retry,
}

enum Retry {
    Never,
    Soon,
    After(Duration),
}

impl Failure {
    fn too_large(limit: u64) -> Self {
        Self {
            what: format!(
                "the answer is larger than {} MiB, which makes no sense",
                limit >> 20
            ),
            help: String::new(),
            retry: Retry::Never,
        }
    }

    fn status(status: StatusCode, headers: &HeaderMap) -> Self {
        let what = format!("the server answers {status}");
        let (help, retry) = match status.as_u16() {
            401 => (
                "; it wants a login: put it into the index address, a netrc file, or \
                 PYRESOLVE_INDEX_<NAME>_USERNAME and _PASSWORD",
                Retry::Never,
            ),
            403 => (
                "; the login, or its lack, gives no right to it",
                Retry::Never,
            ),
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                let after = text(headers, header::RETRY_AFTER).parse().ok();
                let retry = after.map_or(Retry::Soon, |s| Retry::After(Duration::from_secs(s)));
                (
                    "; try again later, or name a mirror with --index-url",
                    retry,
                )
            }
            _ => ("", Retry::Never),
        };
        Self {
            what,
            help: help.to_owned(),
            retry,
        }
    }

    fn of(error: &reqwest::Error) -> Self {
        let text = chain(error);
        let lower = text.to_lowercase();
        let (what, help, retry) = if error.is_timeout() {
            (
                "the server does not answer in time".to_owned(),
                "",
                Retry::Soon,
            )
        } else if lower.contains("certificate") || lower.contains("unknownissuer") {
            (
                format!("the server's certificate is not trusted ({text})"),
                "; if the network has its own authority, name its certificate in SSL_CERT_FILE",
                Retry::Never,
            )
        } else if error.is_dns() || lower.contains("dns error") {
            (
                format!("the host's name cannot be resolved ({text})"),
                "; is there a network? `--offline` works from the cache",
                Retry::Soon,
            )
        } else if error.is_connect() {
            (
                format!("no connection ({text})"),
                "; is there a network? `--offline` works from the cache",
                Retry::Soon,
            )
        } else if error.is_redirect() {
            (text, "", Retry::Never)
        } else {
            (format!("the connection broke ({text})"), "", Retry::Soon)
        };
        Self {
            what,
            help: help.to_owned(),
            retry,
        }
    }
}

/// An error and its causes, the innermost ones, without addresses.
fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        texts.push(inner.to_string());
        cause = inner.source();
    }
    texts.dedup();
    let from = texts.len().saturating_sub(2);
    match texts.get(from..) {
        Some([]) | None => "the request cannot be made".to_owned(),
        Some(last) => last.join(": "),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or("").to_owned()
}
