//! Runs of one setup.py under every answer that matters, and what they say together.
//!
//! Each question about the target is answered both ways, each run on its own targets; what they
//! require differently becomes markers. Questions that cannot be decided are answered as an
//! ordinary build would, and other answers are looked behind: where they change a requirement, the
//! requirement is not known.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::answer::{Fact, Native, SetupPy};
use super::interpreter::{Decision, Interpreter, Question, Stop, World, cause};
use super::keyword::Said;
use super::limits;
use super::source::Source;
use super::target;
use super::value::{Scope, Unknown, Value};
use crate::problem::{Code, Problem, Severity};
use crate::project::{self, Evaluated};
use crate::python::{ExtraName, MarkerTree, Requirement};

/// What one run came to.
struct Run<'a> {
    path: MarkerTree,
    decisions: Vec<Decision<'a>>,
    /// The question that was answered unusually.
    unusual: Option<Unknown<'a>>,
    said: Option<Said<'a>>,
    /// Why there is nothing, or not everything.
    end: Option<Unknown<'a>>,
    missing: BTreeSet<String>,
    native: Native,
    flaw: Option<Unknown<'a>>,
}

struct Script<'a> {
    answers: Vec<bool>,
    unusual: Vec<Unknown<'a>>,
}

/// Runs a setup.py and tells what it says.
pub fn explore<'a>(world: &'a World<'a>, source: &'a Source) -> SetupPy {
    let mut usual = VecDeque::from([Script {
        answers: Vec::new(),
        unusual: Vec::new(),
    }]);
    let mut unusual = VecDeque::new();
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut others: Vec<Run<'a>> = Vec::new();
    let mut cut = None;
    loop {
        let script = match usual.pop_front() {
            Some(script) if runs.len() < limits::TARGET_RUNS => script,
            Some(_) => {
                cut = Some(cause(
                    None,
                    "it depends on more conditions than can be followed",
                ));
                usual.clear();
                continue;
            }
            None => match unusual.pop_front() {
                Some(script) if others.len() < limits::OTHER_RUNS => script,
                _ => break,
            },
        };
        let begun = script.answers.len();
        let run = run_once(world, source, &script);
        for (index, decision) in run.decisions.iter().enumerate().skip(begun) {
            let mut answers: Vec<bool> =
                run.decisions.iter().take(index).map(|d| d.answer).collect();
            answers.push(!decision.answer);
            let mut causes = script.unusual.clone();
            if let Question::Undecidable(unknown) = &decision.question {
                causes.push(unknown.clone());
            }
            let next = Script {
                answers,
                unusual: causes,
            };
            if next.unusual.is_empty() {
                usual.push_back(next);
            } else if next.unusual.len() <= limits::UNUSUAL_ANSWERS {
                unusual.push_back(next);
            }
        }
        if script.unusual.is_empty() {
            runs.push(run)
        } else {
            others.push(run)
        }
    }
    Summary::new(runs, others, cut).answer(world)
}

fn run_once<'a>(world: &'a World<'a>, source: &'a Source, script: &Script<'a>) -> Run<'a> {
    let folder = source
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let mut interpreter = Interpreter::new(world, script.answers.clone(), folder);
    let scope = Scope::module(source, "");
    let scope = interpreter.scope(scope);
    scope.set("__name__", Value::str("__main__"));
    scope.set("__file__", Value::str(interpreter.source_path(source)));
    scope.set("__doc__", super::builtin::docstring(source));
    let result = interpreter.block(&source.body, &scope);
    let mut end = match result {
        Err(Stop::Raise(raised, place)) => {
            let name = match &raised {
                Value::Object(object) => match &object.class {
                    Value::Native(path) => path.to_string(),
                    Value::Class(class) => class.name.to_string(),
                    _ => "an exception".to_owned(),
                },
                _ => "an exception".to_owned(),
            };
            let message = match &raised {
                Value::Object(object) => match object.attributes.borrow().get("args") {
                    Some(Value::Tuple(args)) => args
                        .first()
                        .and_then(Value::as_str)
                        .map(|t| format!(": {t}"))
                        .unwrap_or_default(),
                    _ => String::new(),
                },
                _ => String::new(),
            };
            Some(cause(place, format!("it ends with {name}{message}")))
        }
        Err(Stop::Halt(unknown)) => Some(unknown),
        _ => None,
    };
    let mut said = None;
    let setups = interpreter.setups.clone();
    if let Some(call) = setups.first() {
        interpreter.guards.clear();
        match interpreter.read_keywords(call) {
            Ok(mut first) => {
                for more in setups.iter().skip(1) {
                    if let Ok(second) = interpreter.read_keywords(more)
                        && texts(&second) != texts(&first)
                    {
                        let reason =
                            "`setup()` is called several times with different requirements";
                        first.requires_unknown.push(cause(Some(more.place), reason));
                    }
                }
                said = Some(first);
                // What comes after `setup()` does not matter.
                end = None;
            }
            Err(Stop::Halt(unknown)) => end = Some(unknown),
            Err(_) => {
                end = Some(cause(
                    Some(call.place),
                    "the arguments of `setup()` are not followed",
                ))
            }
        }
    } else if end.is_none() {
        end = Some(cause(None, "it does not call `setup()`"));
    }
    interpreter.take_apart();
    Run {
        path: interpreter.path.clone(),
        decisions: std::mem::take(&mut interpreter.decisions),
        unusual: script.unusual.last().cloned(),
        said,
        end,
        missing: std::mem::take(&mut interpreter.missing),
        native: std::mem::take(&mut interpreter.native),
        flaw: interpreter.flaw.clone(),
    }
}

