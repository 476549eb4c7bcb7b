//! The index client's cache, and what it does when the network or the disk does not behave.

use std::fs;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use pyresolve::event::{Event, Observer};
use pyresolve::index::{
    Catalog, Distribution, IndexError, Options, Page, Release, RemoteCatalog, Scout,
};
use pyresolve::python::{Metadata, PackageName, Version};
use tempfile::TempDir;

use crate::support::index::{Index, Manner, Trouble};
use crate::support::project;

const NOW: Duration = Duration::from_secs(1_750_000_000);

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn options(index: &Index, folder: &TempDir, later: u64) -> Options {
    let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW + Duration::from_secs(later));
    options.add_indexes(&[], Some(&index.url()), &[]).unwrap();
    options.cache = Some(folder.path().join("cache"));
    options
}

fn catalog(index: &Index, folder: &TempDir, later: u64) -> RemoteCatalog {
    RemoteCatalog::new(options(index, folder, later))
}

/// The newest version and what it needs.
fn newest(catalog: &dyn Catalog, project: &str) -> Result<(String, Vec<String>), IndexError> {
    let page = catalog.page(&name(project))?;
    let version = page.versions().next_back().unwrap().clone();
    let metadata = catalog.metadata(&page, &page.release(&version).unwrap())?;
    let needs = metadata
        .requires_dist
        .iter()
        .map(ToString::to_string)
        .collect();
    Ok((version.to_string(), needs))
}

fn sdist(catalog: &dyn Catalog, project: &str) -> Distribution {
    let page = catalog.page(&name(project)).unwrap();
    let version = page.versions().next_back().unwrap().clone();
    page.release(&version).unwrap().sdist.clone().unwrap()
}

fn releases() -> Vec<project::Release> {
    vec![
        project::Release::new("demo", "1").needs("dep"),
        project::Release::new("dep", "1").wheels(&[]),
    ]
}

#[test]
fn fresh_entries_need_no_request_and_stale_ones_one() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    let expected = Ok(("1".to_owned(), vec!["dep".to_owned()]));
    assert_eq!(newest(&catalog(&index, &folder, 0), "demo"), expected);
    index.seen();
    let warm = catalog(&index, &folder, 599);
    assert_eq!(newest(&warm, "demo"), expected);
    assert_eq!((warm.counts().requests, warm.counts().hits), (0, 2));
    drop(warm);
    let stale = catalog(&index, &folder, 600);
    assert_eq!(newest(&stale, "demo"), expected);
    assert_eq!(
        (stale.counts().requests, stale.counts().revalidated),
        (1, 1)
    );
    drop(stale);
    // The check made it fresh again.
    let warm = catalog(&index, &folder, 1100);
    assert_eq!(newest(&warm, "demo"), expected);
    assert_eq!(warm.counts().requests, 0);
    drop(warm);
    let mut refresh = options(&index, &folder, 1100);
    refresh.refresh = true;
    let refresh = RemoteCatalog::new(refresh);
    assert_eq!(newest(&refresh, "demo"), expected);
    assert_eq!(refresh.counts().requests, 1);
}

#[test]
fn a_new_release_is_seen_when_the_entry_is_stale() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    newest(&catalog(&index, &folder, 0), "demo").unwrap();
    index.publish(project::Release::new("demo", "2"));
    assert_eq!(
        newest(&catalog(&index, &folder, 10), "demo").unwrap().0,
        "1"
    );
    assert_eq!(
        newest(&catalog(&index, &folder, 700), "demo").unwrap().0,
        "2"
    );
    index.seen();
    let warm = catalog(&index, &folder, 710);
    let page = warm.page(&name("demo")).unwrap();
    for version in ["1", "2"] {
        let release = page.release(&Version::from_str(version).unwrap()).unwrap();
        warm.metadata(&page, &release).unwrap();
    }
    assert_eq!(index.paths().len(), 0, "old metadata survives a new page");
}

#[test]
fn offline_uses_what_there_is_and_says_what_is_missing() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    newest(&catalog(&index, &folder, 0), "demo").unwrap();
    index.seen();
    let offline = |later| {
        let mut options = options(&index, &folder, later);
        options.offline = true;
        RemoteCatalog::new(options)
    };
    assert!(newest(&offline(99_999), "demo").is_ok(), "however old");
    let error = newest(&offline(0), "dep").unwrap_err();
    assert!(matches!(error, IndexError::Offline { .. }));
    assert!(error.to_string().contains("the page of `dep`"), "{error}");
    assert_eq!(index.paths().len(), 0);
}

