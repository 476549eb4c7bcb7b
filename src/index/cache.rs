//! What is kept on disk between runs: one file per project and index, one per sdist's facts.
//!
//! A project's file is a fixed header, the page's head (validators, versions), its body (files by
//! release), and behind them the metadata of releases, appended one by one. A run with a fresh
//! cache reads it with one or two calls and looks at the few releases that it needs. Every part
//! has a checksum; whatever does not fit is a miss. Files are replaced by renaming; records are
//! appended by one write each; only the time of the last check is changed in place. So runs may
//! share a cache without locks.
//!
//! The releases of a large page are checked one by one, as they are looked at. Where one turns out to
//! be damaged, the page has been in use already: the damage is counted, from then on every file is
//! checked whole before it is believed, and whoever drew conclusions meanwhile draws them again.
//!
//! ```text
//! 0  "PYR3"    4  checked: u64    12  max age: u32    16  crc of 4..16    20  stamp: u64
//! 28  head bytes: u32    32  body bytes: u32    36  head crc: u32    40  crc of 20..40
//! 44  head    body    { bytes: u32, crc: u32, key: text, content }*
//! ```

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::bytes::{Reader, put_text};
use super::packed::Head;
use super::release::Body;
use crate::python::PackageName;

const MAGIC: &[u8; 4] = b"PYR3";
const FIXED: usize = 44;
/// Where the times stand that are changed in place.
const TIMES: usize = 4;
/// How much the first read asks for: most projects' files are smaller.
const FIRST_READ: usize = 16 << 10;
/// How much of a body's end is read with the head.
const HOT: usize = 12 << 10;
/// Larger parts are not ours.
const MAX_PART: usize = 512 << 20;
/// Where everything is kept: the format, and the program's version, as metadata and facts that were
/// read from sources are only as good as the readers were.
pub const VERSION: &str = concat!("v2-", env!("CARGO_PKG_VERSION"));
/// Where facts are kept; a new name when the readers of sources find more than before.
const FACTS: &str = "facts-9";
/// How much of a file tells whether it is what it was: validators are short.
const GLANCE: usize = 512;
/// Records beyond this are not carried over to a new page.
const MAX_RECORDS: usize = 8 << 20;

/// When an answer was last checked, and with what it can be checked again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    /// Seconds since 1970.
    pub checked: u64,
    /// Seconds for which it needs no check.
    pub max_age: u32,
    /// `ETag`.
    pub etag: String,
    /// `Last-Modified`.
    pub modified: String,
}

impl Validity {
    /// Whether no check is needed at `now`.
    pub fn is_fresh(&self, now: u64) -> bool {
        self.checked <= now && now - self.checked < u64::from(self.max_age)
    }
}

/// What is to be stored of a page, besides its body.
#[derive(Debug)]
pub struct Unstored {
    checked: u64,
    max_age: u32,
    part: Vec<u8>,
    head_crc: u32,
    /// What the file will be known by: checksums of head and body.
    pub stamp: u64,
}

impl Unstored {
    /// A page's head, body, and when to check it again.
    pub fn new(validity: &Validity, head: &Head, body: &[u8]) -> Self {
        let mut part = Vec::new();
        put_text(&mut part, &validity.etag);
        put_text(&mut part, &validity.modified);
        part.extend_from_slice(&head.to_bytes());
        let head_crc = crc32fast::hash(&part);
        Self {
            checked: validity.checked,
            max_age: validity.max_age,
            part,
            head_crc,
            stamp: u64::from(crc32fast::hash(body)) << 32 | u64::from(head_crc),
        }
    }
}

/// A project's file, as far as it was read.
#[derive(Debug)]
pub struct Entry {
    /// When to check it again.
    pub validity: Validity,
    /// The page's head.
    pub head: Head,
    /// The page's body.
    pub body: Body,
    /// The metadata behind it.
    pub records: Records,
    /// What the file is known by.
    pub stamp: u64,
}

/// The little of a project's file that tells whether it is what it was.
#[derive(Debug)]
pub struct Glance {
    /// When to check it again.
    pub validity: Validity,
    /// What the file is known by.
    pub stamp: u64,
}

/// Metadata by key, checked when it is looked at.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Arc<Vec<u8>>,
    places: HashMap<String, (usize, usize, u32)>,
    /// Where the last sound one ends.
    end: usize,
}

/// A page's body on disk, and its end in memory.
#[derive(Debug, Clone)]
pub struct Stored {
    path: PathBuf,
    start: u64,
    stamp: u64,
    /// The end of the body, and records behind it.
    rest: Arc<Vec<u8>>,
    hot: usize,
    hot_start: usize,
    damages: Arc<AtomicU64>,
}

