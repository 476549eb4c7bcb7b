//! Which distribution of a release an entry fetches, and with which fetcher.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use url::Url;

use super::derivation::{Fetch, Fetcher, Source};
use super::{PlanError, Policy};
use crate::index::{Commit, Distribution, Place, Release, Tree};
use crate::python::{Filename, Sha256, System, TargetSet, Targets, tag};
use crate::resolve::Pin;

/// The sdist that an entry for this pin would build; none where it would take wheels.
pub fn sdist<'a>(pin: &'a Pin, policy: &Policy) -> Option<&'a Distribution> {
    if policy.prefer_wheels.contains(&pin.name) && !pin.release.wheels.is_empty() {
        return None;
    }
    pin.release.sdist.as_ref()
}

/// Whether an entry for this pin builds from sources, be they an sdist, a folder or a commit.
pub(super) fn is_built(pin: &Pin, policy: &Policy) -> bool {
    pin.release.tree.is_some() || sdist(pin, policy).is_some()
}

/// The folder below the fetched tree that holds the project; none for the tree's root.
pub(super) fn root(pin: &Pin) -> Option<String> {
    let tree = pin.release.tree.as_ref()?;
    let below = matches!(tree.place, Place::Commit(_)) && !tree.folder.is_empty();
    below.then(|| format!("source/{}", tree.folder))
}

/// The source of an entry for a pin: its sdist, else a wheel that serves every target, else a wheel
/// for each target that has one.
///
/// # Errors
/// [`PlanError::NoSource`] where the release has no file that would do, [`PlanError::NoDigest`]
/// where nobody knows a file's digest.
pub(super) fn source(
    pin: &Pin,
    targets: &Targets,
    policy: &Policy,
    digests: &BTreeMap<String, Sha256>,
) -> Result<Source, PlanError> {
    if let Some(tree) = &pin.release.tree {
        return Ok(Source::Sdist(of_tree(tree, policy)));
    }
    if let Some(sdist) = sdist(pin, policy) {
        return Ok(Source::Sdist(fetch(pin, sdist, policy, digests)?));
    }
    let mut wheels = BTreeMap::new();
    for (system, wheel) in self::wheels(pin, targets) {
        if let Filename::Wheel(name) = &wheel.filename
            && name.platform == "any"
        {
            return Ok(Source::Wheel(fetch(pin, wheel, policy, digests)?));
        }
        wheels.insert(system, fetch(pin, wheel, policy, digests)?);
    }
    if wheels.is_empty() {
        let systems: Vec<&str> = targets.systems(pin.targets).map(System::name).collect();
        return Err(PlanError::NoSource {
            release: format!("{} {}", pin.name, pin.version),
            systems: systems.join(", "),
        });
    }
    Ok(Source::Wheels(wheels))
}

/// Whether there is a wheel for every target that needs a pin.
pub(super) fn has_wheels(pin: &Pin, targets: &Targets) -> bool {
    let mut needed = (0..targets.environments.len())
        .map(TargetSet::single)
        .filter(|target| pin.targets.contains(*target));
    needed.all(|target| best_wheel(&pin.release, targets, target).is_some())
}

/// The wheel of each target's system, where it has one.
pub(super) fn wheels<'a>(pin: &'a Pin, targets: &Targets) -> BTreeMap<System, &'a Distribution> {
    let mut chosen: BTreeMap<System, &Distribution> = BTreeMap::new();
    for (index, environment) in targets.environments.iter().enumerate() {
        let target = TargetSet::single(index);
        if pin.targets.contains(target)
            && let Some(wheel) = best_wheel(&pin.release, targets, target)
        {
            chosen.insert(environment.system, wheel);
        }
    }
    chosen
}

/// The wheel to take on one target: one for every system, else the one made for the interpreter most
/// narrowly.
fn best_wheel<'a>(
    release: &'a Release,
    targets: &Targets,
    target: TargetSet,
) -> Option<&'a Distribution> {
    let suits = |wheel: &&Distribution| match &wheel.filename {
        Filename::Wheel(name) => tag::served(name, targets).contains(target),
        Filename::Sdist(_) => false,
    };
    release.wheels.iter().filter(suits).max_by_key(|wheel| {
        let Filename::Wheel(name) = &wheel.filename else {
            return (false, 0, String::new(), String::new());
        };
        let narrow = match name.abi.as_str() {
            "none" => 0,
            "abi3" => 1,
            _ => 2,
        };
        // `cp39` sorts before `cp310` only once the digits are of one length.
        let python = format!("{:0>8}", name.python);
        (name.platform == "any", narrow, python, wheel.file.clone())
    })
}

fn of_tree(tree: &Tree, policy: &Policy) -> Fetch {
    match &tree.place {
        Place::Folder(path) => Fetch {
            fetcher: Fetcher::Path(relative(&policy.place, path)),
            sha256: None,
        },
        Place::Commit(commit) => {
            let (url, rev) = (commit.url.to_string(), commit.id.clone());
            let web = matches!(commit.url.scheme(), "http" | "https");
            match github(commit) {
                Some((owner, repo)) => Fetch {
                    fetcher: Fetcher::GitHub { owner, repo, rev },
                    sha256: Some(commit.sha256),
                },
                None if web => Fetch {
                    fetcher: Fetcher::Git { url, rev },
                    sha256: Some(commit.sha256),
                },
                // Only Nix itself, outside of a build, can read the user's files and keys.
                None => Fetch {
                    fetcher: Fetcher::OwnGit { url, rev },
                    sha256: None,
                },
            }
        }
    }
}

