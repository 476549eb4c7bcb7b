//! Changes of nixpkgs itself: modules that are written into a small tree, byte for byte, committed,
//! and accepted by real Nix.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pyresolve::nix::nar::Node;
use pyresolve::python::Sha256;

use crate::support::forge::Forge;
use crate::support::nix::Nix;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/contribute")
        .join(path)
}

const FLIT: &str =
    "[build-system]\nrequires = [\"flit-core>=3\"]\nbuild-backend = \"flit_core.buildapi\"\n";

fn app(version: &str) -> Release {
    let toml = format!(
        "{FLIT}[project]\nname = \"zz-app\"\nversion = \"{version}\"\n\
         dependencies = [\"zz-leaf>=1\", \"zz-native\", \"redis\"]\n\
         [project.optional-dependencies]\ncli = [\"click\"]\n\
         test = [\"pytest>=8\", \"pytest-cov\", \"pytest-mock\", \"ruff\", \"zz-absent\", \"redis\"]\n\
         [project.scripts]\nzz-app = \"zz_app:main\"\n"
    );
    Release::new("zz-app", version)
        .needs("zz-leaf>=1")
        .needs("zz-native")
        .needs("redis")
        .needs("click; extra == 'cli'")
        .needs("pytest>=8; extra == 'test'")
        .needs("zz-absent; extra == 'test'")
        .headers(&[
            "Summary: A tool for the ${zz} service.",
            "License-Expression: Apache-2.0 OR MIT",
            "Project-URL: Homepage, https://zz.test/app",
            &format!("Project-URL: Changelog, https://zz.test/app/changes/v{version}.html"),
        ])
        .source(&[
            ("pyproject.toml", &toml),
            ("zz_app/__init__.py", "def main(): pass\n"),
            ("tests/test_app.py", "import zz_app\n"),
        ])
}

/// An index with a project that needs two that the tree lacks, one of them native, one of them under
/// a licence that its metadata does not tell for certain; and a copy of the tree.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let leaf = Release::new("zz-leaf", "1.0").headers(&[
        "Summary: zz-leaf is the leaf of things",
        "Classifier: License :: OSI Approved :: BSD License",
        "Home-page: https://zz.test/leaf",
    ]);
    let leaf = leaf.source(&[
        (
            "pyproject.toml",
            &format!("{FLIT}[project]\nname = \"zz-leaf\"\nversion = \"1.0\"\n"),
        ),
        ("zz_leaf.py", "LEAF = 1\n"),
        (
            "LICENSE",
            "Redistribution and use in source and binary forms\n",
        ),
    ]);
    let setup = "from setuptools import Extension, setup\n\
        setup(name='zz-native', version='0.3', packages=['zz_native'],\n\
        ext_modules=[Extension('zz_native.core', ['core.c'], libraries=['z', 'm'])])\n";
    let native = Release::new("zz-native", "0.3").source(&[
        ("setup.py", setup),
        ("core.c", ""),
        ("zz_native/__init__.py", ""),
        ("tests/test_native.py", "import unittest\n"),
    ]);
    for release in [app("1.2.0"), leaf, native] {
        workshop.index.publish(release);
    }
    for release in existing() {
        workshop.index.publish(release);
    }
    for (name, version) in [("redis", "7.2.1"), ("click", "8.3.1"), ("zlib", "0.1")] {
        workshop
            .index
            .publish(Release::new(name, version).flit("'x'"));
    }
    fs::create_dir_all(workshop.path("")).unwrap();
    copy(&data("tree"), &workshop.path("nixpkgs"));
    workshop
}

