//! Flit: `[tool.flit.metadata]` before PEP 621, and the module's `__version__` with it.

use std::collections::{BTreeMap, BTreeSet};

use super::version;
use crate::project::draft::Draft;
use crate::project::reading::Reading;
use crate::project::table::{Document, Node};

/// Reads what Flit reads.
pub(super) fn read(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    dynamic: Option<&BTreeSet<String>>,
) {
    let module = match dynamic {
        Some(dynamic) => {
            let named = document
                .at(&["tool", "flit", "module", "name"])
                .and_then(Node::text);
            let module = named.map(str::to_owned).or_else(|| draft.name.clone());
            if !dynamic.contains("version") {
                installs(reading, draft, module.as_deref());
                return;
            }
            module
        }
        None => old_table(reading, draft, document),
    };
    installs(reading, draft, module.as_deref());
    let Some(module) = module else { return };
    let path = module.replace(['-', '.'], if module.contains('.') { "/" } else { "_" });
    for candidate in [
        format!("{path}/__init__.py"),
        format!("src/{path}/__init__.py"),
        format!("{path}.py"),
        format!("src/{path}.py"),
    ] {
        let Some(file) = reading.source_if_any(&candidate) else {
            continue;
        };
        match version::assigned(&file, "__version__") {
            Some(found) => draft.version = Some(found),
            None => draft.unknown(
                "version",
                None,
                format!("`{candidate}` does not assign a string to `__version__`"),
            ),
        }
        return;
    }
}

/// A Flit project installs one module or package.
fn installs(reading: &Reading<'_>, draft: &mut Draft, module: Option<&str>) {
    let Some(module) = module else { return };
    let module = module.replace('-', "_");
    let path = module.replace('.', "/");
    let is_file = |p: &str| reading.files.is_file(p);
    if is_file(&format!("{path}.py")) || is_file(&format!("src/{path}.py")) {
        draft.layout.packages = Some(Vec::new());
        draft.layout.modules = vec![module];
    } else {
        draft.layout.packages = Some(vec![module]);
    }
}

/// `[tool.flit.metadata]`; returns the module's name.
fn old_table(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
) -> Option<String> {
    let table = document.at(&["tool", "flit", "metadata"])?;
    let text = |key: &str| table.get(key).and_then(Node::text).map(str::to_owned);
    let module = text("module");
    draft.name = text("dist-name").or_else(|| module.clone());
    draft.about.home_page = text("home-page");
    draft.about.license = text("license").filter(|l| crate::python::metadata::is_license_name(l));
    let classifiers = table
        .get("classifiers")
        .map(Node::texts)
        .unwrap_or_default();
    draft.about.license_classifiers = classifiers
        .into_iter()
        .filter(|(c, _)| c.starts_with("License ::"))
        .map(|(c, _)| c.to_owned())
        .collect();
    let python = table.get("requires-python");
    let specifiers = python.and_then(|node| {
        let text = node.text()?;
        reading.specifiers(text, Some(&node.origin()))
    });
    draft.requires_python = Some(specifiers);
    let requires = table
        .get("requires")
        .map(|n| super::requirements(reading, n));
    draft.dependencies = Some(requires.unwrap_or_default());
    let mut optional = BTreeMap::new();
    let extras = table
        .get("requires-extra")
        .map(Node::entries)
        .unwrap_or_default();
    for (key, node) in extras {
        if let Some(extra) = reading.extra(key.text, Some(&key.origin())) {
            optional.insert(extra, super::requirements(reading, node));
        }
    }
    // What `dev-requires` says is the extra `dev`, unless that is there.
    if let Some(node) = table.get("dev-requires")
        && let Some(extra) = reading.extra("dev", None)
        && !optional.contains_key(&extra)
    {
        optional.insert(extra, super::requirements(reading, node));
    }
    draft.optional = Some(optional);
    let scripts = document.at(&["tool", "flit", "scripts"]);
    let mut points: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (key, value) in scripts.map(Node::entries).unwrap_or_default() {
        if let Some(reference) = value.text() {
            let list = points.entry("console_scripts".to_owned()).or_default();
            list.push((key.text.to_owned(), reference.to_owned()));
        }
    }
    draft.entry_points = Some(points);
    module
}
