//! A requirement on a project: PEP 508, with where it was written.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pep508_rs::{VerbatimUrl, VersionOrUrl};
use url::Url;

use super::{ExtraName, MarkerTree, PackageName, VersionSpecifiers};
use crate::problem::Origin;

/// A requirement on a project (PEP 508).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The project that is required.
    pub name: PackageName,
    /// The extras that are asked of it.
    pub extras: BTreeSet<ExtraName>,
    /// Which of its releases will do.
    pub wanted: Wanted,
    /// When it is required. In metadata, `extra == "x"` is part of this marker.
    pub marker: MarkerTree,
    /// Where the user wrote it; none for requirements from an index.
    pub origin: Option<Origin>,
}

/// What a requirement asks of a project's releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Any release whose version the specifiers admit (PEP 440).
    Versions(VersionSpecifiers),
    /// The one release behind an address: an archive, or a repository (`git+https://…`).
    Url(Url),
    /// The project in a local folder or archive.
    Path(PathBuf),
}

/// Why a text is not a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a requirement: {reason}")]
pub struct RequirementError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
    /// The byte offset in the text where it goes wrong.
    pub at: usize,
}

impl Requirement {
    /// Reads a PEP 508 requirement strictly.
    ///
    /// # Errors
    /// When the text is not PEP 508.
    pub fn parse(text: &str) -> Result<Self, RequirementError> {
        let parsed = pep508_rs::Requirement::<VerbatimUrl>::from_str(text).map_err(|e| {
            RequirementError {
                text: text.to_owned(),
                reason: e.message.to_string(),
                at: e.start,
            }
        })?;
        let wanted = match parsed.version_or_url {
            None => Wanted::Versions(VersionSpecifiers::empty()),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Versions(specifiers),
            Some(VersionOrUrl::Url(url)) => Wanted::Url(url.to_url()),
        };
        Ok(Self {
            name: parsed.name,
            extras: parsed.extras.into_iter().collect(),
            wanted,
            marker: parsed.marker,
            origin: None,
        })
    }

    /// The same requirement, pointing at where it was written.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The specifiers, where versions are wanted.
    pub fn specifiers(&self) -> Option<&VersionSpecifiers> {
        match &self.wanted {
            Wanted::Versions(specifiers) => Some(specifiers),
            Wanted::Url(_) | Wanted::Path(_) => None,
        }
    }
}

/// Normalised PEP 508 text, with credentials left out of addresses.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if !self.extras.is_empty() {
            let extras: Vec<_> = self.extras.iter().map(AsRef::as_ref).collect();
            write!(f, "[{}]", extras.join(","))?;
        }
        match &self.wanted {
            Wanted::Versions(specifiers) => {
                let parts: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
                write!(f, "{}", parts.join(","))?;
            }
            Wanted::Url(url) => {
                let mut shown = url.clone();
                let _ = shown.set_password(None);
                let _ = shown.set_username("");
                write!(f, " @ {shown}")?;
            }
            Wanted::Path(path) => write!(f, " @ {}", path.display())?,
        }
        match self.marker.try_to_string() {
            Some(marker) if matches!(self.wanted, Wanted::Versions(_)) => write!(f, "; {marker}"),
            Some(marker) => write!(f, " ; {marker}"),
            None => Ok(()),
        }
    }
}
