//! Micro-benchmarks of what a run does most: `cargo bench --bench speed`.
//!
//! Everything is made here, from sizes like those of large projects: no network, no recordings.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;

use divan::{Bencher, black_box};
use pyresolve::event::Silent;
use pyresolve::index::fixed::FixedCatalog;
use pyresolve::index::{Distribution, Page, Release};
use pyresolve::python::range::{self, Point};
use pyresolve::python::requires::Reader;
use pyresolve::python::{
    Filename, Metadata, PackageName, Requirement, Sha256, System, Targets, Version,
    VersionSpecifiers,
};
use pyresolve::resolve::{self, Input, Outcome, Prefer};
use url::Url;

fn main() {
    divan::main();
}

fn targets() -> Targets {
    Targets::new(Version::new([3, 13, 5]), &System::DEFAULT)
}

/// A page as an index gives it, of so many releases of two files each.
fn page(releases: usize) -> String {
    let mut text = r#"{"meta":{"api-version":"1.1"},"name":"demo","files":["#.to_owned();
    for index in 0..releases {
        let version = format!("{}.{}.{}", index / 400, index / 20 % 20, index % 20);
        for (file, comma) in [
            (format!("demo-{version}-py3-none-any.whl"), ","),
            (
                format!("demo-{version}.tar.gz"),
                if index + 1 < releases { "," } else { "" },
            ),
        ] {
            let digest = Sha256::of(file.as_bytes());
            write!(
                text,
                r#"{{"filename":"{file}","hashes":{{"sha256":"{digest}"}},"requires-python":">=3.8","size":{},"upload-time":"2024-05-06T07:08:09.123456Z","url":"https://files.example.test/packages/{digest}/{file}","yanked":false,"core-metadata":{{"sha256":"{digest}"}}}}{comma}"#,
                index * 1000
            )
            .unwrap();
        }
    }
    text.push_str("]}");
    text
}

#[divan::bench(args = [10, 100, 2000])]
fn page_parsing(bencher: Bencher, releases: usize) {
    let text = page(releases);
    let address = Url::parse("https://index.example.test/simple/demo/").unwrap();
    let name = PackageName::from_str("demo").unwrap();
    let parsed = Page::from_json(name.clone(), &address, &text).unwrap();
    assert_eq!(parsed.versions().count(), releases);
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| Page::from_json(name.clone(), &address, black_box(&text)).unwrap());
}

/// A page whose releases have a wheel for every system, and sdists that spell the name otherwise.
#[divan::bench(args = [20, 200])]
fn page_of_many_wheels(bencher: Bencher, releases: usize) {
    let pythons = ["cp310", "cp311", "cp312", "cp313"];
    let systems = ["manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64"];
    let mut files = Vec::new();
    for index in 0..releases {
        let version = format!("{}.{}", index / 20, index % 20);
        for python in pythons {
            let wheel = |system| format!("demo_client-{version}-{python}-{python}-{system}.whl");
            files.extend(systems.iter().map(wheel));
        }
        files.push(format!("demo-client-{version}.tar.gz"));
    }
    let listed = files.iter().map(|file| {
        let digest = Sha256::of(file.as_bytes());
        format!(
            r#"{{"core-metadata":{{"sha256":"{digest}"}},"filename":"{file}","hashes":{{"sha256":"{digest}"}},"requires-python":">=3.10","size":70000,"upload-time":"2024-05-06T07:08:09.123456Z","url":"https://files.example.test/packages/{}/{}/{}/{file}","yanked":false}}"#,
            &digest.hex()[..2],
            &digest.hex()[2..4],
            &digest.hex()[4..]
        )
    });
    let listed = listed.collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"demo","files":[{listed}]}}"#);
    let address = Url::parse("https://index.example.test/simple/demo-client/").unwrap();
    let name = PackageName::from_str("demo-client").unwrap();
    let parsed = Page::from_json(name.clone(), &address, &text).unwrap();
    assert_eq!(parsed.versions().count(), releases);
    bencher
        .counter(divan::counter::BytesCount::of_str(&text))
        .bench(|| Page::from_json(name.clone(), &address, black_box(&text)).unwrap());
}

/// The metadata of a hundred releases that require much the same, as a long search meets it.
#[divan::bench]
fn metadata_of_many_releases(bencher: Bencher) {
    let texts: Vec<String> = (0..100)
        .map(|minor| {
            let mut text = format!("Metadata-Version: 2.1\nName: demo\nVersion: 1.{minor}\n");
            for need in 0..40 {
                let low = if need == 0 { minor } else { need };
                writeln!(
                    text,
                    "Requires-Dist: need-{need}>=1.{low},<3; python_version >= '3.8' and extra == 'e{}'",
                    need % 5
                )
                .unwrap();
            }
            text
        })
        .collect();
    bencher.bench(|| {
        let reader = Reader::default();
        let read = |text: &String| Metadata::parse_with(black_box(text.as_bytes()), &reader);
        let all = texts
            .iter()
            .map(|text| read(text).unwrap().requires_dist.len());
        assert_eq!(all.sum::<usize>(), 4000);
    });
}

