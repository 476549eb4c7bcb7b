//! nixpkgs' recipes tried on the sources of the overrides: what has to be looked at is got here.

use std::collections::{BTreeMap, BTreeSet};

use super::parallel;
use crate::index::{Catalog, IndexError, Place};
use crate::plan::{self, Trials};
use crate::project::Directory;
use crate::project::cargo::CrateCommit;
use crate::project::files::{Found, look};
use crate::python::Sha256;
use crate::resolve::Pin;

/// Tries the recipe of every override that was fitted to its own source. What cannot be looked at is
/// no error: the recipe is then taken back unseen, and that is told.
///
/// # Errors
/// None of its own; a file that is not what the index says.
pub(super) fn trials(
    catalog: &dyn Catalog,
    request: &plan::Request<'_>,
) -> Result<Trials, IndexError> {
    let recipes = plan::recipes(request);
    let text = |path: &str| request.nixpkgs.text(path);
    let tried = parallel::map(&recipes, |(pin, facts)| {
        let wanted = plan::trial::wanted(facts, &text);
        let trial = match source(catalog, pin, request.policy, &wanted) {
            Ok(source) => Ok(plan::trial::run(facts, &text, &source)),
            Err(error @ IndexError::HashMismatch { .. }) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        Ok(((pin.name.clone(), pin.version.clone()), trial))
    })?;
    Ok(tried.into_iter().collect())
}

/// The digests of the commits that crates of the entries are from. One that cannot be had is no error:
/// the file then asks for it.
pub(super) fn crates(
    catalog: &dyn Catalog,
    request: &plan::Request<'_>,
) -> BTreeMap<CrateCommit, Result<Sha256, String>> {
    let commits = plan::crate_commits(request).into_iter();
    let digests = commits.map(|commit| {
        let digest = catalog.commit_sha256(&commit.url, &commit.commit);
        (commit, digest.map_err(|error| error.to_string()))
    });
    digests.collect()
}

fn source(
    catalog: &dyn Catalog,
    pin: &Pin,
    policy: &plan::Policy,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, Found>, IndexError> {
    let unreadable = |reason: &str| IndexError::Malformed {
        what: format!("{} {}", pin.name, pin.version),
        reason: reason.to_owned(),
    };
    if let Some(tree) = &pin.release.tree {
        let Place::Folder(path) = &tree.place else {
            return Err(unreadable("the files of a commit are not kept"));
        };
        let files = Directory::open(path).map_err(|e| unreadable(&e.to_string()))?;
        let look = |path: &String| (path.clone(), look(&files, path));
        return Ok(wanted.iter().map(look).collect());
    }
    match plan::source::sdist(pin, policy) {
        Some(sdist) => catalog.look(&pin.name, sdist, wanted),
        None => Err(unreadable("it has no sdist")),
    }
}