fn texts(said: &Said<'_>) -> Vec<String> {
    said.requires
        .iter()
        .map(|(extra, r)| format!("{extra:?} {r}"))
        .collect()
}

/// A requirement without its marker: what tells two of them apart.
type Key = (Option<ExtraName>, String);

fn key(extra: Option<&ExtraName>, requirement: &Requirement) -> Key {
    let bare = Requirement {
        marker: MarkerTree::TRUE,
        origin: None,
        ..requirement.clone()
    };
    (extra.cloned(), bare.to_string())
}

struct Summary<'a> {
    runs: Vec<Run<'a>>,
    others: Vec<Run<'a>>,
    cut: Option<Unknown<'a>>,
    /// The targets on which `setup()` is reached.
    reached: MarkerTree,
}

impl<'a> Summary<'a> {
    fn new(mut runs: Vec<Run<'a>>, mut others: Vec<Run<'a>>, cut: Option<Unknown<'a>>) -> Self {
        let python3 = target::marker("python_version >= '3'");
        if !runs.iter().any(|r| r.said.is_some()) && others.iter().any(|r| r.said.is_some()) {
            // An ordinary build gets to `setup()`, so it answers those questions as these runs do.
            let first = others
                .iter()
                .find(|r| r.said.is_some())
                .and_then(|r| r.unusual.clone());
            let same = |r: &Run<'a>| match (&r.unusual, &first) {
                (Some(a), Some(b)) => r.said.is_some() && std::rc::Rc::ptr_eq(&a.0, &b.0),
                _ => false,
            };
            let (chosen, rest) = others.into_iter().partition(|r| same(r));
            runs = chosen;
            others = rest;
        }
        // Python 2 is not built for any more: where only it is not understood, nothing is lost.
        let wanted = |r: &Run<'a>| r.said.is_some() && !r.path.is_disjoint(&python3);
        if runs.iter().any(wanted) {
            runs.retain(|r| {
                let sure = r
                    .said
                    .as_ref()
                    .is_some_and(|s| s.requires_unknown.is_empty());
                sure || !r.path.is_disjoint(&python3)
            });
        }
        let mut reached = MarkerTree::FALSE;
        for run in runs.iter().filter(|r| r.said.is_some()) {
            reached.or(run.path.clone());
        }
        Self {
            runs,
            others,
            cut,
            reached,
        }
    }

    fn answer(mut self, world: &World<'a>) -> SetupPy {
        let mut answer = SetupPy::default();
        for run in &self.runs {
            answer.missing_files.extend(run.missing.iter().cloned());
            answer.native.extensions |= run.native.extensions;
            answer
                .native
                .libraries
                .extend(run.native.libraries.iter().cloned());
            answer
                .native
                .pkg_config
                .extend(run.native.pkg_config.iter().cloned());
            answer
                .native
                .programs
                .extend(run.native.programs.iter().cloned());
        }
        for list in [
            &mut answer.missing_files,
            &mut answer.native.libraries,
            &mut answer.native.pkg_config,
            &mut answer.native.programs,
        ] {
            list.sort();
            list.dedup();
        }
        let flaw = self.runs.iter().find_map(|r| r.flaw.clone());
        let halted = self.halted();
        if !self.runs.iter().any(|r| r.said.is_some()) {
            answer.evaluated = Evaluated::Failed;
            // The end on Pythons that are built for today is the one that matters.
            let today = target::marker("python_version >= '3.9'");
            let ends = self.runs.iter().filter(|r| r.end.is_some());
            let last = ends.max_by_key(|r| !r.path.is_disjoint(&today));
            let why = flaw.into_iter().chain(last.and_then(|r| r.end.clone()));
            answer.unknown.extend(why.map(|u| tell("setup.py", &u)));
            return answer;
        }
        self.scalars(world, &mut answer);
        let mut doubts: Vec<Unknown<'a>> = Vec::new();
        doubts.extend(flaw);
        doubts.extend(halted);
        doubts.extend(self.cut.take());
        self.requirements(&mut answer, doubts);
        self.rest(&mut answer);
        let core = [
            "name",
            "version",
            "requires_python",
            "requires_dist",
            "provides_extra",
            "setup.py",
        ];
        let partial = answer
            .unknown
            .iter()
            .any(|u| core.contains(&u.field.as_str()));
        answer.evaluated = if partial {
            Evaluated::Partial
        } else {
            Evaluated::Static
        };
        answer
    }

    /// Runs on some targets that were given up: those targets are not known.
    fn halted(&self) -> Option<Unknown<'a>> {
        self.runs.iter().filter(|r| r.said.is_none()).find_map(|r| {
            let end = r.end.as_ref()?;
            let nowhere = end.0.place.is_none() && !end.0.reason.contains("does not call");
            (end.0.given_up || nowhere).then(|| end.clone())
        })
    }

    fn saids(&self) -> impl Iterator<Item = (&MarkerTree, &Said<'a>)> {
        self.runs
            .iter()
            .filter_map(|r| Some((&r.path, r.said.as_ref()?)))
    }

    fn scalars(&self, world: &World<'a>, answer: &mut SetupPy) {
        for field in ["name", "version", "requires_python"] {
            let mut values: BTreeSet<Option<&str>> = BTreeSet::new();
            let mut unknown: Vec<Unknown<'a>> = Vec::new();
            for (_, said) in self.saids() {
                match said.scalars.get(field) {
                    None => drop(values.insert(None)),
                    Some(Ok(text)) => drop(values.insert(Some(text))),
                    Some(Err(u)) => unknown.push(u.clone()),
                }
            }
            if field == "requires_python" {
                for other in self
                    .others
                    .iter()
                    .filter_map(|r| r.said.as_ref().map(|s| (r, s)))
                {
                    let same = match other.1.scalars.get(field) {
                        None => values.contains(&None),
                        Some(Ok(text)) => values.contains(&Some(text)),
                        Some(Err(_)) => !unknown.is_empty(),
                    };
                    if !same {
                        unknown.extend(other.0.unusual.clone());
                    }
                }
            }
            if values.len() > 1 {
                unknown.push(cause(None, "it differs between targets"));
            }
            let mut told: Vec<project::Unknown> = Vec::new();
            for unknown in &unknown {
                let unknown = tell(field, unknown);
                if !told.contains(&unknown) {
                    told.push(unknown);
                }
            }
            let fact = match (values.first(), told.is_empty()) {
                (Some(Some(text)), true) => Fact::Known((*text).to_owned()),
                (_, true) => Fact::Absent,
                (_, false) => Fact::Unknown(told.clone()),
            };
            let beforehand = match field {
                "name" => world.context.name.is_some(),
                "version" => world.context.version.is_some(),
                _ => false,
            };
            if !beforehand {
                answer.unknown.extend(told);
            }
            match field {
                "name" => answer.name = fact,
                "version" => answer.version = fact,
                _ => answer.python_requires = fact,
            }
        }
    }

    fn requirements(&self, answer: &mut SetupPy, doubts: Vec<Unknown<'a>>) {
        let mut order: Vec<Key> = Vec::new();
        let mut merged: BTreeMap<Key, (Requirement, MarkerTree)> = BTreeMap::new();
        let mut extras: Vec<ExtraName> = Vec::new();
        let mut unknown = doubts;
        let mut given = [false, false];
        for (path, said) in self.saids() {
            given[0] |= said.given[0];
            given[1] |= said.given[1];
            for extra in &said.extras {
                if !extras.contains(extra) {
                    extras.push(extra.clone());
                }
            }
            unknown.extend(said.requires_unknown.iter().cloned());
            for (extra, requirement) in &said.requires {
                let key = key(extra.as_ref(), requirement);
                let mut marker = requirement.marker.clone();
                marker.and(path.clone());
                if let Some((_, old)) = merged.get_mut(&key) {
                    old.or(marker);
                } else {
                    order.push(key.clone());
                    merged.insert(key, (requirement.clone(), marker));
                }
            }
            answer.problems.extend(said.problems.iter().cloned());
        }
        for other in &self.others {
            let Some(said) = &other.said else { continue };
            if self.disagrees(&merged, &extras, &other.path, said) {
                let mut why = other.unusual.clone().into_iter().collect::<Vec<_>>();
                if why.is_empty() {
                    why.push(cause(
                        None,
                        "it depends on something that only running it could tell",
                    ));
                }
                unknown.extend(why);
            }
        }
        let mut told: Vec<project::Unknown> = Vec::new();
        for unknown in &unknown {
            let unknown = tell("requires_dist", unknown);
            if !told.contains(&unknown) {
                told.push(unknown);
            }
        }
        let mut base = Vec::new();
        let mut by_extra: BTreeMap<ExtraName, Vec<Requirement>> =
            extras.into_iter().map(|e| (e, Vec::new())).collect();
        for key in order {
            let Some((mut requirement, marker)) = merged.remove(&key) else {
                continue;
            };
            requirement.marker = self.simplified(marker);
            if requirement.marker.is_false() {
                continue;
            }
            match key.0 {
                None => base.push(requirement),
                Some(extra) => by_extra.entry(extra).or_default().push(requirement),
            }
        }
        let any = given[0] || !base.is_empty();
        answer.install_requires = fact(base, told.clone(), any);
        answer.extras_require = fact(by_extra, told.clone(), given[1]);
        answer.unknown.extend(told);
        dedup(&mut answer.problems);
    }

    /// Whether a run with an unusual answer requires something else on its targets.
    fn disagrees(
        &self,
        merged: &BTreeMap<Key, (Requirement, MarkerTree)>,
        extras: &[ExtraName],
        path: &MarkerTree,
        said: &Said<'a>,
    ) -> bool {
        let mut here = path.clone();
        here.and(self.reached.clone());
        if here.is_false() {
            return false;
        }
        if !said.requires_unknown.is_empty() {
            return true;
        }
        let mut own: BTreeMap<Key, MarkerTree> = BTreeMap::new();
        for (extra, requirement) in &said.requires {
            let mut marker = requirement.marker.clone();
            marker.and(here.clone());
            own.entry(key(extra.as_ref(), requirement))
                .or_insert(MarkerTree::FALSE)
                .or(marker);
        }
        let all_extras = said.extras.iter().all(|e| extras.contains(e));
        let same_own = own.iter().all(|(key, marker)| {
            merged.get(key).is_some_and(|(_, usual)| {
                let mut usual = usual.clone();
                usual.and(here.clone());
                usual == *marker
            })
        });
        let none_missing = merged
            .iter()
            .all(|(key, (_, usual))| own.contains_key(key) || usual.is_disjoint(&here));
        !(all_extras && same_own && none_missing)
    }

    /// A marker without what holds on every target that reaches `setup()` anyway.
    fn simplified(&self, marker: MarkerTree) -> MarkerTree {
        let mut wide = marker.clone();
        wide.or(self.reached.negate());
        wide.or(target::AXIOMS.negate());
        if wide.is_true() {
            return MarkerTree::TRUE;
        }
        let mut wide = marker.clone();
        wide.or(self.reached.negate());
        let length = |m: &MarkerTree| m.try_to_string().map_or(0, |t| t.len());
        if length(&wide) < length(&marker) {
            wide
        } else {
            marker
        }
    }

    fn rest(&self, answer: &mut SetupPy) {
        let Some((_, first)) = self.saids().next() else {
            return;
        };
        answer.about = first.about.clone();
        answer.pbr = first.pbr;
        answer.package_dir = first.package_dir.clone().map_or(Fact::Absent, Fact::Known);
        let told = |u: &Option<Unknown<'a>>, field: &str| -> Vec<project::Unknown> {
            u.iter().map(|u| tell(field, u)).collect()
        };
        if let Some(entry_points) = &first.entry_points {
            let unknown = told(&first.entry_points_unknown, "entry_points");
            answer.unknown.extend(unknown.clone());
            answer.entry_points = fact(entry_points.clone(), unknown, true);
        }
        for (name, slot) in [
            ("packages", &mut answer.packages),
            ("py_modules", &mut answer.py_modules),
            ("scripts", &mut answer.scripts),
        ] {
            if let Some((texts, unknown)) = first.lists.get(name) {
                *slot = fact(texts.clone(), told(unknown, name), true);
            }
        }
        for (name, field) in [
            ("setup_requires", "build_requires"),
            ("tests_require", "tests_require"),
        ] {
            let mut all: Vec<Requirement> = Vec::new();
            let mut unknown = Vec::new();
            let mut given = false;
            for (path, said) in self.saids() {
                if let Some((list, more)) = said.other.get(name) {
                    given = true;
                    unknown.extend(more.iter().map(|u| tell(field, u)));
                    for requirement in list {
                        let mut requirement = requirement.clone();
                        requirement.marker.and(path.clone());
                        requirement.marker = self.simplified(requirement.marker);
                        let bare = key(None, &requirement);
                        match all.iter_mut().find(|r| key(None, r) == bare) {
                            Some(old) => {
                                old.marker.or(requirement.marker);
                                old.marker = self.simplified(old.marker.clone());
                            }
                            None => all.push(requirement),
                        }
                    }
                }
            }
            if name == "setup_requires" {
                answer.unknown.extend(unknown.clone());
                answer.setup_requires = fact(all, unknown, given);
            } else {
                answer.tests_require = fact(all, unknown, given);
            }
        }
    }
}