#[divan::bench]
fn versions(bencher: Bencher) {
    let texts: Vec<String> = (0..1000)
        .map(|i| {
            format!(
                "{}.{}.{}{}",
                i / 100,
                i / 10 % 10,
                i % 10,
                ["", "rc1", ".post1"][i % 3]
            )
        })
        .collect();
    bencher.bench(|| {
        let versions = texts.iter().map(|text| Version::from_str(text).unwrap());
        let mut points: Vec<Point> = versions.map(|version| Point::new(&version)).collect();
        points.sort();
        points
    });
}

#[divan::bench]
fn specifiers(bencher: Bencher) {
    let texts = [
        ">=1.0",
        ">=1.2,<3",
        "~=2.4.1",
        "!=1.5.*,>=1.4",
        "==2.*",
        ">=1,!=1.3,!=1.4,<2",
    ];
    let point = Point::new(&Version::new([2, 4, 7]));
    bencher.bench(|| {
        let fitting = texts.iter().filter(|text| {
            let specifiers = VersionSpecifiers::from_str(black_box(text)).unwrap();
            range::range(&specifiers).contains(&point)
        });
        fitting.count()
    });
}

#[divan::bench]
fn requirement_parsing() -> Requirement {
    let text = "importlib-metadata[perf]>=1.4,!=2.*; python_version < '3.8' and extra == 'cli'";
    Requirement::parse(black_box(text)).unwrap()
}

#[divan::bench]
fn marker_evaluation(bencher: Bencher) {
    let text =
        "x; (sys_platform == 'linux' or platform_machine == 'arm64') and python_version >= '3.9'";
    let marker = Requirement::parse(text).unwrap().marker;
    let targets = targets();
    bencher.bench(|| targets.matching(black_box(&marker), &[]));
}

/// Layers of ten projects of twenty releases; each needs three of the next layer, the newest releases
/// of one of these newer than exist, so that the solver must step back.
fn universe(layers: usize) -> FixedCatalog {
    let mut catalog = FixedCatalog::default();
    for layer in 0..layers {
        for number in 0..10 {
            let name = PackageName::from_str(&format!("p{layer}-{number}")).unwrap();
            let releases = (0..20).map(|minor| {
                let version = Version::new([1, minor]);
                let needs = (0..3).filter(|_| layer + 1 < layers).map(|step| {
                    let low = if step == 0 && minor > 17 {
                        21
                    } else {
                        minor / 2
                    };
                    let text = format!("p{}-{}>=1.{low}", layer + 1, (number + step * 3) % 10);
                    Requirement::parse(&text).unwrap()
                });
                let metadata = Metadata {
                    name: name.clone(),
                    version: version.to_string(),
                    requires_dist: needs.collect(),
                    requires_python: None,
                    provides_extra: Vec::new(),
                    about: Default::default(),
                    repairs: Vec::new(),
                    spellings: Default::default(),
                };
                let key = (name.clone(), version.clone());
                catalog.metadata.insert(key, Arc::new(metadata));
                release(&name, version)
            });
            let page = Page::new(name.clone(), None, releases.collect());
            catalog.pages.insert(name, Arc::new(page));
        }
    }
    catalog
}

fn release(name: &PackageName, version: Version) -> Release {
    let file = format!(
        "{}-{version}-py3-none-any.whl",
        name.to_string().replace('-', "_")
    );
    let (filename, _) = Filename::parse(&file, name).unwrap();
    let url = Url::parse(&format!("https://files.example.test/{file}")).unwrap();
    let wheel = Distribution {
        filename,
        sha256: Some(Sha256::of(file.as_bytes())),
        url: url.into(),
        file,
        size: None,
        requires_python: None,
        uploaded: None,
        yanked: None,
        has_metadata: true,
        metadata_sha256: None,
    };
    Release {
        version,
        wheels: vec![wheel],
        sdist: None,
        tree: None,
    }
}

/// From 10 to 1,000 projects, two conflicts each: must grow as their number does.
#[divan::bench(args = [1, 10, 100], sample_count = 10)]
fn solving(bencher: Bencher, layers: usize) {
    let catalog = universe(layers);
    let mut input = Input::new(targets());
    input.policy.prefer = Prefer::Latest;
    input.requirements = (0..10)
        .map(|number| Requirement::parse(&format!("p0-{number}")).unwrap())
        .collect();
    bencher.bench(
        || match resolve::resolve(&catalog, &input, &Silent).unwrap() {
            Outcome::Solved(resolution) => assert_eq!(resolution.pins.len(), layers * 10),
            Outcome::Unsolvable(_) => unreachable!("older releases need nothing that is missing"),
        },
    );
}
