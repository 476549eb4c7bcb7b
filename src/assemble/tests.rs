use std::str::FromStr as _;

use super::*;
use crate::event::Silent;
use crate::index::fixed::FixedCatalog;
use crate::index::{Page, Release};
use crate::nixpkgs::snapshot;
use crate::plan::Action;
use crate::python::{Filename, Metadata, System, Targets};

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

/// Adds a release with an sdist only.
fn add(catalog: &mut FixedCatalog, project: &str, version: &str, needs: &[&str], builds: &[&str]) {
    let file = format!("{project}-{version}.tar.gz");
    let (filename, number) = Filename::parse(&file, &name(project)).unwrap();
    let sdist = Distribution {
        filename,
        url: url::Url::parse(&format!("https://files.test/{file}"))
            .unwrap()
            .into(),
        sha256: Some(Sha256::of(file.as_bytes())),
        size: None,
        requires_python: None,
        uploaded: None,
        yanked: None,
        has_metadata: false,
        metadata_sha256: None,
        file: file.clone(),
    };
    let release = Release {
        tree: None,
        version: number.clone(),
        wheels: Vec::new(),
        sdist: Some(sdist),
    };
    let page = Page::new(name(project), None, vec![release]);
    catalog.pages.insert(name(project), Arc::new(page));
    let requires_dist = needs.iter().map(|n| Requirement::parse(n).unwrap());
    let metadata = Metadata {
        name: name(project),
        version: version.to_owned(),
        requires_dist: requires_dist.collect(),
        spellings: Vec::new(),
        requires_python: None,
        provides_extra: Vec::new(),
        about: crate::python::About::default(),
        repairs: Vec::new(),
    };
    catalog
        .metadata
        .insert((name(project), number), Arc::new(metadata));
    let facts = SourceFacts {
        build_requires: builds.iter().map(|b| (*b).to_owned()).collect(),
        has_build_system_table: true,
        ..SourceFacts::default()
    };
    catalog.facts.insert(file, Arc::new(facts));
}

fn input(requirement: &str) -> Input {
    let targets = Targets::new(Version::from_str("3.13.5").unwrap(), &System::DEFAULT);
    Input {
        requirements: vec![Requirement::parse(requirement).unwrap()],
        ..Input::new(targets)
    }
}

fn assembled(catalog: &FixedCatalog, requirement: &str) -> Result<Assembly, AssembleError> {
    let question = Question {
        input: &input(requirement),
        nixpkgs: &snapshot::read("3.13").unwrap(),
        policy: &plan::Policy::default(),
        stated: &BTreeSet::new(),
        approved: &Approved::default(),
        for_builds: &[],
    };
    assemble(catalog, &question, &Silent)
}

#[test]
fn build_requirements_of_build_requirements_are_found() {
    let mut catalog = FixedCatalog::default();
    add(
        &mut catalog,
        "zz-demo",
        "1.0",
        &["zz-shared"],
        &["setuptools", "zz-tool>=1"],
    );
    add(&mut catalog, "zz-shared", "2.0", &[], &["setuptools"]);
    add(&mut catalog, "zz-tool", "1.5", &["zz-shared"], &["zz-deep"]);
    add(&mut catalog, "zz-deep", "0.1", &[], &["setuptools>=60"]);
    let assembly = assembled(&catalog, "zz-demo").unwrap();
    let steps: Vec<_> = assembly
        .plan
        .steps
        .iter()
        .map(|s| (s.name.as_ref(), s.action, s.for_build))
        .collect();
    assert_eq!(
        steps,
        [
            ("zz-demo", Action::New, false),
            ("zz-shared", Action::New, false),
            ("zz-deep", Action::New, true),
            ("zz-tool", Action::New, true),
        ]
    );
    assert_eq!(assembly.resolution.pins.len(), 2);
}

#[test]
fn build_requirements_without_an_answer_are_told() {
    let mut catalog = FixedCatalog::default();
    add(&mut catalog, "zz-demo", "1.0", &[], &["zz-tool>=2"]);
    add(&mut catalog, "zz-tool", "1.5", &[], &["setuptools"]);
    let error = assembled(&catalog, "zz-demo").unwrap_err();
    assert!(
        matches!(&error, AssembleError::UnsolvableBuild { requirements, .. } if requirements.contains("zz-tool>=2")),
        "{error}"
    );
}

#[test]
fn a_project_is_pinned_once_even_if_a_build_would_take_another_version() {
    let mut catalog = FixedCatalog::default();
    add(&mut catalog, "zz-demo", "1.0", &["zz-shared"], &["zz-tool"]);
    add(&mut catalog, "zz-shared", "2.0", &[], &["setuptools"]);
    add(
        &mut catalog,
        "zz-tool",
        "1.0",
        &["zz-shared>=1"],
        &["setuptools"],
    );
    let assembly = assembled(&catalog, "zz-demo").unwrap();
    let shared = assembly
        .plan
        .steps
        .iter()
        .filter(|s| s.name.as_ref() == "zz-shared");
    assert_eq!(shared.count(), 1);
}

