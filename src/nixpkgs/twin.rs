//! Projects that are another project's modules under a second name: published binaries of it, or a
//! build with fewer features. nixpkgs builds the other one.

use crate::python::PackageName;

/// The twin, and the project whose modules it installs.
const TWINS: [(&str, &str); 9] = [
    ("faiss-cpu", "faiss"),
    ("opencv-contrib-python", "opencv"),
    ("opencv-contrib-python-headless", "opencv"),
    ("opencv-python", "opencv"),
    ("opencv-python-headless", "opencv"),
    ("psycopg-binary", "psycopg-c"),
    ("psycopg2-binary", "psycopg2"),
    ("tensorflow-cpu", "tensorflow"),
    ("tensorflow-intel", "tensorflow"),
];

/// Twins that go with another project's release of the very same version: the C half of psycopg, which
/// psycopg looks for under both names.
const EXACT: [&str; 1] = ["psycopg-binary"];

/// Modules that refuse to be imported before the project's main module is (psycopg 3, all releases).
const NOT_ALONE: [&str; 2] = ["psycopg_binary", "psycopg_c"];

/// Whether a twin stands for its other only at the same version.
pub fn is_exact(project: &PackageName) -> bool {
    EXACT.contains(&project.as_ref())
}

/// Whether a module can be imported without anything else being imported before.
pub fn is_importable_alone(module: &str) -> bool {
    !NOT_ALONE.contains(&module)
}

/// The project whose modules a project installs.
pub fn twin_of(project: &PackageName) -> Option<&'static str> {
    let found = TWINS.iter().find(|(twin, _)| *twin == project.as_ref());
    found.map(|(_, other)| *other)
}
