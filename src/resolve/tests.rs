//! Runs `testdata/scenarios/*.toml`: small universes with the answer that is expected of them.

mod ahead;

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use super::{Formats, Input, Outcome, Policy, Prefer, Preferences, Prerelease, Resolution};
use crate::event::{Event, Observer, Silent};
use crate::index::fixed::FixedCatalog;
use crate::index::{Distribution, Page, Release};
use crate::nixpkgs::{Attribute, Nixpkgs};
use crate::python::{
    About, ExtraName, Filename, Metadata, PackageName, Requirement, System, Targets, Version,
    VersionSpecifiers, Wanted,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

/// One scenario. `testdata/scenarios/README.md` describes the format.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenario {
    name: String,
    #[serde(default)]
    python: Option<String>,
    #[serde(default)]
    systems: Option<Vec<String>>,
    requires: Vec<String>,
    #[serde(default)]
    constraints: Vec<String>,
    #[serde(default)]
    overrides: Vec<String>,
    #[serde(default)]
    locked: Vec<String>,
    #[serde(default)]
    nixpkgs: Vec<String>,
    #[serde(default)]
    prefer: Option<String>,
    #[serde(default)]
    prerelease: Option<String>,
    #[serde(default)]
    only_binary: Vec<String>,
    #[serde(default)]
    no_binary: Vec<String>,
    #[serde(default)]
    expect: Option<Vec<String>>,
    #[serde(default)]
    fails: Option<Vec<String>>,
    #[serde(default)]
    index: BTreeMap<String, BTreeMap<String, Entry>>,
    #[serde(default)]
    direct: BTreeMap<String, Direct>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Requires(Vec<String>),
    Full(Full),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Full {
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    python: Option<String>,
    #[serde(default)]
    yanked: bool,
    /// `sdist`, or the tags of a wheel; a trailing `!` makes the file yanked.
    #[serde(default)]
    files: Option<Vec<String>>,
    /// Why the metadata cannot be read.
    #[serde(default)]
    unreadable: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Direct {
    name: String,
    version: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    python: Option<String>,
    #[serde(default)]
    files: Option<Vec<String>>,
}

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn version(text: &str) -> Version {
    Version::from_str(text).unwrap()
}

fn release(project: &PackageName, number: &str, full: &Full) -> Release {
    let mut release = Release {
        tree: None,
        version: version(number),
        wheels: Vec::new(),
        sdist: None,
    };
    let both = ["py3-none-any".to_owned(), "sdist".to_owned()];
    for tags in full.files.as_deref().unwrap_or(&both) {
        let (tags, yanked) = match tags.strip_suffix('!') {
            Some(tags) => (tags, true),
            None => (tags.as_str(), full.yanked),
        };
        let distribution = project.as_dist_info_name();
        let file = match tags {
            "sdist" => format!("{distribution}-{number}.tar.gz"),
            tags => format!("{distribution}-{number}-{tags}.whl"),
        };
        let (filename, _) = Filename::parse(&file, project).expect(&file);
        let distribution = Distribution {
            url: format!("https://files.test/{file}").parse().unwrap(),
            file,
            sha256: None,
            size: None,
            requires_python: full
                .python
                .as_ref()
                .map(|p| VersionSpecifiers::from_str(p).unwrap()),
            uploaded: None,
            yanked: yanked.then(String::new),
            has_metadata: true,
            metadata_sha256: None,
            filename,
        };
        match distribution.filename {
            Filename::Sdist(_) => release.sdist = Some(distribution),
            Filename::Wheel(_) => release.wheels.push(distribution),
        }
    }
    release
}

fn metadata(project: &PackageName, number: &str, full: &Full) -> Metadata {
    let mut requires_dist: Vec<Requirement> = full
        .requires
        .iter()
        .map(|r| Requirement::parse(r).unwrap())
        .collect();
    for (extra, requires) in &full.extras {
        for text in requires {
            let (text, marker) = text
                .split_once(';')
                .map_or((text.as_str(), String::new()), |(t, m)| {
                    (t, format!("({}) and ", m.trim()))
                });
            let text = format!("{text} ; {marker}extra == '{extra}'");
            requires_dist.push(Requirement::parse(&text).unwrap());
        }
    }
    Metadata {
        name: project.clone(),
        version: number.to_owned(),
        requires_dist: requires_dist.into(),
        spellings: Vec::new(),
        requires_python: None,
        provides_extra: full
            .extras
            .keys()
            .map(|e| ExtraName::from_str(e).unwrap())
            .collect(),
        about: About::default(),
        repairs: Vec::new(),
    }
}

fn catalog(scenario: Scenario) -> (Scenario, FixedCatalog) {
    let mut scenario = scenario;
    let mut catalog = FixedCatalog::default();
    for (project, entries) in std::mem::take(&mut scenario.index) {
        let project = name(&project);
        let mut releases = Vec::new();
        for (number, entry) in entries {
            let full = match entry {
                Entry::Full(full) => full,
                Entry::Requires(requires) => Full {
                    requires,
                    ..Full::default()
                },
            };
            releases.push(release(&project, &number, &full));
            let key = (project.clone(), version(&number));
            match &full.unreadable {
                Some(reason) => {
                    catalog.unreadable.insert(key, reason.clone());
                }
                None => {
                    let metadata = metadata(&project, &number, &full);
                    catalog.metadata.insert(key, Arc::new(metadata));
                }
            }
        }
        let page = Page::new(project.clone(), None, releases);
        catalog.pages.insert(project, Arc::new(page));
    }
    for (address, direct) in &scenario.direct {
        let project = name(&direct.name);
        let full = Full {
            requires: direct.requires.clone(),
            python: direct.python.clone(),
            files: direct.files.clone(),
            ..Full::default()
        };
        let release = Arc::new(release(&project, &direct.version, &full));
        let mut metadata = metadata(&project, &direct.version, &full);
        let wanted = direct.python.as_deref();
        metadata.requires_python = wanted.map(|p| VersionSpecifiers::from_str(p).unwrap());
        let metadata = Arc::new(metadata);
        catalog.direct.insert(address.clone(), (release, metadata));
    }
    (scenario, catalog)
}

fn pins(texts: &[String]) -> BTreeMap<PackageName, Vec<Version>> {
    let mut pins: BTreeMap<PackageName, Vec<Version>> = BTreeMap::new();
    for text in texts {
        let (project, number) = text.split_once("==").unwrap();
        pins.entry(name(project)).or_default().push(version(number));
    }
    pins
}

/// A nixpkgs with these versions, the first of each project being the primary attribute's.
fn packaged(versions: &BTreeMap<PackageName, Vec<Version>>) -> Nixpkgs {
    let attributes = versions.iter().flat_map(|(project, versions)| {
        versions
            .iter()
            .enumerate()
            .map(move |(at, version)| Attribute {
                attr: format!("{project}_{at}"),
                project: project.clone(),
                version: version.clone(),
                primary: at == 0,
                facts: Default::default(),
            })
    });
    Nixpkgs::new(String::new(), String::new(), attributes.collect())
}

fn formats(texts: &[String]) -> Formats {
    Formats {
        all: texts.iter().any(|t| t == ":all:"),
        projects: texts
            .iter()
            .filter(|t| *t != ":all:")
            .map(|t| name(t))
            .collect(),
    }
}

fn input(scenario: &Scenario) -> Input {
    let systems: Vec<System> = match &scenario.systems {
        Some(names) => names.iter().map(|s| s.parse().unwrap()).collect(),
        None => vec![System::X86_64Linux],
    };
    let requirements = |texts: &[String]| {
        texts
            .iter()
            .map(|text| Requirement::parse(text).unwrap())
            .collect()
    };
    Input {
        targets: Targets::new(
            version(scenario.python.as_deref().unwrap_or("3.13.5")),
            &systems,
        ),
        requirements: requirements(&scenario.requires),
        constraints: requirements(&scenario.constraints),
        overrides: requirements(&scenario.overrides),
        preferences: Preferences {
            nixpkgs: Arc::new(packaged(&pins(&scenario.nixpkgs))),
            locked: pins(&scenario.locked),
        },
        policy: Policy {
            prefer: match scenario.prefer.as_deref() {
                None | Some("latest") => Prefer::Latest,
                Some("nixpkgs") => Prefer::Nixpkgs,
                Some("lowest") => Prefer::Lowest,
                Some(other) => panic!("prefer {other}"),
            },
            prerelease: match scenario.prerelease.as_deref() {
                None | Some("if-necessary-or-explicit") => Prerelease::IfNecessaryOrExplicit,
                Some("if-necessary") => Prerelease::IfNecessary,
                Some("explicit") => Prerelease::Explicit,
                Some("allow") => Prerelease::Allow,
                Some("disallow") => Prerelease::Disallow,
                Some(other) => panic!("prerelease {other}"),
            },
            no_binary: formats(&scenario.no_binary),
            only_binary: formats(&scenario.only_binary),
        },
    }
}

/// `name[extra]==version @ system`, the systems only where the pin does not serve all targets.
fn shown(resolution: &Resolution) -> Vec<String> {
    resolution
        .pins
        .iter()
        .map(|pin| {
            let extras: Vec<&str> = pin.extras.iter().map(AsRef::as_ref).collect();
            let extras = match extras.as_slice() {
                [] => String::new(),
                some => format!("[{}]", some.join(",")),
            };
            let systems: Vec<&str> = resolution
                .targets
                .systems(pin.targets)
                .map(System::name)
                .collect();
            let systems = if pin.targets == resolution.targets.all() {
                String::new()
            } else {
                format!(" @ {}", systems.join(" "))
            };
            format!("{}{extras}=={}{systems}", pin.name, pin.version)
        })
        .collect()
}

/// What every answer must hold, whatever the scenario.
fn check_edges(resolution: &Resolution, input: &Input) {
    let edges = resolution
        .pins
        .iter()
        .flat_map(|pin| &pin.needs)
        .chain(&resolution.roots);
    for edge in edges {
        for (index, _) in input.targets.environments.iter().enumerate() {
            if !edge.targets.has(index) {
                continue;
            }
            let serving: Vec<_> = resolution
                .pins_of(&edge.to)
                .filter(|pin| pin.targets.has(index))
                .collect();
            assert_eq!(serving.len(), 1, "one pin of {} per target", edge.to);
            for extra in &edge.extras {
                assert!(serving[0].extras.contains(extra));
            }
            if let Wanted::Versions(specifiers) = &edge.requirement.wanted {
                let version = &serving[0].version;
                assert!(
                    crate::python::range::admits(specifiers, version),
                    "{}",
                    edge.requirement
                );
            }
        }
    }
}

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut count = 0;
    let mut failures = String::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for scenario in file.scenario {
            count += 1;
            if let Err(why) = run(scenario) {
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                failures.push_str(&format!("\n{file}: {why}\n"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 0);
}

/// What was decided, however often.
#[derive(Default)]
struct Decisions(AtomicUsize);

impl Observer for Decisions {
    fn see(&self, event: &Event) {
        if matches!(event, Event::Decided { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_release_that_is_impossible_on_its_own_undoes_nothing_else() {
    let decisions = |projects: usize| {
        let mut text = "[[scenario]]\nname = \"chain\"\nrequires = [\"p0\"]\n".to_owned();
        for number in 0..projects {
            // The newest release needs what does not exist.
            let next = number + 1;
            text.push_str(&format!(
                "[scenario.index.p{number}]\n1 = [\"p{next}\"]\n2 = [\"p{next}>5\"]\n"
            ));
        }
        text.push_str(&format!("[scenario.index.p{projects}]\n1 = []\n"));
        let file: File = toml::from_str(&text).unwrap();
        let (scenario, catalog) = catalog(file.scenario.into_iter().next().unwrap());
        let seen = Decisions::default();
        let outcome = super::resolve(&catalog, &input(&scenario), &seen).unwrap();
        let Outcome::Solved(resolution) = outcome else {
            panic!("the older releases fit");
        };
        assert_eq!(resolution.pins.len(), projects + 1);
        seen.0.into_inner()
    };
    let (few, many) = (decisions(20), decisions(80));
    assert!(many <= few * 5, "{few} for 20 projects, {many} for 80");
}

fn run(scenario: Scenario) -> Result<(), String> {
    let (scenario, catalog) = catalog(scenario);
    let input = input(&scenario);
    let outcome =
        super::resolve(&catalog, &input, &Silent).map_err(|e| format!("{}: {e}", scenario.name))?;
    let title = &scenario.name;
    match (outcome, &scenario.expect, &scenario.fails) {
        (Outcome::Solved(resolution), Some(expected), None) => {
            check_edges(&resolution, &input);
            let shown = shown(&resolution);
            if shown == *expected {
                return Ok(());
            }
            Err(format!("{title}: expected {expected:#?}, got {shown:#?}"))
        }
        (Outcome::Unsolvable(explanation), None, Some(sentences)) => {
            let text = explanation.to_string();
            match sentences.iter().find(|s| !text.contains(s.as_str())) {
                None => Ok(()),
                Some(sentence) => Err(format!("{title}: no “{sentence}” in:\n{text}")),
            }
        }
        (Outcome::Solved(resolution), None, Some(_)) => {
            Err(format!("{title}: solved: {:#?}", shown(&resolution)))
        }
        (Outcome::Unsolvable(explanation), Some(_), None) => {
            Err(format!("{title}: not solved:\n{explanation}"))
        }
        _ => Err(format!("{title}: say either `expect` or `fails`")),
    }
}

/// Small universes, answered by trying everything.
mod property {
    use super::*;
    use proptest::prelude::*;

    const SYSTEMS: [&str; 2] = ["x86_64-linux", "aarch64-darwin"];

    fn requirement() -> impl Strategy<Value = String> {
        let range = prop_oneof![
            4 => Just(""),
            2 => Just("<2"),
            2 => Just(">=2"),
            1 => Just("==1"),
            1 => Just("!=2"),
            1 => Just(">2"),
        ];
        let marker = prop_oneof![
            2 => Just(""),
            1 => Just(" ; sys_platform == 'linux'"),
            1 => Just(" ; sys_platform == 'darwin'"),
        ];
        let extra = prop_oneof![3 => Just(""), 1 => Just("[x]")];
        ("[a-e]", extra, range, marker).prop_map(|(n, e, r, m)| format!("{n}{e}{r}{m}"))
    }

    fn full() -> impl Strategy<Value = Full> {
        let files = prop_oneof![
            6 => Just(None),
            1 => Just(Some(vec!["cp313-cp313-manylinux_2_17_x86_64".to_owned()])),
            1 => Just(Some(vec!["cp313-cp313-macosx_11_0_arm64".to_owned()])),
        ];
        let requirements = || prop::collection::vec(requirement(), 0..3);
        (requirements(), requirements(), files).prop_map(|(requires, extra, files)| Full {
            requires,
            extras: BTreeMap::from([("x".to_owned(), extra)]),
            files,
            ..Full::default()
        })
    }

    fn scenario() -> impl Strategy<Value = (Vec<String>, BTreeMap<String, BTreeMap<String, Full>>)>
    {
        let releases = prop::collection::btree_map("[1-3]", full(), 0..4);
        let index = prop::collection::btree_map("[a-e]", releases, 3..6);
        (prop::collection::vec(requirement(), 1..4), index)
    }

    /// Whether a choice of versions meets everything that is needed on a target.
    fn holds(
        input: &Input,
        catalog: &FixedCatalog,
        target: usize,
        version_of: &dyn Fn(&PackageName) -> Option<Version>,
    ) -> bool {
        let markers = &input.targets.environments[target].markers;
        let mut queue: Vec<Requirement> = input.requirements.clone();
        queue.retain(|r| r.marker.evaluate(markers, &[]));
        let mut seen = std::collections::BTreeSet::new();
        while let Some(requirement) = queue.pop() {
            let Some(version) = version_of(&requirement.name) else {
                return false;
            };
            let Some(page) = catalog.pages.get(&requirement.name) else {
                return false;
            };
            let Some(position) = page.position(&version) else {
                return false;
            };
            let serving = crate::resolve::candidate::Serving::at(page, position, input, &|| false);
            let specifiers = requirement.specifiers().unwrap();
            if !serving.targets.has(target) || !specifiers.contains(&version) {
                return false;
            }
            let extras = std::iter::once(None).chain(requirement.extras.iter().cloned().map(Some));
            for extra in extras {
                if seen.insert((requirement.name.clone(), extra.clone())) {
                    let extras: Vec<ExtraName> = extra.into_iter().collect();
                    let metadata = &catalog.metadata[&(requirement.name.clone(), version.clone())];
                    let needs = metadata.requires_dist.iter();
                    queue.extend(
                        needs
                            .filter(|r| r.marker.evaluate(markers, &extras))
                            .cloned(),
                    );
                }
            }
        }
        true
    }

    fn brute_force(input: &Input, catalog: &FixedCatalog, target: usize) -> bool {
        let projects: Vec<&PackageName> = catalog.pages.keys().collect();
        let versions: Vec<Vec<Version>> = projects
            .iter()
            .map(|p| catalog.pages[*p].versions().cloned().collect())
            .collect();
        let total: usize = versions.iter().map(|v| v.len().max(1)).product();
        (0..total).any(|number| {
            let mut rest = number;
            let mut chosen = BTreeMap::new();
            for (project, versions) in projects.iter().zip(&versions) {
                let count = versions.len().max(1);
                if let Some(version) = versions.get(rest % count) {
                    chosen.insert((*project).clone(), version.clone());
                }
                rest /= count;
            }
            holds(input, catalog, target, &|name| chosen.get(name).cloned())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(800))]
        #[test]
        fn answers_agree_with_trying_everything((requires, index) in scenario()) {
            let scenario = Scenario {
                name: String::new(),
                python: None,
                systems: Some(SYSTEMS.map(str::to_owned).to_vec()),
                requires,
                constraints: Vec::new(),
                overrides: Vec::new(),
                locked: Vec::new(),
                nixpkgs: Vec::new(),
                prefer: None,
                prerelease: None,
                only_binary: Vec::new(),
                no_binary: Vec::new(),
                expect: None,
                fails: None,
                index: index
                    .into_iter()
                    .map(|(name, releases)| {
                        let releases = releases.into_iter().map(|(v, f)| (v, Entry::Full(f)));
                        (name, releases.collect())
                    })
                    .collect(),
                direct: BTreeMap::new(),
            };
            let (scenario, catalog) = catalog(scenario);
            let input = input(&scenario);
            let solvable = (0..SYSTEMS.len()).all(|target| brute_force(&input, &catalog, target));
            match super::super::resolve(&catalog, &input, &Silent).unwrap() {
                Outcome::Solved(resolution) => {
                    prop_assert!(solvable);
                    check_edges(&resolution, &input);
                    for target in 0..SYSTEMS.len() {
                        let version_of = |name: &PackageName| {
                            let mut pins = resolution.pins_of(name);
                            let pin = pins.find(|pin| pin.targets.has(target));
                            pin.map(|pin| pin.version.clone())
                        };
                        prop_assert!(holds(&input, &catalog, target, &version_of));
                    }
                }
                Outcome::Unsolvable(explanation) => {
                    prop_assert!(!solvable, "{}", explanation);
                    prop_assert!(!explanation.to_string().is_empty());
                }
            }
        }
    }
}
