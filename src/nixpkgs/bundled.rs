//! One interpreter's column of the bundled table, decoded project by project as it is asked for: a
//! run needs a few dozen of its ten thousand rows.

use std::str::FromStr;
use std::sync::OnceLock;

use super::Attribute;
use crate::python::{PackageName, Version};

/// Rows ordered by project, and what has been decoded of them.
#[derive(Debug)]
pub(super) struct Bundled {
    rows: Vec<&'static str>,
    /// The attributes that are not called like their projects, in order, with their rows.
    others: Vec<(&'static str, usize)>,
    column: usize,
    filled_from: Option<usize>,
    /// By the first row of each project.
    decoded: Vec<OnceLock<Box<Group>>>,
}

#[derive(Debug)]
struct Group {
    project: PackageName,
    attributes: Vec<Attribute>,
}

impl Bundled {
    /// The rows of a table, with the column of versions that counts, and the one that counts where
    /// that is empty.
    pub fn new(
        rows: impl Iterator<Item = &'static str>,
        column: usize,
        filled_from: Option<usize>,
    ) -> Self {
        let rows: Vec<&str> = rows.collect();
        let mut others = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let row = Row::parse(row);
            if row.project != row.attr {
                others.push((row.attr, at));
            }
        }
        others.sort_unstable();
        let decoded = rows.iter().map(|_| OnceLock::new()).collect();
        Self {
            rows,
            others,
            column,
            filled_from,
            decoded,
        }
    }

    fn group_at(&self, first: usize) -> Option<&Group> {
        let cell = self.decoded.get(first)?;
        Some(cell.get_or_init(|| {
            let rows = self.rows.iter().skip(first).map(|row| Row::parse(row));
            let project = self
                .rows
                .get(first)
                .map_or("", |row| Row::parse(row).project);
            let rows = rows.take_while(|row| row.project == project);
            Box::new(self.decode(project, rows))
        }))
    }

    fn decode<'a>(&self, project: &str, rows: impl Iterator<Item = Row<'a>>) -> Group {
        let project = PackageName::from_str(project).expect("a test decodes every row");
        let mut attributes: Vec<Attribute> = rows
            .filter_map(|row| {
                Some(Attribute {
                    attr: row.attr.to_owned(),
                    project: project.clone(),
                    version: Version::from_str(self.version(&row)?)
                        .expect("a test decodes every row"),
                    primary: row.primary,
                    facts: Default::default(),
                })
            })
            .collect();
        super::attribute::order(&mut attributes);
        Group {
            project,
            attributes,
        }
    }

    fn version<'a>(&self, row: &Row<'a>) -> Option<&'a str> {
        row.version(self.column)
            .or_else(|| row.version(self.filled_from?))
    }

    /// The first row that a project has, if it has any.
    fn first(&self, project: &str) -> usize {
        self.rows
            .partition_point(|row| Row::parse(row).project < project)
    }

    fn group(&self, project: &str) -> Option<&Group> {
        let first = self.first(project);
        let row = Row::parse(self.rows.get(first)?);
        (row.project == project).then(|| self.group_at(first))?
    }

    /// The attributes that install a project, the primary one first.
    pub fn attributes(&self, project: &str) -> &[Attribute] {
        self.group(project).map_or(&[], |group| &group.attributes)
    }

    /// The project that an attribute installs in any column.
    pub fn project_of(&self, attr: &str) -> Option<&PackageName> {
        let first = self.first(attr);
        let rows = self.rows.iter().skip(first).map(|row| Row::parse(row));
        let mut rows = rows.take_while(|row| row.project == attr);
        if rows.any(|row| row.attr == attr) {
            return self.group_at(first).map(|group| &group.project);
        }
        let at = self.others.partition_point(|(other, _)| *other < attr);
        let (_, row) = self.others.get(at).filter(|(other, _)| *other == attr)?;
        let project = Row::parse(self.rows.get(*row)?).project;
        self.group(project).map(|group| &group.project)
    }

    /// Every project that has attributes in this column, with them.
    pub fn projects(&self) -> impl Iterator<Item = (&PackageName, &[Attribute])> {
        let project = |at: usize| self.rows.get(at).map(|row| Row::parse(row).project);
        (0..self.rows.len())
            .filter(move |at| *at == 0 || project(*at) != project(at - 1))
            .filter_map(|at| self.group_at(at))
            .filter(|group| !group.attributes.is_empty())
            .map(|group| (&group.project, group.attributes.as_slice()))
    }
}

/// The same rows and columns.
impl PartialEq for Bundled {
    fn eq(&self, other: &Self) -> bool {
        (self.column, self.filled_from, &self.rows)
            == (other.column, other.filled_from, &other.rows)
    }
}

impl Eq for Bundled {}

/// A line of the table: the attribute, marked with `-` where it is not its project's primary one;
/// the project where it is called otherwise; the versions.
struct Row<'a> {
    attr: &'a str,
    primary: bool,
    project: &'a str,
    versions: &'a str,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Self {
        let (name, rest) = line.split_once('\t').unwrap_or((line, ""));
        let (project, versions) = rest.split_once('\t').unwrap_or((rest, ""));
        let (primary, attr) = match name.strip_prefix('-') {
            Some(attr) => (false, attr),
            None => (true, name),
        };
        let project = if project.is_empty() { attr } else { project };
        Self {
            attr,
            primary,
            project,
            versions,
        }
    }

    fn version(&self, column: usize) -> Option<&'a str> {
        let mut last = "";
        for cell in self.versions.split('\t').take(column + 1) {
            last = if cell == "=" { last } else { cell };
        }
        Some(last).filter(|version| !version.is_empty())
    }
}
