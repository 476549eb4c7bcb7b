//! Which of nixpkgs' packages are built again because of the file: those that need something it
//! changes, in however many steps. They no longer come from a binary cache.
//!
//! nixpkgs' own edges count where its recipes are known: what a package needs to run, what builds it and
//! what tests it. Of a recipe that is not known the pins' metadata tells what it needs to run, and nobody
//! what builds it. A package that nixpkgs keeps never needs one that nixpkgs lacks, whatever its
//! metadata says: that one's entry builds nothing again.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::closure::{Graph, Made};
use super::decide::Decision;
use super::reason;
use super::set::Set;
use crate::python::{PackageName, TargetSet};

/// What an answer costs: derivations that no binary cache has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weight {
    /// Projects that nixpkgs builds everything with, and whose own version does not meet what is
    /// required of it.
    pub unmet: BTreeSet<PackageName>,
    /// Attributes of nixpkgs that are changed, and the kept packages that each has built again.
    pub changed: BTreeMap<PackageName, BTreeSet<PackageName>>,
    /// Those among them that become another of nixpkgs' attributes, which is not built.
    pub other: BTreeSet<PackageName>,
    /// Build tools that stand beside nixpkgs' own and are built.
    pub tools: BTreeSet<PackageName>,
    /// Entries for what nixpkgs lacks.
    pub new: usize,
    /// Packages that nixpkgs keeps and that are built again.
    pub rebuilt: BTreeSet<PackageName>,
}

impl Weight {
    /// How many derivations are built.
    pub fn builds(&self) -> usize {
        let changed = self.changed.len() - self.other.len();
        changed + self.tools.len() + self.new + self.rebuilt.len()
    }

    /// The smaller, the better: what cannot work first, then what is built.
    pub fn cost(&self) -> (usize, usize) {
        (self.unmet.len(), self.builds())
    }

    /// How many derivations a changed attribute is to blame for, itself included.
    pub fn of(&self, project: &PackageName) -> usize {
        let itself = usize::from(!self.other.contains(project));
        let rebuilt = self.changed.get(project);
        rebuilt.map_or(0, |rebuilt| rebuilt.len() + itself)
    }
}

/// Weighs what would be done about the pins. Cheap: no source is looked at.
pub fn weigh(request: &Request<'_>) -> Weight {
    let set = Set::new(request);
    let again = Again::new(&set);
    let mut weight = Weight {
        rebuilt: again.all(),
        tools: set
            .tools()
            .filter(|tool| tool.decision.needs_source())
            .map(|tool| tool.pin.name.clone())
            .collect(),
        ..Weight::default()
    };
    for (name, pins) in set.pins() {
        for pinned in pins {
            match &pinned.decision {
                Decision::New => weight.new += 1,
                Decision::Override(_) | Decision::Other(_) => {
                    weight.changed.insert(name.clone(), again.because_of(name));
                    if matches!(pinned.decision, Decision::Other(_)) {
                        weight.other.insert(name.clone());
                    }
                }
                Decision::Bootstrap(Some(own)) if own.version != pinned.pin.version => {
                    let reasons = reason::reasons(&set, pinned, Some(&own.version));
                    if reasons.iter().any(|reason| reason.forces) {
                        weight.unmet.insert(name.clone());
                    }
                }
                _ => {}
            }
        }
    }
    weight
}

/// The projects of which nixpkgs' packages are built again.
pub(super) fn rebuilt(set: &Set<'_>) -> BTreeSet<PackageName> {
    Again::new(set).all()
}

/// What is built again. The targets differ little in that; the first one tells.
struct Again<'a> {
    graph: Graph<'a>,
    /// Everything that is part of the environment, or that builds an entry.
    there: BTreeSet<Made>,
    needed_by: BTreeMap<Made, BTreeSet<Made>>,
    /// nixpkgs' packages that name something which the file changes, by its project.
    touched: BTreeMap<PackageName, BTreeSet<Made>>,
}

impl<'a> Again<'a> {
    fn new(set: &'a Set<'_>) -> Self {
        let target = set.targets().all().first().unwrap_or(TargetSet::NONE);
        let aliases = set.mends.iter();
        let aliases = aliases.map(|(attr, mend)| (attr.clone(), mend.to.clone()));
        let graph = Graph::foreseen(set, target, &aliases.collect());
        let plain = Graph::empty(set, target);
        let kept = set.pins().filter(|(name, pins)| {
            !set.lacks(name) && pins.iter().any(|p| !p.pin.targets.is_empty())
        });
        let mut named: Vec<String> = kept.filter_map(|(name, _)| set.attr(name)).collect();
        for entry in graph.entries() {
            named.extend(graph.inputs(&entry));
        }
        let there = graph.closure(named).into_keys().collect();
        let mut again = Self {
            there,
            needed_by: BTreeMap::new(),
            touched: BTreeMap::new(),
            graph,
        };
        again.look(&plain);
        again
    }

