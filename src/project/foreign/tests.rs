//! Locks that the tools themselves wrote (`testdata/foreign`), and what tools may write besides.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::python::{System, Targets};

/// What a lock in `testdata/foreign` holds, where nothing lies beside it.
fn open(name: &str) -> Foreign {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/foreign");
    let path = folder.join(name);
    let tool = recognise(&path).unwrap();
    let foreign = super::open(&path, tool).unwrap();
    assert_eq!(foreign.project.problems, [], "{name}");
    foreign
}

fn parsed(name: &str, text: &str) -> Foreign {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    super::open(&path, recognise(&path).unwrap()).unwrap()
}

fn targets(python: [u64; 3]) -> Targets {
    Targets::new(Version::new(python), &System::DEFAULT)
}

/// The versions that hold for a Python, as `name==version`.
fn held(foreign: &Foreign, python: [u64; 3], selection: &Selection) -> Vec<String> {
    let targets = targets(python);
    let limits = foreign.limits(&targets, selection);
    let held = limits.versions.iter();
    held.filter(|r| !targets.matching(&r.marker, &[]).is_empty())
        .map(|r| format!("{}{}", r.name, r.specifiers().unwrap()))
        .collect()
}

fn dev() -> Selection {
    Selection {
        groups: BTreeSet::from(["dev".to_owned()]),
        ..Selection::default()
    }
}

fn texts(requirements: &[Requirement]) -> Vec<String> {
    requirements.iter().map(ToString::to_string).collect()
}

const COMMIT: &str = "git+https://git.test/gitdep@765e2132dd99c80ab8e72533aa1a71109735f6ef";

#[test]
fn real_locks_are_recognised_by_what_is_in_them() {
    for (name, tool) in [
        ("uv.lock", Tool::Uv),
        ("poetry-1.1.lock", Tool::Poetry),
        ("poetry-2.0.lock", Tool::Poetry),
        ("poetry-2.1.lock", Tool::Poetry),
        ("pdm-4.3.lock", Tool::Pdm),
        ("pdm-4.5.lock", Tool::Pdm),
        ("Pipfile.lock", Tool::Pipenv),
        ("pylock.uv.toml", Tool::Pylock),
    ] {
        assert_eq!(open(name).tool, tool, "{name}");
    }
}

#[test]
fn real_locks_hold_one_version_for_a_python() {
    let none = Selection::default();
    let before = ["click==8.1.8", "idna==3.20", "packaging==23.2"];
    let now = ["click==8.1.8", "idna==3.20", "packaging==26.3"];
    for name in ["uv.lock", "poetry-2.1.lock", "pylock.uv.toml"] {
        let foreign = open(name);
        let of = |python| {
            let mut held = held(&foreign, python, &none);
            // Of these only some of the locks tell that they are not always needed.
            let others = ["colorama", "pluggy", "toml"];
            held.retain(|pin| !others.iter().any(|name| pin.starts_with(name)));
            held
        };
        assert_eq!(of([3, 11, 14]), before, "{name}");
        assert_eq!(of([3, 13, 12]), now, "{name}");
    }
    // Here nothing tells which version is for whom, so that neither is forced.
    for name in ["poetry-1.1.lock", "poetry-2.0.lock"] {
        let limits = open(name).limits(&targets([3, 13, 12]), &none);
        let packaging = &limits.pinned[&"packaging".parse().unwrap()];
        assert_eq!(packaging.len(), 2, "{name}");
        let mut names = limits.versions.iter().map(|r| r.name.as_ref());
        assert!(names.all(|name| name != "packaging"));
    }
}

#[test]
fn real_locks_have_digests_and_sources() {
    for name in [
        "uv.lock",
        "poetry-1.1.lock",
        "poetry-2.0.lock",
        "poetry-2.1.lock",
        "pdm-4.3.lock",
        "pdm-4.5.lock",
        "pylock.uv.toml",
        "Pipfile.lock",
    ] {
        let foreign = open(name);
        let limits = foreign.limits(&targets([3, 13, 12]), &dev());
        let click = &limits.pinned[&"click".parse().unwrap()];
        let files = &click[&"8.1.8".parse().unwrap()].files;
        let sdist = "ed53c9d8990d83c2a27deae68e4ee337473f6330c040a31d4225c9574d16096a";
        let named = files.iter().find(|f| f.sha256.unwrap().hex() == sdist);
        let named = named.unwrap().name.as_deref();
        let expected = (foreign.tool != Tool::Pipenv).then_some("click-8.1.8.tar.gz");
        assert_eq!(named, expected, "{name}");
        if foreign.tool != Tool::Pdm {
            assert_eq!(limits.sources.len(), 1, "{name}");
            assert_eq!(limits.sources[0].to_string(), format!("gitdep @ {COMMIT}"));
        }
    }
}

