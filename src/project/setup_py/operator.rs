//! Binary operators and comparisons of known values, iteration, subscripts.

use std::cmp::Ordering;
use std::rc::Rc;

use ruff_python_ast::{CmpOp, Operator};

use super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::limits;
use super::source::Place;
use super::target;
use super::value::{Dict, Key, Text, Unknown, Value};

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
                    Some("__pypy__") => target::from_marker(target::is_pypy()),
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

    /// The elements of something that can be iterated, and why there may be more.
    pub fn iterate(
        &mut self,
        value: &Value<'a>,
        place: Option<Place<'a>>,
    ) -> Eval<'a, (Vec<Value<'a>>, Option<Unknown<'a>>)> {
        Ok(match value {
            Value::List(list) => {
                let items = list.items.borrow();
                let rest = items.get(list.next.get()..).unwrap_or_default().to_vec();
                (rest, list.openness())
            }
            Value::Tuple(items) => (items.to_vec(), None),
            Value::Dict(dict) | Value::Set(dict) => {
                let keys = dict.entries().into_iter().map(|(key, _)| key).collect();
                (keys, dict.openness())
            }
            Value::Str(text) => {
                if text.text.len() > limits::ITEMS {
                    return Err(self.halt("it takes more steps than are followed"));
                }
                let chars = text.text.char_indices();
                let chars = chars.map(|(at, c)| Value::Str(text.part(at, at + c.len_utf8())));
                (chars.collect(), None)
            }
            Value::Bytes(bytes, _) => (
                bytes.iter().map(|b| Value::Int(i64::from(*b))).collect(),
                None,
            ),
            Value::File(file) => match self.read_rest(file) {
                Value::Str(text) => (split_lines(&text, true), None),
                Value::Bytes(bytes, _) => {
                    let lines = bytes.split_inclusive(|b| *b == b'\n');
                    (
                        lines.map(|l| Value::Bytes(Rc::from(l), None)).collect(),
                        None,
                    )
                }
                Value::Unknown(unknown) => (Vec::new(), Some(unknown)),
                _ => (Vec::new(), None),
            },
            Value::Unknown(unknown) => (Vec::new(), Some(unknown.clone())),
            Value::Choice(_) | Value::VersionInfo => {
                let settled = self.settled(value.clone())?;
                return self.iterate(&settled, place);
            }
            Value::None | Value::Int(_) | Value::Bool(_) | Value::Float(_) => {
                let what = format!("'{}' object is not iterable", value.type_name());
                return self.raise("TypeError", &what, place);
            }
            Value::Object(object) => {
                if let Some(method) = self.class_attribute(&object.class, "__iter__")
                    && let Some(place) = place
                {
                    let args = Args {
                        pos: vec![value.clone()],
                        ..Args::default()
                    };
                    let made = self.call(method, args, place)?;
                    if !matches!(made, Value::Object(_)) {
                        return self.iterate(&made, Some(place));
                    }
                }
                (
                    Vec::new(),
                    Some(cause(place, "it is iterated in a way that is not followed")),
                )
            }
            other => {
                let reason = format!("iterating a {} is not followed", other.type_name());
                (Vec::new(), Some(cause(place, reason)))
            }
        })
    }

    /// `object[index]`
    pub fn item(&mut self, object: &Value<'a>, index: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        match (object, index) {
            (Value::VersionInfo, _) => self.item(&target::version_info(), index, place),
            (Value::Choice(options), _) => {
                self.each(options, |this, object| this.item(object, index, place))
            }
            (Value::Unknown(u), _) | (_, Value::Unknown(u)) => Ok(Value::Unknown(u.clone())),
            (_, Value::Choice(_) | Value::Marker(_)) => {
                let index = self.settled(index.clone())?;
                self.item(object, &index, place)
            }
            (Value::Native(path), _) if &**path == "os.environ" => {
                let name = index.as_str().unwrap_or_default().to_owned();
                match self.environment_variable(&name, place)? {
                    Value::None => self.raise("KeyError", &name, Some(place)),
                    value => Ok(value),
                }
            }
            (Value::Native(path), Value::Str(name)) if &**path == "sys.modules" => Ok(self
                .modules
                .get(&*name.text)
                .cloned()
                .unwrap_or_else(|| Value::native(&name.text))),
            (
                Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Bytes(..),
                Value::Slice(slice),
            ) => self.slice(object, slice, place),
            (Value::Dict(dict), _) => {
                let Some(key) = index.key() else {
                    return Ok(unknown(place, "the key is not known"));
                };
                if let Some(value) = dict.at(&key) {
                    return Ok(value);
                }
                if let Some(unknown) = dict.openness() {
                    return Ok(Value::Unknown(unknown));
                }
                let factory = dict.factory.borrow().clone();
                if let Some(factory) = factory {
                    let made = self.call(factory, Args::default(), place)?;
                    dict.set(key, index.clone(), made.clone());
                    return Ok(made);
                }
                self.raise("KeyError", index.as_str().unwrap_or("key"), Some(place))
            }
            (Value::List(_) | Value::Tuple(_), _) if as_int(index).is_some() => {
                let (items, open) = match object {
                    Value::List(list) => (list.items.borrow().clone(), list.openness()),
                    other => self.iterate(other, Some(place))?,
                };
                let at = as_int(index).unwrap_or(0);
                if let Some(unknown) = open {
                    return Ok(
                        match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                            Some(item) => item.clone(),
                            None => Value::Unknown(unknown),
                        },
                    );
                }
                match position(at, items.len()).and_then(|at| items.get(at)) {
                    Some(item) => Ok(item.clone()),
                    None => self.raise("IndexError", "index out of range", Some(place)),
                }
            }
            (Value::Str(text), _) if as_int(index).is_some() => {
                let offsets: Vec<usize> = text.text.char_indices().map(|(at, _)| at).collect();
                let at = position(as_int(index).unwrap_or(0), offsets.len());
                match at.and_then(|at| Some((*offsets.get(at)?, offsets.get(at + 1).copied()))) {
                    Some((from, to)) => {
                        Ok(Value::Str(text.part(from, to.unwrap_or(text.text.len()))))
                    }
                    None => self.raise("IndexError", "index out of range", Some(place)),
                }
            }
            (Value::Match(_), _) => {
                let args = Args {
                    pos: vec![index.clone()],
                    ..Args::default()
                };
                let method = Value::Method(Rc::new((object.clone(), Rc::from("group"))));
                self.call(method, args, place)
            }
            (Value::Object(instance), _) => {
                if let Some(method) = self.class_attribute(&instance.class, "__getitem__") {
                    let args = Args {
                        pos: vec![object.clone(), index.clone()],
                        ..Args::default()
                    };
                    return self.call(method, args, place);
                }
                self.native_item(object, index, place)
            }
            (Value::None | Value::Int(_) | Value::Bool(_), _) => {
                let what = format!("'{}' object is not subscriptable", object.type_name());
                self.raise("TypeError", &what, Some(place))
            }
            // Type expressions such as `List[str]`.
            (Value::Native(_) | Value::Class(_), _) => Ok(object.clone()),
            _ => Ok(unknown(
                place,
                format!("an element of a {} is not followed", object.type_name()),
            )),
        }
    }

    fn slice(&mut self, object: &Value<'a>, slice: &[Value<'a>; 3], place: Place<'a>) -> Eval<'a> {
        if let Some(unknown) = slice.iter().find_map(|v| v.unknown_within(1)) {
            return Ok(Value::Unknown(unknown));
        }
        let [lower, upper, step] = slice;
        let step = as_int(step).unwrap_or(1);
        let length = match object {
            Value::Str(text) => text.text.chars().count(),
            Value::Bytes(bytes, _) => bytes.len(),
            Value::Tuple(items) => items.len(),
            Value::List(list) => {
                if let Some(unknown) = list.openness() {
                    return Ok(Value::Unknown(unknown));
                }
                list.items.borrow().len()
            }
            _ => 0,
        };
        let picked = slice_positions(as_int(lower), as_int(upper), step, length);
        if step == 0 {
            return self.raise("ValueError", "slice step cannot be zero", Some(place));
        }
        self.allocate(picked.len() * 8)?;
        Ok(match object {
            Value::Str(text) => {
                let mut offsets: Vec<usize> = text.text.char_indices().map(|(at, _)| at).collect();
                offsets.push(text.text.len());
                let at = |index: usize| offsets.get(index).copied().unwrap_or(0);
                match (picked.first(), picked.last()) {
                    (Some(first), Some(last)) if step == 1 => {
                        Value::Str(text.part(at(*first), at(*last + 1)))
                    }
                    (Some(_), Some(_)) => {
                        let parts = picked.iter().map(|i| text.text.get(at(*i)..at(*i + 1)));
                        Value::text(
                            parts.flatten().collect::<String>(),
                            text.place.map(|p| Place { exact: false, ..p }),
                        )
                    }
                    _ => Value::text("", text.place),
                }
            }
            Value::Bytes(bytes, p) => {
                let picked: Vec<u8> = picked
                    .iter()
                    .filter_map(|i| bytes.get(*i).copied())
                    .collect();
                Value::Bytes(Rc::from(picked), *p)
            }
            Value::Tuple(items) => Value::Tuple(
                picked
                    .iter()
                    .filter_map(|i| items.get(*i).cloned())
                    .collect(),
            ),
            Value::List(list) => {
                let items = list.items.borrow();
                Value::list(
                    picked
                        .iter()
                        .filter_map(|i| items.get(*i).cloned())
                        .collect(),
                )
            }
            other => other.clone(),
        })
    }

    /// `object[index] = value`
    pub fn set_item(
        &mut self,
        object: &Value<'a>,
        index: Value<'a>,
        value: Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let index = self.settled(index)?;
        match (object, &index) {
            (Value::Dict(dict), _) => {
                self.allocate(64)?;
                self.put(dict, index, value);
            }
            (Value::List(list), Value::Int(at)) => {
                let length = list.items.borrow().len();
                let open = list.open.borrow().is_some();
                match position(*at, length) {
                    Some(at) => {
                        if let Some(slot) = list.items.borrow_mut().get_mut(at) {
                            *slot = value;
                        }
                    }
                    None if open => {}
                    None => return self.raise("IndexError", "index out of range", Some(place)),
                }
            }
            (Value::List(list), Value::Slice(slice)) => {
                let length = list.items.borrow().len();
                let [lower, upper, _] = &**slice;
                let picked = slice_positions(as_int(lower), as_int(upper), 1, length);
                let start = picked.first().copied().unwrap_or_else(|| {
                    as_int(lower)
                        .and_then(|l| usize::try_from(l).ok())
                        .unwrap_or(0)
                        .min(length)
                });
                let (items, open) = self.iterate(&value, Some(place))?;
                list.items
                    .borrow_mut()
                    .splice(start..start + picked.len(), items);
                if let Some(unknown) = open {
                    list.open.borrow_mut().get_or_insert(unknown);
                }
            }
            (Value::List(list), _) => {
                let unknown = cause(Some(place), "which element is set is not known");
                list.open.borrow_mut().get_or_insert(unknown);
            }
            (Value::Native(path), Value::Str(name)) if &**path == "os.environ" => {
                self.environment.insert(name.text.to_string(), value);
            }
            (Value::Object(instance), _) => {
                if let Some(method) = self.class_attribute(&instance.class, "__setitem__") {
                    let args = Args {
                        pos: vec![object.clone(), index, value],
                        ..Args::default()
                    };
                    self.call(method, args, place)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `del object[index]`
    pub fn delete_item(
        &mut self,
        object: &Value<'a>,
        index: Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let index = self.settled(index)?;
        match (object, &index) {
            (Value::Dict(dict), _) => {
                let Some(key) = index.key() else {
                    return Ok(());
                };
                if dict.remove(&key).is_none() && dict.open.borrow().is_none() {
                    return self.raise("KeyError", "key", Some(place));
                }
            }
            (Value::List(list), Value::Int(at)) => {
                let length = list.items.borrow().len();
                match position(*at, length) {
                    Some(at) => drop(list.items.borrow_mut().remove(at)),
                    None => return self.raise("IndexError", "index out of range", Some(place)),
                }
            }
            (Value::List(list), Value::Slice(slice)) => {
                let [lower, upper, step] = &**slice;
                let length = list.items.borrow().len();
                let picked = slice_positions(
                    as_int(lower),
                    as_int(upper),
                    as_int(step).unwrap_or(1),
                    length,
                );
                let mut index = 0;
                list.items.borrow_mut().retain(|_| {
                    index += 1;
                    !picked.contains(&(index - 1))
                });
            }
            _ => {}
        }
        Ok(())
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
}

/// An integer or boolean as an integer.
pub fn as_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        _ => None,
    }
}

/// Python's index, negative from the end, as a position.
pub fn position(at: i64, length: usize) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length_signed } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// The positions that a slice picks.
pub fn slice_positions(
    lower: Option<i64>,
    upper: Option<i64>,
    step: i64,
    length: usize,
) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let clamp = |at: i64, low: i64, high: i64| {
        (if at < 0 {
            at.saturating_add(length)
        } else {
            at
        })
        .clamp(low, high)
    };
    let mut picked = Vec::new();
    let (mut at, end) = if step > 0 {
        (
            clamp(lower.unwrap_or(0), 0, length),
            upper.map_or(length, |u| clamp(u, 0, length)),
        )
    } else {
        (
            lower.map_or(length - 1, |l| clamp(l, -1, length - 1)),
            upper.map_or(-1, |u| clamp(u, -1, length - 1)),
        )
    };
    while step != 0 && ((step > 0 && at < end) || (step < 0 && at > end)) {
        picked.extend(usize::try_from(at));
        at = at.saturating_add(step);
    }
    picked
}

/// The lines of a text, each pointing at where it stands.
pub fn split_lines<'a>(text: &Text<'a>, keep_ends: bool) -> Vec<Value<'a>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.text.split_inclusive('\n') {
        let end = start + line.len();
        let shown = if keep_ends {
            end
        } else {
            start + line.trim_end_matches(['\n', '\r']).len()
        };
        lines.push(Value::Str(text.part(start, shown)));
        start = end;
    }
    lines
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
