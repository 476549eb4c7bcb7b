//! The user's settings for pyresolve: `[tool.pyresolve]` in pyproject.toml, or the same keys at the
//! top of a `pyresolve.toml`, which counts where both are there.
//!
//! ```toml
//! [tool.pyresolve]
//! python = "3.13"
//! constraints = ["alpha<2"]
//!
//! [tool.pyresolve.metadata."beta==1.0"]
//! requires = ["gamma>=3"]
//! ```

mod fix;

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Files;
use super::reading::{Reading, no_env};
use super::table::{Document, Node};
use crate::problem::{Code, Origin, Problem, Severity};
use crate::python::{ExtraName, PackageName, Requirement, Version, VersionSpecifiers};

pub use fix::Fix;

/// A value, and where the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub origin: Origin,
}

/// What the user states about a release whose requirements cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// What it requires; extras are markers.
    pub requires: Vec<Requirement>,
    /// Which Pythons it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// Where it is stated.
    pub origin: Origin,
}

/// Settings; what is not said is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `python`: the Python to lock for.
    pub python: Option<Placed<String>>,
    /// `systems`.
    pub systems: Vec<Placed<String>>,
    /// `nixpkgs`: which nixpkgs counts.
    pub nixpkgs: Option<Placed<String>>,
    /// `channel-url`: where channels are.
    pub channel_url: Option<Placed<String>>,
    /// `prefer`.
    pub prefer: Option<Placed<String>>,
    /// `prerelease`.
    pub prerelease: Option<Placed<String>>,
    /// `output`.
    pub output: Option<Placed<String>>,
    /// `constraints`.
    pub constraints: Vec<Requirement>,
    /// `overrides`: requirements that replace all others on the same project.
    pub overrides: Vec<Requirement>,
    /// `extras` of the project.
    pub extras: Vec<Placed<String>>,
    /// `groups` of the project.
    pub groups: Vec<Placed<String>>,
    /// `index-url`.
    pub index_url: Option<Placed<String>>,
    /// `extra-index-url`, one or several.
    pub extra_index_urls: Vec<Placed<String>>,
    /// `indexes`: by name.
    pub indexes: Vec<(String, Placed<String>)>,
    /// `sources`: projects that come from the index of this name only.
    pub sources: Vec<(PackageName, Placed<String>)>,
    /// `exclude-newer-package`: by project.
    pub exclude_newer_package: Vec<(PackageName, Placed<String>)>,
    /// `exclude-newer`.
    pub exclude_newer: Option<Placed<String>>,
    /// `no-binary`.
    pub no_binary: Vec<Placed<String>>,
    /// `only-binary`.
    pub only_binary: Vec<Placed<String>>,
    /// `prefer-wheels`.
    pub prefer_wheels: Vec<Placed<String>>,
    /// `metadata`: releases by name and version.
    pub metadata: BTreeMap<(PackageName, Version), Stated>,
    /// `fixes`: changes of entries, by project.
    pub fixes: BTreeMap<PackageName, Fix>,
    /// `nix`: a Nix file with an overlay that counts after the entries, seen from the folder of the
    /// generated file.
    pub nix: Option<Placed<String>>,
    /// What is wrong with the settings.
    pub problems: Vec<Problem>,
}

/// Reads the settings in a folder; empty where there are none.
pub fn read(files: &dyn Files) -> Settings {
    let mut reading = Reading::new(files, false, &no_env);
    let mut settings = Settings::default();
    for (path, at) in [
        ("pyresolve.toml", None),
        ("pyproject.toml", Some(["tool", "pyresolve"])),
    ] {
        let Some(file) = reading.source_if_any(path) else {
            continue;
        };
        // Who reads the project notes what is wrong with pyproject.toml as a whole.
        let mut problems = Vec::new();
        let document = Document::parse(&file, &mut problems);
        let table = match at {
            Some(at) => document.at(&at),
            None => {
                reading.problems.append(&mut problems);
                Some(document.root())
            }
        };
        if let Some(table) = table {
            settings.fill(&mut reading, table);
            break;
        }
    }
    settings.problems = reading.problems;
    settings
}

