//! Limits on markers: the library below keeps them as decision diagrams, which a hostile marker of
//! a few hundred characters could blow up beyond any memory.
//!
//! The bound is the number of conjunctions that the marker would have written out, which is an
//! upper bound of what an honest one costs: the longest that are known from the index stay far
//! below it.

/// Conjunctions in disjunctive form.
const MAX_TERMS: u64 = 512;
/// Comparisons in all.
const MAX_COMPARISONS: usize = 256;
/// Conjunctions with two or more variables that are true or false (`extra`, `in`): these do not
/// share nodes.
const MAX_MIXED: u64 = 24;

/// Why a marker is not read; none where it is fine, or no marker at all.
pub(super) fn excess(marker: &str) -> Option<&'static str> {
    let mut cost = Cost {
        rest: marker,
        comparisons: 0,
        depth: 0,
        has_text_like: false,
    };
    let sum = cost.alternatives();
    if cost.has_text_like {
        return Some("its marker compares a text with `~=`");
    }
    if cost.comparisons > MAX_COMPARISONS {
        return Some("its marker has too many comparisons");
    }
    (sum.terms > MAX_TERMS || sum.mixed > MAX_MIXED).then_some("its marker is too complex")
}

/// The size of a part of a marker in disjunctive form.
#[derive(Clone, Copy)]
struct Sum {
    terms: u64,
    /// Terms with exactly one boolean variable.
    single: u64,
    /// Terms with several.
    mixed: u64,
}

impl Sum {
    fn or(self, other: Self) -> Self {
        Self {
            terms: self.terms.saturating_add(other.terms),
            single: self.single.saturating_add(other.single),
            mixed: self.mixed.saturating_add(other.mixed),
        }
    }

    fn and(self, other: Self) -> Self {
        let plain = |s: Self| s.terms.saturating_sub(s.single).saturating_sub(s.mixed);
        let times = |a: u64, b: u64| a.saturating_mul(b);
        let single =
            times(self.single, plain(other)).saturating_add(times(plain(self), other.single));
        let terms = times(self.terms, other.terms);
        let unmixed = times(plain(self), plain(other)).saturating_add(single);
        Self {
            terms,
            single,
            mixed: terms.saturating_sub(unmixed),
        }
    }
}

struct Cost<'a> {
    rest: &'a str,
    comparisons: usize,
    depth: usize,
    /// Whether `~=` stands between a quoted text and a variable that is no version: the library
    /// refuses that only the other way round, and panics on this one.
    has_text_like: bool,
}

impl<'a> Cost<'a> {
    /// `a and b or c` up to a closing parenthesis.
    fn alternatives(&mut self) -> Sum {
        let mut sum = self.conjunction();
        while self.eat("or") {
            sum = sum.or(self.conjunction());
        }
        sum
    }

    fn conjunction(&mut self) -> Sum {
        let mut product = self.comparison();
        while self.eat("and") {
            product = product.and(self.comparison());
        }
        product
    }

    fn comparison(&mut self) -> Sum {
        self.rest = self.rest.trim_start();
        if let Some(inner) = self.rest.strip_prefix('(')
            && self.depth < 64
        {
            self.rest = inner;
            self.depth += 1;
            let sum = self.alternatives();
            self.depth -= 1;
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix(')').unwrap_or(self.rest);
            return sum;
        }
        self.comparisons += 1;
        let mut is_boolean = false;
        let mut is_like = false;
        loop {
            let word = self.word();
            is_boolean |= matches!(word, "extra" | "in");
            self.has_text_like |= is_like && !is_version(word);
            is_like = word == "~=";
            let next = self.peek();
            if word.is_empty() || matches!(next, "and" | "or" | "" | ")") {
                break;
            }
        }
        Sum {
            terms: 1,
            single: u64::from(is_boolean),
            mixed: 0,
        }
    }

    fn eat(&mut self, word: &str) -> bool {
        if self.peek() != word {
            return false;
        }
        self.word();
        true
    }

    fn peek(&self) -> &'a str {
        let mut ahead = Cost {
            rest: self.rest,
            comparisons: 0,
            depth: 0,
            has_text_like: false,
        };
        ahead.word()
    }

    /// A word, a quoted text, a parenthesis, or a run of anything else.
    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let end = match rest.chars().next() {
            None => 0,
            Some(quote @ ('\'' | '"')) => rest
                .get(1..)
                .and_then(|body| body.find(quote))
                .map_or(rest.len(), |at| at + 2),
            Some('(' | ')') => 1,
            Some(c) if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            Some(_) => rest
                .find(|c: char| {
                    is_word(c) || c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ')')
                })
                .unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end.min(rest.len()));
        self.rest = after;
        word
    }
}

/// Whether `~=` may stand before this: a quoted value, or a variable that is compared as a version.
fn is_version(word: &str) -> bool {
    word.starts_with(['\'', '"'])
        || matches!(
            word,
            "python_version" | "python_full_version" | "implementation_version"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_markers_are_fine() {
        let extras: Vec<_> = (0..60).map(|i| format!("extra == 'e{i}'")).collect();
        for marker in [
            "python_version >= '3' and platform_machine == 'aarch64' or (platform_machine == 'ppc64le' or platform_machine == 'x86_64')".to_owned(),
            format!("(python_version >= '3.8' and python_version < '4.0') and ({})", extras.join(" or ")),
            "'linux' in sys_platform and extra == 'x'".to_owned(),
            String::new(),
        ] {
            assert_eq!(excess(&marker), None, "{marker}");
        }
    }

    #[test]
    fn texts_are_not_compared_as_versions() {
        for marker in [
            "'linux' ~= sys_platform",
            "os_name == 'a' or ('5'~=platform_version)",
        ] {
            assert!(excess(marker).is_some(), "{marker}");
            assert!(crate::python::Requirement::parse(&format!("a; {marker}")).is_err());
        }
        assert_eq!(excess("'3.8' ~= python_version"), None);
        assert_eq!(excess("python_version ~= '3.8'"), None);
    }

    #[test]
    fn hostile_markers_are_not_read() {
        let either: Vec<_> = (0..30)
            .map(|i| format!("(extra == 'a{i}' or extra == 'b{i}')"))
            .collect();
        let both: Vec<_> = (0..40)
            .map(|i| format!("extra == 'x{i}' and extra == 'y{i}'"))
            .collect();
        let many = vec!["os_name == 'x'"; 300];
        for marker in [either.join(" and "), both.join(" or "), many.join(" or ")] {
            assert!(excess(&marker).is_some(), "{marker}");
            assert!(crate::python::Requirement::parse(&format!("a; {marker}")).is_err());
        }
    }
}