/// Releases of what the tree has, at its versions and newer ones.
fn existing() -> Vec<Release> {
    let release = Release::new;
    let setuptools = |name: &str, version: &str, dependencies: &str| {
        let toml = format!(
            "[build-system]\nrequires = [\"setuptools>=61\"]\n[project]\nname = \"{name}\"\n\
             version = \"{version}\"\ndependencies = {dependencies}\n"
        );
        let file = format!("{}.py", name.replace('-', "_"));
        release(name, version).source(&[("pyproject.toml", &toml), (&file, "")])
    };
    let patched = |version: &str, module: &str, flit: &str| {
        let toml = format!(
            "[build-system]\nrequires = [\"{flit}\"]\nbuild-backend = \"flit_core.buildapi\"\n\
             [project]\nname = \"zz-patched\"\nversion = \"{version}\"\n"
        );
        let files = [("pyproject.toml", toml.as_str()), ("zz_patched.py", module)];
        release("zz-patched", version).source(&files)
    };
    vec![
        release("zz-modern", "1.0")
            .needs("click")
            .needs("redis")
            .flit("'x'"),
        setuptools(
            "zz-modern",
            "1.1",
            "[\"redis>=99\", \"zlib\", \"pytest-mock; sys_platform == 'linux'\"]",
        )
        .needs("redis>=99")
        .needs("zlib")
        .needs("pytest-mock; sys_platform == 'linux'"),
        setuptools("zz-modern", "2.0rc1", "[]"),
        release("zz-modern", "1.2").flit("'x'").yanked("broken"),
        setuptools("zz-old", "0.9", "[\"redis\"]").needs("redis"),
        setuptools("zz-old", "1.0", "[\"click\", \"zlib\"]")
            .needs("click")
            .needs("zlib"),
        setuptools("zz-forge", "2.0", "[]"),
        setuptools("zz-forge", "2.1", "[\"redis\"]").needs("redis"),
        patched("3.0", "ONE = 1\nTWO = 2\nGONE = 3\n", "flit-core==3"),
        patched("3.1", "ONE = 1\nTWO = 2\n", "flit-core>=3"),
        release("zz-pinner", "1.0")
            .needs("zz_modern<1.1")
            .flit("'x'"),
        release("zz-computed", "1.0").flit("'x'"),
        release("zz-computed", "1.1").flit("'x'"),
        release("pytest-mock", "3.15.1").flit("'x'"),
    ]
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every file below a folder with its text, in order.
fn tree(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != ".git") {
                    folders.push(path);
                }
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn nixpkgs(workshop: &Workshop, arguments: &[&str]) -> Output {
    let arguments = [&["nixpkgs"], arguments, &["--nixpkgs", "nixpkgs"]].concat();
    let mut command = workshop.command(&arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.output().unwrap()
}

fn module(workshop: &Workshop, attr: &str) -> String {
    workshop.read(&format!(
        "nixpkgs/pkgs/development/python-modules/{attr}/default.nix"
    ))
}

const LIST: &str = "nixpkgs/pkgs/top-level/python-packages.nix";

/// The sdists of the workshop whose digests stand in modules.
const SDISTS: [&str; 6] = [
    "zz_modern-1.1.tar.gz",
    "zz_old-1.0.tar.gz",
    "zz_patched-3.1.tar.gz",
    "zz_app-1.2.0.tar.gz",
    "zz_leaf-1.0.tar.gz",
    "zz_native-0.3.tar.gz",
];

/// The text without what differs from run to run: the address and the digests of the test's index.
fn lasting(workshop: &Workshop, text: &str) -> String {
    let mut text = text.replace(&workshop.index.root(), "http://index.test");
    for name in SDISTS {
        let digest = Sha256::of(&workshop.index.file(name).bytes).sri();
        text = text.replace(&digest, &format!("sha256 of {name}"));
    }
    text
}

/// Compares with what the test data expect, or writes that.
fn expect(workshop: &Workshop, place: &str, text: &str) {
    assert_eq!(
        nixfmt_rs::format(text).unwrap(),
        text,
        "nixfmt would change {place}"
    );
    let text = lasting(workshop, text);
    let path = data(place);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{place}");
}

/// Whether git is here, told who commits in the workshop.
fn with_git(workshop: &Workshop) -> bool {
    let identity =
        "[user]\n\tname = Zora\n\temail = zora@host.test\n[init]\n\tdefaultBranch = master\n";
    fs::write(workshop.folder.path().join(".gitconfig"), identity).unwrap();
    if git(workshop, &["init", "-q"]).is_none() {
        eprintln!("skipped: there is no git");
        return false;
    }
    git(workshop, &["add", "-A"]);
    git(workshop, &["commit", "-q", "-m", "start"]);
    true
}

fn git(workshop: &Workshop, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(workshop.path("nixpkgs"))
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env(
            "GIT_CONFIG_GLOBAL",
            workshop.folder.path().join(".gitconfig"),
        )
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .ok()?;
    assert!(output.status.success(), "git {arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn init_writes_what_is_missing_in_the_form_that_reviewers_expect() {
    let workshop = workshop();
    let output = nixpkgs(
        &workshop,
        &["init", "zz-app", "--no-input", "--maintainer", "zz-person"],
    );
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for line in [
        "Prepared zz-app for nixpkgs 26.11, with 2 that it needs and nixpkgs lacks",
        "zz-absent (the extra test), which this nixpkgs lacks",
        "open: pkgs/development/python-modules/zz-leaf/default.nix: the licence: the classifier says `BSD License`",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    for attr in ["zz-app", "zz-leaf", "zz-native"] {
        expect(
            &workshop,
            &format!("init/{attr}.nix"),
            &module(&workshop, attr),
        );
    }
    expect(&workshop, "init/python-packages.nix", &workshop.read(LIST));
}

#[test]
fn init_commits_each_package_after_those_it_needs() {
    let workshop = workshop();
    if !with_git(&workshop) {
        return;
    }
    let open = nixpkgs(&workshop, &["init", "zz-app", "--commit"]);
    assert_eq!(open.status.code(), Some(1), "{}", stderr(&open));
    assert_eq!(git(&workshop, &["log", "--format=%s"]).unwrap(), "start");
    let arguments = [
        "init",
        "zz-app==1.2.0",
        "--commit",
        "--license",
        "zz-leaf=BSD-3-Clause",
    ];
    let output = nixpkgs(&workshop, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let log = git(
        &workshop,
        &["log", "--reverse", "--format=%s|%an", "--name-only"],
    )
    .unwrap();
    let lines: Vec<&str> = log.lines().filter(|l| l.contains('|')).collect();
    assert_eq!(
        lines,
        [
            "start|Zora",
            "python3Packages.zz-leaf: init at 1.0|Zora",
            "python3Packages.zz-native: init at 0.3|Zora",
            "python3Packages.zz-app: init at 1.2.0|Zora",
        ]
    );
    assert_eq!(git(&workshop, &["status", "--porcelain"]).unwrap(), "");
    let first = git(
        &workshop,
        &["show", "HEAD~2:pkgs/top-level/python-packages.nix"],
    )
    .unwrap();
    assert!(
        first.contains("  zz-leaf = ") && !first.contains("zz-native"),
        "{first}"
    );
    assert!(module(&workshop, "zz-leaf").contains("license = lib.licenses.bsd3;"));
}

#[test]
fn nothing_is_written_where_something_is_wrong() {
    let workshop = workshop();
    workshop.index.publish(
        Release::new("zz-strict", "1.0")
            .needs("redis>=8")
            .flit("'x'"),
    );
    workshop
        .index
        .publish(Release::new("redis", "8.0").flit("'x'"));
    let before = tree(&workshop.path("nixpkgs"));
    for (arguments, code, why) in [
        (
            vec!["init", "redis"],
            2,
            "`redis` is in this nixpkgs already: `redis` 7.2.1",
        ),
        (
            vec!["init", "zz-leaf", "--maintainer", "nobody"],
            2,
            "has no `nobody`",
        ),
        (vec!["init", "zz-leaf", "--commit"], 2, "git rev-parse"),
        (
            vec!["init", "zz-leaf>=1"],
            2,
            "neither NAME nor NAME==VERSION",
        ),
        (vec!["init", "zz-leaf==9"], 1, "cannot be satisfied"),
        (
            vec!["init", "zz-nowhere"],
            1,
            "no index has a project named zz-nowhere",
        ),
        (
            vec!["init", "zz-leaf", "--license", "zz-leaf=BSD"],
            2,
            "no SPDX expression",
        ),
        (
            vec!["init", "zz-strict"],
            1,
            "zz-strict 1.0 needs redis>=8, and this nixpkgs has 7.2.1",
        ),
    ] {
        let output = nixpkgs(&workshop, &arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}");
        assert!(told.contains(why), "{arguments:?}\n{told}");
        assert_eq!(tree(&workshop.path("nixpkgs")), before, "{arguments:?}");
    }
    let other = workshop.run(&["nixpkgs", "init", "zz-leaf", "--nixpkgs", "."]);
    assert_eq!(other.status.code(), Some(2));
    assert!(
        stderr(&other).contains("`.` is not a checkout of nixpkgs"),
        "{}",
        stderr(&other)
    );
    if with_git(&workshop) {
        let list = workshop.read(LIST);
        workshop.write(LIST, &list.replace("# needed", "# wanted"));
        let dirty = nixpkgs(&workshop, &["init", "zz-leaf", "--commit"]);
        assert_eq!(dirty.status.code(), Some(2));
        assert!(
            stderr(&dirty).contains("not committed"),
            "{}",
            stderr(&dirty)
        );
        workshop.write(LIST, "{ }\n");
        let list = nixpkgs(&workshop, &["init", "zz-leaf", "--license", "zz-leaf=MIT"]);
        assert_eq!(list.status.code(), Some(2));
        assert!(
            stderr(&list).contains("it lists nothing"),
            "{}",
            stderr(&list)
        );
    }
}

#[test]
fn limits_are_dropped_where_that_is_asked_for() {
    let workshop = workshop();
    workshop.index.publish(
        Release::new("zz-strict", "1.0")
            .needs("Redis>=8")
            .flit("'x'"),
    );
    workshop
        .index
        .publish(Release::new("redis", "8.0").flit("'x'"));
    let output = nixpkgs(&workshop, &["init", "zz-strict", "--relax"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = module(&workshop, "zz-strict");
    let relaxed =
        "  # nixpkgs has redis 7.2.1, this needs redis>=8\n  pythonRelaxDeps = [ \"Redis\" ];\n";
    assert!(text.contains(relaxed), "{text}");
}

#[test]
fn a_dry_run_shows_the_change_and_the_text_says_who_answers() {
    let workshop = workshop();
    let before = tree(&workshop.path("nixpkgs"));
    let output = nixpkgs(
        &workshop,
        &["init", "zz-native", "--dry-run", "--pr-body=body.md"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(tree(&workshop.path("nixpkgs")), before);
    let diff = String::from_utf8(output.stdout).unwrap();
    assert!(
        diff.contains("+++ b/pkgs/development/python-modules/zz-native/default.nix"),
        "{diff}"
    );
    assert!(diff.contains("+  zz-native = callPackage"), "{diff}");
    let body = workshop.read("body.md");
    assert!(
        body.starts_with("# python3Packages.zz-native: init at 0.3\n"),
        "{body}"
    );
    assert!(
        body.contains("has neither built nor tested anything"),
        "{body}"
    );
}

#[test]
fn real_nix_evaluates_and_builds_the_modules() {
    let Some(nix) = Nix::start("contribute", &[]) else {
        return;
    };
    let workshop = workshop();
    let licence = ["init", "zz-app", "--license", "zz-leaf=BSD-3-Clause"];
    let output = nixpkgs(&workshop, &licence);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    copy(&workshop.path("nixpkgs"), &nix.folder().join("tree"));
    nix.offer(
        "{ pythonPackages = self: super: \
           removeAttrs (import ./tree/pkgs/top-level/python-packages.nix self super) [ \"flit-core\" ]; \
           libraries.zlib = { module = \"zlib\"; linkName = \"z\"; version = \"1\"; \
             header = \"\"; source = \"\"; }; }",
    );
    let expression = "let pkgs = import <nixpkgs> { }; python = pkgs.python3; in \
        map (name: let p = python.pkgs.${name}; in [ p.pname p.version p.drvPath p.meta.description ]) \
        [ \"zz-leaf\" \"zz-app\" ]";
    let value = nix.evaluate(expression).unwrap();
    assert_eq!(value[1][0], "zz-app");
    assert_eq!(value[1][3], "Tool for the ${zz} service");
    nix.write(
        "leaf.nix",
        "{ env = (import <nixpkgs> { }).python3.withPackages (ps: [ ps.zz-leaf ]); }",
    );
    let env = nix.build("leaf.nix", "env").unwrap();
    assert_eq!(
        nix.python(&env, "import zz_leaf; print(zz_leaf.LEAF)")
            .unwrap(),
        "1"
    );
}

#[test]
fn update_changes_what_changed_upstream_and_nothing_else() {
    let workshop = workshop();
    let hash = format!("--hash=sha256-{}=", "Q".repeat(43));
    let cases: [(&str, &[&str], &[&str]); 4] = [
        (
            "zz-modern",
            &[],
            &[
                "python3Packages.zz-modern: 1.0 -> 1.1",
                "dependencies gained pytest-mock, zlib",
                "dependencies lost click",
                "build-system gained setuptools",
                "`pytest-mock` is needed only where",
                "it needs redis>=99, and this nixpkgs has 7.2.1",
                "`zz-pinner` 1.0 needs zz-modern<1.1",
            ],
        ),
        ("zz-old", &[], &["line 12 still names 0.9"]),
        ("zz-forge", &[&hash], &["dependencies gained redis"]),
        ("zz-patched", &[], &["stale.patch", "flit-core==3"]),
    ];
    for (attr, arguments, sentences) in cases {
        let output = nixpkgs(&workshop, &[&["update", attr], arguments].concat());
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{told}");
        for sentence in sentences {
            assert!(told.contains(sentence), "{sentence}\n{told}");
        }
        let text = module(&workshop, attr);
        if attr == "zz-old" {
            // Its format is its own, and stays so.
            let path = data("update/zz-old.nix");
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, lasting(&workshop, &text)).unwrap();
            }
            assert_eq!(
                lasting(&workshop, &text),
                fs::read_to_string(&path).unwrap()
            );
        } else {
            expect(&workshop, &format!("update/{attr}.nix"), &text);
        }
    }
    let again = nixpkgs(&workshop, &["update", "zz-modern"]);
    assert!(
        stderr(&again).contains("Nothing to do"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn update_refuses_what_it_cannot_do_and_writes_nothing() {
    let workshop = workshop();
    let absent = Release::new("click", "9.0").needs("zz-leaf").flit("'x'");
    workshop.index.publish(absent);
    let before = tree(&workshop.path("nixpkgs"));
    for (arguments, code, why) in [
        (
            vec!["update", "zz-leaf"],
            2,
            "neither a project nor an attribute `zz-leaf`",
        ),
        (
            vec!["update", "zz-computed"],
            2,
            "zz-computed/default.nix`: its version is computed",
        ),
        (
            vec!["update", "zz-forge==2.1"],
            2,
            "`--hash` tells the digest",
        ),
        (
            vec!["update", "zz-forge", "--hash", "sha256-x"],
            2,
            "no sha256 as Nix writes it",
        ),
        (
            vec!["update", "zz-modern==7"],
            1,
            "the index has no release 7",
        ),
        (
            vec!["update", "click"],
            1,
            "needs zz-leaf, which this nixpkgs lacks",
        ),
    ] {
        let output = nixpkgs(&workshop, &arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{told}");
        assert!(told.contains(why), "{arguments:?}\n{told}");
        assert_eq!(tree(&workshop.path("nixpkgs")), before, "{arguments:?}");
    }
}

#[test]
fn an_update_is_one_commit() {
    let workshop = workshop();
    if !with_git(&workshop) {
        return;
    }
    let output = nixpkgs(
        &workshop,
        &["update", "zz-patched", "--commit", "--pr-body"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let subject = git(&workshop, &["log", "-1", "--format=%s"]).unwrap();
    assert_eq!(subject, "python3Packages.zz-patched: 3.0 -> 3.1");
    let changed = git(&workshop, &["show", "--name-only", "--format="]).unwrap();
    assert_eq!(
        changed,
        "pkgs/development/python-modules/zz-patched/default.nix"
    );
    assert_eq!(git(&workshop, &["status", "--porcelain"]).unwrap(), "");
    let body = String::from_utf8(output.stdout).unwrap();
    assert!(body.contains("- [ ] zz-patched: "), "{body}");
}

#[test]
fn what_init_writes_is_found_good_and_what_is_wrong_has_its_place() {
    let workshop = workshop();
    let arguments = [
        "init",
        "zz-app",
        "--maintainer",
        "zz-person",
        "--license",
        "zz-leaf=MIT",
    ];
    assert_eq!(nixpkgs(&workshop, &arguments).status.code(), Some(0));
    let path = |attr: &str| format!("nixpkgs/pkgs/development/python-modules/{attr}/default.nix");
    let files = ["zz-app", "zz-leaf", "zz-native"].map(path);
    let files: Vec<&str> = files.iter().map(String::as_str).chain([LIST]).collect();
    // Nobody told the native one's homepage; that is advice, and true.
    let good =
        workshop.run(&[&["nixpkgs", "lint", "--allow", "meta-homepage"], &files[..]].concat());
    let told = String::from_utf8(good.stdout.clone()).unwrap();
    assert_eq!(good.status.code(), Some(0), "{told}{}", stderr(&good));
    let old = path("zz-old");
    let lint = |more: &[&str]| {
        let output = workshop.run(&[&["nixpkgs", "lint", &old], more].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = lint(&[]);
    let line = format!("{old}:4:11: error[name] `Zz-Old` is not the project's normalised name;");
    assert!(text.contains(&line), "{text}");
    let json: serde_json::Value = serde_json::from_str(&lint(&["--json"])).unwrap();
    let rules: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["rule"].as_str())
        .collect();
    for rule in [
        "final-attrs",
        "format-deprecated",
        "formatting",
        "hash",
        "meta-with-lib",
    ] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    let github = lint(&["--annotate", "github"]);
    assert!(
        github.contains(&format!(
            "::error file={old},line=4,col=11,title=pyresolve%3A name::"
        )),
        "{github}"
    );
    let gitlab: serde_json::Value = serde_json::from_str(&lint(&["--annotate", "gitlab"])).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], old.as_str());
    assert!(!lint(&["--allow", "name"]).contains("error[name]"));
    for (arguments, code) in [
        (["nixpkgs", "lint", "nowhere.nix"], 2),
        (["nixpkgs", "lint", "--allow=x"], 2),
    ] {
        assert_eq!(
            workshop.run(&arguments).status.code(),
            Some(code),
            "{arguments:?}"
        );
    }
}

/// The digest of a tree, as `fetchFromGitHub` has it.
fn digest(files: &[(&str, &str)]) -> String {
    let mut root = Node::folder();
    for (path, text) in files {
        let file = Node::File {
            executable: false,
            content: text.as_bytes(),
        };
        assert!(root.put(path.as_bytes(), file));
    }
    Sha256(root.sha256()).sri()
}

#[test]
fn sources_on_the_forge_are_found_by_their_tags() {
    let workshop = workshop();
    let Some(forge) = Forge::start(&workshop.path("forge")) else {
        eprintln!("skipped: git cannot serve repositories");
        return;
    };
    let host = ["https://github", "com"].join(".");
    let config = format!("[url \"{}\"]\n\tinsteadOf = {host}/\n", forge.address);
    fs::write(workshop.folder.path().join(".gitconfig"), config).unwrap();
    let toml = format!("{FLIT}[project]\nname = \"zz-hub\"\nversion = \"1.0\"\n");
    let hub = Release::new("zz-hub", "1.0").headers(&[
        "Summary: Hub of things",
        "License-Expression: MIT",
        &format!("Project-URL: Source, {host}/zz-nobody/zz-hub"),
    ]);
    let hub = hub.source(&[("pyproject.toml", &toml), ("zz_hub/__init__.py", "")]);
    workshop.index.publish(hub);
    let files = [
        ("pyproject.toml", toml.as_str()),
        ("zz_hub/__init__.py", ""),
        ("tests/test_hub.py", "import pytest\n"),
    ];
    forge.publish("zz-nobody/zz-hub", "v1.0", &files);
    let output = nixpkgs(&workshop, &["init", "zz-hub", "--source", "github"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = module(&workshop, "zz-hub");
    assert!(
        text.contains(&format!("hash = \"{}\";", digest(&files))),
        "{text}"
    );
    expect(&workshop, "init/zz-hub.nix", &text);
    let newer = [
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"setuptools\"]\n[project]\nname = \"zz-forge\"\nversion = \"2.1\"\n",
        ),
        ("zz_forge.py", ""),
    ];
    forge.publish("zz-nobody/zz-forge", "v2.1", &newer);
    let output = nixpkgs(&workshop, &["update", "zz-forge"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = module(&workshop, "zz-forge");
    assert!(text.contains("tag = \"v${version}\";"), "{text}");
    assert!(
        text.contains(&format!("hash = \"{}\";", digest(&newer))),
        "{text}"
    );
    // Where there is no tag, the sdist is the source, and that is said.
    let output = nixpkgs(&workshop, &["init", "zz-native", "--source", "github"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(
        told.contains("the source is the index': the metadata names no repository"),
        "{told}"
    );
}
