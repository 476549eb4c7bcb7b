//! [`Files`], the trait behind which a folder and an archive look the same.

use std::path::{Path, PathBuf};

/// Why a file of a project cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// There is no such file.
    #[error("no file `{0}`")]
    NotFound(String),
    /// The path leads out of the project.
    #[error("`{0}` lies outside the project")]
    Outside(String),
    /// The file is larger than any file we would want to read.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The operating system says no.
    #[error("`{path}`")]
    Io {
        /// The file.
        path: String,
        /// What it says.
        #[source]
        source: std::io::Error,
    },
}

/// A tree of files. Paths are relative to its root, with `/` between parts, no `.` or `..`.
pub trait Files: Send + Sync {
    /// The content of a file.
    ///
    /// # Errors
    /// When there is none, it lies outside the tree, or it is too large.
    fn read(&self, path: &str) -> Result<Vec<u8>, FilesError>;

    /// Whether there is a file (not a folder) at the path.
    fn is_file(&self, path: &str) -> bool;

    /// Whether there is a folder at the path; `""` is the root.
    fn is_dir(&self, path: &str) -> bool;

    /// The names in a folder, sorted; empty where there is none.
    fn list(&self, path: &str) -> Vec<String>;

    /// How messages should name a file of this tree.
    fn display(&self, path: &str) -> PathBuf;
}

/// The largest file that any reader asks for.
pub const MAX_FILE: u64 = 16 << 20;

/// The largest text that is looked at as a whole.
const MAX_TEXT: usize = 2 << 20;

/// What stands at a path of a tree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Found {
    /// A file of text in UTF-8.
    Text(String),
    /// A file of anything else, or one that is too large to be looked at.
    Other,
    /// A folder.
    Folder,
    /// Nothing.
    Nothing,
}

/// What stands at a path.
pub fn look(files: &dyn Files, path: &str) -> Found {
    if files.is_dir(path) {
        return Found::Folder;
    }
    if !files.is_file(path) {
        return Found::Nothing;
    }
    let bytes = files.read(path).ok().filter(|b| b.len() <= MAX_TEXT);
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Found::Text(text),
        None => Found::Other,
    }
}

/// A folder on disk. Symbolic links are followed only where they stay inside.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    canonical: PathBuf,
    /// The folder that no path may lead out of.
    reach: PathBuf,
}

impl Directory {
    /// The folder at `root`.
    ///
    /// # Errors
    /// When it does not exist or is not a folder.
    pub fn open(root: &Path) -> Result<Self, FilesError> {
        let fail = |source| FilesError::Io {
            path: root.display().to_string(),
            source,
        };
        let shown = if root.as_os_str().is_empty() {
            Path::new(".")
        } else {
            root
        };
        let canonical = shown.canonicalize().map_err(fail)?;
        if !canonical.is_dir() {
            return Err(fail(std::io::Error::from(
                std::io::ErrorKind::NotADirectory,
            )));
        }
        Ok(Self {
            root: root.to_owned(),
            reach: canonical.clone(),
            canonical,
        })
    }

    /// The same folder, whose paths may lead (by `..`) to files of a folder around it.
    #[must_use]
    pub fn reaching(mut self, around: &Path) -> Self {
        if let Ok(around) = around.canonicalize()
            && self.canonical.starts_with(&around)
        {
            self.reach = around;
        }
        self
    }

    fn resolve(&self, path: &str) -> Result<PathBuf, FilesError> {
        let io = |source: std::io::Error| {
            if source.kind() == std::io::ErrorKind::NotFound {
                FilesError::NotFound(path.to_owned())
            } else {
                FilesError::Io {
                    path: path.to_owned(),
                    source,
                }
            }
        };
        let real = self.canonical.join(path).canonicalize().map_err(io)?;
        if real.starts_with(&self.reach) {
            Ok(real)
        } else {
            Err(FilesError::Outside(path.to_owned()))
        }
    }
}

impl Files for Directory {
    fn read(&self, path: &str) -> Result<Vec<u8>, FilesError> {
        let real = self.resolve(path)?;
        let io = |source| FilesError::Io {
            path: path.to_owned(),
            source,
        };
        let length = std::fs::metadata(&real).map_err(io)?.len();
        if length > MAX_FILE {
            return Err(FilesError::TooLarge {
                path: path.to_owned(),
                limit: MAX_FILE,
            });
        }
        std::fs::read(&real).map_err(io)
    }

    fn is_file(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|real| real.is_file())
    }

    fn is_dir(&self, path: &str) -> bool {
        self.resolve(path).is_ok_and(|real| real.is_dir())
    }

    fn list(&self, path: &str) -> Vec<String> {
        let Ok(real) = self.resolve(path) else {
            return Vec::new();
        };
        let Ok(entries) = std::fs::read_dir(real) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn display(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}
