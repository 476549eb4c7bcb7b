//! The keywords of one call of `setup()` as facts of one run.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::interpreter::{Args, Eval, Interpreter, SetupCall, cause};
use super::source::Place;
use super::value::{Text, Unknown, Value};
use crate::problem::{Code, Problem, Severity};
use crate::python::{About, ExtraName, MarkerTree, Requirement};

/// What one run found; unknowns are per field.
#[derive(Debug, Default)]
pub struct Said<'a> {
    /// Scalars: `name`, `version`, `python_requires`.
    pub scalars: BTreeMap<&'static str, Scalar<'a>>,
    /// Requirements by the extra that brings them; none for those of the project itself.
    pub requires: Vec<(Option<ExtraName>, Requirement)>,
    /// The extras.
    pub extras: Vec<ExtraName>,
    /// Whether `install_requires` and `extras_require` were given.
    pub given: [bool; 2],
    /// Why requirements, or extras, may be missing.
    pub requires_unknown: Vec<Unknown<'a>>,
    /// The same for `setup_requires` and `tests_require`.
    pub other: BTreeMap<&'static str, Listed<'a>>,
    /// Lists of texts: `packages`, `py_modules`, `scripts`.
    pub lists: BTreeMap<&'static str, (Vec<String>, Option<Unknown<'a>>)>,
    /// Entry points.
    pub entry_points: Option<BTreeMap<String, Vec<(String, String)>>>,
    /// Why entry points may be missing.
    pub entry_points_unknown: Option<Unknown<'a>>,
    /// `package_dir`
    pub package_dir: Option<BTreeMap<String, String>>,
    /// Description, addresses, licence.
    pub about: About,
    /// Whether pbr takes over.
    pub pbr: bool,
    /// Repairs and texts that are no requirements.
    pub problems: Vec<Problem>,
}

/// A text or why it is not known.
pub type Scalar<'a> = Result<String, Unknown<'a>>;

/// Requirements, and why there may be more.
pub type Listed<'a> = (Vec<Requirement>, Vec<Unknown<'a>>);

