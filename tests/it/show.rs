//! The commands that show a lock: tree, why, diff, export.

use std::fs;

use serde_json::Value;

use crate::support::workshop::{Workshop, stderr};

/// With a lock of `zz-demo` 1.0 and `zz-leaf` 2.0.
fn locked() -> Workshop {
    let workshop = Workshop::with_demo();
    workshop.locked(&["zz-demo"]);
    workshop
}

fn shown(workshop: &Workshop, arguments: &[&str]) -> String {
    let output = workshop.run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_lock_is_a_tree() {
    let workshop = locked();
    assert_eq!(
        shown(&workshop, &["tree"]),
        "zz-demo 1.0\n└── zz-leaf 2.0\n"
    );
    let json: Value = serde_json::from_str(&shown(&workshop, &["tree", "--json"])).unwrap();
    assert_eq!(json["roots"][0], "zz-demo 1.0");
    assert_eq!(json["pins"][0]["needs"][0], "zz-leaf 2.0");
    assert!(shown(&workshop, &["tree", "--format", "dot"]).contains("n0 -> n1;"));
    assert!(shown(&workshop, &["tree", "--format", "mermaid"]).contains("n0 --> n1"));
}

#[test]
fn why_tells_who_needs_it() {
    let workshop = locked();
    let why = shown(&workshop, &["why", "ZZ_leaf"]);
    assert_eq!(
        why,
        "zz-leaf 2.0\n  a new entry, zz-leaf\n  by way of zz-demo 1.0 → zz-leaf 2.0\n  zz-demo 1.0 needs zz-leaf\n"
    );
    assert_eq!(workshop.run(&["why", "absent"]).status.code(), Some(1));
    assert_eq!(
        workshop
            .run(&["why", "zz-leaf", "--lock", "nowhere"])
            .status
            .code(),
        Some(2)
    );
}

/// The snapshot has aioamqp 0.15.0 and pamqp 3.3.0. An app's newest release wants a newer pamqp.
fn forced() -> Workshop {
    let workshop = Workshop::new();
    workshop.publish(&[
        ("zz-app", "1.0", "pamqp"),
        ("zz-app", "2.0", "pamqp>=4"),
        ("pamqp", "3.3.0", ""),
        ("pamqp", "4.0.0", ""),
        ("aioamqp", "0.15.0", "pamqp"),
    ]);
    workshop
}

#[test]
fn why_ranks_what_could_be_done() {
    let workshop = forced();
    workshop.write("requirements.txt", "zz-app\naioamqp\n");
    workshop.locked(&["requirements.txt", "--prefer", "latest"]);
    // What is known of the older release comes from the cache.
    let why = shown(&workshop, &["why", "pamqp"]);
    assert!(
        why.contains("nixpkgs has 3.3.0, and zz-app 2.0 needs >=4"),
        "{why}"
    );
    let json: Value = serde_json::from_str(&shown(&workshop, &["why", "pamqp", "--json"])).unwrap();
    let told = &json[0];
    assert_eq!(
        (&told["builds"], &told["action"]),
        (&Value::from(3), &Value::from("override"))
    );
    assert_eq!(told["forces"][0]["by"], "zz-app 2.0");
    let ways = told["alternatives"].as_array().unwrap();
    let kinds: Vec<_> = ways
        .iter()
        .map(|way| (way["kind"].as_str().unwrap(), way["builds"].as_u64()))
        .collect();
    assert_eq!(
        kinds,
        [("relax", Some(1)), ("now", Some(3)), ("older", None)]
    );
    assert!(
        ways[2]["not_tried"].as_str().unwrap().contains("--offline"),
        "{told}"
    );
    // A lock in which nixpkgs' versions count has asked for it.
    workshop.locked(&["requirements.txt", "--upgrade"]);
    let why = shown(&workshop, &["why", "zz-app"]);
    assert!(
        why.contains("  rather than 2.0: that one needs pamqp>=4, which would rebuild 2\n"),
        "{why}"
    );
    workshop.locked(&["requirements.txt", "--upgrade", "--prefer", "latest"]);
    let why = shown(&workshop, &["why", "pamqp"]);
    let older = "      1  nixpkgs' pamqp 3.3.0, with zz-app 1.0 rather than 2.0\n";
    assert!(why.contains(older), "{why}");
    let why = shown(&workshop, &["why", "aioamqp"]);
    assert!(why.contains("  built again because of pamqp\n"), "{why}");
}

#[test]
fn a_passed_over_release_stays_passed_over() {
    let workshop = forced();
    workshop.write("requirements.txt", "zz-app\naioamqp\n");
    workshop.locked(&["requirements.txt"]);
    let first = workshop.read("pylock.toml");
    assert!(
        first.contains("rather-than = \"2.0\"\nbecause = \"that one needs pamqp>=4"),
        "{first}"
    );
    let output = workshop.lock(&["requirements.txt"]);
    assert_eq!(workshop.read("pylock.toml"), first);
    assert!(
        stderr(&output).contains("rather than 2.0"),
        "{}",
        stderr(&output)
    );
    let check = workshop.run(&["check", "requirements.txt"]);
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    // The user may insist.
    workshop.write("requirements.txt", "zz-app>=2\naioamqp\n");
    workshop.locked(&["requirements.txt"]);
    assert!(!workshop.read("pylock.toml").contains("rather-than"));
}

#[test]
fn why_tells_another_nixpkgs() {
    let workshop = locked();
    let why = shown(&workshop, &["why", "zz-leaf", "--nixpkgs", "none"]);
    assert!(
        why.contains(
            "the lock was made with another nixpkgs: nixos-unstable of 2026-05-03 then, none now"
        ),
        "{why}"
    );
}

#[test]
fn differences_are_an_exit_code() {
    let workshop = locked();
    fs::copy(workshop.path("pylock.toml"), workshop.path("old.toml")).unwrap();
    assert_eq!(shown(&workshop, &["diff", "old.toml", "pylock.toml"]), "");
    workshop.publish_leaf("3.0");
    workshop.locked(&["zz-demo", "--upgrade", "--refresh"]);
    let output = workshop.run(&["diff", "old.toml", "pylock.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "~ zz-leaf 2.0 → 3.0 (new)\n"
    );
}

#[test]
fn a_lock_is_exported_with_its_hashes() {
    let workshop = locked();
    let text = shown(&workshop, &["export"]);
    assert!(
        text.contains("zz-demo==1.0 \\\n    --hash=sha256:"),
        "{text}"
    );
    assert_eq!(text.matches("--hash").count(), 4);
}

/// The limits of a constraints file are part of the lock's question.
#[test]
fn why_knows_the_constraints_of_files() {
    let workshop = forced();
    workshop.write("requirements.txt", "zz-app\naioamqp\n");
    workshop.write("limits.txt", "zz-app<2\npamqp<5\n");
    workshop.write("instead.txt", "pamqp>=4\n");
    let with = ["--constraint", "limits.txt", "--override", "instead.txt"];
    workshop.locked(&[&["requirements.txt", "--prefer", "latest"], &with[..]].concat());
    let lock = workshop.read("pylock.toml");
    assert!(
        lock.contains("constraints = [\n    \"pamqp<5\",\n    \"zz-app<2\",\n]\n"),
        "{lock}"
    );
    assert!(lock.contains("overrides = [\"pamqp>=4\"]\n"), "{lock}");
    let why = shown(&workshop, &["why", "pamqp"]);
    assert!(!why.contains("another answer"), "{why}");
    assert!(why.contains("what could be done"), "{why}");
}
