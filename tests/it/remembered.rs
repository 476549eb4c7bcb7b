//! The same question twice: what is taken from the cache is what would be found again, and nothing
//! else.

use std::fs;
use std::path::PathBuf;

use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

const WANTED: [&str; 2] = ["requirements.txt", "--lock-only"];

/// The demo's workshop, and its lock.
fn locked() -> (Workshop, String) {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.locked(&WANTED);
    let lock = workshop.read("pylock.toml");
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 2.0"]);
    workshop.index.seen();
    (workshop, lock)
}

/// The lock of the same question, made anew, and the paths that were asked for.
fn again(workshop: &Workshop, arguments: &[&str]) -> (String, Vec<String>) {
    fs::remove_file(workshop.path("pylock.toml")).unwrap();
    workshop.locked(&[&WANTED, arguments].concat());
    let mut paths = workshop.index.paths();
    paths.sort();
    (workshop.read("pylock.toml"), paths)
}

/// The files of the cache's folder of kept answers.
fn answers(workshop: &Workshop) -> Vec<PathBuf> {
    let cache = workshop.folder.path().join("cache");
    let folder = cache.join(pyresolve::index::CACHE_VERSION).join("answers");
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_same_question_needs_no_request_while_the_pages_are_fresh() {
    let (workshop, lock) = locked();
    assert_eq!(answers(&workshop).len(), 1);
    assert_eq!(again(&workshop, &[]), (lock.clone(), Vec::new()));
    assert_eq!(again(&workshop, &["--offline"]), (lock, Vec::new()));
}

#[test]
fn pages_are_checked_at_once_when_they_must_be() {
    let (workshop, lock) = locked();
    let both = ["/simple/zz-demo/", "/simple/zz-leaf/"].map(str::to_owned);
    assert_eq!(
        again(&workshop, &["--refresh"]),
        (lock.clone(), both.to_vec())
    );
    // An index without validators sends them whole, and they are still the same.
    workshop.index.change(|manner| manner.etag = false);
    assert_eq!(
        again(&workshop, &["--refresh"]),
        (lock.clone(), both.to_vec())
    );
    assert_eq!(again(&workshop, &["--refresh"]), (lock, both.to_vec()));
}

#[test]
fn a_new_release_ends_an_answer() {
    let (workshop, _) = locked();
    workshop.publish_leaf("3.0");
    let (lock, paths) = again(&workshop, &["--refresh"]);
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 3.0"]);
    let pages = paths.iter().filter(|path| path.ends_with('/'));
    assert_eq!(pages.count(), 2, "each page is asked for once: {paths:?}");
    assert_eq!(again(&workshop, &[]), (lock, Vec::new()));
}

#[test]
fn another_question_is_another_answer() {
    let (workshop, lock) = locked();
    let (older, _) = again(&workshop, &["zz-leaf<2"]);
    assert_eq!(pins(&older), ["zz-demo 1.0", "zz-leaf 1.0"]);
    // Pins that are there stay, whatever was answered where there was none.
    fs::write(workshop.path("requirements.txt"), "zz-demo\nzz-leaf\n").unwrap();
    workshop.locked(&WANTED);
    assert_eq!(pins(&workshop.read("pylock.toml")), pins(&older));
    fs::write(workshop.path("requirements.txt"), "zz-demo\n").unwrap();
    assert_eq!(again(&workshop, &[]).0, lock);
}

#[test]
fn a_damaged_answer_is_none() {
    let (workshop, lock) = locked();
    for position in [0, 40, 200] {
        for path in answers(&workshop) {
            let mut bytes = fs::read(&path).unwrap();
            bytes[position] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        assert_eq!(again(&workshop, &[]), (lock.clone(), Vec::new()));
    }
}

#[test]
fn that_there_is_no_answer_is_kept_too() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\nzz-leaf>2\n");
    let told = || {
        let output = workshop.lock(&WANTED);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    let first = told();
    assert!(first.contains("requirements.txt:2"), "{first}");
    assert_eq!(answers(&workshop).len(), 1);
    workshop.index.seen();
    assert_eq!(told(), first);
    assert_eq!(workshop.index.paths().len(), 0);
    // The line is named where it stands now.
    workshop.write("requirements.txt", "zz-demo\n# newer\nzz-leaf>2\n");
    let moved = told();
    assert!(moved.contains("requirements.txt:3"), "{moved}");
    workshop.publish_leaf("3.0");
    workshop.locked(&[&WANTED[..], &["--refresh"]].concat());
    assert_eq!(
        pins(&workshop.read("pylock.toml")),
        ["zz-demo 1.0", "zz-leaf 3.0"]
    );
}

#[test]
fn what_may_have_changed_elsewhere_is_looked_at() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "./local\n");
    let folder = workshop.path("local");
    fs::create_dir_all(&folder).unwrap();
    let write = |needs: &str| {
        let text =
            format!("[project]\nname = \"local\"\nversion = \"1\"\ndependencies = [\"{needs}\"]\n");
        fs::write(folder.join("pyproject.toml"), text).unwrap();
    };
    write("zz-leaf<2");
    workshop.locked(&WANTED);
    assert!(pins(&workshop.read("pylock.toml")).contains(&"zz-leaf 1.0".to_owned()));
    assert_eq!(answers(&workshop).len(), 0);
    write("zz-leaf");
    let (lock, _) = again(&workshop, &[]);
    assert!(pins(&lock).contains(&"zz-leaf 2.0".to_owned()));
}

#[test]
fn an_index_that_lacked_a_project_is_asked_again() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    let first = crate::support::index::Index::start(vec![Release::new("other", "1")]);
    let (one, two) = (first.url(), workshop.index.url());
    let indexes = ["--index-url", &one, "--extra-index-url", &two];
    workshop.locked(&[&WANTED[..], &indexes].concat());
    let lock = workshop.read("pylock.toml");
    assert_eq!(answers(&workshop).len(), 1);
    first.seen();
    workshop.index.seen();
    assert_eq!(again(&workshop, &indexes), (lock.clone(), Vec::new()));
    let refresh = [&indexes[..], &["--refresh"]].concat();
    assert_eq!(again(&workshop, &refresh).0, lock);
    first.publish(Release::new("zz-leaf", "9").flit("\"\"\"Leaf\"\"\""));
    let (lock, _) = again(&workshop, &refresh);
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 9"]);
}
