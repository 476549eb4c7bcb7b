//! Classes of the file: instances, methods and attributes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::builtin;
use super::interpreter::{Args, Eval, Interpreter, cause, unknown};
use super::source::Place;
use super::target;
use super::value::{Class, Dict, Kind, Module, Object, Scope, Value};

impl<'a> Interpreter<'a> {
    /// A call of one of the file's own classes.
    pub fn instantiate(
        &mut self,
        class: &Rc<Class<'a>>,
        args: Args<'a>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let kind = Value::Class(Rc::clone(class));
        let native = self.native_base(&kind);
        let object = Rc::new(Object {
            class: kind.clone(),
            attributes: RefCell::default(),
            open: RefCell::default(),
        });
        let value = Value::Object(Rc::clone(&object));
        if let Some(native) = &native
            && !builtin::is_plain_base(native)
        {
            let reason = format!(
                "`{}` is derived from `{native}`, which is not followed",
                class.name
            );
            *object.open.borrow_mut() = Some(cause(Some(place), reason));
        }
        object
            .attributes
            .borrow_mut()
            .insert(Rc::from("args"), Value::tuple(args.pos.clone()));
        if let Some(init) = self.class_attribute(&kind, "__init__") {
            let mut args = args;
            args.pos.insert(0, value.clone());
            self.call(init, args, place)?;
        } else if matches!(
            native.as_deref(),
            Some("argparse.Namespace" | "types.SimpleNamespace")
        ) {
            for (name, value) in args.named {
                object.attributes.borrow_mut().insert(name, value);
            }
        }
        Ok(value)
    }

    /// The native class, or `unknown`, that a class is derived from.
    pub fn native_base(&self, class: &Value<'a>) -> Option<String> {
        match class {
            Value::Native(path) => Some(path.to_string()),
            Value::Class(class) => class.bases.iter().find_map(|base| match base {
                Value::Unknown(_) => Some("unknown".to_owned()),
                Value::Native(path) if &**path == "object" => None,
                base => self.native_base(base),
            }),
            _ => None,
        }
    }

