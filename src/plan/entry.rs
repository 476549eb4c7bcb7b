//! From decisions to entries: what the file defines, and what the environment names.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use super::cycle::Cuts;
use super::decide::{Decision, canonical_attr, defined_attr};
use super::derivation::{
    Definition, Derivation, Entry, Needed, Recipe, Relaxed, RelaxedBuild, Source, Stand, Variant,
};
use super::reason::{admits, reasons, wanted};
use super::set::{Pinned, Set};
use super::{Condition, PlanError, Reason, build, fix, meta, native, recipe, source};
use crate::nixpkgs::facts::{AttributeFacts, Need};
use crate::nixpkgs::{Attribute, is_bootstrap, is_importable_alone};
use crate::python::{ExtraName, Filename, PackageName, TargetSet};
use crate::resolve::Pin;

/// The entries for a project's pins: its own, and those that keep other versions of it out of the set.
pub(super) fn entries(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    name: &PackageName,
    pins: &[Pinned<'_>],
    warnings: &mut Vec<String>,
) -> Result<Vec<Entry>, PlanError> {
    let plain = |d: &Decision| {
        matches!(
            d,
            Decision::Reuse(_) | Decision::Keep(_) | Decision::Bootstrap(_)
        )
    };
    if pins.iter().all(|p| plain(&p.decision)) {
        return Ok(Vec::new());
    }
    let attr = defined_attr(name, set.request.nixpkgs);
    let mut served = TargetSet::NONE;
    let mut variants = Vec::new();
    let mut comments = Vec::new();
    for pinned in pins {
        served = served.or(pinned.pin.targets);
        comments.push(comment(set, pinned));
        let definition = definition(set, cuts, pinned, warnings)?;
        if let Definition::New(d) | Definition::Override(_, d) = &definition {
            let said = d.relaxed_builds.iter().map(|r| &r.because);
            warnings.extend(said.map(|because| format!("{}: {because}", pinned.release())));
        }
        variants.push((pinned.pin.targets, definition));
    }
    let last = variants.len().saturating_sub(1);
    let variants: Vec<Variant> = variants
        .into_iter()
        .enumerate()
        .map(|(index, (targets, definition))| Variant {
            condition: Condition::of(set.targets(), targets, served).filter(|_| index != last),
            definition,
        })
        .collect();
    let mut entries = siblings(set, name, &attr, &variants);
    entries.insert(
        0,
        Entry {
            attr,
            project: name.clone(),
            comments,
            variants,
        },
    );
    Ok(entries)
}

/// The entry of a build tool that stands beside nixpkgs' own.
pub(super) fn tool(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    tool: &Pinned<'_>,
    warnings: &mut Vec<String>,
) -> Result<Entry, PlanError> {
    let definition = definition(set, cuts, tool, warnings)?;
    Ok(Entry {
        attr: set.tool_attr(tool),
        project: tool.pin.name.clone(),
        comments: vec![
            comment(set, tool),
            "for those builds only: everything else is built with nixpkgs' own".to_owned(),
        ],
        variants: vec![Variant {
            condition: None,
            definition,
        }],
    })
}

/// nixpkgs' other versions of the project, made the same as the chosen one: whatever names them then
/// brings no second version into a closure. Attributes at the default attribute's version are
/// variants of it and follow by themselves.
fn siblings(set: &Set<'_>, name: &PackageName, attr: &str, variants: &[Variant]) -> Vec<Entry> {
    let as_they_are: Vec<&str> = variants
        .iter()
        .filter_map(|v| match &v.definition {
            Definition::Nixpkgs(attr) => Some(attr.as_str()),
            _ => None,
        })
        .collect();
    siblings_of(set, name, attr, &as_they_are)
        .into_iter()
        .map(|a| Entry {
            attr: a.attr.clone(),
            project: name.clone(),
            comments: vec![format!(
                "nixpkgs has {} here: one version for the whole set",
                a.version
            )],
            variants: vec![Variant {
                condition: None,
                definition: Definition::Alias(attr.to_owned()),
            }],
        })
        .collect()
}

/// nixpkgs' attributes of a project that are at another version than the default one, but for those
/// that are the chosen one as they are.
pub(super) fn siblings_of<'s>(
    set: &'s Set<'_>,
    name: &PackageName,
    attr: &str,
    as_they_are: &[&str],
) -> Vec<&'s Attribute> {
    let attributes = set.request.nixpkgs.attributes(name);
    let default = attributes.iter().find(|a| a.primary).map(|a| &a.version);
    let others = attributes.iter();
    let others = others.filter(|a| a.attr != attr && Some(&a.version) != default);
    others
        .filter(|a| !as_they_are.contains(&a.attr.as_str()))
        .collect()
}

