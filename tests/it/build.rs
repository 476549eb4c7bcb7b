//! Proof by building: what the program writes for a project is evaluated, built and imported.

use std::str::FromStr as _;

use pyresolve::nixpkgs::snapshot;
use pyresolve::python::PackageName;

use crate::support::index::Index;
use crate::support::nix::{Need, Nix};
use crate::support::project::Release;

/// An index, and a nixpkgs that has some projects at the versions of the bundled snapshot.
struct Bench {
    nix: Nix,
    index: Index,
    recipes: String,
}

impl Bench {
    fn new(test: &str, needs: &[Need]) -> Option<Self> {
        Some(Self {
            nix: Nix::start(test, needs)?,
            index: Index::start(Vec::new()),
            recipes: String::new(),
        })
    }

    /// The index has a release, with an sdist only.
    fn publish(&self, release: Release) {
        self.index.publish(release.wheels(&[]));
    }

    /// nixpkgs has an attribute whose source is this release's; the index has the release as well.
    fn nixpkgs_has(&mut self, attribute: &str, release: Release, needs: &[&str]) {
        release.unpack(&self.nix.folder().join("nixpkgs").join(attribute));
        let needs: Vec<String> = needs.iter().map(|n| format!("final.{n}")).collect();
        self.recipes += &format!(
            "{attribute} = final.buildPythonPackage {{ pname = \"{}\"; version = \"{}\";
               pyproject = true; src = ./nixpkgs/{attribute}; build-system = [ final.flit-core ];
               dependencies = [ {} ];
               postPatch = \"grep -q {version} pyproject.toml\"; }};\n",
            release.name,
            release.version,
            needs.join(" "),
            version = release.version
        );
        self.nix.offer(&format!(
            "{{ pythonPackages = final: prev: {{ {} }}; }}",
            self.recipes
        ));
        self.publish(release);
    }

    /// Locks for what is said; the file's text.
    fn lock(&self, sources: &[&str]) -> String {
        self.nix.lock(&self.index, sources).unwrap();
        let file = self.nix.folder().join("dependencies.nix");
        self.nix.parse(&file).unwrap();
        std::fs::read_to_string(file).unwrap()
    }

    /// Builds the environment and runs a line of Python in it.
    fn run(&self, program: &str) -> String {
        let environment = self.nix.build("dependencies.nix", "env").unwrap();
        self.nix.python(&environment, program).unwrap()
    }
}

/// The version that the bundled snapshot has of an attribute of a project.
fn known_version(project: &str, attribute: &str) -> String {
    let nixpkgs = snapshot::read("3.13").unwrap();
    let attributes = nixpkgs.attributes(&PackageName::from_str(project).unwrap());
    let found = attributes.iter().find(|a| a.attr == attribute).unwrap();
    found.version.to_string()
}

/// The bridge: one pin that nixpkgs has, one that is too old there, one that it lacks and whose
/// sdist lacks a file that its setup.py reads.
#[test]
fn a_project_of_all_three_kinds_of_pins() {
    let Some(mut bench) = Bench::new("bridge", &[Need::Setuptools]) else {
        return;
    };
    let tornado = Release::new("tornado", &known_version("tornado", "tornado"));
    bench.nixpkgs_has("tornado", tornado.flit("version = 'old'"), &[]);
    bench.publish(Release::new("tornado", "99.1").flit("version = 'new'"));
    let aioamqp = Release::new("aioamqp", &known_version("aioamqp", "aioamqp"))
        .needs("tornado>=1")
        .flit("from tornado import version");
    bench.nixpkgs_has("aioamqp", aioamqp, &["tornado"]);
    let setup = "from setuptools import setup
setup(name='redis_structures', version='0.1.3', py_modules=['redis_structures'],
      long_description=open('README.rst').read(), install_requires=[])
";
    bench.publish(Release::new("redis_structures", "0.1.3").source(&[
        ("setup.py", setup),
        ("README", "text"),
        ("redis_structures.py", ""),
    ]));
    bench.nix.write(
        "setup.py",
        "from setuptools import setup
setup(name='bridge', install_requires=['tornado>=99', 'aioamqp', 'redis_structures==0.1.3'])
",
    );
    let text = bench.lock(&["setup.py"]);
    assert!(text.contains("touch README.rst"), "{text}");
    let program = "import aioamqp, redis_structures; print(aioamqp.version)";
    assert_eq!(bench.run(program), "new");
    assert_eq!(bench.lock(&["setup.py"]), text);
}

