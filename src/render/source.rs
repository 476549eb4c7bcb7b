//! What a package fetches, as expressions.

use std::collections::BTreeMap;

use super::package::Uses;
use crate::nix::{Expr, Item};
use crate::plan::derivation::{Fetch, Fetcher, Source};
use crate::python::System;

/// `pyproject = true`, or `format = "wheel"`. An override says both, as the old recipe may have the
/// other one, and nixpkgs takes only one.
pub(super) fn format(source: &Source, overrides: bool) -> Vec<Item> {
    let sdist = matches!(source, Source::Sdist(_));
    let pyproject = Item::bind("pyproject", Expr::Name(if sdist { "true" } else { "null" }));
    let value = if sdist {
        Expr::Name("null")
    } else {
        Expr::str("wheel")
    };
    let format = Item::bind("format", value);
    match (overrides, sdist) {
        (true, _) => vec![pyproject, format],
        (false, true) => vec![pyproject],
        (false, false) => vec![format],
    }
}

/// The value of `src`.
pub(super) fn src(source: &Source, uses: &mut Uses) -> Expr {
    match source {
        Source::Sdist(fetch) | Source::Wheel(fetch) => fetcher(fetch, uses),
        Source::Wheels(wheels) => by_system(wheels, uses),
    }
}

/// `{ x86_64-linux = …; }.${stdenv.hostPlatform.system} or (throw …)`
fn by_system(wheels: &BTreeMap<System, Fetch>, uses: &mut Uses) -> Expr {
    uses.stdenv = true;
    let items = wheels
        .iter()
        .map(|(system, fetch)| Item::bind(system.name(), fetcher(fetch, uses)))
        .collect();
    let system = Expr::Name("stdenv").select("hostPlatform").select("system");
    let otherwise = Expr::Name("throw").apply(Expr::str("there is no wheel for this system"));
    Expr::Index(
        Box::new(Expr::Set(items)),
        Box::new(system),
        Box::new(otherwise),
    )
}

fn fetcher(fetch: &Fetch, uses: &mut Uses) -> Expr {
    let mut items = Vec::new();
    let mut bind = |name: &str, value: &str| items.push(Item::bind(name, Expr::str(value)));
    let function = match &fetch.fetcher {
        Fetcher::PypiSdist {
            pname,
            version,
            extension,
        } => {
            uses.fetch_pypi = true;
            bind("pname", pname);
            bind("version", version);
            if extension != "tar.gz" {
                bind("extension", extension);
            }
            "fetchPypi"
        }
        Fetcher::PypiWheel {
            pname,
            version,
            python,
            abi,
            platform,
        } => {
            uses.fetch_pypi = true;
            bind("pname", pname);
            bind("version", version);
            bind("format", "wheel");
            if python != "py2.py3" {
                bind("dist", python);
                bind("python", python);
            }
            if abi != "none" {
                bind("abi", abi);
            }
            if platform != "any" {
                bind("platform", platform);
            }
            "fetchPypi"
        }
        Fetcher::Url { url, name } => {
            uses.fetchurl = true;
            if let Some(name) = name {
                bind("name", name);
            }
            bind("url", url);
            "fetchurl"
        }
        Fetcher::GitHub { owner, repo, rev } => {
            uses.fetch_from_github = true;
            bind("owner", owner);
            bind("repo", repo);
            bind("rev", rev);
            "fetchFromGitHub"
        }
        Fetcher::Git { url, rev } => {
            uses.fetchgit = true;
            // The name is the folder's: `sourceRoot` may start with it.
            bind("name", "source");
            bind("url", url);
            bind("rev", rev);
            "fetchgit"
        }
        Fetcher::OwnGit { url, rev } => {
            bind("url", url);
            bind("rev", rev);
            items.push(Item::bind("allRefs", Expr::Name("true")));
            return Expr::Name("builtins")
                .select("fetchGit")
                .apply(Expr::Set(items));
        }
        Fetcher::Path(path) => return Expr::Path(path.clone()),
    };
    if let Some(sha256) = &fetch.sha256 {
        bind("hash", &sha256.sri());
    }
    if function == "fetchgit" {
        items.push(Item::bind("fetchSubmodules", Expr::Name("false")));
    }
    Expr::Name(function).apply(Expr::Set(items))
}
