//! setuptools' `attr: package.module.name`: a module's value, read without importing the module.

use std::collections::BTreeMap;
use std::sync::Arc;

use ruff_python_ast::Stmt;

use super::pyproject::version;
use super::reading::Reading;
use super::setup_py::{self, AttrValue};
use crate::problem::SourceFile;

/// Modules that one attribute may lead through.
const MAX_HOPS: usize = 8;

/// The text behind `package.module.name`; `folders` is setuptools' `package_dir`. A plain assignment
/// is read as setuptools reads it; what is computed is asked of the interpreter.
///
/// The error says why it cannot be known, as the reason of an unknown value.
pub(super) fn text(
    reading: &mut Reading<'_>,
    path: &str,
    folders: &BTreeMap<String, String>,
) -> Result<String, String> {
    let reason = match assigned(reading, path, folders) {
        Ok(found) => return Ok(found),
        Err(reason) => reason,
    };
    let root = folders.get("").map(String::as_str).unwrap_or_default();
    let mut roots = vec![root];
    if root.is_empty() && reading.files.is_dir("src") {
        roots.push("src");
    }
    for root in roots {
        if let Ok(AttrValue::Text(found)) = setup_py::evaluate_attr(reading.files, path, root) {
            return Ok(found);
        }
    }
    Err(reason)
}

fn assigned(
    reading: &mut Reading<'_>,
    path: &str,
    folders: &BTreeMap<String, String>,
) -> Result<String, String> {
    let (module, name) = path.trim().rsplit_once('.').unwrap_or(("__init__", path));
    let mut module = module.to_owned();
    let mut name = name.to_owned();
    for _ in 0..MAX_HOPS {
        let Some((file, is_package)) = find(reading, &module, folders) else {
            return Err(format!("there is no module `{module}`"));
        };
        if let Some(found) = version::assigned(&file, &name) {
            return Ok(found);
        }
        match imported(&file, &module, is_package, &name) {
            Some((from, as_named)) => {
                module = from;
                name = as_named;
            }
            None => return Err(format!("`{module}` computes `{name}`")),
        }
    }
    Err(format!("`{path}` leads through too many modules"))
}

/// The file of a module, and whether it is a package's.
fn find(
    reading: &mut Reading<'_>,
    module: &str,
    folders: &BTreeMap<String, String>,
) -> Option<(Arc<SourceFile>, bool)> {
    let (top, rest) = match module.split_once('.') {
        Some((top, rest)) => (top, Some(rest.replace('.', "/"))),
        None => (module, None),
    };
    let below = |base: &str| {
        let base = base.trim_matches('/').trim_start_matches("./");
        let join = |a: &str, b: &str| match (a, b) {
            ("" | ".", b) => b.to_owned(),
            (a, b) => format!("{a}/{b}"),
        };
        join(base, rest.as_deref().unwrap_or_default())
    };
    let mut candidates = Vec::new();
    if let Some(folder) = folders.get(top) {
        candidates.push(below(folder).trim_end_matches('/').to_owned());
    }
    let roots = folders
        .get("")
        .map(String::as_str)
        .into_iter()
        .chain(["", "src"]);
    for root in roots {
        let root = root.trim_matches('/').trim_start_matches("./");
        let path = module.replace('.', "/");
        candidates.push(if matches!(root, "" | ".") {
            path
        } else {
            format!("{root}/{path}")
        });
    }
    for candidate in candidates {
        if let Some(file) = reading.source_if_any(&format!("{candidate}.py")) {
            return Some((file, false));
        }
        if let Some(file) = reading.source_if_any(&format!("{candidate}/__init__.py")) {
            return Some((file, true));
        }
    }
    None
}

/// Where a module imports a name from: `from .version import __version__`.
fn imported(
    file: &Arc<SourceFile>,
    module: &str,
    is_package: bool,
    name: &str,
) -> Option<(String, String)> {
    let body = version::statements(&file.text)?;
    for statement in &body {
        let Stmt::ImportFrom(import) = statement else {
            continue;
        };
        let is_named = |alias: &&ruff_python_ast::Alias| {
            alias.asname.as_ref().unwrap_or(&alias.name).as_str() == name
        };
        let Some(alias) = import.names.iter().find(is_named) else {
            continue;
        };
        let mut base: Vec<&str> = Vec::new();
        if import.level > 0 {
            base = module.split('.').collect();
            let up = import.level as usize - usize::from(is_package);
            base.truncate(base.len().saturating_sub(up));
        }
        base.extend(import.module.iter().map(|m| m.as_str()));
        if base.is_empty() {
            return None;
        }
        return Some((base.join("."), alias.name.as_str().to_owned()));
    }
    None
}
