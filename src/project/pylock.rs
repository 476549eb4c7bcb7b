//! A `pylock.toml` (PEP 751) read back: its pins, and what pyresolve wrote for itself.
//!
//! Any tool's lock is understood as far as pins and files go; `[tool.pyresolve]` is there only in
//! our own. Hashes are kept as text: the reader does not trust them, the index client checks them.

pub mod graph;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::problem::{Code, Origin, Problem, Severity, SourceFile};
use crate::python::{PackageName, Version};

/// Why a text is not a lock that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PylockError {
    /// It is not TOML, or a key has the wrong type.
    #[error("line {line}: {reason}")]
    Syntax {
        /// One-based.
        line: usize,
        /// Where, in bytes.
        span: Range<usize>,
        /// What is wrong.
        reason: String,
    },
    /// It says it is of a version that did not exist when this was written.
    #[error("`lock-version` is `{version}`, and only 1.0 is known")]
    Version {
        /// The version.
        version: String,
        /// Where, in bytes.
        span: Range<usize>,
    },
    /// A package's name or version is none.
    #[error("package {number}: `{text}` is not a {what}")]
    Invalid {
        /// One-based, in the order of the file.
        number: usize,
        /// What it should be.
        what: &'static str,
        /// What it is.
        text: String,
        /// Where, in bytes.
        span: Range<usize>,
    },
}

impl PylockError {
    /// The same as a problem of the file that the text is of.
    pub fn problem(&self, path: &Path, text: &str) -> Problem {
        let (code, span) = match self {
            Self::Syntax { span, .. } | Self::Invalid { span, .. } => (Code::InvalidSyntax, span),
            Self::Version { span, .. } => (Code::UnknownLockVersion, span),
        };
        let what = match self {
            Self::Syntax { reason, .. } => reason.replace('\n', ", "),
            other => other.to_string(),
        };
        let file = SourceFile {
            path: path.strip_prefix(".").unwrap_or(path).to_owned(),
            text: text.to_owned(),
        };
        Problem {
            code,
            severity: Severity::Error,
            what,
            origin: Some(Origin {
                file: Arc::new(file),
                span: span.clone(),
            }),
            help: None,
        }
    }
}

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pylock {
    /// Which Pythons it is for.
    pub requires_python: Option<String>,
    /// The markers of the environments it is for.
    pub environments: Vec<String>,
    /// The pins, in the order of the file.
    pub packages: Vec<Locked>,
    /// `[tool.pyresolve]`.
    pub own: Option<Own>,
}

/// A pin of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The project.
    pub name: PackageName,
    /// The version; locks may leave it out for folders and repositories.
    pub version: Option<Version>,
    /// When it is installed.
    pub marker: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// The pins it needs, with a version where the name alone is not enough.
    pub dependencies: Vec<(PackageName, Option<String>)>,
    /// Its sdist.
    pub sdist: Option<LockedFile>,
    /// Its wheels.
    pub wheels: Vec<LockedFile>,
    /// Whether it is from a folder, an archive or a repository instead of an index.
    pub direct: bool,
    /// `[packages.tool.pyresolve]`.
    pub own: OwnPackage,
}

/// A file of a pin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LockedFile {
    /// Its name, where the address does not tell it.
    pub name: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// Its size.
    pub size: Option<u64>,
    /// Its digests, hexadecimal.
    #[serde(default)]
    pub hashes: BTreeMap<String, String>,
}

/// What pyresolve wrote for itself about the whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Own {
    /// The digest of everything that was asked.
    pub inputs: String,
    /// The interpreter's full version.
    pub python: String,
    /// The systems.
    pub systems: Vec<String>,
    /// How versions were preferred.
    pub prefer: String,
    /// How the Nix files are laid out; empty for the usual way.
    pub format: String,
    /// The nixpkgs facts that were used.
    pub nixpkgs: Option<OwnNixpkgs>,
    /// What the user required.
    pub requirements: Vec<String>,
    /// The user's limits on versions, of settings and files.
    pub constraints: Vec<String>,
    /// His requirements that replace others.
    pub overrides: Vec<String>,
    /// What only builds need.
    pub build: Vec<OwnBuild>,
    /// The files that were written with the lock, with the digests of their texts
    /// (`sha256:` and hexadecimal digits).
    pub written: BTreeMap<String, String>,
}

/// The nixpkgs facts that were used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct OwnNixpkgs {
    /// The channel.
    pub channel: String,
    /// The day, empty where it was not known.
    pub date: String,
    /// The git revision.
    pub revision: Option<String>,
}

/// A pin that only builds need.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct OwnBuild {
    /// The project.
    pub name: String,
    /// The version.
    pub version: String,
    /// What the Nix file does about it.
    pub action: Option<String>,
    /// The attribute.
    pub attribute: Option<String>,
    /// Who needs it.
    pub needed_by: Vec<OwnNeed>,
    /// What of nixpkgs its build needs, by attribute, each with who says so.
    pub inputs: BTreeMap<String, Vec<String>>,
}