fn definition(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    pinned: &Pinned<'_>,
    warnings: &mut Vec<String>,
) -> Result<Definition, PlanError> {
    Ok(match &pinned.decision {
        Decision::Reuse(a)
        | Decision::Other(a)
        | Decision::Keep(a)
        | Decision::Bootstrap(Some(a)) => Definition::Nixpkgs(a.attr.clone()),
        Decision::Bootstrap(None) => Definition::Nixpkgs(pinned.pin.name.to_string()),
        Decision::Override(a) => {
            let mut derivation = Box::new(derivation(set, cuts, pinned, warnings)?);
            adapt(set, pinned, a, &mut derivation, warnings);
            match derivation.source {
                // Nothing of a recipe for a source is right for binaries.
                Source::Wheels(_) => Definition::New(derivation),
                _ if !recipe::can_override(a) => Definition::New(derivation),
                Source::Sdist(_) | Source::Wheel(_) => {
                    Definition::Override(a.attr.clone(), derivation)
                }
            }
        }
        Decision::Stand(provider) => Definition::Stand(Stand {
            pname: pinned.pin.name.to_string(),
            version: set
                .version(&pinned.pin.name)
                .unwrap_or(&pinned.pin.version)
                .to_string(),
            provider: canonical_attr(&provider.project, set.request.nixpkgs),
        }),
        Decision::New => Definition::New(Box::new(derivation(set, cuts, pinned, warnings)?)),
    })
}

/// Says what of nixpkgs' recipe stays.
fn adapt(
    set: &Set<'_>,
    pinned: &Pinned<'_>,
    attribute: &Attribute,
    derivation: &mut Derivation,
    warnings: &mut Vec<String>,
) {
    let key = (pinned.pin.name.clone(), pinned.pin.version.clone());
    let trial = match set.request.trials.get(&key) {
        Some(Ok(trial)) => Ok(trial),
        Some(Err(why)) => Err(why.as_str()),
        None => Err(""),
    };
    let (source, tools) = (&derivation.source, &derivation.build_system);
    derivation.recipe = recipe::recipe(attribute, source, tools, trial);
    if let Ok(Some(text)) = trial.map(|trial| trial.pyproject.as_ref()) {
        // The recipe may have done it.
        let gone = |r: &RelaxedBuild| r.file == "pyproject.toml" && !text.contains(&r.text);
        derivation.relaxed_builds.retain(|r| !gone(r));
    }
    if let Some(facts) = attribute.facts.as_ref() {
        let has = |needs: &Option<Vec<Need>>, attr: &str| {
            let mut all = needs.iter().flatten();
            all.any(|n| {
                n.top_level && n.attr == attr && n.condition.is_none() && n.systems.is_empty()
            })
        };
        derivation
            .native_inputs
            .retain(|n| !has(&facts.native_inputs, &n.attr));
        let lists = [&facts.inputs, &facts.dependencies];
        let links = |attr: &str| lists.iter().any(|list| has(list, attr));
        derivation.inputs.retain(|n| !links(&n.attr));
        keep_programs(facts, derivation);
    }
    let mut said: Vec<String> = Vec::new();
    match trial {
        Ok(trial) => {
            for (name, sentences) in &derivation.recipe.dropped {
                let sentences = sentences.iter();
                said.extend(sentences.map(|s| format!("left out of nixpkgs' {name}: {s}")));
            }
            let unchecked = trial.unchecked.iter();
            said.extend(unchecked.map(|what| format!("not checked: {what}")));
        }
        Err(why) if !why.is_empty() => {
            said.push(format!(
                "nixpkgs' recipe could not be tried on the new source: {why}"
            ));
        }
        Err(_) => {}
    }
    warnings.extend(said.iter().map(|s| format!("{}: {s}", pinned.release())));
    derivation.notes.extend(said);
}

