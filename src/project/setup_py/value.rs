//! What a setup.py computes with: known values, partly known ones, unknown ones, and values that
//! depend on the target.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Expr, Parameters, Stmt};

use super::source::{Place, Source};
use crate::python::MarkerTree;

/// A Python value.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// Integers; those that do not fit are unknown.
    Int(i64),
    /// Floating point numbers.
    Float(f64),
    /// Texts.
    Str(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>, Option<Place<'a>>),
    /// Lists, and what iterators yield.
    List(Rc<List<'a>>),
    /// Tuples.
    Tuple(Rc<[Value<'a>]>),
    /// Dictionaries.
    Dict(Rc<Dict<'a>>),
    /// Sets: the keys of a dictionary.
    Set(Rc<Dict<'a>>),
    /// A function or lambda of the file.
    Function(Rc<Function<'a>>),
    /// Something of Python's library or setuptools, by its dotted path.
    Native(Rc<str>),
    /// A method of a value that is not an object of the file's own.
    Method(Rc<(Value<'a>, Rc<str>)>),
    /// A function of the file bound to an object.
    Bound(Rc<(Value<'a>, Value<'a>)>),
    /// A class of the file.
    Class(Rc<Class<'a>>),
    /// An object of a class of the file, or of a native class that keeps attributes.
    Object(Rc<Object<'a>>),
    /// A module of the project.
    Module(Rc<Module<'a>>),
    /// An open file.
    File(Rc<File<'a>>),
    /// A `pathlib` path, absolute or not.
    Path(Rc<str>),
    /// A compiled regular expression.
    Pattern(Rc<Pattern>),
    /// What a regular expression found.
    Match(Rc<Match<'a>>),
    /// Slices.
    Slice(Rc<[Value<'a>; 3]>),
    /// True on the targets of the marker, false on others.
    Marker(MarkerTree),
    /// One value of several, by target; the markers exclude each other and cover every target.
    Choice(Rc<[(MarkerTree, Value<'a>)]>),
    /// `sys.version_info`
    VersionInfo,
    /// Not known.
    Unknown(Unknown<'a>),
}

/// A text, and where it was written.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The text.
    pub text: Rc<str>,
    /// Where it, or the literal or file it was made from, stands.
    pub place: Option<Place<'a>>,
}

impl<'a> Text<'a> {
    /// The part of it between two byte offsets, pointing at where that part stands.
    pub fn part(&self, start: usize, end: usize) -> Text<'a> {
        let text = self.text.get(start..end).unwrap_or_default();
        let place = self.place.map(|place| {
            if place.exact {
                Place {
                    start: place.start + u32::try_from(start).unwrap_or(0),
                    end: place.start + u32::try_from(end).unwrap_or(0),
                    ..place
                }
            } else {
                place
            }
        });
        Text {
            text: Rc::from(text),
            place,
        }
    }
}

/// Why something is not known.
#[derive(Debug, Clone)]
pub struct Unknown<'a>(pub Rc<Cause<'a>>);

/// The first thing that could not be known.
#[derive(Debug)]
pub struct Cause<'a> {
    /// Where.
    pub place: Option<Place<'a>>,
    /// Why, as a sentence without a full stop.
    pub reason: String,
    /// Whether the run was given up there, for a limit.
    pub given_up: bool,
}

/// A list: known elements, perhaps with more that are not known.
#[derive(Debug, Default)]
pub struct List<'a> {
    /// The elements.
    pub items: RefCell<Vec<Value<'a>>>,
    /// Set when elements may be missing, or may have been changed by unknown code.
    pub open: RefCell<Option<Unknown<'a>>>,
    /// Where an iterator stands.
    pub next: Cell<usize>,
}

/// A dictionary: insertion-ordered, perhaps with more entries that are not known.
#[derive(Debug, Default)]
pub struct Dict<'a> {
    entries: RefCell<Entries<'a>>,
    /// Set when entries may be missing, or may have been changed by unknown code.
    pub open: RefCell<Option<Unknown<'a>>>,
    /// `collections.defaultdict`'s factory.
    pub factory: RefCell<Option<Value<'a>>>,
    /// The scope whose variables `globals()` or `locals()` shows here: setting one sets the other.
    pub mirror: RefCell<Option<Rc<Scope<'a>>>>,
}

#[derive(Debug, Default)]
struct Entries<'a> {
    places: HashMap<Key, usize>,
    slots: Vec<Option<(Value<'a>, Value<'a>)>>,
}

/// A hashable value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// `None`
    None,
    /// Integers, booleans and whole floats, which are equal in Python.
    Int(i64),
    /// Other floats, by their bits.
    Float(u64),
    /// Texts.
    Str(Rc<str>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// Tuples and frozen sets.
    Tuple(Vec<Key>),
    /// Anything else, by identity.
    Identity(usize),
    /// Natives, by path.
    Native(Rc<str>),
}

impl<'a> List<'a> {
    /// Why elements may be missing.
    pub fn openness(&self) -> Option<Unknown<'a>> {
        self.open.borrow().clone()
    }
}

impl<'a> Dict<'a> {
    /// Why entries may be missing.
    pub fn openness(&self) -> Option<Unknown<'a>> {
        self.open.borrow().clone()
    }

    /// How many entries are known.
    pub fn len(&self) -> usize {
        self.entries.borrow().places.len()
    }

    /// The value under a key.
    pub fn at(&self, key: &Key) -> Option<Value<'a>> {
        let entries = self.entries.borrow();
        let slot = entries.places.get(key)?;
        entries.slots.get(*slot)?.as_ref().map(|(_, v)| v.clone())
    }

    /// Sets the value under a key.
    pub fn set(&self, key: Key, name: Value<'a>, value: Value<'a>) {
        let mut entries = self.entries.borrow_mut();
        let entries = &mut *entries;
        if let Some(slot) = entries.places.get(&key) {
            if let Some(slot) = entries.slots.get_mut(*slot) {
                let name = slot.take().map_or(name, |(old, _)| old);
                *slot = Some((name, value));
            }
        } else {
            entries.places.insert(key, entries.slots.len());
            entries.slots.push(Some((name, value)));
        }
    }

    /// Removes a key.
    pub fn remove(&self, key: &Key) -> Option<Value<'a>> {
        let mut entries = self.entries.borrow_mut();
        let slot = entries.places.remove(key)?;
        entries.slots.get_mut(slot)?.take().map(|(_, v)| v)
    }

    /// Removes everything.
    pub fn clear(&self) {
        *self.entries.borrow_mut() = Entries::default();
    }

    /// All entries, in order.
    pub fn entries(&self) -> Vec<(Value<'a>, Value<'a>)> {
        self.entries
            .borrow()
            .slots
            .iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Sets the value under a text.
    pub fn set_str(&self, name: &str, value: Value<'a>) {
        self.set(Key::Str(Rc::from(name)), Value::str(name), value);
    }

    /// The value under a text.
    pub fn at_str(&self, name: &str) -> Option<Value<'a>> {
        self.at(&Key::Str(Rc::from(name)))
    }

    /// A copy with the same entries.
    pub fn copy(&self) -> Dict<'a> {
        let copy = Dict::default();
        for (name, value) in self.entries() {
            if let Some(key) = name.key() {
                copy.set(key, name, value);
            }
        }
        *copy.open.borrow_mut() = self.open.borrow().clone();
        *copy.factory.borrow_mut() = self.factory.borrow().clone();
        copy
    }
}

/// Variables of a module, function, class body or comprehension.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The variables.
    pub names: RefCell<HashMap<Rc<str>, Value<'a>>>,
    /// Where to look next; class bodies are passed over.
    pub outer: Option<Rc<Scope<'a>>>,
    /// Names declared `global` or `nonlocal`, and the scope they live in.
    pub elsewhere: RefCell<HashMap<Rc<str>, Rc<Scope<'a>>>>,
    /// What the scope belongs to.
    pub kind: Kind,
    /// Set when names that are not found may exist (`from unknown import *`).
    pub open: RefCell<Option<Unknown<'a>>>,
    /// The file its code is in.
    pub source: &'a Source,
    /// The dotted package that relative imports start at.
    pub package: Rc<str>,
}

/// What a scope belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A module, or a file that is executed.
    Module,
    /// A function.
    Function,
    /// A class body.
    Class,
    /// A comprehension.
    Comprehension,
}

impl<'a> Scope<'a> {
    /// A scope for a module's code.
    pub fn module(source: &'a Source, package: &str) -> Rc<Self> {
        Rc::new(Self {
            names: RefCell::default(),
            outer: None,
            elsewhere: RefCell::default(),
            kind: Kind::Module,
            open: RefCell::default(),
            source,
            package: Rc::from(package),
        })
    }

    /// A scope inside another.
    pub fn inner(outer: &Rc<Self>, kind: Kind) -> Rc<Self> {
        Rc::new(Self {
            names: RefCell::default(),
            outer: Some(Rc::clone(outer)),
            elsewhere: RefCell::default(),
            kind,
            open: RefCell::default(),
            source: outer.source,
            package: Rc::clone(&outer.package),
        })
    }

    /// Gives a name a value.
    pub fn set(&self, name: &str, value: Value<'a>) {
        if let Some(scope) = self.elsewhere.borrow().get(name) {
            scope.names.borrow_mut().insert(Rc::from(name), value);
            return;
        }
        self.names.borrow_mut().insert(Rc::from(name), value);
    }

    /// The value of a name in this very scope.
    pub fn own(&self, name: &str) -> Option<Value<'a>> {
        self.names.borrow().get(name).cloned()
    }
}

/// A function of the file.
#[derive(Debug)]
pub struct Function<'a> {
    /// Its name; `<lambda>` for lambdas.
    pub name: &'a str,
    /// Its parameters.
    pub parameters: Option<&'a Parameters>,
    /// Its code.
    pub body: Body<'a>,
    /// Default values, in the order of `posonlyargs`, `args`, `kwonlyargs`.
    pub defaults: Vec<Option<Value<'a>>>,
    /// Where it was defined.
    pub scope: Rc<Scope<'a>>,
    /// Whether it yields.
    pub generator: bool,
    /// `staticmethod`, `classmethod` or `property`, if it is one.
    pub decorator: Option<&'static str>,
    /// The class that it was defined in, for `super()`.
    pub class: RefCell<Option<Rc<Class<'a>>>>,
}

/// The code of a function.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// `def`
    Block(&'a [Stmt]),
    /// `lambda`
    Expression(&'a Expr),
}

/// A class of the file.
#[derive(Debug)]
pub struct Class<'a> {
    /// Its name.
    pub name: Rc<str>,
    /// What it is derived from.
    pub bases: Vec<Value<'a>>,
    /// Its attributes.
    pub scope: Rc<Scope<'a>>,
}

/// An object with attributes.
#[derive(Debug)]
pub struct Object<'a> {
    /// Its class: [`Value::Class`] or [`Value::Native`].
    pub class: Value<'a>,
    /// Its attributes.
    pub attributes: RefCell<HashMap<Rc<str>, Value<'a>>>,
    /// Set when it may have other attributes.
    pub open: RefCell<Option<Unknown<'a>>>,
}

/// A module of the project.
#[derive(Debug)]
pub struct Module<'a> {
    /// Its dotted name.
    pub name: Rc<str>,
    /// Its variables; empty while nothing could be read.
    pub scope: Rc<Scope<'a>>,
    /// The folder that submodules are in, if it is a package.
    pub folder: Option<Rc<str>>,
}

/// An open file.
#[derive(Debug)]
pub struct File<'a> {
    /// Its path.
    pub path: Rc<str>,
    /// Its whole content: text, bytes or unknown.
    pub content: Value<'a>,
    /// How far it was read, in bytes.
    pub at: Cell<usize>,
}

