//! `pyresolve cache`: where answers of the index are kept, and how to be rid of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::args::{self, CacheAction};
use crate::cli::exit::{Exit, Failure};
use crate::cli::question;
use crate::cli::report::{Report, Volume};
use crate::index;

/// Runs `pyresolve cache`.
///
/// # Errors
/// When the folder cannot be known, or something in it cannot be removed.
pub fn run(args: &args::Cache, report: &Report) -> Result<Exit, Failure> {
    let folder = args.cache_dir.clone().or_else(question::platform_cache);
    let folder = folder.ok_or_else(|| {
        Failure::usage("the platform's cache folder cannot be known")
            .help("name one with `--cache-dir`")
    })?;
    match args.action {
        CacheAction::Dir => super::print(report, &format!("{}\n", folder.display())),
        CacheAction::Clean => remove(report, &folder, |_| true),
        CacheAction::Prune => remove(report, &folder, |name| name != index::CACHE_VERSION),
    }
}

/// Removes what we made, and nothing else: the folder may be the user's own.
fn remove(
    report: &Report,
    folder: &Path,
    unwanted: impl Fn(&str) -> bool,
) -> Result<Exit, Failure> {
    let mut removed = 0;
    for (name, path) in ours(folder)? {
        if unwanted(&name) {
            fs::remove_dir_all(&path).map_err(|error| {
                Failure::usage(format!("`{}` cannot be removed", path.display())).because(&error)
            })?;
            removed += 1;
        }
    }
    let what = match removed {
        0 => "Nothing to remove".to_owned(),
        1 => "Removed the cache of one version of pyresolve".to_owned(),
        n => format!("Removed the caches of {n} versions of pyresolve"),
    };
    report.say(Volume::Normal, &format!("{what} in {}", folder.display()));
    Ok(Exit::Done)
}

/// The folders that some version of this program keeps its cache in.
fn ours(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(
                Failure::usage(format!("`{}` cannot be read", folder.display())).because(&error),
            );
        }
    };
    let mut found: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, _)| is_ours(name))
        .collect();
    found.sort();
    Ok(found)
}

/// `v1-0.1.0`: the format's number and the program's version.
fn is_ours(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('v') else {
        return false;
    };
    let (format, version) = rest.split_once('-').unwrap_or((rest, "0"));
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    numeric(format) && version.split('.').all(numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_folders_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "v1-0.1.0",
            index::CACHE_VERSION,
            "v1",
            "mine",
            "v1-mine",
            "videos",
        ] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let names = |found: Vec<(String, PathBuf)>| -> Vec<String> {
            found.into_iter().map(|(name, _)| name).collect()
        };
        let found = names(ours(folder.path()).unwrap());
        assert!(
            found.contains(&"v1".to_owned()) && found.contains(&index::CACHE_VERSION.to_owned())
        );
        assert!(
            !found
                .iter()
                .any(|name| name.contains("mine") || name == "videos")
        );
        assert!(ours(&folder.path().join("absent")).unwrap().is_empty());
    }
}
