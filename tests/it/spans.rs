//! Every kind of file that a user writes is shown at the line and column where it goes wrong.

use crate::support::workshop::{Workshop, stderr};

/// What is told of a file with this text, of a kind that is told by its name.
fn told(name: &str, text: &str, arguments: &[&str]) -> String {
    let workshop = Workshop::new();
    workshop.write("requirements.in", "zz-leaf\n");
    workshop.write(name, text);
    let output = workshop.run(arguments);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{name}: {told}");
    told
}

#[test]
fn errors_show_the_place_and_the_line() {
    let requirements = ["lock", "requirements.in", "--nixpkgs", "none"];
    let none: &[&str] = &[];
    for (name, text, place, excerpt, arguments) in [
        (
            "requirements.txt",
            "a\nb>>1\n",
            "requirements.txt:2:2",
            "2 | b>>1",
            none,
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"a\"\ndependencies = [\"b>>1\"]\n",
            "pyproject.toml:3:19",
            "3 | dependencies = [\"b>>1\"]",
            none,
        ),
        (
            "pyproject.toml",
            "[project]\nname = \n",
            "pyproject.toml:2:8",
            "2 | name = ",
            none,
        ),
        (
            "setup.cfg",
            "[options]\ninstall_requires =\n  b>>1\n",
            "setup.cfg:3:4",
            "3 |   b>>1",
            none,
        ),
        (
            "setup.py",
            "from setuptools import setup\nimport socket\nsetup(install_requires=[socket.gethostname()])\n",
            "setup.py:3:",
            "3 | setup(install_requires=[socket.gethostname()])",
            none,
        ),
        (
            "script.py",
            "# /// script\n# dependencies = [\"b>>1\"]\n# ///\n",
            "script.py:2:21",
            "2 | # dependencies = [\"b>>1\"]",
            none,
        ),
        (
            "script.py",
            "# /// script\n# dependencies = \"b\"\n# requires-python = 3\n# ///\n",
            "script.py:3:21",
            "2 | # dependencies = \"b\"",
            none,
        ),
        (
            "script.py",
            "# /// script\n# dependencies = [\n# ///\n",
            "script.py:2:",
            "2 | # dependencies = [",
            none,
        ),
        (
            "pyresolve.toml",
            "systems = [\"vax\"]\npython = 3\n",
            "pyresolve.toml:1:12",
            "2 | python = 3",
            &requirements,
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\n[[packages]]\nname = \"!\"\n",
            "pylock.toml:3:8",
            "3 | name = \"!\"",
            &requirements,
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\nx = \n",
            "pylock.toml:2:",
            "2 | x = ",
            &requirements,
        ),
        (
            "pylock.toml",
            "lock-version = \"3\"\n",
            "pylock.toml:1:16",
            "1 | lock-version = \"3\"",
            &["tree"],
        ),
        (
            "pylock.toml",
            "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"?\"\n",
            "pylock.toml:4:11",
            "4 | version = \"?\"",
            &["why", "a"],
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = 3\n",
            "uv.lock:3:8",
            "3 | name = 3",
            none,
        ),
        (
            "Pipfile.lock",
            "{ \"_meta\": { \"pipfile-spec\": 6 }, \"default\": {\n\"a\": { \"version\": \"?\" } } }\n",
            "Pipfile.lock:2:6",
            "2 | \"a\": { \"version\": \"?\" } } }",
            none,
        ),
    ] {
        let lock = ["lock", name, "--nixpkgs", "none"];
        let told = told(
            name,
            text,
            if arguments.is_empty() {
                &lock
            } else {
                arguments
            },
        );
        for part in [place, excerpt] {
            assert!(told.contains(part), "{part}\n{told}");
        }
    }
}
