//! Sources that are fetched while the resolver still works.
//!
//! What the resolver decides for mostly stays decided. So the source of a release that will need an
//! entry is asked for at its decision: a run takes about as long as the longer of the two, resolving
//! and downloading. A guess only warms the catalog; it never changes an answer.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use super::Question;
use crate::event::{Event, Observer};
use crate::index::Catalog;
use crate::plan::decide;
use crate::python::{PackageName, Version};

/// How many versions of one project are fetched on a guess: where more are tried, decisions do not
/// stay.
const GUESSES: usize = 2;

/// Passes events on, and asks for the sources of what is decided for.
pub(super) struct Ahead<'a> {
    catalog: &'a dyn Catalog,
    question: &'a Question<'a>,
    observer: &'a dyn Observer,
    begun: Mutex<BTreeMap<PackageName, Vec<Version>>>,
}

impl<'a> Ahead<'a> {
    pub fn new(
        catalog: &'a dyn Catalog,
        question: &'a Question<'a>,
        observer: &'a dyn Observer,
    ) -> Self {
        Self {
            catalog,
            question,
            observer,
            begun: Mutex::default(),
        }
    }

    fn decided(&self, project: &str, version: &str) {
        let (Ok(name), Ok(version)) = (PackageName::from_str(project), Version::from_str(version))
        else {
            return;
        };
        if self.question.policy.prefer_wheels.contains(&name)
            || !decide::decide_version(&name, &version, self.question.nixpkgs).needs_source()
            || !self.is_new(&name, &version)
        {
            return;
        }
        let Some(page) = self.catalog.known_page(&name) else {
            return;
        };
        // A release without wheels is downloaded for its metadata already.
        if let Some(release) = page.release(&version).filter(|r| !r.wheels.is_empty())
            && let Some(sdist) = &release.sdist
        {
            self.catalog.expect_facts(&name, sdist);
        }
    }

    fn is_new(&self, name: &PackageName, version: &Version) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = begun.entry(name.clone()).or_default();
        let is_new = versions.len() < GUESSES && !versions.contains(version);
        if is_new {
            versions.push(version.clone());
        }
        is_new
    }
}

impl Observer for Ahead<'_> {
    fn see(&self, event: &Event) {
        if let Event::Decided { project, version } = event {
            self.decided(project, version);
        }
        self.observer.see(event);
    }
}
