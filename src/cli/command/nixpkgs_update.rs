//! `pyresolve nixpkgs update`: an existing module brought to another version, in place.

use std::sync::Arc;

use data_encoding::BASE64;

use crate::cli::args::NixpkgsUpdate;
use crate::cli::contributing::{Contributing, refused};
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::locking;
use crate::cli::progress::Watcher;
use crate::cli::report::{Report, Volume, YELLOW};
use crate::contribute::update::{Asked, Outcome, Updated, update};
use crate::event::{Event, Observer as _, Step};
use crate::index::RemoteCatalog;

/// Runs `pyresolve nixpkgs update`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &NixpkgsUpdate, report: &Report) -> Result<Exit, Failure> {
    if let Some(hash) = &args.hash {
        let digest = hash.strip_prefix("sha256-");
        let digest = digest.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        if digest.is_none_or(|bytes| bytes.len() != 32) {
            return Err(Failure::usage(format!(
                "`--hash {hash}`: it is no sha256 as Nix writes it"
            ))
            .help("write `sha256-` and 44 characters, as `nix hash` and Nix' messages do"));
        }
    }
    locking::watched(report, |watcher, interrupt| {
        updated(args, report, watcher, interrupt)
    })
}

fn updated(
    args: &NixpkgsUpdate,
    report: &Report,
    watcher: &Arc<Watcher>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let (at, options) = Contributing::new(&args.contribution, &args.index, watcher)?;
    let catalog = RemoteCatalog::new(options);
    watcher.see(&Event::Step(Step::Fetching));
    let outcome = update(&Asked {
        tree: &at.tree,
        nixpkgs: &at.nixpkgs,
        catalog: &catalog,
        targets: &at.meant.targets,
        name: &at.wanted.name,
        version: at.version(),
        hash: args.hash.as_deref(),
    });
    watcher.finish();
    match outcome.map_err(refused)? {
        Outcome::Current(release) => {
            report.say(
                Volume::Normal,
                &format!("Nothing to do: this nixpkgs has {release}"),
            );
        }
        Outcome::Updated(updated) => {
            tell(&updated, report);
            let command = format!("pyresolve nixpkgs update {}", args.contribution.name);
            let changes = [updated.change.clone()];
            at.deliver(&[updated.commit()], &changes, &command, report, interrupt)?;
        }
    }
    Ok(Exit::Done)
}

fn tell(updated: &Updated, report: &Report) {
    report.say(Volume::Normal, &updated.change.subject());
    for line in &updated.changed {
        report.say(Volume::Normal, &format!("  {line}"));
    }
    for note in &updated.change.notes {
        let note = format!("{}: {note}", report.paint(YELLOW, "note"));
        report.say(Volume::Warnings, &note);
    }
}
