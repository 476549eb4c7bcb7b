//! Requirements and releases to pins.
//!
//! [`resolve()`] runs PubGrub over the projects that a [`Catalog`] knows. All targets are solved
//! together, so that one version of a project serves all of them; where that cannot be, the
//! targets are split and solved one part after the other, later parts keeping to the versions of
//! earlier ones where they can.
//!
//! ```
//! use pyresolve::event::Silent;
//! use pyresolve::index::fixed::FixedCatalog;
//! use pyresolve::python::{Targets, System, Version};
//! use pyresolve::resolve::{self, Input, Outcome};
//!
//! let targets = Targets::new(Version::new([3, 13, 5]), &System::DEFAULT);
//! let outcome = resolve::resolve(&FixedCatalog::default(), &Input::new(targets), &Silent).unwrap();
//! assert!(matches!(outcome, Outcome::Solved(resolution) if resolution.pins.is_empty()));
//! ```

mod answer;
mod candidate;
mod companion;
pub mod explain;
mod guess;
pub mod input;
mod need;
mod node;
mod prefetch;
mod project;
mod provider;
pub mod resolution;
mod solver;
mod term;
mod universe;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::event::Observer;
use crate::index::{self, Catalog, IndexError};
use crate::python::range::Point;
use crate::python::{PackageName, TargetSet, Version, VersionSpecifiers};

use answer::Part;
use explain::Failure;
use node::ProjectId;
use provider::Provider;
use universe::Universe;

pub use explain::Explanation;
pub use input::{Formats, Input, Policy, Prefer, Preferences, Prerelease};
pub use resolution::{Edge, Pin, Resolution};

/// What became of a question.
#[derive(Debug)]
pub enum Outcome {
    /// There is an answer.
    Solved(Resolution),
    /// There is none, and why.
    Unsolvable(Explanation),
}

/// Why a question could not be answered either way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The index did not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// More versions turned out to be impossible than allowed.
    #[error("no answer after {0} impossible versions")]
    Patience(u32),
    /// A release was there and is no longer.
    #[error("{0} disappeared from the index while it was read; try again")]
    Disappeared(String),
}

/// Why the solver stops before it has an answer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// There will be none.
    #[error(transparent)]
    Error(#[from] ResolveError),
    /// Something was learned that the solver has to start over with.
    #[error("the resolution starts over")]
    Restart,
    /// A release needs different versions of a project on these targets and on the others.
    #[error("the targets are solved in parts")]
    Split(TargetSet),
}

/// For questions whose answers are all known already, so that only errors are left.
impl From<Fault> for ResolveError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Error(error) => error,
            Fault::Restart | Fault::Split(_) => Self::Disappeared("a release".to_owned()),
        }
    }
}

impl From<IndexError> for Fault {
    fn from(error: IndexError) -> Self {
        Fault::Error(error.into())
    }
}

/// Why a release that fits cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Its metadata cannot be known.
    Metadata(String),
    /// Its metadata asks for another interpreter.
    Python(VersionSpecifiers),
    /// It needs a project from an address, which only the user can ask for.
    Address(String),
    /// It needs a project from another address than where that comes from.
    Elsewhere {
        /// What it needs.
        requirement: String,
        /// Where the project comes from.
        place: String,
    },
    /// It needs another version of itself.
    Itself,
    /// The index no longer has it.
    Gone,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Metadata(reason) => write!(f, "its requirements cannot be known: {reason}"),
            Unusable::Python(wanted) => write!(f, "it needs Python {wanted}"),
            Unusable::Address(requirement) => write!(
                f,
                "it needs `{requirement}`, and an address counts only in your own requirements"
            ),
            Unusable::Elsewhere { requirement, place } => {
                write!(f, "it needs `{requirement}`, which comes from {place}")
            }
            Unusable::Itself => f.write_str("it needs another version of itself"),
            Unusable::Gone => f.write_str("the index no longer has it"),
        }
    }
}

/// Chooses a version of every project that the requirements need on the targets.
///
/// The answer depends on the input and on what the catalog has, never on the order of its answers.
///
/// # Errors
/// When the catalog does not answer; that there is no solution is not an error.
pub fn resolve(
    catalog: &dyn Catalog,
    input: &Input,
    observer: &dyn Observer,
) -> Result<Outcome, ResolveError> {
    index::sound(catalog, || resolve_once(catalog, input, observer))
}

fn resolve_once(
    catalog: &dyn Catalog,
    input: &Input,
    observer: &dyn Observer,
) -> Result<Outcome, ResolveError> {
    let universe = Universe::new(catalog, input);
    let mut parts = Vec::new();
    match solve(&universe, input.targets.all(), &mut parts, observer)? {
        None => {
            agree(&universe, &mut parts, observer)?;
            Ok(Outcome::Solved(answer::merge(&universe, &parts)?))
        }
        Some(failure) => Ok(Outcome::Unsolvable(explain::explain(
            &universe, &failure, observer,
        )?)),
    }
}