#[test]
fn a_cache_full_of_garbage_is_a_miss() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    let good = newest(&catalog(&index, &folder, 0), "demo");
    catalog(&index, &folder, 0)
        .facts(&name("dep"), &sdist(&catalog(&index, &folder, 0), "dep"))
        .unwrap();
    for garbage in [&b""[..], b"PYR1", &[0xff; 100_000]] {
        let mut spoiled = 0;
        for place in fs::read_dir(
            folder
                .path()
                .join("cache")
                .join(pyresolve::index::CACHE_VERSION),
        )
        .unwrap()
        {
            for file in fs::read_dir(place.unwrap().path()).unwrap() {
                fs::write(file.unwrap().path(), garbage).unwrap();
                spoiled += 1;
            }
        }
        assert!(spoiled >= 3);
        let again = catalog(&index, &folder, 1);
        assert_eq!(newest(&again, "demo"), good);
        assert!(again.facts(&name("dep"), &sdist(&again, "dep")).is_ok());
        assert!(again.counts().requests >= 3);
    }
}

#[test]
fn an_unusable_cache_folder_is_no_obstacle() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    fs::write(folder.path().join("cache"), "a file in its place").unwrap();
    assert!(newest(&catalog(&index, &folder, 0), "demo").is_ok());
}

#[test]
fn runs_may_share_a_cache() {
    let releases: Vec<_> = (0..20)
        .map(|n| project::Release::new(&format!("p{n}"), "1").needs("x"))
        .collect();
    let (index, folder) = (Index::start(releases), TempDir::new().unwrap());
    std::thread::scope(|scope| {
        for later in [0, 0, 700, 700] {
            let (index, folder) = (&index, &folder);
            scope.spawn(move || {
                let catalog = catalog(index, folder, later);
                for n in 0..20 {
                    assert_eq!(newest(&catalog, &format!("p{n}")).unwrap().1, ["x"]);
                }
            });
        }
    });
    let warm = catalog(&index, &folder, 800);
    for n in 0..20 {
        newest(&warm, &format!("p{n}")).unwrap();
    }
    assert!(warm.counts().hits >= 20);
}

#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl Observer for Log {
    fn see(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn troubles_that_pass_are_waited_for() {
    let troubles = [
        Trouble::Status(503, ""),
        Trouble::Status(429, "Retry-After: 1"),
        Trouble::Hangup,
        Trouble::Truncate(20),
        Trouble::Garbage(b"<<<"),
        Trouble::Garbage(b"{\"files\": 7}"),
    ];
    for trouble in troubles {
        let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
        index.trouble("/simple/demo/", trouble.clone(), 1);
        index.trouble(".metadata", trouble.clone(), 1);
        let log = Arc::new(Log::default());
        let mut options = options(&index, &folder, 0);
        options.observer = log.clone();
        let catalog = RemoteCatalog::new(options);
        assert_eq!(newest(&catalog, "demo").unwrap().1, ["dep"], "{trouble:?}");
        assert_eq!(catalog.counts().requests, 4, "{trouble:?}");
        let told = log
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(|e| matches!(e, Event::Retrying { .. }))
            .count();
        assert_eq!(
            told,
            if matches!(trouble, Trouble::Garbage(_)) {
                0
            } else {
                2
            },
            "{trouble:?}"
        );
    }
}

#[test]
fn a_storm_ends_with_a_sentence() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    index.trouble("/simple/", Trouble::Status(503, ""), 99);
    let error = newest(&catalog(&index, &folder, 0), "demo")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("503") && error.contains("4 tries") && error.contains("/simple/demo/"),
        "{error}"
    );
    index.heal();
    index.trouble("/simple/", Trouble::Status(429, "Retry-After: 3600"), 99);
    let start = Instant::now();
    let error = newest(&catalog(&index, &folder, 0), "demo")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("429") && start.elapsed() < Duration::from_secs(5),
        "{error}"
    );
}

#[test]
fn refusals_are_not_repeated() {
    for (status, part) in [(401, "PYRESOLVE_INDEX_"), (403, "no right"), (400, "400")] {
        let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
        index.trouble("/simple/", Trouble::Status(status, ""), 99);
        let error = newest(&catalog(&index, &folder, 0), "demo")
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(index.paths().len(), 1);
    }
}

