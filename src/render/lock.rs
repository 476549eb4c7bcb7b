//! A [`Resolution`] as `pylock.toml` (PEP 751).
//!
//! Installers read the standard's keys; what only pyresolve needs stands under `[tool.pyresolve]`
//! and `[packages.tool.pyresolve]`. The files of a pin are its sdist and the wheels that serve a
//! target, as `environments` promises nothing beyond the targets. Build requirements are not
//! packages of the lock (an installer would install them): they stand in `[tool.pyresolve]`.
//!
//! The text is written directly rather than through a document tree: a lock of hundreds of pins
//! holds thousands of files, and every value that comes from outside goes through `string`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::Layout;
use crate::index::{Commit, Distribution, Place};
use crate::nixpkgs::Nixpkgs;
use crate::plan::Older;
use crate::plan::source::relative;
use crate::python::{
    Filename, PackageName, Requirement, Sha256, System, TargetSet, Targets, Wanted, tag,
    without_login,
};
use crate::resolve::{Edge, Pin, Resolution};

/// Everything that the lock says.
#[derive(Debug)]
pub struct LockText<'a> {
    /// The pins.
    pub resolution: &'a Resolution,
    /// Digests of files whose index does not tell them, by file name.
    pub digests: &'a BTreeMap<String, Sha256>,
    /// The nixpkgs facts that were used.
    pub nixpkgs: Option<&'a Nixpkgs>,
    /// How versions were preferred: `nixpkgs`, `latest` or `lowest`.
    pub prefer: &'a str,
    /// How the Nix files are laid out, unless as usual.
    pub layout: Layout,
    /// The digest of everything that was asked.
    pub inputs: &'a str,
    /// The lock's folder, as an absolute path: local sources are named as seen from there.
    pub place: &'a Path,
    /// What the Nix file does about a pin, by project and version.
    pub actions: &'a BTreeMap<(PackageName, String), Action>,
    /// Releases that are older than they could be, and why.
    pub older: &'a BTreeMap<PackageName, Older>,
    /// Pins that only builds need.
    pub build: &'a [Pin],
    /// The user's limits, of settings and files.
    pub constraints: &'a [Requirement],
    /// His requirements that replace others.
    pub overrides: &'a [Requirement],
    /// The files that are written with the lock, with the digests of their texts.
    pub written: &'a [(String, Sha256)],
}

/// What the Nix file does about a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `reuse`, `attribute`, `override` or `new`.
    pub action: String,
    /// The attribute.
    pub attribute: String,
    /// What of nixpkgs its build needs, by attribute, each with who says so.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// Who needs it, and the requirement: told of what only builds need.
    pub needed_by: Vec<(String, String)>,
}

/// The text of the lock.
///
/// # Errors
/// The name of a file without a known digest: a lock without it would not protect anybody.
pub fn render(lock: &LockText<'_>) -> Result<String, String> {
    let targets = &lock.resolution.targets;
    let mut out = String::with_capacity(1024 * (lock.resolution.pins.len() + 1));
    head(&mut out, targets);
    if lock.resolution.pins.is_empty() {
        out.push_str("packages = []\n");
    }
    for pin in &lock.resolution.pins {
        out.push_str("\n[[packages]]\n");
        package(&mut out, lock, pin)?;
    }
    tool(&mut out, lock)?;
    let digest = Sha256::of(out.as_bytes());
    let _ = writeln!(out, "\n{SEAL}{digest}");
    Ok(out)
}

/// How the last line starts: it tells whether somebody has changed the text since.
const SEAL: &str = "# sha256 of the lines above: ";

/// The digest of what was asked, where a text was written by [`render`] and not changed since.
pub fn untouched_inputs(text: &str) -> Option<&str> {
    let (above, seal) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let stated = Sha256::from_hex(seal.strip_prefix(SEAL)?)?;
    let (_, own) = above.rsplit_once("\n[tool.pyresolve]\ninputs = \"")?;
    let (inputs, _) = own.split_once('"')?;
    (Sha256::of(above.as_bytes()) == stated).then_some(inputs)
}

/// How the files are laid out that a lock was written with.
pub fn layout(text: &str) -> Layout {
    let own = text
        .rsplit_once("\n[tool.pyresolve]\n")
        .map_or("", |(_, own)| own);
    let mut lines = own.lines().take_while(|line| !line.starts_with('['));
    let word = lines.find_map(|line| line.strip_prefix("format = \"")?.strip_suffix('"'));
    word.and_then(Layout::of).unwrap_or_default()
}

