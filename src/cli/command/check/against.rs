//! `check --against`: whether the files that are there hold with other nixpkgs.
//!
//! Nothing is resolved again: the lock tells what each pin needs and what was done about it, and that is
//! compared with what another nixpkgs has. Packages that nixpkgs has anyway are its own business among
//! themselves; what the user and the entries need of it must be there, at a version that will do.

use std::collections::BTreeSet;

use pep508_rs::ExtraName;
use serde_json::{Value, json};

use crate::cli::exit::Failure;
use crate::cli::finding::{Finding, Kind};
use crate::cli::locking::Asked;
use crate::cli::obsolete;
use crate::cli::question;
use crate::cli::settings::Lock;
use crate::nix::read;
use crate::nixpkgs::Nixpkgs;
use crate::nixpkgs::source::Choice;
use crate::project::pylock::{Locked, Pylock};
use crate::python::range::admits;
use crate::python::{PackageName, Requirement, Version};
use crate::resolve::Prefer;

/// What came of another nixpkgs.
pub(super) struct Against {
    /// How it was chosen.
    pub choice: String,
    /// Which it is.
    pub told: String,
    /// What does not hold.
    pub findings: Vec<Finding>,
    channel: String,
    date: String,
    revision: Option<String>,
    kept: usize,
    entries: usize,
}

impl Against {
    /// A line for people.
    pub fn line(&self) -> String {
        let came = match self.findings.len() {
            0 => format!(
                "good: {} from nixpkgs, {} of its own",
                self.kept, self.entries
            ),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        };
        format!("against {}: {came}\n", self.told)
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({
            "nixpkgs": self.choice,
            "channel": self.channel,
            "date": self.date,
            "revision": self.revision,
            "good": self.findings.is_empty(),
            "kept": self.kept,
            "entries": self.entries,
            "findings": self.findings.iter().map(Finding::json).collect::<Vec<_>>(),
        })
    }
}

/// Compares a lock with another nixpkgs.
///
/// # Errors
/// When that cannot be had.
pub(super) fn against(
    asked: &Asked<'_>,
    lock: &Pylock,
    own: &Nixpkgs,
    choice: &Choice,
) -> Result<Against, Failure> {
    let (located, nixpkgs) = asked.other(choice)?;
    let told = question::told(&located);
    let file = super::shown(asked.meant, &asked.meant.output.lock);
    let comparison = Comparison {
        lock,
        meant: asked.meant,
        nixpkgs: &nixpkgs,
        needs: needs(lock, asked.meant),
        told: choice.to_string(),
        file,
    };
    let mut findings: Vec<Finding> = lock
        .packages
        .iter()
        .filter_map(|pin| comparison.pin(pin))
        .collect();
    findings.extend(comparison.names(own));
    let is_entry = |pin: &&Locked| is_entry(pin);
    let entries = lock.packages.iter().filter(is_entry).count();
    Ok(Against {
        choice: choice.to_string(),
        told,
        findings,
        channel: located.channel.clone(),
        date: located.date.clone(),
        revision: located.revision.clone(),
        kept: lock.packages.len() - entries,
        entries,
    })
}

/// Whether the Nix file defines a pin.
fn is_entry(pin: &Locked) -> bool {
    matches!(pin.own.action.as_deref(), Some("override" | "new"))
}

/// Somebody needs a project: who, and what.
type Need = (String, Requirement);

/// What the user and the entries need, on the targets.
fn needs(lock: &Pylock, meant: &Lock) -> Vec<Need> {
    let own = lock.own.clone().unwrap_or_default();
    let mut all: Vec<(String, String)> = own
        .requirements
        .into_iter()
        .map(|text| ("your project".to_owned(), text))
        .collect();
    for pin in lock.packages.iter().filter(|pin| is_entry(pin)) {
        let release = super::release(pin);
        let requires = pin.own.requires.iter();
        all.extend(requires.map(|text| (release.clone(), text.clone())));
    }
    let parsed = all.into_iter().filter_map(|(by, text)| {
        let requirement = Requirement::parse(&text).ok()?;
        // What stands in the lock is asked for: an extra in its marker is one that is wanted.
        let any = |_: &ExtraName| true;
        let marker = requirement.marker.clone().simplify_extras_with(any);
        let applies = !meant.targets.matching(&marker, &[]).is_empty();
        applies.then_some((by, requirement))
    });
    parsed.collect()
}

