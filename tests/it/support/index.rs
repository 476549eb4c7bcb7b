//! An index on loopback: serves releases as a Simple API in JSON and HTML, with and without
//! announced metadata, ranges and validators, over HTTP/1.1, and misbehaves when told to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyresolve::python::Sha256;
use serde_json::json;

use super::project::{File, Release};

/// How an index speaks.
#[derive(Debug, Clone)]
pub struct Manner {
    /// JSON where the client takes it; else HTML.
    pub json: bool,
    /// `.metadata` files are announced (PEP 658).
    pub announced: bool,
    /// `.metadata` files are there.
    pub metadata: bool,
    /// What is said of announced `.metadata` files.
    pub digest: Digest,
    /// Byte ranges are honoured.
    pub ranges: bool,
    /// How ranges that count from the end are answered, where there are ranges.
    pub suffix: Suffix,
    /// File addresses are relative.
    pub relative: bool,
    /// Digests are told.
    pub hashes: bool,
    /// Pages carry an `ETag` and are answered with 304.
    pub etag: bool,
    /// `Cache-Control` of pages.
    pub cache_control: Option<String>,
    /// Pages are gzipped for those who take it.
    pub gzip: bool,
    /// A user name and a password that everything wants.
    pub login: Option<(String, String)>,
    /// Where files are, if not here.
    pub files_at: Option<String>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            json: true,
            announced: true,
            metadata: true,
            digest: Digest::default(),
            ranges: true,
            suffix: Suffix::default(),
            relative: false,
            hashes: true,
            etag: true,
            cache_control: Some("max-age=600, public".to_owned()),
            gzip: true,
            login: None,
            files_at: None,
        }
    }
}

/// What a page says of a `.metadata` file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Digest {
    /// Its digest.
    #[default]
    Told,
    /// That it is there.
    Untold,
    /// Another digest.
    Wrong,
}

impl Digest {
    fn of(self, text: &[u8]) -> Option<String> {
        match self {
            Self::Told => Some(Sha256::of(text).hex()),
            Self::Untold => None,
            Self::Wrong => Some("ab".repeat(32)),
        }
    }
}

