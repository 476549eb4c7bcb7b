use std::sync::Arc;

use super::*;
use crate::assemble::{Approved, choose};
use crate::event::Silent;
use crate::index::fixed::FixedCatalog;
use crate::index::{Distribution, Page};
use crate::nixpkgs::facts::Need;
use crate::nixpkgs::{Attribute, Nixpkgs};
use crate::python::{About, Filename, Metadata, Sha256, System, Targets};

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn version(text: &str) -> Version {
    Version::from_str(text).unwrap()
}

/// A universe, a line for each release: `kombu 5.5 2025-01-01: vine>=5, amqp`; the day is when it was
/// uploaded, if that is known.
fn universe(lines: &str) -> FixedCatalog {
    let mut catalog = FixedCatalog::default();
    let mut pages: BTreeMap<PackageName, Vec<Release>> = BTreeMap::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (release, needs) = line.split_once(':').unwrap_or((line, ""));
        let mut words = release.split_whitespace();
        let (project, number) = (name(words.next().unwrap()), words.next().unwrap());
        let uploaded = words.next().map(|day| {
            let text = format!("{day}T00:00:00Z");
            crate::index::Timestamp::parse(&text).unwrap()
        });
        let file = format!("{project}-{number}.tar.gz");
        let (filename, number) = Filename::parse(&file, &project).unwrap();
        let url = url::Url::parse(&format!("https://files.test/{file}")).unwrap();
        let sdist = Distribution {
            filename,
            url: url.into(),
            sha256: Some(Sha256::of(file.as_bytes())),
            size: None,
            requires_python: None,
            uploaded,
            yanked: None,
            has_metadata: false,
            metadata_sha256: None,
            file,
        };
        let needs = needs.split(", ").filter(|need| !need.trim().is_empty());
        let metadata = Metadata {
            name: project.clone(),
            version: number.to_string(),
            requires_dist: needs
                .map(|n| Requirement::parse(n.trim()).unwrap())
                .collect(),
            spellings: Vec::new(),
            requires_python: None,
            provides_extra: Vec::new(),
            about: About::default(),
            repairs: Vec::new(),
        };
        let key = (project.clone(), number.clone());
        catalog.metadata.insert(key, Arc::new(metadata));
        pages.entry(project).or_default().push(Release {
            tree: None,
            version: number,
            wheels: Vec::new(),
            sdist: Some(sdist),
        });
    }
    for (project, releases) in pages {
        let page = Page::new(project.clone(), None, releases);
        catalog.pages.insert(project, Arc::new(page));
    }
    catalog
}

/// `kombu 5.5, vine_4=vine 4.0`: what nixpkgs has, and under which attributes where these are not called
/// like the project.
fn nixpkgs(text: &str) -> Nixpkgs {
    let attribute = |text: &str| {
        let (called, number) = text.trim().split_once(' ').unwrap();
        let (attr, project) = called.split_once('=').unwrap_or((called, called));
        Attribute {
            attr: attr.to_owned(),
            project: name(project),
            version: version(number),
            primary: attr == project,
            facts: Default::default(),
        }
    };
    let attributes = text.split(',').map(attribute).collect();
    Nixpkgs::new("test".to_owned(), "2026-01-01".to_owned(), attributes)
}

struct Asked {
    catalog: FixedCatalog,
    nixpkgs: Arc<Nixpkgs>,
    input: Input,
}

fn asked(lines: &str, has: &str, requirements: &[&str]) -> Asked {
    let nixpkgs = Arc::new(nixpkgs(has));
    let targets = Targets::new(version("3.13.5"), &System::DEFAULT);
    let mut input = Input::new(targets);
    let read = |text: &&str| Requirement::parse(text).unwrap();
    input.requirements = requirements.iter().map(read).collect();
    input.preferences.nixpkgs = Arc::clone(&nixpkgs);
    Asked {
        catalog: universe(lines),
        nixpkgs,
        input,
    }
}