    /// An attribute of a class of the file or what it is derived from.
    pub fn class_attribute(&self, class: &Value<'a>, name: &str) -> Option<Value<'a>> {
        let Value::Class(class) = class else {
            return None;
        };
        if let Some(value) = class.scope.own(name) {
            return Some(value);
        }
        class
            .bases
            .iter()
            .find_map(|base| self.class_attribute(base, name))
    }

    /// Whether `value` is an instance of `class`; none where that is not known.
    pub fn is_instance(&self, value: &Value<'a>, class: &Value<'a>) -> Option<bool> {
        match (value, class) {
            (_, Value::Tuple(classes)) => {
                let mut known = true;
                for class in classes.iter() {
                    match self.is_instance(value, class) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(false)
            }
            (Value::Unknown(_) | Value::Choice(_), _) | (_, Value::Unknown(_)) => None,
            (Value::Object(object), _) => self.is_subclass(&object.class, class),
            (_, Value::Native(path)) => Some(builtin::is_type(value, path)),
            _ => Some(false),
        }
    }

    /// Whether a class is derived from another.
    pub fn is_subclass(&self, class: &Value<'a>, wanted: &Value<'a>) -> Option<bool> {
        match (class, wanted) {
            (Value::Class(a), Value::Class(b)) if Rc::ptr_eq(a, b) => Some(true),
            (Value::Native(a), Value::Native(b)) => {
                Some(builtin::exceptions(a).contains(&&**b) || a == b)
            }
            (Value::Class(a), _) => {
                let mut known = true;
                for base in &a.bases {
                    match self.is_subclass(base, wanted) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                known.then_some(matches!(wanted, Value::Native(path) if &**path == "object"))
            }
            (Value::Unknown(_), _) | (_, Value::Unknown(_)) => None,
            _ => Some(false),
        }
    }

    /// `object.name`
    pub fn attribute(&mut self, object: &Value<'a>, name: &str, place: Place<'a>) -> Eval<'a> {
        match object {
            Value::Unknown(unknown) => Ok(Value::Unknown(unknown.clone())),
            Value::Native(path) => Ok(self.native_attribute(path, name)),
            Value::Module(module) => self.module_attribute(module, name, place),
            Value::Object(instance) => self.object_attribute(object, instance, name, place),
            Value::Class(class) => match self.class_attribute(object, name) {
                Some(Value::Function(f)) if f.decorator == Some("classmethod") => {
                    Ok(Value::Bound(Rc::new((object.clone(), Value::Function(f)))))
                }
                Some(value) => Ok(value),
                None if name == "__name__" => Ok(Value::str(&*class.name)),
                None => match self.native_base(object) {
                    Some(native) => Ok(Value::native(&format!("{native}.{name}"))),
                    None => self.raise("AttributeError", name, Some(place)),
                },
            },
            Value::VersionInfo => Ok(match name {
                "major" => target::by_version(|major, _| Value::Int(major)),
                "minor" => target::by_version(|_, minor| Value::Int(minor)),
                "micro" | "serial" => unknown(place, "the patch release of Python differs"),
                "releaselevel" => Value::str("final"),
                _ => Value::Method(Rc::new((object.clone(), Rc::from(name)))),
            }),
            Value::Function(function) => Ok(match name {
                "__name__" => Value::str(function.name),
                "__doc__" => Value::None,
                _ => unknown(place, "attributes of functions are not followed"),
            }),
            Value::Choice(_) if matches!(name, "major" | "minor") => {
                let index = Value::Int(i64::from(name == "minor"));
                self.item(object, &index, place)
            }
            Value::Path(path) => Ok(self.path_attribute(path, name, place)),
            Value::None => self.raise(
                "AttributeError",
                &format!("'NoneType' object has no attribute '{name}'"),
                Some(place),
            ),
            Value::File(file) if name == "name" => Ok(Value::str(&*file.path)),
            Value::Pattern(pattern) if name == "pattern" => Ok(Value::str(&pattern.text)),
            _ => {
                if builtin::has_method(object, name) {
                    Ok(Value::Method(Rc::new((object.clone(), Rc::from(name)))))
                } else {
                    let what = format!("'{}' object has no attribute '{name}'", object.type_name());
                    self.raise("AttributeError", &what, Some(place))
                }
            }
        }
    }

    fn module_attribute(
        &mut self,
        module: &Rc<Module<'a>>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        if let Some(value) = module.scope.own(name) {
            return Ok(value);
        }
        let full = format!("{}.{name}", module.name);
        if let Some(value) = self.modules.get(&full) {
            return Ok(value.clone());
        }
        match name {
            "__file__" => return Ok(Value::str(self.source_path(module.scope.source))),
            "__name__" => return Ok(Value::str(&*module.name)),
            "__doc__" => return Ok(builtin::docstring(module.scope.source)),
            "__path__" => {
                let folder = module.folder.as_deref().unwrap_or_default();
                return Ok(Value::list(vec![Value::str(self.absolute_of(folder))]));
            }
            "__dict__" => {
                let dict = self.names_as_dict(&module.scope);
                return Ok(dict);
            }
            _ => {}
        }
        if let Some(unknown) = module.scope.open.borrow().clone() {
            return Ok(Value::Unknown(unknown));
        }
        let what = format!("module '{}' has no attribute '{name}'", module.name);
        self.raise("AttributeError", &what, Some(place))
    }

    fn object_attribute(
        &mut self,
        value: &Value<'a>,
        instance: &Rc<Object<'a>>,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        let own = instance.attributes.borrow().get(name).cloned();
        if let Some(own) = own {
            return Ok(own);
        }
        // What `super()` hands out is bound to the object itself.
        let is_super = matches!(&instance.class, Value::Class(c) if &*c.name == "super");
        let this = is_super
            .then(|| instance.attributes.borrow().get("self").cloned())
            .flatten();
        let value = this.as_ref().unwrap_or(value);
        if let Some(found) = self.class_attribute(&instance.class, name) {
            return match found {
                Value::Function(f) => match f.decorator {
                    Some("staticmethod") => Ok(Value::Function(f)),
                    Some("classmethod") => Ok(Value::Bound(Rc::new((
                        instance.class.clone(),
                        Value::Function(f),
                    )))),
                    Some("property") => {
                        let args = Args {
                            pos: vec![value.clone()],
                            ..Args::default()
                        };
                        self.call(Value::Function(f), args, place)
                    }
                    _ => Ok(Value::Bound(Rc::new((value.clone(), Value::Function(f))))),
                },
                other => Ok(other),
            };
        }
        match name {
            "__class__" => return Ok(instance.class.clone()),
            "__dict__" => {
                let dict = Dict::default();
                for (name, value) in instance.attributes.borrow().iter() {
                    dict.set_str(name, value.clone());
                }
                return Ok(Value::Dict(Rc::new(dict)));
            }
            _ => {}
        }
        if let Some(method) = self.class_attribute(&instance.class, "__getattr__") {
            let args = Args {
                pos: vec![value.clone(), Value::str(name)],
                ..Args::default()
            };
            return self.call(method, args, place);
        }
        if let Some(unknown) = instance.open.borrow().clone() {
            return Ok(Value::Unknown(unknown));
        }
        match self.native_base(&instance.class) {
            Some(_) => Ok(Value::Method(Rc::new((value.clone(), Rc::from(name))))),
            None => self.raise("AttributeError", name, Some(place)),
        }
    }

    /// `object.name = value`
    pub fn set_attribute(&mut self, object: &Value<'a>, name: &str, value: Value<'a>) {
        match object {
            Value::Object(instance) => {
                instance
                    .attributes
                    .borrow_mut()
                    .insert(Rc::from(name), value);
            }
            Value::Class(class) => class.scope.set(name, value),
            Value::Module(module) => module.scope.set(name, value),
            Value::Native(path) => {
                self.patched.insert(format!("{path}.{name}"), value);
            }
            _ => {}
        }
    }

    /// `super()`: an object that hands out the methods of the bases.
    pub fn super_object(
        &mut self,
        args: &Args<'a>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let mut at = Some(Rc::clone(scope));
        let this = loop {
            let Some(current) = at else { break None };
            if let Some(this) = current.own("self").or_else(|| current.own("cls")) {
                break Some(this);
            }
            at = current.outer.clone();
        };
        let this = args.pos.get(1).cloned().or(this);
        let class = match (args.pos.first(), &this) {
            (Some(Value::Class(class)), _) => Some(Rc::clone(class)),
            (_, Some(Value::Object(object))) => match &object.class {
                Value::Class(class) => Some(Rc::clone(class)),
                _ => None,
            },
            _ => None,
        };
        let (Some(class), Some(this)) = (class, this) else {
            return Ok(unknown(place, "`super()` is not followed here"));
        };
        let attributes = HashMap::from([(Rc::from("self"), this)]);
        Ok(Value::Object(Rc::new(Object {
            class: Value::Class(Rc::new(Class {
                name: Rc::from("super"),
                bases: class.bases.clone(),
                scope: self.scope_of_super(&class),
            })),
            attributes: RefCell::new(attributes),
            open: RefCell::new(Some(cause(
                Some(place),
                "`super()` of a native class is not followed",
            ))),
        })))
    }

    /// A scope with the bases' methods bound the way that `super()` hands them out.
    fn scope_of_super(&mut self, class: &Rc<Class<'a>>) -> Rc<Scope<'a>> {
        let scope = Scope::inner(&class.scope, Kind::Class);
        self.scope(scope)
    }
}
