//! What cannot be known is said, with the place; it is never guessed.

use super::{after, listed, requires, said};
use crate::project::Evaluated;

#[test]
fn unknown_requirements_are_partial_and_point_at_their_line() {
    let cases: &[(&str, usize)] = &[
        (
            "import urllib.request\nREQ = urllib.request.urlopen('https://x.test').read().split()",
            4,
        ),
        (
            "import subprocess\nREQ = ['a'] + subprocess.check_output(['x']).split()",
            4,
        ),
        ("REQ = open('none.txt').read().splitlines()", 3),
        ("import numpy\nREQ = ['numpy>=' + numpy.__version__]", 3),
        (
            "REQ = ['a']\nif os.environ.get('X'):\n    REQ.append('b')",
            4,
        ),
        ("REQ = ['a']\nif 'X' in os.environ:\n    REQ.append('b')", 4),
        (
            "REQ = ['a']\ntry:\n    import cupy\nexcept ImportError:\n    REQ.append('cupy')",
            5,
        ),
        ("import helper\nREQ = ['a']\nhelper.add(REQ)", 3),
        ("REQ = ['a', 'not a requirement!']", 3),
        (
            "REQ = [x for x in ['a', 'b'] if os.path.exists('/etc/' + x)]",
            3,
        ),
        ("import time\nREQ = ['a'] if time.time() > 5 else ['b']", 4),
        (
            "import subprocess\ntry:\n    v = subprocess.check_output(['git'])\n    REQ = ['a']\nexcept Exception:\n    REQ = ['b']",
            5,
        ),
    ];
    for (code, line) in cases {
        let answer = said(&after(code), &[]);
        assert_eq!(
            answer.evaluated,
            Evaluated::Partial,
            "{code}\n{:?}",
            listed(&answer)
        );
        let about = answer.unknown.iter().find(|u| u.field == "requires_dist");
        let origin = about.and_then(|u| u.origin.clone());
        assert_eq!(
            origin.map(|o| o.line_column().0),
            Some(*line),
            "{code}\n{:?}",
            answer.unknown
        );
    }
}

#[test]
fn what_does_not_touch_requirements_leaves_them_certain() {
    for code in [
        "import subprocess\ntry:\n    long = subprocess.check_output(['pandoc'])\nexcept Exception:\n    long = ''\nREQ = ['a']",
        "if os.environ.get('CI'):\n    print('ci')\nREQ = ['a']",
        "try:\n    from Cython.Build import cythonize\nexcept ImportError:\n    cythonize = None\next = cythonize(['x']) if cythonize else []\nREQ = ['a']",
        "if sys.argv[-1] == 'publish':\n    os.system('twine upload')\n    sys.exit()\nREQ = ['a']",
        "import numpy\nflags = numpy.get_include()\nREQ = ['a']",
        "def unused():\n    return undefined_name\nREQ = ['a']",
        "from setuptools.command.test import test\nclass T(test):\n    def run(self):\n        import pytest\n        pytest.main()\nREQ = ['a']",
        "for p in ['/usr/include', '/opt']:\n    if os.path.isdir(p):\n        print(p)\nREQ = ['a']",
        "import logging\nlogging.getLogger().warning('x')\nREQ = ['a']",
    ] {
        assert_eq!(requires(&after(code), &[]), ["a"], "{code}");
    }
}

#[test]
fn missing_files_are_told_unless_that_is_caught() {
    let setup = after(
        "doc = open('README.md').read()\ntry:\n    open('CHANGES')\nexcept IOError:\n    pass\nx = open('here') if os.path.exists('here') else 1\nREQ = ['a']",
    );
    let answer = said(&setup, &[]);
    assert_eq!(answer.evaluated, Evaluated::Static);
    assert_eq!(answer.missing_files, ["README.md"]);
}

#[test]
fn files_outside_are_never_read() {
    for path in [
        "/etc/passwd",
        "../secret",
        "a/../../secret",
        "/project/../secret",
    ] {
        let answer = said(
            &after(&format!("REQ = open('{path}').read().split()")),
            &[("secret", "x")],
        );
        assert_eq!(answer.evaluated, Evaluated::Partial, "{path}");
        assert!(listed(&answer).is_empty(), "{path}");
    }
}

#[test]
fn without_setup_there_is_nothing() {
    for code in [
        "",
        "x = 1",
        "raise ValueError('no')",
        "import sys\nsys.exit(1)",
        "def setup(): pass",
    ] {
        assert_eq!(said(code, &[]).evaluated, Evaluated::Failed, "{code}");
    }
    let answer = said("def f(:\n", &[]);
    assert_eq!(answer.evaluated, Evaluated::Failed);
    assert!(!answer.problems.is_empty());
}

#[test]
fn python_2_source_is_named_as_such() {
    let answer = said(
        "from setuptools import setup\nx = `1`\nsetup(install_requires=['a'])\n",
        &[],
    );
    assert_ne!(answer.evaluated, Evaluated::Static);
    assert!(
        answer.unknown.iter().any(|u| u.reason.contains("Python 2")),
        "{:?}",
        answer.unknown
    );
}

#[test]
fn several_different_setups_are_not_guessed_between() {
    let setup = "from setuptools import setup\nsetup(name='a', install_requires=['a'])\nsetup(name='b', install_requires=['b'])";
    assert_eq!(said(setup, &[]).evaluated, Evaluated::Partial);
    let again = "from setuptools import setup\ntry:\n    setup(install_requires=['a'], ext_modules=[1])\nexcept SystemExit:\n    setup(install_requires=['a'])";
    assert_eq!(requires(again, &[]), ["a"]);
}
