//! What reviewers of nixpkgs and its CI would say of a module of Python: rules that a text alone can be
//! held to.
//!
//! Each rule has a name, which findings carry and `docs/nixpkgs.md` lists. Nothing is evaluated: what
//! is computed is passed over.

mod attribute;
mod check;
mod meta;
mod module;
mod source;
mod whole;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::nix::read::parse;
use module::Module;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It does not evaluate, does not build, or nixpkgs' CI refuses it.
    Error,
    /// Reviewers ask for something else.
    Advice,
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What it asks for.
    pub asks: &'static str,
}

/// A place where a rule is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The bytes in question.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub what: String,
    /// What to do, in one line.
    pub help: String,
}

/// What is known besides the text.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The handles of all maintainers, where the file is in a checkout that lists them.
    pub maintainers: Option<BTreeSet<String>>,
    /// Whether the file may be executed.
    pub executable: bool,
}

macro_rules! rules {
    ($($constant:ident $level:ident $name:literal $asks:literal,)*) => {
        $(pub(super) const $constant: Rule = Rule { name: $name, level: Level::$level, asks: $asks };)*
        /// Every rule, in the order of their names.
        pub const RULES: &[&Rule] = &[$(&$constant),*];
    };
}

/// The rules.
pub mod rule {
    use super::{Level, Rule};

    rules! {
        ARGUMENT_ORDER Advice "argument-order" "arguments sorted, all of them or group by group; `lib`, builders and fetchers first",
        ARGUMENT_UNUSED Error "argument-unused" "no argument that nothing uses",
        ATTRIBUTE_ORDER Advice "attribute-order" "attributes in nixpkgs' order, `pname` first and `meta` last",
        ATTRIBUTE_REMOVED Error "attribute-removed" "no attribute that nixpkgs has removed (`pytestFlagsArray`, `useFetchCargoVendor`)",
        ATTRIBUTE_UNKNOWN Error "attribute-unknown" "no misspelt attribute: nixpkgs makes an environment variable of it",
        BUILD_SYSTEM Error "build-system" "`build-system` where `pyproject = true`",
        BUILD_TOOL_IN_INPUTS Advice "build-tool-in-inputs" "programs in `nativeBuildInputs`, libraries in `buildInputs`",
        CHECK_HOOK Advice "check-hook" "`pytestCheckHook` or `unittestCheckHook` instead of `pytest` or a `checkPhase`",
        CHECK_LINTERS Advice "check-linters" "no linters and no coverage among the tests' inputs",
        CHECK_MISSING Advice "check-missing" "tests, or a comment that says why there are none",
        COMMENT_MISSING Advice "comment-missing" "a comment that says why at `doCheck = false`, left-out tests and removed requirements",
        DEPENDENCIES_OLD_NAME Advice "dependencies-old-name" "`dependencies` instead of `propagatedBuildInputs`",
        DEPENDENCY_KIND Error "dependency-kind" "lists of packages: no text, no `null`, no lone package",
        DEPENDENCY_VERSIONED Advice "dependency-versioned" "default attributes as dependencies, none with a version in its name",
        DISABLED_NEEDLESS Advice "disabled-needless" "no `disabled` that holds for no Python of nixpkgs",
        DO_NOT_WRITE Advice "do-not-write" "checks that stay on: no `catchConflicts = false`, no `dontCheckRuntimeDeps`",
        ENV Advice "env" "environment variables in `env`, which is a set",
        ESCAPE_USELESS Error "escape-useless" "no escapes besides `\\\\`, `\\$`, `\\\"`, `\\r`, `\\n` and `\\t`",
        FILE_MODE Error "file-mode" "no executable `.nix` file without a `#!` line",
        FINAL_ATTRS Advice "final-attrs" "the form `buildPythonPackage (finalAttrs: { … })`, without `rec`",
        FINAL_ATTRS_PASSTHRU Error "final-attrs-passthru" "`finalAttrs.passthru.…` for what the builder moves there",
        FORMAT_DEPRECATED Advice "format-deprecated" "`pyproject = true` instead of `format = \"setuptools\"` or `\"pyproject\"`",
        FORMAT_UNSET Error "format-unset" "exactly one of `pyproject` and `format`",
        FORMATTING Error "formatting" "nixfmt's format",
        HASH Error "hash" "one `hash = \"sha256-…\"` in base64, none left to be filled in",
        HOST_PLATFORM Advice "host-platform" "`stdenv.hostPlatform.isLinux` instead of `stdenv.isLinux`",
        IMPORTS_CHECK Advice "imports-check" "`pythonImportsCheck`",
        LIST_ORDER Error "list-order" "the list of packages in order",
        MAIN_PROGRAM Advice "main-program" "`mainProgram` as a literal text",
        META_CHANGELOG Advice "meta-changelog" "a `changelog` that follows the version",
        META_DESCRIPTION Advice "meta-description" "one factual sentence: capital first, no article, no full stop, not the package's name first",
        META_HOMEPAGE Advice "meta-homepage" "a quoted `homepage` of the project",
        META_LICENSE Error "meta-license" "a `license` from `lib.licenses`, `Only` or `Plus` said",
        META_MAINTAINERS Error "meta-maintainers" "`maintainers` that are known",
        META_WITH_LIB Advice "meta-with-lib" "`lib.licenses.mit` instead of `with lib;` around the set",
        NAME Error "name" "`pname` and `version` instead of `name`; `pname` normalised (PEP 503)",
        OVERRIDE Error "override" "no `overridePythonAttrs` or `overrideAttrs` in a module",
        PATH Error "path" "no absolute and no home-relative paths",
        PHASE Advice "phase" "no phase replaced without its hooks (`runHook preBuild`)",
        PYTHON_PACKAGES Error "python-packages" "members of the set as arguments, no `python3Packages`, `pythonPackages` or `python3`",
        REVISION Advice "revision" "`tag` instead of a `rev` that is a tag",
        SOURCE Advice "source" "`fetchPypi` instead of an address of PyPI; only arguments that it takes",
        SYNTAX Error "syntax" "a file that is Nix",
        TODO Error "todo" "nothing left to be done",
        URI Error "uri" "quoted addresses",
        VERSION Error "version" "a quoted PEP 440 version that begins with a digit",
        VERSION_LITERAL Advice "version-literal" "the version written once, and `finalAttrs.version` elsewhere",
    }
}

