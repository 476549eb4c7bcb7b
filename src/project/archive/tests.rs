use std::io::Write as _;

use super::*;

/// A tar archive of files and links, unchecked: names may be anything.
fn tar(members: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in members {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let is_link = kind.is_symlink() || kind.is_hard_link();
        if is_link {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(if is_link { 0 } else { content.len() as u64 });
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        if !is_link {
            bytes.extend_from_slice(content.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
    }
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const FILE: tar::EntryType = tar::EntryType::Regular;

fn parse(members: &[(&str, tar::EntryType, &str)]) -> Result<Archive, ArchiveError> {
    Archive::parse("demo-1.0.tar.gz", &gz(&tar(members)))
}

#[test]
fn of_several_top_folders_the_one_with_pkg_info_counts() {
    let archive = parse(&[
        ("demo-1.0/setup.py", FILE, "setup()"),
        ("demo-1.0/PKG-INFO", FILE, "Name: demo"),
        ("examples/setup.py", FILE, "other()"),
        ("examples/link", tar::EntryType::Symlink, "setup.py"),
    ])
    .unwrap();
    assert_eq!(archive.list(""), ["PKG-INFO", "setup.py"]);
    assert_eq!(archive.read("setup.py").unwrap(), b"setup()");
    let undecided = [
        ("a/PKG-INFO", FILE, "Name: a"),
        ("b/PKG-INFO", FILE, "Name: b"),
    ];
    assert_eq!(parse(&undecided).unwrap().list(""), ["a", "b"]);
}

#[test]
fn the_top_folder_is_stripped_and_links_inside_are_followed() {
    let archive = parse(&[
        ("demo-1.0/", tar::EntryType::Directory, ""),
        ("demo-1.0/setup.py", FILE, "setup()"),
        ("./demo-1.0/src/demo/__init__.py", FILE, "x = 1"),
        ("demo-1.0/docs/logo.png", FILE, "png"),
        ("demo-1.0/docs/code", tar::EntryType::Symlink, "../src"),
        (
            "demo-1.0/copy.py",
            tar::EntryType::Link,
            "demo-1.0/setup.py",
        ),
        ("demo-1.0/loop", tar::EntryType::Symlink, "loop"),
        ("demo-1.0/empty/", tar::EntryType::Directory, ""),
    ])
    .unwrap();
    assert_eq!(
        archive.list(""),
        ["copy.py", "docs", "empty", "loop", "setup.py", "src"]
    );
    assert_eq!(archive.read("setup.py").unwrap(), b"setup()");
    assert_eq!(archive.read("copy.py").unwrap(), b"setup()");
    assert_eq!(
        archive.read("docs/code/demo/__init__.py").unwrap(),
        b"x = 1"
    );
    assert!(archive.is_dir("docs/code/demo") && archive.is_dir("empty") && archive.is_dir(""));
    assert!(archive.is_file("docs/logo.png"));
    assert!(matches!(
        archive.read("docs/logo.png"),
        Err(FilesError::TooLarge { .. })
    ));
    assert!(matches!(archive.read("loop"), Err(FilesError::NotFound(_))));
    assert!(matches!(archive.read("../x"), Err(FilesError::Outside(_))));
    assert!(matches!(archive.read("gone"), Err(FilesError::NotFound(_))));
    assert_eq!(
        archive.display("setup.py").to_str(),
        Some("demo-1.0.tar.gz/setup.py")
    );
}

#[test]
fn whatever_leads_out_of_the_tree_is_an_error() {
    for members in [
        [("/etc/passwd", FILE, "x")],
        [("demo/../../x", FILE, "x")],
        [("C:/x", FILE, "x")],
        [("demo/x", tar::EntryType::Symlink, "/etc/passwd")],
        [("demo/x", tar::EntryType::Symlink, "../../x")],
        [("demo/x", tar::EntryType::Symlink, "../x")],
        [("demo/x", tar::EntryType::Link, "../x")],
    ] {
        let with_setup = [members[0], ("demo/setup.py", FILE, "")];
        let outcome = parse(&with_setup);
        assert!(
            matches!(outcome, Err(ArchiveError::Outside { .. })),
            "{members:?}"
        );
    }
}

#[test]
fn duplicates_are_told_and_the_last_counts() {
    let archive = parse(&[("d/PKG-INFO", FILE, "one"), ("d/PKG-INFO", FILE, "two")]).unwrap();
    assert_eq!(archive.read("PKG-INFO").unwrap(), b"two");
    assert!(archive.duplicates().contains("PKG-INFO"));
}

#[test]
fn several_tops_and_wheels_are_left_alone() {
    let archive = parse(&[("a/x.py", FILE, ""), ("b/y.py", FILE, "")]).unwrap();
    assert!(archive.is_file("a/x.py"));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("demo-1.0.dist-info/METADATA", options)
        .unwrap();
    zip.write_all(b"Name: demo").unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let wheel = Archive::parse("demo-1.0-py3-none-any.whl", &bytes).unwrap();
    assert_eq!(
        wheel.read("demo-1.0.dist-info/METADATA").unwrap(),
        b"Name: demo"
    );
    let sdist = Archive::parse("demo-1.0.zip", &bytes).unwrap();
    assert!(sdist.is_file("METADATA"));
}

#[test]
fn long_names_of_both_dialects_are_read() {
    let long = format!("demo-1.0/{}/setup.py", "n".repeat(150));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    builder.append_data(&mut header, &long, &b"x"[..]).unwrap();
    let bytes = builder.into_inner().unwrap();
    let archive = Archive::parse("demo-1.0.tar", &bytes).unwrap();
    assert_eq!(archive.names().next(), long.strip_prefix("demo-1.0/"));

    let record = format!(" path={long}\n");
    let length = record.len() + 3;
    let pax = format!("{length}{record}");
    let bytes = tar(&[("pax", tar::EntryType::XHeader, &pax), ("short", FILE, "x")]);
    let archive = Archive::parse("demo-1.0.tar", &bytes).unwrap();
    assert_eq!(archive.names().next(), long.strip_prefix("demo-1.0/"));
}

#[test]
fn bombs_and_damaged_archives_are_errors() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("demo/zeros").unwrap();
    header.set_size(600 << 20);
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0u8; 1 << 20];
    for _ in 0..600 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(matches!(
        Archive::parse("bomb.tar.gz", &bomb),
        Err(ArchiveError::TooLarge { .. })
    ));
    let good = gz(&tar(&[("d/setup.py", FILE, "setup()")]));
    for end in 0..good.len() {
        // Where only the checksum is cut off, every member is there.
        match Archive::parse("cut.tar.gz", &good[..end]) {
            Err(ArchiveError::Malformed { .. }) => {}
            Ok(archive) => assert_eq!(archive.read("setup.py").unwrap(), b"setup()", "{end}"),
            Err(other) => panic!("{end}: {other}"),
        }
    }
    assert!(Archive::parse("cut.tar.gz", &good[..good.len() / 4]).is_err());
    assert!(matches!(
        Archive::parse("x.tar.gz", b"not an archive"),
        Err(ArchiveError::Malformed { .. })
    ));
    assert!(matches!(
        Archive::parse("x.zip", b"PK\x03\x04junk"),
        Err(ArchiveError::Malformed { .. })
    ));
}

#[test]
fn the_list_of_bulky_extensions_can_be_searched() {
    assert!(BULKY.is_sorted());
}
