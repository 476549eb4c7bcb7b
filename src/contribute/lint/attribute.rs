//! Rules for the head of a module and its attributes: form, names, order, dependencies.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use rnix::ast;
use rowan::ast::AstNode as _;

use super::module::{Form, Module, literal, range, variables};
use super::{Out, rule};
use crate::python::{PackageName, Version};

/// The order that reviewers expect. Attributes that are not in it may stand anywhere.
const ORDER: [&str; 47] = [
    "pname",
    "version",
    "pyproject",
    "format",
    "disabled",
    "outputs",
    "src",
    "srcs",
    "sourceRoot",
    "patches",
    "prePatch",
    "postPatch",
    "cargoRoot",
    "cargoDeps",
    "env",
    "pythonRelaxDeps",
    "pythonRemoveDeps",
    "build-system",
    "nativeBuildInputs",
    "buildInputs",
    "propagatedBuildInputs",
    "dependencies",
    "optional-dependencies",
    "nativeCheckInputs",
    "checkInputs",
    "pytestFlags",
    "enabledTestPaths",
    "enabledTests",
    "disabledTests",
    "disabledTestMarks",
    "disabledTestPaths",
    "preCheck",
    "checkPhase",
    "postCheck",
    "doCheck",
    "pythonImportsCheck",
    "passthru",
    "meta",
    "preConfigure",
    "preBuild",
    "postBuild",
    "preInstall",
    "postInstall",
    "preFixup",
    "postFixup",
    "makeWrapperArgs",
    "strictDeps",
];
/// How many of them have a place.
const PLACED: usize = 38;

/// What builders of Python packages know besides.
const KNOWN: [&str; 40] = [
    "__darwinAllowLocalNetworking",
    "__structuredAttrs",
    "buildPhase",
    "catchConflicts",
    "cargoBuildFlags",
    "cargoHash",
    "cargoLock",
    "cmakeFlags",
    "configurePhase",
    "doInstallCheck",
    "dontBuild",
    "dontCheckPythonMetadata",
    "dontCheckRuntimeDeps",
    "dontConfigure",
    "dontUnpack",
    "dontUseCmakeConfigure",
    "dontUsePytestCheck",
    "dontUsePytestXdist",
    "dontUseSetuptoolsCheck",
    "dontWrapPythonPrograms",
    "dontWrapQtApps",
    "hardeningDisable",
    "installCheckPhase",
    "installPhase",
    "mesonFlags",
    "name",
    "namePrefix",
    "nativeInstallCheckInputs",
    "patchFlags",
    "permitUserSite",
    "postUnpack",
    "preUnpack",
    "propagatedNativeBuildInputs",
    "pypaBuildFlags",
    "pythonNamespaces",
    "pythonPath",
    "requiredSystemFeatures",
    "setupPyBuildFlags",
    "stdenv",
    "unittestFlags",
];

/// Programs that run during a build.
const TOOLS: [&str; 14] = [
    "cmake",
    "cython",
    "meson",
    "ninja",
    "pkg-config",
    "pkgconfig",
    "setuptools",
    "setuptools-scm",
    "poetry-core",
    "hatchling",
    "flit-core",
    "swig",
    "autoreconfHook",
    "wheel",
];

pub(super) fn rules(module: &Module<'_>, out: &mut Out) {
    form(module, out);
    arguments(module, out);
    names(module, out);
    format(module, out);
    order(module, out);
    lists_of_packages(module, out);
    switches(module, out);
    references(module, out);
}

fn form(module: &Module<'_>, out: &mut Out) {
    if module.form != Form::FinalAttrs && !module.application {
        let what = match module.form {
            Form::Rec => "`rec` keeps the old version in what an override changes",
            _ => "the attributes cannot refer to the final version",
        };
        let start = range(module.set.syntax()).start;
        out.say(
            &rule::FINAL_ATTRS,
            start..start,
            what,
            "write `(finalAttrs: { … })`, and `finalAttrs.version` inside",
        );
    }
}

