//! What came out of a lock: as text for people, as JSON for programs.

use std::path::Path;

use serde_json::{Value, json};

use super::report::{BOLD, CYAN, DIM, GREEN, Report, Volume};
use crate::nixpkgs::Nixpkgs;
use crate::plan::{Action, Reason, Step, UNSEEN};
use crate::python::Targets;
use crate::write::{Change, State};

/// What came out of a lock.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What it serves.
    pub targets: &'a Targets,
    /// What nixpkgs has.
    pub nixpkgs: &'a Nixpkgs,
    /// Which nixpkgs that is, how old, and where it was found.
    pub source: String,
    /// What is done for each pin.
    pub steps: &'a [Step],
    /// How many projects are pinned to run.
    pub pins: usize,
    /// The files.
    pub changes: &'a [Change],
    /// What the reader should know besides.
    pub warnings: &'a [String],
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether there is only a lock, so that nothing is done about pins.
    pub lock_only: bool,
}

impl Summary<'_> {
    /// Tells a person.
    pub fn tell(&self, report: &Report) {
        for warning in self.warnings {
            let label = report.paint(super::report::YELLOW, "warning");
            report.say(Volume::Warnings, &format!("{label}: {warning}"));
        }
        report.say(Volume::Normal, &self.headline(report));
        if !self.lock_only {
            report.say(Volume::Normal, &self.counted());
            if let Some(unseen) = self.unseen() {
                report.say(Volume::Normal, &unseen);
            }
            self.tell_steps(report);
        }
        for change in self.changes {
            report.say(Volume::Normal, &self.file(change, report));
        }
    }

    fn headline(&self, report: &Report) -> String {
        let pins = self.pins;
        let systems: Vec<&str> = self
            .targets
            .environments
            .iter()
            .map(|e| e.system.name())
            .collect();
        format!(
            "{} {pins} {} for Python {} on {}",
            report.paint(GREEN, "Locked"),
            plural(pins, "project"),
            self.targets.python_minor(),
            systems.join(", ")
        )
    }

    /// `141 from nixpkgs · 3 overridden · 6 new · 9 rebuilt because of overrides`, and from which
    /// nixpkgs.
    fn counted(&self) -> String {
        let count = |action| self.steps.iter().filter(|s| s.action == action).count();
        let other = count(Action::Attribute);
        let kept = count(Action::Reuse) + count(Action::Keep) + other;
        let mut parts = vec![format!("{kept} from nixpkgs")];
        let mut part = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        part(other, "of these under another attribute");
        part(count(Action::Override), "overridden");
        part(count(Action::New), "new");
        let rebuilt = self.steps.iter().filter(|s| s.rebuilt).count();
        let because = if self.nixpkgs.tree.is_some() {
            "rebuilt because of overrides"
        } else {
            "rebuilt because of overrides, by the pins' metadata"
        };
        part(rebuilt, because);
        part(count(Action::Omit), "that nixpkgs' packages do without");
        let source = if self.nixpkgs.is_empty() {
            "no nixpkgs was used".to_owned()
        } else {
            format!("nixpkgs: {}", self.source)
        };
        format!("  {}\n  {source}", parts.join(" · "))
    }

    /// What was not looked at, because nobody knows nixpkgs' recipes.
    fn unseen(&self) -> Option<String> {
        let unseen = |step: &&Step| step.notes.iter().any(|note| note == UNSEEN);
        let names: Vec<&str> = self
            .steps
            .iter()
            .filter(unseen)
            .map(|step| step.name.as_ref())
            .collect();
        let shown = match names.as_slice() {
            [] => return None,
            [one] => (*one).to_owned(),
            [one, other] => format!("{one} and {other}"),
            [one, rest @ ..] => format!("{one} and {} others", rest.len()),
        };
        Some(format!(
            "  not checked: patches, postPatch and tests that nixpkgs has for {shown}; a tree (`--nixpkgs`) tells them"
        ))
    }

    fn tell_steps(&self, report: &Report) {
        let mut lines = Vec::new();
        for step in self.steps {
            let at = match step.action {
                _ if step.older.is_some() => Volume::Normal,
                Action::Keep | Action::Override | Action::New => Volume::Normal,
                Action::Attribute | Action::Reuse | Action::Omit => Volume::Verbose,
            };
            lines.push((at, step, format!("{} {}", step.name, step.version)));
        }
        let width = lines
            .iter()
            .filter(|(at, ..)| *at <= report.volume)
            .map(|(_, _, release)| release.len())
            .max()
            .unwrap_or(0);
        for (at, step, release) in lines {
            let action = format!("{:<9}", step.action.text());
            let line = format!(
                "  {} {}  {}",
                report.paint(CYAN, &action),
                report.paint(BOLD, &format!("{release:<width$}")),
                because(step)
            );
            report.say(at, line.trim_end());
            if let Some(older) = &step.older {
                let indent = width + 13;
                let line = format!(
                    "{:indent$} rather than {}: {}",
                    "", older.rather_than, older.because
                );
                report.say(at, &line);
            }
        }
    }

    fn file(&self, change: &Change, report: &Report) -> String {
        let path = shown(&change.path);
        let (verb, note) = match (change.state, self.dry_run) {
            (State::Unchanged, _) => return format!("{} {path}", report.paint(DIM, "Unchanged")),
            (State::New, true) => ("Would write", " (new)"),
            (State::Changed, true) => ("Would change", ""),
            (State::New, false) => ("Wrote", ""),
            (State::Changed, false) => ("Changed", ""),
            (State::Removed, true) => ("Would remove", ""),
            (State::Removed, false) => ("Removed", ""),
        };
        format!("{} {path}{note}", report.paint(GREEN, verb))
    }

    /// Tells a program.
    pub fn json(&self) -> Value {
        let pins: Vec<Value> = self.steps.iter().map(|step| self.pin(step)).collect();
        let count = |action| self.steps.iter().filter(|s| s.action == action).count();
        let systems: Vec<&str> = self
            .targets
            .environments
            .iter()
            .map(|e| e.system.name())
            .collect();
        let nixpkgs = (!self.nixpkgs.is_empty()).then(|| {
            json!({
                "channel": self.nixpkgs.channel,
                "date": self.nixpkgs.date,
                "revision": self.nixpkgs.revision,
            })
        });
        let files: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                json!({
                    "path": change.path,
                    "state": match change.state {
                        State::New => "new",
                        State::Changed => "changed",
                        State::Unchanged => "unchanged",
                        State::Removed => "removed",
                    },
                })
            })
            .collect();
        json!({
            "python": self.targets.python.to_string(),
            "systems": systems,
            "nixpkgs": nixpkgs,
            "counts": {
                "reuse": count(Action::Reuse) + count(Action::Keep) + count(Action::Omit),
                "attribute": count(Action::Attribute),
                "override": count(Action::Override),
                "new": count(Action::New),
                "rebuilt": self.steps.iter().filter(|s| s.rebuilt).count(),
            },
            "rebuilt_by": if self.nixpkgs.tree.is_some() { "recipes" } else { "metadata" },
            "pins": pins,
            "files": files,
            "written": !self.dry_run,
            "warnings": self.warnings,
        })
    }

    fn pin(&self, step: &Step) -> Value {
        let targets: Vec<&str> = self
            .targets
            .systems(step.targets)
            .map(|s| s.name())
            .collect();
        let reasons: Vec<Value> = step.reasons.iter().map(reason).collect();
        json!({
            "name": step.name.as_ref(),
            "version": step.version.to_string(),
            "action": step.action.text(),
            "attribute": (!step.attribute.is_empty()).then_some(&step.attribute),
            "nixpkgs_version": step.nixpkgs_version.as_ref().map(ToString::to_string),
            "systems": targets,
            "for_build": step.for_build,
            "rebuilt": step.rebuilt,
            "notes": step.notes,
            "rather_than": step.older.as_ref().map(|older| &older.rather_than),
            "because": step.older.as_ref().map(|older| &older.because),
            "inputs": step.inputs,
            "reasons": reasons,
        })
    }
}

