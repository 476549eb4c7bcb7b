//! JSON values that know where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::problem::{Code, Origin, Problem, Severity, SourceFile};

/// A JSON value in its file.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    file: &'a Arc<SourceFile>,
    raw: &'a RawValue,
}

impl<'a> Json<'a> {
    /// Reads a file; none, with a problem, where it is not JSON.
    pub fn parse(file: &'a Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<Self> {
        match serde_json::from_str(&file.text) {
            Ok(raw) => Some(Self { file, raw }),
            Err(error) => {
                let lines = file.text.split_inclusive('\n');
                let before: usize = lines
                    .take(error.line().saturating_sub(1))
                    .map(str::len)
                    .sum();
                let mut at = (before + error.column().saturating_sub(1)).min(file.text.len());
                while !file.text.is_char_boundary(at) {
                    at -= 1;
                }
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                problems.push(Problem {
                    code: Code::InvalidSyntax,
                    severity: Severity::Error,
                    what: format!("not JSON: {said}"),
                    origin: Some(Origin {
                        file: file.clone(),
                        span: at..at,
                    }),
                    help: None,
                });
                None
            }
        }
    }

    /// Keys and values by key; empty where this is no object.
    pub fn entries(self) -> BTreeMap<String, Json<'a>> {
        let entries: BTreeMap<String, &'a RawValue> =
            serde_json::from_str(self.raw.get()).unwrap_or_default();
        let here = |(key, raw)| (key, Json { raw, ..self });
        entries.into_iter().map(here).collect()
    }

    /// The value of a key, where this is an object.
    pub fn get(self, key: &str) -> Option<Json<'a>> {
        self.entries().remove(key)
    }

    /// The text, where this is a string.
    pub fn text(self) -> Option<String> {
        serde_json::from_str(self.raw.get()).ok()
    }

    /// The texts of an array of strings.
    pub fn texts(self) -> Vec<String> {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }

    /// The value as it is written.
    pub fn written(self) -> &'a str {
        self.raw.get()
    }

    /// Where it stands.
    pub fn origin(self) -> Origin {
        let text = &self.file.text;
        let raw = self.raw.get();
        // The value is borrowed from the file's text.
        let start = (raw.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let end = (start + raw.len()).min(text.len());
        Origin {
            file: self.file.clone(),
            span: start.min(end)..end,
        }
    }
}
