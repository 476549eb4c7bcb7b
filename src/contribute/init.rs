//! New modules: a project and everything that it needs and nixpkgs lacks, in the order in which they
//! depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::check::{Checks, checks};
use super::license::Open;
use super::lint::{Context, lint};
use super::list::{Listed, insert};
use super::message::Change;
use super::repository::Commit;
use super::tree::{LIST, Tree};
use super::{ContributeError, wheel};
use crate::assemble::Assembly;
use crate::index::{Catalog as _, Distribution, RemoteCatalog};
use crate::nixpkgs::Nixpkgs;
use crate::plan::derivation::Relaxed;
use crate::plan::{Definition, Derivation, Entry, Needed};
use crate::project::SourceFacts;
use crate::python::{PackageName, Targets};
use crate::render::{Document, module};
use crate::resolve::Pin;

/// What modules are made from.
pub struct Wanted<'a> {
    /// The pins and what is to be done about them, with the checkout as nixpkgs.
    pub assembly: &'a Assembly,
    /// What the checkout has.
    pub nixpkgs: &'a Nixpkgs,
    /// Where files are looked at.
    pub catalog: &'a RemoteCatalog,
    /// Whether sources are taken from the forge where that can be.
    pub forge: bool,
    /// Who will look after the modules.
    pub maintainers: &'a [String],
    /// Whether limits on what nixpkgs has at another version are dropped.
    pub relax: bool,
}

/// A module that can be written.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The attribute.
    pub attr: String,
    /// The project.
    pub project: PackageName,
    /// The package.
    pub derivation: Derivation,
    /// The tag of its version, where the source is a repository's.
    pub tag: Option<String>,
    /// What runs its tests.
    pub checks: Checks,
    /// Its one executable, or the main one.
    pub main_program: Option<String>,
    /// Who will look after it.
    pub maintainers: Vec<String>,
    /// What is to be asked about its licence; none where it is certain.
    pub open: Option<Open>,
    /// Top-level attributes that the Python set has as something else.
    pub from_pkgs: Vec<String>,
    /// What a person has to look at, as sentences.
    pub notes: Vec<String>,
    /// Its sdist, where its licence's text is.
    pub sdist: Option<Distribution>,
}

impl Prepared {
    /// Its file, below the tree.
    pub fn path(&self) -> String {
        Tree::module(&self.attr)
    }

    /// Its text.
    pub fn text(&self) -> String {
        let open = self
            .open
            .as_ref()
            .filter(|_| self.derivation.meta.license.is_none());
        module::module(&module::Module {
            derivation: &self.derivation,
            tag: self.tag.clone(),
            checks: self.checks.inputs.clone(),
            check_comments: self.checks.comments.clone(),
            main_program: self.main_program.clone(),
            maintainers: self.maintainers.clone(),
            open_license: open.map(Open::comments).unwrap_or_default(),
        })
    }

    /// What is said of it.
    pub fn change(&self) -> Change {
        let meta = &self.derivation.meta;
        Change {
            attr: self.attr.clone(),
            old: None,
            new: self.derivation.version.clone(),
            changelog: meta.changelog.clone(),
            description: meta.description.clone(),
            homepage: meta.homepage.clone(),
            notes: self.notes.clone(),
        }
    }

    /// What is left to be filled in, as sentences.
    pub fn unfinished(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.derivation.meta.license.is_none() {
            let because = self.open.as_ref().map(Open::because).unwrap_or_default();
            left.push(format!("the licence: {because}"));
        }
        if self.derivation.rust.is_some() {
            left.push("the digest of its crates, which only a build tells".to_owned());
        }
        left
    }
}

/// Makes the modules: what was asked for comes last.
///
/// # Errors
/// Where something cannot be a module of nixpkgs, or needs first that another module changes.
pub fn prepare(wanted: &Wanted<'_>) -> Result<Vec<Prepared>, ContributeError> {
    let mut found = BTreeMap::new();
    for entry in &wanted.assembly.plan.entries {
        if let Some(derivation) = new(entry)? {
            found.insert(entry.attr.clone(), (entry, derivation));
        }
    }
    let blocked = blocked(wanted, &found);
    let firm = blocked.iter().filter(|b| !wanted.relax || b.for_build);
    let firm: Vec<String> = firm.map(|b| b.sentence.clone()).collect();
    if !firm.is_empty() {
        return Err(ContributeError::Blocked(firm));
    }
    let mut prepared = BTreeMap::new();
    for (attr, (entry, derivation)) in &found {
        let mut module = one(wanted, entry, derivation)?;
        for blocked in blocked.iter().filter(|b| b.by == entry.project) {
            blocked.relax(wanted.assembly, &mut module);
        }
        prepared.insert(attr.clone(), module);
    }
    Ok(ordered(prepared))
}

