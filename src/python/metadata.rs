//! Core metadata (PEP 566, 643, 685 …): the header reader, and what we keep of it.

use super::{ExtraName, PackageName, Requirement, VersionSpecifiers};

/// What a release says of itself, as far as resolving and packaging need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`, normalised.
    pub name: PackageName,
    /// `Version`, as written.
    pub version: String,
    /// `Requires-Dist`; extras are markers.
    pub requires_dist: Vec<Requirement>,
    /// `Requires-Python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// `Provides-Extra`, normalised.
    pub provides_extra: Vec<ExtraName>,
    /// What a packager wants to know besides.
    pub about: About,
    /// Invalid texts that were read leniently, as `(as written, as read)`.
    pub repairs: Vec<(String, String)>,
}

/// The descriptive part of core metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct About {
    /// `Summary`.
    pub summary: Option<String>,
    /// `Home-page`.
    pub home_page: Option<String>,
    /// `Project-URL`, as `(label, address)`.
    pub urls: Vec<(String, String)>,
    /// `License-Expression` (PEP 639).
    pub license_expression: Option<String>,
    /// `License`, only where it is one short line.
    pub license: Option<String>,
    /// `Classifier`, those that start with `License ::`.
    pub license_classifiers: Vec<String>,
}
