//! What to ask for before it is needed.
//!
//! The solver needs one answer after the other, but most of its questions can be foreseen: a page
//! is followed by the metadata of the version that its ranges would pick, and metadata by the
//! pages of what it requires. [`Pathfinder`] asks for them as soon as they can be named, so that
//! the requirement graph is discovered breadth first. Its guesses only warm the catalog; they
//! never change an answer.
//!
//! Where the newest release of a project that the user names cannot go with what the user asks of
//! another, there may be no answer at all. Then nobody walks on from what the user names until a
//! release of that project is found that can, or the solver has settled on one; and its releases are
//! asked for in ever larger numbers at once.
//!
//! Where the index is far away, the pages of the projects that usually come along with those that
//! are wanted are asked for besides, and the metadata of their newest releases: what is found at the
//! end of a chain of requirements is there then by the time that the chain is followed.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::candidate::Serving;
use super::guess::Guesses;
use super::input::{Input, Prefer, Prerelease};
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
    guesses: Mutex<Guesses>,
}

/// What stops the walk, and where it goes on.
#[derive(Default)]
struct Pause {
    /// The projects of which a release has to be found first.
    behind: BTreeSet<PackageName>,
    /// What was not asked for, and the walks that were not taken.
    put_off: Vec<Step>,
}

