use super::*;
use crate::nixpkgs::facts::{AttributeFacts, Need};
use crate::plan::fixture::Fixture;
use crate::plan::{Action, Plan};

fn module(needs: &[&str]) -> AttributeFacts {
    AttributeFacts {
        dependencies: Some(needs.iter().map(|n| Need::new(n)).collect()),
        build_system: Some(vec![Need::new("setuptools")]),
        ..AttributeFacts::default()
    }
}

/// nixpkgs builds `kept` with foo_2, and `other` with foo.
fn tree(kept: AttributeFacts) -> Fixture {
    Fixture::new().tree(&[
        ("foo", "foo", "1.0", module(&[])),
        ("foo_2", "foo", "2.0", module(&[])),
        ("kept", "kept", "1.0", kept),
        ("other", "other", "1.0", module(&["foo"])),
        ("above", "above", "1.0", module(&["kept"])),
        ("setuptools", "setuptools", "80.0", module(&[])),
    ])
}

fn aliases(plan: &Plan) -> Vec<String> {
    let entries = plan.entries.iter();
    let alias = |entry: &Entry| match &entry.variants[0].definition {
        Definition::Alias(to) => Some(format!("{} = {to}", entry.attr)),
        _ => None,
    };
    entries.filter_map(alias).collect()
}

fn rebuilt(plan: &Plan) -> Vec<&str> {
    let steps = plan.steps.iter().filter(|step| step.rebuilt);
    steps.map(|step| step.name.as_ref()).collect()
}

#[test]
fn attributes_of_one_project_that_meet_become_one() {
    let fixture = tree(module(&["foo_2"])).root("above").root("other");
    let fixture = fixture.pin("above", "1.0", &["kept"]);
    let fixture = fixture.pin("kept", "1.0", &["foo"]);
    let fixture = fixture.pin("other", "1.0", &["foo"]).pin("foo", "1.0", &[]);
    let plan = fixture.plan().unwrap();
    assert_eq!(aliases(&plan), ["foo_2 = foo"]);
    assert_eq!(rebuilt(&plan), ["above", "kept"]);
    let said = plan.warnings.join("\n");
    assert!(
        said.contains(
            "nixpkgs builds kept with foo_2 2.0, which cannot be in one environment with foo 1.0"
        ),
        "{said}"
    );
    assert!(plan.steps.iter().all(|step| step.action == Action::Reuse));
}

#[test]
fn attributes_that_do_not_meet_stay() {
    let fixture = tree(module(&["foo_2"])).root("kept");
    let fixture = fixture.pin("kept", "1.0", &["foo"]).pin("foo", "1.0", &[]);
    let plan = fixture.plan().unwrap();
    assert_eq!(plan.entries, []);
    assert_eq!(rebuilt(&plan), [""; 0]);
}

/// `foo` at version 2 is nixpkgs' foo_2: what nixpkgs builds with that one is not built again.
#[test]
fn the_same_derivation_under_two_names_is_no_conflict() {
    let fixture = tree(module(&["foo_2"])).root("above").root("other");
    let fixture = fixture.pin("above", "1.0", &["kept"]);
    let fixture = fixture.pin("kept", "1.0", &["foo"]);
    let fixture = fixture.pin("other", "1.0", &["foo"]).pin("foo", "2.0", &[]);
    let plan = fixture.plan().unwrap();
    assert_eq!(aliases(&plan), [""; 0]);
    assert_eq!(rebuilt(&plan), ["other"]);
}

/// Variants at the default version are other derivations too.
#[test]
fn variants_become_one_where_they_meet() {
    let fixture = Fixture::new().tree(&[
        ("foo", "foo", "1.0", module(&[])),
        ("foo-full", "foo", "1.0", module(&[])),
        ("kept", "kept", "1.0", module(&["foo-full"])),
        ("setuptools", "setuptools", "80.0", module(&[])),
    ]);
    let fixture = fixture.root("kept").root("foo>=2").root("ours");
    let fixture = fixture.pin("kept", "1.0", &["foo"]).pin("foo", "2.0", &[]);
    let fixture = fixture.pin("ours", "1.0", &["kept"]);
    let plan = fixture.plan().unwrap();
    assert_eq!(aliases(&plan), ["foo-full = foo"]);
    assert_eq!(rebuilt(&plan), ["kept"]);
}

