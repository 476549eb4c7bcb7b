//! Resolutions written by hand, for tests of planning and rendering.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use url::Url;

use super::{Plan, PlanError, Policy, Request, Trials, Wheels, plan};
use crate::index::{Distribution, Release};
use crate::nixpkgs::facts::AttributeFacts;
use crate::nixpkgs::{Attribute, Nixpkgs, snapshot};
use crate::problem::{Origin, SourceFile};
use crate::project::SourceFacts;
use crate::project::cargo::CrateCommit;
use crate::project::native::{Evidence, Kind};
use crate::python::{
    About, ExtraName, Filename, Metadata, PackageName, Requirement, Sha256, System, TargetSet,
    Targets, Version,
};
use crate::resolve::{Edge, Pin, Resolution};

/// A resolution with the facts of its sources.
pub(crate) struct Fixture {
    pub targets: Targets,
    pub resolution: Resolution,
    pub build: Vec<Resolution>,
    pub facts: BTreeMap<(PackageName, Version), Arc<SourceFacts>>,
    pub nixpkgs: Nixpkgs,
    pub unpublished: BTreeSet<PackageName>,
    pub trials: Trials,
    pub crates: BTreeMap<CrateCommit, Result<Sha256, String>>,
    pub wheels: Wheels,
    pub policy: Policy,
}

impl Fixture {
    /// Nothing yet, on all systems with the snapshot's package set.
    pub fn new() -> Self {
        let targets = Targets::new(snapshot::default_python(), &System::DEFAULT);
        Self {
            resolution: Resolution {
                targets: targets.clone(),
                pins: Vec::new(),
                roots: Vec::new(),
            },
            targets,
            build: Vec::new(),
            facts: BTreeMap::new(),
            nixpkgs: snapshot::read("3.13").unwrap(),
            unpublished: BTreeSet::new(),
            trials: BTreeMap::new(),
            crates: BTreeMap::new(),
            wheels: Wheels::new(),
            policy: Policy {
                project: "the command line".to_owned(),
                command: "pyresolve lock setup.py".to_owned(),
                ..Policy::default()
            },
        }
    }

    /// The same with a tree's package set in place of the snapshot's: attribute, project, version and
    /// recipe. The attribute that is called like its project is the default one.
    pub fn tree(mut self, attributes: &[(&str, &str, &str, AttributeFacts)]) -> Self {
        let attributes = attributes
            .iter()
            .map(|(attr, project, version, facts)| Attribute {
                attr: (*attr).to_owned(),
                project: PackageName::from_str(project).unwrap(),
                version: Version::from_str(version).unwrap(),
                primary: attr == project,
                facts: facts.clone().into(),
            });
        let day = "2026-05-03".to_owned();
        self.nixpkgs = Nixpkgs::new("a tree".to_owned(), day, attributes.collect());
        self
    }

