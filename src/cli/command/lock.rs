//! `pyresolve lock`: from sources to `dependencies.nix` and `pylock.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assemble::{self, AssembleError, Assembly, Kept, Question};
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::progress::Watcher;
use crate::cli::question;
use crate::cli::report::{Report, Volume};
use crate::cli::settings;
use crate::cli::sources::{self, Wishes};
use crate::cli::summary::Summary;
use crate::event::{Event, Observer, Step};
use crate::index::{Catalog, Counts, RemoteCatalog};
use crate::nixpkgs::Nixpkgs;
use crate::plan::{self, Plan};
use crate::python::{PackageName, Sha256};
use crate::render::lock::{Action, LockText};
use crate::render::{self, Document};
use crate::resolve::{Explanation, Input, Pin, Prefer, Resolution, ResolveError};
use crate::write::{self, Change, WriteError};

/// Runs `pyresolve lock`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &args::Lock, report: &Report) -> Result<Exit, Failure> {
    let meant = settings::Lock::new(args, &|name| std::env::var(name).ok())?;
    let watcher = Arc::new(Watcher::new(report));
    let interrupt = Interrupt::watch(&watcher);
    let outcome = lock(&meant, report, &watcher, &interrupt);
    watcher.finish();
    if report.volume >= Volume::Trace {
        for line in watcher.trace() {
            report.say(Volume::Trace, &line);
        }
    }
    outcome
}

fn lock(
    meant: &settings::Lock,
    report: &Report,
    watcher: &Arc<Watcher>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    watcher.see(&Event::Step(Step::Reading));
    let wishes = sources::gather(meant, report)?;
    let policy = question::policy(&meant.policy, &wishes.index)?;
    let observer: Arc<dyn Observer> = Arc::clone(watcher) as Arc<dyn Observer>;
    let mut options = question::options(&meant.index, &wishes.index, observer)?;
    options.metadata.clone_from(&wishes.stated);
    let around = question::surroundings(meant);
    let mut located = question::locate(meant, &wishes, &around)?;
    let mark = located.mark();
    let origin = (located.channel.as_str(), mark.as_str());
    let inputs = question::digest(meant, &wishes, &policy, origin, &options.indexes);
    let existing = question::existing(meant)?;
    if let Some(text) = &existing
        && !looks_at_sources(&wishes)
        && nothing_to_do(meant, report, &inputs, text)
    {
        return unchanged(meant, report, text);
    }
    let existing = existing
        .map(|text| question::parsed(meant, &text))
        .transpose()?;
    let nixpkgs = Arc::new(question::nixpkgs(meant, &mut located, &around)?);
    let input = question::input(meant, &wishes, policy, &nixpkgs, existing);
    let remote = RemoteCatalog::new(options);
    let catalog = Kept::new(&remote, &nixpkgs);
    let work = Work {
        meant,
        wishes: &wishes,
        nixpkgs: &nixpkgs,
        input: &input,
        inputs: &inputs,
        catalog: &catalog,
        watcher,
    };
    let outcome = match meant.output.nix {
        Some(_) => work.everything(),
        None => work.only_the_lock(report.volume, meant.json),
    };
    if report.volume >= Volume::Trace {
        watcher.note(&traffic(&remote.counts()));
    }
    let mut result = outcome.map_err(refused)?;
    result.warnings.splice(0..0, located.notes.iter().cloned());
    remote.end();
    watcher.see(&Event::Step(Step::Writing));
    if meant.stdout {
        watcher.finish();
        let nix = result
            .documents
            .iter()
            .find(|d| Some(&d.name) == meant.output.nix.as_ref());
        return super::print(report, nix.map_or("", |document| &document.text));
    }
    let changes = write(meant, &result.documents, interrupt)?;
    watcher.finish();
    let summary = Summary {
        targets: &meant.targets,
        nixpkgs: &nixpkgs,
        source: question::told(&located),
        steps: &result.steps,
        pins: result.pins,
        changes: &changes,
        warnings: &result.warnings,
        dry_run: meant.dry_run,
        lock_only: meant.output.nix.is_none(),
    };
    summary.tell(report);
    if meant.json {
        return super::print(report, &format!("{:#}\n", summary.json()));
    }
    Ok(Exit::Done)
}

fn traffic(counts: &Counts) -> String {
    format!(
        "requests {} ({} again), bytes {}, from the cache {}, of these checked {}",
        counts.requests, counts.retries, counts.bytes, counts.hits, counts.revalidated
    )
}

/// Whether something comes from an address or a path, where it may have changed since.
fn looks_at_sources(wishes: &Wishes) -> bool {
    let all = [&wishes.requirements, &wishes.constraints, &wishes.overrides];
    all.into_iter()
        .flatten()
        .any(|requirement| requirement.specifiers().is_none())
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
        changes: &write::compare(&meant.output.folder, &[document]).map_err(not_written)?,
        warnings: &[],
        dry_run: meant.dry_run,
        lock_only: true,
    }
    .tell(report);
    Ok(Exit::Done)
}

