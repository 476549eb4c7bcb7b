//! Statements.

use std::cell::RefCell;
use std::rc::Rc;

use ruff_python_ast::{
    ExceptHandler, Expr, Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtTry, StmtWhile, StmtWith,
};
use ruff_text_size::Ranged;

use super::interpreter::{Eval, Guard, Interpreter, Stop, cause, exception};
use super::limits;
use super::source::Place;
use super::value::{Body, Class, Function, Kind, Module, Scope, Unknown, Value};

impl<'a> Interpreter<'a> {
    /// Executes statements.
    pub fn block(&mut self, body: &'a [Stmt], scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        self.nesting += 1;
        let result = if self.nesting > limits::NESTING {
            Err(self.halt("it is nested deeper than is followed"))
        } else {
            body.iter().try_for_each(|stmt| self.statement(stmt, scope))
        };
        self.nesting -= 1;
        result
    }

    fn statement(&mut self, stmt: &'a Stmt, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        self.at = Some(Place::of(scope.source, stmt));
        self.step()?;
        self.notice_flaw(stmt, scope);
        match stmt {
            Stmt::Expr(s) => self.evaluate(&s.value, scope).map(drop),
            Stmt::Assign(s) => {
                let value = self.evaluate(&s.value, scope)?;
                for target in &s.targets {
                    self.assign(target, value.clone(), scope)?;
                }
                Ok(())
            }
            Stmt::AnnAssign(s) => match &s.value {
                Some(value) => {
                    let value = self.evaluate(value, scope)?;
                    self.assign(&s.target, value, scope)
                }
                None => Ok(()),
            },
            Stmt::AugAssign(s) => {
                let old = self.evaluate(&s.target, scope)?;
                let value = self.evaluate(&s.value, scope)?;
                let place = Place::of(scope.source, s);
                let new = self.augmented(old, s.op, value, place)?;
                self.assign(&s.target, new, scope)
            }
            Stmt::If(s) => {
                let test = self.evaluate(&s.test, scope)?;
                if self.truth(&test)? {
                    return self.block(&s.body, scope);
                }
                for clause in &s.elif_else_clauses {
                    let taken = match &clause.test {
                        Some(test) => {
                            let test = self.evaluate(test, scope)?;
                            self.truth(&test)?
                        }
                        None => true,
                    };
                    if taken {
                        return self.block(&clause.body, scope);
                    }
                }
                Ok(())
            }
            Stmt::For(s) => self.for_loop(s, scope),
            Stmt::While(s) => self.while_loop(s, scope),
            Stmt::Try(s) => self.try_statement(s, scope),
            Stmt::With(s) => self.with_statement(s, scope),
            Stmt::FunctionDef(s) => self.define_function(s, scope),
            Stmt::ClassDef(s) => self.define_class(s, scope),
            Stmt::Return(s) => {
                let value = match &s.value {
                    Some(value) => self.evaluate(value, scope)?,
                    None => Value::None,
                };
                Err(Stop::Return(value))
            }
            Stmt::Raise(s) => {
                let place = Some(Place::of(scope.source, s));
                let raised = match &s.exc {
                    Some(exc) => self.evaluate(exc, scope)?,
                    None => self
                        .handling
                        .last()
                        .cloned()
                        .unwrap_or_else(|| exception("RuntimeError", "nothing to raise")),
                };
                let raised = match raised {
                    class @ (Value::Native(_) | Value::Class(_)) => self.call(
                        class,
                        super::interpreter::Args::default(),
                        Place::of(scope.source, s),
                    )?,
                    other => other,
                };
                Err(Stop::Raise(raised, place))
            }
            Stmt::Assert(s) => {
                let test = self.evaluate(&s.test, scope)?;
                // Who asserts something unknown believes it.
                let holds = match &test {
                    Value::Unknown(_) => true,
                    test => self.truth(test)?,
                };
                if holds {
                    return Ok(());
                }
                self.raise("AssertionError", "", Some(Place::of(scope.source, s)))
            }
            Stmt::Import(s) => {
                let place = Place::of(scope.source, s);
                for alias in &s.names {
                    self.import_name(&alias.name, alias.asname.as_deref(), scope, place)?;
                }
                Ok(())
            }
            Stmt::ImportFrom(s) => self.import_from(s, scope),
            Stmt::Global(s) => {
                let module = module_scope(scope);
                for name in &s.names {
                    if !Rc::ptr_eq(&module, scope) {
                        let name: Rc<str> = Rc::from(name.as_str());
                        scope
                            .elsewhere
                            .borrow_mut()
                            .insert(name, Rc::clone(&module));
                    }
                }
                Ok(())
            }
            Stmt::Nonlocal(s) => {
                for name in &s.names {
                    let mut at = scope.outer.clone();
                    while let Some(outer) = at {
                        if outer.kind == Kind::Function && outer.own(name).is_some() {
                            scope
                                .elsewhere
                                .borrow_mut()
                                .insert(Rc::from(name.as_str()), outer);
                            break;
                        }
                        at = outer.outer.clone();
                    }
                }
                Ok(())
            }
            Stmt::Delete(s) => s.targets.iter().try_for_each(|t| self.delete(t, scope)),
            Stmt::Break(_) => Err(Stop::Break),
            Stmt::Continue(_) => Err(Stop::Continue),
            Stmt::Match(s) => self.match_statement(s, scope),
            Stmt::Pass(_) | Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => Ok(()),
        }
    }

