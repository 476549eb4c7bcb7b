//! The evaluation itself: expressions to values, names to what binds them.

use std::cell::Cell;
use std::rc::Rc;

use rnix::ast::{self, HasEntry};
use rowan::ast::AstNode as _;

use super::value::{Closure, Entries, Env, Frame, Thunk};
use super::{Item, ReadError, Scope, Set, Text, Value, World, parse};

/// How deep evaluations may call each other.
const MAX_DEPTH: u32 = 160;

/// How many expressions one question may evaluate.
const MAX_STEPS: u32 = 200_000;

/// Evaluates texts.
pub struct Reader<'w> {
    pub(super) world: &'w World,
    pub(super) scope: &'w dyn Scope,
    steps: Cell<u32>,
    depth: Cell<u32>,
}

impl<'w> Reader<'w> {
    /// A reader for this world.
    pub fn new(world: &'w World, scope: &'w dyn Scope) -> Self {
        Self {
            world,
            scope,
            steps: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// Evaluates a text that stands in a file: `path` below the tree.
    ///
    /// # Errors
    /// When it is not Nix, or beyond what is read.
    pub fn read(&self, path: &str, text: &str) -> Result<Value, ReadError> {
        let expr = parse(text)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let env = Rc::new(Frame::File {
            folder: folder.into(),
        });
        Ok(self.eval(&expr, &env))
    }

    /// Evaluates a text as a package function, as `callPackage` does: `explicit` are the arguments
    /// that are given, all others are looked up in the package set.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn call_package(
        &self,
        path: &str,
        text: &str,
        explicit: &Rc<Set>,
    ) -> Result<Value, ReadError> {
        let function = self.read(path, text)?;
        Ok(self.call_with_names(&function, explicit))
    }

    /// Calls a package function.
    pub(super) fn call_with_names(&self, function: &Value, explicit: &Rc<Set>) -> Value {
        match function {
            Value::Lambda(closure) => self.call_closure(closure, Argument::Named(explicit)),
            other => other.clone(),
        }
    }

    /// Starts the count of steps again: the next question has its own.
    pub fn refresh(&self) {
        self.steps.set(0);
    }

    /// Whether so much more work may be done; it counts as done.
    pub(super) fn afford(&self, work: usize) -> bool {
        let work = u32::try_from(work).unwrap_or(u32::MAX);
        let steps = self.steps.get().saturating_add(work);
        self.steps.set(steps);
        steps < MAX_STEPS
    }

    /// A member of a set.
    pub fn member(&self, set: &Rc<Set>, name: &str) -> Option<Value> {
        let thunk = set.entries.get(name)?;
        Some(self.force(thunk, name, &set.env, &set.outer))
    }

    fn force(&self, thunk: &Thunk, name: &str, env: &Env, outer: &Env) -> Value {
        match thunk {
            Thunk::Expr(expr) => self.eval(expr, env),
            Thunk::Outer => self.lookup(name, outer),
            Thunk::From(expr) => {
                let from = self.eval(expr, env);
                self.select(&from, name)
                    .unwrap_or_else(|| Value::Unknown(format!("{expr}.{name}").into()))
            }
            Thunk::Sub(entries) => Value::Set(Rc::new(Set {
                entries: entries.clone(),
                env: env.clone(),
                outer: outer.clone(),
                open: false,
                is_final: false,
            })),
            Thunk::Known(value) => value.clone(),
            Thunk::Member(set) => self
                .member(set, name)
                .unwrap_or_else(|| Value::Unknown(name.into())),
        }
    }

    pub(super) fn eval(&self, expr: &ast::Expr, env: &Env) -> Value {
        let depth = self.depth.get();
        let steps = self.steps.get();
        if depth >= MAX_DEPTH || steps >= MAX_STEPS {
            return Value::Unknown("an expression that is too much to read".into());
        }
        self.depth.set(depth + 1);
        self.steps.set(steps + 1);
        let value = self
            .eval_unbounded(expr, env)
            .unwrap_or_else(|| Value::Unknown(short(expr)));
        self.depth.set(depth);
        value
    }

    fn eval_unbounded(&self, expr: &ast::Expr, env: &Env) -> Option<Value> {
        Some(match expr {
            ast::Expr::Paren(paren) => self.eval(&paren.expr()?, env),
            ast::Expr::Root(root) => self.eval(&root.expr()?, env),
            ast::Expr::Ident(ident) => self.lookup(&name_of(ident), env),
            ast::Expr::Literal(literal) => literal_value(literal)?,
            ast::Expr::Str(string) => Value::Str(self.string(string, env)),
            ast::Expr::PathRel(path) => relative_path(&path.syntax().to_string(), env)?,
            ast::Expr::List(list) => Value::List(
                list.items()
                    .map(|item| Item::always(self.eval(&item, env)))
                    .collect(),
            ),
            ast::Expr::AttrSet(set) => self.set(set, set.rec_token().is_some(), env),
            ast::Expr::LetIn(bindings) => {
                let (entries, _) = self.entries(bindings, env);
                let up = env.clone();
                let env = Rc::new(Frame::Rec {
                    entries: Rc::new(entries),
                    up,
                });
                self.eval(&bindings.body()?, &env)
            }
            ast::Expr::With(with) => {
                let frame = Frame::With {
                    of: with.namespace()?,
                    up: env.clone(),
                };
                self.eval(&with.body()?, &Rc::new(frame))
            }
            ast::Expr::Assert(assert) => self.eval(&assert.body()?, env),
            ast::Expr::Lambda(lambda) => Value::Lambda(Rc::new(Closure {
                lambda: lambda.clone(),
                env: env.clone(),
            })),
            ast::Expr::Apply(apply) => {
                let function = self.eval(&apply.lambda()?, env);
                let argument = self.eval(&apply.argument()?, env);
                self.apply(&function, argument)
            }
            ast::Expr::Select(select) => self.select_path(select, env)?,
            ast::Expr::HasAttr(has) => self.has_path(has, env)?,
            ast::Expr::IfElse(branch) => {
                let cond = self.eval(&branch.condition()?, env).condition();
                if cond.is_true() {
                    return Some(self.eval(&branch.body()?, env));
                }
                if cond.is_false() {
                    return Some(self.eval(&branch.else_body()?, env));
                }
                let yes = self.eval(&branch.body()?, env);
                let no = self.eval(&branch.else_body()?, env);
                Value::If(cond, Rc::new(yes), Rc::new(no))
            }
            ast::Expr::BinOp(operation) => self.binary(operation, env)?,
            ast::Expr::UnaryOp(operation) => self.unary(operation, env)?,
            _ => return None,
        })
    }

    // ---- names ----

    pub(super) fn lookup(&self, name: &str, env: &Env) -> Value {
        let mut frame = env;
        loop {
            match frame.as_ref() {
                Frame::Name { name: n, value, .. } if **n == *name => return value.clone(),
                Frame::Fix { name: n, of, .. } if **n == *name => {
                    return self.call_closure(of, Argument::Itself);
                }
                Frame::Rec { entries, up } => {
                    if let Some(thunk) = entries.get(name) {
                        return self.force_deep(thunk, name, frame, up);
                    }
                }
                _ => {}
            }
            match frame.up() {
                Some(up) => frame = up,
                None => break,
            }
        }
        match name {
            "true" => Value::bool(true),
            "false" => Value::bool(false),
            "null" => Value::Null,
            "builtins" | "toString" | "map" | "throw" | "abort" | "import" | "baseNameOf"
            | "dirOf" | "removeAttrs" | "isNull" => Value::symbol(name),
            _ => self
                .lookup_with(name, env)
                .unwrap_or_else(|| self.argument(name)),
        }
    }

    /// Binds count as a step of depth: `let a = a; in a` must end.
    fn force_deep(&self, thunk: &Thunk, name: &str, env: &Env, outer: &Env) -> Value {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Value::Unknown(name.into());
        }
        self.depth.set(depth + 1);
        let value = self.force(thunk, name, env, outer);
        self.depth.set(depth);
        value
    }

