//! Calls, classes and attributes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};

use super::builtin;
use super::interpreter::{Args, Eval, Interpreter, Stop, cause, unknown};
use super::limits;
use super::source::Place;
use super::target;
use super::value::{Body, Class, Dict, Function, Kind, Module, Object, Scope, Unknown, Value};

impl<'a> Interpreter<'a> {
    /// Calls a value.
    pub fn call(&mut self, function: Value<'a>, mut args: Args<'a>, place: Place<'a>) -> Eval<'a> {
        self.step()?;
        match function {
            Value::Function(function) => self.call_function(&function, args, place),
            Value::Bound(bound) => {
                args.pos.insert(0, bound.0.clone());
                self.call(bound.1.clone(), args, place)
            }
            Value::Native(path) => self.call_native(&path, args, place),
            Value::Method(method) => self.call_method(&method.0, &method.1, args, place),
            Value::Class(class) => self.instantiate(&class, args, place),
            Value::Object(object) => {
                let this = Value::Object(Rc::clone(&object));
                if let Some(method) = self.class_attribute(&object.class, "__call__") {
                    args.pos.insert(0, this);
                    return self.call(method, args, place);
                }
                if let Some(partial) = object.attributes.borrow().get("func").cloned() {
                    let bound = object.attributes.borrow().get("args").cloned();
                    let named = object.attributes.borrow().get("keywords").cloned();
                    return self.call_partial(partial, bound, named, args, place);
                }
                self.call_unknown(
                    cause(Some(place), "calling this object is not followed"),
                    &args,
                )
            }
            Value::Unknown(unknown) => self.call_unknown(unknown, &args),
            Value::Choice(_) => {
                let function = self.settled(function)?;
                self.call(function, args, place)
            }
            Value::None | Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::List(_) => {
                self.raise("TypeError", "object is not callable", Some(place))
            }
            other => {
                let reason = format!("calling a {} is not followed", other.type_name());
                self.call_unknown(cause(Some(place), reason), &args)
            }
        }
    }

    fn call_partial(
        &mut self,
        function: Value<'a>,
        bound: Option<Value<'a>>,
        named: Option<Value<'a>>,
        args: Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut all = Args {
            open: args.open,
            ..Args::default()
        };
        if let Some(bound) = bound {
            all.pos = self.iterate(&bound, Some(place))?.0;
        }
        all.pos.extend(args.pos);
        if let Some(Value::Dict(named)) = named {
            for (name, value) in named.entries() {
                if let Value::Str(name) = name {
                    all.named.push((name.text, value));
                }
            }
        }
        all.named
            .retain(|(name, _)| !args.named.iter().any(|(n, _)| n == name));
        all.named.extend(args.named);
        self.call(function, all, place)
    }

    /// Calls something unknown: it may change what it is given, and it may raise.
    pub fn call_unknown(&mut self, unknown: Unknown<'a>, args: &Args<'a>) -> Eval<'a> {
        for value in args.pos.iter().chain(args.named.iter().map(|(_, v)| v)) {
            self.taint(value, &unknown);
        }
        if self.guards_catch_anything() && self.undecidable(&unknown, false)? {
            let raised = Value::Object(Rc::new(Object {
                class: Value::native("Exception"),
                attributes: RefCell::default(),
                open: RefCell::new(Some(unknown.clone())),
            }));
            return Err(Stop::Raise(raised, unknown.0.place));
        }
        Ok(Value::Unknown(unknown))
    }

    fn guards_catch_anything(&mut self) -> bool {
        !self.guards.is_empty() && self.catches("OSError")
    }

    fn call_function(
        &mut self,
        function: &Rc<Function<'a>>,
        args: Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        if self.calls >= limits::CALLS {
            return self.raise(
                "RecursionError",
                "maximum recursion depth exceeded",
                Some(place),
            );
        }
        let scope = Scope::inner(&function.scope, Kind::Function);
        let scope = self.scope(scope);
        self.bind(function, args, &scope, place)?;
        self.calls += 1;
        let nesting = std::mem::take(&mut self.nesting);
        if function.generator {
            self.yielded.push(Vec::new());
        }
        let result = match function.body {
            Body::Expression(expr) => self.evaluate(expr, &scope),
            Body::Block(body) => match self.block(body, &scope) {
                Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(Value::None),
                Err(Stop::Return(value)) => Ok(value),
                Err(stop) => Err(stop),
            },
        };
        self.nesting = nesting;
        self.calls -= 1;
        if function.generator {
            let yielded = self.yielded.pop().unwrap_or_default();
            result?;
            return Ok(Value::list(yielded));
        }
        result
    }

