//! Requirements as old metadata has them: repaired where the meaning is plain, and each repair told.
//!
//! The user's own files are read strictly instead, with [`Requirement::parse`].

use super::requirement::{Requirement, RequirementError, checked_parse};
use super::specifier;

/// A requirement from somebody else's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lenient {
    /// The requirement.
    pub requirement: Requirement,
    /// The text as it was understood, where it is not valid PEP 508 as it stands.
    pub repaired: Option<String>,
}

impl Requirement {
    /// Reads a requirement of old metadata, with repairs (`foo>=1.*`, `foo>=1,`, `foo (>dev)`).
    ///
    /// # Errors
    /// When no repair makes sense of it; the error is that of the strict reading.
    pub fn parse_lenient(text: &str) -> Result<Lenient, RequirementError> {
        let first = match Self::parse(text) {
            Ok(requirement) => {
                return Ok(Lenient {
                    requirement,
                    repaired: None,
                });
            }
            Err(e) => e,
        };
        let Some(repaired) = repair(text) else {
            return Err(first);
        };
        // A comparison that means nothing (`python_version == 'dev'`) is left out of the marker: the
        // requirement is then needed more often than its author meant, never less.
        let (requirement, ignored) = checked_parse(&repaired).map_err(|_| first)?;
        let repaired = if ignored.is_some() {
            requirement.to_string()
        } else {
            repaired
        };
        Ok(Lenient {
            requirement,
            repaired: Some(repaired),
        })
    }
}

fn repair(text: &str) -> Option<String> {
    let text = text.split(" #").next().unwrap_or_default();
    let text =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';'));
    // Quotes were cut from the end of a marker as well; an odd number says that one is due.
    let (head, marker) = match text.split_once(';') {
        Some((head, marker)) => (head, Some(marker)),
        None => (text, None),
    };
    let head = if head.contains('@') {
        head.trim().to_owned()
    } else {
        repair_head(head.trim())?
    };
    match marker.map(repair_marker) {
        None => Some(head),
        Some(Some(marker)) if marker.is_empty() => Some(head),
        Some(Some(marker)) if head.contains('@') => Some(format!("{head} ; {marker}")),
        Some(Some(marker)) => Some(format!("{head}; {marker}")),
        Some(None) => None,
    }
}

/// Name, extras and specifiers.
fn repair_head(head: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let end = head.find(|c| !is_name(c)).unwrap_or(head.len());
    let (name, rest) = head.split_at(end);
    let rest = rest.trim_start();
    let (extras, rest) = match rest.strip_prefix('[') {
        Some(inner) => {
            let (extras, rest) = inner.split_once(']')?;
            let extras: Vec<_> = extras
                .split(',')
                .map(|e| e.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')))
                .filter(|e| !e.is_empty())
                .collect();
            (format!("[{}]", extras.join(",")), rest)
        }
        None => (String::new(), rest),
    };
    let specifiers = specifier::repair(rest)?;
    Some(format!("{name}{extras}{specifiers}"))
}

/// Tokens of a marker set apart by one space, bare values quoted, lists of versions without commas.
fn repair_marker(marker: &str) -> Option<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = marker.trim_matches(|c: char| c.is_whitespace() || c == ',' || c == ';');
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => {
                let body = rest.get(1..)?;
                let end = body.find(first).unwrap_or(body.len());
                let value = body.get(..end)?;
                tokens.push(quoted(value, tokens.last().map_or("", String::as_str)));
                (end + 2).min(rest.len())
            }
            '(' | ')' => {
                tokens.push(first.to_string());
                1
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest
                    .find(|c| !matches!(c, '<' | '>' | '=' | '!' | '~'))
                    .unwrap_or(rest.len());
                tokens.push(match rest.get(..end)? {
                    "=" | "===" => "==".to_owned(),
                    "=>" => ">=".to_owned(),
                    "=<" => "<=".to_owned(),
                    "<>" => "!=".to_owned(),
                    other => other.to_owned(),
                });
                end
            }
            c if c.is_whitespace() => c.len_utf8(),
            _ => {
                let stops = |c: char| {
                    c.is_whitespace()
                        || matches!(c, '(' | ')' | '<' | '>' | '=' | '!' | '~' | '\'' | '"')
                };
                let end = rest.find(stops).unwrap_or(rest.len());
                let word = rest.get(..end)?;
                let is_value = word.starts_with(|c: char| c.is_ascii_digit());
                tokens.push(if is_value {
                    quoted(word, "")
                } else {
                    word.to_owned()
                });
                end
            }
        };
        rest = rest.get(end..)?;
    }
    while matches!(tokens.last().map(String::as_str), Some("and" | "or")) {
        tokens.pop();
    }
    let mut text = String::new();
    for token in tokens {
        if !(text.is_empty() || text.ends_with('(') || token == ")") {
            text.push(' ');
        }
        text.push_str(&token);
    }
    Some(text)
}

