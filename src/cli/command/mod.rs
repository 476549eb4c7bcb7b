//! The subcommands, one file each.

pub mod cache;
pub mod check;
pub mod completions;
pub mod diff;
pub mod export;
pub mod init;
pub mod inspect;
pub mod lock;
pub mod man;
pub mod nixpkgs;
mod nixpkgs_init;
mod nixpkgs_lint;
mod nixpkgs_update;
pub mod prune;
pub mod report;
pub mod tree;
pub mod update;
pub mod why;

use std::path::Path;

use super::exit::{Exit, Failure};
use super::report::Report;
use crate::project::pylock::Pylock;

/// The lock at a path, which must be there.
fn existing_lock(path: &Path) -> Result<Pylock, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("`{}` cannot be read", path.display()))
            .why(error.to_string())
            .help("write it with `pyresolve lock`, or name another with `--lock`")
    })?;
    Pylock::parse(&text).map_err(|error| {
        let what = format!("`{}` is not a lock", path.display());
        let mut failure = Failure::usage(what).why(error.to_string());
        failure.problems.push(error.problem(path, &text));
        failure
    })
}

/// A result on standard output.
pub(super) fn print(report: &Report, text: &str) -> Result<Exit, Failure> {
    report
        .result(text)
        .map_err(|error| Failure::usage("standard output cannot be written").because(&error))?;
    Ok(Exit::Done)
}
