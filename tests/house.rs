//! The rules of the house, as a test that only reads files: which folder may use which, what every
//! file has, what must stand nowhere.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pyresolve::problem::Code;

/// The folders by floor: each may use those of lower floors only.
const FLOORS: &[&[&str]] = &[
    &["problem", "event"],
    &["python", "nix"],
    &["project", "nixpkgs"],
    &["index"],
    &["resolve", "sandbox"],
    &["plan"],
    &["assemble"],
    &["render", "report"],
    &["contribute"],
    &["write"],
    &["cli"],
];

/// Without its tests, a file longer than this has more than one subject.
const LONGEST: usize = 700;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, in order; build products and version control left out.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || ["target", ".git", "result"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The Rust files of `src/` with their path below it and their text.
fn sources() -> Vec<(String, String)> {
    let source = root().join("src");
    files_below(&source)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| {
            let name = path
                .strip_prefix(&source)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// The text before the file's `mod tests`; nothing of a file of tests.
fn without_tests<'a>(name: &str, text: &'a str) -> &'a str {
    if name.ends_with("/tests.rs") || name.contains("/tests/") {
        return "";
    }
    text.find("\n#[cfg(test)]\nmod tests")
        .map_or(text, |end| &text[..end])
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// The modules that stand directly after `crate::` in a text, also in braces.
fn used_modules(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, prefix) in text.match_indices("crate::") {
        let rest = &text[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(group_heads(group));
        } else {
            used.insert(identifier(rest));
        }
    }
    used
}

/// The first identifiers of the members of a group that has been opened.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && c.is_alphabetic() => {
                heads.push(identifier(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let folder = name.split('/').next().unwrap().trim_end_matches(".rs");
        if folder == "lib" || folder == "main" {
            continue;
        }
        let Some(own) = floor(folder) else {
            wrong.push(format!("{name}: {folder} has no floor"));
            continue;
        };
        for used in used_modules(without_tests(&name, &text)) {
            if floor(&used).is_some_and(|other| used != folder && other >= own) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_reading_of_uses_sees_groups_and_paths() {
    let text = "use crate::{index::{Page, Release}, python};\nfn f(x: crate::nix::Expr) {}";
    let expected = ["index", "nix", "python"].map(str::to_owned);
    assert_eq!(used_modules(text), BTreeSet::from(expected));
}

#[test]
fn files_say_what_they_are_and_have_one_subject() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if !text.starts_with("//!") && !name.ends_with("tests.rs") {
            wrong.push(format!("{name} does not start with a `//!` paragraph"));
        }
        let length = without_tests(&name, &text).lines().count();
        if length > LONGEST {
            wrong.push(format!("{name} has {length} lines without its tests"));
        }
        for word in ["todo!(", "unimplemented!(", "dbg!("] {
            if text.contains(word) {
                wrong.push(format!("{name} contains {word})"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_library_does_not_print() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let printing = ["println!(", "eprintln!(", "print!(", "eprint!("];
        let text = without_tests(&name, &text);
        let prints = |line: &str| {
            !line.trim_start().starts_with("//") && printing.iter().any(|p| line.contains(p))
        };
        if !name.starts_with("cli/") && text.lines().any(prints) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Addresses of package registries are put together in the index client, and nothing that is
/// committed depends on one machine.
#[test]
fn no_registry_host_and_no_machine_path_stands_anywhere() {
    let dot = ".";
    let hosts = [
        ["pypi", "org"],
        ["pypi", "io"],
        ["pythonhosted", "org"],
        ["index.crates", "io"],
        ["static.crates", "io"],
        ["registry", "npmjs.org"],
    ]
    .map(|parts| parts.join(dot));
    let folders = ["work", "root"].map(|name| format!("/{name}/"));
    let mut wrong = Vec::new();
    for path in files_below(&root()) {
        // files that are not text hold no addresses that a person reads
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let host = hosts.iter().any(|host| lower.contains(host.as_str()));
            let machine = folders.iter().any(|folder| {
                lower.match_indices(folder.as_str()).any(|(at, _)| {
                    lower[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|c| " \"'(=`".contains(c))
                })
            });
            if host || machine {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_problem_code_is_documented_and_no_other() {
    let text = fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let documented: BTreeSet<String> = text
        .match_indices("PYR")
        .map(|(at, _)| identifier(&text[at..]))
        .filter(|word| word.len() == 6 && word[3..].chars().all(|c| c.is_ascii_digit()))
        .collect();
    let existing: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| code.text().to_owned())
        .collect();
    assert_eq!(documented, existing);
    assert_eq!(existing.len(), Code::ALL.len(), "two codes have one text");
}

/// A file that is no module of the one integration binary would be compiled on its own, or never.
#[test]
fn no_integration_test_is_forgotten() {
    let folder = root().join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "tests/it/main.rs does not name {module}"
        );
    }
}
