//! Python source files: decoding (PEP 263), guarding the parser, parsing; and places in them.

use std::cell::OnceCell;
use std::sync::Arc;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{PySourceType, Stmt, Suite};
use ruff_python_parser::{Mode, lexer, parse_unchecked_source};
use ruff_text_size::{Ranged, TextRange};

use super::limits;
use crate::problem::{Origin, SourceFile};

/// A file that was read: Python source with its tree, or any other text with none.
#[derive(Debug)]
pub struct Source {
    /// The file as problems show it.
    pub file: Arc<SourceFile>,
    /// Relative to the root.
    pub path: String,
    /// The statements; empty for what is not Python.
    pub body: Suite,
    /// What the parser could not make sense of.
    pub errors: Vec<SyntaxError>,
}

/// A part of the source that is not Python 3.
#[derive(Debug, Clone)]
pub struct SyntaxError {
    /// Where.
    pub range: TextRange,
    /// What, in the parser's words.
    pub what: String,
    /// Whether it is Python 2 that the parser recovers from without losing meaning (`print x`).
    pub harmless: bool,
}

/// Where something stands in a source.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub source: &'a Source,
    /// Byte offsets.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Whether the file's text there is the value's text, byte by byte.
    pub exact: bool,
}

impl<'a> Place<'a> {
    /// The place of a node.
    pub fn of(source: &'a Source, node: &impl Ranged) -> Self {
        let range = node.range();
        Self {
            source,
            start: range.start().into(),
            end: range.end().into(),
            exact: false,
        }
    }

    /// Its first line.
    pub fn first_line(self) -> Self {
        let text = self
            .source
            .file
            .text
            .get(self.start as usize..self.end as usize);
        let line = text
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        let len = u32::try_from(line.len()).unwrap_or_default();
        Self {
            end: self.start.saturating_add(len),
            ..self
        }
    }

    /// As problems tell it.
    pub fn origin(&self) -> Origin {
        Origin {
            file: Arc::clone(&self.source.file),
            span: self.start as usize..self.end as usize,
        }
    }
}

/// Sources that live as long as the evaluation; references into them stay valid as it grows.
#[derive(Debug, Default)]
pub struct Arena {
    first: OnceCell<Box<Link>>,
}

#[derive(Debug)]
struct Link {
    source: Source,
    next: OnceCell<Box<Link>>,
}

impl Arena {
    /// Keeps a source.
    pub fn keep(&self, source: Source) -> &Source {
        let mut cell = &self.first;
        while let Some(link) = cell.get() {
            cell = &link.next;
        }
        let link = cell.get_or_init(|| {
            Box::new(Link {
                source,
                next: OnceCell::new(),
            })
        });
        &link.source
    }
}

/// Decodes Python source as PEP 263 says: a byte order mark, a declaration in the first two
/// lines, else UTF-8. Undecodable bytes become U+FFFD; encodings beyond UTF-8, ASCII and the
/// Latin family are read as Latin-1, which keeps all ASCII text right.
pub fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.get(..bytes.len().min(400)).unwrap_or_default();
    let declared = head.split(|b| *b == b'\n').take(2).find_map(declaration);
    let text = match declared.as_deref() {
        None | Some("utf-8" | "utf8" | "utf-8-sig" | "ascii" | "us-ascii") => {
            match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => String::from_utf8_lossy(bytes).into_owned(),
            }
        }
        Some(_) => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => text.to_owned(),
            _ => bytes.iter().map(|b| char::from(*b)).collect(),
        },
    };
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    }
}

fn declaration(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.trim_start();
    let rest = line.strip_prefix('#')?;
    let at = rest.find("coding")?;
    let rest = rest.get(at + 6..)?;
    let rest = rest.strip_prefix([':', '='])?.trim_start();
    let name: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect();
    (!name.is_empty()).then(|| name.to_ascii_lowercase().replace('_', "-"))
}

/// Parses Python source. The error is a reason not to try.
pub fn parse(text: &str) -> Result<(Suite, Vec<SyntaxError>), String> {
    if text.len() > limits::SOURCE_BYTES {
        return Err(format!(
            "the file is larger than {} bytes",
            limits::SOURCE_BYTES
        ));
    }
    if text.contains('\0') {
        return Err("the file holds null bytes: it is not Python source".to_owned());
    }
    check_nesting(text)?;
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let errors = parsed
        .errors()
        .iter()
        .map(|error| SyntaxError {
            range: error.location,
            what: error.error.to_string(),
            harmless: false,
        })
        .collect();
    let body = parsed.into_syntax().body;
    let errors = classify(errors, &body, text);
    Ok((body, errors))
}

/// The parser recurses into brackets, blocks and chains of prefix operators: text that nests
/// deeper than any honest file is not handed to it.
fn check_nesting(text: &str) -> Result<(), String> {
    let mut lexer = lexer::lex(text, Mode::Module);
    let (mut brackets, mut blocks, mut operators) = (0usize, 0usize, 0usize);
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return Ok(()),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => brackets += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                brackets = brackets.saturating_sub(1);
            }
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Newline => {
                operators = 0;
                brackets = 0;
            }
            TokenKind::Comma | TokenKind::NonLogicalNewline | TokenKind::Comment => {}
            TokenKind::Name | TokenKind::String | TokenKind::Int | TokenKind::Equal => {}
            TokenKind::Colon => {}
            _ => operators += 1,
        }
        if brackets > limits::SYNTAX_NESTING || blocks > limits::SYNTAX_NESTING {
            return Err(format!(
                "brackets or blocks are nested more than {} deep",
                limits::SYNTAX_NESTING
            ));
        }
        if operators > limits::OPERATORS {
            return Err("one statement has more operators than can be followed".to_owned());
        }
    }
}

/// Marks the errors that are Python 2's `print` and `exec` statements and the like: the parser's
/// recovery leaves two harmless expressions there.
fn classify(mut errors: Vec<SyntaxError>, body: &[Stmt], text: &str) -> Vec<SyntaxError> {
    for error in &mut errors {
        let start = usize::from(error.range.start());
        let line_start = text
            .get(..start)
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |at| at + 1);
        let line = text.get(line_start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default().trim_start();
        let python2 = line.starts_with("print ")
            || line.starts_with("print\"")
            || line.starts_with("exec ")
            || line.contains(": print ")
            || (line.starts_with("except") && line.contains(','))
            || error
                .what
                .contains("Multiple exception types must be parenthesized")
            || (line.starts_with("raise ") && line.contains(','))
            || error.what.contains("octal");
        error.harmless = python2 && !body.is_empty();
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_encodings_are_honoured() {
        assert_eq!(
            decode(b"# -*- coding: latin-1 -*-\nx = '\xe9'"),
            "# -*- coding: latin-1 -*-\nx = 'é'"
        );
        assert_eq!(decode(b"\xef\xbb\xbfx = 1\r\n"), "x = 1\n");
        assert_eq!(decode("x = 'é'".as_bytes()), "x = 'é'");
    }

    #[test]
    fn deep_nesting_never_reaches_the_parser() {
        assert!(parse(&"(".repeat(1_000_000)).is_err());
        assert!(parse(&format!("x = {}1", "-".repeat(100_000))).is_err());
        assert!(parse(&format!("x = {}1", "not ".repeat(100_000))).is_err());
        assert!(parse("x = [(1, 2), {3: [4]}]").is_ok());
    }
}
