//! What could be changed so that there is a solution.

use pubgrub::External;

use super::fact::{Teller, some_of};
use super::obstacle::Obstacle;
use super::{Fact, quoted};
use crate::event::Observer;
use crate::python::{TargetSet, Targets, VersionSpecifiers, Wanted};
use crate::resolve::project::Line;
use crate::resolve::universe::Universe;
use crate::resolve::{Input, Prerelease, attempt};

/// So many of the user's lines are tried without.
const MAX_TRIED: usize = 4;
/// So many versions may turn out to be impossible in each such trial.
const PATIENCE: u32 = 40;

/// Hints about releases that exist but are no candidates.
pub(super) fn about_releases(teller: &Teller, facts: &[&Fact]) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for fact in facts {
        let found = match fact {
            External::NoVersions(node, range) => {
                let Some(id) = node.project() else { continue };
                let project = teller.universe.by_id(id);
                let Some(source) = project.known_source() else {
                    continue;
                };
                if teller.universe.rival(&project.name).is_some() {
                    let name = &project.name;
                    hints.push(format!(
                        "{name} can come from one place only: choose it in a file of overrides (`--override FILE`), or lock each system on its own with `--system` if the places are for different ones"
                    ));
                    continue;
                }
                if !teller.is_stuck(&project, source) {
                    continue;
                }
                let all = teller.obstacles(&project, source, range);
                let of = |wanted: fn(&Obstacle) -> bool| {
                    let points: Vec<_> = all
                        .iter()
                        .filter(|(_, o)| wanted(o))
                        .map(|(p, _)| p)
                        .collect();
                    (!points.is_empty()).then(|| (points[0].clone(), some_of(&points)))
                };
                let name = &project.name;
                let mut found = Vec::new();
                if let Some((newest, some)) = of(|o| *o == Obstacle::Prerelease) {
                    let way_out = match teller.universe.input.policy.prerelease {
                        Prerelease::Explicit => format!(
                            "admit them with `--prerelease allow`, or name one in a requirement of yours: `{name}>={newest}`"
                        ),
                        _ => "admit them with `--prerelease if-necessary`".to_owned(),
                    };
                    found.push(format!("{name} has pre-releases there ({some}); {way_out}"));
                }
                if let Some((newest, _)) = of(|o| *o == Obstacle::Yanked) {
                    let because = match teller.yanked_because(source, &newest) {
                        Some(reason) => format!(" ({reason})"),
                        None => String::new(),
                    };
                    found.push(format!(
                        "{name} {newest} is yanked{because}; only `{name}=={newest}` among your own requirements would use it all the same"
                    ));
                }
                if let Some((newest, _)) = of(|o| matches!(o, Obstacle::Python(_))) {
                    found.push(format!(
                        "{name} {newest} needs another Python than {}; choose one with `--python`",
                        teller.universe.input.targets.python
                    ));
                }
                if let Some((newest, _)) = of(|o| matches!(o, Obstacle::Platform(_))) {
                    let tags = teller.tags(&project, source, &newest);
                    let way_out = teller.way_to_wheels(&project, source, &newest);
                    found.push(format!(
                        "the wheels of {name} {newest} are for {}; {way_out}",
                        tags.join(", ")
                    ));
                }
                found
            }
            External::Custom(node, range, why) => why
                .way_out(&teller.those(*node, range))
                .into_iter()
                .collect(),
            External::FromDependencyOf(..) | External::NotRoot(..) => continue,
        };
        for hint in found {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
    }
    hints
}

/// Which of the user's lines could be relaxed: each is tried without its version.
pub(super) fn about_lines(
    universe: &Universe,
    targets: TargetSet,
    lines: &[Line],
    observer: &dyn Observer,
) -> Vec<String> {
    if lines.len() > MAX_TRIED {
        return Vec::new();
    }
    let hints = lines.iter().filter_map(|&line| {
        let input = relaxed(universe.input, targets, line)?;
        let requirement = universe.requirement(line, None)?;
        let name = &requirement.name;
        // What another place holds would have to be fetched first.
        if universe.rival(name).is_some() {
            return None;
        }
        let found = attempt(universe, &input, observer, PATIENCE)?;
        let with = match found.versions.get(name) {
            Some(version) => format!(" ({name} {version})"),
            None => String::new(),
        };
        let quoted = quoted(universe, line);
        // What was not asked for yet may hold the next conflict.
        Some(match (line, found.assumed) {
            (Line::Constraint(_), false) => {
                format!("without the constraint {quoted} there is a solution{with}")
            }
            (Line::Constraint(_), true) => {
                format!("without the constraint {quoted} this conflict would be gone{with}")
            }
            (_, assumed) if requirement.specifiers().is_none() => {
                let then = if assumed {
                    "this conflict would be gone"
                } else {
                    "there would be a solution"
                };
                format!("if {quoted} named no place, {then}{with}")
            }
            (_, false) => {
                format!("if {quoted} allowed other versions, there would be a solution{with}")
            }
            (_, true) => {
                format!("if {quoted} allowed other versions, this conflict would be gone{with}")
            }
        })
    });
    hints.collect()
}

/// The question without one line's limits, for the targets that failed.
fn relaxed(input: &Input, targets: TargetSet, line: Line) -> Option<Input> {
    let mut input = input.clone();
    let systems: Vec<_> = input.targets.systems(targets).collect();
    input.targets = Targets::new(input.targets.python.clone(), &systems);
    let free = |wanted: &mut Wanted| match wanted {
        Wanted::Versions(specifiers) if specifiers.is_empty() => None,
        wanted => {
            *wanted = Wanted::Versions(VersionSpecifiers::empty());
            Some(())
        }
    };
    match line {
        Line::Requirement(position) => free(&mut input.requirements.get_mut(position)?.wanted)?,
        Line::Override(position) => free(&mut input.overrides.get_mut(position)?.wanted)?,
        Line::Constraint(position) if position < input.constraints.len() => {
            input.constraints.remove(position);
        }
        Line::Constraint(_) | Line::Metadata(_) => return None,
    }
    Some(input)
}
