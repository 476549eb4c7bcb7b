//! setup.py, read without running it: an abstract interpreter over its syntax tree.
//!
//! [`evaluate`] follows the program as an ordinary isolated build would run it and hands back what
//! `setup()` was called with. What depends on the target becomes markers, what depends on
//! anything outside the project's own files is unknown, with the place that made it so.

mod answer;
mod builtin;
mod call;
mod class;
mod comparison;
mod display;
mod element;
mod execute;
mod explore;
mod expression;
mod import;
mod interpolation;
mod interpreter;
mod keyword;
mod limits;
mod matching;
mod operator;
mod source;
mod statement;
mod target;
mod truth;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::interpreter::{Interpreter, Stop, World};
use self::source::Arena;
use self::value::{Scope, Value};
use crate::problem::{Code, Problem, Severity};
use crate::project::{Evaluated, Files, Unknown};

pub use answer::{Context, Fact, Native, SetupPy};

/// Reads the setup.py at `path` (relative to the root of `files`).
///
/// Never fails: what cannot be read is in the answer's `unknown` and `problems`.
pub fn evaluate(files: &dyn Files, path: &str, context: &Context) -> SetupPy {
    if let Err(error) = files.read(path) {
        return failed(path, &error.to_string(), Code::MissingFile);
    }
    let answer = on_own_stack(|| {
        let arena = Arena::default();
        let world = World::new(files, &arena, context);
        match world.source(path) {
            Ok(source) => {
                let mut answer = explore::explore(&world, source);
                answer.problems.extend(explore::syntax_problem(source));
                answer
            }
            Err(reason) => failed(path, &reason, Code::InvalidSyntax),
        }
    });
    answer.unwrap_or_else(|| failed(path, "it cannot be followed", Code::UnknownValue))
}

fn failed(path: &str, reason: &str, code: Code) -> SetupPy {
    SetupPy {
        evaluated: Evaluated::Failed,
        unknown: vec![Unknown {
            field: "setup.py".to_owned(),
            origin: None,
            reason: reason.to_owned(),
        }],
        problems: vec![Problem {
            code,
            severity: Severity::Error,
            what: format!("{path}: {reason}"),
            origin: None,
            help: None,
        }],
        ..SetupPy::default()
    }
}

/// Parsing and evaluating recurse; the depth that the limits allow needs a stack of its own.
fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("setup.py".to_owned())
            .stack_size(limits::STACK)
            .spawn_scoped(scope, work)
            .ok()?;
        thread.join().ok()
    })
}

/// What a module attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttrValue {
    /// One text (a version tuple is joined with dots).
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A table of texts or lists.
    Table(BTreeMap<String, AttrValue>),
}

/// The value of `reference` (`pkg.module:attr` or `pkg.module.attr`), as setuptools' `attr:`
/// reads it: modules are looked for below `package_dir`, an empty string for the root.
///
/// # Errors
/// The place and the reason that it cannot be known.
pub fn evaluate_attr(
    files: &dyn Files,
    reference: &str,
    package_dir: &str,
) -> Result<AttrValue, Unknown> {
    let context = Context::default();
    let unknown = |reason: String| Unknown {
        field: reference.to_owned(),
        origin: None,
        reason,
    };
    let answer = on_own_stack(|| {
        let arena = Arena::default();
        let world = World::new(files, &arena, &context);
        attr(&world, reference, package_dir)
    });
    answer.unwrap_or_else(|| Err(unknown("it cannot be followed".to_owned())))
}

