//! A lock as a graph: who needs whom, from the user's own requirements down.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Locked, Pylock};
use crate::python::{PackageName, Requirement};

/// Who needs whom in a lock. Pins are known by their place in [`Pylock::packages`].
#[derive(Debug)]
pub struct Graph<'a> {
    lock: &'a Pylock,
    by_name: BTreeMap<&'a PackageName, Vec<usize>>,
    roots: Vec<usize>,
}

/// Somebody who needs a pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Who, by place; none for the user.
    pub by: Option<usize>,
    /// The requirement as written, where the lock tells it.
    pub requirement: Option<String>,
}

impl<'a> Graph<'a> {
    /// The graph of a lock. Where the lock does not tell the user's requirements (another tool's),
    /// the pins that nobody needs stand for them.
    pub fn new(lock: &'a Pylock) -> Self {
        let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
        for (place, pin) in lock.packages.iter().enumerate() {
            by_name.entry(&pin.name).or_default().push(place);
        }
        let mut graph = Self {
            lock,
            by_name,
            roots: Vec::new(),
        };
        graph.roots = match &lock.own {
            Some(own) => {
                let names = own.requirements.iter().filter_map(|text| name_of(text));
                let mut seen = BTreeSet::new();
                names
                    .flat_map(|name| graph.pins(&name).to_vec())
                    .filter(|place| seen.insert(*place))
                    .collect()
            }
            None => {
                let needed: BTreeSet<usize> = (0..lock.packages.len())
                    .flat_map(|place| graph.needs(place))
                    .collect();
                (0..lock.packages.len())
                    .filter(|place| !needed.contains(place))
                    .collect()
            }
        };
        graph
    }

    /// A pin by its place.
    pub fn pin(&self, place: usize) -> Option<&'a Locked> {
        self.lock.packages.get(place)
    }

    /// The pins that the user's requirements name.
    pub fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// The pins of a project.
    pub fn pins(&self, name: &PackageName) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The pins that a pin needs.
    pub fn needs(&self, place: usize) -> Vec<usize> {
        let Some(pin) = self.pin(place) else {
            return Vec::new();
        };
        let fits = |to: &usize, version: &Option<String>| match version {
            None => true,
            Some(version) => self
                .pin(*to)
                .and_then(|pin| pin.version.as_ref())
                .is_some_and(|v| v.to_string() == *version),
        };
        pin.dependencies
            .iter()
            .flat_map(|(name, version)| {
                let all = self.pins(name).iter().copied();
                all.filter(move |to| fits(to, version))
            })
            .collect()
    }

    /// Who needs a pin: the user first, then other pins in the lock's order.
    pub fn needed_by(&self, place: usize) -> Vec<Need> {
        let Some(pin) = self.pin(place) else {
            return Vec::new();
        };
        let on_it = |texts: &[String]| -> Vec<String> {
            let it = texts
                .iter()
                .filter(|t| name_of(t).as_ref() == Some(&pin.name));
            it.cloned().collect()
        };
        let mut all = Vec::new();
        if let Some(own) = &self.lock.own {
            all.extend(on_it(&own.requirements).into_iter().map(|text| Need {
                by: None,
                requirement: Some(text),
            }));
        }
        for by in 0..self.lock.packages.len() {
            if !self.needs(by).contains(&place) {
                continue;
            }
            let texts = self
                .pin(by)
                .map(|pin| on_it(&pin.own.requires))
                .unwrap_or_default();
            if texts.is_empty() {
                all.push(Need {
                    by: Some(by),
                    requirement: None,
                });
            }
            all.extend(texts.into_iter().map(|text| Need {
                by: Some(by),
                requirement: Some(text),
            }));
        }
        all
    }

    /// The shortest way from one of the user's requirements to a pin; empty where there is none.
    pub fn way_to(&self, place: usize) -> Vec<usize> {
        let mut from: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        let mut queue: VecDeque<usize> = VecDeque::new();
        for root in &self.roots {
            from.insert(*root, None);
            queue.push_back(*root);
        }
        while let Some(at) = queue.pop_front() {
            if at == place {
                let mut way = vec![at];
                while let Some(Some(before)) = way.last().and_then(|last| from.get(last)) {
                    way.push(*before);
                }
                way.reverse();
                return way;
            }
            for next in self.needs(at) {
                from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    Some(at)
                });
            }
        }
        Vec::new()
    }
}

/// The project that a requirement is on.
pub fn name_of(requirement: &str) -> Option<PackageName> {
    Requirement::parse(requirement).ok().map(|r| r.name)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    const LOCK: &str = "lock-version = '1.0'
[[packages]]
name = 'a'
version = '1'
dependencies = [{ name = 'b' }, { name = 'c', version = '2' }]
[packages.tool.pyresolve]
requires = ['b>=1', 'c>1']
[[packages]]
name = 'b'
version = '1'
dependencies = [{ name = 'c', version = '2' }, { name = 'a' }]
[[packages]]
name = 'c'
version = '1'
[[packages]]
name = 'c'
version = '2'
";

    #[test]
    fn ways_lead_from_the_roots() {
        let text = format!("{LOCK}[tool.pyresolve]\nrequirements = ['a>=1']\n");
        let lock = Pylock::parse(&text).unwrap();
        let graph = Graph::new(&lock);
        assert_eq!(graph.roots(), [0]);
        assert_eq!(graph.needs(0), [1, 3]);
        assert_eq!(graph.way_to(3), [0, 3]);
        assert_eq!(graph.way_to(2), [] as [usize; 0]);
        let c = graph.pins(&PackageName::from_str("c").unwrap());
        assert_eq!(c, [2, 3]);
        let needs = graph.needed_by(3);
        assert_eq!(needs[0].requirement.as_deref(), Some("c>1"));
        assert_eq!((needs[1].by, &needs[1].requirement), (Some(1), &None));
        assert_eq!(graph.needed_by(0)[0].by, None);
    }

    #[test]
    fn in_another_tools_lock_roots_are_what_nobody_needs() {
        let text = LOCK.replace(", { name = 'a' }", "");
        let lock = Pylock::parse(&text).unwrap();
        assert_eq!(Graph::new(&lock).roots(), [0, 2]);
    }
}