/// The override reaches what nixpkgs keeps; its old patches and source do not reach the override.
#[test]
fn an_override_is_the_version_of_the_whole_set() {
    let Some(mut bench) = Bench::new("lock-override", &[]) else {
        return;
    };
    let tornado = Release::new("tornado", &known_version("tornado", "tornado"));
    bench.nixpkgs_has("tornado", tornado.flit("version = 'old'"), &[]);
    let newer = Release::new("tornado", "99.1").needs("ours-new>=1");
    bench.publish(newer.flit("version = 'new'"));
    bench.publish(Release::new("ours-new", "1.0").flit(""));
    let aioamqp = Release::new("aioamqp", &known_version("aioamqp", "aioamqp"))
        .needs("tornado>=1")
        .flit("from tornado import version");
    bench.nixpkgs_has("aioamqp", aioamqp, &["tornado"]);
    let text = bench.lock(&["tornado>=99", "aioamqp"]);
    assert!(text.contains("prev.tornado.overridePythonAttrs"), "{text}");
    assert!(!text.contains("aioamqp ="), "{text}");
    let program = "import aioamqp, ours_new; print(aioamqp.version)";
    assert_eq!(bench.run(program), "new");
    assert_eq!(bench.lock(&["tornado>=99", "aioamqp"]), text);
}

#[test]
fn another_attribute_of_nixpkgs_stands_for_the_project_everywhere() {
    let Some(mut bench) = Bench::new("attribute", &[]) else {
        return;
    };
    for attribute in ["django", "django_6"] {
        let version = known_version("django", attribute);
        let release = Release::new("Django", &version);
        bench.nixpkgs_has(
            attribute,
            release.flit(&format!("VERSION = '{version}'")),
            &[],
        );
    }
    let app = Release::new("app-of-ours", "1.0").needs("Django>=6");
    bench.publish(app.flit("import django"));
    let text = bench.lock(&["app-of-ours"]);
    assert!(text.contains("prev.django_6"), "{text}");
    let version = known_version("django", "django_6");
    let program = "import app_of_ours as app; print(app.django.VERSION)";
    assert_eq!(bench.run(program), version);
}

#[test]
fn what_an_extra_adds_is_in_the_environment() {
    let Some(bench) = Bench::new("extras", &[]) else {
        return;
    };
    bench.publish(Release::new("ours-fast", "2.0").flit(""));
    let slow = Release::new("ours-slow", "1.0").needs("ours-fast>=2; extra == 'speed'");
    bench.publish(slow.flit(""));
    bench.lock(&["ours-slow[speed]"]);
    bench.run("import ours_slow, ours_fast");
}

#[test]
fn projects_that_need_each_other_are_both_in_the_environment() {
    let Some(bench) = Bench::new("cycle", &[]) else {
        return;
    };
    for (own, other) in [("ours-left", "ours-right"), ("ours-right", "ours-left")] {
        bench.publish(Release::new(own, "1.0").needs(other).flit(""));
    }
    bench.lock(&["ours-left"]);
    bench.run("import ours_left, ours_right");
}

#[test]
fn a_wheel_is_installed_where_there_is_no_sdist() {
    let Some(bench) = Bench::new("wheel", &[]) else {
        return;
    };
    bench
        .index
        .publish(Release::new("ours-binary", "3.1").no_sdist());
    let text = bench.lock(&["ours-binary"]);
    assert!(text.contains("format = \"wheel\""), "{text}");
    let program = "import ours_binary; print(ours_binary.__version__)";
    assert_eq!(bench.run(program), "3.1");
}

