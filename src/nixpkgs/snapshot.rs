//! The bundled table of Python attributes: decoded when asked for, one interpreter's column at a time.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{Attribute, Nixpkgs};
use crate::python::{PackageName, Version};

const TABLE: &str = include_str!("../../data/nixpkgs/python-packages.tsv");

/// The interpreters the snapshot knows, as `(major.minor, full version)`, the default one first.
const INTERPRETERS: [(&str, &str); 2] = [("3.13", "3.13.12"), ("3.14", "3.14.3")];

/// The full version of the snapshot's default interpreter.
pub fn default_python() -> Version {
    python("3.13").expect("the default interpreter is in the list")
}

/// The full version that the snapshot has of an interpreter such as `3.13`.
pub fn python(minor: &str) -> Option<Version> {
    let (_, full) = INTERPRETERS.iter().find(|(known, _)| *known == minor)?;
    Version::from_str(full).ok()
}

/// The interpreters that the snapshot has columns for: `3.13`, …
pub fn interpreters() -> impl Iterator<Item = &'static str> {
    INTERPRETERS.iter().map(|(minor, _)| *minor)
}

/// The channel and the day of the facts, without decoding the table.
pub fn origin() -> (&'static str, &'static str) {
    let first = TABLE.lines().next().unwrap_or("");
    first
        .strip_prefix("# ")
        .and_then(|line| line.split_once(' '))
        .unwrap_or(("", ""))
}

/// Interpreters that nixpkgs has too, and the column that is nearest to their sets.
const NEAREST: [(&str, &str); 2] = [("3.11", "3.13"), ("3.12", "3.13")];

/// The package set of an interpreter such as `3.13`. For those that nixpkgs has and the snapshot has not,
/// the nearest one's, which [`Nixpkgs::interpreter`] tells; none for others.
pub fn read(minor: &str) -> Option<Nixpkgs> {
    let nearest = NEAREST.iter().find(|(older, _)| *older == minor);
    column(nearest.map_or(minor, |(_, column)| column))
}

fn column(minor: &str) -> Option<Nixpkgs> {
    let mut lines = TABLE.lines();
    let (channel, date) = lines.next()?.strip_prefix("# ")?.split_once(' ')?;
    let wanted = format!("python{}", minor.replace('.', ""));
    let column = lines
        .next()?
        .split('\t')
        .skip(1)
        .position(|c| c == wanted)?;
    // The file listing that the table was read from has each store path once. Of the default
    // interpreter's packages it has those that are programs too (black, sphinx, docutils) under
    // their top-level names, so that their cells are empty. The sets of all interpreters are made
    // from one file: such an attribute is there, at the version of the next interpreter's set.
    // Where a release is not for this interpreter after all, its Requires-Python says so.
    let filled_from = (minor == INTERPRETERS[0].0).then_some(column + 1);
    let mut attributes = Vec::with_capacity(TABLE.len() / 24);
    let mut elsewhere = BTreeMap::new();
    for line in lines {
        let row = Row::parse(line)?;
        let project = PackageName::from_str(row.project).ok()?;
        match row.version(column).or_else(|| row.version(filled_from?)) {
            Some(version) => attributes.push(Attribute {
                attr: row.attr.to_owned(),
                project,
                version: Version::from_str(version).ok()?,
                primary: row.primary,
                facts: None,
            }),
            None => {
                elsewhere.insert(row.attr.to_owned(), project);
            }
        }
    }
    let mut nixpkgs = Nixpkgs::new(channel.to_owned(), date.to_owned(), attributes);
    nixpkgs.interpreter = minor.to_owned();
    Some(nixpkgs.with_elsewhere(elsewhere))
}

struct Row<'a> {
    attr: &'a str,
    primary: bool,
    project: &'a str,
    versions: &'a str,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('\t')?;
        let (project, versions) = rest.split_once('\t')?;
        let (primary, attr) = match name.strip_prefix('-') {
            Some(attr) => (false, attr),
            None => (true, name),
        };
        let project = if project.is_empty() { attr } else { project };
        Some(Self {
            attr,
            primary,
            project,
            versions,
        })
    }

    fn version(&self, column: usize) -> Option<&'a str> {
        let mut last = "";
        for cell in self.versions.split('\t').take(column + 1) {
            last = if cell == "=" { last } else { cell };
        }
        Some(last).filter(|version| !version.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        PackageName::from_str(text).unwrap()
    }

    #[test]
    fn every_column_reads_whole() {
        let rows = TABLE.lines().skip(2).count();
        for minor in interpreters() {
            let set = read(minor).unwrap();
            let (here, elsewhere) = set.counts();
            assert_eq!(here + elsewhere, rows);
            assert!(python(minor).unwrap().to_string().starts_with(minor));
        }
        assert!(read("3.9").is_none());
        assert_eq!(read("3.12").unwrap().interpreter, "3.13");
    }

    #[test]
    fn names_are_mapped_both_ways() {
        let set = read("3.13").unwrap();
        assert_eq!(set.channel, "nixos-unstable");
        assert_eq!(origin(), (&*set.channel, &*set.date));
        assert_eq!(set.date, "2026-05-03");
        let [xlib] = set.attributes(&name("python-xlib")) else {
            panic!("one attribute")
        };
        assert_eq!(xlib.attr, "xlib");
        let django = set.attributes(&name("django"));
        assert!(django[0].primary && django[0].attr == "django");
        assert!(!django[1].primary && django[1].attr == "django_6");
    }

    #[test]
    fn programs_of_the_default_interpreter_are_modules_too() {
        let set = read("3.13").unwrap();
        for project in ["black", "docutils", "sphinx"] {
            assert_eq!(set.attributes(&name(project))[0].attr, project);
        }
        // not built for the newer interpreter
        assert!(read("3.14").unwrap().attributes(&name("cirq")).is_empty());
    }

    #[test]
    fn columns_differ() {
        let old = read("3.13").unwrap();
        let new = read("3.14").unwrap();
        assert!(old.has_attr("pydantic_1") && !new.has_attr("pydantic_1"));
        assert_eq!(new.project_of("pydantic_1"), Some(&name("pydantic")));
    }
}
