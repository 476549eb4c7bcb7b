//! Several files into one [`Project`], as the build backend merges them; what they disagree about
//! becomes problems.

use std::str::FromStr;

use super::discover::Kind;
use super::draft::Draft;
use super::pyproject::{self, Backend};
use super::reading::Reading;
use super::requirements_txt;
use super::{BuildSystem, Evaluated, Files, Hint, Project, ProjectError, Unknown};
use crate::problem::{Code, Severity};
use crate::python::metadata::Header;
use crate::python::{Metadata, PackageName, Requirement};

/// See [`super::read`].
pub(super) fn read(files: &dyn Files, hint: &Hint) -> Result<Project, ProjectError> {
    let read = draft(files, hint)?;
    Ok(read.project)
}

/// A project, and what [`facts`](super::facts) wants besides.
pub(super) struct Read {
    /// The project.
    pub project: Project,
    /// What it installs.
    pub layout: super::draft::Layout,
    /// Who builds it.
    pub backend: Backend,
    /// Whether `[build-system]` is there.
    pub has_build_system: bool,
}

/// Reads and merges everything that describes the project.
pub(super) fn draft(files: &dyn Files, hint: &Hint) -> Result<Read, ProjectError> {
    let lenient = *hint == Hint::Distribution;
    let mut reading = Reading::new(files, lenient);
    if let Hint::File(name) = hint {
        match Kind::of(name) {
            Some(Kind::Metadata) => return metadata_file(files, name),
            Some(Kind::Requirements) => return Ok(requirements_file(reading, name)),
            Some(_) => {}
            None => return Err(ProjectError::UnknownKind(files.display(name))),
        }
    }
    if lenient && let Some(path) = wheel_metadata(files) {
        return metadata_file(files, &path);
    }
    let toml = match hint {
        Hint::File(name) if Kind::of(name) == Some(Kind::Pyproject) => name.as_str(),
        _ => "pyproject.toml",
    };
    let mut draft = Draft::default();
    let mut backend = Backend::Setuptools;
    if let Some(file) = reading.source_if_any(toml) {
        let read = pyproject::read(&mut reading, &file);
        draft = read.draft;
        backend = read.backend;
        let _ = read.dynamic;
    }
    if lenient {
        package_info(&mut reading, &mut draft);
    }
    Ok(finish(reading, draft, backend))
}

/// A requirements file alone.
fn requirements_file(mut reading: Reading<'_>, path: &str) -> Read {
    let said = requirements_txt::read(&mut reading, path);
    let mut draft = Draft {
        dependencies: Some(said.requirements),
        ..Draft::default()
    };
    for origin in said.nameless {
        draft.unknown("requires_dist", Some(origin), "it has no name");
    }
    let mut read = finish(reading, draft, Backend::Other);
    read.project.constraints = said.constraints;
    read.project.index_options = said.options;
    read.project.hashes = said.hashes;
    read
}

/// The `METADATA` of an unpacked wheel.
fn wheel_metadata(files: &dyn Files) -> Option<String> {
    let mut folders = files.list("").into_iter();
    let folder = folders.find(|name| name.ends_with(".dist-info"))?;
    Some(format!("{folder}/METADATA")).filter(|path| files.is_file(path))
}

/// A project described by core metadata alone.
fn metadata_file(files: &dyn Files, path: &str) -> Result<Read, ProjectError> {
    let bytes = files.read(path)?;
    let metadata = Metadata::parse(&bytes).map_err(|source| ProjectError::Metadata {
        file: files.display(path),
        source,
    })?;
    let mut reading = Reading::new(files, true);
    for (written, read) in &metadata.repairs {
        let what = format!("`{written}` is not valid and was read as `{read}`");
        reading.warn(Code::RepairedRequirement, what, None);
    }
    let mut draft = Draft {
        name: Some(metadata.name.to_string()),
        version: Some(metadata.version),
        requires_python: Some(metadata.requires_python),
        about: metadata.about,
        ..Draft::default()
    };
    split_extras(&mut draft, metadata.requires_dist, metadata.provides_extra);
    Ok(finish(reading, draft, Backend::Other))
}

