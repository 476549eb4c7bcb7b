//! What the user has: a Python project, read without running any of it.
//!
//! The same readers serve the user's own folder and an sdist: both are [`Files`].

pub mod archive;
pub mod facts;
pub mod files;
pub mod pylock;
pub mod setup_py;

use std::collections::BTreeMap;

use crate::problem::{Origin, Problem};
use crate::python::{About, ExtraName, PackageName, Requirement, VersionSpecifiers};

pub use archive::{Archive, ArchiveError};
pub use facts::SourceFacts;
pub use files::{Directory, Files, FilesError};
pub use setup_py::SetupPy;

/// How much of a project could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evaluated {
    /// Complete and certain.
    #[default]
    Static,
    /// What is there is certain; the fields named in [`Project::unknown`] are missing or incomplete.
    Partial,
    /// Nothing useful.
    Failed,
}

/// A part of a project that cannot be known without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The core-metadata field in lower case with underscores: `requires_dist`, `version`…
    pub field: String,
    /// The expression, where it stands.
    pub origin: Option<Origin>,
    /// Why it cannot be known.
    pub reason: String,
}

/// `[build-system]` (PEP 517, 518).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildSystem {
    /// What the build requires. Without a `pyproject.toml`: setuptools, plus `setup_requires`.
    pub requires: Vec<Requirement>,
    /// `build-backend`; none means setuptools' legacy backend.
    pub backend: Option<String>,
}

/// Where a requirements file wants releases to be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexOptions {
    /// `--index-url`.
    pub index_url: Option<String>,
    /// `--extra-index-url`.
    pub extra_index_urls: Vec<String>,
    /// `--find-links`.
    pub find_links: Vec<String>,
    /// `--no-index`.
    pub no_index: bool,
    /// `--no-binary`, names or `:all:`.
    pub no_binary: Vec<String>,
    /// `--only-binary`, names or `:all:`.
    pub only_binary: Vec<String>,
    /// `--pre`.
    pub pre: bool,
}

/// A project as its files describe it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Project {
    /// The name, normalised.
    pub name: Option<PackageName>,
    /// The version as written.
    pub version: Option<String>,
    /// `Requires-Python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// What it needs to run; conditions are markers.
    pub dependencies: Vec<Requirement>,
    /// What each extra adds; `extra == …` is not part of these markers.
    pub optional: BTreeMap<ExtraName, Vec<Requirement>>,
    /// Dependency groups (PEP 735) and Poetry's groups, by normalised name; includes resolved.
    pub groups: BTreeMap<String, Vec<Requirement>>,
    /// Constraints from `-c` files.
    pub constraints: Vec<Requirement>,
    /// How it is built.
    pub build_system: BuildSystem,
    /// Entry points by group: `(name, object reference)`.
    pub entry_points: BTreeMap<String, Vec<(String, String)>>,
    /// Description, addresses, licence.
    pub about: About,
    /// Options of requirements files.
    pub index_options: IndexOptions,
    /// Files, relative to the root with `/`, that setup.py reads and that do not exist.
    pub missing_files: Vec<String>,
    /// How much of it could be read.
    pub evaluated: Evaluated,
    /// What could not.
    pub unknown: Vec<Unknown>,
    /// What is wrong with the files.
    pub problems: Vec<Problem>,
}
