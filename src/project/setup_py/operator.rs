//! Binary operators: arithmetic, concatenation, repetition, set operations.

use std::rc::Rc;

use ruff_python_ast::Operator;

use super::interpreter::{Args, Eval, Interpreter, unknown};
use super::source::Place;
use super::value::{Dict, Value};

impl<'a> Interpreter<'a> {
    /// `left op= right`: lists, sets and dictionaries change in place.
    pub fn augmented(
        &mut self,
        left: Value<'a>,
        op: Operator,
        right: Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        match (&left, op) {
            (Value::List(list), Operator::Add) => {
                let right = self.settled(right)?;
                let (items, open) = self.iterate(&right, Some(place))?;
                self.allocate(items.len() * 64)?;
                list.items.borrow_mut().extend(items);
                if let Some(unknown) = open {
                    list.open.borrow_mut().get_or_insert(unknown);
                }
                Ok(left)
            }
            (Value::Set(set), Operator::BitOr) => {
                let (items, open) = self.iterate(&right, Some(place))?;
                for item in items {
                    self.put(set, item, Value::None);
                }
                if let Some(unknown) = open {
                    set.open.borrow_mut().get_or_insert(unknown);
                }
                Ok(left)
            }
            (Value::Dict(dict), Operator::BitOr) => {
                self.update_dict(dict, &right)?;
                Ok(left)
            }
            _ => self.binary(left, op, right, place),
        }
    }

    /// `left op right`
    pub fn binary(
        &mut self,
        left: Value<'a>,
        op: Operator,
        right: Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let (Value::Str(_) | Value::Bytes(..), Operator::Mod) = (&left, op) {
            return self.percent_format(&left, &right, place);
        }
        if let Value::Choice(options) = &left {
            return self.each(options, |this, left| {
                this.binary(left.clone(), op, right.clone(), place)
            });
        }
        if let Value::Choice(options) = &right {
            return self.each(options, |this, right| {
                this.binary(left.clone(), op, right.clone(), place)
            });
        }
        let left = self.settled(left)?;
        let right = self.settled(right)?;
        match (&left, op, &right) {
            (Value::List(a), Operator::Add, b) => {
                let (more, rest) = match b {
                    Value::List(_) | Value::Unknown(_) => self.iterate(b, Some(place))?,
                    _ => {
                        return self.raise(
                            "TypeError",
                            "can only concatenate list to list",
                            Some(place),
                        );
                    }
                };
                let mut items = a.items.borrow().clone();
                self.allocate((items.len() + more.len()) * 48)?;
                items.extend(more);
                let open = a.openness().or(rest);
                Ok(Value::open_list(items, open))
            }
            (Value::Unknown(unknown), Operator::Add, Value::List(b)) => {
                let items = b.items.borrow().clone();
                Ok(Value::open_list(items, Some(unknown.clone())))
            }
            (Value::Object(_), _, _) | (_, _, Value::Object(_)) => {
                self.object_binary(&left, op, &right, place)
            }
            (Value::Unknown(unknown), _, _) | (_, _, Value::Unknown(unknown)) => {
                Ok(Value::Unknown(unknown.clone()))
            }
            (Value::Str(a), Operator::Add, Value::Str(b)) => {
                self.allocate(a.text.len() + b.text.len())?;
                let text = format!("{}{}", a.text, b.text);
                Ok(Value::text(
                    text,
                    a.place.or(b.place).map(|p| Place { exact: false, ..p }),
                ))
            }
            (Value::Bytes(a, p), Operator::Add, Value::Bytes(b, _)) => {
                self.allocate(a.len() + b.len())?;
                Ok(Value::Bytes(Rc::from([&**a, &**b].concat()), *p))
            }
            (Value::Tuple(a), Operator::Add, Value::Tuple(b)) => {
                self.allocate((a.len() + b.len()) * 48)?;
                Ok(Value::Tuple(a.iter().chain(b.iter()).cloned().collect()))
            }
            (_, Operator::Mult, Value::Int(n)) => self.repeat(&left, *n, place),
            (Value::Int(n), Operator::Mult, _) => self.repeat(&right, *n, place),
            (Value::Path(a), Operator::Div, b) => match b.as_str() {
                Some(b) => Ok(Value::Path(Rc::from(join_paths(a, b)))),
                None => Ok(unknown(place, "the path is not a text")),
            },
            (Value::Str(a), Operator::Div, Value::Path(b)) => {
                Ok(Value::Path(Rc::from(join_paths(&a.text, b))))
            }
            (Value::Dict(a), Operator::BitOr, Value::Dict(_)) => {
                let joined = a.copy();
                self.update_dict(&joined, &right)?;
                Ok(Value::Dict(Rc::new(joined)))
            }
            (Value::Set(a), _, Value::Set(b)) => Ok(self.set_operation(a, op, b)),
            (
                Value::Int(_) | Value::Float(_) | Value::Bool(_),
                _,
                Value::Int(_) | Value::Float(_) | Value::Bool(_),
            ) => self.arithmetic(&left, op, &right, place),
            _ => {
                let what = format!(
                    "unsupported operand types: {} and {}",
                    left.type_name(),
                    right.type_name()
                );
                match (&left, &right) {
                    (
                        Value::Str(_)
                        | Value::List(_)
                        | Value::Tuple(_)
                        | Value::Int(_)
                        | Value::None,
                        Value::None
                        | Value::Str(_)
                        | Value::Int(_)
                        | Value::Tuple(_)
                        | Value::List(_),
                    ) => self.raise("TypeError", &what, Some(place)),
                    _ => Ok(unknown(place, what)),
                }
            }
        }
    }

