//! Why a pin is what it is: who needs it, and whom nixpkgs' version does not satisfy.

use std::collections::BTreeMap;

use super::decide::{Decision, canonical_attr};
use super::set::{Pinned, Set};
use super::{Action, Reason, Step};
use crate::python::{PackageName, Requirement, Version, VersionSpecifiers};
use crate::resolve::Edge;

/// The step for a pin.
pub(super) fn step(set: &Set<'_>, pinned: &Pinned<'_>, warnings: &mut Vec<String>) -> Step {
    let nixpkgs = set.request.nixpkgs;
    let attribute = pinned.decision.attribute();
    let default = nixpkgs.attributes(&pinned.pin.name).first();
    let nixpkgs_version = default.map(|a| a.version.clone());
    let reasons = reasons(set, pinned, nixpkgs_version.as_ref());
    if let Decision::Bootstrap(Some(own)) = &pinned.decision
        && let Some(reason) = reasons.iter().find(|r| r.forces)
    {
        warnings.push(format!(
            "{} {}: nixpkgs' own version is kept, because nixpkgs builds every package with it, but {} \
             needs {}{}; use a nixpkgs that has it, or relax the requirement",
            own.attr, own.version, reason.by, pinned.pin.name, reason.wanted
        ));
    }
    if let Some(provider) = set.stand(&pinned.pin.name)
        && let Some(version) = set.version(&pinned.pin.name)
        && *version != pinned.pin.version
    {
        warnings.push(format!(
            "{}: nixpkgs' {} {version}, which is older, has its modules; who needs more is relaxed",
            pinned.release(),
            provider.attr
        ));
    }
    Step {
        name: pinned.pin.name.clone(),
        version: pinned.pin.version.clone(),
        action: match pinned.decision {
            Decision::Reuse(_) | Decision::Bootstrap(_) => Action::Reuse,
            Decision::Keep(_) => Action::Keep,
            Decision::Other(_) => Action::Attribute,
            Decision::Override(_) => Action::Override,
            Decision::New | Decision::Stand(_) => Action::New,
        },
        attribute: match &pinned.decision {
            Decision::Other(other) => other.attr.clone(),
            _ => canonical_attr(&pinned.pin.name, nixpkgs),
        },
        nixpkgs_version: nixpkgs_version.or_else(|| attribute.map(|a| a.version.clone())),
        reasons,
        targets: pinned.pin.targets,
        for_build: pinned.for_build,
        rebuilt: false,
        notes: Vec::new(),
        older: None,
        inputs: BTreeMap::new(),
    }
}

/// Who needs a pin, those first that nixpkgs' version does not satisfy.
pub(super) fn reasons(
    set: &Set<'_>,
    pinned: &Pinned<'_>,
    nixpkgs_version: Option<&Version>,
) -> Vec<Reason> {
    let name = &pinned.pin.name;
    let policy = set.request.policy;
    let mut reasons = Vec::new();
    // The user's limits tell more than who happens to need it at any version.
    for limit in policy.limits.iter().filter(|limit| limit.name == *name) {
        let targets = &set.request.resolution.targets;
        let applies = targets.matching(&limit.marker, &[]).and(pinned.pin.targets);
        if let Some(origin) = limit.origin.as_ref().filter(|_| !applies.is_empty()) {
            let reason = reason(policy.shown(origin.path()), limit, nixpkgs_version);
            reasons.extend(Some(reason).filter(|reason| reason.forces));
        }
    }
    let wants = |edge: &Edge| edge.to == *name && !edge.targets.and(pinned.pin.targets).is_empty();
    for edge in set.request.resolution.roots.iter().filter(|e| wants(e)) {
        let by = edge.requirement.origin.as_ref().map_or_else(
            || policy.project.clone(),
            |origin| policy.shown(origin.path()),
        );
        reasons.push(reason(by, &edge.requirement, nixpkgs_version));
    }
    for (_, pins) in set.pins() {
        for other in pins {
            for edge in other.pin.needs.iter().filter(|e| wants(e)) {
                reasons.push(reason(other.release(), &edge.requirement, nixpkgs_version));
            }
        }
    }
    if pinned.for_build {
        reasons.extend(build_reasons(set, name, nixpkgs_version));
    }
    reasons.dedup();
    reasons.sort_by_key(|reason| !reason.forces);
    reasons
}

fn build_reasons(set: &Set<'_>, name: &PackageName, nixpkgs: Option<&Version>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for other in set.built() {
        for requirement in super::build::requirements(set, other.pin) {
            if requirement.name == *name {
                let by = format!("building {}", other.release());
                reasons.push(reason(by, &requirement, nixpkgs));
            }
        }
    }
    reasons
}

fn reason(by: String, requirement: &Requirement, nixpkgs: Option<&Version>) -> Reason {
    let specifiers = requirement.specifiers();
    Reason {
        by,
        requirement: requirement.to_string(),
        wanted: specifiers.map(wanted).unwrap_or_default(),
        origin: requirement.origin.clone(),
        forces: match (specifiers, nixpkgs) {
            (Some(specifiers), Some(version)) => !admits(specifiers, version),
            (None, _) => true,
            (_, None) => false,
        },
    }
}

/// Specifiers as a reader writes them: `>=6.5.5,<7`.
pub(super) fn wanted(specifiers: &VersionSpecifiers) -> String {
    let parts: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
    parts.join(",")
}

/// Whether a version that is already chosen will do. Pre-releases count: the question whether one may
/// be chosen is the resolver's.
pub(super) fn admits(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    use pubgrub::Ranges;
    let ranges: Ranges<Version> = Ranges::from(specifiers.clone());
    ranges.contains(&version.clone().without_local()) || specifiers.contains(version)
}
