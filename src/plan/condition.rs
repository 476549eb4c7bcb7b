//! On which of the targets something holds, as a condition that can be written in Nix.

use crate::python::{System, TargetSet, Targets};

/// A condition on the system that a package is built for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// All of `stdenv.hostPlatform`'s predicates hold: `isLinux`, `isAarch64`.
    Platform(Vec<&'static str>),
    /// The system is one of these.
    Systems(Vec<System>),
}

impl Condition {
    /// Whether it holds on a system.
    pub fn holds(&self, system: System) -> bool {
        match self {
            Condition::Platform(names) => names.iter().all(|name| predicate(name, system)),
            Condition::Systems(systems) => systems.contains(&system),
        }
    }

    /// The shortest condition that, among the targets of `within`, holds exactly on those of `set`.
    /// None where it holds on all of them.
    pub fn of(targets: &Targets, set: TargetSet, within: TargetSet) -> Option<Self> {
        if set.contains(within) {
            return None;
        }
        let all: Vec<System> = targets.systems(within).collect();
        let wanted: Vec<System> = targets.systems(set.and(within)).collect();
        let fits = |names: &[&'static str]| {
            all.iter().all(|&system| {
                names.iter().all(|name| predicate(name, system)) == wanted.contains(&system)
            })
        };
        PREDICATES
            .iter()
            .find(|names| fits(names))
            .map(|names| Condition::Platform(names.to_vec()))
            .or(Some(Condition::Systems(wanted)))
    }
}

const PREDICATES: [&[&str]; 8] = [
    &["isLinux"],
    &["isDarwin"],
    &["isx86_64"],
    &["isAarch64"],
    &["isLinux", "isx86_64"],
    &["isLinux", "isAarch64"],
    &["isDarwin", "isAarch64"],
    &["isDarwin", "isx86_64"],
];

fn predicate(name: &str, system: System) -> bool {
    let is_x86 = matches!(system, System::X86_64Linux | System::X86_64Darwin);
    match name {
        "isLinux" => system.is_linux(),
        "isDarwin" => !system.is_linux(),
        "isx86_64" => is_x86,
        _ => !is_x86,
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;
    use crate::python::{MarkerTree, Version};

    fn of(marker: &str, systems: &[System]) -> Option<Condition> {
        let targets = Targets::new(Version::from_str("3.13.5").unwrap(), systems);
        let set = targets.matching(&MarkerTree::from_str(marker).unwrap(), &[]);
        Condition::of(&targets, set, targets.all())
    }

    #[test]
    fn markers_become_platform_predicates() {
        let default = System::DEFAULT;
        assert_eq!(of("python_version >= '3'", &default), None);
        assert_eq!(
            of("sys_platform == 'linux'", &default),
            Some(Condition::Platform(vec!["isLinux"]))
        );
        assert_eq!(
            of("sys_platform == 'darwin'", &System::ALL),
            Some(Condition::Platform(vec!["isDarwin"]))
        );
        assert_eq!(
            of(
                "sys_platform == 'linux' and platform_machine == 'aarch64'",
                &default
            ),
            Some(Condition::Platform(vec!["isLinux", "isAarch64"]))
        );
        assert_eq!(of("sys_platform == 'linux'", &[System::X86_64Linux]), None);
        assert_eq!(
            of(
                "platform_machine == 'arm64' or (sys_platform == 'linux' and platform_machine == 'x86_64')",
                &System::ALL
            ),
            Some(Condition::Systems(vec![
                System::X86_64Linux,
                System::Aarch64Darwin
            ]))
        );
    }
}
