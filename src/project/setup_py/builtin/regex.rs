//! `re`: Python's regular expressions, translated to those of the `fancy-regex` crate.

use std::rc::Rc;

use fancy_regex::{Regex, RegexBuilder};

use super::super::interpreter::{Args, Eval, Interpreter, unknown};
use super::super::limits;
use super::super::operator::as_int;
use super::super::source::Place;
use super::super::value::{Match, Pattern, Text, Value};

impl<'a> Interpreter<'a> {
    pub(super) fn call_regex_function(
        &mut self,
        path: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a, Option<Value<'a>>> {
        let Some(name) = path.strip_prefix("re.") else {
            return Ok(None);
        };
        if name == "escape" {
            return Ok(Some(match self.text_of(args.pos.first(), place) {
                Ok(text) => Value::text(
                    escape(&text.text),
                    text.place.map(|p| Place { exact: false, ..p }),
                ),
                Err(other) => other,
            }));
        }
        let flags_at = match name {
            "compile" => 1,
            "search" | "match" | "fullmatch" | "findall" | "finditer" => 2,
            "split" => 3,
            "sub" | "subn" => 4,
            _ => return Ok(None),
        };
        let flags = args.at(flags_at, "flags").and_then(as_int).unwrap_or(0);
        let pattern = match args.at(0, "pattern") {
            Some(pattern @ Value::Pattern(_)) => pattern.clone(),
            other => {
                let text = match other {
                    Some(Value::Bytes(bytes, p)) => Ok(Text {
                        text: Rc::from(String::from_utf8_lossy(bytes)),
                        place: *p,
                    }),
                    other => self.text_of(other, place),
                };
                match text {
                    Ok(text) => match self.compiled(&text.text, flags) {
                        Ok(pattern) => Value::Pattern(pattern),
                        Err(reason) => return Ok(Some(unknown(place, reason))),
                    },
                    Err(other) => return Ok(Some(other)),
                }
            }
        };
        if name == "compile" {
            return Ok(Some(pattern));
        }
        let Value::Pattern(pattern) = pattern else {
            return Ok(None);
        };
        let mut rest = args.clone();
        if rest.pos.is_empty() {
            rest.named.retain(|(n, _)| &**n != "pattern");
        } else {
            rest.pos.remove(0);
        }
        rest.named.retain(|(n, _)| &**n != "flags");
        self.pattern_method(&pattern, name, &rest, place).map(Some)
    }

    fn compiled(&mut self, text: &str, flags: i64) -> Result<Rc<Pattern>, String> {
        self.world.pattern(format!("{flags} {text}"), || {
            let translated = translate(text, flags);
            let built: Result<Regex, _> = RegexBuilder::new(&translated)
                .backtrack_limit(limits::BACKTRACKING)
                .delegate_size_limit(2 << 20)
                .delegate_dfa_size_limit(2 << 20)
                .build();
            match built {
                Ok(regex) => Ok(Pattern {
                    text: text.to_owned(),
                    regex,
                }),
                Err(_) => Err(format!("the regular expression `{text}` is not followed")),
            }
        })
    }

