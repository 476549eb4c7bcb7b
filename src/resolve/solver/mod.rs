//! PubGrub: conflict-driven search for versions.
//!
//! What cannot hold together is kept as incompatibilities; unit propagation derives from them what
//! must hold, conflicts are resolved to new incompatibilities, and these forbid every repetition
//! of the same mistake (Natalie Weizenbaum's description in pub's `doc/solver.md`). The search is
//! complete. On top of that, nodes that are often rejected are decided before those that reject
//! them: after [`MANY_CONFLICTS`] the search goes back behind the decision on the culprit.
//!
//! Ranges and the tree of a proof are those of the `pubgrub` crate, whose search does not allow
//! to go back.

mod tree;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use pubgrub::DerivationTree;

use super::node::{Node, ProjectId};
use super::provider::{Needs, Priority, Provider, root_point};
use super::term::Term;
use super::{Fault, Unusable};
use crate::python::range::{Point, Range};

/// Conflicts after which the order of decisions is reconsidered.
const MANY_CONFLICTS: u32 = 5;

/// The selected versions, or the proof that there are none.
pub(super) type Answer = Result<Vec<(Node, Point)>, Tree>;
type Tree = DerivationTree<Node, Range, Unusable>;

/// Searches for versions of everything that the root needs.
///
/// # Errors
/// What the provider answers instead of an answer.
pub(super) fn solve(provider: &Provider) -> Result<Answer, Fault> {
    let mut solver = Solver::default();
    provider.begin();
    let answer = solver.search(provider);
    provider.end(solver.rejected);
    answer
}

type NodeId = usize;
type IncompatibilityId = usize;

/// Terms that cannot all hold.
struct Incompatibility {
    terms: Vec<(NodeId, Term)>,
    why: Why,
}

enum Why {
    Root,
    NoVersions,
    Unusable(Unusable),
    /// The first term's node needs the second's.
    Dependency(NodeId, Range, NodeId, Range),
    Derived(IncompatibilityId, IncompatibilityId),
}

/// What is known of a node.
#[derive(Default)]
struct Known {
    /// All that was derived, each with all that came before it.
    derivations: Vec<Derivation>,
    decision: Option<Decision>,
    /// The versions whose needs are known.
    expanded: Vec<Point>,
    /// Whether it is among the open nodes, with the priority that it has.
    listed: bool,
    affected: u32,
    culprit: u32,
}

struct Derivation {
    /// When, among all derivations and decisions.
    time: usize,
    /// How many decisions had been made.
    level: usize,
    cause: IncompatibilityId,
    /// What held then.
    term: Term,
}

struct Decision {
    time: usize,
    level: usize,
    point: Point,
    term: Term,
}

#[derive(Default)]
struct Solver {
    ids: HashMap<Node, NodeId>,
    nodes: Vec<Node>,
    known: Vec<Known>,
    /// The incompatibilities about a node, oldest first.
    about: Vec<Vec<IncompatibilityId>>,
    store: Vec<Incompatibility>,
    /// Where an incompatibility is known to be contradicted, the level since which it is.
    contradicted: Vec<Option<usize>>,
    /// Those, oldest first.
    settled: Vec<IncompatibilityId>,
    /// Dependencies of one node on another, those on the same range in one.
    merged: HashMap<(NodeId, NodeId), Vec<IncompatibilityId>>,
    /// The nodes that may have to be decided, the one to decide next on top. Some may have been
    /// decided already, some have had another priority.
    open: BinaryHeap<(Priority, Reverse<NodeId>)>,
    /// Nodes that are not among them yet.
    unlisted: Vec<NodeId>,
    /// The nodes of a project.
    parts: HashMap<ProjectId, Vec<NodeId>>,
    /// The nodes of derivations and decisions, oldest first.
    trail: Vec<NodeId>,
    level: usize,
    has_backtracked: bool,
    /// How many versions turned out to be impossible so far.
    rejected: u32,
    /// The node that was decided last.
    current: NodeId,
    /// The node that was settled last, until that is told.
    settled_on: Option<NodeId>,
    prioritize: Vec<NodeId>,
    deprioritize: Vec<NodeId>,
    /// The nodes of which something was derived again, and what follows from it was not.
    restored: Vec<NodeId>,
}

/// How far an incompatibility is fulfilled.
enum Relation {
    Satisfied,
    /// All terms but that of this node hold.
    Almost(NodeId),
    Contradicted,
    Open,
}