/// Requirements of metadata, sorted by the extras that they are for.
fn split_extras(
    draft: &mut Draft,
    requires_dist: Vec<Requirement>,
    extras: Vec<crate::python::ExtraName>,
) {
    let optional = draft.optional.get_or_insert_default();
    for extra in &extras {
        optional.entry(extra.clone()).or_default();
    }
    let mut required = Vec::new();
    for requirement in requires_dist {
        let mut rest = requirement.marker.clone();
        for extra in &extras {
            let with = requirement
                .marker
                .clone()
                .simplify_extras(std::slice::from_ref(extra));
            if with != requirement.marker {
                rest.and(super::extra_marker(extra, false));
                optional
                    .entry(extra.clone())
                    .or_default()
                    .push(Requirement {
                        marker: with,
                        ..requirement.clone()
                    });
            }
        }
        // What is left where none of these extras is asked for: mostly nothing.
        if !rest.is_false() || requirement.marker.is_false() {
            required.push(Requirement {
                marker: rest,
                ..requirement
            });
        }
    }
    draft.dependencies = Some(required);
}

/// What an sdist's `PKG-INFO` is bound to tell (PEP 643), and name and version in any case.
fn package_info(reading: &mut Reading<'_>, draft: &mut Draft) {
    let Ok(bytes) = reading.files.read("PKG-INFO") else {
        return;
    };
    let header = Header::parse(&bytes);
    if let Some(name) = header.first("Name") {
        draft.name = Some(name.to_owned());
        draft.unknown.retain(|u| u.field != "name");
    }
    if let Some(version) = header.first("Version") {
        draft.version = Some(version.to_owned());
        draft.unknown.retain(|u| u.field != "version");
    }
}

/// Turns what was gathered into a project.
fn finish(mut reading: Reading<'_>, mut draft: Draft, backend: Backend) -> Read {
    let name = draft.name.as_deref().map(str::trim);
    let parsed = name.and_then(|name| PackageName::from_str(name).ok());
    if let (Some(name), None) = (name, &parsed) {
        let what = format!("`{name}` is not a project's name");
        reading.error(Code::InvalidRequirement, what, None);
    }
    // A requirement that was left out because it makes no sense is one that we do not know.
    for problem in &reading.problems {
        if problem.code == Code::InvalidRequirement && problem.severity == Severity::Error {
            draft.unknown.push(Unknown {
                field: "requires_dist".to_owned(),
                origin: problem.origin.clone(),
                reason: problem.what.clone(),
            });
        }
    }
    let has_build_system = draft.build_system.is_some();
    let build_system = build_system(draft.build_system, draft.setup_requires);
    let project = Project {
        name: parsed,
        version: draft.version,
        requires_python: draft.requires_python.flatten(),
        dependencies: draft.dependencies.unwrap_or_default(),
        optional: draft.optional.unwrap_or_default(),
        groups: draft.groups,
        build_system,
        entry_points: draft.entry_points.unwrap_or_default(),
        about: draft.about,
        missing_files: draft.missing_files,
        evaluated: if draft.unknown.is_empty() {
            Evaluated::Static
        } else {
            Evaluated::Partial
        },
        unknown: draft.unknown,
        problems: reading.problems,
        ..Project::default()
    };
    Read {
        project,
        layout: draft.layout,
        backend,
        has_build_system,
    }
}

/// What PEP 517 assumes where nothing is said, and `setup_requires`.
fn build_system(said: Option<BuildSystem>, setup_requires: Vec<Requirement>) -> BuildSystem {
    let mut system = said.unwrap_or_else(|| BuildSystem {
        requires: Requirement::parse("setuptools>=40.8.0")
            .into_iter()
            .collect(),
        backend: None,
    });
    for requirement in setup_requires {
        if !system.requires.iter().any(|r| r.name == requirement.name) {
            system.requires.push(requirement);
        }
    }
    system
}
