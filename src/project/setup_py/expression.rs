//! Expressions.

use std::cell::RefCell;
use std::rc::Rc;

use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, ConversionFlag, Expr, ExprCall, ExprFString, ExprLambda,
    FStringPart, InterpolatedStringElement, Number, Parameters, UnaryOp,
};

use super::interpreter::{Args, Eval, Interpreter, Stop, cause, unknown};
use super::limits;
use super::source::Place;
use super::target;
use super::value::{Body, Dict, Function, Kind, Scope, Unknown, Value};

impl<'a> Interpreter<'a> {
    /// The value of an expression.
    pub fn evaluate(&mut self, expr: &'a Expr, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        self.step()?;
        self.nesting += 1;
        let result = if self.nesting > limits::NESTING {
            Err(self.halt("it is nested deeper than is followed"))
        } else {
            self.expression(expr, scope)
        };
        self.nesting -= 1;
        result
    }

    fn expression(&mut self, expr: &'a Expr, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let place = Place::of(scope.source, expr);
        match expr {
            Expr::StringLiteral(s) => Ok(literal(s, place)),
            Expr::BytesLiteral(b) => {
                let bytes: Vec<u8> = b.value.bytes().collect();
                Ok(Value::Bytes(Rc::from(bytes), Some(place)))
            }
            Expr::NumberLiteral(n) => Ok(match &n.value {
                Number::Int(i) => i
                    .as_i64()
                    .map_or_else(|| unknown(place, "the number is too large"), Value::Int),
                Number::Float(f) => Value::Float(*f),
                Number::Complex { .. } => unknown(place, "complex numbers are not followed"),
            }),
            Expr::BooleanLiteral(b) => Ok(Value::Bool(b.value)),
            Expr::NoneLiteral(_) => Ok(Value::None),
            Expr::EllipsisLiteral(_) => Ok(Value::native("Ellipsis")),
            Expr::Name(name) => self.name(&name.id, scope, place),
            Expr::List(list) => {
                let (items, open) = self.elements(&list.elts, scope)?;
                Ok(Value::open_list(items, open))
            }
            Expr::Tuple(tuple) => {
                let (items, open) = self.elements(&tuple.elts, scope)?;
                Ok(match open {
                    None => Value::tuple(items),
                    open => Value::open_list(items, open),
                })
            }
            Expr::Set(set) => {
                let (items, open) = self.elements(&set.elts, scope)?;
                self.make_set(items, open)
            }
            Expr::Dict(dict) => self.dict_display(dict, scope),
            Expr::BoolOp(b) => self.bool_op(b.op, &b.values, scope),
            Expr::Named(named) => {
                let value = self.evaluate(&named.value, scope)?;
                self.assign(&named.target, value.clone(), scope)?;
                Ok(value)
            }
            Expr::BinOp(b) => {
                let left = self.evaluate(&b.left, scope)?;
                let right = self.evaluate(&b.right, scope)?;
                self.binary(left, b.op, right, place)
            }
            Expr::UnaryOp(u) => {
                let operand = self.evaluate(&u.operand, scope)?;
                self.unary(u.op, operand, place)
            }
            Expr::Lambda(lambda) => self.lambda(lambda, scope),
            Expr::If(s) => {
                let test = self.evaluate(&s.test, scope)?;
                if self.truth(&test)? {
                    self.evaluate(&s.body, scope)
                } else {
                    self.evaluate(&s.orelse, scope)
                }
            }
            Expr::ListComp(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                Ok(Value::open_list(firsts(items), open))
            }
            Expr::Generator(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                Ok(Value::open_list(firsts(items), open))
            }
            Expr::SetComp(c) => {
                let (items, open) = self.comprehend(&c.generators, &c.elt, None, scope)?;
                self.make_set(firsts(items), open)
            }
            Expr::DictComp(c) => {
                let key = c.key.as_deref().unwrap_or(&c.value);
                let (items, open) = self.comprehend(&c.generators, key, Some(&c.value), scope)?;
                let dict = Dict::default();
                *dict.open.borrow_mut() = open;
                for (key, value) in items {
                    self.put(&dict, key, value);
                }
                Ok(Value::Dict(Rc::new(dict)))
            }
            Expr::Compare(c) => {
                let mut left = self.evaluate(&c.left, scope)?;
                let mut result = Value::Bool(true);
                for (op, right) in c.ops.iter().zip(&c.comparators) {
                    let right = self.evaluate(right, scope)?;
                    result = self.compare(&left, *op, &right, place)?;
                    if c.ops.len() > 1 && !self.truth(&result)? {
                        return Ok(result);
                    }
                    left = right;
                }
                Ok(result)
            }
            Expr::Call(call) => self.call_expression(call, scope, place),
            Expr::FString(f) => self.f_string(f, scope, place),
            Expr::Attribute(a) => {
                let object = self.evaluate(&a.value, scope)?;
                self.attribute(&object, &a.attr, place)
            }
            Expr::Subscript(s) => {
                let object = self.evaluate(&s.value, scope)?;
                let index = self.evaluate(&s.slice, scope)?;
                self.item(&object, &index, place)
            }
            Expr::Slice(s) => {
                let mut parts = [Value::None, Value::None, Value::None];
                for (part, expr) in parts.iter_mut().zip([&s.lower, &s.upper, &s.step]) {
                    if let Some(expr) = expr {
                        *part = self.evaluate(expr, scope)?;
                    }
                }
                Ok(Value::Slice(Rc::new(parts)))
            }
            Expr::Starred(s) => self.evaluate(&s.value, scope),
            Expr::Yield(y) => {
                let value = match &y.value {
                    Some(value) => self.evaluate(value, scope)?,
                    None => Value::None,
                };
                if let Some(yielded) = self.yielded.last_mut() {
                    yielded.push(value);
                }
                Ok(Value::None)
            }
            Expr::YieldFrom(y) => {
                let value = self.evaluate(&y.value, scope)?;
                let (items, open) = self.iterate(&value, Some(place))?;
                if let Some(yielded) = self.yielded.last_mut() {
                    yielded.extend(items);
                    yielded.extend(open.map(Value::Unknown));
                }
                Ok(Value::None)
            }
            Expr::Await(_) | Expr::TString(_) | Expr::IpyEscapeCommand(_) => {
                Ok(unknown(place, "this expression is not followed"))
            }
        }
    }