fn arguments(module: &Module<'_>, out: &mut Out) {
    let Some(pattern) = &module.pattern else {
        return;
    };
    let body: BTreeSet<String> = variables(module.root.syntax())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut group: Option<(String, usize)> = None;
    for entry in pattern.pat_entries() {
        let Some(ident) = entry.ident() else { continue };
        let name = ident.syntax().text().to_string();
        let span = range(ident.syntax());
        if matches!(
            name.as_str(),
            "python3Packages" | "pythonPackages" | "python3" | "python2Packages"
        ) && !module.application
        {
            out.say(
                &rule::PYTHON_PACKAGES,
                span.clone(),
                format!("`{name}` is another set than the one that calls this module"),
                "take the members as arguments",
            );
        }
        if !body.contains(&name) {
            out.say(
                &rule::ARGUMENT_UNUSED,
                span.clone(),
                format!("nothing uses `{name}`"),
                "drop it",
            );
        }
        let head = super::super::edit::is_head(&name);
        let between = group
            .as_ref()
            .map(|(_, end)| module.text.get(*end..span.start).unwrap_or_default());
        let fresh = between.is_none_or(|b| b.contains('#') || b.matches('\n').count() > 1);
        if let Some((before, _)) = group.as_ref().filter(|_| !fresh && !head)
            && !super::super::edit::is_head(before)
            && name.to_lowercase() < before.to_lowercase()
        {
            out.say(
                &rule::ARGUMENT_ORDER,
                span.clone(),
                format!("`{name}` stands behind `{before}`"),
                "sort the arguments of each group",
            );
        }
        group = Some((name, span.end));
    }
}

fn names(module: &Module<'_>, out: &mut Out) {
    if let Some((_, span)) = module.value("name") {
        out.say(
            &rule::NAME,
            span,
            "`name` skips the check of the metadata",
            "write `pname` and `version`",
        );
    }
    if let Some((pname, span)) = module.literal("pname") {
        match PackageName::from_str(&pname) {
            Ok(name) if name.as_ref() == pname => {}
            Ok(name) => out.say(
                &rule::NAME,
                span,
                format!("`{pname}` is not the project's normalised name"),
                format!("write \"{name}\"; `fetchPypi` may have its own `pname`"),
            ),
            Err(_) => out.say(
                &rule::NAME,
                span,
                format!("`{pname}` cannot be a project's name"),
                "write the name on PyPI",
            ),
        }
    }
    let Some((value, _)) = module.value("version") else {
        return;
    };
    let span = range(value.syntax());
    if matches!(value, ast::Expr::Literal(_)) {
        out.say(&rule::VERSION, span, "the version is a number", "quote it");
    } else if let Some(version) = literal(&value) {
        let released = version.split("-unstable-").next().unwrap_or_default();
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            out.say(
                &rule::VERSION,
                span,
                format!("`{version}` does not begin with a digit"),
                "write the version as PyPI does",
            );
        } else if Version::from_str(released).is_err() {
            out.say(
                &rule::VERSION,
                span,
                format!("`{version}` is no version of Python's"),
                "write the version as PyPI does, or `…-unstable-DATE`",
            );
        }
    }
}

fn format(module: &Module<'_>, out: &mut Out) {
    let call = module.call.start..module.call.start;
    match (module.has("pyproject"), module.value("format")) {
        (false, None) if !module.has("format") => out.say(
            &rule::FORMAT_UNSET,
            call,
            "neither `pyproject` nor `format` is set",
            "write `pyproject = true;`",
        ),
        (true, Some((_, span))) => out.say(
            &rule::FORMAT_UNSET,
            span,
            "`pyproject` and `format` exclude each other",
            "drop `format`",
        ),
        (_, Some((value, span))) => {
            let written = literal(&value).unwrap_or_default();
            if matches!(written.as_str(), "setuptools" | "pyproject" | "flit") {
                out.say(
                    &rule::FORMAT_DEPRECATED,
                    span,
                    format!("`format = \"{written}\"` is the old spelling"),
                    "write `pyproject = true;` and `build-system`",
                );
            }
        }
        _ => {}
    }
    let is_true = module
        .value("pyproject")
        .is_some_and(|(value, _)| value.syntax().text() == "true");
    if is_true && !module.has("build-system") {
        let old = module.value("nativeBuildInputs").map(|(_, span)| span);
        out.say(
            &rule::BUILD_SYSTEM,
            old.unwrap_or(call_of(module)),
            "`pyproject = true` without `build-system`",
            "name what pyproject.toml's `build-system.requires` does, or `[ setuptools ]`",
        );
    }
    if let Some((value, span)) = module.value("disabled") {
        let written = value.syntax().text().to_string();
        let minor = written
            .strip_prefix("pythonOlder \"3.")
            .and_then(|r| r.strip_suffix('"'));
        if minor
            .and_then(|m| m.parse::<u32>().ok())
            .is_some_and(|m| m <= 11)
        {
            out.say(
                &rule::DISABLED_NEEDLESS,
                span,
                "nixpkgs has no Python that this is for",
                "drop the line, and `pythonOlder`",
            );
        }
    }
}

