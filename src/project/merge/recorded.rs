//! What was written down when a distribution was made: a wheel's METADATA, an sdist's PKG-INFO, and
//! the `requires.txt` of its egg-info.

use std::collections::BTreeSet;

use super::{Read, finish};
use crate::problem::Code;
use crate::project::draft::Draft;
use crate::project::pyproject::Backend;
use crate::project::reading::Reading;
use crate::project::{Files, ProjectError};
use crate::python::metadata::{self, About, Header};
use crate::python::{ExtraName, Metadata, Requirement};

/// The `METADATA` of an unpacked wheel.
pub(super) fn wheel_metadata(files: &dyn Files) -> Option<String> {
    let mut folders = files.list("").into_iter();
    let folder = folders.find(|name| name.ends_with(".dist-info"))?;
    Some(format!("{folder}/METADATA")).filter(|path| files.is_file(path))
}

/// A project described by core metadata alone.
pub(super) fn metadata_file(files: &dyn Files, path: &str) -> Result<Read, ProjectError> {
    let bytes = files.read(path)?;
    let metadata = Metadata::parse(&bytes).map_err(|source| ProjectError::Metadata {
        file: files.display(path),
        source,
    })?;
    let mut reading = Reading::new(files, true, &super::super::reading::no_env);
    note_repairs(&mut reading, &metadata.repairs);
    let mut draft = Draft {
        name: Some(metadata.name.to_string()),
        version: Some(metadata.version),
        requires_python: Some(metadata.requires_python),
        about: metadata.about,
        ..Draft::default()
    };
    split_extras(
        &mut draft,
        metadata.requires_dist.into(),
        &metadata.provides_extra,
    );
    if let Some(folder) = path.strip_suffix("METADATA") {
        entry_points(files, &format!("{folder}entry_points.txt"), &mut draft);
    }
    Ok(finish(reading, draft, Backend::Other))
}

fn note_repairs(reading: &mut Reading<'_>, repairs: &[(String, String)]) {
    for (written, read) in repairs {
        let what = format!("`{written}` is not valid and was read as `{read}`");
        reading.warn(Code::RepairedRequirement, what, None);
    }
}

/// `entry_points.txt` of a wheel.
fn entry_points(files: &dyn Files, path: &str, draft: &mut Draft) {
    let Ok(bytes) = files.read(path) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let mut points: std::collections::BTreeMap<String, Vec<(String, String)>> =
        std::collections::BTreeMap::new();
    let mut group = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            group = name.trim().to_owned();
        } else if let Some((name, reference)) = line.split_once('=')
            && !line.starts_with(['#', ';'])
        {
            let pair = (name.trim().to_owned(), reference.trim().to_owned());
            points.entry(group.clone()).or_default().push(pair);
        }
    }
    draft.entry_points = Some(points);
}

/// Requirements of metadata, sorted by the extras that they are for.
fn split_extras(draft: &mut Draft, requires_dist: Vec<Requirement>, extras: &[ExtraName]) {
    let mut optional: std::collections::BTreeMap<ExtraName, Vec<Requirement>> =
        extras.iter().map(|e| (e.clone(), Vec::new())).collect();
    let mut required = Vec::new();
    for requirement in requires_dist {
        let mut rest = requirement.marker.clone();
        for (extra, list) in &mut optional {
            let with = requirement
                .marker
                .clone()
                .simplify_extras(std::slice::from_ref(extra));
            if with != requirement.marker {
                rest.and(super::super::extra_marker(extra, false));
                list.push(Requirement {
                    marker: with,
                    ..requirement.clone()
                });
            }
        }
        // What is left where none of these extras is asked for: mostly nothing.
        if !rest.is_false() || requirement.marker.is_false() {
            required.push(Requirement {
                marker: rest,
                ..requirement
            });
        }
    }
    draft.dependencies = Some(required);
    draft.optional = Some(optional);
}

/// An sdist's `PKG-INFO`: name and version in any case, the rest where it is bound to tell; and
/// what setuptools wrote down of the requirements, as a cross-check.
pub(super) fn package_info(reading: &mut Reading<'_>, draft: &mut Draft) {
    if let Ok(bytes) = reading.files.read("PKG-INFO") {
        let header = Header::parse(&bytes);
        if let Some(name) = header.first("Name") {
            draft.name = Some(name.to_owned());
            draft.unknown.retain(|u| u.field != "name");
        }
        if let Some(version) = header.first("Version") {
            draft.version = Some(version.to_owned());
            draft.unknown.retain(|u| u.field != "version");
        }
        told(reading, draft, &header);
        about(draft, &header);
    }
    let folders = egg_infos(reading.files);
    same_name_and_version(reading, draft, &folders);
    cross_check(reading, draft, &folders);
}

/// Fields that every wheel built from this sdist must repeat (PEP 643).
fn told(reading: &mut Reading<'_>, draft: &mut Draft, header: &Header<'_>) {
    if !header.tells("Requires-Dist") {
        return;
    }
    let Ok(metadata) = Metadata::from_header(header) else {
        return;
    };
    note_repairs(reading, &metadata.repairs);
    let stated = draft.dependencies.is_some() && !draft.is_unknown("requires_dist");
    let before = texts(draft);
    split_extras(
        draft,
        metadata.requires_dist.into(),
        &metadata.provides_extra,
    );
    if stated && before != texts(draft) {
        let what =
            "PKG-INFO and the project's own files disagree about the requirements; PKG-INFO counts";
        reading.warn(Code::Disagreement, what, None);
    }
    draft.requires_are_recorded = true;
    draft.failed = false;
    draft.unknown.retain(|u| {
        !matches!(
            u.field.as_str(),
            "requires_dist" | "provides_extra" | "setup.py"
        )
    });
    if header.tells("Requires-Python") {
        draft.requires_python = Some(metadata.requires_python);
        draft.unknown.retain(|u| u.field != "requires_python");
    }
}