    fn lookup_with(&self, name: &str, env: &Env) -> Option<Value> {
        let mut frame = env;
        loop {
            if let Frame::With { of, up } = frame.as_ref() {
                match self.eval(of, up) {
                    Value::Set(set) if set.has(name) => return self.member(&set, name),
                    Value::Set(set) if !set.open => {}
                    Value::Set(_) => return Some(Value::Unknown(name.into())),
                    other => return self.select(&other, name),
                }
            }
            frame = frame.up()?;
        }
    }

    // ---- sets ----

    fn set(&self, node: &ast::AttrSet, recursive: bool, env: &Env) -> Value {
        let (entries, open) = self.entries(node, env);
        let entries = Rc::new(entries);
        let inner = if recursive {
            Rc::new(Frame::Rec {
                entries: entries.clone(),
                up: env.clone(),
            })
        } else {
            env.clone()
        };
        Value::Set(Rc::new(Set {
            entries,
            env: inner,
            outer: env.clone(),
            open,
            is_final: false,
        }))
    }

    /// The members that a set or `let` binds, and whether there are some with names that cannot be
    /// known.
    fn entries(&self, node: &impl HasEntry, env: &Env) -> (Entries, bool) {
        let mut entries = Entries::new();
        let mut open = false;
        for entry in node.entries() {
            match entry {
                ast::Entry::Inherit(inherit) => {
                    let from = inherit.from().and_then(|from| from.expr());
                    for attr in inherit.attrs() {
                        let Some(name) = self.attr_name(&attr, env) else {
                            open = true;
                            continue;
                        };
                        let thunk = from.clone().map_or(Thunk::Outer, Thunk::From);
                        entries.insert(name, thunk);
                    }
                }
                ast::Entry::AttrpathValue(binding) => {
                    let names = binding.attrpath().map(|path| {
                        path.attrs()
                            .map(|attr| self.attr_name(&attr, env))
                            .collect::<Option<Vec<_>>>()
                    });
                    match (names.flatten(), binding.value()) {
                        (Some(names), Some(value)) => self.bind(&mut entries, &names, value, env),
                        _ => open = true,
                    }
                }
            }
        }
        (entries, open)
    }

