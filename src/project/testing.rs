//! What the tests of a source need, and what runs them: as far as its files say.
//!
//! Tests are looked for where projects keep them, and only their imports are looked at. What they
//! require is declared in many places; the first of these that says something counts: extras and
//! dependency groups for tests, `tests_require`, tox' `deps`, requirements files for tests, and the
//! extras and groups of developers.

use std::collections::BTreeSet;

use super::{Files, Project};
use crate::python::Requirement;

/// How deep tests are looked for below the root.
const MAX_DEPTH: usize = 4;
/// How many folders are looked into.
const MAX_FOLDERS: usize = 400;
/// How many test files are read for their imports.
const MAX_READ: usize = 60;
/// The largest file that is read.
const MAX_BYTES: usize = 1 << 20;

/// What runs tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Runner {
    /// There are no tests.
    #[default]
    None,
    /// pytest.
    Pytest,
    /// Python's own `unittest`: nothing mentions pytest.
    Unittest,
}

/// The tests of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Testing {
    /// What runs them.
    pub runner: Runner,
    /// What they require, as PEP 508 texts, in the order in which it is declared.
    pub requires: Vec<String>,
    /// Where that is declared: `the extra test`, `tox.ini`; empty where nothing is.
    pub declared: String,
}

/// Names of extras and groups for tests, best first.
const TESTS: [&str; 6] = ["test", "tests", "testing", "pytest", "unittest", "unit"];
/// Names of extras and groups for developers.
const DEVELOPERS: [&str; 3] = ["dev", "develop", "development"];
/// Requirements files for tests.
const TEST_FILES: [&str; 9] = [
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "test_requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "tests/requirements.txt",
    "test/requirements.txt",
];
/// Requirements files for developers.
const DEVELOPER_FILES: [&str; 4] = [
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements/dev.txt",
];

/// Looks at the tests of a source.
pub(super) fn read(files: &dyn Files, project: &Project, tests_require: &[Requirement]) -> Testing {
    let found = look(files);
    if found.is_empty() {
        return Testing::default();
    }
    let (declared, requires) = declared(files, project, tests_require);
    let asks = |text: &String| text.to_ascii_lowercase().starts_with("pytest");
    let pytest = configured(files) || requires.iter().any(asks) || imported(files, &found);
    Testing {
        runner: if pytest {
            Runner::Pytest
        } else {
            Runner::Unittest
        },
        requires,
        declared,
    }
}

/// The files with tests.
fn look(files: &dyn Files) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), 0, false)];
    let mut looked = 0;
    while let Some((folder, depth, inside)) = folders.pop() {
        looked += 1;
        if looked > MAX_FOLDERS {
            break;
        }
        for name in files.list(&folder) {
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if files.is_dir(&path) {
                let here = matches!(name.as_str(), "test" | "tests");
                if depth < MAX_DEPTH && !name.starts_with('.') && !is_elsewhere(&name) {
                    folders.push((path, depth + 1, inside || here));
                }
            } else if is_test(&name) && (inside || depth == 0) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Folders whose tests are not the project's own.
fn is_elsewhere(name: &str) -> bool {
    matches!(
        name,
        "docs" | "doc" | "examples" | "vendor" | "_vendor" | "node_modules" | "third_party"
    ) || name.ends_with(".egg-info")
}

/// What pytest and unittest take for tests by default.
fn is_test(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".py") else {
        return false;
    };
    stem.starts_with("test") || stem.ends_with("_test") || stem.ends_with("_tests")
}

/// Whether pytest is configured.
fn configured(files: &dyn Files) -> bool {
    let has = |file: &str, part: &str| {
        let bytes = files.read(file).ok().filter(|b| b.len() <= MAX_BYTES);
        bytes.is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains(part))
    };
    [
        "pytest.ini",
        ".pytest.ini",
        "conftest.py",
        "tests/conftest.py",
        "test/conftest.py",
    ]
    .iter()
    .any(|file| files.is_file(file))
        || has("pyproject.toml", "[tool.pytest")
        || has("setup.cfg", "[tool:pytest]")
        || has("tox.ini", "[pytest]")
}

/// Whether a test imports pytest.
fn imported(files: &dyn Files, tests: &[String]) -> bool {
    tests.iter().take(MAX_READ).any(|path| {
        let bytes = files.read(path).ok().filter(|b| b.len() <= MAX_BYTES);
        bytes.is_some_and(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            let mut lines = text.lines().map(str::trim_start);
            lines.any(|line| {
                let words: Vec<&str> = line.split([' ', ',', '.']).take(3).collect();
                matches!(words.as_slice(), ["import" | "from", "pytest", ..])
            })
        })
    })
}

