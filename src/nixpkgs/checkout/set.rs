//! The file that lists a tree's Python packages: what each attribute is defined as.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::recipe::{Recipe, Recipes};
use crate::nix::read::{Reader, Scope, Set, Value, World};
use crate::nixpkgs::facts::AttributeFacts;

/// What an attribute is defined as; nothing of it is tied to a thread.
#[derive(Debug, Clone)]
pub(super) enum Definition {
    /// A recipe's file, called with these arguments besides those found by name.
    File {
        path: String,
        explicit: BTreeMap<String, Plain>,
        /// What was done to the result that its arguments do not show.
        changed: Option<&'static str>,
    },
    /// Another attribute.
    Alias(String),
    /// Written in place.
    Inline(Box<AttributeFacts>),
    /// A top-level package made a member.
    TopLevel(String),
    /// Not there: `null`, an error, or not for this interpreter.
    Absent,
    /// No package.
    Other,
    /// It cannot be known, and why.
    Unknown(String),
}

/// An argument, as far as it is needed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Path(String),
    Symbol(String),
    Opaque(String),
}

impl Plain {
    fn new(value: &Value) -> Self {
        match value {
            Value::Null => Plain::Null,
            Value::Bool(cond) if cond.is_true() => Plain::Bool(true),
            Value::Bool(cond) if cond.is_false() => Plain::Bool(false),
            Value::Int(number) => Plain::Int(*number),
            Value::Str(text) if text.exact => Plain::Text(text.text.clone()),
            Value::Path(path) => Plain::Path(path.to_string()),
            Value::Symbol(name) => Plain::Symbol(name.to_string()),
            other => match other.call() {
                // a variant of a package
                Some((function, _)) if function.ends_with(".override") => {
                    Plain::Symbol(function.trim_end_matches(".override").to_owned())
                }
                _ => Plain::Opaque(other.written()),
            },
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::bool(*value),
            Plain::Int(number) => Value::Int(*number),
            Plain::Text(text) => Value::text(text.as_str()),
            Plain::Path(path) => Value::Path(path.as_str().into()),
            Plain::Symbol(name) => Value::symbol(name.as_str()),
            Plain::Opaque(text) => Value::Unknown(text.as_str().into()),
        }
    }
}

/// The names of the set's members, once its file is evaluated.
pub(super) fn members(reader: &Reader<'_>, path: &str, text: &str) -> Result<Rc<Set>, String> {
    let mut value = reader.read(path, text).map_err(|e| e.to_string())?;
    // `self: super: { … }`; a set as it is will do
    for _ in 0..3 {
        match value {
            Value::Set(set) => return Ok(set),
            Value::Lambda(_) => value = reader.apply(&value, Value::symbol("")),
            other => return Err(format!("`{}` is not a set of packages", other.written())),
        }
    }
    Err("it is not a set of packages".to_owned())
}

/// Names of other files' sets of aliases (`python-aliases.nix`), each with what it stands for.
pub(super) fn aliases(
    world: &World,
    scope: &dyn Scope,
    path: &str,
    text: &str,
) -> BTreeMap<String, Option<String>> {
    let reader = Reader::new(world, scope);
    let Ok(mut value) = reader.read(path, text) else {
        return BTreeMap::new();
    };
    for _ in 0..4 {
        match &value {
            Value::Lambda(_) => value = reader.apply(&value, Value::symbol("")),
            Value::Call(_, argument) => value = argument.as_ref().clone(),
            _ => break,
        }
    }
    let Value::Set(set) = value else {
        return BTreeMap::new();
    };
    let target = |name: &str| {
        let value = reader.member(&set, name)?;
        value.as_symbol().map(str::to_owned)
    };
    set.names().map(|n| (n.to_owned(), target(n))).collect()
}

/// Reads definitions.
pub(super) struct Definitions<'r> {
    /// For the list itself: opens no recipes.
    pub list: &'r Reader<'r>,
    /// For recipes that stand in the list.
    pub recipes: &'r Recipes<'r>,
    pub set: &'r Rc<Set>,
    pub names: &'r BTreeSet<String>,
    /// Below which the files of members stand.
    pub modules: &'r str,
}

