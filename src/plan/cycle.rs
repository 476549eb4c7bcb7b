//! Requirement cycles: found among what entries need, and cut here and nowhere else.
//!
//! Nix derivations cannot need each other. Where projects do, the requirement that leads back
//! towards the project that the user came from is dropped from its entry (and from the wheel's
//! metadata, which nixpkgs' build checks); the environment names both sides instead.

use std::collections::{BTreeMap, BTreeSet};

use super::set::Set;
use crate::python::PackageName;

/// The dropped needs, as `(who needs, who is needed)`.
pub(super) type Cuts<'a> = BTreeSet<(&'a PackageName, &'a PackageName)>;

type Graph<'a> = BTreeMap<&'a PackageName, BTreeSet<&'a PackageName>>;

/// What must be dropped so that no entry needs itself, in however many steps.
pub(super) fn cuts<'a>(set: &'a Set<'_>) -> Cuts<'a> {
    let graph = graph(set);
    let component = components(&graph);
    let mut cuts = Cuts::new();
    let mut walk = Walk {
        graph: &graph,
        component: &component,
        set,
        open: BTreeSet::new(),
        done: BTreeSet::new(),
        cuts: &mut cuts,
    };
    let roots = set.request.resolution.roots.iter().map(|edge| &edge.to);
    let starts: Vec<&PackageName> = roots.chain(graph.keys().copied()).collect();
    for start in starts {
        if let Some((start, _)) = graph.get_key_value(start) {
            walk.from(start);
        }
    }
    cuts
}

/// Who needs whom to be built.
fn graph<'a>(set: &'a Set<'_>) -> Graph<'a> {
    let pins = set.pins();
    pins.map(|(name, _)| (name, set.needs(name))).collect()
}

/// The strongly connected component of each project, by a number (Tarjan's algorithm, with its own
/// stack: chains of requirements can be long).
fn components<'a>(graph: &Graph<'a>) -> BTreeMap<&'a PackageName, usize> {
    let mut order: BTreeMap<&PackageName, (usize, usize)> = BTreeMap::new();
    let mut stack: Vec<&PackageName> = Vec::new();
    let mut component = BTreeMap::new();
    for &start in graph.keys() {
        if order.contains_key(start) {
            continue;
        }
        let mut work = vec![(start, children(graph, start), 0)];
        order.insert(start, (order.len(), order.len()));
        stack.push(start);
        while let Some((node, next, position)) = work.last_mut() {
            if let Some(&child) = next.get(*position) {
                *position += 1;
                if let Some(&(index, _)) = order.get(child) {
                    if !component.contains_key(child) {
                        lower(&mut order, node, index);
                    }
                } else {
                    order.insert(child, (order.len(), order.len()));
                    stack.push(child);
                    work.push((child, children(graph, child), 0));
                }
                continue;
            }
            let node = *node;
            work.pop();
            let (index, low) = order.get(node).copied().unwrap_or_default();
            if let Some((parent, ..)) = work.last() {
                lower(&mut order, parent, low);
            }
            if index == low {
                while let Some(member) = stack.pop() {
                    component.insert(member, index);
                    if member == node {
                        break;
                    }
                }
            }
        }
    }
    component
}

fn children<'a>(graph: &Graph<'a>, node: &PackageName) -> Vec<&'a PackageName> {
    let needs = graph.get(node).into_iter().flatten().copied();
    needs.filter(|n| graph.contains_key(*n)).collect()
}

fn lower<'a>(
    order: &mut BTreeMap<&'a PackageName, (usize, usize)>,
    node: &'a PackageName,
    to: usize,
) {
    if let Some((_, low)) = order.get_mut(node) {
        *low = (*low).min(to);
    }
}

struct Walk<'w, 'a> {
    graph: &'w Graph<'a>,
    component: &'w BTreeMap<&'a PackageName, usize>,
    set: &'w Set<'w>,
    open: BTreeSet<&'a PackageName>,
    done: BTreeSet<&'a PackageName>,
    cuts: &'w mut Cuts<'a>,
}

impl<'a> Walk<'_, 'a> {
    fn from(&mut self, start: &'a PackageName) {
        let mut work = vec![(start, children(self.graph, start), 0)];
        if !self.done.insert(start) {
            return;
        }
        self.open.insert(start);
        while let Some((node, next, position)) = work.last_mut() {
            let Some(&child) = next.get(*position) else {
                self.open.remove(*node);
                work.pop();
                continue;
            };
            *position += 1;
            let node = *node;
            let circular = self.component.get(node) == self.component.get(child);
            if circular && self.is_cut(node, child) {
                self.cuts.insert((node, child));
            } else if self.done.insert(child) {
                self.open.insert(child);
                work.push((child, children(self.graph, child), 0));
            }
        }
    }

    /// Only entries can be cut. One that leads back is; so is one to a package that nixpkgs keeps, as
    /// that package's own way back is not ours to cut, unless it is known to have none.
    fn is_cut(&self, node: &PackageName, child: &PackageName) -> bool {
        let unknown = || !self.set.has_entry(child) && !self.set.knows_recipe(child);
        self.set.has_entry(node) && (self.open.contains(child) || unknown())
    }
}
