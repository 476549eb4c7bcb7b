//! The state of one run of a setup.py: limits, decisions, files, and what was found so far.
//!
//! A run is concrete: it holds one answer to every question about the target and to every question
//! that cannot be decided. Other answers are other runs; see `explore`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Instant;

use ruff_python_ast::ExceptHandler;

use super::answer::Context;
use super::limits;
use super::source::{self, Arena, Place, Source};
use super::target;
use super::value::{Cause, Scope, Text, Unknown, Value};
use crate::problem::SourceFile;
use crate::project::Files;
use crate::python::MarkerTree;

/// The absolute path that the project's root has in the interpreted program.
pub const ROOT: &str = "/project";

/// Why the next statement is not executed.
#[derive(Debug)]
pub enum Stop<'a> {
    /// An exception, and where it was raised.
    Raise(Value<'a>, Option<Place<'a>>),
    /// `return`
    Return(Value<'a>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// The run is over.
    Halt(Unknown<'a>),
}

/// The result of evaluating something.
pub type Eval<'a, T = Value<'a>> = Result<T, Stop<'a>>;

/// A question that a run had to answer.
#[derive(Debug, Clone)]
pub enum Question<'a> {
    /// Whether the target matches.
    Target,
    /// Something that only running the program could tell.
    Undecidable(Unknown<'a>),
}

/// A question and the answer this run goes by.
#[derive(Debug, Clone)]
pub struct Decision<'a> {
    /// The question.
    pub question: Question<'a>,
    /// The answer.
    pub answer: bool,
}

/// The project's files; what is asked of them once is remembered for the next run.
pub struct Seen<'a> {
    files: &'a dyn Files,
    listed: RefCell<HashMap<String, Rc<[String]>>>,
    kinds: RefCell<HashMap<String, (bool, bool)>>,
}

impl<'a> Seen<'a> {
    fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            listed: RefCell::default(),
            kinds: RefCell::default(),
        }
    }

    fn kind(&self, path: &str) -> (bool, bool) {
        if let Some(known) = self.kinds.borrow().get(path) {
            return *known;
        }
        let file = self.files.is_file(path);
        let kind = (file, !file && self.files.is_dir(path));
        self.kinds.borrow_mut().insert(path.to_owned(), kind);
        kind
    }

    /// Whether there is a file.
    pub fn is_file(&self, path: &str) -> bool {
        self.kind(path).0
    }

    /// Whether there is a folder.
    pub fn is_dir(&self, path: &str) -> bool {
        self.kind(path).1
    }

    /// The names in a folder.
    pub fn list(&self, path: &str) -> Rc<[String]> {
        if let Some(known) = self.listed.borrow().get(path) {
            return Rc::clone(known);
        }
        let names: Rc<[String]> = Rc::from(self.files.list(path));
        self.listed
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&names));
        names
    }
}

/// What is the same for all runs: the files, and what was read of them.
pub struct World<'a> {
    /// The project.
    pub files: Seen<'a>,
    /// Where sources are kept.
    pub arena: &'a Arena,
    /// What is known beforehand.
    pub context: &'a Context,
    /// When to give up.
    pub deadline: Instant,
    /// Steps of all runs.
    pub steps: Cell<u64>,
    nothing: std::cell::OnceCell<&'a Source>,
    sources: RefCell<HashMap<String, Result<&'a Source, String>>>,
    texts: RefCell<HashMap<String, Option<&'a Source>>>,
    patterns: RefCell<HashMap<String, Result<Rc<super::value::Pattern>, String>>>,
}

impl<'a> World<'a> {
    /// A world in which nothing was read yet.
    pub fn new(files: &'a dyn Files, arena: &'a Arena, context: &'a Context) -> Self {
        Self {
            files: Seen::new(files),
            arena,
            context,
            deadline: Instant::now() + limits::TIME,
            steps: Cell::new(0),
            nothing: std::cell::OnceCell::new(),
            sources: RefCell::default(),
            texts: RefCell::default(),
            patterns: RefCell::default(),
        }
    }

