//! What a release's wheels say of the libraries that its native code needs: which wheels are read for
//! that, and from the names that the loader is asked for (`DT_NEEDED`) to nixpkgs' attributes.
//!
//! auditwheel copies libraries that a Linux does not promise to have into `NAME.libs` and puts a
//! digest into their names (`libxml2-1a2b3c4d.so.2`); what a module links is told by the name without
//! it. What is linked statically leaves no trace.

use std::collections::BTreeSet;

use super::super::decide::Decision;
use super::super::set::{Pinned, Set};
use super::super::source;
use crate::index::{Distribution, Extent, WheelFacts};
use crate::nixpkgs::library::with_library;
use crate::python::{Filename, System, TargetSet, tag};
use crate::resolve::Pin;

/// A library that something in a wheel links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// As the loader is asked: `libxml2.so.2`.
    pub soname: String,
    /// Who asks for it, as a path in the wheel.
    pub member: String,
}

/// Who has a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The C library or the interpreter, which are always there.
    System,
    /// The compiler: there for what is built, not for published binaries. The attribute then.
    Compiler(&'static str),
    /// The driver of a device: never in nixpkgs' closure.
    Driver,
    /// A top-level attribute.
    Attribute(&'static str),
    /// Nobody that we know.
    Unknown,
}

impl Link {
    /// Who has it.
    pub fn owner(&self) -> Owner {
        let Some(stem) = stem(&self.soname) else {
            return Owner::System;
        };
        let Some(library) = stem.strip_prefix("lib") else {
            // `ld-linux-x86-64.so.2`
            return if stem.starts_with("ld") {
                Owner::System
            } else {
                Owner::Unknown
            };
        };
        match library {
            _ if C_LIBRARY.contains(&library) || library.starts_with("python3") => Owner::System,
            "atomic" | "gcc_s" | "gomp" | "quadmath" | "stdc++" => {
                Owner::Compiler("stdenv.cc.cc.lib")
            }
            "gfortran" => Owner::Compiler("gfortran.cc.lib"),
            "cuda" | "nvidia-ml" => Owner::Driver,
            _ if library.starts_with("openblas") || library.starts_with("scipy_openblas") => {
                Owner::Attribute("openblas")
            }
            _ => {
                let known = CALLED_OTHERWISE.iter().find(|(own, _)| *own == library);
                let known = known
                    .map(|(_, attr)| *attr)
                    .or_else(|| with_library(library));
                known.map_or(Owner::Unknown, Owner::Attribute)
            }
        }
    }

    /// Where it is asked for, and what is: for readers.
    pub fn evidence(&self) -> String {
        format!("{} of the wheel: links {}", self.member, self.soname)
    }
}

const C_LIBRARY: [&str; 13] = [
    "BrokenLocale",
    "anl",
    "c",
    "c_malloc_debug",
    "dl",
    "m",
    "mvec",
    "nss_dns",
    "pthread",
    "resolv",
    "rt",
    "thread_db",
    "util",
];

/// Libraries whose file the table has elsewhere, or not at all.
const CALLED_OTHERWISE: [(&str, &str); 4] = [
    ("nsl", "libnsl"),
    ("omp", "llvmPackages.openmp"),
    ("pulse", "libpulseaudio"),
    ("pulse-simple", "libpulseaudio"),
];

/// What stands before `.so`.
fn stem(soname: &str) -> Option<&str> {
    soname.find(".so").and_then(|at| soname.get(..at))
}

/// The libraries that the project's own modules link, each once. Those that the project carries as its
/// own, without auditwheel's mark, are its own.
pub(super) fn of_modules(wheel: &WheelFacts) -> Vec<Link> {
    links(wheel, |carried, soname| {
        let folder = carried.rsplit('/').nth(1).unwrap_or("");
        folder.ends_with(".libs").then(|| without_digest(soname))
    })
}

/// Libraries of nixpkgs that the wheel carries and nothing in it links, by path: modules without native
/// code of their own open them when they run (ctypes), and a build from the source has no copy.
pub(super) fn opened(wheel: &WheelFacts) -> Vec<(&str, &'static str)> {
    let pure = wheel.wheel.rsplit('-').nth(1) == Some("none");
    let linked: BTreeSet<&String> = wheel.objects.iter().flat_map(|o| &o.needed).collect();
    let mut found = Vec::new();
    for path in wheel.carried.iter().filter(|_| pure) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let library = stem(name).and_then(|stem| stem.strip_prefix("lib"));
        let machine = |library: &str| {
            let machines = ["x86_64", "aarch64", "arm64", "amd64"].iter();
            let mut bare = machines.filter_map(|machine| library.strip_suffix(machine));
            bare.next()
                .map(|bare| bare.trim_end_matches(['_', '-']).to_owned())
        };
        let known = library
            .and_then(|library| with_library(library).or_else(|| with_library(&machine(library)?)));
        let is_linked = linked.iter().any(|needed| *needed == name);
        found.extend(
            known
                .filter(|_| !is_linked)
                .map(|attr| (path.as_str(), attr)),
        );
    }
    found
}