/// The folder, if there is one.
#[derive(Debug)]
pub struct Cache {
    root: Option<PathBuf>,
    /// Set when writing fails: a full disk or a read-only folder need not be tried again and again.
    broken: AtomicBool,
    /// How often a part of a page that was in use already turned out to be damaged.
    damages: Arc<AtomicU64>,
}

impl Cache {
    /// A cache in this folder; it need not exist yet. None keeps nothing.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self {
            root: root.map(|root| root.join(VERSION)),
            broken: AtomicBool::new(false),
            damages: Arc::default(),
        }
    }

    /// How often a part of a page that was in use already turned out to be damaged, or gone.
    pub fn damages(&self) -> u64 {
        self.damages.load(Ordering::SeqCst)
    }

    /// A folder of the cache for what is not ours to format; none where nothing is kept.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(name))
    }

    fn page_path(&self, index: &str, project: &PackageName) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(index).join(project.as_ref()))
    }

    /// Whether there is a file of a project, sound or not.
    pub fn has(&self, index: &str, project: &PackageName) -> bool {
        self.page_path(index, project)
            .is_some_and(|path| path.is_file())
    }

    /// What is kept of a project.
    pub fn load(&self, index: &str, project: &PackageName) -> Option<Entry> {
        let path = self.page_path(index, project)?;
        BUFFER.with_borrow_mut(|buffer| load(path, buffer, &self.damages))
    }

    /// The beginning of what is kept of a project.
    pub fn glance(&self, index: &str, project: &str) -> Option<Glance> {
        let path = self.root.as_ref()?.join(index).join(project);
        let mut start = [0_u8; GLANCE];
        let len = read_up_to(&mut File::open(path).ok()?, &mut start).ok()?;
        let start = start.get(..len)?;
        let fixed = Fixed::parse(start)?;
        // Without its checksum, which is that of the whole head: where these are wrong, the page is
        // fetched once in vain.
        let mut input = Reader(start.get(FIXED..)?);
        let mut text = || input.text().unwrap_or_default().to_owned();
        Some(Glance {
            validity: Validity {
                checked: fixed.checked,
                max_age: fixed.max_age,
                etag: text(),
                modified: text(),
            },
            stamp: fixed.stamp,
        })
    }

    /// Keeps a page and metadata of its releases, by key; metadata that the old file holds stays.
    pub fn store(
        &self,
        index: &str,
        project: &PackageName,
        page: &Unstored,
        body: &[u8],
        metadata: &[(String, Vec<u8>)],
    ) {
        let Some(path) = self.page_path(index, project) else {
            return;
        };
        let mut tail = tail_of(&path).unwrap_or_default();
        for (key, content) in metadata {
            put_record(&mut tail, key, content);
        }
        let fixed = Fixed {
            checked: page.checked,
            max_age: page.max_age,
            stamp: page.stamp,
            head: page.part.len(),
            body: body.len(),
            head_crc: page.head_crc,
        };
        self.replace(&path, &[&fixed.to_bytes(), &page.part, body, &tail]);
    }

    /// Notes that a page was checked and has not changed.
    pub fn touch(&self, index: &str, project: &PackageName, checked: u64, max_age: u32) {
        let Some(path) = self.page_path(index, project) else {
            return;
        };
        let times = times(checked, max_age);
        // Failing means a check too many in the next run, nothing else.
        let _ = OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(TIMES as u64))?;
                file.write_all(&times)
            });
    }

    /// Keeps the metadata of a release behind its project's page.
    pub fn append(&self, index: &str, project: &PackageName, key: &str, content: &[u8]) {
        let Some(path) = self.page_path(index, project) else {
            return;
        };
        let mut record = Vec::new();
        put_record(&mut record, key, content);
        // Only behind a page: where there is none, nothing would ever read it.
        let _ = OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(&record));
    }

    fn replace(&self, path: &Path, parts: &[&[u8]]) {
        if self.broken.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = replace(path, parts)
            && !matches!(error.kind(), io::ErrorKind::NotFound)
        {
            self.broken.store(true, Ordering::Relaxed);
        }
    }
}

