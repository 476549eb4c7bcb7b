//! What `lock`, `check` and `update` have in common: from what is meant to the documents, and those
//! to disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::exit::{Exit, Failure};
use super::interrupt::Interrupt;
use super::obsolete;
use super::progress::Watcher;
use super::question;
use super::remembered::Names;
use super::report::{Report, Volume};
use super::settings;
use super::sources::{self, Wishes};
use super::summary::Summary;
use crate::assemble::{self, AssembleError, Assembly, Kept, Question};
use crate::event::{Event, Observer, Step};
use crate::index::{Catalog, Counts, Index, Location, Options, RemoteCatalog};
use crate::nixpkgs::Nixpkgs;
use crate::nixpkgs::source::{Choice, Located, Surroundings};
use crate::plan::{self, Older, Plan, PlanError};
use crate::project::pylock::Pylock;
use crate::python::{PackageName, Sha256};
use crate::render::lock::{Action, LockText};
use crate::render::{self, Document, Layout};
use crate::resolve::{Explanation, Input, Pin, Policy, Prefer, Resolution, ResolveError};
use crate::write::{self, Change, WriteError};

/// What is asked: the sources have been read, the index has not been asked yet.
pub struct Asked<'a> {
    /// What the user means.
    pub meant: &'a settings::Lock,
    /// What the sources ask for.
    pub wishes: Wishes,
    /// The digest of everything that is asked.
    pub inputs: String,
    /// The text of the lock whose pins may stay.
    pub existing: Option<String>,
    /// Where the nixpkgs that counts is.
    pub located: Located,
    /// The list of packages of the channel, where it is one.
    list: Option<String>,
    around: Surroundings,
    policy: Policy,
    options: Options,
}

/// Whether reasons are wanted even where no Nix file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reasons {
    /// For somebody who reads them.
    Wanted,
    /// For nobody.
    Unread,
}

/// Does work that a signal may end and that progress is drawn for.
///
/// # Errors
/// Those of the work.
pub fn watched<T>(
    report: &Report,
    work: impl FnOnce(&Arc<Watcher>, &Interrupt) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let watcher = Arc::new(Watcher::new(report));
    let interrupt = Interrupt::watch(&watcher);
    let outcome = work(&watcher, &interrupt);
    watcher.finish();
    if report.volume >= Volume::Trace {
        for line in watcher.trace() {
            report.say(Volume::Trace, &line);
        }
    }
    outcome
}

impl Reasons {
    /// As the output is asked for.
    pub fn wanted(meant: &settings::Lock, report: &Report) -> Self {
        if meant.json || report.volume >= Volume::Verbose {
            Self::Wanted
        } else {
            Self::Unread
        }
    }
}

/// What came out.
pub struct Locked {
    /// The files, the lock after the Nix file.
    pub documents: Vec<Document>,
    /// What is done about each pin, and why.
    pub steps: Vec<plan::Step>,
    /// Everything behind the Nix file, where one is made.
    pub assembly: Option<Assembly>,
    /// How many projects are pinned to run.
    pub pins: usize,
    /// Sentences for the reader.
    pub warnings: Vec<String>,
    /// The pins that were yanked from the index, with what is said about it.
    pub yanked: Vec<(PackageName, String, String)>,
    /// Where each project tells what is new in its releases.
    pub changelogs: BTreeMap<PackageName, String>,
    /// The nixpkgs that counted.
    pub nixpkgs: Arc<Nixpkgs>,
    /// What is to be said of it.
    pub source: String,
}

impl Locked {
    /// For people and programs.
    pub fn summary<'a>(&'a self, meant: &'a settings::Lock, changes: &'a [Change]) -> Summary<'a> {
        Summary {
            targets: &meant.targets,
            nixpkgs: &self.nixpkgs,
            source: self.source.clone(),
            steps: &self.steps,
            pins: self.pins,
            changes,
            warnings: &self.warnings,
            dry_run: meant.dry_run,
            lock_only: meant.output.nix.is_none(),
        }
    }
}

