//! `pyresolve check`: whether the lock is what the sources ask for, as it was written, and still
//! true.
//!
//! What was asked and what was written stand in the lock as digests, so that *stale* and *edited*
//! are told without asking anybody. Whether it is *broken* only the index can tell: the lock is made
//! again in memory, and must come out the same.

mod against;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use against::Against;
use similar::TextDiff;

use crate::cli::args::{self, Annotate};
use crate::cli::exit::{Exit, Failure};
use crate::cli::finding::{self, Finding, Kind};
use crate::cli::locking::{self, Asked, Locked, Reasons};
use crate::cli::obsolete;
use crate::cli::progress::Watcher;
use crate::cli::question;
use crate::cli::repeat;
use crate::cli::report::{Report, Volume};
use crate::cli::settings;
use crate::cli::sources::Wishes;
use crate::nixpkgs::source::Choice;
use crate::problem::Origin;
use crate::project::pylock::{Locked as Locking, Own, OwnNixpkgs, Pylock};
use crate::python::{PackageName, Requirement, Sha256};
use crate::render;
use crate::write::{self, State};

/// Comparing two texts that share nothing could take forever.
const DIFF: Duration = Duration::from_secs(2);

/// What is said where only the digest of what is asked differs.
const OTHERWISE: &str = "by another pyresolve, or with other settings (index, constraints, overrides, pre-releases, formats)";

/// What was found, and what would change.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    against: Vec<Against>,
    diff: String,
}

impl Found {
    /// Everything, that of other nixpkgs last.
    fn all(&self) -> Vec<Finding> {
        let others = self.against.iter().flat_map(|against| &against.findings);
        self.findings.iter().chain(others).cloned().collect()
    }
}

/// Runs `pyresolve check`.
///
/// # Errors
/// When the sources or the lock cannot be read, and when nothing was found but the index does not
/// answer.
pub fn run(args: &args::Check, report: &Report) -> Result<Exit, Failure> {
    let mut meant = settings::Lock::new(&args.as_lock(), &|name| std::env::var(name).ok())?;
    // What was typed to make the files need not be typed to check them.
    repeat::keep(&mut meant);
    let others: Vec<Choice> = args
        .against
        .iter()
        .map(|text| Choice::parse(text, Path::new("")))
        .collect();
    let found = locking::watched(report, |watcher, _| check(&meant, &others, report, watcher))?;
    let all = found.all();
    let text = match args.annotate {
        Some(Annotate::Github) => finding::github(&all),
        Some(Annotate::Gitlab) => format!("{:#}\n", finding::gitlab(&all)),
        None if args.json => {
            let mut json = finding::as_json(&found.findings, &found.diff);
            json["good"] = all.is_empty().into();
            if !found.against.is_empty() {
                json["against"] = found.against.iter().map(Against::json).collect();
            }
            format!("{json:#}\n")
        }
        None => {
            let mut text = finding::text(&found.findings, report) + &found.diff;
            for against in &found.against {
                text += &against.line();
                text += &finding::text(&against.findings, report);
            }
            text
        }
    };
    super::print(report, &text)?;
    if all.is_empty() {
        report.say(Volume::Normal, &good(&meant));
        return Ok(Exit::Done);
    }
    report.say(Volume::Normal, &advice(&all));
    Ok(Exit::Unsatisfiable)
}

fn good(meant: &settings::Lock) -> String {
    let lock = &meant.output.lock;
    let files = match &meant.output.nix {
        Some(nix) => format!("{nix} and {lock} are"),
        None => format!("{lock} is"),
    };
    let asked = if meant.index.offline {
        " (the index was not asked)"
    } else {
        ""
    };
    format!("Good: {files} what the sources ask for{asked}")
}

fn advice(findings: &[Finding]) -> String {
    let has = |kind| findings.iter().any(|f| f.kind == kind);
    let what = if has(Kind::Edited) {
        "take changes by hand back, or move them into the sources; then run `pyresolve lock`"
    } else if has(Kind::Broken) {
        "let the pins in question move: `pyresolve update NAME`"
    } else if has(Kind::Superseded) {
        "drop what nixpkgs has: `pyresolve prune`, with `--nixpkgs` where that is another one"
    } else {
        "run `pyresolve lock`, or `pyresolve prune` where only nixpkgs is newer"
    };
    format!("help: {what}")
}

