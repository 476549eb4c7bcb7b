//! Running a project's own build code for its metadata: what the user has to ask for by name, in a
//! sandbox, when reading is not enough (PEP 517).
//!
//! Nothing else of the program runs code of a package. Inside the sandbox there is no network, no
//! home and none of the user's environment; the file system holds the system's programs and Python,
//! all of it read-only, and an empty folder in memory. Time, memory and file sizes are bounded.

mod process;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::index::MetadataBuilder;
use crate::python::PackageName;
use process::Ended;

/// Everything that one build may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much one may write, in memory.
const SCRATCH: &str = "1073741824";
const DRIVER: &str = include_str!("driver.py");
/// The driver's exit code where build requirements are missing.
const MISSING: i32 = 3;

/// What programs need of the system, apart from Python itself.
const SYSTEM: [&str; 11] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/opt",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf.d",
];

/// Why nothing can be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No Python.
    #[error("no `python3` is on PATH, and building metadata takes one")]
    NoPython,
    /// Python does not answer.
    #[error("`{program}` does not work: {said}")]
    BrokenPython {
        /// The program.
        program: String,
        /// What it says.
        said: String,
    },
    /// No bubblewrap.
    #[error("no `bwrap` is on PATH: bubblewrap is what builds are locked up in")]
    NoBubblewrap,
    /// bubblewrap may not do its work.
    #[error("bubblewrap cannot make a sandbox here: {0}")]
    NoNamespaces(String),
}

/// The projects whose code may run, and what it runs in.
#[derive(Debug)]
pub struct Sandbox {
    allowed: BTreeSet<PackageName>,
    unsandboxed: bool,
    ready: OnceLock<Result<Ready, SandboxError>>,
}

/// The programs, found and tried.
#[derive(Debug, Clone)]
struct Ready {
    python: PathBuf,
    version: String,
    /// Folders that Python reads its library and packages from.
    library: Vec<PathBuf>,
    walls: Walls,
}

#[derive(Debug, Clone)]
enum Walls {
    /// bubblewrap, and whether it can bound a folder in memory.
    Bubblewrap(PathBuf, bool),
    /// The user wants none.
    Nothing,
}

impl Sandbox {
    /// For the code of these projects only. `unsandboxed` runs it without walls: the user's own
    /// decision, for machines where there can be none.
    pub fn new(allowed: BTreeSet<PackageName>, unsandboxed: bool) -> Self {
        Self {
            allowed,
            unsandboxed,
            ready: OnceLock::new(),
        }
    }

    /// The version of the Python that would run.
    ///
    /// # Errors
    /// Where nothing can be run on this machine.
    pub fn check(&self) -> Result<&str, SandboxError> {
        self.ready().map(|ready| ready.version.as_str())
    }

    fn ready(&self) -> Result<&Ready, SandboxError> {
        let ready = self.ready.get_or_init(|| find(self.unsandboxed));
        ready.as_ref().map_err(Clone::clone)
    }
}

impl MetadataBuilder for Sandbox {
    fn allows(&self, project: &PackageName) -> bool {
        self.allowed.contains(project)
    }

    fn build(&self, file: &str, archive: &[u8]) -> Result<Vec<u8>, String> {
        let ready = self.ready().map_err(|error| error.to_string())?;
        let io = |error: std::io::Error| format!("no folder for the build: {error}");
        let folder = tempfile::tempdir().map_err(io)?;
        let input = folder.path().join("input");
        std::fs::create_dir(&input).map_err(io)?;
        // The name of an archive comes from the index: only its ending is used.
        let name = if file.ends_with(".zip") {
            "sdist.zip"
        } else {
            "sdist.tar"
        };
        std::fs::write(input.join(name), archive).map_err(io)?;
        std::fs::write(input.join("driver.py"), DRIVER).map_err(io)?;
        let mut command = ready.command(&input, folder.path(), name).map_err(io)?;
        told(process::run(&mut command, PATIENCE), &ready.version)
    }
}

impl Ready {
    fn command(&self, input: &Path, folder: &Path, name: &str) -> std::io::Result<Command> {
        let path = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";
        let (mut command, input, scratch) = match &self.walls {
            Walls::Nothing => {
                let scratch = folder.join("scratch");
                std::fs::create_dir(&scratch)?;
                let mut command = Command::new(&self.python);
                command.current_dir(&scratch);
                (command, input.to_owned(), scratch)
            }
            Walls::Bubblewrap(program, sized) => {
                let mut command = Command::new(program);
                self.walls(&mut command, *sized);
                command.arg("--ro-bind").arg(input).arg("/input");
                command
                    .args(["--chdir", "/scratch", "--"])
                    .arg(&self.python);
                (command, "/input".into(), PathBuf::from("/scratch"))
            }
        };
        command.arg("-I").arg("-B").arg(input.join("driver.py"));
        command.arg(input.join(name));
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", &scratch)
            .env("TMPDIR", &scratch)
            .env("LANG", "C.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SOURCE_DATE_EPOCH", "315532800");
        Ok(command)
    }

