//! Calls: closures, and the functions of `lib` and `builtins` that package recipes use to say what
//! depends on what.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::evaluate::{Argument, join};
use super::operate::{items, limited};
use super::{Cond, Item, Reader, Set, Text, Value};

impl Reader<'_> {
    /// Calls a function.
    pub fn apply(&self, function: &Value, argument: Value) -> Value {
        match function {
            Value::Lambda(closure) => self.call_closure(closure, Argument::Value(argument)),
            Value::If(cond, yes, no) => Value::If(
                cond.clone(),
                Rc::new(self.apply(yes, argument.clone())),
                Rc::new(self.apply(no, argument)),
            ),
            other => {
                let call = Value::Call(Rc::new(other.clone()), Rc::new(argument));
                self.known_call(&call).unwrap_or(call)
            }
        }
    }

    /// The attributes that a builder is given: a set, or the result of a function of itself.
    pub fn attributes(&self, argument: &Value) -> Option<Rc<Set>> {
        match argument {
            Value::Set(set) => Some(set.clone()),
            Value::Lambda(closure) => match self.call_closure(closure, Argument::Itself) {
                Value::Set(set) => Some(set),
                _ => None,
            },
            _ => None,
        }
    }

    /// The members of a list as they are, whatever builds it; none where it is no list at all.
    pub fn list(&self, value: Value) -> Option<Vec<Item>> {
        match value {
            Value::Null => Some(Vec::new()),
            Value::List(_)
            | Value::If(..)
            | Value::Symbol(_)
            | Value::Call(..)
            | Value::Select(..) => Some(items(value)),
            _ => None,
        }
    }

    /// What an argument of a package function is when `callPackage` finds it.
    pub(super) fn argument(&self, name: &str) -> Value {
        self.known_symbol(name)
            .unwrap_or_else(|| Value::symbol(name))
    }

    /// An attribute of a symbol.
    pub(super) fn symbol(&self, symbol: &str, name: &str) -> Value {
        if symbol.is_empty() {
            return self.argument(name);
        }
        let whole = format!("{symbol}.{name}");
        self.known_symbol(&whole)
            .unwrap_or_else(|| Value::symbol(whole))
    }

    /// What a symbol means in the world that is read for.
    fn known_symbol(&self, name: &str) -> Option<Value> {
        let python = &self.world.python;
        let minor = || python.split('.').take(2).collect::<Vec<_>>().join(".");
        if let Some((of, member)) = name.rsplit_once('.')
            && (of.ends_with("Platform") || of == "stdenv")
        {
            return Cond::platform(member).map(Value::Bool);
        }
        let member = name.strip_prefix("python.").unwrap_or(name);
        Some(match member {
            "isPyPy" | "isPy2" | "isPy27" => Value::bool(false),
            "isPy3k" | "isPy3" | "isCPython" => Value::bool(true),
            "pythonVersion" => Value::text(minor()),
            "version" if name == "python.version" && python.matches('.').count() == 2 => {
                Value::text(python.clone())
            }
            "implementation" if name == "python.implementation" => Value::text("cpython"),
            other => {
                let minor = other.strip_prefix("isPy3")?;
                let is_minor = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
                is_minor.then(|| Value::bool(python.split('.').nth(1) == Some(minor)))?
            }
        })
    }

    /// An attribute of what a fetcher returns.
    pub(super) fn select_of_call(&self, call: &Value, name: &str) -> Option<Value> {
        let (function, arguments) = call.call()?;
        let [Value::Set(arguments)] = arguments.as_slice() else {
            return None;
        };
        let fetcher = function.rsplit('.').next()?;
        if !fetcher.starts_with("fetch") {
            return None;
        }
        if let Some(value) = self.member(arguments, name) {
            return Some(value);
        }
        match name {
            "name" if fetcher.starts_with("fetchFrom") || fetcher.starts_with("fetchgit") => {
                Some(Value::text("source"))
            }
            "rev" => self.member(arguments, "tag"),
            _ => None,
        }
    }

    fn known_call(&self, call: &Value) -> Option<Value> {
        let (function, arguments) = call.call()?;
        let name = library_name(function)?;
        match arguments.as_slice() {
            [one] => self.known_one(name, function, one),
            [one, two] => self.known_two(name, function, one, two),
            [one, two, three] => known_three(name, one, two, three),
            _ => None,
        }
    }

    fn known_one(&self, name: &str, function: &str, one: &Value) -> Option<Value> {
        Some(match name {
            "pythonOlder" => Value::bool(older(&self.world.python, one.as_text()?)?),
            "pythonAtLeast" => Value::bool(!older(&self.world.python, one.as_text()?)?),
            "concatLists" | "flatten" => {
                let outer = items(one.clone());
                let inner = outer.into_iter().flat_map(|item| match item.value {
                    list @ (Value::List(_) | Value::If(..)) if !item.spread => {
                        limited(items(list), &item.when)
                    }
                    _ => vec![item],
                });
                Value::List(inner.collect())
            }
            "concatStrings" => joined("", one)?,
            "concatLines" => {
                let Value::Str(mut text) = joined("\n", one)? else {
                    return None;
                };
                text.text.push('\n');
                Value::Str(text)
            }
            "attrValues" | "concatAttrValues" => {
                let Value::Set(set) = one else { return None };
                let names: Vec<String> = set.names().map(str::to_owned).collect();
                let values = names.iter().filter_map(|n| self.member(set, n));
                let spread = name == "concatAttrValues";
                Value::List(if spread {
                    values.flat_map(items).collect()
                } else {
                    values.map(Item::always).collect()
                })
            }
            "attrNames" => {
                let Value::Set(set) = one else { return None };
                Value::List(set.names().map(|n| Item::always(Value::text(n))).collect())
            }
            "singleton" => Value::List(vec![Item::always(one.clone())]),
            "unique" | "id" | "lowPrio" | "hiPrio" | "naturalSort" => one.clone(),
            "toString" => match one {
                Value::Int(number) => Value::text(number.to_string()),
                Value::Str(_) => one.clone(),
                _ => return None,
            },
            "isNull" => Value::Bool(super::operate::equal(one, &Value::Null)),
            "head" | "last" => {
                let Value::List(list) = one else { return None };
                let item = if name == "head" {
                    list.first()
                } else {
                    list.last()
                };
                item.filter(|i| i.when.is_true() && !i.spread)?
                    .value
                    .clone()
            }
            "toLower" => Value::text(one.as_text()?.to_ascii_lowercase()),
            "toUpper" => Value::text(one.as_text()?.to_ascii_uppercase()),
            "baseNameOf" => Value::text(one.as_text()?.rsplit('/').next()?),
            "fakeHash" => return None,
            "major" | "minor" | "patch" | "majorMinor" | "splitVersion"
                if function.contains("versions.") || name == "splitVersion" =>
            {
                let version = one.as_text()?;
                let parts: Vec<&str> = version.split(['.', '-', '+']).collect();
                match name {
                    "major" => Value::text(*parts.first()?),
                    "minor" => Value::text(*parts.get(1)?),
                    "patch" => Value::text(*parts.get(2)?),
                    "majorMinor" => Value::text(parts.get(..2)?.join(".")),
                    _ => {
                        let parts = parts.into_iter().map(|p| Item::always(Value::text(p)));
                        Value::List(parts.collect())
                    }
                }
            }
            "import" => {
                let Value::Path(path) = one else { return None };
                return self.file(path);
            }
            _ => return None,
        })
    }

    fn known_two(&self, name: &str, function: &str, one: &Value, two: &Value) -> Option<Value> {
        Some(match name {
            "optionals" => Value::List(limited(items(two.clone()), &one.condition())),
            "optional" => Value::List(limited(vec![Item::always(two.clone())], &one.condition())),
            "optionalString" => when(&one.condition(), two.clone(), Value::text("")),
            "optionalAttrs" => when(
                &one.condition(),
                two.clone(),
                Value::Set(Set::known(BTreeMap::new())),
            ),
            "versionOlder" => Value::bool(older(one.as_text()?, two.as_text()?)?),
            "versionAtLeast" => Value::bool(!older(one.as_text()?, two.as_text()?)?),
            "concatStringsSep" => joined(one.as_text()?, two)?,
            "removePrefix" => {
                let text = two.as_text()?;
                Value::text(text.strip_prefix(one.as_text()?).unwrap_or(text))
            }
            "removeSuffix" => {
                let text = two.as_text()?;
                Value::text(text.strip_suffix(one.as_text()?).unwrap_or(text))
            }
            "elemAt" => {
                let (Value::List(list), Value::Int(index)) = (one, two) else {
                    return None;
                };
                let item = list.get(usize::try_from(*index).ok()?)?;
                item.value.clone()
            }
            "take" => {
                let (Value::Int(count), Value::List(list)) = (one, two) else {
                    return None;
                };
                let count = usize::try_from(*count).ok()?;
                Value::List(list.iter().take(count).cloned().collect())
            }
            "splitString" => {
                let (separator, text) = (one.as_text()?, two.as_text()?);
                if separator.is_empty() {
                    return None;
                }
                let parts = text.split(separator);
                Value::List(parts.map(|p| Item::always(Value::text(p))).collect())
            }
            "filter" => {
                let kept = items(two.clone()).into_iter().filter_map(|mut item| {
                    if item.spread {
                        item.when = item.when.and(&Cond::open("filter"));
                        return Some(item);
                    }
                    let cond = self.apply(one, item.value.clone()).condition();
                    item.when = item.when.and(&cond);
                    (!item.when.is_false()).then_some(item)
                });
                Value::List(kept.collect())
            }
            "map" => {
                let mapped = items(two.clone()).into_iter().map(|mut item| {
                    if !item.spread {
                        item.value = self.apply(one, item.value);
                    }
                    item
                });
                Value::List(mapped.collect())
            }
            "mapAttrs" => {
                let Value::Set(set) = two else { return None };
                let names: Vec<String> = set.names().map(str::to_owned).collect();
                let mut members = BTreeMap::new();
                for name in names {
                    let member = self.member(set, &name)?;
                    let with_name = self.apply(one, Value::text(name.clone()));
                    members.insert(name, self.apply(&with_name, member));
                }
                Value::Set(Set::known(members))
            }
            "genAttrs" => {
                let mut members = BTreeMap::new();
                for item in items(one.clone()) {
                    let name = item.value.as_text()?.to_owned();
                    let value = self.apply(two, item.value.clone());
                    members.insert(name, value);
                }
                Value::Set(Set::known(members))
            }
            "recursiveUpdate" | "mergeAttrs" => self.update(one.clone(), two.clone()),
            "removeAttrs" => {
                let Value::Set(set) = one else { return None };
                let gone = items(two.clone());
                let gone: Vec<&str> = gone.iter().filter_map(|i| i.value.as_text()).collect();
                let names: Vec<String> = set.names().map(str::to_owned).collect();
                let kept = names.into_iter().filter(|n| !gone.contains(&n.as_str()));
                let kept = kept.filter_map(|n| Some((n.clone(), self.member(set, &n)?)));
                Value::Set(Set::known(kept.collect()))
            }
            "warn" | "trace" | "seq" | "deepSeq" | "addErrorContext" | "toFunction" => two.clone(),
            "callPackage" => {
                let (Value::Path(path), Value::Set(explicit)) = (one, two) else {
                    return None;
                };
                if function != "callPackage" {
                    return None;
                }
                let function = self.file(path)?;
                self.call_with_names(&function, explicit)
            }
            _ => return None,
        })
    }

    /// Another file of the tree, evaluated.
    fn file(&self, path: &str) -> Option<Value> {
        if let Some(text) = self.scope.text(path) {
            return self.read(path, &text).ok();
        }
        let default = join(path, "default.nix")?;
        let text = self.scope.text(&default)?;
        self.read(&default, &text).ok()
    }
}

