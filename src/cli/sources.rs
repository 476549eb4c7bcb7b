//! What the user's sources ask for, put together: requirements, limits, and where to look.

mod lock;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr as _;

use super::exit::{Exit, Failure};
use super::report::Report;
use super::settings::{Lock, Source};
use crate::assemble::Approved;
use crate::nixpkgs::source::Choice;
use crate::problem::{Code, Problem, Severity};
use crate::project::{self, Directory, IndexOptions, Project, ProjectError, foreign};
use crate::python::{ExtraName, PackageName, Requirement, Targets, Version, VersionSpecifiers};

/// What the sources ask for.
#[derive(Debug, Default)]
pub struct Wishes {
    /// How the sources are called where a requirement has no place in a file.
    pub called: String,
    /// What must be there.
    pub requirements: Vec<Requirement>,
    /// Limits on projects, for as far as something needs them.
    pub constraints: Vec<Requirement>,
    /// Requirements that replace all others on the same projects.
    pub overrides: Vec<Requirement>,
    /// Where requirements files want releases to be looked for.
    pub index: Vec<IndexOptions>,
    /// The digests that requirements files allow.
    pub approved: Approved,
    /// The indexes that other tools' locks have releases from, and what.
    pub indexes: BTreeMap<String, BTreeSet<PackageName>>,
    /// The nixpkgs that the settings name, and the folder they lie in.
    pub nixpkgs: Option<Choice>,
    /// The user's changes of entries.
    pub fixes: BTreeMap<PackageName, project::settings::Fix>,
    /// The user's own overlay.
    pub nix: Option<String>,
    /// Metadata of releases that the user states in his settings, as files of core metadata.
    pub stated: BTreeMap<(PackageName, Option<String>), String>,
}

impl Wishes {
    /// The releases whose metadata the user states.
    pub fn stated_releases(&self) -> BTreeSet<(PackageName, Version)> {
        let release = |(name, version): &(PackageName, Option<String>)| {
            let version = Version::from_str(version.as_deref()?).ok()?;
            Some((name.clone(), version))
        };
        self.stated.keys().filter_map(release).collect()
    }
}

/// Reads every source; says what is wrong with them.
///
/// # Errors
/// When a source cannot be read, or what it asks for cannot be known.
pub fn gather(meant: &Lock, report: &Report) -> Result<Wishes, Failure> {
    let mut wishes = Wishes {
        called: called(&meant.sources),
        ..Wishes::default()
    };
    let mut extras = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for source in &meant.sources {
        match source {
            Source::Requirement(requirement) => wishes.requirements.push((**requirement).clone()),
            Source::Path(path) => {
                state(&mut wishes, path, report)?;
                let project = match foreign::recognise(path) {
                    Some(tool) => lock::open(&mut wishes, path, tool, meant, report)?,
                    None => open(path, report)?,
                };
                check_python(project.requires_python.as_ref(), path, &meant.targets)?;
                extras.extend(project.optional.keys().map(ToString::to_string));
                groups.extend(project.groups.keys().cloned());
                take(&mut wishes, project, meant)?;
            }
        }
    }
    for (wanted, known, what) in [
        (&meant.extras, &extras, "extra"),
        (&meant.groups, &groups, "dependency group"),
    ] {
        if let Some(name) = wanted.iter().find(|name| !known.contains(&normal(name))) {
            return Err(unknown_choice(name, known, what));
        }
    }
    for path in &meant.constraints {
        let file = open(path, report)?;
        wishes.constraints.extend(file.dependencies);
        wishes.constraints.extend(file.constraints);
    }
    for path in &meant.overrides {
        wishes.overrides.extend(open(path, report)?.dependencies);
    }
    Ok(wishes)
}

