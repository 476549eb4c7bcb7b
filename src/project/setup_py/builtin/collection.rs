//! Methods of lists, tuples, dictionaries and sets.

use std::rc::Rc;

use super::super::comparison::equal;
use super::super::element::position;
use super::super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::super::operator::as_int;
use super::super::source::Place;
use super::super::value::{Dict, List, Value};

/// Methods that lists (and iterators, which are lists here) have.
pub const LIST_METHODS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "index",
    "count",
    "sort",
    "reverse",
    "copy",
    "appendleft",
    "popleft",
    "__len__",
    "__iter__",
    "__next__",
    "next",
    "close",
    "__contains__",
    "send",
];
/// Methods that dictionaries have.
pub const DICT_METHODS: &[&str] = &[
    "get",
    "items",
    "keys",
    "values",
    "update",
    "pop",
    "popitem",
    "setdefault",
    "copy",
    "clear",
    "fromkeys",
    "iteritems",
    "itervalues",
    "iterkeys",
    "has_key",
    "__len__",
    "__contains__",
    "__getitem__",
    "__setitem__",
    "move_to_end",
    "most_common",
];
/// Methods that sets have.
pub const SET_METHODS: &[&str] = &[
    "add",
    "discard",
    "remove",
    "update",
    "union",
    "intersection",
    "difference",
    "copy",
    "clear",
    "pop",
    "issubset",
    "issuperset",
    "isdisjoint",
    "symmetric_difference",
    "difference_update",
    "intersection_update",
    "__len__",
    "__contains__",
];

impl<'a> Interpreter<'a> {
    pub(super) fn list_method(
        &mut self,
        list: &Rc<List<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let first = args.pos.first().cloned();
        match (name, first) {
            ("append", Some(value)) => {
                self.allocate(48)?;
                list.items.borrow_mut().push(value);
            }
            ("extend", Some(value)) => {
                let value = self.settled(value)?;
                let (items, open) = self.iterate(&value, Some(place))?;
                self.allocate(items.len() * 48)?;
                list.items.borrow_mut().extend(items);
                if let Some(unknown) = open {
                    list.open.borrow_mut().get_or_insert(unknown);
                }
            }
            ("insert", Some(at)) => {
                let value = args.pos.get(1).cloned().unwrap_or(Value::None);
                let length = list.items.borrow().len();
                let at = as_int(&at).unwrap_or(0);
                let at = position(at, length).unwrap_or(if at < 0 { 0 } else { length });
                self.allocate(48)?;
                list.items.borrow_mut().insert(at, value);
            }
            ("appendleft", Some(value)) => list.items.borrow_mut().insert(0, value),
            ("remove" | "index", Some(value)) => {
                let found = list.items.borrow().iter().position(|v| equal(v, &value, 8));
                let doubt = value
                    .unknown_within(2)
                    .or_else(|| list.openness())
                    .or_else(|| list.items.borrow().iter().find_map(|v| v.unknown_within(1)));
                match (found, doubt, name) {
                    (Some(at), _, "index") => {
                        return Ok(Value::Int(i64::try_from(at).unwrap_or(0)));
                    }
                    (Some(at), _, _) => {
                        list.items.borrow_mut().remove(at);
                    }
                    (None, Some(unknown), "index") => return Ok(Value::Unknown(unknown)),
                    (None, Some(unknown), _) => {
                        list.open.borrow_mut().get_or_insert(unknown);
                    }
                    (None, None, _) => {
                        return self.raise("ValueError", "it is not in the list", Some(place));
                    }
                }
            }
            ("pop" | "popleft", at) => {
                if let Some(unknown) = list.openness() {
                    return Ok(Value::Unknown(unknown));
                }
                let length = list.items.borrow().len();
                let at = if name == "popleft" {
                    0
                } else {
                    at.as_ref().and_then(as_int).unwrap_or(-1)
                };
                return match position(at, length) {
                    Some(at) => Ok(list.items.borrow_mut().remove(at)),
                    None => self.raise("IndexError", "pop index out of range", Some(place)),
                };
            }
            ("clear", _) => {
                list.items.borrow_mut().clear();
                list.open.borrow_mut().take();
            }
            ("count", Some(value)) => {
                let n = list
                    .items
                    .borrow()
                    .iter()
                    .filter(|v| equal(v, &value, 8))
                    .count();
                return Ok(match list.openness() {
                    Some(unknown) => Value::Unknown(unknown),
                    None => Value::Int(i64::try_from(n).unwrap_or(0)),
                });
            }
            ("sort", _) => {
                let items = list.items.borrow().clone();
                let sorted = self.sort(items, None, args, place)?;
                if let Value::List(sorted) = sorted {
                    *list.items.borrow_mut() = sorted.items.borrow().clone();
                }
            }
            ("reverse", _) => list.items.borrow_mut().reverse(),
            ("copy" | "__iter__", _) => {
                let items = list.items.borrow().clone();
                return Ok(Value::open_list(items, list.openness()));
            }
            ("__next__" | "next" | "send", _) => {
                let args = Args {
                    pos: vec![Value::List(Rc::clone(list))],
                    ..Args::default()
                };
                return self.call(Value::native("next"), args, place);
            }
            ("__len__", _) => {
                let args = Args {
                    pos: vec![Value::List(Rc::clone(list))],
                    ..Args::default()
                };
                return self.call(Value::native("len"), args, place);
            }
            ("close", _) => {}
            _ => {
                let reason = format!("`list.{name}` is not followed");
                list.open
                    .borrow_mut()
                    .get_or_insert_with(|| cause(Some(place), reason));
            }
        }
        Ok(Value::None)
    }

