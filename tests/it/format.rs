//! The same entries in other files: an overlay of nixpkgs, a file for each package.

use std::fs;

use pyresolve::nixpkgs::snapshot;

use crate::support::index::Index;
use crate::support::nix::Nix;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, names, stderr};

/// With `zz-demo` 1.0, which needs `zz-leaf`, in requirements.txt.
fn workshop() -> Workshop {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop
}

/// Nix text without what changes from run to run.
fn settled(workshop: &Workshop, file: &str) -> String {
    let text = workshop.read(file);
    assert_eq!(nixfmt_rs::format(&text).unwrap(), text, "{file}");
    let (_, body) = text.split_once("# To make it again").unwrap();
    let body = body.replace(&workshop.index.root(), "http://index.test");
    let hash = |line: &str| line.trim_start().starts_with("hash = ");
    let lines = body.lines().map(|line| {
        if hash(line) {
            let indent = line.len() - line.trim_start().len();
            format!("{}hash = \"…\";\n", &line[..indent])
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

const LEAF: &str = r#"
  pname = "zz-leaf";
  version = "2.0";
  pyproject = true;

  src = fetchurl {
    url = "http://index.test/files/zz_leaf-2.0.tar.gz";
    hash = "…";
  };

  build-system = [ flit-core ];

  pythonImportsCheck = [ "zz_leaf" ];

  meta = {
    description = "Project of a test";
    license = lib.licenses.mit;
  };
"#;

#[test]
fn a_file_for_each_package() {
    let workshop = workshop();
    workshop.locked(&["requirements.txt", "--format", "packages-dir"]);
    assert_eq!(
        names(&workshop.path("dependencies")),
        ["zz-demo.nix", "zz-leaf.nix"]
    );
    assert_eq!(
        settled(&workshop, "dependencies/zz-leaf.nix"),
        format!(
            ": pyresolve lock requirements.txt\n# not in nixpkgs, zz-demo 1.0 needs it\n{{\n  lib,\n  \
             buildPythonPackage,\n  fetchurl,\n  flit-core,\n}}:\n\nbuildPythonPackage {{{LEAF}}}\n"
        )
    );
    let demo = settled(&workshop, "dependencies/zz-demo.nix");
    assert!(demo.contains("  flit-core,\n  zz-leaf,\n}:\n"), "{demo}");
    let index = settled(&workshop, "dependencies.nix");
    assert!(
        index.contains("    zz-leaf = final.callPackage ./dependencies/zz-leaf.nix { };\n"),
        "{index}"
    );
    assert!(
        index.contains("env = python.withPackages packages;"),
        "{index}"
    );
    // It stays so, and a second run changes nothing.
    let before = workshop.read("dependencies.nix");
    let output = workshop.lock(&["requirements.txt"]);
    assert!(!stderr(&output).contains("Changed"), "{}", stderr(&output));
    assert_eq!(workshop.read("dependencies.nix"), before);
    let check = workshop.run(&["check", "requirements.txt"]);
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
}

#[test]
fn files_of_packages_that_are_gone_go_and_others_stay() {
    let workshop = workshop();
    workshop.locked(&["requirements.txt", "--format", "packages-dir"]);
    workshop.write("dependencies/mine.nix", "{ }: { }\n");
    workshop.write("requirements.txt", "zz-leaf\n");
    let check = workshop.run(&["check", "requirements.txt"]);
    let told = String::from_utf8(check.stdout).unwrap();
    assert_eq!(check.status.code(), Some(1));
    assert!(told.contains("--- a/dependencies/zz-demo.nix"), "{told}");
    let output = workshop.lock(&["requirements.txt", "--dry-run"]);
    assert!(stderr(&output).contains("Would remove dependencies/zz-demo.nix"));
    let output = workshop.lock(&["requirements.txt"]);
    assert!(
        stderr(&output).contains("Removed dependencies/zz-demo.nix"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        names(&workshop.path("dependencies")),
        ["mine.nix", "zz-leaf.nix"]
    );
    // Another layout takes its files along, and leaves what is not ours.
    workshop.locked(&["requirements.txt", "--format", "let"]);
    assert_eq!(names(&workshop.path("dependencies")), ["mine.nix"]);
    fs::remove_file(workshop.path("dependencies/mine.nix")).unwrap();
    workshop.locked(&["requirements.txt", "--format", "packages-dir"]);
    workshop.locked(&["requirements.txt", "--format", "overlay"]);
    assert_eq!(
        workshop.files(),
        ["overlay.nix", "pylock.toml", "requirements.txt"]
    );
}

#[test]
fn a_changed_file_of_a_package_is_told() {
    let workshop = workshop();
    workshop.locked(&["requirements.txt", "--format", "packages-dir"]);
    let file = "dependencies/zz-leaf.nix";
    workshop.write(file, &workshop.read(file).replace("flit-core", "hatchling"));
    let check = workshop.run(&["check", "requirements.txt", "--offline"]);
    let told = String::from_utf8(check.stdout).unwrap();
    assert!(
        told.starts_with(
            "edited  dependencies/zz-leaf.nix: was changed since pyresolve wrote it\n"
        ),
        "{told}"
    );
}

#[test]
fn nothing_that_is_not_ours_is_written_over() {
    for (format, file) in [
        ("overlay", "overlay.nix"),
        ("packages-dir", "dependencies/zz-leaf.nix"),
    ] {
        let workshop = workshop();
        fs::create_dir_all(workshop.path("dependencies")).unwrap();
        workshop.write(file, "mine\n");
        let output = workshop.lock(&["requirements.txt", "--format", format]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains("pyresolve has not written it"),
            "{}",
            stderr(&output)
        );
        assert_eq!(workshop.read(file), "mine\n");
        assert!(!workshop.path("pylock.toml").exists());
        assert!(!workshop.path("dependencies/zz-demo.nix").exists());
    }
}

#[test]
fn an_overlay_of_nixpkgs() {
    let workshop = workshop();
    workshop.write("requirements.txt", "zz-leaf\n");
    workshop.locked(&["requirements.txt", "--format", "overlay"]);
    let indented = LEAF
        .replace("\n  ", "\n          ")
        .replace("[ flit", "[ final.flit");
    assert_eq!(
        settled(&workshop, "overlay.nix"),
        format!(
            ": pyresolve lock requirements.txt
final: prev:
let
  inherit (final) fetchurl lib;
in
{{
  pythonPackagesExtensions = prev.pythonPackagesExtensions ++ [
    (
      final: prev:
      lib.optionalAttrs (prev.python.pythonVersion == \"3.13\") {{
        # not in nixpkgs, requirements.txt needs it
        zz-leaf = final.buildPythonPackage {{{indented}        }};
      }}
    )
  ];
}}
"
        )
    );
    assert!(
        workshop
            .read("pylock.toml")
            .contains("\nformat = \"overlay\"\n")
    );
    // It is remembered by everything that writes.
    workshop.write("requirements.txt", "zz-demo\n");
    let output = workshop.run(&["update", "--source", "requirements.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = workshop.run(&["prune", "requirements.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = workshop.lock(&["requirements.txt", "--upgrade"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(workshop.read("overlay.nix").contains("zz-demo"));
    assert_eq!(
        workshop.files(),
        ["overlay.nix", "pylock.toml", "requirements.txt"]
    );
}

/// An index with `zz-demo`, which needs a newer tornado than nixpkgs has.
fn bench(test: &str) -> Option<(Nix, Index)> {
    let nix = Nix::start(test, &[])?;
    let index = Index::start(Vec::new());
    let nixpkgs = snapshot::read("3.13").unwrap();
    let known = nixpkgs.attributes(&"tornado".parse().unwrap());
    let old = known.first().unwrap().version.to_string();
    let tornado =
        |version: &str| Release::new("tornado", version).flit(&format!("VERSION = '{version}'"));
    tornado(&old).unpack(&nix.folder().join("nixpkgs/tornado"));
    // Whatever Python the machine has stands for the one that is locked for.
    nix.offer(&format!(
        "{{ pythonPackages = final: prev: {{ python = prev.python // {{ pythonVersion = \"3.13\"; }}; \
         tornado = final.buildPythonPackage {{ pname = \"tornado\"; version = \"{old}\"; \
         pyproject = true; src = ./nixpkgs/tornado; build-system = [ final.flit-core ]; }}; }}; }}"
    ));
    index.publish(tornado("99.1").wheels(&[]));
    let demo = Release::new("zz-demo", "1.0").needs("tornado>=99");
    index.publish(demo.flit("from tornado import VERSION").wheels(&[]));
    nix.write("requirements.txt", "zz-demo\n");
    Some((nix, index))
}

const PROGRAM: &str = "import zz_demo; print(zz_demo.VERSION)";

#[test]
fn files_for_packages_are_built_by_nix() {
    let Some((nix, index)) = bench("packages-dir") else {
        return;
    };
    let arguments = ["requirements.txt", "--format", "packages-dir"];
    nix.lock(&index, &arguments).unwrap();
    for file in [
        "dependencies.nix",
        "dependencies/zz-demo.nix",
        "dependencies/tornado.nix",
    ] {
        nix.parse(&nix.folder().join(file)).unwrap();
    }
    let own = fs::read_to_string(nix.folder().join("dependencies/tornado.nix")).unwrap();
    assert!(own.contains("tornado.overridePythonAttrs (old: {"), "{own}");
    let environment = nix.build("dependencies.nix", "env").unwrap();
    assert_eq!(nix.python(&environment, PROGRAM).unwrap(), "99.1");
}

#[test]
fn an_overlay_is_built_by_nix() {
    let Some((nix, index)) = bench("nixpkgs-overlay") else {
        return;
    };
    nix.lock(&index, &["requirements.txt", "--format", "overlay"])
        .unwrap();
    nix.write(
        "env.nix",
        "{ env = (import <nixpkgs> { overlays = [ (import ./overlay.nix) ]; }).python313.withPackages \
         (ps: [ ps.zz-demo ]); }\n",
    );
    let environment = nix.build("env.nix", "env").unwrap();
    assert_eq!(nix.python(&environment, PROGRAM).unwrap(), "99.1");
}
