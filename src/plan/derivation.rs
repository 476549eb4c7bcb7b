//! Everything that the Nix file will say, as data: no text, no Nix.

use std::collections::BTreeMap;

use super::Condition;
pub use super::trial::{OldScript, Patches};
use crate::python::{PackageName, Sha256, System};

/// An attribute of the package set that the file defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The attribute.
    pub attr: String,
    /// The project it installs.
    pub project: PackageName,
    /// Why it exists, one sentence a line.
    pub comments: Vec<String>,
    /// What it is. With more than one variant all but the last have a condition, tried in order.
    pub variants: Vec<Variant>,
}

/// What an attribute is where a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Where it holds; none: everywhere else.
    pub condition: Option<Condition>,
    /// What the attribute is there.
    pub definition: Definition,
}

/// What an attribute is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// nixpkgs' attribute of this name, which may be the entry's own.
    Nixpkgs(String),
    /// The same as another attribute of the finished set.
    Alias(String),
    /// nixpkgs' recipe of this attribute, called with attributes of the finished set in place of
    /// arguments: beside nixpkgs' own.
    With(String, BTreeMap<String, String>),
    /// nixpkgs' attribute of this name, with another version and source.
    Override(String, Box<Derivation>),
    /// A package of its own.
    New(Box<Derivation>),
    /// A distribution without modules, which stands for another project that installs them.
    Stand(Stand),
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The project's normalised name.
    pub pname: String,
    /// The version, as the index spells it.
    pub version: String,
    /// What is fetched.
    pub source: Source,
    /// The folder of the project in the unpacked source, where it is not the root.
    pub source_root: Option<String>,
    /// What of nixpkgs' recipe must be taken back, where one is overridden.
    pub recipe: Recipe,
    /// Files that its setup.py reads and its sdist lacks.
    pub missing_files: Vec<String>,
    /// Patches of the user's, as paths beside the Nix file.
    pub patches: Vec<String>,
    /// Commands of the user's that change the source.
    pub post_patch: Vec<String>,
    /// Whether the tests run, where the user says it.
    pub do_check: Option<bool>,
    /// Build requirements that nixpkgs' versions do not meet, relaxed in pyproject.toml.
    pub relaxed_builds: Vec<RelaxedBuild>,
    /// Run-time requirements that the set's versions do not meet, each with its reason.
    pub relaxed: Vec<Relaxed>,
    /// Its Rust part.
    pub rust: Option<Rust>,
    /// Whether its build system runs CMake, so that nixpkgs' hook must not.
    pub own_cmake: bool,
    /// Attributes of the set that build it.
    pub build_system: Vec<Needed>,
    /// Top-level attributes: tools that run during the build.
    pub native_inputs: Vec<Needed>,
    /// Top-level attributes: libraries to link.
    pub inputs: Vec<Needed>,
    /// Who says so of these two, by attribute: `meson.build:12: dependency('zlib')`.
    pub evidence: BTreeMap<String, Vec<String>>,
    /// Libraries that its binaries get from the driver of a device: `libcuda.so.1`.
    pub of_drivers: Vec<String>,
    /// Attributes of the set that it needs to run.
    pub dependencies: Vec<Needed>,
    /// What each of its extras adds.
    pub optional: BTreeMap<String, Vec<Needed>>,
    /// Modules to import after the build; empty where they are not known.
    pub imports: Vec<String>,
    /// Variables of its build, each with the reason.
    pub env: BTreeMap<&'static str, Variable>,
    /// Why an override keeps the old build system beside its own, where it does.
    pub keeps_build_system: Option<&'static str>,
    /// What a reader wants to know besides.
    pub meta: Meta,
    /// What was dropped of nixpkgs' recipe, and what could not be checked, as sentences.
    pub notes: Vec<String>,
}

/// A distribution without modules of its own: another project's package installs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The project's normalised name.
    pub pname: String,
    /// The version.
    pub version: String,
    /// The attribute that installs the modules.
    pub provider: String,
}

/// An attribute that is needed, perhaps on some systems only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needed {
    /// The attribute.
    pub attr: String,
    /// Where it is needed; none: everywhere.
    pub condition: Option<Condition>,
}

/// What of nixpkgs' recipe must be taken back, because it was written for another source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Whether anybody knows what the recipe says; else all of it is taken back to be safe.
    pub known: bool,
    /// How it is built.
    pub format: bool,
    /// `sourceRoot`.
    pub source_root: bool,
    /// `buildAndTestSubdir`.
    pub build_folder: bool,
    /// What becomes of `patches`.
    pub patches: Patches,
    /// What becomes of the fragments of shell that it sets, by name.
    pub scripts: BTreeMap<&'static str, OldScript>,
    /// Why patches and fragments are dropped, by the attribute's name.
    pub dropped: BTreeMap<&'static str, Vec<String>>,
    /// What `disabledTestPaths` must be, where it cannot stay.
    pub disabled_test_paths: Option<Vec<String>>,
    /// `cargoDeps`, where the new source has no Rust.
    pub cargo: bool,
    /// Its tests.
    pub tests: bool,
    /// What `propagatedBuildInputs`, the old name for `dependencies`, must become: attributes of the top
    /// level. None where it can stay.
    pub propagated: Option<Vec<Needed>>,
    /// Variables that tell build systems the old version.
    pub versions: Vec<VersionVariable>,
    /// `pythonRelaxDeps`.
    pub relax: OldNames,
    /// `pythonRemoveDeps`.
    pub remove: OldNames,
}