impl<'a> Interpreter<'a> {
    /// Reads the keywords of a call.
    pub fn read_keywords(&mut self, call: &SetupCall<'a>) -> Eval<'a, Said<'a>> {
        let mut said = Said::default();
        let keyword = |name: &str| -> Option<Value<'a>> {
            let given = call
                .keywords
                .iter()
                .rev()
                .find(|(n, _)| &**n == name)
                .map(|(_, v)| v.clone());
            match (given, &call.open) {
                (Some(Value::None), _) => None,
                (Some(value), _) => Some(value),
                (None, Some(unknown)) => Some(Value::Unknown(unknown.clone())),
                (None, None) => None,
            }
        };
        for (field, name) in [
            ("name", "name"),
            ("version", "version"),
            ("requires_python", "python_requires"),
        ] {
            if let Some(value) = keyword(name) {
                let text = self.scalar(value, call.place)?;
                if text.as_ref().is_ok_and(|t| t.is_empty()) {
                    continue;
                }
                said.scalars.insert(field, text);
            }
        }
        if call
            .keywords
            .iter()
            .any(|(n, _)| matches!(&**n, "use_scm_version" | "version_config"))
            && keyword("version").is_none()
        {
            let version = self.world.context.version.clone();
            let unknown = cause(
                Some(call.place),
                "the version is computed from the repository",
            );
            said.scalars.insert("version", version.ok_or(unknown));
        }
        if let Some(pbr) = keyword("pbr") {
            said.pbr = !matches!(pbr, Value::Bool(false) | Value::Unknown(_));
        }
        if let Some(value) = keyword("install_requires") {
            said.given[0] = true;
            let (list, unknown) = self.requirements(&value, call.place, &mut said.problems)?;
            said.requires.extend(list.into_iter().map(|r| (None, r)));
            said.requires_unknown.extend(unknown);
        }
        if let Some(value) = keyword("extras_require") {
            said.given[1] = true;
            self.read_extras(&value, call.place, &mut said)?;
        }
        for name in ["setup_requires", "tests_require"] {
            if let Some(value) = keyword(name) {
                let listed = self.requirements(&value, call.place, &mut said.problems)?;
                said.other.insert(name, listed);
            }
        }
        for name in ["packages", "py_modules", "scripts"] {
            if let Some(value) = keyword(name) {
                let texts = self.texts(&value, call.place)?;
                said.lists.insert(name, texts);
            }
        }
        if let Some(value) = keyword("entry_points") {
            self.read_entry_points(&value, call.place, &mut said)?;
        }
        if let Some(Value::Dict(dict)) = keyword("package_dir") {
            let mut all = BTreeMap::new();
            for (key, value) in dict.entries() {
                if let (Some(key), Some(value)) = (key.as_str(), value.as_str()) {
                    all.insert(key.to_owned(), value.to_owned());
                }
            }
            said.package_dir = Some(all);
        }
        self.read_about(&keyword, call.place, &mut said)?;
        if let Some(extensions) = keyword("ext_modules")
            .or_else(|| keyword("cffi_modules"))
            .or_else(|| keyword("rust_extensions"))
        {
            let none = matches!(&extensions, Value::List(l) if l.items.borrow().is_empty() && l.openness().is_none());
            self.native.extensions |=
                !none && !matches!(extensions, Value::Unknown(_) if call.open.is_some());
        }
        Ok(said)
    }

    fn scalar(&mut self, value: Value<'a>, place: Place<'a>) -> Eval<'a, Scalar<'a>> {
        let value = self.settled(value)?;
        Ok(match self.text_from(&value, place)? {
            Value::Str(text) => Ok(text.text.trim().to_owned()),
            other => Err(other
                .unknown_within(2)
                .unwrap_or_else(|| cause(Some(place), "it is not a text"))),
        })
    }

    fn texts(
        &mut self,
        value: &Value<'a>,
        place: Place<'a>,
    ) -> Eval<'a, (Vec<String>, Option<Unknown<'a>>)> {
        let value = self.settled(value.clone())?;
        let (items, mut open) = match &value {
            Value::Str(text) => (vec![Value::Str(text.clone())], None),
            value => self.iterate(value, Some(place))?,
        };
        let mut texts = Vec::new();
        for item in items {
            match self.settled(item)? {
                Value::Str(text) => texts.push(text.text.to_string()),
                Value::Path(path) => texts.push(path.to_string()),
                other => {
                    open.get_or_insert_with(|| {
                        other
                            .unknown_within(1)
                            .unwrap_or_else(|| cause(Some(place), "an element is not a text"))
                    });
                }
            }
        }
        Ok((texts, open))
    }

    /// Requirements as setuptools reads them: a text of lines, or any nesting of lists of texts.
    fn requirements(
        &mut self,
        value: &Value<'a>,
        place: Place<'a>,
        problems: &mut Vec<Problem>,
    ) -> Eval<'a, Listed<'a>> {
        let mut found = Vec::new();
        let mut unknown = Vec::new();
        let mut queue = vec![value.clone()];
        while let Some(value) = queue.pop() {
            self.step()?;
            match self.settled(value)? {
                Value::Str(text) => {
                    self.requirement_lines(&text, place, (&mut found, &mut unknown, problems))
                }
                value @ (Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_)) => {
                    let (items, open) = self.iterate(&value, Some(place))?;
                    unknown.extend(open);
                    queue.extend(items.into_iter().rev());
                }
                Value::None => {}
                Value::File(file) => queue.push(self.read_rest(&file)),
                value @ Value::Object(_) => {
                    let text = self.text_from(&value, place)?;
                    match text {
                        Value::Str(_) => queue.push(text),
                        other => unknown.push(
                            other
                                .unknown_within(1)
                                .unwrap_or_else(|| cause(Some(place), "it is not a text")),
                        ),
                    }
                }
                other => unknown.push(other.unknown_within(1).unwrap_or_else(|| {
                    cause(
                        Some(place),
                        format!("a {} is no requirement", other.type_name()),
                    )
                })),
            }
        }
        Ok((found, unknown))
    }

    fn requirement_lines(
        &self,
        text: &Text<'a>,
        place: Place<'a>,
        (found, unknown, problems): (
            &mut Vec<Requirement>,
            &mut Vec<Unknown<'a>>,
            &mut Vec<Problem>,
        ),
    ) {
        let mut start = 0;
        let mut pending = String::new();
        for line in text.text.split('\n') {
            let part = text.part(start, start + line.len());
            start += line.len() + 1;
            let line = match line.find(" #") {
                Some(at) => line.get(..at).unwrap_or_default(),
                None => line,
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(continued) = line.strip_suffix('\\') {
                pending.push_str(continued.trim_end());
                continue;
            }
            let whole = format!("{}{line}", std::mem::take(&mut pending));
            let origin = part.place.unwrap_or(place);
            match Requirement::parse_lenient(&whole) {
                Ok(lenient) => {
                    if let Some(repaired) = lenient.repaired {
                        problems.push(Problem {
                            code: Code::RepairedRequirement,
                            severity: Severity::Warning,
                            what: format!(
                                "`{whole}` is not a valid requirement; it is read as `{repaired}`"
                            ),
                            origin: Some(origin.origin()),
                            help: None,
                        });
                    }
                    found.push(lenient.requirement.at(origin.origin()));
                }
                Err(error) => unknown.push(cause(Some(origin), error.to_string())),
            }
        }
    }

    fn read_extras(
        &mut self,
        value: &Value<'a>,
        place: Place<'a>,
        said: &mut Said<'a>,
    ) -> Eval<'a, ()> {
        let value = self.settled(value.clone())?;
        let Value::Dict(dict) = &value else {
            let unknown = value
                .unknown_within(1)
                .unwrap_or_else(|| cause(Some(place), "`extras_require` is not a dictionary"));
            if !matches!(&value, Value::List(l) if l.items.borrow().is_empty()) {
                said.requires_unknown.push(unknown);
            }
            return Ok(());
        };
        said.requires_unknown.extend(dict.openness());
        for (key, value) in dict.entries() {
            let Value::Str(key) = &key else { continue };
            let (name, marker) = match key.text.split_once(':') {
                Some((name, marker)) => (name.trim(), Some(marker)),
                None => (key.text.trim(), None),
            };
            let condition = match marker
                .map(str::trim)
                .filter(|m| !m.is_empty())
                .map(MarkerTree::from_str)
            {
                None => MarkerTree::TRUE,
                Some(Ok(marker)) => marker,
                Some(Err(_)) => {
                    said.requires_unknown.push(cause(
                        key.place.or(Some(place)),
                        format!("`{}` is not a marker", key.text),
                    ));
                    continue;
                }
            };
            let extra = if name.is_empty() {
                None
            } else {
                match extra_name(name) {
                    Some(extra) => Some(extra),
                    None => {
                        said.requires_unknown.push(cause(
                            key.place.or(Some(place)),
                            format!("`{name}` is not an extra's name"),
                        ));
                        continue;
                    }
                }
            };
            if let Some(extra) = &extra
                && !said.extras.contains(extra)
            {
                said.extras.push(extra.clone());
            }
            let (list, unknown) = self.requirements(&value, place, &mut said.problems)?;
            said.requires_unknown.extend(unknown);
            for mut requirement in list {
                requirement.marker.and(condition.clone());
                said.requires.push((extra.clone(), requirement));
            }
        }
        Ok(())
    }

    fn read_entry_points(
        &mut self,
        value: &Value<'a>,
        place: Place<'a>,
        said: &mut Said<'a>,
    ) -> Eval<'a, ()> {
        let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let split = |line: &str| -> Option<(String, String)> {
            let (name, reference) = line.split_once('=')?;
            Some((name.trim().to_owned(), reference.trim().to_owned()))
        };
        match self.settled(value.clone())? {
            Value::Str(text) => {
                let mut group = String::new();
                for line in text
                    .text
                    .lines()
                    .map(str::trim)
                    .filter(|l| !l.is_empty() && !l.starts_with(['#', ';']))
                {
                    match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                        Some(name) => group = name.trim().to_owned(),
                        None => all.entry(group.clone()).or_default().extend(split(line)),
                    }
                }
            }
            Value::Dict(dict) => {
                said.entry_points_unknown = dict.openness();
                for (key, value) in dict.entries() {
                    let (texts, open) = self.texts(&value, place)?;
                    if said.entry_points_unknown.is_none() {
                        said.entry_points_unknown = open;
                    }
                    if let Some(key) = key.as_str() {
                        let lines = texts.iter().flat_map(|t| t.lines());
                        all.entry(key.to_owned())
                            .or_default()
                            .extend(lines.filter_map(split));
                    }
                }
            }
            other => {
                let unknown = other
                    .unknown_within(1)
                    .unwrap_or_else(|| cause(Some(place), "entry points are not followed"));
                said.entry_points_unknown = Some(unknown);
            }
        }
        said.entry_points = Some(all);
        Ok(())
    }

    fn read_about(
        &mut self,
        keyword: &dyn Fn(&str) -> Option<Value<'a>>,
        place: Place<'a>,
        said: &mut Said<'a>,
    ) -> Eval<'a, ()> {
        let text = |this: &mut Self, name: &str| -> Eval<'a, Option<String>> {
            Ok(match keyword(name) {
                Some(value) => this.scalar(value, place)?.ok().filter(|t| !t.is_empty()),
                None => None,
            })
        };
        let one_line = |text: Option<String>, limit: usize| {
            text.filter(|t| t.len() <= limit && !t.contains('\n'))
        };
        said.about.summary = one_line(text(self, "description")?, 512);
        said.about.home_page = one_line(text(self, "url")?, 512);
        said.about.license = one_line(text(self, "license")?, 120);
        said.about.license_expression = one_line(text(self, "license_expression")?, 120);
        if let Some(Value::Dict(dict)) = keyword("project_urls") {
            for (key, value) in dict.entries() {
                if let (Some(key), Some(value)) = (key.as_str(), value.as_str()) {
                    said.about.urls.push((key.to_owned(), value.to_owned()));
                }
            }
        }
        if let Some(value) = keyword("classifiers") {
            let value = match value {
                Value::Str(text) => {
                    let args = Args::default();
                    self.call_method(&Value::Str(text), "splitlines", args, place)?
                }
                value => value,
            };
            let (texts, _) = self.texts(&value, place)?;
            let licences = texts
                .iter()
                .map(|t| t.trim())
                .filter(|t| t.starts_with("License ::"));
            said.about.license_classifiers = licences.map(str::to_owned).collect();
        }
        Ok(())
    }
}

/// An extra's name as setuptools makes it safe.
fn extra_name(text: &str) -> Option<ExtraName> {
    ExtraName::from_str(text).ok().or_else(|| {
        let mut safe = String::new();
        for c in text.chars() {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                safe.push(c);
            } else if !safe.ends_with('_') {
                safe.push('_');
            }
        }
        ExtraName::from_str(safe.trim_matches(['_', '-', '.'])).ok()
    })
}
