//! `match`: a subject against the patterns of its cases, as PEP 634 defines them.

use std::rc::Rc;

use ruff_python_ast::{
    CmpOp, Expr, Pattern, PatternMatchClass, PatternMatchMapping, Singleton, StmtMatch,
};

use super::interpreter::{Eval, Interpreter, unknown};
use super::source::Place;
use super::value::{Dict, Scope, Value};

/// Types whose single positional pattern is matched against the value itself.
const WHOLE: &[&str] = &[
    "bool", "bytes", "dict", "float", "int", "list", "set", "str", "tuple",
];

impl<'a> Interpreter<'a> {
    /// Executes the first case that matches.
    pub fn match_statement(&mut self, s: &'a StmtMatch, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let subject = self.evaluate(&s.subject, scope)?;
        for case in &s.cases {
            if !self.matches(&case.pattern, &subject, scope)? {
                continue;
            }
            let holds = match &case.guard {
                Some(guard) => {
                    let guard = self.evaluate(guard, scope)?;
                    self.truth(&guard)?
                }
                None => true,
            };
            if holds {
                return self.block(&case.body, scope);
            }
        }
        Ok(())
    }

    /// Whether a value matches; names of the pattern are bound on the way.
    fn matches(
        &mut self,
        pattern: &'a Pattern,
        subject: &Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, bool> {
        self.step()?;
        let place = Place::of(scope.source, pattern);
        match pattern {
            Pattern::MatchValue(p) => {
                let value = self.evaluate(&p.value, scope)?;
                let same = self.compare(subject, CmpOp::Eq, &value, place)?;
                self.truth(&same)
            }
            Pattern::MatchSingleton(p) => {
                let value = match p.value {
                    Singleton::None => Value::None,
                    Singleton::True => Value::Bool(true),
                    Singleton::False => Value::Bool(false),
                };
                let same = self.compare(subject, CmpOp::Is, &value, place)?;
                self.truth(&same)
            }
            Pattern::MatchSequence(p) => self.matches_sequence(&p.patterns, subject, scope, place),
            Pattern::MatchMapping(p) => self.matches_mapping(p, subject, scope),
            Pattern::MatchClass(p) => self.matches_class(p, subject, scope, place),
            Pattern::MatchStar(p) => {
                if let Some(name) = &p.name {
                    scope.set(name, subject.clone());
                }
                Ok(true)
            }
            Pattern::MatchAs(p) => {
                if let Some(inner) = &p.pattern
                    && !self.matches(inner, subject, scope)?
                {
                    return Ok(false);
                }
                if let Some(name) = &p.name {
                    scope.set(name, subject.clone());
                }
                Ok(true)
            }
            Pattern::MatchOr(p) => {
                for inner in &p.patterns {
                    if self.matches(inner, subject, scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    fn matches_sequence(
        &mut self,
        patterns: &'a [Pattern],
        subject: &Value<'a>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a, bool> {
        let subject = self.settled(subject.clone())?;
        let (items, open) = match &subject {
            Value::List(_) | Value::Tuple(_) => self.iterate(&subject, Some(place))?,
            Value::Unknown(unknown) => (Vec::new(), Some(unknown.clone())),
            _ => return Ok(false),
        };
        if let Some(open) = open {
            let open = Value::Unknown(open);
            return Ok(self.truth(&open)? && self.matches_all(patterns, &open, scope)?);
        }
        let star = patterns
            .iter()
            .position(|p| matches!(p, Pattern::MatchStar(_)));
        let fits = match star {
            Some(_) => items.len() + 1 >= patterns.len(),
            None => items.len() == patterns.len(),
        };
        if !fits {
            return Ok(false);
        }
        let rest = (items.len() + 1).saturating_sub(patterns.len());
        let mut items = items.into_iter();
        for (index, pattern) in patterns.iter().enumerate() {
            let value = if Some(index) == star {
                Value::list(items.by_ref().take(rest).collect())
            } else {
                items.next().unwrap_or(Value::None)
            };
            if !self.matches(pattern, &value, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one value matches every pattern.
    fn matches_all(
        &mut self,
        patterns: &'a [Pattern],
        subject: &Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, bool> {
        for pattern in patterns {
            if !self.matches(pattern, subject, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn matches_mapping(
        &mut self,
        mapping: &'a PatternMatchMapping,
        subject: &Value<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, bool> {
        let subject = self.settled(subject.clone())?;
        let dict = match &subject {
            Value::Dict(dict) => Rc::clone(dict),
            Value::Unknown(_) => {
                return Ok(self.truth(&subject)?
                    && self.matches_all(&mapping.patterns, &subject, scope)?);
            }
            _ => return Ok(false),
        };
        let rest = Dict::default();
        self.update_dict(&rest, &subject)?;
        for (key, pattern) in mapping.keys.iter().zip(&mapping.patterns) {
            let key = self.evaluate(key, scope)?;
            let found = key.key().and_then(|k| dict.at(&k));
            let value = match (found, dict.openness()) {
                (Some(value), _) => value,
                (None, Some(unknown)) => {
                    let value = Value::Unknown(unknown);
                    if !self.truth(&value)? {
                        return Ok(false);
                    }
                    value
                }
                (None, None) => return Ok(false),
            };
            if !self.matches(pattern, &value, scope)? {
                return Ok(false);
            }
            if let Some(key) = key.key() {
                rest.remove(&key);
            }
        }
        if let Some(name) = &mapping.rest {
            scope.set(name, Value::Dict(Rc::new(rest)));
        }
        Ok(true)
    }

    fn matches_class(
        &mut self,
        pattern: &'a PatternMatchClass,
        subject: &Value<'a>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a, bool> {
        let class: &'a Expr = &pattern.cls;
        let class = self.evaluate(class, scope)?;
        let subject = self.settled(subject.clone())?;
        let is_one = match self.is_instance(&subject, &class) {
            Some(known) => known,
            None => self.truth(&unknown(place, "whether it is of this class is not known"))?,
        };
        if !is_one {
            return Ok(false);
        }
        match (&class, pattern.arguments.patterns.as_slice()) {
            (_, []) => {}
            (Value::Native(path), [only]) if WHOLE.contains(&&**path) => {
                if !self.matches(only, &subject, scope)? {
                    return Ok(false);
                }
            }
            (_, patterns) => {
                let value = unknown(place, "patterns by position are not followed");
                if !self.truth(&value)? || !self.matches_all(patterns, &value, scope)? {
                    return Ok(false);
                }
            }
        }
        for keyword in &pattern.arguments.keywords {
            let value = self.attribute(&subject, &keyword.attr, place)?;
            if !self.matches(&keyword.pattern, &value, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
