//! Edits of a module in place: what does not change keeps its bytes.
//!
//! rnix finds the places, the edits are of the text. Where a place is not as it should be (a version
//! that is computed, two packages in one file), there is no edit.

mod argument;

use std::collections::BTreeSet;
use std::ops::Range;

use rnix::ast::{self, HasEntry as _};
use rowan::ast::AstNode as _;

use super::tree::attr_text;
pub(super) use argument::is_head;

use crate::nix::read::parse;
use crate::nix::text;

/// A module's text with the edits that are to be made. What is added where something was taken away
/// goes into the text that [`Editor::finish`] gives.
pub struct Editor {
    text: String,
    root: ast::Expr,
    set: ast::AttrSet,
    edits: Vec<(Range<usize>, String)>,
}

impl Editor {
    /// For a module's text.
    ///
    /// # Errors
    /// A sentence, where it is no Nix, or has not exactly one package.
    pub fn new(text: &str) -> Result<Self, String> {
        let root = parse(text).map_err(|error| error.to_string())?;
        let mut sets: Vec<ast::AttrSet> = root
            .syntax()
            .descendants()
            .filter_map(ast::AttrSet::cast)
            .filter(|set| has(set, "version") && has(set, "src"))
            .collect();
        if sets.is_empty() {
            sets = root
                .syntax()
                .descendants()
                .filter_map(ast::AttrSet::cast)
                .filter(|set| has(set, "version") && has(set, "pname"))
                .collect();
        }
        match (sets.pop(), sets.len()) {
            (Some(set), 0) => Ok(Self {
                text: text.to_owned(),
                root,
                set,
                edits: Vec::new(),
            }),
            (None, _) => Err("it has no package with a version and a source".to_owned()),
            (Some(_), more) => Err(format!("it has {} packages", more + 1)),
        }
    }

    /// The value of a binding of the package, or of the variable that it is inherited from.
    fn value(&self, name: &str) -> Option<ast::Expr> {
        let own = binding(&self.set, name).and_then(|b| b.value());
        match own {
            Some(ast::Expr::Ident(ident)) => self.variable(&ident.syntax().text().to_string()),
            Some(value) => Some(value),
            None => self.variable(name).filter(|_| has(&self.set, name)),
        }
    }

    /// What a `let` binds a name to, where one does.
    fn variable(&self, name: &str) -> Option<ast::Expr> {
        let lets = self
            .root
            .syntax()
            .descendants()
            .filter_map(ast::LetIn::cast);
        let mut found = lets.filter_map(|inner| {
            let mut all = inner.attrpath_values();
            all.find(|b| named(b, name)).and_then(|b| b.value())
        });
        found.next().filter(|_| found.next().is_none())
    }

    /// Sets the version.
    ///
    /// # Errors
    /// A sentence, where it is not written as one text.
    pub fn version(&mut self, new: &str) -> Result<(), String> {
        let value = self
            .value("version")
            .ok_or("its version is not written in it")?;
        let literal = literal(&value).ok_or("its version is computed")?;
        self.edits.push((literal.0, text::string(new)));
        Ok(())
    }

    /// Sets the digest of the source; an old `sha256 = …` becomes `hash = …`.
    ///
    /// # Errors
    /// A sentence, where it is not written as one text.
    pub fn hash(&mut self, sri: &str) -> Result<(), String> {
        let set = self.fetcher()?;
        let binding = ["hash", "sha256"]
            .iter()
            .find_map(|name| binding(&set, name));
        let binding = binding.ok_or("its source has no hash")?;
        let value = binding.value().ok_or("its source has no hash")?;
        let (place, _) = literal(&value).ok_or("the hash of its source is computed")?;
        if let Some(path) = binding
            .attrpath()
            .filter(|path| path.syntax().text() == "sha256")
        {
            self.edits.push((range(path.syntax()), "hash".to_owned()));
        }
        self.edits.push((place, text::string(sri)));
        Ok(())
    }

