//! `pyresolve why`: who asks for a project, and what became of it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use serde_json::{Value, json};

use super::existing_lock;
use crate::assemble::alternative::{Kind, Ways};
use crate::cli::args;
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::{BOLD, CYAN, Report};
use crate::cli::way::{self, Known};
use crate::project::pylock::graph::{Graph, Need};
use crate::project::pylock::{Locked, OwnBuild, Pylock};
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
    let builds = only_builds(&lock, &name);
    if pins.is_empty() && !builds.is_empty() {
        return tell_builds(&builds, args, report);
    }
    if pins.is_empty() {
        return Err(Failure::new(
            Exit::Unsatisfiable,
            format!("`{}` has no pin of {name}", args.lock.display()),
        )
        .help("`pyresolve tree` shows every pin"));
    }
    let mut known = Vec::new();
    for place in pins {
        known.push(ways(args, &lock, graph.pin(*place))?);
    }
    let pins = pins.iter().zip(&known);
    if args.json {
        let all = pins.map(|(place, known)| {
            let mut told = as_json(&graph, *place);
            way_as_json(&mut told, known.as_ref());
            told
        });
        let all: Vec<Value> = all.collect();
        return super::print(report, &format!("{:#}\n", Value::from(all)));
    }
    let texts: Vec<String> = pins
        .map(|(place, known)| {
            let mut text = as_text(&graph, *place, report);
            text.push_str(&way_as_text(known.as_ref(), report));
            text
        })
        .collect();
    super::print(report, &texts.join("\n"))
}

/// The pins of a project that only builds need.
fn only_builds<'a>(lock: &'a Pylock, name: &PackageName) -> Vec<&'a OwnBuild> {
    let all = lock.own.iter().flat_map(|own| &own.build);
    all.filter(|pin| PackageName::from_str(&pin.name).is_ok_and(|own| own == *name))
        .collect()
}

fn tell_builds(builds: &[&OwnBuild], args: &args::Why, report: &Report) -> Result<Exit, Failure> {
    if args.json {
        let all: Vec<Value> = builds.iter().map(|pin| build_as_json(pin)).collect();
        return super::print(report, &format!("{:#}\n", Value::from(all)));
    }
    let texts: Vec<String> = builds
        .iter()
        .map(|pin| build_as_text(pin, report))
        .collect();
    super::print(report, &texts.join("\n"))
}

fn build_as_text(pin: &OwnBuild, report: &Report) -> String {
    let mut lines = vec![report.paint_result(BOLD, &format!("{} {}", pin.name, pin.version))];
    if let (Some(action), Some(attribute)) = (&pin.action, &pin.attribute) {
        lines.push(format!("  {}", meaning(action, attribute)));
    }
    lines.push("  only builds need it".to_owned());
    for need in &pin.needed_by {
        let by = report.paint_result(CYAN, &need.by);
        lines.push(format!("  {by} needs {}", need.requirement));
    }
    inputs(&pin.inputs, &mut lines);
    lines.join("\n") + "\n"
}

fn build_as_json(pin: &OwnBuild) -> Value {
    let needed = pin.needed_by.iter();
    let needed = needed.map(|need| json!({ "by": need.by, "requirement": need.requirement }));
    json!({
        "name": pin.name,
        "version": pin.version,
        "for_build": true,
        "action": pin.action,
        "attribute": pin.attribute,
        "needed_by": needed.collect::<Vec<_>>(),
        "inputs": pin.inputs,
    })
}

/// What of nixpkgs a build needs, and who says so.
fn inputs(inputs: &BTreeMap<String, Vec<String>>, lines: &mut Vec<String>) {
    if inputs.is_empty() {
        return;
    }
    lines.push("  its build needs of nixpkgs:".to_owned());
    let width = inputs.keys().map(|attr| attr.chars().count()).max();
    let width = width.unwrap_or(0);
    for (attr, evidence) in inputs {
        let mut shown = attr.as_str();
        for text in evidence {
            lines.push(format!("    {shown:width$}  {text}"));
            shown = "";
        }
        if evidence.is_empty() {
            lines.push(format!("    {attr}"));
        }
    }
}

/// What could be done about a pin; none where nothing is built because of it or of what it needs.
fn ways(args: &args::Why, lock: &Pylock, pin: Option<&Locked>) -> Result<Option<Known>, Failure> {
    let (Some(pin), Some(own)) = (pin, &lock.own) else {
        return Ok(None);
    };
    let (Some(version), false) = (&pin.version, pin.direct) else {
        return Ok(None);
    };
    if pin.own.action.as_deref() == Some("new") && args.nixpkgs.is_none() {
        return Ok(None);
    }
    way::find(args, lock, own, (&pin.name, version)).map(Some)
}