    pub(super) fn pattern_method(
        &mut self,
        pattern: &Rc<Pattern>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let substitutes = matches!(name, "sub" | "subn");
        let subject = args.at(usize::from(substitutes), "string");
        let (text, bytes) = match subject {
            Some(Value::Bytes(bytes, p)) => (
                Text {
                    text: Rc::from(String::from_utf8_lossy(bytes)),
                    place: *p,
                },
                true,
            ),
            other => match self.text_of(other, place) {
                Ok(text) => (text, false),
                Err(other) => return Ok(other),
            },
        };
        let _ = bytes;
        for _ in 0..(text.text.len() / 4096) {
            self.step()?;
        }
        let found: Result<Vec<Match<'a>>, Box<fancy_regex::Error>> = match name {
            "search" => pattern
                .regex
                .captures(&text.text)
                .map(|c| c.iter().map(|c| spans(pattern, c, &text)).collect())
                .map_err(Box::new),
            "match" | "fullmatch" => pattern
                .regex
                .captures(&text.text)
                // The leftmost match starts at the start if any does.
                .map(|c| {
                    let found = c.iter().map(|c| spans(pattern, c, &text));
                    let whole = |m: &Match<'a>| {
                        let (start, end) = m.groups.first().copied().flatten().unwrap_or((1, 0));
                        start == 0 && (name == "match" || end == text.text.len())
                    };
                    found.filter(whole).collect()
                })
                .map_err(Box::new),
            "findall" | "finditer" | "split" | "sub" | "subn" => pattern
                .regex
                .captures_iter(&text.text)
                .take(limits::ITEMS)
                .map(|c| c.map_err(Box::new).map(|c| spans(pattern, &c, &text)))
                .collect(),
            _ => return Ok(unknown(place, format!("`re.{name}` is not followed"))),
        };
        let partly = name == "fullmatch"
            && pattern.regex.is_match(&text.text).unwrap_or(true)
            && found.as_ref().is_ok_and(Vec::is_empty);
        if partly {
            return Ok(unknown(place, "this `fullmatch` is not followed"));
        }
        let Ok(found) = found else {
            return Ok(unknown(
                place,
                "the regular expression takes more steps than are followed",
            ));
        };
        self.allocate(found.len() * 96)?;
        Ok(match name {
            "search" | "match" | "fullmatch" => match found.into_iter().next() {
                Some(found) => Value::Match(Rc::new(found)),
                None => Value::None,
            },
            "finditer" => Value::list(
                found
                    .into_iter()
                    .map(|m| Value::Match(Rc::new(m)))
                    .collect(),
            ),
            "findall" => Value::list(found.iter().map(|m| all_groups(m)).collect()),
            "split" => {
                let limit = args
                    .at(1, "maxsplit")
                    .and_then(as_int)
                    .and_then(|n| usize::try_from(n).ok())
                    .filter(|n| *n > 0);
                let mut parts = Vec::new();
                let mut start = 0;
                for m in found.iter().take(limit.unwrap_or(usize::MAX)) {
                    let (from, to) = m.groups.first().copied().flatten().unwrap_or((0, 0));
                    parts.push(Value::Str(text.part(start, from)));
                    parts.extend((1..m.groups.len()).map(|g| group(m, g)));
                    start = to;
                }
                parts.push(Value::Str(text.part(start, text.text.len())));
                Value::list(parts)
            }
            _ => return self.substitute(pattern, &text, found, args, name, place),
        })
    }

    fn substitute(
        &mut self,
        _pattern: &Rc<Pattern>,
        text: &Text<'a>,
        found: Vec<Match<'a>>,
        args: &Args<'a>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        let limit = args
            .at(2, "count")
            .and_then(as_int)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0);
        let replacement = args.at(0, "repl").cloned().unwrap_or(Value::None);
        let mut made = String::new();
        let mut start = 0;
        let mut count = 0;
        for m in found.into_iter().take(limit.unwrap_or(usize::MAX)) {
            let (from, to) = m.groups.first().copied().flatten().unwrap_or((0, 0));
            made.push_str(text.text.get(start..from).unwrap_or_default());
            start = to;
            count += 1;
            match &replacement {
                Value::Str(template) => {
                    let part = expand(&template.text, &m);
                    self.allocate(part.len())?;
                    made.push_str(&part);
                }
                function => {
                    let m = Value::Match(Rc::new(m));
                    let part = self.call(
                        function.clone(),
                        Args {
                            pos: vec![m],
                            ..Args::default()
                        },
                        place,
                    )?;
                    match part {
                        Value::Str(part) => made.push_str(&part.text),
                        other => return Ok(self.not_followed(&other, place)),
                    }
                }
            }
        }
        made.push_str(text.text.get(start..).unwrap_or_default());
        self.allocate(made.len())?;
        let made = Value::text(made, text.place.map(|p| Place { exact: false, ..p }));
        Ok(if name == "subn" {
            Value::tuple(vec![made, Value::Int(count)])
        } else {
            made
        })
    }

    pub(super) fn match_method(
        &mut self,
        found: &Rc<Match<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let index = |value: &Value<'a>| match value {
            Value::Str(name) => found
                .names
                .iter()
                .position(|n| n.as_deref() == Some(&*name.text)),
            other => as_int(other)
                .and_then(|i| usize::try_from(i).ok())
                .filter(|i| *i < found.groups.len()),
        };
        match name {
            "group" | "__getitem__" => {
                let mut groups = Vec::new();
                for arg in &args.pos {
                    match index(arg) {
                        Some(at) => groups.push(group(found, at)),
                        None => return self.raise("IndexError", "no such group", Some(place)),
                    }
                }
                Ok(match groups.len() {
                    0 => group(found, 0),
                    1 => groups.pop().unwrap_or(Value::None),
                    _ => Value::tuple(groups),
                })
            }
            "groups" => Ok(Value::tuple(
                (1..found.groups.len()).map(|g| group(found, g)).collect(),
            )),
            "groupdict" => {
                let dict = super::super::value::Dict::default();
                for (at, name) in found.names.iter().enumerate() {
                    if let Some(name) = name {
                        dict.set_str(name, group(found, at));
                    }
                }
                Ok(Value::Dict(Rc::new(dict)))
            }
            "start" | "end" | "span" => {
                let at = args.pos.first().and_then(index).unwrap_or(0);
                let (from, to) = found.groups.get(at).copied().flatten().unwrap_or((0, 0));
                let chars = |to: usize| {
                    let before = found.text.text.get(..to).unwrap_or_default();
                    Value::Int(i64::try_from(before.chars().count()).unwrap_or(0))
                };
                Ok(match name {
                    "start" => chars(from),
                    "end" => chars(to),
                    _ => Value::tuple(vec![chars(from), chars(to)]),
                })
            }
            "expand" => Ok(match args.text(0, "template") {
                Some(template) => Value::text(expand(template, found), found.text.place),
                None => unknown(place, "the template is not known"),
            }),
            _ => Ok(unknown(place, format!("`Match.{name}` is not followed"))),
        }
    }
}

