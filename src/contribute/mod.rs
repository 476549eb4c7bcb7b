//! Changes to nixpkgs itself: modules that are new in a checkout, modules that are brought to another
//! version, and what reviewers would say of a module.
//!
//! Everything here prepares texts; a person reviews, builds and submits them.

pub mod check;
pub mod dependent;
pub mod edit;
mod forge;
pub mod init;
pub mod license;
pub mod lint;
pub mod list;
pub mod message;
pub mod repository;
pub mod tree;
pub mod update;
mod wheel;

pub use init::{Prepared, Wanted, prepare};
pub use repository::{Commit, Repository};
pub use tree::Tree;

/// Why nothing could be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContributeError {
    /// A tree has no list of Python packages where nixpkgs has it.
    #[error("`{0}` is not a checkout of nixpkgs: it has no pkgs/top-level/python-packages.nix")]
    NotNixpkgs(std::path::PathBuf),
    /// A file cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// A file is not written as it would have to be for an edit.
    #[error("`{path}`: {why}")]
    NoPlace {
        /// The file, below the tree.
        path: String,
        /// What is not there, or not as it should be.
        why: String,
    },
    /// The tree has the name already.
    #[error("`{name}` is in this nixpkgs already: {what}")]
    Exists {
        /// The attribute or project.
        name: String,
        /// What has it.
        what: String,
    },
    /// The tree has no such module.
    #[error("this nixpkgs has neither a project nor an attribute `{0}`")]
    Absent(String),
    /// Nobody of that name looks after packages.
    #[error("maintainers/maintainer-list.nix has no `{0}`")]
    UnknownMaintainer(String),
    /// What the modules need is in this nixpkgs, but not so that they could use it.
    #[error("what is needed is in this nixpkgs at other versions")]
    Blocked(Vec<String>),
    /// A release cannot be written as one module.
    #[error("{release} cannot be a module: {why}")]
    NoModule {
        /// Project and version.
        release: String,
        /// Why not.
        why: String,
    },
    /// git did not do what it was asked.
    #[error("git {what}: {why}")]
    Git {
        /// What it was asked.
        what: String,
        /// What it says.
        why: String,
    },
    /// The checkout has changes that are not committed.
    #[error("the checkout has changes that are not committed")]
    Dirty(Vec<String>),
    /// The index does not answer.
    #[error(transparent)]
    Index(#[from] crate::index::IndexError),
}
