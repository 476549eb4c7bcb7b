//! What to ask for before it is needed.
//!
//! The solver needs one answer after the other, but most of its questions can be foreseen: a page
//! is followed by the metadata of the version that its ranges would pick, and metadata by the
//! pages of what it requires. [`Pathfinder`] asks for them as soon as they can be named, so that
//! the requirement graph is discovered breadth first. Its guesses only warm the catalog; they
//! never change an answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::candidate::Serving;
use super::input::{Input, Prefer};
use crate::index::{Catalog, Page, Release, Scout};
use crate::python::range::{self, Point, Range};
use crate::python::{ExtraName, Metadata, PackageName, Version, Wanted};

/// Walks ahead of the solver.
pub(super) struct Pathfinder {
    input: Input,
    wanted: Mutex<HashMap<PackageName, Want>>,
}

/// What is known to be wanted of a project.
#[derive(Default)]
struct Want {
    /// All ranges seen so far in one, as long as that is not empty.
    range: Option<Range>,
    extras: BTreeSet<ExtraName>,
    /// The version whose metadata was asked for last, and the extras it was walked with.
    guess: Option<(Version, BTreeSet<ExtraName>)>,
}

/// A step that is still to be taken, outside of the lock.
enum Step {
    Page(PackageName),
    Guess(Arc<Page>),
    Walk(Arc<Page>, Arc<Release>, Arc<Metadata>),
}

impl Pathfinder {
    pub fn new(input: &Input) -> Self {
        Self {
            input: input.clone(),
            wanted: Mutex::default(),
        }
    }

    /// Some release, or the user, needs a project.
    pub fn need(
        &self,
        catalog: &dyn Catalog,
        name: &PackageName,
        range: &Range,
        extras: impl IntoIterator<Item = ExtraName>,
    ) {
        let step = self.want(name, range, extras);
        self.take(catalog, step.into_iter().collect());
    }

    fn want(
        &self,
        name: &PackageName,
        range: &Range,
        extras: impl IntoIterator<Item = ExtraName>,
    ) -> Option<Step> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        let want = wanted.entry(name.clone()).or_insert_with(|| {
            changed = true;
            Want::default()
        });
        match &mut want.range {
            None => want.range = Some(range.clone()),
            Some(known) => {
                let both = known.intersection(range);
                if both != *known && !both.is_empty() {
                    *known = both;
                    changed = true;
                }
            }
        }
        for extra in extras {
            changed |= want.extras.insert(extra);
        }
        changed.then(|| Step::Page(name.clone()))
    }

    fn take(&self, catalog: &dyn Catalog, mut steps: Vec<Step>) {
        while let Some(step) = steps.pop() {
            match step {
                Step::Page(name) => match catalog.known_page(&name) {
                    Some(page) => steps.push(Step::Guess(page)),
                    None => catalog.expect_page(&name),
                },
                Step::Guess(page) => {
                    let Some(release) = self.guess(&page) else {
                        continue;
                    };
                    match catalog.known_metadata(&page, &release) {
                        Some(metadata) => steps.push(Step::Walk(page, release, metadata)),
                        None => catalog.expect_metadata(&page, &release),
                    }
                }
                Step::Walk(page, release, metadata) => {
                    steps.extend(self.walk(&page, &release, &metadata));
                }
            }
        }
    }

    /// The release that the ranges known so far would pick, if it was not asked for yet.
    fn guess(&self, page: &Page) -> Option<Arc<Release>> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let want = wanted.get_mut(&page.name)?;
        let full = Range::full();
        let release = self.pick(page, want.range.as_ref().unwrap_or(&full))?;
        match &want.guess {
            Some((version, extras)) if *version == release.version && *extras == want.extras => {
                None
            }
            _ => {
                want.guess = Some((release.version.clone(), want.extras.clone()));
                Some(release)
            }
        }
    }

    fn pick(&self, page: &Page, range: &Range) -> Option<Arc<Release>> {
        let preferences = &self.input.preferences;
        let locked = preferences.locked.get(&page.name);
        let packaged = (self.input.policy.prefer == Prefer::Nixpkgs)
            .then(|| preferences.packaged(&page.name))
            .into_iter()
            .flatten();
        let preferred = locked.into_iter().flatten().chain(packaged);
        let fits = |version: &&Version| range.contains(&Point::new(version));
        if let Some(release) = preferred.filter(fits).find_map(|v| page.release(v)) {
            return Some(release);
        }
        let asks = range.iter().any(
            |(low, _)| matches!(low, std::ops::Bound::Included(p) if p.version().any_prerelease()),
        );
        let usual = |version: &&Version| asks || !version.any_prerelease();
        let serves = |version: &Version| {
            let release = page.release(version)?;
            let serving = Serving::of(&release, &page.name, &self.input, false);
            (!serving.targets.is_empty()).then_some(release)
        };
        let mut versions = page.versions().filter(usual).filter(fits);
        if self.input.policy.prefer == Prefer::Lowest {
            versions.find_map(serves)
        } else {
            versions.rev().find_map(serves)
        }
    }

    /// What a release requires, on any target, with the extras that are asked of it.
    fn walk(&self, page: &Page, release: &Release, metadata: &Metadata) -> Vec<Step> {
        let extras: Vec<ExtraName> = {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(want) = wanted.get(&page.name) else {
                return Vec::new();
            };
            let guessed = want
                .guess
                .as_ref()
                .is_some_and(|(v, _)| *v == release.version);
            if !guessed {
                return Vec::new();
            }
            want.extras.iter().cloned().collect()
        };
        let needed = metadata.requires_dist.iter().filter(|requirement| {
            !self
                .input
                .targets
                .matching(&requirement.marker, &extras)
                .is_empty()
        });
        let steps = needed.filter_map(|requirement| {
            let range = match &requirement.wanted {
                Wanted::Versions(specifiers) => range::range(specifiers),
                Wanted::Url(_) | Wanted::Path(_) => return None,
            };
            self.want(
                &requirement.name,
                &range,
                requirement.extras.iter().cloned(),
            )
        });
        steps.collect()
    }
}

impl Scout for Pathfinder {
    fn page_known(&self, catalog: &dyn Catalog, page: &Arc<Page>) {
        self.take(catalog, vec![Step::Guess(Arc::clone(page))]);
    }

    fn metadata_known(
        &self,
        catalog: &dyn Catalog,
        page: &Arc<Page>,
        release: &Arc<Release>,
        metadata: &Arc<Metadata>,
    ) {
        let steps = self.walk(page, release, metadata);
        self.take(catalog, steps);
    }
}
