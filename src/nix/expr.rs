//! [`Expr`], the tree of the expressions that we write. A tree cannot be misquoted: names and
//! strings are values in it, and only the printer knows their spelling.

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A string.
    Str(String),
    /// A string of several lines: shell commands.
    Lines(Vec<String>),
    /// A string with values in it: `"v${version}"`.
    Template(Vec<Piece>),
    /// A variable, or a value such as `true` or `null`. Must be an identifier.
    Name(&'static str),
    /// A variable whose name comes from somewhere else. Should be an identifier: anything else is
    /// printed as a string, which no list of packages takes.
    Variable(String),
    /// A file beside the one that is written: `./name`. The name must be letters, digits, `.`, `_`, `-`.
    File(String),
    /// A path that starts with `./` or `../`, of any names.
    Path(String),
    /// `<nixpkgs>`.
    SearchPath(&'static str),
    /// An attribute of a value: `final.foo`.
    Select(Box<Expr>, Vec<String>),
    /// The same with a default: `old.meta or { }`.
    SelectOr(Box<Expr>, Vec<String>, Box<Expr>),
    /// An attribute whose name is computed: `set.${name} or default`.
    Index(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `[ … ]`.
    List(Vec<Expr>),
    /// `{ … }`.
    Set(Vec<Item>),
    /// A function and its arguments.
    Apply(Box<Expr>, Vec<Expr>),
    /// `a ++ b`, `a + b`, `a // b`, `a == b` or `a && b`; at least one operand.
    Binary(Operator, Vec<Expr>),
    /// `if … then … else …`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `name: body`.
    Lambda(&'static str, Box<Expr>),
    /// `{ a, b ? default }: body`.
    Formals(Vec<(&'static str, Option<Expr>)>, Box<Expr>),
    /// `{ a, b, }: body`, the arguments of a package's file, on lines of their own and in groups.
    Arguments(Vec<Argument>, Box<Expr>),
    /// `let … in body`.
    Let(Vec<Item>, Box<Expr>),
    /// `with names; body`.
    With(Box<Expr>, Box<Expr>),
}

/// A part of a [`Expr::Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text, as it is.
    Text(String),
    /// `${value}`.
    Value(Expr),
}

/// What stands in the head of a package's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A name; must be an identifier.
    Name(String),
    /// A `#` comment on a line of its own.
    Comment(String),
    /// An empty line.
    Blank,
}

/// An operator between expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `++`
    Concat,
    /// `//`
    Update,
    /// `&&`
    And,
    /// `+`
    Plus,
    /// `==`, of two operands
    Equal,
}

/// What stands in a set or after `let`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `name = value;`
    Bind(String, Expr),
    /// `inherit a b;` or `inherit (from) a b;`
    Inherit(Option<Expr>, Vec<&'static str>),
    /// `inherit (from) a b;` for names that come from somewhere else; they must be identifiers.
    Take(Expr, Vec<String>),
    /// A `#` comment on lines of its own.
    Comment(String),
    /// An empty line.
    Blank,
}

impl Expr {
    /// A string.
    pub fn str(text: impl Into<String>) -> Self {
        Expr::Str(text.into())
    }

    /// `self.name`.
    #[must_use]
    pub fn select(self, name: impl Into<String>) -> Self {
        match self {
            Expr::Select(base, mut path) => {
                path.push(name.into());
                Expr::Select(base, path)
            }
            base => Expr::Select(Box::new(base), vec![name.into()]),
        }
    }

    /// `self.name or default`.
    #[must_use]
    pub fn select_or(self, name: impl Into<String>, default: Expr) -> Self {
        Expr::SelectOr(Box::new(self), vec![name.into()], Box::new(default))
    }

    /// `self argument`.
    #[must_use]
    pub fn apply(self, argument: Expr) -> Self {
        match self {
            Expr::Apply(function, mut arguments) => {
                arguments.push(argument);
                Expr::Apply(function, arguments)
            }
            function => Expr::Apply(Box::new(function), vec![argument]),
        }
    }

    /// `name: self`.
    #[must_use]
    pub fn lambda(self, name: &'static str) -> Self {
        Expr::Lambda(name, Box::new(self))
    }

    /// Calls `change` on this and everything below it, outer expressions first.
    pub fn visit(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        change(self);
        match self {
            Expr::Str(_)
            | Expr::Lines(_)
            | Expr::Name(_)
            | Expr::Variable(_)
            | Expr::File(_)
            | Expr::Path(_)
            | Expr::SearchPath(_) => {}
            Expr::Template(pieces) => {
                for piece in pieces {
                    if let Piece::Value(value) = piece {
                        value.visit(change);
                    }
                }
            }
            Expr::Select(base, _)
            | Expr::Lambda(_, base)
            | Expr::Formals(_, base)
            | Expr::Arguments(_, base) => base.visit(change),
            Expr::SelectOr(base, _, other) | Expr::With(base, other) => {
                base.visit(change);
                other.visit(change);
            }
            Expr::Index(one, two, three) | Expr::If(one, two, three) => {
                one.visit(change);
                two.visit(change);
                three.visit(change);
            }
            Expr::List(all) | Expr::Binary(_, all) => all.iter_mut().for_each(|e| e.visit(change)),
            Expr::Apply(function, arguments) => {
                function.visit(change);
                arguments.iter_mut().for_each(|e| e.visit(change));
            }
            Expr::Set(items) => visit_items(items, change),
            Expr::Let(items, body) => {
                visit_items(items, change);
                body.visit(change);
            }
        }
    }

    /// `{ }`.
    pub fn empty_set() -> Self {
        Expr::Set(Vec::new())
    }
}

fn visit_items(items: &mut [Item], change: &mut dyn FnMut(&mut Expr)) {
    for item in items {
        match item {
            Item::Bind(_, value) | Item::Inherit(Some(value), _) | Item::Take(value, _) => {
                value.visit(change);
            }
            Item::Inherit(None, _) | Item::Comment(_) | Item::Blank => {}
        }
    }
}

impl Item {
    /// `name = value;`
    pub fn bind(name: impl Into<String>, value: Expr) -> Self {
        Item::Bind(name.into(), value)
    }
}
