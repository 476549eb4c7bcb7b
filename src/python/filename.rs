//! File names of wheels (PEP 427, PEP 425) and sdists (PEP 625 and what came before it).

use std::fmt;
use std::str::FromStr;

use super::{PackageName, Version};

/// The name of a distribution's file, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filename {
    /// A wheel.
    Wheel(WheelFilename),
    /// A source distribution.
    Sdist(SdistFilename),
}

/// `{name}-{version}(-{build})?-{python}-{abi}-{platform}.whl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFilename {
    /// The name as the file spells it.
    pub name: String,
    /// The version as the file spells it.
    pub version: String,
    /// The build tag.
    pub build: Option<String>,
    /// Python tags, dots and all: `py2.py3`.
    pub python: String,
    /// ABI tags, `cp313` or `abi3` or `none`.
    pub abi: String,
    /// Platform tags, dots and all.
    pub platform: String,
}

/// `{name}-{version}.{extension}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdistFilename {
    /// The name as the file spells it.
    pub name: String,
    /// The version as the file spells it.
    pub version: String,
    /// `tar.gz`, `zip`, `tar.bz2`, `tar.xz` or `tgz`.
    pub extension: String,
}

/// What a file's name says of project and version, as it spells them and without copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'f> {
    /// The project's name.
    pub name: &'f str,
    /// The version.
    pub version: &'f str,
    /// Whether it is a wheel, and not an sdist.
    pub wheel: bool,
}

impl<'f> Label<'f> {
    /// Of a file that an index lists for the project whose names `is_ours` knows; none for files that
    /// are neither a wheel nor an sdist of it. Whether the version is one is not looked at.
    pub fn of(file: &'f str, mut is_ours: impl FnMut(&str) -> bool) -> Option<Self> {
        if let Some(stem) = file.strip_suffix(".whl") {
            let wheel = WheelParts::of(stem)?;
            return is_ours(wheel.name).then_some(Self {
                name: wheel.name,
                version: wheel.version,
                wheel: true,
            });
        }
        let (name, version, _) = sdist_parts(file, is_ours)?;
        Some(Self {
            name,
            version,
            wheel: false,
        })
    }

    /// The version, if it is one.
    pub fn version(&self) -> Option<Version> {
        if self.wheel && self.version.contains('_') {
            return Version::from_str(&self.version.replace('_', "-")).ok();
        }
        Version::from_str(self.version).ok()
    }
}

/// A wheel's file name taken apart.
struct WheelParts<'f> {
    name: &'f str,
    version: &'f str,
    build: Option<&'f str>,
    python: &'f str,
    abi: &'f str,
    platform: &'f str,
}

impl<'f> WheelParts<'f> {
    fn of(stem: &'f str) -> Option<Self> {
        let mut parts = stem.split('-');
        let (name, version) = (parts.next()?, parts.next()?);
        let (one, two, three) = (parts.next()?, parts.next()?, parts.next()?);
        let (build, [python, abi, platform]) = match parts.next() {
            None => (None, [one, two, three]),
            Some(four) => (Some(one), [two, three, four]),
        };
        parts.next().is_none().then_some(Self {
            name,
            version,
            build,
            python,
            abi,
            platform,
        })
    }
}

/// An sdist's name, version and extension. Old names have dashes in them
/// (`python-dateutil-2.8.tar.gz`), so the project's name says where the version starts.
fn sdist_parts(
    file: &str,
    mut is_ours: impl FnMut(&str) -> bool,
) -> Option<(&str, &str, &'static str)> {
    let cut = |extension: &'static str| {
        let stem = file.strip_suffix(extension)?.strip_suffix('.')?;
        Some((stem, extension))
    };
    let (stem, extension) = SDIST_EXTENSIONS.into_iter().find_map(cut)?;
    let mut splits = stem.match_indices('-');
    splits.find_map(|(at, _)| {
        let (name, version) = (stem.get(..at)?, stem.get(at + 1..)?);
        is_ours(name).then_some((name, version, extension))
    })
}

