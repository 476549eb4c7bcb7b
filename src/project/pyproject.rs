//! `pyproject.toml`: the project table (PEP 621, 639), the build system (PEP 517, 518), dependency
//! groups (PEP 735), and the older tables of Poetry, Flit and PDM.
//!
//! What `dynamic` leaves to the build backend is read the way that backend reads it, one file per
//! backend; what only running the backend could tell is unknown, with the place that says so.

mod flit;
mod group;
mod hatch;
mod pdm;
mod poetry;
mod setuptools;
pub(super) mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::BuildSystem;
use super::draft::Draft;
use super::reading::Reading;
use super::table::{Document, Node};
use crate::problem::{Code, SourceFile};
use crate::python::Requirement;

/// The build backends whose configuration we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    /// setuptools, also where nothing is said (PEP 517).
    Setuptools,
    /// hatchling.
    Hatchling,
    /// flit_core, and flit before it.
    Flit,
    /// poetry-core, and poetry before it.
    Poetry,
    /// pdm-backend, and pdm-pep517 before it.
    Pdm,
    /// pbr, which is setuptools with rules of its own.
    Pbr,
    /// Any other.
    Other,
}

impl Backend {
    fn of(backend: Option<&str>) -> Self {
        let Some(backend) = backend else {
            return Backend::Setuptools;
        };
        match backend.split(['.', ':']).next().unwrap_or_default() {
            "setuptools" => Backend::Setuptools,
            "hatchling" => Backend::Hatchling,
            "flit_core" | "flit" => Backend::Flit,
            "poetry" | "poetry_dynamic_versioning" => Backend::Poetry,
            "pdm" => Backend::Pdm,
            "pbr" => Backend::Pbr,
            _ => Backend::Other,
        }
    }
}

/// What a `pyproject.toml` says.
pub(super) struct Pyproject {
    /// Its statements.
    pub draft: Draft,
    /// Who builds it.
    pub backend: Backend,
    /// Fields that `[project]` declares dynamic; none where there is no such table.
    pub dynamic: Option<BTreeSet<String>>,
}

/// Reads a `pyproject.toml`.
pub(super) fn read(reading: &mut Reading<'_>, file: &Arc<SourceFile>) -> Pyproject {
    let document = Document::parse(file, &mut reading.problems);
    let mut draft = Draft {
        build_system: build_system(reading, &document),
        ..Draft::default()
    };
    let named = draft
        .build_system
        .as_ref()
        .and_then(|b| b.backend.as_deref());
    let mut backend = Backend::of(named);
    draft.groups = group::read(reading, &document);
    let project = document.at(&["project"]);
    let poetry = document.at(&["tool", "poetry"]);
    // Without a build system, Poetry's table is a statement of its own all the same: `poetry` itself
    // installs such projects.
    if draft.build_system.is_none() && poetry.is_some() && project.is_none() {
        backend = Backend::Poetry;
    }
    let dynamic = project.map(|project| project_table(reading, &mut draft, project));
    match backend {
        Backend::Poetry => poetry::read(reading, &mut draft, &document, dynamic.as_ref()),
        Backend::Flit => flit::read(reading, &mut draft, &document, dynamic.as_ref()),
        Backend::Hatchling => hatch::read(reading, &mut draft, &document, dynamic.as_ref()),
        Backend::Pdm => pdm::read(reading, &mut draft, &document, dynamic.as_ref()),
        Backend::Setuptools | Backend::Pbr => {
            setuptools::read(reading, &mut draft, &document, dynamic.as_ref())
        }
        Backend::Other => {}
    }
    if let (Some(project), Some(dynamic)) = (project, &dynamic)
        && !matches!(backend, Backend::Setuptools | Backend::Pbr)
    {
        settle(&mut draft, project, dynamic);
    }
    if dynamic.is_none() && backend == Backend::Other && draft.name.is_none() {
        let origin = document
            .at(&["build-system", "build-backend"])
            .map(Node::origin);
        let reason = "there is no project table, and the build backend's own is not known";
        draft.unknown("requires_dist", origin, reason);
    }
    Pyproject {
        draft,
        backend,
        dynamic,
    }
}

impl Pyproject {
    /// Whether it neither has a project table nor one of the older ones.
    pub fn says_nothing(&self) -> bool {
        self.dynamic.is_none() && self.draft.name.is_none() && self.draft.dependencies.is_none()
    }

    /// What it says, where no other file counts.
    pub fn settled(mut self) -> Draft {
        self.draft.dependencies.get_or_insert_default();
        self.draft.optional.get_or_insert_default();
        self.draft
    }
}

/// `[build-system]`.
fn build_system(reading: &mut Reading<'_>, document: &Document<'_>) -> Option<BuildSystem> {
    let table = document.at(&["build-system"])?;
    let mut requires = Vec::new();
    for (text, origin) in table.get("requires").map(Node::texts).unwrap_or_default() {
        requires.extend(reading.requirement(text, Some(&origin)));
    }
    let backend = table.get("build-backend").and_then(Node::text);
    Some(BuildSystem {
        requires,
        backend: backend.map(str::to_owned),
    })
}

