//! From a plan and its lock to a [`Page`], or from a lock alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asker, File, Kind, Need, Page, Project};
use crate::nixpkgs::Nixpkgs;
use crate::plan::{self, Plan, Reason, Step};
use crate::project::pylock::graph::Graph;
use crate::project::pylock::{Locked, LockedFile, Pylock};
use crate::python::About;
use crate::resolve::{Pin, Resolution};

mod entry;
mod reason;

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What was locked.
    pub title: &'a str,
    /// The pins.
    pub resolution: &'a Resolution,
    /// Pins that only builds need.
    pub build: &'a [Resolution],
    /// What is done about each.
    pub plan: &'a Plan,
    /// The nixpkgs that counted.
    pub nixpkgs: &'a Nixpkgs,
    /// The lock that says all this.
    pub lock: &'a Pylock,
    /// What the reader should know besides.
    pub warnings: &'a [String],
}

/// The page of a plan: everything that is known.
pub fn from_plan(given: &Given<'_>) -> Page {
    let pins: BTreeMap<(&str, String), &Pin> = given
        .build
        .iter()
        .rev()
        .flat_map(|resolution| &resolution.pins)
        .chain(&given.resolution.pins)
        .map(|pin| ((pin.name.as_ref(), pin.version.to_string()), pin))
        .collect();
    let locked: BTreeMap<(&str, String), &Locked> = given
        .lock
        .packages
        .iter()
        .map(|pin| ((pin.name.as_ref(), version_of(pin)), pin))
        .collect();
    let steps = &given.plan.steps;
    let places: BTreeMap<String, usize> = steps
        .iter()
        .enumerate()
        .map(|(place, step)| (format!("{} {}", step.name, step.version), place))
        .collect();
    let projects = steps
        .iter()
        .map(|step| {
            let key = (step.name.as_ref(), step.version.to_string());
            let pin = pins.get(&key).copied();
            let mut project = of_step(given, step, pin, &places);
            project.files = match locked.get(&key) {
                Some(locked) => files(locked),
                None => pin.map(own_sdist).unwrap_or_default(),
            };
            project
        })
        .collect();
    let mut page = Page {
        title: given.title.to_owned(),
        facts: facts(given),
        projects,
        warnings: given.warnings.to_vec(),
    };
    page.connect();
    page
}

/// The page of a lock, ours or another tool's, without anything that the lock does not say.
pub fn from_lock(title: &str, lock: &Pylock) -> Page {
    let graph = Graph::new(lock);
    let projects = lock
        .packages
        .iter()
        .enumerate()
        .map(|(place, pin)| of_lock(&graph, place, pin))
        .collect();
    let mut page = Page {
        title: title.to_owned(),
        facts: lock_facts(lock),
        projects,
        warnings: Vec::new(),
    };
    page.connect();
    page
}

impl Page {
    /// Tells everybody what he needs, from what is told of those who are needed.
    fn connect(&mut self) {
        let mut needs: Vec<Vec<Need>> = vec![Vec::new(); self.projects.len()];
        for (to, project) in self.projects.iter().enumerate() {
            for asker in &project.asked_by {
                if let Some(list) = asker.by.and_then(|by| needs.get_mut(by)) {
                    list.push(Need {
                        to,
                        requirement: asker.requirement.clone(),
                        to_build: asker.to_build,
                    });
                }
            }
        }
        let rebuilds: Vec<Vec<usize>> = (0..self.projects.len())
            .map(|place| self.rebuilt_above(place))
            .collect();
        let all = needs.into_iter().zip(rebuilds);
        for (project, (needs, rebuilds)) in self.projects.iter_mut().zip(all) {
            project.needs = needs;
            project.rebuilds = rebuilds;
        }
    }

    /// Those of nixpkgs' packages that need an entry, in however many steps, and are built again.
    fn rebuilt_above(&self, place: usize) -> Vec<usize> {
        let defined = |project: &Project| {
            matches!(project.kind, Kind::Attribute | Kind::Override | Kind::New)
        };
        let mut seen = BTreeSet::new();
        let mut left: Vec<usize> = match self.projects.get(place) {
            Some(project) if defined(project) => vec![place],
            _ => Vec::new(),
        };
        while let Some(project) = left.pop().and_then(|at| self.projects.get(at)) {
            for by in project.asked_by.iter().filter_map(|asker| asker.by) {
                if seen.insert(by) {
                    left.push(by);
                }
            }
        }
        let rebuilt = |at: &usize| self.projects.get(*at).is_some_and(|p| p.rebuilt);
        seen.into_iter().filter(rebuilt).collect()
    }
}

