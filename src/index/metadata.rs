//! The chain of ways to a release's metadata, cheapest first: what the user supplies, the cache,
//! the `.metadata` file (PEP 658), METADATA out of the wheel by byte ranges, the whole wheel; for
//! a release without wheels the sdist. Never a guess: where no way is certain, that is an error.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::{Arc, PoisonError};

use url::Url;

use super::body::inflate;
use super::client::{Request, Response};
use super::record;
use super::shared::{Claim, Hashing, Known, Shared};
use super::{Distribution, IndexError, Release, RemoteCatalog};
use crate::python::metadata::Header;
use crate::python::{Filename, Metadata, PackageName, Sha256, Version};

/// The largest METADATA file.
const MAX_METADATA: u64 = 32 << 20;
/// How many `.metadata` files are tried at once before it is known whether an index has any.
const PROBES: u32 = 4;
/// So many misses without a hit mean that it has none.
const MISSES: u32 = 3;
/// How long that is believed, in seconds.
const PROBE_AGE: u64 = 7 * 86_400;
const PROBE_NOTE: &str = "metadata";
/// How often a body that is broken or not what was promised is fetched.
const BODIES: u32 = 3;

/// What is known of an index's unannounced `.metadata` files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Nothing yet.
    Open {
        /// How many were asked for.
        asked: u32,
        /// How many were not there.
        missed: u32,
    },
    /// It has them, perhaps not for every wheel.
    Serves,
    /// It has none.
    Never,
}

/// Metadata that is being asked for.
pub(super) struct Sought {
    known: Arc<Known>,
    release: Arc<Release>,
    /// Under what it will be known.
    key: (PackageName, String),
    /// Answers in the end, whoever goes on with it.
    claim: Arc<Claim>,
    /// How many bodies were broken or not what was promised.
    broken: u32,
}

impl Sought {
    /// That of a release of a page.
    pub(super) fn new(
        shared: &Arc<Shared>,
        known: &Arc<Known>,
        release: &Arc<Release>,
        key: &(PackageName, String),
    ) -> Self {
        Self {
            known: Arc::clone(known),
            release: Arc::clone(release),
            key: key.clone(),
            claim: Claim::metadata(shared, key),
            broken: 0,
        }
    }

    fn again(&self) -> Self {
        Self {
            known: Arc::clone(&self.known),
            release: Arc::clone(&self.release),
            key: self.key.clone(),
            claim: Arc::clone(&self.claim),
            broken: self.broken + 1,
        }
    }

    /// The release, for messages.
    fn shown(&self) -> String {
        format!("{} {}", self.key.0, self.release.version)
    }
}

/// The file whose metadata stands for its release: any wheel will do, so always the same one.
/// Pure wheels first, as they serve every target; then Linux.
pub fn chosen(release: &Release) -> Option<&Distribution> {
    let rank = |file: &Distribution| {
        let Filename::Wheel(wheel) = &file.filename else {
            return 9;
        };
        match wheel.platform.as_str() {
            "any" if wheel.abi == "none" && wheel.python.contains("py3") => 0,
            "any" => 1,
            platform if platform.contains("linux") && platform.contains("x86_64") => 2,
            platform if platform.contains("linux") => 3,
            _ => 4,
        }
    };
    let wheel = release.wheels.iter().min_by_key(|file| rank(file));
    wheel.or(release.sdist.as_ref())
}

/// Under what the metadata of a release is kept: the file and, where known, its digest, so that
/// a replaced file is not mistaken for the old one.
pub fn key(release: &Release) -> String {
    match chosen(release) {
        Some(file) => {
            let digest = file.sha256.map_or(String::new(), |sha256| sha256.hex());
            format!("{}#{}", file.file, digest.get(..16).unwrap_or(""))
        }
        None => release.version.to_string(),
    }
}

impl Shared {
    /// Metadata that needs no request.
    pub(super) fn metadata_at_hand(
        &self,
        known: &Known,
        release: &Release,
        key: &str,
    ) -> Option<Result<Arc<Metadata>, IndexError>> {
        let name = &known.page.name;
        let supplied = &self.options.metadata;
        let text = supplied
            .get(&(name.clone(), Some(release.version.to_string())))
            .or_else(|| supplied.get(&(name.clone(), None)));
        if let Some(text) = text {
            let parsed = Metadata::parse(text.as_bytes()).map(Arc::new);
            return Some(parsed.map_err(|e| IndexError::Malformed {
                what: format!("the metadata supplied for {name} {}", release.version),
                reason: e.to_string(),
            }));
        }
        let metadata = record::read(name, known.record(key)?, &self.reader)?;
        Some(Ok(Arc::new(metadata)))
    }