/// Recipes name compilers and pkg-config among the build systems as well: those stay, Rust's where there
/// still is Rust.
fn keep_programs(facts: &AttributeFacts, derivation: &mut Derivation) {
    let rust = derivation.rust.is_some();
    let is_rust =
        |attr: &str| attr.starts_with("rustPlatform.") || matches!(attr, "cargo" | "rustc");
    for need in facts.build_system.iter().flatten() {
        // a set that does not list what builds it has that all the same
        let of_set = need.attr.parse().is_ok_and(|name| is_bootstrap(&name));
        let program = need.top_level && !of_set;
        let plain = program && need.condition.is_none() && need.systems.is_empty();
        let named = derivation.native_inputs.iter().any(|n| n.attr == need.attr);
        let is_program = is_rust(&need.attr) || native::is_program(&need.attr);
        if plain && is_program && !named && (rust || !is_rust(&need.attr)) {
            derivation.native_inputs.push(Needed {
                attr: need.attr.clone(),
                condition: None,
            });
        }
    }
    derivation.native_inputs.sort();
}

/// Why the entry exists: `nixpkgs has 6.5.4, setup.py needs >=6.5.5`.
fn comment(set: &Set<'_>, pinned: &Pinned<'_>) -> String {
    let version = match &pinned.decision {
        Decision::New | Decision::Stand(_) => None,
        _ => set
            .request
            .nixpkgs
            .attributes(&pinned.pin.name)
            .first()
            .map(|a| &a.version),
    };
    let reasons = reasons(set, pinned, version);
    let because = reasons.first();
    if let Decision::Stand(provider) = &pinned.decision {
        return format!(
            "nixpkgs' {} {} has its modules{}",
            provider.attr,
            provider.version,
            because.map_or(String::new(), |r| format!(", {}", needs(r)))
        );
    }
    match (version, because) {
        (None, because) => {
            let by = because.map_or(String::new(), |r| format!(", {}", needs(r)));
            if set.request.nixpkgs.is_empty() {
                by.trim_start_matches(", ").to_owned()
            } else {
                format!("not in nixpkgs{by}")
            }
        }
        (Some(version), Some(reason)) if reason.forces => {
            format!("nixpkgs has {version}, {}", needs(reason))
        }
        (Some(version), _) => {
            format!(
                "nixpkgs has {version}, {} was preferred",
                pinned.pin.version
            )
        }
    }
}

fn needs(reason: &Reason) -> String {
    if reason.wanted.is_empty() {
        format!("{} needs it", reason.by)
    } else {
        format!("{} needs {}", reason.by, reason.wanted)
    }
}

fn derivation(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    pinned: &Pinned<'_>,
    warnings: &mut Vec<String>,
) -> Result<Derivation, PlanError> {
    let pin = pinned.pin;
    let request = set.request;
    let source = source::source(pin, set.targets(), request.policy, request.digests)?;
    let binary = matches!(source, Source::Wheels(_));
    let facts = set.facts(pin);
    let sdist = matches!(source, Source::Sdist(_));
    if sdist && facts.is_none() {
        return Err(PlanError::NoFacts {
            release: pinned.release(),
        });
    }
    let facts = facts.filter(|_| sdist);
    let dependencies = dependencies(set, cuts, pinned)?;
    let relaxed_builds = build::relaxed(set, pin);
    let inputs = native::inputs(set, pin, binary);
    let unmet = build::unmet(set, pin);
    warnings.extend(
        unmet
            .iter()
            .map(|what| format!("{}: {what}", pinned.release())),
    );
    let unknown = inputs.unknown.iter();
    warnings.extend(unknown.map(|what| format!("{}: {what}", pinned.release())));
    let mut derivation = Derivation {
        patches: Vec::new(),
        post_patch: Vec::new(),
        do_check: None,
        pname: pin.name.to_string(),
        version: pin.version.to_string(),
        source_root: source::root(pin).or_else(|| facts.and_then(|f| f.folder.clone())),
        recipe: Recipe::unknown(),
        notes: inputs.unknown,
        missing_files: facts.map(|f| f.missing_files.clone()).unwrap_or_default(),
        relaxed_builds,
        relaxed: relaxed(set, cuts, pinned),
        env: build::variables(set, pin),
        keeps_build_system: keeps_build_system(set, pinned),
        rust: native::rust(set, pinned, warnings),
        own_cmake: native::runs_cmake(set, pin),
        build_system: build::system(set, pin)?,
        native_inputs: inputs.tools,
        inputs: inputs.libraries,
        evidence: inputs.evidence,
        dependencies,
        optional: optional(set, pinned),
        imports: imports(set, pin, facts.map(|f| f.modules.as_slice())),
        of_drivers: inputs.of_drivers,
        meta: meta::meta(pin, facts.map(|f| &f.about), &source),
        source,
    };
    fix::apply(set, pinned, &mut derivation)?;
    Ok(derivation)
}

