//! What is asked for ahead of the solver, round trip by round trip.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::{File, PackageName, Version, catalog, input, name};
use crate::index::fixed::FixedCatalog;
use crate::index::{Catalog, Distribution, Extent, IndexError, Page, Release, Scout, WheelFacts};
use crate::project::SourceFacts;
use crate::project::files::Found;
use crate::python::range::Range;
use crate::python::{Metadata, Sha256, Wanted};
use crate::resolve::prefetch::Pathfinder;

/// A question to the index, as text.
type Asked = String;

/// An index that answers in the next round.
struct Distant {
    fixed: FixedCatalog,
    far: bool,
    asked: Mutex<BTreeSet<Asked>>,
    answered: Mutex<BTreeSet<Asked>>,
}

impl Distant {
    fn ask(&self, what: Asked) {
        if !self.answered.lock().unwrap().contains(&what) {
            self.asked.lock().unwrap().insert(what);
        }
    }

    fn knows(&self, what: &Asked) -> bool {
        self.answered.lock().unwrap().contains(what)
    }

    /// Lets everything arrive that was asked for, and tells what it was.
    fn round(&self, finder: &Pathfinder) -> Vec<Asked> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        self.answered.lock().unwrap().extend(asked.iter().cloned());
        for what in &asked {
            let (project, version) = what.split_once(' ').unwrap_or((what, ""));
            let Some(page) = self.known_page(&name(project)) else {
                continue;
            };
            if version.is_empty() {
                finder.page_known(self, &page);
            } else {
                let release = page.release(&super::version(version)).unwrap();
                let metadata = self.fixed.metadata(&page, &release).unwrap();
                finder.metadata_known(self, &page, &release, &metadata);
            }
        }
        asked.into_iter().collect()
    }
}

fn told(page: &Page, version: &Version) -> Asked {
    format!("{} {version}", page.name)
}

impl Catalog for Distant {
    fn page(&self, name: &PackageName) -> Result<Arc<Page>, IndexError> {
        self.fixed.page(name)
    }

    fn metadata(&self, page: &Page, release: &Arc<Release>) -> Result<Arc<Metadata>, IndexError> {
        self.fixed.metadata(page, release)
    }

    fn direct(
        &self,
        name: &PackageName,
        wanted: &Wanted,
    ) -> Result<(Arc<Release>, Arc<Metadata>), IndexError> {
        self.fixed.direct(name, wanted)
    }

    fn facts(
        &self,
        name: &PackageName,
        sdist: &Distribution,
    ) -> Result<Arc<SourceFacts>, IndexError> {
        self.fixed.facts(name, sdist)
    }

    fn wheel_facts(
        &self,
        name: &PackageName,
        wheel: &Distribution,
        extent: Extent,
    ) -> Result<Arc<WheelFacts>, IndexError> {
        self.fixed.wheel_facts(name, wheel, extent)
    }

    fn look(
        &self,
        name: &PackageName,
        sdist: &Distribution,
        paths: &BTreeSet<String>,
    ) -> Result<std::collections::BTreeMap<String, Found>, IndexError> {
        self.fixed.look(name, sdist, paths)
    }

    fn commit_sha256(&self, url: &str, commit: &str) -> Result<Sha256, IndexError> {
        self.fixed.commit_sha256(url, commit)
    }

    fn known_page(&self, name: &PackageName) -> Option<Arc<Page>> {
        let known = self.knows(&name.to_string());
        known.then(|| self.fixed.known_page(name)).flatten()
    }

    fn known_metadata(&self, page: &Page, release: &Arc<Release>) -> Option<Arc<Metadata>> {
        let known = self.knows(&told(page, &release.version));
        known
            .then(|| self.fixed.known_metadata(page, release))
            .flatten()
    }

    fn expect_page(&self, name: &PackageName) {
        self.ask(name.to_string());
    }

    fn guess_page(&self, name: &PackageName) {
        self.ask(name.to_string());
    }

    fn expect_metadata(&self, page: &Page, release: &Arc<Release>) {
        self.ask(told(page, &release.version));
    }

    fn gains_from_guesses(&self) -> bool {
        self.far
    }
}

/// What is asked for in each round until nothing more is.
fn rounds(scenario: &str, far: bool) -> Vec<String> {
    let mut file: File = toml::from_str(scenario).unwrap();
    let (scenario, fixed) = catalog(file.scenario.remove(0));
    let input = input(&scenario);
    let index = Distant {
        fixed,
        far,
        asked: Mutex::default(),
        answered: Mutex::default(),
    };
    let finder = Pathfinder::new(&input);
    for line in &input.requirements {
        let range = line
            .specifiers()
            .map_or_else(Range::full, crate::python::range::range);
        finder.need(&index, &line.name, &range, line.extras.iter().cloned());
    }
    let rounds =
        std::iter::from_fn(|| Some(index.round(&finder)).filter(|asked| !asked.is_empty()));
    rounds.map(|asked| asked.join(", ")).collect()
}

const CHAIN: &str = r#"
[[scenario]]
name = "chain"
requires = ["flask"]
[scenario.index]
flask = { "1" = ["werkzeug<2"] }
werkzeug = { "1" = ["markupsafe"], "2" = [] }
markupsafe = { "1" = [] }
click = { "1" = ["zz-other"] }
zz-other = { "1" = [] }
"#;

#[test]
fn requirements_are_followed_breadth_first() {
    let expected = [
        "flask",
        "flask 1",
        "werkzeug",
        "werkzeug 1",
        "markupsafe",
        "markupsafe 1",
    ];
    assert_eq!(rounds(CHAIN, false), expected);
}

#[test]
fn what_usually_comes_along_is_asked_for_at_once_and_not_followed() {
    // What is guessed tells nothing of what is wanted of it: the older release is asked for later.
    let expected = [
        "blinker, click, flask, itsdangerous, jinja2, markupsafe, werkzeug",
        "click 1, flask 1, markupsafe 1, werkzeug 2",
        "werkzeug 1",
    ];
    assert_eq!(rounds(CHAIN, true), expected);
}

#[test]
fn guesses_wait_where_the_user_holds_something_back() {
    let held = CHAIN.replace(r#"["flask"]"#, r#"["flask", "werkzeug<2"]"#);
    let expected = [
        "flask, werkzeug",
        "flask 1, werkzeug 1",
        "blinker, click, itsdangerous, jinja2, markupsafe",
        "click 1, markupsafe 1",
    ];
    assert_eq!(rounds(&held, true), expected);
}

#[test]
fn releases_that_cannot_go_with_the_users_lines_are_passed_over_in_growing_numbers() {
    let newer: Vec<String> = (2..=20).map(|n| format!(r#""{n}" = ["two>=2"]"#)).collect();
    let scenario = format!(
        r#"
[[scenario]]
name = "held"
requires = ["one", "two<2", "three"]
[scenario.index]
one = {{ "1" = [], {} }}
two = {{ "1" = [], "2" = [] }}
three = {{ "1" = ["four"] }}
four = {{ "1" = [] }}
"#,
        newer.join(", ")
    );
    let expected = [
        "one, three, two",
        "one 20, three 1, two 1",
        "one 12, one 13, one 14, one 15, one 16, one 17, one 18, one 19",
        "one 1, one 10, one 11, one 2, one 3, one 4, one 5, one 6, one 7, one 8, one 9",
        "four",
        "four 1",
    ];
    assert_eq!(rounds(&scenario, false), expected);
}
