use super::*;

/// A project from its files' texts.
pub(super) fn tree(files: &[(&str, &str)]) -> Archive {
    let files = files.iter().map(|(path, text)| (*path, text.as_bytes()));
    Archive::from_files("demo", files).unwrap()
}

pub(super) fn folder(files: &[(&str, &str)]) -> Project {
    read(&tree(files), &Hint::Folder).unwrap()
}

pub(super) fn sdist(files: &[(&str, &str)]) -> Project {
    read(&tree(files), &Hint::Distribution).unwrap()
}

pub(super) fn requires(project: &Project) -> Vec<String> {
    project
        .requires_dist()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn texts(requirements: &[Requirement]) -> Vec<String> {
    requirements.iter().map(ToString::to_string).collect()
}

#[test]
fn a_project_table_is_read_with_places() {
    let text = r#"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "Demo.Client"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["alpha>=1", "beta[x]; sys_platform == 'linux'"]
license = "MIT"

[project.optional-dependencies]
More_Things = ["gamma"]

[project.scripts]
demo = "demo:main"

[dependency-groups]
test = ["pytest", {include-group = "Lint_Tools"}]
lint-tools = ["ruff"]
loop = [{include-group = "loop"}]
"#;
    let project = folder(&[("pyproject.toml", text)]);
    assert_eq!(project.name.as_ref().unwrap().as_ref(), "demo-client");
    assert_eq!(
        requires(&project),
        [
            "alpha>=1",
            "beta[x]; sys_platform == 'linux'",
            "gamma; extra == 'more-things'"
        ]
    );
    assert_eq!(texts(&project.groups["test"]), ["pytest", "ruff"]);
    assert_eq!(
        project.build_system.backend.as_deref(),
        Some("hatchling.build")
    );
    assert_eq!(project.about.license_expression.as_deref(), Some("MIT"));
    assert_eq!(
        project.entry_points["console_scripts"],
        [("demo".into(), "demo:main".into())]
    );
    assert_eq!(project.evaluated, Evaluated::Static);
    let origin = project.dependencies[1].origin.as_ref().unwrap();
    assert_eq!(
        (origin.line_column(), origin.text()),
        ((10, 29), "\"beta[x]; sys_platform == 'linux'\"")
    );
    assert_eq!(project.problems.len(), 1);
    assert_eq!(project.problems[0].what, "the group `loop` includes itself");
}

#[test]
fn what_is_wrong_in_the_users_file_is_told_with_its_place() {
    let text = "[project]\nname = \"demo\"\nversion = \"1\"\ndependencies = [\"alpha>=1.*\", 3]\n";
    let project = folder(&[("pyproject.toml", text)]);
    assert_eq!(project.evaluated, Evaluated::Partial);
    assert_eq!(project.problems.len(), 2);
    assert_eq!(
        project.problems[0].help.as_deref(),
        Some("write `alpha>=1` if that is what is meant")
    );
    assert_eq!(
        project.problems[0].origin.as_ref().unwrap().line_column().0,
        4
    );
    let cut = folder(&[("pyproject.toml", "[project]\nname = \"demo\"\nversion = \n")]);
    assert_eq!(cut.problems[0].origin.as_ref().unwrap().line_column().0, 3);
}

#[test]
fn hatch_reads_its_version_and_requirements_from_files() {
    let text = r#"
[build-system]
requires = ["hatchling", "hatch-requirements-txt"]
build-backend = "hatchling.build"
[project]
name = "demo"
dynamic = ["version", "dependencies", "optional-dependencies"]
[tool.hatch.version]
path = "demo/__about__.py"
[tool.hatch.metadata.hooks.requirements_txt]
files = ["requirements.txt"]
[tool.hatch.metadata.hooks.requirements_txt.optional-dependencies]
dev = ["dev.txt"]
"#;
    let files = [
        ("pyproject.toml", text),
        ("demo/__about__.py", "# about\n__version__ = 'v1.2.3'\n"),
        ("requirements.txt", "# all\nalpha>=1 # why\n\nbeta\n"),
        ("dev.txt", "gamma\n"),
    ];
    let project = sdist(&files);
    assert_eq!(project.version.as_deref(), Some("1.2.3"));
    assert_eq!(
        requires(&project),
        ["alpha>=1", "beta", "gamma; extra == 'dev'"]
    );
    assert_eq!(project.evaluated, Evaluated::Static);
    let project = sdist(&files[..3]);
    assert_eq!(project.evaluated, Evaluated::Partial);
    assert_eq!(project.missing_files, ["dev.txt"]);
}

#[test]
fn poetry_speaks_its_own_language() {
    let text = r#"
[build-system]
requires = ["poetry-core>=1.0"]
build-backend = "poetry.core.masonry.api"
[tool.poetry]
name = "demo"
version = "0.1.0"
[tool.poetry.dependencies]
python = "^3.8"
alpha = "^1.2"
beta = { version = "~0.3", extras = ["x"], python = "<3.9" }
gamma = { version = "*", optional = true }
delta = [
  { version = "<2", python = "<3.10" },
  { version = ">=2", python = ">=3.10" },
]
[tool.poetry.extras]
more = ["gamma"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
"#;
    let project = folder(&[("pyproject.toml", text)]);
    assert_eq!(
        requires(&project),
        [
            "alpha>=1.2,<2.0",
            "beta[x]>=0.3,<0.4; python_full_version < '3.9'",
            "delta<2; python_full_version < '3.10'",
            "delta>=2; python_full_version >= '3.10'",
            "gamma; extra == 'more'"
        ]
    );
    assert_eq!(project.requires_python.unwrap().to_string(), ">=3.8, <4.0");
    assert_eq!(texts(&project.groups["dev"]), ["pytest"]);
}

#[test]
fn setuptools_fills_in_what_is_dynamic() {
    let text = r#"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "demo"
dynamic = ["version", "dependencies"]
[tool.setuptools.dynamic]
version = {attr = "demo.__version__"}
dependencies = {file = ["requirements.in"]}
"#;
    let project = sdist(&[
        ("pyproject.toml", text),
        (
            "src/demo/__init__.py",
            "from .about import version as __version__\n",
        ),
        ("src/demo/about.py", "version = (1, 2)\n"),
        ("requirements.in", "alpha>=1\\\n  ,<2\n"),
    ]);
    assert_eq!(project.version.as_deref(), Some("1.2"));
    assert_eq!(requires(&project), ["alpha>=1,<2"]);
}

#[test]
fn modules_are_found_where_they_are() {
    let of = |files: &[(&str, &str)]| facts::of(&tree(files)).unwrap().modules;
    let hatch = "[build-system]\nrequires=['hatchling']\nbuild-backend='hatchling.build'\n[project]\nname='Demo-Client'\nversion='1'\n";
    assert_eq!(
        of(&[("pyproject.toml", hatch), ("demo_client/__init__.py", "")]),
        ["demo_client"]
    );
    assert_eq!(
        of(&[
            ("pyproject.toml", hatch),
            ("src/demo/client/__init__.py", "")
        ]),
        ["demo.client"]
    );
    let plain = "[project]\nname='demo'\nversion='1'\n";
    assert_eq!(
        of(&[
            ("pyproject.toml", plain),
            ("other/__init__.py", ""),
            ("other/sub/__init__.py", ""),
            ("tests/__init__.py", ""),
            ("setup.py", "")
        ]),
        ["other"]
    );
    assert_eq!(
        of(&[
            ("pyproject.toml", plain),
            ("src/ns/a/__init__.py", ""),
            ("src/ns/b/__init__.py", "")
        ]),
        ["ns.a", "ns.b"]
    );
    assert_eq!(
        of(&[
            ("pyproject.toml", plain),
            ("single.py", ""),
            ("setup.py", "")
        ]),
        ["single"]
    );
}

#[test]
fn setup_cfg_is_read_with_its_directives() {
    let cfg = "\
[metadata]
name = demo
version = attr: demo.about.VERSION
license-file = LICENSE
project_urls =
    Source = https://demo.test
[options]
python-requires = >=3.8
package_dir =
    =src
packages = find:
install_requires =
    alpha>=1; python_version < '3.20'
    # not this
    beta
setup_requires = setuptools>=40; wheel
[options.packages.find]
where = src
[options.extras_require]
More = gamma
dev = file: dev.txt
[options.entry_points]
console_scripts =
    demo = demo:main
";
    let files = [
        ("setup.cfg", cfg),
        ("src/demo/__init__.py", ""),
        ("src/demo/about.py", "VERSION = '1.5'\n"),
        ("dev.txt", "# dev\nepsilon==1\n"),
    ];
    let project = sdist(&files);
    assert_eq!(project.version.as_deref(), Some("1.5"));
    assert_eq!(
        requires(&project),
        [
            "alpha>=1; python_full_version < '3.20'",
            "beta",
            "epsilon==1; extra == 'dev'",
            "gamma; extra == 'more'"
        ]
    );
    assert_eq!(
        project.requires_python.as_ref().unwrap().to_string(),
        ">=3.8"
    );
    assert_eq!(
        texts(&project.build_system.requires),
        ["setuptools>=40.8.0", "wheel"]
    );
    assert_eq!(
        project.entry_points["console_scripts"],
        [("demo".into(), "demo:main".into())]
    );
    assert_eq!(project.evaluated, Evaluated::Static);
    assert_eq!(facts::of(&tree(&files)).unwrap().modules, ["demo"]);
    let gone = sdist(&files[..3]);
    assert_eq!(
        (gone.evaluated, gone.missing_files.as_slice()),
        (Evaluated::Partial, &["dev.txt".to_owned()][..])
    );
}

#[test]
fn package_info_tells_what_it_must_and_is_checked_where_it_need_not() {
    let cfg = "[metadata]\nname = demo\n[options]\ninstall_requires =\n    alpha\n";
    let new = "Metadata-Version: 2.2\nName: demo\nVersion: 3\nRequires-Dist: beta\nRequires-Dist: gamma; extra == 'x'\nProvides-Extra: x\n";
    let project = sdist(&[("setup.cfg", cfg), ("PKG-INFO", new)]);
    assert_eq!(requires(&project), ["beta", "gamma; extra == 'x'"]);
    assert_eq!(project.problems.len(), 1);
    assert_eq!(project.version.as_deref(), Some("3"));
    let old = new.replace("2.2", "2.1");
    let project = sdist(&[
        ("setup.cfg", cfg),
        ("PKG-INFO", &old),
        (
            "demo.egg-info/requires.txt",
            "alpha\n\n[x]\nbeta\n\n[:sys_platform == \"win32\"]\ndelta\n",
        ),
        ("demo.egg-info/PKG-INFO", "Name: demo\nVersion: 4\n"),
    ]);
    assert_eq!(requires(&project), ["alpha"]);
    let problems: Vec<_> = project.problems.iter().map(|p| p.what.as_str()).collect();
    assert!(
        problems[0].contains("disagree about `Version`: 3 and 4"),
        "{problems:?}"
    );
    assert!(
        problems[1].contains(
            "only there `beta; extra == 'x'`, `delta; sys_platform == 'win32'`, only here nothing"
        ),
        "{problems:?}"
    );
    let agreed = sdist(&[
        ("setup.cfg", cfg),
        ("PKG-INFO", &old),
        ("demo.egg-info/requires.txt", "alpha\n"),
    ]);
    assert!(agreed.problems.is_empty());
}

#[test]
fn a_project_table_rules_over_setup_cfg() {
    let cfg = "[metadata]\nversion = 1\n[options]\ninstall_requires =\n    alpha\n";
    let table = "[project]\nname = 'demo'\ndynamic = ['version']\n";
    let project = sdist(&[("setup.cfg", cfg), ("pyproject.toml", table)]);
    assert_eq!(
        (project.version.as_deref(), requires(&project).len()),
        (Some("1"), 0)
    );
    let table = "[project]\nname = 'demo'\ndynamic = ['version', 'dependencies']\n";
    assert_eq!(
        requires(&sdist(&[("setup.cfg", cfg), ("pyproject.toml", table)])),
        ["alpha"]
    );
}

#[test]
fn scripts_have_metadata_in_comments() {
    let script = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"alpha<3\",\n# ]\n# ///\nimport alpha\n";
    let project = read(&tree(&[("run.py", script)]), &Hint::File("run.py".into())).unwrap();
    assert_eq!(requires(&project), ["alpha<3"]);
    assert_eq!(
        project.dependencies[0]
            .origin
            .as_ref()
            .unwrap()
            .line_column(),
        (5, 5)
    );
}

#[test]
fn what_describes_no_project_is_an_error() {
    let outcome = read(&tree(&[("README", "")]), &Hint::Folder);
    assert!(matches!(outcome, Err(ProjectError::NoProject(_))));
    let outcome = read(&tree(&[]), &Hint::File("setup.cfg".into()));
    assert!(matches!(
        outcome,
        Err(ProjectError::Files(FilesError::NotFound(_)))
    ));
    let outcome = read(&tree(&[("x", "")]), &Hint::File("pylock.toml".into()));
    assert!(matches!(outcome, Err(ProjectError::UnknownKind(_))));
}

#[test]
fn pbr_takes_requirements_from_files() {
    let cfg = "[metadata]\nname = demo\npython_requires = >=3.9\n[extras]\nmore =\n    beta>=1:python_version<'3.20'\n[files]\npackages =\n    demo\n";
    let files = [
        (
            "setup.py",
            "import setuptools\nsetuptools.setup(setup_requires=['pbr>=2'], pbr=True)\n",
        ),
        ("setup.cfg", cfg),
        ("requirements.txt", "alpha>=1 # Apache-2.0\n"),
        ("test-requirements.txt", "gamma\n"),
    ];
    let project = sdist(&files);
    assert_eq!(
        requires(&project),
        [
            "alpha>=1",
            "beta>=1; python_full_version < '3.20' and extra == 'more'",
            "gamma; extra == 'test'"
        ]
    );
    assert_eq!(project.requires_python.unwrap().to_string(), ">=3.9");
    let plain = "[metadata]\npython_requires = >=3.9\n[options]\ninstall_requires =\n    x\n";
    assert_eq!(sdist(&[("setup.cfg", plain)]).requires_python, None);
}

#[test]
fn what_is_not_known_is_told_once_a_field() {
    let setup = "\
import os
from setuptools import setup
deps = ['a']
if os.environ.get('NO_A'):
    deps.remove('a')
setup(name='demo', version='1', install_requires=deps, extras_require={'x': deps})
";
    let project = folder(&[("setup.py", setup)]);
    let told: Vec<&str> = project.unknown.iter().map(|u| u.field.as_str()).collect();
    assert_eq!(told, ["requires_dist", "provides_extra"]);
}
