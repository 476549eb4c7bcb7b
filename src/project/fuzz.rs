//! Whatever the files hold, reading them ends, in bounded time, without a panic.

use proptest::prelude::*;

use super::tests::tree;
use super::*;

fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(of), 0..30).prop_map(|parts| parts.concat())
}

const REQUIREMENTS: &[&str] = &[
    "foo",
    "==",
    "1.0",
    ">=2",
    "\n",
    "\r\n",
    "\\\n",
    " ",
    "#",
    " # c",
    "-r ",
    "-c ",
    "-e ",
    "a.txt",
    "b.txt",
    ".",
    "./",
    "../",
    "/",
    "--hash=sha256:",
    "--index-url ",
    "--find-links=",
    "--no-binary ",
    ":all:",
    ":none:",
    "https://h.test/x-1.0.tar.gz",
    "git+https://h.test/x#egg=",
    "file:",
    "@",
    "[",
    "]",
    ";",
    "python_version < '3'",
    "'",
    "\"",
    "${A}",
    "${",
    "}",
    "\u{feff}",
    "é",
    "\0",
    "--",
    "-",
    "# coding: latin-1\n",
    "--global-option=",
];

const INI: &[&str] = &[
    "[metadata]\n",
    "[options]\n",
    "[options.extras_require]\n",
    "[extras]\n",
    "name",
    "version",
    "=",
    ":",
    "\n",
    "    ",
    "attr: demo.x",
    "file: a.txt",
    "file: b.txt, c",
    "install_requires",
    "packages",
    "find:",
    "[",
    "]",
    "#",
    ";",
    "foo>=1",
    ",",
    "\\",
    "é",
    "%",
    "python_requires",
    ">=3.8",
    "package_dir",
    "=src",
    "entry_points",
];

const TOML: &[&str] = &[
    "[project]\n",
    "[tool.poetry]\n",
    "[tool.poetry.dependencies]\n",
    "[build-system]\n",
    "[dependency-groups]\n",
    "[tool.setuptools.dynamic]\n",
    "[tool.hatch.version]\n",
    "[tool.flit.metadata]\n",
    "[tool.pyresolve]\n",
    "[tool.pyresolve.metadata.\"a==1\"]\n",
    "name",
    "version",
    "dynamic",
    "dependencies",
    "optional-dependencies",
    "requires",
    "build-backend",
    "python",
    " = ",
    "\"",
    "'demo'",
    "\"^1.2\"",
    "\"hatchling.build\"",
    "\"foo>=1\"",
    "\"flit_core.buildapi\"",
    "\"poetry.core.masonry.api\"",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    "version = ",
    "path",
    "'a.txt'",
    "attr",
    "'demo.x'",
    "include-group",
    "pattern",
    "'(?P<version>.*)'",
    "1",
    "true",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn requirements_files(a in pieces(REQUIREMENTS), b in pieces(REQUIREMENTS)) {
        let files = tree(&[("a.txt", &a), ("b.txt", &b)]);
        let project = read(&files, &Hint::File("a.txt".to_owned())).unwrap();
        for requirement in project.dependencies.iter().chain(&project.constraints) {
            let origin = requirement.origin.as_ref().unwrap();
            prop_assert!(origin.file.text.get(origin.span.clone()).is_some(), "{a:?} {b:?} {origin:?}");
        }
    }

    #[test]
    fn project_files(cfg in pieces(INI), toml in pieces(TOML), list in pieces(REQUIREMENTS)) {
        let files = tree(&[
            ("setup.cfg", &cfg),
            ("pyproject.toml", &toml),
            ("a.txt", &list),
            ("demo/__init__.py", "x = '1'\n"),
        ]);
        let _ = read(&files, &Hint::Folder);
        let _ = facts::of(&files);
        let _ = settings::read(&files);
    }

    #[test]
    fn archives(bytes in prop::collection::vec(any::<u8>(), 0..2000), magic in prop::sample::select(vec![
        &b""[..], b"\x1f\x8b\x08\0\0\0\0\0\0\0", b"PK\x03\x04", b"BZh9", b"\xfd7zXZ\0",
    ])) {
        let mut all = magic.to_vec();
        all.extend(bytes);
        let _ = Archive::parse("demo-1.0.tar.gz", &all);
    }

    #[test]
    fn damaged_archives(at in any::<prop::sample::Index>(), with in any::<u8>(), zip in any::<bool>()) {
        use std::io::Write as _;
        let mut bytes = if zip {
            let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file("demo-1.0/setup.cfg", options).unwrap();
            zip.write_all(b"[metadata]\nname = demo\n").unwrap();
            zip.finish().unwrap().into_inner()
        } else {
            let mut builder = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_size(4);
            header.set_cksum();
            builder.append_data(&mut header, "demo-1.0/setup.cfg", &b"[a]\n"[..]).unwrap();
            builder.into_inner().unwrap()
        };
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(archive) = Archive::parse("demo-1.0.zip", &bytes) {
            let _ = facts::of(&archive);
        }
    }
}
