//! What well-known build backends ask for besides `build-system.requires`, because their own tables name
//! plugins: what their `get_requires_for_build_wheel` (PEP 517) answers.
//!
//! Hatchling: the `dependencies` of its build, of the wheel's target and of build hooks, unless a hook is
//! off by default. scikit-build-core: the providers of dynamic metadata.

use std::path::PathBuf;
use std::sync::Arc;

use toml::{Table, Value};

use super::Files;
use crate::problem::{Origin, SourceFile};
use crate::python::Requirement;

/// What more than this many plugins need is not read.
const MAX_FOUND: usize = 100;

/// The requirements of the plugins that a backend's tables name.
pub(super) fn requires(files: &dyn Files, backend: Option<&str>) -> Vec<Requirement> {
    let read = |name: &str| {
        let text = String::from_utf8(files.read(name).ok()?).ok()?;
        let document: Table = toml::from_str(&text).ok()?;
        let path = PathBuf::from(name);
        Some((Arc::new(SourceFile { path, text }), document))
    };
    let backend = backend.unwrap_or_default();
    let mut found = Vec::new();
    let Some((file, document)) = read("pyproject.toml") else {
        return found;
    };
    let tool = |name: &str| table(&document, &["tool", name]);
    if backend.starts_with("hatchling.") {
        let own = read("hatch.toml");
        if let Some(build) = tool("hatch").and_then(|t| table(t, &["build"])) {
            hatchling(build, &file, &mut found);
        }
        if let Some((file, own)) = &own
            && let Some(build) = table(own, &["build"])
        {
            hatchling(build, file, &mut found);
        }
    } else if backend.starts_with("scikit_build_core.")
        && let Some(metadata) = tool("scikit-build").and_then(|t| table(t, &["metadata"]))
    {
        found.extend(metadata.values().filter_map(provider));
    }
    found.truncate(MAX_FOUND);
    found
}

fn table<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Table> {
    path.iter()
        .try_fold(table, |table, key| table.get(*key)?.as_table())
}

fn hatchling(build: &Table, file: &Arc<SourceFile>, found: &mut Vec<Requirement>) {
    let wheel = table(build, &["targets", "wheel"]);
    let mut tables: Vec<&Table> = std::iter::once(build).chain(wheel).collect();
    for holder in tables.clone() {
        let hooks = table(holder, &["hooks"]).into_iter();
        let hooks = hooks.flat_map(|hooks| hooks.values().filter_map(Value::as_table));
        tables.extend(
            hooks.filter(|hook| {
                hook.get("enable-by-default").and_then(Value::as_bool) != Some(false)
            }),
        );
    }
    for table in tables {
        let list = table.get("dependencies").and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        found.extend(texts.filter_map(|text| requirement(text, file)));
    }
}

/// A requirement, with the place of its text in the file: the first, where there are several.
fn requirement(text: &str, file: &Arc<SourceFile>) -> Option<Requirement> {
    let requirement = Requirement::parse(text).ok()?;
    let quoted = [format!("\"{text}\""), format!("'{text}'")];
    let place = quoted
        .iter()
        .find_map(|quoted| Some((file.text.find(quoted.as_str())?, quoted.len())));
    Some(match place {
        Some((start, length)) => requirement.at(Origin {
            file: Arc::clone(file),
            span: start..start + length,
        }),
        None => requirement,
    })
}

/// The plugins that scikit-build-core's own providers are made of.
fn provider(field: &Value) -> Option<Requirement> {
    let name = field.as_table()?.get("provider")?.as_str()?;
    let project = match name {
        "scikit_build_core.metadata.fancy_pypi_readme" => "hatch-fancy-pypi-readme",
        "scikit_build_core.metadata.setuptools_scm" => "setuptools-scm",
        _ => return None,
    };
    Requirement::parse(project).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Directory;

    fn names(backend: &str, entries: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in entries {
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let files = Directory::open(folder.path()).unwrap();
        let found = requires(&files, Some(backend));
        found.iter().map(ToString::to_string).collect()
    }

    const HATCH: &str = "
[tool.hatch.build.hooks.jupyter-builder]
dependencies = ['hatch-jupyter-builder>=0.8.1']
[tool.hatch.build.hooks.mypyc]
enable-by-default = false
dependencies = ['hatch-mypyc']
[tool.hatch.build.targets.wheel]
dependencies = ['zz-target', 3]
[tool.hatch.build.targets.wheel.hooks.custom]
dependencies = ['zz-custom']
[tool.hatch.build.targets.sdist]
dependencies = ['zz-sdist']
";

    #[test]
    fn build_hooks_of_hatchling_name_their_plugins() {
        let text = ("pyproject.toml", HATCH);
        let own = ("hatch.toml", "[build]\ndependencies = ['zz-own']\n");
        assert_eq!(
            names("hatchling.build", &[text, own]),
            [
                "zz-target",
                "hatch-jupyter-builder>=0.8.1",
                "zz-custom",
                "zz-own"
            ]
        );
        assert_eq!(names("setuptools.build_meta", &[text]), [""; 0]);
    }

    #[test]
    fn the_place_of_a_plugin_is_known() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyproject.toml"), HATCH).unwrap();
        let files = Directory::open(folder.path()).unwrap();
        let found = requires(&files, Some("hatchling.build"));
        let origin = found[1].origin.as_ref().unwrap();
        assert_eq!(origin.text(), "'hatch-jupyter-builder>=0.8.1'");
    }

    #[test]
    fn providers_of_scikit_build_core_are_plugins() {
        let text = "[tool.scikit-build.metadata.version]
provider = 'scikit_build_core.metadata.setuptools_scm'
[tool.scikit-build.metadata.readme]
provider = 'zz_own.provider'
";
        let found = names("scikit_build_core.build", &[("pyproject.toml", text)]);
        assert_eq!(found, ["setuptools-scm"]);
    }
}
