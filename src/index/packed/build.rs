//! Packing a page: its files, as they are listed, to a head and a body.
//!
//! A page may list thousands of files, so what they share is looked at once: a file mostly has the
//! name's spelling, the version, the folder and the `requires-python` of the file before it.

use std::cell::Cell;
use std::collections::HashMap;
use std::str::FromStr;

use url::Url;

use super::{
    BESIDE, HASHED, Head, METADATA, METADATA_SHA256, REQUIRES, SHA256, SIZE, Slot, UPLOADED, WHOLE,
    Wanted, YANKED,
};
use crate::index::bytes::{hashed_folder, put_text, put_varint};
use crate::index::timestamp::Timestamp;
use crate::python::filename::Label;
use crate::python::{PackageName, Version};

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

/// Collects the files of a page.
#[derive(Debug)]
pub struct Builder<'n> {
    project: &'n PackageName,
    head: Head,
    /// Records in the order of the page.
    arena: Vec<u8>,
    /// For each record: its version's number, and where it lies in the arena.
    records: Vec<(u32, u32, u32)>,
    versions: Vec<Numbered>,
    by_version: HashMap<Version, u32>,
    prefix_of: HashMap<String, u32>,
    requires_of: HashMap<String, u32>,
    last_prefix: u32,
    last_requires: u32,
    /// How files spell the project's name.
    names: Vec<String>,
    /// The last file's version as it spells it, whether it was a wheel, and the version's number.
    last: Option<(String, bool, u32)>,
}

/// A version that occurs.
#[derive(Debug)]
struct Numbered {
    version: Version,
    /// As the version is written, not as a file spells it.
    text: String,
    oldest: Option<Timestamp>,
}

/// So many spellings of a name are remembered; more make no sense.
const NAMES: usize = 8;
/// A thread's buffer for records; larger ones are given back.
const KEPT: usize = 8 << 20;

thread_local! {
    /// The buffer of the last page that this thread packed: fresh memory costs more than records.
    static ARENA: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
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
            arena: ARENA.take(),
            records: Vec::new(),
            versions: Vec::new(),
            by_version: HashMap::new(),
            prefix_of: HashMap::new(),
            requires_of: HashMap::new(),
            last_prefix: 0,
            last_requires: 0,
            names: Vec::new(),
            last: None,
        }
    }

    /// With room for the files of a page of so many bytes.
    pub fn with_room(mut self, bytes: usize) -> Self {
        // A file takes some 700 bytes in JSON and 160 packed.
        self.arena.reserve(bytes / 5);
        self.records.reserve(bytes / 600);
        self
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
        if let Some(Numbered { oldest, .. }) = self.versions.get_mut(version as usize) {
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

    /// The number of the version of a file; consecutive files mostly have the same.
    fn version_of(&mut self, file: &str) -> Option<u32> {
        let (project, names) = (self.project, &mut self.names);
        let label = Label::of(file, |name| is_ours(name, project, names))?;
        if let Some((text, wheel, number)) = &self.last
            && label.version == text
            && (label.wheel == *wheel || !text.contains('_'))
        {
            return Some(*number);
        }
        let version = label.version()?;
        let number = match self.by_version.get(&version) {
            Some(number) => *number,
            None => {
                let number = self.versions.len() as u32;
                self.by_version.insert(version.clone(), number);
                self.versions.push(Numbered {
                    text: text_of(&version, label.version),
                    version,
                    oldest: None,
                });
                number
            }
        };
        let (text, wheel, last) = self.last.get_or_insert_default();
        text.clear();
        text.push_str(label.version);
        (*wheel, *last) = (label.wheel, number);
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
            let version = |n: &u32| self.versions.get(*n as usize).map(|v| &v.version);
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
            if let Some(Numbered { text, oldest, .. }) = self.versions.get(number as usize) {
                let at = self.head.texts.len() as u32;
                self.head.texts.push_str(text);
                self.head.slots.push(Slot {
                    version: (at, text.len() as u32),
                    start: start as u32,
                    len: block.len() as u32,
                    crc: crc32fast::hash(block),
                    oldest: *oldest,
                });
            }
        }
        if self.arena.capacity() <= KEPT {
            self.arena.clear();
            ARENA.set(self.arena);
        }
        (self.head, body)
    }
}

/// Whether a file's name is the project's; few spellings of it occur.
fn is_ours(name: &str, project: &PackageName, known: &mut Vec<String>) -> bool {
    if known.iter().any(|known| known == name) {
        return true;
    }
    // Normalizing never adds to a name.
    let ours = name.len() >= project.as_ref().len()
        && PackageName::from_str(name).is_ok_and(|name| name == *project);
    if ours && known.len() < NAMES {
        known.push(name.to_owned());
    }
    ours
}

/// A version as text. What is only numbers without leading zeros is written as it was spelled.
fn text_of(version: &Version, spelled: &str) -> String {
    let is_plain = |number: &str| {
        number.bytes().all(|digit| digit.is_ascii_digit())
            && (number == "0" || !number.starts_with('0'))
    };
    if spelled.split('.').all(is_plain) {
        return spelled.to_owned();
    }
    version.to_string()
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