impl<'a> Asked<'a> {
    /// Reads the sources and the existing lock.
    ///
    /// # Errors
    /// For the user: what cannot be read.
    pub fn new(
        meant: &'a settings::Lock,
        report: &Report,
        watcher: &Arc<Watcher>,
    ) -> Result<Self, Failure> {
        watcher.see(&Event::Step(Step::Reading));
        let wishes = sources::gather(meant, report)?;
        let policy = question::policy(&meant.policy, &wishes.index)?;
        let observer: Arc<dyn Observer> = Arc::clone(watcher) as Arc<dyn Observer>;
        let mut options = question::options(&meant.index, &wishes.index, observer)?;
        options.metadata.clone_from(&wishes.stated);
        let around = question::surroundings(meant);
        let mut located = question::locate(meant, &wishes, &around)?;
        let base = meant.channel_url.as_deref();
        let list = question::channel_list(base, &mut located, &options)?;
        let mark = located.mark();
        let origin = (located.channel.as_str(), mark.as_str());
        let inputs = question::digest(meant, &wishes, &policy, origin, &options.indexes);
        Ok(Self {
            existing: question::existing(meant)?,
            meant,
            wishes,
            inputs,
            located,
            list,
            around,
            policy,
            options,
        })
    }

    /// The nixpkgs that counts.
    ///
    /// # Errors
    /// When it knows nothing of the target's Python.
    pub fn nixpkgs(&mut self) -> Result<Nixpkgs, Failure> {
        let python = &self.meant.targets.python;
        let list = self.list.as_deref();
        question::nixpkgs(python, &mut self.located, &self.around, list)
    }

    /// Another nixpkgs.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn other(&self, choice: &Choice) -> Result<(Located, Nixpkgs), Failure> {
        let mut located = question::located(choice, &self.around)?;
        let base = self.meant.channel_url.as_deref();
        let list = question::channel_list(base, &mut located, &self.options)?;
        let python = &self.meant.targets.python;
        let nixpkgs = question::nixpkgs(python, &mut located, &self.around, list.as_deref())?;
        Ok((located, nixpkgs))
    }

    /// Whether something comes from an address or a path, where it may have changed since.
    pub fn looks_at_sources(&self) -> bool {
        let wishes = &self.wishes;
        let all = [&wishes.requirements, &wishes.constraints, &wishes.overrides];
        all.into_iter()
            .flatten()
            .any(|requirement| requirement.specifiers().is_none())
    }

    /// Asks the index for everything; writes nothing.
    ///
    /// # Errors
    /// Anything that keeps it from a complete result.
    pub fn answer(self, watcher: &Watcher, reasons: Reasons) -> Result<Locked, Failure> {
        let names = Names::of(&self, reasons);
        let Self {
            meant,
            wishes,
            inputs,
            existing,
            mut located,
            around,
            policy,
            options,
            list,
        } = self;
        let python = &meant.targets.python;
        let nixpkgs = question::nixpkgs(python, &mut located, &around, list.as_deref())?;
        let nixpkgs = Arc::new(nixpkgs);
        let asked = options.indexes.clone();
        let remote = RemoteCatalog::new(options);
        let known = names
            .as_ref()
            .and_then(|names| names.recall(&remote, &meant.output.lock, &nixpkgs));
        let outcome = match known {
            Some(known) => known,
            None => {
                let existing = existing.map(|text| question::parsed(meant, &text));
                let existing = existing.transpose()?;
                let older = existing.as_ref().map(|lock| noted(meant, lock));
                let input = question::input(meant, &wishes, policy, &nixpkgs, existing);
                let outcome = Work {
                    meant,
                    wishes: &wishes,
                    nixpkgs: &nixpkgs,
                    input: &input,
                    inputs: &inputs,
                    catalog: &Kept::new(&remote, &nixpkgs),
                    older: &older.unwrap_or_default(),
                    watcher,
                }
                .done(reasons);
                if let Some(names) = &names {
                    names.remember(&remote, outcome.as_ref());
                }
                outcome
            }
        };
        for line in traffic(&remote.counts()) {
            watcher.note(&line);
        }
        let mut locked = outcome.map_err(|failure| {
            let unasked = unasked_indexes(&wishes.indexes, &asked);
            unasked.into_iter().fold(failure, Failure::help)
        })?;
        remote.end();
        let notes = located.notes.iter().cloned();
        locked.warnings.splice(0..0, notes);
        locked.source = question::told(&located);
        Ok(locked)
    }
}

