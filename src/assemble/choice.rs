//! Which of the answers to take: everything satisfied, then the fewest derivations built, then the
//! newest releases.
//!
//! The resolver takes nixpkgs' version of a project where it fits, and the newest release
//! otherwise. That is not always the answer that builds least: the newest release of one project
//! may need a version of another that nixpkgs does not have, and overriding that one builds again
//! whatever needs it. So, once there is an answer, each attribute of nixpkgs that it changes is held
//! at nixpkgs' version, and everything is resolved again: an older release of whatever wanted it
//! otherwise may do. The result is kept where it builds less in all.
//!
//! The search is bounded by counts, never by time, so that the same question has the same answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use super::{AssembleError, Question, unpublished};
use crate::event::{Event, Observer};
use crate::index::{Catalog, Release};
use crate::plan::{self, Older, Weight};
use crate::python::range::admits;
use crate::python::{MarkerTree, PackageName, Requirement, Version, VersionSpecifiers, Wanted};
use crate::resolve::{self, Edge, Input, Pin, Prefer, Resolution};

/// How many other answers are tried.
const TRIALS: usize = 24;

/// How many versions may turn out to be impossible on the way to one of them.
const PATIENCE: u32 = 120;

/// How much older a release may be than the one that it takes the place of: two years, in
/// microseconds. Releases that state no requirement yet would otherwise always win.
const OLDER: i64 = 2 * 365 * 86_400_000_000;

/// The search, and what it has come to. What was found stays when everything is resolved again.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    question: &'a Question<'a>,
    /// Projects that are held at nixpkgs' version.
    held: BTreeMap<PackageName, Version>,
    /// Projects that cannot be, or for nothing.
    tried: BTreeSet<Hold>,
    trials: usize,
    /// Releases that are older than they could be.
    pub older: BTreeMap<PackageName, Older>,
    /// Changed attributes that were not tried any more.
    pub untried: BTreeSet<PackageName>,
}

impl<'a> Choice<'a> {
    pub fn new(question: &'a Question<'a>) -> Self {
        Self {
            question,
            held: BTreeMap::new(),
            tried: BTreeSet::new(),
            trials: 0,
            older: BTreeMap::new(),
            untried: BTreeSet::new(),
        }
    }

    /// The answer to take. `observer` sees the first attempt, `quiet` the others.
    ///
    /// # Errors
    /// Those of resolving.
    pub fn resolve(
        &mut self,
        catalog: &dyn Catalog,
        observer: &dyn Observer,
        quiet: &dyn Observer,
    ) -> Result<Resolution, AssembleError> {
        let question = self.question;
        let best = match super::resolve(catalog, &self.input(&[]), question.approved, observer) {
            Err(AssembleError::Unsolvable(_)) if !self.held.is_empty() => {
                // What is known better now does not go together with what was chosen before.
                self.held.clear();
                self.older.clear();
                super::resolve(catalog, question.input, question.approved, observer)?
            }
            answer => answer?,
        };
        if question.input.policy.prefer != Prefer::Nixpkgs || question.nixpkgs.is_empty() {
            return Ok(best);
        }
        if best.pins.iter().all(|pin| self.is_locked(pin)) {
            return Ok(best);
        }
        let quiet = Undecided(quiet);
        let weight = weigh(catalog, question, &best);
        let mut state = State { best, weight };
        let search = Search {
            catalog,
            quiet: &quiet,
        };
        loop {
            let candidates = self.candidates(catalog, &state);
            if candidates.is_empty() {
                break;
            }
            self.improve(&search, &mut state, candidates);
        }
        self.freshen(&search, &mut state);
        let best = state.best;
        self.older.retain(|name, older| {
            if older.because.is_empty() {
                "with that one, more would be built".clone_into(&mut older.because);
            }
            let mut pins = best.pins_of(name);
            pins.any(|pin| pin.version == older.version)
        });
        Ok(best)
    }

    /// What the user asks, with projects held at nixpkgs' version.
    fn input(&self, hold: &[Hold]) -> Input {
        let mut input = self.question.input.clone();
        let hold = hold.iter().map(|(name, version)| (name, version));
        let held = self.held.iter().chain(hold);
        let held = held.map(|(name, version)| exactly(name, version));
        input.constraints.extend(held);
        input
    }

