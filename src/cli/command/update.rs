//! `pyresolve update`: pins move, and what moved is told.

use std::collections::BTreeSet;

use super::diff::{self, Move};
use crate::cli::args::{self, DiffFormat};
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::locking::{self, Asked, Locked, Reasons};
use crate::cli::question;
use crate::cli::report::{Report, Volume};
use crate::cli::settings;
use crate::plan::Action;
use crate::project::pylock::Pylock;

/// Runs `pyresolve update`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &args::Update, report: &Report) -> Result<Exit, Failure> {
    let meant = settings::Lock::new(&args.as_lock(), &|name| std::env::var(name).ok())?;
    moved(&meant, args.summary, report)
}

/// Makes the lock again with what is meant, writes it, and tells which pins moved.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub(super) fn moved(
    meant: &settings::Lock,
    summary: Option<DiffFormat>,
    report: &Report,
) -> Result<Exit, Failure> {
    let (old, locked) = locking::watched(report, |watcher, interrupt| {
        let old = before(meant)?;
        let locked = Asked::new(meant, report, watcher)?.answer(watcher, Reasons::Wanted)?;
        known(meant, &old, &locked)?;
        Ok((old, (write(meant, &locked, interrupt)?, locked)))
    })?;
    let (changes, locked) = locked;
    let moves = diff::moves(&old, &after(meant, &locked));
    match summary {
        Some(DiffFormat::Markdown) => {
            super::print(report, &markdown(&moves, &locked))?;
        }
        Some(DiffFormat::Text) => {
            super::print(report, &diff::as_text(&moves))?;
        }
        None if moves.is_empty() => report.say(Volume::Normal, "No pin changes"),
        None => report.say(Volume::Normal, diff::as_text(&moves).trim_end()),
    }
    let told = locked.summary(meant, &changes);
    told.tell(report);
    if meant.json {
        let mut json = told.json();
        json["moves"] = moves.iter().map(diff::as_json).collect();
        return super::print(report, &format!("{json:#}\n"));
    }
    Ok(Exit::Done)
}

fn write(
    meant: &settings::Lock,
    locked: &Locked,
    interrupt: &Interrupt,
) -> Result<Vec<crate::write::Change>, Failure> {
    locking::write(meant, &locked.documents, interrupt)
}

/// The lock as it was; an empty one where there was none.
fn before(meant: &settings::Lock) -> Result<Pylock, Failure> {
    let path = meant.output.folder.join(&meant.output.lock);
    match std::fs::read_to_string(&path) {
        Ok(text) => question::parsed(meant, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Pylock::default()),
        Err(error) => {
            Err(Failure::usage(format!("`{}` cannot be read", path.display())).because(&error))
        }
    }
}

fn after(meant: &settings::Lock, locked: &Locked) -> Pylock {
    let document = locked
        .documents
        .iter()
        .find(|d| d.name == meant.output.lock);
    document
        .and_then(|document| Pylock::parse(&document.text).ok())
        .unwrap_or_default()
}

/// A name that is in neither lock is a slip of the pen.
fn known(meant: &settings::Lock, old: &Pylock, locked: &Locked) -> Result<(), Failure> {
    let new = after(meant, locked);
    let pins = old.packages.iter().chain(&new.packages);
    let names: BTreeSet<_> = pins.map(|pin| &pin.name).collect();
    match meant
        .upgrade
        .packages
        .iter()
        .find(|name| !names.contains(name))
    {
        Some(name) => Err(Failure::usage(format!("no pin is called `{name}`"))
            .help("`pyresolve tree` shows the pins")),
        None => Ok(()),
    }
}

/// A table of what moved, for the text of a pull request.
fn markdown(moves: &[Move], locked: &Locked) -> String {
    if moves.is_empty() {
        return "No pin changes.\n".to_owned();
    }
    let mut out =
        String::from("| project | old | new | in Nix | why |\n| --- | --- | --- | --- | --- |\n");
    for m in moves {
        let name = match locked.changelogs.get(&m.name) {
            Some(address) => format!("[{}]({})", m.name, address.replace(')', "%29")),
            None => m.name.to_string(),
        };
        let step = locked.steps.iter().find(|step| step.name == m.name);
        let entry = step.filter(|s| matches!(s.action, Action::New | Action::Override));
        let why = entry.and_then(|step| step.reasons.first());
        let why = why.map(|reason| format!("{} needs `{}{}`", reason.by, m.name, reason.wanted));
        let cells = [
            name,
            diff::versions(&m.old),
            diff::versions(&m.new),
            diff::action(m),
            why.unwrap_or_default(),
        ];
        let cells = cells.map(|text| {
            if text.is_empty() {
                "–".to_owned()
            } else {
                cell(&text)
            }
        });
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push_str(&entries(moves, locked));
    let rebuilt: Vec<&str> = locked
        .steps
        .iter()
        .filter(|step| step.rebuilt)
        .map(|step| step.name.as_ref())
        .collect();
    if !rebuilt.is_empty() {
        out.push_str(&format!(
            "\nOf nixpkgs' own packages, these are built again because something below them has an entry: {}\n",
            rebuilt.join(", ")
        ));
    }
    out
}

/// Which entries appear and which go, and why.
fn entries(moves: &[Move], locked: &Locked) -> String {
    let is_entry = |action: &Option<String>| matches!(action.as_deref(), Some("override" | "new"));
    let mut appear = Vec::new();
    let mut go = Vec::new();
    for m in moves {
        let step = locked.steps.iter().find(|step| step.name == m.name);
        match (is_entry(&m.old_action), is_entry(&m.new_action)) {
            (false, true) => {
                let nixpkgs = step.and_then(|step| step.nixpkgs_version.as_ref());
                let has = nixpkgs.map_or_else(
                    || "nixpkgs lacks it".to_owned(),
                    |version| format!("nixpkgs has {version}"),
                );
                let by = step.and_then(|step| step.reasons.first());
                let by = by.map(|reason| {
                    format!(", and {} needs `{}{}`", reason.by, m.name, reason.wanted)
                });
                let version = diff::versions(&m.new);
                appear.push(format!(
                    "{} {version}: {has}{}",
                    m.name,
                    by.unwrap_or_default()
                ));
            }
            (true, false) if m.new.is_empty() => {
                go.push(format!("{}: nothing needs it any more", m.name));
            }
            (true, false) => {
                let version = diff::versions(&m.new);
                go.push(format!("{}: nixpkgs' {version} will do", m.name));
            }
            _ => {}
        }
    }
    let list = |title: &str, lines: &[String]| {
        if lines.is_empty() {
            return String::new();
        }
        let lines = lines.iter().map(|line| format!("- {}\n", cell(line)));
        format!("\n{title}\n\n{}", lines.collect::<String>())
    };
    list("Entries that appear:", &appear) + &list("Entries that go:", &go)
}

/// What a table would take for its own is not in a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