/// What a lock is made from.
struct Work<'a> {
    meant: &'a settings::Lock,
    wishes: &'a Wishes,
    nixpkgs: &'a Arc<Nixpkgs>,
    input: &'a Input,
    inputs: &'a str,
    catalog: &'a dyn Catalog,
    /// Releases that the existing lock says are older than they could be.
    older: &'a BTreeMap<PackageName, Older>,
    watcher: &'a Watcher,
}

/// What a lock says beyond the pins.
#[derive(Default)]
struct Aspects {
    actions: BTreeMap<(PackageName, String), Action>,
    build: Vec<Pin>,
    older: BTreeMap<PackageName, Older>,
    written: Vec<(String, Sha256)>,
}

impl Work<'_> {
    fn done(&self, reasons: Reasons) -> Result<Locked, Failure> {
        let outcome = match self.meant.output.nix {
            Some(_) => self.everything(),
            None => self.only_the_lock(reasons),
        };
        outcome.map_err(refused)
    }

    fn policy(&self) -> plan::Policy {
        plan::Policy {
            project: self.wishes.called.clone(),
            command: self.meant.command.clone(),
            root: self.meant.output.folder.clone(),
            fixes: self.wishes.fixes.clone(),
            nix: self.wishes.nix.clone(),
            limits: self.input.constraints.clone(),
            keep: self.input.policy.prefer == Prefer::Nixpkgs,
            place: self.place(),
            prefer_wheels: self.meant.prefer_wheels.clone(),
            ..plan::Policy::default()
        }
    }

    /// The folder of the results. It exists, so that its path can only be unknown where the current
    /// folder is gone; what is the user's own is then named as he did.
    fn place(&self) -> std::path::PathBuf {
        std::path::absolute(&self.meant.output.folder).unwrap_or_default()
    }

    /// A lock alone has no layout.
    fn layout(&self) -> Layout {
        let output = &self.meant.output;
        output.nix.as_ref().map_or(Layout::Let, |_| output.layout)
    }

    fn everything(&self) -> Result<Locked, AssembleError> {
        let policy = self.policy();
        let question = Question {
            input: self.input,
            nixpkgs: self.nixpkgs,
            policy: &policy,
            stated: &self.wishes.stated_releases(),
            approved: &self.wishes.approved,
            for_builds: &question::for_builds(self.meant, self.wishes),
        };
        let assembly = assemble::assemble(self.catalog, &question, self.watcher)?;
        let output = &self.meant.output;
        let name = output.nix.clone().unwrap_or_default();
        let mut documents = render::documents(&assembly.plan, output.layout, &name);
        let older = self.older(&assembly.resolution, &assembly.older);
        let mut steps = assembly.plan.steps.clone();
        tell_older(&mut steps, &older);
        let aspects = Aspects {
            older,
            actions: actions(&assembly.plan),
            build: build_pins(&assembly),
            written: documents
                .iter()
                .map(|d| (d.name.clone(), Sha256::of(d.text.as_bytes())))
                .collect(),
        };
        let lock = self.text(&assembly.resolution, assembly.digests.clone(), &aspects)?;
        documents.insert(1, lock);
        let mut warnings = assembly.plan.warnings.clone();
        warnings.extend(assembly.warnings.iter().cloned());
        warnings.extend(missing_extras(&assembly.resolution));
        Ok(Locked {
            documents,
            pins: assembly.resolution.pins.len(),
            yanked: yanked(&assembly.resolution),
            changelogs: changelogs(&assembly.resolution),
            nixpkgs: Arc::clone(self.nixpkgs),
            source: String::new(),
            steps,
            assembly: Some(assembly),
            warnings,
        })
    }

    fn only_the_lock(&self, reasons: Reasons) -> Result<Locked, AssembleError> {
        let policy = self.policy();
        let question = Question {
            input: self.input,
            nixpkgs: self.nixpkgs,
            policy: &policy,
            stated: &self.wishes.stated_releases(),
            approved: &self.wishes.approved,
            for_builds: &question::for_builds(self.meant, self.wishes),
        };
        let (resolution, older) = assemble::choose(self.catalog, &question, self.watcher)?;
        let aspects = Aspects {
            older: self.older(&resolution, &older),
            ..Aspects::default()
        };
        let lock = self.text(&resolution, BTreeMap::new(), &aspects)?;
        let mut steps = if reasons == Reasons::Wanted {
            self.steps(&resolution)
        } else {
            Vec::new()
        };
        tell_older(&mut steps, &aspects.older);
        let mut warnings = self.wishes.approved.notes(&resolution);
        warnings.extend(missing_extras(&resolution));
        Ok(Locked {
            documents: vec![lock],
            pins: resolution.pins.len(),
            yanked: yanked(&resolution),
            changelogs: changelogs(&resolution),
            nixpkgs: Arc::clone(self.nixpkgs),
            source: String::new(),
            steps,
            assembly: None,
            warnings,
        })
    }

    /// What is known of releases that are older than they could be: found now, or noted in the lock
    /// whose pins stayed.
    fn older(
        &self,
        resolution: &Resolution,
        found: &BTreeMap<PackageName, Older>,
    ) -> BTreeMap<PackageName, Older> {
        let mut older = self.older.clone();
        older.extend(found.clone());
        older.retain(|name, older| {
            let mut pins = resolution.pins_of(name);
            pins.any(|pin| pin.version == older.version)
        });
        older
    }

    fn steps(&self, resolution: &Resolution) -> Vec<plan::Step> {
        plan::steps(&plan::Request {
            resolution,
            build: &[],
            facts: &BTreeMap::new(),
            trials: &BTreeMap::new(),
            crates: &BTreeMap::new(),
            wheels: &BTreeMap::new(),
            digests: &BTreeMap::new(),
            nixpkgs: self.nixpkgs,
            unpublished: &assemble::unpublished(self.catalog, self.nixpkgs, resolution),
            policy: &self.policy(),
        })
    }

    fn text(
        &self,
        resolution: &Resolution,
        mut digests: BTreeMap<String, Sha256>,
        aspects: &Aspects,
    ) -> Result<Document, AssembleError> {
        let files = resolution
            .pins
            .iter()
            .chain(&aspects.build)
            .flat_map(|pin| pin.release.files().map(|file| (&pin.name, file)))
            .filter(|(_, file)| !digests.contains_key(&file.file));
        digests.extend(assemble::digests(self.catalog, files)?);
        let nixpkgs = self.nixpkgs;
        let lock = LockText {
            resolution,
            digests: &digests,
            nixpkgs: (!nixpkgs.is_empty()).then_some(&**nixpkgs),
            prefer: question::prefer(&self.input.policy),
            layout: self.layout(),
            inputs: self.inputs,
            place: &self.place(),
            actions: &aspects.actions,
            older: &aspects.older,
            build: &aspects.build,
            constraints: &self.wishes.constraints,
            overrides: &self.wishes.overrides,
            written: &aspects.written,
        };
        let text =
            render::lock::render(&lock).map_err(|file| plan::PlanError::NoDigest { file })?;
        Ok(Document {
            name: self.meant.output.lock.clone(),
            text,
        })
    }
}

