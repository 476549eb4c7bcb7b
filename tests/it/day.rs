//! The day that `docs/day.md` tells: its commands are run in their order, what happens between them
//! happens, and what the document shows is what they print. `UPDATE=1` writes it anew.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::index::Index;
use crate::support::project::Release;
use crate::support::workshop::Workshop;

/// What happens between the commands, by the comments of the document.
const NIGHT: &str =
    "<!-- tornado 6.6.1 appears, redis-structures 0.2.0 appears, tornado 6.5.5 is yanked -->";
const MONTH: &str = "<!-- nixpkgs has tornado 6.6.1 -->";

fn tornado(version: &str) -> Release {
    Release::new("tornado", version)
        .headers(&["Project-URL: Changelog, https://tornado.test/releases"])
        .flit("\"\"\"Web\"\"\"")
}

fn structures(version: &str) -> Release {
    Release::new("redis_structures", version)
        .needs("redis>=7")
        .flit("\"\"\"Structures\"\"\"")
}

fn redis() -> Release {
    Release::new("redis", "7.2.1").flit("\"\"\"Redis\"\"\"")
}

/// A tree with the shape of nixpkgs.
fn nixpkgs(workshop: &Workshop, tornado: &str) {
    let mut set = String::from("self: super: with self; {\n");
    for (name, version) in [
        ("flit-core", "3.12"),
        ("redis", "7.2.1"),
        ("tornado", tornado),
    ] {
        set += &format!("  {name} = callPackage ../development/python-modules/{name} {{ }};\n");
        workshop.write(
            &format!("vendor/nixpkgs/pkgs/development/python-modules/{name}/default.nix"),
            &format!(
                "{{ buildPythonPackage, fetchPypi, flit-core }}:\nbuildPythonPackage {{\n  pname = \"{name}\";\n  \
                 version = \"{version}\";\n  pyproject = true;\n  src = fetchPypi {{ pname = \"{name}\"; \
                 version = \"{version}\"; hash = \"\"; }};\n  build-system = [ flit-core ];\n}}\n"
            ),
        );
    }
    workshop.write(
        "vendor/nixpkgs/pkgs/top-level/python-packages.nix",
        &(set + "}\n"),
    );
    workshop.write("vendor/nixpkgs/lib/.version", "26.05\n");
}

/// The document's `toml` block.
fn settings(text: &str) -> &str {
    let (_, rest) = text.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// What a command prints, to both streams, without what differs between machines.
fn printed(workshop: &Workshop, command: &str) -> String {
    if let Some(file) = command.strip_prefix("cat ") {
        return workshop.read(file);
    }
    let program = env!("CARGO_BIN_EXE_pyresolve");
    let script = command.replacen("pyresolve", &format!("'{program}'"), 1);
    let mut shell = Command::new("/bin/sh");
    for (name, value) in workshop.command(&[]).get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let output = shell
        .current_dir(workshop.path(""))
        .env("PATH", "")
        .args(["-c", &format!("exec 2>&1; {script}")])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    without_digests(&text.replace(&workshop.index.root(), "https://index.test"))
}

/// The index' port goes into digests.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut out = text.to_owned();
    for digest in words.filter(is_digest) {
        out = out.replace(digest, "…");
    }
    out
}

#[test]
fn the_day_goes_as_the_document_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/day.md");
    let document = fs::read_to_string(&path).unwrap();
    let workshop = Workshop::new();
    for release in [
        tornado("6.5.4"),
        tornado("6.5.5"),
        redis(),
        structures("0.1.3"),
    ] {
        workshop.index.publish(release);
    }
    nixpkgs(&workshop, "6.5.4");
    workshop.write("pyproject.toml", settings(&document));
    let mut played = String::new();
    let mut shown = false;
    let mut run = 0;
    for line in document.lines() {
        match line {
            NIGHT => workshop.index.replace(&Index::start(vec![
                tornado("6.5.4"),
                tornado("6.5.5").yanked("it forgets to close sockets"),
                tornado("6.6.1"),
                redis(),
                structures("0.1.3"),
                structures("0.2.0"),
            ])),
            MONTH => nixpkgs(&workshop, "6.6.1"),
            _ => assert!(
                !line.starts_with("<!--"),
                "nobody knows what happens: {line}"
            ),
        }
        match line {
            "```console" => shown = true,
            "```" => shown = false,
            _ => {}
        }
        if let Some(command) = line.strip_prefix("$ ").filter(|_| shown) {
            played += &format!("{line}\n{}", printed(&workshop, command));
            run += 1;
        } else if !shown || line == "```console" {
            played += &format!("{line}\n");
        }
    }
    assert!(run >= 12, "{run}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &played).unwrap();
    } else {
        assert_eq!(document, played);
    }
}
