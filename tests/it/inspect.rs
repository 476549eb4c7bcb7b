//! `pyresolve inspect` as its users run it: exit codes, streams and the shape of its JSON.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};

fn inspect(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("pyresolve").unwrap();
    command.current_dir(folder).arg("inspect").args(arguments);
    command.output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_requirements_file_is_shown_as_json() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("more")).unwrap();
    fs::write(
        folder.path().join("requirements.txt"),
        "-r more/extra.in\nalpha[x]>=1; sys_platform == 'linux'\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("more/extra.in"),
        "beta @ https://host.test/${WHAT}.zip\n-c ../pins.txt\n",
    )
    .unwrap();
    fs::write(folder.path().join("pins.txt"), "gamma==1\n").unwrap();
    let mut command = Command::cargo_bin("pyresolve").unwrap();
    let output = command
        .current_dir(folder.path())
        .env("WHAT", "demo")
        .args(["inspect", "--json", "requirements.txt"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = json_of(&output);
    assert_eq!(
        told["requires_dist"],
        json!([
            "beta @ https://host.test/demo.zip",
            "alpha[x]>=1; sys_platform == 'linux'"
        ])
    );
    assert_eq!(told["constraints"], json!(["gamma==1"]));
    assert_eq!(told["evaluated"], json!("static"));
}

#[test]
fn an_unknown_value_points_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[build-system]\nrequires = [\"zz-builder\"]\nbuild-backend = \"zz.builder\"\n[project]\nname = \"demo\"\ndynamic = [\"version\", \"dependencies\"]\n";
    fs::write(folder.path().join("pyproject.toml"), text).unwrap();
    let output = inspect(folder.path(), &["--json"]);
    assert!(output.status.success(), "{output:?}");
    let told = json_of(&output);
    assert_eq!(told["evaluated"], json!("partial"));
    assert_eq!(told["build_backend"], json!("zz.builder"));
    assert_eq!(told["unknown"][1]["field"], json!("requires_dist"));
    assert_eq!(
        (&told["unknown"][1]["line"], &told["unknown"][1]["column"]),
        (&json!(6), &json!(11))
    );
    assert_eq!(
        told["unknown"][1]["expression"],
        json!("[\"version\", \"dependencies\"]")
    );
    let text = inspect(folder.path(), &[]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("evaluated:        partial"), "{text}");
    assert!(
        text.contains("pyproject.toml:6: `requires_dist` cannot be known"),
        "{text}"
    );
}

#[test]
fn bad_input_is_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("requirements.txt"),
        "alpha>=1\nbeta>=1.*\n",
    )
    .unwrap();
    let output = inspect(folder.path(), &["requirements.txt"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("PYR101") && told.contains("requirements.txt:2:"),
        "{told}"
    );
    assert!(told.contains("write `beta>=1`"), "{told}");
    for (name, bytes, what) in [
        (
            "a.tar.gz",
            &b"no archive"[..],
            "is no archive that we can read",
        ),
        ("a.whl", b"PK\x03\x04", "is no archive that we can read"),
        ("a.rst", b"x", "is none of setup.py"),
        ("pyproject.toml", b"[project\n", "not TOML"),
        ("setup.cfg", b"[a]\n\xff\n", "is not UTF-8"),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let output = inspect(folder.path(), &[name]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {told}");
        assert!(told.contains(what), "{name}: {told}");
    }
    let output = inspect(folder.path(), &["gone.txt"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_the_settings_state_of_a_release_counts() {
    use crate::support::workshop::{Workshop, pins};
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    let only = ["requirements.txt", "--lock-only"];
    workshop.locked(&only);
    assert_eq!(pins(&workshop.read("pylock.toml")).len(), 2);
    workshop.write(
        "pyresolve.toml",
        "constraints = [\"zz-leaf<2\"]\n[metadata.\"zz-demo==1.0\"]\nrequires = []\n",
    );
    workshop.locked(&only);
    assert_eq!(pins(&workshop.read("pylock.toml")), ["zz-demo 1.0"]);
    workshop.write("pyresolve.toml", "constraints = [\"zz-leaf<2\"]\n");
    workshop.locked(&only);
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 1.0");
    workshop.write("pyresolve.toml", "colours = true\nconstraints = 1\n");
    let refused = workshop.lock(&only);
    assert_eq!(refused.status.code(), Some(2));
}