    /// Holds everything at once, or else one half after the other, those first that most depends on.
    fn improve(&mut self, search: &Search<'_>, state: &mut State, candidates: Vec<Hold>) {
        let mut groups = vec![candidates];
        while let Some(mut group) = groups.pop() {
            let changed = &state.weight;
            group.retain(|(name, _)| {
                changed.changed.contains_key(name) || changed.unmet.contains(name)
            });
            if group.is_empty() {
                continue;
            }
            if self.trials >= TRIALS {
                self.untried.extend(group.into_iter().map(|(name, _)| name));
                continue;
            }
            self.trials += 1;
            if let Some(better) = self.attempt(search, &self.input(&group), state) {
                self.note(state, &better, &group);
                let mixed = group.len() > 1 && better.builds_what_did_not(state);
                *state = better;
                self.held.extend(group.iter().cloned());
                if mixed {
                    self.loosen(search, state, &group);
                }
            } else if group.len() > 1 {
                let rest = group.split_off(group.len().div_ceil(2));
                groups.push(rest);
                groups.push(group);
            } else {
                self.tried.extend(group);
            }
        }
    }

    /// Lets go what was held together with others, where that builds less.
    fn loosen(&mut self, search: &Search<'_>, state: &mut State, group: &[Hold]) {
        for (name, version) in group.iter().rev() {
            if self.trials >= TRIALS {
                return;
            }
            self.trials += 1;
            self.held.remove(name);
            match self.attempt(search, &self.input(&[]), state) {
                Some(better) => {
                    *state = better;
                    self.tried.insert((name.clone(), version.clone()));
                }
                None => {
                    self.held.insert(name.clone(), version.clone());
                }
            }
        }
    }

    /// Takes the newer release after all where nothing is known to speak against it: the resolver finds
    /// an answer, not the newest of all.
    fn freshen(&mut self, search: &Search<'_>, state: &mut State) {
        let unexplained = self
            .older
            .iter()
            .filter(|(_, older)| older.because.is_empty());
        let unexplained: Vec<(PackageName, String)> = unexplained
            .map(|(name, older)| (name.clone(), older.rather_than.clone()))
            .collect();
        for (name, rather_than) in unexplained {
            let wanted = Version::from_str(&rather_than).ok();
            let Some(wanted) = wanted.filter(|_| self.trials < TRIALS) else {
                continue;
            };
            self.trials += 1;
            let input = self.input(&[(name.clone(), wanted)]);
            let fresh = holding(search.catalog, self.question, &input, search.quiet);
            let fresh = fresh.map(|best| State {
                weight: weigh(search.catalog, self.question, &best),
                best,
            });
            match fresh.filter(|fresh| fresh.weight.cost() <= state.weight.cost()) {
                Some(fresh) => *state = fresh,
                None => {
                    if let Some(older) = self.older.get_mut(&name) {
                        "with that one, more would be built".clone_into(&mut older.because);
                    }
                }
            }
        }
    }

    /// Attributes that are changed although nothing that the user himself asks for says so, each with
    /// nixpkgs' version. Once the default ones were tried, with those of nixpkgs' other attributes of the
    /// project: these are not built either.
    fn candidates(&self, catalog: &dyn Catalog, state: &State) -> Vec<Hold> {
        let mut ranked: Vec<(usize, Hold)> = Vec::new();
        let weight = &state.weight;
        for name in weight.changed.keys().chain(&weight.unmet) {
            let mut pins = state.best.pins_of(name);
            if self.untried.contains(name)
                || self.held.contains_key(name)
                || pins.any(|pin| pin.direct.is_some() || self.is_locked(pin))
            {
                continue;
            }
            // what nixpkgs builds everything with is not replaced by another attribute
            let count = if weight.unmet.contains(name) {
                1
            } else {
                usize::MAX
            };
            let attributes = self.question.nixpkgs.attributes(name).iter();
            let next = attributes.take(count).enumerate().find(|(_, own)| {
                let version = &own.version;
                let is_there = state.best.pins_of(name).any(|pin| pin.version == *version);
                !is_there
                    && !self.tried.contains(&(name.clone(), version.clone()))
                    && forced(self.question.input, &state.best.roots, name, version).is_none()
                    && is_published(catalog, name, version)
            });
            ranked.extend(next.map(|(rank, own)| (rank, (name.clone(), own.version.clone()))));
        }
        let first = ranked.iter().map(|(rank, _)| *rank).min();
        let firsts = ranked.into_iter().filter(|(rank, _)| Some(*rank) == first);
        let mut candidates: Vec<Hold> = firsts.map(|(_, hold)| hold).collect();
        candidates.sort_by_key(|(name, _)| (Reverse(weight.of(name)), name.clone()));
        candidates
    }

