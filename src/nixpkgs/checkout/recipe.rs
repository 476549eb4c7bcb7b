//! A recipe's value to facts: what `buildPythonPackage` is given, as data.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::facts::{AttributeFacts, Kind, Names, Need, Patch, Script, Source};
use crate::nix::read::{Cond, Item, Reader, Scope, Set, Value};

/// The fragments of shell that recipes set.
const PHASES: [&str; 22] = [
    "buildPhase",
    "checkPhase",
    "configurePhase",
    "installCheckPhase",
    "installPhase",
    "patchPhase",
    "postBuild",
    "postCheck",
    "postConfigure",
    "postFixup",
    "postInstall",
    "postPatch",
    "postUnpack",
    "preBuild",
    "preCheck",
    "preConfigure",
    "preFixup",
    "preInstall",
    "preInstallCheck",
    "prePatch",
    "preUnpack",
    "unpackPhase",
];

/// The arguments of fetchers that are worth knowing.
const FETCHED: [&str; 17] = [
    "abi",
    "dist",
    "domain",
    "extension",
    "format",
    "hash",
    "name",
    "owner",
    "platform",
    "pname",
    "python",
    "repo",
    "rev",
    "sha256",
    "tag",
    "url",
    "version",
];

/// What a value turned out to be.
#[derive(Debug)]
pub(super) enum Recipe {
    /// A package.
    Package(Box<AttributeFacts>),
    /// Nothing: `null`, or an error when it is asked for.
    Absent,
    /// Something that is no package.
    Other,
    /// It cannot be known, and why.
    Unknown(String),
}

/// Reads recipes with one reader.
pub(super) struct Recipes<'r> {
    pub reader: &'r Reader<'r>,
    pub scope: &'r dyn Scope,
}