fn attr<'a>(
    world: &'a World<'a>,
    reference: &str,
    package_dir: &str,
) -> Result<AttrValue, Unknown> {
    let (module, attr) = reference
        .split_once(':')
        .or_else(|| reference.rsplit_once('.'))
        .unwrap_or(("", reference));
    let mut interpreter = Interpreter::new(world, Vec::new(), "");
    if !package_dir.is_empty() {
        let folder = Value::str(format!("{}/{package_dir}", interpreter::ROOT));
        let path = Value::list(vec![folder]);
        interpreter.patched.insert("sys.path".to_owned(), path);
    }
    let fail = |cause: &value::Unknown<'_>| explore::tell(reference, cause);
    let Some((file, _)) = interpreter.find_module(module) else {
        let reason = format!("there is no module `{module}`");
        return Err(fail(&interpreter::cause(None, reason)));
    };
    let source = world
        .source(&file)
        .map_err(|reason| fail(&interpreter::cause(None, reason)))?;
    let place = source::Place {
        source,
        start: 0,
        end: 0,
        exact: false,
    };
    // As setuptools does: a literal in the module itself needs no import of it.
    let literal = interpreter.literal_of(source, attr);
    let found = match literal {
        Some(value) => Ok(value),
        None => interpreter
            .import_module(module, place)
            .and_then(|module| interpreter.attribute(&module, attr, place)),
    };
    let value = found.and_then(|value| interpreter.settled(value));
    let result = match value {
        Ok(value) => plain(&value, 4).map_err(|cause| {
            fail(&cause.unwrap_or_else(|| {
                interpreter::cause(Some(place), format!("`{attr}` is neither text nor list"))
            }))
        }),
        Err(Stop::Halt(cause)) => Err(fail(&cause)),
        Err(Stop::Raise(_, at)) => Err(fail(&interpreter::cause(
            at.or(Some(place)),
            format!("`{attr}` is not found"),
        ))),
        Err(_) => Err(fail(&interpreter::cause(
            Some(place),
            "it cannot be followed",
        ))),
    };
    interpreter.take_apart();
    result
}

fn plain<'a>(value: &Value<'a>, depth: usize) -> Result<AttrValue, Option<value::Unknown<'a>>> {
    if depth == 0 {
        return Err(None);
    }
    if let Some(cause) = value.unknown_within(4) {
        return Err(Some(cause));
    }
    Ok(match value {
        Value::Str(text) => AttrValue::Text(text.text.to_string()),
        Value::Int(i) => AttrValue::Text(i.to_string()),
        Value::Float(f) => AttrValue::Text(f.to_string()),
        Value::Tuple(items) if items.iter().any(|i| matches!(i, Value::Int(_))) => {
            AttrValue::Text(joined(items)?)
        }
        Value::List(list)
            if list
                .items
                .borrow()
                .iter()
                .any(|i| matches!(i, Value::Int(_))) =>
        {
            AttrValue::Text(joined(&list.items.borrow())?)
        }
        Value::Tuple(items) => AttrValue::List(strings(items)?),
        Value::List(list) => AttrValue::List(strings(&list.items.borrow())?),
        Value::Dict(dict) => {
            let mut table = BTreeMap::new();
            for (key, value) in dict.entries() {
                let key = key.as_str().ok_or(None)?.to_owned();
                table.insert(key, plain(&value, depth - 1)?);
            }
            AttrValue::Table(table)
        }
        _ => return Err(None),
    })
}

fn joined<'a>(items: &[Value<'a>]) -> Result<String, Option<value::Unknown<'a>>> {
    let parts: Option<Vec<String>> = items
        .iter()
        .map(|item| match item {
            Value::Int(i) => Some(i.to_string()),
            Value::Str(text) => Some(text.text.to_string()),
            _ => None,
        })
        .collect();
    Ok(parts.ok_or(None)?.join("."))
}

fn strings<'a>(items: &[Value<'a>]) -> Result<Vec<String>, Option<value::Unknown<'a>>> {
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or(None))
        .collect()
}

impl<'a> Interpreter<'a> {
    /// The value of a module's variable, where it is bound once, to a literal.
    fn literal_of(&mut self, source: &'a source::Source, attr: &str) -> Option<Value<'a>> {
        use ruff_python_ast::{Expr, Stmt};
        let mut found = None;
        for stmt in &source.body {
            let (target, value) = match stmt {
                Stmt::Assign(s) => match s.targets.as_slice() {
                    [target] => (target, Some(&*s.value)),
                    _ => continue,
                },
                Stmt::AnnAssign(s) => (&*s.target, s.value.as_deref()),
                _ => continue,
            };
            if matches!(target, Expr::Name(name) if name.id.as_str() == attr) {
                found = value;
            }
        }
        let value = found.filter(|v| is_literal(v))?;
        let scope = Scope::module(source, "");
        let scope = self.scope(scope);
        self.evaluate(value, &scope).ok()
    }
}

fn is_literal(expr: &ruff_python_ast::Expr) -> bool {
    use ruff_python_ast::Expr;
    match expr {
        Expr::StringLiteral(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) => true,
        Expr::NoneLiteral(_) => true,
        Expr::Tuple(t) => t.elts.iter().all(is_literal),
        Expr::List(t) => t.elts.iter().all(is_literal),
        Expr::Dict(d) => d
            .items
            .iter()
            .all(|item| item.key.as_ref().is_some_and(is_literal) && is_literal(&item.value)),
        _ => false,
    }
}
