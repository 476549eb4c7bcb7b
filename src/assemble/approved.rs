//! Digests that the user's requirements files allow (`--hash`): of a project that has some, only
//! files with one of them are locked and built.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{AssembleError, Pins};
use crate::index::{Catalog, Distribution, IndexError, Release};
use crate::python::{PackageName, Sha256};
use crate::resolve::{Input, Pin, Policy, Resolution};

/// What the user allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approved {
    /// Digests such as `sha256:…`, by project.
    pub digests: BTreeMap<PackageName, Vec<String>>,
    /// Whether every pin must have one (`--require-hashes`).
    pub everything: bool,
    /// What the locks of other tools have.
    pub pins: Vec<Pins>,
}

impl Approved {
    /// Keeps the files that are allowed.
    ///
    /// # Errors
    /// Where a pin has none; where a digest is wanted and not known.
    pub(super) fn apply(
        &self,
        resolution: &mut Resolution,
        input: &Input,
        catalog: &dyn Catalog,
    ) -> Result<(), AssembleError> {
        for pin in &mut resolution.pins {
            let release = || format!("{} {}", pin.name, pin.version);
            match self.digests.get(&pin.name) {
                Some(digests) => {
                    let allowed = sha256(digests);
                    let kept = kept(pin, &allowed, catalog)?;
                    if kept.wheels.is_empty() && kept.sdist.is_none() {
                        return Err(AssembleError::NotAllowed {
                            release: release(),
                            place: place(input, &pin.name),
                            only_others: allowed.is_empty(),
                        });
                    }
                    pin.release = Arc::new(kept);
                }
                None if self.everything => {
                    return Err(AssembleError::NoHash { release: release() });
                }
                None => {}
            }
        }
        for pins in &self.pins {
            pins.compare(resolution, catalog)?;
        }
        Ok(())
    }

    /// Refuses what locks of other tools do not have, where they are to be taken exactly.
    ///
    /// # Errors
    /// The first pin that such a lock does not have.
    pub(super) fn complete(&self, resolution: &Resolution) -> Result<(), AssembleError> {
        let mut pins = self.pins.iter();
        pins.try_for_each(|pins| pins.complete(resolution))
    }

    /// What the user should know of how a resolution compares with the locks of other tools, as
    /// sentences.
    pub fn notes(&self, resolution: &Resolution) -> Vec<String> {
        let notes = self.pins.iter().map(|pins| pins.notes(resolution));
        notes.flatten().collect()
    }
}

/// Keeps only files of the formats that the policy allows, or whoever installs from the lock would
/// take others.
pub(super) fn keep_formats(resolution: &mut Resolution, policy: &Policy) {
    for pin in resolution
        .pins
        .iter_mut()
        .filter(|pin| pin.direct.is_none())
    {
        let both = pin.release.sdist.is_some() && !pin.release.wheels.is_empty();
        if both && policy.no_binary.has(&pin.name) {
            Arc::make_mut(&mut pin.release).wheels.clear();
        } else if both && policy.only_binary.has(&pin.name) {
            Arc::make_mut(&mut pin.release).sdist = None;
        }
    }
}

fn sha256(digests: &[String]) -> BTreeSet<Sha256> {
    let digests = digests.iter();
    digests
        .filter_map(|text| Sha256::from_hex(text.strip_prefix("sha256:")?))
        .collect()
}

fn kept(
    pin: &Pin,
    allowed: &BTreeSet<Sha256>,
    catalog: &dyn Catalog,
) -> Result<Release, IndexError> {
    let is_allowed = |file: &Distribution| match file.sha256 {
        Some(sha256) => Ok(allowed.contains(&sha256)),
        None => Ok(allowed.contains(&catalog.sha256(&pin.name, file)?)),
    };
    let mut kept = Release::clone(&pin.release);
    (kept.wheels, kept.sdist) = (Vec::new(), None);
    for wheel in &pin.release.wheels {
        if is_allowed(wheel)? {
            kept.wheels.push(wheel.clone());
        }
    }
    if let Some(sdist) = &pin.release.sdist
        && is_allowed(sdist)?
    {
        kept.sdist = Some(sdist.clone());
    }
    Ok(kept)
}

/// Where the user asks for a project.
fn place(input: &Input, name: &PackageName) -> String {
    let all = input.requirements.iter().chain(&input.constraints);
    let origin = all
        .filter(|requirement| requirement.name == *name)
        .find_map(|requirement| requirement.origin.as_ref());
    origin.map_or_else(|| "the requirements file".to_owned(), ToString::to_string)
}
