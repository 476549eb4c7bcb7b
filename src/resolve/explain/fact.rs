//! Facts and steps of a proof in words.

use std::collections::{BTreeMap, BTreeSet};

use pubgrub::{External, Term};

use super::obstacle::Obstacle;
use super::proof::Step;
use super::{Fact, quoted};
use crate::python::TargetSet;
use crate::python::range::{Point, Range, describe};
use crate::resolve::Unusable;
use crate::resolve::node::{Facet, Node, ProjectId};
use crate::resolve::project::{Known, Line, Need, Project, Source, show};
use crate::resolve::universe::Universe;

/// At most so many clauses make one sentence; more are listed.
const MAX_CLAUSES: usize = 3;
/// More than so many needs of one project on another are told by example.
const MAX_ALIKE: usize = 3;
/// At most so many clauses are listed.
const MAX_LISTED: usize = 24;

/// Says facts in words.
pub(super) struct Teller<'u, 'a> {
    pub universe: &'u Universe<'a>,
    pub targets: TargetSet,
    /// The ranges that something in the proof needs of a project.
    needed: BTreeMap<ProjectId, Vec<Range>>,
}

/// A clause, and what it is about, so that clauses can be put in order.
struct Clause {
    from: Option<ProjectId>,
    to: ProjectId,
    /// The user's line that says it.
    line: Option<Line>,
    text: String,
}

impl<'u, 'a> Teller<'u, 'a> {
    pub fn new(universe: &'u Universe<'a>, targets: TargetSet, facts: &[&Fact]) -> Self {
        let mut needed: BTreeMap<ProjectId, Vec<Range>> = BTreeMap::new();
        for fact in facts {
            if let External::FromDependencyOf(from, _, to, range) = fact
                && let Some(project) = to.project()
                && from.project() != Some(project)
            {
                needed.entry(project).or_default().push(range.clone());
            }
        }
        Self {
            universe,
            targets,
            needed,
        }
    }

    /// A step as one sentence, or as a list.
    pub fn sentence(&self, steps: &[Step], number: usize) -> String {
        let Some(step) = steps.get(number) else {
            return String::new();
        };
        let mut clauses = self.clauses(&step.facts);
        let on = self.systems_clause();
        let conclusion = match step.conclusion {
            Some(terms) => self.conclusion(terms),
            None => format!("there is no solution{on}"),
        };
        for &earlier in &step.from {
            if earlier + 1 != number
                && let Some(terms) = steps.get(earlier).and_then(|step| step.conclusion)
            {
                clauses.push(self.conclusion(terms));
            }
        }
        let follows = step.from.iter().any(|&earlier| earlier + 1 == number);
        let because = if follows { "And because" } else { "Because" };
        if clauses.is_empty() {
            return if follows {
                format!("So {conclusion}.")
            } else {
                format!("{}.", capital(&conclusion))
            };
        }
        if clauses.len() <= MAX_CLAUSES {
            return format!("{because} {}, {conclusion}.", enumerate(&clauses, "and"));
        }
        let more = clauses.len().saturating_sub(MAX_LISTED);
        clauses.truncate(MAX_LISTED);
        let mut text = format!("{because}\n");
        for clause in &clauses {
            text.push_str(&format!("  - {clause}\n"));
        }
        if more > 0 {
            text.push_str(&format!("  - and {more} more\n"));
        }
        text.push_str(&format!("{conclusion}."));
        text
    }

    /// The systems, where there is an answer for others.
    fn systems_clause(&self) -> String {
        let targets = &self.universe.input.targets;
        if self.targets == targets.all() && targets.environments.len() > 1 {
            return String::new();
        }
        let names: Vec<&str> = targets.systems(self.targets).map(|s| s.name()).collect();
        format!(" for {}", names.join(", "))
    }

    /// The user's lines that facts come from, in the user's order.
    pub fn lines(&self, facts: &[&Fact]) -> Vec<Line> {
        let mut lines = BTreeSet::new();
        for fact in facts {
            if let External::FromDependencyOf(from, from_range, to, range) = fact {
                let found = self.lines_of(*from, from_range, *to, range);
                lines.extend(
                    found
                        .into_iter()
                        .filter(|l| !matches!(l, Line::Metadata(_))),
                );
            }
        }
        lines.into_iter().collect()
    }

