//! What is meant: arguments, environment and settings files combined (in this order), checked, and
//! typed. Later code sees only this; it reads neither arguments nor environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use super::args::{self, Prefer as TypedPrefer, Prerelease as TypedPrerelease};
use super::configured::{self, Configured};
use super::exit::Failure;
use super::repeat;
use crate::index::Timestamp;
use crate::nixpkgs::snapshot;
use crate::nixpkgs::source::{self as tree, Choice};
use crate::python::{PackageName, Requirement, System, Targets, Version};
use crate::render::{self, Layout};
use crate::resolve::{Formats, Policy, Prefer, Prerelease};

/// Something to be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file or a folder.
    Path(PathBuf),
    /// A requirement given on the command line.
    Requirement(Box<Requirement>),
}

/// Which pins of an existing lock may move.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upgrade {
    /// All of them.
    pub all: bool,
    /// These.
    pub packages: Vec<PackageName>,
    /// To these versions.
    pub requirements: Vec<Requirement>,
    /// Those with an entry, to the version that nixpkgs has, where that will do.
    pub to_nixpkgs: bool,
}

/// Where answers of the index are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In the platform's cache folder.
    Platform,
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Where releases come from.
#[derive(Debug, Clone)]
pub struct IndexSettings {
    /// The main index, if the user names one; may hold a login.
    pub main: Option<String>,
    /// Further indexes, in order; may hold logins.
    pub extra: Vec<String>,
    /// Indexes with names.
    pub named: Vec<(String, String)>,
    /// Projects that come from the index of this name only.
    pub pinned: BTreeMap<PackageName, String>,
    /// Files uploaded at this moment or later do not exist.
    pub exclude_newer: Option<Timestamp>,
    /// The same for single projects.
    pub exclude_newer_for: BTreeMap<PackageName, Timestamp>,
    /// Where answers are kept.
    pub cache: Cache,
    /// Projects whose build code may be run.
    pub allow_build: BTreeSet<PackageName>,
    /// Whether that may be done without a sandbox.
    pub unsandboxed: bool,
    /// Whether requests are forbidden.
    pub offline: bool,
    /// Whether even fresh answers are checked.
    pub refresh: bool,
}

/// Where results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The folder.
    pub folder: PathBuf,
    /// The Nix file's name; none with `--lock-only`.
    pub nix: Option<String>,
    /// How entries are laid out in files.
    pub layout: Layout,
    /// The lock's name.
    pub lock: String,
}

/// What `pyresolve lock` is asked to do.
#[derive(Debug, Clone)]
pub struct Lock {
    /// The command that makes it again, for people.
    pub command: String,
    /// What to lock; at least one.
    pub sources: Vec<Source>,
    /// Extras of the project.
    pub extras: Vec<String>,
    /// Every extra of the project.
    pub all_extras: bool,
    /// Dependency groups of the project.
    pub groups: Vec<String>,
    /// Constraints files.
    pub constraints: Vec<PathBuf>,
    /// Overrides files.
    pub overrides: Vec<PathBuf>,
    /// What it is for.
    pub targets: Targets,
    /// Which nixpkgs counts.
    pub nixpkgs: Option<Choice>,
    /// Where channels are, if not where they usually are.
    pub channel_url: Option<String>,
    /// Which version to take where several will do.
    pub policy: Policy,
    /// Projects whose wheels are packaged although they have sdists.
    pub prefer_wheels: BTreeSet<PackageName>,
    /// Whether the pins of other tools' locks are to be taken exactly.
    pub exact: bool,
    /// What may move.
    pub upgrade: Upgrade,
    /// Where releases come from.
    pub index: IndexSettings,
    /// Where results go.
    pub output: Output,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Whether the Nix goes to standard output instead.
    pub stdout: bool,
    /// Whether the summary goes to standard output as JSON.
    pub json: bool,
}

