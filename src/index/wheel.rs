//! What a wheel tells without being unpacked: the modules in it, and what its shared objects link
//! (`DT_NEEDED`), read by byte ranges where the server gives them.
//!
//! The libraries are those that a release's native code was built with, which its sdist may not say. A
//! wheel is read so far as that is proportionate: never more than a bound of packed bytes.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek};
use std::ops::Range;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use url::Url;
use zip::ZipArchive;

use super::client::Request;
use super::elf;
use super::range::{Sparse, Step};
use super::ranged::End;
use super::remote::RemoteCatalog;
use super::shared::{Shared, interrupted};
use super::{Distribution, IndexError};

/// Wheels up to this size are fetched whole.
const SMALL: u64 = 256 << 10;
/// Larger wheels are not looked into.
const MAX_WHEEL: u64 = 64 << 20;
/// What is read of the extension modules of a wheel, packed: the smallest first.
const MAX_PACKED: u64 = 16 << 20;
/// More modules than are worth importing one by one.
const MAX_MODULES: usize = 64;
/// The largest object, unpacked.
const MAX_OBJECT: u64 = 128 << 20;
/// More objects than any wheel holds.
const MAX_OBJECTS: usize = 2000;
/// Ranges with less than this between them are fetched as one.
const GAP: u64 = 128 << 10;
/// A local header and what may stand in it before the content.
const HEADER: u64 = 1 << 10;
/// More ranges than any wheel takes.
const MAX_RANGES: usize = 40;

/// Which objects of a wheel are of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Those of the project itself: not the libraries that were copied into the wheel.
    Modules,
    /// All.
    Everything,
}

/// What a wheel tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WheelFacts {
    /// The wheel's file name.
    pub wheel: String,
    /// The modules that can be imported: those at the top, dotted below namespace packages.
    pub modules: Vec<String>,
    /// What was read, sorted by path.
    pub objects: Vec<Object>,
    /// The paths of all shared objects in the wheel, sorted.
    pub carried: Vec<String>,
    /// Why not everything of interest was read, as a sentence without its subject.
    pub unread: Option<String>,
}

/// A shared object or program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Object {
    /// Its path in the wheel.
    pub member: String,
    /// What it asks the loader for: `libxml2.so.2`.
    pub needed: Vec<String>,
}

impl Extent {
    fn word(self) -> &'static str {
        match self {
            Self::Modules => "modules",
            Self::Everything => "everything",
        }
    }
}

impl RemoteCatalog {
    /// Facts about a wheel, from the cache or the index.
    pub(super) fn find_wheel_facts(
        &self,
        wheel: &Distribution,
        extent: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError> {
        let shared = Arc::clone(self.shared());
        if let Some(sha256) = &wheel.sha256
            && let Some(kept) = shared.cache.wheel_facts(sha256, extent.word())
        {
            return Ok(Arc::new(kept));
        }
        let file = wheel.clone();
        self.wait_for(&wheel.file, async move {
            let linked = shared.read_wheel(&file, extent).await?;
            if let Some(sha256) = &file.sha256 {
                shared
                    .cache
                    .store_wheel_facts(sha256, extent.word(), &linked);
            }
            Ok(Arc::new(linked))
        })
    }
}

impl Shared {
    async fn read_wheel(
        self: &Arc<Self>,
        file: &Distribution,
        extent: Extent,
    ) -> Result<WheelFacts, IndexError> {
        if file.size.is_some_and(|size| size > MAX_WHEEL) {
            return Ok(WheelFacts::too_large(&file.file));
        }
        if file.url.scheme() == "file" {
            let (_, bytes) = self.download(file).await?;
            return self.read_whole_wheel(file, extent, bytes).await;
        }
        if self.options.offline {
            let what = file.file.clone();
            return Err(IndexError::Offline { what });
        }
        let mut request = Request::new(Url::clone(&file.url), MAX_WHEEL);
        let end = match file.size {
            Some(size) if size <= SMALL => self.all_of_wheel(file, &mut request).await?,
            _ => self.end_of_wheel(file, &mut request).await?,
        };
        let mut sparse = match end {
            End::Parts(sparse) => sparse,
            End::Whole(bytes) => return self.read_whole_wheel(file, extent, bytes).await,
            End::Missing => {
                return Err(IndexError::Malformed {
                    what: file.file.clone(),
                    reason: "it is not there".to_owned(),
                });
            }
        };
        if sparse.size() > MAX_WHEEL {
            return Ok(WheelFacts::too_large(&file.file));
        }
        let mut planned = false;
        for _ in 0..MAX_RANGES {
            let wheel = file.file.clone();
            let job = move || {
                let look = look(&sparse, &wheel, extent, planned);
                (sparse, look)
            };
            let Some((back, look)) = self.run(job).await else {
                return Err(interrupted(&file.file));
            };
            sparse = back;
            let ranges = match look {
                Look::Done(linked) => return Ok(linked),
                Look::Broken(reason) => {
                    let what = file.file.clone();
                    return Err(IndexError::Malformed { what, reason });
                }
                Look::Plan(ranges) => {
                    planned = true;
                    ranges
                }
                Look::Wants(range) => vec![range],
            };
            let ask = ranges.into_iter().map(|range| {
                let mut request = request.clone();
                request.range = Some(format!("bytes={}-{}", range.start, range.end - 1));
                async move { self.client.fetch(&request).await }
            });
            for response in try_join_all(ask).await? {
                if !sparse.add(&response) {
                    let bytes = self.download(file).await?.1;
                    return self.read_whole_wheel(file, extent, bytes).await;
                }
            }
        }
        Err(IndexError::Malformed {
            what: file.file.clone(),
            reason: "it is in too many parts".to_owned(),
        })
    }