    fn clauses(&self, facts: &[&Fact]) -> Vec<String> {
        let mut clauses: Vec<Clause> = Vec::new();
        let mut merged: Vec<(Node, Range, Node, &Range)> = Vec::new();
        for fact in facts {
            match fact {
                External::NotRoot(..) => {}
                External::FromDependencyOf(from, from_range, to, range) => {
                    if from.project() == to.project() {
                        continue;
                    }
                    let known = merged
                        .iter_mut()
                        .find(|(f, _, t, r)| same(f, from) && same(t, to) && *r == range);
                    match known {
                        Some((_, all, _, _)) => *all = all.union(from_range),
                        None => merged.push((*from, from_range.clone(), *to, range)),
                    }
                }
                External::NoVersions(node, range) => {
                    if let Some(text) = self.absence(*node, range)
                        && let Some(to) = node.project()
                    {
                        clauses.push(Clause {
                            from: Some(to),
                            to,
                            line: None,
                            text,
                        });
                    }
                }
                External::Custom(node, range, why) => {
                    let text = format!("{} cannot be used: {why}", self.those(*node, range));
                    if let Some(to) = node.project() {
                        clauses.push(Clause {
                            from: Some(to),
                            to,
                            line: None,
                            text,
                        });
                    }
                }
            }
        }
        let mut told: Vec<(Node, Node)> = Vec::new();
        for (from, from_range, to, range) in &merged {
            let alike = |(f, _, t, _): &&(Node, Range, Node, &Range)| same(f, from) && same(t, to);
            let count = merged.iter().filter(alike).count();
            let is_told = told.iter().any(|(f, t)| same(f, from) && same(t, to));
            if count > MAX_ALIKE && is_told {
                continue;
            }
            told.push((*from, *to));
            for (line, mut text) in self.dependency(*from, from_range, *to, range) {
                if count > MAX_ALIKE && line.is_none() {
                    let (from, to) = (self.label(*from), self.label(*to));
                    text.push_str(&format!(
                        ", and {} others of {from} need others of {to}",
                        count - 1
                    ));
                }
                if let Some(to) = to.project() {
                    clauses.push(Clause {
                        from: from.project(),
                        to,
                        line,
                        text,
                    });
                }
            }
        }
        clauses.sort_by_key(|clause| (clause.line.is_none(), clause.line));
        in_order(clauses)
    }

    /// Who needs what; several clauses where several of the user's lines say the same.
    fn dependency(
        &self,
        from: Node,
        from_range: &Range,
        to: Node,
        range: &Range,
    ) -> Vec<(Option<Line>, String)> {
        let lines = self.lines_of(from, from_range, to, range);
        let own = lines.iter().filter_map(|&line| {
            let says = match line {
                Line::Requirement(_) => "your project needs",
                Line::Constraint(_) => "there is the constraint",
                Line::Override(_) => "there is the override",
                Line::Metadata(_) => return None,
            };
            Some((
                Some(line),
                format!("{says} {}", quoted(self.universe, line)),
            ))
        });
        let mut texts: Vec<_> = own.collect();
        if texts.is_empty() {
            let needs = self.needed(to, range);
            let text = format!("{} needs {needs}", self.those(from, from_range));
            texts.push((None, text));
        }
        texts
    }

    /// The lines behind a dependency: the user's own, and that there is one in metadata.
    fn lines_of(&self, from: Node, from_range: &Range, to: Node, range: &Range) -> Vec<Line> {
        let Some(to_project) = to.project() else {
            return Vec::new();
        };
        let needs = needs_of(self.universe, from, from_range);
        let mut lines: Vec<Line> = needs
            .iter()
            .filter(|need| {
                need.to == to_project
                    && need.range == *range
                    && !need.targets.and(self.targets).is_empty()
            })
            .map(|need| need.line)
            .collect();
        lines.sort();
        lines.dedup();
        if lines.iter().any(|l| matches!(l, Line::Metadata(_))) {
            lines.retain(|l| matches!(l, Line::Metadata(_)));
        }
        lines
    }

