//! [`Archive`]: an sdist or a wheel as [`Files`], in memory; nothing is ever written to disk.
//!
//! Archives are hostile. Their size unpacked, their ratio and the number of their members are
//! bounded; a member or a link that leads out of the tree makes the whole archive an error, as it
//! does for Python's own `data` filter (PEP 706). Of the members, all names are kept but only the
//! content that a reader may ask for: small files that are not images, libraries and the like.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use super::files::{Files, FilesError, MAX_FILE};

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Neither a tar nor a zip archive, or a damaged one.
    #[error("{archive} is no archive that we can read")]
    Malformed {
        /// The archive.
        archive: String,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// A member or a link leads out of the tree.
    #[error("{archive} has a member that leads out of it: `{member}`")]
    Outside {
        /// The archive.
        archive: String,
        /// The member's name or the link's target.
        member: String,
    },
    /// More members, or more content, than any release has.
    #[error("{archive} unpacks to more than {limit}, which looks like an archive bomb")]
    TooLarge {
        /// The archive.
        archive: String,
        /// The limit with its unit.
        limit: String,
    },
    /// It cannot be had from disk.
    #[error("{archive}")]
    Io {
        /// The archive.
        archive: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

const MAX_MEMBERS: usize = 300_000;
/// Unpacked size that is fine whatever the ratio.
const FREE_SIZE: u64 = 512 << 20;
const MAX_RATIO: u64 = 100;
const MAX_SIZE: u64 = 8 << 30;
/// All content that is kept of one archive.
const MAX_KEPT: u64 = 256 << 20;
/// Content that is kept of one member, unless it is Python source or lies at the root.
const MAX_MEMBER: u64 = 512 << 10;
/// Names of tar's extension headers and the targets of links.
const MAX_NAME: u64 = 1 << 20;
const MAX_ARCHIVE: u64 = 4 << 30;
const MAX_HOPS: usize = 32;

/// What no reader asks for: media, compiled code, data, archives.
const BULKY: [&str; 58] = [
    "7z", "a", "avi", "bin", "bmp", "bz2", "c", "cc", "class", "cpp", "css", "csv", "cu", "cxx",
    "dat", "db", "dll", "doc", "docx", "dylib", "eot", "exe", "f", "f90", "gif", "go", "gz", "h5",
    "hdf5", "ico", "ipynb", "jar", "jpeg", "jpg", "js", "map", "mo", "mp3", "mp4", "npy", "npz",
    "o", "otf", "parquet", "pdf", "pickle", "pkl", "png", "po", "pyc", "pyd", "rs", "so", "svg",
    "ttf", "woff", "woff2", "xz",
];

/// An archive in memory.
#[derive(Debug)]
pub struct Archive {
    name: String,
    entries: BTreeMap<String, Entry>,
    folders: BTreeMap<String, BTreeSet<String>>,
    duplicates: BTreeSet<String>,
    /// The folder that everything lies in, which paths leave out.
    top: Option<String>,
}

#[derive(Debug)]
enum Entry {
    Kept(Vec<u8>),
    /// A file whose content was not kept.
    Named,
    /// A link, with its target from the root.
    Link(String),
}

impl Archive {
    /// Reads an archive that is already in memory. `name` is its file name: a wheel keeps its
    /// layout, of an sdist the one folder at the top is stripped.
    ///
    /// # Errors
    /// When it is malformed, a bomb, or leads out of itself.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, ArchiveError> {
        let mut members = Members::new(name, bytes.len() as u64);
        let malformed = |source| ArchiveError::Malformed {
            archive: name.to_owned(),
            source,
        };
        let outcome = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            members.read_zip(bytes)
        } else if bytes.starts_with(b"\x1f\x8b") {
            members.read_tar(flate2::read::MultiGzDecoder::new(bytes))
        } else if bytes.starts_with(b"BZh") {
            members.read_tar(bzip2::read::MultiBzDecoder::new(bytes))
        } else if bytes.starts_with(b"\xfd7zXZ\0") {
            if !xz_is_modest(bytes) {
                return Err(members.too_large("a dictionary of 256 MB"));
            }
            members.read_tar(lzma_rust2::XzReader::new(bytes, true))
        } else if bytes.get(257..262) == Some(b"ustar") {
            members.read_tar(bytes)
        } else {
            let source = io::Error::other("it starts like no tar or zip archive");
            return Err(malformed(source));
        };
        match outcome {
            Ok(()) => members.finish(),
            Err(Stop::Archive(e)) => Err(e),
            Err(Stop::Io(e)) => Err(malformed(e)),
        }
    }

    /// A tree of files that are already in memory, by their paths.
    ///
    /// # Errors
    /// When a path leads out of the tree.
    pub fn from_files<'f>(
        name: &str,
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
    ) -> Result<Self, ArchiveError> {
        let mut members = Members::new(name, 0);
        for (path, content) in files {
            let path = normal("", path).ok_or_else(|| ArchiveError::Outside {
                archive: name.to_owned(),
                member: path.to_owned(),
            })?;
            members.insert(path, Entry::Kept(content.to_vec()));
        }
        members.plant(None)
    }

    /// Reads an archive from disk.
    ///
    /// # Errors
    /// As [`Archive::parse`], and when the file cannot be had.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let shown = path.display().to_string();
        let fail = |source| ArchiveError::Io {
            archive: shown.clone(),
            source,
        };
        let length = std::fs::metadata(path).map_err(fail)?.len();
        if length > MAX_ARCHIVE {
            return Err(fail(io::Error::other("it is larger than 4 GB")));
        }
        let bytes = std::fs::read(path).map_err(fail)?;
        let mut archive = Self::parse(&shown, &bytes)?;
        archive.name = shown;
        Ok(archive)
    }

    /// The folder at the top of the archive that everything lies in; none where there is none, and of
    /// wheels. Paths start below it.
    pub fn top(&self) -> Option<&str> {
        self.top.as_deref()
    }

    /// The paths of all files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Paths that occur more than once; the last one counts.
    pub fn duplicates(&self) -> &BTreeSet<String> {
        &self.duplicates
    }

    /// The path behind a path: links followed, whether they are its last part or not.
    fn resolve(&self, path: &str) -> Option<String> {
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut resolved = String::new();
        let mut hops = 0;
        while let Some(part) = rest.pop() {
            if part.is_empty() || part == "." {
                continue;
            }
            let next = join(&resolved, &part);
            match self.entries.get(&next) {
                Some(Entry::Link(target)) => {
                    hops += 1;
                    if hops > MAX_HOPS {
                        return None;
                    }
                    rest.extend(target.split('/').rev().map(str::to_owned));
                    resolved.clear();
                }
                _ => resolved = next,
            }
        }
        Some(resolved)
    }
}

