//! What was typed, as clap sees it. Nothing is decided here: defaults that depend on anything,
//! conflicts between files and flags, and the environment are the business of [`super::settings`].

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::nixpkgs::snapshot;
use crate::python::System;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 the requirements cannot be satisfied (or differences were found),
2 usage or input, 3 index, network or integrity.";

/// The program's version, and the day of what it knows of nixpkgs by itself.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let (channel, date) = snapshot::origin();
    let version = env!("CARGO_PKG_VERSION");
    format!("{version} (bundled nixpkgs: {channel} of {date})")
});

/// Turns a Python project into pinned, readable, reviewable Nix.
///
/// Reads setup.py, pyproject.toml, setup.cfg or requirements files without running them, resolves
/// the requirements against a package index, and writes a Nix file with an entry for exactly what
/// nixpkgs lacks, and a pylock.toml with every pin. Needs neither Nix nor Python.
#[derive(Debug, Parser)]
#[command(name = "pyresolve", version = VERSION.as_str(), styles = STYLES, after_help = AFTER_HELP, max_term_width = 100)]
#[command(
    infer_subcommands = false,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// How much is said, and how.
    #[command(flatten)]
    pub display: Display,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Display")]
pub struct Display {
    /// Say less: errors and warnings only; twice: errors only
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// Say more: every pin and its reason; twice: where the time went
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Do not draw progress (it is never drawn where standard error is no terminal)
    #[arg(long, global = true)]
    pub no_progress: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Resolve a project's requirements; write dependencies.nix and pylock.toml
    Lock(Box<Lock>),
    /// Tell whether the lock is still what the sources ask for, and still true; exit code 1 where not
    Check(Box<Check>),
    /// Let pins move, and tell which did
    Update(Box<Update>),
    /// Drop entries that nixpkgs has caught up with
    Prune(Box<Prune>),
    /// Write files to begin with: default.nix and shell.nix, a flake, an image, a package
    Init(Init),
    /// Prepare changes of nixpkgs itself, in a checkout: new modules, updates, what reviewers would say
    Nixpkgs(Nixpkgs),
    /// Show what a project says of itself, read without running any of it
    Inspect(Inspect),
    /// Show a lock as a tree
    Tree(Tree),
    /// Show who asks for a project, and what became of it
    Why(Why),
    /// Write a page that shows the graph, what each project is, and why
    Report(Box<Report>),
    /// Show what two locks disagree about; exit code 1 where they do
    Diff(Diff),
    /// Print a lock in another format
    Export(Export),
    /// Show where answers of the index are kept, or remove them
    Cache(Cache),
    /// Print what makes a shell complete pyresolve's arguments
    Completions(Completions),
    /// Print the manual, or write its pages into a folder
    Man(Man),
}

/// Arguments of `pyresolve init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Where to; files that are there already stay as they are
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Write flake.nix: packages, shells, checks and an overlay
    #[arg(long)]
    pub flake: bool,
    /// Write image.nix, for Docker or Podman
    #[arg(long)]
    pub docker: bool,
    /// Write package.nix: the project itself as a program, with the locked dependencies
    #[arg(long)]
    pub app: bool,
    /// Have nix-shell run a script with inline metadata (PEP 723): puts lines at its start
    #[arg(long, value_name = "FILE.py", conflicts_with_all = ["flake", "docker", "app", "folder"])]
    pub script: Option<PathBuf>,
}

/// Arguments of `pyresolve nixpkgs`.
#[derive(Debug, Args)]
pub struct Nixpkgs {
    /// What to do.
    #[command(subcommand)]
    pub command: NixpkgsCommand,
}

/// What to do in a checkout of nixpkgs.
#[derive(Debug, Subcommand)]
pub enum NixpkgsCommand {
    /// Write modules for a project and for everything that it needs and nixpkgs lacks
    Init(Box<NixpkgsInit>),
    /// Bring an existing module to another version, in place
    Update(Box<NixpkgsUpdate>),
    /// Say what reviewers would say of modules; exit code 1 where there is something
    Lint(NixpkgsLint),
}

impl Nixpkgs {
    /// Whether a failure is to be told as JSON too.
    pub fn json(&self) -> bool {
        match &self.command {
            NixpkgsCommand::Init(_) | NixpkgsCommand::Update(_) => false,
            NixpkgsCommand::Lint(args) => args.json,
        }
    }
}