    /// Why there is no candidate in a range; none where that says nothing new.
    fn absence(&self, node: Node, range: &Range) -> Option<String> {
        let project = self.universe.by_id(node.project()?);
        let source = project.known_source()?;
        if source.is_unknown() {
            return Some(format!("no index has a project named {}", project.name));
        }
        if let Some(direct) = &source.direct {
            if let Some(rival) = self.universe.rival(&project.name) {
                return Some(format!(
                    "{} would come from two places, {} and {}",
                    project.name,
                    show(direct),
                    show(&rival)
                ));
            }
            let only = source.releases.first()?;
            if range.contains(&only.point) && !self.serves(&project, source, only) {
                let served = self.universe.serving(&project, source, only).targets;
                return Some(format!(
                    "{} comes from {}, a wheel that is not for {}",
                    project.name,
                    show(direct),
                    self.interpreter_on(self.targets.without(served))
                ));
            }
            let version = source.releases.first().map(|r| r.point.to_string());
            return Some(format!(
                "{} comes from {}, which has version {}",
                project.name,
                show(direct),
                version.unwrap_or_default()
            ));
        }
        let stuck = self.is_stuck(&project, source);
        let mut reasons = self.obstacles(&project, source, range);
        if !stuck {
            reasons.retain(|(_, obstacle)| *obstacle != Obstacle::Prerelease);
        }
        let wanted = format!("{}{}", project.name, describe(range));
        if reasons.is_empty() {
            let newest = source.releases.iter().rev().map(|r| r.point.version());
            let newest = newest
                .clone()
                .find(|v| !v.any_prerelease())
                .or_else(|| newest.clone().next());
            return match (stuck, newest) {
                (false, _) => None,
                (true, Some(newest)) => Some(format!(
                    "there is no release {wanted} (the newest is {newest})"
                )),
                (true, None) => Some(format!("{} has no releases", project.name)),
            };
        }
        Some(self.obstacle_text(&project, &reasons))
    }

    /// Whether something needs a range of a project in which there is no candidate at all.
    pub fn is_stuck(&self, project: &Project, source: &Source) -> bool {
        let usable = |known: &Known| source.admits(known) && self.serves(project, source, known);
        self.needed.get(&project.id).is_some_and(|ranges| {
            ranges.iter().any(|range| {
                !source
                    .releases
                    .iter()
                    .any(|known| range.contains(&known.point) && usable(known))
            })
        })
    }

    pub fn serves(&self, project: &Project, source: &Source, known: &Known) -> bool {
        let serving = self.universe.serving(project, source, known).targets;
        serving.contains(self.targets)
    }

    fn conclusion(&self, terms: &pubgrub::Map<Node, Term<Range>>) -> String {
        let mut with = BTreeSet::new();
        let mut without = BTreeSet::new();
        for (node, term) in terms {
            if *node == Node::Root {
                continue;
            }
            match term {
                Term::Positive(range) => with.insert(self.those(*node, range)),
                Term::Negative(range) => without.insert(self.needed(*node, range)),
            };
        }
        let with: Vec<String> = with.into_iter().collect();
        let without: Vec<String> = without.into_iter().collect();
        match (with.as_slice(), without.as_slice()) {
            ([], []) => "there is no solution".to_owned(),
            ([], some) => format!("your project needs {}", enumerate(some, "or")),
            ([one], []) => format!("{one} cannot be used"),
            (several, []) => format!("{} exclude each other", enumerate(several, "and")),
            ([one], some) => format!("{one} needs {}", enumerate(some, "or")),
            (several, some) => format!(
                "{} together need {}",
                enumerate(several, "and"),
                enumerate(some, "or")
            ),
        }
    }

    /// Some releases of a project, in terms of those that exist.
    pub fn those(&self, node: Node, range: &Range) -> String {
        let Node::Part(id, _) = node else {
            return "your project".to_owned();
        };
        let label = self.label(node);
        let project = self.universe.by_id(id);
        let points: Vec<&Point> = match project.known_source() {
            Some(source) => source.releases.iter().map(|r| &r.point).collect(),
            None => Vec::new(),
        };
        match among(&points, range) {
            Some(text) if text.is_empty() => format!("every release of {label}"),
            Some(text) => format!("{label}{text}"),
            None => format!("{label}{}", describe(range)),
        }
    }

    /// A requirement on a project, as it is written.
    fn needed(&self, node: Node, range: &Range) -> String {
        format!("{}{}", self.label(node), describe(range))
    }

    fn label(&self, node: Node) -> String {
        let Node::Part(id, facet) = node else {
            return "your project".to_owned();
        };
        let project = self.universe.by_id(id);
        match facet {
            Facet::Extra(extra, _) => {
                format!("{}[{}]", project.name, self.universe.extra_name(extra))
            }
            Facet::Base(_) | Facet::Version => project.name.to_string(),
        }
    }
}

