//! What the user of a lock requires: the project beside it, with sources as they are locked; or else
//! what the lock tells, which is at worst that he requires whatever nobody else does.

use std::collections::{BTreeMap, BTreeSet};

use super::{Foreign, Pinned, Place};
use crate::problem::Origin;
use crate::project::Project;
use crate::python::{ExtraName, MarkerTree, PackageName, Requirement, VersionSpecifiers, Wanted};

/// A requirement on any version.
pub(super) fn plain(name: PackageName, marker: MarkerTree, origin: Origin) -> Requirement {
    Requirement {
        name,
        extras: BTreeSet::new(),
        wanted: Wanted::Versions(VersionSpecifiers::empty()),
        marker,
        origin: Some(origin),
    }
}

/// The pins that no other pin needs: those of the main group as dependencies, those of others by
/// group.
pub(super) fn by_need(pins: &[Pinned], main: &str) -> Project {
    let mut groups: BTreeSet<&str> = pins
        .iter()
        .flat_map(|pin| pin.groups.iter().map(String::as_str))
        .collect();
    groups.remove(main);
    let is_main = |pin: &&Pinned| pin.groups.is_empty() || pin.groups.contains(main);
    Project {
        dependencies: roots(pins.iter().filter(is_main).collect(), main),
        groups: groups
            .into_iter()
            .map(|group| {
                let members = pins.iter().filter(|pin| pin.groups.contains(group));
                (group.to_owned(), roots(members.collect(), group))
            })
            .collect(),
        ..Project::default()
    }
}

/// Requirements from which every one of the pins is reached.
fn roots(pins: Vec<&Pinned>, group: &str) -> Vec<Requirement> {
    let mut by_name: BTreeMap<&PackageName, Vec<&Pinned>> = BTreeMap::new();
    for pin in pins.iter().filter(|pin| !pin.optional) {
        by_name.entry(&pin.name).or_default().push(pin);
    }
    let needed: BTreeSet<&PackageName> = by_name
        .values()
        .flatten()
        .flat_map(|pin| pin.needs.iter().filter(|need| **need != pin.name))
        .collect();
    let mut reached = BTreeSet::new();
    let mut names: Vec<&PackageName> = Vec::new();
    let unneeded = by_name.keys().filter(|name| !needed.contains(**name));
    // Those that need each other in a circle are reached from the first of them.
    for &name in unneeded.chain(by_name.keys()) {
        if reached.contains(name) {
            continue;
        }
        names.push(name);
        let mut queue = vec![name];
        while let Some(name) = queue.pop() {
            if let Some(pins) = by_name.get(name).filter(|_| reached.insert(name)) {
                queue.extend(pins.iter().flat_map(|pin| &pin.needs));
            }
        }
    }
    let all = names.into_iter().filter_map(|name| by_name.get(name));
    all.flatten()
        .map(|pin| {
            let mut marker = pin.marker.clone();
            if let Some(more) = pin.by_group.get(group) {
                marker.and(more.clone());
            }
            plain(pin.name.clone(), marker, pin.origin.clone())
        })
        .collect()
}

/// Lets the user's requirements be met from the sources that are locked: a branch means the commit
/// that the lock has.
pub(super) fn follow(foreign: &mut Foreign) {
    let direct: BTreeMap<&PackageName, &Wanted> = foreign
        .pins
        .iter()
        .filter_map(|pin| match &pin.place {
            Place::Direct(wanted) => Some((&pin.name, wanted)),
            Place::Index(_) => None,
        })
        .collect();
    let follow = |requirement: &mut Requirement| {
        if let Some(wanted) = direct.get(&requirement.name)
            && requirement.specifiers().is_none()
        {
            requirement.wanted = (*wanted).clone();
        }
    };
    let project = &mut foreign.project;
    project.dependencies.iter_mut().for_each(follow);
    let lists = project
        .optional
        .values_mut()
        .chain(project.groups.values_mut());
    lists.flatten().for_each(follow);
    foreign.overrides.iter_mut().for_each(follow);
}

/// The extras of a project by which one of its requirements is brought, and the requirement without
/// that condition; none for what is always required.
pub(super) fn extras_of(marker: &MarkerTree, known: &[ExtraName]) -> Vec<ExtraName> {
    let brings = |extra: &&ExtraName| {
        !marker.evaluate_extras(&[]) && marker.evaluate_extras(std::slice::from_ref(*extra))
    };
    known.iter().filter(brings).cloned().collect()
}