/// Arguments of `pyresolve nixpkgs init`.
#[derive(Debug, Args)]
pub struct NixpkgsInit {
    /// What, where, and what becomes of it.
    #[command(flatten)]
    pub contribution: Contribution,
    /// Who will look after the modules: a handle of maintainers/maintainer-list.nix (repeatable)
    #[arg(long = "maintainer", value_name = "HANDLE")]
    pub maintainers: Vec<String>,
    /// Where sources are fetched from: the index' sdist, or the tag on the forge where there is one
    #[arg(long, value_name = "WHERE", default_value = "pypi")]
    pub source: Forge,
    /// The licence of a project whose metadata leaves it open: an SPDX expression (repeatable)
    #[arg(long = "license", value_name = "NAME=SPDX", visible_alias = "licence")]
    pub licenses: Vec<String>,
    /// Where nixpkgs has a dependency at another version: drop the limit (`pythonRelaxDeps`) instead
    /// of stopping
    #[arg(long)]
    pub relax: bool,
    /// Ask nothing: licences that are not certain are left open, marked TODO, with exit code 1
    #[arg(long)]
    pub no_input: bool,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
}

/// Arguments of `pyresolve nixpkgs update`.
#[derive(Debug, Args)]
pub struct NixpkgsUpdate {
    /// What, where, and what becomes of it.
    #[command(flatten)]
    pub contribution: Contribution,
    /// The digest of the new source, where it cannot be made here: `sha256-…`
    #[arg(long, value_name = "SRI")]
    pub hash: Option<String>,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
}

/// Arguments of `pyresolve nixpkgs lint`.
#[derive(Debug, Args)]
pub struct NixpkgsLint {
    /// Modules, or the list of packages
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Do not look at a rule (repeatable)
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Print JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// Print what is found as annotations of a CI system
    #[arg(long, value_name = "SYSTEM", conflicts_with = "json")]
    pub annotate: Option<Annotate>,
}

/// Where a module's source is fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Forge {
    /// The sdist, with `fetchPypi`
    Pypi,
    /// The tag of the version, with `fetchFromGitHub`; the sdist where there is none
    Github,
}

/// What is changed in a checkout of nixpkgs, and what becomes of the change.
#[derive(Debug, Args)]
pub struct Contribution {
    /// The project, at the newest version or at this one
    #[arg(value_name = "NAME[==V]")]
    pub name: String,
    /// The checkout
    #[arg(long, value_name = "PATH")]
    pub nixpkgs: PathBuf,
    /// The Python that the checkout's packages are looked at for [default: that of the snapshot]
    #[arg(short, long, value_name = "X.Y", visible_alias = "python-version")]
    pub python: Option<String>,
    /// Commit each package, with nixpkgs' message; only where nothing else has changed
    #[arg(long, conflicts_with = "dry_run")]
    pub commit: bool,
    /// Write nothing; print what would change, as a diff
    #[arg(long)]
    pub dry_run: bool,
    /// Suggest a text for the pull request, on standard output or in a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub pr_body: Option<PathBuf>,
}

/// Arguments of `pyresolve inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// A project's folder, setup.py, setup.cfg, pyproject.toml, a requirements file (*.txt, *.in),
    /// another tool's lock, an sdist or a wheel
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// Print JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `pyresolve lock`.
#[derive(Debug, Args)]
pub struct Lock {
    /// What to lock: setup.py, pyproject.toml, setup.cfg, a requirements file (*.txt, *.in), another
    /// tool's lock (uv.lock, poetry.lock, pdm.lock, Pipfile.lock, pylock.toml), a folder, or a
    /// requirement such as 'tornado>=6.5' [default: the current folder]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// What is taken from the project.
    #[command(flatten)]
    pub selection: Selection,
    /// Which versions will do.
    #[command(flatten)]
    pub versions: Versions,
    /// Which pins may move.
    #[command(flatten)]
    pub moves: Moves,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

/// Arguments of `pyresolve check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What the lock was made from, as with `lock` [default: the current folder]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// What is taken from the project.
    #[command(flatten)]
    pub selection: Selection,
    /// Which versions will do.
    #[command(flatten)]
    pub versions: Versions,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
    /// The Nix file; pylock.toml is beside it. With --lock-only: the lock itself
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How entries are laid out in files [default: as the lock was made]
    #[arg(long, value_name = "FORMAT", conflicts_with = "lock_only")]
    pub format: Option<Format>,
    /// There is only a lock
    #[arg(long)]
    pub lock_only: bool,
    /// Print JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// Another nixpkgs with which the files have to hold, as with --nixpkgs (repeatable)
    #[arg(long, value_name = "WHICH")]
    pub against: Vec<String>,
    /// Print what is found as annotations of a CI system
    #[arg(long, value_name = "SYSTEM", conflicts_with = "json")]
    pub annotate: Option<Annotate>,
}