/// What the user, or the releases in a range that were tried, need.
pub(super) fn needs_of(universe: &Universe, from: Node, range: &Range) -> Vec<Need> {
    let Node::Part(id, facet) = from else {
        return universe.root_needs();
    };
    let project = universe.by_id(id);
    let Some(source) = project.known_source() else {
        return Vec::new();
    };
    let extra = match facet {
        Facet::Extra(extra, _) => Some(extra),
        Facet::Base(_) | Facet::Version => None,
    };
    let releases = source.releases.iter();
    let tried = releases.filter(|r| range.contains(&r.point));
    let needs = tried.filter_map(|known| known.known_needs(extra));
    needs.flat_map(|needs| needs.to_vec()).collect()
}

/// A range in terms of the releases that exist, ascending: empty where it has them all, none where
/// it has none of them.
fn among(points: &[&Point], range: &Range) -> Option<String> {
    let last = points.len().checked_sub(1)?;
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (position, point) in points.iter().enumerate() {
        if !range.contains(*point) {
            continue;
        }
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == position => *end = position,
            _ => runs.push((position, position)),
        }
    }
    let texts: Vec<String> = runs
        .iter()
        .take(MAX_CLAUSES)
        .map(|&(start, end)| {
            let (from, to) = (points.get(start), points.get(end));
            let show = |point: Option<&&Point>| point.map_or(String::new(), |p| p.to_string());
            match (start == 0, end == last) {
                (true, true) if last > 0 => String::new(),
                _ if start == end => format!("=={}", show(from)),
                (true, _) => format!("<={}", show(to)),
                (_, true) => format!(">={}", show(from)),
                _ => format!(">={},<={}", show(from), show(to)),
            }
        })
        .collect();
    match runs.len() {
        0 => None,
        n if n > MAX_CLAUSES => Some(format!("{} and others", texts.join(" or "))),
        _ => Some(texts.join(" or ")),
    }
}

/// Whether two nodes read the same.
fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::Part(a, Facet::Extra(x, _)), Node::Part(b, Facet::Extra(y, _))) => a == b && x == y,
        (Node::Part(_, Facet::Extra(..)), _) | (_, Node::Part(_, Facet::Extra(..))) => false,
        _ => a.project() == b.project(),
    }
}

/// Clauses in the order in which they lead from the user's lines to the conflict, each once.
fn in_order(mut clauses: Vec<Clause>) -> Vec<String> {
    let mut reached: Vec<Option<ProjectId>> = vec![None];
    let mut texts: Vec<String> = Vec::new();
    while !clauses.is_empty() {
        let next = reached
            .iter()
            .find_map(|from| clauses.iter().position(|clause| clause.from == *from))
            .unwrap_or(0);
        let clause = clauses.remove(next);
        if !reached.contains(&Some(clause.to)) {
            reached.push(Some(clause.to));
        }
        if !texts.contains(&clause.text) {
            texts.push(clause.text);
        }
    }
    texts
}

/// `3.0`, `3.0 and 2.0`, `3.0 and 7 older ones`.
pub(super) fn some_of(points: &[&Point]) -> String {
    match points {
        [] => String::new(),
        [one] => one.to_string(),
        [one, two] => format!("{one} and {two}"),
        [first, rest @ ..] => format!("{first} and {} others", rest.len()),
    }
}

/// `a, b and c`.
pub(super) fn enumerate(texts: &[String], word: &str) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {word} {last}", rest.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

impl Unusable {
    /// What can be done about it.
    pub(super) fn way_out(&self, release: &str) -> Option<String> {
        match self {
            Unusable::Metadata(_) => {
                let (name, version) = release.split_once("==").unwrap_or((release, "VERSION"));
                Some(format!(
                    "require another release of {name}, state what {release} requires in pyproject.toml \
                     ([tool.pyresolve.metadata.\"{name}=={version}\"] requires = […]), or let its build code \
                     tell it in a sandbox: `--allow-build {name}`"
                ))
            }
            Unusable::Address(requirement) => Some(format!(
                "add `{requirement}` to your own requirements to accept its address"
            )),
            Unusable::Python(_) => Some(format!(
                "{release} needs another Python; choose one with `--python`"
            )),
            Unusable::Elsewhere { .. } => {
                Some("choose the place in a file of overrides (`--override FILE`)".to_owned())
            }
            Unusable::Itself | Unusable::Gone => None,
        }
    }
}