fn way_as_text(known: Option<&Known>, report: &Report) -> String {
    let Some(known) = known else {
        return String::new();
    };
    let mut lines = Vec::new();
    if let Some((then, now)) = &known.other_nixpkgs {
        lines.push(format!(
            "  the lock was made with another nixpkgs: {then} then, {now} now"
        ));
    }
    match &known.ways {
        Ok(ways) => tell(ways, &mut lines, report),
        Err(why) => lines.push(format!("  what could be done is not known: {why}")),
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn tell(ways: &Ways, lines: &mut Vec<String>, report: &Report) {
    if !ways.rebuilt_by.is_empty() {
        let names: Vec<&str> = ways.rebuilt_by.iter().map(AsRef::as_ref).collect();
        lines.push(format!("  built again because of {}", names.join(", ")));
    }
    if let Some(version) = &ways.nixpkgs_version
        && !ways.forces.is_empty()
    {
        for reason in &ways.forces {
            let by = report.paint_result(CYAN, &reason.by);
            let wanted = &reason.wanted;
            lines.push(format!("  nixpkgs has {version}, and {by} needs {wanted}"));
        }
    }
    if ways.alternatives.is_empty() {
        return;
    }
    lines.push(format!(
        "  what could be done, and how much is built then in all ({} now):",
        ways.builds
    ));
    if ways.estimated {
        let how = "what is built again is counted along the pins' metadata: this nixpkgs is known \
                   without its edges, which a tree (`--nixpkgs`) has";
        lines.push(format!("  ({how})"));
    }
    for way in &ways.alternatives {
        let builds = match (&way.tried, way.builds) {
            (Ok(false), _) => "-".to_owned(),
            (_, Some(builds)) => builds.to_string(),
            (_, None) => "?".to_owned(),
        };
        let note = match &way.tried {
            Err(why) if way.kind != Kind::Relax => format!(" (not tried: {why})"),
            _ => String::new(),
        };
        lines.push(format!("  {builds:>5}  {}{note}", way.what));
    }
}

fn way_as_json(told: &mut Value, known: Option<&Known>) {
    let Some(known) = known else {
        return;
    };
    if let Some((then, now)) = &known.other_nixpkgs {
        told["nixpkgs_then"] = json!(then);
        told["nixpkgs_now"] = json!(now);
    }
    match &known.ways {
        Err(why) => told["unknown"] = json!(why),
        Ok(ways) => {
            told["builds"] = json!(ways.builds);
            told["estimated"] = json!(ways.estimated);
            told["nixpkgs_version"] = json!(ways.nixpkgs_version.as_ref().map(ToString::to_string));
            let forces = ways.forces.iter().map(|reason| {
                json!({ "by": reason.by, "requirement": reason.requirement, "wanted": reason.wanted })
            });
            told["forces"] = forces.collect();
            let names = ways.rebuilt_by.iter().map(|name| json!(name.as_ref()));
            told["rebuilt_by"] = names.collect();
            let ways = ways.alternatives.iter().map(|way| {
                json!({
                    "kind": way.kind.text(),
                    "what": way.what,
                    "builds": way.builds,
                    "works": way.tried.as_ref().ok(),
                    "not_tried": way.tried.as_ref().err(),
                })
            });
            told["alternatives"] = ways.collect();
        }
    }
}

fn as_text(graph: &Graph<'_>, place: usize, report: &Report) -> String {
    let Some(pin) = graph.pin(place) else {
        return String::new();
    };
    let mut lines = vec![report.paint_result(BOLD, &release(pin))];
    if let (Some(action), Some(attribute)) = (&pin.own.action, &pin.own.attribute) {
        lines.push(format!("  {}", meaning(action, attribute)));
    }
    if let (Some(newer), Some(because)) = (&pin.own.rather_than, &pin.own.because) {
        lines.push(format!("  rather than {newer}: {because}"));
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
    inputs(&pin.own.inputs, &mut lines);
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
        "rather_than": pin.and_then(|pin| pin.own.rather_than.clone()),
        "because": pin.and_then(|pin| pin.own.because.clone()),
        "way": way.iter().filter_map(|p| graph.pin(*p)).map(release).collect::<Vec<_>>(),
        "needed_by": needed,
        "inputs": pin.map(|pin| pin.own.inputs.clone()).unwrap_or_default(),
    })
}
