//! Rules for tests: what runs them, what is left out, and why.

use rnix::ast;
use rowan::ast::AstNode as _;

use super::module::{Module, range};
use super::{Out, rule};

/// Hooks that run tests.
const HOOKS: [&str; 7] = [
    "pytestCheckHook",
    "pytest7CheckHook",
    "pytest8_3CheckHook",
    "unittestCheckHook",
    "django-test-hook",
    "stestrCheckHook",
    "sphinxHook",
];

pub(super) fn rules(module: &Module<'_>, out: &mut Out) {
    let inputs: Vec<(String, std::ops::Range<usize>)> = module
        .items("nativeCheckInputs")
        .iter()
        .map(|item| (item.syntax().text().to_string(), range(item.syntax())))
        .collect();
    let hooked = inputs
        .iter()
        .any(|(name, _)| HOOKS.contains(&name.as_str()) || name.ends_with("CheckHook"));
    for (name, span) in &inputs {
        input(name, span.clone(), hooked, out);
    }
    let phase = module.value("checkPhase");
    if let Some((value, span)) = &phase
        && value.syntax().text().to_string().contains("pytest")
    {
        out.say(
            &rule::CHECK_HOOK,
            span.clone(),
            "a `checkPhase` that runs pytest",
            "use `pytestCheckHook`, `pytestFlags`, `disabledTests`",
        );
    }
    off(module, out);
    if !hooked
        && phase.is_none()
        && !module.has("doCheck")
        && !module.has("passthru")
        && !says_why(module)
    {
        let at = module
            .value("pythonImportsCheck")
            .map_or(module.call.start, |(_, span)| span.start);
        out.say(
            &rule::CHECK_MISSING,
            at..at,
            "nothing runs the tests",
            "add `pytestCheckHook` or `unittestCheckHook`, or say in a comment why there are none",
        );
    }
    if !module.has("pythonImportsCheck") && !module.application {
        let at = module.call.start;
        out.say(
            &rule::IMPORTS_CHECK,
            at..at,
            "`pythonImportsCheck` is missing",
            "name the modules that it installs",
        );
    }
    excluded(module, out);
}

fn input(name: &str, span: std::ops::Range<usize>, hooked: bool, out: &mut Out) {
    match name {
        "pytest" => out.say(
            &rule::CHECK_HOOK,
            span,
            "`pytest` alone runs nothing",
            if hooked {
                "drop it: the hook brings it"
            } else {
                "write `pytestCheckHook`"
            },
        ),
        "pytest-cov" => out.say(
            &rule::CHECK_LINTERS,
            span,
            "`pytest-cov` counts lines",
            "write `pytest-cov-stub`",
        ),
        "pytest-runner" => out.say(
            &rule::CHECK_LINTERS,
            span,
            "`pytest-runner` is deprecated",
            "drop it",
        ),
        "black" | "coverage" | "flake8" | "isort" | "mypy" | "pylint" | "ruff" | "codecov"
        | "pre-commit" | "tox" | "pytest-flake8" | "pytest-black" | "pytest-mypy" => {
            out.say(
                &rule::CHECK_LINTERS,
                span,
                format!("`{name}` looks at the code, which is upstream's business"),
                "drop it",
            );
        }
        _ => {}
    }
}

fn off(module: &Module<'_>, out: &mut Out) {
    let Some((value, span)) = module.value("doCheck") else {
        return;
    };
    if value.syntax().text() == "false" && !module.has_comment(&span) {
        out.say(
            &rule::COMMENT_MISSING,
            span,
            "`doCheck = false` without a reason",
            "say in a comment why the tests do not run",
        );
    }
}

/// Whether a comment speaks of tests.
fn says_why(module: &Module<'_>) -> bool {
    let comments = module
        .set
        .syntax()
        .descendants_with_tokens()
        .filter_map(|e| e.into_token());
    let mut comments = comments.filter(|token| token.kind() == rnix::SyntaxKind::TOKEN_COMMENT);
    comments.any(|comment| comment.text().to_lowercase().contains("test"))
}

/// What is left out has its reason.
fn excluded(module: &Module<'_>, out: &mut Out) {
    for name in ["disabledTests", "disabledTestPaths"] {
        let Some((_, span)) = module.value(name) else {
            continue;
        };
        let inside = module.text.get(span.clone()).unwrap_or_default();
        if !inside.contains('#') && !module.has_comment(&span) {
            out.say(
                &rule::COMMENT_MISSING,
                span,
                format!("`{name}` without a reason"),
                "say in a comment why each of them fails",
            );
        }
    }
    if let Some((value, span)) = module.value("enabledTestPaths")
        && let ast::Expr::List(list) = value
        && list.items().next().is_none()
    {
        out.say(
            &rule::ATTRIBUTE_REMOVED,
            span,
            "`enabledTestPaths = [ ]` does not evaluate",
            "drop it",
        );
    }
}
