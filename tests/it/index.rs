//! The index client against an index on loopback.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyresolve::index::{Catalog, IndexError, Options, Page, RemoteCatalog};
use pyresolve::python::{Metadata, PackageName, Version, Wanted};
use tempfile::TempDir;

use crate::support::index::{Index, Manner, Trouble};
use crate::support::project::Release;

const NOW: Duration = Duration::from_secs(1_750_000_000);

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn options(index: &Index) -> Options {
    let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW);
    options.add_indexes(&[], Some(&index.url()), &[]).unwrap();
    options
}

fn catalog(index: &Index) -> RemoteCatalog {
    RemoteCatalog::new(options(index))
}

/// A catalog with a cache, so many seconds after the start.
fn cached(index: &Index, folder: &TempDir, later: u64) -> RemoteCatalog {
    let mut options = options(index);
    options.cache = Some(folder.path().join("cache"));
    options.now += Duration::from_secs(later);
    RemoteCatalog::new(options)
}

fn metadata(
    catalog: &dyn Catalog,
    project: &str,
    version: &str,
) -> Result<Arc<Metadata>, IndexError> {
    let page = catalog.page(&name(project))?;
    let release = page.release(&Version::from_str(version).unwrap()).unwrap();
    catalog.metadata(&page, &release)
}