impl Files for Archive {
    fn read(&self, path: &str) -> Result<Vec<u8>, FilesError> {
        let missing = || FilesError::NotFound(path.to_owned());
        if path.split('/').any(|p| p == "..") || path.starts_with('/') {
            return Err(FilesError::Outside(path.to_owned()));
        }
        let real = self.resolve(path).ok_or_else(missing)?;
        match self.entries.get(&real).ok_or_else(missing)? {
            Entry::Kept(bytes) => Ok(bytes.clone()),
            Entry::Named => Err(FilesError::TooLarge {
                path: path.to_owned(),
                limit: MAX_MEMBER,
            }),
            Entry::Link(_) => Err(missing()),
        }
    }

    fn is_file(&self, path: &str) -> bool {
        let real = self.resolve(path);
        real.is_some_and(|real| {
            matches!(self.entries.get(&real), Some(Entry::Kept(_) | Entry::Named))
        })
    }

    fn is_dir(&self, path: &str) -> bool {
        let real = self.resolve(path);
        real.is_some_and(|real| real.is_empty() || self.folders.contains_key(&real))
    }

    fn list(&self, path: &str) -> Vec<String> {
        let names = self.resolve(path).and_then(|real| self.folders.get(&real));
        names.map_or_else(Vec::new, |names| names.iter().cloned().collect())
    }

