//! Which modules a source tree installs: what `pythonImportsCheck` may import.
//!
//! A module is named only where its file is there, or where the project's configuration names it.
//! Namespace packages (PEP 420) are named by the first real packages below them, dotted.

use std::collections::{BTreeMap, BTreeSet};

use super::Files;
use super::draft::Layout;
use super::pyproject::Backend;

/// Folders that are looked at in one tree.
const MAX_FOLDERS: usize = 5_000;
const MAX_DEPTH: usize = 6;
/// More modules than are worth importing one by one.
const MAX_MODULES: usize = 64;

/// What setuptools' automatic discovery leaves out of a flat layout.
const NOT_PACKAGES: [&str; 24] = [
    "benchmark",
    "benchmarks",
    "bin",
    "build",
    "ci",
    "debian",
    "dist",
    "doc",
    "docs",
    "documentation",
    "example",
    "examples",
    "exercise",
    "exercises",
    "htmlcov",
    "manpages",
    "news",
    "requirements",
    "scripts",
    "site_scons",
    "tasks",
    "test",
    "tests",
    "tools",
];

/// What it leaves out of modules at the root.
const NOT_MODULES: [&str; 18] = [
    "build",
    "conftest",
    "example",
    "examples",
    "exec",
    "fabfile",
    "noxfile",
    "pavement",
    "release",
    "run",
    "runtests",
    "setup",
    "setupegg",
    "tasks",
    "test",
    "tests",
    "toxfile",
    "versioneer",
];

/// Importable modules, top level or the first real package below a namespace; sorted.
pub(super) fn modules(
    files: &dyn Files,
    layout: &Layout,
    backend: Backend,
    name: Option<&str>,
) -> Vec<String> {
    let mut tree = Tree {
        files,
        visited: 0,
        found: BTreeSet::new(),
    };
    tree.named(layout);
    if layout.packages.is_none() && tree.found.is_empty() {
        match backend {
            Backend::Setuptools | Backend::Pbr | Backend::Pdm | Backend::Other => {
                tree.discover(layout)
            }
            Backend::Hatchling | Backend::Poetry | Backend::Flit => tree.by_name(name),
        }
    }
    if tree.found.is_empty() && layout.packages.is_none() {
        tree.top_level();
    }
    tree.found.into_iter().take(MAX_MODULES).collect()
}

struct Tree<'a> {
    files: &'a dyn Files,
    visited: usize,
    found: BTreeSet<String>,
}

