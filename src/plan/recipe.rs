//! What of nixpkgs' recipe does not survive another source.
//!
//! A recipe was written for one source: its patches, its substitutions, its source root. Where a tree
//! tells what the recipe says, only what is there is taken back; without such facts everything that
//! could be there.

use super::derivation::{Recipe, Source};
use crate::nixpkgs::Attribute;
use crate::nixpkgs::facts::{AttributeFacts, Kind};

/// Whether an attribute can be overridden as a Python package at all.
pub(super) fn can_override(attribute: &Attribute) -> bool {
    attribute
        .facts
        .as_ref()
        .is_none_or(|facts| facts.kind == Kind::Module)
}

/// What an override of this attribute must take back.
pub(super) fn recipe(attribute: &Attribute, source: &Source) -> Recipe {
    let Some(facts) = &attribute.facts else {
        return Recipe::UNKNOWN;
    };
    let sets = |name: &str| facts.set.contains(name);
    let same_kind = matches!(source, Source::Sdist(_)) && is_sdist(facts);
    Recipe {
        known: true,
        format: facts.format != "pyproject" || !matches!(source, Source::Sdist(_)),
        source_root: sets("sourceRoot"),
        patches: sets("patches"),
        post_patch: sets("postPatch"),
        cargo: facts.cargo_deps.is_some() || sets("cargoDeps"),
        tests: !same_kind && facts.do_check != Some(false),
    }
}

fn is_sdist(facts: &AttributeFacts) -> bool {
    facts
        .source
        .as_ref()
        .is_some_and(|source| source.fetcher == "fetchPypi")
}