/// What a lock is made from.
struct Work<'a> {
    meant: &'a settings::Lock,
    wishes: &'a Wishes,
    nixpkgs: &'a Nixpkgs,
    input: &'a Input,
    inputs: &'a str,
    catalog: &'a dyn Catalog,
    watcher: &'a Watcher,
}

/// What came out.
struct Locked {
    documents: Vec<Document>,
    steps: Vec<plan::Step>,
    pins: usize,
    warnings: Vec<String>,
}

impl Work<'_> {
    fn policy(&self) -> plan::Policy {
        plan::Policy {
            project: self.wishes.called.clone(),
            command: sources::command(self.meant),
            root: self.meant.output.folder.clone(),
            keep: self.input.policy.prefer == Prefer::Nixpkgs,
            place: self.place(),
            ..plan::Policy::default()
        }
    }

    /// The folder of the results. It exists, so that its path can only be unknown where the current
    /// folder is gone; what is the user's own is then named as he did.
    fn place(&self) -> std::path::PathBuf {
        std::path::absolute(&self.meant.output.folder).unwrap_or_default()
    }

    fn everything(&self) -> Result<Locked, AssembleError> {
        let policy = self.policy();
        let question = Question {
            input: self.input,
            nixpkgs: self.nixpkgs,
            policy: &policy,
            stated: &self.wishes.stated_releases(),
        };
        let assembly = assemble::assemble(self.catalog, &question, self.watcher)?;
        let actions = actions(&assembly.plan);
        let build = build_pins(&assembly);
        let lock = self.text(
            &assembly.resolution,
            assembly.digests.clone(),
            &actions,
            &build,
        )?;
        let nix = Document {
            name: self.meant.output.nix.clone().unwrap_or_default(),
            text: render::dependencies(&assembly.plan).text,
        };
        let mut warnings = assembly.plan.warnings.clone();
        warnings.extend(assembly.warnings);
        let mut documents = vec![nix, lock];
        documents.extend(render::beside(&assembly.plan));
        Ok(Locked {
            documents,
            pins: assembly.resolution.pins.len(),
            steps: assembly.plan.steps,
            warnings,
        })
    }

    fn only_the_lock(&self, volume: Volume, json: bool) -> Result<Locked, AssembleError> {
        let resolution = assemble::resolve(self.catalog, self.input, self.watcher)?;
        let lock = self.text(&resolution, BTreeMap::new(), &BTreeMap::new(), &[])?;
        let steps = if json || volume >= Volume::Verbose {
            self.steps(&resolution)
        } else {
            Vec::new()
        };
        Ok(Locked {
            documents: vec![lock],
            pins: resolution.pins.len(),
            steps,
            warnings: Vec::new(),
        })
    }

    fn steps(&self, resolution: &Resolution) -> Vec<plan::Step> {
        plan::steps(&plan::Request {
            resolution,
            build: &[],
            facts: &BTreeMap::new(),
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
        actions: &BTreeMap<(PackageName, String), Action>,
        build: &[Pin],
    ) -> Result<Document, AssembleError> {
        let files = resolution
            .pins
            .iter()
            .chain(build)
            .flat_map(|pin| pin.release.files().map(|file| (&pin.name, file)))
            .filter(|(_, file)| !digests.contains_key(&file.file));
        digests.extend(assemble::digests(self.catalog, files)?);
        let nixpkgs = self.nixpkgs;
        let lock = LockText {
            resolution,
            digests: &digests,
            nixpkgs: (!nixpkgs.is_empty()).then_some(nixpkgs),
            prefer: question::prefer(&self.input.policy),
            inputs: self.inputs,
            place: &self.place(),
            actions,
            build,
        };
        let text =
            render::lock::render(&lock).map_err(|file| plan::PlanError::NoDigest { file })?;
        Ok(Document {
            name: self.meant.output.lock.clone(),
            text,
        })
    }
}

fn actions(plan: &Plan) -> BTreeMap<(PackageName, String), Action> {
    plan.steps
        .iter()
        .map(|step| {
            let action = Action {
                action: step.action.text().to_owned(),
                attribute: step.attribute.clone(),
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

fn write(
    meant: &settings::Lock,
    documents: &[Document],
    interrupt: &Interrupt,
) -> Result<Vec<Change>, Failure> {
    let folder = &meant.output.folder;
    if meant.dry_run {
        return write::compare(folder, documents).map_err(not_written);
    }
    let mut shield = interrupt.shield();
    let changes = write::write(folder, documents).map_err(not_written)?;
    shield.written();
    Ok(changes)
}

fn not_written(error: WriteError) -> Failure {
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

/// Why there is no result, for people.
fn refused(error: AssembleError) -> Failure {
    match error {
        AssembleError::Index(error) | AssembleError::Resolve(ResolveError::Index(error)) => {
            Failure::from(error)
        }
        AssembleError::Resolve(error) => Failure::usage(error.to_string()),
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
