//! The proof that the finished set never has two derivations of one project where they meet, and what
//! is done so that it holds.
//!
//! nixpkgs refuses a package whose closure holds two derivations of one project
//! (`pythonCatchConflictsHook`), an environment of both collides, and a build that sees both takes
//! either. The closures are those of [`super::closure`]: of the environment, and of everything that an
//! entry is built with. Where nixpkgs' recipes name several attributes of one project that meet, all
//! of them are made the same one, for everyone. What then is left is an error before anything is
//! written.

use std::collections::BTreeMap;

use super::closure::{Closure, Graph, Made};
use super::decide::{canonical_attr, defined_attr};
use super::derivation::{Definition, Needed};
use super::set::Set;
use super::{Entry, PlanError};
use crate::nixpkgs::is_bootstrap;
use crate::python::{PackageName, TargetSet};

/// How often new aliases may bring further attributes together.
const ROUNDS: usize = 32;

/// An attribute of nixpkgs that is made the same as another of its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mend {
    /// The attribute that it is made the same as.
    pub to: String,
    /// The project of both.
    pub project: PackageName,
    /// Which of nixpkgs' packages names it, and what is in the set already, as a sentence.
    pub because: String,
}

/// Two derivations of one project in one closure.
struct Conflict {
    project: PackageName,
    all: Vec<Made>,
}

/// The attributes that must be made the same as others. What has no source yet is looked at as far as
/// its metadata tells.
pub(super) fn mends(set: &Set<'_>) -> BTreeMap<String, Mend> {
    let mut mends: BTreeMap<String, Mend> = BTreeMap::new();
    if set.request.nixpkgs.tree.is_none() && !set.has_recipes() {
        // only metadata is known: it names projects, not attributes
        return mends;
    }
    for target in targets(set) {
        for _ in 0..ROUNDS {
            let aliases = mends.iter();
            let aliases = aliases.map(|(attr, mend)| (attr.clone(), mend.to.clone()));
            let graph = Graph::foreseen(set, target, &aliases.collect());
            let mut found = Vec::new();
            let mendable = |conflict: &Conflict| !is_bootstrap(&conflict.project);
            for closure in suspects(&graph, environment(set, target), mendable) {
                let all = conflicts(&graph, &closure).into_iter();
                found.extend(all.flat_map(|c| same(set, &graph, &closure, &c)));
            }
            let before = mends.len();
            for (attr, mend) in found {
                mends.entry(attr).or_insert(mend);
            }
            if mends.len() == before {
                break;
            }
        }
    }
    mends
}

/// Proves that no closure of the environment, and none of a build of an entry, has two derivations of
/// one project.
///
/// # Errors
/// [`PlanError::TwoOfOne`] where one has.
pub(super) fn prove(
    set: &Set<'_>,
    entries: &[Entry],
    packages: &[Needed],
) -> Result<(), PlanError> {
    for target in targets(set) {
        let graph = Graph::written(set, target, entries);
        let named = graph.here(packages);
        for closure in suspects(&graph, named, |_| true) {
            if let Some(conflict) = conflicts(&graph, &closure).into_iter().next() {
                let path = |made: &Made| path(&closure, made);
                let mut ways = conflict.all.iter().map(path);
                return Err(PlanError::TwoOfOne {
                    project: conflict.project.to_string(),
                    first: ways.next().unwrap_or_default(),
                    second: ways.next().unwrap_or_default(),
                });
            }
        }
    }
    Ok(())
}

pub(super) fn targets(set: &Set<'_>) -> impl Iterator<Item = TargetSet> + use<> {
    let all = set.targets().all();
    (0..8)
        .map(TargetSet::single)
        .filter(move |one| all.contains(*one))
}

/// What the environment names, as far as that is known before entries are made.
fn environment(set: &Set<'_>, target: TargetSet) -> Vec<String> {
    let roots = set.request.resolution.roots.iter();
    let reached = set.reach(roots, target).into_keys();
    reached.filter_map(|name| set.attr(name)).collect()
}