const SDIST_EXTENSIONS: [&str; 6] = ["tar.gz", "zip", "tar.bz2", "tar.xz", "tgz", "tar"];

impl Filename {
    /// Takes apart the name of a file that an index lists for `project`.
    ///
    /// None for files that are neither a wheel nor an sdist of that project (`.egg`, `.exe`,
    /// `.rpm`), or whose version is not PEP 440.
    pub fn parse(file: &str, project: &PackageName) -> Option<(Self, Version)> {
        if let Some(stem) = file.strip_suffix(".whl") {
            let wheel = WheelFilename::parse(stem)?;
            let version = Version::from_str(&wheel.version.replace('_', "-")).ok()?;
            (PackageName::from_str(&wheel.name).ok()? == *project)
                .then_some((Self::Wheel(wheel), version))
        } else {
            let sdist = SdistFilename::parse(file, project)?;
            let version = Version::from_str(&sdist.version).ok()?;
            Some((Self::Sdist(sdist), version))
        }
    }
}

impl WheelFilename {
    /// Takes apart a wheel's file name without its `.whl`.
    pub fn parse(stem: &str) -> Option<Self> {
        let parts = WheelParts::of(stem)?;
        Some(Self {
            name: parts.name.to_owned(),
            version: parts.version.to_owned(),
            build: parts.build.map(str::to_owned),
            python: parts.python.to_owned(),
            abi: parts.abi.to_owned(),
            platform: parts.platform.to_owned(),
        })
    }

    /// The file's whole name.
    pub fn file(&self) -> String {
        let build = self
            .build
            .as_ref()
            .map_or(String::new(), |b| format!("-{b}"));
        format!(
            "{}-{}{build}-{}-{}-{}.whl",
            self.name, self.version, self.python, self.abi, self.platform
        )
    }
}

impl SdistFilename {
    /// Takes apart an sdist's file name. Old names have dashes in them (`python-dateutil-2.8.tar.gz`),
    /// so the project's name says where the version starts.
    pub fn parse(file: &str, project: &PackageName) -> Option<Self> {
        let is_ours = |name: &str| PackageName::from_str(name).is_ok_and(|name| name == *project);
        let (name, version, extension) = sdist_parts(file, is_ours)?;
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            extension: extension.to_owned(),
        })
    }

    /// The file's whole name.
    pub fn file(&self) -> String {
        format!("{}-{}.{}", self.name, self.version, self.extension)
    }
}

impl fmt::Display for Filename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filename::Wheel(wheel) => f.write_str(&wheel.file()),
            Filename::Sdist(sdist) => f.write_str(&sdist.file()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(file: &str, project: &str) -> Option<(Filename, Version)> {
        Filename::parse(file, &PackageName::from_str(project).unwrap())
    }

    #[test]
    fn old_sdist_names_split_at_the_project() {
        let (file, version) = parse("python-dateutil-2.8.2.tar.gz", "python-dateutil").unwrap();
        assert_eq!(version.to_string(), "2.8.2");
        assert_eq!(file.to_string(), "python-dateutil-2.8.2.tar.gz");
        assert_eq!(
            parse("Demo.Client-1.0-1.zip", "demo-client")
                .unwrap()
                .1
                .to_string(),
            "1.0.post1"
        );
        assert!(parse("other-1.0.tar.gz", "demo").is_none());
    }

    #[test]
    fn wheel_names() {
        let (file, _) = parse("demo-1.0-1-cp313-cp313-manylinux_2_17_x86_64.whl", "demo").unwrap();
        let Filename::Wheel(wheel) = &file else {
            panic!("a wheel")
        };
        assert_eq!(wheel.build.as_deref(), Some("1"));
        assert_eq!(
            file.to_string(),
            "demo-1.0-1-cp313-cp313-manylinux_2_17_x86_64.whl"
        );
        assert!(parse("demo-1.0.whl", "demo").is_none());
    }
}
