//! TOML values that know where they stand.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::{Code, Origin, Problem, Severity, SourceFile};

/// A TOML value in its file.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    file: &'a Arc<SourceFile>,
    value: &'a Spanned<DeValue<'a>>,
}

/// A whole TOML file.
pub(super) struct Document<'a> {
    file: &'a Arc<SourceFile>,
    root: Spanned<DeValue<'a>>,
}

impl<'a> Document<'a> {
    /// Reads as much of a file as is TOML; the rest becomes problems.
    pub fn parse(file: &'a Arc<SourceFile>, problems: &mut Vec<Problem>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(&file.text);
        // Errors after the first are mostly consequences of it.
        if let Some(error) = errors.first() {
            let span = error.span().unwrap_or(0..0);
            problems.push(Problem {
                code: Code::InvalidSyntax,
                severity: Severity::Error,
                what: format!("not TOML: {}", error.message().replace('\n', ", ")),
                origin: Some(origin_at(file, span)),
                help: None,
            });
        }
        let span = root.span();
        let root = Spanned::new(span, DeValue::Table(root.into_inner()));
        Self { file, root }
    }

    /// The whole file as a table.
    pub fn root<'s>(&'s self) -> Node<'s>
    where
        'a: 's,
    {
        Node {
            file: self.file,
            value: &self.root,
        }
    }

    /// The value at a path of keys.
    pub fn at<'s>(&'s self, path: &[&str]) -> Option<Node<'s>>
    where
        'a: 's,
    {
        self.root().at(path)
    }
}

impl<'a> Node<'a> {
    /// The value at a path of keys below this one.
    pub fn at(self, path: &[&str]) -> Option<Node<'a>> {
        let mut node = self;
        for key in path {
            node = node.get(key)?;
        }
        Some(node)
    }

    /// The value of a key, where this is a table.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get_ref().as_table()?.get(key)?;
        Some(Node {
            file: self.file,
            value,
        })
    }

    /// Keys and values in the order of the file; empty where this is no table.
    pub fn entries(self) -> Vec<(Key<'a>, Node<'a>)> {
        let Some(table) = self.value.get_ref().as_table() else {
            return Vec::new();
        };
        let file = self.file;
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let key = Key {
                    file,
                    text: key.get_ref().as_ref(),
                    span: key.span(),
                };
                (key, Node { file, value })
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        entries
    }

    /// The elements, where this is an array.
    pub fn elements(self) -> Option<impl Iterator<Item = Node<'a>> + 'a> {
        let file = self.file;
        let array = self.value.get_ref().as_array()?;
        Some(array.iter().map(move |value| Node { file, value }))
    }

    /// The text, where this is a string.
    pub fn text(self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// The number, where this is an integer that fits.
    pub fn integer(self) -> Option<i64> {
        match self.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// The truth, where this is a boolean.
    pub fn truth(self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// Whether this is a table.
    pub fn is_table(self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Whether this is an array.
    pub fn is_array(self) -> bool {
        self.value.get_ref().is_array()
    }

    /// What it is, for messages: `a string`.
    pub fn kind(self) -> &'static str {
        match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        }
    }

    /// The texts of an array of strings, or of one string; what is neither is left out.
    pub fn texts(self) -> Vec<(&'a str, Origin)> {
        if let Some(text) = self.text() {
            return vec![(text, self.origin())];
        }
        let Some(elements) = self.elements() else {
            return Vec::new();
        };
        elements
            .filter_map(|e| e.text().map(|text| (text, e.origin())))
            .collect()
    }

    /// Where it stands.
    pub fn origin(self) -> Origin {
        origin_at(self.file, self.value.span())
    }
}

/// A key of a table.
#[derive(Clone)]
pub(super) struct Key<'a> {
    file: &'a Arc<SourceFile>,
    /// The key.
    pub text: &'a str,
    span: Range<usize>,
}

impl Key<'_> {
    /// Where it stands.
    pub fn origin(&self) -> Origin {
        origin_at(self.file, self.span.clone())
    }
}

fn origin_at(file: &Arc<SourceFile>, span: Range<usize>) -> Origin {
    Origin {
        file: file.clone(),
        span,
    }
}