/// The package that an entry is, where it is a new one.
fn new(entry: &Entry) -> Result<Option<&Derivation>, ContributeError> {
    let is_new = |d: &Definition| matches!(d, Definition::New(_));
    match entry.variants.as_slice() {
        [one] => match &one.definition {
            Definition::New(derivation) => Ok(Some(derivation)),
            _ => Ok(None),
        },
        several if several.iter().any(|v| is_new(&v.definition)) => {
            Err(ContributeError::NoModule {
                release: entry.project.to_string(),
                why: "it is needed at different versions on different systems".to_owned(),
            })
        }
        _ => Ok(None),
    }
}

/// Something that a new module needs, and that nixpkgs has at another version.
struct Blocked {
    by: PackageName,
    of: PackageName,
    for_build: bool,
    sentence: String,
    because: String,
}

impl Blocked {
    /// Drops the limit.
    fn relax(&self, assembly: &Assembly, module: &mut Prepared) {
        let Some(pin) = pin(assembly, &self.by) else {
            return;
        };
        let names = pin.metadata.spelt(&self.of).into_iter();
        module.derivation.relaxed.extend(names.map(|name| Relaxed {
            name,
            remove: false,
            because: self.because.clone(),
        }));
        let note = format!(
            "{}: whether that works, only its tests can tell",
            self.because
        );
        module.notes.push(note);
    }
}

/// What new modules need of nixpkgs that it has at another version.
fn blocked(wanted: &Wanted<'_>, found: &BTreeMap<String, (&Entry, &Derivation)>) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for entry in &wanted.assembly.plan.entries {
        let Some(variant) = entry.variants.last() else {
            continue;
        };
        let by = found.values().filter(|(_, derivation)| {
            let all = derivation
                .dependencies
                .iter()
                .chain(&derivation.build_system);
            all.into_iter().any(|needed| needed.attr == entry.attr)
        });
        for (user, derivation) in by {
            let has = wanted.nixpkgs.attributes(&entry.project).first();
            let has = has.map(|a| a.version.to_string()).unwrap_or_default();
            let needs = requirement(wanted, &user.project, &entry.project);
            let release = format!("{} {}", derivation.pname, derivation.version);
            let sentence = match &variant.definition {
                Definition::Override(_, new) => format!(
                    "{release} needs {needs}, and this nixpkgs has {has}: bring it to {} first, \
                     with `pyresolve nixpkgs update {}`, or add `--relax`",
                    new.version, entry.project
                ),
                Definition::Nixpkgs(other) if *other != entry.attr => format!(
                    "{release} needs {needs}, which only `{other}` is here: nixpkgs wants the \
                     default attribute `{}` ({has}) as a dependency; `--relax` takes that",
                    entry.attr
                ),
                _ => continue,
            };
            let for_build = derivation.build_system.iter().any(|n| n.attr == entry.attr);
            blocked.push(Blocked {
                by: user.project.clone(),
                of: entry.project.clone(),
                for_build,
                sentence,
                because: format!("nixpkgs has {} {has}, this needs {needs}", entry.project),
            });
        }
    }
    blocked
}

/// What one project requires of another, as written.
fn requirement(wanted: &Wanted<'_>, by: &PackageName, of: &PackageName) -> String {
    let edge =
        pin(wanted.assembly, by).and_then(|pin| pin.needs.iter().find(|edge| edge.to == *of));
    edge.map_or_else(|| of.to_string(), |edge| edge.requirement.to_string())
}

fn pin<'a>(assembly: &'a Assembly, name: &PackageName) -> Option<&'a Pin> {
    let all = std::iter::once(&assembly.resolution).chain(&assembly.build);
    all.flat_map(|resolution| &resolution.pins)
        .find(|pin| pin.name == *name)
}

