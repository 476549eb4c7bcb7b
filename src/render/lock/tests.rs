use std::str::FromStr as _;
use std::sync::Arc;

use url::Url;

use super::*;
use crate::index::{Release, Timestamp};
use crate::python::{About, MarkerTree, Metadata, Requirement, Version};

fn name(text: &str) -> PackageName {
    PackageName::from_str(text).unwrap()
}

fn distribution(file: &str, project: &str, sha256: Option<&[u8]>) -> Distribution {
    let (filename, _) = Filename::parse(file, &name(project)).unwrap();
    Distribution {
        filename,
        file: file.to_owned(),
        url: Url::parse(&format!("https://me:secret@files.test/{file}"))
            .unwrap()
            .into(),
        sha256: sha256.map(Sha256::of),
        size: Some(7),
        requires_python: None,
        uploaded: Timestamp::parse("2026-01-02T03:04:05.000006Z"),
        yanked: None,
        has_metadata: true,
        metadata_sha256: None,
    }
}

fn edge(to: &str, targets: TargetSet, text: &str) -> Edge {
    Edge {
        to: name(to),
        extras: BTreeSet::new(),
        via_extra: None,
        marker: MarkerTree::TRUE,
        targets,
        requirement: Arc::new(Requirement::parse(text).unwrap()),
    }
}

fn pin(project: &str, version: &str, targets: TargetSet, needs: Vec<Edge>) -> Pin {
    let file =
        |suffix: &str| distribution(&format!("{project}-{version}{suffix}"), project, Some(b"x"));
    Pin {
        name: name(project),
        version: Version::from_str(version).unwrap(),
        release: Arc::new(Release {
            tree: None,
            version: Version::from_str(version).unwrap(),
            wheels: vec![
                file("-cp313-cp313-macosx_11_0_arm64.whl"),
                file("-cp313-cp313-win_amd64.whl"),
            ],
            sdist: Some(file(".tar.gz")),
        }),
        metadata: Arc::new(Metadata {
            name: name(project),
            version: version.to_owned(),
            requires_dist: Default::default(),
            spellings: Vec::new(),
            requires_python: None,
            provides_extra: Vec::new(),
            about: About::default(),
            repairs: Vec::new(),
        }),
        index: Some(Url::parse("https://me:secret@index.test/simple/").unwrap()),
        direct: None,
        targets,
        extras: BTreeSet::new(),
        needs,
    }
}

fn targets() -> Targets {
    Targets::new(Version::from_str("3.13.5").unwrap(), &System::DEFAULT)
}

fn rendered(resolution: &Resolution) -> Result<String, String> {
    let nixpkgs = Nixpkgs::new(
        "nixos-unstable".to_owned(),
        "2026-05-03".to_owned(),
        Vec::new(),
    );
    render(&LockText {
        resolution,
        digests: &BTreeMap::new(),
        nixpkgs: Some(&nixpkgs),
        prefer: "nixpkgs",
        layout: Layout::default(),
        inputs: "abc",
        place: std::path::Path::new("/project"),
        actions: &BTreeMap::from([(
            (name("demo"), "1.0".to_owned()),
            Action {
                action: "new".to_owned(),
                attribute: "demo".to_owned(),
                inputs: BTreeMap::from([(
                    "a.b".to_owned(),
                    vec![
                        "setup.py:1: \"x\"".to_owned(),
                        "x.so: links libx.so".to_owned(),
                    ],
                )]),
                needed_by: Vec::new(),
            },
        )]),
        older: &BTreeMap::new(),
        build: &[],
        constraints: &[],
        overrides: &[],
        written: &[("dependencies.nix".to_owned(), Sha256::of(b"{ }"))],
    })
}

#[test]
fn a_lock_of_two_pins() {
    let targets = targets();
    let darwin = TargetSet::single(2);
    let resolution = Resolution {
        pins: vec![
            pin(
                "demo",
                "1.0",
                targets.all(),
                vec![edge("leaf", darwin, "leaf>=2; sys_platform == 'darwin'")],
            ),
            pin("leaf", "2.0", darwin, Vec::new()),
        ],
        roots: vec![edge("demo", targets.all(), "demo==1.0")],
        targets,
    };
    let text = rendered(&resolution).unwrap();
    assert!(!text.contains("secret"));
    assert!(!text.contains("win_amd64"));
    insta::assert_snapshot!(text);
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["packages"].as_array().unwrap().len(), 2);
}

#[test]
fn a_changed_lock_is_recognised() {
    let targets = targets();
    let resolution = Resolution {
        pins: vec![pin("demo", "1.0", targets.all(), Vec::new())],
        roots: Vec::new(),
        targets,
    };
    let text = rendered(&resolution).unwrap();
    assert_eq!(untouched_inputs(&text), Some("abc"));
    assert_eq!(untouched_inputs(&text.replace("1.0", "1.1")), None);
    assert_eq!(untouched_inputs(text.trim_end()), None);
    assert_eq!(untouched_inputs(""), None);
}

#[test]
fn forks_name_the_version_they_need() {
    let targets = targets();
    let (linux, darwin) = (
        targets.all().without(TargetSet::single(2)),
        TargetSet::single(2),
    );
    let resolution = Resolution {
        pins: vec![
            pin(
                "demo",
                "1.0",
                targets.all(),
                vec![edge("leaf", linux, "leaf<2")],
            ),
            pin("leaf", "1.0", linux, Vec::new()),
            pin("leaf", "2.0", darwin, Vec::new()),
        ],
        roots: Vec::new(),
        targets,
    };
    let text = rendered(&resolution).unwrap();
    assert!(
        text.contains("    { name = \"leaf\", version = \"1.0\" },\n]"),
        "{text}"
    );
    assert!(
        text.contains("marker = \"sys_platform == 'linux'\""),
        "{text}"
    );
}

#[test]
fn markers_say_which_targets() {
    let targets = targets();
    assert_eq!(marker(&targets, targets.all()), None);
    assert_eq!(
        marker(&targets, TargetSet::single(0).or(TargetSet::single(2))).unwrap(),
        "sys_platform == 'darwin' or sys_platform == 'linux' and platform_machine == 'x86_64'"
    );
}

#[test]
fn a_file_without_a_digest_is_no_lock() {
    let targets = targets();
    let mut without = pin("demo", "1.0", targets.all(), Vec::new());
    without.release = Arc::new(Release {
        tree: None,
        version: without.version.clone(),
        wheels: Vec::new(),
        sdist: Some(distribution("demo-1.0.tar.gz", "demo", None)),
    });
    let resolution = Resolution {
        pins: vec![without],
        roots: Vec::new(),
        targets,
    };
    assert_eq!(rendered(&resolution).unwrap_err(), "demo-1.0.tar.gz");
}

#[test]
fn strings_come_back() {
    for value in ["", "plain", "\"quoted\" \\ and\nmore\t\u{0}\u{7f}", "é∀𝄞"] {
        let mut text = "key = ".to_owned();
        string(&mut text, value);
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["key"].as_str(), Some(value));
    }
}