/// So many releases of a project that cannot be used are passed over in search of the likely one.
const PASSED_OVER: usize = 4;
/// The same for projects that the user names: without any of their releases there is no answer.
const PASSED_OVER_OWN: usize = 256;

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
    /// So many of the releases that are likely.
    Guesses(Arc<Page>, usize),
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
            guesses: Mutex::new(Guesses::new(input)),
        }
    }

    fn guessing(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the pages of what usually comes along with what is wanted, the nearest first.
    fn guess_ahead(&self, catalog: &dyn Catalog) {
        if !catalog.gains_from_guesses() || self.waits.load(Ordering::Acquire) {
            return;
        }
        let names = self.guessing().take();
        for name in names {
            catalog.guess_page(&name);
        }
    }

    /// The solver has settled on a release of a project.
    pub fn settled(&self, catalog: &dyn Catalog, name: &PackageName) {
        if !self.waits.load(Ordering::Acquire) {
            return;
        }
        let mut pause = self.pause();
        let steps = self.go_on(&mut pause, name);
        drop(pause);
        self.take(catalog, steps);
    }

    /// A release of a project is found: what was put off because of that.
    fn go_on(&self, pause: &mut Pause, name: &PackageName) -> Vec<Step> {
        if !pause.behind.remove(name) || !pause.behind.is_empty() {
            return Vec::new();
        }
        self.waits.store(false, Ordering::Release);
        std::mem::take(&mut pause.put_off)
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
            self.guessing().is_wanted(name);
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
                Step::Guess(page) => steps.push(Step::Guesses(page, 1)),
                Step::Guesses(page, count) => {
                    if let Some(mut pause) = self.paused(&page.name) {
                        pause.put_off.push(Step::Guess(page));
                        continue;
                    }
                    let mut releases = self.guesses(&page, count).into_iter();
                    let Some(release) = releases.next() else {
                        continue;
                    };
                    match catalog.known_metadata(&page, &release) {
                        Some(metadata) => steps.push(Step::Walk(page.clone(), release, metadata)),
                        None => catalog.expect_metadata(&page, &release),
                    }
                    releases.for_each(|release| catalog.expect_metadata(&page, &release));
                }
                Step::Walk(page, release, metadata) => {
                    steps.extend(self.walk(&page, &release, &metadata));
                }
            }
        }
        self.guess_ahead(catalog);
    }

    /// The release that the ranges known so far would pick, if it was not asked for yet, and those
    /// that would be next.
    fn guesses(&self, page: &Page, count: usize) -> Vec<Arc<Release>> {
        let mut wanted = self.wanted();
        let Some(want) = wanted.get_mut(&page.name) else {
            let is_open = self.guessing().claim(&page.name);
            let releases = is_open.then(|| self.pick(page, &Want::default(), 1));
            let mut releases = releases.unwrap_or_default();
            // Only an sdist tells what it requires: too much for a guess.
            releases.retain(|release| !release.wheels.is_empty());
            return releases;
        };
        let releases = self.pick(page, want, count);
        let Some(release) = releases.first() else {
            return releases;
        };
        match &want.guess {
            Some((version, extras)) if *version == release.version && *extras == want.extras => {
                Vec::new()
            }
            _ => {
                want.guess = Some((release.version.clone(), want.extras.clone()));
                releases
            }
        }
    }

    fn pick(&self, page: &Page, want: &Want, count: usize) -> Vec<Arc<Release>> {
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
            return vec![release];
        }
        let asks = range
            .iter()
            .any(|(low, _)| matches!(low, Bound::Included(p) if p.version().any_prerelease()));
        let usual = |version: &&Version| asks || !version.any_prerelease();
        let never = matches!(
            self.input.policy.prerelease,
            Prerelease::Explicit | Prerelease::Disallow
        );
        let last = |version: &&Version| !usual(version) && !never;
        let serves = |version: &Version| {
            let position = page.position(version)?;
            let serving = Serving::at(page, position, &self.input, &|| false);
            (!serving.targets.is_empty())
                .then(|| page.release_at(position))
                .flatten()
        };
        let lowest = self.input.policy.prefer == Prefer::Lowest;
        let best = |wanted: &dyn Fn(&&Version) -> bool, count| -> Vec<Arc<Release>> {
            let versions = page.versions().filter(wanted).filter(fits);
            if lowest {
                versions.filter_map(serves).take(count).collect()
            } else {
                versions.rev().filter_map(serves).take(count).collect()
            }
        };
        let mut releases = best(&usual, count);
        // Where the last of many is near, pre-releases are what comes next.
        if count > 1 && releases.len() < count {
            releases.extend(best(&last, count - releases.len()));
        }
        releases
    }

    /// What a release requires, on any target, with the extras that are asked of it.
    fn walk(
        &self,
        page: &Arc<Page>,
        release: &Arc<Release>,
        metadata: &Arc<Metadata>,
    ) -> Vec<Step> {
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
        self.guessing().goes_together(&page.name);
        let mut put_off = Vec::new();
        if self.waits.load(Ordering::Acquire) {
            let mut pause = self.pause();
            put_off = self.go_on(&mut pause, &page.name);
            if !pause.behind.is_empty() {
                let parts = (Arc::clone(page), Arc::clone(release), Arc::clone(metadata));
                pause.put_off.push(Step::Walk(parts.0, parts.1, parts.2));
                return Vec::new();
            }
        }
        let steps = needs.into_iter().filter_map(|(requirement, range)| {
            let extras = requirement.extras.iter().cloned();
            self.want(&requirement.name, &range, extras)
        });
        put_off.into_iter().chain(steps).collect()
    }

    /// What to do about a release that cannot go with what the user asks of others.
    fn pass_over(&self, page: &Arc<Page>, release: &Release) -> Vec<Step> {
        let own = self.own.contains_key(&page.name);
        if own {
            let mut pause = self.pause();
            pause.behind.insert(page.name.clone());
            self.waits.store(true, Ordering::Release);
        }
        let mut wanted = self.wanted();
        let Some(want) = wanted.get_mut(&page.name) else {
            return Vec::new();
        };
        want.impossible.insert(release.version.clone());
        let passed = want.impossible.len();
        let goes_on = if own {
            passed <= PASSED_OVER_OWN
        } else {
            passed <= PASSED_OVER && !self.waits.load(Ordering::Acquire)
        };
        let next = match passed {
            1 if own => 8,
            9 if own => 32,
            41 if own => 128,
            _ => 1,
        };
        let step = Step::Guesses(Arc::clone(page), next);
        goes_on.then_some(step).into_iter().collect()
    }

    /// Where to note what has to wait until a release of another project is found.
    fn paused(&self, name: &PackageName) -> Option<MutexGuard<'_, Pause>> {
        if !self.waits.load(Ordering::Acquire) || self.own.contains_key(name) {
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

    fn guesses_gain(&self, catalog: &dyn Catalog) {
        self.guess_ahead(catalog);
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
