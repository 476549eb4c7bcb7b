//! [`Project`]: what is known of one project, its releases and what these need.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Bound;
use std::rc::Rc;
use std::sync::Arc;

use url::Url;

use super::Unusable;
use super::candidate::Serving;
use super::node::{ExtraId, ProjectId};
use crate::index::{Page, Release};
use crate::python::range::{Point, Range};
use crate::python::{Metadata, PackageName, TargetSet, Version, Wanted, without_login};

/// A project.
pub(super) struct Project {
    pub id: ProjectId,
    pub name: PackageName,
    pub source: OnceCell<Source>,
}

impl Project {
    /// Where its releases come from, if anybody asked yet.
    pub fn known_source(&self) -> Option<&Source> {
        self.source.get()
    }
}

/// Where a project's releases come from.
pub(super) struct Source {
    /// The project's page; none for direct sources and unknown projects.
    pub page: Option<Arc<Page>>,
    /// The address or path that the user wants it from.
    pub direct: Option<Wanted>,
    /// Its releases, ascending.
    pub releases: Releases,
    /// When its pre-releases are candidates.
    pub prereleases: Admission,
    /// Versions to try first: locked ones, then nixpkgs' own.
    pub preferred: Vec<Preferred>,
}

/// The releases of a project, ascending. Most are never looked at, so each is made when it is.
pub(super) struct Releases {
    page: Option<Arc<Page>>,
    known: Vec<OnceCell<Box<Known>>>,
}

impl Releases {
    /// None.
    pub fn none() -> Self {
        Self {
            page: None,
            known: Vec::new(),
        }
    }

    /// Just one.
    pub fn one(known: Known) -> Self {
        Self {
            page: None,
            known: vec![OnceCell::from(Box::new(known))],
        }
    }

    /// Those of a page.
    pub fn of(page: &Arc<Page>) -> Self {
        Self {
            page: Some(Arc::clone(page)),
            known: (0..page.len()).map(|_| OnceCell::new()).collect(),
        }
    }

    /// The release at a position.
    pub fn get(&self, position: usize) -> Option<&Known> {
        let slot = self.known.get(position)?;
        if let Some(known) = slot.get() {
            return Some(known);
        }
        let version = self.page.as_ref()?.version_at(position)?;
        Some(slot.get_or_init(|| Box::new(Known::new(version, position))))
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Known> + Clone {
        (0..self.known.len()).filter_map(|position| self.get(position))
    }

    /// Those that somebody has looked at.
    pub fn made(&self) -> impl Iterator<Item = &Known> {
        self.known.iter().filter_map(|slot| Some(&**slot.get()?))
    }

    /// The oldest.
    pub fn first(&self) -> Option<&Known> {
        self.get(0)
    }

    /// Where a version is among them.
    pub fn position(&self, version: &Version) -> Option<usize> {
        match &self.page {
            Some(page) => page.position(version),
            None => self
                .iter()
                .position(|known| known.point.version() == version),
        }
    }
}

/// When pre-releases are candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Never,
    /// Only where no other release fits.
    LastResort,
    Equal,
}

/// A version to try first.
pub(super) struct Preferred {
    pub position: usize,
    /// It needs no files: nixpkgs has it already.
    pub packaged: bool,
}

/// A release and what is known of it.
pub(super) struct Known {
    /// Its position among the project's releases.
    pub position: usize,
    pub point: Point,
    pub release: OnceCell<Arc<Release>>,
    pub serving: OnceCell<Serving>,
    pub metadata: OnceCell<Result<Arc<Metadata>, Unusable>>,
    pub needs: RefCell<HashMap<Option<ExtraId>, NeedsResult>>,
}

/// What a release needs, or why it cannot be used.
pub(super) type NeedsResult = Result<Rc<[Need]>, Unusable>;

/// One requirement of a release, or of the user.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub to: ProjectId,
    pub extras: Vec<ExtraId>,
    pub range: Range,
    pub targets: TargetSet,
    pub line: Line,
}

/// Where a [`Need`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    /// A requirement of the user, by position.
    Requirement(usize),
    /// An entry of `requires_dist`, by position.
    Metadata(usize),
    /// A constraint, by position.
    Constraint(usize),
    /// An override, by position.
    Override(usize),
}

impl Source {
    /// The release at a point.
    pub fn known(&self, point: &Point) -> Option<&Known> {
        self.releases.get(self.releases.position(point.version())?)
    }

    /// All versions between the releases before and after one.
    pub fn around(&self, point: &Point) -> Range {
        let Some(position) = self.releases.position(point.version()) else {
            return Range::singleton(point.clone());
        };
        let bound = |known: Option<&Known>| match known {
            Some(known) => Bound::Excluded(known.point.clone()),
            None => Bound::Unbounded,
        };
        let previous = position.checked_sub(1).and_then(|at| self.releases.get(at));
        let next = self.releases.get(position + 1);
        Range::from_range_bounds::<_, Point>((bound(previous), bound(next)))
    }

    /// Whether a release may be a candidate at all, pre-release as it may be.
    pub fn admits(&self, known: &Known) -> bool {
        self.prereleases != Admission::Never || !known.point.version().any_prerelease()
    }

    /// Whether no index knows the project.
    pub fn is_unknown(&self) -> bool {
        self.page.is_none() && self.direct.is_none()
    }

    /// The index it came from.
    pub fn index(&self) -> Option<Url> {
        self.page.as_ref().and_then(|page| page.index.clone())
    }
}

impl Known {
    /// What it or an extra of it needs, if anybody asked yet.
    pub fn known_needs(&self, extra: Option<ExtraId>) -> Option<Rc<[Need]>> {
        self.needs.borrow().get(&extra)?.clone().ok()
    }

    pub fn new(version: &Version, position: usize) -> Self {
        Self {
            position,
            point: Point::new(version),
            release: OnceCell::new(),
            serving: OnceCell::new(),
            metadata: OnceCell::new(),
            needs: RefCell::default(),
        }
    }
}

/// An address without credentials, or a path.
pub(super) fn show(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Versions(specifiers) => specifiers.to_string(),
        Wanted::Path(path) => path.display().to_string(),
        Wanted::Url(url) => without_login(url).to_string(),
    }
}
