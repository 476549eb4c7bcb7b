//! The solver's questions, answered from the [`Universe`]: what to decide next, which version to
//! choose, and what it needs.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::node::{Facet, Node, ProjectId};
use super::project::Need;
use super::universe::Universe;
use super::{Fault, ResolveError, Unusable};
use crate::event::{Event, Observer};
use crate::python::TargetSet;
use crate::python::range::{self, Point, Range};

/// One run of the solver: the universe on some of the targets.
pub(super) struct Provider<'u, 'a> {
    universe: &'u Universe<'a>,
    /// The targets that are solved together.
    targets: TargetSet,
    /// Versions that other targets have already got.
    shared: &'u BTreeMap<ProjectId, Vec<Point>>,
    /// Projects whose parts for different targets must be held at one version.
    tied: &'u BTreeSet<ProjectId>,
    observer: &'u dyn Observer,
    /// By project; none for those that nobody needed yet.
    ranks: RefCell<Vec<Option<Rank>>>,
    /// How many projects have a rank.
    ranked: Cell<usize>,
    /// Those whose rank has changed since somebody asked.
    reranked: RefCell<Vec<ProjectId>>,
    /// The candidates of a project that were chosen so far.
    tries: RefCell<HashMap<ProjectId, Tries>>,
}

/// The candidates of a project that were chosen, and how many further ones to ask for as soon as
/// that gains anything.
#[derive(Debug, Default)]
struct Tries {
    tried: BTreeSet<Point>,
    owed: Option<usize>,
}

/// What a version of a node needs.
pub(super) enum Needs {
    /// It cannot be used.
    Unusable(Unusable),
    These(Vec<(Node, Range)>),
}

/// When a project is decided: by class, then in the order in which projects were first needed.
#[derive(Debug, Clone, Copy)]
struct Rank {
    class: Class,
    seen: usize,
}

/// Decided later to earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Holds others together, decides nothing.
    Holding,
    Usual,
    /// Its version often made others impossible.
    Culprit,
    /// Its versions were often impossible.
    Affected,
    /// Somebody needs exactly one version.
    Pinned,
    Direct,
    Root,
}

pub(super) type Priority = (Class, Reverse<usize>);

impl<'u, 'a> Provider<'u, 'a> {
    pub fn new(
        universe: &'u Universe<'a>,
        targets: TargetSet,
        shared: &'u BTreeMap<ProjectId, Vec<Point>>,
        tied: &'u BTreeSet<ProjectId>,
        observer: &'u dyn Observer,
    ) -> Self {
        Self {
            universe,
            targets,
            shared,
            tied,
            observer,
            ranks: RefCell::default(),
            ranked: Cell::new(0),
            reranked: RefCell::default(),
            tries: RefCell::default(),
        }
    }

    /// A search begins.
    pub fn begin(&self) {
        self.observer.see(&Event::Solving);
    }

    /// A search has ended.
    pub fn end(&self, conflicts: u32) {
        self.observer.see(&Event::Solved { conflicts });
    }

    /// Stops a search that was given a limit, once so many versions turned out to be impossible.
    pub fn bear(&self, rejected: u32) -> Result<(), Fault> {
        match self.universe.patience {
            Some(patience) if rejected > patience => {
                Err(Fault::Error(ResolveError::Patience(patience)))
            }
            _ => Ok(()),
        }
    }

    /// The node with the highest is decided next.
    pub fn priority(&self, node: Node) -> Priority {
        match node {
            Node::Root => (Class::Root, Reverse(0)),
            Node::Part(_, Facet::Version) => (Class::Holding, Reverse(0)),
            Node::Part(project, _) => match self.ranks.borrow().get(project.index()) {
                Some(Some(rank)) => (rank.class, Reverse(rank.seen)),
                _ => (Class::Usual, Reverse(usize::MAX)),
            },
        }
    }

