//! Real Nix: what `testdata/nixpkgs` promises, and that generated files are accepted, built and
//! imported by it.

use std::path::PathBuf;

use crate::support::nix::{Need, Nix};

/// The frame of a generated file around some entries and the packages of the environment.
fn file(entries: &str, packages: &str) -> String {
    format!(
        "{{ pkgs ? import <nixpkgs> {{ }} }}:
let
  inherit (pkgs) lib;
  dependencies = final: prev: {{ {entries} }};
  python = pkgs.python3.override {{ self = python; packageOverrides = dependencies; }};
  packages = ps: [ {packages} ];
in
{{ inherit dependencies python packages; env = python.withPackages packages; }}\n"
    )
}

/// A recipe for the source folder of that name.
fn recipe(name: &str, version: &str, rest: &str) -> String {
    format!(
        "{name} = final.buildPythonPackage {{
    pname = \"{name}\"; version = \"{version}\"; pyproject = true; src = ./{name};
    build-system = [ final.flit-core ]; {rest} }};\n"
    )
}

/// Offers a nixpkgs with these entries in its Python set.
fn offer(nix: &Nix, entries: &str) {
    nix.offer(&format!(
        "{{ pythonPackages = final: prev: {{ {entries} }}; }}"
    ));
}

#[test]
fn a_new_package_and_an_override_reach_the_whole_environment() {
    let Some(nix) = Nix::start("override", &[]) else {
        return;
    };
    nix.source("base-lib", "1.0", "", "VERSION = 1");
    nix.source(
        "middle",
        "3.0",
        "dependencies = ['base-lib']",
        "from base_lib import VERSION",
    );
    nix.source("newer/base-lib", "2.0", "", "");
    nix.write("newer/base-lib/base_lib.py", "VERSION = 2");
    let pyproject =
        std::fs::read_to_string(nix.folder().join("newer/base-lib/pyproject.toml")).unwrap();
    nix.write(
        "newer/base-lib/pyproject.toml",
        &pyproject.replace("newer/", ""),
    );
    nix.source(
        "client",
        "0.1",
        "dependencies = ['base-lib>=2', 'middle']",
        "import middle, base_lib",
    );
    offer(
        &nix,
        &(recipe("base-lib", "1.0", "")
            + &recipe("middle", "3.0", "dependencies = [ final.base-lib ];")),
    );
    let entries = "base-lib = prev.base-lib.overridePythonAttrs (old: {
        version = \"2.0\"; src = ./newer/base-lib; doCheck = false; });\n"
        .to_owned()
        + &recipe(
            "client",
            "0.1",
            "dependencies = [ final.base-lib final.middle ]; pythonImportsCheck = [ \"client\" ];
             meta.license = lib.licenses.mit;",
        );
    nix.write("dependencies.nix", &file(&entries, "ps.client"));
    let env = nix.build("dependencies.nix", "env").unwrap();
    assert_eq!(
        nix.python(&env, "import middle; print(middle.VERSION)")
            .unwrap(),
        "2"
    );
}

/// Builds one recipe of a project that needs `base-lib`, version 1.0 in nixpkgs.
fn build_client(
    test: &str,
    project: &str,
    module: &str,
    recipe_rest: &str,
) -> Option<Result<(), String>> {
    let nix = Nix::start(test, &[])?;
    nix.source("base-lib", "1.0", "", "");
    nix.source("client", "0.1", project, module);
    offer(&nix, &recipe("base-lib", "1.0", ""));
    nix.write(
        "dependencies.nix",
        &file(&recipe("client", "0.1", recipe_rest), "ps.client"),
    );
    Some(nix.build("dependencies.nix", "env").map(drop))
}