fn known_three(name: &str, one: &Value, two: &Value, three: &Value) -> Option<Value> {
    match name {
        "warnIf" | "throwIf" | "throwIfNot" | "warnIfNot" | "assertMsg" => Some(three.clone()),
        "replaceStrings" => {
            let texts = |value: &Value| -> Option<Vec<String>> {
                items(value.clone())
                    .iter()
                    .map(|item| item.value.as_text().map(str::to_owned))
                    .collect()
            };
            let (from, to, text) = (texts(one)?, texts(two)?, three.as_text()?);
            Some(Value::text(replaced(&from, &to, text)?))
        }
        "replaceString" => {
            let (from, to) = (one.as_text()?.to_owned(), two.as_text()?.to_owned());
            Some(Value::text(replaced(&[from], &[to], three.as_text()?)?))
        }
        _ => None,
    }
}

/// `builtins.replaceStrings`: at each place the first that fits.
fn replaced(from: &[String], to: &[String], text: &str) -> Option<String> {
    if from.len() != to.len() || from.iter().any(String::is_empty) {
        return None;
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let hit = from
            .iter()
            .zip(to)
            .find(|(f, _)| rest.starts_with(f.as_str()));
        if let Some((from, to)) = hit {
            result.push_str(to);
            rest = rest.get(from.len()..)?;
        } else {
            result.push(c);
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    Some(result)
}

/// The function's own name, where a symbol names a function of `lib`, of `builtins`, or one of the
/// Python set.
fn library_name(symbol: &str) -> Option<&str> {
    let Some((of, name)) = symbol.rsplit_once('.') else {
        return Some(symbol);
    };
    let known = matches!(
        of,
        "builtins" | "lib" | "pkgs.lib" | "python" | "python.pkgs"
    ) || of.starts_with("lib.");
    known.then_some(name)
}

/// `a` where the condition holds, else `b`.
fn when(cond: &Cond, a: Value, b: Value) -> Value {
    if cond.is_true() {
        a
    } else if cond.is_false() {
        b
    } else {
        Value::If(cond.clone(), Rc::new(a), Rc::new(b))
    }
}

fn joined(separator: &str, list: &Value) -> Option<Value> {
    let Value::List(list) = list else {
        return None;
    };
    let mut whole = Text {
        text: String::new(),
        exact: true,
    };
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            whole.text.push_str(separator);
        }
        let Value::Str(text) = &item.value else {
            return None;
        };
        whole.text.push_str(&text.text);
        whole.exact &= text.exact && item.when.is_true() && !item.spread;
    }
    Some(Value::Str(whole))
}