/// nixpkgs builds `kept` with something that its metadata does not name.
#[test]
fn edges_that_only_nixpkgs_has_count() {
    let fixture = Fixture::new().tree(&[
        ("foo", "foo", "1.0", module(&[])),
        ("foo_2", "foo", "2.0", module(&[])),
        ("hidden", "hidden", "1.0", module(&["foo_2"])),
        ("kept", "kept", "1.0", module(&["hidden"])),
        ("other", "other", "1.0", module(&["foo"])),
        ("setuptools", "setuptools", "80.0", module(&[])),
    ]);
    let fixture = fixture.root("kept").root("other");
    let fixture = fixture.pin("kept", "1.0", &[]).pin("other", "1.0", &[]);
    let plan = fixture.plan().unwrap();
    // neither is pinned: the default one is there, and stays
    assert_eq!(aliases(&plan), ["foo_2 = foo"]);
    assert_eq!(rebuilt(&plan), ["kept"]);
}

/// The builds of entries see what they are built with and what they need.
#[test]
fn builds_are_looked_at_too() {
    let fixture = Fixture::new().tree(&[
        ("foo", "foo", "1.0", module(&[])),
        ("foo_2", "foo", "2.0", module(&[])),
        ("plugin", "plugin", "1.0", module(&["foo_2"])),
        ("setuptools", "setuptools", "80.0", module(&[])),
    ]);
    let fixture = fixture.root("ours").pin("ours", "1.0", &["foo"]);
    let fixture = fixture.pin("foo", "1.0", &[]).facts("ours", |facts| {
        facts.build_requires = vec!["plugin".to_owned()];
    });
    let plan = fixture.plan().unwrap();
    assert_eq!(aliases(&plan), ["foo_2 = foo"]);
}

#[test]
fn nobody_replaces_what_nixpkgs_builds_with() {
    let fixture = Fixture::new().tree(&[
        ("setuptools", "setuptools", "80.0", module(&[])),
        ("setuptools_79", "setuptools", "79.0", module(&[])),
        ("kept", "kept", "1.0", module(&["setuptools_79"])),
        ("other", "other", "1.0", module(&["setuptools"])),
    ]);
    let fixture = fixture.root("kept").root("other");
    let fixture = fixture.pin("kept", "1.0", &[]).pin("other", "1.0", &[]);
    let error = fixture.plan().unwrap_err().to_string();
    assert!(
        error.contains("setuptools would be there twice, through other → setuptools"),
        "{error}"
    );
}

/// Extras of nixpkgs' packages bring their own needs.
#[test]
fn extras_that_recipes_name_are_followed() {
    let mut kept = module(&[]);
    kept.dependencies = Some(vec![Need {
        extras: vec!["full".to_owned()],
        ..Need::new("middle")
    }]);
    let mut middle = module(&[]);
    middle.optional = Some([("full".to_owned(), vec![Need::new("foo_2")])].into());
    let fixture = Fixture::new().tree(&[
        ("foo", "foo", "1.0", module(&[])),
        ("foo_2", "foo", "2.0", module(&[])),
        ("kept", "kept", "1.0", kept),
        ("middle", "middle", "1.0", middle),
        ("setuptools", "setuptools", "80.0", module(&[])),
    ]);
    let fixture = fixture.root("kept").root("foo");
    let fixture = fixture
        .pin("kept", "1.0", &["middle"])
        .pin("foo", "1.0", &[]);
    let fixture = fixture.pin("middle", "1.0", &[]);
    assert_eq!(aliases(&fixture.plan().unwrap()), ["foo_2 = foo"]);
}
