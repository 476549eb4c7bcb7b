//! Pins and attributes to decisions: reuse, another attribute, override, or a new entry. Pure.

mod beside;
mod build;
mod closure;
mod condition;
mod crates;
mod cycle;
pub mod decide;
pub mod derivation;
mod entry;
mod fix;
#[cfg(test)]
pub(crate) mod fixture;
mod license;
mod meta;
mod native;
mod patch;
mod policy;
mod proof;
mod reason;
mod rebuild;
mod recipe;
mod set;
mod shell;
pub mod source;
mod spare;
pub mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::index::{Distribution, Extent, WheelFacts};
use crate::nixpkgs::Nixpkgs;
use crate::nixpkgs::facts::{AttributeFacts, Kind};
use crate::problem::Origin;
use crate::project::SourceFacts;
use crate::project::cargo::CrateCommit;
use crate::python::{PackageName, Requirement, Sha256, TargetSet, Targets, Version};
use crate::resolve::{Pin, Resolution};
use set::Set;

pub use build::Unbuildable;
pub use condition::Condition;
pub use decide::{Decision, decide};
pub use derivation::{Definition, Derivation, Entry, Needed};
pub use license::of_expression as license_of_expression;
pub use meta::{changelog, of_project};
pub use policy::Policy;
pub use rebuild::{Weight, weigh};
pub use recipe::version_variable;
pub use trial::{Trial, Trials};

/// Facts about the wheels of releases.
pub type Wheels = BTreeMap<(PackageName, Version), Vec<Arc<WheelFacts>>>;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The pins that the project needs to run.
    pub resolution: &'a Resolution,
    /// Further pins, that entries need to be built: answers to [`missing_builds`]. Of a project that
    /// several of them or the resolution pin, the first counts.
    pub build: &'a [Resolution],
    /// What the sources say that [`source::sdist`] names, for every pin whose [`Decision::needs_source`].
    pub facts: &'a BTreeMap<(PackageName, Version), Arc<SourceFacts>>,
    /// Digests of files, by file name, where the index does not tell them.
    pub digests: &'a BTreeMap<String, Sha256>,
    /// What trying nixpkgs' recipe on the new source gave, or why it could not be tried: for every pin
    /// that [`recipes`] names.
    pub trials: &'a Trials,
    /// The digests of the trees of commits that crates are from, or why one is not known.
    pub crates: &'a BTreeMap<CrateCommit, Result<Sha256, String>>,
    /// What the wheels tell that [`wheels_to_read`] names.
    pub wheels: &'a Wheels,
    /// What nixpkgs has.
    pub nixpkgs: &'a Nixpkgs,
    /// Projects that nixpkgs has at a version that their index lacks.
    pub unpublished: &'a BTreeSet<PackageName>,
    /// What the user allows and prefers.
    pub policy: &'a Policy,
}

/// Everything that is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it serves.
    pub targets: Targets,
    /// The interpreter's attribute: `python313`.
    pub python: String,
    /// Where the facts about nixpkgs are from: `nixos-unstable`, empty where there are none.
    pub channel: String,
    /// The day of those facts.
    pub date: String,
    /// The command that makes the file again.
    pub command: String,
    /// The user's own overlay, which counts after the entries: a path beside the file.
    pub nix: Option<String>,
    /// What is done for each pin, in the order of their names; build requirements after them.
    pub steps: Vec<Step>,
    /// The attributes that the file defines, in their order.
    pub entries: Vec<Entry>,
    /// The attributes of the direct requirements, and what else the environment must name.
    pub packages: Vec<Needed>,
    /// What could not be checked or done, as sentences.
    pub warnings: Vec<String>,
}

/// What is done for one pin.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The project.
    pub name: PackageName,
    /// The pin's version.
    pub version: Version,
    /// What is done.
    pub action: Action,
    /// The attribute that stands for the project in the set; empty where nothing does.
    pub attribute: String,
    /// The version that nixpkgs' attribute has.
    pub nixpkgs_version: Option<Version>,
    /// Who needs it, those first that nixpkgs' version does not satisfy.
    pub reasons: Vec<Reason>,
    /// The targets it is for.
    pub targets: TargetSet,
    /// Whether only builds need it.
    pub for_build: bool,
    /// Whether nixpkgs' package is built again, because something that it needs is defined here.
    pub rebuilt: bool,
    /// What was dropped of nixpkgs' recipe, and what could not be checked, as sentences.
    pub notes: Vec<String>,
    /// What speaks against the newer release that would do.
    pub older: Option<Older>,
    /// The libraries and programs of nixpkgs that its build needs, by attribute, each with the places
    /// that say so: `meson.build:12: dependency('zlib')`.
    pub inputs: BTreeMap<String, Vec<String>>,
}

/// A release that was taken although a newer one fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Older {
    /// The version that is taken.
    pub version: Version,
    /// The version that would be taken otherwise.
    pub rather_than: String,
    /// What speaks against that one, as the end of a sentence.
    pub because: String,
}

