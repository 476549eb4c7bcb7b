//! The loop between resolving and planning.
//!
//! A pin that nixpkgs lacks becomes an entry; an entry needs its source read; a source has build
//! requirements; those that neither the pins nor nixpkgs provide are resolved too, on top of the
//! pins, and may become entries themselves. Where a source that Nix will build requires something
//! else than the release's wheel says, the source's requirements count, and everything is resolved
//! again. The loop ends when nothing new appears.
//!
//! Everything that has to be fetched is asked for at once, in bounded parallel.

mod ahead;
pub mod alternative;
mod amended;
mod approved;
mod builds;
mod choice;
mod kept;
mod parallel;
mod pinned;
mod restated;
mod trial;
mod wheel;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use approved::Approved;
use builds::build_requirements;
use choice::Choice;
pub use pinned::Pins;
use restated::Restated;

pub use kept::Kept;

use crate::event::{Event, Observer, Step};
use crate::index::{Catalog, Distribution, IndexError};
use crate::nixpkgs::Nixpkgs;
use crate::plan::{self, Older, Plan, PlanError};
use crate::project::SourceFacts;
use crate::project::cargo::CrateCommit;
use crate::python::{PackageName, Requirement, Sha256, Version};
use crate::resolve::{self, Explanation, Input, Outcome, Pin, Resolution, ResolveError};

/// More rounds than any project needs: each resolves the build requirements of the last one's.
const ROUNDS: usize = 20;
/// How often everything is resolved again because of what sdists require; each time at least one
/// release is known better, so more would mean that a project has hundreds of contradictory files.
const REPETITIONS: usize = 50;

/// What is to be assembled.
#[derive(Debug)]
pub struct Question<'a> {
    /// What the resolver is asked.
    pub input: &'a Input,
    /// What nixpkgs has.
    pub nixpkgs: &'a Nixpkgs,
    /// What the user allows and prefers for entries.
    pub policy: &'a plan::Policy,
    /// Releases whose requirements the user states: no file's count then.
    pub stated: &'a BTreeSet<(PackageName, Version)>,
    /// Which files the user allows.
    pub approved: &'a Approved,
    /// The constraints that count for what entries need to be built: pins of other tools' locks are
    /// not among them, as those say nothing of builds.
    pub for_builds: &'a [Requirement],
}

/// Everything that the documents are rendered from.
#[derive(Debug)]
pub struct Assembly {
    /// The pins.
    pub resolution: Resolution,
    /// Pins that only builds need, round by round.
    pub build: Vec<Resolution>,
    /// What is done about each pin.
    pub plan: Plan,
    /// Digests of files whose index does not tell them, by file name.
    pub digests: BTreeMap<String, Sha256>,
    /// Releases that are older than they could be, as others would have more built.
    pub older: BTreeMap<PackageName, Older>,
    /// What the sources warn about, as sentences.
    pub warnings: Vec<String>,
}

/// Why nothing could be assembled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The index did not answer.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The resolver could not do its work.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Decisions could not be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The project's requirements cannot be satisfied.
    #[error("the requirements cannot be satisfied")]
    Unsolvable(Box<Explanation>),
    /// What the entries need to be built cannot be satisfied.
    #[error("the build requirements {requirements} cannot be satisfied")]
    UnsolvableBuild {
        /// The requirements.
        requirements: String,
        /// Why.
        explanation: Box<Explanation>,
    },
    /// None of a pin's files has a digest that the user allows.
    #[error("no file of {release} has a hash that {place} allows")]
    NotAllowed {
        /// Project and version.
        release: String,
        /// File and line.
        place: String,
        /// Whether digests are given, but none is a sha256.
        only_others: bool,
    },
    /// Every pin must have a digest, and this one has none.
    #[error("`--require-hashes` asks for a hash of everything, and none is given for {release}")]
    NoHash {
        /// Project and version.
        release: String,
    },
    /// Another tool's lock is to be taken exactly, and lacks a project.
    #[error("{release} is needed by {by}, and {lock} does not pin {}", or_other(.has))]
    NotPinned {
        /// Project and version.
        release: String,
        /// Who needs it.
        by: String,
        /// The lock.
        lock: String,
        /// What makes that lock again.
        command: String,
        /// The versions that it has instead.
        has: Vec<String>,
    },
    /// A file is not the one that another tool's lock means.
    #[error(
        "{file} is not the file that {lock} means: there its sha256 is {listed}, on the index {found}"
    )]
    Differs {
        /// The file's name.
        file: String,
        /// The lock and the line.
        lock: String,
        /// The digest in the lock, hexadecimal.
        listed: String,
        /// The digest on the index.
        found: String,
    },
    /// Build requirements have build requirements without end.
    #[error(
        "the build requirements of build requirements do not end: after {ROUNDS} rounds, {left} are left"
    )]
    Endless {
        /// Those of the last round.
        left: String,
    },
}