    /// The projects whose priority has changed since this was asked last.
    pub fn take_reranked(&self) -> Vec<ProjectId> {
        self.reranked.take()
    }

    /// From now on decides a project before those that make its versions impossible.
    pub fn decide_early(&self, node: Node) {
        if let Some(project) = node.project()
            && let Some(Some(rank)) = self.ranks.borrow_mut().get_mut(project.index())
        {
            rank.class = Class::Affected;
            self.reranked.borrow_mut().push(project);
        }
    }

    /// From now on decides a project after those that its version makes impossible; whether that
    /// changes anything.
    pub fn decide_late(&self, node: Node) -> bool {
        let Some(project) = node.project() else {
            return false;
        };
        match self.ranks.borrow_mut().get_mut(project.index()) {
            Some(Some(rank)) if !matches!(rank.class, Class::Culprit | Class::Affected) => {
                rank.class = Class::Culprit;
                self.reranked.borrow_mut().push(project);
                true
            }
            _ => false,
        }
    }

    /// The version of a node to try first. `held` is what holds it to the version of its project.
    pub fn choose(
        &self,
        node: Node,
        range: &Range,
        held: Option<&Range>,
    ) -> Result<Option<Point>, Fault> {
        let Node::Part(id, facet) = node else {
            return Ok(Some(root_point()));
        };
        let project = self.universe.by_id(id);
        let source = self.universe.source(&project)?;
        let shared = self.shared.get(&id).map_or(&[][..], Vec::as_slice);
        let choose = |range: &Range| self.universe.choose(&project, source, facet, range, shared);
        let chosen = held
            .and_then(|held| choose(&held.intersection(range)))
            .or_else(|| choose(range));
        // Extras are often decided before their project.
        if let Some(point) = &chosen
            && facet != Facet::Version
            && let Some(count) = self.burst(id, point)
        {
            self.universe
                .expect_following(&project, source, range, point, count);
        }
        if let Some(point) = &chosen
            && matches!(facet, Facet::Base(_))
        {
            self.observer.see(&Event::Decided {
                project: project.name.to_string(),
                version: point.to_string(),
            });
        }
        Ok(chosen)
    }

    /// A version of a node fits everything so far.
    pub fn settled(&self, node: Node) {
        if let Node::Part(id, Facet::Base(_)) = node {
            self.universe.settled(&self.universe.by_id(id));
        }
    }

    /// All versions between the releases before and after one, which is the only one that exists
    /// there.
    pub fn around(&self, node: Node, point: &Point) -> Range {
        let source = node.project().map(|id| self.universe.by_id(id));
        match source.as_ref().and_then(|project| project.known_source()) {
            Some(source) => source.around(point),
            None => Range::singleton(point.clone()),
        }
    }

    /// How many further candidates to ask for at once, now that one is tried: the more others have
    /// been tried, the more. One that comes back says nothing about those that follow. A few are
    /// always on their way before they are needed, and not many more, as most searches end early.
    fn burst(&self, project: ProjectId, point: &Point) -> Option<usize> {
        let mut tries = self.tries.borrow_mut();
        let tries = tries.entry(project).or_default();
        if !tries.tried.insert(point.clone()) {
            return None;
        }
        let more = match tries.tried.len() {
            2 => Some(2),
            4 => Some(8),
            10 => Some(16),
            22 => Some(24),
            n if n >= 40 && n % 25 == 15 => Some(50),
            _ => None,
        };
        tries.owed = more.or(tries.owed);
        let gains = self.universe.catalog.gains_from_hints();
        gains.then(|| tries.owed.take()).flatten()
    }

