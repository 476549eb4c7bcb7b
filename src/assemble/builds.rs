//! What entries need to be built: resolved on top of the pins.
//!
//! nixpkgs builds its own packages with its own tools. A build requirement whose newest release would
//! change one of those (or something that they need) has all of them built again; where an older
//! release of the requirement avoids that, it is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::{AssembleError, Question, texts, unpublished};
use crate::event::Observer;
use crate::index::Catalog;
use crate::plan::{self, Weight};
use crate::python::{PackageName, Requirement, Version};
use crate::resolve::{self, Input, Outcome, Pin, Prefer, Preferences, Resolution};

/// How many other answers are tried for one round of build requirements.
const TRIALS: usize = 8;

/// Resolves build requirements on top of the pins: first so that no project gets a second version,
/// and, where that cannot be, with the pins as mere preferences.
pub(super) fn build_requirements(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    resolution: &Resolution,
    build: &[Resolution],
    missing: Vec<Requirement>,
    observer: &dyn Observer,
) -> Result<Resolution, AssembleError> {
    let pinned: Vec<&Pin> = std::iter::once(resolution)
        .chain(build)
        .flat_map(|resolution| &resolution.pins)
        .collect();
    let mut locked: BTreeMap<PackageName, Vec<Version>> = BTreeMap::new();
    for pin in &pinned {
        locked
            .entry(pin.name.clone())
            .or_default()
            .push(pin.version.clone());
    }
    let mut constraints = question.input.constraints.clone();
    constraints.extend(pinned.iter().filter_map(|pin| exactly(pin, &locked)));
    let requirements = texts(&missing);
    let mut policy = question.input.policy.clone();
    if !question.nixpkgs.is_empty() {
        policy.prefer = Prefer::Nixpkgs;
    }
    let mut input = Input {
        requirements: missing,
        constraints,
        preferences: Preferences {
            locked,
            ..question.input.preferences.clone()
        },
        policy,
        ..question.input.clone()
    };
    if let Outcome::Solved(further) = resolve::resolve(catalog, &input, observer)? {
        let weighed = Weighed {
            catalog,
            question,
            resolution,
            build,
        };
        return Ok(weighed.lighter(input, further, observer));
    }
    input.constraints = question.for_builds.to_vec();
    match resolve::resolve(catalog, &input, observer)? {
        Outcome::Solved(resolution) => Ok(resolution),
        Outcome::Unsolvable(explanation) => Err(AssembleError::UnsolvableBuild {
            requirements,
            explanation: Box::new(explanation),
        }),
    }
}

/// The constraint that keeps a project at its pin, where it has one only.
fn exactly(pin: &Pin, locked: &BTreeMap<PackageName, Vec<Version>>) -> Option<Requirement> {
    if pin.direct.is_some() || locked.get(&pin.name).is_none_or(|all| all.len() > 1) {
        return None;
    }
    Some(super::choice::exactly(&pin.name, &pin.version))
}

/// The pins that build requirements are resolved on top of.
struct Weighed<'a> {
    catalog: &'a dyn Catalog,
    question: &'a Question<'a>,
    resolution: &'a Resolution,
    build: &'a [Resolution],
}

impl Weighed<'_> {
    /// The answer, or another one that has less built: what it changes, and what it puts beside nixpkgs'
    /// own, is held at nixpkgs' version, all of it or else one after the other.
    fn lighter(&self, input: Input, further: Resolution, observer: &dyn Observer) -> Resolution {
        let mut best = (self.weight(&further), further);
        let pinned: BTreeSet<&PackageName> = std::iter::once(self.resolution)
            .chain(self.build)
            .flat_map(|resolution| &resolution.pins)
            .map(|pin| &pin.name)
            .collect();
        let changed = best.0.changed.keys().chain(&best.0.tools);
        let changed = changed.filter(|name| !pinned.contains(name));
        let own = |name: &PackageName| {
            let own = self.question.nixpkgs.attributes(name).first()?;
            Some(super::choice::exactly(name, &own.version))
        };
        let holds: Vec<Requirement> = changed.filter_map(own).collect();
        let one_by_one = holds.iter().map(std::slice::from_ref);
        let attempts = std::iter::once(holds.as_slice()).chain(one_by_one);
        let attempts = attempts.filter(|held| !held.is_empty()).take(TRIALS);
        let mut input = input;
        for (index, held) in attempts.enumerate() {
            let before = input.constraints.len();
            input.constraints.extend(held.iter().cloned());
            let answer = resolve::resolve(self.catalog, &input, observer);
            if let Ok(Outcome::Solved(other)) = answer {
                let weight = self.weight(&other);
                if weight.cost() < best.0.cost() {
                    best = (weight, other);
                    if index == 0 {
                        // nothing is changed any more
                        break;
                    }
                    continue;
                }
            }
            input.constraints.truncate(before);
        }
        best.1
    }

    fn weight(&self, further: &Resolution) -> Weight {
        let mut build = self.build.to_vec();
        build.push(further.clone());
        plan::weigh(&plan::Request {
            resolution: self.resolution,
            build: &build,
            facts: &BTreeMap::new(),
            digests: &BTreeMap::new(),
            wheels: &BTreeMap::new(),
            trials: &BTreeMap::new(),
            crates: &BTreeMap::new(),
            nixpkgs: self.question.nixpkgs,
            unpublished: &unpublished(self.catalog, self.question.nixpkgs, self.resolution),
            policy: self.question.policy,
        })
    }
}
