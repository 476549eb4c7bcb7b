//! From what the user means and has to what the resolver and the index client are asked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy as _;

use super::exit::Failure;
use super::settings::{Cache, IndexSettings, Lock, beside, formats};
use super::sources::Wishes;
use crate::assemble::Pins;
use crate::event::Observer;
use crate::index::{Index, Location, Options, RemoteCatalog, document};
use crate::nixpkgs::source::{self, Choice, Located, SourceError, Surroundings};
use crate::nixpkgs::{Nixpkgs, channel, date};
use crate::problem::{Code, Problem, Severity};
use crate::project::IndexOptions;
use crate::project::pylock::Pylock;
use crate::python::{PackageName, Requirement, Sha256, Version};
use crate::render::Layout;
use crate::resolve::{Formats, Input, Policy, Prefer, Preferences, Prerelease};
use crate::sandbox::{Sandbox, SandboxError};

/// How long Nix may evaluate the Python set of a tree that was not seen before.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is around the nixpkgs that counts.
pub fn surroundings(meant: &Lock) -> Surroundings {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let nix = std::env::split_paths(&path)
        .map(|folder| folder.join("nix-instantiate"))
        .find(|program| program.is_file());
    Surroundings {
        project: beside(&meant.sources),
        home: etcetera::home_dir().ok(),
        nix_path: std::env::var("NIX_PATH").ok(),
        nix,
        patience: PATIENCE,
        cache: cache(&meant.index),
        store: PathBuf::from("/nix/store"),
    }
}

/// Finds the nixpkgs that counts: as the command line says, or the settings, or as usual.
///
/// # Errors
/// When what was chosen is not there.
pub fn locate(meant: &Lock, wishes: &Wishes, around: &Surroundings) -> Result<Located, Failure> {
    let choice = meant.nixpkgs.as_ref().or(wishes.nixpkgs.as_ref());
    located(&choice.cloned().unwrap_or_default(), around)
}

/// Finds a nixpkgs.
///
/// # Errors
/// When what was chosen is not there.
pub fn located(choice: &Choice, around: &Surroundings) -> Result<Located, Failure> {
    source::locate(choice, around).map_err(|error| no_nixpkgs(&error, choice))
}

/// The list of the channel that counts, fetched or from the cache; none where no channel does.
///
/// # Errors
/// When it cannot be had.
pub fn channel_list(
    base: Option<&str>,
    located: &mut Located,
    options: &Options,
) -> Result<Option<String>, Failure> {
    let Some(channel) = located.wanted_channel().map(str::to_owned) else {
        return Ok(None);
    };
    let choice = Choice::Channel(channel.clone());
    let url = channel::address(base, &channel)
        .map_err(|error| no_nixpkgs(&SourceError::from(error), &choice))?;
    let wanted = document::Wanted {
        key: format!("channel-{channel}"),
        what: format!("the list of packages of the channel {channel}"),
        url,
        beside: Some(channel::REVISION),
        limit: channel::MAX_PACKED,
    };
    let catalog = RemoteCatalog::new(options.clone());
    let list = catalog.document(&wanted, &channel::unpack).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(failure.exit, format!("`--nixpkgs {choice}`: {}", failure.what)).help(
            "is the channel called so (`nixos-unstable`, `nixos-26.05`)? `--channel-url` names another place \
             with channels, `--offline` takes the list that was fetched last, `--nixpkgs snapshot` needs none",
        )
    })?;
    located.fetched(date::of_http(&list.modified), list.beside);
    Ok(Some(list.text))
}

/// Reads the facts about the nixpkgs that counts, and says what is to be said of the choice. `list`
/// is that of the channel, if it is one.
///
/// # Errors
/// When it knows nothing of the target's Python.
pub fn nixpkgs(
    python: &Version,
    located: &mut Located,
    around: &Surroundings,
    list: Option<&str>,
) -> Result<Nixpkgs, Failure> {
    located
        .read(&python.to_string(), around, list)
        .map_err(|error| no_nixpkgs(&error, &Choice::Usual))
}

