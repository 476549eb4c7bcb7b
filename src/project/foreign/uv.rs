//! `uv.lock`, version 1. Revisions of a version only add keys, so that any revision can be read.
//!
//! A project may be there at several versions; `resolution-markers` then tell which is for whom. The
//! user's own projects are packages too, with what they require in `[package.metadata]`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::root;
use super::{Git, Lock, Pinned, PinnedFile, Place, document, file_name, released_files, sha256};
use crate::project::Project;
use crate::project::table::Node;
use crate::python::{ExtraName, MarkerTree, PackageName, Requirement, Wanted};

/// Reads the lock.
pub(super) fn read(lock: &mut Lock<'_, '_>) {
    let file = Arc::clone(&lock.foreign.file);
    let Some(document) = document(&file, &mut lock.reading.problems) else {
        return;
    };
    let version = document.at(&["version"]);
    match version.and_then(Node::integer) {
        Some(1) => {}
        other => {
            let text = other.map(|n| n.to_string()).unwrap_or_default();
            lock.unknown_version(&text, version.map(Node::origin));
            return;
        }
    }
    if let Some(node) = document.at(&["requires-python"])
        && let Some(text) = node.text()
    {
        lock.foreign.requires_python = lock.reading.specifiers(text, Some(&node.origin()));
    }
    lock.foreign.environments = markers(lock, document.at(&["supported-markers"]));
    let overrides = document.at(&["manifest", "overrides"]);
    for node in overrides.and_then(Node::elements).into_iter().flatten() {
        let requirement = requirement(lock, node);
        lock.foreign.overrides.extend(requirement);
    }
    let mut own = Vec::new();
    let mut virtuals = BTreeMap::new();
    for node in document
        .at(&["package"])
        .and_then(Node::elements)
        .into_iter()
        .flatten()
    {
        if is_own(node) {
            own.push(node);
        } else if let Some(name) = is_virtual(node) {
            virtuals.insert(name, node);
        } else if let Some(pin) = package(lock, node) {
            lock.foreign.pins.push(pin);
        }
    }
    let members = document.at(&["manifest", "members"]);
    let members = members.map(Node::texts).unwrap_or_default().into_iter();
    let members = members.filter_map(|(text, _)| text.parse().ok()).collect();
    roots(lock, &own, &members, &virtuals);
    replace_virtual(lock, &virtuals);
}

/// Whether it is a member of the workspace that is no package: it has requirements, and is never built.
fn is_virtual(package: Node<'_>) -> Option<PackageName> {
    package.at(&["source", "virtual"])?;
    package.get("name")?.text()?.parse().ok()
}

/// Whether it is the user's own project at the lock's place.
fn is_own(package: Node<'_>) -> bool {
    let own = ["virtual", "editable", "directory"];
    own.iter().any(|kind| {
        let path = package.at(&["source", kind]).and_then(Node::text);
        path == Some(".")
    })
}

fn package(lock: &mut Lock<'_, '_>, node: Node<'_>) -> Option<Pinned> {
    let name = lock.name(node.get("name"), node)?;
    let version = match node.get("version") {
        Some(node) => Some(lock.version(node)?),
        None => None,
    };
    let mut marker = MarkerTree::FALSE;
    let forks = markers(lock, node.get("resolution-markers"));
    for fork in &forks {
        marker.or(fork.clone());
    }
    if forks.is_empty() {
        marker = MarkerTree::TRUE;
    }
    let files = released_files(node, file);
    let place = place(lock, node, &files)?;
    let needs = node.get("dependencies").and_then(Node::elements);
    let needs = needs.into_iter().flatten();
    Some(Pinned {
        name,
        version,
        marker,
        by_group: BTreeMap::new(),
        groups: BTreeSet::new(),
        optional: false,
        place,
        files,
        needs: needs
            .filter_map(|need| need.get("name")?.text()?.parse().ok())
            .collect(),
        origin: node
            .get("version")
            .or(node.get("name"))
            .unwrap_or(node)
            .origin(),
    })
}

fn file(node: Node<'_>) -> PinnedFile {
    let text = |key| node.get(key).and_then(Node::text);
    PinnedFile {
        name: text("filename")
            .map(str::to_owned)
            .or_else(|| file_name(text("url").or(text("path"))?)),
        sha256: text("hash").and_then(sha256),
    }
}

/// Where a package is from; none, with a problem, where that is not understood.
fn place(lock: &mut Lock<'_, '_>, package: Node<'_>, files: &[PinnedFile]) -> Option<Place> {
    let Some(source) = package.get("source") else {
        lock.error("`source` is missing", package.origin());
        return None;
    };
    let text = |key| source.get(key).and_then(Node::text);
    if let Some(index) = text("registry") {
        return Some(Place::Index(Some(index.to_owned())));
    }
    let wanted = if let Some(git) = text("git") {
        let (address, commit) = git.rsplit_once('#').unwrap_or((git, ""));
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let folder = url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "subdirectory")
            .map(|(_, value)| value.into_owned());
        let git = Git {
            repository: address,
            commit,
            subdirectory: folder.as_deref(),
        };
        lock.commit(&git, source.origin())?
    } else if let Some(address) = text("url") {
        let digest = files.iter().find_map(|file| file.sha256.as_ref());
        lock.archive(address, digest, text("subdirectory"), source.origin())?
    } else {
        let kinds = ["path", "directory", "editable", "virtual"];
        let Some(path) = kinds.iter().find_map(|key| text(key)) else {
            lock.error("such a source is not understood", source.origin());
            return None;
        };
        lock.path(path)
    };
    Some(Place::Direct(wanted))
}