    fn display(&self, path: &str) -> PathBuf {
        Path::new(&self.name).join(path)
    }
}

enum Stop {
    Io(io::Error),
    Archive(ArchiveError),
}

impl From<io::Error> for Stop {
    fn from(e: io::Error) -> Self {
        match e
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<TooLarge>())
        {
            Some(TooLarge(archive)) => Stop::Archive(ArchiveError::TooLarge {
                archive: archive.clone(),
                limit: "a hundred times its size".to_owned(),
            }),
            None => Stop::Io(e),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0} unpacks to too much")]
struct TooLarge(String);

/// What is gathered while an archive is read.
struct Members<'a> {
    archive: &'a str,
    limit: u64,
    kept: u64,
    count: usize,
    entries: BTreeMap<String, Entry>,
    /// Links as `(path, target)`, both within the archive; the target is not looked up yet.
    links: BTreeMap<String, String>,
    folders: BTreeSet<String>,
    duplicates: BTreeSet<String>,
}

impl<'a> Members<'a> {
    fn new(archive: &'a str, size: u64) -> Self {
        Self {
            archive,
            limit: FREE_SIZE.max(size.saturating_mul(MAX_RATIO)).min(MAX_SIZE),
            kept: 0,
            count: 0,
            entries: BTreeMap::new(),
            links: BTreeMap::new(),
            folders: BTreeSet::new(),
            duplicates: BTreeSet::new(),
        }
    }

    fn too_large(&self, limit: &str) -> ArchiveError {
        ArchiveError::TooLarge {
            archive: self.archive.to_owned(),
            limit: limit.to_owned(),
        }
    }

    fn outside(&self, member: &str) -> Stop {
        Stop::Archive(ArchiveError::Outside {
            archive: self.archive.to_owned(),
            member: member.to_owned(),
        })
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.count += 1;
        if self.count > MAX_MEMBERS {
            return Err(Stop::Archive(self.too_large("300,000 members")));
        }
        Ok(())
    }

    fn read_tar(&mut self, reader: impl Read) -> Result<(), Stop> {
        let mut bounded = tar::Archive::new(Bounded {
            reader,
            left: self.limit,
            archive: self.archive.to_owned(),
        });
        // Raw entries: the library would read an extension of any size into memory.
        let mut long_name: Option<String> = None;
        let mut long_link: Option<String> = None;
        for entry in bounded.entries()?.raw(true) {
            let mut entry = entry?;
            self.count()?;
            let kind = entry.header().entry_type();
            match kind {
                tar::EntryType::GNULongName => long_name = Some(text_of(&mut entry)?),
                tar::EntryType::GNULongLink => long_link = Some(text_of(&mut entry)?),
                tar::EntryType::XHeader => {
                    let mut extension = Vec::new();
                    (&mut entry).take(MAX_NAME).read_to_end(&mut extension)?;
                    for field in tar::PaxExtensions::new(&extension).flatten() {
                        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
                        match field.key_bytes() {
                            b"path" => long_name = Some(value),
                            b"linkpath" => long_link = Some(value),
                            _ => {}
                        }
                    }
                }
                tar::EntryType::XGlobalHeader => {}
                _ => {
                    let name = long_name.take().unwrap_or_else(|| {
                        String::from_utf8_lossy(&entry.header().path_bytes()).into_owned()
                    });
                    let link = long_link.take().or_else(|| {
                        let link = entry.header().link_name_bytes()?;
                        Some(String::from_utf8_lossy(&link).into_owned())
                    });
                    self.add_tar(&name, link, kind, &mut entry)?;
                }
            }
        }
        Ok(())
    }