impl Settings {
    fn fill(&mut self, reading: &mut Reading<'_>, table: Node<'_>) {
        for (key, node) in table.entries() {
            match key.text {
                "python" => self.python = text(reading, node),
                "systems" => self.systems = texts(reading, node),
                "nixpkgs" => self.nixpkgs = text(reading, node),
                "channel-url" => self.channel_url = text(reading, node),
                "prefer" => self.prefer = text(reading, node),
                "prerelease" => self.prerelease = text(reading, node),
                "output" => self.output = text(reading, node),
                "constraints" => self.constraints = requirements(reading, node),
                "overrides" => self.overrides = requirements(reading, node),
                "extras" => self.extras = texts(reading, node),
                "groups" => self.groups = texts(reading, node),
                "index-url" => self.index_url = text(reading, node),
                "extra-index-url" | "extra-index-urls" => {
                    self.extra_index_urls = match node.text() {
                        Some(_) => text(reading, node).into_iter().collect(),
                        None => texts(reading, node),
                    }
                }
                "sources" => self.sources(reading, node),
                "exclude-newer-package" => {
                    for (key, node) in node.entries() {
                        let date = text(reading, node);
                        let name = project(reading, key.text, key.origin());
                        self.exclude_newer_package.extend(name.zip(date));
                    }
                }
                "indexes" => {
                    for (name, node) in node.entries() {
                        if let Some(url) = text(reading, node) {
                            self.indexes.push((name.text.to_owned(), url));
                        }
                    }
                }
                "exclude-newer" => self.exclude_newer = text(reading, node),
                "no-binary" => self.no_binary = texts(reading, node),
                "only-binary" => self.only_binary = texts(reading, node),
                "prefer-wheels" => self.prefer_wheels = texts(reading, node),
                "metadata" => self.metadata(reading, node),
                "fixes" => self.fixes = fix::fixes(reading, node),
                "nix" => match text(reading, node) {
                    Some(path) if !fix::is_relative(&path.value) => {
                        let what = format!("`{}` is not a relative path", path.value);
                        reading.error(Code::UnknownSetting, what, Some(path.origin));
                    }
                    path => self.nix = path,
                },
                other => reading.problem(
                    Code::UnknownSetting,
                    Severity::Warning,
                    format!("`{other}` is not a setting"),
                    Some(key.origin()),
                    None,
                ),
            }
        }
    }

    fn sources(&mut self, reading: &mut Reading<'_>, table: Node<'_>) {
        for (key, node) in table.entries() {
            let name = project(reading, key.text, key.origin());
            let index = match node.get("index") {
                Some(index) => text(reading, index),
                None => {
                    let what = "`index`, the name of an index, is missing";
                    reading.error(Code::UnknownSetting, what, Some(node.origin()));
                    None
                }
            };
            self.sources.extend(name.zip(index));
        }
    }

    fn metadata(&mut self, reading: &mut Reading<'_>, table: Node<'_>) {
        for (key, node) in table.entries() {
            let release = key.text.split_once("==").and_then(|(name, version)| {
                let name = PackageName::from_str(name.trim()).ok()?;
                Some((name, Version::from_str(version.trim()).ok()?))
            });
            let Some(release) = release else {
                let what = format!("`{}` does not name a release as `name==version`", key.text);
                reading.error(Code::UnknownSetting, what, Some(key.origin()));
                continue;
            };
            let python = node.get("requires-python").and_then(|node| {
                let text = node.text()?;
                reading.specifiers(text, Some(&node.origin()))
            });
            let requires = match node.get("requires") {
                Some(list) => requirements(reading, list),
                None => {
                    let what = "`requires` is missing; an empty list says that nothing is required";
                    reading.error(Code::UnknownSetting, what, Some(key.origin()));
                    continue;
                }
            };
            let stated = Stated {
                requires,
                requires_python: python,
                origin: key.origin(),
            };
            self.metadata.insert(release, stated);
        }
    }
}

