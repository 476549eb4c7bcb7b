//! An existing module brought to another version, in place.
//!
//! What changes is what changed upstream: the requirements of the old and the new release are
//! compared, and only the difference is applied. Where a module deviates from its metadata, it has its
//! reasons.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ContributeError;
use super::dependent::dependents;
use super::edit::{Editor, formatted, lines_with};
use super::message::Change;
use super::repository::Commit;
use super::tree::{LIST, Tree};
use crate::index::{Catalog, Page, Release, RemoteCatalog, sound};
use crate::nixpkgs::checkout::Checkout;
use crate::nixpkgs::facts::{AttributeFacts, Names};
use crate::nixpkgs::{Attribute, Nixpkgs, is_bootstrap};
use crate::plan::decide::canonical_attr;
use crate::plan::{changelog, trial};
use crate::project::files::look;
use crate::project::{Archive, SourceFacts};
use crate::python::range::admits;
use crate::python::{Metadata, PackageName, Requirement, Targets, Version, Wanted};
use crate::render::Document;

/// Lists of what a package needs to run; the second is the old name.
const DEPENDENCIES: [&str; 2] = ["dependencies", "propagatedBuildInputs"];
/// Lists of what builds a package; the second is the old name.
const BUILD_SYSTEM: [&str; 2] = ["build-system", "nativeBuildInputs"];

/// What an update is made from.
pub struct Asked<'a> {
    /// The checkout.
    pub tree: &'a Tree,
    /// Its packages.
    pub nixpkgs: &'a Nixpkgs,
    /// Where releases are.
    pub catalog: &'a RemoteCatalog,
    /// What it is for.
    pub targets: &'a Targets,
    /// The project or attribute.
    pub name: &'a PackageName,
    /// The version; none for the newest.
    pub version: Option<Version>,
    /// The digest of the new source, where the user tells it.
    pub hash: Option<&'a str>,
}

/// A module that can be written.
#[derive(Debug, Clone)]
pub struct Updated {
    /// What is said of it.
    pub change: Change,
    /// Its new text.
    pub document: Document,
    /// What changed besides version and source, as sentences.
    pub changed: Vec<String>,
}

impl Updated {
    /// Its commit.
    pub fn commit(&self) -> Commit {
        Commit {
            message: self.change.message(),
            documents: vec![self.document.clone()],
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The tree has this version already.
    Current(String),
    /// A new text.
    Updated(Box<Updated>),
}

/// Brings a module to another version.
///
/// # Errors
/// Where the tree has no such module, an edit has no place, or the new release needs what the tree
/// lacks.
pub fn update(asked: &Asked<'_>) -> Result<Outcome, ContributeError> {
    let attribute = attribute(asked)?;
    let facts = attribute
        .facts
        .as_deref()
        .ok_or_else(|| ContributeError::NoModule {
            release: attribute.attr.clone(),
            why: "its recipe could not be read".to_owned(),
        })?;
    if facts.file.is_empty() || facts.file == LIST {
        return Err(no_place(
            LIST,
            format!(
                "`{}` is defined here, not in a file of its own",
                attribute.attr
            ),
        ));
    }
    let read = || {
        let page = asked.catalog.page(&attribute.project)?;
        let new = wanted(asked, attribute, &page)?;
        if new.version == attribute.version {
            return Ok(None);
        }
        Releases::fetch(asked, &page, attribute, new).map(Some)
    };
    let Some(releases) = sound(asked.catalog, read)? else {
        return Ok(Outcome::Current(format!(
            "{} {}",
            attribute.attr, facts.version
        )));
    };
    let mut work = Work {
        asked,
        attribute,
        facts,
        releases,
        old_text: asked.tree.text(&facts.file)?,
        notes: Vec::new(),
        changed: Vec::new(),
    };
    work.run()
        .map(|updated| Outcome::Updated(Box::new(updated)))
}

fn no_place(path: &str, why: String) -> ContributeError {
    ContributeError::NoPlace {
        path: path.to_owned(),
        why,
    }
}

/// The attribute of a project, or of this name.
fn attribute<'a>(asked: &Asked<'a>) -> Result<&'a Attribute, ContributeError> {
    let name = asked.name;
    let found = asked.nixpkgs.attributes(name).first();
    let found = found.or_else(|| asked.nixpkgs.attribute(name.as_ref()));
    found.ok_or_else(|| ContributeError::Absent(name.to_string()))
}