    /// The Python source at a path, parsed. The error is a sentence.
    pub fn source(&self, path: &str) -> Result<&'a Source, String> {
        if let Some(known) = self.sources.borrow().get(path) {
            return known.clone();
        }
        let read = self.parse(path);
        self.sources
            .borrow_mut()
            .insert(path.to_owned(), read.clone());
        read
    }

    fn parse(&self, path: &str) -> Result<&'a Source, String> {
        if self.sources.borrow().len() >= limits::FILES {
            return Err(format!("more than {} files are read", limits::FILES));
        }
        let bytes = self.files.files.read(path).map_err(|e| e.to_string())?;
        let text = source::decode(&bytes);
        let (body, errors) = source::parse(&text)?;
        Ok(self.keep(path, text, body, errors))
    }

    /// Keeps a text that is not a file's whole text, such as an argument of `exec`.
    pub fn parse_text(&self, path: &str, text: &str) -> Result<&'a Source, String> {
        let key = format!("{path}\0{text}");
        if let Some(known) = self.sources.borrow().get(&key) {
            return known.clone();
        }
        if self.sources.borrow().len() >= limits::FILES {
            return Err(format!("more than {} files are read", limits::FILES));
        }
        let (body, errors) = source::parse(text)?;
        let source = self.keep(path, text.to_owned(), body, errors);
        self.sources.borrow_mut().insert(key, Ok(source));
        Ok(source)
    }

    fn keep(
        &self,
        path: &str,
        text: String,
        body: ruff_python_ast::Suite,
        errors: Vec<source::SyntaxError>,
    ) -> &'a Source {
        self.arena.keep(Source {
            file: std::sync::Arc::new(SourceFile {
                path: self.files.files.display(path),
                text,
            }),
            path: path.to_owned(),
            body,
            errors,
        })
    }

    /// The text of a file that is not executed.
    pub fn text(&self, path: &str) -> Option<&'a Source> {
        if let Some(known) = self.texts.borrow().get(path) {
            return *known;
        }
        if self.texts.borrow().len() >= limits::FILES {
            return None;
        }
        let read = self.files.files.read(path).ok().map(|bytes| {
            let text = source::decode(&bytes);
            self.keep(path, text, ruff_python_ast::Suite::default(), Vec::new())
        });
        self.texts.borrow_mut().insert(path.to_owned(), read);
        read
    }

    /// A source that is no file: where a value without a place of its own is made.
    pub fn nowhere(&self) -> &'a Source {
        self.nothing.get_or_init(|| {
            self.keep(
                "setup.py",
                String::new(),
                ruff_python_ast::Suite::default(),
                Vec::new(),
            )
        })
    }

    /// A compiled regular expression.
    pub fn pattern(
        &self,
        key: String,
        make: impl FnOnce() -> Result<super::value::Pattern, String>,
    ) -> Result<Rc<super::value::Pattern>, String> {
        if let Some(known) = self.patterns.borrow().get(&key) {
            return known.clone();
        }
        let made = make().map(Rc::new);
        self.patterns.borrow_mut().insert(key, made.clone());
        made
    }
}

/// A `try` whose body is being executed.
#[derive(Debug, Clone)]
pub struct Guard<'a> {
    /// Its handlers.
    pub handlers: &'a [ExceptHandler],
    /// The scope their types are looked up in.
    pub scope: Rc<Scope<'a>>,
}

/// Arguments of a call.
#[derive(Debug, Default, Clone)]
pub struct Args<'a> {
    /// By position.
    pub pos: Vec<Value<'a>>,
    /// By name.
    pub named: Vec<(Rc<str>, Value<'a>)>,
    /// Set when there may be more (`*unknown`, `**unknown`).
    pub open: Option<Unknown<'a>>,
}

