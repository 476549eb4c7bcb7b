//! Documents to disk, all or nothing.
//!
//! New texts go to temporary files in the target folder first; only when every one of them is
//! complete are they renamed over the old files. A file whose text would not change is not touched.
//! If a rename fails, those before it are undone. Nothing is synced to the medium: the documents can
//! be made again, and a rename never shows a half-written file to another process.
//!
//! ```
//! use pyresolve::{render::Document, write};
//! let folder = tempfile::tempdir().unwrap();
//! let document = Document { name: "a.nix".to_owned(), text: "{ }\n".to_owned() };
//! let changes = write::write(folder.path(), &[document.clone()]).unwrap();
//! assert_eq!(changes[0].state, write::State::New);
//! let again = write::write(folder.path(), &[document]).unwrap();
//! assert_eq!(again[0].state, write::State::Unchanged);
//! ```

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::render::Document;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The operating system says no.
    #[error("`{path}` cannot be written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        #[source]
        source: io::Error,
    },
    /// The file is marked as read-only.
    #[error("`{0}` is read-only")]
    ReadOnly(PathBuf),
    /// A file was replaced and could not be put back when a later one failed.
    #[error(
        "`{path}` was replaced, but a later file could not be written, and the old text could not be put back"
    )]
    Torn {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

/// What writing does to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There was none.
    New,
    /// Its text is another one.
    Changed,
    /// It has this very text, and is not touched.
    Unchanged,
    /// It goes.
    Removed,
}

/// A file and what writing does to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The document's name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What happens to it.
    pub state: State,
    old: Option<Vec<u8>>,
}

impl Change {
    /// The text before, if there was a file.
    pub fn old(&self) -> Option<&[u8]> {
        self.old.as_deref()
    }
}

/// What writing these documents would do.
///
/// # Errors
/// When an existing file cannot be read.
pub fn compare(folder: &Path, documents: &[Document]) -> Result<Vec<Change>, WriteError> {
    comparing(folder, documents, &[])
}

/// The same, where other files go.
///
/// # Errors
/// As [`compare`].
pub fn comparing(
    folder: &Path,
    documents: &[Document],
    removed: &[String],
) -> Result<Vec<Change>, WriteError> {
    let mut changes = compared(folder, documents)?;
    for name in removed {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => changes.push(Change {
                name: name.clone(),
                path,
                state: State::Removed,
                old: Some(bytes),
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(WriteError::Io { path, source }),
        }
    }
    Ok(changes)
}

fn compared(folder: &Path, documents: &[Document]) -> Result<Vec<Change>, WriteError> {
    documents
        .iter()
        .map(|document| {
            let path = folder.join(&document.name);
            let old = match fs::read(&path) {
                Ok(bytes) => Some(bytes),
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(source) => return Err(WriteError::Io { path, source }),
            };
            let state = match &old {
                None => State::New,
                Some(bytes) if bytes == document.text.as_bytes() => State::Unchanged,
                Some(_) => State::Changed,
            };
            Ok(Change {
                name: document.name.clone(),
                path,
                state,
                old,
            })
        })
        .collect()
}

/// Writes the documents into a folder that exists.
///
/// # Errors
/// When a file cannot be written; then none of them has changed, except after [`WriteError::Torn`].
pub fn write(folder: &Path, documents: &[Document]) -> Result<Vec<Change>, WriteError> {
    let changes = compare(folder, documents)?;
    replace_all(documents, &changes)?;
    Ok(changes)
}

/// The same, into folders below `folder` that may have to be made first; where nothing can be
/// written, they are taken away again.
///
/// # Errors
/// As [`write()`].
pub fn write_deep(folder: &Path, documents: &[Document]) -> Result<Vec<Change>, WriteError> {
    replace(folder, documents, &[])
}

/// The same, where other files go; none does where something cannot be written.
///
/// # Errors
/// As [`write()`].
pub fn replace(
    folder: &Path,
    documents: &[Document],
    removed: &[String],
) -> Result<Vec<Change>, WriteError> {
    let changes = comparing(folder, documents, removed)?;
    let mut made: Vec<PathBuf> = Vec::new();
    let outcome = make_folders(folder, documents, &mut made);
    let outcome = outcome.and_then(|()| replace_all(documents, &changes));
    if let Err(error) = outcome {
        for path in made.iter().rev() {
            // One that is not empty is somebody else's by now.
            let _ = fs::remove_dir(path);
        }
        return Err(error);
    }
    for name in removed {
        // The same holds for one that has lost all of our files.
        if let Some(parent) = folder.join(name).parent().filter(|p| *p != folder) {
            let _ = fs::remove_dir(parent);
        }
    }
    Ok(changes)
}

fn make_folders(
    folder: &Path,
    documents: &[Document],
    made: &mut Vec<PathBuf>,
) -> Result<(), WriteError> {
    for document in documents {
        let path = folder.join(&document.name);
        let missing = path.ancestors().skip(1).take_while(|above| !above.exists());
        let missing: Vec<&Path> = missing.collect();
        for above in missing.into_iter().rev() {
            match fs::create_dir(above) {
                Ok(()) => made.push(above.to_owned()),
                // Somebody else has made it meanwhile, and keeps it.
                Err(_) if above.is_dir() => {}
                Err(source) => {
                    let path = above.to_owned();
                    return Err(WriteError::Io { path, source });
                }
            }
        }
    }
    Ok(())
}

fn replace_all(documents: &[Document], changes: &[Change]) -> Result<(), WriteError> {
    let mut staged = Vec::new();
    for (document, change) in documents.iter().zip(changes) {
        if change.state != State::Unchanged {
            staged.push((stage(&document.text, &change.path)?, change));
        }
    }
    let mut done: Vec<&Change> = Vec::new();
    let fail = |done: &[&Change], change: &Change, source: io::Error| {
        undo(done)?;
        Err(WriteError::Io {
            path: change.path.clone(),
            source,
        })
    };
    for ((file, target), change) in staged {
        if let Err(error) = file.persist(&target) {
            return fail(&done, change, error.error);
        }
        done.push(change);
    }
    for change in changes.iter().filter(|c| c.state == State::Removed) {
        if let Err(source) = fs::remove_file(&change.path) {
            return fail(&done, change, source);
        }
        done.push(change);
    }
    Ok(())
}

/// A complete temporary file beside `path`, and what it is to be renamed to: where `path` is a
/// symbolic link, the file behind it, so that the link stays.
fn stage(text: &str, path: &Path) -> Result<(NamedTempFile, PathBuf), WriteError> {
    let io = |source| WriteError::Io {
        path: path.to_owned(),
        source,
    };
    let target = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(e) => return Err(io(e)),
    };
    let permissions = match fs::metadata(&target) {
        Ok(metadata) if metadata.permissions().readonly() => {
            return Err(WriteError::ReadOnly(path.to_owned()));
        }
        Ok(metadata) => Some(metadata.permissions()),
        Err(_) => None,
    };
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pyresolve-").suffix(".tmp");
    let ordinary = ordinary_permissions();
    if let Some(ordinary) = ordinary {
        builder.permissions(ordinary);
    }
    let mut file = builder
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(|e| io(without_temporary_name(e)))?;
    file.write_all(text.as_bytes()).map_err(io)?;
    file.flush().map_err(io)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions).map_err(io)?;
    }
    Ok((file, target))
}

