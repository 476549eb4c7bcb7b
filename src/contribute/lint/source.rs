//! Rules for a module's source: fetcher, digest, revision, and the version that is written once.

use rnix::ast;
use rowan::ast::AstNode as _;

use super::module::{Module, binding, literal, range};
use super::{Out, rule};
use crate::contribute::tree::names;

/// What `fetchPypi` takes.
const FETCH_PYPI: [&str; 10] = [
    "abi",
    "dist",
    "extension",
    "format",
    "hash",
    "platform",
    "pname",
    "python",
    "sha256",
    "version",
];

pub(super) fn rules(module: &Module<'_>, out: &mut Out) {
    if let Some((src, span)) = module.value("src") {
        fetcher(&src, span, out);
    }
    version(module, out);
    for call in module
        .root
        .syntax()
        .descendants()
        .filter_map(ast::Apply::cast)
    {
        let function = call
            .lambda()
            .map(|f| f.syntax().text().to_string())
            .unwrap_or_default();
        if function.ends_with("fetchCargoTarball") {
            let span = range(call.syntax());
            out.say(
                &rule::ATTRIBUTE_REMOVED,
                span,
                "`fetchCargoTarball` is gone",
                "write `fetchCargoVendor`",
            );
        }
    }
}

fn fetcher(src: &ast::Expr, span: std::ops::Range<usize>, out: &mut Out) {
    let ast::Expr::Apply(call) = src else {
        return;
    };
    let function = call
        .lambda()
        .map(|f| f.syntax().text().to_string())
        .unwrap_or_default();
    let function = function
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let Some(ast::Expr::AttrSet(set)) = call.argument() else {
        return;
    };
    let own = names(&set);
    hash(&set, &span, out);
    match function.as_str() {
        "fetchPypi" => {
            for name in own
                .iter()
                .filter(|name| !FETCH_PYPI.contains(&name.as_str()))
            {
                out.say(
                    &rule::SOURCE,
                    span.clone(),
                    format!("`fetchPypi` takes no `{name}`"),
                    "use `fetchurl`, or drop it",
                );
            }
        }
        "fetchurl" => {
            let url = binding(&set, "url").and_then(|b| b.value());
            let written = url
                .map(|u| u.syntax().text().to_string())
                .unwrap_or_default();
            // The host is put together, as everywhere.
            let host = ["pythonhosted", "org"].join(".");
            if written.contains("mirror://pypi") || written.contains(&host) {
                out.say(
                    &rule::SOURCE,
                    span,
                    "an address of PyPI",
                    "use `fetchPypi`, where it makes this address",
                );
            }
        }
        "fetchFromGitHub" | "fetchFromGitLab" => {
            let both = own.contains("tag") && own.contains("rev");
            if both {
                out.say(
                    &rule::REVISION,
                    span,
                    "both `tag` and `rev`",
                    "keep one of them",
                );
            } else if let Some(rev) = binding(&set, "rev").and_then(|b| b.value()) {
                let written = rev.syntax().text().to_string();
                if written.contains("version") || written.contains("refs/tags/") {
                    out.say(
                        &rule::REVISION,
                        range(rev.syntax()),
                        "a `rev` that is a tag",
                        "write `tag`, without `refs/tags/`",
                    );
                }
            }
        }
        _ => {}
    }
}

fn hash(set: &ast::AttrSet, span: &std::ops::Range<usize>, out: &mut Out) {
    let (new, old) = (binding(set, "hash"), binding(set, "sha256"));
    match (&new, &old) {
        (Some(_), Some(old)) => out.say(
            &rule::HASH,
            range(old.syntax()),
            "both `hash` and `sha256`",
            "drop `sha256`",
        ),
        (None, Some(old)) => out.say(
            &rule::HASH,
            range(old.syntax()),
            "`sha256` is the old spelling",
            "write `hash = \"sha256-…\"`",
        ),
        (None, None) => out.say(
            &rule::HASH,
            span.clone(),
            "the source has no `hash`",
            "write `hash = \"sha256-…\"`",
        ),
        (Some(new), None) => {
            let Some(value) = new.value() else { return };
            let Some(text) = literal(&value) else { return };
            let place = range(value.syntax());
            let digest = text.split_once('-').map_or("", |(_, digest)| digest);
            if text.is_empty()
                || digest.trim_matches(['A', '=']).is_empty() && text.starts_with("sha256-")
            {
                out.say(
                    &rule::HASH,
                    place,
                    "the hash is left to be filled in",
                    "build once, and put there what Nix says",
                );
            } else if !matches!(text.split_once('-'), Some(("sha256" | "sha512", _))) {
                out.say(
                    &rule::HASH,
                    place,
                    "the hash does not say what it is",
                    "write `sha256-` and base64",
                );
            } else if text.starts_with("sha256-") && (digest.len() != 44 || !digest.ends_with('='))
            {
                out.say(
                    &rule::HASH,
                    place,
                    "the hash is no sha256 in base64",
                    "write `sha256-` and 44 characters",
                );
            }
        }
    }
}

/// The version stands once; everything else follows it.
fn version(module: &Module<'_>, out: &mut Out) {
    let Some((version, own)) = module.literal("version").filter(|(v, _)| v.contains('.')) else {
        return;
    };
    for string in module.set.syntax().descendants().filter_map(ast::Str::cast) {
        let span = range(string.syntax());
        let written = string.syntax().text().to_string();
        if span == own || written.starts_with("\"sha256-") || !written.starts_with('"') {
            continue;
        }
        if super::super::edit::lines_with(&written, &version).is_empty() {
            continue;
        }
        // Only where the text names a place: a requirement of that version is none.
        let parent = string
            .syntax()
            .parent()
            .map(|parent| parent.text().to_string());
        let names = ["url", "tag", "rev", "changelog", "version"];
        let parent = parent.unwrap_or_default();
        if let Some(name) = names
            .iter()
            .find(|name| parent.starts_with(&format!("{name} =")))
        {
            out.say(
                &rule::VERSION_LITERAL,
                span,
                format!("`{name}` names {version} again"),
                "write `${finalAttrs.version}`",
            );
        }
    }
}
