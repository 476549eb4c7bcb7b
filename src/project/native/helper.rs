//! What setup.py, and the modules of its own that it imports, say as text of the native libraries that
//! a build links, where evaluating setup.py does not tell: lists named `libraries`, calls of the
//! `pkgconfig` package, and programs such as `pg_config` that tell how to link a library.
//!
//! Lines are looked at one by one. What stands under a condition counts but for lists of libraries, in
//! which one of several is mostly chosen.

use std::collections::BTreeSet;

use super::{Evidence, Files, Kind, is_plain, text_of};

/// Helper modules that are looked at, at most.
const MAX_HELPERS: usize = 20;
/// Lines of one list, at most.
const MAX_LINES: usize = 30;

/// Looks at setup.py and its helpers; at lists of libraries only if `lists`.
pub(super) fn read(files: &dyn Files, lists: bool, found: &mut BTreeSet<Evidence>) {
    let Some(text) = text_of(files, "setup.py") else {
        return;
    };
    scan("setup.py", &text, lists, found);
    let mut seen = BTreeSet::new();
    for path in imports(files, &text).into_iter().take(MAX_HELPERS) {
        if let Some(text) = text_of(files, &path).filter(|_| seen.insert(path.clone())) {
            scan(&path, &text, lists, found);
        }
    }
}

/// The files of the modules that a text imports, as far as they lie beside it.
fn imports(files: &dyn Files, text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let module = match (words.next(), words.next()) {
            (Some("import" | "from"), Some(module)) => module.trim_end_matches([',', ';']),
            _ => continue,
        };
        let is_name = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if module.split('.').all(is_name) {
            let path = format!("{}.py", module.replace('.', "/"));
            paths.extend(Some(path).filter(|path| files.is_file(path)));
        }
    }
    paths
}

fn scan(path: &str, text: &str, lists: bool, found: &mut BTreeSet<Evidence>) {
    let mut inside: Option<usize> = None;
    let mut blocks = Blocks::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or(line);
        if line.trim_start().starts_with('#') {
            continue;
        }
        let mut note = |kind, name: &str, text: String| {
            found.insert(Evidence {
                kind,
                name: name.to_owned(),
                place: format!("{path}:{}", number + 1),
                text,
            });
        };
        for name in quoted(line).filter_map(config_program) {
            note(Kind::Config, name, name.to_owned());
        }
        if let Some((_, call)) = line.split_once("pkgconfig.")
            && let Some((function, arguments)) = call.split_once('(')
            && ASKING.contains(&function.trim())
            && arguments.trim_start().starts_with(['\'', '"'])
        {
            let module = quoted(arguments).next().unwrap_or("");
            for name in module.split_whitespace().filter(|name| is_plain(name)) {
                note(
                    Kind::Module,
                    name,
                    format!("pkgconfig.{function}('{name}')"),
                );
            }
        }
        if inside.is_none() {
            blocks.enter(line);
        }
        let start = inside.is_none().then(|| list_start(line)).flatten();
        let rest = match (start, inside) {
            (Some(rest), _) => rest,
            (None, Some(_)) => line,
            (None, None) => continue,
        };
        let open = match inside {
            Some(lines) => lines + 1 < MAX_LINES && !rest.contains([']', ')']),
            None => rest.contains(['[', '(']) && !rest.contains([']', ')']),
        };
        inside = open.then(|| inside.map_or(0, |lines| lines + 1));
        let rest = rest.split([']', ')']).next().unwrap_or(rest);
        let counts = lists && !blocks.are_conditional();
        for name in quoted(rest).filter(|name| counts && is_plain(name)) {
            note(Kind::Library, name, format!("libraries {name}"));
        }
    }
}

/// The blocks that a line stands in, told by how far it is indented: how far their heads are, and
/// whether they are conditions.
#[derive(Default)]
struct Blocks(Vec<(usize, bool)>);

impl Blocks {
    fn enter(&mut self, line: &str) {
        let text = line.trim_start();
        if text.is_empty() {
            return;
        }
        let indent = line.len() - text.len();
        self.0.retain(|(head, _)| *head < indent);
        let word = text.split(|c: char| !c.is_ascii_alphabetic()).next();
        let name = text
            .strip_prefix("def ")
            .and_then(|def| def.split('(').next());
        let conditional = match word {
            Some("if" | "elif" | "else" | "except") => true,
            // Of a class' methods, setuptools calls these; who calls the others is not known.
            Some("def") if indent > 0 => !name.is_some_and(|name| CALLED.contains(&name.trim())),
            _ => false,
        };
        if text.trim_end().ends_with(':') {
            self.0.push((indent, conditional));
        }
    }

