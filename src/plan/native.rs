//! Tools and libraries from nixpkgs' top level that an entry needs.

use super::set::Set;
use super::{Condition, Needed};
use crate::python::{System, TargetSet};
use crate::resolve::Pin;

/// Programs that run during the build. Published binaries for Linux expect its libraries in places
/// where nixpkgs has none: `autoPatchelfHook` tells them where they are.
pub(super) fn tools(set: &Set<'_>, pin: &Pin, binary: bool) -> Vec<Needed> {
    if binary {
        on_linux(set, pin, &["autoPatchelfHook"])
    } else {
        Vec::new()
    }
}

/// Libraries to link. The wheels' own specification (PEP 600) lets them expect those of the compiler
/// and zlib; what else they need they carry.
pub(super) fn libraries(set: &Set<'_>, pin: &Pin, binary: bool) -> Vec<Needed> {
    if binary {
        on_linux(set, pin, &["stdenv.cc.cc.lib", "zlib"])
    } else {
        Vec::new()
    }
}

fn on_linux(set: &Set<'_>, pin: &Pin, attrs: &[&str]) -> Vec<Needed> {
    let targets = set.targets();
    let mut linux = TargetSet::NONE;
    for (index, environment) in targets.environments.iter().enumerate() {
        if environment.system.is_linux() {
            linux = linux.or(TargetSet::single(index));
        }
    }
    let linux = linux.and(pin.targets);
    if targets
        .systems(linux)
        .all(|system: System| !system.is_linux())
    {
        return Vec::new();
    }
    let condition = Condition::of(targets, linux, pin.targets);
    let needed = |attr: &&str| Needed {
        attr: (*attr).to_owned(),
        condition: condition.clone(),
    };
    attrs.iter().map(needed).collect()
}
