use std::collections::BTreeMap;

use super::*;

struct Files(BTreeMap<&'static str, &'static str>);

impl Scope for Files {
    fn has(&self, name: &str) -> bool {
        name == "requests"
    }

    fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|text| (*text).to_owned())
    }
}

fn read(text: &str) -> String {
    let world = World {
        python: "3.13.5".to_owned(),
    };
    let files = Files(BTreeMap::from([
        (
            "a/b/version.nix",
            "{ suffix }: { version = \"2.0${suffix}\"; }",
        ),
        ("a/c/default.nix", "\"c\""),
    ]));
    let reader = Reader::new(&world, &files);
    match reader.read("a/b/default.nix", text) {
        Ok(value) => show(&reader, &value),
        Err(error) => format!("error: {error}"),
    }
}

fn show(reader: &Reader<'_>, value: &Value) -> String {
    match value {
        Value::Str(text) if !text.exact => format!("~{:?}", text.text),
        Value::List(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    let mut shown = show(reader, &item.value);
                    if item.spread {
                        shown.insert(0, '…');
                    }
                    let systems = item.when.systems();
                    if !systems.is_empty() {
                        shown.push_str(&format!("@{}", systems.join("+")));
                    }
                    if let Some(open) = item.when.unknown() {
                        shown.push_str(&format!("?({open})"));
                    }
                    shown
                })
                .collect();
            format!("[{}]", items.join(" "))
        }
        Value::Set(set) => {
            let members: Vec<String> = set
                .names()
                .map(|name| {
                    let value = reader.member(set, name).expect("it is one of the names");
                    format!("{name}={}", show(reader, &value))
                })
                .collect();
            format!("{{{}}}", members.join(" "))
        }
        Value::Unknown(text) => format!("unknown({text})"),
        other => other.written(),
    }
}

#[test]
fn literals_and_strings() {
    assert_eq!(read("\"a\\\"b\""), "\"a\\\"b\"");
    assert_eq!(
        read("''\n  one\n    two ''${x}\n''"),
        "\"one\\n  two ${x}\\n\""
    );
    assert_eq!(read("\"a${\"b\"}c\""), "\"abc\"");
    assert_eq!(read("\"a${foo.bar}c\""), "~\"a${foo.bar}c\"");
    assert_eq!(read("./x.patch"), "a/b/x.patch");
    assert_eq!(read("../x.patch"), "a/x.patch");
    assert_eq!(read("../../../x.patch"), "unknown(../../../x.patch)");
    assert_eq!(read("1 + 2"), "3");
}

#[test]
fn names_are_bound_as_nix_binds_them() {
    assert_eq!(read("let a = \"1\"; b = a; in b"), "\"1\"");
    assert_eq!(
        read("rec { a = \"1\"; b = \"${a}.0\"; }"),
        "{a=\"1\" b=\"1.0\"}"
    );
    assert_eq!(
        read("let a = \"1\"; in { inherit a; inherit (x) y; }"),
        "{a=\"1\" y=x.y}"
    );
    assert_eq!(read("let a = \"1\"; in with lib; [ a b ]"), "[\"1\" lib.b]");
    assert_eq!(read("{ a.b = \"1\"; a.c = \"2\"; }.a"), "{b=\"1\" c=\"2\"}");
    assert_eq!(
        read("{ a = { b = \"1\"; }; a.c = \"2\"; }.a"),
        "{b=\"1\" c=\"2\"}"
    );
    assert_eq!(read("{ a = \"1\"; }.b or \"2\""), "\"2\"");
    assert_eq!(read("let a = a; in a"), "unknown(a)");
    assert_eq!(
        read("({ a, b ? \"2\" }: [ a b ]) { a = \"1\"; }"),
        "[\"1\" \"2\"]"
    );
}

#[test]
fn conditions_become_systems_or_stay_open() {
    assert_eq!(
        read("[ a ] ++ lib.optionals stdenv.hostPlatform.isDarwin [ b ]"),
        "[a b@aarch64-darwin+x86_64-darwin]"
    );
    assert_eq!(
        read("lib.optionals (!stdenv.isDarwin && stdenv.hostPlatform.isAarch64) [ b ]"),
        "[b@aarch64-linux]"
    );
    assert_eq!(read("lib.optional withGui b"), "[b?(withGui)]");
    assert_eq!(
        read("if stdenv.hostPlatform.system == \"x86_64-linux\" then [ a ] else [ b ]")
            .replace("if … …", "if"),
        "if"
    );
    assert_eq!(
        read("[ ] ++ (if stdenv.hostPlatform.system == \"x86_64-linux\" then [ a ] else [ b ])"),
        "[a@x86_64-linux b@aarch64-darwin+aarch64-linux+x86_64-darwin]"
    );
    assert_eq!(read("lib.optionals (pythonOlder \"3.11\") [ a ]"), "[]");
    assert_eq!(read("lib.optionals (pythonAtLeast \"3.13\") [ a ]"), "[a]");
    assert_eq!(read("lib.optionals (!isPyPy && isPy313) [ a ]"), "[a]");
    assert_eq!(
        read("lib.optional (requests != null) requests"),
        "[requests]"
    );
    assert_eq!(read("lib.versionOlder python.version \"3.13.6\""), "true");
}