    /// Fetches metadata and tells everybody who waits.
    pub(super) async fn fetch_metadata(self: &Arc<Self>, sought: Arc<Sought>) {
        if let Err(error) = self.seek_metadata(&sought).await {
            self.put_metadata(&sought.key, &sought.shown(), Err(error), false);
        }
    }

    async fn seek_metadata(self: &Arc<Self>, sought: &Arc<Sought>) -> Result<(), IndexError> {
        let (release, name) = (&sought.release, &sought.key.0);
        let Some(file) = chosen(release) else {
            return Err(IndexError::UnknownMetadata {
                release: sought.shown(),
                reason: "it has neither a wheel nor an sdist".to_owned(),
            });
        };
        let Filename::Wheel(_) = file.filename else {
            let (text, keep) = self.sdist_metadata(name, release, file).await?;
            self.finish_metadata(sought, text, keep);
            return Ok(());
        };
        if file.url.scheme() == "file" {
            let text = self.metadata_in_whole(file).await?;
            self.finish_metadata(sought, text, true);
            return Ok(());
        }
        if (file.has_metadata || self.may_probe(&sought.known.folder))
            && self.metadata_file(sought, file).await?
        {
            return Ok(());
        }
        let text = self.metadata_in_wheel(file).await?;
        self.finish_metadata(sought, text, true);
        Ok(())
    }

    /// Tries the `.metadata` file; false where there is none. A file that comes is left to a worker,
    /// who goes on from there: nobody waits here until it is read.
    async fn metadata_file(
        self: &Arc<Self>,
        sought: &Arc<Sought>,
        file: &Distribution,
    ) -> Result<bool, IndexError> {
        let Some(url) = metadata_url(&file.url) else {
            return Ok(false);
        };
        let what = format!("{}.metadata", file.file);
        let request = Request::new(url, MAX_METADATA);
        let response = self.client.fetch(&request).await?;
        if !file.has_metadata {
            self.probed(&sought.known.folder, response.status == 200);
        }
        if response.status != 200 {
            return Ok(false);
        }
        let expected = file.metadata_sha256;
        let (shared, sought) = (Arc::clone(self), Arc::clone(sought));
        self.submit(move || {
            let read = checked(&what, &response, expected, &shared.hashing)
                .and_then(|text| shared.metadata_arrived(&sought, &text, true));
            match read {
                Ok(()) => {}
                Err(error) if sought.broken + 1 == BODIES => {
                    shared.put_metadata(&sought.key, &sought.shown(), Err(error), false);
                }
                Err(_) => shared.seek_again(&sought),
            }
        });
        Ok(true)
    }

    /// Asks once more, from a worker.
    fn seek_again(self: &Arc<Self>, sought: &Sought) {
        let (shared, sought) = (Arc::clone(self), Arc::new(sought.again()));
        let task = async move { shared.fetch_metadata(sought).await };
        // Where there is no network thread any more, the claim says so.
        RemoteCatalog::guest(self).spawn(task, |_| ());
    }

    /// Leaves metadata to a worker, who goes on from there.
    fn finish_metadata(self: &Arc<Self>, sought: &Arc<Sought>, text: Vec<u8>, keep: bool) {
        let (shared, sought) = (Arc::clone(self), Arc::clone(sought));
        self.submit(move || {
            if let Err(error) = shared.metadata_arrived(&sought, &text, keep) {
                shared.put_metadata(&sought.key, &sought.shown(), Err(error), false);
            }
        });
    }

    /// On a worker: reads metadata, tells everybody, keeps it.
    fn metadata_arrived(
        self: &Arc<Self>,
        sought: &Sought,
        text: &[u8],
        keep: bool,
    ) -> Result<(), IndexError> {
        let (known, release, key) = (&sought.known, &sought.release, &sought.key);
        let what = || format!("the metadata of {}", sought.shown());
        let pruned = prune(text);
        let metadata =
            Metadata::parse_with(&pruned, &self.reader).map_err(|e| IndexError::Malformed {
                what: what(),
                reason: e.to_string(),
            })?;
        if metadata.name != key.0 {
            return Err(IndexError::Malformed {
                what: what(),
                reason: format!("it is that of `{}`", metadata.name),
            });
        }
        let is_other =
            |v: Version| v != release.version && v != release.version.clone().without_local();
        if Version::from_str(&metadata.version).is_ok_and(is_other) {
            return Err(IndexError::Malformed {
                what: what(),
                reason: format!("it is that of version {}", metadata.version),
            });
        }
        let metadata = Arc::new(metadata);
        self.put_metadata(key, &sought.shown(), Ok(Arc::clone(&metadata)), false);
        self.tell_metadata(&known.page, release, &metadata);
        if keep {
            known.keep(&self.cache, &key.1, record::write(&metadata, &pruned));
        }
        Ok(())
    }