/// The system's own words; the random name of a temporary file helps nobody.
fn without_temporary_name(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::from(error.kind()),
    }
}

/// What a new file gets: the umask is applied by the system.
#[cfg(unix)]
fn ordinary_permissions() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn ordinary_permissions() -> Option<fs::Permissions> {
    None
}

fn undo(done: &[&Change]) -> Result<(), WriteError> {
    for change in done.iter().rev() {
        let result = match &change.old {
            Some(bytes) => fs::write(&change.path, bytes),
            None => fs::remove_file(&change.path),
        };
        result.map_err(|source| WriteError::Torn {
            path: change.path.clone(),
            source,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str, text: &str) -> Document {
        Document {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_left_and_nothing_changes_when_one_file_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        let documents = [document("a", "new"), document("b", "new")];
        assert!(write(folder.path(), &documents).is_err());
        assert_eq!(names(folder.path()), ["a", "b"]);
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"old");
    }

    #[test]
    fn folders_are_made_and_files_go_only_where_everything_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let one = document("parts/one", "1");
        write_deep(folder.path(), std::slice::from_ref(&one)).unwrap();
        let old = ["parts/one".to_owned()];
        fs::create_dir(folder.path().join("in-the-way")).unwrap();
        let documents = [document("new/two", "2"), document("in-the-way", "3")];
        assert!(replace(folder.path(), &documents, &old).is_err());
        assert_eq!(names(folder.path()), ["in-the-way", "parts"]);
        assert_eq!(names(&folder.path().join("parts")), ["one"]);
        let changes = replace(folder.path(), &documents[..1], &old).unwrap();
        assert_eq!(changes[1].state, State::Removed);
        assert_eq!(names(folder.path()), ["in-the-way", "new"]);
    }

    #[test]
    fn renames_are_undone() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        let new = folder.path().join("new");
        fs::write(&old, "old").unwrap();
        let documents = [document("old", "x"), document("new", "x")];
        let changes = write(folder.path(), &documents).unwrap();
        undo(&changes.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(fs::read(&old).unwrap(), b"old");
        assert!(!new.exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        write(folder.path(), &[document("link", "new")]).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(
            fs::symlink_metadata(folder.path().join("link"))
                .unwrap()
                .is_symlink()
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_file_is_not_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        let error = write(folder.path(), &[document("a", "new")]).unwrap_err();
        assert!(matches!(error, WriteError::ReadOnly(_)));
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
}
