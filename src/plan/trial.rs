//! nixpkgs' recipe tried on another source: patches on their files, substitutions on their texts.
//!
//! A trial follows the builder's order, each step on what the steps before it left. What does not
//! apply is dropped and named; what cannot be tried here (patches that are fetched, commands that
//! this does not know) is named too.

use std::collections::{BTreeMap, BTreeSet};

use super::patch::{Patch, Refusal};
use super::shell::{Command, Word, commands};
use crate::nixpkgs::facts::{self, AttributeFacts};
use crate::project::files::Found;
use crate::python::{PackageName, Version};

/// The fragments that are tried, in the builder's order; patches come after the first.
pub(super) const SCRIPTS: [&str; 4] = ["prePatch", "postPatch", "preConfigure", "preBuild"];

/// Trials by release; where one could not be made, why.
pub type Trials = BTreeMap<(PackageName, Version), Result<Trial, String>>;

/// What a trial found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trial {
    /// What becomes of the recipe's patches.
    pub patches: Patches,
    /// What becomes of its fragments of shell, where that is not just to keep them.
    pub scripts: BTreeMap<&'static str, OldScript>,
    /// What was dropped, sentences by the name of what it was dropped from.
    pub dropped: BTreeMap<&'static str, Vec<String>>,
    /// What could not be tried, as sentences.
    pub unchecked: Vec<String>,
    /// Paths of tests that the recipe leaves out and the source lacks.
    pub lost_tests: BTreeSet<String>,
    /// `pyproject.toml` as the recipe leaves it; none where that is not known.
    pub pyproject: Option<String>,
}

/// What becomes of a recipe's patches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patches {
    /// All apply.
    #[default]
    Keep,
    /// Those with these file names apply.
    Only(Vec<String>),
    /// None does.
    Drop,
}

/// What becomes of a fragment of shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldScript {
    /// It stays.
    Keep,
    /// It stays, but what it does not find is only warned about.
    Tolerant,
    /// These lines are left of it.
    Rewritten(Vec<String>),
    /// Nothing is.
    Drop,
}

/// What of a source has to be looked at to try a recipe. `text` gives a file of nixpkgs' tree.
pub fn wanted(facts: &AttributeFacts, text: &dyn Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let mut paths = BTreeSet::from(["pyproject.toml".to_owned()]);
    for patch in facts.patches.iter().flatten() {
        if let facts::Patch::File(path) = patch
            && let Some(patch) = text(path).and_then(|text| Patch::parse(&text).ok())
        {
            paths.extend(patch.paths().map(str::to_owned));
        }
    }
    for name in SCRIPTS {
        let Some(script) = facts.phases.get(name) else {
            continue;
        };
        for command in commands(&script.text, script.exact).iter().flatten() {
            let known = command.words.iter().skip(1).filter(|word| word.known);
            paths.extend(known.filter_map(|word| path(&word.text)));
        }
    }
    let tests = facts.disabled_test_paths.iter().flatten();
    paths.extend(tests.filter_map(|test| path(test_file(test)?)));
    paths
}

/// A word as a path below the source, where it can be one.
fn path(word: &str) -> Option<String> {
    let word = word
        .strip_prefix("./")
        .unwrap_or(word)
        .trim_end_matches('/');
    let inside = word.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let plain = word.len() < 200 && !word.contains(|c: char| c.is_control() || c == '\\');
    (inside && plain && !word.starts_with('-')).then(|| word.to_owned())
}

/// The file that a test path names; none for a pattern.
fn test_file(test: &str) -> Option<&str> {
    let file = test.split("::").next().unwrap_or(test);
    (!file.contains(['*', '?', '['])).then_some(file)
}

/// Tries a recipe on a source: `source` says what [`wanted`] asked for.
pub fn run(
    facts: &AttributeFacts,
    text: &dyn Fn(&str) -> Option<String>,
    source: &BTreeMap<String, Found>,
) -> Trial {
    let mut texts = BTreeMap::new();
    for (path, found) in source {
        match found {
            Found::Text(text) => texts.insert(path.clone(), Some(text.clone())),
            Found::Nothing => texts.insert(path.clone(), None),
            Found::Folder | Found::Other => None,
        };
    }
    let mut bench = Bench {
        source,
        texts,
        trial: Trial::default(),
    };
    for name in SCRIPTS {
        bench.script(facts, name);
        if name == "prePatch" {
            bench.patches(facts, text);
        }
    }
    let tests = facts.disabled_test_paths.iter().flatten();
    let lost = tests.filter(|test| {
        let file = test_file(test).and_then(path);
        file.is_some_and(|file| source.get(&file) == Some(&Found::Nothing))
    });
    bench.trial.lost_tests = lost.cloned().collect();
    bench.trial.pyproject = bench.texts.get("pyproject.toml").cloned().flatten();
    bench.trial
}

