//! Packed pages, there and back.

use super::*;
use crate::index::bytes::digest;

fn build(files: &[Listed]) -> (Head, Vec<u8>) {
    let name = PackageName::from_str("demo").unwrap();
    let base = Url::parse("https://index.test/simple/demo/").unwrap();
    let mut builder = Builder::new(&name, &base);
    for file in files {
        builder.add(file);
    }
    builder.finish()
}

fn release(head: &Head, body: &[u8], version: &str) -> Option<Release> {
    let name = PackageName::from_str("demo").unwrap();
    let version = Version::from_str(version).unwrap();
    let slot = head
        .slots
        .iter()
        .find(|slot| head.version(slot) == version)?;
    let block = &body[slot.start as usize..(slot.start + slot.len) as usize];
    head.release(&name, slot, block, |_| true)
}

#[test]
fn files_come_back_by_release() {
    let hash = "ab".repeat(32);
    let folder = format!(
        "https://files.test/packages/{}/{}/{}/",
        &hash[..2],
        &hash[2..4],
        &hash[4..]
    );
    let wheel = "demo-1.0-py3-none-any.whl";
    let url = format!("{folder}{wheel}");
    let (head, body) = build(&[
        Listed {
            file: "demo-2.0.tar.gz",
            url: "../../files/demo-2.0.tar.gz",
            yanked: Some("broken"),
            ..Listed::default()
        },
        Listed {
            file: wheel,
            url: &url,
            sha256: digest(&hash),
            size: Some(300),
            requires_python: Some(">=3.8"),
            uploaded: Some("2024-01-02T03:04:05.6Z"),
            has_metadata: true,
            metadata_sha256: digest(&hash),
            ..Listed::default()
        },
        Listed {
            file: "demo-1.0.exe",
            url: "x",
            ..Listed::default()
        },
        Listed {
            file: "demo-1.0.0.zip",
            url: "x?y=1",
            ..Listed::default()
        },
    ]);
    let head = Head::from_bytes(&head.to_bytes()).unwrap();
    assert_eq!(head.slots.len(), 2);
    assert_eq!(head.body_len(), body.len());
    let one = release(&head, &body, "1").unwrap();
    let file = &one.wheels[0];
    assert_eq!(file.url.as_str(), url);
    assert_eq!(file.sha256.unwrap().hex(), hash);
    assert_eq!(file.metadata_sha256.unwrap().hex(), hash);
    assert_eq!(file.size, Some(300));
    assert_eq!(file.requires_python.as_ref().unwrap().to_string(), ">=3.8");
    assert_eq!(file.uploaded.unwrap().text(), "2024-01-02T03:04:05.600000Z");
    assert!(file.has_metadata);
    assert_eq!(
        one.sdist.unwrap().url.as_str(),
        "https://index.test/simple/demo/x?y=1"
    );
    let two = release(&head, &body, "2.0").unwrap();
    let sdist = two.sdist.as_ref().unwrap();
    assert_eq!(
        sdist.url.as_str(),
        "https://index.test/files/demo-2.0.tar.gz"
    );
    assert!(two.is_yanked());
}

#[test]
fn damage_is_noticed() {
    let (head, mut body) = build(&[Listed {
        file: "demo-1.tar.gz",
        url: "demo-1.tar.gz",
        ..Listed::default()
    }]);
    let bytes = head.to_bytes();
    for end in 0..bytes.len() {
        assert_eq!(Head::from_bytes(&bytes[..end]), None);
    }
    body[3] ^= 1;
    assert_eq!(release(&head, &body, "1"), None);
}

#[test]
fn files_are_known_by_version_however_they_spell_it() {
    let name = PackageName::from_str("demo-client").unwrap();
    let base = Url::parse("https://index.test/simple/demo-client/").unwrap();
    let mut builder = Builder::new(&name, &base);
    let files = [
        "demo_client-1.0-py3-none-any.whl",
        "demo_client-1.0-1-py3-none-any.whl",
        "demo-client-1.0.tar.gz",
        "Demo.Client-1.0.zip",
        "demo_client-01.1-py3-none-any.whl",
        "demo-client-1.1.tar.gz",
        "demo-client-1.1-1.tar.gz",
        "demo_client-1.1_1-py3-none-any.whl",
        "demo_client-1.1_1.tar.gz",
        "demo_client-2.0.0rc1-py3-none-any.whl",
        "demo_client-2.0rc1.tar.gz",
        "demo_client-2.0c1.tar.gz",
        // not the project's, or no version, or no distribution
        "demo-1.0.tar.gz",
        "demo_clients-1.0-py3-none-any.whl",
        "demo_client-1.0-any.whl",
        "demo_client-1.0-1-2-py3-none-any.whl",
        "demo_client-x-py3-none-any.whl",
        "demo_client-x.tar.gz",
        "demo_client.tar.gz",
        "demo_client-1.0.exe",
    ];
    for file in files {
        builder.add(&Listed {
            file,
            url: file,
            ..Listed::default()
        });
    }
    let (head, body) = builder.finish();
    let seen = head.slots.iter().map(|slot| {
        let block = &body[slot.start as usize..(slot.start + slot.len) as usize];
        let mut files = Vec::new();
        head.glimpse(slot, block, None, &mut |glimpse| {
            files.push(glimpse.file.to_owned());
            ControlFlow::Continue(())
        });
        let release = head.release(&name, slot, block, |_| true).unwrap();
        assert_eq!(release.files().count(), files.len());
        (head.version(slot).to_string(), files)
    });
    let seen: Vec<(String, Vec<String>)> = seen.collect();
    let seen: Vec<(&str, Vec<&str>)> = seen
        .iter()
        .map(|(version, files)| (version.as_str(), files.iter().map(String::as_str).collect()))
        .collect();
    // Of several sdists a release has one.
    let expected = [
        ("1.0", vec![files[0], files[1], files[2]]),
        ("1.1", vec![files[4], files[5]]),
        ("1.1.post1", vec![files[7], files[6]]),
        ("2.0.0rc1", vec![files[9], files[11]]),
    ];
    assert_eq!(seen, expected);
}
