//! Core metadata (PEP 241 to 794): the header reader, and what we keep of it.
//!
//! Only the header is read: a file of several hundred kilobytes is mostly description, and the
//! resolver reads thousands of them. As with Python's own readers, the header ends at the first
//! line that is neither a field nor the continuation of one.

use std::borrow::Cow;
use std::str::FromStr;

use memchr::memchr;

use super::requirement::RequirementError;
use super::requires::{Reader, Requires};
use super::specifier::{self, SpecifierError};
use super::{ExtraName, PackageName, VersionSpecifiers};

/// What a release says of itself, as far as resolving and packaging need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`, normalised.
    pub name: PackageName,
    /// `Version`, as written.
    pub version: String,
    /// `Requires-Dist`; extras are markers.
    pub requires_dist: Requires,
    /// Names in `Requires-Dist` as they are written, where that is not the normalised name.
    pub spellings: Vec<(PackageName, String)>,
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

/// Why a text is not core metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A required field is not there.
    #[error("the metadata has no field `{0}`")]
    Missing(&'static str),
    /// `Name` is not a project's name.
    #[error("`{0}` is not a project's name")]
    InvalidName(String),
    /// A requirement that cannot be read even leniently.
    #[error("`Requires-Dist`: {0}")]
    InvalidRequirement(#[from] RequirementError),
    /// A `Requires-Python` that cannot be read even leniently.
    #[error("`Requires-Python`: {0}")]
    InvalidSpecifier(#[from] SpecifierError),
    /// More fields than any release has.
    #[error("the metadata has more than {limit} fields `{field}`")]
    TooMany {
        /// The field.
        field: &'static str,
        /// The limit.
        limit: usize,
    },
}

/// The most requirements that a release may have.
const MAX_REQUIREMENTS: usize = 20_000;

/// The longest `License` that is a name and not a text.
const MAX_LICENSE: usize = 120;

impl Metadata {
    /// Reads a wheel's `METADATA`, or a `PKG-INFO` whose [`Header::tells`] was asked before.
    /// Requirements are read leniently, and each repair is told.
    ///
    /// # Errors
    /// When name or version are missing, or a requirement makes no sense.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        Self::from_header(&Header::parse(bytes))
    }

    /// The same, reading only requirements that `reader` has not read before: releases of a project
    /// mostly have the same.
    ///
    /// # Errors
    /// As [`Metadata::parse`].
    pub fn parse_with(bytes: &[u8], reader: &Reader) -> Result<Self, MetadataError> {
        Self::read(&Header::parse(bytes), reader)
    }

    /// What a header says; see [`Metadata::parse`].
    ///
    /// # Errors
    /// As [`Metadata::parse`].
    pub fn from_header(header: &Header<'_>) -> Result<Self, MetadataError> {
        Self::read(header, &Reader::default())
    }

    fn read(header: &Header<'_>, reader: &Reader) -> Result<Self, MetadataError> {
        let name = header.first("Name").ok_or(MetadataError::Missing("Name"))?;
        let name = PackageName::from_str(name.trim())
            .map_err(|_| MetadataError::InvalidName(name.to_owned()))?;
        let version = header
            .first("Version")
            .ok_or(MetadataError::Missing("Version"))?
            .to_owned();
        let mut repairs = Vec::new();
        let (mut texts, mut requires_dist) = (String::new(), Vec::new());
        let mut spellings: Vec<(PackageName, String)> = Vec::new();
        for text in header.all("Requires-Dist") {
            if requires_dist.len() == MAX_REQUIREMENTS {
                return Err(MetadataError::TooMany {
                    field: "Requires-Dist",
                    limit: MAX_REQUIREMENTS,
                });
            }
            let text = unfolded(text);
            let read = reader.lenient(&text)?;
            let written = name_of(&text);
            let name = &read.requirement.name;
            if written != name.as_ref() && !spellings.iter().any(|(n, w)| n == name && w == written)
            {
                spellings.push((name.clone(), written.to_owned()));
            }
            let start = texts.len();
            texts.push_str(&text);
            let valid = read.repaired.is_none();
            requires_dist.push((start..texts.len(), read.requirement, valid));
            if let Some(repaired) = read.repaired {
                repairs.push((text.into_owned(), repaired.to_string()));
            }
        }
        let mut requires_python = None;
        if let Some(text) = header.first("Requires-Python").filter(|t| !is_unset(t)) {
            let text = unfolded(text);
            let (specifiers, repaired) = specifier::parse_lenient(&text)?;
            if let Some(repaired) = repaired {
                repairs.push((text.into_owned(), repaired));
            }
            requires_python = (!specifiers.is_empty()).then_some(specifiers);
        }
        let mut provides_extra: Vec<ExtraName> = Vec::new();
        for extra in header.all("Provides-Extra") {
            if let Ok(extra) = ExtraName::from_str(&extra_name(extra))
                && !provides_extra.contains(&extra)
            {
                provides_extra.push(extra);
            }
        }
        Ok(Self {
            name,
            version,
            requires_dist: Requires::of_text(&texts, requires_dist),
            spellings,
            requires_python,
            provides_extra,
            about: About::from_header(header),
            repairs,
        })
    }

    /// How `Requires-Dist` spells a project's name, in every way that it does.
    pub fn spelt(&self, project: &PackageName) -> Vec<String> {
        let written = self.spellings.iter().filter(|(name, _)| name == project);
        let mut written: Vec<String> = written.map(|(_, written)| written.clone()).collect();
        let lines = self.requires_dist.iter().filter(|r| r.name == *project);
        if written.is_empty() || lines.count() > written.len() {
            written.insert(0, project.to_string());
        }
        written
    }
}

/// The name that a requirement starts with, as written.
fn name_of(requirement: &str) -> &str {
    let text = requirement.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

impl About {
    /// The descriptive fields of a header.
    pub fn from_header(header: &Header<'_>) -> Self {
        let text = |field: &str| {
            let value = header.first(field)?.trim();
            (!is_unset(value)).then(|| value.to_owned())
        };
        let urls = header.all("Project-URL").filter_map(|value| {
            let (label, address) = value.split_once(',')?;
            Some((label.trim().to_owned(), address.trim().to_owned()))
        });
        Self {
            summary: text("Summary").map(|s| unfolded(&s).into_owned()),
            home_page: text("Home-page"),
            urls: urls.collect(),
            license_expression: text("License-Expression"),
            license: text("License").filter(|l| is_license_name(l)),
            license_classifiers: header
                .all("Classifier")
                .filter(|c| c.starts_with("License ::"))
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// Whether a `License` field names a licence, and is not the licence's text.
pub fn is_license_name(text: &str) -> bool {
    text.len() <= MAX_LICENSE && !text.contains('\n')
}

/// An extra's name as setuptools makes a valid one (`safe_extra`): `all tests` is `all-tests`.
pub fn extra_name(written: &str) -> String {
    let mut name = String::with_capacity(written.len());
    for c in written.trim().chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

/// The fields of a core metadata file, borrowed where the text is UTF-8.
#[derive(Debug)]
pub struct Header<'a> {
    fields: Vec<(&'a str, &'a str)>,
    /// Fields of a text that is not UTF-8.
    owned: Vec<(String, String)>,
}

/// The most fields that are kept; the fields that matter come first in every known writer.
const MAX_FIELDS: usize = 50_000;

impl<'a> Header<'a> {
    /// Reads the fields before the first blank line. Never fails: what is no field ends the header.
    pub fn parse(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let end = header_end(bytes);
        let bytes = bytes.get(..end).unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Self {
                fields: fields_of(text),
                owned: Vec::new(),
            },
            Err(_) => {
                let text = String::from_utf8_lossy(bytes);
                let owned = fields_of(&text)
                    .into_iter()
                    .map(|(field, value)| (field.to_owned(), value.to_owned()));
                Self {
                    fields: Vec::new(),
                    owned: owned.collect(),
                }
            }
        }
    }

    /// The values of a field in order; the field's name in any case.
    pub fn all<'s>(&'s self, field: &'s str) -> impl Iterator<Item = &'s str> + 's {
        let owned = self.owned.iter().map(|(f, v)| (f.as_str(), v.as_str()));
        let all = self.fields.iter().copied().chain(owned);
        all.filter(move |(f, _)| f.eq_ignore_ascii_case(field))
            .map(|(_, value)| value)
    }

    /// The first value of a field.
    pub fn first<'s>(&'s self, field: &'s str) -> Option<&'s str> {
        self.all(field).next()
    }

    /// `Metadata-Version`, `(1, 0)` where there is none.
    pub fn metadata_version(&self) -> (u32, u32) {
        let parse = |text: &str| {
            let (major, minor) = text.trim().split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        self.first("Metadata-Version")
            .and_then(parse)
            .unwrap_or((1, 0))
    }

    /// Whether this sdist's `PKG-INFO` is bound to say of a field what every wheel built from the
    /// sdist will say (PEP 643): from version 2.2 on, unless the field is declared dynamic.
    pub fn tells(&self, field: &str) -> bool {
        self.metadata_version() >= (2, 2)
            && !self
                .all("Dynamic")
                .any(|d| d.trim().eq_ignore_ascii_case(field))
    }
}

/// Where the header ends: before the first blank line.
fn header_end(bytes: &[u8]) -> usize {
    let mut start = 0;
    while let Some(rest) = bytes.get(start..).filter(|r| !r.is_empty()) {
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or(rest);
        if line.is_empty() || line == b"\r" {
            return start;
        }
        start += length + 1;
    }
    bytes.len()
}

/// Fields and raw values; a value spans its continuation lines.
fn fields_of(text: &str) -> Vec<(&str, &str)> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    // The current field's name, and where its value starts.
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    let value = |from: usize, to: usize| text.get(from..to).unwrap_or_default().trim();
    for line in text.split_inclusive('\n') {
        let start = at;
        if line.starts_with([' ', '\t']) {
            at += line.len();
            continue;
        }
        let Some((name, _)) = line.split_once(':').filter(|(name, _)| is_field(name)) else {
            break;
        };
        if let Some((field, from)) = open.replace((name, start + name.len() + 1)) {
            fields.push((field, value(from, start)));
        }
        at += line.len();
        if fields.len() >= MAX_FIELDS {
            break;
        }
    }
    if let Some((field, from)) = open {
        fields.push((field, value(from, at)));
    }
    fields
}

fn is_field(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic())
}

/// A folded value on one line.
fn unfolded(value: &str) -> Cow<'_, str> {
    if value.contains(['\n', '\r', '\t']) {
        Cow::Owned(value.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(value)
    }
}

/// Old writers say `UNKNOWN`, some `None`, where there is nothing to say.
fn is_unset(value: &str) -> bool {
    matches!(value.trim(), "" | "UNKNOWN" | "None")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEEL: &str = "Metadata-Version: 2.1\r
Name: Demo.Client\r
Version: 1.0\r
Summary: Folded\r
  over two lines\r
License: UNKNOWN\r
Project-URL: Source, https://demo.test/source\r
Classifier: License :: OSI Approved :: MIT License\r
Classifier: Programming Language :: Python\r
Requires-Python: >=2.7.*, !=3.0*\r
Requires-Dist: alpha (>=1.0)\r
Requires-Dist: beta>=1.*;\r
    extra == 'More'\r
Provides-Extra: More\r
Provides-Extra: all tests\r
\r
Requires-Dist: not-a-field\r
";

    #[test]
    fn names_are_kept_as_they_are_spelt() {
        let text = "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: Foo_Bar>=1\n\
                    Requires-Dist: foo-bar<9; extra == 'x'\nRequires-Dist: PyYAML\nRequires-Dist: six\n";
        let metadata = Metadata::parse(text.as_bytes()).unwrap();
        let spelt = |name: &str| metadata.spelt(&PackageName::from_str(name).unwrap());
        assert_eq!(spelt("foo-bar"), ["foo-bar", "Foo_Bar"]);
        assert_eq!(spelt("pyyaml"), ["PyYAML"]);
        assert_eq!(spelt("six"), ["six"]);
    }

    #[test]
    fn a_wheel_is_read_up_to_its_description() {
        let metadata = Metadata::parse(WHEEL.as_bytes()).unwrap();
        assert_eq!(metadata.name.as_ref(), "demo-client");
        assert_eq!(metadata.version, "1.0");
        assert_eq!(
            metadata.about.summary.as_deref(),
            Some("Folded over two lines")
        );
        assert_eq!(metadata.about.license, None);
        assert_eq!(
            metadata.about.license_classifiers,
            ["License :: OSI Approved :: MIT License"]
        );
        assert_eq!(
            metadata.about.urls,
            [("Source".into(), "https://demo.test/source".into())]
        );
        let requires: Vec<_> = metadata
            .requires_dist
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(requires, ["alpha>=1.0", "beta>=1; extra == 'more'"]);
        let extras: Vec<_> = metadata
            .provides_extra
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(extras, ["more", "all-tests"]);
        assert_eq!(
            metadata.repairs,
            [
                (
                    "beta>=1.*; extra == 'More'".to_owned(),
                    "beta>=1; extra == \"More\"".to_owned()
                ),
                (">=2.7.*, !=3.0*".to_owned(), ">=2.7,!=3.0.*".to_owned())
            ]
        );
    }

    #[test]
    fn an_sdist_tells_only_what_it_must() {
        let new =
            Header::parse(b"Metadata-Version: 2.2\nName: a\nVersion: 1\nDynamic: requires-dist\n");
        assert!(!new.tells("Requires-Dist"));
        assert!(new.tells("Requires-Python"));
        let old = Header::parse(b"Metadata-Version: 2.1\nName: a\nVersion: 1\n");
        assert!(!old.tells("Requires-Python"));
        assert_eq!(Header::parse(b"").metadata_version(), (1, 0));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_the_fields() {
        let metadata = Metadata::parse(
            b"Metadata-Version: 1.0\nName: a\nVersion: 1\nAuthor: J\xf6rg\nRequires-Dist: b\n",
        )
        .unwrap();
        assert_eq!(metadata.requires_dist.len(), 1);
    }

    #[test]
    fn what_is_missing_or_senseless_is_an_error() {
        assert_eq!(Metadata::parse(b""), Err(MetadataError::Missing("Name")));
        assert_eq!(
            Metadata::parse(b"Name: a\n"),
            Err(MetadataError::Missing("Version"))
        );
        assert!(matches!(
            Metadata::parse(b"Name: a b\nVersion: 1\n"),
            Err(MetadataError::InvalidName(_))
        ));
        assert!(matches!(
            Metadata::parse(b"Name: a\nVersion: 1\nRequires-Dist: banana split\n"),
            Err(MetadataError::InvalidRequirement(_))
        ));
        assert!(matches!(
            Metadata::parse(b"Name: a\nVersion: 1\nRequires-Python: banana\n"),
            Err(MetadataError::InvalidSpecifier(_))
        ));
    }
}