fn call_of(module: &Module<'_>) -> std::ops::Range<usize> {
    module.call.start..module.call.start
}

fn order(module: &Module<'_>, out: &mut Out) {
    let place = |name: &str| ORDER.iter().take(PLACED).position(|known| *known == name);
    let attributes = module.attributes();
    let mut latest: Option<(usize, String)> = None;
    for (name, span) in &attributes {
        if let Some(at) = place(name) {
            match &latest {
                Some((last, before)) if at < *last => {
                    out.say(
                        &rule::ATTRIBUTE_ORDER,
                        span.start..span.start + name.len(),
                        format!("`{name}` stands behind `{before}`"),
                        format!("move it in front of `{before}`"),
                    );
                }
                _ => latest = Some((at, name.clone())),
            }
        }
        spelling(name, span.start..span.start + name.len(), out);
    }
}

fn spelling(name: &str, span: std::ops::Range<usize>, out: &mut Out) {
    let removed = [
        (
            "pytestFlagsArray",
            "write `pytestFlags`, `enabledTestPaths` or `disabledTestMarks`",
        ),
        (
            "useFetchCargoVendor",
            "drop it: `fetchCargoVendor` is the only one",
        ),
        ("checkInputs", "write `nativeCheckInputs`"),
    ];
    if let Some((_, help)) = removed.iter().find(|(gone, _)| *gone == name) {
        out.say(
            &rule::ATTRIBUTE_REMOVED,
            span,
            format!("`{name}` is gone, or does nothing"),
            *help,
        );
        return;
    }
    if ORDER.contains(&name) || KNOWN.contains(&name) {
        return;
    }
    if name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    {
        out.say(
            &rule::ENV,
            span,
            format!("`{name}` is an environment variable"),
            format!("write `env.{name} = …;`"),
        );
        return;
    }
    let near = ORDER
        .iter()
        .chain(&KNOWN)
        .find(|known| is_near(known, name));
    if let Some(near) = near {
        out.say(
            &rule::ATTRIBUTE_UNKNOWN,
            span,
            format!("nothing knows `{name}`"),
            format!("write `{near}`"),
        );
    }
}

/// Whether two names are one or two letters apart.
fn is_near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.to_lowercase().chars().collect(),
        b.to_lowercase().chars().collect(),
    );
    if a.len().abs_diff(b.len()) > 2 || a.len() < 5 {
        return false;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = row.get(j).copied().unwrap_or(9) + usize::from(x != y);
            let drop = row.get(j + 1).copied().unwrap_or(9) + 1;
            let add = next.get(j).copied().unwrap_or(9) + 1;
            next.push(change.min(drop).min(add));
        }
        row = next;
    }
    row.last().is_some_and(|distance| *distance <= 2)
}

