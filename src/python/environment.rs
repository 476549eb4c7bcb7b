//! What markers see: one CPython on one system, and the set of systems that a lock serves.
//!
//! The target is never the machine that runs pyresolve.

use std::fmt;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree};

/// A system that nixpkgs supports, by its Nix name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum System {
    /// `x86_64-linux`
    X86_64Linux,
    /// `aarch64-linux`
    Aarch64Linux,
    /// `aarch64-darwin`
    Aarch64Darwin,
    /// `x86_64-darwin`
    X86_64Darwin,
}

impl System {
    /// Every system that can be a target.
    pub const ALL: [System; 4] = [
        System::X86_64Linux,
        System::Aarch64Linux,
        System::Aarch64Darwin,
        System::X86_64Darwin,
    ];

    /// The systems a lock serves when the user names none.
    pub const DEFAULT: [System; 3] = [
        System::X86_64Linux,
        System::Aarch64Linux,
        System::Aarch64Darwin,
    ];

    /// The Nix name, `x86_64-linux` for example.
    pub fn name(self) -> &'static str {
        match self {
            System::X86_64Linux => "x86_64-linux",
            System::Aarch64Linux => "aarch64-linux",
            System::Aarch64Darwin => "aarch64-darwin",
            System::X86_64Darwin => "x86_64-darwin",
        }
    }

    /// Whether the kernel is Linux.
    pub fn is_linux(self) -> bool {
        matches!(self, System::X86_64Linux | System::Aarch64Linux)
    }

    /// `platform_machine` as Python reports it there.
    pub fn machine(self) -> &'static str {
        match self {
            System::X86_64Linux | System::X86_64Darwin => "x86_64",
            System::Aarch64Linux => "aarch64",
            System::Aarch64Darwin => "arm64",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl System {
    /// The system that compilers (`aarch64-apple-darwin`), wheels (`x86_64-manylinux2014`) or uv
    /// (`linux`, `macos`) call so.
    fn called(name: &str) -> Option<Self> {
        let (machine, platform) = match name {
            "linux" => ("x86_64", "linux"),
            "macos" => ("aarch64", "darwin"),
            _ => name.split_once('-')?,
        };
        let is_linux = matches!(platform, "linux" | "linux-gnu" | "unknown-linux-gnu")
            || platform.starts_with("manylinux");
        let is_darwin = matches!(platform, "darwin" | "apple-darwin");
        match machine {
            "x86_64" if is_linux => Some(System::X86_64Linux),
            "aarch64" if is_linux => Some(System::Aarch64Linux),
            "aarch64" | "arm64" if is_darwin => Some(System::Aarch64Darwin),
            "x86_64" if is_darwin => Some(System::X86_64Darwin),
            _ => None,
        }
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|system| system.name() == text)
            .or_else(|| Self::called(text))
            .ok_or_else(|| {
                format!(
                    "`{text}` is none of {}",
                    Self::ALL.map(System::name).join(", ")
                )
            })
    }
}

/// One interpreter on one system: what markers are evaluated in.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The system.
    pub system: System,
    /// The values of the environment markers (PEP 508).
    pub markers: MarkerEnvironment,
}

impl Environment {
    /// CPython at `python` (a full version such as `3.13.5`) on `system`.
    ///
    /// `platform_release` and `platform_version` are empty: no lock can know them.
    pub fn new(python: &Version, system: System) -> Self {
        let full = python.to_string();
        let mut release = python.release().iter();
        let minor = format!(
            "{}.{}",
            release.next().copied().unwrap_or(3),
            release.next().copied().unwrap_or(0)
        );
        let (sys_platform, platform_system) = if system.is_linux() {
            ("linux", "Linux")
        } else {
            ("darwin", "Darwin")
        };
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name: "posix",
            platform_machine: system.machine(),
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system,
            platform_version: "",
            python_full_version: &full,
            python_version: &minor,
            sys_platform,
        })
        .expect("a version prints as a version");
        Self { system, markers }
    }
}

