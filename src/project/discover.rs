//! Which files there are at a path that a user names, and how they are to be read.

use std::path::{Path, PathBuf};

use crate::problem::{Code, Problem, Severity};

use super::{Archive, Directory, Files, FilesError, Hint, ProjectError};

/// Files, and what of them to read.
pub(super) struct Opened {
    /// The files.
    pub files: Box<dyn Files>,
    /// What to read.
    pub hint: Hint,
    /// What is wrong with the container.
    pub problems: Vec<Problem>,
}

/// Opens what stands at a path.
pub(super) fn open(path: &Path) -> Result<Opened, ProjectError> {
    if path.is_dir() {
        let files = Directory::open(path)?;
        return Ok(Opened {
            files: Box::new(files),
            hint: Hint::Folder,
            problems: Vec::new(),
        });
    }
    let name = path
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    if !path.exists() {
        return Err(FilesError::NotFound(path.display().to_string()).into());
    }
    if is_archive(name) {
        let archive = Archive::open(path)?;
        let problems = duplicates(&archive);
        return Ok(Opened {
            files: Box::new(archive),
            hint: Hint::Distribution,
            problems,
        });
    }
    let kind = Kind::of(name).ok_or_else(|| ProjectError::UnknownKind(path.to_owned()))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut directory = Directory::open(&folder)?;
    if kind == Kind::Requirements {
        directory = directory.reaching(&repository(&folder));
    }
    Ok(Opened {
        files: Box::new(directory),
        hint: Hint::File(name.to_owned()),
        problems: Vec::new(),
    })
}

/// Members that are there twice, among those that describe the project.
fn duplicates(archive: &Archive) -> Vec<Problem> {
    let counts = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        matches!(
            name,
            "PKG-INFO" | "METADATA" | "setup.py" | "setup.cfg" | "pyproject.toml"
        )
    };
    let twice = archive.duplicates().iter().filter(counts);
    twice
        .map(|path| Problem {
            code: Code::Disagreement,
            severity: Severity::Warning,
            what: format!(
                "`{}` is in the archive more than once; the last one counts",
                archive.display(path).display()
            ),
            origin: None,
            help: None,
        })
        .collect()
}

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `pyproject.toml`
    Pyproject,
    /// `setup.py`, whatever its name
    SetupPy,
    /// `setup.cfg`
    SetupCfg,
    /// pip's language.
    Requirements,
    /// `METADATA` or `PKG-INFO`
    Metadata,
}

impl Kind {
    /// The kind of a file's name.
    pub fn of(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension().and_then(|e| e.to_str());
        Some(match (name, extension) {
            ("METADATA" | "PKG-INFO", _) => Kind::Metadata,
            (_, Some("toml")) if !name.starts_with("pylock") => Kind::Pyproject,
            (_, Some("py")) => Kind::SetupPy,
            (_, Some("cfg")) => Kind::SetupCfg,
            (_, Some("txt" | "in")) => Kind::Requirements,
            _ => return None,
        })
    }
}

fn is_archive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        ".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar", ".whl",
    ]
    .iter()
    .any(|extension| name.ends_with(extension))
}

/// The repository around a folder: requirements files include each other across folders.
fn repository(folder: &Path) -> PathBuf {
    let shown = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(real) = shown.canonicalize() else {
        return folder.to_owned();
    };
    let is_root = |p: &&Path| {
        [".git", ".hg", ".svn", ".jj"]
            .iter()
            .any(|m| p.join(m).exists())
    };
    let root = real.ancestors().find(is_root);
    // Without a repository, the folder above is as far as an include may reach.
    root.or(real.parent()).unwrap_or(&real).to_owned()
}
