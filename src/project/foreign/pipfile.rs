//! pipenv's `Pipfile`: what the user of a `Pipfile.lock` requires.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use super::pipenv::DEVELOP;
use crate::problem::{Code, Origin};
use crate::project::reading::{Reading, no_env};
use crate::project::table::{Document, Key, Node};
use crate::project::{Files, Project};
use crate::python::{ExtraName, Requirement, Wanted};

/// Tables that hold no requirements.
const OTHERS: [&str; 4] = ["source", "requires", "scripts", "pipenv"];
/// The variables of markers that are keys of their own in a Pipfile.
const VARIABLES: [&str; 11] = [
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
    "implementation_version",
];

/// Reads a Pipfile. Requirements to develop are the group `dev`; other categories are groups of their
/// own names.
pub(super) fn read(files: &dyn Files, name: &str) -> Project {
    let mut reading = Reading::new(files, false, &no_env);
    let mut project = Project::default();
    if let Some(file) = reading.source_if_any(name) {
        let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
        let document = Document::parse(&file, &mut reading.problems);
        for (key, table) in document.root().entries() {
            if OTHERS.contains(&key.text) || !table.is_table() {
                continue;
            }
            let entries = table.entries().into_iter();
            let list: Vec<Requirement> = entries
                .filter_map(|(key, node)| requirement(&mut reading, &folder, &key, node))
                .collect();
            match key.text {
                "packages" => project.dependencies = list,
                "dev-packages" => {
                    project.groups.insert(DEVELOP.to_owned(), list);
                }
                other => {
                    project.groups.insert(other.to_owned(), list);
                }
            }
        }
    }
    project.problems = reading.problems;
    project
}

fn requirement(
    reading: &mut Reading<'_>,
    folder: &Path,
    key: &Key<'_>,
    node: Node<'_>,
) -> Option<Requirement> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let version = node.text().or(text("version")).unwrap_or("*");
    let version = if version == "*" { "" } else { version };
    let mut conditions: Vec<String> = text("markers").into_iter().map(str::to_owned).collect();
    for variable in VARIABLES {
        // `sys_platform = "== 'win32'"`
        conditions.extend(text(variable).map(|rest| format!("{variable} {rest}")));
    }
    let mut written = format!("{}{version}", key.text);
    if !conditions.is_empty() {
        let all: Vec<String> = conditions.iter().map(|c| format!("({c})")).collect();
        written.push_str(&format!("; {}", all.join(" and ")));
    }
    let origin = node.origin();
    let mut requirement = reading.requirement(&written, Some(&origin))?;
    let extras = node.get("extras").map(Node::texts).unwrap_or_default();
    let extras: BTreeSet<ExtraName> = extras
        .into_iter()
        .filter_map(|(text, _)| ExtraName::from_str(text).ok())
        .collect();
    requirement.extras = extras;
    match wanted(folder, &text) {
        None => {}
        Some(Ok(wanted)) => requirement.wanted = wanted,
        Some(Err(address)) => {
            let what = format!("`{address}` is not an address");
            reading.error(Code::InvalidRequirement, what, Some(Origin::clone(&origin)));
        }
    }
    Some(requirement)
}

/// The address or path, where there is one; the lock beside tells the commit.
fn wanted<'a>(
    folder: &Path,
    text: &dyn Fn(&str) -> Option<&'a str>,
) -> Option<Result<Wanted, &'a str>> {
    if let Some(address) = text("git") {
        let at = text("ref").map(|at| format!("@{at}")).unwrap_or_default();
        let url = url::Url::parse(&format!("git+{address}{at}"));
        return Some(url.map(Wanted::Url).map_err(|_| address));
    }
    let place = text("path").or(text("file")).or(text("url"))?;
    Some(match url::Url::parse(place) {
        Ok(url) if place.contains("://") => Ok(Wanted::Url(url)),
        _ => Ok(Wanted::Path(folder.join(place))),
    })
}
