//! Poetry: `[tool.poetry]`, its own language of constraints, groups and extras.
//!
//! Requirements come out as poetry-core writes them into a wheel's metadata.

mod constraint;

use std::collections::{BTreeMap, BTreeSet};

use super::group::normalised;
use crate::problem::{Code, Origin};
use crate::project::draft::Draft;
use crate::project::reading::Reading;
use crate::project::table::{Document, Key, Node};
use crate::python::{ExtraName, Requirement};

/// Reads what poetry-core reads.
pub(super) fn read(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    dynamic: Option<&BTreeSet<String>>,
) {
    let Some(table) = document.at(&["tool", "poetry"]) else {
        return;
    };
    groups(reading, draft, table);
    let text = |key: &str| table.get(key).and_then(Node::text).map(str::to_owned);
    // With a project table, Poetry's own fills in what is dynamic there.
    let says = |field: &str| dynamic.is_none_or(|d| d.contains(field));
    if says("version") && draft.version.is_none() {
        version(reading, draft, document, text("version"));
    }
    if dynamic.is_none() {
        draft.name = text("name");
        draft.about.summary = text("description");
        draft.about.home_page = text("homepage");
        draft.about.license =
            text("license").filter(|l| crate::python::metadata::is_license_name(l));
        if let Some(repository) = text("repository") {
            draft.about.urls.push(("Repository".to_owned(), repository));
        }
        let classifiers = table
            .get("classifiers")
            .map(Node::texts)
            .unwrap_or_default();
        draft.about.license_classifiers = classifiers
            .into_iter()
            .filter(|(c, _)| c.starts_with("License ::"))
            .map(|(c, _)| c.to_owned())
            .collect();
        scripts(draft, table);
    }
    packages(draft, table);
    let python = table.at(&["dependencies", "python"]);
    if says("requires-python") && draft.requires_python.is_none() {
        let specifiers = python.and_then(|node| {
            let read = constraint::python(node.text()?);
            match read {
                Some(specifiers) => reading.specifiers(&specifiers, Some(&node.origin())),
                None => {
                    draft.unknown("requires_python", Some(node.origin()), "no such constraint");
                    None
                }
            }
        });
        draft.requires_python = Some(specifiers);
    }
    if says("dependencies") && draft.dependencies.is_none() {
        dependencies(reading, draft, table);
    }
}

/// The version, unless a plugin computes it.
fn version(
    reading: &Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    written: Option<String>,
) {
    let plugin = document.at(&["tool", "poetry-dynamic-versioning"]);
    let is_enabled = plugin
        .and_then(|p| p.get("enable"))
        .and_then(Node::truth)
        .unwrap_or(false);
    // An sdist has the computed version written into it.
    if is_enabled && !reading.lenient {
        let reason = "poetry-dynamic-versioning takes it from version control";
        draft.unknown("version", plugin.map(Node::origin), reason);
        return;
    }
    draft.version = written;
}

fn dependencies(reading: &mut Reading<'_>, draft: &mut Draft, table: Node<'_>) {
    let mut extras: BTreeMap<String, Vec<ExtraName>> = BTreeMap::new();
    let mut optional: BTreeMap<ExtraName, Vec<Requirement>> = BTreeMap::new();
    for (key, names) in table.get("extras").map(Node::entries).unwrap_or_default() {
        let Some(extra) = reading.extra(key.text, Some(&key.origin())) else {
            continue;
        };
        optional.entry(extra.clone()).or_default();
        for (name, _) in names.texts() {
            // `name[extra]` and version constraints are allowed here; only the name counts.
            let end = name
                .find(['[', ' ', '<', '>', '=', '!', '~', '('])
                .unwrap_or(name.len());
            let name = normalised(name.get(..end).unwrap_or(name));
            extras.entry(name).or_default().push(extra.clone());
        }
    }
    let mut required = Vec::new();
    for (key, node) in table
        .get("dependencies")
        .map(Node::entries)
        .unwrap_or_default()
    {
        if key.text == "python" {
            continue;
        }
        for entry in alternatives(node) {
            let Some(requirement) = requirement(reading, draft, &key, entry) else {
                continue;
            };
            let is_optional = entry.get("optional").and_then(Node::truth).unwrap_or(false);
            if !is_optional {
                required.push(requirement);
                continue;
            }
            for extra in extras.get(&normalised(key.text)).into_iter().flatten() {
                let list = optional.entry(extra.clone()).or_default();
                if !list.contains(&requirement) {
                    list.push(requirement.clone());
                }
            }
        }
    }
    draft.dependencies = Some(required);
    draft.optional = Some(optional);
}

/// Poetry's groups: for development only, never in metadata.
fn groups(reading: &mut Reading<'_>, draft: &mut Draft, table: Node<'_>) {
    let mut found = Vec::new();
    if let Some(dev) = table.get("dev-dependencies") {
        found.push(("dev".to_owned(), dev));
    }
    for (key, group) in table.get("group").map(Node::entries).unwrap_or_default() {
        if let Some(dependencies) = group.get("dependencies") {
            found.push((normalised(key.text), dependencies));
        }
    }
    // A group's dependency that cannot be read is a problem, but says nothing of the metadata.
    let mut scratch = Draft::default();
    for (name, dependencies) in found {
        let mut list = Vec::new();
        for (key, node) in dependencies.entries() {
            if key.text != "python" {
                for entry in alternatives(node) {
                    list.extend(requirement(reading, &mut scratch, &key, entry));
                }
            }
        }
        draft.groups.entry(name).or_default().extend(list);
    }
    for unknown in scratch.unknown {
        reading.error(Code::InvalidRequirement, unknown.reason, unknown.origin);
    }
}