/// One module.
fn one(
    wanted: &Wanted<'_>,
    entry: &Entry,
    derivation: &Derivation,
) -> Result<Prepared, ContributeError> {
    let pin = pin(wanted.assembly, &entry.project).ok_or_else(|| ContributeError::NoModule {
        release: entry.project.to_string(),
        why: "it is not among the pins".to_owned(),
    })?;
    let release = format!("{} {}", pin.name, pin.version);
    let mut module = Prepared {
        attr: entry.attr.clone(),
        project: entry.project.clone(),
        derivation: derivation.clone(),
        tag: None,
        checks: Checks::default(),
        main_program: None,
        maintainers: wanted.maintainers.to_vec(),
        open: None,
        from_pkgs: Vec::new(),
        notes: Vec::new(),
        sdist: pin.release.sdist.clone(),
    };
    let mut facts = match &pin.release.sdist {
        Some(sdist) => Some(wanted.catalog.facts(&pin.name, sdist)?),
        None => None,
    };
    if wanted.forge {
        match super::forge::source(wanted.catalog, pin, facts.as_deref()) {
            Ok(found) => facts = Some(found.apply(&mut module)),
            Err(why) => module
                .notes
                .push(format!("the source is the index': {why}")),
        }
    }
    let facts = facts.filter(|_| is_built(&module.derivation));
    stands(wanted.assembly, pin, &mut module.derivation);
    let targets = &wanted.assembly.resolution.targets;
    module.checks = tests(wanted.nixpkgs, &module, facts.as_deref(), targets);
    let notes = module.checks.notes.clone();
    module.notes.extend(notes);
    wheel::verify(wanted.catalog, pin, facts.as_deref(), &mut module)?;
    if module.derivation.meta.license.is_none() {
        let abouts = [
            Some(&pin.metadata.about),
            facts.as_deref().map(|f| &f.about),
        ];
        module.open = Some(Open::new(abouts.into_iter().flatten()));
    }
    if !is_built(&module.derivation) {
        let note = "it is packaged from a published wheel, which nixpkgs wants only where there is no source";
        module.notes.push(note.to_owned());
    }
    if entry.attr != pin.name.as_ref() {
        let note = format!(
            "`{}` means something else in nixpkgs: choose a better name than `{}`",
            pin.name, entry.attr
        );
        module.notes.push(note);
    }
    for removed in derivation.relaxed.iter().filter(|relaxed| relaxed.remove) {
        module.notes.push(format!(
            "it needs {} and is needed by it, so that only one of them has the other: look whether its \
             modules can be imported alone",
            removed.name
        ));
    }
    if let Some(homepage) = &mut module.derivation.meta.homepage
        && let Some(page) = homepage.strip_suffix(".git")
    {
        *homepage = page.to_owned();
    }
    module.from_pkgs = from_pkgs(wanted.nixpkgs, &module);
    let asked = asked_for(&module);
    module.notes.extend(asked);
    let all = arguments(&module.derivation);
    if let Some(odd) = all.into_iter().find(|name| !module::is_argument(name)) {
        return Err(ContributeError::NoModule {
            release,
            why: format!("`{odd}` cannot be an argument of a module"),
        });
    }
    Ok(module)
}

/// What reviewers would ask for of what the metadata gave.
fn asked_for(module: &Prepared) -> Vec<String> {
    let found = lint(&module.text(), &Context::default()).into_iter();
    let by_metadata = found.filter(|f| {
        matches!(
            f.rule.name,
            "meta-description" | "meta-homepage" | "imports-check"
        )
    });
    by_metadata
        .map(|f| format!("{}; {}", f.what, f.help))
        .collect()
}

fn is_built(derivation: &Derivation) -> bool {
    matches!(derivation.source, crate::plan::derivation::Source::Sdist(_))
}

fn tests(
    nixpkgs: &Nixpkgs,
    module: &Prepared,
    facts: Option<&SourceFacts>,
    targets: &Targets,
) -> Checks {
    match facts {
        Some(facts) => checks(
            &facts.testing,
            &module.project,
            &module.derivation.dependencies,
            nixpkgs,
            targets,
        ),
        None => Checks {
            comments: vec!["a wheel has no tests".to_owned()],
            ..Checks::default()
        },
    }
}

/// A distribution that only stands for another is not wanted in nixpkgs: its user takes the other one,
/// and drops the requirement.
fn stands(assembly: &Assembly, pin: &Pin, derivation: &mut Derivation) {
    for entry in &assembly.plan.entries {
        let Some(Definition::Stand(stand)) = entry.variants.last().map(|v| &v.definition) else {
            continue;
        };
        let before = derivation.dependencies.len();
        derivation
            .dependencies
            .retain(|needed| needed.attr != entry.attr);
        if derivation.dependencies.len() == before {
            continue;
        }
        derivation.dependencies.push(Needed {
            attr: stand.provider.clone(),
            condition: None,
        });
        let names = pin.metadata.spelt(&entry.project).into_iter();
        derivation.relaxed.extend(names.map(|name| Relaxed {
            name,
            remove: true,
            because: format!("nixpkgs' {} has its modules", stand.provider),
        }));
    }
    derivation.dependencies.sort();
    derivation.dependencies.dedup();
}

