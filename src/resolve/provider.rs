//! PubGrub's questions, answered from the [`Universe`].

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics,
};

use super::node::{Facet, Node, ProjectId};
use super::universe::{Need, Universe};
use super::{Fault, ResolveError, Unusable};
use crate::event::{Event, Observer};
use crate::python::TargetSet;
use crate::python::range::{self, Point, Range};

/// Conflicts after which a project is decided before the others; rejections in a row after which
/// it is decided before what rejects it.
const MANY_CONFLICTS: u32 = 5;

/// One run of the solver: the universe on some of the targets.
pub(super) struct Provider<'u, 'a> {
    pub universe: &'u Universe<'a>,
    /// The targets that are solved together.
    pub targets: TargetSet,
    /// Versions that other targets have already got.
    pub shared: &'u BTreeMap<ProjectId, Vec<Point>>,
    /// Projects whose parts for different targets must be held at one version.
    pub tied: &'u BTreeSet<ProjectId>,
    pub observer: &'u dyn Observer,
    order: RefCell<HashMap<ProjectId, Rank>>,
    /// The ranges that the solver last told of the parts that hold versions together.
    held: RefCell<HashMap<ProjectId, Range>>,
    next: Cell<usize>,
    /// How often a candidate of a project was chosen.
    tries: RefCell<HashMap<ProjectId, u32>>,
    decisions: Cell<u32>,
    /// The node that was decided last, and how often in a row.
    last: Cell<(Node, u32)>,
}

/// When a project is decided.
#[derive(Debug, Clone, Copy)]
struct Rank {
    class: Class,
    seen: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Usual,
    Conflicting,
    Rejected,
    Pinned,
    Direct,
    Root,
}

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
            order: RefCell::default(),
            held: RefCell::default(),
            next: Cell::new(0),
            tries: RefCell::default(),
            decisions: Cell::new(0),
            last: Cell::new((Node::Root, 0)),
        }
    }

    /// Notes that a project is needed: projects are decided in the order in which they were first
    /// needed, pinned ones before.
    fn rank(&self, need: &Need) {
        let mut order = self.order.borrow_mut();
        let rank = order.entry(need.to).or_insert_with(|| {
            let seen = self.next.get();
            self.next.set(seen + 1);
            Rank {
                class: Class::Usual,
                seen,
            }
        });
        let project = self.universe.by_id(need.to);
        if self.universe.is_direct(&project) {
            rank.class = Class::Direct;
        } else if range::pinned(&need.range).is_some() {
            rank.class = rank.class.max(Class::Pinned);
        }
    }

    /// Counts how often in a row a node is decided: each time but the first, its last version was
    /// rejected by earlier decisions. Rather than walk down to its oldest version, the solver
    /// starts over and decides the node before them.
    fn count_rejections(&self, node: Node, project: ProjectId) -> Result<(), Fault> {
        let (last, count) = self.last.get();
        let count = if last == node { count + 1 } else { 0 };
        self.last.set((node, count));
        if count >= MANY_CONFLICTS && self.universe.note_often_rejected(project) {
            return Err(Fault::Restart);
        }
        Ok(())
    }

    /// How many further candidates to ask for at once, now that another one is tried: the more
    /// have been tried, the more.
    fn burst(&self, project: ProjectId) -> Option<usize> {
        let mut tries = self.tries.borrow_mut();
        let tries = tries.entry(project).or_default();
        *tries += 1;
        match *tries {
            4 => Some(8),
            10 => Some(16),
            20 => Some(32),
            n if n >= 40 && n % 25 == 15 => Some(50),
            _ => None,
        }
    }

    /// The solver's constraints for needs on some targets.
    fn constraints(
        &self,
        needs: &[Need],
        targets: TargetSet,
        constraints: &mut Vec<(Node, Range)>,
    ) -> Result<(), Fault> {
        if let Some(first) = self.torn(needs, targets) {
            return Err(Fault::Split(first));
        }
        for need in needs {
            let targets = need.targets.and(targets);
            if targets.is_empty() {
                continue;
            }
            self.rank(need);
            let range = &need.range;
            constraints.push((Node::Part(need.to, Facet::Base(targets)), range.clone()));
            for &extra in &need.extras {
                let part = Node::Part(need.to, Facet::Extra(extra, targets));
                constraints.push((part, range.clone()));
            }
            if self.tied.contains(&need.to) {
                constraints.push((Node::Part(need.to, Facet::Version), range.clone()));
            }
        }
        Ok(())
    }

    /// Targets that one and the same release wants another version of a project for than for the
    /// other targets: they cannot be solved together.
    fn torn(&self, needs: &[Need], targets: TargetSet) -> Option<TargetSet> {
        let partial = |need: &&Need| {
            let on = need.targets.and(targets);
            !on.is_empty() && on != targets
        };
        let partial: Vec<&Need> = needs.iter().filter(partial).collect();
        let (one, _) = partial.iter().enumerate().find_map(|(position, one)| {
            let others = partial.get(position + 1..)?;
            let other = others.iter().find(|other| {
                other.to == one.to
                    && other.targets.and(one.targets).and(targets).is_empty()
                    && other.range.is_disjoint(&one.range)
            })?;
            Some((one, other))
        })?;
        Some(one.targets.and(targets))
    }

    fn part_constraints(
        &self,
        id: ProjectId,
        facet: Facet,
        point: &Point,
    ) -> Result<Result<Vec<(Node, Range)>, Unusable>, Fault> {
        let universe = self.universe;
        let project = universe.by_id(id);
        let source = universe.source(&project)?;
        let Some(known) = source.known(point) else {
            return Ok(Err(Unusable::Gone));
        };
        let mut constraints = Vec::new();
        let same = Range::singleton(point.clone());
        let (extra, targets) = match facet {
            Facet::Version => return Ok(Ok(constraints)),
            Facet::Base(targets) => {
                if self.tied.contains(&id) {
                    constraints.push((Node::Part(id, Facet::Version), same));
                }
                (None, targets)
            }
            Facet::Extra(extra, targets) => {
                constraints.push((Node::Part(id, Facet::Base(targets)), same));
                (Some(extra), targets)
            }
        };
        match universe.needs(&project, known, extra)? {
            Err(unusable) => return Ok(Err(unusable)),
            Ok(needs) => self.constraints(&needs, targets, &mut constraints)?,
        }
        // A part that needs itself adds nothing, or excludes itself.
        let own = Node::Part(id, facet);
        if constraints
            .iter()
            .any(|(node, range)| *node == own && !range.contains(point))
        {
            return Ok(Err(Unusable::Itself));
        }
        constraints.retain(|(node, _)| *node != own);
        Ok(Ok(constraints))
    }
}

