//! A project's page in compact bytes: what the cache stores and what memory holds.
//!
//! Of the thousands of files that a page may list, a run looks at a handful. So files are kept as
//! some hundred bytes each, grouped by release, and become [`Distribution`]s only when their
//! release is asked for. The head lists the versions; each release's block has its own checksum,
//! so that a block can be read from disk alone.
//!
//! All integers are little-endian; `varint` is LEB128; a text is a varint length and UTF-8.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::OnceLock;

use url::Url;

use super::address::{absolute_prefix, is_plain, resolve_url};
use super::bytes::{Reader, hashed_folder, put_text, put_varint};
use super::release::Glimpse;
use super::timestamp::Timestamp;
use super::{Distribution, FileUrl, Release};
use crate::python::{Filename, PackageName, Sha256, Version, VersionSpecifiers};

/// A file as a page lists it, borrowed from the page's text.
#[derive(Debug, Default)]
pub struct Listed<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Where it is, as written: absolute or relative to the page; without a fragment.
    pub url: &'a str,
    /// Its digest.
    pub sha256: Option<[u8; 32]>,
    /// Bytes.
    pub size: Option<u64>,
    /// Specifiers as written.
    pub requires_python: Option<&'a str>,
    /// RFC 3339.
    pub uploaded: Option<&'a str>,
    /// Its reason, if it is yanked.
    pub yanked: Option<&'a str>,
    /// Whether a `.metadata` file is promised.
    pub has_metadata: bool,
    /// That file's sha256.
    pub metadata_sha256: Option<[u8; 32]>,
}

/// The head's description of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Where its version stands in the head's texts.
    version: (u32, u32),
    /// Where its block starts in the body.
    pub start: u32,
    /// Bytes of its block.
    pub len: u32,
    /// Checksum of its block.
    pub crc: u32,
    /// The earliest upload time of its files; none where none has one.
    pub oldest: Option<Timestamp>,
}

impl Slot {
    /// Whether a block is what was written.
    pub fn is_sound(&self, block: &[u8]) -> bool {
        crc32fast::hash(block) == self.crc
    }
}

/// The head of a packed page.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Head {
    /// The page's address, for relative file addresses.
    pub base: String,
    /// Beginnings of addresses that files share.
    prefixes: Vec<String>,
    /// The texts of `requires-python` that occur.
    requires: Vec<Wanted>,
    /// The releases, ascending by version.
    pub slots: Vec<Slot>,
    /// Their versions, one behind the other: most are never looked at.
    texts: String,
    /// The prefixes as absolute addresses, where they are such that a name can simply follow.
    absolute: OnceLock<Vec<Option<String>>>,
    parsed: OnceLock<Option<Url>>,
}

/// A `requires-python`, read when somebody looks at it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Wanted {
    text: String,
    read: OnceLock<Option<VersionSpecifiers>>,
}

impl Wanted {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            read: OnceLock::new(),
        }
    }

    /// A text that is no specifier says nothing that could be relied on; installers ignore it too.
    fn specifiers(&self) -> Option<&VersionSpecifiers> {
        let read = || VersionSpecifiers::from_str(&self.text).ok();
        self.read.get_or_init(read).as_ref()
    }
}

/// A file's record, borrowed from its block.
struct Raw<'a> {
    flags: u8,
    file: &'a str,
    url: RawUrl<'a>,
    size: Option<u64>,
    sha256: Option<Sha256>,
    requires: Option<&'a Wanted>,
    uploaded: Option<Timestamp>,
    yanked: Option<&'a str>,
    metadata_sha256: Option<Sha256>,
}

enum RawUrl<'a> {
    Whole(&'a str),
    Hashed(usize, Sha256),
    Beside(usize),
}

const SIZE: u8 = 1;
const SHA256: u8 = 2;
const REQUIRES: u8 = 4;
const UPLOADED: u8 = 8;
const YANKED: u8 = 16;
const METADATA: u8 = 32;
const METADATA_SHA256: u8 = 64;

const WHOLE: u8 = 0;
const HASHED: u8 = 1;
const BESIDE: u8 = 2;