impl Lock {
    /// What these arguments mean, with `env` to look up environment variables.
    ///
    /// # Errors
    /// For the user: what is wrong with which argument.
    pub fn new(args: &args::Lock, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let sources = sources(&args.sources)?;
        let configured = configured::read(&sources)?;
        let output = output(&args.output, &sources, &configured)?;
        let selection = &args.selection;
        let extras = if selection.extras.is_empty() && !selection.all_extras {
            configured.extras.clone()
        } else {
            selection.extras.clone()
        };
        let groups = if selection.groups.is_empty() {
            configured.groups.clone()
        } else {
            selection.groups.clone()
        };
        let mut meant = Self {
            command: repeat::command(args, &sources, &configured, &output, env),
            extras,
            all_extras: args.selection.all_extras,
            groups,
            constraints: args.selection.constraints.clone(),
            overrides: args.selection.overrides.clone(),
            targets: targets(&args.versions, &configured)?,
            nixpkgs: args
                .versions
                .nixpkgs
                .as_deref()
                .map(|text| Choice::parse(text, Path::new(""))),
            channel_url: match &args.versions.channel_url {
                Some(url) => Some(url.clone()),
                None => configured.channel_url.clone(),
            },
            policy: policy(args, &configured)?,
            prefer_wheels: prefer_wheels(args, &configured)?,
            exact: args.versions.pins != Some(args::Pins::Prefer),
            upgrade: upgrade(&args.moves)?,
            index: index(&args.index, env, &configured)?,
            sources,
            output,
            dry_run: args.output.dry_run,
            stdout: args.output.stdout,
            json: args.output.json,
        };
        if !is_full(args.versions.python.as_deref()) && configured.python.is_none() {
            meant.ask_tree(&configured);
        }
        Ok(meant)
    }

    /// Takes the full version of the interpreter from the tree that counts, where one does.
    fn ask_tree(&mut self, configured: &Configured) {
        let choice = self.nixpkgs.as_ref().or(configured.nixpkgs.as_ref());
        let choice = choice.cloned().unwrap_or_default();
        let around = super::question::surroundings(self);
        let minor = self.targets.python_minor();
        if let Some(python) = tree::python(&choice, &around, &minor)
            && python.is_stable()
        {
            let systems = self.targets.environments.iter().map(|e| e.system);
            self.targets = Targets::new(python, &systems.collect::<Vec<_>>());
        }
    }
}

/// Whether a Python is named with all three numbers.
fn is_full(typed: Option<&str>) -> bool {
    typed.is_some_and(|text| text.matches('.').count() > 1)
}

fn sources(typed: &[String]) -> Result<Vec<Source>, Failure> {
    if typed.is_empty() {
        return Ok(vec![Source::Path(PathBuf::from("."))]);
    }
    typed.iter().map(|text| source(text)).collect()
}

/// A path if there is something at it; else a requirement, unless it can only be meant as a path.
fn source(text: &str) -> Result<Source, Failure> {
    let path = Path::new(text);
    if path.exists() && !(path.is_dir() && is_in_the_way(text)) {
        return Ok(Source::Path(path.to_owned()));
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let only_path = matches!(extension, "py" | "toml" | "cfg" | "txt" | "in" | "lock")
        || text.starts_with(['.', '/'])
        || (text.contains('/') && !text.contains('@'));
    if only_path {
        let failure = Failure::usage(format!("`{text}`: no such file or folder")).help(
            "name a setup.py, pyproject.toml, setup.cfg, requirements file or folder that exists",
        );
        // Never taken for one: who mistypes a file's name must not get somebody's project.
        return Err(match PackageName::from_str(text) {
            Ok(name) => failure.help(format!(
                "or, if you mean the project of that name on the index, write `{name}`"
            )),
            Err(_) => failure,
        });
    }
    match Requirement::parse(text) {
        Ok(requirement) => Ok(Source::Requirement(Box::new(requirement))),
        Err(error) => Err(Failure::usage(format!(
            "`{text}` is neither an existing path nor a requirement"
        ))
        .why(error.reason)
        .help("a requirement looks like `tornado>=6.5`; quote it, or the shell will take `>` for itself")),
    }
}

/// `flask` is a requirement even where there is a folder of that name, unless a project is in it.
fn is_in_the_way(text: &str) -> bool {
    const SPEAKS: [&str; 5] = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "requirements.txt",
        "PKG-INFO",
    ];
    let bare = !text.starts_with('.') && !text.contains(['/', '\\']);
    bare && PackageName::from_str(text).is_ok()
        && !SPEAKS
            .iter()
            .any(|name| Path::new(text).join(name).exists())
}

