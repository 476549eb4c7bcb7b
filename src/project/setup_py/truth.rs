//! The truth of values, and values that have one answer per target.

use std::rc::Rc;

use super::interpreter::{Args, Eval, Interpreter, Stop};
use super::source::Place;
use super::target;
use super::value::Value;

impl<'a> Interpreter<'a> {
    /// Whether a value counts as true on this run's target.
    pub fn truth(&mut self, value: &Value<'a>) -> Eval<'a, bool> {
        Ok(match value {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(i) => *i != 0,
            Value::Float(f) => *f != 0.0,
            Value::Str(text) => !text.text.is_empty(),
            Value::Bytes(bytes, _) => !bytes.is_empty(),
            Value::Tuple(items) => !items.is_empty(),
            Value::List(list) => {
                let open = list.openness();
                match open {
                    Some(unknown) if list.items.borrow().is_empty() => {
                        return self.undecidable(&unknown, true);
                    }
                    _ => list.items.borrow().len() > list.next.get(),
                }
            }
            Value::Dict(dict) | Value::Set(dict) => {
                let open = dict.openness();
                match open {
                    Some(unknown) if dict.len() == 0 => return self.undecidable(&unknown, true),
                    _ => dict.len() > 0,
                }
            }
            Value::Marker(marker) => {
                let marker = marker.clone();
                return self.branch(&marker);
            }
            Value::Choice(_) => {
                let settled = self.settled(value.clone())?;
                return self.truth(&settled);
            }
            Value::Unknown(unknown) => return self.undecidable(unknown, false),
            Value::Object(object) => return self.object_truth(value, object),
            _ => true,
        })
    }

    fn object_truth(
        &mut self,
        value: &Value<'a>,
        object: &Rc<super::value::Object<'a>>,
    ) -> Eval<'a, bool> {
        for name in ["__bool__", "__nonzero__", "__len__"] {
            if let Some(method) = self.class_attribute(&object.class, name) {
                let place = Place {
                    source: self.any_source(&method),
                    start: 0,
                    end: 0,
                    exact: false,
                };
                let args = Args {
                    pos: vec![value.clone()],
                    ..Args::default()
                };
                let answer = self.call(method, args, place)?;
                return match answer {
                    Value::Object(_) => Ok(true),
                    answer => self.truth(&answer),
                };
            }
        }
        Ok(true)
    }

    fn any_source(&self, method: &Value<'a>) -> &'a super::source::Source {
        match method {
            Value::Function(function) => function.scope.source,
            _ => self.world.nowhere(),
        }
    }

    /// A value without choices: the one for this run's target.
    pub fn settled(&mut self, value: Value<'a>) -> Eval<'a> {
        match value {
            Value::Choice(options) => {
                let last = options.len().saturating_sub(1);
                for (index, (marker, value)) in options.iter().enumerate() {
                    if index == last || self.branch(marker)? {
                        return self.settled(value.clone());
                    }
                }
                Ok(Value::None)
            }
            Value::VersionInfo => self.settled(target::version_info()),
            Value::Marker(marker) => Ok(Value::Bool(self.branch(&marker)?)),
            other => Ok(other),
        }
    }

    /// Does something with each of a choice's values.
    pub fn each(
        &mut self,
        options: &[(crate::python::MarkerTree, Value<'a>)],
        mut f: impl FnMut(&mut Self, &Value<'a>) -> Eval<'a>,
    ) -> Eval<'a> {
        let mut results = Vec::with_capacity(options.len());
        for (marker, value) in options {
            // What cannot happen on this run's targets need not be asked.
            if marker.is_disjoint(&self.path) {
                continue;
            }
            match f(self, value) {
                Ok(result) => results.push((marker.clone(), result)),
                // Raising on some targets only: ask which this run is for.
                Err(Stop::Raise(raised, place)) => {
                    if self.branch(marker)? {
                        return Err(Stop::Raise(raised, place));
                    }
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(target::choice(results))
    }
}