thread_local! {
    /// Reading all files into the same memory spares the kernel from finding new pages for each.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn load(path: PathBuf, buffer: &mut Vec<u8>, damages: &Arc<AtomicU64>) -> Option<Entry> {
    let mut file = File::open(&path).ok()?;
    let size = usize::try_from(file.metadata().ok()?.len()).ok()?;
    // Where one file was damaged, others may be.
    let whole = damages.load(Ordering::SeqCst) > 0;
    let len = size.min(if whole { MAX_PART } else { FIRST_READ });
    buffer.resize(len, 0);
    file.read_exact(buffer).ok()?;
    let fixed = Fixed::parse(buffer.get(..len)?)?;
    let (head_end, body_end) = (FIXED + fixed.head, FIXED + fixed.head + fixed.body);
    if len < head_end {
        buffer.resize(head_end, 0);
        file.read_exact(buffer.get_mut(len..)?).ok()?;
    }
    let (etag, modified, head) = fixed.head(buffer.get(FIXED..head_end)?)?;
    // The newest releases are the ones that are asked for, and they lie last.
    let hot_start = head_end.max(if whole {
        0
    } else {
        body_end.saturating_sub(HOT)
    });
    let all = len == size || whole;
    let rest = if all {
        if u64::from(crc32fast::hash(buffer.get(head_end..body_end)?)) != fixed.stamp >> 32 {
            return None;
        }
        buffer.get(hot_start..len)?.to_vec()
    } else {
        file.seek(SeekFrom::Start(hot_start as u64)).ok()?;
        let mut rest = vec![0; size.checked_sub(hot_start)?.min(HOT + MAX_RECORDS)];
        file.read_exact(&mut rest).ok()?;
        rest
    };
    let hot = body_end - hot_start;
    let body = rest.get(..hot)?;
    if !all && hot_start == head_end && u64::from(crc32fast::hash(body)) != fixed.stamp >> 32 {
        return None;
    }
    let rest = Arc::new(rest);
    let records = Records::parse(Arc::clone(&rest), hot);
    if hot_start + rest.len() == size && records.end < rest.len() {
        cut(&path, hot_start + records.end);
    }
    let stored = Stored {
        path,
        damages: Arc::clone(damages),
        start: head_end as u64,
        stamp: fixed.stamp,
        rest: Arc::clone(&rest),
        hot,
        hot_start: hot_start - head_end,
    };
    Some(Entry {
        validity: Validity {
            checked: fixed.checked,
            max_age: fixed.max_age,
            etag,
            modified,
        },
        head,
        body: Body::Disk(stored),
        records,
        stamp: fixed.stamp,
    })
}

/// Cuts off what follows the last record that could be found: nothing behind it ever would be.
fn cut(path: &Path, end: usize) {
    // Whoever cannot only finds less.
    let _ = OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(end as u64));
}

/// When a page was checked and for how long that holds, as it stands in its file.
fn times(checked: u64, max_age: u32) -> Vec<u8> {
    let mut times = checked.to_le_bytes().to_vec();
    times.extend_from_slice(&max_age.to_le_bytes());
    let crc = crc32fast::hash(&times);
    times.extend_from_slice(&crc.to_le_bytes());
    times
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while let Some(free) = buffer.get_mut(len..).filter(|free| !free.is_empty()) {
        match file.read(free) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let make = || tempfile::Builder::new().prefix(".tmp").tempfile_in(folder);
    let mut file = match make() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            make()?
        }
        file => file?,
    };
    write_parts(file.as_file_mut(), parts)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes parts one behind the other, without a copy of all where one call takes all.
fn write_parts(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    let slices: Vec<IoSlice> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut written = file.write_vectored(&slices)?;
    for part in parts {
        let rest = part.get(written..).unwrap_or_default();
        written -= part.len() - rest.len();
        file.write_all(rest)?;
    }
    Ok(())
}

/// The records of the file at `path`, to be carried over.
fn tail_of(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let mut start = [0_u8; FIXED];
    file.read_exact(&mut start).ok()?;
    let fixed = Fixed::parse(&start)?;
    file.seek(SeekFrom::Start((FIXED + fixed.head + fixed.body) as u64))
        .ok()?;
    let mut tail = Vec::new();
    file.take(MAX_RECORDS as u64 + 1)
        .read_to_end(&mut tail)
        .ok()?;
    if tail.len() > MAX_RECORDS {
        return None;
    }
    let tail = Arc::new(tail);
    let end = Records::parse(Arc::clone(&tail), 0).end;
    let mut tail = Arc::into_inner(tail)?;
    tail.truncate(end);
    Some(tail)
}

struct Fixed {
    checked: u64,
    max_age: u32,
    stamp: u64,
    head: usize,
    body: usize,
    head_crc: u32,
}

