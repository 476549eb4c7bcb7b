//! What could be done instead of an entry, and what each way costs.
//!
//! Costs are what an answer has built in all: changed attributes, entries for what nixpkgs lacks,
//! and nixpkgs' packages that are built again. Ways that another set of releases belongs to are
//! tried by resolving; one that cannot be tried (its metadata is not at hand) is told as such.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::choice::{exactly, forced, weigh};
use super::{AssembleError, Question, unpublished};
use crate::event::Silent;
use crate::index::{Catalog, Release};
use crate::nixpkgs::is_bootstrap;
use crate::plan::{self, Action, Reason, Step};
use crate::python::{PackageName, Version};
use crate::resolve::{self, Input, Resolution};

/// How many versions may turn out to be impossible while a way is tried.
const PATIENCE: u32 = 400;

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An older release of what needs it.
    Older,
    /// Another of nixpkgs' attributes.
    Attribute,
    /// What is done now.
    Now,
    /// A requirement less strict.
    Relax,
}

impl Kind {
    /// The word that JSON uses.
    pub fn text(self) -> &'static str {
        match self {
            Kind::Older => "older",
            Kind::Attribute => "attribute",
            Kind::Now => "now",
            Kind::Relax => "relax",
        }
    }
}

/// A way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What kind of way it is.
    pub kind: Kind,
    /// What is to be done, as a sentence without its end.
    pub what: String,
    /// How many derivations are built then in all; none where that is not known.
    pub builds: Option<usize>,
    /// Whether an answer was found that way, or why nobody knows.
    pub tried: Result<bool, String>,
}

/// What is known of a pin's place in the answer.
#[derive(Debug, Clone)]
pub struct Ways {
    /// What is done about it.
    pub action: Action,
    /// The version that nixpkgs has.
    pub nixpkgs_version: Option<Version>,
    /// Who needs a version that nixpkgs does not have.
    pub forces: Vec<Reason>,
    /// The changed attributes because of which it is built again.
    pub rebuilt_by: Vec<PackageName>,
    /// How many derivations are built in all now.
    pub builds: usize,
    /// Whether some of them are nixpkgs' packages that are built again, and that was counted along the
    /// metadata of the pins, as nobody knows nixpkgs' own edges.
    pub estimated: bool,
    /// What could be done, cheapest first.
    pub alternatives: Vec<Alternative>,
}

/// Finds what could be done about a project's entry. The question holds the pins of a lock.
///
/// # Errors
/// When what the lock pins cannot be resolved again; `None` when it does not come out the same.
pub fn alternatives(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    name: &PackageName,
    version: &Version,
) -> Result<Option<Ways>, AssembleError> {
    let resolution = super::resolve(catalog, question.input, question.approved, &Silent)?;
    let is_there = resolution.pins_of(name).any(|pin| pin.version == *version);
    let unpublished = unpublished(catalog, question.nixpkgs, &resolution);
    let nothing = BTreeMap::new();
    let digests = BTreeMap::new();
    let trials = BTreeMap::new();
    let steps = plan::steps(&plan::Request {
        resolution: &resolution,
        build: &[],
        facts: &nothing,
        digests: &digests,
        nixpkgs: question.nixpkgs,
        unpublished: &unpublished,
        policy: question.policy,
        trials: &trials,
        crates: &BTreeMap::new(),
        wheels: &BTreeMap::new(),
    });
    let step = steps
        .into_iter()
        .find(|step| step.name == *name && step.version == *version);
    let Some(step) = step.filter(|_| is_there) else {
        return Ok(None);
    };
    let weight = weigh(catalog, question, &resolution);
    let rebuilt_by = weight
        .changed
        .iter()
        .filter(|(_, rebuilt)| rebuilt.contains(name));
    let mut ways = Ways {
        action: step.action,
        nixpkgs_version: step.nixpkgs_version.clone(),
        forces: step
            .reasons
            .iter()
            .filter(|reason| reason.forces)
            .cloned()
            .collect(),
        rebuilt_by: rebuilt_by.map(|(name, _)| name.clone()).collect(),
        builds: weight.builds(),
        estimated: !weight.rebuilt.is_empty() && question.nixpkgs.tree.is_none(),
        alternatives: Vec::new(),
    };
    let search = Search {
        catalog,
        question,
        resolution: &resolution,
        step: &step,
    };
    ways.alternatives = search.ways(&ways.forces, weight.of(name));
    Ok(Some(ways))
}

