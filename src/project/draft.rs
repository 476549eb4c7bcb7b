//! [`Draft`]: what one file says of a project, before several files are merged into a
//! [`Project`](super::Project).

use std::collections::BTreeMap;

use super::setup_py::Native;
use super::{BuildSystem, Unknown};
use crate::problem::Origin;
use crate::python::{About, ExtraName, Requirement, VersionSpecifiers};

/// What one file says. `None` is silence: another file may say more.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The name as written.
    pub name: Option<String>,
    /// The version as written.
    pub version: Option<String>,
    /// `Requires-Python`; the inner `None` where it is said that there is none.
    pub requires_python: Option<Option<VersionSpecifiers>>,
    /// Requirements.
    pub dependencies: Option<Vec<Requirement>>,
    /// Requirements of extras.
    pub optional: Option<BTreeMap<ExtraName, Vec<Requirement>>>,
    /// Dependency groups.
    pub groups: BTreeMap<String, Vec<Requirement>>,
    /// `[build-system]`, where there is one.
    pub build_system: Option<BuildSystem>,
    /// `setup_requires`.
    pub setup_requires: Vec<Requirement>,
    /// `tests_require`.
    pub tests_require: Vec<Requirement>,
    /// Entry points by group.
    pub entry_points: Option<BTreeMap<String, Vec<(String, String)>>>,
    /// Description, addresses, licence.
    pub about: About,
    /// What is installed.
    pub layout: Layout,
    /// Files that are read and do not exist.
    pub missing_files: Vec<String>,
    /// What cannot be known.
    pub unknown: Vec<Unknown>,
    /// What setup.py says of native code.
    pub native: Native,
    /// Whether nothing useful could be read.
    pub failed: bool,
    /// Whether the requirements are those that the distribution is bound to repeat (PEP 643).
    pub requires_are_recorded: bool,
}

/// Which modules a project installs, as far as its files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Dotted packages; none where they are found by looking.
    pub packages: Option<Vec<String>>,
    /// Modules that are one file each.
    pub modules: Vec<String>,
    /// Where packages are, by dotted package; `""` is the rest.
    pub folders: BTreeMap<String, String>,
    /// Folders in which packages are looked for.
    pub roots: Vec<String>,
    /// Packages, by pattern, that looking leaves out.
    pub excluded: Vec<String>,
    /// Packages, by pattern, to which looking is limited.
    pub included: Vec<String>,
}

impl Draft {
    /// Notes that a field cannot be known.
    pub fn unknown(&mut self, field: &str, origin: Option<Origin>, reason: impl Into<String>) {
        self.unknown.push(Unknown {
            field: field.to_owned(),
            origin,
            reason: reason.into(),
        });
    }

    /// Whether a field is known not to be known.
    pub fn is_unknown(&self, field: &str) -> bool {
        self.unknown.iter().any(|u| u.field == field)
    }
}
