//! Real Nix for tests: a private store, and `testdata/nixpkgs` as `<nixpkgs>`.
//!
//! Every test gets a store of its own in a temporary folder, so nothing that an earlier run has
//! built or fetched can hide a mistake, and no daemon, root or sandbox is needed. Where a machine
//! lacks what a test needs, [`Nix::start`] says so: the reason is printed and, when
//! `PYRESOLVE_NIX_REPORT` names a folder, noted there, for `tests/run.sh` to count.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use super::index::Index;

/// What a test needs besides Nix and Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Wheels of setuptools and, for an old setuptools, wheel.
    Setuptools,
    /// A C compiler, Python's headers and pkg-config.
    Compiler,
    /// Cargo and rustc.
    Rust,
    /// CMake and Ninja.
    Cmake,
    /// Meson and Ninja.
    Meson,
    /// A second Python that the small build backend runs on.
    SecondPython,
}

/// A store, and a package set to build in it.
pub struct Nix {
    folder: TempDir,
    host: Value,
}

impl Nix {
    /// A fresh store for the test of this name; none, with the reason noted, where the machine
    /// lacks something.
    pub fn start(test: &str, needs: &[Need]) -> Option<Self> {
        match find_host(needs) {
            Ok(mut host) => {
                report(test, "ran");
                if !needs.contains(&Need::SecondPython) {
                    // every attribute such as `python313` is then the same interpreter
                    host["others"] = Value::Object(serde_json::Map::new());
                }
                let folder = TempDir::new().unwrap();
                fs::create_dir(folder.path().join("conf")).unwrap();
                let nix = Self { folder, host };
                nix.offer("{ }");
                Some(nix)
            }
            Err(reason) => {
                report(test, &format!("skipped: {reason}"));
                eprintln!("Nix test {test} skipped: {reason}");
                None
            }
        }
    }

    /// The folder for the test's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Major and minor version of the set's `python3`, `3.11` for example.
    pub fn python_minor(&self) -> String {
        let full = self.host["python"]["version"].as_str().unwrap();
        full.rsplit_once('.').unwrap().0.to_owned()
    }

    /// The minor version of another Python on this machine that the small backend runs on.
    pub fn other_python_minor(&self) -> Option<String> {
        other_python(&self.host)
    }

    /// Sets what `<nixpkgs>` has: Nix text of the arguments of `testdata/nixpkgs/default.nix`,
    /// `{ pythonPackages = final: prev: { … }; }` for example. Paths are relative to the folder.
    pub fn offer(&self, arguments: &str) {
        self.write("host.json", &self.host.to_string());
        let set = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nixpkgs");
        self.write(
            "nixpkgs.nix",
            &format!(
                "given: import {set} ({{ host = builtins.fromJSON (builtins.readFile ./host.json); \
                 }} // ({arguments}) // given)\n"
            ),
        );
    }

    /// Writes a file into the folder.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `pyresolve lock` in the folder with these arguments, against an index.
    pub fn lock(&self, index: &Index, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyresolve"));
        command
            .current_dir(self.folder())
            .args(["lock", "--index-url", &index.url(), "--cache-dir", "cache"])
            .args(arguments);
        finish(&mut command)
    }

    /// Writes the source of a project that [the small backend](../../../testdata/nixpkgs/flit-core)
    /// builds: one module named like the project, with this text.
    pub fn source(&self, name: &str, version: &str, project: &str, module: &str) {
        self.write(
            &format!("{name}/pyproject.toml"),
            &format!(
                "[build-system]\nrequires = [\"flit-core>=3\"]\nbuild-backend = \"flit_core.buildapi\"\n\
                 [project]\nname = \"{name}\"\nversion = \"{version}\"\n{project}\n"
            ),
        );
        self.write(&format!("{name}/{}.py", name.replace('-', "_")), module);
    }

    /// `nix-instantiate --parse`.
    pub fn parse(&self, file: &Path) -> Result<(), String> {
        let mut command = self.command("nix-instantiate");
        finish(command.arg("--parse").arg(file)).map(drop)
    }

