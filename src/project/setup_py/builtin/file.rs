//! Files: `open` and what is done with it, and the formats that setup.py files read. All reads go
//! through the project's [`Files`](crate::project::Files).

use std::cell::Cell;
use std::rc::Rc;

use super::super::interpolation::split_lines;
use super::super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::super::operator::as_int;
use super::super::source::Place;
use super::super::value::{Dict, File, Scope, Text, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn call_file_function(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        Ok(Some(match path {
            "open" => {
                let mode = args.text(1, "mode").unwrap_or("r").to_owned();
                let target = args
                    .at(0, "file")
                    .or_else(|| args.named("filename"))
                    .cloned()
                    .unwrap_or(Value::None);
                if mode.contains(['w', 'a', 'x', '+']) {
                    let file = File {
                        path: Rc::from(target.as_str().unwrap_or_default()),
                        content: Value::str(""),
                        at: Cell::new(0),
                    };
                    return Ok(Some(Value::File(Rc::new(file))));
                }
                self.open_file(&target, mode.contains('b'), place)?
            }
            "io.StringIO" | "io.BytesIO" => {
                let content = args.pos.first().cloned().unwrap_or_else(|| Value::str(""));
                Value::File(Rc::new(File {
                    path: Rc::from("<memory>"),
                    content,
                    at: Cell::new(0),
                }))
            }
            "io.FileIO" => unknown(place, "`io.FileIO` is not followed"),
            "tokenize.open" => {
                let target = args.pos.first().cloned().unwrap_or(Value::None);
                self.open_file(&target, false, place)?
            }
            "fileinput.input" => {
                let target = args.pos.first().cloned().unwrap_or(Value::None);
                self.open_file(&target, false, place)?
            }
            "linecache.getlines" => {
                let target = args.pos.first().cloned().unwrap_or(Value::None);
                match self.open_file(&target, false, place)? {
                    Value::File(file) => match self.read_rest(&file) {
                        Value::Str(text) => Value::list(split_lines(&text, true)),
                        other => other,
                    },
                    other => other,
                }
            }
            "json.load" | "tomllib.load" | "json.loads" | "tomllib.loads" => {
                let first = args.pos.first().cloned().unwrap_or(Value::None);
                let text = match &first {
                    Value::File(file) => self.read_rest(file),
                    other => other.clone(),
                };
                self.structured(&text, path.starts_with("json"), place)?
            }
            "json.dumps" | "json.dump" => return Ok(None),
            "ast.literal_eval" => {
                let Some(Value::Str(text)) = args.pos.first() else {
                    return Ok(Some(
                        self.not_followed(args.pos.first().unwrap_or(&Value::None), place),
                    ));
                };
                let scope = Scope::module(place.source, "");
                let args = Args {
                    pos: vec![Value::Str(text.part(0, text.text.len()))],
                    ..Args::default()
                };
                let scope = self.scope(scope);
                self.literal(&args, &scope, place)?
            }
            "runpy.run_path" => self.run_path(args, place)?,
            "imp.load_source"
            | "importlib.util.spec_from_file_location"
            | "importlib.machinery.SourceFileLoader" => self.loader(path, args, place)?,
            "importlib.util.module_from_spec" => {
                let spec = args.pos.first().cloned().unwrap_or(Value::None);
                self.attribute(&spec, "module", place)?
            }
            "types.ModuleType" | "imp.new_module" => {
                let name = args.text(0, "name").unwrap_or("module").to_owned();
                self.empty_module(&name, place)
            }
            "pkgutil.get_data" | "importlib.resources.read_text" => return Ok(None),
            "configparser.ConfigParser"
            | "configparser.RawConfigParser"
            | "configparser.SafeConfigParser" => {
                let made = super::super::interpreter::exception("configparser.ConfigParser", "");
                if let Value::Object(object) = &made {
                    object
                        .attributes
                        .borrow_mut()
                        .insert(Rc::from("sections"), Value::Dict(Rc::new(Dict::default())));
                }
                made
            }
            "setuptools.config.read_configuration"
            | "setuptools.config.setupcfg.read_configuration" => self.read_ini(args, place)?,
            _ => return Ok(None),
        }))
    }

    fn literal(&mut self, args: &Args<'a>, scope: &Rc<Scope<'a>>, place: Place<'a>) -> Eval<'a> {
        let Some(Value::Str(text)) = args.pos.first() else {
            return Ok(Value::None);
        };
        let path = text
            .place
            .map_or_else(|| "setup.py".to_owned(), |p| p.source.path.clone());
        let source = match self.world.parse_text(&path, text.text.trim()) {
            Ok(source) => source,
            Err(reason) => return Ok(unknown(place, reason)),
        };
        match source.body.as_slice() {
            [ruff_python_ast::Stmt::Expr(stmt)] if source.errors.is_empty() => {
                let value = self.evaluate(&stmt.value, scope)?;
                // The literal points at the text that it was read from, not into itself.
                Ok(match (value, text.place) {
                    (Value::Str(made), Some(p)) => Value::Str(Text {
                        text: made.text,
                        place: Some(Place { exact: false, ..p }),
                    }),
                    (value, _) => value,
                })
            }
            _ => self.raise("ValueError", "malformed node or string", Some(place)),
        }
    }

    /// Opens a file of the project. A missing one raises where that is caught; elsewhere it is
    /// noted and its content is unknown.
    pub fn open_file(&mut self, target: &Value<'a>, binary: bool, place: Place<'a>) -> Eval<'a> {
        let path = match target {
            Value::Str(text) => Rc::clone(&text.text),
            Value::Path(path) => Rc::clone(path),
            Value::File(_) => return Ok(target.clone()),
            other => {
                let content = self.not_followed(other, place);
                return Ok(Value::File(Rc::new(File {
                    path: Rc::from(""),
                    content,
                    at: Cell::new(0),
                })));
            }
        };
        let content = match self.inside(&path) {
            Some(inside) if self.world.files.is_file(&inside) => match self.world.text(&inside) {
                Some(source) => {
                    let place = Place {
                        source,
                        start: 0,
                        end: u32::try_from(source.file.text.len()).unwrap_or(0),
                        exact: true,
                    };
                    if binary {
                        Value::Bytes(Rc::from(source.file.text.as_bytes()), Some(place))
                    } else {
                        Value::text(&source.file.text, Some(place))
                    }
                }
                None => unknown(place, format!("`{inside}` cannot be read")),
            },
            Some(inside) => {
                if self.catches("FileNotFoundError") {
                    return self.raise(
                        "FileNotFoundError",
                        &format!("No such file: '{inside}'"),
                        Some(place),
                    );
                }
                let reason = format!("`{inside}` is read and does not exist");
                self.missing.insert(inside);
                unknown(place, reason)
            }
            None => {
                if self.catches("FileNotFoundError") {
                    let unknown =
                        cause(Some(place), format!("`{path}` lies outside of the project"));
                    if !self.undecidable(&unknown, false)? {
                        return self.raise(
                            "FileNotFoundError",
                            &format!("No such file: '{path}'"),
                            Some(place),
                        );
                    }
                }
                unknown(place, format!("`{path}` lies outside of the project"))
            }
        };
        Ok(Value::File(Rc::new(File {
            path,
            content,
            at: Cell::new(0),
        })))
    }

    /// What of a file was not read yet.
    pub fn read_rest(&self, file: &File<'a>) -> Value<'a> {
        let at = file.at.get();
        match &file.content {
            Value::Str(text) => {
                file.at.set(text.text.len());
                Value::Str(text.part(at, text.text.len()))
            }
            Value::Bytes(bytes, place) => {
                file.at.set(bytes.len());
                match at {
                    0 => Value::Bytes(Rc::clone(bytes), *place),
                    at => Value::Bytes(Rc::from(bytes.get(at..).unwrap_or_default()), None),
                }
            }
            other => other.clone(),
        }
    }

    /// The next line of a file, empty at its end.
    pub fn read_line(&self, file: &File<'a>) -> Value<'a> {
        let at = file.at.get();
        match &file.content {
            Value::Str(text) => {
                let rest = text.text.get(at..).unwrap_or_default();
                let end = rest.find('\n').map_or(text.text.len(), |n| at + n + 1);
                file.at.set(end);
                Value::Str(text.part(at, end))
            }
            Value::Bytes(bytes, _) => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest
                    .iter()
                    .position(|b| *b == b'\n')
                    .map_or(rest.len(), |n| n + 1);
                file.at.set(at + length);
                Value::Bytes(Rc::from(rest.get(..length).unwrap_or_default()), None)
            }
            other => other.clone(),
        }
    }

    pub(super) fn file_method(
        &mut self,
        file: &Rc<File<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        Ok(match name {
            "read" | "getvalue" if args.pos.is_empty() => self.read_rest(file),
            "read" => match (self.read_rest(file), args.pos.first().and_then(as_int)) {
                (Value::Str(text), Some(n)) if n >= 0 => {
                    let end = text
                        .text
                        .char_indices()
                        .nth(usize::try_from(n).unwrap_or(0))
                        .map_or(text.text.len(), |(at, _)| at);
                    Value::Str(text.part(0, end))
                }
                (rest, _) => rest,
            },
            "readline" | "__next__" | "next" => self.read_line(file),
            "readlines" | "xreadlines" => {
                let (lines, open) = self.iterate(&Value::File(Rc::clone(file)), Some(place))?;
                Value::open_list(lines, open)
            }
            "seek" => {
                file.at.set(
                    args.pos
                        .first()
                        .and_then(as_int)
                        .and_then(|n| usize::try_from(n).ok())
                        .unwrap_or(0),
                );
                Value::None
            }
            "__enter__" | "__iter__" => Value::File(Rc::clone(file)),
            _ => Value::None,
        })
    }

    /// JSON or TOML as values.
    fn structured(&mut self, text: &Value<'a>, json: bool, place: Place<'a>) -> Eval<'a> {
        let (text, origin) = match text {
            Value::Str(text) => (text.text.to_string(), text.place),
            Value::Bytes(bytes, origin) => (String::from_utf8_lossy(bytes).into_owned(), *origin),
            other => return Ok(self.not_followed(other, place)),
        };
        self.allocate(text.len().saturating_mul(4))?;
        let parsed: Option<serde_json::Value> = if json {
            serde_json::from_str(&text).ok()
        } else {
            toml::from_str::<toml::Value>(&text)
                .ok()
                .and_then(|v| serde_json::to_value(v).ok())
        };
        match parsed {
            Some(parsed) => Ok(convert(
                &parsed,
                origin.map(|p| Place { exact: false, ..p }),
            )),
            None => self.raise("json.JSONDecodeError", "it is not valid", Some(place)),
        }
    }

    /// `runpy.run_path(path)`: the module's variables.
    fn run_path(&mut self, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let dict = Value::Dict(Rc::new(Dict::default()));
        let target = args.pos.first().cloned().unwrap_or(Value::None);
        let opened = self.open_file(&target, false, place)?;
        if let Value::File(file) = &opened {
            let code = self.read_rest(file);
            let scope = Scope::module(place.source, "");
            let scope = self.scope(scope);
            self.execute(&code, Some(dict.clone()), None, &scope, place)?;
        }
        Ok(dict)
    }

    /// Loaders of modules by path: an object with `module`, `loader`, `exec_module`, `load_module`.
    fn loader(&mut self, path: &str, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let name = args.text(0, "name").unwrap_or("module").to_owned();
        let target = args
            .at(1, "location")
            .or_else(|| args.named("path"))
            .and_then(Value::as_str);
        let Some(inside) = target.and_then(|t| self.inside(t)) else {
            return Ok(self.not_followed(args.pos.get(1).unwrap_or(&Value::None), place));
        };
        let module = if self.world.files.is_file(&inside) {
            self.load_module(&name, &inside, None, place)?
        } else if self.catches("FileNotFoundError") {
            return self.raise("FileNotFoundError", &inside, Some(place));
        } else {
            self.missing.insert(inside.clone());
            unknown(place, format!("`{inside}` is read and does not exist"))
        };
        if path == "imp.load_source" {
            return Ok(module);
        }
        let loader = super::super::interpreter::exception("importlib.Loader", "");
        if let Value::Object(object) = &loader {
            let mut attributes = object.attributes.borrow_mut();
            attributes.insert(Rc::from("module"), module);
            attributes.insert(Rc::from("name"), Value::str(&name));
        }
        if let Value::Object(object) = &loader {
            let inner = super::super::interpreter::exception("importlib.Loader", "");
            if let Value::Object(inner_object) = &inner {
                let module = object
                    .attributes
                    .borrow()
                    .get("module")
                    .cloned()
                    .unwrap_or(Value::None);
                inner_object
                    .attributes
                    .borrow_mut()
                    .insert(Rc::from("module"), module);
            }
            object
                .attributes
                .borrow_mut()
                .insert(Rc::from("loader"), inner);
        }
        Ok(loader)
    }

    /// Methods of native objects that are followed.
    pub(super) fn native_object_method(
        &mut self,
        this: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let Value::Object(object) = this else {
            return Ok(Value::None);
        };
        let class = self.native_base(&object.class).unwrap_or_default();
        match (class.as_str(), name) {
            ("importlib.Loader", "exec_module") => Ok(Value::None),
            ("importlib.Loader", "load_module") => self.attribute(this, "module", place),
            ("configparser.ConfigParser", _) => self.ini_method(this, name, args, place),
            _ => {
                let reason = format!("`{name}` of a `{class}` is not followed");
                let unknown = object
                    .open
                    .borrow()
                    .clone()
                    .unwrap_or_else(|| cause(Some(place), reason));
                if super::table::is_command(&class) || super::table::is_harmless(&class) {
                    return Ok(Value::Unknown(unknown));
                }
                self.call_unknown(unknown, args)
            }
        }
    }

    /// `object[key]` of native objects.
    pub fn native_item(
        &mut self,
        object: &Value<'a>,
        index: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Value::Object(inner) = object
            && let Some(items @ Value::Tuple(_)) = inner.attributes.borrow().get("items").cloned()
        {
            return self.item(&items, index, place);
        }
        if let Value::Object(inner) = object
            && let Some(Value::Dict(sections)) = inner.attributes.borrow().get("sections").cloned()
            && let Some(key) = index.key()
        {
            return match sections.at(&key) {
                Some(section) => Ok(section),
                None => match sections.openness() {
                    Some(unknown) => Ok(Value::Unknown(unknown)),
                    None => self.raise("KeyError", "section", Some(place)),
                },
            };
        }
        Ok(unknown(place, "an element of this object is not followed"))
    }

    fn ini_method(
        &mut self,
        this: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let Value::Object(object) = this else {
            return Ok(Value::None);
        };
        let sections = match object.attributes.borrow().get("sections") {
            Some(Value::Dict(sections)) => Rc::clone(sections),
            _ => return Ok(Value::None),
        };
        let section = args.text(0, "section").map(str::to_owned);
        let option = args.text(1, "option").map(str::to_lowercase);
        match name {
            "read" | "read_file" | "readfp" | "read_string" => {
                let first = args.pos.first().cloned().unwrap_or(Value::None);
                let targets = match &first {
                    Value::List(_) | Value::Tuple(_) => self.iterate(&first, Some(place))?.0,
                    _ => vec![first],
                };
                for target in targets {
                    self.ini_read(&sections, &target, name, place)?;
                }
                Ok(Value::None)
            }
            "sections" => Ok(Value::open_list(
                sections.entries().into_iter().map(|(k, _)| k).collect(),
                sections.openness(),
            )),
            "has_section" => Ok(
                match (
                    section.and_then(|s| sections.at_str(&s)),
                    sections.openness(),
                ) {
                    (None, Some(unknown)) => Value::Unknown(unknown),
                    (found, _) => Value::Bool(found.is_some()),
                },
            ),
            "items" | "options" | "get" | "getboolean" | "getint" | "has_option" => {
                let Some(section) = section else {
                    return Ok(unknown(place, "the section is not known"));
                };
                let Some(Value::Dict(found)) = sections.at_str(&section) else {
                    if let Some(unknown) = sections.openness() {
                        return Ok(Value::Unknown(unknown));
                    }
                    if let Some(fallback) = args.named("fallback") {
                        return Ok(fallback.clone());
                    }
                    if name == "has_option" {
                        return Ok(Value::Bool(false));
                    }
                    return self.raise("configparser.NoSectionError", &section, Some(place));
                };
                match (name, option) {
                    ("items", _) => self.dict_method(&found, "items", &Args::default(), place),
                    ("options", _) => self.dict_method(&found, "keys", &Args::default(), place),
                    ("has_option", Some(option)) => {
                        Ok(Value::Bool(found.at_str(&option).is_some()))
                    }
                    (_, Some(option)) => match (found.at_str(&option), args.named("fallback")) {
                        (Some(value), _) if name == "get" => Ok(value),
                        (Some(value), _) if name == "getboolean" => Ok(Value::Bool(matches!(
                            value.as_str().unwrap_or_default().to_lowercase().as_str(),
                            "1" | "yes" | "true" | "on"
                        ))),
                        (Some(value), _) => self.call(
                            Value::native("int"),
                            Args {
                                pos: vec![value],
                                ..Args::default()
                            },
                            place,
                        ),
                        (None, Some(fallback)) => Ok(fallback.clone()),
                        (None, None) => {
                            self.raise("configparser.NoOptionError", &option, Some(place))
                        }
                    },
                    _ => Ok(unknown(place, "the option is not known")),
                }
            }
            _ => Ok(unknown(
                place,
                format!("`ConfigParser.{name}` is not followed"),
            )),
        }
    }

    fn ini_read(
        &mut self,
        sections: &Rc<Dict<'a>>,
        target: &Value<'a>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let content = match (name, target) {
            ("read_string", text) => text.clone(),
            ("read", path) => {
                // `read` passes over files that do not exist.
                let inside = path.as_str().and_then(|p| self.inside(p));
                if !inside.is_some_and(|p| self.world.files.is_file(&p)) {
                    return Ok(());
                }
                match self.open_file(path, false, place)? {
                    Value::File(file) => self.read_rest(&file),
                    other => other,
                }
            }
            (_, Value::File(file)) => self.read_rest(file),
            (_, other) => self.not_followed(other, place),
        };
        match content {
            Value::Str(text) => {
                self.allocate(text.text.len())?;
                parse_ini(&text, sections);
            }
            other => {
                let unknown = other
                    .unknown_within(1)
                    .unwrap_or_else(|| cause(Some(place), "the file is not followed"));
                sections.open.borrow_mut().get_or_insert(unknown);
            }
        }
        Ok(())
    }

    fn read_ini(&mut self, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let sections = Rc::new(Dict::default());
        let target = args.pos.first().cloned().unwrap_or(Value::None);
        self.ini_read(&sections, &target, "read", place)?;
        Ok(Value::Dict(sections))
    }
}

