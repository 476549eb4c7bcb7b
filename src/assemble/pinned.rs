//! What the locks of other tools say of releases: which versions there are to be, and which digests
//! their files have.
//!
//! A digest that another lock has of a file must be the one that the index tells, which is the one
//! that every download is checked against. Where they differ nothing is written: one of the two files
//! is not the one that somebody meant to use.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::AssembleError;
use crate::index::{Catalog, Distribution, IndexError, Release};
use crate::project::foreign::{Limits, PinnedRelease};
use crate::python::{PackageName, Sha256};
use crate::resolve::{Pin, Resolution};

/// Another tool's lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pins {
    /// Its file, as the user names it.
    pub lock: String,
    /// What makes it again.
    pub command: String,
    /// Whether there is to be nothing but what it has.
    pub exact: bool,
    /// Projects that it leaves out although something may require them.
    pub leaves_out: BTreeSet<String>,
    /// What it has.
    pub limits: Limits,
}

impl Pins {
    fn release(&self, pin: &Pin) -> Option<&PinnedRelease> {
        self.limits.pinned.get(&pin.name)?.get(&pin.version)
    }

    fn has(&self, pin: &Pin) -> bool {
        pin.direct.is_some() && self.limits.direct.contains(&pin.name)
            || self.release(pin).is_some()
            || self.leaves_out.contains(pin.name.as_ref())
    }

    /// Refuses what the lock does not have, where nothing else is to be.
    ///
    /// # Errors
    /// The first pin that the lock does not have.
    pub(super) fn complete(&self, resolution: &Resolution) -> Result<(), AssembleError> {
        if !self.exact {
            return Ok(());
        }
        let others: Vec<&Pin> = resolution.pins.iter().filter(|p| !self.has(p)).collect();
        // What is missing first on the way from the user's requirements tells more than what that needs.
        let is_first = |pin: &&&Pin| {
            let mut roots = resolution.roots.iter();
            let by = needed_by_pin(resolution, pin);
            roots.any(|edge| edge.to == pin.name) || by.is_some_and(|by| self.has(by))
        };
        let first = others.iter().find(is_first).or(others.first());
        let Some(&pin) = first else {
            return Ok(());
        };
        let known = self.limits.pinned.get(&pin.name);
        Err(AssembleError::NotPinned {
            release: format!("{} {}", pin.name, pin.version),
            by: needed_by(resolution, pin),
            lock: self.lock.clone(),
            command: self.command.clone(),
            has: known
                .map(|versions| versions.keys().map(ToString::to_string).collect())
                .unwrap_or_default(),
        })
    }

    /// Which digests could not be compared, and what an exact lock turns out to lack after all (what
    /// only sources require), as sentences.
    pub(super) fn notes(&self, resolution: &Resolution) -> Vec<String> {
        let mut notes = Vec::new();
        for pin in resolution.pins.iter().filter(|p| p.direct.is_none()) {
            let release = format!("{} {}", pin.name, pin.version);
            match self.release(pin) {
                Some(listed) if listed.files.iter().all(|file| file.sha256.is_none()) => {
                    notes.push(format!(
                        "{} has no sha256 of {release}, so its files were compared with nothing",
                        self.lock
                    ));
                }
                Some(listed) if !any_in_common(listed, pin) => notes.push(format!(
                    "the index has none of the files that {} lists of {release}, so they were compared with nothing",
                    self.lock
                )),
                None if self.exact && !self.has(pin) => notes.push(format!(
                    "{release} is not in {}: only the source of {} needs it",
                    self.lock,
                    needed_by(resolution, pin)
                )),
                _ => {}
            }
        }
        notes
    }

    /// Compares the digests that the lock has with those of the index.
    ///
    /// # Errors
    /// Where they differ.
    pub(super) fn compare(
        &self,
        resolution: &mut Resolution,
        catalog: &dyn Catalog,
    ) -> Result<(), AssembleError> {
        for pin in resolution.pins.iter_mut().filter(|p| p.direct.is_none()) {
            let Some(listed) = self.release(pin).cloned() else {
                continue;
            };
            if listed.files.iter().any(|file| file.name.is_some()) {
                by_name(pin, &listed, catalog)?;
            } else {
                by_digest(pin, &listed, catalog)?;
            }
        }
        Ok(())
    }
}

fn any_in_common(listed: &PinnedRelease, pin: &Pin) -> bool {
    let mut names = listed.files.iter().map(|file| file.name.as_deref());
    names.any(|name| name.is_none_or(|name| pin.release.files().any(|file| file.file == name)))
}

fn by_name(pin: &Pin, listed: &PinnedRelease, catalog: &dyn Catalog) -> Result<(), AssembleError> {
    for file in pin.release.files() {
        let theirs = listed
            .files
            .iter()
            .find(|theirs| theirs.name.as_ref() == Some(&file.file));
        let Some(theirs) = theirs.and_then(|theirs| theirs.sha256) else {
            continue;
        };
        let ours = sha256(&pin.name, file, catalog)?;
        if ours != theirs {
            return Err(AssembleError::Differs {
                file: file.file.clone(),
                lock: listed.origin.to_string(),
                listed: theirs.hex(),
                found: ours.hex(),
            });
        }
    }
    Ok(())
}

/// Digests without names allow files: others are later uploads, and are left out, as pip does it.
fn by_digest(
    pin: &mut Pin,
    listed: &PinnedRelease,
    catalog: &dyn Catalog,
) -> Result<(), AssembleError> {
    let digests: BTreeSet<Sha256> = listed.files.iter().filter_map(|f| f.sha256).collect();
    if digests.is_empty() {
        return Ok(());
    }
    let mut kept = Release::clone(&pin.release);
    let mut first = None;
    (kept.wheels, kept.sdist) = (Vec::new(), None);
    for file in pin.release.files() {
        let ours = sha256(&pin.name, file, catalog)?;
        first.get_or_insert((file.file.clone(), ours.hex()));
        if !digests.contains(&ours) {
            continue;
        }
        match &pin.release.sdist {
            Some(sdist) if sdist == file => kept.sdist = Some(file.clone()),
            _ => kept.wheels.push(file.clone()),
        }
    }
    if let Some((file, found)) = first
        && kept.files().next().is_none()
    {
        let all: Vec<String> = digests.iter().map(Sha256::hex).collect();
        return Err(AssembleError::Differs {
            file,
            lock: listed.origin.to_string(),
            listed: all.join(" or "),
            found,
        });
    }
    pin.release = Arc::new(kept);
    Ok(())
}

fn sha256(
    name: &PackageName,
    file: &Distribution,
    catalog: &dyn Catalog,
) -> Result<Sha256, IndexError> {
    match file.sha256 {
        Some(sha256) => Ok(sha256),
        None => catalog.sha256(name, file),
    }
}

/// Who needs a pin: another one, or the user.
fn needed_by(resolution: &Resolution, pin: &Pin) -> String {
    if let Some(root) = resolution.roots.iter().find(|edge| edge.to == pin.name) {
        return match &root.requirement.origin {
            Some(origin) => origin.to_string(),
            None => "your project".to_owned(),
        };
    }
    needed_by_pin(resolution, pin).map_or_else(
        || "your project".to_owned(),
        |by| format!("{} {}", by.name, by.version),
    )
}

fn needed_by_pin<'r>(resolution: &'r Resolution, pin: &Pin) -> Option<&'r Pin> {
    resolution.pins.iter().find(|other| {
        let mut needs = other.needs.iter();
        other.name != pin.name && needs.any(|edge| edge.to == pin.name)
    })
}
