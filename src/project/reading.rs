//! [`Reading`]: what the readers of all kinds of files share while one project is read: its files,
//! how strict we are, and the problems found so far.

use std::str::FromStr;
use std::sync::Arc;

use super::files::{Files, FilesError};
use crate::problem::{Code, Origin, Problem, Severity, SourceFile};
use crate::python::specifier;
use crate::python::{ExtraName, MarkerTree, Requirement, VersionSpecifiers};

/// The state of reading one project.
pub(super) struct Reading<'a> {
    /// The tree.
    pub files: &'a dyn Files,
    /// Whether it is somebody else's: invalid texts are repaired, and told, rather than refused.
    pub lenient: bool,
    /// Environment variables, for files that may name them.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
}

/// No environment variable is set.
pub(super) fn no_env(_: &str) -> Option<String> {
    None
}

impl<'a> Reading<'a> {
    /// Nothing is read yet.
    pub fn new(
        files: &'a dyn Files,
        lenient: bool,
        env: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            files,
            lenient,
            env,
            problems: Vec::new(),
        }
    }

    /// A text file; none, with a problem, where it is not UTF-8.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be had.
    pub fn source(&mut self, path: &str) -> Result<Option<Arc<SourceFile>>, FilesError> {
        let bytes = self.files.read(path)?;
        match decode(bytes) {
            Ok(text) => Ok(Some(Arc::new(SourceFile {
                path: self.files.display(path),
                text,
            }))),
            Err(at) => {
                let shown = self.files.display(path);
                self.error(
                    Code::InvalidSyntax,
                    format!(
                        "`{}` is not UTF-8: byte {at} belongs to no character",
                        shown.display()
                    ),
                    None,
                );
                Ok(None)
            }
        }
    }

    /// The same, where absence and everything else only means that there is no text.
    pub fn source_if_any(&mut self, path: &str) -> Option<Arc<SourceFile>> {
        self.source(path).ok().flatten()
    }

    /// Notes an error.
    pub fn error(&mut self, code: Code, what: impl Into<String>, origin: Option<Origin>) {
        self.problem(code, Severity::Error, what, origin, None);
    }

    /// Notes a warning.
    pub fn warn(&mut self, code: Code, what: impl Into<String>, origin: Option<Origin>) {
        self.problem(code, Severity::Warning, what, origin, None);
    }

    /// Notes a problem.
    pub fn problem(
        &mut self,
        code: Code,
        severity: Severity,
        what: impl Into<String>,
        origin: Option<Origin>,
        help: Option<String>,
    ) {
        self.problems.push(Problem {
            code,
            severity,
            what: what.into(),
            origin,
            help,
        });
    }

    /// A requirement; none, with a problem, where it is none.
    pub fn requirement(&mut self, text: &str, origin: Option<&Origin>) -> Option<Requirement> {
        let place = |requirement: Requirement| match origin {
            Some(origin) => requirement.at(origin.clone()),
            None => requirement,
        };
        let error = match Requirement::parse(text) {
            Ok(requirement) => return Some(place(requirement)),
            Err(e) => e,
        };
        let repaired = Requirement::parse_lenient(text).ok();
        let narrowed = origin.map(|o| narrowed(o, text, error.at));
        match repaired {
            Some(lenient) if self.lenient => {
                let read = lenient.repaired.unwrap_or_default();
                self.warn(
                    Code::RepairedRequirement,
                    format!("`{text}` is not valid and was read as `{read}`"),
                    narrowed,
                );
                Some(place(lenient.requirement))
            }
            repaired => {
                let help = repaired
                    .and_then(|lenient| lenient.repaired)
                    .map(|read| format!("write `{read}` if that is what is meant"));
                self.problem(
                    Code::InvalidRequirement,
                    Severity::Error,
                    error.to_string(),
                    narrowed,
                    help,
                );
                None
            }
        }
    }

    /// A file of requirements as setuptools and hatch-requirements-txt read it: comments, lines
    /// that go on after a backslash, and no options.
    pub fn plain_list(&mut self, file: &Arc<SourceFile>) -> Vec<Requirement> {
        let mut list = Vec::new();
        let mut at = 0;
        let mut text = String::new();
        let mut start = None;
        for raw in file.text.split_inclusive('\n') {
            let begin = at;
            at += raw.len();
            let line = raw.trim();
            let line = line.split(" #").next().unwrap_or_default().trim_end();
            if line.starts_with('#') {
                continue;
            }
            let start_here = *start.get_or_insert(begin + raw.len() - raw.trim_start().len());
            if let Some(head) = line.strip_suffix('\\') {
                text.push_str(head);
                continue;
            }
            text.push_str(line);
            let origin = Origin {
                file: file.clone(),
                span: start_here..(begin + raw.trim_end().len()).max(start_here),
            };
            if !text.trim().is_empty() {
                list.extend(self.requirement(text.trim(), Some(&origin)));
            }
            text.clear();
            start = None;
        }
        list
    }

    /// Version specifiers such as those of `requires-python`; none, with a problem, where they are
    /// none, and where they exclude nothing.
    pub fn specifiers(&mut self, text: &str, origin: Option<&Origin>) -> Option<VersionSpecifiers> {
        let keep = |s: VersionSpecifiers| (!s.is_empty()).then_some(s);
        let error = match specifier::parse(text) {
            Ok(specifiers) => return keep(specifiers),
            Err(e) => e,
        };
        match specifier::parse_lenient(text) {
            Ok((specifiers, Some(read))) if self.lenient => {
                self.warn(
                    Code::RepairedRequirement,
                    format!("`{text}` is not valid and was read as `{read}`"),
                    origin.cloned(),
                );
                keep(specifiers)
            }
            repaired => {
                let help = repaired
                    .ok()
                    .and_then(|(_, read)| read)
                    .map(|read| format!("write `{read}` if that is what is meant"));
                self.problem(
                    Code::InvalidRequirement,
                    Severity::Error,
                    error.to_string(),
                    origin.cloned(),
                    help,
                );
                None
            }
        }
    }

    /// A marker; none, with a problem, where it is none.
    pub fn marker(&mut self, text: &str, origin: Option<&Origin>) -> Option<MarkerTree> {
        // By way of a requirement, because only there texts are checked before they are parsed.
        match self.requirement(&format!("marker; {text}"), None) {
            Some(requirement) => Some(requirement.marker),
            None => {
                // The problem that was noted speaks of a requirement that nobody wrote.
                self.problems.pop();
                self.error(
                    Code::InvalidRequirement,
                    format!("`{text}` is not an environment marker"),
                    origin.cloned(),
                );
                None
            }
        }
    }

    /// An extra's name; none, with a problem, where it is none.
    pub fn extra(&mut self, text: &str, origin: Option<&Origin>) -> Option<ExtraName> {
        let name = crate::python::metadata::extra_name(text);
        match ExtraName::from_str(&name) {
            Ok(name) => Some(name),
            Err(_) => {
                self.error(
                    Code::InvalidRequirement,
                    format!("`{text}` is not the name of an extra"),
                    origin.cloned(),
                );
                None
            }
        }
    }
}

/// UTF-8 text with or without a byte order mark; the error is the offset of the first bad byte.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, usize> {
    let text = String::from_utf8(bytes).map_err(|e| e.utf8_error().valid_up_to())?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The part of an origin from a byte of the text that stands in it.
fn narrowed(origin: &Origin, text: &str, at: usize) -> Origin {
    let Some(base) = origin.text().find(text) else {
        return origin.clone();
    };
    let start = origin.span.start + base;
    let from = start + at.min(text.len());
    let end = start + text.len();
    // A span of its own line only, and never an empty one.
    if from >= end || !text.is_char_boundary(at.min(text.len())) {
        return Origin {
            file: origin.file.clone(),
            span: start..end,
        };
    }
    Origin {
        file: origin.file.clone(),
        span: from..end,
    }
}