    fn object_binary(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let name = match op {
            Operator::Add => "__add__",
            Operator::Mod => "__mod__",
            Operator::Div => "__truediv__",
            Operator::BitOr => "__or__",
            _ => {
                return Ok(unknown(
                    place,
                    "operators of the file's own classes are not followed",
                ));
            }
        };
        if let Value::Object(object) = left
            && let Some(method) = self.class_attribute(&object.class, name)
        {
            let args = Args {
                pos: vec![left.clone(), right.clone()],
                ..Args::default()
            };
            return self.call(method, args, place);
        }
        Ok(unknown(
            place,
            "operators of the file's own classes are not followed",
        ))
    }

    fn repeat(&mut self, value: &Value<'a>, n: i64, place: Place<'a>) -> Eval<'a> {
        let n = usize::try_from(n).unwrap_or(0);
        let length = match value {
            Value::Str(text) => text.text.len(),
            Value::List(list) => list.items.borrow().len() * 48,
            Value::Tuple(items) => items.len() * 48,
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                let n = Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
                return self.arithmetic(value, Operator::Mult, &n, place);
            }
            other => return Ok(unknown(place, format!("a repeated {}", other.type_name()))),
        };
        self.allocate(length.saturating_mul(n))?;
        Ok(match value {
            Value::Str(text) => Value::text(
                text.text.repeat(n),
                text.place.map(|p| Place { exact: false, ..p }),
            ),
            Value::List(list) => {
                let items = list.items.borrow();
                let open = list.openness();
                Value::open_list(
                    items
                        .iter()
                        .cycle()
                        .take(items.len() * n)
                        .cloned()
                        .collect(),
                    open,
                )
            }
            Value::Tuple(items) => Value::Tuple(
                items
                    .iter()
                    .cycle()
                    .take(items.len() * n)
                    .cloned()
                    .collect(),
            ),
            other => other.clone(),
        })
    }

    fn set_operation(&mut self, a: &Dict<'a>, op: Operator, b: &Dict<'a>) -> Value<'a> {
        let made = Dict::default();
        let open = a.openness().or_else(|| b.openness());
        *made.open.borrow_mut() = open;
        let both =
            |key: &Value<'a>, other: &Dict<'a>| key.key().is_some_and(|k| other.at(&k).is_some());
        for (key, _) in a.entries() {
            let keep = match op {
                Operator::BitOr => true,
                Operator::BitAnd => both(&key, b),
                _ => !both(&key, b),
            };
            if keep {
                self.put(&made, key, Value::None);
            }
        }
        if matches!(op, Operator::BitOr | Operator::BitXor) {
            for (key, _) in b.entries() {
                if op == Operator::BitOr || !both(&key, a) {
                    self.put(&made, key, Value::None);
                }
            }
        }
        Value::Set(Rc::new(made))
    }

    #[allow(clippy::cast_precision_loss, reason = "Python's own loss")]
    fn arithmetic(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let too_large = || unknown(place, "the number is too large");
        if let (Some(a), Some(b)) = (as_int(left), as_int(right)) {
            let result = match op {
                Operator::Add => a.checked_add(b),
                Operator::Sub => a.checked_sub(b),
                Operator::Mult => a.checked_mul(b),
                Operator::FloorDiv | Operator::Mod | Operator::Div if b == 0 => {
                    return self.raise("ZeroDivisionError", "division by zero", Some(place));
                }
                Operator::FloorDiv => a.checked_div_euclid(b).filter(|_| b > 0),
                Operator::Mod => a.checked_rem_euclid(b).filter(|_| b > 0),
                Operator::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
                Operator::LShift => u32::try_from(b)
                    .ok()
                    .filter(|b| *b < 62)
                    .and_then(|b| a.checked_mul(1 << b)),
                Operator::RShift => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
                Operator::BitAnd => Some(a & b),
                Operator::BitOr => Some(a | b),
                Operator::BitXor => Some(a ^ b),
                Operator::Div => return Ok(Value::Float(a as f64 / b as f64)),
                Operator::MatMult => None,
            };
            return Ok(result.map_or_else(too_large, Value::Int));
        }
        let number = |v: &Value<'a>| match v {
            Value::Float(f) => *f,
            other => as_int(other).unwrap_or(0) as f64,
        };
        let (a, b) = (number(left), number(right));
        Ok(match op {
            Operator::Add => Value::Float(a + b),
            Operator::Sub => Value::Float(a - b),
            Operator::Mult => Value::Float(a * b),
            Operator::Div if b != 0.0 => Value::Float(a / b),
            _ => unknown(place, "this arithmetic is not followed"),
        })
    }
}

/// An integer or boolean as an integer.
pub fn as_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        _ => None,
    }
}

/// `os.path.join` of two parts.
pub fn join_paths(a: &str, b: &str) -> String {
    if b.starts_with('/') || a.is_empty() {
        b.to_owned()
    } else if a.ends_with('/') {
        format!("{a}{b}")
    } else {
        format!("{a}/{b}")
    }
}
