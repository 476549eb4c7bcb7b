//! Plans rendered whole, compared with the files in `testdata/render`.

use std::path::{Path, PathBuf};

use super::{beside, dependencies};
use crate::index::Release;
use crate::nixpkgs::Nixpkgs;
use crate::nixpkgs::facts::{AttributeFacts, Kind as AttributeKind, Names, Need};
use crate::plan::fixture::{Fixture, distribution};
use crate::project::Cargo;
use crate::project::cargo::CrateCommit;
use crate::project::native::Kind;
use crate::python::{Sha256, TargetSet};

/// Renders, checks what must hold of every file, and compares; `UPDATE=1` rewrites the file.
fn check(name: &str, fixture: &Fixture) {
    let text = dependencies(&fixture.plan().unwrap()).text;
    assert_valid(&text);
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PathBuf::from_iter([
        "testdata",
        "render",
        &format!("{name}.nix"),
    ]));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    similar(&text, &expected, name);
}

fn similar(text: &str, expected: &str, name: &str) {
    if let Some((line, (new, old))) = text
        .lines()
        .zip(expected.lines())
        .enumerate()
        .find(|(_, (new, old))| new != old)
    {
        panic!("{name}.nix:{}: `{old}` was expected, not `{new}`", line + 1);
    }
    assert_eq!(text.len(), expected.len(), "{name}.nix has another length");
}

fn assert_valid(text: &str) {
    let parsed = rnix::Root::parse(text);
    assert!(parsed.errors().is_empty(), "{:?}\n{text}", parsed.errors());
    assert_eq!(nixfmt_rs::format(text).unwrap(), text);
}

#[test]
fn the_bridge() {
    let fixture = Fixture::new()
        .root("tornado>=6.5.5")
        .root("aioamqp")
        .root("redis_structures==0.1.3")
        .pin("tornado", "6.5.7", &[])
        .pin("aioamqp", "0.15.0", &["pamqp>=2.2.0,<3"])
        .pin("pamqp", "2.3.0", &[])
        .pin("redis-structures", "0.1.3", &["redis"])
        .pin("redis", "7.4.0", &[])
        .facts("redis-structures", |facts| {
            facts.missing_files = vec!["README.rst".to_owned()];
        });
    check("bridge", &fixture);
}

#[test]
fn another_attribute_is_the_projects_in_the_whole_set() {
    let fixture = Fixture::new()
        .root("django>=6")
        .root("protobuf>=6.33,<7")
        .root("pydantic<2")
        .pin("django", "6.0.3", &["asgiref", "sqlparse"])
        .pin("asgiref", "3.11.1", &[])
        .pin("sqlparse", "0.5.5", &[])
        .pin("protobuf", "6.33.9", &[])
        .pin("pydantic", "1.10.24", &[]);
    check("attributes", &fixture);
}

#[test]
fn conditions_extras_and_cycles() {
    let targets = Fixture::new().targets;
    let darwin = TargetSet::single(2);
    let linux = targets.all().without(darwin);
    let fixture = Fixture::new()
        .root("first-thing[fast]")
        .root("only-mac; sys_platform == 'darwin'")
        .root("forked")
        .pin(
            "first-thing",
            "1.0",
            &[
                "second-thing",
                "six; sys_platform == 'linux'",
                "attrs; platform_machine == 'x86_64'",
                "2to3",
                "speedups[more]; extra == 'fast'",
            ],
        )
        .pin("second-thing", "2.0", &["first-thing", "third_thing"])
        .pin("third-thing", "3.0", &[])
        .pin("2to3", "1.0", &[])
        .pin(
            "speedups",
            "0.1",
            &["lz4; extra == 'more'", "first-thing>=1"],
        )
        .pin("lz4", "4.4.5", &[])
        .pin("six", "1.17.0", &[])
        .pin("attrs", "25.4.0", &[])
        .pin_on("only-mac", "1.0", &["six"], darwin)
        .pin_on("forked", "1.0", &[], darwin)
        .pin_on("forked", "2.0", &["six"], linux);
    check("conditions", &fixture);
}

