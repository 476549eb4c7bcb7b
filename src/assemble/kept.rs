//! A catalog in which the releases that nixpkgs has require what nixpkgs' recipes leave of their
//! requirements.
//!
//! A package that is kept is built as its recipe says: what `pythonRemoveDeps` removes is not
//! required, and what `pythonRelaxDeps` relaxes is required at any version. So is what nixpkgs itself
//! builds it with at a version that its metadata does not admit. Where a recipe is not known, the
//! metadata counts as it is.

use std::sync::Arc;

use super::amended::{Amend, Amended};
use crate::index::Catalog;
use crate::nixpkgs::facts::{AttributeFacts, Names};
use crate::nixpkgs::{Nixpkgs, is_bootstrap};
use crate::python::range::admits;
use crate::python::{
    Metadata, PackageName, Requirement, Requires, Version, VersionSpecifiers, Wanted,
};

/// Another catalog's answers, but for the requirements of what nixpkgs has.
pub type Kept<'a> = Amended<'a, Recipes<'a>>;

/// What nixpkgs' recipes leave of requirements.
pub struct Recipes<'a> {
    nixpkgs: &'a Nixpkgs,
}

impl<'a> Kept<'a> {
    /// The catalog, as nixpkgs' recipes see it.
    pub fn new(catalog: &'a dyn Catalog, nixpkgs: &'a Nixpkgs) -> Self {
        Self::by(catalog, Recipes { nixpkgs })
    }
}

impl Amend for Recipes<'_> {
    fn amend(&self, name: &PackageName, version: &Version, said: Arc<Metadata>) -> Arc<Metadata> {
        let attributes = self.nixpkgs.attributes(name).iter();
        let facts = attributes
            .filter(|attribute| attribute.version == *version)
            .find_map(|attribute| attribute.facts.as_deref());
        let Some(facts) = facts else {
            return said;
        };
        let requires_dist = left(&said.requires_dist, facts, self.nixpkgs);
        if requires_dist == said.requires_dist {
            return said;
        }
        Arc::new(Metadata {
            requires_dist,
            ..said.as_ref().clone()
        })
    }
}

/// What a recipe leaves of requirements.
fn left(requirements: &Requires, facts: &AttributeFacts, nixpkgs: &Nixpkgs) -> Requires {
    let kept = requirements
        .iter()
        .filter(|requirement| !names(facts.removed.as_ref(), &requirement.name));
    kept.map(|requirement| {
        let any = names(facts.relaxed.as_ref(), &requirement.name)
            || is_met_otherwise(requirement, facts, nixpkgs);
        match &requirement.wanted {
            Wanted::Versions(specifiers) if any && !specifiers.is_empty() => Requirement {
                wanted: Wanted::Versions(VersionSpecifiers::empty()),
                ..requirement.clone()
            },
            _ => requirement.clone(),
        }
    })
    .collect()
}

/// Whether names that a recipe gives are those of a project, or of all.
fn names(given: Option<&Names>, project: &PackageName) -> bool {
    match given {
        None => false,
        Some(Names::All) => true,
        Some(Names::Some(names)) => names
            .iter()
            .any(|name| name.parse::<PackageName>().is_ok_and(|n| n == *project)),
    }
}

/// Whether nixpkgs builds the package with a version of the project that is not admitted.
fn is_met_otherwise(requirement: &Requirement, facts: &AttributeFacts, nixpkgs: &Nixpkgs) -> bool {
    let Some(specifiers) = requirement.specifiers() else {
        return false;
    };
    // of those the user is told instead
    if is_bootstrap(&requirement.name) {
        return false;
    }
    let needs = facts.dependencies.iter().flatten();
    let mut of_project = needs
        .filter(|need| !need.top_level)
        .filter_map(|need| nixpkgs.attribute(&need.attr))
        .filter(|attribute| attribute.project == requirement.name);
    of_project.any(|attribute| !admits(specifiers, &attribute.version))
}