    /// Sets an argument of the fetcher that is written as a text, or inherited from the package.
    ///
    /// # Errors
    /// A sentence, where it is neither.
    pub fn argument(&mut self, name: &str, new: &str) -> Result<(), String> {
        let set = self.fetcher()?;
        if let Some(value) = binding(&set, name).and_then(|b| b.value()) {
            let (place, _) =
                literal(&value).ok_or(format!("`{name}` of its source is computed"))?;
            self.edits.push((place, text::string(new)));
            return Ok(());
        }
        for inherit in set.inherits() {
            let attrs: Vec<ast::Attr> = inherit.attrs().collect();
            let at = attrs
                .iter()
                .position(|a| attr_text(a).as_deref() == Some(name));
            let Some(attr) = at.and_then(|at| attrs.get(at)) else {
                continue;
            };
            let place = range(inherit.syntax());
            let gap = self.gap(place.start);
            let bound = format!("{name} = {};", text::string(new));
            if attrs.len() == 1 {
                self.edits.push((place, bound));
            } else {
                self.edits
                    .push((place.start..place.start, format!("{bound}{gap}")));
                let mut gone = range(attr.syntax());
                gone.start -= self.blank_before(gone.start);
                self.edits.push((gone, String::new()));
            }
            return Ok(());
        }
        Err(format!("`{name}` of its source is not written in it"))
    }

    /// Puts the new version in the place of the old one in a text argument of the fetcher; whether the
    /// old one stands there.
    pub fn reversioned(&mut self, name: &str, old: &str, new: &str) -> bool {
        let Ok(set) = self.fetcher() else {
            return false;
        };
        let value = binding(&set, name).and_then(|b| b.value());
        let Some((place, written)) = value.as_ref().and_then(literal) else {
            return false;
        };
        if !written.contains(old) {
            return false;
        }
        self.edits
            .push((place, text::string(&written.replace(old, new))));
        true
    }

    /// The names that the fetcher is given.
    pub fn fetcher_arguments(&self) -> BTreeSet<String> {
        self.fetcher()
            .map(|set| super::tree::names(&set))
            .unwrap_or_default()
    }

    /// The fetcher's arguments.
    fn fetcher(&self) -> Result<ast::AttrSet, String> {
        let src = self.value("src").ok_or("its source is not written in it")?;
        let mut sets = src.syntax().descendants().filter_map(ast::AttrSet::cast);
        sets.find(|set| has(set, "hash") || has(set, "sha256"))
            .ok_or_else(|| "its source has no hash".to_owned())
    }

    /// The list under the first of these names that the package has.
    fn list(&self, names: &[&str]) -> Option<ast::List> {
        let value = names
            .iter()
            .find_map(|name| binding(&self.set, name)?.value())?;
        first_list(value)
    }

    /// Every item of the lists under the first of these names that the package has, conditional ones
    /// too.
    fn all_items(&self, names: &[&str]) -> Vec<ast::Expr> {
        let value = names
            .iter()
            .find_map(|name| binding(&self.set, name)?.value());
        let lists = value.into_iter().flat_map(|value| all_lists(&value));
        lists
            .flat_map(|list| list.items().collect::<Vec<_>>())
            .collect()
    }

    /// Whether a list under the first of these names has an attribute.
    pub fn lists(&self, names: &[&str], attr: &str) -> bool {
        self.all_items(names).iter().any(|item| is(item, attr))
    }

    /// Adds an attribute to a list of the package, and to the arguments.
    ///
    /// # Errors
    /// A sentence, where there is no place for it.
    pub fn add(&mut self, names: &[&str], attrs: &[String], after: &[&str]) -> Result<(), String> {
        if attrs.is_empty() {
            return Ok(());
        }
        match self.list(names) {
            Some(list) => {
                for attr in attrs {
                    self.insert_item(&list, attr)?;
                }
            }
            None if names.iter().any(|name| has(&self.set, name)) => {
                return Err(format!("`{}` is not written as a list", names.join("`, `")));
            }
            None => self.new_list(names, attrs, after)?,
        }
        let anchors: Vec<String> = self.items(names);
        self.add_arguments(attrs, names, &anchors)?;
        Ok(())
    }

