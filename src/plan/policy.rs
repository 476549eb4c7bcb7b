//! What the user allows and prefers when entries are made.

use std::collections::BTreeSet;

use crate::python::PackageName;

/// What the user allows and prefers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// How the user's requirements are called where one has no place in a file: `setup.py`.
    pub project: String,
    /// The command that makes the file again, without machine paths: `pyresolve lock setup.py`.
    pub command: String,
    /// Projects to take as wheels although they have an sdist.
    pub prefer_wheels: BTreeSet<PackageName>,
}
