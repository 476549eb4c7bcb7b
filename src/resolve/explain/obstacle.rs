//! Why releases that exist are no candidates, in words, and what would make them serve.

use std::collections::BTreeSet;

use super::fact::{Teller, enumerate, some_of};
use crate::python::range::{Point, Range};
use crate::python::{Filename, TargetSet, Targets, Version, VersionSpecifiers};
use crate::resolve::candidate::{serves, suits_python};
use crate::resolve::input::Input;
use crate::resolve::project::{Known, Project, Source};

/// The minor versions of Python 3 that are tried for wheels.
const PYTHONS: std::ops::Range<u64> = 8..16;
/// No more characters of a reason that an index gives.
const MAX_REASON: usize = 120;
/// At most so many tags of wheels are named.
const MAX_TAGS: usize = 5;

/// Why a release that exists is no candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    Prerelease,
    Yanked,
    Python(VersionSpecifiers),
    OnlyBinary,
    NoBinary,
    /// There are wheels, but not for this interpreter on all of these systems.
    Platform(TargetSet),
}

impl Teller<'_, '_> {
    /// The releases in a range that are no candidates, newest first, and why.
    pub fn obstacles(
        &self,
        project: &Project,
        source: &Source,
        range: &Range,
    ) -> Vec<(Point, Obstacle)> {
        let in_range = source.releases.iter().rev();
        in_range
            .filter(|known| range.contains(&known.point))
            .filter_map(|known| {
                let obstacle = self.obstacle(project, source, known)?;
                Some((known.point.clone(), obstacle))
            })
            .collect()
    }

    fn obstacle(&self, project: &Project, source: &Source, known: &Known) -> Option<Obstacle> {
        if self.serves(project, source, known) {
            return (!source.admits(known)).then_some(Obstacle::Prerelease);
        }
        let universe = self.universe;
        let input = universe.input;
        let release = universe.release(source, known)?;
        let yanked = universe.allows_yanked(project, known.point.version());
        let mut files: Vec<_> = release.files().collect();
        files.retain(|file| yanked || file.yanked.is_none());
        if files.is_empty() {
            return Some(Obstacle::Yanked);
        }
        if !files.iter().any(|file| suits_python(file, input)) {
            let wanted = files.iter().find_map(|file| file.requires_python.clone());
            return wanted.map(Obstacle::Python);
        }
        files.retain(|file| suits_python(file, input));
        let served = files.iter().fold(TargetSet::NONE, |set, file| {
            set.or(serves(file, &project.name, input))
        });
        let has_sdist = release.sdist.is_some();
        if has_sdist && input.policy.only_binary.has(&project.name) {
            return Some(Obstacle::OnlyBinary);
        }
        if !has_sdist && input.policy.no_binary.has(&project.name) {
            return Some(Obstacle::NoBinary);
        }
        Some(Obstacle::Platform(self.targets.without(served)))
    }

    /// `Python 3.13 on x86_64-linux`.
    pub fn interpreter_on(&self, on: TargetSet) -> String {
        let targets = &self.universe.input.targets;
        let names: Vec<&str> = targets.systems(on).map(|s| s.name()).collect();
        format!("Python {} on {}", targets.python_minor(), names.join(", "))
    }

    /// Why a release was yanked, where its project says.
    pub fn yanked_because(&self, source: &Source, point: &Point) -> Option<String> {
        let release = self.universe.release(source, source.known(point)?)?;
        let mut reasons = release.files().filter_map(|file| file.yanked.as_deref());
        let reason = reasons.find(|reason| !reason.trim().is_empty())?;
        let plain = reason.split(|c: char| c.is_whitespace() || c.is_control());
        let plain: Vec<&str> = plain.filter(|word| !word.is_empty()).collect();
        Some(plain.join(" ").chars().take(MAX_REASON).collect())
    }