    /// Remembers the first syntax error in a statement that is executed.
    fn notice_flaw(&mut self, stmt: &'a Stmt, scope: &Rc<Scope<'a>>) {
        if scope.source.errors.is_empty() || self.flaw.is_some() {
            return;
        }
        let range = stmt.range();
        let text = &scope.source.file.text;
        let error = scope.source.errors.iter().find(|error| {
            let between = usize::from(range.end())..usize::from(error.range.start());
            let same_line = text.get(between).is_none_or(|t| !t.contains('\n'));
            !error.harmless && error.range.start() >= range.start() && same_line
        });
        if let Some(error) = error {
            let place = Place {
                source: scope.source,
                start: error.range.start().into(),
                end: error.range.end().into(),
                exact: false,
            };
            let reason = format!("it is not Python 3 (Python 2 source?): {}", error.what);
            self.flaw = Some(cause(Some(place), reason));
        }
    }

    /// Binds a target to a value.
    pub fn assign(
        &mut self,
        target: &'a Expr,
        value: Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, ()> {
        match target {
            Expr::Name(name) => scope.set(&name.id, value),
            Expr::Tuple(tuple) => return self.unpack(&tuple.elts, value, scope),
            Expr::List(list) => return self.unpack(&list.elts, value, scope),
            Expr::Starred(starred) => return self.assign(&starred.value, value, scope),
            Expr::Attribute(attribute) => {
                let object = self.evaluate(&attribute.value, scope)?;
                self.set_attribute(&object, &attribute.attr, value);
            }
            Expr::Subscript(subscript) => {
                let object = self.evaluate(&subscript.value, scope)?;
                let index = self.evaluate(&subscript.slice, scope)?;
                return self.set_item(&object, index, value, Place::of(scope.source, target));
            }
            _ => {}
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        targets: &'a [Expr],
        value: Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, ()> {
        let value = self.settled(value)?;
        let (items, open) = match &value {
            Value::Unknown(unknown) => (Vec::new(), Some(unknown.clone())),
            value => self.iterate(value, None)?,
        };
        if let Some(unknown) = open {
            for target in targets {
                self.assign(target, Value::Unknown(unknown.clone()), scope)?;
            }
            return Ok(());
        }
        let starred = targets.iter().position(|t| matches!(t, Expr::Starred(_)));
        let fits = match starred {
            Some(_) => items.len() + 1 >= targets.len(),
            None => items.len() == targets.len(),
        };
        if !fits {
            return self.raise("ValueError", "wrong number of values to unpack", None);
        }
        let rest = (items.len() + 1).saturating_sub(targets.len());
        let mut items = items.into_iter();
        for (index, target) in targets.iter().enumerate() {
            let value = if Some(index) == starred {
                Value::list(items.by_ref().take(rest).collect())
            } else {
                items.next().unwrap_or(Value::None)
            };
            self.assign(target, value, scope)?;
        }
        Ok(())
    }

    fn delete(&mut self, target: &'a Expr, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        match target {
            Expr::Name(name) => {
                scope.names.borrow_mut().remove(name.id.as_str());
                Ok(())
            }
            Expr::Tuple(tuple) => tuple.elts.iter().try_for_each(|t| self.delete(t, scope)),
            Expr::Subscript(subscript) => {
                let object = self.evaluate(&subscript.value, scope)?;
                let index = self.evaluate(&subscript.slice, scope)?;
                self.delete_item(&object, index, Place::of(scope.source, target))
            }
            _ => Ok(()),
        }
    }

    fn for_loop(&mut self, s: &'a StmtFor, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let iterated = self.evaluate(&s.iter, scope)?;
        let iterated = self.settled(iterated)?;
        let (items, open) =
            self.iterate(&iterated, Some(Place::of(scope.source, s.iter.as_ref())))?;
        for item in items {
            self.step()?;
            self.assign(&s.target, item, scope)?;
            match self.block(&s.body, scope) {
                Err(Stop::Break) => return Ok(()),
                Ok(()) | Err(Stop::Continue) => {}
                Err(stop) => return Err(stop),
            }
        }
        if let Some(unknown) = open
            && self.undecidable(&unknown, true)?
        {
            self.assign(&s.target, Value::Unknown(unknown), scope)?;
            match self.block(&s.body, scope) {
                Err(Stop::Break) => return Ok(()),
                Ok(()) | Err(Stop::Continue) => {}
                Err(stop) => return Err(stop),
            }
        }
        self.block(&s.orelse, scope)
    }

    fn while_loop(&mut self, s: &'a StmtWhile, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let mut unknown_rounds = 0;
        loop {
            self.step()?;
            let test = self.evaluate(&s.test, scope)?;
            if let Value::Unknown(_) = test {
                unknown_rounds += 1;
                if unknown_rounds > 3 {
                    return Ok(());
                }
            }
            if !self.truth(&test)? {
                return self.block(&s.orelse, scope);
            }
            match self.block(&s.body, scope) {
                Err(Stop::Break) => return Ok(()),
                Ok(()) | Err(Stop::Continue) => {}
                Err(stop) => return Err(stop),
            }
        }
    }

    fn try_statement(&mut self, s: &'a StmtTry, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        self.guards.push(Guard {
            handlers: &s.handlers,
            scope: Rc::clone(scope),
        });
        let depth = self.guards.len();
        let mut result = self.block(&s.body, scope);
        self.guards.truncate(depth - 1);
        result = match result {
            Ok(()) => self.block(&s.orelse, scope),
            Err(Stop::Raise(raised, place)) => self.handle(s, raised, place, scope),
            other => other,
        };
        match self.block(&s.finalbody, scope) {
            Ok(()) => result,
            stop => stop,
        }
    }

