//! A folder with a project, an index on loopback, and the program that is run there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::index::Index;
use super::project::Release;

/// A folder, an index, and the program.
pub struct Workshop {
    pub folder: tempfile::TempDir,
    pub index: Index,
}

impl Workshop {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            index: Index::start(Vec::new()),
        }
    }

    /// With `zz-demo` 1.0, which needs `zz-leaf`, and `zz-leaf` 1.0 and 2.0.
    pub fn with_demo() -> Self {
        let workshop = Self::new();
        let demo = Release::new("zz-demo", "1.0").needs("zz-leaf");
        workshop.index.publish(demo.flit("\"\"\"Demo\"\"\""));
        for version in ["1.0", "2.0"] {
            workshop.publish_leaf(version);
        }
        workshop
    }

    /// Publishes releases that pyproject.toml tells of: name, version, and a requirement or nothing.
    pub fn publish(&self, releases: &[(&str, &str, &str)]) {
        for (name, version, needs) in releases {
            let mut release = Release::new(name, version);
            if !needs.is_empty() {
                release = release.needs(needs);
            }
            self.index.publish(release.flit("\"\"\"Something\"\"\""));
        }
    }

    pub fn publish_leaf(&self, version: &str) {
        let leaf = Release::new("zz-leaf", version);
        self.index.publish(leaf.flit("\"\"\"Leaf\"\"\""));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("project").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyresolve"));
        fs::create_dir_all(self.path("")).unwrap();
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PIP_INDEX_URL", self.index.url())
            .env("PYRESOLVE_CACHE_DIR", self.folder.path().join("cache"))
            .current_dir(self.path(""))
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// Runs `pyresolve`.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `pyresolve lock`.
    pub fn lock(&self, arguments: &[&str]) -> Output {
        self.run(&[&["lock"], arguments].concat())
    }

    /// Runs and expects success; what standard output got.
    pub fn locked(&self, arguments: &[&str]) -> String {
        let output = self.lock(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn files(&self) -> Vec<String> {
        names(&self.path(""))
    }
}

/// What is in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What standard error got.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The pins of a lock, as `name version`.
pub fn pins(lock: &str) -> Vec<String> {
    let table: toml::Table = lock.parse().unwrap();
    let packages = table["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|p| {
            format!(
                "{} {}",
                p["name"].as_str().unwrap(),
                p["version"].as_str().unwrap()
            )
        })
        .collect()
}
