//! A nixpkgs tree evaluated by Nix, where there is one: what its Python attributes really come to.
//!
//! One expression ([`WALK`]) walks the set in portions. An attribute that throws is told as such; one
//! that Nix cannot go on after (`abort`, endless recursion) fails its portion, which is then halved
//! until that attribute is alone. Nothing is built, fetched or written: evaluation only, without import
//! from derivation, within a given time. What is not told in time stays as it was read from the files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::checkout::Contents;
use super::facts::{AttributeFacts, How, Kind, Names, Need, Patch, Script, Source};
use crate::python::PackageName;

const WALK: &str = include_str!("evaluate/walk.nix");

/// How many attributes one run of Nix walks.
const PORTION: usize = 400;

/// More than the facts of any portion.
const MAX_OUTPUT: u64 = 256 << 20;

/// The system that is evaluated for; differences between systems are read from the files.
const SYSTEM: &str = "x86_64-linux";

/// What may be asked of Nix.
#[derive(Debug, Clone)]
pub struct Evaluator {
    /// The program `nix-instantiate`.
    pub program: PathBuf,
    /// How long all of it may take.
    pub patience: Duration,
}

/// Why nothing was evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Nix could not be started.
    #[error("`{program}` cannot be run")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Nix refuses the tree as a whole.
    #[error("Nix cannot evaluate `{set}` of `{tree}`: {why}")]
    Refused {
        /// The tree.
        tree: PathBuf,
        /// The set.
        set: String,
        /// What Nix says, its last line.
        why: String,
    },
    /// It took too long.
    #[error("Nix needed longer than {0:?}")]
    Late(Duration),
}

