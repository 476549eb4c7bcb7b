//! pip's requirements and constraints files, in its full grammar: includes, options, hashes,
//! continuation lines, comments, `${VARIABLES}`, addresses, paths and encodings.
//!
//! The lines are taken apart as pip 25 does it (`pip/_internal/req/req_file.py`); unlike there,
//! paths are relative to the file they stand in, and nothing is fetched.

mod encoding;
mod line;
mod target;

use std::collections::BTreeMap;

use super::IndexOptions;
use super::reading::Reading;
use crate::problem::{Code, Origin, Severity, SourceFile};
use crate::python::{PackageName, Requirement};
use line::{Line, Opt};

/// Files that one file may include, over all.
const MAX_FILES: usize = 500;
const MAX_DEPTH: usize = 32;
const MAX_LINES: usize = 200_000;

/// What requirements files say.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    /// Requirements, in order.
    pub requirements: Vec<Requirement>,
    /// Constraints, in order.
    pub constraints: Vec<Requirement>,
    /// Where releases are to be looked for.
    pub options: IndexOptions,
    /// Hashes by project, `sha256:…`, in order.
    pub hashes: BTreeMap<PackageName, Vec<String>>,
    /// Requirements of which it is not known what they are called.
    pub nameless: Vec<Origin>,
}

/// Reads the file at `path`, and what it includes.
pub(super) fn read(reading: &mut Reading<'_>, path: &str) -> Requirements {
    let mut reader = Reader {
        reading,
        out: Requirements::default(),
        open: Vec::new(),
        files: 0,
        lines: 0,
    };
    reader.file(path, false, None);
    reader.out
}

struct Reader<'r, 'f> {
    reading: &'r mut Reading<'f>,
    out: Requirements,
    /// The files that are being read, outermost first.
    open: Vec<String>,
    files: usize,
    lines: usize,
}