/// What can be done for a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// nixpkgs' default attribute, as it is.
    Reuse,
    /// nixpkgs' default attribute as it is, although its version is not the pin's.
    Keep,
    /// Another of nixpkgs' attributes, as it is.
    Attribute,
    /// nixpkgs' attribute with another version and source.
    Override,
    /// An entry of its own.
    New,
    /// Nothing: only packages need it that nixpkgs keeps and builds without it.
    Omit,
}

impl Action {
    /// The word that the summary's JSON uses.
    pub fn text(self) -> &'static str {
        match self {
            // What nixpkgs leaves out of a package that it keeps is in nixpkgs' hands as well.
            Action::Reuse | Action::Keep | Action::Omit => "reuse",
            Action::Attribute => "attribute",
            Action::Override => "override",
            Action::New => "new",
        }
    }
}

/// Somebody needs a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Who: `setup.py`, or `flask 3.1.2`.
    pub by: String,
    /// The requirement, as PEP 508 text.
    pub requirement: String,
    /// The versions it wants, `>=6.5.5`; empty where any will do.
    pub wanted: String,
    /// Where the user wrote it.
    pub origin: Option<Origin>,
    /// Whether nixpkgs' version does not satisfy it.
    pub forces: bool,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The release has no file that can be packaged.
    #[error("{release} has no sdist and no wheel that serves {systems}")]
    NoSource {
        /// Project and version.
        release: String,
        /// The systems.
        systems: String,
    },
    /// The index does not say the digest of a file.
    #[error(
        "nobody knows the sha256 of {file}: the index does not tell it, and it was not fetched"
    )]
    NoDigest {
        /// The file's name.
        file: String,
    },
    /// The source of a release was not read.
    #[error("the source of {release} was not read")]
    NoFacts {
        /// Project and version.
        release: String,
    },
    /// Two derivations of one project meet, and nothing can be done about it here.
    #[error(
        "{project} would be there twice, through {first} and through {second}, and nixpkgs refuses that; \
         use a nixpkgs in which both need the same, or another version of what needs one of them"
    )]
    TwoOfOne {
        /// The project.
        project: String,
        /// How the first is reached, from what the environment names.
        first: String,
        /// How the second is.
        second: String,
    },
    /// An entry would refer to something that does not exist.
    #[error("`{by}` needs `{name}`, which neither nixpkgs nor an entry provides")]
    UnknownName {
        /// The entry that refers to it.
        by: String,
        /// The project.
        name: String,
    },
}

/// Makes the plan.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(request: &Request<'_>) -> Result<Plan, PlanError> {
    let set = Set::new(request);
    let cuts = cycle::cuts(&set);
    let mut warnings = Vec::new();
    let mut steps = steps_of(&set, &mut warnings);
    let mut entries = Vec::new();
    for (name, pins) in set.pins() {
        entries.extend(entry::entries(&set, &cuts, name, pins, &mut warnings)?);
    }
    let built = |tool: &&set::Pinned<'_>| tool.decision.needs_source();
    for tool in set.tools().filter(built) {
        entries.push(entry::tool(&set, &cuts, tool, &mut warnings)?);
    }
    entries.extend(proof::aliases(&set));
    beside::fit(&set, &mut entries);
    entries.sort_by(|a, b| a.attr.cmp(&b.attr));
    annotate(&mut steps, &entries);
    let packages = entry::packages(&set, &cuts, &entries)?;
    proof::prove(&set, &entries, &packages)?;
    let mends = set.mends.values();
    warnings.extend(mends.map(|mend| format!("{}: one of them is used for both", mend.because)));
    warnings.extend(other_interpreter(request));
    warnings.extend(fix::idle(&set));
    let targets = request.resolution.targets.clone();
    Ok(Plan {
        python: format!("python{}", targets.python_minor().replace('.', "")),
        targets,
        channel: request.nixpkgs.channel.clone(),
        date: request.nixpkgs.date.clone(),
        command: request.policy.command.clone(),
        nix: request.policy.nix.clone(),
        steps,
        entries,
        packages,
        warnings,
    })
}

/// What is said of an override whose recipe nobody knows.
pub const UNSEEN: &str =
    "nixpkgs' recipe is not known: its patches, postPatch and tests are left out unseen";

/// Gives steps what was found out while their entries were made.
fn annotate(steps: &mut [Step], entries: &[Entry]) {
    for entry in entries {
        for variant in &entry.variants {
            let (Definition::New(d) | Definition::Override(_, d)) = &variant.definition else {
                continue;
            };
            let own = |s: &&mut Step| s.name == entry.project && s.version.to_string() == d.version;
            let unseen =
                matches!(&variant.definition, Definition::Override(_, d) if !d.recipe.known);
            for step in steps.iter_mut().filter(own) {
                step.notes.extend(unseen.then(|| UNSEEN.to_owned()));
                step.notes.extend(d.notes.iter().cloned());
                let needed = d.native_inputs.iter().chain(&d.inputs);
                for attr in needed.map(|needed| &needed.attr) {
                    let places = d.evidence.get(attr).cloned().unwrap_or_default();
                    step.inputs.insert(attr.clone(), places);
                }
            }
        }
    }
}