/// The same, given up without an explanation once more than `patience` versions turned out to be
/// impossible: for answers that would be better than one that is at hand.
///
/// # Errors
/// When the catalog does not answer.
pub fn resolve_within(
    catalog: &dyn Catalog,
    input: &Input,
    observer: &dyn Observer,
    patience: u32,
) -> Result<Option<Resolution>, ResolveError> {
    index::sound(catalog, || within(catalog, input, observer, patience))
}

fn within(
    catalog: &dyn Catalog,
    input: &Input,
    observer: &dyn Observer,
    patience: u32,
) -> Result<Option<Resolution>, ResolveError> {
    let mut universe = Universe::new(catalog, input);
    universe.patience = Some(patience);
    let mut parts = Vec::new();
    match solve(&universe, input.targets.all(), &mut parts, observer) {
        Ok(None) => {}
        Ok(Some(_)) | Err(ResolveError::Patience(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    agree(&universe, &mut parts, observer)?;
    Ok(Some(answer::merge(&universe, &parts)?))
}

/// What came of changing a question that has no answer.
struct Attempt {
    versions: BTreeMap<PackageName, Version>,
    /// Whether something was taken to fit because nobody had asked for it yet.
    assumed: bool,
}

/// The versions of a solution that is found while no more than so many others turn out to
/// be impossible, without explanations. Asks the index nothing that the failed question had not
/// asked, except for the pages of what the user requires: what is not known counts as fitting. So
/// what it costs is bounded, and it depends on the question alone.
fn attempt(
    failed: &Universe,
    input: &Input,
    observer: &dyn Observer,
    patience: u32,
) -> Option<Attempt> {
    let universe = Universe::within(failed, input, patience);
    let mut parts = Vec::new();
    let failure = solve(&universe, input.targets.all(), &mut parts, observer).ok()?;
    if failure.is_some() {
        return None;
    }
    let points = parts.iter().flat_map(|part| &part.points);
    let versions = points.map(|(&id, point)| {
        let project = universe.by_id(id);
        (project.name.clone(), point.version().clone())
    });
    Some(Attempt {
        versions: versions.collect(),
        assumed: universe.has_assumed(),
    })
}

/// Solves some targets together, or else in parts; what failed, if there is no answer.
fn solve(
    universe: &Universe,
    targets: TargetSet,
    parts: &mut Vec<Part>,
    observer: &dyn Observer,
) -> Result<Option<Failure>, ResolveError> {
    let shared = answer::points(parts);
    let first = match solve_together(universe, targets, &shared, observer)? {
        Together::Solved(part) => {
            parts.push(part);
            return Ok(None);
        }
        Together::Split(first) => first,
        Together::Failed(failure) => match failure.split(universe, targets) {
            Some(first) => first,
            None => return Ok(Some(*failure)),
        },
    };
    if let Some(failure) = solve(universe, first, parts, observer)? {
        return Ok(Some(failure));
    }
    solve(universe, targets.without(first), parts, observer)
}

/// Solves each part once more, now that the versions of all others are known, and keeps what needs
/// fewer different releases in all.
fn agree(
    universe: &Universe,
    parts: &mut Vec<Part>,
    observer: &dyn Observer,
) -> Result<(), ResolveError> {
    for position in 0..parts.len().saturating_sub(1) {
        let part = parts.remove(position);
        let shared = answer::points(parts);
        let again = solve_together(universe, part.targets, &shared, observer)?;
        let count = |part: &Part| {
            let alone = |(project, point): &(&ProjectId, &Point)| {
                !shared
                    .get(project)
                    .is_some_and(|points| points.contains(point))
            };
            part.points.iter().filter(alone).count()
        };
        let better = match again {
            Together::Solved(again) if count(&again) < count(&part) => again,
            _ => part,
        };
        parts.insert(position, better);
    }
    Ok(())
}

/// What comes of solving targets together.
enum Together {
    Solved(Part),
    Failed(Box<Failure>),
    /// These have to be solved first, on their own.
    Split(TargetSet),
}

/// Solves targets together. Parts of one project for different targets are held together only
/// once it has shown that they would fall apart.
fn solve_together(
    universe: &Universe,
    targets: TargetSet,
    shared: &BTreeMap<ProjectId, Vec<Point>>,
    observer: &dyn Observer,
) -> Result<Together, ResolveError> {
    let mut tied = BTreeSet::new();
    loop {
        let provider = Provider::new(universe, targets, shared, &tied, observer);
        match solver::solve(&provider) {
            Ok(Ok(selected)) => match Part::new(targets, &selected) {
                Ok(part) => return Ok(Together::Solved(part)),
                Err(torn) => tied.extend(torn),
            },
            Ok(Err(tree)) => return Ok(Together::Failed(Box::new(Failure { targets, tree }))),
            Err(Fault::Restart) => {}
            Err(Fault::Split(first)) => return Ok(Together::Split(first)),
            Err(Fault::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