/// A CI system's own way to be told of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Annotate {
    /// Workflow commands of GitHub Actions.
    Github,
    /// A Code Quality report of GitLab.
    Gitlab,
}

/// Arguments of `pyresolve update`.
#[derive(Debug, Args)]
pub struct Update {
    /// What may move, or is to move to a version; everything else stays [default: everything]
    #[arg(value_name = "NAME[==V]")]
    pub names: Vec<String>,
    /// What the lock was made from, as with `lock` (repeatable) [default: the current folder]
    #[arg(long = "source", value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Take the newest releases even where nixpkgs' own would do (`--prefer latest`)
    #[arg(long, conflicts_with = "prefer")]
    pub latest: bool,
    /// Print what moves to standard output, ready for a pull request
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub summary: Option<DiffFormat>,
    /// What is taken from the project.
    #[command(flatten)]
    pub selection: Selection,
    /// Which versions will do.
    #[command(flatten)]
    pub versions: Versions,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

/// Arguments of `pyresolve prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// What the lock was made from, as with `lock` [default: the current folder]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// What is taken from the project.
    #[command(flatten)]
    pub selection: Selection,
    /// Which versions will do.
    #[command(flatten)]
    pub versions: Versions,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

impl Check {
    /// As arguments of `lock` that would write what is checked.
    pub fn as_lock(&self) -> Lock {
        Lock {
            sources: self.sources.clone(),
            selection: self.selection.clone(),
            versions: self.versions.clone(),
            moves: Moves::default(),
            index: self.index.clone(),
            output: Output {
                output: self.output.clone(),
                format: self.format,
                lock_only: self.lock_only,
                dry_run: true,
                stdout: false,
                json: self.json,
            },
        }
    }
}

impl Report {
    /// As arguments of `lock` that would write what is shown.
    pub fn as_lock(&self) -> Lock {
        Lock {
            sources: self.sources.clone(),
            selection: self.selection.clone(),
            versions: self.versions.clone(),
            moves: Moves::default(),
            index: self.index.clone(),
            output: Output {
                output: self.output.clone(),
                format: None,
                lock_only: false,
                dry_run: true,
                stdout: false,
                json: false,
            },
        }
    }
}

impl Update {
    /// As arguments of `lock`.
    pub fn as_lock(&self) -> Lock {
        let mut versions = self.versions.clone();
        if self.latest {
            versions.prefer = Some(Prefer::Latest);
        }
        let mut index = self.index.clone();
        index.refresh = !index.offline && !index.no_cache;
        Lock {
            sources: self.sources.clone(),
            selection: self.selection.clone(),
            versions,
            moves: Moves {
                upgrade: self.names.is_empty(),
                upgrade_package: self.names.clone(),
            },
            index,
            output: self.output.clone(),
        }
    }
}

impl Prune {
    /// As arguments of `lock`.
    pub fn as_lock(&self) -> Lock {
        Lock {
            sources: self.sources.clone(),
            selection: self.selection.clone(),
            versions: self.versions.clone(),
            moves: Moves::default(),
            index: self.index.clone(),
            output: self.output.clone(),
        }
    }
}

/// What is taken from the project.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Project")]
pub struct Selection {
    /// Include an extra of the project (repeatable)
    #[arg(long = "extra", value_name = "NAME")]
    pub extras: Vec<String>,
    /// Include every extra of the project
    #[arg(long, conflicts_with = "extras")]
    pub all_extras: bool,
    /// Include a dependency group of the project (repeatable)
    #[arg(long = "group", value_name = "NAME")]
    pub groups: Vec<String>,
    /// Versions that requirements must meet in addition, from a requirements file (repeatable)
    #[arg(
        short,
        long = "constraint",
        value_name = "FILE",
        visible_alias = "constraints"
    )]
    pub constraints: Vec<PathBuf>,
    /// Requirements that replace every other requirement on the same project, from a file (repeatable)
    #[arg(long = "override", value_name = "FILE", visible_alias = "overrides")]
    pub overrides: Vec<PathBuf>,
}

