//! `pyresolve inspect`: what a project says of itself, read without running it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::{BOLD, DIM, GREEN, RED, Report};
use crate::problem::{Code, Severity};
use crate::project::{self, Evaluated, Project, ProjectError, Unknown};
use crate::python::Requirement;

/// Runs `pyresolve inspect`.
///
/// # Errors
/// When there is no project at the path, or it cannot be had.
pub fn run(args: &args::Inspect, report: &Report) -> Result<Exit, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let project = project::open_with(&args.path, &env).map_err(|error| unreadable(&error))?;
    for problem in &project.problems {
        report.problem(problem);
    }
    let text = if args.json {
        format!("{:#}\n", as_json(&project))
    } else {
        as_text(&project, report)
    };
    report
        .result(&text)
        .map_err(|error| Failure::new(Exit::World, "standard output").because(&error))?;
    let is_wrong = project
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    Ok(if is_wrong || project.evaluated == Evaluated::Failed {
        Exit::Usage
    } else {
        Exit::Done
    })
}

fn unreadable(error: &ProjectError) -> Failure {
    let mut failure = Failure::usage(error.to_string());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        failure = failure.why(inner.to_string());
        cause = inner.source();
    }
    failure
}

fn texts(requirements: &[Requirement]) -> Vec<String> {
    requirements.iter().map(ToString::to_string).collect()
}

fn evaluated(project: &Project) -> &'static str {
    match project.evaluated {
        Evaluated::Static => "static",
        Evaluated::Partial => "partial",
        Evaluated::Failed => "failed",
    }
}

/// The repairs of invalid texts, each once, as sentences.
fn repairs(project: &Project) -> Vec<String> {
    let mut repairs: Vec<String> = Vec::new();
    for problem in &project.problems {
        if problem.code == Code::RepairedRequirement && !repairs.contains(&problem.what) {
            repairs.push(problem.what.clone());
        }
    }
    repairs
}

fn as_json(project: &Project) -> Value {
    let entry_points: serde_json::Map<String, Value> = project
        .entry_points
        .iter()
        .map(|(group, points)| {
            let points: serde_json::Map<String, Value> = points
                .iter()
                .map(|(name, reference)| (name.clone(), json!(reference)))
                .collect();
            (group.clone(), Value::Object(points))
        })
        .collect();
    let groups: serde_json::Map<String, Value> = project
        .groups
        .iter()
        .map(|(name, requirements)| (name.clone(), json!(texts(requirements))))
        .collect();
    let extras: Vec<_> = project.optional.keys().map(ToString::to_string).collect();
    let python = project.requires_python.as_ref().map(ToString::to_string);
    let problems = project.problems.iter().map(|problem| {
        json!({
            "code": problem.code.text(),
            "severity": match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            "message": problem.to_string(),
        })
    });
    json!({
        "name": project.name.as_ref().map(ToString::to_string),
        "version": project.version,
        "requires_python": python,
        "requires_dist": texts(&project.requires_dist()),
        "extras": extras,
        "dependency_groups": groups,
        "constraints": texts(&project.constraints),
        "build_requires": texts(&project.build_system.requires),
        "build_backend": project.build_system.backend,
        "entry_points": entry_points,
        "evaluated": evaluated(project),
        "unknown": project.unknown.iter().map(unknown_as_json).collect::<Vec<_>>(),
        "repairs": repairs(project),
        "missing_files": project.missing_files,
        "problems": problems.collect::<Vec<_>>(),
    })
}

fn unknown_as_json(unknown: &Unknown) -> Value {
    let origin = unknown.origin.as_ref();
    let place = origin.map(crate::problem::Origin::line_column);
    json!({
        "field": unknown.field,
        "file": origin.map(|o| o.path().display().to_string()),
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
        "expression": origin.map(|o| o.text().to_owned()),
        "reason": unknown.reason,
    })
}

fn as_text(project: &Project, report: &Report) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a text does not fail.
            let _ = writeln!(out, "{:<18}{value}", format!("{label}:"));
        }
    };
    let name = project.name.as_ref().map_or("?", AsRef::as_ref);
    let version = project.version.as_deref().unwrap_or("?");
    line("project", &report.paint(BOLD, &format!("{name} {version}")));
    let state = match project.evaluated {
        Evaluated::Static => report.paint(GREEN, "static"),
        Evaluated::Partial => report.paint(RED, "partial"),
        Evaluated::Failed => report.paint(RED, "failed"),
    };
    line("evaluated", &state);
    let python = project.requires_python.as_ref().map(ToString::to_string);
    line("python", &python.unwrap_or_default());
    let backend = project.build_system.backend.as_deref();
    line(
        "build backend",
        backend.unwrap_or("setuptools (none is named)"),
    );
    line(
        "build requires",
        &texts(&project.build_system.requires).join("  "),
    );
    list(&mut out, "requires", &texts(&project.dependencies));
    for (extra, requirements) in &project.optional {
        list(&mut out, &format!("extra {extra}"), &texts(requirements));
    }
    for (group, requirements) in &project.groups {
        list(&mut out, &format!("group {group}"), &texts(requirements));
    }
    list(&mut out, "constraints", &texts(&project.constraints));
    for (group, points) in &project.entry_points {
        let points: Vec<_> = points.iter().map(|(n, r)| format!("{n} = {r}")).collect();
        list(&mut out, group, &points);
    }
    list(&mut out, "missing files", &project.missing_files);
    let unknown: Vec<_> = project.unknown.iter().map(ToString::to_string).collect();
    list(&mut out, "unknown", &unknown);
    if project.dependencies.is_empty()
        && !project.unknown.iter().any(|u| u.field == "requires_dist")
    {
        let _ = writeln!(out, "{}", report.paint(DIM, "requires nothing"));
    }
    out
}

fn list(out: &mut String, label: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "{label}:");
    for item in items {
        let _ = writeln!(out, "  {item}");
    }
}
