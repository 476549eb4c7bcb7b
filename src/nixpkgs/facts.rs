//! What a nixpkgs tree says about one of its Python attributes, beyond project and version: the
//! recipe as data. Read from the tree's files ([`super::checkout`]) or evaluated by Nix
//! ([`super::evaluate`]); the bundled snapshot has none of it.
//!
//! Nothing here is guessed. A field that the recipe sets and that could not be read whole is `None`
//! and named in [`AttributeFacts::unknown`]; a field that the recipe does not set is known to be
//! empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::keep::Record;

/// How facts came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum How {
    /// Read from the tree's files, without running anything.
    #[default]
    Read,
    /// Evaluated by Nix, the rest read from the files.
    Evaluated,
}

/// What an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Kind {
    /// Made by `buildPythonPackage`: has `overridePythonAttrs`, can be imported.
    #[default]
    Module,
    /// Made by `buildPythonApplication`: environments ignore it.
    Application,
    /// Another derivation made a member by `toPythonModule`: has no `overridePythonAttrs`.
    Foreign,
}

/// The recipe of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeFacts {
    /// How they came about.
    pub how: How,
    /// What it is.
    pub kind: Kind,
    /// The recipe's file below the tree, `pkgs/development/python-modules/flask/default.nix`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The attribute that this one is another name of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<String>,
    /// `pname` as written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pname: String,
    /// `version` as written: nixpkgs also writes `1.2-unstable-2026-01-31`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `pyproject`, `setuptools`, `wheel` or `other`; empty where it is not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub format: String,
    /// Where the source is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// `sourceRoot` as text; interpolations stand as they are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_root: Option<String>,
    /// `build-system`.
    pub build_system: Option<Vec<Need>>,
    /// `dependencies` and `propagatedBuildInputs`.
    pub dependencies: Option<Vec<Need>>,
    /// `optional-dependencies`, extras as written.
    pub optional: Option<BTreeMap<String, Vec<Need>>>,
    /// `nativeBuildInputs`.
    pub native_inputs: Option<Vec<Need>>,
    /// `nativeCheckInputs` and `checkInputs`.
    pub check_inputs: Option<Vec<Need>>,
    /// `buildInputs`.
    pub inputs: Option<Vec<Need>>,
    /// `patches`.
    pub patches: Option<Vec<Patch>>,
    /// The shell fragments that it sets, by name: `postPatch`, `preBuild`, `preCheck`…
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub phases: BTreeMap<String, Script>,
    /// `disabledTests`.
    pub disabled_tests: Option<Vec<String>>,
    /// `disabledTestPaths`.
    pub disabled_test_paths: Option<Vec<String>>,
    /// `pythonRelaxDeps`: whose version limits are dropped.
    pub relaxed: Option<Names>,
    /// `pythonRemoveDeps`: what is no requirement.
    pub removed: Option<Names>,
    /// The function that makes `cargoDeps`: `fetchCargoVendor`, `importCargoLock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cargo_deps: Option<String>,
    /// `doCheck`, where it is said and does not depend on the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_check: Option<bool>,
    /// Whether it is not for the interpreter in question (`disabled`).
    #[serde(skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// Whether it is marked `meta.broken`.
    #[serde(skip_serializing_if = "is_false")]
    pub broken: bool,
    /// Every name that the recipe sets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub set: BTreeSet<String>,
    /// Names among them whose value could not be read, or not whole.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<String>,
}

/// What is known of an attribute's recipe: nothing, or facts that may lie on disk until somebody
/// looks at them.
#[derive(Clone, Default)]
pub struct Facts(Option<Arc<Slot>>);

struct Slot {
    facts: OnceLock<Option<Arc<AttributeFacts>>>,
    record: Option<Record>,
}

impl Facts {
    /// Facts that are kept on disk.
    pub(super) fn kept(record: Record) -> Self {
        Self(Some(Arc::new(Slot {
            facts: OnceLock::new(),
            record: Some(record),
        })))
    }

    /// The facts, where there are any. What cannot be read any more is not known.
    pub fn as_ref(&self) -> Option<&Arc<AttributeFacts>> {
        let slot = self.0.as_ref()?;
        let read = || slot.record.as_ref().and_then(Record::read).map(Arc::new);
        slot.facts.get_or_init(read).as_ref()
    }

    /// The same, without their counter.
    pub fn as_deref(&self) -> Option<&AttributeFacts> {
        self.as_ref().map(Arc::as_ref)
    }

    /// Whether there are any.
    pub fn is_some(&self) -> bool {
        self.as_ref().is_some()
    }
}

impl From<AttributeFacts> for Facts {
    fn from(facts: AttributeFacts) -> Self {
        Self(Some(Arc::new(Slot {
            facts: OnceLock::from(Some(Arc::new(facts))),
            record: None,
        })))
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Facts {}

/// Something that a recipe needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Need {
    /// The attribute: of the Python set, or of the top level.
    #[serde(rename = "a")]
    pub attr: String,
    /// Whether it is a member of the top level (`pkgs.zlib`), not of the Python set.
    #[serde(rename = "t", skip_serializing_if = "is_false")]
    pub top_level: bool,
    /// Which of its extras are wanted too (`foo.optional-dependencies.x`).
    #[serde(rename = "x", skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<String>,
    /// The systems it is needed on, where that is not all of them.
    #[serde(rename = "s", skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<String>,
    /// The condition, as written, where it could not be decided: the need may or may not hold.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// Where a recipe's source is from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// The fetcher: `fetchPypi`, `fetchFromGitHub`, `fetchurl`…
    pub fetcher: String,
    /// Its arguments, as far as they are texts: `pname`, `owner`, `repo`, `tag`, `rev`, `url`, `hash`…
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub arguments: BTreeMap<String, String>,
}

/// A patch of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch {
    /// A file of the tree, by its path below it.
    File(String),
    /// One that is fetched (`fetchpatch`): its address.
    Fetched(String),
    /// Anything else, as written.
    Other(String),
}

/// A fragment of shell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Script {
    /// Its text; interpolations that could not be read stand as they are written.
    pub text: String,
    /// Whether the text is exactly what the shell sees.
    pub exact: bool,
}

/// Some names, or all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Names {
    /// `true`.
    All,
    /// These, as written.
    Some(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Names::Some(Vec::new())
    }
}

impl Need {
    /// The attribute `attr` of the Python set, needed everywhere.
    pub fn new(attr: &str) -> Self {
        Self {
            attr: attr.to_owned(),
            ..Self::default()
        }
    }
}

impl AttributeFacts {
    /// What it needs to run, of the Python set; none where that is unknown. Needs under a condition
    /// that could not be decided are among them.
    pub fn edges(&self) -> Option<impl Iterator<Item = &Need>> {
        Some(self.dependencies.as_ref()?.iter().filter(|n| !n.top_level))
    }

    /// Whether it was written for one source in more than its hash: what an override with another
    /// source must look at.
    pub fn is_fitted(&self) -> bool {
        self.patches.as_ref().is_none_or(|p| !p.is_empty())
            || self.source_root.is_some()
            || self.cargo_deps.is_some()
            || FITTED.iter().any(|phase| self.set.contains(*phase))
    }
}

/// Fragments that change the source.
const FITTED: [&str; 6] = [
    "patchPhase",
    "postPatch",
    "postUnpack",
    "preBuild",
    "preConfigure",
    "prePatch",
];

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