/// The wheels whose facts say what entries are linked with, and which modules those install that are
/// packaged as wheels. How far each is to be read stands beside it.
pub fn wheels_to_read(request: &Request<'_>) -> Vec<(Pin, Distribution, Extent)> {
    let set = Set::new(request);
    let wanted = native::linked::to_read(&set).into_iter();
    wanted
        .map(|(pin, wheel, extent)| (pin.clone(), wheel.clone(), extent))
        .collect()
}

/// The commits that crates of the entries are from.
pub fn crate_commits(request: &Request<'_>) -> BTreeSet<CrateCommit> {
    let set = Set::new(request);
    let built = set.built().filter(|pinned| set.builds_sdist(pinned.pin));
    let cargo = built.filter_map(|pinned| set.facts(pinned.pin)?.cargo.as_ref());
    cargo.flat_map(|c| c.commits.values().cloned()).collect()
}

/// The pins whose overrides change recipes that were fitted to their source: to be tried on the new one.
pub fn recipes<'a>(request: &'a Request<'a>) -> Vec<(&'a Pin, Arc<AttributeFacts>)> {
    let set = Set::new(request);
    let tried = set.built().filter_map(|pinned| {
        let Decision::Override(attribute) = &pinned.decision else {
            return None;
        };
        let facts = attribute.facts.as_ref()?;
        let fitted = facts.is_fitted() || facts.disabled_test_paths.iter().flatten().count() > 0;
        let tried = fitted && facts.kind == Kind::Module && set.builds_sdist(pinned.pin);
        tried.then(|| (pinned.pin, Arc::clone(facts)))
    });
    tried.collect()
}

/// What would be done for each pin, and why: [`Plan::steps`] without what sources must be read for.
pub fn steps(request: &Request<'_>) -> Vec<Step> {
    steps_of(&Set::new(request), &mut Vec::new())
}

fn steps_of(set: &Set<'_>, warnings: &mut Vec<String>) -> Vec<Step> {
    let rebuilt = rebuild::rebuilt(set);
    let mut steps = Vec::new();
    for (name, pins) in set.pins() {
        for pinned in pins {
            let mut step = reason::step(set, pinned, warnings);
            let as_it_is = matches!(step.action, Action::Reuse | Action::Keep);
            step.rebuilt = as_it_is && rebuilt.contains(name);
            steps.push(step);
        }
    }
    for tool in set.tools() {
        let mut step = reason::step(set, tool, warnings);
        step.attribute = set.tool_attr(tool);
        steps.push(step);
    }
    for pinned in &set.omitted {
        let mut step = reason::step(set, pinned, warnings);
        step.action = Action::Omit;
        step.attribute = String::new();
        steps.push(step);
    }
    steps.sort_by(|a, b| (a.for_build, &a.name).cmp(&(b.for_build, &b.name)));
    steps
}

/// Facts about another interpreter's set are near the truth, not it.
fn other_interpreter(request: &Request<'_>) -> Option<String> {
    let wanted = request.resolution.targets.python_minor();
    let known = &request.nixpkgs.interpreter;
    (!known.is_empty() && *known != wanted).then(|| {
        format!(
            "{} of {} is known for Python {known} only: its versions are taken for Python {wanted} too",
            request.nixpkgs.channel, request.nixpkgs.date
        )
    })
}

/// The pins whose sources must be read and fetched: entries will name them.
pub fn entry_pins<'a>(request: &'a Request<'a>) -> Vec<&'a Pin> {
    let set = Set::new(request);
    set.built().map(|p| p.pin).collect()
}

/// Entries whose build needs themselves, in however many steps: Nix cannot build them.
pub fn circular_builds(request: &Request<'_>) -> Vec<Unbuildable> {
    build::circular(&Set::new(request))
}

/// Entries whose build needs crates that nothing pins.
pub fn unpinned_crates(request: &Request<'_>) -> Vec<Unbuildable> {
    build::unpinned_crates(&Set::new(request))
}

/// Entries whose build needs crates whose digest could not be had.
pub fn undigested_crates(request: &Request<'_>) -> Vec<Unbuildable> {
    build::undigested_crates(&Set::new(request))
}

/// Build tools beside nixpkgs' own that are not worth their build.
pub fn heavy_tools(request: &Request<'_>) -> BTreeSet<PackageName> {
    build::heavy_tools(&Set::new(request))
}

/// Entries whose build needs one of these projects.
pub fn builds_that_need(request: &Request<'_>, these: &BTreeSet<PackageName>) -> Vec<Unbuildable> {
    build::that_need(&Set::new(request), these)
}

/// Those of these projects that nixpkgs has: build tools that are too old for some entry.
pub fn old_tools(request: &Request<'_>, these: &BTreeSet<PackageName>) -> BTreeSet<PackageName> {
    build::old_tools(&Set::new(request), these)
}

/// The build requirements of entries that neither the pins nor nixpkgs provide: to be resolved,
/// and given back as [`Request::build`]. Empty once nothing is missing.
pub fn missing_builds(request: &Request<'_>) -> Vec<Requirement> {
    build::missing(&Set::new(request))
}
