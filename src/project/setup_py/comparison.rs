//! Comparisons of values, of known ones and of those that depend on the target.

use std::cmp::Ordering;
use std::rc::Rc;

use ruff_python_ast::CmpOp;

use super::interpreter::{Args, Eval, Interpreter, unknown};
use super::limits;
use super::operator::as_int;
use super::source::Place;
use super::target;
use super::value::{Key, Value};

impl<'a> Interpreter<'a> {
    /// A comparison.
    pub fn compare(
        &mut self,
        left: &Value<'a>,
        op: CmpOp,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        match (left, right) {
            (Value::VersionInfo, Value::Tuple(wanted)) if wanted.len() > 2 => {
                if let Some(marker) = target::compare_version(op.as_str(), wanted) {
                    return Ok(target::from_marker(marker));
                }
                self.compare(&target::version_info(), op, right, place)
            }
            (Value::Tuple(wanted), Value::VersionInfo) if wanted.len() > 2 => {
                let mirrored = match op {
                    CmpOp::Lt => CmpOp::Gt,
                    CmpOp::LtE => CmpOp::GtE,
                    CmpOp::Gt => CmpOp::Lt,
                    CmpOp::GtE => CmpOp::LtE,
                    other => other,
                };
                self.compare(right, mirrored, left, place)
            }
            (Value::VersionInfo, _) => self.compare(&target::version_info(), op, right, place),
            (_, Value::VersionInfo) => self.compare(left, op, &target::version_info(), place),
            (Value::Choice(options), _) => {
                self.each(options, |this, left| this.compare(left, op, right, place))
            }
            (_, Value::Choice(options)) => {
                self.each(options, |this, right| this.compare(left, op, right, place))
            }
            _ => self.compare_known(left, op, right, place),
        }
    }

    /// A comparison of values that do not depend on the target.
    pub fn compare_known(
        &mut self,
        left: &Value<'a>,
        op: CmpOp,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        match op {
            CmpOp::In | CmpOp::NotIn => {
                let found = self.contains(left, right, place)?;
                return Ok(match (op, found) {
                    (CmpOp::In, found) => found,
                    (_, Value::Bool(b)) => Value::Bool(!b),
                    (_, Value::Marker(m)) => target::from_marker(m.negate()),
                    (_, other) => other,
                });
            }
            CmpOp::Is | CmpOp::IsNot => {
                let same = match (left, right) {
                    (Value::Unknown(u), _) | (_, Value::Unknown(u)) => {
                        return Ok(Value::Unknown(u.clone()));
                    }
                    (Value::None, Value::None) => true,
                    (Value::None, _) | (_, Value::None) => false,
                    (Value::Bool(a), Value::Bool(b)) => a == b,
                    (Value::Marker(m), Value::Bool(b)) => {
                        let marker = if *b == (op == CmpOp::Is) {
                            m.clone()
                        } else {
                            m.negate()
                        };
                        return Ok(target::from_marker(marker));
                    }
                    (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
                    (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
                    _ => left.key().is_some() && left.key() == right.key(),
                };
                return Ok(Value::Bool(same == (op == CmpOp::Is)));
            }
            _ => {}
        }
        if let (Value::Marker(m), Value::Bool(b)) | (Value::Bool(b), Value::Marker(m)) =
            (left, right)
        {
            let equal = if *b { m.clone() } else { m.negate() };
            return Ok(match op {
                CmpOp::Eq => target::from_marker(equal),
                CmpOp::NotEq => target::from_marker(equal.negate()),
                _ => unknown(place, "booleans are ordered"),
            });
        }
        if let Some(unknown) = left.unknown_within(3).or_else(|| right.unknown_within(3)) {
            return Ok(Value::Unknown(unknown));
        }
        if !left.is_within(limits::COMPARED) || !right.is_within(limits::COMPARED) {
            return Ok(unknown(place, "it is too large to be compared"));
        }
        if let Value::Object(object) = left {
            let name = match op {
                CmpOp::Eq => "__eq__",
                CmpOp::NotEq => "__ne__",
                CmpOp::Lt => "__lt__",
                CmpOp::LtE => "__le__",
                CmpOp::Gt => "__gt__",
                _ => "__ge__",
            };
            if let Some(method) = self.class_attribute(&object.class, name) {
                let args = Args {
                    pos: vec![left.clone(), right.clone()],
                    ..Args::default()
                };
                return self.call(method, args, place);
            }
            if matches!(object.class, Value::Native(_)) {
                return self.compare_native_objects(left, op, right, place);
            }
        }
        if matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            return Ok(Value::Bool(equal(left, right, 8) == (op == CmpOp::Eq)));
        }
        match order(left, right, 8) {
            Some(ordering) => Ok(Value::Bool(match op {
                CmpOp::Lt => ordering == Ordering::Less,
                CmpOp::LtE => ordering != Ordering::Greater,
                CmpOp::Gt => ordering == Ordering::Greater,
                _ => ordering != Ordering::Less,
            })),
            None => match (left, right) {
                (
                    Value::None | Value::Str(_) | Value::Int(_),
                    Value::None | Value::Str(_) | Value::Int(_),
                ) => self.raise("TypeError", "values cannot be ordered", Some(place)),
                _ => Ok(unknown(place, format!("a {} is ordered", left.type_name()))),
            },
        }
    }

    fn contains(&mut self, needle: &Value<'a>, hay: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        match (needle, hay) {
            (_, Value::Unknown(u)) => Ok(Value::Unknown(u.clone())),
            (_, Value::Native(path)) if &**path == "os.environ" => {
                let name = needle.as_str().unwrap_or_default().to_owned();
                Ok(match self.environment_variable(&name, place)? {
                    Value::None => Value::Bool(false),
                    Value::Unknown(u) => Value::Unknown(u),
                    _ => Value::Bool(true),
                })
            }
            (_, Value::Native(path)) if &**path == "sys.builtin_module_names" => {
                Ok(match needle.as_str() {
                    // cffi's run-time part comes with PyPy.
                    Some("__pypy__" | "_cffi_backend") => target::from_marker(target::is_pypy()),
                    _ => unknown(place, "`sys.builtin_module_names` is not followed"),
                })
            }
            (_, Value::Native(path)) if &**path == "sys.modules" => {
                Ok(Value::Bool(needle.as_str().is_some_and(|n| {
                    self.modules.contains_key(n)
                        || matches!(n, "setuptools" | "distutils" | "sys" | "os")
                })))
            }
            (Value::Unknown(u), _) => Ok(Value::Unknown(u.clone())),
            (Value::Str(a), Value::Str(b)) => Ok(Value::Bool(b.text.contains(&*a.text))),
            (Value::Bytes(a, _), Value::Bytes(b, _)) => Ok(Value::Bool(
                a.is_empty() || b.windows(a.len()).any(|w| w == &**a),
            )),
            (_, Value::Dict(dict) | Value::Set(dict)) => {
                let found = needle.key().is_some_and(|key| dict.at(&key).is_some());
                let open = dict.openness();
                Ok(match open {
                    Some(unknown) if !found => Value::Unknown(unknown),
                    _ => Value::Bool(found),
                })
            }
            (_, Value::List(_) | Value::Tuple(_)) => {
                let (items, open) = self.iterate(hay, Some(place))?;
                let mut doubt = open;
                for item in items {
                    self.step()?;
                    match self.compare(needle, CmpOp::Eq, &item, place)? {
                        Value::Bool(true) => return Ok(Value::Bool(true)),
                        Value::Bool(false) => {}
                        Value::Unknown(u) => doubt = doubt.or(Some(u)),
                        other => {
                            if self.truth(&other)? {
                                return Ok(Value::Bool(true));
                            }
                        }
                    }
                }
                Ok(doubt.map_or(Value::Bool(false), Value::Unknown))
            }
            (_, Value::None | Value::Int(_) | Value::Bool(_)) => {
                self.raise("TypeError", "argument is not iterable", Some(place))
            }
            (_, Value::Object(object)) => {
                if let Some(method) = self.class_attribute(&object.class, "__contains__") {
                    let args = Args {
                        pos: vec![hay.clone(), needle.clone()],
                        ..Args::default()
                    };
                    return self.call(method, args, place);
                }
                Ok(unknown(place, "`in` of an object is not followed"))
            }
            _ => Ok(unknown(
                place,
                format!("`in` of a {} is not followed", hay.type_name()),
            )),
        }
    }
}

