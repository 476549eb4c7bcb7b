//! What text must become in HTML. Everything on the page that is not ours goes through here.

use std::fmt::Write as _;

/// Text between tags or in a double-quoted attribute. Characters that would reorder or hide others
/// (Trojan Source, CVE-2021-42574) are shown by their numbers.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if is_hidden(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Control characters, those that change the direction of text, and those without a width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A link, where the address is one for the web; else only its text.
pub(super) fn link(address: &str, text: &str) -> String {
    let is_web = url::Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_web {
        format!(
            "<a class=\"out\" rel=\"noreferrer noopener\" href=\"{}\">{}</a>",
            escape(address),
            escape(text)
        )
    } else {
        format!("<bdi>{}</bdi>", escape(address))
    }
}

/// Fills the places `{{name}}` of a template. What is filled in is not searched again.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        let value = values.iter().find(|(own, _)| *own == name);
        out.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_markup_and_nothing_reorders_the_text() {
        assert_eq!(
            escape("</script><b title=\"x\" y='z'>&amp;"),
            "&lt;/script&gt;&lt;b title=&quot;x&quot; y=&#39;z&#39;&gt;&amp;amp;"
        );
        assert_eq!(
            escape("a\u{202e}b\u{0}c\u{200b}"),
            "a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩"
        );
        assert_eq!(escape("line\nline"), "line line");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(
            link("https://a.test/\"><i>", "page")
                .contains("href=\"https://a.test/&quot;&gt;&lt;i&gt;\"")
        );
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//a.test",
            "file:///x",
        ] {
            assert!(!link(address, "page").contains("href"), "{address}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(
            fill("<{{a}}|{{b}}>", &[("a", "{{b}}"), ("b", "1")]),
            "<{{b}}|1>"
        );
    }
}