fn head(out: &mut String, targets: &Targets) {
    out.push_str("# Written by pyresolve; `pyresolve lock` writes it again.\n");
    out.push_str("lock-version = \"1.0\"\n");
    out.push_str("environments = [\n");
    for environment in &targets.environments {
        let _ = writeln!(
            out,
            "    \"sys_platform == '{}' and platform_machine == '{}'\",",
            sys_platform(environment.system),
            environment.system.machine()
        );
    }
    out.push_str("]\n");
    let _ = writeln!(out, "requires-python = \"=={}.*\"", targets.python_minor());
    out.push_str("extras = []\ndependency-groups = []\ncreated-by = \"pyresolve\"\n");
}

fn package(out: &mut String, lock: &LockText<'_>, pin: &Pin) -> Result<(), String> {
    key(out, "name", pin.name.as_ref());
    key(out, "version", &pin.version.to_string());
    let targets = &lock.resolution.targets;
    if let Some(marker) = marker(targets, pin.targets) {
        key(out, "marker", &marker);
    }
    if let Some(specifiers) = pin
        .metadata
        .requires_python
        .as_ref()
        .filter(|s| !s.is_empty())
    {
        let parts: Vec<_> = specifiers.iter().map(ToString::to_string).collect();
        key(out, "requires-python", &parts.join(","));
    }
    dependencies(out, lock.resolution, pin);
    match &pin.direct {
        Some(wanted) => direct(out, lock, pin, wanted)?,
        None => {
            if let Some(index) = &pin.index {
                key(out, "index", without_login(index).as_str());
            }
            files(out, lock, pin)?;
        }
    }
    let action = lock
        .actions
        .get(&(pin.name.clone(), pin.version.to_string()));
    let older = lock.older.get(&pin.name);
    let older = older.filter(|older| older.version == pin.version);
    if pin.needs.is_empty() && pin.extras.is_empty() && action.is_none() && older.is_none() {
        return Ok(());
    }
    out.push_str("\n[packages.tool.pyresolve]\n");
    if !pin.needs.is_empty() {
        requires(out, "requires", &pin.needs);
    }
    if !pin.extras.is_empty() {
        strings(out, "extras", pin.extras.iter().map(AsRef::as_ref));
    }
    if let Some(action) = action {
        key(out, "action", &action.action);
        if !action.attribute.is_empty() {
            key(out, "attribute", &action.attribute);
        }
    }
    if let Some(older) = older {
        key(out, "rather-than", &older.rather_than);
        key(out, "because", &older.because);
    }
    if let Some(action) = action {
        inputs(out, "packages.tool.pyresolve", action);
    }
    Ok(())
}

/// What of nixpkgs a build needs, as a table below the one of this name.
fn inputs(out: &mut String, table: &str, action: &Action) {
    if action.inputs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n[{table}.inputs]");
    for (attr, evidence) in &action.inputs {
        let mut name = String::new();
        string(&mut name, attr);
        strings(out, &name, evidence.iter().map(String::as_str));
    }
}

/// The edges to other pins; a version where there are several pins of the project.
fn dependencies(out: &mut String, resolution: &Resolution, pin: &Pin) {
    let mut entries: BTreeSet<(&PackageName, Option<String>)> = BTreeSet::new();
    for edge in &pin.needs {
        if edge.to == pin.name {
            continue;
        }
        let several = resolution.pins_of(&edge.to).count() > 1;
        if several {
            let reached = edge.targets.and(pin.targets);
            for to in resolution.pins_of(&edge.to) {
                if !to.targets.and(reached).is_empty() {
                    entries.insert((&edge.to, Some(to.version.to_string())));
                }
            }
        } else {
            entries.insert((&edge.to, None));
        }
    }
    if entries.is_empty() {
        return;
    }
    out.push_str("dependencies = [\n");
    for (name, version) in entries {
        out.push_str("    { name = ");
        string(out, name.as_ref());
        if let Some(version) = version {
            out.push_str(", version = ");
            string(out, &version);
        }
        out.push_str(" },\n");
    }
    out.push_str("]\n");
}

fn files(out: &mut String, lock: &LockText<'_>, pin: &Pin) -> Result<(), String> {
    if let Some(sdist) = &pin.release.sdist {
        out.push_str("sdist = ");
        file(out, lock, sdist)?;
        out.push('\n');
    }
    let mut wheels = pin
        .release
        .wheels
        .iter()
        .filter(|wheel| serves(wheel, &lock.resolution.targets, pin.targets))
        .peekable();
    if wheels.peek().is_none() {
        return Ok(());
    }
    out.push_str("wheels = [\n");
    for wheel in wheels {
        out.push_str("    ");
        file(out, lock, wheel)?;
        out.push_str(",\n");
    }
    out.push_str("]\n");
    Ok(())
}

