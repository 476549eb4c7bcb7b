//! `pyresolve lock`: from sources to `dependencies.nix` and `pylock.toml`.

use std::sync::Arc;

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::locking::{self, Asked, Reasons};
use crate::cli::progress::Watcher;
use crate::cli::report::{Report, Volume};
use crate::cli::settings;
use crate::cli::summary::Summary;
use crate::event::{Event, Observer, Step};
use crate::nixpkgs::Nixpkgs;
use crate::render::{self, Document};
use crate::write;

/// Runs `pyresolve lock`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &args::Lock, report: &Report) -> Result<Exit, Failure> {
    let meant = settings::Lock::new(args, &|name| std::env::var(name).ok())?;
    locking::watched(report, |watcher, interrupt| {
        lock(&meant, report, watcher, interrupt)
    })
}

fn lock(
    meant: &settings::Lock,
    report: &Report,
    watcher: &Arc<Watcher>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let asked = Asked::new(meant, report, watcher)?;
    if let Some(text) = &asked.existing
        && !asked.looks_at_sources()
        && nothing_to_do(meant, report, &asked.inputs, text)
    {
        return unchanged(meant, report, text);
    }
    let result = asked.answer(watcher, Reasons::wanted(meant, report))?;
    watcher.see(&Event::Step(Step::Writing));
    if meant.stdout {
        watcher.finish();
        let nix = result
            .documents
            .iter()
            .find(|d| Some(&d.name) == meant.output.nix.as_ref());
        return super::print(report, nix.map_or("", |document| &document.text));
    }
    let changes = locking::write(meant, &result.documents, interrupt)?;
    watcher.finish();
    let summary = result.summary(meant, &changes);
    summary.tell(report);
    if meant.json {
        return super::print(report, &format!("{:#}\n", summary.json()));
    }
    Ok(Exit::Done)
}

/// Whether the lock answers this very question and nobody has changed it since: its pins would stay,
/// so there is nothing to ask. What the Nix file needs is not in the lock, nor are reasons.
fn nothing_to_do(meant: &settings::Lock, report: &Report, inputs: &str, existing: &str) -> bool {
    meant.output.nix.is_none()
        && !meant.json
        && report.volume != Volume::Verbose
        && meant.upgrade == settings::Upgrade::default()
        && render::lock::untouched_inputs(existing) == Some(inputs)
}

fn unchanged(meant: &settings::Lock, report: &Report, existing: &str) -> Result<Exit, Failure> {
    let document = Document {
        name: meant.output.lock.clone(),
        text: existing.to_owned(),
    };
    Summary {
        targets: &meant.targets,
        nixpkgs: &Nixpkgs::default(),
        source: String::new(),
        steps: &[],
        pins: existing.matches("\n[[packages]]\n").count(),
        changes: &write::compare(&meant.output.folder, &[document])
            .map_err(locking::not_written)?,
        warnings: &[],
        dry_run: meant.dry_run,
        lock_only: true,
    }
    .tell(report);
    Ok(Exit::Done)
}