/// Which nixpkgs counts, how old it is, and where it was found unless it is the bundled table.
pub fn told(located: &Located) -> String {
    let mut told = located.channel.clone();
    if let Some(short) = located.revision.as_deref().and_then(|r| r.get(..12)) {
        told.push_str(&format!(" {short}"));
    }
    if !located.date.is_empty() {
        told.push_str(&format!(" of {}", located.date));
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let today = since
        .ok()
        .and_then(|s| date::day(i64::try_from(s.as_secs()).ok()?));
    let age = today.and_then(|today| date::days_between(&located.date, &today));
    match age {
        Some(1) => told.push_str(", a day old"),
        Some(days) if days > 1 => told.push_str(&format!(", {days} days old")),
        _ => {}
    }
    if !located.is_bundled() {
        told.push_str(&format!(", from {}", located.found));
    }
    told
}

fn no_nixpkgs(error: &SourceError, choice: &Choice) -> Failure {
    let said = match choice {
        Choice::Usual => error.to_string(),
        choice => format!("`--nixpkgs {choice}`: {error}"),
    };
    let mut failure = Failure::usage(said);
    if let SourceError::Flake { why, origin, .. } = error
        && origin.is_some()
    {
        failure.problems.push(Problem {
            code: Code::InvalidSyntax,
            severity: Severity::Error,
            what: why.clone(),
            origin: origin.clone(),
            help: None,
        });
    }
    let failure = match std::error::Error::source(error) {
        Some(source) => failure.why(source.to_string()),
        None => failure,
    };
    match error {
        SourceError::NoInterpreter { known, .. } => failure.help(format!(
            "choose one of {} with `--python`, or add `--nixpkgs none` to make an entry for everything",
            known.join(", ")
        )),
        _ => failure.help(
            "write `snapshot` (the bundled table), the path of a nixpkgs tree, `<nixpkgs>`, `flake.lock`, `channel:NAME` or `none`",
        ),
    }
}

/// What the resolver is asked.
pub fn input(
    meant: &Lock,
    wishes: &Wishes,
    policy: Policy,
    nixpkgs: &Arc<Nixpkgs>,
    existing: Option<Pylock>,
) -> Input {
    let mut input = Input::new(meant.targets.clone());
    input.requirements.clone_from(&wishes.requirements);
    input.constraints.clone_from(&wishes.constraints);
    input
        .constraints
        .extend(meant.upgrade.requirements.iter().cloned());
    for pins in &wishes.approved.pins {
        let limits = &pins.limits;
        input.constraints.extend(limits.sources.iter().cloned());
        if pins.exact {
            input.constraints.extend(limits.versions.iter().cloned());
        }
    }
    input.overrides.clone_from(&wishes.overrides);
    input.policy = policy;
    input.preferences = Preferences {
        nixpkgs: match input.policy.prefer {
            Prefer::Nixpkgs => Arc::clone(nixpkgs),
            Prefer::Latest | Prefer::Lowest => Arc::default(),
        },
        locked: locked(meant, wishes, nixpkgs, existing),
    };
    input
}

/// The constraints that count for what entries need to be built.
pub fn for_builds(meant: &Lock, wishes: &Wishes) -> Vec<Requirement> {
    let mut constraints = wishes.constraints.clone();
    constraints.extend(meant.upgrade.requirements.iter().cloned());
    let pins = wishes.approved.pins.iter();
    constraints.extend(pins.flat_map(|pins| pins.limits.sources.iter().cloned()));
    constraints
}

/// The command line's formats, or else those of requirements files.
///
/// # Errors
/// When a requirements file names something that cannot be a project.
pub fn policy(typed: &Policy, files: &[IndexOptions]) -> Result<Policy, Failure> {
    let mut policy = typed.clone();
    for options in files {
        if policy.only_binary == Formats::default() {
            policy.only_binary = formats(&options.only_binary, "--only-binary")?;
        }
        if policy.no_binary == Formats::default() {
            policy.no_binary = formats(&options.no_binary, "--no-binary")?;
        }
        if options.pre && policy.prerelease == Prerelease::default() {
            policy.prerelease = Prerelease::Allow;
        }
    }
    Ok(policy)
}

/// The pins of other tools' locks, and those of the existing lock that may stay.
fn locked(
    meant: &Lock,
    wishes: &Wishes,
    nixpkgs: &Nixpkgs,
    existing: Option<Pylock>,
) -> BTreeMap<PackageName, Vec<Version>> {
    let mut locked: BTreeMap<PackageName, Vec<Version>> = BTreeMap::new();
    for pins in &wishes.approved.pins {
        for (name, releases) in &pins.limits.pinned {
            // Where several will do, the newest that does.
            let versions = releases.keys().rev().cloned();
            if pins.exact || !meant.upgrade.packages.contains(name) {
                locked.entry(name.clone()).or_default().extend(versions);
            }
        }
    }
    let packages = existing.map(|lock| lock.packages).unwrap_or_default();
    for pin in packages.into_iter().filter(|pin| !pin.direct) {
        if let Some(version) = pin.version
            && !meant.upgrade.packages.contains(&pin.name)
        {
            let versions = locked.entry(pin.name.clone()).or_default();
            if meant.upgrade.to_nixpkgs && pin.own.action.as_deref() != Some("reuse") {
                let own = nixpkgs.attributes(&pin.name).iter();
                versions.extend(own.map(|attribute| attribute.version.clone()));
            }
            versions.push(version);
        }
    }
    locked
}

/// The text of the existing lock whose pins may stay, if there is one.
///
/// # Errors
/// When there is one that cannot be read.
pub fn existing(meant: &Lock) -> Result<Option<String>, Failure> {
    let path = meant.output.folder.join(&meant.output.lock);
    if meant.upgrade.all {
        return Ok(None);
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(
            Failure::usage(format!("`{}` cannot be read", path.display()))
                .why(error.to_string())
                .help("make it a file that can be read, or pass `--upgrade` to write it anew"),
        ),
    }
}

/// The pins of an existing lock.
///
/// # Errors
/// When its text is not a lock.
pub fn parsed(meant: &Lock, text: &str) -> Result<Pylock, Failure> {
    Pylock::parse(text).map_err(|error| {
        let path = meant.output.folder.join(&meant.output.lock);
        let mut failure = Failure::usage(format!(
            "`{}` is not a lock whose pins can be kept",
            path.display()
        ))
        .why(error.to_string())
        .help("restore it, or pass `--upgrade` to write it anew");
        failure.problems.push(error.problem(&path, text));
        failure
    })
}

/// What the index client is asked to be.
///
/// # Errors
/// When an address of an index is none.
pub fn options(
    settings: &IndexSettings,
    files: &[IndexOptions],
    observer: Arc<dyn Observer>,
) -> Result<Options, Failure> {
    let mut options = Options::new(SystemTime::now());
    let from_files = files.iter().find_map(|o| o.index_url.as_deref());
    let mut extra = settings.extra.clone();
    if extra.is_empty() {
        extra.extend(
            files
                .iter()
                .flat_map(|o| o.extra_index_urls.iter().cloned()),
        );
    }
    let main = settings.main.as_deref().or(from_files);
    let only_links = files.iter().any(|o| o.no_index);
    if !only_links {
        options
            .add_indexes(&settings.named, main, &extra)
            .map_err(bad_address)?;
    }
    for place in files.iter().flat_map(|o| &o.find_links) {
        options.add_find_links(place).map_err(bad_address)?;
    }
    read_netrc(&mut options);
    options.pinned.clone_from(&settings.pinned);
    options.exclude_newer = settings.exclude_newer;
    options.exclude_newer_package = settings
        .exclude_newer_for
        .iter()
        .map(|(name, limit)| (name.clone(), Some(*limit)))
        .collect();
    options.cache = cache(settings);
    if !settings.allow_build.is_empty() {
        options.builder = Some(sandbox(settings)?);
    }
    options.offline = settings.offline;
    options.refresh = settings.refresh;
    options.observer = observer;
    Ok(options)
}

/// What runs the build code that the user allows; tried at once, so that nobody finds out late.
fn sandbox(settings: &IndexSettings) -> Result<Arc<Sandbox>, Failure> {
    let sandbox = Sandbox::new(settings.allow_build.clone(), settings.unsandboxed);
    match sandbox.check() {
        Ok(_) => Ok(Arc::new(sandbox)),
        Err(error) => {
            let failure =
                Failure::usage("`--allow-build`: nothing can be run").why(error.to_string());
            Err(match error {
                SandboxError::NoBubblewrap | SandboxError::NoNamespaces(_) => failure.help(
                    "install bubblewrap, and let users make namespaces; or state the requirements in pyproject.toml \
                     ([tool.pyresolve.metadata.\"name==version\"] requires = […]); or, if you trust the code with all \
                     that you may do yourself, add `--allow-build-unsandboxed`",
                ),
                _ => failure.help("install Python 3 with the packages that the build takes"),
            })
        }
    }
}

fn bad_address(error: crate::index::IndexError) -> Failure {
    Failure::usage(error.to_string())
        .help("write the address of an index' Simple API, such as `https://host/simple/`")
}

/// The folder where things are kept between runs.
fn cache(settings: &IndexSettings) -> Option<PathBuf> {
    match &settings.cache {
        Cache::Nowhere => None,
        Cache::Folder(folder) => Some(folder.clone()),
        Cache::Platform => platform_cache(),
    }
}

/// None where the platform's folders cannot be known: then nothing is kept.
pub fn platform_cache() -> Option<std::path::PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.cache_dir().join("pyresolve"))
}