    fn bind(&self, entries: &mut Entries, names: &[Rc<str>], value: ast::Expr, env: &Env) {
        let Some((first, rest)) = names.split_first() else {
            return;
        };
        if rest.is_empty() && !entries.contains_key(first) {
            entries.insert(first.clone(), Thunk::Expr(value));
            return;
        }
        let mut inner = match entries.get(first) {
            Some(Thunk::Sub(sub)) => sub.as_ref().clone(),
            // `a = { … }; a.b = …;` is one set
            Some(Thunk::Expr(ast::Expr::AttrSet(set))) if set.rec_token().is_none() => {
                self.entries(set, env).0
            }
            _ => Entries::new(),
        };
        if rest.is_empty() {
            if let ast::Expr::AttrSet(set) = &value {
                inner.extend(self.entries(set, env).0);
            }
        } else {
            self.bind(&mut inner, rest, value, env);
        }
        entries.insert(first.clone(), Thunk::Sub(Rc::new(inner)));
    }

    pub(super) fn attr_name(&self, attr: &ast::Attr, env: &Env) -> Option<Rc<str>> {
        match attr {
            ast::Attr::Ident(ident) => Some(name_of(ident).into()),
            ast::Attr::Str(string) => {
                let text = self.string(string, env);
                text.exact.then(|| text.text.into())
            }
            ast::Attr::Dynamic(dynamic) => {
                let value = self.eval(&dynamic.expr()?, env);
                value.as_text().map(Into::into)
            }
        }
    }