impl Asked {
    /// The pins, and what is said of those that are older.
    fn chosen(&self) -> (Vec<String>, Vec<String>) {
        let policy = plan::Policy {
            keep: self.input.policy.prefer == Prefer::Nixpkgs,
            ..plan::Policy::default()
        };
        let question = Question {
            input: &self.input,
            nixpkgs: &self.nixpkgs,
            policy: &policy,
            stated: &BTreeSet::new(),
            approved: &Approved::default(),
            for_builds: &[],
        };
        let (resolution, older) = choose(&self.catalog, &question, &Silent).unwrap();
        let pins = resolution.pins.iter();
        let pins = pins.map(|pin| format!("{} {}", pin.name, pin.version));
        let older = older.iter().map(|(name, older)| {
            format!(
                "{name} {} rather than {}: {}",
                older.version, older.rather_than, older.because
            )
        });
        (pins.collect(), older.collect())
    }

    fn pins(&self) -> Vec<String> {
        self.chosen().0
    }

    /// What the answer costs.
    fn weight(&self) -> Weight {
        let policy = plan::Policy {
            keep: true,
            ..plan::Policy::default()
        };
        let question = Question {
            input: &self.input,
            nixpkgs: &self.nixpkgs,
            policy: &policy,
            stated: &BTreeSet::new(),
            approved: &Approved::default(),
            for_builds: &[],
        };
        let (resolution, _) = choose(&self.catalog, &question, &Silent).unwrap();
        weigh(&self.catalog, &question, &resolution)
    }
}

const CELERY: &str = "
    celery 5.4: kombu>=5.4
    celery 5.5: kombu>=5.5
    celery 5.6: kombu>=5.6
    kombu 5.5: vine
    kombu 5.6: vine
    vine 5.1
    flower 2.0: kombu
    spare 1.0: flower
";
const HAS: &str = "kombu 5.5, vine 5.1, flower 2.0, spare 1.0";

#[test]
fn an_older_release_of_a_dependent_keeps_what_much_depends_on() {
    let asked = asked(CELERY, HAS, &["celery", "spare"]);
    let (pins, older) = asked.chosen();
    assert_eq!(
        pins,
        [
            "celery 5.5",
            "flower 2.0",
            "kombu 5.5",
            "spare 1.0",
            "vine 5.1"
        ]
    );
    assert_eq!(
        older,
        ["celery 5.5 rather than 5.6: that one needs kombu>=5.6, which would rebuild 3"]
    );
}

#[test]
fn the_newest_is_taken_where_that_is_preferred_or_required() {
    let mut latest = asked(CELERY, HAS, &["celery", "spare"]);
    latest.input.policy.prefer = Prefer::Latest;
    latest.input.preferences.nixpkgs = Arc::default();
    assert_eq!(latest.pins()[0], "celery 5.6");
    let required = asked(CELERY, HAS, &["celery>=5.6", "spare"]);
    let (pins, older) = required.chosen();
    assert_eq!((pins[0].as_str(), older.len()), ("celery 5.6", 0));
    let required = asked(CELERY, HAS, &["celery", "kombu>=5.6"]);
    assert_eq!(required.pins(), ["celery 5.6", "kombu 5.6", "vine 5.1"]);
}

#[test]
fn the_pins_of_a_lock_stay() {
    let mut asked = asked(CELERY, HAS, &["celery", "spare"]);
    let locked = &mut asked.input.preferences.locked;
    locked.insert(name("celery"), vec![version("5.6")]);
    locked.insert(name("kombu"), vec![version("5.6")]);
    assert_eq!(asked.pins()[0], "celery 5.6");
    // A pin that fell for the sake of nixpkgs' versions does too.
    let locked = &mut asked.input.preferences.locked;
    locked.clear();
    locked.insert(name("celery"), vec![version("5.6")]);
    assert_eq!(asked.pins()[0], "celery 5.6");
}

#[test]
fn what_would_build_more_in_all_is_not_taken() {
    let lines = "
        app 1: old, older, oldest, base
        app 2: base>=2
        base 1
        base 2
        old 1
        older 1
        oldest 1
    ";
    // Holding base means three entries more.
    assert_eq!(asked(lines, "base 1", &["app"]).pins(), ["app 2", "base 2"]);
    let three = asked(lines, "base 1, old 1, older 1, oldest 1", &["app"]);
    assert_eq!(three.pins()[0], "app 1");
}