impl Stated {
    /// The statement as the metadata file of its release.
    pub fn as_metadata(&self, name: &PackageName, version: &Version) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        let mut extras: Vec<ExtraName> = Vec::new();
        for requirement in &self.requires {
            text.push_str(&format!("Requires-Dist: {requirement}\n"));
            if let Some(pep508_rs::MarkerExpression::Extra {
                name: pep508_rs::MarkerValueExtra::Extra(extra),
                ..
            }) = requirement.marker.top_level_extra()
                && !extras.contains(&extra)
            {
                text.push_str(&format!("Provides-Extra: {extra}\n"));
                extras.push(extra);
            }
        }
        if let Some(python) = &self.requires_python {
            text.push_str(&format!("Requires-Python: {python}\n"));
        }
        text
    }
}

fn project(reading: &mut Reading<'_>, text: &str, origin: Origin) -> Option<PackageName> {
    let name = PackageName::from_str(text).ok();
    if name.is_none() {
        let what = format!("`{text}` is not a project's name");
        reading.error(Code::UnknownSetting, what, Some(origin));
    }
    name
}

fn expected(reading: &mut Reading<'_>, what: &str, node: Node<'_>) {
    let what = format!("{what} is expected here, not {}", node.kind());
    reading.error(Code::UnknownSetting, what, Some(node.origin()));
}

fn text(reading: &mut Reading<'_>, node: Node<'_>) -> Option<Placed<String>> {
    match node.text() {
        Some(text) => Some(Placed {
            value: text.to_owned(),
            origin: node.origin(),
        }),
        None => {
            expected(reading, "a text", node);
            None
        }
    }
}

fn texts(reading: &mut Reading<'_>, node: Node<'_>) -> Vec<Placed<String>> {
    match node.elements() {
        Some(elements) => elements.filter_map(|e| text(reading, e)).collect(),
        None => {
            expected(reading, "an array of texts", node);
            Vec::new()
        }
    }
}

fn requirements(reading: &mut Reading<'_>, node: Node<'_>) -> Vec<Requirement> {
    let list = texts(reading, node);
    list.iter()
        .filter_map(|placed| reading.requirement(&placed.value, Some(&placed.origin)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::tree;

    #[test]
    fn settings_are_read_with_their_places() {
        let text = "\
[tool.pyresolve]
python = \"3.13\"
constraints = [\"alpha<2\"]
colour = \"red\"
systems = \"x86_64-linux\"
[tool.pyresolve.indexes]
own = \"https://index.test/simple/\"
[tool.pyresolve.metadata.\"Beta==1.0\"]
requires = [\"gamma>=3\", \"delta; extra == 'x'\"]
[tool.pyresolve.metadata.beta]
requires = []
";
        let settings = read(&tree(&[("pyproject.toml", text)]));
        assert_eq!(
            settings.python.as_ref().unwrap().origin.line_column(),
            (2, 10)
        );
        assert_eq!(settings.constraints.len(), 1);
        assert_eq!(settings.indexes[0].0, "own");
        let (release, stated) = settings.metadata.first_key_value().unwrap();
        let text = stated.as_metadata(&release.0, &release.1);
        let metadata = crate::python::Metadata::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (metadata.name.as_ref(), metadata.version.as_str()),
            ("beta", "1.0")
        );
        assert_eq!(metadata.requires_dist.len(), 2);
        assert_eq!(metadata.provides_extra[0].as_ref(), "x");
        let problems: Vec<_> = settings.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "demo/pyproject.toml:4: `colour` is not a setting",
                "demo/pyproject.toml:5: an array of texts is expected here, not a string",
                "demo/pyproject.toml:10: `beta` does not name a release as `name==version`"
            ]
        );
    }

    #[test]
    fn a_file_of_its_own_counts_first() {
        let files = [
            ("pyresolve.toml", "python = \"3.12\"\n"),
            ("pyproject.toml", "[tool.pyresolve]\npython = \"3.13\"\n"),
        ];
        let settings = read(&tree(&files));
        assert_eq!(settings.python.unwrap().value, "3.12");
        assert_eq!(read(&tree(&[])), Settings::default());
    }
}
