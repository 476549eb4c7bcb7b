//! PubGrub's derivation tree, flattened to steps.
//!
//! The tree has a node for every release that was tried. A chain of derivations that each add one
//! fact says no more than all of its facts together, so it becomes one step; only where two
//! derivations meet, or one is used twice, does a step of its own remain.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, Map, Term};

use super::{Fact, Tree};
use crate::python::range::Range;
use crate::resolve::Unusable;
use crate::resolve::node::Node;

/// More steps than this are not read by anybody: all facts are given as one.
const MAX_STEPS: usize = 8;

/// Facts and earlier steps, and what follows from them.
pub(super) struct Step<'t> {
    pub facts: Vec<&'t Fact>,
    /// Positions of earlier steps.
    pub from: Vec<usize>,
    /// None where the conclusion is that there is no solution.
    pub conclusion: Option<&'t Map<Node, Term<Range>>>,
}

/// All facts of a proof, each once, in the order of the proof.
pub(super) fn facts(tree: &Tree) -> Vec<&Fact> {
    let mut facts = Vec::new();
    let mut seen = HashSet::new();
    let mut stack = vec![tree];
    while let Some(tree) = stack.pop() {
        match tree {
            DerivationTree::External(fact) => facts.push(fact),
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause2, &derived.cause1] {
                    if seen.insert(Arc::as_ptr(cause)) {
                        stack.push(cause);
                    }
                }
            }
        }
    }
    facts
}

/// The steps of a proof, the last one proving that there is no solution.
pub(super) fn steps(tree: &Tree) -> Vec<Step<'_>> {
    let mut flat = Flat::default();
    let enough = match tree {
        DerivationTree::External(_) => false,
        DerivationTree::Derived(derived) => flat.visit(derived).is_some(),
    };
    match flat.steps.last_mut() {
        Some(last) if enough => last.conclusion = None,
        _ => {
            return vec![Step {
                facts: facts(tree),
                from: Vec::new(),
                conclusion: None,
            }];
        }
    }
    flat.steps
}

type Inner<'t> = &'t Derived<Node, Range, Unusable>;

#[derive(Default)]
struct Flat<'t> {
    steps: Vec<Step<'t>>,
    /// The steps of derivations that are used more than once.
    shared: HashMap<usize, usize>,
}

impl<'t> Flat<'t> {
    /// The position of the step that proves a derivation; none if there are too many steps.
    fn visit(&mut self, derived: Inner<'t>) -> Option<usize> {
        if let Some(position) = derived.shared_id.and_then(|id| self.shared.get(&id)) {
            return Some(*position);
        }
        let mut facts = Vec::new();
        let mut from = Vec::new();
        let mut current = derived;
        loop {
            let mut rest: Vec<Inner<'t>> = Vec::new();
            for cause in [&current.cause1, &current.cause2] {
                match cause.as_ref() {
                    DerivationTree::External(fact) => facts.push(fact),
                    DerivationTree::Derived(derived) => rest.push(derived),
                }
            }
            match rest.as_slice() {
                [one] if one.shared_id.is_none() => current = one,
                several => {
                    for one in several {
                        from.push(self.visit(one)?);
                    }
                    break;
                }
            }
        }
        if self.steps.len() >= MAX_STEPS {
            return None;
        }
        let position = self.steps.len();
        self.steps.push(Step {
            facts,
            from,
            conclusion: Some(&derived.terms),
        });
        if let Some(id) = derived.shared_id {
            self.shared.insert(id, position);
        }
        Some(position)
    }
}
