//! Imports: the project's own modules, Python's library, and what an isolated build has.

use std::rc::Rc;

use ruff_python_ast::StmtImportFrom;

use super::builtin;
use super::interpreter::{Eval, Interpreter, Stop, cause};
use super::source::{Place, Source};
use super::target;
use super::value::{Module, Scope, Value};

impl<'a> Interpreter<'a> {
    /// `import name as alias`
    pub fn import_name(
        &mut self,
        name: &str,
        alias: Option<&str>,
        scope: &Rc<Scope<'a>>,
        place: Place<'a>,
    ) -> Eval<'a, ()> {
        let module = self.import_module(name, place)?;
        match alias {
            Some(alias) => scope.set(alias, module),
            None => {
                let top = name.split('.').next().unwrap_or(name);
                let value = if top == name {
                    module
                } else {
                    self.import_module(top, place)?
                };
                scope.set(top, value);
            }
        }
        Ok(())
    }

    /// `from module import names`
    pub fn import_from(&mut self, s: &'a StmtImportFrom, scope: &Rc<Scope<'a>>) -> Eval<'a, ()> {
        let place = Place::of(scope.source, s);
        let named = s.module.as_deref().unwrap_or_default();
        let name = if s.level == 0 {
            named.to_owned()
        } else {
            let mut parts: Vec<&str> = scope.package.split('.').filter(|p| !p.is_empty()).collect();
            for _ in 1..s.level {
                parts.pop();
            }
            parts.extend(named.split('.').filter(|p| !p.is_empty()));
            parts.join(".")
        };
        if name == "__future__" {
            return Ok(());
        }
        let module = self.import_module(&name, place)?;
        for alias in &s.names {
            if alias.name.as_str() == "*" {
                self.import_star(&module, scope, place);
                continue;
            }
            let value = self.imported_name(&module, &name, &alias.name, place)?;
            scope.set(alias.asname.as_deref().unwrap_or(&alias.name), value);
        }
        Ok(())
    }

    fn imported_name(
        &mut self,
        module: &Value<'a>,
        module_name: &str,
        name: &str,
        place: Place<'a>,
    ) -> Eval<'a> {
        match module {
            Value::Module(found) => {
                if let Some(value) = found.scope.own(name) {
                    return Ok(value);
                }
                if found.folder.is_some()
                    && self.find_module(&format!("{module_name}.{name}")).is_some()
                {
                    return self.import_module(&format!("{module_name}.{name}"), place);
                }
                match self.attribute(module, name, place) {
                    Err(Stop::Raise(..)) => {
                        let what = format!("cannot import name '{name}' from '{module_name}'");
                        self.raise("ImportError", &what, Some(place))
                    }
                    other => other,
                }
            }
            Value::Native(path) => {
                if let Some(since) = builtin::name_since(path, name)
                    && self.catches("ImportError")
                    && !self.branch(&since)?
                {
                    let what = format!("cannot import name '{name}' from '{module_name}'");
                    return self.raise("ImportError", &what, Some(place));
                }
                self.attribute(module, name, place)
            }
            other => self.attribute(other, name, place),
        }
    }

    fn import_star(&mut self, module: &Value<'a>, scope: &Rc<Scope<'a>>, place: Place<'a>) {
        match module {
            Value::Module(module) => {
                let wanted = match module.scope.own("__all__") {
                    Some(Value::List(list)) => Some(
                        list.items
                            .borrow()
                            .iter()
                            .filter_map(|v| v.as_str().map(str::to_owned))
                            .collect::<Vec<_>>(),
                    ),
                    _ => None,
                };
                let names: Vec<(Rc<str>, Value<'a>)> = module
                    .scope
                    .names
                    .borrow()
                    .iter()
                    .filter(|(name, _)| match &wanted {
                        Some(wanted) => wanted.iter().any(|w| **w == ***name),
                        None => !name.starts_with('_'),
                    })
                    .map(|(name, value)| (Rc::clone(name), value.clone()))
                    .collect();
                for (name, value) in names {
                    scope.set(&name, value);
                }
                if let Some(unknown) = module.scope.open.borrow().clone() {
                    *scope.open.borrow_mut() = Some(unknown);
                }
            }
            Value::Native(path) => {
                for name in builtin::star_names(path) {
                    scope.set(name, self.native_attribute(path, name));
                }
                if builtin::star_names(path).is_empty() {
                    let reason = format!("`from {path} import *` is not followed");
                    *scope.open.borrow_mut() = Some(cause(Some(place), reason));
                }
            }
            Value::Unknown(unknown) => *scope.open.borrow_mut() = Some(unknown.clone()),
            _ => {}
        }
    }

    /// The module of a dotted name.
    pub fn import_module(&mut self, name: &str, place: Place<'a>) -> Eval<'a> {
        if let Some(module) = self.modules.get(name) {
            return Ok(module.clone());
        }
        if let Some((file, folder)) = self.find_module(name) {
            if let Some((parent, _)) = name.rsplit_once('.') {
                self.import_module(parent, place)?;
                if let Some(module) = self.modules.get(name) {
                    return Ok(module.clone());
                }
            }
            return self.load_module(name, &file, folder.as_deref(), place);
        }
        if let Some(since) = builtin::module_since(name) {
            // Who does not expect it to fail only wants the Pythons where it does not.
            if !self.catches("ImportError") || self.branch(&since)? {
                return Ok(Value::native(builtin::canonical(name)));
            }
            return self.raise(
                "ModuleNotFoundError",
                &format!("No module named '{name}'"),
                Some(place),
            );
        }
        if builtin::is_python2_module(name) {
            return self.raise(
                "ModuleNotFoundError",
                &format!("No module named '{name}'"),
                Some(place),
            );
        }
        self.import_other(name, place)
    }

    /// A module that neither the project nor Python's library has.
    fn import_other(&mut self, name: &str, place: Place<'a>) -> Eval<'a> {
        let top = name.split('.').next().unwrap_or(name);
        let declared = self.world.context.build_requires.iter().any(|required| {
            let required = required.as_ref().replace('-', "_");
            let top = top.to_ascii_lowercase();
            required == top || builtin::import_name(&required) == Some(top.as_str())
        });
        let unknown = cause(
            Some(place),
            format!("the module `{name}` is not part of the project"),
        );
        let own = self.is_own_package(top);
        let there = if declared || !self.catches("ImportError") {
            true
        } else {
            self.undecidable(&unknown, false)?
        };
        if !there {
            return self.raise(
                "ModuleNotFoundError",
                &format!("No module named '{name}'"),
                Some(place),
            );
        }
        if !own && builtin::sets_up(name) {
            return Ok(Value::native(name));
        }
        let value = Value::Unknown(unknown);
        self.modules.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn is_own_package(&self, top: &str) -> bool {
        self.world.files.is_dir(top)
    }

    /// The file of a module, and its folder if it is a package, relative to the root.
    pub fn find_module(&self, name: &str) -> Option<(String, Option<String>)> {
        if name.is_empty() || name.split('.').any(|p| p.is_empty() || p.contains('/')) {
            return None;
        }
        let relative = name.replace('.', "/");
        for folder in self.search_path() {
            let base = if folder.is_empty() {
                relative.clone()
            } else {
                format!("{folder}/{relative}")
            };
            let init = format!("{base}/__init__.py");
            if self.world.files.is_file(&init) {
                return Some((init, Some(base)));
            }
            let file = format!("{base}.py");
            if file != "setup.py" && self.world.files.is_file(&file) {
                return Some((file, None));
            }
        }
        None
    }

    /// `sys.path`, as far as it lies in the project.
    fn search_path(&self) -> Vec<String> {
        let mut folders = Vec::new();
        if let Some(Value::List(list)) = self.patched.get("sys.path") {
            for item in list.items.borrow().iter() {
                if let Some(folder) = item.as_str().and_then(|path| self.inside(path)) {
                    folders.push(folder);
                }
            }
        }
        let here = self.inside("").unwrap_or_default();
        if !folders.contains(&here) {
            folders.push(here);
        }
        folders
    }

    /// Executes a file of the project as a module.
    pub fn load_module(
        &mut self,
        name: &str,
        file: &str,
        folder: Option<&str>,
        place: Place<'a>,
    ) -> Eval<'a> {
        let source = match self.world.source(file) {
            Ok(source) => source,
            Err(reason) => {
                let value = Value::Unknown(cause(Some(place), reason));
                self.modules.insert(name.to_owned(), value.clone());
                return Ok(value);
            }
        };
        let package = match folder {
            Some(_) => name,
            None => name.rsplit_once('.').map_or("", |(parent, _)| parent),
        };
        let scope = Scope::module(source, package);
        let scope = self.scope(scope);
        scope.set("__name__", Value::str(name));
        scope.set("__file__", Value::str(self.absolute_of(file)));
        scope.set("__doc__", builtin::docstring(source));
        if folder.is_some() {
            let path = folder.unwrap_or_default();
            scope.set(
                "__path__",
                Value::list(vec![Value::str(self.absolute_of(path))]),
            );
        }
        let module = Rc::new(Module {
            name: Rc::from(name),
            scope: Rc::clone(&scope),
            folder: folder.map(Rc::from),
        });
        let value = Value::Module(Rc::clone(&module));
        self.modules.insert(name.to_owned(), value.clone());
        match self.run_module(&module) {
            Ok(()) => {}
            Err(Stop::Raise(raised, raised_at)) => {
                let class = match &raised {
                    Value::Object(object) => object.class.clone(),
                    _ => Value::None,
                };
                // A module that says that it cannot be imported means it.
                let deliberate = self.is_instance(&raised, &Value::native("ImportError"))
                    == Some(true)
                    || matches!(class, Value::Class(_));
                if deliberate {
                    self.modules.remove(name);
                    return Err(Stop::Raise(raised, raised_at));
                }
                // Most likely something in it is not followed well enough.
                let reason = format!("importing `{name}` does not end well here");
                *scope.open.borrow_mut() = Some(cause(raised_at.or(Some(place)), reason));
            }
            Err(Stop::Halt(unknown)) => return Err(Stop::Halt(unknown)),
            Err(_) => {}
        }
        if let Some((parent, last)) = name.rsplit_once('.')
            && let Some(Value::Module(parent)) = self.modules.get(parent)
            && parent.scope.own(last).is_none()
        {
            parent.scope.set(last, value.clone());
        }
        Ok(value)
    }

    /// The absolute path of a file of the project.
    pub fn absolute_of(&self, path: &str) -> String {
        if path.is_empty() {
            super::interpreter::ROOT.to_owned()
        } else {
            format!("{}/{path}", super::interpreter::ROOT)
        }
    }

    /// The absolute path of a source.
    pub fn source_path(&self, source: &Source) -> String {
        self.absolute_of(&source.path)
    }

    /// A module made by hand (`types.ModuleType`, `imp.new_module`).
    pub fn empty_module(&mut self, name: &str, place: Place<'a>) -> Value<'a> {
        let scope = Scope::module(place.source, "");
        let scope = self.scope(scope);
        Value::Module(Rc::new(Module {
            name: Rc::from(name),
            scope,
            folder: None,
        }))
    }

    /// Whether a native module has a name, for `hasattr`.
    pub fn native_has(&mut self, path: &str, name: &str, place: Place<'a>) -> Value<'a> {
        match (path, name) {
            ("sys", "pypy_version_info" | "pypy_translation_info") => {
                target::from_marker(target::is_pypy())
            }
            (
                "sys",
                "setdefaultencoding" | "maxint" | "frozen" | "real_prefix" | "winver"
                | "getwindowsversion",
            ) => Value::Bool(false),
            (
                "os",
                "link" | "symlink" | "fork" | "getuid" | "geteuid" | "sched_getaffinity"
                | "cpu_count",
            ) => Value::Bool(true),
            (
                "sys",
                "version_info" | "platform" | "implementation" | "base_prefix" | "maxsize"
                | "hexversion",
            ) => Value::Bool(true),
            ("inspect", "getargspec" | "getmoduleinfo") => Value::Bool(false),
            _ => Value::Unknown(cause(
                Some(place),
                format!("whether `{path}` has `{name}` is not known"),
            )),
        }
    }
}
