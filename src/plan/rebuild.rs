//! Which of nixpkgs' packages are built again because of the file: those that need something it
//! defines, in however many steps. They no longer come from a binary cache.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Decision;
use super::set::Set;
use crate::python::PackageName;

/// The projects that nixpkgs keeps and that are built again.
pub(super) fn rebuilt<'a>(set: &'a Set<'_>) -> BTreeSet<&'a PackageName> {
    let mut needed_by: BTreeMap<&PackageName, BTreeSet<&PackageName>> = BTreeMap::new();
    let mut changed: Vec<&PackageName> = Vec::new();
    for (name, pins) in set.pins() {
        let kept = |d: &Decision| {
            matches!(
                d,
                Decision::Reuse(_) | Decision::Keep(_) | Decision::Bootstrap(_)
            )
        };
        if !pins.iter().all(|p| kept(&p.decision)) {
            changed.push(name);
        }
        for needed in set.needs(name) {
            needed_by.entry(needed).or_default().insert(name);
        }
    }
    let mut rebuilt = BTreeSet::new();
    while let Some(name) = changed.pop() {
        for dependent in needed_by.get(name).into_iter().flatten() {
            if rebuilt.insert(*dependent) {
                changed.push(dependent);
            }
        }
    }
    rebuilt
}