/// What the existing lock says of releases that are older than they could be, where their pins stay.
fn noted(meant: &settings::Lock, lock: &Pylock) -> BTreeMap<PackageName, Older> {
    let pins = lock.packages.iter();
    let stay = pins.filter(|pin| !meant.upgrade.packages.contains(&pin.name));
    stay.filter_map(|pin| {
        let older = Older {
            version: pin.version.clone()?,
            rather_than: pin.own.rather_than.clone()?,
            because: pin.own.because.clone()?,
        };
        Some((pin.name.clone(), older))
    })
    .collect()
}

fn tell_older(steps: &mut [plan::Step], older: &BTreeMap<PackageName, Older>) {
    for step in steps {
        let as_nixpkgs = matches!(step.action, plan::Action::Keep | plan::Action::Omit);
        let older = older.get(&step.name).filter(|_| !as_nixpkgs).cloned();
        step.older = older.filter(|older| older.version == step.version);
    }
}

fn actions(plan: &Plan) -> BTreeMap<(PackageName, String), Action> {
    plan.steps
        .iter()
        .map(|step| {
            let needed_by = step.reasons.iter().filter(|_| step.for_build);
            let action = Action {
                action: step.action.text().to_owned(),
                attribute: step.attribute.clone(),
                inputs: step.inputs.clone(),
                needed_by: needed_by
                    .map(|reason| (reason.by.clone(), reason.requirement.clone()))
                    .collect(),
            };
            ((step.name.clone(), step.version.to_string()), action)
        })
        .collect()
}