impl Known {
    fn term(&self) -> Option<&Term> {
        match &self.decision {
            Some(decision) => Some(&decision.term),
            None => self.derivations.last().map(|d| &d.term),
        }
    }
}

impl Solver {
    fn search(&mut self, provider: &Provider) -> Result<Answer, Fault> {
        let root = self.id(Node::Root);
        self.add(
            vec![(root, Term::NotIn(Range::singleton(root_point())))],
            Why::Root,
        );
        let mut next = root;
        loop {
            provider.bear(self.rejected)?;
            if let Err(terminal) = self.propagate(next) {
                return Ok(Err(self.tree(terminal)));
            }
            self.reconsider(provider);
            self.tell_settled(provider);
            let Some(node) = self.pick(provider) else {
                return Ok(Ok(self.selected()));
            };
            next = node;
            self.current = node;
            self.decide(provider, node)?;
        }
    }

    fn id(&mut self, node: Node) -> NodeId {
        *self.ids.entry(node).or_insert_with(|| {
            let id = self.nodes.len();
            self.nodes.push(node);
            self.known.push(Known::default());
            self.about.push(Vec::new());
            if let Some(project) = node.project() {
                self.parts.entry(project).or_default().push(id);
            }
            id
        })
    }

    fn keep(&mut self, terms: Vec<(NodeId, Term)>, why: Why) -> IncompatibilityId {
        self.store.push(Incompatibility { terms, why });
        self.contradicted.push(None);
        self.store.len() - 1
    }

    fn add(&mut self, terms: Vec<(NodeId, Term)>, why: Why) -> IncompatibilityId {
        let id = self.keep(terms, why);
        self.watch(id);
        id
    }

    fn watch(&mut self, id: IncompatibilityId) {
        for (node, _) in &self.store[id].terms {
            self.about[*node].push(id);
        }
    }

    /// Adds what a version of a node needs; versions that need the same are kept as one.
    fn add_dependency(
        &mut self,
        from: NodeId,
        at: Range,
        to: NodeId,
        range: Range,
    ) -> IncompatibilityId {
        let id = self.keep_dependency(from, at.clone(), to, range.clone());
        let mergeable = self.merged.get(&(from, to)).and_then(|known| {
            known.iter().position(
                |&id| matches!(&self.store[id].why, Why::Dependency(_, _, _, r) if *r == range),
            )
        });
        let list = self.merged.entry((from, to)).or_default();
        let Some(position) = mergeable else {
            list.push(id);
            self.watch(id);
            return id;
        };
        let past = list[position];
        let all = match &self.store[past].why {
            Why::Dependency(_, past, _, _) => past.union(&at),
            _ => at,
        };
        let merged = self.keep_dependency(from, all, to, range);
        for node in [from, to] {
            self.about[node].retain(|&id| id != past);
        }
        if let Some(list) = self.merged.get_mut(&(from, to)) {
            list[position] = merged;
        }
        self.watch(merged);
        id
    }

    fn keep_dependency(
        &mut self,
        from: NodeId,
        at: Range,
        to: NodeId,
        range: Range,
    ) -> IncompatibilityId {
        let mut terms = vec![(from, Term::In(at.clone()))];
        if !range.is_empty() {
            terms.push((to, Term::NotIn(range.clone())));
        }
        self.keep(terms, Why::Dependency(from, at, to, range))
    }

    /// Derives all that follows from what is known of a node. In a conflict, learns from it and
    /// goes back.
    ///
    /// # Errors
    /// An incompatibility that the root alone fulfils.
    fn propagate(&mut self, node: NodeId) -> Result<(), IncompatibilityId> {
        let mut changed = std::mem::take(&mut self.restored);
        changed.push(node);
        while let Some(node) = changed.pop() {
            let mut conflict = None;
            for position in (0..self.about[node].len()).rev() {
                let id = self.about[node][position];
                if self.contradicted[id].is_some() {
                    continue;
                }
                match self.relation(id) {
                    Relation::Satisfied => {
                        conflict = Some(id);
                        break;
                    }
                    Relation::Almost(almost) => {
                        if !changed.contains(&almost) {
                            changed.push(almost);
                        }
                        self.derive(almost, id);
                    }
                    Relation::Contradicted => self.contradict(id),
                    Relation::Open => {}
                }
            }
            if let Some(id) = conflict {
                let (node, cause) = self.resolve_conflict(id)?;
                changed.clear();
                changed.append(&mut self.restored);
                changed.push(node);
                self.derive(node, cause);
            }
        }
        Ok(())
    }

