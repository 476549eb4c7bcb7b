//! The licence that the metadata leaves open: what is known, what to ask, and what an answer means.
//! Nothing here guesses.

use crate::plan::derivation::License;
use crate::plan::license_of_expression;
use crate::project::Files;
use crate::python::About;

/// The largest licence that is looked at.
const MAX_TEXT: usize = 64 << 10;

/// A licence that somebody has to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// What the metadata says, as sentences; empty where it says nothing.
    pub said: Vec<String>,
}

/// A text that comes with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file.
    pub file: String,
    /// Its first lines.
    pub beginning: Vec<String>,
    /// The SPDX identifier of the well-known text that it reads like, for a person to confirm.
    pub reads_like: Option<&'static str>,
}

impl Open {
    /// What several descriptions of one release say of its licence.
    pub fn new<'a>(abouts: impl Iterator<Item = &'a About>) -> Self {
        let mut said = Vec::new();
        let mut add = |sentence: String| {
            if !said.contains(&sentence) {
                said.push(sentence);
            }
        };
        for about in abouts {
            if let Some(expression) = &about.license_expression {
                add(format!("License-Expression says `{}`", short(expression)));
            }
            for classifier in &about.license_classifiers {
                let last = classifier.rsplit(" :: ").next().unwrap_or(classifier);
                add(format!("the classifier says `{}`", short(last)));
            }
            if let Some(text) = about.license.as_deref().filter(|t| !t.trim().is_empty()) {
                add(format!("License says `{}`", short(text)));
            }
        }
        Self { said }
    }

    /// Why it is open, in one line.
    pub fn because(&self) -> String {
        if self.said.is_empty() {
            "the metadata does not name it".to_owned()
        } else {
            format!("{}, which is not certain", self.said.join(", "))
        }
    }

    /// What stands in a module in its place.
    pub fn comments(&self) -> Vec<String> {
        vec![format!(
            "TODO: license = lib.licenses.…; {}",
            self.because()
        )]
    }
}

/// One line of what may be a whole licence.
fn short(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let mut short: String = line.chars().take(60).collect();
    if short.len() < text.trim().len() {
        short.push('…');
    }
    short.replace('`', "'")
}

/// What an answer means: an SPDX expression.
///
/// # Errors
/// A sentence, where it is none, or nixpkgs has no name for it.
pub fn answer(text: &str) -> Result<License, String> {
    license_of_expression(text.trim()).ok_or_else(|| {
        format!(
            "`{}` is no SPDX expression of licences that nixpkgs has a name for",
            text.trim()
        )
    })
}

/// The licence's text in a source.
pub fn text(files: &dyn Files) -> Option<Text> {
    let names = files.list("");
    let is_licence = |name: &&String| {
        let lower = name.to_ascii_lowercase();
        ["license", "licence", "copying"]
            .iter()
            .any(|stem| lower.starts_with(stem))
    };
    let file = names
        .iter()
        .find(is_licence)
        .filter(|name| files.is_file(name))?;
    let bytes = files.read(file).ok()?;
    let bytes = bytes.get(..bytes.len().min(MAX_TEXT))?;
    let whole = String::from_utf8_lossy(bytes);
    let lines = whole
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    let printable = |line: &str| line.chars().filter(|c| !c.is_control()).take(100).collect();
    Some(Text {
        file: file.clone(),
        beginning: lines.take(6).map(printable).collect(),
        reads_like: reads_like(&whole),
    })
}

/// The licence of which a text has the sentences that set it apart.
fn reads_like(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").to_lowercase();
    let has = |part: &str| text.contains(part);
    if has("redistribution and use in source and binary forms") {
        if has("all advertising materials") {
            return None;
        }
        return Some(
            if has("neither the name") || has("may not be used to endorse") {
                "BSD-3-Clause"
            } else {
                "BSD-2-Clause"
            },
        );
    }
    if has("permission is hereby granted, free of charge") && has("the software is provided") {
        return Some("MIT");
    }
    if has("apache license") && has("version 2.0, january 2004") {
        return Some("Apache-2.0");
    }
    if has("permission to use, copy, modify, and/or distribute this software") {
        return Some("ISC");
    }
    if has("mozilla public license version 2.0") {
        return Some("MPL-2.0");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Archive;

    #[test]
    fn what_is_said_is_told_in_one_line() {
        let about = About {
            license: Some("BSD\nand more".to_owned()),
            license_classifiers: vec!["License :: OSI Approved :: BSD License".to_owned()],
            ..About::default()
        };
        let open = Open::new([&about, &about].into_iter());
        assert_eq!(
            open.because(),
            "the classifier says `BSD License`, License says `BSD…`, which is not certain"
        );
        assert_eq!(
            Open::new(std::iter::empty()).because(),
            "the metadata does not name it"
        );
    }

    #[test]
    fn answers_are_expressions() {
        assert_eq!(
            answer(" BSD-3-Clause "),
            Ok(License::One("bsd3".to_owned()))
        );
        assert!(answer("BSD").is_err());
        assert!(answer("").is_err());
    }

    #[test]
    fn texts_are_offered_not_taken() {
        let bsd =
            "Copyright\n\nRedistribution and use in source and\nbinary forms, with or without";
        let files = [("LICENSE.txt", bsd.as_bytes()), ("x.py", b"".as_slice())];
        let archive = Archive::from_files("a", files).unwrap();
        let read = text(&archive);
        let read = read.unwrap_or_else(|| panic!("{:?}", archive.list("")));
        assert_eq!(read.reads_like, Some("BSD-2-Clause"));
        assert_eq!(read.beginning[0], "Copyright");
        assert_eq!(reads_like("All rights reserved"), None);
    }
}