/// Collects the files of a page.
#[derive(Debug)]
pub struct Builder<'n> {
    project: &'n PackageName,
    head: Head,
    /// Records in the order of the page.
    arena: Vec<u8>,
    /// For each record: its version's number, and where it lies in the arena.
    records: Vec<(u32, u32, u32)>,
    versions: Vec<(Version, Option<Timestamp>)>,
    by_version: HashMap<Version, u32>,
    prefix_of: HashMap<String, u32>,
    requires_of: HashMap<String, u32>,
    last_prefix: u32,
    last_requires: u32,
    last: Option<(String, bool, u32)>,
}

impl<'n> Builder<'n> {
    /// For the page of `project` at `base`.
    pub fn new(project: &'n PackageName, base: &Url) -> Self {
        Self {
            project,
            head: Head {
                base: base.to_string(),
                ..Head::default()
            },
            arena: Vec::new(),
            records: Vec::new(),
            versions: Vec::new(),
            by_version: HashMap::new(),
            prefix_of: HashMap::new(),
            requires_of: HashMap::new(),
            last_prefix: 0,
            last_requires: 0,
            last: None,
        }
    }

    /// Adds a file. Files that are neither wheel nor sdist of the project are left out.
    pub fn add(&mut self, listed: &Listed) {
        if listed.file.len() > 512 || listed.url.len() > 8192 {
            return;
        }
        let Some(version) = self.version_of(listed.file) else {
            return;
        };
        let uploaded = listed.uploaded.and_then(Timestamp::parse);
        if let Some((_, oldest)) = self.versions.get_mut(version as usize) {
            *oldest = match (*oldest, uploaded) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        let start = self.arena.len();
        self.record(listed, uploaded);
        self.records
            .push((version, start as u32, (self.arena.len() - start) as u32));
    }

    /// The number of the version of a file; consecutive files mostly share their beginning.
    fn version_of(&mut self, file: &str) -> Option<u32> {
        let wheel = file.ends_with(".whl");
        if wheel
            && let Some((start, true, version)) = &self.last
            && let Some(rest) = file.strip_prefix(start.as_str())
            && matches!(rest.bytes().filter(|b| *b == b'-').count(), 2 | 3)
        {
            return Some(*version);
        }
        let (_, version) = Filename::parse(file, self.project)?;
        let number = match self.by_version.get(&version) {
            Some(number) => *number,
            None => {
                let number = self.versions.len() as u32;
                self.by_version.insert(version.clone(), number);
                self.versions.push((version, None));
                number
            }
        };
        if wheel {
            let end = file.match_indices('-').nth(1).map_or(0, |(at, _)| at + 1);
            self.last = Some((file.get(..end)?.to_owned(), true, number));
        }
        Some(number)
    }

    fn record(&mut self, listed: &Listed, uploaded: Option<Timestamp>) {
        let (sha256, metadata) = (listed.sha256, listed.metadata_sha256);
        let requires = listed.requires_python.filter(|text| !text.is_empty());
        let mut flags = 0;
        flags |= listed.size.map_or(0, |_| SIZE);
        flags |= sha256.map_or(0, |_| SHA256);
        flags |= requires.map_or(0, |_| REQUIRES);
        flags |= uploaded.map_or(0, |_| UPLOADED);
        flags |= listed.yanked.map_or(0, |_| YANKED);
        flags |= if listed.has_metadata { METADATA } else { 0 };
        flags |= metadata.map_or(0, |_| METADATA_SHA256);
        self.arena.push(flags);
        put_text(&mut self.arena, listed.file);
        self.put_url(listed);
        if let Some(size) = listed.size {
            put_varint(&mut self.arena, size);
        }
        if let Some(sha256) = sha256 {
            self.arena.extend_from_slice(&sha256);
        }
        if let Some(text) = requires {
            let (last, known) = (&mut self.last_requires, &mut self.requires_of);
            let number = intern(known, &mut self.head.requires, last, text, Wanted::new);
            put_varint(&mut self.arena, u64::from(number));
        }
        if let Some(Timestamp(micros)) = uploaded {
            self.arena.extend_from_slice(&micros.to_le_bytes());
        }
        if let Some(reason) = listed.yanked {
            let end = reason
                .char_indices()
                .map(|(at, _)| at)
                .take_while(|at| *at <= 2000)
                .last()
                .map_or(0, |at| {
                    if reason.len() <= 2000 {
                        reason.len()
                    } else {
                        at
                    }
                });
            put_text(&mut self.arena, reason.get(..end).unwrap_or(""));
        }
        if let Some(metadata) = metadata {
            self.arena.extend_from_slice(&metadata);
        }
    }

    /// `…/packages/ab/cd/{60 digits}/{file}` shrinks to 33 bytes, `…/{file}` to one or two.
    fn put_url(&mut self, listed: &Listed) {
        let folder = listed
            .url
            .strip_suffix(listed.file)
            .filter(|folder| folder.ends_with('/'));
        let Some(folder) = folder else {
            self.arena.push(WHOLE);
            put_text(&mut self.arena, listed.url);
            return;
        };
        if let Some((prefix, hash)) = hashed_folder(folder) {
            self.arena.push(HASHED);
            let (last, known) = (&mut self.last_prefix, &mut self.prefix_of);
            let number = intern(known, &mut self.head.prefixes, last, prefix, str::to_owned);
            put_varint(&mut self.arena, u64::from(number));
            self.arena.extend_from_slice(&hash);
        } else if self.head.prefixes.len() < 16 || self.prefix_of.contains_key(folder) {
            self.arena.push(BESIDE);
            let (last, known) = (&mut self.last_prefix, &mut self.prefix_of);
            let number = intern(known, &mut self.head.prefixes, last, folder, str::to_owned);
            put_varint(&mut self.arena, u64::from(number));
        } else {
            self.arena.push(WHOLE);
            put_text(&mut self.arena, listed.url);
        }
    }

    /// The head and the body.
    pub fn finish(mut self) -> (Head, Vec<u8>) {
        let mut order: Vec<u32> = (0..self.versions.len() as u32).collect();
        order.sort_by(|a, b| {
            let version = |n: &u32| self.versions.get(*n as usize).map(|(v, _)| v);
            version(a).cmp(&version(b))
        });
        let mut rank = vec![0_u32; order.len()];
        for (place, number) in order.iter().enumerate() {
            if let Some(slot) = rank.get_mut(*number as usize) {
                *slot = place as u32;
            }
        }
        // Stable: the files of a release stay in the order of the page.
        self.records
            .sort_by_key(|(version, ..)| rank.get(*version as usize).copied().unwrap_or(0));
        let mut body = Vec::with_capacity(self.arena.len());
        let mut records = self.records.iter().peekable();
        for number in order {
            let start = body.len();
            while let Some((_, at, len)) = records.next_if(|(version, ..)| *version == number) {
                let range = *at as usize..(*at + *len) as usize;
                body.extend_from_slice(self.arena.get(range).unwrap_or(&[]));
            }
            let block = body.get(start..).unwrap_or(&[]);
            if let Some((version, oldest)) = self.versions.get(number as usize) {
                let text = version.to_string();
                let at = self.head.texts.len() as u32;
                self.head.texts.push_str(&text);
                self.head.slots.push(Slot {
                    version: (at, text.len() as u32),
                    start: start as u32,
                    len: block.len() as u32,
                    crc: crc32fast::hash(block),
                    oldest: *oldest,
                });
            }
        }
        (self.head, body)
    }
}

impl Head {
    /// The head as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.slots.len() * 24);
        put_text(&mut out, &self.base);
        put_varint(&mut out, self.prefixes.len() as u64);
        for prefix in &self.prefixes {
            put_text(&mut out, prefix);
        }
        put_varint(&mut out, self.requires.len() as u64);
        for wanted in &self.requires {
            put_text(&mut out, &wanted.text);
        }
        put_varint(&mut out, self.slots.len() as u64);
        put_text(&mut out, &self.texts);
        for slot in &self.slots {
            put_varint(&mut out, u64::from(slot.version.1));
            put_varint(&mut out, u64::from(slot.len));
            out.extend_from_slice(&slot.crc.to_le_bytes());
            let oldest = slot.oldest.map_or(i64::MIN, |t| t.0);
            out.extend_from_slice(&oldest.to_le_bytes());
        }
        out
    }

