//! setuptools, distutils, pip and the version tools that setup.py files call.

use std::cell::RefCell;
use std::rc::Rc;

use ruff_python_ast::CmpOp;

use super::super::interpolation::split_lines;
use super::super::interpreter::{Args, Eval, Interpreter, SetupCall, cause, exception, unknown};
use super::super::limits;
use super::super::operator::join_paths;
use super::super::source::Place;
use super::super::value::{Object, Text, Unknown, Value};
use super::path::matches_name;
use crate::python::Version;

impl<'a> Interpreter<'a> {
    pub(super) fn call_setuptools(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        Ok(Some(match path {
            "setuptools.setup" => {
                self.setups.push(SetupCall {
                    keywords: args.named.clone(),
                    open: args.open.clone(),
                    place,
                });
                let reason = "what `setup()` returns is not followed";
                unknown(place, reason)
            }
            "setuptools.find_packages"
            | "setuptools.find_namespace_packages"
            | "setuptools.PEP420PackageFinder.find"
            | "setuptools.PackageFinder.find"
            | "setuptools.find_packages.find" => self.find_packages(
                path.contains("namespace") || path.contains("PEP420"),
                args,
                place,
            )?,
            "setuptools.Extension"
            | "setuptools.extension.Extension"
            | "distutils.core.Extension"
            | "distutils.extension.Extension"
            | "numpy.distutils.core.Extension" => {
                self.native.extensions = true;
                if let Some(libraries) = args.named("libraries") {
                    let (items, _) = self.iterate(&libraries.clone(), Some(place))?;
                    let names = items.iter().filter_map(Value::as_str).map(str::to_owned);
                    self.native.libraries.extend(names);
                }
                let made = exception("setuptools.Extension", "");
                if let Value::Object(object) = &made {
                    for (name, value) in &args.named {
                        object
                            .attributes
                            .borrow_mut()
                            .insert(Rc::clone(name), value.clone());
                    }
                    let unknown = cause(Some(place), "extension modules are not followed");
                    *object.open.borrow_mut() = Some(unknown);
                }
                made
            }
            "pip.req.parse_requirements"
            | "pip._internal.req.parse_requirements"
            | "pip._internal.req.req_file.parse_requirements"
            | "pip.req.req_file.parse_requirements"
            | "pip.parse_requirements" => {
                let target = args.at(0, "filename").cloned().unwrap_or(Value::None);
                self.requirements_file(&target, 8, place)?
            }
            "pkg_resources.parse_requirements"
            | "setuptools._vendor.packaging.requirements.parse_requirements" => {
                self.requirement_objects(args.pos.first().unwrap_or(&Value::None), place)?
            }
            "pkg_resources.Requirement.parse"
            | "packaging.requirements.Requirement"
            | "pkg_resources.Requirement" => match args.pos.first() {
                Some(Value::Str(text)) => requirement_object(text.clone(), None),
                other => self.not_followed(other.unwrap_or(&Value::None), place),
            },
            "pip.download.PipSession"
            | "pip._internal.download.PipSession"
            | "pip._internal.network.session.PipSession" => Value::str("session"),
            "pkg_resources.parse_version"
            | "packaging.version.parse"
            | "packaging.version.Version"
            | "distutils.version.LooseVersion"
            | "distutils.version.StrictVersion"
            | "setuptools._vendor.packaging.version.parse"
            | "pkg_resources.extern.packaging.version.parse"
            | "setuptools.extern.packaging.version.parse" => match args.pos.first() {
                Some(Value::Str(text)) => version_object(path, text),
                other => self.not_followed(other.unwrap_or(&Value::None), place),
            },
            "versioneer.get_version" | "setuptools_scm.get_version" | "pbr.version.VersionInfo" => {
                self.known_version(place)
            }
            "distutils.util.strtobool" => {
                match args.text(0, "val").map(str::to_lowercase).as_deref() {
                    Some("y" | "yes" | "t" | "true" | "on" | "1") => Value::Int(1),
                    Some("n" | "no" | "f" | "false" | "off" | "0") => Value::Int(0),
                    Some(_) => return self.raise("ValueError", "invalid truth value", Some(place)),
                    None => self.not_followed(args.pos.first().unwrap_or(&Value::None), place),
                }
            }
            "distutils.util.convert_path" | "setuptools.convert_path" => {
                args.pos.first().cloned().unwrap_or(Value::None)
            }
            "pkg_resources.require"
            | "pkg_resources.declare_namespace"
            | "pkg_resources.working_set.add_entry"
            | "distutils.log.set_verbosity"
            | "setuptools.dep_util.newer" => Value::None,
            _ => return Ok(None),
        }))
    }