    async fn read_whole_wheel(
        &self,
        file: &Distribution,
        extent: Extent,
        bytes: Vec<u8>,
    ) -> Result<WheelFacts, IndexError> {
        let (wheel, what) = (file.file.clone(), file.file.clone());
        let job = move || Wheel::open(Cursor::new(bytes), extent)?.read(&wheel);
        let read = self.run(job).await;
        let read = read.ok_or_else(|| interrupted(&file.file))?;
        read.map_err(|reason| IndexError::Malformed { what, reason })
    }
}

/// How far looking into the parts at hand came.
enum Look {
    Done(WheelFacts),
    /// These ranges hold what is to be read.
    Plan(Vec<Range<u64>>),
    Wants(Range<u64>),
    Broken(String),
}

fn look(sparse: &Sparse, wheel: &str, extent: Extent, planned: bool) -> Look {
    if !planned {
        match sparse.read(|reader| Ok(Wheel::open(reader, extent)?.ranges())) {
            Step::Found(ranges) if !ranges.is_empty() => return Look::Plan(ranges),
            Step::Found(_) => {}
            Step::Wants(range) => return Look::Wants(range),
            Step::Broken(reason) => return Look::Broken(reason),
        }
    }
    match sparse.read(|reader| Wheel::open(reader, extent)?.read(wheel)) {
        Step::Found(linked) => Look::Done(linked),
        Step::Wants(range) => Look::Wants(range),
        Step::Broken(reason) => Look::Broken(reason),
    }
}

/// A wheel whose list of members is at hand.
struct Wheel<R> {
    archive: ZipArchive<R>,
    /// Place, path, and where it lies, of what is to be read; sorted by path.
    chosen: Vec<(usize, String, Range<u64>)>,
    modules: Vec<String>,
    carried: Vec<String>,
    unread: Option<String>,
}

impl<R: Read + Seek> Wheel<R> {
    fn open(reader: R, extent: Extent) -> Result<Self, String> {
        let archive = ZipArchive::new(reader).map_err(|e| format!("it is no zip archive ({e})"))?;
        let (mut found, mut carried) = (Vec::new(), Vec::new());
        let mut paths = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_data(index).map_err(|e| e.to_string())?;
            let Ok(path) = entry.name() else { continue };
            let path = path.into_owned();
            let object = is_object(&path);
            if object {
                carried.push(path.clone());
            }
            paths.push(path.clone());
            let wanted = match extent {
                Extent::Modules => object && !is_copied(&path),
                Extent::Everything => object || is_program(&path),
            };
            if wanted {
                found.push((
                    entry.compressed_size(),
                    entry.size(),
                    index,
                    path,
                    entry.header_start(),
                ));
            }
        }
        found.sort();
        let (all, mut packed) = (found.len(), 0_u64);
        let limit = match extent {
            Extent::Modules => MAX_PACKED,
            Extent::Everything => MAX_WHEEL,
        };
        found.truncate(MAX_OBJECTS);
        found.retain(|(size, unpacked, ..)| {
            packed = packed.saturating_add(*size);
            packed <= limit && *unpacked <= MAX_OBJECT
        });
        let unread = (found.len() < all).then(|| {
            let left = all - found.len();
            format!("has {left} objects of {all} that are too large to be looked into")
        });
        let place = |(size, _, index, path, start): (u64, u64, usize, String, u64)| {
            let end = start.saturating_add(HEADER).saturating_add(size);
            (index, path, start..end)
        };
        let mut chosen: Vec<_> = found.into_iter().map(place).collect();
        chosen.sort_by(|a, b| a.1.cmp(&b.1));
        carried.sort();
        Ok(Self {
            archive,
            chosen,
            modules: modules(&paths),
            carried,
            unread,
        })
    }

