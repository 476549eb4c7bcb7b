//! Which names a text takes: attributes of some variables, arguments of its function.

use std::collections::BTreeSet;

use rnix::ast::{self, HasEntry as _};
use rowan::ast::AstNode as _;

use super::ReadError;

/// The attributes that a text selects from variables of these names (`final.x`), or inherits from
/// them.
///
/// # Errors
/// When the text cannot be read.
pub fn selected(text: &str, from: &[&str]) -> Result<BTreeSet<String>, ReadError> {
    let root = super::parse(text)?;
    let is_from = |expr: Option<ast::Expr>| match expr {
        Some(ast::Expr::Ident(ident)) => from.contains(&ident.syntax().text().to_string().as_str()),
        _ => false,
    };
    let mut names = BTreeSet::new();
    for node in root.syntax().descendants() {
        if let Some(select) = ast::Select::cast(node.clone()) {
            if is_from(select.expr())
                && let Some(first) = select.attrpath().and_then(|path| path.attrs().next())
            {
                names.extend(name(&first));
            }
        } else if let Some(set) = ast::AttrSet::cast(node) {
            for inherit in set.inherits() {
                if inherit.from().is_some_and(|from| is_from(from.expr())) {
                    names.extend(inherit.attrs().filter_map(|attr| name(&attr)));
                }
            }
        }
    }
    Ok(names)
}

/// The arguments of the function that a text is, where it takes a set.
///
/// # Errors
/// When the text cannot be read.
pub fn arguments(text: &str) -> Result<BTreeSet<String>, ReadError> {
    let ast::Expr::Lambda(lambda) = super::parse(text)? else {
        return Ok(BTreeSet::new());
    };
    let Some(ast::Param::Pattern(pattern)) = lambda.param() else {
        return Ok(BTreeSet::new());
    };
    let idents = pattern.pat_entries().filter_map(|entry| entry.ident());
    Ok(idents
        .map(|ident| ident.syntax().text().to_string())
        .collect())
}

fn name(attr: &ast::Attr) -> Option<String> {
    let text = attr.syntax().text().to_string();
    match attr {
        ast::Attr::Ident(_) => Some(text),
        ast::Attr::Str(_) => Some(text.trim_matches('"').to_owned()),
        ast::Attr::Dynamic(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let text = "final: prev: { a = prev.b.override { }; c = [ final.\"2to3\" other.x ]; \
                    d = final.callPackage ./d.nix { inherit (prev) e f; }; }";
        let names: Vec<String> = selected(text, &["final", "prev"])
            .unwrap()
            .into_iter()
            .collect();
        assert_eq!(names, ["2to3", "b", "callPackage", "e", "f"]);
        let names = arguments("{ lib, zz-demo }:\nzz-demo").unwrap();
        assert_eq!(names.len(), 2);
        assert!(arguments("a: a").unwrap().is_empty());
        assert!(selected("{", &[]).is_err());
    }
}