/// Whether one version is older than another, compared as `builtins.compareVersions` does.
fn older(version: &str, than: &str) -> Option<bool> {
    let (mut a, mut b) = (components(version), components(than));
    for _ in 0..64 {
        let (x, y) = (a.next(), b.next());
        if x.is_none() && y.is_none() {
            return Some(false);
        }
        let (x, y) = (x.unwrap_or(""), y.unwrap_or(""));
        if x == y {
            continue;
        }
        return Some(component_older(x, y));
    }
    None
}

/// The runs of digits and of other characters, `.` and `-` left out.
fn components(version: &str) -> impl Iterator<Item = &str> {
    version.split(['.', '-']).flat_map(|part| {
        let mut runs = Vec::new();
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digit = first.is_ascii_digit();
            let end = rest
                .find(|c: char| c.is_ascii_digit() != digit)
                .unwrap_or(rest.len());
            let (run, next) = rest.split_at(end);
            runs.push(run);
            rest = next;
        }
        runs
    })
}

fn component_older(x: &str, y: &str) -> bool {
    match (x.parse::<u64>(), y.parse::<u64>()) {
        (Ok(x), Ok(y)) => x < y,
        (Err(_), Ok(_)) if x.is_empty() => true,
        _ if x == "pre" && y != "pre" => true,
        _ if y == "pre" => false,
        (Err(_), Ok(_)) => true,
        (Ok(_), Err(_)) => false,
        (Err(_), Err(_)) => x < y,
    }
}