/// The libraries that anything in the wheel links and the wheel does not carry, each once.
pub(super) fn of_everything(wheel: &WheelFacts) -> Vec<Link> {
    links(wheel, |_, _| None)
}

fn links(wheel: &WheelFacts, carried: impl Fn(&str, &str) -> Option<String>) -> Vec<Link> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for object in &wheel.objects {
        for soname in &object.needed {
            let own = wheel.carried.iter().find(|path| {
                let name = path.rsplit('/').next();
                name == Some(soname.as_str())
            });
            let soname = match own {
                Some(path) => carried(path, soname),
                None => Some(soname.clone()),
            };
            if let Some(soname) = soname
                && seen.insert(soname.clone())
            {
                let member = object.member.clone();
                found.push(Link { soname, member });
            }
        }
    }
    found
}

/// `libxml2-1a2b3c4d.so.2` without the digest that auditwheel puts into the name.
fn without_digest(soname: &str) -> String {
    let whole = || soname.to_owned();
    let Some(stem) = stem(soname) else {
        return whole();
    };
    let rest = soname.get(stem.len()..).unwrap_or("");
    match stem.rsplit_once('-') {
        Some((name, digest))
            if digest.len() == 8 && digest.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            format!("{name}{rest}")
        }
        _ => whole(),
    }
}

/// The wheels that are read, of each release one, for Linux where there is one, as others link the same:
/// of what is packaged as wheels all of it; of what is built from a source its modules, unless the
/// source tells all that it needs (PEP 725), or an overridden recipe is not known and is left to say
/// what it links.
pub(in super::super) fn to_read<'a>(set: &'a Set<'_>) -> Vec<(&'a Pin, &'a Distribution, Extent)> {
    let mut wanted = Vec::new();
    for pinned in set.built() {
        let pin: &Pin = pinned.pin;
        if set.builds_sdist(pin) {
            let wheel = wheel_beside(set, pinned);
            wanted.extend(wheel.map(|wheel| (pin, wheel, Extent::Modules)));
        } else {
            let wheels = source::wheels(pin, set.targets());
            let linux = wheels.iter().find(|(system, _)| system.is_linux());
            let wheel = linux.or_else(|| wheels.iter().next());
            wanted.extend(wheel.map(|(_, wheel)| (pin, *wheel, Extent::Everything)));
        }
    }
    wanted
}

