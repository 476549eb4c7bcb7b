//! The commands of the days after the first lock: check, update, prune; completions and the manual.

use std::fs;
use std::process::Output;

use serde_json::Value;

use crate::support::index::Index;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, pins, stderr};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// With a lock of `zz-demo` 1.0 and `zz-leaf` 2.0.
fn locked() -> Workshop {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.locked(&["requirements.txt"]);
    workshop
}

/// Runs `pyresolve check requirements.txt`.
fn check(workshop: &Workshop, arguments: &[&str], exit: i32) -> String {
    let output = workshop.run(&[&["check", "requirements.txt"], arguments].concat());
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(exit), "{out}\n{err}");
    out
}

#[test]
fn a_good_lock_needs_no_index_to_be_told_so() {
    let workshop = locked();
    assert_eq!(check(&workshop, &[], 0), "");
    let nobody = ["--index-url", "http://127.0.0.1:1/simple/", "--no-cache"];
    // Another index is another question.
    assert!(check(&workshop, &nobody, 1).contains("other settings"));
    fs::remove_dir_all(workshop.folder.path().join("cache")).unwrap();
    workshop.index.seen();
    assert_eq!(check(&workshop, &["--offline"], 0), "");
    assert!(workshop.index.seen().is_empty());
    // A new release does not make a lock a bad one.
    workshop.publish_leaf("3.0");
    assert_eq!(check(&workshop, &["--refresh"], 0), "");
    assert_eq!(
        workshop.files(),
        ["dependencies.nix", "pylock.toml", "requirements.txt"]
    );
}

#[test]
fn no_lock_is_a_stale_one() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    assert_eq!(
        check(&workshop, &["--offline"], 1),
        "stale   pylock.toml: there is no lock\n"
    );
}

#[test]
fn sources_that_ask_for_something_else_are_told_with_their_lines() {
    let workshop = locked();
    let before = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    workshop.write("requirements.txt", "# ours\nzz-demo>=1\nzz-leaf<2\n");
    let told = check(&workshop, &[], 1);
    assert!(
        told.contains("stale   requirements.txt:2: `zz-demo>=1` is not in the lock\n"),
        "{told}"
    );
    assert!(
        told.contains("stale   pylock.toml: `zz-demo` is required no more\n"),
        "{told}"
    );
    for line in [
        "--- a/dependencies.nix",
        "+++ b/pylock.toml",
        "-version = \"2.0\"",
        "+version = \"1.0\"",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    let json: Value = serde_json::from_str(&check(&workshop, &["--json"], 1)).unwrap();
    assert_eq!(json["findings"][0]["kind"], "stale");
    assert_eq!(json["findings"][0]["line"], 2);
    let github = check(&workshop, &["--annotate", "github"], 1);
    assert!(
        github.starts_with("::error file=requirements.txt,line=2,title=pyresolve%3A stale::"),
        "{github}"
    );
    let gitlab: Value =
        serde_json::from_str(&check(&workshop, &["--annotate", "gitlab"], 1)).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], "requirements.txt");
    assert!(check(&workshop, &["--python", "3.14"], 1).contains("Python: 3.13"));
    let after = (
        workshop.read("dependencies.nix"),
        workshop.read("pylock.toml"),
    );
    assert_eq!(before, after);
    workshop.locked(&["requirements.txt"]);
    check(&workshop, &[], 0);
}

#[test]
fn changes_by_hand_are_told_without_asking_anybody() {
    for file in ["dependencies.nix", "pylock.toml"] {
        let workshop = locked();
        let text = workshop.read(file).replace("2.0", "2.1");
        workshop.write(file, &text);
        workshop.index.seen();
        let told = check(&workshop, &["--offline", "--annotate", "github"], 1);
        assert!(
            told.contains(&format!("file={file},title=pyresolve%3A edited")),
            "{told}"
        );
        assert!(workshop.index.seen().is_empty());
        let told = check(&workshop, &[], 1);
        assert!(
            told.contains(&format!("edited  {file}: was changed since")),
            "{told}"
        );
    }
    let workshop = locked();
    fs::remove_file(workshop.path("dependencies.nix")).unwrap();
    assert!(check(&workshop, &[], 1).contains("dependencies.nix: is not there"));
}