/// What the settings beside a source say: constraints, overrides, and metadata of releases.
fn state(wishes: &mut Wishes, path: &Path, report: &Report) -> Result<(), Failure> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    };
    let settings = project::settings::read(&Directory::open(folder)?);
    let (errors, others): (Vec<_>, Vec<_>) = settings
        .problems
        .into_iter()
        .partition(|problem| problem.severity == Severity::Error);
    for problem in &others {
        report.problem(problem);
    }
    if !errors.is_empty() {
        let mut failure = Failure::usage("the settings for pyresolve cannot be understood")
            .help("correct what is shown above, then run the same command again");
        failure.problems = errors;
        return Err(failure);
    }
    wishes.fixes.extend(settings.fixes);
    wishes.nix = settings.nix.map(|path| path.value).or(wishes.nix.take());
    wishes.constraints.extend(settings.constraints);
    wishes.overrides.extend(settings.overrides);
    if let Some(nixpkgs) = settings.nixpkgs {
        let choice = Choice::parse(&nixpkgs.value, folder);
        wishes.nixpkgs.get_or_insert(choice);
    }
    for ((name, version), stated) in settings.metadata {
        let text = stated.as_metadata(&name, &version);
        wishes
            .stated
            .insert((name, Some(version.to_string())), text);
    }
    Ok(())
}

fn called(sources: &[Source]) -> String {
    match sources {
        [Source::Path(path)] => match path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => "the project".to_owned(),
        },
        [Source::Requirement(_)] => "the command line".to_owned(),
        _ => "the project".to_owned(),
    }
}

fn open(path: &Path, report: &Report) -> Result<Project, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let project = project::open_with(path, &env).map_err(|error| unreadable(path, error))?;
    accept(project, path, report)
}

/// The project, where nothing keeps it from being locked.
fn accept(project: Project, path: &Path, report: &Report) -> Result<Project, Failure> {
    let (errors, others): (Vec<_>, Vec<_>) = project
        .problems
        .iter()
        .cloned()
        .partition(|problem| problem.severity == Severity::Error);
    for problem in &others {
        report.problem(problem);
    }
    if !errors.is_empty() {
        let mut failure = Failure::usage(format!("`{}` cannot be locked", path.display()))
            .why(format!(
                "{} of its lines cannot be understood",
                errors.len()
            ))
            .help("correct what is shown above, then run the same command again");
        failure.problems = errors;
        return Err(failure);
    }
    let decisive = [
        "requires_dist",
        "dependencies",
        "optional",
        "extras",
        "provides_extra",
    ];
    let unknown = project.unknown.iter();
    let unknown = unknown.filter(|unknown| decisive.contains(&unknown.field.as_str()));
    let mut failure = Failure::usage(format!(
        "what `{}` requires cannot be known without running it",
        path.display()
    ))
    .help(
        "write the requirements as literals, or lock a requirements file or pyproject.toml instead; \
         `--allow-build` is for what you require, not for your own project",
    );
    for unknown in unknown {
        let problem = Problem {
            code: Code::UnknownValue,
            severity: Severity::Error,
            what: unknown.reason.clone(),
            origin: unknown.origin.clone(),
            help: None,
        };
        if !failure.problems.contains(&problem) {
            failure.problems.push(problem);
        }
    }
    if !failure.problems.is_empty() {
        return Err(failure);
    }
    Ok(project)
}

fn unreadable(path: &Path, error: ProjectError) -> Failure {
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let mut failure = match error {
        ProjectError::Files(error) => Failure::from(error),
        other => Failure::usage(other.to_string()),
    };
    if !failure.what.contains(&*path.to_string_lossy()) {
        failure.what = format!("{}: {}", path.display(), failure.what);
    }
    if failure.why.is_empty() {
        failure.why.extend(source);
    }
    failure
        .help("name a setup.py, pyproject.toml, setup.cfg, requirements file, a folder with one, or a script")
}