struct Search<'a> {
    catalog: &'a dyn Catalog,
    question: &'a Question<'a>,
    resolution: &'a Resolution,
    step: &'a Step,
}

impl Search<'_> {
    fn ways(&self, forces: &[Reason], own_weight: usize) -> Vec<Alternative> {
        let is_unmet = is_bootstrap(&self.step.name) && !forces.is_empty();
        let changed = matches!(self.step.action, Action::Override | Action::Attribute);
        if !changed && !is_unmet {
            return Vec::new();
        }
        let mut ways = Vec::new();
        if changed {
            ways.push(self.now(own_weight));
        }
        ways.extend(self.other_versions());
        ways.extend(self.relaxed(forces));
        ways.sort_by_key(|way| {
            (
                way.tried == Ok(false),
                way.builds.unwrap_or(usize::MAX),
                way.kind,
                way.what.clone(),
            )
        });
        ways
    }

    fn now(&self, own_weight: usize) -> Alternative {
        let Step { name, version, .. } = self.step;
        let what = match self.step.action {
            Action::Attribute => format!(
                "nixpkgs' {} in place of its default attribute, as it is now: {own_weight} rebuilt",
                self.step.attribute
            ),
            _ => format!(
                "{name} {version} as an override, as it is now: {} rebuilt because of it",
                own_weight.saturating_sub(1)
            ),
        };
        Alternative {
            kind: Kind::Now,
            what,
            builds: Some(weigh(self.catalog, self.question, self.resolution).builds()),
            tried: Ok(true),
        }
    }

    /// Each of nixpkgs' versions, with whatever else has to give way.
    fn other_versions(&self) -> Vec<Alternative> {
        let attributes = self.question.nixpkgs.attributes(&self.step.name).iter();
        let mut seen = BTreeSet::from([&self.step.version]);
        let others = attributes.filter(|attribute| seen.insert(&attribute.version));
        others
            .filter_map(|attribute| self.at(&attribute.version, &attribute.attr, attribute.primary))
            .collect()
    }

    fn at(&self, version: &Version, attr: &str, primary: bool) -> Option<Alternative> {
        let name = &self.step.name;
        let kind = if primary {
            Kind::Older
        } else {
            Kind::Attribute
        };
        let own = format!("nixpkgs' {attr} {version}");
        let roots = &self.resolution.roots;
        if forced(self.question.input, roots, name, version).is_some() {
            // What to do about it is told with the requirement itself.
            return None;
        }
        let mut input: Input = self.question.input.clone();
        input.constraints.push(exactly(name, version));
        let answer = resolve::resolve_within(self.catalog, &input, &Silent, PATIENCE);
        let way = |what: String, builds, tried| Alternative {
            kind,
            what,
            builds,
            tried,
        };
        Some(match answer {
            Err(error) => way(
                format!("older releases of what needs it, with {own}"),
                None,
                Err(error.to_string()),
            ),
            Ok(None) => way(
                format!("no other release of what needs it goes with {own}"),
                None,
                Ok(false),
            ),
            Ok(Some(other)) => {
                let moved = moved(self.resolution, &other, name);
                let what = if moved.is_empty() {
                    own
                } else {
                    format!("{own}, with {}", moved.join(", "))
                };
                let builds = weigh(self.catalog, self.question, &other).builds();
                way(what, Some(builds), Ok(true))
            }
        })
    }

    /// nixpkgs' own version, with the requirements that refuse it put aside.
    fn relaxed(&self, forces: &[Reason]) -> Option<Alternative> {
        let own = self.question.nixpkgs.attributes(&self.step.name).first()?;
        if forces.is_empty() {
            return None;
        }
        let places: Vec<String> = forces
            .iter()
            .map(|reason| match &reason.origin {
                Some(origin) => format!(
                    "`{}` in {}, line {}",
                    reason.requirement,
                    reason.by,
                    origin.line_column().0
                ),
                None => format!("`{}` of {}", reason.requirement, reason.by),
            })
            .collect();
        let what = format!(
            "relax {}, if it works with nixpkgs' {} {} (`overrides = [\"{}\"]` under [tool.pyresolve])",
            places.join(" and "),
            own.attr,
            own.version,
            self.step.name
        );
        Some(Alternative {
            kind: Kind::Relax,
            what,
            builds: Some(self.builds_at(&own.version)),
            tried: Err("only you can know whether it works".to_owned()),
        })
    }

    /// What is built where the project is at a version, whoever refuses that.
    fn builds_at(&self, version: &Version) -> usize {
        let mut resolution = self.resolution.clone();
        let pins = resolution.pins.iter_mut();
        for pin in pins.filter(|pin| pin.name == self.step.name) {
            pin.version = version.clone();
            pin.release = Arc::new(Release {
                tree: None,
                version: version.clone(),
                wheels: Vec::new(),
                sdist: None,
            });
        }
        weigh(self.catalog, self.question, &resolution).builds()
    }
}

