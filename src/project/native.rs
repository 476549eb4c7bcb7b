//! What a source says of the native libraries and programs that its build needs, each with the place
//! that says it: setup.py's extension modules, meson.build, CMakeLists.txt and PEP 725's table.
//!
//! Build files are scanned for the calls that look for a library; what they compute is not followed.
//! What is only optional there is left out: the build goes on without it.

mod helper;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{External, Files};

/// Build files that are read, at most.
const MAX_FILES: usize = 60;
/// The largest of them that is read.
const MAX_TEXT: usize = 1 << 20;
/// More than any project asks for.
const MAX_FOUND: usize = 200;

/// Something that the build needs, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub kind: Kind,
    /// Its name: `z`, `yaml-0.1`, `OpenSSL`, `generic/openssl`.
    pub name: String,
    /// File and line: `meson.build:12`.
    pub place: String,
    /// What stands there, in short: `dependency('yaml-0.1')`.
    pub text: String,
}

/// What a build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A library for the linker.
    Library,
    /// A module of pkg-config.
    Module,
    /// A package of CMake.
    Package,
    /// A library, as PEP 725 names it.
    Host,
    /// A program.
    Program,
    /// A program that tells how to link its library: `pg_config`.
    Config,
}

/// What is known before the build files are read.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// `libraries` of setup.py's extension modules.
    pub libraries: &'a [String],
    /// Modules that setup.py asks pkg-config for.
    pub modules: &'a [String],
    /// Programs that setup.py starts.
    pub programs: &'a [String],
    /// Whether setup.py builds extension modules, or may.
    pub extensions: bool,
    /// PEP 725's table.
    pub external: Option<&'a External>,
    /// What the build requires.
    pub requires: BTreeSet<&'a str>,
}

/// Reads what there is.
pub(super) fn read(files: &dyn Files, known: &Known<'_>) -> Vec<Evidence> {
    let mut found = BTreeSet::new();
    setup_py(files, known, &mut found);
    if known.extensions {
        helper::read(files, known.libraries.is_empty(), &mut found);
    }
    table(files, known.external, &mut found);
    let asks = |names: &[&str]| names.iter().any(|name| known.requires.contains(name));
    if asks(&["meson-python", "mesonpy", "meson"]) {
        walk(files, "meson.build", &mut found, &meson);
    }
    let starts_cmake = known.programs.iter().any(|name| name == "cmake");
    if starts_cmake
        || asks(&[
            "scikit-build-core",
            "scikit-build",
            "cmake",
            "py-build-cmake",
        ])
    {
        walk(files, "CMakeLists.txt", &mut found, &cmake);
    }
    found.into_iter().take(MAX_FOUND).collect()
}