    fn name(&mut self, name: &str, scope: &Rc<Scope<'a>>, place: Place<'a>) -> Eval<'a> {
        if name.is_empty() {
            return Ok(unknown(place, "it is not Python 3"));
        }
        let mut at = Some(Rc::clone(scope));
        let mut open = None;
        let mut first = true;
        while let Some(current) = at {
            if first || current.kind != Kind::Class {
                if let Some(elsewhere) = current.elsewhere.borrow().get(name)
                    && let Some(value) = elsewhere.own(name)
                {
                    return Ok(value);
                }
                if let Some(value) = current.own(name) {
                    return Ok(value);
                }
                if open.is_none() {
                    open = current.open.borrow().clone();
                }
            }
            first = false;
            at = current.outer.clone();
        }
        if let Some(unknown) = open {
            return Ok(Value::Unknown(unknown));
        }
        if let Some(value) = self.builtin_name(name) {
            return Ok(value);
        }
        self.raise(
            "NameError",
            &format!("name '{name}' is not defined"),
            Some(place),
        )
    }

    /// The elements of a display; stars are spread.
    fn elements(
        &mut self,
        exprs: &'a [Expr],
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, (Vec<Value<'a>>, Option<Unknown<'a>>)> {
        let mut items = Vec::with_capacity(exprs.len());
        let mut open = None;
        for expr in exprs {
            let value = self.evaluate(expr, scope)?;
            if matches!(expr, Expr::Starred(_)) {
                let value = self.settled(value)?;
                let (more, rest) = self.iterate(&value, Some(Place::of(scope.source, expr)))?;
                items.extend(more);
                open = open.or(rest);
            } else {
                items.push(value);
            }
        }
        Ok((items, open))
    }

    /// A set of values; what cannot be hashed leaves it open.
    pub fn make_set(&mut self, items: Vec<Value<'a>>, open: Option<Unknown<'a>>) -> Eval<'a> {
        let set = Dict::default();
        *set.open.borrow_mut() = open;
        for item in items {
            let item = self.settled(item)?;
            self.put(&set, item, Value::None);
        }
        Ok(Value::Set(Rc::new(set)))
    }

    /// Sets a key; an unknown key leaves the dictionary open.
    pub fn put(&mut self, dict: &Dict<'a>, key: Value<'a>, value: Value<'a>) {
        match key.key() {
            Some(hashed) => {
                if let (Some(mirrored), Value::Str(name)) = (&*dict.mirror.borrow(), &key) {
                    mirrored.set(&name.text, value.clone());
                }
                dict.set(hashed, key, value);
            }
            None => {
                let unknown = match key {
                    Value::Unknown(unknown) => unknown,
                    other => cause(value.place(), format!("a {} is the key", other.type_name())),
                };
                dict.open.borrow_mut().get_or_insert(unknown);
            }
        }
    }

    fn dict_display(
        &mut self,
        dict: &'a ruff_python_ast::ExprDict,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a> {
        let made = Dict::default();
        for item in &dict.items {
            let value = self.evaluate(&item.value, scope)?;
            match &item.key {
                Some(key) => {
                    let key = self.evaluate(key, scope)?;
                    let key = self.settled(key)?;
                    self.put(&made, key, value);
                }
                None => self.update_dict(&made, &value)?,
            }
        }
        Ok(Value::Dict(Rc::new(made)))
    }

    fn bool_op(&mut self, op: BoolOp, values: &'a [Expr], scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let mut result = Value::None;
        let stops_at = op == BoolOp::Or;
        for (index, expr) in values.iter().enumerate() {
            result = self.evaluate(expr, scope)?;
            if index + 1 == values.len() {
                break;
            }
            // Two markers combine without asking for the target.
            if let Value::Marker(marker) = &result
                && let [rest] = values.get(index + 1..).unwrap_or_default()
                && pure(rest)
            {
                let marker = marker.clone();
                let rest = self.evaluate(rest, scope)?;
                if let Some(joined) = join(op, marker.clone(), &rest) {
                    return Ok(joined);
                }
                let first = self.branch(&marker)?;
                return Ok(if first == stops_at {
                    Value::Bool(first)
                } else {
                    rest
                });
            }
            if self.truth(&result)? == stops_at {
                return Ok(match result {
                    Value::Marker(_) => Value::Bool(stops_at),
                    other => other,
                });
            }
        }
        Ok(result)
    }

    fn lambda(&mut self, lambda: &'a ExprLambda, scope: &Rc<Scope<'a>>) -> Eval<'a> {
        let parameters = lambda.parameters.as_deref();
        let defaults = match parameters {
            Some(parameters) => self.defaults(parameters, scope)?,
            None => Vec::new(),
        };
        Ok(Value::Function(Rc::new(Function {
            name: "<lambda>",
            parameters,
            body: Body::Expression(&lambda.body),
            defaults,
            scope: Rc::clone(scope),
            generator: false,
            decorator: None,
            class: RefCell::default(),
        })))
    }

    /// Default values of parameters.
    pub fn defaults(
        &mut self,
        parameters: &'a Parameters,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, Vec<Option<Value<'a>>>> {
        parameters
            .iter_non_variadic_params()
            .map(|p| {
                p.default
                    .as_deref()
                    .map(|d| self.evaluate(d, scope))
                    .transpose()
            })
            .collect()
    }

    #[allow(
        clippy::type_complexity,
        reason = "pairs of an element and, for dictionaries, its value"
    )]
    fn comprehend(
        &mut self,
        generators: &'a [Comprehension],
        element: &'a Expr,
        value: Option<&'a Expr>,
        scope: &Rc<Scope<'a>>,
    ) -> Eval<'a, (Vec<(Value<'a>, Value<'a>)>, Option<Unknown<'a>>)> {
        let inner = Scope::inner(scope, Kind::Comprehension);
        let inner = self.scope(inner);
        let mut found = Vec::new();
        let mut open = None;
        self.comprehend_into(generators, (element, value), &inner, &mut found, &mut open)?;
        Ok((found, open))
    }

    fn comprehend_into(
        &mut self,
        generators: &'a [Comprehension],
        wanted: (&'a Expr, Option<&'a Expr>),
        scope: &Rc<Scope<'a>>,
        found: &mut Vec<(Value<'a>, Value<'a>)>,
        open: &mut Option<Unknown<'a>>,
    ) -> Eval<'a, ()> {
        let Some((generator, rest)) = generators.split_first() else {
            let element = self.evaluate(wanted.0, scope)?;
            let value = match wanted.1 {
                Some(value) => self.evaluate(value, scope)?,
                None => Value::None,
            };
            self.allocate(64)?;
            found.push((element, value));
            return Ok(());
        };
        let iterated = self.evaluate(&generator.iter, scope)?;
        let iterated = self.settled(iterated)?;
        let place = Place::of(scope.source, &generator.iter);
        let (items, more) = self.iterate(&iterated, Some(place))?;
        if open.is_none() {
            *open = more;
        }
        'items: for item in items {
            self.step()?;
            self.assign(&generator.target, item, scope)?;
            for condition in &generator.ifs {
                let condition = self.evaluate(condition, scope)?;
                if let Value::Unknown(unknown) = &condition {
                    // The element may or may not be there.
                    open.get_or_insert_with(|| unknown.clone());
                    continue 'items;
                }
                if !self.truth(&condition)? {
                    continue 'items;
                }
            }
            self.comprehend_into(rest, wanted, scope, found, open)?;
        }
        Ok(())
    }

    fn call_expression(
        &mut self,
        call: &'a ExprCall,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        // These three see the scope they are called in.
        if let Expr::Name(name) = &*call.func
            && matches!(
                name.id.as_str(),
                "locals" | "globals" | "vars" | "super" | "exec" | "eval" | "execfile"
            )
            && scope.own(&name.id).is_none()
        {
            return self.scoped_call(&name.id, call, scope, place);
        }
        let function = self.evaluate(&call.func, scope)?;
        let args = self.arguments(call, scope)?;
        self.call(function, args, place)
    }

    /// The arguments of a call.
    pub fn arguments(&mut self, call: &'a ExprCall, scope: &Rc<Scope<'a>>) -> Eval<'a, Args<'a>> {
        let mut args = Args::default();
        for arg in &call.arguments.args {
            let value = self.evaluate(arg, scope)?;
            if matches!(arg, Expr::Starred(_)) {
                let value = self.settled(value)?;
                let (items, open) = self.iterate(&value, Some(Place::of(scope.source, arg)))?;
                args.pos.extend(items);
                args.open = args.open.take().or(open);
            } else {
                args.pos.push(value);
            }
        }
        for keyword in &call.arguments.keywords {
            let value = self.evaluate(&keyword.value, scope)?;
            match &keyword.arg {
                Some(name) => args.named.push((Rc::from(name.as_str()), value)),
                None => match self.settled(value)? {
                    Value::Dict(dict) => {
                        for (name, value) in dict.entries() {
                            if let Value::Str(name) = name {
                                args.named.push((name.text, value));
                            }
                        }
                        let open = dict.openness();
                        args.open = args.open.take().or(open);
                    }
                    Value::Unknown(unknown) => args.open = Some(unknown),
                    other => {
                        let place = Place::of(scope.source, &keyword.value);
                        let reason = format!("a {} is spread as keywords", other.type_name());
                        args.open = Some(cause(Some(place), reason));
                    }
                },
            }
        }
        Ok(args)
    }

    fn f_string(
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

    fn unary(&mut self, op: UnaryOp, operand: Value<'a>, place: Place<'a>) -> Eval<'a> {
        Ok(match (op, operand) {
            (UnaryOp::Not, Value::Marker(marker)) => target::from_marker(marker.negate()),
            (UnaryOp::Not, Value::Unknown(unknown)) => Value::Unknown(unknown),
            (UnaryOp::Not, operand) => Value::Bool(!self.truth(&operand)?),
            (UnaryOp::USub, Value::Int(i)) => Value::Int(i.wrapping_neg()),
            (UnaryOp::USub, Value::Float(f)) => Value::Float(-f),
            (UnaryOp::UAdd, number @ (Value::Int(_) | Value::Float(_))) => number,
            (UnaryOp::Invert, Value::Int(i)) => Value::Int(!i),
            (_, Value::Unknown(unknown)) => Value::Unknown(unknown),
            (_, other) => unknown(
                place,
                format!("the sign of a {} is not followed", other.type_name()),
            ),
        })
    }

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

    /// A comparison.
    pub fn compare(
        &mut self,
        left: &Value<'a>,
        op: CmpOp,
        right: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        match (left, right) {
            (Value::VersionInfo, Value::Tuple(wanted)) if wanted.len() > 2 => {
                if let Some(marker) = target::compare_version(op.as_str(), wanted) {
                    return Ok(target::from_marker(marker));
                }
                self.compare(&target::version_info(), op, right, place)
            }
            (Value::Tuple(wanted), Value::VersionInfo) if wanted.len() > 2 => {
                let mirrored = match op {
                    CmpOp::Lt => CmpOp::Gt,
                    CmpOp::LtE => CmpOp::GtE,
                    CmpOp::Gt => CmpOp::Lt,
                    CmpOp::GtE => CmpOp::LtE,
                    other => other,
                };
                self.compare(right, mirrored, left, place)
            }
            (Value::VersionInfo, _) => self.compare(&target::version_info(), op, right, place),
            (_, Value::VersionInfo) => self.compare(left, op, &target::version_info(), place),
            (Value::Choice(options), _) => {
                self.each(options, |this, left| this.compare(left, op, right, place))
            }
            (_, Value::Choice(options)) => {
                self.each(options, |this, right| this.compare(left, op, right, place))
            }
            _ => self.compare_known(left, op, right, place),
        }
    }
}

