//! A folder of wheels and sdists as an index (`--find-links`).

use std::path::Path;

use url::Url;

use super::IndexError;
use super::packed::{Builder, Head, Listed};
use crate::python::PackageName;

/// The files of a project in a folder; subfolders are not looked at.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(project: &PackageName, path: &Path) -> Result<(Head, Vec<u8>), IndexError> {
    let fail = |reason: String| IndexError::Fetch {
        what: path.display().to_string(),
        reason,
    };
    let path = path.canonicalize().map_err(|e| fail(e.to_string()))?;
    let base = Url::from_directory_path(&path).map_err(|()| fail("it is no folder".to_owned()))?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(|e| fail(e.to_string()))? {
        let entry = entry.map_err(|e| fail(e.to_string()))?;
        let size = entry.metadata().ok().map(|m| m.len());
        if let Ok(name) = entry.file_name().into_string() {
            files.push((name, size));
        }
    }
    files.sort();
    let mut builder = Builder::new(project, &base);
    for (file, size) in &files {
        let Ok(url) = Url::from_file_path(path.join(file)) else {
            continue;
        };
        builder.add(&Listed {
            file,
            url: url.as_str(),
            size: *size,
            ..Listed::default()
        });
    }
    Ok(builder.finish())
}
