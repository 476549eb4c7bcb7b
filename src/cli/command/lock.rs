//! `pyresolve lock`.

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::{Report, Volume};
use crate::cli::settings;

/// Runs `pyresolve lock`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &args::Lock, report: &Report) -> Result<Exit, Failure> {
    let meant = settings::Lock::new(args, &|name| std::env::var(name).ok())?;
    report.say(Volume::Trace, &format!("{meant:?}"));
    Err(Failure::new(
        Exit::World,
        "the index client is not part of this build yet",
    ))
}