struct Comparison<'a> {
    lock: &'a Pylock,
    meant: &'a Lock,
    nixpkgs: &'a Nixpkgs,
    needs: Vec<Need>,
    told: String,
    file: String,
}

impl Comparison<'_> {
    fn finding(&self, kind: Kind, what: String) -> Finding {
        Finding::new(kind, &*self.file, what).against(&self.told)
    }

    /// Whether a version will do for everybody who counts; else who it does not do for.
    fn refused(&self, name: &PackageName, version: &Version) -> Option<&Need> {
        let mut needs = self.needs.iter().filter(|(_, need)| need.name == *name);
        needs.find(|(_, need)| need.specifiers().is_some_and(|s| !admits(s, version)))
    }

    fn is_needed(&self, name: &PackageName) -> bool {
        self.needs.iter().any(|(_, need)| need.name == *name)
    }

    fn pin(&self, pin: &Locked) -> Option<Finding> {
        let attr = pin.own.attribute.as_deref()?;
        let release = super::release(pin);
        let there = self.nixpkgs.attribute(attr);
        match pin.own.action.as_deref()? {
            "override" => match there {
                None => Some(self.finding(
                    Kind::Broken,
                    format!("{release} overrides {attr}, which is not there"),
                )),
                Some(there) => self.overridden(pin, &there.version),
            },
            "new" => self.added(pin),
            "reuse" | "attribute" if self.is_needed(&pin.name) => {
                let Some(there) = there else {
                    let what = format!("{release} is taken from {attr}, which is not there");
                    return Some(self.finding(Kind::Broken, what));
                };
                let (by, need) = self.refused(&pin.name, &there.version)?;
                let what = format!("{attr} is {}, and {by} needs `{need}`", there.version);
                Some(self.finding(Kind::Broken, what))
            }
            _ => None,
        }
    }

    fn overridden(&self, pin: &Locked, there: &Version) -> Option<Finding> {
        let version = pin.version.as_ref()?;
        let release = super::release(pin);
        if there == version {
            let what = format!("the override {release} is not needed: nixpkgs has that version");
            return Some(self.finding(Kind::Superseded, what));
        }
        let will_do = self.refused(&pin.name, there).is_none() && self.is_needed(&pin.name);
        if will_do && self.meant.policy.prefer == Prefer::Nixpkgs && there > version {
            let what =
                format!("the override {release} is not needed: nixpkgs has {there}, which will do");
            return Some(self.finding(Kind::Superseded, what));
        }
        (there > version).then(|| {
            let what = format!("the override {release} is older than nixpkgs' {there}");
            self.finding(Kind::Broken, what)
        })
    }

    fn added(&self, pin: &Locked) -> Option<Finding> {
        let there = self.nixpkgs.attributes(&pin.name).first()?;
        let version = pin.version.as_ref()?;
        let will_do = there.version == *version
            || self.meant.policy.prefer == Prefer::Nixpkgs
                && self.is_needed(&pin.name)
                && self.refused(&pin.name, &there.version).is_none();
        will_do.then(|| {
            let what = format!(
                "the entry {} is not needed: nixpkgs has {} {}",
                super::release(pin),
                there.attr,
                there.version
            );
            self.finding(Kind::Superseded, what)
        })
    }

    /// Attributes that the files name, that the lock's nixpkgs has, and this one has not: what entries
    /// are built with, above all.
    fn names(&self, own: &Nixpkgs) -> Vec<Finding> {
        let folder = &self.meant.output.folder;
        let written = self.lock.own.as_ref().map(|own| &own.written);
        let mut findings = Vec::new();
        let pins: BTreeSet<&str> = self
            .lock
            .packages
            .iter()
            .filter_map(|pin| pin.own.attribute.as_deref())
            .collect();
        let names = written.into_iter().flat_map(|written| written.keys());
        for name in names.filter(|n| n.ends_with(".nix") && obsolete::is_below(n)) {
            let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
                continue;
            };
            let mut named = read::selected(&text, &["final", "prev", "ps"]).unwrap_or_default();
            if name.contains('/') {
                named.extend(read::arguments(&text).unwrap_or_default());
            }
            named.retain(|attr| {
                !pins.contains(attr.as_str()) && own.has_attr(attr) && !self.nixpkgs.has_attr(attr)
            });
            for attr in named {
                let what = format!("{attr} is not there, and the file names it");
                let file = super::shown(self.meant, name);
                findings.push(Finding::new(Kind::Broken, file, what).against(&self.told));
            }
        }
        findings
    }
}
