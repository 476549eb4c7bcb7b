//! setup.py, read without running it: an abstract interpreter over its syntax tree.
//!
//! [`evaluate`] follows the program as an ordinary isolated build would run it and hands back what
//! `setup()` was called with. What depends on the target becomes markers, what depends on
//! anything outside the project's own files is unknown, with the place that made it so.

mod answer;

use crate::problem::{Code, Origin, Problem, Severity, SourceFile};
use crate::project::{Evaluated, Files, Unknown};
use std::sync::Arc;

pub use answer::{Context, Fact, Native, SetupPy};

/// Reads the setup.py at `path` (relative to the root of `files`).
///
/// Never fails: what cannot be read is in the answer's `unknown` and `problems`.
pub fn evaluate(files: &dyn Files, path: &str, _context: &Context) -> SetupPy {
    let mut answer = SetupPy {
        evaluated: Evaluated::Failed,
        ..SetupPy::default()
    };
    match files.read(path) {
        Ok(bytes) => {
            let file = Arc::new(SourceFile {
                path: files.display(path),
                text: String::from_utf8_lossy(&bytes).into_owned(),
            });
            answer.unknown.push(Unknown {
                field: "setup.py".to_owned(),
                origin: Some(Origin { file, span: 0..0 }),
                reason: "setup.py files are not read yet".to_owned(),
            });
        }
        Err(error) => answer.problems.push(Problem {
            code: Code::MissingFile,
            severity: Severity::Error,
            what: error.to_string(),
            origin: None,
            help: None,
        }),
    }
    answer
}

/// The value of `reference` (`pkg.module:attr` or `pkg.module.attr`) as text, as setuptools'
/// `attr:` reads it: modules are looked for below `package_dir`, an empty string for the root.
///
/// # Errors
/// The place and the reason that it cannot be known.
pub fn evaluate_attr(
    files: &dyn Files,
    reference: &str,
    _package_dir: &str,
) -> Result<AttrValue, Unknown> {
    let _ = files;
    Err(Unknown {
        field: "version".to_owned(),
        origin: None,
        reason: format!("`{reference}` cannot be read yet"),
    })
}

/// What a module attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttrValue {
    /// One text (a version tuple is joined with dots).
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A table of texts or lists.
    Table(std::collections::BTreeMap<String, AttrValue>),
}
