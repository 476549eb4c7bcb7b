//! What of nixpkgs' recipe does not survive another source.
//!
//! A recipe was written for one source: its patches, its substitutions, its source root. Where a tree
//! tells what the recipe says, only what is there is taken back; without such facts everything that
//! could be there.

use super::derivation::{Needed, OldNames, Recipe, Source, VersionVariable};
use crate::nixpkgs::Attribute;
use crate::nixpkgs::facts::{AttributeFacts, Kind, Names};

/// Whether an attribute can be overridden as a Python package at all.
pub(super) fn can_override(attribute: &Attribute) -> bool {
    attribute
        .facts
        .as_ref()
        .is_none_or(|facts| facts.kind == Kind::Module)
}

/// What an override of this attribute must take back, where these attributes build the new source.
pub(super) fn recipe(attribute: &Attribute, source: &Source, build_system: &[Needed]) -> Recipe {
    let Some(facts) = &attribute.facts else {
        return Recipe {
            versions: versions(build_system, None),
            ..Recipe::UNKNOWN
        };
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
        propagated: propagated(facts),
        versions: versions(build_system, Some(facts)),
        relax: names(facts.relaxed.as_ref(), sets("pythonRelaxDeps")),
        remove: names(facts.removed.as_ref(), sets("pythonRemoveDeps")),
    }
}

/// What is left of the old list once `dependencies` says what the new release needs: programs and
/// libraries of the top level. None where there is no such list, or where it is not known whole.
fn propagated(facts: &AttributeFacts) -> Option<Vec<Needed>> {
    if !facts.set.contains("propagatedBuildInputs") {
        return None;
    }
    let kept = facts.dependencies.as_ref()?.iter().filter(|n| n.top_level);
    kept.map(|need| {
        let plain = need.systems.is_empty() && need.condition.is_none();
        plain.then(|| Needed {
            attr: need.attr.clone(),
            condition: None,
        })
    })
    .collect()
}

/// Build systems that take the version from a variable, and the variable.
const VERSION_VARIABLES: [(&str, &str); 5] = [
    ("hatch-vcs", "SETUPTOOLS_SCM_PRETEND_VERSION"),
    ("pbr", "PBR_VERSION"),
    ("pdm-backend", "PDM_BUILD_SCM_VERSION"),
    (
        "poetry-dynamic-versioning",
        "POETRY_DYNAMIC_VERSIONING_BYPASS",
    ),
    ("setuptools-scm", "SETUPTOOLS_SCM_PRETEND_VERSION"),
];

/// The variables by which the recipe may tell the old version to what builds the new source.
fn versions(build_system: &[Needed], facts: Option<&AttributeFacts>) -> Vec<VersionVariable> {
    let mut found: Vec<VersionVariable> = Vec::new();
    for (tool, name) in VERSION_VARIABLES {
        let sets = |name: &str| facts.is_none_or(|facts| facts.set.contains(name));
        let variable = VersionVariable {
            name,
            in_env: sets("env"),
            of_its_own: sets(name),
        };
        if build_system.iter().any(|needed| needed.attr == tool)
            && (variable.in_env || variable.of_its_own)
            && !found.contains(&variable)
        {
            found.push(variable);
        }
    }
    found
}

fn names(read: Option<&Names>, set: bool) -> OldNames {
    match read {
        _ if !set => OldNames::None,
        None => OldNames::Unknown,
        Some(Names::All) => OldNames::All,
        Some(Names::Some(_)) => OldNames::List,
    }
}

fn is_sdist(facts: &AttributeFacts) -> bool {
    facts
        .source
        .as_ref()
        .is_some_and(|source| source.fetcher == "fetchPypi")
}