/// configparser's dialect, as far as setup.py files need it: sections, `=` and `:`, continuation
/// lines, whole-line comments.
fn parse_ini<'a>(text: &Text<'a>, sections: &Rc<Dict<'a>>) {
    let mut section: Option<Rc<Dict<'a>>> = None;
    let mut option: Option<String> = None;
    let mut value = String::new();
    let place = text.place.map(|p| Place { exact: false, ..p });
    let finish =
        |section: &Option<Rc<Dict<'a>>>, option: &mut Option<String>, value: &mut String| {
            if let (Some(section), Some(option)) = (section, option.take()) {
                section.set_str(&option, Value::text(value.trim(), place));
            }
            value.clear();
        };
    for line in text.text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) && option.is_some() {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        if trimmed.is_empty() {
            if option.is_some() {
                value.push('\n');
            }
            continue;
        }
        finish(&section, &mut option, &mut value);
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.split(']').next()) {
            let dict = match sections.at_str(name) {
                Some(Value::Dict(dict)) => dict,
                _ => {
                    let dict = Rc::new(Dict::default());
                    sections.set_str(name, Value::Dict(Rc::clone(&dict)));
                    dict
                }
            };
            section = Some(dict);
        } else if let Some(at) = trimmed.find(['=', ':']) {
            let (name, rest) = trimmed.split_at(at);
            option = Some(name.trim().to_lowercase());
            value.push_str(rest.get(1..).unwrap_or_default().trim());
        }
    }
    finish(&section, &mut option, &mut value);
}

fn convert<'a>(value: &serde_json::Value, place: Option<Place<'a>>) -> Value<'a> {
    match value {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Value::Int(i),
            (None, f) => Value::Float(f.unwrap_or(0.0)),
        },
        serde_json::Value::String(text) => Value::text(text, place),
        serde_json::Value::Array(items) => {
            Value::list(items.iter().map(|v| convert(v, place)).collect())
        }
        serde_json::Value::Object(entries) => {
            let dict = Dict::default();
            for (name, value) in entries {
                dict.set_str(name, convert(value, place));
            }
            Value::Dict(Rc::new(dict))
        }
    }
}
