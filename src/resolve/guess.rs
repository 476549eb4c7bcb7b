//! Projects that are asked for because they usually come along with what is wanted, or did before.

use std::collections::HashSet;
use std::ops::Bound;

use super::companion::companions;
use super::input::Input;
use crate::python::range::{self, Range};
use crate::python::{PackageName, Requirement};

/// What is asked for because it usually comes along.
#[derive(Default)]
pub(super) struct Guesses {
    /// What a lock names: it was needed before.
    locked: Vec<PackageName>,
    /// Wanted projects whose companions nobody has thought of yet.
    fresh: Vec<PackageName>,
    /// Projects whose companions were thought of.
    done: HashSet<PackageName>,
    /// The projects of the user's whose requirements have to be known first: where he holds some
    /// back, they may go together with no others.
    unsure: HashSet<PackageName>,
    /// Guessed projects whose metadata was not asked for yet.
    open: HashSet<PackageName>,
}

impl Guesses {
    /// What can be guessed before anything is known.
    pub fn new(input: &Input) -> Self {
        let mut lines = input.requirements.iter().chain(&input.constraints);
        let holds_back = |line: &Requirement| {
            let range = line.specifiers().map_or_else(Range::full, range::range);
            let highest = range.iter().last();
            highest.is_some_and(|(_, high)| !matches!(high, Bound::Unbounded))
                && range::pinned(&range).is_none()
        };
        let unsure = if lines.any(holds_back) {
            let named = |line: &&Requirement| {
                let targets = &input.targets;
                line.specifiers().is_some() && !targets.matching(&line.marker, &[]).is_empty()
            };
            let names = input.requirements.iter().filter(named);
            names.map(|line| line.name.clone()).collect()
        } else {
            HashSet::new()
        };
        let locked: Vec<PackageName> = input.preferences.locked.keys().cloned().collect();
        Self {
            // Nobody knows better what comes along.
            done: locked.iter().cloned().collect(),
            open: locked.iter().cloned().collect(),
            locked,
            unsure,
            ..Self::default()
        }
    }

    /// Somebody needs a project.
    pub fn is_wanted(&mut self, name: &PackageName) {
        self.fresh.push(name.clone());
    }

    /// The likely release of a project goes together with what the user asks of others.
    pub fn goes_together(&mut self, name: &PackageName) {
        self.unsure.remove(name);
    }

    /// Whether the metadata of a guessed project is to be asked for: yes, once.
    pub fn claim(&mut self, name: &PackageName) -> bool {
        self.open.remove(name)
    }

    /// The projects whose pages to ask for now, the nearest first.
    pub fn take(&mut self) -> Vec<PackageName> {
        let mut names = std::mem::take(&mut self.locked);
        if !self.unsure.is_empty() {
            return names;
        }
        let mut known = std::mem::take(&mut self.fresh);
        while !known.is_empty() {
            known.retain(|name| self.done.insert(name.clone()));
            known = known.iter().flat_map(companions).collect();
            known.retain(|name| !self.done.contains(name));
            self.open.extend(known.iter().cloned());
            names.extend(known.iter().cloned());
        }
        names
    }
}