impl Definitions<'_> {
    /// What a member is defined as.
    pub fn define(&self, name: &str) -> Definition {
        self.list.refresh();
        self.recipes.reader.refresh();
        match self.list.member(self.set, name) {
            Some(value) => self.of_value(&value, 0),
            None => Definition::Other,
        }
    }

    fn of_value(&self, value: &Value, depth: u8) -> Definition {
        if depth > 8 {
            return Definition::Unknown("it is wrapped too often".to_owned());
        }
        match value {
            Value::Null => Definition::Absent,
            Value::Symbol(name) => self.of_symbol(name),
            Value::If(cond, yes, no) => {
                let (yes, no) = (self.of_value(yes, depth + 1), self.of_value(no, depth + 1));
                match (yes, no) {
                    (package, Definition::Absent) | (Definition::Absent, package) => package,
                    _ => Definition::Unknown(format!(
                        "it depends on `{}`",
                        cond.unknown().unwrap_or("the system")
                    )),
                }
            }
            Value::Call(function, argument) => self.of_call(value, function, argument, depth),
            // an output of a package
            Value::Select(inner, name)
                if matches!(name.as_ref(), "py" | "python" | "dev" | "out") =>
            {
                self.of_value(inner, depth + 1)
            }
            other => self.inline(other),
        }
    }

    fn of_symbol(&self, name: &str) -> Definition {
        if let Some(name) = name.strip_prefix("pkgs.") {
            return Definition::TopLevel(name.to_owned());
        }
        let first = name.split('.').next().unwrap_or(name);
        if name == first && self.names.contains(name) {
            return Definition::Alias(name.to_owned());
        }
        Definition::Other
    }

    fn of_call(&self, value: &Value, function: &Value, argument: &Value, depth: u8) -> Definition {
        if let Value::Select(base, name) = function {
            return self.of_method(base, name, argument, depth);
        }
        let Some((function, arguments)) = value.call() else {
            return self.inline(value);
        };
        if let Some((of, "override")) = function.rsplit_once('.') {
            let base = self.of_symbol(of);
            return self.with_arguments(self.follow(base), argument);
        }
        let method = function.rsplit_once('.');
        if let Some((of, method @ ("overridePythonAttrs" | "overrideAttrs"))) = method {
            let base = self.follow(self.of_symbol(of));
            return self.overridden(base, method == "overridePythonAttrs", argument);
        }
        match (function, arguments.as_slice()) {
            ("callPackage" | "callPackages", [Value::Path(path), Value::Set(explicit)]) => {
                Definition::File {
                    path: path.to_string(),
                    explicit: self.plain(explicit),
                    changed: None,
                }
            }
            ("toPythonModule" | "toPythonApplication", [one]) => self.of_value(one, depth + 1),
            ("disabledIf", [cond, one]) => {
                let cond = cond.condition();
                if cond.is_true() {
                    Definition::Absent
                } else {
                    self.of_value(one, depth + 1)
                }
            }
            _ => self.inline(value),
        }
    }

    /// `base.override`, `base.overridePythonAttrs` … of a call.
    fn of_method(&self, base: &Value, name: &str, argument: &Value, depth: u8) -> Definition {
        let base = self.of_value(base, depth + 1);
        match name {
            "override" => self.with_arguments(base, argument),
            name => self.overridden(base, name == "overridePythonAttrs", argument),
        }
    }

    /// The definition that an alias leads to.
    fn follow(&self, mut definition: Definition) -> Definition {
        for _ in 0..8 {
            match definition {
                Definition::Alias(name) => definition = self.define(&name),
                other => return other,
            }
        }
        Definition::Unknown("it is an alias of itself".to_owned())
    }

    fn with_arguments(&self, base: Definition, argument: &Value) -> Definition {
        match base {
            Definition::File {
                path,
                mut explicit,
                changed,
            } => {
                match self.recipes.reader.attributes(argument) {
                    Some(set) => explicit.extend(self.plain(&set)),
                    None => return Definition::Unknown("it has unknown arguments".to_owned()),
                }
                Definition::File {
                    path,
                    explicit,
                    changed,
                }
            }
            other => other,
        }
    }

    /// A member with other attributes: read at once, as the change cannot be told to others.
    fn overridden(&self, base: Definition, by_arguments: bool, change: &Value) -> Definition {
        let Definition::File {
            path,
            explicit,
            changed,
        } = base
        else {
            return base;
        };
        if !by_arguments {
            return Definition::File {
                path,
                explicit,
                changed: Some("overrideAttrs"),
            };
        }
        let reader = self.recipes.reader;
        let Some((file, text)) = super::recipe_text(self.recipes.scope, &path) else {
            return Definition::Unknown(format!("`{path}` cannot be read"));
        };
        let explicit = values(&explicit);
        let Ok(base) = reader.call_package(&file, &text, &explicit) else {
            return Definition::Unknown(format!("`{file}` cannot be read"));
        };
        let method = Value::Select(Rc::new(base), "overridePythonAttrs".into());
        let value = Value::Call(Rc::new(method), Rc::new(change.clone()));
        match self.recipes.recipe(&value) {
            Recipe::Package(mut facts) => {
                facts.file = file;
                facts.unknown.extend(changed.map(str::to_owned));
                Definition::Inline(facts)
            }
            other => of_recipe(other),
        }
    }

    fn inline(&self, value: &Value) -> Definition {
        match self.recipes.recipe(value) {
            Recipe::Package(mut facts) => {
                self.modules.clone_into(&mut facts.file);
                Definition::Inline(facts)
            }
            other => of_recipe(other),
        }
    }

    fn plain(&self, set: &Rc<Set>) -> BTreeMap<String, Plain> {
        let value = |name: &str| self.recipes.reader.member(set, name);
        set.names()
            .filter_map(|name| Some((name.to_owned(), Plain::new(&value(name)?))))
            .collect()
    }
}

pub(super) fn values(plain: &BTreeMap<String, Plain>) -> Rc<Set> {
    let members = plain.iter().map(|(name, p)| (name.clone(), p.value()));
    Set::known(members.collect())
}

fn of_recipe(recipe: Recipe) -> Definition {
    match recipe {
        Recipe::Package(facts) => Definition::Inline(facts),
        Recipe::Absent => Definition::Absent,
        Recipe::Other => Definition::Other,
        Recipe::Unknown(why) => Definition::Unknown(why),
    }
}