/// Somebody who needs something.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct OwnNeed {
    /// Who: `building demo 1.0`.
    pub by: String,
    /// The requirement.
    pub requirement: String,
}

/// What pyresolve wrote for itself about a pin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct OwnPackage {
    /// Its requirements, as far as the targets need them.
    pub requires: Vec<String>,
    /// The extras that were asked of it.
    pub extras: Vec<String>,
    /// What the Nix file does about it.
    pub action: Option<String>,
    /// The attribute.
    pub attribute: Option<String>,
    /// The newer version that would have been taken, and what speaks against it.
    #[serde(rename = "rather-than")]
    pub rather_than: Option<String>,
    /// Why not.
    pub because: Option<String>,
    /// What of nixpkgs its build needs, by attribute, each with who says so.
    pub inputs: BTreeMap<String, Vec<String>>,
}

impl Pylock {
    /// Reads a lock.
    ///
    /// # Errors
    /// When it is not TOML, of another version, or names something that cannot be a project.
    pub fn parse(text: &str) -> Result<Self, PylockError> {
        let document: Document = toml::from_str(text).map_err(|error| PylockError::Syntax {
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            span: error.span().unwrap_or(0..0),
            reason: error.message().to_owned(),
        })?;
        let version = document.lock_version.get_ref();
        if version != "1" && !version.starts_with("1.") {
            return Err(PylockError::Version {
                version: version.clone(),
                span: document.lock_version.span(),
            });
        }
        let packages = document
            .packages
            .into_iter()
            .enumerate()
            .map(|(index, package)| package.check(index + 1))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            requires_python: document.requires_python,
            environments: document.environments,
            packages,
            own: document.tool.pyresolve,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    lock_version: Spanned<String>,
    requires_python: Option<String>,
    #[serde(default)]
    environments: Vec<String>,
    #[serde(default)]
    packages: Vec<Package>,
    #[serde(default)]
    tool: Tool,
}

#[derive(Deserialize, Default)]
struct Tool {
    pyresolve: Option<Own>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    marker: Option<String>,
    index: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    sdist: Option<LockedFile>,
    #[serde(default)]
    wheels: Vec<LockedFile>,
    vcs: Option<toml::Table>,
    directory: Option<toml::Table>,
    archive: Option<toml::Table>,
    #[serde(default)]
    tool: PackageTool,
}

#[derive(Deserialize)]
struct Dependency {
    name: Spanned<String>,
    version: Option<String>,
}

#[derive(Deserialize, Default)]
struct PackageTool {
    #[serde(default)]
    pyresolve: OwnPackage,
}

impl Package {
    fn check(self, number: usize) -> Result<Locked, PylockError> {
        let project = |text: Spanned<String>| {
            PackageName::from_str(text.get_ref()).map_err(|_| PylockError::Invalid {
                number,
                what: "project's name",
                span: text.span(),
                text: text.into_inner(),
            })
        };
        let version = match self.version {
            None => None,
            Some(text) => {
                Some(
                    Version::from_str(text.get_ref()).map_err(|_| PylockError::Invalid {
                        number,
                        what: "version",
                        span: text.span(),
                        text: text.into_inner(),
                    })?,
                )
            }
        };
        let direct = self.vcs.is_some() || self.directory.is_some() || self.archive.is_some();
        Ok(Locked {
            name: project(self.name)?,
            version,
            marker: self.marker,
            index: self.index,
            dependencies: self
                .dependencies
                .into_iter()
                .map(|d| Ok((project(d.name)?, d.version)))
                .collect::<Result<_, _>>()?,
            sdist: self.sdist,
            wheels: self.wheels,
            direct,
            own: self.tool.pyresolve,
        })
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_tools_lock() {
        let lock = Pylock::parse(
            "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'Demo'\nversion = '1.0'\n\
             wheels = [{ url = 'https://files.test/demo-1.0-py3-none-any.whl', hashes = { sha256 = 'ab' } }]\n\
             [[packages]]\nname = 'local'\ndirectory = { path = '.' }\n",
        )
        .unwrap();
        assert_eq!(lock.packages[0].name.as_ref(), "demo");
        assert_eq!(lock.packages[0].wheels[0].hashes["sha256"], "ab");
        assert!(lock.packages[1].direct && lock.packages[1].version.is_none());
        assert_eq!(lock.own, None);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let error = |text: &str| Pylock::parse(text).unwrap_err().to_string();
        assert!(error("lock-version = '1.0'\nx = \n").starts_with("line 2:"));
        assert!(error("lock-version = '2.0'\n").contains("only 1.0"));
        assert!(
            error("lock-version = '1.0'\n[[packages]]\nname = '!'\n").contains("package 1: `!`")
        );
        assert!(error("").contains("lock-version") || error("").contains("lock_version"));
    }
}