#[test]
fn builds() {
    let fixture = Fixture::new()
        .root("plugged")
        .root("wheels-only")
        .root("packaging>=99")
        .pin("plugged", "1.0", &["packaging>=99"])
        .pin("packaging", "99.0", &[])
        .build_pin("odd-backend", "0.5", &[])
        .facts("plugged", |facts| {
            facts.has_build_system_table = true;
            facts.build_written = vec!["'setuptools<60'".to_owned()];
            facts.build_requires = vec![
                "setuptools<60".to_owned(),
                "odd-backend>=0.5".to_owned(),
                "numpy>=1; sys_platform == 'linux'".to_owned(),
                "tomli; python_version < '3.11'".to_owned(),
            ];
        })
        .pin("wheels-only", "1.0", &[])
        .change("wheels-only", |pin| {
            let wheel = distribution("wheels_only-1.0-py3-none-any.whl", &pin.name);
            pin.release = Release {
                tree: None,
                version: pin.version.clone(),
                wheels: vec![wheel],
                sdist: None,
            }
            .into();
        });
    check("builds", &fixture);
}

#[test]
fn rust_and_cmake() {
    let commit = CrateCommit {
        url: "https://host.test/c".to_owned(),
        commit: "0".repeat(40),
    };
    let mut fixture = Fixture::new()
        .root("rusty")
        .root("pydantic-core==9")
        .root("cmade")
        .pin("rusty", "1.0", &[])
        .facts("rusty", |facts| {
            facts.build_requires = vec!["setuptools".to_owned(), "setuptools-rust".to_owned()];
            facts.cargo = Some(Cargo {
                root: "src/rust".to_owned(),
                lock: Some("lock".to_owned()),
                git: vec!["b-2.0".to_owned(), "c-3.0".to_owned()],
                commits: [("c-3.0".to_owned(), commit.clone())].into(),
            });
        })
        .pin("pydantic-core", "9", &["typing-extensions"])
        .pin("typing-extensions", "4.15.0", &[])
        .facts("pydantic-core", |facts| {
            facts.build_requires = vec!["maturin>=99".to_owned()];
            facts.build_written = vec!["\"maturin>=99\"".to_owned()];
            facts.cargo = Some(Cargo {
                lock: Some("lock".to_owned()),
                ..Cargo::default()
            });
        })
        .pin("cmade", "1.0", &[])
        .facts("cmade", |facts| {
            facts.build_requires = vec!["scikit-build-core".to_owned()];
        });
    fixture.crates.insert(commit, Ok(Sha256::of(b"c")));
    check("rust", &fixture);
    let plan = fixture.plan().unwrap();
    let names: Vec<String> = beside(&plan).into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["pydantic-core.Cargo.lock", "rusty.Cargo.lock"]);
}

#[test]
fn what_only_kept_packages_want_is_left_out() {
    let binary = |pin: &mut crate::resolve::Pin| {
        let file = format!("{}-1.0-py3-none-manylinux1_x86_64.whl", pin.name);
        pin.release = Release {
            tree: None,
            version: pin.version.clone(),
            wheels: vec![distribution(&file, &pin.name)],
            sdist: None,
        }
        .into();
    };
    let fixture = Fixture::new()
        .root("torch")
        .root("mine")
        .pin("torch", "2.10.0", &["cudaone", "cudatwo"])
        .pin("mine", "1.0", &["cudatwo"])
        .pin("cudaone", "1.0", &["cudathree"])
        .pin("cudatwo", "1.0", &[])
        .pin("cudathree", "1.0", &[])
        .change("cudaone", binary)
        .change("cudatwo", binary)
        .change("cudathree", binary);
    let plan = fixture.plan().unwrap();
    let entries: Vec<&str> = plan.entries.iter().map(|e| e.attr.as_str()).collect();
    assert_eq!(entries, ["cudatwo", "mine"]);
    let named: Vec<&str> = plan.packages.iter().map(|n| n.attr.as_str()).collect();
    assert_eq!(named, ["mine", "torch"]);
    let actions: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (s.name.as_ref(), s.action.text()))
        .collect();
    assert_eq!(
        actions,
        [
            ("cudaone", "reuse"),
            ("cudathree", "reuse"),
            ("cudatwo", "new"),
            ("mine", "new"),
            ("torch", "reuse")
        ]
    );
    assert!(!plan.steps.last().unwrap().rebuilt);
}

