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