/// A compiled regular expression.
#[derive(Debug)]
pub struct Pattern {
    /// As written.
    pub text: String,
    /// Compiled.
    pub regex: fancy_regex::Regex,
}

/// What a regular expression found.
#[derive(Debug)]
pub struct Match<'a> {
    /// The groups' spans, the whole first.
    pub groups: Vec<Option<(usize, usize)>>,
    /// The groups' names.
    pub names: Vec<Option<String>>,
    /// The text that was searched.
    pub text: Text<'a>,
}

impl<'a> Value<'a> {
    /// A text of no place.
    pub fn str(text: impl AsRef<str>) -> Self {
        Value::Str(Text {
            text: Rc::from(text.as_ref()),
            place: None,
        })
    }

    /// A text that stands somewhere.
    pub fn text(text: impl AsRef<str>, place: Option<Place<'a>>) -> Self {
        Value::Str(Text {
            text: Rc::from(text.as_ref()),
            place,
        })
    }

    /// A list.
    pub fn list(items: Vec<Value<'a>>) -> Self {
        Value::List(Rc::new(List {
            items: RefCell::new(items),
            ..List::default()
        }))
    }

    /// A list that may have more elements.
    pub fn open_list(items: Vec<Value<'a>>, open: Option<Unknown<'a>>) -> Self {
        Value::List(Rc::new(List {
            items: RefCell::new(items),
            open: RefCell::new(open),
            next: Cell::new(0),
        }))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value<'a>>) -> Self {
        Value::Tuple(Rc::from(items))
    }