impl<'a> Args<'a> {
    /// The argument at a position or with a name.
    pub fn at(&self, position: usize, name: &str) -> Option<&Value<'a>> {
        self.pos.get(position).or_else(|| self.named(name))
    }

    /// The argument with a name.
    pub fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.named
            .iter()
            .find(|(n, _)| &**n == name)
            .map(|(_, v)| v)
    }

    /// The text argument at a position or with a name.
    pub fn text(&self, position: usize, name: &str) -> Option<&str> {
        self.at(position, name).and_then(Value::as_str)
    }
}

/// One call of `setup()`.
#[derive(Debug, Clone)]
pub struct SetupCall<'a> {
    /// Its keywords.
    pub keywords: Vec<(Rc<str>, Value<'a>)>,
    /// Set when there may be more keywords.
    pub open: Option<Unknown<'a>>,
    /// Where.
    pub place: Place<'a>,
}

/// One run.
pub struct Interpreter<'a> {
    /// What all runs share.
    pub world: &'a World<'a>,
    /// The answers to begin with.
    pub script: Vec<bool>,
    /// The answers given.
    pub decisions: Vec<Decision<'a>>,
    /// The targets that this run is for.
    pub path: MarkerTree,
    feasible: MarkerTree,
    steps: u64,
    /// The statement that is being run, the innermost one.
    pub at: Option<Place<'a>>,
    allocated: usize,
    /// Nested calls.
    pub calls: usize,
    /// Nested expressions and statements.
    pub nesting: usize,
    /// Modules of the project, by dotted name.
    pub modules: HashMap<String, Value<'a>>,
    /// The `try` statements around what is being executed.
    pub guards: Vec<Guard<'a>>,
    /// The exceptions that are being handled.
    pub handling: Vec<Value<'a>>,
    /// Environment variables that were set or asked for.
    pub environment: HashMap<String, Value<'a>>,
    /// Attributes of native modules that were replaced.
    pub patched: HashMap<String, Value<'a>>,
    /// The calls of `setup()`.
    pub setups: Vec<SetupCall<'a>>,
    /// Files that must exist and do not.
    pub missing: BTreeSet<String>,
    /// Evidence of native code.
    pub native: super::answer::Native,
    /// The first syntax error of an executed file that matters.
    pub flaw: Option<Unknown<'a>>,
    /// Scopes to take apart at the end: functions and scopes refer to each other.
    pub scopes: Vec<std::rc::Weak<Scope<'a>>>,
    /// The current folder, absolute.
    pub folder: String,
    /// What a generator has yielded so far, innermost last.
    pub yielded: Vec<Vec<Value<'a>>>,
}

impl<'a> Interpreter<'a> {
    /// A run that begins with these answers.
    pub fn new(world: &'a World<'a>, script: Vec<bool>, folder: &str) -> Self {
        Self {
            world,
            script,
            decisions: Vec::new(),
            path: MarkerTree::TRUE,
            feasible: target::AXIOMS.clone(),
            steps: 0,
            at: None,
            allocated: 0,
            calls: 0,
            nesting: 0,
            modules: HashMap::new(),
            guards: Vec::new(),
            handling: Vec::new(),
            environment: HashMap::new(),
            patched: HashMap::new(),
            setups: Vec::new(),
            missing: BTreeSet::new(),
            native: super::answer::Native::default(),
            flaw: None,
            scopes: Vec::new(),
            folder: if folder.is_empty() {
                ROOT.to_owned()
            } else {
                format!("{ROOT}/{folder}")
            },
            yielded: Vec::new(),
        }
    }

