//! Iteration, subscripts and slices: reading, setting and deleting elements.

use std::rc::Rc;

use super::interpolation::split_lines;
use super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::limits;
use super::operator::as_int;
use super::source::Place;
use super::target;
use super::value::{Unknown, Value};

impl<'a> Interpreter<'a> {
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
