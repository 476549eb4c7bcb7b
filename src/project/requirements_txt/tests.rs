use super::*;
use crate::project::tests::tree;

fn env(name: &str) -> Option<String> {
    (name == "TOKEN").then(|| "secret".to_owned())
}

fn parse(files: &[(&str, &str)]) -> (Requirements, Vec<String>) {
    let tree = tree(files);
    let mut reading = Reading::new(&tree, false, &env);
    let out = read(&mut reading, files[0].0);
    let problems = reading.problems.iter().map(ToString::to_string);
    (out, problems.collect())
}

fn texts(list: &[Requirement]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn the_grammar_of_pip() {
    let text = "\
# a comment
--index-url https://index.test/simple/   # why
-i https://${TOKEN}@index.test/simple/
--extra-index-url=https://more.test/${UNSET}/
--find-links ./wheels
--no-binary alpha,beta
--only-binary=:all:
--pre --require-hashes
alpha==1.0 \\
    --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \\
    --hash=sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
beta[x,y]>=2,<3 ; python_version < '3.20'  # inline
gamma#egg
delta>=1,\\
  <2
-r more/extra.txt
-cconstraints.txt
--trusted-host index.test
";
    let (out, problems) = parse(&[
        ("requirements.txt", text),
        ("wheels/x.whl", ""),
        (
            "more/extra.txt",
            "epsilon\r\n-c ../constraints.txt\r-r deeper.in\n",
        ),
        ("more/deeper.in", "zeta"),
        ("constraints.txt", "alpha<2\neta==1"),
    ]);
    assert_eq!(
        texts(&out.requirements),
        [
            "alpha==1.0",
            "beta[x,y]>=2,<3; python_full_version < '3.20'",
            "delta>=1,<2",
            "epsilon",
            "zeta"
        ]
    );
    assert_eq!(
        texts(&out.constraints),
        ["alpha<2", "eta==1", "alpha<2", "eta==1"]
    );
    assert_eq!(
        out.options.index_url.as_deref(),
        Some("https://secret@index.test/simple/")
    );
    assert_eq!(
        out.options.extra_index_urls,
        ["https://more.test/${UNSET}/"]
    );
    assert_eq!(out.options.find_links, ["demo/wheels"]);
    assert_eq!(
        (
            out.options.no_binary.len(),
            out.options.only_binary.as_slice()
        ),
        (2, &[":all:".to_owned()][..])
    );
    assert!(out.options.pre && out.options.require_hashes);
    assert_eq!(out.hashes.values().map(Vec::len).collect::<Vec<_>>(), [2]);
    assert_eq!(
        problems,
        [
            "demo/requirements.txt:13: `gamma#egg` is not a requirement: Expected one of `@`, `(`, `<`, `=`, `>`, `~`, `!`, `;`, found `#`",
            "demo/requirements.txt:18: `--trusted-host` has no meaning here and is ignored"
        ]
    );
    let origin = out.requirements[2].origin.as_ref().unwrap();
    assert_eq!(origin.line_column(), (14, 1));
    assert_eq!(origin.text(), "delta>=1,\\\n  <2");
}

#[test]
fn addresses_and_paths_have_names() {
    let text = "\
git+https://host.test/demo.git@v1#egg=alpha[x]&subdirectory=sub
https://host.test/beta-1.0.tar.gz ; sys_platform == 'linux'
https://host.test/gamma_x-1.0-py3-none-any.whl
delta @ https://host.test/delta.zip
./local/epsilon-2.0.zip
-e ./local[dev]
zeta @ ./zeta
https://host.test/unknown
-e git+ssh://git@host.test/x.git
";
    let (out, problems) = parse(&[("sub/requirements.txt", text)]);
    assert_eq!(
        texts(&out.requirements),
        [
            "alpha[x] @ git+https://host.test/demo.git@v1#egg=alpha[x]&subdirectory=sub",
            "beta @ https://host.test/beta-1.0.tar.gz ; sys_platform == 'linux'",
            "gamma-x @ https://host.test/gamma_x-1.0-py3-none-any.whl",
            "delta @ https://host.test/delta.zip",
            "epsilon @ demo/sub/local/epsilon-2.0.zip",
            "zeta @ demo/sub/zeta",
        ]
    );
    assert_eq!(problems.len(), 3);
    assert!(problems[0].starts_with(
        "demo/sub/requirements.txt:6: it is not known which project `./local[dev]` is"
    ));
}

#[test]
fn whoever_includes_himself_is_told() {
    let (_, problems) = parse(&[
        ("a.txt", "-r b.txt\n"),
        (
            "b.txt",
            "x\n-r a.txt\n-r ./b.txt\n-r gone.txt\n-r https://h.test/r.txt\n",
        ),
    ]);
    assert_eq!(
        problems,
        [
            "demo/b.txt:2: `demo/a.txt` includes itself",
            "demo/b.txt:3: `demo/b.txt` includes itself",
            "demo/b.txt:4: `demo/gone.txt` does not exist",
            "demo/b.txt:5: a file from the network is not included",
        ]
    );
    let twice = "-r 1.txt\n-r 1.txt\n";
    let names: Vec<String> = (0..40).map(|i| format!("{i}.txt")).collect();
    let bodies: Vec<String> = (0..40)
        .map(|i| twice.replace('1', &(i + 1).to_string()))
        .collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .zip(&bodies)
        .map(|(n, b)| (n.as_str(), b.as_str()))
        .collect();
    let (_, problems) = parse(&files);
    assert!(problems.iter().any(|p| p.contains("too many files")));
}

#[test]
fn encodings() {
    let utf16: Vec<u8> = "\u{feff}alpha>=1\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        encoding::decode(utf16).unwrap(),
        "\u{feff}alpha>=1\n".trim_start_matches('\u{feff}')
    );
    assert_eq!(
        encoding::decode(b"\xef\xbb\xbfalpha".to_vec()).unwrap(),
        "alpha"
    );
    assert_eq!(
        encoding::decode(b"# -*- coding: latin-1 -*-\n# J\xf6rg".to_vec()).unwrap(),
        "# -*- coding: latin-1 -*-\n# Jörg"
    );
    assert!(
        encoding::decode(b"# J\xf6rg".to_vec())
            .unwrap_err()
            .contains("byte 3")
    );
    assert!(
        encoding::decode(b"# coding: koi8-r\n".to_vec())
            .unwrap_err()
            .contains("koi8-r")
    );
}

#[test]
fn options_are_taken_apart_as_optparse_does() {
    let of = |text: &str| line::split(text).unwrap().options;
    assert_eq!(of("-rfile.txt"), [Opt::Requirements("file.txt".into())]);
    assert_eq!(of("--req 'a b.txt'"), [Opt::Requirements("a b.txt".into())]);
    assert_eq!(of("-r"), [Opt::Unknown("-r without a value".into())]);
    assert_eq!(
        of("--extra-index https://x"),
        [Opt::ExtraIndexUrl("https://x".into())]
    );
    assert_eq!(of("--nonsense"), [Opt::Unknown("--nonsense".into())]);
    assert_eq!(
        of("--global-option=\"--x\""),
        [Opt::Build("--global-option")]
    );
    assert!(line::split("-r 'open").is_err());
    assert_eq!(
        line::split("foo-bar>=1 --pre").unwrap().requirement,
        "foo-bar>=1"
    );
}
