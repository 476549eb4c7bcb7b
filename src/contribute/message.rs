//! What is said of a change: commit messages in nixpkgs' form, and a suggestion for the text of a pull
//! request.

/// A change of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The attribute.
    pub attr: String,
    /// The version before; none for a new package.
    pub old: Option<String>,
    /// The version.
    pub new: String,
    /// Where the release tells what is new.
    pub changelog: Option<String>,
    /// One sentence about it.
    pub description: Option<String>,
    /// Its page.
    pub homepage: Option<String>,
    /// What a person has to look at.
    pub notes: Vec<String>,
}

impl Change {
    /// The first line of its commit.
    pub fn subject(&self) -> String {
        let attr = attr_path(&self.attr);
        match &self.old {
            Some(old) => format!("{attr}: {old} -> {}", self.new),
            None => format!("{attr}: init at {}", self.new),
        }
    }

    /// The whole message of its commit.
    pub fn message(&self) -> String {
        let subject = self.subject();
        let link = match &self.old {
            Some(_) => self
                .changelog
                .as_ref()
                .map(|url| format!("Changelog: {url}")),
            None => self.homepage.clone(),
        };
        match link {
            Some(link) => format!("{subject}\n\n{link}\n"),
            None => format!("{subject}\n"),
        }
    }
}

/// The attribute as nixpkgs' CI understands it.
fn attr_path(attr: &str) -> String {
    format!("python3Packages.{}", crate::nix::text::attribute(attr))
}

/// A suggestion for the title and the text of a pull request. The last of the changes is the one that
/// was asked for; those before it are what it needs.
pub fn pull_request(changes: &[Change], command: &str) -> String {
    let mut out = String::new();
    let mut say = |line: &str| {
        out.push_str(line);
        out.push('\n');
    };
    let Some(asked) = changes.last() else {
        return out;
    };
    say(&format!("# {}", asked.subject()));
    say("");
    if let Some(description) = &asked.description {
        say(&escaped(&format!("{description}.")));
        say("");
    }
    if let Some(homepage) = &asked.homepage {
        say(&format!("Homepage: <{homepage}>"));
    }
    if let Some(changelog) = &asked.changelog {
        say(&format!("Changelog: <{changelog}>"));
    }
    if asked.homepage.is_some() || asked.changelog.is_some() {
        say("");
    }
    if changes.len() > 1 {
        say("It needs, in the order of the commits:");
        say("");
        for change in changes.iter().rev().skip(1).rev() {
            let about = change
                .description
                .as_ref()
                .map(|d| format!(" ({})", escaped(d)));
            say(&format!(
                "- {}{}",
                change.subject(),
                about.unwrap_or_default()
            ));
        }
        say("");
    }
    if changes.iter().any(|change| !change.notes.is_empty()) {
        say("To be looked at before this is submitted:");
        say("");
        for change in changes {
            for note in &change.notes {
                say(&format!("- [ ] {}: {}", change.attr, escaped(note)));
            }
        }
        say("");
    }
    let attrs: Vec<String> = changes.iter().map(|c| attr_path(&c.attr)).collect();
    say("## Things done");
    say("");
    say("- Built on platform(s)");
    for system in ["x86_64-linux", "aarch64-linux", "aarch64-darwin"] {
        say(&format!("  - [ ] {system}"));
    }
    say(&format!(
        "- [ ] Built with `nix-build -A {}`",
        attrs.join(" -A ")
    ));
    say("- [ ] Tested the dependents with `nixpkgs-review rev HEAD`");
    say("- [ ] Read every changed file, and compared it with the source of the release");
    say("");
    say("---");
    say("");
    say(&format!(
        "The files were prepared by `{command}` (pyresolve {}), a program that reads metadata and sources \
         without running them. It has neither built nor tested anything, and submits nothing: a person \
         has reviewed this change, and answers for it.",
        env!("CARGO_PKG_VERSION")
    ));
    out
}

/// A text from elsewhere, so that it stays on its line and mentions nobody.
fn escaped(text: &str) -> String {
    let line = crate::nix::text::comment(text);
    line.replace('@', "@\u{200B}").replace('<', "\\<")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(attr: &str, old: Option<&str>) -> Change {
        Change {
            attr: attr.to_owned(),
            old: old.map(str::to_owned),
            new: "1.3".to_owned(),
            changelog: None,
            description: Some("Thing of @somebody".to_owned()),
            homepage: None,
            notes: vec!["look".to_owned()],
        }
    }

    #[test]
    fn messages_are_nixpkgs_own() {
        assert_eq!(
            change("demo", None).message(),
            "python3Packages.demo: init at 1.3\n"
        );
        let mut update = change("demo", Some("1.2"));
        update.changelog = Some("https://demo.test/changes".to_owned());
        assert_eq!(
            update.message(),
            "python3Packages.demo: 1.2 -> 1.3\n\nChangelog: https://demo.test/changes\n"
        );
    }

    #[test]
    fn the_text_says_who_answers_for_it() {
        let text = pull_request(
            &[change("leaf", None), change("demo", None)],
            "pyresolve nixpkgs init demo",
        );
        assert!(
            text.starts_with("# python3Packages.demo: init at 1.3\n"),
            "{text}"
        );
        assert!(text.contains("- python3Packages.leaf: init at 1.3 (Thing of @\u{200B}somebody)"));
        assert!(text.contains("- [ ] leaf: look"));
        assert!(text.contains("submits nothing: a person has reviewed"));
        assert!(text.contains("nix-build -A python3Packages.leaf -A python3Packages.demo"));
    }
}
