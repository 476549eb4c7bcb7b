//! Texts from values: `str`, `repr`, `%`, `format`.

use std::rc::Rc;

use super::super::interpreter::{Args, Eval, Interpreter, unknown};
use super::super::source::Place;
use super::super::value::Value;

/// `str(value)` of a known value; none for what is not followed.
pub fn text(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Str(text) => text.text.to_string(),
        Value::Path(path) => path.to_string(),
        other => return repr(other, 6),
    })
}

/// `repr(value)` of a known value.
pub fn repr(value: &Value<'_>, depth: usize) -> Option<String> {
    if depth == 0 || !value.is_within(super::super::limits::COMPARED) {
        return None;
    }
    let all = |items: &[Value<'_>]| -> Option<String> {
        let parts: Vec<String> = items
            .iter()
            .map(|v| repr(v, depth - 1))
            .collect::<Option<_>>()?;
        Some(parts.join(", "))
    };
    Some(match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e16 => format!("{f:.1}"),
        Value::Float(f) => f.to_string(),
        Value::Str(text) => {
            let quote = if text.text.contains('\'') && !text.text.contains('"') {
                '"'
            } else {
                '\''
            };
            let mut shown = String::new();
            shown.push(quote);
            for c in text.text.chars() {
                match c {
                    '\n' => shown.push_str("\\n"),
                    '\t' => shown.push_str("\\t"),
                    '\r' => shown.push_str("\\r"),
                    '\\' => shown.push_str("\\\\"),
                    c if c == quote => {
                        shown.push('\\');
                        shown.push(c);
                    }
                    c => shown.push(c),
                }
            }
            shown.push(quote);
            shown
        }
        Value::Tuple(items) if items.len() == 1 => format!("({},)", all(items)?),
        Value::Tuple(items) => format!("({})", all(items)?),
        Value::List(list) if list.openness().is_none() => {
            format!("[{}]", all(&list.items.borrow())?)
        }
        Value::Dict(dict) if dict.openness().is_none() => {
            let mut parts = Vec::new();
            for (key, value) in dict.entries() {
                parts.push(format!(
                    "{}: {}",
                    repr(&key, depth - 1)?,
                    repr(&value, depth - 1)?
                ));
            }
            format!("{{{}}}", parts.join(", "))
        }
        _ => return None,
    })
}

