//! setup.py, setup.cfg and pyproject.toml, merged as setuptools merges them.

use std::collections::BTreeSet;

use super::pbr;
use crate::project::draft::Draft;
use crate::project::pyproject::{Backend, Pyproject};
use crate::project::reading::Reading;
use crate::project::setup_py::{self, Context, Fact, SetupPy};
use crate::project::{Evaluated, Unknown, setup_cfg};
use crate::python::metadata::Header;

/// What all three files say together.
pub(super) fn merge(reading: &mut Reading<'_>, pyproject: Pyproject, py: &str, cfg: &str) -> Draft {
    let mut draft = match reading.source_if_any(cfg) {
        Some(file) => setup_cfg::read(reading, &file),
        None => Draft::default(),
    };
    let mut is_pbr = pyproject.backend == Backend::Pbr;
    if reading.files.is_file(py) {
        let context = context(reading, &pyproject, &draft);
        let said = setup_py::evaluate(reading.files, py, &context);
        let needs_it = pyproject
            .dynamic
            .as_ref()
            .is_none_or(|d| d.contains("dependencies") || d.contains("optional-dependencies"));
        is_pbr |= said.pbr;
        overlay(reading, &mut draft, said, needs_it);
    }
    if is_pbr {
        match &pyproject.dynamic {
            None => pbr::overlay(reading, &mut draft, cfg),
            Some(dynamic) if dynamic.contains("dependencies") => {
                draft.dependencies = pbr::dependencies(reading);
            }
            Some(_) => {}
        }
    }
    match &pyproject.dynamic {
        Some(dynamic) => project_table(&mut draft, &pyproject.draft, dynamic),
        None => {
            let toml = &pyproject.draft.layout;
            if toml.packages.is_some() || !toml.roots.is_empty() || !toml.modules.is_empty() {
                draft.layout = toml.clone();
            }
        }
    }
    draft.groups = pyproject.draft.groups;
    draft.build_system = pyproject.draft.build_system;
    draft.missing_files.extend(pyproject.draft.missing_files);
    draft.dependencies.get_or_insert_default();
    draft.optional.get_or_insert_default();
    draft
}

/// What is known before setup.py is read.
fn context(reading: &Reading<'_>, pyproject: &Pyproject, cfg: &Draft) -> Context {
    let mut name = pyproject.draft.name.clone().or_else(|| cfg.name.clone());
    let mut version = pyproject
        .draft
        .version
        .clone()
        .or_else(|| cfg.version.clone());
    if reading.lenient
        && let Ok(bytes) = reading.files.read("PKG-INFO")
    {
        let header = Header::parse(&bytes);
        name = header.first("Name").map(str::to_owned).or(name);
        version = header.first("Version").map(str::to_owned).or(version);
    }
    let built = pyproject
        .draft
        .build_system
        .iter()
        .flat_map(|b| &b.requires);
    let build_requires = built.chain(&cfg.setup_requires).map(|r| r.name.clone());
    Context {
        name,
        version,
        build_requires: build_requires.collect(),
    }
}

/// setup.py over setup.cfg: a keyword that is given, and not empty, wins.
fn overlay(reading: &mut Reading<'_>, draft: &mut Draft, said: SetupPy, needs_it: bool) {
    if said.evaluated == Evaluated::Failed && needs_it {
        draft.unknown.extend(said.unknown.iter().cloned());
        draft
            .unknown
            .extend(fields(&["requires_dist"], &said.unknown));
        draft.failed = true;
    }
    let mut unknown = Vec::new();
    let mut note = |field: &str, found: &[Unknown]| {
        for one in fields(&[field], found) {
            // Requirements and those of extras have one name in core metadata.
            if !unknown.contains(&one) {
                unknown.push(one);
            }
        }
    };
    let text = |fact: &Fact<String>| fact.value().filter(|t| !t.is_empty()).cloned();
    note("name", said.name.unknown());
    draft.name = text(&said.name).or_else(|| draft.name.take());
    note("version", said.version.unknown());
    draft.version = text(&said.version).or_else(|| draft.version.take());
    note("requires_python", said.python_requires.unknown());
    if let Some(python) = text(&said.python_requires) {
        draft.requires_python = Some(reading.specifiers(&python, None));
    }
    note("requires_dist", said.install_requires.unknown());
    if let Some(list) = said.install_requires.value()
        && !list.is_empty()
    {
        draft.dependencies = Some(list.clone());
    }
    note("requires_dist", said.extras_require.unknown());
    note("provides_extra", said.extras_require.unknown());
    if let Some(extras) = said.extras_require.value()
        && !extras.is_empty()
    {
        draft.optional = Some(extras.clone());
    }
    note("build_requires", said.setup_requires.unknown());
    if let Some(list) = said.setup_requires.value() {
        draft.setup_requires.extend(list.iter().cloned());
    }
    if let Some(list) = said.tests_require.value() {
        draft.tests_require.extend(list.iter().cloned());
    }
    note("entry_points", said.entry_points.unknown());
    if let Some(points) = said.entry_points.value()
        && !points.is_empty()
    {
        draft.entry_points = Some(points.clone());
    }
    draft.unknown.extend(unknown);
    layout(draft, &said);
    let about = &mut draft.about;
    about.summary = said.about.summary.or_else(|| about.summary.take());
    about.home_page = said.about.home_page.or_else(|| about.home_page.take());
    about.license = said.about.license.or_else(|| about.license.take());
    about.license_expression = said
        .about
        .license_expression
        .or_else(|| about.license_expression.take());
    if !said.about.urls.is_empty() {
        about.urls = said.about.urls;
    }
    if !said.about.license_classifiers.is_empty() {
        about.license_classifiers = said.about.license_classifiers;
    }
    draft.missing_files.extend(said.missing_files);
    draft.native = said.native;
    reading.problems.extend(said.problems);
}

