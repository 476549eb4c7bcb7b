//! What an expression can turn out to be, and the environments that expressions stand in.

use std::collections::BTreeMap;
use std::rc::Rc;

use rnix::ast;

use super::Cond;

/// What is known of an expression.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`.
    Null,
    /// A condition; `true` and `false` are conditions that hold everywhere or nowhere.
    Bool(Cond),
    /// A whole number.
    Int(i64),
    /// A string.
    Str(Text),
    /// A path, below the tree that is read.
    Path(Rc<str>),
    /// A list.
    List(Vec<Item>),
    /// A set.
    Set(Rc<Set>),
    /// A name that nothing in the text binds, with the attributes selected from it: `lib.licenses.mit`.
    Symbol(Rc<str>),
    /// A function.
    Lambda(Rc<Closure>),
    /// A call of something unknown.
    Call(Rc<Value>, Rc<Value>),
    /// An attribute of a call.
    Select(Rc<Value>, Rc<str>),
    /// One or the other.
    If(Cond, Rc<Value>, Rc<Value>),
    /// What cannot be known, as written.
    Unknown(Rc<str>),
}

/// A string, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text; interpolations that are not known stand as they are written.
    pub text: String,
    /// Whether all of it is known.
    pub exact: bool,
}

/// A member of a list.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub value: Value,
    /// Where it is one.
    pub when: Cond,
    /// Whether the value is a list that is not known, whose members are meant.
    pub spread: bool,
}

/// A set; its members are evaluated when they are asked for.
#[derive(Debug)]
pub struct Set {
    pub(super) entries: Rc<Entries>,
    pub(super) env: Env,
    pub(super) outer: Env,
    /// Whether it has members whose names are not known.
    pub(super) open: bool,
    /// Whether it is the attributes of a package as the package sees itself.
    pub(super) is_final: bool,
}

pub(super) type Entries = BTreeMap<Rc<str>, Thunk>;

/// A member of a set, not evaluated yet.
#[derive(Debug, Clone)]
pub(super) enum Thunk {
    /// `name = expression;`
    Expr(ast::Expr),
    /// `inherit name;`
    Outer,
    /// `inherit (expression) name;`
    From(ast::Expr),
    /// `name.member = …;`
    Sub(Rc<Entries>),
    /// A value.
    Known(Value),
    /// A member of another set.
    Member(Rc<Set>),
}

/// A function and where it stands.
#[derive(Debug)]
pub struct Closure {
    pub(super) lambda: ast::Lambda,
    pub(super) env: Env,
}

pub(super) type Env = Rc<Frame>;

/// One level of an environment.
#[derive(Debug)]
pub(super) enum Frame {
    /// The file: its folder below the tree.
    File { folder: Rc<str> },
    /// One name.
    Name {
        name: Rc<str>,
        value: Value,
        up: Env,
    },
    /// The name that a function of its own result calls that result.
    Fix {
        name: Rc<str>,
        of: Rc<Closure>,
        up: Env,
    },
    /// `let`, `rec` or the arguments of a function: members see each other.
    Rec { entries: Rc<Entries>, up: Env },
    /// `with expression;`
    With { of: ast::Expr, up: Env },
}

impl Frame {
    pub(super) fn up(&self) -> Option<&Env> {
        match self {
            Frame::File { .. } => None,
            Frame::Name { up, .. }
            | Frame::Fix { up, .. }
            | Frame::Rec { up, .. }
            | Frame::With { up, .. } => Some(up),
        }
    }

    pub(super) fn folder(&self) -> Rc<str> {
        let mut frame = self;
        loop {
            match frame {
                Frame::File { folder } => return folder.clone(),
                _ => match frame.up() {
                    Some(up) => frame = up,
                    None => return "".into(),
                },
            }
        }
    }
}

impl Value {
    /// A string that is wholly known.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Str(Text {
            text: text.into(),
            exact: true,
        })
    }

    /// A boolean that is known.
    pub const fn bool(value: bool) -> Self {
        Value::Bool(Cond::known(value))
    }

    /// A name that nothing binds.
    pub fn symbol(name: impl Into<Rc<str>>) -> Self {
        Value::Symbol(name.into())
    }

    /// The string, where it is wholly known.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Str(text) if text.exact => Some(&text.text),
            _ => None,
        }
    }

    /// The name, where it is a symbol.
    pub fn as_symbol(&self) -> Option<&str> {
        match self {
            Value::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// The condition that it is; an open one where it is no condition.
    pub fn condition(&self) -> Cond {
        match self {
            Value::Bool(cond) => cond.clone(),
            other => Cond::open(other.written()),
        }
    }

    /// The function that is called and what it is called with, where the function is a symbol.
    pub fn call(&self) -> Option<(&str, Vec<&Value>)> {
        let mut arguments = Vec::new();
        let mut value = self;
        while let Value::Call(function, argument) = value {
            arguments.push(argument.as_ref());
            value = function;
        }
        arguments.reverse();
        value.as_symbol().map(|name| (name, arguments))
    }

    /// The value in something like Nix, for conditions and messages.
    pub fn written(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(cond) if cond.is_true() => "true".to_owned(),
            Value::Bool(cond) if cond.is_false() => "false".to_owned(),
            Value::Bool(cond) => cond.unknown().unwrap_or("…").to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Str(text) => format!("{:?}", text.text),
            Value::Path(path) => path.to_string(),
            Value::List(_) => "[ … ]".to_owned(),
            Value::Set(_) => "{ … }".to_owned(),
            Value::Symbol(name) => name.to_string(),
            Value::Lambda(_) => "(… : …)".to_owned(),
            Value::Call(function, argument) => {
                format!("{} {}", function.written(), argument.written())
            }
            Value::Select(value, name) => format!("({}).{name}", value.written()),
            Value::If(cond, ..) => format!("if {} …", cond.unknown().unwrap_or("…")),
            Value::Unknown(text) => text.to_string(),
        }
    }
}

impl Set {
    /// The names of its members, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(AsRef::as_ref)
    }

    /// Whether it has a member of this name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether it may have members whose names are not known.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// A set of values.
    pub fn known(members: BTreeMap<String, Value>) -> Rc<Self> {
        let entries = members
            .into_iter()
            .map(|(name, value)| (name.into(), Thunk::Known(value)))
            .collect();
        let env = Rc::new(Frame::File { folder: "".into() });
        Rc::new(Self {
            entries: Rc::new(entries),
            outer: env.clone(),
            env,
            open: false,
            is_final: false,
        })
    }

    /// The members of both; those of `other` count where both have one.
    pub(super) fn updated(self: &Rc<Self>, other: &Rc<Self>) -> Rc<Self> {
        let mut entries = Entries::new();
        for set in [self, other] {
            for name in set.entries.keys() {
                entries.insert(name.clone(), Thunk::Member(Rc::clone(set)));
            }
        }
        Rc::new(Self {
            entries: Rc::new(entries),
            env: self.env.clone(),
            outer: self.outer.clone(),
            open: self.open || other.open,
            is_final: false,
        })
    }
}

impl Item {
    /// A member everywhere.
    pub fn always(value: Value) -> Self {
        Self {
            value,
            when: Cond::known(true),
            spread: false,
        }
    }
}
