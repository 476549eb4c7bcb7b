//! `pylock.toml` (PEP 751), version 1.0, of any tool.
//!
//! Its markers may ask for the extras and dependency groups that are installed. They become extras of
//! ordinary markers here; those of groups start with a word that no extra starts with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Git, Lock, Pinned, PinnedFile, Place, document, file_name, released_files, root};
use crate::project::Project;
use crate::project::table::Node;
use crate::python::{MarkerTree, Requirement, Sha256};

/// How the names of groups start in markers.
pub(super) const GROUP: &str = "dependency-group--";

/// Reads the lock.
pub(super) fn read(lock: &mut Lock<'_, '_>) {
    let file = Arc::clone(&lock.foreign.file);
    let Some(document) = document(&file, &mut lock.reading.problems) else {
        return;
    };
    let version = document.at(&["lock-version"]);
    match version.and_then(Node::text) {
        // Minor versions only add keys, says the specification.
        Some(text) if text == "1" || text.starts_with("1.") => {}
        other => {
            lock.unknown_version(other.unwrap_or(""), version.map(Node::origin));
            return;
        }
    }
    if let Some(node) = document.at(&["requires-python"])
        && let Some(text) = node.text()
    {
        lock.foreign.requires_python = lock.reading.specifiers(text, Some(&node.origin()));
    }
    let environments = document.at(&["environments"]).map(Node::texts);
    for (text, origin) in environments.unwrap_or_default() {
        let marker = lock.reading.marker(text, Some(&origin));
        lock.foreign.environments.extend(marker);
    }
    let groups = document.at(&["default-groups"]).map(Node::texts);
    let groups = groups.unwrap_or_default().into_iter();
    lock.foreign.default_groups = groups.map(|(text, _)| text.to_owned()).collect();
    for node in document
        .at(&["packages"])
        .and_then(Node::elements)
        .into_iter()
        .flatten()
    {
        if let Some(pin) = package(lock, node) {
            lock.foreign.pins.push(pin);
        }
    }
    let own = document.at(&["tool", "pyresolve", "requirements"]);
    lock.foreign.project = match own {
        Some(own) => of_our_own(lock, own),
        None => root::by_need(&lock.foreign.pins, ""),
    };
    let project = &mut lock.foreign.project;
    for (text, _) in document
        .at(&["extras"])
        .map(Node::texts)
        .unwrap_or_default()
    {
        if let Ok(extra) = text.parse() {
            project.optional.entry(extra).or_default();
        }
    }
    let groups = document.at(&["dependency-groups"]).map(Node::texts);
    for (text, _) in groups.unwrap_or_default() {
        project.groups.entry(text.to_owned()).or_default();
    }
}

/// What the user required of us.
fn of_our_own(lock: &mut Lock<'_, '_>, requirements: Node<'_>) -> Project {
    let mut project = Project::default();
    for (text, origin) in requirements.texts() {
        if let Some(requirement) = lock.reading.requirement(text, Some(&origin)) {
            project.dependencies.push(requirement);
        }
    }
    project
}

fn package(lock: &mut Lock<'_, '_>, node: Node<'_>) -> Option<Pinned> {
    let name = lock.name(node.get("name"), node)?;
    let version = node.get("version").and_then(|node| lock.version(node));
    let files = released_files(node, file);
    let place = place(lock, node)?;
    let needs = node.get("dependencies").and_then(Node::elements);
    Some(Pinned {
        marker: marker(lock, node.get("marker")),
        name,
        version,
        by_group: BTreeMap::new(),
        groups: BTreeSet::new(),
        optional: false,
        place,
        files,
        needs: needs
            .into_iter()
            .flatten()
            .filter_map(|need| need.get("name")?.text()?.parse().ok())
            .collect(),
        origin: node
            .get("version")
            .or(node.get("name"))
            .unwrap_or(node)
            .origin(),
    })
}