/// Which versions will do.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Versions")]
pub struct Versions {
    /// The Python to lock for, such as 3.13 or 3.13.5 [default: that of the nixpkgs snapshot]
    #[arg(short, long, value_name = "X.Y", visible_alias = "python-version")]
    pub python: Option<String>,
    /// A system to lock for (repeatable) [default: x86_64-linux, aarch64-linux, aarch64-darwin]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub systems: Vec<System>,
    /// The nixpkgs whose versions and attributes count: snapshot (the bundled table), the path of a
    /// tree, <nixpkgs>, flake.lock, channel:NAME, or none
    /// [default: flake.lock beside the source, else <nixpkgs> where Nix is, else snapshot]
    #[arg(long, value_name = "WHICH", env = "PYRESOLVE_NIXPKGS")]
    pub nixpkgs: Option<String>,
    /// Where channels are that `--nixpkgs channel:NAME` names [default: NixOS' own host]
    #[arg(
        long,
        value_name = "URL",
        env = "PYRESOLVE_CHANNEL_URL",
        hide_env_values = true
    )]
    pub channel_url: Option<String>,
    /// Which version to take where several will do [default: nixpkgs]
    #[arg(long, value_name = "WHICH")]
    pub prefer: Option<Prefer>,
    /// What the pins of another tool's lock count for, where that is the source [default: exact]
    #[arg(long, value_name = "HOW")]
    pub pins: Option<Pins>,
    /// When a pre-release will do
    /// [default: if-necessary-or-explicit]
    #[arg(long, value_name = "WHEN")]
    pub prerelease: Option<Prerelease>,
}

/// What the pins of another tool's lock count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pins {
    /// These versions and no others.
    Exact,
    /// These versions where they will do.
    Prefer,
}

/// Which pins of an existing lock may move.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Versions")]
pub struct Moves {
    /// Let every pin move, even where the existing lock still holds
    #[arg(short = 'U', long)]
    pub upgrade: bool,
    /// Let one pin move, or move it to a version (repeatable)
    #[arg(short = 'P', long, value_name = "NAME[==V]")]
    pub upgrade_package: Vec<String>,
}

/// Which version to take where several will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Prefer {
    /// nixpkgs' version where it will do, then the newest
    Nixpkgs,
    /// The newest
    Latest,
    /// The oldest
    Lowest,
}

/// When a pre-release will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Prerelease {
    /// Never
    Disallow,
    /// Always
    Allow,
    /// Where a project has nothing else
    IfNecessary,
    /// Where a requirement names one
    Explicit,
    /// Where a requirement names one, or a project has nothing else
    IfNecessaryOrExplicit,
}

/// Where releases come from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Index")]
pub struct Index {
    /// The package index (Simple API) [env: PIP_INDEX_URL] [default: PyPI]
    #[arg(short, long, value_name = "URL", visible_alias = "default-index")]
    pub index_url: Option<String>,
    /// A further index, asked first; the first that knows a name wins [env: PIP_EXTRA_INDEX_URL]
    #[arg(long, value_name = "URL")]
    pub extra_index_url: Vec<String>,
    /// A named index, asked first (repeatable); projects can be tied to it
    #[arg(long = "index", value_name = "NAME=URL")]
    pub indexes: Vec<String>,
    /// Ignore what was uploaded later; NAME=DATE for one project (repeatable)
    #[arg(long, value_name = "DATE")]
    pub exclude_newer: Vec<String>,
    /// Use only wheels of a project, or of `:all:`
    #[arg(long, value_name = "NAME")]
    pub only_binary: Vec<String>,
    /// Use only sdists of a project, or of `:all:`
    #[arg(long, value_name = "NAME")]
    pub no_binary: Vec<String>,
    /// Package a project's wheel although it has an sdist (repeatable)
    #[arg(long, value_name = "NAME")]
    pub prefer_wheels: Vec<String>,
    /// Where answers of the index are kept [default: the platform's cache folder]
    #[arg(
        long,
        value_name = "FOLDER",
        env = "PYRESOLVE_CACHE_DIR",
        hide_env_values = true
    )]
    pub cache_dir: Option<PathBuf>,
    /// Run the build code of a project whose requirements cannot be read, in a sandbox without
    /// network (repeatable; takes bubblewrap and a python3 with the build requirements)
    #[arg(long, value_name = "NAME[,NAME…]", value_delimiter = ',')]
    pub allow_build: Vec<String>,
    /// Run it without a sandbox, with all that you may do yourself
    #[arg(long, requires = "allow_build")]
    pub allow_build_unsandboxed: bool,
    /// Neither read nor write the cache
    #[arg(long, conflicts_with = "offline")]
    pub no_cache: bool,
    /// Use the cache only; make no request
    #[arg(long)]
    pub offline: bool,
    /// Ask the index whether cached answers still hold, even those it said would for a while
    #[arg(long, conflicts_with = "offline")]
    pub refresh: bool,
}

