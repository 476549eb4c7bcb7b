//! [`Requires`]: the requirements of a release, read when they are looked at.
//!
//! A release of a large project lists hundreds of requirements, most of them for extras that nobody
//! asks for, and a search looks at hundreds of releases, of which many say the same. So a line that
//! is known to be readable stays text until somebody needs it, tells without being read which extra
//! it is for, and is read once for all releases that share a [`Reader`].

use std::collections::HashMap;
use std::fmt;
use std::ops::{Index, Range};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::requirement::RequirementError;
use super::{ExtraName, MarkerTree, PackageName, Requirement, VersionSpecifiers, Wanted};

/// Requirements in the order of `Requires-Dist`.
#[derive(Clone, Default)]
pub struct Requires {
    /// What the lines are parts of.
    text: Arc<str>,
    /// The extras that lines are for.
    extras: Arc<[ExtraName]>,
    lines: Vec<Line>,
    reader: Arc<Reader>,
}

#[derive(Clone)]
struct Line {
    /// Where it stands in the text; nothing for a requirement that was not read from one.
    at: (u32, u32),
    /// The number of the extra without which it says nothing, one more than that; zero for none.
    only: u32,
    read: OnceLock<Arc<Requirement>>,
}

/// A line that is not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where it stands in the text.
    pub at: Range<usize>,
    /// The extra without which it says nothing, by its number in the list of extras.
    pub only: Option<usize>,
}

/// Reads lines, each text once.
#[derive(Default)]
pub struct Reader {
    read: Mutex<HashMap<Box<str>, Read>>,
}

/// A line that was read.
#[derive(Clone)]
pub struct Read {
    /// What it says.
    pub requirement: Arc<Requirement>,
    /// The text as it was understood, where it is not valid as it stands.
    pub repaired: Option<Arc<str>>,
}

impl Requires {
    /// Lines that were read before without an error. One that cannot be read all the same becomes a
    /// requirement that nothing meets.
    pub fn unread(
        text: Arc<str>,
        extras: Arc<[ExtraName]>,
        lines: impl Iterator<Item = Unread>,
        reader: Arc<Reader>,
    ) -> Self {
        let lines = lines.map(|line| Line {
            at: (narrow(line.at.start), narrow(line.at.end)),
            only: line.only.map_or(0, |number| narrow(number + 1)),
            read: OnceLock::new(),
        });
        Self {
            lines: lines.collect(),
            text,
            extras,
            reader,
        }
    }

