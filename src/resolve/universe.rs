//! [`Universe`]: what is known so far about projects, their releases and what these need.
//!
//! Facts are learned from the catalog once and kept for the whole resolution, whatever the solver
//! tries: specifiers become ranges once, markers become target sets once, files are looked at once.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::candidate::Serving;
use super::input::{Input, Prefer, Prerelease};
use super::node::{ExtraId, Names, ProjectId};
use super::prefetch::Pathfinder;
use super::project::{Admission, Known, Preferred, Project, Releases, Source};
use super::{Fault, Unusable};
use crate::index::{Catalog, IndexError, Release, Scout};
use crate::python::range::{self, Range, Spelled};
use crate::python::{
    ExtraName, MarkerTree, Metadata, PackageName, Requirement, TargetSet, Version,
    VersionSpecifiers, Wanted,
};

/// What is known so far.
pub(super) struct Universe<'a> {
    pub catalog: &'a dyn Catalog,
    pub input: &'a Input,
    names: RefCell<Names<PackageName>>,
    pub extras: RefCell<Names<ExtraName>>,
    projects: RefCell<Vec<Rc<Project>>>,
    ranges: RefCell<HashMap<Spelled, Range>>,
    markers: RefCell<HashMap<(MarkerTree, Option<ExtraId>), TargetSet>>,
    pub direct: RefCell<BTreeMap<PackageName, Wanted>>,
    /// A second place that the user's lines want a project from.
    rivals: RefCell<BTreeMap<PackageName, Wanted>>,
    pub by_name: Lines,
    pub pathfinder: Arc<Pathfinder>,
    /// How many versions may turn out to be impossible; none for as many as it takes.
    pub patience: Option<u32>,
    /// The limits of a trial; none for a question of the user's.
    limits: Option<Limits>,
}

/// What became of the wish that a project come from some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It does from now on.
    New,
    /// It does already.
    Known,
    /// It comes from another.
    Taken,
}

/// What a trial may know.
struct Limits {
    /// The projects that somebody asked for, and their releases of which metadata is known.
    known: HashMap<PackageName, BTreeSet<Version>>,
    /// The projects that the user requires: their pages are on the way in any case.
    own: BTreeSet<PackageName>,
    /// Whether something that is not known was taken to fit.
    assumed: Cell<bool>,
}

/// The user's lines about a project, by position in the input.
#[derive(Default)]
pub(super) struct Lines {
    pub constraints: HashMap<PackageName, Vec<usize>>,
    pub overrides: HashMap<PackageName, Vec<usize>>,
    /// Specifiers of the user's own requirements, constraints and overrides.
    specifiers: HashMap<PackageName, Vec<VersionSpecifiers>>,
}

impl<'a> Universe<'a> {
    pub fn new(catalog: &'a dyn Catalog, input: &'a Input) -> Self {
        let universe = Self::asking(catalog, input, None);
        let scout: Arc<dyn Scout> = universe.pathfinder.clone();
        catalog.send(Some(scout));
        universe.read_lines()
    }

    /// A universe for a trial: what another one has learned of the index, and no more. What is not
    /// known counts as fitting.
    pub fn within(failed: &'a Universe, input: &'a Input, patience: u32) -> Self {
        let projects = failed.projects.borrow();
        let known = projects.iter().filter_map(|project| {
            let releases = project.known_source()?.releases.made();
            let told = releases.filter(|known| known.metadata.get().is_some());
            let versions = told.map(|known| known.point.version().clone()).collect();
            Some((project.name.clone(), versions))
        });
        let limits = Limits {
            known: known.collect(),
            own: input.requirements.iter().map(|r| r.name.clone()).collect(),
            assumed: Cell::new(false),
        };
        let mut universe = Self::asking(failed.catalog, input, Some(limits));
        universe.patience = Some(patience);
        universe.read_lines()
    }