/// The releases that another answer has in place of those of the first, but for one project. Where
/// the targets need several versions of one, those that both answers have did not move.
fn moved(first: &Resolution, other: &Resolution, but: &PackageName) -> Vec<String> {
    let names: BTreeSet<&PackageName> = first.pins.iter().map(|pin| &pin.name).collect();
    let moved = |name: &&PackageName| {
        let versions = |answer: &Resolution| -> BTreeSet<Version> {
            answer
                .pins_of(name)
                .map(|pin| pin.version.clone())
                .collect()
        };
        let (before, after) = (versions(first), versions(other));
        let only = |these: &BTreeSet<Version>, those: &BTreeSet<Version>| {
            let only: Vec<String> = these.difference(those).map(Version::to_string).collect();
            (!only.is_empty()).then(|| only.join(" and "))
        };
        Some(format!(
            "{name} {} rather than {}",
            only(&after, &before)?,
            only(&before, &after)?
        ))
    };
    let others = names.iter().filter(|name| **name != but);
    others.filter_map(moved).collect()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::plan::fixture::Fixture;

    fn answer(pins: &[(&str, &str)]) -> Resolution {
        let pin = |all: Fixture, (name, version): &(&str, &str)| all.pin(name, version, &[]);
        pins.iter().fold(Fixture::new(), pin).resolution
    }

    #[test]
    fn versions_that_both_answers_have_did_not_move() {
        let first = answer(&[
            ("idna", "3"),
            ("numpy", "2.2"),
            ("numpy", "2.5"),
            ("rich", "1"),
        ]);
        let asked = PackageName::from_str("idna").unwrap();
        let other = |numpy: &[&'static str], rich: &'static str| {
            let mut pins = vec![("idna", "2"), ("rich", rich)];
            pins.extend(numpy.iter().map(|version| ("numpy", *version)));
            moved(&first, &answer(&pins), &asked)
        };
        assert_eq!(other(&["2.2", "2.5"], "1"), [""; 0]);
        assert_eq!(other(&["2.2", "2.5"], "2"), ["rich 2 rather than 1"]);
        assert_eq!(other(&["2.2", "2.4"], "1"), ["numpy 2.4 rather than 2.5"]);
        assert_eq!(other(&["2.4"], "1"), ["numpy 2.4 rather than 2.2 and 2.5"]);
    }
}