    /// Something of the library.
    pub fn native(path: &str) -> Self {
        Value::Native(Rc::from(path))
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(&text.text),
            Value::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Where a text stands.
    pub fn place(&self) -> Option<Place<'a>> {
        match self {
            Value::Str(text) => text.place,
            Value::Bytes(_, place) => *place,
            Value::Unknown(unknown) => unknown.0.place,
            _ => None,
        }
    }

    /// The value as a dictionary's key; none for what cannot be hashed or is not known.
    pub fn key(&self) -> Option<Key> {
        Some(match self {
            Value::None => Key::None,
            Value::Bool(b) => Key::Int(i64::from(*b)),
            Value::Int(i) => Key::Int(*i),
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole")]
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e15 => Key::Int(*f as i64),
            Value::Float(f) => Key::Float(f.to_bits()),
            Value::Str(text) => Key::Str(Rc::clone(&text.text)),
            Value::Bytes(bytes, _) => Key::Bytes(Rc::clone(bytes)),
            Value::Path(path) => {
                Key::Tuple(vec![Key::Native("Path".into()), Key::Str(Rc::clone(path))])
            }
            Value::Tuple(items) => Key::Tuple(items.iter().map(Value::key).collect::<Option<_>>()?),
            Value::Native(path) => Key::Native(Rc::clone(path)),
            Value::Function(f) => Key::Identity(Rc::as_ptr(f).cast::<u8>() as usize),
            Value::Pattern(p) => Key::Identity(Rc::as_ptr(p).cast::<u8>() as usize),
            Value::Class(c) => Key::Identity(Rc::as_ptr(c).cast::<u8>() as usize),
            Value::Object(o) => Key::Identity(Rc::as_ptr(o).cast::<u8>() as usize),
            Value::Module(m) => Key::Identity(Rc::as_ptr(m).cast::<u8>() as usize),
            _ => return None,
        })
    }

