use std::str::FromStr as _;

use super::*;
use crate::python::PackageName;

fn tree_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/checkout")
}

fn around(project: &Path) -> Surroundings {
    Surroundings {
        project: project.to_owned(),
        store: PathBuf::from("/nix/store"),
        ..Surroundings::default()
    }
}

#[test]
fn choices_are_parsed() {
    let parse = |text: &str| Choice::parse(text, Path::new("/p"));
    assert_eq!(parse("snapshot"), Choice::Snapshot);
    assert_eq!(parse("none"), Choice::Nothing);
    assert_eq!(parse("<nixpkgs>"), Choice::SearchPath("nixpkgs".to_owned()));
    assert_eq!(
        parse("flake.lock"),
        Choice::FlakeLock(PathBuf::from("/p/flake.lock"))
    );
    assert_eq!(
        parse("../a/flake.lock"),
        Choice::FlakeLock(PathBuf::from("/p/../a/flake.lock"))
    );
    assert_eq!(
        parse("channel:nixos-26.05"),
        Choice::Channel("nixos-26.05".to_owned())
    );
    assert_eq!(
        parse("./nixpkgs"),
        Choice::Tree(PathBuf::from("/p/./nixpkgs"))
    );
    assert_eq!(parse("/nixpkgs"), Choice::Tree(PathBuf::from("/nixpkgs")));
}

#[test]
fn the_usual_is_the_snapshot_where_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut located = locate(&Choice::Usual, &around(folder.path())).unwrap();
    assert_eq!(located.found, "the bundled snapshot");
    assert!(located.notes.is_empty());
    assert!(
        !located
            .read("3.13.5", &around(folder.path()), None)
            .unwrap()
            .is_empty()
    );
    assert!(matches!(
        located.read("3.8.1", &around(folder.path()), None),
        Err(SourceError::NoInterpreter { .. })
    ));
}

#[test]
fn a_tree_is_read_once_and_then_kept() {
    let folder = tempfile::tempdir().unwrap();
    let around = Surroundings {
        cache: Some(folder.path().to_owned()),
        ..around(folder.path())
    };
    let mut located = locate(&Choice::Tree(tree_path()), &around).unwrap();
    assert_eq!(located.channel, "nixpkgs 26.05");
    let first = located.read("3.13.5", &around, None).unwrap();
    let kept: Vec<_> = std::fs::read_dir(folder.path().join("nixpkgs"))
        .unwrap()
        .collect();
    let [Ok(kept)] = kept.as_slice() else {
        panic!("one file is kept")
    };
    assert_eq!(located.read("3.13.5", &around, None).unwrap(), first);
    // where a record is not what was written, all are read anew
    let mut torn = std::fs::read(kept.path()).unwrap();
    *torn.last_mut().unwrap() ^= 1;
    std::fs::write(kept.path(), torn).unwrap();
    assert_eq!(located.read("3.13.5", &around, None).unwrap(), first);
    // what cannot be read is read anew
    std::fs::write(kept.path(), "{\"packages\": 1").unwrap();
    assert_eq!(located.read("3.13.5", &around, None).unwrap(), first);
    let plain = first.attributes(&PackageName::from_str("plain").unwrap());
    assert!(plain[0].facts.is_some());
}

#[test]
fn the_search_path_is_read_as_nix_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut around = around(folder.path());
    around.nix_path = Some(format!("other=/nowhere:nixpkgs={}", tree_path().display()));
    let choice = Choice::SearchPath("nixpkgs".to_owned());
    assert_eq!(locate(&choice, &around).unwrap().found, "<nixpkgs>");
    // without Nix, `<nixpkgs>` is not what the project uses
    let usual = locate(&Choice::Usual, &around).unwrap();
    assert_eq!(usual.found, "the bundled snapshot");
    around.nix = Some(PathBuf::from("no-such-nix-instantiate"));
    assert_eq!(locate(&Choice::Usual, &around).unwrap().found, "<nixpkgs>");
    std::fs::create_dir(folder.path().join("nixpkgs")).unwrap();
    around.nix_path = Some(folder.path().display().to_string());
    assert!(matches!(
        locate(&choice, &around),
        Err(SourceError::Checkout(_))
    ));
    // what is only usual may be something else
    let usual = locate(&Choice::Usual, &around).unwrap();
    assert_eq!(usual.found, "the bundled snapshot");
    assert!(usual.notes[0].contains("no nixpkgs"), "{:?}", usual.notes);
    around.nix_path = Some("nixpkgs=https://example.org/nixpkgs.tar.gz".to_owned());
    assert!(matches!(
        locate(&choice, &around),
        Err(SourceError::SearchPath { .. })
    ));
}

#[test]
fn a_flake_lock_counts_before_the_search_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut around = around(folder.path());
    let lock = |locked: &str| {
        format!(
            r#"{{"nodes": {{"n": {{"locked": {{{locked}, "lastModified": 1777777777, "rev": "0123456789abcdef0123456789abcdef01234567"}}, "original": {{"ref": "nixos-26.05"}}}}, "root": {{"inputs": {{"nixpkgs": "n"}}}}}}, "root": "root", "version": 7}}"#
        )
    };
    let path = folder.path().join("flake.lock");
    let here = format!(
        "\"type\": \"path\", \"path\": {:?}",
        tree_path().display().to_string()
    );
    std::fs::write(&path, lock(&here)).unwrap();
    let mut located = locate(&Choice::Usual, &around).unwrap();
    assert_eq!(located.found, "flake.lock");
    assert_eq!(
        (&*located.channel, &*located.date),
        ("nixos-26.05", "2026-05-03")
    );
    let set = located.read("3.13", &around, None).unwrap();
    assert_eq!(set.revision.as_deref().map(|r| &r[..4]), Some("0123"));
    assert_eq!(located.mark(), "0123456789abcdef0123456789abcdef01234567");
    assert_eq!((&*set.channel, &*set.date), ("nixos-26.05", "2026-05-03"));
    // what is pinned and not here is told
    std::fs::write(&path, lock("\"type\": \"github\", \"repo\": \"nixpkgs\"")).unwrap();
    let located = locate(&Choice::Usual, &around).unwrap();
    assert_eq!(located.found, "the bundled snapshot");
    assert!(
        located.notes[0].contains("nixos-26.05 0123456789ab of 2026-05-03"),
        "{:?}",
        located.notes
    );
    // a lock that cannot be read is told too, and is an error where it was asked for
    std::fs::write(&path, "{").unwrap();
    around.nix = None;
    assert!(locate(&Choice::Usual, &around).unwrap().notes[0].contains("flake.lock"));
    assert!(matches!(
        locate(&Choice::FlakeLock(path), &around),
        Err(SourceError::Flake { .. })
    ));
}

#[test]
fn channels_are_fetched_by_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let around = around(folder.path());
    let mut located = locate(&Choice::Channel("nixos-26.05".to_owned()), &around).unwrap();
    assert_eq!(located.wanted_channel(), Some("nixos-26.05"));
    assert!(matches!(
        located.read("3.13", &around, None),
        Err(SourceError::NotFetched(_))
    ));
    let list = r#"{"packages": {"python313Packages.a": {"pname": "a", "version": "1"}}}"#;
    assert_eq!(
        located
            .read("3.13", &around, Some(list))
            .unwrap()
            .all()
            .count(),
        1
    );
    assert!(locate(&Choice::Channel("../x".to_owned()), &around).is_err());
}