/// Logins from the file that curl and pip read too; a file that cannot be read holds none.
fn read_netrc(options: &mut Options) {
    let path = std::env::var_os("NETRC")
        .map(std::path::PathBuf::from)
        .or_else(|| Some(etcetera::home_dir().ok()?.join(".netrc")));
    if let Some(text) = path.and_then(|path| std::fs::read_to_string(path).ok()) {
        options.credentials.read_netrc(&text);
    }
}

/// The digest of everything that was asked: another one means that the lock is out of date.
pub fn digest(
    meant: &Lock,
    wishes: &Wishes,
    policy: &Policy,
    nixpkgs: (&str, &str),
    indexes: &[Index],
) -> String {
    let mut text = format!("pyresolve {}\n", env!("CARGO_PKG_VERSION"));
    for (part, requirements) in [
        ("require", &wishes.requirements),
        ("constrain", &wishes.constraints),
        ("override", &wishes.overrides),
    ] {
        for requirement in requirements {
            text.push_str(&format!("{part} {requirement}\n"));
        }
    }
    text.push_str(&format!("python {}\n", meant.targets.python));
    for environment in &meant.targets.environments {
        text.push_str(&format!("system {}\n", environment.system));
    }
    text.push_str(&format!("prefer {}\n", prefer(policy)));
    text.push_str(&format!("prerelease {}\n", prerelease(policy)));
    for (part, formats) in [
        ("no-binary", &policy.no_binary),
        ("only-binary", &policy.only_binary),
    ] {
        if formats.all {
            text.push_str(&format!("{part} :all:\n"));
        }
        for project in &formats.projects {
            text.push_str(&format!("{part} {project}\n"));
        }
    }
    for project in &meant.prefer_wheels {
        text.push_str(&format!("prefer-wheels {project}\n"));
    }
    text.push_str(&format!("nixpkgs {} {}\n", nixpkgs.0, nixpkgs.1));
    for index in indexes {
        match &index.location {
            Location::Simple(url) => text.push_str(&format!("index {url}\n")),
            Location::Links(url) => text.push_str(&format!("links {url}\n")),
            Location::Folder(path) => text.push_str(&format!("folder {}\n", path.display())),
        }
    }
    if let Some(limit) = &meant.index.exclude_newer {
        text.push_str(&format!("newer {}\n", limit.text()));
    }
    for (project, limit) in &meant.index.exclude_newer_for {
        text.push_str(&format!("newer {project} {}\n", limit.text()));
    }
    for (project, index) in &meant.index.pinned {
        let at = indexes.iter().find(|i| i.name.as_ref() == Some(index));
        if let Some(Location::Simple(url)) = at.map(|index| &index.location) {
            text.push_str(&format!("tied {project} {url}\n"));
        }
    }
    for (project, hashes) in &wishes.approved.digests {
        text.push_str(&format!("allow {project} {}\n", hashes.join(" ")));
    }
    text.push_str(if wishes.approved.everything {
        "require hashes\n"
    } else {
        ""
    });
    for pins in &wishes.approved.pins {
        text.push_str(&pinned(pins));
    }
    for stated in wishes.stated.values() {
        text.push_str(&format!("metadata {stated}"));
    }
    if meant.output.nix.is_some() && meant.output.layout != Layout::default() {
        text.push_str(&format!("format {}\n", meant.output.layout.text()));
    }
    Sha256::of(text.as_bytes()).hex()
}

/// What counts of another tool's lock.
fn pinned(pins: &Pins) -> String {
    let mut text = format!("pins {}\n", if pins.exact { "exact" } else { "prefer" });
    for requirement in pins.limits.versions.iter().chain(&pins.limits.sources) {
        text.push_str(&format!("pin {requirement}\n"));
    }
    for (name, releases) in &pins.limits.pinned {
        for (version, release) in releases {
            text.push_str(&format!("pinned {name} {version}\n"));
            for digest in release.files.iter().filter_map(|file| file.sha256) {
                text.push_str(&format!("{digest}\n"));
            }
        }
    }
    text
}

/// How versions are preferred, as the command line spells it.
pub fn prefer(policy: &Policy) -> &'static str {
    match policy.prefer {
        Prefer::Nixpkgs => "nixpkgs",
        Prefer::Latest => "latest",
        Prefer::Lowest => "lowest",
    }
}

fn prerelease(policy: &Policy) -> &'static str {
    match policy.prerelease {
        Prerelease::Disallow => "disallow",
        Prerelease::Allow => "allow",
        Prerelease::IfNecessary => "if-necessary",
        Prerelease::Explicit => "explicit",
        Prerelease::IfNecessaryOrExplicit => "if-necessary-or-explicit",
    }
}