/// The static part of `[project]`; returns what it declares dynamic.
fn project_table(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    project: Node<'_>,
) -> BTreeSet<String> {
    let text = |key: &str| project.get(key).and_then(Node::text);
    draft.name = text("name").map(str::to_owned);
    draft.version = text("version").map(str::to_owned);
    if let Some(node) = project.get("requires-python") {
        let specifiers = node
            .text()
            .and_then(|t| reading.specifiers(t, Some(&node.origin())));
        draft.requires_python = Some(specifiers);
    }
    if let Some(node) = project.get("dependencies") {
        draft.dependencies = Some(requirements(reading, node));
    }
    if let Some(node) = project.get("optional-dependencies") {
        let mut optional = BTreeMap::new();
        for (key, node) in node.entries() {
            if let Some(extra) = reading.extra(key.text, Some(&key.origin())) {
                let list: &mut Vec<_> = optional.entry(extra).or_default();
                list.extend(requirements(reading, node));
            }
        }
        draft.optional = Some(optional);
    }
    entry_points(draft, project);
    about(draft, project);
    let dynamic = project.get("dynamic").map(Node::texts).unwrap_or_default();
    for (field, origin) in &dynamic {
        if project.get(field).is_some() {
            reading.error(
                Code::Disagreement,
                format!("`{field}` is declared dynamic and given a value as well"),
                Some(origin.clone()),
            );
        }
    }
    dynamic
        .into_iter()
        .map(|(field, _)| field.to_owned())
        .collect()
}

/// An array of requirements.
pub(super) fn requirements(reading: &mut Reading<'_>, node: Node<'_>) -> Vec<Requirement> {
    let Some(elements) = node.elements() else {
        let what = format!(
            "an array of requirements is expected here, not {}",
            node.kind()
        );
        reading.error(Code::InvalidRequirement, what, Some(node.origin()));
        return Vec::new();
    };
    let mut list = Vec::new();
    for element in elements {
        match element.text() {
            Some(text) => list.extend(reading.requirement(text, Some(&element.origin()))),
            None => {
                let what = format!("a requirement is expected here, not {}", element.kind());
                reading.error(Code::InvalidRequirement, what, Some(element.origin()));
            }
        }
    }
    list
}

fn entry_points(draft: &mut Draft, project: Node<'_>) {
    let mut groups: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut add = |group: &str, table: Node<'_>| {
        for (key, value) in table.entries() {
            if let Some(reference) = value.text() {
                let list = groups.entry(group.to_owned()).or_default();
                list.push((key.text.to_owned(), reference.to_owned()));
            }
        }
    };
    if let Some(scripts) = project.get("scripts") {
        add("console_scripts", scripts);
    }
    if let Some(scripts) = project.get("gui-scripts") {
        add("gui_scripts", scripts);
    }
    if let Some(points) = project.get("entry-points") {
        for (group, table) in points.entries() {
            add(group.text, table);
        }
    }
    if !groups.is_empty() {
        draft.entry_points = Some(groups);
    }
}

fn about(draft: &mut Draft, project: Node<'_>) {
    let about = &mut draft.about;
    let text = |node: Option<Node<'_>>| node.and_then(Node::text).map(str::to_owned);
    about.summary = text(project.get("description"));
    for (label, address) in project.get("urls").map(Node::entries).unwrap_or_default() {
        if let Some(address) = address.text() {
            about.urls.push((label.text.to_owned(), address.to_owned()));
        }
    }
    if let Some(license) = project.get("license") {
        // PEP 639 has an expression here, PEP 621 a table with a text or a file's name.
        about.license_expression = text(Some(license));
        about.license =
            text(license.get("text")).filter(|l| crate::python::metadata::is_license_name(l));
    }
    let classifiers = project
        .get("classifiers")
        .map(Node::texts)
        .unwrap_or_default();
    about.license_classifiers = classifiers
        .into_iter()
        .filter(|(c, _)| c.starts_with("License ::"))
        .map(|(c, _)| c.to_owned())
        .collect();
}

/// What is dynamic, and was not found by the backend's rules, is unknown; what is neither dynamic
/// nor there, is not there.
fn settle(draft: &mut Draft, project: Node<'_>, dynamic: &BTreeSet<String>) {
    let origin = project.get("dynamic").map(Node::origin);
    let reason = "it is declared dynamic, and only running the build backend would tell";
    let fields = [
        ("version", "version", draft.version.is_some()),
        (
            "requires-python",
            "requires_python",
            draft.requires_python.is_some(),
        ),
        (
            "dependencies",
            "requires_dist",
            draft.dependencies.is_some(),
        ),
        (
            "optional-dependencies",
            "requires_dist",
            draft.optional.is_some(),
        ),
        (
            "optional-dependencies",
            "provides_extra",
            draft.optional.is_some(),
        ),
    ];
    for (key, field, known) in fields {
        if dynamic.contains(key) && !known && !draft.is_unknown(field) {
            draft.unknown(field, origin.clone(), reason);
        }
    }
    if !dynamic.contains("dependencies") {
        draft.dependencies.get_or_insert_default();
    }
    if !dynamic.contains("optional-dependencies") {
        draft.optional.get_or_insert_default();
    }
    if !dynamic.contains("requires-python") {
        draft.requires_python.get_or_insert(None);
    }
}
