//! Locks and other nixpkgs than the one that they were made with: `check --against`, and what `check`
//! says of a nixpkgs that has moved.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::workshop::{Workshop, stderr};

const MODULES: &str = "pkgs/development/python-modules";

/// A lock with an entry that nixpkgs lacks, an override of `plain`, and `recursive` as it is, made with
/// the tree in `one`.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.publish(&[
        ("plain", "1.2.3", ""),
        ("plain", "1.3", ""),
        ("recursive", "0.3", "plain"),
        ("zz-new", "1.0", "recursive>=0.2"),
    ]);
    workshop.write("requirements.txt", "zz-new\nplain>=1.3\n");
    tree(&workshop, "one", &[]);
    workshop.locked(&["requirements.txt", "--nixpkgs", "one"]);
    workshop
}

/// A tree in which texts of files are others.
fn tree(workshop: &Workshop, name: &str, changes: &[(&str, &str, &str)]) {
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/checkout");
    crate::contribute::copy(&from, &workshop.path(name));
    for (file, old, new) in changes {
        let path = workshop.path(name).join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }
}

fn check(workshop: &Workshop, arguments: &[&str], exit: i32) -> String {
    let all = [&["check", "requirements.txt"], arguments].concat();
    let output = workshop.run(&all);
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{told}{}",
        stderr(&output)
    );
    told
}

#[test]
fn a_lock_is_proved_on_several_nixpkgs() {
    let workshop = workshop();
    let plain = format!("{MODULES}/plain/default.nix");
    let recursive = format!("{MODULES}/recursive/default.nix");
    tree(&workshop, "newer", &[(&plain, "1.2.3", "1.4")]);
    let attribute = "recursive = callPackage ../development/python-modules/recursive { };";
    let flit = "flit-core = callPackage ../development/python-modules/flit-core { };";
    tree(
        &workshop,
        "older",
        &[
            (&recursive, "0.3", "0.1"),
            ("pkgs/top-level/python-packages.nix", flit, ""),
        ],
    );
    tree(
        &workshop,
        "without",
        &[("pkgs/top-level/python-packages.nix", attribute, "")],
    );
    let own = ["--nixpkgs", "one"];
    let told = check(&workshop, &[&own[..], &["--against", "one"]].concat(), 0);
    assert!(
        told.starts_with("against nixpkgs 26.05, from one: good: 1 from nixpkgs, 2 of its own\n"),
        "{told}"
    );
    let all = [
        "--against",
        "one",
        "--against",
        "newer",
        "--against",
        "older",
        "--against",
        "without",
    ];
    let told = check(&workshop, &[&own[..], &all].concat(), 1);
    for line in [
        "superseded  pylock.toml: with newer: the override plain 1.3 is not needed: nixpkgs has 1.4, which will do\n",
        "broken  pylock.toml: with older: recursive is 0.1, and zz-new 1.0 needs `recursive>=0.2`\n",
        "broken  dependencies.nix: with older: flit-core is not there, and the file names it\n",
        "broken  pylock.toml: with without: recursive 0.3 is taken from recursive, which is not there\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    let json = check(&workshop, &[&own[..], &all, &["--json"]].concat(), 1);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["good"], false);
    assert_eq!(json["findings"].as_array().unwrap().len(), 0);
    let good: Vec<_> = json["against"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["good"].clone())
        .collect();
    assert_eq!(good, [true, false, false, false]);
    assert_eq!(json["against"][1]["findings"][0]["kind"], "superseded");
    let github = check(
        &workshop,
        &[&own[..], &all, &["--annotate", "github"]].concat(),
        1,
    );
    assert!(
        github.contains(
            "::warning file=pylock.toml,title=pyresolve%3A superseded::with newer: the override"
        ),
        "{github}"
    );
    assert!(
        github.contains("::error file=pylock.toml,title=pyresolve%3A broken::with older"),
        "{github}"
    );
}

#[test]
fn files_of_single_packages_are_looked_at_too() {
    let workshop = workshop();
    workshop.locked(&[
        "requirements.txt",
        "--nixpkgs",
        "one",
        "--format",
        "packages-dir",
    ]);
    let flit = "flit-core = callPackage ../development/python-modules/flit-core { };";
    tree(
        &workshop,
        "older",
        &[("pkgs/top-level/python-packages.nix", flit, "")],
    );
    let told = check(&workshop, &["--nixpkgs", "one", "--against", "older"], 1);
    assert!(
        told.contains("broken  dependencies/zz-new.nix: with older: flit-core is not there"),
        "{told}"
    );
}

#[test]
fn a_nixpkgs_that_is_not_there_is_misuse() {
    let workshop = workshop();
    let output = workshop.run(&[
        "check",
        "requirements.txt",
        "--nixpkgs",
        "one",
        "--against",
        "nowhere",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nowhere"), "{}", stderr(&output));
}

#[test]
fn a_nixpkgs_that_moved_is_a_finding_of_its_own() {
    let workshop = workshop();
    // Which patch release of Python counts would be nixpkgs' too.
    let python = ["--python", "3.13.12"];
    let locked = ["requirements.txt", "--nixpkgs", "one"];
    workshop.locked(&[&locked[..], &python].concat());
    let check = |workshop: &Workshop, arguments: &[&str], exit: i32| {
        check(workshop, &[&python[..], arguments].concat(), exit)
    };
    let told = check(&workshop, &["--nixpkgs", "snapshot"], 1);
    assert!(
        told.contains("nixpkgs  pylock.toml: was made with nixpkgs 26.05, and now nixos-unstable "),
        "{told}"
    );
    let json: Value =
        serde_json::from_str(&check(&workshop, &["--nixpkgs", "snapshot", "--json"], 1)).unwrap();
    let mut kinds = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["kind"]);
    assert!(kinds.any(|kind| kind == "nixpkgs"), "{told}");
    // What comes of it is told as well: the snapshot has no such project.
    assert!(
        told.contains("broken   pylock.toml: recursive 0.3: nixpkgs has recursive no more (reuse then, new now)\n"),
        "{told}"
    );
    assert!(told.contains("--- a/dependencies.nix"), "{told}");
    let gitlab = check(
        &workshop,
        &["--nixpkgs", "snapshot", "--annotate", "gitlab"],
        1,
    );
    let gitlab: Value = serde_json::from_str(&gitlab).unwrap();
    for (kind, severity) in [("nixpkgs", "minor"), ("broken", "critical")] {
        let mut all = gitlab.as_array().unwrap().iter();
        let name = format!("pyresolve-{kind}");
        let found = all.find(|f| f["check_name"] == *name).expect(kind);
        assert_eq!(found["severity"], severity);
    }
}