    /// Reads a head back; none where the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        let base = input.text()?.to_owned();
        let mut prefixes = Vec::new();
        for _ in 0..input.varint()? {
            prefixes.push(input.text()?.to_owned());
        }
        let mut requires = Vec::new();
        for _ in 0..input.varint()? {
            requires.push(Wanted::new(input.text()?));
        }
        let count = input.varint()?;
        let mut slots: Vec<Slot> = Vec::with_capacity(count.min(1 << 16) as usize);
        let texts = input.text()?.to_owned();
        let (mut start, mut at) = (0_u32, 0_u32);
        for _ in 0..count {
            let version = (at, u32::try_from(input.varint()?).ok()?);
            at = at.checked_add(version.1)?;
            let len = u32::try_from(input.varint()?).ok()?;
            let crc = u32::from_le_bytes(input.array()?);
            let oldest = i64::from_le_bytes(input.array()?);
            slots.push(Slot {
                version,
                start,
                len,
                crc,
                oldest: (oldest != i64::MIN).then_some(Timestamp(oldest)),
            });
            start = start.checked_add(len)?;
        }
        (at as usize == texts.len()).then_some(Self {
            base,
            prefixes,
            requires,
            slots,
            texts,
            absolute: OnceLock::new(),
            parsed: OnceLock::new(),
        })
    }

    /// The version of a slot.
    pub fn version(&self, slot: &Slot) -> Version {
        let (at, len) = (slot.version.0 as usize, slot.version.1 as usize);
        let text = self.texts.get(at..at + len).unwrap_or("");
        // Only what was a version was written, and the head's checksum was right.
        Version::from_str(text).unwrap_or_else(|_| Version::new([0]))
    }

    /// The number of body bytes that the slots describe.
    pub fn body_len(&self) -> usize {
        self.slots.last().map_or(0, |s| (s.start + s.len) as usize)
    }

    /// The release of a block, without the files that `keep` refuses; none where no file is left,
    /// or where the block is damaged.
    pub fn release(
        &self,
        project: &PackageName,
        slot: &Slot,
        block: &[u8],
        keep: impl Fn(&Distribution) -> bool,
    ) -> Option<Release> {
        if !slot.is_sound(block) {
            return None;
        }
        let mut wheels = Vec::new();
        let mut sdists = Vec::new();
        let mut input = Reader(block);
        while !input.0.is_empty() {
            let raw = self.raw(&mut input)?;
            match self.distribution(&raw, project) {
                Some(file) if keep(&file) => match file.filename {
                    Filename::Wheel(_) => wheels.push(file),
                    Filename::Sdist(_) => sdists.push(file),
                },
                _ => {}
            }
        }
        if wheels.is_empty() && sdists.is_empty() {
            return None;
        }
        wheels.sort_by(|a, b| a.file.cmp(&b.file));
        sdists.sort_by(|a, b| sdist_rank(&a.file).cmp(&sdist_rank(&b.file)));
        Some(Release {
            tree: None,
            version: self.version(slot),
            wheels,
            sdist: sdists.into_iter().next(),
        })
    }

    /// Looks at the files that [`Head::release`] would give until somebody has seen enough; nothing
    /// where the block is damaged.
    pub fn glimpse(
        &self,
        slot: &Slot,
        block: &[u8],
        cutoff: Option<Timestamp>,
        see: &mut dyn FnMut(Glimpse<'_>) -> ControlFlow<()>,
    ) {
        if !slot.is_sound(block) {
            return;
        }
        let mut input = Reader(block);
        let mut sdist: Option<Raw<'_>> = None;
        while let Some(raw) = self.raw(&mut input) {
            let late = cutoff.is_some_and(|cutoff| raw.uploaded.is_none_or(|at| at >= cutoff));
            if late || !self.has_address(&raw) {
                continue;
            }
            if raw.file.ends_with(".whl") {
                if see(raw.glimpse()).is_break() {
                    return;
                }
            } else if sdist
                .as_ref()
                .is_none_or(|best| sdist_rank(raw.file) < sdist_rank(best.file))
            {
                sdist = Some(raw);
            }
        }
        if let Some(raw) = sdist {
            let _ = see(raw.glimpse());
        }
    }

    /// The next record.
    fn raw<'a>(&'a self, input: &mut Reader<'a>) -> Option<Raw<'a>> {
        let [flags] = input.array()?;
        let has = |flag: u8| flags & flag != 0;
        let file = input.text()?;
        let [form] = input.array()?;
        let url = match form {
            WHOLE => RawUrl::Whole(input.text()?),
            form => {
                let number = usize::try_from(input.varint()?).ok()?;
                match form {
                    HASHED => RawUrl::Hashed(number, Sha256(input.array()?)),
                    _ => RawUrl::Beside(number),
                }
            }
        };
        let size = if has(SIZE) {
            Some(input.varint()?)
        } else {
            None
        };
        let sha256 = if has(SHA256) {
            Some(Sha256(input.array()?))
        } else {
            None
        };
        let requires = if has(REQUIRES) {
            Some(self.requires.get(usize::try_from(input.varint()?).ok()?)?)
        } else {
            None
        };
        let uploaded = if has(UPLOADED) {
            Some(Timestamp(i64::from_le_bytes(input.array()?)))
        } else {
            None
        };
        let yanked = if has(YANKED) {
            Some(input.text()?)
        } else {
            None
        };
        let metadata_sha256 = if has(METADATA_SHA256) {
            Some(Sha256(input.array()?))
        } else {
            None
        };
        Some(Raw {
            flags,
            file,
            url,
            size,
            sha256,
            requires,
            uploaded,
            yanked,
            metadata_sha256,
        })
    }

    /// A file as a value; none where it must be left out.
    fn distribution(&self, raw: &Raw<'_>, project: &PackageName) -> Option<Distribution> {
        let (filename, _) = Filename::parse(raw.file, project)?;
        Some(Distribution {
            filename,
            file: raw.file.to_owned(),
            url: self.url(raw)?,
            sha256: raw.sha256,
            size: raw.size,
            requires_python: raw.specifiers().cloned(),
            uploaded: raw.uploaded,
            yanked: raw.yanked.map(str::to_owned),
            has_metadata: raw.flags & METADATA != 0,
            metadata_sha256: raw.metadata_sha256,
        })
    }

    /// Whether a file's address makes sense.
    fn has_address(&self, raw: &Raw<'_>) -> bool {
        let plain = match raw.url {
            RawUrl::Whole(_) => false,
            RawUrl::Hashed(number, _) | RawUrl::Beside(number) => {
                self.folder(number).is_some() && raw.file.bytes().all(is_plain)
            }
        };
        plain || self.url(raw).is_some()
    }

    /// The address of a file; none where it makes no sense.
    fn url(&self, raw: &Raw<'_>) -> Option<FileUrl> {
        let (number, hash) = match &raw.url {
            RawUrl::Whole(text) => {
                return resolve_url(self.parsed_base()?, text).map(FileUrl::from);
            }
            RawUrl::Hashed(number, hash) => (*number, Some(hash.hex())),
            RawUrl::Beside(number) => (*number, None),
        };
        let join = |prefix: &str| {
            let mut url = String::with_capacity(prefix.len() + 67 + raw.file.len());
            url.push_str(prefix);
            if let Some(hex) = &hash {
                for part in [hex.get(..2)?, hex.get(2..4)?, hex.get(4..)?] {
                    url.push_str(part);
                    url.push('/');
                }
            }
            url.push_str(raw.file);
            Some(url)
        };
        if let Some(prefix) = self.folder(number)
            && raw.file.bytes().all(is_plain)
        {
            return Some(FileUrl::joined(join(prefix)?));
        }
        let url = join(self.prefixes.get(number)?)?;
        resolve_url(self.parsed_base()?, &url).map(FileUrl::from)
    }

    /// A prefix as an absolute address, if a name can simply follow it.
    fn folder(&self, number: usize) -> Option<&str> {
        let absolute = self.absolute.get_or_init(|| {
            let base = self.parsed_base();
            let absolute = |prefix: &String| absolute_prefix(base?, prefix);
            self.prefixes.iter().map(absolute).collect()
        });
        absolute.get(number)?.as_deref()
    }

    fn parsed_base(&self) -> Option<&Url> {
        let parsed = self.parsed.get_or_init(|| Url::parse(&self.base).ok());
        parsed.as_ref()
    }
}

