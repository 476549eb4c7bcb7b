//! pkg-config modules and shared libraries to nixpkgs' top-level attributes.

use std::collections::HashSet;
use std::sync::LazyLock;

const MODULES: &str = include_str!("../../data/nixpkgs/pkg-config.tsv");
const LIBRARIES: &str = include_str!("../../data/nixpkgs/libraries.tsv");

/// The top-level attribute that holds a pkg-config module.
pub fn with_module(module: &str) -> Option<&'static str> {
    owner(MODULES, module)
}

/// The top-level attribute that holds a shared library: `z` for `libz.so`.
pub fn with_library(library: &str) -> Option<&'static str> {
    owner(LIBRARIES, library)
}

/// Whether a name is known to be a top-level attribute.
pub fn is_top_level(attr: &str) -> bool {
    // asked for every project of a set, again and again
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let lines = [MODULES, LIBRARIES].into_iter().flat_map(str::lines);
        lines.filter_map(|line| line.split('\t').next()).collect()
    });
    KNOWN.contains(attr)
}

fn owner(table: &'static str, thing: &str) -> Option<&'static str> {
    table.lines().skip(1).find_map(|line| {
        let mut cells = line.split('\t');
        let attr = cells.next()?;
        cells.any(|cell| cell == thing).then_some(attr)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_found() {
        assert_eq!(with_library("z"), Some("zlib"));
        assert_eq!(with_module("openssl"), Some("openssl"));
        assert_eq!(with_module("no-such-module"), None);
        assert!(is_top_level("zlib"));
        assert!(!is_top_level("no-such-attribute"));
    }
}
