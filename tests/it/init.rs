//! The files that `init` writes, as real Nix sees them, and the project's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::index::Index;
use crate::support::nix::Nix;
use crate::support::project::Release;
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
fn the_environment_is_built_the_shell_opens_and_the_flake_checks() {
    let Some(nix) = Nix::start("environment", &[]) else {
        return;
    };
    let index = demo_index();
    nix.write("requirements.txt", "zz-demo\n");
    let settings = format!(
        "nixpkgs = \"none\"\nprefer = \"latest\"\npython = \"{}\"\nindex-url = \"{}\"\n",
        nix.python_minor(),
        index.url()
    );
    nix.write("pyresolve.toml", &settings);
    nix.lock(&index, &[]).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_pyresolve"));
    nix.offer(&format!(
        "{{ overlays = [ (final: prev: {{
           cacert = final.runCommand \"cacert\" {{ }} \"mkdir $out\";
           pyresolve = final.runCommand \"pyresolve\" {{ }} \"mkdir -p $out/bin; ln -s {} $out/bin/\";
         }}) ]; }}",
        program.display()
    ));
    init(nix.folder(), &[]);
    init(nix.folder(), &["--flake"]);
    nix.run("nix-build", &[]).unwrap();
    let import = "import zz_demo; print(zz_demo.NAME)";
    let python = nix.folder().join("result");
    assert_eq!(nix.python(&python, import).unwrap(), "demo");
    let inside = format!("python3 -c '{import}'; echo $SSL_CERT_FILE");
    let said = nix.run("nix-shell", &["--run", &inside]).unwrap();
    let (demo, certificates) = said.trim().split_once('\n').unwrap();
    assert_eq!(demo, "demo");
    assert!(
        certificates.ends_with("-cacert/etc/ssl/certs/ca-bundle.crt"),
        "{said}"
    );
    let flake = format!(
        "let pkgs = import <nixpkgs> {{ }};
             self = flake // {{ outPath = {:?}; }};
             nixpkgs = {{ inherit (pkgs) lib; outPath = \"/nowhere\";
               legacyPackages = pkgs.lib.genAttrs [ \"x86_64-linux\" \"aarch64-linux\" \"aarch64-darwin\" ] (_: pkgs); }};
             flake = (import ./flake.nix).outputs {{ inherit self nixpkgs; }};
         in flake.checks.x86_64-linux\n",
        nix.folder().to_str().unwrap()
    );
    nix.write("checks.nix", &flake);
    nix.build("checks.nix", "env").unwrap();
    nix.build("checks.nix", "dependencies").unwrap();
    // What the check is for.
    nix.write("requirements.txt", "zz-demo\nzz-leaf<2\n");
    fs::write(nix.folder().join("checks.nix"), flake + "# again\n").unwrap();
    nix.run("nix-collect-garbage", &[]).unwrap();
    let failed = nix.build("checks.nix", "dependencies").unwrap_err();
    assert!(failed.contains("stale"), "{failed}");
}

/// An index with sdists of `zz-demo` 1.0 and `zz-leaf` 2.0.
fn demo_index() -> Index {
    let index = Index::start(Vec::new());
    let demo = Release::new("zz-demo", "1.0").needs("zz-leaf");
    index.publish(demo.flit("import zz_leaf\nNAME = 'demo'").wheels(&[]));
    let leaf = Release::new("zz-leaf", "2.0");
    index.publish(leaf.flit("NAME = 'leaf'").wheels(&[]));
    index
}

#[test]
fn a_script_runs_itself_in_its_locked_environment() {
    let Some(nix) = Nix::start("script", &[]) else {
        return;
    };
    let index = demo_index();
    let script = "#!/usr/bin/env -S python3 -Werror\n# -*- coding: utf-8 -*-\n# /// script\n# dependencies = [\"zz-demo\"]\n# ///\n\
                  import sys, zz_demo\nprint(zz_demo.NAME, sys.argv[1:], sys.warnoptions)\n";
    let path = nix.write("tool.py", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let told = init(nix.folder(), &["--script", "tool.py"]);
    assert_eq!(
        told,
        "Changed tool.py: its first lines have nix-shell run it\n\
         Next, `pyresolve lock tool.py` writes dependencies.nix, which its header refers to\n"
    );
    let headed = fs::read_to_string(&path).unwrap();
    assert!(
        headed.starts_with(
            "#!/usr/bin/env nix-shell\n# -*- coding: utf-8 -*-\n\
             #! nix-shell -i \"python3 -Werror\" dependencies.nix -A env.env\n\n# /// script\n"
        ),
        "{headed}"
    );
    let minor = nix.python_minor();
    let lock = [
        "tool.py",
        "--nixpkgs",
        "none",
        "--prefer",
        "latest",
        "--python",
        &minor,
    ];
    nix.lock(&index, &lock).unwrap();
    assert_eq!(
        nix.execute("tool.py", &["a b", "$HOME"]).unwrap(),
        "demo ['a b', '$HOME'] ['error']\n"
    );
    // It is the user's: a second time nothing changes, neither here nor in the lock.
    let told = init(nix.folder(), &["--script", "tool.py"]);
    assert_eq!(told, "Kept tool.py, which has nix-shell run it already\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), headed);
    nix.lock(&index, &lock).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn scripts_that_cannot_have_a_header_stay_as_they_are() {
    let workshop = Workshop::new();
    let block = "# /// script\n# dependencies = []\n# ///\n";
    for (script, said) in [
        ("print(1)\n".to_owned(), "does not say what it requires"),
        (
            format!("#!/bin/sh\n{block}"),
            "run by something else: `#!/bin/sh`",
        ),
        (block.replace('\n', "\r\n"), "lines end as on Windows"),
        (format!("\u{feff}{block}"), "byte order mark"),
    ] {
        workshop.write("tool.py", &script);
        let output = workshop.run(&["init", "--script", "tool.py"]);
        assert_eq!(output.status.code(), Some(2), "{script}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert_eq!(workshop.read("tool.py"), script);
    }
    fs::write(workshop.path("tool.py"), b"# caf\xe9\n").unwrap();
    assert_eq!(
        workshop.run(&["init", "--script", "tool.py"]).status.code(),
        Some(2)
    );
    assert_eq!(
        workshop.run(&["init", "--script", "none.py"]).status.code(),
        Some(2)
    );
    let both = workshop.run(&["init", "--script", "tool.py", "--flake"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn the_users_own_project_is_built_as_a_program() {
    let Some(nix) = Nix::start("app", &[]) else {
        return;
    };
    let index = demo_index();
    nix.source(
        "my-tool",
        "1.5",
        "dependencies = ['zz-demo']\ndescription = 'The tool that says ${hello}.'\n\
         urls = { Homepage = 'https://tool.test/' }\nlicense = 'MIT'\nscripts = { my-tool = 'my_tool:main' }",
        "",
    );
    nix.write(
        "my-tool/my_tool.py",
        "import zz_demo\ndef main():\n    print(zz_demo.NAME)\n",
    );
    nix.write("my-tool/__pycache__/x.pyc", "");
    let minor = nix.python_minor();
    let lock = [
        "my-tool",
        "--nixpkgs",
        "none",
        "--prefer",
        "latest",
        "--python",
        &minor,
    ];
    nix.lock(&index, &lock).unwrap();
    assert_eq!(
        init(nix.folder(), &["my-tool", "--app"]),
        "Wrote my-tool/package.nix\n"
    );
    let text = fs::read_to_string(nix.folder().join("my-tool/package.nix")).unwrap();
    for part in [
        "pname = \"my-tool\";",
        "version = \"1.5\";",
        "build-system = [ python.pkgs.flit-core ];",
        "license = lib.licenses.mit;",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    nix.write(
        "all.nix",
        "let pkgs = import <nixpkgs> { }; app = import ./my-tool/package.nix { }; in
         { inherit app; files = pkgs.runCommand \"files\" { inherit (app) src; } \"ls -A $src > $out\"; }",
    );
    let value = nix.evaluate(
        "let p = import ./my-tool/package.nix { }; in [ p.name p.meta.description p.meta.mainProgram ]",
    );
    let expected = ["my-tool-1.5", "Tool that says ${hello}", "my-tool"];
    assert_eq!(value.unwrap(), serde_json::json!(expected));
    let files = fs::read_to_string(nix.build("all.nix", "files").unwrap()).unwrap();
    let files: Vec<&str> = files.lines().collect();
    assert!(files.contains(&"my_tool.py"), "{files:?}");
    for aside in [
        "pylock.toml",
        "dependencies.nix",
        "__pycache__",
        "package.nix",
    ] {
        assert!(!files.contains(&aside), "{files:?}");
    }
    let app = nix.build("all.nix", "app").unwrap();
    let said = std::process::Command::new(app.join("bin/my-tool"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(said.stdout).unwrap(),
        "demo\n",
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    assert_eq!(
        init(nix.folder(), &["my-tool", "--app"]),
        "Kept my-tool/package.nix, which is there already\n"
    );
}

#[test]
fn an_application_that_leaves_questions_open_is_told_so() {
    let workshop = Workshop::new();
    let none = workshop.run(&["init", "--app"]);
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
    assert!(stderr(&none).contains("no project that tells its name"));
    workshop.write(
        "pyproject.toml",
        "[build-system]\nrequires = ['setuptools>=77', 'setuptools-scm', 'zz-backend', 'tomli; python_version < \"3.11\"']\n\
         build-backend = 'setuptools.build_meta'\n[project]\nname = 'Tool'\ndynamic = ['version']\n\
         [project.scripts]\na = 'tool:a'\nb = 'tool:b'\n",
    );
    let output = workshop.run(&["init", "--app"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stderr(&output);
    for part in [
        "nixpkgs lacks zz-backend",
        "do not tell its version",
        "none of the programs a, b",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let text = workshop.read("package.nix");
    assert!(
        text.contains("SETUPTOOLS_SCM_PRETEND_VERSION = \"0\"") && !text.contains("tomli"),
        "{text}"
    );
    assert!(!text.contains("mainProgram"));
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
