//! `pyresolve report`: the page's bytes, and what a real browser makes of it.

use std::fs;

use crate::support::browser::Browser;
use crate::support::project::Release;
use crate::support::workshop::{Workshop, stderr};

/// A project of three, one of whose authors would like to be executed.
fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let release = |name, version| {
        Release::new(name, version).headers(&[
            "Summary: </script><script>alert(1)</script> \"quoted\" \u{202e}backwards",
            "Home-page: javascript:alert(1)",
            "License-Expression: MIT",
        ])
    };
    for release in [
        release("zz-demo", "1.0")
            .needs("zz-leaf>=2")
            .needs("zz-other"),
        release("zz-other", "1.0").needs("zz-leaf"),
        release("zz-leaf", "2.0"),
    ] {
        workshop.index.publish(release.flit("'x'"));
    }
    workshop.write("requirements.txt", "# ours\nzz-demo==1.0\n");
    workshop
}

fn written(workshop: &Workshop, arguments: &[&str]) -> String {
    let output = workshop.run(&[&["report"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    workshop.read("page.html")
}

#[test]
fn a_page_tells_what_is_there_and_why() {
    let workshop = workshop();
    workshop.locked(&["requirements.txt"]);
    let page = written(&workshop, &["requirements.txt", "--html", "page.html"]);
    assert_eq!(page.matches("<tr data-n=").count(), 3);
    assert_eq!(page.matches("<article ").count(), 3);
    assert_eq!(page.matches("<a class=\"node ").count(), 3);
    for text in [
        "<bdi>requirements.txt</bdi>",
        // who asks, with which specifier, where
        "<span class=\"place\">requirements.txt:2</span><code>zz-demo==1.0</code>",
        "requirements.txt:2 wants ==1.0: no other version will do.",
        "nixpkgs lacks it; zz-demo 1.0 needs &gt;=2.",
        "Built with flit-core.",
        "<dt>licence</dt><dd>MIT</dd>",
        "sha256:",
        "alert(1)&lt;/script&gt; &quot;quoted&quot; ⟨U+202E⟩backwards",
    ] {
        assert!(page.contains(text), "{text} is not in\n{page}");
    }
    assert!(!page.contains("href=\"javascript"));
    // The line from zz-demo to zz-leaf is implied by the one over zz-other.
    assert_eq!(page.matches("class=\"implied\"").count(), 1);
    // The same pins make the same bytes, without asking anybody.
    workshop.index.seen();
    let again = written(
        &workshop,
        &["requirements.txt", "--html", "page.html", "--offline"],
    );
    assert_eq!(page, again);
    assert!(workshop.index.seen().is_empty());
    let out = workshop.run(&["report", "requirements.txt", "--html", "-"]);
    assert_eq!(stderr(&out), "");
    assert_eq!(String::from_utf8(out.stdout).unwrap(), page);
    assert_eq!(
        workshop.files(),
        [
            "dependencies.nix",
            "page.html",
            "pylock.toml",
            "requirements.txt"
        ]
    );
}

#[test]
fn what_is_not_locked_yet_is_told() {
    let workshop = workshop();
    let told = |said: &str| {
        let output = workshop.run(&["report", "requirements.txt", "--html", "page.html"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    };
    told("there is no lock yet; the page shows what `pyresolve lock` would write");
    workshop.locked(&["requirements.txt"]);
    workshop.write("requirements.txt", "zz-leaf\n");
    told("the lock that is there says something else");
    assert_eq!(workshop.read("page.html").matches("<article ").count(), 1);
    // Nothing but the page is written.
    assert!(workshop.read("pylock.toml").contains("zz-demo"));
}

#[test]
fn a_lock_alone_is_shown_as_far_as_it_tells() {
    let workshop = workshop();
    workshop.locked(&["requirements.txt"]);
    let page = written(&workshop, &["--lock", "pylock.toml", "--html", "page.html"]);
    assert_eq!(page.matches("<tr data-n=").count(), 3);
    assert!(page.contains("new entry") && page.contains("<code>zz-leaf&gt;=2</code>"));
    // Another tool's lock says less still.
    let other =
        "lock-version = '1.0'\ncreated-by = 'else'\n[[packages]]\nname = 'a'\nversion = '1'\n";
    workshop.write("other.toml", other);
    let page = written(&workshop, &["--lock", "other.toml", "--html", "page.html"]);
    assert!(page.contains("only locked"), "{page}");
    for (arguments, said) in [
        (
            ["report", "--lock", "none.toml", "--html", "page.html"],
            "cannot be read",
        ),
        (
            [
                "report",
                "--lock",
                "pylock.toml",
                "--html",
                "nowhere/page.html",
            ],
            "cannot be written",
        ),
        (
            ["report", "--lock", "pylock.toml", "--html", "."],
            "cannot be written",
        ),
    ] {
        let output = workshop.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    fs::remove_file(workshop.path("pylock.toml")).unwrap();
}

#[test]
fn a_browser_shows_it_filters_it_and_asks_nobody() {
    let Some(mut browser) = Browser::start("report") else {
        return;
    };
    let workshop = workshop();
    workshop.locked(&["requirements.txt"]);
    written(&workshop, &["requirements.txt", "--html", "page.html"]);
    let file = workshop.path("page.html").canonicalize().unwrap();
    browser.size(1280, 800);
    browser.open(&file);
    let rows = "[...document.querySelectorAll('#rows tr')].filter(r => r.checkVisibility()).map(r => r.querySelector('a').textContent).join()";
    let boxes = "[...document.querySelectorAll('.node')].filter(n => n.checkVisibility()).length";
    let status = "document.getElementById('shown').textContent";
    let chosen = "[...document.querySelectorAll('.project')].filter(p => p.checkVisibility()).map(p => p.id).join()";
    assert_eq!(browser.value(rows), "zz-demo,zz-leaf,zz-other");
    // What is hostile is text.
    assert_eq!(browser.value("document.scripts.length"), 1);
    assert_eq!(
        browser.value(
            "document.querySelector('.summary').textContent.startsWith('</script><script>alert(1)')"
        ),
        true
    );
    // By name.
    browser.click("#q");
    browser.text("LEAF");
    assert_eq!(browser.value(rows), "zz-leaf");
    browser.text("let");
    assert_eq!(browser.value(rows), "");
    assert_eq!(browser.value(status), "0 of 3 projects");
    assert_eq!(
        browser.value("document.getElementById('nothing').checkVisibility()"),
        true
    );
    browser.click("#reset");
    browser.value("new Promise(done => setTimeout(done, 50))");
    assert_eq!(browser.value(status), "3 projects");
    // By kind.
    browser.click(".chip.k-new");
    assert_eq!(
        (browser.value(rows), browser.value(boxes)),
        ("".into(), 0.into())
    );
    browser.click(".chip.k-new");
    // By who asks.
    browser.value("(() => { const by = document.getElementById('by'); by.value = '2'; by.dispatchEvent(new Event('input', { bubbles: true })); })()");
    assert_eq!(
        (browser.value(rows), browser.value(boxes)),
        ("zz-leaf".into(), 1.into())
    );
    browser.click("#reset");
    browser.value("new Promise(done => setTimeout(done, 50))");
    // A box in the graph opens its section; its lines show, implied or not.
    browser.click(".node[href='#p-zz-leaf']");
    assert_eq!(browser.value(chosen), "p-zz-leaf");
    assert_eq!(browser.value("location.hash"), "#p-zz-leaf");
    assert_eq!(
        browser.value(
            "[...document.querySelectorAll('#graph path')].filter(p => p.checkVisibility()).length"
        ),
        3
    );
    browser.click("#p-zz-leaf a[href='#p-zz-other']");
    assert_eq!(browser.value(chosen), "p-zz-other");
    browser.value("new Promise(done => { addEventListener('popstate', () => setTimeout(done, 50)); history.back(); })");
    assert_eq!(browser.value(chosen), "p-zz-leaf");
    // Keys.
    browser.key("j");
    assert_eq!(browser.value(chosen), "p-zz-other");
    browser.key("f");
    assert_eq!(browser.value(boxes), 3);
    browser.key("Escape");
    assert_eq!(browser.value(chosen), "");
    browser.key("/");
    assert_eq!(browser.value("document.activeElement.id"), "q");
    // A phone: nothing is wider than it, and the section lies above the list.
    browser.size(390, 844);
    assert_eq!(
        browser.value("document.documentElement.scrollWidth <= 390"),
        true
    );
    browser.click("#rows a[href='#p-zz-demo']");
    assert_eq!(browser.value(chosen), "p-zz-demo");
    assert_eq!(
        browser.value("getComputedStyle(document.getElementById('details')).position"),
        "fixed"
    );
    assert_eq!(browser.complaints(), [] as [serde_json::Value; 0]);
    assert_eq!(browser.requests(), [format!("file://{}", file.display())]);
    // Without scripts it is a table, with every section below.
    browser.without_scripts();
    browser.size(1280, 800);
    browser.open(&file);
    assert_eq!(browser.value(rows), "zz-demo,zz-leaf,zz-other");
    assert_eq!(browser.value(chosen), "p-zz-demo,p-zz-leaf,p-zz-other");
    assert_eq!(
        browser.value("document.getElementById('tools').checkVisibility()"),
        false
    );
}
