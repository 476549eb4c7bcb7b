//! What is known of Python's library, by dotted path. Names without a dot are Python's own
//! (`len`, `str`, `ImportError`).

mod collection;
mod file;
mod format;
mod function;
mod library;
mod path;
mod regex;
mod setuptools;
mod string;
mod table;

use std::rc::Rc;

use super::interpreter::{Args, Eval, Interpreter, cause};
use super::source::{Place, Source};
use super::target;
use super::value::Value;

pub use table::{
    canonical, exceptions, import_name, is_python2_module, is_type, module_since, name_since,
    sets_up, star_names,
};

impl<'a> Interpreter<'a> {
    /// One of Python's own names.
    pub fn builtin_name(&mut self, name: &str) -> Option<Value<'a>> {
        match name {
            "__debug__" => Some(Value::Bool(true)),
            "__builtins__" => Some(Value::native("builtins")),
            // Python 2's; who asks for them catches the NameError.
            "unicode" | "basestring" | "xrange" | "raw_input" | "unichr" | "long" | "reduce"
            | "cmp" | "reload" | "file" | "apply" | "execfile" => None,
            name if table::is_builtin(name) => Some(Value::native(name)),
            // What setup.py left there for the package that it imports.
            name => {
                let left = ["builtins", "__builtin__"].map(|module| format!("{module}.{name}"));
                left.iter().find_map(|path| self.patched.get(path).cloned())
            }
        }
    }

    /// `path.name`
    pub fn native_attribute(&mut self, path: &str, name: &str) -> Value<'a> {
        let full = format!("{path}.{name}");
        if let Some(value) = self.patched.get(&full) {
            return value.clone();
        }
        if let Some(value) = target::constant(&full) {
            return value;
        }
        match full.as_str() {
            "sys.path" => {
                let list = Value::list(vec![Value::str(&self.folder)]);
                self.patched.insert(full, list.clone());
                list
            }
            "sys.argv" => {
                let list = Value::list(vec![Value::str("setup.py"), Value::str("bdist_wheel")]);
                self.patched.insert(full, list.clone());
                list
            }
            _ => table::constant(&full).unwrap_or_else(|| Value::native(canonical(&full))),
        }
    }

    /// Calls something of Python's library.
    pub fn call_native(&mut self, path: &Rc<str>, args: Args<'a>, place: Place<'a>) -> Eval<'a> {
        if let Some(patched) = self.patched.get(&**path).cloned()
            && !matches!(&patched, Value::Native(p) if p == path)
        {
            return self.call(patched, args, place);
        }
        if args.pos.is_empty()
            && let Some(answer) = target::answer(path)
        {
            return Ok(answer);
        }
        if table::is_pure(path) {
            for (index, arg) in args.pos.iter().enumerate() {
                let options = match arg {
                    Value::Choice(options) => Rc::clone(options),
                    Value::VersionInfo => match target::version_info() {
                        Value::Choice(options) => options,
                        _ => continue,
                    },
                    _ => continue,
                };
                return self.each(&options, |this, option| {
                    let mut args = args.clone();
                    if let Some(slot) = args.pos.get_mut(index) {
                        *slot = option.clone();
                    }
                    this.call_native(path, args, place)
                });
            }
        }
        if let Some(unknown) = &args.open
            && !matches!(
                &**path,
                "setuptools.setup" | "dict" | "print" | "os.path.join"
            )
        {
            return Ok(Value::Unknown(unknown.clone()));
        }
        let answer = match self.call_function_of_python(path, &args, place)? {
            Some(answer) => Some(answer),
            None => match self.call_path_function(path, &args, place)? {
                Some(answer) => Some(answer),
                None => match self.call_file_function(path, &args, place)? {
                    Some(answer) => Some(answer),
                    None => match self.call_regex_function(path, &args, place)? {
                        Some(answer) => Some(answer),
                        None => match self.call_setuptools(path, &args, place)? {
                            Some(answer) => Some(answer),
                            None => self.call_library(path, &args, place)?,
                        },
                    },
                },
            },
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
        if table::is_exception(path) {
            return Ok(self.make_exception(path, &args));
        }
        let unknown = args
            .pos
            .iter()
            .find_map(|v| v.unknown_within(1))
            .unwrap_or_else(|| cause(Some(place), format!("`{path}` is not followed")));
        if table::is_harmless(path) {
            return Ok(Value::Unknown(unknown));
        }
        self.call_unknown(unknown, &args)
    }

    fn make_exception(&mut self, path: &str, args: &Args<'a>) -> Value<'a> {
        let made = super::interpreter::exception(path, "");
        if let Value::Object(object) = &made {
            object
                .attributes
                .borrow_mut()
                .insert(Rc::from("args"), Value::tuple(args.pos.clone()));
        }
        made
    }

    /// Calls a method of a value that is not an object of the file's own.
    pub fn call_method(
        &mut self,
        this: &Value<'a>,
        name: &str,
        args: Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Value::Choice(options) = this {
            let options = Rc::clone(options);
            return self.each(&options, |this, value| {
                let method = this.attribute(value, name, place)?;
                this.call(method, args.clone(), place)
            });
        }
        if let Value::Str(_) = this {
            for (index, arg) in args.pos.iter().enumerate() {
                if let Value::Choice(options) = arg {
                    let options = Rc::clone(options);
                    return self.each(&options, |inner, option| {
                        let mut args = args.clone();
                        if let Some(slot) = args.pos.get_mut(index) {
                            *slot = option.clone();
                        }
                        inner.call_method(this, name, args, place)
                    });
                }
            }
        }
        if let Some(unknown) = &args.open {
            return self.call_unknown(unknown.clone(), &args);
        }
        match this {
            Value::Str(text) => self.string_method(text, name, &args, place),
            Value::Bytes(bytes, origin) => self.bytes_method(bytes, *origin, name, &args, place),
            Value::List(list) => self.list_method(list, name, &args, place),
            Value::Tuple(_) => self.tuple_method(this, name, &args, place),
            Value::Dict(dict) => self.dict_method(dict, name, &args, place),
            Value::Set(set) => self.set_method(set, name, &args, place),
            Value::File(file) => self.file_method(file, name, &args, place),
            Value::Path(path) => self.path_method(path, name, &args, place),
            Value::Pattern(pattern) => self.pattern_method(pattern, name, &args, place),
            Value::Match(found) => self.match_method(found, name, &args, place),
            Value::Object(_) => self.native_object_method(this, name, &args, place),
            _ => {
                let reason = format!("`{name}` of a {} is not followed", this.type_name());
                self.call_unknown(cause(Some(place), reason), &args)
            }
        }
    }
}

