//! No closure has two derivations of one project: generated files, walked by Nix itself.
//!
//! `testdata/nixpkgs/twice.nix` walks the finished derivations; the files are made for a nixpkgs tree
//! whose recipes name several attributes of one project.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::index::Index;
use crate::support::nix::Nix;
use crate::support::project::Release;

/// A nixpkgs tree that can be read and evaluated, and an index.
struct Tree {
    nix: Nix,
    index: Index,
    list: String,
}

impl Tree {
    fn new(test: &str) -> Option<Self> {
        let nix = Nix::start(test, &[])?;
        let set = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nixpkgs");
        nix.write(
            "tree/default.nix",
            &format!(
                "given: import {set} ({{ host = builtins.fromJSON (builtins.readFile ../host.json); \
                 pythonPackages = import ./pkgs/top-level/python-packages.nix; }} // given)\n"
            ),
        );
        nix.write("nixpkgs.nix", "import ./tree\n");
        Some(Self {
            nix,
            index: Index::start(Vec::new()),
            list: String::new(),
        })
    }

    /// The tree has an attribute with this release; `needs` are attributes, `builds` too.
    fn has(&mut self, attr: &str, release: Release, needs: &[&str], builds: &[&str]) {
        let folder = format!("tree/pkgs/development/python-modules/{attr}");
        let arguments: BTreeSet<&str> = needs.iter().chain(builds).copied().collect();
        let arguments: String = arguments.iter().map(|a| format!("  {a},\n")).collect();
        self.nix.write(
            &format!("{folder}/default.nix"),
            &format!(
                "{{\n  buildPythonPackage,\n  flit-core,\n{arguments}}}:\n\
                 buildPythonPackage {{\n  pname = \"{}\";\n  version = \"{}\";\n  pyproject = true;\n  \
                 src = ./source;\n  build-system = [ flit-core {} ];\n  dependencies = [ {} ];\n}}\n",
                release.name,
                release.version,
                builds.join(" "),
                needs.join(" ")
            ),
        );
        release.unpack(&self.nix.folder().join(folder).join("source"));
        self.list +=
            &format!("  {attr} = callPackage ../development/python-modules/{attr} {{ }};\n");
        self.nix.write(
            "tree/pkgs/top-level/python-packages.nix",
            &format!("self: super: with self; {{\n{}}}\n", self.list),
        );
        self.index.publish(release.wheels(&[]));
    }

    fn publish(&self, release: Release) {
        self.index.publish(release.wheels(&[]));
    }

    fn lock(&self, sources: &[&str]) -> Result<String, String> {
        let tree = ["--nixpkgs", "tree", "--json"];
        let told = self.nix.lock(&self.index, &[&tree, sources].concat())?;
        let file = self.nix.folder().join("dependencies.nix");
        self.nix.parse(&file).unwrap();
        Ok(told)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.nix.folder().join("dependencies.nix")).unwrap()
    }

    /// The projects that are there twice.
    fn twice(&self) -> Value {
        let walk = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nixpkgs/twice.nix");
        let folder = self.nix.folder().display();
        let expression = format!(
            "let file = import {folder}/dependencies.nix {{ pkgs = import {folder}/tree {{ }}; }};
             in import {walk} {{ packages = file.packages file.python.pkgs; }}"
        );
        self.nix.evaluate(&expression).unwrap()
    }
}

fn flit(name: &str, version: &str, needs: &[&str]) -> Release {
    let release = Release::new(name, version);
    let release = needs.iter().fold(release, |r, need| r.needs(need));
    release.flit(&format!("VERSION = '{version}'"))
}

/// nixpkgs builds one package with `ours-foo_2`, the environment has `ours-foo`.
#[test]
fn two_attributes_of_one_project_become_one_where_they_meet() {
    let Some(mut tree) = Tree::new("closure-attributes") else {
        return;
    };
    tree.has("ours-foo", flit("ours-foo", "1.0", &[]), &[], &[]);
    tree.has("ours-foo_2", flit("ours-foo", "2.0", &[]), &[], &[]);
    let kept = flit("ours-kept", "1.0", &["ours-foo"]);
    tree.has("ours-kept", kept, &["ours-foo_2"], &[]);
    let above = flit("ours-above", "1.0", &["ours-kept"]);
    tree.has("ours-above", above, &["ours-kept"], &[]);
    let sources = ["ours-above", "ours-foo<2"];
    let told: Value = serde_json::from_str(&tree.lock(&sources).unwrap()).unwrap();
    assert_eq!(told["counts"]["rebuilt"], 2, "{told}");
    let text = tree.text();
    assert!(text.contains("ours-foo_2 = final.ours-foo;"), "{text}");
    assert_eq!(tree.twice(), json!([]));
    let env = tree.nix.build("dependencies.nix", "env").unwrap();
    let program = "import ours_above, ours_kept, ours_foo; print(ours_foo.VERSION)";
    assert_eq!(tree.nix.python(&env, program).unwrap(), "1.0");
    // Without the line both are there: the walk sees it, and so does the build.
    let without = text.replace("ours-foo_2 = final.ours-foo;", "");
    tree.nix.write("dependencies.nix", &without);
    assert_eq!(tree.twice(), json!(["ours-foo"]));
    let failed = tree.nix.build("dependencies.nix", "env").unwrap_err();
    assert!(!failed.is_empty());
}