    /// What a version of a node needs.
    pub fn needs(&self, node: Node, point: &Point) -> Result<Needs, Fault> {
        let mut needs = Vec::new();
        let Node::Part(id, facet) = node else {
            self.add_needs(&self.universe.root_needs(), self.targets, &mut needs)?;
            return Ok(Needs::These(needs));
        };
        let universe = self.universe;
        let project = universe.by_id(id);
        let source = universe.source(&project)?;
        let Some(known) = source.known(point) else {
            return Ok(Needs::Unusable(Unusable::Gone));
        };
        let same = Range::singleton(point.clone());
        let (extra, targets) = match facet {
            Facet::Version => return Ok(Needs::These(needs)),
            Facet::Base(targets) => {
                if self.tied.contains(&id) {
                    needs.push((Node::Part(id, Facet::Version), same));
                }
                (None, targets)
            }
            Facet::Extra(extra, targets) => {
                self.rank(id, &same);
                needs.push((Node::Part(id, Facet::Base(targets)), same));
                (Some(extra), targets)
            }
        };
        match universe.needs(&project, known, extra)? {
            Err(unusable) => return Ok(Needs::Unusable(unusable)),
            Ok(list) => self.add_needs(&list, targets, &mut needs)?,
        }
        // A part that needs itself adds nothing, or excludes itself.
        if needs
            .iter()
            .any(|(other, range)| *other == node && !range.contains(point))
        {
            return Ok(Needs::Unusable(Unusable::Itself));
        }
        needs.retain(|(other, _)| *other != node);
        Ok(Needs::These(needs))
    }

    fn add_needs(
        &self,
        list: &[Need],
        targets: TargetSet,
        needs: &mut Vec<(Node, Range)>,
    ) -> Result<(), Fault> {
        if let Some(first) = torn(list, targets) {
            return Err(Fault::Split(first));
        }
        for need in list {
            let targets = need.targets.and(targets);
            if targets.is_empty() {
                continue;
            }
            self.rank(need.to, &need.range);
            let range = &need.range;
            needs.push((Node::Part(need.to, Facet::Base(targets)), range.clone()));
            for &extra in &need.extras {
                let part = Node::Part(need.to, Facet::Extra(extra, targets));
                needs.push((part, range.clone()));
            }
            if self.tied.contains(&need.to) {
                needs.push((Node::Part(need.to, Facet::Version), range.clone()));
            }
        }
        Ok(())
    }

    /// Notes that some versions of a project are needed.
    fn rank(&self, project: ProjectId, range: &Range) {
        let mut ranks = self.ranks.borrow_mut();
        if ranks.len() <= project.index() {
            ranks.resize(project.index() + 1, None);
        }
        let Some(slot) = ranks.get_mut(project.index()) else {
            return;
        };
        let rank = slot.get_or_insert_with(|| {
            let seen = self.ranked.get();
            self.ranked.set(seen + 1);
            Rank {
                class: Class::Usual,
                seen,
            }
        });
        let class = if self.universe.is_direct(&self.universe.by_id(project)) {
            Class::Direct
        } else if range::pinned(range).is_some() {
            rank.class.max(Class::Pinned)
        } else {
            rank.class
        };
        if rank.class != class {
            rank.class = class;
            self.reranked.borrow_mut().push(project);
        }
    }
}

/// Targets that one and the same release wants another version of a project for than for the
/// other targets: they cannot be solved together.
fn torn(needs: &[Need], targets: TargetSet) -> Option<TargetSet> {
    let partial = |need: &&Need| {
        let on = need.targets.and(targets);
        !on.is_empty() && on != targets
    };
    let partial: Vec<&Need> = needs.iter().filter(partial).collect();
    let one = partial.iter().enumerate().find_map(|(position, one)| {
        let others = partial.get(position + 1..)?;
        let apart = |other: &&Need| {
            other.to == one.to
                && other.targets.and(one.targets).and(targets).is_empty()
                && other.range.is_disjoint(&one.range)
        };
        others.iter().any(apart).then_some(one)
    })?;
    Some(one.targets.and(targets))
}

/// The one version of the root.
pub(super) fn root_point() -> Point {
    Point::new(&crate::python::Version::new([0]))
}
