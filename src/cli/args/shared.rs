//! Arguments that several commands have in common: what is locked, which versions will do, where
//! releases come from and results go.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::python::System;

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
