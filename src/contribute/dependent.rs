//! Who else in the tree would not bear another version of a project.

use std::sync::Arc;

use crate::index::{Catalog, IndexError, sound};
use crate::nixpkgs::facts::{AttributeFacts, Names};
use crate::nixpkgs::{Attribute, Nixpkgs};
use crate::python::range::admits;
use crate::python::{Metadata, PackageName, Targets, Version};

/// How many dependents are asked about.
const MAX_ASKED: usize = 40;

/// What is known of a project's dependents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependents {
    /// Sentences about those that admit the old version and not the new one.
    pub broken: Vec<String>,
    /// How many were asked about.
    pub asked: usize,
    /// How many there are.
    pub all: usize,
}

/// Asks the index what the direct dependents of an attribute require, at the versions that the tree has.
pub fn dependents(
    catalog: &dyn Catalog,
    nixpkgs: &Nixpkgs,
    attribute: &Attribute,
    new: &Version,
    targets: &Targets,
) -> Dependents {
    let needs = |other: &&Attribute| {
        let edges = other.facts.as_ref().and_then(|facts| facts.edges());
        edges.is_some_and(|mut edges| edges.any(|need| need.attr == attribute.attr))
    };
    let all: Vec<&Attribute> = nixpkgs.all().filter(needs).collect();
    let asked: Vec<&Attribute> = all.iter().take(MAX_ASKED).copied().collect();
    for other in &asked {
        catalog.expect_page(&other.project);
    }
    let mut broken = Vec::new();
    for other in &asked {
        if let Ok(Some(metadata)) = metadata(catalog, other) {
            broken.extend(refusal(other, &metadata, attribute, new, targets));
        }
    }
    Dependents {
        broken,
        asked: asked.len(),
        all: all.len(),
    }
}

fn metadata(catalog: &dyn Catalog, of: &Attribute) -> Result<Option<Arc<Metadata>>, IndexError> {
    sound(catalog, || {
        let page = catalog.page(&of.project)?;
        let release = page.release(&of.version);
        release
            .map(|release| catalog.metadata(&page, &release))
            .transpose()
    })
}

/// A sentence, where a dependent admits the old version and not the new one.
fn refusal(
    by: &Attribute,
    metadata: &Metadata,
    attribute: &Attribute,
    new: &Version,
    targets: &Targets,
) -> Option<String> {
    let facts = by.facts.as_deref()?;
    if names(facts, &attribute.project) {
        return None;
    }
    let mut requirements = metadata.requires_dist.iter();
    requirements.find_map(|requirement| {
        let specifiers = requirement.specifiers()?;
        let holds = requirement.name == attribute.project
            && !targets.matching(&requirement.marker, &[]).is_empty();
        let breaks = holds && admits(specifiers, &attribute.version) && !admits(specifiers, new);
        breaks.then(|| {
            format!(
                "`{}` {} needs {requirement}: it will not build with {new}",
                by.attr, by.version
            )
        })
    })
}

/// Whether a recipe drops its limits on a project.
fn names(facts: &AttributeFacts, project: &PackageName) -> bool {
    [&facts.relaxed, &facts.removed]
        .into_iter()
        .flatten()
        .any(|names| match names {
            Names::All => true,
            Names::Some(names) => names.iter().any(|name| {
                let name = name.replace(['_', '.'], "-").to_ascii_lowercase();
                name == project.as_ref()
            }),
        })
}
