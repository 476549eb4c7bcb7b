//! What packaging a source needs to know of it, beyond its requirements.
//!
//! Facts are cached by the archive's hash, so they hold plain values only.

use super::merge::recorded::comparable;
use super::native::Evidence;
use super::reading::no_env;
use super::{
    Cargo, Evaluated, External, Files, Hint, ProjectError, Testing, backend, cargo, external,
    merge, module, native, plugin, testing, undeclared,
};
use std::collections::BTreeSet;

use crate::problem::Severity;
use crate::python::{About, Metadata, Requirement};

/// Facts about one source tree, read without running it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SourceFacts {
    /// `[build-system] requires` as PEP 508 texts, `setup_requires` added; setuptools where nothing is said.
    pub build_requires: Vec<String>,
    /// The same as they stand in a file at the root, quotes and all; empty texts for those that do not
    /// stand anywhere.
    #[serde(default)]
    pub build_written: Vec<String>,
    /// The files: `pyproject.toml`, `setup.cfg` or `setup.py`; where it is not said, the first.
    #[serde(default)]
    pub build_files: Vec<String>,
    /// Whether its build backend is its own, whose hooks may ask for more than can be read.
    #[serde(default)]
    pub own_backend: bool,
    /// `build-backend`.
    pub build_backend: Option<String>,
    /// Whether the build requirements stand in a `pyproject.toml` (else they are the default).
    pub has_build_system_table: bool,
    /// Requirements as PEP 508 texts, extras as markers; none where they cannot be known statically.
    pub requires_dist: Option<Vec<String>>,
    /// The folder of an archive that holds the project, from the archive's root, where a requirement
    /// names another one than that of the whole archive.
    #[serde(default)]
    pub folder: Option<String>,
    /// Extras, normalised.
    pub provides_extra: Vec<String>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
    /// What stopped us from knowing the requirements: sentences with file and line.
    pub unknown: Vec<String>,
    /// Files, relative to the archive's root folder, that setup.py reads and the archive lacks.
    pub missing_files: Vec<String>,
    /// Importable modules that it installs, dotted for namespace packages, top level only, sorted.
    pub modules: Vec<String>,
    /// Whether they import `pkg_resources`, which is part of setuptools.
    #[serde(default)]
    pub pkg_resources: bool,
    /// Console scripts.
    pub scripts: Vec<String>,
    /// Description, addresses, licence.
    pub about: About,
    /// Its Rust part.
    #[serde(default)]
    pub cargo: Option<Cargo>,
    /// Whether the archive holds tests.
    pub has_tests: bool,
    /// What its tests need, and what runs them.
    #[serde(default)]
    pub testing: Testing,
    /// Things to be warned about, as sentences.
    pub warnings: Vec<String>,
    /// Whether setup.py builds extension modules, or may.
    #[serde(default)]
    pub extensions: bool,
    /// Native libraries that extension modules are linked with, sorted.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// Modules that setup.py asks pkg-config for, sorted.
    #[serde(default)]
    pub pkg_config: Vec<String>,
    /// Other programs that setup.py starts, sorted.
    #[serde(default)]
    pub programs: Vec<String>,
    /// What its build needs of native libraries and programs, and who says so.
    #[serde(default)]
    pub native: Vec<Evidence>,
    /// What it needs from outside of Python (PEP 725).
    #[serde(default)]
    pub external: External,
}

impl SourceFacts {
    /// A sentence where the source is known to require something else than the release's metadata
    /// (mostly a wheel's) says.
    pub fn disagreement(&self, metadata: &Metadata) -> Option<String> {
        let ours = self.requires_dist.as_ref()?;
        let ours: BTreeSet<String> = ours
            .iter()
            .map(|text| Requirement::parse(text).map(|r| comparable(&r)))
            .collect::<Result<_, _>>()
            .ok()?;
        let theirs: BTreeSet<String> = metadata.requires_dist.iter().map(comparable).collect();
        if ours == theirs {
            return None;
        }
        let shown = |set: Vec<&String>| match set.as_slice() {
            [] => "nothing".to_owned(),
            [one] => format!("`{one}`"),
            [one, rest @ ..] => format!("`{one}` and {} more", rest.len()),
        };
        Some(format!(
            "wheel and sdist disagree about the requirements: only the wheel has {}, only the sdist {}",
            shown(theirs.difference(&ours).collect()),
            shown(ours.difference(&theirs).collect()),
        ))
    }
}