/// The same unknowns under a field's name in core metadata.
fn fields(names: &[&str], unknown: &[Unknown]) -> Vec<Unknown> {
    let mut all = Vec::new();
    for name in names {
        all.extend(unknown.iter().map(|u| Unknown {
            field: (*name).to_owned(),
            ..u.clone()
        }));
    }
    all
}

fn layout(draft: &mut Draft, said: &SetupPy) {
    let layout = &mut draft.layout;
    if let Some(folders) = said.package_dir.value()
        && !folders.is_empty()
    {
        layout.folders = folders.clone();
    }
    match (said.packages.known(), said.py_modules.known()) {
        (packages, Some(modules)) if !modules.is_empty() => {
            layout.modules = modules.clone();
            layout.packages = Some(packages.cloned().unwrap_or_default());
        }
        (Some(packages), _) if !packages.is_empty() => {
            layout.packages = Some(packages.clone());
        }
        _ => {}
    }
}

/// The project table over everything: what it does not declare dynamic, it says.
fn project_table(draft: &mut Draft, table: &Draft, dynamic: &BTreeSet<String>) {
    let mut settled = BTreeSet::new();
    let decides = |key: &str, says: bool| says || !dynamic.contains(key);
    if table.name.is_some() {
        draft.name.clone_from(&table.name);
        settled.insert("name");
    }
    if decides("version", table.version.is_some()) {
        draft.version.clone_from(&table.version);
        settled.insert("version");
    }
    if decides("requires-python", table.requires_python.is_some()) {
        draft.requires_python.clone_from(&table.requires_python);
        settled.insert("requires_python");
    }
    let dependencies = decides("dependencies", table.dependencies.is_some());
    let optional = decides("optional-dependencies", table.optional.is_some());
    if dependencies {
        draft.dependencies.clone_from(&table.dependencies);
    }
    if optional {
        draft.optional.clone_from(&table.optional);
        settled.insert("provides_extra");
    }
    if dependencies && optional {
        settled.insert("requires_dist");
    }
    let scripts = ["scripts", "gui-scripts", "entry-points"];
    if table.entry_points.is_some() || !scripts.iter().any(|s| dynamic.contains(*s)) {
        draft.entry_points.clone_from(&table.entry_points);
        settled.insert("entry_points");
    }
    draft
        .unknown
        .retain(|u| !settled.contains(u.field.as_str()));
    draft.unknown.extend(table.unknown.iter().cloned());
    // Nobody said what the table leaves open: a plugin computes it when the package is built.
    if draft.version.is_none() && dynamic.contains("version") && !draft.is_unknown("version") {
        let reason = "it is declared dynamic, and only building the package would tell";
        draft.unknown("version", None, reason);
    }
    if draft.unknown.is_empty() {
        draft.failed = false;
    }
    let about = &table.about;
    let into = &mut draft.about;
    into.summary = about.summary.clone().or_else(|| into.summary.take());
    into.license = about.license.clone().or_else(|| into.license.take());
    let expression = about.license_expression.clone();
    into.license_expression = expression.or_else(|| into.license_expression.take());
    if !about.urls.is_empty() {
        into.urls.clone_from(&about.urls);
    }
    if !about.license_classifiers.is_empty() {
        into.license_classifiers
            .clone_from(&about.license_classifiers);
    }
    let layout = &table.layout;
    if layout.packages.is_some() || !layout.roots.is_empty() || !layout.modules.is_empty() {
        draft.layout = layout.clone();
    }
}