    fn select_path(&self, select: &ast::Select, env: &Env) -> Option<Value> {
        let mut value = self.eval(&select.expr()?, env);
        let default = select.default_expr();
        for attr in select.attrpath()?.attrs() {
            let Some(name) = self.attr_name(&attr, env) else {
                return Some(Value::Unknown(short(&ast::Expr::Select(select.clone()))));
            };
            match (self.select(&value, &name), &default) {
                (Some(next), _) => value = next,
                (None, Some(default)) => return Some(self.eval(default, env)),
                (None, None) => return None,
            }
        }
        Some(value)
    }

    /// An attribute of a value; none where it is known to have no such attribute.
    pub(super) fn select(&self, value: &Value, name: &str) -> Option<Value> {
        Some(match value {
            Value::Set(set) => return self.select_member(set, name),
            Value::Symbol(symbol) => self.symbol(symbol, name),
            Value::If(cond, yes, no) => Value::If(
                cond.clone(),
                Rc::new(self.select(yes, name).unwrap_or(Value::Null)),
                Rc::new(self.select(no, name).unwrap_or(Value::Null)),
            ),
            Value::Call(..) => self
                .select_of_call(value, name)
                .unwrap_or_else(|| Value::Select(Rc::new(value.clone()), name.into())),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Str(_) | Value::List(_) => {
                return None;
            }
            other => Value::Select(Rc::new(other.clone()), name.into()),
        })
    }

    fn select_member(&self, set: &Rc<Set>, name: &str) -> Option<Value> {
        if set.is_final && name == "passthru" {
            let Some(Value::Set(passthru)) = self.member(set, name) else {
                return Some(Value::Set(set.clone()));
            };
            return Some(Value::Set(set.updated(&passthru)));
        }
        self.member(set, name).or_else(|| {
            let unknown = || Value::Unknown(name.into());
            let of_package = set.is_final && name == "finalPackage";
            (of_package || set.open).then(unknown)
        })
    }

    fn has_path(&self, has: &ast::HasAttr, env: &Env) -> Option<Value> {
        let mut value = self.eval(&has.expr()?, env);
        for attr in has.attrpath()?.attrs() {
            let name = self.attr_name(&attr, env)?;
            match &value {
                Value::Set(set) if set.has(&name) => value = self.member(set, &name)?,
                Value::Set(set) if !set.open && !set.is_final => return Some(Value::bool(false)),
                _ => return None,
            }
        }
        Some(Value::bool(true))
    }

    // ---- functions ----

    pub(super) fn call_closure(&self, closure: &Rc<Closure>, argument: Argument<'_>) -> Value {
        self.call_closure_checked(closure, argument)
            .unwrap_or_else(|| Value::Unknown("a function".into()))
    }

    fn call_closure_checked(&self, closure: &Rc<Closure>, argument: Argument) -> Option<Value> {
        let up = closure.env.clone();
        let is_final = matches!(argument, Argument::Itself);
        let frame = match closure.lambda.param()? {
            ast::Param::IdentParam(param) => {
                let name: Rc<str> = name_of(&param.ident()?).into();
                match argument {
                    Argument::Value(value) => Frame::Name { name, value, up },
                    Argument::Itself => Frame::Fix {
                        name,
                        of: closure.clone(),
                        up,
                    },
                    Argument::Named(_) => Frame::Name {
                        name,
                        value: Value::symbol(""),
                        up,
                    },
                }
            }
            ast::Param::Pattern(pattern) => self.pattern(&pattern, &argument, up)?,
        };
        let value = self.eval(&closure.lambda.body()?, &Rc::new(frame));
        Some(match value {
            Value::Set(set) if is_final => Value::Set(Rc::new(Set {
                entries: set.entries.clone(),
                env: set.env.clone(),
                outer: set.outer.clone(),
                open: set.open,
                is_final: true,
            })),
            other => other,
        })
    }

