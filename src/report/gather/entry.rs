//! How an entry is made, in sentences.

use crate::plan::derivation::{Definition, Derivation, Fetcher, Source, Variable};
use crate::plan::{Entry, Needed};

/// What a reader of the entry would see, and what it deals with.
pub(super) fn made(entry: &Entry) -> Vec<String> {
    let mut all = Vec::new();
    for variant in &entry.variants {
        match &variant.definition {
            Definition::Nixpkgs(_) | Definition::Alias(_) | Definition::With(..) => {}
            Definition::Stand(stand) => all.push(format!(
                "It has no modules of its own: {} installs them.",
                stand.provider
            )),
            Definition::Override(_, derivation) => {
                all.extend(of(derivation));
                if !derivation.recipe.known {
                    let what = "nixpkgs’ recipe is not known here: its patches for the old version are dropped.";
                    all.push(what.to_owned());
                }
            }
            Definition::New(derivation) => all.extend(of(derivation)),
        }
    }
    all.dedup();
    all
}

fn of(derivation: &Derivation) -> Vec<String> {
    let mut all = vec![format!("{}.", source(&derivation.source))];
    if !derivation.build_system.is_empty() {
        all.push(format!("Built with {}.", names(&derivation.build_system)));
    }
    for (label, list) in [
        ("program for the build", &derivation.native_inputs),
        ("library", &derivation.inputs),
    ] {
        for needed in list {
            let said = derivation.evidence.get(&needed.attr);
            let said = said.map(|places| format!(", because of {}", places.join("; ")));
            all.push(format!(
                "{} is a {label}{}.",
                needed.attr,
                said.unwrap_or_default()
            ));
        }
    }
    for (name, variable) in &derivation.env {
        let Variable { value, because } = variable;
        all.push(format!("{name} is {value}: {because}."));
    }
    if let Some(rust) = &derivation.rust {
        all.push(format!(
            "It has a Rust part; its crates are those of {}.",
            rust.file
        ));
    }
    if !derivation.missing_files.is_empty() {
        let files = derivation.missing_files.join(", ");
        all.push(format!(
            "Its setup.py reads {files}, which the sdist lacks."
        ));
    }
    for relaxed in &derivation.relaxed_builds {
        all.push(format!(
            "A build requirement is relaxed: {}.",
            relaxed.because
        ));
    }
    for relaxed in &derivation.relaxed {
        let done = if relaxed.remove { "removed" } else { "relaxed" };
        let name = &relaxed.name;
        all.push(format!(
            "The requirement on {name} is {done}: {}.",
            relaxed.because
        ));
    }
    for patch in &derivation.patches {
        all.push(format!("Your patch {patch} is applied."));
    }
    if !derivation.post_patch.is_empty() {
        all.push("Your commands change the source.".to_owned());
    }
    all.extend(derivation.notes.iter().map(|note| sentence(note)));
    if !derivation.imports.is_empty() {
        let imports = derivation.imports.join(", ");
        all.push(format!("After the build it is imported: {imports}."));
    }
    all
}

fn source(source: &Source) -> String {
    match source {
        Source::Sdist(fetch) => format!("From source: {}", fetcher(&fetch.fetcher)),
        Source::Wheel(_) => "From its wheel, which serves every system".to_owned(),
        Source::Wheels(wheels) => {
            let systems: Vec<&str> = wheels.keys().map(|system| system.name()).collect();
            format!(
                "From published binaries, one for each of {}",
                systems.join(", ")
            )
        }
    }
}

fn fetcher(fetcher: &Fetcher) -> String {
    match fetcher {
        Fetcher::PypiSdist { .. } => "the sdist on PyPI".to_owned(),
        Fetcher::PypiWheel { .. } => "the wheel on PyPI".to_owned(),
        Fetcher::Url { url, .. } => url.clone(),
        Fetcher::GitHub { owner, repo, rev } => format!("GitHub’s {owner}/{repo} at {rev}"),
        Fetcher::Git { url, rev } | Fetcher::OwnGit { url, rev } => format!("{url} at {rev}"),
        Fetcher::Path(path) => path.clone(),
    }
}

fn names(list: &[Needed]) -> String {
    let names: Vec<&str> = list.iter().map(|needed| needed.attr.as_str()).collect();
    names.join(", ")
}

/// With a full stop at its end.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
