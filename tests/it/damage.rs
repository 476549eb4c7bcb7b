//! Damaged files of the cache, anywhere and of any kind: noticed and fetched again in the same run,
//! which writes what it would have written without; or, where the network may not be used, a refusal
//! that says so. Never another answer.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

/// Large enough that what is kept of its page is not read at once.
const MANY: usize = 400;

/// How many ways of damage are tried; `DAMAGES` tries others, or more.
fn damages() -> std::ops::Range<u64> {
    let wanted = std::env::var("DAMAGES").ok();
    let wanted = wanted.and_then(|text| text.parse().ok());
    0..wanted.unwrap_or(24)
}

/// Numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// A project that needs an old release of one with a long page, and sources of new entries.
fn workshop() -> Workshop {
    let workshop = Workshop::with_demo();
    let big = |n: usize| {
        let release = Release::new("zz-big", &format!("{n}")).needs("zz-leaf");
        if n == 20 { release } else { release.no_sdist() }
    };
    for n in 0..MANY {
        workshop.index.publish(big(n));
    }
    let sources = Release::new("zz-source", "1.0").needs("zz-demo");
    workshop.index.publish(sources.wheels(&[]).dynamic());
    workshop.write("requirements.txt", "zz-demo\nzz-big<21\nzz-source\n");
    workshop
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a cache holds.
struct Kept(Vec<(PathBuf, Vec<u8>)>);

impl Kept {
    fn of(cache: &Path) -> Self {
        let read = |path: PathBuf| (path.clone(), fs::read(&path).unwrap());
        Self(files(cache).into_iter().map(read).collect())
    }

    /// Puts it back; without answers to whole questions where pages shall be looked at.
    fn restore(&self, cache: &Path, answers: bool) {
        fs::remove_dir_all(cache).unwrap();
        for (path, bytes) in &self.0 {
            let folder = path.parent().unwrap();
            if answers || !folder.ends_with("answers") {
                fs::create_dir_all(folder).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Damages some file of a cache in some way; what was done.
fn spoil(cache: &Path, seed: u64) -> String {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let files = files(cache);
    let big = files.iter().position(|path| path.ends_with("zz-big"));
    let number = match chance.below(3) {
        0 => big.unwrap(),
        _ => chance.below(files.len()),
    };
    let path = &files[number];
    let mut bytes = fs::read(path).unwrap();
    let at = chance.below(bytes.len());
    let how = match chance.below(5) {
        0 => {
            bytes.truncate(at);
            "cut"
        }
        1 => {
            // Most of what is kept of a long page is never looked at.
            let end = (at + bytes.len() / 3).min(bytes.len());
            bytes[at..end].fill(0);
            "blank from"
        }
        2 => {
            bytes.extend_from_slice(&[0x5a; 3000]);
            "longer, not"
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
            "another bit"
        }
    };
    fs::write(path, bytes).unwrap();
    let name = path.strip_prefix(cache).unwrap().display().to_string();
    format!("damage {seed}: {name} {how} at {at}")
}

#[test]
fn damage_is_noticed_and_mended_in_the_same_run() {
    let workshop = workshop();
    let cache = workshop.folder.path().join("cache");
    let lock = ["requirements.txt", "--nixpkgs", "none"];
    let written = || {
        (
            workshop.read("dependencies.nix"),
            workshop.read("pylock.toml"),
        )
    };
    workshop.locked(&lock);
    let (good, kept) = (written(), Kept::of(&cache));
    assert!(kept.0.len() >= 7, "pages, facts, and an answer");
    let again = |arguments: &[&str]| {
        for file in ["dependencies.nix", "pylock.toml"] {
            fs::remove_file(workshop.path(file)).ok();
        }
        workshop.lock(&[&lock, arguments].concat())
    };
    for seed in damages() {
        let answers = seed % 4 == 0;
        kept.restore(&cache, answers);
        let what = spoil(&cache, seed);
        let output = again(&[]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
        assert_eq!(written(), good, "{what}");
        workshop.index.seen();
        let output = again(&["--upgrade"]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
        assert_eq!(written(), good, "{what}, second run");
        assert_eq!(workshop.index.paths(), [""; 0], "{what}, second run");

        kept.restore(&cache, answers);
        spoil(&cache, seed);
        let output = again(&["--offline"]);
        match output.status.code() {
            Some(0) => assert_eq!(written(), good, "{what}, offline"),
            code => {
                let errors = stderr(&output);
                assert_eq!(code, Some(3), "{what}: {errors}");
                assert!(errors.contains("not in the cache"), "{what}: {errors}");
                assert!(errors.contains("without `--offline`"), "{what}: {errors}");
                assert!(!workshop.path("pylock.toml").exists(), "{what}");
            }
        }
        assert_eq!(workshop.index.paths(), [""; 0], "{what}, offline");
    }
}
