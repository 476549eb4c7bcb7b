//! `pyresolve tree`: the lock as a tree, or as a graph for other programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::existing_lock;
use crate::cli::args::{self, TreeFormat};
use crate::cli::exit::{Exit, Failure};
use crate::cli::report::Report;
use crate::project::pylock::Locked;
use crate::project::pylock::graph::Graph;

/// Runs `pyresolve tree`.
///
/// # Errors
/// When there is no lock that can be read.
pub fn run(args: &args::Tree, report: &Report) -> Result<Exit, Failure> {
    let lock = existing_lock(&args.lock)?;
    let graph = Graph::new(&lock);
    let text = match args.format {
        _ if args.json => format!("{:#}\n", as_json(&graph, &lock.packages)),
        TreeFormat::Text => as_text(&graph, args.depth),
        TreeFormat::Dot => as_dot(&graph, &lock.packages),
        TreeFormat::Mermaid => as_mermaid(&graph, &lock.packages),
    };
    super::print(report, &text)
}

/// Who is on the way down, and what was shown already: a pin's needs are shown once.
struct Branches<'a> {
    graph: &'a Graph<'a>,
    depth: usize,
    shown: BTreeSet<usize>,
    out: String,
}

fn as_text(graph: &Graph<'_>, depth: Option<usize>) -> String {
    let mut branches = Branches {
        graph,
        depth: depth.unwrap_or(usize::MAX),
        shown: BTreeSet::new(),
        out: String::new(),
    };
    for root in graph.roots() {
        branches.line("", *root);
        branches.below("", *root, 1);
    }
    branches.out
}

impl Branches<'_> {
    /// A pin, marked where its needs were shown before.
    fn line(&mut self, before: &str, place: usize) {
        let Some(pin) = self.graph.pin(place) else {
            return;
        };
        let again = self.shown.contains(&place) && !self.graph.needs(place).is_empty();
        let mark = if again { " (*)" } else { "" };
        let condition = match &pin.marker {
            Some(marker) => format!(" ; {marker}"),
            None => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{before}{}{condition}{mark}", release(pin));
    }

    /// What a pin needs. A lock is not deeper than it has pins, as each is entered once.
    fn below(&mut self, before: &str, place: usize, level: usize) {
        if level > self.depth || !self.shown.insert(place) {
            return;
        }
        let needs = self.graph.needs(place);
        for (index, need) in needs.iter().enumerate() {
            let (branch, blank) = if index + 1 == needs.len() {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            self.line(&format!("{before}{branch}"), *need);
            self.below(&format!("{before}{blank}"), *need, level + 1);
        }
    }
}

fn release(pin: &Locked) -> String {
    match &pin.version {
        Some(version) => format!("{} {version}", pin.name),
        None => pin.name.to_string(),
    }
}

fn as_json(graph: &Graph<'_>, pins: &[Locked]) -> Value {
    let name = |place: &usize| graph.pin(*place).map(release);
    let all: Vec<Value> = pins
        .iter()
        .enumerate()
        .map(|(place, pin)| {
            json!({
                "name": pin.name.as_ref(),
                "version": pin.version.as_ref().map(ToString::to_string),
                "marker": pin.marker,
                "action": pin.own.action,
                "attribute": pin.own.attribute,
                "needs": graph.needs(place).iter().filter_map(name).collect::<Vec<_>>(),
            })
        })
        .collect();
    let roots: Vec<String> = graph.roots().iter().filter_map(name).collect();
    json!({ "roots": roots, "pins": all })
}

fn as_dot(graph: &Graph<'_>, pins: &[Locked]) -> String {
    let mut out = String::from("digraph lock {\n    rankdir = LR;\n    node [shape = box];\n");
    for (place, pin) in pins.iter().enumerate() {
        let _ = writeln!(out, "    n{place} [label = \"{}\"];", release(pin));
        for need in graph.needs(place) {
            let _ = writeln!(out, "    n{place} -> n{need};");
        }
    }
    out.push_str("}\n");
    out
}

fn as_mermaid(graph: &Graph<'_>, pins: &[Locked]) -> String {
    let mut out = String::from("graph LR\n");
    for (place, pin) in pins.iter().enumerate() {
        let _ = writeln!(out, "    n{place}[\"{}\"]", release(pin));
        for need in graph.needs(place) {
            let _ = writeln!(out, "    n{place} --> n{need}");
        }
    }
    out
}
