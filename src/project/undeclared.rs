//! What modules need and their metadata does not say: `pkg_resources`, which is part of setuptools and was
//! taken to be there always.

use super::Files;

/// Modules whose files are looked at, files of each, and bytes in all.
const MAX_MODULES: usize = 8;
const MAX_FILES: usize = 100;
const MAX_BYTES: usize = 2 << 20;

/// Where modules lie in a source.
const ROOTS: [&str; 3] = ["", "src/", "lib/"];

/// Whether the modules' own files, not those of packages below them, import `pkg_resources` when they are
/// imported: in a line without indentation, as what is in a `try` or a function can do without.
pub(super) fn imports_pkg_resources(files: &dyn Files, modules: &[String]) -> bool {
    let mut left = MAX_BYTES;
    modules.iter().take(MAX_MODULES).any(|module| {
        let path = module.replace('.', "/");
        ROOTS.iter().any(|root| {
            let folder = format!("{root}{path}");
            let single = [format!("{folder}.py")].into_iter();
            let inside = files.list(&folder).into_iter().take(MAX_FILES);
            let inside = inside.filter(|name| name.ends_with(".py"));
            let inside = inside.map(|name| format!("{folder}/{name}"));
            single.chain(inside).any(|path| {
                let text = files.read(&path).unwrap_or_default();
                left = left.saturating_sub(text.len());
                left > 0 && imports(&text)
            })
        })
    })
}

fn imports(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let rest = line.strip_prefix(b"import pkg_resources");
        let rest = rest.or_else(|| line.strip_prefix(b"from pkg_resources"));
        rest.is_some_and(|rest| {
            !rest
                .first()
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Directory;

    #[test]
    fn only_what_an_import_needs_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "src/one/__init__.py",
            "import os\nfrom pkg_resources import require\n",
        );
        write(
            "two/__init__.py",
            "try:\n    import pkg_resources\nexcept ImportError: pass\n",
        );
        write("three.py", "import pkg_resources_other\n");
        write("four.py", "import pkg_resources as p\r\n");
        let files = Directory::open(folder.path()).unwrap();
        let found = |name: &str| imports_pkg_resources(&files, &[name.to_owned()]);
        assert_eq!(
            ["one", "two", "three", "four", "none"].map(found),
            [true, false, false, true, false]
        );
    }
}
