//! What was read of a tree as a [`Nixpkgs`]: attributes with the projects they install.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr as _;

use super::{Contents, Identity};
use crate::nixpkgs::facts::{AttributeFacts, Kind};
use crate::nixpkgs::{Attribute, Nixpkgs};
use crate::python::{PackageName, Version};

/// The set that was read, as the planner wants it. `known` tells which project an attribute is known
/// to install: what an installed distribution is called is not always what the recipe calls it.
pub fn nixpkgs(contents: Contents, identity: &Identity, known: Option<&Nixpkgs>) -> Nixpkgs {
    let project = |attr: &str, facts: &AttributeFacts| {
        let known = known.and_then(|k| k.project_of(attr)).cloned();
        known.or_else(|| project(facts))
    };
    let mut elsewhere = BTreeMap::new();
    let mut candidates = Vec::new();
    for (attr, facts) in contents.packages {
        let Some(project) = project(&attr, &facts) else {
            continue;
        };
        let is_there = !facts.disabled && !facts.broken && facts.kind != Kind::Application;
        match version(&facts.version).filter(|_| is_there) {
            Some(version) => candidates.push((attr, project, version, facts)),
            None => {
                elsewhere.insert(attr, project);
            }
        }
    }
    let names = contents.others.iter().chain(contents.unknown.keys());
    for attr in names.chain(contents.aliases.keys()) {
        let known = known.and_then(|k| k.project_of(attr)).cloned();
        if let Some(project) = known.or_else(|| PackageName::from_str(attr).ok()) {
            elsewhere.entry(attr.clone()).or_insert(project);
        }
    }
    let mut attributes: Vec<Attribute> = candidates
        .into_iter()
        .map(|(attr, project, version, facts)| Attribute {
            primary: false,
            attr,
            project,
            version,
            facts: facts.into(),
        })
        .collect();
    mark_primaries(&mut attributes, known);
    let channel = match &identity.release {
        Some(release) => format!("nixpkgs {release}"),
        None => "nixpkgs".to_owned(),
    };
    Nixpkgs::new(
        channel,
        identity.date.clone().unwrap_or_default(),
        attributes,
    )
    .with_elsewhere(elsewhere)
    .with_revision(identity.revision.clone())
}

/// The project that a recipe installs: as the index calls it, where the source is from there.
fn project(facts: &AttributeFacts) -> Option<PackageName> {
    let source = facts.source.as_ref().filter(|s| s.fetcher == "fetchPypi");
    let name = source.and_then(|s| s.arguments.get("pname"));
    PackageName::from_str(name.unwrap_or(&facts.pname)).ok()
}

/// A recipe's version as Python has it; nixpkgs' `1.2-unstable-2026-01-31` is some commit after 1.2.
fn version(written: &str) -> Option<Version> {
    let released = written.split("-unstable-").next().unwrap_or(written);
    Version::from_str(released).ok()
}

/// Marks the attribute to use by default for each project: the one that is called like it, or else
/// the one that is known to be it, or else the one whose name tells of no version or variant.
pub fn mark_primaries(attributes: &mut [Attribute], known: Option<&Nixpkgs>) {
    let rank = |a: &Attribute| {
        let known = known.and_then(|k| k.attribute(&a.attr));
        (
            a.attr != a.project.as_ref(),
            !known.is_some_and(|k| k.primary),
            a.facts.as_ref().is_some_and(|f| f.kind == Kind::Foreign),
            has_suffix(&a.attr),
            std::cmp::Reverse(a.version.clone()),
            a.attr.len(),
        )
    };
    let mut best = BTreeMap::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let rank = rank(attribute);
        match best.entry(attribute.project.clone()) {
            Entry::Vacant(entry) => {
                entry.insert((rank, index));
            }
            Entry::Occupied(mut entry) if rank < entry.get().0 => {
                entry.insert((rank, index));
            }
            Entry::Occupied(_) => {}
        }
    }
    for (_, index) in best.into_values() {
        if let Some(attribute) = attributes.get_mut(index) {
            attribute.primary = true;
        }
    }
}

/// Whether an attribute is named for a version (`django_6`) or a variant (`torchWithRocm`).
fn has_suffix(attr: &str) -> bool {
    let last = attr.rsplit('_').next().unwrap_or("");
    let version = last.len() < attr.len() && last.bytes().all(|b| b.is_ascii_digit());
    version || attr.bytes().any(|b| b.is_ascii_uppercase())
}
