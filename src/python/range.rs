//! Version specifiers as ranges (PEP 440), the one semantics that everything decides by.
//!
//! A specifier without a local part says nothing about local versions: `==1.0` admits `1.0+cu118`,
//! `!=1.0` does not. Plain version ranges cannot say that, so the bounds here are [`Point`]s, which
//! know a place behind all local versions of a public version.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

use pep440_rs::{Operator, Prerelease, Version, VersionSpecifier, VersionSpecifiers};

/// A set of versions.
pub type Range = pubgrub::Ranges<Point>;

/// A version as it is spelled, or the place before or behind all spellings of a version, or behind
/// all local versions of a public version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Point {
    public: Version,
    local: Local,
    spelling: Spelling,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Local {
    None,
    Exactly(Version),
    Last,
}

/// `1.0` and `1.0.0` are the same version to all comparisons but `===`, which is one of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Spelling {
    Before,
    /// By how many numbers there are in the release.
    Numbers(u32),
    Behind,
}

impl Point {
    /// Where a version stands.
    pub fn new(version: &Version) -> Self {
        let numbers = u32::try_from(version.release().len()).unwrap_or(u32::MAX);
        Self::spelled(version, Spelling::Numbers(numbers))
    }

    /// The place before a version, however it is spelled.
    fn before(version: &Version) -> Self {
        Self::spelled(version, Spelling::Before)
    }

    /// The place behind all local versions of a version.
    fn behind(version: &Version) -> Self {
        let mut point = Self::spelled(version, Spelling::Behind);
        if point.local == Local::None {
            point.local = Local::Last;
        }
        point
    }

    fn spelled(version: &Version, spelling: Spelling) -> Self {
        let (public, local) = if version.is_local() {
            let public = version.clone().without_local();
            (public, Local::Exactly(version.clone()))
        } else {
            (version.clone(), Local::None)
        };
        Self {
            public,
            local,
            spelling,
        }
    }

    /// The version that stands here.
    pub fn version(&self) -> &Version {
        match &self.local {
            Local::Exactly(version) => version,
            Local::None | Local::Last => &self.public,
        }
    }
}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Point {
    fn cmp(&self, other: &Self) -> Ordering {
        self.public
            .cmp(&other.public)
            .then_with(|| self.local.cmp(&other.local))
            .then_with(|| self.spelling.cmp(&other.spelling))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.version().fmt(f)
    }
}

/// Specifiers that equal others only where they are spelled alike: to `~=1.4` and `~=1.4.0`, or to
/// `==1.*` and `==1.0.*`, it matters how many numbers there are.
#[derive(Debug, Clone, Hash)]
#[expect(
    clippy::derived_hash_with_manual_eq,
    reason = "what is spelled alike is equal"
)]
pub struct Spelled(pub VersionSpecifiers);

impl PartialEq for Spelled {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |specifier: &VersionSpecifier| specifier.version().release().len();
        self.0 == other.0 && self.0.iter().map(numbers).eq(other.0.iter().map(numbers))
    }
}

impl Eq for Spelled {}

/// The versions that all of the specifiers admit; pre-releases are nothing special here.
pub fn range(specifiers: &VersionSpecifiers) -> Range {
    specifiers.iter().fold(Range::full(), |range, specifier| {
        range.intersection(&range_of(specifier))
    })
}

/// Whether the specifiers admit a version; pre-releases are nothing special here.
pub fn admits(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    let point = Point::new(version);
    specifiers.iter().all(|s| range_of(s).contains(&point))
}

/// The one version that a range pins with `==` or `===`.
pub fn pinned(range: &Range) -> Option<&Version> {
    let mut parts = range.iter();
    match (parts.next(), parts.next()) {
        (Some((Bound::Included(low), Bound::Included(high))), None)
            if low.version() == high.version() =>
        {
            Some(low.version())
        }
        _ => None,
    }
}

/// Whether an interpreter meets a `Requires-Python`.
///
/// Upper bounds do not count: they were written before the newer interpreter existed and cannot
/// know of it, and obeying them sends a resolver to ancient releases that had none.
pub fn admits_python(requires_python: &VersionSpecifiers, python: &Version) -> bool {
    let release = python.only_release();
    let range = requires_python
        .iter()
        .fold(pubgrub::Ranges::full(), |range, specifier| {
            range.intersection(&release_range_of(specifier))
        });
    match range.bounding_range() {
        None => false,
        Some((Bound::Included(low), _)) => *low <= release,
        Some((Bound::Excluded(low), _)) => *low < release,
        Some((Bound::Unbounded, _)) => true,
    }
}