fn output(
    typed: &args::Output,
    sources: &[Source],
    configured: &Configured,
) -> Result<Output, Failure> {
    let chosen = typed.output.as_ref().or(configured.output.as_ref());
    let (folder, name) = match chosen {
        Some(path) => {
            let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(|| {
                Failure::usage(format!("`{}` is not the name of a file", path.display()))
                    .help("give `--output` a file, such as `nix/dependencies.nix`")
            })?;
            if path.is_dir() {
                return Err(
                    Failure::usage(format!("`{}` is a folder", path.display())).help(format!(
                        "write `--output {}/dependencies.nix`",
                        path.display()
                    )),
                );
            }
            let parent = path.parent().unwrap_or(Path::new(""));
            // The settings name the Nix file; the lock lies beside it.
            let named = typed.output.is_some() || !typed.lock_only;
            (parent.to_owned(), named.then(|| name.to_owned()))
        }
        None => (beside(sources), None),
    };
    let folder = if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder
    };
    if !typed.stdout && !folder.is_dir() {
        if folder.exists() {
            let what = format!("`{}` is a file, not a folder", folder.display());
            return Err(Failure::usage(what).help("choose another place with `--output`"));
        }
        return Err(
            Failure::usage(format!("`{}`: no such folder", folder.display()))
                .help(format!("make it first: `mkdir -p {}`", folder.display())),
        );
    }
    let layout = match typed.format {
        Some(args::Format::Let) => Layout::Let,
        Some(args::Format::Overlay) => Layout::Overlay,
        Some(args::Format::PackagesDir) => Layout::PackagesDir,
        None => std::fs::read_to_string(folder.join("pylock.toml"))
            .map_or(Layout::Let, |lock| render::lock::layout(&lock)),
    };
    let (nix, lock) = if typed.lock_only {
        (None, name.unwrap_or_else(|| "pylock.toml".to_owned()))
    } else {
        let nix = name.unwrap_or_else(|| layout.file().to_owned());
        if nix == "pylock.toml" {
            return Err(Failure::usage(
                "`--output` names the Nix file, and `pylock.toml` is the lock beside it",
            )
            .help("name a `.nix` file, or add `--lock-only`"));
        }
        (Some(nix), "pylock.toml".to_owned())
    };
    Ok(Output {
        folder,
        nix,
        layout,
        lock,
    })
}

/// The folder of the first source that is a path; else the current one.
pub(super) fn beside(sources: &[Source]) -> PathBuf {
    let first = sources.iter().find_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Requirement(_) => None,
    });
    match first {
        Some(path) if path.is_dir() => path.clone(),
        Some(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
        None => PathBuf::new(),
    }
}

/// The last patch release of each Python that the snapshot lacks and that will have no more, or had
/// had at the snapshot's day: `Requires-Python` sometimes names patch releases.
const PATCHES: [(u64, u64); 7] = [
    (6, 15),
    (7, 17),
    (8, 20),
    (9, 25),
    (10, 20),
    (11, 15),
    (12, 13),
];

fn targets(typed: &args::Versions, configured: &Configured) -> Result<Targets, Failure> {
    let python = match (&typed.python, &configured.python) {
        (Some(text), _) => python(text).map_err(|failure| failure.of("--python"))?,
        (None, Some(python)) => python.clone(),
        (None, None) => snapshot::default_python(),
    };
    let given = [&typed.systems, &configured.systems];
    let given = given.into_iter().find(|systems| !systems.is_empty());
    let systems = given.map_or(&System::DEFAULT[..], Vec::as_slice);
    Ok(Targets::new(python, systems))
}

/// A Python to lock for.
///
/// # Errors
/// When it is not a version of CPython 3.
pub fn python(text: &str) -> Result<Version, Failure> {
    let bad = |why: &str| {
        Failure::usage(format!("`{text}`: {why}"))
            .help("write a version of CPython 3, such as `3.13` or `3.13.5`")
    };
    let version = Version::from_str(text.trim_start_matches("python"))
        .map_err(|_| bad("this is not a version"))?;
    match *version.release() {
        [3, minor] if version.is_stable() => Ok(full_version(minor)),
        [3, _, _] => Ok(version),
        [3] => Ok(snapshot::default_python()),
        _ => Err(bad("only versions of CPython 3 can be locked for")),
    }
}