    fn walls(&self, command: &mut Command, sized: bool) {
        command.args(["--unshare-all", "--die-with-parent", "--new-session"]);
        command.args(["--cap-drop", "ALL"]);
        for folder in SYSTEM {
            command.args(["--ro-bind-try", folder, folder]);
        }
        command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]);
        for folder in &self.library {
            command.arg("--ro-bind-try").arg(folder).arg(folder);
        }
        if sized {
            command.args(["--size", SCRATCH]);
        }
        command.args(["--tmpfs", "/scratch"]);
    }
}

/// The metadata, or why there is none.
fn told(ended: Result<Ended, String>, version: &str) -> Result<Vec<u8>, String> {
    let ended = ended?;
    match ended.code {
        Some(0) if !ended.output.is_empty() => Ok(ended.output),
        Some(MISSING) => {
            let missing: Vec<&str> = ended.errors.lines().filter(|l| !l.is_empty()).collect();
            let first = missing.len().saturating_sub(20);
            let missing = missing.get(first..).unwrap_or_default().join("`, `");
            Err(format!(
                "it was to be built, but the Python {version} on PATH lacks what that takes: `{missing}`"
            ))
        }
        code => {
            let last = ended.errors.lines().rev().map(str::trim);
            let last = last.into_iter().find(|line| !line.is_empty());
            let how = match code {
                Some(code) => format!("exit code {code}"),
                None => format!("stopped after {} seconds, or killed", PATIENCE.as_secs()),
            };
            Err(format!(
                "its build was run, and failed ({how}): {}",
                last.unwrap_or("it said nothing")
            ))
        }
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn find(unsandboxed: bool) -> Result<Ready, SandboxError> {
    const ASK: &str = "import sys, sysconfig, platform
print(sys.executable)
print(platform.python_version())
print(*{sys.prefix, sys.base_prefix, *sys.path, sysconfig.get_path('stdlib')}, sep='\\n')";
    let program = on_path("python3").ok_or(SandboxError::NoPython)?;
    let broken = |said: String| SandboxError::BrokenPython {
        program: program.display().to_string(),
        said,
    };
    let mut ask = Command::new(&program);
    ask.args(["-I", "-c", ASK]);
    let ended = process::run(&mut ask, Duration::from_secs(20)).map_err(&broken)?;
    let text = String::from_utf8_lossy(&ended.output);
    let mut lines = text.lines();
    let (Some(executable), Some(version), Some(0)) = (lines.next(), lines.next(), ended.code)
    else {
        return Err(broken(ended.errors.trim().to_owned()));
    };
    let mut library: Vec<PathBuf> = lines
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.exists() && !within_system(path))
        .collect();
    // Outer folders first, or they would cover the inner ones.
    library.sort();
    let walls = if unsandboxed {
        Walls::Nothing
    } else {
        walls()?
    };
    Ok(Ready {
        python: PathBuf::from(executable),
        version: version.to_owned(),
        library,
        walls,
    })
}

fn within_system(path: &Path) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

/// Tries whether bubblewrap can do here what it is for.
fn walls() -> Result<Walls, SandboxError> {
    let program = on_path("bwrap").ok_or(SandboxError::NoBubblewrap)?;
    let mut said = String::new();
    for sized in [true, false] {
        let mut trial = Command::new(&program);
        trial.args(["--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]);
        trial.args(["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]);
        if sized {
            trial.args(["--size", SCRATCH]);
        }
        trial.args(["--tmpfs", "/tmp", "--", "/bin/sh", "-c", "exit 0"]);
        match process::run(&mut trial, Duration::from_secs(20)) {
            Ok(ended) if ended.code == Some(0) => return Ok(Walls::Bubblewrap(program, sized)),
            Ok(ended) => said = ended.errors.trim().to_owned(),
            Err(error) => said = error,
        }
    }
    Err(SandboxError::NoNamespaces(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: Option<i32>, errors: &str) -> Result<Ended, String> {
        Ok(Ended {
            code,
            output: b"Name: a\n".to_vec(),
            errors: errors.to_owned(),
        })
    }

    #[test]
    fn what_a_build_says_is_told() {
        assert_eq!(told(ended(Some(0), ""), "3.13").unwrap(), b"Name: a\n");
        let missing = told(ended(Some(3), "cython>=3\nnumpy\n"), "3.13").unwrap_err();
        assert!(missing.contains("lacks what that takes: `cython>=3`, `numpy`"));
        let failed = told(ended(Some(1), "Traceback\nValueError: no\n\n"), "3.13").unwrap_err();
        assert!(
            failed.ends_with("(exit code 1): ValueError: no"),
            "{failed}"
        );
        assert!(
            told(ended(None, ""), "3.13")
                .unwrap_err()
                .contains("stopped")
        );
    }

    #[test]
    fn only_named_projects_are_allowed() {
        let name: PackageName = "zz-demo".parse().unwrap();
        let sandbox = Sandbox::new(BTreeSet::from([name.clone()]), false);
        assert!(sandbox.allows(&name));
        assert!(!sandbox.allows(&"zz-other".parse().unwrap()));
    }
}