#[test]
fn what_is_not_known_stays_as_it_is_written() {
    assert_eq!(read("f { } \"x\""), "f { … } \"x\"");
    assert_eq!(
        read("[ a ] ++ b.optional-dependencies.c"),
        "[a …b.optional-dependencies.c]"
    );
    assert_eq!(read("a // { b = \"1\"; }"), "{b=\"1\"}");
    assert_eq!(read("lib.genAttrs [ \"a\" ] (n: \"${n}1\")"), "{a=\"a1\"}");
    assert_eq!(
        read("lib.replaceStrings [ \".\" ] [ \"_\" ] \"1.2\""),
        "\"1_2\""
    );
    assert_eq!(read("(fetchPypi { version = \"1\"; }).version"), "\"1\"");
    assert_eq!(read("(fetchFromGitHub { tag = \"v1\"; }).rev"), "\"v1\"");
}

#[test]
fn other_files_are_read_through_the_scope() {
    assert_eq!(
        read("(import ./version.nix { suffix = \"b1\"; }).version"),
        "\"2.0b1\""
    );
    assert_eq!(read("import ../c"), "\"c\"");
    assert_eq!(read("import ./no-such.nix"), "import a/b/no-such.nix");
}

#[test]
fn packages_see_themselves() {
    let world = World {
        python: "3.13".to_owned(),
    };
    let files = Files(BTreeMap::new());
    let reader = Reader::new(&world, &files);
    let text = "{ lib, requests, redis, gui ? true }: build (final: {
        version = \"1.${lib.x}\"; name = \"${final.version}-${final.pname}\"; pname = \"n\";
        optional-dependencies.all = [ requests ];
        inputs = final.passthru.optional-dependencies.all ++ lib.optional gui redis;
        passthru.tests = { };
    })";
    let explicit = Set::known(BTreeMap::from([(
        "redis".to_owned(),
        Value::symbol("pkgs.redis"),
    )]));
    let value = reader.call_package("x.nix", text, &explicit).unwrap();
    let (function, arguments) = value.call().unwrap();
    assert_eq!(function, "build");
    let set = reader.attributes(arguments[0]).unwrap();
    let member = |name: &str| show(&reader, &reader.member(&set, name).unwrap());
    assert_eq!(member("name"), "~\"1.${lib.x}-n\"");
    assert_eq!(member("inputs"), "[requests pkgs.redis]");
}

#[test]
fn hostile_texts_end() {
    assert!(read(&"(".repeat(100_000)).starts_with("error"));
    assert!(read(&format!("{}1", "-".repeat(100_000))).starts_with("error"));
    assert!(read(&format!("f{}", " a".repeat(100_000))).starts_with("error"));
    assert!(read(&format!("a{}", " + a".repeat(100_000))).starts_with("error"));
    assert!(read(&format!("{}1", "a: ".repeat(100_000))).starts_with("error"));
    assert!(read(&format!("{}1{}", "{a=".repeat(5_000), ";}".repeat(5_000))).starts_with("error"));
    assert!(read("{ a = ; }").starts_with("error: line 1"));
    let doubling: String = (0..60)
        .map(|n| format!("a{} = a{n} ++ a{n};", n + 1))
        .collect();
    assert!(read(&format!("let a0 = [ ]; {doubling} in a60")).len() < 1_000_000);
    let doubling: String = (0..60)
        .map(|n| format!("a{} = \"${{a{n}}}${{a{n}}}\";", n + 1))
        .collect();
    assert!(read(&format!("let a0 = \"x\"; {doubling} in a60")).len() < 30_000_000);
    assert!(!read("let f = x: f x; in f 1").starts_with("error"));
    assert!(read(&format!("[ {} ]", "a ".repeat(50_000))).starts_with("[a a"));
}

#[test]
fn versions_compare_as_nix_compares_them() {
    for (a, b) in [
        ("1.0", "1.0.1"),
        ("2.3pre1", "2.3"),
        ("2.3", "2.3a"),
        ("3.9", "3.10"),
    ] {
        assert_eq!(
            read(&format!("lib.versionOlder \"{a}\" \"{b}\"")),
            "true",
            "{a} {b}"
        );
        assert_eq!(
            read(&format!("lib.versionOlder \"{b}\" \"{a}\"")),
            "false",
            "{b} {a}"
        );
    }
}
