//! What building an entry needs: its build requirements as attributes, and what must be relaxed.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use super::derivation::{RelaxedBuild, Variable};
use super::reason::{admits, wanted};
use super::set::Set;
use super::{Needed, PlanError};
use crate::python::{
    Filename, MarkerTree, PackageName, Requirement, TargetSet, Version, VersionSpecifiers, Wanted,
};
use crate::resolve::Pin;

/// The build requirements of a pin's sdist, those that hold on none of its targets left out.
pub(super) fn requirements(set: &Set<'_>, pin: &Pin) -> Vec<Requirement> {
    let written = written(set, pin).into_iter();
    written.map(|(_, requirement)| requirement).collect()
}

/// The same, each with the file and the text in which it stands there, if it does.
fn written<'a>(set: &Set<'a>, pin: &Pin) -> Vec<((&'a str, &'a str), Requirement)> {
    let Some(facts) = set.facts(pin).filter(|_| set.builds_sdist(pin)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (index, text) in facts.build_requires.iter().enumerate() {
        if let Ok(requirement) = Requirement::parse(text)
            && !on(set, pin, &requirement).is_empty()
        {
            let written = facts.build_written.get(index).map_or("", String::as_str);
            let file = facts.build_files.get(index).map_or("", String::as_str);
            let file = if file.is_empty() {
                "pyproject.toml"
            } else {
                file
            };
            found.push(((file, written), requirement));
        }
    }
    found
}

fn on(set: &Set<'_>, pin: &Pin, requirement: &Requirement) -> TargetSet {
    set.targets()
        .matching(&requirement.marker, &[])
        .and(pin.targets)
}

/// The attributes that build a pin's sdist.
///
/// # Errors
/// [`PlanError::UnknownName`] for a requirement that nobody provides.
pub(super) fn system(set: &Set<'_>, pin: &Pin) -> Result<Vec<Needed>, PlanError> {
    let mut wanted: BTreeMap<PackageName, TargetSet> = BTreeMap::new();
    let mut tools = BTreeMap::new();
    for requirement in requirements(set, pin) {
        if requirement.name.as_ref() == "maturin" {
            // nixpkgs' hook takes its place.
            continue;
        }
        if let Some(tool) = set
            .tool(&requirement)
            .filter(|tool| tool.pin.name != pin.name)
        {
            tools.insert(requirement.name.clone(), set.tool_attr(tool));
        }
        let targets = wanted.entry(requirement.name.clone()).or_default();
        *targets = targets.or(on(set, pin, &requirement));
    }
    let mut system = Vec::new();
    for (name, on) in wanted {
        let mut needed = set.needed(&name, on, pin.targets);
        if let (Some(needed), Some(attr)) = (&mut needed, tools.remove(&name)) {
            needed.attr = attr;
        }
        system.push(needed.ok_or_else(|| PlanError::UnknownName {
            by: format!("{} {}", pin.name, pin.version),
            name: name.to_string(),
        })?);
    }
    Ok(system)
}

/// The build requirements that stand somewhere and whose versions the set does not have. nixpkgs' build
/// checks them, those of setup.py's `setup_requires` too.
pub(super) fn relaxed(set: &Set<'_>, pin: &Pin) -> Vec<RelaxedBuild> {
    let mut relaxed = Vec::new();
    for ((file, text), requirement) in written(set, pin) {
        let (Some(specifiers), Some(version)) =
            (requirement.specifiers(), set.tool_version(&requirement))
        else {
            continue;
        };
        if text.is_empty() || requirement.name.as_ref() == "maturin" || admits(specifiers, version)
        {
            continue;
        }
        let loose = Requirement {
            wanted: Wanted::Versions(VersionSpecifiers::empty()),
            marker: MarkerTree::TRUE,
            ..requirement.clone()
        };
        relaxed.push(RelaxedBuild {
            text: text.to_owned(),
            replacement: match file {
                "setup.cfg" => loose.to_string(),
                _ => format!("\"{loose}\""),
            },
            because: format!(
                "{} {version} builds it, {file} asks for {}",
                requirement.name,
                wanted(specifiers)
            ),
            file: file.to_owned(),
        });
    }
    relaxed.sort_by_key(|r| r.file.clone());
    relaxed
}

/// What nixpkgs' build will find unmet, and what stands nowhere as it is: setup.py computes it.
pub(super) fn unmet(set: &Set<'_>, pin: &Pin) -> Vec<String> {
    let mut unmet = Vec::new();
    for ((_, text), requirement) in written(set, pin) {
        if let (Some(specifiers), Some(version)) =
            (requirement.specifiers(), set.tool_version(&requirement))
            && text.is_empty()
            && requirement.name.as_ref() != "maturin"
            && !admits(specifiers, version)
        {
            unmet.push(format!(
                "its build asks for `{requirement}` and gets {version}: nixpkgs may refuse that; \
                 `postPatch` of a fix can change it"
            ));
        }
    }
    unmet
}

/// Build systems that ask git for the version and have no hook in nixpkgs that tells them.
const ASKING_GIT: [(&str, &str); 2] = [
    ("pbr", "PBR_VERSION"),
    ("uv-dynamic-versioning", "UV_DYNAMIC_VERSIONING_BYPASS"),
];

/// Variables without which a build fails. hatchling refuses classifiers that the list of its day does
/// not have; trove-classifiers' version is that day, so a release that is younger may use others.
pub(super) fn variables(set: &Set<'_>, pin: &Pin) -> BTreeMap<&'static str, Variable> {
    let mut variables = BTreeMap::new();
    if pin.release.tree.is_some() {
        for requirement in requirements(set, pin) {
            let told = ASKING_GIT
                .iter()
                .find(|(name, _)| *name == requirement.name.as_ref());
            let because = format!(
                "{} asks git for the version, of which there is none here",
                requirement.name
            );
            let value = pin.version.to_string();
            variables.extend(told.map(|(_, variable)| (*variable, Variable { value, because })));
        }
    }
    let uses_hatchling = requirements(set, pin)
        .iter()
        .any(|r| r.name.as_ref() == "hatchling");
    let list = PackageName::from_str("trove-classifiers").ok();
    let list = list.and_then(|name| set.version(&name));
    let sdist = pin.release.sdist.as_ref().filter(|_| uses_hatchling);
    if let (Some(version), Some(uploaded)) = (list, sdist.and_then(|s| s.uploaded))
        && let [year, month, day, ..] = version.release()
        && uploaded
            .text()
            .get(..10)
            .is_some_and(|on| *on > *format!("{year:04}-{month:02}-{day:02}"))
    {
        let because = format!(
            "trove-classifiers {version} is older than this release: its classifiers may not be in it"
        );
        let value = "1".to_owned();
        variables.insert(
            "HATCH_METADATA_CLASSIFIERS_NO_VERIFY",
            Variable { value, because },
        );
    }
    variables
}

/// The build requirements that neither the pins nor nixpkgs provide, and those for which nixpkgs'
/// version is too old.
pub(super) fn missing(set: &Set<'_>) -> Vec<Requirement> {
    let mut missing: BTreeMap<String, Requirement> = BTreeMap::new();
    for pinned in set.built() {
        for requirement in requirements(set, pinned.pin) {
            let hook = requirement.name.as_ref() == "maturin";
            let lacks = set.attr(&requirement.name).is_none() || wants_tool(set, &requirement);
            if !hook && lacks && requirement.name != pinned.pin.name {
                missing
                    .entry(requirement.to_string())
                    .or_insert(requirement);
            }
        }
    }
    missing.into_values().collect()
}

/// Whether nixpkgs has a tool, but only in a version before all that are wanted, and another may stand
/// beside it. A single version that is wanted is rather one that was tried than one that is needed.
fn wants_tool(set: &Set<'_>, requirement: &Requirement) -> bool {
    let name = &requirement.name;
    let (Some(specifiers), Some(own)) = (requirement.specifiers(), set.version(name)) else {
        return false;
    };
    let exact = specifiers.iter().any(|s| {
        use pep440_rs::Operator;
        matches!(
            s.operator(),
            Operator::Equal | Operator::EqualStar | Operator::ExactEqual
        )
    });
    let ranges: pubgrub::Ranges<Version> = pubgrub::Ranges::from(specifiers.clone());
    let too_old = ranges
        .bounding_range()
        .is_some_and(|(lowest, _)| match lowest {
            std::ops::Bound::Included(lowest) => own < lowest,
            std::ops::Bound::Excluded(lowest) => own <= lowest,
            std::ops::Bound::Unbounded => false,
        });
    too_old
        && !exact
        && !crate::nixpkgs::is_bootstrap(name)
        && set.pins_of(name).is_empty()
        && set.tool(requirement).is_none()
        && !set.request.policy.old_tools.contains(name)
}

/// Tools that nixpkgs has, too old for some build, and that could not be had newer.
pub(super) fn old_tools(set: &Set<'_>, these: &BTreeSet<PackageName>) -> BTreeSet<PackageName> {
    let has = |name: &&PackageName| set.attr(name).is_some();
    these.iter().filter(has).cloned().collect()
}

/// The tools that would stand beside nixpkgs' own and are written in Rust. Their releases are many and
/// their limits a habit of who writes them down (uv-build's own template does): a requirement that is
/// relaxed is worth more than a compiler with hundreds of crates below a package of pure Python.
pub(super) fn heavy_tools(set: &Set<'_>) -> BTreeSet<PackageName> {
    let rust = |pin: &Pin| set.facts(pin).is_some_and(|facts| facts.cargo.is_some());
    let heavy = set.tools().filter(|tool| rust(tool.pin));
    heavy.map(|tool| tool.pin.name.clone()).collect()
}

/// An entry that cannot be built from its sdist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbuildable {
    /// The project.
    pub name: PackageName,
    /// Project and version.
    pub release: String,
    /// What is wrong.
    pub reason: String,
    /// Whether a wheel for every system can be taken instead.
    pub has_wheel: bool,
}

impl Unbuildable {
    /// A sentence for people.
    pub fn because(&self) -> String {
        let Self {
            release, reason, ..
        } = self;
        if self.has_wheel {
            format!("{release}: its wheel is taken, because {reason}")
        } else {
            format!("{release}: it will not build from source, because {reason}")
        }
    }
}

fn unbuildable(pin: &Pin, reason: String) -> Unbuildable {
    let pure = |file: &crate::index::Distribution| match &file.filename {
        Filename::Wheel(wheel) => wheel.platform == "any",
        Filename::Sdist(_) => false,
    };
    Unbuildable {
        name: pin.name.clone(),
        release: format!("{} {}", pin.name, pin.version),
        reason,
        has_wheel: pin.release.wheels.iter().any(pure),
    }
}

/// The entries that are built with Rust and whose sdist does not say with which crates.
pub(super) fn unpinned_crates(set: &Set<'_>) -> Vec<Unbuildable> {
    if set.request.policy.for_nixpkgs {
        return Vec::new();
    }
    let built = set.built().filter(|p| set.builds_sdist(p.pin));
    let unpinned = built.filter(|pinned| {
        let cargo = set.facts(pinned.pin).and_then(|facts| facts.cargo.as_ref());
        cargo.is_some_and(|cargo| cargo.lock.is_none())
    });
    let reason = "its sdist has no Cargo.lock, so nothing tells its crates".to_owned();
    unpinned
        .map(|pinned| native(set, pinned.pin, reason.clone()))
        .collect()
}

/// The entries that need a crate from a repository whose digest could not be had.
pub(super) fn undigested_crates(set: &Set<'_>) -> Vec<Unbuildable> {
    let mut found = Vec::new();
    if set.request.policy.for_nixpkgs {
        return found;
    }
    for pinned in set.built().filter(|p| set.builds_sdist(p.pin)) {
        let cargo = set.facts(pinned.pin).and_then(|facts| facts.cargo.as_ref());
        let Some(cargo) = cargo.filter(|cargo| cargo.lock.is_some()) else {
            continue;
        };
        let known = |name: &&String| {
            let commit = cargo.commits.get(*name);
            let known = commit.and_then(|commit| set.request.crates.get(commit));
            known.is_some_and(Result::is_ok)
        };
        if let Some(name) = cargo.git.iter().find(|name| !known(name)) {
            let reason = format!(
                "the digest of its crate {name}, which is from a repository, could not be had"
            );
            found.push(native(set, pinned.pin, reason));
        }
    }
    found
}

/// An entry of native code: its wheels are for one system each.
fn native(set: &Set<'_>, pin: &Pin, reason: String) -> Unbuildable {
    Unbuildable {
        has_wheel: super::source::has_wheels(pin, set.targets()),
        ..unbuildable(pin, reason)
    }
}

/// The entries whose build needs one of these projects, which nobody provides.
pub(super) fn that_need(set: &Set<'_>, these: &BTreeSet<PackageName>) -> Vec<Unbuildable> {
    let mut found = Vec::new();
    for pinned in set.built() {
        let needed = requirements(set, pinned.pin);
        if let Some(wanted) = needed.into_iter().find(|r| these.contains(&r.name)) {
            let reason = format!("building it needs `{wanted}`, which cannot be had");
            found.push(unbuildable(pinned.pin, reason));
        }
    }
    found
}

/// The entries whose build leads back to them.
pub(super) fn circular(set: &Set<'_>) -> Vec<Unbuildable> {
    let mut tools: BTreeMap<&PackageName, BTreeSet<PackageName>> = BTreeMap::new();
    for pinned in set.built() {
        let name = &pinned.pin.name;
        let needed = requirements(set, pinned.pin).into_iter();
        let needed = needed.map(|r| r.name).filter(|n| n != name);
        tools.entry(name).or_default().extend(needed);
    }
    for tool in set.tools() {
        let base = tool.pin.needs.iter().filter(|e| e.via_extra.is_none());
        let needed = base.map(|edge| edge.to.clone());
        tools.entry(&tool.pin.name).or_default().extend(needed);
    }
    let mut found = Vec::new();
    for (name, needed) in &tools {
        for tool in needed {
            if leads_to(set, &tools, tool, name)
                && let Some(pinned) = set.built().find(|p| p.pin.name == **name)
            {
                let reason = format!("building it needs {tool}, which needs {name} itself");
                found.push(unbuildable(pinned.pin, reason));
                break;
            }
        }
    }
    found
}

fn leads_to(
    set: &Set<'_>,
    tools: &BTreeMap<&PackageName, BTreeSet<PackageName>>,
    from: &PackageName,
    to: &PackageName,
) -> bool {
    let mut seen: BTreeSet<&PackageName> = BTreeSet::new();
    let mut work = vec![from];
    while let Some(name) = work.pop() {
        if name == to {
            return true;
        }
        // What nixpkgs builds packages with is never an entry, and needs none.
        if crate::nixpkgs::is_bootstrap(name) || !seen.insert(name) {
            continue;
        }
        work.extend(set.needs(name));
        work.extend(tools.get(name).into_iter().flatten());
    }
    false
}