/// Why a pin is not just nixpkgs' own.
fn because(step: &Step) -> String {
    let has = match (&step.nixpkgs_version, step.action) {
        (Some(version), Action::Reuse) if *version == step.version => String::new(),
        (Some(version), Action::Keep) => {
            return format!("nixpkgs has {version}, which will do there");
        }
        (Some(version), _) => format!("nixpkgs has {version}"),
        (None, _) => "nixpkgs lacks it".to_owned(),
    };
    let reason = match step.reasons.first() {
        Some(reason) => needs(reason),
        None => String::new(),
    };
    match (has.is_empty(), reason.is_empty()) {
        (false, false) => format!("{has}; {reason}"),
        _ => format!("{has}{reason}"),
    }
}

fn needs(reason: &Reason) -> String {
    let by = match &reason.origin {
        Some(origin) => format!("{}:{}", shown(origin.path()), origin.line_column().0),
        None => reason.by.clone(),
    };
    if reason.wanted.is_empty() {
        format!("{by} needs it")
    } else {
        format!("{by} needs {}", reason.wanted)
    }
}

fn reason(reason: &Reason) -> Value {
    json!({
        "by": reason.by,
        "requirement": reason.requirement,
        "wanted": reason.wanted,
        "line": reason.origin.as_ref().map(|origin| origin.line_column().0),
        "forces": reason.forces,
    })
}

/// A path without a leading `./`.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}
