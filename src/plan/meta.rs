//! The description, addresses and licence of an entry, in nixpkgs' style.

use super::derivation::{Meta, Source};
use super::license::license;
use crate::python::About;
use crate::resolve::Pin;

/// What a project says of itself, as nixpkgs would write it.
pub fn of_project(about: &About, name: &str) -> Meta {
    let sources = ["homepage", "source", "repository", "sourcecode", "github"];
    let summary = about.summary.as_deref();
    Meta {
        description: summary.and_then(|summary| description(summary, name)),
        homepage: labelled(about, &sources).or_else(|| web(about.home_page.as_deref()?)),
        changelog: changelog(about),
        license: license(about),
        ..Meta::default()
    }
}

/// The metadata of a release as nixpkgs would write it. Of the source's own description and the
/// release's, the first that says something counts.
pub(super) fn meta(pin: &Pin, source_about: Option<&About>, source: &Source) -> Meta {
    let abouts = [Some(&pin.metadata.about), source_about];
    let first =
        |ask: &dyn Fn(&About) -> Option<String>| abouts.iter().flatten().find_map(|a| ask(a));
    let sources = ["homepage", "source", "repository", "sourcecode", "github"];
    let (binary, platforms) = match source {
        Source::Wheels(wheels) => (true, wheels.keys().copied().collect()),
        Source::Sdist(_) | Source::Wheel(_) => (false, Vec::new()),
    };
    Meta {
        description: first(&|about| description(about.summary.as_deref()?, pin.name.as_ref())),
        homepage: first(&|about| {
            labelled(about, &sources).or_else(|| web(about.home_page.as_deref()?))
        }),
        changelog: first(&changelog),
        license: abouts.iter().flatten().find_map(|about| license(about)),
        binary,
        platforms,
    }
}

/// Where a release says what is new.
pub fn changelog(about: &About) -> Option<String> {
    let labels = [
        "changelog",
        "changes",
        "releasenotes",
        "whatsnew",
        "history",
    ];
    labelled(about, &labels)
}

/// The address under the first of these labels that there is. Labels are compared as the well-known
/// project URLs specification says: letters and digits in lower case.
fn labelled(about: &About, labels: &[&str]) -> Option<String> {
    labels.iter().find_map(|label| {
        let (_, address) = about.urls.iter().find(|(own, _)| {
            let letters = own.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|c| c.to_ascii_lowercase()).eq(label.chars())
        })?;
        web(address)
    })
}

fn web(address: &str) -> Option<String> {
    let address = address.trim();
    let url = url::Url::parse(address).ok()?;
    let plain = !address.chars().any(|c| c.is_control() || c.is_whitespace());
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain)
        .then(|| address.to_owned())
}

/// Emoji and the like, which descriptions in nixpkgs go without.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}' | '\u{2600}'..='\u{27BF}' | '\u{FE0F}' | '\u{200D}')
}

/// One line, no article and no full stop, capital first, the project's name not in front.
fn description(summary: &str, name: &str) -> Option<String> {
    let words: Vec<&str> = summary
        .split(|c: char| c.is_whitespace() || c.is_control() || is_picture(c))
        .filter(|word| !word.is_empty())
        .collect();
    let mut text = words.join(" ");
    if let Some((first, rest)) = text.split_once([' ', ':'])
        && first.trim_end_matches(':').eq_ignore_ascii_case(name)
    {
        let rest = rest.trim_start_matches([':', '-', '–', '—', ' ']);
        let rest = rest.strip_prefix("is ").unwrap_or(rest);
        text = rest.to_owned();
    }
    for article in ["A ", "An ", "The ", "a ", "an ", "the "] {
        if let Some(rest) = text.strip_prefix(article) {
            text = rest.to_owned();
            break;
        }
    }
    let text = first_sentence(text.trim())
        .trim_end_matches(['.', '!', '?', ',', ';', ':'])
        .trim_end();
    let mut chars = text.chars();
    let first = chars.next()?;
    // A word like iPhone or an identifier like foo.bar keeps its spelling.
    let word = text.split(' ').next().unwrap_or_default();
    let word = word.trim_end_matches([',', ';', ':']);
    let identifier = word.contains(['.', '_', '/', '(', '=', '@']);
    let text = if !identifier && !word.chars().any(char::is_uppercase) {
        first.to_uppercase().chain(chars).collect()
    } else {
        text.to_owned()
    };
    Some(text)
}

/// A text up to the full stop that ends its first sentence. A short word before it is an abbreviation.
fn first_sentence(text: &str) -> &str {
    let ends = text.match_indices(". ").find(|(at, _)| {
        let before = text.get(..*at).unwrap_or("");
        let word = before.rsplit([' ', '(']).next().unwrap_or("");
        let next = text.get(at + 2..).and_then(|rest| rest.chars().next());
        word.len() > 3 && !word.contains('.') && next.is_some_and(char::is_uppercase)
    });
    ends.map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_become_descriptions() {
        let of = |summary: &str| description(summary, "demo").unwrap();
        assert_eq!(
            of("A client for the demo service."),
            "Client for the demo service"
        );
        assert_eq!(of("demo: fast things"), "Fast things");
        assert_eq!(of("Demo is a parser\nof ${things}"), "Parser of ${things}");
        assert_eq!(of("The fuss"), "Fuss");
        assert_eq!(of("asyncio, but faster."), "Asyncio, but faster");
        assert_eq!(of("python3 things"), "Python3 things");
        assert_eq!(of("iPhone things!"), "iPhone things");
        assert_eq!(of("zope.interface for all"), "zope.interface for all");
        assert_eq!(of("the parser. It parses."), "Parser");
        assert_eq!(of("Tools, e.g. Hammers"), "Tools, e.g. Hammers");
        assert_eq!(of("🧰 Box of handy tools ✨"), "Box of handy tools");
        assert_eq!(description(" . ", "demo"), None);
    }

    #[test]
    fn only_web_addresses_are_kept() {
        assert_eq!(web("UNKNOWN"), None);
        assert_eq!(web("javascript:alert(1)"), None);
        assert_eq!(
            web(" https://example.test/x "),
            Some("https://example.test/x".into())
        );
    }
}