    fn pattern(&self, pattern: &ast::Pattern, argument: &Argument<'_>, up: Env) -> Option<Frame> {
        let mut entries = Entries::new();
        let given: Option<&Rc<Set>> = match argument {
            Argument::Value(Value::Set(set)) => Some(set),
            Argument::Named(set) => Some(set),
            _ => None,
        };
        let by_name = matches!(argument, Argument::Named(_));
        for entry in pattern.pat_entries() {
            let name: Rc<str> = name_of(&entry.ident()?).into();
            let thunk = match (given, entry.default()) {
                (Some(set), _) if set.has(&name) => Thunk::Member(set.clone()),
                (_, None) if by_name => Thunk::Known(self.argument(&name)),
                (_, Some(_)) if by_name && self.scope.has(&name) => {
                    Thunk::Known(self.argument(&name))
                }
                (Some(set), Some(default)) if !set.open => Thunk::Expr(default),
                _ => Thunk::Known(Value::Unknown(name.clone())),
            };
            entries.insert(name, thunk);
        }
        if let Some(bind) = pattern.pat_bind() {
            let whole = match (argument, given) {
                (Argument::Named(_), _) => Value::symbol(""),
                (_, Some(set)) => Value::Set(set.clone()),
                _ => Value::Unknown("an argument".into()),
            };
            entries.insert(name_of(&bind.ident()?).into(), Thunk::Known(whole));
        }
        Some(Frame::Rec {
            entries: Rc::new(entries),
            up,
        })
    }

    // ---- strings ----

    fn string(&self, string: &ast::Str, env: &Env) -> Text {
        let mut whole = Text {
            text: String::new(),
            exact: true,
        };
        for part in string.normalized_parts() {
            match part {
                ast::InterpolPart::Literal(text) => whole.text.push_str(&text),
                ast::InterpolPart::Interpolation(interpol) => {
                    let value = interpol.expr().map(|expr| self.eval(&expr, env));
                    match value {
                        Some(Value::Str(text)) => {
                            whole.text.push_str(&text.text);
                            whole.exact &= text.exact;
                        }
                        _ => {
                            whole.text.push_str(&interpol.syntax().to_string());
                            whole.exact = false;
                        }
                    }
                }
            }
        }
        if !self.afford(whole.text.len() / 64) {
            whole.text.truncate(0);
            whole.exact = false;
        }
        whole
    }
}

/// What a function is called with.
pub(super) enum Argument<'a> {
    /// A value.
    Value(Value),
    /// Its own result (`finalAttrs:`).
    Itself,
    /// These, and everything else by name (`callPackage`).
    Named(&'a Rc<Set>),
}

pub(super) fn name_of(ident: &ast::Ident) -> String {
    ident.syntax().text().to_string()
}

/// The expression as written, cut where it is long.
pub(super) fn short(expr: &ast::Expr) -> Rc<str> {
    let text = expr.syntax().text();
    let mut written = String::new();
    let _ = text.try_for_each_chunk(|chunk| {
        let room = 120usize.saturating_sub(written.chars().count());
        written.extend(chunk.chars().take(room));
        if room == 0 { Err(()) } else { Ok(()) }
    });
    let words: Vec<&str> = written.split_whitespace().collect();
    words.join(" ").into()
}

fn literal_value(literal: &ast::Literal) -> Option<Value> {
    Some(match literal.kind() {
        ast::LiteralKind::Integer(number) => Value::Int(number.value().ok()?),
        ast::LiteralKind::Uri(uri) => Value::text(uri.to_string()),
        ast::LiteralKind::Float(_) => return None,
    })
}

/// A path as written, below the tree; none where it leaves the tree or depends on something.
fn relative_path(written: &str, env: &Env) -> Option<Value> {
    if written.contains("${") {
        return None;
    }
    join(&env.folder(), written).map(|path| Value::Path(path.into()))
}

/// A path relative to a folder of the tree; none where it leaves the tree.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