struct Bench<'s> {
    source: &'s BTreeMap<String, Found>,
    /// Files as they are now; none for those that are not there. What is not known is not in it.
    texts: BTreeMap<String, Option<String>>,
    trial: Trial,
}

/// What becomes of one command.
enum Fate {
    Keep,
    /// Only this is left of it.
    Changed(String),
    Dropped,
}

impl Bench<'_> {
    fn dropped(&mut self, from: &'static str, what: String) {
        self.trial.dropped.entry(from).or_default().push(what);
    }

    fn patches(&mut self, facts: &AttributeFacts, text: &dyn Fn(&str) -> Option<String>) {
        let whole = !facts.unknown.contains("patches");
        let Some(patches) = facts.patches.as_ref().filter(|_| whole) else {
            self.trial.patches = Patches::Drop;
            let why = "not all of them could be read".to_owned();
            self.trial
                .unchecked
                .push(format!("nixpkgs' patches: {why}"));
            self.dropped("patches", why);
            return;
        };
        let mut kept = Vec::new();
        for patch in patches {
            let (name, outcome) = match patch {
                facts::Patch::File(path) => (file_name(path), self.patch(path, text)),
                facts::Patch::Fetched(url) => {
                    let why = "it is fetched, and not at hand".to_owned();
                    (file_name(url), Err(Refusal::Unknown(why)))
                }
                facts::Patch::Other(written) => {
                    let why = "it cannot be read".to_owned();
                    (short(written), Err(Refusal::Unknown(why)))
                }
            };
            match outcome {
                Ok(()) => kept.push(name),
                Err(Refusal::Applied) => {
                    self.dropped("patches", format!("{name} is in this source already"));
                }
                Err(Refusal::Fails(why)) => {
                    self.dropped("patches", format!("{name} does not apply: {why}"));
                }
                Err(Refusal::Unknown(why)) => {
                    self.dropped("patches", format!("{name} could not be tried: {why}"));
                }
            }
        }
        self.trial.patches = match kept.len() {
            all if all == patches.len() => Patches::Keep,
            0 => Patches::Drop,
            _ => Patches::Only(kept),
        };
    }

    fn patch(&mut self, path: &str, text: &dyn Fn(&str) -> Option<String>) -> Result<(), Refusal> {
        let unknown = |why: &str| Refusal::Unknown(why.to_owned());
        let text = text(path).ok_or_else(|| unknown("nixpkgs' tree does not give it"))?;
        let patch = Patch::parse(&text).map_err(Refusal::Unknown)?;
        patch.apply(&mut self.texts)
    }

    fn script(&mut self, facts: &AttributeFacts, name: &'static str) {
        let Some(script) = facts.phases.get(name) else {
            if facts.set.contains(name) && facts.unknown.contains(name) {
                self.trial.scripts.insert(name, OldScript::Drop);
                self.dropped(name, "it could not be read".to_owned());
                let note = format!("nixpkgs' {name}: it could not be read");
                self.trial.unchecked.push(note);
            }
            return;
        };
        let Some(commands) = commands(&script.text, script.exact) else {
            self.unchecked(name, "it has more than simple commands");
            if script.text.contains("--replace-fail") {
                self.trial.scripts.insert(name, OldScript::Tolerant);
            }
            // What it changes is not known.
            self.texts.clear();
            return;
        };
        let mut left = Vec::new();
        let (mut changed, mut whole) = (false, true);
        let mut elsewhere = false;
        for command in &commands {
            let raw = script.text.get(command.span.clone()).unwrap_or("");
            let fate = if elsewhere {
                Fate::Keep
            } else {
                self.command(name, command)
            };
            elsewhere |= command
                .words
                .first()
                .is_some_and(|w| matches!(w.text.as_str(), "cd" | "pushd"));
            match fate {
                Fate::Keep => left.push(dedented(raw)),
                Fate::Changed(now) => {
                    changed = true;
                    left.push(now);
                }
                Fate::Dropped => (changed, whole) = (true, false),
            }
        }
        if elsewhere {
            self.unchecked(name, "it goes to another folder");
            self.texts.clear();
        }
        let simple = commands.iter().all(|command| command.plain);
        let fate = match changed {
            false => return,
            true if script.exact && simple && left.is_empty() => OldScript::Drop,
            true if script.exact && simple => {
                let lines = left.iter().flat_map(|text| text.lines().map(str::to_owned));
                OldScript::Rewritten(lines.collect())
            }
            true if whole => OldScript::Tolerant,
            true => {
                self.unchecked(name, "the rest of it is dropped with it");
                OldScript::Drop
            }
        };
        self.trial.scripts.insert(name, fate);
    }

    fn unchecked(&mut self, script: &str, why: &str) {
        let note = format!("nixpkgs' {script}: {why}");
        if !self.trial.unchecked.contains(&note) {
            self.trial.unchecked.push(note);
        }
    }

    fn command(&mut self, script: &'static str, command: &Command) -> Fate {
        let Some((first, rest)) = command.words.split_first() else {
            return Fate::Keep;
        };
        match first.text.as_str() {
            "substituteInPlace" if first.known => self.substitute(script, rest),
            "sed" => self.sed(script, rest),
            "rm" => self.remove(script, rest),
            _ if HARMLESS.contains(&first.text.as_str()) || is_assignment(first) => Fate::Keep,
            "cd" | "pushd" => Fate::Keep,
            _ => {
                self.unchecked(script, &format!("what `{}` does", short(&first.raw)));
                Fate::Keep
            }
        }
    }

    fn substitute(&mut self, script: &'static str, words: &[Word]) -> Fate {
        let options = words
            .iter()
            .position(|word| word.text.starts_with("--"))
            .unwrap_or(words.len());
        let (files, mut options) = words.split_at(options);
        let mut there = Vec::new();
        let mut changed = false;
        for word in files {
            let path = word.known.then(|| path(&word.text)).flatten();
            match path.as_ref().and_then(|path| self.texts.get(path)) {
                Some(None) => {
                    self.dropped(script, format!("the source has no {}", short(&word.text)));
                    changed = true;
                }
                Some(Some(_)) => there.push((word, path)),
                None => {
                    self.unchecked(script, &format!("what is in {}", short(&word.raw)));
                    there.push((word, None));
                }
            }
        }
        if there.is_empty() {
            return Fate::Dropped;
        }
        let mut kept: Vec<String> = Vec::new();
        while let Some((option, rest)) = options.split_first() {
            let count = match option.text.as_str() {
                "--replace" | "--replace-fail" | "--replace-warn" | "--replace-quiet"
                | "--subst-var-by" => 2,
                "--subst-var" => 1,
                _ => 0,
            };
            let (arguments, after) = rest.split_at(count.min(rest.len()));
            options = after;
            let mut name = option.raw.as_str();
            if let (
                "--replace" | "--replace-fail" | "--replace-warn" | "--replace-quiet",
                [old, new],
            ) = (option.text.as_str(), arguments)
            {
                let strict = option.text == "--replace-fail";
                match self.replace(script, &there, old, new) {
                    Replaced::Everywhere => {}
                    Replaced::Somewhere if strict => (name, changed) = ("--replace-quiet", true),
                    Replaced::Nowhere if strict => {
                        changed = true;
                        let files: Vec<&str> =
                            there.iter().map(|(word, _)| word.text.as_str()).collect();
                        let what = format!("`{}` is not in {}", short(&old.text), files.join(", "));
                        self.dropped(script, what);
                        continue;
                    }
                    Replaced::Somewhere | Replaced::Nowhere => {}
                }
            }
            let raws = arguments.iter().map(|word| word.raw.as_str());
            let words: Vec<&str> = std::iter::once(name).chain(raws).collect();
            kept.push(words.join(" "));
        }
        if !changed {
            return Fate::Keep;
        }
        if kept.is_empty() {
            return Fate::Dropped;
        }
        let files: Vec<&str> = there.iter().map(|(word, _)| word.raw.as_str()).collect();
        let head = format!("substituteInPlace {}", files.join(" "));
        let lines: Vec<String> = std::iter::once(head)
            .chain(kept.into_iter().map(|option| format!("  {option}")))
            .collect();
        Fate::Changed(lines.join(" \\\n"))
    }

    fn replace(
        &mut self,
        script: &str,
        files: &[(&Word, Option<String>)],
        old: &Word,
        new: &Word,
    ) -> Replaced {
        let known: Vec<&String> = files.iter().filter_map(|(_, path)| path.as_ref()).collect();
        if known.len() < files.len() {
            return Replaced::Everywhere;
        }
        if !old.known {
            self.unchecked(script, &format!("whether {} is there", short(&old.raw)));
            return Replaced::Everywhere;
        }
        let mut found = 0;
        for path in &known {
            if let Some(Some(text)) = self.texts.get_mut(*path)
                && text.contains(&old.text)
            {
                found += 1;
                // What is not known is nothing that anybody looks for.
                let new = if new.known {
                    new.text.as_str()
                } else {
                    "\u{fffd}"
                };
                *text = text.replace(&old.text, new);
            }
        }
        match found {
            0 => Replaced::Nowhere,
            all if all == known.len() => Replaced::Everywhere,
            _ => Replaced::Somewhere,
        }
    }

    /// `sed` leaves what it does not find as it is; only files must be there.
    fn sed(&mut self, script: &'static str, words: &[Word]) -> Fate {
        let mut operands = Vec::new();
        let mut expressions = 0;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "-e" | "-f" | "--expression" => {
                    words.next();
                    expressions += 1;
                }
                option if option.starts_with('-') => {}
                _ => operands.push(word),
            }
        }
        let files = operands.into_iter().skip(usize::from(expressions == 0));
        for word in files {
            let path = word.known.then(|| path(&word.text)).flatten();
            match path.as_ref().and_then(|path| self.found(path)) {
                Some(true) => {
                    self.unchecked(script, &format!("what `sed` finds in {}", word.text));
                    self.texts.remove(path.as_deref().unwrap_or_default());
                }
                Some(false) => {
                    self.dropped(script, format!("the source has no {}", short(&word.text)));
                    return Fate::Dropped;
                }
                None => self.unchecked(script, &format!("what is in {}", short(&word.raw))),
            }
        }
        Fate::Keep
    }

    fn remove(&mut self, script: &'static str, words: &[Word]) -> Fate {
        let forced = words
            .iter()
            .any(|word| word.text.starts_with('-') && word.text.contains('f'));
        for word in words.iter().filter(|word| !word.text.starts_with('-')) {
            let path = word.known.then(|| path(&word.text)).flatten();
            match path.as_ref().and_then(|path| self.found(path)) {
                Some(false) if !forced => {
                    self.dropped(script, format!("the source has no {}", short(&word.text)));
                    return Fate::Dropped;
                }
                None if !forced => {
                    self.unchecked(script, &format!("whether {} is there", short(&word.raw)));
                }
                _ => {
                    self.texts.insert(path.unwrap_or_default(), None);
                }
            }
        }
        Fate::Keep
    }

    fn found(&self, path: &str) -> Option<bool> {
        match (self.texts.get(path), self.source.get(path)) {
            (Some(text), _) => Some(text.is_some()),
            (None, Some(Found::Folder | Found::Other)) => Some(true),
            (None, _) => None,
        }
    }
}

