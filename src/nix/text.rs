//! What needs quoting or escaping: strings of both kinds, identifiers, comments, shell words.
//!
//! Everything from outside (names, versions, summaries, addresses) enters Nix text through these
//! functions and no other way. The rules are those of Nix 2.8 and later; `lib.strings.escapeNixString`
//! and `escapeNixIdentifier` are nixpkgs' own forms of the first two.

use std::borrow::Cow;

/// A string literal that evaluates to `text`. Nix strings cannot hold NUL: U+FFFD stands for it.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if rest.peek() == Some(&'{') => out.push_str("\\$"),
            '\0' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One line of an indented string (`''…''`), without its indentation.
pub fn indented_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' if rest.peek() == Some(&'\'') => {
                rest.next();
                out.push_str("'''");
            }
            // Before an escape, which starts with two quotes itself.
            '\'' if rest
                .peek()
                .is_some_and(|c| matches!(c, '$' | '\r' | '\t' | '\n')) =>
            {
                out.push_str("''\\'");
            }
            '$' if rest.peek() == Some(&'{') => out.push_str("''$"),
            '\r' => out.push_str("''\\r"),
            '\t' => out.push_str("''\\t"),
            '\n' => out.push_str("''\\n"),
            '\0' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// Words that are no identifiers. `or` is none everywhere.
const KEYWORDS: [&str; 10] = [
    "assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with",
];

/// Whether a name can stand in an attribute path without quotes.
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'-'))
        && !KEYWORDS.contains(&name)
}

/// An attribute's name in a path: bare where it can be, else quoted.
pub fn attribute(name: &str) -> Cow<'_, str> {
    if is_identifier(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(string(name))
    }
}

/// A text made safe for a `#` comment: one line without control or direction characters.
pub fn comment(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control() || is_direction(c))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Characters that change the direction or the lines in which a text is shown.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A word of a shell command that stands for `text`, as `lib.escapeShellArg` makes it.
pub fn shell_word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./+=:,@%".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) && !text.starts_with('=') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rnix::ast::{self, InterpolPart};
    use rowan::ast::AstNode as _;

    use super::*;

    /// What rnix reads a literal as; none where it is anything but one plain string.
    fn read(literal: &str) -> Option<String> {
        let parsed = rnix::Root::parse(literal);
        if !parsed.errors().is_empty() {
            return None;
        }
        let expr = parsed.tree().expr()?;
        let node = ast::Str::cast(expr.syntax().clone())?;
        let mut text = String::new();
        for part in node.normalized_parts() {
            match part {
                InterpolPart::Literal(literal) => text.push_str(&literal),
                InterpolPart::Interpolation(_) => return None,
            }
        }
        Some(text)
    }

    const HOSTILE: [&str; 14] = [
        "${builtins.readFile /etc/passwd}",
        "$${x}",
        "$$${x}",
        "a$",
        "''",
        "'''${x}",
        "*/ x /*",
        "a\r\nb",
        "\"; x = \"",
        "\\${x}",
        "\\\\${x}\\",
        "\t",
        "{ $ { }",
        "ends with '",
    ];

    #[test]
    fn hostile_strings_stay_strings() {
        for text in HOSTILE {
            assert_eq!(read(&string(text)).as_deref(), Some(text), "{text:?}");
        }
        assert_eq!(read(&string("a\0b")).as_deref(), Some("a\u{FFFD}b"));
    }

    #[test]
    fn indented_lines_stay_lines() {
        for text in HOSTILE {
            let literal = format!("''\n  first\n  {}\n''", indented_line(text));
            let expected = format!("first\n{text}\n");
            assert_eq!(
                read(&literal).as_deref(),
                Some(expected.as_str()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn identifiers() {
        for bare in ["a", "_2to3", "foo-bar", "x'", "true"] {
            assert_eq!(attribute(bare), bare);
        }
        for quoted in ["2to3", "zope.interface", "or", "with", "", "a b", "é"] {
            assert_eq!(attribute(quoted), string(quoted));
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(comment("a\rb\nc\u{2028}d\u{85}e\0f"), "a b c d e f");
        assert_eq!(comment("needs \u{202E}>=1"), "needs >=1");
    }

    #[test]
    fn shell_words() {
        assert_eq!(shell_word("README.rst"), "README.rst");
        assert_eq!(shell_word("a'b; rm x"), "'a'\\''b; rm x'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
    }

    proptest! {
        #[test]
        fn any_string_reads_back(text in "[^\0]*") {
            prop_assert_eq!(read(&string(&text)), Some(text));
        }

        #[test]
        fn any_dollar_soup_reads_back(text in "[${}'\"\\\\ a]{0,12}") {
            prop_assert_eq!(read(&string(&text)), Some(text.clone()));
            let literal = format!("''\n  x\n  {}\n''", indented_line(&text));
            if !text.trim().is_empty() {
                prop_assert_eq!(read(&literal), Some(format!("x\n{text}\n")));
            }
        }

        #[test]
        fn any_attribute_reads_back(name in "\\PC{0,12}") {
            let set = format!("{{ {} = 1; }}", attribute(&name));
            prop_assert!(rnix::Root::parse(&set).errors().is_empty(), "{}", set);
        }

        #[test]
        fn no_comment_ends_early(text in any::<String>()) {
            let commented = format!("# {}\n1", comment(&text));
            let parsed = rnix::Root::parse(&commented);
            prop_assert!(parsed.errors().is_empty());
            prop_assert_eq!(commented.lines().count(), 2);
        }
    }
}
