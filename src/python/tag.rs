//! Wheel tags (PEP 425, 600, 656): which targets a wheel serves.
//!
//! Targets are nixpkgs' interpreters: CPython with the GIL, on Linux with a recent glibc (never
//! musl), on Darwin with the oldest macOS that nixpkgs still builds for.

use super::environment::{System, TargetSet, Targets};
use super::filename::WheelFilename;

/// The glibc minor version (2.x) of the nixpkgs releases that are maintained.
const GLIBC_MINOR: u32 = 40;
/// The oldest macOS that nixpkgs' Darwin packages run on.
const MACOS: (u32, u32) = (14, 0);

/// The targets on which a wheel can be installed.
pub fn served(wheel: &WheelFilename, targets: &Targets) -> TargetSet {
    served_by_tags(&wheel.python, &wheel.abi, &wheel.platform, targets)
}

/// The same, of a file name without its `.whl` that [`WheelFilename::parse`] takes apart.
pub fn served_by_stem(stem: &str, targets: &Targets) -> TargetSet {
    let mut parts = stem.rsplitn(4, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(platform), Some(abi), Some(python)) => served_by_tags(python, abi, platform, targets),
        _ => TargetSet::NONE,
    }
}

fn served_by_tags(python: &str, abi: &str, platform: &str, targets: &Targets) -> TargetSet {
    let release = targets.python.release();
    let version = (
        release.first().copied().unwrap_or(3),
        release.get(1).copied().unwrap_or(0),
    );
    let interpreter = python
        .split('.')
        .any(|tag| abi.split('.').any(|abi| suits(tag, abi, version)));
    if !interpreter {
        return TargetSet::NONE;
    }
    let mut set = TargetSet::NONE;
    for (index, environment) in targets.environments.iter().enumerate() {
        if platform
            .split('.')
            .any(|platform| runs_on(platform, environment.system))
        {
            set = set.or(TargetSet::single(index));
        }
    }
    set
}

/// Whether a pair of Python and ABI tags suits CPython `(major, minor)`.
fn suits(tag: &str, abi: &str, (major, minor): (u64, u64)) -> bool {
    let split = tag.find(|c: char| c.is_ascii_digit()).unwrap_or(tag.len());
    let (implementation, digits) = tag.split_at(split);
    let Some((tag_major, tag_minor)) = tag_version(digits) else {
        return false;
    };
    if tag_major != major {
        return false;
    }
    match implementation {
        "cp" => match (tag_minor, abi) {
            (Some(m), "abi3") => m <= minor,
            (Some(m), "none") => m == minor,
            (Some(m), abi) => m == minor && is_abi(abi, major, minor),
            (None, abi) => abi == "none",
        },
        "py" => abi == "none" && tag_minor.is_none_or(|m| m <= minor),
        _ => false,
    }
}

/// `cp313`; `m` was part of it up to 3.7.
fn is_abi(abi: &str, major: u64, minor: u64) -> bool {
    let Some(rest) = abi.strip_prefix(&format!("cp{major}{minor}")) else {
        return false;
    };
    rest.is_empty() || (rest == "m" && (major, minor) < (3, 8))
}

/// `313` is 3.13, `3` is just 3.
fn tag_version(digits: &str) -> Option<(u64, Option<u64>)> {
    let major = digits.get(..1)?.parse().ok()?;
    match digits.get(1..)? {
        "" => Some((major, None)),
        minor if minor.contains('_') => Some((major, Some(minor.replace('_', "").parse().ok()?))),
        minor => Some((major, Some(minor.parse().ok()?))),
    }
}

fn runs_on(platform: &str, system: System) -> bool {
    if platform == "any" {
        return true;
    }
    if let Some(rest) = platform.strip_prefix("macosx_") {
        return !system.is_linux() && runs_on_macos(rest, system);
    }
    system.is_linux()
        && linux_platform(platform)
            .is_some_and(|(glibc, machine)| glibc <= GLIBC_MINOR && machine == system.machine())
}

/// The glibc minor version and the machine of a Linux platform tag.
fn linux_platform(platform: &str) -> Option<(u32, &str)> {
    if let Some(rest) = platform.strip_prefix("manylinux_2_") {
        let (minor, machine) = rest.split_once('_')?;
        return Some((minor.parse().ok()?, machine));
    }
    for (prefix, minor) in [
        ("manylinux2014_", 17),
        ("manylinux2010_", 12),
        ("manylinux1_", 5),
        ("linux_", 0),
    ] {
        if let Some(machine) = platform.strip_prefix(prefix) {
            return Some((minor, machine));
        }
    }
    None
}

fn runs_on_macos(rest: &str, system: System) -> bool {
    let mut parts = rest.splitn(3, '_');
    let number = |part: Option<&str>| part.and_then(|p| p.parse::<u32>().ok());
    let (Some(major), Some(minor), Some(machine)) =
        (number(parts.next()), number(parts.next()), parts.next())
    else {
        return false;
    };
    if (major, minor) > MACOS {
        return false;
    }
    match system {
        System::Aarch64Darwin => matches!(machine, "arm64" | "universal2"),
        _ => matches!(
            machine,
            "x86_64" | "universal2" | "universal" | "intel" | "fat64" | "fat3"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::Version;
    use std::str::FromStr;

    fn systems(tags: &str, python: &str) -> String {
        let targets = Targets::new(Version::from_str(python).unwrap(), &System::ALL);
        let wheel = WheelFilename::parse(&format!("demo-1.0-{tags}")).unwrap();
        targets
            .systems(served(&wheel, &targets))
            .map(System::name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    const ALL: &str = "x86_64-linux aarch64-linux aarch64-darwin x86_64-darwin";

    #[test]
    fn pure_wheels_serve_everything() {
        for tags in [
            "py3-none-any",
            "py2.py3-none-any",
            "py38-none-any",
            "cp313-none-any",
            "cp3-none-any",
        ] {
            assert_eq!(systems(tags, "3.13.5"), ALL, "{tags}");
        }
        for tags in [
            "py2-none-any",
            "py314-none-any",
            "cp312-none-any",
            "pp310-none-any",
        ] {
            assert_eq!(systems(tags, "3.13.5"), "", "{tags}");
        }
    }

    #[test]
    fn compiled_wheels_serve_their_platforms() {
        for (tags, expected) in [
            (
                "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
                "x86_64-linux",
            ),
            ("cp38-abi3-manylinux_2_28_aarch64", "aarch64-linux"),
            ("cp314-abi3-manylinux_2_28_aarch64", ""),
            ("cp313-cp313t-manylinux_2_28_aarch64", ""),
            ("cp312-cp312-manylinux_2_28_x86_64", ""),
            ("cp313-cp313-musllinux_1_2_x86_64", ""),
            ("cp313-cp313-manylinux_2_99_x86_64", ""),
            ("cp313-cp313-macosx_11_0_arm64", "aarch64-darwin"),
            (
                "cp313-cp313-macosx_10_13_universal2",
                "aarch64-darwin x86_64-darwin",
            ),
            ("cp313-cp313-macosx_26_0_arm64", ""),
            ("cp313-cp313-win_amd64", ""),
            ("py3-none-manylinux1_x86_64", "x86_64-linux"),
            ("cp313-cp313-linux_x86_64", "x86_64-linux"),
        ] {
            assert_eq!(systems(tags, "3.13.5"), expected, "{tags}");
        }
        assert_eq!(
            systems("cp37-cp37m-manylinux1_x86_64", "3.7.1"),
            "x86_64-linux"
        );
    }
}