    /// Whether the pin is an existing lock's, which stays.
    fn is_locked(&self, pin: &Pin) -> bool {
        let locked = &self.question.input.preferences.locked;
        locked
            .get(&pin.name)
            .is_some_and(|all| all.contains(&pin.version))
    }

    /// The answer to a changed question, where it is better than the best so far.
    fn attempt(&self, search: &Search<'_>, input: &Input, state: &State) -> Option<State> {
        let best = holding(search.catalog, self.question, input, search.quiet)?;
        let weight = weigh(search.catalog, self.question, &best);
        let better = weight.cost() < state.weight.cost() && !self.goes_too_far(&state.best, &best);
        better.then_some(State { best, weight })
    }

    /// Whether a release of the other answer is far older than the one of the best, and not
    /// nixpkgs' own, or takes the place of one that the lock has.
    fn goes_too_far(&self, best: &Resolution, other: &Resolution) -> bool {
        best.pins.iter().any(|pin| {
            let mut instead = other
                .pins_of(&pin.name)
                .filter(|o| o.version != pin.version);
            let own = self.question.nixpkgs.attributes(&pin.name);
            instead.any(|instead| {
                let is_own = own.iter().any(|a| a.version == instead.version);
                self.is_locked(pin) || !is_own && is_far_older(&instead.release, &pin.release)
            })
        })
    }

    /// What the reader should know where the search ended before its end.
    pub fn warning(&self) -> Option<String> {
        if self.untried.is_empty() {
            return None;
        }
        let names: Vec<&str> = self.untried.iter().map(AsRef::as_ref).collect();
        Some(format!(
            "after {TRIALS} other answers, the search for older releases that go with nixpkgs' own {} was given up",
            names.join(", ")
        ))
    }

    /// Notes which releases are older in the better answer, and why.
    fn note(&mut self, state: &State, better: &State, hold: &[Hold]) {
        for (name, change) in changes(&state.best, &better.best, &state.weight, hold) {
            let before = self.older.get(&name);
            let rather_than = before.map_or(change.rather_than, |b| b.rather_than.clone());
            let older = Older {
                rather_than,
                ..change
            };
            self.older.insert(name, older);
        }
    }
}

/// A project, and nixpkgs' version of it, at which it is to be held.
pub(super) type Hold = (PackageName, Version);

/// The best answer so far.
struct State {
    best: Resolution,
    weight: Weight,
}

impl State {
    /// Whether something is built that was not in another answer.
    fn builds_what_did_not(&self, other: &State) -> bool {
        let (this, that) = (&self.weight, &other.weight);
        let is_changed = |name: &PackageName| that.changed.contains_key(name);
        this.new > that.new || !this.changed.keys().all(is_changed)
    }
}

/// Who is asked for other answers.
struct Search<'s> {
    catalog: &'s dyn Catalog,
    quiet: &'s dyn Observer,
}

/// Passes on everything but decisions: those of a trial are not to be prepared for.
struct Undecided<'a>(&'a dyn Observer);

impl Observer for Undecided<'_> {
    fn see(&self, event: &Event) {
        if !matches!(event, Event::Decided { .. }) {
            self.0.see(event);
        }
    }
}

/// The answer to a changed question, where there is one within bounds.
pub(super) fn holding(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    input: &Input,
    observer: &dyn Observer,
) -> Option<Resolution> {
    let answer = resolve::resolve_within(catalog, input, observer, PATIENCE);
    let mut resolution = answer.ok().flatten()?;
    super::approved::keep_formats(&mut resolution, &input.policy);
    let allowed = question.approved.apply(&mut resolution, input, catalog);
    allowed.ok().map(|()| resolution)
}

/// Weighs an answer.
pub(super) fn weigh(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    resolution: &Resolution,
) -> Weight {
    plan::weigh(&plan::Request {
        resolution,
        build: &[],
        facts: &BTreeMap::new(),
        digests: &BTreeMap::new(),
        trials: &BTreeMap::new(),
        crates: &BTreeMap::new(),
        wheels: &BTreeMap::new(),
        nixpkgs: question.nixpkgs,
        unpublished: &unpublished(catalog, question.nixpkgs, resolution),
        policy: question.policy,
    })
}