fn lists_of_packages(module: &Module<'_>, out: &mut Out) {
    if let Some((_, span)) = module.value("propagatedBuildInputs") {
        out.say(
            &rule::DEPENDENCIES_OLD_NAME,
            span,
            "`propagatedBuildInputs` is the old name",
            "write `dependencies`",
        );
    }
    for name in [
        "build-system",
        "nativeBuildInputs",
        "buildInputs",
        "dependencies",
        "propagatedBuildInputs",
        "nativeCheckInputs",
    ] {
        if let Some((value, span)) = module.value(name)
            && matches!(value, ast::Expr::Ident(_) | ast::Expr::Str(_))
        {
            out.say(
                &rule::DEPENDENCY_KIND,
                span,
                format!("`{name}` is no list"),
                "write `[ … ]`",
            );
        }
        for item in module.items(name) {
            let span = range(item.syntax());
            let written = item.syntax().text().to_string();
            if matches!(item, ast::Expr::Str(_)) || written == "null" {
                out.say(
                    &rule::DEPENDENCY_KIND,
                    span,
                    format!("{written} provides nothing"),
                    "write the attribute, without quotes",
                );
            } else if name == "buildInputs" && TOOLS.contains(&written.as_str()) {
                out.say(
                    &rule::BUILD_TOOL_IN_INPUTS,
                    span,
                    format!("`{written}` runs during the build"),
                    "move it to `nativeBuildInputs` or `build-system`",
                );
            } else if matches!(name, "dependencies" | "propagatedBuildInputs")
                && is_versioned(&written)
            {
                out.say(
                    &rule::DEPENDENCY_VERSIONED,
                    span,
                    format!("`{written}` is an attribute for one version"),
                    "take the default attribute, and relax or patch the requirement",
                );
            }
        }
    }
}

/// Whether an attribute's name ends in a version: `django_4`, `sqlalchemy_1_4`.
fn is_versioned(attr: &str) -> bool {
    let last = attr.rsplit('_').next().unwrap_or_default();
    last.len() < attr.len() && !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit())
}

fn switches(module: &Module<'_>, out: &mut Out) {
    for (name, bad) in [
        ("catchConflicts", "false"),
        ("dontCheckRuntimeDeps", "true"),
        ("dontCheckPythonMetadata", "true"),
    ] {
        if let Some((value, span)) = module.value(name)
            && value.syntax().text() == bad
        {
            out.say(
                &rule::DO_NOT_WRITE,
                span,
                format!("`{name} = {bad}` hides what users will run into"),
                "let the check run, and fix what it finds",
            );
        }
    }
    if let Some((_, span)) = module.value("pythonRemoveDeps")
        && !module.has_comment(&span)
    {
        out.say(
            &rule::COMMENT_MISSING,
            span,
            "`pythonRemoveDeps` without a reason",
            "say in a comment why the requirement is none",
        );
    }
    if let Some((value, span)) = module.value("env")
        && matches!(value, ast::Expr::List(_) | ast::Expr::Str(_))
    {
        out.say(
            &rule::ENV,
            span,
            "`env` is no set",
            "write `env.NAME = \"value\";`",
        );
    }
    for phase in ["buildPhase", "installPhase", "configurePhase", "patchPhase"] {
        if let Some((value, span)) = module.value(phase)
            && !value.syntax().text().to_string().contains("runHook")
        {
            out.say(
                &rule::PHASE,
                span,
                format!("`{phase}` is replaced without its hooks"),
                "call `runHook`, or use `post…` instead",
            );
        }
    }
}

fn references(module: &Module<'_>, out: &mut Out) {
    for select in module
        .root
        .syntax()
        .descendants()
        .filter_map(ast::Select::cast)
    {
        let written = select.syntax().text().to_string();
        let span = range(select.syntax());
        let moved = [
            "optional-dependencies",
            "dependencies",
            "build-system",
            "doCheck",
        ];
        let name = written
            .strip_prefix("finalAttrs.")
            .map(|rest| rest.split('.').next().unwrap_or_default());
        if let Some(name) = name.filter(|name| moved.contains(name)) {
            out.say(
                &rule::FINAL_ATTRS_PASSTHRU,
                span.clone(),
                format!("`finalAttrs.{name}` is not there"),
                format!("write `finalAttrs.passthru.{name}`"),
            );
        }
        if written.ends_with(".overridePythonAttrs") || written.ends_with(".overrideAttrs") {
            out.say(
                &rule::OVERRIDE,
                span,
                "a package overridden in a module",
                "change that package itself",
            );
        }
    }
}
