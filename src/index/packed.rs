//! A project's page in compact bytes: what the cache stores and what memory holds.
//!
//! Of the thousands of files that a page may list, a run looks at a handful. So files are kept as
//! some hundred bytes each, grouped by release, and become [`Distribution`]s only when their
//! release is asked for. The head lists the versions; each release's block has its own checksum,
//! so that a block can be read from disk alone.
//!
//! All integers are little-endian; `varint` is LEB128; a text is a varint length and UTF-8.

mod build;

use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::OnceLock;

use url::Url;

pub use build::{Builder, Listed};

use super::address::{absolute_prefix, is_plain, resolve_url};
use super::bytes::{Reader, put_text, put_varint};
use super::release::Glimpse;
use super::timestamp::Timestamp;
use super::{Distribution, FileUrl, Release};
use crate::python::{Filename, PackageName, Sha256, Version, VersionSpecifiers};

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

impl AsRef<str> for Wanted {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests;