/// Owner and name of a repository on GitHub whose archives are what a checkout is.
fn github(commit: &Commit) -> Option<(String, String)> {
    let url = &commit.url;
    let there =
        url.scheme() == "https" && url.host_str() == Some("github.com") && url.port().is_none();
    let mut parts = url.path().trim_matches('/').split('/');
    let (owner, repo) = (parts.next()?, parts.next()?);
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let repo = repo.strip_suffix(".git").unwrap_or(repo);
    let known = there && parts.next().is_none() && !commit.attributes && url.query().is_none();
    (known && plain(owner) && plain(repo)).then(|| (owner.to_owned(), repo.to_owned()))
}

/// A path as seen from a folder, both absolute: `./x`, `../x`, or `./.` for the folder itself. What
/// has nothing in common with it stays as it is.
pub fn relative(from: &Path, to: &Path) -> String {
    let parts = |path: &Path| {
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if parts.len() > 1 => drop(parts.pop()),
                part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
            }
        }
        parts
    };
    let (base, path) = (parts(from), parts(to));
    let common = base.iter().zip(&path).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return to.to_string_lossy().into_owned();
    }
    let up = base.len() - common;
    let mut names = vec![".."; up];
    names.extend(path.iter().skip(common).map(String::as_str));
    match names.as_slice() {
        [] => "./.".to_owned(),
        _ if up == path.len() - common + up => format!("{}/.", names.join("/")),
        _ if up > 0 => names.join("/"),
        _ => format!("./{}", names.join("/")),
    }
}

fn fetch(
    pin: &Pin,
    file: &Distribution,
    policy: &Policy,
    digests: &BTreeMap<String, Sha256>,
) -> Result<Fetch, PlanError> {
    if let Ok(path) = file.url.to_file_path() {
        return Ok(Fetch {
            fetcher: Fetcher::Path(relative(&policy.place, &path)),
            sha256: None,
        });
    }
    let sha256 = file
        .sha256
        .or_else(|| digests.get(&file.file).copied())
        .ok_or_else(|| PlanError::NoDigest {
            file: file.file.clone(),
        })?;
    let fetcher = if pin.index.as_ref().is_some_and(is_pypi) {
        pypi(file).unwrap_or_else(|| by_url(file))
    } else {
        by_url(file)
    };
    Ok(Fetch {
        fetcher,
        sha256: Some(sha256),
    })
}

/// Whether `fetchPypi`, which asks PyPI, asks the index that the file is from. Told by the last
/// labels of the host, of which the address is put together elsewhere.
fn is_pypi(index: &Url) -> bool {
    index
        .host_str()
        .is_some_and(|host| host.rsplit('.').take(2).eq(["org", "pypi"]))
}

/// `fetchPypi`, where its arguments give exactly this file. It makes the name from them:
/// `{pname}-{version}.{extension}` and `{pname}-{version}-{python}-{abi}-{platform}.whl`.
fn pypi(file: &Distribution) -> Option<Fetcher> {
    match &file.filename {
        Filename::Sdist(name) => {
            (name.file() == file.file && is_plain(&name.name)).then(|| Fetcher::PypiSdist {
                pname: name.name.clone(),
                version: name.version.clone(),
                extension: name.extension.clone(),
            })
        }
        // The directory is the file's `python_version`, which is its python tag, dots and all.
        Filename::Wheel(name) => (name.build.is_none()
            && name.file() == file.file
            && is_plain(&name.name))
        .then(|| Fetcher::PypiWheel {
            pname: name.name.clone(),
            version: name.version.clone(),
            python: name.python.clone(),
            abi: name.abi.clone(),
            platform: name.platform.clone(),
        }),
    }
}

/// Whether the first character can be the address' directory as it is.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn by_url(file: &Distribution) -> Fetcher {
    let mut url = Url::clone(&file.url);
    url.set_fragment(None);
    let last = url.path_segments().and_then(|mut s| s.next_back());
    let name = (last != Some(file.file.as_str())).then(|| file.file.clone());
    Fetcher::Url {
        url: url.to_string(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_a_folder() {
        let seen = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(seen("/a/b", "/a/b/c/d"), "./c/d");
        assert_eq!(seen("/a/b", "/a/x"), "../x");
        assert_eq!(seen("/a/b", "/a/b/../b/./c"), "./c");
        assert_eq!(seen("/a/b", "/a/b"), "./.");
        assert_eq!(seen("/a/b", "/a"), "../.");
        assert_eq!(seen("", "/a"), "/a");
    }

    #[test]
    fn only_plain_repositories_are_fetched_from_github() {
        let commit = |url: &str, attributes| Commit {
            url: Url::parse(url).unwrap(),
            requested: None,
            id: "0".repeat(40),
            sha256: Sha256::of(b""),
            attributes,
        };
        let host = ["https://github", "com"].join(".");
        let plain = commit(&format!("{host}/owner/repo.git"), false);
        assert_eq!(
            github(&plain),
            Some(("owner".to_owned(), "repo".to_owned()))
        );
        assert_eq!(github(&commit(&format!("{host}/owner/repo"), true)), None);
        assert_eq!(
            github(&commit(&format!("{host}/owner/repo/tree"), false)),
            None
        );
        assert_eq!(github(&commit("https://host.test/owner/repo", false)), None);
    }
}