fn facts(given: &Given<'_>) -> Vec<(String, String)> {
    let plan = given.plan;
    let systems: Vec<&str> = plan
        .targets
        .environments
        .iter()
        .map(|e| e.system.name())
        .collect();
    let nixpkgs = given.nixpkgs;
    let mut of = if nixpkgs.is_empty() {
        "none".to_owned()
    } else {
        nixpkgs.channel.clone()
    };
    if let Some(short) = nixpkgs.revision.as_deref().and_then(|r| r.get(..12)) {
        of.push_str(&format!(" {short}"));
    }
    if !nixpkgs.date.is_empty() {
        of.push_str(&format!(" of {}", nixpkgs.date));
    }
    pairs([
        ("Python", plan.targets.python_minor()),
        ("systems", systems.join(", ")),
        ("nixpkgs", of),
        ("made by", plan.command.clone()),
    ])
}

fn lock_facts(lock: &Pylock) -> Vec<(String, String)> {
    let own = lock.own.clone().unwrap_or_default();
    let python = if own.python.is_empty() {
        lock.requires_python.clone().unwrap_or_default()
    } else {
        own.python
    };
    let nixpkgs = own.nixpkgs.map(|n| match n.date.as_str() {
        "" => n.channel,
        date => format!("{} of {date}", n.channel),
    });
    pairs([
        ("Python", python),
        ("systems", own.systems.join(", ")),
        ("nixpkgs", nixpkgs.unwrap_or_default()),
    ])
}

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    let told = pairs.into_iter().filter(|(_, text)| !text.is_empty());
    told.map(|(label, text)| (label.to_owned(), text)).collect()
}

fn of_step(
    given: &Given<'_>,
    step: &Step,
    pin: Option<&Pin>,
    places: &BTreeMap<String, usize>,
) -> Project {
    let about = pin.map(|pin| &pin.metadata.about);
    let targets = &given.plan.targets;
    let systems: Vec<&str> = targets.systems(step.targets).map(|s| s.name()).collect();
    let everywhere = step.targets.contains(targets.all());
    let entry = given.plan.entries.iter().find(|e| e.project == step.name);
    let mut asked_by: Vec<Asker> = step.reasons.iter().map(|r| asker(r, places)).collect();
    asked_by.extend(others(given, step, places, &asked_by));
    Project {
        name: step.name.to_string(),
        version: step.version.to_string(),
        kind: step.action.into(),
        attribute: (!step.attribute.is_empty()).then(|| step.attribute.clone()),
        nixpkgs_version: step.nixpkgs_version.as_ref().map(ToString::to_string),
        direct: asked_by.iter().any(|asker| asker.by.is_none()),
        for_build: step.for_build,
        rebuilt: step.rebuilt,
        summary: about.and_then(|about| about.summary.clone()),
        homepage: about.and_then(homepage),
        changelog: about.and_then(plan::changelog),
        license: about.and_then(license),
        version_reasons: reason::version(step, pin),
        kind_reasons: reason::kind(step),
        systems: (!everywhere).then(|| systems.join(", ")),
        asked_by,
        needs: Vec::new(),
        rebuilds: Vec::new(),
        made: entry.map(entry::made).unwrap_or_default(),
        files: Vec::new(),
    }
}

fn asker(reason: &Reason, places: &BTreeMap<String, usize>) -> Asker {
    let release = reason.by.strip_prefix("building ");
    let by = places.get(release.unwrap_or(&reason.by)).copied();
    Asker {
        by,
        called: release.unwrap_or(&reason.by).to_owned(),
        requirement: reason.requirement.clone(),
        place: by.is_none().then(|| reason::place(reason)),
        forces: reason.forces,
        to_build: release.is_some(),
    }
}