    /// A requirement of the project, in its setup.py.
    pub fn root(mut self, text: &str) -> Self {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("setup.py"),
            text: text.to_owned(),
        });
        let origin = Origin {
            file,
            span: 0..text.len(),
        };
        let requirement = Requirement::parse(text).unwrap().at(origin);
        let edge = edge(&self.targets, requirement, None, self.targets.all());
        self.resolution.roots.push(edge);
        self
    }

    /// A pin with an sdist; needs are PEP 508 texts, those of extras with a marker `extra == '…'`.
    pub fn pin(self, name: &str, version: &str, needs: &[&str]) -> Self {
        let all = self.targets.all();
        self.pin_on(name, version, needs, all)
    }

    /// The same, for some of the targets.
    pub fn pin_on(mut self, name: &str, version: &str, needs: &[&str], on: TargetSet) -> Self {
        let pin = pin(&self.targets, name, version, needs, on);
        self.facts.insert(
            (pin.name.clone(), pin.version.clone()),
            Arc::new(SourceFacts {
                build_requires: vec!["setuptools".to_owned()],
                modules: vec![name.replace('-', "_")],
                ..SourceFacts::default()
            }),
        );
        self.resolution.pins.push(pin);
        let order = |p: &Pin| (p.name.clone(), p.version.clone());
        self.resolution.pins.sort_by_key(order);
        self
    }

    /// Changes the facts of the newest pin's source.
    pub fn facts(mut self, name: &str, change: impl FnOnce(&mut SourceFacts)) -> Self {
        let (_, facts) = self
            .facts
            .iter_mut()
            .find(|((n, _), _)| n.as_ref() == name)
            .unwrap();
        change(Arc::make_mut(facts));
        self
    }

    /// The source of a pin asks for something native, in a line of its setup.py.
    pub fn asks(self, name: &str, kind: Kind, what: &str) -> Self {
        self.facts(name, |facts| {
            facts.native.push(Evidence {
                kind,
                name: what.to_owned(),
                place: "setup.py:7".to_owned(),
                text: format!("asks for {what}"),
            });
        })
    }

    /// Changes a pin.
    pub fn change(mut self, name: &str, change: impl FnOnce(&mut Pin)) -> Self {
        let mut pins = self.resolution.pins.iter_mut();
        change(pins.find(|p| p.name.as_ref() == name).unwrap());
        self
    }

    /// A further resolution, of a build requirement.
    pub fn build_pin(mut self, name: &str, version: &str, needs: &[&str]) -> Self {
        let pin = pin(&self.targets, name, version, needs, self.targets.all());
        self.facts.insert(
            (pin.name.clone(), pin.version.clone()),
            Arc::new(SourceFacts {
                build_requires: vec!["setuptools".to_owned()],
                modules: vec![name.replace('-', "_")],
                ..SourceFacts::default()
            }),
        );
        self.build.push(Resolution {
            targets: self.targets.clone(),
            pins: vec![pin],
            roots: Vec::new(),
        });
        self
    }

    pub fn plan(&self) -> Result<Plan, PlanError> {
        plan(&Request {
            resolution: &self.resolution,
            build: &self.build,
            facts: &self.facts,
            digests: &BTreeMap::new(),
            nixpkgs: &self.nixpkgs,
            unpublished: &self.unpublished,
            trials: &self.trials,
            crates: &self.crates,
            wheels: &self.wheels,
            policy: &self.policy,
        })
    }
}

fn edge(
    targets: &Targets,
    requirement: Requirement,
    via_extra: Option<ExtraName>,
    within: TargetSet,
) -> Edge {
    let on = targets.matching(&requirement.marker, via_extra.as_slice());
    Edge {
        to: requirement.name.clone(),
        extras: requirement.extras.clone(),
        via_extra,
        marker: requirement.marker.clone(),
        targets: on.and(within),
        requirement: Arc::new(requirement),
    }
}

fn pin(targets: &Targets, name: &str, version: &str, needs: &[&str], on: TargetSet) -> Pin {
    let project = PackageName::from_str(name).unwrap();
    let requires_dist: Vec<Requirement> = needs
        .iter()
        .map(|text| Requirement::parse(text).unwrap())
        .collect();
    let mut extras = BTreeSet::new();
    let needs = requires_dist.iter().map(|requirement| {
        let extra = needs_extra(requirement);
        extras.extend(extra.clone());
        edge(targets, requirement.clone(), extra, on)
    });
    let needs = needs.collect();
    let metadata = Metadata {
        name: project.clone(),
        version: version.to_owned(),
        requires_dist: requires_dist.into(),
        spellings: Vec::new(),
        requires_python: None,
        provides_extra: extras.iter().cloned().collect(),
        about: About::default(),
        repairs: Vec::new(),
    };
    let file = format!("{}-{version}.tar.gz", name.replace('-', "_"));
    Pin {
        version: Version::from_str(version).unwrap(),
        release: Arc::new(Release {
            tree: None,
            version: Version::from_str(version).unwrap(),
            wheels: Vec::new(),
            sdist: Some(distribution(&file, &project)),
        }),
        metadata: Arc::new(metadata),
        index: Some(pypi()),
        direct: None,
        targets: on,
        extras,
        needs,
        name: project,
    }
}

fn needs_extra(requirement: &Requirement) -> Option<ExtraName> {
    let marker = requirement.marker.try_to_string()?;
    let (_, rest) = marker.split_once("extra == '")?;
    ExtraName::from_str(rest.split('\'').next()?).ok()
}

/// A file of a release on PyPI, its digest made from its name.
pub(crate) fn distribution(file: &str, project: &PackageName) -> Distribution {
    let (filename, _) = Filename::parse(file, project).unwrap();
    Distribution {
        filename,
        file: file.to_owned(),
        url: Url::parse(&format!("https://files.example.test/{file}"))
            .unwrap()
            .into(),
        sha256: Some(Sha256::of(file.as_bytes())),
        size: None,
        requires_python: None,
        uploaded: None,
        yanked: None,
        has_metadata: false,
        metadata_sha256: None,
    }
}

fn pypi() -> Url {
    let host = ["pypi", "org"].join(".");
    Url::parse(&format!("https://{host}/simple/")).unwrap()
}
