//! Requirements on an address or a local path instead of an index: wheels, sdists and folders.
//!
//! Repositories (`git+https://…`) are fetched in [`super::git`].

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use url::Url;

use super::credential::shown;
use super::git::Repository;
use super::remote::RemoteCatalog;
use super::sdist::{causes, metadata_from_facts};
use super::shared::{Shared, interrupted};
use super::{Distribution, IndexError, Place, Release, Tree, range};
use crate::project::archive::Archive;
use crate::project::{Directory, Files, FilesError, Hint, facts};
use crate::python::filename::SdistFilename;
use crate::python::metadata::Header;
use crate::python::{Filename, Metadata, PackageName, Sha256, Version, Wanted, without_login};

type Found = (Arc<Release>, Arc<Metadata>);

impl RemoteCatalog {
    /// The one release behind an address or a path.
    pub(super) fn fetch_direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<Found, IndexError> {
        let (key, source) = match wanted {
            Wanted::Url(url) => (format!("{name} {url}"), Source::of_url(url)?),
            Wanted::Path(path) => (
                format!("{name} {}", path.display()),
                Source::Local(path.clone(), String::new()),
            ),
            Wanted::Versions(_) => return Err(IndexError::UnknownProject(name.clone())),
        };
        let shared = Arc::clone(self.shared());
        if shared.direct.claim(&key) {
            let (task, name) = (Arc::clone(&shared), name.clone());
            let what = name.to_string();
            let answer = match source {
                // Its own threads do the work: this one, which may wait, waits for them.
                Source::Repository(repository, folder) => {
                    shared.repository(&name, &repository, &folder)
                }
                source => self.wait_for(&what, async move { task.direct(&name, source).await }),
            };
            shared.direct.put(key.clone(), answer);
        }
        shared.direct.wait(&key)
    }
}

/// Where a direct requirement points, and the folder inside it that counts.
enum Source {
    Local(PathBuf, String),
    Remote(Url, Option<Sha256>, String),
    Repository(Repository, String),
}

impl Source {
    fn of_url(url: &Url) -> Result<Self, IndexError> {
        let malformed = |reason: &str| IndexError::Malformed {
            what: format!("`{}`", shown(url)),
            reason: reason.to_owned(),
        };
        let mut address = url.clone();
        address.set_fragment(None);
        let fragment = |key: &str| {
            let parts = url.fragment().unwrap_or("").split('&');
            parts
                .filter_map(|part| part.strip_prefix(key))
                .next()
                .map(str::to_owned)
        };
        let folder = fragment("subdirectory=").unwrap_or_default();
        if Path::new(&folder)
            .components()
            .any(|c| !matches!(c, std::path::Component::Normal(_)))
        {
            return Err(malformed("its subdirectory leads out of it"));
        }
        match address.scheme() {
            "file" => {
                let path = address.to_file_path();
                let path = path.map_err(|()| malformed("it names no local file or folder"))?;
                Ok(Self::Local(path, folder))
            }
            "http" | "https" => {
                let sha256 = fragment("sha256=").map(|hex| {
                    Sha256::from_hex(&hex).ok_or_else(|| malformed("its sha256 has not 64 digits"))
                });
                Ok(Self::Remote(address, sha256.transpose()?, folder))
            }
            scheme if scheme.starts_with("git+") => {
                let repository = Repository::parse(&address).map_err(|e| malformed(&e))?;
                Ok(Self::Repository(repository, folder))
            }
            scheme
                if ["hg+", "svn+", "bzr+"]
                    .iter()
                    .any(|vcs| scheme.starts_with(vcs)) =>
            {
                Err(malformed("of repositories, only git's are fetched"))
            }
            _ => Err(malformed(
                "only http, https, file and git+https addresses can be read",
            )),
        }
    }
}

/// A file as a direct requirement has it, once its bytes are at hand.
struct Whole {
    file: String,
    url: Url,
    sha256: Sha256,
    bytes: Vec<u8>,
}

