//! Calls that see the scope they stand in: `exec`, `eval`, `locals`, `globals` and the like.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};

use super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::limits;
use super::source::Place;
use super::value::{Dict, Scope, Value};

impl<'a> Interpreter<'a> {
    /// Calls that see the scope they stand in: `locals`, `exec`, `super` and the like.
    pub fn scoped_call(
        &mut self,
        name: &str,
        call: &'a ExprCall,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let args = self.arguments(call, scope)?;
        match name {
            "locals" => Ok(self.names_as_dict(scope)),
            "vars" if args.pos.is_empty() => Ok(self.names_as_dict(scope)),
            "vars" => match args.pos.first() {
                Some(object) => self.attribute(&object.clone(), "__dict__", place),
                None => Ok(Value::None),
            },
            "globals" => {
                let module = super::statement::module_scope(scope);
                Ok(self.names_as_dict(&module))
            }
            "super" => self.super_object(&args, scope, place),
            "execfile" => {
                let path = args.pos.first().cloned().unwrap_or(Value::None);
                let content = self.open_file(&path, false, place)?;
                let Value::File(file) = &content else {
                    return Ok(content);
                };
                let code = self.read_rest(file);
                self.execute(
                    &code,
                    args.pos.get(1).cloned(),
                    args.pos.get(2).cloned(),
                    scope,
                    place,
                )?;
                Ok(Value::None)
            }
            "exec" => {
                let code = args.pos.first().cloned().unwrap_or(Value::None);
                // Python 2's `exec(code, namespace)` statement forms come as a tuple.
                let (code, globals) = match (&code, args.at(1, "globals")) {
                    (Value::Tuple(parts), None) => (
                        parts.first().cloned().unwrap_or(Value::None),
                        parts.get(1).cloned(),
                    ),
                    (_, globals) => (code.clone(), globals.cloned()),
                };
                // `globals()` and `locals()` hand out copies here; the scope itself is meant.
                let scopes = call.arguments.args.get(1).is_some_and(|arg| {
                    matches!(arg, Expr::Call(c) if matches!(&*c.func, Expr::Name(n)
                        if matches!(n.id.as_str(), "globals" | "locals" | "vars")))
                });
                let (globals, locals) = if scopes {
                    (None, None)
                } else {
                    (globals, args.at(2, "locals").cloned())
                };
                self.execute(&code, globals, locals, scope, place)?;
                Ok(Value::None)
            }
            _ => self.eval_text(&args, scope, place),
        }
    }

    /// The names of a scope as a dictionary that writes through to it.
    pub fn names_as_dict(&mut self, scope: &Rc<Scope<'a>>) -> Value<'a> {
        let dict = Dict::default();
        let mut names: Vec<_> = scope
            .names
            .borrow()
            .iter()
            .map(|(n, v)| (Rc::clone(n), v.clone()))
            .collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, value) in names {
            dict.set_str(&name, value);
        }
        *dict.open.borrow_mut() = scope.open.borrow().clone();
        *dict.mirror.borrow_mut() = Some(Rc::clone(scope));
        Value::Dict(Rc::new(dict))
    }