    /// Where everything lies that is to be read.
    fn ranges(&self) -> Vec<Range<u64>> {
        let mut all: Vec<Range<u64>> = self
            .chosen
            .iter()
            .map(|(.., range)| range.clone())
            .collect();
        all.sort_by_key(|range| range.start);
        let end = self.archive.central_directory_start();
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in all {
            let range = range.start..range.end.min(end);
            match joined.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(GAP) => {
                    last.end = last.end.max(range.end);
                }
                _ if range.is_empty() => {}
                _ => joined.push(range),
            }
        }
        joined
    }

    fn read(mut self, wheel: &str) -> Result<WheelFacts, String> {
        let mut objects = Vec::new();
        for (index, member, _) in &self.chosen {
            let broken = |e: &dyn std::fmt::Display| format!("{member} is broken ({e})");
            let file = self.archive.by_index(*index).map_err(|e| broken(&e))?;
            let mut bytes = Vec::new();
            let mut bounded = file.take(MAX_OBJECT);
            bounded.read_to_end(&mut bytes).map_err(|e| broken(&e))?;
            if let Some(needed) = elf::needed(&bytes) {
                let member = member.clone();
                objects.push(Object { member, needed });
            }
        }
        Ok(WheelFacts {
            wheel: wheel.to_owned(),
            modules: self.modules,
            objects,
            carried: self.carried,
            unread: self.unread,
        })
    }
}

impl WheelFacts {
    fn too_large(wheel: &str) -> Self {
        Self {
            wheel: wheel.to_owned(),
            unread: Some(format!(
                "is larger than {} MiB and was not looked into",
                MAX_WHEEL >> 20
            )),
            ..Self::default()
        }
    }
}

/// The first packages on each way down, and the modules beside them at the top. What is private or for
/// tests is left out.
fn modules(paths: &[String]) -> Vec<String> {
    let installed = paths
        .iter()
        .filter_map(|path| match path.split_once(".data/") {
            Some((_, rest)) => rest
                .strip_prefix("purelib/")
                .or_else(|| rest.strip_prefix("platlib/")),
            None => Some(path.as_str()),
        });
    let (mut packages, mut found) = (BTreeSet::new(), BTreeSet::new());
    for path in installed {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, rest) = name.split_once('.').unwrap_or((name, ""));
        let is_module = rest == "py" || is_object(name);
        if is_module && stem == "__init__" {
            packages.insert(folder);
        } else if is_module && folder.is_empty() {
            found.insert(stem.to_owned());
        }
    }
    let is_inside = |folder: &str| {
        let ends = folder.match_indices('/').map(|(at, _)| at);
        let mut above = ends.filter_map(|at| folder.get(..at));
        above.any(|above| packages.contains(above))
    };
    let first = packages.iter().filter(|folder| !is_inside(folder));
    found.extend(first.map(|folder| folder.replace('/', ".")));
    found.retain(|module| module.split('.').all(is_public));
    found.into_iter().take(MAX_MODULES).collect()
}