impl<'a> Raw<'a> {
    fn specifiers(&self) -> Option<&'a VersionSpecifiers> {
        self.requires.and_then(Wanted::specifiers)
    }

    fn glimpse(&self) -> Glimpse<'a> {
        Glimpse::new(self.file, self.specifiers(), self.yanked.is_some())
    }
}

fn sdist_rank(file: &str) -> (u8, &str) {
    let rank = if file.ends_with(".tar.gz") {
        0
    } else if file.ends_with(".zip") {
        1
    } else {
        2
    };
    (rank, file)
}

/// The number of a text; neighbours mostly have the same.
fn intern<T: AsRef<str>>(
    numbers: &mut HashMap<String, u32>,
    list: &mut Vec<T>,
    last: &mut u32,
    text: &str,
    new: impl Fn(&str) -> T,
) -> u32 {
    if list
        .get(*last as usize)
        .is_some_and(|same| same.as_ref() == text)
    {
        return *last;
    }
    let number = match numbers.get(text) {
        Some(number) => *number,
        None => {
            let number = list.len() as u32;
            list.push(new(text));
            numbers.insert(text.to_owned(), number);
            number
        }
    };
    *last = number;
    number
}

impl AsRef<str> for Wanted {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::bytes::digest;

    fn build(files: &[Listed]) -> (Head, Vec<u8>) {
        let name = PackageName::from_str("demo").unwrap();
        let base = Url::parse("https://index.test/simple/demo/").unwrap();
        let mut builder = Builder::new(&name, &base);
        for file in files {
            builder.add(file);
        }
        builder.finish()
    }

