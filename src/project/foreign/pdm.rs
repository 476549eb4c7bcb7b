//! `pdm.lock`, lock_version 4.3 to 4.5.
//!
//! A project with extras has an entry of its own for each set of them, at the same version; they are
//! one pin here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Git, Lock, Pinned, PinnedFile, Place, document, leading, poetry, root};
use crate::project::table::Node;
use crate::python::{PackageName, Requirement};

/// Reads the lock.
pub(super) fn read(lock: &mut Lock<'_, '_>) {
    let file = Arc::clone(&lock.foreign.file);
    let Some(document) = document(&file, &mut lock.reading.problems) else {
        return;
    };
    let version = document.at(&["metadata", "lock_version"]);
    match version.and_then(Node::text) {
        Some(text) if matches!(leading(text), "4.3" | "4.4" | "4.5") => {}
        other => {
            lock.unknown_version(other.unwrap_or(""), version.map(Node::origin));
            return;
        }
    }
    // Several targets are for different systems; together they are for more than one of them says.
    let targets = document
        .at(&["metadata", "targets"])
        .and_then(Node::elements);
    let targets: Vec<Node<'_>> = targets.into_iter().flatten().collect();
    if let [target] = targets.as_slice()
        && let Some(node) = target.get("requires_python")
        && let Some(text) = node.text()
    {
        lock.foreign.requires_python = lock.reading.specifiers(text, Some(&node.origin()));
    }
    for node in document
        .at(&["package"])
        .and_then(Node::elements)
        .into_iter()
        .flatten()
    {
        if let Some(pin) = package(lock, node) {
            add(&mut lock.foreign.pins, pin);
        }
    }
    lock.foreign.project = root::by_need(&lock.foreign.pins, "default");
}

/// Adds a pin, to the one of the same release where there is one.
fn add(pins: &mut Vec<Pinned>, pin: Pinned) {
    let same = |other: &&mut Pinned| other.name == pin.name && other.version == pin.version;
    match pins.iter_mut().find(same) {
        Some(known) => {
            let missing = pin.files.iter().filter(|file| !known.files.contains(file));
            let missing: Vec<PinnedFile> = missing.cloned().collect();
            known.files.extend(missing);
            known.marker.or(pin.marker);
            known.groups.extend(pin.groups);
            known.needs.extend(pin.needs);
        }
        None => pins.push(pin),
    }
}

fn package(lock: &mut Lock<'_, '_>, node: Node<'_>) -> Option<Pinned> {
    let name = lock.name(node.get("name"), node)?;
    let version = node.get("version").and_then(|node| lock.version(node));
    let files = poetry::files(node.get("files"));
    let place = place(lock, node, &files)?;
    let needs = node
        .get("dependencies")
        .map(Node::texts)
        .unwrap_or_default();
    let needs = needs
        .iter()
        .filter_map(|(text, _)| Requirement::parse(text).ok())
        .map(|requirement| requirement.name)
        // The entry for an extra needs the one without.
        .filter(|need| *need != name)
        .collect::<Vec<PackageName>>();
    let groups = node.get("groups").map(Node::texts).unwrap_or_default();
    Some(Pinned {
        marker: lock.marker(node.get("marker")),
        name,
        version,
        by_group: BTreeMap::new(),
        groups: groups
            .into_iter()
            .map(|(text, _)| text.to_owned())
            .collect(),
        optional: false,
        place,
        files,
        needs,
        origin: node
            .get("version")
            .or(node.get("name"))
            .unwrap_or(node)
            .origin(),
    })
}

fn place(lock: &mut Lock<'_, '_>, node: Node<'_>, files: &[PinnedFile]) -> Option<Place> {
    let text = |key| node.get(key).and_then(Node::text);
    let wanted = if let Some(repository) = text("git") {
        let git = Git {
            repository,
            commit: text("revision").unwrap_or(""),
            subdirectory: text("subdirectory"),
        };
        lock.commit(&git, node.origin())?
    } else if let Some(address) = text("url") {
        let digest = files.iter().find_map(|file| file.sha256.as_ref());
        lock.archive(address, digest, text("subdirectory"), node.origin())?
    } else if let Some(path) = text("path") {
        lock.path(path)
    } else if ["hg", "svn", "bzr"]
        .iter()
        .any(|kind| node.get(kind).is_some())
    {
        lock.error("such a source is not understood", node.origin());
        return None;
    } else {
        return Some(Place::Index(None));
    };
    Some(Place::Direct(wanted))
}