#[test]
fn what_the_index_took_back_is_told() {
    let workshop = Workshop::new();
    let leaf = |version| Release::new("zz-leaf", version).flit("'leaf'");
    workshop.index.publish(leaf("1.0"));
    workshop.index.publish(leaf("2.0"));
    workshop.write("requirements.txt", "zz-leaf\n");
    workshop.locked(&["requirements.txt"]);
    check(&workshop, &["--refresh"], 0);
    // The index as it is later: the release is yanked.
    let later = Index::start(vec![leaf("1.0"), leaf("2.0").yanked("it deletes files")]);
    workshop.index.replace(&later);
    let told = check(&workshop, &["--refresh"], 1);
    assert_eq!(
        told,
        "broken  pylock.toml: zz-leaf 2.0 was yanked: it deletes files\n"
    );
    // Who pins it wants it.
    workshop.write("requirements.txt", "zz-leaf==2.0\n");
    workshop.locked(&["requirements.txt"]);
    check(&workshop, &["--refresh"], 0);
    // And later still, the release is gone.
    workshop.write("requirements.txt", "zz-leaf\n");
    workshop.locked(&["requirements.txt"]);
    workshop.index.replace(&Index::start(vec![leaf("1.0")]));
    let told = check(&workshop, &["--refresh"], 1);
    assert!(
        told.contains("zz-leaf 2.0 is to be had no more; zz-leaf 1.0 is"),
        "{told}"
    );
}

#[test]
fn a_file_that_the_index_took_back_is_named() {
    let workshop = locked();
    let later = Index::start(vec![
        Release::new("zz-demo", "1.0")
            .needs("zz-leaf")
            .flit("\"\"\"Demo\"\"\""),
        Release::new("zz-leaf", "2.0")
            .flit("\"\"\"Leaf\"\"\"")
            .wheels(&[]),
    ]);
    workshop.index.replace(&later);
    let told = check(&workshop, &["--refresh"], 1);
    assert!(
        told.starts_with("broken  pylock.toml: zz-leaf 2.0: zz_leaf-2.0-py3-none-any.whl is on the index no more\n"),
        "{told}"
    );
    assert!(
        told.contains("--- a/pylock.toml\n+++ b/pylock.toml\n"),
        "{told}"
    );
    let github = check(&workshop, &["--refresh", "--annotate", "github"], 1);
    assert!(
        github.starts_with(
            "::error file=pylock.toml,title=pyresolve%3A broken::zz-leaf 2.0: zz_leaf-2.0"
        ),
        "{github}"
    );
    let gitlab = check(&workshop, &["--refresh", "--annotate", "gitlab"], 1);
    let gitlab: Value = serde_json::from_str(&gitlab).unwrap();
    assert_eq!(gitlab[0]["check_name"], "pyresolve-broken");
    let json: Value = serde_json::from_str(&check(&workshop, &["--refresh", "--json"], 1)).unwrap();
    assert_eq!(json["findings"][0]["kind"], "broken");
    assert!(json["diff"].as_str().unwrap().contains("+++ b/pylock.toml"));
}