/// The dependency is in the closure on one system only, and only there evaluated.
#[test]
fn a_platform_s_requirement_is_conditional() {
    let Some(bench) = Bench::new("platform", &[]) else {
        return;
    };
    bench.publish(Release::new("ours-mac", "1.0").flit(""));
    let app = Release::new("ours-app", "1.0").needs("ours-mac; sys_platform == 'darwin'");
    bench.publish(app.flit(""));
    let text = bench.lock(&["ours-app"]);
    assert!(text.contains("stdenv.hostPlatform.isDarwin"), "{text}");
    for (system, expected) in [("x86_64-linux", 0), ("aarch64-darwin", 1)] {
        let expression = format!(
            "let pkgs = import <nixpkgs> {{ system = \"{system}\"; }};
                 set = (import ./dependencies.nix {{ inherit pkgs; }}).python.pkgs;
             in builtins.length set.ours-app.propagatedBuildInputs"
        );
        assert_eq!(
            bench.nix.evaluate(&expression).unwrap(),
            expected,
            "{system}"
        );
    }
    bench.run("import ours_app");
}

#[test]
fn a_file_that_changed_after_the_lock_is_refused() {
    let Some(bench) = Bench::new("changed", &[]) else {
        return;
    };
    bench.publish(Release::new("ours-moved", "1.0").flit(""));
    bench.lock(&["ours-moved"]);
    bench.publish(Release::new("ours-moved", "1.0").flit("CHANGED = True"));
    let message = bench.nix.build("dependencies.nix", "env").unwrap_err();
    assert!(message.contains("hash mismatch"), "{message}");
}

#[test]
fn texts_from_the_index_stay_texts() {
    let Some(bench) = Bench::new("hostile", &[]) else {
        return;
    };
    let summary = "Quote \" dollar ${builtins.abort \"x\"} '' back\\slash $${y} # end";
    let home = "https://example.test/${x}\"'";
    let release = Release::new("ours-odd", "1.0").headers(&[
        &format!("Summary: {summary}"),
        &format!("Home-page: {home}"),
    ]);
    bench.publish(release.flit(""));
    bench.lock(&["ours-odd"]);
    let expression = "(import ./dependencies.nix { }).python.pkgs.ours-odd.meta.description";
    assert_eq!(bench.nix.evaluate(expression).unwrap(), summary);
    bench.run("import ours_odd");
}

/// What an entry needs to be built is on no index, or needs the entry: then its wheel is taken.
#[test]
fn wheels_stand_in_for_what_cannot_be_built() {
    let Some(bench) = Bench::new("unbuildable", &[]) else {
        return;
    };
    let pyproject = |tool: &str, name: &str| {
        format!(
            "[build-system]\nrequires = [\"flit-core>=3\", \"{tool}\"]\n\
             build-backend = \"flit_core.buildapi\"\n\
             [project]\nname = \"{name}\"\nversion = \"1.0\"\ndescription = \"x\"\n"
        )
    };
    for (name, tool) in [
        ("ours-lost", "never-published"),
        ("ours-chicken", "ours-egg"),
    ] {
        let text = pyproject(tool, name);
        let module = format!("{}.py", name.replace('-', "_"));
        let release = Release::new(name, "1.0");
        let files = [("pyproject.toml", text.as_str()), (module.as_str(), "")];
        bench.index.publish(release.source(&files));
    }
    let egg = Release::new("ours-egg", "1.0").needs("ours-chicken");
    bench.publish(egg.flit(""));
    let text = bench.lock(&["ours-lost", "ours-chicken"]);
    assert_eq!(text.matches("format = \"wheel\"").count(), 2, "{text}");
    bench.run("import ours_lost, ours_chicken");
}

/// A build that needs a newer tool than nixpkgs has gets one of its own; nothing else is built with it.
#[test]
fn a_newer_build_tool_stands_beside_nixpkgs_own() {
    let Some(mut bench) = Bench::new("newer-tool", &[]) else {
        return;
    };
    let tool = Release::new("hatch-vcs", &known_version("hatch-vcs", "hatch-vcs"));
    bench.nixpkgs_has("hatch-vcs", tool.flit("AGE = 'old'"), &[]);
    bench.publish(Release::new("hatch-vcs", "99.1").flit("AGE = 'new'"));
    for (name, wanted) in [
        ("ours-modern", ">=99"),
        ("ours-modest", ""),
        ("ours-exact", "==98"),
    ] {
        let pyproject = format!(
            "[build-system]\nrequires = [\"flit-core>=3\", \"hatch-vcs{wanted}\"]\n\
             build-backend = \"flit_core.buildapi\"\n\
             [project]\nname = \"{name}\"\nversion = \"1.0\"\ndescription = \"x\"\n"
        );
        let module = format!("{}.py", name.replace('-', "_"));
        let files = [
            ("pyproject.toml", pyproject.as_str()),
            (module.as_str(), ""),
        ];
        bench.publish(Release::new(name, "1.0").source(&files));
    }
    let text = bench.lock(&["ours-modern", "ours-modest", "ours-exact"]);
    assert!(
        text.contains("hatch-vcs_99_1 = prev.hatch-vcs.overridePythonAttrs"),
        "{text}"
    );
    assert_eq!(text.matches("final.hatch-vcs_99_1").count(), 1, "{text}");
    assert_eq!(text.matches("final.hatch-vcs\n").count(), 2, "{text}");
    assert!(
        text.contains("'\"hatch-vcs==98\"' '\"hatch-vcs\"'"),
        "{text}"
    );
    bench.run("import ours_modern, ours_modest, ours_exact");
    assert_eq!(
        bench.lock(&["ours-modern", "ours-modest", "ours-exact"]),
        text
    );
}

