//! configparser's dialect of INI, with spans: what `setup.cfg` is written in.
//!
//! As Python's `configparser.ConfigParser` with its defaults: `=` and `:` separate, `#` and `;`
//! start a comment at the start of a line only, deeper indented lines go on, empty lines within a
//! value belong to it and `[DEFAULT]` fills in. Keys are looked up in lower case. As with
//! `ConfigParser`, which setuptools uses, `%(key)s` stands for another value of the section.

use std::ops::Range;
use std::sync::Arc;

use crate::problem::{Code, Origin, Problem, Severity, SourceFile};

/// More than any setup.cfg has.
const MAX_VALUES: usize = 50_000;
/// How deep values may refer to others, as Python's `MAX_INTERPOLATION_DEPTH`.
const INTERPOLATIONS: usize = 10;
/// Bytes and references that all interpolation of one file may take.
const INTERPOLATED: usize = 1 << 20;

/// A file's sections.
pub(super) struct Ini {
    file: Arc<SourceFile>,
    values: Vec<Value>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Value {
    section: String,
    /// The key in lower case.
    pub key: String,
    /// The key as written.
    pub written: String,
    /// Lines without indentation and comments, with their places; the first may be empty.
    pub lines: Vec<(String, Range<usize>)>,
}

impl Ini {
    /// Reads a file; lines that are neither section, key nor value become a problem.
    pub fn parse(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Self {
        let mut parser = Parser {
            values: Vec::new(),
            section: None,
            indent: 0,
            open: false,
            bad: None,
        };
        let mut at = 0;
        for raw in file.text.split_inclusive('\n') {
            parser.line(raw, at);
            at += raw.len();
        }
        if let Some(span) = parser.bad {
            problems.push(Problem {
                code: Code::InvalidSyntax,
                severity: Severity::Error,
                what: "neither a section, a key with its value, nor a comment".to_owned(),
                origin: Some(Origin {
                    file: file.clone(),
                    span,
                }),
                help: None,
            });
        }
        for value in &mut parser.values {
            while value.lines.len() > 1 && value.lines.last().is_some_and(|(l, _)| l.is_empty()) {
                value.lines.pop();
            }
        }
        let mut ini = Self {
            file: file.clone(),
            values: parser.values,
        };
        ini.interpolate(problems);
        ini
    }

    /// Puts other values in the place of `%(key)s`; what names none stays as it is written.
    fn interpolate(&mut self, problems: &mut Vec<Problem>) {
        let mut budget = INTERPOLATED;
        let mut replaced = Vec::new();
        let mut bad = None;
        for (index, value) in self.values.iter().enumerate() {
            if !value.lines.iter().any(|(line, _)| line.contains('%')) {
                continue;
            }
            let mut lines = Vec::new();
            for (line, span) in &value.lines {
                let text = self.interpolated(&value.section, line, INTERPOLATIONS, &mut budget);
                let text = text.unwrap_or_else(|reason| {
                    bad.get_or_insert((reason, span.clone()));
                    line.clone()
                });
                let parts = text.split('\n');
                lines.extend(parts.map(|part| (part.trim().to_owned(), span.clone())));
            }
            replaced.push((index, lines));
        }
        for (index, lines) in replaced {
            if let Some(value) = self.values.get_mut(index) {
                value.lines = lines;
            }
        }
        if let Some((reason, span)) = bad {
            problems.push(Problem {
                code: Code::InvalidSyntax,
                severity: Severity::Warning,
                what: format!("{reason}, as configparser wants it"),
                origin: Some(self.at(span)),
                help: Some("write `%%` for a percent sign".to_owned()),
            });
        }
    }

    /// One text with other values of its section in it; the error says what is wrong with it.
    fn interpolated(
        &self,
        section: &str,
        text: &str,
        depth: usize,
        budget: &mut usize,
    ) -> Result<String, String> {
        if depth == 0 {
            return Err("values refer to each other too deeply".to_owned());
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            made.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                made.push('%');
                rest = after;
                continue;
            }
            let reference = after.strip_prefix('(').and_then(|a| a.split_once(")s"));
            let Some((key, after)) = reference else {
                return Err("a `%` is followed by neither `%` nor `(key)s`".to_owned());
            };
            let value = self.get(section, &key.to_lowercase());
            let value = value.ok_or_else(|| format!("`%({key})s` names no value"))?;
            let value = value.text();
            *budget = budget
                .checked_sub(value.len() + 1)
                .ok_or_else(|| "values refer to each other too often".to_owned())?;
            made.push_str(&self.interpolated(section, &value, depth - 1, budget)?);
            rest = after;
        }
        made.push_str(rest);
        Ok(made)
    }

    /// A value; the last one counts where a key is there twice.
    pub fn get(&self, section: &str, key: &str) -> Option<&Value> {
        let find = |section: &str| {
            let mut values = self.values.iter().rev();
            values.find(|v| v.section == section && v.key == key)
        };
        find(section).or_else(|| find("DEFAULT"))
    }

    /// The values of a section in order; the last one of each key.
    pub fn section(&self, section: &str) -> Vec<&Value> {
        let mut values: Vec<&Value> = Vec::new();
        for value in self.values.iter().filter(|v| v.section == section) {
            match values.iter_mut().find(|v| v.key == value.key) {
                Some(earlier) => *earlier = value,
                None => values.push(value),
            }
        }
        values
    }

