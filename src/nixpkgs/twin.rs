//! Projects that are another project's modules under a second name: published binaries of it, or a
//! build with fewer features. nixpkgs builds the other one.

use crate::python::PackageName;

/// The twin, and the project whose modules it installs.
const TWINS: [(&str, &str); 8] = [
    ("faiss-cpu", "faiss"),
    ("opencv-contrib-python", "opencv"),
    ("opencv-contrib-python-headless", "opencv"),
    ("opencv-python", "opencv"),
    ("opencv-python-headless", "opencv"),
    ("psycopg2-binary", "psycopg2"),
    ("tensorflow-cpu", "tensorflow"),
    ("tensorflow-intel", "tensorflow"),
];

/// The project whose modules a project installs.
pub fn twin_of(project: &PackageName) -> Option<&'static str> {
    let found = TWINS.iter().find(|(twin, _)| *twin == project.as_ref());
    found.map(|(_, other)| *other)
}