fn requirements(metadata: &Metadata) -> Vec<String> {
    metadata
        .requires_dist
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn versions(page: &Page) -> Vec<String> {
    page.versions().map(ToString::to_string).collect()
}

fn demo() -> Vec<Release> {
    vec![
        Release::new("demo", "1.0").needs("dep>=1").yanked("broken"),
        Release::new("demo", "2.0")
            .needs("dep>=2")
            .needs("more; extra == 'x'")
            .python(">=3.8")
            .wheels(&[
                "cp313-cp313-manylinux_2_17_x86_64",
                "cp313-cp313-macosx_11_0_arm64",
            ])
            .description(20_000),
    ]
}

#[test]
fn every_form_of_page_gives_the_same_releases() {
    let mut found = Vec::new();
    for (json, relative, gzip) in [
        (true, false, true),
        (true, true, false),
        (false, false, true),
        (false, true, false),
    ] {
        let index = Index::with(
            Manner {
                json,
                relative,
                gzip,
                ..Manner::default()
            },
            demo(),
        );
        let catalog = catalog(&index);
        let page = catalog.page(&name("demo")).unwrap();
        assert_eq!(versions(&page), ["1.0", "2.0"]);
        let files: Vec<_> = page
            .versions()
            .flat_map(|version| {
                page.release(version)
                    .unwrap()
                    .files()
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .map(|file| {
                let url = file.url.as_str().replace(&index.root(), "");
                (
                    file.file,
                    url,
                    file.sha256,
                    file.yanked,
                    file.requires_python,
                    file.has_metadata,
                )
            })
            .collect();
        assert_eq!(files.len(), 5);
        found.push(files);
    }
    for other in &found[1..] {
        assert_eq!(*other, found[0]);
    }
}

#[test]
fn announced_metadata_takes_two_requests() {
    let index = Index::start(demo());
    let metadata = metadata(&catalog(&index), "demo", "2.0").unwrap();
    assert_eq!(requirements(&metadata), ["dep>=2", "more; extra == 'x'"]);
    let expected = "/files/demo-2.0-cp313-cp313-manylinux_2_17_x86_64.whl.metadata";
    assert_eq!(index.paths(), ["/simple/demo/", expected]);
}

#[test]
fn unannounced_metadata_is_probed_and_remembered() {
    let manner = Manner {
        announced: false,
        ..Manner::default()
    };
    let releases = || {
        (0..6)
            .map(|n| Release::new(&format!("p{n}"), "1").needs("dep"))
            .collect()
    };
    let index = Index::with(manner.clone(), releases());
    let folder = TempDir::new().unwrap();
    let first = cached(&index, &folder, 0);
    for n in 0..3 {
        assert_eq!(
            metadata(&first, &format!("p{n}"), "1")
                .unwrap()
                .requires_dist
                .len(),
            1
        );
    }
    assert_eq!(first.counts().requests, 6);

    // Where there are none, some misses are enough, and the next run asks no more.
    let index = Index::with(
        Manner {
            metadata: false,
            ..manner
        },
        releases(),
    );
    let folder = TempDir::new().unwrap();
    for (projects, asked) in [(["p0", "p1", "p2", "p3"], 3), (["p2", "p3", "p4", "p5"], 0)] {
        let catalog = cached(&index, &folder, 0);
        for project in projects {
            assert_eq!(
                metadata(&catalog, project, "1")
                    .unwrap()
                    .requires_dist
                    .len(),
                1
            );
        }
        let seen = index.seen();
        let probes = seen.iter().filter(|s| s.path.ends_with(".metadata"));
        assert_eq!(probes.count(), asked);
    }
}

#[test]
fn some_metadata_files_may_be_missing() {
    let index = Index::with(
        Manner {
            announced: false,
            ..Manner::default()
        },
        demo(),
    );
    index.trouble("2.0-cp313", Trouble::Status(404, ""), 1);
    let found = metadata(&catalog(&index), "demo", "2.0").unwrap();
    assert_eq!(found.requires_dist.len(), 2);
    let last = index.seen().pop().unwrap();
    assert!(last.path.ends_with(".whl") && last.headers["range"].starts_with("bytes=-"));
}

#[test]
fn metadata_comes_out_of_the_wheel_with_ranges_and_without() {
    for (ranges, hashes) in [(true, true), (false, true), (false, false)] {
        let manner = Manner {
            announced: false,
            metadata: false,
            ranges,
            hashes,
            ..Manner::default()
        };
        let index = Index::with(
            manner,
            vec![Release::new("demo", "1").needs("dep").padding(400_000)],
        );
        let catalog = catalog(&index);
        assert_eq!(
            requirements(&metadata(&catalog, "demo", "1").unwrap()),
            ["dep"]
        );
        assert_eq!(catalog.counts().bytes > 400_000, !ranges);
    }
}

#[test]
fn a_broken_wheel_is_said_to_be_broken() {
    let manner = Manner {
        announced: false,
        metadata: false,
        ranges: false,
        ..Manner::default()
    };
    let index = Index::with(manner, vec![Release::new("demo", "1")]);
    index.trouble(".whl", Trouble::Garbage(b"<html>no wheel</html>"), 99);
    let error = metadata(&catalog(&index), "demo", "1").unwrap_err();
    assert!(matches!(error, IndexError::HashMismatch { .. }), "{error}");
    index.change(|manner| manner.hashes = false);
    let error = metadata(&catalog(&index), "demo", "1")
        .unwrap_err()
        .to_string();
    assert!(error.contains("no zip archive"), "{error}");
}

#[test]
fn sdists_speak_for_themselves() {
    let index = Index::start(vec![
        Release::new("modern", "1").wheels(&[]).needs("dep>=1"),
        Release::new("zipped", "1")
            .wheels(&[])
            .needs("dep>=1")
            .zipped(),
        Release::new("static", "1").wheels(&[]).source(&[(
            "pyproject.toml",
            "[project]\nname = 'static'\nversion = '1'\ndependencies = ['dep>=1']\n",
        )]),
        Release::new("dynamic", "1")
            .wheels(&[])
            .needs("wrong")
            .source(&[(
                "pyproject.toml",
                "[project]\nname = 'dynamic'\nversion = '1'\ndynamic = ['dependencies']\n\
             [build-system]\nrequires = ['own']\nbuild-backend = 'own'\n",
            )]),
    ]);
    let folder = TempDir::new().unwrap();
    let catalog = cached(&index, &folder, 0);
    for project in ["modern", "zipped", "static"] {
        let found = metadata(&catalog, project, "1").unwrap();
        assert_eq!(requirements(&found), ["dep>=1"], "{project}");
    }
    let error = metadata(&catalog, "dynamic", "1").unwrap_err().to_string();
    assert!(
        error.contains("dynamic 1") && error.contains("pyproject.toml:4"),
        "{error}"
    );
    drop(catalog);

    // A second run downloads no sdist again, whatever became of it.
    index.seen();
    let catalog = cached(&index, &folder, 1);
    for project in ["modern", "zipped", "static", "dynamic"] {
        let page = catalog.page(&name(project)).unwrap();
        let release = page.release(&Version::from_str("1").unwrap()).unwrap();
        assert_eq!(
            catalog.metadata(&page, &release).is_ok(),
            project != "dynamic"
        );
        let facts = catalog
            .facts(&page.name, release.sdist.as_ref().unwrap())
            .unwrap();
        assert!(!facts.build_requires.is_empty(), "{project}");
    }
    assert_eq!(index.paths(), [""; 0]);
}

#[test]
fn metadata_that_the_user_supplies_wins() {
    let index = Index::start(demo());
    let mut options = options(&index);
    let text = "Metadata-Version: 2.1\nName: demo\nVersion: 2.0\nRequires-Dist: other\n";
    options
        .metadata
        .insert((name("demo"), Some("2.0".to_owned())), text.to_owned());
    let catalog = RemoteCatalog::new(options);
    assert_eq!(
        requirements(&metadata(&catalog, "demo", "2.0").unwrap()),
        ["other"]
    );
    assert_eq!(
        requirements(&metadata(&catalog, "demo", "1.0").unwrap()),
        ["dep>=1"]
    );
}

#[test]
fn the_first_index_that_knows_a_name_wins() {
    let private = Index::start(vec![Release::new("demo", "1")]);
    let public = Index::start(vec![Release::new("demo", "9"), Release::new("other", "9")]);
    let folder = TempDir::new().unwrap();
    let both = |later| {
        let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW + Duration::from_secs(later));
        options
            .add_indexes(&[], Some(&private.url()), &[public.url()])
            .unwrap();
        options.cache = Some(folder.path().to_owned());
        options
    };
    let catalog = RemoteCatalog::new(both(0));
    assert_eq!(versions(&catalog.page(&name("demo")).unwrap()), ["1"]);
    let other = catalog.page(&name("other")).unwrap();
    assert_eq!(versions(&other), ["9"]);
    assert_eq!(other.index.as_ref().unwrap().as_str(), public.url());
    let error = catalog.page(&name("absent")).unwrap_err();
    assert_eq!(error, IndexError::UnknownProject(name("absent")));
    drop(catalog);
    private.seen();
    public.seen();

    // What an index lacks is remembered as long as what it has.
    let catalog = RemoteCatalog::new(both(599));
    assert_eq!(versions(&catalog.page(&name("other")).unwrap()), ["9"]);
    assert!(catalog.page(&name("absent")).is_err());
    assert_eq!((private.paths().len(), public.paths().len()), (0, 0));
    drop(catalog);

    // An outage of the first is no reason to trust the second.
    private.trouble("/simple/", Trouble::Status(500, ""), 99);
    let mut fresh = both(0);
    fresh.cache = None;
    let error = RemoteCatalog::new(fresh)
        .page(&name("other"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("500"), "{error}");
    assert_eq!(public.paths().len(), 0);
}

#[test]
fn projects_can_be_pinned_to_an_index() {
    let (a, b) = (
        Index::start(vec![Release::new("demo", "1")]),
        Index::start(vec![Release::new("demo", "2")]),
    );
    let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW);
    options
        .add_indexes(&[("own".to_owned(), b.url())], Some(&a.url()), &[])
        .unwrap();
    assert_eq!(options.indexes.len(), 2);
    options.indexes.reverse();
    let plain = RemoteCatalog::new(options.clone());
    assert_eq!(versions(&plain.page(&name("demo")).unwrap()), ["1"]);
    options.pinned.insert(name("demo"), "own".to_owned());
    let pinned = RemoteCatalog::new(options);
    assert_eq!(versions(&pinned.page(&name("demo")).unwrap()), ["2"]);
}

#[test]
fn newer_files_can_be_left_out() {
    let index = Index::start(vec![
        Release::new("demo", "1").uploaded("2024-01-01T12:00:00Z"),
        Release::new("demo", "2").uploaded("2024-02-01T12:00:00Z"),
        Release::new("free", "2").uploaded("2024-02-01T12:00:00Z"),
        Release::new("timeless", "1").uploaded(""),
    ]);
    let folder = TempDir::new().unwrap();
    let mut options = options(&index);
    options.cache = Some(folder.path().to_owned());
    options.exclude_newer = pyresolve::index::Timestamp::parse_cutoff("2024-01-01");
    options.exclude_newer_package.insert(name("free"), None);
    for _ in 0..2 {
        let catalog = RemoteCatalog::new(options.clone());
        assert_eq!(versions(&catalog.page(&name("demo")).unwrap()), ["1"]);
        assert_eq!(versions(&catalog.page(&name("free")).unwrap()), ["2"]);
        let error = catalog.page(&name("timeless")).unwrap_err().to_string();
        assert!(error.contains("upload time"), "{error}");
    }
    options.exclude_newer = None;
    let all = RemoteCatalog::new(options);
    assert_eq!(
        versions(&all.page(&name("demo")).unwrap()),
        ["1", "2"],
        "the cache holds everything"
    );
}

#[test]
fn a_folder_can_stand_for_an_index() {
    let folder = TempDir::new().unwrap();
    for file in Release::new("demo", "1").needs("dep").files() {
        std::fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW);
    options
        .add_find_links(folder.path().to_str().unwrap())
        .unwrap();
    let catalog = RemoteCatalog::new(options);
    assert_eq!(
        requirements(&metadata(&catalog, "demo", "1").unwrap()),
        ["dep"]
    );
    let page = catalog.page(&name("demo")).unwrap();
    let release = page.release(&Version::from_str("1").unwrap()).unwrap();
    assert!(catalog.sha256(&name("demo"), &release.wheels[0]).is_ok());
    assert!(catalog.page(&name("absent")).is_err());
}

fn direct(catalog: &RemoteCatalog, wanted: &str) -> Result<(String, Vec<String>), IndexError> {
    let wanted = match wanted.split_once(':') {
        Some(_) => Wanted::Url(wanted.parse().unwrap()),
        None => Wanted::Path(wanted.into()),
    };
    let (release, metadata) = catalog.direct(&name("demo"), &wanted)?;
    Ok((release.version.to_string(), requirements(&metadata)))
}

#[test]
fn addresses_and_paths_stand_for_a_release() {
    let release = Release::new("demo", "1.5").needs("dep>=1");
    let nested = Release::new("demo", "1.6").source(&[(
        "sub/pyproject.toml",
        "[project]\nname = 'demo'\nversion = '7'\ndependencies = ['inner']\n",
    )]);
    let index = Index::start(vec![release.clone(), nested, Release::new("other", "1")]);
    let folder = TempDir::new().unwrap();
    let place = |file: &str| folder.path().join(file).display().to_string();
    for file in release.files() {
        std::fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    std::fs::write(
        folder.path().join("pyproject.toml"),
        "[project]\nname = 'demo'\nversion = '3'\ndependencies = ['local']\n",
    )
    .unwrap();
    let catalog = catalog(&index);
    let wheel = "demo-1.5-py3-none-any.whl";
    let at = |file: &str| format!("{}/files/{file}", index.root());
    let published = Ok(("1.5".to_owned(), vec!["dep>=1".to_owned()]));
    assert_eq!(direct(&catalog, &at(wheel)), published);
    assert_eq!(direct(&catalog, &at("demo-1.5.tar.gz")), published);
    assert_eq!(direct(&catalog, &place(wheel)), published);
    assert_eq!(
        direct(&catalog, &format!("file://{}", place("demo-1.5.tar.gz"))),
        published
    );
    let own = folder.path().display().to_string();
    assert_eq!(
        direct(&catalog, &own),
        Ok(("3".to_owned(), vec!["local".to_owned()]))
    );
    let sub = at("demo-1.6.tar.gz#subdirectory=sub");
    assert_eq!(
        direct(&catalog, &sub),
        Ok(("7".to_owned(), vec!["inner".to_owned()]))
    );

    let good = index.file(wheel).sha256();
    assert_eq!(
        direct(&catalog, &at(&format!("{wheel}#sha256={good}"))),
        published
    );
    let bad = at(&format!("{wheel}#sha256={}", "0".repeat(64)));
    assert!(matches!(
        direct(&catalog, &bad),
        Err(IndexError::HashMismatch { .. })
    ));
    for (wanted, part) in [
        (at("other-1.tar.gz"), "`other`, not `demo`"),
        (at("absent-1.tar.gz"), "not there"),
        (place("absent"), "absent"),
        (at("demo-1.6.tar.gz#subdirectory=../x"), "leads out"),
    ] {
        let error = direct(&catalog, &wanted).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