#[test]
fn several_attributes_are_held_at_once() {
    let lines = "
        app 1
        app 2: one>=2
        app 3: one>=2, two>=2
        tool 1
        tool 2: two>=2
        one 1
        one 2
        two 1
        two 2
    ";
    let asked = asked(lines, "one 1, two 1", &["app", "tool"]);
    let (pins, older) = asked.chosen();
    assert_eq!(pins, ["app 1", "tool 1"]);
    assert_eq!(
        older,
        [
            "app 1 rather than 3: that one needs one>=2, which would rebuild 1",
            "tool 1 rather than 2: that one needs two>=2, which would rebuild 1"
        ]
    );
}

#[test]
fn releases_of_long_ago_are_no_way_out() {
    let lines =
        |first: &str| format!("app 0.1 {first}\n app 2.0 2026-01-01: base>=2\n base 1\n base 2");
    let pins = |first| asked(&lines(first), "base 1", &["app"]).pins();
    assert_eq!(pins("2019-01-01"), ["app 2.0", "base 2"]);
    assert_eq!(pins("2025-01-01"), ["app 0.1"]);
}

#[test]
fn build_tools_decide_which_release_can_be_taken() {
    let lines = "
        app 1: setuptools
        app 2: setuptools>=90
        setuptools 80
        setuptools 90
    ";
    let (pins, older) = asked(lines, "setuptools 80", &["app"]).chosen();
    assert_eq!(pins, ["app 1", "setuptools 80"]);
    assert_eq!(
        older,
        [
            "app 1 rather than 2: that one needs setuptools>=90, and nixpkgs builds everything with setuptools 80"
        ]
    );
}

#[test]
fn what_follows_from_it_is_told_too() {
    let lines = "
        suite 1: app
        suite 2: app>=2
        app 1: base
        app 2: base>=2
        base 1
        base 2
    ";
    let (pins, older) = asked(lines, "base 1", &["suite"]).chosen();
    assert_eq!(pins, ["app 1", "base 1", "suite 1"]);
    assert_eq!(
        older,
        [
            "app 1 rather than 2: that one needs base>=2, which would rebuild 1",
            "suite 1 rather than 2: it goes with app 1"
        ]
    );
}

#[test]
fn one_that_cannot_be_held_does_not_spoil_the_others() {
    let mut lines = String::new();
    let mut has = Vec::new();
    let mut asks = Vec::new();
    for number in 0..40 {
        lines.push_str(&format!(
            "app{number} 1: base{number}\n app{number} 2: base{number}>=2\n base{number} 1\n base{number} 2\n"
        ));
        has.push(format!("base{number} 1"));
        asks.push(format!("app{number}"));
    }
    // One that cannot be held, so that holding everything at once fails.
    lines.push_str("stuck 2: odd>=2\n odd 1\n odd 2\n");
    has.push("odd 1".to_owned());
    asks.push("stuck".to_owned());
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    let asked = asked(&lines, &has.join(","), &asks);
    let (pins, older) = asked.chosen();
    assert!(pins.contains(&"stuck 2".to_owned()));
    assert_eq!(older.len(), 40);
    assert_eq!(asked.pins(), pins);
}

#[test]
fn what_is_not_worth_it_is_let_go_again() {
    let lines = "
        app 1: base
        app 2: base>=2
        tool 1: tool-a, tool-b
        tool 2: bad>=2
        tool-a 1
        tool-b 1
        base 1
        base 2
        bad 1
        bad 2
        user 1: base
        used 1: base
    ";
    let has = "base 1, bad 1, user 1, used 1";
    let asked = asked(lines, has, &["app", "tool", "user", "used"]);
    let pins = asked.pins();
    assert!(pins.contains(&"app 1".to_owned()), "{pins:?}");
    assert!(pins.contains(&"tool 2".to_owned()), "{pins:?}");
}

