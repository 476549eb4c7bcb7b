//! Projects that usually come along with others, from a bundled table: `data/companions`.
//!
//! For asking early, never for answers: the table may be old, wrong, or know nothing.

use std::str::FromStr;

use crate::python::PackageName;

/// Lines sorted by project: the project, then its companions.
const TABLE: &str = include_str!("../../data/companions/companions.tsv");

/// What a project usually needs.
pub(super) fn companions(project: &PackageName) -> impl Iterator<Item = PackageName> {
    let line = line(TABLE, project.as_ref()).unwrap_or("");
    line.split('\t')
        .skip(1)
        .filter_map(|name| PackageName::from_str(name).ok())
}

/// The line of a project.
fn line<'t>(table: &'t str, project: &str) -> Option<&'t str> {
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = match table
            .as_bytes()
            .get(low..middle)?
            .iter()
            .rposition(|&b| b == b'\n')
        {
            Some(end) => low + end + 1,
            None => low,
        };
        let line = table.get(start..high)?.lines().next()?;
        match line.split('\t').next()?.cmp(project) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found() {
        for expected in TABLE.lines() {
            let project = expected.split('\t').next().unwrap();
            assert_eq!(line(TABLE, project), Some(expected));
        }
        for project in ["", "0", "flask-", "flask0", "zzzz", "\u{e9}"] {
            assert_eq!(line(TABLE, project), None, "{project}");
        }
        assert_eq!(line("", "flask"), None);
    }

    #[test]
    fn every_name_is_one() {
        for line in TABLE.lines() {
            let names: Vec<&str> = line.split('\t').collect();
            assert!(names.len() > 1, "{line}");
            for name in names {
                assert_eq!(PackageName::from_str(name).unwrap().as_ref(), name);
            }
        }
    }
}
