//! `os`, `os.path`, `pathlib`, `glob`: paths, and which files there are.

use std::rc::Rc;

use super::super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::super::limits;
use super::super::operator::join_paths;
use super::super::source::Place;
use super::super::value::Value;

impl<'a> Interpreter<'a> {
    pub(super) fn call_path_function(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        if let "os.environ.get" | "os.getenv" | "os.environ.pop" | "os.environ.setdefault" = path {
            return self.environment_lookup(path, args, place).map(Some);
        }
        if let "os.environ.copy" | "os.environ.items" | "os.environ.keys" = path {
            return Ok(Some(unknown(place, "the environment is not known")));
        }
        if path == "os.getcwd" || path == "os.getcwdu" {
            return Ok(Some(Value::str(&self.folder)));
        }
        if path == "pathlib.Path" || path == "pathlib.Path.cwd" {
            return self.make_path(path, args, place).map(Some);
        }
        if path == "os.path.join" {
            return self.join_path(args, place).map(Some);
        }
        let known = path.starts_with("os.path.")
            || matches!(
                path,
                "os.listdir"
                    | "os.walk"
                    | "os.chdir"
                    | "glob.glob"
                    | "glob.iglob"
                    | "os.stat"
                    | "os.remove"
                    | "os.unlink"
                    | "os.makedirs"
                    | "os.mkdir"
                    | "os.access"
                    | "os.scandir"
                    | "os.path"
                    | "fnmatch.fnmatch"
                    | "fnmatch.filter"
            );
        if !known {
            return Ok(None);
        }
        let first = match self.text_of(args.pos.first(), place) {
            Ok(text) => text,
            Err(other) => {
                if path == "os.walk" || path == "os.listdir" {
                    return Ok(Some(Value::Unknown(
                        other
                            .unknown_within(1)
                            .unwrap_or_else(|| cause(Some(place), "the folder is not known")),
                    )));
                }
                return Ok(Some(other));
            }
        };
        let text = &*first.text;
        let new = |made: String| Value::text(made, Some(place));
        Ok(Some(match path {
            "os.path.dirname" => new(parent(text).to_owned()),
            "os.path.basename" => new(text.rsplit('/').next().unwrap_or(text).to_owned()),
            "os.path.split" => {
                let name = text.rsplit('/').next().unwrap_or(text);
                Value::tuple(vec![new(parent(text).to_owned()), new(name.to_owned())])
            }
            "os.path.splitext" => {
                let (stem, suffix) = split_suffix(text);
                Value::tuple(vec![new(stem.to_owned()), new(suffix.to_owned())])
            }
            "os.path.abspath" | "os.path.realpath" => new(self.absolute(text)),
            "os.path.normpath" | "os.path.expanduser" | "os.path.expandvars"
            | "os.path.normcase" => new(if path == "os.path.normpath" {
                normal(text)
            } else {
                text.to_owned()
            }),
            "os.path.relpath" => {
                let base = args
                    .text(1, "start")
                    .map_or_else(|| self.folder.clone(), |s| self.absolute(s));
                new(relative(&self.absolute(text), &base))
            }
            "os.path.isabs" => Value::Bool(text.starts_with('/')),
            "os.path.exists" | "os.path.isfile" | "os.path.isdir" | "os.path.lexists"
            | "os.access" => self.exists(text, path, place),
            "os.path.islink" | "os.path.ismount" => Value::Bool(false),
            "os.path.getsize" | "os.path.getmtime" | "os.stat" => {
                unknown(place, "file times and sizes are not known")
            }
            "os.path.commonprefix" | "os.path.commonpath" => return Ok(None),
            "os.listdir" => match self.inside(text) {
                Some(inside) if self.world.files.is_dir(&inside) => Value::list(
                    self.world
                        .files
                        .list(&inside)
                        .iter()
                        .map(|n| new(n.clone()))
                        .collect(),
                ),
                Some(_) => return self.raise("FileNotFoundError", text, Some(place)),
                None => unknown(place, "the folder lies outside of the project"),
            },
            "os.walk" => self.walk(text, place)?,
            "os.chdir" => {
                self.folder = self.absolute(text);
                Value::None
            }
            "os.remove" | "os.unlink" | "os.makedirs" | "os.mkdir" => Value::None,
            "glob.glob" | "glob.iglob" => self.glob(text, "", place)?,
            "fnmatch.fnmatch" => {
                let pattern = args.text(1, "pat").unwrap_or_default();
                Value::Bool(matches_name(pattern, text))
            }
            _ => return Ok(None),
        }))
    }

