//! What a line requires: PEP 508 text, an address or a path; and what the project there is called.

use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::problem::{Code, Origin};
use crate::project::files::Directory;
use crate::project::reading::{Reading, no_env};
use crate::project::{Hint, merge};
use crate::python::filename::WheelFilename;
use crate::python::{ExtraName, MarkerTree, PackageName, Requirement, Wanted};

/// What a line requires.
pub(super) enum Parsed {
    Requirement(Requirement),
    /// An address or a path, of which it is not known what the project there is called.
    Nameless(String),
    /// A problem was noted.
    Invalid,
}

/// Reads the requirement part of a line, or what follows `-e`.
pub(super) fn parse(
    reading: &mut Reading<'_>,
    text: &str,
    folder: &str,
    editable: bool,
    origin: &Origin,
) -> Parsed {
    let is_named = |text: &str| {
        let head = text.split(['@', ';']).next().unwrap_or_default().trim();
        text.contains('@') && Requirement::parse(head).is_ok()
    };
    let looks_like_target = editable
        || text.starts_with(['.', '/'])
        || text.contains("://")
        || text
            .split(';')
            .next()
            .is_some_and(|t| t.contains('/') && !t.contains('@'))
        || is_archive(text.split(['[', ';', ' ']).next().unwrap_or_default());
    if !looks_like_target || is_named(text) {
        if let Some(requirement) = local_reference(reading, text, folder, origin) {
            return Parsed::Requirement(requirement);
        }
        return match reading.requirement(text, Some(origin)) {
            Some(requirement) => Parsed::Requirement(requirement),
            None => Parsed::Invalid,
        };
    }
    let (target, marker) = match text.split_once(" ;").or_else(|| text.split_once("; ")) {
        Some((target, marker)) => (target.trim(), Some(marker.trim())),
        None => (text.trim(), None),
    };
    let marker = match marker {
        Some(text) => match reading.marker(text, Some(origin)) {
            Some(marker) => marker,
            None => return Parsed::Invalid,
        },
        None => MarkerTree::TRUE,
    };
    let (target, extras) = split_extras(target);
    let (wanted, name) = if let Some(is_url) = url_of(target) {
        match is_url {
            Ok(url) => {
                let in_folder = || {
                    let path = url.to_file_path().ok()?;
                    Some((name_in_folder(&path)?, Vec::new()))
                };
                let name = name_in(&url).or_else(in_folder);
                (Wanted::Url(url), name)
            }
            Err(reason) => {
                let what = format!("`{target}` is not an address: {reason}");
                reading.error(Code::InvalidRequirement, what, Some(origin.clone()));
                return Parsed::Invalid;
            }
        }
    } else {
        let path = target.strip_prefix("file:").unwrap_or(target);
        let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
        let shown = shown(reading, folder, path);
        let name = name_in_fragment(fragment)
            .map(|(name, _)| name)
            .or_else(|| name_of_file(path))
            .or_else(|| name_in_folder(&shown));
        (Wanted::Path(shown), name.map(|n| (n, Vec::new())))
    };
    let Some((name, more)) = name else {
        return Parsed::Nameless("neither its name nor a file in it tells".to_owned());
    };
    let Ok(name) = PackageName::from_str(&name) else {
        return Parsed::Nameless(format!("`{name}` is not a project's name"));
    };
    let mut set = std::collections::BTreeSet::new();
    for extra in extras.iter().chain(&more) {
        match ExtraName::from_str(extra.trim()) {
            Ok(extra) => set.insert(extra),
            Err(_) => {
                let what = format!("`{extra}` is not the name of an extra");
                reading.error(Code::InvalidRequirement, what, Some(origin.clone()));
                return Parsed::Invalid;
            }
        };
    }
    Parsed::Requirement(Requirement {
        name,
        extras: set,
        wanted,
        marker,
        origin: Some(origin.clone()),
    })
}

/// `name @ ./folder` and `name @ file:folder`, which PEP 508 has no relative form for.
fn local_reference(
    reading: &Reading<'_>,
    text: &str,
    folder: &str,
    origin: &Origin,
) -> Option<Requirement> {
    let (head, target) = text.split_once('@')?;
    let target = target.trim();
    let (target, marker) = match target.split_once(" ;") {
        Some((target, marker)) => (target.trim(), format!("; {marker}")),
        None => (target, String::new()),
    };
    let path = match target.strip_prefix("file:") {
        Some(path) => path.strip_prefix("//localhost/").unwrap_or(path),
        None if target.contains("://") || !target.contains(['/', '.']) => return None,
        None => target,
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    let requirement = Requirement::parse(&format!("{head}{marker}")).ok()?;
    Some(Requirement {
        wanted: Wanted::Path(shown(reading, folder, path)),
        origin: Some(origin.clone()),
        ..requirement
    })
}

/// A path as the user should see it.
fn shown(reading: &Reading<'_>, folder: &str, path: &str) -> PathBuf {
    match super::join(folder, path) {
        Some(joined) => reading.files.display(&joined),
        None => PathBuf::from(path),
    }
}

/// `path[a,b]` as pip splits it.
fn split_extras(target: &str) -> (&str, Vec<String>) {
    let Some(body) = target.strip_suffix(']') else {
        return (target, Vec::new());
    };
    match body.rsplit_once('[') {
        Some((path, extras)) if !path.is_empty() && !path.contains('#') => {
            let extras = extras.split(',').map(str::trim).filter(|e| !e.is_empty());
            (path, extras.map(str::to_owned).collect())
        }
        _ => (target, Vec::new()),
    }
}

/// The address, where the target is one that is not just a local file.
fn url_of(target: &str) -> Option<Result<Url, String>> {
    let (scheme, _) = target.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme || scheme == "file" && !target.contains("://") {
        return None;
    }
    Some(Url::parse(target).map_err(|e| e.to_string()))
}

/// Name and extras from `#egg=name[extra]`, or from the file's name.
fn name_in(url: &Url) -> Option<(String, Vec<String>)> {
    if let Some(found) = url.fragment().and_then(name_in_fragment) {
        return Some(found);
    }
    let file = url.path_segments()?.next_back()?;
    name_of_file(file).map(|name| (name, Vec::new()))
}

fn name_in_fragment(fragment: &str) -> Option<(String, Vec<String>)> {
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="))?;
    let egg = egg.replace("%5B", "[").replace("%5D", "]");
    let (name, extras) = split_extras(&egg);
    Some((name.to_owned(), extras))
}

/// The project in a wheel's or an sdist's file name.
fn name_of_file(path: &str) -> Option<String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    if let Some(stem) = file.strip_suffix(".whl") {
        return WheelFilename::parse(stem).map(|wheel| wheel.name);
    }
    let stem = archive_stem(file)?;
    // `name-1.0`: the version starts at the last dash before a digit.
    let split = stem.match_indices('-').map(|(at, _)| at).rfind(|at| {
        stem.get(at + 1..)
            .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    stem.get(..split).map(str::to_owned)
}

fn archive_stem(file: &str) -> Option<&str> {
    [".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz"]
        .iter()
        .find_map(|extension| file.strip_suffix(extension))
}

fn is_archive(text: &str) -> bool {
    archive_stem(text).is_some() || text.ends_with(".whl")
}

/// What the project in a folder calls itself.
fn name_in_folder(path: &std::path::Path) -> Option<String> {
    let files = Directory::open(path).ok()?;
    let read = merge::read(&files, &Hint::Folder, &no_env).ok()?;
    Some(read.project.name?.to_string())
}