/// The environment's closure, and that of each entry's build: what builds it, and what it needs. None
/// of them where all of them together hold no two derivations of one project that matter.
fn suspects(
    graph: &Graph<'_>,
    environment: Vec<String>,
    matters: impl Fn(&Conflict) -> bool,
) -> Vec<Closure> {
    // one walk tells for most sets that the many of single entries cannot find anything
    let entries = graph.entries().flat_map(|entry| graph.inputs(&entry));
    let whole = graph.closure(entries.chain(environment.iter().cloned()));
    if !conflicts(graph, &whole).iter().any(matters) {
        return Vec::new();
    }
    let mut closures = vec![graph.closure(environment)];
    closures.extend(graph.entries().map(|e| graph.closure(graph.inputs(&e))));
    closures
}

/// The projects of which a closure has several derivations.
fn conflicts(graph: &Graph<'_>, closure: &Closure) -> Vec<Conflict> {
    let mut projects: BTreeMap<&PackageName, Vec<&Made>> = BTreeMap::new();
    for made in closure.keys() {
        if let Some(project) = graph.project(made) {
            projects.entry(project).or_default().push(made);
        }
    }
    let several = projects.into_iter().filter(|(_, all)| all.len() > 1);
    several
        .map(|(project, all)| Conflict {
            project: project.clone(),
            all: all.into_iter().cloned().collect(),
        })
        .collect()
}

/// What makes all derivations of a conflict the same: those that the set's own attribute of the project
/// is not become another name of it.
fn same(
    set: &Set<'_>,
    graph: &Graph<'_>,
    closure: &Closure,
    conflict: &Conflict,
) -> Vec<(String, Mend)> {
    let project = &conflict.project;
    if is_bootstrap(project) {
        // nixpkgs builds with each of them what needs it
        return Vec::new();
    }
    let nixpkgs = set.request.nixpkgs;
    let own = graph.made(&canonical_attr(project, nixpkgs));
    let (keep, to) = if set.pins_of(project).is_empty() && !conflict.all.contains(&own) {
        // nobody asks for the default attribute: the newest of those that are there
        let version = |made: &Made| nixpkgs.attribute(made.attr()).map(|a| &a.version);
        let newest = conflict.all.iter().max_by_key(|made| version(made));
        match newest {
            Some(newest) => (newest.clone(), newest.attr().to_owned()),
            None => return Vec::new(),
        }
    } else {
        (own, defined_attr(project, nixpkgs))
    };
    let others = conflict.all.iter().filter(|made| **made != keep);
    others
        .filter_map(|made| {
            let Made::Recipe(attr) = made else {
                // a build tool of ours that stands beside nixpkgs'
                return None;
            };
            let by = closure.get(made)?.as_ref();
            let by = by.map_or("the environment", Made::attr);
            let version = |attr: &str| {
                let attribute = nixpkgs.attribute(attr);
                attribute.map_or(String::new(), |a| format!(" {}", a.version))
            };
            let here = set.version(project).map_or(String::new(), |v| format!(" {v}"));
            let mend = Mend {
                because: format!(
                    "nixpkgs builds {by} with {attr}{}, which cannot be in one environment with {to}{}",
                    version(attr),
                    if here.is_empty() { version(&to) } else { here },
                ),
                project: project.clone(),
                to: to.clone(),
            };
            (*attr != to).then(|| (attr.clone(), mend))
        })
        .collect()
}

/// The entries that make attributes the same as others.
pub(super) fn aliases(set: &Set<'_>) -> Vec<Entry> {
    let mends = set.mends.iter();
    mends
        .map(|(attr, mend)| Entry {
            attr: attr.clone(),
            project: mend.project.clone(),
            comments: vec![mend.because.clone()],
            variants: vec![super::derivation::Variant {
                condition: None,
                definition: Definition::Alias(mend.to.clone()),
            }],
        })
        .collect()
}

/// How a closure comes to a derivation: `flask, flask-admin, wtforms_2`.
fn path(closure: &Closure, made: &Made) -> String {
    let mut way = vec![made.attr()];
    let mut at = made;
    while let Some(Some(by)) = closure.get(at) {
        way.push(by.attr());
        at = by;
    }
    way.reverse();
    way.join(" → ")
}

#[cfg(test)]
mod tests;
