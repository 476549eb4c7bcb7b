//! Lists, sets and dictionaries as they are written: displays, comprehensions, `**` and `update`.

use std::rc::Rc;

use ruff_python_ast::{Comprehension, Expr};

use super::interpreter::{Eval, Interpreter, cause};
use super::source::Place;
use super::value::{Dict, Kind, Scope, Unknown, Value};

impl<'a> Interpreter<'a> {
    /// The elements of a display; stars are spread.
    pub fn elements(
        &mut self,
        exprs: &'a [Expr],
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, (Vec<Value<'a>>, Option<Unknown<'a>>)> {
        let mut items = Vec::with_capacity(exprs.len());
        let mut open = None;
        for expr in exprs {
            let value = self.evaluate(expr, scope)?;
            if matches!(expr, Expr::Starred(_)) {
                let value = self.settled(value)?;
                let (more, rest) = self.iterate(&value, Some(Place::of(scope.source, expr)))?;
                items.extend(more);
                open = open.or(rest);
            } else {
                items.push(value);
            }
        }
        Ok((items, open))
    }

    /// A set of values; what cannot be hashed leaves it open.
    pub fn make_set(&mut self, items: Vec<Value<'a>>, open: Option<Unknown<'a>>) -> Eval<'a> {
        let set = Dict::default();
        *set.open.borrow_mut() = open;
        for item in items {
            let item = self.settled(item)?;
            self.put(&set, item, Value::None);
        }
        Ok(Value::Set(Rc::new(set)))
    }

    /// Sets a key; an unknown key leaves the dictionary open.
    pub fn put(&mut self, dict: &Dict<'a>, key: Value<'a>, value: Value<'a>) {
        match key.key() {
            Some(hashed) => {
                if let (Some(mirrored), Value::Str(name)) = (&*dict.mirror.borrow(), &key) {
                    mirrored.set(&name.text, value.clone());
                }
                dict.set(hashed, key, value);
            }
            None => {
                let unknown = match key {
                    Value::Unknown(unknown) => unknown,
                    other => cause(value.place(), format!("a {} is the key", other.type_name())),
                };
                dict.open.borrow_mut().get_or_insert(unknown);
            }
        }
    }

    /// A dictionary display; `**` entries are spread.
    pub fn dict_display(
        &mut self,
        dict: &'a ruff_python_ast::ExprDict,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a> {
        let made = Dict::default();
        for item in &dict.items {
            let value = self.evaluate(&item.value, scope)?;
            match &item.key {
                Some(key) => {
                    let key = self.evaluate(key, scope)?;
                    let key = self.settled(key)?;
                    self.put(&made, key, value);
                }
                None => self.update_dict(&made, &value)?,
            }
        }
        Ok(Value::Dict(Rc::new(made)))
    }

    /// `dict.update(other)`
    pub fn update_dict(&mut self, dict: &Dict<'a>, other: &Value<'a>) -> Eval<'a, ()> {
        let other = self.settled(other.clone())?;
        match &other {
            Value::Dict(more) => {
                self.allocate(more.len() * 64)?;
                for (key, value) in more.entries() {
                    self.put(dict, key, value);
                }
                if let Some(unknown) = more.openness() {
                    dict.open.borrow_mut().get_or_insert(unknown);
                }
            }
            Value::Unknown(unknown) => {
                dict.open.borrow_mut().get_or_insert(unknown.clone());
            }
            Value::List(_) | Value::Tuple(_) => {
                let (pairs, open) = self.iterate(&other, None)?;
                for pair in pairs {
                    let (pair, _) = self.iterate(&pair, None)?;
                    if let [key, value] = pair.as_slice() {
                        let key = self.settled(key.clone())?;
                        self.put(dict, key, value.clone());
                    }
                }
                if let Some(unknown) = open {
                    dict.open.borrow_mut().get_or_insert(unknown);
                }
            }
            Value::None => {}
            other => {
                let unknown = cause(
                    None,
                    format!("a dictionary is updated with a {}", other.type_name()),
                );
                dict.open.borrow_mut().get_or_insert(unknown);
            }
        }
        Ok(())
    }

    /// The elements of a comprehension, in pairs with the values of a dictionary's.
    #[allow(
        clippy::type_complexity,
        reason = "pairs of an element and, for dictionaries, its value"
    )]
    pub fn comprehend(
        &mut self,
        generators: &'a [Comprehension],
        element: &'a Expr,
        value: Option<&'a Expr>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, (Vec<(Value<'a>, Value<'a>)>, Option<Unknown<'a>>)> {
        let inner = Scope::inner(scope, Kind::Comprehension);
        let inner = self.scope(inner);
        let mut found = Vec::new();
        let mut open = None;
        self.comprehend_into(generators, (element, value), &inner, &mut found, &mut open)?;
        Ok((found, open))
    }

    fn comprehend_into(
        &mut self,
        generators: &'a [Comprehension],
        wanted: (&'a Expr, Option<&'a Expr>),
        scope: &Rc<Scope<'a>>,
        found: &mut Vec<(Value<'a>, Value<'a>)>,
        open: &mut Option<Unknown<'a>>,
    ) -> Eval<'a, ()> {
        let Some((generator, rest)) = generators.split_first() else {
            let element = self.evaluate(wanted.0, scope)?;
            let value = match wanted.1 {
                Some(value) => self.evaluate(value, scope)?,
                None => Value::None,
            };
            self.allocate(64)?;
            found.push((element, value));
            return Ok(());
        };
        let iterated = self.evaluate(&generator.iter, scope)?;
        let iterated = self.settled(iterated)?;
        let place = Place::of(scope.source, &generator.iter);
        let (items, more) = self.iterate(&iterated, Some(place))?;
        if open.is_none() {
            *open = more;
        }
        'items: for item in items {
            self.step()?;
            self.assign(&generator.target, item, scope)?;
            for condition in &generator.ifs {
                let condition = self.evaluate(condition, scope)?;
                if let Value::Unknown(unknown) = &condition {
                    // The element may or may not be there.
                    open.get_or_insert_with(|| unknown.clone());
                    continue 'items;
                }
                if !self.truth(&condition)? {
                    continue 'items;
                }
            }
            self.comprehend_into(rest, wanted, scope, found, open)?;
        }
        Ok(())
    }
}

/// The elements of what a comprehension found.
pub fn firsts<'a>(pairs: Vec<(Value<'a>, Value<'a>)>) -> Vec<Value<'a>> {
    pairs.into_iter().map(|(first, _)| first).collect()
}
