//! The rest of Python's library.

use std::rc::Rc;

use super::super::interpreter::{Args, Eval, Interpreter, cause, exception, unknown};
use super::super::operator::as_int;
use super::super::source::Place;
use super::super::target;
use super::super::value::{Dict, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn call_library(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        let first = args.pos.first();
        if path.starts_with("subprocess.")
            || matches!(path, "os.system" | "os.popen" | "commands.getoutput")
        {
            return self.start_program(path, args, place).map(Some);
        }
        Ok(Some(match (path, first) {
            ("pkg_resources.yield_lines" | "setuptools.yield_lines", Some(v)) => {
                self.yield_lines(v, place)?
            }
            (
                "sys.path.insert" | "sys.path.append" | "sys.path.extend" | "sys.setrecursionlimit",
                _,
            ) => Value::None,
            (
                "sys.getdefaultencoding"
                | "sys.getfilesystemencoding"
                | "locale.getpreferredencoding",
                _,
            ) => Value::str("utf-8"),
            ("sys.exc_info", _) => {
                let raised = self.handling.last().cloned().unwrap_or(Value::None);
                let class = match &raised {
                    Value::Object(object) => object.class.clone(),
                    _ => Value::None,
                };
                Value::tuple(vec![class, raised, Value::None])
            }
            (
                "sys.stdout.write" | "sys.stderr.write" | "sys.stdout.flush" | "sys.stderr.flush",
                _,
            ) => Value::None,
            (
                "warnings.warn"
                | "warnings.filterwarnings"
                | "warnings.simplefilter"
                | "logging.basicConfig"
                | "os.umask"
                | "os.chmod"
                | "logging.info"
                | "logging.warning"
                | "logging.debug"
                | "logging.error"
                | "time.sleep"
                | "atexit.register"
                | "os.putenv"
                | "os.unsetenv"
                | "shutil.rmtree"
                | "shutil.copy"
                | "shutil.copyfile"
                | "shutil.move"
                | "shutil.copytree"
                | "os.rename"
                | "os.utime"
                | "gc.collect"
                | "locale.setlocale"
                | "importlib.invalidate_caches"
                | "traceback.print_exc",
                _,
            ) => Value::None,
            ("platform.architecture", _) => {
                Value::tuple(vec![Value::str("64bit"), Value::str("ELF")])
            }
            ("struct.calcsize", Some(Value::Str(text))) => match &*text.text {
                "P" | "l" | "L" | "q" | "Q" | "d" => Value::Int(8),
                "i" | "I" | "f" => Value::Int(4),
                _ => return Ok(None),
            },
            ("platform.uname" | "os.uname", _) => self.uname(place),
            (
                "platform.platform"
                | "platform.release"
                | "platform.version"
                | "platform.mac_ver"
                | "platform.linux_distribution",
                _,
            ) => unknown(place, "the release of the target's system is not known"),
            ("itertools.chain", _) => {
                let mut items = Vec::new();
                let mut open = None;
                for arg in &args.pos {
                    let (more, rest) = self.iterate(arg, Some(place))?;
                    items.extend(more);
                    open = open.or(rest);
                }
                self.allocate(items.len() * 48)?;
                Value::open_list(items, open)
            }
            ("itertools.chain.from_iterable", Some(v)) => {
                let (outer, mut open) = self.iterate(v, Some(place))?;
                let mut items = Vec::new();
                for inner in outer {
                    let (more, rest) = self.iterate(&inner, Some(place))?;
                    items.extend(more);
                    open = open.or(rest);
                }
                self.allocate(items.len() * 48)?;
                Value::open_list(items, open)
            }
            ("itertools.islice", Some(v)) => {
                let (items, open) = self.iterate(v, Some(place))?;
                let n = args
                    .pos
                    .get(1)
                    .and_then(as_int)
                    .and_then(|n| usize::try_from(n).ok())
                    .unwrap_or(0);
                Value::open_list(items.into_iter().take(n).collect(), open)
            }
            ("itertools.takewhile" | "itertools.dropwhile", Some(function)) => {
                let iterated = args.pos.get(1).cloned().unwrap_or(Value::None);
                let (items, open) = self.iterate(&iterated, Some(place))?;
                let (mut taken, mut dropped, mut taking) = (Vec::new(), Vec::new(), true);
                for item in items {
                    if taking {
                        let args = Args {
                            pos: vec![item.clone()],
                            ..Args::default()
                        };
                        let test = self.call(function.clone(), args, place)?;
                        taking = self.truth(&test)?;
                    }
                    if taking {
                        taken.push(item)
                    } else {
                        dropped.push(item)
                    }
                }
                Value::open_list(
                    if path.ends_with("takewhile") {
                        taken
                    } else {
                        dropped
                    },
                    open,
                )
            }
            ("functools.partial", Some(function)) => {
                let made = exception("functools.partial", "");
                if let Value::Object(object) = &made {
                    let named = Dict::default();
                    for (name, value) in &args.named {
                        named.set_str(name, value.clone());
                    }
                    let mut all = object.attributes.borrow_mut();
                    all.insert(Rc::from("func"), function.clone());
                    all.insert(
                        Rc::from("args"),
                        Value::tuple(args.pos.iter().skip(1).cloned().collect()),
                    );
                    all.insert(Rc::from("keywords"), Value::Dict(Rc::new(named)));
                }
                made
            }
            (
                "functools.wraps"
                | "functools.lru_cache"
                | "contextlib.contextmanager"
                | "functools.cache",
                Some(v),
            ) => match v {
                Value::Function(_) if path != "functools.wraps" => v.clone(),
                _ => Value::native("functools.identity"),
            },
            ("functools.lru_cache", None) => Value::native("functools.identity"),
            (
                "functools.identity" | "copy.copy" | "copy.deepcopy" | "textwrap.dedent"
                | "inspect.cleandoc" | "os.fsdecode",
                Some(v),
            ) => match (path, v) {
                ("copy.deepcopy", v) if !v.is_within(super::super::limits::COMPARED) => {
                    unknown(place, "it is too large to be copied")
                }
                ("copy.copy", v) => deep_copy(v, 1),
                ("copy.deepcopy", v) => deep_copy(v, 8),
                ("textwrap.dedent" | "inspect.cleandoc", Value::Str(text)) => Value::text(
                    dedent(&text.text),
                    text.place.map(|p| Place { exact: false, ..p }),
                ),
                (_, v) => v.clone(),
            },
            ("operator.itemgetter" | "operator.attrgetter", _) => return Ok(None),
            ("os.path.commonprefix" | "os.path.commonpath", Some(_)) => {
                unknown(place, "common paths are not followed")
            }
            ("multiprocessing.cpu_count" | "os.cpu_count", _) => Value::Int(1),
            ("inspect.getfile" | "inspect.getsourcefile", Some(_)) => {
                Value::str(self.source_path(place.source))
            }
            ("inspect.currentframe", _) => Value::None,
            ("shlex.split", Some(Value::Str(text))) if !text.text.contains(['"', '\'', '\\']) => {
                let args = Args::default();
                self.string_method(text, "split", &args, place)?
            }
            (
                "time.time"
                | "time.strftime"
                | "datetime.datetime.now"
                | "datetime.date.today"
                | "datetime.datetime.utcnow"
                | "datetime.datetime.today",
                _,
            ) => unknown(place, "the time is not known"),
            (
                "importlib.metadata.version"
                | "pkg_resources.get_distribution"
                | "importlib.metadata.distribution",
                _,
            ) => {
                let name = args.text(0, "name").unwrap_or_default();
                let setuptools = matches!(name, "setuptools" | "wheel" | "pip");
                let unknown = cause(
                    Some(place),
                    format!("whether `{name}` is installed, and which version, is not known"),
                );
                if !setuptools
                    && self.catches("pkg_resources.DistributionNotFound")
                    && !self.undecidable(&unknown, false)?
                {
                    let class = if path.starts_with("pkg") {
                        "pkg_resources.DistributionNotFound"
                    } else {
                        "importlib.metadata.PackageNotFoundError"
                    };
                    return self.raise(class, "not found", Some(place));
                }
                Value::Unknown(unknown)
            }
            ("argparse.ArgumentParser" | "optparse.OptionParser" | "logging.getLogger", _) => {
                return Ok(Some(unknown(place, format!("`{path}` is not followed"))));
            }
            _ => return Ok(None),
        }))
    }

    fn uname(&self, place: Place<'a>) -> Value<'a> {
        let made = exception("platform.uname_result", "");
        let unknown = cause(Some(place), "the host is not the target");
        let host = Value::Unknown(unknown.clone());
        let system = target::answer("platform.system").unwrap_or(Value::None);
        let machine = target::answer("platform.machine").unwrap_or(Value::None);
        if let Value::Object(object) = &made {
            let mut all = object.attributes.borrow_mut();
            let items = vec![
                system.clone(),
                host.clone(),
                host.clone(),
                host,
                machine.clone(),
            ];
            all.insert(Rc::from("items"), Value::tuple(items));
            all.insert(Rc::from("system"), system.clone());
            all.insert(Rc::from("sysname"), system);
            all.insert(Rc::from("machine"), machine);
            *object.open.borrow_mut() = Some(unknown);
        }
        made
    }

    /// `pkg_resources.yield_lines`: stripped lines that are neither empty nor comments.
    fn yield_lines(&mut self, value: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        let (items, open) = match value {
            Value::Str(text) => (super::super::interpolation::split_lines(text, false), None),
            other => self.iterate(other, Some(place))?,
        };
        let mut lines = Vec::new();
        for item in items {
            match &item {
                Value::Str(text) if text.text.contains('\n') => {
                    let more = self.yield_lines(&item, place)?;
                    lines.extend(self.iterate(&more, Some(place))?.0);
                }
                Value::Str(_) => {
                    let stripped = self.call_method(&item, "strip", Args::default(), place)?;
                    if stripped
                        .as_str()
                        .is_some_and(|t| !t.is_empty() && !t.starts_with('#'))
                    {
                        lines.push(stripped);
                    }
                }
                _ => lines.push(item),
            }
        }
        Ok(Value::open_list(lines, open))
    }

    fn start_program(&mut self, path: &str, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let mut words: Vec<String> = Vec::new();
        match args.pos.first().or_else(|| args.named("args")) {
            Some(Value::Str(text)) => words.extend(text.text.split_whitespace().map(str::to_owned)),
            Some(list @ (Value::List(_) | Value::Tuple(_))) => {
                let (items, _) = self.iterate(&list.clone(), Some(place))?;
                words.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
        let program = words
            .first()
            .map(|w| w.rsplit('/').next().unwrap_or(w).to_owned());
        if let Some(program) = &program {
            if program == "pkg-config" || program == "pkgconf" {
                let modules = words
                    .iter()
                    .skip(1)
                    .filter(|w| !w.starts_with('-'))
                    .cloned();
                self.native.pkg_config.extend(modules);
            } else {
                self.native.programs.push(program.clone());
            }
        }
        let shown = program.map_or_else(|| "a program".to_owned(), |p| format!("`{p}`"));
        let result = cause(Some(place), format!("it starts {shown}"));
        if path.ends_with("PIPE") {
            return Ok(Value::Unknown(result));
        }
        self.call_unknown(result, &Args::default())
    }
}

fn deep_copy<'a>(value: &Value<'a>, depth: usize) -> Value<'a> {
    if depth == 0 {
        return value.clone();
    }
    match value {
        Value::List(list) => {
            let items = list
                .items
                .borrow()
                .iter()
                .map(|v| deep_copy(v, depth - 1))
                .collect();
            Value::open_list(items, list.openness())
        }
        Value::Dict(dict) => {
            let made = dict.copy();
            for (key, value) in dict.entries() {
                if let Some(hashed) = key.key() {
                    made.set(hashed, key, deep_copy(&value, depth - 1));
                }
            }
            Value::Dict(Rc::new(made))
        }
        Value::Set(set) => Value::Set(Rc::new(set.copy())),
        other => other.clone(),
    }
}

fn dedent(text: &str) -> String {
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    let margin = lines
        .map(|l| l.len() - l.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut made: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        made.push(if line.trim().is_empty() {
            ""
        } else {
            line.get(margin..).unwrap_or(line)
        });
    }
    made.join("\n")
}