    fn handle(
        &mut self,
        s: &'a StmtTry,
        raised: Value<'a>,
        place: Option<Place<'a>>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, ()> {
        for handler in &s.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            let caught = match &handler.type_ {
                None => true,
                Some(class) => {
                    // `except ImportError, error` of Python 2 is read as a tuple of both.
                    let class = match &**class {
                        Expr::Tuple(tuple) if !tuple.parenthesized => {
                            tuple.elts.first().unwrap_or(class)
                        }
                        class => class,
                    };
                    let class = self.evaluate(class, scope)?;
                    self.is_instance(&raised, &class).unwrap_or(true)
                }
            };
            if !caught {
                continue;
            }
            if let Some(name) = &handler.name {
                scope.set(name, raised.clone());
            }
            self.handling.push(raised);
            let result = self.block(&handler.body, scope);
            self.handling.pop();
            return result;
        }
        Err(Stop::Raise(raised, place))
    }

    /// Whether one of the `try` statements around would catch an exception of a native class.
    pub fn catches(&mut self, class: &str) -> bool {
        let raised = exception(class, "");
        let guards = self.guards.clone();
        for guard in guards.iter().rev() {
            for handler in guard.handlers {
                let ExceptHandler::ExceptHandler(handler) = handler;
                let Some(wanted) = &handler.type_ else {
                    return true;
                };
                let Ok(wanted) = self.evaluate(wanted, &guard.scope) else {
                    continue;
                };
                if self.is_instance(&raised, &wanted).unwrap_or(true) {
                    return true;
                }
            }
        }
        false
    }

    fn with_statement(&mut self, s: &'a StmtWith, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let mut exits = Vec::new();
        for item in &s.items {
            let context = self.evaluate(&item.context_expr, scope)?;
            let place = Place::of(scope.source, &item.context_expr);
            let entered = match &context {
                Value::Object(object) if matches!(object.class, Value::Class(_)) => {
                    let enter = self.attribute(&context, "__enter__", place)?;
                    let exit = self.attribute(&context, "__exit__", place)?;
                    exits.push((exit, place));
                    self.call(enter, super::interpreter::Args::default(), place)?
                }
                _ => context,
            };
            if let Some(target) = &item.optional_vars {
                self.assign(target, entered, scope)?;
            }
        }
        let result = self.block(&s.body, scope);
        for (exit, place) in exits.into_iter().rev() {
            let args = super::interpreter::Args {
                pos: vec![Value::None, Value::None, Value::None],
                ..super::interpreter::Args::default()
            };
            self.call(exit, args, place)?;
        }
        result
    }

    fn define_function(&mut self, s: &'a StmtFunctionDef, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let mut decorator = None;
        let mut wrappers = Vec::new();
        for entry in &s.decorator_list {
            match &entry.expression {
                Expr::Name(name) if name.id.as_str() == "staticmethod" => {
                    decorator = Some("staticmethod");
                }
                Expr::Name(name) if name.id.as_str() == "classmethod" => {
                    decorator = Some("classmethod");
                }
                Expr::Name(name) if name.id.as_str() == "property" => decorator = Some("property"),
                other => wrappers.push(other),
            }
        }
        let defaults = self.defaults(&s.parameters, scope)?;
        let mut value = Value::Function(Rc::new(Function {
            name: s.name.as_str(),
            parameters: Some(&s.parameters),
            body: Body::Block(&s.body),
            defaults,
            scope: Rc::clone(scope),
            generator: yields(&s.body),
            decorator,
            class: RefCell::default(),
        }));
        for wrapper in wrappers.into_iter().rev() {
            let place = Place::of(scope.source, wrapper);
            let wrapper = self.evaluate(wrapper, scope)?;
            let args = super::interpreter::Args {
                pos: vec![value],
                ..super::interpreter::Args::default()
            };
            value = self.call(wrapper, args, place)?;
        }
        scope.set(&s.name, value);
        Ok(())
    }

    fn define_class(&mut self, s: &'a StmtClassDef, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let mut bases = Vec::new();
        if let Some(arguments) = &s.arguments {
            for base in &arguments.args {
                bases.push(self.evaluate(base, scope)?);
            }
        }
        let body = Scope::inner(scope, Kind::Class);
        let body = self.scope(body);
        self.block(&s.body, &body)?;
        let class = Rc::new(Class {
            name: Rc::from(s.name.as_str()),
            bases,
            scope: Rc::clone(&body),
        });
        for value in body.names.borrow().values() {
            if let Value::Function(function) = value {
                *function.class.borrow_mut() = Some(Rc::clone(&class));
            }
        }
        let mut value = Value::Class(class);
        for entry in s.decorator_list.iter().rev() {
            let place = Place::of(scope.source, &entry.expression);
            let wrapper = self.evaluate(&entry.expression, scope)?;
            if matches!(wrapper, Value::Unknown(_) | Value::Native(_)) {
                continue;
            }
            let args = super::interpreter::Args {
                pos: vec![value],
                ..super::interpreter::Args::default()
            };
            value = self.call(wrapper, args, place)?;
        }
        scope.set(&s.name, value);
        Ok(())
    }

    /// Executes a file as a module and hands back its scope; exceptions leave it half done.
    pub fn run_module(&mut self, module: &Module<'a>) -> Eval<'a, ()> {
        let guards = std::mem::take(&mut self.guards);
        let result = self.block(&module.scope.source.body, &module.scope);
        self.guards = guards;
        result
    }

    /// Marks everything that unknown code could change.
    pub fn taint(&self, value: &Value<'a>, unknown: &Unknown<'a>) {
        match value {
            Value::List(list) => {
                list.open
                    .borrow_mut()
                    .get_or_insert_with(|| unknown.clone());
            }
            Value::Dict(dict) | Value::Set(dict) => {
                dict.open
                    .borrow_mut()
                    .get_or_insert_with(|| unknown.clone());
                for (_, inner) in dict.entries() {
                    if matches!(inner, Value::List(_)) {
                        self.taint(&inner, unknown);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The scope of the module that a scope is in.
pub fn module_scope<'a>(scope: &Rc<Scope<'a>>) -> Rc<Scope<'a>> {
    let mut at = Rc::clone(scope);
    while let Some(outer) = at.outer.clone() {
        at = outer;
    }
    at
}

/// Whether a function's body yields.
fn yields(body: &[Stmt]) -> bool {
    struct Finder(bool);
    impl<'b> ruff_python_ast::visitor::Visitor<'b> for Finder {
        fn visit_stmt(&mut self, stmt: &'b Stmt) {
            if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                ruff_python_ast::visitor::walk_stmt(self, stmt);
            }
        }
        fn visit_expr(&mut self, expr: &'b Expr) {
            match expr {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                expr => ruff_python_ast::visitor::walk_expr(self, expr),
            }
        }
    }
    let mut finder = Finder(false);
    ruff_python_ast::visitor::Visitor::visit_body(&mut finder, body);
    finder.0
}
