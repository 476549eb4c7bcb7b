//! Idioms of real setup.py files.

use super::{Memory, after, project, requires, said};
use crate::project::Evaluated;
use crate::project::setup_py::{AttrValue, Context, evaluate, evaluate_attr};

#[test]
fn values_are_computed() {
    let cases: &[(&str, &[&str])] = &[
        ("REQ = ['a', 'b>=1']", &["a", "b>=1"]),
        ("REQ = 'a\\nb>=1  # why\\n# none\\n'", &["a", "b>=1"]),
        ("REQ = ['a'] + ['b'] * 1\nREQ += ('c',)", &["a", "b", "c"]),
        (
            "REQ = []\nREQ.append('a'); REQ.extend(['b', 'c']); REQ.insert(0, 'z'); REQ.remove('b')",
            &["z", "a", "c"],
        ),
        (
            "v = '1.2'\nREQ = ['a==' + v, 'b>=%s' % v, 'c=={}'.format(v), f'd=={v}', 'e==%(v)s' % {'v': v}]",
            &["a==1.2", "b>=1.2", "c==1.2", "d==1.2", "e==1.2"],
        ),
        (
            "REQ = [x.strip() for x in ' a , b,c '.split(',') if x.strip() != 'b']",
            &["a", "c"],
        ),
        (
            "REQ = list(map(lambda s: s.lower(), ['A', 'B']))",
            &["a", "b"],
        ),
        ("REQ = sorted(set(['b', 'a', 'b']))", &["a", "b"]),
        (
            "d = {'x': ['a'], **{'y': ['b']}}\nREQ = d['x'] + d.get('y', []) + d.get('z', ['c'])",
            &["a", "b", "c"],
        ),
        (
            "def f(*args, **kw):\n    return list(args) + list(kw.values())\nREQ = f('a', 'b', k='c')",
            &["a", "b", "c"],
        ),
        (
            "def f(x, y='b', *, z):\n    return [x, y, z]\nREQ = f('a', z='c')",
            &["a", "b", "c"],
        ),
        (
            "def gen():\n    for x in 'ab':\n        yield x\nREQ = list(gen())",
            &["a", "b"],
        ),
        (
            "class C:\n    base = ['a']\n    def __init__(self, x):\n        self.x = x\n    def all(self):\n        return self.base + [self.x]\nREQ = C('b').all()",
            &["a", "b"],
        ),
        (
            "class A(object):\n    def f(self):\n        return ['a']\nclass B(A):\n    def f(self):\n        return super(B, self).f() + ['b']\nREQ = B().f()",
            &["a", "b"],
        ),
        (
            "REQ = []\ni = 0\nwhile True:\n    i += 1\n    if i > 3:\n        break\n    REQ.append('p%d' % i)",
            &["p1", "p2", "p3"],
        ),
        (
            "a, *b = ['a', 'b', 'c']\nREQ = b if (n := len(b)) == 2 else []",
            &["b", "c"],
        ),
        (
            "try:\n    REQ = {}['x']\nexcept KeyError:\n    REQ = ['a']\nelse:\n    REQ = ['b']",
            &["a"],
        ),
        (
            "try:\n    import setuptools\n    REQ = ['a']\nexcept ImportError:\n    REQ = ['b']",
            &["a"],
        ),
        (
            "import itertools\nREQ = list(itertools.chain(*[['a'], ['b']])) + sum([['c'], ['d']], [])",
            &["a", "b", "c", "d"],
        ),
        (
            "pats = {re.compile(r'v=(.*)'): lambda m: m.group(1), re.compile(r'n=(.*)'): None}\nREQ = [f(p.match(l)) for l in ['v=a', 'x'] for p, f in pats.items() if p.match(l)]",
            &["a"],
        ),
        ("exec('REQ = [\"a\"]')", &["a"]),
        ("REQ = eval('[\"a\"]')", &["a"]),
        (
            "import functools\nadd = functools.partial(lambda a, b: a + b, 'a>')\nREQ = [add('=1')]",
            &["a>=1"],
        ),
        (
            "REQ = [l for l in '''\n# c\na\n\nb\n'''.splitlines() if l and not l.startswith('#')]",
            &["a", "b"],
        ),
        (
            "REQ = ['{0.name}>={v[0]}'.format(type('T', (), {}), v=[1])] if False else ['a']",
            &["a"],
        ),
        (
            "def outer():\n    n = ['a']\n    def inner():\n        nonlocal n\n        n = n + ['b']\n    inner()\n    return n\nREQ = outer()",
            &["a", "b"],
        ),
        (
            "x = ['a']\ndef f():\n    global x\n    x = ['b']\nf()\nREQ = x",
            &["b"],
        ),
        ("REQ = ['a' 'b', ('c'), *['d']][::-1]", &["d", "c", "ab"]),
        ("REQ = 'a b'.partition(' ')[::2]", &["a", "b"]),
        ("print 'python 2'\nREQ = ['a']", &["a"]),
        (
            "REQ = re.findall(r'^(\\w+)$', 'a\\nb c\\nd', re.M)",
            &["a", "d"],
        ),
        ("REQ = [re.sub(r'(\\w)=', r'\\1==', 'a=1')]", &["a==1"]),
        (
            "REQ = [re.match(r'(?P<n>[^[ ]+)', 'a[x]').group('n')]",
            &["a"],
        ),
        (
            "class V:\n    def __str__(self):\n        return '1.2'\nv = V()\nREQ = ['a==' + str(v), f'b=={v}', 'c==%s' % v, 'd=={}'.format(v), 'e==' + ''.join(map(str, [v]))]",
            &["a==1.2", "b==1.2", "c==1.2", "d==1.2", "e==1.2"],
        ),
        (
            "match 'b':\n    case 'a':\n        REQ = ['a']\n    case 'b' | 'c':\n        REQ = ['b']\n    case _:\n        REQ = []",
            &["b"],
        ),
        (
            "match ['x', 'a', 'b']:\n    case ['y', *rest]:\n        REQ = []\n    case ['x', *rest] if len(rest) == 2:\n        REQ = rest",
            &["a", "b"],
        ),
        (
            "match {'k': 'a', 'o': 1}:\n    case {'k': str(v), **rest} if rest == {'o': 1}:\n        REQ = [v]\n    case _:\n        REQ = []",
            &["a"],
        ),
        (
            "match None:\n    case True:\n        REQ = []\n    case None as n:\n        REQ = ['a']",
            &["a"],
        ),
        (
            "import json\nREQ = json.loads('{\"r\": [\"a\"]}')['r']",
            &["a"],
        ),
    ];
    for (code, expected) in cases {
        assert_eq!(requires(&after(code), &[]), *expected, "{code}");
    }
}

