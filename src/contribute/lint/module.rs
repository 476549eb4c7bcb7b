//! A module's text as the rules look at it.

use std::ops::Range;

use rnix::ast::{self, HasEntry as _};
use rnix::{SyntaxKind, SyntaxNode};
use rowan::ast::AstNode as _;

use crate::contribute::tree::attr_text;

/// How a module hands its attributes to the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `buildPythonPackage (finalAttrs: { … })`
    FinalAttrs,
    /// `buildPythonPackage rec { … }`
    Rec,
    /// `buildPythonPackage { … }`
    Plain,
}

/// A module.
pub(super) struct Module<'a> {
    pub text: &'a str,
    pub root: &'a ast::Expr,
    /// The arguments in braces, where there are some.
    pub pattern: Option<ast::Pattern>,
    /// Whether it is a program.
    pub application: bool,
    pub form: Form,
    /// Where the builder is called.
    pub call: Range<usize>,
    /// The attributes.
    pub set: ast::AttrSet,
}

impl<'a> Module<'a> {
    /// The module in a file; none where it calls no builder of Python packages.
    pub fn new(text: &'a str, root: &'a ast::Expr) -> Option<Self> {
        let mut calls = root.syntax().descendants().filter_map(ast::Apply::cast);
        let (call, name) = calls.find_map(|call| {
            let name = call.lambda()?.syntax().text().to_string();
            let last = name
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            matches!(&*last, "buildPythonPackage" | "buildPythonApplication")
                .then_some((call, last))
        })?;
        // In a list of packages many are called; that is no module.
        let ast::Expr::Lambda(lambda) = root else {
            return None;
        };
        let pattern = match lambda.param()? {
            ast::Param::Pattern(pattern) => Some(pattern),
            ast::Param::IdentParam(_) => return None,
        };
        let (form, set) = argument(call.argument()?)?;
        Some(Self {
            text,
            root,
            pattern,
            application: name == "buildPythonApplication",
            form,
            call: range(call.syntax()),
            set,
        })
    }

    /// The value of an attribute, and where its binding stands.
    pub fn value(&self, name: &str) -> Option<(ast::Expr, Range<usize>)> {
        let binding = binding(&self.set, name)?;
        Some((binding.value()?, range(binding.syntax())))
    }

    /// Whether the attribute is set, or inherited.
    pub fn has(&self, name: &str) -> bool {
        binding(&self.set, name).is_some()
            || self.set.inherits().any(|inherit| {
                inherit
                    .attrs()
                    .any(|attr| attr_text(&attr).as_deref() == Some(name))
            })
    }

    /// The text of an attribute that is one literal.
    pub fn literal(&self, name: &str) -> Option<(String, Range<usize>)> {
        let (value, _) = self.value(name)?;
        Some((literal(&value)?, range(value.syntax())))
    }

    /// The items of an attribute that is a list, or begins with one.
    pub fn items(&self, name: &str) -> Vec<ast::Expr> {
        let value = self.value(name).map(|(value, _)| value);
        let lists = value.into_iter().flat_map(|value| lists(&value));
        lists
            .flat_map(|list| list.items().collect::<Vec<_>>())
            .collect()
    }

    /// The attributes in order: name, and where the binding stands.
    pub fn attributes(&self) -> Vec<(String, Range<usize>)> {
        let mut found: Vec<(String, Range<usize>)> = self
            .set
            .attrpath_values()
            .filter_map(|binding| {
                let first = binding.attrpath()?.attrs().next()?;
                Some((attr_text(&first)?, range(binding.syntax())))
            })
            .collect();
        for inherit in self.set.inherits() {
            let place = range(inherit.syntax());
            let names = inherit.attrs().filter_map(|attr| attr_text(&attr));
            found.extend(names.map(|name| (name, place.clone())));
        }
        found.sort_by_key(|(_, place)| place.start);
        found
    }

