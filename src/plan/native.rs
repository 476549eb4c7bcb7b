//! Tools and libraries from nixpkgs' top level that an entry needs.

pub(super) mod linked;

use std::collections::{BTreeMap, BTreeSet};

use super::crates::{self, Sought};
use super::decide::canonical_attr;
use super::derivation::Rust;
use super::set::{Pinned, Set};
use super::{Condition, Needed, build};
use crate::index::WheelFacts;
use crate::nixpkgs::library::{with_library, with_module};
use crate::project::SourceFacts;
use crate::project::native::{Evidence, Kind};
use crate::python::{System, TargetSet};
use crate::resolve::Pin;
use linked::Owner;

/// Attributes of the top level that an entry's build needs, each with the places that say so.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Programs.
    pub tools: Vec<Needed>,
    /// Libraries.
    pub libraries: Vec<Needed>,
    /// By attribute: `meson.build:12: dependency('zlib')`.
    pub evidence: BTreeMap<String, Vec<String>>,
    /// What the build asks for and nixpkgs is not known to have, as sentences.
    pub unknown: Vec<String>,
    /// Libraries that come with the driver of a device: `libcuda.so.1`.
    pub of_drivers: Vec<String>,
}

/// What an entry's build needs.
pub(super) fn inputs(set: &Set<'_>, pin: &Pin, binary: bool) -> Inputs {
    if binary {
        return of_binaries(set, pin);
    }
    let mut found = Found::default();
    found.of_build_system(set, pin);
    for evidence in source(set, pin).iter().flat_map(|facts| &facts.native) {
        found.of_source(evidence);
    }
    for wheel in set.wheels(pin) {
        found.of_wheel(wheel);
    }
    let mut inputs = found.inputs;
    inputs.tools = found.tools.into_iter().map(everywhere).collect();
    inputs.libraries = found.libraries.into_iter().map(everywhere).collect();
    inputs
}

/// What is found of a build from a source.
#[derive(Default)]
struct Found {
    tools: BTreeSet<&'static str>,
    libraries: BTreeSet<&'static str>,
    inputs: Inputs,
}

impl Found {
    fn tool(&mut self, attr: &'static str, evidence: String) {
        self.tools.insert(attr);
        self.inputs.note(attr, evidence);
    }

    fn library(&mut self, attr: &'static str, evidence: String) {
        self.libraries.insert(attr);
        self.inputs.note(attr, evidence);
    }

    fn of_build_system(&mut self, set: &Set<'_>, pin: &Pin) {
        for requirement in build::requirements(set, pin) {
            let these: &[&str] = match requirement.name.as_ref() {
                "maturin" => &[
                    "rustPlatform.cargoSetupHook",
                    "rustPlatform.maturinBuildHook",
                ],
                "setuptools-rust" => &["cargo", "rustPlatform.cargoSetupHook", "rustc"],
                "scikit-build-core" | "scikit-build" | "py-build-cmake" => &["cmake", "ninja"],
                "meson-python" | "pkgconfig" => &["pkg-config"],
                _ => &[],
            };
            for attr in these {
                self.tool(attr, format!("the build requires {}", requirement.name));
            }
        }
    }

    fn of_source(&mut self, evidence: &Evidence) {
        let said = format!("{}: {}", evidence.place, evidence.text);
        match evidence.kind {
            Kind::Program => {
                for attr in program(&evidence.name) {
                    self.tool(attr, said.clone());
                }
            }
            Kind::Config => {
                let known = CONFIG_PROGRAMS.iter();
                for (_, tool, library) in known.filter(|(name, ..)| *name == evidence.name) {
                    self.tool(tool, said.clone());
                    if tool != library {
                        self.inputs.note(library, said.clone());
                    }
                    self.libraries.insert(library);
                }
            }
            kind => {
                if kind == Kind::Module {
                    self.tool("pkg-config", said.clone());
                }
                if is_elsewhere(&evidence.name) {
                    return;
                }
                match library(kind, &evidence.name) {
                    Some(attr) => self.library(attr, said),
                    // setup.py's lists are of every system, Windows' own libraries among them.
                    None if kind == Kind::Library => {}
                    None => self.inputs.unknown.push(format!(
                        "no attribute of nixpkgs is known for what {} asks for: {}",
                        evidence.place, evidence.text
                    )),
                }
            }
        }
    }

    fn of_wheel(&mut self, wheel: &WheelFacts) {
        // Where the source tells something, a wheel that is too large is not missed.
        let missed = wheel.objects.is_empty() && self.libraries.is_empty();
        if let Some(why) = wheel.unread.as_ref().filter(|_| missed) {
            self.inputs.unknown.push(format!(
                "{} {why}, so it does not tell what the build links",
                wheel.wheel
            ));
        }
        for (path, attr) in linked::opened(wheel) {
            self.inputs.unknown.push(format!(
                "its modules may open {path} when they run, which its wheel carries and a build from \
                 the source does not: nixpkgs' {attr} has it, and `postPatch` of a fix can name its place"
            ));
        }
        for link in linked::of_modules(wheel) {
            match link.owner() {
                Owner::Attribute(attr) => self.library(attr, link.evidence()),
                Owner::Compiler("gfortran.cc.lib") => self.tool("gfortran", link.evidence()),
                Owner::Unknown => self.inputs.unknown.push(format!(
                    "no attribute of nixpkgs is known for {}, which {} of its wheel links",
                    link.soname, link.member
                )),
                Owner::System | Owner::Compiler(_) | Owner::Driver => {}
            }
        }
    }
}