/// Python's `==` of known values.
pub fn equal<'a>(a: &Value<'a>, b: &Value<'a>, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let all = |a: &[Value<'a>], b: &[Value<'a>]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, depth - 1))
    };
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            Rc::ptr_eq(a, b) || all(&a.items.borrow(), &b.items.borrow())
        }
        (Value::Tuple(a), Value::Tuple(b)) => all(a, b),
        (Value::Dict(a), Value::Dict(b)) | (Value::Set(a), Value::Set(b)) => {
            a.len() == b.len()
                && a.entries().iter().all(|(key, value)| {
                    key.key()
                        .and_then(|k| b.at(&k))
                        .is_some_and(|other| equal(value, &other, depth - 1))
                })
        }
        #[allow(clippy::cast_precision_loss, reason = "Python's own loss")]
        (Value::Float(a), Value::Int(b)) | (Value::Int(b), Value::Float(a)) => *a == *b as f64,
        _ => {
            matches!((a.key(), b.key()), (Some(a), Some(b)) if a == b && !matches!(a, Key::Float(_)))
                || matches!((a, b), (Value::Float(a), Value::Float(b)) if a == b)
        }
    }
}

/// Python's order of known values; none where they cannot be ordered.
#[allow(clippy::cast_precision_loss, reason = "Python's own loss")]
pub fn order<'a>(a: &Value<'a>, b: &Value<'a>, depth: usize) -> Option<Ordering> {
    if depth == 0 {
        return None;
    }
    let sequence = |a: &[Value<'a>], b: &[Value<'a>]| {
        for (a, b) in a.iter().zip(b) {
            if !equal(a, b, depth) {
                return order(a, b, depth - 1);
            }
        }
        Some(a.len().cmp(&b.len()))
    };
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(a.text.cmp(&b.text)),
        (Value::Path(a), Value::Path(b)) => Some(a.cmp(b)),
        (Value::Bytes(a, _), Value::Bytes(b, _)) => Some(a.cmp(b)),
        (Value::Tuple(a), Value::Tuple(b)) => sequence(a, b),
        (Value::List(a), Value::List(b)) => sequence(&a.items.borrow(), &b.items.borrow()),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Float(a), b) => a.partial_cmp(&(as_int(b)? as f64)),
        (a, Value::Float(b)) => (as_int(a)? as f64).partial_cmp(b),
        _ => Some(as_int(a)?.cmp(&as_int(b)?)),
    }
}