impl Recipes<'_> {
    /// What a value is.
    pub fn recipe(&self, value: &Value) -> Recipe {
        match value {
            Value::Null => Recipe::Absent,
            Value::If(cond, yes, no) => self.either(cond, yes, no),
            Value::Call(function, argument) => match function.as_ref() {
                Value::Select(base, name) if **name == *"overridePythonAttrs" => {
                    self.overridden(base, argument)
                }
                Value::Select(base, name) if **name == *"overrideAttrs" => {
                    self.changed(self.recipe(base), "overrideAttrs")
                }
                Value::Select(base, name) if **name == *"override" => {
                    self.changed(self.recipe(base), "override")
                }
                _ => self.call(value),
            },
            Value::Set(_)
            | Value::Lambda(_)
            | Value::Str(_)
            | Value::Bool(_)
            | Value::Int(_)
            | Value::List(_)
            | Value::Path(_) => Recipe::Other,
            Value::Symbol(name) => Recipe::Unknown(format!("it is `{name}`")),
            Value::Select(value, name) => {
                Recipe::Unknown(format!("it is `{}.{name}`", value.written()))
            }
            Value::Unknown(text) => Recipe::Unknown(format!("`{text}` cannot be read")),
        }
    }

    fn call(&self, value: &Value) -> Recipe {
        let Some((function, arguments)) = value.call() else {
            return Recipe::Unknown(format!("`{}` cannot be read", value.written()));
        };
        match (
            function.rsplit('.').next().unwrap_or(""),
            arguments.as_slice(),
        ) {
            ("buildPythonPackage", [one]) => self.package(Kind::Module, one),
            ("buildPythonApplication", [one]) => self.package(Kind::Application, one),
            ("mkPythonMetaPackage", [one]) => self.package(Kind::Module, one),
            ("override", [_, one]) if function.ends_with("buildPythonPackage.override") => {
                self.package(Kind::Module, one)
            }
            ("mkDerivation" | "mkDerivationWith", [.., one]) => self.package(Kind::Foreign, one),
            ("toPythonModule", [one]) => self.module(one),
            ("toPythonApplication", [one]) => self.recipe(one),
            ("disabledIf", [cond, one]) => {
                let cond = cond.condition();
                self.limited(&cond.not(), self.recipe(one))
            }
            ("throw" | "abort", _) => Recipe::Absent,
            ("recurseIntoAttrs" | "dontRecurseIntoAttrs" | "makeOverridable", _) => Recipe::Other,
            _ => Recipe::Unknown(format!("it is a call of `{function}`")),
        }
    }

    fn module(&self, value: &Value) -> Recipe {
        match self.recipe(value) {
            Recipe::Package(mut facts) if facts.kind == Kind::Application => {
                facts.kind = Kind::Module;
                Recipe::Package(facts)
            }
            other => other,
        }
    }

    fn either(&self, cond: &Cond, yes: &Value, no: &Value) -> Recipe {
        match (self.recipe(yes), self.recipe(no)) {
            (Recipe::Absent, Recipe::Absent) => Recipe::Absent,
            (package, Recipe::Absent) => self.limited(cond, package),
            (Recipe::Absent, package) => self.limited(&cond.not(), package),
            _ => Recipe::Unknown(format!(
                "it depends on `{}`",
                cond.unknown().unwrap_or("the system")
            )),
        }
    }

    /// A package that is there only where a condition holds.
    fn limited(&self, cond: &Cond, recipe: Recipe) -> Recipe {
        match recipe {
            Recipe::Package(mut facts) => {
                facts.disabled |= cond.is_false();
                if cond.unknown().is_some() {
                    facts.unknown.insert("disabled".to_owned());
                }
                Recipe::Package(facts)
            }
            other => other,
        }
    }

    /// A package whose derivation was changed in ways that its arguments do not show.
    fn changed(&self, recipe: Recipe, how: &str) -> Recipe {
        match recipe {
            Recipe::Package(mut facts) => {
                facts.unknown.insert(how.to_owned());
                Recipe::Package(facts)
            }
            other => other,
        }
    }

    fn overridden(&self, base: &Value, change: &Value) -> Recipe {
        let Some((function, arguments)) = base.call() else {
            return Recipe::Unknown(format!("it overrides `{}`", base.written()));
        };
        let kind = match function.rsplit('.').next() {
            Some("buildPythonPackage") => Kind::Module,
            Some("buildPythonApplication") => Kind::Application,
            _ => return Recipe::Unknown(format!("it overrides a call of `{function}`")),
        };
        let old = arguments.first().and_then(|a| self.reader.attributes(a));
        let Some(old) = old else {
            return Recipe::Unknown("it overrides what cannot be read".to_owned());
        };
        let old = Value::Set(old);
        let new = match change {
            Value::Lambda(_) => {
                let one = self.reader.apply(change, old.clone());
                match one {
                    // `final: prev:`, with what is final as far as it was there before
                    Value::Lambda(_) => self.reader.apply(&one, old.clone()),
                    other => other,
                }
            }
            other => other.clone(),
        };
        match self.reader.update(old, new) {
            Value::Set(set) => self.of_set(kind, &set),
            _ => Recipe::Unknown("it is overridden with what cannot be read".to_owned()),
        }
    }

    fn package(&self, kind: Kind, argument: &Value) -> Recipe {
        match self.reader.attributes(argument) {
            Some(set) => self.of_set(kind, &set),
            None => Recipe::Unknown(format!("`{}` cannot be read", argument.written())),
        }
    }

    fn of_set(&self, kind: Kind, set: &Rc<Set>) -> Recipe {
        let mut reading = Reading {
            recipes: self,
            set,
            facts: AttributeFacts {
                kind,
                ..AttributeFacts::default()
            },
        };
        reading.read();
        Recipe::Package(Box::new(reading.facts))
    }
}

/// One recipe being read.
struct Reading<'r> {
    recipes: &'r Recipes<'r>,
    set: &'r Rc<Set>,
    facts: AttributeFacts,
}