/// A variable by which a recipe tells a build system the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionVariable {
    /// Its name.
    pub name: &'static str,
    /// Whether it is, or may be, a member of `env`.
    pub in_env: bool,
    /// Whether it is, or may be, an attribute of its own.
    pub of_its_own: bool,
}

/// What a recipe's list of names is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldNames {
    /// Nobody knows.
    Unknown,
    /// Not set.
    None,
    /// A list.
    List,
    /// `true`: all of them.
    All,
}

impl Recipe {
    /// For a recipe of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            known: false,
            format: true,
            source_root: true,
            build_folder: true,
            patches: Patches::Drop,
            scripts: BTreeMap::from([("postPatch", OldScript::Drop)]),
            dropped: BTreeMap::new(),
            disabled_test_paths: None,
            cargo: false,
            tests: true,
            propagated: None,
            versions: Vec::new(),
            relax: OldNames::Unknown,
            remove: OldNames::Unknown,
        }
    }
}

/// What is fetched, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An sdist.
    Sdist(Fetch),
    /// A wheel that serves every target.
    Wheel(Fetch),
    /// A wheel for each system.
    Wheels(BTreeMap<System, Fetch>),
}

/// A file and the fetcher that gets exactly it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// How.
    pub fetcher: Fetcher,
    /// Its digest; none where it is the user's own.
    pub sha256: Option<Sha256>,
}

/// A fetcher of nixpkgs with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetcher {
    /// `fetchPypi` for an sdist.
    PypiSdist {
        /// The name as the file spells it.
        pname: String,
        /// The version as the file spells it.
        version: String,
        /// `tar.gz`, which is the default, or another.
        extension: String,
    },
    /// `fetchPypi` for a wheel.
    PypiWheel {
        /// The name as the file spells it.
        pname: String,
        /// The version as the file spells it.
        version: String,
        /// The python tag, which is also the directory (`dist`).
        python: String,
        /// The ABI tag.
        abi: String,
        /// The platform tag.
        platform: String,
    },
    /// `fetchurl` with the index' own address.
    Url {
        /// The address.
        url: String,
        /// The file's name, where the address does not end in it.
        name: Option<String>,
    },
    /// `fetchFromGitHub`.
    GitHub {
        /// Whose repository it is.
        owner: String,
        /// Its name.
        repo: String,
        /// The commit.
        rev: String,
    },
    /// `fetchgit`.
    Git {
        /// The repository.
        url: String,
        /// The commit.
        rev: String,
    },
    /// `builtins.fetchGit`, for what only the user himself can reach.
    OwnGit {
        /// The repository.
        url: String,
        /// The commit.
        rev: String,
    },
    /// A folder or file of the user's, relative to the Nix file.
    Path(String),
}

/// The crates of a package with Rust in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rust {
    /// The folder of its Cargo.lock, relative to the source's root; empty for the root itself.
    pub root: String,
    /// The name of the file beside the Nix file that holds its Cargo.lock.
    pub file: String,
    /// The text of that file.
    pub lock: String,
    /// Crates from repositories, as `name-version`, with the digests of their trees; none where nobody
    /// knows it yet.
    pub git: BTreeMap<String, Option<Sha256>>,
}

/// A build requirement whose version limits are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelaxedBuild {
    /// The file that it stands in: `pyproject.toml`, `setup.cfg`, `setup.py`.
    pub file: String,
    /// The literal there, with its quotes.
    pub text: String,
    /// The literal that stands there afterwards.
    pub replacement: String,
    /// Why.
    pub because: String,
}

/// A variable of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// Why it is set.
    pub because: String,
}

/// A run-time requirement whose version limits are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaxed {
    /// The project, spelt as in the metadata.
    pub name: String,
    /// Whether the requirement is removed altogether.
    pub remove: bool,
    /// Why.
    pub because: String,
}

/// What a reader wants to know of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// One sentence in nixpkgs' style.
    pub description: Option<String>,
    /// The project's page.
    pub homepage: Option<String>,
    /// The notes of its releases.
    pub changelog: Option<String>,
    /// Its licence; none where it is not certain.
    pub license: Option<License>,
    /// Whether it is a published binary.
    pub binary: bool,
    /// The systems it is for, where not all.
    pub platforms: Vec<System>,
}

/// A licence in nixpkgs' terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum License {
    /// An attribute of `lib.licenses`.
    One(String),
    /// Attributes of `lib.licenses`.
    Several(Vec<String>),
}