    fn relation(&self, id: IncompatibilityId) -> Relation {
        let mut open = None;
        for (node, term) in &self.store[id].terms {
            match self.known[*node].term() {
                Some(known) if known.implies(term) => {}
                Some(known) if known.excludes(term) => return Relation::Contradicted,
                _ if open.is_some() => return Relation::Open,
                _ => open = Some(*node),
            }
        }
        open.map_or(Relation::Satisfied, Relation::Almost)
    }

    fn term_of(&self, id: IncompatibilityId, node: NodeId) -> Option<&Term> {
        let mut terms = self.store[id].terms.iter();
        terms.find(|(n, _)| *n == node).map(|(_, term)| term)
    }

    /// The opposite of a node's term in an incompatibility must hold, as all others do.
    fn derive(&mut self, node: NodeId, cause: IncompatibilityId) {
        let Some(term) = self.term_of(cause, node).map(Term::negated) else {
            return;
        };
        let term = match self.known[node].term() {
            Some(known) => known.and(&term),
            None => term,
        };
        self.known[node].derivations.push(Derivation {
            time: self.trail.len(),
            level: self.level,
            cause,
            term,
        });
        self.trail.push(node);
        self.contradict(cause);
        self.list(node);
    }

    /// Remembers a node that may have to be decided.
    fn list(&mut self, node: NodeId) {
        let known = &mut self.known[node];
        if !known.listed {
            known.listed = true;
            self.unlisted.push(node);
        }
    }

    fn contradict(&mut self, id: IncompatibilityId) {
        self.contradicted[id] = Some(self.level);
        self.settled.push(id);
    }

    /// Follows a conflict back to a mistake that can be undone, and undoes it. The incompatibility
    /// that was learned, and the node that it now decides.
    fn resolve_conflict(
        &mut self,
        conflict: IncompatibilityId,
    ) -> Result<(NodeId, IncompatibilityId), IncompatibilityId> {
        let mut id = conflict;
        loop {
            if self.is_terminal(id) {
                return Err(id);
            }
            let satisfier = self.satisfier(id);
            let (node, level) = (satisfier.node, satisfier.previous_level);
            let cause = match satisfier.cause {
                Some(cause) if level >= satisfier.level => cause,
                _ => {
                    self.backtrack(self.level_behind(id, level, &satisfier));
                    if id != conflict {
                        self.watch(id);
                    }
                    self.count_conflict(node, id);
                    return Ok((node, id));
                }
            };
            let terms = self.resolvent(id, cause, node);
            id = self.keep(terms, Why::Derived(id, cause));
            self.count_conflict(node, id);
        }
    }

    /// How far to go back to undo a mistake: as far as what was learned says something new; but
    /// what is impossible on its own says so everywhere, and then all decisions before the one that
    /// it undoes may stay. A search that made them anew after every such mistake would take the
    /// square of the number of projects.
    fn level_behind(&self, id: IncompatibilityId, level: usize, satisfier: &Satisfier) -> usize {
        match self.store[id].terms.as_slice() {
            [_] => level.max(satisfier.level.saturating_sub(1)),
            _ => level,
        }
    }

    fn is_terminal(&self, id: IncompatibilityId) -> bool {
        match self.store[id].terms.as_slice() {
            [] => true,
            [(node, term)] => {
                self.nodes[*node] == Node::Root && Term::exactly(&root_point()).implies(term)
            }
            _ => false,
        }
    }

    /// The terms of two incompatibilities without the node that one derived from the other.
    fn resolvent(
        &self,
        one: IncompatibilityId,
        other: IncompatibilityId,
        node: NodeId,
    ) -> Vec<(NodeId, Term)> {
        let mut terms: Vec<(NodeId, Term)> = Vec::new();
        for (n, term) in self.store[one].terms.iter().chain(&self.store[other].terms) {
            match terms.iter_mut().find(|(known, _)| known == n) {
                Some((_, known)) if *n == node => *known = known.or(term),
                Some((_, known)) => *known = known.and(term),
                None => terms.push((*n, term.clone())),
            }
        }
        terms.retain(|(n, term)| *n != node || !term.is_empty());
        terms
    }