impl Reading<'_> {
    fn read(&mut self) {
        self.facts.set = self.set.names().map(str::to_owned).collect();
        if self.set.is_open() {
            self.unknown("*");
        }
        self.facts.pname = self.text("pname").unwrap_or_default();
        self.facts.version = self.text("version").unwrap_or_default();
        if let Some(name) = self.text("name").filter(|_| self.facts.pname.is_empty()) {
            let (pname, version) = split_name(&name);
            self.facts.pname = pname.to_owned();
            self.facts.version = version.to_owned();
        }
        self.facts.format = match self.flag("pyproject") {
            Some(true) => "pyproject".to_owned(),
            Some(false) => "other".to_owned(),
            None => self.text("format").unwrap_or_default(),
        };
        self.facts.disabled = self.flag("disabled") == Some(true);
        self.facts.do_check = self.flag("doCheck");
        self.facts.broken = self.broken();
        self.facts.source = self.source();
        if let Some(Value::Str(text)) = self.member("sourceRoot") {
            self.facts.source_root = Some(text.text);
        } else if self.set.has("sourceRoot") {
            self.unknown("sourceRoot");
        }
        self.facts.dependencies = self.needs(&["dependencies", "propagatedBuildInputs"]);
        self.facts.build_system = self.needs(&["build-system"]);
        self.facts.native_inputs = self.needs(&["nativeBuildInputs"]);
        self.facts.check_inputs = self.needs(&["nativeCheckInputs", "checkInputs"]);
        self.facts.inputs = self.needs(&["buildInputs"]);
        self.facts.optional = self.optional();
        self.facts.patches = self.patches();
        self.facts.disabled_tests = self.texts("disabledTests");
        self.facts.disabled_test_paths = self.texts("disabledTestPaths");
        self.facts.relaxed = self.names("pythonRelaxDeps");
        self.facts.removed = self.names("pythonRemoveDeps");
        self.cargo();
        self.phases();
    }

    fn unknown(&mut self, name: &str) {
        self.facts.unknown.insert(name.to_owned());
    }

    fn member(&self, name: &str) -> Option<Value> {
        self.recipes.reader.member(self.set, name)
    }

    /// A string; none, and unknown, where there is one that is not wholly known.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.member(name)?;
        let text = value.as_text().map(str::to_owned);
        if text.is_none() && !matches!(value, Value::Null) {
            self.unknown(name);
        }
        text
    }

    /// A flag; none where it is not set, and unknown where it is not the same everywhere.
    fn flag(&mut self, name: &str) -> Option<bool> {
        let cond = match self.member(name)? {
            Value::Null => return None,
            value => value.condition(),
        };
        if cond.is_true() {
            return Some(true);
        }
        if cond.is_false() {
            return Some(false);
        }
        self.unknown(name);
        None
    }

    fn broken(&self) -> bool {
        let Some(Value::Set(meta)) = self.member("meta") else {
            return false;
        };
        let broken = self.recipes.reader.member(&meta, "broken");
        broken.is_some_and(|value| matches!(&value, Value::Bool(c) if c.is_true()))
    }

    fn source(&mut self) -> Option<Source> {
        if !self.set.has("src") {
            return None;
        }
        let value = self.member("src")?;
        let plain = |fetcher: &str, argument: &str, text: &str| {
            Some(Source {
                fetcher: fetcher.to_owned(),
                arguments: BTreeMap::from([(argument.to_owned(), text.to_owned())]),
            })
        };
        match &value {
            Value::Path(path) => return plain("path", "path", path),
            Value::Symbol(name) => {
                if let Some(of) = name.strip_suffix(".src") {
                    return plain("inherit", "attribute", of);
                }
            }
            Value::Call(..) => {
                if let Some((function, arguments)) = value.call()
                    && let [argument] = arguments.as_slice()
                    && let Some(arguments) = self.recipes.reader.attributes(argument)
                {
                    return Some(self.fetched(function, &arguments));
                }
            }
            _ => {}
        }
        self.unknown("src");
        None
    }

    fn fetched(&self, function: &str, arguments: &Rc<Set>) -> Source {
        let known = FETCHED.iter().filter_map(|name| {
            let value = self.recipes.reader.member(arguments, name)?;
            Some(((*name).to_owned(), value.as_text()?.to_owned()))
        });
        Source {
            fetcher: function.rsplit('.').next().unwrap_or(function).to_owned(),
            arguments: known.collect(),
        }
    }

    /// The needs that several lists name together; none where one of them is not wholly known.
    fn needs(&mut self, names: &[&str]) -> Option<Vec<Need>> {
        let mut all = Vec::new();
        let mut complete = !self.set.is_open();
        for name in names {
            let Some(value) = self.member(name) else {
                continue;
            };
            let whole = self.add_needs(value, &mut all);
            if !whole {
                self.unknown(name);
                complete = false;
            }
        }
        complete.then_some(all)
    }

    fn add_needs(&self, value: Value, needs: &mut Vec<Need>) -> bool {
        let Some(items) = self.recipes.reader.list(value) else {
            return false;
        };
        let mut whole = true;
        for item in items {
            whole &= self.add_need(&item, needs);
        }
        whole
    }

    fn add_need(&self, item: &Item, needs: &mut Vec<Need>) -> bool {
        let name = match &item.value {
            // nixpkgs' builders ignore these
            Value::Null | Value::Str(_) => return true,
            Value::Symbol(name) => name.as_ref(),
            Value::If(cond, yes, no) => {
                let part = |value: &Rc<Value>, cond: Cond| Item {
                    value: value.as_ref().clone(),
                    when: item.when.and(&cond),
                    spread: item.spread,
                };
                let first = self.add_need(&part(yes, cond.clone()), needs);
                return self.add_need(&part(no, cond.not()), needs) && first;
            }
            Value::List(items) if item.spread => {
                return items.iter().all(|item| self.add_need(item, needs));
            }
            // a variant of the same project
            other => match other.call() {
                Some((function, _)) if !item.spread => {
                    let of = function.strip_suffix(".override");
                    let of = of.or_else(|| function.strip_suffix(".overridePythonAttrs"));
                    match of {
                        Some(name) => name,
                        None => return false,
                    }
                }
                _ => return false,
            },
        };
        let Some(mut need) = self.need(name, item.spread) else {
            return false;
        };
        if item.when.is_false() {
            return true;
        }
        need.systems = item.when.systems();
        need.condition = item.when.unknown().map(str::to_owned);
        merge(needs, need);
        true
    }

    /// The attribute that a symbol names.
    fn need(&self, symbol: &str, spread: bool) -> Option<Need> {
        const PYTHON: [&str; 5] = [
            "python.pkgs.",
            "python3Packages.",
            "pythonPackages.",
            "python3.pkgs.",
            "self.",
        ];
        let stripped = PYTHON.iter().find_map(|p| symbol.strip_prefix(p));
        let (name, of_python) = match stripped {
            Some(name) => (name, true),
            None => (symbol, false),
        };
        if let Some((of, extra)) = name.split_once(".optional-dependencies.") {
            return Some(Need {
                extras: vec![extra.to_owned()],
                ..Need::new(of)
            });
        }
        if spread {
            return None;
        }
        if let Some(name) = name.strip_prefix("pkgs.") {
            return Some(Need {
                top_level: true,
                ..Need::new(name)
            });
        }
        let first = name.split('.').next().unwrap_or(name);
        let member = of_python || self.recipes.scope.has(first);
        Some(Need {
            top_level: !member,
            // outputs of a member (`foo.dev`) are the member's
            ..Need::new(if member { first } else { name })
        })
    }

    fn optional(&mut self) -> Option<BTreeMap<String, Vec<Need>>> {
        let own = self.member("optional-dependencies");
        let value = own.or_else(|| match self.member("passthru") {
            Some(Value::Set(passthru)) => {
                let reader = self.recipes.reader;
                let extras = reader.member(&passthru, "optional-dependencies");
                extras.or_else(|| reader.member(&passthru, "extras-require"))
            }
            _ => None,
        });
        let mut all = BTreeMap::new();
        let extras = match value {
            None => return Some(all),
            Some(Value::Set(extras)) => extras,
            Some(_) => {
                self.unknown("optional-dependencies");
                return None;
            }
        };
        let names: Vec<String> = extras.names().map(str::to_owned).collect();
        for name in names {
            let mut needs = Vec::new();
            let value = self.recipes.reader.member(&extras, &name);
            if value.is_some_and(|value| self.add_needs(value, &mut needs)) {
                all.insert(name, needs);
            } else {
                self.unknown(&format!("optional-dependencies.{name}"));
            }
        }
        if extras.is_open() {
            self.unknown("optional-dependencies");
        }
        Some(all)
    }

    fn patches(&mut self) -> Option<Vec<Patch>> {
        let Some(value) = self.member("patches") else {
            return Some(Vec::new());
        };
        let Some(items) = self.recipes.reader.list(value) else {
            self.unknown("patches");
            return None;
        };
        let mut patches = Vec::new();
        for item in items {
            patches.push(match &item.value {
                Value::Path(path) => Patch::File(path.to_string()),
                other => self
                    .address(other)
                    .map_or_else(|| Patch::Other(other.written()), Patch::Fetched),
            });
            if item.spread {
                self.unknown("patches");
            }
        }
        Some(patches)
    }

    fn address(&self, value: &Value) -> Option<String> {
        let (_, arguments) = value.call()?;
        let Value::Set(arguments) = arguments.first()? else {
            return None;
        };
        let url = self.recipes.reader.member(arguments, "url")?;
        url.as_text().map(str::to_owned)
    }

    fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let Some(value) = self.member(name) else {
            return Some(Vec::new());
        };
        let items = self.recipes.reader.list(value);
        let texts = items.and_then(|items| {
            let text = |item: &Item| item.value.as_text().map(str::to_owned);
            items.iter().map(text).collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.unknown(name);
        }
        texts
    }

    fn names(&mut self, name: &str) -> Option<Names> {
        match self.member(name) {
            Some(Value::Bool(cond)) if cond.is_true() => Some(Names::All),
            Some(Value::Bool(cond)) if cond.is_false() => Some(Names::default()),
            _ => self.texts(name).map(Names::Some),
        }
    }

    fn cargo(&mut self) {
        let Some(value) = self.member("cargoDeps") else {
            return;
        };
        let function = value.call().map(|(function, _)| function.to_owned());
        let name = function.and_then(|f| f.rsplit('.').next().map(str::to_owned));
        if name.is_none() {
            self.unknown("cargoDeps");
        }
        self.facts.cargo_deps = Some(name.unwrap_or_default());
    }

    fn phases(&mut self) {
        for name in PHASES {
            match self.member(name) {
                None | Some(Value::Null) => {}
                Some(Value::Str(text)) => {
                    let script = Script {
                        text: text.text,
                        exact: text.exact,
                    };
                    self.facts.phases.insert(name.to_owned(), script);
                }
                Some(Value::If(_, yes, no)) => {
                    let known = [yes, no]
                        .into_iter()
                        .find_map(|value| match value.as_ref() {
                            Value::Str(text) if !text.text.is_empty() => Some(text.text.clone()),
                            _ => None,
                        });
                    let script = Script {
                        text: known.unwrap_or_default(),
                        exact: false,
                    };
                    self.facts.phases.insert(name.to_owned(), script);
                }
                Some(_) => self.unknown(name),
            }
        }
    }
}