impl Reader<'_, '_> {
    /// Reads one file; `from` is where it is included.
    fn file(&mut self, path: &str, constraints: bool, from: Option<&Origin>) {
        if self.open.iter().any(|open| open == path) {
            let shown = self.reading.files.display(path);
            let what = format!("`{}` includes itself", shown.display());
            self.reading
                .error(Code::InvalidRequirement, what, from.cloned());
            return;
        }
        self.files += 1;
        if self.files > MAX_FILES || self.open.len() >= MAX_DEPTH {
            if self.files == MAX_FILES + 1 || self.open.len() >= MAX_DEPTH {
                let what = "too many files include each other here";
                self.reading
                    .error(Code::InvalidRequirement, what, from.cloned());
            }
            return;
        }
        let bytes = match self.reading.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let shown = self.reading.files.display(path);
                let what = match error {
                    super::FilesError::NotFound(_) => {
                        format!("`{}` does not exist", shown.display())
                    }
                    other => other.to_string(),
                };
                self.reading.error(Code::MissingFile, what, from.cloned());
                return;
            }
        };
        let shown = self.reading.files.display(path);
        let text = match encoding::decode(bytes) {
            Ok(text) => text,
            Err(reason) => {
                let what = format!("`{}` cannot be decoded: {reason}", shown.display());
                self.reading.error(Code::InvalidSyntax, what, from.cloned());
                return;
            }
        };
        let file = std::sync::Arc::new(SourceFile { path: shown, text });
        self.open.push(path.to_owned());
        for line in line::lines(&file.text) {
            self.lines += 1;
            if self.lines > MAX_LINES {
                break;
            }
            let origin = |span| Origin {
                file: file.clone(),
                span,
            };
            self.line(&line, constraints, &origin);
        }
        self.open.pop();
    }

    fn line(
        &mut self,
        line: &Line,
        constraints: bool,
        origin: &dyn Fn(std::ops::Range<usize>) -> Origin,
    ) {
        let expanded = line.expanded(self.reading.env);
        let split = match line::split(&expanded) {
            Ok(split) => split,
            Err(reason) => {
                self.reading.error(
                    Code::InvalidRequirement,
                    reason,
                    Some(origin(line.span.clone())),
                );
                return;
            }
        };
        let whole = origin(line.span.clone());
        if !split.requirement.is_empty() {
            let place = line
                .place_of(split.requirement)
                .map_or(whole.clone(), origin);
            self.requirement(
                split.requirement,
                &split.options,
                constraints,
                false,
                &place,
            );
            for option in &split.options {
                if !matches!(option, Opt::Hash(_)) {
                    self.option(option, constraints, &whole, true);
                }
            }
            return;
        }
        for option in &split.options {
            match option {
                Opt::Editable(target) => {
                    self.requirement(target, &split.options, constraints, true, &whole);
                }
                option => self.option(option, constraints, &whole, false),
            }
        }
    }

    fn requirement(
        &mut self,
        text: &str,
        options: &[Opt],
        constraints: bool,
        editable: bool,
        origin: &Origin,
    ) {
        let folder = self.folder();
        let requirement = match target::parse(self.reading, text, &folder, editable, origin) {
            target::Parsed::Requirement(requirement) => requirement,
            target::Parsed::Nameless(reason) => {
                self.reading.problem(
                    Code::InvalidRequirement,
                    Severity::Error,
                    format!("it is not known which project `{text}` is: {reason}"),
                    Some(origin.clone()),
                    Some(format!("write `name @ {text}`, or add `#egg=name`")),
                );
                self.out.nameless.push(origin.clone());
                return;
            }
            target::Parsed::Invalid => return,
        };
        if constraints && (editable || !requirement.extras.is_empty()) {
            let what = if editable {
                "constraints cannot be editable"
            } else {
                "constraints cannot have extras"
            };
            self.reading
                .error(Code::InvalidRequirement, what, Some(origin.clone()));
            return;
        }
        let hashes = options.iter().filter_map(|option| match option {
            Opt::Hash(hash) => Some(hash.clone()),
            _ => None,
        });
        let hashes: Vec<String> = hashes.collect();
        for hash in &hashes {
            if !is_hash(hash) {
                let what =
                    format!("`--hash={hash}` is not an algorithm and a digest such as `sha256:…`");
                self.reading
                    .error(Code::InvalidRequirement, what, Some(origin.clone()));
            }
        }
        if !hashes.is_empty() {
            let known = self.out.hashes.entry(requirement.name.clone()).or_default();
            for hash in hashes {
                if !known.contains(&hash) {
                    known.push(hash);
                }
            }
        }
        if constraints {
            self.out.constraints.push(requirement);
        } else {
            self.out.requirements.push(requirement);
        }
    }

    /// The folder of the file that is being read.
    fn folder(&self) -> String {
        let path = self.open.last().map(String::as_str).unwrap_or_default();
        path.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    }

    fn option(&mut self, option: &Opt, constraints: bool, origin: &Origin, beside: bool) {
        let options = &mut self.out.options;
        match option {
            Opt::Requirements(path) => self.include(path, constraints, origin),
            Opt::Constraints(path) => self.include(path, true, origin),
            Opt::IndexUrl(url) => options.index_url = Some(url.clone()),
            Opt::ExtraIndexUrl(url) => push_new(&mut options.extra_index_urls, url),
            Opt::NoIndex => options.no_index = true,
            Opt::FindLinks(link) => {
                let folder = self.folder();
                let beside_file = join(&folder, link);
                let link = match beside_file {
                    Some(path) if !link.contains("://") && self.reading.files.is_dir(&path) => {
                        self.reading.files.display(&path).display().to_string()
                    }
                    _ => link.clone(),
                };
                push_new(&mut self.out.options.find_links, &link);
            }
            Opt::NoBinary(names) => format_control(&mut options.no_binary, names),
            Opt::OnlyBinary(names) => format_control(&mut options.only_binary, names),
            Opt::Pre => options.pre = true,
            Opt::RequireHashes => options.require_hashes = true,
            Opt::Editable(_) | Opt::Hash(_) if beside => {}
            Opt::Hash(_) => {
                let what = "`--hash` belongs to a requirement";
                self.reading
                    .error(Code::InvalidRequirement, what, Some(origin.clone()));
            }
            Opt::Editable(_) => {}
            Opt::Ignored(name) => self.reading.problem(
                Code::IgnoredOption,
                Severity::Note,
                format!("`{name}` has no meaning here and is ignored"),
                Some(origin.clone()),
                None,
            ),
            Opt::Build(name) => self.reading.problem(
                Code::IgnoredOption,
                Severity::Warning,
                format!("`{name}` is not passed on to the build"),
                Some(origin.clone()),
                Some("set it in the package's own override in your Nix files".to_owned()),
            ),
            Opt::Unknown(text) => self.reading.error(
                Code::InvalidRequirement,
                format!("`{text}` is not an option of requirements files"),
                Some(origin.clone()),
            ),
        }
    }

    fn include(&mut self, target: &str, constraints: bool, origin: &Origin) {
        if target.contains("://") && !target.starts_with("file://") {
            self.reading.problem(
                Code::MissingFile,
                Severity::Error,
                "a file from the network is not included".to_owned(),
                Some(origin.clone()),
                Some("download it, review it, and include the copy".to_owned()),
            );
            return;
        }
        let target = target.strip_prefix("file://").unwrap_or(target);
        match join(&self.folder(), target) {
            Some(path) => self.file(&path, constraints, Some(origin)),
            None => {
                let what = format!("`{target}` lies outside the project");
                self.reading
                    .error(Code::MissingFile, what, Some(origin.clone()));
            }
        }
    }
}

fn push_new(list: &mut Vec<String>, item: &str) {
    if !list.iter().any(|i| i == item) {
        list.push(item.to_owned());
    }
}

/// `--no-binary` and `--only-binary`: `:none:` empties, `:all:` is kept as it is.
fn format_control(list: &mut Vec<String>, names: &str) {
    for name in names.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        match name {
            ":none:" => list.clear(),
            ":all:" => *list = vec![":all:".to_owned()],
            name => push_new(list, name),
        }
    }
}

fn is_hash(text: &str) -> bool {
    let Some((algorithm, digest)) = text.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        "md5" => 32,
        "sha1" => 40,
        "sha224" => 56,
        _ => return false,
    };
    digest.len() == length && digest.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A path relative to a folder of the tree, with `..` only in front; none for absolute ones.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&"..") | None => parts.push(".."),
                Some(_) => {
                    parts.pop();
                }
            },
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests;
