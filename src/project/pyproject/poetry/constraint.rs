//! Poetry's constraints (`^1.2`, `~1.2`, `1.*`, `>=1,<2`, `1 || 2`) as PEP 440 and as markers.

use std::str::FromStr;

use crate::python::Version;

/// One bound or exclusion: PEP 440 operator and version.
type Clause = (&'static str, String);

/// PEP 440 specifiers; none where there is no such constraint, or PEP 440 cannot express it.
pub(super) fn specifiers(text: &str) -> Option<String> {
    let mut alternatives = union(text)?;
    let clauses = match alternatives.len() {
        1 => alternatives.pop()?,
        _ => return None,
    };
    Some(join(&clauses))
}

/// `Requires-Python`. A union leaves out, minor by minor, what lies between its parts.
pub(super) fn python(text: &str) -> Option<String> {
    let alternatives = union(text)?;
    if let [clauses] = alternatives.as_slice() {
        return Some(join(clauses));
    }
    python_union(&alternatives)
}

/// The marker for a dependency's own `python`.
pub(super) fn python_marker(text: &str) -> Option<String> {
    let alternatives: Vec<String> = union(text)?
        .iter()
        .map(|clauses| {
            let clauses = clauses.iter().map(|(operator, version)| {
                let digits = version.trim_end_matches(".*");
                // A marker on the minor version says nothing of patch releases.
                let variable = if digits.matches('.').count() > 1 {
                    "python_full_version"
                } else {
                    "python_version"
                };
                let version = if digits.contains('.') || version.ends_with(".*") {
                    version.clone()
                } else {
                    format!("{version}.0")
                };
                format!("{variable} {operator} \"{version}\"")
            });
            clauses.collect::<Vec<_>>().join(" and ")
        })
        .collect();
    match alternatives.as_slice() {
        [one] => Some(one.clone()),
        several if several.iter().any(String::is_empty) => Some(String::new()),
        several => Some(several.join(" or ")),
    }
}

/// The marker for a dependency's `platform`.
pub(super) fn platform(text: &str) -> String {
    let parts: Vec<_> = text
        .split("||")
        .map(str::trim)
        .map(|part| match part.strip_prefix('!') {
            Some(other) => format!(
                "sys_platform != \"{}\"",
                other.trim_start_matches('=').trim()
            ),
            None => format!(
                "sys_platform == \"{}\"",
                part.trim_start_matches('=').trim()
            ),
        })
        .collect();
    match parts.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" or ")),
    }
}

/// The alternatives of `1 || 2`, each a conjunction.
fn union(text: &str) -> Option<Vec<Vec<Clause>>> {
    text.split("||")
        .flat_map(|part| part.split('|'))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(conjunction)
        .collect::<Option<Vec<_>>>()
        .filter(|alternatives| !alternatives.is_empty())
}