/// Description, addresses and licence, where the project's own files are silent.
fn about(draft: &mut Draft, header: &Header<'_>) {
    let recorded = About::from_header(header);
    let into = &mut draft.about;
    into.summary = into.summary.take().or(recorded.summary);
    into.home_page = into.home_page.take().or(recorded.home_page);
    into.license = into.license.take().or(recorded.license);
    into.license_expression = into
        .license_expression
        .take()
        .or(recorded.license_expression);
    if into.urls.is_empty() {
        into.urls = recorded.urls;
    }
    if into.license_classifiers.is_empty() {
        into.license_classifiers = recorded.license_classifiers;
    }
}

/// The `*.egg-info` folders at the root and in `src`.
fn egg_infos(files: &dyn Files) -> Vec<String> {
    let at = |folder: &'static str| {
        let prefix = if folder.is_empty() { "" } else { "src/" };
        let names = files.list(folder).into_iter();
        names
            .filter(|name| name.ends_with(".egg-info"))
            .map(move |name| format!("{prefix}{name}"))
    };
    at("").chain(at("src")).collect()
}

/// Two PKG-INFO files that speak of different releases.
fn same_name_and_version(reading: &mut Reading<'_>, draft: &Draft, folders: &[String]) {
    for folder in folders {
        let Ok(bytes) = reading.files.read(&format!("{folder}/PKG-INFO")) else {
            continue;
        };
        let header = Header::parse(&bytes);
        for (field, ours) in [("Name", &draft.name), ("Version", &draft.version)] {
            let theirs = header.first(field);
            let normal = |t: &str| t.replace(['-', '_', '.'], "").to_lowercase();
            if let (Some(ours), Some(theirs)) = (ours, theirs)
                && normal(ours) != normal(theirs)
            {
                let what = format!(
                    "PKG-INFO and {folder}/PKG-INFO disagree about `{field}`: {ours} and {theirs}; the first counts"
                );
                reading.warn(Code::Disagreement, what, None);
            }
        }
    }
}

/// `requires.txt` says what the maintainer's machine saw: not to be trusted, but a difference is
/// worth a warning.
fn cross_check(reading: &mut Reading<'_>, draft: &Draft, folders: &[String]) {
    if draft.requires_are_recorded || draft.is_unknown("requires_dist") {
        return;
    }
    let [folder] = folders else { return };
    let Ok(bytes) = reading.files.read(&format!("{folder}/requires.txt")) else {
        return;
    };
    let Some(recorded) = requires_txt(&String::from_utf8_lossy(&bytes)) else {
        return;
    };
    let ours = texts(draft);
    if ours == recorded {
        return;
    }
    let list = |set: Vec<&String>| {
        let shown: Vec<_> = set.iter().take(3).map(|s| format!("`{s}`")).collect();
        let more = set.len().saturating_sub(3);
        match (shown.is_empty(), more) {
            (true, _) => "nothing".to_owned(),
            (false, 0) => shown.join(", "),
            (false, more) => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let what = format!(
        "{folder}/requires.txt, written where the sdist was made, has other requirements: only there {}, only here {}; what is here counts",
        list(recorded.difference(&ours).collect()),
        list(ours.difference(&recorded).collect()),
    );
    reading.warn(Code::Disagreement, what, None);
}

/// Requirements as a set of comparable texts, extras as markers.
fn texts(draft: &Draft) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = draft
        .dependencies
        .iter()
        .flatten()
        .map(comparable)
        .collect();
    for (extra, list) in draft.optional.iter().flatten() {
        all.extend(
            list.iter()
                .map(|r| comparable(&super::super::of_extra(r, extra))),
        );
    }
    all
}

/// A requirement as a text that is the same for the same requirement.
pub(in crate::project) fn comparable(requirement: &Requirement) -> String {
    let specifiers = requirement.specifiers().map(|specifiers| {
        let mut parts: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
        parts.sort();
        parts.dedup();
        parts.join(",")
    });
    let marker = crate::python::marker::text(&requirement.marker).unwrap_or_default();
    let extras: Vec<_> = requirement.extras.iter().map(AsRef::as_ref).collect();
    let extras = if extras.is_empty() {
        String::new()
    } else {
        format!("[{}]", extras.join(","))
    };
    format!(
        "{}{extras}{}{}{marker}",
        requirement.name,
        specifiers.unwrap_or_default(),
        if marker.is_empty() { "" } else { "; " }
    )
}

/// `requires.txt`: requirements by line, sections `[extra]`, `[:marker]` and `[extra:marker]`.
fn requires_txt(text: &str) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let mut suffix: Option<(String, String)> = None;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
            suffix = Some((metadata::extra_name(extra), marker.to_owned()));
            continue;
        }
        let mut conditions = Vec::new();
        if let Some((extra, marker)) = &suffix {
            if !marker.is_empty() {
                conditions.push(format!("({marker})"));
            }
            if !extra.is_empty() {
                conditions.push(format!("extra == '{extra}'"));
            }
        }
        let whole = if conditions.is_empty() {
            line.to_owned()
        } else {
            format!("{line} ; {}", conditions.join(" and "))
        };
        all.insert(comparable(
            &Requirement::parse_lenient(&whole).ok()?.requirement,
        ));
    }
    Some(all)
}
