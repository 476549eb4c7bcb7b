//! `setup.cfg`: setuptools' declarative configuration (`[metadata]`, `[options]`), and pbr's.
//!
//! As `setuptools.config.setupcfg` reads it: `file:` and `attr:` directives, `find:`, lists by line
//! or by comma, and the old dashed spellings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attribute;
use super::draft::Draft;
use super::ini::{Ini, Value};
use super::reading::Reading;
use crate::problem::{Code, Origin, SourceFile};
use crate::python::{ExtraName, Requirement};

/// What a `setup.cfg` says of the project.
pub(super) fn read(reading: &mut Reading<'_>, file: &Arc<SourceFile>) -> Draft {
    let ini = Ini::parse(file, &mut reading.problems);
    let mut draft = Draft::default();
    let mut reader = Reader {
        reading,
        ini: &ini,
        draft: &mut draft,
    };
    reader.layout();
    reader.metadata();
    reader.options();
    draft
}

struct Reader<'r, 'f> {
    reading: &'r mut Reading<'f>,
    ini: &'r Ini,
    draft: &'r mut Draft,
}

impl<'r> Reader<'r, '_> {
    /// A value under any of its spellings; dashes were once as good as underscores.
    fn value(&self, section: &str, names: &[&str]) -> Option<&'r Value> {
        names.iter().find_map(|name| {
            let dashed = name.replace('_', "-");
            let value = self.ini.get(section, name);
            value.or_else(|| self.ini.get(section, &dashed))
        })
    }

    fn text(&self, section: &str, names: &[&str]) -> Option<String> {
        let text = self.value(section, names)?.text();
        (!text.is_empty()).then_some(text)
    }

    fn metadata(&mut self) {
        self.draft.name = self.text("metadata", &["name"]);
        self.version();
        self.draft.about.summary = match self.text("metadata", &["description", "summary"]) {
            Some(text) if text.starts_with("file:") => None,
            other => other,
        };
        self.draft.about.home_page = self.text("metadata", &["url", "home_page"]);
        self.draft.about.license = self
            .text("metadata", &["license"])
            .filter(|l| crate::python::metadata::is_license_name(l) && !l.starts_with("file:"));
        self.draft.about.license_expression = self.text("metadata", &["license_expression"]);
        if let Some(urls) = self.value("metadata", &["project_urls"]) {
            for (line, _) in items(urls) {
                if let Some((label, address)) = line.split_once('=') {
                    let pair = (label.trim().to_owned(), address.trim().to_owned());
                    self.draft.about.urls.push(pair);
                }
            }
        }
        if let Some(classifiers) = self.value("metadata", &["classifiers", "classifier"]) {
            let lines = items(classifiers).into_iter().map(|(line, _)| line);
            self.draft.about.license_classifiers =
                lines.filter(|l| l.starts_with("License ::")).collect();
        }
    }

    fn version(&mut self) {
        let Some(value) = self.value("metadata", &["version"]) else {
            return;
        };
        let text = value.text();
        let origin = self.ini.origin(value);
        if let Some(path) = text.strip_prefix("attr:") {
            let folders = self.draft.layout.folders.clone();
            match attribute::text(self.reading, path.trim(), &folders) {
                Ok(found) => self.draft.version = Some(found),
                Err(reason) => self.draft.unknown("version", Some(origin), reason),
            }
        } else if text.starts_with("file:") {
            match self.files(&text) {
                Ok(files) => {
                    let content: Vec<_> = files.iter().map(|f| f.text.as_str()).collect();
                    self.draft.version = Some(content.join("\n").trim().to_owned());
                }
                Err(missing) => {
                    self.missing(&missing, &origin);
                    self.draft.unknown(
                        "version",
                        Some(origin),
                        format!("`{missing}` does not exist"),
                    );
                }
            }
        } else if !text.is_empty() {
            self.draft.version = Some(text);
        }
    }

    fn options(&mut self) {
        if let Some(value) = self.value("options", &["python_requires"]) {
            let origin = self.ini.origin(value);
            let specifiers = self.reading.specifiers(&value.text(), Some(&origin));
            self.draft.requires_python = Some(specifiers);
        }
        if let Some(value) = self.value("options", &["install_requires"]) {
            let list = self.requirements(value);
            self.draft.dependencies = Some(list);
        }
        if let Some(value) = self.value("options", &["setup_requires"]) {
            self.draft.setup_requires = self.requirements(value);
        }
        if let Some(value) = self.value("options", &["tests_require"]) {
            self.draft.tests_require = self.requirements(value);
        }
        self.extras();
        self.entry_points();
    }

    fn extras(&mut self) {
        if !self.ini.has("options.extras_require") {
            return;
        }
        let mut optional: BTreeMap<ExtraName, Vec<Requirement>> = BTreeMap::new();
        for value in self.ini.section("options.extras_require") {
            let list = self.requirements(value);
            let origin = self.ini.origin(value);
            if let Some(extra) = self.reading.extra(&value.key, Some(&origin)) {
                optional.entry(extra).or_default().extend(list);
            }
        }
        self.draft.optional = Some(optional);
    }

    /// Requirements: one a line, or one after another with `;` between where there is but one line;
    /// or those of a file.
    fn requirements(&mut self, value: &Value) -> Vec<Requirement> {
        let text = value.text();
        if let [(line, span)] = value.lines.as_slice()
            && !line.starts_with("file:")
        {
            // A list on the key's own line is separated by semicolons, so it has no markers.
            let origin = self.ini.at(span.clone());
            let parts = line.split(';').map(str::trim).filter(|p| !p.is_empty());
            let mut list = Vec::new();
            for part in parts {
                list.extend(self.reading.requirement(part, Some(&origin)));
            }
            return list;
        }
        if text.starts_with("file:") {
            let origin = self.ini.origin(value);
            return match self.files(&text) {
                Ok(files) => {
                    let mut list = Vec::new();
                    for file in files {
                        list.extend(self.reading.plain_list(&file));
                    }
                    list
                }
                Err(missing) => {
                    self.missing(&missing, &origin);
                    let reason = format!("`{missing}` does not exist");
                    self.draft.unknown("requires_dist", Some(origin), reason);
                    Vec::new()
                }
            };
        }
        let mut list = Vec::new();
        let mut held: Option<(String, Origin)> = None;
        let mut lines = Vec::new();
        for (line, span) in &value.lines {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let origin = self.ini.at(span.clone());
            let (text, origin) = match held.take() {
                Some((before, start)) => {
                    let span = start.span.start..origin.span.end;
                    (format!("{before}{line}"), self.ini.at(span))
                }
                None => (line.to_owned(), origin),
            };
            match text.strip_suffix('\\') {
                Some(head) => held = Some((head.to_owned(), origin)),
                None => lines.push((text, origin)),
            }
        }
        for (line, origin) in lines {
            list.extend(self.reading.requirement(&line, Some(&origin)));
        }
        list
    }

    /// The files of a `file:` directive; the error is the one that does not exist.
    fn files(&mut self, directive: &str) -> Result<Vec<Arc<SourceFile>>, String> {
        let paths = directive.strip_prefix("file:").unwrap_or(directive);
        let mut files = Vec::new();
        for path in paths
            .split([',', '\n'])
            .map(str::trim)
            .filter(|p| !p.is_empty())
        {
            let file = self.reading.source_if_any(path);
            files.push(file.ok_or_else(|| path.to_owned())?);
        }
        Ok(files)
    }

    fn missing(&mut self, path: &str, origin: &Origin) {
        let what = format!("`{path}` does not exist");
        self.reading
            .warn(Code::MissingFile, what, Some(origin.clone()));
        self.draft.missing_files.push(path.to_owned());
    }

    fn entry_points(&mut self) {
        let mut points: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut add = |group: &str, line: &str| {
            if let Some((name, reference)) = line.split_once('=') {
                let pair = (name.trim().to_owned(), reference.trim().to_owned());
                points.entry(group.to_owned()).or_default().push(pair);
            }
        };
        for value in self.ini.section("options.entry_points") {
            for (line, _) in items(value) {
                add(&value.written, &line);
            }
        }
        // An INI file within a value, and pbr's section.
        if let Some(value) = self.value("options", &["entry_points"]) {
            let mut group = String::new();
            for (line, _) in items(value) {
                match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                    Some(name) => group = name.trim().to_owned(),
                    None => add(&group, &line),
                }
            }
        }
        for value in self.ini.section("entry_points") {
            for (line, _) in items(value) {
                add(&value.written, &line);
            }
        }
        if !points.is_empty() {
            self.draft.entry_points = Some(points);
        }
    }

    fn layout(&mut self) {
        if let Some(value) = self.value("options", &["package_dir"]) {
            for (line, _) in items(value) {
                if let Some((package, folder)) = line.split_once('=') {
                    let folders = &mut self.draft.layout.folders;
                    folders.insert(package.trim().to_owned(), folder.trim().to_owned());
                }
            }
        }
        let list = |value: Option<&Value>| {
            value.map_or_else(Vec::new, |v| items(v).into_iter().map(|(l, _)| l).collect())
        };
        self.draft.layout.modules = list(self.value("options", &["py_modules"]));
        let Some(packages) = self.value("options", &["packages"]) else {
            // pbr's `[files] packages`.
            if let Some(value) = self.ini.get("files", "packages") {
                self.draft.layout.packages = Some(list(Some(value)));
            }
            return;
        };
        let text = packages.text();
        if !matches!(text.trim(), "find:" | "find_namespace:") {
            self.draft.layout.packages = Some(list(Some(packages)));
            return;
        }
        let find = "options.packages.find";
        let roots: Vec<String> = list(self.value(find, &["where"]));
        let layout = &mut self.draft.layout;
        layout.roots = if roots.is_empty() {
            vec![layout.folders.get("").cloned().unwrap_or_default()]
        } else {
            roots
        };
        self.draft.layout.included = list(self.value(find, &["include"]));
        self.draft.layout.excluded = list(self.value(find, &["exclude"]));
    }
}

/// The items of a list: by line where there are several lines, by comma else.
fn items(value: &Value) -> Vec<(String, std::ops::Range<usize>)> {
    let full: Vec<_> = value
        .lines
        .iter()
        .filter(|(line, _)| !line.is_empty())
        .collect();
    if let ([(line, span)], 1) = (full.as_slice(), value.lines.len()) {
        let parts = line.split(',').map(str::trim).filter(|p| !p.is_empty());
        return parts.map(|p| (p.to_owned(), span.clone())).collect();
    }
    full.into_iter().cloned().collect()
}