    fn asking(catalog: &'a dyn Catalog, input: &'a Input, limits: Option<Limits>) -> Self {
        let mut by_name = Lines::default();
        for (position, line) in input.constraints.iter().enumerate() {
            by_name
                .constraints
                .entry(line.name.clone())
                .or_default()
                .push(position);
        }
        for (position, line) in input.overrides.iter().enumerate() {
            by_name
                .overrides
                .entry(line.name.clone())
                .or_default()
                .push(position);
        }
        Self {
            catalog,
            input,
            names: RefCell::default(),
            extras: RefCell::default(),
            projects: RefCell::default(),
            ranges: RefCell::default(),
            markers: RefCell::default(),
            direct: RefCell::default(),
            rivals: RefCell::default(),
            by_name,
            pathfinder: Arc::new(Pathfinder::new(input)),
            patience: None,
            limits,
        }
    }

    /// Whether this is a trial, which asks the index for nothing.
    pub fn is_trial(&self) -> bool {
        self.limits.is_some()
    }

    /// Whether a trial took something to fit without knowing it.
    pub fn has_assumed(&self) -> bool {
        let limits = self.limits.as_ref();
        limits.is_some_and(|limits| limits.assumed.get())
    }

    /// Whether a trial must leave a project out, because nobody asked for it yet.
    pub fn leaves_out(&self, name: &PackageName) -> bool {
        let unknown =
            |limits: &&Limits| !limits.known.contains_key(name) && !limits.own.contains(name);
        let limits = self.limits.as_ref().filter(unknown);
        limits.inspect(|limits| limits.assumed.set(true)).is_some()
    }

    /// Whether a trial must take a release to need nothing, because nobody asked for it yet.
    pub fn assumes(&self, name: &PackageName, version: &Version) -> bool {
        let told = |limits: &Limits| limits.known.get(name).is_some_and(|v| v.contains(version));
        let limits = self.limits.as_ref().filter(|limits| !told(limits));
        limits.inspect(|limits| limits.assumed.set(true)).is_some()
    }

    /// Tells whoever walks ahead that the solver has settled on a release of a project.
    pub fn settled(&self, project: &Project) {
        self.pathfinder.settled(self.catalog, &project.name);
    }

    /// Tells whoever walks ahead that a project will be needed.
    pub fn foresee(&self, requirement: &Requirement, range: &Range) {
        if !self.is_trial() && !self.direct.borrow().contains_key(&requirement.name) {
            let extras = requirement.extras.iter().cloned();
            let pathfinder = &self.pathfinder;
            pathfinder.need(self.catalog, &requirement.name, range, extras);
        }
    }

    /// Learns direct sources and the user's own specifiers from the user's lines.
    fn read_lines(mut self) -> Self {
        let input = self.input;
        let requirements = input
            .requirements
            .iter()
            .filter(|r| !self.by_name.overrides.contains_key(&r.name));
        let lines: Vec<&Requirement> = requirements
            .chain(&input.constraints)
            .chain(&input.overrides)
            .filter(|r| !input.targets.matching(&r.marker, &[]).is_empty())
            .collect();
        for line in lines {
            match &line.wanted {
                Wanted::Versions(specifiers) => self
                    .by_name
                    .specifiers
                    .entry(line.name.clone())
                    .or_default()
                    .push(specifiers.clone()),
                wanted => {
                    if self.add_direct(&line.name, wanted) == Place::Taken {
                        let mut rivals = self.rivals.borrow_mut();
                        rivals.insert(line.name.clone(), wanted.clone());
                    }
                }
            }
        }
        self
    }

    /// Takes a project from an address or a path from now on, unless it comes from another one.
    pub fn add_direct(&self, name: &PackageName, wanted: &Wanted) -> Place {
        let mut direct = self.direct.borrow_mut();
        match direct.get(name) {
            None => {
                direct.insert(name.clone(), wanted.clone());
                Place::New
            }
            Some(known) if known.is_same_place(wanted) => Place::Known,
            Some(_) => Place::Taken,
        }
    }

    /// The second place that the user's lines want a project from.
    pub fn rival(&self, name: &PackageName) -> Option<Wanted> {
        self.rivals.borrow().get(name).cloned()
    }