#[test]
fn files_of_the_project_are_read() {
    let files = [
        (
            "requirements.txt",
            "# comment\na>=1\n\nb  # why\n-r more.txt\n",
        ),
        ("more.txt", "c\n"),
        ("plain.txt", "a>=1\nb\n"),
        (
            "pkg/__init__.py",
            "\"\"\"Doc.\"\"\"\nfrom .version import __version__\nREQ = ['p']\n",
        ),
        ("pkg/version.py", "__version__ = '1.5'\n"),
        ("pkg/sub/__init__.py", ""),
        ("meta.cfg", "[metadata]\nrequires =\n  a\n  b\n"),
    ];
    let cases: &[(&str, &[&str])] = &[
        (
            "REQ = open('plain.txt').read().splitlines()",
            &["a>=1", "b"],
        ),
        (
            "with open(os.path.join(os.path.dirname(__file__), 'plain.txt')) as f:\n    REQ = f.readlines()",
            &["a>=1", "b"],
        ),
        (
            "import io\nREQ = [l.strip() for l in io.open('plain.txt', encoding='utf-8')]",
            &["a>=1", "b"],
        ),
        (
            "from pathlib import Path\nREQ = (Path(__file__).parent / 'plain.txt').read_text().split('\\n')",
            &["a>=1", "b"],
        ),
        (
            "import codecs\nhere = os.path.abspath(os.path.dirname(__file__))\ndef read(*p):\n    return codecs.open(os.path.join(here, *p), 'r').read()\nREQ = read('plain.txt')",
            &["a>=1", "b"],
        ),
        (
            "REQ = open('plain.txt', 'rb').read().decode('utf-8').split()",
            &["a>=1", "b"],
        ),
        (
            "from pip.req import parse_requirements\nREQ = [str(r.req) for r in parse_requirements('requirements.txt', session=False)]",
            &["a>=1", "b", "c"],
        ),
        (
            "import pkg_resources\nREQ = [str(r) for r in pkg_resources.parse_requirements(open('plain.txt'))]",
            &["a>=1", "b"],
        ),
        ("import pkg\nREQ = ['x==' + pkg.__version__]", &["x==1.5"]),
        ("from pkg import REQ, __version__ as v", &["p"]),
        (
            "ns = {}\nexec(open('pkg/version.py').read(), ns)\nREQ = ['x==' + ns['__version__']]",
            &["x==1.5"],
        ),
        (
            "exec(compile(open('pkg/version.py').read(), 'v', 'exec'))\nREQ = ['x==' + __version__]",
            &["x==1.5"],
        ),
        (
            "import runpy\nREQ = ['x==' + runpy.run_path('pkg/version.py')['__version__']]",
            &["x==1.5"],
        ),
        (
            "import importlib.util\nspec = importlib.util.spec_from_file_location('v', 'pkg/version.py')\nm = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(m)\nREQ = ['x==' + m.__version__]",
            &["x==1.5"],
        ),
        (
            "REQ = ['x==' + re.search(r\"__version__ = '([^']+)'\", open('pkg/version.py').read()).group(1)]",
            &["x==1.5"],
        ),
        (
            "import ast\nREQ = ['x==' + [ast.literal_eval(l.split('=')[1].strip()) for l in open('pkg/version.py') if l.startswith('__version__')][0]]",
            &["x==1.5"],
        ),
        (
            "import configparser\nc = configparser.ConfigParser()\nc.read('meta.cfg')\nREQ = c.get('metadata', 'requires').split()",
            &["a", "b"],
        ),
        (
            "import glob\nREQ = [os.path.basename(p)[:-4] for p in glob.glob('pl*.txt')]",
            &["plain"],
        ),
        (
            "REQ = ['a'] if os.path.exists('plain.txt') and not os.path.exists('none') else ['b']",
            &["a"],
        ),
        (
            "try:\n    REQ = open('none.txt').read()\nexcept IOError:\n    REQ = ['a']",
            &["a"],
        ),
        (
            "from setuptools import find_packages\nREQ = find_packages()",
            &["pkg", "pkg.sub"],
        ),
        (
            "sys.path.insert(0, 'pkg')\nimport version\nREQ = ['x==' + version.__version__]",
            &["x==1.5"],
        ),
        (
            "def execfile(f, g):\n    exec(open(f).read(), g)\nexecfile('pkg/version.py', globals())\nREQ = ['x==' + __version__]",
            &["x==1.5"],
        ),
    ];
    for (code, expected) in cases {
        let found = requires(&after(code), &files);
        let found: Vec<String> = found
            .into_iter()
            .filter(|r| *r != "pkg.sub" || code.contains("find_packages"))
            .collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|e| e.replace("pkg.sub", "pkg-sub"))
            .collect();
        assert_eq!(found, expected, "{code}");
    }
}

