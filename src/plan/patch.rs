//! Patches tried on texts: unified diffs, found as `patch -p1` finds its way, and nothing written.
//!
//! What nixpkgs' builder runs is GNU patch, so its rules count: a hunk may have moved, and up to two
//! lines of context at its ends may have changed. A hunk whose context at one end is shorter stands
//! at that end of the file.

use std::collections::BTreeMap;

/// How many lines of context may differ at each end.
const FUZZ: usize = 2;

/// A patch of some files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    files: Vec<Change>,
}

/// What a patch does to one file; paths without their first part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    /// None where the file is made.
    old: Option<String>,
    /// None where the file is deleted.
    new: Option<String>,
    hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Hunk {
    /// The line of the old file that it starts at, counted from 0.
    start: usize,
    /// Lines that are there before, and those that are there after.
    before: Vec<String>,
    after: Vec<String>,
    /// Lines of context at its start and its end.
    head: usize,
    tail: usize,
}

/// Why a patch does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot be known.
    Unknown(String),
    /// Everything that it would change is as it would be.
    Applied,
    /// It does not fit.
    Fails(String),
}

impl Patch {
    /// Reads a unified diff.
    ///
    /// # Errors
    /// Where it holds something else than changes of texts.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut files: Vec<Change> = Vec::new();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
                return Err("it changes files that are no texts".to_owned());
            }
            if line.starts_with("rename from ") || line.starts_with("copy from ") {
                return Err("it moves files".to_owned());
            }
            if let Some(old) = line.strip_prefix("--- ")
                && let Some(new) = lines.peek().and_then(|next| next.strip_prefix("+++ "))
            {
                files.push(Change {
                    old: stripped(old),
                    new: stripped(new),
                    hunks: Vec::new(),
                });
                lines.next();
                continue;
            }
            let (Some(file), Some((start, old, new))) = (files.last_mut(), header(line)) else {
                continue;
            };
            file.hunks
                .push(hunk(&mut lines, start, old, new).ok_or("one of its hunks ends early")?);
        }
        if files.iter().all(|file| file.hunks.is_empty()) {
            return Err("it is no unified diff".to_owned());
        }
        Ok(Self { files })
    }

    /// The files that it changes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let both = self.files.iter().flat_map(|f| [&f.old, &f.new]);
        both.flatten().map(String::as_str)
    }

    /// Applies it to texts by path, where it applies whole; a text that is none is a file that is
    /// not there.
    ///
    /// # Errors
    /// Where it does not apply: then no text has changed.
    pub fn apply(&self, texts: &mut BTreeMap<String, Option<String>>) -> Result<(), Refusal> {
        match self.applied(texts, false) {
            Ok(changed) => {
                texts.extend(changed);
                Ok(())
            }
            Err(Refusal::Fails(_)) if self.applied(texts, true).is_ok() => Err(Refusal::Applied),
            Err(refusal) => Err(refusal),
        }
    }

    fn applied(
        &self,
        texts: &BTreeMap<String, Option<String>>,
        reverse: bool,
    ) -> Result<BTreeMap<String, Option<String>>, Refusal> {
        let mut changed: BTreeMap<String, Option<String>> = BTreeMap::new();
        for file in &self.files {
            let (old, new) = if reverse {
                (&file.new, &file.old)
            } else {
                (&file.old, &file.new)
            };
            let known = |path: &String| changed.get(path).or_else(|| texts.get(path));
            let there = [old, new]
                .into_iter()
                .flatten()
                .find(|path| known(path).is_some_and(Option::is_some));
            let path = there.or(new.as_ref()).or(old.as_ref());
            let Some(path) = path.cloned() else {
                return Err(Refusal::Unknown("it names no file".to_owned()));
            };
            let Some(text) = known(&path) else {
                return Err(Refusal::Unknown(format!("{path} could not be read")));
            };
            let text = match (text, old) {
                (None, Some(_)) => {
                    return Err(Refusal::Fails(format!("the source has no {path}")));
                }
                (Some(_), None) => {
                    return Err(Refusal::Fails(format!("the source has {path} already")));
                }
                (text, _) => text.clone().unwrap_or_default(),
            };
            let result = patched(&text, &file.hunks, reverse)
                .ok_or_else(|| Refusal::Fails(format!("{path} is another there")))?;
            changed.insert(path, new.is_some().then_some(result));
        }
        Ok(changed)
    }
}