    /// Counts a step.
    pub fn step(&mut self) -> Eval<'a, ()> {
        self.steps += 1;
        if self.steps > limits::STEPS_PER_RUN {
            return Err(self.halt("it takes more steps than are followed"));
        }
        if self.steps.is_multiple_of(256) {
            let all = self.world.steps.get() + 256;
            self.world.steps.set(all);
            if all > limits::STEPS || Instant::now() > self.world.deadline {
                return Err(self.halt("it takes longer than is waited for"));
            }
        }
        Ok(())
    }

    /// Counts memory.
    pub fn allocate(&mut self, bytes: usize) -> Eval<'a, ()> {
        self.allocated = self.allocated.saturating_add(bytes);
        if bytes > limits::TEXT || self.allocated > limits::ALLOCATION {
            return Err(self.halt("it needs more memory than is given"));
        }
        Ok(())
    }

    /// Ends the run, at the statement that it has come to.
    pub fn halt(&self, reason: &str) -> Stop<'a> {
        let place = self.at.map(Place::first_line);
        Stop::Halt(Unknown(Rc::new(Cause {
            place,
            reason: reason.to_owned(),
            given_up: true,
        })))
    }

    /// Leaves all scopes empty, so that nothing keeps itself alive.
    pub fn take_apart(&mut self) {
        for scope in self.scopes.drain(..) {
            if let Some(scope) = scope.upgrade() {
                scope.names.borrow_mut().clear();
                scope.elsewhere.borrow_mut().clear();
            }
        }
    }

    /// A scope that is taken apart at the end.
    pub fn scope(&mut self, scope: Rc<Scope<'a>>) -> Rc<Scope<'a>> {
        self.scopes.push(Rc::downgrade(&scope));
        scope
    }

    /// Whether the target of this run matches.
    pub fn branch(&mut self, marker: &MarkerTree) -> Eval<'a, bool> {
        let mut yes = self.feasible.clone();
        yes.and(marker.clone());
        if yes.is_false() {
            return Ok(false);
        }
        let mut no = self.feasible.clone();
        no.and(marker.negate());
        if no.is_false() {
            return Ok(true);
        }
        let answer = self.next_answer(Question::Target, true)?;
        if answer {
            self.path.and(marker.clone());
            self.feasible = yes;
        } else {
            self.path.and(marker.negate());
            self.feasible = no;
        }
        Ok(answer)
    }

    /// The answer this run goes by to a question that cannot be decided.
    pub fn undecidable(&mut self, unknown: &Unknown<'a>, usual: bool) -> Eval<'a, bool> {
        self.next_answer(Question::Undecidable(unknown.clone()), usual)
    }

    fn next_answer(&mut self, question: Question<'a>, usual: bool) -> Eval<'a, bool> {
        let index = self.decisions.len();
        if index >= limits::DECISIONS {
            return Err(self.halt("it depends on more conditions than can be followed"));
        }
        let answer = self.script.get(index).copied().unwrap_or(usual);
        self.decisions.push(Decision { question, answer });
        Ok(answer)
    }

    /// Raises one of Python's own exceptions.
    pub fn raise<T>(&self, class: &str, message: &str, place: Option<Place<'a>>) -> Eval<'a, T> {
        Err(Stop::Raise(exception(class, message), place))
    }

    /// A path of the interpreted program, relative to the project's root; none outside of it.
    pub fn inside(&self, path: &str) -> Option<String> {
        let absolute = self.absolute(path);
        let rest = absolute.strip_prefix(ROOT)?;
        if rest.is_empty() {
            return Some(String::new());
        }
        Some(rest.strip_prefix('/')?.to_owned())
    }

    /// A path of the interpreted program, absolute and without `.` and `..`.
    pub fn absolute(&self, path: &str) -> String {
        let joined = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.folder)
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }
}

/// An unknown of a place and a reason.
pub fn cause<'a>(place: Option<Place<'a>>, reason: impl Into<String>) -> Unknown<'a> {
    Unknown(Rc::new(Cause {
        place,
        reason: reason.into(),
        given_up: false,
    }))
}

/// An unknown value of a place and a reason.
pub fn unknown<'a>(place: Place<'a>, reason: impl Into<String>) -> Value<'a> {
    Value::Unknown(cause(Some(place), reason))
}

/// One of Python's own exceptions.
pub fn exception<'a>(class: &str, message: &str) -> Value<'a> {
    let object = super::value::Object {
        class: Value::native(class),
        attributes: RefCell::default(),
        open: RefCell::default(),
    };
    object.attributes.borrow_mut().insert(
        Rc::from("args"),
        Value::tuple(vec![Value::Str(Text {
            text: Rc::from(message),
            place: None,
        })]),
    );
    Value::Object(Rc::new(object))
}
