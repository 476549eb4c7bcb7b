//! The package set that the plan is about: the pins, what is decided for each, and the attribute
//! by which each project is referred to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::decide::{Decision, canonical_attr, decide, stand_version};
use super::proof::{self, Mend};
use super::reason::admits;
use super::spare::spared;
use super::{Condition, Needed, Request, source};
use crate::index::WheelFacts;
use crate::nixpkgs::{Attribute, is_bootstrap};
use crate::project::SourceFacts;
use crate::python::{ExtraName, PackageName, Requirement, TargetSet, Targets, Version};
use crate::resolve::{Edge, Pin};

/// A pin and what is decided for it.
#[derive(Debug)]
pub(super) struct Pinned<'a> {
    pub pin: &'a Pin,
    pub decision: Decision,
    pub for_build: bool,
}

impl Pinned<'_> {
    pub fn release(&self) -> String {
        format!("{} {}", self.pin.name, self.pin.version)
    }
}

/// Everything that attributes of the set are decided from.
#[derive(Debug)]
pub(super) struct Set<'a> {
    pub request: &'a Request<'a>,
    pins: BTreeMap<&'a PackageName, Vec<Pinned<'a>>>,
    /// Pins that the set goes without.
    pub omitted: Vec<Pinned<'a>>,
    /// Build tools that nixpkgs has, but too old for some entry: they stand beside nixpkgs' own, for
    /// those builds only, so that nothing else is built again.
    tools: BTreeMap<&'a PackageName, Pinned<'a>>,
    /// Attributes of nixpkgs that are made the same as another of their project.
    pub mends: BTreeMap<String, Mend>,
}

/// Takes those pins of build requirements out of the others that nixpkgs has at another version. Nothing
/// that the project runs with needs a pin of a build requirement; what else is needed for builds only
/// names the tool itself.
fn tools<'a>(
    request: &Request<'_>,
    pins: &mut BTreeMap<&'a PackageName, Vec<Pinned<'a>>>,
) -> BTreeMap<&'a PackageName, Pinned<'a>> {
    let all = request.resolution.targets.all();
    let mut tools = BTreeMap::new();
    pins.retain(|name, list| {
        let alone = match list.as_slice() {
            [one] => one.for_build && one.pin.targets == all,
            _ => false,
        };
        let other = |p: &Pinned<'_>| {
            use Decision::{Other, Override};
            matches!(p.decision, Override(_) | Other(_))
        };
        if !alone || !list.iter().all(other) {
            return true;
        }
        tools.extend(list.pop().map(|tool| (*name, tool)));
        false
    });
    tools
}

impl<'a> Set<'a> {
    pub fn new(request: &'a Request<'a>) -> Self {
        let mut pins: BTreeMap<&PackageName, Vec<Pinned>> = BTreeMap::new();
        let resolutions = std::iter::once(request.resolution).chain(request.build);
        for (index, resolution) in resolutions.enumerate() {
            let known: BTreeSet<&PackageName> = pins.keys().copied().collect();
            for pin in resolution.pins.iter().filter(|p| !known.contains(&p.name)) {
                pins.entry(&pin.name).or_default().push(Pinned {
                    pin,
                    decision: decide(pin, request.nixpkgs),
                    for_build: index > 0,
                });
            }
        }
        let tools = tools(request, &mut pins);
        let spared = spared(request, &pins);
        let omitted = spared.omitted.into_iter();
        let omitted = omitted.filter_map(|name| pins.remove(name));
        let omitted = omitted.flatten().collect();
        for (name, attribute) in spared.kept {
            for pinned in pins.get_mut(name).into_iter().flatten() {
                pinned.decision = Decision::Keep(attribute.clone());
            }
        }
        let mut set = Self {
            request,
            pins,
            omitted,
            tools,
            mends: BTreeMap::new(),
        };
        set.mends = proof::mends(&set);
        set
    }

    /// Whether nixpkgs' recipe of some pin is known.
    pub fn has_recipes(&self) -> bool {
        let attributes = self.pins.values().flatten();
        let attributes = attributes.filter_map(|pinned| pinned.decision.attribute());
        attributes
            .into_iter()
            .any(|attribute| attribute.facts.is_some())
    }