    fn add_tar(
        &mut self,
        name: &str,
        link: Option<String>,
        kind: tar::EntryType,
        entry: &mut impl TarEntry,
    ) -> Result<(), Stop> {
        let path = normal("", name).ok_or_else(|| self.outside(name))?;
        match kind {
            tar::EntryType::Directory => {
                self.folders.insert(path);
            }
            tar::EntryType::Symlink => {
                let link = link.unwrap_or_default();
                let target = normal(parent(&path), &link).ok_or_else(|| self.outside(&link))?;
                self.links.insert(path, target);
            }
            tar::EntryType::Link => {
                let link = link.unwrap_or_default();
                let target = normal("", &link).ok_or_else(|| self.outside(&link))?;
                self.links.insert(path, target);
            }
            tar::EntryType::Regular | tar::EntryType::Continuous => {
                // Tar's oldest dialect marks a folder by a slash only.
                if name.ends_with('/') {
                    self.folders.insert(path);
                } else {
                    let size = entry.size();
                    self.add_file(path, size, entry)?;
                }
            }
            // Devices, pipes and what we do not know have no content that a reader could want.
            _ => {}
        }
        Ok(())
    }

    fn read_zip(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let zip_error = |e: zip::result::ZipError| Stop::Io(io::Error::other(e.to_string()));
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(zip_error)?;
        let mut unpacked = 0u64;
        for index in 0..zip.len() {
            self.count()?;
            let Ok(mut file) = zip.by_index(index) else {
                // Encrypted, or packed in a way that no Python writes: the name is all we have.
                if let Some(Ok(name)) = zip.name_for_index(index)
                    && let Some(path) = normal("", &name.replace('\\', "/"))
                {
                    self.insert(path, Entry::Named);
                }
                continue;
            };
            let name = match file.name() {
                Ok(name) => name.replace('\\', "/"),
                Err(_) => String::from_utf8_lossy(file.name_raw()).replace('\\', "/"),
            };
            let path = normal("", &name).ok_or_else(|| self.outside(&name))?;
            if file.is_dir() {
                self.folders.insert(path);
                continue;
            }
            if file.is_symlink() {
                let link = text_of(&mut file)?;
                let target = normal(parent(&path), &link).ok_or_else(|| self.outside(&link))?;
                self.links.insert(path, target);
                continue;
            }
            let size = file.size();
            unpacked = unpacked.saturating_add(size);
            if unpacked > self.limit {
                return Err(Stop::Archive(self.too_large("a hundred times its size")));
            }
            self.add_file(path, size, &mut file)?;
        }
        Ok(())
    }

    fn add_file(&mut self, path: String, size: u64, reader: &mut impl Read) -> Result<(), Stop> {
        if !is_wanted(&path, size) || self.kept.saturating_add(size) > MAX_KEPT {
            self.insert(path, Entry::Named);
            return Ok(());
        }
        let mut content = Vec::new();
        // A zip member may be larger than its directory says.
        let read = reader.take(size + 1).read_to_end(&mut content)? as u64;
        if read > size {
            self.insert(path, Entry::Named);
            return Ok(());
        }
        self.kept += read;
        self.insert(path, Entry::Kept(content));
        Ok(())
    }

    fn insert(&mut self, path: String, entry: Entry) {
        if self.entries.contains_key(&path) {
            self.duplicates.insert(path.clone());
        }
        self.links.remove(&path);
        self.entries.insert(path, entry);
    }

