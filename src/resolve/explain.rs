//! A failed resolution in sentences.

use std::fmt;

use pubgrub::{DerivationTree, External};

use super::node::{Facet, Node};
use super::universe::Universe;
use super::{ResolveError, Unusable};
use crate::python::range::{Range, describe};
use crate::python::{Requirement, System, TargetSet};

type Tree = DerivationTree<Node, Range, Unusable>;

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
    /// The targets to try on their own first, where the proof does not hold for every target.
    pub fn split(&self, universe: &Universe, targets: TargetSet) -> Option<TargetSet> {
        let first = (0..universe.input.targets.environments.len())
            .map(TargetSet::single)
            .find(|single| targets.contains(*single))?;
        (first != targets).then_some(first)
    }
}

/// Explains a failure.
pub(super) fn explain(universe: &Universe, failure: &Failure) -> Result<Explanation, ResolveError> {
    let mut sentences = Vec::new();
    collect(universe, &failure.tree, &mut sentences);
    Ok(Explanation {
        systems: universe.input.targets.systems(failure.targets).collect(),
        sentences,
        involved: Vec::new(),
        hints: Vec::new(),
    })
}

fn collect(universe: &Universe, tree: &Tree, sentences: &mut Vec<String>) {
    match tree {
        DerivationTree::Derived(derived) => {
            collect(universe, &derived.cause1, sentences);
            collect(universe, &derived.cause2, sentences);
        }
        DerivationTree::External(external) => {
            let sentence = match external {
                External::NotRoot(..) => return,
                External::NoVersions(node, range) => {
                    format!("there is no {}", part(universe, *node, range))
                }
                External::Custom(node, range, why) => {
                    format!("{} cannot be used: {why}", part(universe, *node, range))
                }
                External::FromDependencyOf(from, from_range, to, range) => format!(
                    "{} needs {}",
                    part(universe, *from, from_range),
                    part(universe, *to, range)
                ),
            };
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
}

fn part(universe: &Universe, node: Node, range: &Range) -> String {
    let Node::Part(id, facet) = node else {
        return "the project".to_owned();
    };
    let project = universe.by_id(id);
    let extra = match facet {
        Facet::Extra(extra, _) => format!("[{}]", universe.extra_name(extra)),
        Facet::Base(_) | Facet::Version => String::new(),
    };
    format!("{}{extra}{}", project.name, describe(range))
}
