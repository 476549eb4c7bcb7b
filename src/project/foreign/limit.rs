//! Which of a lock's pins hold for what is selected, on the targets.

use std::collections::{BTreeMap, BTreeSet};

use super::{Foreign, Pinned, PinnedFile, Place, Tool, pipenv, pylock};
use crate::problem::Origin;
use crate::python::{
    ExtraName, MarkerTree, PackageName, Requirement, System, Targets, Version, VersionSpecifiers,
    Wanted,
};

/// What is taken from a project.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Extras of it.
    pub extras: BTreeSet<ExtraName>,
    /// Dependency groups of it.
    pub groups: BTreeSet<String>,
}

/// What a lock leaves to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// `name==version`, each under its marker, where exactly one version holds on a target.
    pub versions: Vec<Requirement>,
    /// The addresses and paths that projects come from.
    pub sources: Vec<Requirement>,
    /// Every version that the lock has of a project, the newest first.
    pub pinned: BTreeMap<PackageName, BTreeMap<Version, PinnedRelease>>,
    /// The projects that come from addresses and paths.
    pub direct: BTreeSet<PackageName>,
}

/// What a lock says of a release on an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedRelease {
    /// Its files.
    pub files: Vec<PinnedFile>,
    /// The index, where the lock tells it.
    pub index: Option<String>,
    /// Where the pin stands.
    pub origin: Origin,
}

impl Foreign {
    /// The systems among the targets that the lock is not for.
    pub fn unserved(&self, targets: &Targets) -> Vec<System> {
        if self.environments.is_empty() {
            return Vec::new();
        }
        let served = self.environments.iter();
        let served = served.map(|marker| targets.matching(marker, &[]));
        let served = served.fold(crate::python::TargetSet::NONE, |all, some| all.or(some));
        targets.systems(targets.all().without(served)).collect()
    }

    /// What the lock leaves to choose from.
    pub fn limits(&self, targets: &Targets, selection: &Selection) -> Limits {
        let extras = self.spelled(selection);
        let mut groups: BTreeSet<&str> = selection.groups.iter().map(String::as_str).collect();
        groups.extend(["main", pipenv::DEFAULT]);
        let mut limits = Limits::default();
        let mut by_name: BTreeMap<&PackageName, Vec<&Pinned>> = BTreeMap::new();
        for pin in &self.pins {
            by_name.entry(&pin.name).or_default().push(pin);
        }
        for (name, pins) in by_name {
            let in_groups = |pin: &&Pinned| {
                pin.groups.is_empty() || pin.groups.iter().any(|group| groups.contains(&**group))
            };
            let mut chosen: Vec<&Pinned> = pins.iter().copied().filter(in_groups).collect();
            if chosen.is_empty() {
                chosen = pins;
            }
            let marked: Vec<(&Pinned, MarkerTree)> = chosen
                .into_iter()
                .map(|pin| (pin, marker(pin, &groups, &extras)))
                .collect();
            limits.add(name, &marked, targets);
        }
        limits
    }

    /// Lets only what is selected count in the lock's own account of what its user requires.
    pub fn settle(&mut self, selection: &Selection) {
        let extras = self.spelled(selection);
        for requirement in &mut self.project.dependencies {
            let marker = std::mem::replace(&mut requirement.marker, MarkerTree::TRUE);
            requirement.marker = marker.simplify_extras(&extras);
        }
    }

    /// Extras and groups as the tool's markers have them.
    fn spelled(&self, selection: &Selection) -> Vec<ExtraName> {
        let groups = if selection.groups.is_empty() {
            self.default_groups.iter().cloned().collect()
        } else {
            selection.groups.clone()
        };
        let mut all: Vec<String> = selection.extras.iter().map(ToString::to_string).collect();
        match (self.tool, &self.project.name) {
            (Tool::Pylock, _) => {
                all.extend(
                    groups
                        .iter()
                        .map(|group| format!("{}{group}", pylock::GROUP)),
                );
            }
            // uv's markers for extras that exclude each other name the project and its length.
            (Tool::Uv, Some(name)) => {
                let (name, length) = (name.as_ref(), name.as_ref().len());
                let extras = selection.extras.iter();
                let extras = extras.map(|extra| format!("extra-{length}-{name}-{extra}"));
                let extras: Vec<String> = extras.collect();
                all.extend(extras);
                all.extend(groups.iter().map(|g| format!("group-{length}-{name}-{g}")));
            }
            _ => {}
        }
        all.iter().filter_map(|text| text.parse().ok()).collect()
    }
}

/// When a pin is the one: what is selected is settled, what is not is false in any environment.
fn marker(pin: &Pinned, groups: &BTreeSet<&str>, extras: &[ExtraName]) -> MarkerTree {
    let mut marker = pin.marker.clone();
    if !pin.by_group.is_empty() {
        let mut any = MarkerTree::FALSE;
        let of_groups = pin.groups.iter().filter(|group| groups.contains(&***group));
        for group in of_groups {
            any.or(pin.by_group.get(group).cloned().unwrap_or(MarkerTree::TRUE));
        }
        marker.and(any);
    }
    marker.simplify_extras(extras)
}

impl Limits {
    fn add(&mut self, name: &PackageName, pins: &[(&Pinned, MarkerTree)], targets: &Targets) {
        let requirement = |pin: &Pinned, marker: &MarkerTree, wanted: Wanted| Requirement {
            name: name.clone(),
            extras: BTreeSet::new(),
            wanted,
            marker: marker.clone(),
            origin: Some(pin.origin.clone()),
        };
        let mut taken = crate::python::TargetSet::NONE;
        let mut ambiguous = false;
        let mut versions = Vec::new();
        for (pin, marker) in pins {
            let on = targets.matching(marker, &[]);
            ambiguous |= !taken.and(on).is_empty();
            taken = taken.or(on);
            match (&pin.place, &pin.version) {
                (Place::Direct(wanted), _) => {
                    if !on.is_empty() {
                        self.direct.insert(name.clone());
                        self.sources.push(requirement(pin, marker, wanted.clone()));
                    }
                }
                (Place::Index(index), Some(version)) => {
                    let exactly = pep440_rs::VersionSpecifier::equals_version(version.clone());
                    let exactly = Wanted::Versions(VersionSpecifiers::from_iter([exactly]));
                    versions.push(requirement(pin, marker, exactly));
                    let release = PinnedRelease {
                        files: pin.files.clone(),
                        index: index.clone(),
                        origin: pin.origin.clone(),
                    };
                    let known = self.pinned.entry(name.clone()).or_default();
                    known.insert(version.clone(), release);
                }
                (Place::Index(_), None) => {}
            }
        }
        // Where nothing tells which version is for whom, requirements tell.
        if !ambiguous {
            self.versions.append(&mut versions);
        }
    }
}
