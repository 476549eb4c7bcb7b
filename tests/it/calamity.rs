//! What can go wrong around a run, and what is left afterwards: the old files byte for byte, no
//! temporary file, an exit code, and a message that says what to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::index::Trouble;
use crate::support::workshop::{Workshop, pins, stderr};

/// A project with a lock, a newer `zz-leaf` on the index, and an empty cache.
struct Scene {
    workshop: Workshop,
    nix: String,
    lock: String,
}

impl Scene {
    fn new() -> Self {
        let workshop = Workshop::with_demo();
        workshop.write("requirements.txt", "zz-demo\n");
        workshop.locked(&["requirements.txt"]);
        workshop.publish_leaf("3.0");
        fs::remove_dir_all(workshop.folder.path().join("cache")).unwrap();
        Self {
            nix: workshop.read("dependencies.nix"),
            lock: workshop.read("pylock.toml"),
            workshop,
        }
    }

    /// Runs `pyresolve lock requirements.txt --upgrade`, which must fail this way.
    fn fails(&self, arguments: &[&str], exit: i32, told: &[&str]) {
        let arguments = [&["requirements.txt", "--upgrade"], arguments].concat();
        self.failed(&self.workshop.lock(&arguments), exit, told);
    }

    fn failed(&self, output: &Output, exit: i32, told: &[&str]) {
        let errors = stderr(output);
        assert_eq!(output.status.code(), Some(exit), "{errors}");
        for part in told {
            assert!(errors.contains(part), "`{part}` is not in:\n{errors}");
        }
        assert_eq!(output.stdout, b"");
        self.nothing_changed();
    }

    fn nothing_changed(&self) {
        assert_eq!(self.workshop.read("dependencies.nix"), self.nix);
        assert_eq!(self.workshop.read("pylock.toml"), self.lock);
        let left: Vec<String> = self.workshop.files();
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        assert!(
            left.iter().all(|f| [
                "dependencies.nix",
                "pylock.toml",
                "requirements.txt",
                "setup.py"
            ]
            .contains(f)),
            "{left:?}"
        );
    }

    /// The same run where nothing is wrong moves the pin: the failures above were no accident.
    fn recovers(&self) {
        self.workshop.index.heal();
        self.workshop.locked(&["requirements.txt", "--upgrade"]);
        let lock = self.workshop.read("pylock.toml");
        assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 3.0"]);
        assert_ne!(self.workshop.read("dependencies.nix"), self.nix);
    }
}

#[test]
fn no_network() {
    let scene = Scene::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/simple/", nobody.local_addr().unwrap());
    drop(nobody);
    for address in [url.as_str(), "http://index.invalid/simple/"] {
        scene.fails(
            &["--index-url", address],
            3,
            &[
                "is there a network? `--offline` works from the cache",
                "help: check the network",
            ],
        );
    }
    scene.recovers();
}

#[test]
fn a_storm_of_503() {
    let scene = Scene::new();
    let storm = Trouble::Status(503, "Retry-After: 0");
    scene.workshop.index.trouble("/", storm, usize::MAX);
    scene.fails(&[], 3, &["503", "(4 tries)", "run the same command again"]);
    scene.recovers();
}

#[test]
fn a_corrupted_download() {
    let scene = Scene::new();
    scene
        .workshop
        .index
        .trouble(".tar.gz", Trouble::Corrupt, usize::MAX);
    scene.fails(
        &[],
        3,
        &["zz", "sha256", "try again", "do not trust the file"],
    );
    scene.recovers();
    // Once only: it is fetched again, and nobody is bothered.
    let scene = Scene::new();
    scene.workshop.index.trouble(".tar.gz", Trouble::Corrupt, 1);
    scene.workshop.locked(&["requirements.txt", "--upgrade"]);
}

/// What is done to a file.
type Spoil<'a> = &'a dyn Fn(&Path);

/// Every file below a folder.
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
    found
}