impl<'a> Interpreter<'a> {
    /// `format % values`
    pub fn percent_format(
        &mut self,
        format: &Value<'a>,
        values: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        match values {
            Value::Choice(options) => {
                let options = Rc::clone(options);
                return self.each(&options, |this, v| this.percent_format(format, v, place));
            }
            Value::VersionInfo => {
                let settled = self.settled(values.clone())?;
                return self.percent_format(format, &settled, place);
            }
            Value::Tuple(items) => {
                if let Some((index, Value::Choice(options))) = items
                    .iter()
                    .enumerate()
                    .find(|(_, v)| matches!(v, Value::Choice(_)))
                {
                    let options = Rc::clone(options);
                    let items = items.to_vec();
                    return self.each(&options, |this, v| {
                        let mut items = items.clone();
                        if let Some(slot) = items.get_mut(index) {
                            *slot = v.clone();
                        }
                        this.percent_format(format, &Value::tuple(items), place)
                    });
                }
            }
            _ => {}
        }
        let Value::Str(format) = format else {
            return Ok(self.not_followed(format, place));
        };
        let mut items: std::vec::IntoIter<Value<'a>> = match values {
            Value::Tuple(items) => Vec::from(&**items).into_iter(),
            other => vec![other.clone()].into_iter(),
        };
        let mut parts: Vec<Value<'a>> = Vec::new();
        let mut chars = format.text.chars().peekable();
        let mut plain = String::new();
        while let Some(c) = chars.next() {
            if c != '%' {
                plain.push(c);
                continue;
            }
            let mut spec = String::new();
            let mut value = None;
            if chars.peek() == Some(&'(') {
                chars.next();
                let name: String = chars.by_ref().take_while(|c| *c != ')').collect();
                value = Some(self.item(values, &Value::str(name), place)?);
            }
            while let Some(c) = chars.peek().copied() {
                if c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ' ' | '#') {
                    spec.push(c);
                    chars.next();
                } else {
                    break;
                }
            }
            let kind = chars.next().unwrap_or('%');
            if kind == '%' {
                plain.push('%');
                continue;
            }
            let Some(value) = value.or_else(|| items.next()) else {
                return self.raise(
                    "TypeError",
                    "not enough arguments for format string",
                    Some(place),
                );
            };
            parts.push(Value::str(std::mem::take(&mut plain)));
            parts.push(self.percent_value(&value, kind, &spec, place)?);
        }
        parts.push(Value::str(plain));
        self.concatenate(&parts, place)
    }

    fn percent_value(
        &mut self,
        value: &Value<'a>,
        kind: char,
        spec: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Value::Unknown(_) = value {
            return Ok(value.clone());
        }
        match kind {
            'd' | 'i' | 'u' => match value {
                Value::Float(_) | Value::Bool(_) | Value::Int(_) => {
                    let args = Args {
                        pos: vec![value.clone()],
                        ..Args::default()
                    };
                    let number = self.call(Value::native("int"), args, place)?;
                    self.format_value(&number, &spec_of(spec, true), place)
                }
                Value::Str(_) | Value::None => {
                    self.raise("TypeError", "%d needs a number", Some(place))
                }
                other => Ok(self.not_followed(other, place)),
            },
            'r' | 'a' => match repr(value, 6) {
                Some(text) => Ok(Value::str(text)),
                None => Ok(self.not_followed(value, place)),
            },
            's' => {
                let text = self.text_from(value, place)?;
                self.format_value(&text, &spec_of(spec, false), place)
            }
            'f' | 'F' | 'g' | 'e' | 'x' | 'X' | 'o' => {
                self.format_value(value, &format!("{}{kind}", spec_of(spec, true)), place)
            }
            _ => Ok(unknown(place, format!("`%{kind}` is not followed"))),
        }
    }

    /// `format(value, spec)`
    pub(super) fn format_value(
        &mut self,
        value: &Value<'a>,
        spec: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Value::Choice(options) = value {
            let options = Rc::clone(options);
            return self.each(&options, |this, v| this.format_value(v, spec, place));
        }
        if spec.is_empty() {
            return self.text_from(value, place);
        }
        let (fill, align, rest) = split_align(spec);
        let (zero, rest) = match rest.strip_prefix('0') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, rest),
        };
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let (width, rest) = rest.split_at(digits);
        let width: usize = width.parse().unwrap_or(0).min(10_000);
        let (precision, kind) = match rest.strip_prefix('.') {
            Some(rest) => {
                let digits = rest.chars().take_while(char::is_ascii_digit).count();
                let (precision, kind) = rest.split_at(digits);
                (precision.parse::<usize>().ok().map(|p| p.min(100)), kind)
            }
            None => (None, rest),
        };
        let body = match (value, kind) {
            (Value::Int(i), "" | "d") => i.to_string(),
            (Value::Int(i), "x") => format!("{i:x}"),
            (Value::Int(i), "X") => format!("{i:X}"),
            (Value::Int(i), "o") => format!("{i:o}"),
            (Value::Int(i), "b") => format!("{i:b}"),
            #[allow(clippy::cast_precision_loss, reason = "Python's own loss")]
            (Value::Int(i), "f" | "F") => format!("{:.*}", precision.unwrap_or(6), *i as f64),
            (Value::Float(f), "f" | "F") => format!("{:.*}", precision.unwrap_or(6), f),
            (Value::Str(text), "" | "s") => match precision {
                Some(p) => text.text.chars().take(p).collect(),
                None => text.text.to_string(),
            },
            (Value::Unknown(_), _) => return Ok(value.clone()),
            (other, _) => {
                return Ok(match other.unknown_within(1) {
                    Some(u) => Value::Unknown(u),
                    None => unknown(place, format!("the format `{spec}` is not followed")),
                });
            }
        };
        let missing = width.saturating_sub(body.chars().count());
        let number = matches!(value, Value::Int(_) | Value::Float(_));
        let fill = if zero { '0' } else { fill };
        let pad = |n: usize| fill.to_string().repeat(n);
        let text = match (align, number) {
            (Some('<'), _) | (None, false) => format!("{body}{}", pad(missing)),
            (Some('^'), _) => format!("{}{body}{}", pad(missing / 2), pad(missing - missing / 2)),
            _ => format!("{}{body}", pad(missing)),
        };
        Ok(Value::text(text, Some(place)))
    }

    /// `text.format(...)`
    pub(super) fn brace_format(
        &mut self,
        format: &str,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut parts: Vec<Value<'a>> = Vec::new();
        let mut plain = String::new();
        let mut chars = format.chars().peekable();
        let mut next = 0;
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.peek() == Some(&'{') => {
                    chars.next();
                    plain.push('{');
                }
                '}' if chars.peek() == Some(&'}') => {
                    chars.next();
                    plain.push('}');
                }
                '{' => {
                    let mut field = String::new();
                    let mut depth = 1;
                    for c in chars.by_ref() {
                        match c {
                            '{' => depth += 1,
                            '}' => depth -= 1,
                            _ => {}
                        }
                        if depth == 0 {
                            break;
                        }
                        field.push(c);
                    }
                    parts.push(Value::str(std::mem::take(&mut plain)));
                    parts.push(self.field(&field, &mut next, args, place)?);
                }
                c => plain.push(c),
            }
        }
        parts.push(Value::str(plain));
        self.concatenate(&parts, place)
    }

    fn field(
        &mut self,
        field: &str,
        next: &mut usize,
        args: &Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let (field, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = field.split_once('!').unwrap_or((field, ""));
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let mut value = if first.is_empty() {
            *next += 1;
            args.pos.get(*next - 1).cloned()
        } else if let Ok(index) = first.parse::<usize>() {
            args.pos.get(index).cloned()
        } else {
            args.named(first).cloned()
        };
        while let Some(found) = value.clone() {
            if let Some(rest) = path.strip_prefix('.') {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, rest) = rest.split_at(end);
                value = Some(self.attribute(&found, name, place)?);
                path = rest;
            } else if let Some((index, rest)) =
                path.strip_prefix('[').and_then(|r| r.split_once(']'))
            {
                let index = index
                    .parse::<i64>()
                    .map_or_else(|_| Value::str(index), Value::Int);
                value = Some(self.item(&found, &index, place)?);
                path = rest;
            } else {
                break;
            }
        }
        let Some(mut value) = value else {
            return self.raise("IndexError", "replacement index out of range", Some(place));
        };
        if conversion == "r" {
            value = match repr(&value, 6) {
                Some(text) => Value::str(text),
                None => self.not_followed(&value, place),
            };
        }
        if spec.contains('{') {
            let spec = self.brace_format(spec, args, place)?;
            let spec = spec.as_str().unwrap_or_default().to_owned();
            return self.format_value(&value, &spec, place);
        }
        self.format_value(&value, spec, place)
    }
}

fn spec_of(percent: &str, number: bool) -> String {
    match percent.strip_prefix('-') {
        Some(rest) => format!("<{rest}"),
        None if number || percent.is_empty() || percent.starts_with('.') => percent.to_owned(),
        None => format!(">{percent}"),
    }
}

fn split_align(spec: &str) -> (char, Option<char>, &str) {
    let mut chars = spec.chars();
    let first = chars.next().unwrap_or(' ');
    let is_align = |c: char| matches!(c, '<' | '>' | '^' | '=');
    match chars.next() {
        Some(second) if is_align(second) => (first, Some(second), chars.as_str()),
        _ if is_align(first) => (' ', Some(first), spec.get(1..).unwrap_or_default()),
        _ => (' ', None, spec),
    }
}