fn or_other(has: &[String]) -> String {
    match has {
        [] => "it".to_owned(),
        has => format!("that version, but {}", has.join(" and ")),
    }
}

/// The pins alone, chosen as for [`assemble`].
///
/// # Errors
/// See [`AssembleError`].
pub fn choose(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    observer: &dyn Observer,
) -> Result<(Resolution, BTreeMap<PackageName, Older>), AssembleError> {
    let mut choice = Choice::new(question);
    let resolution = choice.resolve(catalog, observer, observer)?;
    question.approved.complete(&resolution)?;
    Ok((resolution, choice.older))
}

/// Resolves only.
fn resolve(
    catalog: &dyn Catalog,
    input: &Input,
    approved: &Approved,
    observer: &dyn Observer,
) -> Result<Resolution, AssembleError> {
    observer.see(&Event::Step(Step::Resolving));
    match resolve::resolve(catalog, input, observer)? {
        Outcome::Solved(mut resolution) => {
            approved::keep_formats(&mut resolution, &input.policy);
            approved.apply(&mut resolution, input, catalog)?;
            Ok(resolution)
        }
        Outcome::Unsolvable(explanation) => Err(AssembleError::Unsolvable(Box::new(explanation))),
    }
}

/// The digests of files whose index does not tell them, by file name.
///
/// # Errors
/// When such a file cannot be fetched.
pub fn digests<'a>(
    catalog: &dyn Catalog,
    files: impl Iterator<Item = (&'a PackageName, &'a Distribution)>,
) -> Result<BTreeMap<String, Sha256>, IndexError> {
    let unknown: Vec<_> = files.filter(|(_, file)| file.sha256.is_none()).collect();
    let found = parallel::map(&unknown, |(name, file)| {
        Ok((file.file.clone(), catalog.sha256(name, file)?))
    })?;
    Ok(found.into_iter().collect())
}

/// Resolves, reads sources, resolves what they need to be built, and plans.
///
/// # Errors
/// See [`AssembleError`].
pub fn assemble(
    catalog: &dyn Catalog,
    question: &Question<'_>,
    observer: &dyn Observer,
) -> Result<Assembly, AssembleError> {
    let mut gathered = Gathered {
        catalog: Restated::new(catalog),
        question,
        policy: question.policy.clone(),
        unpublished: BTreeSet::new(),
        facts: BTreeMap::new(),
        trials: BTreeMap::new(),
        crates: BTreeMap::new(),
        wheels: BTreeMap::new(),
        disagreements: BTreeMap::new(),
        unbuildable: BTreeSet::new(),
        digests: BTreeMap::new(),
    };
    let quiet = observer;
    let observer = &ahead::Ahead::new(catalog, question, observer);
    let mut choice = Choice::new(question);
    let mut resolution = choice.resolve(catalog, observer, quiet)?;
    // Not again later: what only sources require is in nobody's lock.
    question.approved.complete(&resolution)?;
    let mut build: Vec<Resolution> = Vec::new();
    let mut repetitions = 0;
    while build.len() < ROUNDS {
        observer.see(&Event::Step(Step::Fetching));
        gathered.unpublished = unpublished(catalog, question.nixpkgs, &resolution);
        gathered.sources(&resolution, &build)?;
        if repetitions < REPETITIONS && gathered.restate(&resolution, &build) {
            repetitions += 1;
            build.clear();
            let again = choice.resolve(&gathered.catalog, observer, quiet);
            resolution = again.map_err(|error| gathered.hinted(error))?;
            continue;
        }
        let request = gathered.request(&resolution, &build);
        let mut hopeless = plan::circular_builds(&request);
        hopeless.extend(plan::unpinned_crates(&request));
        let heavy = plan::heavy_tools(&request);
        if gathered.take_wheels(hopeless) {
            continue;
        }
        if !heavy.is_empty() {
            gathered.policy.old_tools.extend(heavy);
            build.clear();
            continue;
        }
        let request = gathered.request(&resolution, &build);
        let missing = plan::missing_builds(&request);
        if missing.is_empty() {
            let trials = trial::trials(&gathered.catalog, &request)?;
            let crates = trial::crates(&gathered.catalog, &request);
            let wheels = wheel::facts(&gathered.catalog, &request)?;
            (gathered.trials, gathered.crates) = (trials, crates);
            gathered.wheels = wheels;
            let undigested = plan::undigested_crates(&gathered.request(&resolution, &build));
            if gathered.take_wheels(undigested) {
                continue;
            }
            let request = gathered.request(&resolution, &build);
            let plan = plan::plan(&request)?;
            let mut warnings = gathered.warnings(&resolution, &build);
            warnings.extend(choice.warning());
            warnings.extend(question.approved.notes(&resolution));
            return Ok(Assembly {
                plan,
                older: choice.older,
                digests: gathered.digests,
                warnings,
                build,
                resolution,
            });
        }
        observer.see(&Event::Step(Step::Resolving));
        let ask = |wanted: Vec<Requirement>| {
            let catalog = &gathered.catalog;
            build_requirements(catalog, question, &resolution, &build, wanted, observer)
        };
        match ask(missing.clone()) {
            Ok(further) => build.push(further),
            Err(error @ AssembleError::UnsolvableBuild { .. }) => {
                let is_hopeless = |wanted: &Requirement| {
                    let answer = ask(vec![wanted.clone()]);
                    matches!(answer, Err(AssembleError::UnsolvableBuild { .. }))
                };
                let hopeless = missing.iter().filter(|wanted| is_hopeless(wanted));
                let mut hopeless: BTreeSet<_> =
                    hopeless.map(|wanted| wanted.name.clone()).collect();
                if hopeless.is_empty() {
                    hopeless = contested(&missing);
                }
                let old = plan::old_tools(&request, &hopeless);
                if !old.is_empty() {
                    gathered.policy.old_tools.extend(old);
                    continue;
                }
                let builds = plan::builds_that_need(&request, &hopeless);
                if !gathered.take_wheels(builds) {
                    return Err(gathered.hinted(error));
                }
            }
            Err(error) => return Err(error),
        }
    }
    let request = gathered.request(&resolution, &build);
    Err(AssembleError::Endless {
        left: texts(&plan::missing_builds(&request)),
    })
}

