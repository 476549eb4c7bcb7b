//! What every attribute of the finished package set brings along at run time and for builds.
//!
//! The finished set is nixpkgs' with the file's definitions in place of some attributes, for everyone:
//! what a recipe names is looked up there. A *derivation* is what an attribute comes to in the end. Two
//! attributes may be one derivation (an alias), and two derivations may be of one project (`foo` and
//! `foo_2`). nixpkgs' own edges count where its recipes are known, the pins' metadata otherwise.

use std::collections::BTreeMap;

use super::decide::{Decision, canonical_attr, defined_attr};
use super::derivation::{Definition, Derivation, Needed};
use super::entry::siblings_of;
use super::set::{Pinned, Set};
use super::{Entry, build};
use crate::nixpkgs::facts::{AttributeFacts, Need};
use crate::python::{PackageName, System, TargetSet};

/// A derivation of the finished set, by the attribute that says what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Made {
    /// nixpkgs' recipe of the attribute.
    Recipe(String),
    /// The file's own entry.
    Entry(String),
}

impl Made {
    /// The attribute.
    pub fn attr(&self) -> &str {
        match self {
            Made::Recipe(attr) | Made::Entry(attr) => attr,
        }
    }
}

/// What the file defines an attribute as.
#[derive(Debug)]
enum Defined {
    /// Another attribute of the finished set.
    Alias(String),
    /// nixpkgs' recipe of this attribute.
    Recipe(String),
    Own(Own),
}

/// An entry with its own source.
#[derive(Debug, Default)]
struct Own {
    project: Option<PackageName>,
    needs: Vec<String>,
    builds: Vec<String>,
    optional: BTreeMap<String, Vec<String>>,
    /// The attribute of nixpkgs whose recipe is changed: extras that it has stay.
    base: Option<String>,
}

/// Everything that is reached, each with who led to it first.
pub(super) type Closure = BTreeMap<Made, Option<Made>>;

/// More aliases of aliases than any set has.
const ALIASES: usize = 16;

/// nixpkgs' hooks that run tests, and the attribute that each brings along.
const RUNNERS: [(&str, &str); 3] = [
    ("pytestCheckHook", "pytest"),
    ("pytest7CheckHook", "pytest_7"),
    ("pytest8_3CheckHook", "pytest_8_3"),
];

/// The finished set on one target.
pub(super) struct Graph<'a> {
    set: &'a Set<'a>,
    target: TargetSet,
    system: Option<System>,
    defined: BTreeMap<String, Defined>,
}

impl<'a> Graph<'a> {
    /// As it is known before entries are made: what will be defined, and what it will need.
    pub fn foreseen(
        set: &'a Set<'_>,
        target: TargetSet,
        aliases: &BTreeMap<String, String>,
    ) -> Self {
        let mut graph = Self::empty(set, target);
        for (name, pins) in set.pins() {
            let plain = |p: &Pinned| {
                use Decision::{Bootstrap, Keep, Reuse};
                matches!(p.decision, Reuse(_) | Keep(_) | Bootstrap(_))
            };
            if pins.iter().all(plain) {
                continue;
            }
            let here = |p: &&Pinned| !p.pin.targets.and(target).is_empty();
            let Some(pinned) = pins.iter().find(here).or_else(|| pins.last()) else {
                continue;
            };
            let attr = defined_attr(name, set.request.nixpkgs);
            let mut as_they_are = Vec::new();
            let defined = match &pinned.decision {
                Decision::Reuse(a)
                | Decision::Keep(a)
                | Decision::Other(a)
                | Decision::Bootstrap(Some(a)) => {
                    as_they_are.push(a.attr.as_str());
                    Defined::Recipe(a.attr.clone())
                }
                Decision::Bootstrap(None) => Defined::Recipe(name.to_string()),
                Decision::Stand(provider) => Defined::Own(Own {
                    project: Some(name.clone()),
                    needs: vec![canonical_attr(&provider.project, set.request.nixpkgs)],
                    ..Own::default()
                }),
                Decision::Override(_) | Decision::New => Defined::Own(graph.foreseen_own(pinned)),
            };
            for sibling in siblings_of(set, name, &attr, &as_they_are) {
                let alias = Defined::Alias(attr.clone());
                graph.defined.insert(sibling.attr.clone(), alias);
            }
            graph.defined.insert(attr, defined);
        }
        for tool in set.tools().filter(|tool| tool.decision.needs_source()) {
            let own = Defined::Own(graph.foreseen_own(tool));
            graph.defined.insert(set.tool_attr(tool), own);
        }
        let aliases = aliases.iter();
        let aliases = aliases.map(|(attr, to)| (attr.clone(), Defined::Alias(to.clone())));
        graph.defined.extend(aliases);
        graph
    }

