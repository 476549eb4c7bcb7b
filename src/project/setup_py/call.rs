//! Calls of functions, and what binds their arguments.

use std::cell::RefCell;
use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};

use super::interpreter::{Args, Eval, Interpreter, Stop, cause};
use super::limits;
use super::source::Place;
use super::value::{Body, Dict, Function, Kind, Object, Scope, Unknown, Value};

impl<'a> Interpreter<'a> {
    /// A call as it is written.
    pub fn call_expression(
        &mut self,
        call: &'a ExprCall,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        // These three see the scope they are called in.
        if let Expr::Name(name) = &*call.func
            && matches!(
                name.id.as_str(),
                "locals" | "globals" | "vars" | "super" | "exec" | "eval" | "execfile"
            )
            && scope.own(&name.id).is_none()
        {
            return self.scoped_call(&name.id, call, scope, place);
        }
        let function = self.evaluate(&call.func, scope)?;
        let args = self.arguments(call, scope)?;
        self.call(function, args, place)
    }

    /// The arguments of a call.
    pub fn arguments(&mut self, call: &'a ExprCall, scope: &Rc<Scope<'a>>) -> Eval<'a, Args<'a>> {
        let mut args = Args::default();
        for arg in &call.arguments.args {
            let value = self.evaluate(arg, scope)?;
            if matches!(arg, Expr::Starred(_)) {
                let value = self.settled(value)?;
                let (items, open) = self.iterate(&value, Some(Place::of(scope.source, arg)))?;
                args.pos.extend(items);
                args.open = args.open.take().or(open);
            } else {
                args.pos.push(value);
            }
        }
        for keyword in &call.arguments.keywords {
            let value = self.evaluate(&keyword.value, scope)?;
            match &keyword.arg {
                Some(name) => args.named.push((Rc::from(name.as_str()), value)),
                None => match self.settled(value)? {
                    Value::Dict(dict) => {
                        for (name, value) in dict.entries() {
                            if let Value::Str(name) = name {
                                args.named.push((name.text, value));
                            }
                        }
                        let open = dict.openness();
                        args.open = args.open.take().or(open);
                    }
                    Value::Unknown(unknown) => args.open = Some(unknown),
                    other => {
                        let place = Place::of(scope.source, &keyword.value);
                        let reason = format!("a {} is spread as keywords", other.type_name());
                        args.open = Some(cause(Some(place), reason));
                    }
                },
            }
        }
        Ok(args)
    }

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
}

fn take_named<'a>(named: &mut Vec<(Rc<str>, Value<'a>)>, name: &str) -> Option<Value<'a>> {
    let at = named.iter().position(|(n, _)| &**n == name)?;
    Some(named.remove(at).1)
}