#[test]
fn no_server_and_no_such_host() {
    let folder = TempDir::new().unwrap();
    for (address, part) in [
        ("http://127.0.0.1:9/simple/", "no connection"),
        ("http://index.test/simple/", "name cannot be resolved"),
    ] {
        let mut options = Options::new(SystemTime::UNIX_EPOCH + NOW);
        options.add_indexes(&[], Some(address), &[]).unwrap();
        options.cache = Some(folder.path().to_owned());
        let start = Instant::now();
        let error = newest(&RemoteCatalog::new(options), "demo")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(part) && error.contains("--offline"),
            "{error}"
        );
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let big = project::Release::new("big", "1")
        .wheels(&[])
        .padding(500_000);
    let (index, folder) = (Index::start(vec![big]), TempDir::new().unwrap());
    index.trouble("/files/", Trouble::Truncate(300_000), 1);
    let run = catalog(&index, &folder, 0);
    run.facts(&name("big"), &sdist(&run, "big")).unwrap();
    let seen = index.seen();
    let ranges: Vec<_> = seen.iter().filter_map(|s| s.headers.get("range")).collect();
    assert_eq!(ranges, ["bytes=300000-"]);
    let size = index.file("big-1.tar.gz").bytes.len() as u64;
    assert!(run.counts().bytes < size + 5_000, "{:?}", run.counts());
    drop(run);

    // A server without ranges sends it all again.
    index.change(|manner| manner.ranges = false);
    index.trouble("/files/", Trouble::Truncate(300_000), 1);
    let folder = TempDir::new().unwrap();
    let run = catalog(&index, &folder, 0);
    assert!(run.facts(&name("big"), &sdist(&run, "big")).is_ok());
}

#[test]
fn a_corrupted_download_is_fetched_again_and_then_refused() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    index.trouble("/files/dep", Trouble::Corrupt, 1);
    let run = catalog(&index, &folder, 0);
    assert!(run.facts(&name("dep"), &sdist(&run, "dep")).is_ok());
    drop(run);
    let folder = TempDir::new().unwrap();
    index.trouble("/files/dep", Trouble::Corrupt, 99);
    let run = catalog(&index, &folder, 0);
    let error = run.facts(&name("dep"), &sdist(&run, "dep")).unwrap_err();
    assert!(
        matches!(&error, IndexError::HashMismatch { file, .. } if file == "dep-1.tar.gz"),
        "{error}"
    );
    index.heal();
    index.trouble(".metadata", Trouble::Corrupt, 99);
    let error = newest(&run, "demo").unwrap_err();
    assert!(matches!(error, IndexError::HashMismatch { .. }), "{error}");
}

#[test]
fn digests_that_nobody_tells_are_computed() {
    let manner = Manner {
        hashes: false,
        ..Manner::default()
    };
    let (index, folder) = (Index::with(manner, releases()), TempDir::new().unwrap());
    let run = catalog(&index, &folder, 0);
    let file = sdist(&run, "demo");
    assert_eq!(file.sha256, None);
    let digest = run.sha256(&name("demo"), &file).unwrap();
    assert_eq!(digest.hex(), index.file("demo-1.tar.gz").sha256());
}

