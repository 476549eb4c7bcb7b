//! `pyresolve nixpkgs`: changes of nixpkgs itself, in a checkout. One file for each of its commands.

use super::{nixpkgs_init, nixpkgs_lint, nixpkgs_update};
use crate::cli::args::{Nixpkgs, NixpkgsCommand};
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;

/// Runs `pyresolve nixpkgs`.
///
/// # Errors
/// Those of its commands.
pub fn run(args: &Nixpkgs, report: &Report) -> Result<Exit, Failure> {
    match &args.command {
        NixpkgsCommand::Init(args) => nixpkgs_init::run(args, report),
        NixpkgsCommand::Update(args) => nixpkgs_update::run(args, report),
        NixpkgsCommand::Lint(args) => nixpkgs_lint::run(args, report),
    }
}
