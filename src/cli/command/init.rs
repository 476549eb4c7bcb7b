//! `pyresolve init`: files to begin with, which are the user's from then on.

mod app;
mod script;

use std::path::Path;

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::report::{GREEN, Report, Volume};
use crate::render::Document;
use crate::write::{self, State};

const DEFAULT: (&str, &str) = ("default.nix", include_str!("init/default.nix"));
const SHELL: (&str, &str) = ("shell.nix", include_str!("init/shell.nix"));
const FLAKE: (&str, &str) = ("flake.nix", include_str!("init/flake.nix"));
const IMAGE: (&str, &str) = ("image.nix", include_str!("init/image.nix"));

/// Runs `pyresolve init`: writes what is not there yet.
///
/// # Errors
/// When a file cannot be written; then none is.
pub fn run(args: &args::Init, report: &Report) -> Result<Exit, Failure> {
    if let Some(path) = &args.script {
        return script::run(path, report);
    }
    let folder = &args.folder;
    if !folder.is_dir() {
        let what = format!("`{}`: no such folder", folder.display());
        return Err(Failure::usage(what).help("name a folder that exists"));
    }
    let mut wanted = vec![];
    if args.flake {
        wanted.push(FLAKE);
    }
    if args.docker {
        wanted.push(IMAGE);
    }
    if wanted.is_empty() && !args.app {
        wanted.extend([DEFAULT, SHELL]);
    }
    let mut documents: Vec<Document> = wanted
        .into_iter()
        .map(|(name, text)| Document {
            name: name.to_owned(),
            text: text.to_owned(),
        })
        .collect();
    if args.app {
        documents.push(app::document(folder, report)?);
    }
    let states = write::compare(folder, &documents).map_err(locking::not_written)?;
    let mut states = states.into_iter();
    documents.retain(|document| {
        let new = states.next().is_some_and(|s| s.state == State::New);
        if !new {
            let path = shown(&folder.join(&document.name));
            let line = format!("Kept {path}, which is there already");
            report.say(Volume::Normal, &line);
        }
        new
    });
    for change in write::write(folder, &documents).map_err(locking::not_written)? {
        let wrote = report.paint(GREEN, "Wrote");
        let path = shown(&change.path);
        report.say(Volume::Normal, &format!("{wrote} {path}"));
    }
    if !folder.join("dependencies.nix").exists() {
        let line = "Next, `pyresolve lock` writes dependencies.nix, which they refer to";
        report.say(Volume::Normal, line);
    }
    Ok(Exit::Done)
}

/// A path without a leading `./`.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_formatted_as_nixpkgs_is() {
        for (name, text) in [DEFAULT, SHELL, FLAKE, IMAGE] {
            assert_eq!(nixfmt_rs::format(text).unwrap(), text, "{name}");
        }
    }
}