    fn items(&self, names: &[&str]) -> Vec<String> {
        let list = self.list(names);
        let items = list.iter().flat_map(ast::List::items);
        items.map(|item| item.syntax().text().to_string()).collect()
    }

    fn insert_item(&mut self, list: &ast::List, attr: &str) -> Result<(), String> {
        let items: Vec<(Range<usize>, String)> = list
            .items()
            .map(|item| (range(item.syntax()), item.syntax().text().to_string()))
            .collect();
        let Some((last, _)) = items.last() else {
            let place = range(list.syntax());
            // Several that go into an empty list go in one after the other.
            let open = place.start + 1;
            self.edits.push((open..open, format!(" {attr}")));
            return Ok(());
        };
        let sorted = items.windows(2).all(|pair| match pair {
            [a, b] => a.1 <= b.1,
            _ => true,
        });
        let before = items
            .iter()
            .find(|(_, text)| sorted && text.as_str() > attr);
        match before {
            Some((place, _)) => {
                let at = self.with_comments(place.start);
                let gap = self.gap(at);
                self.edits.push((at..at, format!("{attr}{gap}")));
            }
            None => {
                let at = self.end_of_comment(last.end);
                let gap = self.gap(last.start);
                self.edits.push((at..at, format!("{gap}{attr}")));
            }
        }
        Ok(())
    }

    /// A list that the package has not yet, behind the last of `after` that it has.
    fn new_list(&mut self, names: &[&str], attrs: &[String], after: &[&str]) -> Result<(), String> {
        let name = names.first().copied().unwrap_or_default();
        let behind = after.iter().rev().find_map(|name| binding(&self.set, name));
        let behind = behind.ok_or_else(|| format!("there is no place for `{name}`"))?;
        let place = range(behind.syntax());
        let indent = self.indent(place.start);
        let attrs = attrs.join(" ");
        let list = format!("\n\n{indent}{name} = [ {attrs} ];");
        let at = self.end_of_comment(place.end);
        self.edits.push((at..at, list));
        Ok(())
    }

    /// Takes an attribute out of a list, and out of the arguments where nothing else names it. Whether
    /// it was there.
    pub fn remove(&mut self, names: &[&str], attr: &str) -> bool {
        let items = self.all_items(names);
        let Some(item) = items.iter().find(|item| is(item, attr)) else {
            return false;
        };
        let mut gone = range(item.syntax());
        gone.start -= self.blank_before(gone.start);
        gone.end = self.end_of_comment(gone.end);
        self.edits.push((gone, String::new()));
        if self.uses(attr) == 1 {
            self.remove_argument(attr);
        }
        true
    }

    /// How often the module's body names a variable.
    fn uses(&self, name: &str) -> usize {
        let Some(pattern) = pattern(&self.root) else {
            return 0;
        };
        let head = range(pattern.syntax());
        let idents = self
            .root
            .syntax()
            .descendants()
            .filter_map(ast::Ident::cast);
        idents
            .filter(|ident| ident.syntax().text() == name)
            .filter(|ident| {
                let place = range(ident.syntax());
                let is_attribute = ident
                    .syntax()
                    .parent()
                    .is_some_and(|parent| ast::Attrpath::can_cast(parent.kind()));
                let is_argument = head.start <= place.start && place.end <= head.end;
                !is_attribute && !is_argument
            })
            .count()
    }

    /// How much white space stands before a place.
    fn blank_before(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.len() - before.trim_end().len()
    }

    /// The white space before a place, as it would stand between two like it: a line break with the
    /// indentation, or a space.
    fn gap(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let blank = before.get(before.trim_end().len()..).unwrap_or_default();
        match blank.rfind('\n') {
            Some(line) => blank.get(line..).unwrap_or("\n").to_owned(),
            None => " ".to_owned(),
        }
    }

    /// The indentation of the line of a place.
    fn indent(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.chars()
            .take_while(|c| *c == ' ' || *c == '\t')
            .collect()
    }