/// Facts about an sdist, or about any folder that is packaged like one.
///
/// # Errors
/// When nothing in it describes a project.
pub fn of(files: &dyn Files) -> Result<SourceFacts, ProjectError> {
    let read = merge::read(files, &Hint::Distribution, &no_env)?;
    let project = read.project;
    let tells_requirements = !project
        .unknown
        .iter()
        .any(|u| matches!(u.field.as_str(), "requires_dist" | "provides_extra"));
    let known = project.evaluated != Evaluated::Failed && tells_requirements;
    let name = project.name.as_ref().map(ToString::to_string);
    let scripts = project.entry_points.get("console_scripts");
    let mut build_requires = project.build_system.requires.clone();
    let own_backend = backend::requires(files);
    build_requires.extend(own_backend.iter().flatten().cloned());
    let backend = project.build_system.backend.as_deref();
    build_requires.extend(plugin::requires(files, backend));
    let external = external::read(files);
    let native = native::read(
        files,
        &native::Known {
            libraries: &read.native.libraries,
            modules: &read.native.pkg_config,
            programs: &read.native.programs,
            extensions: read.native.extensions,
            external: Some(&external),
            requires: build_names(&build_requires).collect(),
        },
    );
    let modules = module::modules(files, &read.layout, read.backend, name.as_deref());
    Ok(SourceFacts {
        pkg_resources: undeclared::imports_pkg_resources(files, &modules),
        build_files: written(&build_requires).map(|(file, _)| file).collect(),
        build_written: written(&build_requires).map(|(_, text)| text).collect(),
        build_backend: project.build_system.backend.clone(),
        has_build_system_table: read.has_build_system,
        requires_dist: known.then(|| texts(&project.requires_dist())),
        provides_extra: project.optional.keys().map(ToString::to_string).collect(),
        requires_python: project.requires_python.as_ref().map(ToString::to_string),
        unknown: project.unknown.iter().map(ToString::to_string).collect(),
        modules,
        scripts: scripts
            .into_iter()
            .flatten()
            .map(|(n, _)| n.clone())
            .collect(),
        has_tests: has_tests(files),
        testing: testing::read(files, &project, &read.tests_require),
        cargo: cargo::read(files, build_names(&build_requires)),
        build_requires: texts(&build_requires),
        folder: None,
        own_backend: own_backend.is_some(),
        warnings: project
            .problems
            .iter()
            .filter(|p| p.severity >= Severity::Warning)
            .map(ToString::to_string)
            .collect(),
        missing_files: project.missing_files,
        about: project.about,
        extensions: read.native.extensions,
        libraries: read.native.libraries,
        pkg_config: read.native.pkg_config,
        programs: read.native.programs,
        native,
        external,
    })
}

fn texts(requirements: &[crate::python::Requirement]) -> Vec<String> {
    requirements.iter().map(ToString::to_string).collect()
}

fn build_names(requires: &[crate::python::Requirement]) -> impl Iterator<Item = &str> {
    requires.iter().map(|r| r.name.as_ref())
}

/// The files in which requirements stand, and the texts there: what a setup.py computes stands nowhere.
fn written(requirements: &[Requirement]) -> impl Iterator<Item = (String, String)> {
    let literal = |r: &Requirement| {
        let origin = r.origin.as_ref()?;
        let file = origin.path().file_name()?.to_str()?;
        let text = origin.text();
        match file {
            "pyproject.toml" => {}
            "setup.py" if is_literal(text, r) => {}
            "setup.cfg" if says(text, r) => {}
            _ => return None,
        }
        Some((file.to_owned(), text.to_owned()))
    };
    requirements
        .iter()
        .map(move |r| literal(r).unwrap_or_default())
}

/// Whether a text of Python is a plain string with a requirement.
fn is_literal(text: &str, requirement: &Requirement) -> bool {
    let quoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    let inner = quoted('\'').or_else(|| quoted('"'));
    inner.is_some_and(|inner| !inner.contains(['\'', '"', '\\']) && says(inner, requirement))
}

fn says(text: &str, requirement: &Requirement) -> bool {
    let one_line = !text.contains(['\n', ';']);
    let read = Requirement::parse(text.trim()).ok().filter(|_| one_line);
    read.is_some_and(|r| r.name == requirement.name && r.wanted == requirement.wanted)
}

/// A folder of tests at the root, in `src`, or in a package at the root.
fn has_tests(files: &dyn Files) -> bool {
    let is_tests = |name: &str| {
        matches!(name, "test" | "tests" | "testing")
            || (name.ends_with(".py") && (name.starts_with("test_") || name == "tests.py"))
    };
    let holds = |folder: &str| files.list(folder).iter().any(|name| is_tests(name));
    holds("")
        || files
            .list("")
            .iter()
            .any(|name| files.is_file(&format!("{name}/__init__.py")) && holds(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_and_sdist_are_compared() {
        let metadata = Metadata::parse(
            b"Name: a\nVersion: 1\nRequires-Dist: b (<2,>=1)\nRequires-Dist: c; extra == 'x'\n",
        )
        .unwrap();
        let facts = |requires: &[&str]| SourceFacts {
            requires_dist: Some(requires.iter().map(|r| (*r).to_owned()).collect()),
            ..SourceFacts::default()
        };
        let same = facts(&["c; extra == 'x'", "b>=1,<2"]);
        assert_eq!(same.disagreement(&metadata), None);
        assert_eq!(SourceFacts::default().disagreement(&metadata), None);
        let other = facts(&["b>=1,<2", "d"]).disagreement(&metadata).unwrap();
        assert!(
            other.contains("only the wheel has `c; extra == 'x'`, only the sdist `d`"),
            "{other}"
        );
    }

    #[test]
    fn who_finds_packages_installs_no_modules() {
        let find = "[metadata]\nname = mine\n[options]\npackages = find:\n\
                    [options.packages.find]\nexclude =\n    tests*\n";
        let facts = of(&crate::project::tests::tree(&[
            ("setup.cfg", find),
            ("setup.py", "from setuptools import setup\nsetup()\n"),
            ("mine/__init__.py", ""),
            ("tests/__init__.py", ""),
        ]));
        assert_eq!(facts.unwrap().modules, ["mine"]);
    }
}