#[test]
fn twins_and_what_a_recipe_tells() {
    let mut fixture = Fixture::new()
        .root("mine")
        .pin("mine", "1.0", &["psycopg2-binary>=2.9.90"])
        .pin("psycopg2-binary", "2.9.99", &[])
        .root("faiss-cpu")
        .root("tornado>=6.6")
        .root("six>=2")
        .pin("faiss-cpu", "1.14.1", &[])
        .pin("six", "2.0", &[])
        .pin("tornado", "6.6", &[]);
    let facts = |change: &dyn Fn(&mut AttributeFacts)| {
        let mut facts = AttributeFacts {
            format: "pyproject".to_owned(),
            ..AttributeFacts::default()
        };
        change(&mut facts);
        facts.into()
    };
    let mut attributes: Vec<_> = fixture.nixpkgs.all().cloned().collect();
    for attribute in &mut attributes {
        match attribute.attr.as_str() {
            "tornado" => attribute.facts = facts(&|f| f.set = ["patches".to_owned()].into()),
            "six" => attribute.facts = facts(&|f| f.kind = AttributeKind::Foreign),
            _ => {}
        }
    }
    fixture.nixpkgs = Nixpkgs::new("nixpkgs".to_owned(), "2026-06-01".to_owned(), attributes);
    check("recipes", &fixture);
}

#[test]
fn native_inputs_say_who_asks_for_them() {
    let young = |pin: &mut crate::resolve::Pin| {
        let mut release = Release::clone(&pin.release);
        let sdist = release.sdist.as_mut().unwrap();
        sdist.uploaded = crate::index::Timestamp::parse("2026-11-01T00:00:00Z");
        pin.release = release.into();
    };
    let hatch = |facts: &mut crate::project::SourceFacts| {
        facts.build_requires = vec!["hatchling".to_owned()];
    };
    let fixture = Fixture::new()
        .root("mine-c")
        .root("mine-cmake")
        .root("mine-young")
        .root("mine-old")
        .root("yarl>=9")
        .root("humanize>=9")
        .pin("mine-c", "1.0", &[])
        .asks("mine-c", Kind::Library, "z")
        .asks("mine-c", Kind::Library, "m")
        .asks("mine-c", Kind::Module, "yaml-0.1")
        .asks("mine-c", Kind::Host, "generic/openssl")
        .asks("mine-c", Kind::Program, "generic/ninja")
        .pin("mine-cmake", "1.0", &[])
        .facts("mine-cmake", |f| {
            f.build_requires = vec!["scikit-build-core".to_owned()];
        })
        .asks("mine-cmake", Kind::Package, "OpenSSL")
        .asks("mine-cmake", Kind::Package, "Python")
        .asks("mine-cmake", Kind::Package, "NeverHeardOf")
        .pin("mine-young", "1.0", &[])
        .facts("mine-young", hatch)
        .change("mine-young", young)
        .pin("mine-old", "1.0", &[])
        .facts("mine-old", hatch)
        .pin("humanize", "9", &[])
        .facts("humanize", |f| {
            hatch(f);
            f.build_requires.push("hatch-vcs".to_owned());
        })
        .change("humanize", young)
        .pin("yarl", "9", &[])
        .facts("yarl", |f| f.own_backend = true);
    let plan = fixture.plan().unwrap();
    let warned = "mine-cmake 1.0: no attribute of nixpkgs is known for what setup.py:7 asks for: \
                  asks for NeverHeardOf";
    assert!(
        plan.warnings.contains(&warned.to_owned()),
        "{:?}",
        plan.warnings
    );
    let step = plan.steps.iter().find(|s| s.name.as_ref() == "mine-c");
    let zlib = &step.unwrap().inputs["zlib"];
    assert_eq!(*zlib, ["setup.py:7: asks for z"]);
    check("native", &fixture);
}