/// What has been learned of sources so far.
struct Gathered<'a> {
    catalog: Restated<'a>,
    question: &'a Question<'a>,
    /// The user's, and the wheels that have to be taken besides.
    policy: plan::Policy,
    unpublished: BTreeSet<PackageName>,
    facts: BTreeMap<(PackageName, Version), Arc<SourceFacts>>,
    /// What trying nixpkgs' recipes on their new sources gave.
    trials: plan::Trials,
    /// Digests of commits that crates are from.
    crates: BTreeMap<CrateCommit, Result<Sha256, String>>,
    /// What wheels tell of entries.
    wheels: plan::Wheels,
    digests: BTreeMap<String, Sha256>,
    /// Releases whose wheel and sdist require different things, and a sentence about each.
    disagreements: BTreeMap<(PackageName, Version), String>,
    /// Releases that cannot be built from their sdist, as sentences.
    unbuildable: BTreeSet<String>,
}

/// Projects of a resolution that nixpkgs has at a version that their index lacks.
pub fn unpublished(
    catalog: &dyn Catalog,
    nixpkgs: &Nixpkgs,
    resolution: &Resolution,
) -> BTreeSet<PackageName> {
    let mut unpublished = BTreeSet::new();
    for pin in &resolution.pins {
        if let Some(own) = nixpkgs.attributes(&pin.name).first()
            && own.version != pin.version
            && let Some(page) = catalog.known_page(&pin.name)
            && !page.versions().any(|version| *version == own.version)
        {
            unpublished.insert(pin.name.clone());
        }
    }
    unpublished
}

