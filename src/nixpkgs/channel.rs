//! A channel's published list of packages (`packages.json`), as facts.
//!
//! Channels publish it compressed (`packages.json.br`, RFC 7932), with the git revision beside it.
//! The list is what `nix-env --query --available --json` says of the channel; it has names and
//! versions of every attribute and nothing of what recipes say. Whoever asks for it brings its bytes:
//! this folder has no network.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Read as _};
use std::str::FromStr as _;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Attribute, Nixpkgs};
use crate::python::{PackageName, Version};

/// More than any channel's list has, unpacked.
pub const MAX_LIST: usize = 1 << 30;

/// More than any channel's list has, as it is fetched.
pub const MAX_PACKED: u64 = 64 << 20;

/// More Python packages than all sets of a channel have.
const MAX_PACKAGES: usize = 200_000;

/// The file that tells the git revision of a channel's list, beside it.
pub const REVISION: &str = "git-revision";

/// Where a channel's list is, `base` being where channels are: their host's own list where none is
/// given.
///
/// # Errors
/// When the base is no address.
pub fn address(base: Option<&str>, channel: &str) -> Result<url::Url, ChannelError> {
    let base = base.map_or_else(|| "https://channels.nixos.org".to_owned(), str::to_owned);
    let text = format!("{}/{channel}/packages.json.br", base.trim_end_matches('/'));
    let url = url::Url::parse(&text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(ChannelError::Address(base))
}

/// The Python packages of a list as it is fetched: a list like it, unpacked, which [`read`] takes.
///
/// # Errors
/// Why it is no such list.
pub fn unpack(packed: &[u8]) -> Result<String, String> {
    let unpacked = brotli_decompressor::Decompressor::new(packed, 1 << 16);
    let mut limited = unpacked.take(MAX_LIST as u64);
    let list: Result<PythonList, _> =
        serde_json::from_reader(BufReader::with_capacity(1 << 16, &mut limited));
    if limited.limit() == 0 {
        return Err(format!("unpacked, it has more than {} MiB", MAX_LIST >> 20));
    }
    let list = list.map_err(|error| match error.io_error_kind() {
        Some(_) => "it is not compressed as it should be (Brotli)".to_owned(),
        None => format!("it is no list of packages: {error}"),
    })?;
    serde_json::to_string(&list).map_err(|error| error.to_string())
}

/// A list of which only Python packages are kept.
#[derive(Serialize, Deserialize)]
struct PythonList {
    packages: PythonPackages,
}

#[derive(Serialize)]
#[serde(transparent)]
struct PythonPackages(BTreeMap<String, OwnPackage>);

#[derive(Serialize, Deserialize)]
struct OwnPackage {
    #[serde(default)]
    pname: String,
    #[serde(default)]
    version: String,
}

impl<'de> Deserialize<'de> for PythonPackages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Packages;
        impl<'de> Visitor<'de> for Packages {
            type Value = PythonPackages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("packages by attribute")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut found = BTreeMap::new();
                while let Some(path) = map.next_key::<String>()? {
                    if is_python(&path) && found.len() < MAX_PACKAGES {
                        let package: OwnPackage = map.next_value()?;
                        if package.pname.len() + package.version.len() < 400 {
                            found.insert(path, package);
                        }
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(PythonPackages(found))
            }
        }
        deserializer.deserialize_map(Packages)
    }
}

/// Whether an attribute is a member of some interpreter's set: `python313Packages.flask`.
fn is_python(path: &str) -> bool {
    let set = path.split_once('.').map(|(set, _)| set);
    set.is_some_and(|set| set.starts_with("python3") && set.ends_with("Packages"))
        && path.len() < 200
}

/// Why a list tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The name cannot be a channel's.
    #[error(
        "`{0}` cannot be the name of a channel; one is called `nixos-unstable` or `nixos-26.05`"
    )]
    Name(String),
    /// Where channels are is no address.
    #[error("`{0}` is not the address of a place with channels")]
    Address(String),
    /// It is no list of packages.
    #[error("the list of packages of the channel `{channel}` cannot be read: {why}")]
    Format {
        /// The channel.
        channel: String,
        /// Why not.
        why: String,
    },
    /// It has no packages for the interpreter.
    #[error("the channel `{channel}` has no packages for Python {minor}")]
    NoInterpreter {
        /// The channel.
        channel: String,
        /// The interpreter.
        minor: String,
    },
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    packages: BTreeMap<&'a str, Package<'a>>,
}

#[derive(Deserialize)]
struct Package<'a> {
    #[serde(default)]
    pname: std::borrow::Cow<'a, str>,
    #[serde(default)]
    version: std::borrow::Cow<'a, str>,
}

/// A channel's name, checked: it becomes a part of an address.
///
/// # Errors
/// When it cannot be one.
pub fn name(text: &str) -> Result<&str, ChannelError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let good = !text.is_empty()
        && text.len() <= 80
        && text.bytes().all(plain)
        && !text.starts_with(['.', '-']);
    good.then_some(text)
        .ok_or_else(|| ChannelError::Name(text.to_owned()))
}