    /// Whether a comment stands right above a place, or behind what ends on its line.
    pub fn has_comment(&self, place: &Range<usize>) -> bool {
        let before = self.text.get(..place.start).unwrap_or_default();
        let above = before.rsplit('\n').nth(1).unwrap_or_default().trim();
        let own = before.rsplit('\n').next().unwrap_or_default().trim();
        let behind = self.text.get(place.end..).unwrap_or_default();
        let behind = behind.split('\n').next().unwrap_or_default();
        (own.is_empty() && (above.starts_with('#') || above.ends_with("*/")))
            || behind.contains('#')
    }
}

/// The set that a builder is given.
fn argument(expr: ast::Expr) -> Option<(Form, ast::AttrSet)> {
    match expr {
        ast::Expr::AttrSet(set) => {
            let form = if set.rec_token().is_some() {
                Form::Rec
            } else {
                Form::Plain
            };
            Some((form, set))
        }
        ast::Expr::Paren(paren) => match paren.expr()? {
            ast::Expr::Lambda(lambda) => match lambda.body()? {
                ast::Expr::AttrSet(set) => Some((Form::FinalAttrs, set)),
                ast::Expr::LetIn(inner) => Some((Form::FinalAttrs, set_of(inner.body()?)?)),
                _ => None,
            },
            other => argument(other),
        },
        _ => None,
    }
}

fn set_of(expr: ast::Expr) -> Option<ast::AttrSet> {
    match expr {
        ast::Expr::AttrSet(set) => Some(set),
        _ => None,
    }
}

/// A binding of exactly this path: `meta`, or `meta.license` for `["meta", "license"]`.
pub(super) fn binding(set: &ast::AttrSet, name: &str) -> Option<ast::AttrpathValue> {
    set.attrpath_values().find(|binding| {
        let attrs: Vec<_> = binding
            .attrpath()
            .into_iter()
            .flat_map(|p| p.attrs())
            .collect();
        matches!(attrs.as_slice(), [one] if attr_text(one).as_deref() == Some(name))
    })
}

/// Every list that an expression is put together from.
pub(super) fn lists(expr: &ast::Expr) -> Vec<ast::List> {
    match expr {
        ast::Expr::List(list) => vec![list.clone()],
        ast::Expr::BinOp(op) => {
            let sides = [op.lhs(), op.rhs()].into_iter().flatten();
            sides.flat_map(|side| lists(&side)).collect()
        }
        ast::Expr::Apply(apply) => apply.argument().map(|a| lists(&a)).unwrap_or_default(),
        ast::Expr::With(with) => with.body().map(|body| lists(&body)).unwrap_or_default(),
        ast::Expr::Paren(paren) => paren.expr().map(|inner| lists(&inner)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A text that is written as it is.
pub(super) fn literal(expr: &ast::Expr) -> Option<String> {
    let ast::Expr::Str(string) = expr else {
        return None;
    };
    match string.normalized_parts().as_slice() {
        [] => Some(String::new()),
        [ast::InterpolPart::Literal(text)] => Some(text.clone()),
        _ => None,
    }
}

pub(super) fn range(node: &SyntaxNode) -> Range<usize> {
    let range = node.text_range();
    usize::from(range.start())..usize::from(range.end())
}

/// Every name that a tree uses as a variable, arguments' own names left out.
pub(super) fn variables(node: &SyntaxNode) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for ident in node.descendants().filter_map(ast::Ident::cast) {
        let parent = ident.syntax().parent().map(|parent| parent.kind());
        let name = ident.syntax().text().to_string();
        match parent {
            Some(
                SyntaxKind::NODE_ATTRPATH
                | SyntaxKind::NODE_PAT_ENTRY
                | SyntaxKind::NODE_IDENT_PARAM,
            ) => {
                // The default of an argument is an expression, its name is none.
            }
            Some(SyntaxKind::NODE_INHERIT) => {
                let inherit = ident.syntax().parent().and_then(ast::Inherit::cast);
                if inherit.is_some_and(|inherit| inherit.from().is_none()) {
                    found.push((name, range(ident.syntax())));
                }
            }
            _ => found.push((name, range(ident.syntax()))),
        }
    }
    found
}
