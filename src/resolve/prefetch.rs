//! What to ask for before it is needed.
//!
//! The solver needs one answer after the other, but most of its questions can be foreseen: a page
//! is followed by the metadata of the version that its ranges would pick, and metadata by the
//! pages of what it requires. [`Pathfinder`] asks for them as soon as they can be named, so that
//! the requirement graph is discovered breadth first. Its guesses only warm the catalog; they
//! never change an answer.
//!
//! Where the newest release of a project that the user names cannot go with what the user asks of
//! another, there may be no answer at all: then nobody walks ahead until the solver has settled on
//! a release of that project, and only what the solver comes across is asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::candidate::Serving;
use super::input::{Input, Prefer};
use crate::index::{Catalog, Page, Release, Scout};
use crate::python::range::{self, Point, Range};
use crate::python::{ExtraName, Metadata, PackageName, Version, Wanted};

/// Walks ahead of the solver.
pub(super) struct Pathfinder {
    input: Input,
    /// What the user asks of projects, on every target.
    own: HashMap<PackageName, Range>,
    wanted: Mutex<HashMap<PackageName, Want>>,
    /// Whether to wait for the solver.
    waits: AtomicBool,
    pause: Mutex<Pause>,
}

/// What stops the walk, and where it goes on.
#[derive(Default)]
struct Pause {
    /// The projects that the solver has to settle on first.
    behind: BTreeSet<PackageName>,
    /// What was not asked for, and the walks that were not taken.
    put_off: Vec<Step>,
}

/// So many releases of a project that cannot be used are passed over in search of the likely one.
const PASSED_OVER: usize = 4;