    fn foreseen_own(&self, pinned: &Pinned<'_>) -> Own {
        let set = self.set;
        let pin = pinned.pin;
        let base = pin.needs.iter().filter(|e| e.via_extra.is_none());
        let needs = set.reach(base, self.target).into_keys();
        let needs = needs.filter(|name| **name != pin.name);
        let builds = build::system(set, pin).unwrap_or_default();
        Own {
            project: Some(pin.name.clone()),
            needs: needs
                .filter_map(|name| set.attr_for(pinned, name))
                .collect(),
            builds: builds.into_iter().map(|needed| needed.attr).collect(),
            optional: BTreeMap::new(),
            base: pinned.decision.attribute().map(|a| a.attr.clone()),
        }
    }

    /// As the file will say it.
    pub fn written(set: &'a Set<'_>, target: TargetSet, entries: &[Entry]) -> Self {
        let mut graph = Self::empty(set, target);
        for entry in entries {
            let here = |condition: &Option<super::Condition>| match (condition, graph.system) {
                (Some(condition), Some(system)) => condition.holds(system),
                _ => true,
            };
            let Some(variant) = entry.variants.iter().find(|v| here(&v.condition)) else {
                continue;
            };
            let defined = match &variant.definition {
                Definition::Nixpkgs(attr) => Defined::Recipe(attr.clone()),
                Definition::Alias(attr) => Defined::Alias(attr.clone()),
                Definition::With(base, inputs) => {
                    let with = |attr: String| inputs.get(&attr).cloned().unwrap_or(attr);
                    let recipe = Made::Recipe(base.clone());
                    Defined::Own(Own {
                        project: Some(entry.project.clone()),
                        needs: graph.recipe_needs(base).into_iter().map(with).collect(),
                        builds: graph.builds(&recipe).into_iter().map(with).collect(),
                        ..Own::default()
                    })
                }
                Definition::Override(base, d) => {
                    let mut own = graph.written_own(entry, d);
                    own.base = Some(base.clone());
                    if d.keeps_build_system.is_some()
                        && let Some(facts) = facts(set, base)
                    {
                        let old = graph.attrs(facts.build_system.as_deref().unwrap_or_default());
                        own.builds.extend(old);
                    }
                    Defined::Own(own)
                }
                Definition::New(d) => Defined::Own(graph.written_own(entry, d)),
                Definition::Stand(stand) => Defined::Own(Own {
                    project: Some(entry.project.clone()),
                    needs: vec![stand.provider.clone()],
                    ..Own::default()
                }),
            };
            graph.defined.insert(entry.attr.clone(), defined);
        }
        graph
    }

    fn written_own(&self, entry: &Entry, d: &Derivation) -> Own {
        let optional = d.optional.iter();
        Own {
            project: Some(entry.project.clone()),
            needs: self.here(&d.dependencies),
            builds: self.here(&d.build_system),
            optional: optional
                .map(|(extra, needed)| (extra.clone(), self.here(needed)))
                .collect(),
            base: None,
        }
    }

    /// nixpkgs' own set.
    pub fn empty(set: &'a Set<'_>, target: TargetSet) -> Self {
        Self {
            set,
            target,
            system: set.targets().systems(target).next(),
            defined: BTreeMap::new(),
        }
    }

    /// Those of these attributes that are needed on the target.
    pub fn here(&self, needed: &[Needed]) -> Vec<String> {
        let here = needed.iter().filter(|n| match (&n.condition, self.system) {
            (Some(condition), Some(system)) => condition.holds(system),
            _ => true,
        });
        here.map(|n| n.attr.clone()).collect()
    }

    /// What an attribute comes to.
    pub fn made(&self, attr: &str) -> Made {
        let mut attr = attr.to_owned();
        for _ in 0..ALIASES {
            let recipe = match self.defined.get(&attr) {
                Some(Defined::Own(_)) => return Made::Entry(attr),
                Some(Defined::Alias(to)) => {
                    attr.clone_from(to);
                    continue;
                }
                Some(Defined::Recipe(of)) => of.clone(),
                None => attr,
            };
            // `foo = self.foo_2;` in nixpkgs: the finished set's foo_2
            match facts(self.set, &recipe).and_then(|facts| facts.alias_of.clone()) {
                Some(of) => attr = of,
                None => return Made::Recipe(recipe),
            }
        }
        Made::Recipe(attr)
    }

    /// The project that a derivation installs.
    pub fn project(&self, made: &Made) -> Option<&PackageName> {
        match (made, self.defined.get(made.attr())) {
            (Made::Entry(_), Some(Defined::Own(own))) => own.project.as_ref(),
            _ => self.set.request.nixpkgs.project_of(made.attr()),
        }
    }

    /// The attributes that a derivation needs to run.
    pub fn needs(&self, made: &Made) -> Vec<String> {
        let own = match (made, self.defined.get(made.attr())) {
            (Made::Entry(_), Some(Defined::Own(own))) => own,
            _ => return self.recipe_needs(made.attr()),
        };
        own.needs.clone()
    }