/// A range as people write it, `>=1.2,<2` or `<1 or >2`; empty for every version.
pub fn describe(range: &Range) -> String {
    if let Some(hole) = pinned(&range.complement()) {
        return format!("!={hole}");
    }
    let parts: Vec<String> = range
        .iter()
        .map(|(low, high)| {
            if let (Bound::Included(low), Bound::Included(high)) = (low, high)
                && low.version() == high.version()
            {
                return format!("=={low}");
            }
            let low = match low {
                Bound::Included(v) => Some(format!(">={v}")),
                Bound::Excluded(v) => Some(format!(">{v}")),
                Bound::Unbounded => None,
            };
            let high = match high {
                Bound::Included(v) => Some(format!("<={v}")),
                Bound::Excluded(v) => Some(format!("<{}", without_dev_zero(v.version()))),
                Bound::Unbounded => None,
            };
            low.into_iter().chain(high).collect::<Vec<_>>().join(",")
        })
        .collect();
    parts.join(" or ")
}

/// `<2.dev0` is how a range says `<2`.
fn without_dev_zero(version: &Version) -> Version {
    if version.dev() == Some(0) && version.pre().is_none() {
        version.clone().with_dev(None)
    } else {
        version.clone()
    }
}

fn range_of(specifier: &VersionSpecifier) -> Range {
    let version = specifier.version();
    let equal = || {
        Range::from_range_bounds::<_, Point>((
            Bound::Included(Point::before(version)),
            Bound::Included(Point::behind(version)),
        ))
    };
    match specifier.operator() {
        Operator::Equal => equal(),
        Operator::ExactEqual => Range::singleton(Point::new(version)),
        Operator::NotEqual => equal().complement(),
        Operator::TildeEqual => compatible(version),
        Operator::LessThan if version.any_prerelease() => {
            Range::strictly_lower_than(Point::before(version))
        }
        // "MUST NOT allow a pre-release of the specified version": of a post-release, those are its
        // development releases; the release itself and its pre-releases come before it.
        Operator::LessThan if version.is_post() => {
            Range::strictly_lower_than(Point::before(&version.clone().with_dev(Some(0))))
        }
        Operator::LessThan => {
            Range::strictly_lower_than(Point::before(&version.clone().with_min(Some(0))))
        }
        Operator::LessThanEqual => Range::lower_than(Point::behind(version)),
        Operator::GreaterThan => greater(version),
        Operator::GreaterThanEqual => Range::higher_than(Point::before(version)),
        Operator::EqualStar => starting_with(version),
        Operator::NotEqualStar => starting_with(version).complement(),
    }
}

/// `~=`: at least the version, and the same release up to the last but one component.
fn compatible(version: &Version) -> Range {
    let [rest @ .., last, _] = version.release() else {
        return Range::higher_than(Point::before(version));
    };
    let upper = Version::new(rest.iter().copied().chain([last.saturating_add(1)]))
        .with_epoch(version.epoch())
        .with_dev(Some(0));
    Range::higher_than(Point::before(version))
        .intersection(&Range::strictly_lower_than(Point::before(&upper)))
}

/// `>` allows neither post-releases nor local versions of the version itself. Behind a post-release
/// come the development releases of the next one.
fn greater(version: &Version) -> Range {
    let version = version.clone().without_local();
    if version.is_dev() || version.is_post() {
        Range::strictly_higher_than(Point::behind(&version))
    } else {
        Range::strictly_higher_than(Point::before(&version.with_max(Some(0))))
    }
}

/// `==1.2.*`: from the first development release of 1.2 to that of 1.3.
fn starting_with(version: &Version) -> Range {
    let low = version.clone().with_dev(Some(0));
    let high = if let Some(post) = low.post() {
        low.clone().with_post(Some(post.saturating_add(1)))
    } else if let Some(pre) = low.pre() {
        low.clone().with_pre(Some(Prerelease {
            kind: pre.kind,
            number: pre.number.saturating_add(1),
        }))
    } else {
        low.clone().with_release(next_release(version))
    };
    Range::higher_than(Point::before(&low))
        .intersection(&Range::strictly_lower_than(Point::before(&high)))
}

fn next_release(version: &Version) -> Vec<u64> {
    let mut release = version.release().to_vec();
    if let Some(last) = release.last_mut() {
        *last = last.saturating_add(1);
    }
    release
}

