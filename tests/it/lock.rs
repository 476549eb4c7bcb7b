//! `pyresolve lock` as its users run it: exit codes, streams, files.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::index::Index;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, names, pins, stderr};

#[test]
fn a_second_run_changes_nothing() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo>=1\n");
    assert_eq!(workshop.locked(&["requirements.txt"]), "");
    let (nix, lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 2.0"]);
    assert!(
        nix.contains("# not in nixpkgs, requirements.txt needs >=1"),
        "{nix}"
    );
    let written = fs::metadata(workshop.path("pylock.toml"))
        .unwrap()
        .modified()
        .unwrap();
    workshop.publish_leaf("3.0");
    let again = workshop.lock(&["requirements.txt"]);
    assert!(stderr(&again).contains("Unchanged"), "{}", stderr(&again));
    assert_eq!(workshop.read("dependencies.nix"), nix);
    assert_eq!(workshop.read("pylock.toml"), lock);
    let touched = fs::metadata(workshop.path("pylock.toml"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(written, touched);
    assert_eq!(
        workshop.files(),
        ["dependencies.nix", "pylock.toml", "requirements.txt"]
    );
}

#[test]
fn the_result_does_not_depend_on_where_it_is_asked_for() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.locked(&["requirements.txt"]);
    let (nix, lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    let absolute = workshop.path("requirements.txt");
    workshop.locked(&[absolute.to_str().unwrap(), "--upgrade"]);
    assert_eq!(workshop.read("dependencies.nix"), nix);
    assert_eq!(workshop.read("pylock.toml"), lock);
    assert!(
        !nix.contains(workshop.folder.path().to_str().unwrap()),
        "{nix}"
    );
}

#[test]
fn an_upgrade_moves_what_it_names() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    let only = ["requirements.txt", "--lock-only", "--nixpkgs", "none"];
    workshop.locked(&[&only[..], &["-P", "zz-leaf==1.0"]].concat());
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 1.0");
    workshop.locked(&only);
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 1.0");
    workshop.locked(&[&only[..], &["--upgrade-package", "zz-demo"]].concat());
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 1.0");
    workshop.locked(&[&only[..], &["--upgrade"]].concat());
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 2.0");
}

#[test]
fn the_lock_alone_goes_where_it_is_told() {
    let workshop = Workshop::with_demo();
    fs::create_dir_all(workshop.path("out")).unwrap();
    workshop.locked(&[
        "zz-demo",
        "--lock-only",
        "--nixpkgs",
        "none",
        "--prefer",
        "lowest",
        "--python",
        "3.12",
        "-o",
        "out/pylock.demo.toml",
    ]);
    assert_eq!(names(&workshop.path("out")), ["pylock.demo.toml"]);
    let lock = workshop.read("out/pylock.demo.toml");
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 1.0"]);
    assert!(lock.contains("requires-python = \"==3.12.*\""), "{lock}");
}

#[test]
fn results_go_to_standard_output_only_when_asked_for() {
    let workshop = Workshop::with_demo();
    let nix = workshop.locked(&["zz-demo", "--stdout"]);
    assert!(nix.contains("zz-demo = final.buildPythonPackage"), "{nix}");
    assert_eq!(workshop.files(), [] as [&str; 0]);
    let summary: Value = serde_json::from_str(&workshop.locked(&["zz-demo", "--json"])).unwrap();
    assert_eq!(summary["counts"]["new"], 2);
    assert_eq!(summary["pins"][0]["name"], "zz-demo");
    assert_eq!(summary["pins"][0]["action"], "new");
    assert_eq!(summary["pins"][1]["reasons"][0]["by"], "zz-demo 1.0");
    assert_eq!(summary["files"][1]["state"], "new");
    let quiet = workshop.lock(&["zz-demo", "-q"]);
    assert_eq!((quiet.stdout.len(), stderr(&quiet)), (0, String::new()));
}

#[test]
fn a_dry_run_writes_nothing() {
    let workshop = Workshop::with_demo();
    let output = workshop.lock(&["zz-demo", "--dry-run"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).contains("Would write pylock.toml (new)"),
        "{}",
        stderr(&output)
    );
    assert_eq!(workshop.files(), [] as [&str; 0]);
}

#[test]
fn a_folder_named_like_a_requirement_is_in_nobodys_way() {
    let workshop = Workshop::with_demo();
    fs::create_dir_all(workshop.path("zz-leaf")).unwrap();
    workshop.locked(&["zz-leaf", "--lock-only"]);
    assert_eq!(pins(&workshop.read("pylock.toml")), ["zz-leaf 2.0"]);
    let output = workshop.lock(&["./zz-leaf"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn what_cannot_be_satisfied_is_explained() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\nzz-leaf>2\n");
    workshop.write("pylock.toml", "lock-version = '1.0'\n");
    let output = workshop.lock(&["requirements.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("zz-leaf>2"), "{}", stderr(&output));
    assert_eq!(workshop.read("pylock.toml"), "lock-version = '1.0'\n");
    let json = workshop.lock(&["requirements.txt", "--json"]);
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(told["exit"], 1);
}

#[test]
fn what_cannot_be_satisfied_is_not_explored() {
    let workshop = Workshop::new();
    for minor in 0..12 {
        let app = Release::new("zz-app", &format!("1.{minor}")).needs("zz-base>=2");
        workshop.index.publish(app.needs("zz-deep-0"));
    }
    for version in ["1.0", "2.0"] {
        workshop.index.publish(Release::new("zz-base", version));
    }
    for depth in 0..20 {
        let deep = Release::new(&format!("zz-deep-{depth}"), "1.0");
        let next = format!("zz-deep-{}", depth + 1);
        workshop.index.publish(deep.needs(&next));
    }
    let output = workshop.lock(&["zz-app>=1", "zz-base<2", "--lock-only"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(
            "`zz-base<2` allowed other versions, this conflict would be gone (zz-base 2.0)"
        ),
        "{said}"
    );
    let asked = workshop.index.paths();
    let deep = asked.iter().filter(|path| path.contains("deep")).count();
    assert!(deep <= 2, "{asked:?}");
    let metadata = asked.iter().filter(|path| path.contains("app-1"));
    assert!(metadata.count() <= 12, "{asked:?}");
}

#[test]
fn an_extra_that_does_not_exist_is_told() {
    let workshop = Workshop::with_demo();
    let output = workshop.lock(&["zz-demo[nosuch]", "--lock-only"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("zz-demo 1.0 has no extra `nosuch`"), "{said}");
    let fine = workshop.lock(&["zz-demo", "--lock-only"]);
    assert!(!stderr(&fine).contains("extra"), "{}", stderr(&fine));
}

#[test]
fn wrong_input_is_told_with_its_line() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\nzz-leaf>>2\n");
    let output = workshop.lock(&["requirements.txt"]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(
        told.contains("requirements.txt:2") && told.contains("PYR101"),
        "{told}"
    );
    for arguments in [
        &["nowhere.txt"][..],
        &["=!"],
        &["--python", "2.7"],
        &["--nonsense"],
    ] {
        let output = workshop.lock(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn an_unknown_project_cannot_be_satisfied() {
    let workshop = Workshop::with_demo();
    let output = workshop.lock(&["zz-nobody-has-this"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("zz-nobody-has-this"));
}

#[test]
fn what_the_cache_lacks_cannot_be_locked_offline() {
    let workshop = Workshop::with_demo();
    let offline = workshop.lock(&["zz-demo", "--offline"]);
    assert_eq!(offline.status.code(), Some(3), "{}", stderr(&offline));
    assert!(stderr(&offline).contains("help: run once without `--offline`"));
    assert_eq!(workshop.files(), [] as [&str; 0]);
    workshop.locked(&["zz-demo"]);
    let (nix, lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    fs::remove_file(workshop.path("pylock.toml")).unwrap();
    workshop.locked(&["zz-demo", "--offline"]);
    assert_eq!(workshop.read("dependencies.nix"), nix);
    assert_eq!(workshop.read("pylock.toml"), lock);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_others_as_they_were() {
    let workshop = Workshop::with_demo();
    workshop.write("dependencies.nix", "old");
    fs::create_dir_all(workshop.path("pylock.toml")).unwrap();
    let output = workshop.lock(&["zz-demo", "--upgrade"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no file was changed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(workshop.read("dependencies.nix"), "old");
    assert_eq!(workshop.files(), ["dependencies.nix", "pylock.toml"]);
}

#[test]
fn passwords_of_indexes_are_written_nowhere() {
    let workshop = Workshop::with_demo();
    let url = workshop
        .index
        .url()
        .replace("http://", "http://me:hunter2@");
    let output = workshop.lock(&["zz-demo", "--index-url", &url, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let all = [
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
        String::from_utf8(output.stdout.clone()).unwrap(),
        stderr(&output),
    ];
    assert!(all.iter().all(|text| !text.contains("hunter2")));
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_behind() {
    // An index that takes connections and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/simple/", listener.local_addr().unwrap());
    let workshop = Workshop::new();
    let mut child = workshop
        .command(&["lock", "zz-demo", "--index-url", &url])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let connected = listener.accept().unwrap();
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    drop(connected);
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("interrupted: no file was changed"), "{told}");
    assert_eq!(workshop.files(), [] as [&str; 0]);
}

#[test]
fn where_nix_builds_from_an_sdist_its_requirements_count() {
    let workshop = Workshop::with_demo();
    let pyproject = "\
[build-system]
requires = [\"flit-core>=3\"]
build-backend = \"flit_core.buildapi\"
[project]
name = \"zz-torn\"
version = \"1.0\"
dependencies = [\"zz-leaf<2\"]
";
    let torn = Release::new("zz-torn", "1.0").needs("zz-demo");
    workshop.index.publish(torn.source(&[
        ("pyproject.toml", pyproject),
        ("zz_torn.py", "\"\"\"Torn\"\"\"\n"),
    ]));
    let output = workshop.lock(&["zz-torn"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("only the wheel has `zz-demo`"), "{said}");
    let (nix, lock) = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    assert_eq!(pins(&lock), ["zz-leaf 1.0", "zz-torn 1.0"]);
    assert!(nix.contains("final.zz-leaf"), "{nix}");
    assert!(
        !nix.contains("zz-demo") && !lock.contains("zz-demo"),
        "{nix}"
    );
    let again = workshop.lock(&["zz-torn"]);
    assert!(stderr(&again).contains("Unchanged"), "{}", stderr(&again));
}

#[test]
fn settings_count_where_the_command_line_says_nothing() {
    let workshop = Workshop::with_demo();
    let pyproject = "\
[project]
name = \"app\"
version = \"1\"
dependencies = [\"zz-demo\"]
[tool.pyresolve]
python = \"3.12\"
systems = [\"x86_64-linux\"]
prefer = \"lowest\"
";
    workshop.write("pyproject.toml", pyproject);
    workshop.locked(&["--lock-only"]);
    let lock = workshop.read("pylock.toml");
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 1.0"]);
    assert!(lock.contains("requires-python = \"==3.12.*\""), "{lock}");
    assert!(!lock.contains("aarch64"), "{lock}");
    workshop.locked(&["--lock-only", "--upgrade", "--prefer", "latest"]);
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 2.0");
    let bad = pyproject.replace("lowest", "worst");
    workshop.write("pyproject.toml", &bad);
    let output = workshop.lock(&["--lock-only"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("pyproject.toml:8:10"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_project_comes_from_the_index_that_it_is_tied_to() {
    let workshop = Workshop::with_demo();
    let own = Index::start(vec![Release::new("zz-leaf", "1.5")]);
    let settings = |index: &str| {
        format!(
            "[indexes]\nown = \"{}\"\n[sources]\nzz-leaf = {{ index = \"{index}\" }}\n",
            own.url()
        )
    };
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.write("pyresolve.toml", &settings("own"));
    workshop.locked(&["requirements.txt", "--lock-only"]);
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 1.5");
    workshop.write("pyresolve.toml", &settings("other"));
    let output = workshop.lock(&["requirements.txt", "--lock-only"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("no index is named `other`") && said.contains("pyresolve.toml:4"),
        "{said}"
    );
}

#[test]
fn only_files_with_the_hashes_of_a_requirements_file_are_locked() {
    let workshop = Workshop::with_demo();
    let sdist = workshop.index.file("zz_leaf-1.0.tar.gz").sha256();
    let only = ["requirements.txt", "--lock-only"];
    let hashed = |hash: &str| format!("# pins\nzz-leaf==1.0 --hash=sha256:{hash}\n");
    workshop.write("requirements.txt", &hashed(&sdist));
    workshop.locked(&only);
    let lock = workshop.read("pylock.toml");
    assert!(
        lock.contains("zz_leaf-1.0.tar.gz") && !lock.contains(".whl"),
        "{lock}"
    );
    workshop.write("requirements.txt", &hashed(&"0".repeat(64)));
    let output = workshop.lock(&only);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("no file of zz-leaf 1.0 has a hash that requirements.txt:2"),
        "{said}"
    );
    let whole = format!("--require-hashes\nzz-demo\n{}", hashed(&sdist));
    workshop.write("requirements.txt", &whole);
    let output = workshop.lock(&only);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("none is given for zz-demo 1.0"), "{said}");
}

#[test]
fn options_of_requirements_files_take_effect() {
    let workshop = Workshop::with_demo();
    let options = format!(
        "--index-url {}\n--no-binary zz-leaf\n",
        workshop.index.url()
    );
    workshop.write("requirements.txt", &format!("{options}zz-demo\n"));
    let mut command = workshop.command(&["lock", "requirements.txt", "--lock-only"]);
    let output = command.env_remove("PIP_INDEX_URL").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lock = workshop.read("pylock.toml");
    assert_eq!(pins(&lock), ["zz-demo 1.0", "zz-leaf 2.0"]);
    assert!(!lock.contains("zz_leaf-2.0-py3"), "{lock}");
    assert!(lock.contains("zz_demo-1.0-py3"), "{lock}");
}

#[test]
fn a_setup_py_that_takes_too_long_is_said_where_it_was_given_up() {
    let workshop = Workshop::with_demo();
    let setup = "from setuptools import setup\ncount = 0\nwhile count < 10**9:\n    count += 1\n\
                 setup(name='zz', install_requires=['zz-demo'] * count)\n";
    workshop.write("setup.py", setup);
    let output = workshop.lock(&["setup.py"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("setup.py:3:") || said.contains("setup.py:4:"),
        "{said}"
    );
    assert!(said.contains("it takes"), "{said}");
    assert!(
        said.contains("write the requirements as literals"),
        "{said}"
    );
}