/// Why an override adds to the recipe's build system instead of replacing it. Recipes name compilers and
/// pkg-config there as well, which no sdist asks for.
fn keeps_build_system(set: &Set<'_>, pinned: &Pinned<'_>) -> Option<&'static str> {
    let facts = set.facts(pinned.pin)?;
    if facts.own_backend {
        return Some("its own build backend may ask for what the recipe has");
    }
    let known = pinned
        .decision
        .attribute()
        .is_some_and(|a| a.facts.is_some());
    let native = |file: &crate::index::Distribution| match &file.filename {
        Filename::Wheel(wheel) => wheel.platform != "any",
        Filename::Sdist(_) => false,
    };
    let wheels = &pinned.pin.release.wheels;
    (!known && wheels.iter().any(native))
        .then_some("the recipe may name programs for native code here")
}

/// The modules that are imported after the build: those of the source, or else of the wheel.
fn imports(set: &Set<'_>, pin: &Pin, of_source: Option<&[String]>) -> Vec<String> {
    match of_source {
        Some(names) => importable(names),
        None => {
            let wheel = set.wheels(pin).first();
            wheel
                .map(|wheel| importable(&wheel.modules))
                .unwrap_or_default()
        }
    }
}

/// The modules whose names can be imported.
fn importable(names: &[String]) -> Vec<String> {
    let is_identifier = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let importable = names.iter().filter(|n| n.split('.').all(is_identifier));
    let importable = importable.filter(|n| is_importable_alone(n));
    let importable: Vec<&String> = importable.collect();
    let space = |name: &str| name.rsplit_once('.').map(|(space, _)| space.to_owned());
    let mut crowds: BTreeMap<String, usize> = BTreeMap::new();
    for space in importable.iter().filter_map(|name| space(name)) {
        *crowds.entry(space).or_default() += 1;
    }
    let is_plugin =
        |name: &str| space(name).is_some_and(|space| crowds.get(&space) > Some(&MAX_IN_NAMESPACE));
    let own = importable.iter().copied().filter(|name| !is_plugin(name));
    let own: Vec<String> = own.cloned().collect();
    if own.is_empty() {
        importable.into_iter().cloned().collect()
    } else {
        own
    }
}

/// Beside a package of its own, a project with more modules than this in a namespace has plugins there
/// (beets' `beetsplug`), which need what only their extras bring.
const MAX_IN_NAMESPACE: usize = 8;

fn dependencies(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    pinned: &Pinned<'_>,
) -> Result<Vec<Needed>, PlanError> {
    let pin = pinned.pin;
    let base = pin.needs.iter().filter(|edge| edge.via_extra.is_none());
    let mut needed = Vec::new();
    for (name, on) in set.reach(base, pin.targets) {
        if *name == pin.name || cuts.contains(&(&pin.name, name)) {
            continue;
        }
        let unknown = || PlanError::UnknownName {
            by: pinned.release(),
            name: name.to_string(),
        };
        let mut this = set.needed(name, on, pin.targets).ok_or_else(unknown)?;
        this.attr = set.attr_for(pinned, name).ok_or_else(unknown)?;
        needed.push(this);
    }
    needed.extend(undeclared(set, pinned));
    needed.sort();
    needed.dedup();
    Ok(needed)
}

