//! What the user has: a Python project, read without running any of it.
//!
//! The same readers serve the user's own folder and an sdist: both are [`Files`].
//!
//! ```no_run
//! use pyresolve::project;
//! let project = project::open(std::path::Path::new("requirements.txt"))?;
//! for requirement in &project.dependencies {
//!     let _ = requirement.to_string();
//! }
//! # Ok::<(), project::ProjectError>(())
//! ```

pub mod archive;
pub mod cargo;
pub mod facts;
pub mod files;
pub mod foreign;
pub mod pylock;
pub mod settings;
pub mod setup_py;

mod attribute;
mod backend;
mod discover;
mod draft;
pub mod external;
mod ini;
mod merge;
mod module;
pub mod native;
mod plugin;
mod pyproject;
mod reading;
mod requirements_txt;
mod script;
mod setup_cfg;
mod table;
pub mod testing;
mod undeclared;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::problem::{Origin, Problem};
use crate::python::{
    About, ExtraName, MarkerTree, MetadataError, PackageName, Requirement, VersionSpecifiers,
};

pub use archive::{Archive, ArchiveError};
pub use cargo::Cargo;
pub use external::External;
pub use facts::SourceFacts;
pub use files::{Directory, Files, FilesError};
pub use script::is_script;
pub use settings::Settings;
pub use setup_py::SetupPy;
pub use testing::Testing;

/// Why a project cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A file of it cannot be had.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is an archive that cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A wheel's metadata makes no sense.
    #[error("{file}")]
    Metadata {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: MetadataError,
    },
    /// There is nothing that describes a project.
    #[error(
        "nothing in `{0}` describes a project: no project table, setup.py, setup.cfg, requirements.txt or PKG-INFO"
    )]
    NoProject(PathBuf),
    /// The file's name does not tell what it is.
    #[error(
        "`{0}` is none of setup.py, setup.cfg, pyproject.toml, *.txt, *.in, a lock of uv, Poetry, PDM or pipenv, a pylock.toml, an sdist or a wheel"
    )]
    UnknownKind(PathBuf),
}

/// What of a tree of files is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// The project in the user's own folder, with everything that describes it; read strictly.
    Folder,
    /// The project in an sdist or a wheel, with everything that describes it; read leniently.
    Distribution,
    /// One file of the user's: a requirements file alone; of the other kinds, what stands beside it
    /// is merged as its build backend does.
    File(String),
}

/// Reads the project at a path: a folder, setup.py, setup.cfg, pyproject.toml, a requirements file
/// (`*.txt`, `*.in`), another tool's lock (then what it locks), an sdist or a wheel.
///
/// # Errors
/// When there is no project at the path, or it cannot be had. What is wrong inside becomes
/// [`Project::problems`].
pub fn open(path: &Path) -> Result<Project, ProjectError> {
    open_with(path, &reading::no_env)
}

/// The same, with the values of environment variables that requirements files may name
/// (`${TOKEN}`).
///
/// # Errors
/// As [`open`].
pub fn open_with(
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Project, ProjectError> {
    if let Some(tool) = foreign::recognise(path) {
        return Ok(foreign::open(path, tool)?.project);
    }
    let opened = discover::open(path)?;
    let read = merge::read(opened.files.as_ref(), &opened.hint, env)?;
    let mut project = read.project;
    project.problems.extend(opened.problems);
    Ok(project)
}

/// Reads a project from files.
///
/// # Errors
/// When nothing in them describes a project.
pub fn read(files: &dyn Files, hint: &Hint) -> Result<Project, ProjectError> {
    Ok(merge::read(files, hint, &reading::no_env)?.project)
}

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

/// One sentence, with file and line where they are known.
impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        write!(f, "`{}` cannot be known: {}", self.field, self.reason)
    }
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
    /// `--require-hashes`.
    pub require_hashes: bool,
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
    /// Hashes that requirements files allow, by project: `sha256:…`.
    pub hashes: BTreeMap<PackageName, Vec<String>>,
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

impl Project {
    /// All requirements as core metadata has them: those of extras with `extra == "…"` in the marker.
    pub fn requires_dist(&self) -> Vec<Requirement> {
        let mut all = self.dependencies.clone();
        for (extra, requirements) in &self.optional {
            all.extend(requirements.iter().map(|r| of_extra(r, extra)));
        }
        all
    }
}

/// A requirement that holds only where an extra is asked for.
fn of_extra(requirement: &Requirement, extra: &ExtraName) -> Requirement {
    let mut marker = requirement.marker.clone();
    marker.and(extra_marker(extra, true));
    Requirement {
        marker,
        ..requirement.clone()
    }
}

/// `extra == "…"`, or `extra != "…"`.
fn extra_marker(extra: &ExtraName, is: bool) -> MarkerTree {
    use pep508_rs::{ExtraOperator, MarkerExpression, MarkerValueExtra};
    MarkerTree::expression(MarkerExpression::Extra {
        operator: if is {
            ExtraOperator::Equal
        } else {
            ExtraOperator::NotEqual
        },
        name: MarkerValueExtra::Extra(extra.clone()),
    })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod fuzz;
