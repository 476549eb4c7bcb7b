//! A build backend of a project's own (`backend-path`, PEP 517): what its hooks ask for besides.
//!
//! The functions `get_requires_for_build_…` are read, not run: the texts in their lists that are
//! requirements with a limit or a marker count, whatever conditions lead to them.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, Stmt};

use super::Files;
use super::pyproject::version::statements;
use crate::python::Requirement;

/// Files that are read, at most.
const MAX_FILES: usize = 20;

/// The requirements that the hooks of a project's own backend name; none where its backend is not its
/// own.
pub(super) fn requires(files: &dyn Files) -> Option<Vec<Requirement>> {
    let text = String::from_utf8(files.read("pyproject.toml").ok()?).ok()?;
    if !text.contains("backend-path") {
        return None;
    }
    let document: toml::Table = toml::from_str(&text).ok()?;
    let table = document.get("build-system")?.as_table()?;
    let paths = table.get("backend-path")?.as_array()?;
    let mut found = Vec::new();
    let mut folders: Vec<String> = paths
        .iter()
        .filter_map(|path| path.as_str())
        .map(|path| path.trim_start_matches("./").trim_matches('/').to_owned())
        .map(|path| if path == "." { String::new() } else { path })
        .collect();
    let module = table.get("build-backend")?.as_str()?;
    let module = module.split([':', '.']).next().unwrap_or(module);
    for folder in folders.clone() {
        folders.push(below(&folder, module));
    }
    let scripts = folders.iter().flat_map(|folder| {
        let python = files.list(folder).into_iter();
        let python = python.filter(|name| name.ends_with(".py"));
        python.map(|name| below(folder, &name))
    });
    // Beside a module at the root lies the project itself.
    let own = scripts.filter(|path| path.contains('/') || *path == format!("{module}.py"));
    for path in own.take(MAX_FILES) {
        let text = files
            .read(&path)
            .ok()
            .and_then(|b| String::from_utf8(b).ok());
        let text = text.filter(|text| text.contains("get_requires_for_build"));
        for statement in text.as_deref().and_then(statements).iter().flatten() {
            if let Stmt::FunctionDef(function) = statement
                && function.name.starts_with("get_requires_for_build_")
            {
                let mut reader = Reader(Vec::new());
                reader.visit_body(&function.body);
                found.extend(reader.0);
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|requirement: &Requirement| seen.insert(requirement.to_string()));
    Some(found)
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

struct Reader(Vec<Requirement>);

impl<'b> Visitor<'b> for Reader {
    fn visit_expr(&mut self, expr: &'b Expr) {
        if let Expr::List(list) = expr {
            for element in &list.elts {
                if let Expr::StringLiteral(text) = element
                    && let Ok(requirement) = Requirement::parse(text.value.to_str())
                    && text.value.to_str().contains(['=', '<', '>', ';', '~'])
                {
                    self.0.push(requirement);
                }
            }
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::tree;

    #[test]
    fn hooks_are_read() {
        let table = "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'own.hooks'\n\
                     backend-path = ['tools']\n";
        let hooks = "
from setuptools import build_meta
def get_requires_for_build_wheel(config_settings=None):
    '''Not>=1'''
    words = ['pure-python']
    deps = [] if words else ['Cython ~= 3.1; python_version >= \"3.12\"', 'Cython >= 1']
    return build_meta.get_requires_for_build_wheel(config_settings) + deps
def other():
    return ['no >= 1']
";
        let files = tree(&[
            ("pyproject.toml", table),
            ("tools/own/hooks.py", hooks),
            ("tools/own/__init__.py", ""),
        ]);
        let found: Vec<String> = requires(&files)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            ["cython~=3.1; python_full_version >= '3.12'", "cython>=1"]
        );
        let plain = tree(&[("pyproject.toml", "[build-system]\nrequires = []\n")]);
        assert_eq!(requires(&plain), None);
    }
}
