//! What was typed, as clap sees it. Nothing is decided here: defaults that depend on anything,
//! conflicts between files and flags, and the environment are the business of [`super::settings`].

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::nixpkgs::snapshot;

mod nixpkgs;
mod shared;

pub use nixpkgs::{
    Contribution, Forge, Nixpkgs, NixpkgsCommand, NixpkgsInit, NixpkgsLint, NixpkgsUpdate,
};
pub use shared::{Format, Index, Moves, Output, Pins, Prefer, Prerelease, Selection, Versions};

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
    /// Where channels are that `--nixpkgs channel:NAME` names: only lists in the cache are read
    #[arg(
        long,
        value_name = "URL",
        env = "PYRESOLVE_CHANNEL_URL",
        hide_env_values = true
    )]
    pub channel_url: Option<String>,
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
