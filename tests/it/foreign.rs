//! Locks of other tools as sources: their pins, their digests, their sources.

use std::process::Command;

use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

const ONLY: [&str; 3] = ["--lock-only", "--nixpkgs", "none"];

/// `zz-demo` needs `zz-leaf`, of which there are 1.0, 1.5 and 2.0; `zz-tool` needs nothing.
fn workshop() -> Workshop {
    let workshop = Workshop::with_demo();
    workshop.publish_leaf("1.5");
    let tool = Release::new("zz-tool", "3.0");
    workshop.index.publish(tool.flit("\"\"\"Tool\"\"\""));
    workshop.write(
        "pyproject.toml",
        "[project]\nname = \"own\"\nversion = \"1\"\nrequires-python = \">=3.11\"\n\
         dependencies = [\"zz-demo\"]\n[dependency-groups]\ndev = [\"zz-tool\"]\n",
    );
    workshop
}

fn sha256(workshop: &Workshop, file: &str) -> String {
    workshop.index.file(file).sha256()
}

fn files(name: &str, version: &str) -> [String; 2] {
    let stem = name.replace('-', "_");
    [
        format!("{stem}-{version}-py3-none-any.whl"),
        format!("{stem}-{version}.tar.gz"),
    ]
}

/// A package of a `uv.lock`.
fn uv(workshop: &Workshop, name: &str, version: &str, more: &str) -> String {
    let [wheel, sdist] = files(name, version);
    format!(
        "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\
         source = {{ registry = \"https://index.test/simple\" }}\n\
         sdist = {{ url = \"https://files.test/{sdist}\", hash = \"sha256:{}\", size = 1 }}\n\
         wheels = [\n    {{ url = \"https://files.test/{wheel}\", hash = \"sha256:{}\", size = 1 }},\n]\n",
        sha256(workshop, &sdist),
        sha256(workshop, &wheel),
    )
}

fn uv_lock(workshop: &Workshop, packages: &[(&str, &str, &str)]) -> String {
    let mut text = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n".to_owned();
    for (name, version, more) in packages {
        text += &uv(workshop, name, version, more);
    }
    text
}

/// The files of a package as Poetry and PDM list them.
fn listed(workshop: &Workshop, name: &str, version: &str) -> String {
    let lines = files(name, version).map(|file| {
        let hash = sha256(workshop, &file);
        format!("    {{file = \"{file}\", hash = \"sha256:{hash}\"}},\n")
    });
    format!("files = [\n{}]\n", lines.concat())
}

fn locked(workshop: &Workshop, source: &str, more: &[&str]) -> Vec<String> {
    workshop.locked(&[&[source], &ONLY[..], more].concat());
    pins(&workshop.read("pylock.toml"))
}

fn refused(workshop: &Workshop, arguments: &[&str], exit: i32) -> String {
    let output = workshop.lock(arguments);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(exit), "{told}");
    told
}