fn spans<'a>(
    pattern: &Pattern,
    captures: &fancy_regex::Captures<'_>,
    text: &Text<'a>,
) -> Match<'a> {
    Match {
        groups: (0..captures.len())
            .map(|i| captures.get(i).map(|m| (m.start(), m.end())))
            .collect(),
        names: pattern
            .regex
            .capture_names()
            .map(|n| n.map(str::to_owned))
            .collect(),
        text: text.clone(),
    }
}

fn group<'a>(found: &Match<'a>, index: usize) -> Value<'a> {
    match found.groups.get(index).copied().flatten() {
        Some((from, to)) => Value::Str(found.text.part(from, to)),
        None => Value::None,
    }
}

fn all_groups<'a>(found: &Match<'a>) -> Value<'a> {
    let text = |g: usize| match group(found, g) {
        Value::None => Value::str(""),
        other => other,
    };
    match found.groups.len() {
        0 | 1 => text(0),
        2 => text(1),
        n => Value::tuple((1..n).map(text).collect()),
    }
}

/// Expands `\1`, `\g<name>` and escapes of a replacement.
fn expand(template: &str, found: &Match<'_>) -> String {
    let mut made = String::new();
    let mut chars = template.chars().peekable();
    let part = |index: Option<usize>| {
        let span = index.and_then(|i| found.groups.get(i).copied().flatten());
        span.and_then(|(a, b)| found.text.text.get(a..b))
            .unwrap_or_default()
            .to_owned()
    };
    while let Some(c) = chars.next() {
        if c != '\\' {
            made.push(c);
            continue;
        }
        match chars.next() {
            Some('g') if chars.peek() == Some(&'<') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                let index = name
                    .parse()
                    .ok()
                    .or_else(|| found.names.iter().position(|n| n.as_deref() == Some(&name)));
                made.push_str(&part(index));
            }
            Some(d) if d.is_ascii_digit() => {
                made.push_str(&part(d.to_digit(10).map(|d| d as usize)))
            }
            Some('n') => made.push('\n'),
            Some('t') => made.push('\t'),
            Some(c) => made.push(c),
            None => {}
        }
    }
    made
}

