//! Dependency groups (PEP 735), with `include-group` resolved.

use std::collections::BTreeMap;

use crate::problem::{Code, Origin};
use crate::project::reading::Reading;
use crate::project::table::{Document, Node};
use crate::python::Requirement;

/// Groups that one group may include, directly and indirectly, before we call it a mistake.
const MAX_DEPTH: usize = 64;
/// Requirements and includes that are followed in all: includes can double at each step.
const MAX_STEPS: usize = 100_000;

/// `[dependency-groups]` by normalised name.
pub(super) fn read(
    reading: &mut Reading<'_>,
    document: &Document<'_>,
) -> BTreeMap<String, Vec<Requirement>> {
    let Some(table) = document.at(&["dependency-groups"]) else {
        return BTreeMap::new();
    };
    let mut groups: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (key, node) in table.entries() {
        let items = items(reading, node);
        if groups.insert(normalised(key.text), items).is_some() {
            reading.error(
                Code::Disagreement,
                format!(
                    "the group `{}` is there twice, spelled differently",
                    key.text
                ),
                Some(key.origin()),
            );
        }
    }
    let mut walk = Walk {
        groups: &groups,
        steps: 0,
        path: Vec::new(),
    };
    let mut resolved = BTreeMap::new();
    for name in groups.keys() {
        let mut list = Vec::new();
        walk.path.push(name.clone());
        walk.include(reading, name, &mut list);
        walk.path.pop();
        resolved.insert(name.clone(), list);
    }
    if walk.steps > MAX_STEPS {
        let what = format!("the groups include each other more than {MAX_STEPS} times");
        reading.error(Code::InvalidRequirement, what, Some(table.origin()));
    }
    resolved
}

/// A group's name, as PEP 503 normalises names.
pub(crate) fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if !matches!(c, '-' | '_' | '.') {
            normal.extend(c.to_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

enum Item {
    Requirement(Requirement),
    Include(String, Origin),
}

fn items(reading: &mut Reading<'_>, node: Node<'_>) -> Vec<Item> {
    let Some(elements) = node.elements() else {
        let what = format!("a group is an array of requirements, not {}", node.kind());
        reading.error(Code::InvalidRequirement, what, Some(node.origin()));
        return Vec::new();
    };
    let mut items = Vec::new();
    for element in elements {
        if let Some(text) = element.text() {
            let requirement = reading.requirement(text, Some(&element.origin()));
            items.extend(requirement.map(Item::Requirement));
        } else if let Some(included) = element.get("include-group").and_then(Node::text) {
            items.push(Item::Include(normalised(included), element.origin()));
        } else {
            let what = "a requirement or `{include-group = …}` is expected here";
            reading.error(Code::InvalidRequirement, what, Some(element.origin()));
        }
    }
    items
}

struct Walk<'a> {
    groups: &'a BTreeMap<String, Vec<Item>>,
    steps: usize,
    path: Vec<String>,
}

impl Walk<'_> {
    fn include(&mut self, reading: &mut Reading<'_>, name: &str, list: &mut Vec<Requirement>) {
        for item in self.groups.get(name).map(Vec::as_slice).unwrap_or_default() {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return;
            }
            match item {
                Item::Requirement(requirement) => list.push(requirement.clone()),
                Item::Include(other, origin) => {
                    if self.path.contains(other) || self.path.len() > MAX_DEPTH {
                        let what = format!("the group `{other}` includes itself");
                        note_once(reading, what, origin);
                    } else if !self.groups.contains_key(other) {
                        note_once(reading, format!("there is no group `{other}`"), origin);
                    } else {
                        self.path.push(other.clone());
                        self.include(reading, other, list);
                        self.path.pop();
                    }
                }
            }
        }
    }
}

/// An include is followed once for each group that leads to it.
fn note_once(reading: &mut Reading<'_>, what: String, origin: &Origin) {
    let known = reading
        .problems
        .iter()
        .any(|p| p.what == what && p.origin.as_ref() == Some(origin));
    if !known {
        reading.error(Code::MissingFile, what, Some(origin.clone()));
    }
}
