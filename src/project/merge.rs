//! Several files into one [`Project`], as the build backend merges them; what they disagree about
//! becomes problems.
//!
//! setuptools' order, from weak to strong: setup.cfg, setup.py, the project table of pyproject.toml.
//! An sdist's PKG-INFO is stronger than all of them where it is bound to tell (PEP 643).

mod pbr;
pub(super) mod recorded;
mod setuptools;

use std::path::PathBuf;
use std::str::FromStr;

use super::discover::Kind;
use super::draft::{Draft, Layout};
use super::pyproject::{self, Backend, Pyproject};
use super::reading::Reading;
use super::setup_py::Native;
use super::{
    BuildSystem, Evaluated, Files, Hint, Project, ProjectError, Unknown, requirements_txt, script,
};
use crate::problem::{Code, Severity};
use crate::python::{PackageName, Requirement};

/// A project, and what [`facts`](super::facts) wants besides.
pub(super) struct Read {
    /// The project.
    pub project: Project,
    /// What it installs.
    pub layout: Layout,
    /// Who builds it.
    pub backend: Backend,
    /// Whether `[build-system]` is there.
    pub has_build_system: bool,
    /// What its setup.py says of native code.
    pub native: Native,
    /// What its tests require, where setuptools' old keyword says it.
    pub tests_require: Vec<Requirement>,
}

/// Reads and merges everything that describes the project.
pub(super) fn read(
    files: &dyn Files,
    hint: &Hint,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Read, ProjectError> {
    let mut reading = Reading::new(files, *hint == Hint::Distribution, env);
    let mut toml = "pyproject.toml";
    let mut cfg = "setup.cfg";
    let mut py = "setup.py";
    if let Hint::File(name) = hint {
        match Kind::of(name) {
            Some(Kind::Metadata) => return recorded::metadata_file(files, name),
            Some(Kind::Requirements) => return Ok(requirements_file(reading, name)),
            Some(Kind::Pyproject) => toml = name,
            Some(Kind::SetupCfg) => cfg = name,
            Some(Kind::SetupPy) => {
                if let Some(draft) = script::read(&mut reading, name) {
                    return Ok(finish(reading, draft, Backend::Other));
                }
                py = name;
            }
            None => return Err(ProjectError::UnknownKind(files.display(name))),
        }
        if !files.is_file(name) {
            files.read(name)?;
        }
    } else if let Some(path) = recorded::wheel_metadata(files) {
        return recorded::metadata_file(files, &path);
    }
    let pyproject = match reading.source_if_any(toml) {
        Some(file) => pyproject::read(&mut reading, &file),
        None => Pyproject {
            draft: Draft::default(),
            backend: Backend::Setuptools,
            dynamic: None,
        },
    };
    let has_old_files = files.is_file(py) || files.is_file(cfg);
    if pyproject.says_nothing() && !has_old_files {
        return without_project(files, hint, reading, pyproject);
    }
    let backend = pyproject.backend;
    let mut draft = if matches!(backend, Backend::Setuptools | Backend::Pbr)
        || (backend == Backend::Other && pyproject.dynamic.is_none() && has_old_files)
    {
        setuptools::merge(&mut reading, pyproject, py, cfg)
    } else {
        pyproject.settled()
    };
    if reading.lenient {
        recorded::package_info(&mut reading, &mut draft);
    }
    Ok(finish(reading, draft, backend))
}

/// A folder without any of the files that describe a package.
fn without_project(
    files: &dyn Files,
    hint: &Hint,
    mut reading: Reading<'_>,
    pyproject: Pyproject,
) -> Result<Read, ProjectError> {
    if *hint == Hint::Folder {
        let lists = ["requirements.txt", "requirements.in"];
        if let Some(name) = lists.into_iter().find(|name| files.is_file(name)) {
            return Ok(requirements_file(reading, name));
        }
    }
    // Groups, and settings for us, are worth reading without a project.
    if !pyproject.draft.groups.is_empty() || *hint == Hint::File("pyproject.toml".to_owned()) {
        return Ok(finish(reading, pyproject.draft, pyproject.backend));
    }
    if reading.lenient && files.is_file("PKG-INFO") {
        let mut draft = pyproject.draft;
        let reason = "there is neither setup.py, setup.cfg nor a project table";
        draft.unknown("requires_dist", None, reason);
        recorded::package_info(&mut reading, &mut draft);
        return Ok(finish(reading, draft, pyproject.backend));
    }
    let place = match hint {
        Hint::File(name) => files.display(name),
        _ => files.display(""),
    };
    // `demo/` is `demo`, and nothing is the folder that we are in.
    let place: PathBuf = place.components().collect();
    Err(ProjectError::NoProject(if place.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        place
    }))
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
        let is_left_out = matches!(problem.code, Code::InvalidRequirement | Code::InvalidSyntax)
            && problem.severity == Severity::Error;
        if is_left_out && !draft.requires_are_recorded {
            draft.unknown.push(Unknown {
                field: "requires_dist".to_owned(),
                origin: problem.origin.clone(),
                reason: problem.what.clone(),
            });
        }
    }
    draft.missing_files.sort();
    draft.missing_files.dedup();
    let has_build_system = draft.build_system.is_some();
    let build_system = build_system(draft.build_system, draft.setup_requires);
    let evaluated = if draft.unknown.is_empty() {
        Evaluated::Static
    } else if draft.failed {
        Evaluated::Failed
    } else {
        Evaluated::Partial
    };
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
        evaluated,
        unknown: draft.unknown,
        problems: reading.problems,
        ..Project::default()
    };
    Read {
        project,
        layout: draft.layout,
        backend,
        has_build_system,
        native: draft.native,
        tests_require: draft.tests_require,
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