fn is_public(name: &str) -> bool {
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let for_developers = ["test", "tests", "docs", "examples", "benchmarks"];
    starts
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !for_developers.contains(&name)
}

/// `x.so`, `x.so.1.2`, `x.so.1.1.1k`.
fn is_object(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_version = |rest: &str| {
        let digits = rest.strip_prefix('.');
        digits.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    name.rsplit_once(".so")
        .is_some_and(|(stem, rest)| !stem.is_empty() && (rest.is_empty() || is_version(rest)))
}

/// Whether auditwheel put it there, or somebody who does as it does.
fn is_copied(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    folders.any(|folder| folder.ends_with(".libs"))
}

/// What a wheel installs into `bin`.
fn is_program(path: &str) -> bool {
    let (folder, rest) = path.split_once('/').unwrap_or(("", path));
    folder.ends_with(".data") && rest.starts_with("scripts/") && !path.ends_with('/')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::elf::build::object;
    use super::*;

    fn wheel(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let packed = zip::write::SimpleFileOptions::default();
        for (path, bytes) in members {
            zip.start_file(*path, packed).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8], extent: Extent) -> Result<WheelFacts, String> {
        Wheel::open(Cursor::new(bytes), extent)?.read("demo-1-cp313-cp313-linux_x86_64.whl")
    }

    fn demo() -> Vec<u8> {
        wheel(&[
            ("demo/__init__.py", b"import demo._x".to_vec()),
            (
                "demo/_x.cpython-313-x86_64-linux-gnu.so",
                object(&["libz-0a1b2c3d.so.1.3", "libc.so.6"]),
            ),
            ("demo/not.so", b"text".to_vec()),
            ("demo/some.so.py", b"text".to_vec()),
            ("demo.libs/libz-0a1b2c3d.so.1.3", object(&["libc.so.6"])),
            ("demo-1.data/scripts/demo", object(&["libm.so.6"])),
        ])
    }

    #[test]
    fn modules_are_told_from_copied_libraries() {
        let linked = read(&demo(), Extent::Modules).unwrap();
        let members: Vec<&str> = linked.objects.iter().map(|o| o.member.as_str()).collect();
        assert_eq!(members, ["demo/_x.cpython-313-x86_64-linux-gnu.so"]);
        assert_eq!(
            linked.objects[0].needed,
            ["libz-0a1b2c3d.so.1.3", "libc.so.6"]
        );
        assert_eq!(linked.carried.len(), 3);
        assert_eq!(linked.unread, None);
        let all = read(&demo(), Extent::Everything).unwrap();
        assert_eq!(all.objects.len(), 3);
    }

    #[test]
    fn objects_are_known_by_their_names() {
        for name in [
            "a/x.so",
            "libz.so.1",
            "libssl-7f59e8e2.so.1.1.1k",
            "a.cpython-313.so",
        ] {
            assert!(is_object(name), "{name}");
        }
        for name in [".so", "x.so.py", "x.solution", "x.so.d/y"] {
            assert!(!is_object(name), "{name}");
        }
    }

    #[test]
    fn modules_are_those_that_can_be_imported() {
        let of = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
            modules(&paths)
        };
        assert_eq!(
            of(&[
                "a/__init__.py",
                "a/b/__init__.py",
                "one.py",
                "_c.abi3.so",
                "tests/__init__.py"
            ]),
            ["a", "one"]
        );
        assert_eq!(of(&["zope/x/__init__.py", "zope/y.py"]), ["zope.x"]);
        assert_eq!(
            of(&["d-1.data/purelib/d/__init__.py", "d-1.data/scripts/e.py"]),
            ["d"]
        );
        assert_eq!(
            of(&["fast.cpython-313-x86_64-linux-gnu.so", "x-y/__init__.py"]),
            ["fast"]
        );
    }

    #[test]
    fn broken_wheels_are_refused() {
        let whole = demo();
        for end in 0..whole.len() {
            assert!(read(&whole[..end], Extent::Everything).is_err());
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xff;
            let _ = read(&broken, Extent::Everything);
        }
    }
}