/// What the tests require, and where that is said.
fn declared(
    files: &dyn Files,
    project: &Project,
    tests_require: &[Requirement],
) -> (String, Vec<String>) {
    let texts = |list: &[Requirement]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let named = |names: &[&str]| {
        names.iter().find_map(|name| {
            let extra = project.optional.iter().find(|(e, _)| e.as_ref() == *name);
            let extra = extra.map(|(_, list)| (format!("the extra {name}"), texts(list)));
            let group = project.groups.get(*name);
            let group = group.map(|list| (format!("the dependency group {name}"), texts(list)));
            [extra, group]
                .into_iter()
                .flatten()
                .find(|(_, list)| !list.is_empty())
        })
    };
    let listed = |names: &[&str]| {
        names.iter().find_map(|name| {
            let list = lines(files, name);
            (!list.is_empty()).then(|| ((*name).to_owned(), list))
        })
    };
    named(&TESTS)
        .or_else(|| {
            let list = texts(tests_require);
            (!list.is_empty()).then(|| ("tests_require".to_owned(), list))
        })
        .or_else(|| {
            let list = tox(files);
            (!list.is_empty()).then(|| ("tox.ini".to_owned(), list))
        })
        .or_else(|| listed(&TEST_FILES))
        .or_else(|| named(&DEVELOPERS))
        .or_else(|| listed(&DEVELOPER_FILES))
        .unwrap_or_default()
}

/// The requirements of a requirements file, its options left out.
fn lines(files: &dyn Files, path: &str) -> Vec<String> {
    let bytes = files.read(path).ok().filter(|b| b.len() <= MAX_BYTES);
    let text = bytes.map(|b| String::from_utf8_lossy(&b).into_owned());
    let text = text.unwrap_or_default();
    let mut seen = BTreeSet::new();
    let requirements = text.lines().filter_map(requirement);
    requirements.filter(|r| seen.insert(r.clone())).collect()
}

fn requirement(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    if line.is_empty() || line.starts_with(['#', '-', '{']) {
        return None;
    }
    Requirement::parse(line).ok().map(|r| r.to_string())
}

/// `deps` of tox.ini's `[testenv]`. Lines for some environments only (`py39: x`) are left out.
fn tox(files: &dyn Files) -> Vec<String> {
    let bytes = files.read("tox.ini").ok().filter(|b| b.len() <= MAX_BYTES);
    let text = bytes.map(|b| String::from_utf8_lossy(&b).into_owned());
    let text = text.unwrap_or_default();
    let mut found = Vec::new();
    let (mut section, mut inside) = (String::new(), false);
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            inside = false;
        } else if section == "testenv" && !line.starts_with([' ', '\t']) {
            let value = line.split_once('=').filter(|(key, _)| key.trim() == "deps");
            inside = value.is_some();
            found.extend(value.and_then(|(_, value)| requirement(value)));
        } else if inside {
            found.extend(requirement(line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Archive, Hint};

    fn testing(files: &[(&str, &str)]) -> Testing {
        let files = files.iter().map(|(path, text)| (*path, text.as_bytes()));
        let archive = Archive::from_files("a", files).unwrap();
        let project = crate::project::read(&archive, &Hint::Distribution).unwrap_or_default();
        read(&archive, &project, &[])
    }

    const TOML: &str = "[project]\nname = 'a'\nversion = '1'\n";

    #[test]
    fn tests_are_found_where_they_are() {
        let toml = ("pyproject.toml", TOML);
        let none = testing(&[toml, ("a/testing/__init__.py", ""), ("a/test_x.py", "")]);
        assert_eq!(none, Testing::default());
        let unit = testing(&[toml, ("tests/test_a.py", "import unittest\n")]);
        assert_eq!(unit.runner, Runner::Unittest);
        let py = testing(&[toml, ("src/a/tests/test_a.py", "from pytest import mark\n")]);
        assert_eq!(py.runner, Runner::Pytest);
        let configured = testing(&[toml, ("test_a.py", ""), ("pytest.ini", "[pytest]\n")]);
        assert_eq!(configured.runner, Runner::Pytest);
    }

    #[test]
    fn the_first_declaration_counts() {
        let extra = format!(
            "{TOML}[project.optional-dependencies]\ntest = ['pytest-mock>=3']\ndev = ['ruff']\n"
        );
        let tests = ("tests/test_a.py", "");
        let tox = (
            "tox.ini",
            "[tox]\ndeps = no\n[testenv]\ndeps =\n  pytest\n  -r x.txt\n  py39: b\n  respx # c\ncommands = x\n",
        );
        let by_extra = testing(&[("pyproject.toml", &extra), tests, tox]);
        assert_eq!(by_extra.requires, ["pytest-mock>=3"]);
        assert_eq!(by_extra.declared, "the extra test");
        assert_eq!(by_extra.runner, Runner::Pytest);
        let by_tox = testing(&[("pyproject.toml", TOML), tests, tox]);
        assert_eq!(by_tox.requires, ["pytest", "respx"]);
        let file = (
            "requirements-test.txt",
            "-r requirements.txt\n# x\nhypothesis\n",
        );
        let by_file = testing(&[("pyproject.toml", TOML), tests, file]);
        assert_eq!(
            (by_file.declared.as_str(), by_file.requires.len()),
            (file.0, 1)
        );
        assert_eq!(by_file.runner, Runner::Unittest);
    }
}