#[test]
fn every_tools_pins_are_taken_exactly() {
    let workshop = workshop();
    let package = |name: &str, version: &str, more: &str| {
        let files = listed(&workshop, name, version);
        format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}{files}")
    };
    let poetry = |version: &str, main: &str, dev: &str| {
        package("zz-demo", "1.0", main)
            + "\n[package.dependencies]\nzz-leaf = \"*\"\n"
            + &package("zz-leaf", "1.5", main)
            + &package("zz-tool", "3.0", dev)
            + &format!("\n[metadata]\nlock-version = \"{version}\"\npython-versions = \">=3.11\"\n")
    };
    let poetry20 = poetry("2.0", "optional = false\n", "optional = false\n");
    let poetry21 = poetry("2.1", "groups = [\"main\"]\n", "groups = [\"dev\"]\n");
    let pdm = "[metadata]\ngroups = [\"default\", \"dev\"]\nlock_version = \"4.5.0\"\n".to_owned()
        + &package(
            "zz-demo",
            "1.0",
            "groups = [\"default\"]\ndependencies = [\n    \"zz-leaf\",\n]\n",
        )
        + &package("zz-leaf", "1.5", "groups = [\"default\"]\n")
        + &package("zz-tool", "3.0", "groups = [\"dev\"]\n");
    let pylock = |name: &str, version: &str| {
        let [wheel, sdist] = files(name, version);
        format!(
            "[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             sdist = {{ name = \"{sdist}\", url = \"https://files.test/x\", hashes = {{ sha256 = \"{}\" }} }}\n\
             wheels = [{{ url = \"https://files.test/{wheel}\", hashes = {{ sha256 = \"{}\" }} }}]\n",
            sha256(&workshop, &sdist),
            sha256(&workshop, &wheel)
        )
    };
    let pylock = "lock-version = \"1.0\"\ncreated-by = \"somebody\"\n".to_owned()
        + &pylock("zz-demo", "1.0")
        + &pylock("zz-leaf", "1.5")
        + &pylock("zz-tool", "3.0");
    let uv = uv_lock(
        &workshop,
        &[
            ("zz-demo", "1.0", ""),
            ("zz-leaf", "1.5", ""),
            ("zz-tool", "3.0", ""),
        ],
    );
    for (name, text) in [
        ("uv.lock", &uv),
        ("poetry.lock", &poetry20),
        ("poetry.lock", &poetry21),
        ("pdm.lock", &pdm),
        ("pylock.other.toml", &pylock),
        // Known by what is in it.
        ("frozen.lock", &uv),
        ("frozen.lock", &poetry21),
        ("frozen.lock", &pdm),
    ] {
        workshop.write(name, text);
        let _ = std::fs::remove_file(workshop.path("pylock.toml"));
        assert_eq!(
            locked(&workshop, name, &[]),
            ["zz-demo 1.0", "zz-leaf 1.5"],
            "{name}"
        );
        assert_eq!(
            locked(&workshop, name, &["--group", "dev"]),
            ["zz-demo 1.0", "zz-leaf 1.5", "zz-tool 3.0"],
            "{name}"
        );
    }
}