impl Shared {
    async fn direct(
        self: &Arc<Self>,
        name: &PackageName,
        source: Source,
    ) -> Result<Found, IndexError> {
        match source {
            Source::Local(path, folder) => {
                let (name, what) = (name.clone(), path.display().to_string());
                let shared = Arc::clone(self);
                let job = move || local(&shared, &name, &path, &folder);
                self.run(job)
                    .await
                    .unwrap_or_else(|| Err(interrupted(&what)))
            }
            Source::Remote(url, sha256, folder) => self.remote(name, url, sha256, folder).await,
            Source::Repository(repository, folder) => self.repository(name, &repository, &folder),
        }
    }

    /// Blocks while git works.
    fn repository(
        &self,
        name: &PackageName,
        repository: &Repository,
        folder: &str,
    ) -> Result<Found, IndexError> {
        let fetched = repository.fetch(self.cache.folder("git"), self.options.offline)?;
        let what = format!("{} at {}", fetched.commit.url, fetched.commit.id);
        let folder = folder.trim_matches('/').to_owned();
        let files = Below {
            files: &fetched.archive,
            folder: folder.clone(),
        };
        from_tree(name, &files, Place::Commit(fetched.commit), folder, &what)
    }

    /// The digest of a commit's tree; blocks while git works. Locks of crates come with sdists, which
    /// may say anything: only what everybody can reach is fetched for them.
    pub(super) fn crate_commit(&self, url: &str, commit: &str) -> Result<Sha256, IndexError> {
        let malformed = |reason: &str| IndexError::Malformed {
            what: format!("`{url}`"),
            reason: reason.to_owned(),
        };
        let address = Url::parse(&format!("git+{url}@{commit}"));
        let address = address.map_err(|e| malformed(&e.to_string()))?;
        if address.scheme() != "git+https" {
            return Err(malformed("crates are fetched from https addresses only"));
        }
        let repository = Repository::parse(&address).map_err(|e| malformed(&e))?;
        let fetched = repository.fetch(self.cache.folder("git"), self.options.offline)?;
        if fetched.archive.is_file(".gitmodules") {
            return Err(malformed("it has submodules, which are not fetched here"));
        }
        Ok(fetched.commit.sha256)
    }

    async fn remote(
        self: &Arc<Self>,
        name: &PackageName,
        url: Url,
        sha256: Option<Sha256>,
        folder: String,
    ) -> Result<Found, IndexError> {
        let last = url
            .path_segments()
            .and_then(|mut s| s.next_back())
            .unwrap_or("");
        let file = last.replace("%2B", "+").replace("%2b", "+");
        let asked = Distribution {
            filename: filename(name, &file, "0"),
            file: file.clone(),
            url: url.clone().into(),
            sha256,
            size: None,
            requires_python: None,
            uploaded: None,
            yanked: None,
            has_metadata: false,
            metadata_sha256: None,
        };
        let (sha256, bytes) = self.download(&asked).await?;
        let (name, what) = (name.clone(), shown(&url));
        let whole = Whole {
            file,
            url: without_login(&url),
            sha256,
            bytes,
        };
        let shared = Arc::clone(self);
        let job = move || whole.read(&shared, &name, &folder);
        self.run(job)
            .await
            .unwrap_or_else(|| Err(interrupted(&what)))
    }
}

fn local(
    shared: &Shared,
    name: &PackageName,
    path: &Path,
    folder: &str,
) -> Result<Found, IndexError> {
    let shown = path.display().to_string();
    let fail = |reason: String| IndexError::Fetch {
        what: shown.clone(),
        reason,
    };
    if path.is_dir() {
        let place = path.join(folder);
        let files = Directory::open(&place).map_err(|e| fail(causes(&e)))?;
        let absolute = std::path::absolute(&place).map_err(|e| fail(e.to_string()))?;
        let place = Place::Folder(absolute);
        return from_tree(name, &files, place, String::new(), &shown);
    }
    let bytes = std::fs::read(path).map_err(|e| fail(e.to_string()))?;
    let whole = path.canonicalize().map_err(|e| fail(e.to_string()))?;
    let url = Url::from_file_path(whole).map_err(|()| fail("its path is no address".to_owned()))?;
    let file = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let whole = Whole {
        file: file.unwrap_or_default(),
        url,
        sha256: Sha256::of(&bytes),
        bytes,
    };
    whole.read(shared, name, folder)
}