fn check(
    meant: &settings::Lock,
    others: &[Choice],
    report: &Report,
    watcher: &Arc<Watcher>,
) -> Result<Found, Failure> {
    let mut asked = Asked::new(meant, report, watcher)?;
    let mut found = Found::default();
    let Some(text) = asked.existing.clone() else {
        let what = "there is no lock";
        found.findings.push(Finding::new(
            Kind::Stale,
            shown(meant, &meant.output.lock),
            what,
        ));
        return Ok(found);
    };
    let lock = question::parsed(meant, &text)?;
    found.findings.extend(edited(meant, &text, &lock));
    found.findings.extend(stale(&asked, &lock));
    if !others.is_empty() {
        let own = asked.nixpkgs()?;
        for choice in others {
            let against = against::against(&asked, &lock, &own, choice)?;
            found.against.push(against);
        }
    }
    if meant.index.offline && found.findings.is_empty() && !asked.looks_at_sources() {
        return Ok(found);
    }
    let pinned: BTreeSet<PackageName> =
        asked.wishes.requirements.iter().filter_map(exact).collect();
    match asked.answer(watcher, Reasons::Unread) {
        Ok(locked) => compare(meant, &lock, &locked, &pinned, &mut found)?,
        // Only the index could have told more.
        Err(failure) if found.findings.is_empty() && failure.exit != Exit::Unsatisfiable => {
            return Err(failure);
        }
        Err(failure) if failure.exit == Exit::Unsatisfiable => {
            let why = failure.why.join(" ");
            let what = format!("{}: {}", failure.what, why.replace('\n', " "));
            found.findings.push(Finding::new(
                Kind::Broken,
                shown(meant, &meant.output.lock),
                what,
            ));
        }
        Err(failure) => {
            let note = format!("note: what would change is not known: {}", failure.what);
            report.say(Volume::Normal, &note);
        }
    }
    Ok(found)
}

/// Generated files that are not as they were written.
fn edited(meant: &settings::Lock, text: &str, lock: &Pylock) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = lock.own.clone().unwrap_or_default();
    let file = shown(meant, &meant.output.lock);
    if render::lock::untouched_inputs(text).is_none() {
        let what = match own.inputs.is_empty() {
            true => "was not written by pyresolve",
            false => "was changed since pyresolve wrote it",
        };
        findings.push(Finding::new(Kind::Edited, file, what));
    }
    let Some(nix) = &meant.output.nix else {
        return findings;
    };
    if !own.written.contains_key(nix) {
        let what = format!("was not written together with {}", meant.output.lock);
        findings.push(Finding::new(Kind::Stale, shown(meant, nix), what));
    }
    for (name, digest) in &own.written {
        let file = shown(meant, name);
        // The names are the lock's, which anybody may have written.
        let path = if obsolete::is_below(name) {
            name
        } else {
            plain(name)
        };
        let finding = match std::fs::read(meant.output.folder.join(path)) {
            Err(_) => Finding::new(Kind::Stale, file, "is not there"),
            Ok(bytes) if format!("sha256:{}", Sha256::of(&bytes)) == *digest => continue,
            Ok(_) => Finding::new(Kind::Edited, file, "was changed since pyresolve wrote it"),
        };
        findings.push(finding);
    }
    findings
}

