use std::path::PathBuf;
use std::str::FromStr as _;

use super::*;
use crate::nixpkgs::facts::{Kind, Names, Need, Patch};
use crate::nixpkgs::snapshot;
use crate::python::PackageName;

fn tree() -> Checkout {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/checkout");
    Checkout::open(&root).unwrap()
}

fn contents() -> Contents {
    tree().read("3.13.5").unwrap()
}

fn names(needs: Option<&Vec<Need>>) -> Vec<&str> {
    let needs = needs.expect("the needs are known");
    needs.iter().map(|need| need.attr.as_str()).collect()
}

#[test]
fn every_form_of_a_recipe_is_read() {
    let contents = contents();
    let of = |name: &str| &contents.packages[name];
    for (name, version, dependencies) in [
        ("plain", "1.2.3", vec![]),
        ("recursive", "0.3", vec!["plain"]),
        ("final-attrs", "4.0.0rc1", vec!["plain"]),
        ("by-let", "3.2.1", vec![]),
        ("old-style", "1.4", vec!["plain"]),
        ("inline", "0.9", vec!["plain"]),
        ("plain-next", "2.0", vec!["old-style"]),
        ("duo_5", "5.2.12", vec!["plain"]),
        ("duo_6", "6.0.3", vec!["plain"]),
        ("native", "0.7", vec![]),
        ("native-full", "0.7", vec!["plain"]),
        ("sharded", "7.0", vec!["plain"]),
        ("2to3", "1.0", vec![]),
    ] {
        assert_eq!(of(name).version, version, "{name}");
        assert_eq!(
            names(of(name).dependencies.as_ref()),
            dependencies,
            "{name}"
        );
        assert!(
            of(name).unknown.is_empty(),
            "{name}: {:?}",
            of(name).unknown
        );
    }
    assert_eq!(of("duo").alias_of.as_deref(), Some("duo_5"));
    assert_eq!(of("duo").version, "5.2.12");
    assert_eq!(of("application").kind, Kind::Application);
    assert_eq!(of("xmlkit").kind, Kind::Foreign);
    assert_eq!(of("plain").format, "pyproject");
    assert_eq!(of("native").format, "setuptools");
    assert_eq!(
        of("plain").file,
        "pkgs/development/python-modules/plain/default.nix"
    );
    assert_eq!(
        names(of("final-attrs").build_system.as_ref()),
        ["flit-core"]
    );
    let optional = of("final-attrs").optional.as_ref().unwrap();
    assert_eq!(names(optional.get("all")), ["old-style"]);
}

#[test]
fn what_an_override_must_look_at_is_read() {
    let contents = contents();
    let patched = &contents.packages["patched"];
    let source = patched.source.as_ref().unwrap();
    assert_eq!(source.fetcher, "fetchFromGitHub");
    assert_eq!(source.arguments["rev"], "refs/tags/2.5");
    assert_eq!(patched.source_root.as_deref(), Some("source/python"));
    assert_eq!(
        patched.patches.as_deref().unwrap(),
        [
            Patch::File("pkgs/development/python-modules/patched/no-network.patch".to_owned()),
            Patch::Fetched("https://example.org/fix.patch".to_owned()),
        ]
    );
    let script = &patched.phases["postPatch"];
    assert!(script.exact);
    assert_eq!(
        script.text,
        "substituteInPlace pyproject.toml \\\n  --replace-fail \"plain<1\" \"plain\"\necho 2.5\n"
    );
    assert_eq!(patched.relaxed, Some(Names::Some(vec!["plain".to_owned()])));
    assert_eq!(
        patched.removed,
        Some(Names::Some(vec!["unneeded".to_owned()]))
    );
    assert_eq!(patched.disabled_tests.as_deref().unwrap(), ["test_network"]);
    assert_eq!(
        patched.disabled_test_paths.as_deref().unwrap(),
        ["tests/slow"]
    );
    let needs = patched.dependencies.as_ref().unwrap();
    assert_eq!(needs[1].attr, "final-attrs");
    assert_eq!(needs[1].extras, ["old"]);
    assert!(patched.is_fitted() && !contents.packages["plain"].is_fitted());
    assert_eq!(contents.packages["plain"].relaxed, Some(Names::All));
    let rust = &contents.packages["rust"];
    assert_eq!(rust.cargo_deps.as_deref(), Some("fetchCargoVendor"));
    assert_eq!(rust.source.as_ref().unwrap().arguments["version"], "0.10");
    assert_eq!(contents.packages["old-style"].do_check, Some(false));
}

#[test]
fn conditions_are_decided_for_the_interpreter_and_told_for_systems() {
    let contents = contents();
    let conditional = &contents.packages["conditional"];
    let needs = conditional.dependencies.as_ref().unwrap();
    assert_eq!(
        names(conditional.dependencies.as_ref()),
        ["plain", "old-style", "by-let"]
    );
    assert!(needs[0].systems.is_empty());
    assert_eq!(needs[2].systems, ["aarch64-darwin", "x86_64-darwin"]);
    assert_eq!(conditional.do_check, None);
    assert!(conditional.unknown.contains("doCheck"));
    let older = tree().read("3.11").unwrap();
    assert!(names(older.packages["conditional"].dependencies.as_ref()).contains(&"recursive"));
    assert!(!older.packages["not-here"].disabled);
    assert!(older.packages.contains_key("older-only"));
    assert!(contents.packages["not-here"].disabled);
    assert!(contents.others.contains("older-only"));
}