/// Fixes of `[tool.pyresolve.fixes]` change entries, and the user's own overlay counts after them.
#[test]
fn the_user_s_fixes_are_built() {
    let Some(bench) = Bench::new("fixes", &[]) else {
        return;
    };
    bench.publish(Release::new("ours-right", "1.0").flit("LINES = ['source']\n"));
    bench.publish(Release::new("ours-wrong", "1.0").flit("raise ImportError\n"));
    let broken = Release::new("ours-broken", "1.0").needs("Ours_Wrong");
    bench.publish(broken.flit("import ours_wrong\nSTATE = 'broken'\n"));
    bench.publish(Release::new("ours-plain", "2.0").flit(""));
    bench.nix.write(
        "pyproject.toml",
        "[project]
name = 'app'
version = '1'
dependencies = ['ours-broken', 'ours-right', 'ours-plain']
[tool.pyresolve]
nix = 'nix/own.nix'
[tool.pyresolve.fixes.ours-broken]
version = '<2'
replace = { ours-wrong = 'ours-right' }
patches = ['nix/state.patch']
postPatch = 'sed -i s/ours_wrong/ours_right/ ours_broken.py'
[tool.pyresolve.fixes.ours-plain]
version = '<2'
postPatch = 'false'
[tool.pyresolve.fixes.ours-gone]
relax = ['six']
",
    );
    bench.nix.write(
        "nix/state.patch",
        "--- a/ours_broken.py\n+++ b/ours_broken.py\n@@ -1,2 +1,2 @@\n import ours_wrong\n\
         -STATE = 'broken'\n+STATE = 'whole'\n",
    );
    bench.nix.write(
        "nix/own.nix",
        "final: prev: {
  ours-right = prev.ours-right.overridePythonAttrs (old: {
    postPatch = \"echo \\\"LINES += ['own']\\\" >> ours_right.py\";
  });
}
",
    );
    let text = bench.lock(&["pyproject.toml"]);
    assert!(
        text.contains("pythonRemoveDeps = [ \"Ours_Wrong\" ]"),
        "{text}"
    );
    let program = "import ours_broken as b; print(b.STATE, *b.ours_right.LINES)";
    assert_eq!(bench.run(program), "whole source own");
    let arguments = ["--json", "pyproject.toml"];
    let json = bench.nix.lock(&bench.index, &arguments).unwrap();
    for said in [
        "the fix for ours-plain (pyproject.toml:12) is not applied: it is for <2, and the version is 2.0",
        "the fix for ours-gone (pyproject.toml:15) is not applied: nothing needs it any more",
    ] {
        assert!(json.contains(said), "{json}");
    }
}