/// setuptools, for modules that import its `pkg_resources` and do not say so: nixpkgs' recipes name it then.
/// Since version 82 it has none.
fn undeclared(set: &Set<'_>, pinned: &Pinned<'_>) -> Option<Needed> {
    let name = PackageName::from_str("setuptools").ok()?;
    let uses = set.facts(pinned.pin)?.pkg_resources && set.builds_sdist(pinned.pin);
    let has = set.version(&name)?.release().first() < Some(&82);
    let all = pinned.pin.targets;
    set.needed(&name, all, all).filter(|_| uses && has)
}

/// Requirements that the finished set does not meet, which nixpkgs' check of the built wheel would
/// find: cut cycles, and nixpkgs' own build tools at another version.
fn relaxed(set: &Set<'_>, cuts: &Cuts<'_>, pinned: &Pinned<'_>) -> Vec<Relaxed> {
    let mut relaxed = BTreeMap::new();
    for edge in pinned.pin.needs.iter().filter(|e| e.via_extra.is_none()) {
        let name = &edge.to;
        if cuts.contains(&(&pinned.pin.name, &edge.to)) {
            let because = format!(
                "{name} needs {} itself: the environment has both",
                pinned.pin.name
            );
            relaxed.insert(&edge.to, (true, because));
            continue;
        }
        let (Some(specifiers), Some(version)) =
            (edge.requirement.specifiers(), set.version(&edge.to))
        else {
            continue;
        };
        let stands = set.stand(&edge.to);
        if let Some(provider) = stands.filter(|_| !admits(specifiers, version)) {
            let because = format!(
                "nixpkgs' {} {version} has the modules of {name}, this needs {}",
                provider.attr,
                wanted(specifiers)
            );
            relaxed.entry(&edge.to).or_insert((false, because));
        }
        if is_bootstrap(&edge.to) && !admits(specifiers, version) {
            let because = format!(
                "nixpkgs has {name} {version} and builds every package with it, this needs {}",
                wanted(specifiers)
            );
            relaxed.entry(&edge.to).or_insert((false, because));
        }
    }
    // nixpkgs' hooks compare with METADATA's own spelling.
    let spelt = |name| pinned.pin.metadata.spelt(name).into_iter();
    relaxed
        .into_iter()
        .flat_map(|(name, (remove, because))| {
            spelt(name).map(move |name| Relaxed {
                name,
                remove,
                because: because.clone(),
            })
        })
        .collect()
}

/// What the extras add: those that somebody asked for, and for new packages those that the finished set
/// satisfies anyway.
fn optional(set: &Set<'_>, pinned: &Pinned<'_>) -> BTreeMap<String, Vec<Needed>> {
    let pin = pinned.pin;
    let mut found = BTreeMap::new();
    for extra in &pin.extras {
        let edges = pin
            .needs
            .iter()
            .filter(|e| e.via_extra.as_ref() == Some(extra));
        let needed = set
            .reach(edges, pin.targets)
            .into_iter()
            .filter(|(name, _)| **name != pin.name)
            .map(|(name, on)| set.needed(name, on, pin.targets))
            .collect::<Option<BTreeSet<_>>>();
        if let Some(needed) = needed.filter(|needed| !needed.is_empty()) {
            found.insert(extra.to_string(), needed.into_iter().collect());
        }
    }
    if pinned.decision == Decision::New {
        for extra in &pin.metadata.provides_extra {
            if !found.contains_key(extra.as_ref())
                && !DEVELOPMENT.contains(&extra.as_ref())
                && let Some(needed) = unasked(set, pinned, extra)
            {
                found.insert(extra.to_string(), needed);
            }
        }
    }
    found
}

