//! `poetry.lock`, lock-version 1.1 (digests in `[metadata.files]`), 2.0 (digests with each package) and
//! 2.1 (groups and markers with each package).
//!
//! Before 2.1 nothing tells which of several versions of a project is for whom; then any of them will
//! do where it fits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::root;
use super::{Git, Lock, Pinned, PinnedFile, Place, document, sha256};
use crate::project::table::Node;
use crate::python::{ExtraName, MarkerTree, PackageName, Sha256};

/// Reads the lock.
pub(super) fn read(lock: &mut Lock<'_, '_>) {
    let file = Arc::clone(&lock.foreign.file);
    let Some(document) = document(&file, &mut lock.reading.problems) else {
        return;
    };
    let version = document.at(&["metadata", "lock-version"]);
    match version.and_then(Node::text) {
        Some("1.1" | "2.0" | "2.1") => {}
        other => {
            lock.unknown_version(other.unwrap_or(""), version.map(Node::origin));
            return;
        }
    }
    // Poetry's own signs (`^3.8`) are left to the project beside it.
    let python = document
        .at(&["metadata", "python-versions"])
        .and_then(Node::text);
    lock.foreign.requires_python = python
        .filter(|text| *text != "*")
        .and_then(|text| text.parse().ok());
    let of_all = document.at(&["metadata", "files"]);
    for node in document
        .at(&["package"])
        .and_then(Node::elements)
        .into_iter()
        .flatten()
    {
        if let Some(pin) = package(lock, node, of_all) {
            lock.foreign.pins.push(pin);
        }
    }
    roots(lock, document.at(&["extras"]));
}

fn package(lock: &mut Lock<'_, '_>, node: Node<'_>, of_all: Option<Node<'_>>) -> Option<Pinned> {
    let name = lock.name(node.get("name"), node)?;
    let version = node.get("version").and_then(|node| lock.version(node));
    let written = node.get("name").and_then(Node::text).unwrap_or_default();
    let list = node
        .get("files")
        .or_else(|| of_all?.get(written))
        .or_else(|| of_all?.get(name.as_ref()));
    let files = files(list);
    let place = place(lock, node, &files)?;
    let mut groups = node.get("groups").map(names).unwrap_or_default();
    groups.extend(node.get("category").and_then(Node::text).map(str::to_owned));
    let (marker, by_group) = match node.get("markers") {
        Some(table) if table.is_table() => {
            let of_group = |(key, node): (crate::project::table::Key<'_>, _)| {
                (key.text.to_owned(), lock.marker(Some(node)))
            };
            let by_group = table.entries().into_iter().map(of_group).collect();
            (MarkerTree::TRUE, by_group)
        }
        node => (lock.marker(node), BTreeMap::new()),
    };
    let needs = node
        .get("dependencies")
        .map(Node::entries)
        .unwrap_or_default();
    Some(Pinned {
        name,
        version,
        marker,
        by_group,
        groups,
        optional: node.get("optional").and_then(Node::truth) == Some(true),
        place,
        files,
        needs: needs
            .iter()
            .filter_map(|(key, _)| key.text.parse().ok())
            .collect(),
        origin: node
            .get("version")
            .or(node.get("name"))
            .unwrap_or(node)
            .origin(),
    })
}

fn names(node: Node<'_>) -> BTreeSet<String> {
    let texts = node.texts().into_iter();
    texts.map(|(text, _)| text.to_owned()).collect()
}

/// `{file = "…", hash = "sha256:…"}`; PDM writes the same, or `url` for the file.
pub(super) fn files(list: Option<Node<'_>>) -> Vec<PinnedFile> {
    let elements = list.and_then(Node::elements).into_iter().flatten();
    elements
        .map(|node| {
            let text = |key| node.get(key).and_then(Node::text);
            PinnedFile {
                name: text("file").or(text("url")).and_then(super::file_name),
                sha256: text("hash").and_then(sha256),
            }
        })
        .collect()
}

fn place(lock: &mut Lock<'_, '_>, package: Node<'_>, files: &[PinnedFile]) -> Option<Place> {
    let Some(source) = package.get("source") else {
        return Some(Place::Index(None));
    };
    let text = |key| source.get(key).and_then(Node::text);
    let address = text("url").unwrap_or_default();
    let digest: Option<&Sha256> = files.iter().find_map(|file| file.sha256.as_ref());
    let wanted = match text("type") {
        Some("legacy") => return Some(Place::Index(Some(address.to_owned()))),
        Some("git") => {
            let git = Git {
                repository: address,
                commit: text("resolved_reference")
                    .or(text("reference"))
                    .unwrap_or(""),
                subdirectory: text("subdirectory"),
            };
            lock.commit(&git, source.origin())?
        }
        Some("url") => lock.archive(address, digest, text("subdirectory"), source.origin())?,
        Some("file" | "directory") => lock.path(address),
        _ => {
            lock.error("such a source is not understood", source.origin());
            return None;
        }
    };
    Some(Place::Direct(wanted))
}

fn roots(lock: &mut Lock<'_, '_>, extras: Option<Node<'_>>) {
    let foreign = &mut *lock.foreign;
    foreign.project = root::by_need(&foreign.pins, "main");
    for (key, node) in extras.map(Node::entries).unwrap_or_default() {
        let Ok(extra) = key.text.parse::<ExtraName>() else {
            continue;
        };
        // Older ones have versions after the name: `"pyyaml (>=6)"`.
        let texts = node.texts().into_iter();
        let names = texts.filter_map(|(text, origin)| {
            let name = text
                .split([' ', '(', '[', ';', '<', '>', '=', '!', '~'])
                .next()?;
            Some((name.parse::<PackageName>().ok()?, origin))
        });
        let list = names.map(|(name, origin)| root::plain(name, MarkerTree::TRUE, origin));
        foreign.project.optional.insert(extra, list.collect());
    }
}
