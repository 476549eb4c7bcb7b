//! `pyresolve nixpkgs init`: modules for a project and everything that it needs and nixpkgs lacks.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal as _};
use std::str::FromStr as _;
use std::sync::Arc;

use crate::assemble::{self, Approved, Assembly, Kept, Question};
use crate::cli::args::{Forge, NixpkgsInit};
use crate::cli::contributing::{Contributing, refused};
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::locking;
use crate::cli::progress::Watcher;
use crate::cli::report::{BOLD, Report, Volume, YELLOW};
use crate::contribute::license::{self, Text};
use crate::contribute::{ContributeError, Prepared, Wanted, init, list, prepare, tree};
use crate::event::{Event, Observer as _, Step};
use crate::index::RemoteCatalog;
use crate::plan::Policy;
use crate::plan::derivation::License;
use crate::python::PackageName;
use crate::resolve::{Input, Preferences};

/// Runs `pyresolve nixpkgs init`.
///
/// # Errors
/// Anything that keeps it from a complete result; nothing is written then.
pub fn run(args: &NixpkgsInit, report: &Report) -> Result<Exit, Failure> {
    let answers = answers(&args.licenses)?;
    locking::watched(report, |watcher, interrupt| {
        prepared(args, &answers, report, watcher, interrupt)
    })
}

fn prepared(
    args: &NixpkgsInit,
    answers: &BTreeMap<PackageName, License>,
    report: &Report,
    watcher: &Arc<Watcher>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let (at, options) = Contributing::new(&args.contribution, &args.index, watcher)?;
    at.tree
        .check_maintainers(&args.maintainers)
        .map_err(refused)?;
    is_absent(&at)?;
    let catalog = RemoteCatalog::new(options);
    let assembly = assembled(&at, &catalog, watcher)?;
    watcher.see(&Event::Step(Step::Fetching));
    let wanted = Wanted {
        assembly: &assembly,
        nixpkgs: &at.nixpkgs,
        catalog: &catalog,
        forge: args.source == Forge::Github,
        maintainers: &args.maintainers,
        relax: args.relax,
    };
    let mut modules = prepare(&wanted).map_err(refused)?;
    watcher.finish();
    for module in &mut modules {
        if let Some(license) = answers.get(&module.project) {
            module.derivation.meta.license = Some(license.clone());
        }
    }
    if !args.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        let mut input = std::io::stdin().lock();
        for module in modules
            .iter_mut()
            .filter(|m| m.derivation.meta.license.is_none())
        {
            ask(module, &catalog, report, &mut input)?;
        }
    }
    let left = unfinished(&modules);
    if at.args.commit && !left.is_empty() {
        let mut failure = Failure::new(
            Exit::Unsatisfiable,
            "nothing was committed: something is left open",
        );
        failure.why = left;
        return Err(failure.help(
            "name a licence with `--license NAME=SPDX`, or leave `--commit` out and complete the files by hand",
        ));
    }
    let commits = init::commits(&at.tree, &modules).map_err(refused)?;
    let changes: Vec<_> = modules.iter().map(Prepared::change).collect();
    tell(&at, &assembly, &modules, report);
    at.deliver(&commits, &changes, &command(args), report, interrupt)?;
    for line in &left {
        report.say(
            Volume::Errors,
            &format!("{}: {line}", report.paint(YELLOW, "open")),
        );
    }
    Ok(if left.is_empty() {
        Exit::Done
    } else {
        Exit::Unsatisfiable
    })
}

/// Refuses a project that the checkout has.
fn is_absent(at: &Contributing<'_>) -> Result<(), Failure> {
    let name = &at.wanted.name;
    if let Some(attribute) = at.nixpkgs.attributes(name).first() {
        return Err(refused(ContributeError::Exists {
            name: name.to_string(),
            what: format!("`{}` {}", attribute.attr, attribute.version),
        }));
    }
    let text = at.tree.text(tree::LIST).map_err(refused)?;
    let bad = |why| {
        refused(ContributeError::NoPlace {
            path: tree::LIST.to_owned(),
            why,
        })
    };
    let listed = list::names(&text).map_err(bad)?;
    if listed.iter().any(|attr| attr == name.as_ref()) {
        return Err(refused(ContributeError::Exists {
            name: name.to_string(),
            what: format!("{} names it", tree::LIST),
        }));
    }
    if at.tree.has(&format!("{}/{name}", tree::MODULES)) {
        return Err(refused(ContributeError::Exists {
            name: name.to_string(),
            what: format!("{}/{name}", tree::MODULES),
        }));
    }
    Ok(())
}