    /// The start of the comments right above a place.
    fn with_comments(&self, at: usize) -> usize {
        let mut start = at;
        loop {
            let before = self.text.get(..start).unwrap_or_default().trim_end();
            let line = before.rsplit('\n').next().unwrap_or_default();
            if !line.trim_start().starts_with('#') {
                return start;
            }
            start = before.len() - line.trim_start().len();
        }
    }

    /// The end of the comment behind a place on its line, or the place itself.
    fn end_of_comment(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        if line.trim_start().starts_with('#') {
            at + line.len()
        } else {
            at
        }
    }

    /// The text with all edits.
    ///
    /// # Errors
    /// A sentence, where edits meet or the result is no Nix.
    pub fn finish(mut self) -> Result<String, String> {
        // Edits at one place stay in the order in which they were made.
        self.edits
            .sort_by_key(|(place, _)| (place.start, place.end));
        let mut out = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for (place, new) in &self.edits {
            let kept = self.text.get(at..place.start);
            out.push_str(kept.ok_or("two of the edits meet")?);
            out.push_str(new);
            at = place.end.max(at);
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        parse(&out).map_err(|error| format!("the edited text is no Nix: {error}"))?;
        Ok(out)
    }
}

/// The text as nixfmt has it, where it had nothing to say of the text before.
///
/// # Errors
/// A sentence, where it cannot be formatted.
pub fn formatted(before: &str, after: String) -> Result<String, String> {
    if nixfmt_rs::format(before).is_ok_and(|text| text == before) {
        return nixfmt_rs::format(&after).map_err(|error| error.to_string());
    }
    Ok(after)
}

/// Lines of a text on which an old version still stands after an edit, from 1.
pub fn lines_with(text: &str, old: &str) -> Vec<usize> {
    let stands = |line: &str| {
        line.match_indices(old).any(|(at, _)| {
            let before = line.get(..at).and_then(|l| l.chars().next_back());
            let after = line.get(at + old.len()..).and_then(|l| l.chars().next());
            let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
            !part(before) && !part(after)
        })
    };
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| old.contains('.') && stands(line))
        .map(|(n, _)| n + 1)
        .collect()
}

fn range(node: &rnix::SyntaxNode) -> Range<usize> {
    let range = node.text_range();
    usize::from(range.start())..usize::from(range.end())
}

/// The arguments in braces of the function that a module is.
fn pattern(root: &ast::Expr) -> Option<ast::Pattern> {
    match root {
        ast::Expr::Lambda(lambda) => match lambda.param()? {
            ast::Param::Pattern(pattern) => Some(pattern),
            ast::Param::IdentParam(_) => None,
        },
        _ => None,
    }
}

fn named(binding: &ast::AttrpathValue, name: &str) -> bool {
    let mut attrs = binding.attrpath().into_iter().flat_map(|path| path.attrs());
    let first = attrs.next().and_then(|attr| attr_text(&attr));
    first.as_deref() == Some(name) && attrs.next().is_none()
}

fn binding(set: &ast::AttrSet, name: &str) -> Option<ast::AttrpathValue> {
    set.attrpath_values().find(|binding| named(binding, name))
}

/// Whether a set binds a name, or inherits it.
fn has(set: &ast::AttrSet, name: &str) -> bool {
    let mut inherited = set.inherits().flat_map(|inherit| inherit.attrs());
    binding(set, name).is_some() || inherited.any(|a| attr_text(&a).as_deref() == Some(name))
}

/// A text that is written as it is: where, and what.
fn literal(value: &ast::Expr) -> Option<(Range<usize>, String)> {
    let ast::Expr::Str(string) = value else {
        return None;
    };
    match string.normalized_parts().as_slice() {
        [] => Some((range(string.syntax()), String::new())),
        [ast::InterpolPart::Literal(text)] => Some((range(string.syntax()), text.clone())),
        _ => None,
    }
}

