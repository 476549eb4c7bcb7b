//! The files that `init` writes, as real Nix sees them, and the project's own.

use std::path::Path;

use crate::support::nix::Nix;
use crate::support::workshop::{Workshop, stderr};

/// What the files take from nixpkgs and the small package set has not.
const REST: &str = r#"{
  overlays = [
    (final: prev: {
      cacert = "/certificates";
      mkShell = shell: final.runCommand "shell" { } "mkdir $out" // { given = shell; };
      dockerTools.buildLayeredImage = image: image;
      pythonPackagesExtensions = [ ];
    })
  ];
}"#;

fn init(folder: &Path, arguments: &[&str]) -> String {
    let workshop = Workshop::new();
    let mut command = workshop.command(&["init"]);
    let output = command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn files_that_are_there_stay() {
    let workshop = Workshop::new();
    workshop.write("shell.nix", "mine");
    let told = init(&workshop.path(""), &[]);
    assert_eq!(
        told,
        "Kept shell.nix, which is there already\nWrote default.nix\n\
         Next, `pyresolve lock` writes dependencies.nix, which they refer to\n"
    );
    assert_eq!(workshop.read("shell.nix"), "mine");
    let before = workshop.read("default.nix");
    init(&workshop.path(""), &["--flake", "--docker"]);
    init(&workshop.path(""), &[]);
    assert_eq!(workshop.read("default.nix"), before);
    assert_eq!(
        workshop.files(),
        ["default.nix", "flake.nix", "image.nix", "shell.nix"]
    );
    assert_eq!(workshop.run(&["init", "nowhere"]).status.code(), Some(2));
}

#[test]
fn nix_takes_what_is_written() {
    let Some(nix) = Nix::start("init", &[]) else {
        return;
    };
    let workshop = Workshop::with_demo();
    let minor = nix.python_minor();
    workshop.locked(&[
        "zz-demo",
        "--nixpkgs",
        "none",
        "--prefer",
        "latest",
        "--python",
        &minor,
    ]);
    nix.write("dependencies.nix", &workshop.read("dependencies.nix"));
    init(nix.folder(), &[]);
    init(nix.folder(), &["--flake", "--docker"]);
    nix.offer(REST);
    let folder = nix.folder().display();
    for file in ["default.nix", "shell.nix", "flake.nix", "image.nix"] {
        nix.parse(&nix.folder().join(file)).unwrap();
    }
    let same = |expression: &str| {
        let whole = format!(
            "let pkgs = import <nixpkgs> {{ }}; env = (import {folder}/dependencies.nix {{ inherit pkgs; }}).env; \
             flake = (import {folder}/flake.nix).outputs {{ self = flake; nixpkgs = {{ inherit (pkgs) lib; \
             legacyPackages = {{ x86_64-linux = pkgs; aarch64-linux = pkgs; aarch64-darwin = pkgs; }}; }}; }}; in {expression}"
        );
        let value = nix
            .evaluate(&whole)
            .unwrap_or_else(|e| panic!("{expression}: {e}"));
        assert_eq!(value, true, "{expression}");
    };
    same(&format!(
        "(import {folder}/default.nix {{ }}).outPath == env.outPath"
    ));
    same(&format!(
        "map (p: p.outPath) (import {folder}/shell.nix {{ }}).given.packages == [ env.outPath ]"
    ));
    same(&format!(
        "builtins.match \".*SSL_CERT_FILE=/certificates/etc.*\" (import {folder}/shell.nix {{ }}).given.shellHook != null"
    ));
    same(&format!(
        "(import {folder}/image.nix {{ }}).config.Cmd == [ \"${{env}}/bin/python3\" ]"
    ));
    same("flake.packages.x86_64-linux.default.outPath == env.outPath");
    same("flake.checks.aarch64-darwin.env.outPath == env.outPath");
    same(
        "map (p: p.outPath) flake.devShells.aarch64-linux.default.given.packages == [ env.outPath ]",
    );
    same(
        "builtins.attrNames ((builtins.head (flake.overlays.default pkgs pkgs).pythonPackagesExtensions) pkgs.python3.pkgs pkgs.python3.pkgs) \
         == [ \"zz-demo\" \"zz-leaf\" ]",
    );
}

#[test]
fn the_project_itself_is_a_package() {
    let Some(nix) = Nix::start("own", &[]) else {
        return;
    };
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["default.nix", "flake.nix"] {
        let path = Path::new(root).join(file);
        nix.parse(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text, "{file}");
    }
    let value = nix.evaluate(&format!(
        "let p = import {root}/default.nix {{ pkgs = {{ rustPlatform.buildRustPackage = p: p; installShellFiles = 1; \
         stdenv = {{ hostPlatform = 1; buildPlatform.canExecute = _: true; }}; \
         lib = {{ importTOML = f: builtins.fromTOML (builtins.readFile f); optionalString = c: s: s; \
         fileset = {{ toSource = s: s; unions = s: s; }}; licenses = {{ mit = 1; asl20 = 2; }}; platforms.unix = [ ]; }}; }}; }}; \
         in [ p.pname p.version (builtins.all builtins.pathExists p.src.fileset) ]"
    ));
    assert_eq!(
        value.unwrap(),
        serde_json::json!(["pyresolve", env!("CARGO_PKG_VERSION"), true])
    );
}
