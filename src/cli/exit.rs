//! How a run ends: the exit codes scripts rely on, and [`Failure`], everything that is to be said
//! when a command cannot do what it was asked.

use std::process::ExitCode;

use crate::index::IndexError;
use crate::problem::{Origin, Problem};
use crate::project::FilesError;

/// The exit codes. They are a contract: `docs/reference.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The requirements cannot be satisfied, or differences were found.
    Unsatisfiable = 1,
    /// Usage or input.
    Usage = 2,
    /// Index, network or integrity.
    World = 3,
    /// Interrupted by a signal (128 + SIGINT).
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command stops, for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, and where: a sentence without a full stop.
    pub what: String,
    /// Why: causes, outermost first, or lines of an explanation.
    pub why: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// What is wrong in the user's files.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            why: Vec::new(),
            help: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Wrong usage or input.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Names the argument that it is about.
    #[must_use]
    pub fn of(mut self, argument: &str) -> Self {
        self.what = format!("{argument}: {}", self.what);
        self
    }

    /// Adds a reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let problems: Vec<serde_json::Value> = self
            .problems
            .iter()
            .map(|problem| {
                let place = problem.origin.as_ref().map(Origin::line_column);
                serde_json::json!({
                    "code": problem.code.text(),
                    "what": problem.what,
                    "file": problem.origin.as_ref().map(|origin| origin.path()),
                    "line": place.map(|(line, _)| line),
                    "column": place.map(|(_, column)| column),
                    "help": problem.help,
                })
            })
            .collect();
        serde_json::json!({
            "error": self.what,
            "exit": self.exit as u8,
            "why": self.why,
            "help": self.help,
            "problems": problems,
        })
    }

    /// Adds an error and everything below it as reasons.
    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.why.push(error.to_string());
            next = error.source();
        }
        self
    }
}

impl From<FilesError> for Failure {
    fn from(error: FilesError) -> Self {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let mut failure = match &error {
            FilesError::Io { path, .. } => Self::usage(format!("`{path}` cannot be read")),
            other => Self::usage(other.to_string()),
        };
        failure.why.extend(source);
        failure
    }
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        let failure = Self::new(Exit::World, error.to_string());
        match &error {
            IndexError::UnknownProject(_) => failure
                .help("check the spelling, or name the index that has it with `--index-url` or `--extra-index-url`"),
            IndexError::UnknownMetadata { .. } => failure
                .help("require another version of it, or state its requirements in pyproject.toml: [tool.pyresolve.metadata.\"name==version\"] requires = […]; no code of a package is run to find out, unless `--allow-build NAME` asks for it"),
            IndexError::Offline { .. } => {
                failure.help("run once without `--offline` to fill the cache")
            }
            IndexError::HashMismatch { .. } => failure.help(
                "the download was damaged, or the file was replaced: try again; if it stays, do not trust the file and tell the index' operators",
            ),
            IndexError::NoUploadTimes { .. } => failure,
            IndexError::Fetch { .. } => failure.help(
                "check the network and the index' address, then run the same command again: what has arrived is kept in the cache",
            ),
            IndexError::Repository { .. } => failure.help(
                "check the address and the revision with `git ls-remote ADDRESS`, and that git may read it without asking for a password; a commit must be on a branch or tag that the server gives",
            ),
            IndexError::Malformed { .. } => {
                failure.help("check that the address is that of a package index' Simple API, such as `https://host/simple/`")
            }
        }
    }
}
