//! Locks against a user's own nixpkgs tree: chosen by path, by `NIX_PATH`, from flake.lock, by settings.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

fn tree() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/checkout")
}

/// An index with what the tree packages, and newer releases.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.publish(&[
        ("plain", "1.2.3", ""),
        ("plain", "1.3", ""),
        ("recursive", "0.3", "plain"),
        ("duo", "5.2.12", "plain"),
        ("duo", "6.0.3", "plain"),
        ("zz-new", "1.0", "recursive"),
    ]);
    workshop.write("requirements.txt", "zz-new\nduo>=6\n");
    workshop
}

fn summary(workshop: &Workshop, arguments: &[&str]) -> Value {
    let output = workshop.locked(&[&["requirements.txt", "--json"], arguments].concat());
    serde_json::from_str(&output).unwrap()
}

fn actions(summary: &Value) -> Vec<String> {
    let pins = summary["pins"].as_array().unwrap();
    let word = |pin: &Value, key: &str| pin[key].as_str().unwrap_or("").to_owned();
    pins.iter()
        .map(|pin| {
            format!(
                "{} {} {}",
                word(pin, "name"),
                word(pin, "version"),
                word(pin, "action")
            )
        })
        .filter(|line| !line.starts_with("flit-core"))
        .collect()
}

#[test]
fn a_tree_says_what_is_reused() {
    let workshop = workshop();
    let tree = tree();
    let summary = summary(&workshop, &["--nixpkgs", tree.to_str().unwrap()]);
    assert_eq!(
        actions(&summary),
        [
            "duo 6.0.3 attribute",
            "plain 1.2.3 reuse",
            "recursive 0.3 reuse",
            "zz-new 1.0 new"
        ]
    );
    assert_eq!(summary["nixpkgs"]["channel"], "nixpkgs 26.05");
    let nix = workshop.read("dependencies.nix");
    assert!(nix.contains("duo_5 = prev.duo_6;"), "{nix}");
}

#[test]
fn the_full_version_of_python_is_that_of_the_tree() {
    let workshop = workshop();
    for name in ["zz-old", "zz-young"] {
        let release = Release::new(name, "1.0");
        workshop
            .index
            .publish(release.flit("\"\"\"Something\"\"\""));
    }
    workshop.write(
        "requirements.txt",
        "zz-old; python_full_version < '3.13.97'\nzz-young; python_full_version >= '3.13.97'\n",
    );
    let tree = tree();
    let tree = tree.to_str().unwrap();
    let fitted = summary(&workshop, &["--nixpkgs", tree]);
    assert_eq!(actions(&fitted), ["zz-young 1.0 new"]);
    assert_eq!(fitted["python"], "3.13.97");
    let minor = summary(&workshop, &["--nixpkgs", tree, "--python", "3.13"]);
    assert_eq!(minor["python"], "3.13.97");
    // who says it in full means it
    let full = summary(&workshop, &["--nixpkgs", tree, "--python", "3.13.5"]);
    assert_eq!(actions(&full), ["zz-old 1.0 new"]);
}

#[test]
fn an_override_changes_what_an_alias_stands_for() {
    let workshop = workshop();
    let duo = Release::new("duo", "5.2.99").needs("plain");
    workshop.index.publish(duo.flit("\"\"\"Something\"\"\""));
    workshop.write("requirements.txt", "duo==5.2.99\n");
    let tree = tree();
    let told = summary(&workshop, &["--nixpkgs", tree.to_str().unwrap()]);
    assert!(
        actions(&told).contains(&"duo 5.2.99 override".to_owned()),
        "{told}"
    );
    let nix = workshop.read("dependencies.nix");
    assert!(
        nix.contains("duo_5 = prev.duo_5.overridePythonAttrs"),
        "{nix}"
    );
    assert!(nix.contains("duo_6 = final.duo_5;"), "{nix}");
    assert!(!nix.contains("    duo = "), "{nix}");
}

#[test]
fn settings_and_flake_locks_choose_too_and_the_lock_tells_which() {
    let workshop = workshop();
    let tree = tree();
    workshop.write(
        "pyresolve.toml",
        &format!("nixpkgs = {:?}\n", tree.display().to_string()),
    );
    let chosen = summary(&workshop, &[]);
    assert_eq!(chosen["nixpkgs"]["channel"], "nixpkgs 26.05");
    let snapshot = summary(&workshop, &["--nixpkgs", "snapshot"]);
    assert_eq!(snapshot["nixpkgs"]["channel"], "nixos-unstable");
    workshop.write("pyresolve.toml", "");
    let revision = "0123456789abcdef0123456789abcdef01234567";
    workshop.write(
        "flake.lock",
        &format!(
            r#"{{"nodes": {{"n": {{"locked": {{"type": "path", "path": {:?}, "lastModified": 1777777777, "rev": "{revision}"}}, "original": {{"ref": "nixos-26.05"}}}}, "root": {{"inputs": {{"nixpkgs": "n"}}}}}}, "root": "root", "version": 7}}"#,
            tree.display().to_string()
        ),
    );
    let pinned = summary(&workshop, &[]);
    assert_eq!(pinned["nixpkgs"]["revision"], revision);
    assert_eq!(pinned["nixpkgs"]["date"], "2026-05-03");
    let lock = workshop.read("pylock.toml");
    assert!(
        lock.contains(&format!("revision = \"{revision}\"")),
        "{lock}"
    );
    let told = workshop.lock(&["requirements.txt"]);
    let told = stderr(&told);
    assert!(
        told.contains("nixos-26.05 0123456789ab of 2026-05-03") && told.contains("from flake.lock"),
        "{told}"
    );
}

#[test]
fn what_a_recipe_relaxes_and_removes_is_not_required() {
    let workshop = workshop();
    let patched = Release::new("patched", "2.5")
        .needs("plain<1")
        .needs("unneeded");
    workshop.index.publish(patched.flit("\"\"\"Patched\"\"\""));
    workshop.write("requirements.txt", "patched\n");
    let tree = tree();
    let kept = summary(&workshop, &["--nixpkgs", tree.to_str().unwrap()]);
    assert_eq!(actions(&kept), ["patched 2.5 reuse", "plain 1.2.3 reuse"]);
    // without the recipe the metadata counts as it is
    let refused = workshop.lock(&["requirements.txt", "--nixpkgs", "none"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
}

#[test]
fn what_is_no_nixpkgs_is_refused_before_anything_is_asked() {
    let workshop = workshop();
    for (which, why) in [
        (".", "no nixpkgs"),
        ("no-such-folder", "no-such-folder"),
        ("<nixpkgs>", "leads to no tree"),
        ("flake.lock", "flake.lock"),
        ("channel:../..", "cannot be the name of a channel"),
    ] {
        let output = workshop.lock(&["requirements.txt", "--nixpkgs", which]);
        assert_eq!(output.status.code(), Some(2), "{which}");
        assert!(
            stderr(&output).contains(why),
            "{which}: {}",
            stderr(&output)
        );
    }
    assert_eq!(workshop.files(), ["requirements.txt"]);
}

#[test]
fn what_is_wrong_in_a_flake_lock_is_shown_with_its_line() {
    let workshop = workshop();
    workshop.write("flake.lock", "{\n  \"nodes\": {,\n}\n");
    let output = workshop.lock(&["requirements.txt", "--nixpkgs", "flake.lock"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("flake.lock:2:13"), "{said}");
    assert!(said.contains("\"nodes\": {,"), "{said}");
}