/// What is known to be wanted of a project.
#[derive(Default)]
struct Want {
    /// All ranges seen so far in one, as long as that is not empty.
    range: Option<Range>,
    extras: BTreeSet<ExtraName>,
    /// The version whose metadata was asked for last, and the extras it was walked with.
    guess: Option<(Version, BTreeSet<ExtraName>)>,
    /// Versions that cannot go with what the user asks of others.
    impossible: BTreeSet<Version>,
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
            own: own_ranges(input),
            input: input.clone(),
            wanted: Mutex::default(),
            waits: AtomicBool::new(false),
            pause: Mutex::default(),
        }
    }

    /// The solver has settled on a release of a project.
    pub fn settled(&self, catalog: &dyn Catalog, name: &PackageName) {
        if !self.waits.load(Ordering::Acquire) {
            return;
        }
        let mut pause = self.pause();
        if pause.behind.remove(name) && pause.behind.is_empty() {
            self.waits.store(false, Ordering::Release);
            let steps = std::mem::take(&mut pause.put_off);
            drop(pause);
            self.take(catalog, steps);
        }
    }

    fn pause(&self) -> MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> MutexGuard<'_, HashMap<PackageName, Want>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut wanted = self.wanted();
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
                    Some(page) if catalog.gains_from_hints() => steps.push(Step::Guess(page)),
                    Some(_) => {}
                    None => catalog.expect_page(&name),
                },
                Step::Guess(page) => {
                    if let Some(mut pause) = self.paused() {
                        pause.put_off.push(Step::Guess(page));
                        continue;
                    }
                    let Some(release) = self.guess(&page) else {
                        continue;
                    };
                    match catalog.known_metadata(&page, &release) {
                        Some(metadata) => steps.push(Step::Walk(page, release, metadata)),
                        None => catalog.expect_metadata(&page, &release),
                    }
                }
                Step::Walk(page, release, metadata) => {
                    if let Some(mut pause) = self.paused() {
                        pause.put_off.push(Step::Walk(page, release, metadata));
                    } else {
                        steps.extend(self.walk(&page, &release, &metadata));
                    }
                }
            }
        }
    }

    /// The release that the ranges known so far would pick, if it was not asked for yet.
    fn guess(&self, page: &Page) -> Option<Arc<Release>> {
        let mut wanted = self.wanted();
        let want = wanted.get_mut(&page.name)?;
        let release = self.pick(page, want)?;
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

    fn pick(&self, page: &Page, want: &Want) -> Option<Arc<Release>> {
        let mut range = want.range.clone().unwrap_or_else(Range::full);
        if let Some(own) = self.own.get(&page.name) {
            range = range.intersection(own);
        }
        let preferences = &self.input.preferences;
        let locked = preferences.locked.get(&page.name);
        let packaged = (self.input.policy.prefer == Prefer::Nixpkgs)
            .then(|| preferences.packaged(&page.name))
            .into_iter()
            .flatten();
        let preferred = locked.into_iter().flatten().chain(packaged);
        let fits = |version: &&Version| {
            range.contains(&Point::new(version)) && !want.impossible.contains(version)
        };
        if let Some(release) = preferred.filter(fits).find_map(|v| page.release(v)) {
            return Some(release);
        }
        let asks = range.iter().any(
            |(low, _)| matches!(low, std::ops::Bound::Included(p) if p.version().any_prerelease()),
        );
        let usual = |version: &&Version| asks || !version.any_prerelease();
        let serves = |version: &Version| {
            let position = page.position(version)?;
            let serving = Serving::at(page, position, &self.input, &|| false);
            (!serving.targets.is_empty())
                .then(|| page.release_at(position))
                .flatten()
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
            let wanted = self.wanted();
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
        let mut needs = Vec::new();
        let lines = &metadata.requires_dist;
        let concerned = (0..lines.len()).filter(|&position| lines.concerns(position, &extras));
        for requirement in concerned.filter_map(|position| lines.get(position)) {
            let targets = &self.input.targets;
            let on = targets.matching(&requirement.marker, &extras);
            let Wanted::Versions(specifiers) = &requirement.wanted else {
                continue;
            };
            if on.is_empty() {
                continue;
            }
            let range = range::range(specifiers);
            let own = self.own.get(&requirement.name);
            if on == targets.all() && own.is_some_and(|own| own.is_disjoint(&range)) {
                return self.pass_over(page, release);
            }
            needs.push((requirement, range));
        }
        let steps = needs.into_iter().filter_map(|(requirement, range)| {
            let extras = requirement.extras.iter().cloned();
            self.want(&requirement.name, &range, extras)
        });
        steps.collect()
    }

    /// What to do about a release that cannot go with what the user asks of others.
    fn pass_over(&self, page: &Page, release: &Release) -> Vec<Step> {
        if self.own.contains_key(&page.name) {
            let mut pause = self.pause();
            pause.behind.insert(page.name.clone());
            self.waits.store(true, Ordering::Release);
            return Vec::new();
        }
        let mut wanted = self.wanted();
        let Some(want) = wanted.get_mut(&page.name) else {
            return Vec::new();
        };
        want.impossible.insert(release.version.clone());
        if want.impossible.len() > PASSED_OVER || self.waits.load(Ordering::Acquire) {
            return Vec::new();
        }
        vec![Step::Page(page.name.clone())]
    }

    /// Where to note walks that have to wait for the solver.
    fn paused(&self) -> Option<MutexGuard<'_, Pause>> {
        if !self.waits.load(Ordering::Acquire) {
            return None;
        }
        let pause = self.pause();
        (!pause.behind.is_empty()).then_some(pause)
    }
}

/// What the user's own lines say about projects for all targets.
fn own_ranges(input: &Input) -> HashMap<PackageName, Range> {
    let mut own: HashMap<PackageName, Range> = HashMap::new();
    let overridden: BTreeSet<&PackageName> = input.overrides.iter().map(|r| &r.name).collect();
    let lines = input.requirements.iter().chain(&input.constraints);
    for line in lines.filter(|line| !overridden.contains(&line.name)) {
        let on = input.targets.matching(&line.marker, &[]);
        if on != input.targets.all() {
            continue;
        }
        let range = match &line.wanted {
            Wanted::Versions(specifiers) => range::range(specifiers),
            Wanted::Url(_) | Wanted::Path(_) => Range::full(),
        };
        let known = own.entry(line.name.clone()).or_insert_with(Range::full);
        *known = known.intersection(&range);
    }
    own
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
        let parts = (Arc::clone(page), Arc::clone(release), Arc::clone(metadata));
        self.take(catalog, vec![Step::Walk(parts.0, parts.1, parts.2)]);
    }
}
