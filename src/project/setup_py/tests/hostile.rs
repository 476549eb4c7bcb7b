//! Files that want too much: each ends soon, and without an answer that looks certain.

use std::time::{Duration, Instant};

use super::super::{Context, evaluate};
use super::{Memory, after, said};
use crate::project::Evaluated;

#[test]
fn hostile_files_end_soon() {
    let deep_calls = format!("REQ = {}'a'{}", "str(".repeat(90), ")".repeat(90));
    let cases: Vec<(&str, String)> = vec![
        ("endless loop", after("while True:\n    pass\nREQ = []")),
        ("endless list", after("REQ = ['a']\nfor x in REQ:\n    REQ.append(x)\nwhile True:\n    REQ += REQ")),
        ("recursion", after("def f(x):\n    return f(x + 1)\nREQ = f(0)")),
        ("mutual recursion", after("f = lambda: g()\ng = lambda: f()\nREQ = f()")),
        ("huge text", after("x = 'a' * 10 ** 9\nREQ = [x]")),
        ("doubling text", after("x = 'a'\nfor i in range(100):\n    x += x\nREQ = [x]")),
        ("huge number", after("x = 9\nfor i in range(99999):\n    x = x * x\nREQ = [str(x)]")),
        ("huge range", after("REQ = list(range(10 ** 12))")),
        ("padding", after("REQ = ['%099999999d' % 1, 'a'.zfill(10 ** 10)]")),
        ("nested brackets", "(".repeat(2_000_000)),
        ("nested lists", format!("x = {}", "[".repeat(500_000))),
        ("nested f-strings", format!("x = {}", "f'{".repeat(50_000))),
        ("unary chain", format!("x = {}1", "-".repeat(1_000_000))),
        ("lambda chain", format!("x = {}1", "lambda: ".repeat(200_000))),
        ("sum chain", format!("x = 1{}", "+1".repeat(200_000))),
        ("attribute chain", format!("x = a{}", ".b".repeat(200_000))),
        ("call chain", format!("x = a{}", "()".repeat(200_000))),
        ("if chain", format!("if 1: pass\n{}", "elif 1: pass\n".repeat(50_000))),
        ("conditional chain", format!("x = {}0", "1 if 0 else ".repeat(50_000))),
        ("deep blocks", (0..2000).map(|i| format!("{}if 1:\n", " ".repeat(i))).collect()),
        ("power chain", format!("x = 2{}", "**2".repeat(50_000))),
        ("catastrophic regex", after("REQ = [re.match('(a+)+$', 'a' * 5000 + 'b').group()]")),
        ("huge regex", after("REQ = [re.match('(a{1000}){1000}', 'a').group()]")),
        ("self reference", after("x = []\nfor i in range(9):\n    x = [x] * 50\nREQ = [str(x)] if x == x[:] else ['b']")),
        ("cyclic list", after("x = []\nx.append(x)\nx.append(x)\nREQ = x")),
        ("cyclic dictionary", after("import copy\nd = {}\nd['d'] = d\ny = copy.deepcopy(d)\nd.update(d)\nREQ = [repr(d)]")),
        ("exec loop", after("s = 'exec(s)'\nexec(s)\nREQ = []")),
        ("many conditions", after(&(0..200).map(|i| format!("if os.environ.get('V{i}') and sys.version_info > (3, {i}):\n    x = {i}\n")).collect::<String>()).replace("=REQ", "=[]")),
        ("many platforms", after(&(0..60).map(|i| format!("if sys.platform == 'p{i}' or unknown_{i}:\n    x = {i}\n")).collect::<String>()).replace("=REQ", "=[]")),
        ("product", after("REQ = [a + b + c + d for a in range(100) for b in range(100) for c in range(100) for d in range(100)]")),
        ("joins", after("x = ['a' * 1000] * 1000\nREQ = []\nfor i in range(1000):\n    REQ.append(','.join(x))")),
        ("deep calls", after(&deep_calls)),
        ("nulls", "\0\0\0".to_owned()),
        ("sorted by lies", after("REQ = sorted([[1], None, 'a', 2.0] * 5000, key=lambda x: x)")),
        ("import itself", "import setup\nfrom setuptools import setup\nsetup(install_requires=[1])".to_owned()),
    ];
    for (name, setup) in cases {
        let begun = Instant::now();
        let answer = said(&setup, &[]);
        let took = begun.elapsed();
        // Unoptimised and on a busy machine; the limits themselves are far below.
        assert!(took < Duration::from_secs(20), "{name} took {took:?}");
        if !matches!(name, "many conditions" | "many platforms" | "deep calls") {
            assert_ne!(answer.evaluated, Evaluated::Static, "{name}");
        }
    }
}

#[test]
fn bytes_of_no_encoding_are_told() {
    let lines: &[&[u8]] = &[
        b"from setuptools import setup",
        b"setup(name='a', author='J\xf6rg', install_requires=['b'])",
    ];
    let of = |text: Vec<u8>| {
        let files = Memory([("setup.py".to_owned(), text)].into());
        evaluate(&files, "setup.py", &Context::default())
    };
    let answer = of(lines.join(&b'\n'));
    let problem = &answer.problems[0];
    assert!(problem.what.contains("not UTF-8"), "{problem}");
    assert_eq!(problem.origin.as_ref().unwrap().line_column(), (2, 26));
    let declared = [b"# coding: latin-1\n", &lines.join(&b'\n')[..]].concat();
    assert!(of(declared).problems.is_empty());
}
