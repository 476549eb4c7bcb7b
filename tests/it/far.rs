//! An index that is far away: what is asked for on a guess saves waiting, and changes nothing.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use pyresolve::event::Silent;
use pyresolve::index::{Counts, Options, RemoteCatalog};
use pyresolve::python::{PackageName, Requirement, System, Targets, Version};
use pyresolve::resolve::{self, Input};

use crate::support::index::{Index, Trouble};
use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

/// Flask with one of the projects that it usually needs, and some of the others, with trouble: one
/// is no page, one has metadata that makes no sense, one does not exist, one needs others.
fn publish(index: &Index) {
    index.publish(Release::new("flask", "1.0").needs("werkzeug"));
    index.publish(Release::new("werkzeug", "1.0").needs("zz-leaf"));
    index.publish(Release::new("zz-leaf", "1.0"));
    index.publish(Release::new("markupsafe", "1.0").needs("zz-nowhere"));
    index.publish(Release::new("click", "1.0"));
    index.publish(Release::new("blinker", "1.0"));
    index.trouble("/simple/click/", Trouble::Garbage(b"no page"), 100);
    index.trouble(
        "/blinker-1.0-py3-none-any.whl",
        Trouble::Garbage(b"no metadata"),
        100,
    );
}

fn resolved(
    index: &Index,
    wanted: &str,
    guesses: bool,
    locked: &[(&str, &str)],
) -> (String, Counts) {
    let mut options = Options::new(SystemTime::now());
    options.add_indexes(&[], Some(&index.url()), &[]).unwrap();
    options.guesses = Some(guesses);
    let catalog = RemoteCatalog::new(options);
    let mut input = Input::new(Targets::new(Version::new([3, 13, 5]), &System::DEFAULT));
    input.requirements = vec![Requirement::parse(wanted).unwrap()];
    for (name, version) in locked {
        let versions = vec![Version::from_str(version).unwrap()];
        let name = PackageName::from_str(name).unwrap();
        input.preferences.locked.insert(name, versions);
    }
    let outcome = resolve::resolve(&catalog, &input, &Silent).unwrap();
    (format!("{outcome:?}"), catalog.counts())
}

#[test]
fn guesses_change_no_answer() {
    let index = Index::start(Vec::new());
    publish(&index);
    let (expected, counts) = resolved(&index, "flask", false, &[]);
    assert_eq!(counts.guessed, (0, 0));
    assert!(expected.contains("zz-leaf"), "{expected}");
    index.seen();
    let (outcome, counts) = resolved(&index, "flask", true, &[]);
    assert_eq!(outcome, expected);
    let (guessed, needed) = counts.guessed;
    assert!(guessed >= 5 && needed <= 1, "{guessed} {needed}");
    let paths = index.paths();
    assert!(
        !paths.iter().any(|path| path.contains("zz-nowhere")),
        "{paths:?}"
    );
}

#[test]
fn a_far_index_is_asked_for_what_usually_comes_along() {
    let workshop = Workshop::new();
    publish(&workshop.index);
    workshop.write("requirements.txt", "flask\n");
    let lock = || {
        let output = workshop.lock(&["requirements.txt", "--lock-only"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lock = workshop.read("pylock.toml");
        std::fs::remove_file(workshop.path("pylock.toml")).unwrap();
        (lock, stderr(&output), workshop.index.paths())
    };
    let (near, _, _) = lock();
    assert_eq!(pins(&near), ["flask 1.0", "werkzeug 1.0", "zz-leaf 1.0"]);
    std::fs::remove_dir_all(workshop.folder.path().join("cache")).unwrap();
    let slow = Trouble::Slow(Duration::from_millis(20));
    workshop.index.trouble("/", slow, 1000);
    let (far, told, paths) = lock();
    assert_eq!(far, near);
    assert!(
        !told.contains("click") && !told.contains("blinker"),
        "{told}"
    );
    for name in ["markupsafe", "jinja2", "click", "blinker", "itsdangerous"] {
        let page = format!("/simple/{name}/");
        assert!(paths.contains(&page), "{page} {paths:?}");
    }
    // What came to nothing does not keep the answer from being kept.
    assert_eq!((lock().0, lock().2), (near, Vec::new()));
}

#[test]
fn what_a_lock_names_is_asked_for_at_once() {
    let index = Index::start(Vec::new());
    index.publish(Release::new("zz-demo", "1.0").needs("zz-leaf"));
    for version in ["1.0", "2.0"] {
        index.publish(Release::new("zz-leaf", version));
    }
    let locked = [("zz-demo", "1.0"), ("zz-leaf", "1.0")];
    let (outcome, counts) = resolved(&index, "zz-demo", true, &locked);
    assert_eq!(counts.guessed, (1, 1));
    assert!(outcome.contains("zz-leaf"), "{outcome}");
    assert_eq!(resolved(&index, "zz-demo", false, &locked).0, outcome);
}
