//! What a project needs from outside of Python (PEP 725): `[external]` in pyproject.toml.
//!
//! ```toml
//! [external]
//! build-requires = ["dep:virtual/compiler/c"]
//! host-requires = ["dep:generic/openssl"]
//! dependencies = ["pkg:generic/git"]
//! ```

use super::Files;

/// More than any project names.
const MAX: usize = 1000;

/// Addresses such as `pkg:generic/openssl`, as written, each list sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct External {
    /// `build-requires`: tools that run during the build.
    #[serde(default)]
    pub build: Vec<String>,
    /// `host-requires`: libraries to link.
    #[serde(default)]
    pub host: Vec<String>,
    /// `dependencies`: what is needed at run time.
    #[serde(default)]
    pub run: Vec<String>,
}

/// Reads the table; empty where there is none, or nothing that can be read.
pub(super) fn read(files: &dyn Files) -> External {
    let text = files.read("pyproject.toml").ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    // Only a file that has such a table is worth another parse.
    let text = text.filter(|text| text.contains("external"));
    let table = text.and_then(|text| toml::from_str::<toml::Table>(&text).ok());
    let table = table.and_then(|mut table| table.remove("external"));
    let Some(toml::Value::Table(table)) = table else {
        return External::default();
    };
    let list = |key: &str| {
        let found = table.get(key).and_then(toml::Value::as_array);
        let texts = found.into_iter().flatten().take(MAX);
        let mut texts: Vec<String> = texts
            .filter_map(|value| value.as_str())
            .filter(|text| text.contains(':'))
            .map(str::to_owned)
            .collect();
        texts.sort();
        texts.dedup();
        texts
    };
    External {
        build: list("build-requires"),
        host: list("host-requires"),
        run: list("dependencies"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::tree;

    #[test]
    fn external_dependencies_are_read() {
        let text = "\
[external]
build-requires = ['dep:virtual/compiler/c', 'dep:generic/ninja', 7]
host-requires = ['pkg:generic/openssl@>=3']
dependencies = 'git'
";
        let external = read(&tree(&[("pyproject.toml", text)]));
        assert_eq!(
            external.build,
            ["dep:generic/ninja", "dep:virtual/compiler/c"]
        );
        assert_eq!(external.host, ["pkg:generic/openssl@>=3"]);
        assert_eq!(external.run, [] as [&str; 0]);
        let none = tree(&[("pyproject.toml", "[tool.external]\nx = [")]);
        assert_eq!(read(&none), External::default());
        assert_eq!(read(&tree(&[])), External::default());
    }
}
