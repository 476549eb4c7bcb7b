//! One HTML page that shows a lock: its graph, what each project is and why, what the Nix file does
//! about it. The page is complete in itself: its policy forbids every request, its script and style
//! are known to it by their digests, and without scripts it is a table with a section for each
//! project. The same pins make the same bytes.
//!
//! ```
//! use pyresolve::report::{Page, render};
//!
//! let html = render(&Page { title: "</script> & co".to_owned(), ..Page::default() });
//! assert!(html.contains("&lt;/script&gt; &amp; co"));
//! ```

pub mod gather;
mod graph;
mod html;
pub mod layout;
mod page;
mod project;
mod table;

use crate::plan::Action;

pub use page::render;

/// What the page says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What was locked.
    pub title: String,
    /// Facts about the whole, as `(label, text)`.
    pub facts: Vec<(String, String)>,
    /// The pins.
    pub projects: Vec<Project>,
    /// What the reader should know besides, as sentences.
    pub warnings: Vec<String>,
}

/// A pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project.
    pub name: String,
    /// The version; empty where the lock does not tell it.
    pub version: String,
    /// What the Nix file does about it.
    pub kind: Kind,
    /// The attribute that stands for it.
    pub attribute: Option<String>,
    /// The version that nixpkgs has.
    pub nixpkgs_version: Option<String>,
    /// Whether the user asks for it.
    pub direct: bool,
    /// Whether only builds need it.
    pub for_build: bool,
    /// Whether nixpkgs' package is built again.
    pub rebuilt: bool,
    /// What it says it is.
    pub summary: Option<String>,
    /// Its page.
    pub homepage: Option<String>,
    /// Where it tells what is new.
    pub changelog: Option<String>,
    /// Its licence, as the release tells it.
    pub license: Option<String>,
    /// Why this version, a sentence each.
    pub version_reasons: Vec<String>,
    /// Why the Nix file does that, a sentence each.
    pub kind_reasons: Vec<String>,
    /// Where it is installed, unless everywhere.
    pub systems: Option<String>,
    /// Who needs it.
    pub asked_by: Vec<Asker>,
    /// What it needs.
    pub needs: Vec<Need>,
    /// Which of nixpkgs' packages are built again because of it, by place in [`Page::projects`].
    pub rebuilds: Vec<usize>,
    /// How an entry is made, a sentence each.
    pub made: Vec<String>,
    /// Its files.
    pub files: Vec<File>,
}

/// What the Nix file does about a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// nixpkgs' own is used.
    Reuse,
    /// Another of nixpkgs' attributes is used.
    Attribute,
    /// nixpkgs' recipe is used with another version.
    Override,
    /// It has an entry of its own.
    New,
    /// nixpkgs' packages do without it.
    Omit,
    /// Nobody says: the lock is another tool's.
    Unknown,
}

impl Kind {
    /// Every kind, in the order of the page.
    const ALL: [Kind; 6] = [
        Kind::Reuse,
        Kind::Attribute,
        Kind::Override,
        Kind::New,
        Kind::Omit,
        Kind::Unknown,
    ];

    /// The word in classes and data.
    fn word(self) -> &'static str {
        match self {
            Kind::Reuse => "reuse",
            Kind::Attribute => "attribute",
            Kind::Override => "override",
            Kind::New => "new",
            Kind::Omit => "omit",
            Kind::Unknown => "unknown",
        }
    }

    /// The words for a reader.
    fn label(self) -> &'static str {
        match self {
            Kind::Reuse => "from nixpkgs",
            Kind::Attribute => "other attribute",
            Kind::Override => "override",
            Kind::New => "new entry",
            Kind::Omit => "left out",
            Kind::Unknown => "only locked",
        }
    }

    /// What it means, as a sentence.
    fn meaning(self) -> &'static str {
        match self {
            Kind::Reuse => "nixpkgs’ own package is used, as it is.",
            Kind::Attribute => "Another of nixpkgs’ attributes takes the project’s place.",
            Kind::Override => "nixpkgs’ recipe is used with another version and source.",
            Kind::New => "The Nix file has an entry of its own.",
            Kind::Omit => "nixpkgs’ packages that want it are built without it.",
            Kind::Unknown => "The lock does not say what a Nix file does about it.",
        }
    }
}

impl From<Action> for Kind {
    fn from(action: Action) -> Self {
        match action {
            Action::Reuse | Action::Keep => Kind::Reuse,
            Action::Attribute => Kind::Attribute,
            Action::Override => Kind::Override,
            Action::New => Kind::New,
            Action::Omit => Kind::Omit,
        }
    }
}

/// Somebody who needs a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Its place in [`Page::projects`]; none for the user.
    pub by: Option<usize>,
    /// How it is called.
    pub called: String,
    /// The requirement as written; empty where nobody tells it.
    pub requirement: String,
    /// File and line, where the user wrote it.
    pub place: Option<String>,
    /// Whether nixpkgs' version does not satisfy it.
    pub forces: bool,
    /// Whether it is needed to build it only.
    pub to_build: bool,
}

/// Something that a project needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its place in [`Page::projects`].
    pub to: usize,
    /// The requirement as written.
    pub requirement: String,
    /// Whether it is needed for the build only.
    pub to_build: bool,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its digests, as `algorithm:digits`.
    pub hashes: Vec<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

#[cfg(test)]
mod tests;
