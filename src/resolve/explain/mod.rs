//! A failed resolution in sentences.
//!
//! PubGrub's proof is a tree of incompatibilities. [`proof`] flattens it to a few steps, [`fact`]
//! says them in terms of the user's own lines and of releases that exist, [`obstacle`] why releases
//! are no candidates, [`hint`] looks for what could be changed.

mod fact;
mod hint;
mod obstacle;
mod proof;

use std::fmt;

use pubgrub::{DerivationTree, External};

use super::node::{Facet, Node};
use super::project::Line;
use super::universe::Universe;
use super::{ResolveError, Unusable};
use crate::event::Observer;
use crate::python::range::Range;
use crate::python::{Requirement, System, TargetSet};

use fact::Teller;

type Tree = DerivationTree<Node, Range, Unusable>;
type Fact = External<Node, Range, Unusable>;

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The systems that there is no solution for.
    pub systems: Vec<System>,
    /// The reasoning, one sentence a step, the conclusion last.
    pub sentences: Vec<String>,
    /// The user's own requirements, constraints and overrides that take part in it.
    pub involved: Vec<Requirement>,
    /// What could be done, one sentence each.
    pub hints: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.sentences {
            writeln!(f, "{sentence}")?;
        }
        for hint in &self.hints {
            writeln!(f, "hint: {hint}")?;
        }
        Ok(())
    }
}

/// The proof that some targets have no solution.
pub(super) struct Failure {
    pub targets: TargetSet,
    pub tree: Tree,
}

impl Failure {
    /// The targets to try on their own first; none where the proof holds for each target alone.
    pub fn split(&self, universe: &Universe, targets: TargetSet) -> Option<TargetSet> {
        let facts = proof::facts(&self.tree);
        let part = facts
            .iter()
            .find_map(|fact| particular(universe, fact, targets))?;
        let first = targets.first()?;
        Some(if part.contains(first) {
            part
        } else {
            targets.without(part)
        })
    }
}

/// Some but not all of the targets that a fact is about.
fn particular(universe: &Universe, fact: &Fact, targets: TargetSet) -> Option<TargetSet> {
    let about = |node: &Node| match node {
        Node::Part(_, Facet::Base(set) | Facet::Extra(_, set)) if *set != targets => Some(*set),
        _ => None,
    };
    match fact {
        External::FromDependencyOf(from, from_range, to, range) => about(from)
            .or_else(|| about(to))
            .or_else(|| behind_version(universe, (*from, from_range), (*to, range), targets)),
        External::NoVersions(node, range) => {
            about(node).or_else(|| partly_served(universe, *node, range, targets))
        }
        External::Custom(..) | External::NotRoot(..) => None,
    }
}

/// The targets of a dependency on the version of a project, which does not tell them itself.
fn behind_version(
    universe: &Universe,
    from: (Node, &Range),
    to: (Node, &Range),
    targets: TargetSet,
) -> Option<TargetSet> {
    let (Node::Part(project, Facet::Version), range) = to else {
        return None;
    };
    let needs = fact::needs_of(universe, from.0, from.1);
    let mut needs = needs
        .iter()
        .filter(|need| need.to == project && need.range == *range);
    needs
        .by_ref()
        .map(|need| need.targets.and(targets))
        .find(|set| !set.is_empty() && *set != targets)
}

/// Targets that a release in a range serves, where it does not serve all.
fn partly_served(
    universe: &Universe,
    node: Node,
    range: &Range,
    targets: TargetSet,
) -> Option<TargetSet> {
    let project = universe.by_id(node.project()?);
    let source = universe.source(&project).ok()?;
    let in_range = source.releases.iter().filter(|r| range.contains(&r.point));
    in_range
        .map(|known| {
            universe
                .serving(&project, source, known)
                .targets
                .and(targets)
        })
        .find(|served| !served.is_empty() && *served != targets)
}

/// Explains a failure.
pub(super) fn explain(
    universe: &Universe,
    failure: &Failure,
    observer: &dyn Observer,
) -> Result<Explanation, ResolveError> {
    let all = proof::facts(&failure.tree);
    let teller = Teller::new(universe, failure.targets, &all);
    let steps = proof::steps(&failure.tree);
    let sentences = (0..steps.len()).map(|number| teller.sentence(&steps, number));
    let sentences: Vec<String> = sentences.collect();
    let lines = teller.lines(&all);
    let involved: Vec<Requirement> = lines
        .iter()
        .filter_map(|line| universe.requirement(*line, None))
        .cloned()
        .collect();
    let mut hints = hint::about_releases(&teller, &all);
    hints.extend(hint::about_lines(
        universe,
        failure.targets,
        &lines,
        observer,
    ));
    Ok(Explanation {
        systems: universe.input.targets.systems(failure.targets).collect(),
        sentences,
        involved,
        hints,
    })
}

/// A user's line as it is shown: the requirement, and where it is written.
fn quoted(universe: &Universe, line: Line) -> String {
    let Some(requirement) = universe.requirement(line, None) else {
        return String::new();
    };
    match &requirement.origin {
        Some(origin) => format!("`{requirement}` ({origin})"),
        None => format!("`{requirement}`"),
    }
}