    /// The project of a name.
    pub fn project(&self, name: &PackageName) -> Rc<Project> {
        let (id, new) = self.names.borrow_mut().project(name);
        let mut projects = self.projects.borrow_mut();
        if new {
            projects.push(Rc::new(Project {
                id,
                name: name.clone(),
                source: OnceCell::new(),
            }));
        }
        Rc::clone(&projects[id.index()])
    }

    /// A project by its number.
    pub fn by_id(&self, id: ProjectId) -> Rc<Project> {
        Rc::clone(&self.projects.borrow()[id.index()])
    }

    /// An extra by its number.
    pub fn extra_name(&self, id: ExtraId) -> ExtraName {
        self.extras.borrow().of(id).clone()
    }

    /// The targets in which a marker holds.
    pub fn targets(&self, marker: &MarkerTree, extra: Option<ExtraId>) -> TargetSet {
        if marker.is_true() {
            return self.input.targets.all();
        }
        *self
            .markers
            .borrow_mut()
            .entry((marker.clone(), extra))
            .or_insert_with(|| match extra {
                None => self.input.targets.matching(marker, &[]),
                Some(extra) => {
                    let extra = self.extras.borrow().of(extra).clone();
                    self.input.targets.matching(marker, &[extra])
                }
            })
    }

    pub fn range(&self, wanted: &Wanted) -> Range {
        match wanted {
            Wanted::Versions(specifiers) if specifiers.is_empty() => Range::full(),
            Wanted::Versions(specifiers) => self
                .ranges
                .borrow_mut()
                .entry(Spelled(specifiers.clone()))
                .or_insert_with(|| range::range(specifiers))
                .clone(),
            Wanted::Url(_) | Wanted::Path(_) => Range::full(),
        }
    }

    /// Whether a project comes from an address or a path.
    pub fn is_direct(&self, project: &Project) -> bool {
        self.direct.borrow().contains_key(&project.name)
    }

