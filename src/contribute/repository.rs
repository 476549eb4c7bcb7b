//! The git repository of a checkout: whether it is clean, and commits in it.
//!
//! Commits are made from the texts, beside the user's index and files; only when all of them are there
//! does the branch move. git's own identity and signing settings count; its hooks are not run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ContributeError;
use crate::render::Document;

/// A commit to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its whole message.
    pub message: String,
    /// The files that it changes, with their new texts.
    pub documents: Vec<Document>,
}

/// A repository, clean when it was opened.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    head: String,
}

impl Repository {
    /// The repository whose top folder this is.
    ///
    /// # Errors
    /// When there is none, or it has changes that are not committed, or git does not know who
    /// commits.
    pub fn open(root: &Path) -> Result<Self, ContributeError> {
        let mut repository = Self {
            root: root.to_owned(),
            head: String::new(),
        };
        let prefix = repository.git("rev-parse", &["--show-prefix"])?;
        if !prefix.is_empty() {
            return Err(ContributeError::Git {
                what: "rev-parse".to_owned(),
                why: format!("the repository begins above `{}`", root.display()),
            });
        }
        repository.head = repository.git("rev-parse", &["--verify", "HEAD^{commit}"])?;
        let status = ["--porcelain", "--untracked-files=no"];
        let status = repository.git("status", &status)?;
        if !status.is_empty() {
            let lines = status.lines().map(str::to_owned);
            return Err(ContributeError::Dirty(lines.collect()));
        }
        repository.git("var", &["GIT_COMMITTER_IDENT"])?;
        Ok(repository)
    }

    /// Makes the commits, one on top of the other; they are reachable from nowhere yet.
    ///
    /// # Errors
    /// When git fails; the branch has not moved.
    pub fn prepare(&self, commits: &[Commit]) -> Result<String, ContributeError> {
        let index = tempfile::tempdir().map_err(|error| ContributeError::Git {
            what: "read-tree".to_owned(),
            why: error.to_string(),
        })?;
        let index = index.path().join("index");
        self.finish("read-tree", &["HEAD"], Some(&index), "")?;
        let signs = self.git("config", &["--type=bool", "--get", "commit.gpgSign"]);
        let signs = signs.is_ok_and(|value| value == "true");
        let mut parent = self.head.clone();
        for commit in commits {
            for document in &commit.documents {
                let options = ["-w", "--stdin"];
                let blob = self.finish("hash-object", &options, None, &document.text)?;
                let entry = format!("100644,{blob},{}", document.name);
                let options = ["--add", "--cacheinfo", &entry];
                self.finish("update-index", &options, Some(&index), "")?;
            }
            let tree = self.finish("write-tree", &[], Some(&index), "")?;
            let mut options = vec![tree.as_str(), "-p", &parent];
            if signs {
                options.push("-S");
            }
            parent = self.finish("commit-tree", &options, None, &commit.message)?;
        }
        Ok(parent)
    }

    /// Moves the branch to a commit that [`Self::prepare`] has made.
    ///
    /// # Errors
    /// When somebody else has moved it meanwhile.
    pub fn advance(&self, commit: &str) -> Result<(), ContributeError> {
        self.move_head(commit, &self.head)
    }

    /// Moves it back.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn retreat(&self, commit: &str) -> Result<(), ContributeError> {
        self.move_head(&self.head, commit)
    }

    /// Tells the index of the branch's new commits, once the files are there.
    ///
    /// # Errors
    /// When git fails.
    pub fn settle(&self) -> Result<(), ContributeError> {
        self.git("reset", &["--quiet", "--mixed"]).map(drop)
    }

    fn move_head(&self, new: &str, old: &str) -> Result<(), ContributeError> {
        let options = ["-m", "pyresolve nixpkgs", "HEAD", new, old];
        self.git("update-ref", &options).map(drop)
    }

    fn git(&self, what: &str, options: &[&str]) -> Result<String, ContributeError> {
        self.finish(what, options, None, "")
    }

    /// Runs git in the checkout; what it writes, without the last line break.
    fn finish(
        &self,
        what: &str,
        options: &[&str],
        index: Option<&Path>,
        input: &str,
    ) -> Result<String, ContributeError> {
        let fail = |why: String| ContributeError::Git {
            what: what.to_owned(),
            why,
        };
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).arg(what).args(options);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(name);
        }
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        command
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => fail("there is no git here: install it".to_owned()),
            _ => fail(error.to_string()),
        })?;
        if let Some(mut pipe) = child.stdin.take() {
            // Where git does not want it all, its exit code tells.
            let _ = pipe.write_all(input.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|error| fail(error.to_string()))?;
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            return Ok(text.trim_end_matches('\n').to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let fatal = lines.iter().find(|line| line.starts_with("fatal:"));
        let line = fatal.or(lines.last()).copied().unwrap_or("it failed");
        Err(fail(line.trim_start_matches("fatal: ").to_owned()))
    }
}
