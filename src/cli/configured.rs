//! The settings files beside the sources, as values: what the command line and the environment do
//! not say. Every value that makes no sense is told with its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use super::args::{Prefer, Prerelease};
use super::exit::Failure;
use super::settings::{self, Source};
use crate::index::Timestamp;
use crate::nixpkgs::source::Choice;
use crate::problem::{Code, Problem, Severity};
use crate::project::settings::{Placed, Settings};
use crate::project::{self, Directory};
use crate::python::{PackageName, System, Version};
use crate::resolve::Formats;

/// What the settings files say; what they do not say is `None` or empty.
#[derive(Debug, Default)]
pub struct Configured {
    /// `python`.
    pub python: Option<Version>,
    /// `systems`.
    pub systems: Vec<System>,
    /// `prefer`.
    pub prefer: Option<Prefer>,
    /// `prerelease`.
    pub prerelease: Option<Prerelease>,
    /// `nixpkgs`.
    pub nixpkgs: Option<Choice>,
    /// `channel-url`.
    pub channel_url: Option<String>,
    /// `output`, relative to the current folder.
    pub output: Option<PathBuf>,
    /// `extras`.
    pub extras: Vec<String>,
    /// `groups`.
    pub groups: Vec<String>,
    /// `index-url`.
    pub main: Option<String>,
    /// `extra-index-url`.
    pub extra: Vec<String>,
    /// `indexes`.
    pub named: Vec<(String, String)>,
    /// `sources`: projects that come from a named index only.
    pub pinned: Vec<(PackageName, Placed<String>)>,
    /// `exclude-newer`.
    pub exclude_newer: Option<Timestamp>,
    /// `exclude-newer-package`.
    pub exclude_newer_for: BTreeMap<PackageName, Timestamp>,
    /// `no-binary`.
    pub no_binary: Option<Formats>,
    /// `only-binary`.
    pub only_binary: Option<Formats>,
    /// `prefer-wheels`.
    pub prefer_wheels: Option<Formats>,
}

/// Reads the settings beside the first source that is a path.
///
/// # Errors
/// For the user: every value that makes no sense, with its place.
pub fn read(sources: &[Source]) -> Result<Configured, Failure> {
    let first = sources.iter().find_map(|source| match source {
        Source::Path(path) => Some(path),
        Source::Requirement(_) => None,
    });
    let Some(path) = first else {
        return Ok(Configured::default());
    };
    let folder = folder(path);
    // Who reads the sources says what is wrong with a folder that cannot be opened.
    let Ok(files) = Directory::open(folder) else {
        return Ok(Configured::default());
    };
    let settings = project::settings::read(&files);
    let mut problems = Vec::new();
    let configured = Configured::new(&settings, folder, &mut problems);
    if problems.is_empty() {
        return Ok(configured);
    }
    let mut failure = Failure::usage("the settings for pyresolve cannot be followed")
        .help("correct what is shown above, then run the same command again");
    // What else is wrong with them, so that nobody has to come back for it.
    problems.splice(0..0, settings.problems);
    failure.problems = problems;
    Err(failure)
}

/// The folder whose settings count for a source.
pub fn folder(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    }
}

/// A value of the settings that makes no sense.
pub fn problem(placed: &Placed<String>, what: String) -> Problem {
    Problem {
        code: Code::UnknownSetting,
        severity: Severity::Error,
        what,
        origin: Some(placed.origin.clone()),
        help: None,
    }
}

impl Configured {
    fn new(settings: &Settings, folder: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut reading = Reading { problems };
        let values = |list: &[Placed<String>]| list.iter().map(|p| p.value.clone()).collect();
        let systems = settings.systems.iter();
        let extra = settings.extra_index_urls.iter();
        let mut configured = Self {
            python: reading.value(settings.python.as_ref(), |text| {
                settings::python(text).map_err(|failure| failure.what)
            }),
            systems: systems
                .filter_map(|placed| reading.value(Some(placed), System::from_str))
                .collect(),
            prefer: reading.choice(settings.prefer.as_ref()),
            prerelease: reading.choice(settings.prerelease.as_ref()),
            nixpkgs: settings
                .nixpkgs
                .as_ref()
                .map(|p| Choice::parse(&p.value, folder)),
            channel_url: reading.value(settings.channel_url.as_ref(), |text| {
                settings::address(text, "the channels").map_err(|failure| failure.what)
            }),
            output: settings.output.as_ref().map(|p| folder.join(&p.value)),
            extras: values(&settings.extras),
            groups: values(&settings.groups),
            main: reading.value(settings.index_url.as_ref(), address),
            extra: extra
                .filter_map(|placed| reading.value(Some(placed), address))
                .collect(),
            exclude_newer: reading.value(settings.exclude_newer.as_ref(), date),
            no_binary: reading.formats(&settings.no_binary),
            only_binary: reading.formats(&settings.only_binary),
            prefer_wheels: reading.formats(&settings.prefer_wheels),
            ..Self::default()
        };
        for (name, placed) in &settings.indexes {
            let url = reading.value(Some(placed), address);
            configured.named.extend(url.map(|url| (name.clone(), url)));
        }
        for (name, placed) in &settings.exclude_newer_package {
            if let Some(limit) = reading.value(Some(placed), date) {
                configured.exclude_newer_for.insert(name.clone(), limit);
            }
        }
        configured.pinned.clone_from(&settings.sources);
        configured
    }
}

