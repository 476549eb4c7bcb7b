use std::str::FromStr;

use super::*;
use crate::index::packed::{Builder, Listed};
use crate::project::SourceFacts;
use crate::python::Sha256;
use url::Url;

fn name() -> PackageName {
    PackageName::from_str("demo").unwrap()
}

fn packed(count: usize) -> (Head, Vec<u8>) {
    let name = name();
    let mut builder = Builder::new(
        &name,
        &Url::parse("https://index.test/simple/demo/").unwrap(),
    );
    for n in 0..count {
        let file = format!("demo-{n}.tar.gz");
        builder.add(&Listed {
            file: &file,
            url: &format!("https://files.test/{n}/{file}"),
            ..Listed::default()
        });
    }
    builder.finish()
}

fn validity() -> Validity {
    Validity {
        checked: 1000,
        max_age: 600,
        etag: "\"1\"".to_owned(),
        modified: String::new(),
    }
}

fn block(entry: &Entry, slot: &crate::index::packed::Slot) -> Vec<u8> {
    let Body::Disk(stored) = &entry.body else {
        panic!("what is loaded lies on disk")
    };
    let block = stored.read(slot.start as usize, slot.len as usize);
    block.map_or(Vec::new(), |block| block.to_vec())
}

fn filled(count: usize) -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(Some(folder.path().to_owned()));
    let (head, body) = packed(count);
    cache.store(
        "i",
        &name(),
        &Unstored::new(&validity(), &head, &body),
        &body,
        &[("demo-1".to_owned(), b"Name: demo\n".to_vec())],
    );
    cache.append("i", &name(), "demo-2", b"Name: demo\nVersion: 2\n");
    (folder, cache)
}

#[test]
fn small_and_large_pages_come_back_with_their_metadata() {
    for count in [3, 5000] {
        let (_folder, cache) = filled(count);
        let entry = cache.load("i", &name()).unwrap();
        assert_eq!(entry.validity, validity());
        assert_eq!(entry.head.slots.len(), count);
        assert_eq!(entry.records.find("demo-1"), Some(&b"Name: demo\n"[..]));
        assert_eq!(entry.records.find("demo-3"), None);
        let slot = entry.head.slots.last().unwrap().clone();
        let block = block(&entry, &slot);
        let release = entry
            .head
            .release(&name(), &slot, &block, |_| true)
            .unwrap();
        assert_eq!(
            release.sdist.unwrap().file,
            format!("demo-{}.tar.gz", count - 1)
        );
        assert!(
            cache
                .load("i", &PackageName::from_str("other").unwrap())
                .is_none()
        );
    }
}

#[test]
fn a_new_page_keeps_the_metadata_and_a_check_its_page() {
    let (_folder, cache) = filled(3);
    let (head, body) = packed(4);
    cache.store(
        "i",
        &name(),
        &Unstored::new(&validity(), &head, &body),
        &body,
        &[],
    );
    cache.touch("i", &name(), 5000, 60);
    let entry = cache.load("i", &name()).unwrap();
    assert_eq!(entry.head.slots.len(), 4);
    assert!(entry.records.find("demo-2").is_some());
    assert!(entry.validity.is_fresh(5059) && !entry.validity.is_fresh(5060));
    assert!(
        !entry.validity.is_fresh(4999),
        "a clock that went back proves nothing"
    );
}

#[test]
fn garbage_and_truncation_are_misses_never_panics() {
    let (folder, cache) = filled(3);
    let path = folder.path().join(VERSION).join("i/demo");
    let good = std::fs::read(&path).unwrap();
    let releases = |entry: &Entry| {
        let good = |slot: &&crate::index::packed::Slot| {
            let block = block(entry, slot);
            entry
                .head
                .release(&name(), slot, &block, |_| true)
                .is_some()
        };
        entry.head.slots.iter().filter(good).count()
    };
    for end in 0..good.len() {
        std::fs::write(&path, &good[..end]).unwrap();
        if let Some(entry) = cache.load("i", &name()) {
            assert_eq!(releases(&entry), 3, "cut at {end}");
        }
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        std::fs::write(&path, &bad).unwrap();
        if let Some(entry) = cache.load("i", &name()) {
            assert_eq!(releases(&entry), 3, "flipped at {at}");
            for key in ["demo-1", "demo-2"] {
                let found = entry.records.find(key);
                assert!(found.is_none_or(|text| text.starts_with(b"Name: demo\n")));
            }
        }
    }
    for garbage in [&b""[..], &[0; 40], &[255; 70_000], MAGIC] {
        std::fs::write(&path, garbage).unwrap();
        assert!(cache.load("i", &name()).is_none());
        let (head, body) = packed(3);
        cache.store(
            "i",
            &name(),
            &Unstored::new(&validity(), &head, &body),
            &body,
            &[],
        );
        assert!(cache.load("i", &name()).is_some());
    }
}

#[test]
fn facts_and_notes() {
    let (folder, cache) = filled(1);
    let sha256 = Sha256::of(b"x");
    assert!(cache.facts(&sha256).is_none());
    let facts = SourceFacts {
        build_requires: vec!["flit".to_owned()],
        ..SourceFacts::default()
    };
    cache.store_facts(&sha256, &facts);
    assert_eq!(cache.facts(&sha256), Some(facts));
    let path = folder.path().join(VERSION).join(FACTS).join(sha256.hex());
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("flit", "evil");
    std::fs::write(&path, text).unwrap();
    assert!(cache.facts(&sha256).is_none());
    cache.store_note("i", "probe", "yes");
    assert_eq!(cache.note("i", "probe").as_deref(), Some("yes"));
}
