//! The interpreter on small files, each for one thing that real setup.py files do.

mod fuzz;
mod honest;
mod hostile;
mod idiom;
mod marker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Context, SetupPy, evaluate};
use crate::project::{Evaluated, Files, FilesError};

/// A project in memory.
#[derive(Debug, Default)]
pub struct Memory(BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, FilesError> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| FilesError::NotFound(path.to_owned()))
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || self.0.keys().any(|k| k.starts_with(&format!("{path}/")))
    }

    fn list(&self, path: &str) -> Vec<String> {
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let below = self.0.keys().filter_map(|k| k.strip_prefix(&prefix));
        let names: BTreeSet<&str> = below.map(|k| k.split('/').next().unwrap_or(k)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    fn display(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

/// A project of a setup.py and other files.
pub fn project(setup: &str, others: &[(&str, &str)]) -> Memory {
    let mut files = BTreeMap::new();
    files.insert("setup.py".to_owned(), setup.as_bytes().to_vec());
    for (path, text) in others {
        files.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    Memory(files)
}

/// What a setup.py says.
pub fn said(setup: &str, others: &[(&str, &str)]) -> SetupPy {
    evaluate(&project(setup, others), "setup.py", &Context::default())
}

/// The requirements, extras as markers, when they are complete and certain.
pub fn requires(setup: &str, others: &[(&str, &str)]) -> Vec<String> {
    let answer = said(setup, others);
    assert_eq!(
        answer.evaluated,
        Evaluated::Static,
        "{setup}\n{:?}",
        answer.unknown
    );
    listed(&answer)
}

/// The requirements that were found, complete or not.
pub fn listed(answer: &SetupPy) -> Vec<String> {
    let base = answer.install_requires.value().into_iter().flatten();
    let mut all: Vec<String> = base.map(ToString::to_string).collect();
    for (extra, list) in answer.extras_require.value().into_iter().flatten() {
        all.extend(list.iter().map(|r| format!("[{extra}] {r}")));
    }
    // The marker crate writes equal versions as the first of them was written in this process.
    all.into_iter().map(|r| r.replace("'3.0'", "'3'")).collect()
}

/// A setup.py whose `install_requires` is the value of `REQ` at the end of some code.
pub fn after(code: &str) -> String {
    format!(
        "import os, re, sys\nfrom setuptools import setup\n{code}\nsetup(name='x', version='1', install_requires=REQ)\n"
    )
}