    /// The earliest derivation or decision with which all terms of an incompatibility hold.
    fn satisfier(&self, id: IncompatibilityId) -> Satisfier {
        let terms = &self.store[id].terms;
        let mut moments: Vec<(NodeId, Moment)> = terms
            .iter()
            .map(|(node, term)| (*node, self.moment(*node, None, term)))
            .collect();
        let latest = (0..moments.len())
            .max_by_key(|&position| moments[position].1.time)
            .unwrap_or_default();
        let (node, satisfier) = moments[latest];
        let known = &self.known[node];
        // What the satisfier itself says, without what held before it.
        let said = match satisfier.cause {
            Some(cause) => self.term_of(cause, node).map(Term::negated),
            None => known.decision.as_ref().map(|d| d.term.clone()),
        };
        if let Some(said) = said {
            let term = &terms[latest].1;
            moments[latest].1 = if said.implies(term) {
                Moment::default()
            } else {
                self.moment(node, Some(&said), term)
            };
        }
        let previous = moments.iter().max_by_key(|(_, moment)| moment.time);
        Satisfier {
            node,
            cause: satisfier.cause,
            level: satisfier.level,
            previous_level: previous.map_or(1, |(_, moment)| moment.level).max(1),
        }
    }

    /// When a term of a node began to hold, together with something else that is said of it.
    fn moment(&self, node: NodeId, with: Option<&Term>, term: &Term) -> Moment {
        let known = &self.known[node];
        let holds = |derivation: &Derivation| match with {
            Some(with) => derivation.term.and(with).implies(term),
            None => derivation.term.implies(term),
        };
        let first = known.derivations.partition_point(|d| !holds(d));
        match (known.derivations.get(first), &known.decision) {
            (Some(derivation), _) => Moment {
                time: derivation.time + 1,
                level: derivation.level,
                cause: Some(derivation.cause),
            },
            (None, Some(decision)) => Moment {
                time: decision.time + 1,
                level: decision.level,
                cause: None,
            },
            (None, None) => Moment::default(),
        }
    }

    /// Undoes all that came after so many decisions, but for what holds on its own.
    fn backtrack(&mut self, level: usize) {
        let mut lasting = Vec::new();
        while let Some(&node) = self.trail.last() {
            let known = &mut self.known[node];
            let when = match &known.decision {
                Some(decision) => decision.level,
                None => known.derivations.last().map_or(0, |d| d.level),
            };
            if when <= level {
                break;
            }
            if known.decision.take().is_none()
                && let Some(derivation) = known.derivations.pop()
                && self.store[derivation.cause].terms.len() == 1
            {
                lasting.push((node, derivation.cause));
            }
            self.trail.pop();
            self.list(node);
        }
        while let Some(&id) = self.settled.last() {
            if self.contradicted[id].is_some_and(|since| since <= level) {
                break;
            }
            self.contradicted[id] = None;
            self.settled.pop();
        }
        self.level = level;
        self.has_backtracked = true;
        self.rejected += 1;
        for (node, cause) in lasting.into_iter().rev() {
            if matches!(self.relation(cause), Relation::Almost(_)) {
                self.derive(node, cause);
                self.restored.push(node);
            }
        }
    }

    /// Notes that the last decision met a conflict about a node, and who takes part in it.
    fn count_conflict(&mut self, about: NodeId, id: IncompatibilityId) {
        let project = self.nodes[about].project();
        let mut real = false;
        for (node, _) in &self.store[id].terms {
            // Parts of one project always follow each other.
            if *node == about || self.nodes[*node].project() == project {
                continue;
            }
            real = true;
            let count = &mut self.known[*node].culprit;
            *count += 1;
            if *count == MANY_CONFLICTS {
                self.deprioritize.push(*node);
            }
        }
        if real {
            let count = &mut self.known[self.current].affected;
            *count += 1;
            if *count == MANY_CONFLICTS {
                self.prioritize.push(self.current);
            }
        }
    }

    /// Changes the order of decisions after many conflicts.
    fn reconsider(&mut self, provider: &Provider) {
        for node in std::mem::take(&mut self.prioritize) {
            provider.decide_early(self.nodes[node]);
        }
        for node in std::mem::take(&mut self.deprioritize) {
            if !provider.decide_late(self.nodes[node]) {
                continue;
            }
            if let Some(decision) = &self.known[node].decision {
                let level = decision.level - 1;
                self.backtrack(level);
            }
        }
    }

