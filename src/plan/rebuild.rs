//! Which of nixpkgs' packages are built again because of the file: those that need something it
//! changes, in however many steps. They no longer come from a binary cache.
//!
//! nixpkgs' own edges count where its recipes are known, the pins' metadata otherwise. A package
//! that nixpkgs keeps never needs one that nixpkgs lacks, whatever its metadata says: that one's
//! entry builds nothing again.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::decide::Decision;
use super::reason;
use super::set::{Pinned, Set};
use crate::nixpkgs::is_bootstrap;
use crate::python::PackageName;

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
    /// Entries for what nixpkgs lacks.
    pub new: usize,
    /// Packages that nixpkgs keeps and that are built again.
    pub rebuilt: BTreeSet<PackageName>,
}

impl Weight {
    /// How many derivations are built.
    pub fn builds(&self) -> usize {
        self.changed.len() - self.other.len() + self.new + self.rebuilt.len()
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
    let needed_by = needed_by(&set);
    let mut weight = Weight {
        rebuilt: rebuilt(&set).into_iter().cloned().collect(),
        ..Weight::default()
    };
    for (name, pins) in set.pins() {
        for pinned in pins {
            match &pinned.decision {
                Decision::New => weight.new += 1,
                Decision::Override(_) | Decision::Other(_) => {
                    let rebuilt = spread(&needed_by, vec![name]);
                    let rebuilt = rebuilt.into_iter().filter(|n| is_kept(set.pins_of(n)));
                    let rebuilt = rebuilt.cloned().collect();
                    weight.changed.insert(name.clone(), rebuilt);
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

/// The projects that nixpkgs keeps and that are built again.
pub(super) fn rebuilt<'a>(set: &'a Set<'_>) -> BTreeSet<&'a PackageName> {
    let changes = |p: &Pinned| matches!(p.decision, Decision::Override(_) | Decision::Other(_));
    let changed = set.pins().filter(|(_, pins)| pins.iter().any(changes));
    let changed = changed.map(|(name, _)| name).collect();
    let mut rebuilt = spread(&needed_by(set), changed);
    rebuilt.retain(|name| is_kept(set.pins_of(name)));
    rebuilt
}

fn is_kept(pins: &[Pinned<'_>]) -> bool {
    pins.iter().all(|p| {
        matches!(
            p.decision,
            Decision::Reuse(_) | Decision::Keep(_) | Decision::Bootstrap(_)
        )
    })
}

type Dependents<'a> = BTreeMap<&'a PackageName, BTreeSet<&'a PackageName>>;

/// Who needs whom, as far as nixpkgs can know of it: neither of the two is one that it lacks. The
/// build tools are left out, as they are never changed.
fn needed_by<'a>(set: &'a Set<'_>) -> Dependents<'a> {
    let lacking = |p: &Pinned| matches!(p.decision, Decision::New | Decision::Stand(_));
    let is_new = |name: &PackageName| set.pins_of(name).iter().all(lacking);
    let mut needed_by = Dependents::new();
    for (name, _) in set.pins().filter(|(name, _)| !is_new(name)) {
        for needed in set.needs(name) {
            if !is_new(needed) && !is_bootstrap(needed) {
                needed_by.entry(needed).or_default().insert(name);
            }
        }
    }
    needed_by
}

/// Everything that needs one of these, in however many steps.
fn spread<'a>(
    needed_by: &Dependents<'a>,
    mut from: Vec<&'a PackageName>,
) -> BTreeSet<&'a PackageName> {
    let mut found = BTreeSet::new();
    while let Some(name) = from.pop() {
        for dependent in needed_by.get(name).into_iter().flatten() {
            if found.insert(*dependent) {
                from.push(dependent);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::plan::fixture::Fixture;

    fn weight(fixture: &Fixture) -> Weight {
        weigh(&Request {
            crates: &fixture.crates,
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
