//! Attributes that nixpkgs needs to build any Python package at all.
//!
//! An entry for one of them would rebuild the whole set and, where its build needs itself, is
//! infinite recursion. They are always nixpkgs' own, whatever a requirement says.

use crate::python::PackageName;

/// The projects, each under the attribute of the same name.
pub const BOOTSTRAP: [&str; 8] = [
    "build",
    "flit-core",
    "installer",
    "packaging",
    "pip",
    "pyproject-hooks",
    "setuptools",
    "wheel",
];

/// Whether a project always comes from nixpkgs.
pub fn is_bootstrap(project: &PackageName) -> bool {
    BOOTSTRAP.contains(&project.as_ref())
}