/// What a server makes of `bytes=-N`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Suffix {
    /// The last N bytes.
    #[default]
    End,
    /// The whole file.
    Whole,
    /// 416.
    Refusal,
    /// The first bytes.
    Start,
    /// Part of the file, without a word of which.
    Nameless,
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// This status instead of an answer, with these header lines.
    Status(u16, &'static str),
    /// The connection ends after so many bytes of the body.
    Truncate(usize),
    /// One byte of the body is another.
    Corrupt,
    /// This body instead.
    Garbage(&'static [u8]),
    /// The answer takes this long.
    Slow(Duration),
    /// The connection is closed without a word.
    Hangup,
    /// A redirect.
    Redirect(String),
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The path, with the query.
    pub path: String,
    /// Header lines by lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// A running index; ends with its last handle.
#[derive(Debug)]
pub struct Index {
    address: SocketAddr,
    state: Arc<State>,
}

/// A body and its header lines.
type Text = (Vec<u8>, Vec<String>);

#[derive(Debug)]
struct State {
    manner: Mutex<Manner>,
    releases: Mutex<Vec<Release>>,
    files: Mutex<BTreeMap<String, File>>,
    texts: Mutex<BTreeMap<String, Text>>,
    troubles: Mutex<Vec<(String, Trouble, usize)>>,
    seen: Mutex<Vec<Seen>>,
    ended: AtomicBool,
    host: String,
}

impl Index {
    /// An index of these releases that behaves as PyPI does.
    pub fn start(releases: Vec<Release>) -> Self {
        Self::with(Manner::default(), releases)
    }

    /// An index with manners of its own.
    pub fn with(manner: Manner, releases: Vec<Release>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            manner: Mutex::new(manner),
            releases: Mutex::default(),
            files: Mutex::default(),
            texts: Mutex::default(),
            troubles: Mutex::default(),
            seen: Mutex::default(),
            ended: AtomicBool::new(false),
            host: format!("http://{address}"),
        });
        let index = Self {
            address,
            state: Arc::clone(&state),
        };
        for release in releases {
            index.publish(release);
        }
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if state.ended.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || {
                    // A client that goes away is no concern of the server.
                    let _ = serve(&state, stream);
                });
            }
        });
        index
    }

    /// The address of the Simple API.
    pub fn url(&self) -> String {
        format!("http://{}/simple/", self.address)
    }

    /// The address without a path.
    pub fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a release, also while the index runs.
    pub fn publish(&self, release: Release) {
        let mut files = self.state.files.lock().unwrap();
        for file in release.files() {
            files.insert(file.name.clone(), file);
        }
        self.state.releases.lock().unwrap().push(release);
    }

    /// From now on this index has the releases of another one.
    pub fn replace(&self, other: &Index) {
        let releases = other.state.releases.lock().unwrap().clone();
        self.state.files.lock().unwrap().clear();
        self.state.releases.lock().unwrap().clear();
        releases
            .into_iter()
            .for_each(|release| self.publish(release));
    }

    /// From now on there is something else at a path: a body with these header lines, an `ETag` besides.
    pub fn put(&self, path: &str, body: &[u8], headers: &[&str]) {
        let headers = headers.iter().map(|h| (*h).to_owned()).collect();
        let mut texts = self.state.texts.lock().unwrap();
        texts.insert(path.to_owned(), (body.to_vec(), headers));
    }

    /// Changes the manners while the index runs.
    pub fn change(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.state.manner.lock().unwrap());
    }

    /// The next `times` requests whose path contains `part` go wrong.
    pub fn trouble(&self, part: &str, trouble: Trouble, times: usize) {
        self.state
            .troubles
            .lock()
            .unwrap()
            .push((part.to_owned(), trouble, times));
    }

    /// Everything is well again.
    pub fn heal(&self) {
        self.state.troubles.lock().unwrap().clear();
    }

    /// Every request since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }

    /// The paths of every request since the last call.
    pub fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }

    /// The content of a file.
    pub fn file(&self, name: &str) -> File {
        self.state.files.lock().unwrap().get(name).unwrap().clone()
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

struct Answer {
    status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    fn plain(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

fn serve(state: &State, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let Some((method, seen)) = read_request(&mut reader)? else {
            return Ok(());
        };
        state.seen.lock().unwrap().push(seen.clone());
        let trouble = next_trouble(state, &seen.path);
        let mut answer = answer(state, &seen);
        let mut sent = None;
        match trouble {
            None => {}
            Some(Trouble::Status(status, headers)) => {
                answer = Answer::plain(status, "trouble");
                answer.headers = headers.lines().map(str::to_owned).collect();
            }
            Some(Trouble::Truncate(bytes)) => sent = Some(bytes),
            Some(Trouble::Corrupt) => {
                let middle = answer.body.len() / 2;
                if let Some(byte) = answer.body.get_mut(middle) {
                    *byte ^= 0x20;
                }
            }
            Some(Trouble::Garbage(body)) => {
                answer
                    .headers
                    .retain(|h| !h.to_lowercase().starts_with("content-"));
                answer.body = body.to_vec();
            }
            Some(Trouble::Slow(time)) => std::thread::sleep(time),
            Some(Trouble::Hangup) => return Ok(()),
            Some(Trouble::Redirect(to)) => {
                answer = Answer::plain(302, "");
                answer.headers = vec![format!("Location: {to}")];
            }
        }
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for header in &answer.headers {
            write!(head, "{header}\r\n").unwrap();
        }
        head.push_str("\r\n");
        let mut out = head.into_bytes();
        if method != "HEAD" && answer.status != 304 {
            let all = answer.body.len();
            out.extend_from_slice(&answer.body[..sent.unwrap_or(all).min(all)]);
        }
        stream.write_all(&out)?;
        if sent.is_some() {
            return Ok(());
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Seen)>> {
    let mut line = String::new();
    if reader.by_ref().take(1 << 16).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, path) = (
        words.next().unwrap_or("").to_owned(),
        words.next().unwrap_or("").to_owned(),
    );
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.by_ref().take(1 << 16).read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Some((method, Seen { path, headers })));
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
}

fn next_trouble(state: &State, path: &str) -> Option<Trouble> {
    let mut troubles = state.troubles.lock().unwrap();
    let (_, trouble, times) = troubles
        .iter_mut()
        .find(|(part, _, times)| *times > 0 && path.contains(part.as_str()))?;
    *times -= 1;
    Some(trouble.clone())
}

fn answer(state: &State, seen: &Seen) -> Answer {
    let manner = state.manner.lock().unwrap().clone();
    if let Some((user, password)) = &manner.login {
        let token = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
        if seen.headers.get("authorization") != Some(&format!("Basic {token}")) {
            return Answer::plain(401, "who are you?");
        }
    }
    let path = seen.path.split('?').next().unwrap_or("");
    if let Some(name) = path.strip_prefix("/simple/") {
        return match name.strip_suffix('/') {
            Some(name) => page(state, &manner, seen, name),
            None => Answer::plain(404, "a page's address ends in a slash"),
        };
    }
    if let Some((body, headers)) = state.texts.lock().unwrap().get(path) {
        let etag = format!("\"{}\"", &Sha256::of(body).hex()[..16]);
        let same = seen.headers.get("if-none-match") == Some(&etag);
        let mut answer = if same {
            Answer::plain(304, "")
        } else {
            Answer::plain(200, body.clone())
        };
        answer.headers.clone_from(headers);
        answer.headers.push(format!("ETag: {etag}"));
        return answer;
    }
    match path.strip_prefix("/files/") {
        Some(name) => file(state, &manner, seen, &name.replace("%2B", "+")),
        None => Answer::plain(404, "nothing here"),
    }
}

fn file(state: &State, manner: &Manner, seen: &Seen, name: &str) -> Answer {
    let files = state.files.lock().unwrap();
    if let Some(wheel) = name.strip_suffix(".metadata") {
        let metadata = files.get(wheel).and_then(|file| file.metadata.clone());
        return match metadata.filter(|_| manner.metadata) {
            Some(text) => Answer::plain(200, text),
            None => Answer::plain(404, "no such metadata"),
        };
    }
    let Some(file) = files.get(name) else {
        return Answer::plain(404, "no such file");
    };
    let etag = format!("ETag: \"{}\"", &file.sha256()[..8]);
    let range = seen.headers.get("range").filter(|_| manner.ranges);
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        let mut answer = Answer::plain(200, file.bytes.clone());
        answer.headers.push(etag);
        return answer;
    };
    let len = file.bytes.len();
    if range.starts_with('-') {
        match manner.suffix {
            Suffix::Whole => return Answer::plain(200, file.bytes.clone()),
            Suffix::Refusal => return Answer::plain(416, ""),
            Suffix::Nameless => return Answer::plain(206, &file.bytes[len / 2..]),
            Suffix::End | Suffix::Start => {}
        }
    }
    let (start, end) = match range.split_once('-').unwrap() {
        ("", last) if manner.suffix == Suffix::Start => (0, last.parse::<usize>().unwrap() + 1),
        ("", last) => (len.saturating_sub(last.parse().unwrap()), len),
        (start, "") => (start.parse().unwrap(), len),
        (start, end) => (start.parse().unwrap(), end.parse::<usize>().unwrap() + 1),
    };
    let end = end.min(len);
    if start >= end {
        return Answer::plain(416, "");
    }
    let mut answer = Answer::plain(206, file.bytes[start..end].to_vec());
    answer.headers = vec![
        etag,
        format!("Content-Range: bytes {start}-{}/{len}", end - 1),
    ];
    answer
}

fn page(state: &State, manner: &Manner, seen: &Seen, name: &str) -> Answer {
    let releases = state.releases.lock().unwrap();
    let own: Vec<&Release> = releases
        .iter()
        .filter(|release| release.name.to_lowercase().replace(['_', '.'], "-") == name)
        .collect();
    if own.is_empty() {
        return Answer::plain(404, "no such project");
    }
    let accept = seen.headers.get("accept").map_or("", String::as_str);
    let as_json = manner.json && accept.contains("application/vnd.pypi.simple.v1+json");
    let (text, kind) = if as_json {
        (
            json_page(state, manner, name, &own),
            "application/vnd.pypi.simple.v1+json",
        )
    } else {
        (html_page(state, manner, &own), "text/html; charset=UTF-8")
    };
    let etag = format!("\"{}\"", &Sha256::of(text.as_bytes()).hex()[..16]);
    let mut headers = vec![format!("Content-Type: {kind}")];
    headers.extend(
        manner
            .cache_control
            .iter()
            .map(|c| format!("Cache-Control: {c}")),
    );
    if manner.etag {
        headers.push(format!("ETag: {etag}"));
        if seen.headers.get("if-none-match") == Some(&etag) {
            let mut answer = Answer::plain(304, "");
            answer.headers = headers;
            return answer;
        }
    }
    let mut body = text.into_bytes();
    if manner.gzip
        && seen
            .headers
            .get("accept-encoding")
            .is_some_and(|e| e.contains("gzip"))
    {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&body).unwrap();
        body = gzip.finish().unwrap();
        headers.push("Content-Encoding: gzip".to_owned());
    }
    Answer {
        status: 200,
        headers,
        body,
    }
}