    fn are_conditional(&self) -> bool {
        self.0.iter().any(|(_, conditional)| *conditional)
    }
}

/// Methods of commands that are always called.
const CALLED: [&str; 6] = [
    "__init__",
    "build_extension",
    "build_extensions",
    "finalize_options",
    "initialize_options",
    "run",
];

/// Functions of the `pkgconfig` package that name a module first.
const ASKING: [&str; 8] = [
    "cflags",
    "configure_extension",
    "exists",
    "installed",
    "libs",
    "modversion",
    "parse",
    "variables",
];

/// `krb5-config` of a text that is it, or a path to it.
fn config_program(text: &str) -> Option<&str> {
    let name = text.rsplit('/').next().unwrap_or(text);
    let stem = name
        .strip_suffix("-config")
        .or_else(|| name.strip_suffix("_config"))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!stem.is_empty() && stem.len() < 40 && stem != "pkg" && stem.chars().all(plain))
        .then_some(name)
}

/// What follows the beginning of a list of libraries: `libraries = [`, `.libraries.append(`.
fn list_start(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("libraries")?;
    let alone = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_'\"".contains(c));
    let after = after.trim_start();
    let begins = after
        .strip_prefix(".append")
        .or_else(|| after.strip_prefix(".extend"))
        .or_else(|| after.strip_prefix("+="))
        .or_else(|| {
            after
                .strip_prefix('=')
                .filter(|rest| !rest.starts_with('='))
        })?;
    let begins = begins.trim_start();
    (alone && begins.starts_with(['[', '('])).then_some(begins)
}

/// The texts in quotes on a line, one kind of quotes inside the other too.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    ['\'', '"'].into_iter().flat_map(move |quote| {
        let mut parts = line.split(quote);
        parts.next();
        parts.step_by(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::tree;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut found = BTreeSet::new();
        read(&tree(files), true, &mut found);
        let shown = |e: &Evidence| format!("{} {:?} {}", e.place, e.kind, e.name);
        found.iter().map(shown).collect()
    }

    #[test]
    fn helpers_are_looked_at() {
        let setup = "import os, sys\nfrom build_support.build_ext import build_ext\nimport setupinfo\n\
            kc = f\"{b}/krb5-config\"\n# 'old-config'\n";
        let helper =
            "config = pkgconfig.parse('xmlsec1')\npkgconfig.what('no')\npkgconfig.parse(name)\n";
        let all = found(&[
            ("setup.py", setup),
            ("build_support/build_ext.py", helper),
            (
                "setupinfo.py",
                "x = os.getenv('X', \"xslt-config\")\ny = 'pkg-config'\n",
            ),
            ("other.py", "'pg_config'"),
        ]);
        assert_eq!(
            all,
            [
                "build_support/build_ext.py:1 Module xmlsec1",
                "setup.py:4 Config krb5-config",
                "setupinfo.py:1 Config xslt-config",
            ]
        );
    }

    #[test]
    fn lists_of_libraries_are_looked_at() {
        let setup = "libraries = ['sybdb']\nself.libraries.append(\"pq\")\nlibraries += [\n  'ssl',\n  \
            'crypto'] + ['no']\nlibraries == ['no']\nmy_libraries = ['no']\nlibraries = names\nx = 'no'\n";
        assert_eq!(
            found(&[("setup.py", setup)]),
            [
                "setup.py:5 Library crypto",
                "setup.py:2 Library pq",
                "setup.py:4 Library ssl",
                "setup.py:1 Library sybdb",
            ]
        );
    }

    #[test]
    fn one_of_several_libraries_is_not_taken() {
        let setup = "class B:\n    def run(self):\n        if self.ssl:\n            libraries = ['ssl']\n        \
            elif tls:\n            x = 1\n            self.libraries.append('gnutls')\n        \
            self.libraries.append('pq')\n    def finalize_darwin(self):\n        \
            self.libraries.append('ssl')\n";
        assert_eq!(found(&[("setup.py", setup)]), ["setup.py:8 Library pq"]);
    }

    #[test]
    fn odd_lines_say_nothing() {
        for text in [
            "libraries = [",
            "'",
            "pkgconfig.parse(",
            "\"\u{e4}_config",
            "libraries",
        ] {
            assert_eq!(found(&[("setup.py", text)]), [] as [&str; 0], "{text}");
        }
    }
}