/// A path as a diff's header has it, without its first part; none for `/dev/null`.
fn stripped(written: &str) -> Option<String> {
    let path = written.split('\t').next().unwrap_or(written).trim();
    if path == "/dev/null" {
        return None;
    }
    let path = path.trim_matches('"');
    let (_, rest) = path.split_once('/')?;
    Some(rest.trim_start_matches('/').to_owned())
}

/// `@@ -start,old +start,new @@`: the first line, and how many lines there are on each side.
fn header(line: &str) -> Option<(usize, usize, usize)> {
    let ranges = line.strip_prefix("@@ -")?.split(" @@").next()?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse::<usize>().ok()?, count.parse::<usize>().ok()?))
    };
    let ((start, old), (_, new)) = (range(old)?, range(new)?);
    // An empty range names the line before it.
    let start = if old == 0 {
        start
    } else {
        start.saturating_sub(1)
    };
    Some((start, old, new))
}

fn hunk<'t>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'t str>>,
    start: usize,
    old: usize,
    new: usize,
) -> Option<Hunk> {
    let mut hunk = Hunk {
        start,
        ..Hunk::default()
    };
    let mut changed = false;
    while hunk.before.len() < old || hunk.after.len() < new {
        let line = lines.next()?;
        let text = line.get(1..).unwrap_or("").to_owned();
        match line.as_bytes().first() {
            Some(b'-') => {
                hunk.before.push(text);
                (changed, hunk.tail) = (true, 0);
            }
            Some(b'+') => {
                hunk.after.push(text);
                (changed, hunk.tail) = (true, 0);
            }
            Some(b'\\') => {}
            // Editors strip the blank of an empty line of context.
            Some(b' ') | None => {
                hunk.before.push(text.clone());
                hunk.after.push(text);
                hunk.tail += 1;
                if !changed {
                    hunk.head += 1;
                }
            }
            Some(_) => return None,
        }
    }
    Some(hunk)
}

/// A text with all hunks applied.
fn patched(text: &str, hunks: &[Hunk], reverse: bool) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let ends = text.is_empty() || text.ends_with('\n');
    let mut moved: isize = 0;
    let mut done = 0;
    for hunk in hunks {
        let (before, after) = if reverse {
            (&hunk.after, &hunk.before)
        } else {
            (&hunk.before, &hunk.after)
        };
        let guess = hunk.start.saturating_add_signed(moved);
        let (at, fuzz) = place(&lines, before, hunk, guess, done)?;
        let context = hunk.head.max(hunk.tail);
        let from = (fuzz + hunk.head).saturating_sub(context);
        let until = (fuzz + hunk.tail).saturating_sub(context);
        let new = after.get(from..after.len().checked_sub(until)?)?;
        let last = at + before.len() - until;
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        done = at + from + new.len();
        moved = moved.checked_add(signed(at)? - signed(guess)?)?;
        moved = moved.checked_add(signed(after.len())? - signed(before.len())?)?;
        lines.splice(at + from..last, new);
    }
    let mut out = lines.join("\n");
    if ends && !out.is_empty() {
        out.push('\n');
    }
    Some(out)
}

fn signed(number: usize) -> Option<isize> {
    isize::try_from(number).ok()
}

/// Where a hunk fits, nearest to where it should be, and how many lines of its context do not.
fn place(
    lines: &[&str],
    before: &[String],
    hunk: &Hunk,
    guess: usize,
    done: usize,
) -> Option<(usize, usize)> {
    let context = hunk.head.max(hunk.tail);
    let last = lines.len().checked_sub(before.len());
    for fuzz in 0..=FUZZ.min(context) {
        let head = (fuzz + hunk.head).checked_sub(context);
        let tail = (fuzz + hunk.tail).checked_sub(context);
        let fits = |at: usize| {
            let (from, until) = (head.unwrap_or(0), before.len() - tail.unwrap_or(0));
            let own = before.get(from..until);
            let there = lines.get(at + from..at + until);
            at + from >= done && own.zip(there).is_some_and(|(own, there)| own == there)
        };
        let Some(last) = last else {
            // Lines of context may be past the end.
            continue;
        };
        let found = match (head, tail) {
            (None, _) => (fits(0) && (tail.is_some() || last == 0)).then_some(0),
            (_, None) => fits(last).then_some(last),
            _ => nearest(guess.min(last), last).find(|at| fits(*at)),
        };
        if let Some(at) = found {
            return Some((at, fuzz));
        }
    }
    None
}