/// Asserts that a build fails for a reason that contains this text.
fn fails(result: Option<Result<(), String>>, reason: &str) {
    if let Some(result) = result {
        let message = result.expect_err("the build must fail");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn an_unmet_run_time_requirement_fails_the_build() {
    let needs = "dependencies = ['base-lib>=2']";
    let rest = "dependencies = [ final.base-lib ];";
    fails(
        build_client("unmet-version", needs, "", rest),
        "base-lib>=2 is not met by 1.0",
    );
    fails(
        build_client("unmet-missing", needs, "", ""),
        "base-lib is not installed",
    );
}

#[test]
fn a_relaxed_requirement_lets_the_build_pass() {
    let needs = "dependencies = ['base-lib>=2', 'absent; python_version >= \"3\"']";
    let rest = "dependencies = [ final.base-lib ]; pythonRelaxDeps = [ \"base-lib\" ];
        pythonRemoveDeps = [ \"absent\" ];";
    if let Some(result) = build_client("relaxed", needs, "", rest) {
        result.unwrap();
    }
    let misspelt = "dependencies = [ final.base-lib ]; pythonRelaxDeps = [ \"base_lib\" ];";
    fails(
        build_client("relaxed-misspelt", needs, "", misspelt),
        "under that spelling",
    );
}

#[test]
fn imports_and_metadata_are_checked() {
    let rest = "pythonImportsCheck = [ \"client\" ];";
    fails(
        build_client("import", "", "import absent", rest),
        "not everything can be imported of client",
    );
    let Some(nix) = Nix::start("metadata", &[]) else {
        return;
    };
    nix.source("client", "0.1", "", "");
    nix.write(
        "dependencies.nix",
        &file(&recipe("client", "0.2", ""), "ps.client"),
    );
    fails(
        Some(nix.build("dependencies.nix", "env").map(drop)),
        "the recipe says version 0.2",
    );
}

#[test]
fn one_project_twice_in_a_closure_fails_the_build() {
    let Some(nix) = Nix::start("conflict", &[]) else {
        return;
    };
    nix.source("base-lib", "1.0", "", "");
    nix.source("middle", "3.0", "dependencies = ['base-lib']", "");
    nix.source("client", "0.1", "dependencies = ['base-lib', 'middle']", "");
    offer(
        &nix,
        &(recipe("base-lib", "1.0", "")
            + &recipe("middle", "3.0", "dependencies = [ final.base-lib ];")),
    );
    let client = recipe(
        "client",
        "0.1",
        "dependencies = [ final.middle (prev.base-lib.overridePythonAttrs { preBuild = \"true\"; }) ];",
    );
    nix.write("dependencies.nix", &file(&client, "ps.client"));
    fails(
        Some(nix.build("dependencies.nix", "env").map(drop)),
        "more than one of a project",
    );
}

#[test]
fn what_nixpkgs_would_reject_or_misread_does_not_evaluate() {
    let Some(nix) = Nix::start("reject", &[]) else {
        return;
    };
    nix.source("client", "0.1", "", "");
    let cases = [
        (
            "x = final.buildPythonPackage { pname = \"x\"; version = \"1\"; src = ./client; };",
            "neither",
        ),
        (
            "x = final.buildPythonPackage { pname = \"x\"; version = \"1\"; pyproject = true; format = \"wheel\"; };",
            "exclude each other",
        ),
        (
            &recipe("x", "1", "dependencies = [ \"six\" ];"),
            "is no package",
        ),
        (
            &recipe("x", "1", "dependencies = final.flit-core;"),
            "is no list",
        ),
        (
            &recipe("x", "1", "pythonImportCheck = [ \"x\" ];"),
            "unknown attributes: pythonImportCheck",
        ),
        (&recipe("x", "1", "env = [ ];"), "must be a set"),
        (
            &recipe("x", "1", "disabled = final.pythonOlder \"9\";"),
            "is not for Python",
        ),
        ("x = prev.absent.overridePythonAttrs { };", "absent"),
    ];
    for (entry, reason) in cases {
        nix.write("dependencies.nix", &file(entry, "ps.x"));
        let result = nix.evaluate("(import ./dependencies.nix { }).env.drvPath");
        let message = result.expect_err(entry);
        assert!(message.contains(reason), "{entry}: {message}");
    }
}

#[test]
fn setuptools_builds_an_extension_against_a_library_found_by_pkg_config() {
    let Some(nix) = Nix::start("native", &[Need::Setuptools, Need::Compiler]) else {
        return;
    };
    nix.write("answer.h", "int answer(void);\n");
    nix.write(
        "answer.c",
        "#include <answer.h>\nint answer(void) { return 42; }\n",
    );
    nix.offer(
        "{ libraries.libanswer = { module = \"answer-1.0\"; linkName = \"answer\"; version = \"1.2\";
           header = builtins.readFile ./answer.h; source = builtins.readFile ./answer.c; }; }",
    );
    nix.write(
        "native/setup.py",
        "import shlex, subprocess
from setuptools import Extension, setup
ask = lambda what: shlex.split(subprocess.check_output(['pkg-config', what, 'answer-1.0'], text=True))
setup(name='native', version='1.0', ext_modules=[
    Extension('native', ['native.c'], extra_compile_args=ask('--cflags'), extra_link_args=ask('--libs'))])
",
    );
    nix.write(
        "native/native.c",
        "#include <Python.h>
#include <answer.h>
static PyObject *get(PyObject *self, PyObject *none) { return PyLong_FromLong(answer()); }
static PyMethodDef methods[] = {{\"answer\", get, METH_NOARGS, \"\"}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"native\", 0, -1, methods};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
",
    );
    let entry = "native = final.buildPythonPackage { pname = \"native\"; version = \"1.0\";
        pyproject = true; src = ./native; build-system = [ final.setuptools ];
        nativeBuildInputs = [ pkgs.pkg-config ]; buildInputs = [ pkgs.libanswer ];
        pythonImportsCheck = [ \"native\" ]; };";
    nix.write("dependencies.nix", &file(entry, "ps.native"));
    let env = nix.build("dependencies.nix", "env").unwrap();
    assert_eq!(
        nix.python(&env, "import native; print(native.answer())")
            .unwrap(),
        "42"
    );
}

#[test]
fn one_file_serves_two_pythons() {
    let Some(nix) = Nix::start("two-pythons", &[Need::SecondPython]) else {
        return;
    };
    nix.source(
        "client",
        "0.1",
        "requires-python = '>=3'",
        "import sys\nSEEN = sys.version_info[:2]",
    );
    nix.write(
        "dependencies.nix",
        &file(&recipe("client", "0.1", ""), "ps.client"),
    );
    let other = nix.other_python_minor().unwrap();
    let both = format!(
        "let pkgs = import <nixpkgs> {{ }};
             with_ = python3: (import ./dependencies.nix {{ pkgs = pkgs // {{ inherit python3; }}; }}).env;
         in {{ own = with_ pkgs.python3; other = with_ pkgs.python{}; }}\n",
        other.replace('.', "")
    );
    nix.write("both.nix", &both);
    for (attribute, minor) in [("own", nix.python_minor()), ("other", other)] {
        let env = nix.build("both.nix", attribute).unwrap();
        let seen = nix
            .python(&env, "import client; print('%d.%d' % client.SEEN)")
            .unwrap();
        assert_eq!(seen, minor);
    }
}

#[test]
fn every_nix_file_of_the_test_data_parses() {
    let Some(nix) = Nix::start("parse", &[]) else {
        return;
    };
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // A broken nixpkgs tree is what the readers of trees are tested with.
                if path.file_name().is_some_and(|name| name != "broken-syntax") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "nix") {
                nix.parse(&path).unwrap();
                count += 1;
            }
        }
    }
    assert!(count >= 4, "{count} files");
}
