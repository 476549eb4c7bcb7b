//! What packaging a source needs to know of it, beyond its requirements.
//!
//! Facts are cached by the archive's hash, so they hold plain values only.

use crate::python::About;

/// Facts about one source tree, read without running it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SourceFacts {
    /// `[build-system] requires` as PEP 508 texts, `setup_requires` added; setuptools where nothing is said.
    pub build_requires: Vec<String>,
    /// `build-backend`.
    pub build_backend: Option<String>,
    /// Whether the build requirements stand in a `pyproject.toml` (else they are the default).
    pub has_build_system_table: bool,
    /// Requirements as PEP 508 texts, extras as markers; none where they cannot be known statically.
    pub requires_dist: Option<Vec<String>>,
    /// Extras, normalised.
    pub provides_extra: Vec<String>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
    /// What stopped us from knowing the requirements: sentences with file and line.
    pub unknown: Vec<String>,
    /// Files, relative to the archive's root folder, that setup.py reads and the archive lacks.
    pub missing_files: Vec<String>,
    /// Importable modules that it installs, dotted for namespace packages, top level only, sorted.
    pub modules: Vec<String>,
    /// Console scripts.
    pub scripts: Vec<String>,
    /// Description, addresses, licence.
    pub about: About,
    /// Whether the archive holds tests.
    pub has_tests: bool,
    /// Things to be warned about, as sentences.
    pub warnings: Vec<String>,
}