#[test]
fn a_cache_filled_with_garbage() {
    let scene = Scene::new();
    let workshop = &scene.workshop;
    workshop.locked(&["requirements.txt", "--upgrade"]);
    let (nix, lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    let noise: Vec<u8> = (0..4099_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let spoil: [(&str, Spoil<'_>); 5] = [
        ("random bytes", &|path| fs::write(path, &noise).unwrap()),
        ("truncated", &|path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("one byte is another", &|path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x20;
            fs::write(path, &bytes).unwrap();
        }),
        ("empty", &|path| fs::write(path, b"").unwrap()),
        ("a folder", &|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
            fs::write(path.join("x"), "x").unwrap();
        }),
    ];
    for (what, spoil) in spoil {
        let cached = files(&workshop.folder.path().join("cache"));
        assert!(cached.len() > 3, "{cached:?}");
        cached.iter().for_each(|path| spoil(path));
        workshop.index.seen();
        let output = workshop.lock(&["requirements.txt", "--upgrade"]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
        assert_eq!(workshop.read("dependencies.nix"), nix, "{what}");
        assert_eq!(workshop.read("pylock.toml"), lock, "{what}");
        assert!(
            !workshop.index.seen().is_empty(),
            "{what}: nothing was asked anew"
        );
        assert_eq!(
            workshop.files(),
            ["dependencies.nix", "pylock.toml", "requirements.txt"]
        );
    }
}

#[test]
fn an_unsatisfiable_set() {
    let scene = Scene::new();
    scene.fails(
        &["zz-leaf>3"],
        1,
        &[
            "the requirements cannot be satisfied",
            "zz-leaf>3",
            "help: ",
        ],
    );
    scene.recovers();
}

#[test]
fn a_setup_py_that_cannot_be_read() {
    let scene = Scene::new();
    scene.workshop.write(
        "setup.py",
        "import setuptools, urllib.request\n\
         wanted = urllib.request.urlopen('http://host.test/').read().split()\n\
         setuptools.setup(name='x', install_requires=wanted)\n",
    );
    let output = scene.workshop.lock(&["setup.py", "--upgrade"]);
    let told = [
        "setup.py:2:10",
        "`urllib.request.urlopen` is not followed",
        "help: write",
    ];
    scene.failed(&output, 2, &told);
    scene
        .workshop
        .write("setup.py", "from setuptools import setup\nsetup(\n");
    let output = scene.workshop.lock(&["setup.py", "--upgrade"]);
    scene.failed(&output, 2, &["setup.py:"]);
    fs::remove_file(scene.workshop.path("setup.py")).unwrap();
    scene.recovers();
}

#[test]
fn an_output_folder_that_cannot_be_written() {
    let scene = Scene::new();
    scene
        .workshop
        .locked(&["requirements.txt", "--upgrade", "--dry-run"]);
    let below_a_file = ["-o", "requirements.txt/dependencies.nix"];
    scene.fails(&below_a_file, 2, &["a file, not a folder", "`--output`"]);
    // Even root cannot write there.
    if Path::new("/proc/self").exists() {
        let told = ["`/proc/dependencies.nix` cannot be written", "`--output`"];
        scene.fails(&["-o", "/proc/dependencies.nix"], 2, &told);
    }
    scene.recovers();
}

#[cfg(unix)]
#[test]
fn a_signal_while_files_are_written() {
    let scene = Scene::new();
    let workshop = &scene.workshop;
    let (old_nix, old_lock) = (&scene.nix, &scene.lock);
    workshop.locked(&["requirements.txt", "--upgrade"]);
    let (new_nix, new_lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    let mut ended = std::collections::BTreeSet::new();
    for turn in 0..24_u64 {
        workshop.write("dependencies.nix", old_nix);
        workshop.write("pylock.toml", old_lock);
        let mut child = workshop
            .command(&["lock", "requirements.txt", "--upgrade"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Every other time as soon as a file of the result shows; else at some moment before or after.
        let start = Instant::now();
        let limit = if turn % 2 == 0 { 5000 } else { turn * 6 };
        while start.elapsed() < Duration::from_millis(limit) && child.try_wait().unwrap().is_none()
        {
            let writing = workshop.files().len() > 3;
            if turn % 2 == 0 && (writing || workshop.read("dependencies.nix") != *old_nix) {
                break;
            }
        }
        let pid = child.id().to_string();
        // It may have ended by itself.
        let _ = Command::new("kill")
            .args(["-INT", &pid])
            .stderr(Stdio::null())
            .status();
        let output = child.wait_with_output().unwrap();
        let (nix, lock) = (
            workshop.read("dependencies.nix"),
            workshop.read("pylock.toml"),
        );
        let replaced = (nix, lock) == (new_nix.clone(), new_lock.clone());
        let kept = workshop.read("dependencies.nix") == *old_nix
            && workshop.read("pylock.toml") == *old_lock;
        let told = stderr(&output);
        match output.status.code() {
            Some(0) => assert!(replaced, "{told}"),
            Some(130) if told.contains("after the files were written") => {
                assert!(replaced, "{told}")
            }
            Some(130) => assert!(kept && told.contains("no file was changed"), "{told}"),
            // Before the program had begun to watch for signals.
            None => assert!(kept, "{told}"),
            other => panic!("{other:?}: {told}"),
        }
        assert_eq!(
            workshop.files(),
            ["dependencies.nix", "pylock.toml", "requirements.txt"]
        );
        ended.insert(output.status.code());
    }
    assert!(ended.contains(&Some(130)), "{ended:?}");
}