#[test]
fn logins_are_sent_to_their_host_only_and_never_kept() {
    let files = Index::start(releases());
    let manner = Manner {
        login: Some(("me".to_owned(), "s3cret".to_owned())),
        files_at: Some(files.root().replace("127.0.0.1", "localhost")),
        ..Manner::default()
    };
    let (index, folder) = (Index::with(manner, releases()), TempDir::new().unwrap());
    let mut with = Options::new(SystemTime::UNIX_EPOCH + NOW);
    let address = index.url().replace("http://", "http://me:s3cret@");
    with.add_indexes(&[], Some(&address), &[]).unwrap();
    with.cache = Some(folder.path().join("cache"));
    assert!(!format!("{with:?}").contains("s3cret"));
    let run = RemoteCatalog::new(with);
    assert_eq!(newest(&run, "demo").unwrap().1, ["dep"]);
    assert!(
        !run.page(&name("demo"))
            .unwrap()
            .index
            .as_ref()
            .unwrap()
            .as_str()
            .contains("me")
    );
    drop(run);
    let seen = files.seen();
    assert!(
        !seen.is_empty()
            && seen
                .iter()
                .all(|s| !s.headers.contains_key("authorization"))
    );
    for place in fs::read_dir(
        folder
            .path()
            .join("cache")
            .join(pyresolve::index::CACHE_VERSION),
    )
    .unwrap()
    {
        let place = place.unwrap().path();
        assert!(!place.to_string_lossy().contains("s3cret"));
        for file in fs::read_dir(place).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|w| w == b"s3cret"));
        }
    }
    // Without it: a refusal that does not name it either.
    let other = TempDir::new().unwrap();
    let error = newest(&catalog(&index, &other, 0), "demo")
        .unwrap_err()
        .to_string();
    assert!(error.contains("401"), "{error}");
    // Not across a redirect to another host.
    index.trouble(
        "/simple/demo/",
        Trouble::Redirect(format!("{}/simple/demo/", files.root())),
        1,
    );
    let mut with = Options::new(SystemTime::UNIX_EPOCH + NOW);
    with.add_indexes(&[], Some(&address), &[]).unwrap();
    assert!(RemoteCatalog::new(with).page(&name("demo")).is_ok());
    assert!(
        files
            .seen()
            .iter()
            .all(|s| !s.headers.contains_key("authorization"))
    );
}

#[test]
fn redirects_are_followed_but_not_forever() {
    let (index, folder) = (Index::start(releases()), TempDir::new().unwrap());
    index.trouble(
        "/simple/demo/",
        Trouble::Redirect("/simple/dep/../demo/?again".to_owned()),
        1,
    );
    assert!(newest(&catalog(&index, &folder, 0), "demo").is_ok());
    let folder = TempDir::new().unwrap();
    index.trouble(
        "/simple/demo/",
        Trouble::Redirect("/simple/demo/".to_owned()),
        99,
    );
    index.seen();
    let error = newest(&catalog(&index, &folder, 0), "demo")
        .unwrap_err()
        .to_string();
    assert!(error.contains("redirect"), "{error}");
    assert!(index.paths().len() < 12);
}

/// Asks for whatever comes into sight, and notes what it was told.
#[derive(Default)]
struct Walker(Mutex<Vec<String>>);

impl Scout for Walker {
    fn page_known(&self, catalog: &dyn Catalog, page: &Arc<Page>) {
        self.0.lock().unwrap().push(page.name.to_string());
        let version = page.versions().next_back().unwrap();
        catalog.expect_metadata(page, &page.release(version).unwrap());
    }

    fn metadata_known(
        &self,
        catalog: &dyn Catalog,
        _: &Arc<Page>,
        _: &Arc<Release>,
        metadata: &Arc<Metadata>,
    ) {
        self.0.lock().unwrap().push(format!("{}!", metadata.name));
        for requirement in metadata.requires_dist.iter() {
            catalog.expect_page(&requirement.name);
        }
    }
}

fn chain() -> Vec<project::Release> {
    (0..6)
        .map(|n| project::Release::new(&format!("p{n}"), "1").needs(&format!("p{}", n + 1)))
        .chain([project::Release::new("p6", "1")])
        .collect()
}

#[test]
fn a_scout_walks_ahead() {
    let (index, folder) = (Index::start(chain()), TempDir::new().unwrap());
    let run = catalog(&index, &folder, 0);
    let walker = Arc::new(Walker::default());
    run.send(Some(walker.clone()));
    run.expect_page(&name("p0"));
    // Nobody asks for anything else, and yet all arrives.
    let deadline = Instant::now() + Duration::from_secs(10);
    while walker.0.lock().unwrap().len() < 14 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(walker.0.lock().unwrap().len(), 14);
    let page = run.known_page(&name("p6")).unwrap();
    let release = page.release(page.versions().next().unwrap()).unwrap();
    assert!(run.known_metadata(&page, &release).is_some());
    drop(run);
    index.seen();

    // Stale: the old pages show the way, so that all checks are made at once.
    index.trouble("/simple/", Trouble::Slow(Duration::from_millis(300)), 99);
    let start = Instant::now();
    let run = catalog(&index, &folder, 700);
    run.send(Some(Arc::new(Walker::default())));
    for n in 0..7 {
        newest(&run, &format!("p{n}")).unwrap();
    }
    assert_eq!((run.counts().requests, run.counts().revalidated), (7, 7));
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "{:?}",
        start.elapsed()
    );
}
