//! What the README and the documents show is what the program does: their commands are run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The README and everything in `docs/`, with their texts.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        paths.push(entry.unwrap().path());
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "md"));
    paths.sort();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.iter().map(|path| read(path)).collect()
}

/// The commands of a document's `console` blocks that need nothing but pyresolve.
fn commands(text: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.trim() {
            "```console" => inside = true,
            "```" => inside = false,
            line if inside => commands.extend(line.strip_prefix("$ ")),
            _ => {}
        }
    }
    commands.retain(|command| command.starts_with("pyresolve ") || command.starts_with("cd "));
    commands
}

/// An index with what the documents' projects require, and those projects.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    for (name, version, needs) in [
        ("tornado", "6.5.4", None),
        ("tornado", "6.6.1", None),
        ("aioamqp", "0.15.0", Some("pamqp")),
        ("pamqp", "3.3.0", None),
        ("redis_structures", "0.1.3", Some("redis")),
        ("redis", "7.2.1", None),
        ("redis", "7.2.2", None),
        ("flask", "3.1.2", None),
    ] {
        let release = Release::new(name, version);
        let release = needs.into_iter().fold(release, |r, need| r.needs(need));
        workshop.index.publish(release.flit("'x'"));
    }
    let setup = fs::read_to_string(root().join("testdata/projects/bridge/setup.py")).unwrap();
    fs::create_dir_all(workshop.path("testdata/projects/bridge")).unwrap();
    workshop.write("testdata/projects/bridge/setup.py", &setup);
    workshop.write("setup.py", &setup);
    let metadata = "# /// script\n# dependencies = [\"flask\"]\n# ///\nimport flask\n";
    workshop.write("script.py", metadata);
    let tree = root().join("testdata/contribute/tree");
    crate::contribute::copy(&tree, &workshop.path("nixpkgs"));
    let list = "nixpkgs/maintainers/maintainer-list.nix";
    workshop.write(
        list,
        &workshop.read(list).replace("zz-person", "your-handle"),
    );
    foreign(&workshop);
    workshop
}

/// Locks of other tools that pin redis.
fn foreign(workshop: &Workshop) {
    let package = "name = \"redis\"\nversion = \"7.2.1\"\n";
    let pipenv =
        r#"{ "_meta": { "pipfile-spec": 6 }, "default": { "redis": { "version": "==7.2.1" } } }"#;
    for (name, text) in [
        (
            "uv.lock",
            format!(
                "version = 1\nrequires-python = \">=3.11\"\n[[package]]\n{package}source = {{ registry = \"x\" }}\n\
                 [[package]]\nname = \"own\"\nsource = {{ virtual = \".\" }}\n[package.metadata]\n\
                 requires-dist = [{{ name = \"redis\" }}]\n"
            ),
        ),
        (
            "poetry.lock",
            format!("[[package]]\n{package}[metadata]\nlock-version = \"2.1\"\n"),
        ),
        (
            "pdm.lock",
            format!("[metadata]\nlock_version = \"4.5.0\"\n[[package]]\n{package}"),
        ),
        ("Pipfile.lock", pipenv.to_owned()),
        (
            "pylock.other.toml",
            format!("lock-version = \"1.0\"\n[[packages]]\n{package}"),
        ),
    ] {
        workshop.write(name, &text);
    }
}

#[test]
fn every_command_that_is_shown_works() {
    let mut run = 0;
    // The day has a test of its own, where things happen between the commands.
    for (document, text) in documents().into_iter().filter(|(name, _)| name != "day.md") {
        let workshop = workshop();
        if document != "README.md" {
            workshop.locked(&[]);
        }
        let mut folder = workshop.path("");
        for command in commands(&text) {
            if let Some(path) = command.strip_prefix("cd ") {
                folder = folder.join(path);
                continue;
            }
            let program = env!("CARGO_BIN_EXE_pyresolve");
            let script = command.replacen("pyresolve", &format!("'{program}'"), 1);
            let mut shell = std::process::Command::new("sh");
            let like = workshop.command(&[]);
            for (name, value) in like.get_envs() {
                shell.env(name, value.unwrap_or_default());
            }
            let output = shell
                .current_dir(&folder)
                .args(["-c", &script])
                .output()
                .unwrap();
            let told = stderr(&output);
            assert!(output.status.success(), "{document}: $ {command}\n{told}");
            run += 1;
        }
    }
    assert!(run >= 12, "{run}");
}

#[test]
fn every_command_that_is_named_exists() {
    let help = String::from_utf8(Workshop::new().run(&["--help"]).stdout).unwrap();
    let (_, listed) = help.split_once("Commands:").unwrap();
    let known: BTreeSet<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.starts_with('-'))
        .collect();
    let letters = |c: char| !c.is_ascii_lowercase();
    let mut named = 0;
    for (document, text) in documents() {
        for part in text.split("`pyresolve ").skip(1) {
            let name = part.split(letters).next().unwrap();
            assert!(
                name.is_empty() || known.contains(name),
                "{document}: `pyresolve {name}`"
            );
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
    // And every command is described.
    let reference = fs::read_to_string(root().join("docs/reference.md")).unwrap();
    for name in known {
        let heading = reference
            .lines()
            .any(|line| line.starts_with("##") && line.contains(name));
        assert!(heading, "docs/reference.md does not describe `{name}`");
    }
}

/// The reference has every option of every command, and shows none that there is not.
#[test]
fn every_option_is_described() {
    use clap::CommandFactory as _;
    let reference = fs::read_to_string(root().join("docs/reference.md")).unwrap();
    let words: BTreeSet<&str> = reference
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .collect();
    let mut left = vec![pyresolve::cli::args::Cli::command()];
    let (mut missing, mut known) = (Vec::new(), BTreeSet::new());
    while let Some(command) = left.pop() {
        for argument in command.get_arguments() {
            if let Some(long) = argument.get_long() {
                known.insert(format!("--{long}"));
                known.extend(
                    argument
                        .get_all_aliases()
                        .into_iter()
                        .flatten()
                        .map(|a| format!("--{a}")),
                );
                if !words.contains(format!("--{long}").as_str()) {
                    missing.push(format!("{} --{long}", command.get_name()));
                }
            }
        }
        left.extend(command.get_subcommands().cloned());
    }
    assert!(missing.is_empty(), "{missing:?}");
    known.extend(["--help", "--version"].map(str::to_owned));
    // Of other programs, or of files that they read.
    known.extend(
        [
            "--find-links",
            "--no-index",
            "--pre",
            "--require-hashes",
            "--hash",
        ]
        .map(str::to_owned),
    );
    let strange: Vec<&&str> = words
        .iter()
        .filter(|word| {
            word.len() > 2 && word.starts_with("--") && word.bytes().any(|b| b.is_ascii_lowercase())
        })
        .filter(|word| !known.contains(**word))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn links_lead_to_files_that_are_there() {
    let mut all = documents();
    for name in ["README.md", "CONTRIBUTING.md"] {
        all.push((
            name.to_owned(),
            fs::read_to_string(root().join(name)).unwrap(),
        ));
    }
    let mut found = 0;
    for (document, text) in all {
        for part in text.split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") || !target.contains(".md") {
                continue;
            }
            let folders = [root(), root().join("docs")];
            let exists = folders.iter().any(|folder| folder.join(target).is_file());
            assert!(exists, "{document}: {target}");
            found += 1;
        }
    }
    assert!(found > 15, "{found}");
}
