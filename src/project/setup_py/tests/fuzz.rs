//! Random files: no panic, no hang.

use proptest::prelude::*;

use super::{after, said};

const PIECES: &[&str] = &[
    "REQ",
    "x",
    "'a'",
    "\"b>=1\"",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ",",
    ".",
    "=",
    "==",
    "+",
    "+=",
    "%",
    "*",
    "**",
    "<",
    "if ",
    "else",
    "elif ",
    "for ",
    " in ",
    "while ",
    "def f(x):",
    "lambda x: ",
    "return ",
    "yield ",
    "class C:",
    "try:",
    "except ",
    "finally:",
    "with ",
    " as ",
    "import ",
    "from ",
    "not ",
    " and ",
    " or ",
    "None",
    "True",
    "0",
    "1",
    "-1",
    "3.5",
    "10**9",
    "sys",
    "version_info",
    "platform",
    "os",
    "path",
    "join",
    "environ",
    "open",
    "read()",
    "append",
    "extend",
    "split",
    "format",
    "re",
    "match",
    "group",
    "setup",
    "install_requires",
    "\n",
    "\n    ",
    "\n        ",
    "f'{x}'",
    "'%s'",
    "len",
    "str",
    "list",
    "dict",
    "map",
    "sorted",
    "zip",
    "range",
    "__file__",
    "globals()",
    "exec",
    "eval",
    "update",
    "items()",
    ":=",
    "*",
    "é",
    "#c\n",
    "\\\n",
    "[1:2]",
    "[::-1]",
    "sys.version_info",
    "sys.platform",
    "REQ.append(x)",
    "print x",
    "`x`",
    "super()",
    "self",
    "break",
    "continue",
    "raise ",
    "assert ",
    "del ",
    "global x",
    "nonlocal x",
    "pass",
    "re.compile",
    "'(a|b)*'",
    "glob",
    "unknown",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        said(&text, &[]);
        said(&after(&text), &[]);
    }

    #[test]
    fn any_pieces_of_python_are_survived(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let code = pieces.concat();
        said(&code, &[]);
        said(&after(&format!("REQ = []\n{code}")), &[("r.txt", "a\n")]);
    }

    #[test]
    fn a_real_file_with_a_change_is_survived(at in 0..2_000usize, cut in 0..40usize, put in prop::sample::select(PIECES)) {
        const REAL: &str = "import os, re, sys\nfrom setuptools import setup, find_packages\nhere = os.path.abspath(os.path.dirname(__file__))\ndef read(*parts):\n    with open(os.path.join(here, *parts)) as f:\n        return f.read()\ndef version():\n    match = re.search(r\"^__version__ = ['\\\"]([^'\\\"]*)['\\\"]\", read('p', '__init__.py'), re.M)\n    if match:\n        return match.group(1)\n    raise RuntimeError('no version')\nREQ = [l.strip() for l in read('r.txt').splitlines() if l and not l.startswith('#')]\nif sys.version_info < (3, 8):\n    REQ.append('typing-extensions>=%s' % '3.7')\nextras = {'dev': ['pytest'], 'all': []}\nfor name, group in sorted(extras.items()):\n    extras['all'] += [g for g in group if g not in extras['all']]\nkw = dict(install_requires=REQ, extras_require=extras)\nif sys.platform.startswith('win') or os.environ.get('X'):\n    kw['install_requires'] += ['colorama']\nsetup(name='p', version=version(), packages=find_packages(exclude=['t*']), **kw)\n";
        let mut start = at % REAL.len();
        while !REAL.is_char_boundary(start) { start -= 1; }
        let mut end = (start + cut).min(REAL.len());
        while !REAL.is_char_boundary(end) { end -= 1; }
        let text = format!("{}{put}{}", &REAL[..start], &REAL[end.max(start)..]);
        said(&text, &[("r.txt", "a\nb\n"), ("p/__init__.py", "__version__ = '1'\n")]);
    }

    #[test]
    fn any_regular_expression_is_survived(pattern in "[a-z\\[\\](){}|*+?.^$\\\\dwsZ<>=!P:,0-9 -]{0,30}", text in "[a-z0-9 =.]{0,40}") {
        let quoted = pattern.replace('\\', "\\\\").replace('\'', "");
        said(&after(&format!("m = re.search('{quoted}', '{text}')\nREQ = [m.group(0)] if m else re.sub('{quoted}', 'x', '{text}').split()")), &[]);
    }
}
