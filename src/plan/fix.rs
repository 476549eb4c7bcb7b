//! The user's fixes, applied to what entries say.

use super::derivation::{Derivation, Relaxed};
use super::reason::{admits, wanted};
use super::set::{Pinned, Set};
use super::{Needed, PlanError};
use crate::project::settings::Fix;
use crate::python::PackageName;

/// Changes an entry as the user's fix for its project says, where there is one for its version.
///
/// # Errors
/// [`PlanError::UnknownName`] where the fix adds a project that nobody provides.
pub(super) fn apply(
    set: &Set<'_>,
    pinned: &Pinned<'_>,
    derivation: &mut Derivation,
) -> Result<(), PlanError> {
    let Some(fix) = set.request.policy.fixes.get(&pinned.pin.name) else {
        return Ok(());
    };
    if !is_for(fix, pinned) {
        return Ok(());
    }
    let by = place(set, fix);
    let removed = fix.remove.iter().chain(fix.replace.keys());
    for name in removed {
        let attr = set.attr(name);
        let needed = |n: &Needed| Some(&n.attr) == attr.as_ref();
        derivation.dependencies.retain(|n| !needed(n));
        relax(pinned, derivation, name, true, &by);
    }
    for name in fix.add.iter().chain(fix.replace.values()) {
        let on = pinned.pin.targets;
        let needed = set
            .needed(name, on, on)
            .ok_or_else(|| PlanError::UnknownName {
                by: by.clone(),
                name: name.to_string(),
            })?;
        if !derivation.dependencies.contains(&needed) {
            derivation.dependencies.push(needed);
        }
    }
    derivation.dependencies.sort();
    for name in &fix.relax {
        relax(pinned, derivation, name, false, &by);
    }
    let top_level = |attrs: &[String]| {
        let needed = attrs.iter().map(|attr| Needed {
            attr: attr.clone(),
            condition: None,
        });
        needed.collect::<Vec<_>>()
    };
    derivation
        .native_inputs
        .extend(top_level(&fix.native_build_inputs));
    derivation.inputs.extend(top_level(&fix.build_inputs));
    for inputs in [&mut derivation.native_inputs, &mut derivation.inputs] {
        inputs.sort();
        inputs.dedup();
    }
    derivation.patches.extend(fix.patches.iter().cloned());
    let commands = fix.post_patch.iter().flat_map(|text| text.trim().lines());
    derivation
        .post_patch
        .extend(commands.map(|line| line.trim_end().to_owned()));
    derivation.do_check = fix.do_check;
    Ok(())
}

fn relax(
    pinned: &Pinned<'_>,
    derivation: &mut Derivation,
    name: &PackageName,
    remove: bool,
    by: &str,
) {
    for name in pinned.pin.metadata.spelt(name) {
        if !derivation
            .relaxed
            .iter()
            .any(|r| r.name == name && r.remove == remove)
        {
            derivation.relaxed.push(Relaxed {
                name,
                remove,
                because: format!("as {by} says"),
            });
        }
    }
}

fn is_for(fix: &Fix, pinned: &Pinned<'_>) -> bool {
    let versions = fix.versions.as_ref();
    versions.is_none_or(|versions| admits(versions, &pinned.pin.version))
}

/// Whether some fix takes a project out of what an entry needs.
pub(super) fn removes(set: &Set<'_>, name: &PackageName) -> bool {
    let mut fixes = set.request.policy.fixes.values();
    fixes.any(|fix| fix.remove.contains(name) || fix.replace.contains_key(name))
}

/// Where a fix stands, without the line: that would change the file with every edit above it.
fn place(set: &Set<'_>, fix: &Fix) -> String {
    set.request.policy.shown(fix.origin.path())
}

/// Fixes that change nothing, as sentences.
pub(super) fn idle(set: &Set<'_>) -> Vec<String> {
    let mut idle = Vec::new();
    for (name, fix) in &set.request.policy.fixes {
        let (line, _) = fix.origin.line_column();
        let what = format!("the fix for {name} ({}:{line})", place(set, fix));
        let pins = set.pins_of(name);
        let entries = pins.iter().filter(|p| p.decision.needs_source());
        let mut entries = entries.peekable();
        let why = if pins.is_empty() {
            "nothing needs it any more".to_owned()
        } else if entries.peek().is_none() {
            "nixpkgs' own package is used as it is".to_owned()
        } else if let Some(pinned) = entries.find(|p| !is_for(fix, p)) {
            let versions = fix.versions.as_ref().map(wanted).unwrap_or_default();
            format!(
                "it is for {versions}, and the version is {}",
                pinned.pin.version
            )
        } else {
            continue;
        };
        idle.push(format!("{what} is not applied: {why}"));
    }
    idle
}
