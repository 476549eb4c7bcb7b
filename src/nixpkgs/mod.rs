//! What nixpkgs has: Python attributes with the projects and versions they install, libraries, licences.

pub mod attribute;

pub use attribute::{Attribute, Nixpkgs};
