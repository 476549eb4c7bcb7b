//! For one pin: does nixpkgs have it, under which attribute, and what is to be done if not.

use std::str::FromStr as _;

use crate::nixpkgs::{Attribute, Nixpkgs, is_bootstrap, is_exact, twin_of};
use crate::python::{PackageName, Version};
use crate::resolve::Pin;

/// What is to be done for a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// nixpkgs' default attribute of the project is at the pin's version.
    Reuse(Attribute),
    /// Another of nixpkgs' attributes of the project is, and becomes the project's in the whole set.
    Other(Attribute),
    /// nixpkgs' default attribute is taken at its own version, which is not the pin's.
    Keep(Attribute),
    /// This attribute is taken, with another version and source.
    Override(Attribute),
    /// nixpkgs has nothing of the project.
    New,
    /// nixpkgs has this attribute of another project that installs the same modules.
    Stand(Attribute),
    /// nixpkgs' own is taken whatever its version: the set cannot be built without it.
    Bootstrap(Option<Attribute>),
}

impl Decision {
    /// Whether the pin's source must be known, because an entry will name and build it.
    pub fn needs_source(&self) -> bool {
        matches!(self, Decision::Override(_) | Decision::New)
    }

    /// The attribute of nixpkgs that is used.
    pub fn attribute(&self) -> Option<&Attribute> {
        match self {
            Decision::Reuse(attribute)
            | Decision::Other(attribute)
            | Decision::Keep(attribute)
            | Decision::Override(attribute) => Some(attribute),
            Decision::Bootstrap(attribute) => attribute.as_ref(),
            Decision::New | Decision::Stand(_) => None,
        }
    }
}

/// Decides for a pin. Cheap: looks at nixpkgs' table only.
pub fn decide(pin: &Pin, nixpkgs: &Nixpkgs) -> Decision {
    if pin.direct.is_some() && !is_bootstrap(&pin.name) {
        // The user's own source, whatever its version says.
        return nearest(&pin.name, &pin.version, nixpkgs)
            .map_or(Decision::New, |a| Decision::Override(a.clone()));
    }
    decide_version(&pin.name, &pin.version, nixpkgs)
}

/// Decides for a project at a version.
pub fn decide_version(name: &PackageName, version: &Version, nixpkgs: &Nixpkgs) -> Decision {
    let attributes = nixpkgs.attributes(name);
    if is_bootstrap(name) {
        return Decision::Bootstrap(attributes.first().cloned());
    }
    match attributes.iter().find(|a| a.version == *version) {
        Some(fitting) if fitting.primary => Decision::Reuse(fitting.clone()),
        Some(fitting) => Decision::Other(fitting.clone()),
        None => provider(name, version, nixpkgs)
            .map(|a| Decision::Stand(a.clone()))
            .or_else(|| nearest(name, version, nixpkgs).map(|a| Decision::Override(a.clone())))
            .unwrap_or(Decision::New),
    }
}

/// nixpkgs' attribute of the project whose modules a twin installs, where it is of the same major
/// version. A published binary of the twin's version would be newer; nixpkgs' build is taken.
fn provider<'a>(
    name: &PackageName,
    version: &Version,
    nixpkgs: &'a Nixpkgs,
) -> Option<&'a Attribute> {
    let project = PackageName::from_str(twin_of(name)?).ok()?;
    let provider = nixpkgs.attributes(&project).first()?;
    let major = |version: &Version| version.release().first().copied();
    let fits = if is_exact(name) {
        provider.version == *version
    } else {
        major(&provider.version) == major(version)
    };
    fits.then_some(provider)
}

/// The version under which a project's modules stand for its twin: the twin's, unless they are older.
/// Twins have more numbers (`4.13.0.90` of `4.13.0`): those count nothing.
pub(super) fn stand_version<'v>(twin: &'v Version, modules: &'v Version) -> &'v Version {
    let has = modules.release();
    let wanted: Vec<u64> = twin.release().iter().copied().take(has.len()).collect();
    if has.to_vec() < wanted { modules } else { twin }
}

/// The attribute whose recipe is likeliest to fit another version: one of the same major version
/// if there is one, preferring the default attribute; else the default one.
fn nearest<'a>(
    name: &PackageName,
    version: &Version,
    nixpkgs: &'a Nixpkgs,
) -> Option<&'a Attribute> {
    let attributes = nixpkgs.attributes(name);
    let major = |v: &Version| v.release().first().copied();
    attributes
        .iter()
        .find(|a| major(&a.version) == major(version))
        .or_else(|| attributes.first())
        .map(|attribute| real(attribute, nixpkgs))
}

/// The attribute that stands for a project in the whole set: the default attribute, or, for
/// projects that nixpkgs lacks, the normalised name unless another project has that attribute.
pub fn canonical_attr(name: &PackageName, nixpkgs: &Nixpkgs) -> String {
    if let Some(attribute) = nixpkgs.attributes(name).iter().find(|a| a.primary) {
        return attribute.attr.clone();
    }
    match nixpkgs.project_of(name.as_ref()) {
        Some(other) if other != name => free_name(name),
        None if RESERVED.contains(&name.as_ref()) || is_taken_on_top(name) => free_name(name),
        _ => name.to_string(),
    }
}

