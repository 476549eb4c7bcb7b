//! Version specifiers (PEP 440), read leniently where old metadata needs it.
//!
//! Nothing is guessed silently: every lenient reading returns the text as it was understood. The
//! user's own files are read strictly, with [`VersionSpecifiers`]' own parser.

use std::str::FromStr;

use pep440_rs::VersionSpecifier;

use super::VersionSpecifiers;

/// Why a text is not a list of version specifiers, even leniently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version specifier: {reason}")]
pub struct SpecifierError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// More than any sensible list of specifiers.
const MAX_LENGTH: usize = 16 << 10;

/// Reads specifiers strictly.
///
/// # Errors
/// When the text is not PEP 440.
pub fn parse(text: &str) -> Result<VersionSpecifiers, SpecifierError> {
    let fail = |reason: String| SpecifierError {
        text: text.to_owned(),
        reason,
    };
    if text.len() > MAX_LENGTH {
        return Err(fail("it is too long".to_owned()));
    }
    VersionSpecifiers::from_str(text).map_err(|e| {
        let reason = e.to_string();
        let first = reason.lines().next().unwrap_or_default();
        fail(first.to_owned())
    })
}

/// Reads specifiers as old metadata has them (`>=2.7.*`, `>=3.6,`, `!=3.0*`). The second value is
/// the repaired text, where a repair was needed.
///
/// # Errors
/// When no repair makes sense of it.
pub fn parse_lenient(text: &str) -> Result<(VersionSpecifiers, Option<String>), SpecifierError> {
    let first = match parse(text) {
        Ok(specifiers) => return Ok((specifiers, None)),
        Err(e) => e,
    };
    let repaired = repair(text).ok_or(first)?;
    let specifiers = parse(&repaired)?;
    Ok((specifiers, Some(repaired)))
}

/// The specifiers of a text, each made valid; none where one makes no sense.
pub(super) fn repair(text: &str) -> Option<String> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
    let is_noise =
        |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '`' | ';' | '(' | ')');
    let mut rest = text.trim_matches(is_noise);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
        let (operator, after) = rest.split_at(end);
        let after = after.trim_start_matches(is_noise);
        let end = after
            .find(|c: char| is_operator(c) || is_noise(c))
            .unwrap_or(after.len());
        let (version, after) = after.split_at(end);
        if let Some(part) = repair_one(operator, version)? {
            parts.push(part);
        }
        rest = after.trim_start_matches(is_noise);
    }
    Some(parts.join(","))
}

/// One operator and one version, made valid. `Some(None)` where it excludes nothing that exists.
#[expect(
    clippy::option_option,
    reason = "nothing to say differs from no sense at all"
)]
fn repair_one(operator: &str, version: &str) -> Option<Option<String>> {
    let valid = |operator: &str, version: &str| {
        let text = format!("{operator}{version}");
        VersionSpecifier::from_str(&text)
            .is_ok()
            .then_some(Some(text))
    };
    let operator = match operator {
        "" | "=" => "==",
        "=>" => ">=",
        "=<" => "<=",
        "<>" => "!=",
        "~" | "~>" => "~=",
        "!=~" | "!~" | "!~=" => "!=~",
        other => other,
    };
    if let Some(done) = valid(operator, version) {
        return Some(done);
    }
    let version = version.trim_matches(|c: char| matches!(c, '.' | '-' | '_' | ':'));
    let (base, star) = match version.find('*') {
        Some(at) => (version.get(..at)?.trim_end_matches('.'), true),
        None => (version, false),
    };
    if base.is_empty() {
        // `>=*`, `==*` and a lone `*` admit everything; `>dev` is written without a number.
        return (star && matches!(operator, ">=" | "==" | "<=")).then_some(None);
    }
    let fixed = match (operator, star) {
        ("!=~", _) => valid("!=", &format!("{base}.*")),
        ("==" | "!=", true) => valid(operator, &format!("{base}.*")),
        ("~=", true) => valid("==", &format!("{base}.*")),
        ("<=", true) => valid("<", &next_of(base)?),
        (_, true) => valid(operator, base),
        ("~=", false) => valid(operator, base).or_else(|| valid(operator, &format!("{base}.0"))),
        (">" | ">=", false) if base == "dev" => valid(operator, "0.dev0"),
        (_, false) => valid(operator, base),
    };
    if fixed.is_some() {
        return fixed;
    }
    // Local parts and letters that PEP 440 does not know, where only the order matters: `>=2016d`.
    let digits = base
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .and_then(|at| base.get(..at))
        .map(|b| b.trim_end_matches('.'));
    match operator {
        ">" | ">=" => digits
            .filter(|d| !d.is_empty())
            .and_then(|d| valid(">=", d)),
        // No version of today's index is spelled like that, so nothing is excluded.
        "!=" => digits.is_some().then_some(None),
        _ => None,
    }
}

/// `2.8` of `2.7`: the first version beyond a prefix.
fn next_of(base: &str) -> Option<String> {
    let (head, last) = base
        .rsplit_once('.')
        .map_or((None, base), |(h, l)| (Some(h), l));
    let next = last.parse::<u64>().ok()?.checked_add(1)?;
    Some(head.map_or(next.to_string(), |head| format!("{head}.{next}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let (specifiers, repaired) = parse_lenient(text).ok()?;
        assert_eq!(
            repaired.is_none(),
            VersionSpecifiers::from_str(text).is_ok()
        );
        Some(
            specifiers
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        )
    }

    #[test]
    fn specifiers_of_the_wild() {
        for (written, understood) in [
            (">=2.7.*", ">=2.7"),
            (">=3.6,", ">=3.6"),
            ("!=3.0*", "!=3.0.*"),
            (">dev", ">0.dev0"),
            (">=1.0<2.0", ">=1.0, <2.0"),
            (">=1.9 <2", ">=1.9, <2"),
            ("\">=3.6\"", ">=3.6"),
            (">='3.5'", ">=3.5"),
            (">=2.7,!=3.0.*,!=3.1.*,<4.*", ">=2.7, !=3.0.*, !=3.1.*, <4"),
            ("!=~5.0", "!=5.0.*"),
            ("<=2.7.*", "<2.8"),
            ("~=1.4.*", "==1.4.*"),
            ("~=2", "~=2.0"),
            ("=>1.0", ">=1.0"),
            ("=1.0", "==1.0"),
            (">=2016d", ">=2016"),
            (">=1.0.0+abc", ">=1.0.0"),
            (">=3.6.", ">=3.6"),
            ("==2.*.*", "==2.*"),
            ("*", ""),
            ("1.0", "==1.0"),
            ("", ""),
        ] {
            assert_eq!(read(written).as_deref(), Some(understood), "{written}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        for text in ["banana", "==2004d", "<banana", ">= ,banana", "@@"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