fn serves(file: &Distribution, targets: &Targets, wanted: TargetSet) -> bool {
    match &file.filename {
        Filename::Wheel(wheel) => !tag::served(wheel, targets).and(wanted).is_empty(),
        Filename::Sdist(_) => true,
    }
}

/// `{ url = …, upload-time = …, size = …, hashes = { sha256 = … } }`.
fn file(out: &mut String, lock: &LockText<'_>, file: &Distribution) -> Result<(), String> {
    out.push_str("{ ");
    let last = file
        .url
        .path_segments()
        .and_then(|mut parts| parts.next_back());
    if last != Some(file.file.as_str()) {
        out.push_str("name = ");
        string(out, &file.file);
        out.push_str(", ");
    }
    out.push_str("url = ");
    string(out, without_login(&file.url).as_str());
    if let Some(time) = file.uploaded {
        let _ = write!(out, ", upload-time = {}", time.text());
    }
    size_and_hash(out, lock, file)?;
    out.push_str(" }");
    Ok(())
}

fn size_and_hash(out: &mut String, lock: &LockText<'_>, file: &Distribution) -> Result<(), String> {
    if let Some(size) = file.size {
        let _ = write!(out, ", size = {size}");
    }
    let digest = file
        .sha256
        .or_else(|| lock.digests.get(&file.file).copied())
        .ok_or_else(|| file.file.clone())?;
    let _ = write!(out, ", hashes = {{ sha256 = \"{digest}\" }}");
    Ok(())
}

/// A pin from an address or a path: `vcs`, `archive` or `directory`.
fn direct(out: &mut String, lock: &LockText<'_>, pin: &Pin, wanted: &Wanted) -> Result<(), String> {
    let tree = pin.release.tree.as_deref();
    match tree.map(|tree| (&tree.place, tree.folder.as_str())) {
        Some((Place::Folder(path), _)) => {
            out.push_str("directory = { path = ");
            string(out, &from(lock, path));
            out.push_str(" }\n");
        }
        Some((Place::Commit(commit), folder)) => vcs(out, commit, folder),
        None => archive(out, lock, pin, wanted)?,
    }
    Ok(())
}

fn vcs(out: &mut String, commit: &Commit, folder: &str) {
    out.push_str("vcs = { type = \"git\", url = ");
    string(out, commit.url.as_str());
    if let Some(requested) = &commit.requested {
        out.push_str(", requested-revision = ");
        string(out, requested);
    }
    out.push_str(", commit-id = ");
    string(out, &commit.id);
    if !folder.is_empty() {
        out.push_str(", subdirectory = ");
        string(out, folder);
    }
    out.push_str(" }\n");
}

fn archive(
    out: &mut String,
    lock: &LockText<'_>,
    pin: &Pin,
    wanted: &Wanted,
) -> Result<(), String> {
    let Some(file) = pin.release.files().next() else {
        return Ok(());
    };
    match file.url.to_file_path() {
        Ok(path) => {
            out.push_str("archive = { path = ");
            string(out, &from(lock, &path));
        }
        Err(()) => {
            out.push_str("archive = { url = ");
            string(out, without_login(&file.url).as_str());
        }
    }
    size_and_hash(out, lock, file)?;
    if let Wanted::Url(url) = wanted
        && let Some(folder) = url
            .fragment()
            .unwrap_or("")
            .split('&')
            .find_map(|part| part.strip_prefix("subdirectory="))
    {
        out.push_str(", subdirectory = ");
        string(out, folder);
    }
    out.push_str(" }\n");
    Ok(())
}

/// A local path as seen from the lock.
fn from(lock: &LockText<'_>, path: &Path) -> String {
    let seen = relative(lock.place, path);
    let short = seen.strip_prefix("./").unwrap_or(&seen);
    short.strip_suffix("/.").unwrap_or(short).to_owned()
}