/// The numbers up to `last`, by their distance from `guess`.
fn nearest(guess: usize, last: usize) -> impl Iterator<Item = usize> {
    (0..=last).flat_map(move |distance| {
        let after = guess.checked_add(distance).filter(|at| *at <= last);
        let before = guess.checked_sub(distance).filter(|_| distance > 0);
        [after, before].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
Some words about it.

diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -2,5 +2,5 @@ def f():
 two
 three
-four
+FOUR
 five
 six
";

    fn texts(entries: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
        let own =
            |(path, text): &(&str, Option<&str>)| ((*path).to_owned(), text.map(str::to_owned));
        entries.iter().map(own).collect()
    }

    fn tried(text: &str) -> Result<String, Refusal> {
        let mut texts = texts(&[("src/a.py", Some(text))]);
        Patch::parse(PATCH).unwrap().apply(&mut texts)?;
        Ok(texts["src/a.py"].clone().unwrap())
    }

    #[test]
    fn hunks_find_their_place() {
        let plain = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
        let expected = plain.replace("four", "FOUR");
        assert_eq!(tried(plain).unwrap(), expected);
        let lower = format!("zero\nzero\n{plain}");
        assert_eq!(tried(&lower).unwrap(), format!("zero\nzero\n{expected}"));
        // the outer lines of the context may differ
        let changed = plain.replace("two", "2").replace("six", "6");
        assert_eq!(tried(&changed).unwrap(), changed.replace("four", "FOUR"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let gone = tried("one\ntwo\nthree\n4\nfive\nsix\n");
        assert_eq!(
            gone,
            Err(Refusal::Fails("src/a.py is another there".into()))
        );
        let there = tried("one\ntwo\nthree\nFOUR\nfive\nsix\n");
        assert_eq!(there, Err(Refusal::Applied));
        let mut none = texts(&[("src/a.py", None)]);
        let patch = Patch::parse(PATCH).unwrap();
        assert!(matches!(patch.apply(&mut none), Err(Refusal::Fails(_))));
        let mut unread = BTreeMap::new();
        assert!(matches!(patch.apply(&mut unread), Err(Refusal::Unknown(_))));
        for text in [
            "",
            "@@ nothing @@",
            "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n a\n",
        ] {
            assert!(Patch::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_made_and_deleted() {
        let patch = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\
                     --- a/old.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n";
        let patch = Patch::parse(patch).unwrap();
        let mut files = texts(&[("new.txt", None), ("old.txt", Some("x\n"))]);
        patch.apply(&mut files).unwrap();
        assert_eq!(
            files,
            texts(&[("new.txt", Some("a\nb\n")), ("old.txt", None)])
        );
        let mut there = texts(&[("new.txt", Some("c\n")), ("old.txt", Some("x\n"))]);
        assert!(patch.apply(&mut there).is_err());
    }

    #[test]
    fn several_hunks_move_together() {
        let text: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        let diff = "--- a/t\n+++ b/t\n@@ -1,3 +1,4 @@\n line 1\n+new\n line 2\n line 3\n\
                    @@ -20,3 +21,2 @@\n line 20\n-line 21\n line 22\n";
        let mut files = texts(&[("t", Some(&text))]);
        Patch::parse(diff).unwrap().apply(&mut files).unwrap();
        let expected = text
            .replace("line 1\nline 2\n", "line 1\nnew\nline 2\n")
            .replace("line 21\n", "");
        assert_eq!(files["t"].as_deref(), Some(expected.as_str()));
    }
}
