//! Where metadata comes from when an index tells little of it, or wrong things, and when its file host
//! has its own idea of byte ranges.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use pyresolve::index::{Catalog, Options, RemoteCatalog};
use pyresolve::python::{PackageName, Version};

use crate::support::index::{Digest, Index, Manner, Suffix};
use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

/// Pages in JSON and in HTML.
const FORMS: [bool; 2] = [true, false];

/// A project that needs another, and an index that says this of `.metadata` files.
fn workshop(digest: Digest, json: bool) -> Workshop {
    let workshop = Workshop::with_demo();
    workshop.index.change(|manner| {
        manner.digest = digest;
        manner.json = json;
    });
    workshop.write("requirements.txt", "zz-demo\n");
    workshop
}

#[test]
fn metadata_without_a_digest_is_read_all_the_same() {
    for json in FORMS {
        let workshop = workshop(Digest::Untold, json);
        workshop.locked(&["requirements.txt", "--lock-only"]);
        assert_eq!(
            pins(&workshop.read("pylock.toml")),
            ["zz-demo 1.0", "zz-leaf 2.0"]
        );
        let paths = workshop.index.paths();
        let whole = paths.iter().filter(|path| path.ends_with(".whl")).count();
        assert_eq!((paths.len(), whole), (4, 0), "{paths:?}");
    }
}

#[test]
fn metadata_with_another_digest_is_not_used() {
    for json in FORMS {
        let workshop = workshop(Digest::Wrong, json);
        let output = workshop.lock(&["requirements.txt", "--lock-only"]);
        let errors = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{errors}");
        let demo = workshop.index.file("zz_demo-1.0-py3-none-any.whl");
        let actual = pyresolve::python::Sha256::of(&demo.metadata.unwrap()).hex();
        for part in [
            "zz_demo-1.0-py3-none-any.whl.metadata",
            &"ab".repeat(32),
            &actual,
        ] {
            assert!(errors.contains(part), "{errors}");
        }
        assert!(!workshop.path("pylock.toml").exists());
    }
}

#[test]
fn announced_metadata_that_is_not_there_comes_out_of_the_wheel() {
    for json in FORMS {
        let workshop = workshop(Digest::Told, json);
        workshop.index.change(|manner| manner.metadata = false);
        workshop.locked(&["requirements.txt", "--lock-only"]);
        assert_eq!(
            pins(&workshop.read("pylock.toml")),
            ["zz-demo 1.0", "zz-leaf 2.0"]
        );
        let seen = workshop.index.seen();
        let parts = seen.iter().filter(|seen| seen.path.ends_with(".whl"));
        let ranges: Vec<_> = parts.map(|seen| seen.headers.get("range")).collect();
        assert_eq!(ranges.len(), 2);
        assert!(
            ranges
                .iter()
                .all(|range| range.is_some_and(|r| r.starts_with("bytes=-")))
        );
    }
}

/// How large the wheels are that must not be read whole.
const LARGE: usize = 12_000_000;

/// A catalog of three projects with large wheels, and what their metadata costs: requests for parts of
/// wheels, and bytes.
fn cost(manner: Manner) -> (Vec<String>, u64) {
    let releases = (0..3).map(|n| {
        let release = Release::new(&format!("p{n}"), "1").needs("dep");
        release.padding(LARGE).no_sdist()
    });
    let index = Index::with(manner, releases.collect());
    let mut options = Options::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000));
    options.add_indexes(&[], Some(&index.url()), &[]).unwrap();
    let catalog = RemoteCatalog::new(options);
    for n in 0..3 {
        let name = PackageName::from_str(&format!("p{n}")).unwrap();
        let page = catalog.page(&name).unwrap();
        let release = page.release(&Version::from_str("1").unwrap()).unwrap();
        let metadata = catalog.metadata(&page, &release).unwrap();
        assert_eq!(metadata.requires_dist.len(), 1);
    }
    let bytes = catalog.counts().bytes;
    let seen = index.seen().into_iter();
    let wheels = seen.filter(|seen| seen.path.ends_with(".whl"));
    let ranges = wheels.map(|seen| seen.headers.get("range").cloned().unwrap_or_default());
    (ranges.collect(), bytes)
}

fn without_metadata() -> Manner {
    Manner {
        announced: false,
        metadata: false,
        ..Manner::default()
    }
}

#[test]
fn a_host_without_suffix_ranges_is_asked_for_absolute_ones() {
    for suffix in [Suffix::Whole, Suffix::Refusal, Suffix::Nameless] {
        let (ranges, bytes) = cost(Manner {
            suffix,
            ..without_metadata()
        });
        let suffixes = ranges.iter().filter(|range| range.starts_with("bytes=-"));
        assert_eq!(suffixes.count(), 1, "{suffix:?}: {ranges:?}");
        assert!(ranges.len() <= 7, "{suffix:?}: {ranges:?}");
        assert!(ranges.iter().all(|range| !range.is_empty()), "{ranges:?}");
        let most = match suffix {
            Suffix::Nameless => LARGE as u64 / 2 + 1_000_000,
            _ => 1_000_000,
        };
        assert!(bytes < most, "{suffix:?}: {bytes}");
    }
    // The wrong part of the file is a part of the file: only the rest is asked for.
    let (ranges, bytes) = cost(Manner {
        suffix: Suffix::Start,
        ..without_metadata()
    });
    assert!(bytes < 1_000_000, "{bytes}: {ranges:?}");
}

#[test]
fn sizes_that_nobody_tells_are_asked_for() {
    let (ranges, bytes) = cost(Manner {
        suffix: Suffix::Whole,
        json: false,
        ..without_metadata()
    });
    let probes = ranges.iter().filter(|range| *range == "bytes=0-0");
    assert_eq!(probes.count(), 3, "{ranges:?}");
    assert!(bytes < 1_000_000, "{bytes}: {ranges:?}");
}

#[test]
fn a_host_without_ranges_gives_each_wheel_once() {
    let (ranges, bytes) = cost(Manner {
        ranges: false,
        ..without_metadata()
    });
    assert_eq!(ranges.len(), 5, "{ranges:?}");
    assert_eq!(ranges.iter().filter(|range| range.is_empty()).count(), 3);
    let (least, most) = (3 * LARGE as u64, 3 * LARGE as u64 + 1_000_000);
    assert!((least..most).contains(&bytes), "{bytes}");
}