/// Interpreters are compared by their release numbers alone, as pip does.
fn release_range_of(specifier: &VersionSpecifier) -> pubgrub::Ranges<Version> {
    use pubgrub::Ranges;
    let version = specifier.version().only_release();
    let next = || Version::new(next_release(&version));
    match specifier.operator() {
        Operator::Equal | Operator::ExactEqual => Ranges::singleton(version),
        Operator::NotEqual => Ranges::singleton(version).complement(),
        Operator::LessThan => Ranges::strictly_lower_than(version),
        Operator::LessThanEqual => Ranges::lower_than(version),
        Operator::GreaterThan => Ranges::strictly_higher_than(version),
        Operator::GreaterThanEqual | Operator::TildeEqual => Ranges::higher_than(version),
        Operator::EqualStar => Ranges::between(version.clone(), next()),
        Operator::NotEqualStar => Ranges::between(version.clone(), next()).complement(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn admits(specifiers: &str, version: &str) -> bool {
        super::admits(
            &VersionSpecifiers::from_str(specifiers).unwrap(),
            &Version::from_str(version).unwrap(),
        )
    }

    #[test]
    fn local_versions_follow_their_public_version() {
        assert!(admits("==1.0", "1.0+cu118"));
        assert!(!admits("==1.0+cpu", "1.0+cu118"));
        assert!(admits("==1.0+cpu", "1.0+cpu"));
        assert!(!admits("==1.0+cpu", "1.0"));
        assert!(!admits("!=1.5", "1.5+l"));
        assert!(admits("<=1.0", "1.0+l"));
        assert!(!admits(">1.0", "1.0+l"));
        assert!(admits(">=1.0", "1.0+l"));
        assert!(!admits("<1.0", "1.0+l"));
        assert!(!admits("==1.0", "1.0.post1"));
    }

    #[test]
    fn the_rest_of_pep_440() {
        for (specifiers, inside, outside) in [
            ("~=1.4.5", "1.4.9", "1.5"),
            ("~=1.4", "1.99", "2.0a1"),
            ("==1.4.*", "1.4.0.dev1", "1.5.0.dev1"),
            ("!=1.4.*", "1.5", "1.4.7"),
            ("<2.0", "1.9", "2.0rc1"),
            ("<2.0rc1", "2.0b1", "2.0rc1"),
            (">1.0", "1.0.1", "1.0.post1"),
            (">1.0.post1", "1.0.post2", "1.0.post1"),
            (">1.0.post1", "1.0.post2.dev0", "1.0.post1+l"),
            (">1.0.dev1", "1.0.dev2", "1.0.dev1+l"),
            ("<1.0.post1", "1.0", "1.0.post1.dev0"),
            ("<1.0.post1", "1.0a1", "1.0.post1"),
            ("<1.0.post1", "1.0.post0+l", "1.1.dev0"),
            ("==1!1.*", "1!1.5", "1.5"),
            (">=1.0a1,<1.1", "1.0a1", "1.1a1"),
            ("===1.0", "1.0", "1.0+l"),
            ("===1.0", "1.0", "1.0.0"),
            ("===1.0.0+l", "1.0.0+l", "1.0+l"),
            ("==1.0.0", "1", "1.0.0.post1"),
            ("~=1.4.5a4", "1.4.5", "1.4.5a3"),
        ] {
            assert!(admits(specifiers, inside), "{specifiers} {inside}");
            assert!(!admits(specifiers, outside), "{specifiers} {outside}");
        }
    }

    #[test]
    fn specifiers_with_other_numbers_are_others() {
        let spelled = |s: &str| Spelled(VersionSpecifiers::from_str(s).unwrap());
        assert_eq!(spelled(">=1,~=1.4"), spelled(">=1,~=1.4"));
        assert_ne!(spelled(">=1,~=1.4"), spelled(">=1,~=1.4.0"));
        assert_ne!(spelled("==1.*"), spelled("==1.0.*"));
    }

    #[test]
    fn huge_numbers_do_not_overflow() {
        assert!(!admits("==18446744073709551615.*", "1"));
        assert!(!admits("~=18446744073709551615.1", "1"));
        assert!(!admits(">1.post18446744073709551615", "1"));
    }

    #[test]
    fn upper_bounds_on_python_do_not_count() {
        let python = Version::from_str("3.13.5").unwrap();
        let admits = |s: &str| admits_python(&VersionSpecifiers::from_str(s).unwrap(), &python);
        assert!(admits(">=3.8,<3.12"));
        assert!(admits("<3"));
        assert!(admits(">=2.7,!=3.0.*"));
        assert!(admits("~=3.13"));
        assert!(!admits(">=3.13.6"));
        assert!(!admits(">3.13.5"));
        assert!(!admits("==3.14.*"));
    }

    #[test]
    fn ranges_read_well() {
        let text = |s: &str| describe(&range(&VersionSpecifiers::from_str(s).unwrap()));
        assert_eq!(text("<2"), "<2");
        assert_eq!(text(">=1,<2"), ">=1,<2");
        assert_eq!(text("==1.5"), "==1.5");
        assert_eq!(text("~=1.4.2"), ">=1.4.2,<1.5");
        assert_eq!(text("!=1.5"), "!=1.5");
        assert_eq!(text(">1"), ">1");
    }
}
