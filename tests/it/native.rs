//! What entries with native code are linked with, and who says so: sources, and shared objects of the
//! release's wheels.

use serde_json::Value;

use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

const TAG: &str = "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64";
const MODULE: &str = "zz_native/_x.cpython-313-x86_64-linux-gnu.so";

/// A release whose sdist does not say what it links, and whose wheel does.
fn release() -> Release {
    Release::new("zz-native", "1.0")
        .source(&[
            (
                "setup.py",
                "import os\nfrom setuptools import Extension, setup\n\
                 libraries = os.environ['LIBS'].split()\n\
                 setup(name='zz-native', version='1.0', packages=['zz_native'],\n\
                 ext_modules=[Extension('zz_native._x', ['x.c'], libraries=libraries)])\n",
            ),
            ("zz_native/__init__.py", ""),
            ("x.c", ""),
        ])
        .wheels(&[TAG])
        .object(
            MODULE,
            &["libxml2-1a2b3c4d.so.2.9.14", "libz.so.1", "libc.so.6"],
        )
        .object(
            "zz_native.libs/libxml2-1a2b3c4d.so.2.9.14",
            &["liblzma.so.5", "libc.so.6"],
        )
}

fn workshop(release: Release) -> Workshop {
    let workshop = Workshop::new();
    workshop.index.publish(release);
    workshop
}

/// Since it was asked last.
fn wheels_asked_for(workshop: &Workshop) -> usize {
    let paths = workshop.index.paths().into_iter();
    paths.filter(|path| path.ends_with(".whl")).count()
}

#[test]
fn the_wheel_tells_what_the_source_does_not() {
    // Once of a small wheel, once by ranges, once where the server knows no ranges.
    for (padding, ranges) in [(0, true), (600_000, true), (600_000, false)] {
        let workshop = workshop(release().padding(padding));
        workshop.index.change(|manner| manner.ranges = ranges);
        let json: Value = serde_json::from_str(&workshop.locked(&["zz-native", "--json"])).unwrap();
        let inputs = &json["pins"][0]["inputs"];
        let evidence = format!("{MODULE} of the wheel: links libxml2.so.2.9.14");
        assert_eq!(inputs["libxml2"][0], evidence.as_str(), "{json}");
        assert!(inputs["zlib"].is_array(), "{json}");
        assert_eq!(
            inputs["xz"],
            Value::Null,
            "its copy of libxml2 links it, not the module"
        );
        let text = workshop.read("dependencies.nix");
        assert!(
            text.contains(&format!("# libxml2: {MODULE} of the wheel\n")),
            "{text}"
        );
        let inputs = "buildInputs = [\n        pkgs.libxml2\n        pkgs.zlib\n      ];";
        assert!(text.contains(inputs), "{text}");
        // What was found is kept.
        assert!(wheels_asked_for(&workshop) > 0);
        workshop.locked(&["zz-native", "--upgrade"]);
        assert_eq!(wheels_asked_for(&workshop), 0);
        assert_eq!(workshop.read("dependencies.nix"), text);
    }
}

#[test]
fn why_shows_the_evidence() {
    let workshop = workshop(release());
    workshop.locked(&["zz-native"]);
    let why = workshop.run(&["why", "zz-native"]);
    let text = String::from_utf8(why.stdout).unwrap();
    let expected = format!(
        "  its build needs of nixpkgs:\n    libxml2  {MODULE} of the wheel: links libxml2.so.2.9.14\n    \
         zlib     {MODULE} of the wheel: links libz.so.1\n"
    );
    assert!(text.contains(&expected), "{text}");
    let why = workshop.run(&["why", "zz-native", "--json"]);
    let json: Value = serde_json::from_slice(&why.stdout).unwrap();
    let evidence = json[0]["inputs"]["zlib"][0].as_str().unwrap();
    assert!(evidence.ends_with("links libz.so.1"), "{json}");
}

#[test]
fn a_source_that_tells_all_needs_no_wheel() {
    let pyproject = "[build-system]\nrequires = ['setuptools']\n\
        [project]\nname = 'zz-native'\nversion = '1.0'\n\
        [external]\nhost-requires = ['dep:generic/zlib']\n";
    let told = release().source(&[("pyproject.toml", pyproject), ("zz_native/__init__.py", "")]);
    let workshop = workshop(told);
    workshop.locked(&["zz-native"]);
    assert_eq!(wheels_asked_for(&workshop), 0);
    let text = workshop.read("dependencies.nix");
    assert!(text.contains("buildInputs = [ pkgs.zlib ];"), "{text}");
}

#[test]
fn a_wheel_that_cannot_be_read_is_not_needed() {
    let workshop = workshop(release());
    let file = format!("zz_native-1.0-{TAG}.whl");
    workshop.locked(&["zz-native", "--lock-only"]);
    workshop.index.trouble(
        &format!("/files/{file}"),
        crate::support::index::Trouble::Status(404, ""),
        100,
    );
    let output = workshop.lock(&["zz-native"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains(&format!("{file} cannot be read: it is not there")),
        "{said}"
    );
    assert!(!workshop.read("dependencies.nix").contains("buildInputs"));
}

#[test]
fn published_binaries_get_what_they_link() {
    let binary = release().no_sdist().object(
        "zz_native/driver.so",
        &["libcuda.so.1", "libzz-nobody.so.3", "libstdc++.so.6"],
    );
    let workshop = workshop(binary);
    let output = workshop.lock(&["zz-native", "--system", "x86_64-linux"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("no attribute of nixpkgs is known for libzz-nobody.so.3"),
        "{said}"
    );
    let text = workshop.read("dependencies.nix");
    for expected in [
        "nativeBuildInputs = [ pkgs.autoPatchelfHook ];",
        "pkgs.stdenv.cc.cc.lib\n        pkgs.xz\n        pkgs.zlib\n",
        "autoPatchelfIgnoreMissingDeps = [ \"libcuda.so.1\" ];",
        "pythonImportsCheck = [ \"zz_native\" ];",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(
        !text.contains("pkgs.libxml2"),
        "the wheel carries it: {text}"
    );
}

/// What only builds need is in the lock with who needs it.
#[test]
fn why_knows_what_only_builds_need() {
    let workshop = Workshop::new();
    let pyproject = "[build-system]\nrequires = ['zz-backend>=1']\nbuild-backend = 'zz_backend'\n\
        [project]\nname = 'zz-native'\nversion = '1.0'\n";
    let files = [("pyproject.toml", pyproject), ("zz_native.py", "")];
    workshop
        .index
        .publish(Release::new("zz-native", "1.0").source(&files));
    let backend = Release::new("zz-backend", "1.2");
    workshop.index.publish(backend.flit("\"\"\"Backend\"\"\""));
    workshop.locked(&["zz-native"]);
    let why = workshop.run(&["why", "zz-backend"]);
    assert_eq!(
        String::from_utf8(why.stdout).unwrap(),
        "zz-backend 1.2\n  a new entry, zz-backend\n  only builds need it\n  \
         building zz-native 1.0 needs zz-backend>=1\n"
    );
    let why = workshop.run(&["why", "zz-backend", "--json"]);
    let json: Value = serde_json::from_slice(&why.stdout).unwrap();
    assert_eq!(json[0]["for_build"], true);
    assert_eq!(json[0]["needed_by"][0]["by"], "building zz-native 1.0");
}
