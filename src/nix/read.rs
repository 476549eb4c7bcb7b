//! Questions to existing Nix text, answered without Nix: expressions are evaluated as far as they
//! can be known from the text, and stay symbols, calls or unknown where they cannot.
//!
//! The reader knows the world that it reads for ([`World`]): CPython at one version on the systems
//! that nixpkgs supports. What depends on the system becomes a condition over them ([`Cond`]). Names
//! that nothing in the text binds are [`Value::Symbol`]s; `lib.optionals` and a few dozen other
//! functions are understood, a call of anything else stays a [`Value::Call`].
//!
//! Nothing is run, no file is opened but through [`Scope`], and every evaluation is bounded in depth
//! and in steps: the text may be anybody's.

mod apply;
mod condition;
mod evaluate;
mod operate;
mod selection;
mod value;

pub use condition::{Cond, SYSTEMS};
pub use evaluate::Reader;
pub use selection::{arguments, selected};
pub use value::{Item, Set, Text, Value};

use rnix::ast;
use rowan::ast::AstNode as _;

/// What texts are read for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// The interpreter's version as far as it is known: `3.13`, `3.13.5`.
    pub python: String,
}

/// What surrounds a text: the names that `callPackage` finds, and other files.
pub trait Scope {
    /// Whether the Python set has an attribute of this name.
    fn has(&self, name: &str) -> bool;

    /// The text of another file, by its path below the tree.
    fn text(&self, path: &str) -> Option<String>;
}

/// A text that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is too large for a Nix file that a person wrote.
    #[error("is larger than {0} bytes")]
    TooLarge(usize),
    /// It nests deeper than any Nix file that a person wrote.
    #[error("nests too deeply")]
    TooDeep,
    /// It is not Nix.
    #[error("line {line}: {what}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        what: String,
    },
}

/// The largest text that is read; nixpkgs' list of Python packages has 0.7 MB.
pub const MAX_TEXT: usize = 8 << 20;

/// How deeply expressions may nest. rnix has a limit of its own for what it parses recursively;
/// this one is for chains of operators and calls, which it parses in a loop into a deep tree.
const MAX_NESTING: usize = 2_000;

/// The longest run of characters that paths are made of: at each of them rnix' tokenizer looks ahead
/// to the end of the run.
const MAX_WORD: usize = 10_000;

/// Parses a text.
///
/// # Errors
/// See [`ReadError`].
pub fn parse(text: &str) -> Result<ast::Expr, ReadError> {
    if text.len() > MAX_TEXT {
        return Err(ReadError::TooLarge(MAX_TEXT));
    }
    if longest_word(text) > MAX_WORD || nesting(text) > MAX_NESTING {
        return Err(ReadError::TooDeep);
    }
    let parsed = rnix::Root::parse(text);
    if let Some(error) = parsed.errors().first() {
        return Err(syntax(text, error));
    }
    let root = ast::Root::cast(parsed.syntax());
    root.and_then(|root| root.expr())
        .ok_or_else(|| ReadError::Syntax {
            line: 1,
            what: "there is no expression".to_owned(),
        })
}

fn syntax(text: &str, error: &rnix::ParseError) -> ReadError {
    use rnix::ParseError as E;
    let at = match error {
        E::Unexpected(range)
        | E::UnexpectedExtra(range)
        | E::UnexpectedWanted(_, range, _)
        | E::UnexpectedDoubleBind(range)
        | E::DuplicatedArgs(range, _) => usize::from(range.start()),
        _ => text.len(),
    };
    let before = text.get(..at).unwrap_or(text);
    ReadError::Syntax {
        line: before.matches('\n').count() + 1,
        what: error.to_string(),
    }
}

fn longest_word(text: &str) -> usize {
    let of_path = |b: &u8| b.is_ascii_alphanumeric() || b"/_.+-~".contains(b);
    let words = text.as_bytes().split(|b| !of_path(b));
    words.map(<[u8]>::len).max().unwrap_or(0)
}

/// An upper bound of how deep the tree of a text can be, from its tokens alone.
fn nesting(text: &str) -> usize {
    use rnix::SyntaxKind as K;
    // the tree cannot be deeper than twice its tokens
    if text.len() < MAX_NESTING {
        return 0;
    }
    let mut open: Vec<(K, usize)> = vec![(K::TOKEN_L_PAREN, 0)];
    let (mut depth, mut deepest) = (0usize, 0usize);
    for (kind, _) in rnix::tokenize(text) {
        match kind {
            K::TOKEN_L_BRACE
            | K::TOKEN_L_BRACK
            | K::TOKEN_L_PAREN
            | K::TOKEN_INTERPOL_START
            | K::TOKEN_STRING_START => {
                if let Some(level) = open.last_mut().filter(|l| chains(l.0)) {
                    level.1 += 1;
                    depth += 1;
                }
                open.push((kind, 1));
                depth += 1;
            }
            K::TOKEN_R_BRACE
            | K::TOKEN_R_BRACK
            | K::TOKEN_R_PAREN
            | K::TOKEN_INTERPOL_END
            | K::TOKEN_STRING_END => {
                if open.len() > 1
                    && let Some((_, own)) = open.pop()
                {
                    depth -= own.min(depth);
                }
            }
            K::TOKEN_SEMICOLON | K::TOKEN_COMMA => {
                if let Some(level) = open.last_mut() {
                    depth -= level.1.min(depth);
                    level.1 = 0;
                }
            }
            K::TOKEN_WHITESPACE | K::TOKEN_COMMENT | K::TOKEN_STRING_CONTENT => {}
            _ => {
                if let Some(level) = open.last_mut().filter(|l| chains(l.0)) {
                    level.1 += 1;
                    depth += 1;
                }
            }
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether tokens side by side nest in each other there: not as members of a list, nor of a string.
fn chains(open: rnix::SyntaxKind) -> bool {
    !matches!(
        open,
        rnix::SyntaxKind::TOKEN_L_BRACK | rnix::SyntaxKind::TOKEN_STRING_START
    )
}

#[cfg(test)]
mod tests;