#[test]
fn real_locks_tell_what_is_required() {
    let uv = open("uv.lock").project;
    assert_eq!(
        texts(&uv.dependencies),
        [
            "click<8.2",
            "colorama; sys_platform == 'win32'",
            "gitdep",
            "packaging<24; python_full_version < '3.12'",
            "packaging>=24; python_full_version >= '3.12'"
        ]
    );
    assert_eq!(texts(&uv.groups["dev"]), ["pluggy"]);
    assert_eq!(texts(&uv.optional[&"toml".parse().unwrap()]), ["toml"]);
    let poetry = open("poetry-2.1.lock").project;
    let names: Vec<_> = poetry
        .dependencies
        .iter()
        .map(|r| r.name.as_ref())
        .collect();
    assert_eq!(names, ["click", "gitdep", "packaging", "packaging"]);
    assert_eq!(texts(&poetry.groups["dev"]), ["pluggy"]);
    assert_eq!(texts(&poetry.optional[&"toml".parse().unwrap()]), ["toml"]);
    let pipenv = open("Pipfile.lock").project;
    assert!(texts(&pipenv.dependencies).contains(&"gitdep".to_owned()));
    // pipenv pins what is required here only for another system to nothing.
    assert!(texts(&pipenv.dependencies).contains(&"colorama; sys_platform == 'win32'".to_owned()));
    let pdm = open("pdm-4.5.lock").project;
    assert_eq!(texts(&pdm.groups["dev"]), ["pluggy"]);
}

#[test]
fn markers_by_group_hold_for_the_groups_that_are_chosen() {
    let lock = parsed(
        "poetry.lock",
        "[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"main\"]\nmarkers = {main = \"sys_platform == 'darwin'\"}\n\
         [[package]]\nname = \"a\"\nversion = \"2\"\ngroups = [\"main\", \"dev\"]\nmarkers = {main = \"sys_platform == 'linux'\"}\n\
         [metadata]\nlock-version = \"2.1\"\n",
    );
    let of = |selection: &Selection| {
        let limits = lock.limits(&targets([3, 13, 12]), selection);
        texts(&limits.versions)
    };
    assert_eq!(
        of(&Selection::default()),
        [
            "a==1; sys_platform == 'darwin'",
            "a==2; sys_platform == 'linux'"
        ]
    );
    // With the group, both would do on macOS.
    assert_eq!(of(&dev()), [] as [&str; 0]);
}

#[test]
fn members_of_a_workspace_that_are_no_packages_stand_for_what_they_require() {
    let member = |name: &str, kind: &str, needs: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ {kind} = \"packages/{name}\" }}\n\
             [package.metadata]\nrequires-dist = [{needs}]\n"
        )
    };
    let released = |name: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = {{ registry = \"x\" }}\n"
        )
    };
    let packages = [
        member("app", "editable", "{ name = \"flask\" }"),
        member(
            "jobs",
            "virtual",
            "{ name = \"redis\" }, { name = \"tools\", virtual = \"packages/tools\", marker = \"sys_platform == 'linux'\" }",
        ),
        member(
            "tools",
            "virtual",
            "{ name = \"click\" }, { name = \"jobs\", virtual = \"packages/jobs\" }",
        ),
        released("click"),
        released("flask"),
        released("redis"),
    ]
    .concat();
    let head = "version = 1\nrequires-python = \">=3.13\"\n";
    let all = "[manifest]\nmembers = [\"app\", \"jobs\", \"tools\"]\n";
    let lock = parsed("uv.lock", &format!("{head}{all}{packages}"));
    let names = |lock: &Foreign| -> BTreeSet<String> {
        let all = lock.project.dependencies.iter();
        all.map(|requirement| requirement.name.to_string())
            .collect()
    };
    assert_eq!(
        names(&lock),
        ["app", "click", "redis"].map(str::to_owned).into()
    );
    assert!(lock.pins.iter().all(|pin| pin.name.as_ref() != "jobs"));
    // Where there is a project at the lock's place, members count as far as it requires them.
    let own = "[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n[package.metadata]\n\
        requires-dist = [{ name = \"tools\", virtual = \"packages/tools\" }]\n";
    let lock = parsed("uv.lock", &format!("{head}{all}{own}{packages}"));
    assert_eq!(names(&lock), ["click", "redis"].map(str::to_owned).into());
}

