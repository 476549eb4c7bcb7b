//! What the user wants of the index client. The terminal layer fills it in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use url::Url;

use super::IndexError;
use super::credential::{Credentials, Login};
use super::timestamp::Timestamp;
use crate::event::{Observer, Silent};
use crate::python::PackageName;

/// A place where projects are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The name that the user gave it, for pinning projects to it.
    pub name: Option<String>,
    /// Where it is.
    pub location: Location,
}

/// Where an index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The root of a Simple API (PEP 503, 691), without credentials, ending in `/`.
    Simple(Url),
    /// A folder of wheels and sdists (`--find-links`).
    Folder(PathBuf),
    /// A web page that links to wheels and sdists of any project (`--find-links`).
    Links(Url),
}

/// Somebody who runs a project's own build code for its metadata: the last resort, and only for
/// projects that the user names.
pub trait MetadataBuilder: Send + Sync {
    /// Whether the user wants the code of this project to be run.
    fn allows(&self, project: &PackageName) -> bool;

    /// The METADATA that building this sdist would give. Blocks until the build has ended.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    fn build(&self, file: &str, archive: &[u8]) -> Result<Vec<u8>, String>;
}

/// What the user wants of the index client.
#[derive(Clone)]
pub struct Options {
    /// Where to look, in this order: the first that knows a project wins, so that nobody can slip
    /// in a release under the name of a private project.
    pub indexes: Vec<Index>,
    /// Projects that come from the index of this name only.
    pub pinned: BTreeMap<PackageName, String>,
    /// Logins for the indexes' hosts.
    pub credentials: Credentials,
    /// Files uploaded at this moment or later do not exist.
    pub exclude_newer: Option<Timestamp>,
    /// The same for single projects; none lifts the general one.
    pub exclude_newer_package: BTreeMap<PackageName, Option<Timestamp>>,
    /// Metadata that the user supplies, by project and, where given, version: a METADATA text.
    pub metadata: BTreeMap<(PackageName, Option<String>), String>,
    /// Who runs build code where nothing else tells the requirements; none: nobody does.
    pub builder: Option<Arc<dyn MetadataBuilder>>,
    /// The cache's folder; none keeps nothing between runs.
    pub cache: Option<PathBuf>,
    /// No request is made.
    pub offline: bool,
    /// Even fresh cache entries are checked with the index.
    pub refresh: bool,
    /// Whether guesses count as saving time; none: where a round trip takes long.
    pub guesses: Option<bool>,
    /// The current time, by which the cache ages.
    pub now: SystemTime,
    /// Who wants to know what is happening.
    pub observer: Arc<dyn Observer>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("indexes", &self.indexes)
            .field("cache", &self.cache)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// No index yet, no cache, nothing excluded.
    pub fn new(now: SystemTime) -> Self {
        Self {
            indexes: Vec::new(),
            pinned: BTreeMap::new(),
            credentials: Credentials::default(),
            exclude_newer: None,
            exclude_newer_package: BTreeMap::new(),
            metadata: BTreeMap::new(),
            builder: None,
            cache: None,
            offline: false,
            refresh: false,
            guesses: None,
            now,
            observer: Arc::new(Silent),
        }
    }

    /// Adds the indexes of `--index NAME=URL`, `--index-url` and `--extra-index-url`: named ones
    /// first, then `--index-url`, then the extra ones. Where no `--index-url` is given, the default
    /// index comes last, so that private projects win over public ones of the same name.
    ///
    /// # Errors
    /// When an address is none.
    pub fn add_indexes(
        &mut self,
        named: &[(String, String)],
        index_url: Option<&str>,
        extra: &[String],
    ) -> Result<(), IndexError> {
        for (name, address) in named {
            self.add_index(Some(name), address)?;
        }
        if let Some(address) = index_url {
            self.add_index(None, address)?;
        }
        for address in extra {
            self.add_index(None, address)?;
        }
        if index_url.is_none() {
            self.add_index(None, &default_index())?;
        }
        Ok(())
    }

