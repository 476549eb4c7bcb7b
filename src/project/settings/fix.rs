//! The user's fixes of entries: `[tool.pyresolve.fixes.NAME]`.
//!
//! ```toml
//! [tool.pyresolve.fixes.lxml]
//! version = ">=6,<7"                # only for these versions
//! add = ["six"]                     # dependencies
//! remove = ["cssselect"]
//! replace = { psycopg2-binary = "psycopg2" }
//! nativeBuildInputs = ["pkg-config"]
//! buildInputs = ["libxml2"]
//! patches = ["nix/lxml.patch"]      # seen from the folder of the Nix file
//! postPatch = "rm -r bundled"
//! relax = ["soupsieve"]
//! doCheck = true
//! ```

use std::collections::BTreeMap;
use std::str::FromStr as _;

use super::{expected, text, texts};
use crate::problem::{Code, Origin, Severity};
use crate::project::reading::Reading;
use crate::project::table::Node;
use crate::python::{PackageName, VersionSpecifiers};

/// What the user changes about the entry of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// For which versions; none: for all.
    pub versions: Option<VersionSpecifiers>,
    /// Projects that it needs besides.
    pub add: Vec<PackageName>,
    /// Projects that it does not need.
    pub remove: Vec<PackageName>,
    /// Projects that it needs, and those that it needs instead.
    pub replace: BTreeMap<PackageName, PackageName>,
    /// Further tools of the build: paths of attributes of the top level.
    pub native_build_inputs: Vec<String>,
    /// Further libraries: paths of attributes of the top level.
    pub build_inputs: Vec<String>,
    /// Patches: paths as seen from the folder of the Nix file.
    pub patches: Vec<String>,
    /// Shell commands that change the source.
    pub post_patch: Option<String>,
    /// Projects whose version limits are dropped.
    pub relax: Vec<PackageName>,
    /// Whether the tests run.
    pub do_check: Option<bool>,
    /// Where it stands.
    pub origin: Origin,
}

/// Reads the table of fixes.
pub(super) fn fixes(reading: &mut Reading<'_>, table: Node<'_>) -> BTreeMap<PackageName, Fix> {
    let mut fixes = BTreeMap::new();
    for (key, node) in table.entries() {
        match PackageName::from_str(key.text) {
            Ok(name) if node.is_table() => {
                let fix = fix(reading, node, key.origin());
                fixes.insert(name, fix);
            }
            Ok(_) => expected(reading, "a table", node),
            Err(_) => {
                let what = format!("`{}` is not a project's name", key.text);
                reading.error(Code::UnknownSetting, what, Some(key.origin()));
            }
        }
    }
    fixes
}

fn fix(reading: &mut Reading<'_>, table: Node<'_>, origin: Origin) -> Fix {
    let mut fix = Fix {
        versions: None,
        add: Vec::new(),
        remove: Vec::new(),
        replace: BTreeMap::new(),
        native_build_inputs: Vec::new(),
        build_inputs: Vec::new(),
        patches: Vec::new(),
        post_patch: None,
        relax: Vec::new(),
        do_check: None,
        origin,
    };
    for (key, node) in table.entries() {
        match key.text {
            "version" => {
                if let Some(text) = text(reading, node) {
                    fix.versions = reading.specifiers(&text.value, Some(&text.origin));
                }
            }
            "add" => fix.add = names(reading, node),
            "remove" => fix.remove = names(reading, node),
            "relax" => fix.relax = names(reading, node),
            "replace" => fix.replace = replacements(reading, node),
            "nativeBuildInputs" => {
                fix.native_build_inputs = valid(reading, node, "the path of an attribute", is_path);
            }
            "buildInputs" => {
                fix.build_inputs = valid(reading, node, "the path of an attribute", is_path);
            }
            "patches" => fix.patches = valid(reading, node, "a relative path", is_relative),
            "postPatch" => fix.post_patch = text(reading, node).map(|text| text.value),
            "doCheck" => match node.truth() {
                Some(truth) => fix.do_check = Some(truth),
                None => expected(reading, "a boolean", node),
            },
            other => reading.problem(
                Code::UnknownSetting,
                Severity::Error,
                format!("`{other}` is nothing that a fix can change"),
                Some(key.origin()),
                None,
            ),
        }
    }
    fix
}