fn conjunction(text: &str) -> Option<Vec<Clause>> {
    let mut clauses = Vec::new();
    let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~' | '^');
    let is_gap = |c: char| c.is_whitespace() || c == ',';
    let mut rest = text.trim_matches(is_gap);
    while !rest.is_empty() {
        let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
        let (operator, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after
            .find(|c: char| is_gap(c) || is_operator(c))
            .unwrap_or(after.len());
        let (version, after) = after.split_at(end);
        clauses.extend(clause(operator, version)?);
        rest = after.trim_start_matches(is_gap);
    }
    Some(clauses)
}

fn clause(operator: &str, version: &str) -> Option<Vec<Clause>> {
    let version = version.strip_prefix('v').unwrap_or(version);
    if matches!(version, "*" | "x" | "X") {
        return matches!(operator, "" | "==" | ">=" | "=").then(Vec::new);
    }
    let stem = version
        .strip_suffix(".*")
        .or_else(|| version.strip_suffix(".x"))
        .or_else(|| version.strip_suffix('*'));
    let parsed = Version::from_str(stem.unwrap_or(version)).ok()?;
    let plain = stem.unwrap_or(version).to_owned();
    Some(match (operator, stem) {
        ("" | "=" | "==", None) => vec![("==", plain)],
        ("" | "=" | "==", Some(_)) => vec![("==", format!("{plain}.*"))],
        ("!=" | "<>", None) => vec![("!=", plain)],
        ("!=" | "<>", Some(_)) => vec![("!=", format!("{plain}.*"))],
        ("^", _) => {
            let upper = caret(&parsed);
            vec![(">=", plain), ("<", upper)]
        }
        // `~1.2` goes to 1.3, `~1` to 2; `~=` is PEP 440's own.
        ("~", _) => {
            let keep = if parsed.release().len() > 1 { 2 } else { 1 };
            let upper = bumped(&parsed, keep - 1);
            vec![(">=", plain), ("<", upper)]
        }
        ("~=", None) => {
            let keep = parsed.release().len().checked_sub(2)?;
            vec![(">=", plain), ("<", bumped(&parsed, keep))]
        }
        (">=", _) => vec![(">=", plain)],
        ("<", _) => vec![("<", plain)],
        (">", None) => vec![(">", plain)],
        ("<=", None) => vec![("<=", plain)],
        _ => return None,
    })
}

/// The first version that `^` excludes: the leftmost part that is not zero goes up.
fn caret(version: &Version) -> String {
    let release = version.release();
    let significant = release.iter().position(|part| *part != 0);
    bumped(
        version,
        significant.unwrap_or(release.len().saturating_sub(1)),
    )
}

/// The version with one part gone up, and as many parts as it had.
fn bumped(version: &Version, index: usize) -> String {
    let release = version.release();
    let mut parts: Vec<u64> = release.iter().copied().take(index + 1).collect();
    parts.resize(index + 1, 0);
    if let Some(last) = parts.last_mut() {
        *last = last.saturating_add(1);
    }
    let length = release.len().max(2);
    if parts.len() < length {
        parts.resize(length, 0);
    }
    let parts: Vec<_> = parts.iter().map(u64::to_string).collect();
    parts.join(".")
}

fn join(clauses: &[Clause]) -> String {
    let parts: Vec<_> = clauses.iter().map(|(o, v)| format!("{o}{v}")).collect();
    parts.join(",")
}

/// The minor versions that poetry-core knows to exist, from 2.7 on.
const LAST_MINOR: u64 = 15;

/// As poetry-core writes a union (`format_python_constraint`): the first minor version that is
/// admitted, and each known one that is not; there is no upper bound.
fn python_union(alternatives: &[Vec<Clause>]) -> Option<String> {
    let sets: Vec<pep440_rs::VersionSpecifiers> = alternatives
        .iter()
        .map(|clauses| pep440_rs::VersionSpecifiers::from_str(&join(clauses)).ok())
        .collect::<Option<_>>()?;
    let minors = (0..=LAST_MINOR).map(|minor| Version::new([3, minor]));
    let known = std::iter::once(Version::new([2, 7])).chain(minors);
    let mut parts = Vec::new();
    let mut first = None;
    for version in known {
        // Any patch release counts.
        let admits = |patch: u64| {
            let [major, minor] = [version.release().first(), version.release().get(1)];
            let full = Version::new([*major.unwrap_or(&3), *minor.unwrap_or(&0), patch]);
            sets.iter().any(|set| set.contains(&full))
        };
        if admits(0) || admits(99) {
            first.get_or_insert(version);
        } else {
            parts.push(format!("!={version}.*"));
        }
    }
    parts.insert(0, format!(">={}", first?));
    Some(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_as_poetry_core_writes_them() {
        for (written, read) in [
            ("^1.2.3", ">=1.2.3,<2.0.0"),
            ("^1.2", ">=1.2,<2.0"),
            ("^1", ">=1,<2.0"),
            ("^0.2.3", ">=0.2.3,<0.3.0"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1.0"),
            ("^1.0a1", ">=1.0a1,<2.0"),
            ("~1.2.3", ">=1.2.3,<1.3.0"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2.0"),
            ("~=1.4.5", ">=1.4.5,<1.5.0"),
            ("*", ""),
            ("1.*", "==1.*"),
            ("1.2.3", "==1.2.3"),
            (">=1.0 <2.0", ">=1.0,<2.0"),
            (">= 1.0, != 1.5", ">=1.0,!=1.5"),
            ("^2.7,!=2.8", ">=2.7,<3.0,!=2.8"),
        ] {
            assert_eq!(specifiers(written).as_deref(), Some(read), "{written}");
        }
        for none in ["1 || 2", "banana", "^x", ""] {
            assert_eq!(specifiers(none), None, "{none}");
        }
    }

    #[test]
    fn pythons() {
        assert_eq!(python("^3.8").as_deref(), Some(">=3.8,<4.0"));
        assert_eq!(
            python("~2.7 || ^3.5").as_deref(),
            Some(">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*")
        );
        assert_eq!(
            python_marker("^3.7").as_deref(),
            Some("python_version >= \"3.7\" and python_version < \"4.0\"")
        );
        assert_eq!(
            python_marker(">=3.7.1").as_deref(),
            Some("python_full_version >= \"3.7.1\"")
        );
        assert_eq!(python_marker("*").as_deref(), Some(""));
    }
}
