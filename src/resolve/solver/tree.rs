//! The proof that there is no solution, as the tree of the `pubgrub` crate.

use std::collections::HashMap;
use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External, Map};

use super::{IncompatibilityId, Solver, Tree, Why};
use crate::python::range::Range;
use crate::resolve::node::Node;
use crate::resolve::provider::root_point;
use crate::resolve::term::Term;

impl Solver {
    /// The proof of an incompatibility.
    pub(super) fn tree(&self, terminal: IncompatibilityId) -> Tree {
        let mut uses: HashMap<IncompatibilityId, usize> = HashMap::new();
        let mut stack = vec![terminal];
        while let Some(id) = stack.pop() {
            let count = uses.entry(id).or_default();
            *count += 1;
            if *count == 1
                && let Why::Derived(one, other) = self.store[id].why
            {
                stack.extend([one, other]);
            }
        }
        let mut order: Vec<(IncompatibilityId, usize)> = uses.into_iter().collect();
        order.sort_unstable();
        // Causes are older than what follows from them.
        let mut trees: HashMap<IncompatibilityId, Arc<Tree>> = HashMap::new();
        for (id, uses) in order {
            let tree = self.tree_node(id, uses > 1, &trees);
            trees.insert(id, Arc::new(tree));
        }
        trees.remove(&terminal).map_or_else(
            || DerivationTree::External(External::NotRoot(Node::Root, root_point())),
            Arc::unwrap_or_clone,
        )
    }

    fn tree_node(
        &self,
        id: IncompatibilityId,
        shared: bool,
        trees: &HashMap<IncompatibilityId, Arc<Tree>>,
    ) -> Tree {
        let incompatibility = &self.store[id];
        let first = incompatibility.terms.first();
        let about = || match first {
            Some((node, Term::In(range) | Term::NotIn(range))) => {
                (self.nodes[*node], range.clone())
            }
            None => (Node::Root, Range::full()),
        };
        DerivationTree::External(match &incompatibility.why {
            Why::Root => External::NotRoot(Node::Root, root_point()),
            Why::NoVersions => {
                let (node, range) = about();
                External::NoVersions(node, range)
            }
            Why::Unusable(why) => {
                let (node, range) = about();
                External::Custom(node, range, why.clone())
            }
            Why::Dependency(from, at, to, range) => External::FromDependencyOf(
                self.nodes[*from],
                at.clone(),
                self.nodes[*to],
                range.clone(),
            ),
            Why::Derived(one, other) => {
                let mut terms = Map::default();
                for (node, term) in &incompatibility.terms {
                    let term = match term {
                        Term::In(range) => pubgrub::Term::Positive(range.clone()),
                        Term::NotIn(range) => pubgrub::Term::Negative(range.clone()),
                    };
                    terms.insert(self.nodes[*node], term);
                }
                return DerivationTree::Derived(Derived {
                    terms,
                    shared_id: shared.then_some(id),
                    cause1: Arc::clone(&trees[one]),
                    cause2: Arc::clone(&trees[other]),
                });
            }
        })
    }
}