#[test]
fn setup_is_found_by_any_name() {
    for code in [
        "import setuptools\nsetuptools.setup(install_requires=['a'])",
        "from distutils.core import setup as s\ns(install_requires=['a'])",
        "try:\n    from setuptools import setup\nexcept ImportError:\n    from distutils.core import setup\nsetup(**dict(install_requires=['a']))",
        "from setuptools import *\ndef main():\n    setup(install_requires=['a'])\nif __name__ == '__main__':\n    main()",
        "import setuptools as st\nkw = {}\nkw['install_requires'] = ['a']\nst.setup(name='n', **kw)",
    ] {
        assert_eq!(requires(code, &[]), ["a"], "{code}");
    }
}

#[test]
fn extras_become_extras_and_markers() {
    let setup = "from setuptools import setup\nextras = {'X_y': ['a'], ':python_version<\"3\"': ['b'], 'z:sys_platform==\"win32\"': 'c'}\nextras['all'] = sum(extras.values(), []) if False else ['a', 'd']\nsetup(extras_require=extras)";
    assert_eq!(
        requires(setup, &[]),
        [
            "b; python_full_version < '3'",
            "[all] a",
            "[all] d",
            "[x-y] a",
            "[z] c; sys_platform == 'win32'"
        ]
    );
}

#[test]
fn other_keywords_are_facts() {
    let setup = "from setuptools import setup\nsetup(name='N', version='1.0', python_requires='>=3.8', description='d', url='https://n.test',\n license='MIT', classifiers=['License :: OSI Approved :: MIT License', 'x'], packages=['n'], setup_requires=['s'],\n entry_points={'console_scripts': ['n = n:main']}, package_dir={'': 'src'})";
    let answer = said(setup, &[]);
    assert_eq!(answer.evaluated, Evaluated::Static);
    assert_eq!(answer.name.known().map(String::as_str), Some("N"));
    assert_eq!(
        answer.python_requires.known().map(String::as_str),
        Some(">=3.8")
    );
    assert_eq!(answer.about.license.as_deref(), Some("MIT"));
    assert_eq!(answer.about.license_classifiers.len(), 1);
    assert_eq!(answer.packages.known().unwrap(), &["n"]);
    assert_eq!(answer.setup_requires.known().unwrap().len(), 1);
    let scripts = answer
        .entry_points
        .known()
        .unwrap()
        .get("console_scripts")
        .unwrap();
    assert_eq!(scripts, &[("n".to_owned(), "n:main".to_owned())]);
    assert_eq!(answer.package_dir.known().unwrap().get("").unwrap(), "src");
}

