//! Methods of texts and bytes. Parts of a text keep pointing at where they stand.

use std::rc::Rc;

use super::super::interpolation::split_lines;
use super::super::interpreter::{Args, Eval, Interpreter, unknown};
use super::super::operator::as_int;
use super::super::source::{self, Place};
use super::super::value::{Text, Value};

/// Methods that texts have.
pub const METHODS: &[&str] = &[
    "strip",
    "lstrip",
    "rstrip",
    "split",
    "rsplit",
    "splitlines",
    "partition",
    "rpartition",
    "join",
    "replace",
    "format",
    "format_map",
    "lower",
    "upper",
    "title",
    "capitalize",
    "casefold",
    "swapcase",
    "startswith",
    "endswith",
    "find",
    "rfind",
    "index",
    "rindex",
    "count",
    "encode",
    "isdigit",
    "isnumeric",
    "isdecimal",
    "isalpha",
    "isalnum",
    "isspace",
    "islower",
    "isupper",
    "isidentifier",
    "zfill",
    "ljust",
    "rjust",
    "center",
    "expandtabs",
    "translate",
    "removeprefix",
    "removesuffix",
    "istitle",
    "__len__",
    "__contains__",
    "__add__",
    "__eq__",
    "__mod__",
    "__str__",
    "isascii",
];