    pub(super) fn tuple_method(
        &mut self,
        tuple: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let (items, open) = self.iterate(tuple, Some(place))?;
        let list = Value::open_list(items, open);
        match (&list, name) {
            (Value::List(list), "index" | "count" | "__len__") => {
                self.list_method(list, name, args, place)
            }
            _ => Ok(unknown(place, format!("`tuple.{name}` is not followed"))),
        }
    }

    pub(super) fn dict_method(
        &mut self,
        dict: &Rc<Dict<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let open = dict.openness();
        match name {
            "get" | "pop" | "setdefault" | "has_key" | "__getitem__" | "__contains__" => {
                self.dict_lookup(dict, name, args, place)
            }
            "items" | "iteritems" => {
                let pairs = dict
                    .entries()
                    .into_iter()
                    .map(|(k, v)| Value::tuple(vec![k, v]));
                Ok(Value::open_list(pairs.collect(), open))
            }
            "keys" | "iterkeys" => Ok(Value::open_list(
                dict.entries().into_iter().map(|(k, _)| k).collect(),
                open,
            )),
            "values" | "itervalues" => Ok(Value::open_list(
                dict.entries().into_iter().map(|(_, v)| v).collect(),
                open,
            )),
            "update" => {
                if let Some(first) = args.pos.first() {
                    self.update_dict(dict, first)?;
                }
                for (name, value) in &args.named {
                    dict.set_str(name, value.clone());
                }
                Ok(Value::None)
            }
            "copy" => Ok(Value::Dict(Rc::new(dict.copy()))),
            "clear" => {
                dict.clear();
                dict.open.borrow_mut().take();
                Ok(Value::None)
            }
            "__setitem__" => {
                if let [key, value] = args.pos.as_slice() {
                    self.put(dict, key.clone(), value.clone());
                }
                Ok(Value::None)
            }
            "__len__" => {
                let args = Args {
                    pos: vec![Value::Dict(Rc::clone(dict))],
                    ..Args::default()
                };
                self.call(Value::native("len"), args, place)
            }
            "move_to_end" => Ok(Value::None),
            _ => {
                let unknown = cause(Some(place), format!("`dict.{name}` is not followed"));
                dict.open
                    .borrow_mut()
                    .get_or_insert_with(|| unknown.clone());
                Ok(Value::Unknown(unknown))
            }
        }
    }

