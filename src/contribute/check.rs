//! What runs a module's tests, as attributes of nixpkgs.

use std::collections::BTreeSet;

use crate::nixpkgs::{Nixpkgs, is_bootstrap};
use crate::plan::Needed;
use crate::plan::decide::canonical_attr;
use crate::project::Testing;
use crate::project::testing::Runner;
use crate::python::{PackageName, Requirement, Targets};

/// The tests of a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    /// Attributes for `nativeCheckInputs`, the hook that runs the tests among them.
    pub inputs: Vec<String>,
    /// Comments in the module: why there are no tests.
    pub comments: Vec<String>,
    /// What a person has to look at, as sentences.
    pub notes: Vec<String>,
}

/// What only looks at the code or counts its lines; nixpkgs runs none of it.
const LINTERS: [&str; 47] = [
    "autopep8",
    "bandit",
    "basedpyright",
    "black",
    "build",
    "bump2version",
    "check-manifest",
    "codecov",
    "codespell",
    "coverage",
    "coveralls",
    "detect-secrets",
    "docformatter",
    "flake8",
    "flit",
    "hatch",
    "import-linter",
    "interrogate",
    "invoke",
    "isort",
    "mkdocs",
    "mutmut",
    "mypy",
    "nox",
    "pip",
    "pip-tools",
    "pre-commit",
    "pycodestyle",
    "pydocstyle",
    "pyflakes",
    "pylint",
    "pyright",
    "pyupgrade",
    "readme-renderer",
    "ruff",
    "safety",
    "semgrep",
    "slotscheck",
    "sphinx",
    "towncrier",
    "tox",
    "trufflehog",
    "twine",
    "ty",
    "uv",
    "validate-pyproject",
    "vulture",
];

/// Plugins of pytest that look at the code, count, or only draw.
const IDLE_PLUGINS: [&str; 11] = [
    "black",
    "checkdocs",
    "codestyle",
    "enabler",
    "flake8",
    "isort",
    "mypy",
    "pycodestyle",
    "pylint",
    "ruff",
    "sugar",
];

/// Whether tests do not need this.
fn is_idle(name: &str) -> bool {
    LINTERS.contains(&name)
        || name == "pytest-runner"
        || name.ends_with("-stubs")
        || [
            "flake8-", "types-", "sphinx-", "mkdocs-", "mypy-", "tox-", "pylint-",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || name
            .strip_prefix("pytest-")
            .is_some_and(|plugin| IDLE_PLUGINS.contains(&plugin))
}

/// The tests of a source, for a module that needs `dependencies` to run.
pub fn checks(
    testing: &Testing,
    project: &PackageName,
    dependencies: &[Needed],
    nixpkgs: &Nixpkgs,
    targets: &Targets,
) -> Checks {
    if is_bootstrap(project) || testing.runner == Runner::None {
        return Checks {
            comments: vec!["no tests in the source".to_owned()],
            ..Checks::default()
        };
    }
    let mut inputs = BTreeSet::new();
    let mut absent = BTreeSet::new();
    let mut runner = testing.runner;
    for text in &testing.requires {
        let Ok(requirement) = Requirement::parse(text) else {
            continue;
        };
        if targets.matching(&requirement.marker, &[]).is_empty() {
            continue;
        }
        match requirement.name.as_ref() {
            "pytest" => runner = Runner::Pytest,
            "pytest-cov" => drop(inputs.insert("pytest-cov-stub".to_owned())),
            name if is_idle(name) || requirement.name == *project => {}
            _ if is_bootstrap(&requirement.name) => {}
            name if nixpkgs.attributes(&requirement.name).is_empty() => {
                absent.insert(name.to_owned());
            }
            _ => drop(inputs.insert(canonical_attr(&requirement.name, nixpkgs))),
        }
    }
    for needed in dependencies {
        inputs.remove(&needed.attr);
    }
    let hook = match runner {
        Runner::Unittest => "unittestCheckHook",
        Runner::Pytest | Runner::None => "pytestCheckHook",
    };
    inputs.insert(hook.to_owned());
    let mut notes = Vec::new();
    if !absent.is_empty() {
        let absent: Vec<String> = absent.into_iter().collect();
        notes.push(format!(
            "the tests also need {} ({}), which this nixpkgs lacks: leave those tests out, or package it",
            absent.join(", "),
            testing.declared
        ));
    }
    if testing.requires.is_empty() {
        notes.push("nothing says what the tests need besides their runner".to_owned());
    }
    Checks {
        inputs: inputs.into_iter().collect(),
        comments: Vec::new(),
        notes,
    }
}
