//! `Pipfile.lock`, pipfile-spec 6.
//!
//! Its digests come without names of files, and its packages without their requirements. What is
//! written as `"*"` was not needed where the lock was made, and is not pinned.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use super::json::Json;
use super::{Git, Lock, Pinned, PinnedFile, Place, root, sha256};
use crate::project::Project;
use crate::python::{ExtraName, MarkerTree, PackageName, Requirement, Version};

/// What pipenv calls the requirements to run and to develop, and what they are called here.
pub(super) const DEFAULT: &str = "default";
pub(super) const DEVELOP: &str = "dev";

/// Reads the lock.
pub(super) fn read(lock: &mut Lock<'_, '_>) {
    let file = Arc::clone(&lock.foreign.file);
    let Some(json) = Json::parse(&file, &mut lock.reading.problems) else {
        return;
    };
    let meta = json.get("_meta");
    let spec = meta.and_then(|meta| meta.get("pipfile-spec"));
    if spec.map(Json::written) != Some("6") {
        let text = spec.map(Json::written).unwrap_or("");
        lock.unknown_version(text, spec.map(Json::origin));
        return;
    }
    if let Some(requires) = meta.and_then(|meta| meta.get("requires")) {
        let text = |key| requires.get(key).and_then(Json::text);
        let specifier = text("python_full_version")
            .map(|version| format!("=={version}"))
            .or_else(|| Some(format!("=={}.*", text("python_version")?)));
        lock.foreign.requires_python = specifier.and_then(|text| text.parse().ok());
    }
    let sources = meta.and_then(|meta| meta.get("sources"));
    let indexes = sources.map(indexes).unwrap_or_default();
    let mut project = Project::default();
    for (category, table) in json.entries() {
        let group = match &*category {
            "_meta" => continue,
            "develop" => DEVELOP.to_owned(),
            _ => category,
        };
        for (key, entry) in table.entries() {
            let requirement = package(lock, &group, &key, entry, &indexes);
            let list = if group == DEFAULT {
                &mut project.dependencies
            } else {
                project.groups.entry(group.clone()).or_default()
            };
            list.extend(requirement);
        }
    }
    lock.foreign.project = project;
}

/// Addresses by name.
fn indexes(sources: Json<'_>) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Source {
        name: String,
        url: String,
    }
    let sources: Vec<Source> = serde_json::from_str(sources.written()).unwrap_or_default();
    sources.into_iter().map(|s| (s.name, s.url)).collect()
}

/// Adds the pin of an entry; what the user would have to require for it.
fn package(
    lock: &mut Lock<'_, '_>,
    group: &str,
    key: &str,
    entry: Json<'_>,
    indexes: &BTreeMap<String, String>,
) -> Option<Requirement> {
    let text = |key: &str| entry.get(key).and_then(Json::text);
    let Ok(name) = PackageName::from_str(key) else {
        lock.error(format!("`{key}` is not a project's name"), entry.origin());
        return None;
    };
    let marker = match text("markers") {
        Some(text) => {
            let origin = entry.get("markers").map(Json::origin);
            let marker = lock.reading.marker(&text, origin.as_ref());
            marker.unwrap_or(MarkerTree::TRUE)
        }
        None => MarkerTree::TRUE,
    };
    let place = place(lock, entry, indexes)?;
    let mut version = None;
    if let Some(text) = text("version").filter(|text| text != "*") {
        version = Version::from_str(text.trim_start_matches('=')).ok();
        if version.is_none() && matches!(place, Place::Index(_)) {
            lock.error(format!("`{text}` pins no version"), entry.origin());
            return None;
        }
    }
    let origin = entry.get("version").unwrap_or(entry).origin();
    let extras = entry.get("extras").map(Json::texts).unwrap_or_default();
    let requirement = Requirement {
        extras: extras
            .iter()
            .filter_map(|text| ExtraName::from_str(text).ok())
            .collect(),
        ..root::plain(name.clone(), marker.clone(), origin.clone())
    };
    if version.is_none() && matches!(place, Place::Index(_)) {
        return Some(requirement);
    }
    let hashes = entry.get("hashes").map(Json::texts).unwrap_or_default();
    let pins = &mut lock.foreign.pins;
    let same = |pin: &&mut Pinned| pin.name == name && pin.version == version;
    match pins.iter_mut().find(same) {
        Some(known) => {
            known.groups.insert(group.to_owned());
            known.marker.or(marker);
        }
        None => pins.push(Pinned {
            name,
            version,
            marker,
            by_group: BTreeMap::new(),
            groups: BTreeSet::from([group.to_owned()]),
            optional: false,
            place,
            files: hashes
                .iter()
                .map(|hash| PinnedFile {
                    name: None,
                    sha256: sha256(hash),
                })
                .collect(),
            needs: Vec::new(),
            origin,
        }),
    }
    Some(requirement)
}

fn place(
    lock: &mut Lock<'_, '_>,
    entry: Json<'_>,
    indexes: &BTreeMap<String, String>,
) -> Option<Place> {
    let text = |key: &str| entry.get(key).and_then(Json::text);
    let folder = text("subdirectory");
    let wanted = if let Some(repository) = text("git") {
        let git = Git {
            repository: &repository,
            commit: &text("ref").unwrap_or_default(),
            subdirectory: folder.as_deref(),
        };
        lock.commit(&git, entry.origin())?
    } else if let Some(path) = text("path") {
        lock.path(&path)
    } else if let Some(file) = text("file") {
        match file.contains("://") {
            true => {
                let hashes = entry.get("hashes").map(Json::texts).unwrap_or_default();
                let digest = hashes.iter().find_map(|hash| sha256(hash));
                lock.archive(&file, digest.as_ref(), folder.as_deref(), entry.origin())?
            }
            false => lock.path(&file),
        }
    } else if ["hg", "svn", "bzr"].iter().any(|kind| text(kind).is_some()) {
        lock.error("only git repositories are understood", entry.origin());
        return None;
    } else {
        let index = text("index").and_then(|name| indexes.get(&name).cloned());
        return Some(Place::Index(index));
    };
    Some(Place::Direct(wanted))
}
