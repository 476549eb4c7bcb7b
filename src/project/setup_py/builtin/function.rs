//! Python's own functions.

use std::rc::Rc;

use ruff_python_ast::{CmpOp, Operator};

use super::super::comparison::order;
use super::super::interpreter::{Args, Eval, Interpreter, Stop, cause, unknown};
use super::super::operator::as_int;
use super::super::source::Place;
use super::super::target;
use super::super::value::{Dict, Text, Value};
use crate::project::setup_py::limits;

impl<'a> Interpreter<'a> {
    pub(super) fn call_function_of_python(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        let first = args.pos.first();
        let value = match (path, first) {
            ("print" | "exit_quietly", _) => Value::None,
            ("exit" | "quit" | "sys.exit" | "os._exit", _) => {
                return self.raise("SystemExit", "exit", Some(place));
            }
            ("len", Some(v)) => self.length(v, place)?,
            ("str" | "unicode", None) => Value::text("", Some(place)),
            ("str", Some(Value::Bytes(bytes, p))) if args.pos.len() > 1 => {
                Value::text(String::from_utf8_lossy(bytes), *p)
            }
            ("str" | "os.fspath", Some(v)) => self.text_from(v, place)?,
            ("repr" | "ascii", Some(v)) => match super::format::repr(v, 6) {
                Some(text) => Value::text(text, Some(place)),
                None => self.not_followed(v, place),
            },
            ("format", Some(v)) => {
                let spec = args.text(1, "format_spec").unwrap_or_default().to_owned();
                self.format_value(v, &spec, place)?
            }
            ("int", Some(v)) => self.int_from(v, args, place)?,
            ("int", None) => Value::Int(0),
            ("float", Some(v)) => self.float_from(v, place)?,
            ("bool", None) => Value::Bool(false),
            ("bool", Some(Value::Marker(m))) => Value::Marker(m.clone()),
            ("bool", Some(Value::Unknown(u))) => Value::Unknown(u.clone()),
            ("bool", Some(v)) => Value::Bool(self.truth(v)?),
            ("list", None) => Value::list(Vec::new()),
            ("list" | "iter" | "builtins.list" | "reversed_list", Some(v)) => {
                let v = self.settled(v.clone())?;
                let (items, open) = self.iterate(&v, Some(place))?;
                Value::open_list(items, open)
            }
            ("tuple", None) => Value::tuple(Vec::new()),
            ("tuple", Some(v)) => match self.iterate(v, Some(place))? {
                (items, None) => Value::tuple(items),
                (items, open) => Value::open_list(items, open),
            },
            ("set" | "frozenset", None) => Value::Set(Rc::new(Dict::default())),
            ("set" | "frozenset", Some(v)) => {
                let v = self.settled(v.clone())?;
                let (items, open) = self.iterate(&v, Some(place))?;
                self.make_set(items, open)?
            }
            ("dict" | "collections.OrderedDict" | "collections.Counter", _) => {
                self.make_dict(args)?
            }
            ("collections.defaultdict", _) => {
                let dict = Dict::default();
                *dict.factory.borrow_mut() = first.cloned();
                if let Some(v) = args.pos.get(1) {
                    self.update_dict(&dict, v)?;
                }
                Value::Dict(Rc::new(dict))
            }
            ("bytes" | "bytearray", Some(Value::Str(text))) => {
                Value::Bytes(Rc::from(text.text.as_bytes()), text.place)
            }
            ("bytes" | "bytearray", Some(Value::Bytes(b, p))) => Value::Bytes(Rc::clone(b), *p),
            ("type", Some(v)) if args.pos.len() == 1 => match v {
                Value::Object(object) => object.class.clone(),
                Value::Unknown(u) => Value::Unknown(u.clone()),
                v => Value::native(v.type_name()),
            },
            ("type", _) => unknown(place, "classes made by `type()` are not followed"),
            ("isinstance", Some(v)) => match args.pos.get(1) {
                Some(class) => match (v, self.is_instance(v, class)) {
                    (_, Some(b)) => Value::Bool(b),
                    (Value::Unknown(u), None) => Value::Unknown(u.clone()),
                    _ => unknown(place, "whether it is an instance is not known"),
                },
                None => return Ok(None),
            },
            ("issubclass", Some(v)) => match args.pos.get(1).and_then(|c| self.is_subclass(v, c)) {
                Some(b) => Value::Bool(b),
                None => unknown(place, "whether it is a subclass is not known"),
            },
            ("callable", Some(v)) => Value::Bool(matches!(
                v,
                Value::Function(_)
                    | Value::Native(_)
                    | Value::Method(_)
                    | Value::Bound(_)
                    | Value::Class(_)
            )),
            ("hasattr", Some(v)) => {
                self.has_attribute(v, args.text(1, "name").unwrap_or_default(), place)?
            }
            ("getattr", Some(v)) => return self.get_attribute(v, args, place).map(Some),
            ("setattr", Some(v)) => {
                if let (Some(name), Some(value)) = (args.text(1, "name"), args.pos.get(2)) {
                    self.set_attribute(v, name, value.clone());
                }
                Value::None
            }
            ("delattr", _) => Value::None,
            ("range", Some(_)) => self.range(args, place)?,
            ("enumerate", Some(v)) => {
                let (items, open) = self.iterate(v, Some(place))?;
                let start = args.at(1, "start").and_then(as_int).unwrap_or(0);
                let pairs = items
                    .into_iter()
                    .zip(start..)
                    .map(|(v, i)| Value::tuple(vec![Value::Int(i), v]));
                Value::open_list(pairs.collect(), open)
            }
            ("zip" | "itertools.izip" | "itertools.zip_longest", Some(_)) => {
                self.zip(path, args, place)?
            }
            ("map", Some(function)) => self.map(function, args, place)?,
            ("filter" | "itertools.filterfalse", Some(function)) => {
                self.filter(path, function, args, place)?
            }
            ("functools.reduce" | "reduce", Some(function)) => {
                self.reduce(function, args, place)?
            }
            ("sorted" | "list.sort", Some(v)) => {
                let v = self.settled(v.clone())?;
                let (items, open) = self.iterate(&v, Some(place))?;
                self.sort(items, open, args, place)?
            }
            ("reversed", Some(v)) => {
                let (mut items, open) = self.iterate(v, Some(place))?;
                items.reverse();
                Value::open_list(items, open)
            }
            ("sum", Some(v)) => {
                let (items, open) = self.iterate(v, Some(place))?;
                let mut total = args.at(1, "start").cloned().unwrap_or(Value::Int(0));
                for item in items {
                    self.step()?;
                    total = self.binary(total, Operator::Add, item, place)?;
                }
                match (total, open) {
                    (Value::List(list), Some(open)) => {
                        Value::open_list(list.items.borrow().clone(), Some(open))
                    }
                    (_, Some(open)) => Value::Unknown(open),
                    (total, None) => total,
                }
            }
            ("any" | "all", Some(v)) => self.any_all(path == "any", v, place)?,
            ("min" | "max", Some(_)) => self.extreme(path == "max", args, place)?,
            ("abs", Some(Value::Int(i))) => Value::Int(i.wrapping_abs()),
            ("round", Some(Value::Float(f))) if args.pos.len() == 1 && f.abs() < 1e15 =>
            {
                #[allow(clippy::cast_possible_truncation, reason = "checked to be small")]
                Value::Int(f.round_ties_even() as i64)
            }
            ("ord", Some(Value::Str(text))) => text
                .text
                .chars()
                .next()
                .map_or(Value::None, |c| Value::Int(i64::from(u32::from(c)))),
            ("chr", Some(Value::Int(i))) => {
                let c = u32::try_from(*i).ok().and_then(char::from_u32);
                c.map_or(Value::None, |c| Value::text(c.to_string(), Some(place)))
            }
            ("next", Some(v)) => return self.next(v, args, place).map(Some),
            ("__import__" | "importlib.import_module", Some(v)) => match v.as_str() {
                Some(name) => {
                    let name = name.to_owned();
                    let module = self.import_module(&name, place)?;
                    let top = name.split('.').next().unwrap_or_default();
                    if path == "__import__" && top != name && args.at(3, "fromlist").is_none() {
                        self.import_module(top, place)?
                    } else {
                        module
                    }
                }
                None => self.not_followed(v, place),
            },
            ("compile", Some(v)) => v.clone(),
            ("object", None) => unknown(place, "a bare object is not followed"),
            ("property" | "staticmethod" | "classmethod", Some(v)) => v.clone(),
            ("id" | "hash", _) => unknown(place, "identities are not known"),
            ("divmod", Some(a)) if args.pos.len() == 2 => {
                let b = args.pos.get(1).cloned().unwrap_or(Value::None);
                let quotient = self.binary(a.clone(), Operator::FloorDiv, b.clone(), place)?;
                let rest = self.binary(a.clone(), Operator::Mod, b, place)?;
                Value::tuple(vec![quotient, rest])
            }
            ("input", _) => unknown(place, "it asks the user"),
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    /// An unknown: the value's own reason, or that it is not followed.
    pub(super) fn not_followed(&self, value: &Value<'a>, place: Place<'a>) -> Value<'a> {
        match value.unknown_within(4) {
            Some(unknown) => Value::Unknown(unknown),
            None => unknown(
                place,
                format!("a {} is not followed here", value.type_name()),
            ),
        }
    }

    fn length(&mut self, value: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        let length = match value {
            Value::Str(text) => text.text.chars().count(),
            Value::Bytes(bytes, _) => bytes.len(),
            Value::Tuple(items) => items.len(),
            Value::List(list) => match list.openness() {
                Some(unknown) => return Ok(Value::Unknown(unknown)),
                None => list.items.borrow().len(),
            },
            Value::Dict(dict) | Value::Set(dict) => match dict.openness() {
                Some(unknown) => return Ok(Value::Unknown(unknown)),
                None => dict.len(),
            },
            Value::VersionInfo => 5,
            Value::None | Value::Int(_) | Value::Bool(_) => {
                return self.raise("TypeError", "object has no len()", Some(place));
            }
            Value::Object(object) => {
                return match self.class_attribute(&object.class, "__len__") {
                    Some(method) => {
                        let args = Args {
                            pos: vec![value.clone()],
                            ..Args::default()
                        };
                        self.call(method, args, place)
                    }
                    None => Ok(self.not_followed(value, place)),
                };
            }
            other => return Ok(self.not_followed(other, place)),
        };
        Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
    }

    /// `str(value)`
    pub fn text_from(&mut self, value: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        match value {
            Value::Str(_) => return Ok(value.clone()),
            Value::Choice(options) => {
                let options = Rc::clone(options);
                return self.each(&options, |this, v| this.text_from(v, place));
            }
            Value::Object(object) => {
                for name in ["__str__", "__repr__"] {
                    if let Some(method) = self.class_attribute(&object.class, name) {
                        let args = Args {
                            pos: vec![value.clone()],
                            ..Args::default()
                        };
                        return self.call(method, args, place);
                    }
                }
                let text = object.attributes.borrow().get("__text__").cloned();
                if let Some(text) = text {
                    return Ok(text);
                }
                let args = object.attributes.borrow().get("args").cloned();
                if let (Value::Native(path), Some(Value::Tuple(args))) = (&object.class, args)
                    && super::table::is_exception(path)
                {
                    return match args.first() {
                        Some(first) => self.text_from(&first.clone(), place),
                        None => Ok(Value::str("")),
                    };
                }
                return Ok(self.not_followed(value, place));
            }
            Value::Marker(_) => {
                let settled = self.settled(value.clone())?;
                return self.text_from(&settled, place);
            }
            _ => {}
        }
        match super::format::text(value) {
            Some(text) => Ok(Value::text(text, Some(place))),
            None => Ok(self.not_followed(value, place)),
        }
    }

    fn int_from(&mut self, value: &Value<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        Ok(match value {
            Value::Int(_) => value.clone(),
            Value::Bool(b) => Value::Int(i64::from(*b)),
            #[allow(clippy::cast_possible_truncation, reason = "checked to be small")]
            Value::Float(f) if f.abs() < 1e15 => Value::Int(f.trunc() as i64),
            Value::Str(text) => {
                let base = args.at(1, "base").and_then(as_int).unwrap_or(10);
                let digits = text.text.trim().replace('_', "");
                let digits = if base == 16 {
                    digits.trim_start_matches("0x")
                } else {
                    &digits
                };
                let base = u32::try_from(base)
                    .ok()
                    .filter(|b| (2..=36).contains(b))
                    .unwrap_or(10);
                match i64::from_str_radix(digits, base) {
                    Ok(i) => Value::Int(i),
                    Err(_) => {
                        let what = format!("invalid literal for int(): '{}'", text.text);
                        return self.raise("ValueError", &what, Some(place));
                    }
                }
            }
            Value::Marker(_) => {
                let settled = self.settled(value.clone())?;
                return self.int_from(&settled, args, place);
            }
            Value::None => return self.raise("TypeError", "int() of None", Some(place)),
            other => self.not_followed(other, place),
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "Python's own loss")]
    fn float_from(&mut self, value: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        Ok(match value {
            Value::Float(_) => value.clone(),
            Value::Int(i) => Value::Float(*i as f64),
            Value::Str(text) => match text.text.trim().parse::<f64>() {
                Ok(f) => Value::Float(f),
                Err(_) => {
                    return self.raise(
                        "ValueError",
                        "could not convert string to float",
                        Some(place),
                    );
                }
            },
            other => self.not_followed(other, place),
        })
    }

    fn make_dict(&mut self, args: &Args<'a>) -> Eval<'a> {
        let dict = Dict::default();
        if let Some(first) = args.pos.first() {
            self.update_dict(&dict, first)?;
        }
        for (name, value) in &args.named {
            dict.set_str(name, value.clone());
        }
        if let Some(unknown) = &args.open {
            dict.open
                .borrow_mut()
                .get_or_insert_with(|| unknown.clone());
        }
        Ok(Value::Dict(Rc::new(dict)))
    }

    fn has_attribute(&mut self, value: &Value<'a>, name: &str, place: Place<'a>) -> Eval<'a> {
        match value {
            Value::Unknown(u) => Ok(Value::Unknown(u.clone())),
            Value::Native(path) => Ok(self.native_has(path, name, place)),
            value => match self.attribute(value, name, place) {
                Ok(Value::Unknown(u)) => Ok(Value::Unknown(u)),
                Ok(_) => Ok(Value::Bool(true)),
                Err(Stop::Raise(..)) => Ok(Value::Bool(false)),
                Err(stop) => Err(stop),
            },
        }
    }

    fn get_attribute(&mut self, value: &Value<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let Some(name) = args.text(1, "name").map(str::to_owned) else {
            return Ok(self.not_followed(args.pos.get(1).unwrap_or(&Value::None), place));
        };
        let default = args.pos.get(2).cloned();
        if let (Value::Native(path), Some(default)) = (value, &default) {
            let has = self.native_has(path, &name, place);
            if let Value::Bool(false) = has {
                return Ok(default.clone());
            }
            if let Value::Marker(_) = &has
                && !self.truth(&has)?
            {
                return Ok(default.clone());
            }
        }
        match (self.attribute(value, &name, place), default) {
            (Err(Stop::Raise(..)), Some(default)) => Ok(default),
            (result, _) => result,
        }
    }

    fn range(&mut self, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let numbers: Option<Vec<i64>> = args.pos.iter().map(as_int).collect();
        let (from, to, step) = match numbers.as_deref() {
            Some([to]) => (0, *to, 1),
            Some([from, to]) => (*from, *to, 1),
            Some([from, to, step]) if *step != 0 => (*from, *to, *step),
            _ => return Ok(self.not_followed(args.pos.first().unwrap_or(&Value::None), place)),
        };
        let mut items = Vec::new();
        let mut at = from;
        while (step > 0 && at < to) || (step < 0 && at > to) {
            if items.len() >= limits::ITEMS {
                return Err(self.halt("it takes more steps than are followed"));
            }
            items.push(Value::Int(at));
            at = at.saturating_add(step);
        }
        self.allocate(items.len() * 32)?;
        Ok(Value::list(items))
    }

    fn zip(&mut self, path: &str, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let mut columns = Vec::new();
        let mut open = None;
        for arg in &args.pos {
            let (items, more) = self.iterate(arg, Some(place))?;
            open = open.or(more);
            columns.push(items);
        }
        let longest = path == "itertools.zip_longest";
        let lengths = columns.iter().map(Vec::len);
        let rows = if longest {
            lengths.max()
        } else {
            lengths.min()
        }
        .unwrap_or(0);
        let fill = args.named("fillvalue").cloned().unwrap_or(Value::None);
        let rows = (0..rows).map(|row| {
            Value::tuple(
                columns
                    .iter()
                    .map(|c| c.get(row).cloned().unwrap_or_else(|| fill.clone()))
                    .collect(),
            )
        });
        Ok(Value::open_list(rows.collect(), open))
    }

    fn map(&mut self, function: &Value<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let mut columns = Vec::new();
        let mut open = None;
        for arg in args.pos.iter().skip(1) {
            let arg = self.settled(arg.clone())?;
            let (items, more) = self.iterate(&arg, Some(place))?;
            open = open.or(more);
            columns.push(items.into_iter());
        }
        let mut results = Vec::new();
        while !columns.is_empty() {
            let row: Option<Vec<_>> = columns.iter_mut().map(Iterator::next).collect();
            let Some(pos) = row else { break };
            results.push(self.call(
                function.clone(),
                Args {
                    pos,
                    ..Args::default()
                },
                place,
            )?);
        }
        Ok(Value::open_list(results, open))
    }

    fn filter(
        &mut self,
        path: &str,
        function: &Value<'a>,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let Some(iterated) = args.pos.get(1) else {
            return self.raise("TypeError", "filter expected 2 arguments", Some(place));
        };
        let (items, mut open) = self.iterate(iterated, Some(place))?;
        let mut kept = Vec::new();
        for item in items {
            let test = match function {
                Value::None => item.clone(),
                function => {
                    let args = Args {
                        pos: vec![item.clone()],
                        ..Args::default()
                    };
                    self.call(function.clone(), args, place)?
                }
            };
            if let Value::Unknown(u) = test {
                open.get_or_insert(u);
            } else if self.truth(&test)? != (path == "itertools.filterfalse") {
                kept.push(item);
            }
        }
        Ok(Value::open_list(kept, open))
    }

    fn reduce(&mut self, function: &Value<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let iterated = args.pos.get(1).cloned().unwrap_or(Value::None);
        let (items, open) = self.iterate(&iterated, Some(place))?;
        if let Some(unknown) = open {
            return Ok(Value::Unknown(unknown));
        }
        let mut items = items.into_iter();
        let Some(mut total) = args.pos.get(2).cloned().or_else(|| items.next()) else {
            return self.raise("TypeError", "reduce() of empty iterable", Some(place));
        };
        for item in items {
            let args = Args {
                pos: vec![total, item],
                ..Args::default()
            };
            total = self.call(function.clone(), args, place)?;
        }
        Ok(total)
    }

    /// Sorts as Python does; what cannot be ordered is kept, in an order that is not known.
    pub(super) fn sort(
        &mut self,
        items: Vec<Value<'a>>,
        open: Option<super::super::value::Unknown<'a>>,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let key = match args.named("key") {
                None | Some(Value::None) => item.clone(),
                Some(function) => {
                    let args = Args {
                        pos: vec![item.clone()],
                        ..Args::default()
                    };
                    self.call(function.clone(), args, place)?
                }
            };
            keyed.push((key, item));
        }
        let mut doubtful = None;
        let steps = keyed.len() as u64;
        for _ in 0..steps {
            self.step()?;
        }
        keyed.sort_by(|(a, _), (b, _)| {
            order(a, b, 8).unwrap_or_else(|| {
                doubtful = Some(());
                std::cmp::Ordering::Equal
            })
        });
        if let Some(reverse) = args.named("reverse")
            && self.truth(reverse)?
        {
            keyed.reverse();
        }
        let _ = doubtful;
        Ok(Value::open_list(
            keyed.into_iter().map(|(_, v)| v).collect(),
            open,
        ))
    }

    fn any_all(&mut self, any: bool, value: &Value<'a>, place: Place<'a>) -> Eval<'a> {
        let (items, mut doubt) = self.iterate(value, Some(place))?;
        let mut so_far = Value::Bool(!any);
        for item in items {
            match (item, &so_far) {
                (Value::Unknown(u), _) => {
                    doubt.get_or_insert(u);
                }
                (Value::Marker(m), Value::Bool(_)) => so_far = Value::Marker(m),
                (Value::Marker(m), Value::Marker(old)) => {
                    let mut joined = old.clone();
                    if any {
                        joined.or(m)
                    } else {
                        joined.and(m)
                    }
                    so_far = target::from_marker(joined);
                }
                (item, _) => {
                    if self.truth(&item)? == any {
                        return Ok(Value::Bool(any));
                    }
                }
            }
        }
        Ok(doubt.map_or(so_far, Value::Unknown))
    }

    fn extreme(&mut self, max: bool, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let (items, open) = match args.pos.as_slice() {
            [one] => self.iterate(one, Some(place))?,
            many => (many.to_vec(), None),
        };
        if let Some(unknown) = open {
            return Ok(Value::Unknown(unknown));
        }
        let mut best: Option<(Value<'a>, Value<'a>)> = None;
        for item in items {
            let key = match args.named("key") {
                Some(function) => {
                    let args = Args {
                        pos: vec![item.clone()],
                        ..Args::default()
                    };
                    self.call(function.clone(), args, place)?
                }
                None => item.clone(),
            };
            let better = match &best {
                None => true,
                Some((old, _)) => {
                    let op = if max { CmpOp::Gt } else { CmpOp::Lt };
                    let test = self.compare(&key, op, old, place)?;
                    if let Value::Unknown(u) = test {
                        return Ok(Value::Unknown(u));
                    }
                    self.truth(&test)?
                }
            };
            if better {
                best = Some((key, item));
            }
        }
        match (best, args.named("default")) {
            (Some((_, item)), _) => Ok(item),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => self.raise("ValueError", "empty sequence", Some(place)),
        }
    }

    fn next(&mut self, value: &Value<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let item = match value {
            Value::List(list) => {
                let at = list.next.get();
                let item = list.items.borrow().get(at).cloned();
                list.next.set(at + 1);
                item.or_else(|| list.openness().map(Value::Unknown))
            }
            Value::File(file) => match self.read_line(file) {
                Value::Str(text) if text.text.is_empty() => None,
                line => Some(line),
            },
            Value::Unknown(u) => Some(Value::Unknown(u.clone())),
            other => Some(self.not_followed(other, place)),
        };
        match (item, args.pos.get(1)) {
            (Some(item), _) => Ok(item),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => self.raise("StopIteration", "", Some(place)),
        }
    }

    /// A text argument, or why there is none.
    pub(super) fn text_of(
        &self,
        value: Option<&Value<'a>>,
        place: Place<'a>,
    ) -> Result<Text<'a>, Value<'a>> {
        match value {
            Some(Value::Str(text)) => Ok(text.clone()),
            Some(Value::Path(path)) => Ok(Text {
                text: Rc::clone(path),
                place: Some(place),
            }),
            Some(other) => Err(self.not_followed(other, place)),
            None => Err(Value::Unknown(cause(Some(place), "an argument is missing"))),
        }
    }
}