    /// The attributes that build a derivation, as far as that is known.
    pub fn builds(&self, made: &Made) -> Vec<String> {
        match (made, self.defined.get(made.attr())) {
            (Made::Entry(_), Some(Defined::Own(own))) => own.builds.clone(),
            _ => {
                let facts = facts(self.set, made.attr());
                let lists = facts.into_iter().flat_map(|facts| {
                    let checks = facts.check_inputs.as_ref();
                    let checks = checks.filter(|_| facts.do_check != Some(false));
                    let builds = [&facts.build_system, &facts.native_inputs];
                    builds.into_iter().flatten().chain(checks)
                });
                lists.flat_map(|list| self.attrs(list)).collect()
            }
        }
    }

    /// The attributes that a build sees: what builds it, and what it needs to run.
    pub fn inputs(&self, made: &Made) -> Vec<String> {
        let mut inputs = self.builds(made);
        inputs.extend(self.needs(made));
        inputs
    }

    fn recipe_needs(&self, attr: &str) -> Vec<String> {
        if let Some(known) = facts(self.set, attr).and_then(|facts| facts.dependencies.as_ref()) {
            return self.attrs(known);
        }
        // the pins' metadata, where it is the pinned project's default attribute
        let set = self.set;
        if let Some((_, runner)) = RUNNERS.iter().find(|(hook, _)| *hook == attr) {
            return vec![(*runner).to_owned()];
        }
        let Some(name) = set.request.nixpkgs.project_of(attr) else {
            return Vec::new();
        };
        let mut needs = Vec::new();
        for pinned in set.pins_of(name) {
            let base = pinned.pin.needs.iter().filter(|e| e.via_extra.is_none());
            let reached = set
                .reach(base, self.target.and(pinned.pin.targets))
                .into_keys();
            let reached = reached.filter(|n| *n != name && !set.lacks(n));
            needs.extend(reached.filter_map(|n| set.attr(n)));
        }
        needs
    }

    /// The members of the Python set among needs, extras' own needs included.
    fn attrs(&self, needs: &[Need]) -> Vec<String> {
        let here = |need: &&Need| {
            let system = self.system.map(System::name);
            let elsewhere = |s: &str| !need.systems.iter().any(|other| other == s);
            let elsewhere = !need.systems.is_empty() && system.is_some_and(elsewhere);
            !need.top_level && !elsewhere
        };
        let mut attrs = Vec::new();
        for need in needs.iter().filter(here) {
            attrs.push(need.attr.clone());
            for extra in &need.extras {
                self.add_extra(&need.attr, extra, &mut attrs);
            }
        }
        attrs
    }

    fn add_extra(&self, attr: &str, extra: &str, attrs: &mut Vec<String>) {
        let made = self.made(attr);
        let base = match self.defined.get(made.attr()) {
            Some(Defined::Own(own)) if matches!(made, Made::Entry(_)) => {
                if let Some(own) = own.optional.get(extra) {
                    attrs.extend(own.iter().cloned());
                    return;
                }
                own.base.as_deref()
            }
            _ => Some(made.attr()),
        };
        let optional = base.and_then(|base| facts(self.set, base)?.optional.as_ref());
        let needs = optional.and_then(|optional| optional.get(extra));
        // extras that name extras again are followed one step only: recipes spell them out
        let needs = needs.into_iter().flatten().filter(|n| !n.top_level);
        attrs.extend(needs.map(|need| need.attr.clone()));
    }

    /// Everything that these attributes bring along at run time.
    pub fn closure(&self, attrs: impl IntoIterator<Item = String>) -> Closure {
        let mut closure = Closure::new();
        let mut work: std::collections::VecDeque<(String, Option<Made>)> =
            attrs.into_iter().map(|attr| (attr, None)).collect();
        while let Some((attr, by)) = work.pop_front() {
            let made = self.made(&attr);
            if closure.contains_key(&made) {
                continue;
            }
            let needs = self.needs(&made).into_iter();
            work.extend(needs.map(|need| (need, Some(made.clone()))));
            closure.insert(made, by);
        }
        closure
    }

    /// The entries with a source of their own, by attribute.
    pub fn entries(&self) -> impl Iterator<Item = Made> {
        let own = self.defined.iter();
        let own = own.filter(|(_, defined)| matches!(defined, Defined::Own(_)));
        own.map(|(attr, _)| Made::Entry(attr.clone()))
    }
}

/// What nixpkgs' recipe of an attribute says, where it is known.
pub(super) fn facts<'a>(set: &'a Set<'_>, attr: &str) -> Option<&'a AttributeFacts> {
    set.request.nixpkgs.attribute(attr)?.facts.as_deref()
}
