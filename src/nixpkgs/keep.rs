//! What was read of trees, kept on disk: by the tree's digest and the interpreter. Another version of
//! the program, or of the tree, has another name; a file that cannot be read is as good as none.
//!
//! A run needs the recipes of a few attributes out of thousands. So a file is an index of all
//! attributes, which is read whole, and behind it a record for each recipe, which is read when
//! somebody looks at it:
//!
//! ```text
//! PYRN4 <bytes of the index> <crc of the index> <bytes of the records> <crc of the records>
//! a <attribute> <project> <version> <1 if primary> <bytes of the record> <crc of the record>
//! e <attribute> <project>        an attribute of another interpreter's set
//! <records, JSON>
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use super::facts::{AttributeFacts, Facts};
use super::{Attribute, Nixpkgs};
use crate::python::{PackageName, Version};

/// Larger indexes are not ours.
const MAX_INDEX: usize = 64 << 20;

/// Larger records are not ours.
const MAX_RECORD: usize = 4 << 20;

/// How many trees are remembered.
const MAX_TREES: usize = 12;

/// Larger files are not ours.
const MAX_RECORDS: u64 = 1 << 30;

/// How a file begins: the format, which changes with what facts are.
const MAGIC: &str = "PYRN4";

/// A recipe on disk.
#[derive(Debug, Clone)]
pub(super) struct Record {
    file: Arc<File>,
    at: u64,
    len: usize,
    crc: u32,
}

impl Record {
    /// Reads it; none where it is not what was written.
    pub fn read(&self) -> Option<AttributeFacts> {
        let mut bytes = vec![0; self.len];
        self.file.read_exact_at(&mut bytes, self.at).ok()?;
        if crc32fast::hash(&bytes) != self.crc {
            return None;
        }
        serde_json::from_slice(&bytes).ok()
    }
}

/// Where the set of a tree is kept.
pub(super) fn path(cache: &Path, digest: &str, python: &str, evaluated: bool) -> PathBuf {
    let how = if evaluated { "evaluated" } else { "read" };
    let version = env!("CARGO_PKG_VERSION");
    cache
        .join("nixpkgs")
        .join(format!("{digest}-{python}-{how}-{version}.set"))
}

/// What is kept there. Its name and date are the tree's, and are not kept.
pub(super) fn load(path: &Path) -> Option<Nixpkgs> {
    let file = Arc::new(File::open(path).ok()?);
    let mut head = [0; 64];
    let len = file.read_at(&mut head, 0).ok()?;
    let head = head.get(..len)?;
    let end = head.iter().position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(head.get(..end)?).ok()?.split(' ');
    if words.next()? != MAGIC {
        return None;
    }
    let len: usize = words.next()?.parse().ok()?;
    let crc: u32 = words.next()?.parse().ok()?;
    let records: u64 = words.next()?.parse().ok()?;
    let records_crc: u32 = words.next()?.parse().ok()?;
    if len > MAX_INDEX || records > MAX_RECORDS {
        return None;
    }
    let mut index = vec![0; len];
    file.read_exact_at(&mut index, end as u64 + 1).ok()?;
    if crc32fast::hash(&index) != crc {
        return None;
    }
    let index = String::from_utf8(index).ok()?;
    let at = (end + 1 + len) as u64;
    // A recipe that turned out to be damaged later would count as one that nobody could read.
    (crc_of(&file, at, records)? == records_crc).then_some(())?;
    parse(&index, &file, at)
}

/// The checksum of a part of a file.
fn crc_of(file: &File, mut at: u64, mut len: u64) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    let mut piece = vec![0; 256 << 10];
    while len > 0 {
        let size = usize::try_from(len).map_or(piece.len(), |len| len.min(piece.len()));
        let part = piece.get_mut(..size)?;
        file.read_exact_at(part, at).ok()?;
        hasher.update(part);
        (at, len) = (at + size as u64, len - size as u64);
    }
    Some(hasher.finalize())
}

fn parse(index: &str, file: &Arc<File>, mut at: u64) -> Option<Nixpkgs> {
    let mut attributes = Vec::new();
    let mut elsewhere = BTreeMap::new();
    for line in index.lines() {
        let mut words = line.split('\t');
        let kind = words.next()?;
        let attr = words.next()?.to_owned();
        let project = PackageName::from_str(words.next()?).ok()?;
        if kind == "e" {
            elsewhere.insert(attr, project);
            continue;
        }
        let version = Version::from_str(words.next()?).ok()?;
        let primary = words.next()? == "1";
        let len: usize = words.next()?.parse().ok()?;
        let crc: u32 = words.next()?.parse().ok()?;
        let facts = match len {
            0 => Facts::default(),
            1..MAX_RECORD => Facts::kept(Record {
                file: Arc::clone(file),
                at,
                len,
                crc,
            }),
            _ => return None,
        };
        at += len as u64;
        attributes.push(Attribute {
            attr,
            project,
            version,
            primary,
            facts,
        });
    }
    let set = Nixpkgs::new(String::new(), String::new(), attributes);
    Some(set.with_elsewhere(elsewhere))
}

/// Keeps it; that it cannot be kept only costs time.
pub(super) fn store(path: &Path, set: &Nixpkgs) {
    let Some(folder) = path.parent() else { return };
    let Some(bytes) = to_bytes(set) else { return };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|mut file| file.write_all(&bytes).map(|()| file));
    if let Ok(file) = written
        && file.persist(path).is_ok()
    {
        forget_old(folder);
    }
}

fn to_bytes(set: &Nixpkgs) -> Option<Vec<u8>> {
    let plain = |attr: &str| !attr.contains(char::is_control);
    let mut index = String::new();
    let mut records = Vec::new();
    for attribute in set.all() {
        let record = match attribute.facts.as_deref() {
            Some(facts) => serde_json::to_vec(facts).ok()?,
            None => Vec::new(),
        };
        if !plain(&attribute.attr) || record.len() >= MAX_RECORD {
            return None;
        }
        let Attribute {
            attr,
            project,
            version,
            ..
        } = attribute;
        let (primary, len) = (u8::from(attribute.primary), record.len());
        let crc = crc32fast::hash(&record);
        let _ = writeln!(
            index,
            "a\t{attr}\t{project}\t{version}\t{primary}\t{len}\t{crc}"
        );
        records.extend(record);
    }
    for (attr, project) in set.elsewhere() {
        if !plain(attr) {
            return None;
        }
        let _ = writeln!(index, "e\t{attr}\t{project}");
    }
    let head = format!(
        "{MAGIC} {} {} {} {}\n",
        index.len(),
        crc32fast::hash(index.as_bytes()),
        records.len(),
        crc32fast::hash(&records)
    );
    Some([head.as_bytes(), index.as_bytes(), &records].concat())
}

/// Forgets trees that were not read lately, beyond a number of them, and what other versions of the
/// program kept.
fn forget_old(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let ours = |entry: &std::fs::DirEntry| {
        let path = entry.path();
        path.extension().is_some_and(|e| e == "set" || e == "json")
    };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(ours)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(MAX_TREES);
    for (_, path) in files.into_iter().take(surplus) {
        let _ = std::fs::remove_file(path);
    }
}
