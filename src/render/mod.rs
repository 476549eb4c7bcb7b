//! Decisions to documents. Pure.

pub mod app;
pub mod lock;
pub mod shebang;

mod dependencies;
pub mod module;
mod own_file;
mod package;
mod source;
#[cfg(test)]
mod tests;

pub use dependencies::{Layout, MARK, beside, dependencies, documents};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name, relative to the output folder.
    pub name: String,
    /// Its whole text.
    pub text: String,
}