fn wheel_beside<'a>(set: &'a Set<'_>, pinned: &'a Pinned<'_>) -> Option<&'a Distribution> {
    let known_recipe = match &pinned.decision {
        Decision::New => true,
        Decision::Override(attribute) => {
            let facts = attribute.facts.as_ref();
            facts.is_some_and(|facts| facts.inputs.is_some())
        }
        _ => false,
    };
    let tells_all = |facts: &crate::project::SourceFacts| !facts.external.host.is_empty();
    if !known_recipe || set.facts(pinned.pin).is_some_and(|facts| tells_all(facts)) {
        return None;
    }
    let targets = set.targets();
    let rank = |wheel: &&Distribution| {
        let Filename::Wheel(name) = &wheel.filename else {
            return None;
        };
        let linux = name.platform.contains("linux") && !name.platform.contains("musl");
        let other = tag::served(name, targets) == TargetSet::NONE;
        let machine = !name.platform.contains(System::X86_64Linux.machine());
        let size = wheel.size.unwrap_or(u64::MAX);
        linux.then(|| (other, machine, size, wheel.file.clone()))
    };
    let wheels = pinned.pin.release.wheels.iter();
    let ranked = wheels.filter_map(|wheel| Some((rank(&wheel)?, wheel)));
    ranked.min_by(|a, b| a.0.cmp(&b.0)).map(|(_, wheel)| wheel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Object;

    fn wheel(objects: &[(&str, &[&str])], carried: &[&str]) -> WheelFacts {
        let object = |(member, needed): &(&str, &[&str])| Object {
            member: (*member).to_owned(),
            needed: needed.iter().map(|n| (*n).to_owned()).collect(),
        };
        WheelFacts {
            objects: objects.iter().map(object).collect(),
            carried: carried.iter().map(|c| (*c).to_owned()).collect(),
            ..WheelFacts::default()
        }
    }

    fn owner(soname: &str) -> Owner {
        Link {
            soname: soname.to_owned(),
            member: String::new(),
        }
        .owner()
    }

    #[test]
    fn copies_are_told_by_their_own_names() {
        let wheel = wheel(
            &[
                (
                    "a/x.so",
                    &["libxml2-1a2b3c4d.so.2.9", "libown.so", "libc.so.6"],
                ),
                ("a/y.so", &["libxml2-1a2b3c4d.so.2.9", "libpq.so.5"]),
            ],
            &["a.libs/libxml2-1a2b3c4d.so.2.9", "a/libown.so"],
        );
        let names = |links: Vec<Link>| -> Vec<String> {
            links.into_iter().map(|link| link.soname).collect()
        };
        assert_eq!(
            names(of_modules(&wheel)),
            ["libxml2.so.2.9", "libc.so.6", "libpq.so.5"]
        );
        assert_eq!(names(of_everything(&wheel)), ["libc.so.6", "libpq.so.5"]);
        assert_eq!(without_digest("libfoo-bar.so.1"), "libfoo-bar.so.1");
        assert_eq!(without_digest("libfoo-00c0ffee.so"), "libfoo.so");
    }

    #[test]
    fn what_is_opened_at_run_time_is_told() {
        let mut wheel = wheel(&[], &["_data/libsndfile_x86_64.so", "_data/libown.so"]);
        wheel.wheel = "demo-1-py3-none-manylinux_2_28_x86_64.whl".to_owned();
        assert_eq!(
            opened(&wheel),
            [("_data/libsndfile_x86_64.so", "libsndfile")]
        );
        wheel.wheel = "demo-1-cp313-cp313-manylinux_2_28_x86_64.whl".to_owned();
        assert_eq!(opened(&wheel), []);
    }

    #[test]
    fn libraries_have_owners() {
        assert_eq!(owner("libxml2.so.2"), Owner::Attribute("libxml2"));
        assert_eq!(
            owner("libscipy_openblas64_.so"),
            Owner::Attribute("openblas")
        );
        assert_eq!(owner("libpython3.13.so.1.0"), Owner::System);
        assert_eq!(owner("ld-linux-x86-64.so.2"), Owner::System);
        assert_eq!(owner("libstdc++.so.6"), Owner::Compiler("stdenv.cc.cc.lib"));
        assert_eq!(owner("libcuda.so.1"), Owner::Driver);
        assert_eq!(owner("libnobody-has-it.so.1"), Owner::Unknown);
    }
}