fn full_version(minor: u64) -> Version {
    snapshot::python(&format!("3.{minor}")).unwrap_or_else(|| {
        let patch = PATCHES
            .iter()
            .find(|(m, _)| *m == minor)
            .map_or(0, |(_, patch)| *patch);
        Version::new([3, minor, patch])
    })
}

fn policy(typed: &args::Lock, configured: &Configured) -> Result<Policy, Failure> {
    let format = |typed: &[String], argument: &str, configured: &Option<Formats>| match configured {
        Some(configured) if typed.is_empty() => Ok(configured.clone()),
        _ => formats(typed, argument),
    };
    Ok(Policy {
        prefer: match typed.versions.prefer.or(configured.prefer) {
            None | Some(TypedPrefer::Nixpkgs) => Prefer::Nixpkgs,
            Some(TypedPrefer::Latest) => Prefer::Latest,
            Some(TypedPrefer::Lowest) => Prefer::Lowest,
        },
        prerelease: match typed.versions.prerelease.or(configured.prerelease) {
            Some(TypedPrerelease::Disallow) => Prerelease::Disallow,
            Some(TypedPrerelease::Allow) => Prerelease::Allow,
            Some(TypedPrerelease::IfNecessary) => Prerelease::IfNecessary,
            Some(TypedPrerelease::Explicit) => Prerelease::Explicit,
            None | Some(TypedPrerelease::IfNecessaryOrExplicit) => {
                Prerelease::IfNecessaryOrExplicit
            }
        },
        no_binary: format(&typed.index.no_binary, "--no-binary", &configured.no_binary)?,
        only_binary: format(
            &typed.index.only_binary,
            "--only-binary",
            &configured.only_binary,
        )?,
    })
}

fn prefer_wheels(
    typed: &args::Lock,
    configured: &Configured,
) -> Result<BTreeSet<PackageName>, Failure> {
    let typed = &typed.index.prefer_wheels;
    let formats = match &configured.prefer_wheels {
        Some(configured) if typed.is_empty() => configured.clone(),
        _ => formats(typed, "--prefer-wheels")?,
    };
    if formats.all {
        return Err(
            Failure::usage("`--prefer-wheels :all:`: projects are named one by one")
                .help("`--only-binary :all:` leaves out every sdist"),
        );
    }
    Ok(formats.projects.into_iter().collect())
}

fn upgrade(typed: &args::Moves) -> Result<Upgrade, Failure> {
    let mut upgrade = Upgrade {
        all: typed.upgrade,
        ..Upgrade::default()
    };
    for text in &typed.upgrade_package {
        let requirement = Requirement::parse(text).map_err(|e| {
            Failure::usage(format!("`--upgrade-package {text}`"))
                .why(e.reason)
                .help("write `NAME` or `NAME==VERSION`")
        })?;
        upgrade.packages.push(requirement.name.clone());
        if requirement.specifiers().is_some_and(|s| !s.is_empty()) {
            upgrade.requirements.push(requirement);
        }
    }
    Ok(upgrade)
}

