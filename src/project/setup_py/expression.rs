//! Expressions.

use std::cell::RefCell;
use std::rc::Rc;

use ruff_python_ast::{BoolOp, Expr, ExprLambda, Number, Parameters, UnaryOp};

use super::display::firsts;
use super::interpreter::{Eval, Interpreter, unknown};
use super::limits;
use super::source::Place;
use super::target;
use super::value::{Body, Dict, Function, Kind, Scope, Value};

impl<'a> Interpreter<'a> {
    /// The value of an expression.
    pub fn evaluate(&mut self, expr: &'a Expr, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        self.step()?;
        self.nesting += 1;
        let result = if self.nesting > limits::NESTING {
            Err(self.halt("it is nested deeper than is followed"))
        } else {
            self.expression(expr, scope)
        };
        self.nesting -= 1;
        result
    }

    fn expression(&mut self, expr: &'a Expr, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let place = Place::of(scope.source, expr);
        match expr {
            Expr::StringLiteral(s) => Ok(literal(s, place)),
            Expr::BytesLiteral(b) => {
                let bytes: Vec<u8> = b.value.bytes().collect();
                Ok(Value::Bytes(Rc::from(bytes), Some(place)))
            }
            Expr::NumberLiteral(n) => Ok(match &n.value {
                Number::Int(i) => i
                    .as_i64()
                    .map_or_else(|| unknown(place, "the number is too large"), Value::Int),
                Number::Float(f) => Value::Float(*f),
                Number::Complex { .. } => unknown(place, "complex numbers are not followed"),
            }),
            Expr::BooleanLiteral(b) => Ok(Value::Bool(b.value)),
            Expr::NoneLiteral(_) => Ok(Value::None),
            Expr::EllipsisLiteral(_) => Ok(Value::native("Ellipsis")),
            Expr::Name(name) => self.name(&name.id, scope, place),
            Expr::List(list) => {
                let (items, open) = self.elements(&list.elts, scope)?;
                Ok(Value::open_list(items, open))
            }
            Expr::Tuple(tuple) => {
                let (items, open) = self.elements(&tuple.elts, scope)?;
                Ok(match open {
                    None => Value::tuple(items),
                    open => Value::open_list(items, open),
                })
            }
            Expr::Set(set) => {
                let (items, open) = self.elements(&set.elts, scope)?;
                self.make_set(items, open)
            }
            Expr::Dict(dict) => self.dict_display(dict, scope),
            Expr::BoolOp(b) => self.bool_op(b.op, &b.values, scope),
            Expr::Named(named) => {
                let value = self.evaluate(&named.value, scope)?;
                self.assign(&named.target, value.clone(), scope)?;
                Ok(value)
            }
            Expr::BinOp(b) => {
                let left = self.evaluate(&b.left, scope)?;
                let right = self.evaluate(&b.right, scope)?;
                self.binary(left, b.op, right, place)
            }
            Expr::UnaryOp(u) => {
                let operand = self.evaluate(&u.operand, scope)?;
                self.unary(u.op, operand, place)
            }
            Expr::Lambda(lambda) => self.lambda(lambda, scope),
            Expr::If(s) => {
                let test = self.evaluate(&s.test, scope)?;
                if self.truth(&test)? {
                    self.evaluate(&s.body, scope)
                } else {
                    self.evaluate(&s.orelse, scope)
                }
            }
            Expr::ListComp(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                Ok(Value::open_list(firsts(items), open))
            }
            Expr::Generator(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                Ok(Value::open_list(firsts(items), open))
            }
            Expr::SetComp(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                self.make_set(firsts(items), open)
            }
            Expr::DictComp(c) => {
                let key = c.key.as_deref().unwrap_or(&c.value);
                let (items, open) = self.comprehend(&c.generators, key, Some(&c.value), scope)?;
                let dict = Dict::default();
                *dict.open.borrow_mut() = open;
                for (key, value) in items {
                    self.put(&dict, key, value);
                }
                Ok(Value::Dict(Rc::new(dict)))
            }
            Expr::Compare(c) => {
                let mut left = self.evaluate(&c.left, scope)?;
                let mut result = Value::Bool(true);
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    let right = self.evaluate(right, scope)?;
                    result = self.compare(&left, *op, &right, place)?;
                    if c.ops.len() > 1 && !self.truth(&result)? {
                        return Ok(result);
                    }
                    left = right;
                }
                Ok(result)
            }
            Expr::Call(call) => self.call_expression(call, scope, place),
            Expr::FString(f) => self.f_string(f, scope, place),
            Expr::Attribute(a) => {
                let object = self.evaluate(&a.value, scope)?;
                self.attribute(&object, &a.attr, place)
            }
            Expr::Subscript(s) => {
                let object = self.evaluate(&s.value, scope)?;
                let index = self.evaluate(&s.slice, scope)?;
                self.item(&object, &index, place)
            }
            Expr::Slice(s) => {
                let mut parts = [Value::None, Value::None, Value::None];
                for (part, expr) in parts.iter_mut().zip([&s.lower, &s.upper, &s.step]) {
                    if let Some(expr) = expr {
                        *part = self.evaluate(expr, scope)?;
                    }
                }
                Ok(Value::Slice(Rc::new(parts)))
            }
            Expr::Starred(s) => self.evaluate(&s.value, scope),
            Expr::Yield(y) => {
                let value = match &y.value {
                    Some(value) => self.evaluate(value, scope)?,
                    None => Value::None,
                };
                if let Some(yielded) = self.yielded.last_mut() {
                    yielded.push(value);
                }
                Ok(Value::None)
            }
            Expr::YieldFrom(y) => {
                let value = self.evaluate(&y.value, scope)?;
                let (items, open) = self.iterate(&value, Some(place))?;
                if let Some(yielded) = self.yielded.last_mut() {
                    yielded.extend(items);
                    yielded.extend(open.map(Value::Unknown));
                }
                Ok(Value::None)
            }
            Expr::Await(_) | Expr::TString(_) | Expr::IpyEscapeCommand(_) => {
                Ok(unknown(place, "this expression is not followed"))
            }
        }
    }

    fn name(&mut self, name: &str, scope: &Rc<Scope<'a>>, place: Place<'a>) -> Eval<'a> {
        if name.is_empty() {
            return Ok(unknown(place, "it is not Python 3"));
        }
        let mut at = Some(Rc::clone(scope));
        let mut open = None;
        let mut first = true;
        while let Some(current) = at {
            if first || current.kind != Kind::Class {
                if let Some(elsewhere) = current.elsewhere.borrow().get(name)
                    && let Some(value) = elsewhere.own(name)
                {
                    return Ok(value);
                }
                if let Some(value) = current.own(name) {
                    return Ok(value);
                }
                if open.is_none() {
                    open = current.open.borrow().clone();
                }
            }
            first = false;
            at = current.outer.clone();
        }
        if let Some(unknown) = open {
            return Ok(Value::Unknown(unknown));
        }
        if let Some(value) = self.builtin_name(name) {
            return Ok(value);
        }
        self.raise(
            "NameError",
            &format!("name '{name}' is not defined"),
            Some(place),
        )
    }

    fn bool_op(&mut self, op: BoolOp, values: &'a [Expr], scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let mut result = Value::None;
        let stops_at = op == BoolOp::Or;
        for (index, expr) in values.iter().enumerate() {
            result = self.evaluate(expr, scope)?;
            if index + 1 == values.len() {
                break;
            }
            // Two markers combine without asking for the target.
            if let Value::Marker(marker) = &result
                && let [rest] = values.get(index + 1..).unwrap_or_default()
                && pure(rest)
            {
                let marker = marker.clone();
                let rest = self.evaluate(rest, scope)?;
                if let Some(joined) = join(op, marker.clone(), &rest) {
                    return Ok(joined);
                }
                let first = self.branch(&marker)?;
                return Ok(if first == stops_at {
                    Value::Bool(first)
                } else {
                    rest
                });
            }
            if self.truth(&result)? == stops_at {
                return Ok(match result {
                    Value::Marker(_) => Value::Bool(stops_at),
                    other => other,
                });
            }
        }
        Ok(result)
    }

    fn lambda(&mut self, lambda: &'a ExprLambda, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let parameters = lambda.parameters.as_deref();
        let defaults = match parameters {
            Some(parameters) => self.defaults(parameters, scope)?,
            None => Vec::new(),
        };
        Ok(Value::Function(Rc::new(Function {
            name: "<lambda>",
            parameters,
            body: Body::Expression(&lambda.body),
            defaults,
            scope: Rc::clone(scope),
            generator: false,
            decorator: None,
            class: RefCell::default(),
        })))
    }

    /// Default values of parameters.
    pub fn defaults(
        &mut self,
        parameters: &'a Parameters,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, Vec<Option<Value<'a>>>> {
        parameters
            .iter_non_variadic_params()
            .map(|p| {
                p.default
                    .as_deref()
                    .map(|d| self.evaluate(d, scope))
                    .transpose()
            })
            .collect()
    }

    fn unary(&mut self, op: UnaryOp, operand: Value<'a>, place: Place<'a>) -> Eval<'a> {
        Ok(match (op, operand) {
            (UnaryOp::Not, Value::Marker(marker)) => target::from_marker(marker.negate()),
            (UnaryOp::Not, Value::Unknown(unknown)) => Value::Unknown(unknown),
            (UnaryOp::Not, operand) => Value::Bool(!self.truth(&operand)?),
            (UnaryOp::USub, Value::Int(i)) => Value::Int(i.wrapping_neg()),
            (UnaryOp::USub, Value::Float(f)) => Value::Float(-f),
            (UnaryOp::UAdd, number @ (Value::Int(_) | Value::Float(_))) => number,
            (UnaryOp::Invert, Value::Int(i)) => Value::Int(!i),
            (_, Value::Unknown(unknown)) => Value::Unknown(unknown),
            (_, other) => unknown(
                place,
                format!("the sign of a {} is not followed", other.type_name()),
            ),
        })
    }
}