#[test]
fn requirements_point_at_their_text() {
    let setup = "from setuptools import setup\nsetup(install_requires=[\n    'a>=1',\n] + open('r.txt').read().splitlines())\n";
    let answer = said(setup, &[("r.txt", "b\nc>=2\n")]);
    let list = answer.install_requires.known().unwrap();
    let shown: Vec<String> = list
        .iter()
        .map(|r| {
            format!(
                "{} {}",
                r.origin.as_ref().unwrap(),
                r.origin.as_ref().unwrap().text()
            )
        })
        .collect();
    assert_eq!(shown, ["setup.py:3 a>=1", "r.txt:1 b", "r.txt:2 c>=2"]);
}

#[test]
fn extensions_name_their_libraries() {
    let setup = "import subprocess\nfrom setuptools import setup, Extension\nflags = subprocess.check_output(['pkg-config', '--cflags', 'libffi'])\nsetup(ext_modules=[Extension('x', ['x.c'], libraries=['z', 'ssl'])])";
    let native = said(setup, &[]).native;
    assert!(native.extensions);
    assert_eq!(native.libraries, ["ssl", "z"]);
    assert_eq!(native.pkg_config, ["libffi"]);
}

#[test]
fn attributes_of_modules_are_read() {
    let files = project(
        "",
        &[
            (
                "src/p/__init__.py",
                "import missing_dependency\n__version__ = '2.0'\n",
            ),
            (
                "p/v.py",
                "VERSION = (1, 2)\n__version__ = '.'.join(map(str, VERSION))\nREQ = ['a']\n",
            ),
        ],
    );
    assert_eq!(
        evaluate_attr(&files, "p.__version__", "src").unwrap(),
        AttrValue::Text("2.0".to_owned())
    );
    assert_eq!(
        evaluate_attr(&files, "p.v.VERSION", "").unwrap(),
        AttrValue::Text("1.2".to_owned())
    );
    assert_eq!(
        evaluate_attr(&files, "p.v:__version__", "").unwrap(),
        AttrValue::Text("1.2".to_owned())
    );
    assert_eq!(
        evaluate_attr(&files, "p.v.REQ", "").unwrap(),
        AttrValue::List(vec!["a".to_owned()])
    );
    assert!(evaluate_attr(&files, "p.v.NONE", "").is_err());
    assert!(evaluate_attr(&files, "q.NONE", "").is_err());
}

#[test]
fn a_known_version_answers_for_version_tools() {
    let context = Context {
        version: Some("3.1".to_owned()),
        ..Context::default()
    };
    let files: Memory = project(
        "import versioneer\nfrom setuptools import setup\nsetup(version=versioneer.get_version(), install_requires=['a'])",
        &[],
    );
    let answer = evaluate(&files, "setup.py", &context);
    assert_eq!(answer.evaluated, Evaluated::Static);
    let files = project(
        "from setuptools import setup\nsetup(use_scm_version=True)",
        &[],
    );
    let answer = evaluate(&files, "setup.py", &context);
    assert_eq!(answer.version.known().map(String::as_str), Some("3.1"));
}

#[test]
fn what_setup_py_leaves_in_builtins_reaches_its_package() {
    let package = "try:\n    __X_SETUP__\nexcept NameError:\n    __X_SETUP__ = False\nif not __X_SETUP__:\n    raise ImportError('not built')\n";
    for builtins in ["builtins", "__builtin__"] {
        let code = format!(
            "try:\n    import {builtins} as b\nexcept ImportError:\n    import builtins as b\nb.__X_SETUP__ = True\nimport x._min as m\nREQ = m.deps"
        );
        let files = [("x/__init__.py", package), ("x/_min.py", "deps = ['a>=1']")];
        assert_eq!(requires(&after(&code), &files), ["a>=1"]);
    }
    let without = said(
        &after("import x._min as m\nREQ = m.deps"),
        &[("x/__init__.py", package), ("x/_min.py", "deps = ['a>=1']")],
    );
    assert_ne!(without.evaluated, Evaluated::Static);
}