/// Where results go.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// The Nix file; pylock.toml goes beside it. With --lock-only: the lock itself
    /// [default: dependencies.nix beside the source]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How entries are laid out in files [default: as the lock was made, else let]
    #[arg(long, value_name = "FORMAT", conflicts_with = "lock_only")]
    pub format: Option<Format>,
    /// Write only the lock; read no sources
    #[arg(long, conflicts_with = "stdout")]
    pub lock_only: bool,
    /// Write nothing; say what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Print the Nix to standard output; write nothing
    #[arg(long, conflicts_with_all = ["json", "dry_run"])]
    pub stdout: bool,
    /// Print the summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

/// How entries are laid out in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One file: a function that returns the overlay, the Python with it, and the environment
    Let,
    /// One file: an overlay of nixpkgs (overlay.nix)
    Overlay,
    /// As let, with a file for each entry in a folder beside it
    PackagesDir,
}

/// Arguments of `pyresolve tree`.
#[derive(Debug, Args)]
pub struct Tree {
    /// The lock
    #[arg(long, value_name = "FILE", default_value = "pylock.toml")]
    pub lock: PathBuf,
    /// How it is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TreeFormat,
    /// How many levels are shown; only text
    #[arg(long, value_name = "LEVELS")]
    pub depth: Option<usize>,
    /// Print JSON
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// How a tree is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TreeFormat {
    /// Lines and branches.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// Arguments of `pyresolve why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The project
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The lock
    #[arg(long, value_name = "FILE", default_value = "pylock.toml")]
    pub lock: PathBuf,
    /// The nixpkgs by which the ways out are weighed, as with `lock`
    /// [default: as with `lock`, seen from the lock]
    #[arg(long, value_name = "WHICH", env = "PYRESOLVE_NIXPKGS")]
    pub nixpkgs: Option<String>,
    /// Where answers of the index are kept: nothing else is asked [default: the platform's cache
    /// folder]
    #[arg(
        long,
        value_name = "FOLDER",
        env = "PYRESOLVE_CACHE_DIR",
        hide_env_values = true
    )]
    pub cache_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `pyresolve report`.
#[derive(Debug, Args)]
pub struct Report {
    /// What the lock was made from, as with `lock` [default: the current folder]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Write one HTML page that needs nothing else; - is standard output
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// Read this lock alone, ours or another tool's, and no sources: less is known then
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sources", "output"])]
    pub lock: Option<PathBuf>,
    /// What is taken from the project.
    #[command(flatten)]
    pub selection: Selection,
    /// Which versions will do.
    #[command(flatten)]
    pub versions: Versions,
    /// Where releases come from.
    #[command(flatten)]
    pub index: Index,
    /// The Nix file; pylock.toml is beside it [default: dependencies.nix beside the source]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `pyresolve diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// A lock
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Another
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// How it is shown
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DiffFormat,
    /// Print JSON
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// How a difference is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// A line for each project.
    Text,
    /// A table, for a pull request.
    Markdown,
}

/// Arguments of `pyresolve export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The lock
    #[arg(long, value_name = "FILE", default_value = "pylock.toml")]
    pub lock: PathBuf,
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "requirements")]
    pub format: ExportFormat,
}

/// What a lock can be printed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// pip's requirements file, with hashes.
    Requirements,
}

/// Arguments of `pyresolve cache`.
#[derive(Debug, Args)]
pub struct Cache {
    /// What to do
    #[arg(value_name = "ACTION")]
    pub action: CacheAction,
    /// The folder [default: the platform's cache folder]
    #[arg(
        long,
        value_name = "FOLDER",
        env = "PYRESOLVE_CACHE_DIR",
        hide_env_values = true
    )]
    pub cache_dir: Option<PathBuf>,
}

/// What to do with the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheAction {
    /// Print the folder
    Dir,
    /// Remove everything
    Clean,
    /// Remove what other versions of pyresolve keep
    Prune,
}

/// Arguments of `pyresolve completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of `pyresolve man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for every command into this folder
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