    fn known_version(&self, place: Place<'a>) -> Value<'a> {
        match &self.world.context.version {
            Some(version) => Value::text(version, Some(place)),
            None => unknown(place, "the version is computed from the repository"),
        }
    }

    /// `find_packages(where, exclude, include)`
    fn find_packages(&mut self, namespaces: bool, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let mut lists: [Vec<String>; 2] = [Vec::new(), vec!["*".to_owned()]];
        for (slot, (at, name)) in lists.iter_mut().zip([(1, "exclude"), (2, "include")]) {
            if let Some(value) = args.at(at, name).cloned()
                && !matches!(value, Value::None)
            {
                let (items, open) = self.iterate(&value, Some(place))?;
                if let Some(unknown) = open {
                    return Ok(Value::Unknown(unknown));
                }
                *slot = items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect();
            }
        }
        let [exclude, include] = lists;
        let start = match args.at(0, "where") {
            None => String::new(),
            Some(start) => match start.as_str().and_then(|s| self.inside(s)) {
                Some(start) => start,
                None => return Ok(unknown(place, "where packages are looked for is not known")),
            },
        };
        let start = if args.at(0, "where").is_none() {
            self.inside("").unwrap_or_default()
        } else {
            start
        };
        let mut found = Vec::new();
        let mut queue = vec![(start, String::new())];
        let mut looked_at = 0;
        while let Some((folder, package)) = queue.pop() {
            for name in self.world.files.list(&folder).iter().cloned() {
                looked_at += 1;
                if looked_at > limits::WALK {
                    return Ok(unknown(
                        place,
                        "the project has more files than are looked at",
                    ));
                }
                let below = join_paths(&folder, &name);
                if name.contains('.') || !self.world.files.is_dir(&below) {
                    continue;
                }
                if !namespaces && !self.world.files.is_file(&format!("{below}/__init__.py")) {
                    continue;
                }
                let dotted = if package.is_empty() {
                    name
                } else {
                    format!("{package}.{name}")
                };
                let fits = |patterns: &[String]| patterns.iter().any(|p| matches_name(p, &dotted));
                if fits(&include) && !fits(&exclude) {
                    found.push(dotted.clone());
                }
                queue.push((below, dotted));
            }
        }
        found.sort();
        self.allocate(found.len() * 64)?;
        Ok(Value::list(
            found.iter().map(|p| Value::text(p, Some(place))).collect(),
        ))
    }

    /// pip's `parse_requirements(path)`: objects with `req`, `requirement` and the like.
    fn requirements_file(
        &mut self,
        target: &Value<'a>,
        depth: usize,
        place: Place<'a>,
    ) -> Eval<'a> {
        let file = self.open_file(target, false, place)?;
        let content = match &file {
            Value::File(file) => self.read_rest(file),
            other => other.clone(),
        };
        let Value::Str(text) = content else {
            let open = content.unknown_within(1);
            return Ok(Value::open_list(Vec::new(), open));
        };
        let mut made = Vec::new();
        let mut open: Option<Unknown<'a>> = None;
        for line in split_lines(&text, false) {
            let Value::Str(line) = line else { continue };
            self.step()?;
            let end = line.text.find(" #").unwrap_or(line.text.len());
            let cut = if line.text.trim_start().starts_with('#') {
                0
            } else {
                end
            };
            let start = line.text.len() - line.text.trim_start().len();
            let shown = line.text.get(..cut).unwrap_or_default().trim_end().len();
            let line = line.part(start.min(shown), shown);
            let words = &*line.text;
            if words.is_empty() {
                continue;
            }
            if let Some(nested) = words
                .strip_prefix("-r")
                .or_else(|| words.strip_prefix("--requirement"))
            {
                let nested = nested.trim_start_matches(['=', ' ']);
                let base = target.as_str().unwrap_or_default();
                let nested = Value::str(join_paths(super::path::parent(base), nested));
                if depth == 0 {
                    open.get_or_insert_with(|| {
                        cause(line.place, "requirements files include each other")
                    });
                } else {
                    let more = self.requirements_file(&nested, depth - 1, place)?;
                    let (items, rest) = self.iterate(&more, Some(place))?;
                    made.extend(items);
                    open = open.or(rest);
                }
                continue;
            }
            if words.starts_with("-e")
                || words.starts_with("--editable")
                || words.contains("://")
                || words.ends_with('\\')
            {
                let reason = "this line of a requirements file is not followed";
                open.get_or_insert_with(|| cause(line.place.or(Some(place)), reason));
                continue;
            }
            if words.starts_with('-') {
                continue;
            }
            // Options of one requirement, such as its hashes.
            let end = words.find(" --").unwrap_or(words.len());
            let end = words.get(..end).unwrap_or_default().trim_end().len();
            made.push(requirement_object(line.part(0, end), None));
        }
        Ok(Value::open_list(made, open))
    }