impl Tree<'_> {
    /// What the configuration names.
    fn named(&mut self, layout: &Layout) {
        let packages = layout.packages.clone().unwrap_or_default();
        let listed: BTreeSet<&str> = packages.iter().map(String::as_str).collect();
        for package in &packages {
            let mut above = package.as_str();
            let mut covered = false;
            while let Some((parent, _)) = above.rsplit_once('.') {
                covered |= listed.contains(parent) && !self.is_namespace(parent, &layout.folders);
                above = parent;
            }
            if covered || !is_dotted(package) || is_private_test(package) {
                continue;
            }
            if self.is_namespace(package, &layout.folders) {
                // Only what stands below it can be imported with effect.
                let below = packages.iter().any(|p| {
                    p.strip_prefix(package.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
                });
                if !below {
                    let folder = folder_of(package, &layout.folders);
                    self.namespace(&folder, package, 1);
                }
            } else {
                self.found.insert(package.clone());
            }
        }
        for module in &layout.modules {
            if is_dotted(module) {
                self.found.insert(module.clone());
            }
        }
    }

    /// Whether a package's folder is there, but no `__init__.py` in it.
    fn is_namespace(&self, package: &str, folders: &BTreeMap<String, String>) -> bool {
        let folder = folder_of(package, folders);
        self.files.is_dir(&folder) && !is_package(self.files, &folder)
    }

    /// setuptools' automatic discovery, and looking in given folders.
    fn discover(&mut self, layout: &Layout) {
        if !layout.roots.is_empty() {
            for root in &layout.roots {
                self.look_in(
                    root.trim_matches('/').trim_start_matches("./"),
                    layout,
                    false,
                );
            }
        } else if let Some(root) = layout
            .folders
            .get("")
            .filter(|r| !matches!(r.as_str(), "" | "."))
        {
            self.look_in(root.trim_matches('/'), layout, false);
        } else if self.has_src() {
            self.look_in("src", layout, false);
        } else {
            self.look_in("", layout, true);
        }
    }

    /// A `src` layout: a folder `src` that is no package itself.
    fn has_src(&self) -> bool {
        self.files.is_dir("src") && !is_package(self.files, "src")
    }

    fn look_in(&mut self, root: &str, layout: &Layout, flat: bool) {
        let mut packages = Vec::new();
        let mut single = Vec::new();
        for name in self.files.list(root) {
            let path = join(root, &name);
            if let Some(module) = name.strip_suffix(".py") {
                let skipped = flat && NOT_MODULES.contains(&module);
                if is_identifier(module) && !skipped && !module.starts_with('_') {
                    single.push(module.to_owned());
                }
            } else if is_identifier(&name) && self.files.is_dir(&path) {
                let skipped =
                    flat && (NOT_PACKAGES.contains(&name.as_str()) || is_private_test(&name));
                if !skipped && admits(layout, &name) {
                    packages.push((name, path));
                }
            }
        }
        let is_real = |(_, path): &(String, String)| is_package(self.files, path);
        let has_packages = packages.iter().any(is_real);
        for (name, path) in packages {
            if is_package(self.files, &path) {
                self.found.insert(name);
            } else if !(flat && has_packages) {
                self.namespace(&path, &name, 1);
            }
        }
        // A flat layout has packages or one module, never both; told to find packages, setuptools installs
        // no modules.
        if (!flat && !layout.is_limited() && layout.roots.is_empty())
            || (flat && self.found.is_empty() && single.len() == 1)
        {
            self.found.extend(single);
        }
    }

    /// Real packages, and modules, below a namespace package.
    fn namespace(&mut self, folder: &str, dotted: &str, depth: usize) {
        self.visited += 1;
        if self.visited > MAX_FOLDERS || depth > MAX_DEPTH {
            return;
        }
        for name in self.files.list(folder) {
            let path = join(folder, &name);
            if let Some(module) = name.strip_suffix(".py") {
                if is_identifier(module) && !module.starts_with("__") {
                    self.found.insert(format!("{dotted}.{module}"));
                }
            } else if is_identifier(&name) && !is_private_test(&name) && self.files.is_dir(&path) {
                if is_package(self.files, &path) {
                    self.found.insert(format!("{dotted}.{name}"));
                } else {
                    self.namespace(&path, &format!("{dotted}.{name}"), depth + 1);
                }
            }
        }
    }

    /// hatchling's and Poetry's rule: the module that is called like the project, if it is there.
    fn by_name(&mut self, name: Option<&str>) {
        let Some(name) = name else { return };
        let wanted = name.replace(['-', '.'], "_").to_ascii_lowercase();
        for root in ["src", ""] {
            for entry in self.files.list(root) {
                let stem = entry.strip_suffix(".py").unwrap_or(&entry);
                if stem.to_ascii_lowercase() != wanted {
                    continue;
                }
                let path = join(root, &entry);
                if entry.ends_with(".py") || is_package(self.files, &path) {
                    self.found.insert(stem.to_owned());
                    return;
                }
            }
        }
        // `demo-client` may be the namespace package `demo.client`.
        let dotted = name.replace('-', ".");
        let path = dotted.replace('.', "/");
        for root in ["src", ""] {
            if dotted.contains('.') && is_package(self.files, &join(root, &path)) {
                self.found.insert(dotted);
                return;
            }
        }
        if self.has_src() {
            self.look_in("src", &Layout::default(), false);
        }
    }

    /// What setuptools wrote down when it made the sdist.
    fn top_level(&mut self) {
        let mut folders = vec![String::new()];
        folders.extend(
            ["src".to_owned()]
                .into_iter()
                .filter(|f| self.files.is_dir(f)),
        );
        for folder in folders {
            for name in self.files.list(&folder) {
                if !name.ends_with(".egg-info") {
                    continue;
                }
                let path = format!("{}/top_level.txt", join(&folder, &name));
                let Ok(bytes) = self.files.read(&path) else {
                    continue;
                };
                let text = String::from_utf8_lossy(&bytes);
                let names = text.lines().map(str::trim);
                let kept = names
                    .filter(|n| is_identifier(n) && !n.starts_with('_') && !is_private_test(n));
                self.found.extend(kept.map(str::to_owned));
                return;
            }
        }
    }
}

impl Layout {
    fn is_limited(&self) -> bool {
        !self.included.is_empty()
    }
}

/// Where a dotted package is, by setuptools' `package_dir`.
fn folder_of(package: &str, folders: &BTreeMap<String, String>) -> String {
    let mut head = package;
    let mut tail: Vec<&str> = Vec::new();
    loop {
        if let Some(folder) = folders.get(head) {
            let folder = folder.trim_matches('/').trim_start_matches("./");
            let rest: Vec<_> = tail.iter().rev().copied().collect();
            let folder = if folder == "." { "" } else { folder };
            return if rest.is_empty() {
                folder.to_owned()
            } else {
                join(folder, &rest.join("/"))
            };
        }
        match head.rsplit_once('.') {
            Some((parent, last)) => {
                tail.push(last);
                head = parent;
            }
            None => break,
        }
    }
    let root = folders.get("").map(String::as_str).unwrap_or_default();
    let root = root.trim_matches('/').trim_start_matches("./");
    let root = if root == "." { "" } else { root };
    join(root, &package.replace('.', "/"))
}

fn is_package(files: &dyn Files, folder: &str) -> bool {
    ["__init__.py", "__init__.pyx", "__init__.pyi"]
        .iter()
        .any(|name| files.is_file(&join(folder, name)))
}

/// Whether looking for packages with these patterns keeps a top-level name.
fn admits(layout: &Layout, name: &str) -> bool {
    let hits = |patterns: &[String]| patterns.iter().any(|p| matches_glob(p, name));
    let included = layout.included.is_empty() || hits(&layout.included);
    included && !hits(&layout.excluded)
}

/// `fnmatch` as far as package patterns need it: `*` and `?`.
pub(super) fn matches_glob(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, n));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

fn is_private_test(name: &str) -> bool {
    let top = name.split('.').next().unwrap_or(name);
    matches!(top, "test" | "tests" | "testing" | "docs" | "examples") || top.starts_with("test_")
}

fn is_dotted(name: &str) -> bool {
    name.split('.').all(is_identifier)
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && name != "__pycache__"
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else if name.is_empty() {
        folder.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
