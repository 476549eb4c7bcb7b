//! `pyresolve report`: a page that shows what was locked, and why.
//!
//! The lock is made again in memory, with the pins that it has, as reasons and entries stand in no
//! lock. With `--lock` only that file is read.

use std::path::Path;

use super::existing_lock;
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking::{self, Asked, Locked, Reasons};
use crate::cli::report::{GREEN, Report, Volume, YELLOW};
use crate::cli::settings::{self, Source};
use crate::project;
use crate::project::pylock::Pylock;
use crate::render::Document;
use crate::report::gather::{self, Given};
use crate::report::{self, Page};
use crate::write;

/// Runs `pyresolve report`.
///
/// # Errors
/// When there is nothing to show, or the page cannot be written.
pub fn run(args: &args::Report, report: &Report) -> Result<Exit, Failure> {
    let page = match &args.lock {
        Some(path) => gather::from_lock(&file_name(path), &existing_lock(path)?),
        None => planned(args, report)?,
    };
    let text = report::render(&page);
    if args.html.as_os_str() == "-" {
        return super::print(report, &text);
    }
    let folder = match args.html.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if args.html.is_dir() || !folder.is_dir() {
        let what = format!("`{}` cannot be written", args.html.display());
        return Err(Failure::usage(what).help("name a file in a folder that exists"));
    }
    let document = Document {
        name: file_name(&args.html),
        text,
    };
    for change in write::write(folder, &[document]).map_err(locking::not_written)? {
        let wrote = match change.state {
            write::State::Unchanged => "Unchanged".to_owned(),
            _ => report.paint(GREEN, "Wrote"),
        };
        let line = format!("{wrote} {}", args.html.display());
        report.say(Volume::Normal, &line);
    }
    Ok(Exit::Done)
}

/// The page of what `lock` would write, which is what it has written where nothing has changed.
fn planned(args: &args::Report, report: &Report) -> Result<Page, Failure> {
    let meant = settings::Lock::new(&args.as_lock(), &|name| std::env::var(name).ok())?;
    let (title, there, locked) = locking::watched(report, |watcher, _| {
        let asked = Asked::new(&meant, report, watcher)?;
        let title = title(&meant, &asked.wishes.called);
        let there = asked.existing.clone();
        Ok((title, there, asked.answer(watcher, Reasons::Wanted)?))
    })?;
    let text = lock_text(&meant, &locked);
    if there.as_deref() != Some(text) {
        let label = report.paint(YELLOW, "warning");
        let what = match there {
            None => "there is no lock yet",
            Some(_) => "the lock that is there says something else (`pyresolve check` tells what)",
        };
        let line = format!("{label}: {what}; the page shows what `pyresolve lock` would write");
        report.say(Volume::Warnings, &line);
    }
    let lock = Pylock::parse(text).unwrap_or_default();
    let Some(assembly) = &locked.assembly else {
        return Ok(gather::from_lock(&title, &lock));
    };
    Ok(gather::from_plan(&Given {
        title: &title,
        resolution: &assembly.resolution,
        build: &assembly.build,
        plan: &assembly.plan,
        nixpkgs: &locked.nixpkgs,
        lock: &lock,
        warnings: &locked.warnings,
    }))
}

/// The lock as it would be written.
fn lock_text<'a>(meant: &settings::Lock, locked: &'a Locked) -> &'a str {
    let mut documents = locked.documents.iter();
    let lock = documents.find(|document| document.name == meant.output.lock);
    lock.map_or("", |document| &document.text)
}

/// The project's own name, where a source tells one; it was read before without complaint.
fn title(meant: &settings::Lock, called: &str) -> String {
    let [Source::Path(path)] = meant.sources.as_slice() else {
        return called.to_owned();
    };
    let env = |name: &str| std::env::var(name).ok();
    let project = project::open_with(path, &env).ok();
    let name = project.and_then(|project| project.name);
    name.map_or_else(|| called.to_owned(), |name| name.to_string())
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