/// Whether a class derived from a native one behaves as if it were not.
pub fn is_plain_base(native: &str) -> bool {
    native == "object"
        || table::is_exception(native)
        || table::is_command(native)
        || matches!(
            native,
            "enum.Enum"
                | "types.SimpleNamespace"
                | "argparse.Namespace"
                | "ast.NodeVisitor"
                | "ast.NodeTransformer"
        )
}

/// Whether a value that is not an object has a method.
pub fn has_method(value: &Value<'_>, name: &str) -> bool {
    match value {
        Value::Str(_) => string::METHODS.contains(&name),
        Value::Bytes(..) => string::METHODS.contains(&name) || name == "decode",
        Value::List(_) => collection::LIST_METHODS.contains(&name),
        Value::Tuple(_) => matches!(name, "index" | "count" | "__len__"),
        Value::Dict(_) => collection::DICT_METHODS.contains(&name),
        Value::Set(_) => collection::SET_METHODS.contains(&name),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => false,
        _ => true,
    }
}

/// A module's docstring.
pub fn docstring<'a>(source: &'a Source) -> Value<'a> {
    use ruff_python_ast::{Expr, Stmt};
    match source.body.first() {
        Some(Stmt::Expr(stmt)) => match &*stmt.value {
            Expr::StringLiteral(s) => Value::text(
                s.value.to_str(),
                Some(Place::of(source, stmt.value.as_ref())),
            ),
            _ => Value::None,
        },
        _ => Value::None,
    }
}