    /// Strips the top folder, if there is to be none, and turns members into a tree.
    fn finish(self) -> Result<Archive, ArchiveError> {
        let top = if Path::new(self.archive)
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("whl"))
        {
            None
        } else {
            self.top()
        };
        self.plant(top)
    }

    /// The members below `top`, or all of them, as a tree.
    fn plant(self, top: Option<String>) -> Result<Archive, ArchiveError> {
        let strip = |path: &str| match &top {
            None => Some(path.to_owned()),
            Some(top) if path == top => Some(String::new()),
            Some(top) => Some(path.strip_prefix(top)?.strip_prefix('/')?.to_owned()),
        };
        let mut archive = Archive {
            name: self.archive.to_owned(),
            entries: BTreeMap::new(),
            folders: BTreeMap::new(),
            duplicates: self.duplicates.iter().filter_map(|d| strip(d)).collect(),
            top: top.clone(),
        };
        for (path, target) in &self.links {
            let Some(path) = strip(path) else {
                continue;
            };
            let Some(target) = strip(target) else {
                return Err(ArchiveError::Outside {
                    archive: self.archive.to_owned(),
                    member: target.clone(),
                });
            };
            archive.entries.insert(path, Entry::Link(target));
        }
        for (path, entry) in self.entries {
            if let Some(path) = strip(&path).filter(|p| !p.is_empty()) {
                archive.entries.insert(path, entry);
            }
        }
        let mut known = BTreeSet::new();
        let paths = archive.entries.keys().cloned().collect::<Vec<_>>();
        for path in &paths {
            enter(&mut archive.folders, &mut known, path);
        }
        for folder in self.folders.iter().filter_map(|f| strip(f)) {
            enter(&mut archive.folders, &mut known, &folder);
            archive.folders.entry(folder).or_default();
        }
        Ok(archive)
    }

    /// The one folder that holds everything; of several, the one with the sdist's PKG-INFO.
    fn top(&self) -> Option<String> {
        let mut tops = BTreeSet::new();
        let names = self.entries.keys().chain(self.links.keys());
        for name in names.filter(|n| !is_litter(n)) {
            let (first, _) = name.split_once('/')?;
            if !tops.contains(first) {
                tops.insert(first.to_owned());
            }
        }
        if tops.len() > 1 {
            tops.retain(|top| self.entries.contains_key(&format!("{top}/PKG-INFO")));
        }
        let only = tops.pop_first();
        only.filter(|_| tops.is_empty())
    }
}

/// What macOS leaves in archives.
fn is_litter(name: &str) -> bool {
    name.starts_with("._") || name.starts_with("__MACOSX/") || name == "pax_global_header"
}

/// Enters a path into the folders above it.
fn enter(
    folders: &mut BTreeMap<String, BTreeSet<String>>,
    known: &mut BTreeSet<String>,
    path: &str,
) {
    let mut child = path;
    while !child.is_empty() && known.insert(child.to_owned()) {
        let folder = parent(child);
        let name = child.rsplit('/').next().unwrap_or(child);
        folders
            .entry(folder.to_owned())
            .or_default()
            .insert(name.to_owned());
        child = folder;
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// A path from the archive's root; none where it leads out of it.
fn normal(folder: &str, path: &str) -> Option<String> {
    let path = path.trim_end_matches('\0');
    let bytes = path.as_bytes();
    let has_drive =
        bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if path.starts_with(['/', '\\']) || has_drive || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn is_wanted(path: &str, size: u64) -> bool {
    if size > MAX_FILE {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    let extension = extension.as_deref().unwrap_or_default();
    if BULKY.binary_search(&extension).is_ok() {
        return false;
    }
    let is_shallow = path.matches('/').count() <= 1;
    size <= MAX_MEMBER || extension == "py" || is_shallow
}

/// A name or a link's target that is stored as content.
fn text_of(reader: &mut impl Read) -> io::Result<String> {
    let mut text = Vec::new();
    reader.take(MAX_NAME).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text)
        .trim_end_matches('\0')
        .to_owned())
}

trait TarEntry: Read {
    fn size(&self) -> u64;
}

impl<R: Read> TarEntry for tar::Entry<'_, R> {
    fn size(&self) -> u64 {
        tar::Entry::size(self)
    }
}

/// A reader that fails where a plain `take` would pretend the end.
struct Bounded<R> {
    reader: R,
    left: u64,
    archive: String,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(TooLarge(self.archive.clone())))?;
        Ok(read)
    }
}

/// Whether the first block's dictionary is at most 256 MB: it is allocated at once.
fn xz_is_modest(bytes: &[u8]) -> bool {
    // Stream header (12 bytes), block header size, flags, then either sizes or the filter's
    // identifier (0x21), the length of its properties (1) and the dictionary's size.
    let Some(header) = bytes.get(12..44) else {
        return true;
    };
    let property = header
        .windows(3)
        .find(|w| matches!(w, [0x21, 1, _]))
        .and_then(|w| w.get(2));
    property.is_none_or(|p| *p <= 32)
}

#[cfg(test)]
mod tests;
