//! Locks that were made before: the same question, asked of the same pages by the same program, has
//! the same answer, so it is kept with the index' answers and taken from there.
//!
//! Only locks without a Nix file are kept, as the file's sources must be looked at, and only what
//! releases on indexes say: a folder, a repository or a nixpkgs tree may have changed since.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::exit::{Exit, Failure};
use super::locking::{Asked, Locked, Reasons};
use super::settings::Upgrade;
use crate::index::RemoteCatalog;
use crate::nixpkgs::Nixpkgs;
use crate::problem::Origin;
use crate::python::{PackageName, Sha256};
use crate::render::Document;

/// Under what the answers to a question are kept.
#[derive(Debug)]
pub struct Names {
    lock: String,
    /// Where the requirements are written.
    origins: Vec<Option<Origin>>,
}

/// All of [`Locked`] but the text of the lock, which follows it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    pins: usize,
    warnings: Vec<String>,
    yanked: Vec<(PackageName, String, String)>,
    changelogs: BTreeMap<PackageName, String>,
}

/// Why there is none.
#[derive(Debug, Serialize, Deserialize)]
struct Refusal {
    what: String,
    why: Vec<String>,
    help: Vec<String>,
}

impl Names {
    /// Those of a question; none for one whose answer is not kept.
    pub fn of(asked: &Asked<'_>, reasons: Reasons) -> Option<Self> {
        let upgrade = &asked.meant.upgrade;
        let plain = upgrade.packages.is_empty()
            && upgrade.requirements.is_empty()
            && upgrade.to_nixpkgs == Upgrade::default().to_nixpkgs;
        // What is read of a tree depends on whether Nix could evaluate it in time.
        let located = &asked.located;
        let table = located.is_bundled() || located.is_none() || located.wanted_channel().is_some();
        let keeps = asked.meant.output.nix.is_none()
            && reasons == Reasons::Unread
            && plain
            && table
            && !asked.looks_at_sources();
        if !keeps {
            return None;
        }
        let existing = asked.existing.as_deref().unwrap_or("");
        let text = format!(
            "{}\n{}\n{}\n",
            asked.inputs,
            Sha256::of(existing.as_bytes()),
            build()?
        );
        let wishes = &asked.wishes;
        let lines = [&wishes.requirements, &wishes.constraints, &wishes.overrides];
        let origins = lines.into_iter().flatten().map(|line| line.origin.clone());
        Some(Self {
            lock: Sha256::of(text.as_bytes()).hex(),
            origins: origins.collect(),
        })
    }

    /// The name for that there is no lock: an explanation tells which lines ask for what cannot be.
    fn refusal(&self) -> String {
        let mut text = self.lock.clone();
        for origin in &self.origins {
            let place = origin.as_ref().map(ToString::to_string);
            text.push_str(&place.unwrap_or_default());
            text.push('\n');
        }
        Sha256::of(text.as_bytes()).hex()
    }

    /// What was kept, if it still holds.
    pub fn recall(
        &self,
        remote: &RemoteCatalog,
        lock: &str,
        nixpkgs: &Arc<Nixpkgs>,
    ) -> Option<Result<Locked, Failure>> {
        if let Some(kept) = remote.recall(&self.lock) {
            return Some(Ok(locked(&kept, lock, nixpkgs)?));
        }
        let refusal: Refusal = serde_json::from_slice(&remote.recall(&self.refusal())?).ok()?;
        let mut failure = Failure::new(Exit::Unsatisfiable, refusal.what);
        failure.why = refusal.why;
        failure.help = refusal.help;
        Some(Err(failure))
    }

    /// Keeps an answer.
    pub fn remember(&self, remote: &RemoteCatalog, outcome: Result<&Locked, &Failure>) {
        match outcome {
            Ok(locked) => {
                if let Some(kept) = kept(locked) {
                    remote.remember(&self.lock, &kept);
                }
            }
            Err(failure) if failure.exit == Exit::Unsatisfiable && failure.problems.is_empty() => {
                let refusal = Refusal {
                    what: failure.what.clone(),
                    why: failure.why.clone(),
                    help: failure.help.clone(),
                };
                if let Ok(kept) = serde_json::to_vec(&refusal) {
                    remote.remember(&self.refusal(), &kept);
                }
            }
            Err(_) => {}
        }
    }
}

/// Which program this is: another one may answer otherwise.
fn build() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let about = program.metadata().ok()?;
    let changed = about.modified().ok()?;
    let changed = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!(
        "{} {} {}",
        program.display(),
        about.len(),
        changed.as_nanos()
    ))
}

fn kept(locked: &Locked) -> Option<Vec<u8>> {
    let [lock] = locked.documents.as_slice() else {
        return None;
    };
    if !locked.steps.is_empty() {
        return None;
    }
    let about = Kept {
        pins: locked.pins,
        warnings: locked.warnings.clone(),
        yanked: locked.yanked.clone(),
        changelogs: locked.changelogs.clone(),
    };
    let mut bytes = serde_json::to_vec(&about).ok()?;
    bytes.push(b'\n');
    bytes.extend_from_slice(lock.text.as_bytes());
    Some(bytes)
}

fn locked(kept: &[u8], lock: &str, nixpkgs: &Arc<Nixpkgs>) -> Option<Locked> {
    let (about, text) = std::str::from_utf8(kept).ok()?.split_once('\n')?;
    let about: Kept = serde_json::from_str(about).ok()?;
    Some(Locked {
        documents: vec![Document {
            name: lock.to_owned(),
            text: text.to_owned(),
        }],
        steps: Vec::new(),
        pins: about.pins,
        warnings: about.warnings,
        yanked: about.yanked,
        changelogs: about.changelogs,
        nixpkgs: Arc::clone(nixpkgs),
        source: String::new(),
        assembly: None,
    })
}