impl DependencyProvider for Provider<'_, '_> {
    type P = Node;
    type V = Point;
    type VS = Range;
    type M = Unusable;
    type Err = Fault;
    type Priority = (Class, Reverse<usize>, Reverse<Facet>);

    fn prioritize(
        &self,
        node: &Node,
        range: &Range,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let Node::Part(project, facet) = *node else {
            return (Class::Root, Reverse(0), Reverse(Facet::Version));
        };
        let rank = self.order.borrow().get(&project).copied();
        let rank = rank.unwrap_or(Rank {
            class: Class::Usual,
            seen: usize::MAX,
        });
        if facet == Facet::Version {
            self.held.borrow_mut().insert(project, range.clone());
            return (Class::Usual, Reverse(usize::MAX), Reverse(facet));
        }
        let mut class = rank.class;
        if self.universe.is_often_rejected(project) {
            class = class.max(Class::Rejected);
        } else if statistics.conflict_count() >= MANY_CONFLICTS {
            class = class.max(Class::Conflicting);
        }
        if range::pinned(range).is_some() {
            class = class.max(Class::Pinned);
        }
        (class, Reverse(rank.seen), Reverse(facet))
    }

    fn should_cancel(&self) -> Result<(), Fault> {
        let decisions = self.decisions.get().saturating_add(1);
        self.decisions.set(decisions);
        match self.universe.patience {
            Some(patience) if decisions > patience => {
                Err(Fault::Error(ResolveError::Patience(patience)))
            }
            _ => Ok(()),
        }
    }

    fn choose_version(&self, node: &Node, range: &Range) -> Result<Option<Point>, Fault> {
        let Node::Part(id, facet) = *node else {
            return Ok(Some(root_point()));
        };
        self.count_rejections(*node, id)?;
        let project = self.universe.by_id(id);
        let source = self.universe.source(&project)?;
        let shared = self.shared.get(&id).map_or(&[][..], Vec::as_slice);
        let choose = |range: &Range| self.universe.choose(&project, source, facet, range, shared);
        let held = self.held.borrow();
        let chosen = held
            .get(&id)
            .filter(|_| facet != Facet::Version)
            .and_then(|held| choose(&held.intersection(range)))
            .or_else(|| choose(range));
        if let Some(point) = &chosen
            && matches!(facet, Facet::Base(_))
        {
            if let Some(count) = self.burst(id) {
                self.universe
                    .expect_following(&project, source, range, point, count);
            }
            self.observer.see(&Event::Decided {
                project: project.name.to_string(),
                version: point.to_string(),
            });
        }
        Ok(chosen)
    }

    fn get_dependencies(
        &self,
        node: &Node,
        point: &Point,
    ) -> Result<Dependencies<Node, Range, Unusable>, Fault> {
        let constraints = match *node {
            Node::Root => {
                let mut constraints = Vec::new();
                let needs = self.universe.root_needs();
                self.constraints(&needs, self.targets, &mut constraints)?;
                constraints
            }
            Node::Part(id, facet) => match self.part_constraints(id, facet, point)? {
                Err(unusable) => return Ok(Dependencies::Unavailable(unusable)),
                Ok(constraints) => constraints,
            },
        };
        Ok(Dependencies::Available(DependencyConstraints::from_iter(
            constraints,
        )))
    }
}

/// The one version of the root.
pub(super) fn root_point() -> Point {
    Point::new(&crate::python::Version::new([0]))
}
