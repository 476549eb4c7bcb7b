//! pbr (OpenStack's setuptools plugin): its sections of setup.cfg, and requirements from
//! `requirements.txt`.

use std::collections::BTreeMap;

use crate::project::draft::Draft;
use crate::project::ini::Ini;
use crate::project::reading::Reading;
use crate::python::{ExtraName, Requirement};

/// The files that pbr takes requirements from: the first that is there.
const REQUIREMENTS: [&str; 2] = ["requirements.txt", "tools/pip-requires"];
/// Those of the extra `test`.
const TEST_REQUIREMENTS: [&str; 2] = ["test-requirements.txt", "tools/test-requires"];

/// Requirements where pbr fills in `dependencies` of a project table.
pub(super) fn dependencies(reading: &mut Reading<'_>) -> Option<Vec<Requirement>> {
    first_of(reading, REQUIREMENTS)
}

/// What pbr adds to a draft that was read from setup.cfg and setup.py.
pub(super) fn overlay(reading: &mut Reading<'_>, draft: &mut Draft, cfg: &str) {
    if let Some(list) = dependencies(reading) {
        draft.dependencies = Some(list);
    }
    let mut optional: BTreeMap<ExtraName, Vec<Requirement>> =
        draft.optional.take().unwrap_or_default();
    if let Some(file) = reading.source_if_any(cfg) {
        // Problems of the file are noted by its first reader.
        let ini = Ini::parse(&file, &mut Vec::new());
        // setuptools reads it under `[options]` only.
        let names = [
            "python_requires",
            "python-requires",
            "requires_python",
            "requires-python",
        ];
        if let Some(value) = names.iter().find_map(|name| ini.get("metadata", name)) {
            let origin = ini.origin(value);
            draft.requires_python = Some(reading.specifiers(&value.text(), Some(&origin)));
        }
        for value in ini.section("extras") {
            let origin = ini.origin(value);
            let Some(extra) = reading.extra(&value.key, Some(&origin)) else {
                continue;
            };
            let list = optional.entry(extra).or_default();
            for (line, span) in &value.lines {
                let line = line.split(" #").next().unwrap_or_default().trim();
                if !line.is_empty() {
                    let text = with_marker(line);
                    list.extend(reading.requirement(&text, Some(&ini.at(span.clone()))));
                }
            }
        }
    }
    if let Some(list) = first_of(reading, TEST_REQUIREMENTS)
        && let Some(test) = reading.extra("test", None)
    {
        optional.entry(test).or_default().extend(list);
    }
    draft.optional = Some(optional);
}

fn first_of(reading: &mut Reading<'_>, paths: [&str; 2]) -> Option<Vec<Requirement>> {
    let path = paths.into_iter().find(|path| reading.files.is_file(path))?;
    let said = crate::project::requirements_txt::read(reading, path);
    Some(said.requirements)
}

/// `name>=1:marker`, pbr's own spelling, as PEP 508.
fn with_marker(line: &str) -> String {
    match line.split_once(':') {
        Some((head, marker)) if !line.contains([';', '@']) => format!("{head}; {marker}"),
        _ => line.to_owned(),
    }
}