/// Reads a list, unpacked. `known` tells which project an attribute is known to install, `date` the
/// day of the list.
///
/// # Errors
/// See [`ChannelError`].
pub fn read(
    text: &str,
    channel: &str,
    date: &str,
    minor: &str,
    known: Option<&Nixpkgs>,
) -> Result<Nixpkgs, ChannelError> {
    let format = |why: String| ChannelError::Format {
        channel: channel.to_owned(),
        why,
    };
    if text.len() > MAX_LIST {
        return Err(format(format!("it has more than {MAX_LIST} bytes")));
    }
    let list: List<'_> = serde_json::from_str(text).map_err(|e| format(e.to_string()))?;
    let prefix = format!("python{}Packages.", minor.replace('.', ""));
    let mut attributes = Vec::new();
    for (path, package) in &list.packages {
        let Some(attr) = path.strip_prefix(&prefix).filter(|a| !a.contains('.')) else {
            continue;
        };
        let of_known = known.and_then(|k| k.project_of(attr)).cloned();
        let project = of_known.or_else(|| PackageName::from_str(&package.pname).ok());
        let released = package.version.split("-unstable-").next();
        let version = released.and_then(|v| Version::from_str(v).ok());
        if let (Some(project), Some(version)) = (project, version) {
            attributes.push(Attribute {
                primary: false,
                attr: attr.to_owned(),
                project,
                version,
                facts: Default::default(),
            });
        }
    }
    if attributes.is_empty() {
        return Err(ChannelError::NoInterpreter {
            channel: channel.to_owned(),
            minor: minor.to_owned(),
        });
    }
    super::checkout::mark_primaries(&mut attributes, known);
    Ok(Nixpkgs::new(
        channel.to_owned(),
        date.to_owned(),
        attributes,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"version": 2, "packages": {
        "python313Packages.django": {"name": "python3.13-django-5.2.12", "pname": "django", "version": "5.2.12"},
        "python313Packages.django_6": {"name": "python3.13-django-6.0.3", "pname": "django", "version": "6.0.3"},
        "python313Packages.tree-sitter-grammars.tree-sitter-c": {"pname": "tree-sitter-c", "version": "1"},
        "python314Packages.flask": {"pname": "flask", "version": "3.1.2"},
        "hello": {"name": "hello-2.12", "pname": "hello", "version": "2.12", "meta": {"broken": false}}
    }}"#;

    #[test]
    fn the_set_of_the_interpreter_is_read() {
        let set = read(LIST, "nixos-26.05", "2026-06-01", "3.13", None).unwrap();
        assert_eq!((&*set.channel, &*set.date), ("nixos-26.05", "2026-06-01"));
        let django = set.attributes(&PackageName::from_str("django").unwrap());
        let found: Vec<_> = django
            .iter()
            .map(|a| (a.attr.as_str(), a.primary))
            .collect();
        assert_eq!(found, [("django", true), ("django_6", false)]);
        assert_eq!(set.all().count(), 2);
        assert!(matches!(
            read(LIST, "c", "", "3.12", None),
            Err(ChannelError::NoInterpreter { .. })
        ));
        assert!(matches!(
            read("[]", "c", "", "3.12", None),
            Err(ChannelError::Format { .. })
        ));
    }

    /// LIST, compressed.
    const PACKED: &[u8] = include_bytes!("../../testdata/channel/packages.json.br");

    #[test]
    fn lists_are_unpacked_and_cut_down_to_python() {
        let list = unpack(PACKED).unwrap();
        assert!(
            !list.contains("hello") && list.contains("python314Packages.flask"),
            "{list}"
        );
        let set = read(&list, "nixos-26.05", "2026-06-01", "3.13", None).unwrap();
        assert_eq!(set.all().count(), 2);
        assert_eq!(
            unpack(&PACKED[..40]).err().as_deref(),
            Some("it is not compressed as it should be (Brotli)")
        );
        assert!(unpack(b"{}").is_err() && unpack(b"").is_err());
    }

    #[test]
    fn addresses_are_put_together() {
        let at = |base: Option<&str>| address(base, "nixos-26.05").map(|url| url.to_string());
        assert_eq!(
            at(Some("http://127.0.0.1:1/x/")).as_deref(),
            Ok("http://127.0.0.1:1/x/nixos-26.05/packages.json.br")
        );
        assert!(at(None).unwrap().ends_with("/nixos-26.05/packages.json.br"));
        assert!(at(Some("file:///etc")).is_err() && at(Some("x")).is_err());
    }

    #[test]
    fn names_cannot_lead_elsewhere() {
        assert_eq!(name("nixos-unstable"), Ok("nixos-unstable"));
        for bad in ["", "..", "a/b", "a?b", "a b", "-x", "a\nb"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