    /// `pkg_resources.parse_requirements(lines)`
    fn requirement_objects(&mut self, lines: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        let (items, open) = match lines {
            Value::Str(text) => (split_lines(text, false), None),
            other => self.iterate(other, Some(place))?,
        };
        let mut made = Vec::new();
        let mut open = open;
        for item in items {
            match item {
                Value::Str(text) => {
                    for line in split_lines(&text, false) {
                        let Value::Str(line) = line else { continue };
                        let end = line.text.find(" #").unwrap_or(line.text.len());
                        let trimmed = line.text.get(..end).unwrap_or_default().trim();
                        if trimmed.is_empty() || trimmed.starts_with('#') {
                            continue;
                        }
                        let start = line.text.len() - line.text.trim_start().len();
                        made.push(requirement_object(
                            line.part(start, start + trimmed.len()),
                            None,
                        ));
                    }
                }
                other => {
                    let unknown = other
                        .unknown_within(2)
                        .unwrap_or_else(|| cause(Some(place), "a line is not a text"));
                    open.get_or_insert(unknown);
                }
            }
        }
        Ok(Value::open_list(made, open))
    }

    /// Comparisons of versions.
    pub fn compare_native_objects(
        &mut self,
        left: &Value<'a>,
        op: CmpOp,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let version = |value: &Value<'a>| -> Option<Version> {
            match value {
                Value::Object(object) => {
                    let text = object.attributes.borrow().get("__text__").cloned()?;
                    text.as_str()?.parse().ok()
                }
                Value::Str(text) => text.text.parse().ok(),
                _ => None,
            }
        };
        match (version(left), version(right)) {
            (Some(a), Some(b)) => Ok(Value::Bool(match op {
                CmpOp::Eq => a == b,
                CmpOp::NotEq => a != b,
                CmpOp::Lt => a < b,
                CmpOp::LtE => a <= b,
                CmpOp::Gt => a > b,
                _ => a >= b,
            })),
            _ if matches!(op, CmpOp::Eq | CmpOp::NotEq) => Ok(Value::Bool(
                (left.key().is_some() && left.key() == right.key()) == (op == CmpOp::Eq),
            )),
            _ => Ok(unknown(
                place,
                "these are compared in a way that is not followed",
            )),
        }
    }
}

fn version_object<'a>(path: &str, text: &Text<'a>) -> Value<'a> {
    let made = exception(path, "");
    if let Value::Object(object) = &made {
        let mut attributes = object.attributes.borrow_mut();
        let numbers: Vec<Value<'a>> = text
            .text
            .split('.')
            .map(|p| p.parse().map_or_else(|_| Value::str(p), Value::Int))
            .collect();
        attributes.insert(Rc::from("__text__"), Value::Str(text.clone()));
        attributes.insert(Rc::from("vstring"), Value::Str(text.clone()));
        for (name, at) in [("major", 0), ("minor", 1), ("micro", 2)] {
            attributes.insert(
                Rc::from(name),
                numbers.get(at).cloned().unwrap_or(Value::Int(0)),
            );
        }
        attributes.insert(Rc::from("version"), Value::list(numbers));
    }
    made
}

/// A requirement as pip's and pkg_resources' objects show it.
fn requirement_object<'a>(text: Text<'a>, inner: Option<Value<'a>>) -> Value<'a> {
    let (head, marker) = match text.text.split_once(';') {
        Some((head, marker)) => (head.trim(), Some(marker.trim().to_owned())),
        None => (text.text.trim(), None),
    };
    let end = head
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(head.len());
    let name = head.get(..end).unwrap_or_default().to_owned();
    let specifier = head.get(end..).unwrap_or_default();
    let specifier = specifier
        .rsplit(']')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let text_value = Value::Str(text.clone());
    let attributes = RefCell::new(std::collections::HashMap::new());
    {
        let mut all = attributes.borrow_mut();
        all.insert(Rc::from("__text__"), text_value.clone());
        all.insert(Rc::from("requirement"), text_value);
        all.insert(Rc::from("name"), Value::text(&name, text.place));
        all.insert(Rc::from("project_name"), Value::text(&name, text.place));
        all.insert(
            Rc::from("key"),
            Value::text(name.to_lowercase(), text.place),
        );
        all.insert(Rc::from("specifier"), Value::text(specifier, text.place));
        all.insert(Rc::from("link"), Value::None);
        all.insert(Rc::from("url"), Value::None);
        all.insert(Rc::from("original_link"), Value::None);
        all.insert(Rc::from("comes_from"), Value::None);
        all.insert(Rc::from("editable"), Value::Bool(false));
        let marker = marker.map_or(Value::None, |m| Value::text(m, text.place));
        all.insert(Rc::from("marker"), marker.clone());
        all.insert(Rc::from("markers"), marker);
        if inner.is_none() {
            all.insert(Rc::from("req"), requirement_object(text, Some(Value::None)));
        }
    }
    Value::Object(Rc::new(Object {
        class: Value::native("packaging.requirements.Requirement"),
        attributes,
        open: RefCell::new(Some(cause(
            None,
            "this attribute of a requirement is not followed",
        ))),
    }))
}