#[test]
fn a_summary_tells_which_entries_appear_and_go() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.locked(&["requirements.txt"]);
    let next = Release::new("zz-demo", "2.0").needs("zz-twig>=1");
    workshop.index.publish(next.flit("'demo'"));
    let twig = Release::new("zz-twig", "1.0");
    workshop.index.publish(twig.flit("'twig'"));
    let output = workshop.run(&[
        "update",
        "--source",
        "requirements.txt",
        "--summary",
        "markdown",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stdout(&output);
    for part in [
        "\nEntries that appear:\n\n- zz-twig 1.0: nixpkgs lacks it, and zz-demo 2.0 needs `zz-twig>=1`\n",
        "\nEntries that go:\n\n- zz-leaf: nothing needs it any more\n",
    ] {
        assert!(told.contains(part), "{part}{told}");
    }
}

#[test]
fn an_update_tells_what_moved() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    let only = ["--source", "requirements.txt"];
    workshop.locked(&["requirements.txt"]);
    let before = workshop.read("pylock.toml");
    let address = "Project-URL: Changelog, https://leaf.test/news(1)";
    workshop.index.publish(
        Release::new("zz-leaf", "3.0")
            .headers(&[address])
            .flit("'leaf'"),
    );
    workshop.index.publish(
        Release::new("zz-demo", "2.0")
            .needs("zz-leaf")
            .flit("'demo'"),
    );
    let update = |arguments: &[&str]| {
        let output = workshop.run(&[&["update"], &only[..], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let table = update(&["--dry-run", "--summary", "markdown"]);
    assert!(table.contains("| zz-demo | 1.0 | 2.0 | new |"), "{table}");
    assert!(
        table.contains("| [zz-leaf](https://leaf.test/news(1%29) | 2.0 | 3.0 | new | zz-demo 2.0 needs `zz-leaf` |"),
        "{table}"
    );
    assert_eq!(workshop.read("pylock.toml"), before);
    update(&["zz-leaf"]);
    assert_eq!(
        pins(&workshop.read("pylock.toml")),
        ["zz-demo 1.0", "zz-leaf 3.0"]
    );
    update(&["zz-leaf==1.0"]);
    assert_eq!(
        pins(&workshop.read("pylock.toml")),
        ["zz-demo 1.0", "zz-leaf 1.0"]
    );
    let json: Value = serde_json::from_str(&update(&["--json"])).unwrap();
    assert_eq!(json["moves"][0]["new"][0], "2.0");
    assert_eq!(update(&["--summary", "markdown"]), "No pin changes.\n");
    let unknown = workshop.run(&["update", "--source", "requirements.txt", "zz-lief"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("no pin is called `zz-lief`"));
    check(&workshop, &[], 0);
}

#[test]
fn entries_go_that_nixpkgs_has_caught_up_with() {
    let workshop = Workshop::new();
    let (nixpkgs, other) = (
        pyresolve::nixpkgs::snapshot::read("3.13").unwrap(),
        "99999.0",
    );
    let name = "itsdangerous".parse().unwrap();
    let version = nixpkgs.attributes(&name)[0].version.to_string();
    for version in [version.as_str(), other] {
        workshop
            .index
            .publish(Release::new("itsdangerous", version).flit("'x'"));
        workshop
            .index
            .publish(Release::new("zz-leaf", version).flit("'x'"));
    }
    workshop.write("requirements.txt", "itsdangerous\nzz-leaf\n");
    workshop.locked(&["requirements.txt", "--nixpkgs", "none"]);
    workshop
        .index
        .publish(Release::new("zz-leaf", "99999.1").flit("'x'"));
    let newest = pins(&workshop.read("pylock.toml"));
    assert_eq!(newest, ["itsdangerous 99999.0", "zz-leaf 99999.0"]);
    // A lock keeps its pins; pruning lets go of those that nixpkgs has.
    workshop.locked(&["requirements.txt"]);
    assert_eq!(pins(&workshop.read("pylock.toml")), newest);
    let output = workshop.run(&["prune", "requirements.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = format!("~ itsdangerous 99999.0 → {version} (override → reuse)\n");
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    assert_eq!(pins(&workshop.read("pylock.toml"))[1], "zz-leaf 99999.0");
    check(&workshop, &[], 0);
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    let workshop = Workshop::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = workshop.run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("lock-only"), "{shell}");
    }
    let version = stdout(&workshop.run(&["--version"]));
    let (_, date) = pyresolve::nixpkgs::snapshot::origin();
    assert!(
        version.starts_with("pyresolve ") && version.contains(date),
        "{version}"
    );
    let page = stdout(&workshop.run(&["man"]));
    assert!(page.contains(".TH pyresolve 1"), "{page}");
    let output = workshop.run(&["man", "pages"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = workshop.read("pages/pyresolve-lock.1");
    assert!(
        page.contains("exclude\\-newer") && page.contains("pyresolve\\-lock"),
        "{page}"
    );
}

/// The file says how it was made, with what decides about it.
#[test]
fn the_file_names_the_command_that_makes_it_again() {
    let workshop = Workshop::with_demo();
    workshop.write("requirements.txt", "zz-demo\n");
    workshop.write("limits.txt", "zz-leaf<9\n");
    let options = [
        "--prefer",
        "latest",
        "--python",
        "3.13",
        "--system",
        "x86_64-linux",
        "-c",
        "limits.txt",
    ];
    workshop.locked(&[&["requirements.txt"], &options[..]].concat());
    let text = workshop.read("dependencies.nix");
    let command = "# To make it again: pyresolve lock requirements.txt --constraint limits.txt \
                   --python 3.13 --system x86_64-linux --prefer latest\n";
    assert!(text.contains(command), "{text}");
    assert_eq!(check(&workshop, &options, 0), "");
    // What stands in the settings need not be typed, and checking does not ask how it was.
    workshop.write(
        "pyresolve.toml",
        "prefer = \"latest\"\npython = \"3.13\"\nsystems = [\"x86_64-linux\"]\n",
    );
    assert_eq!(check(&workshop, &["-c", "limits.txt"], 0), "");
    workshop.locked(&[&["requirements.txt"], &options[..]].concat());
    let text = workshop.read("dependencies.nix");
    let command = "lock requirements.txt --constraint limits.txt\n";
    assert!(text.contains(command), "{text}");
}
