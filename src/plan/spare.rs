//! Pins that the file need not define, because only packages want them that nixpkgs keeps: such a
//! package is built by nixpkgs with whatever nixpkgs has, and works with it.
//!
//! Two kinds. A project that nixpkgs lacks is *left out* where nobody but kept packages needs it: nixpkgs
//! builds those without it (torch needs no NVIDIA wheels there, celery no click-repl). A project that
//! nixpkgs has at another version than the pin's is *kept* at nixpkgs' version where the requirements
//! that this does not meet are kept packages' only (nixpkgs has relaxed them), or where it meets all of
//! them and only the index lacks it. pylock.toml has the index' release all the same: it is for
//! installers.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::decide::Decision;
use super::reason::admits;
use super::set::Pinned;
use crate::nixpkgs::Attribute;
use crate::python::{ExtraName, PackageName, Requirement};
use crate::resolve::Edge;

pub(super) type Pins<'a> = BTreeMap<&'a PackageName, Vec<Pinned<'a>>>;

/// Pins without an entry.
pub(super) struct Spared<'a> {
    /// Projects that the set goes without.
    pub omitted: BTreeSet<&'a PackageName>,
    /// Projects of which nixpkgs' own version is taken.
    pub kept: BTreeMap<&'a PackageName, Attribute>,
}

/// Finds them: everything is spared until somebody is found who needs an entry.
pub(super) fn spared<'a>(request: &'a Request<'_>, pins: &Pins<'a>) -> Spared<'a> {
    let mut spared = Spared {
        omitted: BTreeSet::new(),
        kept: BTreeMap::new(),
    };
    for (name, list) in pins {
        let lacks = |p: &Pinned| p.decision == Decision::New && !p.for_build;
        if list.iter().all(lacks) {
            spared.omitted.insert(*name);
        } else if let Some(attribute) = keepable(request, pins, name, list) {
            spared.kept.insert(*name, attribute.clone());
        }
    }
    loop {
        let before = (spared.omitted.len(), spared.kept.len());
        let mut demands = Demands {
            pins,
            made: Vec::new(),
            seen: BTreeSet::new(),
        };
        for edge in &request.resolution.roots {
            demands.follow(edge);
        }
        for (name, list) in pins {
            for pinned in list.iter().filter(|p| !is_quiet(&spared, name, p)) {
                let base = pinned.pin.needs.iter().filter(|e| e.via_extra.is_none());
                base.for_each(|edge| demands.follow(edge));
            }
        }
        for requirement in demands.made {
            spared.omitted.remove(&requirement.name);
            let unmet = spared.kept.get(&requirement.name).is_some_and(|kept| {
                let specifiers = requirement.specifiers();
                specifiers.is_none_or(|s| !admits(s, &kept.version))
            });
            if unmet {
                spared.kept.remove(&requirement.name);
            }
        }
        spared.forget_what_stands_on_entries(pins);
        if before == (spared.omitted.len(), spared.kept.len()) {
            return spared;
        }
    }
}

impl Spared<'_> {
    /// What nixpkgs' version of a project needs is known from the pin's metadata at best. Where
    /// something of that is another version than nixpkgs', nobody knows whether it will do.
    fn forget_what_stands_on_entries(&mut self, pins: &Pins<'_>) {
        let mut shaky = Vec::new();
        for name in self.kept.keys() {
            let needs = pins.get(name).into_iter().flatten();
            let needs = needs.flat_map(|p| &p.pin.needs);
            let changed = needs.filter(|e| e.via_extra.is_none()).any(|edge| {
                let list = pins.get(&edge.to).into_iter().flatten();
                list.into_iter().any(|p| !is_quiet(self, &edge.to, p))
            });
            if changed {
                shaky.push(*name);
            }
        }
        for name in shaky {
            self.kept.remove(name);
        }
    }
}

/// Whether nothing is built for a pin, so that what it needs is what nixpkgs' package needs: that of
/// a twin's name stands for the modules of nixpkgs', not for the requirements of the published binary.
fn is_quiet(spared: &Spared<'_>, name: &PackageName, pinned: &Pinned<'_>) -> bool {
    matches!(
        pinned.decision,
        Decision::Reuse(_) | Decision::Other(_) | Decision::Bootstrap(_) | Decision::Stand(_)
    ) || spared.omitted.contains(name)
        || spared.kept.contains_key(name)
}

/// nixpkgs' default attribute of a project that would be overridden, where it may be taken as it is.
fn keepable<'r>(
    request: &'r Request<'_>,
    pins: &Pins<'_>,
    name: &PackageName,
    list: &[Pinned<'_>],
) -> Option<&'r Attribute> {
    let [one] = list else { return None };
    if !matches!(one.decision, Decision::Override(_)) || one.for_build || one.pin.direct.is_some() {
        return None;
    }
    let own = request.nixpkgs.attributes(name).first()?;
    if !request.policy.keep || !own.primary {
        return None;
    }
    let mut limits = request.policy.limits.iter().filter(|l| l.name == *name);
    if limits.any(|limit| limit.specifiers().is_none_or(|s| !admits(s, &own.version))) {
        return None;
    }
    // A version that everybody would take, and that the index has, was rejected for a reason.
    let all = request.resolution.roots.iter();
    let all = all.chain(pins.values().flatten().flat_map(|p| &p.pin.needs));
    let refused = all.filter(|edge| edge.to == *name).any(|edge| {
        let specifiers = edge.requirement.specifiers();
        specifiers.is_none_or(|s| !admits(s, &own.version))
    });
    (refused || request.unpublished.contains(name)).then_some(own)
}