/// The release that is wanted: this one, or the newest that is none of the exceptions.
fn wanted(
    asked: &Asked<'_>,
    attribute: &Attribute,
    page: &Page,
) -> Result<Arc<Release>, ContributeError> {
    let release = |version: &Version| page.release(version);
    let none = |why: String| ContributeError::NoModule {
        release: attribute.project.to_string(),
        why,
    };
    if let Some(version) = &asked.version {
        let found = page.versions().find(|v| *v == version).and_then(release);
        return found.ok_or_else(|| none(format!("the index has no release {version}")));
    }
    let python = &asked.targets.python;
    let suits = |release: &Arc<Release>| {
        let pre = release.version.any_prerelease() && !attribute.version.any_prerelease();
        let mut files = release.files();
        !pre && !release.is_yanked()
            && files.any(|f| f.requires_python.as_ref().is_none_or(|r| admits(r, python)))
    };
    let newest = page.versions().rev().filter_map(release).find(suits);
    let newest = newest.ok_or_else(|| none("the index has no release that would do".to_owned()))?;
    if newest.version < attribute.version {
        return Err(none(format!(
            "the index' newest release is {}, this nixpkgs has {}",
            newest.version, attribute.version
        )));
    }
    Ok(newest)
}

/// What is known of the new release, and of the old one as far as the index has it.
struct Releases {
    new: Arc<Release>,
    metadata: Arc<Metadata>,
    facts: Option<Arc<SourceFacts>>,
    old_metadata: Option<Arc<Metadata>>,
    old_facts: Option<Arc<SourceFacts>>,
}

impl Releases {
    fn fetch(
        asked: &Asked<'_>,
        page: &Page,
        attribute: &Attribute,
        new: Arc<Release>,
    ) -> Result<Self, ContributeError> {
        let catalog = asked.catalog;
        let name = &attribute.project;
        let old = page.release(&attribute.version);
        let facts = |release: &Release| {
            let sdist = release.sdist.as_ref()?;
            Some(catalog.facts(name, sdist))
        };
        Ok(Self {
            metadata: catalog.metadata(page, &new)?,
            facts: facts(&new).transpose()?,
            // What cannot be had of the old release only makes the comparison coarser.
            old_metadata: old
                .as_ref()
                .and_then(|old| catalog.metadata(page, old).ok()),
            old_facts: old.as_ref().and_then(|old| facts(old)?.ok()),
            new,
        })
    }
}

struct Work<'a> {
    asked: &'a Asked<'a>,
    attribute: &'a Attribute,
    facts: &'a AttributeFacts,
    releases: Releases,
    old_text: String,
    notes: Vec<String>,
    changed: Vec<String>,
}