#[test]
fn extras_that_exclude_each_other_choose() {
    let text = "version = 1\nrequires-python = \">=3.11\"\n\
        [[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n[package.metadata]\nprovides-extras = [\"old\", \"new\"]\n\
        [[package]]\nname = \"a\"\nversion = \"1\"\nsource = { registry = \"x\" }\nresolution-markers = [\"extra == 'extra-3-own-old' and extra != 'extra-3-own-new'\"]\n\
        [[package]]\nname = \"a\"\nversion = \"2\"\nsource = { registry = \"x\" }\nresolution-markers = [\"extra != 'extra-3-own-old' and extra == 'extra-3-own-new'\"]\n";
    let lock = parsed("uv.lock", text);
    let with = |extra: &str| Selection {
        extras: BTreeSet::from([extra.parse().unwrap()]),
        ..Selection::default()
    };
    assert_eq!(held(&lock, [3, 13, 12], &with("old")), ["a==1"]);
    assert_eq!(held(&lock, [3, 13, 12], &with("new")), ["a==2"]);
    let text = "lock-version = \"1.0\"\ncreated-by = \"x\"\ndependency-groups = [\"dev\"]\ndefault-groups = []\n\
        [[packages]]\nname = \"a\"\nversion = \"1\"\nmarker = \"'dev' not in dependency_groups\"\n\
        [[packages]]\nname = \"a\"\nversion = \"2\"\nmarker = \"'dev' in dependency_groups\"\n";
    let lock = parsed("pylock.toml", text);
    assert_eq!(held(&lock, [3, 13, 12], &Selection::default()), ["a==1"]);
    assert_eq!(held(&lock, [3, 13, 12], &dev()), ["a==2"]);
}

#[test]
fn repositories_and_archives_are_named_as_requirements_do() {
    let address = |repository: &str, folder: Option<&str>| {
        let commit = "a".repeat(40);
        let git = Git {
            repository,
            commit: &commit,
            subdirectory: folder,
        };
        git.address(Path::new(""))
            .map(|url| url.to_string().replace(&commit, "COMMIT"))
    };
    assert_eq!(
        address("https://host.test/a?rev=main", Some("python")).unwrap(),
        "git+https://host.test/a@COMMIT#subdirectory=python"
    );
    assert_eq!(
        address("git@host.test:me/a.git", None).unwrap(),
        "git+ssh://git@host.test/me/a.git@COMMIT"
    );
    let lock = parsed(
        "uv.lock",
        &format!(
            "version = 1\nrequires-python = \">=3\"\n[[package]]\nname = \"a\"\nversion = \"1\"\n\
             source = {{ url = \"https://host.test/a-1.tar.gz\" }}\nsdist = {{ hash = \"sha256:{}\" }}\n",
            "b".repeat(64)
        ),
    );
    let sources = lock
        .limits(&targets([3, 13, 12]), &Selection::default())
        .sources;
    let shown = format!("a @ https://host.test/a-1.tar.gz#sha256={}", "b".repeat(64));
    assert_eq!(texts(&sources), [shown]);
    assert!(address("https://host.test/a", None).is_ok());
    assert_eq!(
        file_name("https://h.test/x/a-1%2Bcpu.whl#f").as_deref(),
        Some("a-1+cpu.whl")
    );
}

#[test]
fn what_nobody_can_use_is_a_problem_with_its_place() {
    for (name, text, line) in [
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nsource = { svn = \"x\" }\n",
            4,
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nsource = { git = \"https://h.test/a\" }\n",
            4,
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\nresolution-markers = [\"nonsense\"]\nsource = { registry = \"x\" }\n",
            5,
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nvcs = { type = \"hg\", url = \"x\" }\n",
            4,
        ),
        (
            "poetry.lock",
            "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.source]\ntype = \"other\"\n[metadata]\nlock-version = \"2.1\"\n",
            4,
        ),
        (
            "Pipfile.lock",
            "{ \"_meta\": { \"pipfile-spec\": 6 }, \"default\": {\n\"a\": { \"version\": \">=1\" } } }",
            2,
        ),
        (
            "pdm.lock",
            "[metadata]\nlock_version = \"4.5\"\n[[package]]\nname = \"!\"\n",
            4,
        ),
    ] {
        let problems = parsed(name, text).project.problems;
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        let (found, _) = problems[0].origin.as_ref().unwrap().line_column();
        assert_eq!(found, line, "{name}: {problems:?}");
    }
}

#[test]
fn cut_locks_never_panic() {
    for name in [
        "uv.lock",
        "poetry-2.1.lock",
        "pdm-4.5.lock",
        "Pipfile.lock",
        "pylock.uv.toml",
    ] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/foreign");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let file = match name {
            "poetry-2.1.lock" => "poetry.lock",
            "pdm-4.5.lock" => "pdm.lock",
            name => name,
        };
        for end in (0..text.len())
            .step_by(41)
            .filter(|end| text.is_char_boundary(*end))
        {
            parsed(file, &text[..end]);
        }
    }
}