/// The last part of a path.
fn plain(name: &str) -> &str {
    Path::new(name)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

/// What is asked for now and was not then, and the other way round.
fn stale(asked: &Asked<'_>, lock: &Pylock) -> Vec<Finding> {
    let own = lock.own.clone().unwrap_or_default();
    if own.inputs == asked.inputs {
        return Vec::new();
    }
    let meant = asked.meant;
    let file = shown(meant, &meant.output.lock);
    let mut findings = requirements(&asked.wishes, &own, meant);
    findings.extend(pinned(&asked.wishes, lock));
    let systems: Vec<&str> = meant
        .targets
        .environments
        .iter()
        .map(|e| e.system.name())
        .collect();
    let settings = [
        (
            "Python",
            own.python.clone(),
            meant.targets.python.to_string(),
        ),
        ("systems", own.systems.join(", "), systems.join(", ")),
        (
            "preference",
            own.prefer.clone(),
            question::prefer(&meant.policy).to_owned(),
        ),
        (
            "format",
            render::Layout::of(&own.format)
                .unwrap_or_default()
                .text()
                .to_owned(),
            meant.output.layout.text().to_owned(),
        ),
    ];
    for (what, old, new) in settings {
        if old != new {
            let or_none = |text: String| {
                if text.is_empty() {
                    "none".to_owned()
                } else {
                    text
                }
            };
            let what = format!("{what}: {} then, {} now", or_none(old), or_none(new));
            findings.push(Finding::new(Kind::Stale, &*file, what));
        }
    }
    findings.extend(moved(asked, own.nixpkgs.as_ref()).map(|what| {
        let kind = Kind::Nixpkgs;
        Finding::new(kind, &*file, what)
    }));
    if findings.is_empty() {
        // A tree without a revision is known by its files only.
        let located = &asked.located;
        let tree = !located.is_bundled() && located.revision.is_none();
        let what = format!(
            "was made {}{OTHERWISE}",
            if tree {
                "with nixpkgs as it was before, "
            } else {
                ""
            }
        );
        findings.push(Finding::new(Kind::Stale, file, what));
    }
    findings
}

/// How the nixpkgs that counts differs from the one that the lock was made with.
fn moved(asked: &Asked<'_>, then: Option<&OwnNixpkgs>) -> Option<String> {
    let tell = |channel: &str, date: &str, revision: Option<&str>| {
        let short = revision.and_then(|revision| revision.get(..12));
        let parts = [channel, date, short.unwrap_or("")];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts.is_empty() {
            true => "none".to_owned(),
            false => parts.join(" "),
        }
    };
    let now = &asked.located;
    let now = tell(&now.channel, &now.date, now.revision.as_deref());
    let then = then.map_or("none".to_owned(), |then| {
        tell(&then.channel, &then.date, then.revision.as_deref())
    });
    (then != now).then(|| format!("was made with {then}, and now {now} counts"))
}

fn requirements(wishes: &Wishes, own: &Own, meant: &settings::Lock) -> Vec<Finding> {
    let then: BTreeSet<&str> = own.requirements.iter().map(String::as_str).collect();
    let now: BTreeSet<String> = wishes
        .requirements
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut findings = Vec::new();
    for requirement in &wishes.requirements {
        let applies = !meant.targets.matching(&requirement.marker, &[]).is_empty();
        if applies && !then.contains(&*requirement.to_string()) {
            let what = format!("`{requirement}` is not in the lock");
            findings.push(match &requirement.origin {
                Some(origin) => at(origin, what),
                None => Finding::new(Kind::Stale, shown(meant, &meant.output.lock), what),
            });
        }
    }
    for gone in then.into_iter().filter(|text| !now.contains(*text)) {
        let what = format!("`{gone}` is required no more");
        findings.push(Finding::new(
            Kind::Stale,
            shown(meant, &meant.output.lock),
            what,
        ));
    }
    findings
}

/// What another tool's lock has otherwise, where nothing else will do.
fn pinned(wishes: &Wishes, lock: &Pylock) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pins in wishes.approved.pins.iter().filter(|pins| pins.exact) {
        for pin in lock.packages.iter().filter(|pin| !pin.direct) {
            let (Some(version), Some(known)) = (&pin.version, pins.limits.pinned.get(&pin.name))
            else {
                continue;
            };
            if let Some((theirs, release)) = known.last_key_value()
                && !known.contains_key(version)
            {
                let what = format!(
                    "{} is pinned to {theirs}, and the lock has {version}",
                    pin.name
                );
                findings.push(at(&release.origin, what));
            }
        }
    }
    findings
}

fn at(origin: &Origin, what: String) -> Finding {
    let path = origin.path();
    let path = path.strip_prefix(".").unwrap_or(path);
    Finding::new(Kind::Stale, path.display().to_string(), what).at(origin.line_column().0)
}

/// What making the lock again tells.
fn compare(
    meant: &settings::Lock,
    old: &Pylock,
    locked: &Locked,
    pinned: &BTreeSet<PackageName>,
    found: &mut Found,
) -> Result<(), Failure> {
    let file = shown(meant, &meant.output.lock);
    let removed = obsolete::files(&meant.output, &locked.documents)?;
    let changes = write::comparing(&meant.output.folder, &locked.documents, &removed)
        .map_err(locking::not_written)?;
    for gone in changes.iter().filter(|c| c.state == State::Removed) {
        let old = String::from_utf8_lossy(gone.old().unwrap_or_default());
        found.diff += &unified(&shown(meant, &gone.name), &old, "");
    }
    for (change, document) in changes.iter().zip(&locked.documents) {
        if change.state != State::Unchanged {
            let old = String::from_utf8_lossy(change.old().unwrap_or_default());
            found.diff += &unified(&shown(meant, &change.name), &old, &document.text);
        }
    }
    // Where only the nixpkgs is another one, that alone does not tell what comes of it.
    let told = found.findings.iter();
    let told = told.filter(|f| f.kind != Kind::Nixpkgs && !f.what.ends_with(OTHERWISE));
    if !found.diff.is_empty() && told.count() == 0 {
        let new = locked
            .documents
            .iter()
            .find(|d| d.name == meant.output.lock);
        let new = new.and_then(|document| Pylock::parse(&document.text).ok());
        let mut broken = broken(old, &new.unwrap_or_default(), &file);
        if broken.is_empty() && found.findings.is_empty() {
            let what = "would be written otherwise, from the same requirements";
            broken.push(Finding::new(Kind::Broken, &*file, what));
        }
        found.findings.extend(broken);
    }
    // Who pins a yanked release wants that one.
    for (name, version, said) in locked.yanked.iter().filter(|y| !pinned.contains(&y.0)) {
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": {said}")
        };
        let what = format!("{name} {version} was yanked{said}");
        found
            .findings
            .push(Finding::new(Kind::Broken, &*file, what));
    }
    Ok(())
}

