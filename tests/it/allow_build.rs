//! `--allow-build`: code of packages runs only where it is asked for, and only in its sandbox.

use std::process::{Command, Output};

use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

/// What setup.py does before it tells what it requires; `probe` gives the name of a requirement.
fn workshop(probe: &str) -> Workshop {
    let workshop = Workshop::new();
    let setup = format!(
        "import os, socket, sys, uuid
from setuptools import setup
def probe():
{probe}
setup(name='zz-wild', version='1.0', install_requires=['zz-' + probe() + str(uuid.uuid4())[:0]])
"
    );
    let wild = Release::new("zz-wild", "1.0").wheels(&[]);
    workshop.index.publish(wild.source(&[("setup.py", &setup)]));
    for name in ["zz-caged", "zz-free"] {
        workshop.index.publish(Release::new(name, "1.0"));
    }
    workshop
}

fn lock(workshop: &Workshop, arguments: &[&str]) -> Output {
    let mut command = workshop.command(&["lock", "zz-wild", "--lock-only", "--nixpkgs", "none"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env("PATH", path).env("SECRET", "x").args(arguments);
    command.output().unwrap()
}

/// Whether builds can run here; says why not.
#[allow(clippy::print_stderr)]
fn can_build(unsandboxed: bool) -> bool {
    let mut python = Command::new("python3");
    let has = |command: &mut Command| command.output().is_ok_and(|o| o.status.success());
    if !has(python.args(["-I", "-c", "import setuptools.build_meta, wheel, pip"])) {
        eprintln!("skipped: no python3 with setuptools and wheel");
        return false;
    }
    let mut bubble = Command::new("bwrap");
    if !unsandboxed && !has(bubble.args(["--unshare-all", "--ro-bind", "/", "/", "true"])) {
        eprintln!("skipped: bubblewrap cannot make a sandbox here");
        return false;
    }
    true
}

#[test]
fn without_the_flag_nothing_is_run_and_the_ways_out_are_named() {
    let workshop = workshop("    return 'caged'");
    let output = lock(&workshop, &[]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("setup.py:5:"), "{said}");
    assert!(said.contains("--allow-build zz-wild"), "{said}");
    assert!(
        said.contains("[tool.pyresolve.metadata.\"zz-wild==1.0\"]"),
        "{said}"
    );
    let other = lock(&workshop, &["--allow-build-unsandboxed"]);
    assert_eq!(other.status.code(), Some(2), "{}", stderr(&other));
}

#[test]
fn the_sandbox_has_no_network_no_home_and_no_environment() {
    if !can_build(false) {
        return;
    }
    let workshop = workshop(
        "    address = os.environ.get('PIP_INDEX_URL') or os.environ.get('SECRET')
    home = os.listdir(os.path.expanduser('~'))
    try:
        open('/usr/zz', 'w')
        return 'free'
    except OSError:
        pass
    interfaces = [name for _, name in socket.if_nameindex() if name != 'lo']
    bad = address or interfaces or 'source' not in home or os.getppid() > 9
    return 'free' if bad else 'caged'",
    );
    let output = lock(&workshop, &["--allow-build", "zz-other,zz-wild"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let lock_text = workshop.read("pylock.toml");
    assert_eq!(pins(&lock_text), ["zz-caged 1.0", "zz-wild 1.0"]);
    // What running gave is not found by a run that allows none.
    let again = lock(&workshop, &["--upgrade"]);
    assert_eq!(again.status.code(), Some(1), "{}", stderr(&again));
}

#[test]
fn an_address_is_built_where_its_name_is_allowed() {
    let workshop = workshop("    return 'caged'");
    let address = format!("{}/files/zz_wild-1.0.tar.gz", workshop.index.root());
    workshop.write("requirements.txt", &format!("zz-wild @ {address}\n"));
    let lock = |arguments: &[&str]| {
        let all = [
            "lock",
            "requirements.txt",
            "--lock-only",
            "--nixpkgs",
            "none",
        ];
        let mut command = workshop.command(&[&all, arguments].concat());
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).output().unwrap()
    };
    let refused = lock(&[]);
    let said = stderr(&refused);
    assert_ne!(refused.status.code(), Some(0), "{said}");
    assert!(said.contains("--allow-build"), "{said}");
    if can_build(false) {
        let output = lock(&["--allow-build", "zz-wild"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let lock_text = workshop.read("pylock.toml");
        assert_eq!(pins(&lock_text), ["zz-caged 1.0", "zz-wild 1.0"]);
    }
}

#[test]
fn builds_that_fail_are_told() {
    if !can_build(true) {
        return;
    }
    let workshop = workshop("    raise SystemExit('zz: no luck today')");
    let allowed = ["--allow-build", "zz-wild", "--allow-build-unsandboxed"];
    let output = lock(&workshop, &allowed);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("zz: no luck today"), "{said}");
}
