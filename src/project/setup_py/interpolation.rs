//! f-strings and the joining of texts.

use std::rc::Rc;

use ruff_python_ast::{ConversionFlag, ExprFString, FStringPart, InterpolatedStringElement};

use super::interpreter::{Args, Eval, Interpreter, unknown};
use super::source::Place;
use super::value::{Scope, Text, Value};

impl<'a> Interpreter<'a> {
    /// An f-string.
    pub fn f_string(
        &mut self,
        f: &'a ExprFString,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut parts: Vec<Value<'a>> = Vec::new();
        for part in &f.value {
            match part {
                FStringPart::Literal(literal) => parts.push(Value::str(&literal.value)),
                FStringPart::FString(f) => {
                    for element in &f.elements {
                        parts.push(self.f_element(element, scope, place)?);
                    }
                }
            }
        }
        self.concatenate(&parts, place)
    }

    fn f_element(
        &mut self,
        element: &'a InterpolatedStringElement,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let element = match element {
            InterpolatedStringElement::Literal(literal) => return Ok(Value::str(&literal.value)),
            InterpolatedStringElement::Interpolation(element) => element,
        };
        let value = self.evaluate(&element.expression, scope)?;
        let value = match element.conversion {
            ConversionFlag::Repr | ConversionFlag::Ascii => self.call(
                Value::native("repr"),
                Args {
                    pos: vec![value],
                    ..Args::default()
                },
                place,
            )?,
            _ => value,
        };
        let mut spec = Value::str("");
        if let Some(format) = &element.format_spec {
            let mut parts = Vec::new();
            for element in &format.elements {
                parts.push(self.f_element(element, scope, place)?);
            }
            spec = self.concatenate(&parts, place)?;
        }
        let args = Args {
            pos: vec![value, spec],
            ..Args::default()
        };
        self.call(Value::native("format"), args, place)
    }

    /// Several texts as one; unknown where one of them is.
    pub fn concatenate(&mut self, parts: &[Value<'a>], place: Place<'a>) -> Eval<'a> {
        if parts
            .iter()
            .any(|p| matches!(p, Value::Choice(_) | Value::Marker(_)))
        {
            let mut settled = Vec::with_capacity(parts.len());
            for part in parts {
                settled.push(self.settled(part.clone())?);
            }
            return self.concatenate(&settled, place);
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Value::Str(part) => text.push_str(&part.text),
                Value::Unknown(unknown) => return Ok(Value::Unknown(unknown.clone())),
                other => {
                    return Ok(unknown(
                        place,
                        format!("a {} is part of a text", other.type_name()),
                    ));
                }
            }
        }
        self.allocate(text.len())?;
        Ok(Value::text(text, Some(place)))
    }
}

/// The lines of a text, each pointing at where it stands.
pub fn split_lines<'a>(text: &Text<'a>, keep_ends: bool) -> Vec<Value<'a>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.text.split_inclusive('\n') {
        let end = start + line.len();
        let shown = if keep_ends {
            end
        } else {
            start + line.trim_end_matches(['\n', '\r']).len()
        };
        lines.push(Value::Str(text.part(start, shown)));
        start = end;
    }
    lines
}
