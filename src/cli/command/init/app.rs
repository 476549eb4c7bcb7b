//! `pyresolve init --app`: the project itself as a package.

use std::path::Path;
use std::str::FromStr as _;

use crate::cli::exit::Failure;
use crate::cli::report::{Report, Volume, YELLOW};
use crate::nixpkgs::snapshot;
use crate::plan;
use crate::plan::decide::canonical_attr;
use crate::problem::Severity;
use crate::project::pylock::Pylock;
use crate::project::{self, Project};
use crate::python::{PackageName, System, Targets, Version};
use crate::render::Document;
use crate::render::app::{App, app};

/// The document for the project in a folder.
///
/// # Errors
/// When there is no project that says its name.
pub(super) fn document(folder: &Path, report: &Report) -> Result<Document, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let nothing = || {
        Failure::usage(format!("`{}` holds no project that tells its name", folder.display())).help(
            "`--app` makes a package of a pyproject.toml, setup.cfg or setup.py; without it, `pyresolve init` makes an environment",
        )
    };
    let project = project::open_with(folder, &env).map_err(|_| nothing())?;
    for problem in &project.problems {
        if problem.severity == Severity::Error {
            report.problem(problem);
        }
    }
    let name = project.name.clone().ok_or_else(nothing)?;
    let python = python(folder);
    let minor = format!("{}.{}", part(&python, 0), part(&python, 1));
    let nixpkgs = snapshot::read(&minor).unwrap_or_default();
    let warn = |text: &str| {
        let label = report.paint(YELLOW, "warning");
        report.say(Volume::Warnings, &format!("{label}: {text}"));
    };
    let build = builders(&project, python);
    for name in build.iter().filter(|n| nixpkgs.attributes(n).is_empty()) {
        warn(&format!(
            "nixpkgs lacks {name}, which builds the project: lock it as well, `pyresolve lock . {name}`"
        ));
    }
    let dynamic = project.version.is_none();
    if dynamic {
        warn(
            "the project's files do not tell its version: package.nix says 0, which is yours to change",
        );
    }
    Ok(app(&App {
        name: name.to_string(),
        version: project.version.clone(),
        version_variable: build
            .iter()
            .filter(|_| dynamic)
            .find_map(|name| plan::version_variable(name.as_ref())),
        build_system: build
            .iter()
            .map(|name| canonical_attr(name, &nixpkgs))
            .collect(),
        main_program: main_program(&project, &name, warn),
        meta: plan::of_project(&project.about, name.as_ref()),
    }))
}

/// The Python of the lock in the folder, or else the usual one.
fn python(folder: &Path) -> Version {
    let lock = std::fs::read_to_string(folder.join("pylock.toml")).ok();
    let own = lock.and_then(|text| Pylock::parse(&text).ok()?.own);
    own.and_then(|own| Version::from_str(&own.python).ok())
        .unwrap_or_else(snapshot::default_python)
}

fn part(version: &Version, place: usize) -> u64 {
    version.release().get(place).copied().unwrap_or_default()
}

/// What builds the project with this Python, each once, in the order of its file.
fn builders(project: &Project, python: Version) -> Vec<PackageName> {
    let targets = Targets::new(python, &System::DEFAULT);
    let mut names: Vec<PackageName> = Vec::new();
    for requirement in &project.build_system.requires {
        let wanted = !targets.matching(&requirement.marker, &[]).is_empty();
        if wanted && !names.contains(&requirement.name) {
            names.push(requirement.name.clone());
        }
    }
    names
}

/// The script that is called like the project, or the only one.
fn main_program(project: &Project, name: &PackageName, warn: impl Fn(&str)) -> Option<String> {
    let scripts: Vec<&str> = ["console_scripts", "gui_scripts"]
        .iter()
        .filter_map(|group| project.entry_points.get(*group))
        .flatten()
        .map(|(script, _)| script.as_str())
        .collect();
    let same = |script: &&&str| script.replace(['_', '.'], "-").to_lowercase() == *name.as_ref();
    match scripts.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        several => {
            let main = several.iter().find(same);
            if main.is_none() {
                warn(&format!(
                    "none of the programs {} is called like the project: name the main one as meta.mainProgram",
                    several.join(", ")
                ));
            }
            main.map(|script| (*script).to_owned())
        }
    }
}