/// Multiple constraints are an array of tables.
fn alternatives(node: Node<'_>) -> Vec<Node<'_>> {
    match node.elements() {
        Some(elements) => elements.collect(),
        None => vec![node],
    }
}

/// One dependency as PEP 508.
fn requirement(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    key: &Key<'_>,
    node: Node<'_>,
) -> Option<Requirement> {
    let origin = node.origin();
    let name = key.text;
    if let Some(version) = node.text() {
        let specifiers = specifiers(draft, name, version, &origin)?;
        return reading.requirement(&format!("{name}{specifiers}"), Some(&origin));
    }
    if !node.is_table() {
        let what = format!(
            "a version or a table is expected for `{name}`, not {}",
            node.kind()
        );
        reading.error(Code::InvalidRequirement, what, Some(origin));
        return None;
    }
    let text = |key: &str| node.get(key).and_then(Node::text);
    let extras: Vec<_> = node.get("extras").map(Node::texts).unwrap_or_default();
    let extras: Vec<_> = extras.iter().map(|(e, _)| *e).collect();
    let extras = if extras.is_empty() {
        String::new()
    } else {
        format!("[{}]", extras.join(","))
    };
    let mut markers = Vec::new();
    if let Some(markers_text) = text("markers") {
        markers.push(format!("({markers_text})"));
    }
    if let Some(platform) = text("platform") {
        markers.push(constraint::platform(platform));
    }
    if let Some(python) = node.get("python") {
        match python.text().and_then(constraint::python_marker) {
            Some(marker) if marker.is_empty() => {}
            Some(marker) => markers.push(format!("({marker})")),
            None => {
                let reason = format!("the Python constraint of `{name}` cannot be read");
                draft.unknown("requires_dist", Some(python.origin()), reason);
                return None;
            }
        }
    }
    let address = address(name, node);
    let head = match address {
        Some(address) => format!("{name}{extras} @ {address} "),
        None if node.get("path").is_some() => {
            let reason = format!("`{name}` is a local folder, which metadata cannot name");
            draft.unknown("requires_dist", Some(origin), reason);
            return None;
        }
        None => {
            let version = text("version").unwrap_or("*");
            format!(
                "{name}{extras}{}",
                specifiers(draft, name, version, &origin)?
            )
        }
    };
    let whole = if markers.is_empty() {
        head
    } else {
        format!("{head}; {}", markers.join(" and "))
    };
    reading.requirement(whole.trim(), Some(&origin))
}

/// The address of a dependency from a repository or from a file.
fn address(name: &str, node: Node<'_>) -> Option<String> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let _ = name;
    if let Some(git) = text("git") {
        let git = if let Some((host, path)) = git
            .strip_prefix("git@")
            .and_then(|rest| rest.split_once(':'))
        {
            format!("ssh://git@{host}/{path}")
        } else {
            git.to_owned()
        };
        let revision = text("rev")
            .or_else(|| text("tag"))
            .or_else(|| text("branch"));
        let revision = revision.map(|r| format!("@{r}")).unwrap_or_default();
        let folder = text("subdirectory").map(|s| format!("#subdirectory={s}"));
        return Some(format!("git+{git}{revision}{}", folder.unwrap_or_default()));
    }
    text("url").map(str::to_owned)
}

fn specifiers(draft: &mut Draft, name: &str, version: &str, origin: &Origin) -> Option<String> {
    let read = constraint::specifiers(version);
    if read.is_none() {
        let reason = format!("`{version}` of `{name}` is no constraint that PEP 440 can express");
        draft.unknown("requires_dist", Some(origin.clone()), reason);
    }
    read
}

fn scripts(draft: &mut Draft, table: Node<'_>) {
    let mut points: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (key, value) in table.get("scripts").map(Node::entries).unwrap_or_default() {
        // `{reference = …, type = "file"}` is a file that is copied.
        let reference = value
            .text()
            .or_else(|| value.get("callable").and_then(Node::text));
        if let Some(reference) = reference {
            let list = points.entry("console_scripts".to_owned()).or_default();
            list.push((key.text.to_owned(), reference.to_owned()));
        }
    }
    for (group, plugins) in table.get("plugins").map(Node::entries).unwrap_or_default() {
        for (key, value) in plugins.entries() {
            if let Some(reference) = value.text() {
                let list = points.entry(group.text.to_owned()).or_default();
                list.push((key.text.to_owned(), reference.to_owned()));
            }
        }
    }
    draft.entry_points = Some(points);
}

/// `packages = [{include = "demo", from = "src"}]`; without it, the project's own name.
fn packages(draft: &mut Draft, table: Node<'_>) {
    let Some(packages) = table.get("packages").and_then(Node::elements) else {
        return;
    };
    let mut names = Vec::new();
    for package in packages {
        let text = |key: &str| package.get(key).and_then(Node::text);
        let Some(include) = text("include") else {
            continue;
        };
        // What goes into the sdist only installs nothing.
        let formats = package.get("format").map(Node::texts).unwrap_or_default();
        if formats.iter().any(|(f, _)| *f == "sdist") && formats.len() == 1 {
            continue;
        }
        if let Some(from) = text("from") {
            let name = include.split('/').next().unwrap_or(include);
            draft
                .layout
                .folders
                .insert(name.to_owned(), format!("{from}/{name}"));
        }
        match include.strip_suffix(".py") {
            Some(module) => draft.layout.modules.push(module.to_owned()),
            None => names.push(
                include
                    .trim_end_matches("/**/*.py")
                    .trim_matches('/')
                    .replace('/', "."),
            ),
        }
    }
    draft.layout.packages = Some(names);
}