/// Everything one lock must serve: one CPython on up to eight systems.
#[derive(Debug, Clone)]
pub struct Targets {
    /// The interpreter's full version.
    pub python: Version,
    /// One environment per system, in the order of [`System`].
    pub environments: Vec<Environment>,
}

impl Targets {
    /// CPython at `python` on each of `systems`; order and repetition do not matter.
    pub fn new(python: Version, systems: &[System]) -> Self {
        let mut systems = systems.to_vec();
        systems.sort_unstable();
        systems.dedup();
        let environments = systems
            .iter()
            .map(|&s| Environment::new(&python, s))
            .collect();
        Self {
            python,
            environments,
        }
    }

    /// All targets.
    pub fn all(&self) -> TargetSet {
        TargetSet((1u16 << self.environments.len()) as u8 - 1)
    }

    /// The targets in which a marker holds with these extras asked for.
    pub fn matching(&self, marker: &MarkerTree, extras: &[ExtraName]) -> TargetSet {
        if marker.is_true() {
            return self.all();
        }
        let mut set = TargetSet::NONE;
        for (index, environment) in self.environments.iter().enumerate() {
            if marker.evaluate(&environment.markers, extras) {
                set.0 |= 1 << index;
            }
        }
        set
    }

    /// The systems of a set.
    pub fn systems(&self, set: TargetSet) -> impl Iterator<Item = System> + '_ {
        self.environments
            .iter()
            .enumerate()
            .filter(move |(index, _)| set.0 & (1 << index) != 0)
            .map(|(_, environment)| environment.system)
    }

    /// `3.13` of `3.13.5`: major and minor, as nixpkgs' attributes and markers have it.
    pub fn python_minor(&self) -> String {
        let release = self.python.release();
        format!(
            "{}.{}",
            release.first().unwrap_or(&3),
            release.get(1).unwrap_or(&0)
        )
    }
}

/// A subset of a [`Targets`]' environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TargetSet(u8);

impl TargetSet {
    /// No target.
    pub const NONE: TargetSet = TargetSet(0);

    /// The set of just the `index`th environment.
    pub fn single(index: usize) -> Self {
        TargetSet(1 << index)
    }

    /// Whether there is no target in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the `index`th environment is in it.
    pub fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    /// The first target of it, on its own.
    pub fn first(self) -> Option<Self> {
        (0..u8::BITS as usize)
            .map(Self::single)
            .find(|single| self.contains(*single))
    }

    /// Targets in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        TargetSet(self.0 & other.0)
    }

    /// Targets in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        TargetSet(self.0 | other.0)
    }

    /// Targets in `self` but not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        TargetSet(self.0 & !other.0)
    }

    /// Whether every target of `other` is in `self`.
    pub fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_the_names_that_others_have_for_them() {
        for (name, system) in [
            ("x86_64-linux", System::X86_64Linux),
            ("linux", System::X86_64Linux),
            ("x86_64-unknown-linux-gnu", System::X86_64Linux),
            ("x86_64-manylinux2014", System::X86_64Linux),
            ("aarch64-manylinux_2_28", System::Aarch64Linux),
            ("macos", System::Aarch64Darwin),
            ("arm64-darwin", System::Aarch64Darwin),
            ("aarch64-apple-darwin", System::Aarch64Darwin),
            ("x86_64-apple-darwin", System::X86_64Darwin),
        ] {
            assert_eq!(System::from_str(name), Ok(system), "{name}");
        }
        for name in ["windows", "x86_64-unknown-linux-musl", "riscv64-linux", ""] {
            assert!(System::from_str(name).is_err(), "{name}");
        }
    }

    #[test]
    fn markers_are_evaluated_for_the_targets() {
        let targets = Targets::new(Version::from_str("3.13.5").unwrap(), &System::DEFAULT);
        let marker = MarkerTree::from_str("sys_platform == 'darwin'").unwrap();
        let set = targets.matching(&marker, &[]);
        assert_eq!(
            targets.systems(set).collect::<Vec<_>>(),
            [System::Aarch64Darwin]
        );
        let all = targets.matching(
            &MarkerTree::from_str("python_version >= '3.13'").unwrap(),
            &[],
        );
        assert_eq!(all, targets.all());
    }
}
