//! Why a pin is what it is, in sentences.

use pep440_rs::Operator;

use crate::plan::{Action, Reason, Step};
use crate::python::{Requirement, VersionSpecifiers};
use crate::resolve::Pin;

/// Where the user wrote it.
pub(super) fn place(reason: &Reason) -> String {
    match &reason.origin {
        Some(origin) => format!("{}:{}", reason.by, origin.line_column().0),
        None => reason.by.clone(),
    }
}

/// Who, as a sentence begins.
fn who(reason: &Reason) -> String {
    match &reason.origin {
        Some(_) => place(reason),
        None => reason.by.clone(),
    }
}

/// Why the Nix file does what it does.
pub(super) fn kind(step: &Step) -> Vec<String> {
    let has = |version| format!("nixpkgs has {version}");
    let forced: Vec<String> = step
        .reasons
        .iter()
        .filter(|r| r.forces)
        .map(|reason| match reason.wanted.as_str() {
            "" => format!("{} needs it from elsewhere", who(reason)),
            wanted => format!("{} needs {wanted}", who(reason)),
        })
        .collect();
    match (step.action, &step.nixpkgs_version) {
        (Action::Reuse, Some(version)) if *version == step.version => Vec::new(),
        (Action::Omit, _) => {
            vec!["Only packages want it that nixpkgs builds without it.".to_owned()]
        }
        (Action::Keep, Some(version)) => vec![format!(
            "nixpkgs has {version}, which will do: only packages need it that come from nixpkgs."
        )],
        (Action::Reuse, Some(version)) => vec![format!(
            "{}, and builds every package with it.",
            has(version)
        )],
        (Action::Attribute, Some(version)) if *version != step.version => {
            let mut all = vec![format!(
                "nixpkgs’ default is {version}, and it has {} as {}.",
                step.version, step.attribute
            )];
            all.extend(forced.into_iter().map(|text| format!("{text}.")));
            all
        }
        (_, None) => vec![match step.reasons.first() {
            Some(first) if first.wanted.is_empty() => {
                format!("nixpkgs lacks it; {} needs it.", who(first))
            }
            Some(first) => format!("nixpkgs lacks it; {} needs {}.", who(first), first.wanted),
            None => "nixpkgs lacks it.".to_owned(),
        }],
        (_, Some(version)) => match forced.split_first() {
            Some((first, rest)) => {
                let mut all = vec![format!("{}; {first}.", has(version))];
                all.extend(rest.iter().map(|text| format!("{text}.")));
                all
            }
            None => vec![format!("{}; {} was preferred.", has(version), step.version)],
        },
    }
}

/// What is known of why it is this version: who pins it, whether it is nixpkgs' own, who limits it.
pub(super) fn version(step: &Step, pin: Option<&Pin>) -> Vec<String> {
    let mut all = Vec::new();
    if pin.is_some_and(|pin| pin.direct.is_some()) {
        all.push("It comes from where the requirement says, not from an index.".to_owned());
    }
    let wants: Vec<(&Reason, Requirement)> = step
        .reasons
        .iter()
        .filter_map(|reason| Some((reason, Requirement::parse(&reason.requirement).ok()?)))
        .collect();
    let those = |ask: fn(&Requirement) -> bool| -> Vec<String> {
        let those = wants.iter().filter(|(_, requirement)| ask(requirement));
        let mut texts: Vec<String> = those
            .map(|(reason, _)| format!("{} wants {}", who(reason), reason.wanted))
            .collect();
        texts.dedup();
        texts
    };
    if let Some(older) = &step.older {
        all.push(rather_than(&older.rather_than, &older.because));
    }
    let pinned = those(|r| r.specifiers().is_some_and(pins));
    if let Some(first) = pinned.first() {
        all.push(format!("{first}: no other version will do."));
        return all;
    }
    if step.nixpkgs_version.as_ref() == Some(&step.version) {
        all.push("It is nixpkgs’ version, and it satisfies everybody who asks.".to_owned());
    }
    let limits = those(|r| r.specifiers().is_some_and(limits));
    match limits.as_slice() {
        [] if all.is_empty() => all.push(
            "Nobody sets an upper limit: the lock keeps it until an update asks for a newer one."
                .to_owned(),
        ),
        [] => {}
        [only] => all.push(format!("{only}, which is a limit to newer versions.")),
        several => all.push(format!(
            "{}, which are limits to newer versions.",
            several.join("; ")
        )),
    }
    all
}

/// Why not the newer one.
pub(super) fn rather_than(newer: &str, because: &str) -> String {
    format!("It is taken rather than {newer}: {because}.")
}

/// Whether only one version will do.
fn pins(specifiers: &VersionSpecifiers) -> bool {
    let exact = [Operator::Equal, Operator::ExactEqual];
    specifiers.iter().any(|s| exact.contains(s.operator()))
}

/// Whether there are versions that are too new.
fn limits(specifiers: &VersionSpecifiers) -> bool {
    let upper = [
        Operator::LessThan,
        Operator::LessThanEqual,
        Operator::EqualStar,
        Operator::TildeEqual,
    ];
    specifiers.iter().any(|s| upper.contains(s.operator()))
}
