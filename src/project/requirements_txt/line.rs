//! Lines of requirements files: continuations joined, comments removed, variables put in, and
//! options taken apart as a shell and optparse would.

use std::ops::Range;

/// A logical line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Its text, joined, without comments.
    pub text: String,
    /// What it covers in the file.
    pub span: Range<usize>,
    /// Where parts of the text are from: `(offset in the text, offset in the file)`, ascending.
    pieces: Vec<(usize, usize)>,
}

/// The lines that say something.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    let mut at = 0;
    for raw in text.split_inclusive(['\n', '\r']) {
        let start = at;
        at += raw.len();
        let body = raw.trim_end_matches(['\n', '\r']);
        let is_comment = body.trim_start().starts_with('#');
        let line = open.get_or_insert_with(|| Line {
            text: String::new(),
            span: start..start,
            pieces: Vec::new(),
        });
        // A comment after a continuation ends it, and stays a comment.
        if is_comment && !line.text.is_empty() {
            line.text.push(' ');
        }
        line.pieces.push((line.text.len(), start));
        if body.ends_with('\\') && !is_comment {
            line.text.push_str(body.trim_matches('\\'));
            continue;
        }
        line.text.push_str(body);
        lines.extend(open.take().and_then(Line::closed));
    }
    lines.extend(open.take().and_then(Line::closed));
    lines
}

impl Line {
    fn closed(mut self) -> Option<Self> {
        let end = comment(&self.text).unwrap_or(self.text.len());
        self.text.truncate(end);
        let trimmed = self.text.trim();
        if trimmed.is_empty() {
            return None;
        }
        let start = self.text.len() - self.text.trim_start().len();
        let end = start + trimmed.len();
        self.span = self.origin_of(start)..self.origin_of(end);
        Some(self)
    }

    /// The file's offset of an offset of the text.
    fn origin_of(&self, at: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|(text, _)| *text <= at);
        piece.map_or(0, |(text, file)| file + (at - text))
    }

    /// Where a part of the text stands in the file; none where variables moved it.
    pub fn place_of(&self, part: &str) -> Option<Range<usize>> {
        let start = self.text.find(part)?;
        Some(self.origin_of(start)..self.origin_of(start + part.len()))
    }

    /// The text with `${VARIABLES}` that are set put in.
    pub fn expanded(&self, env: &dyn Fn(&str) -> Option<String>) -> String {
        let text = self.text.trim();
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, after) = rest.split_at(start);
            out.push_str(before);
            let name = after
                .get(2..)
                .and_then(|a| a.split_once('}'))
                .map(|(n, _)| n);
            let name = name.filter(|n| {
                !n.is_empty()
                    && n.bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            });
            let value = name.and_then(|n| Some((n.len() + 3, env(n)?)));
            match value {
                Some((length, value)) => {
                    out.push_str(&value);
                    rest = after.get(length..).unwrap_or_default();
                }
                None => {
                    out.push_str("${");
                    rest = after.get(2..).unwrap_or_default();
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// Where a comment starts: at a `#` that is first or follows white space.
fn comment(text: &str) -> Option<usize> {
    let mut before_is_space = true;
    for (at, c) in text.char_indices() {
        if c == '#' && before_is_space {
            return Some(at);
        }
        before_is_space = c.is_whitespace();
    }
    None
}

/// A line taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// What stands before the first option.
    pub requirement: &'a str,
    /// The options.
    pub options: Vec<Opt>,
}

/// An option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opt {
    Requirements(String),
    Constraints(String),
    Editable(String),
    IndexUrl(String),
    ExtraIndexUrl(String),
    NoIndex,
    FindLinks(String),
    NoBinary(String),
    OnlyBinary(String),
    Pre,
    RequireHashes,
    Hash(String),
    /// Without meaning here.
    Ignored(&'static str),
    /// For the build, which is not ours.
    Build(&'static str),
    Unknown(String),
}

/// Takes a line apart where its first option starts.
pub(super) fn split(line: &str) -> Result<Split<'_>, String> {
    let mut end = line.len();
    let mut at = 0;
    for token in line.split(' ') {
        if token.starts_with('-') {
            end = at;
            break;
        }
        at += token.len() + 1;
    }
    let (requirement, rest) = line.split_at(end.min(line.len()));
    Ok(Split {
        requirement: requirement.trim(),
        options: options(&words(rest)?),
    })
}

/// Options with their names, and what makes one of a value.
type Named = (&'static [&'static str], fn(String) -> Opt);