fn quoted(value: &str, before: &str) -> String {
    let value = value.trim();
    let value = if before == "in" && value.contains(',') {
        value
            .split(',')
            .map(|v| v.trim().trim_matches('\''))
            .collect::<Vec<_>>()
            .join(" ")
    } else {
        value.trim_matches('\'').to_owned()
    };
    if value.contains('"') {
        format!("'{value}'")
    } else {
        format!("\"{value}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, bool)> {
        Requirement::parse_lenient(text)
            .ok()
            .map(|l| (l.requirement.to_string(), l.repaired.is_some()))
    }

    #[test]
    fn requirements_of_the_wild() {
        for (written, understood) in [
            ("pytz>dev", "pytz>0.dev0"),
            ("pytz (>dev)", "pytz>0.dev0"),
            ("foo>=1.0<2.0", "foo>=1.0,<2.0"),
            ("foo (>=2.7.*,!=3.0*)", "foo>=2.7,!=3.0.*"),
            ("foo>=1.0,", "foo>=1.0"),
            ("\"foo>=1.0\"", "foo>=1.0"),
            ("foo>=1.0;", "foo>=1.0"),
            ("foo[bar,]>=1.0", "foo[bar]>=1.0"),
            ("foo 1.0", "foo==1.0"),
            (
                "foo; python_version>'3'and(extra=='x')",
                "foo; python_version > '3' and extra == 'x'",
            ),
            (
                "foo ; python_version in '2.6, 2.7'",
                "foo; python_version in '2.6 2.7'",
            ),
            ("foo; python_version < 3", "foo; python_version < '3'"),
            (
                "foo; (sys_platform=='win32')and(extra=='x')",
                "foo; sys_platform == 'win32' and extra == 'x'",
            ),
        ] {
            let (text, repaired) = read(written).unwrap_or_else(|| panic!("{written}"));
            assert!(repaired, "{written}");
            let want = Requirement::parse(understood).unwrap();
            assert_eq!(text, want.to_string(), "{written}");
        }
    }

    #[test]
    fn markers_without_spaces_are_valid() {
        let (text, repaired) = read("foo;python_version>'3'").unwrap();
        assert!(!repaired);
        assert_eq!(
            text,
            Requirement::parse("foo; python_version > '3'")
                .unwrap()
                .to_string()
        );
    }

    #[test]
    fn a_meaningless_comparison_is_left_out_and_told() {
        let lenient =
            Requirement::parse_lenient("foo; python_version == 'dev' and extra == 'x'").unwrap();
        assert_eq!(lenient.repaired.as_deref(), Some("foo; extra == 'x'"));
        assert!(Requirement::parse("foo; python_version == 'dev'").is_err());
    }

    #[test]
    fn nonsense_stays_an_error() {
        for text in [
            "",
            "-",
            "foo bar baz",
            "foo-[x]",
            "foo[a-]",
            "[x]",
            "foo==banana",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;
    use crate::python::{Metadata, specifier};
    use proptest::prelude::*;

    /// Texts made of what requirements are made of.
    fn requirement_like() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "foo",
            "-",
            "_",
            ".",
            "[",
            "]",
            ",",
            "(",
            ")",
            ">=",
            "<",
            "==",
            "~=",
            "!=",
            "===",
            "1.0",
            "*",
            "2016d",
            "@",
            "https://h.test/x",
            "git+ssh://",
            ";",
            " ",
            "'",
            "\"",
            "and",
            "or",
            "not",
            "in",
            "extra",
            "python_version",
            "sys_platform",
            "3",
            "é",
            "\u{0}",
            "\n",
            "#",
            "${HOME}",
            "\\",
            "dev",
            "+local",
            "!",
            "1!2",
        ]);
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn requirements_never_panic(text in requirement_like()) {
            if let Ok(lenient) = Requirement::parse_lenient(&text) {
                // What was read can be written and read again.
                let written = lenient.requirement.to_string();
                let again = Requirement::parse(&written);
                prop_assert!(again.is_ok(), "{text:?} became {written:?}: {again:?}");
            }
            let _ = specifier::parse_lenient(&text);
        }

        #[test]
        fn metadata_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), lines in prop::collection::vec(requirement_like(), 0..6)) {
            let _ = Metadata::parse(&bytes);
            let mut text = b"Name: a\nVersion: 1\n".to_vec();
            for line in lines {
                text.extend_from_slice(b"Requires-Dist: ");
                text.extend_from_slice(line.as_bytes());
                text.push(b'\n');
            }
            text.extend_from_slice(&bytes);
            let _ = Metadata::parse(&text);
        }
    }
}