/// Every argument of a module that its package names.
fn arguments(derivation: &Derivation) -> BTreeSet<&str> {
    let lists = [
        &derivation.build_system,
        &derivation.native_inputs,
        &derivation.inputs,
        &derivation.dependencies,
    ];
    let lists = lists.into_iter().chain(derivation.optional.values());
    lists.flatten().map(|needed| needed.attr.as_str()).collect()
}

/// Tools and libraries that `callPackage` would find in the Python set first. nixpkgs' `cmake` and
/// `ninja` there carry the tools.
fn from_pkgs(nixpkgs: &Nixpkgs, module: &Prepared) -> Vec<String> {
    let derivation = &module.derivation;
    let inputs = derivation.native_inputs.iter().chain(&derivation.inputs);
    let names: BTreeSet<&str> = inputs
        .map(|needed| needed.attr.split('.').next().unwrap_or_default())
        .filter(|name| !matches!(*name, "cmake" | "ninja" | "stdenv" | "rustPlatform"))
        .filter(|name| *name == module.attr || nixpkgs.project_of(name).is_some())
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Those that others need first. An extra that leads back to its own package is dropped.
fn ordered(mut modules: BTreeMap<String, Prepared>) -> Vec<Prepared> {
    let attrs: Vec<String> = modules.keys().cloned().collect();
    let firm: BTreeMap<String, Vec<String>> = modules
        .iter()
        .map(|(attr, module)| {
            let d = &module.derivation;
            let all = d.build_system.iter().chain(&d.dependencies);
            (
                attr.clone(),
                all.map(|needed| needed.attr.clone()).collect(),
            )
        })
        .collect();
    for attr in &attrs {
        if let Some(module) = modules.get_mut(attr) {
            let back = |needed: &Needed| {
                attrs.contains(&needed.attr) && leads_to(&firm, &needed.attr, attr)
            };
            module
                .derivation
                .optional
                .retain(|_, list| !list.iter().any(back));
        }
    }
    let mut order = Vec::new();
    while !modules.is_empty() {
        let waits = |module: &Prepared| {
            let needs = arguments(&module.derivation);
            let mut needs = needs.into_iter();
            needs.any(|name| name != module.attr && modules.contains_key(name))
        };
        let next = modules.iter().find(|(_, module)| !waits(module));
        // Extras of two packages can lead to each other; then the alphabet decides.
        let next = next.or(modules.iter().next()).map(|(attr, _)| attr.clone());
        order.extend(next.and_then(|attr| modules.remove(&attr)));
    }
    order
}

fn leads_to(edges: &BTreeMap<String, Vec<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut work = vec![from];
    while let Some(attr) = work.pop() {
        if attr == to {
            return true;
        }
        if seen.insert(attr) {
            work.extend(edges.get(attr).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// A commit for each module, in their order: its file, and its line in the list of packages.
///
/// # Errors
/// Where the tree has a module already, or its list has no place for one.
pub fn commits(tree: &Tree, modules: &[Prepared]) -> Result<Vec<Commit>, ContributeError> {
    let mut list = tree.text(LIST)?;
    let mut commits = Vec::new();
    for module in modules {
        let path = module.path();
        if tree.has(&path) {
            return Err(ContributeError::Exists {
                name: module.attr.clone(),
                what: path,
            });
        }
        let listed = Listed {
            attr: &module.attr,
            from_pkgs: &module.from_pkgs,
        };
        list = insert(&list, &listed).map_err(|why| ContributeError::NoPlace {
            path: LIST.to_owned(),
            why: format!("no place for `{}`: {why}", module.attr),
        })?;
        let document = |name: String, text: String| Document { name, text };
        commits.push(Commit {
            message: module.change().message(),
            documents: vec![
                document(path, module.text()),
                document(LIST.to_owned(), list.clone()),
            ],
        });
    }
    Ok(commits)
}

/// The last text of every file that commits change.
pub fn documents(commits: &[Commit]) -> Vec<Document> {
    let mut last: BTreeMap<&str, &Document> = BTreeMap::new();
    for document in commits.iter().flat_map(|commit| &commit.documents) {
        last.insert(&document.name, document);
    }
    last.into_values().cloned().collect()
}

/// Facts of a source, shared.
pub(super) type Facts = Arc<SourceFacts>;
