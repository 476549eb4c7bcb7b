//! The command that makes a lock again, as it stands in the file that was made: the sources, and those
//! options of the command line that decide about the result and are not in the settings.
//!
//! What is the machine's own business stays out: indexes (whose addresses may hold secrets), the cache,
//! environment variables, paths that begin at the root.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::args;
use super::configured::Configured;
use super::settings::{self, Output, Source};
use crate::nixpkgs::source::Choice;

const FIRST: &str = "# To make it again: ";

/// The command for what was typed.
pub fn command(
    args: &args::Lock,
    sources: &[Source],
    configured: &Configured,
    output: &Output,
    env: &dyn Fn(&str) -> Option<String>,
) -> String {
    let mut words = Words {
        words: vec!["pyresolve".to_owned(), "lock".to_owned()],
        folder: &output.folder,
    };
    for source in sources {
        match source {
            Source::Path(path) => {
                let shown = relative(path, &output.folder);
                if shown.as_os_str() != "." {
                    words.words.push(quoted(&shown.to_string_lossy()));
                }
            }
            Source::Requirement(requirement) => {
                words.words.push(quoted(&requirement.to_string()));
            }
        }
    }
    words.selection(&args.selection, configured);
    words.versions(&args.versions, configured, env);
    let index = &args.index;
    words.each("exclude-newer", &index.exclude_newer);
    words.each("only-binary", &index.only_binary);
    words.each("no-binary", &index.no_binary);
    words.each("prefer-wheels", &index.prefer_wheels);
    words.each("allow-build", &index.allow_build);
    let name = output.nix.as_deref().unwrap_or(&output.lock);
    let usual = match output.nix {
        Some(_) => name == output.layout.file(),
        None => name == "pylock.toml",
    };
    if args.output.output.is_some() && (!usual || !is_beside(sources, &output.folder)) {
        words.option("output", name);
    }
    words.words.join(" ")
}

fn is_beside(sources: &[Source], folder: &Path) -> bool {
    let plain = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
    plain(&settings::beside(sources)) == plain(folder)
}

/// Takes the command that the file names, for what is not made again but looked at.
pub fn keep(meant: &mut settings::Lock) {
    let nix = meant.output.nix.as_ref();
    let text = nix.and_then(|nix| std::fs::read_to_string(meant.output.folder.join(nix)).ok());
    if let Some(command) = text.as_deref().and_then(named) {
        command.clone_into(&mut meant.command);
    }
}

/// The command that a file names; none where it names none.
fn named(text: &str) -> Option<&str> {
    let mut head = text.lines().take_while(|line| line.starts_with('#'));
    head.find_map(|line| line.strip_prefix(FIRST))
}

struct Words<'a> {
    words: Vec<String>,
    folder: &'a Path,
}

impl Words<'_> {
    fn option(&mut self, name: &str, value: &str) {
        self.words.push(format!("--{name}"));
        self.words.push(quoted(value));
    }

    fn each(&mut self, name: &str, values: &[String]) {
        for value in values {
            self.option(name, value);
        }
    }

    fn files(&mut self, name: &str, files: &[PathBuf]) {
        for file in files {
            let shown = relative(file, self.folder);
            self.option(name, &shown.to_string_lossy());
        }
    }

    fn selection(&mut self, typed: &args::Selection, configured: &Configured) {
        if typed.extras != configured.extras {
            self.each("extra", &typed.extras);
        }
        if typed.all_extras {
            self.words.push("--all-extras".to_owned());
        }
        if typed.groups != configured.groups {
            self.each("group", &typed.groups);
        }
        self.files("constraint", &typed.constraints);
        self.files("override", &typed.overrides);
    }

    fn versions(
        &mut self,
        typed: &args::Versions,
        configured: &Configured,
        env: &dyn Fn(&str) -> Option<String>,
    ) {
        if let Some(python) = &typed.python
            && settings::python(python).ok() != configured.python
        {
            self.option("python", python);
        }
        if typed.systems != configured.systems {
            for system in &typed.systems {
                self.option("system", system.name());
            }
        }
        if let Some(which) = &typed.nixpkgs
            && env("PYRESOLVE_NIXPKGS").as_ref() != Some(which)
            && let Some(shown) = self.nixpkgs(which)
        {
            self.option("nixpkgs", &shown);
        }
        self.word("prefer", typed.prefer, configured.prefer);
        self.word("pins", typed.pins, None);
        self.word("prerelease", typed.prerelease, configured.prerelease);
    }

    fn word<T: ValueEnum + PartialEq>(&mut self, name: &str, typed: Option<T>, known: Option<T>) {
        if let Some(value) = typed.as_ref().filter(|_| typed != known)
            && let Some(value) = value.to_possible_value()
        {
            self.option(name, value.get_name());
        }
    }

    /// A tree by its path from here, if it was named so.
    fn nixpkgs(&self, typed: &str) -> Option<String> {
        match Choice::parse(typed, Path::new("")) {
            Choice::Tree(path) | Choice::FlakeLock(path) => {
                let path = path.is_relative().then(|| relative(&path, self.folder))?;
                Some(path.to_string_lossy().into_owned())
            }
            _ => Some(typed.to_owned()),
        }
    }
}

/// A path as seen from the output folder; only its last part where that would show the machine's.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let plain = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
    let (path, folder) = (plain(path), plain(folder));
    match path.strip_prefix(&folder) {
        Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
        Ok(rest) if rest.is_relative() => rest.to_owned(),
        _ if path.is_absolute() => path.file_name().map_or(path.clone(), PathBuf::from),
        _ => path,
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_show_no_machine_paths() {
        let shown = |path: &str, folder: &str| {
            relative(Path::new(path), Path::new(folder))
                .display()
                .to_string()
        };
        assert_eq!(shown("a/b/setup.py", "a/b"), "setup.py");
        assert_eq!(shown("./setup.py", "."), "setup.py");
        assert_eq!(shown("a/b", "a/b"), ".");
        assert_eq!(shown(".", "."), ".");
        assert_eq!(shown("/home/me/setup.py", "/home/me"), "setup.py");
        assert_eq!(shown("/home/me/setup.py", "nix"), "setup.py");
        assert_eq!(shown("setup.py", "nix"), "setup.py");
        assert_eq!(quoted("a>=1; x == 'y'"), "'a>=1; x == '\\''y'\\'''");
    }

    #[test]
    fn a_file_names_its_command() {
        let text = "# Generated.\n# To make it again: pyresolve lock a.in --prefer latest\n{ }\n";
        assert_eq!(named(text), Some("pyresolve lock a.in --prefer latest"));
        assert_eq!(named("{ }\n# To make it again: x\n"), None);
    }
}
