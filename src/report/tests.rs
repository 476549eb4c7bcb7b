//! Whole pages.

use super::*;

fn project(name: &str) -> Project {
    Project {
        name: name.to_owned(),
        version: "1.0".to_owned(),
        kind: Kind::Reuse,
        attribute: Some(name.to_owned()),
        nixpkgs_version: Some("1.0".to_owned()),
        direct: false,
        for_build: false,
        rebuilt: false,
        summary: None,
        homepage: None,
        changelog: None,
        license: None,
        version_reasons: Vec::new(),
        kind_reasons: Vec::new(),
        systems: None,
        asked_by: Vec::new(),
        needs: Vec::new(),
        rebuilds: Vec::new(),
        made: Vec::new(),
        files: Vec::new(),
    }
}

const HOSTILE: &str = "</script></style><img src=x onerror=alert(1)>\"'&\u{202e}{{rows}}";

/// Every text of a page that somebody else has written.
fn hostile() -> Page {
    let text = || HOSTILE.to_owned();
    let mut evil = project(HOSTILE);
    evil.version = text();
    evil.attribute = Some(text());
    evil.nixpkgs_version = Some(text());
    evil.summary = Some(text());
    evil.homepage = Some(format!("javascript:{HOSTILE}"));
    evil.changelog = Some(format!("https://a.test/{HOSTILE}"));
    evil.license = Some(text());
    evil.systems = Some(text());
    evil.version_reasons = vec![text()];
    evil.kind_reasons = vec![text()];
    evil.made = vec![text()];
    evil.asked_by = vec![Asker {
        by: None,
        called: text(),
        requirement: text(),
        place: Some(text()),
        forces: true,
        to_build: true,
    }];
    evil.needs = vec![Need {
        to: 1,
        requirement: text(),
        to_build: false,
    }];
    evil.rebuilds = vec![0, 1, 99];
    evil.files = vec![File {
        name: text(),
        hashes: vec![text()],
        size: Some(5),
    }];
    Page {
        title: text(),
        facts: vec![(text(), text())],
        projects: vec![evil, project("b"), project("b")],
        warnings: vec![text()],
    }
}

#[test]
fn nothing_hostile_stays_markup() {
    let page = render(&hostile());
    let plain = render(&Page::default());
    for tag in ["<script", "</script", "<style", "</style"] {
        assert_eq!(
            page.matches(tag).count(),
            plain.matches(tag).count(),
            "{tag}"
        );
    }
    assert_eq!(page.matches("<img").count(), 0);
    assert!(!page.contains('\u{202e}') && !page.contains("href=\"javascript"));
    assert!(page.matches("{{rows}}").count() > 15);
}

#[test]
fn the_policy_knows_the_script_and_the_style_and_nothing_else() {
    let page = render(&Page::default());
    let between = |open: &str, close: &str| {
        let (_, rest) = page.split_once(open).unwrap();
        rest.split_once(close).unwrap().0
    };
    let digest = |text: &str| crate::python::Sha256::of(text.as_bytes()).sri();
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            digest(between("<style>", "</style>")),
            digest(between("<script>", "</script>")),
        )
    );
    for remote in ["src=", "url(", "@import", "fetch(", "http-equiv=\"refresh"] {
        assert!(!page.contains(remote), "{remote}");
    }
}

#[test]
fn sections_have_names_of_their_own_and_links_lead_to_them() {
    let page = render(&hostile());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let evil: String = HOSTILE.chars().map(plain).collect();
    for id in ["p-b", "p-b--2", &format!("p-{evil}")] {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(page.contains("data-needs=\"1\""));
}
