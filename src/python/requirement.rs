//! A requirement on a project: PEP 508, with where it was written.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pep508_rs::{MarkerWarningKind, VersionOrUrl};
use url::Url;

use super::{ExtraName, MarkerTree, PackageName, VersionSpecifiers};
use crate::problem::Origin;

/// An address without its login, which is for whoever fetches from there and for nobody else: what
/// is shown or written holds none.
pub fn without_login(url: &Url) -> Url {
    let mut url = url.clone();
    // Both can only fail for addresses without a host, which hold no login.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

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

impl Wanted {
    /// Whether both name the same address or path, however it is written: a path may be a `file:`
    /// address, and the name in a fragment (`#egg=`) and the order of its parts say nothing.
    pub fn is_same_place(&self, other: &Self) -> bool {
        self == other || self.place() == other.place()
    }

    fn place(&self) -> Self {
        let Wanted::Url(url) = self else {
            return self.clone();
        };
        let parts = url.fragment().unwrap_or_default().split('&');
        let mut parts: Vec<&str> = parts
            .filter(|part| !part.is_empty() && !part.starts_with("egg="))
            .collect();
        parts.sort_unstable();
        if parts.is_empty()
            && url.scheme() == "file"
            && let Ok(path) = url.to_file_path()
        {
            return Wanted::Path(path);
        }
        let mut place = url.clone();
        let fragment = parts.join("&");
        place.set_fragment((!fragment.is_empty()).then_some(&*fragment));
        Wanted::Url(place)
    }
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
        match checked_parse(text)? {
            (requirement, None) => Ok(requirement),
            (_, Some(ignored)) => Err(RequirementError {
                text: text.to_owned(),
                reason: ignored,
                at: text.find(';').unwrap_or(0),
            }),
        }
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

/// Reads a requirement; the second value says which comparison of its marker means nothing.
///
/// The parser below trusts its input more than we may: it panics on names that end in a dash, and
/// its own type for addresses puts environment variables into them.
pub(super) fn checked_parse(text: &str) -> Result<(Requirement, Option<String>), RequirementError> {
    let fail = |reason: String, at: usize| RequirementError {
        text: text.to_owned(),
        reason,
        at,
    };
    guard(text).map_err(|(reason, at)| fail(reason.to_owned(), at))?;
    let mut ignored = None;
    let mut reporter = |kind: MarkerWarningKind, message: String| {
        if matches!(kind, MarkerWarningKind::Pep440Error) || message.contains("ignored") {
            ignored.get_or_insert_with(|| {
                let message = message.replace(", will be ignored", "");
                message.split_whitespace().collect::<Vec<_>>().join(" ")
            });
        }
    };
    let parsed = pep508_rs::Requirement::<Url>::parse_reporter(text, "", &mut reporter)
        .map_err(|e| fail(e.message.to_string(), e.start.min(text.len())))?;
    let wanted = match parsed.version_or_url {
        None => Wanted::Versions(VersionSpecifiers::empty()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Wanted::Versions(specifiers),
        Some(VersionOrUrl::Url(url)) => Wanted::Url(url),
    };
    let requirement = Requirement {
        name: parsed.name,
        extras: parsed.extras.into_iter().collect(),
        wanted,
        marker: parsed.marker,
        origin: None,
    };
    Ok((requirement, ignored))
}

/// More than any sensible requirement.
const MAX_LENGTH: usize = 16 << 10;
const MAX_NESTING: usize = 32;

/// What the parser would panic on, or take too long for.
fn guard(text: &str) -> Result<(), (&'static str, usize)> {
    if text.len() > MAX_LENGTH {
        return Err(("it is too long", 0));
    }
    let body = text.trim_start();
    let start = text.len() - body.len();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let end = body.find(|c| !is_name(c)).unwrap_or(body.len());
    let (name, rest) = body.split_at(end);
    if name.ends_with(|c: char| !c.is_ascii_alphanumeric()) {
        return Err(("a name ends with a letter or a digit", start + end - 1));
    }
    if let Some(inner) = rest.trim_start().strip_prefix('[') {
        let extras = inner.split(']').next().unwrap_or_default();
        for extra in extras.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            if ExtraName::from_str(extra).is_err() {
                return Err((
                    "an extra starts and ends with a letter or a digit",
                    start + end,
                ));
            }
        }
    }
    let mut nesting = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => nesting += 1,
            ')' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > MAX_NESTING {
            return Err(("its parentheses are nested too deeply", at));
        }
    }
    if let Some((head, marker)) = text.split_once(';')
        && let Some(reason) = super::limit::excess(marker)
    {
        return Err((reason, head.len()));
    }
    Ok(())
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
                write!(f, " @ {}", without_login(url))?;
            }
            Wanted::Path(path) => write!(f, " @ {}", path.display())?,
        }
        match super::marker::text(&self.marker) {
            Some(marker) if matches!(self.wanted, Wanted::Versions(_)) => write!(f, "; {marker}"),
            Some(marker) => write!(f, " ; {marker}"),
            None => Ok(()),
        }
    }
}