const WITH_VALUE: [Named; 12] = [
    (&["-r", "--requirement"], Opt::Requirements),
    (&["-c", "--constraint"], Opt::Constraints),
    (&["-e", "--editable"], Opt::Editable),
    (&["-i", "--index-url", "--pypi-url"], Opt::IndexUrl),
    (&["--extra-index-url"], Opt::ExtraIndexUrl),
    (&["-f", "--find-links"], Opt::FindLinks),
    (&["--no-binary"], Opt::NoBinary),
    (&["--only-binary"], Opt::OnlyBinary),
    (&["--hash"], Opt::Hash),
    (&["--trusted-host"], |_| Opt::Ignored("--trusted-host")),
    (&["--use-feature"], |_| Opt::Ignored("--use-feature")),
    (&["-C", "--config-settings", "--config-setting"], |_| {
        Opt::Build("--config-settings")
    }),
];

const WITH_VALUE_FOR_BUILDS: [Named; 2] = [
    (&["--global-option"], |_| Opt::Build("--global-option")),
    (&["--install-option"], |_| Opt::Build("--install-option")),
];

const WITHOUT_VALUE: [(&str, Opt); 6] = [
    ("--no-index", Opt::NoIndex),
    ("--pre", Opt::Pre),
    ("--require-hashes", Opt::RequireHashes),
    ("--prefer-binary", Opt::Ignored("--prefer-binary")),
    ("--always-unzip", Opt::Ignored("--always-unzip")),
    ("-Z", Opt::Ignored("--always-unzip")),
];

fn options(words: &[String]) -> Vec<Opt> {
    let mut options = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if word.starts_with("--") => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        if let Some((_, option)) = WITHOUT_VALUE.iter().find(|(n, _)| *n == name) {
            options.push(option.clone());
            continue;
        }
        let named = WITH_VALUE.iter().chain(&WITH_VALUE_FOR_BUILDS);
        let exact = named.clone().find(|(names, _)| names.contains(&name));
        // optparse: `-rfile`, and long options cut short as long as that is unambiguous.
        let joined = named.clone().find_map(|(names, make)| {
            let short = names.first().filter(|n| n.len() == 2)?;
            let value = word.strip_prefix(short).filter(|v| !v.is_empty())?;
            Some((make, value))
        });
        let mut cut = named.filter(|(names, _)| {
            name.len() > 3
                && names
                    .iter()
                    .any(|n| n.starts_with("--") && n.starts_with(name))
        });
        let only_cut = cut.next().filter(|_| cut.next().is_none());
        match (
            exact.or(only_cut.filter(|_| name.starts_with("--"))),
            joined,
        ) {
            (Some((_, make)), _) => {
                let value = attached
                    .map(str::to_owned)
                    .or_else(|| words.next().cloned());
                match value {
                    Some(value) => options.push(make(value)),
                    None => options.push(Opt::Unknown(format!("{word} without a value"))),
                }
            }
            (None, Some((make, value))) => {
                options.push(make(value.trim_start_matches('=').to_owned()));
            }
            (None, None) => options.push(Opt::Unknown(word.clone())),
        }
    }
    options
}

/// The words of a shell's command line (POSIX, as `shlex.split`).
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a quotation mark is not closed".to_owned()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(chars.next()),
                        Some(c) => word.push(c),
                        None => return Err("a quotation mark is not closed".to_owned()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