#[test]
fn pipenvs_digests_allow_files() {
    let workshop = workshop();
    workshop.write(
        "Pipfile",
        "[[source]]\nname = \"x\"\nurl = \"https://index.test/simple\"\n[packages]\nzz-demo = \"*\"\n\
         [dev-packages]\nzz-tool = {version = \">=1\"}\n[requires]\npython_version = \"3.13\"\n",
    );
    let entry = |name: &str, version: &str, digests: &[String]| {
        format!(
            "\"{name}\": {{ \"hashes\": [{}], \"version\": \"=={version}\" }}",
            digests
                .iter()
                .map(|d| format!("\"sha256:{d}\""))
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    let all = |name: &str, version: &str| files(name, version).map(|f| sha256(&workshop, &f));
    let leaf = all("zz-leaf", "1.5");
    let text = |leaf: &[String]| {
        format!(
            "{{ \"_meta\": {{ \"pipfile-spec\": 6, \"requires\": {{ \"python_version\": \"3.13\" }} }},\n\
             \"default\": {{ {},\n{} }},\n\"develop\": {{ {} }} }}\n",
            entry("zz-demo", "1.0", &all("zz-demo", "1.0")),
            entry("zz-leaf", "1.5", leaf),
            entry("zz-tool", "3.0", &all("zz-tool", "3.0"))
        )
    };
    workshop.write("Pipfile.lock", &text(&leaf));
    assert_eq!(
        locked(&workshop, "Pipfile.lock", &[]),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
    assert!(locked(&workshop, "Pipfile.lock", &["--group", "dev"]).contains(&"zz-tool 3.0".into()));
    // A file that is not listed is not locked.
    workshop.write("Pipfile.lock", &text(&leaf[..1]));
    locked(&workshop, "Pipfile.lock", &[]);
    let lock = workshop.read("pylock.toml");
    assert!(
        lock.contains("zz_leaf-1.5-py3") && !lock.contains("zz_leaf-1.5.tar.gz"),
        "{lock}"
    );
    workshop.write("Pipfile.lock", &text(&["0".repeat(64)]));
    let told = refused(&workshop, &["Pipfile.lock"], 3);
    assert!(
        told.contains(&leaf[0]) && told.contains(&"0".repeat(64)),
        "{told}"
    );
    let told = refused(&workshop, &["Pipfile.lock", "--python", "3.12"], 1);
    assert!(told.contains("needs Python ==3.13.*"), "{told}");
    // Without the Pipfile, everything that is locked is required.
    std::fs::remove_file(workshop.path("Pipfile")).unwrap();
    workshop.write("Pipfile.lock", &text(&leaf));
    assert_eq!(
        locked(&workshop, "Pipfile.lock", &[]),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
}

#[test]
fn preferences_give_way() {
    let workshop = workshop();
    let text = uv_lock(&workshop, &[("zz-demo", "1.0", ""), ("zz-leaf", "1.5", "")]);
    workshop.write("uv.lock", &text);
    let text = workshop.read("pyproject.toml");
    workshop.write(
        "pyproject.toml",
        &text.replace("\"zz-demo\"", "\"zz-demo\", \"zz-leaf>=2\""),
    );
    let told = refused(&workshop, &["uv.lock", "--lock-only"], 1);
    assert!(
        told.contains("`zz-leaf>=2` (pyproject.toml:5)")
            && told.contains("`zz-leaf==1.5` (uv.lock:16)"),
        "{told}"
    );
    let prefer = ["--pins", "prefer"];
    assert_eq!(
        locked(&workshop, "uv.lock", &prefer),
        ["zz-demo 1.0", "zz-leaf 2.0"]
    );
    workshop.write("pyproject.toml", &text);
    let _ = std::fs::remove_file(workshop.path("pylock.toml"));
    assert_eq!(
        locked(&workshop, "uv.lock", &prefer),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
}

#[test]
fn what_a_lock_lacks_is_named() {
    let workshop = workshop();
    workshop.write("uv.lock", &uv_lock(&workshop, &[("zz-demo", "1.0", "")]));
    let told = refused(&workshop, &["uv.lock", "--lock-only"], 1);
    assert!(
        told.contains("zz-leaf 2.0 is needed by zz-demo 1.0, and uv.lock does not pin it"),
        "{told}"
    );
    assert!(told.contains("uv lock"), "{told}");
    assert!(!workshop.path("pylock.toml").exists());
}

#[test]
fn a_digest_that_differs_from_the_index_ends_it() {
    let workshop = workshop();
    let text = uv_lock(&workshop, &[("zz-demo", "1.0", ""), ("zz-leaf", "1.5", "")]);
    let [wheel, _] = files("zz-leaf", "1.5");
    let real = sha256(&workshop, &wheel);
    let other = "f".repeat(64);
    workshop.write("uv.lock", &text.replace(&real, &other));
    for arguments in [
        &["uv.lock"][..],
        &["uv.lock", "--lock-only", "--pins", "prefer"],
    ] {
        let told = refused(&workshop, arguments, 3);
        for part in [&*wheel, "uv.lock:16", &real, &other] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    assert!(!workshop.path("pylock.toml").exists());
}

#[test]
fn one_project_at_several_versions() {
    let workshop = workshop();
    let old = "resolution-markers = [\n    \"sys_platform == 'darwin'\",\n]\n";
    let new = "resolution-markers = [\n    \"sys_platform != 'darwin'\",\n]\n";
    workshop.write(
        "uv.lock",
        &uv_lock(
            &workshop,
            &[
                ("zz-demo", "1.0", ""),
                ("zz-leaf", "1.0", old),
                ("zz-leaf", "1.5", new),
            ],
        ),
    );
    assert_eq!(
        locked(&workshop, "uv.lock", &[]),
        ["zz-demo 1.0", "zz-leaf 1.0", "zz-leaf 1.5"]
    );
    assert_eq!(
        locked(&workshop, "uv.lock", &["--system", "x86_64-linux"]),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
    // Where the lock does not tell which is for whom, the newest that will do is taken.
    let text = uv_lock(
        &workshop,
        &[
            ("zz-demo", "1.0", ""),
            ("zz-leaf", "1.0", ""),
            ("zz-leaf", "1.5", ""),
        ],
    );
    workshop.write("uv.lock", &text);
    let _ = std::fs::remove_file(workshop.path("pylock.toml"));
    assert_eq!(
        locked(&workshop, "uv.lock", &[]),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
}

#[test]
fn without_a_project_beside_it_a_lock_tells_what_is_required() {
    let workshop = workshop();
    std::fs::remove_file(workshop.path("pyproject.toml")).unwrap();
    let own = "\n[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
        dependencies = [{ name = \"zz-demo\" }]\n[package.metadata]\n\
        requires-dist = [{ name = \"zz-demo\", specifier = \">=1\" }, { name = \"zz-tool\", marker = \"extra == 'tools'\" }]\n\
        provides-extras = [\"tools\"]\n";
    let packages = [
        ("zz-demo", "1.0", ""),
        ("zz-leaf", "1.5", ""),
        ("zz-tool", "3.0", ""),
    ];
    workshop.write("uv.lock", &(uv_lock(&workshop, &packages) + own));
    assert_eq!(
        locked(&workshop, "uv.lock", &[]),
        ["zz-demo 1.0", "zz-leaf 1.5"]
    );
    assert_eq!(locked(&workshop, "uv.lock", &["--extra", "tools"]).len(), 3);
    let said = workshop.run(&["inspect", "uv.lock"]);
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("zz-demo>=1") && said.contains("extra tools"),
        "{said}"
    );
}

#[test]
fn a_commit_and_a_folder_are_taken_as_they_are_locked() {
    let workshop = workshop();
    let project = |name: &str| {
        format!(
            "[project]\nname = \"{name}\"\nversion = \"0.3\"\n[build-system]\nrequires = [\"setuptools\"]\n"
        )
    };
    std::fs::create_dir_all(workshop.path("origin")).unwrap();
    std::fs::create_dir_all(workshop.path("part")).unwrap();
    workshop.write("part/pyproject.toml", &project("zz-part"));
    workshop.write("origin/pyproject.toml", &project("zz-kept"));
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@host.test"])
            .args(arguments)
            .current_dir(workshop.path("origin"))
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .ok()?;
        assert!(output.status.success(), "git {arguments:?}");
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    if git(&["init", "-q", "-b", "main"]).is_none() {
        eprintln!("skipped: there is no git");
        return;
    }
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let commit = git(&["rev-parse", "HEAD"]).unwrap();
    // What is locked is not where the branch is now.
    workshop.write(
        "origin/pyproject.toml",
        &project("zz-kept").replace("0.3", "0.4"),
    );
    git(&["commit", "-qam", "two"]);
    let address = format!("file://{}", workshop.path("origin").display());
    workshop.write(
        "pyproject.toml",
        &format!(
            "[project]\nname = \"own\"\nversion = \"1\"\ndependencies = [\"zz-part\", \"zz-kept @ git+{address}@main\"]\n"
        ),
    );
    workshop.write(
        "uv.lock",
        &format!(
            "version = 1\nrequires-python = \">=3.11\"\n\
             [[package]]\nname = \"zz-kept\"\nversion = \"0.3\"\nsource = {{ git = \"{address}?rev=main#{commit}\" }}\n\
             [[package]]\nname = \"zz-part\"\nversion = \"0.3\"\nsource = {{ editable = \"part\" }}\n"
        ),
    );
    let command = |arguments: &[&str]| {
        let path = std::env::var_os("PATH").unwrap();
        workshop
            .command(arguments)
            .env("PATH", path)
            .output()
            .unwrap()
    };
    let output = command(&["lock", "uv.lock", "--lock-only", "--nixpkgs", "none"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lock = workshop.read("pylock.toml");
    assert_eq!(pins(&lock), ["zz-kept 0.3", "zz-part 0.3"]);
    assert!(
        lock.contains(&format!("commit-id = \"{commit}\"")),
        "{lock}"
    );
    assert!(lock.contains("directory = { path = \"part\" }"), "{lock}");
}

#[test]
fn locks_of_unknown_versions_are_refused_with_those_that_are_known() {
    let workshop = workshop();
    for (name, text, place, known) in [
        (
            "uv.lock",
            "version = 2\nrequires-python = \">=3\"\n",
            "uv.lock:1:11",
            "version 1",
        ),
        (
            "poetry.lock",
            "[metadata]\nlock-version = \"3.0\"\n",
            "poetry.lock:2:16",
            "1.1, 2.0 and 2.1",
        ),
        (
            "pdm.lock",
            "[metadata]\nlock_version = \"5.0\"\n",
            "pdm.lock:2:16",
            "4.3, 4.4 and 4.5",
        ),
        (
            "Pipfile.lock",
            "{\n  \"_meta\": {\n    \"pipfile-spec\": 7\n  }\n}\n",
            "Pipfile.lock:3:21",
            "pipfile-spec 6",
        ),
        (
            "pylock.x.toml",
            "lock-version = \"2.0\"\npackages = []\n",
            "pylock.x.toml:1:16",
            "1.0",
        ),
    ] {
        workshop.write(name, text);
        let told = refused(&workshop, &[name], 2);
        for part in ["PYR109", place, known] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    for (name, text, place) in [
        (
            "uv.lock",
            "version = 1\n[[package]]\nversion = \"1\"\n",
            "uv.lock:2:1",
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"a\"\nversion = \"?\"\n",
            "uv.lock:4:11",
        ),
        ("uv.lock", "version = \n", "uv.lock:1:"),
        ("Pipfile.lock", "{\n  \"_meta\": {,\n", "Pipfile.lock:2:13"),
        ("pdm.lock", "", "pdm.lock"),
    ] {
        workshop.write(name, text);
        let told = refused(&workshop, &[name], 2);
        assert!(told.contains(place), "{place}: {told}");
    }
}

#[test]
fn a_lock_that_changed_makes_ours_stale() {
    let workshop = workshop();
    let write = |leaf: &str| {
        let text = uv_lock(&workshop, &[("zz-demo", "1.0", ""), ("zz-leaf", leaf, "")]);
        workshop.write("uv.lock", &text);
    };
    write("1.0");
    workshop.locked(&["uv.lock"]);
    let nix = workshop.read("dependencies.nix");
    assert!(
        nix.contains("# To make it again: pyresolve lock uv.lock"),
        "{nix}"
    );
    let check = |exit: i32| {
        let output = workshop.run(&["check", "uv.lock"]);
        assert_eq!(output.status.code(), Some(exit), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(check(0), "");
    write("1.5");
    let told = check(1);
    assert!(
        told.contains("stale   uv.lock:16: zz-leaf is pinned to 1.5, and the lock has 1.0\n"),
        "{told}"
    );
    workshop.locked(&["uv.lock"]);
    assert_eq!(check(0), "");
}

#[test]
fn a_pylock_is_not_overwritten_by_ours() {
    let workshop = workshop();
    let text = "lock-version = \"1.0\"\ncreated-by = \"somebody\"\npackages = []\n";
    workshop.write("pylock.toml", text);
    let told = refused(&workshop, &["pylock.toml"], 2);
    assert!(told.contains("would be overwritten"), "{told}");
    assert_eq!(workshop.read("pylock.toml"), text);
}

#[test]
fn an_index_that_only_the_lock_names_is_told_with_the_flag_that_adds_it() {
    let workshop = workshop();
    let own = "\n[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
               [package.metadata]\nrequires-dist = [{ name = \"zz-private\" }]\n\
               [[package]]\nname = \"zz-private\"\nversion = \"1.0\"\n\
               source = { registry = \"https://packages.test/simple\" }\n";
    let lock = uv_lock(&workshop, &[("zz-leaf", "1.5", "")]) + own;
    workshop.write("uv.lock", &lock);
    let told = refused(&workshop, &[&["uv.lock"], &ONLY[..]].concat(), 1);
    let flag = "zz-private from another index, which was not asked: add `--index packages-test=https://packages.test/simple`";
    assert!(told.contains(flag), "{told}");
    // One that is asked is not named.
    let asked = workshop.index.url();
    let lock = lock.replace("https://packages.test/simple", asked.trim_end_matches('/'));
    workshop.write("uv.lock", &lock);
    let told = refused(&workshop, &[&["uv.lock"], &ONLY[..]].concat(), 1);
    assert!(!told.contains("zz-private from another index"), "{told}");
}
