//! What a setup.py says: the answer of the interpreter, field by field.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::project::{Evaluated, Unknown};
use crate::python::{About, ExtraName, Requirement};

/// One keyword of `setup()`: absent, known, known in part, or unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fact<T> {
    /// The keyword is not given, or it is `None`.
    #[default]
    Absent,
    /// Complete and certain.
    Known(T),
    /// What is there is certain, but there is more, or it does not always hold.
    Partial(T, Vec<Unknown>),
    /// It is given, and nothing of it can be known.
    Unknown(Vec<Unknown>),
}

impl<T> Fact<T> {
    /// The value, where it is complete and certain.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value, complete or not.
    pub fn value(&self) -> Option<&T> {
        match self {
            Fact::Known(value) | Fact::Partial(value, _) => Some(value),
            Fact::Absent | Fact::Unknown(_) => None,
        }
    }

    /// What cannot be known of it; empty where it is absent or known.
    pub fn unknown(&self) -> &[Unknown] {
        match self {
            Fact::Absent | Fact::Known(_) => &[],
            Fact::Partial(_, unknown) | Fact::Unknown(unknown) => unknown,
        }
    }

    /// Whether the keyword is not given.
    pub fn is_absent(&self) -> bool {
        matches!(self, Fact::Absent)
    }
}

/// Everything a setup.py says, as an ordinary isolated build of a wheel would hear it.
///
/// Conditions on the target (`sys.version_info`, `sys.platform`, …) are markers of the
/// requirements. Scalars that differ between targets are [`Fact::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupPy {
    /// Whether a call of `setup()` was found and everything up to it could be followed.
    pub evaluated: Evaluated,
    /// `name`, as written.
    pub name: Fact<String>,
    /// `version`, as written.
    pub version: Fact<String>,
    /// `python_requires`, as written.
    pub python_requires: Fact<String>,
    /// `install_requires`; conditions of the code are markers, `origin` points at the text.
    pub install_requires: Fact<Vec<Requirement>>,
    /// `extras_require` by extra; `extra == …` is not part of the markers. What stands under
    /// `":marker"` is in [`SetupPy::install_requires`], as setuptools has it.
    pub extras_require: Fact<BTreeMap<ExtraName, Vec<Requirement>>>,
    /// `setup_requires`.
    pub setup_requires: Fact<Vec<Requirement>>,
    /// `tests_require`.
    pub tests_require: Fact<Vec<Requirement>>,
    /// `entry_points` by group: `(name, object reference)`.
    pub entry_points: Fact<BTreeMap<String, Vec<(String, String)>>>,
    /// `packages`, dotted.
    pub packages: Fact<Vec<String>>,
    /// `py_modules`, dotted.
    pub py_modules: Fact<Vec<String>>,
    /// `package_dir`.
    pub package_dir: Fact<BTreeMap<String, String>>,
    /// `scripts`.
    pub scripts: Fact<Vec<String>>,
    /// What its extension modules say of native libraries.
    pub native: Native,
    /// Whether pbr takes over (`pbr=True`): setup.cfg and requirements.txt then say the rest.
    pub pbr: bool,
    /// `description`, `url`, `project_urls`, `license`, the licence classifiers; what is known of them.
    pub about: About,
    /// Files, relative to the root with `/`, that it must read and that do not exist, sorted.
    pub missing_files: Vec<String>,
    /// What cannot be known: all fields' and the file's as a whole.
    pub unknown: Vec<Unknown>,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
}

/// Evidence of native code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Native {
    /// Whether there are extension modules (or an unknown value that may hold some).
    pub extensions: bool,
    /// `libraries` of the extension modules: what the linker is asked for, sorted.
    pub libraries: Vec<String>,
    /// Modules that `pkg-config` is asked for, sorted.
    pub pkg_config: Vec<String>,
    /// Other programs that setup.py starts, sorted.
    pub programs: Vec<String>,
}

/// What is known of the project before its setup.py is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The name, where a PKG-INFO or a file's name tells it.
    pub name: Option<String>,
    /// The version, where a PKG-INFO or a file's name tells it: what versioneer, setuptools_scm
    /// and pbr take from an sdist.
    pub version: Option<String>,
    /// Projects that the build declares to require, normalised; setuptools need not be named.
    pub build_requires: Vec<crate::python::PackageName>,
}