impl<'a> Interpreter<'a> {
    pub(super) fn string_method(
        &mut self,
        text: &Text<'a>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Some(unknown) = args.pos.iter().find_map(|v| match v {
            Value::Unknown(u) => Some(u.clone()),
            _ => None,
        }) {
            return Ok(Value::Unknown(unknown));
        }
        let this = &*text.text;
        let new = |made: String| Value::text(made, text.place.map(|p| Place { exact: false, ..p }));
        Ok(match name {
            "strip" | "lstrip" | "rstrip" => {
                let set: Option<Vec<char>> = args
                    .pos
                    .first()
                    .and_then(Value::as_str)
                    .map(|s| s.chars().collect());
                let drop = |c: char| {
                    set.as_ref()
                        .map_or(c.is_whitespace(), |set| set.contains(&c))
                };
                let start = if name == "rstrip" {
                    0
                } else {
                    this.len() - this.trim_start_matches(drop).len()
                };
                let end = if name == "lstrip" {
                    this.len()
                } else {
                    this.trim_end_matches(drop).len()
                };
                Value::Str(text.part(start, end.max(start)))
            }
            "split" | "rsplit" => self.split(text, name == "rsplit", args, place)?,
            "splitlines" => {
                let keep = match args.at(0, "keepends") {
                    Some(keep) => self.truth(keep)?,
                    None => false,
                };
                Value::list(split_lines(text, keep))
            }
            "partition" | "rpartition" => {
                let Some(separator) = args.text(0, "sep") else {
                    return Ok(unknown(place, "the separator is not known"));
                };
                let found = if name == "partition" {
                    this.find(separator)
                } else {
                    this.rfind(separator)
                };
                let parts = match found {
                    Some(at) => [
                        (0, at),
                        (at, at + separator.len()),
                        (at + separator.len(), this.len()),
                    ],
                    None if name == "partition" => [(0, this.len()), (0, 0), (0, 0)],
                    None => [(0, 0), (0, 0), (0, this.len())],
                };
                Value::tuple(
                    parts
                        .iter()
                        .map(|(a, b)| Value::Str(text.part(*a, *b)))
                        .collect(),
                )
            }
            "join" => self.join(text, args, place)?,
            "replace" => {
                let (Some(from), Some(to)) = (args.text(0, "old"), args.text(1, "new")) else {
                    return Ok(unknown(place, "what is replaced is not known"));
                };
                if !this.contains(from) {
                    return Ok(Value::Str(text.clone()));
                }
                let matches = if from.is_empty() {
                    this.len() + 1
                } else {
                    this.matches(from).count()
                };
                self.allocate(this.len() + matches.saturating_mul(to.len()))?;
                match args
                    .at(2, "count")
                    .and_then(as_int)
                    .and_then(|n| usize::try_from(n).ok())
                {
                    Some(n) => new(this.replacen(from, to, n)),
                    None => new(this.replace(from, to)),
                }
            }
            "format" => self.brace_format(this, args, place)?,
            "format_map" => {
                let mut named = Args::default();
                if let Some(Value::Dict(dict)) = args.pos.first() {
                    for (key, value) in dict.entries() {
                        if let Value::Str(key) = key {
                            named.named.push((key.text, value));
                        }
                    }
                }
                self.brace_format(this, &named, place)?
            }
            "lower" | "casefold" => new(this.to_lowercase()),
            "upper" => new(this.to_uppercase()),
            "title" => new(title(this)),
            "capitalize" => {
                let mut chars = this.chars();
                let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
                new(first.unwrap_or_default() + &chars.as_str().to_lowercase())
            }
            "startswith" | "endswith" => {
                let from = args
                    .pos
                    .get(1)
                    .and_then(as_int)
                    .and_then(|n| usize::try_from(n).ok());
                let this = this.get(from.unwrap_or(0)..).unwrap_or_default();
                let test = |affix: &str| {
                    if name == "startswith" {
                        this.starts_with(affix)
                    } else {
                        this.ends_with(affix)
                    }
                };
                match args.pos.first() {
                    Some(Value::Str(affix)) => Value::Bool(test(&affix.text)),
                    Some(Value::Tuple(affixes)) => {
                        if let Some(unknown) = args.pos.first().and_then(|v| v.unknown_within(2)) {
                            return Ok(Value::Unknown(unknown));
                        }
                        Value::Bool(affixes.iter().filter_map(Value::as_str).any(test))
                    }
                    Some(other) => self.not_followed(other, place),
                    None => return self.raise("TypeError", "an argument is missing", Some(place)),
                }
            }
            "find" | "rfind" | "index" | "rindex" => {
                let Some(needle) = args.text(0, "sub") else {
                    return Ok(unknown(place, "what is looked for is not known"));
                };
                let skip = args
                    .pos
                    .get(1)
                    .and_then(as_int)
                    .and_then(|n| usize::try_from(n).ok())
                    .unwrap_or(0);
                let skip = this
                    .char_indices()
                    .nth(skip)
                    .map_or(this.len(), |(at, _)| at);
                let hay = this.get(skip..).unwrap_or_default();
                let found = if name.starts_with('r') {
                    hay.rfind(needle)
                } else {
                    hay.find(needle)
                };
                match found.and_then(|at| this.get(..skip + at)) {
                    Some(before) => Value::Int(i64::try_from(before.chars().count()).unwrap_or(-1)),
                    None if name.ends_with("index") => {
                        return self.raise("ValueError", "substring not found", Some(place));
                    }
                    None => Value::Int(-1),
                }
            }
            "count" => match args.text(0, "sub") {
                Some(needle) if !needle.is_empty() => {
                    Value::Int(i64::try_from(this.matches(needle).count()).unwrap_or(0))
                }
                _ => unknown(place, "what is counted is not known"),
            },
            "encode" => Value::Bytes(Rc::from(this.as_bytes()), text.place),
            "decode" => Value::Str(text.clone()),
            "isdigit" | "isnumeric" | "isdecimal" => {
                Value::Bool(!this.is_empty() && this.chars().all(char::is_numeric))
            }
            "isalpha" => Value::Bool(!this.is_empty() && this.chars().all(char::is_alphabetic)),
            "isalnum" => Value::Bool(!this.is_empty() && this.chars().all(char::is_alphanumeric)),
            "isspace" => Value::Bool(!this.is_empty() && this.chars().all(char::is_whitespace)),
            "islower" => Value::Bool(
                this.chars().any(char::is_lowercase) && !this.chars().any(char::is_uppercase),
            ),
            "isupper" => Value::Bool(
                this.chars().any(char::is_uppercase) && !this.chars().any(char::is_lowercase),
            ),
            "isascii" => Value::Bool(this.is_ascii()),
            "isidentifier" => Value::Bool(
                this.chars().all(|c| c.is_alphanumeric() || c == '_')
                    && this.chars().next().is_some_and(|c| !c.is_numeric()),
            ),
            "zfill" | "ljust" | "rjust" | "center" => {
                let width = args.at(0, "width").and_then(as_int).unwrap_or(0);
                let width = usize::try_from(width).unwrap_or(0);
                self.allocate(width)?;
                let fill =
                    args.text(1, "fillchar")
                        .unwrap_or(if name == "zfill" { "0" } else { " " });
                let missing = width.saturating_sub(this.chars().count());
                new(match name {
                    "ljust" => format!("{this}{}", fill.repeat(missing)),
                    "center" => format!(
                        "{}{this}{}",
                        fill.repeat(missing / 2),
                        fill.repeat(missing - missing / 2)
                    ),
                    _ => format!("{}{this}", fill.repeat(missing)),
                })
            }
            "expandtabs" => new(this.replace('\t', "        ")),
            "removeprefix" => {
                let affix = args.text(0, "prefix").unwrap_or_default();
                let start = if this.starts_with(affix) {
                    affix.len()
                } else {
                    0
                };
                Value::Str(text.part(start, this.len()))
            }
            "removesuffix" => {
                let affix = args.text(0, "suffix").unwrap_or_default();
                let end = if this.ends_with(affix) {
                    this.len() - affix.len()
                } else {
                    this.len()
                };
                Value::Str(text.part(0, end))
            }
            "__len__" => Value::Int(i64::try_from(this.chars().count()).unwrap_or(0)),
            "__str__" => Value::Str(text.clone()),
            _ => unknown(place, format!("`str.{name}` is not followed")),
        })
    }

    fn split(
        &mut self,
        text: &Text<'a>,
        from_right: bool,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let this = &*text.text;
        let limit = args
            .at(1, "maxsplit")
            .and_then(as_int)
            .and_then(|n| usize::try_from(n).ok());
        let mut spans: Vec<(usize, usize)> = Vec::new();
        match args.at(0, "sep") {
            Some(Value::Str(separator)) => {
                let separator = &*separator.text;
                if separator.is_empty() {
                    return self.raise("ValueError", "empty separator", Some(place));
                }
                let found: Vec<usize> = if from_right {
                    let mut found: Vec<usize> = this
                        .rmatch_indices(separator)
                        .map(|(at, _)| at)
                        .take(limit.unwrap_or(usize::MAX))
                        .collect();
                    found.reverse();
                    found
                } else {
                    this.match_indices(separator)
                        .map(|(at, _)| at)
                        .take(limit.unwrap_or(usize::MAX))
                        .collect()
                };
                let mut start = 0;
                for at in found {
                    spans.push((start, at));
                    start = at + separator.len();
                }
                spans.push((start, this.len()));
            }
            Some(Value::None) | None => {
                let mut word = None;
                for (at, c) in this.char_indices() {
                    match (c.is_whitespace(), word) {
                        (true, Some(start)) => {
                            spans.push((start, at));
                            word = None;
                        }
                        (false, None) => word = Some(at),
                        _ => {}
                    }
                }
                spans.extend(word.map(|start| (start, this.len())));
                if let Some(limit) = limit
                    && spans.len() > limit + 1
                {
                    if from_right {
                        let cut = spans.len() - limit;
                        let end = spans.get(cut - 1).map_or(this.len(), |s| s.1);
                        let rest = spans.split_off(cut);
                        let start = spans.first().map_or(0, |s| s.0);
                        spans = vec![(start, end)];
                        spans.extend(rest);
                    } else {
                        spans.truncate(limit + 1);
                        if let Some(last) = spans.last_mut() {
                            last.1 = this.len();
                        }
                    }
                }
            }
            Some(other) => return Ok(self.not_followed(other, place)),
        }
        self.allocate(spans.len() * 48)?;
        Ok(Value::list(
            spans
                .iter()
                .map(|(a, b)| Value::Str(text.part(*a, *b)))
                .collect(),
        ))
    }

    fn join(&mut self, text: &Text<'a>, args: &Args<'a>, place: Place<'a>) -> Eval<'a> {
        let Some(iterated) = args.pos.first() else {
            return self.raise("TypeError", "join() takes one argument", Some(place));
        };
        let iterated = self.settled(iterated.clone())?;
        let (items, open) = self.iterate(&iterated, Some(place))?;
        if let Some(unknown) = open {
            return Ok(Value::Unknown(unknown));
        }
        let mut parts = Vec::with_capacity(items.len() * 2);
        let mut first_place = None;
        for item in items {
            if !parts.is_empty() {
                parts.push(Value::Str(text.clone()));
            }
            first_place = first_place.or(item.place());
            parts.push(match item {
                Value::Int(_) | Value::None => {
                    return self.raise("TypeError", "sequence item: expected str", Some(place));
                }
                item => item,
            });
        }
        match self.concatenate(&parts, place)? {
            Value::Str(made) => Ok(Value::Str(Text {
                text: made.text,
                place: first_place
                    .or(made.place)
                    .map(|p| Place { exact: false, ..p }),
            })),
            other => Ok(other),
        }
    }

    pub(super) fn bytes_method(
        &mut self,
        bytes: &Rc<[u8]>,
        origin: Option<Place<'a>>,
        name: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        // Bytes of a file are its text; methods are those of the text, read as Latin-1 where it
        // is not UTF-8.
        let as_text = Text {
            text: Rc::from(source::decode(bytes)),
            place: origin,
        };
        if name == "decode" {
            return Ok(Value::Str(as_text));
        }
        let to_text = |v: &Value<'a>| match v {
            Value::Bytes(b, p) => Value::Str(Text {
                text: Rc::from(source::decode(b)),
                place: *p,
            }),
            Value::List(list) => {
                let items = list.items.borrow();
                Value::list(
                    items
                        .iter()
                        .map(|v| match v {
                            Value::Bytes(b, p) => Value::Str(Text {
                                text: Rc::from(source::decode(b)),
                                place: *p,
                            }),
                            other => other.clone(),
                        })
                        .collect(),
                )
            }
            other => other.clone(),
        };
        let args = Args {
            pos: args.pos.iter().map(to_text).collect(),
            ..args.clone()
        };
        let answer = self.string_method(&as_text, name, &args, place)?;
        Ok(to_bytes(answer))
    }
}

fn to_bytes(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Str(text) => Value::Bytes(Rc::from(text.text.as_bytes()), text.place),
        Value::List(list) => {
            Value::list(list.items.borrow().iter().cloned().map(to_bytes).collect())
        }
        Value::Tuple(items) => Value::Tuple(items.iter().cloned().map(to_bytes).collect()),
        other => other,
    }
}

fn title(text: &str) -> String {
    let mut made = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            made.extend(c.to_lowercase());
        } else {
            made.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    made
}
