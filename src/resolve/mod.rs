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
pub mod explain;
pub mod input;
mod node;
mod provider;
pub mod resolution;
mod universe;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pubgrub::PubGrubError;

use crate::event::Observer;
use crate::index::{Catalog, IndexError};
use crate::python::range::Point;
use crate::python::{PackageName, TargetSet, VersionSpecifiers};

use answer::Part;
use explain::Failure;
use node::{Node, ProjectId};
use provider::{Provider, root_point};
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
    /// A project is required from two places at once.
    #[error(
        "`{project}` is required from two places, {first} and {second}; name one of them with `--override`"
    )]
    Sources {
        /// The project.
        project: PackageName,
        /// An address or path.
        first: String,
        /// Another.
        second: String,
    },
    /// Something was learned that the solver has to start over with; never leaves this folder.
    #[error("the resolution starts over")]
    Restart,
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
    let universe = Universe::new(catalog, input)?;
    let mut parts = Vec::new();
    let mut shared = BTreeMap::new();
    match solve(
        &universe,
        input.targets.all(),
        &mut shared,
        &mut parts,
        observer,
    )? {
        None => Ok(Outcome::Solved(answer::merge(&universe, &parts)?)),
        Some(failure) => Ok(Outcome::Unsolvable(explain::explain(&universe, &failure)?)),
    }
}

/// Solves some targets together, or else in parts; what failed, if there is no answer.
fn solve(
    universe: &Universe,
    targets: TargetSet,
    shared: &mut BTreeMap<ProjectId, Vec<Point>>,
    parts: &mut Vec<Part>,
    observer: &dyn Observer,
) -> Result<Option<Failure>, ResolveError> {
    match solve_together(universe, targets, shared, observer)? {
        Ok(part) => {
            for (&project, point) in &part.points {
                let points = shared.entry(project).or_default();
                if !points.contains(point) {
                    points.push(point.clone());
                }
            }
            parts.push(part);
            Ok(None)
        }
        Err(failure) => {
            let Some(first) = failure.split(universe, targets) else {
                return Ok(Some(failure));
            };
            if let Some(failure) = solve(universe, first, shared, parts, observer)? {
                return Ok(Some(failure));
            }
            solve(universe, targets.without(first), shared, parts, observer)
        }
    }
}

/// Solves targets together. Parts of one project for different targets are held together only
/// once it has shown that they would fall apart.
fn solve_together(
    universe: &Universe,
    targets: TargetSet,
    shared: &BTreeMap<ProjectId, Vec<Point>>,
    observer: &dyn Observer,
) -> Result<Result<Part, Failure>, ResolveError> {
    let mut tied = BTreeSet::new();
    loop {
        let provider = Provider::new(universe, targets, shared, &tied, observer);
        let error = match pubgrub::resolve(&provider, Node::Root, root_point()) {
            Ok(selected) => match Part::new(universe, targets, &selected) {
                Ok(part) => return Ok(Ok(part)),
                Err(torn) => {
                    tied.extend(torn);
                    continue;
                }
            },
            Err(error) => error,
        };
        match error {
            PubGrubError::NoSolution(tree) => return Ok(Err(Failure { targets, tree })),
            PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorInShouldCancel(source) => match source {
                ResolveError::Restart => {}
                error => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests;
