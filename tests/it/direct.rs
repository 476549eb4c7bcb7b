//! Requirements on folders and repositories, from a requirements file to the lock and the Nix file.

use std::process::Command;

use crate::support::workshop::{Workshop, pins, stderr};

const PROJECT: &str = "[project]\nname = \"NAME\"\nversion = \"0.3\"\n\
    dependencies = [\"zz-leaf\"]\n\
    [build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n";

fn with_folder(name: &str, place: &str) -> Workshop {
    let workshop = Workshop::with_demo();
    std::fs::create_dir_all(workshop.path(place)).unwrap();
    let text = PROJECT.replace("NAME", name);
    workshop.write(&format!("{place}/pyproject.toml"), &text);
    workshop
}

#[test]
fn a_local_folder_is_named_as_seen_from_the_result() {
    let workshop = with_folder("zz-local", "parts/zz~local");
    workshop.write("requirements.txt", "-e ./parts/zz~local\n");
    std::fs::create_dir_all(workshop.path("nix")).unwrap();
    workshop.locked(&["requirements.txt", "-o", "nix/dependencies.nix"]);
    let lock = workshop.read("nix/pylock.toml");
    assert_eq!(pins(&lock), ["zz-leaf 2.0", "zz-local 0.3"]);
    assert!(
        lock.contains("directory = { path = \"../parts/zz~local\" }"),
        "{lock}"
    );
    let nix = workshop.read("nix/dependencies.nix");
    assert!(nix.contains("./. + \"/../parts/zz~local\""), "{nix}");
}

#[test]
fn a_folder_is_read_again_each_time() {
    let workshop = with_folder("zz-local", "loc");
    workshop.write("requirements.txt", "zz-local @ file:./loc\n");
    let only = ["requirements.txt", "--lock-only", "--nixpkgs", "none"];
    workshop.locked(&only);
    assert_eq!(
        pins(&workshop.read("pylock.toml")),
        ["zz-leaf 2.0", "zz-local 0.3"]
    );
    let text = PROJECT.replace("NAME", "zz-local").replace("0.3", "0.4");
    workshop.write("loc/pyproject.toml", &text);
    workshop.locked(&only);
    assert_eq!(
        pins(&workshop.read("pylock.toml")),
        ["zz-leaf 2.0", "zz-local 0.4"]
    );
}

/// A version that only git knows is that of the nearest tag.
#[test]
fn a_folder_s_version_is_its_tag_where_no_file_tells_it() {
    let workshop = Workshop::with_demo();
    std::fs::create_dir_all(workshop.path("origin")).unwrap();
    let text = "[project]\nname = \"zz-tagged\"\ndynamic = [\"version\"]\n\
        [build-system]\nrequires = [\"setuptools\", \"setuptools-scm\"]\n\
        build-backend = \"setuptools.build_meta\"\n[tool.setuptools_scm]\n";
    workshop.write("origin/pyproject.toml", text);
    workshop.write("requirements.txt", "zz-tagged @ file:./origin\n");
    let only = ["requirements.txt", "--nixpkgs", "snapshot", "--json"];
    let told = workshop.locked(&only);
    assert!(
        told.contains("zz-tagged 0: its version is known to its build only"),
        "{told}"
    );
    if git(&workshop, &["init", "-q"]).is_none() {
        eprintln!("skipped: there is no git");
        return;
    }
    git(&workshop, &["add", "-A"]);
    git(&workshop, &["commit", "-q", "-m", "first"]);
    git(&workshop, &["tag", "v1.4.2"]);
    let mut command = workshop.command(&["lock", "requirements.txt"]);
    let path = std::env::var_os("PATH").unwrap();
    let output = command.env("PATH", path).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lock = workshop.read("pylock.toml");
    assert_eq!(pins(&lock), ["zz-tagged 1.4.2"]);
}

fn git(workshop: &Workshop, arguments: &[&str]) -> Option<String> {
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
}

#[test]
fn a_repository_is_locked_at_its_commit() {
    let workshop = with_folder("zz-kept", "origin/python");
    if git(&workshop, &["init", "-q"]).is_none() {
        eprintln!("skipped: there is no git");
        return;
    }
    git(&workshop, &["add", "-A"]);
    git(&workshop, &["commit", "-q", "-m", "first"]);
    git(&workshop, &["tag", "v1"]);
    let commit = git(&workshop, &["rev-parse", "HEAD"]).unwrap();
    let origin = workshop.path("origin");
    let line = format!(
        "zz-kept @ git+file://{}@v1#subdirectory=python\n",
        origin.display()
    );
    workshop.write("requirements.txt", &line);
    let mut command = workshop.command(&["lock", "requirements.txt"]);
    let output = command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lock: toml::Table = workshop.read("pylock.toml").parse().unwrap();
    let packages = lock["packages"].as_array().unwrap();
    let vcs = packages.iter().find_map(|p| p.get("vcs")).unwrap();
    assert_eq!(vcs["type"].as_str(), Some("git"));
    assert_eq!(vcs["requested-revision"].as_str(), Some("v1"));
    assert_eq!(vcs["commit-id"].as_str(), Some(&*commit));
    assert_eq!(vcs["subdirectory"].as_str(), Some("python"));
    assert_eq!(
        vcs["url"].as_str(),
        Some(&*format!("file://{}", origin.display()))
    );
    let nix = workshop.read("dependencies.nix");
    assert!(nix.contains("src = builtins.fetchGit {"), "{nix}");
    assert!(nix.contains(&format!("rev = \"{commit}\";")), "{nix}");
    assert!(nix.contains("sourceRoot = \"source/python\";"), "{nix}");
}