struct Reading<'a> {
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn value<T>(
        &mut self,
        placed: Option<&Placed<String>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let placed = placed?;
        match read(&placed.value) {
            Ok(value) => Some(value),
            Err(what) => {
                self.problems.push(problem(placed, what));
                None
            }
        }
    }

    fn choice<T: clap::ValueEnum>(&mut self, placed: Option<&Placed<String>>) -> Option<T> {
        self.value(placed, |text| {
            T::from_str(text, false).map_err(|_| {
                let choices = T::value_variants().iter();
                let choices = choices.filter_map(clap::ValueEnum::to_possible_value);
                let names: Vec<String> = choices.map(|c| c.get_name().to_owned()).collect();
                format!("`{text}` is none of {}", names.join(", "))
            })
        })
    }

    fn formats(&mut self, placed: &[Placed<String>]) -> Option<Formats> {
        let mut formats = Formats::default();
        for placed in placed {
            let one = std::slice::from_ref(&placed.value);
            let one = self.value(Some(placed), |_| {
                settings::formats(one, "a list of projects").map_err(|failure| failure.what)
            });
            let one = one.unwrap_or_default();
            formats.all |= one.all;
            formats.projects.extend(one.projects);
        }
        (!placed.is_empty()).then_some(formats)
    }
}

fn address(text: &str) -> Result<String, String> {
    settings::address(text, "the index").map_err(|failure| failure.what)
}

fn date(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_cutoff(text)
        .ok_or_else(|| format!("`{text}` is not a date such as `2026-05-03`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Result<Configured, Failure> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyresolve.toml"), text).unwrap();
        read(&[Source::Path(folder.path().to_owned())])
    }

    #[test]
    fn settings_become_values() {
        let text = "\
python = '3.12'
systems = ['x86_64-linux']
prefer = 'latest'
prerelease = 'allow'
channel-url = 'https://channels.test/'
index-url = 'https://a.test/simple'
exclude-newer = '2026-01-01'
no-binary = ['Zz.Demo', 'b']
[sources]
zz-demo = { index = 'own' }
[exclude-newer-package]
b = '2025-01-01'
";
        let configured = configured(text).unwrap();
        assert_eq!(configured.python.unwrap().release()[..2], [3, 12]);
        assert_eq!(configured.systems, [System::X86_64Linux]);
        assert_eq!(configured.prefer, Some(Prefer::Latest));
        assert_eq!(configured.prerelease, Some(Prerelease::Allow));
        assert_eq!(
            configured.channel_url.as_deref(),
            Some("https://channels.test/")
        );
        assert_eq!(configured.no_binary.unwrap().projects.len(), 2);
        assert_eq!(configured.pinned[0].1.value, "own");
        assert_eq!(configured.exclude_newer_for.len(), 1);
        assert_eq!(configured.only_binary, None);
    }

    #[test]
    fn every_bad_value_is_told_with_its_line() {
        let text = "\
python = '2.7'
systems = ['x86_64-linux', 'amiga']
prefer = 'newest'
exclude-newer = 'yesterday'
index-url = 'ftp://a.test'
no-binary = ['=']
channel-url = 'here'
";
        let problems = configured(text).unwrap_err().problems;
        let lines: Vec<usize> = problems
            .iter()
            .map(|p| p.origin.as_ref().unwrap().line_column().0)
            .collect();
        assert_eq!(lines, [1, 2, 3, 7, 5, 4, 6]);
        assert!(problems[2].what.contains("none of nixpkgs, latest, lowest"));
    }
}
