//! Build tools that stand beside nixpkgs' own, and the other tools of the same builds.
//!
//! An entry whose build asks for a newer tool than nixpkgs has (`hatchling`) gets that one for its build
//! only. Where another tool of that build brings nixpkgs' own along (`hatch-vcs`), the build would see
//! both. So that other tool is called with the newer one in its place, for those builds only, and so
//! is what leads to it.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;
use super::closure::{Graph, Made};
use super::derivation::{Definition, Variant};
use super::proof;
use super::set::Set;
use crate::python::PackageName;

/// A copy of one of nixpkgs' packages with other inputs, by its attribute.
type Copies = BTreeMap<String, Entry>;

/// Lets the builds of entries see one derivation of each tool.
pub(super) fn fit(set: &Set<'_>, entries: &mut Vec<Entry>) {
    if set.tools().next().is_none() {
        return;
    }
    let mut copies = Copies::new();
    for target in proof::targets(set) {
        let graph = Graph::written(set, target, entries);
        let builders: Vec<(usize, Made)> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (index, Made::Entry(entry.attr.clone())))
            .filter(|(_, made)| graph.entries().any(|own| own == *made))
            .collect();
        for (index, builder) in builders {
            let renamed = renamed(set, &graph, &builder, &mut copies);
            if let Some(entry) = entries.get_mut(index).filter(|_| !renamed.is_empty()) {
                rename(entry, &renamed);
            }
        }
    }
    let known: BTreeSet<String> = entries.iter().map(|entry| entry.attr.clone()).collect();
    entries.extend(copies.into_values().filter(|c| !known.contains(&c.attr)));
    entries.sort_by(|a, b| a.attr.cmp(&b.attr));
}

/// The attributes that a build must name in place of others.
fn renamed(
    set: &Set<'_>,
    graph: &Graph<'_>,
    builder: &Made,
    copies: &mut Copies,
) -> BTreeMap<String, String> {
    let mut renamed = BTreeMap::new();
    let builds = graph.builds(builder);
    for tool in set.tools() {
        let newer = set.tool_attr(tool);
        let Some(own) = set.attr(&tool.pin.name).map(|attr| graph.made(&attr)) else {
            continue;
        };
        let closure = graph.closure(builds.iter().cloned());
        if !closure.contains_key(&graph.made(&newer)) || !closure.contains_key(&own) {
            continue;
        }
        let leads_there = |made: &Made| {
            let is_recipe = matches!(made, Made::Recipe(_)) && *made != own;
            is_recipe && graph.closure([made.attr().to_owned()]).contains_key(&own)
        };
        let through: BTreeSet<Made> = closure.into_keys().filter(leads_there).collect();
        let copy = |made: &Made| format!("{}_{newer}", made.attr());
        for made in &through {
            let mut inputs = BTreeMap::new();
            for need in graph.needs(made) {
                let needed = graph.made(&need);
                if needed == own {
                    inputs.insert(need, newer.clone());
                } else if through.contains(&needed) {
                    inputs.insert(need, copy(&needed));
                }
            }
            let entry = copied(graph, made, &copy(made), &tool.pin.name, inputs);
            copies.insert(copy(made), entry);
        }
        for attr in &builds {
            let made = graph.made(attr);
            if made == own {
                renamed.insert(attr.clone(), newer.clone());
            } else if through.contains(&made) {
                renamed.insert(attr.clone(), copy(&made));
            }
        }
    }
    renamed
}

fn copied(
    graph: &Graph<'_>,
    made: &Made,
    attr: &str,
    tool: &PackageName,
    inputs: BTreeMap<String, String>,
) -> Entry {
    Entry {
        attr: attr.to_owned(),
        project: graph.project(made).unwrap_or(tool).clone(),
        comments: vec![format!(
            "for those builds only that need the newer {tool}: they must not see nixpkgs' own too"
        )],
        variants: vec![Variant {
            condition: None,
            definition: Definition::With(made.attr().to_owned(), inputs),
        }],
    }
}

fn rename(entry: &mut Entry, renamed: &BTreeMap<String, String>) {
    for variant in &mut entry.variants {
        if let Definition::New(d) | Definition::Override(_, d) = &mut variant.definition {
            for needed in &mut d.build_system {
                if let Some(attr) = renamed.get(&needed.attr) {
                    needed.attr.clone_from(attr);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nixpkgs::facts::{AttributeFacts, Need};
    use crate::plan::PlanError;
    use crate::plan::fixture::Fixture;

    /// nixpkgs has tool 1.0, and helper, which brings the tool along.
    fn fixture(ours: &[&str]) -> Fixture {
        let module = |needs: &[&str]| AttributeFacts {
            dependencies: Some(needs.iter().map(|n| Need::new(n)).collect()),
            build_system: Some(Vec::new()),
            ..AttributeFacts::default()
        };
        let fixture = Fixture::new()
            .tree(&[
                ("tool", "tool", "1.0", module(&[])),
                ("helper", "helper", "1.0", module(&["tool"])),
                ("further", "further", "1.0", module(&["helper"])),
                ("setuptools", "setuptools", "80.0", module(&[])),
            ])
            .root("ours");
        let fixture = fixture.pin("ours", "1.0", ours);
        let fixture = fixture.facts("ours", |facts| {
            facts.build_requires = vec!["tool>=2".to_owned(), "further".to_owned()];
        });
        fixture.build_pin("tool", "2.0", &[])
    }

    #[test]
    fn tools_of_one_build_share_the_newer_tool() {
        let plan = fixture(&[]).plan().unwrap();
        let entry = |attr: &str| plan.entries.iter().find(|e| e.attr == attr).unwrap();
        let with = |attr: &str| match &entry(attr).variants[0].definition {
            Definition::With(base, inputs) => format!("{base} {inputs:?}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(with("helper_tool_2_0"), "helper {\"tool\": \"tool_2_0\"}");
        assert_eq!(
            with("further_tool_2_0"),
            "further {\"helper\": \"helper_tool_2_0\"}"
        );
        let Definition::New(ours) = &entry("ours").variants[0].definition else {
            panic!("new");
        };
        let system: Vec<&str> = ours.build_system.iter().map(|n| n.attr.as_str()).collect();
        assert_eq!(system, ["further_tool_2_0", "tool_2_0"]);
    }

    /// What it needs to run is not for its build only.
    #[test]
    fn what_cannot_be_parted_is_an_error() {
        let fixture = fixture(&["helper"]).pin("helper", "1.0", &[]);
        let error = fixture.plan().unwrap_err();
        assert!(
            matches!(&error, PlanError::TwoOfOne { project, .. } if project == "helper"),
            "{error}"
        );
        let said = error.to_string();
        assert!(
            said.contains("further_tool_2_0 → helper_tool_2_0"),
            "{said}"
        );
    }
}
