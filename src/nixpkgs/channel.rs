//! A channel's published list of packages (`packages.json`), as facts.
//!
//! The list is what `nix-env --query --available --json` says of the channel; it has names and
//! versions of every attribute and nothing of what recipes say. Whoever asks for it brings its bytes:
//! this folder has no network.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use serde::Deserialize;

use super::{Attribute, Nixpkgs};
use crate::python::{PackageName, Version};

/// More than any channel's list has, unpacked.
pub const MAX_LIST: usize = 512 << 20;

/// Why a list tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The name cannot be a channel's.
    #[error(
        "`{0}` cannot be the name of a channel; one is called `nixos-unstable` or `nixos-26.05`"
    )]
    Name(String),
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
                facts: None,
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

    #[test]
    fn names_cannot_lead_elsewhere() {
        assert_eq!(name("nixos-unstable"), Ok("nixos-unstable"));
        for bad in ["", "..", "a/b", "a?b", "a b", "-x", "a\nb"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