fn fact<T>(value: T, unknown: Vec<project::Unknown>, given: bool) -> Fact<T> {
    match (given, unknown.is_empty()) {
        (false, true) => Fact::Absent,
        (true, true) => Fact::Known(value),
        (_, false) => Fact::Partial(value, unknown),
    }
}

fn dedup(problems: &mut Vec<Problem>) {
    let mut seen: Vec<Problem> = Vec::new();
    problems.retain(|p| {
        let new = !seen.contains(p);
        if new {
            seen.push(p.clone());
        }
        new
    });
}

/// An unknown as it is handed out.
pub fn tell(field: &str, unknown: &Unknown<'_>) -> project::Unknown {
    project::Unknown {
        field: field.to_owned(),
        origin: unknown.0.place.map(|p| p.origin()),
        reason: unknown.0.reason.clone(),
    }
}

/// Bytes that belong to no character, which Python refuses, as a problem.
fn encoding_problem(source: &Source) -> Option<Problem> {
    let at = source.file.text.find(char::REPLACEMENT_CHARACTER)?;
    let place = super::source::Place {
        source,
        start: u32::try_from(at).ok()?,
        end: u32::try_from(at + char::REPLACEMENT_CHARACTER.len_utf8()).ok()?,
        exact: false,
    };
    Some(Problem {
        code: Code::InvalidSyntax,
        severity: Severity::Warning,
        what: "this is not UTF-8, and no other encoding is declared: Python 3 does not run it"
            .to_owned(),
        origin: Some(place.origin()),
        help: Some(
            "declare the encoding in the first line, such as `# coding: latin-1`".to_owned(),
        ),
    })
}

/// A syntax error as a problem.
pub fn syntax_problem(source: &Source) -> Option<Problem> {
    let Some(error) = source.errors.first() else {
        return encoding_problem(source);
    };
    let place = super::source::Place {
        source,
        start: error.range.start().into(),
        end: error.range.end().into(),
        exact: false,
    };
    Some(Problem {
        code: Code::InvalidSyntax,
        severity: if error.harmless {
            Severity::Warning
        } else {
            Severity::Error
        },
        what: if error.harmless {
            "this is Python 2 source; what it prints is passed over".to_owned()
        } else {
            format!("this is not Python 3: {}", error.what)
        },
        origin: Some(place.origin()),
        help: None,
    })
}
