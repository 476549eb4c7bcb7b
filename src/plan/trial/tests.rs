use super::*;
use crate::nixpkgs::facts::Script;

const DIFF: &str = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";

fn script(text: &str, exact: bool) -> Script {
    Script {
        text: text.to_owned(),
        exact,
    }
}

fn recipe(post_patch: &str, exact: bool) -> AttributeFacts {
    AttributeFacts {
        patches: Some(Vec::new()),
        phases: BTreeMap::from([("postPatch".to_owned(), script(post_patch, exact))]),
        ..AttributeFacts::default()
    }
}

fn tried(facts: &AttributeFacts, files: &[(&str, &str)]) -> Trial {
    let text = |path: &str| path.ends_with(".patch").then(|| DIFF.to_owned());
    let find = |path: &String| {
        let own = files.iter().find(|(name, _)| name == path);
        let below = format!("{path}/");
        match own {
            Some((_, text)) => Found::Text((*text).to_owned()),
            None if files.iter().any(|(n, _)| n.starts_with(&below)) => Found::Folder,
            None => Found::Nothing,
        }
    };
    let wanted = wanted(facts, &text);
    let source = wanted.iter().map(|path| (path.clone(), find(path)));
    run(facts, &text, &source.collect())
}

fn with_patches(patches: Vec<facts::Patch>) -> AttributeFacts {
    AttributeFacts {
        patches: Some(patches),
        ..AttributeFacts::default()
    }
}

#[test]
fn patches_that_apply_are_kept() {
    let file = |name: &str| facts::Patch::File(format!("pkgs/{name}.patch"));
    let two = with_patches(vec![file("a"), file("again")]);
    let trial = tried(&two, &[("a.py", "one\ntwo\nthree\n")]);
    // the second is the same again, and finds what the first left
    assert_eq!(trial.patches, Patches::Only(vec!["a.patch".to_owned()]));
    assert_eq!(
        trial.dropped["patches"],
        ["again.patch is in this source already"]
    );
    let one = with_patches(vec![file("a")]);
    let trial = tried(&one, &[("a.py", "one\ntwo\nthree\n")]);
    assert_eq!(trial, Trial::default());
    let trial = tried(&one, &[("b.py", "")]);
    assert_eq!(trial.patches, Patches::Drop);
    assert_eq!(
        trial.dropped["patches"],
        ["a.patch does not apply: the source has no a.py"]
    );
    assert_eq!(trial.unchecked, [] as [&str; 0]);
}

#[test]
fn what_is_not_at_hand_is_said() {
    let url = "https://example.test/commit/abc.patch?full_index=1";
    let trial = tried(
        &with_patches(vec![facts::Patch::Fetched(url.to_owned())]),
        &[],
    );
    assert_eq!(trial.patches, Patches::Drop);
    assert_eq!(
        trial.dropped["patches"],
        ["abc.patch could not be tried: it is fetched, and not at hand"]
    );
    // once is enough
    assert_eq!(trial.unchecked, [] as [&str; 0]);
}

#[test]
fn substitutions_that_find_nothing_are_dropped() {
    let text = "
      substituteInPlace setup.py \\
        --replace-fail 'a==1' 'a' \\
        --replace-fail 'b==1' \"b\"
      substituteInPlace gone.py --replace-fail x y
      rm -r tests
      rm tests/more.py
      touch README
    ";
    let files = [("setup.py", "b==1\n"), ("tests/more.py", "")];
    let trial = tried(&recipe(text, true), &files);
    assert_eq!(
        trial.scripts["postPatch"],
        OldScript::Rewritten(vec![
            "substituteInPlace setup.py \\".to_owned(),
            "  --replace-fail 'b==1' \"b\"".to_owned(),
            "rm -r tests".to_owned(),
            "rm tests/more.py".to_owned(),
            "touch README".to_owned(),
        ])
    );
    assert_eq!(
        trial.dropped["postPatch"],
        ["`a==1` is not in setup.py", "the source has no gone.py"]
    );
    assert_eq!(trial.unchecked, [] as [&str; 0]);
}

#[test]
fn what_still_applies_is_kept_as_it_is() {
    let text = "substituteInPlace pyproject.toml --replace-fail 'a==1' 'a'\n";
    let trial = tried(&recipe(text, true), &[("pyproject.toml", "x = 'a==1'\n")]);
    assert!(trial.scripts.is_empty());
    assert_eq!(trial.pyproject.as_deref(), Some("x = 'a'\n"));
}

#[test]
fn a_fragment_with_unknown_parts_becomes_tolerant() {
    let text = "substituteInPlace a.py --replace-fail 'gone' '${lib}/lib' --replace-fail a b\n";
    let trial = tried(&recipe(text, false), &[("a.py", "a")]);
    assert_eq!(trial.scripts["postPatch"], OldScript::Tolerant);
    let text = "substituteInPlace gone.py --replace-fail 'x' '${lib}/lib'\necho ${x}\n";
    let trial = tried(&recipe(text, false), &[("a.py", "a")]);
    assert_eq!(trial.scripts["postPatch"], OldScript::Drop);
    let loops = "for f in *.py; do substituteInPlace $f --replace-fail a b; done";
    let trial = tried(&recipe(loops, true), &[("a.py", "a")]);
    assert_eq!(trial.scripts["postPatch"], OldScript::Tolerant);
    assert_eq!(
        trial.unchecked,
        ["nixpkgs' postPatch: it has more than simple commands"]
    );
}

#[test]
fn a_text_that_some_files_have_is_replaced_there() {
    let text = "substituteInPlace a.py b.py --replace-fail old new";
    let trial = tried(&recipe(text, true), &[("a.py", "old"), ("b.py", "")]);
    assert_eq!(
        trial.scripts["postPatch"],
        OldScript::Rewritten(vec![
            "substituteInPlace a.py b.py \\".to_owned(),
            "  --replace-quiet old new".to_owned()
        ])
    );
}

#[test]
fn tests_that_are_gone_need_not_be_left_out() {
    let facts = AttributeFacts {
        patches: Some(Vec::new()),
        disabled_test_paths: Some(vec![
            "tests/a.py::test_x".to_owned(),
            "tests/b.py".to_owned(),
            "tests/c*.py".to_owned(),
        ]),
        ..AttributeFacts::default()
    };
    let trial = tried(&facts, &[("tests/a.py", "")]);
    assert_eq!(trial.lost_tests, BTreeSet::from(["tests/b.py".to_owned()]));
}
