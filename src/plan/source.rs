//! Which distribution of a release an entry fetches, and with which fetcher.

use std::collections::BTreeMap;

use url::Url;

use super::derivation::{Fetch, Fetcher, Source};
use super::{PlanError, Policy};
use crate::index::{Distribution, Release};
use crate::python::{Filename, Sha256, System, TargetSet, Targets, tag};
use crate::resolve::Pin;

/// The sdist that an entry for this pin would build; none where it would take wheels.
pub fn sdist<'a>(pin: &'a Pin, policy: &Policy) -> Option<&'a Distribution> {
    if policy.prefer_wheels.contains(&pin.name) && !pin.release.wheels.is_empty() {
        return None;
    }
    pin.release.sdist.as_ref()
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
    if let Some(sdist) = sdist(pin, policy) {
        return Ok(Source::Sdist(fetch(pin, sdist, digests)?));
    }
    let mut chosen: BTreeMap<System, &Distribution> = BTreeMap::new();
    for (index, environment) in targets.environments.iter().enumerate() {
        let target = TargetSet::single(index);
        if pin.targets.contains(target)
            && let Some(wheel) = best_wheel(&pin.release, targets, target)
        {
            chosen.insert(environment.system, wheel);
        }
    }
    let mut wheels = BTreeMap::new();
    for (system, wheel) in chosen {
        if let Filename::Wheel(name) = &wheel.filename
            && name.platform == "any"
        {
            return Ok(Source::Wheel(fetch(pin, wheel, digests)?));
        }
        wheels.insert(system, fetch(pin, wheel, digests)?);
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

fn fetch(
    pin: &Pin,
    file: &Distribution,
    digests: &BTreeMap<String, Sha256>,
) -> Result<Fetch, PlanError> {
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
    Ok(Fetch { fetcher, sha256 })
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
