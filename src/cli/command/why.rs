//! `pyresolve why`: who asks for a project, and what became of it.

use std::str::FromStr as _;

use serde_json::{Value, json};

use super::existing_lock;
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::{BOLD, CYAN, Report};
use crate::project::pylock::Locked;
use crate::project::pylock::graph::{Graph, Need};
use crate::python::PackageName;

/// Runs `pyresolve why`.
///
/// # Errors
/// When there is no lock that can be read, or the lock has no such project.
pub fn run(args: &args::Why, report: &Report) -> Result<Exit, Failure> {
    let lock = existing_lock(&args.lock)?;
    let graph = Graph::new(&lock);
    let name = PackageName::from_str(&args.name)
        .map_err(|_| Failure::usage(format!("`{}` is not a project's name", args.name)))?;
    let pins = graph.pins(&name);
    if pins.is_empty() {
        return Err(Failure::new(
            Exit::Unsatisfiable,
            format!("`{}` has no pin of {name}", args.lock.display()),
        )
        .help("`pyresolve tree` shows every pin"));
    }
    if args.json {
        let all: Vec<Value> = pins.iter().map(|place| as_json(&graph, *place)).collect();
        return super::print(report, &format!("{:#}\n", Value::from(all)));
    }
    let texts: Vec<String> = pins
        .iter()
        .map(|place| as_text(&graph, *place, report))
        .collect();
    super::print(report, &texts.join("\n"))
}

fn as_text(graph: &Graph<'_>, place: usize, report: &Report) -> String {
    let Some(pin) = graph.pin(place) else {
        return String::new();
    };
    let mut lines = vec![report.paint_result(BOLD, &release(pin))];
    if let (Some(action), Some(attribute)) = (&pin.own.action, &pin.own.attribute) {
        lines.push(format!("  {}", meaning(action, attribute)));
    }
    if let Some(marker) = &pin.marker {
        lines.push(format!("  only where {marker}"));
    }
    let way: Vec<String> = graph
        .way_to(place)
        .iter()
        .filter_map(|p| graph.pin(*p))
        .map(release)
        .collect();
    if way.len() > 1 {
        lines.push(format!("  by way of {}", way.join(" → ")));
    }
    for need in graph.needed_by(place) {
        let by = report.paint_result(CYAN, &who(graph, &need));
        lines.push(match &need.requirement {
            Some(text) => format!("  {by} needs {text}"),
            None => format!("  {by} needs it"),
        });
    }
    lines.join("\n") + "\n"
}

fn meaning(action: &str, attribute: &str) -> String {
    match action {
        "reuse" => format!("nixpkgs' {attribute}, as it is"),
        "attribute" => format!("nixpkgs' {attribute}, in place of the project's default attribute"),
        "override" => format!("nixpkgs' {attribute} with another version: an override"),
        _ => format!("a new entry, {attribute}"),
    }
}

fn who(graph: &Graph<'_>, need: &Need) -> String {
    match need.by.and_then(|place| graph.pin(place)) {
        Some(pin) => release(pin),
        None => "your project".to_owned(),
    }
}

fn release(pin: &Locked) -> String {
    match &pin.version {
        Some(version) => format!("{} {version}", pin.name),
        None => pin.name.to_string(),
    }
}

fn as_json(graph: &Graph<'_>, place: usize) -> Value {
    let pin = graph.pin(place);
    let needed: Vec<Value> = graph
        .needed_by(place)
        .iter()
        .map(|need| {
            json!({
                "by": need.by.and_then(|p| graph.pin(p)).map(release),
                "requirement": need.requirement,
            })
        })
        .collect();
    let way = graph.way_to(place);
    json!({
        "name": pin.map(|pin| pin.name.to_string()),
        "version": pin.and_then(|pin| pin.version.as_ref()).map(ToString::to_string),
        "marker": pin.and_then(|pin| pin.marker.clone()),
        "action": pin.and_then(|pin| pin.own.action.clone()),
        "attribute": pin.and_then(|pin| pin.own.attribute.clone()),
        "way": way.iter().filter_map(|p| graph.pin(*p)).map(release).collect::<Vec<_>>(),
        "needed_by": needed,
    })
}
