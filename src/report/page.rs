//! The page as a whole: the template, filled.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::html::{escape, fill};
use super::{Kind, Page, graph, project, table};
use crate::python::Sha256;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page's text.
pub fn render(page: &Page) -> String {
    let anchors = anchors(page);
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        Sha256::of(STYLE.as_bytes()).sri(),
        Sha256::of(SCRIPT.as_bytes()).sri()
    );
    fill(
        TEMPLATE,
        &[
            ("policy", &policy),
            ("style", STYLE),
            ("script", SCRIPT),
            ("title", &escape(&page.title)),
            ("facts", &facts(page)),
            ("shares", &shares(page)),
            ("kinds", &kinds(page)),
            ("flags", &flags(page)),
            ("askers", &askers(page)),
            ("warnings", &warnings(page)),
            ("count", &page.projects.len().to_string()),
            ("graph", &graph::graph(page, &anchors)),
            ("rows", &table::rows(page, &anchors)),
            ("projects", &project::sections(page, &anchors)),
        ],
    )
}

/// What the sections are called in addresses. Names are of letters, digits, `-`, `_` and `.`; a
/// project's second pin gets a number, and so does whatever else would not be one of its own.
fn anchors(page: &Page) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let anchors = page.projects.iter().map(|project| {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        };
        let name: String = project.name.chars().map(plain).collect();
        let times = seen.entry(name.clone()).or_insert(0);
        *times += 1;
        match *times {
            1 => format!("p-{name}"),
            // A name does not have `--`, normalised.
            times => format!("p-{name}--{times}"),
        }
    });
    anchors.collect()
}

fn facts(page: &Page) -> String {
    let facts = page.facts.iter().map(|(label, text)| {
        format!(
            "<div><dt>{}</dt><dd>{}</dd></div>\n",
            escape(label),
            escape(text)
        )
    });
    facts.collect()
}

fn counted(page: &Page) -> Vec<(Kind, usize)> {
    let count = |kind: Kind| page.projects.iter().filter(|p| p.kind == kind).count();
    let all = Kind::ALL.into_iter().map(|kind| (kind, count(kind)));
    all.filter(|(_, count)| *count > 0).collect()
}

/// The bar at the top: how much of each kind.
fn shares(page: &Page) -> String {
    let mut out = String::new();
    let mut at = 0.0;
    let all = page.projects.len().max(1) as f64;
    for (kind, count) in counted(page) {
        let width = count as f64 * 1000.0 / all;
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "<rect class=\"k-{}\" x=\"{at:.1}\" width=\"{:.1}\" height=\"8\"><title>{count} {}</title></rect>",
            kind.word(),
            (width - 2.0).max(1.0),
            kind.label()
        );
        at += width;
    }
    out
}

fn kinds(page: &Page) -> String {
    let chips = counted(page).into_iter().map(|(kind, count)| {
        format!(
            "<label class=\"chip k-{word}\"><input type=\"checkbox\" name=\"kind\" value=\"{word}\" checked>\
             <i class=\"dot k-{word}\"></i>{label} <b>{count}</b></label>\n",
            word = kind.word(),
            label = kind.label()
        )
    });
    chips.collect()
}

/// Filters for what is said of some projects only.
fn flags(page: &Page) -> String {
    let count = |ask: fn(&super::Project) -> bool| page.projects.iter().filter(|p| ask(p)).count();
    let flags = [
        ("direct", "asked for by you", count(|p| p.direct)),
        ("rebuilt", "built again", count(|p| p.rebuilt)),
        ("build", "only for builds", count(|p| p.for_build)),
    ];
    let chips = flags.into_iter().filter(|(.., count)| *count > 0);
    let chips = chips.map(|(word, label, count)| {
        format!(
            "<label class=\"chip\"><input type=\"checkbox\" name=\"flag\" value=\"{word}\">{label} <b>{count}</b></label>\n"
        )
    });
    chips.collect()
}

/// Everybody who needs something.
fn askers(page: &Page) -> String {
    let mut names: Vec<(usize, &str)> = page
        .projects
        .iter()
        .enumerate()
        .filter(|(_, project)| !project.needs.is_empty())
        .map(|(index, project)| (index, project.name.as_str()))
        .collect();
    names.sort_by_key(|(index, name)| (name.to_lowercase(), *index));
    let options = names
        .iter()
        .map(|(index, name)| format!("<option value=\"{index}\">{}</option>\n", escape(name)));
    options.collect()
}

fn warnings(page: &Page) -> String {
    if page.warnings.is_empty() {
        return String::new();
    }
    let items: String = page
        .warnings
        .iter()
        .map(|text| format!("<li>{}</li>\n", escape(text)))
        .collect();
    format!(
        "<details class=\"warnings\"><summary>{} {}</summary>\n<ul>\n{items}</ul></details>\n",
        page.warnings.len(),
        if page.warnings.len() == 1 {
            "warning"
        } else {
            "warnings"
        }
    )
}