/// The sdist of a release requires these instead of what its metadata says.
fn source_requires(catalog: &mut FixedCatalog, file: &str, needs: &[&str]) {
    let facts = catalog.facts.get_mut(file).unwrap();
    Arc::get_mut(facts).unwrap().requires_dist = Some(needs.iter().map(|n| (*n).into()).collect());
}

#[test]
fn what_the_sdist_requires_counts_where_nix_builds_from_it() {
    let mut catalog = FixedCatalog::default();
    add(
        &mut catalog,
        "zz-demo",
        "1.0",
        &["zz-wheel"],
        &["setuptools"],
    );
    add(&mut catalog, "zz-wheel", "1.0", &[], &["setuptools"]);
    add(&mut catalog, "zz-source", "1.0", &[], &["setuptools"]);
    source_requires(&mut catalog, "zz-demo-1.0.tar.gz", &["zz-source>=1"]);
    let assembly = assembled(&catalog, "zz-demo").unwrap();
    let pins: Vec<_> = assembly.resolution.pins.iter().collect();
    let names: Vec<_> = pins.iter().map(|pin| pin.name.as_ref()).collect();
    assert_eq!(names, ["zz-demo", "zz-source"]);
    assert_eq!(pins[0].needs[0].to.as_ref(), "zz-source");
    assert_eq!(assembly.warnings.len(), 1, "{:?}", assembly.warnings);
    assert!(assembly.warnings[0].contains("the sdist's count"));
}

#[test]
fn what_the_user_states_counts_before_the_sdist() {
    let mut catalog = FixedCatalog::default();
    add(
        &mut catalog,
        "zz-demo",
        "1.0",
        &["zz-wheel"],
        &["setuptools"],
    );
    add(&mut catalog, "zz-wheel", "1.0", &[], &["setuptools"]);
    source_requires(&mut catalog, "zz-demo-1.0.tar.gz", &["zz-source>=1"]);
    let stated = BTreeSet::from([(name("zz-demo"), Version::from_str("1.0").unwrap())]);
    let question = Question {
        input: &input("zz-demo"),
        nixpkgs: &snapshot::read("3.13").unwrap(),
        policy: &plan::Policy::default(),
        stated: &stated,
        approved: &Approved::default(),
        for_builds: &[],
    };
    let assembly = assemble(&catalog, &question, &Silent).unwrap();
    assert_eq!(assembly.resolution.pins[1].name.as_ref(), "zz-wheel");
    assert_eq!(assembly.warnings, [] as [String; 0]);
}

#[test]
fn an_sdist_that_cannot_be_satisfied_is_named() {
    let mut catalog = FixedCatalog::default();
    add(&mut catalog, "zz-demo", "1.0", &[], &["setuptools"]);
    add(&mut catalog, "zz-source", "1.0", &[], &["setuptools"]);
    source_requires(&mut catalog, "zz-demo-1.0.tar.gz", &["zz-source>=2"]);
    let Err(AssembleError::Unsolvable(explanation)) = assembled(&catalog, "zz-demo") else {
        panic!("there is no zz-source 2");
    };
    let hints = explanation.hints.join("\n");
    assert!(
        hints.contains("zz-demo 1.0: wheel and sdist disagree"),
        "{hints}"
    );
}

