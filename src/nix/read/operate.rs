//! Operators, and lists and conditions put together.

use std::rc::Rc;

use rnix::ast::{self, BinOpKind, UnaryOpKind};

use super::value::Env;
use super::{Cond, Item, Reader, Text, Value};

impl Reader<'_> {
    pub(super) fn unary(&self, operation: &ast::UnaryOp, env: &Env) -> Option<Value> {
        let value = self.eval(&operation.expr()?, env);
        match (operation.operator()?, value) {
            (UnaryOpKind::Invert, value) => Some(Value::Bool(value.condition().not())),
            (UnaryOpKind::Negate, Value::Int(number)) => Some(Value::Int(number.checked_neg()?)),
            (UnaryOpKind::Negate, _) => None,
        }
    }

    pub(super) fn binary(&self, operation: &ast::BinOp, env: &Env) -> Option<Value> {
        let left = self.eval(&operation.lhs()?, env);
        let kind = operation.operator()?;
        match (kind, &left) {
            (BinOpKind::And, Value::Bool(c)) if c.is_false() => return Some(left),
            (BinOpKind::Or, Value::Bool(c)) if c.is_true() => return Some(left),
            _ => {}
        }
        let right = self.eval(&operation.rhs()?, env);
        Some(match kind {
            BinOpKind::And => Value::Bool(left.condition().and(&right.condition())),
            BinOpKind::Or => Value::Bool(left.condition().or(&right.condition())),
            BinOpKind::Implication => Value::Bool(left.condition().not().or(&right.condition())),
            BinOpKind::Equal => Value::Bool(equal(&left, &right)),
            BinOpKind::NotEqual => Value::Bool(equal(&left, &right).not()),
            BinOpKind::Concat => {
                let (mut list, more) = (items(left), items(right));
                if !self.afford(list.len() + more.len()) {
                    return None;
                }
                list.extend(more);
                Value::List(list)
            }
            BinOpKind::Update => self.update(left, right),
            BinOpKind::Add => {
                let sum = add(left, right)?;
                if let Value::Str(text) = &sum
                    && !self.afford(text.text.len() / 64)
                {
                    return None;
                }
                sum
            }
            BinOpKind::Less | BinOpKind::LessOrEq | BinOpKind::More | BinOpKind::MoreOrEq => {
                match (&left, &right) {
                    (Value::Int(a), Value::Int(b)) => Value::bool(match kind {
                        BinOpKind::Less => a < b,
                        BinOpKind::LessOrEq => a <= b,
                        BinOpKind::More => a > b,
                        _ => a >= b,
                    }),
                    _ => return None,
                }
            }
            BinOpKind::PipeRight => self.apply(&right, left),
            BinOpKind::PipeLeft => self.apply(&left, right),
            BinOpKind::Sub | BinOpKind::Mul | BinOpKind::Div => match (left, right) {
                (Value::Int(a), Value::Int(b)) => Value::Int(match kind {
                    BinOpKind::Sub => a.checked_sub(b)?,
                    BinOpKind::Mul => a.checked_mul(b)?,
                    _ => a.checked_div(b)?,
                }),
                _ => return None,
            },
        })
    }

    /// One set updated with another (`//`), as far as they are known.
    pub fn update(&self, left: Value, right: Value) -> Value {
        match (left, right) {
            (Value::Set(a), Value::Set(b)) => Value::Set(a.updated(&b)),
            // what is added where a condition holds: known members stay, others may come
            (Value::Set(a), Value::If(cond, yes, no)) => {
                let with = |value: &Value| match value {
                    Value::Set(b) => Value::Set(a.updated(b)),
                    other => Value::Unknown(other.written().into()),
                };
                Value::If(cond, Rc::new(with(&yes)), Rc::new(with(&no)))
            }
            (_, right @ Value::Set(_)) => {
                // members of the left side are not known, those of the right are
                match right {
                    Value::Set(set) => Value::Set(opened(&set)),
                    other => other,
                }
            }
            (left, right) => {
                Value::Unknown(format!("{} // {}", left.written(), right.written()).into())
            }
        }
    }
}

/// The same members, and perhaps others.
fn opened(set: &Rc<super::Set>) -> Rc<super::Set> {
    Rc::new(super::Set {
        entries: set.entries.clone(),
        env: set.env.clone(),
        outer: set.outer.clone(),
        open: true,
        is_final: set.is_final,
    })
}

/// The members of a list, as far as it is one.
pub(super) fn items(value: Value) -> Vec<Item> {
    match value {
        Value::List(items) => items,
        Value::If(cond, yes, no) => {
            let mut list = limited(items(yes.as_ref().clone()), &cond);
            list.extend(limited(items(no.as_ref().clone()), &cond.not()));
            list
        }
        other => vec![Item {
            value: other,
            when: Cond::known(true),
            spread: true,
        }],
    }
}

/// Members that are there only where a condition holds.
pub(super) fn limited(mut items: Vec<Item>, cond: &Cond) -> Vec<Item> {
    for item in &mut items {
        item.when = item.when.and(cond);
    }
    items.retain(|item| !item.when.is_false());
    items
}

fn add(left: Value, right: Value) -> Option<Value> {
    let text = |value: Value| match value {
        Value::Str(text) => text,
        other => Text {
            text: format!("${{{}}}", other.written()),
            exact: false,
        },
    };
    Some(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(b)?),
        (Value::Path(path), Value::Str(text)) if text.exact => {
            Value::Path(super::evaluate::join(&path, &text.text)?.into())
        }
        (Value::Str(a), b) | (b @ Value::If(..), Value::Str(a)) if matches!(b, Value::If(..)) => {
            Value::Str(Text {
                text: a.text,
                exact: false,
            })
        }
        (a @ Value::Str(_), b) | (a, b @ Value::Str(_)) => {
            let (mut a, b) = (text(a), text(b));
            a.text.push_str(&b.text);
            a.exact &= b.exact;
            Value::Str(a)
        }
        _ => return None,
    })
}

/// Whether two values are equal, as far as that can be known.
pub(super) fn equal(left: &Value, right: &Value) -> Cond {
    let system = |name: &str| name.ends_with("Platform.system") || name == "stdenv.system";
    match (left, right) {
        (Value::Null, Value::Null) => Cond::known(true),
        (Value::Int(a), Value::Int(b)) => Cond::known(a == b),
        (Value::Str(a), Value::Str(b)) if a.exact && b.exact => Cond::known(a.text == b.text),
        (Value::Bool(a), Value::Bool(b)) if b.is_true() => a.clone(),
        (Value::Bool(a), Value::Bool(b)) if b.is_false() => a.not(),
        (Value::Symbol(name), Value::Str(text)) | (Value::Str(text), Value::Symbol(name))
            if text.exact && system(name) =>
        {
            Cond::system(&text.text)
        }
        // an argument that callPackage found is never null
        (Value::Null, other) | (other, Value::Null)
            if !matches!(other, Value::Unknown(_) | Value::If(..)) =>
        {
            Cond::known(false)
        }
        _ => Cond::open(format!("{} == {}", left.written(), right.written())),
    }
}