/// Where nothing of ours meets `ours-foo_2`, it stays as it is.
#[test]
fn two_attributes_that_do_not_meet_stay() {
    let Some(mut tree) = Tree::new("closure-apart") else {
        return;
    };
    tree.has("ours-foo", flit("ours-foo", "1.0", &[]), &[], &[]);
    tree.has("ours-foo_2", flit("ours-foo", "2.0", &[]), &[], &[]);
    let kept = flit("ours-kept", "1.0", &["ours-foo"]);
    tree.has("ours-kept", kept, &["ours-foo_2"], &[]);
    tree.lock(&["ours-kept"]).unwrap();
    assert!(!tree.text().contains("ours-foo"), "{}", tree.text());
    assert_eq!(tree.twice(), json!([]));
}

/// A newer build tool, and another tool of the same build that brings nixpkgs' own along.
#[test]
fn a_build_sees_one_of_each_tool() {
    let Some(mut tree) = Tree::new("closure-tools") else {
        return;
    };
    tree.has("ours-tool", flit("ours-tool", "1.0", &[]), &[], &[]);
    let helper = flit("ours-helper", "1.0", &["ours-tool"]);
    tree.has("ours-helper", helper, &["ours-tool"], &[]);
    tree.publish(flit("ours-tool", "2.0", &[]));
    let pyproject = "[build-system]
requires = ['flit-core>=3', 'ours-tool>=2', 'ours-helper']
build-backend = 'flit_core.buildapi'
[project]
name = 'ours-app'
version = '1.0'
description = 'x'
";
    let files = [("pyproject.toml", pyproject), ("ours_app.py", "")];
    tree.publish(Release::new("ours-app", "1.0").source(&files));
    tree.lock(&["ours-app"]).unwrap();
    let text = tree.text();
    assert!(
        text.contains("ours-helper_ours-tool_2_0 = prev.ours-helper.override"),
        "{text}"
    );
    assert_eq!(tree.twice(), json!([]));
    let env = tree.nix.build("dependencies.nix", "env").unwrap();
    tree.nix.python(&env, "import ours_app").unwrap();
    // The same with nixpkgs' own helper: its build has the tool twice.
    let without = text.replace("final.ours-helper_ours-tool_2_0", "final.ours-helper");
    assert_ne!(without, text);
    tree.nix.write("dependencies.nix", &without);
    assert_eq!(tree.twice(), json!(["ours-tool"]));
}

/// What nobody can make the same ends the run before anything is written.
#[test]
fn what_cannot_be_one_is_an_error() {
    let Some(mut tree) = Tree::new("closure-error") else {
        return;
    };
    let old = flit("packaging", "24.0", &[]);
    tree.has("packaging_24", old, &[], &[]);
    tree.has("packaging", flit("packaging", "25.0", &[]), &[], &[]);
    tree.has(
        "ours-old",
        flit("ours-old", "1.0", &[]),
        &["packaging_24"],
        &[],
    );
    tree.has(
        "ours-new",
        flit("ours-new", "1.0", &[]),
        &["packaging"],
        &[],
    );
    let refused = tree.lock(&["ours-old", "ours-new"]).unwrap_err();
    assert!(
        refused.contains("packaging would be there twice")
            && refused.contains("ours-old → packaging_24"),
        "{refused}"
    );
    assert!(!tree.nix.folder().join("dependencies.nix").exists());
}

/// Every file of `testdata/render`, in a set where nixpkgs' own packages need nothing.
#[test]
fn no_rendered_file_has_a_project_twice() {
    let Some(nix) = Nix::start("closure-rendered", &[]) else {
        return;
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/render");
    let walk = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nixpkgs/twice.nix");
    let mut walked = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let stubs: BTreeSet<&str> = ["prev.", "final.", "ps."]
            .iter()
            .flat_map(|scope| text.split(scope).skip(1))
            .map(|rest| {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                rest.split(|c: char| !is_name(c)).next().unwrap_or("")
            })
            .filter(|name| !name.is_empty() && !KEPT.contains(name))
            .collect();
        let stub = |name: &&str| {
            format!(
                "\"{name}\" = final.buildPythonPackage {{ pname = \"{name}\"; version = \"1\"; \
                 pyproject = true; src = ./nixpkgs.nix; }};\n"
            )
        };
        let stubs: String = stubs.iter().map(stub).collect();
        nix.offer(&format!(
            "{{ pythonPackages = final: prev: {{ {stubs} }}; overlays = [ ({TOP_LEVEL}) ]; }}"
        ));
        let expression = format!(
            "let file = import {} {{ }};
             in import {walk} {{ packages = file.packages file.python.pkgs; builds = false; }}",
            file.display()
        );
        let twice = nix.evaluate(&expression).unwrap();
        assert_eq!(twice, json!([]), "{}", file.display());
        walked += 1;
    }
    assert!(walked >= 10, "{walked}");
}

/// Programs and libraries: derivations that install no project.
const TOP_LEVEL: &str = r#"final: prev:
let
  empty = name: final.runCommand name { } "mkdir $out";
  names = [ "autoPatchelfHook" "cargo" "cmake" "libyaml" "ninja" "openssl" "pkg-config" "rustc" "zlib" ];
in
prev.lib.genAttrs names empty
// {
  rustPlatform = {
    cargoSetupHook = empty "cargo-setup-hook";
    maturinBuildHook = empty "maturin-build-hook";
    importCargoLock = _: empty "crates";
  };
}"#;

/// What every set has.
const KEPT: [&str; 9] = [
    "buildPythonPackage",
    "callPackage",
    "flit-core",
    "mkPythonMetaPackage",
    "pip",
    "pkgs",
    "python",
    "setuptools",
    "wheel",
];