fn tool(out: &mut String, lock: &LockText<'_>) -> Result<(), String> {
    let targets = &lock.resolution.targets;
    out.push_str("\n[tool.pyresolve]\n");
    key(out, "inputs", lock.inputs);
    key(out, "python", &targets.python.to_string());
    strings(
        out,
        "systems",
        targets.environments.iter().map(|e| e.system.name()),
    );
    key(out, "prefer", lock.prefer);
    if lock.layout != Layout::default() {
        key(out, "format", lock.layout.text());
    }
    if let Some(nixpkgs) = lock.nixpkgs {
        out.push_str("nixpkgs = { channel = ");
        string(out, &nixpkgs.channel);
        if !nixpkgs.date.is_empty() {
            out.push_str(", date = ");
            string(out, &nixpkgs.date);
        }
        if let Some(revision) = &nixpkgs.revision {
            out.push_str(", revision = ");
            string(out, revision);
        }
        out.push_str(" }\n");
    }
    requires(out, "requirements", &lock.resolution.roots);
    for (name, requirements) in [
        ("constraints", lock.constraints),
        ("overrides", lock.overrides),
    ] {
        if !requirements.is_empty() {
            let texts: BTreeSet<String> = requirements.iter().map(ToString::to_string).collect();
            strings(out, name, texts.iter().map(String::as_str));
        }
    }
    for pin in lock.build {
        out.push_str("\n[[tool.pyresolve.build]]\n");
        key(out, "name", pin.name.as_ref());
        let version = pin.version.to_string();
        key(out, "version", &version);
        if let Some(sdist) = &pin.release.sdist {
            out.push_str("sdist = ");
            file(out, lock, sdist)?;
            out.push('\n');
        }
        if let Some(action) = lock.actions.get(&(pin.name.clone(), version)) {
            key(out, "action", &action.action);
            key(out, "attribute", &action.attribute);
            needed_by(out, &action.needed_by);
            inputs(out, "tool.pyresolve.build", action);
        }
    }
    if !lock.written.is_empty() {
        out.push_str("\n[tool.pyresolve.written]\n");
        for (name, digest) in lock.written {
            string(out, name);
            let _ = writeln!(out, " = \"sha256:{digest}\"");
        }
    }
    Ok(())
}

fn needed_by(out: &mut String, needs: &[(String, String)]) {
    if needs.is_empty() {
        return;
    }
    out.push_str("needed-by = [\n");
    for (by, requirement) in needs {
        out.push_str("    { by = ");
        string(out, by);
        out.push_str(", requirement = ");
        string(out, requirement);
        out.push_str(" },\n");
    }
    out.push_str("]\n");
}

/// The requirements behind edges, as written, each once.
fn requires(out: &mut String, name: &str, edges: &[Edge]) {
    let mut seen = BTreeSet::new();
    let texts: Vec<String> = edges
        .iter()
        .map(|edge| edge.requirement.to_string())
        .filter(|text| seen.insert(text.clone()))
        .collect();
    strings(out, name, texts.iter().map(String::as_str));
}

/// The marker that holds on these targets among all of them; none where it would always hold.
fn marker(targets: &Targets, set: TargetSet) -> Option<String> {
    if set.contains(targets.all()) {
        return None;
    }
    let mut machines: BTreeMap<&str, (Vec<&str>, bool)> = BTreeMap::new();
    for (index, environment) in targets.environments.iter().enumerate() {
        let platform = sys_platform(environment.system);
        let entry = machines
            .entry(platform)
            .or_insert_with(|| (Vec::new(), true));
        if set.has(index) {
            entry.0.push(environment.system.machine());
        } else {
            entry.1 = false;
        }
    }
    let mut parts: Vec<String> = Vec::new();
    for (platform, (machines, whole)) in machines {
        if whole {
            parts.push(format!("sys_platform == '{platform}'"));
        } else {
            parts.extend(machines.iter().map(|machine| {
                format!("sys_platform == '{platform}' and platform_machine == '{machine}'")
            }));
        }
    }
    Some(parts.join(" or "))
}

fn sys_platform(system: System) -> &'static str {
    if system.is_linux() { "linux" } else { "darwin" }
}

fn key(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(" = ");
    string(out, value);
    out.push('\n');
}

/// An array of strings: one line for up to one, else a line each.
fn strings<'a>(out: &mut String, name: &str, values: impl Iterator<Item = &'a str>) {
    let values: Vec<&str> = values.collect();
    out.push_str(name);
    out.push_str(" = [");
    if let [value] = values.as_slice() {
        string(out, value);
    } else {
        for value in &values {
            out.push_str("\n    ");
            string(out, value);
            out.push(',');
        }
        if !values.is_empty() {
            out.push('\n');
        }
    }
    out.push_str("]\n");
}

/// A TOML basic string.
fn string(out: &mut String, value: &str) {
    out.push('"');
    let plain = |c: char| !matches!(c, '"' | '\\' | '\u{7f}') && c >= ' ';
    if value.chars().all(plain) {
        out.push_str(value);
    } else {
        for c in value.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if plain(c) => out.push(c),
                c => {
                    let _ = write!(out, "\\u{:04X}", u32::from(c));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
