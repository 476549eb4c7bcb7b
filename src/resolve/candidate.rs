//! Which releases are candidates, and which of them to try first.
//!
//! A release counts only if its files serve every target that needs it: an sdist serves all of
//! them, a wheel those of its tags. Yanked files (PEP 592), files for other interpreters
//! (Requires-Python) and formats that the user excludes do not count.

use std::ops::ControlFlow;

use super::input::{Input, Prefer};
use super::node::Facet;
use super::project::{Admission, Known, Project, Source};
use super::universe::Universe;
use crate::index::{Distribution, Page, Release};
use crate::python::range::{self, Point, Range};
use crate::python::{Filename, PackageName, TargetSet, VersionSpecifiers, tag};

/// The targets that the files of a release serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Serving {
    /// Those it may be used for.
    pub targets: TargetSet,
}

impl Serving {
    /// The one release that an address or a path holds: a wheel serves the targets of its tags.
    pub fn direct(release: &Release, input: &Input) -> Self {
        let everything = input.targets.all();
        let targets = match (&release.sdist, release.wheels.as_slice()) {
            (None, [first, rest @ ..]) => rest
                .iter()
                .fold(tags(first, input), |set, file| set.or(tags(file, input))),
            _ => everything,
        };
        Self { targets }
    }

    /// A release without files.
    pub fn nothing() -> Self {
        Self {
            targets: TargetSet::NONE,
        }
    }

    /// What the files of a page's release serve; `yanked` tells whether yanked ones may be used.
    pub fn at(page: &Page, position: usize, input: &Input, yanked: &dyn Fn() -> bool) -> Self {
        let mut targets = TargetSet::NONE;
        // Mostly all files of a release say the same.
        let mut last: Option<(VersionSpecifiers, bool)> = None;
        let mut suits = |wanted: &VersionSpecifiers| match &last {
            Some((known, suits)) if known == wanted => *suits,
            _ => {
                let suits = range::admits_python(wanted, &input.targets.python);
                last = Some((wanted.clone(), suits));
                suits
            }
        };
        page.glimpse(position, |file| {
            let usable = (!file.yanked || yanked()) && file.requires_python.is_none_or(&mut suits);
            if usable {
                targets = targets.or(serves_by_name(file.file, &page.name, input));
            }
            if targets == input.targets.all() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        Self { targets }
    }
}

/// Whether the interpreter meets a file's Requires-Python.
pub(super) fn suits_python(file: &Distribution, input: &Input) -> bool {
    file.requires_python
        .as_ref()
        .is_none_or(|wanted| range::admits_python(wanted, &input.targets.python))
}

/// As [`serves`], by a file's name alone.
fn serves_by_name(file: &str, name: &PackageName, input: &Input) -> TargetSet {
    match file.strip_suffix(".whl") {
        None if input.policy.only_binary.has(name) => TargetSet::NONE,
        None => input.targets.all(),
        Some(_) if input.policy.no_binary.has(name) => TargetSet::NONE,
        Some(stem) => tag::served_by_stem(stem, &input.targets),
    }
}

/// The targets a file serves by its format and tags, under the user's policy.
pub(super) fn serves(file: &Distribution, name: &PackageName, input: &Input) -> TargetSet {
    match &file.filename {
        Filename::Sdist(_) if input.policy.only_binary.has(name) => TargetSet::NONE,
        Filename::Sdist(_) => input.targets.all(),
        Filename::Wheel(_) if input.policy.no_binary.has(name) => TargetSet::NONE,
        Filename::Wheel(_) => tags(file, input),
    }
}

/// The targets that a file's tags name.
fn tags(file: &Distribution, input: &Input) -> TargetSet {
    match &file.filename {
        Filename::Sdist(_) => input.targets.all(),
        Filename::Wheel(wheel) => tag::served(wheel, &input.targets),
    }
}

impl Universe<'_> {
    /// The candidate to try first in a range: a locked version, the version that another part of
    /// the lock has, nixpkgs' version, and then by age as the user prefers.
    pub fn choose(
        &self,
        project: &Project,
        source: &Source,
        facet: Facet,
        range: &Range,
        shared: &[Point],
    ) -> Option<Point> {
        let targets = match facet {
            Facet::Version => TargetSet::NONE,
            Facet::Base(targets) | Facet::Extra(_, targets) => targets,
        };
        let fits = |known: &Known| {
            range.contains(&known.point)
                && self
                    .serving(project, source, known)
                    .targets
                    .contains(targets)
        };
        let stable = |known: &Known| !known.point.version().any_prerelease();
        let search = |wanted: &dyn Fn(&Known) -> bool| {
            let mut releases = source.releases.iter();
            let fits =
                |known: &&Known| range.contains(&known.point) && wanted(known) && fits(known);
            if self.input.policy.prefer == Prefer::Lowest {
                releases.find(fits)
            } else {
                releases.rfind(fits)
            }
        };
        // PEP 440 admits pre-releases that are "already present on the system", as nixpkgs' own are:
        // overriding one with an older release would rebuild whatever needs it.
        let admissible = |known: &Known| source.prereleases != Admission::Never || stable(known);
        let (locked, packaged): (Vec<_>, Vec<_>) =
            source.preferred.iter().partition(|p| !p.packaged);
        let at = |position: usize| source.releases.get(position);
        locked
            .iter()
            .filter_map(|p| at(p.position))
            .find(|known| fits(known))
            .or_else(|| {
                let shared = shared.iter().filter_map(|point| source.known(point));
                shared.into_iter().find(|known| fits(known))
            })
            .or_else(|| {
                packaged
                    .iter()
                    .filter_map(|p| at(p.position))
                    .filter(|known| admissible(known))
                    .find(|known| range.contains(&known.point))
            })
            .or_else(|| match source.prereleases {
                Admission::Equal => search(&|_| true),
                Admission::LastResort => search(&stable).or_else(|| search(&|_| true)),
                Admission::Never => search(&stable),
            })
            .map(|known| known.point.clone())
    }
    /// Asks for the metadata of the candidates that follow one, before the solver does: it has
    /// rejected so many of their neighbours that it will want them one after the other.
    pub fn expect_following(
        &self,
        project: &Project,
        source: &Source,
        range: &Range,
        chosen: &Point,
        count: usize,
    ) {
        let Some(page) = source.page.as_ref().filter(|_| !self.is_trial()) else {
            return;
        };
        let lowest = self.input.policy.prefer == Prefer::Lowest;
        let last = source.prereleases == Admission::LastResort;
        let is_usual = |known: &Known| !last || !known.point.version().any_prerelease();
        let from_usual = !last || !chosen.version().any_prerelease();
        let fits = |known: &&Known| {
            range.contains(&known.point)
                && source.admits(known)
                && !self.serving(project, source, known).targets.is_empty()
        };
        let behind = |known: &&Known| {
            if lowest {
                known.point > *chosen
            } else {
                known.point < *chosen
            }
        };
        let expect = |known: &Known| {
            if let Some(release) = self.release(source, known) {
                self.catalog.expect_metadata(page, release);
            }
        };
        // In the order in which they will be tried: pre-releases that are the last resort come
        // after all others, the newest first.
        let follows = source.releases.iter().filter(|known| {
            let usual = is_usual(known);
            (usual == from_usual && behind(known)) || (from_usual && !usual)
        });
        let mut candidates: Vec<&Known> = follows.collect();
        if !lowest {
            candidates.reverse();
        }
        candidates.sort_by_key(|known| !is_usual(known));
        let candidates = candidates.into_iter().filter(fits);
        candidates.take(count).for_each(expect);
    }
}
