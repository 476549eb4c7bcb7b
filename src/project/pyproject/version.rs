//! Versions that stand in a Python file: what hatchling, PDM and Flit look for, and setuptools'
//! `attr:` where it names a plain assignment.

use std::sync::Arc;

use ruff_python_ast::{Expr, Stmt};

use crate::problem::SourceFile;

/// The value of the first assignment of a string to `name` at the top of a module, as setuptools and
/// Flit read it without importing the module.
pub(in crate::project) fn assigned(file: &Arc<SourceFile>, name: &str) -> Option<String> {
    for statement in &statements(&file.text)? {
        let (targets, value) = match statement {
            Stmt::Assign(assign) => (assign.targets.as_slice(), &assign.value),
            Stmt::AnnAssign(assign) => match &assign.value {
                Some(value) => (std::slice::from_ref(assign.target.as_ref()), value),
                None => continue,
            },
            _ => continue,
        };
        let is_named = |target: &Expr| matches!(target, Expr::Name(n) if n.id.as_str() == name);
        if targets.iter().any(is_named) {
            return match value.as_ref() {
                Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
                Expr::Tuple(tuple) => parts(&tuple.elts),
                Expr::List(list) => parts(&list.elts),
                _ => None,
            };
        }
    }
    None
}

/// A module's statements; none where it is nested more deeply than the parser's stack allows.
pub(in crate::project) fn statements(text: &str) -> Option<Vec<Stmt>> {
    if is_nested_too_deeply(text) {
        return None;
    }
    let kind = ruff_python_ast::PySourceType::Python;
    let parsed = ruff_python_parser::parse_unchecked_source(text, kind);
    Some(parsed.into_syntax().body.to_vec())
}

/// `1.2.3` of `(1, 2, 3)`: setuptools joins what is no string.
fn parts(elements: &[Expr]) -> Option<String> {
    let part = |element: &Expr| match element {
        Expr::NumberLiteral(number) => number.value.as_int().map(ToString::to_string),
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        _ => None,
    };
    let parts: Option<Vec<_>> = elements.iter().map(part).collect();
    parts.map(|parts| parts.join("."))
}

/// The parser recurses; a file that nests this deeply is no version file.
fn is_nested_too_deeply(text: &str) -> bool {
    let mut depth = 0usize;
    let mut run = 0usize;
    for c in text.bytes() {
        match c {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Unary operators nest without brackets.
        run = if matches!(c, b'-' | b'+' | b'~' | b' ') {
            run + 1
        } else {
            0
        };
        if depth > 100 || run > 2000 {
            return true;
        }
    }
    false
}

/// What hatchling's default pattern finds: `__version__ = "1.0"` or `VERSION = "1.0"` on a line of
/// its own, without a leading `v`.
pub(super) fn hatch_default(text: &str) -> Option<String> {
    let pattern = r#"(?im)^(?:__version__|VERSION)(?: ?: ?str)? *= *(['"])v?(?P<version>.+?)\1"#;
    matching(pattern, text)
}

/// What PDM finds: `__version__ = "1.0"`.
pub(super) fn pdm_default(text: &str) -> Option<String> {
    matching(r#"(?m)^__version__\s*=\s*(['"])(?P<version>.+?)\1"#, text)
}

/// The group `version` of a pattern's first match; patterns are Python's, and mostly the same here.
pub(super) fn matching(pattern: &str, text: &str) -> Option<String> {
    /// A version file is short; patterns come from the project.
    const MAX_TEXT: usize = 1 << 20;
    if text.len() > MAX_TEXT || pattern.len() > 4096 {
        return None;
    }
    let (pattern, group) = numbered(pattern);
    let regex = fancy_regex::RegexBuilder::new(&pattern)
        .backtrack_limit(200_000)
        .delegate_size_limit(10 << 20)
        .build()
        .ok()?;
    let captures = regex.captures(text).ok()??;
    let found = captures.get(group)?;
    Some(found.as_str().to_owned())
}

/// The pattern with its named groups made numbered, because the library does not allow `\1` beside
/// names, and the number of the group `version`, or 1.
fn numbered(pattern: &str) -> (String, usize) {
    let mut text = String::with_capacity(pattern.len());
    let mut groups = 0;
    let mut version = 1;
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        let mut shown = rest.get(..length).unwrap_or_default();
        match c {
            '\\' => {
                length += rest.chars().nth(1).map_or(0, char::len_utf8);
                shown = rest.get(..length).unwrap_or_default();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let name = rest.strip_prefix("(?P<").and_then(|r| r.split('>').next());
                if let Some(name) = name {
                    groups += 1;
                    if name == "version" {
                        version = groups;
                    }
                    length = (name.len() + 5).min(rest.len());
                } else if !rest.starts_with("(?") {
                    groups += 1;
                }
            }
            _ => {}
        }
        text.push_str(shown);
        rest = rest.get(length..).unwrap_or_default();
    }
    (text, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_of_backends_find_versions() {
        assert_eq!(
            hatch_default("# about\n__version__ = 'v1.2.3'\n").as_deref(),
            Some("1.2.3")
        );
        assert_eq!(
            hatch_default("VERSION: str = \"1.2\"\n").as_deref(),
            Some("1.2")
        );
        assert_eq!(pdm_default("\n__version__='1.2'\n").as_deref(), Some("1.2"));
    }
}