/// Those who need it whom the reasons leave out: pins that nixpkgs' packages do without.
fn others(
    given: &Given<'_>,
    step: &Step,
    places: &BTreeMap<String, usize>,
    known: &[Asker],
) -> Vec<Asker> {
    let known: BTreeSet<usize> = known.iter().filter_map(|asker| asker.by).collect();
    let mut found = Vec::new();
    for pin in &given.resolution.pins {
        let called = format!("{} {}", pin.name, pin.version);
        let Some(by) = places.get(&called).filter(|by| !known.contains(by)) else {
            continue;
        };
        let edge = pin
            .needs
            .iter()
            .find(|e| e.to == step.name && !e.targets.and(step.targets).is_empty());
        found.extend(edge.filter(|_| pin.name != step.name).map(|edge| Asker {
            by: Some(*by),
            called: called.clone(),
            requirement: edge.requirement.to_string(),
            place: None,
            forces: false,
            to_build: false,
        }));
    }
    found
}

fn of_lock(graph: &Graph<'_>, place: usize, pin: &Locked) -> Project {
    let asked_by: Vec<Asker> = graph
        .needed_by(place)
        .into_iter()
        .map(|need| Asker {
            by: need.by,
            called: match need.by.and_then(|by| graph.pin(by)) {
                Some(pin) => format!("{} {}", pin.name, version_of(pin)),
                None => "your project".to_owned(),
            },
            requirement: need.requirement.unwrap_or_default(),
            place: None,
            forces: false,
            to_build: false,
        })
        .collect();
    let kind = match pin.own.action.as_deref() {
        Some("reuse") if pin.own.attribute.is_none() => Kind::Omit,
        Some("reuse") => Kind::Reuse,
        Some("attribute") => Kind::Attribute,
        Some("override") => Kind::Override,
        Some("new") => Kind::New,
        _ => Kind::Unknown,
    };
    Project {
        name: pin.name.to_string(),
        version: version_of(pin),
        kind,
        attribute: pin.own.attribute.clone(),
        nixpkgs_version: None,
        direct: graph.roots().contains(&place),
        for_build: false,
        rebuilt: false,
        summary: None,
        homepage: None,
        changelog: None,
        license: None,
        version_reasons: match (&pin.own.rather_than, &pin.own.because) {
            (Some(newer), Some(because)) => vec![reason::rather_than(newer, because)],
            _ => Vec::new(),
        },
        kind_reasons: Vec::new(),
        systems: pin.marker.clone(),
        asked_by,
        needs: Vec::new(),
        rebuilds: Vec::new(),
        made: Vec::new(),
        files: files(pin),
    }
}

fn version_of(pin: &Locked) -> String {
    let version = pin.version.as_ref();
    version.map(ToString::to_string).unwrap_or_default()
}

fn files(pin: &Locked) -> Vec<File> {
    pin.sdist.iter().chain(&pin.wheels).map(file).collect()
}

fn file(file: &LockedFile) -> File {
    let place = file.url.as_ref().or(file.path.as_ref());
    let last = place.and_then(|place| place.rsplit('/').next());
    let name = file.name.as_deref().or(last).unwrap_or_default();
    File {
        name: name.to_owned(),
        hashes: file
            .hashes
            .iter()
            .map(|(algorithm, digits)| format!("{algorithm}:{digits}"))
            .collect(),
        size: file.size,
    }
}

/// Of what only builds need, the source is what counts.
fn own_sdist(pin: &Pin) -> Vec<File> {
    let sdist = pin.release.sdist.iter();
    let files = sdist.map(|file| File {
        name: file.file.clone(),
        hashes: file
            .sha256
            .map(|digest| format!("sha256:{}", digest.hex()))
            .into_iter()
            .collect(),
        size: file.size,
    });
    files.collect()
}

fn homepage(about: &About) -> Option<String> {
    let of = |wanted: &[&str]| {
        let urls = about.urls.iter();
        let mut urls = urls.filter(|(label, _)| {
            let label = label.to_lowercase();
            wanted.iter().any(|w| label.starts_with(w))
        });
        urls.next().map(|(_, address)| address.clone())
    };
    of(&["homepage", "home"])
        .or_else(|| about.home_page.clone())
        .or_else(|| of(&["source", "repository", "github", "code"]))
        .or_else(|| about.urls.first().map(|(_, address)| address.clone()))
}

/// As the release writes it: an expression, a short text, or classifiers.
fn license(about: &About) -> Option<String> {
    let classified: Vec<&str> = about
        .license_classifiers
        .iter()
        .filter_map(|c| c.rsplit(" :: ").next())
        .filter(|c| *c != "OSI Approved")
        .collect();
    let said = about.license_expression.clone().or(about.license.clone());
    said.filter(|text| !text.trim().is_empty())
        .or_else(|| (!classified.is_empty()).then(|| classified.join(", ")))
}
