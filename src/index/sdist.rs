//! Whole files: downloaded, verified, read in memory; what an sdist tells about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Url;

use super::client::Request;
use super::remote::RemoteCatalog;
use super::shared::{Shared, interrupted};
use super::{Distribution, IndexError, Release};
use crate::event::Event;
use crate::project::archive::Archive;
use crate::project::files::{Found, look};
use crate::project::{Files, SourceFacts, facts};
use crate::python::metadata::Header;
use crate::python::{PackageName, Sha256};

/// The largest file that is downloaded.
const MAX_FILE: u64 = 2 << 30;
/// How often a file that is broken is downloaded.
const TRIES: u32 = 3;

impl RemoteCatalog {
    /// Starts getting the facts of an sdist, unless somebody did.
    pub(super) fn begin_facts(&self, sdist: &Distribution) {
        let shared = self.shared();
        let key = sdist.url.to_string();
        if !shared.facts.claim(&key) {
            return;
        }
        if let Some(sha256) = sdist.sha256
            && let Some(facts) = shared.cache.facts(&sha256)
        {
            shared.facts.put(key, Ok((sha256, Arc::new(facts))));
            return;
        }
        let (task_shared, file, task_key) = (Arc::clone(shared), sdist.clone(), key.clone());
        let task = async move {
            let answer = task_shared.read_sdist(&file).await;
            let answer = answer.map(|(sha256, read)| (sha256, read.facts));
            task_shared.facts.put(task_key, answer);
        };
        self.spawn(task, |error| shared.facts.put(key, Err(error)));
    }