/// Adds a need; the same one under several conditions becomes one.
fn merge(needs: &mut Vec<Need>, need: Need) {
    let Some(known) = needs
        .iter_mut()
        .find(|n| n.attr == need.attr && n.top_level == need.top_level)
    else {
        needs.push(need);
        return;
    };
    known.extras.extend(need.extras);
    known.extras.sort();
    known.extras.dedup();
    if known.systems.is_empty() || need.systems.is_empty() {
        known.systems.clear();
    } else {
        known.systems.extend(need.systems);
        known.systems.sort();
        known.systems.dedup();
        if known.systems.len() == crate::nix::read::SYSTEMS.len() {
            known.systems.clear();
        }
    }
    if need.condition.is_none() {
        known.condition = None;
    }
}

/// `builtins.parseDrvName`: the version starts at the first dash that no letter follows.
fn split_name(name: &str) -> (&str, &str) {
    let starts = |(at, _): &(usize, &str)| {
        let next = name.as_bytes().get(at + 1);
        next.is_some_and(|b| !b.is_ascii_alphabetic())
    };
    match name.match_indices('-').find(starts) {
        Some((at, _)) => (
            name.get(..at).unwrap_or(name),
            name.get(at + 1..).unwrap_or(""),
        ),
        None => (name, ""),
    }
}