fn text_of(files: &dyn Files, path: &str) -> Option<String> {
    let bytes = files.read(path).ok()?;
    (bytes.len() <= MAX_TEXT).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// What the reader of setup.py found, with the first line that has the name in quotes.
fn setup_py(files: &dyn Files, known: &Known<'_>, found: &mut BTreeSet<Evidence>) {
    let all = [
        (Kind::Library, known.libraries, "libraries"),
        (Kind::Module, known.modules, "pkg-config"),
        (Kind::Program, known.programs, "starts"),
    ];
    let text = text_of(files, "setup.py").unwrap_or_default();
    for (kind, names, what) in all {
        for name in names {
            let quoted = [format!("'{name}'"), format!("\"{name}\"")];
            let line = text
                .lines()
                .position(|line| quoted.iter().any(|name| line.contains(name.as_str())));
            found.insert(Evidence {
                kind,
                name: name.clone(),
                place: line.map_or("setup.py".to_owned(), |at| format!("setup.py:{}", at + 1)),
                text: format!("{what} {name}"),
            });
        }
    }
}

/// PEP 725's lists.
fn table(files: &dyn Files, external: Option<&External>, found: &mut BTreeSet<Evidence>) {
    let Some(external) = external.filter(|e| **e != External::default()) else {
        return;
    };
    let text = text_of(files, "pyproject.toml").unwrap_or_default();
    for (kind, addresses) in [
        (Kind::Program, &external.build),
        (Kind::Host, &external.host),
    ] {
        for address in addresses {
            let line = text
                .lines()
                .position(|line| line.contains(address.as_str()));
            let line = line.map_or(0, |at| at + 1);
            let name = address
                .split_once(':')
                .map_or(address.as_str(), |(_, name)| name);
            let name = name.split(['@', '?', '#']).next().unwrap_or(name);
            found.insert(Evidence {
                kind,
                name: name.to_owned(),
                place: format!("pyproject.toml:{line}"),
                text: address.clone(),
            });
        }
    }
}

/// What a build file says: the things it looks for, and the folders it goes on in.
type Reader = dyn Fn(&str, &str, &mut BTreeSet<Evidence>) -> Vec<String>;

fn walk(files: &dyn Files, name: &str, found: &mut BTreeSet<Evidence>, reader: &Reader) {
    let mut folders = vec![String::new()];
    let mut seen = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        if seen.len() >= MAX_FILES || !seen.insert(folder.clone()) {
            continue;
        }
        let path = below(&folder, name);
        let Some(text) = text_of(files, &path) else {
            continue;
        };
        let further = reader(&path, &text, found);
        let inside = further.into_iter().filter(|f| f.split('/').all(is_built));
        folders.extend(inside.map(|further| below(&folder, &further)));
    }
}

/// Whether a folder may be part of what is installed: tests, examples and documents are built only for
/// who asks.
fn is_built(part: &str) -> bool {
    let others = [
        "",
        ".",
        "..",
        "bench",
        "benchmark",
        "benchmarks",
        "doc",
        "docs",
        "example",
        "examples",
        "test",
        "testing",
        "tests",
    ];
    !others.contains(&part.to_ascii_lowercase().as_str())
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// A call in a build file.
struct Call<'t> {
    name: String,
    arguments: &'t str,
    line: usize,
}

/// The calls of functions in a text whose comments start with `#`: names in lower case.
fn calls(text: &str) -> Vec<Call<'_>> {
    let bytes = text.as_bytes();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    let mut start = None;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => (line, start) = (line + 1, None),
            b'#' => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                at += length;
                start = None;
                continue;
            }
            b'\'' | b'"' => {
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let end = rest.iter().position(|b| *b == byte || *b == b'\n');
                at += end.map_or(rest.len(), |end| end + 1);
                if bytes.get(at) == Some(&b'\n') {
                    continue;
                }
                start = None;
            }
            b'(' => {
                if let Some(from) = start
                    && let Some(name) = text.get(from..at)
                    && let Some(arguments) = enclosed(text.get(at..).unwrap_or(""))
                {
                    found.push(Call {
                        name: name.trim().to_ascii_lowercase(),
                        arguments,
                        line,
                    });
                }
                start = None;
            }
            b' ' | b'\t' if start.is_some() => {}
            byte if is_name(byte) => {
                let fresh = at == 0 || !bytes.get(at - 1).is_some_and(|b| is_name(*b));
                if fresh {
                    start = Some(at);
                }
            }
            _ => start = None,
        }
        at += 1;
    }
    found
}

