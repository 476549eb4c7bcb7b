//! What the commands that change a checkout of nixpkgs share: opening it, asking the index with its
//! packages as nixpkgs, and delivering the change.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{self, Contribution};
use super::exit::{Exit, Failure};
use super::interrupt::Interrupt;
use super::locking::not_written;
use super::progress::Watcher;
use super::report::{Report, Volume};
use super::{question, settings};
use crate::contribute::message::{self, Change};
use crate::contribute::{Commit, ContributeError, Repository, Tree, init};
use crate::event::{Event, Observer, Step};
use crate::index::Options;
use crate::nixpkgs::Nixpkgs;
use crate::nixpkgs::source::{self, Choice};
use crate::python::{Requirement, Version, Wanted};
use crate::render::Document;
use crate::write;

/// A checkout, and what is asked for it.
pub struct Contributing<'a> {
    /// As typed.
    pub args: &'a Contribution,
    /// What is meant besides.
    pub meant: settings::Lock,
    /// The checkout.
    pub tree: Tree,
    /// Its packages.
    pub nixpkgs: Arc<Nixpkgs>,
    /// The project that is to change, perhaps at a version.
    pub wanted: Requirement,
}

impl<'a> Contributing<'a> {
    /// Opens the checkout and reads its packages; also what the index client is asked to be.
    ///
    /// # Errors
    /// For the user: what is no checkout, no project, or no address.
    pub fn new(
        args: &'a Contribution,
        index: &args::Index,
        watcher: &Arc<Watcher>,
    ) -> Result<(Self, Options), Failure> {
        watcher.see(&Event::Step(Step::Reading));
        let wanted = requirement(&args.name)?;
        let tree = Tree::open(&args.nixpkgs).map_err(refused)?;
        if args.commit {
            Repository::open(tree.root()).map_err(refused)?;
        }
        let meant = meant(args, index)?;
        let mut around = question::surroundings(&meant);
        // The files tell enough, and a tree that is being worked on changes too often to evaluate it.
        around.nix = None;
        around.patience = Duration::ZERO;
        let choice = Choice::Tree(tree.root().to_owned());
        let bad = |error: source::SourceError| {
            Failure::usage(format!("`--nixpkgs {}`: {error}", args.nixpkgs.display()))
        };
        let mut located = source::locate(&choice, &around).map_err(bad)?;
        let python = &meant.targets.python;
        let nixpkgs = question::nixpkgs(python, &mut located, &around, None)?;
        let observer: Arc<dyn Observer> = Arc::clone(watcher) as Arc<dyn Observer>;
        let options = question::options(&meant.index, &[], observer)?;
        let at = Self {
            args,
            meant,
            tree,
            nixpkgs: Arc::new(nixpkgs),
            wanted,
        };
        Ok((at, options))
    }

    /// The version that was asked for; none for the newest.
    pub fn version(&self) -> Option<Version> {
        let mut specifiers = self.wanted.specifiers()?.iter();
        specifiers.next().map(|one| one.version().clone())
    }

    /// Writes the commits' files, commits them, or prints what would change; then the suggested text
    /// of a pull request.
    ///
    /// # Errors
    /// When something cannot be written; nothing has changed then.
    pub fn deliver(
        &self,
        commits: &[Commit],
        changes: &[Change],
        command: &str,
        report: &Report,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let documents = init::documents(commits);
        let root = self.tree.root();
        if self.args.dry_run {
            let diff = diff(root, &documents)?;
            super::command::print(report, &diff)?;
        } else {
            let written = self.write(commits, &documents, interrupt)?;
            for change in &written {
                report.say(Volume::Normal, &format!("Wrote {}", change.name));
            }
        }
        if self.args.commit {
            for commit in commits {
                let subject = commit.message.lines().next().unwrap_or_default();
                report.say(Volume::Normal, &format!("Committed {subject}"));
            }
        }
        self.pull_request(changes, command, report)
    }

    fn write(
        &self,
        commits: &[Commit],
        documents: &[Document],
        interrupt: &Interrupt,
    ) -> Result<Vec<write::Change>, Failure> {
        let root = self.tree.root();
        if !self.args.commit {
            let mut shield = interrupt.shield();
            let written = write::write_deep(root, documents).map_err(not_written)?;
            shield.written();
            return Ok(written);
        }
        let repository = Repository::open(root).map_err(refused)?;
        let last = repository.prepare(commits).map_err(refused)?;
        let mut shield = interrupt.shield();
        repository.advance(&last).map_err(refused)?;
        let written = match write::write_deep(root, documents) {
            Ok(written) => written,
            Err(error) => {
                repository.retreat(&last).map_err(refused)?;
                return Err(not_written(error));
            }
        };
        repository.settle().map_err(refused)?;
        shield.written();
        Ok(written)
    }