    /// Asks for a project's page, or its direct source, once.
    pub fn source<'p>(&self, project: &'p Project) -> Result<&'p Source, Fault> {
        if let Some(source) = project.source.get() {
            return Ok(source);
        }
        let direct = self.direct.borrow().get(&project.name).cloned();
        let source = match direct {
            Some(wanted) => self.direct_source(&project.name, wanted)?,
            None => self.index_source(&project.name)?,
        };
        Ok(project.source.get_or_init(|| source))
    }

    fn direct_source(&self, name: &PackageName, wanted: Wanted) -> Result<Source, Fault> {
        let releases = if self.rival(name).is_some() {
            Releases::none()
        } else {
            let (release, metadata) = self.catalog.direct(name, &wanted)?;
            let known = Known::new(&release.version, 0);
            let _ = known.serving.set(Serving::direct(&release, self.input));
            let _ = known.release.set(release);
            let _ = known.metadata.set(self.suits_python(metadata));
            Releases::one(known)
        };
        Ok(Source {
            page: None,
            direct: Some(wanted),
            releases,
            prereleases: Admission::Equal,
            preferred: Vec::new(),
        })
    }

    fn index_source(&self, name: &PackageName) -> Result<Source, Fault> {
        let page = match self.catalog.page(name) {
            Ok(page) => page,
            Err(IndexError::UnknownProject(_)) => {
                return Ok(Source {
                    page: None,
                    direct: None,
                    releases: Releases::none(),
                    prereleases: Admission::Never,
                    preferred: Vec::new(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let releases = Releases::of(&page);
        let prereleases = self.admits_prereleases(name);
        let preferred = self.preferred(name, &releases);
        Ok(Source {
            page: Some(page),
            direct: None,
            releases,
            prereleases,
            preferred,
        })
    }

    fn admits_prereleases(&self, name: &PackageName) -> Admission {
        match self.input.policy.prerelease {
            Prerelease::Allow => Admission::Equal,
            Prerelease::Disallow => Admission::Never,
            Prerelease::Explicit => {
                let named = self.by_name.specifiers.get(name).is_some_and(|all| {
                    let mut specifiers = all.iter().flat_map(|specifiers| specifiers.iter());
                    specifiers.any(|s| s.version().any_prerelease())
                });
                if named {
                    Admission::LastResort
                } else {
                    Admission::Never
                }
            }
            Prerelease::IfNecessary | Prerelease::IfNecessaryOrExplicit => Admission::LastResort,
        }
    }

    fn preferred(&self, name: &PackageName, releases: &Releases) -> Vec<Preferred> {
        let find = |version: &Version| releases.position(version);
        let preferences = &self.input.preferences;
        let locked = preferences.locked.get(name).into_iter().flatten();
        let mut preferred: Vec<Preferred> = locked
            .filter_map(|version| {
                Some(Preferred {
                    position: find(version)?,
                    packaged: false,
                })
            })
            .collect();
        if self.input.policy.prefer == Prefer::Nixpkgs {
            let packaged = preferences.packaged(name);
            preferred.extend(packaged.filter_map(|version| {
                Some(Preferred {
                    position: find(version)?,
                    packaged: true,
                })
            }));
        }
        preferred
    }

    /// Whether yanked files of a release may be used: the user pins it, or had it locked.
    pub fn allows_yanked(&self, project: &Project, version: &Version) -> bool {
        let pins = |specifiers: &VersionSpecifiers| {
            range::pinned(&range::range(specifiers)).is_some() && range::admits(specifiers, version)
        };
        let specifiers = self.by_name.specifiers.get(&project.name);
        let locked = self.input.preferences.locked.get(&project.name);
        specifiers.is_some_and(|all| all.iter().any(pins))
            || locked.is_some_and(|all| all.contains(version))
    }

    /// The files of a release.
    pub fn release<'s>(&self, source: &'s Source, known: &'s Known) -> Option<&'s Arc<Release>> {
        if let Some(release) = known.release.get() {
            return Some(release);
        }
        let release = source.page.as_ref()?.release_at(known.position)?;
        Some(known.release.get_or_init(|| release))
    }

    /// The targets that a release's files serve.
    pub fn serving(&self, project: &Project, source: &Source, known: &Known) -> Serving {
        *known.serving.get_or_init(|| {
            source.page.as_ref().map_or_else(Serving::nothing, |page| {
                let yanked = OnceCell::new();
                let yanked =
                    || *yanked.get_or_init(|| self.allows_yanked(project, known.point.version()));
                Serving::at(page, known.position, self.input, &yanked)
            })
        })
    }

    /// The metadata of a release.
    pub fn metadata<'k>(
        &self,
        source: &'k Source,
        known: &'k Known,
    ) -> Result<&'k Result<Arc<Metadata>, Unusable>, Fault> {
        if let Some(metadata) = known.metadata.get() {
            return Ok(metadata);
        }
        let (Some(page), Some(release)) = (&source.page, self.release(source, known)) else {
            return Ok(known.metadata.get_or_init(|| Err(Unusable::Gone)));
        };
        let metadata = match self.catalog.metadata(page, release) {
            Ok(metadata) => Ok(metadata),
            Err(IndexError::UnknownMetadata { reason, .. }) => Err(Unusable::Metadata(reason)),
            // One release whose metadata makes no sense must not end the search among the others.
            Err(IndexError::Malformed { what, reason }) => {
                Err(Unusable::Metadata(format!("{what}: {reason}")))
            }
            Err(error) => return Err(error.into()),
        };
        let metadata = metadata.and_then(|metadata| self.suits_python(metadata));
        Ok(known.metadata.get_or_init(|| metadata))
    }

    /// Metadata, unless it asks for another interpreter.
    fn suits_python(&self, metadata: Arc<Metadata>) -> Result<Arc<Metadata>, Unusable> {
        match &metadata.requires_python {
            Some(wanted) if !range::admits_python(wanted, &self.input.targets.python) => {
                Err(Unusable::Python(wanted.clone()))
            }
            _ => Ok(metadata),
        }
    }
}

impl Drop for Universe<'_> {
    fn drop(&mut self) {
        if !self.is_trial() {
            self.catalog.send(None);
        }
    }
}