fn markers(lock: &mut Lock<'_, '_>, node: Option<Node<'_>>) -> Vec<MarkerTree> {
    let texts = node.map(Node::texts).unwrap_or_default();
    texts
        .into_iter()
        .filter_map(|(text, origin)| lock.reading.marker(text, Some(&origin)))
        .collect()
}

/// An entry of `requires-dist` and its like.
fn requirement(lock: &mut Lock<'_, '_>, node: Node<'_>) -> Option<Requirement> {
    let text = |key| node.get(key).and_then(Node::text);
    let name = text("name")?;
    let extras: Vec<&str> = node
        .get("extras")
        .map(Node::texts)
        .unwrap_or_default()
        .into_iter()
        .map(|(text, _)| text)
        .collect();
    let mut written = name.to_owned();
    if !extras.is_empty() {
        written.push_str(&format!("[{}]", extras.join(",")));
    }
    written.push_str(text("specifier").unwrap_or(""));
    if let Some(marker) = text("marker") {
        written.push_str(&format!("; {marker}"));
    }
    let origin = node.origin();
    let requirement = lock.reading.requirement(&written, Some(&origin))?;
    // What is here without a version is the user's own, beside the lock.
    let local = ["directory", "editable", "virtual", "path"];
    let local = local.iter().find_map(|key| text(key));
    Some(match local {
        Some(path) => Requirement {
            wanted: lock.path(path),
            ..requirement
        },
        None => requirement,
    })
}

/// What the user's own projects require: the one at the lock's place, or else every member of the
/// workspace.
fn roots(
    lock: &mut Lock<'_, '_>,
    own: &[Node<'_>],
    members: &BTreeSet<PackageName>,
    virtuals: &BTreeMap<PackageName, Node<'_>>,
) {
    let mut project = Project::default();
    for package in own {
        project.name = package
            .get("name")
            .and_then(|node| node.text()?.parse().ok());
        take(lock, *package, &mut project);
    }
    if own.is_empty() {
        for (_, package) in virtuals.iter().filter(|(name, _)| members.contains(name)) {
            take(lock, *package, &mut project);
        }
        let pins = lock.foreign.pins.iter();
        let built = pins.filter(|pin| members.contains(&pin.name));
        project.dependencies.extend(built.map(|pin| Requirement {
            name: pin.name.clone(),
            extras: BTreeSet::new(),
            wanted: match &pin.place {
                Place::Direct(wanted) => wanted.clone(),
                Place::Index(_) => Wanted::Versions(crate::python::VersionSpecifiers::empty()),
            },
            marker: MarkerTree::TRUE,
            origin: Some(pin.origin.clone()),
        }));
    }
    lock.foreign.project = project;
}

/// Puts what members that are no packages require in the place of requirements on them.
fn replace_virtual(lock: &mut Lock<'_, '_>, virtuals: &BTreeMap<PackageName, Node<'_>>) {
    if virtuals.is_empty() {
        return;
    }
    let mut project = std::mem::take(&mut lock.foreign.project);
    let lists = std::iter::once(&mut project.dependencies)
        .chain(project.optional.values_mut())
        .chain(project.groups.values_mut());
    for list in lists {
        let mut done: Vec<Requirement> = Vec::new();
        let mut pending = std::mem::take(list);
        while let Some(requirement) = pending.pop() {
            let Some(package) = virtuals.get(&requirement.name) else {
                list.push(requirement);
                continue;
            };
            // Members may require each other.
            if done.contains(&requirement) {
                continue;
            }
            let mut member = Project::default();
            take(lock, *package, &mut member);
            let extras = requirement.extras.iter();
            let extras = extras
                .filter_map(|extra| member.optional.get(extra))
                .flatten();
            for mut inner in member.dependencies.iter().chain(extras).cloned() {
                inner.marker.and(requirement.marker.clone());
                pending.push(inner);
            }
            done.push(requirement);
        }
    }
    lock.foreign.project = project;
}

fn take(lock: &mut Lock<'_, '_>, package: Node<'_>, project: &mut Project) {
    let list = package.at(&["metadata", "requires-dist"]);
    let mut all = Vec::new();
    for node in list.and_then(Node::elements).into_iter().flatten() {
        all.extend(requirement(lock, node));
    }
    let extras = package
        .at(&["metadata", "provides-extras"])
        .map(Node::texts);
    for (text, _) in extras.unwrap_or_default() {
        if let Ok(extra) = text.parse::<ExtraName>() {
            project.optional.entry(extra).or_default();
        }
    }
    for requirement in all {
        let marker = &requirement.marker;
        let known: Vec<ExtraName> = project.optional.keys().cloned().collect();
        let extras = root::extras_of(marker, &known);
        for extra in &extras {
            let marker = marker.clone().simplify_extras(std::slice::from_ref(extra));
            let requirement = Requirement {
                marker,
                ..requirement.clone()
            };
            project
                .optional
                .entry(extra.clone())
                .or_default()
                .push(requirement);
        }
        if extras.is_empty() {
            project.dependencies.push(requirement);
        }
    }
    let groups = package.at(&["metadata", "requires-dev"]);
    for (key, node) in groups.map(Node::entries).unwrap_or_default() {
        let mut list = Vec::new();
        for node in node.elements().into_iter().flatten() {
            list.extend(requirement(lock, node));
        }
        // Members of a workspace may have groups of one name.
        let group = project.groups.entry(key.text.to_owned());
        group.or_default().extend(list);
    }
}
