//! Another tool's lock as a source: its user's requirements, and its pins.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Wishes, accept, check_python, chosen, normal, unreadable};
use crate::assemble::Pins;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;
use crate::cli::settings::Lock;
use crate::project::Project;
use crate::project::foreign::{self, Foreign, Place, Selection, Tool};

/// Reads a lock, notes its pins, and returns the project that it is of.
///
/// # Errors
/// Where it cannot be read, is not for the targets, or would be overwritten.
pub(super) fn open(
    wishes: &mut Wishes,
    path: &Path,
    tool: Tool,
    meant: &Lock,
    report: &Report,
) -> Result<Project, Failure> {
    not_the_output(path, meant)?;
    let mut foreign = foreign::open(path, tool).map_err(|error| unreadable(path, error))?;
    foreign.project = accept(std::mem::take(&mut foreign.project), path, report)?;
    check_python(foreign.requires_python.as_ref(), path, &meant.targets)?;
    serves(&foreign, path, meant)?;
    let selection = Selection {
        extras: chosen(&foreign.project, meant)?,
        groups: meant.groups.iter().map(|name| normal(name)).collect(),
    };
    for pin in &foreign.pins {
        if let Place::Index(Some(address)) = &pin.place {
            let of = wishes.indexes.entry(address.clone()).or_default();
            of.insert(pin.name.clone());
        }
    }
    let limits = foreign.limits(&meant.targets, &selection);
    foreign.settle(&selection);
    wishes.overrides.append(&mut foreign.overrides);
    let leaves_out: BTreeSet<String> = tool.leaves_out().iter().map(ToString::to_string).collect();
    wishes.approved.pins.push(Pins {
        lock: foreign.file.path.display().to_string(),
        command: tool.command().to_owned(),
        exact: meant.exact,
        leaves_out,
        limits,
    });
    Ok(foreign.project)
}

/// A lock of another tool's that is called as ours would be lost.
fn not_the_output(path: &Path, meant: &Lock) -> Result<(), Failure> {
    let ours = meant.output.folder.join(&meant.output.lock);
    let is_ours = match (path.canonicalize(), ours.canonicalize()) {
        (Ok(path), Ok(ours)) => path == ours,
        _ => false,
    };
    if !is_ours {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{}` is what is read, and would be overwritten",
        path.display()
    ))
    .help("write to another folder, such as `--output nix/dependencies.nix`, or rename it to `pylock.NAME.toml`"))
}

fn serves(foreign: &Foreign, path: &Path, meant: &Lock) -> Result<(), Failure> {
    let unserved = foreign.unserved(&meant.targets);
    if unserved.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = unserved.iter().map(|system| system.name()).collect();
    Err(Failure::new(
        Exit::Unsatisfiable,
        format!("`{}` is not for {}", path.display(), names.join(", ")),
    )
    .help("name the systems that it is for with `--system`, or make it for more environments"))
}