    /// Lines that have just been read, each with whether it was valid as it stands.
    pub fn of_text(text: &str, lines: Vec<(Range<usize>, Arc<Requirement>, bool)>) -> Self {
        let mut extras: Vec<ExtraName> = Vec::new();
        let lines = lines.into_iter().map(|(at, requirement, valid)| {
            let written = text.get(at.clone()).filter(|_| valid).unwrap_or("");
            let only = only_extra(written).and_then(|name| ExtraName::from_str(name).ok());
            let only = only.map(|only| {
                extras.iter().position(|e| *e == only).unwrap_or_else(|| {
                    extras.push(only);
                    extras.len() - 1
                })
            });
            Line {
                at: (narrow(at.start), narrow(at.end)),
                only: only.map_or(0, |number| narrow(number + 1)),
                read: OnceLock::from(requirement),
            }
        });
        let lines = lines.collect();
        Self {
            lines,
            text: text.into(),
            extras: extras.into(),
            reader: Arc::default(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Requirement> + ExactSizeIterator {
        self.lines.iter().map(|line| &**self.read(line))
    }

    /// One by its position.
    pub fn get(&self, position: usize) -> Option<&Arc<Requirement>> {
        self.lines.get(position).map(|line| self.read(line))
    }

    /// Whether a line can say anything where these extras are asked for; true where that is not
    /// known before it is read.
    pub fn concerns(&self, position: usize, extras: &[ExtraName]) -> bool {
        match self.only(position) {
            Some(only) => extras.contains(only),
            None => true,
        }
    }

    /// The extra without which a line is known to say nothing.
    pub fn only(&self, position: usize) -> Option<&ExtraName> {
        let number = self.lines.get(position)?.only.checked_sub(1)?;
        self.extras.get(number as usize)
    }

    /// A line as it is written.
    pub fn written(&self, position: usize) -> String {
        match self.lines.get(position) {
            Some(line) if line.at.0 < line.at.1 => self.text_of(line).to_owned(),
            Some(line) => self.read(line).to_string(),
            None => String::new(),
        }
    }

    fn text_of(&self, line: &Line) -> &str {
        let (start, end) = (line.at.0 as usize, line.at.1 as usize);
        self.text.get(start..end).unwrap_or("")
    }

    fn read<'s>(&'s self, line: &'s Line) -> &'s Arc<Requirement> {
        line.read
            .get_or_init(|| self.reader.read(self.text_of(line)))
    }
}

impl Reader {
    /// What a line says, read leniently.
    ///
    /// # Errors
    /// As [`Requirement::parse_lenient`].
    pub fn lenient(&self, text: &str) -> Result<Read, RequirementError> {
        let lock = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(text) {
            return Ok(known.clone());
        }
        // Not under the lock: others read other lines meanwhile.
        let lenient = Requirement::parse_lenient(text)?;
        let read = Read {
            requirement: Arc::new(lenient.requirement),
            repaired: lenient.repaired.map(Arc::from),
        };
        lock().insert(text.into(), read.clone());
        Ok(read)
    }

    fn read(&self, text: &str) -> Arc<Requirement> {
        let read = self.lenient(text);
        read.map_or_else(|_| Arc::new(unmet()), |read| read.requirement)
    }
}

/// What no release of any project meets.
fn unmet() -> Requirement {
    let nothing = VersionSpecifiers::from_str("<0,>1").expect("two specifiers");
    Requirement {
        name: PackageName::from_str("unreadable").expect("a name"),
        extras: Default::default(),
        wanted: Wanted::Versions(nothing),
        marker: MarkerTree::TRUE,
        origin: None,
    }
}

/// More than any metadata has.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The extra `x` where a requirement's marker is `extra == "x"`, on its own or beside what else must
/// hold. None where that is not plain to see.
fn only_extra(requirement: &str) -> Option<&str> {
    let (head, marker) = requirement.split_once(';')?;
    // An address may hold a semicolon.
    if head.contains('@') || !marker.contains("extra") {
        return None;
    }
    let mut rest = marker;
    let mut depth = 0_u32;
    let mut found = None;
    // The last three tokens outside of parentheses: `extra`, `==`, value.
    let mut last = ["", ""];
    while let Some(first) = rest.trim_start().chars().next() {
        rest = rest.trim_start();
        let end = match first {
            '(' | ')' => 1,
            '\'' | '"' => rest.get(1..)?.find(first)? + 2,
            _ => {
                let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
                let same = |c: char| word(c) == word(first) && !" \t'\"()".contains(c);
                rest.find(|c| !same(c)).unwrap_or(rest.len())
            }
        };
        let token = rest.get(..end)?;
        rest = rest.get(end..)?;
        match token {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            "or" => return None,
            value => {
                if last == ["extra", "=="] && value.starts_with(['\'', '"']) {
                    found = found.or(value.get(1..value.len() - 1));
                }
                last = [last[1], value];
                continue;
            }
        }
        last = ["", ""];
    }
    found
}

impl Index<usize> for Requires {
    type Output = Requirement;

    fn index(&self, position: usize) -> &Requirement {
        self.read(&self.lines[position])
    }
}

impl<'r> IntoIterator for &'r Requires {
    type Item = &'r Requirement;
    type IntoIter = std::vec::IntoIter<&'r Requirement>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter().collect::<Vec<_>>().into_iter()
    }
}

impl FromIterator<Requirement> for Requires {
    fn from_iter<I: IntoIterator<Item = Requirement>>(all: I) -> Self {
        let lines = all.into_iter().map(|requirement| Line {
            at: (0, 0),
            only: 0,
            read: OnceLock::from(Arc::new(requirement)),
        });
        Self {
            lines: lines.collect(),
            ..Self::default()
        }
    }
}

impl From<Vec<Requirement>> for Requires {
    fn from(all: Vec<Requirement>) -> Self {
        all.into_iter().collect()
    }
}

impl From<Requires> for Vec<Requirement> {
    fn from(all: Requires) -> Self {
        all.iter().cloned().collect()
    }
}

impl PartialEq for Requires {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Requires {}

impl fmt::Debug for Requires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extra_of_a_line_is_seen_without_reading_it() {
        for (line, only) in [
            ("a; extra == 'x'", Some("x")),
            ("a>=1 ; extra==\"x-y\"", Some("x-y")),
            ("a; python_version < '3.8' and extra == 'x'", Some("x")),
            (
                "a; (os_name == 'nt' or os_name == 'java') and extra == 'x'",
                Some("x"),
            ),
            ("a; extra == 'x' and (python_version<'3')", Some("x")),
            ("a; extra == 'x' or extra == 'y'", None),
            (
                "a; os_name == 'nt' or python_version < '3' and extra == 'x'",
                None,
            ),
            ("a; (extra == 'x')", None),
            ("a; extra != 'x'", None),
            ("a; 'x' == extra", None),
            ("a; os_name == 'extra == \"x\"'", None),
            ("a @ https://h.test/a;extra == 'x'", None),
            ("a", None),
        ] {
            assert_eq!(only_extra(line), only, "{line}");
            // Whatever is said of a line must be so once it is read.
            let requirement = Requirement::parse(line).unwrap();
            if only.is_some() {
                let other = ExtraName::from_str("other").unwrap();
                assert!(!requirement.marker.evaluate_extras(&[]), "{line}");
                assert!(!requirement.marker.evaluate_extras(&[other]), "{line}");
            }
        }
    }

    #[test]
    fn lines_are_read_when_they_are_looked_at() {
        let text = "a>=1|b; extra == 'x'|banana split";
        let x: Arc<[ExtraName]> = Arc::new([ExtraName::from_str("x").unwrap()]);
        let line = |at: Range<usize>, only| Unread { at, only };
        let lines = [line(0..4, None), line(5..20, Some(0)), line(21..33, None)];
        let reader = Arc::new(Reader::default());
        let read = || {
            let (text, reader) = (text.into(), Arc::clone(&reader));
            Requires::unread(text, Arc::clone(&x), lines.clone().into_iter(), reader)
        };
        let (one, other) = (read(), read());
        assert!(one.concerns(0, &[]) && !one.concerns(1, &[]) && one.concerns(1, &x));
        assert_eq!(one[0].to_string(), "a>=1");
        assert_eq!(one.written(1), "b; extra == 'x'");
        assert!(Arc::ptr_eq(one.get(0).unwrap(), other.get(0).unwrap()));
        assert_eq!(one[2].to_string(), "unreadable<0,>1");
        assert_eq!(one, other);
        let plain: Requires = one.iter().cloned().collect();
        assert_eq!(plain, one);
        assert_eq!(plain.written(0), "a>=1");
    }
}