#[test]
fn what_recipes_say_in_lists_and_variables() {
    let scm = |facts: &mut crate::project::SourceFacts| {
        facts.build_requires = vec!["setuptools-scm".to_owned()];
    };
    let mut fixture = Fixture::new()
        .root("flask==9")
        .root("tornado==9")
        .root("werkzeug==9")
        .pin("flask", "9", &["packaging>=99"])
        .change("flask", |pin| {
            let mut metadata = (*pin.metadata).clone();
            let name = metadata.requires_dist[0].name.clone();
            metadata.spellings = vec![(name, "Packaging".to_owned())];
            pin.metadata = metadata.into();
        })
        .pin("tornado", "9", &["packaging>=99"])
        .pin("werkzeug", "9", &["packaging>=99"])
        .pin("packaging", "99", &[])
        .facts("flask", scm)
        .facts("werkzeug", scm);
    let mut attributes: Vec<_> = fixture.nixpkgs.all().cloned().collect();
    for attribute in &mut attributes {
        let mut facts = AttributeFacts {
            format: "pyproject".to_owned(),
            do_check: Some(false),
            ..AttributeFacts::default()
        };
        match attribute.attr.as_str() {
            "tornado" => {
                facts.set = ["pythonRelaxDeps".to_owned()].into();
                facts.relaxed = Some(Names::All);
            }
            "werkzeug" => {
                let set = ["pythonRelaxDeps", "propagatedBuildInputs", "env"];
                facts.set = set.map(str::to_owned).into();
                facts.relaxed = Some(Names::Some(vec!["other".to_owned()]));
                let zlib = Need {
                    top_level: true,
                    ..Need::new("zlib")
                };
                facts.dependencies = Some(vec![Need::new("six"), zlib]);
            }
            _ => continue,
        }
        attribute.facts = facts.into();
    }
    fixture.nixpkgs = Nixpkgs::new("nixpkgs".to_owned(), "2026-06-01".to_owned(), attributes);
    check("lists", &fixture);
}

#[test]
fn published_binaries() {
    let wheels = |pin: &mut crate::resolve::Pin, files: &[&str]| {
        let wheels = files.iter().map(|f| distribution(f, &pin.name)).collect();
        pin.release = Release {
            tree: None,
            version: pin.version.clone(),
            wheels,
            sdist: None,
        }
        .into();
    };
    let fixture = Fixture::new()
        .root("native-thing")
        .root("tornado==9")
        .pin("native-thing", "1.0", &[])
        .change("native-thing", |pin| {
            wheels(
                pin,
                &[
                    "native_thing-1.0-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                    "native_thing-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                    "native_thing-1.0-cp313-cp313-musllinux_1_1_x86_64.whl",
                    "native_thing-1.0-cp310-abi3-manylinux_2_28_aarch64.whl",
                    "native_thing-1.0-cp39-abi3-manylinux_2_28_aarch64.whl",
                    "native_thing-1.0-1-py3-none-macosx_11_0_universal2.whl",
                ],
            );
        })
        .pin("tornado", "9", &[])
        .change("tornado", |pin| {
            wheels(pin, &["tornado-9-cp39-abi3-manylinux_2_28_x86_64.whl"]);
        });
    check("wheels", &fixture);
}

#[test]
fn hostile_texts_stay_texts() {
    let evil = "${builtins.abort \"x\"} ''${x} */ \r\n \0 \" \\";
    let fixture = Fixture::new()
        .root("evil")
        .pin("evil", "1.0", &[])
        .facts("evil", |facts| {
            facts.missing_files = vec![
                format!("docs/{evil}'; touch $HOME"),
                "-rf".to_owned(),
                "a b/c\rd".to_owned(),
            ];
            facts.modules = vec![evil.to_owned()];
            facts.has_build_system_table = true;
            facts.build_requires = vec!["setuptools<60".to_owned()];
            facts.build_written = vec![format!("\"{evil}'\"")];
            facts.about.summary = Some(evil.to_owned());
            facts.about.home_page = Some(format!("https://example.test/{evil}"));
            facts.about.urls = vec![(
                "Changelog".to_owned(),
                "https://example.test/${x}\"''$".to_owned(),
            )];
            facts.about.license_expression = Some(evil.to_owned());
        })
        .change("evil", |pin| {
            pin.index = None;
        });
    check("hostile", &fixture);
}

#[test]
fn nothing_is_taken_from_nixpkgs() {
    let mut fixture = Fixture::new()
        .root("six")
        .pin("six", "1.17.0", &["setuptools"])
        .pin("setuptools", "70.0", &[]);
    fixture.nixpkgs = Nixpkgs::default();
    check("none", &fixture);
}

#[test]
fn names_that_nobody_provides_are_errors() {
    let fixture = Fixture::new()
        .root("plugged")
        .pin("plugged", "1.0", &[])
        .facts("plugged", |facts| {
            facts.build_requires = vec!["no-such-backend".to_owned()];
        });
    let error = fixture.plan().unwrap_err().to_string();
    assert_eq!(
        error,
        "`plugged 1.0` needs `no-such-backend`, which neither nixpkgs nor an entry provides"
    );
}