#[test]
fn the_search_has_an_end() {
    let mut lines = String::new();
    let mut has = Vec::new();
    let mut asks = Vec::new();
    for number in 0..60 {
        lines.push_str(&format!(
            "app{number} 2: base{number}>=2\n base{number} 1\n base{number} 2\n"
        ));
        has.push(format!("base{number} 1"));
        asks.push(format!("app{number}"));
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    let asked = asked(&lines, &has.join(","), &asks);
    let policy = plan::Policy::default();
    let question = Question {
        input: &asked.input,
        nixpkgs: &asked.nixpkgs,
        policy: &policy,
        stated: &BTreeSet::new(),
        approved: &Approved::default(),
        for_builds: &[],
    };
    let mut choice = Choice::new(&question);
    choice.resolve(&asked.catalog, &Silent, &Silent).unwrap();
    assert_eq!(choice.trials, TRIALS);
    let warning = choice.warning().unwrap();
    assert!(
        warning.contains("base59") && warning.contains("given up"),
        "{warning}"
    );
}

/// Three roots that much depends on. `protobuf` 7 is out of the question, but nixpkgs has 6 under another
/// attribute; the newest grpc would override it.
#[test]
fn another_attribute_of_nixpkgs_is_a_way_too() {
    let lines = "
        grpc 1.0: protobuf>=5,<7
        grpc 2.0: protobuf>=6.5,<7
        protobuf 6.0
        protobuf 6.5
        protobuf 7.0
        tensor 1.0: protobuf
        vision 1.0: tensor
    ";
    let has = "protobuf 7.0, protobuf6=protobuf 6.0, tensor 1.0, vision 1.0";
    let asked = asked(lines, has, &["grpc", "vision"]);
    let (pins, older) = asked.chosen();
    assert_eq!(pins[..2], ["grpc 1.0", "protobuf 6.0"]);
    assert_eq!(
        older,
        ["grpc 1.0 rather than 2.0: that one needs protobuf>=6.5,<7, which would rebuild 3"]
    );
    let weight = asked.weight();
    // grpc itself, and what stands on nixpkgs' protobuf 7: the other attribute is not built
    assert_eq!((weight.builds(), weight.other.len()), (3, 1));
}

/// What nixpkgs builds and tests packages with is a root as well.
#[test]
fn what_builds_nixpkgs_packages_is_not_overridden_for_a_newer_release() {
    let lines = "
        plugin 1.0: backend
        plugin 2.0: backend>=2
        backend 1.0
        backend 2.0
        built 1.0
        too 1.0: built
    ";
    let mut asked = asked(lines, "backend 1.0, built 1.0, too 1.0", &["plugin", "too"]);
    let module = |needs: &[&str], builds: &[&str]| crate::nixpkgs::facts::AttributeFacts {
        dependencies: Some(needs.iter().map(|n| Need::new(n)).collect()),
        build_system: Some(builds.iter().map(|n| Need::new(n)).collect()),
        ..Default::default()
    };
    let attributes = asked.nixpkgs.all().cloned().map(|mut attribute| {
        let facts = match attribute.attr.as_str() {
            "built" => module(&[], &["backend"]),
            "too" => module(&["built"], &[]),
            _ => module(&[], &[]),
        };
        attribute.facts = facts.into();
        attribute
    });
    let tree = Nixpkgs::new("a tree".to_owned(), String::new(), attributes.collect());
    asked.nixpkgs = Arc::new(tree);
    asked.input.preferences.nixpkgs = Arc::clone(&asked.nixpkgs);
    let (pins, older) = asked.chosen();
    assert_eq!(pins[..2], ["backend 1.0", "built 1.0"]);
    assert_eq!(
        older,
        ["plugin 1.0 rather than 2.0: that one needs backend>=2, which would rebuild 3"]
    );
    asked
        .input
        .requirements
        .push(Requirement::parse("plugin>=2").unwrap());
    let weight = asked.weight();
    // plugin, backend, and what is built with it
    assert_eq!((weight.builds(), weight.of(&name("backend"))), (4, 3));
}
