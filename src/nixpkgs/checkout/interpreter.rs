//! The interpreters of a tree: which release of Python 3.13 its `python313` is.

use std::str::FromStr as _;

use rnix::ast::{AttrpathValue, Expr, HasEntry as _};
use rowan::ast::AstNode as _;

use crate::python::Version;

/// The full version of an interpreter (`3.13`), as the file that lists them has it: as
/// `sourceVersion = { major = "3"; minor = "13"; patch = "5"; suffix = ""; }` in its arguments.
pub(super) fn version(text: &str, minor: &str) -> Option<Version> {
    let file = crate::nix::read::parse(text).ok()?;
    let nodes = file.syntax().descendants();
    let mut versions = nodes.filter_map(AttrpathValue::cast).filter_map(|binding| {
        let is_version = binding.attrpath()?.syntax().text() == "sourceVersion";
        is_version.then(|| source_version(&binding)).flatten()
    });
    let wanted = format!("{minor}.");
    versions.find(|version| version.to_string().starts_with(&wanted))
}

fn source_version(binding: &AttrpathValue) -> Option<Version> {
    let Expr::AttrSet(set) = binding.value()? else {
        return None;
    };
    let part = |name: &str| {
        let mut bindings = set.attrpath_values();
        let found = bindings.find(|b| b.attrpath().is_some_and(|a| a.syntax().text() == name))?;
        let text = found.value()?.syntax().text().to_string();
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        Some(inner.to_owned())
    };
    let (major, minor, patch) = (part("major")?, part("minor")?, part("patch")?);
    let suffix = part("suffix").unwrap_or_default();
    Version::from_str(&format!("{major}.{minor}.{patch}{suffix}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_an_interpreter_is_read() {
        let text = r#"{ callPackage }: {
          pythonInterpreters = rec {
            python313 = callPackage ./cpython {
              self = python313;
              sourceVersion = { major = "3"; minor = "13"; patch = "12"; suffix = ""; };
            };
            python315 = callPackage ./cpython {
              sourceVersion = { major = "3"; minor = "15"; patch = "0"; suffix = "a7"; };
            };
            odd = { sourceVersion = version; };
          };
        }"#;
        let read = |minor| version(text, minor).map(|v| v.to_string());
        assert_eq!(read("3.13").as_deref(), Some("3.13.12"));
        assert_eq!(read("3.15").as_deref(), Some("3.15.0a7"));
        assert_eq!(read("3.1"), None);
        assert_eq!(version("{ sourceVersion = ", "3.13"), None);
    }
}
