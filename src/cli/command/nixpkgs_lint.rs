//! `pyresolve nixpkgs lint`: what reviewers would say of modules.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::args::{Annotate, NixpkgsLint};
use crate::cli::exit::{Exit, Failure};
use crate::cli::finding::{message, property};
use crate::cli::report::{BOLD, DIM, RED, Report, Volume, YELLOW};
use crate::contribute::Tree;
use crate::contribute::lint::{self, Context, Finding, Level, rule};
use crate::python::Sha256;

/// The largest file that is looked at.
const MAX_FILE: u64 = 8 << 20;

/// A finding, and where it stands.
struct Placed {
    file: String,
    line: usize,
    column: usize,
    finding: Finding,
}

/// Runs `pyresolve nixpkgs lint`.
///
/// # Errors
/// When a file cannot be read, or a rule does not exist.
pub fn run(args: &NixpkgsLint, report: &Report) -> Result<Exit, Failure> {
    for name in &args.allow {
        if !rule::RULES.iter().any(|rule| rule.name == name) {
            return Err(
                Failure::usage(format!("`--allow {name}`: there is no such rule"))
                    .help("docs/nixpkgs.md lists them"),
            );
        }
    }
    let mut found = Vec::new();
    for path in &args.files {
        found.extend(file(path)?);
    }
    found.retain(|placed| {
        !args
            .allow
            .iter()
            .any(|name| name == placed.finding.rule.name)
    });
    let text = match args.annotate {
        Some(Annotate::Github) => found.iter().map(github).collect(),
        Some(Annotate::Gitlab) => format!("{:#}\n", found.iter().map(gitlab).collect::<Value>()),
        None if args.json => format!("{:#}\n", found.iter().map(as_json).collect::<Value>()),
        None => found.iter().map(|placed| line(placed, report)).collect(),
    };
    super::print(report, &text)?;
    let files = match args.files.len() {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    if found.is_empty() {
        report.say(
            Volume::Normal,
            &format!("Good: nothing to be said of {files}"),
        );
        return Ok(Exit::Done);
    }
    let errors = found
        .iter()
        .filter(|p| p.finding.rule.level == Level::Error)
        .count();
    let advice = found.len() - errors;
    let errors = if errors == 1 {
        "1 error".to_owned()
    } else {
        format!("{errors} errors")
    };
    report.say(
        Volume::Normal,
        &format!("{errors}, {advice} to be asked for, in {files}"),
    );
    Ok(Exit::Unsatisfiable)
}

fn file(path: &Path) -> Result<Vec<Placed>, Failure> {
    let unreadable =
        |why: String| Failure::usage(format!("`{}` cannot be read", path.display())).why(why);
    let read = || {
        let meta = std::fs::metadata(path)?;
        if meta.len() > MAX_FILE {
            return Err(std::io::Error::other("it is larger than 8 MiB"));
        }
        Ok((std::fs::read_to_string(path)?, is_executable(&meta)))
    };
    let (text, executable) = read().map_err(|error| unreadable(error.to_string()))?;
    let absolute = path
        .canonicalize()
        .map_err(|error| unreadable(error.to_string()))?;
    let tree = absolute
        .ancestors()
        .skip(1)
        .find_map(|folder| Tree::open(folder).ok());
    let maintainers = tree.and_then(|tree| tree.maintainers().ok().flatten());
    let context = Context {
        maintainers,
        executable,
    };
    let shown = path.display().to_string();
    let placed = lint::lint(&text, &context).into_iter().map(|finding| {
        let (line, column) = lint::line_column(&text, finding.span.start);
        Placed {
            file: shown.clone(),
            line,
            column,
            finding,
        }
    });
    Ok(placed.collect())
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

fn level(placed: &Placed) -> &'static str {
    match placed.finding.rule.level {
        Level::Error => "error",
        Level::Advice => "advice",
    }
}

fn line(placed: &Placed, report: &Report) -> String {
    let Placed {
        file,
        line,
        column,
        finding,
    } = placed;
    let style = match finding.rule.level {
        Level::Error => RED,
        Level::Advice => YELLOW,
    };
    let place = report.paint_result(BOLD, &format!("{file}:{line}:{column}"));
    let rule = format!("{}[{}]", level(placed), finding.rule.name);
    let rule = report.paint_result(style, &rule);
    let help = report.paint_result(DIM, &finding.help);
    format!("{place}: {rule} {}; {help}\n", finding.what)
}

fn as_json(placed: &Placed) -> Value {
    let Placed {
        file,
        line,
        column,
        finding,
    } = placed;
    json!({
        "file": file, "line": line, "column": column, "level": level(placed),
        "rule": finding.rule.name, "what": finding.what, "help": finding.help,
    })
}

fn github(placed: &Placed) -> String {
    let Placed {
        file,
        line,
        column,
        finding,
    } = placed;
    let kind = match finding.rule.level {
        Level::Error => "error",
        Level::Advice => "warning",
    };
    format!(
        "::{kind} file={},line={line},col={column},title=pyresolve%3A {}::{}\n",
        property(file),
        finding.rule.name,
        message(&format!("{}; {}", finding.what, finding.help))
    )
}

fn gitlab(placed: &Placed) -> Value {
    let Placed {
        file,
        line,
        finding,
        ..
    } = placed;
    let identity = format!("{}\n{file}\n{}", finding.rule.name, finding.what);
    json!({
        "check_name": format!("pyresolve-{}", finding.rule.name),
        "description": format!("{}; {}", finding.what, finding.help),
        "fingerprint": Sha256::of(identity.as_bytes()).hex(),
        "severity": if finding.rule.level == Level::Error { "major" } else { "minor" },
        "location": { "path": file, "lines": { "begin": line } },
    })
}