fn escape(text: &str) -> String {
    let mut made = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && c != '_' {
            made.push('\\');
        }
        made.push(c);
    }
    made
}

/// Python's syntax to `fancy-regex`': classes may hold unescaped `[`, `&` and `~`, braces may be
/// literal, `\Z` is `\z`, `$` matches before a last newline.
fn translate(text: &str, flags: i64) -> String {
    let mut made = String::new();
    let mut inline = String::new();
    for (bit, letter) in [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')] {
        if flags & bit != 0 {
            inline.push(letter);
        }
    }
    if !inline.is_empty() {
        made.push_str(&format!("(?{inline})"));
    }
    let multiline = flags & 8 != 0
        || text.starts_with("(?m")
        || text.starts_with("(?sm")
        || text.starts_with("(?im");
    let verbose = flags & 64 != 0 || text.starts_with("(?x");
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut class = None;
    while let Some(c) = chars.get(at) {
        at += 1;
        let next = chars.get(at).copied();
        match (*c, class) {
            ('\\', _) => {
                at += 1;
                match next {
                    Some('Z') => made.push_str("\\z"),
                    // Escapes that Python takes for the character itself.
                    Some(n) if !n.is_ascii_alphanumeric() && !n.is_ascii_punctuation() => {
                        made.push(n)
                    }
                    Some(
                        n
                        @ ('"' | '\'' | '/' | ':' | ';' | ',' | '=' | '!' | '@' | '%' | '_' | '`'),
                    ) => made.push(n),
                    Some(n @ ('<' | '>')) => made.push(n),
                    Some(n) => {
                        made.push('\\');
                        made.push(n);
                    }
                    None => made.push('\\'),
                }
            }
            ('[', None) => {
                made.push('[');
                let mut start = at;
                if next == Some('^') {
                    made.push('^');
                    start += 1;
                }
                // A bracket that comes first is the character.
                if chars.get(start) == Some(&']') {
                    made.push_str("\\]");
                    start += 1;
                }
                at = start;
                class = Some(());
            }
            (']', Some(())) => {
                made.push(']');
                class = None;
            }
            (c @ ('[' | '&' | '~'), Some(())) => {
                made.push('\\');
                made.push(c);
            }
            (' ' | '#', Some(())) if verbose => {
                made.push('\\');
                made.push(*c);
            }
            ('#', None) if verbose => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            ('{', None) => {
                let rest: String = chars
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take(20)
                    .collect();
                let counted = rest.split_once('}').is_some_and(|(n, _)| {
                    !n.is_empty() && n != "," && n.chars().all(|c| c.is_ascii_digit() || c == ',')
                });
                if counted {
                    let end = rest.find('}').unwrap_or(0);
                    let count = rest.get(..end).unwrap_or_default();
                    // `{,n}` is `{0,n}`.
                    made.push('{');
                    if count.starts_with(',') {
                        made.push('0');
                    }
                    made.push_str(count);
                    made.push('}');
                    at += end + 1;
                } else {
                    made.push_str("\\{");
                }
            }
            ('}', None) => made.push_str("\\}"),
            ('$', None) if !multiline => made.push_str("(?=\\n?\\z)"),
            (c, _) => made.push(c),
        }
    }
    made
}
