//! Conditions on the target become markers.

use super::{after, requires, said};
use crate::project::Evaluated;

#[test]
fn conditions_become_markers() {
    let cases: &[(&str, &[&str])] = &[
        (
            "REQ = ['a']\nif sys.version_info < (3, 8):\n    REQ.append('b')",
            &["a", "b; python_full_version < '3.8'"],
        ),
        (
            "REQ = ['a']\nif sys.version_info[:2] <= (3, 7):\n    REQ += ['b']",
            &["a", "b; python_full_version < '3.8'"],
        ),
        (
            "REQ = ['a']\nif sys.version_info[0] == 2:\n    REQ += ['b']",
            &["a", "b; python_full_version < '3'"],
        ),
        (
            "REQ = ['a']\nif sys.version_info.major >= 3 and sys.version_info.minor >= 9:\n    REQ += ['b']",
            &["a", "b; python_full_version >= '3.9'"],
        ),
        (
            "PY2 = sys.version_info < (3,)\nREQ = ['b'] if PY2 else ['c']",
            &[
                "b; python_full_version < '3'",
                "c; python_full_version >= '3'",
            ],
        ),
        (
            "REQ = ['a']\nif sys.version_info < (3, 5, 2):\n    REQ.append('b')",
            &["a", "b; python_full_version < '3.5.2'"],
        ),
        (
            "REQ = ['a'] if '_cffi_backend' not in sys.builtin_module_names else []",
            &["a; platform_python_implementation != 'PyPy'"],
        ),
        (
            "REQ = ['a'] + (['b'] if sys.platform == 'win32' else [])",
            &["a", "b; sys_platform == 'win32'"],
        ),
        (
            "REQ = ['a']\nif sys.platform.startswith('linux'):\n    REQ.append('b')",
            &["a", "b; sys_platform == 'linux'"],
        ),
        (
            "import platform\nREQ = []\nif platform.system().lower() == 'darwin':\n    REQ.append('b')",
            &["b; platform_system == 'Darwin'"],
        ),
        (
            "REQ = []\nif os.name == 'nt':\n    REQ.append('b')",
            &["b; os_name == 'nt'"],
        ),
        (
            "import platform\nREQ = []\nif platform.python_implementation() != 'PyPy':\n    REQ.append('b')",
            &["b; platform_python_implementation != 'PyPy'"],
        ),
        (
            "REQ = {'win32': ['w'], 'darwin': ['d']}.get(sys.platform, [])",
            &["d; sys_platform == 'darwin'", "w; sys_platform == 'win32'"],
        ),
        (
            "REQ = ['a']\nif sys.platform == 'win32' and sys.version_info >= (3, 9):\n    REQ.append('b')",
            &[
                "a",
                "b; python_full_version >= '3.9' and sys_platform == 'win32'",
            ],
        ),
        (
            "v = '%d.%d' % sys.version_info[:2]\nREQ = ['a'] if float(v) < 3.0 else ['c']",
            &[
                "a; python_full_version < '3'",
                "c; python_full_version >= '3'",
            ],
        ),
        (
            "REQ = ['a']\nif sys.version >= '3':\n    REQ.append('b')",
            &["a", "b; python_full_version >= '3'"],
        ),
        (
            "try:\n    import importlib.metadata\n    REQ = []\nexcept ImportError:\n    REQ = ['importlib-metadata']",
            &["importlib-metadata; python_full_version < '3.8'"],
        ),
        // Where setup() is not reached, nothing is said about the target.
        (
            "if sys.version_info < (3, 6):\n    sys.exit('too old')\nREQ = ['a']",
            &["a"],
        ),
        (
            "if sys.version_info < (3, 6):\n    raise RuntimeError('too old')\nREQ = ['a']\nif sys.version_info < (3, 8):\n    REQ.append('b')",
            &["a", "b; python_full_version < '3.8'"],
        ),
        ("assert sys.version_info >= (3, 6)\nREQ = ['a']", &["a"]),
        // Both answers the same: no marker.
        (
            "if sys.version_info[0] == 2:\n    from io import open\nREQ = ['a']",
            &["a"],
        ),
        (
            "REQ = ['a>=2']\nif sys.version_info < (3, 8):\n    REQ = ['a>=1']\nelif sys.version_info < (3, 9):\n    REQ = ['a>=1']",
            &[
                "a>=1; python_full_version < '3.9'",
                "a>=2; python_full_version >= '3.9'",
            ],
        ),
        (
            "REQ = ['b; sys_platform == \"win32\"']\nif sys.version_info >= (3, 9):\n    REQ += ['c']",
            &[
                "b; sys_platform == 'win32'",
                "c; python_full_version >= '3.9'",
            ],
        ),
    ];
    for (code, expected) in cases {
        let mut found = requires(&after(code), &[]);
        found.sort();
        assert_eq!(found, *expected, "{code}");
    }
}

#[test]
fn a_scalar_that_differs_is_not_known() {
    let setup = "import sys\nfrom setuptools import setup\nsetup(name='a', version='1' if sys.platform == 'win32' else '2', install_requires=['a'])";
    let answer = said(setup, &[]);
    assert_eq!(answer.evaluated, Evaluated::Partial);
    assert!(answer.version.known().is_none());
    assert_eq!(answer.install_requires.known().unwrap().len(), 1);
}