    /// Binds arguments to parameters.
    fn bind(
        &mut self,
        function: &Rc<Function<'a>>,
        args: Args<'a>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let Some(parameters) = function.parameters else {
            if args.pos.is_empty() {
                return Ok(());
            }
            return self.raise("TypeError", "too many arguments", Some(place));
        };
        let mut pos = args.pos.into_iter();
        let mut named = args.named;
        let mut defaults = function.defaults.iter();
        let positional = parameters.posonlyargs.iter().chain(&parameters.args);
        for parameter in positional {
            let default = defaults.next().cloned().flatten();
            let name = parameter.parameter.name.as_str();
            let value = pos.next().or_else(|| take_named(&mut named, name));
            let value = match (value, default, &args.open) {
                (Some(value), _, _) => value,
                (None, _, Some(unknown)) => Value::Unknown(unknown.clone()),
                (None, Some(default), None) => default,
                (None, None, None) => {
                    let what = format!("{}() misses the argument '{name}'", function.name);
                    return self.raise("TypeError", &what, Some(place));
                }
            };
            scope.set(name, value);
        }
        let rest: Vec<_> = pos.collect();
        match &parameters.vararg {
            Some(vararg) => {
                let rest = match &args.open {
                    None => Value::tuple(rest),
                    Some(unknown) => Value::open_list(rest, Some(unknown.clone())),
                };
                scope.set(&vararg.name, rest);
            }
            None if !rest.is_empty() => {
                let what = format!("{}() takes fewer arguments", function.name);
                return self.raise("TypeError", &what, Some(place));
            }
            None => {}
        }
        for parameter in &parameters.kwonlyargs {
            let default = defaults.next().cloned().flatten();
            let name = parameter.parameter.name.as_str();
            let value = take_named(&mut named, name).or(default).unwrap_or_else(|| {
                Value::Unknown(cause(
                    Some(place),
                    format!("the argument `{name}` is missing"),
                ))
            });
            scope.set(name, value);
        }
        if let Some(kwarg) = &parameters.kwarg {
            let dict = Dict::default();
            *dict.open.borrow_mut() = args.open;
            for (name, value) in named {
                dict.set_str(&name, value);
            }
            scope.set(&kwarg.name, Value::Dict(Rc::new(dict)));
        } else if let Some((name, _)) = named.first() {
            let what = format!("{}() got an unexpected argument '{name}'", function.name);
            return self.raise("TypeError", &what, Some(place));
        }
        Ok(())
    }

    fn instantiate(&mut self, class: &Rc<Class<'a>>, args: Args<'a>, place: Place<'a>) -> Eval<'a> {
        let kind = Value::Class(Rc::clone(class));
        let native = self.native_base(&kind);
        let object = Rc::new(Object {
            class: kind.clone(),
            attributes: RefCell::default(),
            open: RefCell::default(),
        });
        let value = Value::Object(Rc::clone(&object));
        if let Some(native) = &native
            && !builtin::is_plain_base(native)
        {
            let reason = format!(
                "`{}` is derived from `{native}`, which is not followed",
                class.name
            );
            *object.open.borrow_mut() = Some(cause(Some(place), reason));
        }
        object
            .attributes
            .borrow_mut()
            .insert(Rc::from("args"), Value::tuple(args.pos.clone()));
        if let Some(init) = self.class_attribute(&kind, "__init__") {
            let mut args = args;
            args.pos.insert(0, value.clone());
            self.call(init, args, place)?;
        } else if matches!(
            native.as_deref(),
            Some("argparse.Namespace" | "types.SimpleNamespace")
        ) {
            for (name, value) in args.named {
                object.attributes.borrow_mut().insert(name, value);
            }
        }
        Ok(value)
    }

    /// The native class, or `unknown`, that a class is derived from.
    pub fn native_base(&self, class: &Value<'a>) -> Option<String> {
        match class {
            Value::Native(path) => Some(path.to_string()),
            Value::Class(class) => class.bases.iter().find_map(|base| match base {
                Value::Unknown(_) => Some("unknown".to_owned()),
                Value::Native(path) if &**path == "object" => None,
                base => self.native_base(base),
            }),
            _ => None,
        }
    }

    /// An attribute of a class of the file or what it is derived from.
    pub fn class_attribute(&self, class: &Value<'a>, name: &str) -> Option<Value<'a>> {
        let Value::Class(class) = class else {
            return None;
        };
        if let Some(value) = class.scope.own(name) {
            return Some(value);
        }
        class
            .bases
            .iter()
            .find_map(|base| self.class_attribute(base, name))
    }

    /// Whether `value` is an instance of `class`; none where that is not known.
    pub fn is_instance(&self, value: &Value<'a>, class: &Value<'a>) -> Option<bool> {
        match (value, class) {
            (_, Value::Tuple(classes)) => {
                let mut known = true;
                for class in classes.iter() {
                    match self.is_instance(value, class) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(false)
            }
            (Value::Unknown(_) | Value::Choice(_), _) | (_, Value::Unknown(_)) => None,
            (Value::Object(object), _) => self.is_subclass(&object.class, class),
            (_, Value::Native(path)) => Some(builtin::is_type(value, path)),
            _ => Some(false),
        }
    }

    /// Whether a class is derived from another.
    pub fn is_subclass(&self, class: &Value<'a>, wanted: &Value<'a>) -> Option<bool> {
        match (class, wanted) {
            (Value::Class(a), Value::Class(b)) if Rc::ptr_eq(a, b) => Some(true),
            (Value::Native(a), Value::Native(b)) => {
                Some(builtin::exceptions(a).contains(&&**b) || a == b)
            }
            (Value::Class(a), _) => {
                let mut known = true;
                for base in &a.bases {
                    match self.is_subclass(base, wanted) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(matches!(wanted, Value::Native(path) if &**path == "object"))
            }
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => None,
            _ => Some(false),
        }
    }

    /// `object.name`
    pub fn attribute(&mut self, object: &Value<'a>, name: &str, place: Place<'a>) -> Eval<'a> {
        match object {
            Value::Unknown(unknown) => Ok(Value::Unknown(unknown.clone())),
            Value::Native(path) => Ok(self.native_attribute(path, name)),
            Value::Module(module) => self.module_attribute(module, name, place),
            Value::Object(instance) => self.object_attribute(object, instance, name, place),
            Value::Class(class) => match self.class_attribute(object, name) {
                Some(Value::Function(f)) if f.decorator == Some("classmethod") => {
                    Ok(Value::Bound(Rc::new((object.clone(), Value::Function(f)))))
                }
                Some(value) => Ok(value),
                None if name == "__name__" => Ok(Value::str(&*class.name)),
                None => match self.native_base(object) {
                    Some(native) => Ok(Value::native(&format!("{native}.{name}"))),
                    None => self.raise("AttributeError", name, Some(place)),
                },
            },
            Value::VersionInfo => Ok(match name {
                "major" => target::by_version(|major, _| Value::Int(major)),
                "minor" => target::by_version(|_, minor| Value::Int(minor)),
                "micro" | "serial" => unknown(place, "the patch release of Python differs"),
                "releaselevel" => Value::str("final"),
                _ => Value::Method(Rc::new((object.clone(), Rc::from(name)))),
            }),
            Value::Function(function) => Ok(match name {
                "__name__" => Value::str(function.name),
                "__doc__" => Value::None,
                _ => unknown(place, "attributes of functions are not followed"),
            }),
            Value::Choice(_) if matches!(name, "major" | "minor") => {
                let index = Value::Int(i64::from(name == "minor"));
                self.item(object, &index, place)
            }
            Value::Path(path) => Ok(self.path_attribute(path, name, place)),
            Value::None => self.raise(
                "AttributeError",
                &format!("'NoneType' object has no attribute '{name}'"),
                Some(place),
            ),
            Value::File(file) if name == "name" => Ok(Value::str(&*file.path)),
            Value::Pattern(pattern) if name == "pattern" => Ok(Value::str(&pattern.text)),
            _ => {
                if builtin::has_method(object, name) {
                    Ok(Value::Method(Rc::new((object.clone(), Rc::from(name)))))
                } else {
                    let what = format!("'{}' object has no attribute '{name}'", object.type_name());
                    self.raise("AttributeError", &what, Some(place))
                }
            }
        }
    }

    fn module_attribute(
        &mut self,
        module: &Rc<Module<'a>>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Some(value) = module.scope.own(name) {
            return Ok(value);
        }
        let full = format!("{}.{name}", module.name);
        if let Some(value) = self.modules.get(&full) {
            return Ok(value.clone());
        }
        match name {
            "__file__" => return Ok(Value::str(self.source_path(module.scope.source))),
            "__name__" => return Ok(Value::str(&*module.name)),
            "__doc__" => return Ok(builtin::docstring(module.scope.source)),
            "__path__" => {
                let folder = module.folder.as_deref().unwrap_or_default();
                return Ok(Value::list(vec![Value::str(self.absolute_of(folder))]));
            }
            "__dict__" => {
                let dict = self.names_as_dict(&module.scope);
                return Ok(dict);
            }
            _ => {}
        }
        if let Some(unknown) = module.scope.open.borrow().clone() {
            return Ok(Value::Unknown(unknown));
        }
        let what = format!("module '{}' has no attribute '{name}'", module.name);
        self.raise("AttributeError", &what, Some(place))
    }

    fn object_attribute(
        &mut self,
        value: &Value<'a>,
        instance: &Rc<Object<'a>>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        let own = instance.attributes.borrow().get(name).cloned();
        if let Some(own) = own {
            return Ok(own);
        }
        // What `super()` hands out is bound to the object itself.
        let is_super = matches!(&instance.class, Value::Class(c) if &*c.name == "super");
        let this = is_super
            .then(|| instance.attributes.borrow().get("self").cloned())
            .flatten();
        let value = this.as_ref().unwrap_or(value);
        if let Some(found) = self.class_attribute(&instance.class, name) {
            return match found {
                Value::Function(f) => match f.decorator {
                    Some("staticmethod") => Ok(Value::Function(f)),
                    Some("classmethod") => Ok(Value::Bound(Rc::new((
                        instance.class.clone(),
                        Value::Function(f),
                    )))),
                    Some("property") => {
                        let args = Args {
                            pos: vec![value.clone()],
                            ..Args::default()
                        };
                        self.call(Value::Function(f), args, place)
                    }
                    _ => Ok(Value::Bound(Rc::new((value.clone(), Value::Function(f))))),
                },
                other => Ok(other),
            };
        }
        match name {
            "__class__" => return Ok(instance.class.clone()),
            "__dict__" => {
                let dict = Dict::default();
                for (name, value) in instance.attributes.borrow().iter() {
                    dict.set_str(name, value.clone());
                }
                return Ok(Value::Dict(Rc::new(dict)));
            }
            _ => {}
        }
        if let Some(method) = self.class_attribute(&instance.class, "__getattr__") {
            let args = Args {
                pos: vec![value.clone(), Value::str(name)],
                ..Args::default()
            };
            return self.call(method, args, place);
        }
        if let Some(unknown) = instance.open.borrow().clone() {
            return Ok(Value::Unknown(unknown));
        }
        match self.native_base(&instance.class) {
            Some(_) => Ok(Value::Method(Rc::new((value.clone(), Rc::from(name))))),
            None => self.raise("AttributeError", name, Some(place)),
        }
    }

    /// `object.name = value`
    pub fn set_attribute(&mut self, object: &Value<'a>, name: &str, value: Value<'a>) {
        match object {
            Value::Object(instance) => {
                instance
                    .attributes
                    .borrow_mut()
                    .insert(Rc::from(name), value);
            }
            Value::Class(class) => class.scope.set(name, value),
            Value::Module(module) => module.scope.set(name, value),
            Value::Native(path) => {
                self.patched.insert(format!("{path}.{name}"), value);
            }
            _ => {}
        }
    }

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

    fn super_object(
        &mut self,
        args: &Args<'a>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut at = Some(Rc::clone(scope));
        let this = loop {
            let Some(current) = at else { break None };
            if let Some(this) = current.own("self").or_else(|| current.own("cls")) {
                break Some(this);
            }
            at = current.outer.clone();
        };
        let this = args.pos.get(1).cloned().or(this);
        let class = match (args.pos.first(), &this) {
            (Some(Value::Class(class)), _) => Some(Rc::clone(class)),
            (_, Some(Value::Object(object))) => match &object.class {
                Value::Class(class) => Some(Rc::clone(class)),
                _ => None,
            },
            _ => None,
        };
        let (Some(class), Some(this)) = (class, this) else {
            return Ok(unknown(place, "`super()` is not followed here"));
        };
        let attributes = HashMap::from([(Rc::from("self"), this)]);
        Ok(Value::Object(Rc::new(Object {
            class: Value::Class(Rc::new(Class {
                name: Rc::from("super"),
                bases: class.bases.clone(),
                scope: self.scope_of_super(&class),
            })),
            attributes: RefCell::new(attributes),
            open: RefCell::new(Some(cause(
                Some(place),
                "`super()` of a native class is not followed",
            ))),
        })))
    }

    /// A scope with the bases' methods bound the way that `super()` hands them out.
    fn scope_of_super(&mut self, class: &Rc<Class<'a>>) -> Rc<Scope<'a>> {
        let scope = Scope::inner(&class.scope, Kind::Class);
        self.scope(scope)
    }

    fn names_as_dict(&mut self, scope: &Rc<Scope<'a>>) -> Value<'a> {
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

fn take_named<'a>(named: &mut Vec<(Rc<str>, Value<'a>)>, name: &str) -> Option<Value<'a>> {
    let at = named.iter().position(|(n, _)| &**n == name)?;
    Some(named.remove(at).1)
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