/// The pins, and what is to be done about each.
fn assembled(
    at: &Contributing<'_>,
    catalog: &RemoteCatalog,
    watcher: &Arc<Watcher>,
) -> Result<Assembly, Failure> {
    let mut input = Input::new(at.meant.targets.clone());
    input.requirements = vec![at.wanted.clone()];
    input.policy = at.meant.policy.clone();
    input.preferences = Preferences {
        nixpkgs: Arc::clone(&at.nixpkgs),
        locked: BTreeMap::new(),
    };
    let policy = Policy {
        project: "the request".to_owned(),
        keep: true,
        for_nixpkgs: true,
        ..Policy::default()
    };
    let kept = Kept::new(catalog, &at.nixpkgs);
    let question = Question {
        input: &input,
        nixpkgs: &at.nixpkgs,
        policy: &policy,
        stated: &BTreeSet::new(),
        approved: &Approved::default(),
        for_builds: &[],
    };
    assemble::assemble(&kept, &question, watcher.as_ref()).map_err(locking::refused)
}

/// `NAME=SPDX`, by project.
fn answers(typed: &[String]) -> Result<BTreeMap<PackageName, License>, Failure> {
    let mut answers = BTreeMap::new();
    for text in typed {
        let pair = text.split_once('=');
        let name = pair.and_then(|(name, _)| PackageName::from_str(name.trim()).ok());
        let (Some(name), Some((_, expression))) = (name, pair) else {
            return Err(
                Failure::usage(format!("`--license {text}`: it is not NAME=SPDX"))
                    .help("write, for example, `--license demo=BSD-3-Clause`"),
            );
        };
        let license = license::answer(expression)
            .map_err(|why| Failure::usage(format!("`--license {text}`")).why(why))?;
        answers.insert(name, license);
    }
    Ok(answers)
}

/// Asks for a licence until there is one, or nothing is answered.
fn ask(
    module: &mut Prepared,
    catalog: &RemoteCatalog,
    report: &Report,
    input: &mut dyn BufRead,
) -> Result<(), Failure> {
    let because = module.open.as_ref().map(license::Open::because);
    let version = &module.derivation.version;
    let what = format!("{} {version}: under which licence?", module.project);
    report.say(Volume::Errors, &report.paint(BOLD, &what));
    report.say(
        Volume::Errors,
        &format!("  {}", because.unwrap_or_default()),
    );
    let archive = module
        .sdist
        .as_ref()
        .map(|sdist| catalog.archive(sdist))
        .transpose()?;
    if let Some(Text {
        file,
        beginning,
        reads_like,
    }) = archive.as_ref().and_then(|a| license::text(a))
    {
        report.say(Volume::Errors, &format!("  {file} in its source begins:"));
        for line in beginning {
            report.say(Volume::Errors, &format!("    {line}"));
        }
        if let Some(spdx) = reads_like {
            report.say(
                Volume::Errors,
                &format!("  it reads like {spdx}: compare it"),
            );
        }
    }
    loop {
        report.say(
            Volume::Errors,
            "  SPDX expression (nothing to leave it open):",
        );
        let mut line = String::new();
        let read = input.read_line(&mut line);
        if !matches!(read, Ok(1..)) || line.trim().is_empty() {
            return Ok(());
        }
        match license::answer(&line) {
            Ok(license) => {
                module.derivation.meta.license = Some(license);
                return Ok(());
            }
            Err(why) => report.say(Volume::Errors, &format!("  {why}")),
        }
    }
}

fn unfinished(modules: &[Prepared]) -> Vec<String> {
    let lines = modules.iter().flat_map(|module| {
        let path = module.path();
        let left = module.unfinished().into_iter();
        left.map(move |what| format!("{path}: {what}"))
    });
    lines.collect()
}

/// What was prepared, and what a person has to look at.
fn tell(at: &Contributing<'_>, assembly: &Assembly, modules: &[Prepared], report: &Report) {
    let lacking = match modules.len() {
        1 => "it needs nothing that nixpkgs lacks".to_owned(),
        n => format!("with {} that it needs and nixpkgs lacks", n - 1),
    };
    report.say(
        Volume::Normal,
        &format!(
            "Prepared {} for {}, {lacking}",
            at.wanted.name, at.nixpkgs.channel
        ),
    );
    for module in modules {
        report.say(Volume::Normal, &format!("  {}", module.change().subject()));
    }
    let warn = |line: &str| {
        report.say(
            Volume::Warnings,
            &format!("{}: {line}", report.paint(YELLOW, "note")),
        );
    };
    // The plan is for more than these modules; what it says of others is no affair of nixpkgs'.
    let about = |line: &&String| {
        let mut projects = modules.iter().map(|module| format!("{} ", module.project));
        projects.any(|project| line.starts_with(&project))
    };
    let warnings = assembly.plan.warnings.iter().chain(&assembly.warnings);
    warnings.filter(about).for_each(|line| warn(line));
    for module in modules {
        for note in &module.notes {
            warn(&format!("{}: {note}", module.attr));
        }
    }
}

/// The command, for the text of a pull request.
fn command(args: &NixpkgsInit) -> String {
    let mut command = format!("pyresolve nixpkgs init {}", args.contribution.name);
    if args.source == Forge::Github {
        command.push_str(" --source github");
    }
    if args.relax {
        command.push_str(" --relax");
    }
    command
}