    fn join_path(&mut self, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let mut joined = String::new();
        let mut seen = false;
        for part in &args.pos {
            match part {
                Value::Str(text) => {
                    joined = if seen {
                        join_paths(&joined, &text.text)
                    } else {
                        text.text.to_string()
                    };
                }
                Value::Path(path) => {
                    joined = if seen {
                        join_paths(&joined, path)
                    } else {
                        path.to_string()
                    }
                }
                Value::None => {
                    return self.raise("TypeError", "join() argument must be str", Some(place));
                }
                other => return Ok(self.not_followed(other, place)),
            }
            seen = true;
        }
        if let Some(unknown) = &args.open {
            return Ok(Value::Unknown(unknown.clone()));
        }
        self.allocate(joined.len())?;
        Ok(Value::text(joined, Some(place)))
    }

    /// Whether a path exists; outside of the project that is not known.
    fn exists(&self, text: &str, what: &str, place: Place<'a>) -> Value<'a> {
        match self.inside(text) {
            // A build from an sdist sees no repository.
            Some(inside) if inside == ".git" || inside.starts_with(".git/") || inside == ".hg" => {
                Value::Bool(false)
            }
            Some(inside) => {
                let files = &self.world.files;
                Value::Bool(match what {
                    "os.path.isfile" => files.is_file(&inside),
                    "os.path.isdir" => files.is_dir(&inside),
                    _ => files.is_file(&inside) || files.is_dir(&inside),
                })
            }
            None => unknown(
                place,
                format!("whether `{text}` exists outside of the project is not known"),
            ),
        }
    }

    fn walk(&mut self, text: &str, place: Place<'a>) -> Eval<'a> {
        let Some(root) = self.inside(text) else {
            return Ok(unknown(place, "the folder lies outside of the project"));
        };
        let mut found = Vec::new();
        let mut queue = vec![(text.trim_end_matches('/').to_owned(), root)];
        let mut looked_at = 0;
        while let Some((shown, inside)) = queue.pop() {
            let (mut folders, mut files) = (Vec::new(), Vec::new());
            for name in self.world.files.list(&inside).iter().cloned() {
                looked_at += 1;
                if looked_at > limits::WALK {
                    return Ok(unknown(
                        place,
                        "the project has more files than are looked at",
                    ));
                }
                let below = join_paths(&inside, &name);
                if self.world.files.is_dir(&below) {
                    folders.push(name);
                } else {
                    files.push(name);
                }
            }
            for name in folders.iter().rev() {
                queue.push((join_paths(&shown, name), join_paths(&inside, name)));
            }
            let names = |names: &[String]| Value::list(names.iter().map(Value::str).collect());
            self.allocate((folders.len() + files.len() + 3) * 64)?;
            found.push(Value::tuple(vec![
                Value::str(&shown),
                names(&folders),
                names(&files),
            ]));
        }
        Ok(Value::list(found))
    }

    /// Files of the project that match a pattern; results look like the pattern.
    fn glob(&mut self, pattern: &str, base: &str, place: Place<'a>) -> Eval<'a> {
        let full = join_paths(base, pattern);
        let Some(inside) = self.inside(&full) else {
            return Ok(unknown(place, "the pattern looks outside of the project"));
        };
        // What the results begin with that the path inside of the project does not.
        let here = self.inside("").unwrap_or_default();
        let shown = |path: &str| -> String {
            if full.starts_with('/') {
                format!("{}/{path}", super::super::interpreter::ROOT)
            } else {
                let prefix = if full.starts_with("./") { "./" } else { "" };
                let rest = path
                    .strip_prefix(&here)
                    .unwrap_or(path)
                    .trim_start_matches('/');
                format!("{prefix}{rest}")
            }
        };
        let parts: Vec<&str> = inside.split('/').filter(|p| !p.is_empty()).collect();
        let mut paths = vec![String::new()];
        let mut looked_at = 0;
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            let mut next = Vec::new();
            for path in &paths {
                if *part == "**" {
                    let mut below = vec![path.clone()];
                    while let Some(folder) = below.pop() {
                        next.push(folder.clone());
                        for name in self.world.files.list(&folder).iter() {
                            looked_at += 1;
                            if looked_at > limits::WALK {
                                return Ok(unknown(
                                    place,
                                    "the project has more files than are looked at",
                                ));
                            }
                            let child = join_paths(&folder, name);
                            if self.world.files.is_dir(&child) {
                                below.push(child);
                            } else if last {
                                next.push(child);
                            }
                        }
                    }
                } else if part.contains(['*', '?', '[']) {
                    for name in self.world.files.list(path).iter() {
                        looked_at += 1;
                        if looked_at > limits::WALK {
                            return Ok(unknown(
                                place,
                                "the project has more files than are looked at",
                            ));
                        }
                        if matches_name(part, name)
                            && (!name.starts_with('.') || part.starts_with('.'))
                        {
                            next.push(join_paths(path, name));
                        }
                    }
                } else {
                    let child = join_paths(path, part);
                    if self.world.files.is_dir(&child) || self.world.files.is_file(&child) {
                        next.push(child);
                    }
                }
            }
            paths = next;
        }
        paths.retain(|p| !p.is_empty());
        paths.sort();
        paths.dedup();
        self.allocate(paths.len() * 96)?;
        Ok(Value::list(
            paths
                .iter()
                .map(|p| Value::text(shown(p), Some(place)))
                .collect(),
        ))
    }

    /// The value of an environment variable: unset in an ordinary build, which is an answer that
    /// other runs look behind.
    pub fn environment_variable(&mut self, name: &str, place: Place<'a>) -> Eval<'a> {
        if let Some(value) = self.environment.get(name) {
            return Ok(value.clone());
        }
        let unknown = cause(
            Some(place),
            format!("it depends on the environment variable `{name}`"),
        );
        let value = match name {
            "PATH" | "HOME" | "PWD" | "USER" | "SHELL" | "TMPDIR" => Value::Unknown(unknown),
            _ if self.undecidable(&unknown, false)? => Value::Unknown(unknown),
            _ => Value::None,
        };
        self.environment.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn environment_lookup(&mut self, path: &str, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let name = match self.text_of(args.pos.first(), place) {
            Ok(text) => text.text.to_string(),
            Err(other) => return Ok(other),
        };
        let default = args.at(1, "default").cloned().unwrap_or(Value::None);
        let value = match self.environment_variable(&name, place)? {
            Value::None => default,
            value => value,
        };
        match path {
            "os.environ.pop" => {
                self.environment.insert(name, Value::None);
            }
            "os.environ.setdefault" => {
                self.environment.insert(name, value.clone());
            }
            _ => {}
        }
        Ok(value)
    }

    fn make_path(&mut self, path: &str, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        if path == "pathlib.Path.cwd" {
            return Ok(Value::Path(Rc::from(&*self.folder)));
        }
        if args.pos.is_empty() {
            return Ok(Value::Path(Rc::from(".")));
        }
        match self.join_path(args, place)? {
            Value::Str(text) => Ok(Value::Path(text.text)),
            other => Ok(other),
        }
    }

    /// `Path.name` and the like; methods are methods.
    pub fn path_attribute(&mut self, path: &Rc<str>, name: &str, place: Place<'a>) -> Value<'a> {
        let file = path.rsplit('/').next().unwrap_or(path);
        match name {
            "parent" => Value::Path(Rc::from(match parent(path) {
                "" => ".",
                parent => parent,
            })),
            "name" => Value::text(file, Some(place)),
            "stem" => Value::text(split_suffix(file).0, Some(place)),
            "suffix" => Value::text(split_suffix(file).1, Some(place)),
            "parents" => {
                let mut found = Vec::new();
                let mut at: &str = path;
                while !parent(at).is_empty() && parent(at) != at {
                    at = parent(at);
                    found.push(Value::Path(Rc::from(at)));
                }
                Value::list(found)
            }
            "parts" => Value::tuple(
                path.split('/')
                    .filter(|p| !p.is_empty())
                    .map(Value::str)
                    .collect(),
            ),
            _ => Value::Method(Rc::new((Value::Path(Rc::clone(path)), Rc::from(name)))),
        }
    }

    pub(super) fn path_method(
        &mut self,
        path: &Rc<str>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let this = Value::Path(Rc::clone(path));
        Ok(match name {
            "resolve" | "absolute" => Value::Path(Rc::from(self.absolute(path))),
            "joinpath" | "__truediv__" => {
                let mut pos = vec![this];
                pos.extend(args.pos.iter().cloned());
                match self.join_path(
                    &Args {
                        pos,
                        ..Args::default()
                    },
                    place,
                )? {
                    Value::Str(text) => Value::Path(text.text),
                    other => other,
                }
            }
            "read_text" | "read_bytes" | "open" => {
                let mode = args.text(0, "mode").unwrap_or("r").to_owned();
                let binary = name == "read_bytes" || (name == "open" && mode.contains('b'));
                let file = self.open_file(&this, binary, place)?;
                match (&file, name) {
                    (Value::File(file), "read_text" | "read_bytes") => self.read_rest(file),
                    _ => file,
                }
            }
            "exists" => self.exists(path, "os.path.exists", place),
            "is_file" => self.exists(path, "os.path.isfile", place),
            "is_dir" => self.exists(path, "os.path.isdir", place),
            "as_posix" | "__str__" | "__fspath__" => Value::text(&**path, Some(place)),
            "with_name" => match args.text(0, "name") {
                Some(new) => Value::Path(Rc::from(join_paths(parent(path), new))),
                None => unknown(place, "the name is not known"),
            },
            "with_suffix" => match args.text(0, "suffix") {
                Some(new) => Value::Path(Rc::from(format!("{}{new}", split_suffix(path).0))),
                None => unknown(place, "the suffix is not known"),
            },
            "relative_to" => match args.pos.first().and_then(Value::as_str) {
                Some(base) => Value::Path(Rc::from(relative(
                    &self.absolute(path),
                    &self.absolute(base),
                ))),
                None => unknown(place, "the folder is not known"),
            },
            "glob" | "rglob" => {
                let pattern = args.text(0, "pattern").unwrap_or("*").to_owned();
                let pattern = if name == "rglob" {
                    format!("**/{pattern}")
                } else {
                    pattern
                };
                let base = self.absolute(path);
                let found = self.glob(&pattern, &base, place)?;
                let (items, open) = self.iterate(&found, Some(place))?;
                let paths = items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|p| Value::Path(Rc::from(p)));
                Value::open_list(paths.collect(), open)
            }
            "iterdir" => match self.inside(path) {
                Some(inside) => {
                    let names = self.world.files.list(&inside);
                    Value::list(
                        names
                            .iter()
                            .map(|n| Value::Path(Rc::from(join_paths(path, n))))
                            .collect(),
                    )
                }
                None => unknown(place, "the folder lies outside of the project"),
            },
            "expanduser" => this,
            "mkdir" | "unlink" | "touch" | "write_text" | "write_bytes" => Value::None,
            _ => unknown(place, format!("`Path.{name}` is not followed")),
        })
    }
}

/// `os.path.dirname`
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => path.get(..at).unwrap_or_default(),
        None => "",
    }
}

fn split_suffix(path: &str) -> (&str, &str) {
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    match path.rfind('.') {
        Some(at) if at > name_at => path.split_at(at),
        _ => (path, ""),
    }
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (path.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn relative(path: &str, base: &str) -> String {
    let path: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let base: Vec<&str> = base.split('/').filter(|p| !p.is_empty()).collect();
    let common = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; base.len() - common];
    parts.extend(path.iter().skip(common));
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// Whether a name matches a shell pattern (`*`, `?`, `[…]`).
pub fn matches_name(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Row by row: `reach[j]` tells whether the pattern so far matches the first `j` characters.
    let mut reach = vec![false; name.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    let mut at = 0;
    while let Some(c) = pattern.get(at) {
        let mut next = vec![false; name.len() + 1];
        let mut length = 1;
        let class = if *c == '[' {
            let close = pattern
                .iter()
                .skip(at + 2)
                .position(|c| *c == ']')
                .map(|p| p + at + 2);
            close.and_then(|close| {
                length = close - at + 1;
                pattern.get(at + 1..close)
            })
        } else {
            None
        };
        for j in 0..=name.len() {
            let before = reach.get(j).copied().unwrap_or(false);
            if *c == '*' {
                let left = j > 0 && next.get(j - 1).copied().unwrap_or(false);
                if let Some(slot) = next.get_mut(j) {
                    *slot = before || left;
                }
            } else if before && let Some(n) = name.get(j) {
                let fits = match (class, c) {
                    (Some(class), _) => in_class(class, *n),
                    (None, '?') => true,
                    (None, c) => c == n,
                };
                if fits && let Some(slot) = next.get_mut(j + 1) {
                    *slot = true;
                }
            }
        }
        reach = next;
        at += length;
    }
    reach.last().copied().unwrap_or(false)
}

fn in_class(class: &[char], c: char) -> bool {
    let (negated, class) = match class.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    let mut at = 0;
    while let Some(low) = class.get(at) {
        if class.get(at + 1) == Some(&'-')
            && let Some(high) = class.get(at + 2)
        {
            found |= (*low..=*high).contains(&c);
            at += 3;
        } else {
            found |= *low == c;
            at += 1;
        }
    }
    found != negated
}