/// Published binaries for Linux expect libraries in places where nixpkgs has none: `autoPatchelfHook`
/// tells them where they are. Which ones is read from the wheels. Where they could not be read, it is
/// those of the compiler and zlib, which the wheels' own specification (PEP 600) lets them expect.
fn of_binaries(set: &Set<'_>, pin: &Pin) -> Inputs {
    let mut inputs = Inputs {
        tools: on_linux(set, pin, &["autoPatchelfHook"]),
        ..Inputs::default()
    };
    if !inputs.tools.is_empty() {
        inputs.note(
            "autoPatchelfHook",
            "its binaries are made for other Linux systems".to_owned(),
        );
    }
    let mut libraries = BTreeSet::new();
    let linux = |wheel: &WheelFacts| wheel.wheel.contains("linux");
    let wheels: Vec<_> = set
        .wheels(pin)
        .iter()
        .filter(|wheel| linux(wheel))
        .collect();
    let unread = wheels
        .iter()
        .filter_map(|wheel| Some((&wheel.wheel, wheel.unread.as_ref()?)));
    for (wheel, why) in unread {
        inputs.unknown.push(format!(
            "{wheel} {why}: where the build stops at a library, name its attribute in \
             `fixes.{}.buildInputs`",
            pin.name
        ));
    }
    if wheels.is_empty() || !inputs.unknown.is_empty() {
        libraries.extend(["stdenv.cc.cc.lib", "zlib"]);
    }
    let mut seen = BTreeSet::new();
    for link in wheels.iter().flat_map(|wheel| linked::of_everything(wheel)) {
        if !seen.insert(link.soname.clone()) {
            continue;
        }
        match link.owner() {
            Owner::Attribute(attr) | Owner::Compiler(attr) => {
                libraries.insert(attr);
                inputs.note(attr, link.evidence());
            }
            Owner::Driver => inputs.of_drivers.push(link.soname.clone()),
            Owner::Unknown => inputs.unknown.push(format!(
                "no attribute of nixpkgs is known for {}, which {} of its wheel links: the build \
                 stops there, unless `fixes.{}.buildInputs` names one",
                link.soname, link.member, pin.name
            )),
            Owner::System => {}
        }
    }
    let libraries: Vec<&str> = libraries.into_iter().collect();
    inputs.libraries = on_linux(set, pin, &libraries);
    inputs
}

impl Inputs {
    fn note(&mut self, attr: &str, evidence: String) {
        self.evidence
            .entry(attr.to_owned())
            .or_default()
            .push(evidence);
    }
}

/// The attributes of a program that setup.py starts or PEP 725's table names.
fn program(name: &str) -> Vec<&'static str> {
    let found = PROGRAMS.iter().find(|(known, _)| *known == name);
    found.map_or_else(Vec::new, |(_, attrs)| attrs.to_vec())
}

/// Whether an attribute of the top level is a program that builds start.
pub(super) fn is_program(attr: &str) -> bool {
    PROGRAMS.iter().any(|(_, attrs)| attrs.contains(&attr))
}

/// Programs and who has them. Compilers for C are always there.
const PROGRAMS: [(&str, &[&str]); 26] = [
    ("autoconf", &["autoconf"]),
    ("automake", &["automake"]),
    ("bison", &["bison"]),
    ("cmake", &["cmake"]),
    ("flex", &["flex"]),
    ("generic/bison", &["bison"]),
    ("generic/cmake", &["cmake"]),
    ("generic/flex", &["flex"]),
    ("generic/git", &["git"]),
    ("generic/meson", &["meson"]),
    ("generic/nasm", &["nasm"]),
    ("generic/ninja", &["ninja"]),
    ("generic/perl", &["perl"]),
    ("generic/pkg-config", &["pkg-config"]),
    ("generic/swig", &["swig"]),
    ("git", &["git"]),
    ("meson", &["meson"]),
    ("nasm", &["nasm"]),
    ("ninja", &["ninja"]),
    ("perl", &["perl"]),
    ("pkg-config", &["pkg-config"]),
    ("protoc", &["protobuf"]),
    ("swig", &["swig"]),
    ("virtual/compiler/fortran", &["gfortran"]),
    ("virtual/compiler/rust", &["cargo", "rustc"]),
    ("yasm", &["yasm"]),
];

/// The attribute that has a library. Where something has no entry in the table of its own kind, the
/// names that the same thing usually has elsewhere are looked up.
fn library(kind: Kind, name: &str) -> Option<&'static str> {
    match kind {
        Kind::Module => with_module(name),
        Kind::Library if OF_THE_COMPILER.contains(&name) => None,
        Kind::Library => with_library(name),
        Kind::Package | Kind::Host => {
            let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
            let known = CMAKE_PACKAGES.iter().find(|(own, _)| *own == name);
            let name = known.map_or(name.as_str(), |(_, module)| module);
            with_module(name)
                .or_else(|| with_module(&format!("lib{name}")))
                .or_else(|| with_library(name))
                .or_else(|| with_library(name.strip_prefix("lib")?))
        }
        Kind::Program | Kind::Config => None,
    }
}