/// What was found so far.
#[derive(Default)]
struct Out {
    findings: Vec<Finding>,
}

impl Out {
    fn say(
        &mut self,
        rule: &'static Rule,
        span: Range<usize>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings.push(Finding {
            rule,
            span,
            what: what.into(),
            help: help.into(),
        });
    }
}

/// Everything that is to be said of a file, in its order: a module, or the list of packages.
pub fn lint(text: &str, context: &Context) -> Vec<Finding> {
    let mut out = Out::default();
    let expr = match parse(text) {
        Ok(expr) => expr,
        Err(error) => {
            let at = match &error {
                crate::nix::read::ReadError::Syntax { line, .. } => start_of(text, *line),
                _ => 0,
            };
            out.say(
                &rule::SYNTAX,
                at..at,
                error.to_string(),
                "make it Nix first",
            );
            return out.findings;
        }
    };
    whole::file(text, &expr, context, &mut out);
    match Module::new(text, &expr) {
        Some(module) => {
            attribute::rules(&module, &mut out);
            source::rules(&module, &mut out);
            check::rules(&module, &mut out);
            meta::rules(&module, context, &mut out);
        }
        None => whole::list(text, &expr, &mut out),
    }
    out.findings.sort_by(|a, b| {
        (a.span.start, a.rule.name, &a.what).cmp(&(b.span.start, b.rule.name, &b.what))
    });
    out.findings
}

/// Where a line begins, from 1.
fn start_of(text: &str, line: usize) -> usize {
    let mut lines = text.split_inclusive('\n');
    lines
        .by_ref()
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum()
}

/// Line and column of a place, from 1, the column in characters.
pub fn line_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