/// What Nix told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluated {
    told: BTreeMap<String, Told>,
    /// Attributes that Nix cannot go on after, or had no time for.
    pub untold: usize,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Told {
    /// `throws`, or `other` for what is no package.
    Word(String),
    Recipe(Box<Recipe>),
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Recipe {
    pname: Option<String>,
    version: Option<String>,
    member: Option<bool>,
    own: Option<bool>,
    broken: Option<bool>,
    dependencies: Option<Vec<Reference>>,
    build: Option<Vec<Reference>>,
    optional: Option<BTreeMap<String, Option<Vec<Reference>>>>,
    relaxed: Option<Named>,
    removed: Option<Named>,
    patches: Option<Vec<Option<String>>>,
    tests: Option<Vec<Option<String>>>,
    paths: Option<Vec<Option<String>>>,
    patch: Option<String>,
    root: Option<String>,
    cargo: Option<bool>,
    source: Option<Fetched>,
}

/// A package, as `pname` and `version`.
type Reference = (Option<String>, Option<String>);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Named {
    All(bool),
    Some(Vec<Option<String>>),
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Fetched {
    name: Option<String>,
    url: Option<String>,
    owner: Option<String>,
    repo: Option<String>,
    tag: Option<String>,
    rev: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Size {
    count: usize,
}

impl Evaluator {
    /// Evaluates the set of an interpreter (`3.13`) of a tree.
    ///
    /// # Errors
    /// When the set cannot be evaluated at all. Attributes that cannot be are only counted.
    pub fn evaluate(&self, tree: &Path, minor: &str) -> Result<Evaluated, EvaluateError> {
        let set = format!("python{}Packages", minor.replace('.', ""));
        let until = Instant::now() + self.patience;
        let run = Run {
            evaluator: self,
            tree,
            set: &set,
            until,
        };
        let size: Size = match run.walk(0, 0)? {
            Answer::Json(text) => {
                serde_json::from_str(&text).map_err(|e| run.refused(&e.to_string()))?
            }
            Answer::Failed(why) => return Err(run.refused(&why)),
            Answer::Late => return Err(EvaluateError::Late(self.patience)),
        };
        let portions: Vec<(usize, usize)> = (0..size.count)
            .step_by(PORTION)
            .map(|first| (first, PORTION.min(size.count - first)))
            .collect();
        let waiting = Mutex::new(portions);
        let evaluated = Mutex::new(Evaluated::default());
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(4);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| run.work(&waiting, &evaluated));
            }
        });
        Ok(evaluated
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// One evaluation of a set.
struct Run<'a> {
    evaluator: &'a Evaluator,
    tree: &'a Path,
    set: &'a str,
    until: Instant,
}

enum Answer {
    Json(String),
    Failed(String),
    Late,
}

impl Run<'_> {
    fn refused(&self, why: &str) -> EvaluateError {
        EvaluateError::Refused {
            tree: self.tree.to_owned(),
            set: self.set.to_owned(),
            why: why.to_owned(),
        }
    }

    fn work(&self, waiting: &Mutex<Vec<(usize, usize)>>, evaluated: &Mutex<Evaluated>) {
        let locked = |mutex: &Mutex<Vec<(usize, usize)>>| {
            let mut guard = mutex
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            guard.pop()
        };
        while let Some(portion) = locked(waiting) {
            let mut halves = vec![portion];
            while let Some((first, count)) = halves.pop() {
                let told = match self.walk(first, count) {
                    Ok(Answer::Json(text)) => serde_json::from_str(&text).ok(),
                    Ok(Answer::Failed(_)) if count > 1 => {
                        let half = count / 2;
                        halves.push((first + half, count - half));
                        halves.push((first, half));
                        continue;
                    }
                    _ => None,
                };
                let mut all = evaluated
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                match told {
                    Some(told) => all.told.extend::<BTreeMap<String, Told>>(told),
                    None => all.untold += count,
                }
            }
        }
    }

    /// Walks attributes; none of them: how many there are.
    fn walk(&self, first: usize, count: usize) -> Result<Answer, EvaluateError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Answer::Late);
        }
        let mut child =
            self.command(first, count)
                .spawn()
                .map_err(|source| EvaluateError::Start {
                    program: self.evaluator.program.clone(),
                    source,
                })?;
        let mut stdout = child.stdout.take();
        let mut stderr = child.stderr.take();
        let (finished, output, errors) = thread::scope(|scope| {
            let output = scope.spawn(|| read(stdout.as_mut(), MAX_OUTPUT));
            let errors = scope.spawn(|| read(stderr.as_mut(), 1 << 20));
            let finished = finish(&mut child, self.until);
            (
                finished,
                output.join().unwrap_or_default(),
                errors.join().unwrap_or_default(),
            )
        });
        Ok(match finished {
            None => Answer::Late,
            Some(true) => Answer::Json(output),
            Some(false) => Answer::Failed(reason(&errors)),
        })
    }

    fn command(&self, first: usize, count: usize) -> Command {
        let mut command = Command::new(&self.evaluator.program);
        command
            .args(["--eval", "--strict", "--json", "--readonly-mode"])
            .args(["--option", "allow-import-from-derivation", "false"])
            .args(["--option", "substitute", "false"])
            .args(["-E", WALK])
            .arg("--argstr")
            .arg("path")
            .arg(self.tree)
            .args(["--argstr", "set", self.set])
            .args(["--argstr", "system", SYSTEM])
            .args(["--argstr", "first", &first.to_string()])
            .args(["--argstr", "count", &count.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// Whether the child ended well; none where it had to be ended.
fn finish(child: &mut Child, until: Instant) -> Option<bool> {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < until => thread::sleep(pause),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn read(from: Option<&mut impl std::io::Read>, limit: u64) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // what comes after the limit is lost, and the text is then no JSON
        let _ = from.take(limit).read_to_end(&mut bytes);
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// What Nix says last of an error, or first.
fn reason(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|l| !l.is_empty());
    let error = lines().find(|line| line.starts_with("error:"));
    let text = error
        .or_else(|| lines().next_back())
        .unwrap_or("no reason given");
    text.trim_start_matches("error:")
        .trim()
        .chars()
        .take(300)
        .collect()
}

impl Contents {
    /// Takes what Nix told: it counts where the files told something else, or nothing.
    pub fn refine(&mut self, evaluated: &Evaluated) {
        let attributes = Attributes::new(&evaluated.told, &self.packages);
        for (name, told) in &evaluated.told {
            match told {
                Told::Word(word) => {
                    if word == "throws" || !self.packages.contains_key(name) {
                        self.packages.remove(name);
                        self.unknown.remove(name);
                        self.others.insert(name.clone());
                    }
                }
                Told::Recipe(recipe) => {
                    self.unknown.remove(name);
                    self.others.remove(name);
                    let facts = self.packages.entry(name.clone()).or_default();
                    recipe.refine(facts, &attributes);
                }
            }
        }
        self.evaluated = evaluated.told.len();
    }
}

/// Which attribute a package is, by what it calls itself; what extras add, as it was read.
struct Attributes<'a> {
    by_name: BTreeMap<(&'a str, Option<&'a str>), BTreeSet<&'a str>>,
    extras: BTreeMap<(String, String), Vec<String>>,
}

impl<'a> Attributes<'a> {
    fn new(told: &'a BTreeMap<String, Told>, read: &BTreeMap<String, AttributeFacts>) -> Self {
        let mut extras = BTreeMap::new();
        for (attr, facts) in read {
            for (extra, needs) in facts.optional.iter().flatten() {
                let names = needs.iter().map(|need| need.attr.clone()).collect();
                extras.insert((attr.clone(), extra.clone()), names);
            }
        }
        let mut by_name: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (attr, told) in told {
            if let Told::Recipe(recipe) = told
                && let Some(pname) = &recipe.pname
            {
                for version in [recipe.version.as_deref(), None] {
                    let found = by_name.entry((pname.as_str(), version)).or_default();
                    found.insert(attr.as_str());
                }
            }
        }
        Self { by_name, extras }
    }

    /// The attribute of a package; of several the one that is called as the package is.
    fn find(&self, reference: &Reference) -> Option<&'a str> {
        let pname = reference.0.as_deref()?;
        let found = self
            .by_name
            .get(&(pname, reference.1.as_deref()))
            .or_else(|| self.by_name.get(&(pname, None)))?;
        let normal = PackageName::from_str(pname).ok();
        let called = |attr: &&&str| normal.as_ref().is_some_and(|n| n.as_ref() == **attr);
        let first = found.iter().min_by_key(|attr| (attr.len(), **attr));
        found.iter().find(called).or(first).copied()
    }

    /// The members of the set among needs that were read, on the system that is evaluated, extras
    /// included.
    fn here(&self, read: &[Need]) -> BTreeSet<String> {
        let here = |n: &&Need| n.systems.is_empty() || n.systems.iter().any(|s| s == SYSTEM);
        let mut names = BTreeSet::new();
        for need in read.iter().filter(|n| !n.top_level).filter(here) {
            for extra in &need.extras {
                let added = self.extras.get(&(need.attr.clone(), extra.clone()));
                names.extend(added.into_iter().flatten().cloned());
            }
            names.insert(need.attr.clone());
        }
        names
    }

    fn needs(&self, references: &[Reference]) -> Option<Vec<Need>> {
        let mut needs: Vec<Need> = Vec::new();
        for reference in references {
            // the interpreter is among what a package propagates
            if reference
                .0
                .as_deref()
                .is_some_and(|p| p.starts_with("python3"))
            {
                continue;
            }
            let need = Need::new(self.find(reference)?);
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        Some(needs)
    }

    /// What was read tells systems apart and what was evaluated does not: it stays where it says the same
    /// of the system that was evaluated.
    fn refine(
        &self,
        read: &mut Option<Vec<Need>>,
        told: Option<Vec<Need>>,
        unknown: &mut BTreeSet<String>,
        names: &[&str],
    ) {
        let Some(told) = told else {
            return;
        };
        let agrees = read
            .as_ref()
            .is_some_and(|read| self.here(read) == told.iter().map(|n| n.attr.clone()).collect());
        let open = read
            .as_ref()
            .is_some_and(|read| read.iter().any(|n| n.condition.is_some()));
        if !agrees || open {
            let kept = read.take().unwrap_or_default().into_iter();
            let elsewhere = kept.filter(|n| {
                let decided = n.condition.is_none() && !n.systems.is_empty();
                n.top_level || (decided && !n.systems.iter().any(|s| s == SYSTEM))
            });
            let mut all = told;
            all.extend(elsewhere);
            *read = Some(all);
            for name in names {
                unknown.remove(*name);
            }
        }
    }
}

impl Recipe {
    fn refine(&self, facts: &mut AttributeFacts, attributes: &Attributes<'_>) {
        facts.how = How::Evaluated;
        facts.disabled = false;
        facts.unknown.remove("disabled");
        take(&mut facts.pname, &self.pname, "pname", &mut facts.unknown);
        take(
            &mut facts.version,
            &self.version,
            "version",
            &mut facts.unknown,
        );
        if let Some(broken) = self.broken {
            facts.broken = broken;
        }
        match (self.member, self.own) {
            (Some(true), Some(false)) => facts.kind = Kind::Foreign,
            (Some(true), Some(true)) => facts.kind = Kind::Module,
            (Some(false), _) => facts.kind = Kind::Application,
            _ => {}
        }
        let told = self.dependencies.as_ref().and_then(|d| attributes.needs(d));
        attributes.refine(
            &mut facts.dependencies,
            told,
            &mut facts.unknown,
            &["dependencies", "propagatedBuildInputs"],
        );
        if facts.build_system.is_none() {
            facts.build_system = self.build.as_ref().and_then(|b| attributes.needs(b));
        }
        self.refine_optional(facts, attributes);
        self.refine_fields(facts);
    }

    fn refine_optional(&self, facts: &mut AttributeFacts, attributes: &Attributes<'_>) {
        let Some(told) = &self.optional else {
            return;
        };
        let known = facts.optional.get_or_insert_default();
        for (extra, references) in told {
            let needs = references.as_ref().and_then(|r| attributes.needs(r));
            if let (Some(needs), false) = (needs, known.contains_key(extra)) {
                known.insert(extra.clone(), needs);
                facts
                    .unknown
                    .remove(&format!("optional-dependencies.{extra}"));
            }
        }
    }

    fn refine_fields(&self, facts: &mut AttributeFacts) {
        let whole = |list: &Option<Vec<Option<String>>>| -> Option<Vec<String>> {
            list.as_ref()?.iter().cloned().collect()
        };
        if let Some(tests) = whole(&self.tests) {
            facts.disabled_tests = Some(tests);
            facts.unknown.remove("disabledTests");
        }
        if let Some(paths) = whole(&self.paths) {
            facts.disabled_test_paths = Some(paths);
            facts.unknown.remove("disabledTestPaths");
        }
        // of patches Nix only knows names in the store: what was read says more, if it is all
        if let Some(patches) = whole(&self.patches)
            && facts
                .patches
                .as_ref()
                .is_none_or(|p| p.len() != patches.len())
        {
            facts.patches = Some(patches.into_iter().map(Patch::Other).collect());
            facts.unknown.remove("patches");
        }
        for (field, told) in [
            (&mut facts.relaxed, &self.relaxed),
            (&mut facts.removed, &self.removed),
        ] {
            match told {
                Some(Named::All(true)) => *field = Some(Names::All),
                Some(Named::All(false)) => *field = Some(Names::default()),
                Some(Named::Some(names)) => {
                    if let Some(names) = names.iter().cloned().collect() {
                        *field = Some(Names::Some(names));
                    }
                }
                None => {}
            }
        }
        if let Some(text) = &self.patch
            && facts.phases.get("postPatch").is_none_or(|s| !s.exact)
            && !text.is_empty()
        {
            let script = Script {
                text: text.clone(),
                exact: true,
            };
            facts.phases.insert("postPatch".to_owned(), script);
            facts.set.insert("postPatch".to_owned());
        }
        if self.root.is_some() && facts.source_root.is_none() {
            facts.source_root.clone_from(&self.root);
            facts.set.insert("sourceRoot".to_owned());
        }
        if self.cargo == Some(true) && facts.cargo_deps.is_none() {
            facts.cargo_deps = Some(String::new());
        }
        if facts.source.is_none() {
            facts.source = self.source.as_ref().and_then(Fetched::source);
        }
    }
}

impl Fetched {
    fn source(&self) -> Option<Source> {
        let fetcher = match (&self.owner, &self.url) {
            (Some(_), _) => "fetchFromGitHub",
            (None, Some(url)) if url.starts_with("mirror://pypi/") => "fetchPypi",
            (None, Some(_)) => "fetchurl",
            (None, None) => return None,
        };
        let arguments = [
            ("name", &self.name),
            ("owner", &self.owner),
            ("repo", &self.repo),
            ("tag", &self.tag),
            ("rev", &self.rev),
            ("url", &self.url),
        ];
        Some(Source {
            fetcher: fetcher.to_owned(),
            arguments: arguments
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                .collect(),
        })
    }
}

fn take(field: &mut String, told: &Option<String>, name: &str, unknown: &mut BTreeSet<String>) {
    if let Some(told) = told {
        told.clone_into(field);
        unknown.remove(name);
    }
}

#[cfg(test)]
mod tests;
