//! The small files of the cache, which are read and written whole: facts of sdists and wheels, what was
//! seen at paths of sdists, notes about indexes, answers.
//!
//! Each is a checksum in hexadecimal, a line feed, and what it is about; what does not fit is a miss.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::wheel::WheelFacts;
use super::{Cache, FACTS};
use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::Sha256;

/// Where answers to whole questions are kept, and how many.
const ANSWERS: &str = "answers";
const MAX_ANSWERS: usize = 100;
/// How many bytes a checksum takes, its line feed included.
const SEAL: usize = 9;

impl Cache {
    /// The answer that was kept under a name.
    pub fn answer(&self, name: &str) -> Option<Vec<u8>> {
        open(&self.root.as_ref()?.join(ANSWERS).join(name))
    }

    /// Keeps an answer, and of earlier ones only the newest.
    pub fn store_answer(&self, name: &str, bytes: &[u8]) {
        let Some(folder) = self.root.as_ref().map(|root| root.join(ANSWERS)) else {
            return;
        };
        self.seal(&folder.join(name), bytes);
        let Ok(entries) = std::fs::read_dir(&folder) else {
            return;
        };
        let mut kept: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        kept.sort();
        kept.truncate(kept.len().saturating_sub(MAX_ANSWERS));
        for (_, path) in kept {
            // Whoever cannot remove it now removes it with the next answer.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The facts of the sdist with this digest.
    pub fn facts(&self, sha256: &Sha256) -> Option<SourceFacts> {
        serde_json::from_slice(&open(&self.facts_path(sha256)?)?).ok()
    }

    /// Keeps facts.
    pub fn store_facts(&self, sha256: &Sha256, facts: &SourceFacts) {
        if let (Some(path), Ok(json)) = (self.facts_path(sha256), serde_json::to_vec(facts)) {
            self.seal(&path, &json);
        }
    }

    /// What was seen at paths of an sdist; nothing where none was looked at.
    pub fn looked(&self, sha256: &Sha256) -> BTreeMap<String, Found> {
        let path = self.facts_path(sha256);
        let text = path.and_then(|path| open(&path.with_extension("looked")));
        let found = text.and_then(|text| serde_json::from_slice(&text).ok());
        found.unwrap_or_default()
    }

    /// Keeps it.
    pub fn store_looked(&self, sha256: &Sha256, found: &BTreeMap<String, Found>) {
        if let (Some(path), Ok(json)) = (self.facts_path(sha256), serde_json::to_vec(found)) {
            self.seal(&path.with_extension("looked"), &json);
        }
    }

    /// The facts of the wheel with this digest, as far as `extent` goes.
    pub fn wheel_facts(&self, sha256: &Sha256, extent: &str) -> Option<WheelFacts> {
        let path = self.facts_path(sha256)?.with_extension(extent);
        serde_json::from_slice(&open(&path)?).ok()
    }

    /// Keeps them.
    pub fn store_wheel_facts(&self, sha256: &Sha256, extent: &str, facts: &WheelFacts) {
        if let (Some(path), Ok(json)) = (self.facts_path(sha256), serde_json::to_vec(facts)) {
            self.seal(&path.with_extension(extent), &json);
        }
    }

    fn facts_path(&self, sha256: &Sha256) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(FACTS).join(sha256.hex()))
    }

    /// A small text about an index.
    pub fn note(&self, index: &str, name: &str) -> Option<String> {
        String::from_utf8(open(&self.note_path(index, name)?)?).ok()
    }

    /// Keeps a small text about an index.
    pub fn store_note(&self, index: &str, name: &str, text: &str) {
        if let Some(path) = self.note_path(index, name) {
            self.seal(&path, text.as_bytes());
        }
    }

    fn note_path(&self, index: &str, name: &str) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(index).join(format!(".{name}")))
    }

    fn seal(&self, path: &Path, bytes: &[u8]) {
        let seal = format!("{:08x}\n", crc32fast::hash(bytes));
        self.replace(path, &[seal.as_bytes(), bytes]);
    }
}

/// What a file is about, if it is what was written.
fn open(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let (seal, about) = bytes.split_at_checked(SEAL)?;
    if seal != format!("{:08x}\n", crc32fast::hash(about)).as_bytes() {
        return None;
    }
    bytes.drain(..SEAL);
    Some(bytes)
}
