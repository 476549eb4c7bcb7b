//! PDM: the version's source, and development groups.

use std::collections::BTreeSet;

use super::group::normalised;
use super::version;
use crate::project::draft::Draft;
use crate::project::reading::Reading;
use crate::project::table::{Document, Node};

/// Reads what pdm-backend reads.
pub(super) fn read(
    reading: &mut Reading<'_>,
    draft: &mut Draft,
    document: &Document<'_>,
    dynamic: Option<&BTreeSet<String>>,
) {
    let groups = document.at(&["tool", "pdm", "dev-dependencies"]);
    for (key, node) in groups.map(Node::entries).unwrap_or_default() {
        let mut list = Vec::new();
        for (text, origin) in node.texts() {
            // `-e file:///${PROJECT_ROOT}/x` is a folder for development, not a requirement.
            if !text.trim_start().starts_with("-e ") {
                list.extend(reading.requirement(text, Some(&origin)));
            }
        }
        draft
            .groups
            .entry(normalised(key.text))
            .or_default()
            .extend(list);
    }
    // Before it was settled, PDM had `version = {from = …}` and `{use_scm = true}` in `[project]`.
    let source = document.at(&["tool", "pdm", "version"]).or_else(|| {
        document
            .at(&["project", "version"])
            .filter(|v| v.is_table())
    });
    let is_dynamic = dynamic.is_some_and(|d| d.contains("version")) || draft.version.is_none();
    let Some(source) = source.filter(|_| is_dynamic) else {
        return;
    };
    let path = source
        .get("path")
        .or_else(|| source.get("from"))
        .and_then(Node::text);
    let found = path
        .and_then(|path| reading.source_if_any(path))
        .and_then(|file| version::pdm_default(&file.text));
    match found {
        Some(found) => draft.version = Some(found),
        None => draft.unknown(
            "version",
            Some(source.origin()),
            "it is taken from version control or from a call at build time",
        ),
    }
}