fn digest(node: Node<'_>) -> Option<Sha256> {
    Sha256::from_hex(node.at(&["hashes", "sha256"])?.text()?)
}

fn file(node: Node<'_>) -> PinnedFile {
    let text = |key| node.get(key).and_then(Node::text);
    PinnedFile {
        name: text("name")
            .map(str::to_owned)
            .or_else(|| file_name(text("url").or(text("path"))?)),
        sha256: digest(node),
    }
}

fn place(lock: &mut Lock<'_, '_>, package: Node<'_>) -> Option<Place> {
    let text = |node: Node<'_>, key| node.get(key).and_then(Node::text).map(str::to_owned);
    let wanted = if let Some(vcs) = package.get("vcs") {
        if text(vcs, "type").as_deref() != Some("git") {
            lock.error("only git repositories are understood", vcs.origin());
            return None;
        }
        let repository = text(vcs, "url").or_else(|| text(vcs, "path"));
        let (commit, folder) = (text(vcs, "commit-id"), text(vcs, "subdirectory"));
        let git = Git {
            repository: repository.as_deref().unwrap_or(""),
            commit: commit.as_deref().unwrap_or(""),
            subdirectory: folder.as_deref(),
        };
        lock.commit(&git, vcs.origin())?
    } else if let Some(directory) = package.get("directory") {
        lock.path(&text(directory, "path").unwrap_or_default())
    } else if let Some(archive) = package.get("archive") {
        let folder = text(archive, "subdirectory");
        match (text(archive, "url"), text(archive, "path")) {
            (Some(url), _) => {
                let sha256 = digest(archive);
                lock.archive(&url, sha256.as_ref(), folder.as_deref(), archive.origin())?
            }
            (None, path) => lock.path(&path.unwrap_or_default()),
        }
    } else {
        return Some(Place::Index(text(package, "index")));
    };
    Some(Place::Direct(wanted))
}

fn marker(lock: &mut Lock<'_, '_>, node: Option<Node<'_>>) -> MarkerTree {
    let Some(node) = node else {
        return MarkerTree::TRUE;
    };
    let text = as_extras(node.text().unwrap_or_default());
    let requirement = Requirement::parse(&format!("marker; {text}"));
    match requirement {
        Ok(requirement) => requirement.marker,
        Err(_) => {
            lock.error("this is not a marker", node.origin());
            MarkerTree::TRUE
        }
    }
}

/// `'x' in extras` as `extra == 'x'`; the same for groups.
fn as_extras(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['\'', '"']) {
        let (before, from) = rest.split_at(open);
        let quote = if from.starts_with('"') { '"' } else { '\'' };
        let Some((value, after)) = from.get(1..).and_then(|f| f.split_once(quote)) else {
            break;
        };
        out.push_str(before);
        match membership(after) {
            Some((operator, is_group, after)) => {
                let group = if is_group { GROUP } else { "" };
                out.push_str(&format!("extra {operator} '{group}{value}'"));
                rest = after;
            }
            None => {
                out.push_str(&format!("{quote}{value}{quote}"));
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What follows a value: whether it must be among the extras or the groups, and what follows that.
fn membership(text: &str) -> Option<(&'static str, bool, &str)> {
    let text = text.trim_start();
    let (operator, text) = match text.strip_prefix("not") {
        Some(rest) => ("!=", rest.trim_start()),
        None => ("==", text),
    };
    let text = text.strip_prefix("in")?;
    let list = text.trim_start();
    if let Some(rest) = list.strip_prefix("extras") {
        Some((operator, false, rest))
    } else {
        let rest = list.strip_prefix("dependency_groups")?;
        Some((operator, true, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_and_groups_become_extras() {
        assert_eq!(
            as_extras("'dev' in dependency_groups and \"x\" not in extras or os_name == 'a in b'"),
            "extra == 'dependency-group--dev' and extra != 'x' or os_name == 'a in b'"
        );
        assert_eq!(as_extras("'open"), "'open");
    }
}