/// Programs that tell how to link a library: who has the program, and who the library.
const CONFIG_PROGRAMS: [(&str, &str, &str); 20] = [
    ("apr-1-config", "apr", "apr"),
    ("cups-config", "cups", "cups"),
    ("curl-config", "curl", "curl"),
    ("freetype-config", "freetype", "freetype"),
    ("gdal-config", "gdal", "gdal"),
    ("geos-config", "geos", "geos"),
    ("gpgme-config", "gpgme", "gpgme"),
    ("gsl-config", "gsl", "gsl"),
    ("icu-config", "icu", "icu"),
    ("krb5-config", "krb5", "krb5"),
    ("libpng-config", "libpng", "libpng"),
    ("mariadb_config", "libmysqlclient", "libmysqlclient"),
    ("mysql_config", "libmysqlclient", "libmysqlclient"),
    ("nc-config", "netcdf", "netcdf"),
    ("net-snmp-config", "net-snmp", "net-snmp"),
    ("pcap-config", "libpcap", "libpcap"),
    ("pg_config", "libpq.pg_config", "libpq"),
    ("sdl2-config", "SDL2", "SDL2"),
    ("xml2-config", "libxml2", "libxml2"),
    ("xslt-config", "libxslt", "libxslt"),
];

/// Packages of CMake, in lower case, whose library is called otherwise.
const CMAKE_PACKAGES: [(&str, &str); 8] = [
    ("bzip2", "bz2"),
    ("curl", "libcurl"),
    ("jpeg", "libjpeg"),
    ("liblzma", "lzma"),
    ("libxml2", "libxml-2.0"),
    ("png", "libpng"),
    ("sqlite3", "sqlite3"),
    ("xercesc", "xerces-c"),
];

/// Whether what a build file asks for is no library of nixpkgs' top level: the interpreter, something
/// of the Python set, or of the compiler.
fn is_elsewhere(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or(&name);
    OF_THE_COMPILER.contains(&name) || ELSEWHERE.iter().any(|own| name.starts_with(own))
}

const ELSEWHERE: [&str; 10] = [
    "appleframeworks",
    "cython",
    "iconv",
    "intl",
    "nanobind",
    "numpy",
    "openmp",
    "pybind11",
    "python",
    "threads",
];

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

/// What the crates of the sdist that an entry builds look for.
fn crates_of(set: &Set<'_>, pin: &Pin) -> BTreeSet<Sought> {
    let cargo = source(set, pin).and_then(|facts| facts.cargo.as_ref());
    let lock = cargo.and_then(|cargo| cargo.lock.as_deref());
    lock.map(crates::sought).unwrap_or_default()
}

/// Whether the build runs CMake by itself.
pub(super) fn runs_cmake(set: &Set<'_>, pin: &Pin) -> bool {
    let starts = source(set, pin).is_some_and(|facts| {
        let is_cmake = |e: &Evidence| e.kind == Kind::Program && e.name.ends_with("cmake");
        facts.native.iter().any(is_cmake)
    });
    starts
        || crates_of(set, pin)
            .iter()
            .any(|s| s.tools.contains(&"cmake"))
        || build::requirements(set, pin).iter().any(|r| {
            matches!(
                r.name.as_ref(),
                "scikit-build-core" | "scikit-build" | "py-build-cmake" | "cmake"
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
        if set.request.policy.for_nixpkgs {
            warnings.push(format!(
                "{}: its sdist has no Cargo.lock: its crates need one beside the module",
                pinned.release()
            ));
        }
        return None;
    };
    let mut git = BTreeMap::new();
    for name in &cargo.git {
        let commit = cargo.commits.get(name);
        let known = commit.and_then(|commit| set.request.crates.get(commit));
        let why = match known {
            Some(Ok(_)) => "",
            Some(Err(why)) => why,
            None => "its commit is not told",
        };
        if !why.is_empty() {
            warnings.push(format!(
                "{}: the digest of its crate {name}, from a repository, is not known ({why}): put it in \
                 place of `lib.fakeHash`; the build that fails tells it",
                pinned.release(),
            ));
        }
        git.insert(name.clone(), known.and_then(|known| known.clone().ok()));
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
        git,
    })
}

/// Libraries of the C library and the compiler.
const OF_THE_COMPILER: [&str; 10] = [
    "c", "dl", "gcc_s", "m", "pthread", "resolv", "rt", "stdc++", "util", "atomic",
];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nixpkgs::library::is_top_level;

    #[test]
    fn what_programs_stand_for_is_in_nixpkgs() {
        for (_, tool, library) in CONFIG_PROGRAMS {
            assert!(tool.split('.').next().is_some_and(is_top_level), "{tool}");
            assert!(is_top_level(library), "{library}");
        }
    }
}
