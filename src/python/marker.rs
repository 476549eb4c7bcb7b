//! The one text of a marker.
//!
//! The marker library keeps equal versions once: whichever of `3` and `3.0` a process meets first is
//! what it prints for both from then on. Texts that are written down must not depend on the order in
//! which an index answers, so versions are printed without trailing zeros.

use std::str::FromStr as _;

use super::{MarkerTree, Version};

/// The variables that are compared as versions (PEP 508).
const VERSIONS: [&str; 3] = [
    "python_version",
    "python_full_version",
    "implementation_version",
];

/// The marker as PEP 508 text, the same for the same marker in every process; none where it always
/// holds.
pub fn text(marker: &MarkerTree) -> Option<String> {
    let written = marker.try_to_string()?;
    if !VERSIONS.iter().any(|variable| written.contains(variable)) {
        return Some(written);
    }
    let mut canonical = String::with_capacity(written.len());
    let mut rest = written.as_str();
    while let Some((before, value, after)) = next_quoted(rest) {
        canonical.push_str(before);
        let variable = before.trim_end_matches(['\'', '<', '>', '=', '!', '~', ' ']);
        let is_version = VERSIONS.iter().any(|name| variable.ends_with(name));
        match is_version.then(|| without_trailing_zeros(value)).flatten() {
            Some(version) => canonical.push_str(&version),
            None => canonical.push_str(value),
        }
        canonical.push('\'');
        rest = after;
    }
    canonical.push_str(rest);
    Some(canonical)
}

/// Splits at the next quoted value: what stands up to and with its opening quote, the value, and
/// what follows its closing quote. The library quotes with `'` and, where a value has one, with `"`.
fn next_quoted(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('\'')? + 1;
    let close = open + text[open..].find('\'')?;
    Some((&text[..open], &text[open..close], &text[close + 1..]))
}

fn without_trailing_zeros(version: &str) -> Option<String> {
    let version = Version::from_str(version).ok()?;
    let release = version.release();
    let kept = release.iter().rposition(|part| *part != 0).unwrap_or(0) + 1;
    let release: Vec<u64> = release.iter().take(kept).copied().collect();
    Some(version.with_release(release).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(marker: &str) -> String {
        text(&MarkerTree::from_str(marker).unwrap()).unwrap()
    }

    #[test]
    fn equal_versions_have_one_text() {
        let first = text_of("python_version < '4.0' and extra == 'one'");
        let second = text_of("python_version < '4' and extra == 'one'");
        assert_eq!(first, second);
        assert_eq!(first, "python_full_version < '4' and extra == 'one'");
        assert_eq!(
            text_of("python_version >= '3.10'"),
            "python_full_version >= '3.10'"
        );
    }

    #[test]
    fn other_values_stay() {
        let marker = "platform_release == '5.0' and sys_platform == 'linux'";
        assert_eq!(text_of(marker), marker);
        assert_eq!(text(&MarkerTree::TRUE), None);
    }
}