/// The attribute that is defined where a project's is changed: the one that [`canonical_attr`] may be
/// just another name of. Defining that one changes what both names mean; defining the other name
/// would leave some packages with nixpkgs' version.
pub(super) fn defined_attr(name: &PackageName, nixpkgs: &Nixpkgs) -> String {
    let default = nixpkgs.attributes(name).iter().find(|a| a.primary);
    default.map_or_else(
        || canonical_attr(name, nixpkgs),
        |attribute| real(attribute, nixpkgs).attr.clone(),
    )
}

/// The attribute that this one is another name of, or itself.
fn real<'a>(attribute: &'a Attribute, nixpkgs: &'a Nixpkgs) -> &'a Attribute {
    let facts = attribute.facts.as_deref();
    let of = facts.and_then(|facts| facts.alias_of.as_deref());
    of.and_then(|of| nixpkgs.attribute(of)).unwrap_or(attribute)
}

/// A name that no normalised project name and no attribute of nixpkgs has.
fn free_name(name: &PackageName) -> String {
    format!("{name}_pypi")
}

/// Modules take these top-level names as arguments of `callPackage`, which looks into the Python set
/// first: an attribute of such a name would be handed to them instead.
fn is_taken_on_top(name: &PackageName) -> bool {
    crate::nixpkgs::library::is_top_level(name.as_ref())
}

/// Members of every Python package set that are not packages, and names that module functions take
/// from the top level, as far as a normalised project name can be equal to them.
const RESERVED: [&str; 38] = [
    "autoconf",
    "automake",
    "bash",
    "bootstrap",
    "buildenv",
    "callpackage",
    "cargo",
    "coreutils",
    "config",
    "curl",
    "darwin",
    "fetchurl",
    "fetchpypi",
    "gcc",
    "git",
    "go",
    "gnumake",
    "hooks",
    "lib",
    "libiconv",
    "llvm",
    "makewrapper",
    "nodejs",
    "openssl",
    "override",
    "overrides",
    "packages",
    "perl",
    "pkg-config",
    "pkgs",
    "python",
    "runtimeshell",
    "rustc",
    "self",
    "stdenv",
    "unzip",
    "which",
    "zlib",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nixpkgs::snapshot;

    fn decided(name: &str, version: &str) -> Decision {
        let nixpkgs = snapshot::read("3.13").unwrap();
        decide_version(
            &PackageName::from_str(name).unwrap(),
            &Version::from_str(version).unwrap(),
            &nixpkgs,
        )
    }

    #[test]
    fn the_default_attribute_at_the_version_is_reused() {
        assert!(matches!(decided("django", "5.2.12"), Decision::Reuse(a) if a.attr == "django"));
        assert!(matches!(decided("python-xlib", "0.33"), Decision::Reuse(a) if a.attr == "xlib"));
    }

    #[test]
    fn another_attribute_at_the_version_is_used() {
        assert!(matches!(decided("django", "6.0.3"), Decision::Other(a) if a.attr == "django_6"));
    }

    #[test]
    fn overrides_start_from_the_nearest_recipe() {
        assert!(
            matches!(decided("protobuf", "6.33.9"), Decision::Override(a) if a.attr == "protobuf6")
        );
        assert!(matches!(decided("django", "5.2.99"), Decision::Override(a) if a.attr == "django"));
        assert!(matches!(decided("django", "9.0"), Decision::Override(a) if a.attr == "django"));
    }

    #[test]
    fn twins_stand_for_what_nixpkgs_builds() {
        assert!(matches!(
            decided("psycopg2-binary", "2.9.11"),
            Decision::Reuse(_)
        ));
        assert!(
            matches!(decided("psycopg2-binary", "2.9.10"), Decision::Stand(a) if a.attr == "psycopg2")
        );
        assert!(
            matches!(decided("psycopg2-binary", "2.9.99"), Decision::Stand(a) if a.attr == "psycopg2")
        );
        assert!(matches!(
            decided("psycopg2-binary", "3.0"),
            Decision::Override(_)
        ));
        let version = |text: &str| Version::from_str(text).unwrap();
        let (twin, modules) = (version("4.13.0.90"), version("4.13.0"));
        assert_eq!(*stand_version(&twin, &modules), twin);
        let modules = version("4.12.9");
        assert_eq!(*stand_version(&twin, &modules), modules);
        assert!(matches!(decided("faiss-cpu", "1.14.1"), Decision::Stand(a) if a.attr == "faiss"));
        // C code for psycopg of the same version only
        assert!(
            matches!(decided("psycopg-binary", "3.3.3"), Decision::Stand(a) if a.attr == "psycopg-c")
        );
        assert_eq!(decided("psycopg-binary", "3.3.4"), Decision::New);
    }

    #[test]
    fn build_tools_of_nixpkgs_stay() {
        assert!(matches!(
            decided("setuptools", "1.0"),
            Decision::Bootstrap(Some(_))
        ));
    }

    #[test]
    fn names_of_other_things_are_not_taken() {
        let nixpkgs = snapshot::read("3.13").unwrap();
        let attr = |name: &str| canonical_attr(&PackageName::from_str(name).unwrap(), &nixpkgs);
        assert_eq!(attr("redis-structures"), "redis-structures");
        assert_eq!(attr("python-xlib"), "xlib");
        assert_eq!(attr("xlib"), "xlib_pypi");
        assert_eq!(attr("zlib"), "zlib_pypi");
    }
}
