//! setuptools: `[tool.setuptools.dynamic]` and the layout tables.
//!
//! What is dynamic and not told here is left to setup.py and setup.cfg; see [`merge`](crate::project).

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::Code;
use crate::project::attribute;
use crate::project::draft::Draft;
use crate::project::reading::Reading;
use crate::project::table::{Document, Node};
use crate::python::Requirement;

/// Reads what setuptools reads.
pub(super) fn read(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    dynamic: Option<&BTreeSet<String>>,
) {
    layout(draft, document);
    let Some(dynamic) = dynamic else { return };
    let Some(table) = document.at(&["tool", "setuptools", "dynamic"]) else {
        return;
    };
    if dynamic.contains("version")
        && let Some(node) = table.get("version")
    {
        version(reading, draft, node);
    }
    if dynamic.contains("dependencies")
        && let Some(node) = table.get("dependencies")
    {
        draft.dependencies = Some(requirements(reading, draft, node));
    }
    if dynamic.contains("optional-dependencies")
        && let Some(node) = table.get("optional-dependencies")
    {
        let mut optional = BTreeMap::new();
        for (key, node) in node.entries() {
            if let Some(extra) = reading.extra(key.text, Some(&key.origin())) {
                optional.insert(extra, requirements(reading, draft, node));
            }
        }
        draft.optional.get_or_insert_default().extend(optional);
    }
    if dynamic.contains("requires-python")
        && let Some(text) = table
            .get("requires-python")
            .and_then(|n| text_of(reading, n))
    {
        draft.requires_python = Some(reading.specifiers(text.trim(), None));
    }
}

fn version(reading: &mut Reading<'_>, draft: &mut Draft, node: Node<'_>) {
    if let Some(attr) = node.get("attr") {
        let path = attr.text().unwrap_or_default();
        let folders = draft.layout.folders.clone();
        match attribute::text(reading, path, &folders) {
            Ok(found) => draft.version = Some(found),
            Err(reason) => draft.unknown("version", Some(attr.origin()), reason),
        }
    } else {
        match text_of(reading, node) {
            Some(text) => draft.version = Some(text.trim().to_owned()),
            None => draft.unknown("version", Some(node.origin()), "its file does not exist"),
        }
    }
}

/// The joined content of `{file = …}`.
fn text_of(reading: &mut Reading<'_>, node: Node<'_>) -> Option<String> {
    let mut texts = Vec::new();
    for (path, _) in node.get("file")?.texts() {
        texts.push(reading.source_if_any(path)?.text.clone());
    }
    Some(texts.join("\n"))
}

fn requirements(reading: &mut Reading<'_>, draft: &mut Draft, node: Node<'_>) -> Vec<Requirement> {
    let mut list = Vec::new();
    for (path, origin) in node.get("file").map(Node::texts).unwrap_or_default() {
        match reading.source_if_any(path) {
            Some(file) => list.extend(reading.plain_list(&file)),
            None => {
                let what = format!("`{path}`, which holds requirements, does not exist");
                reading.warn(Code::MissingFile, what, Some(origin.clone()));
                draft.missing_files.push(path.to_owned());
                let reason = format!("`{path}` does not exist");
                draft.unknown("requires_dist", Some(origin), reason);
            }
        }
    }
    list
}

/// `[tool.setuptools]`: packages, modules and where they are.
fn layout(draft: &mut Draft, document: &Document<'_>) {
    let Some(table) = document.at(&["tool", "setuptools"]) else {
        return;
    };
    let layout = &mut draft.layout;
    let owned = |node: Node<'_>| -> Vec<String> {
        node.texts()
            .into_iter()
            .map(|(t, _)| t.to_owned())
            .collect()
    };
    for (key, value) in table
        .get("package-dir")
        .map(Node::entries)
        .unwrap_or_default()
    {
        if let Some(folder) = value.text() {
            layout
                .folders
                .insert(key.text.to_owned(), folder.to_owned());
        }
    }
    layout.modules = table.get("py-modules").map(owned).unwrap_or_default();
    let Some(packages) = table.get("packages") else {
        if !layout.modules.is_empty() {
            layout.packages = Some(Vec::new());
        }
        return;
    };
    if packages.is_array() {
        layout.packages = Some(owned(packages));
    } else if let Some(find) = packages.get("find") {
        layout.roots = find.get("where").map(owned).unwrap_or_default();
        layout.included = find.get("include").map(owned).unwrap_or_default();
        layout.excluded = find.get("exclude").map(owned).unwrap_or_default();
    }
}