/// Of a recipe in the user's tree, what applies to the new source is kept, the rest dropped and told.
#[test]
fn a_recipe_s_patches_are_tried_on_the_new_source() {
    let Some(bench) = Bench::new("recipe-tried", &[]) else {
        return;
    };
    let module = "ONE = 'raw'\nTWO = 'raw'\n";
    let old = Release::new("ours-tried", "1.0").flit(&format!("{module}THREE = 'raw'\n"));
    let place = "tree/pkgs/development/python-modules/ours-tried";
    old.unpack(&bench.nix.folder().join(place).join("src"));
    bench.publish(old);
    bench.publish(Release::new("ours-tried", "2.0").flit(&format!("# new\n{module}")));
    let patch = |old: &str, new: &str| {
        format!(
            "--- a/ours_tried.py\n+++ b/ours_tried.py\n@@ -1 +1 @@\n-{old} = 'raw'\n+{new} = 'patched'\n"
        )
    };
    bench
        .nix
        .write(&format!("{place}/one.patch"), &patch("ONE", "ONE"));
    bench
        .nix
        .write(&format!("{place}/three.patch"), &patch("THREE", "THREE"));
    let recipe = "{ buildPythonPackage, flit-core }:
buildPythonPackage {
  pname = \"ours-tried\";
  version = \"1.0\";
  pyproject = true;
  src = ./src;
  patches = [ ./one.patch ./three.patch ];
  postPatch = ''
    substituteInPlace ours_tried.py \\
      --replace-fail \"TWO = 'raw'\" \"TWO = 'replaced'\" \\
      --replace-fail 'FOUR' 'four'
    rm not-there.py
  '';
  build-system = [ flit-core ];
}
";
    bench.nix.write(&format!("{place}/default.nix"), recipe);
    let list = "self: super: with self; {
  ours-tried = callPackage ../development/python-modules/ours-tried { };
}
";
    bench
        .nix
        .write("tree/pkgs/top-level/python-packages.nix", list);
    bench
        .nix
        .offer("{ pythonPackages = import ./tree/pkgs/top-level/python-packages.nix; }");
    let arguments = ["ours-tried>=2", "--nixpkgs", "tree", "--json"];
    let json = bench.nix.lock(&bench.index, &arguments).unwrap();
    for said in [
        "three.patch does not apply: ours_tried.py is another there",
        "`FOUR` is not in ours_tried.py",
        "the source has no not-there.py",
    ] {
        assert!(json.contains(said), "{json}");
    }
    let text = bench.lock(&["ours-tried>=2", "--nixpkgs", "tree"]);
    assert!(text.contains("[ \"one.patch\" ]"), "{text}");
    let program = "import ours_tried as t; print(t.ONE, t.TWO)";
    assert_eq!(bench.run(program), "patched replaced");
    // what was looked at is kept: nothing has to be fetched again
    let again = ["ours-tried>=2", "--nixpkgs", "tree", "--offline"];
    assert_eq!(bench.lock(&again), text);
}

/// Each key of a fix reaches the build: what is added is there, what is removed is not required, limits
/// that the versions do not meet are dropped, inputs and the tests' switch are in the derivation.
#[test]
fn every_key_of_a_fix_is_built() {
    let Some(bench) = Bench::new("fix-keys", &[Need::Compiler]) else {
        return;
    };
    let nix = &bench.nix;
    nix.write("yaml.h", "");
    nix.write("yaml.c", "int answer(void) { return 42; }\n");
    nix.offer(
        "{ libraries.libyaml = { module = \"yaml-0.1\"; linkName = \"oursanswer\"; version = \"1.2\";
           header = builtins.readFile ./yaml.h; source = builtins.readFile ./yaml.c; }; }",
    );
    for (name, version) in [
        ("ours-more", "1.0"),
        ("ours-less", "1.0"),
        ("ours-late", "2.0"),
    ] {
        bench.publish(Release::new(name, version).flit(""));
    }
    let fixed = Release::new("ours-fixed", "1.0")
        .needs("Ours.Less")
        .needs("ours_late<2");
    bench.publish(fixed.flit("import ours_more\n"));
    nix.write(
        "pyproject.toml",
        "[project]
name = 'app'
version = '1'
dependencies = ['ours-fixed', 'ours-more', 'ours-late']
[tool.pyresolve]
overrides = ['ours-late>=2']
[tool.pyresolve.fixes.ours-fixed]
add = ['ours-more']
remove = ['ours-less']
relax = ['ours-late']
nativeBuildInputs = ['pkg-config']
buildInputs = ['libyaml']
doCheck = false
",
    );
    bench.lock(&["pyproject.toml"]);
    let of = |what: &str| {
        let set = "(import ./dependencies.nix { }).python.pkgs.ours-fixed";
        nix.evaluate(&format!("let d = {set}; in {what}")).unwrap()
    };
    assert_eq!(of("d.doInstallCheck"), false);
    assert_eq!(
        of("map (d: d.pname) d.buildInputs"),
        serde_json::json!(["libyaml"])
    );
    assert_eq!(
        of("builtins.any (d: d.name == \"pkg-config\") d.nativeBuildInputs"),
        true
    );
    assert_eq!(
        of("map (d: d.pname) d.dependencies"),
        serde_json::json!(["ours-late", "ours-more"])
    );
    bench.run("import ours_fixed");
}