    fn release(head: &Head, body: &[u8], version: &str) -> Option<Release> {
        let name = PackageName::from_str("demo").unwrap();
        let version = Version::from_str(version).unwrap();
        let slot = head
            .slots
            .iter()
            .find(|slot| head.version(slot) == version)?;
        let block = &body[slot.start as usize..(slot.start + slot.len) as usize];
        head.release(&name, slot, block, |_| true)
    }

    #[test]
    fn files_come_back_by_release() {
        let hash = "ab".repeat(32);
        let folder = format!(
            "https://files.test/packages/{}/{}/{}/",
            &hash[..2],
            &hash[2..4],
            &hash[4..]
        );
        let wheel = "demo-1.0-py3-none-any.whl";
        let url = format!("{folder}{wheel}");
        let (head, body) = build(&[
            Listed {
                file: "demo-2.0.tar.gz",
                url: "../../files/demo-2.0.tar.gz",
                yanked: Some("broken"),
                ..Listed::default()
            },
            Listed {
                file: wheel,
                url: &url,
                sha256: digest(&hash),
                size: Some(300),
                requires_python: Some(">=3.8"),
                uploaded: Some("2024-01-02T03:04:05.6Z"),
                has_metadata: true,
                metadata_sha256: digest(&hash),
                ..Listed::default()
            },
            Listed {
                file: "demo-1.0.exe",
                url: "x",
                ..Listed::default()
            },
            Listed {
                file: "demo-1.0.0.zip",
                url: "x?y=1",
                ..Listed::default()
            },
        ]);
        let head = Head::from_bytes(&head.to_bytes()).unwrap();
        assert_eq!(head.slots.len(), 2);
        assert_eq!(head.body_len(), body.len());
        let one = release(&head, &body, "1").unwrap();
        let file = &one.wheels[0];
        assert_eq!(file.url.as_str(), url);
        assert_eq!(file.sha256.unwrap().hex(), hash);
        assert_eq!(file.metadata_sha256.unwrap().hex(), hash);
        assert_eq!(file.size, Some(300));
        assert_eq!(file.requires_python.as_ref().unwrap().to_string(), ">=3.8");
        assert_eq!(file.uploaded.unwrap().text(), "2024-01-02T03:04:05.600000Z");
        assert!(file.has_metadata);
        assert_eq!(
            one.sdist.unwrap().url.as_str(),
            "https://index.test/simple/demo/x?y=1"
        );
        let two = release(&head, &body, "2.0").unwrap();
        let sdist = two.sdist.as_ref().unwrap();
        assert_eq!(
            sdist.url.as_str(),
            "https://index.test/files/demo-2.0.tar.gz"
        );
        assert!(two.is_yanked());
    }

    #[test]
    fn damage_is_noticed() {
        let (head, mut body) = build(&[Listed {
            file: "demo-1.tar.gz",
            url: "demo-1.tar.gz",
            ..Listed::default()
        }]);
        let bytes = head.to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Head::from_bytes(&bytes[..end]), None);
        }
        body[3] ^= 1;
        assert_eq!(release(&head, &body, "1"), None);
    }
}
