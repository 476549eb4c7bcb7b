//! `pyresolve init --script`: a script that runs itself in its locked environment.

use std::path::Path;

use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::report::{GREEN, Report, Volume};
use crate::project;
use crate::render::Document;
use crate::render::shebang::{self, ShebangError};
use crate::write;

/// What the header names: the environment of the file beside the script.
const ENVIRONMENT: &str = "dependencies.nix -A env.env";

/// Gives a script its header, if it has none.
///
/// # Errors
/// When it is not there, has no metadata, or cannot have a header.
pub(super) fn run(path: &Path, report: &Report) -> Result<Exit, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("`{shown}` cannot be read")).because(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage(format!("`{shown}` is not UTF-8, and is left as it is"))
            .help("save it as UTF-8, which is what Python expects")
    })?;
    if !project::is_script(text.trim_start_matches('\u{feff}')) {
        return Err(
            Failure::usage(format!("`{shown}` does not say what it requires")).help(
                "write that at its start, between `# /// script` and `# ///`: # dependencies = [\"requests\"]",
            ),
        );
    }
    match shebang::with_header(&text, ENVIRONMENT).map_err(|error| refused(path, &error))? {
        None => {
            let line = format!("Kept {shown}, which has nix-shell run it already");
            report.say(Volume::Normal, &line);
        }
        Some(text) => {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let document = Document {
                name: name.into_owned(),
                text,
            };
            write::write(folder, &[document]).map_err(locking::not_written)?;
            let changed = report.paint(GREEN, "Changed");
            report.say(
                Volume::Normal,
                &format!("{changed} {shown}: its first lines have nix-shell run it"),
            );
        }
    }
    next(path, report);
    Ok(Exit::Done)
}

/// What is still missing for it to run.
fn next(path: &Path, report: &Report) {
    let shown = path.display();
    if !path.with_file_name("dependencies.nix").exists() {
        let line = format!(
            "Next, `pyresolve lock {shown}` writes dependencies.nix, which its header refers to"
        );
        report.say(Volume::Normal, &line);
    }
    if !is_executable(path) {
        let line = format!("To run it by its name: `chmod +x {shown}`");
        report.say(Volume::Normal, &line);
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}

fn refused(path: &Path, error: &ShebangError) -> Failure {
    let failure =
        Failure::usage(format!("`{}` is left as it is", path.display())).why(error.to_string());
    failure.help(match error {
        ShebangError::Other(_) => "remove that line if nix-shell is to run the script instead",
        ShebangError::ByteOrderMark => "save it as UTF-8 without a byte order mark",
        _ => "save it with the line ends of Unix",
    })
}