#[test]
fn members_of_the_top_level_are_told_from_members_of_the_set() {
    let contents = contents();
    let inputs = |name: &str| {
        let needs = contents.packages[name].inputs.as_ref().unwrap();
        needs
            .iter()
            .map(|n| (n.attr.as_str(), n.top_level))
            .collect::<Vec<_>>()
    };
    assert_eq!(inputs("native"), [("zlib", true)]);
    assert_eq!(inputs("zlib"), [("zlib", true)]);
    let hooks = contents.packages["rust"].native_inputs.as_ref().unwrap();
    assert!(hooks.iter().all(|hook| hook.top_level));
}

#[test]
fn what_is_broken_is_unknown_alone() {
    let contents = contents();
    let unknown: Vec<&str> = contents.unknown.keys().map(String::as_str).collect();
    assert_eq!(unknown, ["broken-syntax", "deep", "missing-file"]);
    assert!(contents.unknown["broken-syntax"].contains("line 5"));
    assert!(contents.others.contains("gone") && contents.others.contains("bootstrap"));
    let aborting = &contents.packages["aborting"];
    assert!(aborting.version.is_empty() && aborting.unknown.contains("version"));
    assert!(contents.packages["broken-mark"].broken);
    assert_eq!(contents.aliases["Plain"].as_deref(), Some("plain"));
    assert_eq!(contents.aliases["ancient"], None);
}

#[test]
fn attributes_are_found_by_their_projects() {
    let identity = tree().identity().unwrap();
    let known = snapshot::read("3.13");
    let nixpkgs = nixpkgs(contents(), &identity, known.as_ref());
    let attributes = |name: &str| {
        let found = nixpkgs.attributes(&PackageName::from_str(name).unwrap());
        found
            .iter()
            .map(|a| (a.attr.as_str(), a.version.to_string(), a.primary))
            .collect::<Vec<_>>()
    };
    assert_eq!(nixpkgs.channel, "nixpkgs 26.05");
    assert_eq!(
        attributes("duo"),
        [
            ("duo", "5.2.12".to_owned(), true),
            ("duo_6", "6.0.3".to_owned(), false),
            ("duo_5", "5.2.12".to_owned(), false)
        ]
    );
    assert_eq!(
        attributes("Old.Style"),
        [("old-style", "1.4".to_owned(), true)]
    );
    assert_eq!(
        attributes("snapshot-of"),
        [("snapshot-of", "1.5".to_owned(), true)]
    );
    for absent in [
        "broken-mark",
        "not-here",
        "application",
        "aborting",
        "deep",
        "gone",
        "ancient",
    ] {
        assert!(attributes(absent).is_empty(), "{absent}");
        assert!(
            nixpkgs.project_of(absent).is_some(),
            "the name `{absent}` is taken"
        );
    }
    let plain = nixpkgs.attribute("plain").unwrap();
    assert!(plain.facts.is_some());
}

#[test]
fn identities_change_with_the_files_and_only_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("pkgs/top-level/python-packages.nix");
    std::fs::create_dir_all(list.parent().unwrap()).unwrap();
    std::fs::write(&list, "self: super: with self; { }").unwrap();
    let modules = folder.path().join("pkgs/development/python-modules/a");
    std::fs::create_dir_all(&modules).unwrap();
    let checkout = Checkout::open(folder.path()).unwrap();
    let before = checkout.identity().unwrap();
    assert_eq!(checkout.identity().unwrap(), before);
    std::fs::write(modules.join("default.nix"), "{ }: null").unwrap();
    let after = checkout.identity().unwrap();
    assert_ne!(after.digest, before.digest);
    let git = folder.path().join(".git");
    std::fs::create_dir_all(git.join("refs/heads")).unwrap();
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let revision = "0123456789abcdef0123456789abcdef01234567";
    std::fs::write(git.join("refs/heads/main"), format!("{revision}\n")).unwrap();
    assert_eq!(
        checkout.identity().unwrap().revision.as_deref(),
        Some(revision)
    );
}

#[test]
fn what_is_no_nixpkgs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Checkout::open(folder.path()),
        Err(CheckoutError::NotNixpkgs(_))
    ));
    let list = folder.path().join("pkgs/top-level/python-packages.nix");
    std::fs::create_dir_all(list.parent().unwrap()).unwrap();
    for text in ["1", "self: super: {", "self: super: import ./other.nix", ""] {
        std::fs::write(&list, text).unwrap();
        let checkout = Checkout::open(folder.path()).unwrap();
        assert!(matches!(
            checkout.read("3.13"),
            Err(CheckoutError::List { .. })
        ));
    }
}
