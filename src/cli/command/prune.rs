//! `pyresolve prune`: entries go that nixpkgs has caught up with.

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::repeat;
use crate::cli::report::Report;
use crate::cli::settings;

/// Runs `pyresolve prune`: whatever has an entry may go to nixpkgs' version, and nowhere else.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &args::Prune, report: &Report) -> Result<Exit, Failure> {
    let mut meant = settings::Lock::new(&args.as_lock(), &|name| std::env::var(name).ok())?;
    meant.upgrade.to_nixpkgs = true;
    repeat::keep(&mut meant);
    super::update::moved(&meant, None, report)
}