    /// Looks at everything that is there, at what builds it, and so on.
    fn look(&mut self, plain: &Graph<'_>) {
        let mut seen: BTreeSet<Made> = self.there.clone();
        let mut work: Vec<Made> = seen.iter().cloned().collect();
        while let Some(made) = work.pop() {
            let is_recipe = matches!(made, Made::Recipe(_));
            let mut named = self.graph.needs(&made);
            if is_recipe {
                named.extend(self.graph.builds(&made));
            }
            for attr in named {
                let needed = self.graph.made(&attr);
                if is_recipe
                    && needed != plain.made(&attr)
                    && let Some(project) = self.graph.project(&needed)
                {
                    let touched = self.touched.entry(project.clone()).or_default();
                    touched.insert(made.clone());
                }
                if seen.insert(needed.clone()) {
                    work.push(needed.clone());
                }
                let by = self.needed_by.entry(needed).or_default();
                by.insert(made.clone());
            }
        }
    }

    /// The projects of nixpkgs' packages that are built again, whatever is to blame.
    fn all(&self) -> BTreeSet<PackageName> {
        self.spread(self.touched.values().flatten())
    }

    /// Those that are built again because one project is changed.
    fn because_of(&self, project: &PackageName) -> BTreeSet<PackageName> {
        self.spread(self.touched.get(project).into_iter().flatten())
    }

    fn spread<'m>(&'m self, from: impl Iterator<Item = &'m Made>) -> BTreeSet<PackageName> {
        let mut found: BTreeSet<&Made> = BTreeSet::new();
        let mut work: Vec<&Made> = from.collect();
        while let Some(made) = work.pop() {
            if found.insert(made) {
                work.extend(self.needed_by.get(made).into_iter().flatten());
            }
        }
        let recipes = found
            .into_iter()
            .filter(|made| matches!(made, Made::Recipe(_)));
        let there = recipes.filter(|made| self.there.contains(made));
        there
            .filter_map(|made| self.graph.project(made).cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::plan::fixture::Fixture;

    fn weight(fixture: &Fixture) -> Weight {
        weigh(&Request {
            crates: &fixture.crates,
            wheels: &fixture.wheels,
            resolution: &fixture.resolution,
            build: &[],
            facts: &fixture.facts,
            digests: &BTreeMap::new(),
            trials: &fixture.trials,
            nixpkgs: &fixture.nixpkgs,
            unpublished: &fixture.unpublished,
            policy: &fixture.policy,
        })
    }

    fn names(set: &BTreeSet<PackageName>) -> Vec<&str> {
        set.iter().map(AsRef::as_ref).collect()
    }

    /// The snapshot has aioamqp 0.15.0, tornado 6.5.4 and six 1.17.0.
    #[test]
    fn what_needs_a_changed_attribute_is_built_again() {
        let fixture = Fixture::new().root("aioamqp").root("unheard");
        let fixture = fixture.pin("aioamqp", "0.15.0", &["tornado"]);
        let fixture = fixture.pin("tornado", "6.5.4", &["six"]);
        let fixture = fixture.pin("six", "1.16.0", &[]);
        let fixture = fixture.pin("unheard", "1", &["six<1.17"]);
        let weight = weight(&fixture);
        let six = PackageName::from_str("six").unwrap();
        assert_eq!(names(&weight.changed[&six]), ["aioamqp", "tornado"]);
        assert_eq!(names(&weight.rebuilt), ["aioamqp", "tornado"]);
        assert_eq!((weight.new, weight.builds(), weight.of(&six)), (1, 4, 3));
    }

    #[test]
    fn entries_for_what_nixpkgs_lacks_build_nothing_again() {
        let fixture = Fixture::new().root("aioamqp").root("unheard");
        let fixture = fixture.pin("aioamqp", "0.15.0", &["unheard"]);
        let fixture = fixture.pin("unheard", "1", &[]);
        let weight = weight(&fixture);
        assert_eq!((weight.rebuilt.len(), weight.builds()), (0, 1));
    }

    #[test]
    fn build_tools_that_do_not_meet_what_is_required_weigh_most() {
        let fixture = Fixture::new().root("unheard");
        let fixture = fixture.pin("unheard", "1", &["setuptools>=999"]);
        let fixture = fixture.pin("setuptools", "999.0", &[]);
        let weight = weight(&fixture);
        assert_eq!(names(&weight.unmet), ["setuptools"]);
        assert_eq!(weight.cost(), (1, 1));
    }
}
