//! What a lock of Rust's crates tells about programs and libraries that their builds look for.
//!
//! By the convention of Cargo's book a crate that links a C library is called `NAME-sys`. One that asks
//! pkg-config and brings no copy of the library along (it would need a C compiler's crate for that) finds
//! it only where nixpkgs' library is an input.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::nixpkgs::library::{with_library, with_module};

/// Something that a crate's build looks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sought {
    /// Attributes of programs and hooks.
    pub tools: Vec<&'static str>,
    /// The attribute of a library.
    pub library: Option<&'static str>,
    /// The crate, and its version.
    pub by: String,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Crate {
    /// Whether it depends on a crate, which may be named with its version.
    fn needs(&self, name: &str) -> bool {
        let mut all = self.dependencies.iter();
        all.any(|text| text.split(' ').next() == Some(name))
    }
}

/// Crates that are programs for builds, and the attributes of what they start.
const STARTERS: [(&str, &str); 3] = [
    ("bindgen", "rustPlatform.bindgenHook"),
    ("cmake", "cmake"),
    ("prost-build", "protobuf"),
];

/// Crates of which `prost-build` gets its compiler without nixpkgs'.
const OWN_COMPILERS: [&str; 3] = ["protobuf-src", "protoc-bin-vendored", "protox"];

/// Crates whose module of pkg-config is not called as they are.
const MODULES: [(&str, &str); 6] = [
    ("gio-sys", "gio-2.0"),
    ("glib-sys", "glib-2.0"),
    ("gobject-sys", "gobject-2.0"),
    ("libdbus-sys", "dbus-1"),
    ("openssl-sys", "openssl"),
    ("pq-sys", "libpq"),
];

/// What the crates of a `Cargo.lock` look for; nothing where it cannot be read.
pub(super) fn sought(lock: &str) -> BTreeSet<Sought> {
    let crates = toml::from_str::<Lock>(lock).map_or_else(|_| Vec::new(), |lock| lock.package);
    let has = |name: &str| crates.iter().any(|one| one.name == name);
    let mut found = BTreeSet::new();
    for one in &crates {
        let by = format!("{} {}", one.name, one.version);
        let starts = STARTERS.iter().find(|(name, _)| *name == one.name);
        if let Some((name, attr)) = starts {
            if *name != "prost-build" || !OWN_COMPILERS.into_iter().any(has) {
                let tools = vec![*attr];
                found.insert(Sought {
                    tools,
                    library: None,
                    by,
                });
            }
        } else if let Some(library) = linked(one) {
            let (tools, library) = (vec!["pkg-config"], Some(library));
            found.insert(Sought { tools, library, by });
        }
    }
    found
}

/// The library that a crate links and does not bring along.
fn linked(one: &Crate) -> Option<&'static str> {
    let stem = one.name.strip_suffix("-sys")?;
    if !one.needs("pkg-config") && !one.needs("system-deps") {
        return None;
    }
    let copies: &[&str] = match one.name.as_str() {
        // It compiles a test of the library that it found.
        "openssl-sys" => &["openssl-src"],
        _ => &["cc", "cmake"],
    };
    if copies.iter().any(|name| one.needs(name)) {
        return None;
    }
    match MODULES.iter().find(|(name, _)| *name == one.name) {
        Some((_, module)) => with_module(module),
        None => with_module(stem).or_else(|| with_library(stem)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(crates: &[(&str, &[&str])]) -> Vec<(Vec<&'static str>, Option<&'static str>, String)> {
        let mut lock = String::from("version = 4\n");
        for (name, needs) in crates {
            let needs: Vec<String> = needs.iter().map(|need| format!("{need:?}")).collect();
            lock.push_str(&format!(
                "\n[[package]]\nname = {name:?}\nversion = \"1.0\"\ndependencies = [{}]\n",
                needs.join(", ")
            ));
        }
        let found = sought(&lock).into_iter();
        found.map(|s| (s.tools, s.library, s.by)).collect()
    }

    #[test]
    fn linked_libraries_are_nixpkgs_own() {
        let openssl = (
            "openssl-sys",
            ["cc", "libc", "pkg-config", "vcpkg"].as_slice(),
        );
        let tools = vec!["pkg-config"];
        assert_eq!(
            of(&[openssl, ("alsa-sys", &["libc", "pkg-config 0.3.1"])]),
            [
                (tools.clone(), Some("alsa-lib"), "alsa-sys 1.0".to_owned()),
                (tools, Some("openssl"), "openssl-sys 1.0".to_owned()),
            ]
        );
    }

    #[test]
    fn copies_that_crates_bring_along_need_nothing() {
        assert_eq!(
            of(&[
                ("openssl-sys", &["openssl-src", "pkg-config"]),
                ("zstd-sys", &["cc", "pkg-config"]),
                ("windows-sys", &["windows-targets"]),
                ("openssl", &["openssl-sys"]),
            ]),
            []
        );
        assert_eq!(sought("[[package]]\nname = 1"), BTreeSet::new());
    }

    #[test]
    fn programs_that_builds_start_are_tools() {
        let none: &[&str] = &[];
        let found = of(&[("bindgen", none), ("cmake", none), ("prost-build", none)]);
        let tools: Vec<_> = found.into_iter().flat_map(|(tools, ..)| tools).collect();
        assert_eq!(tools, ["cmake", "protobuf", "rustPlatform.bindgenHook"]);
        assert_eq!(of(&[("prost-build", none), ("protox", none)]), []);
    }
}
