//! The bundled table of Python attributes, one interpreter's column at a time.

use std::str::FromStr;

use super::Nixpkgs;
use super::bundled::Bundled;
use crate::python::Version;

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
    let mut nixpkgs = Nixpkgs::bundled(
        channel.to_owned(),
        date.to_owned(),
        Bundled::new(lines, column, filled_from),
    );
    nixpkgs.interpreter = minor.to_owned();
    Some(nixpkgs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::python::PackageName;

    fn name(text: &str) -> PackageName {
        PackageName::from_str(text).unwrap()
    }

    #[test]
    fn every_column_reads_whole() {
        let rows = TABLE.lines().skip(2).count();
        for minor in interpreters() {
            let set = read(minor).unwrap();
            let names: BTreeSet<&str> = TABLE
                .lines()
                .skip(2)
                .map(|line| line.split('\t').next().unwrap().trim_start_matches('-'))
                .collect();
            assert_eq!(names.len(), rows);
            let here: BTreeSet<&str> = set.all().map(|a| a.attr.as_str()).collect();
            assert_eq!(here.len(), set.all().count());
            for name in names {
                assert!(set.project_of(name).is_some(), "{name}");
                let attribute = set.attribute(name);
                assert_eq!(attribute.map(|a| a.attr.as_str()), here.get(name).copied());
                assert_eq!(set.has_attr(name), here.contains(name));
            }
            assert!(set.project_of("zz-nobody").is_none() && set.project_of("").is_none());
            assert!(python(minor).unwrap().to_string().starts_with(minor));
        }
        assert!(read("3.9").is_none());
        assert_eq!(read("3.12").unwrap().interpreter, "3.13");
    }

    /// Projects are looked up by halving: the rows must be in their order.
    #[test]
    fn rows_are_ordered_by_project() {
        let project = |line: &'static str| {
            let mut cells = line.split('\t');
            let attr = cells.next().unwrap().trim_start_matches('-');
            cells.next().filter(|p| !p.is_empty()).unwrap_or(attr)
        };
        assert!(TABLE.lines().skip(2).map(project).is_sorted());
        let set = read("3.13").unwrap();
        assert!(set.projects().map(|(project, _)| project).is_sorted());
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