    /// Adds one index; its address may hold a login.
    ///
    /// # Errors
    /// When the address is none.
    pub fn add_index(&mut self, name: Option<&str>, address: &str) -> Result<(), IndexError> {
        let mut url = parse_address(address)?;
        self.credentials.take(&mut url);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        self.indexes.push(Index {
            name: name.map(str::to_owned),
            location: Location::Simple(url),
        });
        Ok(())
    }

    /// Adds a folder, or a page of links.
    ///
    /// # Errors
    /// When it looks like an address and is none.
    pub fn add_find_links(&mut self, place: &str) -> Result<(), IndexError> {
        let location = if place.starts_with("http://") || place.starts_with("https://") {
            let mut url = parse_address(place)?;
            self.credentials.take(&mut url);
            Location::Links(url)
        } else if place.starts_with("file:") {
            let path = Url::parse(place)
                .ok()
                .and_then(|url| url.to_file_path().ok());
            Location::Folder(path.ok_or_else(|| no_address(place, "it names no local folder"))?)
        } else {
            Location::Folder(PathBuf::from(place))
        };
        // Before the indexes, as what is at hand should win.
        self.indexes.insert(
            0,
            Index {
                name: None,
                location,
            },
        );
        Ok(())
    }

    /// A login for the index of this name, from the environment.
    pub fn add_login(&mut self, name: &str, login: Login) {
        let url = self
            .indexes
            .iter()
            .find_map(|index| match (&index.name, &index.location) {
                (Some(other), Location::Simple(url)) if other == name => Some(url.clone()),
                _ => None,
            });
        if let Some(url) = url {
            self.credentials.add(&url, login);
        }
    }

    /// The moment from which files of a project do not exist.
    pub(super) fn cutoff(&self, project: &PackageName) -> Option<Timestamp> {
        match self.exclude_newer_package.get(project) {
            Some(own) => *own,
            None => self.exclude_newer,
        }
    }
}

/// The address of the Simple API that is asked when the user names none.
pub fn default_index() -> String {
    let host = ["pypi", "org"].join(".");
    format!("https://{host}/simple/")
}

fn parse_address(text: &str) -> Result<Url, IndexError> {
    let url = Url::parse(text.trim()).map_err(|e| no_address(text, &e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(no_address(
            text,
            "only http and https addresses can be asked",
        ));
    }
    Ok(url)
}

fn no_address(text: &str, reason: &str) -> IndexError {
    // The text may hold a password.
    let shown = match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    };
    IndexError::Malformed {
        what: format!("the index address `{shown}`"),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(options: &Options) -> Vec<String> {
        let text = |index: &Index| match &index.location {
            Location::Simple(url) | Location::Links(url) => url.to_string(),
            Location::Folder(path) => path.display().to_string(),
        };
        options.indexes.iter().map(text).collect()
    }

    #[test]
    fn the_default_comes_last_and_only_when_none_is_named() {
        let extra = ["https://u:p@b.test/simple".to_owned()];
        let mut options = Options::new(SystemTime::UNIX_EPOCH);
        options
            .add_indexes(
                &[("n".to_owned(), "https://n.test/".to_owned())],
                None,
                &extra,
            )
            .unwrap();
        options.add_find_links("wheels").unwrap();
        let found = places(&options);
        assert_eq!(
            &found[..3],
            ["wheels", "https://n.test/", "https://b.test/simple/"]
        );
        assert_eq!(found[3], default_index());
        let mut options = Options::new(SystemTime::UNIX_EPOCH);
        options
            .add_indexes(&[], Some("https://a.test"), &extra)
            .unwrap();
        assert_eq!(
            places(&options),
            ["https://a.test/", "https://b.test/simple/"]
        );
    }

    #[test]
    fn bad_addresses_are_told_without_passwords() {
        let mut options = Options::new(SystemTime::UNIX_EPOCH);
        let error = options
            .add_index(None, "ftp://me:secret@a.test/")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a.test") && !error.contains("secret"),
            "{error}"
        );
    }
}