/// The target must be one of the Pythons that the project says it runs on.
fn check_python(
    wanted: Option<&VersionSpecifiers>,
    path: &Path,
    targets: &Targets,
) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    if wanted.contains(&targets.python) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Unsatisfiable,
        format!(
            "`{}` needs Python {wanted}, and the lock is for {}",
            path.display(),
            targets.python
        ),
    )
    .help("choose a Python that it supports with `--python`"))
}

fn take(wishes: &mut Wishes, project: Project, meant: &Lock) -> Result<(), Failure> {
    let mut chosen = chosen(&project, meant)?;
    wishes.constraints.extend(project.constraints);
    for (name, hashes) in project.hashes {
        wishes
            .approved
            .digests
            .entry(name)
            .or_default()
            .extend(hashes);
    }
    wishes.approved.everything |= project.index_options.require_hashes;
    wishes.index.push(project.index_options);
    let mut pending = project.dependencies;
    for name in &meant.groups {
        pending.extend(
            project
                .groups
                .get(&normal(name))
                .cloned()
                .unwrap_or_default(),
        );
    }
    let mut done = BTreeSet::new();
    wishes.requirements.extend(expanded(
        pending,
        &mut chosen,
        &mut done,
        project.name.as_ref(),
        &project.optional,
    ));
    Ok(())
}

/// The extras of a project that are chosen.
fn chosen(project: &Project, meant: &Lock) -> Result<BTreeSet<ExtraName>, Failure> {
    let mut chosen = BTreeSet::new();
    for name in &meant.extras {
        let extra = ExtraName::from_str(name).map_err(|_| {
            Failure::usage(format!("`--extra {name}`: this is not an extra's name"))
        })?;
        chosen.insert(extra);
    }
    if meant.all_extras {
        chosen.extend(project.optional.keys().cloned());
    }
    Ok(chosen)
}

/// The requirements with those of the chosen extras; a requirement of a project on itself (`demo[a]`
/// among the extras of demo) only chooses further extras.
fn expanded(
    direct: Vec<Requirement>,
    chosen: &mut BTreeSet<ExtraName>,
    done: &mut BTreeSet<ExtraName>,
    name: Option<&PackageName>,
    optional: &BTreeMap<ExtraName, Vec<Requirement>>,
) -> Vec<Requirement> {
    let mut all = Vec::new();
    let mut pending = direct;
    loop {
        for requirement in std::mem::take(&mut pending) {
            if Some(&requirement.name) == name {
                chosen.extend(requirement.extras);
            } else {
                all.push(requirement);
            }
        }
        let Some(extra) = chosen.iter().find(|extra| !done.contains(*extra)).cloned() else {
            return all;
        };
        pending = optional.get(&extra).cloned().unwrap_or_default();
        done.insert(extra);
    }
}

fn unknown_choice(name: &str, known: &BTreeSet<String>, what: &str) -> Failure {
    let failure = Failure::usage(format!("the project has no {what} `{name}`"));
    if known.is_empty() {
        return failure.help(format!("it has no {what} at all"));
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    failure.help(format!("it has {}", names.join(", ")))
}

/// PEP 503's and PEP 735's normal form of a name.
fn normal(name: &str) -> String {
    ExtraName::from_str(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_of_extras_are_chosen() {
        let extra = |name: &str| ExtraName::from_str(name).unwrap();
        let read = |text: &str| Requirement::parse(text).unwrap();
        let optional = BTreeMap::from([
            (extra("all"), vec![read("demo[a,b]"), read("x")]),
            (extra("a"), vec![read("y")]),
            (extra("b"), vec![read("demo[all]"), read("z")]),
        ]);
        let all = expanded(
            vec![read("base")],
            &mut BTreeSet::from([extra("all")]),
            &mut BTreeSet::new(),
            Some(&PackageName::from_str("demo").unwrap()),
            &optional,
        );
        let names: Vec<_> = all.iter().map(|r| r.name.as_ref()).collect();
        assert_eq!(names, ["base", "x", "y", "z"]);
    }
}
