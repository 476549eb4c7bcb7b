//! Proof by building, native code: what is written for sources in Rust, and for those that CMake or Meson
//! build, is built by the real programs and imported.

use pyresolve::python::Sha256;

use crate::support::index::Index;
use crate::support::nix::{Need, Nix};
use crate::support::project::{Release, tar_gz_of};

/// An extension module without other crates than its own: what PyO3's macros would write.
const MODULE: &str = r#"
use std::ffi::{c_char, c_int, c_long, c_void};

#[repr(C)]
struct Definition {
    count: isize,
    kind: *mut c_void,
    init: *mut c_void,
    index: isize,
    copy: *mut c_void,
    name: *const c_char,
    doc: *const c_char,
    size: isize,
    rest: [*mut c_void; 5],
}

extern "C" {
    fn PyModule_Create2(definition: *mut Definition, api: c_int) -> *mut c_void;
    fn PyModule_AddIntConstant(module: *mut c_void, name: *const c_char, value: c_long) -> c_int;
}

const NONE: *mut c_void = std::ptr::null_mut();
static mut DEFINITION: Definition = Definition {
    count: 1,
    kind: NONE,
    init: NONE,
    index: 0,
    copy: NONE,
    name: c"ours_rust".as_ptr(),
    doc: std::ptr::null(),
    size: -1,
    rest: [NONE; 5],
};

#[no_mangle]
pub unsafe extern "C" fn PyInit_ours_rust() -> *mut c_void {
    let module = PyModule_Create2(std::ptr::addr_of_mut!(DEFINITION), 1013);
    PyModule_AddIntConstant(module, c"ANSWER".as_ptr(), ours_answer::answer() + ours_part::part());
    module
}
"#;

const MANIFEST: &str = "[package]
name = \"ours-rust\"
version = \"1.2.0\"
edition = \"2021\"