/// The pins that only builds need, each once, by name.
fn build_pins(assembly: &Assembly) -> Vec<Pin> {
    let mut pins: BTreeMap<&PackageName, &Pin> = BTreeMap::new();
    for pin in assembly
        .build
        .iter()
        .flat_map(|resolution| &resolution.pins)
    {
        if assembly.resolution.pins_of(&pin.name).next().is_none() {
            pins.entry(&pin.name).or_insert(pin);
        }
    }
    pins.into_values().cloned().collect()
}

/// The pins of which every file is yanked.
fn yanked(resolution: &Resolution) -> Vec<(PackageName, String, String)> {
    let pins = resolution.pins.iter().filter(|p| p.release.is_yanked());
    pins.map(|pin| {
        let said = pin.release.files().find_map(|file| file.yanked.clone());
        (
            pin.name.clone(),
            pin.version.to_string(),
            said.unwrap_or_default(),
        )
    })
    .collect()
}

/// What is said of extras that are asked for and do not exist.
fn missing_extras(resolution: &Resolution) -> Vec<String> {
    let missing = resolution.missing_extras();
    missing
        .map(|(pin, extra)| format!("{} {} has no extra `{extra}`", pin.name, pin.version))
        .collect()
}

fn traffic(counts: &Counts) -> [String; 3] {
    let millis = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1e3;
    [
        format!(
            "requests {} ({} again), bytes {}, from the cache {}, of these checked {}",
            counts.requests, counts.retries, counts.bytes, counts.hits, counts.revalidated
        ),
        format!(
            "pages asked for on a guess {}, of these needed {}",
            counts.guessed.0, counts.guessed.1
        ),
        format!(
            "waiting for the index {:.2} ms, hash {:.2} ms ({} bytes)",
            millis(counts.waited),
            millis(counts.hashing),
            counts.hashed
        ),
    ]
}

/// Where projects tell what is new.
fn changelogs(resolution: &Resolution) -> BTreeMap<PackageName, String> {
    let pins = resolution.pins.iter();
    pins.filter_map(|pin| Some((pin.name.clone(), plan::changelog(&pin.metadata.about)?)))
        .collect()
}

/// Writes the documents, unless it is a dry run: then only compares.
///
/// # Errors
/// When a file cannot be written; none has changed then.
pub fn write(
    meant: &settings::Lock,
    documents: &[Document],
    interrupt: &Interrupt,
) -> Result<Vec<Change>, Failure> {
    let folder = &meant.output.folder;
    let removed = obsolete::files(&meant.output, documents)?;
    if meant.dry_run {
        return write::comparing(folder, documents, &removed).map_err(not_written);
    }
    let mut shield = interrupt.shield();
    let changes = write::replace(folder, documents, &removed).map_err(not_written)?;
    shield.written();
    Ok(changes)
}