impl Gathered<'_> {
    fn request<'b>(
        &'b self,
        resolution: &'b Resolution,
        build: &'b [Resolution],
    ) -> plan::Request<'b> {
        plan::Request {
            resolution,
            build,
            facts: &self.facts,
            trials: &self.trials,
            crates: &self.crates,
            wheels: &self.wheels,
            digests: &self.digests,
            nixpkgs: self.question.nixpkgs,
            unpublished: &self.unpublished,
            policy: &self.policy,
        }
    }

    /// Takes wheels of releases that cannot be built; whether there were any.
    fn take_wheels(&mut self, builds: Vec<plan::Unbuildable>) -> bool {
        let mut any = false;
        for build in builds {
            self.unbuildable.insert(build.because());
            any |= build.has_wheel && self.policy.prefer_wheels.insert(build.name);
        }
        any
    }

    /// Reads the sources of all pins that will be entries and have not been read.
    fn sources(&mut self, resolution: &Resolution, build: &[Resolution]) -> Result<(), IndexError> {
        let entries = self.entries(resolution, build);
        for pin in &entries {
            if let Some(tree) = &pin.release.tree {
                let key = (pin.name.clone(), pin.version.clone());
                self.facts.insert(key, Arc::clone(&tree.facts));
            }
        }
        let sdists: Vec<(&Pin, &Distribution)> = entries
            .iter()
            .filter(|pin| !self.facts.contains_key(&key(pin)))
            .filter_map(|pin| Some((pin, plan::source::sdist(pin, &self.policy)?)))
            .collect();
        for (pin, sdist) in &sdists {
            self.catalog.expect_facts(&pin.name, sdist);
        }
        let facts = parallel::map(&sdists, |(pin, sdist)| {
            let facts = self.catalog.facts(&pin.name, sdist)?;
            Ok((key(pin), facts))
        })?;
        self.facts.extend(facts);
        let files = entries
            .iter()
            .flat_map(|pin| pin.release.files().map(|file| (&pin.name, file)))
            .filter(|(_, file)| !self.digests.contains_key(&file.file));
        let digests = digests(&self.catalog, files)?;
        self.digests.extend(digests);
        Ok(())
    }

    /// The pins that will be entries, each once.
    fn entries(&self, resolution: &Resolution, build: &[Resolution]) -> Vec<Pin> {
        let mut seen = BTreeSet::new();
        plan::entry_pins(&self.request(resolution, build))
            .into_iter()
            .filter(|pin| seen.insert((&pin.name, &pin.version)))
            .cloned()
            .collect()
    }

    /// Lets the sdist's requirements count for every entry that Nix builds from an sdist which
    /// disagrees with the metadata that was resolved with; false where none does.
    fn restate(&mut self, resolution: &Resolution, build: &[Resolution]) -> bool {
        let mut restated = false;
        for pin in self.entries(resolution, build) {
            let key = key(&pin);
            if pin.direct.is_some()
                || self.question.stated.contains(&key)
                || plan::source::sdist(&pin, &self.policy).is_none()
            {
                continue;
            }
            let Some(facts) = self.facts.get(&key) else {
                continue;
            };
            if let Some(said) = facts.disagreement(&pin.metadata)
                && self.catalog.restate(&key, &pin.metadata, facts)
            {
                let said = format!(
                    "{} {}: {said}; the sdist's count, as Nix builds from it",
                    pin.name, pin.version
                );
                self.disagreements.insert(key, said);
                restated = true;
            }
        }
        restated
    }

    /// The error, with what is known of sdists that took part in it.
    fn hinted(&self, mut error: AssembleError) -> AssembleError {
        if let AssembleError::Unsolvable(explanation)
        | AssembleError::UnsolvableBuild { explanation, .. } = &mut error
        {
            explanation
                .hints
                .extend(self.disagreements.values().cloned());
        }
        error
    }

    fn warnings(&self, resolution: &Resolution, build: &[Resolution]) -> Vec<String> {
        let entries = self.entries(resolution, build);
        let pinned: BTreeSet<_> = entries.iter().map(key).collect();
        let facts = self.facts.iter().filter(|(key, _)| pinned.contains(key));
        let disagreements = self.disagreements.iter();
        facts
            .flat_map(|((name, version), facts)| {
                let warnings = facts.warnings.iter();
                warnings.map(move |warning| format!("{name} {version}: {warning}"))
            })
            .chain(
                disagreements
                    .filter(|(key, _)| pinned.contains(key))
                    .map(|(_, said)| said.clone()),
            )
            .chain(self.unbuildable.iter().cloned())
            .collect()
    }
}

fn key(pin: &Pin) -> (PackageName, Version) {
    (pin.name.clone(), pin.version.clone())
}

/// The projects of which builds want different versions.
fn contested(missing: &[Requirement]) -> BTreeSet<PackageName> {
    let names = missing.iter().map(|wanted| &wanted.name);
    let several = names.clone().filter(|name| {
        let same = names.clone().filter(|other| other == name);
        same.count() > 1
    });
    several.cloned().collect()
}

fn texts(requirements: &[Requirement]) -> String {
    let texts: Vec<String> = requirements.iter().map(|r| format!("`{r}`")).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests;