    /// What would make the wheels of a release serve: another Python, or fewer systems.
    pub fn way_to_wheels(&self, project: &Project, source: &Source, point: &Point) -> String {
        let input = self.universe.input;
        let release = source
            .known(point)
            .and_then(|known| self.universe.release(source, known));
        let served = |input: &Input| {
            let files = release.iter().flat_map(|release| &release.wheels);
            files.fold(TargetSet::NONE, |set, file| {
                set.or(serves(file, &project.name, input))
            })
        };
        let python = PYTHONS.rev().map(|minor| Version::new([3, minor]));
        let fits = |python: &Version| {
            let mut other = input.clone();
            let systems: Vec<_> = input.targets.systems(self.targets).collect();
            other.targets = Targets::new(python.clone(), &systems);
            served(&other).contains(other.targets.all())
        };
        if let Some(python) = python.into_iter().find(fits) {
            return format!("`--python {python}` has one");
        }
        let systems = input.targets.systems(served(input)).map(|s| s.name());
        let systems: Vec<&str> = systems.collect();
        if systems.is_empty() {
            let names = input.targets.systems(self.targets).map(|s| s.name());
            let names: Vec<&str> = names.collect();
            return format!("no Python has one on {}", names.join(", "));
        }
        format!(
            "name only the systems that have one with `--system`: {}",
            systems.join(", ")
        )
    }

    /// What the wheels of a release are for, by their tags; a few of them.
    pub fn tags(&self, project: &Project, source: &Source, point: &Point) -> Vec<String> {
        let release = source
            .known(point)
            .and_then(|known| self.universe.release(source, known));
        let wheels = release.into_iter().flat_map(|release| &release.wheels);
        let tags: BTreeSet<String> = wheels
            .filter(|file| !serves(file, &project.name, self.universe.input).contains(self.targets))
            .filter_map(|file| match &file.filename {
                Filename::Wheel(wheel) => {
                    let platform = wheel.platform.split('.').next().unwrap_or_default();
                    Some(format!("{}-{}-{platform}", wheel.python, wheel.abi))
                }
                Filename::Sdist(_) => None,
            })
            .collect();
        let more = tags.len().saturating_sub(MAX_TAGS);
        let mut tags: Vec<String> = tags.into_iter().take(MAX_TAGS).collect();
        if more > 0 {
            tags.push(format!("{more} more"));
        }
        tags
    }

    /// `a 2.0 is yanked, and a 3.0 and 4 others need Python >=3.14`.
    pub fn obstacle_text(&self, project: &Project, reasons: &[(Point, Obstacle)]) -> String {
        let mut groups: Vec<(&Obstacle, Vec<&Point>)> = Vec::new();
        for (point, obstacle) in reasons {
            match groups.iter_mut().find(|(known, _)| *known == obstacle) {
                Some((_, points)) => points.push(point),
                None => groups.push((obstacle, vec![point])),
            }
        }
        let texts: Vec<String> = groups
            .iter()
            .take(3)
            .map(|(obstacle, points)| {
                let many = points.len() > 1;
                format!(
                    "{} {} {}",
                    project.name,
                    some_of(points),
                    self.predicate(obstacle, many)
                )
            })
            .collect();
        enumerate(&texts, "and")
    }

    fn predicate(&self, obstacle: &Obstacle, many: bool) -> String {
        let (are, need, have) = if many {
            ("are", "need", "have")
        } else {
            ("is", "needs", "has")
        };
        match obstacle {
            Obstacle::Prerelease if many => "are pre-releases".to_owned(),
            Obstacle::Prerelease => "is a pre-release".to_owned(),
            Obstacle::Yanked => format!("{are} yanked"),
            Obstacle::Python(wanted) => format!("{need} Python {wanted}"),
            Obstacle::OnlyBinary => {
                format!("{have} no wheel that fits, and `--only-binary` rules out the sdist")
            }
            Obstacle::NoBinary => format!("{have} no sdist, and `--no-binary` rules out wheels"),
            Obstacle::Platform(missing) => {
                let on = self.interpreter_on(*missing);
                format!("{have} no sdist and no wheel for {on}")
            }
        }
    }
}