/// Extras for the package's own developers, which nixpkgs leaves out.
const DEVELOPMENT: [&str; 16] = [
    "all",
    "build",
    "ci",
    "coverage",
    "dev",
    "develop",
    "development",
    "doc",
    "docs",
    "documentation",
    "lint",
    "mypy",
    "test",
    "testing",
    "tests",
    "typing",
];

/// What an extra adds that nobody asked for: none where the set does not have it, or not at a version
/// that satisfies it.
fn unasked(set: &Set<'_>, pinned: &Pinned<'_>, extra: &ExtraName) -> Option<Vec<Needed>> {
    let pin = pinned.pin;
    let mut needed = BTreeSet::new();
    for requirement in pin.metadata.requires_dist.iter() {
        let base = set.targets().matching(&requirement.marker, &[]);
        let with = set
            .targets()
            .matching(&requirement.marker, std::slice::from_ref(extra));
        let on = with.without(base).and(pin.targets);
        if on.is_empty() {
            continue;
        }
        if requirement.name == pin.name || !requirement.extras.is_empty() {
            return None;
        }
        let specifiers = requirement.specifiers()?;
        if !admits(specifiers, set.version(&requirement.name)?) {
            return None;
        }
        needed.insert(set.needed(&requirement.name, on, pin.targets)?);
    }
    (!needed.is_empty()).then(|| needed.into_iter().collect())
}

/// What the environment names: the direct requirements with their extras' needs, what was cut from
/// cycles, and entries that nothing else leads to.
pub(super) fn packages(
    set: &Set<'_>,
    cuts: &Cuts<'_>,
    entries: &[Entry],
) -> Result<Vec<Needed>, PlanError> {
    let all = set.targets().all();
    let mut named = set.reach(set.request.resolution.roots.iter(), all);
    for (_, name) in cuts {
        for pinned in set.pins_of(name) {
            let on = named.entry(name).or_default();
            *on = on.or(pinned.pin.targets);
        }
    }
    for (name, targets) in stranded(set, entries) {
        named.entry(name).or_insert(targets);
    }
    let mut packages = BTreeSet::new();
    for (name, on) in named {
        packages.insert(
            set.needed(name, on, all)
                .ok_or_else(|| PlanError::UnknownName {
                    by: set.request.policy.project.clone(),
                    name: name.to_string(),
                })?,
        );
    }
    Ok(packages.into_iter().collect())
}

/// Projects that nixpkgs lacks and that only packages need which nixpkgs keeps, without them.
fn stranded<'s>(set: &'s Set<'_>, entries: &[Entry]) -> Vec<(&'s PackageName, TargetSet)> {
    let mut led_to: BTreeSet<&str> = BTreeSet::new();
    for entry in entries {
        for variant in &entry.variants {
            if let Definition::New(d) | Definition::Override(_, d) = &variant.definition {
                let needs = d.build_system.iter().chain(&d.dependencies);
                led_to.extend(needs.map(|needed| needed.attr.as_str()));
            }
        }
    }
    let mut stranded = Vec::new();
    for (name, pins) in set.pins() {
        for pinned in pins {
            let attr = canonical_attr(name, set.request.nixpkgs);
            if pinned.decision == Decision::New
                && !pinned.for_build
                && !led_to.contains(attr.as_str())
                && !fix::removes(set, name)
            {
                stranded.push((name, pinned.pin.targets));
            }
        }
    }
    stranded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_in_a_namespace_are_not_imported() {
        let own =
            |names: &[&str]| importable(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        let plugins: Vec<String> = (0..9).map(|n| format!("plug.p{n}")).collect();
        let plugins: Vec<&str> = plugins.iter().map(String::as_str).collect();
        assert_eq!(
            own(&[&["main", "not-one"], &plugins[..]].concat()),
            ["main"]
        );
        assert_eq!(
            own(&[&["main"], &plugins[..2]].concat()),
            ["main", "plug.p0", "plug.p1"]
        );
        assert_eq!(own(&plugins).len(), 9);
    }

    #[test]
    fn modules_that_need_another_one_first_are_not_imported() {
        let names = ["psycopg", "psycopg_binary", "no-name"].map(str::to_owned);
        assert_eq!(importable(&names), ["psycopg"]);
    }
}