/// A text literal. Its place is exact where no escape or quote stands between source and value.
fn literal<'a>(s: &'a ruff_python_ast::ExprStringLiteral, place: Place<'a>) -> Value<'a> {
    let text = s.value.to_str();
    let whole = place
        .source
        .file
        .text
        .get(place.start as usize..place.end as usize)
        .unwrap_or_default();
    let exact = whole.find(text).filter(|_| !text.is_empty());
    let place = match exact.and_then(|at| u32::try_from(at).ok()) {
        Some(at) => Place {
            start: place.start + at,
            end: place.start + at + u32::try_from(text.len()).unwrap_or(0),
            exact: true,
            ..place
        },
        None => place,
    };
    Value::text(text, Some(place))
}

/// Whether an expression can be evaluated though Python might skip it.
fn pure(expr: &Expr) -> bool {
    match expr {
        Expr::Compare(c) => pure(&c.left) && c.comparators.iter().all(pure),
        Expr::Name(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) => true,
        Expr::BooleanLiteral(_) => true,
        Expr::Attribute(a) => pure(&a.value),
        Expr::Tuple(t) => t.elts.iter().all(pure),
        Expr::List(t) => t.elts.iter().all(pure),
        Expr::Subscript(s) => pure(&s.value) && pure(&s.slice),
        Expr::Slice(s) => [&s.lower, &s.upper]
            .iter()
            .all(|p| p.as_deref().is_none_or(pure)),
        Expr::UnaryOp(u) => pure(&u.operand),
        Expr::BoolOp(b) => b.values.iter().all(pure),
        _ => false,
    }
}

fn join<'a>(op: BoolOp, first: crate::python::MarkerTree, second: &Value<'a>) -> Option<Value<'a>> {
    let mut joined = first;
    match (op, second) {
        (BoolOp::And, Value::Marker(second)) => joined.and(second.clone()),
        (BoolOp::Or, Value::Marker(second)) => joined.or(second.clone()),
        (BoolOp::And, Value::Bool(true)) | (BoolOp::Or, Value::Bool(false)) => {}
        (BoolOp::And, Value::Bool(false)) => return Some(Value::Bool(false)),
        (BoolOp::Or, Value::Bool(true)) => return Some(Value::Bool(true)),
        _ => return None,
    }
    Some(target::from_marker(joined))
}
