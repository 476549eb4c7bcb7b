//! The digest that Nix gives a tree of files: that of its archive format, NAR, which holds names,
//! contents, links and whether a file may be executed, and nothing else.

use std::collections::BTreeMap;

/// Deeper than any tree of sources.
const MAX_DEPTH: usize = 200;

/// A tree of files whose contents are elsewhere in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<'a> {
    /// A file.
    File {
        /// Whether it may be executed.
        executable: bool,
        /// What it holds.
        content: &'a [u8],
    },
    /// A symbolic link and its target.
    Link(Vec<u8>),
    /// A folder: its members in the order of their names' bytes.
    Folder(BTreeMap<Vec<u8>, Node<'a>>),
}

impl<'a> Node<'a> {
    /// A folder without members.
    pub fn folder() -> Self {
        Node::Folder(BTreeMap::new())
    }

    /// Puts a node at a path below this one, which is made a folder as are those on the way.
    /// Says whether the path can be: it has names only, not too many, and no file is in its way.
    pub fn put(&mut self, path: &[u8], node: Node<'a>) -> bool {
        let names: Vec<&[u8]> = path
            .split(|b| *b == b'/')
            .filter(|n| !n.is_empty())
            .collect();
        let named = names.iter().all(|name| *name != b"." && *name != b"..");
        let Some((last, way)) = names.split_last().filter(|_| named) else {
            return false;
        };
        if names.len() > MAX_DEPTH {
            return false;
        }
        let mut at = self;
        for name in way {
            let Node::Folder(members) = at else {
                return false;
            };
            at = members.entry(name.to_vec()).or_insert_with(Node::folder);
        }
        let Node::Folder(members) = at else {
            return false;
        };
        match (members.get(*last), &node) {
            (None, _) => members.insert(last.to_vec(), node).is_none(),
            // A folder that is named after its members.
            (Some(Node::Folder(_)), Node::Folder(_)) => true,
            (Some(_), _) => false,
        }
    }

    /// The SHA-256 of its archive.
    pub fn sha256(&self) -> [u8; 32] {
        use sha2::Digest as _;
        let mut digest = sha2::Sha256::new();
        self.write(&mut |bytes| digest.update(bytes));
        digest.finalize().into()
    }

    /// Its archive, piece by piece.
    pub fn write(&self, out: &mut impl FnMut(&[u8])) {
        text(out, b"nix-archive-1");
        self.node(out);
    }

    fn node(&self, out: &mut impl FnMut(&[u8])) {
        text(out, b"(");
        text(out, b"type");
        match self {
            Node::File {
                executable,
                content,
            } => {
                text(out, b"regular");
                if *executable {
                    text(out, b"executable");
                    text(out, b"");
                }
                text(out, b"contents");
                text(out, content);
            }
            Node::Link(target) => {
                text(out, b"symlink");
                text(out, b"target");
                text(out, target);
            }
            Node::Folder(members) => {
                text(out, b"directory");
                for (name, member) in members {
                    text(out, b"entry");
                    text(out, b"(");
                    text(out, b"name");
                    text(out, name);
                    text(out, b"node");
                    member.node(out);
                    text(out, b")");
                }
            }
        }
        text(out, b")");
    }
}

/// Its length in eight bytes, the least significant first, then itself, filled up to eight bytes.
fn text(out: &mut impl FnMut(&[u8]), bytes: &[u8]) {
    out(&(bytes.len() as u64).to_le_bytes());
    out(bytes);
    let over = bytes.len() % 8;
    if over > 0 {
        out(&[0; 8][over..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> Node<'_> {
        Node::File {
            executable: false,
            content,
        }
    }

    #[test]
    fn the_archive_of_a_file() {
        let mut bytes = Vec::new();
        file(b"hi").write(&mut |piece| bytes.extend_from_slice(piece));
        let expected = b"\x0d\0\0\0\0\0\0\0nix-archive-1\0\0\0\
            \x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0\
            \x04\0\0\0\0\0\0\0type\0\0\0\0\
            \x07\0\0\0\0\0\0\0regular\0\
            \x08\0\0\0\0\0\0\0contents\
            \x02\0\0\0\0\0\0\0hi\0\0\0\0\0\0\
            \x01\0\0\0\0\0\0\0)\0\0\0\0\0\0\0";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn paths_make_folders_and_files_are_none() {
        let mut root = Node::folder();
        assert!(root.put(b"a/b", file(b"1")));
        assert!(root.put(b"a/", Node::folder()));
        assert!(!root.put(b"a/b/c", file(b"2")));
        assert!(!root.put(b"a/b", file(b"2")));
        assert!(!root.put(b"../x", file(b"2")));
        assert!(!root.put(b"", file(b"2")));
        assert!(!root.put("d/".repeat(MAX_DEPTH + 1).as_bytes(), Node::folder()));
    }

    /// Nix itself says the same, where there is one.
    #[test]
    fn nix_gives_the_same_digest() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("tree");
        std::fs::create_dir_all(place.join("sub/empty")).unwrap();
        std::fs::write(place.join("plain.txt"), "text").unwrap();
        std::fs::write(place.join("sub/Zrun"), "#!/bin/sh\n").unwrap();
        std::fs::write(place.join("sub/arun"), "").unwrap();
        let mut tree = Node::folder();
        let run = |executable| Node::File {
            executable,
            content: b"#!/bin/sh\n",
        };
        let executable = cfg!(unix);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt as _, symlink};
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(place.join("sub/Zrun"), mode).unwrap();
            symlink("sub/nowhere", place.join("link")).unwrap();
            assert!(tree.put(b"link", Node::Link(b"sub/nowhere".to_vec())));
        }
        assert!(tree.put(b"sub/Zrun", run(executable)));
        assert!(tree.put(b"sub/arun", file(b"")));
        assert!(tree.put(b"sub/empty", Node::folder()));
        assert!(tree.put(b"plain.txt", file(b"text")));
        let ours = data_encoding::HEXLOWER.encode(&tree.sha256());
        let theirs = std::process::Command::new("nix-hash")
            .args(["--type", "sha256"])
            .arg(&place)
            .output();
        if let Ok(theirs) = theirs.as_ref().map(|t| String::from_utf8_lossy(&t.stdout)) {
            assert_eq!(ours, theirs.trim());
        }
    }
}
