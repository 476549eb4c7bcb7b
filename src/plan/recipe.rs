//! What of nixpkgs' recipe does not survive another source.
//!
//! A recipe was written for one source: its patches, its substitutions, its source root. Where a tree
//! tells what the recipe says, only what is there is taken back; without such facts everything that
//! could be there.

use std::collections::BTreeMap;

use super::derivation::{Needed, OldNames, OldScript, Patches, Recipe, Source, VersionVariable};
use super::trial::{SCRIPTS, Trial};
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
/// `trial` is what trying the recipe on the source gave, or why it was not tried.
pub(super) fn recipe(
    attribute: &Attribute,
    source: &Source,
    build_system: &[Needed],
    trial: Result<&Trial, &str>,
) -> Recipe {
    let Some(facts) = attribute.facts.as_ref() else {
        return Recipe {
            versions: versions(build_system, None),
            ..Recipe::unknown()
        };
    };
    let sets = |name: &str| facts.set.contains(name);
    let sdist = matches!(source, Source::Sdist(_));
    let same_kind = sdist && is_sdist(facts);
    // Nothing of a recipe for a source is right for a wheel.
    let why = "the source could not be looked at";
    let trial = trial.map_err(|_| why);
    let trial = if sdist {
        trial
    } else {
        Err("a wheel has no sources")
    };
    let mut scripts = BTreeMap::new();
    let mut dropped = trial.map_or_else(|_| BTreeMap::new(), |trial| trial.dropped.clone());
    for name in SCRIPTS.into_iter().filter(|name| sets(name)) {
        let fate = match trial {
            Ok(trial) => trial.scripts.get(name).cloned().unwrap_or(OldScript::Keep),
            Err(_) => OldScript::Drop,
        };
        scripts.insert(name, fate);
    }
    let patches = match trial {
        _ if !sets("patches") => Patches::Keep,
        Ok(trial) => trial.patches.clone(),
        Err(_) => Patches::Drop,
    };
    if let Err(why) = trial {
        let names = scripts.keys().copied();
        let names = names.chain((patches == Patches::Drop).then_some("patches"));
        dropped.extend(names.map(|name| (name, vec![why.to_owned()])));
    }
    let tests = !same_kind && facts.do_check != Some(false);
    let lost = trial.ok().map(|trial| &trial.lost_tests);
    let lost = lost.filter(|lost| !tests && facts.do_check != Some(false) && !lost.is_empty());
    Recipe {
        known: true,
        format: facts.format != "pyproject" || !sdist,
        source_root: sets("sourceRoot"),
        build_folder: sets("buildAndTestSubdir"),
        patches,
        scripts,
        dropped,
        disabled_test_paths: lost.map(|lost| {
            let paths = facts.disabled_test_paths.iter().flatten();
            paths
                .filter(|path| !lost.contains(*path))
                .cloned()
                .collect()
        }),
        cargo: facts.cargo_deps.is_some() || sets("cargoDeps"),
        tests,
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

/// The variable by which a build system is told the version that it would ask version control for.
pub fn version_variable(build_system: &str) -> Option<&'static str> {
    let mut known = VERSION_VARIABLES.iter();
    known
        .find(|(tool, _)| *tool == build_system)
        .map(|(_, name)| *name)
}

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