impl Fixed {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes.get(..FIXED)?);
        if input.bytes(4)? != MAGIC {
            return None;
        }
        let (checked, max_age) = (input.array()?, input.array()?);
        let [checked, max_age] = match u32::from_le_bytes(input.array()?) {
            crc if crc == crc32fast::hash(bytes.get(TIMES..TIMES + 12)?) => [
                u64::from_le_bytes(checked),
                u64::from(u32::from_le_bytes(max_age)),
            ],
            // It has to be checked with its index, which takes no more than a request.
            _ => [0, 0],
        };
        let fixed = Self {
            checked,
            max_age: max_age as u32,
            stamp: u64::from_le_bytes(input.array()?),
            head: u32::from_le_bytes(input.array()?) as usize,
            body: u32::from_le_bytes(input.array()?) as usize,
            head_crc: u32::from_le_bytes(input.array()?),
        };
        let crc = u32::from_le_bytes(input.array()?);
        let sound = crc == crc32fast::hash(bytes.get(20..40)?)
            && fixed.head <= MAX_PART
            && fixed.body <= MAX_PART;
        sound.then_some(fixed)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&times(self.checked, self.max_age));
        out.extend_from_slice(&self.stamp.to_le_bytes());
        out.extend_from_slice(&(self.head as u32).to_le_bytes());
        out.extend_from_slice(&(self.body as u32).to_le_bytes());
        out.extend_from_slice(&self.head_crc.to_le_bytes());
        let crc = crc32fast::hash(out.get(20..).unwrap_or(&[]));
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Etag, last modification and head.
    fn head(&self, bytes: &[u8]) -> Option<(String, String, Head)> {
        if crc32fast::hash(bytes) != self.head_crc {
            return None;
        }
        let mut input = Reader(bytes);
        let etag = input.text()?.to_owned();
        let modified = input.text()?.to_owned();
        let head = Head::from_bytes(input.0)?;
        (head.body_len() == self.body).then_some((etag, modified, head))
    }
}

impl Records {
    /// Finds the records, which begin at `start`; what follows a broken one does not count.
    fn parse(bytes: Arc<Vec<u8>>, start: usize) -> Self {
        let mut places = HashMap::new();
        let mut input = Reader(bytes.get(start..).unwrap_or(&[]));
        let mut end = start;
        while let Some((payload, crc)) = record(&mut input) {
            let mut inner = Reader(payload);
            let Some(key) = inner.text() else { break };
            let next = bytes.len() - input.0.len();
            places.insert(key.to_owned(), (next - payload.len(), payload.len(), crc));
            end = next;
        }
        Self { bytes, places, end }
    }

    /// The content under a key.
    pub fn find(&self, key: &str) -> Option<&[u8]> {
        let (start, len, crc) = self.places.get(key)?;
        let payload = self.bytes.get(*start..start.checked_add(*len)?)?;
        if crc32fast::hash(payload) != *crc {
            return None;
        }
        let mut input = Reader(payload);
        input.text()?;
        Some(input.0)
    }
}

fn put_record(out: &mut Vec<u8>, key: &str, content: &[u8]) {
    let mut payload = Vec::with_capacity(key.len() + content.len() + 16);
    put_text(&mut payload, key);
    payload.extend_from_slice(content);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    out.extend_from_slice(&payload);
}

fn record<'a>(input: &mut Reader<'a>) -> Option<(&'a [u8], u32)> {
    let len = u32::from_le_bytes(input.array()?) as usize;
    let crc = u32::from_le_bytes(input.array()?);
    Some((input.bytes(len)?, crc))
}

impl Stored {
    /// Whether all of the body is in memory, and was checked.
    pub fn is_whole(&self) -> bool {
        self.hot_start == 0
    }

    /// Notes that a part of the file turned out to be damaged or gone, after it was believed.
    pub fn is_damaged(&self) {
        self.damages.fetch_add(1, Ordering::SeqCst);
    }

    /// A part of the body; the caller checks its checksum.
    ///
    /// # Errors
    /// When the file is gone or was replaced.
    pub fn read(&self, start: usize, len: usize) -> io::Result<Cow<'_, [u8]>> {
        let hot = self.rest.get(..self.hot);
        let at = start.checked_sub(self.hot_start);
        if let Some(block) = at.and_then(|at| hot?.get(at..at.checked_add(len)?)) {
            return Ok(Cow::Borrowed(block));
        }
        let mut file = File::open(&self.path)?;
        let mut fixed = [0_u8; FIXED];
        file.read_exact(&mut fixed)?;
        if Fixed::parse(&fixed).is_none_or(|fixed| fixed.stamp != self.stamp) {
            return Err(io::Error::other("the entry was replaced meanwhile"));
        }
        file.seek(SeekFrom::Start(self.start + start as u64))?;
        let mut block = vec![0; len];
        file.read_exact(&mut block)?;
        Ok(Cow::Owned(block))
    }
}

mod sealed;
#[cfg(test)]
mod tests;
