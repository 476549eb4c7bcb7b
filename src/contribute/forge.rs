//! The source of a release on its forge: the tag of its version, where one can be found and its
//! archive is what a checkout is.

use std::sync::Arc;

use url::Url;

use super::init::{Facts, Prepared};
use crate::index::{Catalog as _, Commit, Place, RemoteCatalog};
use crate::plan::derivation::{Fetch, Fetcher, Source};
use crate::project::SourceFacts;
use crate::python::{About, PackageName, Sha256, Wanted};
use crate::resolve::Pin;

/// The forge whose archives nixpkgs has a fetcher for.
const HOST: &str = "github.com";

/// A tag on the forge.
pub(super) struct Found {
    owner: String,
    repo: String,
    tag: String,
    commit: Commit,
    facts: Facts,
}

/// Looks for the tag of a pin's version.
///
/// # Errors
/// A sentence, where there is none, or it cannot be fetched, or its archive differs from it.
pub(super) fn source(
    catalog: &RemoteCatalog,
    pin: &Pin,
    facts: Option<&SourceFacts>,
) -> Result<Found, String> {
    let abouts = [Some(&pin.metadata.about), facts.map(|f| &f.about)];
    let (owner, repo) = abouts
        .into_iter()
        .flatten()
        .find_map(repository)
        .ok_or("the metadata names no repository on GitHub")?;
    let version = pin.version.to_string();
    let mut last = String::new();
    for tag in tags(&pin.name, &version) {
        match fetch(catalog, &pin.name, &owner, &repo, &tag) {
            Ok((commit, facts)) => {
                return Ok(Found {
                    owner,
                    repo,
                    tag,
                    commit,
                    facts,
                });
            }
            Err(why) => last = why,
        }
    }
    Err(format!(
        "no tag of {version} was found in {owner}/{repo} ({last})"
    ))
}

/// The digest of the tree behind a tag, as `fetchFromGitHub` has it.
///
/// # Errors
/// As [`source`].
pub(super) fn fetch(
    catalog: &RemoteCatalog,
    name: &PackageName,
    owner: &str,
    repo: &str,
    tag: &str,
) -> Result<(Commit, Facts), String> {
    let address = format!("git+https://{HOST}/{owner}/{repo}@{tag}");
    let url = Url::parse(&address).map_err(|error| error.to_string())?;
    let found = catalog.direct(name, &Wanted::Url(url));
    let (release, _) = found.map_err(|error| error.to_string())?;
    let tree = release.tree.as_ref().ok_or("it is no tree")?;
    let Place::Commit(commit) = &tree.place else {
        return Err("it is no commit".to_owned());
    };
    if commit.attributes {
        return Err(
            "its .gitattributes make its archive differ from a checkout, so that its digest is not known"
                .to_owned(),
        );
    }
    Ok((commit.clone(), Arc::clone(&tree.facts)))
}

/// How versions are tagged, the usual ways first.
fn tags(name: &PackageName, version: &str) -> Vec<String> {
    vec![
        format!("v{version}"),
        version.to_owned(),
        format!("{name}-{version}"),
        format!("{name}-v{version}"),
        format!("release-{version}"),
    ]
}

/// Owner and name of the repository that a release names.
fn repository(about: &About) -> Option<(String, String)> {
    let labelled = about.urls.iter().map(|(_, address)| address);
    labelled.chain(&about.home_page).find_map(|address| {
        let url = Url::parse(address.trim()).ok()?;
        let there = matches!(url.scheme(), "http" | "https")
            && matches!(url.host_str(), Some(host) if host == HOST || host == "www.github.com");
        let mut parts = url.path_segments().filter(|_| there)?;
        let owner = parts.next().filter(|part| plain(part))?;
        let repo = parts.next()?;
        let repo = repo.strip_suffix(".git").unwrap_or(repo);
        let own = !matches!(owner, "sponsors" | "orgs" | "users");
        (own && plain(repo)).then(|| (owner.to_owned(), repo.to_owned()))
    })
}

fn plain(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !part.is_empty() && part.bytes().all(plain) && !part.starts_with(['-', '.'])
}

impl Found {
    /// Takes a module's source from the tag; what is known of that source.
    pub(super) fn apply(self, module: &mut Prepared) -> Facts {
        let derivation = &mut module.derivation;
        derivation.source = Source::Sdist(Fetch {
            fetcher: Fetcher::GitHub {
                owner: self.owner.clone(),
                repo: self.repo.clone(),
                rev: self.commit.id.clone(),
            },
            sha256: Some(Sha256(self.commit.sha256.0)),
        });
        derivation
            .missing_files
            .clone_from(&self.facts.missing_files);
        let Self {
            owner, repo, tag, ..
        } = &self;
        let releases = format!("https://{HOST}/{owner}/{repo}/releases");
        let changelog = derivation.meta.changelog.as_deref();
        if changelog.is_none_or(|url| url.trim_end_matches('/') == releases) {
            derivation.meta.changelog = Some(format!("{releases}/tag/{tag}"));
        }
        module.tag = Some(self.tag);
        self.facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_found_in_addresses() {
        let of = |address: &str| {
            let about = About {
                home_page: Some(address.to_owned()),
                ..About::default()
            };
            repository(&about)
        };
        let found = Some(("o".to_owned(), "r.x".to_owned()));
        let host = ["https://github", "com"].join(".");
        assert_eq!(of(&format!("{host}/o/r.x/issues")), found);
        assert_eq!(of(&format!("{host}/o/r.x.git")), found);
        assert_eq!(of(&format!("{host}/sponsors/o")), None);
        assert_eq!(of(&format!("{host}/o")), None);
        assert_eq!(of("https://forge.test/o/r"), None);
    }
}