    /// The value of an expression, evaluated strictly, as JSON.
    pub fn evaluate(&self, expression: &str) -> Result<Value, String> {
        let mut command = self.command("nix-instantiate");
        command.args(["--eval", "--strict", "--json", "--expr", expression]);
        let text = finish(&mut command)?;
        serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))
    }

    /// Builds an attribute of the expression in a file; the store path.
    pub fn build(&self, file: &str, attribute: &str) -> Result<PathBuf, String> {
        let mut command = self.command("nix-build");
        command.args([file, "-A", attribute, "--no-out-link"]);
        Ok(PathBuf::from(finish(&mut command)?.trim()))
    }

    /// Runs a line of Python in an environment that was built.
    pub fn python(&self, environment: &Path, program: &str) -> Result<String, String> {
        let mut command = Command::new(environment.join("bin/python3"));
        command.env_remove("PYTHONPATH").args(["-c", program]);
        Ok(finish(&mut command)?.trim().to_owned())
    }

    /// Runs a program of the folder as its owner would, by its name; what it prints.
    pub fn execute(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let path = self.folder().join(program);
        self.run(path.to_str().unwrap(), arguments)
    }

    /// Runs a program in the folder; what it prints.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command(program);
        // nix-shell's own choice is a bash of nixpkgs.
        command.env("NIX_BUILD_SHELL", "bash").args(arguments);
        finish(&mut command)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = |name: &str| self.folder().join(name);
        for variable in [
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "NIX_REMOTE",
            "NIX_USER_CONF_FILES",
        ] {
            command
                .env_remove(variable)
                .env_remove(variable.to_uppercase());
        }
        command
            .current_dir(self.folder())
            .env("HOME", self.folder())
            .env("NIX_STORE_DIR", path("nix/store"))
            .env("NIX_STATE_DIR", path("nix/var"))
            .env("NIX_LOG_DIR", path("nix/log"))
            .env("NIX_CONF_DIR", path("conf"))
            .env(
                "NIX_PATH",
                format!("nixpkgs={}", path("nixpkgs.nix").display()),
            )
            .env(
                "NIX_CONFIG",
                "build-users-group =\nsandbox = false\nsubstituters =\nmax-jobs = 1\n",
            );
        command
    }
}

impl Drop for Nix {
    /// Nix makes store paths read-only; a temporary folder could not be removed.
    fn drop(&mut self) {
        let _ = Command::new("chmod")
            .args(["-R", "u+w"])
            .arg(self.folder())
            .output();
    }
}

/// Runs a command; its output, or what it says is wrong.
fn finish(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|e| e.to_string())?;
    if status.success() {
        Ok(String::from_utf8(stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&stderr).into_owned())
    }
}

/// The first of this machine's Pythons that has what is needed, as `probe.py` describes it.
fn find_host(needs: &[Need]) -> Result<Value, String> {
    static HOSTS: OnceLock<Result<Vec<Value>, String>> = OnceLock::new();
    let hosts = HOSTS.get_or_init(probe).as_ref().map_err(Clone::clone)?;
    let mut reason = String::new();
    for host in hosts {
        match needs.iter().find_map(|need| lacks(host, *need)) {
            None => return Ok(host.clone()),
            Some(lack) if reason.is_empty() => reason = lack,
            Some(_) => {}
        }
    }
    Err(reason)
}

fn lacks(host: &Value, need: Need) -> Option<String> {
    let versions = &host["wheels"]["versions"];
    let has = |name: &str| versions[name].is_string();
    let runs = |name: &str| host["programs"][name].is_string();
    let text = match need {
        Need::Setuptools if !has("setuptools") => {
            "no wheel of setuptools (Debian: python3-setuptools-whl)"
        }
        Need::Setuptools if !has("wheel") => "no wheel of wheel (Debian: python3-wheel)",
        Need::Compiler if host["compiler"].is_null() => "no C compiler",
        Need::Compiler if host["headers"] == false => "no Python headers (Debian: python3-dev)",
        Need::Compiler if host["pkgConfig"].is_null() => "no pkg-config",
        Need::Rust if !runs("cargo") || !runs("rustc") => "no Rust (cargo and rustc)",
        Need::Cmake if !runs("cmake") || !runs("ninja") => {
            "no CMake and Ninja (Debian: cmake, ninja-build)"
        }
        Need::Meson if !runs("meson") || !runs("ninja") => {
            "no Meson and Ninja (Debian: meson, ninja-build)"
        }
        Need::SecondPython if other_python(host).is_none() => "no second Python of 3.11 or later",
        _ => return None,
    };
    Some(text.to_owned())
}

fn other_python(host: &Value) -> Option<String> {
    let others = host["others"].as_object()?;
    ["3.11", "3.12", "3.13", "3.14"]
        .into_iter()
        .find(|m| others.contains_key(*m))
        .map(str::to_owned)
}

fn probe() -> Result<Vec<Value>, String> {
    finish(Command::new("nix-build").arg("--version"))
        .map_err(|_| "Nix is not installed (Debian: nix-bin)".to_owned())?;
    // wheels that probe.py packs are kept there, and used again
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    let mut hosts = Vec::new();
    for (index, python) in ["/usr/bin/python3", "python3"].into_iter().enumerate() {
        let wheels = folder.join(index.to_string());
        fs::create_dir_all(&wheels).map_err(|e| e.to_string())?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nixpkgs/probe.py");
        let mut command = Command::new(python);
        command.arg("-I").arg(script).arg(&wheels);
        if let Ok(host) =
            finish(&mut command).and_then(|t| serde_json::from_str(&t).map_err(|e| e.to_string()))
        {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        return Err("no python3 with ensurepip (Debian: python3-venv)".to_owned());
    }
    Ok(hosts)
}

fn report(test: &str, text: &str) {
    if let Some(folder) = std::env::var_os("PYRESOLVE_NIX_REPORT") {
        fs::write(Path::new(&folder).join(test), format!("{text}\n")).unwrap();
    }
}
