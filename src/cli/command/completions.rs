//! `pyresolve completions`: what makes a shell complete the arguments.

use clap::CommandFactory as _;

use crate::cli::args::{self, Cli};
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;

/// Runs `pyresolve completions`.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run(args: &args::Completions, report: &Report) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pyresolve", &mut text);
    super::print(report, &String::from_utf8_lossy(&text))
}