/// Why a lock that nobody touched would come out otherwise.
fn broken(old: &Pylock, new: &Pylock, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pin in &old.packages {
        let release = release(pin);
        let same = |other: &&Locking| other.name == pin.name && other.version == pin.version;
        let what = match new.packages.iter().find(same) {
            None => match new.packages.iter().find(|other| other.name == pin.name) {
                Some(other) => format!(
                    "{release} is to be had no more; {} is",
                    self::release(other)
                ),
                None => format!("{release} is not needed any more"),
            },
            Some(other) if other.own.action != pin.own.action => {
                let was_entry = matches!(pin.own.action.as_deref(), Some("override" | "new"));
                if was_entry && other.own.action.as_deref() == Some("reuse") {
                    let what = format!("nixpkgs has caught up with {release}, which has an entry");
                    findings.push(Finding::new(Kind::Superseded, file, what));
                    continue;
                }
                format!("{release}: {}", action(pin, other))
            }
            Some(other) if (&other.sdist, &other.wheels) != (&pin.sdist, &pin.wheels) => {
                format!("{release}: {}", files(pin, other))
            }
            Some(_) => continue,
        };
        findings.push(Finding::new(Kind::Broken, file, what));
    }
    findings
}

/// What became of an entry, or of nixpkgs' own.
fn action(pin: &Locking, other: &Locking) -> String {
    let word = |pin: &Locking| pin.own.action.clone().unwrap_or_default();
    let (then, now) = (word(pin), word(other));
    let was_there = matches!(&*then, "reuse" | "attribute" | "override");
    let attr = pin.own.attribute.as_deref().unwrap_or(pin.name.as_ref());
    if was_there && now == "new" {
        return format!("nixpkgs has {attr} no more ({then} then, {now} now)");
    }
    format!("{then} then, {now} now")
}

/// Which files of a release are not those of the lock.
fn files(pin: &Locking, other: &Locking) -> String {
    let by_name = |pin: &Locking| -> BTreeMap<String, Option<String>> {
        let files = pin.sdist.iter().chain(&pin.wheels);
        files
            .map(|file| {
                let last = file.url.as_deref().and_then(|url| url.rsplit('/').next());
                let name = file.name.clone().or(last.map(str::to_owned));
                (name.unwrap_or_default(), file.hashes.get("sha256").cloned())
            })
            .collect()
    };
    let (then, now) = (by_name(pin), by_name(other));
    let mut said = Vec::new();
    for (name, digest) in &then {
        match now.get(name) {
            None => said.push(format!("{name} is on the index no more")),
            Some(other) if other != digest => said.push(format!("{name} has another digest now")),
            Some(_) => {}
        }
    }
    let new = now.keys().filter(|name| !then.contains_key(*name));
    said.extend(new.map(|name| format!("{name} is new on the index")));
    if said.is_empty() {
        said.push("its files on the index are not those of the lock".to_owned());
    }
    said.join(", ")
}

fn release(pin: &Locking) -> String {
    match &pin.version {
        Some(version) => format!("{} {version}", pin.name),
        None => pin.name.to_string(),
    }
}

/// The project of a requirement that admits one version only.
fn exact(requirement: &Requirement) -> Option<PackageName> {
    let mut specifiers = requirement.specifiers()?.iter();
    specifiers
        .any(|s| *s.operator() == pep440_rs::Operator::Equal)
        .then(|| requirement.name.clone())
}

fn unified(file: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF).diff_lines(old, new);
    diff.unified_diff()
        .context_radius(3)
        .header(&format!("a/{file}"), &format!("b/{file}"))
        .to_string()
}

/// A file of the output folder, as the user would name it.
fn shown(meant: &settings::Lock, name: &str) -> String {
    let path = meant.output.folder.join(name);
    path.strip_prefix(".")
        .unwrap_or(&path)
        .display()
        .to_string()
}
