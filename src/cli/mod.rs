//! The only part that knows a terminal: from arguments to exit code.
//!
//! Arguments are read in two levels: [`args`] is what was typed, [`settings`] what is meant. A
//! command (one file each in [`command`]) does its work and returns an [`exit::Exit`], or an
//! [`exit::Failure`] that [`report`] prints.

pub mod args;
pub mod command;
mod configured;
pub mod contributing;
pub mod exit;
pub mod finding;
pub mod interrupt;
pub mod locking;
mod obsolete;
pub mod progress;
pub mod question;
mod remembered;
pub mod repeat;
pub mod report;
pub mod settings;
pub mod sources;
pub mod summary;
mod way;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use exit::Exit;
use report::Report;

/// Runs the program with the process' arguments.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done where the stream is closed.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into();
        }
    };
    let report = Report::new(&cli.display);
    let json = match &cli.command {
        Command::Lock(args) => args.output.json,
        Command::Inspect(args) => args.json,
        Command::Tree(args) => args.json,
        Command::Why(args) => args.json,
        Command::Diff(args) => args.json,
        Command::Check(args) => args.json,
        Command::Update(args) => args.output.json,
        Command::Prune(args) => args.output.json,
        Command::Nixpkgs(args) => args.json(),
        Command::Export(_)
        | Command::Cache(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Init(_)
        | Command::Report(_) => false,
    };
    let outcome = match cli.command {
        Command::Lock(args) => command::lock::run(&args, &report),
        Command::Init(args) => command::init::run(&args, &report),
        Command::Nixpkgs(args) => command::nixpkgs::run(&args, &report),
        Command::Inspect(args) => command::inspect::run(&args, &report),
        Command::Tree(args) => command::tree::run(&args, &report),
        Command::Why(args) => command::why::run(&args, &report),
        Command::Report(args) => command::report::run(&args, &report),
        Command::Diff(args) => command::diff::run(&args, &report),
        Command::Export(args) => command::export::run(&args, &report),
        Command::Cache(args) => command::cache::run(&args, &report),
        Command::Check(args) => command::check::run(&args, &report),
        Command::Update(args) => command::update::run(&args, &report),
        Command::Prune(args) => command::prune::run(&args, &report),
        Command::Completions(args) => command::completions::run(&args, &report),
        Command::Man(args) => command::man::run(&args, &report),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report.failure(&failure);
            if json {
                // Standard error has told it in any case.
                let _ = report.result(&format!("{:#}\n", failure.json()));
            }
            failure.exit.into()
        }
    }
}