    /// What Python calls its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) | Value::Marker(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Bytes(..) => "bytes",
            Value::List(_) => "list",
            Value::Tuple(_) | Value::VersionInfo => "tuple",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Function(_) | Value::Native(_) | Value::Method(_) | Value::Bound(_) => {
                "function"
            }
            Value::Class(_) => "type",
            Value::Object(_) => "object",
            Value::Module(_) => "module",
            Value::File(_) => "file",
            Value::Path(_) => "Path",
            Value::Pattern(_) => "Pattern",
            Value::Match(_) => "Match",
            Value::Slice(_) => "slice",
            Value::Choice(_) | Value::Unknown(_) => "unknown",
        }
    }

    /// Whether the value, or anything in it down to a depth, is not known.
    pub fn unknown_within(&self, depth: usize) -> Option<Unknown<'a>> {
        let mut left = 20_000;
        self.search_unknown(depth, &mut left)
    }

    fn search_unknown(&self, depth: usize, left: &mut usize) -> Option<Unknown<'a>> {
        if depth == 0 || *left == 0 {
            return None;
        }
        *left -= 1;
        match self {
            Value::Unknown(unknown) => Some(unknown.clone()),
            Value::List(list) => list.openness().or_else(|| {
                let items = list.items.borrow();
                items.iter().find_map(|v| v.search_unknown(depth - 1, left))
            }),
            Value::Tuple(items) => items.iter().find_map(|v| v.search_unknown(depth - 1, left)),
            Value::Dict(dict) | Value::Set(dict) => dict.openness().or_else(|| {
                dict.entries().iter().find_map(|(k, v)| {
                    k.search_unknown(depth - 1, left)
                        .or_else(|| v.search_unknown(depth - 1, left))
                })
            }),
            _ => None,
        }
    }

    /// Whether it has at most `limit` elements, those of its elements counted each time they are
    /// met: shared lists can be exponentially larger than the memory they take.
    pub fn is_within(&self, limit: usize) -> bool {
        fn count(value: &Value<'_>, left: &mut usize, depth: usize) -> bool {
            if *left == 0 {
                return false;
            }
            *left -= 1;
            if depth == 0 {
                return true;
            }
            match value {
                Value::List(list) => list
                    .items
                    .borrow()
                    .iter()
                    .all(|v| count(v, left, depth - 1)),
                Value::Tuple(items) => items.iter().all(|v| count(v, left, depth - 1)),
                Value::Dict(dict) | Value::Set(dict) => dict
                    .entries()
                    .iter()
                    .all(|(k, v)| count(k, left, depth - 1) && count(v, left, depth - 1)),
                _ => true,
            }
        }
        let mut left = limit;
        count(self, &mut left, 12)
    }
}
