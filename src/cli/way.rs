//! What a lock's pins would cost otherwise: the lock's own question, asked again of the cache alone.
//!
//! Nothing is fetched: `pyresolve why` answers at once and anywhere. What the cache does not hold is
//! not known, and that is said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use super::args;
use super::exit::Failure;
use super::question;
use super::settings;
use super::sources::Wishes;
use crate::assemble::alternative::{self, Ways};
use crate::assemble::{AssembleError, Kept, Question};
use crate::event::Silent;
use crate::index::RemoteCatalog;
use crate::nixpkgs::source::{Choice, Located};
use crate::plan;
use crate::project::pylock::{Own, OwnNixpkgs, Pylock};
use crate::project::{self, Directory};
use crate::python::{PackageName, Requirement, System, Version};
use crate::resolve::Prefer;

/// What is known besides the lock.
pub struct Known {
    /// The nixpkgs that the lock was made with, where it is not the one that counts now.
    pub other_nixpkgs: Option<(String, String)>,
    /// What could be done, or why nobody knows.
    pub ways: Result<Ways, String>,
}

/// Finds out what could be done about a pin.
///
/// # Errors
/// For the user: a nixpkgs that he names and that is not there.
pub fn find(
    args: &args::Why,
    lock: &Pylock,
    own: &Own,
    pin: (&PackageName, &Version),
) -> Result<Known, Failure> {
    let folder = args.lock.parent().unwrap_or(Path::new(""));
    let meant = meant(args, lock, own, folder)?;
    let wishes = wishes(own, folder);
    let around = question::surroundings(&meant);
    let options = question::options(&meant.index, &[], Arc::new(Silent))?;
    let mut located = match question::locate(&meant, &wishes, &around) {
        Ok(located) => located,
        Err(failure) if args.nixpkgs.is_some() => return Err(failure),
        Err(failure) => return Ok(Known::nothing(&failure)),
    };
    let list = match question::channel_list(meant.channel_url.as_deref(), &mut located, &options) {
        Ok(list) => list,
        Err(failure) => return Ok(Known::nothing(&failure)),
    };
    let other_nixpkgs = differs(own.nixpkgs.as_ref(), &located);
    let python = &meant.targets.python;
    let nixpkgs = question::nixpkgs(python, &mut located, &around, list.as_deref())?;
    let nixpkgs = Arc::new(nixpkgs);
    let policy = question::policy(&meant.policy, &[])?;
    let input = question::input(&meant, &wishes, policy, &nixpkgs, Some(lock.clone()));
    let remote = RemoteCatalog::new(options);
    let catalog = Kept::new(&remote, &nixpkgs);
    let policy = plan::Policy {
        project: "your project".to_owned(),
        keep: input.policy.prefer == Prefer::Nixpkgs,
        ..plan::Policy::default()
    };
    let question = Question {
        input: &input,
        nixpkgs: &nixpkgs,
        policy: &policy,
        stated: &BTreeSet::new(),
        approved: &wishes.approved,
        for_builds: &[],
    };
    let ways = match alternative::alternatives(&catalog, &question, pin.0, pin.1) {
        Ok(Some(ways)) => Ok(ways),
        Ok(None) => Err("asked again, the lock's question has another answer".to_owned()),
        Err(AssembleError::Unsolvable(_)) => Err(
            "the lock's own requirements have no answer without what it was made with".to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    };
    Ok(Known {
        other_nixpkgs,
        ways,
    })
}

impl Known {
    fn nothing(failure: &Failure) -> Self {
        Self {
            other_nixpkgs: None,
            ways: Err(failure.what.clone()),
        }
    }
}

/// The arguments that would make the lock, without the network.
fn meant(
    args: &args::Why,
    lock: &Pylock,
    own: &Own,
    folder: &Path,
) -> Result<settings::Lock, Failure> {
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let typed = args::Lock {
        sources: vec![here.display().to_string()],
        selection: args::Selection::default(),
        versions: args::Versions {
            python: Some(own.python.clone()).filter(|python| !python.is_empty()),
            systems: own
                .systems
                .iter()
                .filter_map(|s| System::from_str(s).ok())
                .collect(),
            nixpkgs: args.nixpkgs.clone(),
            channel_url: args.channel_url.clone(),
            prefer: match own.prefer.as_str() {
                "latest" => Some(args::Prefer::Latest),
                "lowest" => Some(args::Prefer::Lowest),
                _ => Some(args::Prefer::Nixpkgs),
            },
            ..args::Versions::default()
        },
        moves: args::Moves::default(),
        index: args::Index {
            cache_dir: args.cache_dir.clone(),
            offline: true,
            ..args::Index::default()
        },
        output: args::Output::default(),
    };
    let mut meant = settings::Lock::new(&typed, &|name| std::env::var(name).ok())?;
    // The indexes that the pins are from, whatever is usual here.
    let mut seen = BTreeSet::new();
    let mut indexes = lock.packages.iter().filter_map(|pin| pin.index.clone());
    if let Some(first) = indexes.next() {
        seen.insert(first.clone());
        meant.index.main = Some(first);
        meant.index.extra = indexes.filter(|index| seen.insert(index.clone())).collect();
    }
    Ok(meant)
}

/// What the lock was asked, and what the settings beside it say besides.
fn wishes(own: &Own, folder: &Path) -> Wishes {
    let read = |text: &String| Requirement::parse(text).ok();
    let mut wishes = Wishes {
        called: "your project".to_owned(),
        requirements: own.requirements.iter().filter_map(read).collect(),
        constraints: own.constraints.iter().filter_map(read).collect(),
        overrides: own.overrides.iter().filter_map(read).collect(),
        ..Wishes::default()
    };
    let here = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    if let Ok(files) = Directory::open(here) {
        let settings = project::settings::read(&files);
        wishes.constraints.extend(settings.constraints);
        wishes.overrides.extend(settings.overrides);
        wishes.nixpkgs = settings.nixpkgs.map(|n| Choice::parse(&n.value, here));
        let stated = settings.metadata.into_iter();
        wishes.stated = stated
            .map(|((name, version), stated)| {
                let text = stated.as_metadata(&name, &version);
                ((name, Some(version.to_string())), text)
            })
            .collect::<BTreeMap<_, _>>();
    }
    wishes
}

/// How the nixpkgs of a lock and the one that counts now are called, where they are not the same.
pub fn differs(then: Option<&OwnNixpkgs>, now: &Located) -> Option<(String, String)> {
    let called = |channel: &str, revision: Option<&str>, date: &str| {
        let revision = revision.map(|r| r.get(..12).unwrap_or(r));
        let date = Some(date)
            .filter(|date| !date.is_empty())
            .map(|d| format!("of {d}"));
        let words = [Some(channel.to_owned()), revision.map(str::to_owned), date];
        let words: Vec<String> = words
            .into_iter()
            .flatten()
            .filter(|w| !w.is_empty())
            .collect();
        match words.is_empty() {
            true => "none".to_owned(),
            false => words.join(" "),
        }
    };
    let then = then.cloned().unwrap_or_default();
    let same = match (&then.revision, &now.revision) {
        (Some(then), Some(now)) => then == now,
        (None, None) => then.channel == now.channel && then.date == now.date,
        _ => false,
    };
    (!same).then(|| {
        (
            called(&then.channel, then.revision.as_deref(), &then.date),
            called(&now.channel, now.revision.as_deref(), &now.date),
        )
    })
}