fn address(state: &State, manner: &Manner, file: &str) -> String {
    let file = file.replace('+', "%2B");
    match &manner.files_at {
        Some(place) => format!("{place}/files/{file}"),
        None if manner.relative => format!("../../files/{file}"),
        None => format!("{}/files/{file}", state.host),
    }
}

fn json_page(state: &State, manner: &Manner, name: &str, releases: &[&Release]) -> String {
    let mut files = Vec::new();
    for release in releases {
        for file in release.files() {
            let hashes = if manner.hashes {
                json!({"sha256": file.sha256()})
            } else {
                json!({})
            };
            let mut entry = json!({
                "filename": file.name,
                "url": address(state, manner, &file.name),
                "hashes": hashes,
                "size": file.bytes.len(),
                "yanked": release.yanked.as_ref().map_or(json!(false), |reason| json!(reason)),
                "requires-python": release.requires_python(),
            });
            if let Some(time) = &release.uploaded {
                entry["upload-time"] = json!(time);
            }
            if manner.announced {
                entry["core-metadata"] = match &file.metadata {
                    Some(text) => match manner.digest.of(text) {
                        Some(digest) => json!({"sha256": digest}),
                        None => json!(true),
                    },
                    None => json!(false),
                };
            }
            files.push(entry);
        }
    }
    let versions: Vec<&str> = releases
        .iter()
        .map(|release| release.version.as_str())
        .collect();
    json!({"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files})
        .to_string()
}

fn html_page(state: &State, manner: &Manner, releases: &[&Release]) -> String {
    let mut text = String::from(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.0\"></head><body>\n",
    );
    for release in releases {
        for file in release.files() {
            let digest = if manner.hashes {
                format!("#sha256={}", file.sha256())
            } else {
                String::new()
            };
            write!(
                text,
                "<a href=\"{}{digest}\"",
                address(state, manner, &file.name)
            )
            .unwrap();
            if let Some(python) = release.requires_python() {
                let python = python.replace('>', "&gt;").replace('<', "&lt;");
                write!(text, " data-requires-python=\"{python}\"").unwrap();
            }
            if let Some(reason) = &release.yanked {
                write!(text, " data-yanked=\"{reason}\"").unwrap();
            }
            if let Some(metadata) = file.metadata.as_ref().filter(|_| manner.announced) {
                let digest = manner.digest.of(metadata);
                let said = digest.map_or("true".to_owned(), |digest| format!("sha256={digest}"));
                write!(text, " data-core-metadata=\"{said}\"").unwrap();
            }
            writeln!(text, ">{}</a><br/>", file.name).unwrap();
        }
    }
    text.push_str("</body></html>\n");
    text
}