    /// Whether to try a `.metadata` file that is not announced.
    fn may_probe(&self, folder: &str) -> bool {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = probes
            .entry(folder.to_owned())
            .or_insert_with(|| self.remembered_probe(folder));
        match probe {
            Probe::Serves => true,
            Probe::Never => false,
            Probe::Open { asked, .. } => {
                *asked += 1;
                *asked <= PROBES
            }
        }
    }

    fn remembered_probe(&self, folder: &str) -> Probe {
        let open = Probe::Open {
            asked: 0,
            missed: 0,
        };
        let Some(note) = self.cache.note(folder, PROBE_NOTE) else {
            return open;
        };
        let mut words = note.split_whitespace();
        let (answer, time) = (
            words.next(),
            words.next().and_then(|t| t.parse::<u64>().ok()),
        );
        match (answer, time) {
            (Some(answer), Some(time)) if time <= self.now && self.now - time < PROBE_AGE => {
                if answer == "yes" {
                    Probe::Serves
                } else {
                    Probe::Never
                }
            }
            _ => open,
        }
    }

    fn probed(&self, folder: &str, found: bool) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(probe) = probes.get_mut(folder) else {
            return;
        };
        let answer = match probe {
            Probe::Serves => return,
            _ if found => {
                *probe = Probe::Serves;
                "yes"
            }
            Probe::Open { missed, .. } if *missed + 1 < MISSES => {
                *missed += 1;
                return;
            }
            Probe::Open { .. } => {
                *probe = Probe::Never;
                "no"
            }
            Probe::Never => return,
        };
        drop(probes);
        self.cache
            .store_note(folder, PROBE_NOTE, &format!("{answer} {}", self.now));
    }
}

/// A `.metadata` body, inflated, its digest checked.
fn checked<'r>(
    what: &str,
    response: &'r Response,
    expected: Option<Sha256>,
    hashing: &Hashing,
) -> Result<Cow<'r, [u8]>, IndexError> {
    let text = inflate(
        &response.body,
        response.header("content-encoding"),
        MAX_METADATA,
    )
    .map_err(|reason| IndexError::Malformed {
        what: what.to_owned(),
        reason,
    })?;
    if let Some(expected) = expected {
        let actual = hashing.sha256(&text);
        if actual != expected {
            return Err(IndexError::HashMismatch {
                file: what.to_owned(),
                expected: expected.hex(),
                actual: actual.hex(),
            });
        }
    }
    Ok(text)
}

fn metadata_url(wheel: &Url) -> Option<Url> {
    let mut url = wheel.clone();
    url.set_path(&format!("{}.metadata", wheel.path()));
    Some(url)
}

/// The fields of core metadata that we keep.
const FIELDS: [&str; 10] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Provides-Extra",
    "Summary",
    "Home-page",
    "Project-URL",
    "License-Expression",
];
/// The longest `License` that is a name and not a text.
const MAX_LICENSE: usize = 200;

/// The part of core metadata that we keep: descriptions are most of the files.
pub fn prune(text: &[u8]) -> Vec<u8> {
    let header = Header::parse(text);
    let mut out = Vec::new();
    let mut put = |field: &str, value: &str| {
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b": ");
        for (number, line) in value.lines().enumerate() {
            if number > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(line.trim().as_bytes());
        }
        out.push(b'\n');
    };
    for field in FIELDS {
        for value in header.all(field) {
            put(field, value);
        }
    }
    for value in header.all("License") {
        if value.len() <= MAX_LICENSE && !value.trim().contains('\n') {
            put("License", value);
        }
    }
    for value in header.all("Classifier") {
        if value.starts_with("License ::") {
            put("Classifier", value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pruning_keeps_what_counts() {
        let text = b"Metadata-Version: 2.1\nName: demo\nVersion: 1\nSummary: s\nAuthor: me\n\
            License: a\n  long\n  text\nClassifier: License :: OSI Approved\nClassifier: Topic :: X\n\
            Requires-Dist: a (>=1)\nRequires-Dist: b;\n extra == 'x'\nProvides-Extra: x\n\nName: no\n";
        let pruned = prune(text);
        let (a, b) = (
            Metadata::parse(text).unwrap(),
            Metadata::parse(&pruned).unwrap(),
        );
        assert_eq!(a.requires_dist, b.requires_dist);
        assert_eq!(a.provides_extra, b.provides_extra);
        assert_eq!(a.about.license_classifiers, b.about.license_classifiers);
        assert!(!String::from_utf8(pruned).unwrap().contains("Author"));
    }
}