/// A text literal. Its place is exact where no escape or quote stands between source and value.
fn literal<'a>(s: &'a ruff_python_ast::ExprStringLiteral, place: Place<'a>) -> Value<'a> {
    let text = s.value.to_str();
    let whole = place
        .source
        .file
        .text
        .get(place.start as usize..place.end as usize)
        .unwrap_or_default();
    let exact = whole.find(text).filter(|_| !text.is_empty());
    let place = match exact.and_then(|at| u32::try_from(at).ok()) {
        Some(at) => Place {
            start: place.start + at,
            end: place.start + at + u32::try_from(text.len()).unwrap_or(0),
            exact: true,
            ..place
        },
        None => place,
    };
    Value::text(text, Some(place))
}

fn firsts<'a>(pairs: Vec<(Value<'a>, Value<'a>)>) -> Vec<Value<'a>> {
    pairs.into_iter().map(|(first, _)| first).collect()
}

/// Whether an expression can be evaluated though Python might skip it.
fn pure(expr: &Expr) -> bool {
    match expr {
        Expr::Compare(c) => pure(&c.left) && c.comparators.iter().all(pure),
        Expr::Name(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) => true,
        Expr::BooleanLiteral(_) => true,
        Expr::Attribute(a) => pure(&a.value),
        Expr::Tuple(t) => t.elts.iter().all(pure),
        Expr::List(t) => t.elts.iter().all(pure),
        Expr::Subscript(s) => pure(&s.value) && pure(&s.slice),
        Expr::Slice(s) => [&s.lower, &s.upper]
            .iter()
            .all(|p| p.as_deref().is_none_or(pure)),
        Expr::UnaryOp(u) => pure(&u.operand),
        Expr::BoolOp(b) => b.values.iter().all(pure),
        _ => false,
    }
}

fn join<'a>(op: BoolOp, first: crate::python::MarkerTree, second: &Value<'a>) -> Option<Value<'a>> {
    let mut joined = first;
    match (op, second) {
        (BoolOp::And, Value::Marker(second)) => joined.and(second.clone()),
        (BoolOp::Or, Value::Marker(second)) => joined.or(second.clone()),
        (BoolOp::And, Value::Bool(true)) | (BoolOp::Or, Value::Bool(false)) => {}
        (BoolOp::And, Value::Bool(false)) => return Some(Value::Bool(false)),
        (BoolOp::Or, Value::Bool(true)) => return Some(Value::Bool(true)),
        _ => return None,
    }
    Some(target::from_marker(joined))
}