/// The list that an expression is, or begins with.
fn first_list(expr: ast::Expr) -> Option<ast::List> {
    match expr {
        ast::Expr::List(list) => Some(list),
        ast::Expr::BinOp(operation) => {
            first_list(operation.lhs()?).or_else(|| first_list(operation.rhs()?))
        }
        ast::Expr::With(with) => first_list(with.body()?),
        ast::Expr::Paren(paren) => first_list(paren.expr()?),
        _ => None,
    }
}

/// Every list that an expression is put together from, with those under conditions.
fn all_lists(expr: &ast::Expr) -> Vec<ast::List> {
    match expr {
        ast::Expr::List(list) => vec![list.clone()],
        ast::Expr::BinOp(operation) => {
            let sides = [operation.lhs(), operation.rhs()].into_iter().flatten();
            sides.flat_map(|side| all_lists(&side)).collect()
        }
        ast::Expr::Apply(call) => call.argument().map(|a| all_lists(&a)).unwrap_or_default(),
        ast::Expr::With(with) => with.body().map(|body| all_lists(&body)).unwrap_or_default(),
        ast::Expr::Paren(paren) => paren.expr().map(|e| all_lists(&e)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Whether an item is an attribute, or something of it.
fn is(item: &ast::Expr, attr: &str) -> bool {
    let text = item.syntax().text().to_string();
    text == attr
        || text
            .strip_prefix(attr)
            .is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: [&str; 2] = ["dependencies", "propagatedBuildInputs"];

    /// The text after each of the edits in turn.
    fn edited(text: &str, edits: &[&dyn Fn(&mut Editor)]) -> String {
        let mut new = text.to_owned();
        for edit in edits {
            let mut editor = Editor::new(&new).unwrap();
            edit(&mut editor);
            new = editor.finish().unwrap();
        }
        formatted(text, new).unwrap()
    }

    fn add(editor: &mut Editor, names: &[&str], attr: &str) {
        editor.add(names, &[attr.to_owned()], &["src"]).unwrap();
    }

    const MODERN: &str = r#"{
  lib,
  buildPythonPackage,
  fetchPypi,

  # build-system
  setuptools,

  # dependencies
  alpha,
  gamma,
}:

buildPythonPackage (finalAttrs: {
  pname = "demo";
  version = "1.2";
  pyproject = true;

  src = fetchPypi {
    inherit (finalAttrs) pname version;
    hash = "sha256-old";
  };

  build-system = [ setuptools ];

  dependencies = [
    alpha
    # with a comment
    gamma
  ];
})
"#;

    #[test]
    fn a_modern_module_changes_where_it_must_only() {
        let new = edited(
            MODERN,
            &[
                &|e| {
                    e.version("1.3").unwrap();
                    e.hash("sha256-new").unwrap();
                    e.argument("pname", "Demo").unwrap();
                    add(e, &DEPENDENCIES, "beta");
                },
                &|e| add(e, &["build-system"], "hatchling"),
                &|e| assert!(e.remove(&["build-system"], "setuptools")),
            ],
        );
        let expected = MODERN
            .replace("\"1.2\"", "\"1.3\"")
            .replace("sha256-old", "sha256-new")
            .replace(
                "inherit (finalAttrs) pname version",
                "pname = \"Demo\";\n    inherit (finalAttrs) version",
            )
            .replace("    # with", "    beta\n    # with")
            .replace("  alpha,\n", "  alpha,\n  beta,\n")
            .replace("setuptools", "hatchling");
        assert_eq!(new, expected);
    }

    #[test]
    fn a_new_list_gets_a_group_of_arguments() {
        let extras = ["optional"];
        let new = edited(MODERN, &[&|e| add(e, &extras, "delta")]);
        let expected = MODERN
            .replace("  fetchPypi,\n", "  fetchPypi,\n\n  # optional\n  delta,\n")
            .replace(
                "  };\n\n  build",
                "  };\n\n  optional = [ delta ];\n\n  build",
            );
        assert_eq!(new, expected);
    }

    const COMMAS: &str = r#"{ lib
, buildPythonPackage
, fetchPypi
, beta
, zeta
}:

buildPythonPackage rec {
  version = "1";
  src = fetchPypi { inherit version; hash = ""; };
  propagatedBuildInputs = [ beta ] ++ lib.optionals x [ zeta ];
}
"#;

    #[test]
    fn commas_in_front_stay_there() {
        let new = edited(
            COMMAS,
            &[&|e| {
                let more = ["alpha".to_owned(), "gamma".to_owned()];
                e.add(&DEPENDENCIES, &more, &[]).unwrap();
            }],
        );
        let expected = COMMAS
            .replace(", beta\n, zeta", ", alpha\n, beta\n, gamma\n, zeta")
            .replace("[ beta ]", "[ alpha beta gamma ]");
        assert_eq!(new, expected);
        let new = edited(COMMAS, &[&|e| assert!(e.remove(&DEPENDENCIES, "zeta"))]);
        assert_eq!(
            new,
            COMMAS.replace("\n, zeta", "").replace("[ zeta ]", "[ ]")
        );
        let new = edited(COMMAS, &[&|e| add(e, &["build-system"], "wheel")]);
        assert!(new.contains("\n, beta\n, wheel\n, zeta\n}:"), "{new}");
    }

    const OLD: &str = r#"{ lib, buildPythonPackage, fetchurl, requests, six }:
let
  version = "0.9";
in
buildPythonPackage rec {
  pname = "old"; inherit version;
  src = fetchurl {
    url = "https://x.test/old-${version}.tar.gz";
    sha256 = "1abc";
  };
  propagatedBuildInputs = [ requests six ]; # all
  checkInputs = [ six ];
}
"#;

    #[test]
    fn an_old_module_keeps_its_looks() {
        let new = edited(
            OLD,
            &[
                &|e| {
                    e.version("1.0").unwrap();
                    e.hash("sha256-new").unwrap();
                    add(e, &DEPENDENCIES, "idna");
                },
                &|e| {
                    assert!(e.remove(&DEPENDENCIES, "six"));
                    assert!(!e.remove(&DEPENDENCIES, "absent"));
                },
                &|e| add(e, &["build-system"], "flit-core"),
            ],
        );
        let expected = OLD
            .replace("\"0.9\"", "\"1.0\"")
            .replace("sha256 = \"1abc\"", "hash = \"sha256-new\"")
            .replace("[ requests six ]", "[ idna requests ]")
            .replace("requests, six }", "idna, requests, six }")
            .replace("fetchurl, idna", "fetchurl, flit-core, idna");
        let expected = expected.replace(
            "  };\n  propagated",
            "  };\n\n  build-system = [ flit-core ];\n  propagated",
        );
        assert_eq!(new, expected);
    }

    #[test]
    fn arguments_that_nothing_names_go() {
        let new = edited(MODERN, &[&|e| assert!(e.remove(&DEPENDENCIES, "alpha"))]);
        assert_eq!(
            new,
            MODERN.replace("  alpha,\n", "").replace("    alpha\n", "")
        );
    }

    #[test]
    fn what_has_no_place_is_refused() {
        let two = "{ a = { version = \"1\"; src = x; }; b = { version = \"2\"; src = y; }; }";
        assert_eq!(Editor::new(two).err().unwrap(), "it has 2 packages");
        assert!(Editor::new("{ }").is_err());
        assert!(Editor::new("{ version = ").is_err());
        let computed = MODERN.replace("\"1.2\"", "lib.concat \"1\"");
        let mut editor = Editor::new(&computed).unwrap();
        assert_eq!(editor.version("2").unwrap_err(), "its version is computed");
        let mut list = Editor::new(&MODERN.replace("[ setuptools ]", "x y")).unwrap();
        assert!(list.add(&["build-system"], &["a".to_owned()], &[]).is_err());
    }

    #[test]
    fn old_versions_are_found_as_wholes() {
        assert_eq!(
            lines_with("a 1.2\nb 11.2 1.20 1.2.3\nv1.2-x", "1.2"),
            [1, 3]
        );
    }
}