fn index(
    typed: &args::Index,
    env: &dyn Fn(&str) -> Option<String>,
    configured: &Configured,
) -> Result<IndexSettings, Failure> {
    let from_env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let main = match (&typed.index_url, from_env("PIP_INDEX_URL")) {
        (Some(text), _) => Some(address(text, "--index-url")?),
        (None, Some(text)) => Some(address(text.trim(), "PIP_INDEX_URL")?),
        (None, None) => configured.main.clone(),
    };
    let mut extra = Vec::new();
    for text in &typed.extra_index_url {
        extra.push(address(text, "--extra-index-url")?);
    }
    if typed.extra_index_url.is_empty() {
        for text in from_env("PIP_EXTRA_INDEX_URL")
            .unwrap_or_default()
            .split_whitespace()
        {
            extra.push(address(text, "PIP_EXTRA_INDEX_URL")?);
        }
    }
    if extra.is_empty() {
        extra.clone_from(&configured.extra);
    }
    let mut named = Vec::new();
    for text in &typed.indexes {
        let (name, url) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`--index {text}`: a name is missing"))
                .help("write `--index NAME=URL`")
        })?;
        named.push((name.to_owned(), address(url, "--index")?));
    }
    for (name, url) in &configured.named {
        if !named.iter().any(|(other, _)| other == name) {
            named.push((name.clone(), url.clone()));
        }
    }
    let pinned = pinned(configured, &named)?;
    let (mut exclude_newer, mut exclude_newer_for) = exclude_newer(&typed.exclude_newer)?;
    exclude_newer = exclude_newer.or(configured.exclude_newer);
    for (name, limit) in &configured.exclude_newer_for {
        exclude_newer_for.entry(name.clone()).or_insert(*limit);
    }
    let allow_build = typed.allow_build.iter().filter(|name| !name.is_empty());
    let allow_build = allow_build.map(|name| project_name(name.trim(), "--allow-build"));
    let allow_build = allow_build.collect::<Result<_, _>>()?;
    let cache = match &typed.cache_dir {
        _ if typed.no_cache => Cache::Nowhere,
        Some(folder) => Cache::Folder(folder.clone()),
        None => Cache::Platform,
    };
    Ok(IndexSettings {
        main,
        extra,
        named,
        pinned,
        exclude_newer,
        exclude_newer_for,
        cache,
        allow_build,
        unsandboxed: typed.allow_build_unsandboxed,
        offline: typed.offline,
        refresh: typed.refresh,
    })
}

/// The projects that are tied to an index, which must have been named.
fn pinned(
    configured: &Configured,
    named: &[(String, String)],
) -> Result<BTreeMap<PackageName, String>, Failure> {
    let mut pinned = BTreeMap::new();
    let mut problems = Vec::new();
    for (project, index) in &configured.pinned {
        if named.iter().any(|(name, _)| *name == index.value) {
            pinned.insert(project.clone(), index.value.clone());
        } else {
            let what = format!("no index is named `{}`", index.value);
            problems.push(configured::problem(index, what));
        }
    }
    if problems.is_empty() {
        return Ok(pinned);
    }
    let mut failure = Failure::usage("the settings for pyresolve cannot be followed")
        .help("name the index in the table `indexes`, or with `--index NAME=URL`");
    failure.problems = problems;
    Err(failure)
}

/// The address, checked.
///
/// # Errors
/// When it is no address that can be asked.
pub fn address(text: &str, argument: &str) -> Result<String, Failure> {
    let bad = |why: String| {
        // The address may hold a password, so it is not repeated.
        Failure::usage(format!("{argument}: {why}"))
            .help("write the address of an index' Simple API, such as `https://host/simple/`")
    };
    let url = url::Url::parse(text).map_err(|e| bad(format!("this is not an address: {e}")))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(text.to_owned()),
        other => Err(bad(format!("`{other}:` addresses are not supported"))),
    }
}

fn exclude_newer(
    typed: &[String],
) -> Result<(Option<Timestamp>, BTreeMap<PackageName, Timestamp>), Failure> {
    let mut all = None;
    let mut single = BTreeMap::new();
    for text in typed {
        let (name, date) = match text.split_once('=') {
            Some((name, date)) => (Some(name), date),
            None => (None, text.as_str()),
        };
        let limit = Timestamp::parse_cutoff(date).ok_or_else(|| {
            Failure::usage(format!("`--exclude-newer {text}`: `{date}` is not a date"))
                .help("write `2026-05-03`, or a time such as `2026-05-03T12:00:00Z`")
        })?;
        match name {
            None => all = Some(limit),
            Some(name) => {
                single.insert(project_name(name, "--exclude-newer")?, limit);
            }
        }
    }
    Ok((all, single))
}