/// What keeps files from being written, for the user.
pub fn not_written(error: WriteError) -> Failure {
    let failure = Failure::usage(error.to_string());
    let failure = match std::error::Error::source(&error) {
        Some(source) => failure.why(source.to_string()),
        None => failure,
    };
    match error {
        WriteError::Torn { .. } => failure.help("restore it from version control"),
        _ => failure.help(
            "no file was changed: make the folder writable, or choose another with `--output`",
        ),
    }
}

/// What to add for indexes that another tool's lock has releases from, and that are not asked.
fn unasked_indexes(
    locked: &BTreeMap<String, BTreeSet<PackageName>>,
    asked: &[Index],
) -> Vec<String> {
    let plain = |address: &str| address.trim_end_matches('/').to_owned();
    let is_asked = |address: &str| {
        asked.iter().any(|index| match &index.location {
            Location::Simple(url) => plain(url.as_str()) == plain(address),
            Location::Folder(_) | Location::Links(_) => false,
        })
    };
    let told = |(address, names): (&String, &BTreeSet<PackageName>)| {
        let url = Url::parse(address)
            .ok()
            .filter(|url| !is_asked(url.as_str()))?;
        let host = url
            .host_str()?
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let first = names.first()?;
        let more = match names.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Some(format!(
            "the lock has {first}{more} from another index, which was not asked: add `--index {host}={address}`"
        ))
    };
    locked.iter().filter_map(told).collect()
}

/// Why there is no result, for people.
pub(super) fn refused(error: AssembleError) -> Failure {
    match error {
        AssembleError::Index(error) | AssembleError::Resolve(ResolveError::Index(error)) => {
            Failure::from(error)
        }
        AssembleError::Resolve(error) => Failure::usage(error.to_string()),
        AssembleError::Plan(error @ PlanError::TwoOfOne { .. }) => {
            Failure::new(Exit::Unsatisfiable, error.to_string())
        }
        AssembleError::Plan(error) => Failure::new(Exit::World, error.to_string()),
        AssembleError::Unsolvable(explanation) => explained(
            Failure::new(Exit::Unsatisfiable, "the requirements cannot be satisfied"),
            &explanation,
        ),
        AssembleError::UnsolvableBuild {
            requirements,
            explanation,
        } => explained(
            Failure::new(
                Exit::Unsatisfiable,
                format!("what entries need to be built cannot be satisfied: {requirements}"),
            ),
            &explanation,
        ),
        error @ AssembleError::NotAllowed { only_others, .. } => {
            let failure = Failure::new(Exit::World, error.to_string());
            if only_others {
                failure.help("give a `--hash=sha256:…`: other hashes are not compared")
            } else {
                failure.help("compare the files with those that the hashes were made from, then correct the hashes or the version")
            }
        }
        AssembleError::NotPinned { ref command, .. } => {
            let help = format!(
                "make that lock again ({command}), or take its pins as preferences with `--pins prefer`"
            );
            Failure::new(Exit::Unsatisfiable, error.to_string()).help(help)
        }
        error @ AssembleError::Differs { .. } => Failure::new(Exit::World, error.to_string())
            .help("one of the two is not what was published: use neither until you know which; if the index is right, make the other lock again"),
        error @ AssembleError::NoHash { .. } => Failure::usage(error.to_string())
            .help("add it to the requirements file with its version and `--hash=sha256:…`, or drop `--require-hashes`"),
        error @ AssembleError::Endless { .. } => {
            Failure::new(Exit::Unsatisfiable, error.to_string())
        }
    }
}

fn explained(mut failure: Failure, explanation: &Explanation) -> Failure {
    failure.why.clone_from(&explanation.sentences);
    failure.help.clone_from(&explanation.hints);
    failure
}