    /// Whether there is such a section with a value.
    pub fn has(&self, section: &str) -> bool {
        self.values.iter().any(|v| v.section == section)
    }

    /// Where a value stands.
    pub fn origin(&self, value: &Value) -> Origin {
        let start = value.lines.iter().map(|(_, span)| span.start).min();
        let end = value.lines.iter().map(|(_, span)| span.end).max();
        let start = start.unwrap_or_default();
        self.at(start..end.unwrap_or(start))
    }

    /// A place in the file.
    pub fn at(&self, span: Range<usize>) -> Origin {
        Origin {
            file: self.file.clone(),
            span,
        }
    }
}

impl Value {
    /// The whole value, as configparser returns it.
    pub fn text(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|(line, _)| line.as_str()).collect();
        lines.join("\n").trim().to_owned()
    }
}

struct Parser {
    values: Vec<Value>,
    section: Option<String>,
    /// How deep the line with the key is indented.
    indent: usize,
    /// Whether a value may go on.
    open: bool,
    bad: Option<Range<usize>>,
}

impl Parser {
    fn line(&mut self, raw: &str, at: usize) {
        let line = raw.trim_end();
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let span = at + indent..at + line.len();
        if body.starts_with(['#', ';']) {
            return;
        }
        if body.is_empty() {
            if self.open {
                self.go_on(String::new(), at..at);
            }
            return;
        }
        if self.open && indent > self.indent {
            self.go_on(body.to_owned(), span);
            return;
        }
        self.open = false;
        self.indent = indent;
        if let Some(name) = body
            .strip_prefix('[')
            .and_then(|b| b.split_once(']'))
            .map(|(n, _)| n)
        {
            self.section = Some(name.to_owned());
            return;
        }
        let separator = body.find(['=', ':']);
        match (separator, self.section.clone()) {
            (Some(split), Some(section)) if split > 0 && self.values.len() < MAX_VALUES => {
                let (key, value) = body.split_at(split);
                let value = value.get(1..).unwrap_or_default();
                let start = span.end - value.trim_start().len();
                let value = value.trim();
                self.values.push(Value {
                    section,
                    key: key.trim().to_lowercase(),
                    written: key.trim().to_owned(),
                    lines: vec![(value.to_owned(), start..span.end)],
                });
                self.open = true;
            }
            _ => {
                self.bad.get_or_insert(span);
            }
        }
    }

    fn go_on(&mut self, text: String, span: Range<usize>) {
        if let Some(value) = self.values.last_mut() {
            value.lines.push((text, span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Ini, Vec<Problem>) {
        let file = Arc::new(SourceFile {
            path: "setup.cfg".into(),
            text: text.to_owned(),
        });
        let mut problems = Vec::new();
        let ini = Ini::parse(&file, &mut problems);
        (ini, problems)
    }

    #[test]
    fn the_dialect_of_configparser() {
        let text = "\
[metadata]
Name = demo
long: first
    second = not a key
    # a comment
    ; another

    third
[options]
install_requires =
    alpha>=1; python_version < '3'

    beta
    # gamma
empty =
";
        let (ini, problems) = parse(text);
        assert!(problems.is_empty());
        assert_eq!(ini.get("metadata", "name").unwrap().text(), "demo");
        assert_eq!(
            ini.get("metadata", "long").unwrap().text(),
            "first\nsecond = not a key\n\nthird"
        );
        let requires = ini.get("options", "install_requires").unwrap();
        assert_eq!(requires.text(), "alpha>=1; python_version < '3'\n\nbeta");
        let (line, span) = &requires.lines[1];
        assert_eq!(&text[span.clone()], line);
        assert_eq!(ini.get("options", "empty").unwrap().text(), "");
        assert!(ini.get("options", "name").is_none());
    }

    #[test]
    fn values_stand_for_others() {
        let text = "\
[DEFAULT]
low = 1
[extras]
test =
    pytest
    mock>=%(low)s
all =
    %(TEST)s
    docs
odd = 100%%
loop = %(loop)s
stray = 5% or so
";
        let (ini, problems) = parse(text);
        let all = ini.get("extras", "all").unwrap();
        assert_eq!(all.text(), "pytest\nmock>=1\ndocs");
        let (line, span) = all.lines.iter().find(|(l, _)| l == "mock>=1").unwrap();
        assert_eq!(&text[span.clone()], "%(TEST)s", "{line}");
        assert_eq!(ini.get("extras", "odd").unwrap().text(), "100%");
        assert_eq!(ini.get("extras", "stray").unwrap().text(), "5% or so");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].origin.as_ref().unwrap().line_column(), (11, 8));
    }

    #[test]
    fn references_do_not_explode() {
        let mut text = "[a]\nk0 = x\n".to_owned();
        for i in 1..12 {
            let refs = format!("%(k{})s", i - 1).repeat(60);
            text.push_str(&format!("k{i} = {refs}\n"));
        }
        let (ini, problems) = parse(&text);
        assert_eq!(problems.len(), 1);
        assert_eq!(ini.get("a", "k1").unwrap().text(), "x".repeat(60));
    }

    #[test]
    fn what_is_nothing_is_told() {
        let (ini, problems) = parse("stray\n[a]\nx = 1\njunk\n  more\ny = 2\nx = 3\n");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].origin.as_ref().unwrap().line_column(), (1, 1));
        assert_eq!(ini.get("a", "x").unwrap().text(), "3");
        assert_eq!(ini.section("a").len(), 2);
    }
}
