//! The solver's selections as a [`Resolution`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::node::{ExtraId, Facet, Node, ProjectId};
use super::project::{Line, Need};
use super::resolution::{Edge, Pin, Resolution};
use super::universe::Universe;
use super::{Fault, ResolveError};
use crate::python::range::Point;
use crate::python::{ExtraName, Metadata, TargetSet};

/// The versions of the projects that some of the targets need.
#[derive(Debug)]
pub(super) struct Part {
    pub targets: TargetSet,
    pub points: BTreeMap<ProjectId, Point>,
}

impl Part {
    /// The versions that the solver selected.
    ///
    /// # Errors
    /// The projects that got different versions on different targets.
    pub fn new(
        targets: TargetSet,
        selected: &[(Node, Point)],
    ) -> Result<Self, BTreeSet<ProjectId>> {
        let mut points = BTreeMap::new();
        let mut torn = BTreeSet::new();
        for (node, point) in selected {
            let Some(project) = node.project() else {
                continue;
            };
            if points
                .insert(project, point.clone())
                .is_some_and(|other| other != *point)
            {
                torn.insert(project);
            }
        }
        if torn.is_empty() {
            Ok(Self { targets, points })
        } else {
            Err(torn)
        }
    }
}

/// The versions of all parts.
pub(super) fn points(parts: &[Part]) -> BTreeMap<ProjectId, Vec<Point>> {
    let mut all: BTreeMap<ProjectId, Vec<Point>> = BTreeMap::new();
    for (&project, point) in parts.iter().flat_map(|part| &part.points) {
        let points = all.entry(project).or_default();
        if !points.contains(point) {
            points.push(point.clone());
        }
    }
    all
}

/// A pin in the making: on which targets it and its extras are needed.
#[derive(Debug, Default)]
struct Needed {
    targets: TargetSet,
    extras: BTreeMap<ExtraId, TargetSet>,
}

/// Walks from the user's requirements through the selected versions and collects what is needed
/// where. Parts that chose the same version of a project share its pin.
pub(super) fn merge(universe: &Universe, parts: &[Part]) -> Result<Resolution, Fault> {
    let mut needed: BTreeMap<(ProjectId, Point), Needed> = BTreeMap::new();
    for part in parts {
        walk(universe, part, &mut needed)?;
    }
    let mut pins = needed
        .iter()
        .filter(|(_, needed)| !needed.targets.is_empty())
        .map(|((project, point), needed)| pin(universe, *project, point, needed))
        .collect::<Result<Vec<_>, _>>()?;
    pins.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    let all = universe.input.targets.all();
    let mut roots = Vec::new();
    for need in universe.root_needs() {
        roots.extend(edge(universe, &need, None, None, all));
    }
    Ok(Resolution {
        targets: universe.input.targets.clone(),
        pins,
        roots,
    })
}

fn walk(
    universe: &Universe,
    part: &Part,
    needed: &mut BTreeMap<(ProjectId, Point), Needed>,
) -> Result<(), Fault> {
    let mut queue: Vec<(ProjectId, Facet)> = Vec::new();
    let enqueue = |needs: &[Need], targets: TargetSet, queue: &mut Vec<_>| {
        for need in needs {
            let targets = need.targets.and(targets);
            if targets.is_empty() {
                continue;
            }
            queue.push((need.to, Facet::Base(targets)));
            for &extra in &need.extras {
                queue.push((need.to, Facet::Extra(extra, targets)));
            }
        }
    };
    enqueue(&universe.root_needs(), part.targets, &mut queue);
    while let Some((id, facet)) = queue.pop() {
        let Some(point) = part.points.get(&id) else {
            continue;
        };
        let entry = needed.entry((id, point.clone())).or_default();
        let (extra, seen, targets) = match facet {
            Facet::Version => continue,
            Facet::Base(targets) => (None, &mut entry.targets, targets),
            Facet::Extra(extra, targets) => {
                (Some(extra), entry.extras.entry(extra).or_default(), targets)
            }
        };
        let new = targets.without(*seen);
        if new.is_empty() {
            continue;
        }
        *seen = seen.or(new);
        let project = universe.by_id(id);
        let source = universe.source(&project)?;
        if let Some(known) = source.known(point)
            && let Ok(needs) = universe.needs(&project, known, extra)?
        {
            enqueue(&needs, new, &mut queue);
        }
    }
    Ok(())
}

fn pin(universe: &Universe, id: ProjectId, point: &Point, needed: &Needed) -> Result<Pin, Fault> {
    let project = universe.by_id(id);
    let source = universe.source(&project)?;
    let gone = || {
        Fault::from(ResolveError::Disappeared(format!(
            "{} {point}",
            project.name
        )))
    };
    let known = source.known(point).ok_or_else(gone)?;
    let release = universe.release(source, known).ok_or_else(gone)?;
    let metadata = universe
        .metadata(source, known)?
        .as_ref()
        .map_err(|_| gone())?;
    let mut needs = Vec::new();
    let facets = std::iter::once((None, needed.targets)).chain(
        needed
            .extras
            .iter()
            .map(|(&e, &targets)| (Some(e), targets)),
    );
    for (extra, targets) in facets {
        let name = extra.map(|extra| universe.extra_name(extra));
        if let Ok(list) = universe.needs(&project, known, extra)? {
            for need in list.iter() {
                needs.extend(edge(universe, need, name.as_ref(), Some(metadata), targets));
            }
        }
    }
    Ok(Pin {
        name: project.name.clone(),
        version: release.version.clone(),
        release: Arc::clone(release),
        metadata: Arc::clone(metadata),
        index: source.index(),
        direct: source.direct.clone(),
        targets: needed.targets,
        extras: needed
            .extras
            .keys()
            .map(|&e| universe.extra_name(e))
            .collect(),
        needs,
    })
}

/// The edge of a need; constraints are none.
fn edge(
    universe: &Universe,
    need: &Need,
    via_extra: Option<&ExtraName>,
    metadata: Option<&Arc<Metadata>>,
    targets: TargetSet,
) -> Option<Edge> {
    let targets = need.targets.and(targets);
    if targets.is_empty() || matches!(need.line, Line::Constraint(_)) {
        return None;
    }
    let requirement = universe.requirement(need.line, metadata.map(AsRef::as_ref))?;
    let marker = match via_extra {
        None => requirement.marker.clone(),
        Some(extra) => requirement
            .marker
            .clone()
            .simplify_extras(std::slice::from_ref(extra)),
    };
    Some(Edge {
        to: requirement.name.clone(),
        extras: requirement.extras.clone(),
        via_extra: via_extra.cloned(),
        marker,
        targets,
        requirement: Arc::new(requirement.clone()),
    })
}
