//! Tools and libraries from nixpkgs' top level that an entry needs.

use std::collections::BTreeSet;

use super::decide::canonical_attr;
use super::derivation::Rust;
use super::set::{Pinned, Set};
use super::{Condition, Needed, build};
use crate::nixpkgs::library::{with_library, with_module};
use crate::project::SourceFacts;
use crate::python::{System, TargetSet};
use crate::resolve::Pin;

/// Programs that run during the build. Published binaries for Linux expect its libraries in places
/// where nixpkgs has none: `autoPatchelfHook` tells them where they are.
pub(super) fn tools(set: &Set<'_>, pin: &Pin, binary: bool) -> Vec<Needed> {
    if binary {
        return on_linux(set, pin, &["autoPatchelfHook"]);
    }
    let mut tools = BTreeSet::new();
    for requirement in build::requirements(set, pin) {
        let these: &[&str] = match requirement.name.as_ref() {
            "maturin" => &[
                "rustPlatform.cargoSetupHook",
                "rustPlatform.maturinBuildHook",
            ],
            "setuptools-rust" => &["cargo", "rustPlatform.cargoSetupHook", "rustc"],
            "scikit-build-core" | "scikit-build" => &["cmake", "ninja"],
            "meson-python" | "pkgconfig" => &["pkg-config"],
            _ => &[],
        };
        tools.extend(these);
    }
    if source(set, pin).is_some_and(|facts| !facts.pkg_config.is_empty()) {
        tools.insert("pkg-config");
    }
    tools.into_iter().map(everywhere).collect()
}

fn everywhere(attr: &str) -> Needed {
    Needed {
        attr: attr.to_owned(),
        condition: None,
    }
}

/// What is known of the sdist that an entry builds.
fn source<'a>(set: &Set<'a>, pin: &Pin) -> Option<&'a SourceFacts> {
    let facts = set.facts(pin).filter(|_| set.builds_sdist(pin));
    facts.map(AsRef::as_ref)
}

/// Whether the build runs CMake by itself.
pub(super) fn runs_cmake(set: &Set<'_>, pin: &Pin) -> bool {
    build::requirements(set, pin).iter().any(|r| {
        matches!(
            r.name.as_ref(),
            "scikit-build-core" | "scikit-build" | "cmake"
        )
    })
}

/// The Rust part of an entry.
pub(super) fn rust(set: &Set<'_>, pinned: &Pinned<'_>, warnings: &mut Vec<String>) -> Option<Rust> {
    if !set.builds_sdist(pinned.pin) {
        return None;
    }
    let cargo = set.facts(pinned.pin)?.cargo.as_ref()?;
    let Some(lock) = &cargo.lock else {
        warnings.push(format!(
            "{}: it is built with Rust, but its sdist has no Cargo.lock, so its crates are not known; \
             it will not build from source",
            pinned.release()
        ));
        return None;
    };
    if !cargo.git.is_empty() {
        warnings.push(format!(
            "{}: the digests of its crates from repositories are not known: replace `lib.fakeHash` for {}",
            pinned.release(),
            cargo.git.join(", ")
        ));
    }
    let attr = canonical_attr(&pinned.pin.name, set.request.nixpkgs);
    let forked = set.pins_of(&pinned.pin.name).len() > 1;
    let file = if forked {
        format!("{attr}-{}.Cargo.lock", pinned.pin.version)
    } else {
        format!("{attr}.Cargo.lock")
    };
    Some(Rust {
        root: cargo.root.clone(),
        file,
        lock: lock.clone(),
        git: cargo.git.clone(),
    })
}

/// Libraries to link: those that setup.py names, to the linker or to pkg-config, as far as nixpkgs is
/// known to have them. What every C compiler links by itself is nobody's.
fn linked(set: &Set<'_>, pin: &Pin) -> Vec<Needed> {
    let Some(facts) = source(set, pin) else {
        return Vec::new();
    };
    let own = |name: &&String| !OF_THE_COMPILER.contains(&name.as_str());
    let modules = facts.pkg_config.iter().filter_map(|m| with_module(m));
    let libraries = facts.libraries.iter().filter(own);
    let libraries = libraries.filter_map(|l| with_library(l));
    let attrs: BTreeSet<&str> = modules.chain(libraries).collect();
    attrs.into_iter().map(everywhere).collect()
}

/// Libraries of the C library and the compiler.
const OF_THE_COMPILER: [&str; 10] = [
    "c", "dl", "gcc_s", "m", "pthread", "resolv", "rt", "stdc++", "util", "atomic",
];

/// Libraries to link. The wheels' own specification (PEP 600) lets them expect those of the compiler
/// and zlib; what else they need they carry.
pub(super) fn libraries(set: &Set<'_>, pin: &Pin, binary: bool) -> Vec<Needed> {
    if binary {
        on_linux(set, pin, &["stdenv.cc.cc.lib", "zlib"])
    } else {
        linked(set, pin)
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
