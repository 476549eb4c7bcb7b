//! `pyresolve diff`: what two locks disagree about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::existing_lock;
use crate::cli::args::{self, DiffFormat};
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;
use crate::project::pylock::Pylock;
use crate::python::{PackageName, Version};

/// What became of a project.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) name: PackageName,
    pub(super) old: Vec<Version>,
    pub(super) new: Vec<Version>,
    pub(super) old_action: Option<String>,
    pub(super) new_action: Option<String>,
}

/// Runs `pyresolve diff`: exit code 1 where the locks differ.
///
/// # Errors
/// When one of the locks cannot be read.
pub fn run(args: &args::Diff, report: &Report) -> Result<Exit, Failure> {
    let moves = moves(&existing_lock(&args.old)?, &existing_lock(&args.new)?);
    let text = match args.format {
        _ if args.json => {
            let all: Vec<Value> = moves.iter().map(as_json).collect();
            format!("{:#}\n", Value::from(all))
        }
        DiffFormat::Text => as_text(&moves),
        DiffFormat::Markdown => as_markdown(&moves),
    };
    super::print(report, &text)?;
    Ok(if moves.is_empty() {
        Exit::Done
    } else {
        Exit::Unsatisfiable
    })
}

pub(super) fn moves(old: &Pylock, new: &Pylock) -> Vec<Move> {
    let (old, new) = (pins(old), pins(new));
    let names: BTreeSet<&PackageName> = old.keys().chain(new.keys()).copied().collect();
    names
        .into_iter()
        .map(|name| {
            let (old, old_action) = old.get(name).cloned().unwrap_or_default();
            let (new, new_action) = new.get(name).cloned().unwrap_or_default();
            Move {
                name: name.clone(),
                old,
                new,
                old_action,
                new_action,
            }
        })
        .filter(|m| m.old != m.new || m.old_action != m.new_action)
        .collect()
}

type Pins<'a> = BTreeMap<&'a PackageName, (Vec<Version>, Option<String>)>;

fn pins(lock: &Pylock) -> Pins<'_> {
    let mut pins: Pins = BTreeMap::new();
    for pin in &lock.packages {
        let entry = pins.entry(&pin.name).or_default();
        entry.0.extend(pin.version.clone());
        entry.1 = entry.1.take().or_else(|| pin.own.action.clone());
    }
    pins
}

pub(super) fn versions(versions: &[Version]) -> String {
    let texts: Vec<String> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// What else changes: an entry that appears or disappears.
pub(super) fn action(m: &Move) -> String {
    match (&m.old_action, &m.new_action) {
        (Some(old), Some(new)) if old != new => format!("{old} → {new}"),
        (_, Some(new)) => new.clone(),
        (Some(old), None) if m.new.is_empty() => format!("was {old}"),
        _ => String::new(),
    }
}

pub(super) fn as_text(moves: &[Move]) -> String {
    let mut out = String::new();
    for m in moves {
        let note = match action(m).as_str() {
            "" => String::new(),
            note => format!(" ({note})"),
        };
        let line = match (m.old.is_empty(), m.new.is_empty()) {
            (true, _) => format!("+ {} {}{note}", m.name, versions(&m.new)),
            (_, true) => format!("- {} {}{note}", m.name, versions(&m.old)),
            // Only what the Nix file does about it is another.
            _ if m.old == m.new => format!("~ {} {}{note}", m.name, versions(&m.new)),
            _ => format!(
                "~ {} {} → {}{note}",
                m.name,
                versions(&m.old),
                versions(&m.new)
            ),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn as_markdown(moves: &[Move]) -> String {
    if moves.is_empty() {
        return "No pin changes.\n".to_owned();
    }
    let mut out = String::from("| project | old | new | in Nix |\n| --- | --- | --- | --- |\n");
    for m in moves {
        let cell = |text: String| {
            if text.is_empty() {
                "–".to_owned()
            } else {
                text
            }
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            m.name,
            cell(versions(&m.old)),
            cell(versions(&m.new)),
            cell(action(m)),
        ));
    }
    out
}

pub(super) fn as_json(m: &Move) -> Value {
    let texts = |versions: &[Version]| -> Vec<String> {
        versions.iter().map(ToString::to_string).collect()
    };
    json!({
        "name": m.name.as_ref(),
        "old": texts(&m.old),
        "new": texts(&m.new),
        "old_action": m.old_action,
        "new_action": m.new_action,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_of_two_locks() {
        let lock = |body: &str| Pylock::parse(&format!("lock-version = '1.0'\n{body}")).unwrap();
        let pin = |name: &str, version: &str, action: &str| {
            format!(
                "[[packages]]\nname = '{name}'\nversion = '{version}'\n[packages.tool.pyresolve]\naction = '{action}'\n"
            )
        };
        let old =
            lock(&(pin("a", "1", "new") + &pin("b", "1", "reuse") + &pin("d", "3", "override")));
        let new =
            lock(&(pin("b", "2", "override") + &pin("c", "1", "new") + &pin("d", "3", "reuse")));
        assert_eq!(
            as_text(&moves(&old, &new)),
            "- a 1 (was new)\n~ b 1 → 2 (reuse → override)\n+ c 1 (new)\n~ d 3 (override → reuse)\n"
        );
        assert!(moves(&old, &old).is_empty());
        assert!(as_markdown(&moves(&old, &new)).contains("| a | 1 | – | was new |"));
    }
}