    /// What stands at some paths of an sdist. What was looked at once is kept beside its facts.
    pub(super) fn look_into(
        &self,
        sdist: &Distribution,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Found>, IndexError> {
        let shared = Arc::clone(self.shared());
        let mut found = sdist
            .sha256
            .map_or_else(BTreeMap::new, |sha256| shared.cache.looked(&sha256));
        if paths.iter().all(|path| found.contains_key(path)) {
            found.retain(|path, _| paths.contains(path));
            return Ok(found);
        }
        let (file, asked) = (sdist.clone(), paths.clone());
        self.wait_for(&sdist.file, async move {
            let (sha256, bytes) = shared.download(&file).await?;
            let (task, name) = (Arc::clone(&shared), file.file.clone());
            let job = move || {
                let archive = Archive::parse(&name, &bytes);
                let archive = archive.map_err(|error| IndexError::Malformed {
                    what: name.clone(),
                    reason: causes(&error),
                })?;
                let look = |path: String| (path.clone(), look(&archive, &path));
                let now: BTreeMap<String, Found> = asked.into_iter().map(look).collect();
                found.extend(now.clone());
                task.cache.store_looked(&sha256, &found);
                Ok(now)
            };
            let answer = shared.run(job).await;
            answer.unwrap_or_else(|| Err(interrupted(&file.file)))
        })
    }

    /// A file of a release, whole: a wheel or an sdist, verified and read in memory.
    ///
    /// # Errors
    /// Anything that fetching can run into; an archive that cannot be read.
    pub fn archive(&self, file: &Distribution) -> Result<Archive, IndexError> {
        let (shared, asked) = (Arc::clone(self.shared()), file.clone());
        self.wait_for(&file.file.clone(), async move {
            let (_, bytes) = shared.download(&asked).await?;
            let name = asked.file.clone();
            let parsed = shared.run(move || {
                Archive::parse(&name, &bytes).map_err(|error| IndexError::Malformed {
                    what: name,
                    reason: causes(&error),
                })
            });
            parsed
                .await
                .unwrap_or_else(|| Err(interrupted(&asked.file)))
        })
    }

    /// The digest of a file that the index tells none of.
    pub(super) fn digest_of(
        &self,
        _: &PackageName,
        file: &Distribution,
    ) -> Result<Sha256, IndexError> {
        let shared = Arc::clone(self.shared());
        let key = file.url.to_string();
        if shared.digests.claim(&key) {
            let (task_shared, file) = (Arc::clone(&shared), file.clone());
            let answer = self.wait_for(&file.file.clone(), async move {
                task_shared.download(&file).await.map(|(sha256, _)| sha256)
            });
            shared.digests.put(key.clone(), answer);
        }
        shared.digests.wait(&key)
    }
}

/// What an sdist tells.
#[derive(Debug, Clone)]
pub struct Read {
    /// What packaging needs.
    pub facts: Arc<SourceFacts>,
    /// Its PKG-INFO, where that is bound to agree with the wheels' metadata (PEP 643).
    pub metadata: Option<Vec<u8>>,
}

impl Shared {
    /// Downloads a file, or reads a local one, and verifies its digest where one is known.
    pub(super) async fn download(
        self: &Arc<Self>,
        file: &Distribution,
    ) -> Result<(Sha256, Vec<u8>), IndexError> {
        if let Ok(path) = file.url.to_file_path() {
            let what = file.file.clone();
            let read = move || std::fs::read(&path).map_err(|e| e.to_string());
            let bytes = self
                .run(read)
                .await
                .unwrap_or_else(|| Err("it was interrupted".to_owned()));
            let bytes = bytes.map_err(|reason| IndexError::Fetch { what, reason })?;
            return self.verified(file, bytes).await;
        }
        if self.options.offline {
            let what = file.file.clone();
            return Err(IndexError::Offline { what });
        }
        let mut request = Request::new(Url::clone(&file.url), MAX_FILE);
        request.gzip = false;
        request.progress = Some(file.file.clone());
        let observer = &self.options.observer;
        let mut tries = 1;
        loop {
            let (name, size) = (file.file.clone(), file.size);
            observer.see(&Event::DownloadStarted { file: name, size });
            let response = self.client.fetch(&request).await?;
            if response.status != 200 {
                return Err(IndexError::Fetch {
                    what: file.url.to_string(),
                    reason: "the file is not there".to_owned(),
                });
            }
            match self.verified(file, response.body).await {
                Ok(found) => {
                    let file = file.file.clone();
                    observer.see(&Event::DownloadFinished { file });
                    return Ok(found);
                }
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    async fn verified(
        &self,
        file: &Distribution,
        bytes: Vec<u8>,
    ) -> Result<(Sha256, Vec<u8>), IndexError> {
        let job = move || (Sha256::of(&bytes), bytes);
        let (actual, bytes) = self.run(job).await.ok_or_else(|| interrupted(&file.file))?;
        match file.sha256 {
            Some(expected) if expected != actual => Err(IndexError::HashMismatch {
                file: file.file.clone(),
                expected: expected.hex(),
                actual: actual.hex(),
            }),
            _ => Ok((actual, bytes)),
        }
    }

    /// Downloads an sdist, reads it, and keeps its facts.
    pub(super) async fn read_sdist(
        self: &Arc<Self>,
        file: &Distribution,
    ) -> Result<(Sha256, Read), IndexError> {
        let (sha256, bytes) = self.download(file).await?;
        let (shared, file_name) = (Arc::clone(self), file.file.clone());
        let job = move || {
            let read = read(&file_name, &bytes)?;
            shared.cache.store_facts(&sha256, &read.facts);
            Ok(read)
        };
        let read = self
            .run(job)
            .await
            .unwrap_or_else(|| Err(interrupted(&file.file)))?;
        Ok((sha256, read))
    }

    /// The metadata of a release that has no wheel, and whether it may be kept: what running code
    /// gave must not be found by a run that allows none.
    pub(super) async fn sdist_metadata(
        self: &Arc<Self>,
        name: &PackageName,
        release: &Release,
        file: &Distribution,
    ) -> Result<(Vec<u8>, bool), IndexError> {
        let kept = file.sha256.and_then(|sha256| self.cache.facts(&sha256));
        let facts = match kept {
            Some(facts) => Arc::new(facts),
            None => {
                let (sha256, read) = self.read_sdist(file).await?;
                let key = file.url.to_string();
                if self.facts.claim(&key) {
                    self.facts.put(key, Ok((sha256, Arc::clone(&read.facts))));
                }
                if let Some(metadata) = read.metadata {
                    return Ok((metadata, true));
                }
                read.facts
            }
        };
        if let Some(text) = metadata_from_facts(name, &release.version.to_string(), &facts) {
            return Ok((text, true));
        }
        let unknown = |reason| IndexError::UnknownMetadata {
            release: format!("{name} {}", release.version),
            reason,
        };
        let builder = self.options.builder.clone();
        let Some(builder) = builder.filter(|builder| builder.allows(name)) else {
            let reason = if facts.unknown.is_empty() {
                format!("{} does not say them", file.file)
            } else {
                let mut unknown = facts.unknown.clone();
                unknown.dedup();
                unknown.join("; ")
            };
            return Err(unknown(reason));
        };
        let (_, archive) = self.download(file).await?;
        let name = file.file.clone();
        let built = self.run(move || builder.build(&name, &archive)).await;
        let built = built.ok_or_else(|| interrupted(&file.file))?;
        built.map(|text| (text, false)).map_err(unknown)
    }
}

/// Reads an sdist in memory.
///
/// # Errors
/// When it is no archive that we can read.
pub fn read(file: &str, bytes: &[u8]) -> Result<Read, IndexError> {
    let archive = Archive::parse(file, bytes).map_err(|error| IndexError::Malformed {
        what: file.to_owned(),
        reason: causes(&error),
    })?;
    let metadata = archive.read("PKG-INFO").ok().filter(|text| {
        let header = Header::parse(text);
        ["Requires-Dist", "Provides-Extra", "Requires-Python"]
            .iter()
            .all(|field| header.tells(field))
    });
    let facts = facts::of(&archive).map_err(|error| IndexError::Malformed {
        what: file.to_owned(),
        reason: causes(&error),
    })?;
    Ok(Read {
        facts: Arc::new(facts),
        metadata,
    })
}

/// The requirements that static reading found, as core metadata; none where it found none for certain.
pub(super) fn metadata_from_facts(
    name: &PackageName,
    version: &str,
    facts: &SourceFacts,
) -> Option<Vec<u8>> {
    use std::fmt::Write as _;
    let requires = facts.requires_dist.as_ref()?;
    let mut out = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let mut put = |field: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(out, "{field}: {}", value.replace(['\n', '\r'], " "));
    };
    for requirement in requires {
        put("Requires-Dist", requirement);
    }
    for extra in &facts.provides_extra {
        put("Provides-Extra", extra);
    }
    let about = &facts.about;
    let single = [
        ("Requires-Python", &facts.requires_python),
        ("Summary", &about.summary),
        ("Home-page", &about.home_page),
        ("License-Expression", &about.license_expression),
        ("License", &about.license),
    ];
    for (field, value) in single {
        if let Some(value) = value {
            put(field, value);
        }
    }
    for (label, address) in &about.urls {
        put("Project-URL", &format!("{label}, {address}"));
    }
    for classifier in &about.license_classifiers {
        put("Classifier", classifier);
    }
    Some(out.into_bytes())
}

/// An error and its causes as one text.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