/// Where a text was found.
enum Replaced {
    Everywhere,
    Somewhere,
    Nowhere,
}

/// Commands that need nothing of the source.
const HARMLESS: [&str; 12] = [
    ":",
    "[",
    "cat",
    "chmod",
    "echo",
    "export",
    "mkdir",
    "patchShebangs",
    "printf",
    "touch",
    "true",
    "unset",
];

fn is_assignment(word: &Word) -> bool {
    let name = word.raw.split('=').next().unwrap_or("");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    word.raw.contains('=') && !name.is_empty() && name.chars().all(plain)
}

fn file_name(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    short(
        path.trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(path),
    )
}

/// A text for a sentence: one line of bounded length.
fn short(text: &str) -> String {
    const MAX: usize = 72;
    let line = text.trim().lines().next().unwrap_or("").trim();
    if line.chars().count() <= MAX && line.len() == text.trim().len() {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A command of several lines, its lines after the first moved to the margin.
fn dedented(raw: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let rest = raw.lines().skip(1).filter(|line| !line.trim().is_empty());
    let margin = rest.map(indent).min().unwrap_or(0);
    let mut lines = raw.lines();
    let first = lines.next().unwrap_or("").to_owned();
    let rest = lines.map(|line| format!("  {}", line.get(margin..).unwrap_or("")));
    let lines: Vec<String> = std::iter::once(first).chain(rest).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