/// The user's own requirement, limit or override that does not admit a version.
pub(super) fn forced<'i>(
    input: &'i Input,
    roots: &'i [Edge],
    name: &PackageName,
    version: &Version,
) -> Option<&'i Requirement> {
    let refuses = |requirement: &Requirement| {
        requirement.name == *name
            && requirement
                .specifiers()
                .is_none_or(|specifiers| !admits(specifiers, version))
    };
    let lines = input.constraints.iter().chain(&input.overrides);
    let roots = roots.iter().map(|edge| edge.requirement.as_ref());
    roots.chain(lines).find(|requirement| refuses(requirement))
}

/// Whether the index has a version, as far as that is known.
fn is_published(catalog: &dyn Catalog, name: &PackageName, version: &Version) -> bool {
    let page = catalog
        .known_page(name)
        .filter(|_| catalog.was_consulted(name));
    page.is_none_or(|page| page.versions().any(|known| known == version))
}

fn is_far_older(this: &Release, that: &Release) -> bool {
    let day = |release: &Release| release.files().filter_map(|file| file.uploaded).min();
    match (day(this), day(that)) {
        (Some(this), Some(that)) => that.0 - this.0 > OLDER,
        _ => false,
    }
}

/// The limit that holds a project at a version.
pub(super) fn exactly(name: &PackageName, version: &Version) -> Requirement {
    let specifier = pep440_rs::VersionSpecifier::equals_version(version.clone());
    Requirement {
        name: name.clone(),
        extras: BTreeSet::new(),
        wanted: Wanted::Versions(VersionSpecifiers::from_iter([specifier])),
        marker: MarkerTree::TRUE,
        origin: None,
    }
}

/// The releases that are older in another answer than in the first, each with the reason: those that
/// do not go with what is held, and those that do not go with these.
fn changes(
    first: &Resolution,
    other: &Resolution,
    weight: &Weight,
    hold: &[Hold],
) -> BTreeMap<PackageName, Older> {
    let mut changes = BTreeMap::new();
    let is_held = |name: &PackageName| hold.iter().any(|(held, _)| held == name);
    for pin in first.pins.iter().filter(|pin| !is_held(&pin.name)) {
        let mut instead = other.pins_of(&pin.name);
        let (Some(instead), None) = (instead.next(), instead.next()) else {
            continue;
        };
        if instead.version < pin.version {
            let older = Older {
                version: instead.version.clone(),
                rather_than: pin.version.to_string(),
                because: because(pin, other, weight, hold),
            };
            changes.insert(pin.name.clone(), older);
        }
    }
    changes
}

/// What speaks against a release: what it needs of something that is held, or else of something
/// that has another version now, or that somebody refuses it now. Empty where nothing does.
fn because(pin: &Pin, other: &Resolution, weight: &Weight, hold: &[Hold]) -> String {
    let refused = |version: &Version, edge: &Edge| {
        let specifiers = edge.requirement.specifiers();
        specifiers.is_none_or(|s| !admits(s, version))
    };
    for edge in &pin.needs {
        let held = hold.iter().find(|(held, _)| *held == edge.to);
        if let Some((held, version)) = held
            && refused(version, edge)
        {
            let wanted = edge
                .requirement
                .specifiers()
                .map(wanted)
                .unwrap_or_default();
            let would = if weight.unmet.contains(held) {
                format!("and nixpkgs builds everything with {held} {version}")
            } else {
                format!("which would rebuild {}", weight.of(held))
            };
            return format!("that one needs {held}{wanted}, {would}");
        }
    }
    for edge in &pin.needs {
        if let Some(changed) = other.pins_of(&edge.to).find(|p| refused(&p.version, edge)) {
            return format!("it goes with {} {}", changed.name, changed.version);
        }
    }
    for by in &other.pins {
        let mut edges = by.needs.iter().filter(|edge| edge.to == pin.name);
        if let Some(edge) = edges.find(|edge| refused(&pin.version, edge)) {
            let wanted = edge
                .requirement
                .specifiers()
                .map(wanted)
                .unwrap_or_default();
            return format!("{} {} needs {wanted}", by.name, by.version);
        }
    }
    String::new()
}

fn wanted(specifiers: &VersionSpecifiers) -> String {
    let parts: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests;
