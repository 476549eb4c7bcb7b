//! One member of a remote wheel by byte ranges: METADATA from the wheel's end, without the rest.
//!
//! The zip reader reads from the ranges at hand. Where it runs into a hole, that range is fetched
//! and it starts again; mostly the first range suffices, as builders put METADATA last.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::str::FromStr;

use zip::ZipArchive;

use super::client::Response;
use crate::python::PackageName;

/// How much at least is fetched after the first range.
const STEP: u64 = 64 << 10;
/// The largest METADATA.
const MAX_MEMBER: u64 = 32 << 20;
/// The largest wheel that we believe in.
const MAX_LEN: u64 = 64 << 30;

/// How much of a wheel's end is fetched first, in bytes: so much that the central directory and
/// METADATA are mostly in it.
pub fn first_part(size: Option<u64>) -> u64 {
    match size {
        Some(0..0x20_0000) => 16 << 10,
        Some(0x20_0000..0x200_0000) => 32 << 10,
        Some(_) => 128 << 10,
        None => 32 << 10,
    }
}

/// The length of the whole, as an answer with a part of it tells it.
pub fn length(response: &Response) -> Option<u64> {
    content_range(response).map(|(_, len)| len)
}

/// The parts of a wheel that are at hand.
#[derive(Debug)]
pub struct Sparse {
    len: u64,
    parts: BTreeMap<u64, Vec<u8>>,
}

/// How far reading came.
#[derive(Debug)]
pub enum Step<T> {
    /// What was looked for.
    Found(T),
    /// This range is needed.
    Wants(Range<u64>),
    /// It is no wheel that we can read.
    Broken(String),
}

impl Sparse {
    /// The part in an answer to a range request; none where the server sent something else.
    pub fn new(response: &Response) -> Option<Self> {
        let (_, len) = content_range(response)?;
        let mut sparse = Self {
            len,
            parts: BTreeMap::new(),
        };
        sparse.add(response).then_some(sparse)
    }

    /// The size of the whole file.
    pub fn size(&self) -> u64 {
        self.len
    }

    /// Adds another part; false where the answer is none of this file.
    pub fn add(&mut self, response: &Response) -> bool {
        match content_range(response) {
            Some((start, len)) if len == self.len => {
                self.parts.insert(start, response.body.clone());
                true
            }
            _ => false,
        }
    }

    /// Looks for METADATA.
    pub fn metadata(&self, wheel: &str) -> Step<Vec<u8>> {
        self.read(|reader| member(reader, wheel))
    }