    /// Tells of the last decision, if nothing that follows from it undid it.
    fn tell_settled(&mut self, provider: &Provider) {
        if let Some(node) = self.settled_on.take()
            && self.known[node].decision.is_some()
        {
            provider.settled(self.nodes[node]);
        }
    }

    /// The node to decide next: the one of the highest priority among those that are needed.
    fn pick(&mut self, provider: &Provider) -> Option<NodeId> {
        let changed = provider.take_reranked().into_iter();
        let parts = changed.filter_map(|project| self.parts.get(&project));
        let again = parts.flatten().filter(|&&node| self.known[node].listed);
        self.unlisted.extend(again);
        for node in self.unlisted.drain(..) {
            let priority = provider.priority(self.nodes[node]);
            self.open.push((priority, Reverse(node)));
        }
        while let Some(&(priority, Reverse(node))) = self.open.peek() {
            // Where the priority was another, the node is there once more.
            if priority == provider.priority(self.nodes[node]) {
                let known = &mut self.known[node];
                if known.decision.is_none() && matches!(known.term(), Some(Term::In(_))) {
                    return Some(node);
                }
                known.listed = false;
            }
            self.open.pop();
        }
        None
    }

    /// Chooses a version of a node, or learns why there is none.
    fn decide(&mut self, provider: &Provider, node: NodeId) -> Result<(), Fault> {
        let Some(Term::In(range)) = self.known[node].term() else {
            return Ok(());
        };
        let range = range.clone();
        let part = self.nodes[node];
        let held = part.version().and_then(|version| {
            match self.known[*self.ids.get(&version)?].term()? {
                Term::In(range) => Some(range),
                Term::NotIn(_) => None,
            }
        });
        let Some(point) = provider.choose(part, &range, held)? else {
            self.add(vec![(node, Term::In(range))], Why::NoVersions);
            self.rejected += 1;
            return Ok(());
        };
        let expanded = &mut self.known[node].expanded;
        if expanded.contains(&point) {
            self.settle(node, point);
            return Ok(());
        }
        expanded.push(point.clone());
        // Versions between two releases do not exist: with them, ranges grow together.
        let at = provider.around(part, &point);
        match provider.needs(part, &point)? {
            Needs::Unusable(why) => {
                self.add(vec![(node, Term::In(at))], Why::Unusable(why));
                self.rejected += 1;
            }
            Needs::These(needs) => {
                let ids: Vec<IncompatibilityId> = needs
                    .into_iter()
                    .map(|(to, range)| {
                        let to = self.id(to);
                        self.add_dependency(node, at.clone(), to, range)
                    })
                    .collect();
                match self.rejecting(&ids, node) {
                    Some(id) => {
                        self.count_conflict(node, id);
                        self.rejected += 1;
                    }
                    None => self.settle(node, point),
                }
            }
        }
        Ok(())
    }

    /// A need of a node that what is known already rules out.
    fn rejecting(&self, ids: &[IncompatibilityId], node: NodeId) -> Option<IncompatibilityId> {
        if !self.has_backtracked {
            return None;
        }
        let rejects = |id: IncompatibilityId| {
            self.store[id].terms.iter().all(|(n, term)| {
                *n == node
                    || self.known[*n]
                        .term()
                        .is_some_and(|known| known.implies(term))
            })
        };
        ids.iter().copied().find(|&id| rejects(id))
    }

    fn settle(&mut self, node: NodeId, point: Point) {
        self.level += 1;
        self.settled_on = Some(node);
        self.known[node].decision = Some(Decision {
            time: self.trail.len(),
            level: self.level,
            term: Term::exactly(&point),
            point,
        });
        self.trail.push(node);
    }

    fn selected(&self) -> Vec<(Node, Point)> {
        let decided = self.nodes.iter().zip(&self.known);
        decided
            .filter_map(|(node, known)| Some((*node, known.decision.as_ref()?.point.clone())))
            .collect()
    }
}

/// When a term began to hold. The default is before everything.
#[derive(Default, Clone, Copy)]
struct Moment {
    time: usize,
    level: usize,
    cause: Option<IncompatibilityId>,
}

/// The last assignment that an incompatibility needed in order to hold.
struct Satisfier {
    node: NodeId,
    /// None for decisions.
    cause: Option<IncompatibilityId>,
    level: usize,
    /// The level at which it would hold with just this added.
    previous_level: usize,
}