fn name(reading: &mut Reading<'_>, text: &str, origin: Origin) -> Option<PackageName> {
    match PackageName::from_str(text) {
        Ok(name) => Some(name),
        Err(_) => {
            let what = format!("`{text}` is not a project's name");
            reading.error(Code::UnknownSetting, what, Some(origin));
            None
        }
    }
}

fn names(reading: &mut Reading<'_>, node: Node<'_>) -> Vec<PackageName> {
    let texts = texts(reading, node).into_iter();
    texts
        .filter_map(|text| name(reading, &text.value, text.origin))
        .collect()
}

fn replacements(reading: &mut Reading<'_>, table: Node<'_>) -> BTreeMap<PackageName, PackageName> {
    if !table.is_table() {
        expected(reading, "a table", table);
    }
    let mut found = BTreeMap::new();
    for (key, node) in table.entries() {
        let old = name(reading, key.text, key.origin());
        let new = text(reading, node).and_then(|new| name(reading, &new.value, new.origin));
        if let (Some(old), Some(new)) = (old, new) {
            found.insert(old, new);
        }
    }
    found
}

/// Texts that may stand in the Nix file as they are.
fn valid(
    reading: &mut Reading<'_>,
    node: Node<'_>,
    what: &str,
    is_valid: fn(&str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts(reading, node) {
        if is_valid(&text.value) {
            found.push(text.value);
        } else {
            let what = format!("`{}` is not {what}", text.value);
            reading.error(Code::UnknownSetting, what, Some(text.origin));
        }
    }
    found
}

/// `libxml2`, `stdenv.cc.cc.lib`.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && part.chars().all(plain)
    })
}

/// `nix/lxml.patch`: a path that is a path in Nix too, and that stays below its folder.
pub(super) fn is_relative(text: &str) -> bool {
    text.split('/').all(|part| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
        !part.is_empty() && part != "." && part != ".." && part.chars().all(plain)
    })
}

#[cfg(test)]
mod tests {
    use crate::project::settings::read;
    use crate::project::tests::tree;

    #[test]
    fn fixes_are_read() {
        let text = "\
[tool.pyresolve]
nix = \"../x.nix\"
[tool.pyresolve.fixes.My_Thing]
version = \">=1\"
add = [\"Six\"]
replace = { old = \"new\" }
buildInputs = [\"stdenv.cc.cc.lib\", \"${evil}\"]
patches = [\"a/b.patch\", \"../c.patch\", \"/d\"]
doCheck = \"no\"
colour = 1
[tool.pyresolve.fixes.other]
doCheck = false
postPatch = \"rm x\"
";
        let settings = read(&tree(&[("pyproject.toml", text)]));
        let fixes: Vec<_> = settings.fixes.iter().collect();
        assert_eq!(fixes[0].0.as_ref(), "my-thing");
        assert_eq!(fixes[0].1.add[0].as_ref(), "six");
        assert_eq!(fixes[0].1.build_inputs, ["stdenv.cc.cc.lib"]);
        assert_eq!(fixes[0].1.patches, ["a/b.patch"]);
        assert_eq!(fixes[1].1.do_check, Some(false));
        let problems: Vec<_> = settings.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "demo/pyproject.toml:2: `../x.nix` is not a relative path",
                "demo/pyproject.toml:7: `${evil}` is not the path of an attribute",
                "demo/pyproject.toml:8: `../c.patch` is not a relative path",
                "demo/pyproject.toml:8: `/d` is not a relative path",
                "demo/pyproject.toml:9: a boolean is expected here, not a string",
                "demo/pyproject.toml:10: `colour` is nothing that a fix can change",
            ]
        );
    }
}