impl Work<'_> {
    fn run(&mut self) -> Result<Updated, ContributeError> {
        let runs = self.needs(true);
        let builds = self.needs(false);
        self.lacking(&runs, &builds)?;
        let version = self.releases.new.version.to_string();
        let path = self.facts.file.clone();
        let place = |why: String| no_place(&path, why);
        let mut editor = Editor::new(&self.old_text).map_err(place)?;
        editor.version(&version).map_err(place)?;
        let text = editor.finish().map_err(place)?;
        let text = self.source(&text)?;
        let text = self
            .lists(&text, &DEPENDENCIES, &runs, &["src", "build-system"])
            .map_err(place)?;
        let text = self
            .lists(&text, &BUILD_SYSTEM, &builds, &["src"])
            .map_err(place)?;
        let text = formatted(&self.old_text, text).map_err(place)?;
        self.verify(&text, &version)?;
        self.builder();
        self.unmet();
        self.stale();
        self.dependents();
        let about = &self.releases.metadata.about;
        Ok(Updated {
            change: Change {
                attr: self.attribute.attr.clone(),
                old: Some(self.facts.version.clone()),
                new: version,
                changelog: changelog(about),
                description: None,
                homepage: None,
                notes: self.notes.clone(),
            },
            document: Document {
                name: path.clone(),
                text,
            },
            changed: self.changed.clone(),
        })
    }

    /// What a recipe would say if it had this text.
    fn read(&self, text: &str) -> Result<AttributeFacts, ContributeError> {
        let names = self.asked.nixpkgs.all().map(|a| a.attr.clone()).collect();
        let checkout = Checkout::open(self.asked.tree.root());
        let python = self.asked.targets.python.to_string();
        let read = checkout
            .map_err(|error| error.to_string())
            .and_then(|tree| tree.reread(&python, &self.facts.file, text, &names));
        read.map_err(|why| no_place(&self.facts.file, why))
    }

    /// The requirements of the old and the new release, by the attribute that stands for each.
    fn needs(&self, to_run: bool) -> Needs {
        let parse = |texts: &[String]| -> Vec<Requirement> {
            texts
                .iter()
                .filter_map(|text| Requirement::parse(text).ok())
                .collect()
        };
        let built = |facts: &Option<Arc<SourceFacts>>| {
            facts.as_ref().map(|facts| parse(&facts.build_requires))
        };
        let releases = &self.releases;
        let (new, old) = if to_run {
            let old = releases.old_metadata.as_ref();
            (
                Some(releases.metadata.requires_dist.clone().into()),
                old.map(|m| m.requires_dist.clone().into()),
            )
        } else {
            (built(&releases.facts), built(&releases.old_facts))
        };
        let by_attr = |list: Vec<Requirement>| -> BTreeMap<String, Requirement> {
            let holds = list.into_iter().filter(|r| {
                !self.asked.targets.matching(&r.marker, &[]).is_empty()
                    && r.name != self.attribute.project
                    && !is_hook(&r.name)
            });
            holds
                .map(|r| (canonical_attr(&r.name, self.asked.nixpkgs), r))
                .collect()
        };
        Needs {
            new: new.map(by_attr),
            old: old.map(by_attr),
        }
    }

    /// Refuses what the tree lacks.
    fn lacking(&self, runs: &Needs, builds: &Needs) -> Result<(), ContributeError> {
        let mut lacking = Vec::new();
        for (attr, requirement) in runs.added().chain(builds.added()) {
            let known = is_bootstrap(&requirement.name)
                || !self.asked.nixpkgs.attributes(&requirement.name).is_empty();
            if !known && !self.old_text.contains(attr) {
                lacking.push(format!(
                    "{} {} needs {requirement}, which this nixpkgs lacks: `pyresolve nixpkgs init {}` first",
                    self.attribute.project, self.releases.new.version, requirement.name
                ));
            }
        }
        lacking.sort();
        lacking.dedup();
        if lacking.is_empty() {
            Ok(())
        } else {
            Err(ContributeError::Blocked(lacking))
        }
    }

    /// Applies to a list what changed upstream.
    fn lists(
        &mut self,
        text: &str,
        names: &[&str],
        needs: &Needs,
        after: &[&str],
    ) -> Result<String, String> {
        let mut editor = Editor::new(text)?;
        let name = names.first().copied().unwrap_or_default();
        let mut added = Vec::new();
        for (attr, requirement) in needs.added() {
            if !names.iter().any(|name| editor.lists(&[name], attr)) {
                added.push(attr.clone());
                self.conditions(attr, requirement);
            }
        }
        editor.add(names, &added, after)?;
        let text = editor.finish()?;
        let mut editor = Editor::new(&text)?;
        let mut gone = Vec::new();
        for attr in needs.removed() {
            if editor.remove(names, attr) {
                gone.push(attr.clone());
            }
        }
        let text = editor.finish()?;
        for (what, list) in [("gained", added), ("lost", gone)] {
            if !list.is_empty() {
                self.changed
                    .push(format!("{name} {what} {}", list.join(", ")));
            }
        }
        if needs.old.is_none() && needs.new.is_some() {
            self.notes.push(format!(
                "the index does not have the old release's {name}: nothing was taken out"
            ));
        }
        Ok(text)
    }

    /// What an addition leaves to be done by hand.
    fn conditions(&mut self, attr: &str, requirement: &Requirement) {
        let everywhere = self.asked.targets.matching(&requirement.marker, &[]);
        if everywhere != self.asked.targets.all() {
            self.notes.push(format!(
                "`{attr}` is needed only where {requirement} holds: limit it with `lib.optionals`"
            ));
        }
        if !requirement.extras.is_empty() {
            let extras: Vec<String> = requirement.extras.iter().map(ToString::to_string).collect();
            self.notes.push(format!(
                "{requirement}: add `++ {attr}.optional-dependencies.{}`",
                extras.join(" and ")
            ));
        }
    }

    /// Reads the result again: it must say what it should.
    fn verify(&mut self, text: &str, version: &str) -> Result<(), ContributeError> {
        let facts = self.read(text)?;
        if facts.version != version {
            return Err(no_place(
                &self.facts.file,
                format!("after the edit its version would be {}", facts.version),
            ));
        }
        for line in lines_with(text, &self.facts.version) {
            self.notes
                .push(format!("line {line} still names {}", self.facts.version));
        }
        if facts
            .cargo_deps
            .as_deref()
            .is_some_and(|f| f.contains("etchCargo"))
        {
            self.notes.push(
                "the digest in `cargoDeps` is the old one: build once, and put there what Nix says"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// What a change of the build system asks for besides its list.
    fn builder(&mut self) {
        let requires = |facts: &Option<Arc<SourceFacts>>, name: &str| {
            let facts = facts.iter().flat_map(|facts| &facts.build_requires);
            let mut parsed = facts.filter_map(|text| Requirement::parse(text).ok());
            parsed.any(|requirement| requirement.name.as_ref() == name)
        };
        let (new, old) = (&self.releases.facts, &self.releases.old_facts);
        if requires(new, "maturin") && !requires(old, "maturin") && old.is_some() {
            self.notes.push(
                "maturin builds it now: it needs `rustPlatform.cargoSetupHook`, `rustPlatform.maturinBuildHook` and `cargoDeps`"
                    .to_owned(),
            );
        }
        let changed = self
            .changed
            .iter()
            .any(|line| line.starts_with("build-system gained"));
        if changed && self.facts.format != "pyproject" {
            self.notes.push(
                "it is not built by way of pyproject.toml yet: write `pyproject = true` instead of `format`"
                    .to_owned(),
            );
        }
    }

    /// Requirements that this nixpkgs does not meet, and the recipe does not relax.
    fn unmet(&mut self) {
        for requirement in &self.releases.metadata.requires_dist {
            let Wanted::Versions(specifiers) = &requirement.wanted else {
                continue;
            };
            let holds = !self
                .asked
                .targets
                .matching(&requirement.marker, &[])
                .is_empty();
            let has = self.asked.nixpkgs.attributes(&requirement.name).first();
            if let Some(has) = has.filter(|_| holds)
                && !admits(specifiers, &has.version)
                && !self.relaxes(&requirement.name)
            {
                self.notes.push(format!(
                    "it needs {requirement}, and this nixpkgs has {}: update that first, or relax it (`pythonRelaxDeps`)",
                    has.version
                ));
            }
        }
    }

    fn relaxes(&self, name: &PackageName) -> bool {
        let lists = [&self.facts.relaxed, &self.facts.removed];
        lists.into_iter().flatten().any(|names| match names {
            Names::All => true,
            Names::Some(names) => names.iter().any(|own| {
                own.replace(['_', '.'], "-")
                    .eq_ignore_ascii_case(name.as_ref())
            }),
        })
    }

    /// What of the recipe does not fit the new source: patches, substitutions, paths of tests.
    fn stale(&mut self) {
        let tree = self.asked.tree;
        let text = |path: &str| tree.text(path).ok();
        let paths = trial::wanted(self.facts, &text);
        let touches = self.facts.patches.as_ref().is_none_or(|p| !p.is_empty())
            || !self.facts.phases.is_empty()
            || self
                .facts
                .disabled_test_paths
                .as_ref()
                .is_some_and(|p| !p.is_empty());
        if !touches {
            return;
        }
        let Some(sdist) = &self.releases.new.sdist else {
            self.notes
                .push("there is no sdist to try its patches and substitutions on".to_owned());
            return;
        };
        let archive: Archive = match self.asked.catalog.archive(sdist) {
            Ok(archive) => archive,
            Err(error) => {
                self.notes.push(format!(
                    "its patches and substitutions were not tried: {error}"
                ));
                return;
            }
        };
        let source = paths.into_iter().map(|path| {
            let found = look(&archive, &path);
            (path, found)
        });
        let tried = trial::run(self.facts, &text, &source.collect());
        let of_sdist = self
            .facts
            .source
            .as_ref()
            .is_some_and(|s| !s.fetcher.ends_with("fetchPypi"));
        let place = if of_sdist {
            " (tried on the sdist, which may lack files)"
        } else {
            ""
        };
        for (name, sentences) in &tried.dropped {
            for sentence in sentences {
                self.notes.push(format!(
                    "`{name}` does not fit {}: {sentence}{place}",
                    self.releases.new.version
                ));
            }
        }
        // What belongs to a command that is named already says nothing new.
        let unchecked = tried
            .unchecked
            .iter()
            .filter(|said| !said.ends_with("dropped with it"));
        self.notes.extend(unchecked.cloned());
        for test in tried.lost_tests.iter().filter(|_| !of_sdist) {
            self.notes.push(format!(
                "`disabledTestPaths` names {test}, which the new source lacks"
            ));
        }
    }

    fn dependents(&mut self) {
        let new = &self.releases.new.version;
        let (nixpkgs, targets) = (self.asked.nixpkgs, self.asked.targets);
        let found = dependents(self.asked.catalog, nixpkgs, self.attribute, new, targets);
        self.notes.extend(found.broken);
        if found.asked < found.all {
            self.notes.push(format!(
                "{} of its {} dependents were asked about only",
                found.asked, found.all
            ));
        }
    }
}

/// Build requirements in whose place nixpkgs has a hook.
fn is_hook(name: &PackageName) -> bool {
    matches!(name.as_ref(), "maturin" | "cmake" | "ninja" | "wheel")
}

/// What is needed, before and after, by attribute.
struct Needs {
    new: Option<BTreeMap<String, Requirement>>,
    old: Option<BTreeMap<String, Requirement>>,
}

impl Needs {
    /// What is needed now and was not before.
    fn added(&self) -> impl Iterator<Item = (&String, &Requirement)> {
        let new = self.new.iter().flatten();
        let known: BTreeSet<&String> = self.old.iter().flatten().map(|(attr, _)| attr).collect();
        new.filter(move |(attr, _)| !known.contains(attr))
    }

    /// What was needed before and is not now.
    fn removed(&self) -> impl Iterator<Item = &String> {
        let old = self.old.iter().flatten().map(|(attr, _)| attr);
        old.filter(|attr| {
            self.new
                .as_ref()
                .is_some_and(|new| !new.contains_key(*attr))
        })
    }
}