/// `--prefer-wheels` takes a release's wheel although it has an sdist.
#[test]
fn a_wheel_is_built_where_it_is_preferred() {
    let Some(bench) = Bench::new("prefer-wheels", &[]) else {
        return;
    };
    let release = Release::new("ours-both", "1.5").flit("raise ImportError('from the sdist')");
    bench.index.publish(release);
    let text = bench.lock(&["ours-both", "--prefer-wheels", "ours-both"]);
    assert!(text.contains("format = \"wheel\""), "{text}");
    assert_eq!(
        bench.run("import ours_both as b; print(b.__version__)"),
        "1.5"
    );
}

/// A project in a folder of an archive (`#subdirectory=`).
#[test]
fn a_folder_of_an_archive_is_built() {
    let Some(bench) = Bench::new("archive-folder", &[]) else {
        return;
    };
    let pyproject = "[build-system]\nrequires = [\"flit-core>=3\"]\n\
        build-backend = \"flit_core.buildapi\"\n\
        [project]\nname = \"ours-part\"\nversion = \"3.1\"\ndescription = \"x\"\n";
    let whole = Release::new("ours-whole", "1.0").source(&[
        ("README", "x"),
        ("parts/one/pyproject.toml", pyproject),
        ("parts/one/ours_part.py", "PLACE = 'inside'"),
    ]);
    bench.publish(whole);
    let root = bench.index.root();
    let wanted = format!("ours-part @ {root}/files/ours_whole-1.0.tar.gz#subdirectory=parts/one\n");
    bench.nix.write("requirements.txt", &wanted);
    let text = bench.lock(&["requirements.txt"]);
    assert!(
        text.contains("sourceRoot = \"ours_whole-1.0/parts/one\""),
        "{text}"
    );
    assert_eq!(bench.run("import ours_part as p; print(p.PLACE)"), "inside");
}

/// An extension module that asks pkg-config for its library.
#[test]
fn a_native_library_is_found_through_pkg_config() {
    let needs = [Need::Setuptools, Need::Compiler];
    let Some(bench) = Bench::new("native-lock", &needs) else {
        return;
    };
    let nix = &bench.nix;
    nix.write("yaml.h", "int answer(void);\n");
    nix.write(
        "yaml.c",
        "#include <oursanswer.h>\nint answer(void) { return 42; }\n",
    );
    nix.offer(
        "{ libraries.libyaml = { module = \"yaml-0.1\"; linkName = \"oursanswer\"; version = \"1.2\";
           header = builtins.readFile ./yaml.h; source = builtins.readFile ./yaml.c; }; }",
    );
    let setup = "import shlex, subprocess
from setuptools import Extension, setup
def ask(what):
    return shlex.split(subprocess.check_output(['pkg-config', what, 'yaml-0.1'], text=True))
setup(name='ours-native', version='1.0', ext_modules=[
    Extension('ours_native', ['native.c'],
              extra_compile_args=ask('--cflags'), extra_link_args=ask('--libs'))])
";
    let module = "#include <Python.h>
#include <oursanswer.h>
static PyObject *get(PyObject *self, PyObject *none) { return PyLong_FromLong(answer()); }
static PyMethodDef methods[] = {{\"answer\", get, METH_NOARGS, \"\"}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"ours_native\", 0, -1, methods};
PyMODINIT_FUNC PyInit_ours_native(void) { return PyModule_Create(&module); }
";
    let release = Release::new("ours_native", "1.0");
    bench.publish(release.source(&[("setup.py", setup), ("native.c", module)]));
    let text = bench.lock(&["ours-native"]);
    assert!(text.contains("buildInputs = [ pkgs.libyaml ]"), "{text}");
    assert!(
        text.contains("nativeBuildInputs = [ pkgs.pkg-config ]"),
        "{text}"
    );
    assert_eq!(
        bench.run("import ours_native as n; print(n.answer())"),
        "42"
    );
}
