//! Arguments of `pyresolve nixpkgs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Annotate, Index};

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