    /// Looks for something in the parts that are at hand.
    pub fn read<T>(&self, look: impl FnOnce(Reader<'_>) -> Result<T, String>) -> Step<T> {
        let wanted = Cell::new(None);
        let reader = Reader {
            sparse: self,
            at: 0,
            wanted: &wanted,
        };
        match look(reader) {
            Ok(found) => Step::Found(found),
            Err(reason) => match wanted.take() {
                Some(range) => Step::Wants(range),
                None => Step::Broken(reason),
            },
        }
    }
}

/// METADATA of a wheel that is all in memory.
///
/// # Errors
/// When it is no wheel that we can read.
pub fn whole_wheel(wheel: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    member(Cursor::new(bytes), wheel)
}

/// The start of the part and the length of the whole.
fn content_range(response: &Response) -> Option<(u64, u64)> {
    if response.status != 206 {
        return None;
    }
    let range = response.header("content-range").strip_prefix("bytes ")?;
    let (part, len) = range.split_once('/')?;
    let (start, end) = part.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let len: u64 = len.trim().parse().ok()?;
    let covered = end.checked_sub(start)?.checked_add(1)?;
    (end < len && len <= MAX_LEN && covered == response.body.len() as u64).then_some((start, len))
}

fn member<R: Read + Seek>(reader: R, wheel: &str) -> Result<Vec<u8>, String> {
    let mut archive = ZipArchive::new(reader).map_err(|e| format!("it is no zip archive ({e})"))?;
    let name = metadata_name(&archive, wheel).ok_or("it holds no METADATA")?;
    let member = archive
        .by_name(&name)
        .map_err(|e| format!("its METADATA is broken ({e})"))?;
    let mut text = Vec::new();
    member
        .take(MAX_MEMBER + 1)
        .read_to_end(&mut text)
        .map_err(|e| format!("its METADATA is broken ({e})"))?;
    if text.len() as u64 > MAX_MEMBER {
        return Err("its METADATA is larger than any that makes sense".to_owned());
    }
    Ok(text)
}

/// `{name}-{version}.dist-info/METADATA` of the wheel's own project; other projects' may be
/// bundled deeper in the tree.
fn metadata_name<R: Read + Seek>(archive: &ZipArchive<R>, wheel: &str) -> Option<String> {
    let project = PackageName::from_str(wheel.split('-').next()?).ok()?;
    let names = archive.file_names();
    let mut found: Vec<String> = names
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .filter(|name| {
            name.strip_suffix(".dist-info/METADATA")
                .is_some_and(|folder| !folder.contains('/'))
        })
        .collect();
    found.sort();
    let own = |name: &&String| {
        let folder = name.split('-').next().unwrap_or("");
        PackageName::from_str(folder).is_ok_and(|name| name == project)
    };
    found.iter().find(own).or(found.first()).cloned()
}

/// The parts that are at hand, as a file with holes.
pub struct Reader<'s> {
    sparse: &'s Sparse,
    at: u64,
    wanted: &'s Cell<Option<Range<u64>>>,
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.sparse.len || out.is_empty() {
            return Ok(0);
        }
        for (start, bytes) in self.sparse.parts.range(..=self.at).rev() {
            let from = (self.at - start) as usize;
            if let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
                let count = out.len().min(rest.len());
                for (to, from) in out.iter_mut().zip(rest) {
                    *to = *from;
                }
                self.at += count as u64;
                return Ok(count);
            }
        }
        let end = (self.at + STEP).min(self.sparse.len);
        self.wanted.set(Some(self.at..end));
        Err(io::Error::other("a part that is not at hand"))
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.sparse.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;
    use std::io::Write;
    use url::Url;

    fn wheel(padding: usize) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        zip.start_file("demo-1.dist-info/METADATA", stored).unwrap();
        zip.write_all(b"Name: demo\nVersion: 1\n").unwrap();
        zip.start_file("demo/vendor/other-2.dist-info/METADATA", stored)
            .unwrap();
        zip.write_all(b"Name: other\n").unwrap();
        zip.start_file("demo/data.bin", stored).unwrap();
        zip.write_all(&vec![1; padding]).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn part(bytes: &[u8], range: Range<usize>) -> Response {
        let mut headers = HeaderMap::new();
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, bytes.len());
        headers.insert("content-range", text.parse().unwrap());
        Response {
            status: 206,
            url: Url::parse("https://files.test/x").unwrap(),
            headers,
            body: bytes[range].to_vec(),
            cut: false,
        }
    }

    #[test]
    fn holes_are_asked_for() {
        let bytes = wheel(300_000);
        let mut sparse = Sparse::new(&part(&bytes, bytes.len() - 1000..bytes.len())).unwrap();
        let mut rounds = 0;
        let text = loop {
            match sparse.metadata("demo-1-py3-none-any.whl") {
                Step::Found(text) => break text,
                Step::Wants(range) => {
                    rounds += 1;
                    assert!(sparse.add(&part(&bytes, range.start as usize..range.end as usize)));
                }
                Step::Broken(reason) => panic!("{reason}"),
            }
        };
        assert_eq!(text, b"Name: demo\nVersion: 1\n");
        assert!(rounds <= 2, "{rounds}");
        assert_eq!(
            whole_wheel("demo-1-py3-none-any.whl", &bytes).unwrap(),
            text
        );
    }

    #[test]
    fn lies_are_refused() {
        let bytes = wheel(10);
        let mut response = part(&bytes, 0..20);
        response.body.pop();
        assert!(Sparse::new(&response).is_none());
        let sparse = Sparse::new(&part(&[0; 50], 0..50)).unwrap();
        assert!(matches!(
            sparse.metadata("demo-1-py3-none-any.whl"),
            Step::Broken(_)
        ));
        assert!(whole_wheel("demo-1-py3-none-any.whl", b"PK").is_err());
    }
}
