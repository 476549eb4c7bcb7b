//! Hatchling: `[tool.hatch.version]`, and the metadata hooks that we know.

use std::collections::{BTreeMap, BTreeSet};

use super::version;
use crate::problem::Code;
use crate::project::draft::Draft;
use crate::project::reading::Reading;
use crate::project::table::{Document, Node};
use crate::python::Requirement;

/// Reads what hatchling reads.
pub(super) fn read(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    dynamic: Option<&BTreeSet<String>>,
) {
    wheel_packages(draft, document);
    let Some(dynamic) = dynamic else { return };
    if dynamic.contains("version") {
        read_version(reading, draft, document);
    }
    let hook = document.at(&["tool", "hatch", "metadata", "hooks", "requirements_txt"]);
    let Some(hook) = hook else { return };
    if dynamic.contains("dependencies")
        && let Some(files) = hook.get("files").or_else(|| hook.get("filename"))
    {
        draft.dependencies = Some(requirements_of(reading, draft, files));
    }
    if dynamic.contains("optional-dependencies")
        && let Some(extras) = hook.get("optional-dependencies")
    {
        let mut optional = BTreeMap::new();
        for (key, files) in extras.entries() {
            if let Some(extra) = reading.extra(key.text, Some(&key.origin())) {
                optional.insert(extra, requirements_of(reading, draft, files));
            }
        }
        draft.optional = Some(optional);
    }
}

fn read_version(reading: &mut Reading<'_>, draft: &mut Draft, document: &Document<'_>) {
    let table = document.at(&["tool", "hatch", "version"]);
    let source = table.and_then(|t| t.get("source")).and_then(Node::text);
    let origin = table.map(Node::origin);
    let Some(path) = table.and_then(|t| t.get("path")) else {
        let reason = match source {
            Some("env") => "it is taken from an environment variable",
            Some("code") => "it is computed by code",
            _ => "it is taken from version control",
        };
        draft.unknown("version", origin, reason);
        return;
    };
    let name = path.text().unwrap_or_default();
    let Some(file) = reading.source_if_any(name) else {
        let what = format!("`{name}`, which holds the version, does not exist");
        reading.warn(Code::MissingFile, what, Some(path.origin()));
        draft.missing_files.push(name.to_owned());
        draft.unknown("version", Some(path.origin()), "its file does not exist");
        return;
    };
    let found = match (source, table.and_then(|t| t.get("pattern"))) {
        (Some("code"), _) => {
            let expression = table.and_then(|t| t.get("expression")).and_then(Node::text);
            version::assigned(&file, expression.unwrap_or("__version__"))
        }
        (_, Some(pattern)) => {
            // Hatchling compiles it with MULTILINE.
            let pattern = format!("(?m){}", pattern.text().unwrap_or_default());
            version::matching(&pattern, &file.text)
        }
        (_, None) => version::hatch_default(&file.text),
    };
    match found {
        Some(found) => draft.version = Some(found),
        None => {
            let reason = format!("no version is found in `{name}`");
            draft.unknown("version", Some(path.origin()), reason);
        }
    }
}

/// The files of hatch-requirements-txt: one requirement a line, comments, and nothing else.
fn requirements_of(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    files: Node<'_>,
) -> Vec<Requirement> {
    let mut list = Vec::new();
    for (name, origin) in files.texts() {
        match reading.source_if_any(name) {
            Some(file) => list.extend(reading.plain_list(&file)),
            None => {
                draft.missing_files.push(name.to_owned());
                let reason = format!("`{name}` does not exist");
                draft.unknown("requires_dist", Some(origin), reason);
            }
        }
    }
    list
}

/// `[tool.hatch.build.targets.wheel]`.
fn wheel_packages(draft: &mut Draft, document: &Document<'_>) {
    let wheel = document.at(&["tool", "hatch", "build", "targets", "wheel"]);
    let Some(packages) = wheel.and_then(|w| w.get("packages")) else {
        return;
    };
    let mut names = Vec::new();
    for (path, _) in packages.texts() {
        // Only the last part is installed: `src/demo` is `demo`.
        let path = path.trim_matches('/').trim_start_matches("./");
        let name = path.rsplit('/').next().unwrap_or(path);
        let (name, is_module) = match name.strip_suffix(".py") {
            Some(name) => (name, true),
            None => (name, false),
        };
        draft
            .layout
            .folders
            .insert(name.to_owned(), path.to_owned());
        if is_module {
            draft.layout.modules.push(name.to_owned());
        } else {
            names.push(name.to_owned());
        }
    }
    draft.layout.packages = Some(names);
}