/// nixpkgs builds `zz-kept` with its own backend, which the newest plugin would change for everyone.
#[test]
fn builds_take_what_changes_nothing_that_nixpkgs_builds_with() {
    use crate::nixpkgs::facts::{AttributeFacts, Need};
    use crate::nixpkgs::{Attribute, Nixpkgs};
    let mut catalog = FixedCatalog::default();
    let needs: &[&str] = &["zz-kept"];
    add(
        &mut catalog,
        "zz-demo",
        "1.0",
        needs,
        &["setuptools", "zz-plugin"],
    );
    add(&mut catalog, "zz-kept", "1.0", &[], &["zz-backend"]);
    for (project, needs) in [
        ("zz-backend", [&[][..], &[]]),
        ("zz-plugin", [&["zz-backend"], &["zz-backend>=2"]]),
    ] {
        let mut releases = Vec::new();
        for (version, needs) in ["1.0", "2.0"].into_iter().zip(needs) {
            add(&mut catalog, project, version, needs, &["setuptools"]);
            let page = &catalog.pages[&name(project)];
            let number = Version::from_str(version).unwrap();
            releases.push(page.release(&number).unwrap().as_ref().clone());
        }
        let page = Page::new(name(project), None, releases);
        catalog.pages.insert(name(project), Arc::new(page));
    }
    let attribute = |attr: &str, version: &str, builds: &[&str]| Attribute {
        attr: attr.to_owned(),
        project: name(attr),
        version: Version::from_str(version).unwrap(),
        primary: true,
        facts: AttributeFacts {
            dependencies: Some(Vec::new()),
            build_system: Some(builds.iter().map(|b| Need::new(b)).collect()),
            ..AttributeFacts::default()
        }
        .into(),
    };
    let attributes = vec![
        attribute("setuptools", "80.0", &[]),
        attribute("zz-backend", "1.0", &["setuptools"]),
        attribute("zz-kept", "1.0", &["zz-backend"]),
    ];
    let nixpkgs = Nixpkgs::new("a tree".to_owned(), String::new(), attributes);
    let assembled = |catalog: &FixedCatalog| {
        let question = Question {
            input: &input("zz-demo"),
            nixpkgs: &nixpkgs,
            policy: &plan::Policy::default(),
            stated: &BTreeSet::new(),
            approved: &Approved::default(),
            for_builds: &[],
        };
        assemble(catalog, &question, &Silent).unwrap().plan
    };
    let steps = |plan: &Plan| -> Vec<String> {
        let steps = plan.steps.iter();
        let text =
            |s: &plan::Step| format!("{} {} {:?} {}", s.name, s.version, s.action, s.rebuilt);
        steps.map(text).collect()
    };
    assert_eq!(
        steps(&assembled(&catalog)),
        [
            "zz-demo 1.0 New false",
            "zz-kept 1.0 Reuse false",
            "zz-backend 1.0 Reuse false",
            "zz-plugin 1.0 New false",
        ]
    );
    // Where it must be the newest, the backend stands beside nixpkgs' own, for those builds.
    let facts = catalog.facts.get_mut("zz-demo-1.0.tar.gz").unwrap();
    let builds = ["setuptools", "zz-plugin>=2"].map(str::to_owned);
    Arc::get_mut(facts).unwrap().build_requires = builds.to_vec();
    let plan = assembled(&catalog);
    assert_eq!(
        steps(&plan)[2..],
        ["zz-backend 2.0 Override false", "zz-plugin 2.0 New false"]
    );
    let entries: Vec<_> = plan.entries.iter().map(|e| e.attr.as_str()).collect();
    assert_eq!(entries, ["zz-backend_2_0", "zz-demo", "zz-plugin"]);
}

/// A tool with several releases, of which the newest is read from a source in Rust if so wanted.
fn add_tool(catalog: &mut FixedCatalog, tool: &str, versions: &[&str], rust: bool) {
    let mut releases = Vec::new();
    for version in versions {
        add(catalog, tool, version, &[], &["setuptools"]);
        let number = Version::from_str(version).unwrap();
        let page = Arc::clone(&catalog.pages[&name(tool)]);
        releases.extend(page.release(&number).map(|release| (*release).clone()));
        let facts = catalog
            .facts
            .get_mut(&format!("{tool}-{version}.tar.gz"))
            .unwrap();
        Arc::get_mut(facts).unwrap().cargo = rust.then(Default::default);
    }
    let page = Page::new(name(tool), None, releases);
    catalog.pages.insert(name(tool), Arc::new(page));
}

fn entries(assembly: &Assembly) -> Vec<&str> {
    let entries = assembly.plan.entries.iter();
    entries.map(|entry| entry.attr.as_str()).collect()
}

#[test]
fn builds_that_want_different_versions_of_a_tool_take_nixpkgs_own() {
    let mut catalog = FixedCatalog::default();
    add(&mut catalog, "zz-leaf", "1.0", &[], &["hatch-vcs>=90,<91"]);
    add_tool(&mut catalog, "hatch-vcs", &["90.1", "92.1"], false);
    add(
        &mut catalog,
        "zz-demo",
        "1.0",
        &["zz-leaf"],
        &["hatch-vcs>=92"],
    );
    let assembly = assembled(&catalog, "zz-demo").unwrap();
    assert_eq!(entries(&assembly), ["zz-demo", "zz-leaf"]);
}

#[test]
fn a_tool_in_rust_is_not_built_for_a_range() {
    for (rust, own) in [(true, false), (false, true)] {
        let mut catalog = FixedCatalog::default();
        add(&mut catalog, "zz-demo", "1.0", &[], &["uv-build>=90,<91"]);
        add_tool(&mut catalog, "uv-build", &["90.1"], rust);
        let assembly = assembled(&catalog, "zz-demo").unwrap();
        let has = entries(&assembly).contains(&"uv-build_90_1");
        assert_eq!(has, own, "{:?}", entries(&assembly));
    }
}