impl Whole {
    fn read(self, shared: &Shared, name: &PackageName, folder: &str) -> Result<Found, IndexError> {
        let builder = shared.options.builder.as_ref();
        let builder = builder.filter(|builder| builder.allows(name));
        let (version, metadata) = if self.file.ends_with(".whl") {
            let text = range::whole_wheel(&self.file, &self.bytes);
            let text = text.map_err(|reason| malformed(&self.file, reason))?;
            from_metadata(name, &text, &self.file)?
        } else {
            let archive = Archive::parse(&self.file, &self.bytes);
            let archive = archive.map_err(|e| malformed(&self.file, causes(&e)))?;
            let inside = Below {
                files: &archive,
                folder: folder.trim_matches('/').to_owned(),
            };
            let mut facts = facts::of(&inside).map_err(|e| malformed(&self.file, causes(&e)))?;
            if !inside.folder.is_empty() {
                let parts = archive.top().into_iter().chain([inside.folder.as_str()]);
                facts.folder = Some(parts.collect::<Vec<_>>().join("/"));
            }
            let key = self.url.to_string();
            if shared.facts.claim(&key) {
                shared.facts.put(key, Ok((self.sha256, Arc::new(facts))));
            }
            match (from_source(name, &inside, None, &self.file), builder) {
                (Err(IndexError::UnknownMetadata { release, .. }), Some(builder))
                    if inside.folder.is_empty() =>
                {
                    let built = builder.build(&self.file, &self.bytes);
                    let text =
                        built.map_err(|reason| IndexError::UnknownMetadata { release, reason })?;
                    from_metadata(name, &text, &self.file)?
                }
                (found, _) => found?,
            }
        };
        let file = Distribution {
            filename: filename(name, &self.file, &version.to_string()),
            size: Some(self.bytes.len() as u64),
            url: self.url.into(),
            sha256: Some(self.sha256),
            file: self.file,
            requires_python: None,
            uploaded: None,
            yanked: None,
            has_metadata: false,
            metadata_sha256: None,
        };
        Ok((release(version, Some(file)), metadata))
    }
}

/// A folder or a commit as a release.
fn from_tree(
    name: &PackageName,
    files: &dyn Files,
    place: Place,
    folder: String,
    what: &str,
) -> Result<Found, IndexError> {
    let tagged = match &place {
        Place::Commit(commit) => commit
            .requested
            .as_deref()
            .and_then(|tag| of_tag(tag, name)),
        Place::Folder(path) => super::git::nearest_tag(path).and_then(|tag| of_tag(&tag, name)),
    };
    let (version, metadata) = from_source(name, files, tagged, what)?;
    let mut facts = facts::of(files).map_err(|e| malformed(what, causes(&e)))?;
    if version == Version::new([0]) {
        let why = "its version is known to its build only: 0 is taken, as no tag tells it";
        facts.warnings.push(why.to_owned());
    }
    let facts = Arc::new(facts);
    let release = Release {
        version,
        wheels: Vec::new(),
        sdist: None,
        tree: Some(Arc::new(Tree {
            place,
            folder,
            facts,
        })),
    };
    Ok((Arc::new(release), metadata))
}

fn release(version: Version, file: Option<Distribution>) -> Arc<Release> {
    let (wheels, sdists): (Vec<_>, Vec<_>) = file
        .into_iter()
        .partition(|file| matches!(file.filename, Filename::Wheel(_)));
    Arc::new(Release {
        version,
        wheels,
        sdist: sdists.into_iter().next(),
        tree: None,
    })
}

/// A file's name taken apart; archives may have any name (`main.zip`), and then are sdists.
fn filename(name: &PackageName, file: &str, version: &str) -> Filename {
    if let Some((filename, _)) = Filename::parse(file, name) {
        return filename;
    }
    let endings = ["tar.gz", "zip", "tar.bz2", "tar.xz", "tgz"];
    let extension = endings
        .into_iter()
        .find(|e| file.ends_with(e))
        .unwrap_or("tar.gz");
    Filename::Sdist(SdistFilename {
        name: name.to_string(),
        version: version.to_owned(),
        extension: extension.to_owned(),
    })
}

