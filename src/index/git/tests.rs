use super::*;

fn parsed(text: &str) -> Result<Repository, String> {
    Repository::parse(&Url::parse(text).unwrap())
}

#[test]
fn addresses_are_taken_apart() {
    let one = parsed("git+ssh://git@host.test/owner/name.git@feature/x#egg=y").unwrap();
    assert_eq!(one.url.as_str(), "ssh://git@host.test/owner/name.git");
    assert_eq!(one.requested.as_deref(), Some("feature/x"));
    let other = parsed("git+https://me:secret@host.test/name").unwrap();
    assert_eq!(other.requested, None);
    assert!(!other.what().contains("secret"));
    for bad in [
        "git+https://host.test/name@--upload-pack=x",
        "git+https://host.test/name@a..b",
        "git+https://host.test/name@a:b",
        "git+https://host.test/name@",
        "git+ext://host.test/name",
        "git+git://host.test/name",
    ] {
        assert!(parsed(bad).is_err(), "{bad}");
    }
}

/// Runs git in a folder; none where there is no git.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    for name in LOCAL {
        command.env_remove(name);
    }
    let settings = ["-c", "user.name=a", "-c", "user.email=a@host.test"];
    let output = command
        .args(settings)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .ok()?;
    assert!(output.status.success(), "git {arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// All files below a folder that hold anything.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.metadata().unwrap().len() > 0 {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_commit_is_fetched_once_and_has_the_digest_of_its_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("origin");
    std::fs::create_dir_all(origin.join("sub")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(origin.join(name), text).unwrap();
    write(
        "sub/setup.py",
        "from setuptools import setup\nsetup(name='x')\n",
    );
    write(
        ".gitattributes",
        "*.txt text eol=crlf\nsub export-ignore\nid export-subst\n",
    );
    write("lines.txt", "one\ntwo\n");
    write("id", "$Format:%H$\n");
    if git(&origin, &["init", "-q", "-b", "trunk"]).is_none() {
        return;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("id", origin.join("link")).unwrap();
    git(&origin, &["add", "-A"]);
    git(&origin, &["update-index", "--chmod=+x", "id"]);
    git(&origin, &["commit", "-q", "-m", "first"]);
    git(&origin, &["tag", "-a", "v1", "-m", "v1"]);
    let id = git(&origin, &["rev-parse", "HEAD"]).unwrap();
    let cache = folder.path().join("cache");
    let address = Url::from_file_path(&origin).unwrap();
    let fetch = |revision: &str, offline| {
        let repository = parsed(&format!("git+{address}{revision}")).unwrap();
        repository.fetch(Some(cache.clone()), offline)
    };
    let first = fetch("@v1", false).unwrap();
    for revision in ["", "@trunk", &format!("@{}", &id[..8]), &format!("@{id}")] {
        let other = fetch(revision, false).unwrap();
        assert_eq!(
            (&other.commit.id, other.commit.sha256),
            (&id, first.commit.sha256)
        );
    }
    assert!(first.commit.attributes);
    assert!(crate::project::Files::is_file(
        &first.archive,
        "sub/setup.py"
    ));
    // What is there needs no network; what is not says so.
    assert!(fetch(&format!("@{id}"), true).is_ok());
    assert!(matches!(
        fetch("@trunk", true),
        Err(IndexError::Offline { .. })
    ));
    assert!(matches!(
        fetch("@nope", false),
        Err(IndexError::Repository { .. })
    ));
    // Damage to what is kept is noticed, and all of it fetched again.
    let kept: Vec<_> = files(&cache)
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    for (file, good) in &kept {
        for at in [good.len() / 3, good.len() - 1] {
            std::fs::remove_dir_all(&cache).unwrap();
            for (path, bytes) in &kept {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            let mut bad = good.clone();
            bad[at] ^= 0x15;
            std::fs::write(file, bad).unwrap();
            let again = fetch(&format!("@{id}"), false).map(|f| f.commit.sha256);
            let is_same = matches!(&again, Ok(digest) if *digest == first.commit.sha256);
            assert!(is_same, "{} at {at}: {:?}", file.display(), again.err());
        }
    }

    let checkout = folder.path().join("checkout");
    let (from, to) = (origin.display().to_string(), checkout.display().to_string());
    git(folder.path(), &["clone", "-q", &from, &to]);
    std::fs::remove_dir_all(checkout.join(".git")).unwrap();
    let nix = Command::new("nix-hash")
        .args(["--type", "sha256"])
        .arg(&checkout)
        .output();
    if let Ok(nix) = nix {
        let theirs = String::from_utf8(nix.stdout).unwrap();
        assert_eq!(first.commit.sha256.hex(), theirs.trim());
    }
}