/// What is required by the user and by entries, extras of kept packages included where they ask for them.
struct Demands<'p, 'a> {
    pins: &'p Pins<'a>,
    made: Vec<&'p Requirement>,
    seen: BTreeSet<(&'p PackageName, &'p ExtraName)>,
}

impl<'p> Demands<'p, '_> {
    fn follow(&mut self, edge: &'p Edge) {
        let mut work = vec![edge];
        while let Some(edge) = work.pop() {
            self.made.push(&edge.requirement);
            for extra in &edge.extras {
                if !self.seen.insert((&edge.to, extra)) {
                    continue;
                }
                let pins = self.pins.get(&edge.to).into_iter().flatten();
                let needs = pins.flat_map(|p| &p.pin.needs);
                work.extend(needs.filter(|e| e.via_extra.as_ref() == Some(extra)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::plan::fixture::Fixture;

    fn actions(fixture: &Fixture) -> Vec<String> {
        let steps = fixture.plan().unwrap().steps;
        let shown = steps.iter();
        let shown = shown.map(|s| format!("{} {:?}", s.name, s.action).to_lowercase());
        shown.collect()
    }

    fn preferring() -> Fixture {
        let mut fixture = Fixture::new();
        fixture.policy.keep = true;
        fixture
    }

    /// The snapshot has aioamqp 0.15.0, tornado 6.5.4 and six 1.17.0.
    #[test]
    fn what_kept_packages_refuse_is_nixpkgs_own_affair() {
        let fixture = || {
            let fixture = preferring().root("aioamqp");
            let fixture = fixture.pin("aioamqp", "0.15.0", &["tornado<6", "unheard"]);
            let fixture = fixture.pin("unheard", "1.0", &["unheard-too"]);
            fixture.pin("unheard-too", "1.0", &[])
        };
        let kept = fixture().pin("tornado", "5.1", &["six"]);
        let kept = kept.pin("six", "1.17.0", &[]);
        assert_eq!(
            actions(&kept),
            [
                "aioamqp reuse",
                "six reuse",
                "tornado keep",
                "unheard omit",
                "unheard-too omit"
            ]
        );
        assert_eq!(kept.plan().unwrap().entries, []);
        // The user's own requirement counts, and so do those of entries.
        let wanted = fixture().root("tornado<6").pin("tornado", "5.1", &[]);
        assert_eq!(actions(&wanted)[1], "tornado override");
        let wanted = fixture().root("ours").pin("tornado", "5.1", &[]);
        let wanted = wanted.pin("ours", "1.0", &["tornado<6", "unheard"]);
        assert_eq!(
            actions(&wanted),
            [
                "aioamqp reuse",
                "ours new",
                "tornado override",
                "unheard new",
                "unheard-too new"
            ]
        );
        // What it needs is not as nixpkgs has it.
        let shaky = fixture().root("six<1").pin("six", "0.9", &[]);
        let shaky = shaky.pin("tornado", "5.1", &["six"]);
        assert_eq!(actions(&shaky)[2], "tornado override");
        let mut latest = fixture().pin("tornado", "5.1", &[]);
        latest.policy.keep = false;
        assert_eq!(actions(&latest)[1], "tornado override");
    }

    #[test]
    fn versions_that_the_index_lacks_are_kept() {
        let mut fixture = preferring().root("tornado>=6").pin("tornado", "6.5.3", &[]);
        // Where the index has it, the resolver had a reason.
        assert_eq!(actions(&fixture), ["tornado override"]);
        let tornado = PackageName::from_str("tornado").unwrap();
        fixture.unpublished.insert(tornado);
        assert_eq!(actions(&fixture), ["tornado keep"]);
        let mut fixture = fixture.root("tornado<6.5.4");
        fixture.policy.keep = true;
        assert_eq!(actions(&fixture), ["tornado override"]);
    }

    /// The snapshot has faiss 1.14.1.
    #[test]
    fn what_only_a_published_binary_needs_is_left_out() {
        let fixture = preferring().root("faiss-cpu");
        let fixture = fixture.pin("faiss-cpu", "1.14.1", &["unheard"]);
        let fixture = fixture.pin("unheard", "1.0", &[]);
        assert_eq!(actions(&fixture), ["faiss-cpu new", "unheard omit"]);
        let asked = fixture.root("unheard");
        assert_eq!(actions(&asked), ["faiss-cpu new", "unheard new"]);
    }

    #[test]
    fn extras_that_somebody_asks_for_are_not_left_out() {
        let fixture = preferring().root("aioamqp[fast]");
        let fixture = fixture.pin("aioamqp", "0.15.0", &["unheard; extra == 'fast'"]);
        let fixture = fixture.pin("unheard", "1.0", &[]);
        assert_eq!(actions(&fixture), ["aioamqp reuse", "unheard new"]);
    }
}