    /// Whether nixpkgs has nothing of a project: none of its packages needs it.
    pub fn lacks(&self, name: &PackageName) -> bool {
        let lacking = |p: &Pinned| matches!(p.decision, Decision::New | Decision::Stand(_));
        self.pins_of(name).iter().all(lacking)
    }

    /// The build tools that stand beside nixpkgs' own.
    pub fn tools(&self) -> impl Iterator<Item = &Pinned<'a>> {
        self.tools.values()
    }

    /// Everything that the file will build.
    pub fn built(&self) -> impl Iterator<Item = &Pinned<'a>> {
        let pins = self.pins.values().flatten().chain(self.tools.values());
        pins.filter(|pinned| pinned.decision.needs_source())
    }

    /// The version of a tool that a build requirement gets.
    pub fn tool_version(&self, requirement: &Requirement) -> Option<&Version> {
        match self.tool(requirement) {
            Some(tool) => Some(&tool.pin.version),
            None => self.version(&requirement.name),
        }
    }

    /// The tool beside nixpkgs' own that a build requirement needs.
    pub fn tool(&self, requirement: &Requirement) -> Option<&Pinned<'a>> {
        let tool = self.tools.get(&requirement.name)?;
        let specifiers = requirement.specifiers()?;
        let own = self.version(&requirement.name)?;
        (!admits(specifiers, own) && admits(specifiers, &tool.pin.version)).then_some(tool)
    }

    /// What a pin refers to a project by: what only builds need takes the tool beside nixpkgs' own.
    pub fn attr_for(&self, pinned: &Pinned<'_>, name: &PackageName) -> Option<String> {
        let tool = self.tools.get(name).filter(|_| pinned.for_build);
        tool.map_or_else(|| self.attr(name), |tool| Some(self.tool_attr(tool)))
    }

    /// The attribute of a tool that stands beside nixpkgs' own.
    pub fn tool_attr(&self, tool: &Pinned<'_>) -> String {
        if let Decision::Other(attribute) = &tool.decision {
            return attribute.attr.clone();
        }
        let own = canonical_attr(&tool.pin.name, self.request.nixpkgs);
        let version = tool.pin.version.to_string();
        let version: String = version
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        format!("{own}_{version}")
    }

    pub fn targets(&self) -> &'a Targets {
        &self.request.resolution.targets
    }

    /// The pins, by project.
    pub fn pins(&self) -> impl Iterator<Item = (&'a PackageName, &[Pinned<'a>])> {
        self.pins
            .iter()
            .map(|(name, pins)| (*name, pins.as_slice()))
    }

    pub fn pins_of(&self, name: &PackageName) -> &[Pinned<'a>] {
        self.pins.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the file will define the project's attribute from a source.
    pub fn has_entry(&self, name: &PackageName) -> bool {
        self.pins_of(name).iter().any(|p| p.decision.needs_source())
    }

    /// The attribute by which the finished set's project is referred to; none where neither nixpkgs
    /// nor a pin provides it.
    pub fn attr(&self, name: &PackageName) -> Option<String> {
        let provided = self.pins.contains_key(name)
            || is_bootstrap(name)
            || !self.request.nixpkgs.attributes(name).is_empty();
        provided.then(|| canonical_attr(name, self.request.nixpkgs))
    }

    /// nixpkgs' attribute that has a project's modules in its place.
    pub fn stand(&self, name: &PackageName) -> Option<&Attribute> {
        match &self.pins_of(name).first()?.decision {
            Decision::Stand(provider) => Some(provider),
            _ => None,
        }
    }

    /// The version that the finished set has of a project on some target; none where that is not known.
    pub fn version(&self, name: &PackageName) -> Option<&Version> {
        let first = self.pins_of(name).first();
        if let Some(pinned) = first
            && !is_bootstrap(name)
        {
            match &pinned.decision {
                Decision::Keep(own) => return Some(&own.version),
                Decision::Stand(provider) => {
                    let modules = self.pins_of(&provider.project).first();
                    let modules = match modules.map(|p| &p.decision) {
                        Some(Decision::Keep(own)) => &own.version,
                        Some(_) => modules.map_or(&provider.version, |p| &p.pin.version),
                        None => &provider.version,
                    };
                    return Some(stand_version(&pinned.pin.version, modules));
                }
                _ => {}
            }
            return Some(&pinned.pin.version);
        }
        self.request
            .nixpkgs
            .attributes(name)
            .first()
            .map(|a| &a.version)
    }

    pub fn facts(&self, pin: &Pin) -> Option<&'a Arc<SourceFacts>> {
        self.request
            .facts
            .get(&(pin.name.clone(), pin.version.clone()))
    }

    /// What is known of a pin's wheels.
    pub fn wheels(&self, pin: &Pin) -> &'a [Arc<WheelFacts>] {
        let key = (pin.name.clone(), pin.version.clone());
        self.request.wheels.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Whether an entry for this pin builds from sources.
    pub fn builds_sdist(&self, pin: &Pin) -> bool {
        source::is_built(pin, self.request.policy)
    }

    /// The projects that edges need, extras' own needs included: nixpkgs' packages do not bring
    /// their extras along. On which targets, by project.
    pub fn reach<'e>(
        &'e self,
        edges: impl Iterator<Item = &'e Edge>,
        within: TargetSet,
    ) -> BTreeMap<&'e PackageName, TargetSet> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for edge in edges {
            self.follow(edge, within, &mut found, &mut seen);
        }
        found.retain(|_, targets: &mut TargetSet| !targets.is_empty());
        found
    }

    fn follow<'e>(
        &'e self,
        edge: &'e Edge,
        within: TargetSet,
        found: &mut BTreeMap<&'e PackageName, TargetSet>,
        seen: &mut BTreeSet<(&'e PackageName, &'e ExtraName, TargetSet)>,
    ) {
        let on = edge.targets.and(within);
        let known = found.entry(&edge.to).or_default();
        *known = known.or(on);
        for pinned in self.pins_of(&edge.to) {
            let on = on.and(pinned.pin.targets);
            for extra in &edge.extras {
                if on.is_empty() || !seen.insert((&edge.to, extra, on)) {
                    continue;
                }
                for next in &pinned.pin.needs {
                    if next.via_extra.as_ref() == Some(extra) {
                        self.follow(next, on, found, seen);
                    }
                }
            }
        }
    }

    /// Whether nixpkgs' recipe of a project is kept and tells what it needs.
    pub fn knows_recipe(&self, name: &PackageName) -> bool {
        !self.has_entry(name) && self.recipe_needs(name).is_some()
    }

    fn recipe_needs(&self, name: &PackageName) -> Option<Vec<&PackageName>> {
        let attribute = self.pins_of(name).first()?.decision.attribute()?;
        let edges = attribute.facts.as_ref()?.edges()?;
        let nixpkgs = self.request.nixpkgs;
        Some(
            edges
                .filter_map(|need| nixpkgs.project_of(&need.attr))
                .collect(),
        )
    }

    /// The projects that a pinned project needs to be built, itself left out: of an entry what it will
    /// say, of a package that nixpkgs keeps what its recipe says, where that is known.
    pub fn needs(&self, name: &PackageName) -> BTreeSet<&PackageName> {
        let pins = self.pins_of(name);
        let mut needs = BTreeSet::new();
        match self.recipe_needs(name).filter(|_| !self.has_entry(name)) {
            Some(known) => {
                let pinned = known.into_iter().filter_map(|n| self.pins.get_key_value(n));
                needs.extend(pinned.map(|(pinned, _)| *pinned));
            }
            None => {
                for pinned in pins {
                    let base = pinned.pin.needs.iter().filter(|e| e.via_extra.is_none());
                    needs.extend(self.reach(base, pinned.pin.targets).into_keys());
                }
            }
        }
        needs.remove(name);
        needs
    }

    /// A reference to a project's attribute, needed on `on` of the targets `within`.
    pub fn needed(&self, name: &PackageName, on: TargetSet, within: TargetSet) -> Option<Needed> {
        Some(Needed {
            attr: self.attr(name)?,
            condition: Condition::of(self.targets(), on, within),
        })
    }
}