    /// Executes code in a namespace.
    pub fn execute(
        &mut self,
        code: &Value<'a>,
        globals: Option<Value<'a>>,
        locals: Option<Value<'a>>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let namespaces = [globals, locals];
        let dicts: Vec<Rc<Dict<'a>>> = namespaces
            .iter()
            .flatten()
            .filter_map(|v| match v {
                Value::Dict(dict) => Some(Rc::clone(dict)),
                _ => None,
            })
            .collect();
        let read = match code {
            Value::Str(text) => {
                let path = text
                    .place
                    .map_or_else(|| "setup.py".to_owned(), |p| p.source.path.clone());
                self.world.parse_text(&path, &text.text)
            }
            Value::Bytes(bytes, p) => {
                let path = p.map_or_else(|| "setup.py".to_owned(), |p| p.source.path.clone());
                self.world.parse_text(&path, &super::source::decode(bytes))
            }
            Value::Unknown(unknown) => {
                for dict in &dicts {
                    dict.open
                        .borrow_mut()
                        .get_or_insert_with(|| unknown.clone());
                }
                if dicts.is_empty() {
                    scope
                        .open
                        .borrow_mut()
                        .get_or_insert_with(|| unknown.clone());
                }
                return Ok(());
            }
            _ => Err("what is executed is not a text".to_owned()),
        };
        let source = match read {
            Ok(source) => source,
            Err(reason) => {
                let unknown = cause(Some(place), reason);
                for dict in &dicts {
                    dict.open
                        .borrow_mut()
                        .get_or_insert_with(|| unknown.clone());
                }
                if dicts.is_empty() {
                    *scope.open.borrow_mut() = Some(unknown);
                }
                return Ok(());
            }
        };
        if self.calls >= limits::CALLS {
            return self.raise(
                "RecursionError",
                "maximum recursion depth exceeded",
                Some(place),
            );
        }
        self.calls += 1;
        let package = Rc::clone(&scope.package);
        let inner = Scope::module(source, &package);
        let inner = self.scope(inner);
        if dicts.is_empty() {
            for (name, value) in scope.names.borrow().iter() {
                inner
                    .names
                    .borrow_mut()
                    .insert(Rc::clone(name), value.clone());
            }
            if let Some(outer) = &scope.outer {
                let module = super::statement::module_scope(outer);
                for (name, value) in module.names.borrow().iter() {
                    inner
                        .names
                        .borrow_mut()
                        .entry(Rc::clone(name))
                        .or_insert_with(|| value.clone());
                }
            }
        }
        for dict in &dicts {
            for (name, value) in dict.entries() {
                if let Value::Str(name) = name {
                    inner.set(&name.text, value);
                }
            }
        }
        let before: HashMap<Rc<str>, Value<'a>> = inner.names.borrow().clone();
        let result = self.block(&source.body, &inner);
        self.calls -= 1;
        let mut changed: Vec<(Rc<str>, Value<'a>)> = inner
            .names
            .borrow()
            .iter()
            .filter(|(name, value)| !before.get(*name).is_some_and(|old| same(old, value)))
            .map(|(name, value)| (Rc::clone(name), value.clone()))
            .collect();
        changed.sort_by(|a, b| a.0.cmp(&b.0));
        let into = dicts.last();
        for (name, value) in changed {
            match into {
                Some(dict) => {
                    if let Some(mirrored) = &*dict.mirror.borrow() {
                        mirrored.set(&name, value.clone());
                    }
                    dict.set_str(&name, value);
                }
                None => scope.set(&name, value),
            }
        }
        if let (Some(dict), Some(unknown)) = (into, inner.open.borrow().clone()) {
            dict.open.borrow_mut().get_or_insert(unknown);
        }
        result
    }

    fn eval_text(&mut self, args: &Args<'a>, scope: &Rc<Scope<'a>>, place: Place<'a>) -> Eval<'a> {
        let Some(Value::Str(text)) = args.pos.first() else {
            let unknown = args.pos.first().and_then(|v| v.unknown_within(1));
            let unknown =
                unknown.unwrap_or_else(|| cause(Some(place), "`eval` is not followed here"));
            return Ok(Value::Unknown(unknown));
        };
        let path = text
            .place
            .map_or_else(|| "setup.py".to_owned(), |p| p.source.path.clone());
        match self.world.parse_text(&path, text.text.trim()) {
            Ok(source) => match source.body.as_slice() {
                [ruff_python_ast::Stmt::Expr(stmt)] if source.errors.is_empty() => {
                    let inner = Rc::new(Scope {
                        names: RefCell::new(scope.names.borrow().clone()),
                        outer: scope.outer.clone(),
                        elsewhere: RefCell::default(),
                        kind: scope.kind,
                        open: RefCell::new(scope.open.borrow().clone()),
                        source,
                        package: Rc::clone(&scope.package),
                    });
                    let inner = self.scope(inner);
                    if let Some(Value::Dict(names)) = args.pos.get(1) {
                        for (name, value) in names.entries() {
                            if let Value::Str(name) = name {
                                inner.set(&name.text, value);
                            }
                        }
                    }
                    self.evaluate(&stmt.value, &inner)
                }
                _ => self.raise("SyntaxError", "invalid syntax", Some(place)),
            },
            Err(reason) => Ok(unknown(place, reason)),
        }
    }
}

fn same<'a>(a: &Value<'a>, b: &Value<'a>) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) | (Value::Set(a), Value::Set(b)) => Rc::ptr_eq(a, b),
        (Value::Str(a), Value::Str(b)) => Rc::ptr_eq(&a.text, &b.text),
        (Value::None, Value::None) => true,
        _ => a.key().is_some() && a.key() == b.key(),
    }
}