    fn pull_request(
        &self,
        changes: &[Change],
        command: &str,
        report: &Report,
    ) -> Result<(), Failure> {
        let Some(place) = &self.args.pr_body else {
            return Ok(());
        };
        let text = message::pull_request(changes, command);
        if place == Path::new("-") {
            return super::command::print(report, &text).map(drop);
        }
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty());
        let name = place
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name else {
            return Err(Failure::usage("`--pr-body`: it is no file").help("name a file"));
        };
        let document = Document { name, text };
        write::write(folder.unwrap_or(Path::new(".")), &[document]).map_err(not_written)?;
        let line = format!("Wrote {}", place.display());
        report.say(Volume::Normal, &line);
        Ok(())
    }
}

/// `lock`'s arguments as far as they matter here.
fn meant(args: &Contribution, index: &args::Index) -> Result<settings::Lock, Failure> {
    let lock = args::Lock {
        sources: vec![args.name.clone()],
        selection: args::Selection {
            extras: Vec::new(),
            all_extras: false,
            groups: Vec::new(),
            constraints: Vec::new(),
            overrides: Vec::new(),
        },
        versions: args::Versions {
            pins: None,
            python: args.python.clone(),
            systems: Vec::new(),
            nixpkgs: Some(args.nixpkgs.display().to_string()),
            channel_url: None,
            prefer: None,
            prerelease: None,
        },
        moves: args::Moves::default(),
        index: index.clone(),
        output: args::Output {
            output: None,
            format: None,
            lock_only: false,
            dry_run: true,
            stdout: false,
            json: false,
        },
    };
    settings::Lock::new(&lock, &|name| std::env::var(name).ok())
}

/// `NAME` or `NAME==V`.
fn requirement(text: &str) -> Result<Requirement, Failure> {
    let bad = || {
        Failure::usage(format!("`{text}` is neither NAME nor NAME==VERSION"))
            .help("name a project of the index, such as `requests` or `requests==2.32.3`")
    };
    let requirement = Requirement::parse(text).map_err(|_| bad())?;
    let Wanted::Versions(specifiers) = &requirement.wanted else {
        return Err(bad());
    };
    let exact = match specifiers.iter().collect::<Vec<_>>().as_slice() {
        [] => true,
        [one] => *one.operator() == pep440_rs::Operator::Equal,
        _ => false,
    };
    if !exact || !requirement.extras.is_empty() || text.contains(';') {
        return Err(bad());
    }
    Ok(requirement)
}

/// What would change.
fn diff(root: &Path, documents: &[Document]) -> Result<String, Failure> {
    let changes = write::compare(root, documents).map_err(not_written)?;
    let mut text = String::new();
    for (change, document) in changes.iter().zip(documents) {
        let old = change.old().map(String::from_utf8_lossy);
        let old_name = match &old {
            Some(_) => format!("a/{}", document.name),
            None => "/dev/null".to_owned(),
        };
        let diff = similar::TextDiff::configure()
            .timeout(Duration::from_secs(2))
            .diff_lines(old.as_deref().unwrap_or_default(), &document.text)
            .unified_diff()
            .context_radius(3)
            .header(&old_name, &format!("b/{}", document.name))
            .to_string();
        text.push_str(&diff);
    }
    Ok(text)
}

/// Why nothing could be done, for people.
pub fn refused(error: ContributeError) -> Failure {
    let failure = |exit, error: &ContributeError| {
        let failure = Failure::new(exit, error.to_string());
        match std::error::Error::source(error) {
            Some(source) => failure.why(source.to_string()),
            None => failure,
        }
    };
    match error {
        ContributeError::Index(error) => Failure::from(error),
        ContributeError::Blocked(ref sentences) => {
            let mut failure = failure(Exit::Unsatisfiable, &error);
            failure.why.clone_from(sentences);
            failure.help("nothing was written")
        }
        ContributeError::Dirty(ref lines) => {
            let mut failure = failure(Exit::Usage, &error);
            failure.why.extend(lines.iter().take(10).cloned());
            failure.help("commit or stash them first, or leave `--commit` out")
        }
        ContributeError::NotNixpkgs(_) => failure(Exit::Usage, &error)
            .help("name the top folder of a checkout of nixpkgs with `--nixpkgs`"),
        ContributeError::Absent(_) => failure(Exit::Usage, &error)
            .help("write its first module with `pyresolve nixpkgs init`"),
        ContributeError::UnknownMaintainer(_) => failure(Exit::Usage, &error)
            .help("add yourself there first, in a commit of its own: `maintainers: add HANDLE`"),
        ContributeError::Exists { .. } => failure(Exit::Usage, &error)
            .help("bring it to another version with `pyresolve nixpkgs update`"),
        ContributeError::NoPlace { .. } => {
            failure(Exit::Usage, &error).help("nothing was written: edit the file by hand")
        }
        ContributeError::Git { .. } => failure(Exit::Usage, &error)
            .help("nothing was changed; put that right, or leave `--commit` out"),
        ContributeError::NoModule { .. } => failure(Exit::Unsatisfiable, &error),
        ContributeError::Unreadable { .. } => failure(Exit::Usage, &error),
    }
}