/// What stands between a text's first bracket, which it starts with, and the one that closes it.
fn enclosed(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(1..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// `dependency('x', 'y', required: …)`, `cc.find_library('x')`, `subdir('x')`.
fn meson(path: &str, text: &str, found: &mut BTreeSet<Evidence>) -> Vec<String> {
    let mut folders = Vec::new();
    for call in calls(text) {
        let names = leading_strings(call.arguments);
        let Some(first) = names.first() else { continue };
        let kind = match call.name.as_str() {
            "subdir" => {
                folders.push(first.clone());
                continue;
            }
            "dependency" => Kind::Module,
            "find_library" => Kind::Library,
            _ => continue,
        };
        let words: String = call.arguments.split_whitespace().collect();
        let optional = words.contains("required:false") || words.contains("required:get_option");
        if !optional && is_plain(first) {
            found.insert(Evidence {
                kind,
                name: first.clone(),
                place: format!("{path}:{}", call.line),
                text: format!("{}('{first}')", call.name),
            });
        }
    }
    folders
}

/// The strings that a list of arguments starts with.
fn leading_strings(arguments: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = arguments.trim_start();
    while let Some(inner) = rest.strip_prefix('\'') {
        let Some((text, after)) = inner.split_once('\'') else {
            break;
        };
        found.push(text.to_owned());
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

/// `find_package(X REQUIRED)`, `pkg_check_modules(P REQUIRED x y)`, `find_library(V NAMES x REQUIRED)`,
/// `add_subdirectory(x)`.
fn cmake(path: &str, text: &str, found: &mut BTreeSet<Evidence>) -> Vec<String> {
    let mut folders = Vec::new();
    // Whether what stands in each open `if` is for other systems only.
    let mut foreign: Vec<bool> = Vec::new();
    for call in calls(text) {
        match call.name.as_str() {
            "if" => foreign.push(is_foreign(call.arguments)),
            "elseif" | "else" => {
                foreign.pop();
                foreign.push(call.name == "elseif" && is_foreign(call.arguments));
            }
            "endif" => drop(foreign.pop()),
            _ => {}
        }
        if foreign.contains(&true) {
            continue;
        }
        let words: Vec<&str> = call
            .arguments
            .split(|c: char| c.is_whitespace() || c == '"')
            .filter(|word| !word.is_empty())
            .collect();
        let Some((first, rest)) = words.split_first() else {
            continue;
        };
        let required = rest.contains(&"REQUIRED");
        let (kind, names): (Kind, Vec<&str>) = match call.name.as_str() {
            "add_subdirectory" => {
                folders.push((*first).to_owned());
                continue;
            }
            "find_package" if required => (Kind::Package, vec![*first]),
            "pkg_check_modules" | "pkg_search_module" if required => {
                let options = ["REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL"];
                let modules = rest.iter().filter(|word| !options.contains(word));
                (Kind::Module, modules.copied().collect())
            }
            "find_library" if required => {
                let names = rest.iter().skip_while(|word| **word == "NAMES").copied();
                (Kind::Library, names.take(1).collect())
            }
            _ => continue,
        };
        for name in names {
            let name = name.split(['<', '>', '=']).next().unwrap_or(name);
            if is_plain(name) {
                found.insert(Evidence {
                    kind,
                    name: name.to_owned(),
                    place: format!("{path}:{}", call.line),
                    text: format!("{}({name})", call.name),
                });
            }
        }
    }
    folders
}

/// Whether a condition of CMake holds on no system that nixpkgs builds Python for, or on Darwin only,
/// whose libraries are the system's own.
fn is_foreign(condition: &str) -> bool {
    let systems = [
        "ANDROID",
        "APPLE",
        "CYGWIN",
        "EMSCRIPTEN",
        "IOS",
        "MINGW",
        "MSVC",
        "WIN32",
        "WINDOWS",
    ];
    let mut words = condition.split_whitespace();
    let first = words.next().unwrap_or("");
    systems.contains(&first) && !words.any(|word| word == "OR")
}

/// Whether a text can be a library's name, not something that is computed.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    !name.is_empty() && name.len() < 80 && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::tree;

    fn found(requires: &[&str], files: &[(&str, &str)]) -> Vec<String> {
        let known = Known {
            requires: requires.iter().copied().collect(),
            ..Known::default()
        };
        let shown = |e: Evidence| format!("{} {:?} {}", e.place, e.kind, e.name);
        let found = read(&tree(files), &known);
        found.into_iter().map(shown).collect()
    }

    #[test]
    fn meson_files_are_read() {
        let root = "project('x')  # dependency('not-this')
zlib = dependency('zlib', version: '>=1')
opt = dependency('opt', required : false)
b = dependency('feature', required: get_option('b'))
subdir('src')
";
        let inner = "m = cc.find_library(
  'yaml',
  required: true,
)
message('dependency(\\'no\\')')
";
        let files = [("meson.build", root), ("src/meson.build", inner)];
        assert_eq!(
            found(&["meson-python"], &files),
            [
                "src/meson.build:1 Library yaml",
                "meson.build:2 Module zlib"
            ]
        );
        assert_eq!(found(&["setuptools"], &files), [] as [&str; 0]);
    }

    #[test]
    fn cmake_files_are_read() {
        let root = "
find_package(Python COMPONENTS Interpreter REQUIRED) # find_package(No REQUIRED)
FIND_PACKAGE (OpenSSL 3 REQUIRED)
find_package(Optional)
pkg_check_modules(XX REQUIRED IMPORTED_TARGET libfoo>=1.2 ${COMPUTED})
find_library(Z_LIB NAMES z REQUIRED)
add_subdirectory(lib)
";
        let files = [
            ("CMakeLists.txt", root),
            ("lib/CMakeLists.txt", "find_package(ZLIB REQUIRED)"),
        ];
        assert_eq!(
            found(&["scikit-build-core"], &files),
            [
                "CMakeLists.txt:6 Library z",
                "CMakeLists.txt:5 Module libfoo",
                "CMakeLists.txt:3 Package OpenSSL",
                "CMakeLists.txt:2 Package Python",
                "lib/CMakeLists.txt:1 Package ZLIB",
            ]
        );
    }

    #[test]
    fn what_setup_py_and_the_table_say_has_a_place() {
        let files = tree(&[
            ("setup.py", "x = 1\nlibraries = ['z']\n"),
            (
                "pyproject.toml",
                "[external]\nhost-requires = [\n'dep:generic/openssl@>=3']\n",
            ),
        ]);
        let external = External {
            host: vec!["dep:generic/openssl@>=3".to_owned()],
            ..External::default()
        };
        let libraries = ["z".to_owned(), "computed".to_owned()];
        let known = Known {
            libraries: &libraries,
            external: Some(&external),
            ..Known::default()
        };
        let shown = |e: Evidence| format!("{} {:?} {}: {}", e.place, e.kind, e.name, e.text);
        let all: Vec<String> = read(&files, &known).into_iter().map(shown).collect();
        assert_eq!(
            all,
            [
                "setup.py Library computed: libraries computed",
                "setup.py:2 Library z: libraries z",
                "pyproject.toml:3 Host generic/openssl: dep:generic/openssl@>=3",
            ]
        );
    }

    #[test]
    fn other_systems_and_tests_do_not_count() {
        let root = "
if(WIN32 AND X)
  find_package(Vcvars REQUIRED)
  if(Y)
    find_package(No REQUIRED)
  endif()
else()
  find_package(Yes REQUIRED)
endif()
if(WIN32 OR UNIX)
  find_package(Also REQUIRED)
endif()
add_subdirectory(tests)
";
        let files = [
            ("CMakeLists.txt", root),
            ("tests/CMakeLists.txt", "find_package(GTest REQUIRED)"),
        ];
        assert_eq!(
            found(&["cmake"], &files),
            [
                "CMakeLists.txt:11 Package Also",
                "CMakeLists.txt:8 Package Yes"
            ]
        );
    }

    #[test]
    fn broken_files_say_nothing() {
        for text in [
            "dependency('",
            "((((",
            "find_package(",
            "'",
            "a(b(c)",
            "\u{e4}(\u{e4})",
        ] {
            let files = [("meson.build", text), ("CMakeLists.txt", text)];
            assert_eq!(
                found(&["meson", "cmake"], &files),
                [] as [&str; 0],
                "{text}"
            );
        }
    }
}