[lib]
name = \"ours_rust\"
crate-type = [\"cdylib\"]

[dependencies]
ours-answer = \"1\"
ours-part = { path = \"part\" }
";

const PART: &str = "[package]\nname = \"ours-part\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

/// What Cargo calls the place of crates that have no other.
fn registry() -> String {
    [
        "registry+https://github.com/rust-lang/",
        "crates",
        ".io-index",
    ]
    .concat()
}

/// A nixpkgs whose crates are on the index, which has one.
fn with_crate(nix: &Nix, index: &Index) -> String {
    let manifest = "[package]\nname = \"ours-answer\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let library = "pub fn answer() -> std::ffi::c_long { 40 }\n";
    let file = |path: &str, text: &str| (format!("ours-answer-1.0.0/{path}"), text.into());
    let archive = tar_gz_of(&[file("Cargo.toml", manifest), file("src/lib.rs", library)]);
    index.put("/crates/ours-answer/1.0.0/download", &archive, &[]);
    nix.offer(&format!("{{ crates = \"{}/crates/\"; }}", index.root()));
    format!(
        "version = 3\n\n[[package]]\nname = \"ours-answer\"\nversion = \"1.0.0\"\n\
         source = \"{}\"\nchecksum = \"{}\"\n\n[[package]]\nname = \"ours-part\"\n\
         version = \"0.1.0\"\n\n[[package]]\nname = \"ours-rust\"\nversion = \"1.2.0\"\n\
         dependencies = [\n \"ours-answer\",\n \"ours-part\",\n]\n",
        registry(),
        Sha256::of(&archive).hex()
    )
}

const MATURIN: &str = "[build-system]
requires = [\"maturin>=1.5,<2\"]
build-backend = \"maturin\"
[project]
name = \"ours-rust\"
version = \"1.2.0\"
";

fn lock(nix: &Nix, index: &Index, wanted: &str) -> String {
    nix.lock(index, &[wanted]).unwrap();
    let file = nix.folder().join("dependencies.nix");
    nix.parse(&file).unwrap();
    std::fs::read_to_string(file).unwrap()
}

fn run(nix: &Nix, program: &str) -> String {
    let environment = nix.build("dependencies.nix", "env").unwrap();
    nix.python(&environment, program).unwrap()
}

/// A crate of the registry and one in the source, built by Cargo without a network.
#[test]
fn maturin_builds_with_the_crates_of_the_lock() {
    let Some(nix) = Nix::start("maturin", &[Need::Rust, Need::Compiler]) else {
        return;
    };
    let index = Index::start(Vec::new());
    let lock_text = with_crate(&nix, &index);
    let source = Release::new("ours-rust", "1.2.0").source(&[
        ("pyproject.toml", MATURIN),
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", &lock_text),
        ("src/lib.rs", MODULE),
        ("part/Cargo.toml", PART),
        (
            "part/src/lib.rs",
            "pub fn part() -> std::ffi::c_long { 2 }\n",
        ),
    ]);
    index.publish(source.wheels(&[]));
    let text = lock(&nix, &index, "ours-rust");
    assert!(
        text.contains("lockFile = ./ours-rust.Cargo.lock;"),
        "{text}"
    );
    assert_eq!(run(&nix, "import ours_rust; print(ours_rust.ANSWER)"), "42");
    // The crates are those of the file beside: one that was changed is refused.
    let other = lock_text.replace("0.1.0", "0.2.0");
    nix.write("ours-rust.Cargo.lock", &other);
    let error = nix.build("dependencies.nix", "env").unwrap_err();
    assert!(
        error.contains("is not the one that the crates are from"),
        "{error}"
    );
}

/// The crate in a folder of its own.
#[test]
fn setuptools_rust_builds_below_the_root() {
    let needs = [Need::Rust, Need::Compiler, Need::Setuptools];
    let Some(nix) = Nix::start("setuptools-rust", &needs) else {
        return;
    };
    let index = Index::start(Vec::new());
    let lock_text = with_crate(&nix, &index);
    let pyproject = "[build-system]\nrequires = [\"setuptools\", \"setuptools-rust>=1\"]\n\
        build-backend = \"setuptools.build_meta\"\n";
    let setup = "from setuptools import setup
from setuptools_rust import RustExtension
setup(name='ours-rust', version='1.2.0',
      rust_extensions=[RustExtension('ours_rust', path='src/rust/Cargo.toml')])
";
    let source = Release::new("ours-rust", "1.2.0").source(&[
        ("pyproject.toml", pyproject),
        ("setup.py", setup),
        ("src/rust/Cargo.toml", MANIFEST),
        ("src/rust/Cargo.lock", &lock_text),
        ("src/rust/src/lib.rs", MODULE),
        ("src/rust/part/Cargo.toml", PART),
        (
            "src/rust/part/src/lib.rs",
            "pub fn part() -> std::ffi::c_long { 3 }\n",
        ),
    ]);
    index.publish(source.wheels(&[]));
    let text = lock(&nix, &index, "ours-rust");
    assert!(text.contains("cargoRoot = \"src/rust\";"), "{text}");
    assert_eq!(run(&nix, "import ours_rust; print(ours_rust.ANSWER)"), "43");
}

/// Nothing tells the crates of a source without a lock: a wheel can be had instead.
#[test]
fn a_source_in_rust_without_a_lock_gives_way_to_its_wheel() {
    let Some(nix) = Nix::start("rust-unlocked", &[]) else {
        return;
    };
    let source = Release::new("ours-rust", "1.2.0").source(&[
        ("pyproject.toml", MATURIN),
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", MODULE),
    ]);
    let index = Index::start(Vec::new());
    index.publish(source);
    let text = lock(&nix, &index, "ours-rust");
    assert!(text.contains("format = \"wheel\";"), "{text}");
    assert!(!text.contains("rustPlatform"), "{text}");
    assert_eq!(
        run(&nix, "import ours_rust; print(ours_rust.__version__)"),
        "1.2.0"
    );
}

const C_MODULE: &str = "#include <Python.h>
#include <oursanswer.h>
static PyMethodDef methods[] = {{0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"ours_native\", 0, -1, methods};
PyMODINIT_FUNC PyInit_ours_native(void) {
    PyObject *made = PyModule_Create(&module);
    PyModule_AddIntConstant(made, \"ANSWER\", answer());
    return made;
}
";

/// A library that nixpkgs has, found by pkg-config only.
fn with_library(nix: &Nix) {
    nix.write("yaml.h", "int answer(void);\n");
    nix.write(
        "yaml.c",
        "#include <oursanswer.h>\nint answer(void) { return 42; }\n",
    );
    nix.offer(
        "{ libraries.libyaml = { module = \"yaml-0.1\"; linkName = \"oursanswer\"; version = \"1.2\";
           header = builtins.readFile ./yaml.h; source = builtins.readFile ./yaml.c; }; }",
    );
}

fn pyproject(requires: &str, backend: &str) -> String {
    format!(
        "[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"{backend}\"\n\
         [project]\nname = \"ours-native\"\nversion = \"1.0\"\n"
    )
}

/// What build files say of a library is an input, and CMake is run by the build backend alone.
#[test]
fn cmake_is_run_by_scikit_build_core() {
    let Some(nix) = Nix::start("cmake", &[Need::Cmake, Need::Compiler]) else {
        return;
    };
    with_library(&nix);
    let cmake = "cmake_minimum_required(VERSION 3.18)
project(ours_native LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
find_package(PkgConfig REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
Python_add_library(ours_native MODULE native.c WITH_SOABI)
target_link_libraries(ours_native PRIVATE PkgConfig::YAML)
install(TARGETS ours_native DESTINATION .)
";
    let text = pyproject("scikit-build-core>=0.10", "scikit_build_core.build");
    let source = Release::new("ours_native", "1.0").source(&[
        ("pyproject.toml", &text),
        ("CMakeLists.txt", cmake),
        ("native.c", C_MODULE),
    ]);
    let index = Index::start(Vec::new());
    index.publish(source.wheels(&[]));
    let text = lock(&nix, &index, "ours-native");
    assert!(text.contains("dontUseCmakeConfigure = true;"), "{text}");
    assert!(text.contains("# libyaml: CMakeLists.txt:5"), "{text}");
    assert_eq!(
        run(&nix, "import ours_native; print(ours_native.ANSWER)"),
        "42"
    );
}

/// The same with Meson.
#[test]
fn meson_is_run_by_meson_python() {
    let Some(nix) = Nix::start("meson", &[Need::Meson, Need::Compiler]) else {
        return;
    };
    with_library(&nix);
    let meson = "project('ours-native', 'c', version: '1.0')
python = import('python').find_installation('python')
python.extension_module('ours_native', 'native.c',
  dependencies: [python.dependency(), dependency('yaml-0.1')], install: true)
";
    let text = pyproject("meson-python>=0.15", "mesonpy");
    let source = Release::new("ours_native", "1.0").source(&[
        ("pyproject.toml", &text),
        ("meson.build", meson),
        ("native.c", C_MODULE),
    ]);
    let index = Index::start(Vec::new());
    index.publish(source.wheels(&[]));
    let text = lock(&nix, &index, "ours-native");
    assert!(text.contains("# libyaml: meson.build:4"), "{text}");
    assert_eq!(
        run(&nix, "import ours_native; print(ours_native.ANSWER)"),
        "42"
    );
}