/// The version that a tag means: `v1.2`, `1.2`, `name-1.2`.
fn of_tag(tag: &str, name: &PackageName) -> Option<Version> {
    let tag = tag.strip_prefix("refs/tags/").unwrap_or(tag);
    let lower = tag.to_ascii_lowercase().replace('_', "-");
    let rest = lower.strip_prefix(name.as_ref()).unwrap_or(&lower);
    let rest = rest.trim_start_matches(['-', '/']);
    let rest = rest.strip_prefix("release").unwrap_or(rest);
    let rest = rest.trim_start_matches(['-', '/']);
    let digits = rest.strip_prefix('v').unwrap_or(rest);
    // A branch such as `3` is no release; a commit's digits are none either.
    let is_version = digits.contains('.') && digits.starts_with(|c: char| c.is_ascii_digit());
    Version::from_str(digits).ok().filter(|_| is_version)
}

/// What a folder or an unpacked sdist says of itself.
fn from_source(
    name: &PackageName,
    files: &dyn Files,
    tagged: Option<Version>,
    what: &str,
) -> Result<(Version, Arc<Metadata>), IndexError> {
    if let Ok(text) = files.read("PKG-INFO") {
        let header = Header::parse(&text);
        if ["Requires-Dist", "Provides-Extra", "Requires-Python"]
            .iter()
            .all(|f| header.tells(f))
        {
            return from_metadata(name, &text, what);
        }
    }
    let read = crate::project::read(files, &Hint::Distribution);
    let project = read.map_err(|e| malformed(what, causes(&e)))?;
    if let Some(other) = project.name.as_ref().filter(|other| *other != name) {
        return Err(malformed(
            what,
            format!("it is the project `{other}`, not `{name}`"),
        ));
    }
    // What only the build computes is taken from the tag; who wants just this one gets it anyway.
    let version = project
        .version
        .as_deref()
        .and_then(|text| Version::from_str(text).ok());
    let version = version.or(tagged).unwrap_or_else(|| Version::new([0]));
    let facts = facts::of(files).map_err(|e| malformed(what, causes(&e)))?;
    let text = metadata_from_facts(name, &version.to_string(), &facts);
    let text = text.ok_or_else(|| IndexError::UnknownMetadata {
        release: format!("{name} ({what})"),
        reason: facts.unknown.join("; "),
    })?;
    from_metadata(name, &text, what)
}

fn from_metadata(
    name: &PackageName,
    text: &[u8],
    what: &str,
) -> Result<(Version, Arc<Metadata>), IndexError> {
    let metadata = Metadata::parse(text).map_err(|e| malformed(what, e.to_string()))?;
    if metadata.name != *name {
        let reason = format!("it is the project `{}`, not `{name}`", metadata.name);
        return Err(malformed(what, reason));
    }
    let version =
        Version::from_str(&metadata.version).map_err(|e| malformed(what, e.to_string()))?;
    Ok((version, Arc::new(metadata)))
}

fn malformed(what: &str, reason: String) -> IndexError {
    IndexError::Malformed {
        what: what.to_owned(),
        reason,
    }
}

/// A folder of a tree of files, as a tree.
struct Below<'f> {
    files: &'f dyn Files,
    folder: String,
}

impl Below<'_> {
    fn path(&self, path: &str) -> String {
        match (self.folder.as_str(), path) {
            ("", path) => path.to_owned(),
            (folder, "") => folder.to_owned(),
            (folder, path) => format!("{folder}/{path}"),
        }
    }
}

impl Files for Below<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FilesError> {
        self.files.read(&self.path(path))
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.is_file(&self.path(path))
    }

    fn is_dir(&self, path: &str) -> bool {
        self.files.is_dir(&self.path(path))
    }

    fn list(&self, path: &str) -> Vec<String> {
        self.files.list(&self.path(path))
    }

    fn display(&self, path: &str) -> PathBuf {
        self.files.display(&self.path(path))
    }
}