    fn dict_lookup(
        &mut self,
        dict: &Rc<Dict<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let Some(key) = args.pos.first().cloned() else {
            return self.raise("TypeError", "an argument is missing", Some(place));
        };
        let key = self.settled(key)?;
        let default = args.at(1, "default").cloned();
        let Some(hashed) = key.key() else {
            let unknown = match key.unknown_within(3) {
                Some(unknown) => unknown,
                None => cause(Some(place), "the key is not known"),
            };
            if matches!(name, "pop" | "setdefault") {
                dict.open
                    .borrow_mut()
                    .get_or_insert_with(|| unknown.clone());
            }
            return Ok(Value::Unknown(unknown));
        };
        let found = if name == "pop" {
            dict.remove(&hashed)
        } else {
            dict.at(&hashed)
        };
        match (found, name) {
            (found, "has_key" | "__contains__") => match (found, dict.openness()) {
                (None, Some(unknown)) => Ok(Value::Unknown(unknown)),
                (found, _) => Ok(Value::Bool(found.is_some())),
            },
            (Some(value), _) => Ok(value),
            (None, _) if dict.openness().is_some() => {
                Ok(dict.openness().map_or(Value::None, Value::Unknown))
            }
            (None, "get") => Ok(default.unwrap_or(Value::None)),
            (None, "setdefault") => {
                let value = default.unwrap_or(Value::None);
                dict.set(hashed, key, value.clone());
                Ok(value)
            }
            (None, _) => match default {
                Some(default) => Ok(default),
                None => self.raise("KeyError", key.as_str().unwrap_or("key"), Some(place)),
            },
        }
    }

    pub(super) fn set_method(
        &mut self,
        set: &Rc<Dict<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let first = args.pos.first().cloned();
        match (name, first) {
            ("add", Some(value)) => {
                self.allocate(64)?;
                let value = self.settled(value)?;
                self.put(set, value, Value::None);
                Ok(Value::None)
            }
            ("discard" | "remove", Some(value)) => {
                let removed = value.key().and_then(|key| set.remove(&key)).is_some();
                if !removed && let Some(unknown) = value.unknown_within(1) {
                    set.open.borrow_mut().get_or_insert(unknown);
                } else if !removed && name == "remove" && set.openness().is_none() {
                    return self.raise("KeyError", "key", Some(place));
                }
                Ok(Value::None)
            }
            ("update" | "union", _) => {
                let made = if name == "update" {
                    Rc::clone(set)
                } else {
                    Rc::new(set.copy())
                };
                for arg in &args.pos {
                    let (items, open) = self.iterate(arg, Some(place))?;
                    for item in items {
                        self.put(&made, item, Value::None);
                    }
                    if let Some(unknown) = open {
                        made.open.borrow_mut().get_or_insert(unknown);
                    }
                }
                Ok(if name == "update" {
                    Value::None
                } else {
                    Value::Set(made)
                })
            }
            (
                "difference"
                | "intersection"
                | "difference_update"
                | "intersection_update"
                | "issubset"
                | "issuperset"
                | "isdisjoint",
                Some(other),
            ) => {
                let (items, open) = self.iterate(&other, Some(place))?;
                if let Some(unknown) = open.or_else(|| set.openness()) {
                    set.open.borrow_mut().get_or_insert_with(|| unknown.clone());
                    return Ok(Value::Unknown(unknown));
                }
                let keys: std::collections::BTreeSet<_> =
                    items.iter().filter_map(Value::key).collect();
                let own: Vec<_> = set
                    .entries()
                    .into_iter()
                    .filter_map(|(k, _)| Some((k.key()?, k)))
                    .collect();
                match name {
                    "issubset" => {
                        return Ok(Value::Bool(own.iter().all(|(k, _)| keys.contains(k))));
                    }
                    "issuperset" => {
                        return Ok(Value::Bool(keys.iter().all(|k| set.at(k).is_some())));
                    }
                    "isdisjoint" => {
                        return Ok(Value::Bool(!own.iter().any(|(k, _)| keys.contains(k))));
                    }
                    _ => {}
                }
                let made = Dict::default();
                for (key, value) in own {
                    if keys.contains(&key) == name.starts_with('i') {
                        made.set(key, value, Value::None);
                    }
                }
                if name.ends_with("_update") {
                    set.clear();
                    for (value, _) in made.entries() {
                        self.put(set, value, Value::None);
                    }
                    return Ok(Value::None);
                }
                Ok(Value::Set(Rc::new(made)))
            }
            ("copy", _) => Ok(Value::Set(Rc::new(set.copy()))),
            ("clear", _) => {
                set.clear();
                Ok(Value::None)
            }
            _ => {
                let unknown = cause(Some(place), format!("`set.{name}` is not followed"));
                set.open.borrow_mut().get_or_insert_with(|| unknown.clone());
                Ok(Value::Unknown(unknown))
            }
        }
    }
}