/// Several names may stand in one argument, with commas between them, as with pip.
pub fn formats(typed: &[String], argument: &str) -> Result<Formats, Failure> {
    let mut formats = Formats::default();
    for name in typed.iter().flat_map(|t| t.split(',')).map(str::trim) {
        match name {
            "" => {}
            ":all:" => formats.all = true,
            ":none:" => formats = Formats::default(),
            name => {
                formats.projects.insert(project_name(name, argument)?);
            }
        }
    }
    Ok(formats)
}

fn project_name(text: &str, argument: &str) -> Result<PackageName, Failure> {
    PackageName::from_str(text)
        .map_err(|_| Failure::usage(format!("{argument}: `{text}` is not a project's name")))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn lock(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Lock, Failure> {
        let typed = ["pyresolve", "lock"].iter().chain(arguments);
        let args::Command::Lock(lock) = args::Cli::try_parse_from(typed).unwrap().command else {
            panic!("`lock` is what was typed")
        };
        Lock::new(&lock, &|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn an_argument_is_a_path_or_a_requirement() {
        let meant = lock(&["./src", "tornado>=6.5"], &[]).unwrap();
        assert_eq!(meant.sources[0], Source::Path(PathBuf::from("./src")));
        assert!(
            matches!(&meant.sources[1], Source::Requirement(r) if r.name.as_ref() == "tornado")
        );
        assert_eq!(meant.output.folder, PathBuf::from("./src"));
        let failure = lock(&["nowhere/setup.py"], &[]).unwrap_err();
        assert!(failure.what.contains("no such file"), "{failure:?}");
        assert!(lock(&["=!"], &[]).is_err());
        // A project's name that looks like a file is told how to be written.
        let failure = lock(&["discord.py"], &[]).unwrap_err();
        let help = format!("{failure:?}");
        assert!(
            help.contains("no such file") && help.contains("write `discord-py`"),
            "{help}"
        );
        for meant in ["discord-py", "discord.py>=2"] {
            let meant = lock(&[meant], &[]).unwrap();
            let [Source::Requirement(requirement)] = &meant.sources[..] else {
                panic!("{meant:?}")
            };
            assert_eq!(requirement.name.as_ref(), "discord-py");
        }
    }

    #[test]
    fn the_output_names_the_nix_file_or_the_lock() {
        let both = lock(&["-o", "src/x.nix"], &[]).unwrap().output;
        assert_eq!(
            (both.nix.as_deref(), both.lock.as_str()),
            (Some("x.nix"), "pylock.toml")
        );
        let only = lock(&["--lock-only", "-o", "src/pylock.a.toml"], &[])
            .unwrap()
            .output;
        assert_eq!((only.nix, only.lock.as_str()), (None, "pylock.a.toml"));
        assert!(lock(&["-o", "pylock.toml"], &[]).is_err());
        assert!(lock(&["-o", "nowhere/x.nix"], &[]).is_err());
        assert!(lock(&["-o", "src"], &[]).is_err());
    }

    #[test]
    fn a_minor_version_gets_its_last_patch() {
        let python = |text: &str| lock(&["--python", text], &[]).map(|l| l.targets.python);
        assert_eq!(python("3.8").unwrap().to_string(), "3.8.20");
        assert_eq!(python("3.13.2").unwrap().to_string(), "3.13.2");
        assert_eq!(python("3.15").unwrap().to_string(), "3.15.0");
        assert!(python("2.7").is_err());
        assert!(python("new").is_err());
    }

    #[test]
    fn arguments_beat_the_environment() {
        let environment = [
            ("PIP_INDEX_URL", "https://a.test/simple"),
            (
                "PIP_EXTRA_INDEX_URL",
                "https://b.test/simple https://c.test/simple",
            ),
        ];
        let index = lock(&[], &environment).unwrap().index;
        assert_eq!(index.main.as_deref(), Some("https://a.test/simple"));
        assert_eq!(index.extra.len(), 2);
        let index = lock(&["--index-url", "https://d.test/"], &environment)
            .unwrap()
            .index;
        assert_eq!(index.main.as_deref(), Some("https://d.test/"));
    }

    #[test]
    fn no_password_is_repeated() {
        let failure = lock(&["--index-url", "ftp://me:secret@a.test/"], &[]).unwrap_err();
        assert!(!format!("{failure:?}").contains("secret"));
    }
}
